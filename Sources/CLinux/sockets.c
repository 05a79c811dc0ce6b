#define _GNU_SOURCE
#include "addresses.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static int result(int value) { return value < 0 ? -errno : value; }

static int open_socket(int type) {
    type |= SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(AF_INET6, type, 0);
    if (fd < 0 && errno == EAFNOSUPPORT) return result(socket(AF_INET, type, 0));
    // Whatever net.ipv6.bindv6only says.
    int off = 0;
    if (fd >= 0) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return result(fd);
}

int linux_udp_socket(void) { return open_socket(SOCK_DGRAM); }
int linux_tcp_socket(void) { return open_socket(SOCK_STREAM); }

static int number_option(int fd, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? -errno : value;
}

int linux_is_ipv4(int fd) { return number_option(fd, SO_DOMAIN) == AF_INET; }

int linux_set(int fd, enum linux_option option, int value) {
    static const int names[][2] = {
        [LINUX_REUSE_ADDRESS] = { SOL_SOCKET, SO_REUSEADDR },
        [LINUX_REUSE_PORT] = { SOL_SOCKET, SO_REUSEPORT },
        [LINUX_UDP_GRO] = { IPPROTO_UDP, UDP_GRO },
        [LINUX_SEND_BUFFER] = { SOL_SOCKET, SO_SNDBUF },
        [LINUX_RECEIVE_BUFFER] = { SOL_SOCKET, SO_RCVBUF },
        [LINUX_NO_DELAY] = { IPPROTO_TCP, TCP_NODELAY },
        [LINUX_NOT_SENT_LOWAT] = { IPPROTO_TCP, TCP_NOTSENT_LOWAT },
        [LINUX_USER_TIMEOUT] = { IPPROTO_TCP, TCP_USER_TIMEOUT },
        [LINUX_KEEP_ALIVE] = { SOL_SOCKET, SO_KEEPALIVE },
        [LINUX_ARRIVAL_TIME] = { SOL_SOCKET, SO_TIMESTAMPNS },
    };
    return result(setsockopt(fd, names[option][0], names[option][1], &value, sizeof value));
}

int linux_receive_local_address(int fd) {
    int on = 1;
    if (linux_is_ipv4(fd)) return result(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
    return result(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on));
}

int linux_bind(int fd, const struct linux_address *address) {
    struct sockaddr_in6 to;
    socklen_t size = to_sockaddr(address, linux_is_ipv4(fd), &to);
    return result(bind(fd, (struct sockaddr *)&to, size));
}

// A dual-stack socket takes IPv4 groups by the options of IPv4, too.
static int change_membership(int fd, const struct linux_address *group, unsigned interface, int on) {
    if (group->high == 0 && group->low >> 32 == 0xffff) {
        struct ip_mreqn request = {
            .imr_multiaddr.s_addr = htonl((uint32_t)group->low),
            .imr_ifindex = (int)interface,
        };
        int name = on ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
        return result(setsockopt(fd, IPPROTO_IP, name, &request, sizeof request));
    }
    struct ipv6_mreq request = { .ipv6mr_multiaddr = to_in6(group), .ipv6mr_interface = interface };
    int name = on ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
    return result(setsockopt(fd, IPPROTO_IPV6, name, &request, sizeof request));
}

int linux_join(int fd, const struct linux_address *group, unsigned interface) {
    return change_membership(fd, group, interface, 1);
}

int linux_leave(int fd, const struct linux_address *group, unsigned interface) {
    return change_membership(fd, group, interface, 0);
}

int linux_multicast_hops(int fd, int hops) {
    int six = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
    int four = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops);
    return six < 0 && four < 0 ? -errno : 0;
}

int linux_listen(int fd, int backlog) { return result(listen(fd, backlog)); }

int linux_connect(int fd, const struct linux_address *address) {
    struct sockaddr_in6 to;
    socklen_t size = to_sockaddr(address, linux_is_ipv4(fd), &to);
    return result(connect(fd, (struct sockaddr *)&to, size));
}

int linux_accept(int fd, struct linux_address *peer) {
    struct sockaddr_in6 from = { 0 };
    socklen_t size = sizeof from;
    int accepted;
    do accepted = accept4(fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (accepted < 0 && errno == EINTR);
    if (accepted < 0) return -errno;
    from_sockaddr(&from, peer);
    return accepted;
}

int linux_local_address(int fd, struct linux_address *address) {
    struct sockaddr_in6 name = { 0 };
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) < 0) return -errno;
    from_sockaddr(&name, address);
    return 0;
}

int linux_peer_address(int fd, struct linux_address *address) {
    struct sockaddr_in6 name = { 0 };
    socklen_t size = sizeof name;
    if (getpeername(fd, (struct sockaddr *)&name, &size) < 0) return -errno;
    from_sockaddr(&name, address);
    return 0;
}

int linux_socket_error(int fd) {
    int error = number_option(fd, SO_ERROR);
    return error > 0 ? -error : error;
}

int linux_finish_sending(int fd) { return result(shutdown(fd, SHUT_WR)); }

int linux_stream_pair(int fds[2]) {
    return result(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
}

// Linux frees the number even if close is interrupted: closing again could hit another's.
// Its twin shares the connection; the connection ends when both are closed.
int linux_duplicate(int fd) { return result(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

int linux_close(int fd) { return result(close(fd)); }

int linux_reserve_descriptor(void) { return result(open("/dev/null", O_RDONLY | O_CLOEXEC)); }
