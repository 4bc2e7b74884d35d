// SPDX-License-Identifier: ISC
/* Certificates made at test time, written as PEM files into a folder: each is signed by a
 * CA of the test's own and has a key of its own. */
#ifndef DG_TESTS_LIB_CERTS_H
#define DG_TESTS_LIB_CERTS_H

#include "lib/unit.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define CERTS_DAY 86400L

struct certs {
    EVP_PKEY *key;
    X509 *cert;
};

enum certs_key {
    CERTS_EC,
    CERTS_RSA,     /* short: quick to make, for tests at security level 0 */
    CERTS_RSA_PSS, /* signs with PSS */
    CERTS_ED25519,
};

struct certs_spec {
    const char *name; /* of the files: name.crt, name.key */
    const char *cn;
    size_t cn_len;   /* 0: strlen */
    const char *san; /* NULL: none */
    bool is_ca;
    long from_days, until_days; /* from now; until 0: a year */
    long serial;
    const char *md; /* NULL: SHA256; "" with Ed25519 */
};

static inline void
certs_ok(long r)
{
    ck_assert_msg(r > 0, "OpenSSL: %s", ERR_reason_error_string(ERR_peek_last_error()));
}

static inline EVP_PKEY *
certs_key_new(enum certs_key kind)
{
    EVP_PKEY *key = kind == CERTS_EC ? EVP_EC_gen("P-256")
        : kind == CERTS_ED25519      ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                     : EVP_RSA_gen(1024);
    ck_assert_ptr_nonnull(key);
    return key;
}

static inline FILE *
certs_open(const char *dir, const char *name, const char *suffix, unsigned mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    FILE *f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fchmod(fileno(f), mode), 0);
    return f;
}

static inline void
certs_write_key(const char *dir, const char *name, EVP_PKEY *key)
{
    FILE *f = certs_open(dir, name, ".key", 0600);
    certs_ok(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
    fclose(f);
}

static inline void
certs_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ck_assert_ptr_nonnull(ext);
    certs_ok(X509_add_ext(cert, ext, -1));
    X509_EXTENSION_free(ext);
}

static inline void
certs_sign(X509 *cert, EVP_PKEY *key, enum certs_key kind, const char *md)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    certs_ok(EVP_DigestSignInit_ex(ctx, &pkey,
        kind == CERTS_ED25519 ? NULL
            : md              ? md
                              : "SHA256",
        NULL, NULL, key, NULL));
    if (kind == CERTS_RSA_PSS)
        certs_ok(EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING));
    certs_ok(X509_sign_ctx(cert, ctx));
    EVP_MD_CTX_free(ctx);
}

/* Signed by `by` with a key of kind by_kind; NULL: by itself, with a key of that kind. */
static inline struct certs
certs_make(const char *dir, const struct certs_spec *s, const struct certs *by,
    enum certs_key by_kind)
{
    struct certs c = { certs_key_new(by ? CERTS_EC : by_kind), X509_new() };
    const char *cn = s->cn ? s->cn : s->name;
    X509 *issuer = by ? by->cert : c.cert;
    X509_NAME *name = X509_get_subject_name(c.cert);

    certs_ok(X509_set_version(c.cert, X509_VERSION_3));
    certs_ok(ASN1_INTEGER_set(X509_get_serialNumber(c.cert), s->serial + 1));
    certs_ok(X509_NAME_add_entry_by_txt(
        name, "O", MBSTRING_ASC, (const unsigned char *)"ddlgate test", -1, -1, 0));
    certs_ok(X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING,
        (const unsigned char *)cn, (int)(s->cn_len ? s->cn_len : strlen(cn)), -1, 0));
    certs_ok(X509_set_issuer_name(c.cert, X509_get_subject_name(issuer)));
    X509_gmtime_adj(X509_getm_notBefore(c.cert), s->from_days * CERTS_DAY - 3600);
    X509_gmtime_adj(
        X509_getm_notAfter(c.cert), (s->until_days ? s->until_days : 365) * CERTS_DAY);
    certs_ok(X509_set_pubkey(c.cert, c.key));
    certs_extend(c.cert, issuer, NID_basic_constraints,
        s->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (s->san)
        certs_extend(c.cert, issuer, NID_subject_alt_name, s->san);
    certs_sign(c.cert, by ? by->key : c.key, by_kind, s->md);

    FILE *f = certs_open(dir, s->name, ".crt", 0644);
    certs_ok(PEM_write_X509(f, c.cert));
    fclose(f);
    certs_write_key(dir, s->name, c.key);
    return c;
}

static inline void
certs_free(struct certs *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->cert);
}

/* name.crl: by names `revoked` (may be NULL), good from from_days to until_days. */
static inline void
certs_crl(const char *dir, const char *name, const struct certs *by, X509 *revoked,
    long from_days, long until_days)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *when = X509_gmtime_adj(NULL, from_days * CERTS_DAY - 3600);

    certs_ok(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
    certs_ok(X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->cert)));
    certs_ok(X509_CRL_set1_lastUpdate(crl, when));
    if (revoked) {
        X509_REVOKED *r = X509_REVOKED_new();
        certs_ok(X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked)));
        certs_ok(X509_REVOKED_set_revocationDate(r, when));
        certs_ok(X509_CRL_add0_revoked(crl, r));
    }
    X509_gmtime_adj(when, until_days * CERTS_DAY);
    certs_ok(X509_CRL_set1_nextUpdate(crl, when));
    certs_ok(X509_CRL_sign(crl, by->key, EVP_sha256()));
    FILE *f = certs_open(dir, name, ".crl", 0644);
    certs_ok(PEM_write_X509_CRL(f, crl));
    fclose(f);
    ASN1_TIME_free(when);
    X509_CRL_free(crl);
}

#endif
