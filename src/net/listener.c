// SPDX-License-Identifier: ISC
/* Listening sockets. Running out of descriptors must not leave clients hanging in the
 * kernel's queue, and a level-triggered loop spinning: one descriptor is kept back to
 * take a client, tell it, and close. */
#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define LISTENER_MAGIC 0x6c697374u

struct net_listener {
    uint32_t magic;
    int fd;         /* owned */
    int reserve_fd; /* owned; -1: could not be had again yet */
    struct net_addr addr;
    bool is_bound_unix; /* the path is ours to remove */
    struct net_watch watch;
    struct net_timer pause;
    void (*accepted)(void *ctx, int fd, const struct net_addr *peer);
    void (*full)(void *ctx, int fd);
    void *ctx;
    bool *is_gone; /* set while a callback runs that may free us */
};

static int
open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
pause_accepting(struct net_listener *l)
{
    net_watch_set(&l->watch, 0);
    net_timer_start(&l->pause, NET_ACCEPT_PAUSE_MS);
}

static void
on_pause_over(void *ctx)
{
    struct net_listener *l = ctx;
    DG_ASSERT(l->magic == LISTENER_MAGIC, "not a listener");
    if (l->reserve_fd < 0)
        l->reserve_fd = open_reserve();
    net_watch_set(&l->watch, NET_READ);
}

static int
accept_one(int listen_fd, struct net_addr *peer)
{
    *peer = (struct net_addr){ .len = sizeof peer->ss };
    int fd = accept4(listen_fd, (struct sockaddr *)&peer->ss, &peer->len,
        SOCK_NONBLOCK | SOCK_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Takes one client with the reserve; false when the listener is gone or must pause. */
static bool
turn_away(struct net_listener *l)
{
    if (l->reserve_fd < 0) {
        pause_accepting(l);
        return false;
    }
    close(l->reserve_fd);
    l->reserve_fd = -1;
    struct net_addr peer;
    int fd = accept_one(l->fd, &peer);
    bool is_gone = false;
    if (fd >= 0) {
        l->is_gone = &is_gone;
        l->full(l->ctx, fd);
        close(fd);
        if (is_gone)
            return false;
        l->is_gone = NULL;
    }
    l->reserve_fd = open_reserve();
    /* Another thread may have taken the descriptor: nothing to be had for now. */
    if (l->reserve_fd < 0 || fd == -EMFILE || fd == -ENFILE) {
        pause_accepting(l);
        return false;
    }
    return fd >= 0;
}

/* Takes one client; false when there is none left or no more should be taken. */
static bool
take(struct net_listener *l)
{
    struct net_addr peer;
    int fd = accept_one(l->fd, &peer);
    if (fd >= 0) {
        bool is_gone = false;
        l->is_gone = &is_gone;
        l->accepted(l->ctx, fd, &peer);
        if (!is_gone)
            l->is_gone = NULL;
        return !is_gone;
    }
    switch (-fd) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        return turn_away(l);
    case ENOMEM:
    case ENOBUFS:
        pause_accepting(l);
        return false;
    default:
        /* The client went away before it was taken (ECONNABORTED and, as accept(2)
         * says, pending errors of the network): the next one may be well. */
        return true;
    }
}

static void
on_clients(void *ctx, unsigned what)
{
    struct net_listener *l = ctx;
    DG_ASSERT(l->magic == LISTENER_MAGIC, "not a listener");
    (void)what;
    for (int i = 0; i < NET_ACCEPT_MAX; i++)
        if (!take(l))
            return;
}

/* Removes a unix socket that nobody listens on any more; anything else stays. */
static void
remove_stale(const struct net_addr *addr, const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    int r = connect(fd, (const struct sockaddr *)&addr->ss, addr->len);
    if (r < 0 && errno == ECONNREFUSED)
        unlink(path);
    close(fd);
}

static bool
unix_path(const struct net_addr *addr, char path[sizeof(struct sockaddr_un)])
{
    struct sockaddr_un un;
    if (addr->ss.ss_family != AF_UNIX)
        return false;
    memcpy(&un, &addr->ss, sizeof un);
    size_t n = strnlen(un.sun_path, sizeof un.sun_path);
    memcpy(path, un.sun_path, n);
    path[n] = '\0';
    return n > 0;
}

/* Opens, binds and listens; the fd or -errno. */
static int
open_socket(const struct net_addr *addr, int backlog, bool reuseport)
{
    int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1, r = 0;
    if (addr->ss.ss_family != AF_UNIX)
        r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (r == 0 && addr->ss.ss_family == AF_INET6)
        r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (r == 0 && reuseport && addr->ss.ss_family != AF_UNIX)
        r = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);

    char path[sizeof(struct sockaddr_un)];
    if (unix_path(addr, path))
        remove_stale(addr, path);
    if (r == 0)
        r = bind(fd, (const struct sockaddr *)&addr->ss, addr->len);
    if (r == 0)
        r = listen(fd, backlog);
    if (r == 0)
        return fd;
    int saved = errno;
    close(fd);
    return -saved;
}

