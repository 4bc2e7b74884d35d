// SPDX-License-Identifier: ISC
/* How tools run their files, the tables that they would have made, the data of a COPY. */
#include "lib/hist.h"

#define TX      HIST_RUN_TX
#define WHOLE   HIST_RUN_WHOLE
#define WRITTEN HIST_RUN_WRITTEN

#define TABLE "CREATE TABLE a (x int);\n"
#define INDEX "CREATE INDEX CONCURRENTLY i ON a (x);\n"

static const struct {
    const char *name, *format;
    struct hist_file file;
    enum hist_run want;
} runs[] = {
    { "psql", "numbered-sql", { "001_a.sql", "BEGIN;\n" TABLE "COMMIT;\n" }, WRITTEN },
    { "psql without a transaction", "numbered-sql", { "001_a.sql", TABLE }, WRITTEN },
    { "a tool's own transaction", "flyway", { "V1__a.sql", TABLE }, TX },
    { "Flyway sees by itself", "flyway", { "V1__a.sql", INDEX }, WRITTEN },
    { "goose", "goose", { "1_a.sql", "-- +goose Up\n" TABLE }, TX },
    { "goose doesn't see it", "goose", { "1_a.sql", "-- +goose Up\n" INDEX }, TX },
    { "goose is told", "goose",
        { "1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n" INDEX }, WRITTEN },
    { "dbmate is told", "dbmate",
        { "1_a.sql", "-- migrate:up transaction:false\n" INDEX }, WRITTEN },
    { "one message", "golang-migrate", { "1_a.up.sql", TABLE TABLE }, WHOLE },
    { "one message of one statement", "golang-migrate", { "1_a.up.sql", INDEX },
        WRITTEN },
    { "one message with a transaction", "prisma",
        { "1_a/migration.sql", "BEGIN;\n" TABLE "COMMIT;\n" TABLE }, WRITTEN },
    { "one message that fails", "golang-migrate", { "1_a.up.sql", TABLE INDEX },
        WHOLE },
};

static void
load_one(struct hist_env *e, const char *format, const struct hist_file *file)
{
    const struct hist_file files[] = { *file, { NULL, NULL } };

    hist_env_files(e, format, files);
    hist_env_load(e);
}

START_TEST(tools_run_files_their_way)
{
    struct hist_env e;

    load_one(&e, runs[_i].format, &runs[_i].file);
    CASE_INT(&runs[_i], hist_run_of(e.set, &e.set->migrations[0]), runs[_i].want);
    hist_env_free(&e);
}
END_TEST

static const struct {
    const char *name, *text, *want;
} tables[] = {
    { "a file that writes its row",
        "INSERT INTO schema_migrations (version) VALUES ('1');",
        "CREATE SCHEMA IF NOT EXISTS \"public\"; CREATE TABLE "
        "\"public\".\"schema_migrations\" (\"version\" text, \"name\" text, "
        "\"applied_at\" text DEFAULT now(), PRIMARY KEY (\"version\"))" },
    { "a file that makes the table",
        "CREATE TABLE IF NOT EXISTS schema_migrations (version text);"
        "INSERT INTO schema_migrations (version) VALUES ('1');",
        "" },
    { "a file that knows nothing of it", TABLE, "" },
};

START_TEST(a_table_is_made_where_it_is_needed)
{
    struct hist_env e;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(10000);
    const struct hist_file file = { "001_a.sql", tables[_i].text };

    load_one(&e, "numbered-sql", &file);
    hist_put_table(e.set, &sql);
    CASE_STR(&tables[_i], buf_cstr(&sql), tables[_i].want);
    hist_env_free(&e);
}
END_TEST

static const struct {
    const char *name, *format, *want;
    struct hist_file file;
} own[] = {
    { "one table", "numbered-sql",
        "(n.nspname = 'public' AND (c.relname = 'schema_migrations'))",
        { "001_a.sql", TABLE } },
    { "names like another", "yoyo",
        "(n.nspname = 'public' AND (c.relname = '_yoyo_migration' OR c.relname = "
        "'_yoyo_log' OR c.relname = '_yoyo_version' OR c.relname = 'yoyo_lock' OR "
        "c.relname LIKE 'yoyo_tmp_%'))",
        { "a.sql", TABLE } },
};

START_TEST(own_tables_are_a_condition)
{
    struct hist_env e;
    AUTO(buf_deinit) struct buf sql = BUF_INIT(10000);

    load_one(&e, own[_i].format, &own[_i].file);
    hist_put_own_tables(e.set, &sql);
    CASE_STR(&own[_i], buf_cstr(&sql), own[_i].want);
    hist_env_free(&e);
}
END_TEST

START_TEST(copy_data_are_read_again)
{
    const struct hist_file file = {
        "001_a.sql",
        "-- data\nCOPY a FROM STDIN;\n1\tx; y\n2\t'z\n\\.\nCOPY b\nFROM STDIN; -- none\n\\.\n"
    };
    struct hist_env e;
    char *data = NULL;
    size_t n = 1;
    struct err err = { "" };

    load_one(&e, "numbered-sql", &file);
    const struct hist_migration *m = &e.set->migrations[0];
    ck_assert_uint_eq(m->scan.n, 2);
    ck_assert_int_eq(hist_copy_data(m, 0, &data, &n, &err), 0);
    ck_assert_str_eq(data, "1\tx; y\n2\t'z\n");
    ck_assert_uint_eq(n, strlen(data));
    mem_free(data);
    ck_assert_int_eq(hist_copy_data(m, 1, &data, &n, &err), 0);
    ck_assert_uint_eq(n, 0);
    mem_free(data);
    /* the file is another one by now */
    hist_env_write(e.dir, "001_a.sql", "COPY a FROM STDIN;\n1\n");
    ck_assert_int_lt(hist_copy_data(m, 0, &data, &n, &err), 0);
    ck_assert_ptr_nonnull(
        strstr(err.text, "001_a.sql:2: COPY ... FROM STDIN has no data"));
    hist_env_free(&e);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("history_run");
    TCase *tc = tcase_create("run");

    tcase_add_loop_test(tc, tools_run_files_their_way, 0, (int)DG_ARRAY_SIZE(runs));
    tcase_add_loop_test(
        tc, a_table_is_made_where_it_is_needed, 0, (int)DG_ARRAY_SIZE(tables));
    tcase_add_loop_test(tc, own_tables_are_a_condition, 0, (int)DG_ARRAY_SIZE(own));
    tcase_add_test(tc, copy_data_are_read_again);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
