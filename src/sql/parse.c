// SPDX-License-Identifier: ISC
/* A text to facts: blanked of comments, put into standard strings, parsed by libpg_query,
 * its tree walked. */
#include "sql/make.h"

#include <stdio.h>
#include <string.h>

#include "sql/library.h"
#include "sql/scan.h"
#include "sql/tree.h"

/* ---- the text that the library is given ---- */

void
mk_text_deinit(struct mk_standard *t)
{
    mem_free(t->text);
    mem_free(t->adds);
}

/* Plain strings with a backslash, when standard_conforming_strings is off: the server reads
 * them exactly as E'...'. N'...' falls back to the raw grammar's NCHAR and has no E form:
 * -EINVAL. */
static int
find_adds(const char *text, size_t len, struct mk_standard *out)
{
    struct sql_lexer lx;
    struct sql_token tok;
    size_t cap = 0;
    int r;

    sql_lex_init(&lx, text, len, false);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        if (tok.kind != SQL_T_STRING || !memchr(text + tok.start, '\\', tok.len))
            continue;
        if (text[tok.start] != '\'')
            return -1;
        MEM_GROW(out->adds, out->n_adds, cap);
        out->adds[out->n_adds] = tok.start + 2 * out->n_adds;
        out->n_adds++;
    }
    return r == SQL_LEX_END ? 0 : -1;
}

int
mk_standard_text(
    const char *text, size_t len, bool std_strings, struct mk_standard *out)
{
    char *blank = sql_blank_comments(text, len, std_strings), *p;
    size_t from = 0;

    *out = (struct mk_standard){ .text = blank, .len = len };
    if (std_strings || !memchr(text, '\\', len))
        return 0;
    if (find_adds(blank, len, out) < 0)
        return -1;
    if (out->n_adds == 0)
        return 0;
    /* " E" rather than "E": the string may follow a word at once */
    out->len = len + 2 * out->n_adds;
    out->text = p = mem_alloc(out->len + 1);
    for (size_t i = 0; i <= out->n_adds; i++) {
        size_t to = i < out->n_adds ? out->adds[i] - 2 * i : len;

        memcpy(p, blank + from, to - from);
        p += to - from;
        if (i < out->n_adds) {
            *p++ = ' ';
            *p++ = 'E';
        }
        from = to;
    }
    *p = 0;
    mem_free(blank);
    return 0;
}

/* ---- the library ---- */

/* The library counts characters from 1. */
static int
error_offset(const struct mk_place *place, int cursor)
{
    size_t at = 0;

    for (int i = 1; i < cursor && at < place->len; i++) {
        size_t n = str_utf8_len(place->text + at, place->len - at);

        at += n ? n : 1;
    }
    return cursor > 0 ? (int)at : -1;
}

static void
note_error(struct mk *m, const struct mk_place *place, const char *text, int cursor)
{
    const char *near = strstr(text, " at or near \"");

    m->place = *place;
    /* a constant may be a password: the position says enough */
    if (near && strpbrk(near, "'$"))
        m->last_error = arena_strndup(m->arena, text, (size_t)(near - text));
    else
        m->last_error = arena_strdup(m->arena, text);
    m->last_error_pos = mk_pos(m, error_offset(place, cursor));
    if (m->error)
        return;
    m->error = m->last_error;
    m->error_pos = m->last_error_pos;
}