static const char *
advice(int errnum)
{
    switch (errnum) {
    case EADDRINUSE:
        return "; another process listens there: stop it or choose another port";
    case EADDRNOTAVAIL:
        return "; the address is none of this machine's: check listen_addr";
    case EACCES:
        return "; choose a port from 1024 on, or a folder that may be written to";
    default:
        return "";
    }
}

static struct net_listener *
listener_new(struct net_loop *loop, int fd,
    void (*accepted)(void *ctx, int fd, const struct net_addr *peer),
    void (*full)(void *ctx, int fd), void *ctx)
{
    struct net_listener *l = mem_zalloc(sizeof *l);
    *l = (struct net_listener){ .magic = LISTENER_MAGIC,
        .fd = fd,
        .accepted = accepted,
        .full = full,
        .ctx = ctx,
        .reserve_fd = open_reserve(),
        .addr = { .len = sizeof l->addr.ss } };
    if (getsockname(fd, (struct sockaddr *)&l->addr.ss, &l->addr.len) < 0)
        l->addr.len = 0;
    net_timer_init(&l->pause, loop, on_pause_over, l);
    net_watch_init(&l->watch, loop, fd, on_clients, l);
    net_watch_set(&l->watch, NET_READ);
    return l;
}

int
net_listen(struct net_loop *loop, const struct net_addr *addr, int backlog,
    bool reuseport, void (*accepted)(void *ctx, int fd, const struct net_addr *peer),
    void (*full)(void *ctx, int fd), void *ctx, struct net_listener **out,
    struct err *err)
{
    int fd = open_socket(addr, backlog, reuseport);
    if (fd < 0) {
        char text[NET_ADDR_TEXT_SIZE];
        net_addr_text(addr, text);
        return err_set(
            err, fd, "cannot listen on %s: %s%s", text, strerror(-fd), advice(-fd));
    }

    struct net_listener *l = listener_new(loop, fd, accepted, full, ctx);
    char path[sizeof(struct sockaddr_un)];
    l->is_bound_unix = unix_path(addr, path);
    if (l->is_bound_unix)
        l->addr = *addr;
    *out = l;
    return 0;
}

int
net_listen_on(struct net_loop *loop, int fd,
    void (*accepted)(void *ctx, int fd, const struct net_addr *peer),
    void (*full)(void *ctx, int fd), void *ctx, struct net_listener **out,
    struct err *err)
{
    int is_listening = 0, flags = fcntl(fd, F_GETFL);
    socklen_t len = sizeof is_listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) < 0
        || !is_listening || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_set(err, -EINVAL,
            "descriptor %d that was handed over is no listening socket", fd);
    *out = listener_new(loop, fd, accepted, full, ctx);
    return 0;
}

void
net_listener_take_all(struct net_listener *l)
{
    for (int i = 0; i < NET_TAKE_ALL_MAX; i++)
        if (!take(l))
            return;
}

const struct net_addr *
net_listener_addr(const struct net_listener *l)
{
    return &l->addr;
}

void
net_listener_free(struct net_listener *l)
{
    if (!l)
        return;
    DG_ASSERT(l->magic == LISTENER_MAGIC, "not a listener");
    if (l->is_gone)
        *l->is_gone = true;
    net_watch_deinit(&l->watch);
    net_timer_deinit(&l->pause);
    char path[sizeof(struct sockaddr_un)];
    if (l->is_bound_unix && unix_path(&l->addr, path))
        unlink(path);
    close(l->fd);
    if (l->reserve_fd >= 0)
        close(l->reserve_fd);
    l->magic = 0;
    mem_free(l);
}
