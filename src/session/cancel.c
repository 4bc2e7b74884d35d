// SPDX-License-Identifier: ISC
/* Cancel requests. The process id is the server's own (programs compare it with
 * pg_backend_pid()), the secret is ours; so a cancel must find its session, which may
 * belong to any worker: it visits them one after the other as a task. */
#include "base/mem.h"
#include "session/session.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct cancel {
    struct task task;
    struct sess *from; /* the connection that asked; waits for us */
    struct sess_worker *home;
    struct sess_worker *at;
    size_t next; /* worker to visit */
    uint32_t pid, secret;
    struct buf packet;
    int fd;
    struct net_watch watch;
    struct net_timer timer;
    bool is_sent;
};

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

static void
delivered(struct cancel *c)
{
    net_timer_deinit(&c->timer);
    net_watch_deinit(&c->watch);
    close(c->fd);
    buf_deinit(&c->packet);
    go_home(c);
}

static void
give_up(void *ctx)
{
    delivered(ctx);
}

/* The server answers a cancel by closing the connection, nothing else. */
static void
server_event(void *ctx, unsigned what)
{
    struct cancel *c = ctx;
    char waste[64];
    if ((what & NET_WRITE) && !c->is_sent) {
        if (net_connect_result(c->fd) != 0
            || send(c->fd, buf_ptr(&c->packet), buf_len(&c->packet), MSG_NOSIGNAL)
                != (ssize_t)buf_len(&c->packet)) {
            delivered(c);
            return;
        }
        c->is_sent = true;
        net_watch_set(&c->watch, NET_READ);
        return;
    }
    if (recv(c->fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
        delivered(c);
}

static void
deliver(struct cancel *c, struct sess *target)
{
    char secret[4] = { (char)(target->server_secret >> 24),
        (char)(target->server_secret >> 16), (char)(target->server_secret >> 8),
        (char)target->server_secret };
    buf_init(&c->packet, 64);
    pgw_build_cancel(&c->packet, c->pid, (struct str){ secret, 4 });
    c->fd = net_connect(&target->upstream);
    if (c->fd < 0) {
        buf_deinit(&c->packet);
        go_home(c);
        return;
    }
    net_watch_init(&c->watch, c->at->loop, c->fd, server_event, c);
    net_watch_set(&c->watch, NET_WRITE);
    net_timer_init(&c->timer, c->at->loop, give_up, c);
    net_timer_start(&c->timer, c->at->env.snap->cfg->server_connect_timeout_ms);
}

/* Constant time: only one comparison of equal work, whatever the bytes. */
static bool
same_key(uint32_t a, uint32_t b)
{
    return (a ^ b) == 0;
}

static void
visit(struct task *task)
{
    struct cancel *c = LIST_ENTRY(task, struct cancel, task);
    struct sess_shared *shared = c->home->shared;
    c->at = shared->workers[c->next++];
    list_for_each (&c->at->sessions, it) {
        struct sess *s = LIST_ENTRY(it, struct sess, node);
        if (s->state == SESS_ST_READY && c->pid != 0 && s->gate.server_pid == c->pid
            && same_key(s->cancel_secret, c->secret)) {
            deliver(c, s);
            return;
        }
    }
    if (c->next == shared->n_workers)
        go_home(c);
    else
        task_post(net_loop_queue(shared->workers[c->next]->loop), &c->task);
}

void
sess_cancel(struct sess *s, uint32_t pid, uint32_t secret)
{
    struct cancel *c = mem_zalloc(sizeof(*c));
    struct sess_shared *shared = s->worker->shared;
    sess_set_state(s, SESS_ST_CANCEL);
    s->n_outstanding++;
    c->from = s;
    c->home = s->worker;
    c->pid = pid;
    c->secret = secret;
    c->task.run = visit;
    task_post(net_loop_queue(shared->workers[0]->loop), &c->task);
}
