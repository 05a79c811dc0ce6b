// A DTLS handshake with certificates on both sides by plain OpenSSL: what ours is compared with.
#include "CYardstick.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 16, DATAGRAM = 1500, KEYS = 56 };

// One direction: datagrams in order. OpenSSL's memory BIO would join them.
struct queue {
    uint8_t bytes[QUEUE][DATAGRAM];
    size_t sizes[QUEUE];
    unsigned first, end;
};

struct yardstick_dtls {
    SSL_CTX *context;
    BIO_METHOD *method;
    struct queue up, down;
};

struct end {
    struct queue *in, *out;
};

static int put(BIO *bio, const char *bytes, int count) {
    struct queue *q = ((struct end *)BIO_get_data(bio))->out;
    if (q->end - q->first == QUEUE || count > DATAGRAM) return -1;
    memcpy(q->bytes[q->end % QUEUE], bytes, (size_t)count);
    q->sizes[q->end++ % QUEUE] = (size_t)count;
    return count;
}

static int take(BIO *bio, char *bytes, int room) {
    struct queue *q = ((struct end *)BIO_get_data(bio))->in;
    BIO_clear_retry_flags(bio);
    if (q->first == q->end) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t count = q->sizes[q->first % QUEUE];
    if (count > (size_t)room) count = (size_t)room;
    memcpy(bytes, q->bytes[q->first++ % QUEUE], count);
    return (int)count;
}

static long control(BIO *bio, int command, long value, void *argument) {
    (void)bio, (void)value, (void)argument;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT;
}

static int anyone(int ok, X509_STORE_CTX *store) {
    (void)ok, (void)store;
    return 1;
}

static void certify(SSL_CTX *context) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 1000000);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

struct yardstick_dtls *yardstick_dtls_new(void) {
    struct yardstick_dtls *dtls = calloc(1, sizeof *dtls);
    if (!dtls) abort();
    dtls->context = SSL_CTX_new(DTLS_method());
    SSL_CTX_set_min_proto_version(dtls->context, DTLS1_2_VERSION);
    SSL_CTX_set_options(dtls->context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(dtls->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cipher_list(dtls->context, "ECDHE-ECDSA-AES128-GCM-SHA256");
    SSL_CTX_set1_groups_list(dtls->context, "X25519:P-256");
    SSL_CTX_set_tlsext_use_srtp(dtls->context, "SRTP_AEAD_AES_128_GCM");
    SSL_CTX_set_verify(
        dtls->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, anyone);
    certify(dtls->context);
    dtls->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "queue");
    BIO_meth_set_write(dtls->method, put);
    BIO_meth_set_read(dtls->method, take);
    BIO_meth_set_ctrl(dtls->method, control);
    return dtls;
}

static SSL *side(struct yardstick_dtls *dtls, struct end *end) {
    SSL *ssl = SSL_new(dtls->context);
    BIO *bio = BIO_new(dtls->method);
    BIO_set_data(bio, end);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_mtu(ssl, 1200);
    return ssl;
}

uint64_t yardstick_dtls_handshake(struct yardstick_dtls *dtls) {
    struct end near = { &dtls->up, &dtls->down }, far = { &dtls->down, &dtls->up };
    dtls->up.first = dtls->up.end = dtls->down.first = dtls->down.end = 0;
    SSL *client = side(dtls, &far);
    SSL_set_connect_state(client);
    uint64_t start = yardstick_thread_time();
    SSL *server = side(dtls, &near);
    SSL_set_accept_state(server);
    uint64_t time = yardstick_thread_time() - start;
    int done = 0;
    for (int turn = 0; turn < 8 && !done; turn++) {
        SSL_do_handshake(client);
        start = yardstick_thread_time();
        int result = SSL_do_handshake(server);
        uint8_t keys[KEYS];
        if (result == 1)
            SSL_export_keying_material(
                server, keys, sizeof keys, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0);
        time += yardstick_thread_time() - start;
        done = result == 1 && SSL_do_handshake(client) == 1;
    }
    start = yardstick_thread_time();
    SSL_free(server);
    time += yardstick_thread_time() - start;
    SSL_free(client);
    return done ? time : 0;
}

void yardstick_dtls_free(struct yardstick_dtls *dtls) {
    SSL_CTX_free(dtls->context);
    BIO_meth_free(dtls->method);
    free(dtls);
}
