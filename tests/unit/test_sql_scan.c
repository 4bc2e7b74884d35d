// SPDX-License-Identifier: ISC
/* Texts are cut where the server cuts them, the right words count, equal digests mean equal
 * statements, and nothing that passes can exhaust the parser's stack. */
#include "sql/scan.h"

#include "base/mem.h"
#include "sql/tree.h"

#include <pthread.h>

#include "lib/unit.h"

#define MAX_DEPTH 10000

enum {
    OFF,
    ON
}; /* standard_conforming_strings */

static const char *const tracked[] = { "schema_migrations" };

static int
scan_of(struct sql_scan *scan, const struct sql_words *w, const char *text,
    bool std_strings)
{
    struct err err = { .text = "" };
    int r = sql_scan(scan, w, text, strlen(text), std_strings, MAX_DEPTH, &err);

    ck_assert_msg(!r == !err.text[0], "%s: %d \"%s\"", text, r, err.text);
    return r;
}

static const struct {
    const char *name, *text;
    const char *want; /* statements between bars */
} split_cases[] = {
    { "one", "SELECT 1", "SELECT 1" },
    { "two", " SELECT 1 ;\n SELECT 2 ; ", "SELECT 1|SELECT 2" },
    { "empty ones are left out", ";;SELECT 1;;;--x\n;", "SELECT 1" },
    { "comments around are left out", "/*a*/SELECT/*b*/1/*c*/;--d", "SELECT/*b*/1" },
    { "not in strings", "SELECT ';', \";\", $$;$$; SELECT E'\\';'",
        "SELECT ';', \";\", $$;$$|SELECT E'\\';'" },
    { "not in brackets",
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)|SELECT 3" },
    { "closing brackets too many", "SELECT 1)); SELECT (2)", "SELECT 1))|SELECT (2)" },
    { "not in a routine's body",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END|SELECT 3" },
    { "CASE in a body",
        "create or replace procedure p() begin atomic select case when a then .5 end; end; x",
        "create or replace procedure p() begin atomic select case when a then .5 end; end|x" },
    { "a label END in a body",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end, x.case; END; y",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end, x.case; END|y" },
    { "an old routine has no body to skip",
        "CREATE FUNCTION f() RETURNS int AS 'BEGIN;' LANGUAGE sql; SELECT 1",
        "CREATE FUNCTION f() RETURNS int AS 'BEGIN;' LANGUAGE sql|SELECT 1" },
    { "atomic is only that in a routine",
        "CREATE TABLE t AS SELECT begin atomic; SELECT 2",
        "CREATE TABLE t AS SELECT begin atomic|SELECT 2" },
    { "BEGIN alone", "BEGIN; SELECT 1; END; x", "BEGIN|SELECT 1|END|x" },
};

START_TEST(statements_are_cut)
{
    AUTO(sql_scan_deinit) struct sql_scan scan;
    char got[512] = "";
    size_t n = 0;

    CASE_INT(&split_cases[_i], scan_of(&scan, NULL, split_cases[_i].text, true), 0);
    for (size_t i = 0; i < scan.n; i++)
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%.*s", i ? "|" : "",
            (int)scan.stmts[i].len, split_cases[_i].text + scan.stmts[i].start);
    CASE_STR(&split_cases[_i], got, split_cases[_i].want);
}
END_TEST

START_TEST(lines_and_first_words_are_told)
{
    static const char text[] =
        "\n/*\n*/ create Table t();\n\n1 \"x\";\nabcdefghijklmnopq é1";
    AUTO(sql_scan_deinit) struct sql_scan scan;

    ck_assert_int_eq(scan_of(&scan, NULL, text, true), 0);
    ck_assert_uint_eq(scan.n, 3);
    ck_assert_int_eq(scan.stmts[0].line, 3);
    ck_assert_str_eq(scan.stmts[0].first[0], "CREATE");
    ck_assert_str_eq(scan.stmts[0].first[1], "TABLE");
    ck_assert_int_eq(scan.stmts[1].line, 5);
    ck_assert_str_eq(scan.stmts[1].first[0], "");
    ck_assert_str_eq(scan.stmts[1].first[1], "");
    ck_assert_int_eq(scan.stmts[2].line, 6);
    ck_assert_str_eq(scan.stmts[2].first[0], "");
    ck_assert_str_eq(scan.stmts[2].first[1], "é1");
}
END_TEST

