// The low-level SHA-1 is deprecated since OpenSSL 3.0, and is still the only one whose state can be
// kept by value: half of the hashes of an HMAC are done once for each key and not for each packet.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "srtp.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAS_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

enum {
    GCM_TAG = 16,
    SHA1_TAG = 10,
    BLOCK = 64,
    // More in flight than libipsec-mb has lanes (16), so that no lane waits for work.
    RING = 64,
    SHA1_80 = 1,
    GCM_128 = 7,
    GCM_256 = 8,
};

typedef struct {
    uint16_t profile;
    uint8_t salt[16];
    EVP_CIPHER_CTX *cipher;  // NULL where libipsec-mb does it alone.
    SHA_CTX inner, outer;
#ifdef HAS_IPSEC_MB
    union {
        struct gcm_key_data gcm;
        struct {
            uint8_t rounds[16 * 15] __attribute__((aligned(16)));
            uint8_t unused[16 * 15] __attribute__((aligned(16)));
            uint8_t inner[SHA_DIGEST_LENGTH], outer[SHA_DIGEST_LENGTH];
        } cm;
    } mb;
#endif
} __attribute__((aligned(64))) srtp_key;

struct crypto_srtp {
#ifdef HAS_IPSEC_MB
    IMB_MGR *manager;  // NULL: OpenSSL.
    struct {
        uint8_t iv[16], tag[SHA_DIGEST_LENGTH];
        uint8_t *out;
    } ring[RING];
    uint64_t submitted, completed;
#endif
    int unused;
};

size_t crypto_key_size(void) { return sizeof(srtp_key); }

void crypto_key_prefetch(const void *key) {
    for (size_t line = 0; line < sizeof(srtp_key); line += 64)
        __builtin_prefetch((const char *)key + line);
}

// The IV of both modes but for where the salt ends: RFC 3711 §4.1.1 and RFC 7714 §8.1 put SSRC and
// index two bytes apart.
static void make_iv(const srtp_key *key, uint32_t ssrc, uint64_t index, uint8_t iv[16]) {
    const int at = key->profile == SHA1_80 ? 4 : 2;
    memcpy(iv, key->salt, 16);
    for (int i = 0; i < 4; i++) iv[at + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
    for (int i = 0; i < 6; i++) iv[at + 4 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

// ---- Keys ----

static const EVP_CIPHER *cipher_of(uint16_t profile) {
    switch (profile) {
    case SHA1_80: return EVP_aes_128_ctr();
    case GCM_128: return EVP_aes_128_gcm();
    case GCM_256: return EVP_aes_256_gcm();
    default: return NULL;
    }
}

static bool set_openssl(srtp_key *key, const uint8_t *encryption) {
    key->cipher = EVP_CIPHER_CTX_new();
    return key->cipher
        && EVP_CipherInit_ex(key->cipher, cipher_of(key->profile), NULL, encryption, NULL, 1) == 1;
}

static void hash_pads(srtp_key *key, const uint8_t *authentication, uint8_t pads[2][BLOCK]) {
    for (int i = 0; i < BLOCK; i++) {
        uint8_t byte = i < SHA_DIGEST_LENGTH ? authentication[i] : 0;
        pads[0][i] = byte ^ 0x36;
        pads[1][i] = byte ^ 0x5c;
    }
    SHA1_Init(&key->inner);
    SHA1_Update(&key->inner, pads[0], BLOCK);
    SHA1_Init(&key->outer);
    SHA1_Update(&key->outer, pads[1], BLOCK);
}

bool crypto_key_set(
    crypto_srtp *engine, void *memory, uint16_t profile, const uint8_t *encryption,
    const uint8_t *authentication, const uint8_t *salt) {
    srtp_key *key = memory;
    uint8_t pads[2][BLOCK];
    key->profile = profile;
    memcpy(key->salt, salt, 14);
    if (profile == SHA1_80) hash_pads(key, authentication, pads);
    bool done = true;
#ifdef HAS_IPSEC_MB
    if (engine->manager) {
        IMB_MGR *mb = engine->manager;
        if (profile == GCM_128) {
            IMB_AES128_GCM_PRE(mb, encryption, &key->mb.gcm);
        } else if (profile == GCM_256) {
            IMB_AES256_GCM_PRE(mb, encryption, &key->mb.gcm);
        } else {
            IMB_AES_KEYEXP_128(mb, encryption, key->mb.cm.rounds, key->mb.cm.unused);
            IMB_SHA1_ONE_BLOCK(mb, pads[0], key->mb.cm.inner);
            IMB_SHA1_ONE_BLOCK(mb, pads[1], key->mb.cm.outer);
        }
    }
    // A single packet with SHA-1 is faster in OpenSSL: the jobs of libipsec-mb want company.
    if (!engine->manager || profile == SHA1_80)
#endif
        done = set_openssl(key, encryption);
    (void)engine;
    if (profile == SHA1_80) OPENSSL_cleanse(pads, sizeof pads);
    return done;
}

void crypto_key_clear(void *memory) {
    EVP_CIPHER_CTX_free(((srtp_key *)memory)->cipher);
    OPENSSL_cleanse(memory, sizeof(srtp_key));
}

bool crypto_derive(
    const uint8_t *master, size_t master_count, const uint8_t *salt, uint8_t label, uint8_t *out,
    size_t count) {
    uint8_t iv[16] = {0};
    memcpy(iv, salt, 14);
    iv[7] ^= label;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = master_count == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    memset(out, 0, count);
    bool done = context && EVP_EncryptInit_ex(context, cipher, NULL, master, iv) == 1
        && EVP_Cipher(context, out, out, (unsigned int)count) == (int)count;
    EVP_CIPHER_CTX_free(context);
    return done;
}

// ---- GCM ----

static bool gcm_seal(
    crypto_srtp *engine, srtp_key *key, const uint8_t *iv, const uint8_t *clear,
    size_t clear_count, const uint8_t *in, size_t count, uint8_t *out, uint8_t *tag) {
#ifdef HAS_IPSEC_MB
    if (engine->manager) {
        struct gcm_context_data context;
        if (key->profile == GCM_128)
            IMB_AES128_GCM_ENC(
                engine->manager, &key->mb.gcm, &context, out, in, count, iv, clear, clear_count,
                tag, GCM_TAG);
        else
            IMB_AES256_GCM_ENC(
                engine->manager, &key->mb.gcm, &context, out, in, count, iv, clear, clear_count,
                tag, GCM_TAG);
        return true;
    }
#endif
    (void)engine;
    // EVP_Cipher and a parameter for the tag cost a sixth less than Update, Final and ctrl.
    EVP_CIPHER_CTX *c = key->cipher;
    OSSL_PARAM get[2] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, GCM_TAG),
        OSSL_PARAM_construct_end()};
    return EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, 1) == 1
        && EVP_Cipher(c, NULL, clear, (unsigned int)clear_count) >= 0
        && (count == 0 || EVP_Cipher(c, out, in, (unsigned int)count) >= 0)
        && EVP_Cipher(c, NULL, NULL, 0) >= 0 && EVP_CIPHER_CTX_get_params(c, get) == 1;
}

