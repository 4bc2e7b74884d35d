// SPDX-License-Identifier: ISC
/* Checks of group locking that are about constraints of tables in use: which scan, which
 * build an index, under which lock. */
#include "policy/ask.h"

#include "policy/safe.h"

#include <string.h>

/* ---- add-fk-not-valid, add-check-not-valid ---- */

/* ALTER TABLE t ADD CONSTRAINT c ... NOT VALID; then VALIDATE. */
static const char *
in_two_steps(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    size_t sub, const char *suffix)
{
    struct arena *a = pol_arena(r);
    const struct sql_constraint *c = f->subs[sub].constraint;
    const char *table = pol_name(r, o), *text = pol_sub_text(r, f, sub);
    const char *name = pol_constraint_name(r, o, c, NULL, suffix);

    if (!text || !c->name) {
        const char *what = c->kind == SQL_C_FOREIGN
            ? arena_printf(a, "FOREIGN KEY (%s) REFERENCES %s",
                pol_key_list(r, c, NULL),
                c->ref_table ? pol_qualified(a, c->ref_schema, c->ref_table) : "...")
            : "CHECK (...)";
        text = arena_printf(a, "ADD CONSTRAINT %s %s", name, what);
    }
    return arena_printf(a,
        "ALTER TABLE %s %s NOT VALID; then, in a later transaction: ALTER TABLE %s VALIDATE "
        "CONSTRAINT %s;",
        table, text, table, name);
}

void
pol_check_add_fk(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_constraint *c = f->subs[i].constraint;
        if (!c || c->kind != SQL_C_FOREIGN || c->not_valid
            || !pol_sub_is(&f->subs[i], "ADD CONSTRAINT"))
            continue;
        const char *other = c->ref_table ? pol_qualified(a, c->ref_schema, c->ref_table)
                                         : "the other table";
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "writes to %s and %s wait while every row is checked",
                           pol_name(r, o), other),
                .detail =
                    "ADD FOREIGN KEY holds SHARE ROW EXCLUSIVE on both tables while it "
                    "reads them. VALIDATE reads them later under locks that block nobody.",
                .hint = in_two_steps(r, f, o, i, "fkey"), .object = o,
                .column = c->n_columns ? c->columns[0] : NULL, .at = c->pos + 1));
    }
}

void
pol_check_add_check(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_constraint *c = f->subs[i].constraint;
        if (!c || c->kind != SQL_C_CHECK || c->not_valid
            || !pol_sub_is(&f->subs[i], "ADD CONSTRAINT"))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "everybody waits for %s while every row is checked",
                           pol_name(r, o)),
                .detail =
                    "ADD CHECK holds ACCESS EXCLUSIVE while it reads the table. With "
                    "NOT VALID it reads nothing; VALIDATE reads later and blocks "
                    "nobody.",
                .hint = in_two_steps(r, f, o, i, "check"), .object = o,
                .at = c->pos + 1));
    }
}

/* ---- fk-in-create-table ---- */

static void
fk_in_create(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    struct arena *a = pol_arena(r);
    const struct sql_object other = { .kind = SQL_O_TABLE,
        .schema = c->ref_schema,
        .name = c->ref_table ? c->ref_table : "",
        .pos = -1 };

    (void)f;
    (void)s;
    if (c->kind != SQL_C_FOREIGN || !*other.name || pol_is_own(r, &other)
        || strcmp(other.name, o->name) == 0)
        return;
    const char *name = pol_qualified(a, other.schema, other.name);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "writes to %s wait until the transaction ends", name),
            .detail =
                "A foreign key takes SHARE ROW EXCLUSIVE on the table it refers to, "
                "if only for a moment: it queues behind writers, and later writers "
                "behind it.",
            .hint = arena_printf(a,
                "SET lock_timeout = '2s' before it, or create %s without the key and add "
                "it alone: ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s "
                "NOT VALID;",
                pol_name(r, o), pol_name(r, o),
                pol_constraint_name(r, o, c, column, "fkey"),
                pol_key_list(r, c, column), name),
            .object = o, .column = column, .at = c->pos + 1));
}

void
pol_check_fk_in_create(struct pol_run *r, const struct sql_facts *f)
{
    if (pol_tag(f, "CREATE TABLE"))
        pol_each_constraint(r, f, fk_in_create);
}

/* ---- add-column-inline-constraint ---- */

