// SPDX-License-Identifier: ISC
/* Reaching a server: its hosts and their addresses in turn (names are resolved anew each
 * time), the PROXY header, TLS as the entry asks for it (manual 55.2.12, 55.2.13). Knows no
 * session: cancel requests go the same way.
 *
 *   RESOLVING -> CONNECTING -> ASKING (SSLRequest) -> HANDSHAKE -> handed over
 *       ^            |            |                      |
 *       +------------+-- the next address or host -------+
 *
 * thread: worker */
#ifndef DG_SESSION_DIAL_H
#define DG_SESSION_DIAL_H

#include "session/links.h"
#include "session/worker.h"

struct sess_dial;

struct sess_dial_args {
    struct sess_worker *worker;
    struct sess_links *links;       /* a reference is taken */
    const struct sess_upstream *to; /* of links */
    const struct cfg_host *hosts;   /* copied; NULL: those of `to` */
    size_t n_hosts;
    size_t first; /* host to begin with */
    /* For the PROXY header, where the entry sends one: whose connection it is, and where
     * he reached us. NULL: our own (LOCAL). */
    const struct net_addr *client, *local;
};

struct sess_dialled {
    int fd;               /* the callee's */
    struct net_tls *tls;  /* the callee's; NULL: plain */
    struct net_addr addr; /* where it is */
    const char *host;     /* the host's name in the entry */
    size_t next;          /* number of the host behind it */
};

/* got NULL: nobody could be reached; where and why tell of the last try. Called once, never
 * from within sess_dial_new; the dial is gone after it. */
typedef void (*sess_dial_fn)(
    void *ctx, const struct sess_dialled *got, const char *where, const char *why);
struct sess_dial *
sess_dial_new(const struct sess_dial_args *args, sess_dial_fn done, void *ctx);
void sess_dial_free(struct sess_dial *d); /* gives up; NULL is fine */

#endif
