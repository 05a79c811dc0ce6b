// What protection costs when nothing but the libraries is called: keys by viewer, a header, and the
// shared payload. No checks, no interface, no second profile.
#include "CYardstick.h"

#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef HAS_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

enum { HEADER = 12, EXTENDED = 20, TAG = 16, SHA1_TAG = 10, RING = 64, SENT = 1024 };

// What a gateway has to remember of a packet to repeat it, or to make sense of TWCC: 16 bytes.
struct sent {
    uint16_t transport, size;
    uint32_t out, source, at;
};

struct viewer {
#ifdef HAS_IPSEC_MB
    struct gcm_key_data gcm;
    uint8_t rounds[16 * 15] __attribute__((aligned(16)));
    uint8_t unused[16 * 15] __attribute__((aligned(16)));
    uint8_t inner[20], outer[20];
#endif
    EVP_CIPHER_CTX *evp;
    uint8_t salt[16];
    uint32_t ssrc, roc;
    uint16_t sequence, transport;
    struct sent *sent;
};

struct yardstick_srtp {
    int kind;
    unsigned keys;
    size_t size, stride, header;
    struct viewer *viewers;
    uint8_t *arena;
#ifdef HAS_IPSEC_MB
    IMB_MGR *manager;
    uint8_t ivs[RING][16], tags[RING][20];
    uint8_t *ends[RING];
    unsigned submitted, completed;
#endif
};

uint64_t yardstick_thread_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t yardstick_live_heap(void) {
    struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

static void number(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void header(const struct yardstick_srtp *srtp, struct viewer *viewer, uint8_t *out) {
    number(out, 0x80600000u | viewer->sequence);
    number(out + 4, viewer->sequence * 3000u);
    number(out + 8, viewer->ssrc);
    if (srtp->header == HEADER) return;
    out[0] |= 0x10;
    number(out + 12, 0xbede0001u);
    number(out + 16, 0x31000000u | (uint32_t)viewer->transport << 8);
    viewer->sent[viewer->transport % SENT] = (struct sent){
        .transport = viewer->transport, .size = (uint16_t)(EXTENDED + srtp->size),
        .out = viewer->sequence, .source = viewer->sequence, .at = viewer->roc };
    viewer->transport++;
}

static void make_iv(const struct viewer *viewer, uint8_t iv[16], int at) {
    memset(iv, 0, 16);
    number(iv + at, viewer->ssrc);
    number(iv + at + 4, viewer->roc);
    iv[at + 8] = (uint8_t)(viewer->sequence >> 8);
    iv[at + 9] = (uint8_t)viewer->sequence;
    for (int i = 0; i < 16; i++) iv[i] ^= viewer->salt[i];
}

static void by_evp(
    const struct yardstick_srtp *srtp, struct viewer *viewer, const uint8_t *payload,
    uint8_t *out) {
    const size_t head = srtp->header, size = srtp->size;
    uint8_t iv[16];
    make_iv(viewer, iv, 2);
    EVP_EncryptInit_ex(viewer->evp, NULL, NULL, NULL, iv);
    EVP_Cipher(viewer->evp, NULL, out, (unsigned)head);
    EVP_Cipher(viewer->evp, out + head, payload, (unsigned)size);
    EVP_Cipher(viewer->evp, NULL, NULL, 0);
    OSSL_PARAM get[2] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, out + head + size, TAG),
        OSSL_PARAM_construct_end()};
    EVP_CIPHER_CTX_get_params(viewer->evp, get);
}

#ifdef HAS_IPSEC_MB
static void by_gcm(
    struct yardstick_srtp *srtp, struct viewer *viewer, const uint8_t *payload, uint8_t *out) {
    uint8_t iv[16];
    struct gcm_context_data context;
    make_iv(viewer, iv, 2);
    IMB_AES128_GCM_ENC(
        srtp->manager, &viewer->gcm, &context, out + srtp->header, payload, srtp->size, iv, out,
        srtp->header, out + srtp->header + srtp->size, TAG);
}

// Jobs come back in the order in which they were submitted. The bare row leaves the tags where the
// library put them.
static void collect(struct yardstick_srtp *srtp, IMB_JOB *job) {
    for (; job; job = IMB_GET_COMPLETED_JOB(srtp->manager)) {
        unsigned slot = srtp->completed++ % RING;
        if (srtp->header != HEADER) memcpy(srtp->ends[slot], srtp->tags[slot], SHA1_TAG);
    }
}

static void by_job(
    struct yardstick_srtp *srtp, struct viewer *viewer, const uint8_t *payload, uint8_t *out) {
    const unsigned slot = srtp->submitted % RING;
    const size_t head = srtp->header;
    memcpy(out + head, payload, srtp->size);
    number(out + head + srtp->size, viewer->roc);
    make_iv(viewer, srtp->ivs[slot], 4);
    IMB_JOB *job = IMB_GET_NEXT_JOB(srtp->manager);
    memset(job, 0, sizeof *job);
    job->cipher_mode = IMB_CIPHER_CNTR;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_CIPHER_HASH;
    job->enc_keys = job->dec_keys = viewer->rounds;
    job->key_len_in_bytes = 16;
    job->src = out;
    job->dst = out + head;
    job->cipher_start_src_offset_in_bytes = head;
    job->msg_len_to_cipher_in_bytes = srtp->size;
    job->iv = srtp->ivs[slot];
    job->iv_len_in_bytes = 16;
    job->hash_alg = IMB_AUTH_HMAC_SHA_1;
    job->msg_len_to_hash_in_bytes = head + srtp->size + 4;
    job->auth_tag_output = srtp->tags[slot];
    job->auth_tag_output_len_in_bytes = 20;
    job->u.HMAC._hashed_auth_key_xor_ipad = viewer->inner;
    job->u.HMAC._hashed_auth_key_xor_opad = viewer->outer;
    srtp->ends[slot] = out + head + srtp->size;
    srtp->submitted++;
    collect(srtp, IMB_SUBMIT_JOB(srtp->manager));
}
#endif

