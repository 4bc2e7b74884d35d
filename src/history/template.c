// SPDX-License-Identifier: ISC
/* Migration files as each tool wants them, made from statements that ran. A tool is a row of
 * the table below: where the two directions stand, the comments between them, how a file
 * says that it runs outside of a transaction. Numbered files follow their team: what the
 * newest file does (BEGIN and COMMIT, its own history row, a rollback beside it) the new one
 * does, too.
 *
 * What comes out is read back as the loader reads it, and must hold the statements. */
#include "history/capture.h"
#include "history/source.h"

#include "sql/ident.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_TEXT  ((size_t)4 << 20)
#define MAX_SHOWN 60 /* bytes of a role or database name in a comment */

enum layout {
    LAYOUT_UP,   /* no rollbacks: how to undo it stands in a comment */
    LAYOUT_ONE,  /* both directions in one file */
    LAYOUT_PAIR, /* a rollback file beside it */
    LAYOUT_TEAM, /* a pair where the newest migration has one, else as LAYOUT_UP */
};

enum no_tx {
    NO_TX_SELF,  /* nothing to write: the tool sees it, or adds no transaction */
    NO_TX_ALONE, /* the file must hold nothing else, since it goes as one message */
    NO_TX_MARK,  /* a line of its own, first in the file */
    NO_TX_BOTH,  /* a line of its own in either direction */
    NO_TX_UP,    /* appended to both marks */
    NO_TX_TOML,  /* Diesel's metadata.toml */
    NO_TX_NEVER,
};

struct template
{
    const char *format;
    enum layout layout;
    enum no_tx no_tx;
    const char *no_tx_text;
    const char *up, *down;   /* lines that begin a direction */
    const char *begin, *end; /* around a statement with `;` inside; NULL: nothing */
    const char *from, *to;   /* end of the up file's name, of the down file's */
    const char *escape; /* what the tool would replace in a statement; NULL: nothing */
};

static const struct template templates[] = {
    { .format = "numbered-sql",
        .layout = LAYOUT_TEAM,
        .from = ".sql",
        .to = ".down.sql" },
    { .format = "flyway", .layout = LAYOUT_UP, .escape = "${" },
    { .format = "prisma", .layout = LAYOUT_UP, .no_tx = NO_TX_ALONE },
    { .format = "golang-migrate",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_ALONE,
        .from = ".up.sql",
        .to = ".down.sql" },
    { .format = "goose",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "-- +goose NO TRANSACTION",
        .up = "-- +goose Up",
        .down = "-- +goose Down",
        .begin = "-- +goose StatementBegin",
        .end = "-- +goose StatementEnd" },
    { .format = "tern",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_BOTH,
        .no_tx_text = "---- tern: disable-tx ----",
        .down = "---- create above / drop below ----",
        .escape = "{{" },
    { .format = "dbmate",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_UP,
        .no_tx_text = " transaction:false",
        .up = "-- migrate:up",
        .down = "-- migrate:down" },
    { .format = "sqlx",
        .layout = LAYOUT_TEAM,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "-- no-transaction",
        .from = ".sql",
        .to = ".down.sql" },
    { .format = "refinery", .layout = LAYOUT_UP, .no_tx = NO_TX_NEVER },
    { .format = "diesel",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_TOML,
        .no_tx_text = "run_in_transaction = false\n",
        .from = "/up.sql",
        .to = "/down.sql" },
    { .format = "supabase", .layout = LAYOUT_UP, .no_tx = NO_TX_NEVER },
    { .format = "graphile-migrate",
        .layout = LAYOUT_UP,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "--! no-transaction" },
    { .format = "sql-migrate",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_UP,
        .no_tx_text = " notransaction",
        .up = "-- +migrate Up",
        .down = "-- +migrate Down",
        .begin = "-- +migrate StatementBegin",
        .end = "-- +migrate StatementEnd" },
    { .format = "yoyo",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "-- transactional: false",
        .from = ".sql",
        .to = ".rollback.sql" },
    { .format = "postgrator",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_ALONE,
        .from = ".do.",
        .to = ".undo." },
    { .format = "node-pg-migrate",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_NEVER,
        .up = "-- Up Migration",
        .down = "-- Down Migration" },
    { .format = "hasura",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_NEVER,
        .from = "/up.sql",
        .to = "/down.sql" },
    { .format = "liquibase", .layout = LAYOUT_ONE, .up = "--liquibase formatted sql" },
};

