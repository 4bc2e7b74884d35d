// SPDX-License-Identifier: ISC
/* Statements are found wherever they stand in a text (tests/data/sql/hidden.tsv), what the
 * grammar rejects is never read as less than it could be, and deep trees need no more
 * stack than tree.h says. */
#include "lib/unit.h"

#include <pthread.h>

#include "base/mem.h"
#include "lib/sqlfacts.h"

enum {
    MAX_LINES = 400,
    BATCH = 32, /* statements in one test: each test is a process of its own */
};

static struct hidden {
    const char *name; /* the text itself */
    const char *facts;
} hidden[MAX_LINES];
static int n_hidden;

static void
load(void)
{
    FILE *f = fopen(TEST_DATA "/sql/hidden.tsv", "r");
    char line[8192];

    DG_ASSERT(f, "no table of statements");
    while (fgets(line, sizeof(line), f)) {
        char *rest;

        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#')
            continue;
        DG_ASSERT(n_hidden < MAX_LINES, "too many");
        rest = strdup(line);
        hidden[n_hidden].name = strsep(&rest, "\t");
        hidden[n_hidden++].facts = rest;
        DG_ASSERT(rest, "columns: %s", line);
    }
    fclose(f);
}

START_TEST(hidden_statements_are_found)
{
    for (int i = _i * BATCH; i < (_i + 1) * BATCH && i < n_hidden; i++) {
        AUTO(sql_tree_free) struct sql_tree *t = test_tree(hidden[i].name, true);
        struct column facts = { .n = 0 };

        tree_column(&facts, t);
        CASE_STR(&hidden[i], facts.text, hidden[i].facts);
    }
}
END_TEST

/* As the trees of a folder's files do. They are looked at when all are made, and freeing one
 * takes nothing from the others. */
START_TEST(trees_can_share_an_arena)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct sql_words *words = test_words();
    struct sql_tree *trees[MAX_LINES] = { NULL };

    for (int i = 0; i < n_hidden; i++) {
        AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
        size_t n = strlen(hidden[i].name);
        if (sql_scan(
                &scan, words, hidden[i].name, n, true, SQL_TREE_DEFAULT_DEPTH, NULL)
            != 0)
            continue;
        trees[i] = sql_tree_new_in(arena, &scan, words, hidden[i].name, n, true);
        sql_tree_free(trees[i]);
    }
    sql_words_free(words);
    for (int i = 0; i < n_hidden; i++) {
        struct column facts = { .n = 0 };
        if (!trees[i])
            continue;
        tree_column(&facts, trees[i]);
        CASE_STR(&hidden[i], facts.text, hidden[i].facts);
    }
}
END_TEST

/* ---- syntax that the linked grammar does not know ---- */

