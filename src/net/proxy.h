// SPDX-License-Identifier: ISC
/* The PROXY protocol, version 2 (HAProxy's proxy-protocol.txt, section 2.2): who stands
 * behind a load balancer, told in front of everything else. Pure functions.
 * thread: any */
#ifndef DG_NET_PROXY_H
#define DG_NET_PROXY_H

#include "base/buf.h"
#include "base/err.h"
#include "net/sock.h"

#define NET_PROXY_HEAD      16 /* signature, version and command, family, length */
#define NET_PROXY_MAX       4096 /* whole header with its TLVs; the protocol allows 64 kB */
#define NET_PROXY_MAX_BUILT 256

struct net_proxy {
    bool
        is_local; /* the balancer speaks for itself (health check): addresses don't count */
    struct net_addr source, destination;
};

enum {
    NET_PROXY_NEED_MORE = 1,
    NET_PROXY_E_MALFORMED,
};
/* Parses the n bytes read so far. 0: complete, *out holds what it says; NEED_MORE: *missing
 * more bytes are to be read, never one that stands behind the header; MALFORMED: err. An
 * address family other than IPv4, IPv6 and unix counts as local, as the text says. */
int net_proxy_parse(const char *p, size_t n, struct net_proxy *out, size_t *missing,
    struct err *err) MUST_CHECK;
/* Appends a header for a connection of source to destination; LOCAL if source is NULL, no
 * internet address, or of another family than destination. */
void net_proxy_build(
    struct buf *out, const struct net_addr *source, const struct net_addr *destination);

#endif
