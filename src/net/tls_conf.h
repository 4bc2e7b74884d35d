// SPDX-License-Identifier: ISC
/* What tls_conf.c makes and tls.c uses: the one header with OpenSSL's types in it, for these
 * two only.  thread: any, immutable once made */
#ifndef DG_NET_TLS_CONF_H
#define DG_NET_TLS_CONF_H

#include "net/tls.h"

#include <openssl/ssl.h>

struct net_tls_conf {
    struct ref ref;
    SSL_CTX *ctx; /* owned */
    bool is_server;
    bool must_match_name;                       /* VERIFY_FULL towards a server */
    char *warning;                              /* owned; NULL: none */
    unsigned char binding[NET_TLS_BINDING_MAX]; /* of the own certificate */
    size_t n_binding;
};

#define TLS_ALPN "postgresql"

/* Hash of a certificate as RFC 5929 4.1 wants it; 0: its signature has no one digest. */
size_t tls_binding_of(X509 *cert, unsigned char out[NET_TLS_BINDING_MAX]);
/* A name by RFC 2253, control characters and others than ASCII escaped; owned by the
 * caller, NULL if it can't be written down. */
char *tls_name_text(const X509_NAME *name);

#endif
