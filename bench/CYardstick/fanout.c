#define _GNU_SOURCE
#include "CYardstick.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { MESSAGES = 16 };

union peer {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct yardstick_fanout {
    int fd;
    unsigned peers, per_peer;
    size_t size;
    socklen_t name_size;
    union peer *names;
    char *arena;
};

struct yardstick_fanout *yardstick_fanout_new(
    int fd, int ipv4, const uint16_t *ports, unsigned peers, unsigned per_peer, size_t size) {
    struct yardstick_fanout *f = calloc(1, sizeof *f);
    f->fd = fd;
    f->peers = peers;
    f->per_peer = per_peer;
    f->size = size;
    f->name_size = ipv4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    f->names = calloc(peers, sizeof *f->names);
    f->arena = aligned_alloc(64, (MESSAGES * per_peer * size + 63) & ~63ul);
    for (unsigned i = 0; i < peers; i++) {
        if (ipv4) {
            f->names[i].v4.sin_family = AF_INET;
            f->names[i].v4.sin_port = htons(ports[i]);
            f->names[i].v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        } else {
            f->names[i].v6.sin6_family = AF_INET6;
            f->names[i].v6.sin6_port = htons(ports[i]);
            inet_pton(AF_INET6, "::ffff:127.0.0.1", &f->names[i].v6.sin6_addr);
        }
    }
    return f;
}

static long flush(int fd, struct mmsghdr *heads, unsigned count) {
    unsigned sent = 0;
    while (sent < count) {
        int n = sendmmsg(fd, heads + sent, count - sent, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n < 0) return -errno;
        sent += (unsigned)n;
    }
    return count;
}

struct batch {
    struct mmsghdr heads[MESSAGES];
    struct iovec bytes[MESSAGES];
    _Alignas(struct cmsghdr) char control[MESSAGES][CMSG_SPACE(sizeof(uint16_t))];
    unsigned waiting;
};

static void add(
    struct yardstick_fanout *f, struct batch *b, unsigned peer, char *start, size_t size) {
    b->bytes[b->waiting] = (struct iovec){ start, f->per_peer * size };
    struct msghdr *head = &b->heads[b->waiting].msg_hdr;
    *head = (struct msghdr){ .msg_name = &f->names[peer], .msg_namelen = f->name_size,
                             .msg_iov = &b->bytes[b->waiting], .msg_iovlen = 1 };
    if (f->per_peer > 1) {
        struct cmsghdr *c = (struct cmsghdr *)b->control[b->waiting];
        *c = (struct cmsghdr){ .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT,
                               .cmsg_len = CMSG_LEN(sizeof(uint16_t)) };
        uint16_t segment = (uint16_t)size;
        memcpy(CMSG_DATA(c), &segment, sizeof segment);
        head->msg_control = b->control[b->waiting];
        head->msg_controllen = sizeof b->control[b->waiting];
    }
    b->waiting++;
}

long yardstick_fanout_send(struct yardstick_fanout *f, const void *payload) {
    struct batch b = { .waiting = 0 };
    for (unsigned peer = 0; peer < f->peers; peer++) {
        char *start = f->arena + b.waiting * f->per_peer * f->size;
        for (unsigned k = 0; k < f->per_peer; k++) memcpy(start + k * f->size, payload, f->size);
        add(f, &b, peer, start, f->size);
        if (b.waiting < MESSAGES && peer + 1 < f->peers) continue;
        long n = flush(f->fd, b.heads, b.waiting);
        if (n < 0) return n;
        b.waiting = 0;
    }
    return (long)f->peers * f->per_peer;
}

long yardstick_fanout_send_protected(
    struct yardstick_fanout *f, struct yardstick_srtp *srtp, const uint8_t *payloads,
    size_t stride) {
    struct batch b = { .waiting = 0 };
    char *next = f->arena;
    for (unsigned peer = 0; peer < f->peers; peer++) {
        char *start = next;
        size_t size = 0;
        for (unsigned k = 0; k < f->per_peer; k++) {
            size = yardstick_srtp_protect(srtp, peer, payloads + k * stride, next);
            next += size;
        }
        add(f, &b, peer, start, size);
        if (b.waiting < MESSAGES && peer + 1 < f->peers) continue;
        yardstick_srtp_finish(srtp);
        long n = flush(f->fd, b.heads, b.waiting);
        if (n < 0) return n;
        b.waiting = 0;
        next = f->arena;
    }
    return (long)f->peers * f->per_peer;
}

void yardstick_fanout_free(struct yardstick_fanout *f) {
    free(f->names);
    free(f->arena);
    free(f);
}
