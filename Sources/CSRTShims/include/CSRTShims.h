// libsrt behind functions of plain values: its own header brings in those of the system, which
// Swift would see twice.
#ifndef CSRTShims_h
#define CSRTShims_h

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

// IPv4 in the form ::ffff:a.b.c.d; the port in our own order.
struct gateway_srt_address {
    uint8_t bytes[16];
    uint16_t port;
};

enum { GATEWAY_SRT_ID_MAXIMUM = 512, GATEWAY_SRT_PASSPHRASE_MAXIMUM = 79 };

// What a connection is to be like. Times in milliseconds; texts end with 0, empty: none.
struct gateway_srt_options {
    int latency;
    int connect_timeout;
    int key_length;  // 0: the caller decides.
    char passphrase[GATEWAY_SRT_PASSPHRASE_MAXIMUM + 1];
    char stream_id[GATEWAY_SRT_ID_MAXIMUM + 1];
};

// Judges a caller. Called on the library's receiving thread: everybody waits for it.
// Writes a passphrase (empty: none) and returns 0, or a reason to reject (1000 and above).
typedef int (*gateway_srt_judge)(
    void *context, const struct gateway_srt_address *peer, const char *stream_id,
    char *passphrase);

int gateway_srt_start(void);
void gateway_srt_stop(void);

// Sockets; below 0: it failed, and gateway_srt_error says why. `descriptor`: a bound UDP socket,
// which is the library's from here on.
int gateway_srt_listen(
    int descriptor, const struct gateway_srt_options *options, gateway_srt_judge judge,
    void *context);
int gateway_srt_accept(int listener, struct gateway_srt_address *peer);
int gateway_srt_connect(
    const struct gateway_srt_address *peer, const struct gateway_srt_options *options);
// 0, or the reason of the rejection as a number of the library.
int gateway_srt_rejection(int socket);
const char *gateway_srt_rejection_text(int reason);
const char *gateway_srt_error(void);
void gateway_srt_close(int socket);
int gateway_srt_stream_id(int socket, char *id);  // Room for the maximum and a 0.

enum gateway_srt_state { GATEWAY_SRT_CONNECTING, GATEWAY_SRT_CONNECTED, GATEWAY_SRT_BROKEN };
enum gateway_srt_state gateway_srt_state_of(int socket);

// Bytes of one message; 0: nothing now; below 0: the connection is broken.
int gateway_srt_receive(int socket, void *bytes, int count);
// 1: taken; 0: full now; below 0: broken.
int gateway_srt_send(int socket, const void *bytes, int count);

struct gateway_srt_figures {
    double round_trip;  // Milliseconds.
    double megabits_in, megabits_out;
    int64_t packets_in, packets_out;
    int64_t lost_in, lost_out, dropped_in, dropped_out, undecrypted, repeated_out;
    int latency;  // Milliseconds.
    int waiting;  // Milliseconds of media in the buffer.
};
int gateway_srt_figures_of(int socket, struct gateway_srt_figures *figures);

// Waiting for sockets of the library and descriptors of the system at once.
enum { GATEWAY_SRT_READ = 1, GATEWAY_SRT_WRITE = 2 };
struct gateway_srt_event {
    int number;
    int is_descriptor;
    int what;
};
int gateway_srt_poller(void);
void gateway_srt_poller_close(int poller);
int gateway_srt_watch(int poller, int socket, int what);  // 0: not any more.
int gateway_srt_watch_descriptor(int poller, int descriptor, int what, int was);
int gateway_srt_wait(int poller, int milliseconds, struct gateway_srt_event *events, int maximum);

#pragma GCC visibility pop

#endif
