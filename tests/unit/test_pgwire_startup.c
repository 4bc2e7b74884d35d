// SPDX-License-Identifier: ISC
/* The first packet: what is complete and right is read, what is short needs more, what is
 * wrong is named; and `options` is read as the server reads it. */
#include "pgwire/pgwire.h"

#include "lib/exact.h"
#include "lib/unit.h"

#define PACKET_MAX 16384

struct packet {
    char data[PACKET_MAX];
    size_t n;
};

static void
put_u32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (24 - 8 * i));
}

/* Length, code and the literal's bytes (with its own NUL as the last byte). */
static void
make_packet(struct packet *pk, uint32_t code, const char *rest, size_t n)
{
    pk->n = 8 + n;
    put_u32(pk->data, (uint32_t)pk->n);
    put_u32(pk->data + 4, code);
    memcpy(pk->data + 8, rest, n);
}

struct startup_case {
    const char *name;
    uint32_t code;
    const char *rest;
    size_t n;
    int ret;
    const char *text; /* of err */
};

#define R(literal) literal, sizeof(literal) - 1
#define NO_END     "invalid startup packet layout: expected terminator as last byte"

static const struct startup_case cases[] = {
    { "user only", PGW_PROTOCOL_3_0, R("user\0app\0\0"), 0, "" },
    { "user and database", PGW_PROTOCOL_3_0, R("user\0app\0database\0shop\0\0"), 0,
        "" },
    { "empty value", PGW_PROTOCOL_3_0, R("user\0app\0application_name\0\0\0"), 0, "" },
    { "minor version", PGW_PROTOCOL_3_0 + 2, R("user\0app\0_pq_.x\0y\0\0"), 0, "" },
    { "SSL", PGW_SSL_CODE, R(""), 0, "" },
    { "GSS", PGW_GSSENC_CODE, R(""), 0, "" },
    { "cancel", PGW_CANCEL_CODE, R("\0\0\0\1abcd"), 0, "" },
    { "cancel with a long key", PGW_CANCEL_CODE, R("\0\0\0\1abcdefghijklmnop"), 0, "" },
    { "no parameters", PGW_PROTOCOL_3_0, R("\0"), PGW_E_MALFORMED,
        "no PostgreSQL user name specified in startup packet" },
    { "empty user", PGW_PROTOCOL_3_0, R("user\0\0\0"), PGW_E_MALFORMED,
        "no PostgreSQL user name specified in startup packet" },
    { "USER is no user", PGW_PROTOCOL_3_0, R("USER\0app\0\0"), PGW_E_MALFORMED,
        "no PostgreSQL user name specified in startup packet" },
    { "nothing after the code", PGW_PROTOCOL_3_0, R(""), PGW_E_MALFORMED, NO_END },
    { "no last terminator", PGW_PROTOCOL_3_0, R("user\0app\0"), PGW_E_MALFORMED,
        NO_END },
    { "value not terminated", PGW_PROTOCOL_3_0, R("user\0app"), PGW_E_MALFORMED,
        "invalid startup packet layout: parameter \"user\" has no value" },
    { "key without value", PGW_PROTOCOL_3_0, R("user\0app\0x\0"), PGW_E_MALFORMED,
        "invalid startup packet layout: parameter \"x\" has no value" },
    { "key not terminated", PGW_PROTOCOL_3_0, R("user"), PGW_E_MALFORMED, NO_END },
    { "bytes after the end", PGW_PROTOCOL_3_0, R("user\0app\0\0x"), PGW_E_MALFORMED,
        NO_END },
    { "user twice", PGW_PROTOCOL_3_0, R("user\0app\0user\0root\0\0"), PGW_E_MALFORMED,
        "invalid startup packet: parameter \"user\" is given twice" },
    { "parameter twice in two spellings", PGW_PROTOCOL_3_0,
        R("user\0app\0search_path\0a\0Search_Path\0b\0\0"), PGW_E_MALFORMED,
        "invalid startup packet: parameter \"Search_Path\" is given twice" },
    { "protocol 2", 2 << 16, R("user\0app\0\0"), PGW_E_MALFORMED,
        "unsupported frontend protocol 2.0: the gate speaks 3.0" },
    { "protocol 4", 4 << 16, R("user\0app\0\0"), PGW_E_MALFORMED,
        "unsupported frontend protocol 4.0: the gate speaks 3.0" },
    { "unknown request", 80877110, R(""), PGW_E_MALFORMED,
        "unsupported frontend protocol 1234.5686: the gate speaks 3.0" },
    { "SSL with more", PGW_SSL_CODE, R("x"), PGW_E_MALFORMED,
        "invalid length of SSLRequest: 9" },
    { "GSS with more", PGW_GSSENC_CODE, R("xyz"), PGW_E_MALFORMED,
        "invalid length of GSSENCRequest: 11" },
    { "cancel without key", PGW_CANCEL_CODE, R("\0\0\0\1"), PGW_E_MALFORMED,
        "invalid length of CancelRequest: 12" },
};