static const struct {
    const char *format, *why;
} impossible[] = {
    { "sqitch", "sqitch.plan would have to be edited, which `sqitch add` does" },
    { "atlas",
        "atlas.sum would have to be written anew, which `atlas migrate hash` does" },
    { "drizzle", "its journal would have to be edited, which drizzle-kit does" },
    { "db-migrate", "each migration needs a script beside its SQL" },
};

static const struct template *
find_template(const struct hist_set *set)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(templates) && !set->is_lockfile; i++) {
        if (strcmp(templates[i].format, set->tool->format) == 0)
            return &templates[i];
    }
    return NULL;
}

int
hist_capture_format(const struct hist_set *set, struct err *err)
{
    const char *why = "a lockfile is made by `ddlgate record`, not by hand";

    if (find_template(set))
        return 0;
    for (size_t i = 0; i < DG_ARRAY_SIZE(impossible) && !set->is_lockfile; i++) {
        if (strcmp(impossible[i].format, set->tool->format) == 0)
            why = impossible[i].why;
    }
    return err_set(err, -ENOTSUP,
        "changes can't be captured into format %s: %s; use another value of unmigrated",
        set->is_lockfile ? "lockfile" : set->tool->format, why);
}

/* --- what the team does ----------------------------------------------------------------- */

struct ways {
    bool is_pair;   /* rollbacks in files of their own */
    bool is_up_sql; /* x.up.sql, not x.sql */
    bool has_begin, has_row;
    const struct hist_migration *newest; /* NULL: no files yet */
};

static bool
has_begin(const struct hist_migration *m)
{
    for (size_t i = 0; i < m->tree->n; i++) {
        if (m->tree->facts[i].tx == SQL_TX_BEGIN)
            return true;
    }
    return false;
}

static const struct sql_write *
row_of(const struct hist_migration *m)
{
    for (size_t i = 0; m && i < m->tree->n; i++) {
        const struct sql_write *w = m->tree->facts[i].write;
        if (w && w->op == SQL_WRITE_INSERT)
            return w;
    }
    return NULL;
}

static struct ways
look_at(const struct hist_set *set, const struct template *t)
{
    struct ways w = { .has_begin = true, .has_row = true };

    for (size_t i = set->n; i > 0 && !w.newest; i--) {
        if (!set->migrations[i - 1].is_repeatable)
            w.newest = &set->migrations[i - 1];
    }
    w.is_pair = t->layout == LAYOUT_PAIR;
    if (w.newest) {
        w.is_up_sql = str_suffix(w.newest->file, ".up.sql");
        w.is_pair |= t->layout == LAYOUT_TEAM && w.newest->pair != HIST_NONE;
        w.has_begin = has_begin(w.newest) || w.newest->is_no_tx;
        w.has_row = row_of(w.newest) != NULL;
    }
    if (strcmp(t->format, "numbered-sql") != 0)
        w.has_begin = w.has_row = false;
    return w;
}

/* --- writing ---------------------------------------------------------------------------- */

struct draft {
    const struct hist_set *set;
    const struct template *t;
    const struct hist_capture *cap;
    struct ways ways;
    struct arena *a;
    bool is_no_tx;
    const char *path, *down_path; /* of the files; down_path NULL: none */
    char version[64], slug[128];
    size_t n_once, n_stuck;
};

static bool
is_no_tx(const struct hist_capture *cap)
{
    for (size_t i = 0; i < cap->n; i++) {
        for (size_t k = 0; k < cap->items[i].n_facts; k++) {
            if (cap->items[i].facts[k].flags & SQL_F_NO_TX)
                return true;
        }
    }
    return false;
}

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

