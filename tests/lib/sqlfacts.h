// SPDX-License-Identifier: ISC
/* Facts as text, one column of tests/data/sql each, so that tables of statements can be read
 * and compared. */
#ifndef DG_TESTS_LIB_SQLFACTS_H
#define DG_TESTS_LIB_SQLFACTS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "sql/filter.h"
#include "sql/tree.h"

struct column {
    char text[4096];
    size_t n;
};

static inline void PRINTF_LIKE(2, 3) column_add(struct column *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(c->text + c->n, sizeof(c->text) - c->n, fmt, ap);
    va_end(ap);
    if (n > 0)
        c->n += (size_t)n;
    if (c->n >= sizeof(c->text))
        c->n = sizeof(c->text) - 1;
}

/* Puts a separator before every item but the first. */
static inline void
column_next(struct column *c, const char *separator)
{
    if (c->n)
        column_add(c, "%s", separator);
}

static inline void
flags_column(struct column *c, unsigned flags)
{
    static const char *const names[] = { "IF EXISTS", "IF NOT EXISTS", "OR REPLACE",
        "CASCADE", "CONCURRENTLY", "TEMP", "UNPARSABLE", "DYNAMIC", "DDL IN CODE",
        "NESTED", "ONLY", "READING", "UNIQUE", "NO TX" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++)
        if (flags & (1U << i)) {
            column_next(c, ", ");
            column_add(c, "%s", names[i]);
        }
}

/* "new table s.t@13": a position only where `with_pos`. */
static inline void
objects_column(struct column *c, const struct sql_facts *f, bool with_pos)
{
    static const char *const kinds[] = { "table", "index", "view", "matview",
        "sequence", "foreign table", "type", "domain", "function", "procedure",
        "aggregate", "operator", "schema", "database", "role", "tablespace",
        "extension", "trigger", "rule", "policy", "other" };

    for (size_t i = 0; i < f->n_objects; i++) {
        const struct sql_object *o = &f->objects[i];

        column_next(c, ", ");
        column_add(c, "%s%s%s ", o->is_created ? "new " : "", o->is_temp ? "temp " : "",
            kinds[o->kind]);
        if (o->schema)
            column_add(c, "%s.", o->schema);
        column_add(c, "%s", o->name);
        if (o->on)
            column_add(c, " on %s%s%s", o->on_schema ? o->on_schema : "",
                o->on_schema ? "." : "", o->on);
        if (with_pos)
            column_add(c, "@%d", o->pos);
    }
}

static inline void
constraint_column(struct column *c, const struct sql_constraint *k)
{
    static const char *const kinds[] = { "NOT NULL", "NULL", "DEFAULT", "IDENTITY",
        "GENERATED", "CHECK", "PRIMARY KEY", "UNIQUE", "EXCLUDE", "FOREIGN KEY" };

    column_add(c, " %s", kinds[k->kind]);
    if (k->name)
        column_add(c, " %s", k->name);
    for (size_t i = 0; i < k->n_columns; i++)
        column_add(
            c, "%s%s", i ? "," : "(", k->columns[i] ? k->columns[i] : "<expression>");
    column_add(c, "%s", k->n_columns ? ")" : "");
    if (k->ref_table)
        column_add(c, " -> %s%s%s", k->ref_schema ? k->ref_schema : "",
            k->ref_schema ? "." : "", k->ref_table);
    for (size_t i = 0; i < k->n_ref_columns; i++)
        column_add(c, "%s%s", i ? "," : "(", k->ref_columns[i]);
    column_add(c, "%s", k->n_ref_columns ? ")" : "");
    if (k->kind == SQL_C_FOREIGN)
        column_add(c, " %c%c", k->on_delete, k->on_update);
    if (k->using_index)
        column_add(c, " using %s", k->using_index);
    column_add(c, "%s%s%s", k->not_valid ? " not valid" : "",
        k->is_volatile ? " volatile" : "", k->call ? " " : "");
    column_add(c, "%s", k->call ? k->call : "");
}

/* "ADD COLUMN c text(10) NOT NULL(c); OWNER TO = joe" */
static inline void
subs_column(struct column *c, const struct sql_facts *f, bool with_pos)
{
    for (size_t i = 0; i < f->n_subs; i++) {
        const struct sql_sub *s = &f->subs[i];

        column_next(c, "; ");
        column_add(c, "%s", s->name);
        if (s->column)
            column_add(c, " %s", s->column);
        if (s->def) {
            column_add(c, ":%s%s%s%s", s->def->type, s->def->type_mods,
                s->def->has_collation ? " COLLATE" : "",
                s->def->has_using ? " USING" : "");
            for (size_t k = 0; k < s->def->n_constraints; k++)
                constraint_column(c, &s->def->constraints[k]);
        }
        if (s->constraint)
            constraint_column(c, s->constraint);
        if (s->value)
            column_add(c, " = %s", s->value);
        if (s->flags) {
            column_add(c, " [");
            struct column flags = { .n = 0 };
            flags_column(&flags, s->flags);
            column_add(c, "%s]", flags.text);
        }
        if (with_pos)
            column_add(c, "@%d", s->pos);
    }
}

