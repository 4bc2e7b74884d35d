// SPDX-License-Identifier: ISC
/* States from history rows, statements against files, and what a transaction has run. */
#include "lib/hist.h"

static const struct hist_file numbered_files[] = {
    { "001_init.sql",
        "CREATE TABLE a (id int);\nCREATE TABLE IF NOT EXISTS b (id int);\n"
        "ALTER TABLE a ADD COLUMN IF NOT EXISTS n text;\n"
        "CREATE OR REPLACE VIEW v AS SELECT 1;\nDROP TABLE IF EXISTS old;\n" },
    { "002_more.sql",
        "BEGIN;\nCREATE INDEX ai ON a (id);\nGRANT SELECT ON a TO public;\n"
        "COMMIT;\n" },
    { "003_next.sql",
        "ALTER TABLE a ADD COLUMN x int;\nGRANT SELECT ON a TO public;\n"
        "INSERT INTO schema_migrations (version, name) VALUES ('003', 'next');\n" },
    { NULL, NULL },
};

static const struct hist_file flyway_files[] = {
    { "V1__init.sql", "CREATE TABLE a (id int);" },
    { "V1.1__small.sql", "CREATE TABLE small (id int);" },
    { "V2__more_things.sql", "CREATE TABLE b (id int);" },
    { "V10__last.sql", "CREATE TABLE c (id int);" },
    { "R__view_of_a.sql", "CREATE OR REPLACE VIEW va AS SELECT 1;" },
    { NULL, NULL },
};

/* --- states ----------------------------------------------------------------------------- */

#define N_NUMBERED 3
#define N_FLYWAY   10
#define FW(rank, version, name, type, script, sum, ok) \
    rank, version, name, type, script, sum, "me", "2024-01-01", "1", ok

