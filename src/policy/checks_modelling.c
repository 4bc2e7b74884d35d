// SPDX-License-Identifier: ISC
/* Checks of group modelling: what a schema should have. */
#include "policy/ask.h"

#include "policy/safe.h"

#include <string.h>

static bool
has_live_index(
    struct pol_run *r, const struct sql_object *o, const char *const *columns, size_t n)
{
    const struct pol_live_relation *rel;

    if (pol_ask(r, o, &rel) != POL_LIVE_FOUND)
        return false;
    for (size_t i = 0; i < rel->n_indexes; i++) {
        if (pol_live_leads(&rel->indexes[i], columns, n)
            && !pol_was_dropped(r, SQL_O_INDEX, rel->indexes[i].name))
            return true;
    }
    return false;
}

/* One foreign key of a statement; column: of a column constraint. */
static void
check_key(struct pol_run *r, const struct sql_object *o, const struct sql_constraint *c,
    const char *column)
{
    struct arena *a = pol_arena(r);
    const char *const *columns = c->n_columns ? (const char *const *)c->columns
                                              : &column;
    size_t n = c->n_columns ? c->n_columns : 1;

    if (c->kind != SQL_C_FOREIGN || !columns[0]
        || pol_unit_has_index(r->unit, o->schema, o->name, columns, n))
        return;
    bool is_new = o->is_created || pol_unit_is_new(r->unit, o->schema, o->name, true);
    if (!is_new && has_live_index(r, o, columns, n))
        return;
    const char *table = pol_qualified(a, o->schema, o->name);
    const char *list = pol_ident_list(a, columns, n);
    const char *parts[2 + 32] = { "idx", o->name };
    for (size_t i = 0; i < n && i < 32; i++)
        parts[2 + i] = columns[i];
    const char *name = pol_made_name(a, parts, 2 + (n < 32 ? n : 32));
    const char *safe = arena_printf(a, "CREATE INDEX %s%s ON %s (%s);",
        is_new ? "" : "CONCURRENTLY ", pol_ident(a, name), table, list);

    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "no index leads with foreign key %s (%s)", table, list),
            .detail = arena_printf(a,
                "Each DELETE or key change on %s scans %s for rows that refer to it, and "
                "holds its locks meanwhile.",
                c->ref_table ? pol_qualified(a, c->ref_schema, c->ref_table)
                             : "the parent",
                table),
            .hint = arena_printf(a, "%s%s", safe,
                is_new ? "" : " (in a migration of its own, outside of a transaction)"),
            .wanted = safe, .object = o, .column = columns[0], .at = c->pos + 1));
}

/* ---- an index dropped that foreign keys need ---- */

static bool
is_dropped_by(const struct sql_facts *f, const char *name)
{
    for (size_t i = 0; i < f->n_objects; i++) {
        if (strcmp(f->objects[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Does another index of the table find the key's rows when those of f are gone? */
static bool
has_other(struct pol_run *r, const struct sql_facts *f,
    const struct pol_live_relation *table, const struct pol_live_constraint *k)
{
    const char *const *columns = (const char *const *)k->columns;

    if (pol_unit_has_index(r->unit, table->schema, table->name, columns, k->n_columns))
        return true;
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct pol_live_index *x = &table->indexes[i];
        if (!is_dropped_by(f, x->name) && pol_live_leads(x, columns, k->n_columns)
            && !pol_was_dropped(r, SQL_O_INDEX, x->name))
            return true;
    }
    return false;
}

static void
check_dropped(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_relation *rel;

    if (o->is_temp || pol_unit_is_new_index(r->unit, o->name)
        || pol_ask(r, o, &rel) != POL_LIVE_FOUND || !rel->table)
        return;
    const struct pol_live_relation *table = rel->table;
    for (size_t i = 0; i < table->n_constraints && pol_is_worth(r); i++) {
        const struct pol_live_constraint *k = &table->constraints[i];
        bool is_served = false;
        for (size_t j = 0; j < table->n_indexes; j++)
            is_served |= strcmp(table->indexes[j].name, rel->name) == 0
                && pol_live_leads(
                    &table->indexes[j], (const char *const *)k->columns, k->n_columns);
        if (k->kind != 'f' || !is_served || has_other(r, f, table, k)
            || pol_had_sub(r, "DROP CONSTRAINT", k->name))
            continue;
        const char *other = pol_qualified(a, k->schema, k->table);
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "index %s serves foreign key %s, and no other does",
                           pol_ident(a, o->name), pol_ident(a, k->name)),
                .detail = arena_printf(a,
                    "Without it each DELETE or key change on %s scans %s for rows that "
                    "refer to it, and holds its locks meanwhile.",
                    other, pol_live_name(r, table)),
                .hint = arena_printf(a,
                    "Drop the foreign key first, or make another index that leads with "
                    "(%s).",
                    pol_ident_list(a, (const char *const *)k->columns, k->n_columns)),
                .object = o, .at = o->pos + 1));
    }
}

void
pol_check_fk_index(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = pol_table_of(f);

    for (size_t i = 0; pol_tag(f, "DROP INDEX") && !pol_stored(r) && i < f->n_objects;
         i++)
        check_dropped(r, f, &f->objects[i]);
    if (!o || o->kind != SQL_O_TABLE || o->is_temp || pol_excepted(r, o)
        || pol_is_stored(r->text->tree, r->fact))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        for (size_t k = 0; s->def && k < s->def->n_constraints; k++)
            check_key(r, o, &s->def->constraints[k], s->def->name);
        if (s->constraint)
            check_key(r, o, s->constraint, NULL);
    }
}