static bool gcm_open(
    crypto_srtp *engine, srtp_key *key, const uint8_t *iv, const uint8_t *clear,
    size_t clear_count, uint8_t *bytes, size_t count, uint8_t *tag) {
#ifdef HAS_IPSEC_MB
    if (engine->manager) {
        struct gcm_context_data context;
        uint8_t own[GCM_TAG];
        if (key->profile == GCM_128)
            IMB_AES128_GCM_DEC(
                engine->manager, &key->mb.gcm, &context, bytes, bytes, count, iv, clear,
                clear_count, own, GCM_TAG);
        else
            IMB_AES256_GCM_DEC(
                engine->manager, &key->mb.gcm, &context, bytes, bytes, count, iv, clear,
                clear_count, own, GCM_TAG);
        return CRYPTO_memcmp(own, tag, GCM_TAG) == 0;
    }
#endif
    (void)engine;
    EVP_CIPHER_CTX *c = key->cipher;
    return EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, 0) == 1
        && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) == 1
        && EVP_Cipher(c, NULL, clear, (unsigned int)clear_count) >= 0
        && (count == 0 || EVP_Cipher(c, bytes, bytes, (unsigned int)count) >= 0)
        && EVP_Cipher(c, NULL, NULL, 0) >= 0;
}

// ---- AES counter mode and HMAC-SHA1 ----

