// SPDX-License-Identifier: ISC
/* The history table itself: the queries that read it, and what its honest CREATE TABLE
 * looks like. A table is told by its columns, not its name, which tools share. */
#include "history/source.h"

#include <errno.h>
#include <string.h>

#define MAX_SQL ((size_t)16 << 10) /* names are cut at 63 bytes by the server anyway */

void
hist_put_ident(struct buf *b, const char *name)
{
    buf_puts(b, "\"");
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            buf_puts(b, "\"");
        buf_put(b, p, 1);
    }
    buf_puts(b, "\"");
}

static void
put_literal(struct buf *b, const char *s)
{
    /* With a backslash, E'' reads the same whatever standard_conforming_strings says. */
    buf_puts(b, strchr(s, '\\') ? "E'" : "'");
    for (const char *p = s; *p; p++) {
        if (*p == '\'' || *p == '\\')
            buf_put(b, p, 1);
        buf_put(b, p, 1);
    }
    buf_puts(b, "'");
}

void
hist_query_table(const struct hist_set *set, struct buf *sql)
{
    buf_puts(sql,
        "SELECT c.relkind, pg_catalog.string_agg(pg_catalog.replace("
        "a.attname::pg_catalog.text, ',', '?'), ',' ORDER BY a.attnum) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
        "ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
        "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid "
        "AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped "
        "WHERE n.nspname OPERATOR(pg_catalog.=) ");
    put_literal(sql, set->conf.history_schema);
    buf_puts(sql, "::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) ");
    put_literal(sql, set->conf.history_table);
    buf_puts(sql, "::pg_catalog.name GROUP BY c.oid, c.relkind");
}

static bool
has_column(const char *list, const char *name)
{
    struct str rest = str_of(list), item;

    while (str_next_item(&rest, &item)) {
        if (str_eqz(item, name))
            return true;
    }
    return false;
}

static int
check_table(const struct hist_set *set, const char *relkind, const char *columns,
    struct err *err)
{
    const struct hist_source_ops *ops = set->ops;
    const char *schema = set->conf.history_schema, *table = set->conf.history_table;

    if (strcmp(relkind, "r") != 0 && strcmp(relkind, "p") != 0)
        return err_set(err, -EINVAL,
            "%s.%s is not an ordinary table (relkind %s), so it can't be trusted as "
            "migration history; drop what stands in its place",
            schema, table, relkind);
    for (size_t i = 0; i < ops->n_columns; i++) {
        if (!ops->columns[i].is_optional && !has_column(columns, ops->columns[i].name))
            return err_set(err, -EINVAL,
                "%s.%s has no column %s, so it is not a history table of format %s; check "
                "history_table and format of [migrations %s]",
                schema, table, ops->columns[i].name, ops->format, set->conf.name);
    }
    return 0;
}

int
hist_query_rows(const struct hist_set *set, const struct dg_rows *table,
    struct buf *sql, struct err *err)
{
    const struct hist_source_ops *ops = set->ops;

    if (table->n_rows == 0)
        return HIST_E_NO_TABLE;
    DG_ASSERT(table->n_cols == 2, "%zu columns", table->n_cols);
    const char *relkind = dg_cell(table, 0, 0), *columns = dg_cell(table, 0, 1);
    relkind = relkind ? relkind : "";
    columns = columns ? columns : "";
    int r = check_table(set, relkind, columns, err);
    if (r)
        return r;
    for (size_t i = 0; i < ops->n_columns; i++) {
        buf_puts(sql, i ? ", " : "SELECT ");
        if (has_column(columns, ops->columns[i].name)) {
            buf_puts(sql, "h.");
            hist_put_ident(sql, ops->columns[i].name);
        } else {
            buf_puts(sql, "NULL");
        }
    }
    buf_puts(sql, " FROM ");
    hist_put_ident(sql, set->conf.history_schema);
    buf_puts(sql, ".");
    hist_put_ident(sql, set->conf.history_table);
    buf_puts(sql, " AS h");
    if (ops->order_by) {
        buf_puts(sql, " ORDER BY h.");
        hist_put_ident(sql, ops->order_by);
    }
    return 0;
}

/* --- the tool's own CREATE TABLE ------------------------------------------------------- */

static bool
is_harmless_default(const struct sql_constraint *c)
{
    static const char *const clocks[] = { "now", "current_timestamp", "localtimestamp",
        "clock_timestamp", "transaction_timestamp", "statement_timestamp" };

    for (size_t i = 0; c->call && i < DG_ARRAY_SIZE(clocks); i++) {
        if (strcmp(c->call, clocks[i]) == 0)
            return true;
    }
    return false;
}

/* Whatever calls code of somebody's is left out: CHECK, GENERATED, foreign keys, defaults
 * other than the clock on the time column. */
static bool
is_plain_constraint(const struct sql_constraint *c, bool is_timestamp)
{
    switch (c->kind) {
    case SQL_C_NOT_NULL:
    case SQL_C_NULL:
    case SQL_C_PRIMARY:
    case SQL_C_UNIQUE:
        return true;
    case SQL_C_DEFAULT:
        return is_timestamp && is_harmless_default(c);
    case SQL_C_IDENTITY:
    case SQL_C_GENERATED:
    case SQL_C_CHECK:
    case SQL_C_EXCLUSION:
    case SQL_C_FOREIGN:
        break;
    }
    return false;
}

/* Of the server itself: a domain or a type of somebody's has code of its own. */
static bool
is_plain_type(const char *type)
{
    static const char *const words[] = { "text", "timestamptz", "date", "int2", "int4",
        "int8", "bool" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++) {
        if (strcmp(type, words[i]) == 0)
            return true;
    }
    return str_prefix(type, "pg_catalog.");
}

static bool
is_plain_column(const struct hist_set *set, const struct sql_column *def,
    const char *timestamp, size_t *n_required)
{
    const struct hist_source_ops *ops = set->ops;
    bool is_known = strcmp(def->name, timestamp) == 0;
    bool is_timestamp = is_known;

    if (!is_plain_type(def->type))
        return false;
    for (size_t i = 0; i < ops->n_columns; i++) {
        if (strcmp(def->name, ops->columns[i].name) != 0)
            continue;
        is_known = true;
        *n_required += !ops->columns[i].is_optional;
    }
    for (size_t i = 0; i < def->n_constraints; i++) {
        if (!is_plain_constraint(&def->constraints[i], is_timestamp))
            return false;
    }
    return is_known;
}

bool
hist_is_own_table(
    const struct hist_set *set, const struct sql_facts *f, const char *timestamp)
{
    size_t n_required = 0, n_wanted = 0;

    if (strcmp(f->tag, "CREATE TABLE") != 0 || f->n_objects != 1
        || !hist_is_table(set, f->objects[0].schema, f->objects[0].name)
        || f->objects[0].is_temp)
        return false;
    for (size_t i = 0; i < f->n_subs; i++) {
        const struct sql_sub *s = &f->subs[i];
        if (strcmp(s->name, "ADD COLUMN") == 0 && s->def) {
            if (!is_plain_column(set, s->def, timestamp, &n_required))
                return false;
        } else if (strcmp(s->name, "ADD CONSTRAINT") != 0 || !s->constraint
            || !is_plain_constraint(s->constraint, false)) {
            return false;
        }
    }
    for (size_t i = 0; i < set->ops->n_columns; i++)
        n_wanted += !set->ops->columns[i].is_optional;
    return n_required == n_wanted;
}
