// SPDX-License-Identifier: ISC
/* Checks of group modelling about foreign keys (fk-index: checks_modelling.c). */
#include "policy/safe.h"

#include <string.h>

static const char *
other_table(struct pol_run *r, const struct sql_constraint *c)
{
    return c->ref_table ? pol_qualified(pol_arena(r), c->ref_schema, c->ref_table)
                        : "...";
}

static void
report_fk(struct pol_run *r, const struct sql_object *o, const struct sql_constraint *c,
    const char *column, const char *message, const char *detail, const char *hint)
{
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r), "%s (%s): %s", pol_name(r, o),
                       pol_key_list(r, c, column), message),
            .detail = detail, .hint = hint, .object = o,
            .column = c->n_columns ? c->columns[0] : column, .at = c->pos + 1));
}

static void
on_delete(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    (void)f;
    (void)s;
    if (c->kind == SQL_C_FOREIGN && !c->has_on_delete)
        report_fk(r, o, c, column, "the foreign key doesn't say ON DELETE",
            "Nothing written means NO ACTION: deleting the row it refers to fails. Was "
            "that meant?",
            arena_printf(pol_arena(r),
                "REFERENCES %s ON DELETE RESTRICT (or CASCADE, SET NULL)",
                other_table(r, c)));
}

void
pol_check_fk_on_delete(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, on_delete);
}

static void
cascade(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    (void)f;
    (void)s;
    if (c->kind == SQL_C_FOREIGN && c->on_delete == 'c')
        report_fk(r, o, c, column, "rows go when others are deleted",
            "One DELETE takes whole trees of rows with it, without naming their tables.",
            arena_printf(
                pol_arena(r), "REFERENCES %s ON DELETE RESTRICT", other_table(r, c)));
}

void
pol_check_fk_cascade(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, cascade);
}

static void
ban(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    (void)f;
    (void)s;
    if (c->kind == SQL_C_FOREIGN)
        report_fk(r, o, c, column, "this policy wants no foreign keys",
            "A standard of the team: the application looks after it.",
            "Leave REFERENCES out.");
}

void
pol_check_fk_ban(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, ban);
}

/* ---- fk-type-match ---- */

/* As it is stored: serial is an integer. */
static const char *
stored_type(const struct sql_column *col)
{
    const char *type = pol_column_type(col);

    if (strcmp(type, "serial") == 0)
        return "int4";
    if (strcmp(type, "bigserial") == 0)
        return "int8";
    return strcmp(type, "smallserial") == 0 ? "int2" : type;
}

static const struct sql_column *
column_def(const struct pol_run *r, const struct pol_shape *t, const char *name)
{
    const struct pol_shape_column *c = t && name ? pol_shape_column(r->shapes, t, name)
                                                 : NULL;
    return c ? c->def : NULL;
}

static void
type_match(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape *from = pol_shape_find(r->shapes, o->schema, o->name);
    const struct pol_shape *to = pol_shape_find(r->shapes, c->ref_schema, c->ref_table);
    const char *const *names = c->n_columns ? (const char *const *)c->columns : &column;
    size_t n = c->n_columns ? c->n_columns : 1;

    (void)f;
    (void)s;
    if (c->kind != SQL_C_FOREIGN || !to)
        return;
    bool by_pk = !c->n_ref_columns && to->pk && to->pk->n_columns == n;
    for (size_t i = 0; i < n && (by_pk || c->n_ref_columns == n); i++) {
        const char *other = by_pk ? to->pk->columns[i] : c->ref_columns[i];
        const struct sql_column *x = column_def(r, from, names[i]);
        const struct sql_column *y = column_def(r, to, other);
        if (!x || !y || strcmp(stored_type(x), stored_type(y)) == 0)
            continue;
        report_fk(r, o, c, column,
            arena_printf(a, "%s refers to %s", pol_type(a, x), pol_type(a, y)),
            "Each check casts one of them, and what fits into one may not fit into the "
            "other.",
            arena_printf(a, "%s %s", pol_ident(a, x->name),
                pol_is_serial(y)
                    ? strcmp(stored_type(y), "int8") == 0 ? "bigint" : "integer"
                    : pol_type(a, y)));
        return;
    }
}

void
pol_check_fk_type(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, type_match);
}

/* ---- fk-nullable ---- */

static void
nullable(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape *t = pol_shape_find(r->shapes, o->schema, o->name);
    const char *const *names = c->n_columns ? (const char *const *)c->columns : &column;
    size_t n = c->n_columns ? c->n_columns : 1;

    (void)f;
    (void)s;
    for (size_t i = 0; t && c->kind == SQL_C_FOREIGN && i < n; i++) {
        const struct pol_shape_column *x = names[i]
            ? pol_shape_column(r->shapes, t, names[i])
            : NULL;
        if (!x || !x->def || x->is_not_null)
            continue;
        report_fk(r, o, c, column,
            arena_printf(a, "%s may be null", pol_ident(a, x->name)),
            "A row that refers to nothing is allowed, perhaps by accident.",
            arena_printf(
                a, "%s %s NOT NULL", pol_ident(a, x->name), pol_type(a, x->def)));
        return;
    }
}

void
pol_check_fk_nullable(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, nullable);
}
