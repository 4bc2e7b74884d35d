// SPDX-License-Identifier: ISC
/* Checks of group destructive: data that is gone when the statement is done. */
#include "policy/rules.h"

#include "policy/unit.h"

#include <string.h>

static bool
drops_data(enum sql_object_kind kind)
{
    return kind == SQL_O_TABLE || kind == SQL_O_FOREIGN_TABLE || kind == SQL_O_MATVIEW;
}

static const char *
noun(enum sql_object_kind kind)
{
    if (kind == SQL_O_MATVIEW)
        return "MATERIALIZED VIEW";
    return kind == SQL_O_FOREIGN_TABLE ? "FOREIGN TABLE" : "TABLE";
}

static void
report_drop(struct pol_run *r, const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    const char *const parts[] = { o->name, "deprecated" };
    const char *name = pol_qualified(a, o->schema, o->name);

    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "the data of %s is lost for good", name),
            .detail = "It takes an ACCESS EXCLUSIVE lock on the table and on those it "
                      "references; whatever still reads it fails at once.",
            .hint = arena_printf(a,
                "Rename it, wait until nobody misses it, then drop it with a backup: ALTER "
                "%s %s RENAME TO %s;",
                noun(o->kind), name, pol_ident(a, pol_made_name(a, parts, 2))),
            .object = o, .at = o->pos + 1));
}

/* What has been moved there before is emptied by dropping it. */
static bool
is_in_quarantine(const struct pol_run *r, const struct sql_object *o)
{
    const char *schema = pol_param(r, POL_P_QUARANTINE)->text;
    return r->pol->checks[r->check].action == DG_REWRITE && schema && o->schema
        && strcmp(o->schema, schema) == 0;
}

void
pol_check_drop_table(struct pol_run *r, const struct sql_facts *f)
{
    if (strcmp(f->tag, "DROP TABLE") != 0 && strcmp(f->tag, "DROP FOREIGN TABLE") != 0
        && strcmp(f->tag, "DROP MATERIALIZED VIEW") != 0)
        return;
    if (pol_is_stored(r->text->tree, r->fact))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (!drops_data(o->kind) || o->is_temp || pol_excepted(r, o)
            || pol_unit_is_new(r->unit, o->schema, o->name, false)
            || is_in_quarantine(r, o))
            continue;
        report_drop(r, o);
    }
}

static void
report_drop_column(
    struct pol_run *r, const struct sql_object *o, const struct sql_sub *s)
{
    struct arena *a = pol_arena(r);
    const char *table = pol_qualified(a, o->schema, o->name);
    const char *column = pol_ident(a, s->column);

    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "the data of %s.%s is lost for good", table, column),
            .detail =
                "Indexes and constraints on the column go with it, and code that "
                "still names it fails at once. ACCESS EXCLUSIVE lock, no rewrite.",
            .hint = arena_printf(a,
                "Stop reading and writing it first, mark it, and drop it in a later "
                "release: COMMENT ON COLUMN %s.%s IS 'deprecated';",
                table, column),
            .object = o, .column = s->column, .at = s->pos + 1));
}

void
pol_check_drop_column(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = pol_table_of(f);

    if (!o || o->is_temp || pol_is_stored(r->text->tree, r->fact))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (strcmp(s->name, "DROP COLUMN") != 0 || !s->column || pol_excepted(r, o)
            || pol_unit_is_new(r->unit, o->schema, o->name, false)
            || pol_unit_is_new_column(r->unit, o->schema, o->name, s->column))
            continue;
        report_drop_column(r, o, s);
    }
}