enum {
    SCHEMA = SQL_W_SCHEMA,
    CODE = SQL_W_CODE,
    INTO = SQL_W_INTO,
    HISTORY = SQL_W_HISTORY,
    SETTING = SQL_W_SETTING,
    PREPARED = SQL_W_PREPARED,
    TX = SQL_W_TX,
};

static const struct {
    const char *name;
    unsigned want;
    const char *text;
} word_cases[] = {
    { "in strings and comments nothing counts", 0,
        "SELECT 'DROP', \"CREATE\", $$ALTER$$ /* INTO */ --EXECUTE" },
    { "schema words inside of queries are names", 0,
        "SELECT comment, drop FROM alter; WITH create AS (SELECT 1) TABLE create" },
    { "inside of brackets, too", 0, "(SELECT truncate)" },
    { "in COPY", 0, "COPY t (comment, grant) FROM STDIN" },
    { "a statement that starts with one", SCHEMA, "SELECT 1; TRUNCATE t" },
    { "in EXPLAIN", SCHEMA, "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1" },
    { "in EXPLAIN with options", SCHEMA,
        "EXPLAIN (COSTS off) REFRESH MATERIALIZED VIEW v" },
    { "after a word that nobody knows", SCHEMA, "FROBNICATE CREATE TABLE t" },
    { "COMMENT without ON", 0, "EXPLAIN SELECT comment FROM t" },
    { "COMMENT ON", SCHEMA, "COMMENT /**/ ON TABLE t IS 'x'" },
    { "the word of version 19", SCHEMA, "REPACK t" },
    { "SELECT INTO", INTO, "SELECT 1 INTO t" },
    { "in a CTE", INTO, "WITH a AS (INSERT INTO t SELECT 1) SELECT 1" },
    { "INSERT needs one INTO", 0, "INSERT INTO t SELECT 1" },
    { "but not two", INTO, "INSERT INTO t SELECT 1 INTO u" },
    { "each statement has its own", INTO, "INSERT INTO t SELECT 1; SELECT 1 INTO t" },
    { "MERGE needs one INTO", 0,
        "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE" },
    { "PREPARE with INTO", INTO | PREPARED, "PREPARE p AS SELECT 1 INTO t" },
    { "EXECUTE anywhere", PREPARED, "EXPLAIN EXECUTE p" },
    { "EXECUTE for a table", SCHEMA | PREPARED, "CREATE TABLE t AS EXECUTE p" },
    { "PREPARE only first", 0, "SELECT prepare, deallocate" },
    { "SET only first", 0, "UPDATE t SET a = 1 WHERE set" },
    { "SET", SETTING, "BEGIN; SET LOCAL a = 1" },
    { "RESET, DISCARD", SETTING, "RESET a; DISCARD ALL" },
    { "set_config in any spelling", SETTING,
        "SELECT pg_catalog.\"set_config\"('a', 'b', false)" },
    { "UPDATE pg_settings", SETTING, "UPDATE pg_settings SET setting = 1" },
    { "DO only first", 0, "INSERT INTO t SELECT 1 ON CONFLICT DO UPDATE SET a = 1" },
    { "DO", CODE, "DO 'x'" },
    { "CALL", CODE, "CALL p()" },
    { "COMMIT only first", 0, "SELECT commit, abort, CASE WHEN 1 THEN 2 END" },
    { "transactions", TX, "START TRANSACTION" },
    { "END first", TX, "END" },
    { "a tracked name", HISTORY, "DELETE FROM schema_migrations" },
    { "a tracked name in quotes", HISTORY, "LOCK TABLE \"Schema_Migrations\"" },
    { "not in strings", 0, "SELECT 'schema_migrations'" },
    { "not as part of another", 0,
        "SELECT schema_migrations_old, \"schema_migrations \"" },
    { "a U& name could be any", HISTORY | SETTING, "SELECT U&\"a\"" },
};

