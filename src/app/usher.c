// SPDX-License-Identifier: ISC
/* Each question is one query. Which server is which libpq finds out: it tries the hosts of
 * the entry until one has the wanted attributes. */
#include "app/usher.h"

#include "base/list.h"
#include "base/mem.h"
#include "control/control.h"
#include "session/links.h"

#include <string.h>

struct usher {
    struct net_loop *loop;
    struct ctl *readers;
    struct ctl *probes; /* closed after each use: roles of servers change */
};

struct usher *
usher_new(struct net_loop *loop, int64_t idle_ms)
{
    struct usher *u = mem_zalloc(sizeof(*u));
    u->loop = loop;
    u->readers = ctl_new(loop, CTL_READ, idle_ms);
    u->probes = ctl_new(loop, CTL_PROBE, 0);
    return u;
}

void
usher_free(struct usher *u)
{
    if (!u)
        return;
    ctl_free(u->readers);
    ctl_free(u->probes);
    mem_free(u);
}

static void
answer(struct sess_ask *ask)
{
    ask->task.run = ask->answered;
    task_post(ask->queue, &ask->task);
}

/* A row of name and secret; a null secret is a user that has none, or whose time is up. */
static void
got_secret(void *ctx, const struct ctl_result *res)
{
    struct sess_ask *ask = ctx;
    if (!res->rows) {
        err_set(&ask->why, 0, "%s", res->error);
    } else if (res->rows->n_rows > 1
        || (res->rows->n_rows == 1 && res->rows->n_cols < 2)) {
        err_set(&ask->why, 0,
            "it gave %zu rows of %zu columns; it must give one row of name and secret, or "
            "none",
            res->rows->n_rows, res->rows->n_cols);
    } else if (res->rows->n_rows == 1 && dg_cell(res->rows, 0, 1)) {
        const char *text = dg_cell(res->rows, 0, 1);
        ask->is_found = auth_secret_parse(str_of(text), &ask->secret, &ask->why) == 0;
    }
    answer(ask);
}

static void
got_server(void *ctx, const struct ctl_result *res)
{
    struct sess_ask *ask = ctx;
    if (res->rows) {
        ask->is_found = true;
        ask->host = mem_strdup(res->host);
        ask->hostaddr = res->hostaddr && *res->hostaddr ? mem_strdup(res->hostaddr)
                                                        : NULL;
        ask->port = mem_strdup(res->port);
    } else {
        err_set(&ask->why, 0, "%s", res->error);
    }
    answer(ask);
}

static void
start(struct task *task)
{
    struct sess_ask *ask = LIST_ENTRY(task, struct sess_ask, task);
    struct usher *u = ask->service;
    const struct cfg *cfg = ask->links->cfg;
    AUTO(mem_free) char *conninfo = NULL;
    AUTO(mem_free) char *sql = NULL;
    int r = ctl_conninfo(
        ask->target->conninfo, ask->database, cfg->control, &conninfo, &ask->why);
    if (r == 0 && ask->kind == SESS_ASK_SECRET)
        r = ctl_bind(cfg->auth_query, ask->user, &sql, &ask->why);
    if (r != 0) {
        answer(ask);
        return;
    }
    if (ask->kind == SESS_ASK_SECRET)
        ctl_query(u->readers, conninfo, sql, cfg->control_timeout_ms, got_secret, ask);
    else
        ctl_query(u->probes, conninfo, "SELECT 1",
            ask->target->connect_timeout_ms * (int64_t)ask->target->n_hosts, got_server,
            ask);
}

void
usher_ask(struct usher *u, struct sess_ask *ask)
{
    ask->service = u;
    ask->answered = ask->task.run;
    ask->task.run = start;
    task_post(net_loop_queue(u->loop), &ask->task);
}
