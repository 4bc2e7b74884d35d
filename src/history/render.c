// SPDX-License-Identifier: ISC
/* The text of a new migration, and of its rollback. */
#include "history/template.h"

#include "sql/ident.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_SHOWN 60 /* bytes of a role or database name in a comment */

/* A name on its way into a comment. */
static const char *
shown(struct arena *a, const char *s)
{
    size_t n = strlen(s);
    char *out = arena_strndup(a, s, n < MAX_SHOWN ? n : MAX_SHOWN);

    for (char *p = out; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    }
    return out;
}

static void
put_head(struct draft *d, struct buf *b)
{
    char when[32] = "";
    time_t at = (time_t)(d->cap->at_us / 1000000);
    struct tm tm;

    if (gmtime_r(&at, &tm))
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%SZ", &tm);
    buf_putf(b, "-- Captured by ddlgate: %s changed the schema of database %s, %s.\n",
        shown(d->a, d->cap->role), shown(d->a, d->cap->database), when);
    buf_puts(b, "-- Say here what it is for.\n--\n");
    if (d->n_once == 0)
        buf_puts(b,
            "-- It ran there already and may run again: the next migrate does no "
            "harm there, and\n-- records it.\n");
    else
        buf_putf(b,
            "-- It ran there already. What is marked \"once\" below would fail there: undo "
            "it before\n-- the next migrate, or record this migration by hand as applied.\n");
}

static void
put_marked(struct buf *b, const char *line)
{
    if (line)
        buf_putf(b, "%s\n", line);
}

static void
put_statement(struct draft *d, struct buf *b, const char *sql, size_t n)
{
    bool marked = d->t->begin && memchr(sql, ';', n);

    put_marked(b, marked ? d->t->begin : NULL);
    buf_put(b, sql, n);
    buf_puts(b, ";\n");
    put_marked(b, marked ? d->t->end : NULL);
}

/* Names without a schema mean what the session's search_path made of them. */
static void
put_search_path(struct draft *d, struct buf *b, const char *path)
{
    struct str rest = str_of(path), item;
    bool is_local = strcmp(d->set->tool->format, "supabase") != 0 && !d->is_no_tx;
    const char *list = "";

    while (str_next_item(&rest, &item)) {
        const char *name = arena_strndup(d->a, item.p, item.n);
        /* as SET wrote it, or as a startup packet did: in quotes where it needs them */
        bool is_quoted = item.n > 2 && name[0] == '"' && name[item.n - 1] == '"';
        list = arena_printf(d->a, "%s%s%s", list, *list ? ", " : "",
            is_quoted ? name : sql_ident(d->a, name));
    }
    const char *sql = arena_printf(
        d->a, "SET %ssearch_path TO %s", is_local ? "LOCAL " : "", *list ? list : "''");
    put_statement(d, b, sql, strlen(sql));
}

static void
put_items(struct draft *d, struct buf *b)
{
    const char *path = d->set->conf.search_path;

    for (size_t i = 0; i < d->cap->n; i++) {
        const struct hist_captured *c = &d->cap->items[i];
        buf_puts(b, "\n");
        if (c->is_path_unknown)
            buf_puts(b,
                "-- Under a search_path that is not known: check names without a "
                "schema.\n");
        else if (c->search_path && !(path && hist_is_same_path(path, c->search_path))) {
            put_search_path(d, b, c->search_path);
            path = c->search_path;
        }
        if (!c->again)
            buf_puts(b, "-- once\n");
        put_statement(
            d, b, c->again ? c->again : c->sql, c->again ? strlen(c->again) : c->len);
    }
}

/* --- the history row of numbered files -------------------------------------------------- */

static const char *
table_name(struct draft *d)
{
    return sql_qualified(d->a,
        strcmp(d->set->conf.history_schema, "public") == 0
            ? NULL
            : d->set->conf.history_schema,
        d->set->conf.history_table);
}

