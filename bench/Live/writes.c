// Sends the tags of an FLV file to all who connect, at their times, for ever: one sendmsg per tag and
// viewer and nothing else. What a gateway is measured against.
//
//     writes PORT FILE
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 4096 };

static int clients[CLIENTS];
static int count;
static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n";

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void admit(int listener, const uint8_t *file, size_t head) {
    for (;;) {
        int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (socket < 0) return;
        int on = 1, low = 65536;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
        send(socket, answer, sizeof answer - 1, MSG_NOSIGNAL);
        send(socket, file, head, MSG_NOSIGNAL);
        if (count < CLIENTS) clients[count++] = socket; else close(socket);
    }
}

/// The same number of system calls and pieces as for a frame that viewers share: a header of each
/// viewer's own, the frame, and what stands behind it.
static void sendAll(const uint8_t *tag, size_t size) {
    uint8_t header[16];
    memcpy(header, tag, sizeof header);
    struct iovec pieces[3] = {
        {header, sizeof header},
        {(void *)(tag + sizeof header), size - sizeof header - 4},
        {(void *)(tag + size - 4), 4},
    };
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    for (int index = 0; index < count; index++) {
        ssize_t sent = sendmsg(clients[index], &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            close(clients[index]);
            clients[index--] = clients[--count];
        }
    }
}

int main(int arguments, char **values) {
    if (arguments != 3) return 2;
    FILE *input = fopen(values[2], "rb");
    if (!input) return 1;
    fseek(input, 0, SEEK_END);
    size_t size = (size_t)ftell(input);
    rewind(input);
    uint8_t *file = malloc(size);
    if (fread(file, 1, size, input) != size) return 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(values[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&place, sizeof place) || listen(listener, 4096)) return 1;
    int64_t began = now(), base = 0;
    for (;;) {
        uint32_t last = 0;
        for (size_t at = 13; at + 15 < size;) {
            size_t body = (size_t)file[at + 1] << 16 | file[at + 2] << 8 | file[at + 3];
            if (at + 15 + body > size) break;
            uint32_t stamp = (uint32_t)file[at + 7] << 24 | file[at + 4] << 16
                | file[at + 5] << 8 | file[at + 6];
            int64_t due = began + base + stamp;
            while (now() < due) {
                admit(listener, file, 13);
                usleep(1000);
            }
            if (body > 16) sendAll(file + at, body + 15);
            last = stamp;
            at += body + 15;
        }
        base += last + 33;
    }
}
