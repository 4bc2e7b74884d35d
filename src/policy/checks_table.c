// SPDX-License-Identifier: ISC
/* Checks of group modelling about new tables, judged by what the whole file makes of them. */
#include "policy/safe.h"

#include "sql/lex.h"

#include <string.h>

/* The table that this fact makes, with its columns written out; NULL: none to be judged. */
static const struct pol_shape *
made_here(const struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_shape *t = pol_shape_of(r->shapes, r->fact);
    bool is_table = f->n_objects && pol_tag(f, "CREATE TABLE")
        && !f->objects[0].is_temp;

    return t && is_table && t->is_made && !t->is_dropped && !pol_stored(r) ? t : NULL;
}

/* ---- require-primary-key, uuid-primary-key ---- */

void
pol_check_require_pk(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_shape *t = made_here(r, f);

    if (!t || t->pk || !t->is_whole)
        return;
    const struct sql_object *o = &f->objects[0];
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "%s has no primary key", pol_name(r, o)),
            .detail = "Rows can't be told apart: duplicates get in, and logical "
                      "replication refuses UPDATE and DELETE.",
            .hint = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY as its first "
                    "column, or PRIMARY KEY (...) over columns that are there.",
            .object = o, .at = o->pos + 1));
}

static const char *
default_call(const struct sql_column *col)
{
    for (size_t i = 0; col && i < col->n_constraints; i++) {
        if (col->constraints[i].kind == SQL_C_DEFAULT)
            return col->constraints[i].call ? col->constraints[i].call : "";
    }
    return NULL;
}

void
pol_check_uuid_pk(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape *t = made_here(r, f);
    const char *wanted = pol_type_name(a, pol_param(r, POL_P_TYPE)->text);

    if (!t || !t->pk || t->pk->n_columns != 1)
        return;
    const struct pol_shape_column *c = pol_shape_column(
        r->shapes, t, t->pk->columns[0]);
    if (!c || !c->def)
        return;
    const char *call = default_call(c->def);
    bool is_type = strcmp(pol_column_type(c->def), wanted) == 0;
    bool is_filled = call && (!*call || pol_param_has(r, POL_P_NAMES, call));
    const struct pol_value *names = pol_param(r, POL_P_NAMES);
    if (is_type && (is_filled || !names->n_words))
        return;
    const struct sql_object *o = &f->objects[0];
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "the primary key of %s is %s%s",
                       pol_name(r, o), is_type ? "without a default: " : "of type ",
                       is_type ? pol_ident(a, c->name) : pol_type(a, c->def)),
            .detail = arena_printf(a,
                "This team's keys are of type %s and fill "
                "themselves.",
                wanted),
            .hint = arena_printf(a, "%s %s PRIMARY KEY DEFAULT %s()",
                pol_ident(a, c->name), wanted,
                names->n_words ? names->words[0] : "gen_random_uuid"),
            .object = o, .column = c->name, .at = c->def->pos + 1));
}

/* ---- columns that every table has ---- */

static bool
same_call(const char *a, const char *b)
{
    static const char *const now[] = { "now", "current_timestamp",
        "transaction_timestamp" };
    bool is_now_a = false, is_now_b = false;

    for (size_t i = 0; i < DG_ARRAY_SIZE(now); i++) {
        is_now_a |= str_ieqz(str_of(a), now[i]);
        is_now_b |= str_ieqz(str_of(b), now[i]);
    }
    return str_ieqz(str_of(a), b) || (is_now_a && is_now_b);
}

static bool
in_key(const struct pol_shape *t, const char *column)
{
    for (size_t i = 0; t->pk && i < t->pk->n_columns; i++) {
        if (strcmp(t->pk->columns[i], column) == 0)
            return true;
    }
    return false;
}

