// SPDX-License-Identifier: ISC
/* Reading the parameters of checks; see params.h. */
#include "policy/params.h"

#include "sql/lex.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum kind {
    KIND_NUMBER,
    KIND_SIZE,
    KIND_TIME,
    KIND_TIMEOUT,
    KIND_BOOL,
    KIND_TEXT,
    KIND_LIST,
    KIND_OBJECTS,
    KIND_REGEX,
    KIND_COLUMNS,
    KIND_DEFAULTS,
};

static const struct {
    const char *key;
    enum kind kind;
    const char *what;
} table[] = {
#define POL_PARAM(symbol, key, kind, what) \
    [POL_P_##symbol] = { key, KIND_##kind, what },
#include "ddlgate/tbl/check_params.h"
};

bool
pol_param_find(struct str key, enum pol_param_key *out)
{
    for (size_t i = 0; i < POL_N_PARAMS; i++) {
        if (str_eqz(key, table[i].key)) {
            *out = (enum pol_param_key)i;
            return true;
        }
    }
    return false;
}

/* ---- a check's own list ---- */

bool
pol_params_next(struct str *rest, struct str *key, struct str *value)
{
    const char *end, *equals;

    while (rest->n && (*rest->p == ' ' || *rest->p == ';')) {
        rest->p++;
        rest->n--;
    }
    if (!rest->n)
        return false;
    end = memchr(rest->p, ';', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    equals = memchr(rest->p, '=', n);
    if (equals) {
        *key = (struct str){ rest->p, (size_t)(equals - rest->p) };
        *value = (struct str){ equals + 1, n - key->n - 1 };
    } else {
        *key = (struct str){ rest->p, n };
        *value = (struct str){ NULL, 0 };
    }
    *rest = (struct str){ rest->p + n, rest->n - n };
    return true;
}

bool
pol_params_have(const char *params, const char *key)
{
    struct str rest = str_of(params), name, value;

    while (pol_params_next(&rest, &name, &value)) {
        if (str_eqz(name, key))
            return true;
    }
    return false;
}

/* ---- types ---- */

static const struct {
    const char *written, *name;
} aliases[] = { { "int", "int4" }, { "integer", "int4" }, { "bigint", "int8" },
    { "smallint", "int2" }, { "boolean", "bool" }, { "decimal", "numeric" },
    { "dec", "numeric" }, { "real", "float4" }, { "float", "float8" },
    { "double precision", "float8" }, { "char", "bpchar" }, { "character", "bpchar" },
    { "character varying", "varchar" }, { "timestamp with time zone", "timestamptz" },
    { "timestamp without time zone", "timestamp" }, { "time with time zone", "timetz" },
    { "time without time zone", "time" }, { "serial4", "serial" },
    { "serial8", "bigserial" }, { "serial2", "smallserial" } };

const char *
pol_type_name(struct arena *a, const char *written)
{
    struct str s = str_trim(str_of(written));
    char *name = arena_strndup(a, s.p, s.n), *bracket = strchr(name, '(');

    if (bracket) {
        *bracket = '\0';
        while (bracket > name && bracket[-1] == ' ')
            *--bracket = '\0';
    }
    for (char *p = name; *p; p++)
        *p = ascii_lower(*p);
    if (str_prefix(name, "pg_catalog."))
        name += strlen("pg_catalog.");
    for (size_t i = 0; i < DG_ARRAY_SIZE(aliases); i++) {
        if (strcmp(name, aliases[i].written) == 0)
            return aliases[i].name;
    }
    return name;
}

const char *
pol_column_type(const struct sql_column *col)
{
    const char *type = col->type ? col->type : "";

    if (str_prefix(type, "pg_catalog."))
        return type + strlen("pg_catalog.");
    /* only these stay as written; "char" in quotes is a type of its own */
    if (str_prefix(type, "serial"))
        return strcmp(type, "serial8") == 0 ? "bigserial"
            : strcmp(type, "serial2") == 0  ? "smallserial"
            : strcmp(type, "serial4") == 0  ? "serial"
                                            : type;
    return type;
}

/* ---- columns ---- */

/* Position of the word in s, without case and as a word of its own; NULL if it is not there. */
static const char *
find_word(const char *s, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = s; *p; p++) {
        bool is_start = p == s || p[-1] == ' ';
        if (is_start && strncasecmp(p, word, n) == 0 && (p[n] == '\0' || p[n] == ' '))
            return p;
    }
    return NULL;
}

static int
column_parse(
    struct arena *a, struct str text, struct pol_column_spec *out, struct err *err)
{
    char *s = arena_strndup(a, text.p, text.n);
    char *name = arena_strndup(a, text.p, text.n);
    size_t n = strcspn(s, " ");

    name[n] = '\0';
    if (!n)
        return err_set(err, -EINVAL, "an item of the list is empty; remove the comma");
    *out = (struct pol_column_spec){ .name = name,
        .text = arena_strndup(a, text.p, text.n) };
    const char *rest = s + n;
    const char *not_null = find_word(rest, "not null");
    const char *value = find_word(rest, "default");
    const char *end = rest + strlen(rest);
    out->has_not_null = not_null != NULL;
    out->has_default = value != NULL;
    if (value) {
        struct str call = str_trim(str_of(value + strlen("default")));
        const char *stop = find_word(call.p, "not null");
        if (stop)
            call.n = (size_t)(stop - call.p);
        call = str_trim(call);
        if (call.n > 2 && memcmp(call.p + call.n - 2, "()", 2) == 0)
            call.n -= 2;
        else if (call.n)
            return err_set(err, -EINVAL,
                "\"%s\": after `default` stands a function with (), or nothing",
                out->text);
        if (call.n)
            out->call = arena_strndup(a, call.p, call.n);
    }
    if (not_null && not_null < end)
        end = not_null;
    if (value && value < end)
        end = value;
    struct str type = str_trim((struct str){ rest, (size_t)(end - rest) });
    if (type.n)
        out->type = pol_type_name(a, arena_strndup(a, type.p, type.n));
    return 0;
}

/* ---- values ---- */

static size_t
count_items(const char *text)
{
    size_t n = 1;
    for (const char *p = text; *p; p++)
        n += *p == ',';
    return n;
}

static int
list_parse(struct arena *a, const char *text, struct pol_value *out, struct err *err)
{
    struct str rest = str_of(text), item;

    out->words = arena_alloc(a, count_items(text) * sizeof(*out->words));
    while (str_next_item(&rest, &item)) {
        if (!item.n)
            return err_set(
                err, -EINVAL, "an item of the list is empty; remove the comma");
        out->words[out->n_words++] = arena_strndup(a, item.p, item.n);
    }
    return 0;
}

/* 0, -1.5, 'text', true: what is one value for every row. */
static bool
is_value(struct str text)
{
    struct sql_lexer lx;
    struct sql_token tok;
    int r;

    sql_lex_init(&lx, text.p, text.n, true);
    r = sql_lex_next(&lx, &tok);
    if (r == 0 && tok.len == 1 && text.p[tok.start] == '-')
        r = sql_lex_next(&lx, &tok) != 0 || tok.kind != SQL_T_NUMBER;
    if (r != 0)
        return false;
    struct str word = { text.p + tok.start, tok.len };
    bool is_constant = tok.kind == SQL_T_NUMBER || tok.kind == SQL_T_STRING
        || str_ieqz(word, "true") || str_ieqz(word, "false");
    return is_constant && sql_lex_next(&lx, &tok) == SQL_LEX_END;
}

static int
defaults_parse(
    struct arena *a, const char *text, struct pol_value *out, struct err *err)
{
    int ret = list_parse(a, text, out, err);

    for (size_t i = 0; !ret && i < out->n_words; i++) {
        const char *word = out->words[i], *equals = strchr(word, '=');
        if (!equals || equals == word || !is_value(str_trim(str_of(equals + 1))))
            ret = err_set(err, -EINVAL,
                "\"%.60s\" is no type with a constant; write it like integer=0 or "
                "text=''",
                word);
    }
    return ret;
}

static int
columns_parse(struct arena *a, const char *text, struct pol_value *out, struct err *err)
{
    struct str rest = str_of(text), item;

    out->columns = arena_alloc(a, count_items(text) * sizeof(*out->columns));
    while (str_next_item(&rest, &item)) {
        int ret = column_parse(a, item, &out->columns[out->n_columns], err);
        if (ret)
            return ret;
        out->n_columns++;
    }
    return 0;
}

static int
regex_parse(struct arena *a, const char *text, struct pol_value *out, struct err *err)
{
    char why[120];
    regex_t *re = arena_alloc(a, sizeof(*re));
    int ret = regcomp(re, text, REG_EXTENDED | REG_NEWLINE);

    if (ret) {
        regerror(ret, re, why, sizeof(why));
        return err_set(err, -EINVAL, "no regular expression: %s", why);
    }
    out->regex = re;
    return 0;
}

static int
number_parse(enum kind kind, const char *text, struct pol_value *out)
{
    struct str s = str_of(text);
    uint64_t bytes;
    bool is_on;
    int ret;

    switch ((int)kind) {
    case KIND_NUMBER:
        return str_int64(s, 0, 1000000000, &out->number);
    case KIND_SIZE:
        ret = str_size(s, &bytes);
        if (!ret && bytes <= INT64_MAX)
            out->number = (int64_t)bytes;
        return ret;
    case KIND_TIME: /* as the server takes it, without a sign */
        return str_duration(s, 1, &out->number);
    case KIND_TIMEOUT: /* 0 would mean for ever */
        ret = str_duration(s, 1, &out->number);
        return ret || (out->number > 0 && out->number <= INT32_MAX) ? ret : -ERANGE;
    default:
        ret = str_bool(s, &is_on);
        if (!ret)
            out->number = is_on;
        return ret;
    }
}

int
pol_value_parse(struct arena *a, enum pol_param_key key, const char *text,
    struct pol_value *out, struct err *err)
{
    struct pol_value v = { .text = arena_strdup(a, text) };
    int ret = 0;

    if (!*text)
        return err_set(err, -EINVAL, "the value is empty; write %s, or remove the key",
            table[key].what);
    switch (table[key].kind) {
    case KIND_NUMBER:
    case KIND_SIZE:
    case KIND_TIME:
    case KIND_TIMEOUT:
    case KIND_BOOL:
        ret = number_parse(table[key].kind, text, &v);
        if (ret)
            return err_set(err, -EINVAL, "\"%.60s\" is not %s", text, table[key].what);
        break;
    case KIND_TEXT:
        break;
    case KIND_LIST:
        ret = list_parse(a, text, &v, err);
        break;
    case KIND_OBJECTS:
        ret = pol_list_parse(a, str_of(text), pol_parse_object, &v.objects, err);
        break;
    case KIND_DEFAULTS:
        ret = defaults_parse(a, text, &v, err);
        break;
    case KIND_REGEX:
        ret = regex_parse(a, text, &v, err);
        break;
    case KIND_COLUMNS:
        ret = columns_parse(a, text, &v, err);
        break;
    }
    if (!ret)
        *out = v;
    return ret;
}

void
pol_value_deinit(struct pol_value *v)
{
    if (v->regex)
        regfree(v->regex);
    v->regex = NULL;
}
