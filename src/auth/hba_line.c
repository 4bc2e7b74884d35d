// SPDX-License-Identifier: ISC
/* Lines, fields and tokens; see hba_line.h. Where a quote has no end, PostgreSQL takes the
 * rest of the line; here it is an error, as it is never meant. */
#include "auth/hba_line.h"

#include "base/buf.h"

#include <errno.h>
#include <string.h>

#define MAX_LINE ((size_t)64 << 10) /* bytes, lines that are joined together */

struct cutter {
    struct hba_reader *reader;
    struct arena *arena;
    struct err *err;
    int line;
    struct str rest;
    struct buf token;
};

#define FAULT(path, line, err, ...) err_set((err), -EINVAL, "%s:%d: " __VA_ARGS__)

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Joins lines while they end with a backslash. One that was left by joining does not join
 * again, as in PostgreSQL. Returns 0, HBA_END, -EINVAL. */
static int
join_lines(struct hba_reader *r, struct buf *out, struct err *err)
{
    size_t joined = 0;

    if (r->rest.n == 0)
        return HBA_END;
    for (struct str line; str_next_line(&r->rest, &line);) {
        r->line++;
        while (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        for (size_t i = 0; i < line.n; i++)
            if ((unsigned char)line.p[i] < 0x20 && !is_blank(line.p[i]))
                return FAULT(r->path, r->line, err,
                    "a control character (code %d) stands in the line", r->path,
                    r->line, line.p[i]);
        if (buf_add(out, line.p, line.n) != 0)
            return FAULT(r->path, r->line, err, "the line is longer than %zu bytes",
                r->path, r->line, MAX_LINE);
        size_t len = buf_len(out);
        if (len <= joined || buf_ptr(out)[len - 1] != '\\')
            break;
        out->tail--;
        joined = len - 1;
    }
    return 0;
}

/* 0; HBA_END at the end of the line or at a comment; -EINVAL. */
static int
take_token(struct cutter *c, struct hba_token *out, bool *has_comma)
{
    bool in_quote = false, was_quote = false, saw_quote = false, is_quoted = false;
    struct str s = c->rest;

    buf_reset(&c->token);
    *has_comma = false;
    while (s.n && (is_blank(*s.p) || *s.p == ','))
        s = (struct str){ s.p + 1, s.n - 1 };
    for (; s.n && (in_quote || !is_blank(*s.p)); s = (struct str){ s.p + 1, s.n - 1 }) {
        char ch = *s.p;
        if (ch == '#' && !in_quote) {
            s.n = 0;
            break;
        }
        if (ch == ',' && !in_quote) {
            *has_comma = true;
            break;
        }
        /* The second of two quotes within quotes is one of the text. */
        if (ch != '"' || was_quote)
            buf_put(&c->token, &ch, 1);
        was_quote = in_quote && ch == '"' && !was_quote;
        if (ch == '"') {
            in_quote = !in_quote;
            saw_quote = true;
            is_quoted |= buf_len(&c->token) == 0;
        }
    }
    c->rest = s;
    if (in_quote)
        return FAULT(c->reader->path, c->line, c->err, "a double quote is not closed",
            c->reader->path, c->line);
    if (!saw_quote && buf_len(&c->token) == 0)
        return HBA_END;
    *out = (struct hba_token){
        .text = arena_strndup(c->arena, buf_cstr(&c->token), buf_len(&c->token)),
        .is_quoted = is_quoted,
    };
    return 0;
}

/* Tokens while commas stand behind them: "a, b" is one field, "a ,b" are two. */
static int
take_field(struct cutter *c, struct hba_field *out)
{
    struct hba_token *tokens = NULL;
    size_t n = 0, cap = 0;
    bool has_comma;
    int r;

    do {
        MEM_GROW(tokens, n, cap);
        r = take_token(c, &tokens[n], &has_comma);
        n += r == 0;
    } while (r == 0 && has_comma);
    if (n && r >= 0) {
        out->n = n;
        out->tokens = arena_alloc(c->arena, n * sizeof(*tokens));
        memcpy(out->tokens, tokens, n * sizeof(*tokens));
    }
    mem_free(tokens);
    return r < 0 ? r : n ? 0 : HBA_END;
}

static int
check_includes(const struct cutter *c, const struct hba_field *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (!f->tokens[i].is_quoted && f->tokens[i].text[0] == '@'
            && f->tokens[i].text[1])
            return FAULT(c->reader->path, c->line, c->err,
                "the gate reads no further files, and %s would be one; write its names "
                "here, with commas between",
                c->reader->path, c->line, f->tokens[i].text);
    return 0;
}

static int
cut_line(struct cutter *c, struct hba_line *out)
{
    struct hba_field *fields = NULL;
    size_t n = 0, cap = 0;
    int r;

    do {
        MEM_GROW(fields, n, cap);
        r = take_field(c, &fields[n]);
        if (!r)
            r = check_includes(c, &fields[n]);
        n += r == 0;
    } while (r == 0);
    *out = (struct hba_line){ .line = c->line, .n = n };
    if (n) {
        out->fields = arena_alloc(c->arena, n * sizeof(*fields));
        memcpy(out->fields, fields, n * sizeof(*fields));
    }
    mem_free(fields);
    return r < 0 ? r : 0;
}

int
hba_next_line(
    struct hba_reader *r, struct arena *arena, struct hba_line *out, struct err *err)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MAX_LINE);
    struct cutter c = { .reader = r, .arena = arena, .err = err };
    int ret;

    buf_init(&c.token, MAX_LINE);
    do {
        c.line = r->line + 1;
        buf_reset(&text);
        ret = join_lines(r, &text, err);
        if (ret)
            break;
        c.rest = (struct str){ buf_cstr(&text), buf_len(&text) };
        ret = cut_line(&c, out);
    } while (!ret && out->n == 0);
    buf_deinit(&c.token);
    return ret;
}

bool
hba_is_keyword(const struct hba_token *t, const char *word)
{
    return !t->is_quoted && strcmp(t->text, word) == 0;
}
