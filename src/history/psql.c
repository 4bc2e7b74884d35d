// SPDX-License-Identifier: ISC
/* See psql.h. One pass over each file with the gate's lexer; everything that isn't a command
 * or a variable is copied as it stands. */
#include "base/fs.h"
#include "history/psql_pass.h"
#include "history/source.h"
#include "sql/lex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
psql_line_of(struct psql_pass *b, size_t pos)
{
    if (pos < b->line_at) {
        b->line_at = 0;
        b->line = 1;
    }
    for (; b->line_at < pos; b->line_at++)
        b->line += b->p[b->line_at] == '\n';
    return b->line;
}

int
psql_fault(struct psql_pass *b, size_t pos, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(
        b->run->err, -EINVAL, "%s:%d: %s", b->path, psql_line_of(b, pos), text);
}

/* ---- the output ---- */

int
psql_put(struct psql_pass *b, const char *p, size_t n)
{
    if (buf_add(&b->run->out, p, n) != 0)
        return err_set(b->run->err, -EFBIG,
            "%s: larger than %zu bytes with the files it runs and its variables filled in",
            b->path, b->run->conf->max_bytes);
    return 0;
}

void
psql_piece(struct psql_pass *b, int line, bool is_value)
{
    struct psql_run *r = b->run;

    MEM_GROW(r->pieces, r->n_pieces, r->cap_pieces);
    r->pieces[r->n_pieces++] = (struct hist_piece){
        .at = buf_len(&r->out), .file = b->file, .line = line, .is_value = is_value
    };
}

int
psql_copy_up_to(struct psql_pass *b, size_t pos)
{
    int r = psql_put(b, b->p + b->copied, pos - b->copied);
    b->copied = pos;
    return r;
}

/* The bytes up to `to` come out as blanks, line ends kept. */
static int
blank_up_to(struct psql_pass *b, size_t to)
{
    int r = 0;

    for (; !r && b->copied < to; b->copied++) {
        char c = b->p[b->copied];
        r = psql_put(b, c == '\n' || c == '\r' ? &c : " ", 1);
    }
    return r;
}

/* Something else stands in the place of the bytes up to `to`. */
int
psql_replace_up_to(struct psql_pass *b, size_t to, const char *text, size_t n)
{
    b->run->is_other = true;
    psql_piece(b, psql_line_of(b, b->copied), true);
    int r = psql_put(b, text, n);
    b->copied = to;
    psql_piece(b, psql_line_of(b, to), false);
    return r;
}

/* ---- \copy ---- */

/* \copy T FROM 'file' is sent as COPY T FROM STDIN. *end is left behind the command. */
static int
command_copy(struct psql_pass *b, size_t pos, size_t from, size_t *end)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(b->run->conf->max_bytes + 64);
    const char *nl = memchr(b->p + from, '\n', b->n - from);
    size_t to = nl ? (size_t)(nl - b->p) : b->n, depth = 0, at = 0;
    bool is_from = false, is_inline = false;
    struct sql_lexer lx;
    struct sql_token tok;
    int r;

    if (b->n_words)
        return psql_fault(
            b, pos, "\\copy stands inside a statement; end that with ; before it");
    sql_lex_init(&lx, b->p + from, to - from, true);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        struct str s = { b->p + from + tok.start, tok.len };
        depth += str_eqz(s, "(");
        depth -= depth && str_eqz(s, ")");
        is_from = str_ieqz(s, "from");
        if (depth == 0 && tok.kind == SQL_T_WORD && (is_from || str_ieqz(s, "to")))
            break;
    }
    at = tok.start + tok.len;
    if (!r)
        r = sql_lex_next(&lx, &tok);
    struct str where = { b->p + from + tok.start, tok.len };
    if (!r && str_ieqz(where, "program"))
        r = sql_lex_next(&lx, &tok);
    if (r)
        return psql_fault(b, pos,
            "\\copy can't be read; write it as \\copy TABLE FROM 'file' in one line");
    is_inline = is_from && str_ieqz(where, "stdin");
    if (tok.kind != SQL_T_STRING) { /* a name without quotes ends at a blank */
        size_t i = from + tok.start;
        while (i < to && !psql_is_space(b->p[i]))
            i++;
        lx.pos = i - from;
    }
    buf_puts(&out, "COPY");
    buf_put(&out, b->p + from, at);
    buf_puts(&out, is_from ? " STDIN" : " STDOUT");
    size_t rest = from + lx.pos;
    while (to > rest && (psql_is_space(b->p[to - 1]) || b->p[to - 1] == ';'))
        to--;
    buf_put(&out, b->p + rest, to - rest);
    buf_puts(&out, ";");
    *end = nl ? (size_t)(nl - b->p) : b->n;
    r = psql_replace_up_to(b, *end, buf_cstr(&out), buf_len(&out));
    b->saw_stdin = is_inline; /* its data stand in the file */
    return r;
}