START_TEST(words_count_where_a_command_can_be)
{
    AUTO(sql_words_free) struct sql_words *w = sql_words_new(tracked, 1);
    AUTO(sql_scan_deinit) struct sql_scan scan;

    CASE_INT(&word_cases[_i], scan_of(&scan, w, word_cases[_i].text, true), 0);
    CASE_INT(&word_cases[_i], scan.words & ~(unsigned)(TX & ~word_cases[_i].want),
        word_cases[_i].want);
}
END_TEST

static const struct {
    const char *name;
    bool is_equal;
    bool b_std_strings; /* a is read with it on */
    const char *a, *b;
} digest_cases[] = {
    { "white space, comments, the last semicolon", true, ON, "SELECT  1 /*x*/ + 2;",
        "SELECT 1\n+--y\n2" },
    { "case of words", true, ON, "create Table T()", "CREATE TABLE t()" },
    { "not of quoted names", false, ON, "SELECT \"A\"", "SELECT \"a\"" },
    { "quoted is not unquoted", false, ON, "SELECT \"select\"", "SELECT select" },
    { "values of constants", false, ON, "SELECT 'a'", "SELECT 'b'" },
    { "numbers", false, ON, "SELECT 1", "SELECT 2" },
    { "spellings of a constant", true, ON, "SELECT 'a''b', 'c'",
        "SELECT $$a'b$$, E'\\x63'" },
    { "tags of dollar quotes", true, ON, "DO $a$x$a$", "DO $$x$$" },
    { "continued constants", true, ON, "SELECT 'a'\n'b'", "SELECT 'ab'" },
    { "constants side by side", false, ON, "SELECT 'a' 'b'", "SELECT 'ab'" },
    { "national constants", false, ON, "SELECT N'a'", "SELECT 'a'" },
    { "bit strings", false, ON, "SELECT b'1'", "SELECT '1'" },
    { "bit strings of another base", false, ON, "SELECT b'1'", "SELECT x'1'" },
    { "tokens next to each other", false, ON, "SELECT ab", "SELECT a b" },
    { "operators", false, ON, "SELECT 1 < = 2", "SELECT 1 <= 2" },
    { "signs", true, ON, "SELECT a=-1", "SELECT a = - 1" },
    { "a constant and a name", false, ON, "SELECT 'a'", "SELECT \"a\"" },
    { "a constant and a word", false, ON, "SELECT 'a'", "SELECT a" },
    { "bodies", false, ON, "DO $$BEGIN x; END$$", "DO $$BEGIN y; END$$" },
    { "role options", false, ON, "ALTER ROLE a SUPERUSER", "ALTER ROLE a NOSUPERUSER" },
    { "the same value in the other string mode", true, OFF, "SELECT 'a\\b'",
        "SELECT 'a\\\\b'" },
    { "another value in the other string mode", false, OFF, "SELECT 'a\\nb'",
        "SELECT 'a\\nb'" },
    { "escapes for bytes that an encoding decides", false, ON, "SELECT E'\\u00e9'",
        "SELECT '\xc3\xa9'" },
    { "escapes that fail", false, ON, "SELECT E'\\u00'", "SELECT E'\\u0'" },
    { "comments inside of those", true, ON,
        "SELECT b'1' --x\n'0', U&'a'\n'b', E'\\xe9'\n\n'1'",
        "SELECT b'1'\n'0', U&'a'\r'b', E'\\xe9'--y\n'1'" },
    { "escapes cut in two", false, ON, "SELECT E'\\xe'\n'9\\xe9'",
        "SELECT E'\\xe9\\xe9'" },
    { "parameters", false, ON, "SELECT $1", "SELECT $2" },
    { "how U& names are written", false, ON, "SELECT U&\"a\"", "SELECT \"a\"" },
};