static const struct {
    const char *name, *facts;
} newer[] = {
    /* queries stay queries */
    { "SELECT * FROM JSON_TABLE('[]', '$' COLUMNS (a int)) t", "SELECT other" },
    { "SELECT 0x1F", "SELECT other" },
    { "SELECT 1_000", "SELECT other" },
    { "(SELECT 0x1F) UNION (SELECT 0b1)", "SELECT other" },
    { "VALUES (0x1F)", "SELECT other" },
    { "WITH a AS (SELECT 0x1F) SELECT * FROM a", "SELECT other" },
    { "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE RETURNING *",
        "MERGE other" },
    { "INSERT INTO t VALUES (1) RETURNING WITH (OLD AS o) o.a", "INSERT other" },
    { "UPDATE t SET a = 0x1F", "UPDATE other" },
    { "DELETE FROM t WHERE a = 0x1F", "DELETE other" },
    { "WITH a AS (SELECT 0x1F) INSERT INTO t SELECT * FROM a", "SELECT other" },
    { "WITH a AS (INSERT INTO t VALUES (0x1F) RETURNING 1) SELECT * FROM a",
        "SELECT other" },
    { "EXPLAIN (MEMORY) SELECT 0x1F", "EXPLAIN other | > SELECT other" },
    { "EXPLAIN (SELECT 0x1F)", "EXPLAIN other | > SELECT other" },
    { "EXPLAIN ANALYZE VERBOSE SELECT 0x1F", "EXPLAIN other | > SELECT other" },
    { "PREPARE p (int) AS SELECT 0x1F", "PREPARE other | > SELECT other" },
    { "DECLARE c CURSOR FOR SELECT 0x1F", "DECLARE CURSOR other | > SELECT other" },
    { "COPY t FROM STDIN WHERE a = 0x1F", "COPY other" },
    { "FETCH 0x1F FROM c", "FETCH other" },
    { "no such command", "UNKNOWN other" },
    { "SELECT drop, alter FROM t WHERE 0x1F = 1", "SELECT other" },
    /* ... but for those that make a table */
    { "SELECT 0x1F INTO x", "SELECT INTO ddl [UNPARSABLE]" },
    { "SELECT 0x1F AS insert INTO x", "SELECT INTO ddl [UNPARSABLE]" },
    { "SELECT 0x1F insert INTO x", "SELECT INTO ddl [UNPARSABLE]" },
    { "SELECT f(0x1F) insert INTO x", "SELECT INTO ddl [UNPARSABLE]" },
    { "(SELECT 0x1F INTO x)", "SELECT INTO ddl [UNPARSABLE]" },
    { "WITH a AS (SELECT 0x1F) SELECT * INTO x FROM a",
        "SELECT INTO ddl [UNPARSABLE]" },
    { "WITH a AS (SELECT 0x1F) SELECT (1) insert INTO x FROM a",
        "SELECT INTO ddl [UNPARSABLE]" },
    { "INSERT INTO t SELECT 0x1F INTO x", "SELECT INTO ddl [UNPARSABLE]" },
    { "EXPLAIN ANALYZE SELECT 0x1F INTO x",
        "EXPLAIN other | > SELECT INTO ddl [UNPARSABLE]" },
    { "PREPARE p AS SELECT 0x1F INTO x",
        "PREPARE other | > SELECT INTO ddl [UNPARSABLE]" },
    { "SELECT 0x1F INTO TEMP x", "SELECT INTO ddl [UNPARSABLE]" },
    /* changes stay changes */
    { "CREATE TABLE s.t (a int, CONSTRAINT n NOT NULL a)",
        "CREATE TABLE ddl [UNPARSABLE] (table s.t)" },
    { "CREATE TEMP TABLE t (a int, CONSTRAINT n NOT NULL a)",
        "CREATE TABLE ddl [UNPARSABLE] (table t)" },
    { "ALTER TABLE IF EXISTS ONLY t ALTER a SET EXPRESSION AS (1)",
        "ALTER TABLE ddl [UNPARSABLE] (table t)" },
    { "DROP TABLE pg_temp.t NEW", "DROP TABLE ddl [UNPARSABLE] (table pg_temp.t)" },
    { "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a) NEW",
        "CREATE INDEX ddl [UNPARSABLE] (index i)" },
    { "CREATE OR REPLACE FUNCTION s.f() NEW",
        "CREATE FUNCTION ddl [UNPARSABLE] (function s.f)" },
    { "CREATE USER joe NEW", "CREATE ROLE ddl [UNPARSABLE]" },
    { "GRANT NEW ON t TO joe WITH", "GRANT ddl [UNPARSABLE]" },
    { "EXPLAIN (MEMORY) CREATE TABLE x AS SELECT 0x1F",
        "EXPLAIN other | > CREATE TABLE ddl [UNPARSABLE] (table x)" },
    { "REPACK t", "UNKNOWN ddl [UNPARSABLE]" },
    { "CREATE PROPERTY GRAPH g", "CREATE ddl [UNPARSABLE]" },
    { "no such command may CREATE things", "UNKNOWN ddl [UNPARSABLE]" },
    { "DO 0x1F", "DO code [UNPARSABLE, DYNAMIC]" },
    { "CALL p(0x1F)", "CALL code [UNPARSABLE, DYNAMIC]" },
    /* history and settings */
    { "INSERT INTO schema_migrations VALUES (0x1F)", "INSERT history [UNPARSABLE]" },
    { "WITH a AS (DELETE FROM schema_migrations RETURNING 0x1F) SELECT * FROM a",
        "SELECT history [UNPARSABLE]" },
    { "SELECT 0x1F FROM schema_migrations", "SELECT other" },
    { "COPY schema_migrations FROM STDIN WHERE a = 0x1F", "COPY history [UNPARSABLE]" },
    { "SET x TO 0x1F", "SET other [READING]" },
    { "SELECT 0x1F, set_config('search_path', 'x', false)", "SELECT other [READING]" },
    /* statement by statement */
    { "CREATE TABLE t (a int); SELECT 0x1F; DROP TABLE x",
        "CREATE TABLE ddl (new table t) | SELECT other | DROP TABLE ddl (table x)" },
    { "SELECT 0x1F; ALTER TABLE t NEW",
        "SELECT other | ALTER TABLE ddl [UNPARSABLE] (table t)" },
};