/* How the newest file spells a value of its row: what is its version, its name, both. */
static const char *
value_like(struct draft *d, const struct sql_value *v)
{
    const struct hist_migration *m = d->ways.newest;
    const char *both = arena_printf(d->a, "%s_%s", m->version, m->name);

    if (!v->text)
        return NULL;
    if (strcmp(v->text, m->version) == 0)
        return d->version;
    if (strcmp(v->text, m->name) == 0)
        return d->slug;
    if (strcmp(v->text, both) == 0)
        return arena_printf(d->a, "%s_%s", d->version, d->slug);
    if (strcmp(v->text, hist_base_name(m->file)) == 0)
        return hist_base_name(d->path);
    return NULL;
}

static void
put_row(struct draft *d, struct buf *b)
{
    const struct sql_write *w = hist_own_row(d->ways.newest);
    const char *columns = "", *values = "";

    for (size_t i = 0; w && w->n_rows == 1 && i < w->n_values; i++) {
        const char *value = value_like(d, &w->values[i]);
        if (!value || !w->values[i].column)
            continue;
        columns = arena_printf(d->a, "%s%s%s", columns, *columns ? ", " : "",
            sql_ident(d->a, w->values[i].column));
        values = arena_printf(
            d->a, "%s%s%s", values, *values ? ", " : "", sql_constant(d->a, value));
    }
    if (!strstr(columns, "version")) {
        columns = "version, name";
        values = arena_printf(d->a, "%s, %s", sql_constant(d->a, d->version),
            sql_constant(d->a, d->slug));
    }
    buf_putf(b, "\nINSERT INTO %s (%s)\n  VALUES (%s) ON CONFLICT DO NOTHING;\n",
        table_name(d), columns, values);
}

/* A row is taken back by the version that was written. */
static void
put_row_back(struct draft *d, struct buf *b)
{
    const struct sql_write *w = hist_own_row(d->ways.newest);
    const char *version = d->version;

    for (size_t i = 0; w && i < w->n_values; i++) {
        if (w->values[i].column && strcmp(w->values[i].column, "version") == 0
            && value_like(d, &w->values[i]))
            version = value_like(d, &w->values[i]);
    }
    buf_putf(b, "\nDELETE FROM %s WHERE version = %s;\n", table_name(d),
        sql_constant(d->a, version));
}

/* --- the way back ----------------------------------------------------------------------- */

static void
put_comment_lines(struct buf *b, const char *text)
{
    for (const char *line = text; line && *line;) {
        size_t n = strcspn(line, "\n");
        buf_putf(b, "-- %.*s\n", (int)n, line);
        line += n + (line[n] != 0);
    }
}

/* What stands in a comment may not look like a marker of the tool's. */
static void
put_undo_comment(struct buf *b, const char *why, const char *tag, const char *sql)
{
    buf_putf(b, "-- %s: %s\n", tag, why);
    if (sql) {
        AUTO(mem_free) char *text = mem_printf("%s;", sql);
        put_comment_lines(b, text);
    }
}

/* The statements that undo the items, newest first. is_comment: all of it as comments. */
static void
put_undo(struct draft *d, struct buf *b, bool is_comment)
{
    const char *path = d->set->conf.search_path;

    for (size_t i = d->cap->n; i > 0; i--) {
        const struct hist_captured *c = &d->cap->items[i - 1];
        const char *sql = NULL, *why = NULL;
        enum hist_undo r = hist_reverse(c, d->a, &sql, &why);
        bool runs = r == HIST_UNDO_WHOLE || r == HIST_UNDO_PART;
        if (r == HIST_UNDO_NOTHING)
            continue;
        d->n_stuck += r != HIST_UNDO_WHOLE;
        if (r == HIST_UNDO_PART)
            put_undo_comment(b, why, "Not undone by the next statement", NULL);
        else if (!runs)
            put_undo_comment(b, why,
                arena_printf(d->a, "Can't be undone here, %s", c->facts->tag), sql);
        if (!runs)
            continue;
        if (is_comment) {
            put_comment_lines(b, arena_printf(d->a, "%s;", sql));
            continue;
        }
        if (c->search_path && !c->is_path_unknown
            && !(path && hist_is_same_path(path, c->search_path))) {
            put_search_path(d, b, c->search_path);
            path = c->search_path;
        }
        put_statement(d, b, sql, strlen(sql));
    }
}

/* --- files ------------------------------------------------------------------------------ */

