// SPDX-License-Identifier: ISC
/* ErrorResponse and NoticeResponse: fields come back as they went in, empty ones are left
 * out, long ones cut; damaged bodies give nothing. */
#include "pgwire/pgwire.h"

#include "lib/exact.h"
#include "lib/unit.h"

static const struct pgw_error full = {
    .severity = "ERROR",
    .sqlstate = "42501",
    .message = "ddlgate: DROP TABLE refused",
    .detail = "one\ntwo",
    .hint = "write a migration",
    .where = "database shop, statement 2",
    .schema = "billing",
    .table = "orders",
    .column = "id",
    .constraint = "migration-first",
    .file = "policy.ini",
    .routine = "10 no drops",
    .line = 12,
    .position = 34,
};

struct field_case {
    const char *name;
    char code;
    const char *text; /* NULL: absent */
};

static const struct field_case fields[] = {
    { "severity", 'S', "ERROR" },
    { "severity not translated", 'V', "ERROR" },
    { "sqlstate", 'C', "42501" },
    { "message", 'M', "ddlgate: DROP TABLE refused" },
    { "detail", 'D', "one\ntwo" },
    { "hint", 'H', "write a migration" },
    { "position", 'P', "34" },
    { "where", 'W', "database shop, statement 2" },
    { "schema", 's', "billing" },
    { "table", 't', "orders" },
    { "column", 'c', "id" },
    { "constraint", 'n', "migration-first" },
    { "file", 'F', "policy.ini" },
    { "line", 'L', "12" },
    { "routine", 'R', "10 no drops" },
    { "internal query", 'q', NULL },
    { "terminator is no code", '\0', NULL },
};

/* Checks the header against the side's own rules and gives the body. */
static struct str
body_of(struct buf *b, char type)
{
    struct pgw_head h;

    ck_assert_int_eq(pgw_head_server(buf_ptr(b), buf_len(b), &h, NULL), 0);
    ck_assert_int_eq(h.type, type);
    ck_assert_uint_eq(h.body_len + PGW_HEADER_SIZE, buf_len(b));
    return (struct str){ buf_ptr(b) + PGW_HEADER_SIZE, h.body_len };
}

START_TEST(field_comes_back_as_it_went_in)
{
    const struct field_case *c = &fields[_i];
    struct buf b = BUF_INIT(PGW_MAX_ERROR);
    struct str got = STR("untouched");

    pgw_error_build(&b, false, &full);
    struct str body = body_of(&b, 'E');
    EXACT(p, body.p, body.n);
    CASE_INT(c, pgw_error_field(p, body.n, c->code, &got), c->text != NULL);
    CASE_INT(c, str_eqz(got, c->text ? c->text : "untouched"), true);
    buf_deinit(&b);
}
END_TEST

START_TEST(no_prefix_of_a_body_is_read_past_its_end)
{
    struct buf b = BUF_INIT(PGW_MAX_ERROR);

    pgw_error_build(&b, false, &full);
    struct str body = body_of(&b, 'E');
    for (size_t n = 0; n < body.n; n++) {
        struct str got;
        EXACT(p, body.p, n);
        ck_assert(!pgw_error_field(p, n, 'x', &got));
        ck_assert(!pgw_error_field(p, n, 'R', &got) || n == body.n - 1);
    }
    buf_deinit(&b);
}
END_TEST

START_TEST(position_is_moved_and_nothing_else)
{
    bool is_notice = _i;
    struct buf b = BUF_INIT(PGW_MAX_ERROR), moved = BUF_INIT(PGW_MAX_ERROR);
    struct buf want = BUF_INIT(PGW_MAX_ERROR);
    struct pgw_error other = full;
    struct str body;

    other.position = 1234;
    pgw_error_build(&b, is_notice, &full);
    pgw_error_build(&want, is_notice, &other);
    body = body_of(&b, is_notice ? 'N' : 'E');
    ck_assert(pgw_error_move(&moved, is_notice, body.p, body.n, 1234));
    ck_assert_uint_eq(buf_len(&moved), buf_len(&want));
    ck_assert_mem_eq(buf_ptr(&moved), buf_ptr(&want), buf_len(&want));
    for (size_t n = 0; n < body.n; n++) {
        EXACT(p, body.p, n);
        buf_reset(&moved);
        ck_assert(!pgw_error_move(&moved, is_notice, p, n, 1));
    }
    buf_reset(&b);
    buf_reset(&moved);
    other.position = 0;
    pgw_error_build(&b, is_notice, &other);
    body = body_of(&b, is_notice ? 'N' : 'E');
    ck_assert(!pgw_error_move(&moved, is_notice, body.p, body.n, 1)); /* it has none */
    buf_deinit(&b);
    buf_deinit(&moved);
    buf_deinit(&want);
}
END_TEST

