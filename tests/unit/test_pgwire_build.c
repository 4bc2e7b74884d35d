// SPDX-License-Identifier: ISC
/* What is built is what the readers of the same protocol take: headers by either side's
 * rules, bodies by their parsers; and what the server says is read as it was sent. */
#include "pgwire/pgwire.h"

#include "lib/exact.h"
#include "lib/unit.h"

typedef int (*head_fn)(const char *, size_t, struct pgw_head *, struct err *);

/* The one message in b, checked; its body. */
static struct str
only(struct buf *b, head_fn head, char type)
{
    struct pgw_head h;
    struct err err = { "" };

    ck_assert_msg(head(buf_ptr(b), buf_len(b), &h, &err) == 0, "%s", err.text);
    ck_assert_int_eq(h.type, type);
    ck_assert_uint_eq(h.body_len + PGW_HEADER_SIZE, buf_len(b));
    return (struct str){ buf_ptr(b) + PGW_HEADER_SIZE, h.body_len };
}

START_TEST(client_messages_read_back)
{
    struct buf b = BUF_INIT(1024);
    struct pgw_parse parse;
    struct pgw_bind bind;
    struct str s;
    char what;

    pgw_build_query(&b, "select 1");
    struct str body = only(&b, pgw_head_client, 'Q');
    ck_assert_int_eq(pgw_parse_query(body.p, body.n, &s, NULL), 0);
    ck_assert(str_eqz(s, "select 1"));

    buf_reset(&b);
    pgw_build_parse(&b, STR("s1"), "select 2");
    body = only(&b, pgw_head_client, 'P');
    ck_assert_int_eq(pgw_parse_parse(body.p, body.n, &parse, NULL), 0);
    ck_assert(str_eqz(parse.name, "s1") && str_eqz(parse.sql, "select 2"));

    buf_reset(&b);
    pgw_build_parse_typed(
        &b, STR("s1"), "select $1", (struct str){ "\0\1\0\0\0\x17", 6 });
    body = only(&b, pgw_head_client, 'P');
    ck_assert_int_eq(pgw_parse_parse(body.p, body.n, &parse, NULL), 0);
    ck_assert(str_eqz(parse.sql, "select $1") && parse.n_types == 1);
    ck_assert_uint_eq(parse.types.n, 6);
    ck_assert_mem_eq(parse.types.p, "\0\1\0\0\0\x17", 6);

    buf_reset(&b);
    pgw_build_bind(&b, STR("p1"), STR("s1"));
    body = only(&b, pgw_head_client, 'B');
    ck_assert_int_eq(pgw_parse_bind(body.p, body.n, &bind, NULL), 0);
    ck_assert(str_eqz(bind.portal, "p1") && str_eqz(bind.statement, "s1"));
    ck_assert_uint_eq(bind.n_params, 0);

    buf_reset(&b);
    pgw_build_execute(&b, STR("p1"));
    body = only(&b, pgw_head_client, 'E');
    ck_assert_int_eq(pgw_parse_execute(body.p, body.n, &s, NULL), 0);
    ck_assert(str_eqz(s, "p1"));

    buf_reset(&b);
    pgw_build_close(&b, 'S', STR("s1"));
    body = only(&b, pgw_head_client, 'C');
    ck_assert_int_eq(pgw_parse_target(body.p, body.n, &what, &s, NULL), 0);
    ck_assert(what == 'S' && str_eqz(s, "s1"));
    buf_deinit(&b);
}
END_TEST

START_TEST(empty_names_and_messages_are_built)
{
    struct buf b = BUF_INIT(1024);

    pgw_build_parse(&b, (struct str){ NULL, 0 }, "");
    pgw_build_sync(&b);
    pgw_build_terminate(&b);
    ck_assert_uint_eq(buf_len(&b), 19);
    ck_assert_mem_eq(buf_ptr(&b), "P\0\0\0\x08\0\0\0\0S\0\0\0\4X\0\0\0\4", 19);
    buf_deinit(&b);
}
END_TEST

START_TEST(cancel_reads_back)
{
    struct buf b = BUF_INIT(64);
    struct pgw_startup s;

    pgw_build_cancel(&b, 77, STR("key!"));
    ck_assert_int_eq(pgw_startup_parse(buf_ptr(&b), buf_len(&b), &s, NULL), 0);
    ck_assert_int_eq(s.kind, PGW_CANCEL_REQUEST);
    ck_assert_uint_eq(s.size, 16);
    ck_assert_uint_eq(s.cancel_pid, 77);
    ck_assert(str_eqz(s.cancel_key, "key!"));
    buf_deinit(&b);
}
END_TEST