static const struct {
    const char *name, *format, *baseline;
    bool no_table;
    const char *cells[6 * N_FLYWAY];
    const char *states;  /* a letter per file: p a e o f */
    const char *missing; /* versions or names */
    const char *summary;
} states[] = {
    { "no table", "numbered-sql", NULL, true, { HIST_END }, "ppp", "",
        "nothing applied, 001, 002, 003 pending" },
    { "empty table", "numbered-sql", NULL, false, { HIST_END }, "ppp", "",
        "nothing applied, 001, 002, 003 pending" },
    { "version as written", "numbered-sql", NULL, false,
        { "001", "init", "x", "002", "more", NULL, HIST_END }, "aap", "",
        "001..002 applied, 003 pending" },
    { "version as a number, no name", "numbered-sql", NULL, false,
        { "1", NULL, NULL, HIST_END }, "app", "", "001 applied, 002, 003 pending" },
    { "version as the file's name", "numbered-sql", NULL, false,
        { "001_init.sql", "", NULL, "002_more", NULL, NULL, HIST_END }, "aap", "",
        "001..002 applied, 003 pending" },
    { "name as a person spells it", "numbered-sql", NULL, false,
        { "001", "Init", NULL, "002", "002_more.sql", NULL, HIST_END }, "aap", "",
        "001..002 applied, 003 pending" },
    { "name of another file", "numbered-sql", NULL, false,
        { "001", "other", NULL, HIST_END }, "epp", "",
        "001 applied, 002, 003 pending, 001 changed after it was applied" },
    { "gap is out of order", "numbered-sql", NULL, false,
        { "2", "more", NULL, HIST_END }, "oap", "",
        "002 applied, 003 pending, 001 out of order" },
    { "row without a file counts for the order", "numbered-sql", NULL, false,
        { "004", "gone", NULL, HIST_END }, "ooo", "004",
        "nothing applied, 001, 002, 003 out of order, 1 recorded without a file" },
    { "junk is missing", "numbered-sql", NULL, false,
        { "abc", "x", NULL, NULL, "y", NULL, HIST_END }, "ppp", "abc,",
        "nothing applied, 001, 002, 003 pending, 2 recorded without a file" },
    { "baseline counts as applied", "numbered-sql", "2", true, { HIST_END }, "aap", "",
        "001..002 applied, 003 pending" },
    /* order of files: V1 V1.1 V2 V10 R__view of a */
    { "Flyway without a table", "flyway", NULL, true, { HIST_END }, "ppppp", "",
        "nothing applied, V1, V1.1, V2 and 2 more pending" },
    { "checksum decides", "flyway", NULL, false,
        { FW("1", "1", "init", "SQL", "V1__init.sql", "-623083431", "t"),
            FW("2", "1.1", "small", "SQL", "V1.1__small.sql", "5", "t"), HIST_END },
        "aeppp", "",
        "V1..V1.1 applied, V2, V10, R__view_of_a.sql pending, V1.1 changed after it was "
        "applied" },
    { "failed row blocks", "flyway", NULL, false,
        { FW("1", "1", "init", "SQL", "V1__init.sql", "-623083431", "f"), HIST_END },
        "fpppp", "", "nothing applied, V1.1, V2, V10 and 1 more pending, V1 failed" },
    { "other description is another file", "flyway", NULL, false,
        { FW("1", "1", "begin", "SQL", "V1__begin.sql", NULL, "t"), HIST_END }, "epppp",
        "",
        "V1 applied, V1.1, V2, V10 and 1 more pending, V1 changed after it was applied" },
    { "no checksum is no difference", "flyway", NULL, false,
        { FW("1", "1.0", "init", "SQL", "V1__init.sql", NULL, "t"), HIST_END }, "apppp",
        "", "V1 applied, V1.1, V2, V10 and 1 more pending" },
    { "baseline row", "flyway", NULL, false,
        { FW("1", "2", "<< Flyway Baseline >>", "BASELINE", "<< Flyway Baseline >>",
              NULL, "t"),
            HIST_END },
        "aaapp", "", "V1..V2 applied, V10, R__view_of_a.sql pending" },
    { "below the newest is out of order", "flyway", NULL, false,
        { FW("1", "2", "more things", "SQL", "V2__more_things.sql", NULL, "t"),
            HIST_END },
        "ooapp", "",
        "V2 applied, V10, R__view_of_a.sql pending, V1, V1.1 out of order" },
    { "Java migrations count for the order only", "flyway", NULL, false,
        { FW("1", "5", "Java", "JDBC", "db.V5__Java", "1", "t"), HIST_END }, "ooopp",
        "",
        "nothing applied, V10, R__view_of_a.sql pending, V1, V1.1, V2 out of order" },
    { "row without a file", "flyway", NULL, false,
        { FW("1", "20", "gone", "SQL", "V20__gone.sql", "1", "t"), HIST_END }, "oooop",
        "20",
        "nothing applied, R__view_of_a.sql pending, V1, V1.1, V2 and 1 more out of order, 1 "
        "recorded without a file" },
    { "row taken back by repair", "flyway", NULL, false,
        { FW("1", "20", "gone", "SQL", "V20__gone.sql", "1", "t"),
            FW("2", "20", "gone", "DELETE", "V20__gone.sql", "1", "t"), HIST_END },
        "ppppp", "", "nothing applied, V1, V1.1, V2 and 2 more pending" },
    { "file back after repair", "flyway", NULL, false,
        { FW("1", "1", "init", "SQL", "V1__init.sql", NULL, "t"),
            FW("2", "1", "init", "DELETE", "V1__init.sql", NULL, "t"), HIST_END },
        "ppppp", "", "nothing applied, V1, V1.1, V2 and 2 more pending" },
    { "undone", "flyway", NULL, false,
        { FW("1", "1", "init", "SQL", "V1__init.sql", NULL, "t"),
            FW("2", "1.1", "small", "SQL", "V1.1__small.sql", NULL, "t"),
            FW("3", "1.1", "small", "UNDO_SQL", "U1.1__small.sql", "5", "t"),
            HIST_END },
        "apppp", "", "V1 applied, V1.1, V2, V10 and 1 more pending" },
    { "undone, and run again", "flyway", NULL, false,
        { FW("1", "1", "init", "SQL", "V1__init.sql", NULL, "t"),
            FW("2", "1", "init", "UNDO_SQL", "U1__init.sql", "5", "t"),
            FW("3", "1", "init", "SQL", "V1__init.sql", NULL, "t"), HIST_END },
        "apppp", "", "V1 applied, V1.1, V2, V10 and 1 more pending" },
    { "half undone", "flyway", NULL, false,
        { FW("1", "1", "init", "SQL", "V1__init.sql", NULL, "t"),
            FW("2", "1", "init", "UNDO_SQL", "U1__init.sql", "5", "f"), HIST_END },
        "fpppp", "", "nothing applied, V1.1, V2, V10 and 1 more pending, V1 failed" },
    { "schema row says nothing", "flyway", NULL, false,
        { FW("0", NULL, "<< Flyway Schema Creation >>", "SCHEMA", "\"public\"", NULL,
              "t"),
            HIST_END },
        "ppppp", "", "nothing applied, V1, V1.1, V2 and 2 more pending" },
    { "changed repeatable runs again", "flyway", NULL, false,
        { FW("1", NULL, "view of a", "SQL", "R__view_of_a.sql", "7", "t"), HIST_END },
        "ppppp", "", "nothing applied, V1, V1.1, V2 and 2 more pending" },
    { "newest row of a repeatable counts", "flyway", NULL, false,
        { FW("1", NULL, "view of a", "SQL", "R__view_of_a.sql", "7", "t"),
            FW("2", NULL, "view of a", "SQL", "R__view_of_a.sql", NULL, "t"),
            FW("3", NULL, "gone", "SQL", "R__gone.sql", "7", "t"),
            FW("4", NULL, "gone", "SQL", "R__gone.sql", "8", "t"), HIST_END },
        "ppppa", "gone",
        "nothing applied, V1, V1.1, V2 and 1 more pending, 1 recorded without a file" },
};

