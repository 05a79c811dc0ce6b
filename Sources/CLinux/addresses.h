// Between `struct linux_address` and the kernel's address structs.
#pragma once
#include "CLinux.h"
#include <endian.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define MAPPED 0xffff00000000ull

static inline struct in6_addr to_in6(const struct linux_address *address) {
    uint64_t words[2] = { htobe64(address->high), htobe64(address->low) };
    struct in6_addr result;
    memcpy(&result, words, sizeof result);
    return result;
}

static inline void from_in6(const struct in6_addr *in, struct linux_address *address) {
    uint64_t words[2];
    memcpy(words, in, sizeof words);
    address->high = be64toh(words[0]);
    address->low = be64toh(words[1]);
}

static inline int is_link_local(const struct linux_address *address) {
    return address->high >> 54 == 0xfe80 >> 6;
}

static inline int fits_ipv4(const struct linux_address *address) {
    return address->high == 0 && (address->low == 0 || address->low >> 32 == 0xffff);
}

// An IPv6 address for an IPv4 socket stays what it is: the kernel refuses it.
static inline socklen_t to_sockaddr(
    const struct linux_address *address, int ipv4, struct sockaddr_in6 *out) {
    if (ipv4 && fits_ipv4(address)) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        *in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(address->port) };
        in->sin_addr.s_addr = htonl((uint32_t)address->low);
        return sizeof *in;
    }
    *out = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(address->port) };
    out->sin6_addr = to_in6(address);
    out->sin6_scope_id = address->scope;
    return sizeof *out;
}

static inline void from_sockaddr(const struct sockaddr_in6 *in, struct linux_address *address) {
    *address = (struct linux_address){ 0 };
    if (in->sin6_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)in;
        address->low = MAPPED | ntohl(in4->sin_addr.s_addr);
        address->port = ntohs(in4->sin_port);
    } else if (in->sin6_family == AF_INET6) {
        from_in6(&in->sin6_addr, address);
        address->port = ntohs(in->sin6_port);
        address->scope = is_link_local(address) ? in->sin6_scope_id : 0;
    }
}
