// SPDX-License-Identifier: ISC
/* The blocking form for the command line: the same code on a loop of its own. */
#include "control/control.h"

#include "base/mem.h"

#include <errno.h>

struct wait {
    struct net_loop *loop;
    struct dg_rows *rows;
    struct err *err;
    int result;
};

static struct dg_rows *
copy(const struct dg_rows *from)
{
    size_t n = from->n_rows * from->n_cols;
    struct dg_rows *to = mem_zalloc(sizeof(*to));

    *to = (struct dg_rows){ .n_rows = from->n_rows,
        .n_cols = from->n_cols,
        .cells = mem_array(n + 1, sizeof(char *)) };
    for (size_t i = 0; i < n; i++)
        to->cells[i] = mem_strdup(from->cells[i]);
    return to;
}

static void
on_done(void *ctx, const struct ctl_result *res)
{
    struct wait *w = ctx;

    if (!res->rows)
        w->result = err_set(w->err, -EIO, "%s", res->error);
    else
        w->rows = copy(res->rows);
    net_loop_stop(w->loop);
}

int
ctl_query_wait(const char *conninfo, const char *sql, int64_t timeout_ms,
    struct dg_rows **rows, struct err *err)
{
    return ctl_query_wait_as(CTL_READ, conninfo, sql, timeout_ms, rows, err);
}

int
ctl_query_wait_as(enum ctl_use use, const char *conninfo, const char *sql,
    int64_t timeout_ms, struct dg_rows **rows, struct err *err)
{
    struct wait w = { .loop = net_loop_new(), .err = err };
    struct ctl *ctl = ctl_new(w.loop, use, 0);

    ctl_query(ctl, conninfo, sql, timeout_ms, on_done, &w);
    net_loop_run(w.loop);
    ctl_free(ctl);
    net_loop_free(w.loop);
    if (w.result == 0)
        *rows = w.rows;
    return w.result;
}

void
ctl_rows_free(struct dg_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < rows->n_rows * rows->n_cols; i++)
        mem_free(rows->cells[i]);
    mem_free(rows->cells);
    mem_free(rows);
}
