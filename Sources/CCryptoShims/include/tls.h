// OpenSSL's settings that are macros, and the callbacks it makes during a handshake.
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What both TLS and DTLS want: no renegotiation, no compression, nothing older than 1.2, idle
/// buffers given back, no server-side session cache.
int crypto_context_harden(SSL_CTX *context, int minimum_version);
int crypto_context_add_chain(SSL_CTX *context, X509 *certificate);
int crypto_context_set_groups(SSL_CTX *context, const char *groups);
/// `keys`: 80 bytes, the same on every worker, so that a ticket of one is good for another.
int crypto_context_set_ticket_keys(SSL_CTX *context, const uint8_t *keys, size_t count);
/// No session tickets: for DTLS, where a resumption would skip the fingerprint check.
void crypto_context_no_tickets(SSL_CTX *context);

/// Server: picks the first of `list` (wire format, in our order) that the client offers. A client
/// that offers none of them goes on without. The list must outlive the context.
void crypto_context_select_alpn(SSL_CTX *context, const uint8_t *list);
/// Server: answers with the first of `contexts` whose certificate is good for the name asked for;
/// with the context's own otherwise. Ended by NULL; must outlive the context.
void crypto_context_select_name(SSL_CTX *context, SSL_CTX *const *contexts);

int crypto_set_server_name(SSL *ssl, const char *name);

/// DTLS: no datagram is larger than this.
void crypto_set_mtu(SSL *ssl, long bytes);
/// DTLS: no record that we write is larger, and so is no buffer for it.
void crypto_context_limit_records(SSL_CTX *context, long bytes);
/// DTLS: the most bytes that the certificates of a peer may have.
void crypto_context_limit_certificates(SSL_CTX *context, long bytes);
/// DTLS: turns OpenSSL's retransmission off, which reads a clock of its own: entirely, or but for
/// the client's second flight, which only OpenSSL can repeat well.
void crypto_stop_timer(SSL *ssl, bool entirely);
