// SPDX-License-Identifier: ISC
/* The word filter lets nothing pass that the scan counts, and most queries at once. */
#include "sql/filter.h"

#include "sql/scan.h"
#include "sql/words.h"

#include "lib/unit.h"

static const char *const tracked[] = { "schema_migrations", "__EFMigrationsHistory",
    "V2_log", "my_old table", "12" };
#define N_TRACKED 4 /* the last one makes every text suspect */

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
} cases[] = {
    { "plain queries pass", 0, "SELECT a, count(*) FROM t WHERE b = $1 GROUP BY a" },
    { "nothing passes", 0, "" },
    { "names that only contain a word pass", 0,
        "SELECT offset_, created, updated_at, dropped, intox, xinto, alter_ FROM settings" },
    { "any case", SCHEMA, "cReAtE table t ()" },
    { "at the end of the text", SCHEMA, "BEGIN; DROP" },
    { "after digits", INTO, "SELECT 1INTO t" },
    { "after an exponent", INTO, "SELECT 1e5INTO t" },
    { "after a dollar quote", INTO, "SELECT $a$x$a$INTO t" },
    { "after a string", INTO, "SELECT 'x'INTO t" },
    { "after a name in quotes", INTO, "SELECT \"x\"INTO t" },
    { "between high bytes", SCHEMA,
        "\xc3\xa9"
        "DROP\xc3\xa9" },
    { "in a comment, to be safe", SCHEMA, "SELECT 1 -- DROP" },
    { "in a string, to be safe", SCHEMA, "SELECT 'DROP'" },
    { "INSERT INTO passes", 0, "INSERT INTO t VALUES (1)" },
    { "with white space first", 0, " \r\n\t\finsert into t select 1" },
    { "with a comment first it doesn't", INTO, "/**/INSERT INTO t VALUES (1)" },
    { "two INTO don't pass", INTO, "INSERT INTO t VALUES (1); SELECT 1 INTO u" },
    { "MERGE INTO passes", 0,
        "MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE" },
    { "WITH doesn't", INTO, "WITH a AS (SELECT 1) INSERT INTO t SELECT 1" },
    { "INSERT as another word", INTO, "INSERTED INTO t" },
    { "INSERT glued to a digit", INTO, "INSERT2 INTO t" },
    { "SELECT INTO", INTO, "SELECT insert INTO t2 FROM a" },
    { "UPDATE SET passes", 0, "UPDATE t SET a = 1, b = 2" },
    { "two SET don't", SETTING, "UPDATE t SET a = 1; SET b = 2" },
    { "the alias update", SETTING, "UPDATE t update SET a = 1; SET b = 2" },
    { "SET alone", SETTING, "SET search_path = x" },
    { "an upsert passes", 0,
        "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b" },
    { "one over lines doesn't", SETTING,
        "INSERT INTO t VALUES (1) ON CONFLICT (a)\nDO\nUPDATE\nSET b = excluded.b" },
    { "DO NOTHING passes", 0, "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING" },
    { "DO as a command", CODE, "DO $$BEGIN END$$" },
    { "DO with a comment between", CODE, "DO --x\nNOTHING" },
    { "DO with LANGUAGE", CODE, "DO LANGUAGE plpgsql 'x'" },
    { "DO before a longer word", CODE, "DO NOTHING1" },
    { "DO at the end", CODE, "DO" },
    { "an update in a comment excuses no SET", SETTING,
        "SELECT 1; -- update\nSET a = 1" },
    { "a merge passes", 0,
        "MERGE INTO t USING u ON a = b WHEN MATCHED THEN UPDATE SET a = 1" },
    { "a column named comment passes", 0, "SELECT comment, p.comment FROM posts p" },
    { "at the end, too", 0, "SELECT id, comment" },
    { "COMMENT ON", SCHEMA, "COMMENT\n ON TABLE t IS 'x'" },
    { "COMMENT with a comment between", SCHEMA, "COMMENT/**/ON TABLE t IS 'x'" },
    { "COMMENT with a line comment between", SCHEMA, "COMMENT --\nON TABLE t IS 'x'" },
    { "SECURITY LABEL", SCHEMA, "SECURITY LABEL ON TABLE t IS 'x'" },
    { "SECURITY elsewhere passes", 0, "SELECT security FROM t" },
    { "IMPORT FOREIGN", SCHEMA, "import foreign schema x" },
    { "REFRESH", SCHEMA, "REFRESH MATERIALIZED VIEW v" },
    { "REASSIGN", SCHEMA, "REASSIGN OWNED BY a TO b" },
    { "CALL", CODE, "CALL p()" },
    { "PREPARE and friends", PREPARED,
        "PREPARE a AS SELECT 1; EXECUTE a; DEALLOCATE a" },
    { "settings in functions", SETTING, "SELECT set_config('a', 'b', true)" },
    { "settings in quotes", SETTING, "SELECT \"set_config\"('a', 'b', true)" },
    { "pg_settings", SETTING, "SELECT * FROM pg_catalog.PG_SETTINGS" },
    { "RESET and DISCARD", SETTING, "RESET ALL; DISCARD ALL" },
    { "a tracked name", HISTORY, "DELETE FROM public.schema_migrations" },
    { "a tracked name in quotes", HISTORY, "DELETE FROM \"Schema_Migrations\"" },
    { "as part of a longer one it passes", 0, "SELECT * FROM old_schema_migrations" },
    { "mixed case, unquoted", HISTORY, "SELECT 1 FROM __efmigrationshistory" },
    { "a name with a digit", HISTORY, "SELECT * FROM v2_LOG" },
    { "a name with a space", HISTORY, "SELECT * FROM \"my_old table\"" },
    { "a U& name could be anything", HISTORY | SETTING, "SELECT * FROM u&\"\\0061\"" },
    { "a U& string passes", 0, "SELECT U&'\\0061'" },
    { "u and an operator pass", 0, "SELECT u & \"x\"" },
    { "BEGIN and END", TX, "BEGIN; END" },
    { "START TRANSACTION", TX, "START TRANSACTION" },
    { "start as a column passes", 0, "SELECT start, stop FROM t" },
    { "all of 64 bytes", SCHEMA,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa DROP" },
    { "across 64 bytes", SCHEMA,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa DROP x" },
    { "a run of 64 and more is one word", 0,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaDROP" },
    { "a run after 64 bytes goes on", 0,
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbDROP x" },
};

START_TEST(groups_are_met)
{
    AUTO(sql_words_free) struct sql_words *w = sql_words_new(tracked, N_TRACKED);
    const char *text = cases[_i].text;
    size_t n = strlen(text);
    unsigned got = sql_filter(w, text, n, SQL_W_ALL);

    CASE_INT(&cases[_i], got & cases[_i].want, cases[_i].want);
    CASE_INT(&cases[_i], got & ~(cases[_i].want | TX), 0);
    /* only what is watched is answered */
    CASE_INT(&cases[_i], sql_filter(w, text, n, SQL_W_SCHEMA | SQL_W_INTO),
        cases[_i].want & (SQL_W_SCHEMA | SQL_W_INTO));
    /* and no byte past the end is read: a copy without room behind it */
    char *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    CASE_INT(&cases[_i], sql_filter(w, copy, n, SQL_W_ALL), got);
    free(copy);
}
END_TEST

START_TEST(without_names_only_the_fixed_words_count)
{
    ck_assert_uint_eq(
        sql_filter(NULL, "DELETE FROM schema_migrations", 29, SQL_W_ALL), 0);
    ck_assert_uint_eq(sql_filter(NULL, "DROP x", 6, SQL_W_ALL), SCHEMA);
}
END_TEST

START_TEST(a_name_without_letters_makes_every_text_suspect)
{
    AUTO(sql_words_free) struct sql_words *w = sql_words_new(tracked, N_TRACKED + 1);

    ck_assert_uint_eq(sql_filter(w, "SELECT 1", 8, SQL_W_ALL), HISTORY);
}
END_TEST

START_TEST(tracked_names_are_known_in_any_case)
{
    AUTO(sql_words_free) struct sql_words *w = sql_words_new(tracked, N_TRACKED);

    ck_assert(sql_words_has(w, "schema_migrations"));
    ck_assert(sql_words_has(w, "SCHEMA_migrations"));
    ck_assert(sql_words_has(w, "v2_log"));
    ck_assert(!sql_words_has(w, "schema_migration"));
    ck_assert(!sql_words_has(w, "log"));
    ck_assert(!sql_words_has(w, ""));
    ck_assert(!sql_words_has(NULL, "schema_migrations"));
}
END_TEST

#define WORD(ctx, letter, len, name, group, place, next, flags) \
    { letter, len, name, group, next },

static const struct {
    char letter;
    size_t len;
    const char *name;
    unsigned group;
    char next;
} words[] = { SQL_WORDS(WORD, 0) };

/* The table is right about itself, and every word of it is seen at every offset and after
 * every byte that doesn't make it part of a longer name. */
START_TEST(every_word_is_seen_everywhere)
{
    const char *name = words[_i].name;
    size_t n = strlen(name);

    ck_assert_msg(words[_i].len == n && words[_i].letter == name[0], "%s", name);
    ck_assert_msg(_i == 0 || strcmp(words[_i - 1].name, name) < 0, "%s: order", name);
    ck_assert_msg(sql_word_find(name, n) != NULL, "%s: not found", name);
    if (!words[_i].group)
        return;
    for (int before = 0; before < 256; before++) {
        if (before == '_' || ((before | 0x20) >= 'a' && (before | 0x20) <= 'z'))
            continue;
        for (size_t at = 0; at < 70; at++) {
            char text[128];
            memset(text, 'q', sizeof(text));
            text[at] = (char)before;
            for (size_t i = 0; i < n; i++)
                text[at + 1 + i] = (char)(i & at & 1 ? name[i] | 0x20 : name[i]);
            size_t end = at + 1 + n;
            text[end] = '/'; /* no next word is known */
            unsigned got = sql_filter(NULL, text, end + 1, SQL_W_ALL);
            ck_assert_msg(
                got & words[_i].group, "%s at %zu after byte %d", name, at, before);
        }
    }
}
END_TEST

/* Random texts of the words that matter, glued in every way: what the scan counts, the
 * filter has met. */
START_TEST(the_scan_never_counts_more)
{
    static const char *const parts[] = { "SELECT", "INSERT", "UPDATE", "INTO", "SET",
        "DO", "NOTHING", "CREATE", "COMMENT", "ON", "WITH", "MERGE", "EXPLAIN",
        "EXECUTE", "END", "schema_migrations", "\"schema_migrations\"", "u&\"x\"",
        "set_config", "1", "1e5", "$$", "'", "E'", "\"", "--", "\n", "/*", "*/", " ",
        " ", "\t", ";", ";", "(", ")", ",", "$a$", "\\'", "t", "a", "=", "SECURITY",
        "LABEL", "\v", "PREPARE", "AS", "0x1", "_", "\xc3\xa9", "$1", "DISCARD",
        "update", "update SET", "UPDATE t SET a=1;", "INSERT INTO t " };
    AUTO(sql_words_free) struct sql_words *w = sql_words_new(tracked, N_TRACKED);
    unsigned seed = 7;

    for (int round = 0; round < 60000; round++) {
        char text[512];
        size_t n = 0;
        seed = seed * 1103515245 + 12345;
        for (unsigned k = 2 + (seed >> 16) % 12; k > 0; k--) {
            seed = seed * 1103515245 + 12345;
            const char *part = parts[(seed >> 16) % DG_ARRAY_SIZE(parts)];
            n += (size_t)snprintf(
                text + n, sizeof(text) - n, "%s%s", part, seed & 0x8000 ? " " : "");
        }
        AUTO(sql_scan_deinit) struct sql_scan scan;
        int r = sql_scan(&scan, w, text, n, round & 1, 1000, NULL);
        unsigned met = sql_filter(w, text, n, SQL_W_ALL);
        /* (what the other groups leave out is excused by the grammar, see below) */
        unsigned wrong = scan.words & ~met & ~(unsigned)(INTO | SETTING | CODE);
        ck_assert_msg(r == SQL_SCAN_E_BROKEN || !wrong, "scan %x, filter %x: %s",
            scan.words, met, text);
    }
}
END_TEST

/* Sequences of whole statements, with comments that try to deceive the excuses. */
START_TEST(excuses_never_hide_a_command)
{
    static const char *const stmts[] = { "INSERT INTO t VALUES (1)", "SELECT 1 INTO t",
        "UPDATE t SET a = 1", "UPDATE t update SET a = 1", "UPDATE set SET a = 1",
        "SET a = 1", "SET LOCAL a TO 'update'", "DO 'x'", "DO $$ $$",
        "INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING",
        "INSERT INTO t SELECT 1 ON CONFLICT (a) DO UPDATE SET a = 1",
        "MERGE INTO t USING u ON a WHEN MATCHED THEN UPDATE SET a = 1",
        "SELECT insert INTO t FROM a", "SELECT comment", "COMMENT ON TABLE t IS ''",
        "SELECT 1 update" };
    static const char *const gaps[] = { ";", "; ", ";\n", ";--update \n",
        ";/*update */", ";--DO\n", ";/*NOTHING*/ ", ";--INSERT\n", "\n;\t", "--x\n;",
        ";;" };
    unsigned seed = 11;

    for (int round = 0; round < 40000; round++) {
        char text[1024];
        size_t n = 0;
        seed = seed * 1103515245 + 12345;
        for (unsigned k = 1 + (seed >> 16) % 4; k > 0; k--) {
            seed = seed * 1103515245 + 12345;
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
                stmts[(seed >> 16) % DG_ARRAY_SIZE(stmts)],
                gaps[(seed >> 8) % DG_ARRAY_SIZE(gaps)]);
        }
        AUTO(sql_scan_deinit) struct sql_scan scan;
        ck_assert_int_eq(sql_scan(&scan, NULL, text, n, true, 1000, NULL), 0);
        unsigned met = sql_filter(NULL, text, n, SQL_W_ALL);
        ck_assert_msg(
            !(scan.words & ~met), "scan %x, filter %x: %s", scan.words, met, text);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_filter");
    TCase *tc = tcase_create("filter");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, groups_are_met, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, without_names_only_the_fixed_words_count);
    tcase_add_test(tc, a_name_without_letters_makes_every_text_suspect);
    tcase_add_test(tc, tracked_names_are_known_in_any_case);
    tcase_add_loop_test(tc, every_word_is_seen_everywhere, 0, DG_ARRAY_SIZE(words));
    tcase_add_test(tc, the_scan_never_counts_more);
    tcase_add_test(tc, excuses_never_hide_a_command);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
