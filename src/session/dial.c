// SPDX-License-Identifier: ISC
/* One attempt after the other; the first that gets as far as a usable connection wins. */
#include "session/dial.h"

#include "base/mem.h"
#include "net/proxy.h"
#include "pgwire/pgwire.h"

#include <errno.h>
#include <stdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ADDRESSES 8 /* of one host */
#define DIAL_MAGIC    0x6469616cu

enum step {
    STEP_NEXT, /* a host is to be resolved */
    STEP_RESOLVING,
    STEP_CONNECTING,
    STEP_ASKING,
    STEP_HANDSHAKE,
};

struct sess_dial {
    uint32_t magic;
    struct sess_worker *worker;
    struct sess_links *links; /* owned reference */
    const struct sess_upstream *to;
    struct cfg_host *hosts; /* owned array; strings owned, too */
    size_t n_hosts, next_host;
    struct net_addr addrs[MAX_ADDRESSES];
    size_t n_addrs, next_addr;
    struct net_addr client, local;
    bool has_client;
    sess_dial_fn done;
    void *ctx;
    enum step step;
    struct net_timer timer; /* of one address; also starts the first step */
    int fd;
    struct net_watch watch;
    struct net_tls *tls; /* owned */
    struct resolve *resolving;
    char where[NET_ADDR_TEXT_SIZE];
    struct err why;
};

/* Goes to a helper thread with a host name and comes back with addresses; its dial may be
 * gone by then. */
struct resolve {
    struct task task;
    struct sess_dial *dial; /* NULL: nobody waits */
    struct task_queue *queue;
    char *host, *port; /* owned */
    struct net_addr found[MAX_ADDRESSES];
    int n;
    struct err err;
};

static void try_next(struct sess_dial *d);
static void on_socket(void *ctx, unsigned what);

static void
close_socket(struct sess_dial *d)
{
    net_tls_free(d->tls);
    d->tls = NULL;
    if (d->fd < 0)
        return;
    net_watch_deinit(&d->watch);
    close(d->fd);
    d->fd = -1;
}

void
sess_dial_free(struct sess_dial *d)
{
    if (!d)
        return;
    DG_ASSERT(d->magic == DIAL_MAGIC, "not a dial");
    d->magic = 0;
    close_socket(d);
    net_timer_deinit(&d->timer);
    if (d->resolving)
        d->resolving->dial = NULL;
    for (size_t i = 0; i < d->n_hosts; i++) {
        mem_free((void *)(uintptr_t)d->hosts[i].host);
        mem_free((void *)(uintptr_t)d->hosts[i].hostaddr);
        mem_free((void *)(uintptr_t)d->hosts[i].port);
    }
    mem_free(d->hosts);
    ref_drop(d->links);
    mem_free(d);
}

/* Hands over what there is, NULL: nothing. */
static void
finish(struct sess_dial *d, const struct sess_dialled *got)
{
    sess_dial_fn done = d->done;
    void *ctx = d->ctx;
    AUTO(mem_free) char *where = mem_strdup(d->where);
    AUTO(mem_free) char *why = mem_strdup(d->why.text);
    AUTO(mem_free) char *host = got ? mem_strdup(got->host) : NULL;
    struct sess_dialled copy = { .fd = -1 };
    if (got) {
        copy = *got;
        copy.host = host;
        net_watch_deinit(&d->watch);
        d->fd = -1;
        d->tls = NULL;
    }
    sess_dial_free(d);
    done(ctx, got ? &copy : NULL, where, why);
}

static const struct cfg_host *
current_host(const struct sess_dial *d)
{
    return &d->hosts[d->next_host - 1];
}

/* This address is no good; d->why says why. */
static void
give_up_address(struct sess_dial *d)
{
    close_socket(d);
    try_next(d);
}

static void
arrived(struct sess_dial *d)
{
    struct sess_dialled got = { .fd = d->fd,
        .tls = d->tls,
        .addr = d->addrs[d->next_addr - 1],
        .host = current_host(d)->host,
        .next = d->next_host };
    finish(d, &got);
}

