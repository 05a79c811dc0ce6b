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

// What a packet needs comes first and lies close: with hundreds of viewers each line of it is
// fetched anew for each of them.
typedef struct {
    uint64_t salt[2];  // As numbers: the IV's sixteen bytes in network order.
    EVP_CIPHER_CTX *cipher;  // NULL where libipsec-mb does it alone.
    uint16_t profile;
    union {
#ifdef HAS_IPSEC_MB
        struct gcm_key_data gcm;
#endif
        struct {
            uint8_t rounds[16 * 11] __attribute__((aligned(64)));
            uint8_t pads[2][SHA_DIGEST_LENGTH];  // After the first block, for libipsec-mb.
            SHA_CTX inner, outer;                // The same for OpenSSL.
        } cm;
    } __attribute__((aligned(64)));
} __attribute__((aligned(64))) srtp_key;

struct crypto_srtp {
#ifdef HAS_IPSEC_MB
    IMB_MGR *manager;  // NULL: OpenSSL.
    struct {
        uint8_t iv[16], tag[SHA_DIGEST_LENGTH];
        uint8_t *end;
    } ring[RING];
    uint64_t submitted, completed;
#endif
    int unused;
};

size_t crypto_key_size(void) { return sizeof(srtp_key); }

void crypto_key_prefetch(const void *memory, bool gcm) {
    const srtp_key *key = memory;
    const char *end = gcm ? (const char *)(key + 1) : (const char *)&key->cm.inner;
    for (const char *line = memory; line < end; line += 64) __builtin_prefetch(line);
}

// The IV of both modes but for where the salt ends: RFC 3711 §4.1.1 and RFC 7714 §8.1 put SSRC and
// index two bytes apart. In two numbers: bytes would be read again before they have left for the
// cache, and a load that spans several stores waits for all that were made before.
static void make_iv(const srtp_key *key, uint32_t ssrc, uint64_t index, uint8_t iv[16]) {
    uint64_t high = key->salt[0], low = key->salt[1];
    if (key->profile == SHA1_80) {
        high ^= ssrc;
        low ^= index << 16;
    } else {
        high ^= (uint64_t)ssrc << 16 | (index >> 32 & 0xffff);
        low ^= index << 32;
    }
    high = __builtin_bswap64(high);
    low = __builtin_bswap64(low);
    memcpy(iv, &high, 8);
    memcpy(iv + 8, &low, 8);
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
    SHA1_Init(&key->cm.inner);
    SHA1_Update(&key->cm.inner, pads[0], BLOCK);
    SHA1_Init(&key->cm.outer);
    SHA1_Update(&key->cm.outer, pads[1], BLOCK);
}