/* ---- commands ---- */

enum meta_kind {
    META_BLANK, /* nothing of it reaches the server, or only harmless queries */
    META_SET,
    META_UNSET,
    META_ENCODING, /* fine as long as it says UTF8 */
    META_INCLUDE,
    META_SEND, /* sends the statement before it, or its results */
    META_BRANCH,
    META_COPY,
    META_CONNECT,
    META_OTHER,
};

static const struct {
    const char *name;
    enum meta_kind kind;
} metas[] = {
    { "set", META_SET },
    { "unset", META_UNSET },
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
    { "c", META_CONNECT },
    { "connect", META_CONNECT },
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

static int
meta_refuse(struct psql_pass *b, size_t pos, struct str name, const char *why)
{
    return psql_fault(
        b, pos, "\\%.*s %s", (int)(name.n < 32 ? name.n : 32), name.p, why);
}

static int
command_encoding(
    struct psql_pass *b, size_t pos, struct str name, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf arg = BUF_INIT(PSQL_MAX_VALUE);
    bool is_open = false;

    if (psql_next_arg(b, &from, end, &arg, &is_open) != 0)
        return 0;
    struct str s = { buf_cstr(&arg), buf_len(&arg) };
    if (!is_open && (str_ieqz(s, "utf8") || str_ieqz(s, "utf-8")))
        return 0;
    return meta_refuse(
        b, pos, name, "changes the encoding; migration files are read as UTF-8");
}

static int
run_command(struct psql_pass *b, size_t pos, struct str name, size_t from, size_t *end)
{
    char word[33] = "";

    memcpy(word, name.p, name.n < 32 ? name.n : 32);
    switch (meta_find(name)) {
    case META_BLANK:
        return 0;
    case META_SET:
        return psql_set(b, pos, from, *end);
    case META_UNSET:
        return psql_unset(b, from, *end);
    case META_ENCODING:
        return command_encoding(b, pos, name, from, *end);
    case META_INCLUDE:
        return psql_include(b, pos, word, from, *end);
    case META_COPY:
        return command_copy(b, pos, from, end);
    case META_SEND:
        return meta_refuse(b, pos, name,
            "sends what the gate can't foresee; end the statement with ; and write its "
            "results out");
    case META_BRANCH:
        return meta_refuse(b, pos, name,
            "makes what runs depend on psql variables; write the statements "
            "unconditionally");
    case META_CONNECT:
        return meta_refuse(b, pos, name,
            "goes to another database or user; one migration is one database's");
    case META_OTHER:
        break;
    }
    return meta_refuse(b, pos, name, "can't be part of a migration; remove it");
}

/* The command at *pos; *pos is left behind it. */
static int
on_backslash(struct psql_pass *b, size_t *pos)
{
    size_t start = *pos, i = start + 1;
    int r = psql_copy_up_to(b, start);

    if (!r && i < b->n && (b->p[i] == ';' || b->p[i] == ':')) { /* \; joins messages */
        *pos = i;
        return blank_up_to(b, i);
    }
    while (i < b->n && b->p[i] != '\n' && b->p[i] != '\\' && !psql_is_space(b->p[i]))
        i++;
    struct str name = { b->p + start + 1, i - start - 1 };
    size_t end = psql_args_end(b, i);
    if (!r)
        r = run_command(b, start, name, i, &end);
    if (!r)
        r = blank_up_to(b, end);
    *pos = end;
    return r;
}

/* ---- the pass over a file ---- */

/* Blanks the data lines that begin after the line of pos, up to the line `\.`. */
static int
copy_data(struct psql_pass *b, size_t pos, size_t *end)
{
    const char *nl = memchr(b->p + pos, '\n', b->n - pos);
    size_t at = nl ? (size_t)(nl - b->p) + 1 : b->n;
    int r = psql_copy_up_to(b, at);

    while (!r && at < b->n) {
        nl = memchr(b->p + at, '\n', b->n - at);
        size_t stop = nl ? (size_t)(nl - b->p) : b->n;
        struct str line = { b->p + at, stop - at };
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (str_eqz(line, "\\.")) {
            *end = stop;
            return blank_up_to(b, stop);
        }
        at = stop + 1;
    }
    return r ? r
             : psql_fault(
                 b, pos, "COPY ... FROM STDIN whose data don't end; add a line \\.");
}

static void
on_word(struct psql_pass *b, struct str s)
{
    if (b->n_words++ == 0)
        b->is_copy = str_ieqz(s, "copy");
    else if (b->is_copy && b->depth == 0 && b->saw_from)
        b->saw_stdin = b->saw_stdin || str_ieqz(s, "stdin");
    else if (b->is_copy && b->depth == 0)
        b->saw_from = str_ieqz(s, "from");
}

static void
on_sign(struct psql_pass *b, struct str s)
{
    b->n_words++;
    if (str_eqz(s, "("))
        b->depth++;
    else if (str_eqz(s, ")") && b->depth > 0)
        b->depth--;
    else if (str_eqz(s, "["))
        b->n_brackets++;
    else if (str_eqz(s, "]") && b->n_brackets > 0)
        b->n_brackets--;
}

static void
statement_ends(struct psql_pass *b)
{
    b->n_words = b->depth = b->n_brackets = 0;
    b->is_copy = b->saw_from = b->saw_stdin = false;
}

/* pos: behind the token, or where reading goes on. */
static int
on_token(struct psql_pass *b, const struct sql_token *tok, size_t *pos)
{
    struct str s = { b->p + tok->start, tok->len };
    int r = 0;

    if (tok->kind == SQL_T_WORD) {
        on_word(b, s);
    } else if (tok->kind == SQL_T_PUNCT && str_eqz(s, "\\")) {
        *pos = tok->start;
        r = on_backslash(b, pos);
        if (!r && !b->n_words && b->saw_stdin) /* of a \copy */
            r = copy_data(b, *pos, pos);
        if (!b->n_words)
            b->saw_stdin = false;
    } else if (tok->kind == SQL_T_PUNCT && str_eqz(s, ":")) {
        *pos = tok->start;
        r = psql_on_colon(b, pos);
    } else if (str_eqz(s, ";")) {
        if (b->is_copy && b->saw_stdin)
            r = copy_data(b, tok->start, pos);
        statement_ends(b);
    } else {
        on_sign(b, s);
    }
    return r;
}

static int
read_pass(struct psql_pass *b)
{
    struct sql_lexer lx;
    struct sql_token tok;
    int r = 0, e;

    sql_lex_init(&lx, b->p, b->n, true);
    while (!r && (e = sql_lex_next(&lx, &tok)) == 0) {
        size_t pos = tok.start + tok.len;
        r = on_token(b, &tok, &pos);
        if (pos != tok.start + tok.len) {
            sql_lex_init(&lx, b->p, b->n, true);
            lx.pos = pos;
        }
    }
    /* Of a file that another one runs nobody else would find where it began. */
    if (!r && e == SQL_LEX_E_BROKEN && b->file)
        r = psql_fault(b, lx.pos, "a quote or comment that doesn't end");
    return r ? r : psql_copy_up_to(b, b->n);
}

int
psql_run_file(struct psql_run *r, const char *path, size_t file, const char *p,
    size_t n, const struct stat *st)
{
    struct psql_pass b = {
        .run = r, .path = path, .p = p, .n = n, .file = file, .line = 1
    };

    r->stack[r->depth++] = (struct psql_running){ st->st_dev, st->st_ino, path };
    psql_piece(&b, 1, false);
    int e = read_pass(&b);
    r->depth--;
    return e;
}

/* ---- the file itself ---- */

/* Most files hold nothing for psql: no backslash, and no colon but in casts. */
static bool
is_plain(const char *p, size_t n)
{
    if (memchr(p, '\\', n))
        return false;
    for (const char *c = p; (c = memchr(c, ':', (size_t)(p + n - c))); c++) {
        size_t i = (size_t)(c - p);
        if (i + 1 < n && c[1] == ':')
            c++;
        else if (i + 1 < n
            && (psql_is_name_byte(c[1]) || c[1] == '\'' || c[1] == '"' || c[1] == '{'))
            return false;
    }
    return true;
}

static void
run_deinit_p(struct psql_run *r)
{
    buf_deinit(&r->out);
    mem_free(r->files);
    mem_free(r->pieces);
    map_free(r->variables);
    free(r->real_folder);
}

static struct hist_sent *
sent_new(struct psql_run *r)
{
    struct arena *a = r->conf->arena;
    struct hist_sent *s = arena_alloc(a, sizeof(*s));

    *s = (struct hist_sent){
        .text = arena_strndup(a, buf_cstr(&r->out), buf_len(&r->out)),
        .len = buf_len(&r->out),
        .files = arena_alloc(a, r->n_files * sizeof(*s->files)),
        .n_files = r->n_files,
        .pieces = arena_alloc(a, r->n_pieces * sizeof(*s->pieces)),
        .n_pieces = r->n_pieces,
    };
    memcpy(s->files, r->files, r->n_files * sizeof(*s->files));
    memcpy(s->pieces, r->pieces, r->n_pieces * sizeof(*s->pieces));
    return s;
}

int
hist_psql_read(const struct hist_psql *conf, const char *path, char *p, size_t n,
    struct hist_sent **out, struct err *err)
{
    struct stat st = { 0 };
    struct err why = { "" };
    AUTO(run_deinit)
    struct psql_run r = { .conf = conf,
        .out = BUF_INIT(conf->max_bytes),
        .variables = map_new(psql_variable_free),
        .err = &why };

    if (is_plain(p, n))
        return hist_text_blank(path, p, n, err);
    for (size_t i = 0; i < conf->n_variables; i++)
        psql_variable_set(
            &r, str_of(conf->variables[2 * i]), conf->variables[2 * i + 1]);
    MEM_GROW(r.files, r.n_files, r.cap_files);
    r.files[r.n_files++] = arena_strdup(conf->arena, path);
    if (stat(path, &st) != 0) /* a text from elsewhere: nothing can run it again */
        st = (struct stat){ .st_ino = 0 };
    int e = psql_run_file(&r, r.files[0], 0, p, n, &st);
    if (e && err)
        *err = why;
    if (e)
        return e;
    if (r.is_other) {
        *out = sent_new(&r);
        return 0;
    }
    DG_ASSERT(buf_len(&r.out) == n, "blanking keeps the length");
    memcpy(p, buf_cstr(&r.out), n);
    return 0;
}

/* The piece that holds a byte. */
static size_t
find_piece(const struct hist_sent *s, size_t pos)
{
    size_t low = 0, high = s->n_pieces;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (s->pieces[mid].at <= pos)
            low = mid;
        else
            high = mid;
    }
    return low;
}

