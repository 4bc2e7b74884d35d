// SPDX-License-Identifier: ISC
/* Bodies of the client's messages. The shape must be exact: a missing terminator, a NUL
 * inside a text or surplus bytes would let gate and server read different statements. */
#include "pgwire/pgwire.h"

#include "pgwire/read.h"

static int
refuse(struct err *err, const char *message, const char *what)
{
    return err_set(
        err, PGW_E_MALFORMED, "invalid message format: %s %s", message, what);
}

int
pgw_parse_query(const char *body, size_t n, struct str *sql, struct err *err)
{
    struct pgw_read r = pgw_reader(body, n);
    struct str text;
    if (!pgw_take_cstr(&r, &text))
        return refuse(err, "Query", "has no terminator");
    if (pgw_left(&r))
        return refuse(err, "Query", "goes on after its text's terminator");
    *sql = text;
    return 0;
}

int
pgw_parse_parse(const char *body, size_t n, struct pgw_parse *out, struct err *err)
{
    struct pgw_read r = pgw_reader(body, n);
    struct pgw_parse m;
    const char *types;
    if (!pgw_take_cstr(&r, &m.name))
        return refuse(err, "Parse", "has no terminator after the statement's name");
    if (!pgw_take_cstr(&r, &m.sql))
        return refuse(err, "Parse", "has no terminator after its text");
    m.types = (struct str){ m.sql.p + m.sql.n + 1, pgw_left(&r) };
    if (!pgw_take_u16(&r, &m.n_types) || !pgw_take(&r, m.n_types * (size_t)4, &types))
        return refuse(err, "Parse", "is too short for its parameter types");
    if (pgw_left(&r))
        return refuse(err, "Parse", "goes on after its parameter types");
    *out = m;
    return 0;
}

int
pgw_parse_bind(const char *body, size_t n, struct pgw_bind *out, struct err *err)
{
    struct pgw_read r = pgw_reader(body, n);
    struct pgw_bind m;
    if (!pgw_take_cstr(&r, &m.portal))
        return refuse(err, "Bind", "has no terminator after the portal's name");
    if (!pgw_take_cstr(&r, &m.statement))
        return refuse(err, "Bind", "has no terminator after the statement's name");
    if (!pgw_take_u16(&r, &m.n_formats)
        || !pgw_take(&r, m.n_formats * (size_t)2, &m.formats))
        return refuse(err, "Bind", "is too short for its parameter formats");
    if (!pgw_take_u16(&r, &m.n_params))
        return refuse(err, "Bind", "is too short for its number of parameters");

    m.params = r.p;
    for (unsigned i = 0; i < m.n_params; i++) {
        struct str value;
        if (!pgw_take_value(&r, &value))
            return refuse(err, "Bind", "is too short for its parameters");
    }
    m.params_len = (size_t)(r.p - m.params);

    unsigned n_results;
    const char *results;
    if (!pgw_take_u16(&r, &n_results) || !pgw_take(&r, n_results * (size_t)2, &results))
        return refuse(err, "Bind", "is too short for its result formats");
    if (pgw_left(&r))
        return refuse(err, "Bind", "goes on after its result formats");
    *out = m;
    return 0;
}

/* One format code counts for all parameters, none means text. */
static bool
param_is_binary(const struct pgw_bind *b, unsigned i)
{
    if (b->n_formats == 1)
        i = 0;
    return i < b->n_formats && pgw_u16(b->formats + i * (size_t)2) != 0;
}

bool
pgw_bind_param(const struct pgw_bind *b, unsigned i, struct str *value, bool *is_binary)
{
    if (i >= b->n_params)
        return false;
    struct pgw_read r = pgw_reader(b->params, b->params_len);
    struct str v;
    for (unsigned k = 0; k <= i; k++)
        if (!pgw_take_value(&r, &v))
            return false;
    *value = v;
    *is_binary = param_is_binary(b, i);
    return true;
}

int
pgw_parse_execute(const char *body, size_t n, struct str *portal, struct err *err)
{
    struct pgw_read r = pgw_reader(body, n);
    struct str name;
    uint32_t max_rows;
    if (!pgw_take_cstr(&r, &name))
        return refuse(err, "Execute", "has no terminator after the portal's name");
    if (!pgw_take_u32(&r, &max_rows))
        return refuse(err, "Execute", "is too short for its number of rows");
    if (pgw_left(&r))
        return refuse(err, "Execute", "goes on after its number of rows");
    *portal = name;
    return 0;
}

int
pgw_parse_target(
    const char *body, size_t n, char *what, struct str *name, struct err *err)
{
    static const char message[] = "Describe or Close";
    struct pgw_read r = pgw_reader(body, n);
    char kind;
    struct str target;
    if (!pgw_take_byte(&r, &kind) || (kind != 'S' && kind != 'P'))
        return refuse(err, message, "names neither a statement nor a portal");
    if (!pgw_take_cstr(&r, &target))
        return refuse(err, message, "has no terminator");
    if (pgw_left(&r))
        return refuse(err, message, "goes on after its name");
    *what = kind;
    *name = target;
    return 0;
}

int
pgw_parse_function_call(const char *body, size_t n, uint32_t *oid, struct err *err)
{
    struct pgw_read r = pgw_reader(body, n);
    uint32_t function;
    unsigned n_formats, n_args, result;
    const char *formats;
    if (!pgw_take_u32(&r, &function))
        return refuse(err, "FunctionCall", "is too short for a function");
    if (!pgw_take_u16(&r, &n_formats) || !pgw_take(&r, n_formats * (size_t)2, &formats))
        return refuse(err, "FunctionCall", "is too short for its argument formats");
    if (!pgw_take_u16(&r, &n_args))
        return refuse(err, "FunctionCall", "is too short for its number of arguments");
    for (unsigned i = 0; i < n_args; i++) {
        struct str value;
        if (!pgw_take_value(&r, &value))
            return refuse(err, "FunctionCall", "is too short for its arguments");
    }
    if (!pgw_take_u16(&r, &result))
        return refuse(err, "FunctionCall", "is too short for its result format");
    if (pgw_left(&r))
        return refuse(err, "FunctionCall", "goes on after its result format");
    *oid = function;
    return 0;
}
