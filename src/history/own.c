// SPDX-License-Identifier: ISC
/* The tool's own statements: those that make its tables. They are admitted for whoever may
 * change the schema at all, so nothing in them may run code of somebody's: types of the
 * server itself, no CHECK that calls anything, no default but constants and the clock.
 * Rows of the history table are another matter (write.c).
 *
 * Beside its history table a tool may have others: a list of names in its row, where %
 * stands for the history table's name and * at the end for anything: such tables come and
 * go (a probe), so they may be dropped, too. They all live in the history table's schema.
 *
 * What passes by none of this may stand in the tool's row word for word (`setup`): it is
 * only admitted where the transaction found no history table, so that it can't do away with
 * a row. */
#include "history/source.h"

#include <string.h>

/* --- names ------------------------------------------------------------------------------ */

enum own_table {
    OWN_NONE,
    OWN_HISTORY,
    OWN_OTHER,
    OWN_PASSING,
};

#define MAX_PATTERN 256

/* The pattern with the history table's name put in. */
static void
fill_pattern(const struct hist_set *set, struct str pattern, char out[MAX_PATTERN])
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.n && n + 1 < MAX_PATTERN; i++) {
        if (pattern.p[i] != '%') {
            out[n++] = pattern.p[i];
            continue;
        }
        for (const char *p = set->conf.history_table; *p && n + 1 < MAX_PATTERN; p++)
            out[n++] = *p;
    }
    out[n] = 0;
}

static bool
is_own_name(const struct hist_set *set, struct str pattern, const char *name)
{
    char want[MAX_PATTERN];

    fill_pattern(set, pattern, want);
    return str_glob(want, name);
}

void
hist_put_own_tables(const struct hist_set *set, struct buf *sql)
{
    struct str rest = str_of(set->tool->own), item;

    buf_puts(sql, "(n.nspname = ");
    hist_put_literal(sql, set->conf.history_schema);
    buf_puts(sql, " AND (c.relname = ");
    hist_put_literal(sql, set->conf.history_table);
    while (str_next_item(&rest, &item)) {
        char name[MAX_PATTERN];
        fill_pattern(set, item, name);
        size_t n = strlen(name);
        bool is_open = n && name[n - 1] == '*';
        if (is_open)
            name[n - 1] = '%';
        buf_puts(sql, is_open ? " OR c.relname LIKE " : " OR c.relname = ");
        hist_put_literal(sql, name);
    }
    buf_puts(sql, "))");
}

static enum own_table
find_own(const struct hist_set *set, const char *schema, const char *name)
{
    struct str rest = str_of(set->tool->own), item;

    if (!name || (schema && strcmp(schema, set->conf.history_schema) != 0))
        return OWN_NONE;
    if (hist_is_table(set, schema, name))
        return OWN_HISTORY;
    while (str_next_item(&rest, &item)) {
        if (is_own_name(set, item, name))
            return item.p[item.n - 1] == '*' ? OWN_PASSING : OWN_OTHER;
    }
    return OWN_NONE;
}

/* --- what may stand in a CREATE TABLE --------------------------------------------------- */

static bool
is_harmless_default(const struct sql_constraint *c)
{
    static const char *const clocks[] = { "now", "current_timestamp", "localtimestamp",
        "clock_timestamp", "transaction_timestamp", "statement_timestamp" };

    for (size_t i = 0; c->call && i < DG_ARRAY_SIZE(clocks); i++) {
        if (strcmp(c->call, clocks[i]) == 0)
            return true;
    }
    return c->is_constant;
}

static bool
is_plain_constraint(const struct hist_set *set, const struct sql_constraint *c)
{
    switch (c->kind) {
    case SQL_C_NOT_NULL:
    case SQL_C_NULL:
    case SQL_C_IDENTITY:
        return true;
    case SQL_C_PRIMARY:
    case SQL_C_UNIQUE:
        return !c->using_index;
    case SQL_C_DEFAULT:
        return is_harmless_default(c);
    case SQL_C_CHECK:
        return !c->has_call;
    case SQL_C_FOREIGN:
        return find_own(set, c->ref_schema, c->ref_table) != OWN_NONE;
    case SQL_C_GENERATED:
    case SQL_C_EXCLUSION:
        break;
    }
    return false;
}

