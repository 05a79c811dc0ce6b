#define _GNU_SOURCE
#include "addresses.h"
#include <netdb.h>

int linux_resolve(const char *name, struct linux_address *addresses, unsigned count) {
    // AI_ADDRCONFIG: no IPv6 answers on a host that has no IPv6. The order is RFC 6724's.
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *list = NULL;
    int error = getaddrinfo(name, NULL, &hints, &list);
    if (error) return error;
    unsigned n = 0;
    for (struct addrinfo *at = list; at && n < count; at = at->ai_next)
        if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
            from_sockaddr((struct sockaddr_in6 *)at->ai_addr, &addresses[n++]);
    freeaddrinfo(list);
    return (int)n;
}

const char *linux_resolve_error(int code) { return gai_strerror(code); }