static void big_endian(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static bool cm_crypt(
    srtp_key *key, uint32_t ssrc, uint64_t index, const uint8_t *in, size_t count, uint8_t *out) {
    uint8_t iv[16];
    make_iv(key, ssrc, index, iv);
    return count == 0
        || (EVP_CipherInit_ex(key->cipher, NULL, NULL, NULL, iv, 1) == 1
            && EVP_Cipher(key->cipher, out, in, (unsigned int)count) >= 0);
}

/// Over the packet and the number behind it: the roll-over counter, or nothing for SRTCP.
static void cm_tag(
    const srtp_key *key, const uint8_t *bytes, size_t count, const uint8_t *behind,
    size_t behind_count, uint8_t tag[SHA_DIGEST_LENGTH]) {
    SHA_CTX state = key->inner;
    SHA1_Update(&state, bytes, count);
    SHA1_Update(&state, behind, behind_count);
    SHA1_Final(tag, &state);
    state = key->outer;
    SHA1_Update(&state, tag, SHA_DIGEST_LENGTH);
    SHA1_Final(tag, &state);
}

// ---- RTP ----

size_t crypto_rtp_protect(
    crypto_srtp *engine, void *memory, uint8_t *packet, size_t header, const uint8_t *payload,
    size_t count, uint32_t ssrc, uint64_t index) {
    srtp_key *key = memory;
    uint8_t *end = packet + header + count;
    if (key->profile != SHA1_80) {
        uint8_t iv[16];
        make_iv(key, ssrc, index, iv);
        bool done = gcm_seal(engine, key, iv, packet, header, payload, count, packet + header, end);
        return done ? header + count + GCM_TAG : 0;
    }
    uint8_t roc[4], tag[SHA_DIGEST_LENGTH];
    big_endian(roc, (uint32_t)(index >> 16));
    if (!cm_crypt(key, ssrc, index, payload, count, packet + header)) return 0;
    cm_tag(key, packet, header + count, roc, sizeof roc, tag);
    memcpy(end, tag, SHA1_TAG);
    return header + count + SHA1_TAG;
}

size_t crypto_rtp_unprotect(
    crypto_srtp *engine, void *memory, uint8_t *packet, size_t header, size_t count, uint32_t ssrc,
    uint64_t index) {
    srtp_key *key = memory;
    size_t tag_count = key->profile == SHA1_80 ? SHA1_TAG : GCM_TAG;
    if (count < header + tag_count) return 0;
    uint8_t *body = packet + header, *end = packet + count - tag_count;
    if (key->profile != SHA1_80) {
        uint8_t iv[16];
        make_iv(key, ssrc, index, iv);
        bool done =
            gcm_open(engine, key, iv, packet, header, body, (size_t)(end - body), end);
        return done ? count - tag_count : 0;
    }
    uint8_t roc[4], tag[SHA_DIGEST_LENGTH];
    big_endian(roc, (uint32_t)(index >> 16));
    cm_tag(key, packet, count - tag_count, roc, sizeof roc, tag);
    if (CRYPTO_memcmp(tag, end, SHA1_TAG) != 0) return 0;
    return cm_crypt(key, ssrc, index, body, (size_t)(end - body), body) ? count - tag_count : 0;
}

// ---- Many RTP packets at once ----

#ifdef HAS_IPSEC_MB
// Jobs come back in the order in which they were submitted.
static void collect(crypto_srtp *engine, IMB_JOB *job) {
    for (; job; job = IMB_GET_COMPLETED_JOB(engine->manager)) {
        int slot = (int)(engine->completed++ % RING);
        memcpy(engine->ring[slot].out, engine->ring[slot].tag, SHA1_TAG);
    }
}

static void submit_cm(
    crypto_srtp *engine, srtp_key *key, uint8_t *packet, size_t header, size_t count,
    uint32_t ssrc, uint64_t index) {
    while (engine->submitted - engine->completed == RING)
        collect(engine, IMB_FLUSH_JOB(engine->manager));
    int slot = (int)(engine->submitted++ % RING);
    make_iv(key, ssrc, index, engine->ring[slot].iv);
    engine->ring[slot].out = packet + count;
    // Authenticated behind the packet, and then overwritten by the tag.
    big_endian(packet + count, (uint32_t)(index >> 16));
    IMB_JOB *job = IMB_GET_NEXT_JOB(engine->manager);
    memset(job, 0, sizeof *job);
    job->cipher_mode = IMB_CIPHER_CNTR;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_CIPHER_HASH;
    job->enc_keys = job->dec_keys = key->mb.cm.rounds;
    job->key_len_in_bytes = 16;
    job->src = packet;
    job->dst = packet + header;
    job->cipher_start_src_offset_in_bytes = header;
    job->msg_len_to_cipher_in_bytes = count - header;
    job->iv = engine->ring[slot].iv;
    job->iv_len_in_bytes = 16;
    job->hash_alg = IMB_AUTH_HMAC_SHA_1;
    job->msg_len_to_hash_in_bytes = count + 4;
    job->auth_tag_output = engine->ring[slot].tag;
    job->auth_tag_output_len_in_bytes = SHA_DIGEST_LENGTH;
    job->u.HMAC._hashed_auth_key_xor_ipad = key->mb.cm.inner;
    job->u.HMAC._hashed_auth_key_xor_opad = key->mb.cm.outer;
    collect(engine, IMB_SUBMIT_JOB(engine->manager));
}
#endif

void crypto_rtp_submit(
    crypto_srtp *engine, void *memory, uint8_t *packet, size_t header, size_t count, uint32_t ssrc,
    uint64_t index) {
    srtp_key *key = memory;
#ifdef HAS_IPSEC_MB
    // A job without a payload is refused by the library; there is nothing to gain from one.
    if (engine->manager && key->profile == SHA1_80 && count > header) {
        submit_cm(engine, key, packet, header, count, ssrc, index);
        return;
    }
#endif
    crypto_rtp_protect(
        engine, key, packet, header, packet + header, count - header, ssrc, index);
}

void crypto_rtp_flush(crypto_srtp *engine) {
#ifdef HAS_IPSEC_MB
    if (!engine->manager) return;
    while (engine->completed != engine->submitted)
        collect(engine, IMB_FLUSH_JOB(engine->manager));
#else
    (void)engine;
#endif
}

// ---- RTCP ----

enum { RTCP_CLEAR = 8, ENCRYPTED = 0x80 };

size_t crypto_rtcp_protect(
    crypto_srtp *engine, void *memory, uint8_t *packet, size_t count, uint32_t ssrc,
    uint32_t index) {
    srtp_key *key = memory;
    uint8_t *body = packet + RTCP_CLEAR, *end = packet + count, word[4];
    size_t body_count = count - RTCP_CLEAR;
    big_endian(word, index);
    word[0] |= ENCRYPTED;
    if (key->profile != SHA1_80) {
        uint8_t iv[16], clear[RTCP_CLEAR + 4];
        make_iv(key, ssrc, index, iv);
        memcpy(clear, packet, RTCP_CLEAR);
        memcpy(clear + RTCP_CLEAR, word, 4);
        if (!gcm_seal(engine, key, iv, clear, sizeof clear, body, body_count, body, end)) return 0;
        memcpy(end + GCM_TAG, word, 4);
        return count + GCM_TAG + 4;
    }
    uint8_t tag[SHA_DIGEST_LENGTH];
    if (!cm_crypt(key, ssrc, index, body, body_count, body)) return 0;
    memcpy(end, word, 4);
    cm_tag(key, packet, count + 4, NULL, 0, tag);
    memcpy(end + 4, tag, SHA1_TAG);
    return count + 4 + SHA1_TAG;
}

size_t crypto_rtcp_unprotect(
    crypto_srtp *engine, void *memory, uint8_t *packet, size_t count, uint32_t ssrc,
    uint32_t index) {
    srtp_key *key = memory;
    size_t growth = key->profile == SHA1_80 ? SHA1_TAG + 4 : GCM_TAG + 4;
    if (count < RTCP_CLEAR + growth) return 0;
    size_t plain = count - growth;
    uint8_t *body = packet + RTCP_CLEAR, *end = packet + plain;
    if (key->profile != SHA1_80) {
        uint8_t iv[16], clear[RTCP_CLEAR + 4];
        make_iv(key, ssrc, index, iv);
        memcpy(clear, packet, RTCP_CLEAR);
        memcpy(clear + RTCP_CLEAR, end + GCM_TAG, 4);
        bool done = gcm_open(
            engine, key, iv, clear, sizeof clear, body, plain - RTCP_CLEAR, end);
        return done ? plain : 0;
    }
    uint8_t tag[SHA_DIGEST_LENGTH];
    cm_tag(key, packet, plain + 4, NULL, 0, tag);
    if (CRYPTO_memcmp(tag, end + 4, SHA1_TAG) != 0) return 0;
    return cm_crypt(key, ssrc, index, body, plain - RTCP_CLEAR, body) ? plain : 0;
}

// ---- The engine ----

crypto_srtp *crypto_srtp_new(bool ipsec_mb) {
    crypto_srtp *engine = calloc(1, sizeof *engine);
    if (!engine) abort();
    if (!ipsec_mb) return engine;
#ifdef HAS_IPSEC_MB
    engine->manager = alloc_mb_mgr(0);
    if (engine->manager) {
        IMB_ARCH chosen = IMB_ARCH_NONE;
        init_mb_mgr_auto(engine->manager, &chosen);
        if (imb_get_errno(engine->manager) == 0 && chosen > IMB_ARCH_NOAESNI) return engine;
    }
#endif
    crypto_srtp_free(engine);
    return NULL;
}

void crypto_srtp_free(crypto_srtp *engine) {
#ifdef HAS_IPSEC_MB
    if (engine->manager) free_mb_mgr(engine->manager);
#endif
    free(engine);
}
