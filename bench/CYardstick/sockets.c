#define _GNU_SOURCE
#include "CYardstick.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

long yardstick_write_all(
    const int *fds, unsigned count, const void *head, size_t head_size, const void *body,
    size_t body_size) {
    long total = 0;
    for (unsigned i = 0; i < count; i++) {
        struct iovec bytes[2] = { { (void *)head, head_size }, { (void *)body, body_size } };
        struct msghdr message = { .msg_iov = bytes, .msg_iovlen = 2 };
        long n;
        do n = sendmsg(fds[i], &message, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0) return -errno;
        total += n;
    }
    return total;
}

struct yardstick_drain {
    const int *fds;
    unsigned count;
    int cpu;
    pthread_t thread;
    uint64_t bytes;
    int stop;
};

void yardstick_pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *drain(void *argument) {
    struct yardstick_drain *d = argument;
    static __thread char buffer[1 << 18];
    struct epoll_event events[256];
    yardstick_pin(d->cpu);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < d->count; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = d->fds[i] };
        epoll_ctl(epoll, EPOLL_CTL_ADD, d->fds[i], &event);
    }
    while (!__atomic_load_n(&d->stop, __ATOMIC_RELAXED)) {
        int n = epoll_wait(epoll, events, 256, 10);
        for (int i = 0; i < n; i++) {
            long count;
            while ((count = recv(events[i].data.fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
                __atomic_fetch_add(&d->bytes, (uint64_t)count, __ATOMIC_RELAXED);
        }
    }
    close(epoll);
    return NULL;
}

struct yardstick_drain *yardstick_drain_start(const int *fds, unsigned count, int cpu) {
    struct yardstick_drain *d = calloc(1, sizeof *d);
    d->fds = fds;
    d->count = count;
    d->cpu = cpu;
    pthread_create(&d->thread, NULL, drain, d);
    return d;
}

uint64_t yardstick_drain_bytes(struct yardstick_drain *d) {
    return __atomic_load_n(&d->bytes, __ATOMIC_RELAXED);
}

void yardstick_drain_stop(struct yardstick_drain *d) {
    __atomic_store_n(&d->stop, 1, __ATOMIC_RELAXED);
    pthread_join(d->thread, NULL);
    free(d);
}

int yardstick_udp_sender(void) {
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
    if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) < 0) return -errno;
    return fd;
}

int yardstick_udp_receiver(uint16_t *port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in name = { .sin_family = AF_INET };
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    int room = 1 << 18;
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, size) < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    getsockname(fd, (struct sockaddr *)&name, &size);
    *port = ntohs(name.sin_port);
    return fd;
}

int yardstick_tcp_pair(int fds[2]) {
    struct sockaddr_in name = { .sin_family = AF_INET };
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&name, size) < 0) return -errno;
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&name, &size);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fds[0], (struct sockaddr *)&name, size) < 0) return -errno;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    close(listener);
    int room = 1 << 20, on = 1;
    setsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return 0;
}

void yardstick_more_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
