#define _GNU_SOURCE
#include "CSRTShims.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <srt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

// A message of live mode: what fits into a datagram of 1,500 bytes.
enum { PAYLOAD = 1456 };
// Half-open callers that wait to be accepted.
enum { BACKLOG = 128 };

// The same for all listeners; what differs is their context.
static gateway_srt_judge judge_of_all;

int gateway_srt_start(void) {
    if (srt_startup() < 0) return -1;
    // Its warnings are about single packets; what matters comes as errors of the calls.
    srt_setloglevel(2 /* LOG_CRIT */);
    return 0;
}

void gateway_srt_stop(void) { srt_cleanup(); }

static void to_kernel(const struct gateway_srt_address *address, struct sockaddr_in6 *name) {
    memset(name, 0, sizeof *name);
    name->sin6_family = AF_INET6;
    name->sin6_port = htons(address->port);
    memcpy(&name->sin6_addr, address->bytes, 16);
}

static void from_kernel(const struct sockaddr *name, struct gateway_srt_address *address) {
    memset(address, 0, sizeof *address);
    if (name->sa_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)name;
        address->bytes[10] = address->bytes[11] = 0xff;
        memcpy(address->bytes + 12, &ipv4->sin_addr, 4);
        address->port = ntohs(ipv4->sin_port);
    } else if (name->sa_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)name;
        memcpy(address->bytes, &ipv6->sin6_addr, 16);
        address->port = ntohs(ipv6->sin6_port);
    }
}

static int set(int socket, SRT_SOCKOPT option, int value) {
    return srt_setsockflag(socket, option, &value, sizeof value);
}

static int set_flag(int socket, SRT_SOCKOPT option, bool value) {
    return srt_setsockflag(socket, option, &value, sizeof value);
}

static int prepare(int socket, const struct gateway_srt_options *options) {
    if (set_flag(socket, SRTO_RCVSYN, false) || set_flag(socket, SRTO_SNDSYN, false)) return -1;
    if (set(socket, SRTO_RCVLATENCY, options->latency)) return -1;
    if (set(socket, SRTO_PEERLATENCY, options->latency)) return -1;
    if (set(socket, SRTO_PAYLOADSIZE, PAYLOAD)) return -1;
    if (options->connect_timeout > 0) set(socket, SRTO_CONNTIMEO, options->connect_timeout);
    if (set(socket, SRTO_IPV6ONLY, 0)) return -1;
    if (options->key_length > 0 && set(socket, SRTO_PBKEYLEN, options->key_length)) return -1;
    if (options->passphrase[0]
        && srt_setsockflag(
            socket, SRTO_PASSPHRASE, options->passphrase, (int)strlen(options->passphrase)))
        return -1;
    if (options->stream_id[0]
        && srt_setsockflag(
            socket, SRTO_STREAMID, options->stream_id, (int)strlen(options->stream_id)))
        return -1;
    return 0;
}

static int on_caller(
    void *context, SRTSOCKET caller, int version, const struct sockaddr *name, const char *id) {
    struct gateway_srt_address peer;
    from_kernel(name, &peer);
    char passphrase[GATEWAY_SRT_PASSPHRASE_MAXIMUM + 1] = {0};
    int reason = judge_of_all(context, &peer, id ? id : "", passphrase);
    if (reason != 0) {
        srt_setrejectreason(caller, reason);
        return -1;
    }
    // Who has a passphrase where none is wanted is sent away by the library, and the other way
    // round (SRTO_ENFORCEDENCRYPTION).
    int count = (int)strlen(passphrase);
    int result = 0;
    // Of handshake 4 (before 1.3) it cannot know: keys come later or never, and media in the clear
    // would be taken for what is to be encrypted.
    if (count > 0 && version < 5) {
        memset(passphrase, 0, sizeof passphrase);
        srt_setrejectreason(caller, 1505 /* SRT_REJX_VERSION */);
        return -1;
    }
    if (count > 0) result = srt_setsockflag(caller, SRTO_PASSPHRASE, passphrase, count);
    memset(passphrase, 0, sizeof passphrase);
    if (result != 0) srt_setrejectreason(caller, 1500 /* SRT_REJX_ISE */);
    return result;
}

