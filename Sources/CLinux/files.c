#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

int linux_open_read(const char *path) { return result(open(path, O_RDONLY | O_CLOEXEC)); }

int linux_open_write(const char *path, int truncate, unsigned mode) {
    int how = O_WRONLY | O_CREAT | O_CLOEXEC | (truncate ? O_TRUNC : O_APPEND);
    return result(open(path, how, mode));
}

long linux_write_all(int fd, const void *bytes, size_t count) {
    const char *at = bytes;
    size_t left = count;
    while (left) {
        long n = write(fd, at, left);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        at += n;
        left -= (size_t)n;
    }
    return (long)count;
}

int64_t linux_file_size(int fd) {
    struct stat info;
    return fstat(fd, &info) < 0 ? -errno : info.st_size;
}

int linux_sync(int fd) { return result(fdatasync(fd)); }
int linux_rename(const char *from, const char *to) { return result(rename(from, to)); }
int linux_remove(const char *path) { return result(unlink(path)); }

int linux_memory_file(const char *label) { return result(memfd_create(label, MFD_CLOEXEC)); }

long linux_read_at(int fd, void *bytes, size_t count, int64_t offset) {
    long n = pread(fd, bytes, count, offset);
    return n < 0 ? -errno : n;
}

long linux_write_at(int fd, const void *bytes, size_t count, int64_t offset) {
    long n = pwrite(fd, bytes, count, offset);
    return n < 0 ? -errno : n;
}
