// SPDX-License-Identifier: ISC
/* Every statement type of PostgreSQL 15 gives its tag, class, objects and subcommands:
 * tests/data/sql/statements.tsv, one line each. */
#include "lib/unit.h"

#include "lib/sqlfacts.h"

enum {
    COLUMNS = 7,
    MAX_LINES = 1000,
    BATCH = 64, /* statements in one test: each test is a process of its own */
};

static struct statement {
    const char *name; /* the statement itself */
    char *cells[COLUMNS];
} statements[MAX_LINES];
static int n_statements;

/* Lines without the comments, cut at the tabs; they live as long as the program. */
static void
load(void)
{
    FILE *f = fopen(TEST_DATA "/sql/statements.tsv", "r");
    char line[8192];

    DG_ASSERT(f, "no table of statements");
    while (fgets(line, sizeof(line), f)) {
        struct statement *s = &statements[n_statements];
        char *rest;

        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#')
            continue;
        DG_ASSERT(n_statements < MAX_LINES, "too many");
        rest = strdup(line);
        for (int i = 0; i < COLUMNS; i++)
            s->cells[i] = strsep(&rest, "\t");
        DG_ASSERT(s->cells[COLUMNS - 1] && !rest, "columns: %s", line);
        s->name = s->cells[0];
        n_statements++;
    }
    fclose(f);
}

static const char *
or_dash(const struct column *c)
{
    return c->n ? c->text : "-";
}

static void
check_facts(const struct statement *s)
{
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(s->name, true);
    struct column flags = { .n = 0 }, objects = { .n = 0 }, subs = { .n = 0 },
                  rest = { .n = 0 };

    ck_assert_msg(t->n > 0, "%s: no facts", s->name);
    CASE_INT(s, t->is_unparsable, 0);
    CASE_STR(s, t->facts[0].tag, s->cells[1]);
    CASE_STR(s, dg_class_name(t->facts[0].cls), s->cells[2]);
    flags_column(&flags, t->facts[0].flags);
    CASE_STR(s, or_dash(&flags), s->cells[3]);
    objects_column(&objects, &t->facts[0], false);
    CASE_STR(s, or_dash(&objects), s->cells[4]);
    subs_column(&subs, &t->facts[0], false);
    CASE_STR(s, or_dash(&subs), s->cells[5]);
    rest_column(&rest, &t->facts[0]);
    CASE_STR(s, or_dash(&rest), s->cells[6]);
}

START_TEST(a_statement_gives_the_facts_in_the_table)
{
    for (int i = _i * BATCH; i < (_i + 1) * BATCH && i < n_statements; i++)
        check_facts(&statements[i]);
}
END_TEST

/* The same statement reads the same with comments between its tokens. */
static void
check_comments(const struct statement *s)
{
    AUTO(sql_tree_free)
    struct sql_tree *plain = test_tree(s->name, true), *other = NULL;
    struct sql_lexer lx;
    struct sql_token tok;
    struct column text = { .n = 0 };
    size_t end = 0;

    sql_lex_init(&lx, s->name, strlen(s->name), true);
    while (sql_lex_next(&lx, &tok) == 0) {
        if (tok.start > end) /* where there was white space */
            column_add(&text, "/* ' DROP \" */ -- $$ ;\n\t");
        column_add(&text, "%.*s", (int)tok.len, s->name + tok.start);
        end = tok.start + tok.len;
    }
    other = test_tree(text.text, true);
    CASE_INT(s, other->n, plain->n);
    for (size_t i = 0; i < plain->n; i++) {
        struct column a = { .n = 0 }, b = { .n = 0 };

        CASE_STR(s, other->facts[i].tag, plain->facts[i].tag);
        CASE_INT(s, other->facts[i].flags, plain->facts[i].flags);
        objects_column(&a, &plain->facts[i], false);
        objects_column(&b, &other->facts[i], false);
        CASE_STR(s, b.text, a.text);
    }
}

START_TEST(comments_between_tokens_change_no_fact)
{
    for (int i = _i * BATCH; i < (_i + 1) * BATCH && i < n_statements; i++)
        check_comments(&statements[i]);
}
END_TEST