/* Of the server itself: a domain or a type of somebody's has code of its own. */
static bool
is_plain_type(const char *type)
{
    static const char *const words[] = { "text", "timestamptz", "date", "int2", "int4",
        "int8", "bool", "uuid", "json", "jsonb", "bytea", "serial", "bigserial",
        "smallserial" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++) {
        if (strcmp(type, words[i]) == 0)
            return true;
    }
    return str_prefix(type, "pg_catalog.");
}

static const struct hist_column *
find_column(const struct hist_set *set, const char *name)
{
    for (size_t i = 0; i < set->tool->n_columns; i++) {
        if (name && strcmp(name, set->tool->columns[i].name) == 0)
            return &set->tool->columns[i];
    }
    return NULL;
}

static bool
is_plain_column(
    const struct hist_set *set, const struct sql_column *def, bool is_history)
{
    if (!is_plain_type(def->type) || (is_history && !find_column(set, def->name)))
        return false;
    for (size_t i = 0; i < def->n_constraints; i++) {
        if (!is_plain_constraint(set, &def->constraints[i]))
            return false;
    }
    return true;
}

/* The columns that the table needs at least: those which the tool doesn't add later. */
static bool
has_needed(const struct hist_set *set, const struct sql_facts *f)
{
    for (size_t i = 0; i < set->tool->n_columns; i++) {
        const struct hist_column *c = &set->tool->columns[i];
        bool is_there = c->is_optional;
        for (size_t k = 0; k < f->n_subs && !is_there; k++)
            is_there = f->subs[k].def && strcmp(f->subs[k].def->name, c->name) == 0;
        if (!is_there)
            return false;
    }
    return true;
}

static bool
is_plain_sub(const struct hist_set *set, const struct sql_sub *s, bool is_history)
{
    if (strcmp(s->name, "ADD COLUMN") == 0 && s->def)
        return is_plain_column(set, s->def, is_history);
    return strcmp(s->name, "ADD CONSTRAINT") == 0 && s->constraint
        && is_plain_constraint(set, s->constraint);
}

/* --- the statements --------------------------------------------------------------------- */

static bool
is_own_create(const struct hist_set *set, const struct sql_facts *f)
{
    if (strcmp(f->tag, "CREATE TABLE") != 0 || f->n_objects == 0
        || f->objects[0].is_temp)
        return false;
    for (size_t i = 0; i < f->n_objects; i++) {
        if (find_own(set, f->objects[i].schema, f->objects[i].name) == OWN_NONE)
            return false;
    }
    bool is_history = hist_is_table(set, f->objects[0].schema, f->objects[0].name);
    for (size_t i = 0; i < f->n_subs; i++) {
        if (!is_plain_sub(set, &f->subs[i], is_history))
            return false;
    }
    return !is_history || has_needed(set, f);
}

/* A key over the column that names rows, or the version. */
static bool
is_own_key(const struct hist_set *set, const struct sql_constraint *c)
{
    enum hist_role want = HIST_C_KEY;

    for (size_t i = 0; i < set->tool->n_columns; i++) {
        if (set->tool->columns[i].role == HIST_C_ID)
            want = HIST_C_ID;
    }
    for (size_t i = 0; i < c->n_columns; i++) {
        const struct hist_column *column = find_column(set, c->columns[i]);
        if (!column || column->role != want)
            return false;
    }
    return c->n_columns > 0;
}

