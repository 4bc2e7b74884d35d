// SPDX-License-Identifier: ISC
/* Checks of group destructive: names that running code uses change. */
#include "policy/safe.h"

#include <string.h>

/* Does a later statement make a view of the old name? */
static bool
is_shown(const struct pol_run *r, const struct sql_object *o)
{
    struct sql_object view = *o;
    view.kind = SQL_O_VIEW;
    return pol_flow_comes_back(r->flow, r->fact, &view);
}

void
pol_check_rename_table(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_table_of(f);
    const struct sql_sub *s = pol_sub_find(f, "RENAME TO");

    if (!o || !s || !s->value || pol_stored(r) || pol_is_own(r, o)
        || pol_flow_was_made(r->flow, r->fact, o)
        || pol_flow_comes_back(r->flow, r->fact, o) || is_shown(r, o)
        || pol_param_has(r, POL_P_NAMES, s->value)) /* the first step of a safe drop */
        return;
    const char *old = pol_name(r, o);
    const char *made = pol_qualified(a, o->schema, s->value);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "code that says %s fails at once", old),
            .detail =
                "The old name is gone the moment the transaction commits; releases "
                "never change names everywhere at the same moment.",
            .hint = arena_printf(a,
                "In the same transaction: CREATE VIEW %s AS SELECT * FROM %s; and drop the "
                "view when no release uses it any more.",
                old, made),
            .object = o, .at = o->pos + 1));
}

void
pol_check_rename_column(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const struct sql_sub *s = pol_sub_find(f, "RENAME COLUMN");

    if (!s)
        s = pol_sub_find(f, "RENAME ATTRIBUTE");
    if (!o || !s || !s->column || !s->value || pol_stored(r) || pol_is_own(r, o)
        || pol_unit_is_new_column(r->unit, o->schema, o->name, s->column))
        return;
    const char *table = pol_name(r, o), *old = pol_ident(a, s->column);
    const char *made = pol_ident(a, s->value);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "code that says %s.%s fails at once", table, old),
            .detail =
                "The old name is gone the moment the transaction commits; releases "
                "never change names everywhere at the same moment.",
            .hint = arena_printf(a,
                "ALTER TABLE %s ADD COLUMN %s ...; write both, fill the old rows in "
                "batches, switch the readers, then DROP COLUMN %s.",
                table, made, old),
            .object = o, .column = s->column, .at = o->pos + 1));
}

void
pol_check_rename_schema(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const struct sql_sub *move = pol_sub_find(f, "SET SCHEMA");
    const struct sql_sub *rename = pol_tag(f, "ALTER SCHEMA")
        ? pol_sub_find(f, "RENAME TO")
        : NULL;
    const struct sql_sub *s = move ? move : rename;

    if (!o || !s || !s->value || pol_stored(r) || pol_is_own(r, o)
        || pol_flow_was_made(r->flow, r->fact, o))
        return;
    const char *name = pol_name(r, o);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "names that lead to %s fail at once", name),
            .detail = "Qualified names and search_path settings still speak of the old "
                      "schema.",
            .hint = move
                ? arena_printf(a,
                    "Leave a view behind: CREATE VIEW %s AS SELECT * FROM %s.%s;", name,
                    pol_ident(a, s->value), pol_ident(a, o->name))
                : arena_printf(a,
                    "CREATE SCHEMA %s beside it, and move the objects one by one, each "
                    "with a view under its old name.",
                    pol_ident(a, s->value)),
            .object = o, .at = o->pos + 1));
}

void
pol_check_rename_enum(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const struct sql_sub *s = pol_sub_find(f, "RENAME VALUE");

    if (!o || !s || pol_stored(r) || pol_flow_was_made(r->flow, r->fact, o))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "code that sends '%.40s' fails at once",
                       s->column ? s->column : ""),
            .detail = "The old label is no value of the type any more.",
            .hint = arena_printf(a,
                "ALTER TYPE %s ADD VALUE '%.60s'; write the new value, move the rows in "
                "batches, and leave the old label unused.",
                pol_name(r, o), s->value ? s->value : ""),
            .object = o));
}
