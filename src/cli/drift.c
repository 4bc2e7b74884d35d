// SPDX-License-Identifier: ISC
/* Runs what is applied, then reads both schemas. */
#include "cli/drift.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/control.h"

#define QUERY_LIMIT_MS 60000
#define MAX_SQL        ((size_t)64 << 10)

struct finder {
    const struct gate_snapshot *snap;
    const struct hist_view *view;
    const struct hist_set *set;
    const struct apply_base *base; /* NULL: none */
    char *live;                    /* owned; conninfo */
    struct drift *out;
    struct err *err;
};

static void
finder_deinit_p(struct finder *f)
{
    if (f->live)
        explicit_bzero(f->live, strlen(f->live));
    mem_free(f->live);
}

static void
rows_free_p(struct dg_rows **rows)
{
    ctl_rows_free(*rows);
}

static void
note(struct drift *d, char *text)
{
    DG_ASSERT(d->n_notes < DRIFT_MAX_NOTES, "more notes than there are reasons");
    d->notes[d->n_notes++] = text;
}

/* --- the live database ------------------------------------------------------------------ */

static int
ask_live(struct finder *f, const char *sql, struct dg_rows **rows)
{
    int64_t limit = f->snap->cfg->control_timeout_ms;

    return ctl_query_wait(
        f->live, sql, limit > QUERY_LIMIT_MS ? limit : QUERY_LIMIT_MS, rows, f->err);
}

static int
read_live(struct finder *f)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(CAT_MAX_SQL);
    AUTO(rows_free) struct dg_rows *rows = NULL;

    apply_snapshot_query(f->set, false, &sql);
    int r = ask_live(f, buf_cstr(&sql), &rows);
    return r ? r : cat_new(rows, &f->out->live, f->err);
}

/* Version number, and who runs the migrations there: the owner of the history table, else
 * of the database. */
static int
read_about(struct finder *f, int *major, char **owner)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    AUTO(rows_free) struct dg_rows *rows = NULL;

    buf_puts(&sql,
        "SELECT pg_catalog.current_setting('server_version_num'),"
        " pg_catalog.pg_get_userbyid(coalesce((SELECT min(c.relowner)"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
        " ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND ");
    hist_put_own_tables(f->set, &sql);
    buf_puts(&sql,
        "), d.datdba)) FROM pg_catalog.pg_database d"
        " WHERE d.datname = pg_catalog.current_database()");
    int r = ask_live(f, buf_cstr(&sql), &rows);
    if (r)
        return r;
    if (rows->n_rows != 1 || rows->n_cols != 2)
        return err_set(f->err, -EIO, "the server doesn't tell its version");
    *major = atoi(dg_cell(rows, 0, 0)) / 10000;
    *owner = mem_strdup(dg_cell(rows, 0, 1));
    return 0;
}

/* --- the scratch database ----------------------------------------------------------------- */

/* Rights are told apart from those of the owner: he should be the same on both sides. */
static int
become(const char *conninfo, const char *role, char **out, int *major, struct err *err)
{
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    const struct dg_rows *rows = NULL;
    int r = ctl_link_open(conninfo, QUERY_LIMIT_MS, &link, err);

    if (!r)
        r = ctl_link_run(link, "SHOW server_version_num", &rows, err);
    if (r)
        return r;
    *major = atoi(dg_cell(rows, 0, 0)) / 10000;
    if (!role) {
        *out = mem_strdup(conninfo);
        return 0;
    }
    buf_puts(&sql, "CREATE ROLE ");
    apply_put_ident(&sql, role);
    buf_puts(&sql, " SUPERUSER LOGIN");
    r = ctl_link_run(link, buf_cstr(&sql), NULL, err);
    if (r && strcmp(ctl_link_sqlstate(link), "42710") != 0) /* there already */
        return r;
    *out = ctl_conninfo_with(conninfo, "user", role);
    return *out ? 0
                : err_set(err, -EINVAL, "the scratch server's conninfo is unreadable");
}

static bool
is_applied(enum dg_migration_state state)
{
    return state == DG_MIG_APPLIED || state == DG_MIG_EDITED;
}

