// SPDX-License-Identifier: ISC
/* Edits by position: what comes out, the way back, and which edits are none. */
#include "sql/edit.h"

#include <string.h>

#include "lib/unit.h"

#define MAX_EDITS 4

static const struct {
    const char *name, *text;
    struct {
        const char *before; /* where it begins: these bytes of the text */
        size_t del;
        const char *put;
    } edits[MAX_EDITS];
    const char *want;
    bool holds;
} cases[] = {
    { "nothing", "DROP INDEX i", { { NULL, 0, NULL } }, "DROP INDEX i", true },
    { "put in", "DROP INDEX i", { { " i", 0, " CONCURRENTLY" } },
        "DROP INDEX CONCURRENTLY i", true },
    { "two at one place", "DROP INDEX i",
        { { " i", 0, " CONCURRENTLY" }, { " i", 0, " IF EXISTS" } },
        "DROP INDEX CONCURRENTLY IF EXISTS i", true },
    { "the same twice", "DROP INDEX i",
        { { " i", 0, " IF EXISTS" }, { " i", 0, " IF EXISTS" } },
        "DROP INDEX IF EXISTS i", true },
    { "later ones first", "DROP TABLE t CASCADE",
        { { "CASCADE", 7, "RESTRICT" }, { " t", 0, " IF EXISTS" } },
        "DROP TABLE IF EXISTS t RESTRICT", true },
    { "replaced", "CREATE TABLE t (a timestamp(3) without time zone)",
        { { "timestamp", 30, "timestamptz(3)" } }, "CREATE TABLE t (a timestamptz(3))",
        true },
    { "replaced, with more before it", "CREATE TABLE t (a json)",
        { { "json", 4, "jsonb" }, { "json", 0, "/* was json */ " } },
        "CREATE TABLE t (a /* was json */ jsonb)", true },
    { "left out", "CREATE UNLOGGED TABLE t ()", { { "UNLOGGED", 9, "" } },
        "CREATE TABLE t ()", true },
    { "at the end", "LOCK TABLE t -- now", { { " -- now", 0, " NOWAIT" } },
        "LOCK TABLE t NOWAIT -- now", true },
    { "comments stay", "DROP/* a */INDEX--b\n i /*c*/",
        { { "--b", 0, " CONCURRENTLY" } }, "DROP/* a */INDEX CONCURRENTLY--b\n i /*c*/",
        true },
    { "inside a comment", "DROP INDEX /* here */ i", { { "here", 0, " IF EXISTS " } },
        "DROP INDEX /*  IF EXISTS here */ i", false },
    { "inside a constant", "COMMENT ON TABLE t IS 'CASCADE'",
        { { "CASCADE", 7, "RESTRICT" } }, "COMMENT ON TABLE t IS 'RESTRICT'", false },
    { "glued", "DROP INDEX i", { { "i", 0, "IF EXISTS" } }, "DROP INDEX IF EXISTSi",
        false },
    { "half a word", "DROP TABLES", { { "S", 1, "" } }, "DROP TABLE", false },
    { "unterminated", "DROP INDEX i", { { " i", 0, " 'x" } }, "DROP INDEX 'x i",
        false },
};

START_TEST(texts_are_edited)
{
    size_t i = (size_t)_i, len = strlen(cases[i].text), n;
    AUTO(sql_edits_deinit) struct sql_edits e = { .n = 0 };

    for (size_t k = 0; k < MAX_EDITS && cases[i].edits[k].put; k++) {
        /* the last place, so that " i" is not that of " INDEX" */
        const char *at = NULL, *p = cases[i].text;
        while ((p = strstr(p, cases[i].edits[k].before)))
            at = p++;
        ck_assert_ptr_nonnull(at);
        ck_assert_int_eq(sql_edits_add(&e, (size_t)(at - cases[i].text),
                             cases[i].edits[k].del, cases[i].edits[k].put),
            0);
    }
    AUTO(mem_free) char *out = sql_edits_apply(&e, cases[i].text, len, &n);
    ck_assert_str_eq(out, cases[i].want);
    ck_assert_uint_eq(n, strlen(out));
    ck_assert_msg(
        sql_edits_hold(&e, str_of(cases[i].text), str_of(out), true) == cases[i].holds,
        "%s", cases[i].name);
}
END_TEST

START_TEST(clashes_are_told)
{
    AUTO(sql_edits_deinit) struct sql_edits e = { .n = 0 }, more = { .n = 0 };

    ck_assert_int_eq(sql_edits_add(&e, 10, 5, "x"), 0);
    ck_assert_int_eq(sql_edits_add(&e, 10, 5, "y"), SQL_EDIT_E_CLASH);
    ck_assert_int_eq(sql_edits_add(&e, 8, 3, ""), SQL_EDIT_E_CLASH);
    ck_assert_int_eq(sql_edits_add(&e, 12, 0, "y"), SQL_EDIT_E_CLASH);
    ck_assert_int_eq(sql_edits_add(&e, 10, 0, "y"), 0);
    ck_assert_int_eq(sql_edits_add(&e, 15, 0, "y"), 0);
    ck_assert_int_eq(sql_edits_add(&e, 15, 2, ""), 0);
    ck_assert_int_eq(sql_edits_add(&more, 1, 0, "z"), 0);
    ck_assert_int_eq(sql_edits_add(&more, 14, 2, "z"), 0);
    ck_assert_int_eq(sql_edits_merge(&e, &more), SQL_EDIT_E_CLASH);
    ck_assert_uint_eq(e.n, 4); /* none of them */
}
END_TEST

START_TEST(places_lead_back)
{
    static const char text[] = "DROP INDEX orders_idx, x CASCADE";
    AUTO(sql_edits_deinit) struct sql_edits e = { .n = 0 };
    size_t n;

    ck_assert_int_eq(sql_edits_add(&e, 10, 0, " CONCURRENTLY"), 0);
    ck_assert_int_eq(sql_edits_add(&e, 25, 7, "RESTRICT"), 0);
    AUTO(mem_free) char *out = sql_edits_apply(&e, text, strlen(text), &n);
    ck_assert_uint_eq(sql_edits_back(&e, 5), 5);
    ck_assert_uint_eq(sql_edits_back(&e, (size_t)(strstr(out, "CONC") - out)), 10);
    ck_assert_uint_eq(sql_edits_back(&e, (size_t)(strstr(out, "orders") - out)), 11);
    ck_assert_uint_eq(sql_edits_back(&e, (size_t)(strstr(out, "STRICT") - out)), 25);
    ck_assert_uint_eq(sql_edits_back(&e, n), strlen(text));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_edit");
    TCase *tc = tcase_create("edit");

    tcase_add_loop_test(tc, texts_are_edited, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, clashes_are_told);
    tcase_add_test(tc, places_lead_back);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
