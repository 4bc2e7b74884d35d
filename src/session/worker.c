// SPDX-License-Identifier: ISC
/* The worker thread, and the tasks that others may send it. */
#include "session/worker.h"

#include "base/mem.h"
#include "session/links.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

struct sess_worker *
sess_worker_new(struct sess_shared *shared, size_t index, struct gate_snapshot *snap,
    struct sess_links *links)
{
    struct sess_worker *w = mem_zalloc(sizeof(*w));
    w->shared = shared;
    w->index = index;
    w->loop = net_loop_new();
    w->read_buffer = mem_alloc(SESS_READ_BYTES);
    w->links = ref_take(links);
    list_init(&w->sessions);
    w->env = (struct gate_env){
        .snap = ref_take(snap),
        .audit = shared->audit,
        .queue = net_loop_queue(w->loop),
        .parsers = shared->parsers,
        .clk = shared->clk,
        .read_history = shared->read_history,
        .committed = shared->committed,
        .trail_wants = shared->trail_wants,
        .read_live = shared->read_live,
        .note_change = shared->note_change,
        .ctx = shared->ctx,
    };
    return w;
}

void
sess_worker_run(struct sess_worker *w)
{
    net_loop_run(w->loop);
}

void
sess_worker_free(struct sess_worker *w)
{
    if (!w)
        return;
    w->env.is_stopped = true;
    while (task_run_all(net_loop_queue(w->loop)) > 0)
        ;
    net_loop_free(w->loop);
    ref_drop(w->env.snap);
    ref_drop(w->links);
    mem_free(w->read_buffer);
    mem_free(w);
}

void
sess_ask_free(struct sess_ask *ask)
{
    if (!ask)
        return;
    ref_drop(ask->links);
    auth_secret_wipe(&ask->secret);
    mem_free(ask->database);
    mem_free(ask->user);
    mem_free(ask->host);
    mem_free(ask->hostaddr);
    mem_free(ask->port);
    mem_free(ask);
}

/* --- tasks from other threads ----------------------------------------------------------- */

struct message {
    struct task task;
    struct sess_worker *to;
    struct gate_snapshot *snap;
    struct sess_links *links;
    struct net_addr peer;
    int fd;
    bool flag;
};

static void
post(struct sess_worker *w, void (*run)(struct task *), struct message init)
{
    struct message *m = mem_alloc(sizeof(*m));
    *m = init;
    m->to = w;
    m->task.run = run;
    task_post(net_loop_queue(w->loop), &m->task);
}

static void
run_accept(struct task *task)
{
    struct message *m = LIST_ENTRY(task, struct message, task);
    sess_new(m->to, m->fd, &m->peer, m->flag);
    mem_free(m);
}

void
sess_worker_accept(
    struct sess_worker *w, int fd, const struct net_addr *peer, bool is_rejected)
{
    post(w, run_accept,
        (struct message){ .fd = fd, .peer = *peer, .flag = is_rejected });
}

static void
run_snapshot(struct task *task)
{
    struct message *m = LIST_ENTRY(task, struct message, task);
    ref_drop(m->to->env.snap);
    m->to->env.snap = m->snap;
    ref_drop(m->to->links);
    m->to->links = m->links;
    mem_free(m);
}

void
sess_worker_snapshot(
    struct sess_worker *w, struct gate_snapshot *snap, struct sess_links *links)
{
    post(w, run_snapshot,
        (struct message){ .snap = ref_take(snap), .links = ref_take(links) });
}

static void
run_drain(struct task *task)
{
    struct message *m = LIST_ENTRY(task, struct message, task);
    m->to->is_draining = true;
    list_for_each_safe (&m->to->sessions, it) {
        struct sess *s = LIST_ENTRY(it, struct sess, node);
        if (m->flag)
            sess_fatal(s, SESS_END_SHUTDOWN, "57P01",
                "ddlgate: terminating connection because the gate shuts down",
                "reconnect");
        else
            sess_drain(s);
    }
    mem_free(m);
}

void
sess_worker_drain(struct sess_worker *w, bool is_now)
{
    post(w, run_drain, (struct message){ .flag = is_now });
}

struct note {
    struct task task;
    struct sess_worker *to;
    char session_id[17];
    bool is_warning;
    char *message, *hint; /* owned */
};

static void
put_note(struct sess *s, const struct note *n)
{
    AUTO(buf_deinit) struct buf one = BUF_INIT(SESS_READ_BYTES);
    struct gate_message m = { .sqlstate = n->is_warning ? "01000" : "00000",
        .message = n->message,
        .hint = n->hint };
    if (s->state != SESS_ST_READY)
        return;
    sess_message_error(&m, true, &one);
    /* A full queue drops it: log and audit have it all the same. */
    (void)!buf_add(&s->notices, buf_ptr(&one), buf_len(&one));
    sess_put_notices(s);
}

static void
run_note(struct task *task)
{
    struct note *n = LIST_ENTRY(task, struct note, task);
    list_for_each_safe (&n->to->sessions, it) {
        struct sess *s = LIST_ENTRY(it, struct sess, node);
        if (strcmp(s->gate.session_id, n->session_id) == 0)
            put_note(s, n);
    }
    mem_free(n->message);
    mem_free(n->hint);
    mem_free(n);
}

void
sess_worker_notice(struct sess_worker *w, const char *session_id, bool is_warning,
    const char *message, const char *hint)
{
    struct note *n = mem_zalloc(sizeof(*n));
    n->to = w;
    n->is_warning = is_warning;
    n->message = mem_strdup(message);
    n->hint = mem_strdup(hint);
    snprintf(n->session_id, sizeof(n->session_id), "%s", session_id);
    n->task.run = run_note;
    task_post(net_loop_queue(w->loop), &n->task);
}

static void
run_stop(struct task *task)
{
    struct message *m = LIST_ENTRY(task, struct message, task);
    net_loop_stop(m->to->loop);
    mem_free(m);
}

void
sess_worker_stop(struct sess_worker *w)
{
    post(w, run_stop, (struct message){ .flag = true });
}

void
sess_worker_stats(const struct sess_worker *w, struct gate_stats *out)
{
    const struct gate_stats *s = &w->env.stats;
    out->texts += s->texts;
    out->filtered += s->filtered;
    out->scanned += s->scanned;
    out->parsed += s->parsed;
    out->judged += s->judged;
    out->asked += s->asked;
    out->refused += s->refused;
}