static char
letter(enum dg_migration_state state)
{
    switch (state) {
    case DG_MIG_PENDING:
        return 'p';
    case DG_MIG_RUNNING:
        return 'r';
    case DG_MIG_APPLIED:
        return 'a';
    case DG_MIG_EDITED:
        return 'e';
    case DG_MIG_OUT_OF_ORDER:
        return 'o';
    case DG_MIG_MISSING:
        return 'm';
    case DG_MIG_FAILED:
        return 'f';
    }
    return '?';
}

START_TEST(rows_make_states)
{
    bool is_flyway = strcmp(states[_i].format, "flyway") == 0;
    struct hist_env e;
    char got[16] = "", missing[64] = "", summary[512];

    hist_env_files(&e, states[_i].format, is_flyway ? flyway_files : numbered_files);
    e.conf.baseline = states[_i].baseline;
    hist_env_load(&e);
    hist_env_read(&e, states[_i].no_table ? NULL : states[_i].cells,
        is_flyway ? N_FLYWAY : N_NUMBERED);
    for (size_t i = 0; i < e.set->n; i++)
        got[i] = letter(hist_view_state(e.view, i));
    CASE_STR(&states[_i], got, states[_i].states);
    for (size_t i = 0; i < hist_view_n_missing(e.view); i++) {
        const char *version, *name;
        hist_view_missing(e.view, i, &version, &name);
        size_t n = strlen(missing);
        snprintf(missing + n, sizeof(missing) - n, "%s%s", i ? "," : "",
            version ? version : name);
    }
    CASE_STR(&states[_i], missing, states[_i].missing);
    hist_view_summary(e.view, summary, sizeof(summary));
    CASE_STR(&states[_i], summary, states[_i].summary);
    ck_assert_int_eq(hist_view_read_us(e.view), 12345);
    ck_assert_ptr_eq(hist_view_set(e.view), e.set);
    hist_env_free(&e);
}
END_TEST

/* --- matching --------------------------------------------------------------------------- */