START_TEST(server_messages_read_back)
{
    struct buf b = BUF_INIT(1024);
    struct str k, v;
    uint32_t n;
    char status;

    pgw_build_auth_ok(&b);
    struct str body = only(&b, pgw_head_server, 'R');
    ck_assert_int_eq(pgw_parse_auth(body.p, body.n, &n), 0);
    ck_assert_uint_eq(n, PGW_AUTH_OK);

    buf_reset(&b);
    pgw_build_parameter_status(&b, "client_encoding", STR("UTF8"));
    body = only(&b, pgw_head_server, 'S');
    ck_assert_int_eq(pgw_parse_parameter_status(body.p, body.n, &k, &v), 0);
    ck_assert(str_eqz(k, "client_encoding") && str_eqz(v, "UTF8"));

    buf_reset(&b);
    pgw_build_backend_key(&b, 4711, STR("abcd"));
    body = only(&b, pgw_head_server, 'K');
    ck_assert_int_eq(pgw_parse_backend_key(body.p, body.n, &n, &k), 0);
    ck_assert_uint_eq(n, 4711);
    ck_assert(str_eqz(k, "abcd"));

    buf_reset(&b);
    pgw_build_ready(&b, 'T');
    body = only(&b, pgw_head_server, 'Z');
    ck_assert_int_eq(pgw_parse_ready(body.p, body.n, &status), 0);
    ck_assert_int_eq(status, 'T');

    buf_reset(&b);
    pgw_build_command_complete(&b, "SHOW");
    body = only(&b, pgw_head_server, 'C');
    ck_assert_int_eq(pgw_parse_command_complete(body.p, body.n, &k), 0);
    ck_assert(str_eqz(k, "SHOW"));
    buf_deinit(&b);
}
END_TEST

START_TEST(rows_have_the_protocol_s_layout)
{
    static const char *const names[] = { "a", "bc" };
    static const char *const values[] = { "x", NULL, "" };
    struct buf b = BUF_INIT(1024);

    pgw_build_row_description(&b, names, 2);
    struct str body = only(&b, pgw_head_server, 'T');
    ck_assert_uint_eq(body.n, 2 + 2 + 18 + 3 + 18);
    ck_assert_mem_eq(
        body.p, "\0\2a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0bc", 25);

    buf_reset(&b);
    pgw_build_data_row(&b, values, 3);
    body = only(&b, pgw_head_server, 'D');
    ck_assert_uint_eq(body.n, 15);
    ck_assert_mem_eq(body.p, "\0\3\0\0\0\1x\xff\xff\xff\xff\0\0\0\0", 15);
    buf_deinit(&b);
}
END_TEST

struct bad_case {
    const char *name;
    char type;
    const char *body;
    size_t n;
};

#define R(literal) literal, sizeof(literal) - 1

static const struct bad_case bad[] = {
    { "authentication cut", 'R', R("\0\0\0") },
    { "no status", 'Z', R("") },
    { "unknown status", 'Z', R("X") },
    { "status and more", 'Z', R("II") },
    { "key cut", 'K', R("\0\0\0\1abc") },
    { "parameter name not terminated", 'S', R("x") },
    { "parameter value not terminated", 'S', R("x\0y") },
    { "parameter with more", 'S', R("x\0y\0z") },
    { "tag not terminated", 'C', R("SELECT 1") },
    { "tag with more", 'C', R("SELECT 1\0x") },
    { "empty tag body", 'C', R("") },
};

START_TEST(damaged_server_message_is_malformed)
{
    const struct bad_case *c = &bad[_i];
    struct str k, v;
    uint32_t n;
    char status;
    int r = -1;
    EXACT(p, c->body, c->n);

    if (c->type == 'R')
        r = pgw_parse_auth(p, c->n, &n);
    else if (c->type == 'Z')
        r = pgw_parse_ready(p, c->n, &status);
    else if (c->type == 'K')
        r = pgw_parse_backend_key(p, c->n, &n, &k);
    else if (c->type == 'S')
        r = pgw_parse_parameter_status(p, c->n, &k, &v);
    else if (c->type == 'C')
        r = pgw_parse_command_complete(p, c->n, &k);
    CASE_INT(c, r, PGW_E_MALFORMED);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("pgwire/build");
    TCase *tc = tcase_create("messages");

    tcase_add_test(tc, client_messages_read_back);
    tcase_add_test(tc, empty_names_and_messages_are_built);
    tcase_add_test(tc, cancel_reads_back);
    tcase_add_test(tc, server_messages_read_back);
    tcase_add_test(tc, rows_have_the_protocol_s_layout);
    tcase_add_loop_test(tc, damaged_server_message_is_malformed, 0, DG_ARRAY_SIZE(bad));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
