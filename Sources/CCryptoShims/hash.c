// The low-level hash functions are deprecated since OpenSSL 3.0, and are still the only ones that
// neither allocate nor look up a provider.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

_Static_assert(sizeof(SHA_CTX) <= sizeof(crypto_hash_state), "SHA-1 state grew");
_Static_assert(sizeof(SHA256_CTX) <= sizeof(crypto_hash_state), "SHA-256 state grew");

enum { BLOCK = 64 };  // Of both hashes.

static void pad(uint8_t block[BLOCK], const uint8_t key[BLOCK], uint8_t with) {
    for (int i = 0; i < BLOCK; i++) block[i] = key[i] ^ with;
}

void crypto_hmac_sha1_key(crypto_hmac_key *key, const void *bytes, size_t count) {
    uint8_t padded[BLOCK] = {0}, block[BLOCK];
    // RFC 2104 §2: a key longer than a block is hashed first.
    if (count > BLOCK) SHA1(bytes, count, padded);
    else if (count > 0) memcpy(padded, bytes, count);
    pad(block, padded, 0x36);
    SHA1_Init((SHA_CTX *)&key->inner);
    SHA1_Update((SHA_CTX *)&key->inner, block, BLOCK);
    pad(block, padded, 0x5c);
    SHA1_Init((SHA_CTX *)&key->outer);
    SHA1_Update((SHA_CTX *)&key->outer, block, BLOCK);
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(block, sizeof block);
}

void crypto_hmac_sha256_key(crypto_hmac_key *key, const void *bytes, size_t count) {
    uint8_t padded[BLOCK] = {0}, block[BLOCK];
    if (count > BLOCK) SHA256(bytes, count, padded);
    else if (count > 0) memcpy(padded, bytes, count);
    pad(block, padded, 0x36);
    SHA256_Init((SHA256_CTX *)&key->inner);
    SHA256_Update((SHA256_CTX *)&key->inner, block, BLOCK);
    pad(block, padded, 0x5c);
    SHA256_Init((SHA256_CTX *)&key->outer);
    SHA256_Update((SHA256_CTX *)&key->outer, block, BLOCK);
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(block, sizeof block);
}

void crypto_hmac_sha1(
    const crypto_hmac_key *key, const void *a, size_t a_count, const void *b, size_t b_count,
    uint8_t *tag) {
    SHA_CTX state;
    memcpy(&state, &key->inner, sizeof state);
    if (a_count > 0) SHA1_Update(&state, a, a_count);
    if (b_count > 0) SHA1_Update(&state, b, b_count);
    SHA1_Final(tag, &state);
    memcpy(&state, &key->outer, sizeof state);
    SHA1_Update(&state, tag, SHA_DIGEST_LENGTH);
    SHA1_Final(tag, &state);
}

void crypto_hmac_sha256(
    const crypto_hmac_key *key, const void *a, size_t a_count, const void *b, size_t b_count,
    uint8_t *tag) {
    SHA256_CTX state;
    memcpy(&state, &key->inner, sizeof state);
    if (a_count > 0) SHA256_Update(&state, a, a_count);
    if (b_count > 0) SHA256_Update(&state, b, b_count);
    SHA256_Final(tag, &state);
    memcpy(&state, &key->outer, sizeof state);
    SHA256_Update(&state, tag, SHA256_DIGEST_LENGTH);
    SHA256_Final(tag, &state);
}
