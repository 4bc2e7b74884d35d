// SPDX-License-Identifier: ISC
/* Checks of ALTER COLUMN TYPE that need the column as it is: type-narrowing and
 * change-type-referenced (change-column-type: checks_rewrite.c). */
#include "policy/ask.h"

#include "policy/retype.h"
#include "policy/safe.h"

#include <string.h>

/* Calls fn for each column of an existing table whose type changes, and that no earlier
 * statement of the text has touched. */
typedef void
retype_fn(struct pol_run *r, const struct sql_object *o, const struct sql_sub *s,
    const struct pol_live_relation *rel, const struct pol_live_column *c);

static void
each_retype(struct pol_run *r, const struct sql_facts *f, retype_fn *fn)
{
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        const struct pol_live_relation *rel;
        if (!s->def || !pol_sub_is(s, "ALTER COLUMN TYPE")
            || pol_unit_is_new_column(r->unit, o->schema, o->name, s->def->name)
            || !pol_ask_or_say(r, o, &rel) || pol_was_changed(r, s->def->name))
            continue;
        const struct pol_live_column *c = pol_live_column(rel, s->def->name);
        if (c)
            fn(r, o, s, rel, c);
    }
}

/* ---- type-narrowing ---- */

static void
narrowing(struct pol_run *r, const struct sql_object *o, const struct sql_sub *s,
    const struct pol_live_relation *rel, const struct pol_live_column *c)
{
    struct arena *a = pol_arena(r);
    const char *table = pol_live_name(r, rel), *column = pol_ident(a, c->name);
    const char *type = pol_type(a, s->def);

    if (pol_retype(c, s->def) != POL_RETYPE_NARROWER)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "not every %s of %s.%s fits into %s",
                       c->shown, table, column, type),
            .detail =
                "Values that are too long or too large make it fail half way; digits "
                "beyond the new precision are rounded away without a word.",
            .hint = arena_printf(a,
                "See what there is: SELECT count(*) FROM %s WHERE %s IS DISTINCT FROM "
                "CAST(%s AS %s); then keep new rows out with a CHECK before the change.",
                table, column, column, type),
            .object = o, .column = c->name, .at = s->pos + 1));
}

void
pol_check_narrowing(struct pol_run *r, const struct sql_facts *f)
{
    each_retype(r, f, narrowing);
}

/* ---- change-type-referenced ---- */

static bool
has_column(const char *const *columns, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (columns[i] && strcmp(columns[i], name) == 0)
            return true;
    }
    return false;
}

static void
say_referenced(struct pol_run *r, const struct sql_object *o, const struct sql_sub *s,
    const char *message, const char *detail, const char *hint)
{
    pol_report(r,
        POL_REPORT(.message = message, .detail = detail, .hint = hint, .object = o,
            .column = s->def->name, .at = s->pos + 1));
}

/* A foreign key from or to the column; refs: to it. */
static void
by_keys(struct pol_run *r, const struct sql_object *o, const struct sql_sub *s,
    const struct pol_live_relation *rel, bool is_refs)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_constraint *list = is_refs ? rel->refs : rel->constraints;
    size_t n = is_refs ? rel->n_refs : rel->n_constraints;

    for (size_t i = 0; i < n && pol_is_worth(r); i++) {
        const struct pol_live_constraint *k = &list[i];
        const char **columns = is_refs ? k->ref_columns : k->columns;
        if (k->kind != 'f' || !has_column(columns, k->n_columns, s->def->name)
            || pol_had_sub(r, "DROP CONSTRAINT", k->name))
            continue;
        const char *other = pol_qualified(a, k->schema, k->table);
        say_referenced(r, o, s,
            arena_printf(a, "foreign key %s ties %s.%s to %s", pol_ident(a, k->name),
                pol_live_name(r, rel), pol_ident(a, s->def->name), other),
            arena_printf(a,
                "The key is checked again for every row while %s is locked ACCESS "
                "EXCLUSIVE, too.",
                other),
            arena_printf(a,
                "ALTER TABLE %s DROP CONSTRAINT %s; change both columns; add it again NOT "
                "VALID, and VALIDATE it in a later transaction.",
                is_refs ? other : pol_live_name(r, rel), pol_ident(a, k->name)));
    }
}

static enum sql_object_kind
kind_of_user(const char *kind)
{
    if (strcmp(kind, "materialized view") == 0)
        return SQL_O_MATVIEW;
    if (strcmp(kind, "policy") == 0)
        return SQL_O_POLICY;
    return strcmp(kind, "trigger") == 0 ? SQL_O_TRIGGER : SQL_O_VIEW;
}

static bool
is_gone(const struct pol_run *r, const struct pol_live_user *u)
{
    if (strcmp(u->kind, "generated column") == 0)
        return pol_had_sub(r, "DROP COLUMN", u->name);
    return pol_was_dropped(r, kind_of_user(u->kind), u->name);
}

static void
referenced(struct pol_run *r, const struct sql_object *o, const struct sql_sub *s,
    const struct pol_live_relation *rel, const struct pol_live_column *c)
{
    struct arena *a = pol_arena(r);

    by_keys(r, o, s, rel, false);
    by_keys(r, o, s, rel, true);
    for (size_t i = 0; i < rel->n_users && pol_is_worth(r); i++) {
        const struct pol_live_user *u = &rel->users[i];
        if (strcmp(u->column, c->name) != 0 || is_gone(r, u))
            continue;
        const char *name = pol_qualified(a, u->schema, u->name);
        say_referenced(r, o, s,
            arena_printf(a, "%s %s uses %s.%s", u->kind, name, pol_live_name(r, rel),
                pol_ident(a, c->name)),
            "The server refuses to change the type of a column that something else is "
            "defined by.",
            arena_printf(a,
                "Drop %s %s before and make it again after the change, in the same "
                "transaction.",
                u->kind, name));
        return;
    }
}

void
pol_check_type_referenced(struct pol_run *r, const struct sql_facts *f)
{
    each_retype(r, f, referenced);
}
