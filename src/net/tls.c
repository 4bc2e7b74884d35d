// SPDX-License-Identifier: ISC
/* TLS connections; see tls.h. OpenSSL reads and writes the socket itself, one record at a
 * time and never ahead, so that what the socket doesn't announce isn't there.
 *
 * An idle TLS 1.3 connection holds 14 kB of OpenSSL's towards a client and 17.5 kB towards
 * a server (test_net_tls weighs it): the two 16 kB record buffers are given back whenever
 * they are empty (SSL_MODE_RELEASE_BUFFERS), and no session is kept to be resumed. Half of
 * the rest is the SSL object itself. A client's certificate, parsed, costs 7 kB more. */
#include "net/tls.h"

#include "net/tls_conf.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "net/sock.h"

#define TLS_MAGIC 0x746c7363u

struct net_tls {
    uint32_t magic;
    int wants;  /* see net_tls_wants */
    int failed; /* -errno: what every further call returns */
    bool is_done, is_ended;
    bool is_nameless;          /* a name must be checked, and there is none: refuse */
    size_t n_promised;         /* bytes of a record that the socket didn't take yet */
    SSL *ssl;                  /* owned */
    struct net_tls_conf *conf; /* one reference owned */
    char *failure;             /* owned; NULL: none */
    char *cn, *dn;             /* owned; of the peer */
    size_t n_binding;
    unsigned char binding[NET_TLS_BINDING_MAX];
};

/* What OpenSSL's reasons mean here. */
static const struct {
    int reason, errnum;
    const char *text;
} reasons[] = {
    { SSL_R_UNEXPECTED_EOF_WHILE_READING, ECONNRESET, "it closed the connection" },
    { SSL_R_UNSUPPORTED_PROTOCOL, EPROTO,
        "it speaks no TLS version that is allowed here" },
    { SSL_R_NO_PROTOCOLS_AVAILABLE, EPROTO, "no TLS version is allowed here" },
    { SSL_R_WRONG_VERSION_NUMBER, EPROTO, "what it sent is no TLS" },
    { SSL_R_HTTP_REQUEST, EPROTO, "what it sent is HTTP, not TLS" },
    { SSL_R_NO_SHARED_CIPHER, EPROTO, "it offers no cipher that is allowed here" },
    { SSL_R_NO_APPLICATION_PROTOCOL, EPROTO,
        "by ALPN it wants another protocol than " TLS_ALPN },
    { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, EACCES,
        "it showed no certificate, and one is required" },
    { SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, EPROTO,
        "it allows none of the TLS versions that are allowed here" },
    { SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, EPROTO,
        "it found no common ground (alert handshake_failure: ciphers, or a certificate "
        "is missing)" },
    { SSL_R_TLSV1_ALERT_UNKNOWN_CA, EACCES,
        "it doesn't know the CA of our certificate (alert unknown_ca)" },
    { SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, EACCES,
        "it refuses our certificate (alert bad_certificate)" },
    { SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, EACCES,
        "it refuses our certificate's kind (alert unsupported_certificate)" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, EACCES,
        "our certificate is revoked (alert certificate_revoked)" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, EACCES,
        "our certificate is expired (alert certificate_expired)" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, EACCES,
        "it refuses our certificate (alert certificate_unknown)" },
    { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, EACCES,
        "it demands a certificate of ours (alert certificate_required)" },
    { SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, EPROTO,
        "it doesn't take " TLS_ALPN " for a protocol (alert no_application_protocol)" },
};

static const char *
peer_word(const struct net_tls *t)
{
    return t->conf->is_server ? "client" : "server";
}

/* The first failure stays: what follows comes of it. */
static int
fail(struct net_tls *t, int ret, const char *text)
{
    if (!t->failed) {
        t->failed = ret;
        mem_free(t->failure);
        t->failure = mem_printf("TLS with the %s failed%s: %s", peer_word(t),
            t->is_done ? "" : " in the handshake", text);
    }
    return t->failed;
}

/* Called for each certificate that is refused; remembers which and why. */
static int
on_verify(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct net_tls *t = SSL_get_app_data(ssl);
    DG_ASSERT(t->magic == TLS_MAGIC, "not a TLS connection");
    if (is_good)
        return 1;
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    AUTO(mem_free)
    char *name = cert ? tls_name_text(X509_get_subject_name(cert)) : NULL;
    int code = X509_STORE_CTX_get_error(store);
    mem_free(t->failure);
    t->failure = mem_printf("its certificate%s%.300s%s is refused: %s",
        X509_STORE_CTX_get_error_depth(store) ? " chain at " : " ", name ? name : "",
        name ? "" : "(no name)", X509_verify_cert_error_string(code));
    return 0;
}

