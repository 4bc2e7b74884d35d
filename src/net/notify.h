#ifndef DG_NET_NOTIFY_H
#define DG_NET_NOTIFY_H
static inline void net_notify(const char *s){(void)s;}
#endif
