// SPDX-License-Identifier: ISC
/* Questions and texts that many checks share; see safe.h. */
#include "policy/safe.h"

#include "sql/lex.h"

#include <string.h>

#define MAX_SAFE_BYTES 600 /* of a statement that is written out in a hint */

/* ---- whose table ---- */

const struct sql_sub *
pol_sub_find(const struct sql_facts *f, const char *name)
{
    for (size_t i = 0; i < f->n_subs; i++) {
        if (pol_sub_is(&f->subs[i], name))
            return &f->subs[i];
    }
    return NULL;
}

bool
pol_stored(const struct pol_run *r)
{
    return pol_is_stored(r->text->tree, r->fact);
}

bool
pol_is_own(const struct pol_run *r, const struct sql_object *table)
{
    return table->is_temp || pol_unit_is_new(r->unit, table->schema, table->name, true);
}

const struct sql_object *
pol_altered(const struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = pol_table_of(f);

    if (!o || o->kind == SQL_O_VIEW || !str_prefix(f->tag, "ALTER ") || pol_stored(r)
        || pol_is_own(r, o))
        return NULL;
    return o;
}

const char *
pol_name(struct pol_run *r, const struct sql_object *o)
{
    return pol_qualified(pol_arena(r), o->schema, o->name);
}

struct sql_object
pol_table_on(const struct sql_object *o)
{
    return (struct sql_object){ .kind = SQL_O_TABLE,
        .schema = o->on_schema,
        .name = o->on ? o->on : "",
        .pos = -1,
        .is_temp = o->is_temp };
}

/* ---- the user's text ---- */

static struct str
source_of(const struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
    if (f->parent >= 0 || s->len > MAX_SAFE_BYTES)
        return (struct str){ NULL, 0 };
    return (struct str){ r->text->text + s->start, s->len };
}

const char *
pol_text_of(struct pol_run *r, const struct sql_facts *f)
{
    struct str s = source_of(r, f);
    return s.p ? arena_strndup(pol_arena(r), s.p, s.n) : NULL;
}

/* Where the word stands; last: the last one. */
static bool
find_word(struct str s, const char *word, bool last, size_t *at)
{
    struct sql_lexer lx;
    struct sql_token tok;
    bool is_found = false;

    sql_lex_init(&lx, s.p, s.n, true);
    while ((last || !is_found) && sql_lex_next(&lx, &tok) == 0) {
        if (tok.kind != SQL_T_WORD
            || !str_ieqz((struct str){ s.p + tok.start, tok.len }, word))
            continue;
        *at = tok.start;
        is_found = true;
    }
    return is_found;
}

const char *
pol_text_after(
    struct pol_run *r, const struct sql_facts *f, const char *word, const char *insert)
{
    struct str s = source_of(r, f);
    size_t at;

    if (!s.p || !find_word(s, word, false, &at))
        return NULL;
    at += strlen(word);
    return arena_printf(
        pol_arena(r), "%.*s %s%.*s", (int)at, s.p, insert, (int)(s.n - at), s.p + at);
}

const char *
pol_text_without(struct pol_run *r, const struct sql_facts *f, const char *word)
{
    struct str s = source_of(r, f), head, tail;
    size_t at;

    if (!s.p || !find_word(s, word, true, &at))
        return NULL;
    head = str_trim((struct str){ s.p, at });
    at += strlen(word);
    tail = str_trim((struct str){ s.p + at, s.n - at });
    return arena_printf(pol_arena(r), "%.*s%s%.*s", (int)head.n, head.p,
        tail.n && *tail.p != ',' ? " " : "", (int)tail.n, tail.p);
}

const char *
pol_sub_text(struct pol_run *r, const struct sql_facts *f, size_t sub)
{
    const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
    int from = f->subs[sub].pos;
    int to = sub + 1 < f->n_subs ? f->subs[sub + 1].pos : (int)(s->start + s->len);

    if (f->parent >= 0 || from < 0 || to <= from || to - from > MAX_SAFE_BYTES
        || str_prefix(f->tag, "CREATE"))
        return NULL;
    struct str t = str_trim((struct str){ r->text->text + from, (size_t)(to - from) });
    if (t.n && t.p[t.n - 1] == ',')
        t = str_trim((struct str){ t.p, t.n - 1 });
    return arena_strndup(pol_arena(r), t.p, t.n);
}

/* ---- columns and constraints ---- */

bool
pol_column_has(const struct sql_column *col, enum sql_constraint_kind kind)
{
    for (size_t i = 0; i < col->n_constraints; i++) {
        if (col->constraints[i].kind == kind)
            return true;
    }
    return false;
}

/* Written bare it is the grammar's; public.serial would be a type of somebody. */
bool
pol_is_serial(const struct sql_column *col)
{
    static const char *const types[] = { "serial", "bigserial", "smallserial",
        "serial2", "serial4", "serial8" };
    for (size_t i = 0; col->type && i < DG_ARRAY_SIZE(types); i++) {
        if (strcmp(col->type, types[i]) == 0)
            return true;
    }
    return false;
}

const char *
pol_constraint_name(struct pol_run *r, const struct sql_object *table,
    const struct sql_constraint *c, const char *column, const char *suffix)
{
    struct arena *a = pol_arena(r);
    const char *parts[2 + 8] = { table->name };
    size_t n = 1;

    if (c->name)
        return pol_ident(a, c->name);
    for (size_t i = 0; c->kind != SQL_C_PRIMARY && i < c->n_columns && i < 8; i++)
        parts[n++] = c->columns[i];
    if (!c->n_columns && column)
        parts[n++] = column;
    parts[n++] = suffix;
    return pol_ident(a, pol_made_name(a, parts, n));
}

const char *
pol_key_list(struct pol_run *r, const struct sql_constraint *c, const char *column)
{
    struct arena *a = pol_arena(r);
    if (!c->n_columns)
        return column ? pol_ident(a, column) : "";
    return pol_ident_list(a, (const char *const *)c->columns, c->n_columns);
}

void
pol_each_constraint(struct pol_run *r, const struct sql_facts *f, pol_constraint_fn *fn)
{
    const struct sql_object *o = pol_table_of(f);

    if (!o || o->is_temp || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        for (size_t k = 0; s->def && k < s->def->n_constraints; k++)
            fn(r, f, o, s, &s->def->constraints[k], s->def->name);
        if (s->constraint && pol_sub_is(s, "ADD CONSTRAINT"))
            fn(r, f, o, s, s->constraint, NULL);
    }
}

void
pol_each_column(struct pol_run *r, const struct sql_facts *f, pol_column_fn *fn)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    bool is_type = o && o->kind == SQL_O_TYPE;

    if (!o || (!is_type && !pol_table_of(f)) || o->is_temp || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        if (f->subs[i].def)
            fn(r, f, o, &f->subs[i]);
    }
}