/* What the table lacks of it; NULL: nothing. */
static const char *
lack_of(
    struct pol_run *r, const struct pol_shape *t, const struct pol_column_spec *spec)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape_column *c = pol_shape_column(r->shapes, t, spec->name);
    const char *call;

    if (!c || !c->def)
        return arena_printf(a, "has no column %s", spec->name);
    if (spec->type && strcmp(pol_column_type(c->def), spec->type) != 0)
        return arena_printf(a, "has %s of type %s", spec->name, pol_type(a, c->def));
    if (spec->has_not_null && !c->is_not_null && !in_key(t, spec->name))
        return arena_printf(a, "has %s without NOT NULL", spec->name);
    if (spec->has_default && !c->has_default)
        return arena_printf(a, "has %s without a default", spec->name);
    call = default_call(c->def);
    if (spec->call && call && !same_call(call, spec->call))
        return arena_printf(a, "has %s with another default", spec->name);
    return NULL;
}

static void
check_columns(struct pol_run *r, const struct sql_facts *f, const struct pol_shape *t)
{
    struct arena *a = pol_arena(r);
    const struct pol_value *v = pol_param(r, POL_P_COLUMNS);
    const char *first = NULL, *wanted = "", *no_rewrite = NULL;

    for (size_t i = 0; i < v->n_columns; i++) {
        const char *lack = lack_of(r, t, &v->columns[i]);
        if (!lack)
            continue;
        wanted = arena_printf(
            a, "%s%s%s", wanted, *wanted ? ", " : "", v->columns[i].text);
        if (!first)
            first = lack;
        if (pol_shape_column(r->shapes, t, v->columns[i].name))
            no_rewrite = "a column that is written is not changed";
        else if (!v->columns[i].type)
            no_rewrite = "the policy names no type for the column";
    }
    if (!first)
        return;
    const struct sql_object *o = &f->objects[0];
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s %s", pol_name(r, o), first),
            .detail =
                "Every table of this team has these columns; queries, triggers and "
                "tools count on them.",
            .hint = arena_printf(
                a, "Write into CREATE TABLE %s: %s", pol_name(r, o), wanted),
            .wanted = wanted, .no_rewrite = no_rewrite, .object = o, .at = o->pos + 1));
}

void
pol_check_required_columns(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_shape *t = made_here(r, f);

    if (t && t->is_whole)
        check_columns(r, f, t);
}

static bool
is_listed(struct pol_run *r, const struct sql_object *o)
{
    return pol_is_excepted(&pol_param(r, POL_P_TABLES)->objects, o, &r->path);
}

void
pol_check_tenant(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_shape *t = made_here(r, f);

    if (t && t->is_whole && is_listed(r, &f->objects[0]))
        check_columns(r, f, t);
}

void
pol_check_tenant_index(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape *t = made_here(r, f);
    const struct pol_value *key = pol_param(r, POL_P_KEY);
    const char *parts[2 + 8] = { "idx" };

    if (!t || !key->n_words)
        return;
    for (size_t i = 0; i < key->n_words; i++) {
        if (!pol_shape_column(r->shapes, t, key->words[i]))
            return; /* the columns are other rules' business */
    }
    if (pol_shape_has_index(t, key->words, key->n_words))
        return;
    const struct sql_object *o = &f->objects[0];
    const char *list = pol_ident_list(a, key->words, key->n_words);
    size_t n = key->n_words < 8 ? key->n_words : 8;
    parts[1] = o->name;
    for (size_t i = 0; i < n; i++)
        parts[2 + i] = key->words[i];
    const char *safe = arena_printf(a, "CREATE INDEX %s ON %s (%s);",
        pol_ident(a, pol_made_name(a, parts, 2 + n)), pol_name(r, o), list);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "no index of %s leads with (%s)", pol_name(r, o), list),
            .detail = "Queries for one tenant read the rows of all of them.",
            .hint = safe, .wanted = safe, .object = o, .at = o->pos + 1));
}

/* ---- soft-delete ---- */

