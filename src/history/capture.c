// SPDX-License-Identifier: ISC
/* Can these statements be put into a file, and what is it then? What comes out is read back
 * as the loader reads it, and must hold the statements. */
#include "history/template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

/* A table of users has a column `password`, and a default that is no secret. So in
 * statements about tables names tell nothing, but for those of functions. */
static void
blank_names(const struct hist_captured *c, char *text)
{
    static const char *const tags[] = { "CREATE TABLE", "ALTER TABLE", "CREATE INDEX",
        "CREATE TYPE", "ALTER TYPE", "CREATE DOMAIN", "COMMENT" };
    struct sql_lexer lx;
    struct sql_token tok, name = { .start = 0 };
    bool is_about_tables = false, is_after_references = false;
    int depth = 0;

    for (size_t i = 0; i < DG_ARRAY_SIZE(tags); i++)
        is_about_tables |= strcmp(c->facts->tag, tags[i]) == 0;
    sql_lex_init(&lx, c->sql, c->len, c->std_strings);
    while (is_about_tables && sql_lex_next(&lx, &tok) == 0) {
        bool opens = tok.kind == SQL_T_PUNCT && c->sql[tok.start] == '(';
        bool is_call = opens && depth > 0 && !is_after_references;
        if (strcmp(c->facts->tag, "ALTER TABLE") == 0)
            is_call = opens && !is_after_references;
        struct str word = { c->sql + name.start, name.len };
        if (name.len > 0 && !is_call) {
            is_after_references = str_ieqz(word, "references");
            memset(text + name.start, 'x', name.len);
        }
        depth += opens                                            ? 1
            : tok.kind == SQL_T_PUNCT && c->sql[tok.start] == ')' ? -1
                                                                  : 0;
        name.len = 0;
        if (tok.kind == SQL_T_WORD || tok.kind == SQL_T_QUOTED)
            name = tok;
    }
    memset(text + name.start, 'x', name.len);
}

static bool
has_secret(const struct hist_captured *c)
{
    bool is_cut;
    AUTO(mem_free) char *text = mem_strndup(c->sql, c->len);
    blank_names(c, text);
    AUTO(mem_free)
    char *masked = sql_redact(text, c->len, c->std_strings, c->len + 1, &is_cut);

    return is_cut || strlen(masked) != c->len || memcmp(text, masked, c->len) != 0;
}

static int
check_no_tx(const struct draft *d, const struct hist_captured *c, struct err *err)
{
    const char *wanted = d->set->conf.search_path;
    bool is_under_path = c->search_path
        && !(wanted && hist_is_same_path(wanted, c->search_path));

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

/* What is put together is at most so much, whatever the statements are. */
static int
check_size(const struct hist_capture *cap, struct err *err)
{
    size_t sum = 0;

    for (size_t i = 0; i < cap->n && sum <= HIST_CAPTURE_MAX_BYTES; i++) {
        const struct hist_captured *c = &cap->items[i];
        sum += 8 * c->len + 1024;
        sum += c->search_path ? 8 * strlen(c->search_path) : 0;
    }
    return sum <= HIST_CAPTURE_MAX_BYTES
        ? 0
        : err_set(
            err, -E2BIG, "its statements are too long, or too many, for one file");
}

/* --- writing ---------------------------------------------------------------------------- */

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
    AUTO(buf_deinit) struct buf up = BUF_INIT(2 * HIST_CAPTURE_MAX_BYTES);
    AUTO(buf_deinit) struct buf down = BUF_INIT(2 * HIST_CAPTURE_MAX_BYTES);
    int r = hist_render_up(d, &up, err);

    if (!r)
        r = read_back(d, buf_cstr(&up), buf_len(&up), err);
    if (r)
        return r;
    if (d->down_path) {
        hist_render_down(d, &down);
        size_t n = buf_len(&down);
        add_file(out, d->down_path, arena_strndup(d->a, buf_ptr(&down), n), n);
    }
    if (d->is_no_tx && d->t->no_tx == NO_TX_TOML)
        add_file(out, hist_replaced(d->a, d->path, "/up.sql", "/metadata.toml"),
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
        .t = hist_template(set),
        .cap = cap,
        .a = a,
        .is_no_tx = is_no_tx(cap) };

    DG_ASSERT(cap->n > 0, "nothing to capture");
    if (!d.t)
        return hist_capture_format(set, err);
    d.ways = hist_ways(set, d.t);
    int r = check_size(cap, err);
    if (!r)
        r = hist_choose_names(&d, err);
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
    struct draft d = { .set = set, .t = hist_template(set), .cap = &cap, .a = a };

    out[0] = 0;
    if (!d.t)
        return;
    d.ways = hist_ways(set, d.t);
    if (hist_choose_names(&d, NULL) == 0)
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