static bool
is_same_path(const char *a, const char *b)
{
    struct str x = str_of(a), y = str_of(b), p, q;

    for (;;) {
        bool more = str_next_item(&x, &p);
        if (str_next_item(&y, &q) != more)
            return false;
        if (!more)
            return true;
        if (!str_eq(p, q))
            return false;
    }
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
        else if (c->search_path && !(path && is_same_path(path, c->search_path))) {
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
    const struct sql_write *w = row_of(d->ways.newest);
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
    const struct sql_write *w = row_of(d->ways.newest);
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
            && !(path && is_same_path(path, c->search_path))) {
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

static void
put_down(struct draft *d, struct buf *b)
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
    AUTO(buf_deinit) struct buf undo = BUF_INIT(MAX_TEXT);

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
    AUTO(buf_deinit) struct buf body = BUF_INIT(MAX_TEXT);
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

/* --- names ------------------------------------------------------------------------------ */

static char *
replaced(struct arena *a, const char *s, const char *from, const char *to)
{
    const char *at = NULL;

    for (const char *p = s; (p = strstr(p, from)); p++)
        at = p;
    return at ? arena_printf(a, "%.*s%s%s", (int)(at - s), s, to, at + strlen(from))
              : NULL;
}

/* Where the files of a folder of folders stand, the next one goes beside the newest. */
static const char *
beside_newest(struct draft *d, const char *path)
{
    const struct hist_migration *m = d->ways.newest;
    const char *folder = m && strcmp(d->t->format, "hasura") == 0 ? m->file : NULL;
    const char *last = folder ? strrchr(folder, '/') : NULL;

    while (last && last > folder && last[-1] != '/')
        last--;
    return last && last > folder
        ? arena_printf(d->a, "%.*s%s", (int)(last - folder), folder, path)
        : path;
}

/* NNN_slug, VNNN__slug, NNN-slug, ... of the path into its two parts. */
static void
split_name(struct draft *d)
{
    const char *base = hist_base_name(d->path), *end = strchr(base, '.');
    bool is_folder = str_suffix(d->path, "/up.sql")
        || str_suffix(d->path, "/migration.sql");
    size_t n;

    if (is_folder) {
        while (base > d->path && base[-1] == '/')
            base--;
        end = base;
        while (base > d->path && base[-1] != '/')
            base--;
    } else if (strstr(base, ".do.")) {
        end = strrchr(base, '.');
    }
    base += strcspn(base, "0123456789");
    n = strspn(base, "0123456789._");
    while (n > 0 && (base[n - 1] == '_' || base[n - 1] == '.'))
        n--;
    snprintf(d->version, sizeof(d->version), "%.*s", (int)(n < 60 ? n : 60), base);
    base += n;
    base += strspn(base, "_-.");
    if (str_prefix(base, "do."))
        base += 3;
    if (!end || end < base)
        end = base + strlen(base);
    snprintf(d->slug, sizeof(d->slug), "%.*s",
        (int)(end - base < 120 ? end - base : 120), base);
}

static int
choose_names(struct draft *d, struct err *err)
{
    char next[256];
    const struct template *t = d->t;

    hist_next_path(d->set, d->cap->items[0].facts, next, sizeof(next));
    const char *path = beside_newest(d, arena_strdup(d->a, next));
    if (d->ways.is_up_sql && !str_suffix(path, ".up.sql"))
        path = replaced(d->a, path, ".sql", ".up.sql");
    d->path = path;
    split_name(d);
    if (!d->ways.is_pair)
        return 0;
    d->down_path = replaced(d->a, path, d->ways.is_up_sql ? ".up.sql" : t->from, t->to);
    return d->down_path ? 0 : err_set(err, -EINVAL, "no name for its rollback");
}

/* --- reading it back -------------------------------------------------------------------- */

static bool
holds(const struct sql_scan *scan, const struct sql_digest *digest, size_t *from)
{
    for (size_t i = *from; i < scan->n; i++) {
        if (sql_digest_eq(&scan->stmts[i].digest, digest)) {
            *from = i + 1;
            return true;
        }
    }
    return false;
}

static int
says_something_else(struct err *err)
{
    return err_set(err, -EINVAL,
        "the migration file would not say what the statement says: it holds a line or a "
        "text that means something to the migration tool");
}

static int
check_item(const struct hist_captured *c, const struct sql_scan *file, size_t *from,
    struct err *err)
{
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    const char *sql = c->again ? c->again : c->sql;
    size_t len = c->again ? strlen(c->again) : c->len;

    if (sql_scan(&scan, NULL, sql, len, true, SQL_TREE_DEFAULT_DEPTH, NULL) != 0
        || scan.n != 1 || !holds(file, &scan.stmts[0].digest, from))
        return says_something_else(err);
    return 0;
}

/* The file as the set would load it: are all statements there, in order? */
static int
read_back(const struct draft *d, const char *text, size_t len, struct err *err)
{
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    struct hist_migration m = { .arena = a,
        .file = d->path,
        .path = d->path,
        .shown = d->path,
        .version = d->version,
        .name = d->slug,
        .pair = HIST_NONE };
    size_t from = 0;
    int r = 0;

    if (strcmp(d->t->format, "liquibase") == 0) {
        m.text = text;
        m.len = len;
    } else if (d->set->ops->prepare) {
        r = d->set->ops->prepare(d->set, &m, text, len, err);
    } else {
        r = hist_prepare(d->set, &m, text, len, err);
    }
    if (r)
        return r;
    if (sql_scan(&scan, NULL, m.text, m.len, true, SQL_TREE_DEFAULT_DEPTH, NULL) != 0)
        return says_something_else(err);
    for (size_t i = 0; i < d->cap->n && !r; i++)
        r = check_item(&d->cap->items[i], &scan, &from, err);
    return r;
}

/* --- what can't be written -------------------------------------------------------------- */

static bool
has_parameter(const struct hist_captured *c)
{
    struct sql_lexer lx;
    struct sql_token tok;

    sql_lex_init(&lx, c->sql, c->len, c->std_strings);
    while (sql_lex_next(&lx, &tok) == 0) {
        if (tok.kind == SQL_T_PARAM)
            return true;
    }
    return false;
}

static bool
has_secret(const struct hist_captured *c)
{
    bool is_cut;
    AUTO(mem_free)
    char *text = sql_redact(c->sql, c->len, c->std_strings, c->len + 1, &is_cut);

    return is_cut || strlen(text) != c->len || memcmp(text, c->sql, c->len) != 0;
}

static int
check_no_tx(const struct draft *d, const struct hist_captured *c, struct err *err)
{
    const char *wanted = d->set->conf.search_path;
    bool is_under_path = c->search_path
        && !(wanted && is_same_path(wanted, c->search_path));

    if (!d->is_no_tx)
        return 0;
    if (d->t->no_tx == NO_TX_NEVER)
        return err_set(err, -EINVAL,
            "it can't run in a transaction, and a file of format %s can't say so",
            d->t->format);
    if (is_under_path)
        return err_set(err, -EINVAL,
            "outside of a transaction it depends on the session's search_path; RESET it and "
            "write the schema before the names");
    return d->cap->n == 1 ? 0
                          : err_set(err, -EINVAL, "it has to stand alone in its file");
}

static int
check_statement(const struct draft *d, const struct hist_captured *c, struct err *err)
{
    const struct sql_facts *f = c->facts;

    if (c->len > MAX_TEXT / 4)
        return err_set(err, -EINVAL, "it is longer than %zu bytes", MAX_TEXT / 4);
    if (f->prep != SQL_PREP_NONE)
        return err_set(err, -EINVAL,
            "EXECUTE runs a statement that doesn't stand there; send the statement itself");
    if (has_parameter(c))
        return err_set(err, -EINVAL, "it has parameters; write their values");
    if (has_secret(c))
        return err_set(err, -EINVAL,
            "it holds, or may hold, a password, a key or the like, which must not get into "
            "a file");
    if (!c->std_strings && memchr(c->sql, '\\', c->len))
        return err_set(err, -EINVAL,
            "it holds a backslash, which reads otherwise under "
            "standard_conforming_strings = on");
    if (d->t->escape && memmem(c->sql, c->len, d->t->escape, strlen(d->t->escape)))
        return err_set(err, -EINVAL, "%s would replace what stands behind `%s` in it",
            d->set->tool->title, d->t->escape);
    return check_no_tx(d, c, err);
}

/* --- the outside ------------------------------------------------------------------------ */

static void
add_file(struct hist_new_files *out, const char *path, const char *text, size_t len)
{
    out->items[out->n].path = path;
    out->items[out->n].text = text;
    out->items[out->n++].len = len;
    out->name = path;
}

static int
render(struct draft *d, struct hist_new_files *out, struct err *err)
{
    AUTO(buf_deinit) struct buf up = BUF_INIT(2 * MAX_TEXT);
    AUTO(buf_deinit) struct buf down = BUF_INIT(2 * MAX_TEXT);
    int r = 0;

    for (size_t i = 0; i < d->cap->n; i++)
        d->n_once += !d->cap->items[i].again;
    if (strcmp(d->t->format, "liquibase") == 0)
        put_liquibase(d, &up);
    else if (strcmp(d->t->format, "graphile-migrate") == 0)
        r = put_graphile(d, &up, err);
    else
        put_up(d, &up);
    if (!r && buf_len(&up) >= MAX_TEXT)
        r = err_set(err, -EINVAL, "the file would be longer than %zu bytes", MAX_TEXT);
    if (!r)
        r = read_back(d, buf_cstr(&up), buf_len(&up), err);
    if (r)
        return r;
    if (d->down_path) {
        put_down(d, &down);
        size_t n = buf_len(&down);
        add_file(out, d->down_path, arena_strndup(d->a, buf_ptr(&down), n), n);
    }
    if (d->is_no_tx && d->t->no_tx == NO_TX_TOML)
        add_file(out, replaced(d->a, d->path, "/up.sql", "/metadata.toml"),
            d->t->no_tx_text, strlen(d->t->no_tx_text));
    add_file(
        out, d->path, arena_strndup(d->a, buf_ptr(&up), buf_len(&up)), buf_len(&up));
    out->n_once = d->n_once;
    out->n_stuck = d->n_stuck;
    return 0;
}

int
hist_capture_render(const struct hist_set *set, const struct hist_capture *cap,
    struct arena *a, struct hist_new_files *out, struct err *err)
{
    struct draft d = { .set = set,
        .t = find_template(set),
        .cap = cap,
        .a = a,
        .is_no_tx = is_no_tx(cap) };

    DG_ASSERT(cap->n > 0, "nothing to capture");
    if (!d.t)
        return hist_capture_format(set, err);
    d.ways = look_at(set, d.t);
    int r = choose_names(&d, err);
    for (size_t i = 0; i < cap->n && !r; i++)
        r = check_statement(&d, &cap->items[i], err);
    *out = (struct hist_new_files){ .n = 0 };
    return r ? r : render(&d, out, err);
}

void
hist_capture_path(
    const struct hist_set *set, const struct sql_facts *f, char *out, size_t size)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_captured item = { .facts = f, .n_facts = 1 };
    struct hist_capture cap = { .items = &item, .n = 1 };
    struct draft d = { .set = set, .t = find_template(set), .cap = &cap, .a = a };

    out[0] = 0;
    if (!d.t)
        return;
    d.ways = look_at(set, d.t);
    if (choose_names(&d, NULL) == 0)
        snprintf(out, size, "%s/%s", set->conf.shown, d.path);
}

int
hist_capture_fault(
    const struct hist_set *set, const struct hist_captured *c, struct err *err)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_capture cap = { .items = c, .n = 1, .role = "", .database = "" };
    struct hist_new_files files;

    return hist_capture_render(set, &cap, a, &files, err);
}