START_TEST(equal_digests_mean_equal_statements)
{
    AUTO(sql_scan_deinit) struct sql_scan a, b;

    CASE_INT(&digest_cases[_i], scan_of(&a, NULL, digest_cases[_i].a, true), 0);
    CASE_INT(&digest_cases[_i],
        scan_of(&b, NULL, digest_cases[_i].b, digest_cases[_i].b_std_strings), 0);
    CASE_INT(&digest_cases[_i], a.n, 1);
    CASE_INT(&digest_cases[_i], sql_digest_eq(&a.stmts[0].digest, &b.stmts[0].digest),
        digest_cases[_i].is_equal);
}
END_TEST

/* Digests are kept in lockfiles: they must never change. */
START_TEST(the_digest_stays_what_it_is)
{
    static const char text[] =
        "x; ALTER TABLE \"a\"\"b\" ADD c int DEFAULT -1.5, ADD d text "
        "DEFAULT E'e\\'f' || N'g' || b'1' || $1::U&\"h\"";
    AUTO(sql_scan_deinit) struct sql_scan scan;
    char hex[HASH_HEX_SIZE];

    ck_assert_int_eq(scan_of(&scan, NULL, text, true), 0);
    hash_hex(scan.stmts[1].digest.bytes, HASH_SHA256_SIZE, hex);
    ck_assert_str_eq(
        hex, "c3ca96cb7135ed83965004fd664c51237e67ab4166130ebc9932e46a19b7729e");
}
END_TEST

START_TEST(a_long_statement_has_the_same_digest_in_any_spelling)
{
    const size_t n = 5000;
    AUTO(mem_free) char *a = mem_zalloc(3 * n), *b = mem_zalloc(3 * n);
    AUTO(sql_scan_deinit) struct sql_scan x, y;

    char *p = stpcpy(a, "SELECT '"), *q = stpcpy(b, "SELECT $$");
    for (size_t i = 0; i < n; i++) {
        p = stpcpy(p, "''");
        q = stpcpy(q, "'");
    }
    stpcpy(p, "'");
    stpcpy(q, "$$");
    ck_assert_int_eq(scan_of(&x, NULL, a, true), 0);
    ck_assert_int_eq(scan_of(&y, NULL, b, true), 0);
    ck_assert(sql_digest_eq(&x.stmts[0].digest, &y.stmts[0].digest));
}
END_TEST

static const struct {
    const char *name;
    bool want, std_off;
    const char *text;
} reading_cases[] = {
    { "no backslash", false, false, "SELECT 'a', E'\\''" },
    { "a backslash", true, false, "SELECT 'a\\b'" },
    { "a backslash, mode off", true, true, "SELECT 'a\\b'" },
    { "in a name or dollar quote", false, false, "SELECT \"\\\", $$\\$$, U&'\\0061'" },
    { "in a broken rest", true, false, "SELECT 'a' || 'b\\' || ' c" },
};

START_TEST(two_readings_are_noticed)
{
    AUTO(sql_scan_deinit) struct sql_scan scan;
    struct err err;
    const char *text = reading_cases[_i].text;

    int r = sql_scan(
        &scan, NULL, text, strlen(text), !reading_cases[_i].std_off, 100, &err);
    CASE_INT(&reading_cases[_i], r == 0 || r == SQL_SCAN_E_BROKEN, true);
    CASE_INT(&reading_cases[_i], scan.two_readings, reading_cases[_i].want);
}
END_TEST