static const struct {
    const char *name, *format;
    enum hist_repeat repeat;
    const char *cells[3 * N_FLYWAY];
    const char *sql;
    enum hist_match_kind kind;
    const char *file;
    size_t stmt;
} matches[] = {
    { "pending", "numbered-sql", HIST_REPEAT_CREATE, { HIST_END },
        "CREATE TABLE a (id int)", HIST_MATCH_PENDING, "001_init.sql", 0 },
    { "blanks, comments, case and ; don't count", "numbered-sql", HIST_REPEAT_CREATE,
        { HIST_END }, "/* x */ create\ttable A(id INT) -- y\n;", HIST_MATCH_PENDING,
        "001_init.sql", 0 },
    { "constants count", "numbered-sql", HIST_REPEAT_CREATE, { HIST_END },
        "CREATE OR REPLACE VIEW v AS SELECT 2", HIST_MATCH_NONE, NULL, 0 },
    { "one name off", "numbered-sql", HIST_REPEAT_CREATE, { HIST_END },
        "CREATE TABLE aa (id int)", HIST_MATCH_NONE, NULL, 0 },
    { "part of a statement", "numbered-sql", HIST_REPEAT_CREATE, { HIST_END },
        "EXPLAIN CREATE TABLE a AS SELECT 1", HIST_MATCH_NONE, NULL, 0 },
    { "shared by pending files: the oldest", "numbered-sql", HIST_REPEAT_CREATE,
        { HIST_END }, "GRANT SELECT ON a TO public", HIST_MATCH_PENDING, "002_more.sql",
        2 },
    { "shared by an applied and a pending file: the pending", "numbered-sql",
        HIST_REPEAT_CREATE, { "1", NULL, NULL, "2", NULL, NULL, HIST_END },
        "GRANT SELECT ON a TO public", HIST_MATCH_PENDING, "003_next.sql", 1 },
    { "applied", "numbered-sql", HIST_REPEAT_CREATE, { "1", NULL, NULL, HIST_END },
        "CREATE TABLE a (id int)", HIST_MATCH_APPLIED, "001_init.sql", 0 },
    { "applied, IF NOT EXISTS", "numbered-sql", HIST_REPEAT_CREATE,
        { "1", NULL, NULL, HIST_END }, "CREATE TABLE IF NOT EXISTS b (id int)",
        HIST_MATCH_REPEAT, "001_init.sql", 1 },
    { "applied, ADD COLUMN IF NOT EXISTS", "numbered-sql", HIST_REPEAT_CREATE,
        { "1", NULL, NULL, HIST_END }, "ALTER TABLE a ADD COLUMN IF NOT EXISTS n text",
        HIST_MATCH_REPEAT, "001_init.sql", 2 },
    { "applied, OR REPLACE is no permit", "numbered-sql", HIST_REPEAT_CREATE,
        { "1", NULL, NULL, HIST_END }, "CREATE OR REPLACE VIEW v AS SELECT 1",
        HIST_MATCH_APPLIED, "001_init.sql", 3 },
    { "applied, DROP IF EXISTS is no permit", "numbered-sql", HIST_REPEAT_CREATE,
        { "1", NULL, NULL, HIST_END }, "DROP TABLE IF EXISTS old", HIST_MATCH_APPLIED,
        "001_init.sql", 4 },
    { "repeat = none", "numbered-sql", HIST_REPEAT_NONE, { "1", NULL, NULL, HIST_END },
        "CREATE TABLE IF NOT EXISTS b (id int)", HIST_MATCH_APPLIED, "001_init.sql",
        1 },
    { "repeat = all", "numbered-sql", HIST_REPEAT_ALL, { "1", NULL, NULL, HIST_END },
        "DROP TABLE IF EXISTS old", HIST_MATCH_REPEAT, "001_init.sql", 4 },
    { "edited never passes", "numbered-sql", HIST_REPEAT_ALL,
        { "1", "other", NULL, HIST_END }, "CREATE TABLE IF NOT EXISTS b (id int)",
        HIST_MATCH_APPLIED, "001_init.sql", 1 },
    { "out of order", "numbered-sql", HIST_REPEAT_CREATE, { "3", NULL, NULL, HIST_END },
        "CREATE INDEX ai ON a (id)", HIST_MATCH_OUT_OF_ORDER, "002_more.sql", 1 },
    { "plain queries are in no file", "numbered-sql", HIST_REPEAT_CREATE, { HIST_END },
        "BEGIN", HIST_MATCH_NONE, NULL, 0 },
    { "the row in the file", "numbered-sql", HIST_REPEAT_CREATE, { HIST_END },
        "INSERT INTO schema_migrations (version, name) VALUES ('003', 'next')",
        HIST_MATCH_PENDING, "003_next.sql", 2 },
    { "failed row blocks the others", "flyway", HIST_REPEAT_CREATE,
        { FW("1", "1", "init", "SQL", "V1__init.sql", NULL, "f"), HIST_END },
        "CREATE TABLE b (id int)", HIST_MATCH_BLOCKED_FAILED, "V2__more_things.sql",
        0 },
    { "failed row blocks its own", "flyway", HIST_REPEAT_CREATE,
        { FW("1", "1", "init", "SQL", "V1__init.sql", NULL, "f"), HIST_END },
        "CREATE TABLE a (id int)", HIST_MATCH_BLOCKED_FAILED, "V1__init.sql", 0 },
};

