// SPDX-License-Identifier: ISC
/* psql's variables, and the arguments of its commands, which may hold them. */
#include "base/mem.h"
#include "history/psql_pass.h"

#include <errno.h>
#include <string.h>

#define MAX_VALUE_DEPTH 8 /* variables in values of variables */

/* ---- variables ---- */

void
psql_variable_free(void *p)
{
    struct psql_variable *v = p;

    mem_free(v->value);
    mem_free(v);
}

void
psql_variable_set(struct psql_run *r, struct str name, const char *value)
{
    struct psql_variable *v = mem_zalloc(sizeof(*v));

    v->value = mem_strdup(value);
    map_set(r->variables, name, v);
}

static size_t
name_length(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && psql_is_name_byte(p[i]))
        i++;
    return i;
}

enum form {
    FORM_NONE, /* no variable stands here */
    FORM_PLAIN,
    FORM_CONSTANT,
    FORM_NAME,
    FORM_IS_SET,
};

/* What the colon at p begins; *len: of all of it. */
static enum form
read_variable(const char *p, size_t n, struct str *name, size_t *len)
{
    size_t k = n > 1 ? name_length(p + 1, n - 1) : 0;

    if (k) {
        *name = (struct str){ p + 1, k };
        *len = k + 1;
        return FORM_PLAIN;
    }
    if (n > 3 && (p[1] == '\'' || p[1] == '"')) {
        k = name_length(p + 2, n - 2);
        if (!k || k + 2 >= n || p[k + 2] != p[1])
            return FORM_NONE;
        *name = (struct str){ p + 2, k };
        *len = k + 3;
        return p[1] == '\'' ? FORM_CONSTANT : FORM_NAME;
    }
    if (n > 4 && p[1] == '{' && p[2] == '?') {
        k = name_length(p + 3, n - 3);
        if (!k || k + 3 >= n || p[k + 3] != '}')
            return FORM_NONE;
        *name = (struct str){ p + 3, k };
        *len = k + 4;
        return FORM_IS_SET;
    }
    return FORM_NONE;
}

static void
add(struct psql_pass *b, struct buf *out, const char *p, size_t n)
{
    b->is_too_long |= buf_add(out, p, n) != 0;
}

static int
check_length(struct psql_pass *b, size_t pos)
{
    return b->is_too_long ? psql_fault(b, pos,
               "a psql variable of more than %zu bytes; write it out", PSQL_MAX_VALUE)
                          : 0;
}

/* As PQescapeLiteral and PQescapeIdentifier do. */
static void
add_quoted(struct psql_pass *b, struct buf *out, const char *value, char quote)
{
    bool has_backslash = quote == '\'' && strchr(value, '\\');

    if (has_backslash)
        add(b, out, " E", 2);
    add(b, out, &quote, 1);
    for (const char *c = value; *c; c++) {
        if (*c == quote || (has_backslash && *c == '\\'))
            add(b, out, c, 1);
        add(b, out, c, 1);
    }
    add(b, out, &quote, 1);
}

static void
add_truth(struct psql_pass *b, struct buf *out, bool v)
{
    add(b, out, v ? "TRUE" : "FALSE", v ? 4 : 5);
}

/* psql fills these in by itself. */
static bool
is_builtin(struct str name)
{
    static const char *const names[] = { "DBNAME", "USER", "HOST", "PORT", "ENCODING",
        "VERSION", "VERSION_NAME", "VERSION_NUM", "SERVER_VERSION_NAME",
        "SERVER_VERSION_NUM", "ROW_COUNT", "ERROR", "SQLSTATE", "LAST_ERROR_MESSAGE",
        "LAST_ERROR_SQLSTATE", "SHELL_ERROR", "SHELL_EXIT_CODE" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++) {
        if (str_eqz(name, names[i]))
            return true;
    }
    return false;
}

static int
no_value(struct psql_pass *b, size_t pos, struct str name)
{
    int n = (int)(name.n < PSQL_MAX_NAME ? name.n : PSQL_MAX_NAME);

    if (is_builtin(name))
        return psql_fault(b, pos,
            ":%.*s is what psql knows when it runs; write the value, or set "
            "placeholder.%.*s in the [migrations] section",
            n, name.p, n, name.p);
    return psql_fault(b, pos,
        ":%.*s is a psql variable without a value here; \\set it in the file, or set "
        "placeholder.%.*s in the [migrations] section",
        n, name.p, n, name.p);
}

