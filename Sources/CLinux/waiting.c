#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

int linux_epoll(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int how, int fd, uint32_t interest, uint64_t data) {
    struct epoll_event event = { .data.u64 = data };
    if (interest & LINUX_READABLE) event.events |= EPOLLIN;
    if (interest & LINUX_WRITABLE) event.events |= EPOLLOUT;
    return result(epoll_ctl(epoll, how, fd, &event));
}

int linux_epoll_add(int epoll, int fd, uint32_t interest, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, interest, data);
}

int linux_epoll_modify(int epoll, int fd, uint32_t interest, uint64_t data) {
    return control(epoll, EPOLL_CTL_MOD, fd, interest, data);
}

int linux_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

enum { EVENTS_MAXIMUM = 128 };

int linux_epoll_wait(int epoll, struct linux_event *events, unsigned count, int64_t timeout) {
    struct epoll_event raw[EVENTS_MAXIMUM];
    struct timespec limit = { timeout / 1000000000, timeout % 1000000000 };
    if (count > EVENTS_MAXIMUM) count = EVENTS_MAXIMUM;
    int n = epoll_pwait2(epoll, raw, (int)count, timeout < 0 ? NULL : &limit, NULL);
    // A signal is no event of ours: the caller's next turn sees what time it is.
    if (n < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        uint32_t e = raw[i].events;
        events[i].data = raw[i].data.u64;
        events[i].what = (e & EPOLLIN ? LINUX_READABLE : 0) | (e & EPOLLOUT ? LINUX_WRITABLE : 0)
            | (e & (EPOLLERR | EPOLLHUP) ? LINUX_BROKEN : 0);
    }
    return n;
}

int linux_eventfd(void) { return result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
int linux_semaphore(void) { return result(eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC)); }
int linux_signal(int fd) { return result(eventfd_write(fd, 1)); }

long linux_take(int fd) {
    eventfd_t value = 0;
    int n;
    do n = eventfd_read(fd, &value);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (long)value;
}

int linux_signalfd(const int *signals, unsigned count) {
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error) return -error;
    return result(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

int linux_take_signal(int fd) {
    struct signalfd_siginfo info;
    long n;
    do n = read(fd, &info, sizeof info);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN ? 0 : -errno;
    return (int)info.ssi_signo;
}