/* Later versions of the tool add columns and keys. */
static bool
is_own_alter(const struct hist_set *set, const struct sql_facts *f)
{
    if (strcmp(f->tag, "ALTER TABLE") != 0 || f->n_objects == 0 || f->n_subs != 1)
        return false;
    enum own_table own = find_own(set, f->objects[0].schema, f->objects[0].name);
    if (own == OWN_NONE || !is_plain_sub(set, &f->subs[0], own == OWN_HISTORY))
        return false;
    const struct sql_constraint *c = f->subs[0].constraint;
    if (c && c->kind == SQL_C_FOREIGN)
        return true;
    return f->n_objects == 1
        && (!c || own != OWN_HISTORY
            || (c->kind == SQL_C_PRIMARY && is_own_key(set, c)));
}

static bool
is_own_index(const struct hist_set *set, const struct sql_facts *f)
{
    if (strcmp(f->tag, "CREATE INDEX") != 0 || !f->index || f->n_objects == 0
        || f->index->has_where || (f->flags & SQL_F_CONCURRENTLY)
        || f->objects[0].kind != SQL_O_INDEX)
        return false;
    for (size_t i = 0; i < f->index->n_columns; i++) {
        if (!f->index->columns[i])
            return false;
    }
    for (size_t i = 0; i < f->n_objects; i++) {
        const struct sql_object *o = &f->objects[i];
        bool is_index = o->kind == SQL_O_INDEX;
        if (find_own(
                set, is_index ? o->on_schema : o->schema, is_index ? o->on : o->name)
            == OWN_NONE)
            return false;
    }
    return true;
}

static bool
is_own_drop(const struct hist_set *set, const struct sql_facts *f)
{
    if (strcmp(f->tag, "DROP TABLE") != 0 || f->n_objects == 0
        || (f->flags & SQL_F_CASCADE))
        return false;
    for (size_t i = 0; i < f->n_objects; i++) {
        if (find_own(set, f->objects[i].schema, f->objects[i].name) != OWN_PASSING)
            return false;
    }
    return true;
}

static bool
is_own_comment(const struct hist_set *set, const struct sql_facts *f)
{
    if (strcmp(f->tag, "COMMENT") != 0 || f->n_objects != 1)
        return false;
    const struct sql_object *o = &f->objects[0];
    if (o->kind == SQL_O_SCHEMA)
        return o->name && strcmp(o->name, set->conf.history_schema) == 0
            && strcmp(o->name, "public") != 0;
    return find_own(set, o->schema, o->name) != OWN_NONE;
}

bool
hist_is_own(const struct hist_set *set, const struct sql_facts *f)
{
    return is_own_create(set, f) || is_own_alter(set, f) || is_own_index(set, f)
        || is_own_drop(set, f) || is_own_comment(set, f);
}

bool
hist_is_own_table(const struct hist_set *set, const char *schema, const char *table)
{
    return find_own(set, schema, table) != OWN_NONE;
}

/* By digest, since the facts of CREATE SCHEMA don't tell whether it has elements. */
void
hist_own_texts(const struct hist_set *set, struct buf *out)
{
    static const char *const forms[] = { "CREATE SCHEMA ",
        "CREATE SCHEMA IF NOT EXISTS " };
    const char *schema = set->conf.history_schema;

    for (size_t i = 0; i < DG_ARRAY_SIZE(forms); i++) {
        buf_puts(out, forms[i]);
        hist_put_ident(out, schema);
        buf_puts(out, ";\n");
        if (schema[0] == 0 || (schema[0] >= '0' && schema[0] <= '9')
            || schema[strspn(schema, "abcdefghijklmnopqrstuvwxyz_0123456789")] != 0)
            continue;
        buf_putf(out, "%s%s;\n", forms[i], schema);
    }
}

void
hist_setup_texts(const struct hist_set *set, struct buf *out)
{
    for (const char *p = set->tool->setup; p && *p; p++) {
        if (*p == '%')
            hist_put_ident(out, set->conf.history_table);
        else
            buf_put(out, p, 1);
    }
}
