// Opens viewers of one URL and throws away what comes.
//
//     reads PORT PATH COUNT SECONDS
//
// Prints one line a second: viewers, and bytes since the line before. The last viewer reads nothing
// when a fifth word stands there: it must cost nobody else anything.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

int main(int arguments, char **values) {
    if (arguments < 5) return 2;
    int wanted = atoi(values[3]), seconds = atoi(values[4]), open = 0;
    int poller = epoll_create1(0);
    char request[512];
    int length = snprintf(
        request, sizeof request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", values[2]);
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(values[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static char bin[1 << 20];
    int64_t end = now() + seconds * 1000LL, tick = now() + 1000;
    uint64_t bytes = 0;
    while (now() < end) {
        for (int more = 0; more < 20 && open < wanted; more++) {
            int socket_ = socket(AF_INET, SOCK_STREAM, 0), small = 65536;
            setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
            if (connect(socket_, (struct sockaddr *)&place, sizeof place)) return 1;
            if (send(socket_, request, (size_t)length, 0) != length) return 1;
            struct epoll_event event = {.events = EPOLLIN, .data.fd = socket_};
            int sleeps = arguments > 5 && open == wanted - 1;
            if (!sleeps) epoll_ctl(poller, EPOLL_CTL_ADD, socket_, &event);
            open++;
        }
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 10);
        for (int index = 0; index < ready; index++) {
            ssize_t got = recv(events[index].data.fd, bin, sizeof bin, MSG_DONTWAIT | MSG_TRUNC);
            if (got > 0) bytes += (uint64_t)got;
            if (got == 0) { close(events[index].data.fd); wanted--; open--; }
        }
        if (now() >= tick) {
            printf("%d %llu\n", open, (unsigned long long)bytes);
            fflush(stdout);
            bytes = 0;
            tick += 1000;
        }
    }
    return 0;
}
