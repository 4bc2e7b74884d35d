// SPDX-License-Identifier: ISC
/* The row by which a file of numbered SQL records itself, as its neighbours write theirs. */
#include "history/template.h"

#include "sql/ident.h"

#include <string.h>

#define MAX_LOOK 100 /* files that are looked at in either direction */

static bool
has_row(const struct hist_migration *m)
{
    if (!m->has_insert) /* of hundreds that are looked at, for each of thousands */
        return false;
    const struct sql_write *w = hist_own_row(m);
    return !m->is_repeatable && !m->is_down && w && w->n_rows == 1;
}

/* The nearest file before it with a row of its own, else the nearest behind it. */
static const struct hist_migration *
neighbour(const struct hist_set *set, const struct hist_migration *m)
{
    for (size_t i = m->index, n = 0; i-- > 0 && n < MAX_LOOK; n++) {
        if (has_row(&set->migrations[i]))
            return &set->migrations[i];
    }
    for (size_t i = m->index + 1; i < set->n && i <= m->index + MAX_LOOK; i++) {
        if (has_row(&set->migrations[i]))
            return &set->migrations[i];
    }
    return NULL;
}

/* 001 as a number is written. */
static const char *
without_zeros(const char *version)
{
    while (*version == '0' && version[1] >= '0' && version[1] <= '9')
        version++;
    return version;
}

/* What the neighbour's value is of itself, of m. NULL: it is nothing of the kind. */
static const char *
value_of(struct arena *a, const struct hist_migration *m,
    const struct hist_migration *like, const char *text)
{
    if (!text)
        return NULL;
    if (strcmp(text, like->version) == 0)
        return m->version;
    if (strcmp(text, without_zeros(like->version)) == 0)
        return without_zeros(m->version);
    if (strcmp(text, like->name) == 0)
        return m->name;
    if (strcmp(text, arena_printf(a, "%s_%s", like->version, like->name)) == 0)
        return arena_printf(a, "%s_%s", m->version, m->name);
    if (strcmp(text, hist_base_name(like->file)) == 0)
        return hist_base_name(m->file);
    return NULL;
}

const char *
hist_insert_of(
    const struct hist_set *set, const struct hist_migration *m, struct arena *a)
{
    const char *columns = "", *values = "";
    const char *schema = set->conf.history_schema;

    if (set->is_lockfile || strcmp(set->tool->format, "numbered-sql") != 0
        || m->is_repeatable || m->is_down || !m->name)
        return NULL;
    const struct hist_migration *like = neighbour(set, m);
    const struct sql_write *w = hist_own_row(like);
    for (size_t i = 0; w && i < w->n_values; i++) {
        const char *value = value_of(a, m, like, w->values[i].text);
        if (!value || !w->values[i].column)
            continue;
        columns = arena_printf(a, "%s%s%s", columns, *columns ? ", " : "",
            sql_ident(a, w->values[i].column));
        values = arena_printf(
            a, "%s%s%s", values, *values ? ", " : "", sql_constant(a, value));
    }
    if (!strstr(columns, "version")) {
        columns = "version, name";
        values = arena_printf(
            a, "%s, %s", sql_constant(a, m->version), sql_constant(a, m->name));
    }
    return arena_printf(a, "INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING;",
        sql_qualified(
            a, strcmp(schema, "public") == 0 ? NULL : schema, set->conf.history_table),
        columns, values);
}