START_TEST(statement_is_matched)
{
    bool is_flyway = strcmp(matches[_i].format, "flyway") == 0;
    struct hist_env e;

    hist_env_files(&e, matches[_i].format, is_flyway ? flyway_files : numbered_files);
    e.conf.repeat = matches[_i].repeat;
    hist_env_load(&e);
    hist_env_read(&e, matches[_i].cells, is_flyway ? N_FLYWAY : N_NUMBERED);
    struct hist_match m = hist_env_match(&e, matches[_i].sql);
    CASE_INT(&matches[_i], m.kind, matches[_i].kind);
    CASE_STR(&matches[_i], m.migration ? m.migration->file : "",
        matches[_i].file ? matches[_i].file : "");
    CASE_INT(&matches[_i], m.stmt, matches[_i].stmt);
    hist_env_free(&e);
}
END_TEST

#define F_HEAD "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$"

START_TEST(line_ends_of_the_checkout_do_not_count)
{
    static const struct hist_file files[] = {
        { "001_f.sql",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\r\nBEGIN\r\nRETURN "
            "1;\r\nEND $$;\r\nCREATE TABLE a\r\n(id int);\r\n" },
        { NULL, NULL }
    };
    static const char *const texts[] = {
        F_HEAD "\r\nBEGIN\r\nRETURN 1;\r\nEND $$",
        F_HEAD "\nBEGIN\nRETURN 1;\nEND $$",
        "CREATE TABLE a (id int)",
    };
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    hist_env_read(&e, NULL, N_NUMBERED);
    for (size_t i = 0; i < DG_ARRAY_SIZE(texts); i++) {
        struct hist_match m = hist_env_match(&e, texts[i]);
        ck_assert_msg(m.kind == HIST_MATCH_PENDING, "%s", texts[i]);
        ck_assert_uint_eq(m.stmt, i / 2);
    }
    hist_env_free(&e);
}
END_TEST

/* --- the tools' own statements ---------------------------------------------------------- */

#define FLYWAY_TABLE(name, more)                                                          \
    "CREATE TABLE " name " (\n    \"installed_rank\" INT NOT NULL,\n    \"version\" "     \
    "VARCHAR(50),\n    \"description\" VARCHAR(200) NOT NULL,\n    \"type\" VARCHAR(20) " \
    "NOT NULL,\n    \"script\" VARCHAR(1000) NOT NULL,\n    \"checksum\" INTEGER,\n    "  \
    "\"installed_by\" VARCHAR(100) NOT NULL,\n    \"installed_on\" TIMESTAMP NOT NULL "   \
    "DEFAULT now(),\n    \"execution_time\" INTEGER NOT NULL,\n    \"success\" BOOLEAN "  \
    "NOT NULL" more "\n)"

