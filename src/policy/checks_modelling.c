// SPDX-License-Identifier: ISC
/* Checks of group modelling: what a schema should have. */
#include "policy/rules.h"

#include "policy/unit.h"

#include <string.h>

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
    const char *table = pol_qualified(a, o->schema, o->name);
    const char *list = pol_ident_list(a, columns, n);
    const char *parts[2 + 32] = { "idx", o->name };
    for (size_t i = 0; i < n && i < 32; i++)
        parts[2 + i] = columns[i];
    const char *name = pol_made_name(a, parts, 2 + (n < 32 ? n : 32));

    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "no index leads with foreign key %s (%s)", table, list),
            .detail = arena_printf(a,
                "Each DELETE or key change on %s scans %s for rows that refer to it, and "
                "holds its locks meanwhile.",
                c->ref_table ? pol_qualified(a, c->ref_schema, c->ref_table)
                             : "the parent",
                table),
            .hint = arena_printf(a, "CREATE INDEX %s%s ON %s (%s);%s",
                is_new ? "" : "CONCURRENTLY ", pol_ident(a, name), table, list,
                is_new ? "" : " (in a migration of its own, outside of a transaction)"),
            .object = o, .column = columns[0], .at = c->pos + 1));
}

void
pol_check_fk_index(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = pol_table_of(f);

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