START_TEST(fields_are_left_out)
{
    bool is_notice = _i;
    struct buf b = BUF_INIT(PGW_MAX_ERROR), left = BUF_INIT(PGW_MAX_ERROR);
    struct buf want = BUF_INIT(PGW_MAX_ERROR);
    struct pgw_error other = full;
    struct str body;

    other.position = 0;
    other.where = NULL;
    pgw_error_build(&b, is_notice, &full);
    pgw_error_build(&want, is_notice, &other);
    body = body_of(&b, is_notice ? 'N' : 'E');
    ck_assert(pgw_error_strip(&left, is_notice, body.p, body.n, "PW"));
    ck_assert_uint_eq(buf_len(&left), buf_len(&want));
    ck_assert_mem_eq(buf_ptr(&left), buf_ptr(&want), buf_len(&want));
    for (size_t n = 0; n < body.n; n++) {
        EXACT(p, body.p, n);
        buf_reset(&left);
        ck_assert(!pgw_error_strip(&left, is_notice, p, n, "PW"));
    }
    buf_deinit(&b);
    buf_deinit(&left);
    buf_deinit(&want);
}
END_TEST

START_TEST(notice_leaves_out_what_is_empty)
{
    struct buf b = BUF_INIT(PGW_MAX_ERROR);
    struct pgw_error e = {
        .severity = "WARNING", .sqlstate = "01000", .message = "x", .detail = ""
    };

    pgw_error_build(&b, true, &e);
    struct str body = body_of(&b, 'N');
    ck_assert_uint_eq(body.n, sizeof("SWARNING\0VWARNING\0C01000\0Mx\0"));
    ck_assert_mem_eq(body.p, "SWARNING\0VWARNING\0C01000\0Mx\0", body.n);
    buf_deinit(&b);
}
END_TEST

START_TEST(long_field_is_cut_at_a_character)
{
    struct buf b = BUF_INIT(PGW_MAX_ERROR);
    char *text = calloc(1, PGW_MAX_TEXT + 100);
    struct pgw_error e = { .severity = "ERROR", .message = text };
    struct str got;

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', PGW_MAX_TEXT + 50);
    memcpy(text + PGW_MAX_TEXT - 2, "\xe2\x82\xac", 3); /* the euro sign straddles */
    pgw_error_build(&b, false, &e);
    struct str body = body_of(&b, 'E');
    ck_assert(pgw_error_field(body.p, body.n, 'M', &got));
    ck_assert_uint_eq(got.n, PGW_MAX_TEXT - 2);
    free(text);
    buf_deinit(&b);
}
END_TEST

START_TEST(long_name_is_cut_shorter)
{
    struct buf b = BUF_INIT(PGW_MAX_ERROR);
    char *text = calloc(1, PGW_MAX_TEXT);
    struct pgw_error e = { .severity = "ERROR", .message = text, .table = text };
    struct str got;

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', PGW_MAX_TEXT - 1);
    pgw_error_build(&b, false, &e);
    struct str body = body_of(&b, 'E');
    ck_assert(pgw_error_field(body.p, body.n, 't', &got));
    ck_assert_uint_eq(got.n, PGW_MAX_NAME);
    ck_assert(pgw_error_field(body.p, body.n, 'M', &got));
    ck_assert_uint_eq(got.n, PGW_MAX_TEXT - 1);
    free(text);
    buf_deinit(&b);
}
END_TEST

START_TEST(largest_error_fits_the_promised_size)
{
    struct buf b = BUF_INIT(PGW_MAX_ERROR);
    char *text = calloc(1, 2 * PGW_MAX_TEXT);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', 2 * PGW_MAX_TEXT - 1);
    struct pgw_error e = { text, text, text, text, text, text, text, text, text, text,
        text, text, INT32_MAX, INT32_MAX };
    pgw_error_build(&b, false, &e);
    ck_assert_uint_le(buf_len(&b), PGW_MAX_ERROR);
    body_of(&b, 'E');
    free(text);
    buf_deinit(&b);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("pgwire/error");
    TCase *tc = tcase_create("fields");

    tcase_add_loop_test(tc, field_comes_back_as_it_went_in, 0, DG_ARRAY_SIZE(fields));
    tcase_add_test(tc, no_prefix_of_a_body_is_read_past_its_end);
    tcase_add_loop_test(tc, position_is_moved_and_nothing_else, 0, 2);
    tcase_add_loop_test(tc, fields_are_left_out, 0, 2);
    tcase_add_test(tc, notice_leaves_out_what_is_empty);
    tcase_add_test(tc, long_field_is_cut_at_a_character);
    tcase_add_test(tc, long_name_is_cut_shorter);
    tcase_add_test(tc, largest_error_fits_the_promised_size);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