static void as_the_library_wants_it(int descriptor) {
    // It sleeps in its reading of datagrams, for as long as it has told the socket: one that does
    // not block has it ask again and again.
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
    // It reads one datagram at a time and would take several joined ones for one.
    int off = 0;
    setsockopt(descriptor, IPPROTO_UDP, UDP_GRO, &off, sizeof off);
    // It throws away what comes with more than it has asked for.
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &off, sizeof off);
    setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &off, sizeof off);
}

// The library may ask until its last thread has ended. What is asked is kept for that long, which is
// the life of the process: here it can be found, and is not taken for lost.
static struct kept {
    void *context;
    struct kept *next;
} *all_kept;

static bool keep(void *context) {
    struct kept *entry = malloc(sizeof *entry);
    if (!entry) return false;
    entry->context = context;
    entry->next = __atomic_load_n(&all_kept, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        &all_kept, &entry->next, entry, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {}
    return true;
}

int gateway_srt_listen(
    int descriptor, const struct gateway_srt_options *options, gateway_srt_judge judge,
    void *context) {
    if (!keep(context)) return -1;
    as_the_library_wants_it(descriptor);
    SRTSOCKET listener = srt_create_socket();
    if (listener < 0) return -1;
    judge_of_all = judge;
    if (prepare(listener, options) || srt_listen_callback(listener, on_caller, context)
        || srt_bind_acquire(listener, descriptor) || srt_listen(listener, BACKLOG)) {
        srt_close(listener);
        return -1;
    }
    return listener;
}

int gateway_srt_accept(int listener, struct gateway_srt_address *peer) {
    struct sockaddr_storage name = {0};
    int count = sizeof name;
    SRTSOCKET socket = srt_accept(listener, (struct sockaddr *)&name, &count);
    if (socket < 0) return -1;
    from_kernel((struct sockaddr *)&name, peer);
    return socket;
}

int gateway_srt_connect(
    const struct gateway_srt_address *peer, const struct gateway_srt_options *options) {
    SRTSOCKET socket = srt_create_socket();
    if (socket < 0) return -1;
    struct sockaddr_in6 name;
    to_kernel(peer, &name);
    // A mapped address does not leave through a socket of libsrt: it gets one of its own family.
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct sockaddr_in short_name = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
    memcpy(&short_name.sin_addr, peer->bytes + 12, 4);
    int is_ipv4 = memcmp(peer->bytes, mapped, 12) == 0;
    const struct sockaddr *target
        = is_ipv4 ? (const struct sockaddr *)&short_name : (const struct sockaddr *)&name;
    int count = is_ipv4 ? sizeof short_name : sizeof name;
    if (prepare(socket, options) || srt_connect(socket, target, count) < 0) {
        srt_close(socket);
        return -1;
    }
    return socket;
}

int gateway_srt_rejection(int socket) { return srt_getrejectreason(socket); }
const char *gateway_srt_rejection_text(int reason) { return srt_rejectreason_str(reason); }
const char *gateway_srt_error(void) { return srt_getlasterror_str(); }
void gateway_srt_close(int socket) { srt_close(socket); }

int gateway_srt_stream_id(int socket, char *id) {
    // It wants room for the 0 behind the text.
    int count = GATEWAY_SRT_ID_MAXIMUM + 1;
    memset(id, 0, GATEWAY_SRT_ID_MAXIMUM + 1);
    return srt_getsockflag(socket, SRTO_STREAMID, id, &count);
}

enum gateway_srt_state gateway_srt_state_of(int socket) {
    switch (srt_getsockstate(socket)) {
    case SRTS_INIT:
    case SRTS_OPENED:
    case SRTS_LISTENING:
    case SRTS_CONNECTING: return GATEWAY_SRT_CONNECTING;
    case SRTS_CONNECTED: return GATEWAY_SRT_CONNECTED;
    default: return GATEWAY_SRT_BROKEN;
    }
}

int gateway_srt_receive(int socket, void *bytes, int count) {
    int result = srt_recvmsg2(socket, bytes, count, NULL);
    if (result > 0) return result;
    return result < 0 && srt_getlasterror(NULL) == SRT_EASYNCRCV ? 0 : -1;
}

int gateway_srt_send(int socket, const void *bytes, int count) {
    if (srt_sendmsg2(socket, bytes, count, NULL) >= 0) return 1;
    return srt_getlasterror(NULL) == SRT_EASYNCSND ? 0 : -1;
}

int gateway_srt_figures_of(int socket, struct gateway_srt_figures *figures) {
    SRT_TRACEBSTATS stats;
    if (srt_bistats(socket, &stats, 0, 1) < 0) return -1;
    figures->round_trip = stats.msRTT;
    figures->megabits_in = stats.mbpsRecvRate;
    figures->megabits_out = stats.mbpsSendRate;
    figures->packets_in = stats.pktRecvTotal;
    figures->packets_out = stats.pktSentTotal;
    figures->lost_in = stats.pktRcvLossTotal;
    figures->lost_out = stats.pktSndLossTotal;
    figures->dropped_in = stats.pktRcvDropTotal;
    figures->dropped_out = stats.pktSndDropTotal;
    figures->undecrypted = stats.pktRcvUndecryptTotal;
    figures->repeated_out = stats.pktRetransTotal;
    figures->latency
        = stats.msRcvTsbPdDelay > stats.msSndTsbPdDelay ? stats.msRcvTsbPdDelay
                                                         : stats.msSndTsbPdDelay;
    figures->waiting = stats.msRcvBuf > stats.msSndBuf ? stats.msRcvBuf : stats.msSndBuf;
    return 0;
}

int gateway_srt_poller(void) {
    int poller = srt_epoll_create();
    if (poller >= 0) srt_epoll_set(poller, SRT_EPOLL_ENABLE_EMPTY);
    return poller;
}

void gateway_srt_poller_close(int poller) { srt_epoll_release(poller); }

static int events_of(int what) {
    return (what & GATEWAY_SRT_READ ? SRT_EPOLL_IN : 0)
        | (what & GATEWAY_SRT_WRITE ? SRT_EPOLL_OUT : 0) | SRT_EPOLL_ERR;
}

int gateway_srt_watch(int poller, int socket, int what) {
    if (what == 0) return srt_epoll_remove_usock(poller, socket);
    int events = events_of(what);
    return srt_epoll_update_usock(poller, socket, &events);
}

int gateway_srt_watch_descriptor(int poller, int descriptor, int what, int was) {
    if (what == was) return 0;
    if (was != 0) srt_epoll_remove_ssock(poller, descriptor);
    if (what == 0) return 0;
    int events = events_of(what) & ~SRT_EPOLL_ERR;
    return srt_epoll_add_ssock(poller, descriptor, &events);
}

static int note(
    struct gateway_srt_event *events, int count, int maximum, int number, int is_descriptor,
    int what) {
    for (int i = 0; i < count; i++) {
        if (events[i].number == number && events[i].is_descriptor == is_descriptor) {
            events[i].what |= what;
            return count;
        }
    }
    if (count == maximum) return count;
    events[count] = (struct gateway_srt_event){number, is_descriptor, what};
    return count + 1;
}

// Of the library's two ways to wait only this one takes descriptors of the system; it looks at
// them every 10 ms, and at its own sockets at once.
int gateway_srt_wait(int poller, int milliseconds, struct gateway_srt_event *events, int maximum) {
    enum { BATCH = 128 };
    SRTSOCKET readable[BATCH], writable[BATCH];
    SYSSOCKET system_readable[BATCH], system_writable[BATCH];
    int reads = BATCH, writes = BATCH, system_reads = BATCH, system_writes = BATCH;
    int result = srt_epoll_wait(
        poller, readable, &reads, writable, &writes, milliseconds, system_readable,
        &system_reads, system_writable, &system_writes);
    if (result < 0) {
        // It never gets stuck in an error that it gives at once.
        if (srt_getlasterror(NULL) != SRT_ETIMEOUT) usleep(10000);
        return 0;
    }
    // More than fit are said again: the counts tell how many there would be.
    int count = 0;
    for (int i = 0; i < reads && i < BATCH; i++)
        count = note(events, count, maximum, readable[i], 0, GATEWAY_SRT_READ);
    for (int i = 0; i < writes && i < BATCH; i++)
        count = note(events, count, maximum, writable[i], 0, GATEWAY_SRT_WRITE);
    for (int i = 0; i < system_reads && i < BATCH; i++)
        count = note(events, count, maximum, system_readable[i], 1, GATEWAY_SRT_READ);
    for (int i = 0; i < system_writes && i < BATCH; i++)
        count = note(events, count, maximum, system_writable[i], 1, GATEWAY_SRT_WRITE);
    return count;
}
