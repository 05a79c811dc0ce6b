// A BIO over memory: the door through which OpenSSL, made for sockets, reads what it is lent and
// writes what we send when we like.
#pragma once
#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *input;  // Lent for one call.
    size_t input_count;
    uint8_t *output;  // Ours; grows to `limit`.
    size_t output_count, output_capacity;
    size_t limit;
    // One write is one datagram: each is preceded by its length in two bytes, native order.
    // OpenSSL's own memory BIO would join them, and the DTLS fragments would not fit the path.
    bool datagrams;
} crypto_wire;

crypto_wire *crypto_wire_new(bool datagrams, size_t limit);
void crypto_wire_free(crypto_wire *wire);

/// Gives back the memory of the output. What is in it is lost.
void crypto_wire_shrink(crypto_wire *wire);

/// A BIO that reads and writes `wire`, which must outlive it.
BIO *crypto_wire_bio(crypto_wire *wire);