static int add_plain(struct psql_pass *b, size_t pos, const char *value, unsigned depth,
    struct buf *out);

/* Appends what the variable becomes; 1: it stays as it stands. */
static int
add_value(struct psql_pass *b, size_t pos, enum form form, struct str name,
    unsigned depth, struct buf *out)
{
    const struct psql_variable *v = map_get(b->run->variables, name);

    if (form == FORM_IS_SET && !is_builtin(name)) {
        add_truth(b, out, v != NULL);
        return 0;
    }
    if (!v && (b->run->conf->is_lenient || (b->n_brackets && !is_builtin(name))))
        return 1; /* an array's bounds: [1:n] */
    if (!v)
        return no_value(b, pos, name);
    if (!v->value)
        return psql_fault(b, pos,
            ":%.*s is a psql variable, whose value the gate can't know; write the value",
            (int)(name.n < PSQL_MAX_NAME ? name.n : PSQL_MAX_NAME), name.p);
    if (form == FORM_PLAIN)
        return add_plain(b, pos, v->value, depth, out);
    add_quoted(b, out, v->value, form == FORM_NAME ? '"' : '\'');
    return 0;
}

/* The value of :name is read as SQL itself, variables in it included. */
static int
add_plain(
    struct psql_pass *b, size_t pos, const char *value, unsigned depth, struct buf *out)
{
    struct sql_lexer lx;
    struct sql_token tok;
    size_t n = strlen(value), at = 0;
    int r;

    if (depth > MAX_VALUE_DEPTH)
        return psql_fault(b, pos, "psql variables whose values name each other");
    sql_lex_init(&lx, value, n, true);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        struct str name;
        size_t len;
        if (value[tok.start] == '\\' && tok.kind == SQL_T_PUNCT)
            return psql_fault(
                b, pos, "a psql variable whose value holds a \\; write it out");
        enum form form = tok.len == 1 && value[tok.start] == ':'
            ? read_variable(value + tok.start, n - tok.start, &name, &len)
            : FORM_NONE;
        if (form == FORM_NONE)
            continue;
        add(b, out, value + at, tok.start - at);
        at = tok.start;
        r = add_value(b, pos, form, name, depth + 1, out);
        if (r < 0)
            return r;
        if (r == 0)
            at = tok.start + len;
        lx.pos = tok.start + len;
    }
    if (r == SQL_LEX_E_BROKEN)
        return psql_fault(b, pos,
            "a psql variable whose value ends inside a quote or comment; write it out");
    add(b, out, value + at, n - at);
    return 0;
}

/* A colon outside of quotes. *pos is left behind what was read. */
int
psql_on_colon(struct psql_pass *b, size_t *pos)
{
    AUTO(buf_deinit) struct buf value = BUF_INIT(PSQL_MAX_VALUE);
    struct str name;
    size_t len;
    enum form form = read_variable(b->p + *pos, b->n - *pos, &name, &len);
    int r = form == FORM_NONE ? 1 : add_value(b, *pos, form, name, 0, &value);

    if (r == 1) { /* what follows it is read as usual */
        *pos += 1;
        return 0;
    }
    if (!r)
        r = check_length(b, *pos);
    if (!r)
        r = psql_copy_up_to(b, *pos);
    if (!r)
        r = psql_replace_up_to(b, *pos + len, buf_cstr(&value), buf_len(&value));
    b->n_words++;
    if (form == FORM_PLAIN && strchr(buf_cstr(&value), ';'))
        b->n_words = 0; /* what follows may begin a statement */
    *pos += len;
    return r;
}

/* ---- arguments of commands ---- */

/* The end of a command's arguments: the line's end, or the next backslash outside quotes. */
size_t
psql_args_end(const struct psql_pass *b, size_t pos)
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