static void
put_mark(struct draft *d, struct buf *b, const char *mark)
{
    bool is_marked = d->is_no_tx && d->t->no_tx == NO_TX_UP;

    if (mark)
        buf_putf(b, "%s%s\n", mark, is_marked ? d->t->no_tx_text : "");
}

static void
put_no_tx(struct draft *d, struct buf *b)
{
    if (d->is_no_tx && (d->t->no_tx == NO_TX_MARK || d->t->no_tx == NO_TX_BOTH))
        buf_putf(b, "%s\n", d->t->no_tx_text);
}

static void
put_up(struct draft *d, struct buf *b)
{
    bool wraps = d->ways.has_begin && !d->is_no_tx;

    put_no_tx(d, b);
    put_mark(d, b, d->t->up);
    put_head(d, b);
    if (wraps)
        buf_puts(b, "\nBEGIN;\n");
    put_items(d, b);
    if (d->ways.has_row)
        put_row(d, b);
    if (wraps)
        buf_puts(b, "\nCOMMIT;\n");
    if (d->t->layout == LAYOUT_ONE) {
        buf_puts(b, "\n");
        put_mark(d, b, d->t->down);
        if (d->t->no_tx == NO_TX_BOTH)
            put_no_tx(d, b);
        put_undo(d, b, false);
    } else if (!d->down_path) {
        buf_puts(b, "\n-- To undo it:\n");
        put_undo(d, b, true);
    }
}

void
hist_render_down(struct draft *d, struct buf *b)
{
    bool wraps = d->ways.has_begin && !d->is_no_tx;

    put_no_tx(d, b);
    buf_putf(b, "-- Undoes %s.\n", hist_base_name(d->path));
    if (wraps)
        buf_puts(b, "\nBEGIN;\n");
    buf_puts(b, "\n");
    put_undo(d, b, false);
    if (d->ways.has_row)
        put_row_back(d, b);
    if (wraps)
        buf_puts(b, "\nCOMMIT;\n");
}

/* One changeset; splitStatements cuts bodies of functions, stripComments empties them. */
static void
put_liquibase(struct draft *d, struct buf *b)
{
    AUTO(buf_deinit) struct buf undo = BUF_INIT(HIST_CAPTURE_MAX_BYTES);

    buf_putf(b,
        "%s\n\n--changeset ddlgate:%s_%s splitStatements:false stripComments:false%s\n",
        d->t->up, d->version, d->slug, d->is_no_tx ? " runInTransaction:false" : "");
    put_head(d, b);
    put_items(d, b);
    buf_puts(b, "\n");
    put_undo(d, &undo, false);
    const char *text = buf_cstr(&undo);
    if (!*text)
        buf_puts(b, "--rollback empty\n");
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        buf_putf(b, "--rollback %.*s\n", (int)n, line);
        line += n + (line[n] != 0);
    }
}

/* graphile-migrate chains its committed files by hashes, each over what stands below the
 * head. */
static int
put_graphile(struct draft *d, struct buf *b, struct err *err)
{
    const struct hist_migration *before = d->ways.newest;
    AUTO(buf_deinit) struct buf body = BUF_INIT(HIST_CAPTURE_MAX_BYTES);
    struct hist_migration m = { .arena = d->a };
    const char *previous = before ? before->checksum : "-";

    put_up(d, &body);
    const char *text = arena_printf(
        d->a, "--! Previous: %s\n\n%s", previous, buf_cstr(&body));
    const char *sum = hist_checksum(HIST_SUM_GRAPHILE, &m, text, strlen(text));
    if (!sum)
        return err_set(err, -EINVAL, "its checksum can't be made");
    buf_putf(b, "--! Previous: %s\n--! Hash: %s\n--! Message: %s\n\n%s", previous, sum,
        d->slug, buf_cstr(&body));
    return 0;
}

int
hist_render_up(struct draft *d, struct buf *b, struct err *err)
{
    for (size_t i = 0; i < d->cap->n; i++)
        d->n_once += !d->cap->items[i].again;
    if (strcmp(d->t->format, "graphile-migrate") == 0)
        return put_graphile(d, b, err);
    if (strcmp(d->t->format, "liquibase") == 0)
        put_liquibase(d, b);
    else
        put_up(d, b);
    return 0;
}
