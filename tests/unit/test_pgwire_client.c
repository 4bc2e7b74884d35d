// SPDX-License-Identifier: ISC
/* Bodies of the client's messages: the exact shape passes, each other one is refused; no
 * byte behind the body is ever read. */
#include "pgwire/pgwire.h"

#include "lib/exact.h"
#include "lib/unit.h"

enum message {
    QUERY,
    PARSE,
    BIND,
    EXECUTE,
    TARGET,
    FUNCTION,
};

static int
parse(enum message m, const char *p, size_t n, struct err *err)
{
    struct str s;
    struct pgw_parse parsed;
    struct pgw_bind bound;
    uint32_t oid;
    char what;
    switch (m) {
    case QUERY:
        return pgw_parse_query(p, n, &s, err);
    case PARSE:
        return pgw_parse_parse(p, n, &parsed, err);
    case BIND:
        return pgw_parse_bind(p, n, &bound, err);
    case EXECUTE:
        return pgw_parse_execute(p, n, &s, err);
    case TARGET:
        return pgw_parse_target(p, n, &what, &s, err);
    case FUNCTION:
        return pgw_parse_function_call(p, n, &oid, err);
    }
    return -1;
}

struct body_case {
    const char *name;
    enum message message;
    const char *body;
    size_t n;
    const char *text; /* of err; NULL: good */
};

#define R(literal) literal, sizeof(literal) - 1
#define BAD        "invalid message format: "
#define TWO_PARAMS "p\0s\0\0\2\0\0\0\1\0\2\0\0\0\3abc\0\0\0\4\xff\0\0\1\0\1\0\1"

