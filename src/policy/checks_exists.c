// SPDX-License-Identifier: ISC
/* Checks about IF NOT EXISTS: what is there already, and is it what the statement says? */
#include "policy/ask.h"

#include "policy/retype.h"
#include "policy/safe.h"

#include <string.h>

/* ---- invalid-index-left ---- */

/* The index of that name where the statement would make it. */
static const struct pol_live_index *
present_index(struct pol_run *r, const struct sql_object *o,
    const struct pol_live_relation **found)
{
    if (!pol_ask_or_say(r, o, found) || !(*found)->table
        || pol_was_dropped(r, SQL_O_INDEX, o->name))
        return NULL;
    const struct pol_live_relation *table = (*found)->table;
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (strcmp(table->indexes[i].name, o->name) == 0)
            return &table->indexes[i];
    }
    return NULL;
}

static bool
is_guarded_index(struct pol_run *r, const struct sql_facts *f)
{
    return f->index && f->n_objects && (f->flags & SQL_F_IF_NOT_EXISTS)
        && *f->objects[0].name && !f->objects[0].is_temp && !pol_stored(r)
        && !pol_unit_is_new_index(r->unit, f->objects[0].name);
}

/* A build holds this lock from its beginning to its end. */
static bool
is_being_built(const struct pol_run *r, const struct pol_live_relation *table)
{
    for (size_t i = 0; i < table->n_locks; i++) {
        const struct pol_live_lock *l = &table->locks[i];
        bool is_own = r->text->own_pid && l->pid == r->text->own_pid;
        bool is_vacuum = l->state && strcmp(l->state, "autovacuum") == 0;
        if (l->is_granted && !is_own && !is_vacuum
            && strcmp(l->mode, "ShareUpdateExclusiveLock") == 0)
            return true;
    }
    return false;
}

void
pol_check_invalid_index(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_relation *found;

    if (!is_guarded_index(r, f))
        return;
    const struct sql_object *o = &f->objects[0];
    const struct pol_live_index *x = present_index(r, o, &found);
    /* that of a partitioned table is invalid until all partitions have theirs */
    if (!x || x->is_valid || found->kind == 'I')
        return;
    const char *name = pol_qualified(a, x->schema, x->name);
    const char *why = x->constraint ? "a constraint holds the invalid index"
        : found->is_guess           ? "which index is meant isn't known"
        : is_being_built(r, found->table)
        ? "somebody may be building that index just now"
        : NULL;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "index %s is there, but invalid, and stays so", name),
            .detail =
                "A build with CONCURRENTLY failed or is still going on. IF NOT EXISTS "
                "skips it: no query uses it, and every write pays for it.",
            .hint = arena_printf(
                a, "DROP INDEX CONCURRENTLY %s; then build it again.", name),
            .wanted = name, .no_rewrite = why, .object = o));
}

/* ---- if-not-exists-hides-difference ---- */

static void
report_difference(struct pol_run *r, const struct sql_object *o, const char *column,
    const char *name, const char *difference)
{
    struct arena *a = pol_arena(r);

    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "%s is there already, and %s", name, difference),
            .detail =
                "IF NOT EXISTS skips the statement, and what is there stays as it is; "
                "what comes later may rely on what is written here.",
            .hint = "Compare the two; change what is there with ALTER, or leave the "
                    "statement out.",
            .object = o, .column = column));
}

/* How the column there differs from the one that is written; NULL: not so that it matters. */
static const char *
column_difference(struct pol_run *r, const struct pol_live_relation *rel,
    const struct sql_column *col)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_column *c = pol_live_column(rel, col->name);

    if (!c)
        return arena_printf(a, "has no column %s", pol_ident(a, col->name));
    if (!pol_retype_is_same(c, col))
        return arena_printf(a, "its %s is %s, not %s", pol_ident(a, col->name),
            c->shown, pol_type(a, col));
    bool is_not_null = pol_column_has(col, SQL_C_NOT_NULL)
        || pol_column_has(col, SQL_C_PRIMARY) || pol_is_serial(col)
        || pol_column_has(col, SQL_C_IDENTITY);
    if (is_not_null && !c->is_not_null)
        return arena_printf(a, "its %s may be null", pol_ident(a, col->name));
    return NULL;
}

static void
table_differs(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o)
{
    const struct pol_live_relation *rel;

    if (!pol_ask_or_say(r, o, &rel) || pol_was_dropped(r, SQL_O_TABLE, o->name))
        return;
    const char *name = pol_live_name(r, rel);
    if (!strchr("rpf", rel->kind)) {
        report_difference(
            r, o, NULL, name, rel->kind == 'v' ? "it is a view" : "it is no table");
        return;
    }
    for (size_t i = 0; i < f->n_subs; i++) {
        const struct sql_sub *s = &f->subs[i];
        if (!s->def || !pol_sub_is(s, "ADD COLUMN"))
            continue;
        const char *difference = column_difference(r, rel, s->def);
        if (difference) {
            report_difference(r, o, s->def->name, name, difference);
            return;
        }
    }
}

static bool
same_keys(const struct pol_live_index *x, const struct sql_index *index)
{
    if (x->n_columns != index->n_columns)
        return false;
    for (size_t i = 0; i < x->n_columns; i++) {
        const char *a = x->columns[i], *b = index->columns[i];
        if ((a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0))
            return false;
    }
    return true;
}

static void
index_differs(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_relation *found;
    const struct pol_live_index *x = present_index(r, o, &found);
    const char *method = f->index->method && *f->index->method ? f->index->method
                                                               : "btree";
    const char *difference = NULL;

    if (!x)
        return;
    if (o->on && strcmp(found->table->name, o->on) != 0)
        difference = arena_printf(a, "is on %s", pol_live_name(r, found->table));
    else if (x->is_unique != !!(f->flags & SQL_F_UNIQUE))
        difference = x->is_unique ? "is unique" : "is not unique";
    else if (strcmp(x->method, method) != 0)
        difference = arena_printf(a, "is a %s index", x->method);
    else if (!same_keys(x, f->index))
        difference = arena_printf(
            a, "is on (%s)", pol_ident_list(a, x->columns, x->n_columns));
    else if (x->has_where != f->index->has_where)
        difference = x->has_where ? "leaves rows out" : "has no WHERE";
    if (difference)
        report_difference(r, o, NULL,
            arena_printf(a, "index %s", pol_qualified(a, x->schema, x->name)),
            difference);
}

static void
columns_differ(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        const struct pol_live_relation *rel;
        if (!pol_sub_is(s, "ADD COLUMN") || !s->def || !(s->flags & SQL_F_IF_NOT_EXISTS)
            || pol_unit_is_new_column(r->unit, o->schema, o->name, s->def->name)
            || !pol_ask_or_say(r, o, &rel) || !pol_live_column(rel, s->def->name)
            || pol_was_changed(r, s->def->name))
            continue;
        const char *difference = column_difference(r, rel, s->def);
        if (difference)
            report_difference(r, o, s->def->name, pol_live_name(r, rel), difference);
    }
}

void
pol_check_exists(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    bool is_guarded = f->flags & SQL_F_IF_NOT_EXISTS;

    if (!o || pol_stored(r) || o->is_temp)
        return;
    if (pol_tag(f, "CREATE TABLE") && is_guarded && !pol_is_own(r, o))
        table_differs(r, f, o);
    else if (is_guarded_index(r, f))
        index_differs(r, f, o);
    else if (str_prefix(f->tag, "ALTER "))
        columns_differ(r, f);
}
