// SPDX-License-Identifier: ISC
/* From a migration file's bytes to the text that reaches the server as SQL. psql files hold
 * lines for psql itself, and every tool's files may hold the data of a COPY; both are
 * blanked, so that line numbers and positions stay those of the file. */
#include "history/source.h"
#include "sql/lex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_VARIABLES 64 /* names set with \set in one file */
#define MAX_VARIABLE  64 /* bytes of such a name, with the NUL */

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

/* --- psql's backslash commands --------------------------------------------------------- */

enum meta_kind {
    META_BLANK,    /* nothing of it reaches the server, or only harmless queries */
    META_SET,      /* sets a variable: its use in SQL can't be matched */
    META_ENCODING, /* fine as long as it says UTF8 */
    META_INCLUDE,
    META_SEND, /* sends the statement before it, or its results */
    META_BRANCH,
    META_COPY,
    META_OTHER,
};

static const struct {
    const char *name;
    enum meta_kind kind;
} metas[] = {
    { "set", META_SET },
    { "unset", META_BLANK },
    { "setenv", META_BLANK },
    { "echo", META_BLANK },
    { "qecho", META_BLANK },
    { "warn", META_BLANK },
    { "timing", META_BLANK },
    { "pset", META_BLANK },
    { "x", META_BLANK },
    { "a", META_BLANK },
    { "t", META_BLANK },
    { "f", META_BLANK },
    { "C", META_BLANK },
    { "H", META_BLANK },
    { "T", META_BLANK },
    { "o", META_BLANK },
    { "out", META_BLANK },
    { "conninfo", META_BLANK },
    { "h", META_BLANK },
    { "help", META_BLANK },
    { "?", META_BLANK },
    { "errverbose", META_BLANK },
    { "copyright", META_BLANK },
    { "restrict", META_BLANK },
    { "unrestrict", META_BLANK },
    { "encoding", META_ENCODING },
    { "i", META_INCLUDE },
    { "ir", META_INCLUDE },
    { "include", META_INCLUDE },
    { "include_relative", META_INCLUDE },
    { "g", META_SEND },
    { "gx", META_SEND },
    { "gset", META_SEND },
    { "gexec", META_SEND },
    { "gdesc", META_SEND },
    { "crosstabview", META_SEND },
    { "watch", META_SEND },
    { "bind", META_SEND },
    { "if", META_BRANCH },
    { "elif", META_BRANCH },
    { "else", META_BRANCH },
    { "endif", META_BRANCH },
    { "copy", META_COPY },
};

static enum meta_kind
meta_find(struct str name)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(metas); i++) {
        if (str_eqz(name, metas[i].name))
            return metas[i].kind;
    }
    /* \d, \dt+, \l, ...: psql's own queries of the catalogue */
    if (name.n > 0 && (name.p[0] == 'd' || name.p[0] == 'l' || name.p[0] == 'z')
        && !(name.n > 3 && memcmp(name.p, "lo_", 3) == 0))
        return META_BLANK;
    return META_OTHER;
}

struct blank {
    const char *path;
    char *p;
    size_t n;
    bool psql;
    struct err *err;
    char variables[MAX_VARIABLES][MAX_VARIABLE];
    size_t n_variables;
    /* The statement under way. */
    size_t n_words, depth;
    bool is_copy, saw_from, saw_stdin;
    struct sql_token prev;
};

static void
blank_range(struct blank *b, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (b->p[i] != '\n' && b->p[i] != '\r')
            b->p[i] = ' ';
    }
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The end of a command's arguments: the line's end, or the next backslash outside quotes. */
static size_t
meta_end(const struct blank *b, size_t pos)
{
    char quote = 0;

    for (; pos < b->n && b->p[pos] != '\n'; pos++) {
        char c = b->p[pos];
        if (quote == '\'' && c == '\\' && pos + 1 < b->n && b->p[pos + 1] != '\n')
            pos++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"' || c == '`')
            quote = c;
        else if (c == '\\')
            break;
    }
    return pos;
}

static struct str
first_word(const struct blank *b, size_t from, size_t to)
{
    struct str s = str_trim((struct str){ b->p + from, to - from });
    size_t n = 0;

    while (n < s.n && !is_space(s.p[n]))
        n++;
    s.n = n;
    return s;
}

static int
meta_refuse(const struct blank *b, size_t pos, struct str name, const char *why)
{
    return err_set(b->err, -EINVAL, "%s:%d: \\%.*s %s", b->path,
        hist_line_of(b->p, pos), (int)(name.n < 32 ? name.n : 32), name.p, why);
}

