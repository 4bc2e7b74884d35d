// SPDX-License-Identifier: ISC
/* Safe forms that lock less, or not for long. */
#include "policy/rewrite_build.h"

/* ---- CONCURRENTLY ---- */

static void
concurrently(struct rw *rw, size_t after, bool needs_alone)
{
    rw_put_after(rw, after, "CONCURRENTLY");
    rw_did(rw, SQL_CH_CONCURRENTLY, "CONCURRENTLY");
    rw->out->needs_alone = needs_alone;
}

void
rw_index_concurrently(struct rw *rw)
{
    size_t at = rw_find(rw, 0, "INDEX");
    const struct sql_object *o = rw->f->n_objects ? &rw->f->objects[0] : NULL;

    if (rw->finding->relation) { /* it is partitioned */
        rw_index_by_partition(rw);
        return;
    }
    if (!rw->f->index || !o || at == RW_NONE || at > 2
        || (rw->f->flags & (SQL_F_CONCURRENTLY | SQL_F_ONLY)))
        return;
    concurrently(rw, at, true);
    rw->out->remark = *o->name
        ? arena_printf(rw->a,
            "If it fails it leaves an invalid index behind: DROP INDEX CONCURRENTLY %s; "
            "and run it again.",
            pol_qualified(rw->a, o->on_schema, o->name))
        : "If it fails it leaves an invalid index behind: drop that, and run it again.";
}

void
rw_drop_index_concurrently(struct rw *rw)
{
    if (!pol_tag(rw->f, "DROP INDEX") || (rw->f->flags & SQL_F_CONCURRENTLY))
        return;
    if (rw->f->n_objects != 1)
        rw->why = "CONCURRENTLY drops one index a statement";
    else if (rw->f->flags & SQL_F_CASCADE)
        rw->why = "CONCURRENTLY and CASCADE exclude each other";
    else if (rw_is(rw, 1, "INDEX"))
        concurrently(rw, 1, true);
}

void
rw_reindex_concurrently(struct rw *rw)
{
    if (!pol_tag(rw->f, "REINDEX") || !rw->f->n_subs
        || (rw->f->flags & SQL_F_CONCURRENTLY) || pol_sub_is(&rw->f->subs[0], "SYSTEM"))
        return;
    size_t at = rw_find(rw, 1, rw->f->subs[0].name);
    if (at != RW_NONE)
        concurrently(rw, at, true);
}

void
rw_refresh_concurrently(struct rw *rw)
{
    if (!pol_tag(rw->f, "REFRESH MATERIALIZED VIEW") || !rw_is(rw, 2, "VIEW")
        || (rw->f->flags & SQL_F_CONCURRENTLY))
        return;
    if (pol_sub_find(rw->f, "WITH NO DATA")) {
        rw->why = "CONCURRENTLY and WITH NO DATA exclude each other";
        return;
    }
    concurrently(rw, 2, false);
    rw->out->remark =
        "It needs a unique index on plain columns and a view that holds rows.";
}

void
rw_detach_concurrently(struct rw *rw)
{
    const struct sql_sub *s = pol_sub_find(rw->f, "DETACH PARTITION");

    if (!s || rw->f->n_subs != 1 || (s->flags & SQL_F_CONCURRENTLY)
        || !rw->f->n_objects)
        return;
    concurrently(rw, rw->n - 1, true);
    rw->out->remark =
        "If it fails or is cancelled: ALTER TABLE ... DETACH PARTITION ... FINALIZE.";
}

/* ---- NOT VALID ---- */

static const char *
guessed_name(const struct rw *rw, const struct sql_object *o,
    const struct sql_constraint *c, const char *suffix)
{
    const char *parts[2 + 8] = { o->name };
    size_t n = 1;

    if (c->name)
        return pol_ident(rw->a, c->name);
    for (size_t i = 0; i < c->n_columns && i < 8; i++)
        parts[n++] = c->columns[i];
    parts[n++] = suffix;
    return pol_ident(rw->a, pol_made_name(rw->a, parts, n));
}

static void
not_valid(struct rw *rw, enum sql_constraint_kind kind, const char *suffix)
{
    const struct sql_object *o = pol_table_of(rw->f);

    for (size_t i = 0; o && str_prefix(rw->f->tag, "ALTER ") && i < rw->f->n_subs;
         i++) {
        const struct sql_constraint *c = rw->f->subs[i].constraint;
        if (!c || c->kind != kind || c->not_valid
            || !pol_sub_is(&rw->f->subs[i], "ADD CONSTRAINT"))
            continue;
        size_t end = rw_sub_end(rw, i);
        if (end == RW_NONE) {
            rw->why = "its actions can't be told apart";
            return;
        }
        rw_put_after(rw, end, "NOT VALID");
        rw_did(rw, SQL_CH_NOT_VALID, "NOT VALID");
        rw_follow_up(rw,
            arena_printf(rw->a, "ALTER TABLE %s VALIDATE CONSTRAINT %s;",
                rw_name(rw, o), guessed_name(rw, o, c, suffix)));
    }
}

void
rw_fk_not_valid(struct rw *rw)
{
    not_valid(rw, SQL_C_FOREIGN, "fkey");
}

void
rw_check_not_valid(struct rw *rw)
{
    not_valid(rw, SQL_C_CHECK, "check");
}

void
rw_domain_not_valid(struct rw *rw)
{
    const struct sql_sub *s = rw->f->n_subs == 1 ? &rw->f->subs[0] : NULL;

    if (!s || !pol_tag(rw->f, "ALTER DOMAIN") || !rw->f->n_objects || !s->constraint
        || !pol_sub_is(s, "ADD CONSTRAINT") || s->constraint->kind != SQL_C_CHECK
        || s->constraint->not_valid)
        return;
    const struct sql_object *o = &rw->f->objects[0];
    rw_put_after(rw, rw->n - 1, "NOT VALID");
    rw_did(rw, SQL_CH_NOT_VALID, "NOT VALID");
    rw_follow_up(rw,
        arena_printf(rw->a, "ALTER DOMAIN %s VALIDATE CONSTRAINT %s;", rw_name(rw, o),
            guessed_name(rw, o, s->constraint, "check")));
}

/* ---- timeouts ---- */

#define MAX_RETRIES 20 /* with the waits between them about eight minutes */

static void
timeout(struct rw *rw, enum pol_timeout which, enum pol_check check)
{
    int64_t ms = rw->pol->checks[check].params[POL_P_VALUE].number;

    rw->out->timeout_ms[which] = ms;
    rw_did(rw, 0,
        arena_printf(rw->a, "%s = %s", pol_timeout_name(which),
            rw->pol->checks[check].params[POL_P_VALUE].text));
}

void
rw_lock_timeout(struct rw *rw)
{
    int64_t retries = rw->pol->checks[POL_C_LOCK_TIMEOUT].params[POL_P_RETRIES].number;

    timeout(rw, POL_LOCK_TIMEOUT, POL_C_LOCK_TIMEOUT);
    rw->out->retries = retries > MAX_RETRIES ? MAX_RETRIES : (unsigned)retries;
}

void
rw_statement_timeout(struct rw *rw)
{
    timeout(rw, POL_STATEMENT_TIMEOUT, POL_C_STATEMENT_TIMEOUT);
}

/* ---- LOCK TABLE ---- */

void
rw_lock_nowait(struct rw *rw)
{
    if (!pol_tag(rw->f, "LOCK TABLE") || pol_sub_find(rw->f, "NOWAIT"))
        return;
    rw_put_after(rw, rw->n - 1, "NOWAIT");
    rw_did(rw, SQL_CH_NOWAIT, "NOWAIT");
}
