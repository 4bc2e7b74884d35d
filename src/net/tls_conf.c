// SPDX-License-Identifier: ISC
/* TLS configurations: settings and files become one immutable SSL_CTX; see tls.h. Each way
 * in which a file can be wrong has a line of its own, since OpenSSL's texts ("no start
 * line") help nobody. */
#include "net/tls_conf.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define ALPN_WIRE "\x0a" TLS_ALPN

static void
conf_free(struct ref *ref)
{
    struct net_tls_conf *c = (struct net_tls_conf *)(void *)ref;
    SSL_CTX_free(c->ctx);
    mem_free(c->warning);
    mem_free(c);
}

static void
ref_drop_p(struct net_tls_conf **c)
{
    ref_drop(*c);
}
CLEANUP_DEFINE(BIO *, BIO_free_all)
CLEANUP_DEFINE(X509_CRL *, X509_CRL_free)

/* The reason of the oldest error, which is the cause; empties the queue. "" if OpenSSL
 * gave none. */
static const char *
ssl_reason(void)
{
    unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code))
        return strerror(ERR_GET_REASON(code));
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    return text ? text : "";
}

/* A file that is there, is one, and may be read: OpenSSL would wait for ever at a pipe. */
static int
check_file(const char *path, const char *what, struct stat *st, struct err *err)
{
    if (stat(path, st) < 0 || access(path, R_OK) < 0) {
        (void)err_errno(err, -errno, "%s: can't read the %s", path, what);
        return -EINVAL;
    }
    if (!S_ISREG(st->st_mode))
        return err_set(err, -EINVAL, "%s: the %s must be a regular file", path, what);
    return 0;
}

/* PostgreSQL's rule: ours alone, or root's with read access for a group. */
static int
check_key_mode(const char *path, const struct stat *st, struct err *err)
{
    uid_t me = geteuid();
    unsigned mode = st->st_mode & 07777;
    if (st->st_uid != me && st->st_uid != 0)
        return err_set(err, -EINVAL,
            "%s: the private key belongs to user %u, it must be ours (user %u) or "
            "root's; run chown",
            path, (unsigned)st->st_uid, (unsigned)me);
    unsigned forbidden = st->st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO
                                         : S_IRWXG | S_IRWXO;
    if (mode & forbidden)
        return err_set(err, -EINVAL,
            "%s: others have access to the private key (mode %04o); run chmod %s", path,
            mode, st->st_uid == 0 ? "0640, or 0600" : "0600");
    return 0;
}

/* Instead of OpenSSL's default, which asks on the terminal. */
static int
refuse_passphrase(char *buf, int size, int is_write, void *was_asked)
{
    (void)buf, (void)size, (void)is_write;
    if (was_asked)
        *(bool *)was_asked = true;
    return -1;
}

