// SPDX-License-Identifier: ISC
/* Checks of group modelling about foreign keys (fk-index: checks_modelling.c). */
#include "policy/ask.h"

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

/* One side of a foreign key: what the text says of its table, else the server. */
struct side {
    const struct pol_shape *shape;
    const struct pol_live_relation *live;
};

static struct side
side_of(struct pol_run *r, const char *schema, const char *name)
{
    const struct sql_object o = {
        .kind = SQL_O_TABLE, .schema = schema, .name = name, .pos = -1
    };
    struct side side = { pol_shape_find(r->shapes, schema, name), NULL };

    if (!(side.shape && side.shape->is_made) && !pol_is_own(r, &o)
        && pol_ask(r, &o, &side.live) != POL_LIVE_FOUND)
        side.live = NULL;
    return side;
}

/* A column's type as it is stored, and as people write it. NULL: not known. */
static const char *
type_of(
    struct pol_run *r, const struct side *side, const char *name, const char **shown)
{
    const struct pol_shape_column *c = side->shape && name
        ? pol_shape_column(r->shapes, side->shape, name)
        : NULL;

    if (c && c->def) {
        bool is_serial = pol_is_serial(c->def);
        const char *type = stored_type(c->def);
        const char *dot = strrchr(type, '.'); /* the server tells no schema */
        *shown = !is_serial             ? pol_type(pol_arena(r), c->def)
            : strcmp(type, "int8") == 0 ? "bigint"
                                        : "integer";
        return dot ? dot + 1 : type;
    }
    const struct pol_live_column *l = side->live ? pol_live_column(side->live, name)
                                                 : NULL;
    if (!l || l->is_array)
        return NULL;
    *shown = l->shown;
    return l->type;
}

/* The columns that REFERENCES table means. */
static size_t
key_of(const struct side *side, const char *const **columns)
{
    if (side->shape && side->shape->pk) {
        *columns = (const char *const *)side->shape->pk->columns;
        return side->shape->pk->n_columns;
    }
    for (size_t i = 0; side->live && i < side->live->n_constraints; i++) {
        const struct pol_live_constraint *k = &side->live->constraints[i];
        if (k->kind != 'p')
            continue;
        *columns = (const char *const *)k->columns;
        return k->n_columns;
    }
    return 0;
}

static void
type_match(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    struct arena *a = pol_arena(r);
    const char *const *names = c->n_columns ? (const char *const *)c->columns : &column;
    const char *const *others = (const char *const *)c->ref_columns;
    size_t n = c->n_columns ? c->n_columns : 1, n_others = c->n_ref_columns;

    (void)f;
    (void)s;
    if (c->kind != SQL_C_FOREIGN || !c->ref_table)
        return;
    struct side from = side_of(r, o->schema, o->name);
    struct side to = side_of(r, c->ref_schema, c->ref_table);
    if (!n_others)
        n_others = key_of(&to, &others);
    for (size_t i = 0; i < n && n_others == n; i++) {
        const char *mine = NULL, *theirs = NULL;
        const char *x = type_of(r, &from, names[i], &mine);
        const char *y = type_of(r, &to, others[i], &theirs);
        if (!x || !y || strcmp(x, y) == 0)
            continue;
        report_fk(r, o, c, column, arena_printf(a, "%s refers to %s", mine, theirs),
            "Each check casts one of them, and what fits into one may not fit into the "
            "other.",
            arena_printf(a, "%s %s", pol_ident(a, names[i]), theirs));
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
