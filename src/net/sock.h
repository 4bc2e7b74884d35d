// SPDX-License-Identifier: ISC
/* Sockets: listen, accept, connect, options. Everything is non-blocking and close-on-exec.
 * thread: any, except callbacks (the loop's) */
#ifndef DG_NET_SOCK_H
#define DG_NET_SOCK_H

#include "base/err.h"
#include "net/loop.h"

#include <sys/socket.h>

struct net_addr {
    struct sockaddr_storage ss;
    socklen_t len;
};

struct net_keepalive {
    bool enabled;
    int idle_s, interval_s, count; /* 0 = the kernel's default */
    int user_timeout_ms;           /* TCP_USER_TIMEOUT, 0 = off */
};

/* "10.0.0.7:51544", "[::1]:6432", "unix:/run/x". */
#define NET_ADDR_TEXT_SIZE 128
void net_addr_text(const struct net_addr *a, char out[NET_ADDR_TEXT_SIZE]);
/* "10.0.0.7" without the port; "" for unix. */
void net_addr_host(const struct net_addr *a, char out[NET_ADDR_TEXT_SIZE]);
int net_addr_port(const struct net_addr *a);
/* Is a in "10.0.0.0/8", "::1", "192.168.1.7"? -EINVAL for a bad pattern, else 0/1. IPv4
 * inside IPv6 (::ffff:10.0.0.7) counts as IPv4; a unix socket is in nothing. */
int net_addr_in(const struct net_addr *a, const char *cidr) MUST_CHECK;

/* Resolves host and port (blocking for names, not for numbers; "/dir" is a unix socket
 * "/dir/.s.PGSQL.port"; passive: "*" is every address of the machine, IPv4 and, where the
 * kernel has it, IPv6; port 0 takes a free one). Up to max results; returns their number
 * (at least 1) or -errno with err. */
int net_resolve(const char *host, const char *port, bool passive, struct net_addr *out,
    size_t max, struct err *err) MUST_CHECK;
bool net_is_numeric(const char *host); /* an address or a unix socket: never blocks */

/* A listening socket. accepted() owns fd. When descriptors run out it keeps a reserve, so
 * that a client gets an answer: full() is called with a usable fd then, which is closed
 * after it returns. At most NET_ACCEPT_MAX clients are taken per turn of the loop; when
 * the kernel has no memory or descriptors at all it pauses for NET_ACCEPT_PAUSE_MS. Both
 * callbacks may free the listener. IPv6 sockets take IPv6 only; a unix socket left behind
 * by a dead process is replaced, and removed by net_listener_free. */
#define NET_ACCEPT_MAX      64
#define NET_ACCEPT_PAUSE_MS 100
struct net_listener;
int net_listen(struct net_loop *l, const struct net_addr *addr, int backlog,
    bool reuseport, void (*accepted)(void *ctx, int fd, const struct net_addr *peer),
    void (*full)(void *ctx, int fd), void *ctx, struct net_listener **out,
    struct err *err) MUST_CHECK;
/* The same on a socket that is bound and listening already (socket activation). -EINVAL if
 * it isn't. The descriptor is the listener's then, its file stays when it is freed. */
int net_listen_on(struct net_loop *l, int fd,
    void (*accepted)(void *ctx, int fd, const struct net_addr *peer),
    void (*full)(void *ctx, int fd), void *ctx, struct net_listener **out,
    struct err *err) MUST_CHECK;
/* Takes every client that waits in the kernel's queue: closing the socket would turn them
 * away. More than any queue holds are not taken: a flood must not keep us here. */
#define NET_TAKE_ALL_MAX 65536
void net_listener_take_all(struct net_listener *l);
const struct net_addr *
net_listener_addr(const struct net_listener *l); /* with the real port */
void net_listener_free(struct net_listener *l);

/* Starts a connect: returns the fd (maybe in progress: writable when done, then
 * net_connect_result) or -errno. The caller closes it. */
int net_connect(const struct net_addr *addr) MUST_CHECK;
int net_connect_result(int fd) MUST_CHECK;                   /* 0 or -errno */
int net_local_addr(int fd, struct net_addr *out) MUST_CHECK; /* 0 or -errno */
/* The user of the process that connected, of a unix socket; -EPROTONOSUPPORT: it is none.
 * 0 or -errno. */
int net_peer_uid(int fd, uint32_t *uid) MUST_CHECK;
void
net_sock_options(int fd, const struct net_keepalive *ka); /* TCP_NODELAY, keepalive */
/* Raises RLIMIT_NOFILE to wanted, or as far as it goes; never lowers it. 0 or -errno;
 * *got is the limit that holds now, in both cases. */
int net_limit_fds(uint64_t wanted, uint64_t *got);

#endif