static const struct {
    const char *name, *format, *table, *sql;
    bool is_own;
} own[] = {
    { "Flyway's table", "flyway", NULL,
        FLYWAY_TABLE("\"public\".\"flyway_schema_history\"", ""), true },
    { "Flyway's table with its key", "flyway", NULL,
        FLYWAY_TABLE("\"public\".\"flyway_schema_history\"",
            ", CONSTRAINT \"flyway_schema_history_pk\" PRIMARY KEY (\"installed_rank\")"),
        true },
    { "in another schema", "flyway", NULL,
        FLYWAY_TABLE("\"x\".\"flyway_schema_history\"", ""), false },
    { "temporary", "flyway", NULL,
        FLYWAY_TABLE("pg_temp.\"flyway_schema_history\"", ""), false },
    { "with a column of its own", "flyway", NULL,
        FLYWAY_TABLE("flyway_schema_history", ", extra int"), false },
    { "with a check", "flyway", NULL,
        FLYWAY_TABLE("flyway_schema_history", " CHECK (evil())"), false },
    { "Flyway's key", "flyway", NULL,
        "ALTER TABLE \"public\".\"flyway_schema_history\" ADD CONSTRAINT "
        "\"flyway_schema_history_pk\" PRIMARY KEY (\"installed_rank\")",
        true },
    { "key with another action", "flyway", NULL,
        "ALTER TABLE flyway_schema_history ADD CONSTRAINT flyway_schema_history_pk PRIMARY "
        "KEY (installed_rank), DROP COLUMN checksum",
        false },
    { "key over other columns", "flyway", NULL,
        "ALTER TABLE flyway_schema_history ADD CONSTRAINT flyway_schema_history_pk PRIMARY "
        "KEY (version)",
        false },
    { "key of another table", "flyway", NULL,
        "ALTER TABLE orders ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY "
        "(installed_rank)",
        false },
    { "Flyway's index", "flyway", NULL,
        "CREATE INDEX \"flyway_schema_history_s_idx\" ON \"public\".\"flyway_schema_history\" "
        "(\"success\")",
        true },
    { "index on an expression", "flyway", NULL,
        "CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (evil(success))",
        false },
    { "index with a condition", "flyway", NULL,
        "CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success) WHERE "
        "evil()",
        false },
    { "schema of the table", "flyway", "ops.flyway_schema_history",
        "CREATE SCHEMA \"ops\"", true },
    { "schema, unquoted and if missing", "flyway", "ops.flyway_schema_history",
        "create schema if not exists OPS", true },
    { "other schema", "flyway", "ops.flyway_schema_history", "CREATE SCHEMA x", false },
    { "schema with elements", "flyway", "ops.flyway_schema_history",
        "CREATE SCHEMA ops CREATE TABLE evil (a int)", false },
    { "schema for somebody", "flyway", "ops.flyway_schema_history",
        "CREATE SCHEMA ops AUTHORIZATION evil", false },
    { "dropping the table", "flyway", NULL, "DROP TABLE flyway_schema_history", false },
    { "adding a column", "flyway", NULL,
        "ALTER TABLE flyway_schema_history ADD COLUMN x int DEFAULT evil()", false },
    { "renaming", "flyway", NULL, "ALTER TABLE flyway_schema_history RENAME TO x",
        false },
    { "a view in its place", "flyway", NULL,
        "CREATE VIEW flyway_schema_history AS SELECT 1", false },
    { "table from a query", "flyway", NULL,
        "CREATE TABLE flyway_schema_history AS SELECT 1 AS installed_rank", false },
    { "numbered table", "numbered-sql", NULL,
        "CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY, name text "
        "NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
        true },
    { "numbered table with the clock's other name", "numbered-sql", NULL,
        "CREATE TABLE public.schema_migrations (version bigint PRIMARY KEY, applied_at "
        "timestamp DEFAULT CURRENT_TIMESTAMP)",
        true },
    { "numbered table without a version", "numbered-sql", NULL,
        "CREATE TABLE schema_migrations (name text)", false },
    { "default that calls something", "numbered-sql", NULL,
        "CREATE TABLE schema_migrations (version text, applied_at timestamptz DEFAULT evil())",
        false },
    { "default of another column", "numbered-sql", NULL,
        "CREATE TABLE schema_migrations (version text, name text DEFAULT evil())",
        false },
    { "type of somebody's", "numbered-sql", NULL,
        "CREATE TABLE schema_migrations (version evil.domain)", false },
    { "inherited", "numbered-sql", NULL,
        "CREATE TABLE schema_migrations (version text) INHERITS (evil)", false },
    { "like another", "numbered-sql", NULL,
        "CREATE TABLE schema_migrations (version text, LIKE evil INCLUDING ALL)",
        false },
    { "foreign key", "numbered-sql", NULL,
        "CREATE TABLE schema_migrations (version text REFERENCES evil)", false },
    { "temporary table", "numbered-sql", NULL,
        "CREATE TEMP TABLE schema_migrations (version text)", false },
    { "truncate", "numbered-sql", NULL, "TRUNCATE schema_migrations", false },
};

START_TEST(own_statement_is_told)
{
    struct hist_env e;

    hist_env_files(&e, own[_i].format, NULL);
    e.conf.history_table = own[_i].table;
    hist_env_load(&e);
    hist_env_read(&e, NULL, 0);
    struct hist_match m = hist_env_match(&e, own[_i].sql);
    CASE_INT(&own[_i], m.kind, own[_i].is_own ? HIST_MATCH_OWN : HIST_MATCH_NONE);
    hist_env_free(&e);
}
END_TEST