const char *
hist_sent_file(const struct hist_sent *s, size_t pos)
{
    return s->files[s->pieces[find_piece(s, pos)].file];
}

static int
count_lines(
    const struct hist_sent *s, const struct hist_piece *x, size_t from, size_t to)
{
    int n = 0;

    for (size_t i = from; !x->is_value && i < to && i < s->len; i++)
        n += s->text[i] == '\n';
    return n;
}

void
hist_sent_place(const struct hist_sent *s, int text_line, const char **file, int *line)
{
    size_t pos = 0;

    for (const char *nl; text_line > 1; text_line--) {
        nl = memchr(s->text + pos, '\n', s->len - pos);
        if (!nl)
            break;
        pos = (size_t)(nl - s->text) + 1;
    }
    const struct hist_piece *x = &s->pieces[find_piece(s, pos)];
    *file = s->files[x->file];
    *line = x->line + count_lines(s, x, x->at, pos);
}

void
hist_sent_lines(const struct hist_sent *s, struct sql_scan *scan)
{
    size_t k = 0, from = 0;
    int line = s->pieces[0].line;

    for (size_t i = 0; i < scan->n; i++) {
        struct sql_stmt *stmt = &scan->stmts[i];
        while (k + 1 < s->n_pieces && s->pieces[k + 1].at <= stmt->start) {
            from = s->pieces[++k].at;
            line = s->pieces[k].line;
        }
        line += count_lines(s, &s->pieces[k], from, stmt->start);
        from = stmt->start;
        stmt->line = line;
    }
}
