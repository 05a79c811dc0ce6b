#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(struct linux_slice) == sizeof(struct iovec), "a slice is an iovec");
_Static_assert(
    offsetof(struct linux_slice, count) == offsetof(struct iovec, iov_len), "a slice is an iovec");

long linux_read(int fd, void *bytes, size_t count) {
    long n;
    do n = read(fd, bytes, count);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

long linux_receive(int fd, void *bytes, size_t count) {
    long n;
    do n = recv(fd, bytes, count, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

// sendmsg rather than writev: only it can keep SIGPIPE away.
long linux_send_slices(int fd, const struct linux_slice *slices, unsigned count) {
    struct msghdr message = { .msg_iov = (struct iovec *)slices, .msg_iovlen = count };
    long n;
    do n = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}