/* --- transactions ----------------------------------------------------------------------- */

/* A script: each line is a statement that succeeded, or `S name`, `R name` (rollback to),
 * `X name` (release). */
static const struct {
    const char *name;
    const char *script[10];
    bool complete[3];       /* 001, 002, 003 */
    const char *unrecorded; /* of hist_tx_unrecorded, NULL: none */
} txs[] = {
    { "nothing", { NULL }, { false, false, false }, NULL },
    { "all of it", { "CREATE INDEX ai ON a (id)", "GRANT SELECT ON a TO public" },
        { false, true, false },
        "002_more.sql has run in this transaction, but schema_migrations holds no row for "
        "it; add the INSERT for version 002 before COMMIT" },
    { "order is free", { "GRANT SELECT ON a TO public", "CREATE INDEX ai ON a (id)" },
        { false, true, false },
        "002_more.sql has run in this transaction, but schema_migrations holds no row for "
        "it; add the INSERT for version 002 before COMMIT" },
    { "half of it", { "CREATE INDEX ai ON a (id)" }, { false, false, false },
        "1 of the 2 schema changes of 002_more.sql has not run in this transaction, the "
        "first is line 3, GRANT a; run the whole file, then record it" },
    { "shared statement counts for both",
        { "CREATE INDEX ai ON a (id)", "GRANT SELECT ON a TO public",
            "ALTER TABLE a ADD COLUMN x int" },
        { false, true, true },
        "002_more.sql has run in this transaction, but schema_migrations holds no row for "
        "it; add the INSERT for version 002 before COMMIT" },
    { "rolled back doesn't count",
        { "CREATE INDEX ai ON a (id)", "S s", "GRANT SELECT ON a TO public", "R s" },
        { false, false, false },
        "1 of the 2 schema changes of 002_more.sql has not run in this transaction, the "
        "first is line 3, GRANT a; run the whole file, then record it" },
    { "run again after rolling back",
        { "S s", "GRANT SELECT ON a TO public", "R s", "CREATE INDEX ai ON a (id)",
            "GRANT SELECT ON a TO public" },
        { false, true, false },
        "002_more.sql has run in this transaction, but schema_migrations holds no row for "
        "it; add the INSERT for version 002 before COMMIT" },
    { "unknown savepoint is older than all",
        { "CREATE INDEX ai ON a (id)", "GRANT SELECT ON a TO public", "R elsewhere" },
        { false, false, false }, NULL },
    { "inner savepoint of the same name first",
        { "S s", "CREATE INDEX ai ON a (id)", "S s", "GRANT SELECT ON a TO public",
            "R s" },
        { false, false, false },
        "1 of the 2 schema changes of 002_more.sql has not run in this transaction, the "
        "first is line 3, GRANT a; run the whole file, then record it" },
    { "released savepoint gives way to the outer one",
        { "S s", "CREATE INDEX ai ON a (id)", "S s", "X s",
            "GRANT SELECT ON a TO public", "R s" },
        { false, false, false }, NULL },
    { "recorded",
        { "CREATE INDEX ai ON a (id)", "GRANT SELECT ON a TO public",
            "INSERT INTO schema_migrations VALUES ('002', 'more')" },
        { false, true, false }, NULL },
    { "two recorded at once",
        { "CREATE INDEX ai ON a (id)", "GRANT SELECT ON a TO public",
            "ALTER TABLE a ADD COLUMN x int",
            "INSERT INTO schema_migrations VALUES ('002', 'more'), ('003', 'next')" },
        { false, true, true }, NULL },
    { "row rolled back",
        { "CREATE INDEX ai ON a (id)", "GRANT SELECT ON a TO public", "S s",
            "INSERT INTO schema_migrations VALUES ('002', 'more')", "R s" },
        { false, true, false },
        "002_more.sql has run in this transaction, but schema_migrations holds no row for "
        "it; add the INSERT for version 002 before COMMIT" },
    { "shared statement of a later file is explained by its row",
        { "GRANT SELECT ON a TO public", "ALTER TABLE a ADD COLUMN x int",
            "INSERT INTO schema_migrations (version, name) VALUES ('003', 'next')" },
        { false, false, true }, NULL },
};

