// SPDX-License-Identifier: ISC
/* Checks of group locking that are about partitions; and partition-ban. */
#include "policy/ask.h"

#include "policy/safe.h"

#include <string.h>

/* The part of the statement that begins with FOR VALUES (or DEFAULT), as written. */
static const char *
bound_of(struct pol_run *r, const struct sql_facts *f)
{
    const char *text = pol_text_of(r, f);
    const char *at = text ? strcasestr(text, "for values") : NULL;
    return at                                  ? at
        : text && strcasestr(text, " default") ? "DEFAULT"
                                               : "FOR VALUES ...";
}

/* ---- attach-partition-check ---- */

void
pol_check_attach(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_sub *s = pol_sub_find(f, "ATTACH PARTITION");

    if (!s || f->n_objects < 2 || f->objects[0].kind == SQL_O_INDEX || pol_stored(r))
        return;
    const struct sql_object *child = &f->objects[1];
    if (pol_is_own(r, child) || pol_flow_has_valid_check(r->flow, child))
        return;
    const char *name = pol_name(r, child);
    const struct sql_object *parent = &f->objects[0];
    const struct pol_live_relation *rel = NULL;
    if (pol_is_own(r, parent) || pol_ask(r, parent, &rel) != POL_LIVE_FOUND
        || rel->is_guess)
        rel = NULL;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "everybody waits for %s while every row is checked", name),
            .detail =
                "ATTACH PARTITION holds ACCESS EXCLUSIVE on the new partition and "
                "reads it, unless a valid CHECK says that its rows are within the "
                "bounds.",
            .hint = arena_printf(a,
                "ALTER TABLE %s ADD CONSTRAINT %s_bound CHECK (...) NOT VALID with the "
                "condition of %s; VALIDATE CONSTRAINT %s_bound in a later transaction; then "
                "ATTACH, and drop the constraint.",
                name, child->name, bound_of(r, f), child->name),
            .relation = rel, .object = child, .at = s->pos + 1));
}

/* ---- create-partition-of ---- */

void
pol_check_partition_of(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_sub *s = pol_sub_find(f, "PARTITION OF");

    if (!s || f->n_objects < 2 || pol_stored(r) || pol_is_own(r, &f->objects[1]))
        return;
    const char *parent = pol_name(r, &f->objects[1]),
               *child = pol_name(r, &f->objects[0]);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "everybody waits for %s and all its partitions", parent),
            .detail =
                "CREATE TABLE ... PARTITION OF takes ACCESS EXCLUSIVE on the "
                "partitioned table; ATTACH PARTITION takes SHARE UPDATE EXCLUSIVE, "
                "which blocks nobody.",
            .hint = arena_printf(a,
                "CREATE TABLE %s (LIKE %s INCLUDING ALL); ALTER TABLE %s ATTACH PARTITION "
                "%s %s;",
                child, parent, parent, child, bound_of(r, f)),
            .object = &f->objects[0], .at = s->pos + 1));
}

/* ---- default-partition-scan ---- */

/* By the text, or by the server. */
static bool
has_default_partition(struct pol_run *r, const struct sql_object *parent)
{
    const struct pol_shape *t = pol_shape_find(r->shapes, parent->schema, parent->name);
    const struct pol_live_relation *rel;

    if (t && t->has_default_partition)
        return true;
    return pol_ask(r, parent, &rel) == POL_LIVE_FOUND && rel->default_partition
        && !pol_was_dropped(r, SQL_O_TABLE, rel->default_partition)
        && !pol_was_detached(r, rel->default_partition);
}

void
pol_check_default_scan(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_sub *of = pol_sub_find(f, "PARTITION OF");
    const struct sql_sub *attach = pol_sub_find(f, "ATTACH PARTITION");
    const struct sql_sub *s = of ? of : attach;

    if (!s || s->value || f->n_objects < 2 || pol_stored(r))
        return;
    const struct sql_object *parent = of ? &f->objects[1] : &f->objects[0];
    if (parent->kind == SQL_O_INDEX || pol_is_own(r, parent)
        || !has_default_partition(r, parent))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "the DEFAULT partition of %s is read while everybody waits",
                       pol_name(r, parent)),
            .detail =
                "Each partition added beside a DEFAULT one has that one searched for "
                "rows that belong into it, under ACCESS EXCLUSIVE.",
            .hint = arena_printf(a,
                "Before it, add a CHECK to the DEFAULT partition that excludes %s (NOT "
                "VALID, then VALIDATE); or add the DEFAULT partition last.",
                bound_of(r, f)),
            .object = parent, .at = s->pos + 1));
}

/* ---- detach-partition-concurrently ---- */

void
pol_check_detach(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);
    const struct sql_sub *s = pol_sub_find(f, "DETACH PARTITION");

    if (!o || !s || (s->flags & SQL_F_CONCURRENTLY))
        return;
    const char *child = f->n_objects > 1 ? pol_name(r, &f->objects[1]) : "...";
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "everybody waits for %s and all its partitions", pol_name(r, o)),
            .detail =
                "DETACH PARTITION takes ACCESS EXCLUSIVE on the partitioned table "
                "and the partition.",
            .hint = arena_printf(a,
                "ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY; outside of a transaction, "
                "and only without a DEFAULT partition.",
                pol_name(r, o), child),
            .object = o, .at = s->pos + 1));
}

/* ---- partition-ban (modelling) ---- */

void
pol_check_partition_ban(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_sub *s = pol_sub_find(f, "PARTITION BY");

    if (!s || !f->n_objects || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "%s is partitioned", pol_name(r, &f->objects[0])),
            .detail = "This policy wants no partitioned tables.",
            .hint = arena_printf(pol_arena(r),
                "Leave PARTITION BY out of CREATE TABLE %s.",
                pol_name(r, &f->objects[0])),
            .object = &f->objects[0], .at = s->pos + 1));
}
