// SPDX-License-Identifier: ISC
/* Rows that clients write into the history: honest ones pass, forged ones don't. */
#include "lib/hist.h"

/* --- numbered-sql ----------------------------------------------------------------------- */

static const struct hist_file numbered_files[] = {
    { "001_init.sql", "CREATE TABLE a (id int);" },
    { "002_more.sql",
        "CREATE INDEX ai ON a (id);\n"
        "INSERT INTO schema_migrations (version, name) VALUES ('002', 'more') "
        "ON CONFLICT DO NOTHING;\n" },
    { "003_data.sql", "UPDATE a SET id = 1;" },
    { "004_guarded.sql",
        "CREATE TABLE g (id int);\n"
        "INSERT INTO schema_migrations (version, name) SELECT v, 'guarded' "
        "FROM (SELECT '004' AS v) q;\n"
        "UPDATE schema_migrations SET name = 'init' WHERE version = '001';\n" },
    { NULL, NULL },
};

#define TEXT(s)                   \
    {                             \
        (s), sizeof(s) - 1, false \
    }
#define BINARY(s)                \
    {                            \
        (s), sizeof(s) - 1, true \
    }
#define SQL_NULL       \
    {                  \
        NULL, 0, false \
    }
#define OK     HIST_WRITE_OK
#define SEEN   HIST_WRITE_NOT_SEEN_RUN
#define EARLY  HIST_WRITE_TOO_EARLY
#define FORGED HIST_WRITE_FORGED
#define BINDS  HIST_WRITE_NEEDS_BINDS
#define INS    "INSERT INTO schema_migrations "