static void
shake_hands(struct sess_dial *d)
{
    int r = net_tls_handshake(d->tls, &d->why);
    if (r < 0)
        give_up_address(d);
    else if (r == 0)
        arrived(d);
    else
        net_watch_set(&d->watch, r == NET_TLS_WANT_READ ? NET_READ : NET_WRITE);
}

static void
start_tls(struct sess_dial *d)
{
    d->step = STEP_HANDSHAKE;
    d->tls = net_tls_connect(
        d->to->tls, d->fd, current_host(d)->host, d->to->cfg->has_sni);
    shake_hands(d);
}

/* A fresh socket takes these few bytes at once, or something is wrong with it. */
static bool
send_all(struct sess_dial *d, const char *p, size_t n)
{
    ssize_t sent = send(d->fd, p, n, MSG_NOSIGNAL);
    if (sent == (ssize_t)n)
        return true;
    err_set(&d->why, 0, "%s", sent < 0 ? strerror(errno) : "the socket takes no data");
    return false;
}

static bool
send_proxy_header(struct sess_dial *d)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(NET_PROXY_MAX_BUILT);
    if (!d->to->cfg->sends_proxy_header)
        return true;
    net_proxy_build(&b, d->has_client ? &d->client : NULL, &d->local);
    return send_all(d, buf_ptr(&b), buf_len(&b));
}

static void
connected(struct sess_dial *d)
{
    static const char request[] = { 0, 0, 0, 8, 0x04, (char)0xd2, 0x16, 0x2f };
    bool is_local = d->addrs[d->next_addr - 1].ss.ss_family == AF_UNIX;
    int r = net_connect_result(d->fd);
    if (r) {
        err_set(&d->why, 0, "%s", strerror(-r));
        give_up_address(d);
    } else if (!send_proxy_header(d)) {
        give_up_address(d);
    } else if (!d->to->tls || is_local) { /* as libpq: no TLS over a unix socket */
        arrived(d);
    } else if (d->to->cfg->is_direct_tls) {
        start_tls(d);
    } else if (!send_all(d, request, sizeof(request))) {
        give_up_address(d);
    } else {
        d->step = STEP_ASKING;
        net_watch_set(&d->watch, NET_READ);
    }
}

/* One byte: nothing that follows it in clear may be taken for something said under TLS. */
static void
read_answer(struct sess_dial *d)
{
    char answer = 0;
    ssize_t n = recv(d->fd, &answer, 1, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == 1 && answer == 'S') {
        start_tls(d);
        return;
    }
    if (n == 1 && answer == 'N' && d->to->cfg->tls.mode <= CFG_SSL_PREFER) {
        arrived(d);
        return;
    }
    if (n == 1 && answer == 'N')
        err_set(&d->why, 0, "it does no TLS, which sslmode demands");
    else if (n == 1 && answer == 'E')
        err_set(&d->why, 0, "it answers the request for TLS with an error");
    else
        err_set(&d->why, 0, "%s",
            n < 0        ? strerror(errno)
                : n == 0 ? "it closed the connection when TLS was asked for"
                         : "it answers the request for TLS with something else");
    give_up_address(d);
}

static void
on_socket(void *ctx, unsigned what)
{
    struct sess_dial *d = ctx;
    (void)what;
    DG_ASSERT(d->magic == DIAL_MAGIC, "not a dial");
    switch (d->step) {
    case STEP_NEXT:
    case STEP_RESOLVING:
        break;
    case STEP_CONNECTING:
        connected(d);
        break;
    case STEP_ASKING:
        read_answer(d);
        break;
    case STEP_HANDSHAKE:
        shake_hands(d);
        break;
    }
}

/* --- addresses ---------------------------------------------------------------------------- */

static void
resolved(struct task *task)
{
    struct resolve *r = LIST_ENTRY(task, struct resolve, task);
    struct sess_dial *d = r->dial;
    if (d) {
        d->resolving = NULL;
        d->n_addrs = r->n > 0 ? (size_t)r->n : 0;
        memcpy(d->addrs, r->found, d->n_addrs * sizeof(d->addrs[0]));
        if (r->n <= 0)
            d->why = r->err;
        try_next(d);
    }
    mem_free(r->host);
    mem_free(r->port);
    mem_free(r);
}

