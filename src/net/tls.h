// SPDX-License-Identifier: ISC
/* TLS on a connected, non-blocking socket (OpenSSL), either end of it. A configuration is
 * immutable and shared by all threads; a reload makes a new one while connections go on
 * with theirs. Names and meanings of the modes are libpq's (manual 34.19).
 *
 * The socket stays the caller's: he watches it and closes it after net_tls_free. Buffers
 * are given back while a connection is idle.  thread: configurations any, connections the
 * owner's */
#ifndef DG_NET_TLS_H
#define DG_NET_TLS_H

#include "base/cell.h"
#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

enum net_tls_mode {
    NET_TLS_DISABLE,
    NET_TLS_ALLOW,
    NET_TLS_PREFER,
    NET_TLS_REQUIRE,
    NET_TLS_VERIFY_CA,
    NET_TLS_VERIFY_FULL,
};

struct net_tls_settings {
    enum net_tls_mode mode;
    /* Paths, NULL: none. ca_file "system" takes the system's store, towards servers with
     * VERIFY_FULL only: those CAs vouch for anybody. A key that group or others may read is
     * refused, as PostgreSQL does (root's may be group-readable). crl_file needs a ca_file
     * and must have a list of every CA in use. */
    const char *key_file, *cert_file, *ca_file, *crl_file;
    const char *ciphers;   /* OpenSSL's list for TLS 1.2; NULL: its default */
    const char *protocols; /* pgbouncer's: "secure" (1.2 and 1.3), or a list of tlsv1.2,
                              tlsv1.3; NULL: secure */
};

struct net_tls_conf; /* starts with a struct ref */

/* Towards clients: needs key and certificate. VERIFY_CA and VERIFY_FULL demand a client
 * certificate that ca_file vouches for; with a ca_file and a lesser mode one is asked for
 * and checked if it comes. Offers ALPN "postgresql".
 * 0, or -EINVAL with err: which file, what is wrong with it, what to do. */
int net_tls_server_conf(const struct net_tls_settings *s, struct net_tls_conf **out,
    struct err *err) MUST_CHECK;
/* Towards servers: VERIFY_CA and VERIFY_FULL need a ca_file; one that is given is checked
 * against in every mode, as libpq does. Key and certificate, if given, are this gate's
 * client certificate. Offers ALPN "postgresql". */
int net_tls_client_conf(const struct net_tls_settings *s, struct net_tls_conf **out,
    struct err *err) MUST_CHECK;
/* One line for the log: the own certificate or a CRL is out of date, which the peers will
 * say later in worse words. NULL: nothing to say. */
const char *net_tls_conf_warning(const struct net_tls_conf *conf);

struct net_tls;
/* Both take a reference to conf and never fail. host: the server's name, for SNI (unless it
 * is an address or sni is off) and VERIFY_FULL. */
struct net_tls *net_tls_accept(struct net_tls_conf *conf, int fd);
struct net_tls *
net_tls_connect(struct net_tls_conf *conf, int fd, const char *host, bool sni);
void net_tls_free(struct net_tls *t); /* NULL is fine; says nothing to the peer */

enum {
    NET_TLS_WANT_READ = 1, /* call again when the socket is readable */
    NET_TLS_WANT_WRITE,    /* ... writable */
};
/* 0: done; the two above; -errno with err, fit for log and client (what failed: protocol
 * version, certificate unknown, expired, revoked, wrong name, ...). */
int net_tls_handshake(struct net_tls *t, struct err *err) MUST_CHECK;

/* As recv and send on a non-blocking socket: bytes, 0 at the end of the stream (close_notify
 * or not: clients just close), -EAGAIN, or another -errno; after that one, only free it.
 * recv takes one whole record (n at least NET_TLS_RECORD, asserted), so that nothing is
 * left inside that the socket wouldn't announce. send may take a part; after its -EAGAIN
 * the next call must begin with the same bytes, at least as many (the place may change).
 * SIGPIPE must be ignored: OpenSSL writes without MSG_NOSIGNAL. */
#define NET_TLS_RECORD ((size_t)16384)
ssize_t net_tls_recv(struct net_tls *t, void *p, size_t n) MUST_CHECK;
ssize_t net_tls_send(struct net_tls *t, const void *p, size_t n) MUST_CHECK;
/* After -EAGAIN of recv (or send): the direction that it really waits for, if it is not the
 * obvious one: NET_TLS_WANT_WRITE (or READ), else 0. */
int net_tls_wants(const struct net_tls *t);
/* Why the handshake, recv or send failed; "" before. A server that refuses our certificate
 * in TLS 1.3 says so to the first recv only. */
const char *net_tls_failure(const struct net_tls *t);
void
net_tls_shutdown(struct net_tls *t); /* close_notify, as far as the socket takes it */

/* What a finished handshake told. Strings live as long as the connection. */
const char *net_tls_version(const struct net_tls *t); /* "TLSv1.3" */
const char *net_tls_cipher(const struct net_tls *t);
/* Is the peer's certificate there (and, by the configuration, checked)? */
bool net_tls_has_peer_cert(const struct net_tls *t);
/* Common name of the peer's certificate, NULL if there is none or it holds a NUL. */
const char *net_tls_peer_cn(const struct net_tls *t);
const char *net_tls_peer_dn(const struct net_tls *t); /* RFC 2253; NULL: none */
bool net_tls_has_alpn(const struct net_tls *t);       /* "postgresql" was agreed on */
/* Channel binding tls-server-end-point (RFC 5929) of the connection's server certificate:
 * ours after accept, the peer's after connect. Bytes in out, or 0 if it has none. */
#define NET_TLS_BINDING_MAX 64
size_t net_tls_binding(const struct net_tls *t, unsigned char out[NET_TLS_BINDING_MAX]);

#endif