bool crypto_key_set(
    crypto_srtp *engine, void *memory, uint16_t profile, const uint8_t *encryption,
    const uint8_t *authentication, const uint8_t *salt) {
    srtp_key *key = memory;
    uint8_t pads[2][BLOCK];
    key->profile = profile;
    key->salt[0] = key->salt[1] = 0;
    for (int i = 0; i < 14; i++) key->salt[i / 8] |= (uint64_t)salt[i] << (56 - 8 * (i % 8));
    if (profile == SHA1_80) hash_pads(key, authentication, pads);
    bool done = true;
#ifdef HAS_IPSEC_MB
    if (engine->manager) {
        IMB_MGR *mb = engine->manager;
        if (profile == GCM_128) {
            IMB_AES128_GCM_PRE(mb, encryption, &key->gcm);
        } else if (profile == GCM_256) {
            IMB_AES256_GCM_PRE(mb, encryption, &key->gcm);
        } else {
            uint8_t unused[16 * 11] __attribute__((aligned(16)));
            IMB_AES_KEYEXP_128(mb, encryption, key->cm.rounds, unused);
            OPENSSL_cleanse(unused, sizeof unused);
            for (int i = 0; i < 2; i++) IMB_SHA1_ONE_BLOCK(mb, pads[i], key->cm.pads[i]);
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

static inline __attribute__((always_inline)) bool gcm_seal(
    crypto_srtp *engine, srtp_key *key, const uint8_t *iv, const uint8_t *clear,
    size_t clear_count, const uint8_t *in, size_t count, uint8_t *out, uint8_t *tag) {
#ifdef HAS_IPSEC_MB
    if (engine->manager) {
        struct gcm_context_data context;
        if (key->profile == GCM_128)
            IMB_AES128_GCM_ENC(
                engine->manager, &key->gcm, &context, out, in, count, iv, clear, clear_count,
                tag, GCM_TAG);
        else
            IMB_AES256_GCM_ENC(
                engine->manager, &key->gcm, &context, out, in, count, iv, clear, clear_count,
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
                engine->manager, &key->gcm, &context, bytes, bytes, count, iv, clear,
                clear_count, own, GCM_TAG);
        else
            IMB_AES256_GCM_DEC(
                engine->manager, &key->gcm, &context, bytes, bytes, count, iv, clear,
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
    SHA_CTX state = key->cm.inner;
    SHA1_Update(&state, bytes, count);
    SHA1_Update(&state, behind, behind_count);
    SHA1_Final(tag, &state);
    state = key->cm.outer;
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
        memcpy(engine->ring[slot].end, engine->ring[slot].tag, SHA1_TAG);
    }
}

// What all jobs have in common is written once: this manager does nothing else, and gives its jobs
// out in turn.
static void prepare_jobs(IMB_MGR *manager) {
    for (int i = 0; i < IMB_MAX_JOBS; i++) {
        IMB_JOB *job = &manager->jobs[i];
        memset(job, 0, sizeof *job);
        job->cipher_mode = IMB_CIPHER_CNTR;
        job->cipher_direction = IMB_DIR_ENCRYPT;
        job->chain_order = IMB_ORDER_CIPHER_HASH;
        job->key_len_in_bytes = 16;
        job->iv_len_in_bytes = 16;
        job->hash_alg = IMB_AUTH_HMAC_SHA_1;
        job->auth_tag_output_len_in_bytes = SHA_DIGEST_LENGTH;
    }
}

static void submit_cm(
    crypto_srtp *engine, srtp_key *key, uint8_t *packet, size_t header, const uint8_t *payload,
    size_t count, uint32_t ssrc, uint64_t index) {
    while (engine->submitted - engine->completed == RING)
        collect(engine, IMB_FLUSH_JOB(engine->manager));
    int slot = (int)(engine->submitted++ % RING);
    make_iv(key, ssrc, index, engine->ring[slot].iv);
    engine->ring[slot].end = packet + header + count;
    // Authenticated behind the packet, and then overwritten by the tag.
    big_endian(packet + header + count, (uint32_t)(index >> 16));
    IMB_JOB *job = IMB_GET_NEXT_JOB(engine->manager);
    job->enc_keys = job->dec_keys = key->cm.rounds;
    job->src = packet;
    job->dst = packet + header;
    // The one source that a job has is hashed from its start. What is encrypted into it lies
    // elsewhere, in memory that many viewers share: an offset gets there, too.
    job->cipher_start_src_offset_in_bytes = (uint64_t)((uintptr_t)payload - (uintptr_t)packet);
    job->msg_len_to_cipher_in_bytes = count;
    job->iv = engine->ring[slot].iv;
    job->msg_len_to_hash_in_bytes = header + count + 4;
    job->auth_tag_output = engine->ring[slot].tag;
    job->u.HMAC._hashed_auth_key_xor_ipad = key->cm.pads[0];
    job->u.HMAC._hashed_auth_key_xor_opad = key->cm.pads[1];
    // Without the library's check of each field: they are as they were in the first job.
    collect(engine, IMB_SUBMIT_JOB_NOCHECK(engine->manager));
}
#endif

size_t crypto_rtp_submit(
    crypto_srtp *engine, void *memory, uint8_t *packet, size_t header, const uint8_t *payload,
    size_t count, uint32_t ssrc, uint64_t index) {
    srtp_key *key = memory;
#ifdef HAS_IPSEC_MB
    // A job without a payload is refused by the library; there is nothing to gain from one.
    if (engine->manager && key->profile == SHA1_80 && count > 0) {
        submit_cm(engine, key, packet, header, payload, count, ssrc, index);
        return header + count + SHA1_TAG;
    }
#endif
    return crypto_rtp_protect(engine, key, packet, header, payload, count, ssrc, index);
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
        if (imb_get_errno(engine->manager) == 0 && chosen > IMB_ARCH_NOAESNI) {
            prepare_jobs(engine->manager);
            return engine;
        }
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