static size_t
stmt_at(const struct sql_scan *scan, size_t from, size_t pos)
{
    while (from + 1 < scan->n && pos >= scan->stmts[from].start + scan->stmts[from].len)
        from++;
    return from;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
walk_raw(struct mk *m, const struct mk_place *place, const PgQuery__RawStmt *raw,
    int parent, const struct sql_scan *scan)
{
    m->place = *place;
    m->start = (size_t)raw->stmt_location;
    m->end = raw->stmt_len ? m->start + (size_t)raw->stmt_len : place->len;
    while (m->start < m->end && is_space(place->text[m->start]))
        m->start++;
    if (scan && scan->n)
        m->stmt = stmt_at(scan, m->stmt, (size_t)mk_pos(m, (int)m->start));
    walk_statement(m, raw->stmt, parent);
}

struct walk {
    struct mk *m;
    const struct mk_place *place;
    int parent;
    const struct sql_scan *scan;
};

static void
walk_result(void *ctx, const PgQuery__ParseResult *tree)
{
    const struct walk *w = ctx;

    for (size_t i = 0; i < tree->n_stmts; i++)
        if (tree->stmts[i]->stmt)
            walk_raw(w->m, w->place, tree->stmts[i], w->parent, w->scan);
}

int
parse_text(
    struct mk *m, const struct mk_place *place, int parent, const struct sql_scan *scan)
{
    struct walk walk = { m, place, parent, scan };
    struct lib_error error;

    if (lib_parse(place->text, walk_result, &walk, &error) == 0)
        return 0;
    note_error(m, place, error.text, error.cursor);
    return -1;
}

/* ---- whole texts ---- */

/* One statement of a text that didn't parse as a whole. */
static void
parse_one(
    struct mk *m, const struct sql_stmt *stmt, const struct mk_place *raw, int parent)
{
    AUTO(mk_text_deinit) struct mk_standard std = { 0 };
    AUTO(mem_free) char *copy = mem_strndup(raw->text + stmt->start, stmt->len);
    struct mk_place place = *raw;

    if (mk_standard_text(copy, stmt->len, m->std_strings, &std) == 0) {
        place.text = std.text;
        place.len = std.len;
        place.base = raw->is_fixed ? raw->base : raw->base + stmt->start;
        place.adds = std.adds;
        place.n_adds = std.n_adds;
        if (parse_text(m, &place, parent, NULL) == 0)
            return;
    } else {
        note_error(m, raw,
            "a national character string with a backslash, read with"
            " standard_conforming_strings off",
            0);
    }
    m->is_unparsable = true;
    const size_t from = m->n;
    fallback_statement(m, raw, stmt->start, stmt->len, stmt->words, parent);
    for (size_t i = from; i < m->n; i++) {
        m->facts[i].error = m->last_error;
        m->facts[i].error_pos = m->last_error_pos;
    }
}

void
parse_all(
    struct mk *m, const struct sql_scan *scan, const struct mk_place *raw, int parent)
{
    AUTO(mk_text_deinit) struct mk_standard std = { 0 };
    const bool is_client_text = m->level == 0;
    struct mk_place place = *raw;

    if (scan->n == 0)
        return;
    if (mk_standard_text(raw->text, raw->len, m->std_strings, &std) == 0) {
        place.text = std.text;
        place.len = std.len;
        place.adds = std.adds;
        place.n_adds = std.n_adds;
        if (parse_text(m, &place, parent, is_client_text ? scan : NULL) == 0)
            return;
    }
    for (size_t i = 0; i < scan->n; i++) {
        if (is_client_text)
            m->stmt = i;
        parse_one(m, &scan->stmts[i], raw, parent);
    }
}

unsigned
parse_nested(struct mk *m, const struct mk_place *raw, int parent)
{
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    const struct mk_place outer = m->place;
    const size_t start = m->start, end = m->end, from = m->n;
    const PgQuery__IntoClause *into = m->into_seen;
    unsigned flags = 0;

    if (m->level >= MK_MAX_LEVEL)
        return SQL_F_DYNAMIC;
    if (sql_scan(&scan, m->words, raw->text, raw->len, m->std_strings,
            SQL_TREE_DEFAULT_DEPTH, NULL)
        != 0)
        return SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE;
    m->level++;
    parse_all(m, &scan, raw, parent);
    m->level--;
    m->place = outer;
    m->start = start;
    m->end = end;
    m->into_seen = into;
    for (size_t i = from; i < m->n; i++)
        flags |= m->facts[i].flags & (SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE);
    return flags;
}
