#include "certificate.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

EVP_PKEY *crypto_new_key(void) { return EVP_EC_gen("P-256"); }

static int add_name(GENERAL_NAMES *list, const char *name) {
    GENERAL_NAME *entry = GENERAL_NAME_new();
    if (!entry) return 0;
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    if (address) {
        GENERAL_NAME_set0_value(entry, GEN_IPADD, address);
    } else {
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        if (!text || !ASN1_STRING_set(text, name, (int)strlen(name))) {
            ASN1_IA5STRING_free(text);
            GENERAL_NAME_free(entry);
            return 0;
        }
        GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    }
    if (sk_GENERAL_NAME_push(list, entry) > 0) return 1;
    GENERAL_NAME_free(entry);
    return 0;
}

static int add_names(X509 *certificate, const char *names, size_t count) {
    if (count == 0) return 1;
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    int done = list != NULL;
    for (size_t i = 0; done && i < count; i++) {
        done = add_name(list, names);
        names += strlen(names) + 1;
    }
    done = done && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0) == 1;
    GENERAL_NAMES_free(list);
    return done;
}

static int fill(
    X509 *certificate, EVP_PKEY *key, const char *common_name, int64_t not_before,
    int64_t not_after) {
    unsigned char serial[16];
    if (RAND_bytes(serial, sizeof serial) != 1) return 0;
    serial[0] = (serial[0] & 0x7f) | 0x40;  // Positive and of full length: RFC 5280 §4.1.2.2.
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    int done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    X509_NAME *name = X509_get_subject_name(certificate);
    return done && X509_set_version(certificate, X509_VERSION_3) == 1
        && X509_NAME_add_entry_by_txt(
               name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) == 1
        && X509_set_issuer_name(certificate, name) == 1
        && ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)not_before) != NULL
        && ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)not_after) != NULL
        && X509_set_pubkey(certificate, key) == 1;
}

X509 *crypto_self_signed(
    EVP_PKEY *key, const char *common_name, const char *names, size_t names_count,
    int64_t not_before, int64_t not_after) {
    X509 *certificate = X509_new();
    if (certificate && fill(certificate, key, common_name, not_before, not_after)
        && add_names(certificate, names, names_count)
        && X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

int64_t crypto_time(const ASN1_TIME *time) {
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    if (epoch) ASN1_TIME_diff(&days, &seconds, epoch, time);
    ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + seconds;
}

static int write_name(const GENERAL_NAME *name, char *out, size_t capacity) {
    if (name->type == GEN_DNS) {
        int count = ASN1_STRING_length(name->d.dNSName);
        if (count < 0 || (size_t)count > capacity) return 0;
        memcpy(out, ASN1_STRING_get0_data(name->d.dNSName), (size_t)count);
        return count;
    }
    if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
        const unsigned char *a = ASN1_STRING_get0_data(name->d.iPAddress);
        int count = snprintf(out, capacity, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
        return count > 0 && (size_t)count < capacity ? count : 0;
    }
    return 0;  // Addresses of mail and the like: not ours to show.
}

int crypto_alternative_name(X509 *certificate, int index, char *out, size_t capacity) {
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = -1;
    if (list && index < sk_GENERAL_NAME_num(list))
        count = write_name(sk_GENERAL_NAME_value(list, index), out, capacity);
    GENERAL_NAMES_free(list);
    return count;
}

static int no_phrase(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

X509 *crypto_read_certificate(BIO *pem) { return PEM_read_bio_X509(pem, NULL, no_phrase, NULL); }

EVP_PKEY *crypto_read_key(BIO *pem) {
    return PEM_read_bio_PrivateKey(pem, NULL, no_phrase, NULL);
}