/* A caret must point at what is written there. */
static void
check_positions(const struct statement *s)
{
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(s->name, true);

    for (size_t i = 0; i < t->n; i++) {
        const struct sql_facts *f = &t->facts[i];

        ck_assert_msg(f->pos >= 0 && (size_t)f->pos < strlen(s->name), "%s", s->name);
        for (size_t k = 0; k < f->n_objects; k++) {
            const struct sql_object *o = &f->objects[k];
            const char *at = s->name + o->pos;
            const char *first = o->schema && !o->on ? o->schema : o->name;

            /* written otherwise: int is pg_catalog.int4 */
            if (o->schema && strcmp(o->schema, "pg_catalog") == 0)
                continue;
            if (o->pos < 0 || strchr("\"Uu", *at) || strchr(o->name, '.')
                || strstr(s->name, "CREATE SCHEMA") == s->name)
                continue;
            ck_assert_msg(strncasecmp(at, first, strlen(first)) == 0,
                "%s: %s at \"%s\"", s->name, o->name, at);
        }
    }
}

START_TEST(positions_are_those_of_the_names)
{
    for (int i = _i * BATCH; i < (_i + 1) * BATCH && i < n_statements; i++)
        check_positions(&statements[i]);
}
END_TEST

START_TEST(names_of_tables_to_be_dropped_have_positions)
{
    static const char text[] = "DROP TABLE IF EXISTS exists, s.\"if\", \"T x\" CASCADE";
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(text, true);

    ck_assert_uint_eq(t->facts[0].n_objects, 3);
    ck_assert_int_eq(t->facts[0].objects[0].pos, 21);
    ck_assert_int_eq(t->facts[0].objects[1].pos, 29);
    ck_assert_int_eq(t->facts[0].objects[2].pos, 37);
}
END_TEST

START_TEST(each_action_of_alter_table_has_its_position)
{
    static const char text[] =
        "ALTER TABLE ONLY s.t * ADD COLUMN a int DEFAULT f(1, 2),\n"
        " DROP COLUMN b, ADD CONSTRAINT k UNIQUE (a, c),"
        " ALTER c SET DEFAULT (ARRAY[1,2])[1], OWNER TO joe";
    static const char *const starts[] = { "ADD COLUMN", "DROP COLUMN", "ADD CONSTRAINT",
        "ALTER c", "OWNER TO" };
    AUTO(sql_tree_free)
    struct sql_tree *t = test_tree("ALTER TABLE s.t ADD COLUMN a int DEFAULT f(1, 2),\n"
                                   " DROP COLUMN b, ADD CONSTRAINT k UNIQUE (a, c),"
                                   " ALTER c SET DEFAULT (ARRAY[1,2])[1], OWNER TO joe",
        true);
    AUTO(sql_tree_free) struct sql_tree *only = test_tree(text, true);

    (void)only; /* ONLY with `*` is a syntax error: it must only not crash */
    ck_assert_uint_eq(t->facts[0].n_subs, DG_ARRAY_SIZE(starts));
    for (size_t i = 0; i < DG_ARRAY_SIZE(starts); i++) {
        const char *at = strstr(text, starts[i]);

        ck_assert_ptr_nonnull(at);
        ck_assert_int_eq(t->facts[0].subs[i].pos,
            at - text - (int)strlen("ONLY ") - (int)strlen(" *"));
    }
}
END_TEST

