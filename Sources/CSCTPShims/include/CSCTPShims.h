// usrsctp behind a few flat calls. Its state belongs to the process: one thread owns all of it,
// and only that thread may call anything here. No callback may call back into this file: the
// library holds its locks while it speaks.
//
// The names are long for a reason. libusrsctp 0.9.5 exports its internals (`sctp_close`,
// `sctp_input`, ...), and calls them through its symbol table: a function of ours with such a name
// would be called in place of the library's. So ours have a prefix of their own and stay hidden.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

// What happens; `context` is what `gateway_sctp_start` was given, `id` what `_open` was given.
struct gateway_sctp_events {
    void (*packet)(void *context, uint32_t id, const void *bytes, size_t count);
    // A whole message; or (`whole` is false) the beginning of one beyond `message_size`.
    void (*message)(
        void *context, uint32_t id, uint16_t stream, uint32_t payload, const void *bytes,
        size_t count, bool whole);
    void (*connected)(void *context, uint32_t id);
    void (*ended)(void *context, uint32_t id);
    void (*reset)(void *context, uint32_t id, uint16_t stream);
};

enum { GATEWAY_SCTP_RELIABLE, GATEWAY_SCTP_RETRANSMITS, GATEWAY_SCTP_LIFETIME };
// What became of a message: taken; there is no room, come again; it will never be taken.
enum { GATEWAY_SCTP_TAKEN, GATEWAY_SCTP_AGAIN, GATEWAY_SCTP_REFUSED };

// Once for the life of the process; false: it has been started before.
bool gateway_sctp_start(void *context, struct gateway_sctp_events events);

// Runs the timers of all associations: call about every 10 ms with the time that has passed.
void gateway_sctp_tick(uint32_t milliseconds);

// An association that begins at once (both ends may do so). `id` is never zero and not in use.
// No packet is larger than `packet_size`; `message_size` is the largest message that may come, and
// twice that is what may wait in either direction. NULL: out of memory.
void *gateway_sctp_open(uint32_t id, uint16_t port, uint32_t packet_size, uint32_t message_size);

void gateway_sctp_input(uint32_t id, const void *bytes, size_t count);

int gateway_sctp_send(
    void *association, uint16_t stream, uint32_t payload, bool unordered, int reliability,
    uint32_t reliability_value, const void *bytes, size_t count);

// Resets our side of a stream; only after `connected`. False: something that was sent has not
// arrived yet, come again and send nothing until then.
bool gateway_sctp_reset(void *association, uint16_t stream);

// Tells the peer (ABORT) and forgets: no event names the id afterwards.
void gateway_sctp_close(void *association, uint32_t id);

#pragma GCC visibility pop
