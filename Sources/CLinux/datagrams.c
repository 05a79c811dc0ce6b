#define _GNU_SOURCE
#include "addresses.h"
#include <errno.h>
#include <netinet/udp.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { SEND_CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)) };
enum {
    RECEIVE_CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))
        + CMSG_SPACE(sizeof(struct timespec))
};

struct outgoing {
    struct iovec bytes;
    struct sockaddr_in6 to;
    _Alignas(struct cmsghdr) char control[SEND_CONTROL];
};

static size_t put_control(char *at, int level, int type, const void *value, size_t size) {
    struct cmsghdr *head = (struct cmsghdr *)at;
    *head = (struct cmsghdr){ .cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(size) };
    memcpy(CMSG_DATA(head), value, size);
    return CMSG_SPACE(size);
}

// The source address goes along as IPV6_PKTINFO also for mapped IPv4: Linux takes it there, too.
static size_t put_source(char *at, int ipv4, const struct linux_address *from) {
    if (ipv4) {
        struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl((uint32_t)from->low) };
        return put_control(at, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
    struct in6_pktinfo info = { .ipi6_addr = to_in6(from), .ipi6_ifindex = from->scope };
    return put_control(at, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
}

static void prepare(
    const struct linux_message *message, int ipv4, struct outgoing *out, struct msghdr *head) {
    out->bytes = (struct iovec){ (void *)message->bytes, message->length };
    size_t control = 0;
    if (message->from.high | message->from.low)
        control += put_source(out->control, ipv4, &message->from);
    if (message->segment)
        control += put_control(
            out->control + control, IPPROTO_UDP, UDP_SEGMENT, &message->segment, sizeof(uint16_t));
    *head = (struct msghdr){
        .msg_name = &out->to,
        .msg_namelen = to_sockaddr(&message->to, ipv4, &out->to),
        .msg_iov = &out->bytes,
        .msg_iovlen = 1,
        .msg_control = control ? out->control : NULL,
        .msg_controllen = control,
    };
}

int linux_send_messages(int fd, int ipv4, const struct linux_message *messages, unsigned count) {
    struct outgoing out[LINUX_MESSAGES_MAXIMUM];
    struct mmsghdr heads[LINUX_MESSAGES_MAXIMUM];
    if (count > LINUX_MESSAGES_MAXIMUM) count = LINUX_MESSAGES_MAXIMUM;
    for (unsigned i = 0; i < count; i++) prepare(&messages[i], ipv4, &out[i], &heads[i].msg_hdr);
    int sent;
    do sent = sendmmsg(fd, heads, count, 0);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

struct incoming {
    struct iovec bytes;
    struct sockaddr_in6 from;
    _Alignas(struct cmsghdr) char control[RECEIVE_CONTROL];
};

static void read_control(struct msghdr *head, struct linux_arrival *arrival) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
            arrival->segment = (uint16_t)segment;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            from_in6(&info.ipi6_addr, &arrival->to);
            arrival->to.scope = is_link_local(&arrival->to) ? info.ipi6_ifindex : 0;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            arrival->to.low = MAPPED | ntohl(info.ipi_addr.s_addr);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            arrival->time = t.tv_sec * 1000000000ll + t.tv_nsec;
        }
    }
}

int linux_receive_messages(
    int fd, void *slab, size_t stride, struct linux_arrival *arrivals, unsigned count) {
    struct incoming in[LINUX_MESSAGES_MAXIMUM];
    struct mmsghdr heads[LINUX_MESSAGES_MAXIMUM];
    if (count > LINUX_MESSAGES_MAXIMUM) count = LINUX_MESSAGES_MAXIMUM;
    for (unsigned i = 0; i < count; i++) {
        in[i].bytes = (struct iovec){ (char *)slab + i * stride, stride };
        heads[i].msg_hdr = (struct msghdr){
            .msg_name = &in[i].from,
            .msg_namelen = sizeof in[i].from,
            .msg_iov = &in[i].bytes,
            .msg_iovlen = 1,
            .msg_control = in[i].control,
            .msg_controllen = sizeof in[i].control,
        };
    }
    int received;
    do received = recvmmsg(fd, heads, count, MSG_DONTWAIT, NULL);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    for (int i = 0; i < received; i++) {
        arrivals[i] = (struct linux_arrival){ .length = heads[i].msg_len };
        from_sockaddr(&in[i].from, &arrivals[i].from);
        arrivals[i].truncated = (heads[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        read_control(&heads[i].msg_hdr, &arrivals[i]);
    }
    return received;
}
