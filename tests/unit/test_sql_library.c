// SPDX-License-Identifier: ISC
/* Trees come straight from the library, and are those that its bytes hold. */
#include "sql/library.h"

/* The same file as it works when the library doesn't call its functions. */
#define lib_parse                               bytes_parse
#define lib_n_unpacked                          bytes_n_unpacked
#define pg_query__parse_result__get_packed_size bytes_get_packed_size
#define pg_query__parse_result__pack            bytes_pack
size_t bytes_get_packed_size(const PgQuery__ParseResult *tree);
size_t bytes_pack(const PgQuery__ParseResult *tree, uint8_t *out);
int bytes_parse(const char *text, lib_tree_fn *fn, void *ctx, struct lib_error *error)
    MUST_CHECK;
size_t bytes_n_unpacked(void);
#include "sql/library.c"
#undef lib_parse
#undef lib_n_unpacked
#undef pg_query__parse_result__get_packed_size
#undef pg_query__parse_result__pack

#include "lib/unit.h"

static const struct {
    const char *name;
} texts[] = {
    { "SELECT 1" },
    { "SELECT a.b, 'x', 1.5, NULL, B'01', true FROM a JOIN b USING (c) WHERE d IN (1, 2)" },
    { "CREATE TABLE t (a int DEFAULT 0 CHECK (a > 0), b text[] NOT NULL, UNIQUE (a, b))" },
    { "ALTER TABLE s.t ADD COLUMN c numeric(10, 2), DROP COLUMN d CASCADE; DROP VIEW v" },
    { "INSERT INTO t (a) VALUES (1), (DEFAULT) ON CONFLICT DO NOTHING RETURNING *" },
    { "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT a $$" },
    { "GRANT SELECT (a) ON t TO PUBLIC; BEGIN; SAVEPOINT x; COMMIT" },
    { "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) TABLE r" },
};

struct seen {
    char *bytes; /* owned */
    size_t n;
    int calls;
};

static void
look(void *ctx, const PgQuery__ParseResult *tree)
{
    struct seen *s = ctx;

    mem_free(s->bytes);
    s->n = protobuf_c_message_get_packed_size(&tree->base);
    s->bytes = mem_alloc(s->n);
    protobuf_c_message_pack(&tree->base, (uint8_t *)s->bytes);
    s->calls++;
}

START_TEST(both_ways_give_one_tree)
{
    struct seen taken = { 0 }, read = { 0 };
    struct lib_error error;
    const char *text = texts[_i].name;

    ck_assert_int_eq(lib_parse(text, look, &taken, &error), 0);
    ck_assert_int_eq(bytes_parse(text, look, &read, &error), 0);
    ck_assert_int_eq(taken.calls, 1);
    ck_assert_int_eq(read.calls, 1);
    ck_assert_uint_gt(taken.n, 8);
    ck_assert_uint_eq(taken.n, read.n);
    ck_assert_mem_eq(taken.bytes, read.bytes, read.n);
    mem_free(taken.bytes);
    mem_free(read.bytes);
}
END_TEST

START_TEST(no_tree_goes_through_bytes)
{
    size_t before = lib_n_unpacked(), bytes_before = bytes_n_unpacked();
    struct seen seen = { 0 };
    struct lib_error error;

    ck_assert_int_eq(lib_parse("DROP TABLE t", look, &seen, &error), 0);
    ck_assert_int_eq(bytes_parse("DROP TABLE t", look, &seen, &error), 0);
    mem_free(seen.bytes);
    ck_assert_uint_eq(lib_n_unpacked(), before);
    ck_assert_uint_eq(bytes_n_unpacked(), bytes_before + 1);
}
END_TEST

/* A body inside a body: the outer tree is still there after the inner one. */
static void
look_inside(void *ctx, const PgQuery__ParseResult *tree)
{
    struct seen *s = ctx, inner = { 0 };
    struct lib_error error;

    if (s->calls < 3) {
        inner.calls = s->calls + 1;
        ck_assert_int_eq(lib_parse("SELECT 1; SELECT", look_inside, &inner, &error), 0);
        ck_assert_int_eq(lib_parse("SELEC", look_inside, &inner, &error), -EINVAL);
        mem_free(inner.bytes);
    }
    look(s, tree);
}

START_TEST(parses_nest)
{
    struct seen outer = { 0 }, plain = { 0 };
    struct lib_error error;

    ck_assert_int_eq(lib_parse("DROP TABLE a, b", look_inside, &outer, &error), 0);
    ck_assert_int_eq(bytes_parse("DROP TABLE a, b", look, &plain, &error), 0);
    ck_assert_uint_eq(outer.n, plain.n);
    ck_assert_mem_eq(outer.bytes, plain.bytes, plain.n);
    mem_free(outer.bytes);
    mem_free(plain.bytes);
}
END_TEST

START_TEST(a_text_without_statements_has_no_tree)
{
    struct seen seen = { 0 };
    struct lib_error error;

    ck_assert_int_eq(lib_parse(" ; ", look, &seen, &error), 0);
    ck_assert_int_eq(bytes_parse("", look, &seen, &error), 0);
    ck_assert_int_eq(seen.calls, 0);
}
END_TEST

START_TEST(an_error_has_its_place)
{
    struct seen seen = { 0 };
    struct lib_error error;

    ck_assert_int_eq(lib_parse("DROP TABEL a", look, &seen, &error), -EINVAL);
    ck_assert_str_eq(error.text, "syntax error at or near \"TABEL\"");
    ck_assert_int_eq(error.cursor, 6);
    ck_assert_int_eq(seen.calls, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("sql_library");
    TCase *tc = tcase_create("library");

    tcase_add_loop_test(
        tc, both_ways_give_one_tree, 0, (int)(sizeof(texts) / sizeof(*texts)));
    tcase_add_test(tc, no_tree_goes_through_bytes);
    tcase_add_test(tc, parses_nest);
    tcase_add_test(tc, a_text_without_statements_has_no_tree);
    tcase_add_test(tc, an_error_has_its_place);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
