// SPDX-License-Identifier: ISC
/* Code in strings is read as far as it can be, and said to be dynamic where it can't. */
#include "lib/unit.h"

#include "base/mem.h"
#include "lib/sqlfacts.h"

static const struct {
    const char *name, *body, *facts;
} blocks[] = {
    { "a statement after a line comment", "BEGIN -- x\nDROP TABLE x; END",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)" },
    { "a statement behind comments",
        "BEGIN /* a */ -- b\n /* c */ DROP /* d */ TABLE x; END",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)" },
    { "only comments", "BEGIN NULL; -- DROP TABLE x;\n /* DROP TABLE x; */ END",
        "DO other" },
    { "a string over lines", "BEGIN EXECUTE 'DROP '\n 'TABLE x'; END",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)" },
    { "strings side by side", "BEGIN EXECUTE 'DROP ' 'TABLE x'; END",
        "DO code [DYNAMIC]" },
    { "an option line", "#variable_conflict use_column\nBEGIN DROP TABLE x; END",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)" },
    { "a label", "<<outer>>\nBEGIN <<inner>> LOOP DROP TABLE x; END LOOP; END",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)" },
    { "declarations", "DECLARE drop_it bool := true; create_it int; BEGIN NULL; END",
        "DO other" },
    { "a column after a dot", "BEGIN x := r.create; y := r.execute; END", "DO other" },
    { "schema words as strings and names",
        "BEGIN x := 'CREATE'; y := \"drop\"; RAISE NOTICE 'EXECUTE %', x; END",
        "DO other" },
    { "a variable called comment", "BEGIN comment := 'on'; security = 1; END",
        "DO other" },
    { "comment on", "BEGIN COMMENT ON TABLE t IS 'x'; END",
        "DO code [DDL IN CODE] | > COMMENT ddl (table t)" },
    { "security label", "BEGIN SECURITY LABEL ON TABLE t IS 'x'; END",
        "DO code [DDL IN CODE] | > SECURITY LABEL ddl (table t)" },
    { "grant execute is no execute", "BEGIN GRANT EXECUTE ON FUNCTION f() TO joe; END",
        "DO code [DDL IN CODE] | > GRANT dcl (function f)" },
    { "execute function is no execute",
        "BEGIN CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f(); END",
        "DO code [DDL IN CODE] | > CREATE TRIGGER code (new trigger g on t, table t)" },
    { "execute in upper and lower case", "begin eXeCuTe v; end", "DO code [DYNAMIC]" },
    { "execute into and using", "BEGIN EXECUTE 'SELECT $1' INTO STRICT v USING 1; END",
        "DO other | > SELECT other" },
    { "return query execute", "BEGIN RETURN QUERY EXECUTE 'DROP TABLE x'; END",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)" },
    { "open for execute", "BEGIN OPEN c FOR EXECUTE v; END", "DO code [DYNAMIC]" },
    { "several statements in one execute",
        "BEGIN EXECUTE 'SELECT 1; DROP TABLE x'; END",
        "DO code [DDL IN CODE] | > SELECT other | > DROP TABLE ddl (table x)" },
    { "an executed text that can't be parsed", "BEGIN EXECUTE 'CREATE NEW x'; END",
        "DO code [DDL IN CODE] | > CREATE ddl [UNPARSABLE]" },
    { "an executed text that is broken", "BEGIN EXECUTE 'SELECT ''x'; END",
        "DO code [DYNAMIC, DDL IN CODE]" },
    { "a body that is broken", "BEGIN x := 'a; DROP TABLE x; END",
        "DO code [DYNAMIC, DDL IN CODE]" },
    { "a select into is an assignment", "BEGIN SELECT 1 INTO schema_migrations; END",
        "DO other | > SELECT other" },
    { "a select into in a block on history",
        "BEGIN SELECT count(*) INTO n FROM schema_migrations; END",
        "DO other | > SELECT other" },
    { "a write in a common table expression",
        "BEGIN WITH a AS (DELETE FROM schema_migrations RETURNING 1) SELECT 1 INTO n FROM a;"
        " END",
        "DO other | > SELECT other | >> DELETE history (table schema_migrations)" },
    { "a write that returns",
        "BEGIN RETURN QUERY DELETE FROM schema_migrations RETURNING 1; END",
        "DO other | > INSERT history [UNPARSABLE] (table schema_migrations)" },
    { "a history name and a write apart",
        "BEGIN IF EXISTS (SELECT 1 FROM schema_migrations) THEN INSERT INTO t VALUES (1);"
        " END IF; END",
        "DO other" },
    { "copy and lock",
        "BEGIN LOCK TABLE schema_migrations; TRUNCATE schema_migrations; END",
        "DO other | > LOCK TABLE history (table schema_migrations)"
        " | > TRUNCATE TABLE history (table schema_migrations)" },
    { "brackets don't join statements", "BEGIN x := (1; DROP TABLE x; END",
        "DO code [DDL IN CODE] | > DROP TABLE ddl (table x)" },
    { "settings", "BEGIN SET LOCAL search_path = a; RESET ALL; END",
        "DO other | > SET other [READING] | > RESET other [READING]" },
    { "a setting in a condition",
        "BEGIN IF set_config('a.b', 'c', true) = '' THEN END IF; END",
        "DO other [READING]" },
    { "update pg_settings", "BEGIN UPDATE pg_settings SET setting = 'x'; END",
        "DO other | > UPDATE other [READING] (table pg_settings)" },
    { "a rule with two actions",
        "BEGIN CREATE RULE r AS ON INSERT TO t DO (DELETE FROM u; DELETE FROM v); END",
        "DO code [DDL IN CODE] | > CREATE RULE ddl [UNPARSABLE] (rule r)" },
    { "a guarded block as EF Core writes it",
        "\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE"
        " \"MigrationId\" = '1_Init') THEN\n    CREATE TABLE \"Blogs\" (\"Id\" integer);\n"
        "    END IF;\nEND ",
        "DO code [DDL IN CODE] | > CREATE TABLE ddl (new table Blogs)" },
};

