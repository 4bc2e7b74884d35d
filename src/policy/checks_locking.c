// SPDX-License-Identifier: ISC
/* Checks of group locking: what blocks others, or fails, on a table that is in use. */
#include "policy/rules.h"

#include "policy/unit.h"
#include "sql/lex.h"

#include <string.h>

#define MAX_SAFE_BYTES 600 /* of a statement that is written out in a hint */

/* ---- add-index-concurrently ---- */

/* The statement's own text with CONCURRENTLY after INDEX; NULL if it is too long, or its
 * text is not the one the client sent (inside DO). */
static const char *
with_concurrently(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
    const char *text = r->text->text + s->start;
    struct sql_lexer lx;
    struct sql_token tok;

    if (f->parent >= 0 || s->len > MAX_SAFE_BYTES)
        return NULL;
    sql_lex_init(&lx, text, s->len, true);
    for (int i = 0; i < 3 && sql_lex_next(&lx, &tok) == 0; i++) {
        if (tok.kind != SQL_T_WORD
            || !str_ieqz((struct str){ text + tok.start, tok.len }, "INDEX"))
            continue;
        size_t head = tok.start + tok.len;
        return arena_printf(pol_arena(r), "%.*s CONCURRENTLY%.*s", (int)head, text,
            (int)(s->len - head), text + head);
    }
    return NULL;
}

static const char *
made_index(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    return arena_printf(a, "CREATE %sINDEX CONCURRENTLY %s%sON %s (%s)",
        f->flags & SQL_F_UNIQUE ? "UNIQUE " : "",
        o->name && *o->name ? pol_ident(a, o->name) : "",
        o->name && *o->name ? " " : "", pol_qualified(a, o->on_schema, o->on),
        pol_ident_list(a, (const char *const *)f->index->columns, f->index->n_columns));
}

void
pol_check_add_index(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    /* ON ONLY is how partitioned tables get theirs: no build, no lock to speak of. */
    if (!f->index || !f->n_objects || (f->flags & (SQL_F_CONCURRENTLY | SQL_F_ONLY))
        || pol_is_stored(r->text->tree, r->fact))
        return;
    const struct sql_object *o = &f->objects[0];
    const struct sql_object table = {
        .kind = SQL_O_TABLE, .schema = o->on_schema, .name = o->on, .pos = -1
    };
    if (!o->on || o->is_temp || pol_excepted(r, &table)
        || pol_unit_is_new(r->unit, o->on_schema, o->on, true))
        return;
    const char *safe = with_concurrently(r, f);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "writes to %s wait while the index builds",
                       pol_qualified(a, o->on_schema, o->on)),
            .detail =
                "CREATE INDEX holds a SHARE lock on the table for the whole build; "
                "with CONCURRENTLY it takes longer and blocks nobody.",
            .hint = arena_printf(a,
                "%s; outside of a transaction, in a migration of its own.",
                safe ? safe : made_index(r, f, o)),
            .object = f->n_objects > 1 ? &f->objects[1] : o));
}

/* ---- not-null-needs-default ---- */

static bool
has_constraint(const struct sql_column *col, enum sql_constraint_kind kind)
{
    for (size_t i = 0; i < col->n_constraints; i++) {
        if (col->constraints[i].kind == kind)
            return true;
    }
    return false;
}

/* Written bare (serial) it is the grammar's; public.serial would be a type of somebody. */
static bool
is_serial(const char *type)
{
    static const char *const types[] = { "serial", "bigserial", "smallserial",
        "serial2", "serial4", "serial8" };
    for (size_t i = 0; type && i < DG_ARRAY_SIZE(types); i++) {
        if (strcmp(type, types[i]) == 0)
            return true;
    }
    return false;
}

static bool
fails_on_rows(const struct sql_column *col)
{
    return (has_constraint(col, SQL_C_NOT_NULL) || has_constraint(col, SQL_C_PRIMARY))
        && !has_constraint(col, SQL_C_DEFAULT) && !has_constraint(col, SQL_C_IDENTITY)
        && !has_constraint(col, SQL_C_GENERATED) && !is_serial(col->type);
}

/* A value that people often mean by "nothing yet"; NULL where there is none. */
static const char *
empty_value(const struct sql_column *col)
{
    static const struct {
        const char *type, *value;
    } values[] = { { "pg_catalog.int2", "0" }, { "pg_catalog.int4", "0" },
        { "pg_catalog.int8", "0" }, { "pg_catalog.numeric", "0" },
        { "pg_catalog.float4", "0" }, { "pg_catalog.float8", "0" },
        { "pg_catalog.bool", "false" }, { "pg_catalog.varchar", "''" },
        { "text", "''" }, { "pg_catalog.text", "''" }, { "citext", "''" },
        { "jsonb", "'{}'" }, { "json", "'{}'" }, { "pg_catalog.timestamptz", "now()" },
        { "timestamptz", "now()" }, { "pg_catalog.timestamp", "now()" },
        { "date", "current_date" } };

    if (col->type_mods && strstr(col->type_mods, "[]"))
        return "'{}'";
    for (size_t i = 0; col->type && i < DG_ARRAY_SIZE(values); i++) {
        if (strcmp(col->type, values[i].type) == 0)
            return values[i].value;
    }
    return NULL;
}

static const char *
not_null_hint(
    struct pol_run *r, const struct sql_object *o, const struct sql_column *col)
{
    struct arena *a = pol_arena(r);
    const char *table = pol_qualified(a, o->schema, o->name);
    const char *name = pol_ident(a, col->name), *type = pol_type(a, col);
    const char *value = empty_value(col), *with_default = "";

    if (value)
        with_default = arena_printf(a,
            "ALTER TABLE %s ADD COLUMN %s %s NOT NULL DEFAULT %s; or in steps: ", table,
            name, type, value);
    return arena_printf(a,
        "%sALTER TABLE %s ADD COLUMN %s %s; fill it, then ALTER TABLE %s ALTER COLUMN %s "
        "SET NOT NULL;",
        with_default, table, name, type, table, name);
}

void
pol_check_not_null(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_table_of(f);

    if (!o || !str_prefix(f->tag, "ALTER ") || o->is_temp
        || pol_is_stored(r->text->tree, r->fact))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (strcmp(s->name, "ADD COLUMN") != 0 || !s->def || !fails_on_rows(s->def)
            || pol_excepted(r, o) || pol_unit_is_new(r->unit, o->schema, o->name, true))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "column %s is NOT NULL and has no default",
                           pol_ident(a, s->def->name)),
                .detail =
                    "On a table with rows it fails, and writers that don't know the "
                    "column fail after it. A constant default rewrites nothing.",
                .hint = not_null_hint(r, o, s->def), .object = o,
                .column = s->def->name, .at = s->pos + 1));
    }
}
