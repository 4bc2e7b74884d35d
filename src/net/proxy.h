#ifndef DG_NET_PROXY_H
#define DG_NET_PROXY_H
#include "base/buf.h"
#include "base/err.h"
#include "net/sock.h"
#define NET_PROXY_MAX_BUILT 256
#define NET_PROXY_NEED_MORE 1
struct net_proxy { bool is_local; struct net_addr source, destination; };
static inline int net_proxy_parse(const char *p, size_t n, struct net_proxy *o, size_t *missing, struct err *err){(void)p;(void)n;(void)o;(void)missing;return err_set(err,2,"tmp");}
static inline void net_proxy_build(struct buf *b, const struct net_addr *s, const struct net_addr *d){(void)b;(void)s;(void)d;}
#endif