static const struct {
    const char *name, *text;
    unsigned want;
} depth_cases[] = {
    { "a chain", "SELECT 1+1+1+1", 3 },
    { "commas don't count", "SELECT 1,1,1,1,1,1", 0 },
    { "a comma ends a chain", "SELECT 1+1+1,1+1", 2 },
    { "brackets", "SELECT ((((1))))", 4 },
    { "both", "SELECT 1+(1+(1+f(a[1])))", 7 },
    { "a closed bracket counts no more", "SELECT f(1+1+1)+f(1+1+1)", 4 },
    { "words that nest", "SELECT NOT a AND b OR c ISNULL COLLATE d", 5 },
    { "set operations count across commas",
        "SELECT 1,2 UNION SELECT 1,2 EXCEPT SELECT 1,2", 2 },
    { "statements are measured alone", "SELECT 1+1; SELECT 1+1", 1 },
    { "casts", "SELECT a::b::c", 2 },
    { "joins", "SELECT * FROM a JOIN b ON c JOIN d ON e", 3 },
    { "in bodies of rules",
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1+1; SELECT 1+1)", 2 },
};

START_TEST(depth_is_what_nests)
{
    AUTO(sql_scan_deinit) struct sql_scan scan;

    CASE_INT(&depth_cases[_i], scan_of(&scan, NULL, depth_cases[_i].text, true), 0);
    CASE_INT(&depth_cases[_i], scan.max_depth, depth_cases[_i].want);
}
END_TEST

START_TEST(too_deep_is_an_error_that_says_where)
{
    AUTO(sql_scan_deinit) struct sql_scan scan;
    struct err err;
    static const char text[] = "SELECT 1;\nSELECT ((1+1)); DROP TABLE t";

    ck_assert_int_eq(sql_scan(&scan, NULL, text, sizeof(text) - 1, true, 3, &err), 0);
    sql_scan_deinit(&scan);
    ck_assert_int_eq(
        sql_scan(&scan, NULL, text, sizeof(text) - 1, true, 2, &err), SQL_SCAN_E_DEEP);
    ck_assert_msg(str_prefix(err.text, "line 2: more than 2 "), "%s", err.text);
    ck_assert_uint_eq(scan.n, 3);
    ck_assert_uint_eq(scan.words, SCHEMA);
}
END_TEST

START_TEST(brackets_without_end_cost_no_memory)
{
    const size_t n = 1 << 20;
    AUTO(mem_free) char *text = mem_alloc(n);
    AUTO(sql_scan_deinit) struct sql_scan scan;

    memset(text, '(', n);
    ck_assert_int_eq(sql_scan(&scan, NULL, text, n, true, 100, NULL), SQL_SCAN_E_DEEP);
    ck_assert_uint_eq(scan.max_depth, n);
}
END_TEST

START_TEST(more_statements_than_fit_are_an_error)
{
    const size_t n = 2 * SQL_SCAN_MAX_STMTS;
    AUTO(mem_free) char *text = mem_alloc(n + 2);
    AUTO(sql_scan_deinit) struct sql_scan scan;

    for (size_t i = 0; i < n; i += 2)
        memcpy(text + i, "a;", 2);
    ck_assert_int_eq(sql_scan(&scan, NULL, text, n, true, 100, NULL), 0);
    sql_scan_deinit(&scan);
    memcpy(text + n, "a;", 2);
    ck_assert_int_eq(
        sql_scan(&scan, NULL, text, n + 2, true, 100, NULL), SQL_SCAN_E_DEEP);
    ck_assert_uint_eq(scan.n, SQL_SCAN_MAX_STMTS);
}
END_TEST

START_TEST(a_broken_text_keeps_what_was_read)
{
    AUTO(sql_scan_deinit) struct sql_scan scan;
    struct err err;
    static const char text[] = "SELECT 1;\nINSERT INTO t SELECT\n'a; DROP TABLE x";
    static const struct sql_digest none;

    ck_assert_int_eq(sql_scan(&scan, NULL, text, sizeof(text) - 1, true, 100, &err),
        SQL_SCAN_E_BROKEN);
    ck_assert_str_eq(err.text, "line 3: a string constant has no closing '; close it");
    ck_assert_uint_eq(scan.n, 2);
    ck_assert_str_eq(scan.stmts[1].first[0], "INSERT");
    ck_assert_uint_eq(scan.stmts[1].len, sizeof(text) - 1 - 10);
    ck_assert_uint_eq(scan.words, SCHEMA);
    ck_assert(sql_digest_eq(&scan.stmts[1].digest, &none));
}
END_TEST