static int
fail_by_code(struct net_tls *t, unsigned long code)
{
    int reason = ERR_GET_REASON(code);
    if (ERR_SYSTEM_ERROR(code))
        return fail(t, -reason, strerror(reason));
    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && t->failure) {
            AUTO(mem_free) char *text = t->failure;
            t->failure = NULL;
            return fail(t, -EACCES, text);
        }
        t->is_ended = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
        for (size_t i = 0; i < DG_ARRAY_SIZE(reasons); i++)
            if (reasons[i].reason == reason)
                return fail(t, -reasons[i].errnum, reasons[i].text);
    }
    const char *text = ERR_reason_error_string(code);
    return fail(t, -EPROTO, text ? text : "unknown error");
}

/* What a call returned that didn't return more than 0: -EAGAIN, 0 for the end, -errno. */
static int
outcome(struct net_tls *t, int ret, int errnum, int obvious)
{
    unsigned long code = ERR_peek_error();
    int kind = SSL_get_error(t->ssl, ret);
    ERR_clear_error();
    switch (kind) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        t->wants = kind == SSL_ERROR_WANT_READ ? NET_TLS_WANT_READ : NET_TLS_WANT_WRITE;
        if (t->wants == obvious)
            t->wants = 0;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        t->is_ended = true;
        return 0;
    case SSL_ERROR_SYSCALL:
        /* Without errno it is an end that OpenSSL didn't expect. */
        if (errnum)
            return fail(t, -errnum, strerror(errnum));
        t->is_ended = true;
        return fail(t, -ECONNRESET, "it closed the connection");
    default:
        return fail_by_code(t, code);
    }
}

static struct net_tls *
tls_new(struct net_tls_conf *conf, int fd)
{
    struct net_tls *t = mem_zalloc(sizeof *t);
    *t = (struct net_tls){ .magic = TLS_MAGIC, .conf = ref_take(conf) };
    t->ssl = SSL_new(conf->ctx);
    DG_ASSERT(t->ssl && SSL_set_fd(t->ssl, fd) == 1, "out of memory");
    SSL_set_app_data(t->ssl, t);
    SSL_set_verify(t->ssl, SSL_get_verify_mode(t->ssl), on_verify);
    return t;
}

struct net_tls *
net_tls_accept(struct net_tls_conf *conf, int fd)
{
    DG_ASSERT(conf->is_server, "a configuration for the other end");
    struct net_tls *t = tls_new(conf, fd);
    SSL_set_accept_state(t->ssl);
    t->n_binding = conf->n_binding;
    memcpy(t->binding, conf->binding, sizeof t->binding);
    return t;
}

/* Whole labels only may be a wildcard, as libpq has it. */
static bool
expect_name(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (!host || !*host || *host == '/')
        return false;
    if (net_is_numeric(host))
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

struct net_tls *
net_tls_connect(struct net_tls_conf *conf, int fd, const char *host, bool sni)
{
    DG_ASSERT(!conf->is_server, "a configuration for the other end");
    struct net_tls *t = tls_new(conf, fd);
    SSL_set_connect_state(t->ssl);
    if (sni && host && *host && !net_is_numeric(host)) {
        /* A copy, since OpenSSL's macro casts const away. One too long isn't sent. */
        AUTO(mem_free) char *name = mem_strdup(host);
        (void)SSL_set_tlsext_host_name(t->ssl, name);
    }
    t->is_nameless = conf->must_match_name && !expect_name(t->ssl, host);
    ERR_clear_error();
    return t;
}

void
net_tls_free(struct net_tls *t)
{
    if (!t)
        return;
    DG_ASSERT(t->magic == TLS_MAGIC, "not a TLS connection");
    SSL_free(t->ssl);
    ref_drop(t->conf);
    mem_free(t->failure);
    mem_free(t->cn);
    mem_free(t->dn);
    t->magic = 0;
    mem_free(t);
}

/* The first common name, as PostgreSQL takes it. A NUL in it is an attempt to look like
 * somebody else to whoever reads C strings. */
static char *
common_name(const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0)
        return NULL;
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    char *cn = NULL;
    if (n > 0 && !memchr(utf8, 0, (size_t)n))
        cn = mem_strndup((const char *)utf8, (size_t)n);
    OPENSSL_free(utf8);
    return cn;
}

static void
on_done(struct net_tls *t)
{
    t->is_done = true;
    X509 *peer = SSL_get0_peer_certificate(t->ssl);
    if (!peer)
        return;
    const X509_NAME *name = X509_get_subject_name(peer);
    t->cn = common_name(name);
    t->dn = tls_name_text(name);
    if (!t->conf->is_server)
        t->n_binding = tls_binding_of(peer, t->binding);
    ERR_clear_error();
}