START_TEST(unknown_syntax_is_read_by_its_words)
{
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(newer[_i].name, true);
    struct column facts = { .n = 0 };

    CASE_INT(&newer[_i], t->is_unparsable, 1);
    ck_assert_str_ne(t->error, "");
    tree_column(&facts, t);
    CASE_STR(&newer[_i], facts.text, newer[_i].facts);
}
END_TEST

START_TEST(an_error_is_placed_in_bytes)
{
    AUTO(sql_tree_free) struct sql_tree *t = test_tree("SELECT 'é€', 0x1F", true);

    ck_assert_int_eq(t->error_pos, (int)strlen("SELECT 'é€', "));
}
END_TEST

START_TEST(an_error_quotes_no_constant)
{
    AUTO(sql_tree_free)
    struct sql_tree *word = test_tree("ALTER ROLE joe oops 'x'", true);
    AUTO(sql_tree_free)
    struct sql_tree *secret = test_tree("ALTER ROLE joe PASSWORD 'x' 'secret'", true);

    ck_assert_str_eq(word->error, "unrecognized role option \"oops\"");
    ck_assert_str_eq(secret->error, "syntax error");
    ck_assert_int_eq(secret->error_pos, 28);
}
END_TEST

START_TEST(each_bad_statement_has_its_own_error)
{
    static const char text[] = "ALTER TABEL a ADD b int; DROP TABLE x; SELEC é; "
                               "CREATE INDEXX i ON t (a)";
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);

    ck_assert_uint_eq(t->n, 4);
    ck_assert_str_eq(t->facts[0].error, "syntax error at or near \"TABEL\"");
    ck_assert_int_eq(t->facts[0].error_pos, strstr(text, "TABEL") - text);
    ck_assert_ptr_null(t->facts[1].error);
    ck_assert_str_eq(t->facts[2].error, "syntax error at or near \"SELEC\"");
    ck_assert_int_eq(t->facts[2].error_pos, strstr(text, "SELEC") - text);
    ck_assert_int_eq(t->facts[3].error_pos, strstr(text, "INDEXX") - text);
    ck_assert_str_eq(t->error, t->facts[0].error);
}
END_TEST

START_TEST(statements_are_counted_as_the_scan_counts_them)
{
    static const char text[] =
        "; SELECT 1;;\nDROP TABLE x; -- c\n CREATE TABLE y (a int)";
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);

    ck_assert_uint_eq(t->n, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(t->facts[i].stmt, i);
    ck_assert_int_eq(t->facts[1].pos, strstr(text, "x;") - text);
    ck_assert_int_eq(t->facts[2].pos, strstr(text, "y (") - text);
    ck_assert_uint_eq(t->classes, DG_DDL);
}
END_TEST

/* ---- standard_conforming_strings = off ---- */

static const struct {
    const char *name, *facts;
    int pos; /* of the last fact */
} off[] = {
    { "COMMENT ON TABLE s.t IS 'it\\'s'", "COMMENT ddl (table s.t)", 17 },
    { "COMMENT ON TABLE s.t IS'it\\'s'; DROP TABLE x",
        "COMMENT ddl (table s.t) | DROP TABLE ddl (table x)", 43 },
    { "SELECT 'a\\'; DROP TABLE x; --'", "SELECT other", 0 },
    { "SELECT 'a\\\\'; DROP TABLE x; --'", "SELECT other | DROP TABLE ddl (table x)",
        25 },
    { "INSERT INTO schema_migrations (a, b) VALUES ('x\\ty', 'z')",
        "INSERT history (table schema_migrations)", 12 },
    { "SELECT '\\'', '\\'' INTO x", "SELECT INTO ddl (new table x)", 23 },
    { "SELECT N'\\'' INTO x", "SELECT INTO ddl [UNPARSABLE]", 0 },
    { "DO 'BEGIN CREATE TABLE \\x78 (a int); END'",
        "DO code [DDL IN CODE] | > CREATE TABLE ddl (new table x)", 3 },
    { "DO $$ BEGIN a := '\\'; DROP TABLE x; --'; END $$",
        "DO code [DYNAMIC, DDL IN CODE]", 0 },
    { "DO $$ BEGIN a := '\\d'; DROP TABLE x; END $$",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)", 34 },
};