/* Is there a partial index whose condition names the column? */
static bool
has_partial_index(
    const struct pol_run *r, const struct pol_shape *t, const char *column)
{
    for (size_t i = 0; i < t->n_indexes; i++) {
        const struct sql_facts *f = &r->text->tree->facts[t->indexes[i].fact];
        const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
        const char *text = r->text->text + s->start;
        struct sql_lexer lx;
        struct sql_token tok;
        char name[64];
        bool is_condition = false;

        sql_lex_init(&lx, text, s->len, true);
        while (t->indexes[i].has_where && sql_lex_next(&lx, &tok) == 0) {
            if (sql_token_ident(text, &tok, name))
                continue;
            if (is_condition && strcmp(name, column) == 0)
                return true;
            is_condition |= strcmp(name, "where") == 0;
        }
    }
    return false;
}

void
pol_check_soft_delete(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape *t = made_here(r, f);
    const struct pol_value *v = pol_param(r, POL_P_COLUMNS);

    if (!t || !t->is_whole || !v->n_columns)
        return;
    const char *column = v->columns[0].name;
    if (lack_of(r, t, &v->columns[0])) {
        check_columns(r, f, t);
        return;
    }
    if (!pol_param(r, POL_P_INDEX)->number || pol_shape_has_index(t, &column, 1)
        || has_partial_index(r, t, column))
        return;
    const struct sql_object *o = &f->objects[0];
    const char *const parts[] = { "idx", o->name, column };
    const char *safe = arena_printf(a, "CREATE INDEX %s ON %s (%s);",
        pol_ident(a, pol_made_name(a, parts, 3)), pol_name(r, o), pol_ident(a, column));
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "no index of %s is about %s", pol_name(r, o), column),
            .detail =
                "Every query leaves out the deleted rows, and reads them to do so.",
            .hint = safe, .wanted = safe, .object = o, .at = o->pos + 1));
}

/* ---- columns one by one ---- */

static void
each_new_column(struct pol_run *r, const struct sql_facts *f,
    void (*fn)(struct pol_run *r, const struct sql_object *o, const struct pol_shape *t,
        const struct pol_shape_column *c))
{
    const struct pol_shape *t = made_here(r, f);

    for (size_t i = 0; t && i < t->n_columns && pol_is_worth(r); i++) {
        if (t->columns[i]->def)
            fn(r, &f->objects[0], t, t->columns[i]);
    }
}

static void
not_null(struct pol_run *r, const struct sql_object *o, const struct pol_shape *t,
    const struct pol_shape_column *c)
{
    struct arena *a = pol_arena(r);

    if (c->is_not_null || in_key(t, c->name))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "%s.%s may be null", pol_name(r, o), pol_ident(a, c->name)),
            .detail =
                "Comparisons with null are neither true nor false; each reader has "
                "to think of it.",
            .hint = arena_printf(
                a, "%s %s NOT NULL", pol_ident(a, c->name), pol_type(a, c->def)),
            .object = o, .column = c->name, .at = c->def->pos + 1));
}

void
pol_check_column_not_null(struct pol_run *r, const struct sql_facts *f)
{
    each_new_column(r, f, not_null);
}

static bool
is_reference(const struct sql_column *col)
{
    return pol_column_has(col, SQL_C_FOREIGN) || str_suffix(col->name, "_id");
}

static void
column_default(struct pol_run *r, const struct sql_object *o, const struct pol_shape *t,
    const struct pol_shape_column *c)
{
    struct arena *a = pol_arena(r);

    if (!c->is_not_null || c->has_default || in_key(t, c->name) || is_reference(c->def))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s.%s is NOT NULL and has no default",
                       pol_name(r, o), pol_ident(a, c->name)),
            .detail = "Writers that don't know the column fail.",
            .hint = arena_printf(a, "%s %s NOT NULL DEFAULT ...", pol_ident(a, c->name),
                pol_type(a, c->def)),
            .object = o, .column = c->name, .at = c->def->pos + 1));
}

void
pol_check_column_default(struct pol_run *r, const struct sql_facts *f)
{
    each_new_column(r, f, column_default);
}