static void
resolve_away(struct task *task)
{
    struct resolve *r = LIST_ENTRY(task, struct resolve, task);
    r->n = net_resolve(r->host, r->port, false, r->found, MAX_ADDRESSES, &r->err);
    task->run = resolved;
    task_post(r->queue, task);
}

/* true: addresses are there, false: they will be, or this host has none. */
static bool
resolve(struct sess_dial *d, const struct cfg_host *h)
{
    const char *name = h->hostaddr ? h->hostaddr : h->host;
    snprintf(d->where, sizeof(d->where), "%s:%s", name, h->port);
    d->next_addr = d->n_addrs = 0;
    if (net_is_numeric(name)) {
        int n = net_resolve(name, h->port, false, d->addrs, MAX_ADDRESSES, &d->why);
        d->n_addrs = n > 0 ? (size_t)n : 0;
        return true;
    }
    struct resolve *r = mem_zalloc(sizeof(*r));
    r->dial = d;
    r->queue = net_loop_queue(d->worker->loop);
    r->host = mem_strdup(name);
    r->port = mem_strdup(h->port);
    r->task.run = resolve_away;
    d->resolving = r;
    d->step = STEP_RESOLVING;
    task_pool_post(d->worker->shared->parsers, &r->task);
    return false;
}

static bool
start_connect(struct sess_dial *d)
{
    const struct net_addr *addr = &d->addrs[d->next_addr++];
    net_addr_text(addr, d->where);
    d->fd = net_connect(addr);
    if (d->fd < 0) {
        err_set(&d->why, 0, "%s", strerror(-d->fd));
        d->fd = -1;
        return false;
    }
    d->step = STEP_CONNECTING;
    net_watch_init(&d->watch, d->worker->loop, d->fd, on_socket, d);
    net_watch_set(&d->watch, NET_WRITE);
    net_timer_start(&d->timer, d->to->cfg->connect_timeout_ms);
    return true;
}

static void
try_next(struct sess_dial *d)
{
    for (;;) {
        while (d->next_addr < d->n_addrs)
            if (start_connect(d))
                return;
        if (d->next_host == d->n_hosts)
            break;
        if (!resolve(d, &d->hosts[d->next_host++]))
            return;
    }
    finish(d, NULL);
}

static void
on_timer(void *ctx)
{
    struct sess_dial *d = ctx;
    DG_ASSERT(d->magic == DIAL_MAGIC, "not a dial");
    if (d->step == STEP_NEXT) {
        try_next(d);
        return;
    }
    err_set(&d->why, 0, "no answer within %lld ms",
        (long long)d->to->cfg->connect_timeout_ms);
    give_up_address(d);
}

struct sess_dial *
sess_dial_new(const struct sess_dial_args *args, sess_dial_fn done, void *ctx)
{
    struct sess_dial *d = mem_zalloc(sizeof(*d));
    const struct cfg_host *hosts = args->hosts ? args->hosts : args->to->cfg->hosts;
    d->magic = DIAL_MAGIC;
    d->worker = args->worker;
    d->links = ref_take(args->links);
    d->to = args->to;
    d->n_hosts = args->hosts ? args->n_hosts : args->to->cfg->n_hosts;
    d->hosts = mem_array(d->n_hosts, sizeof(*d->hosts));
    for (size_t i = 0; i < d->n_hosts; i++)
        d->hosts[i] = (struct cfg_host){ .host = mem_strdup(hosts[i].host),
            .hostaddr = mem_strdup(hosts[i].hostaddr),
            .port = mem_strdup(hosts[i].port) };
    d->next_host = args->first;
    d->has_client = args->client != NULL;
    if (args->client)
        d->client = *args->client;
    if (args->local)
        d->local = *args->local;
    d->fd = -1;
    d->done = done;
    d->ctx = ctx;
    net_timer_init(&d->timer, d->worker->loop, on_timer, d);
    net_timer_start(&d->timer, 0);
    return d;
}