static const struct {
    const char *name, *text, *rest;
} writes[] = {
    { "parameters are numbered",
        "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)",
        "write insert schema_migrations rows 1: version=$1 name=$2" },
    { "without column names",
        "INSERT INTO schema_migrations VALUES ('1', now(), NULL, DEFAULT, -5, true)",
        "write insert schema_migrations rows 1: ='1' =? =null =? ='-5' ='true'" },
    { "casts are looked through",
        "INSERT INTO schema_migrations (a) VALUES ('1'::text), (CAST($1 AS int8))",
        "write insert schema_migrations rows 2: a='1' a=$1" },
    { "a query's output", "INSERT INTO schema_migrations (a, b) SELECT '1', x FROM t",
        "write insert schema_migrations rows 0: a='1' b=?" },
    { "default values", "INSERT INTO schema_migrations DEFAULT VALUES",
        "write insert schema_migrations rows 0:" },
    { "upsert",
        "INSERT INTO s.schema_migrations (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2",
        "write insert s.schema_migrations rows 1: a='1' upsert" },
    { "do nothing is no upsert",
        "INSERT INTO schema_migrations (a) VALUES (1) ON CONFLICT DO NOTHING",
        "write insert schema_migrations rows 1: a='1'" },
    { "a list of constants", "DELETE FROM schema_migrations WHERE v IN ('1', $2)",
        "write delete schema_migrations rows 0: in v='1' v=$2" },
    { "not in", "DELETE FROM schema_migrations WHERE v NOT IN ('1')",
        "write delete schema_migrations rows 0:" },
    { "a list among other terms",
        "DELETE FROM schema_migrations WHERE v IN ('1') AND a = 1",
        "write delete schema_migrations rows 0: where more and a='1'" },
    { "a list with an expression",
        "DELETE FROM schema_migrations WHERE v IN ('1', now())",
        "write delete schema_migrations rows 0:" },
    { "assignments and terms",
        "UPDATE schema_migrations SET a = 'x', (b, c) = ($1, 2) WHERE v = '1' AND 2 = w",
        "write update schema_migrations rows 0: a='x' b=$1 c='2' where v='1' w='2'" },
    { "assignments from a query", "UPDATE schema_migrations SET (a, b) = (SELECT 1, 2)",
        "write update schema_migrations rows 0: a=? b=? where" },
    { "more than equality",
        "UPDATE schema_migrations SET a = 1 WHERE v > '1' AND w = 2",
        "write update schema_migrations rows 0: a='1' where more and w='2'" },
    { "or is not simple", "DELETE FROM schema_migrations WHERE v = '1' OR w = 2",
        "write delete schema_migrations rows 0:" },
    { "using is not simple", "DELETE FROM schema_migrations USING t WHERE v = '1'",
        "write delete schema_migrations rows 0: where more and v='1'" },
    { "columns of copy", "COPY schema_migrations (a, b) FROM STDIN WITH (FORMAT csv)",
        "write copy schema_migrations rows 0: a=? b=?" },
};

START_TEST(a_write_of_history_is_kept_as_it_stands)
{
    struct column rest = { .n = 0 };
    AUTO(sql_tree_free) struct sql_tree *t = test_tree(writes[_i].text, true);

    CASE_STR(&writes[_i], dg_class_name(t->facts[0].cls), "history");
    rest_column(&rest, &t->facts[0]);
    CASE_STR(&writes[_i], rest.text, writes[_i].rest);
}
END_TEST

static const struct {
    const char *name, *expr;
    bool is_volatile;
    const char *call;
} defaults[] = {
    { "a constant", "5", false, NULL },
    { "now", "now()", false, "now" },
    { "a cast of now", "now()::date", false, "now" },
    { "a value function", "CURRENT_TIMESTAMP", false, "current_timestamp" },
    { "a random uuid", "gen_random_uuid()", true, "gen_random_uuid" },
    { "a sequence", "nextval('q'::regclass)", true, "nextval" },
    { "inside another call", "lower(random()::text)", true, "lower" },
    { "a function of one's own", "f()", true, "f" },
    { "another schema's now", "s.now()", true, NULL },
    { "an operator", "1 + 2", false, NULL },
};

START_TEST(a_default_tells_whether_each_row_gets_its_own)
{
    char text[200];
    AUTO(sql_tree_free) struct sql_tree *t = NULL;
    const struct sql_constraint *c;

    snprintf(text, sizeof(text), "ALTER TABLE t ADD COLUMN c int DEFAULT %s",
        defaults[_i].expr);
    t = test_tree(text, true);
    ck_assert_uint_eq(t->facts[0].subs[0].def->n_constraints, 1);
    c = &t->facts[0].subs[0].def->constraints[0];
    CASE_INT(&defaults[_i], c->is_volatile, defaults[_i].is_volatile);
    CASE_STR(&defaults[_i], c->call ? c->call : "",
        defaults[_i].call ? defaults[_i].call : "");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_facts");
    TCase *tc = tcase_create("facts");

    load();
    int batches = (n_statements + BATCH - 1) / BATCH;
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_statement_gives_the_facts_in_the_table, 0, batches);
    tcase_add_loop_test(tc, comments_between_tokens_change_no_fact, 0, batches);
    tcase_add_loop_test(tc, positions_are_those_of_the_names, 0, batches);
    tcase_add_test(tc, names_of_tables_to_be_dropped_have_positions);
    tcase_add_test(tc, each_action_of_alter_table_has_its_position);
    tcase_add_loop_test(
        tc, a_write_of_history_is_kept_as_it_stands, 0, (int)DG_ARRAY_SIZE(writes));
    tcase_add_loop_test(tc, a_default_tells_whether_each_row_gets_its_own, 0,
        (int)DG_ARRAY_SIZE(defaults));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
