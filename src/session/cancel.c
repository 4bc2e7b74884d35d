// SPDX-License-Identifier: ISC
/* Cancel requests. The process id is the server's own (programs compare it with
 * pg_backend_pid()), the secret is ours; so a cancel must find its session, which may
 * belong to any worker: it visits them one after the other as a task. A key that no session
 * of this process has goes to every one of [peers].
 *
 * A cancel must never hit a later statement. While it is on its way the client's next
 * messages wait, and it is only sent while something runs: the server signals the backend
 * before it closes the cancel's connection, and a signal that finds the backend idle is
 * forgotten. */
#include "base/hash.h"
#include "base/mem.h"
#include "session/dial.h"
#include "session/links.h"
#include "session/own.h"
#include "session/steps.h"
#include "session/retry.h"
#include "session/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Behind the key of a request that comes from a peer: it goes no further, so that two gates
 * that don't know a key don't send it to and fro. */
static const char hop_mark[] = "ddlgate-peer-hop";
#define HOP_MARK_SIZE (sizeof(hop_mark) - 1)

struct cancel {
    struct task task;
    struct sess *from; /* the connection that asked; waits for us */
    struct sess_worker *home;
    struct sess_worker *at;
    size_t next;         /* worker to visit, then peer */
    struct sess *target; /* its next messages wait; NULL: none */
    bool is_hop;         /* came from a peer */
    uint32_t pid;
    unsigned char key[PGW_MAX_CANCEL_KEY];
    size_t key_len;
    struct sess_dialled link;
    struct net_watch watch;
    struct net_timer timer;
    bool is_sent;
};

static void offer_to_peer(struct cancel *c);

static void
went_home(struct task *task)
{
    struct cancel *c = LIST_ENTRY(task, struct cancel, task);
    struct sess *s = c->from;
    mem_free(c);
    if (!sess_answered(s))
        sess_end(s, SESS_END_CANCEL_DONE);
}

static void
go_home(struct cancel *c)
{
    c->task.run = went_home;
    task_post(net_loop_queue(c->home->loop), &c->task);
}

/* The session it was for may go on. */
static void
release_target(struct cancel *c)
{
    struct sess *s = c->target;
    c->target = NULL;
    if (!s)
        return;
    s->n_cancels--;
    if (sess_answered(s) || s->n_cancels > 0)
        return;
    sess_own_uncancelled(s);
    sess_steps_go_on(s);
    sess_resume(s);
}

static void
next_or_home(struct cancel *c)
{
    if (c->target) {
        release_target(c);
        go_home(c);
    } else {
        offer_to_peer(c);
    }
}

static void
delivered(struct cancel *c)
{
    net_timer_deinit(&c->timer);
    net_watch_deinit(&c->watch);
    net_tls_free(c->link.tls);
    close(c->link.fd);
    next_or_home(c);
}

static void
give_up(void *ctx)
{
    delivered(ctx);
}

static ssize_t
link_send(struct cancel *c, const char *p, size_t n)
{
    if (c->link.tls)
        return net_tls_send(c->link.tls, p, n);
    return send(c->link.fd, p, n, MSG_NOSIGNAL);
}

static ssize_t
link_recv(struct cancel *c, char *p, size_t n)
{
    if (c->link.tls)
        return net_tls_recv(c->link.tls, p, n);
    ssize_t got = recv(c->link.fd, p, n, MSG_DONTWAIT);
    return got < 0 ? -errno : got;
}

/* The server answers a cancel by closing the connection, nothing else. */
static void
on_link(void *ctx, unsigned what)
{
    struct cancel *c = ctx;
    char waste[NET_TLS_RECORD];
    (void)what;
    ssize_t got = link_recv(c, waste, sizeof(waste));
    if (got != -EAGAIN && got != -EINTR)
        delivered(c);
}

static void
send_request(struct cancel *c)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(PGW_MAX_CANCEL_KEY + 64);
    pgw_build_cancel(&b, c->pid, (struct str){ (const char *)c->key, c->key_len });
    net_timer_init(&c->timer, c->at->loop, give_up, c);
    net_watch_init(&c->watch, c->at->loop, c->link.fd, on_link, c);
    if (link_send(c, buf_ptr(&b), buf_len(&b)) != (ssize_t)buf_len(&b)) {
        delivered(c);
        return;
    }
    net_timer_start(&c->timer, c->at->env.snap->cfg->server_connect_timeout_ms);
    net_watch_set(&c->watch, NET_READ);
}

/* Nothing is under way that a cancel could hit. */
static bool
has_come_to_an_end(const struct sess *s)
{
    return sess_is_idle(s) && !sess_steps_listen(s);
}

