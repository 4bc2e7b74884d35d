// SPDX-License-Identifier: ISC
/* How clients come in and how servers are reached, made from one configuration: TLS of
 * both sides, secrets, pg_hba records. Immutable; a reload makes a new one, and sessions
 * keep what they began with.  thread: any once built */
#ifndef DG_SESSION_LINKS_H
#define DG_SESSION_LINKS_H

#include "auth/hba.h"
#include "auth/secret.h"
#include "base/cell.h"
#include "config/config.h"
#include "net/sock.h"
#include "net/tls.h"

/* A server (or peer) and the TLS towards it. */
struct sess_upstream {
    const struct cfg_database *cfg;
    struct net_tls_conf *tls; /* owned reference; NULL: sslmode=disable */
};

struct sess_links {
    struct ref ref;
    struct cfg *cfg;                 /* owned reference */
    struct net_tls_conf *client_tls; /* owned reference; NULL: none */
    struct auth_file *users;         /* owned reference; NULL: no auth_file */
    struct auth_hba *hba;            /* owned reference; NULL: auth_type isn't hba */
    struct sess_upstream *upstreams; /* as cfg->databases */
    struct sess_upstream *peers;     /* as cfg->peers */
};

/* Reads every file that the configuration names. 0, or -EINVAL/-errno with err: which
 * setting or entry (file:line), what is wrong, what to do. */
int
sess_links_new(struct cfg *cfg, struct sess_links **out, struct err *err) MUST_CHECK;
/* Where the database of a snapshot of the same configuration is. */
const struct sess_upstream *
sess_links_find(const struct sess_links *l, const struct cfg_database *db);
/* Must connections from this address begin with a PROXY header? */
bool sess_links_expects_proxy(const struct sess_links *l, const struct net_addr *peer);
/* What is configured and works, but not for everybody: lines for the log at start. fn gets
 * each one. */
void sess_links_warnings(
    const struct sess_links *l, void (*fn)(void *ctx, const char *text), void *ctx);

#endif