static int
run_applied(struct finder *f, const struct apply_place *at)
{
    int r = apply_base_run(f->base, at, f->err);

    if (!r)
        r = apply_begin(at, f->err);
    for (size_t i = 0; i < f->set->n && !r; i++) {
        struct apply_result run;
        if (!is_applied(hist_view_state(f->view, i))
            || (f->base && f->set->migrations[i].is_in_baseline))
            continue;
        r = apply_run(at, &f->set->migrations[i], &run, f->err);
        if (!r && !run.is_ok)
            r = err_set(f->err, -EIO,
                "what the applied migrations make can't be told, since one does not run on "
                "an empty database: %.800s",
                run.err.text);
        apply_result_deinit(&run);
        f->out->n_applied++;
    }
    return r;
}

static void
note_doubts(struct finder *f, int live_major, int scratch_major)
{
    size_t n_edited = 0;

    for (size_t i = 0; i < f->set->n; i++)
        n_edited += hist_view_state(f->view, i) == DG_MIG_EDITED;
    if (live_major != scratch_major)
        note(f->out,
            mem_printf("the live server is PostgreSQL %d, the scratch server %d: "
                       "definitions may be written differently",
                live_major, scratch_major));
    if (n_edited)
        note(f->out,
            mem_printf(
                "%zu applied file%s changed since: what stands in %s now was run here",
                n_edited, n_edited == 1 ? " was" : "s were",
                n_edited == 1 ? "it" : "them"));
    if (hist_view_n_missing(f->view))
        note(f->out,
            mem_printf("%zu applied migration%s no file: what %s made shows as drift",
                hist_view_n_missing(f->view),
                hist_view_n_missing(f->view) == 1 ? " has" : "s have",
                hist_view_n_missing(f->view) == 1 ? "it" : "they"));
    if (f->set->conf.baseline && !f->base)
        note(f->out,
            mem_printf(
                "there is a baseline (%s), and no schema of it (--base): what no "
                "file makes shows as drift",
                f->set->conf.baseline));
}

static int
build(struct finder *f, struct scratch *scratch, bool is_private)
{
    AUTO(mem_free) char *owner = NULL;
    AUTO(mem_free) char *conninfo = NULL;
    const char *made = NULL;
    int live = 0, own = 0;
    int r = read_about(f, &live, &owner);

    if (!r)
        r = scratch_new_database(scratch, &made, f->err);
    if (!r)
        r = become(made, is_private ? owner : NULL, &conninfo, &own, f->err);
    const struct apply_place at = {
        .set = f->set, .conninfo = conninfo, .is_private = is_private
    };
    if (!r)
        r = run_applied(f, &at);
    if (!r)
        r = apply_snapshot(&at, false, &f->out->files, f->err);
    if (!r)
        note_doubts(f, live, own);
    return r;
}

int
drift_find(const struct gate_snapshot *snap, const char *database,
    const struct hist_view *view, const struct apply_base *base,
    struct scratch *scratch, bool is_private, struct drift *out, struct err *err)
{
    struct gate_target t = gate_snapshot_find(snap, database);
    AUTO(finder_deinit)
    struct finder f = {
        .snap = snap, .view = view, .base = base, .out = out, .err = err
    };

    *out = (struct drift){ .n_notes = 0 };
    DG_ASSERT(t.source && snap->cfg->control, "history was read, so both are there");
    f.set = t.source->set;
    int r = ctl_conninfo(
        t.database->conninfo, database, snap->cfg->control, &f.live, err);
    if (!r)
        r = build(&f, scratch, is_private);
    if (!r)
        r = read_live(&f);
    if (!r)
        cat_diff(&out->diff, out->files, out->live);
    return r;
}

void
drift_deinit(struct drift *d)
{
    cat_diff_deinit(&d->diff);
    cat_free(d->files);
    cat_free(d->live);
    for (size_t i = 0; i < d->n_notes; i++)
        mem_free(d->notes[i]);
    *d = (struct drift){ .n_notes = 0 };
}