static void
column_comment(struct pol_run *r, const struct sql_object *o, const struct pol_shape *t,
    const struct pol_shape_column *c)
{
    struct arena *a = pol_arena(r);
    const char *name = arena_printf(a, "%s.%s", pol_name(r, o), pol_ident(a, c->name));

    (void)t;
    if (c->is_commented)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s has no comment", name),
            .detail = "Whoever comes later can't tell what it means.",
            .hint = arena_printf(a, "COMMENT ON COLUMN %s IS '...';", name),
            .object = o, .column = c->name, .at = c->def->pos + 1));
}

void
pol_check_comments(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape *t = made_here(r, f);

    if (t && !t->has_comment)
        pol_report(r,
            POL_REPORT(.message = arena_printf(
                           a, "%s has no comment", pol_name(r, &f->objects[0])),
                .detail = "Whoever comes later can't tell what it is for.",
                .hint = arena_printf(
                    a, "COMMENT ON TABLE %s IS '...';", pol_name(r, &f->objects[0])),
                .object = &f->objects[0], .at = f->objects[0].pos + 1));
    if (t && pol_param(r, POL_P_EACH_COLUMN)->number)
        each_new_column(r, f, column_comment);
}

/* ---- limits ---- */

void
pol_check_column_limit(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_shape *t = made_here(r, f);
    int64_t max = pol_param(r, POL_P_MAX)->number;

    if (!t || (int64_t)t->n_columns <= max)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r), "%s has %zu columns",
                       pol_name(r, &f->objects[0]), t->n_columns),
            .detail = "Each UPDATE writes the whole row again, and nobody sees what "
                      "belongs together.",
            .hint = arena_printf(pol_arena(r),
                "Move columns that are used together to a table of their own; %lld are "
                "enough here.",
                (long long)max),
            .object = &f->objects[0], .at = f->objects[0].pos + 1));
}

void
pol_check_index_total(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_shape *t = made_here(r, f);
    int64_t max = pol_param(r, POL_P_MAX)->number;

    if (!t || (int64_t)t->n_indexes <= max)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r), "%s has %zu indexes",
                       pol_name(r, &f->objects[0]), t->n_indexes),
            .detail = "Each INSERT, and most UPDATEs, write all of them.",
            .hint = arena_printf(pol_arena(r),
                "Keep those that queries need; %lld are enough here.", (long long)max),
            .object = &f->objects[0], .at = f->objects[0].pos + 1));
}

void
pol_check_index_keys(struct pol_run *r, const struct sql_facts *f)
{
    int64_t max = pol_param(r, POL_P_MAX)->number;

    if (!f->index || !f->n_objects || pol_stored(r)
        || (int64_t)f->index->n_columns <= max)
        return;
    struct arena *a = pol_arena(r);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "the index has %zu key columns", f->index->n_columns),
            .detail =
                "Columns behind the first two or three rarely narrow a search, and "
                "make the index large.",
            .hint = arena_printf(a,
                "ON %s (%s) INCLUDE the others, if queries read them.",
                pol_qualified(a, f->objects[0].on_schema, f->objects[0].on),
                pol_ident_list(a, (const char *const *)f->index->columns, (size_t)max)),
            .object = &f->objects[0]));
}

/* ---- unlogged-table ---- */

void
pol_check_unlogged(struct pol_run *r, const struct sql_facts *f)
{
    if (!f->n_objects || !f->objects[0].is_created || !pol_sub_find(f, "UNLOGGED")
        || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r), "%s is empty after a crash",
                       pol_name(r, &f->objects[0])),
            .detail =
                "An unlogged table is not written to the log: no crash recovery, no "
                "replica, no point in time recovery has its rows.",
            .hint = arena_printf(pol_arena(r), "CREATE TABLE %s without UNLOGGED.",
                pol_name(r, &f->objects[0])),
            .object = &f->objects[0], .at = f->objects[0].pos + 1));
}
