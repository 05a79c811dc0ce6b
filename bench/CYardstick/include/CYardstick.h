// The yardstick: what a C program would do for the same work, written straight down. The bench
// runs it in turn with ours, on the same sockets, and compares.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct yardstick_fanout;

/// `ports` on 127.0.0.1 are the destinations; each gets `per_peer` datagrams of `size` bytes.
struct yardstick_fanout *yardstick_fanout_new(
    int fd, int ipv4, const uint16_t *ports, unsigned peers, unsigned per_peer, size_t size);
/// Copies `payload` once for each datagram, as protecting it would, and sends. Result: the
/// datagrams that went, or -errno.
long yardstick_fanout_send(struct yardstick_fanout *fanout, const void *payload);
struct yardstick_srtp;
/// The same with packets that are protected, peer by peer; the payloads lie `stride` bytes apart.
long yardstick_fanout_send_protected(
    struct yardstick_fanout *fanout, struct yardstick_srtp *srtp, const uint8_t *payloads,
    size_t stride);
void yardstick_fanout_free(struct yardstick_fanout *fanout);

/// Writes a head of `head_size` bytes and the shared body to each socket, in one call each.
/// Result: the bytes that went, or -errno.
long yardstick_write_all(
    const int *fds, unsigned count, const void *head, size_t head_size, const void *body,
    size_t body_size);

/// A thread that empties sockets, so that no sender waits: it counts, and looks at nothing.
struct yardstick_drain;
struct yardstick_drain *yardstick_drain_start(const int *fds, unsigned count, int cpu);
uint64_t yardstick_drain_bytes(struct yardstick_drain *drain);
void yardstick_drain_stop(struct yardstick_drain *drain);

/// Receivers, and what feeds them. Numbers of descriptors, or -errno.
int yardstick_udp_sender(void);  // As ours: dual-stack, on a port that the kernel chooses.
int yardstick_udp_receiver(uint16_t *port);
int yardstick_tcp_pair(int fds[2]);
void yardstick_pin(int cpu);
void yardstick_more_files(void);

/// SRTP protection of one payload for many keys, 12 bytes of header in front, out of place where
/// the library can. `kind`: 0 copies only, 1 OpenSSL's GCM, 2 libipsec-mb's GCM, 3 libipsec-mb's
/// jobs for AES-CM with HMAC-SHA1. NULL where the library is not there.
struct yardstick_srtp *yardstick_srtp_new(int kind, unsigned keys, size_t payload_size);
/// From here on with what a gateway cannot do without: the transport-wide number in the header, a
/// record of 16 bytes for each packet, and SHA-1's tag behind the packet.
void yardstick_srtp_keep_records(struct yardstick_srtp *srtp);
/// One packet for one key to `out`. Result: its length. Jobs are done after `finish`, and no more
/// than 64 may lie in the same place meanwhile.
size_t yardstick_srtp_protect(
    struct yardstick_srtp *srtp, unsigned key, const uint8_t *payload, void *out);
void yardstick_srtp_finish(struct yardstick_srtp *srtp);
/// One packet for each key.
void yardstick_srtp_run(struct yardstick_srtp *srtp, const uint8_t *payload);
/// `count` packets for each key, key by key; their payloads lie `stride` bytes apart.
void yardstick_srtp_fan(
    struct yardstick_srtp *srtp, const uint8_t *payloads, size_t stride, unsigned count);
void yardstick_srtp_free(struct yardstick_srtp *srtp);
/// DTLS 1.2 with certificates of P-256 on both sides, keys for SRTP exported, by plain OpenSSL.
struct yardstick_dtls;
struct yardstick_dtls *yardstick_dtls_new(void);
/// What the server's side took in nanoseconds; 0: it failed.
uint64_t yardstick_dtls_handshake(struct yardstick_dtls *dtls);
void yardstick_dtls_free(struct yardstick_dtls *dtls);
/// Of this thread, in nanoseconds.
uint64_t yardstick_thread_time(void);
/// What is allocated and not freed, in bytes.
uint64_t yardstick_live_heap(void);