static void
dialled(void *ctx, const struct sess_dialled *got, const char *where, const char *why)
{
    struct cancel *c = ctx;
    (void)where, (void)why;
    /* Meanwhile it may have come to an end by itself. */
    bool is_late = c->target
        && (c->target->state != SESS_ST_READY || has_come_to_an_end(c->target));
    if (!got) {
        next_or_home(c);
        return;
    }
    c->link = *got;
    if (is_late) {
        net_tls_free(got->tls);
        close(got->fd);
        next_or_home(c);
        return;
    }
    send_request(c);
}

/* --- to the server ------------------------------------------------------------------------ */

static void
deliver(struct cancel *c, struct sess *s)
{
    if (s->wait == SESS_WAIT_JUDGE || (s->wait == SESS_WAIT_OWN && s->request))
        s->is_cancelled = true; /* not sent yet: it never will be */
    if (sess_retry_cancel(s) || has_come_to_an_end(s)
        || s->server_key_len > sizeof(c->key)) {
        go_home(c);
        return;
    }
    char host[NET_ADDR_TEXT_SIZE], port[16];
    net_addr_host(&s->upstream, host);
    snprintf(port, sizeof(port), "%d", net_addr_port(&s->upstream));
    const struct cfg_host to = { s->upstream_host, *host ? host : NULL, port };
    const struct sess_dial_args args = {
        .worker = c->at, .links = s->links, .to = s->to, .hosts = &to, .n_hosts = 1
    };
    c->target = s;
    s->n_cancels++;
    s->n_outstanding++;
    sess_watch(s);
    c->key_len = s->server_key_len;
    memcpy(c->key, s->server_key, c->key_len);
    sess_dial_new(&args, dialled, c);
}

/* --- to other gates ------------------------------------------------------------------------- */

static void
offer_to_peer(struct cancel *c)
{
    struct sess_links *links = c->from->links;
    size_t n = c->is_hop ? 0 : links->cfg->n_peers;
    if (c->next >= n) {
        go_home(c);
        return;
    }
    const struct sess_dial_args args = {
        .worker = c->at, .links = links, .to = &links->peers[c->next++]
    };
    sess_dial_new(&args, dialled, c);
}

static void
start_offering(struct task *task)
{
    struct cancel *c = LIST_ENTRY(task, struct cancel, task);
    c->at = c->home;
    c->next = 0;
    if (c->key_len + HOP_MARK_SIZE <= sizeof(c->key)) {
        memcpy(c->key + c->key_len, hop_mark, HOP_MARK_SIZE);
        c->key_len += HOP_MARK_SIZE;
        offer_to_peer(c);
    } else {
        go_home(c);
    }
}

/* --- finding the session ------------------------------------------------------------------- */

static bool
is_for(const struct cancel *c, const struct sess *s)
{
    return s->state == SESS_ST_READY && c->pid != 0 && s->gate.server_pid == c->pid
        && s->client_key_len == c->key_len && s->client_key
        && hash_equal(s->client_key, c->key, c->key_len);
}

static void
visit(struct task *task)
{
    struct cancel *c = LIST_ENTRY(task, struct cancel, task);
    struct sess_shared *shared = c->home->shared;
    c->at = shared->workers[c->next++];
    list_for_each (&c->at->sessions, it) {
        struct sess *s = LIST_ENTRY(it, struct sess, node);
        if (is_for(c, s)) {
            deliver(c, s);
            return;
        }
    }
    if (c->next < shared->n_workers) {
        task_post(net_loop_queue(shared->workers[c->next]->loop), &c->task);
    } else {
        c->task.run = start_offering;
        task_post(net_loop_queue(c->home->loop), &c->task);
    }
}

void
sess_cancel(struct sess *s, uint32_t pid, struct str key)
{
    struct cancel *c = mem_zalloc(sizeof(*c));
    struct sess_shared *shared = s->worker->shared;
    DG_ASSERT(key.n <= sizeof(c->key), "checked when the packet was read");
    sess_set_state(s, SESS_ST_CANCEL);
    s->n_outstanding++;
    c->from = s;
    c->home = s->worker;
    c->pid = pid;
    c->is_hop = key.n > HOP_MARK_SIZE
        && memcmp(key.p + key.n - HOP_MARK_SIZE, hop_mark, HOP_MARK_SIZE) == 0;
    c->key_len = key.n - (c->is_hop ? HOP_MARK_SIZE : 0);
    memcpy(c->key, key.p, c->key_len);
    c->task.run = visit;
    task_post(net_loop_queue(shared->workers[0]->loop), &c->task);
}