static const char *
inline_danger(const struct sql_column *col, const struct sql_constraint *c)
{
    switch ((int)c->kind) {
    case SQL_C_CHECK:
        return "every row is read for its CHECK";
    case SQL_C_UNIQUE:
        return "its unique index is built";
    case SQL_C_PRIMARY:
        return "its primary key is built";
    case SQL_C_FOREIGN: /* without a default the new column is null: nothing to look up */
        return pol_column_has(col, SQL_C_DEFAULT) ? "its foreign key is looked up"
                                                  : NULL;
    default:
        return NULL;
    }
}

static const char *
inline_second_step(struct pol_run *r, const struct sql_object *o,
    const struct sql_column *col, const struct sql_constraint *c)
{
    struct arena *a = pol_arena(r);
    const char *table = pol_name(r, o), *column = pol_ident(a, col->name);

    switch ((int)c->kind) {
    case SQL_C_CHECK:
        return arena_printf(a,
            "ALTER TABLE %s ADD CONSTRAINT %s CHECK (...) NOT VALID, and VALIDATE it later",
            table, pol_constraint_name(r, o, c, col->name, "check"));
    case SQL_C_FOREIGN:
        return arena_printf(a,
            "ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s NOT VALID, and "
            "VALIDATE it later",
            table, pol_constraint_name(r, o, c, col->name, "fkey"), column,
            c->ref_table ? pol_qualified(a, c->ref_schema, c->ref_table) : "...");
    default:
        return arena_printf(a,
            "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s), and ADD CONSTRAINT ... USING "
            "INDEX it",
            pol_constraint_name(r, o, c, col->name, "key"), table, column);
    }
}

void
pol_check_inline(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_column *col = f->subs[i].def;
        if (!col || !pol_sub_is(&f->subs[i], "ADD COLUMN"))
            continue;
        for (size_t k = 0; k < col->n_constraints; k++) {
            const struct sql_constraint *c = &col->constraints[k];
            const char *why = inline_danger(col, c);
            if (!why)
                continue;
            pol_report(r,
                POL_REPORT(.message = arena_printf(a, "everybody waits for %s while %s",
                               pol_name(r, o), why),
                    .detail = "ADD COLUMN holds ACCESS EXCLUSIVE until its constraints "
                              "are checked for every row that is there.",
                    .hint = arena_printf(a, "ALTER TABLE %s ADD COLUMN %s %s; then %s.",
                        pol_name(r, o), pol_ident(a, col->name), pol_type(a, col),
                        inline_second_step(r, o, col, c)),
                    .object = o, .column = col->name, .at = f->subs[i].pos + 1));
        }
    }
}

/* ---- add-unique-using-index, add-pk-using-index, add-exclusion-constraint ---- */

static void
report_key(
    struct pol_run *r, const struct sql_object *o, const struct sql_constraint *c)
{
    struct arena *a = pol_arena(r);
    bool is_pk = c->kind == SQL_C_PRIMARY;
    const char *table = pol_name(r, o);
    const char *name = pol_constraint_name(r, o, c, NULL, is_pk ? "pkey" : "key");

    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "everybody waits for %s while its index is built", table),
            .detail = is_pk
                ? "ADD PRIMARY KEY holds ACCESS EXCLUSIVE while it builds the index, and "
                  "reads the table once more if a column may be null."
                : "ADD UNIQUE holds ACCESS EXCLUSIVE while it builds the index.",
            .hint = arena_printf(a,
                "%sCREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s); then ALTER TABLE %s ADD "
                "CONSTRAINT %s %s USING INDEX %s;",
                is_pk ? "Make its columns NOT NULL the safe way; " : "", name, table,
                pol_key_list(r, c, NULL), table, name, is_pk ? "PRIMARY KEY" : "UNIQUE",
                name),
            .object = o, .column = c->n_columns ? c->columns[0] : NULL,
            .at = c->pos + 1));
}

static void
check_keys(struct pol_run *r, const struct sql_facts *f, enum sql_constraint_kind kind)
{
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_constraint *c = f->subs[i].constraint;
        if (c && c->kind == kind && !c->using_index
            && pol_sub_is(&f->subs[i], "ADD CONSTRAINT"))
            report_key(r, o, c);
    }
}

void
pol_check_add_unique(struct pol_run *r, const struct sql_facts *f)
{
    check_keys(r, f, SQL_C_UNIQUE);
}

void
pol_check_add_pk(struct pol_run *r, const struct sql_facts *f)
{
    check_keys(r, f, SQL_C_PRIMARY);
}