static int
meta_judge(struct blank *b, size_t pos, struct str name, struct str arg)
{
    switch (meta_find(name)) {
    case META_BLANK:
        return 0;
    case META_SET:
        if (b->n_variables == MAX_VARIABLES || arg.n >= MAX_VARIABLE)
            return meta_refuse(b, pos, name,
                "sets too many variables or one with a long name; write the values");
        if (arg.n > 0)
            memcpy(b->variables[b->n_variables++], arg.p, arg.n);
        return 0;
    case META_ENCODING:
        if (arg.n == 0 || str_ieqz(arg, "utf8") || str_ieqz(arg, "utf-8"))
            return 0;
        return meta_refuse(
            b, pos, name, "changes the encoding; migration files are read as UTF-8");
    case META_INCLUDE:
        return meta_refuse(
            b, pos, name, "runs another file; put its statements into this one");
    case META_SEND:
        return meta_refuse(b, pos, name,
            "sends what the gate can't foresee; end the statement with ; and write its "
            "results out");
    case META_BRANCH:
        return meta_refuse(b, pos, name,
            "makes what runs depend on psql variables; write the statements "
            "unconditionally");
    case META_COPY:
        return meta_refuse(b, pos, name,
            "reads a file of the client; use COPY ... FROM STDIN with data");
    case META_OTHER:
        break;
    }
    return meta_refuse(b, pos, name, "can't be part of a migration; remove it");
}

/* Blanks the command at *pos and leaves *pos behind it. */
static int
meta_command(struct blank *b, size_t *pos)
{
    size_t start = *pos, i = start + 1;

    if (i < b->n && (b->p[i] == ';' || b->p[i] == ':')) { /* \; only joins messages */
        b->p[start] = ' ';
        *pos = i;
        return 0;
    }
    while (i < b->n && b->p[i] != '\n' && b->p[i] != '\\' && !is_space(b->p[i]))
        i++;
    struct str name = { b->p + start + 1, i - start - 1 };
    size_t end = meta_end(b, i);
    int r = meta_judge(b, start, name, first_word(b, i, end));
    if (r)
        return r;
    blank_range(b, start, end);
    *pos = end;
    return 0;
}

/* --- the pass over a file -------------------------------------------------------------- */

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

/* psql puts variables in where :name, :'name' or :"name" stands. */
static int
check_variable(const struct blank *b, const struct sql_token *tok)
{
    if (b->n_variables == 0 || b->prev.len != 1 || b->p[b->prev.start] != ':'
        || b->prev.start + 1 != tok->start)
        return 0;
    struct str name = { b->p + tok->start, tok->len };
    if (tok->kind == SQL_T_STRING || tok->kind == SQL_T_QUOTED)
        name = (struct str){ name.p + 1, name.n - 2 };
    for (size_t i = 0; i < b->n_variables; i++) {
        if (str_eqz(name, b->variables[i]))
            return err_set(b->err, -EINVAL,
                "%s:%d: :%.*s is a psql variable, whose value the gate can't know; write "
                "the value",
                b->path, hist_line_of(b->p, tok->start),
                (int)(name.n < 64 ? name.n : 64), name.p);
    }
    return 0;
}

static int
on_token(struct blank *b, const struct sql_token *tok)
{
    struct str s = { b->p + tok->start, tok->len };
    int r = 0;

    if (b->psql)
        r = check_variable(b, tok);
    if (tok->kind == SQL_T_WORD) {
        if (b->n_words++ == 0)
            b->is_copy = str_ieqz(s, "copy");
        else if (b->is_copy && b->depth == 0 && b->saw_from)
            b->saw_stdin = b->saw_stdin || str_ieqz(s, "stdin");
        else if (b->is_copy && b->depth == 0)
            b->saw_from = str_ieqz(s, "from");
    } else if (tok->len == 1 && s.p[0] == ';') {
        if (!r && b->is_copy && b->saw_stdin)
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
    b->prev = *tok;
    return r;
}

int
hist_text_blank(const char *path, char *p, size_t n, bool psql, struct err *err)
{
    struct blank b = { .path = path, .p = p, .n = n, .psql = psql, .err = err };
    struct sql_lexer lx;
    struct sql_token tok;
    int r = 0;

    sql_lex_init(&lx, p, n, true);
    /* A broken text ends it, too; the scan refuses that. */
    while (!r && sql_lex_next(&lx, &tok) == 0) {
        if (!psql || tok.kind != SQL_T_PUNCT || p[tok.start] != '\\') {
            r = on_token(&b, &tok);
            continue;
        }
        size_t pos = tok.start;
        r = meta_command(&b, &pos);
        sql_lex_init(&lx, p, n, true);
        lx.pos = pos;
    }
    return r;
}