static const struct body_case bodies[] = {
    { "Query", QUERY, R("select 1\0"), NULL },
    { "empty Query", QUERY, R("\0"), NULL },
    { "Query of no bytes", QUERY, R(""), BAD "Query has no terminator" },
    { "Query not terminated", QUERY, R("select 1"), BAD "Query has no terminator" },
    { "NUL inside", QUERY, R("select 1\0; drop table t\0"),
        BAD "Query goes on after its text's terminator" },
    { "two terminators", QUERY, R("select 1\0\0"),
        BAD "Query goes on after its text's terminator" },
    { "Parse", PARSE, R("s\0select $1\0\0\1\0\0\0\x17"), NULL },
    { "unnamed Parse", PARSE, R("\0select 1\0\0\0"), NULL },
    { "Parse name not terminated", PARSE, R("sss"),
        BAD "Parse has no terminator after the statement's name" },
    { "Parse text not terminated", PARSE, R("s\0select 1"),
        BAD "Parse has no terminator after its text" },
    { "Parse without number of types", PARSE, R("s\0select 1\0\0"),
        BAD "Parse is too short for its parameter types" },
    { "Parse with too few types", PARSE, R("s\0select 1\0\0\2\0\0\0\x17"),
        BAD "Parse is too short for its parameter types" },
    { "Parse with 65535 types it lacks", PARSE, R("s\0select 1\0\xff\xff"),
        BAD "Parse is too short for its parameter types" },
    { "Parse with more", PARSE, R("s\0select 1\0\0\0x"),
        BAD "Parse goes on after its parameter types" },
    { "NUL inside Parse text", PARSE, R("\0select 1\0drop table t\0\0\0"),
        BAD "Parse is too short for its parameter types" },
    { "Bind without parameters", BIND, R("\0\0\0\0\0\0\0\0"), NULL },
    { "Bind with two", BIND, R(TWO_PARAMS), NULL },
    { "Bind with null", BIND, R("\0\0\0\0\0\1\xff\xff\xff\xff\0\0"), NULL },
    { "Bind portal not terminated", BIND, R("p"),
        BAD "Bind has no terminator after the portal's name" },
    { "Bind statement not terminated", BIND, R("p\0s"),
        BAD "Bind has no terminator after the statement's name" },
    { "Bind formats cut", BIND, R("\0\0\0\2\0\0"),
        BAD "Bind is too short for its parameter formats" },
    { "Bind without count", BIND, R("\0\0\0\0\0"),
        BAD "Bind is too short for its number of parameters" },
    { "Bind value cut", BIND, R("\0\0\0\0\0\1\0\0\0\5abcd"),
        BAD "Bind is too short for its parameters" },
    { "Bind value of length -2", BIND, R("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"),
        BAD "Bind is too short for its parameters" },
    { "Bind value of the largest length", BIND, R("\0\0\0\0\0\1\x7f\xff\xff\xff\0\0"),
        BAD "Bind is too short for its parameters" },
    { "Bind with fewer values than it counts", BIND, R("\0\0\0\0\xff\xff\0\0\0\1a\0\0"),
        BAD "Bind is too short for its parameters" },
    { "Bind without result formats", BIND, R("\0\0\0\0\0\0"),
        BAD "Bind is too short for its result formats" },
    { "Bind result formats cut", BIND, R("\0\0\0\0\0\0\0\2\0\1"),
        BAD "Bind is too short for its result formats" },
    { "Bind with more", BIND, R("\0\0\0\0\0\0\0\0x"),
        BAD "Bind goes on after its result formats" },
    { "Execute", EXECUTE, R("p\0\0\0\0\0"), NULL },
    { "Execute not terminated", EXECUTE, R("portal"),
        BAD "Execute has no terminator after the portal's name" },
    { "Execute without rows", EXECUTE, R("p\0\0\0\0"),
        BAD "Execute is too short for its number of rows" },
    { "Execute with more", EXECUTE, R("p\0\0\0\0\0\0"),
        BAD "Execute goes on after its number of rows" },
    { "Describe statement", TARGET, R("Ss\0"), NULL },
    { "Close portal", TARGET, R("P\0"), NULL },
    { "unknown target", TARGET, R("Xs\0"),
        BAD "Describe or Close names neither a statement nor a portal" },
    { "no target", TARGET, R(""),
        BAD "Describe or Close names neither a statement nor a portal" },
    { "target not terminated", TARGET, R("Ss"),
        BAD "Describe or Close has no terminator" },
    { "target with more", TARGET, R("Ss\0x"),
        BAD "Describe or Close goes on after its name" },
    { "FunctionCall", FUNCTION, R("\0\0\4\xd2\0\1\0\1\0\1\0\0\0\4abcd\0\0"), NULL },
    { "FunctionCall without function", FUNCTION, R("\0\0\4"),
        BAD "FunctionCall is too short for a function" },
    { "FunctionCall formats cut", FUNCTION, R("\0\0\4\xd2\0\2\0\1"),
        BAD "FunctionCall is too short for its argument formats" },
    { "FunctionCall without count", FUNCTION, R("\0\0\4\xd2\0\0"),
        BAD "FunctionCall is too short for its number of arguments" },
    { "FunctionCall argument cut", FUNCTION, R("\0\0\4\xd2\0\0\0\1\0\0\0\2a"),
        BAD "FunctionCall is too short for its arguments" },
    { "FunctionCall without result format", FUNCTION, R("\0\0\4\xd2\0\0\0\0\0"),
        BAD "FunctionCall is too short for its result format" },
    { "FunctionCall with more", FUNCTION, R("\0\0\4\xd2\0\0\0\0\0\0x"),
        BAD "FunctionCall goes on after its result format" },
};

START_TEST(body_has_the_exact_shape_or_is_refused)
{
    const struct body_case *c = &bodies[_i];
    struct err err = { "" };
    EXACT(p, c->body, c->n);

    CASE_INT(c, parse(c->message, p, c->n, &err), c->text ? PGW_E_MALFORMED : 0);
    CASE_STR(c, err.text, c->text ? c->text : "");
    CASE_INT(c, parse(c->message, p, c->n, NULL), c->text ? PGW_E_MALFORMED : 0);
}
END_TEST

START_TEST(no_prefix_of_a_good_body_passes)
{
    const struct body_case *c = &bodies[_i];

    for (size_t n = 0; !c->text && n < c->n; n++) {
        EXACT(p, c->body, n);
        ck_assert_msg(parse(c->message, p, n, NULL) == PGW_E_MALFORMED, "%s: %zu bytes",
            c->name, n);
    }
}
END_TEST

START_TEST(query_yields_its_text)
{
    struct str sql;

    ck_assert_int_eq(pgw_parse_query(R("select 1\0"), &sql, NULL), 0);
    ck_assert(str_eqz(sql, "select 1"));
}
END_TEST

