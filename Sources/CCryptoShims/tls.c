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