size_t yardstick_srtp_protect(
    struct yardstick_srtp *srtp, unsigned key, const uint8_t *payload, void *out) {
    struct viewer *viewer = &srtp->viewers[key];
    header(srtp, viewer, out);
    if (srtp->kind == 0) memcpy((uint8_t *)out + srtp->header, payload, srtp->size);
    if (srtp->kind == 1) by_evp(srtp, viewer, payload, out);
#ifdef HAS_IPSEC_MB
    if (srtp->kind == 2) by_gcm(srtp, viewer, payload, out);
    if (srtp->kind == 3) by_job(srtp, viewer, payload, out);
#endif
    viewer->sequence++;
    return srtp->header + srtp->size + (srtp->kind == 3 ? SHA1_TAG : TAG);
}

void yardstick_srtp_finish(struct yardstick_srtp *srtp) {
#ifdef HAS_IPSEC_MB
    while (srtp->completed != srtp->submitted) collect(srtp, IMB_FLUSH_JOB(srtp->manager));
#else
    (void)srtp;
#endif
}

void yardstick_srtp_fan(
    struct yardstick_srtp *srtp, const uint8_t *payloads, size_t stride, unsigned count) {
    unsigned slot = 0;
    for (unsigned i = 0; i < srtp->keys; i++)
        for (unsigned k = 0; k < count; k++) {
            yardstick_srtp_protect(
                srtp, i, payloads + k * stride, srtp->arena + slot * srtp->stride);
            slot = (slot + 1) % RING;
        }
    yardstick_srtp_finish(srtp);
}

void yardstick_srtp_run(struct yardstick_srtp *srtp, const uint8_t *payload) {
    yardstick_srtp_fan(srtp, payload, 0, 1);
}

static void make_viewer(struct yardstick_srtp *srtp, struct viewer *viewer, unsigned index) {
    uint8_t key[16];
    for (int i = 0; i < 16; i++) key[i] = (uint8_t)(index * 31 + (unsigned)i * 7);
    memcpy(viewer->salt, key, 12);
    viewer->ssrc = 0x10000 + index * 7919;
    viewer->evp = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(viewer->evp, EVP_aes_128_gcm(), NULL, key, NULL);
#ifdef HAS_IPSEC_MB
    if (!srtp->manager) return;
    uint8_t pad[64];
    IMB_AES128_GCM_PRE(srtp->manager, key, &viewer->gcm);
    IMB_AES_KEYEXP_128(srtp->manager, key, viewer->rounds, viewer->unused);
    for (int i = 0; i < 64; i++) pad[i] = (i < 16 ? key[i] : 0) ^ 0x36;
    IMB_SHA1_ONE_BLOCK(srtp->manager, pad, viewer->inner);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
    IMB_SHA1_ONE_BLOCK(srtp->manager, pad, viewer->outer);
#else
    (void)srtp;
#endif
}

struct yardstick_srtp *yardstick_srtp_new(int kind, unsigned keys, size_t payload_size) {
    struct yardstick_srtp *srtp = calloc(1, sizeof *srtp);
    if (!srtp) return NULL;
#ifdef HAS_IPSEC_MB
    srtp->manager = alloc_mb_mgr(0);
    if (srtp->manager) init_mb_mgr_auto(srtp->manager, NULL);
#else
    if (kind >= 2) {
        free(srtp);
        return NULL;
    }
#endif
    srtp->kind = kind;
    srtp->keys = keys;
    srtp->size = payload_size;
    srtp->header = HEADER;
    srtp->stride = (EXTENDED + payload_size + TAG + 63) & ~(size_t)63;
    srtp->arena = aligned_alloc(64, srtp->stride * RING);
    srtp->viewers = aligned_alloc(64, sizeof(struct viewer) * keys);
    if (!srtp->arena || !srtp->viewers) abort();
    memset(srtp->viewers, 0, sizeof(struct viewer) * keys);
    for (unsigned i = 0; i < keys; i++) make_viewer(srtp, &srtp->viewers[i], i);
    return srtp;
}

void yardstick_srtp_keep_records(struct yardstick_srtp *srtp) {
    srtp->header = EXTENDED;
    for (unsigned i = 0; i < srtp->keys; i++) {
        srtp->viewers[i].transport = (uint16_t)(i * 7919);
        srtp->viewers[i].sent = calloc(SENT, sizeof(struct sent));
        if (!srtp->viewers[i].sent) abort();
    }
}

void yardstick_srtp_free(struct yardstick_srtp *srtp) {
    for (unsigned i = 0; i < srtp->keys; i++) {
        EVP_CIPHER_CTX_free(srtp->viewers[i].evp);
        free(srtp->viewers[i].sent);
    }
#ifdef HAS_IPSEC_MB
    if (srtp->manager) free_mb_mgr(srtp->manager);
#endif
    free(srtp->viewers);
    free(srtp->arena);
    free(srtp);
}
