// SPDX-License-Identifier: ISC
/* Exceptions in comments and the baseline; see allows.h. */
#include "policy/allows.h"

#include "base/fs.h"
#include "sql/lex.h"

#include <errno.h>
#include <string.h>

#define MAX_ALLOWS         1000 /* of one file; the rest has no effect */
#define MAX_BASELINE_BYTES ((size_t)16 << 20)

/* ---- comments ---- */

/* The next line comment in [*at, end), which holds no token. False if there is none. */
static bool
next_comment(const char *text, size_t *at, size_t end, struct str *out)
{
    size_t depth = 0;

    for (size_t i = *at; i + 1 < end; i++) {
        if (text[i] == '/' && text[i + 1] == '*') {
            depth++;
            i++;
        } else if (depth && text[i] == '*' && text[i + 1] == '/') {
            depth--;
            i++;
        } else if (!depth && text[i] == '-' && text[i + 1] == '-') {
            size_t from = i + 2;
            while (i < end && text[i] != '\n')
                i++;
            *at = i;
            *out = (struct str){ text + from, i - from };
            return true;
        }
    }
    *at = end;
    return false;
}

static struct str
take_word(struct str *s)
{
    struct str trimmed = str_trim(*s), word = { trimmed.p, 0 };

    while (word.n < trimmed.n && word.p[word.n] != ' ' && word.p[word.n] != '\t')
        word.n++;
    *s = str_trim((struct str){ trimmed.p + word.n, trimmed.n - word.n });
    return word;
}

/* ddlgate: allow[-file] RULE reason */
static bool
parse(struct arena *a, struct str comment, struct pol_allow *out)
{
    struct str rest = comment, word = take_word(&rest);

    if (!str_eqz(word, "ddlgate:"))
        return false;
    word = take_word(&rest);
    out->is_file = str_eqz(word, "allow-file");
    if (!out->is_file && !str_eqz(word, "allow"))
        return false;
    word = take_word(&rest);
    out->rule = arena_strndup(a, word.p, word.n);
    out->is_known = pol_check_find(word, &out->check);
    out->reason = rest.n ? arena_strndup(a, rest.p, rest.n) : NULL;
    return true;
}

/* The statement that a comment at pos speaks of: the one that ends before it on its line,
 * else the one around or after it. */
static size_t
stmt_of(const struct pol_text *t, size_t pos, size_t *hint)
{
    const struct sql_scan *scan = t->scan;
    size_t i = *hint;

    while (i < scan->n && scan->stmts[i].start + scan->stmts[i].len <= pos)
        i++;
    *hint = i > 0 ? i - 1 : 0;
    if (i > 0) {
        size_t end = scan->stmts[i - 1].start + scan->stmts[i - 1].len;
        if (!memchr(t->text + end, '\n', pos - end))
            return i - 1;
    }
    return i < scan->n || i == 0 ? i : i - 1;
}

static void
read_gap(struct arena *a, const struct pol_text *t, size_t from, size_t to,
    struct pol_allows *l, size_t *hint)
{
    struct str comment;

    while (l->n < MAX_ALLOWS && next_comment(t->text, &from, to, &comment)) {
        struct pol_allow one = { .pos = (int)(comment.p - t->text - 2) };
        if (!parse(a, comment, &one))
            continue;
        one.stmt = stmt_of(t, (size_t)one.pos, hint);
        if ((l->n & (l->n - 1)) == 0) { /* full at each power of two */
            struct pol_allow *more = arena_alloc(
                a, (l->n ? 2 * l->n : 1) * sizeof(*more));
            if (l->n)
                memcpy(more, l->items, l->n * sizeof(*more));
            l->items = more;
        }
        l->items[l->n++] = one;
    }
}

struct pol_allows *
pol_allows_read(struct arena *a, const struct pol_text *t)
{
    struct pol_allows *l = arena_alloc(a, sizeof(*l));
    struct sql_lexer lx;
    struct sql_token tok;
    size_t at = 0, hint = 0;

    if (!memmem(t->text, t->len, "ddlgate:", strlen("ddlgate:")))
        return l;
    sql_lex_init(&lx, t->text, t->len, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        if (tok.start > at)
            read_gap(a, t, at, tok.start, l, &hint);
        at = tok.start + tok.len;
    }
    read_gap(a, t, at, t->len, l, &hint);
    return l;
}

const struct pol_allow *
pol_allows_find(struct pol_allows *l, enum pol_check check, size_t stmt)
{
    for (size_t i = 0; i < l->n; i++) {
        struct pol_allow *x = &l->items[i];
        if (!x->is_known || x->check != check || (!x->is_file && x->stmt != stmt))
            continue;
        x->is_used = true;
        return x;
    }
    return NULL;
}

/* ---- baseline ---- */

const char *
pol_baseline_line(
    struct arena *a, const struct pol_text *t, const struct pol_finding *f)
{
    const struct sql_facts *fact = &t->tree->facts[f->fact];
    const struct sql_stmt *s = fact->stmt < t->scan->n ? &t->scan->stmts[fact->stmt]
                                                       : NULL;
    char hex[17] = "0000000000000000", object[256] = "-";

    for (size_t i = 0; s && i < 8; i++) {
        static const char digits[] = "0123456789abcdef";
        hex[2 * i] = digits[s->digest.bytes[i] >> 4];
        hex[2 * i + 1] = digits[s->digest.bytes[i] & 15];
    }
    if (f->object)
        sql_object_name(f->object, object, sizeof(object));
    for (char *p = object; *p; p++) {
        if ((unsigned char)*p <= ' ')
            *p = '_';
    }
    return arena_printf(a, "%s %s %s%s%s", f->rule, hex, *object ? object : "-",
        f->column ? "." : "", f->column ? f->column : "");
}

static int
baseline_line(
    struct map *m, struct str line, const char *path, int number, struct err *err)
{
    struct str rest = line, words[3];
    enum pol_check check;
    AUTO(arena_free) struct arena *a = arena_new();

    line = str_trim(line);
    if (!line.n || *line.p == '#')
        return 0;
    for (size_t i = 0; i < 3; i++) {
        words[i] = take_word(&rest);
        if (!words[i].n)
            return err_set(err, -EINVAL,
                "%s:%d: a line of a baseline is: rule, digest, object; make the file with "
                "`ddlgate check --format baseline`",
                path, number);
    }
    if (!pol_check_find(words[0], &check))
        return err_set(err, -EINVAL, "%s:%d: \"%.*s\" is no check", path, number,
            (int)words[0].n, words[0].p);
    const char *key = arena_printf(a, "%.*s %.*s %.*s", (int)words[0].n, words[0].p,
        (int)words[1].n, words[1].p, (int)words[2].n, words[2].p);
    map_set(m, str_of(key), m);
    return 0;
}

int
pol_baseline_load(const char *path, struct map **out, struct err *err)
{
    AUTO(mem_free) char *text = NULL;
    AUTO(map_free) struct map *m = map_new(NULL);
    size_t len;
    int line = 1;
    int ret = fs_read(path, MAX_BASELINE_BYTES, &text, &len, err);

    for (size_t at = 0; !ret && at < len; line++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;
        ret = baseline_line(m, (struct str){ text + at, n }, path, line, err);
        at += n + 1;
    }
    if (ret)
        return ret;
    *out = m;
    m = NULL;
    return 0;
}