static void
play(struct hist_env *e, struct hist_tx *tx, const char *line)
{
    struct hist_sql s;

    if (line[1] == ' ') {
        if (line[0] == 'S')
            hist_tx_savepoint(tx, line + 2);
        else if (line[0] == 'R')
            hist_tx_rollback_to(tx, line + 2);
        else
            hist_tx_release(tx, line + 2);
        return;
    }
    hist_sql_init(&s, e->set, line);
    struct hist_match m = hist_match(e->view, s.f, s.digest);
    if (s.f->write)
        hist_tx_wrote(tx, s.f, &m, NULL, 0);
    else
        hist_tx_ran(tx, &m);
    hist_sql_deinit(&s);
}

START_TEST(transaction_knows_what_it_ran)
{
    static const char *const applied[] = { "001", "init", NULL, HIST_END };
    struct hist_env e;
    struct err why = { "" };

    hist_env_files(&e, "numbered-sql", numbered_files);
    hist_env_load(&e);
    hist_env_read(&e, applied, N_NUMBERED);
    struct hist_tx *tx = hist_tx_new(e.view);
    for (size_t i = 0; txs[_i].script[i]; i++)
        play(&e, tx, txs[_i].script[i]);
    for (size_t i = 0; i < 3; i++)
        CASE_INT(&txs[_i], hist_tx_is_complete(tx, &e.set->migrations[i]),
            txs[_i].complete[i]);
    const struct hist_migration *m = hist_tx_unrecorded(tx, &why);
    CASE_STR(&txs[_i], why.text, txs[_i].unrecorded ? txs[_i].unrecorded : "");
    CASE_INT(&txs[_i], m != NULL, txs[_i].unrecorded != NULL);
    hist_tx_free(tx);
    hist_env_free(&e);
}
END_TEST

START_TEST(statement_that_stands_twice_runs_twice)
{
    static const struct hist_file files[] = {
        { "001_x.sql",
            "CREATE TABLE a (id int);\nDROP TABLE a;\nCREATE TABLE a (id int);" },
        { NULL, NULL }
    };
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    hist_env_read(&e, NULL, N_NUMBERED);
    struct hist_tx *tx = hist_tx_new(e.view);
    play(&e, tx, "CREATE TABLE a (id int)");
    play(&e, tx, "DROP TABLE a");
    ck_assert(!hist_tx_is_complete(tx, &e.set->migrations[0]));
    play(&e, tx, "CREATE TABLE a (id int)");
    ck_assert(hist_tx_is_complete(tx, &e.set->migrations[0]));
    hist_tx_free(tx);
    hist_env_free(&e);
}
END_TEST

START_TEST(migration_of_another_set_is_not_complete)
{
    struct hist_env a, b;

    hist_env_files(&a, "numbered-sql", numbered_files);
    hist_env_load(&a);
    hist_env_read(&a, NULL, N_NUMBERED);
    hist_env_files(&b, "numbered-sql", numbered_files);
    hist_env_load(&b);
    struct hist_tx *tx = hist_tx_new(a.view);
    play(&a, tx, "CREATE INDEX ai ON a (id)");
    play(&a, tx, "GRANT SELECT ON a TO public");
    ck_assert(hist_tx_is_complete(tx, &a.set->migrations[1]));
    ck_assert(!hist_tx_is_complete(tx, &b.set->migrations[1]));
    hist_tx_free(tx);
    hist_env_free(&a);
    hist_env_free(&b);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_match");
    TCase *tc = tcase_create("match");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, rows_make_states, 0, DG_ARRAY_SIZE(states));
    tcase_add_loop_test(tc, statement_is_matched, 0, DG_ARRAY_SIZE(matches));
    tcase_add_test(tc, line_ends_of_the_checkout_do_not_count);
    tcase_add_loop_test(tc, own_statement_is_told, 0, DG_ARRAY_SIZE(own));
    tcase_add_loop_test(tc, transaction_knows_what_it_ran, 0, DG_ARRAY_SIZE(txs));
    tcase_add_test(tc, statement_that_stands_twice_runs_twice);
    tcase_add_test(tc, migration_of_another_set_is_not_complete);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
