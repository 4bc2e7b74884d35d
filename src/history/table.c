// SPDX-License-Identifier: ISC
/* The queries that read the history table. A table is told by its columns, not its name,
 * which tools share. */
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

void
hist_put_literal(struct buf *b, const char *s)
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
    hist_put_literal(sql, set->conf.history_schema);
    buf_puts(sql, "::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) ");
    hist_put_literal(sql, set->conf.history_table);
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
    const struct hist_tool *tool = set->tool;
    const char *schema = set->conf.history_schema, *table = set->conf.history_table;

    if (strcmp(relkind, "r") != 0 && strcmp(relkind, "p") != 0)
        return err_set(err, -EINVAL,
            "%s.%s is not an ordinary table (relkind %s), so it can't be trusted as "
            "migration history; drop what stands in its place",
            schema, table, relkind);
    for (size_t i = 0; i < tool->n_columns; i++) {
        if (tool->columns[i].is_optional || has_column(columns, tool->columns[i].name))
            continue;
        const struct hist_tool *other = hist_tool_of_columns(columns);
        return err_set(err, -EINVAL,
            "%s.%s has no column %s, so it is not a history table of format %s%s%s; check "
            "history_table and format of [migrations %s]",
            schema, table, tool->columns[i].name, tool->format,
            other ? ", its columns are those of format " : "",
            other ? other->format : "", set->conf.name);
    }
    return 0;
}

int
hist_query_rows(const struct hist_set *set, const struct dg_rows *table,
    struct buf *sql, struct err *err)
{
    const struct hist_tool *tool = set->tool;

    if (table->n_rows == 0)
        return HIST_E_NO_TABLE;
    DG_ASSERT(table->n_cols == 2, "%zu columns", table->n_cols);
    const char *relkind = dg_cell(table, 0, 0), *columns = dg_cell(table, 0, 1);
    relkind = relkind ? relkind : "";
    columns = columns ? columns : "";
    int r = check_table(set, relkind, columns, err);
    if (r)
        return r;
    for (size_t i = 0; i < tool->n_columns; i++) {
        buf_puts(sql, i ? ", " : "SELECT ");
        if (tool->columns[i].role != HIST_C_OTHER
            && has_column(columns, tool->columns[i].name)) {
            buf_puts(sql, "h.");
            hist_put_ident(sql, tool->columns[i].name);
        } else {
            buf_puts(sql, "NULL");
        }
    }
    buf_puts(sql, " FROM ");
    hist_put_ident(sql, set->conf.history_schema);
    buf_puts(sql, ".");
    hist_put_ident(sql, set->conf.history_table);
    buf_puts(sql, " AS h");
    if (tool->order_by) {
        buf_puts(sql, " ORDER BY h.");
        hist_put_ident(sql, tool->order_by);
    }
    return 0;
}