START_TEST(parse_yields_name_and_text)
{
    struct pgw_parse m;

    ck_assert_int_eq(pgw_parse_parse(R("s1\0select 1\0\0\0"), &m, NULL), 0);
    ck_assert(str_eqz(m.name, "s1"));
    ck_assert(str_eqz(m.sql, "select 1"));
}
END_TEST

struct param_case {
    const char *name, *body;
    size_t n;
    unsigned i;
    const char *value; /* NULL: no such parameter; "NULL": SQL null */
    bool is_binary;
};

static const struct param_case params[] = {
    { "first of two", R(TWO_PARAMS), 0, "abc", false },
    { "second of two", R(TWO_PARAMS), 1, "\xff\0\0\1", true },
    { "third of two", R(TWO_PARAMS), 2, NULL, false },
    { "no format is text", R("\0\0\0\0\0\1\0\0\0\1x\0\0"), 0, "x", false },
    { "one format is for all", R("\0\0\0\1\0\1\0\2\0\0\0\1x\0\0\0\1y\0\0"), 1, "y",
        true },
    { "null", R("\0\0\0\0\0\2\xff\xff\xff\xff\0\0\0\1y\0\0"), 0, "NULL", false },
    { "after null", R("\0\0\0\0\0\2\xff\xff\xff\xff\0\0\0\1y\0\0"), 1, "y", false },
    { "empty", R("\0\0\0\0\0\1\0\0\0\0\0\0"), 0, "", false },
    { "fewer formats than values",
        R("\0\0\0\2\0\1\0\1\0\3\0\0\0\0\0\0\0\0\0\0\0\1y\0\0"), 2, "y", false },
};

START_TEST(parameter_is_found_by_number)
{
    const struct param_case *c = &params[_i];
    struct pgw_bind b;
    struct str value = STR("untouched");
    bool is_binary = false;
    EXACT(p, c->body, c->n);

    CASE_INT(c, pgw_parse_bind(p, c->n, &b, NULL), 0);
    CASE_INT(c, pgw_bind_param(&b, c->i, &value, &is_binary), c->value != NULL);
    CASE_INT(c, is_binary, c->is_binary);
    if (!c->value)
        CASE_INT(c, str_eqz(value, "untouched"), true);
    else if (!strcmp(c->value, "NULL"))
        CASE_INT(c, value.p == NULL && value.n == 0, true);
    else
        CASE_INT(c, value.p && !memcmp(value.p, c->value, value.n), true);
}
END_TEST

START_TEST(bind_yields_its_names)
{
    struct pgw_bind b;

    ck_assert_int_eq(pgw_parse_bind(R(TWO_PARAMS), &b, NULL), 0);
    ck_assert(str_eqz(b.portal, "p"));
    ck_assert(str_eqz(b.statement, "s"));
    ck_assert_uint_eq(b.n_formats, 2);
    ck_assert_uint_eq(b.n_params, 2);
    ck_assert_uint_eq(b.params_len, 15);
}
END_TEST

START_TEST(targets_and_functions_yield_what_they_name)
{
    char what;
    struct str name;
    uint32_t oid;

    ck_assert_int_eq(pgw_parse_target(R("Ss1\0"), &what, &name, NULL), 0);
    ck_assert_int_eq(what, 'S');
    ck_assert(str_eqz(name, "s1"));
    ck_assert_int_eq(pgw_parse_execute(R("p1\0\0\0\0\0"), &name, NULL), 0);
    ck_assert(str_eqz(name, "p1"));
    ck_assert_int_eq(
        pgw_parse_function_call(R("\0\0\4\xd2\0\0\0\0\0\0"), &oid, NULL), 0);
    ck_assert_uint_eq(oid, 1234);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("pgwire/client");
    TCase *tc = tcase_create("bodies");

    tcase_add_loop_test(
        tc, body_has_the_exact_shape_or_is_refused, 0, DG_ARRAY_SIZE(bodies));
    tcase_add_loop_test(tc, no_prefix_of_a_good_body_passes, 0, DG_ARRAY_SIZE(bodies));
    tcase_add_test(tc, query_yields_its_text);
    tcase_add_test(tc, parse_yields_name_and_text);
    tcase_add_loop_test(tc, parameter_is_found_by_number, 0, DG_ARRAY_SIZE(params));
    tcase_add_test(tc, bind_yields_its_names);
    tcase_add_test(tc, targets_and_functions_yield_what_they_name);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