START_TEST(packet_is_read_or_refused)
{
    const struct startup_case *c = &cases[_i];
    struct packet pk;
    struct pgw_startup s;
    struct err err = { "" };

    make_packet(&pk, c->code, c->rest, c->n);
    EXACT(p, pk.data, pk.n);
    CASE_INT(c, pgw_startup_parse(p, pk.n, &s, &err), c->ret);
    CASE_STR(c, err.text, c->text);
    if (!c->ret)
        CASE_INT(c, s.size, pk.n);
}
END_TEST

START_TEST(every_prefix_of_a_good_packet_needs_more)
{
    const struct startup_case *c = &cases[_i];
    struct packet pk;
    struct pgw_startup s;

    if (c->ret)
        return;
    make_packet(&pk, c->code, c->rest, c->n);
    for (size_t n = 0; n < pk.n; n++) {
        EXACT(p, pk.data, n);
        CASE_INT(c, pgw_startup_parse(p, n, &s, NULL), PGW_NEED_MORE);
    }
}
END_TEST

START_TEST(prefix_of_a_bad_packet_is_never_taken)
{
    const struct startup_case *c = &cases[_i];
    struct packet pk;
    struct pgw_startup s;

    if (!c->ret)
        return;
    make_packet(&pk, c->code, c->rest, c->n);
    for (size_t n = 0; n < pk.n; n++) {
        EXACT(p, pk.data, n);
        ck_assert_msg(pgw_startup_parse(p, n, &s, NULL) != 0, "%s at %zu", c->name, n);
    }
}
END_TEST

START_TEST(bytes_after_the_packet_are_not_looked_at)
{
    struct pgw_startup s;
    char two[] = "\0\0\0\x08\x04\xd2\x16\x2f\x16\x03\x01";

    ck_assert_int_eq(pgw_startup_parse(two, sizeof two - 1, &s, NULL), 0);
    ck_assert_int_eq(s.kind, PGW_SSL_REQUEST);
    ck_assert_uint_eq(s.size, 8);
}
END_TEST

struct length_case {
    const char *name, *bytes;
    size_t n;
    const char *text;
};

static const struct length_case lengths[] = {
    { "zero", R("\0\0\0\0"),
        "invalid length of startup packet: 0 is not within 8..10004" },
    { "too short", R("\0\0\0\7"),
        "invalid length of startup packet: 7 is not within 8..10004" },
    { "too long", R("\0\0\x27\x15"),
        "invalid length of startup packet: 10005 is not within 8..10004" },
    { "negative", R("\xff\xff\xff\xff"),
        "invalid length of startup packet: 4294967295 is not within 8..10004" },
    { "TLS at once", R("\x16\x03\x01\x02"),
        "the client began with TLS at once; set sslnegotiation=postgres" },
    { "HTTP", R("GET / HTTP/1.1\r\n"),
        "the client speaks HTTP; this port speaks PostgreSQL's protocol" },
};

START_TEST(length_is_judged_before_the_rest_arrives)
{
    const struct length_case *c = &lengths[_i];
    struct pgw_startup s;
    struct err err = { "" };
    EXACT(p, c->bytes, c->n);

    CASE_INT(c, pgw_startup_parse(p, c->n, &s, &err), PGW_E_MALFORMED);
    CASE_STR(c, err.text, c->text);
}
END_TEST

START_TEST(code_is_judged_before_the_rest_arrives)
{
    char bytes[8];
    struct pgw_startup s;

    put_u32(bytes, 5000);
    put_u32(bytes + 4, 2 << 16);
    EXACT(p, bytes, 8);
    ck_assert_int_eq(pgw_startup_parse(p, 8, &s, NULL), PGW_E_MALFORMED);
}
END_TEST

