#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

void linux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int linux_pin_thread(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int64_t linux_clock(int clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// Everything from here to exec runs in the child of a program with threads: only calls that are
// safe in a signal handler, so no malloc, no Swift.
static void write_own_number(char *const environment[]) {
    static const char key[] = "LISTEN_PID=";
    for (; *environment; environment++) {
        if (strncmp(*environment, key, sizeof key - 1)) continue;
        char digits[10], *at = *environment + sizeof key - 1;
        int n = 0;
        for (pid_t pid = getpid(); pid; pid /= 10) digits[n++] = (char)('0' + pid % 10);
        while (n) *at++ = digits[--n];
        *at = 0;
    }
}

static void become_child(
    pid_t parent, const char *path, char *const arguments[], char *const environment[],
    const int *fds, unsigned count) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // It died before the line above.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // First up and away, so that no target number is still somebody's source.
    int high[256];
    for (unsigned i = 0; i < count; i++)
        if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3 + (int)count)) < 0) _exit(126);
    for (unsigned i = 0; i < count; i++)
        if (dup2(high[i], 3 + (int)i) < 0) _exit(126);
    write_own_number(environment);
    execve(path, arguments, environment);
    _exit(127);
}

int linux_spawn(
    const char *path, char *const arguments[], char *const environment[], const int *fds,
    unsigned count) {
    if (count > 256) return -E2BIG;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) become_child(parent, path, arguments, environment, fds, count);
    return result(child);
}

int linux_become(
    const char *path, char *const arguments[], char *const environment[], const int *fds,
    unsigned count) {
    if (count > 256) return -E2BIG;
    int first = 3, above = first + (int)count, high[256], kept[256], error = 0;
    unsigned moved = 0;
    for (; moved < count; moved++) {
        high[moved] = fcntl(fds[moved], F_DUPFD_CLOEXEC, above);
        if (high[moved] < 0) break;
        // What has this number now; nothing, if that fails.
        kept[moved] = fcntl(first + (int)moved, F_DUPFD_CLOEXEC, above);
    }
    if (moved < count) {
        error = errno;
    } else {
        for (unsigned i = 0; i < count; i++) dup2(high[i], first + (int)i);
        execve(path, arguments, environment);
        error = errno;
        for (unsigned i = 0; i < count; i++) {
            if (kept[i] < 0) close(first + (int)i);
            else dup3(kept[i], first + (int)i, O_CLOEXEC);
        }
    }
    for (unsigned i = 0; i < moved; i++) {
        close(high[i]);
        if (kept[i] >= 0) close(kept[i]);
    }
    return -error;
}

int linux_wait_child(int pid, int *status, int block) {
    int n;
    do n = waitpid(pid, status, block ? 0 : WNOHANG);
    while (n < 0 && errno == EINTR);
    return result(n);
}

int linux_signal_process(int pid, int signal) { return result(kill(pid, signal)); }

int linux_notify(const char *socket_path, const char *text) {
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t length = strlen(socket_path);
    if (length == 0 || length >= sizeof to.sun_path) return -EINVAL;
    memcpy(to.sun_path, socket_path, length);
    if (to.sun_path[0] == '@') to.sun_path[0] = 0;  // The abstract name space.
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    long n = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, size);
    int error = n < 0 ? -errno : 0;
    close(fd);
    return error;
}