START_TEST(a_block_is_read_statement_by_statement)
{
    AUTO(mem_free) char *text = mem_printf("DO $body$%s$body$", blocks[_i].body);
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);
    struct column facts = { .n = 0 };

    tree_column(&facts, t);
    CASE_STR(&blocks[_i], facts.text, blocks[_i].facts);
}
END_TEST

/* The same body gives the same nested facts in a function as in a block. */
START_TEST(a_function_is_read_like_a_block)
{
    AUTO(mem_free) char *block = mem_printf("DO $body$%s$body$", blocks[_i].body);
    AUTO(mem_free)
    char *text = mem_printf(
        "CREATE FUNCTION f() RETURNS void AS $body$%s$body$ LANGUAGE plpgsql",
        blocks[_i].body);
    AUTO(sql_tree_free) struct sql_tree *a = test_tree(block, true);
    AUTO(sql_tree_free) struct sql_tree *b = test_tree(text, true);

    CASE_INT(&blocks[_i], b->n, a->n);
    CASE_INT(&blocks[_i], b->facts[0].cls, DG_CODE);
    CASE_INT(&blocks[_i], b->facts[0].flags, a->facts[0].flags);
    for (size_t i = 1; i < a->n; i++) {
        CASE_STR(&blocks[_i], b->facts[i].tag, a->facts[i].tag);
        CASE_INT(&blocks[_i], b->facts[i].parent, a->facts[i].parent);
    }
}
END_TEST

START_TEST(a_name_in_a_dollar_quote_has_its_position)
{
    static const char text[] =
        "SELECT 1; DO $x$ BEGIN EXECUTE $y$ DROP TABLE /* c */ abc"
        " $y$; END $x$";
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);

    ck_assert_uint_eq(t->n, 3);
    ck_assert_int_eq(t->facts[2].objects[0].pos, strstr(text, "abc") - text);
    ck_assert_uint_eq(t->facts[2].stmt, 1);
}
END_TEST

START_TEST(a_name_in_a_plain_string_has_its_position)
{
    static const char text[] =
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DROP TABLE abc'";
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);

    ck_assert_int_eq(t->facts[1].objects[0].pos, strstr(text, "abc") - text);
}
END_TEST

START_TEST(a_name_in_an_escaped_string_points_at_the_string)
{
    static const char text[] = "DO 'BEGIN EXECUTE ''DROP TABLE abc''; END'";
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);

    ck_assert_int_eq(t->facts[1].objects[0].pos, 3);
}
END_TEST

/* DO in EXECUTE in DO ..., each quoted with a tag of its own. */
static char *
nested_blocks(int levels)
{
    char *text = mem_strdup("DROP TABLE x;");

    for (int i = 0; i < levels; i++) {
        char *outer = mem_printf("DO $t%d$ BEGIN %s END $t%d$;", i, text, i);

        mem_free(text);
        text = outer;
    }
    return text;
}

START_TEST(blocks_in_blocks_are_followed_to_a_limit)
{
    AUTO(mem_free) char *some = nested_blocks(4), *many = nested_blocks(40);
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(some, true);
    AUTO(sql_tree_free) struct sql_tree *deep = test_tree(many, true);

    ck_assert_uint_eq(t->n, 5);
    ck_assert_str_eq(t->facts[4].tag, "DROP TABLE");
    ck_assert(!(t->facts[0].flags & SQL_F_DYNAMIC));
    ck_assert_uint_lt(deep->n, 12);
    ck_assert(deep->facts[0].flags & SQL_F_DYNAMIC);
    ck_assert_uint_eq(deep->facts[0].cls, DG_CODE);
}
END_TEST

/* Bodies of many statements take linear time: 20,000 statements. */
START_TEST(a_long_body_is_read_in_time)
{
    const size_t n = 20000;
    AUTO(mem_free) char *text = mem_alloc(n * 20 + 100);
    char *p = stpcpy(text, "DO $$ BEGIN ");

    for (size_t i = 0; i < n; i++)
        p = stpcpy(p, i % 4 ? "x := x + 1; " : "DROP TABLE x; ");
    memcpy(p, "END $$", sizeof("END $$"));
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);

    ck_assert_uint_eq(t->n, n / 4 + 1);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_body");
    TCase *tc = tcase_create("body");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(
        tc, a_block_is_read_statement_by_statement, 0, (int)DG_ARRAY_SIZE(blocks));
    tcase_add_loop_test(
        tc, a_function_is_read_like_a_block, 0, (int)DG_ARRAY_SIZE(blocks));
    tcase_add_test(tc, a_name_in_a_dollar_quote_has_its_position);
    tcase_add_test(tc, a_name_in_a_plain_string_has_its_position);
    tcase_add_test(tc, a_name_in_an_escaped_string_points_at_the_string);
    tcase_add_test(tc, blocks_in_blocks_are_followed_to_a_limit);
    tcase_add_test(tc, a_long_body_is_read_in_time);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
