// SPDX-License-Identifier: ISC
/* Every migration in order on a scratch database, and on copies of it what could go wrong. */
#include "cli/verify.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "control/control.h"
#include "scratch/scratch.h"

#define QUERY_LIMIT_MS 60000

/* --- judging ---------------------------------------------------------------------------- */

unsigned
verify_lacks(const struct verify_result *r)
{
    unsigned required = r->required;

    if (r->apply.outcome == VERIFY_IN_BASE)
        return 0;
    if (r->m->is_repeatable) /* there is nothing to go back to */
        required &= ~(unsigned)HIST_REVERSIBLE;
    return required & ~r->tested;
}

static bool
is_bad(const struct verify_step *s)
{
    return s->outcome == VERIFY_FAILED || s->outcome == VERIFY_CHANGED;
}

bool
verify_is_failure(const struct verify_result *r)
{
    const struct report_item *items = r->findings->items;

    for (size_t i = 0; i < r->file->n; i++) {
        if (items[r->file->first + i].is_failing)
            return true;
    }
    if (r->apply.outcome == VERIFY_IN_BASE)
        return false;
    return r->apply.outcome != VERIFY_FINE || is_bad(&r->rollback)
        || is_bad(&r->reapply) || verify_lacks(r);
}

/* --- one step ----------------------------------------------------------------------------- */

struct verifier {
    const struct verify_job *job;
    /* conninfos of the scratch; that of copy NULL: none yet */
    struct apply_place main, copy;
    bool is_copy_fresh; /* the copy is what main is */
    bool is_broken;     /* main is no longer what the migrations made */
    struct cat *before; /* owned; main's schema before the migration */
    struct cat *after;  /* owned; after it */
    struct err *err;
};

static void
verifier_deinit_p(struct verifier *v)
{
    cat_free(v->before);
    cat_free(v->after);
}

static void
step_deinit(struct verify_step *s)
{
    cat_diff_deinit(&s->diff);
    cat_free(s->got);
    if (s->run.arena)
        apply_result_deinit(&s->run);
}

static void
result_deinit_p(struct verify_result *r)
{
    step_deinit(&r->apply);
    step_deinit(&r->rollback);
    step_deinit(&r->reapply);
    step_deinit(&r->again);
}

/* Runs m; the schema must then be `want`. */
static int
try_step(struct verifier *v, const struct apply_place *at,
    const struct hist_migration *m, const struct cat *want, struct verify_step *s)
{
    int r = apply_run(at, m, &s->run, v->err);

    v->is_copy_fresh = false;
    if (r)
        return r;
    if (!s->run.is_ok) {
        s->outcome = VERIFY_FAILED;
        return 0;
    }
    r = apply_snapshot(at, true, &s->got, v->err);
    if (r)
        return r;
    cat_diff(&s->diff, want, s->got);
    s->outcome = s->diff.n ? VERIFY_CHANGED : VERIFY_FINE;
    return 0;
}

static int
make_copy(struct verifier *v)
{
    int r = 0;

    if (!v->is_copy_fresh)
        r = scratch_copy_database(
            v->job->scratch, v->main.conninfo, &v->copy.conninfo, v->err);
    v->is_copy_fresh = !r;
    return r;
}

/* --- one migration ------------------------------------------------------------------------ */

static void
progress(struct verifier *v, const struct verify_result *r, const char *what)
{
    if (v->job->progress)
        v->job->progress(v->job->ctx, r->m->index, what);
}

/* Roles belong to the server: one with rights in another database can't be dropped, and the
 * copy would be that. */
static bool
drops_roles(const struct hist_migration *m)
{
    for (size_t i = 0; i < m->tree->n; i++) {
        if (strcmp(m->tree->facts[i].tag, "DROP ROLE") == 0)
            return true;
    }
    return false;
}

