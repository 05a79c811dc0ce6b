// The bytes of SRTP: AES and its authentication over one packet, by OpenSSL or libipsec-mb.
//
// Told everything: which key, which index. Headers are understood, numbers are extended and
// replays are refused in Swift.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What a thread needs to protect packets. Not for two threads.
typedef struct crypto_srtp crypto_srtp;

/// NULL where libipsec-mb is not there, or the processor has not what it needs.
crypto_srtp *crypto_srtp_new(bool ipsec_mb);
void crypto_srtp_free(crypto_srtp *engine);

/// A key lives in memory that the caller has zeroed and aligned to 64 bytes, of this size.
size_t crypto_key_size(void);

/// `profile`: as in DTLS-SRTP. `salt`: 14 bytes, the last two zero for GCM. `authentication`: 20
/// bytes, for AES-CM with HMAC-SHA1 only.
bool crypto_key_set(
    crypto_srtp *engine, void *key, uint16_t profile, const uint8_t *encryption,
    const uint8_t *authentication, const uint8_t *salt);
void crypto_key_clear(void *key);
/// It will be used soon for RTP: brings what its kind needs nearer.
void crypto_key_prefetch(const void *key, bool gcm);
/// So will this.
static inline void crypto_prefetch(const void *memory) { __builtin_prefetch(memory, 1); }

/// The key derivation of RFC 3711 §4.3 and RFC 7714 §11.
bool crypto_derive(
    const uint8_t *master, size_t master_count, const uint8_t *salt, uint8_t label, uint8_t *out,
    size_t count);

/// The header lies in `packet`; the payload is encrypted to behind it, from where it lies or from
/// there. Returns the length with its tag; 0 if it failed.
size_t crypto_rtp_protect(
    crypto_srtp *engine, void *key, uint8_t *packet, size_t header, const uint8_t *payload,
    size_t count, uint32_t ssrc, uint64_t index);

/// In place. Returns the length without the tag, or 0: then the packet is not genuine.
size_t crypto_rtp_unprotect(
    crypto_srtp *engine, void *key, uint8_t *packet, size_t header, size_t count, uint32_t ssrc,
    uint64_t index);

/// As `crypto_rtp_protect`, for many keys at once where that is faster: header, payload and packet
/// stay where they are until the flush, which finishes what is open. Returns the length.
size_t crypto_rtp_submit(
    crypto_srtp *engine, void *key, uint8_t *packet, size_t header, const uint8_t *payload,
    size_t count, uint32_t ssrc, uint64_t index);
void crypto_rtp_flush(crypto_srtp *engine);

/// In place; at least 8 bytes. Returns the length with tag and index; 0 if it failed.
size_t crypto_rtcp_protect(
    crypto_srtp *engine, void *key, uint8_t *packet, size_t count, uint32_t ssrc, uint32_t index);
/// In place. Returns the length without tag and index, or 0.
size_t crypto_rtcp_unprotect(
    crypto_srtp *engine, void *key, uint8_t *packet, size_t count, uint32_t ssrc, uint32_t index);
