// SPDX-License-Identifier: ISC
/* From a migration file's bytes to the text that reaches the server as SQL. Every tool's
 * files may hold the data of a COPY, which are blanked, so that line numbers and positions
 * stay those of the file. (What psql makes of a file: psql.c.) */
#include "history/source.h"
#include "sql/lex.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

int
hist_line_of(const char *text, size_t pos)
{
    int line = 1;

    for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + pos - p))); p++)
        line++;
    return line;
}

int
hist_text_check(const char *path, const char *p, size_t n, struct err *err)
{
    for (size_t i = 0; i < n;) {
        if (p[i] == 0)
            return err_set(err, -EILSEQ, "%s:%d: a zero byte; save the file as UTF-8",
                path, hist_line_of(p, i));
        size_t len = (unsigned char)p[i] < 0x80 ? 1 : str_utf8_len(p + i, n - i);
        if (len == 0)
            return err_set(err, -EILSEQ,
                "%s:%d: byte 0x%02x is not valid UTF-8; save the file as UTF-8", path,
                hist_line_of(p, i), (unsigned)(unsigned char)p[i]);
        i += len;
    }
    return 0;
}

size_t
hist_bom(const char *p, size_t n)
{
    return n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* --- the data of a COPY ------------------------------------------------------------------ */

struct blank {
    const char *path;
    char *p;
    size_t n;
    struct err *err;
    /* The statement under way. */
    size_t n_words, depth;
    bool is_copy, saw_from, saw_stdin;
};

static void
blank_range(struct blank *b, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (b->p[i] != '\n' && b->p[i] != '\r')
            b->p[i] = ' ';
    }
}

/* Blanks the data lines that begin after the line of pos, up to the line `\.`. */
static int
copy_data(struct blank *b, size_t pos)
{
    const char *nl = memchr(b->p + pos, '\n', b->n - pos);
    size_t from = nl ? (size_t)(nl - b->p) + 1 : b->n, at = from;

    while (at < b->n) {
        nl = memchr(b->p + at, '\n', b->n - at);
        size_t end = nl ? (size_t)(nl - b->p) : b->n;
        struct str line = { b->p + at, end - at };
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (str_eqz(line, "\\.")) {
            blank_range(b, from, end);
            return 0;
        }
        at = end + 1;
    }
    return err_set(b->err, -EINVAL,
        "%s:%d: COPY ... FROM STDIN whose data don't end; add a line \\.", b->path,
        hist_line_of(b->p, pos));
}

static int
on_token(struct blank *b, const struct sql_token *tok)
{
    struct str s = { b->p + tok->start, tok->len };
    int r = 0;

    if (tok->kind == SQL_T_WORD) {
        if (b->n_words++ == 0)
            b->is_copy = str_ieqz(s, "copy");
        else if (b->is_copy && b->depth == 0 && b->saw_from)
            b->saw_stdin = b->saw_stdin || str_ieqz(s, "stdin");
        else if (b->is_copy && b->depth == 0)
            b->saw_from = str_ieqz(s, "from");
    } else if (tok->len == 1 && s.p[0] == ';') {
        if (b->is_copy && b->saw_stdin)
            r = copy_data(b, tok->start);
        b->n_words = b->depth = 0;
        b->is_copy = b->saw_from = b->saw_stdin = false;
    } else {
        b->n_words++;
        if (s.p[0] == '(')
            b->depth++;
        else if (s.p[0] == ')' && b->depth > 0)
            b->depth--;
    }
    return r;
}

/* Only a text with that word in it can hold data. */
static bool
has_stdin(const char *p, size_t n)
{
    for (size_t i = 0; i + 5 <= n; i++) {
        if ((p[i] == 's' || p[i] == 'S') && strncasecmp(p + i, "stdin", 5) == 0)
            return true;
    }
    return false;
}

int
hist_text_blank(const char *path, char *p, size_t n, struct err *err)
{
    struct blank b = { .path = path, .p = p, .n = n, .err = err };
    struct sql_lexer lx;
    struct sql_token tok;
    int r = 0;

    if (!has_stdin(p, n))
        return 0;
    sql_lex_init(&lx, p, n, true);
    /* A broken text ends it, too; the scan refuses that. */
    while (!r && sql_lex_next(&lx, &tok) == 0)
        r = on_token(&b, &tok);
    return r;
}