START_TEST(largest_packet_is_taken)
{
    struct packet pk;
    struct pgw_startup s;
    static char rest[PGW_MAX_STARTUP - 8];

    memset(rest, 'x', sizeof rest);
    memcpy(rest, "user\0app\0options", 17);
    memset(rest + sizeof rest - 2, 0, 2);
    make_packet(&pk, PGW_PROTOCOL_3_0, rest, sizeof rest);
    ck_assert_uint_eq(pk.n, PGW_MAX_STARTUP);
    EXACT(p, pk.data, pk.n);
    ck_assert_int_eq(pgw_startup_parse(p, pk.n, &s, NULL), 0);
    ck_assert_uint_eq(s.n, 2);
}
END_TEST

static size_t
many_params(char *out, unsigned n)
{
    size_t len = 9;
    memcpy(out, "user\0app\0", 9);
    for (unsigned i = 1; i < n; i++) {
        int k = snprintf(out + len, 16, "p%u", i);
        len += (size_t)k + 1;
        memcpy(out + len, "v", 2);
        len += 2;
    }
    out[len++] = '\0';
    return len;
}

START_TEST(parameters_are_counted)
{
    struct packet pk;
    struct pgw_startup s;
    struct err err = { "" };
    char rest[2000];

    make_packet(&pk, PGW_PROTOCOL_3_0, rest, many_params(rest, PGW_MAX_PARAMS));
    ck_assert_int_eq(pgw_startup_parse(pk.data, pk.n, &s, &err), 0);
    ck_assert_uint_eq(s.n, PGW_MAX_PARAMS);
    make_packet(&pk, PGW_PROTOCOL_3_0, rest, many_params(rest, PGW_MAX_PARAMS + 1));
    ck_assert_int_eq(pgw_startup_parse(pk.data, pk.n, &s, &err), PGW_E_MALFORMED);
    ck_assert_str_eq(err.text, "invalid startup packet: more than 64 parameters");
}
END_TEST

START_TEST(cancel_request_yields_its_key)
{
    struct packet pk;
    struct pgw_startup s;

    make_packet(&pk, PGW_CANCEL_CODE, R("\x01\x02\x03\x04\xff\0zz"));
    ck_assert_int_eq(pgw_startup_parse(pk.data, pk.n, &s, NULL), 0);
    ck_assert_int_eq(s.kind, PGW_CANCEL_REQUEST);
    ck_assert_uint_eq(s.cancel_pid, 0x01020304);
    ck_assert_uint_eq(s.cancel_key.n, 4);
    ck_assert_mem_eq(s.cancel_key.p, "\xff\0zz", 4);
}
END_TEST

START_TEST(parameters_are_found_as_the_server_finds_them)
{
    struct packet pk;
    struct pgw_startup s;

    make_packet(&pk, PGW_PROTOCOL_3_0,
        R("user\0app\0Database\0x\0Client_Encoding\0UTF8\0replication\0database\0\0"));
    ck_assert_int_eq(pgw_startup_parse(pk.data, pk.n, &s, NULL), 0);
    ck_assert(str_eqz(*pgw_startup_get(&s, "user"), "app"));
    ck_assert(str_eqz(*pgw_startup_get(&s, "client_encoding"), "UTF8"));
    ck_assert(str_eqz(*pgw_startup_get(&s, "replication"), "database"));
    ck_assert_ptr_null(pgw_startup_get(&s, "database"));
    ck_assert_ptr_null(pgw_startup_get(&s, "options"));
}
END_TEST

START_TEST(built_packet_reads_back)
{
    struct buf b = BUF_INIT(1024);
    struct str keys[] = { STR("user"), STR("standard_conforming_strings") };
    struct str values[] = { STR("app"), STR("on") };
    struct pgw_startup s;

    pgw_startup_build(&b, PGW_PROTOCOL_3_0, keys, values, 2);
    ck_assert_int_eq(pgw_startup_parse(buf_ptr(&b), buf_len(&b), &s, NULL), 0);
    ck_assert_uint_eq(s.size, buf_len(&b));
    ck_assert_uint_eq(s.protocol, PGW_PROTOCOL_3_0);
    ck_assert_uint_eq(s.n, 2);
    ck_assert(str_eqz(*pgw_startup_get(&s, "standard_conforming_strings"), "on"));
    buf_deinit(&b);
}
END_TEST