/* 001 is applied; `ran` has run in this transaction. */
static const struct {
    const char *name;
    const char *ran;
    const char *sql;
    size_t n_binds; /* 0: Parse time */
    struct hist_bind binds[4];
    enum hist_write_verdict verdict;
    const char *file;   /* of the migration, NULL: none */
    const char *reason; /* part of it; NULL: any */
} numbered[] = {
    { "after its changes", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ('002', 'more')", 0, { SQL_NULL }, OK,
        "002_more.sql", "" },
    { "with the time", "CREATE INDEX ai ON a (id)",
        INS "(version, name, applied_at) VALUES ('002', 'more', now())", 0,
        { SQL_NULL }, OK, "002_more.sql", "" },
    { "columns in another order", "CREATE INDEX ai ON a (id)",
        INS "(name, applied_at, version) VALUES ('more', now(), '002')", 0,
        { SQL_NULL }, OK, "002_more.sql", "" },
    { "by position", "CREATE INDEX ai ON a (id)", INS "VALUES ('002', 'more', now())",
        0, { SQL_NULL }, OK, "002_more.sql", "" },
    { "version alone", "CREATE INDEX ai ON a (id)", INS "(version) VALUES ('002')", 0,
        { SQL_NULL }, OK, "002_more.sql", "" },
    { "version as a number", "CREATE INDEX ai ON a (id)", INS "(version) VALUES (2)", 0,
        { SQL_NULL }, OK, "002_more.sql", "" },
    { "version with a cast", "CREATE INDEX ai ON a (id)",
        INS "(version) VALUES ('2'::text)", 0, { SQL_NULL }, OK, "002_more.sql", "" },
    { "file as the version", "CREATE INDEX ai ON a (id)",
        INS "(version) VALUES ('002_more.sql')", 0, { SQL_NULL }, OK, "002_more.sql",
        "" },
    { "name as a person spells it", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ('002', 'More')", 0, { SQL_NULL }, OK,
        "002_more.sql", "" },
    { "name is null", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ('002', NULL)", 0, { SQL_NULL }, OK, "002_more.sql",
        "" },
    { "schema written", "CREATE INDEX ai ON a (id)",
        "INSERT INTO public.schema_migrations (version) VALUES ('002')", 0,
        { SQL_NULL }, OK, "002_more.sql", "" },
    { "conflicts are skipped", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ('002', 'more') ON CONFLICT DO NOTHING", 0,
        { SQL_NULL }, OK, "002_more.sql", "" },
    { "constants in a SELECT", "CREATE INDEX ai ON a (id)",
        INS "(version, name) SELECT '002', 'more' WHERE NOT EXISTS (SELECT 1 FROM "
            "schema_migrations WHERE version = '002')",
        0, { SQL_NULL }, OK, "002_more.sql", "" },
    { "inside WITH", "CREATE INDEX ai ON a (id)",
        "WITH x AS (INSERT INTO schema_migrations (version) VALUES ('002') RETURNING 1) "
        "SELECT * FROM x",
        0, { SQL_NULL }, OK, "002_more.sql", "" },
    { "parameters in text", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ($1, $2)", 2, { TEXT("002"), TEXT("more") }, OK,
        "002_more.sql", "" },
    { "text in binary", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ($1, $2)", 2, { BINARY("002"), BINARY("more") }, OK,
        "002_more.sql", "" },
    { "int4 in binary", "CREATE INDEX ai ON a (id)", INS "(version) VALUES ($1)", 1,
        { BINARY("\0\0\0\2") }, OK, "002_more.sql", "" },
    { "int8 in binary", "CREATE INDEX ai ON a (id)", INS "(version) VALUES ($1)", 1,
        { BINARY("\0\0\0\0\0\0\0\2") }, OK, "002_more.sql", "" },
    { "int2 in binary", "CREATE INDEX ai ON a (id)", INS "(version) VALUES ($1)", 1,
        { BINARY("\0\2") }, OK, "002_more.sql", "" },
    { "parameters before Bind", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ($1, $2)", 0, { SQL_NULL }, BINDS, NULL, NULL },
    { "name before Bind", NULL, INS "(version, name) VALUES ('002', $1)", 0,
        { SQL_NULL }, BINDS, "002_more.sql", NULL },
    { "no changes to wait for", NULL, INS "(version) VALUES ('003')", 0, { SQL_NULL },
        OK, "003_data.sql", "" },
    { "applied once more", NULL,
        INS "(version, name) VALUES ('001', 'init') ON CONFLICT DO NOTHING", 0,
        { SQL_NULL }, OK, "001_init.sql", "" },
    { "lock", NULL, "LOCK TABLE schema_migrations IN EXCLUSIVE MODE", 0, { SQL_NULL },
        OK, NULL, "" },
    { "table of the same name in a schema that is listed", NULL,
        "DELETE FROM app_2.schema_migrations", 0, { SQL_NULL }, OK, NULL, "" },
    { "rows of other columns elsewhere", NULL,
        "INSERT INTO other.schema_migrations (id, note) VALUES (1, 'x')", 0,
        { SQL_NULL }, OK, NULL, "" },
    { "columns of other names set elsewhere", NULL,
        "UPDATE other.schema_migrations SET note = 'x'", 0, { SQL_NULL }, OK, NULL,
        "" },

    { "table of the same name elsewhere", NULL, "DELETE FROM other.schema_migrations",
        0, { SQL_NULL }, FORGED, NULL,
        "DELETE of other.schema_migrations, which could be taken for the history table "
        "public.schema_migrations; if it is another table, list other in unrelated_schemas "
        "of [migrations shop]" },
    { "row of a history elsewhere", "CREATE INDEX ai ON a (id)",
        "INSERT INTO other.schema_migrations (version, name) VALUES ('002', 'more')", 0,
        { SQL_NULL }, FORGED, NULL, NULL },
    { "row without column names elsewhere", NULL,
        "INSERT INTO other.schema_migrations VALUES ('002')", 0, { SQL_NULL }, FORGED,
        NULL, NULL },
    { "version set elsewhere", NULL, "UPDATE other.schema_migrations SET version = '2'",
        0, { SQL_NULL }, FORGED, NULL, NULL },
    { "emptied elsewhere", NULL, "TRUNCATE other.schema_migrations", 0, { SQL_NULL },
        FORGED, NULL, NULL },

    { "before its changes", NULL, INS "(version, name) VALUES ('002', 'more')", 0,
        { SQL_NULL }, EARLY, "002_more.sql",
        "1 of the 1 schema changes of 002_more.sql has not run in this transaction, the first "
        "is line 1, CREATE INDEX ai; run the whole file, then record it" },
    { "after another file's changes", "CREATE TABLE g (id int)",
        INS "(version, name) VALUES ('002', 'more')", 0, { SQL_NULL }, EARLY,
        "002_more.sql", NULL },
    { "one of two rows too early", "CREATE INDEX ai ON a (id)",
        INS "(version) VALUES ('002'), ('004')", 0, { SQL_NULL }, EARLY, "002_more.sql",
        "004_guarded.sql" },
    { "bound too early", NULL, INS "(version) VALUES ($1)", 1, { TEXT("002") }, EARLY,
        "002_more.sql", NULL },
    { "the file's own guarded row too early", NULL,
        INS "(version, name) SELECT v, 'guarded' FROM (SELECT '004' AS v) q", 0,
        { SQL_NULL }, EARLY, "004_guarded.sql", NULL },
    { "the file's own guarded row in time", "CREATE TABLE g (id int)",
        INS "(version, name) SELECT v, 'guarded' FROM (SELECT '004' AS v) q", 0,
        { SQL_NULL }, OK, "004_guarded.sql", "" },
    { "a change of rows that a file holds", NULL,
        "UPDATE schema_migrations SET name = 'init' WHERE version = '001'", 0,
        { SQL_NULL }, OK, "004_guarded.sql", "" },

    { "version without a file", NULL, INS "(version, name) VALUES ('005', 'x')", 0,
        { SQL_NULL }, FORGED, NULL,
        "row of schema_migrations for version 005, which no file in DIR has (001 applied, "
        "002, 003, 004 pending); add the file first" },
    { "name of another file", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ('002', 'init')", 0, { SQL_NULL }, FORGED,
        "002_more.sql",
        "row of schema_migrations with version 002 and name init, but the file of that "
        "version is 002_more.sql; write 'more'" },
    { "file of another name as the version", "CREATE INDEX ai ON a (id)",
        INS "(version) VALUES ('002_other.sql')", 0, { SQL_NULL }, FORGED,
        "002_more.sql", NULL },
    { "one of two rows forged", "CREATE INDEX ai ON a (id)",
        INS "(version) VALUES ('002'), ('005')", 0, { SQL_NULL }, FORGED,
        "002_more.sql", "version 005" },
    { "forged beside a parameter", NULL, INS "(version) VALUES ($1), ('005')", 0,
        { SQL_NULL }, FORGED, NULL, "version 005" },
    { "bound to no file", NULL, INS "(version) VALUES ($1)", 1, { TEXT("005") }, FORGED,
        NULL, NULL },
    { "bound to a negative number", NULL, INS "(version) VALUES ($1)", 1,
        { BINARY("\377\377\377\377") }, FORGED, NULL, "version -1," },
    { "parameter that isn't there", NULL, INS "(version) VALUES ($2)", 1,
        { TEXT("002") }, FORGED, NULL, "is not a constant or parameter" },
    { "null version", NULL, INS "(version) VALUES ($1)", 1, { SQL_NULL }, FORGED, NULL,
        NULL },
    { "no version", NULL, INS "(name) VALUES ('more')", 0, { SQL_NULL }, FORGED, NULL,
        NULL },
    { "version from a function", "CREATE INDEX ai ON a (id)",
        INS "(version) VALUES (concat('00', '2'))", 0, { SQL_NULL }, FORGED, NULL,
        NULL },
    { "name from a function", "CREATE INDEX ai ON a (id)",
        INS "(version, name) VALUES ('002', lower('more'))", 0, { SQL_NULL }, FORGED,
        "002_more.sql", NULL },
    { "rows from a query", "CREATE INDEX ai ON a (id)", INS "SELECT * FROM evil", 0,
        { SQL_NULL }, FORGED, NULL, NULL },
    { "rows from a UNION", "CREATE INDEX ai ON a (id)",
        INS "(version) SELECT '002' UNION SELECT '005'", 0, { SQL_NULL }, FORGED, NULL,
        "can't be known" },
    { "defaults", NULL, INS "DEFAULT VALUES", 0, { SQL_NULL }, FORGED, NULL, NULL },
    { "update on conflict", "CREATE INDEX ai ON a (id)",
        INS
        "(version) VALUES ('002') ON CONFLICT (version) DO UPDATE SET version = '005'",
        0, { SQL_NULL }, FORGED, NULL, "ON CONFLICT DO NOTHING at most" },
    { "zero byte in the version", NULL, INS "(version) VALUES ($1)", 1,
        { BINARY("002\0x") }, FORGED, NULL, NULL },
    { "update", NULL,
        "UPDATE schema_migrations SET version = '002' WHERE version = '001'", 0,
        { SQL_NULL }, FORGED, NULL,
        "UPDATE of schema_migrations: rows of a numbered-sql history are only ever inserted; "
        "put the change into a migration file, or let an access section with unmigrated = "
        "allow do it" },
    { "delete", NULL, "DELETE FROM schema_migrations WHERE version = '001'", 0,
        { SQL_NULL }, FORGED, NULL, "DELETE of schema_migrations" },
    { "truncate", NULL, "TRUNCATE schema_migrations", 0, { SQL_NULL }, FORGED, NULL,
        "TRUNCATE of schema_migrations" },
    { "truncate among others", NULL, "TRUNCATE a, public.schema_migrations", 0,
        { SQL_NULL }, FORGED, NULL, NULL },
    { "copy", NULL, "COPY schema_migrations FROM STDIN", 0, { SQL_NULL }, BINDS, NULL,
        "the rows come with the data" },
    { "copy from a file of the server", NULL, "COPY schema_migrations FROM '/tmp/x'", 0,
        { SQL_NULL }, FORGED, NULL, "COPY of schema_migrations" },
    { "copy with a condition", NULL,
        "COPY schema_migrations FROM STDIN WHERE version > '1'", 0, { SQL_NULL },
        FORGED, NULL, "COPY of schema_migrations" },
    { "merge", NULL,
        "MERGE INTO schema_migrations m USING a ON m.version = '1' WHEN NOT MATCHED THEN "
        "INSERT VALUES ('005', 'x')",
        0, { SQL_NULL }, FORGED, NULL, "MERGE of schema_migrations" },
    { "delete inside WITH", NULL,
        "WITH x AS (DELETE FROM schema_migrations RETURNING 1) SELECT * FROM x", 0,
        { SQL_NULL }, FORGED, NULL, NULL },
};

static void
check(const struct hist_env *e, const char *name, const char *ran, const char *sql,
    size_t n_binds, const struct hist_bind *binds, enum hist_write_verdict verdict,
    const char *file, const char *reason)
{
    const struct hist_migration *mig = NULL;
    struct hist_tx *tx = hist_tx_new(e->view);
    struct err why = { "" };
    struct hist_sql s;
    char text[1024];
    struct {
        const char *name;
    } c = { name };

    if (ran) {
        struct hist_match m = hist_env_match(e, ran);
        ck_assert_msg(m.migration != NULL, "%s: %s is in no file", name, ran);
        hist_tx_ran(tx, &m);
    }
    hist_sql_init(&s, e->set, sql);
    struct hist_match m = hist_match(e->view, s.f, s.digest);
    int got = hist_check_write(
        e->view, s.f, &m, n_binds ? binds : NULL, n_binds, tx, &mig, &why);
    hist_env_text(e, why.text, text);
    ck_assert_msg(got == (int)verdict, "%s: verdict %d, want %d: %s", name, got,
        (int)verdict, text);
    CASE_STR(&c, mig ? mig->file : "", file ? file : "");
    if (reason)
        ck_assert_msg(reason[0] ? strstr(text, reason) != NULL : text[0] == 0,
            "%s: got \"%s\", want \"%s\"", name, text, reason);
    else
        ck_assert_msg(text[0] != 0, "%s: no reason", name);
    hist_sql_deinit(&s);
    hist_tx_free(tx);
}

START_TEST(numbered_row_is_judged)
{
    static const char *const applied[] = { "001", "init", NULL, HIST_END };
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", numbered_files);
    e.conf.unrelated_schemas = "legacy, app_*";
    hist_env_load(&e);
    hist_env_read(&e, applied, 3);
    check(&e, numbered[_i].name, numbered[_i].ran, numbered[_i].sql,
        numbered[_i].n_binds, numbered[_i].binds, numbered[_i].verdict,
        numbered[_i].file, numbered[_i].reason);
    hist_env_free(&e);
}
END_TEST

/* --- flyway ----------------------------------------------------------------------------- */

static const struct hist_file flyway_files[] = {
    { "V1__init.sql", "CREATE TABLE a (id int);" },
    { "sub/V2__more_things.sql", "CREATE TABLE b (id int);" },
    { "R__view_of_a.sql", "CREATE OR REPLACE VIEW va AS SELECT 1;" },
    { "U1__no_init.sql", "DROP TABLE a;" },
    { "sub/U2__more_things.sql", "DROP TABLE b;" },
    { NULL, NULL },
};

#define SUM_U  "1773948957"
#define SUM_U2 "1116799966"
#define SUM_1  "-623083431"
#define SUM_2  "1128195672"
#define SUM_R  "421024750"

#define FLYWAY_INSERT                                                                     \
    "INSERT INTO \"public\".\"flyway_schema_history\" (\"installed_rank\", \"version\", " \
    "\"description\", \"type\", \"script\", \"checksum\", \"installed_by\", "             \
    "\"execution_time\", \"success\") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"

#define ROW(version, description, type, script, sum, ok)                               \
    {                                                                                  \
        TEXT("3"), version, description, type, script, sum, TEXT("me"), TEXT("12"), ok \
    }

/* Rank 1: V1 applied. Rank 2: V1.5, failed, no file. Rank 3: V0, no file. Rank 4: a
 * repeatable without a file. */
static const struct {
    const char *name;
    const char *ran;
    const char *sql;
    const char *baseline;
    size_t n_binds;
    struct hist_bind binds[9];
    enum hist_write_verdict verdict;
    const char *file;
    const char *reason;
} flyway[] = {
    { "row of another connection's migration", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("SQL"),
            TEXT("sub/V2__more_things.sql"), TEXT(SUM_2), TEXT("t")),
        SEEN, "sub/V2__more_things.sql",
        "sub/V2__more_things.sql is recorded without being seen to run in this transaction" },
    { "row of its own connection's migration", "CREATE TABLE b (id int)", FLYWAY_INSERT,
        NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("SQL"),
            TEXT("sub/V2__more_things.sql"), TEXT(SUM_2), TEXT("t")),
        OK, "sub/V2__more_things.sql", "" },
    { "numbers in binary", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), BINARY("more things"), BINARY("SQL"),
            BINARY("sub/V2__more_things.sql"), BINARY("\103\076\346\130"),
            BINARY("\1")),
        SEEN, "sub/V2__more_things.sql", NULL },
    { "failed run", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("SQL"),
            TEXT("sub/V2__more_things.sql"), TEXT(SUM_2), TEXT("f")),
        SEEN, "sub/V2__more_things.sql", NULL },
    { "repeatable", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(SQL_NULL, TEXT("view of a"), TEXT("SQL"), TEXT("R__view_of_a.sql"),
            TEXT(SUM_R), TEXT("t")),
        SEEN, "R__view_of_a.sql", NULL },
    { "before Bind", NULL, FLYWAY_INSERT, NULL, 0, { SQL_NULL }, BINDS, NULL, NULL },
    { "schema row", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(SQL_NULL, TEXT("<< Flyway Schema Creation >>"), TEXT("SCHEMA"),
            TEXT("\"public\""), SQL_NULL, TEXT("t")),
        OK, NULL, "" },
    { "baseline as configured", NULL, FLYWAY_INSERT, "1", 9,
        ROW(TEXT("1"), TEXT("<< Flyway Baseline >>"), TEXT("BASELINE"),
            TEXT("<< Flyway Baseline >>"), SQL_NULL, TEXT("t")),
        OK, NULL, "" },
    { "baseline of nobody's", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("<< Flyway Baseline >>"), TEXT("BASELINE"),
            TEXT("<< Flyway Baseline >>"), SQL_NULL, TEXT("t")),
        FORGED, NULL,
        "baseline row of flyway_schema_history for version 2; set baseline = 2 in [migrations "
        "shop] if this database starts there" },
    { "another baseline", NULL, FLYWAY_INSERT, "1", 9,
        ROW(TEXT("2"), TEXT("x"), TEXT("BASELINE"), TEXT("x"), SQL_NULL, TEXT("t")),
        FORGED, NULL, NULL },
    { "version without a file", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("9"), TEXT("x"), TEXT("SQL"), TEXT("V9__x.sql"), TEXT("1"), TEXT("t")),
        FORGED, NULL, "version 9 is not that of any file" },
    { "other checksum", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("SQL"),
            TEXT("sub/V2__more_things.sql"), TEXT("17"), TEXT("t")),
        FORGED, "sub/V2__more_things.sql",
        "with checksum 17, but the file has " SUM_2 },
    { "no checksum", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("SQL"),
            TEXT("sub/V2__more_things.sql"), SQL_NULL, TEXT("t")),
        FORGED, "sub/V2__more_things.sql", "with checksum null" },
    { "other script", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("SQL"), TEXT("V2__more_things.sql"),
            TEXT(SUM_2), TEXT("t")),
        FORGED, "sub/V2__more_things.sql", "script V2__more_things.sql" },
    { "other description", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("less"), TEXT("SQL"), TEXT("sub/V2__more_things.sql"),
            TEXT(SUM_2), TEXT("t")),
        FORGED, "sub/V2__more_things.sql", "description less" },
    { "unknown repeatable", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(SQL_NULL, TEXT("x"), TEXT("SQL"), TEXT("R__x.sql"), TEXT("1"), TEXT("t")),
        FORGED, NULL, "description x" },
    { "Java migration", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("JDBC"), TEXT("x.V2"), TEXT(SUM_2),
            TEXT("t")),
        FORGED, NULL, "of type JDBC for version 2, which no SQL file stands behind" },
    { "undo", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("1"), TEXT("no init"), TEXT("UNDO_SQL"), TEXT("U1__no_init.sql"),
            TEXT(SUM_U), TEXT("t")),
        SEEN, "U1__no_init.sql",
        "U1__no_init.sql is recorded without being seen to run in this transaction" },
    { "undo of its own connection", "DROP TABLE a", FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("1"), TEXT("no init"), TEXT("UNDO_SQL"), TEXT("U1__no_init.sql"),
            TEXT(SUM_U), TEXT("t")),
        OK, "U1__no_init.sql", "" },
    { "undo with another checksum", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("1"), TEXT("no init"), TEXT("UNDO_SQL"), TEXT("U1__no_init.sql"),
            TEXT(SUM_1), TEXT("t")),
        FORGED, "U1__no_init.sql", "with checksum " SUM_1 ", but the file has " SUM_U },
    { "undo of another file", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("1"), TEXT("no init"), TEXT("UNDO_SQL"), TEXT("V1__init.sql"),
            TEXT(SUM_U), TEXT("t")),
        FORGED, "U1__no_init.sql", "script V1__init.sql" },
    { "undo of what is not applied", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), TEXT("UNDO_SQL"),
            TEXT("sub/U2__more_things.sql"), TEXT(SUM_U2), TEXT("t")),
        FORGED, "sub/U2__more_things.sql",
        "sub/V2__more_things.sql is not applied, so that sub/U2__more_things.sql has "
        "nothing to undo" },
    { "undo by a script", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("1"), TEXT("no init"), TEXT("UNDO_SCRIPT"), TEXT("U1__no_init.sql"),
            TEXT(SUM_U), TEXT("t")),
        FORGED, NULL,
        "of type UNDO_SCRIPT for version 1, which no SQL file stands behind" },
    { "undo without a version", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(SQL_NULL, TEXT("view of a"), TEXT("UNDO_SQL"), TEXT("R__view_of_a.sql"),
            TEXT(SUM_R), TEXT("t")),
        FORGED, NULL, "description view of a" },
    { "undo of a version without its file", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("9"), TEXT("x"), TEXT("UNDO_SQL"), TEXT("U9__x.sql"), TEXT("1"),
            TEXT("t")),
        FORGED, NULL, "version 9 is not that of any file" },
    { "deleted row of a missing repeatable", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(SQL_NULL, TEXT("lost"), TEXT("DELETE"), TEXT("R__lost.sql"), TEXT("1"),
            TEXT("t")),
        OK, NULL, "" },
    { "deleted row of another repeatable", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(SQL_NULL, TEXT("gone"), TEXT("DELETE"), TEXT("R__gone.sql"), TEXT("1"),
            TEXT("t")),
        FORGED, NULL, NULL },
    { "deleted row of a known file", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("1"), TEXT("init"), TEXT("DELETE"), TEXT("V1__init.sql"), TEXT(SUM_1),
            TEXT("t")),
        FORGED, NULL, NULL },
    { "deleted row of a missing file", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("0"), TEXT("gone"), TEXT("DELETE"), TEXT("V0__gone.sql"), TEXT("1"),
            TEXT("t")),
        OK, NULL, "" },
    { "type is null", NULL, FLYWAY_INSERT, NULL, 9,
        ROW(TEXT("2"), TEXT("more things"), SQL_NULL, TEXT("sub/V2__more_things.sql"),
            TEXT(SUM_2), TEXT("t")),
        FORGED, NULL, "whose type is not a constant or parameter" },
    { "literals", NULL,
        "INSERT INTO flyway_schema_history (version, description, type, script, checksum, "
        "success) VALUES ('2', 'more things', 'SQL', 'sub/V2__more_things.sql', " SUM_2
        ", true)",
        NULL, 0, { SQL_NULL }, SEEN, "sub/V2__more_things.sql", NULL },
    { "forged literals", NULL,
        "INSERT INTO flyway_schema_history (version, description, type, script, checksum, "
        "success) VALUES ('2', 'more things', 'SQL', 'sub/V2__more_things.sql', 1, true)",
        NULL, 0, { SQL_NULL }, FORGED, "sub/V2__more_things.sql", NULL },
    { "repair of a checksum", NULL,
        "UPDATE \"public\".\"flyway_schema_history\" SET \"description\"=$1 , \"type\"=$2 , "
        "\"checksum\"=$3 WHERE \"installed_rank\" = $4",
        NULL, 4, { TEXT("init"), TEXT("SQL"), TEXT(SUM_1), TEXT("1") }, OK,
        "V1__init.sql", "" },
    { "repair before Bind", NULL,
        "UPDATE flyway_schema_history SET checksum = $1 WHERE installed_rank = $2",
        NULL, 0, { SQL_NULL }, BINDS, NULL, NULL },
    { "repair to another file's checksum", NULL,
        "UPDATE flyway_schema_history SET checksum = " SUM_2
        " WHERE installed_rank = 1",
        NULL, 0, { SQL_NULL }, FORGED, "V1__init.sql",
        "UPDATE of flyway_schema_history sets checksum to something that is not of "
        "V1__init.sql" },
    { "success made true", NULL,
        "UPDATE flyway_schema_history SET success = true WHERE installed_rank = 1",
        NULL, 0, { SQL_NULL }, FORGED, "V1__init.sql", NULL },
    { "version changed", NULL,
        "UPDATE flyway_schema_history SET version = '2' WHERE installed_rank = 1", NULL,
        0, { SQL_NULL }, FORGED, "V1__init.sql", NULL },
    { "update of all rows", NULL, "UPDATE flyway_schema_history SET checksum = " SUM_1,
        NULL, 0, { SQL_NULL }, FORGED, NULL, "does not name one known row" },
    { "update with another condition", NULL,
        "UPDATE flyway_schema_history SET checksum = " SUM_1
        " WHERE installed_rank = 1 OR true",
        NULL, 0, { SQL_NULL }, FORGED, NULL, NULL },
    { "failed row deleted by repair", NULL,
        "DELETE FROM \"public\".\"flyway_schema_history\" WHERE \"installed_rank\" = $1",
        NULL, 1, { TEXT("2") }, OK, NULL, "" },
    { "failed row deleted, binary", NULL,
        "DELETE FROM flyway_schema_history WHERE installed_rank = $1", NULL, 1,
        { BINARY("\0\0\0\2") }, OK, NULL, "" },
    { "applied row deleted", NULL,
        "DELETE FROM flyway_schema_history WHERE installed_rank = $1", NULL, 1,
        { TEXT("1") }, FORGED, "V1__init.sql", "row 1: repair may delete failed rows" },
    { "unknown row deleted", NULL,
        "DELETE FROM flyway_schema_history WHERE installed_rank = 77", NULL, 0,
        { SQL_NULL }, FORGED, NULL, NULL },
    { "all failed rows deleted", NULL,
        "DELETE FROM flyway_schema_history WHERE success = false", NULL, 0,
        { SQL_NULL }, OK, NULL, "" },
    { "failed row deleted by version", NULL,
        "DELETE FROM \"public\".\"flyway_schema_history\" WHERE \"success\" = FALSE AND "
        "\"version\" = $1",
        NULL, 1, { TEXT("2") }, OK, NULL, "" },
    { "all good rows deleted", NULL,
        "DELETE FROM flyway_schema_history WHERE success = true", NULL, 0, { SQL_NULL },
        FORGED, NULL, "use flyway repair" },
    { "failed rows and others deleted", NULL,
        "DELETE FROM flyway_schema_history WHERE success = false OR version = '1'",
        NULL, 0, { SQL_NULL }, FORGED, NULL, "use flyway repair" },
    { "rows deleted that are not failed", NULL,
        "DELETE FROM flyway_schema_history WHERE success <> false", NULL, 0,
        { SQL_NULL }, FORGED, NULL, "use flyway repair" },
    { "truncate", NULL, "TRUNCATE flyway_schema_history", NULL, 0, { SQL_NULL }, FORGED,
        NULL, NULL },
};

