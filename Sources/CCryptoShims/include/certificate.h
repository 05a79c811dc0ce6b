// X.509 through OpenSSL's macros and typed stacks, which Swift does not see.
#pragma once
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

/// A new ECDSA key on P-256, the one curve that every WebRTC client accepts.
EVP_PKEY *crypto_new_key(void);

/// A certificate signed by its own key. Times are seconds since 1970.
///
/// `names` holds `names_count` strings, each ended by a zero byte: host names or IP addresses.
X509 *crypto_self_signed(
    EVP_PKEY *key, const char *common_name, const char *names, size_t names_count,
    int64_t not_before, int64_t not_after);

/// Seconds since 1970.
int64_t crypto_time(const ASN1_TIME *time);

/// Writes the name number `index` as text into `out`; returns its length, or -1 past the last one.
int crypto_alternative_name(X509 *certificate, int index, char *out, size_t capacity);

/// Like the PEM readers of OpenSSL, but never asks the terminal for a pass phrase.
X509 *crypto_read_certificate(BIO *pem);
EVP_PKEY *crypto_read_key(BIO *pem);
