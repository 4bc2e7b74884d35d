// SPDX-License-Identifier: ISC
/* A schema file as one migration that no source has. */
#include "cli/apply.h"

#include <errno.h>
#include <stdio.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/task.h"
#include "history/psql.h"

struct apply_base {
    struct hist_migration m;
    char *path; /* owned */
};

void
apply_base_free(struct apply_base *b)
{
    if (!b)
        return;
    sql_tree_free(b->m.tree);
    sql_scan_deinit(&b->m.scan);
    mem_free(b->path);
    arena_free(b->m.arena);
    mem_free(b);
}

/* --- on a thread whose stack parsing needs ----------------------------------------------- */

struct job {
    struct task task;
    struct apply_base *b;
    struct err *err;
    int result;
};

static void
run_job(struct task *task)
{
    struct job *j = LIST_ENTRY(task, struct job, task);
    struct hist_migration *m = &j->b->m;
    struct err why = { "" };

    j->result = hist_file_read(
        j->b->path, m->arena, &m->text, &m->len, &m->sent, j->err);
    if (j->result)
        return;
    if (sql_scan(&m->scan, NULL, m->text, m->len, true, SQL_TREE_DEFAULT_DEPTH, &why)
        != 0)
        j->result = err_set(j->err, -EINVAL, "%s: %s", j->b->path, why.text);
    if (j->result)
        return;
    m->tree = sql_tree_new(&m->scan, NULL, m->text, m->len, true);
    if (m->sent)
        hist_sent_lines(m->sent, &m->scan);
}

int
apply_base_load(const char *path, struct apply_base **out, struct err *err)
{
    AUTO(apply_base_free) struct apply_base *b = mem_zalloc(sizeof(*b));
    struct job job = { .task.run = run_job, .b = b, .err = err };

    b->path = mem_strdup(path);
    b->m.path = b->m.shown = b->m.file = b->path;
    b->m.pair = HIST_NONE;
    b->m.arena = arena_new();
    struct task_pool *pool = task_pool_new(1, SQL_TREE_PARSER_STACK, "base");
    task_pool_post(pool, &job.task);
    task_pool_free(pool);
    if (job.result)
        return job.result;
    *out = b;
    b = NULL;
    return 0;
}

int
apply_base_run(
    const struct apply_base *b, const struct apply_place *at, struct err *err)
{
    struct apply_result run;

    if (!b)
        return 0;
    int r = apply_run(at, &b->m, &run, err);
    if (!r && !run.is_ok)
        r = err_set(err, -EINVAL, "%s", run.err.text);
    apply_result_deinit(&run);
    return r;
}