START_TEST(a_nul_inside_is_an_error)
{
    AUTO(sql_scan_deinit) struct sql_scan scan;
    struct err err;

    ck_assert_int_eq(
        sql_scan(&scan, NULL, "SELECT 1\0; DROP TABLE x", 23, true, 100, &err),
        SQL_SCAN_E_NUL);
    ck_assert_str_eq(err.text, "byte 8 of the text is a NUL; remove it");
    ck_assert_uint_eq(scan.words, SCHEMA);
}
END_TEST

/* What makes libpg_query recurse: head, then so many times the unit, then the tail, `n`
 * times too if it starts with `*`. */
static const struct {
    const char *name, *head, *unit, *tail;
} stack_cases[] = {
    { "plus", "SELECT 1", "+1", "" },
    { "minus", "SELECT ", "- ", "a" },
    { "concat", "SELECT a", "||a", "" },
    { "and", "SELECT a", " AND a", "" },
    { "or", "SELECT a", " OR a", "" },
    { "not", "SELECT ", "NOT ", "a" },
    { "isnull", "SELECT a", " ISNULL", "" },
    { "is null", "SELECT a", " IS NULL", "" },
    { "in", "SELECT a", " IN (1)", "" },
    { "collate", "SELECT a", " COLLATE c", "" },
    { "at", "SELECT a", " AT TIME ZONE a", "" },
    { "operator", "SELECT 1", " OPERATOR(+) 1", "" },
    { "cast", "SELECT a", "::a", "" },
    { "union", "SELECT", " UNION SELECT", "" },
    { "union of lists", "SELECT 1,2", " UNION ALL SELECT 1,2", "" },
    { "values", "VALUES(1)", " EXCEPT VALUES(1)", "" },
    { "case", "SELECT ", "CASE WHEN ", "*a THEN 1 END " },
    { "list", "SELECT a IN (1", ",1", ")" },
    { "sub-selects", "SELECT ", "(SELECT ", "*)" },
    { "calls", "SELECT ", "f(", "*)" },
    { "brackets", "SELECT ", "(", "*)" },
    { "arrays", "SELECT ", "ARRAY[", "*]" },
    { "subscripts", "SELECT a", "[1]", "" },
    { "fields", "SELECT a", ".b", "" },
    { "fields of a row", "SELECT (a)", ".b", "" },
    { "joins", "SELECT * FROM a", " JOIN b ON c", "" },
    { "natural joins", "SELECT * FROM a", " NATURAL JOIN b", "" },
    { "joins in brackets", "SELECT * FROM ", "(a JOIN ", "*b ON c)" },
    { "tables", "SELECT * FROM ", "(SELECT * FROM ", "a*) b " },
    { "common tables", "", "WITH a AS (", "*SELECT) " },
    { "schema elements", "CREATE SCHEMA x ", " CREATE TABLE a()", "" },
    { "defaults", "CREATE TABLE t(a int DEFAULT 1", "+1", ")" },
    { "statements", "SELECT 1", ";SELECT 1", "" },
    { "sub-selects of sums", "SELECT ", "1+(SELECT ", "*)" },
    { "views", "CREATE VIEW v AS SELECT ", "(SELECT a||", "a*)" },
};

struct parse {
    const char *text;
    size_t len;
    const struct sql_scan *scan;
};

static void *
parse_main(void *arg)
{
    struct parse *p = arg;

    sql_tree_free(sql_tree_new(p->scan, NULL, p->text, p->len, true));
    return NULL;
}

