// SPDX-License-Identifier: ISC
/* One reading is two queries: what the table is, then its rows. Readings of the same
 * database run one after the other on its control connection. */
#include "app/historian.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define MAX_SQL ((size_t)64 << 10)

struct historian {
    struct net_loop *loop;
    struct ctl *ctl;
    struct historian_ops ops;
    struct map *last; /* owned; database -> struct hist_view, its last good reading */
};

/* One answer in the making. */
struct reading {
    struct historian *h;
    struct gate_history_ask *ask; /* owned until posted back */
    struct gate_snapshot *snap;   /* owned reference */
    struct gate_target target;
    char *conninfo; /* owned */
};

struct historian *
historian_new(struct net_loop *loop, const struct historian_ops *ops, int64_t idle_ms)
{
    struct historian *h = mem_zalloc(sizeof(*h));
    h->loop = loop;
    h->ops = *ops;
    h->ctl = ctl_new(loop, CTL_READ, idle_ms);
    h->last = map_new(ref_drop);
    return h;
}

void
historian_free(struct historian *h)
{
    if (!h)
        return;
    ctl_free(h->ctl);
    map_free(h->last);
    mem_free(h);
}

static int64_t
now_us(void)
{
    return clk_real.wall_us(&clk_real);
}

/* The answer travels back with its own reference to the snapshot. */
static void
answer(struct reading *r, struct hist_view *view)
{
    struct gate_history_ask *ask = r->ask;
    ask->view = view;
    ask->snap = r->snap;
    ask->task.run = ask->answered;
    mem_free(r->conninfo);
    mem_free(r);
    task_post(ask->queue, &ask->task);
}

static void
answer_fresh(struct reading *r, const struct dg_rows *rows)
{
    struct hist_view *v = hist_view_new(r->target.source->set, rows, now_us());
    map_set(r->h->last, str_of(r->ask->database), ref_take(v));
    answer(r, v);
}

/* Who holds the lock may be the very client that asks (EF Core locks its table while it
 * migrates): then what was read last, from the same files, stands. */
static bool
answer_last(struct reading *r)
{
    struct hist_view *v = map_get(r->h->last, str_of(r->ask->database));
    if (!v || hist_view_set(v) != r->target.source->set)
        return false;
    answer(r, ref_take(v));
    return true;
}

static void
fail_query(struct reading *r, const struct ctl_result *res)
{
    const struct hist_conf *c = &r->target.source->set->conf;
    if (strcmp(res->sqlstate, "55P03") == 0 && answer_last(r))
        return;
    if (strcmp(res->sqlstate, "42501") == 0)
        err_set(&r->ask->why, 0,
            "the migration history can't be read: %s; GRANT USAGE ON SCHEMA %s and SELECT ON "
            "%s.%s to the gate's `control` login",
            res->error, c->history_schema, c->history_schema, c->history_table);
    else
        err_set(&r->ask->why, 0, "the migration history can't be read: %s", res->error);
    answer(r, NULL);
}

static void
got_rows(void *ctx, const struct ctl_result *res)
{
    struct reading *r = ctx;
    if (!res->rows)
        fail_query(r, res);
    else
        answer_fresh(r, res->rows);
}

static void
got_table(void *ctx, const struct ctl_result *res)
{
    struct reading *r = ctx;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    if (!res->rows) {
        fail_query(r, res);
        return;
    }
    int rc = hist_query_rows(r->target.source->set, res->rows, &sql, &r->ask->why);
    if (rc == HIST_E_NO_TABLE)
        answer_fresh(r, NULL);
    else if (rc != 0)
        answer(r, NULL);
    else
        ctl_query(r->h->ctl, r->conninfo, buf_cstr(&sql),
            r->snap->cfg->control_timeout_ms, got_rows, r);
}

static int
conninfo_of(const struct gate_snapshot *snap, const struct gate_target *t,
    const char *database, char **out, struct err *err)
{
    if (!snap->cfg->control)
        return err_set(err, -EINVAL,
            "the migration history can't be read: no `control` login is configured");
    return ctl_conninfo(t->database->conninfo, database, snap->cfg->control, out, err);
}

static void
start(struct task *task)
{
    struct gate_history_ask *ask = LIST_ENTRY(task, struct gate_history_ask, task);
    struct historian *h = ask->service;
    struct reading *r = mem_zalloc(sizeof(*r));
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    r->h = h;
    r->ask = ask;
    r->snap = ref_take(h->ops.current(h->ops.ctx));
    r->target = gate_snapshot_find(r->snap, ask->database);
    if (!r->target.database || !r->target.source) {
        err_set(&ask->why, 0, "the database or its [migrations] section is gone");
        answer(r, NULL);
        return;
    }
    if (conninfo_of(r->snap, &r->target, ask->database, &r->conninfo, &ask->why) != 0) {
        answer(r, NULL);
        return;
    }
    hist_query_table(r->target.source->set, &sql);
    ctl_query(h->ctl, r->conninfo, buf_cstr(&sql), r->snap->cfg->control_timeout_ms,
        got_table, r);
}

void
historian_ask(struct historian *h, struct gate_history_ask *ask)
{
    ask->service = h;
    ask->answered = ask->task.run;
    ask->task.run = start;
    task_post(net_loop_queue(h->loop), &ask->task);
}

static void
rows_free_p(struct dg_rows **rows)
{
    if (*rows)
        ctl_rows_free(*rows);
}

int
historian_read(const struct gate_snapshot *snap, const char *database,
    struct hist_view **out, struct err *err)
{
    struct gate_target t = gate_snapshot_find(snap, database);
    AUTO(mem_free) char *conninfo = NULL;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    AUTO(rows_free) struct dg_rows *table = NULL;
    AUTO(rows_free) struct dg_rows *rows = NULL;
    if (!t.database || !t.source)
        return err_set(
            err, -EINVAL, "database \"%s\" has no [migrations] section", database);
    int64_t limit = snap->cfg->control_timeout_ms;
    int r = conninfo_of(snap, &t, database, &conninfo, err);
    if (r)
        return r;
    hist_query_table(t.source->set, &sql);
    r = ctl_query_wait(conninfo, buf_cstr(&sql), limit, &table, err);
    if (r)
        return r;
    buf_reset(&sql);
    r = hist_query_rows(t.source->set, table, &sql, err);
    if (r == 0)
        r = ctl_query_wait(conninfo, buf_cstr(&sql), limit, &rows, err);
    if (r != 0 && r != HIST_E_NO_TABLE)
        return r;
    *out = hist_view_new(t.source->set, rows, now_us());
    return 0;
}