START_TEST(escapes_in_plain_strings_are_read_as_the_server_does)
{
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(off[_i].name, false);
    struct column facts = { .n = 0 };

    tree_column(&facts, t);
    CASE_STR(&off[_i], facts.text, off[_i].facts);
    CASE_INT(&off[_i], t->facts[t->n - 1].pos, off[_i].pos);
}
END_TEST

START_TEST(an_escape_in_a_history_row_is_decoded)
{
    AUTO(sql_tree_free)
    struct sql_tree *t = test_tree(
        "INSERT INTO schema_migrations VALUES ('x\\ty')", false);

    ck_assert_str_eq(t->facts[0].write->values[0].text, "x\ty");
}
END_TEST

/* ---- texts that may not be parsed ---- */

static struct sql_tree *
unparsable(const char *text)
{
    struct sql_words *words = test_words();
    struct sql_scan scan = { .n = 0 };
    struct sql_tree *t;

    if (sql_scan(
            &scan, words, text, strlen(text), true, SQL_TREE_DEFAULT_DEPTH, NULL)) {
        /* what it found stays */
    }
    t = sql_tree_unparsable(&scan, "because", 7);
    sql_scan_deinit(&scan);
    sql_words_free(words);
    return t;
}

static const struct {
    const char *name, *facts;
} unread[] = {
    { "SELECT 1", "SELECT other" },
    { "SELECT 1; DROP TABLE x", "SELECT other | DROP TABLE ddl [UNPARSABLE]" },
    { "SELECT 1 INTO x", "SELECT INTO ddl [UNPARSABLE]" },
    { "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1", "UNKNOWN ddl [UNPARSABLE]" },
    { "DO 'x'", "DO code [UNPARSABLE, DYNAMIC]" },
    { "INSERT INTO schema_migrations VALUES (1)", "INSERT history [UNPARSABLE]" },
    { "SET search_path = x", "SET other [READING]" },
    { "COMMIT", "COMMIT other" },
    { "DROP TABLE x; SELECT 'broken", "DROP TABLE ddl [UNPARSABLE] | SELECT other" },
    { "SELECT 1; DROP TABLE x /* broken",
        "SELECT other | DROP TABLE ddl [UNPARSABLE]" },
};

START_TEST(a_text_not_parsed_gives_no_less_than_its_words)
{
    AUTO(sql_tree_free) struct sql_tree *t = unparsable(unread[_i].name);
    struct column facts = { .n = 0 };

    tree_column(&facts, t);
    CASE_STR(&unread[_i], facts.text, unread[_i].facts);
    CASE_STR(&unread[_i], t->error, "because");
    CASE_INT(&unread[_i], t->error_pos, 7);
}
END_TEST

START_TEST(a_commit_not_parsed_is_still_a_commit)
{
    AUTO(sql_tree_free) struct sql_tree *t = unparsable("COMMIT; ROLLBACK TO x");

    ck_assert_int_eq(t->facts[0].tx, SQL_TX_COMMIT);
    ck_assert_int_eq(t->facts[1].tx, SQL_TX_ROLLBACK_TO);
}
END_TEST

/* ---- depth ---- */

/* "SELECT a + a + ... INTO x": the deepest tree that the scan lets through, on a thread
 * with the stack that tree.h promises to be enough. */
static void *
parse_deep(void *arg)
{
    const char *text = arg;

    return test_tree(text, true);
}

static const struct {
    const char *name, *open, *unit, *close;
    size_t n;
} deep[] = {
    { "operators", "SELECT 1", "+1", " INTO x", 9900 },
    { "operators on a worker's stack", "SELECT 1", "+1", " INTO x", 8180 },
    { "signs", "SELECT ", "- ", "1 INTO x", 4900 },
    { "calls", "SELECT ", "f(", "1", 2400 },
    { "sub-selects", "SELECT ", "(SELECT ", "1", 1600 },
    { "unions", "SELECT 1 INTO x", " UNION SELECT 1", "", 4900 },
    { "joins", "SELECT 1 INTO x FROM t", " CROSS JOIN t", "", 4900 },
    { "and", "DELETE FROM schema_migrations WHERE a", " AND a", "", 9900 },
};

