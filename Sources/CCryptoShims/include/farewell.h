// What is left of a DTLS 1.2 session when OpenSSL's state has been given back: enough to say
// close_notify and to understand the peer's.
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRYPTO_FAREWELL_MAXIMUM = 64 };

typedef struct {
    uint8_t our_key[32], peer_key[32];
    uint8_t our_iv[12], peer_iv[12];
    /// 0: nothing was taken.
    uint8_t cipher;
} crypto_farewell;

/// Takes the record keys of a finished handshake. False: not a cipher of ours.
bool crypto_farewell_take(SSL *ssl, bool is_server, crypto_farewell *out);
/// Writes one record with a close_notify. Returns its length; 0: it could not be made.
size_t crypto_farewell_seal(const crypto_farewell *keys, uint8_t out[CRYPTO_FAREWELL_MAXIMUM]);
/// Whether the record is the peer's close_notify, or an alert that ends the session as well.
bool crypto_farewell_opens(const crypto_farewell *keys, const uint8_t *record, size_t count);
void crypto_farewell_wipe(crypto_farewell *keys);