struct options_case {
    const char *name, *options, *param, *value; /* value NULL: not set */
};

static const struct options_case options[] = {
    { "-c with a blank", "-c search_path=a", "search_path", "a" },
    { "-c joined", "-csearch_path=a", "search_path", "a" },
    { "long form", "--search_path=a", "search_path", "a" },
    { "long form with dashes", "--search-path=a", "search_path", "a" },
    { "-c with dashes", "-c search-path=a", "search_path", "a" },
    { "any case", "-c SEARCH_Path=a", "search_path", "a" },
    { "the last one counts", "-c a=1 --a=2 -c a=3", "a", "3" },
    { "among others", "-c x=1 --y=2 -c a=3 -c z=4", "a", "3" },
    { "empty value", "-c a=", "a", "" },
    { "value with =", "-c a=b=c", "a", "b=c" },
    { "escaped blank", "-c a=x\\ y", "a", "x y" },
    { "escaped backslash", "-c a=x\\\\y", "a", "x\\y" },
    { "escaped letter", "-c\\ a=1", "a", NULL },
    { "escape in the name", "-c \\a=1", "a", "1" },
    { "escape at the end", "-c a=1\\", "a", "1" },
    { "tabs and newlines", "\t-c\n a=1\r\f\v", "a", "1" },
    { "after joined flags", "-ec a=1", "a", "1" },
    { "value of another switch", "-S 10 -c a=1", "a", "1" },
    { "looks like a switch but is a value", "-h -c -c a=1", "a", "1" },
    { "argument of another switch", "-o-c --a=1", "a", NULL },
    { "after --", "-c b=1 -- -c a=1", "a", NULL },
    { "before --", "-c a=1 --", "a", "1" },
    { "after a word", "x -c a=1", "a", NULL },
    { "after an unknown letter", "-q -c a=1", "a", NULL },
    { "no value", "-c a", "a", NULL },
    { "no argument", "-c", "a", NULL },
    { "other name with the same start", "-c ab=1", "a", NULL },
    { "shorter name", "-c a=1", "ab", NULL },
    { "empty", "", "a", NULL },
    { "blanks", "   ", "a", NULL },
    { "lone dash", "- -c a=1", "a", NULL },
    { "colon is no switch", "-: -c a=1", "a", NULL },
    { "name with a blank inside", "-c a\\ =1", "a", NULL },
};

START_TEST(options_are_read_as_the_server_reads_them)
{
    const struct options_case *c = &options[_i];
    char value[64] = "untouched";
    size_t n = strlen(c->options);
    EXACT(p, c->options, n);

    bool is_set = pgw_options_get((struct str){ p, n }, c->param, value, sizeof value);
    CASE_INT(c, is_set, c->value != NULL);
    CASE_STR(c, value, c->value ? c->value : "untouched");
}
END_TEST

START_TEST(long_option_value_is_cut)
{
    char value[4];

    ck_assert(pgw_options_get(STR("-c a=abcdef"), "a", value, sizeof value));
    ck_assert_str_eq(value, "abc");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("pgwire/startup");
    TCase *tc = tcase_create("startup");

    tcase_add_loop_test(tc, packet_is_read_or_refused, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(
        tc, every_prefix_of_a_good_packet_needs_more, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(
        tc, prefix_of_a_bad_packet_is_never_taken, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, bytes_after_the_packet_are_not_looked_at);
    tcase_add_loop_test(
        tc, length_is_judged_before_the_rest_arrives, 0, DG_ARRAY_SIZE(lengths));
    tcase_add_test(tc, code_is_judged_before_the_rest_arrives);
    tcase_add_test(tc, largest_packet_is_taken);
    tcase_add_test(tc, parameters_are_counted);
    tcase_add_test(tc, cancel_request_yields_its_key);
    tcase_add_test(tc, parameters_are_found_as_the_server_finds_them);
    tcase_add_test(tc, built_packet_reads_back);
    tcase_add_loop_test(
        tc, options_are_read_as_the_server_reads_them, 0, DG_ARRAY_SIZE(options));
    tcase_add_test(tc, long_option_value_is_cut);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