static int
try_rollback(struct verifier *v, struct verify_result *out)
{
    const struct hist_migration *down = &v->job->set->migrations[out->m->pair];
    bool is_on_main = drops_roles(down);
    const struct apply_place *at = is_on_main ? &v->main : &v->copy;

    progress(v, out, "rolling back");
    int r = is_on_main ? 0 : make_copy(v);
    if (!r)
        r = try_step(v, at, down, v->before, &out->rollback);
    v->is_broken = is_on_main;
    if (r || out->rollback.outcome != VERIFY_FINE)
        return r;
    progress(v, out, "applying once more");
    r = apply_forget(at, v->err);
    if (!r)
        r = try_step(v, at, out->m, v->after, &out->reapply);
    if (r || out->reapply.outcome != VERIFY_FINE)
        return r;
    out->tested |= HIST_REVERSIBLE;
    v->is_broken = false;
    /* the copy is what it was, as far as schemas go */
    v->is_copy_fresh = !is_on_main;
    return 0;
}

static int
try_more(struct verifier *v, struct verify_result *out)
{
    int r = out->has_rollback ? try_rollback(v, out) : 0;

    if (r || v->is_broken)
        return r;
    progress(v, out, "running twice");
    r = make_copy(v);
    if (!r)
        r = try_step(v, &v->copy, out->m, v->after, &out->again);
    if (!r && out->again.outcome == VERIFY_FINE)
        out->tested |= HIST_IDEMPOTENT;
    return r;
}

static int
verify_one(struct verifier *v, struct verify_result *out)
{
    progress(v, out, "applying");
    int r = apply_run(&v->main, out->m, &out->apply.run, v->err);

    if (r)
        return r;
    out->apply.outcome = out->apply.run.is_ok ? VERIFY_FINE : VERIFY_FAILED;
    if (!out->apply.run.is_ok)
        return 0;
    out->tested = HIST_VERIFIED;
    r = apply_snapshot(&v->main, true, &v->after, v->err);
    return r ? r : try_more(v, out);
}

/* --- a source ----------------------------------------------------------------------------- */

static int
read_version(const char *conninfo, char *out, size_t size, struct err *err)
{
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    const struct dg_rows *rows = NULL;
    int r = ctl_link_open(conninfo, QUERY_LIMIT_MS, &link, err);

    if (!r)
        r = ctl_link_run(link, "SHOW server_version", &rows, err);
    if (r)
        return r;
    const char *version = rows->n_rows ? dg_cell(rows, 0, 0) : "";
    /* "15.14 (Debian 15.14-0+deb12u1)" */
    snprintf(out, size, "%.*s", (int)strcspn(version, " "), version);
    return 0;
}

static int
begin(struct verifier *v)
{
    const struct verify_job *job = v->job;
    char server[32] = "";
    int r = scratch_new_database(job->scratch, &v->main.conninfo, v->err);

    if (!r)
        r = read_version(v->main.conninfo, server, sizeof(server), v->err);
    if (!r)
        r = apply_base_run(job->base, &v->main, v->err);
    if (!r)
        r = apply_begin(&v->main, v->err);
    if (!r)
        r = apply_snapshot(&v->main, true, &v->before, v->err);
    if (!r)
        job->begin(job->ctx, server);
    return r;
}

int
verify_source(const struct verify_job *job, struct err *err)
{
    AUTO(verifier_deinit)
    struct verifier v = { .job = job,
        .err = err,
        .main = { .set = job->set, .is_private = job->is_private },
        .copy = { .set = job->set, .is_private = job->is_private } };
    bool has_failed = false;
    int r = begin(&v);

    for (size_t i = 0; i < job->set->n && !r; i++) {
        const struct hist_migration *m = &job->set->migrations[i];
        AUTO(result_deinit)
        struct verify_result result = { .set = job->set,
            .m = m,
            .findings = job->findings,
            .file = &job->findings->files[job->first_file + i],
            .required = job->required[i],
            .has_rollback = m->pair != HIST_NONE };
        v.is_copy_fresh = false;
        if (job->base && m->is_in_baseline)
            result.apply.outcome = VERIFY_IN_BASE;
        else if (!has_failed)
            r = verify_one(&v, &result);
        has_failed |= result.apply.outcome != VERIFY_FINE
            && result.apply.outcome != VERIFY_IN_BASE;
        has_failed |= v.is_broken;
        /* what it holds may keep the next one from dropping a role */
        if (!r && v.copy.conninfo)
            r = scratch_drop_database(job->scratch, v.copy.conninfo, err);
        if (!r)
            job->done(job->ctx, &result);
        /* diffs speak of both, so only now */
        if (v.after) {
            cat_free(v.before);
            v.before = v.after;
            v.after = NULL;
        }
    }
    return r;
}
