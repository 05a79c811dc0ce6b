// HMAC with the key's two blocks already hashed: half of the work of a short message, done once.
//
// OpenSSL 3 allocates for each EVP_MAC; these run on plain memory that Swift holds by value.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Room for a SHA_CTX or a SHA256_CTX; the .c file checks that they fit.
typedef struct {
    uint64_t words[14];
} crypto_hash_state;

typedef struct {
    crypto_hash_state inner, outer;
} crypto_hmac_key;

void crypto_hmac_sha1_key(crypto_hmac_key *key, const void *bytes, size_t count);
void crypto_hmac_sha256_key(crypto_hmac_key *key, const void *bytes, size_t count);

/// Authenticates two pieces as if they lay one behind the other. `tag`: 20 or 32 bytes.
void crypto_hmac_sha1(
    const crypto_hmac_key *key, const void *a, size_t a_count, const void *b, size_t b_count,
    uint8_t *tag);
void crypto_hmac_sha256(
    const crypto_hmac_key *key, const void *a, size_t a_count, const void *b, size_t b_count,
    uint8_t *tag);