void
pol_check_add_exclusion(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_constraint *c = f->subs[i].constraint;
        if (!c || c->kind != SQL_C_EXCLUSION)
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(pol_arena(r),
                           "everybody waits for %s while its index is built",
                           pol_name(r, o)),
                .detail =
                    "ADD EXCLUDE holds ACCESS EXCLUSIVE while it builds the index "
                    "and compares the rows. It has neither NOT VALID nor USING "
                    "INDEX.",
                .hint = arena_printf(pol_arena(r),
                    "Make a new table with the constraint, fill it and switch the names; "
                    "or run it when nobody needs %s, with lock_timeout set.",
                    pol_name(r, o)),
                .object = o, .at = c->pos + 1));
    }
}

/* ---- set-not-null-scan ---- */

/* Is the column NOT NULL already, or says a valid CHECK of the table so? */
static bool
is_filled(struct pol_run *r, const struct sql_object *o, const char *column)
{
    const struct pol_live_relation *rel;
    const struct pol_live_column *c;

    if (pol_ask(r, o, &rel) != POL_LIVE_FOUND)
        return false;
    c = pol_live_column(rel, column);
    if (c && c->is_not_null && !pol_was_changed(r, column))
        return true;
    for (size_t i = 0; i < rel->n_constraints; i++) {
        const struct pol_live_constraint *k = &rel->constraints[i];
        if (k->is_valid && k->not_null_of && strcmp(k->not_null_of, column) == 0
            && !pol_had_sub(r, "DROP CONSTRAINT", k->name))
            return true;
    }
    return false;
}

void
pol_check_set_not_null(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (!pol_sub_is(s, "SET NOT NULL") || !s->column
            || pol_unit_is_new_column(r->unit, o->schema, o->name, s->column)
            || pol_flow_knows_not_null(r->flow, o, s->column)
            || is_filled(r, o, s->column))
            continue;
        const char *const parts[] = { o->name, s->column, "not_null" };
        const char *table = pol_name(r, o), *column = pol_ident(a, s->column);
        const char *name = pol_ident(a, pol_made_name(a, parts, 3));
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "everybody waits for %s while every row is read for %s",
                           table, column),
                .detail =
                    "SET NOT NULL holds ACCESS EXCLUSIVE while it reads the table, "
                    "unless a valid CHECK says the same already.",
                .hint = arena_printf(a,
                    "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID; in "
                    "a later transaction VALIDATE CONSTRAINT %s; then SET NOT NULL and DROP "
                    "CONSTRAINT %s.",
                    table, name, column, name, name),
                .object = o, .column = s->column, .at = s->pos + 1));
    }
}

/* ---- domains ---- */

void
pol_check_domain_check(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const struct sql_sub *s = f->n_subs ? &f->subs[0] : NULL;

    if (!o || !s || !pol_tag(f, "ALTER DOMAIN") || pol_stored(r)
        || pol_flow_comes_back(r->flow, r->fact, o))
        return;
    bool is_check = s->constraint && pol_sub_is(s, "ADD CONSTRAINT")
        && !s->constraint->not_valid;
    if (!is_check && !pol_sub_is(s, "SET NOT NULL"))
        return;
    const char *text = pol_text_of(r, f), *name = pol_name(r, o);
    const char *safe = is_check
        ? arena_printf(a,
            "%s NOT VALID; later: ALTER DOMAIN %s VALIDATE CONSTRAINT %s;",
            text ? text : "the same with", name,
            s->column ? pol_ident(a, s->column) : "...")
        : arena_printf(
            a, "Add NOT NULL to the columns of type %s instead, one by one.", name);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "writes wait while every table with a %s column is read", name),
            .detail =
                "The domain's new constraint is checked under SHARE locks on every "
                "table that uses it.",
            .hint = safe, .object = o, .at = s->pos + 1));
}

void
pol_check_domain_new(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!o || !pol_tag(f, "CREATE DOMAIN") || pol_stored(r))
        return;
    const struct sql_sub *type = pol_sub_find(f, "OF TYPE");
    for (size_t i = 0; i < f->n_subs; i++) {
        const struct sql_constraint *c = f->subs[i].constraint;
        if (!c || (c->kind != SQL_C_CHECK && c->kind != SQL_C_NOT_NULL))
            continue;
        const char *base = type && type->column ? type->column : "text";
        if (str_prefix(base, "pg_catalog."))
            base += strlen("pg_catalog.");
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "a column of type %s rewrites the table it is added to",
                           pol_name(r, o)),
                .detail =
                    "ADD COLUMN with a constrained domain rewrites the table under "
                    "ACCESS EXCLUSIVE even without a default.",
                .hint = arena_printf(a,
                    "Use %s for the columns, and ADD CONSTRAINT ... CHECK (...) NOT VALID "
                    "on each table.",
                    base),
                .object = o, .at = c->pos + 1));
        return;
    }
}
