#define _GNU_SOURCE
#include "addresses.h"
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>

int linux_interfaces(struct linux_interface *interfaces, unsigned count) {
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) < 0) return -errno;
    unsigned n = 0;
    for (struct ifaddrs *at = list; at && n < count; at = at->ifa_next) {
        if (!at->ifa_addr || !(at->ifa_flags & IFF_UP)) continue;
        if (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6) continue;
        struct linux_interface *one = &interfaces[n++];
        *one = (struct linux_interface){ 0 };
        from_sockaddr((struct sockaddr_in6 *)at->ifa_addr, &one->address);
        strncpy(one->name, at->ifa_name, sizeof one->name - 1);
    }
    freeifaddrs(list);
    return (int)n;
}
