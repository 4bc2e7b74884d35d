// SPDX-License-Identifier: ISC
/* goose: between `-- +goose ENVSUB ON` and `-- +goose ENVSUB OFF` variables are put in, line
 * by line, in the syntax of its library "interpolate":
 *
 *   $NAME ${NAME}               the value
 *   ${NAME:-text} ${NAME-text}  the text if the value is empty or missing, if it is missing
 *   ${NAME?text}                an error if it is missing
 *   ${NAME:from} ${NAME:from:n} a part of the value, counted in bytes
 *   \$ $$                       a dollar sign; `$(` and `\\` stay
 *
 * The text of a default is read in the same way. Values are those of placeholder.NAME,
 * since the gate's own environment is not that of the tool; one that is missing is an error
 * here, while goose would put in nothing. Comments before a statement are left alone, and a
 * line that only is a marker is not sent, even out of a function's body. */
#include "history/source.h"

#include <errno.h>
#include <string.h>

#define MAX_NESTED 32

struct envsub {
    const struct hist_conf *conf;
    const struct hist_migration *m;
    struct err *err;
    struct buf *out;
    const char *p, *end; /* the rest of the line */
    int line, depth;
};

/* --- a line ----------------------------------------------------------------------------- */

static int
fault(const struct envsub *e, const char *what)
{
    return err_set(e->err, -EINVAL,
        "%s:%d: under ENVSUB ON %s; write $$ for a dollar sign, or ENVSUB OFF above the line",
        e->m->path, e->line, what);
}

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