/* The character that an escape inside '...' means; *pos is at the backslash. */
static char
read_escape(const char *p, size_t *pos, size_t end)
{
    static const char from[] = "ntbrf", to[] = "\n\t\b\r\f";
    size_t i = *pos + 1;
    const char *known = i < end && p[i] ? strchr(from, p[i]) : NULL;
    unsigned v = 0;

    if (i >= end)
        return '\\';
    if (known) {
        *pos = i;
        return to[known - from];
    }
    if (p[i] == 'x' && i + 1 < end && strchr("0123456789abcdefABCDEF", p[i + 1])) {
        size_t k = i + 1;
        for (; k < end && k < i + 3 && strchr("0123456789abcdefABCDEF", p[k]); k++)
            v = v * 16
                + (unsigned)(p[k] <= '9' ? p[k] - '0' : ascii_lower(p[k]) - 'a' + 10);
        *pos = k - 1;
        return (char)v;
    }
    if (p[i] >= '0' && p[i] <= '7') {
        size_t k = i;
        for (; k < end && k < i + 3 && p[k] >= '0' && p[k] <= '7'; k++)
            v = v * 8 + (unsigned)(p[k] - '0');
        *pos = k - 1;
        return (char)v;
    }
    *pos = i;
    return p[i];
}

/* The next argument, appended to out: 0; 1: there is none. *is_open: the shell decides. */
int
psql_next_arg(
    struct psql_pass *b, size_t *pos, size_t end, struct buf *out, bool *is_open)
{
    size_t i = *pos;
    char quote = 0;

    while (i < end && psql_is_space(b->p[i]))
        i++;
    if (i >= end)
        return 1;
    for (; i < end && (quote || !psql_is_space(b->p[i])); i++) {
        char c = b->p[i];
        struct str name;
        size_t len;
        if (quote == '\'' && c == '\\') {
            c = read_escape(b->p, &i, end);
            add(b, out, &c, 1);
        } else if (quote == '\'' && c == '\'') {
            if (i + 1 < end && b->p[i + 1] == '\'')
                add(b, out, &b->p[i++], 1);
            else
                quote = 0;
        } else if (quote) { /* double quotes stay, what a shell says is unknown */
            if (quote != '`')
                add(b, out, &c, 1);
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"' || c == '`') {
            quote = c;
            *is_open |= c == '`';
            if (c == '"')
                add(b, out, &c, 1);
        } else if (c == ':'
            && read_variable(b->p + i, end - i, &name, &len) != FORM_NONE) {
            enum form form = read_variable(b->p + i, end - i, &name, &len);
            const struct psql_variable *v = map_get(b->run->variables, name);
            if (form == FORM_IS_SET)
                add_truth(b, out, v != NULL);
            else if (!v)
                add(b, out, b->p + i, len);
            else if (!v->value)
                *is_open = true;
            else if (form == FORM_PLAIN)
                add(b, out, v->value, strlen(v->value));
            else
                add_quoted(b, out, v->value, form == FORM_NAME ? '"' : '\'');
            i += len - 1;
        } else {
            add(b, out, &c, 1);
        }
    }
    *pos = i;
    return 0;
}

/* \set NAME [VALUE...]: the rest joined without blanks. */
int
psql_set(struct psql_pass *b, size_t pos, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(PSQL_MAX_VALUE);
    AUTO(buf_deinit) struct buf value = BUF_INIT(PSQL_MAX_VALUE);
    bool is_open = false, is_name_open = false;

    if (psql_next_arg(b, &from, end, &name, &is_name_open) != 0)
        return 0; /* shows them all */
    struct str key = { buf_cstr(&name), buf_len(&name) };
    if (is_name_open || !key.n || name_length(key.p, key.n) != key.n)
        return psql_fault(b, pos,
            "\\set %.*s: a psql variable's name is letters, digits and _",
            (int)(key.n < PSQL_MAX_NAME ? key.n : PSQL_MAX_NAME), key.p);
    if (str_eqz(key, "SINGLELINE"))
        return psql_fault(
            b, pos, "\\set SINGLELINE ends statements at line ends; remove it");
    while (psql_next_arg(b, &from, end, &value, &is_open) == 0)
        ;
    psql_variable_set(b->run, key, is_open ? NULL : buf_cstr(&value));
    return check_length(b, pos);
}

int
psql_unset(struct psql_pass *b, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(PSQL_MAX_VALUE);
    bool is_open = false;

    if (psql_next_arg(b, &from, end, &name, &is_open) == 0 && !is_open)
        map_remove(b->run->variables, (struct str){ buf_cstr(&name), buf_len(&name) });
    return 0;
}