static void
parse_with_stack(const struct parse *p, size_t stack)
{
    pthread_attr_t attr;
    pthread_t thread;

    ck_assert_int_eq(pthread_attr_init(&attr), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attr, stack), 0);
    ck_assert_int_eq(
        pthread_create(&thread, &attr, parse_main, (void *)(uintptr_t)p), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attr);
}

/* The text of case i with n units; *len is its length. */
static char *
stack_text(int i, size_t n, size_t *len)
{
    const char *head = stack_cases[i].head, *unit = stack_cases[i].unit;
    const char *tail = stack_cases[i].tail;
    bool is_repeated = tail[0] == '*';
    tail += is_repeated;
    char *text = mem_alloc(strlen(head) + n * (strlen(unit) + strlen(tail)) + 64);
    char *p = stpcpy(text, head);

    for (size_t k = 0; k < n; k++)
        p = stpcpy(p, unit);
    for (size_t k = 0; k < (is_repeated ? n : 1); k++)
        p = stpcpy(p, tail);
    *len = (size_t)(p - text);
    return text;
}

/* Whatever passes the scan with max_depth 10,000 is parsed without a crash: up to 16 KiB
 * on a worker's stack, anything longer on a parser thread's. */
START_TEST(nothing_that_passes_exhausts_the_stack)
{
    size_t unit = strlen(stack_cases[_i].unit) + strlen(stack_cases[_i].tail);
    const size_t inline_count = SQL_TREE_INLINE_BYTES / unit - 20;
    const size_t counts[] = { MAX_DEPTH - 5, MAX_DEPTH / 2 - 5, 3200, inline_count };
    bool is_done =
        false; /* with the longest that passes and the longest for a worker */

    for (size_t k = 0; k < DG_ARRAY_SIZE(counts); k++) {
        struct parse p;
        AUTO(sql_scan_deinit) struct sql_scan scan;
        if (is_done && k + 1 < DG_ARRAY_SIZE(counts) && counts[k] != 3200)
            continue;
        AUTO(mem_free) char *text = stack_text(_i, counts[k], &p.len);
        p.text = text;
        p.scan = &scan;
        int r = sql_scan(&scan, NULL, text, p.len, true, MAX_DEPTH, NULL);
        if (r == SQL_SCAN_E_DEEP)
            continue;
        ck_assert_msg(r == 0, "%s: %d", stack_cases[_i].name, r);
        parse_with_stack(&p,
            p.len <= SQL_TREE_INLINE_BYTES ? SQL_TREE_WORKER_STACK
                                           : SQL_TREE_PARSER_STACK);
        is_done = true;
    }
    ck_assert_msg(is_done, "%s: nothing passed", stack_cases[_i].name);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_scan");
    TCase *tc = tcase_create("scan");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, statements_are_cut, 0, DG_ARRAY_SIZE(split_cases));
    tcase_add_test(tc, lines_and_first_words_are_told);
    tcase_add_loop_test(
        tc, words_count_where_a_command_can_be, 0, DG_ARRAY_SIZE(word_cases));
    tcase_add_loop_test(
        tc, equal_digests_mean_equal_statements, 0, DG_ARRAY_SIZE(digest_cases));
    tcase_add_test(tc, the_digest_stays_what_it_is);
    tcase_add_test(tc, a_long_statement_has_the_same_digest_in_any_spelling);
    tcase_add_loop_test(tc, two_readings_are_noticed, 0, DG_ARRAY_SIZE(reading_cases));
    tcase_add_loop_test(tc, depth_is_what_nests, 0, DG_ARRAY_SIZE(depth_cases));
    tcase_add_test(tc, too_deep_is_an_error_that_says_where);
    tcase_add_test(tc, brackets_without_end_cost_no_memory);
    tcase_add_test(tc, more_statements_than_fit_are_an_error);
    tcase_add_test(tc, a_broken_text_keeps_what_was_read);
    tcase_add_test(tc, a_nul_inside_is_an_error);
    tcase_add_loop_test(
        tc, nothing_that_passes_exhausts_the_stack, 0, DG_ARRAY_SIZE(stack_cases));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