static bool
is_name_part(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool
starts(const struct envsub *e, const char *with)
{
    return (size_t)(e->end - e->p) >= strlen(with)
        && memcmp(e->p, with, strlen(with)) == 0;
}

static int
read_name(struct envsub *e, struct str *name)
{
    const char *from = e->p;

    if (e->p == e->end || !is_name_start(*e->p))
        return fault(e, "a $ is not followed by the name of a variable");
    while (e->p < e->end && is_name_part(*e->p))
        e->p++;
    *name = (struct str){ from, (size_t)(e->p - from) };
    return 0;
}

/* Names of variables mind case. NULL: missing. */
static const char *
find_value(const struct envsub *e, struct str name)
{
    for (size_t i = 0; i < e->conf->n_placeholders; i++) {
        if (str_eqz(name, e->conf->placeholders[2 * i]))
            return e->conf->placeholders[2 * i + 1];
    }
    return NULL;
}

static int
missing(const struct envsub *e, struct str name)
{
    int n = name.n < 100 ? (int)name.n : 100;

    return err_set(e->err, -EINVAL,
        "%s:%d: variable %.*s has no value here; set placeholder.%.*s in the [migrations] "
        "section",
        e->m->path, e->line, n, name.p, n, name.p);
}

static int
put(struct envsub *e, bool is_wanted, const char *p, size_t n)
{
    return is_wanted && buf_add(e->out, p, n) ? -EFBIG : 0;
}

static int put_text(struct envsub *e, bool is_wanted, bool in_brace);

/* A number up to `:` or `}`. */
static int
read_number(struct envsub *e, int64_t *out)
{
    const char *from = e->p;

    while (e->p < e->end && *e->p != '}' && *e->p != ':')
        e->p++;
    struct str s = str_trim((struct str){ from, (size_t)(e->p - from) });
    return str_int64(s, INT32_MIN, INT32_MAX, out)
        ? fault(e, "${NAME:from:length} needs numbers")
        : 0;
}

static int64_t
clamp(int64_t v, int64_t min, int64_t max)
{
    return v < min ? min : v > max ? max : v;
}

static int
put_part(struct envsub *e, bool is_wanted, struct str name)
{
    const char *value = find_value(e, name);
    int64_t size = value ? (int64_t)strlen(value) : 0, from, n = size;
    int r = read_number(e, &from);

    from = r ? 0 : clamp(from < 0 ? from + size : from, 0, size);
    if (!r && starts(e, ":")) {
        e->p++;
        r = read_number(e, &n);
        n = n < 0 ? n + size - from : n;
    }
    if (r || !is_wanted)
        return r;
    return value ? put(e, true, value + from, (size_t)clamp(n, 0, size - from))
                 : missing(e, name);
}

/* ${NAME, behind which an operation or the brace follows. */
static int
put_operation(struct envsub *e, bool is_wanted, struct str name)
{
    const char *value = find_value(e, name);
    bool may_be_missing = starts(e, ":-") || starts(e, "-");
    bool has_default = starts(e, ":-") ? !value || !*value : starts(e, "-") && !value;
    int r;

    if (starts(e, ":") && !may_be_missing) {
        e->p++;
        r = put_part(e, is_wanted, name);
    } else if (may_be_missing || starts(e, "?")) {
        e->p += starts(e, ":-") ? 2 : 1;
        r = is_wanted && !value && !may_be_missing
            ? missing(e, name)
            : put_text(e, is_wanted && has_default, true);
        if (!r && value && !has_default)
            r = put(e, is_wanted, value, strlen(value));
    } else if (starts(e, "}")) {
        r = is_wanted && !value ? missing(e, name)
                                : put(e, is_wanted, value, value ? strlen(value) : 0);
    } else {
        r = fault(e, "a name in ${ is followed by none of } : - ?");
    }
    if (r)
        return r;
    if (e->p == e->end || *e->p != '}')
        return fault(e, "a ${ has no } in the same line");
    e->p++;
    return 0;
}

static int
put_variable(struct envsub *e, bool is_wanted)
{
    struct str name;
    bool has_brace;

    e->p++; /* the dollar sign */
    has_brace = starts(e, "{");
    e->p += has_brace;
    int r = read_name(e, &name);
    if (r)
        return r;
    if (has_brace)
        return put_operation(e, is_wanted, name);
    const char *value = find_value(e, name);
    if (is_wanted && !value)
        return missing(e, name);
    return put(e, is_wanted, value, value ? strlen(value) : 0);
}

/* Up to the line's end, or to the brace that ends a default. */
static int
put_text(struct envsub *e, bool is_wanted, bool in_brace)
{
    int r = 0;

    if (++e->depth > MAX_NESTED)
        return fault(e, "variables stand in each other too deeply");
    while (!r && e->p < e->end && !(in_brace && *e->p == '}')) {
        size_t n = 1, skip = 0;
        if (starts(e, "\\\\") || starts(e, "$("))
            n = 2;
        else if (starts(e, "\\$") || starts(e, "$$"))
            skip = 1;
        else if (*e->p == '$' && e->end - e->p > 1) {
            r = put_variable(e, is_wanted);
            continue;
        }
        r = put(e, is_wanted, e->p + skip, n);
        e->p += n + skip;
    }
    e->depth--;
    return r;
}

/* --- markers ---------------------------------------------------------------------------- */

enum mark {
    MARK_NONE,
    MARK_ON,
    MARK_OFF,
    MARK_BEGIN,
    MARK_END,
    MARK_SECTION, /* Up or Down */
    MARK_OTHER,
};

static bool
is_comment(struct str line)
{
    struct str s = str_trim(line);

    return s.n >= 2 && s.p[0] == '-' && s.p[1] == '-';
}

/* What stands behind +goose, dashes aside. */
static int
read_mark(const struct envsub *e, struct str line, enum mark *out)
{
    const char *word = memmem(line.p, line.n, "+goose", 6);

    *out = MARK_NONE;
    if (!is_comment(line) || !word)
        return 0;
    struct str s = { word + 6, (size_t)(line.p + line.n - word) - 6 };
    s = str_trim(s);
    while (s.n >= 2 && memcmp(s.p + s.n - 2, "--", 2) == 0)
        s = str_trim((struct str){ s.p, s.n - 2 });
    *out = str_ieqz(s, "ENVSUB ON")                ? MARK_ON
        : str_ieqz(s, "ENVSUB OFF")                ? MARK_OFF
        : str_ieqz(s, "StatementBegin")            ? MARK_BEGIN
        : str_ieqz(s, "StatementEnd")              ? MARK_END
        : str_ieqz(s, "Up") || str_ieqz(s, "Down") ? MARK_SECTION
                                                   : MARK_OTHER;
    bool is_envsub = s.n >= 6 && str_ieqz((struct str){ s.p, 6 }, "ENVSUB");
    if (is_envsub && (*out == MARK_OTHER || line.p[0] != '-'))
        return err_set(e->err, -EINVAL,
            "%s:%d: goose reads `-- +goose ENVSUB ON` and `-- +goose ENVSUB OFF`, from the "
            "line's start, and fails at this line; write one of them",
            e->m->path, e->line);
    return 0;
}

/* Does a statement end here, as goose sees it? Words from a comment on don't count. */
static bool
ends_statement(const char *p, size_t n)
{
    char last = 0;

    for (size_t i = 0; i < n; i++) {
        bool is_space = str_trim((struct str){ p + i, 1 }).n == 0;
        bool is_start = i == 0 || str_trim((struct str){ p + i - 1, 1 }).n == 0;
        if (is_start && n - i >= 2 && p[i] == '-' && p[i + 1] == '-')
            break;
        if (!is_space)
            last = p[i];
    }
    return last == ';';
}

/* --- the file --------------------------------------------------------------------------- */

struct walk {
    struct envsub e;
    bool is_on, in_block, has_begun; /* has_begun: some of a statement was read */
    size_t owed; /* ends of lines that were left out; they follow the statement */
};

static int
put_line(struct walk *w, struct str line, enum mark mark)
{
    struct envsub *e = &w->e;
    size_t from = buf_len(e->out);
    bool is_sent = w->has_begun || !(is_comment(line) || line.n == 0);
    int r;

    e->p = line.p;
    e->end = line.p + line.n;
    e->depth = 0;
    r = w->is_on && is_sent && mark != MARK_END ? put_text(e, true, false)
                                                : put(e, true, line.p, line.n);
    w->has_begun = is_sent && mark != MARK_END
        && (w->in_block || r
            || !ends_statement(buf_ptr(e->out) + from, buf_len(e->out) - from));
    return r;
}

static int
walk_line(struct walk *w, struct str line)
{
    struct envsub *e = &w->e;
    enum mark mark;
    int r = read_mark(e, line, &mark);

    if (r)
        return r;
    switch (mark) {
    case MARK_ON:
    case MARK_OFF:
        w->is_on = mark == MARK_ON;
        w->owed += w->has_begun; /* in the middle of a statement it is no part of it */
        return w->has_begun ? 0 : put(e, true, line.p, line.n);
    case MARK_SECTION:
        w->has_begun = false;
        w->in_block = false;
        return put(e, true, line.p, line.n);
    case MARK_BEGIN:
        w->in_block = true;
        return put(e, true, line.p, line.n);
    case MARK_OTHER:
        return put(e, true, line.p, line.n);
    case MARK_END:
        w->in_block = false;
        break;
    case MARK_NONE:
        break;
    }
    return put_line(w, line, mark);
}

static int
fill(const struct hist_set *set, struct hist_migration *m, const char *raw, size_t n,
    char **text, struct err *err)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(HIST_MAX_FILE_BYTES);
    struct walk w = { .e = { .conf = &set->conf, .m = m, .err = err, .out = &out } };
    int r = buf_reserve(&out, n + 1) ? -EFBIG : 0;

    for (struct str rest = { raw, n }; !r && rest.n > 0;) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        size_t len = nl ? (size_t)(nl - rest.p) : rest.n, ends = nl != NULL;
        struct str line = { rest.p, len };
        size_t was = w.owed;
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        w.e.line++;
        r = walk_line(&w, line);
        if (!r && w.owed == was)
            r = put(&w.e, true, line.p + line.n, len - line.n + ends);
        for (; !r && !w.has_begun && w.owed > 0; w.owed--)
            r = put(&w.e, true, "\n", 1);
        rest = (struct str){ rest.p + len + ends, rest.n - len - ends };
    }
    if (r == -EFBIG)
        return err_set(err, -EFBIG,
            "%s: larger than %zu bytes with its variables filled in", m->path,
            HIST_MAX_FILE_BYTES);
    if (r)
        return r;
    m->len = buf_len(&out);
    *text = arena_strndup(m->arena, m->len ? buf_ptr(&out) : "", m->len);
    return 0;
}

const struct hist_ops hist_goose_ops = { .fill = fill };
