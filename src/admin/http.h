// SPDX-License-Identifier: ISC
/* The HTTP listener for probes (http_listen, off unless configured): /livez says that the
 * process runs its loop, /readyz whether new clients should come here. GET and HEAD only.
 * libevent's evhttp does the protocol; limits on time, headers and bodies keep it small.
 * thread: the loop's */
#ifndef DG_ADMIN_HTTP_H
#define DG_ADMIN_HTTP_H

#include "base/err.h"
#include "net/loop.h"
#include "net/sock.h"

struct adm_http;

struct adm_http_ops {
    /* Should new clients come? why: a short text for the person who asks. */
    bool (*is_ready)(void *ctx, const char **why);
    void *ctx;
};

/* listen: "127.0.0.1:9127" or "[::1]:9127"; port 0 takes a free one. 0 or -errno with err. */
int adm_http_new(struct net_loop *loop, const char *listen,
    const struct adm_http_ops *ops, struct adm_http **out, struct err *err) MUST_CHECK;
const struct net_addr *adm_http_addr(const struct adm_http *h); /* with the real port */
void adm_http_free(struct adm_http *h);                         /* NULL is fine */

#endif