START_TEST(flyway_row_is_judged)
{
    static const char *const rows[] = { "1", "1", "init", "SQL", "V1__init.sql", SUM_1,
        "me", "2024-01-01", "1", "t", "2", "1.5", "tried", "SQL", "V1_5__tried.sql",
        "1", "me", "2024-01-01", "1", "f", "3", "0", "gone", "SQL", "V0__gone.sql", "1",
        "me", "2024-01-01", "1", "t", "4", NULL, "lost", "SQL", "R__lost.sql", "1",
        "me", "2024-01-01", "1", "t", HIST_END };
    struct hist_env e;

    hist_env_files(&e, "flyway", flyway_files);
    e.conf.baseline = flyway[_i].baseline;
    hist_env_load(&e);
    hist_env_read(&e, rows, 10);
    check(&e, flyway[_i].name, flyway[_i].ran, flyway[_i].sql, flyway[_i].n_binds,
        flyway[_i].binds, flyway[_i].verdict, flyway[_i].file, flyway[_i].reason);
    hist_env_free(&e);
}
END_TEST

START_TEST(shadow_of_the_table_is_forged)
{
    const struct hist_migration *mig = NULL;
    struct err why = { "" };
    struct hist_env e;
    struct hist_sql s;

    hist_env_files(&e, "numbered-sql", numbered_files);
    hist_env_load(&e);
    hist_env_read(&e, NULL, 3);
    hist_sql_init(&s, e.set, "CREATE TEMP TABLE schema_migrations (version text)");
    ck_assert_int_eq(s.f->cls, DG_HISTORY);
    ck_assert_int_eq(hist_check_write(e.view, s.f, NULL, NULL, 0, NULL, &mig, &why),
        HIST_WRITE_FORGED);
    ck_assert_str_eq(why.text,
        "CREATE TABLE makes something that stands in front of the history table "
        "schema_migrations; give it another name");
    hist_sql_deinit(&s);
    hist_env_free(&e);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_write");
    TCase *tc = tcase_create("write");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, numbered_row_is_judged, 0, DG_ARRAY_SIZE(numbered));
    tcase_add_loop_test(tc, flyway_row_is_judged, 0, DG_ARRAY_SIZE(flyway));
    tcase_add_test(tc, shadow_of_the_table_is_forged);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
