#include "farewell.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum { HEADER = 13, TAG = 16, ALERT = 2, NONE = 0, AES_128 = 1, AES_256 = 2, CHACHA = 3 };

// Behind every record that OpenSSL has written: a peer takes a smaller number for a replay.
static const uint8_t number[8] = {0, 1, 0, 0, 0, 1, 0, 0};

static uint8_t kind_of(const SSL_CIPHER *cipher) {
    switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm: return AES_128;
    case NID_aes_256_gcm: return AES_256;
    case NID_chacha20_poly1305: return CHACHA;
    default: return NONE;
    }
}

static const EVP_CIPHER *cipher_of(uint8_t kind) {
    switch (kind) {
    case AES_128: return EVP_aes_128_gcm();
    case AES_256: return EVP_aes_256_gcm();
    default: return EVP_chacha20_poly1305();
    }
}

static size_t key_size(uint8_t kind) { return kind == AES_128 ? 16 : 32; }
static size_t iv_size(uint8_t kind) { return kind == CHACHA ? 12 : 4; }
// GCM writes half of its nonce into each record (RFC 5288 §3); ChaCha20 has it from the number of
// the record (RFC 7905 §2).
static size_t explicit_size(uint8_t kind) { return kind == CHACHA ? 0 : 8; }

// The key block of RFC 5246 §6.3, which OpenSSL keeps to itself.
static bool derive(SSL *ssl, uint8_t *block, size_t count) {
    static const char label[] = "key expansion";
    uint8_t secret[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t seed[sizeof label - 1 + 2 * SSL3_RANDOM_SIZE];
    size_t at = sizeof label - 1;
    memcpy(seed, label, at);
    SSL_get_server_random(ssl, seed + at, SSL3_RANDOM_SIZE);
    SSL_get_client_random(ssl, seed + at + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
    size_t secret_count =
        SSL_SESSION_get_master_key(SSL_get_session(ssl), secret, sizeof secret);
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool done = false;
    if (context && digest && secret_count > 0) {
        OSSL_PARAM settings[] = {
            OSSL_PARAM_construct_utf8_string(
                OSSL_KDF_PARAM_DIGEST, (char *)EVP_MD_get0_name(digest), 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret, secret_count),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
            OSSL_PARAM_construct_end(),
        };
        done = EVP_KDF_derive(context, block, count, settings) == 1;
    }
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    OPENSSL_cleanse(secret, sizeof secret);
    return done;
}

bool crypto_farewell_take(SSL *ssl, bool is_server, crypto_farewell *out) {
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    uint8_t kind = cipher ? kind_of(cipher) : NONE;
    uint8_t block[2 * (32 + 12)];
    size_t key = key_size(kind), iv = iv_size(kind);
    if (kind == NONE || !derive(ssl, block, 2 * (key + iv))) return false;
    // The client's key, the server's key, the client's IV, the server's IV.
    const uint8_t *ivs = block + 2 * key;
    memcpy(out->our_key, block + (is_server ? key : 0), key);
    memcpy(out->peer_key, block + (is_server ? 0 : key), key);
    memcpy(out->our_iv, ivs + (is_server ? iv : 0), iv);
    memcpy(out->peer_iv, ivs + (is_server ? 0 : iv), iv);
    out->cipher = kind;
    OPENSSL_cleanse(block, sizeof block);
    return true;
}

static void make_nonce(
    uint8_t kind, const uint8_t *iv, const uint8_t *given, uint8_t nonce[12]) {
    if (kind == CHACHA) {
        memcpy(nonce, iv, 12);
        for (int index = 0; index < 8; index++) nonce[4 + index] ^= given[index];
    } else {
        memcpy(nonce, iv, 4);
        memcpy(nonce + 4, given, 8);
    }
}

// Number, type, version and length of what is inside (RFC 5246 §6.2.3.3).
static void make_header(const uint8_t *record, uint8_t header[HEADER]) {
    memcpy(header, record + 3, 8);
    memcpy(header + 8, record, 3);
    header[11] = 0;
    header[12] = ALERT;
}

static bool run(
    bool seals, uint8_t kind, const uint8_t *key, const uint8_t *nonce, const uint8_t *header,
    const uint8_t *in, uint8_t *out, uint8_t *tag) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int count = 0;
    bool done =
        context && EVP_CipherInit_ex(context, cipher_of(kind), NULL, key, nonce, seals) == 1
        && (seals || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1)
        && EVP_CipherUpdate(context, NULL, &count, header, HEADER) == 1
        && EVP_CipherUpdate(context, out, &count, in, ALERT) == 1
        && EVP_CipherFinal_ex(context, out + ALERT, &count) == 1
        && (!seals || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);
    EVP_CIPHER_CTX_free(context);
    return done;
}

size_t crypto_farewell_seal(const crypto_farewell *keys, uint8_t out[CRYPTO_FAREWELL_MAXIMUM]) {
    static const uint8_t close_notify[ALERT] = {1, 0};
    size_t open = explicit_size(keys->cipher), body = open + ALERT + TAG;
    uint8_t header[HEADER], nonce[12];
    if (keys->cipher == NONE) return 0;
    const uint8_t head[HEADER] = {21, 0xfe, 0xfd, [12] = (uint8_t)body};
    memcpy(out, head, HEADER);
    memcpy(out + 3, number, 8);
    make_header(out, header);
    make_nonce(keys->cipher, keys->our_iv, number, nonce);
    memcpy(out + HEADER, number, open);
    uint8_t *sealed = out + HEADER + open;
    bool done = run(
        true, keys->cipher, keys->our_key, nonce, header, close_notify, sealed, sealed + ALERT);
    return done ? HEADER + body : 0;
}

bool crypto_farewell_opens(const crypto_farewell *keys, const uint8_t *record, size_t count) {
    size_t open = explicit_size(keys->cipher);
    if (keys->cipher == NONE || count != HEADER + open + ALERT + TAG || record[0] != 21)
        return false;
    uint8_t header[HEADER], nonce[12], alert[ALERT], tag[TAG];
    const uint8_t *sequence = record + 3, *sealed = record + HEADER + open;
    make_header(record, header);
    make_nonce(keys->cipher, keys->peer_iv, open ? record + HEADER : sequence, nonce);
    memcpy(tag, sealed + ALERT, TAG);
    if (!run(false, keys->cipher, keys->peer_key, nonce, header, sealed, alert, tag)) return false;
    // Level 2 is fatal, description 0 is close_notify; another warning ends nothing.
    return alert[0] == 2 || alert[1] == 0;
}

void crypto_farewell_wipe(crypto_farewell *keys) { OPENSSL_cleanse(keys, sizeof *keys); }