static inline void
values_column(struct column *c, const struct sql_value *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        column_add(c, " %s=", v[i].column ? v[i].column : "");
        if (v[i].is_null)
            column_add(c, "null");
        else if (v[i].param)
            column_add(c, "$%d", v[i].param);
        else if (v[i].is_expression)
            column_add(c, "?");
        else
            column_add(c, "'%s'", v[i].text);
    }
}

/* Everything else: transaction, prepared statement, setting, index, written rows. */
static inline void
rest_column(struct column *c, const struct sql_facts *f)
{
    static const char *const tx[] = { "", "begin", "commit", "rollback", "savepoint",
        "rollback to", "release", "prepare", "commit prepared", "rollback prepared" };
    static const char *const prep[] = { "", "prepare", "execute", "deallocate",
        "deallocate all" };
    static const char *const ops[] = { "insert", "update", "delete", "merge", "copy",
        "truncate", "lock" };

    if (f->tx)
        column_add(c, "tx %s %s", tx[f->tx], f->tx_name ? f->tx_name : "");
    if (f->prep)
        column_add(c, "%s %s", prep[f->prep], f->prep_name ? f->prep_name : "");
    if (f->setting)
        column_add(c, "setting %s = %s%s", f->setting,
            f->setting_value ? f->setting_value : "?",
            f->setting_is_local ? " local" : "");
    if (f->language)
        column_add(c, "language %s", f->language);
    if (f->index) {
        column_add(c, "%s", f->index->method);
        for (size_t i = 0; i < f->index->n_columns; i++)
            column_add(c, "%s%s", i ? "," : "(",
                f->index->columns[i] ? f->index->columns[i] : "<expression>");
        column_add(c, ")%s", f->index->has_where ? " where" : "");
    }
    if (f->write) {
        column_add(c, "write %s %s%s%s rows %zu:", ops[f->write->op],
            f->write->schema ? f->write->schema : "", f->write->schema ? "." : "",
            f->write->table, f->write->n_rows);
        values_column(c, f->write->values, f->write->n_values);
        if (f->write->n_where || f->write->where_is_simple)
            column_add(c, " where%s", f->write->where_is_simple ? "" : " more and");
        values_column(c, f->write->where, f->write->n_where);
        if (f->write->n_in)
            column_add(c, " in");
        values_column(c, f->write->in, f->write->n_in);
        if (f->write->is_upsert)
            column_add(c, " upsert");
    }
    while (c->n && c->text[c->n - 1] == ' ')
        c->text[--c->n] = 0;
}

/* All facts in a line: "> DROP TABLE ddl (table x) | ...", one > for each level. Flags that
 * only describe form are left out. */
static inline void
tree_column(struct column *c, const struct sql_tree *t)
{
    const unsigned shown = SQL_F_TEMP | SQL_F_UNPARSABLE | SQL_F_DYNAMIC
        | SQL_F_DDL_IN_CODE | SQL_F_READING;

    for (size_t i = 0; i < t->n; i++) {
        const struct sql_facts *f = &t->facts[i];
        struct column flags = { .n = 0 }, objects = { .n = 0 };

        column_next(c, " | ");
        for (int p = f->parent; p >= 0; p = t->facts[p].parent)
            column_add(c, ">%s", t->facts[p].parent < 0 ? " " : "");
        column_add(c, "%s %s", f->tag, dg_class_name(f->cls));
        flags_column(&flags, f->flags & shown);
        if (flags.n)
            column_add(c, " [%s]", flags.text);
        objects_column(&objects, f, false);
        if (objects.n)
            column_add(c, " (%s)", objects.text);
    }
}

/* The tracked names of all these tests. */
static inline struct sql_words *
test_words(void)
{
    static const char *const names[] = { "flyway_schema_history", "schema_migrations",
        "__EFMigrationsHistory" };

    return sql_words_new(names, DG_ARRAY_SIZE(names));
}

/* Facts of a text as the gate makes them: what the scan refuses is not parsed. */
static inline struct sql_tree *
test_tree(const char *text, bool std_strings)
{
    struct sql_words *words = test_words();
    struct sql_scan scan = { .n = 0 };
    struct sql_tree *tree;
    size_t len = strlen(text);

    if (sql_scan(&scan, words, text, len, std_strings, SQL_TREE_DEFAULT_DEPTH, NULL)
        == 0)
        tree = sql_tree_new(&scan, words, text, len, std_strings);
    else
        tree = sql_tree_unparsable(&scan, "refused by the scan", 0);
    sql_scan_deinit(&scan);
    sql_words_free(words);
    return tree;
}

#endif
