// SPDX-License-Identifier: ISC
/* Edits of a text by position; see edit.h. */
#include "sql/edit.h"

#include <string.h>

#include "sql/lex.h"

void
sql_edits_deinit(struct sql_edits *e)
{
    mem_free(e->items);
    *e = (struct sql_edits){ .n = 0 };
}

static bool
is_same(const struct sql_edit *a, const struct sql_edit *b)
{
    return a->at == b->at && a->del == b->del && strcmp(a->put, b->put) == 0;
}

/* Two that put something in at one place agree; two that take a byte away don't, nor does
 * one that puts something in where another has taken the bytes around it. */
static bool
is_clash(const struct sql_edit *a, const struct sql_edit *b)
{
    if (a->del && b->del)
        return a->at < b->at + b->del && b->at < a->at + a->del;
    if (a->del)
        return b->at > a->at && b->at < a->at + a->del;
    return b->del && a->at > b->at && a->at < b->at + b->del;
}

int
sql_edits_add(struct sql_edits *e, size_t at, size_t del, const char *put)
{
    struct sql_edit one = { at, del, put };
    size_t k = e->n;

    for (size_t i = 0; i < e->n; i++) {
        if (is_same(&e->items[i], &one))
            return 0;
        if (is_clash(&e->items[i], &one))
            return SQL_EDIT_E_CLASH;
    }
    MEM_GROW(e->items, e->n, e->cap);
    /* What goes in at a place stands before what replaces the bytes that begin there. */
    for (; k > 0; k--) {
        const struct sql_edit *before = &e->items[k - 1];
        if (before->at < at || (before->at == at && !before->del))
            break;
        e->items[k] = *before;
    }
    e->items[k] = one;
    e->n++;
    return 0;
}

int
sql_edits_merge(struct sql_edits *e, const struct sql_edits *more)
{
    for (size_t i = 0; i < more->n; i++) {
        for (size_t k = 0; k < e->n; k++) {
            if (!is_same(&e->items[k], &more->items[i])
                && is_clash(&e->items[k], &more->items[i]))
                return SQL_EDIT_E_CLASH;
        }
    }
    for (size_t i = 0; i < more->n; i++) {
        int r = sql_edits_add(
            e, more->items[i].at, more->items[i].del, more->items[i].put);
        DG_ASSERT(r == 0, "edits that clash with each other");
    }
    return 0;
}

void
sql_edits_copy(struct sql_edits *to, struct arena *a, const struct sql_edits *e)
{
    *to = (struct sql_edits){ .n = e->n, .cap = e->n };
    to->items = mem_array(e->n + 1, sizeof(*to->items));
    for (size_t i = 0; i < e->n; i++) {
        to->items[i] = e->items[i];
        to->items[i].put = arena_strdup(a, e->items[i].put);
    }
}

char *
sql_edits_apply(
    const struct sql_edits *e, const char *text, size_t len, size_t *out_len)
{
    size_t n = len, from = 0;

    for (size_t i = 0; i < e->n; i++) {
        DG_ASSERT(e->items[i].at + e->items[i].del <= len, "an edit behind the text");
        n += strlen(e->items[i].put);
    }
    char *out = mem_alloc(n + 1), *to = out;
    for (size_t i = 0; i < e->n; i++) {
        const struct sql_edit *one = &e->items[i];
        size_t n_put = strlen(one->put);
        memcpy(to, text + from, one->at - from);
        to += one->at - from;
        memcpy(to, one->put, n_put);
        to += n_put;
        from = one->at + one->del;
    }
    memcpy(to, text + from, len - from);
    to += len - from;
    *to = '\0';
    *out_len = (size_t)(to - out);
    return out;
}

size_t
sql_edits_back(const struct sql_edits *e, size_t at)
{
    size_t put = 0, del = 0; /* so far */

    for (size_t i = 0; i < e->n; i++) {
        const struct sql_edit *one = &e->items[i];
        size_t start = one->at + put - del, n_put = strlen(one->put);
        if (at < start)
            break;
        if (at < start + n_put)
            return one->at;
        put += n_put;
        del += one->del;
    }
    return at - put + del;
}

/* ---- do they hold? ---- */

/* Is the next token of the result this one? */
static bool
expect(struct sql_lexer *result, const char *text, const struct sql_token *want)
{
    struct sql_token got;

    return sql_lex_next(result, &got) == 0 && got.kind == want->kind
        && got.len == want->len
        && memcmp(result->text + got.start, text + want->start, got.len) == 0;
}

static bool
expect_put(struct sql_lexer *result, const char *put, bool std_strings)
{
    struct sql_lexer lx;
    struct sql_token tok;
    int r;

    sql_lex_init(&lx, put, strlen(put), std_strings);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        if (!expect(result, put, &tok))
            return false;
    }
    return r == SQL_LEX_END;
}

bool
sql_edits_hold(
    const struct sql_edits *e, struct str text, struct str result, bool std_strings)
{
    struct sql_lexer lx, out;
    struct sql_token tok;
    size_t i = 0; /* edits before this one are done */
    int r;

    sql_lex_init(&lx, text.p, text.n, std_strings);
    sql_lex_init(&out, result.p, result.n, std_strings);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        bool is_left_out = false;
        for (; i < e->n && e->items[i].at <= tok.start; i++) {
            const struct sql_edit *one = &e->items[i];
            bool covers = one->at + one->del > tok.start;
            if (covers && one->at + one->del < tok.start + tok.len)
                return false; /* half of a token */
            if (covers) {
                is_left_out = true;
                if (one->at + one->del > tok.start + tok.len)
                    break; /* more of its tokens follow; what it puts in comes then */
            }
            if (!expect_put(&out, one->put, std_strings))
                return false;
        }
        if (is_left_out)
            continue;
        if (i < e->n && e->items[i].at < tok.start + tok.len)
            return false; /* inside a token */
        if (!expect(&out, text.p, &tok))
            return false;
    }
    for (; i < e->n; i++) {
        if (!expect_put(&out, e->items[i].put, std_strings))
            return false;
    }
    return r == SQL_LEX_END && sql_lex_next(&out, &tok) == SQL_LEX_END;
}
