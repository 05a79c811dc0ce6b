#include "tls.h"

#include <openssl/x509v3.h>
#include <string.h>

int crypto_context_harden(SSL_CTX *context, int minimum_version) {
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU
                     | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(
        context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return (int)SSL_CTX_set_min_proto_version(context, minimum_version);
}

int crypto_context_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

int crypto_context_set_groups(SSL_CTX *context, const char *groups) {
    return (int)SSL_CTX_set1_groups_list(context, groups);
}

int crypto_context_set_ticket_keys(SSL_CTX *context, const uint8_t *keys, size_t count) {
    return (int)SSL_CTX_set_tlsext_ticket_keys(context, (void *)keys, (long)count);
}

void crypto_context_no_tickets(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

static int select_alpn(
    SSL *ssl, const unsigned char **out, unsigned char *out_count, const unsigned char *offered,
    unsigned int offered_count, void *list) {
    (void)ssl;
    const unsigned char *ours = list;
    unsigned char *chosen = NULL;
    int found = SSL_select_next_proto(
        &chosen, out_count, ours, (unsigned int)strlen(list), offered, offered_count);
    if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

void crypto_context_select_alpn(SSL_CTX *context, const uint8_t *list) {
    SSL_CTX_set_alpn_select_cb(context, select_alpn, (void *)list);
}

static int select_name(SSL *ssl, int *alert, void *list) {
    (void)alert;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!name) return SSL_TLSEXT_ERR_NOACK;
    for (SSL_CTX *const *context = list; *context; context++) {
        X509 *certificate = SSL_CTX_get0_certificate(*context);
        if (certificate && X509_check_host(certificate, name, 0, 0, NULL) == 1) {
            SSL_set_SSL_CTX(ssl, *context);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void crypto_context_select_name(SSL_CTX *context, SSL_CTX *const *contexts) {
    SSL_CTX_set_tlsext_servername_callback(context, select_name);
    SSL_CTX_set_tlsext_servername_arg(context, (void *)contexts);
}

int crypto_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

void crypto_set_mtu(SSL *ssl, long bytes) { SSL_set_mtu(ssl, bytes); }

void crypto_context_limit_records(SSL_CTX *context, long bytes) {
    SSL_CTX_set_max_send_fragment(context, bytes);
}

void crypto_context_limit_certificates(SSL_CTX *context, long bytes) {
    SSL_CTX_set_max_cert_list(context, bytes);
}

static const unsigned int never = 3600u * 1000 * 1000;

static unsigned int stopped(SSL *ssl, unsigned int microseconds) {
    (void)ssl, (void)microseconds;
    return never;
}

// The client's second flight is the exception. Its Finished is encrypted, and a server that has
// seen it and whose answer was lost takes a copy for a replay: only OpenSSL can give it a new
// record number. It does so when it is called and its timer is over; ours begin at 50 ms, so 20 ms
// are always over then. (Shorter than 15 ms is over at once, and it would repeat without end.)
static unsigned int second_flight(SSL *ssl, unsigned int microseconds) {
    (void)microseconds;
    switch (SSL_get_state(ssl)) {
    case TLS_ST_CW_CERT:
    case TLS_ST_CW_KEY_EXCH:
    case TLS_ST_CW_CERT_VRFY:
    case TLS_ST_CW_CHANGE:
    case TLS_ST_CW_FINISHED:
    case TLS_ST_CR_CHANGE:
    case TLS_ST_CR_FINISHED: return 20 * 1000;
    default: return never;
    }
}

void crypto_stop_timer(SSL *ssl, bool entirely) {
    DTLS_set_timer_cb(ssl, entirely ? stopped : second_flight);
}