START_TEST(the_deepest_tree_fits_the_stack)
{
    size_t unit = strlen(deep[_i].unit), n = deep[_i].n;
    AUTO(mem_free) char *text = mem_alloc(200 + n * (unit + 1));
    pthread_attr_t attr;
    pthread_t thread;
    void *tree = NULL;
    char *p = stpcpy(text, deep[_i].open);

    for (size_t i = 0; i < n; i++)
        p = stpcpy(p, deep[_i].unit);
    p = stpcpy(p, deep[_i].close);
    for (size_t i = 0; i < n && strchr(deep[_i].unit, '('); i++)
        *p++ = ')';
    *p = 0;
    size_t stack = strlen(text) <= SQL_TREE_INLINE_BYTES ? SQL_TREE_WORKER_STACK
                                                         : SQL_TREE_PARSER_STACK;
    ck_assert_int_eq(pthread_attr_init(&attr), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attr, stack), 0);
    ck_assert_int_eq(pthread_create(&thread, &attr, parse_deep, text), 0);
    ck_assert_int_eq(pthread_join(thread, &tree), 0);
    pthread_attr_destroy(&attr);
    if (strcmp(deep[_i].name, "and") == 0)
        ck_assert_uint_eq(((struct sql_tree *)tree)->classes, DG_HISTORY);
    else if (strstr(text, "INTO"))
        ck_assert_uint_eq(((struct sql_tree *)tree)->classes, DG_DDL);
    sql_tree_free(tree);
}
END_TEST

/* ---- words for people ---- */

static const struct {
    const char *name, *words;
} described[] = {
    { "ALTER TABLE public.orders ADD COLUMN c int", "ALTER TABLE public.orders" },
    { "DROP TABLE a, b", "DROP TABLE a" },
    { "CREATE INDEX ON t (a)", "CREATE INDEX t" },
    { "CREATE TRIGGER trg BEFORE INSERT ON t EXECUTE FUNCTION f()",
        "CREATE TRIGGER trg" },
    { "DO 'BEGIN DROP TABLE x; END'", "DO" },
};

START_TEST(a_statement_is_described_by_tag_and_first_object)
{
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(described[_i].name, true);
    char words[100], few[8];

    sql_facts_describe(&t->facts[0], words, sizeof(words));
    CASE_STR(&described[_i], words, described[_i].words);
    sql_facts_describe(&t->facts[0], few, sizeof(few));
    ck_assert_uint_lt(strlen(few), sizeof(few));
}
END_TEST

START_TEST(nothing_gives_no_facts)
{
    AUTO(sql_tree_free) struct sql_tree *empty = test_tree("", true);
    AUTO(sql_tree_free) struct sql_tree *blank = test_tree(" ; /* x */ ;; -- y", true);

    ck_assert_uint_eq(empty->n + blank->n, 0);
    ck_assert_uint_eq(empty->classes | blank->classes, 0);
    ck_assert(!empty->is_unparsable && !blank->is_unparsable);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_tree");
    TCase *tc = tcase_create("tree");

    load();
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(
        tc, hidden_statements_are_found, 0, (n_hidden + BATCH - 1) / BATCH);
    tcase_add_test(tc, trees_can_share_an_arena);
    tcase_add_loop_test(
        tc, unknown_syntax_is_read_by_its_words, 0, (int)DG_ARRAY_SIZE(newer));
    tcase_add_test(tc, an_error_is_placed_in_bytes);
    tcase_add_test(tc, an_error_quotes_no_constant);
    tcase_add_test(tc, each_bad_statement_has_its_own_error);
    tcase_add_test(tc, statements_are_counted_as_the_scan_counts_them);
    tcase_add_loop_test(tc, escapes_in_plain_strings_are_read_as_the_server_does, 0,
        (int)DG_ARRAY_SIZE(off));
    tcase_add_test(tc, an_escape_in_a_history_row_is_decoded);
    tcase_add_loop_test(tc, a_text_not_parsed_gives_no_less_than_its_words, 0,
        (int)DG_ARRAY_SIZE(unread));
    tcase_add_test(tc, a_commit_not_parsed_is_still_a_commit);
    tcase_add_loop_test(
        tc, the_deepest_tree_fits_the_stack, 0, (int)DG_ARRAY_SIZE(deep));
    tcase_add_loop_test(tc, a_statement_is_described_by_tag_and_first_object, 0,
        (int)DG_ARRAY_SIZE(described));
    tcase_add_test(tc, nothing_gives_no_facts);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