static int
load_key(
    struct net_tls_conf *c, const char *path, const char *cert_path, struct err *err)
{
    struct stat st;
    bool was_asked = false;
    int r = check_file(path, "private key", &st, err);
    if (r == 0)
        r = check_key_mode(path, &st, err);
    if (r)
        return r;
    SSL_CTX_set_default_passwd_cb_userdata(c->ctx, &was_asked);
    bool is_taken = SSL_CTX_use_PrivateKey_file(c->ctx, path, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(c->ctx, NULL);
    unsigned long code = ERR_peek_last_error();
    bool is_other = ERR_GET_LIB(code) == ERR_LIB_X509
        && (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH
            || ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH);
    /* A key of another kind (RSA, EC) is taken for a certificate yet to come. */
    if (is_other || (is_taken && SSL_CTX_check_private_key(c->ctx) != 1)) {
        ERR_clear_error();
        return err_set(err, -EINVAL,
            "%s: this private key is not the one of the certificate %s", path,
            cert_path);
    }
    if (is_taken)
        return 0;
    const char *reason = ssl_reason();
    if (was_asked)
        return err_set(err, -EINVAL,
            "%s: the private key is encrypted and nobody is there to ask for its "
            "passphrase; decrypt it: openssl pkey -in FILE -out NEWFILE",
            path);
    return err_set(
        err, -EINVAL, "%s: holds no private key in PEM form (%s)", path, reason);
}

/* Says when the time is over, or is yet to come. */
static void
warn_of_time(struct net_tls_conf *c, const char *path, const char *what,
    const ASN1_TIME *from, const ASN1_TIME *until)
{
    bool is_early = from && X509_cmp_current_time(from) > 0;
    bool is_late = until && X509_cmp_current_time(until) < 0;
    AUTO(BIO_free_all) BIO *text = BIO_new(BIO_s_mem());
    char *p;
    if (c->warning || (!is_early && !is_late) || !text
        || ASN1_TIME_print(text, is_late ? until : from) != 1)
        return;
    long n = BIO_get_mem_data(text, &p);
    c->warning = mem_printf("%s: the %s %s %.*s; replace it and reload", path, what,
        is_late ? "is out of date since" : "is not valid before", (int)n, p);
}

static int
load_cert(struct net_tls_conf *c, const char *path, struct err *err)
{
    struct stat st;
    int r = check_file(path, "certificate", &st, err);
    if (r)
        return r;
    if (SSL_CTX_use_certificate_chain_file(c->ctx, path) != 1) {
        unsigned long code = ERR_peek_error();
        const char *reason = ssl_reason();
        if (ERR_GET_LIB(code) == ERR_LIB_PEM)
            return err_set(err, -EINVAL, "%s: holds no certificate in PEM form (%s)",
                path, reason);
        return err_set(
            err, -EINVAL, "%s: the certificate is refused: %s", path, reason);
    }
    X509 *cert = SSL_CTX_get0_certificate(c->ctx);
    warn_of_time(
        c, path, "certificate", X509_get0_notBefore(cert), X509_get0_notAfter(cert));
    c->n_binding = tls_binding_of(cert, c->binding);
    return 0;
}

static int
load_own(struct net_tls_conf *c, const struct net_tls_settings *s, struct err *err)
{
    if (c->is_server && (!s->key_file || !s->cert_file))
        return err_set(err, -EINVAL,
            "TLS towards clients needs a certificate and its private key; no %s file "
            "is set",
            s->cert_file ? "key" : "certificate");
    if (!s->key_file && !s->cert_file)
        return 0;
    if (!s->key_file || !s->cert_file)
        return err_set(err, -EINVAL, "%s: a %s file without a %s file; set both",
            s->key_file ? s->key_file : s->cert_file,
            s->key_file ? "private key" : "certificate",
            s->key_file ? "certificate" : "private key");
    int r = load_cert(c, s->cert_file, err);
    return r ? r : load_key(c, s->key_file, s->cert_file, err);
}

static int
load_system_ca(
    struct net_tls_conf *c, const struct net_tls_settings *s, struct err *err)
{
    if (c->is_server)
        return err_set(err, -EINVAL,
            "the system's CAs vouch for anybody's certificate; to check clients, name "
            "the file of your own CA");
    if (s->mode != NET_TLS_VERIFY_FULL)
        return err_set(err, -EINVAL,
            "the system's CAs vouch for anybody's server; use them with verify-full "
            "only");
    if (SSL_CTX_set_default_verify_paths(c->ctx) != 1)
        return err_set(err, -EINVAL, "the system's CAs can't be had: %s", ssl_reason());
    return 0;
}

static int
load_ca(struct net_tls_conf *c, const struct net_tls_settings *s, struct err *err)
{
    if (!strcmp(s->ca_file, "system"))
        return load_system_ca(c, s, err);
    struct stat st;
    int r = check_file(s->ca_file, "CA certificates", &st, err);
    if (r)
        return r;
    if (SSL_CTX_load_verify_file(c->ctx, s->ca_file) != 1)
        return err_set(err, -EINVAL, "%s: holds no CA certificate in PEM form (%s)",
            s->ca_file, ssl_reason());
    if (!c->is_server)
        return 0;
    /* Sent to clients, who choose their certificate by it. */
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(s->ca_file);
    if (!names)
        return err_set(err, -EINVAL, "%s: holds no CA certificate in PEM form (%s)",
            s->ca_file, ssl_reason());
    SSL_CTX_set_client_CA_list(c->ctx, names);
    return 0;
}

/* One by one: OpenSSL's own loaders would also trust certificates that stand in there. */
static int
load_crl(struct net_tls_conf *c, const char *path, struct err *err)
{
    struct stat st;
    int r = check_file(path, "revocation list", &st, err), n = 0;
    if (r)
        return r;
    X509_STORE *store = SSL_CTX_get_cert_store(c->ctx);
    AUTO(BIO_free_all) BIO *file = BIO_new_file(path, "r");
    for (; file; n++) {
        AUTO(X509_CRL_free)
        X509_CRL *crl = PEM_read_bio_X509_CRL(file, NULL, refuse_passphrase, NULL);
        if (!crl)
            break;
        if (X509_STORE_add_crl(store, crl) != 1)
            return err_set(err, -EINVAL, "%s: the revocation list is refused: %s", path,
                ssl_reason());
        warn_of_time(c, path, "revocation list", X509_CRL_get0_lastUpdate(crl),
            X509_CRL_get0_nextUpdate(crl));
    }
    unsigned long code = ERR_peek_last_error();
    const char *reason = ssl_reason();
    if (n == 0)
        return err_set(err, -EINVAL, "%s: holds no revocation list in PEM form (%s)",
            path, reason);
    if (ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        return err_set(err, -EINVAL, "%s: revocation list %d is damaged (%s)", path,
            n + 1, reason);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return 0;
}

static int
set_verify(struct net_tls_conf *c, const struct net_tls_settings *s, struct err *err)
{
    bool is_strict = s->mode == NET_TLS_VERIFY_CA || s->mode == NET_TLS_VERIFY_FULL;
    if (is_strict && !s->ca_file)
        return err_set(err, -EINVAL, "%s needs a CA file to verify against; set one",
            s->mode == NET_TLS_VERIFY_CA ? "verify-ca" : "verify-full");
    if (s->crl_file && !s->ca_file)
        return err_set(err, -EINVAL, "%s: a revocation list needs a CA file; set one",
            s->crl_file);
    if (!s->ca_file) {
        SSL_CTX_set_verify(c->ctx, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    c->must_match_name = !c->is_server && s->mode == NET_TLS_VERIFY_FULL;
    SSL_CTX_set_verify(c->ctx,
        SSL_VERIFY_PEER | (is_strict ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    int r = load_ca(c, s, err);
    return r || !s->crl_file ? r : load_crl(c, s->crl_file, err);
}

static int
set_protocols(struct net_tls_conf *c, const char *list, struct err *err)
{
    struct str rest = str_of(list ? list : "secure"), item;
    bool has_12 = false, has_13 = false;
    while (str_next_item(&rest, &item)) {
        bool is_all = str_ieqz(item, "secure");
        bool is_12 = is_all || str_ieqz(item, "tlsv1.2");
        bool is_13 = is_all || str_ieqz(item, "tlsv1.3");
        if (!is_12 && !is_13)
            return err_set(err, -EINVAL,
                "TLS protocol \"%.*s\" is not known or not secure; write secure, or a "
                "list of tlsv1.2 and tlsv1.3",
                (int)item.n, item.p);
        has_12 |= is_12;
        has_13 |= is_13;
    }
    if (!has_12 && !has_13)
        return err_set(err, -EINVAL,
            "the list of TLS protocols is empty; write secure, or a list of tlsv1.2 and "
            "tlsv1.3");
    if (SSL_CTX_set_min_proto_version(c->ctx, has_12 ? TLS1_2_VERSION : TLS1_3_VERSION)
            != 1
        || SSL_CTX_set_max_proto_version(
               c->ctx, has_13 ? TLS1_3_VERSION : TLS1_2_VERSION)
            != 1)
        return err_set(err, -EINVAL, "TLS protocols can't be set: %s", ssl_reason());
    return 0;
}

/* A client that speaks something else only is another protocol's, maybe led here by an
 * attacker (ALPACA): the handshake fails, as with PostgreSQL 17. */
static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *ctx)
{
    (void)ssl, (void)ctx;
    for (unsigned i = 0; i < in_len; i += in[i] + 1u) {
        if (in[i] == strlen(TLS_ALPN) && in[i] < in_len - i
            && !memcmp(in + i + 1, TLS_ALPN, in[i])) {
            *out = in + i + 1;
            *out_len = in[i];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Sessions are not resumed: a ticket's key would outlive the connections it protects and
 * have to be renewed, the server's check of a client certificate would be skipped, and
 * PostgreSQL does without, too. */
static void
set_options(struct net_tls_conf *c)
{
    SSL_CTX_set_options(c->ctx,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET
            | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(c->ctx, 0);
    SSL_CTX_set_default_passwd_cb(c->ctx, refuse_passphrase);
    SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c->ctx,
        SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
            | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (c->is_server)
        SSL_CTX_set_alpn_select_cb(c->ctx, select_alpn, NULL);
    else if (SSL_CTX_set_alpn_protos(
                 c->ctx, (const unsigned char *)ALPN_WIRE, sizeof ALPN_WIRE - 1)
        != 0)
        DG_ASSERT(false, "the protocol's name is refused");
}

static int
make(const struct net_tls_settings *s, bool is_server, struct net_tls_conf **out,
    struct err *err)
{
    AUTO(ref_drop) struct net_tls_conf *c = mem_zalloc(sizeof *c);
    ref_init(&c->ref, conf_free);
    c->is_server = is_server;
    ERR_clear_error();
    c->ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    if (!c->ctx)
        return err_set(err, -EINVAL, "TLS can't be had from OpenSSL: %s", ssl_reason());
    set_options(c);
    int r = set_protocols(c, s->protocols, err);
    if (r)
        return r;
    /* Before the files: the list may set the security level they are judged by. */
    if (s->ciphers && SSL_CTX_set_cipher_list(c->ctx, s->ciphers) != 1)
        return err_set(err, -EINVAL,
            "TLS ciphers \"%s\": %s; see what it means: openssl ciphers -v 'LIST'",
            s->ciphers, ssl_reason());
    r = load_own(c, s, err);
    if (r == 0)
        r = set_verify(c, s, err);
    if (r)
        return r;
    *out = c;
    c = NULL;
    return 0;
}

int
net_tls_server_conf(
    const struct net_tls_settings *s, struct net_tls_conf **out, struct err *err)
{
    return make(s, true, out, err);
}

int
net_tls_client_conf(
    const struct net_tls_settings *s, struct net_tls_conf **out, struct err *err)
{
    return make(s, false, out, err);
}

const char *
net_tls_conf_warning(const struct net_tls_conf *conf)
{
    return conf->warning;
}

size_t
tls_binding_of(X509 *cert, unsigned char out[NET_TLS_BINDING_MAX])
{
    int nid = NID_undef;
    unsigned n = 0;
    if (X509_get_signature_info(cert, &nid, NULL, NULL, NULL) != 1)
        nid = NID_undef;
    if (nid == NID_md5 || nid == NID_sha1)
        nid = NID_sha256;
    const EVP_MD *md = nid == NID_undef ? NULL : EVP_get_digestbynid(nid);
    bool is_done = md && EVP_MD_get_size(md) <= NET_TLS_BINDING_MAX
        && X509_digest(cert, md, out, &n) == 1;
    ERR_clear_error();
    return is_done ? n : 0;
}

char *
tls_name_text(const X509_NAME *name)
{
    AUTO(BIO_free_all) BIO *text = BIO_new(BIO_s_mem());
    char *p;
    if (!name || !text || X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253) < 0)
        return NULL;
    long n = BIO_get_mem_data(text, &p);
    return n >= 0 && !memchr(p, 0, (size_t)n) ? mem_strndup(p, (size_t)n) : NULL;
}