int
net_tls_handshake(struct net_tls *t, struct err *err)
{
    DG_ASSERT(t->magic == TLS_MAGIC && !t->is_done, "not in a handshake");
    if (t->is_nameless)
        (void)fail(t, -EACCES,
            "verify-full needs the server's host name or address, and there is none");
    if (t->failed)
        return err_set(err, t->failed, "%s", t->failure);
    ERR_clear_error();
    errno = 0;
    int r = SSL_do_handshake(t->ssl), errnum = errno;
    if (r == 1) {
        on_done(t);
        return 0;
    }
    r = outcome(t, r, errnum, 0);
    if (r == -EAGAIN) {
        r = t->wants;
        t->wants = 0;
        return r;
    }
    if (r == 0)
        r = fail(t, -ECONNRESET, "it closed the connection");
    return err_set(err, r, "%s", t->failure);
}

ssize_t
net_tls_recv(struct net_tls *t, void *p, size_t n)
{
    DG_ASSERT(t->magic == TLS_MAGIC && t->is_done, "no finished handshake");
    DG_ASSERT(n >= NET_TLS_RECORD, "a record may not fit into %zu bytes", n);
    t->wants = 0;
    if (t->is_ended)
        return 0;
    if (t->failed)
        return t->failed;
    ERR_clear_error();
    errno = 0;
    size_t got = 0;
    int r = SSL_read_ex(t->ssl, p, n, &got), errnum = errno;
    if (r == 1) {
        DG_ASSERT(SSL_pending(t->ssl) == 0, "a part of a record is left");
        return (ssize_t)got;
    }
    r = outcome(t, r, errnum, NET_TLS_WANT_READ);
    /* No close_notify: PostgreSQL's messages show by themselves whether one is missing. */
    return t->is_ended ? 0 : r;
}

/* One record; bytes or -errno. */
static ssize_t
send_record(struct net_tls *t, const char *p, size_t n)
{
    ERR_clear_error();
    errno = 0;
    size_t sent = 0;
    int r = SSL_write_ex(t->ssl, p, n, &sent), errnum = errno;
    if (r == 1) {
        t->n_promised = 0;
        return (ssize_t)sent;
    }
    r = outcome(t, r, errnum, NET_TLS_WANT_WRITE);
    if (r == -EAGAIN)
        t->n_promised = n;
    else if (r == 0)
        r = fail(t, -EPIPE, "it closed the connection");
    return r;
}

ssize_t
net_tls_send(struct net_tls *t, const void *p, size_t n)
{
    DG_ASSERT(t->magic == TLS_MAGIC && t->is_done, "no finished handshake");
    DG_ASSERT(n >= t->n_promised, "%zu bytes are encrypted already, %zu come",
        t->n_promised, n);
    size_t done = 0;
    t->wants = 0;
    while (!t->failed && done < n) {
        size_t step = n - done < NET_TLS_RECORD ? n - done : NET_TLS_RECORD;
        /* What was encrypted can't be cut anew. */
        if (t->n_promised)
            step = t->n_promised;
        ssize_t sent = send_record(t, (const char *)p + done, step);
        if (sent < 0)
            return done ? (ssize_t)done : sent;
        done += (size_t)sent;
    }
    return t->failed && !done ? t->failed : (ssize_t)done;
}

int
net_tls_wants(const struct net_tls *t)
{
    return t->wants;
}

const char *
net_tls_failure(const struct net_tls *t)
{
    return t->failed ? t->failure : "";
}

void
net_tls_shutdown(struct net_tls *t)
{
    DG_ASSERT(t->magic == TLS_MAGIC, "not a TLS connection");
    if (!t->is_done || t->failed)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
}

const char *
net_tls_version(const struct net_tls *t)
{
    return SSL_get_version(t->ssl);
}

const char *
net_tls_cipher(const struct net_tls *t)
{
    return SSL_get_cipher_name(t->ssl);
}

bool
net_tls_has_peer_cert(const struct net_tls *t)
{
    return t->is_done && SSL_get0_peer_certificate(t->ssl);
}

const char *
net_tls_peer_cn(const struct net_tls *t)
{
    return t->cn;
}

const char *
net_tls_peer_dn(const struct net_tls *t)
{
    return t->dn;
}

bool
net_tls_has_alpn(const struct net_tls *t)
{
    const unsigned char *p;
    unsigned n;
    SSL_get0_alpn_selected(t->ssl, &p, &n);
    return n == strlen(TLS_ALPN) && !memcmp(p, TLS_ALPN, n);
}

size_t
net_tls_binding(const struct net_tls *t, unsigned char out[NET_TLS_BINDING_MAX])
{
    memcpy(out, t->binding, t->n_binding);
    return t->n_binding;
}
