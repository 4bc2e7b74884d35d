// SPDX-License-Identifier: ISC
/* Loading a folder: which files count, in which order, with which checksum, and what a
 * person reads when something is wrong. */
#include <errno.h>

#include "lib/hist.h"

#define F_TEXT \
    "CREATE TABLE users (\n  id serial PRIMARY KEY,\n  email text NOT NULL\n);\n"

/* --- errors ----------------------------------------------------------------------------- */

static const struct {
    const char *name, *format;
    struct hist_file files[5];
    const char *error;
} errors[] = {
    { "two files with one number", "numbered-sql",
        { { "013_a.sql", "SELECT 1;" }, { "13_b.sql", "SELECT 1;" } },
        "DIR/13_b.sql: version 13 is also that of 013_a.sql; give one of them another "
        "version" },
    { "two files with the same number", "numbered-sql",
        { { "013_a.sql", "SELECT 1;" }, { "013_b.sql", "SELECT 1;" } },
        "DIR/013_b.sql: version 013 is also that of 013_a.sql; give one of them another "
        "version" },
    { "dash for underscore", "numbered-sql", { { "12-Add Name.sql", "" } },
        "DIR/12-Add Name.sql: not a name of format numbered-sql, a runner would skip it or "
        "sort it wrongly; rename it to 12_add_name.sql" },
    { "number alone", "numbered-sql", { { "12.sql", "" } },
        "DIR/12.sql: not a name of format numbered-sql, a runner would skip it or sort it "
        "wrongly; rename it to 12_name.sql" },
    { "suffix in capitals", "numbered-sql", { { "012_x.SQL", "" } },
        "DIR/012_x.SQL: not a name of format numbered-sql, a runner would skip it or sort it "
        "wrongly; rename it to 012_x.sql" },
    { "blank in a name", "numbered-sql", { { "012_a b.sql", "" } },
        "DIR/012_a b.sql: not a name of format numbered-sql, a runner would skip it or sort "
        "it wrongly; rename it to 012_a_b.sql" },
    { "Flyway's names in the other format", "numbered-sql", { { "V1__x.sql", "" } },
        "DIR/V1__x.sql: looks like a Flyway migration; set format = flyway or rename it to "
        "NNN_name.sql" },
    { "unterminated string", "numbered-sql",
        { { "001_a.sql", "SELECT 1;\n\nSELECT 'x;\n" } },
        "DIR/001_a.sql:3: a string constant has no closing '; close it" },
    { "unterminated body", "flyway", { { "V1__a.sql", "DO $x$ BEGIN;\n" } },
        "DIR/V1__a.sql:1: a dollar quote has no end; close it" },
    { "Latin-1", "flyway", { { "V1__a.sql", "SELECT 1;\nSELECT '\xe9';\n" } },
        "DIR/V1__a.sql:2: byte 0xe9 is not valid UTF-8; save the file as UTF-8" },
    { "psql include that isn't there", "numbered-sql",
        { { "001_a.sql", "SELECT 1;\n\\ir b.sql\n" } },
        "DIR/001_a.sql:2: \\ir b.sql: No such file or directory" },
    { "error in an included file", "numbered-sql",
        { { "001_a.sql", "SELECT 1;\n\\ir lib/b.sql\n" },
            { "lib/b.sql", "\n\n\\! ls\n" } },
        "DIR/lib/b.sql:3: \\! can't be part of a migration; remove it (run by "
        "DIR/001_a.sql:2)" },
    { "first broken file counts", "numbered-sql",
        { { "001_a.sql", "SELECT 1;\n\\! ls\n" }, { "002_b.sql", "'" } },
        "DIR/001_a.sql:2: \\! can't be part of a migration; remove it" },
    { "one underscore", "flyway", { { "V1_x.sql", "" } },
        "DIR/V1_x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "V1__name.sql (version, two underscores, name)" },
    { "small v", "flyway", { { "sub/v1__x.sql", "" } },
        "DIR/sub/v1__x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "V1__name.sql (version, two underscores, name)" },
    { "no version", "flyway", { { "V__x.sql", "" } },
        "DIR/V__x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "V1__name.sql (version, two underscores, name)" },
    { "letters in a version", "flyway", { { "V1a__x.sql", "" } },
        "DIR/V1a__x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "V1__name.sql (version, two underscores, name)" },
    { "undo with one underscore", "flyway", { { "U1_x.sql", "" } },
        "DIR/U1_x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "U1__name.sql (version that it undoes, two underscores, name)" },
    { "small u", "flyway", { { "u1__x.sql", "" } },
        "DIR/u1__x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "U1__name.sql (version that it undoes, two underscores, name)" },
    { "undo of no version", "flyway", { { "U__x.sql", "" } },
        "DIR/U__x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "U1__name.sql (version that it undoes, two underscores, name)" },
    { "two undo files of one version", "flyway",
        { { "V1__a.sql", "" }, { "U1__b.sql", "" }, { "sub/U1.0__c.sql", "" } },
        "DIR/sub/U1.0__c.sql: version 1.0 is also that of U1__b.sql; give one of them "
        "another version" },
    { "broken text in an undo file", "flyway",
        { { "V1__a.sql", "" }, { "U1__a.sql", "DROP TABLE a;\nDO $x$;" } },
        "DIR/U1__a.sql:2: a dollar quote has no end; close it" },
    { "repeatable with a version", "flyway", { { "R1__x.sql", "" } },
        "DIR/R1__x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "R__name.sql" },
    { "repeatable with one underscore", "flyway", { { "R_x.sql", "" } },
        "DIR/R_x.sql: Flyway would skip or refuse a file of this name; rename it to "
        "R__name.sql" },
    { "1 is 1.0", "flyway", { { "V1.0__a.sql", "" }, { "sub/V1__b.sql", "" } },
        "DIR/sub/V1__b.sql: version 1 is also that of V1.0__a.sql; give one of them another "
        "version" },
    { "two repeatables of one name", "flyway",
        { { "R__a_b.sql", "" }, { "sub/R__a_b.sql", "" } },
        "DIR/sub/R__a_b.sql: its name is also that of R__a_b.sql; give one of them another "
        "name" },
    { "placeholder without a value", "flyway",
        { { "V1__a.sql", "SELECT 1;\n-- ${app.user}\n" } },
        "DIR/V1__a.sql:2: placeholder ${app.user} has no value here; set "
        "placeholder.app.user in the [migrations] section" },
    { "placeholder of Flyway's", "flyway",
        { { "V1__a.sql", "GRANT ${flyway:user} TO x;" } },
        "DIR/V1__a.sql:1: placeholder ${flyway:user} has no value here (Flyway knows it when "
        "it runs); set placeholder.flyway_user in the [migrations] section" },
    { "strings that change their meaning", "numbered-sql",
        { { "001_a.sql",
            "SELECT 1;\nSET standard_conforming_strings = off;\nSELECT 'a\\', 'b';" } },
        "DIR/001_a.sql:2: the strings of this file mean something else when "
        "standard_conforming_strings changes; write E'...' and leave it on" },
};

START_TEST(folder_is_refused_with_a_reason)
{
    struct hist_env e;
    struct hist_set *set = NULL;
    struct err err = { "" };
    char text[1024];

    hist_env_files(&e, errors[_i].format, errors[_i].files);
    int r = hist_set_load(&e.conf, &set, &err);
    CASE_STR(&errors[_i], hist_env_text(&e, err.text, text), errors[_i].error);
    ck_assert_int_lt(r, 0);
    ck_assert_ptr_null(set);
    hist_env_free(&e);
}
END_TEST

static const struct {
    const char *name, *format, *path, *baseline;
    const char *error;
} sections[] = {
    { "unknown format", "railz", "/", NULL,
        "ddlgate.ini:7: [migrations shop]: format \"railz\" is not known; known are "
        "numbered-sql, flyway, prisma, golang-migrate, goose, tern, dbmate, sqlx, refinery, "
        "diesel, sqitch, atlas, supabase, graphile-migrate, sql-migrate, yoyo, postgrator, "
        "node-pg-migrate, db-migrate, drizzle, hasura, liquibase, lockfile" },
    { "tool without SQL files", "rails", "/", NULL,
        "ddlgate.ini:7: [migrations shop]: Rails has no SQL files, its statements come into "
        "being when it runs; record them into a lockfile and set format = lockfile" },
    { "no path", "flyway", "", NULL,
        "ddlgate.ini:7: [migrations shop]: path is missing" },
    { "no folder", "flyway", "/nonexistent/x", NULL,
        "ddlgate.ini:7: [migrations shop]: folder /nonexistent/x: No such file or "
        "directory" },
    { "a file for a folder", "flyway", "/etc/passwd", NULL,
        "ddlgate.ini:7: [migrations shop]: /etc/passwd is not a folder" },
    { "baseline that is no version", "flyway", "/", "v12",
        "ddlgate.ini:7: [migrations shop]: baseline \"v12\" is not a version such as 12 or "
        "1.4" },
};

START_TEST(section_is_refused_with_a_reason)
{
    struct hist_conf conf = { .name = "shop",
        .format = sections[_i].format,
        .path = sections[_i].path,
        .baseline = sections[_i].baseline,
        .file = "ddlgate.ini",
        .line = 7 };
    struct hist_set *set = NULL;
    struct err err = { "" };

    ck_assert_int_lt(hist_set_load(&conf, &set, &err), 0);
    CASE_STR(&sections[_i], err.text, sections[_i].error);
}
END_TEST

/* --- rights and links ------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *chmod; /* below the folder; "." for itself */
    mode_t mode;
    const char *error;
} rights[] = {
    { "file that everybody may write", "sub/V1__a.sql", 0666,
        "DIR/sub/V1__a.sql: everybody may write to this file, so its review means nothing; "
        "chmod o-w it" },
    { "folder that everybody may write", ".", 0777,
        "DIR: everybody may write to this folder, so anybody could add a migration; chmod "
        "o-w it" },
    { "sticky doesn't help", ".", 01777,
        "DIR: everybody may write to this folder, so anybody could add a migration; chmod "
        "o-w it" },
    { "folder below", "sub", 0777,
        "DIR/sub: everybody may write to this folder, so anybody could add a migration; "
        "chmod o-w it" },
    { "group may write", "sub/V1__a.sql", 0664, "" },
};

START_TEST(who_may_write_files_is_checked)
{
    static const struct hist_file files[] = { { "sub/V1__a.sql", "SELECT 1;" },
        { NULL, NULL } };
    struct hist_env e;
    struct err err = { "" };
    char text[1024], path[512];

    hist_env_files(&e, "flyway", files);
    snprintf(path, sizeof(path), "%s/%s", e.dir, rights[_i].chmod);
    ck_assert_int_eq(chmod(path, rights[_i].mode), 0);
    int r = hist_set_load(&e.conf, &e.set, &err);
    CASE_STR(&rights[_i], hist_env_text(&e, err.text, text), rights[_i].error);
    CASE_INT(&rights[_i], r == 0, rights[_i].error[0] == 0);
    hist_env_free(&e);
}
END_TEST

START_TEST(link_out_of_the_folder_is_refused)
{
    struct hist_env e;
    struct err err = { "" };
    char path[512], text[1024];

    hist_env_files(&e, "numbered-sql", NULL);
    snprintf(path, sizeof(path), "%s/001_x.sql", e.dir);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_lt(hist_set_load(&e.conf, &e.set, &err), 0);
    ck_assert_str_eq(hist_env_text(&e, err.text, text),
        "DIR/001_x.sql: symbolic link leads out of the folder, to /etc/passwd; copy the "
        "file instead");
    hist_env_free(&e);
}
END_TEST

/* --- what is loaded --------------------------------------------------------------------- */

static const struct {
    const char *name, *format;
    struct hist_file files[10];
    const char *want; /* version:name of each, in order; R for none */
} sets[] = {
    { "numbered files in the order of their names", "numbered-sql",
        { { "002_b.sql", "" }, { "0015_a.sql", "" }, { "010_c.sql", "" } },
        "0015:a 002:b 010:c" },
    { "other files are ignored", "numbered-sql",
        { { "README.md", "" }, { "001_a.sql", "" }, { "001_a.sql~", "" },
            { "seed.sql", "" }, { "sub/002_b.sql", "" }, { ".003_c.sql.swp", "" } },
        "001:a" },
    { "down files are ignored, up files are not", "numbered-sql",
        { { "001_a.up.sql", "" }, { "001_a.down.sql", "" }, { "2_b-c.sql", "" } },
        "001:a 2:b-c" },
    { "no files", "numbered-sql", { { NULL, NULL } }, "" },
    { "Flyway's by version, repeatables last by name", "flyway",
        { { "R__b.sql", "" }, { "V10__x.sql", "" }, { "V2__y_z.sql", "" },
            { "sub/V1.2__q.sql", "" }, { "R__a.sql", "" },
            { "sub/deep/V1_10__w.SQL", "" } },
        "1.2:q 1.10:w 2:y z 10:x R:a R:b" },
    { "undo files stand behind all others", "flyway",
        { { "U1__x.sql", "" }, { "V1__y.sql", "" }, { "U2__x.sql", "" },
            { "R__a.sql", "" } },
        "1:y R:a" },
    { "baseline, callbacks and others are ignored", "flyway",
        { { "Utils.sql", "" }, { "undo__all.sql", "" }, { "B2__x.sql", "" },
            { "afterMigrate.sql", "" }, { "V1__x.sql.conf", "" }, { "Views.sql", "" },
            { "Report.sql", "" }, { "V3__.sql", "" } },
        "3:" },
};

START_TEST(files_come_in_order)
{
    struct hist_env e;
    char got[256] = "";

    hist_env_files(&e, sets[_i].format, sets[_i].files);
    hist_env_load(&e);
    for (size_t i = 0; i < e.set->n; i++) {
        const struct hist_migration *m = &e.set->migrations[i];
        size_t n = strlen(got);
        ck_assert_uint_eq(m->index, i);
        snprintf(got + n, sizeof(got) - n, "%s%s:%s", i ? " " : "",
            m->version ? m->version : "R", m->name);
    }
    CASE_STR(&sets[_i], got, sets[_i].want);
    hist_env_free(&e);
}
END_TEST

static const struct {
    const char *name, *text, *sum;
} sums[] = {
    { "line feeds", F_TEXT, "1775078679" },
    { "CRLF",
        "CREATE TABLE users (\r\n  id serial PRIMARY KEY,\r\n  email text NOT NULL\r\n);\r\n",
        "1775078679" },
    { "carriage returns",
        "CREATE TABLE users (\r  id serial PRIMARY KEY,\r  email text NOT NULL\r);\r",
        "1775078679" },
    { "byte order mark", "\xef\xbb\xbf" F_TEXT, "1775078679" },
    { "no final newline",
        "CREATE TABLE users (\n  id serial PRIMARY KEY,\n  email text NOT NULL\n);",
        "1775078679" },
    { "one line", "CREATE TABLE users (  id serial PRIMARY KEY,  email text NOT NULL);",
        "1775078679" },
    { "blank lines",
        "\n\nCREATE TABLE users (\n\n  id serial PRIMARY KEY,\n  email text NOT "
        "NULL\n);\n\n",
        "1775078679" },
    { "beyond ASCII", "SELECT '\xc3\xa9';", "1526126742" },
    { "nothing", "", "0" },
};

START_TEST(checksum_is_Flyways)
{
    struct hist_file files[] = { { "V1__x.sql", sums[_i].text }, { NULL, NULL } };
    struct hist_env e;

    hist_env_files(&e, "flyway", files);
    hist_env_load(&e);
    CASE_STR(&sums[_i], e.set->migrations[0].checksum, sums[_i].sum);
    hist_env_free(&e);
}
END_TEST

START_TEST(checksum_of_repeatables_is_of_the_filled_text)
{
    static const struct hist_file files[] = { { "R__filled.sql",
                                                  "${START}TABLE users (\n  id "
                                                  "serial PRIMARY KEY,\n  email "
                                                  "text NOT NULL\n);\n" },
        { "V1__raw.sql",
            "SELECT '${x}', '${flyway:filename}', '${flyway:defaultSchema}';" },
        { NULL, NULL } };
    static const char *const values[] = { "start", "CREATE ", "X", "${x}" };
    struct hist_env e;

    hist_env_files(&e, "flyway", files);
    e.conf.placeholders = values;
    e.conf.n_placeholders = 2;
    hist_env_load(&e);
    ck_assert_str_eq(e.set->migrations[1].checksum, "1775078679");
    ck_assert_str_eq(e.set->migrations[1].text, F_TEXT);
    ck_assert_str_eq(
        e.set->migrations[0].text, "SELECT '${x}', 'V1__raw.sql', 'public';");
    ck_assert_str_ne(e.set->migrations[0].checksum, "0");
    hist_env_free(&e);
}
END_TEST

START_TEST(statements_are_cut_and_counted)
{
    static const struct hist_file files[] = {
        { "001_a.sql",
            "\xef\xbb\xbf\\set ON_ERROR_STOP on\nBEGIN;\nCREATE TABLE a (id int);\n"
            "INSERT INTO a VALUES (1);\nCREATE TEMP TABLE t (x int);\n"
            "DO $$ BEGIN EXECUTE 'DROP TABLE x'; END $$;\nGRANT SELECT ON a TO public;\n"
            "INSERT INTO schema_migrations (version) VALUES ('001');\nCOMMIT;\n" },
        { NULL, NULL }
    };
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    const struct hist_migration *m = &e.set->migrations[0];
    ck_assert_uint_eq(m->scan.n, 8);
    ck_assert_int_eq(m->scan.stmts[1].line, 3); /* as in the file */
    ck_assert_uint_eq(m->n_schema_changes, 3);
    ck_assert_ptr_null(m->checksum);
    hist_env_free(&e);
}
END_TEST

START_TEST(table_is_the_configured_one)
{
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", NULL);
    hist_env_load(&e);
    ck_assert_str_eq(hist_table_name(e.set), "schema_migrations");
    ck_assert(hist_is_table(e.set, NULL, "schema_migrations"));
    ck_assert(hist_is_table(e.set, "public", "schema_migrations"));
    ck_assert(!hist_is_table(e.set, "other", "schema_migrations"));
    ck_assert(hist_is_same_tx(e.set));
    ref_drop(e.set);
    e.conf.history_table = "ops.done";
    hist_env_load(&e);
    ck_assert_str_eq(hist_table_name(e.set), "done");
    ck_assert(hist_is_table(e.set, "ops", "done"));
    ck_assert(!hist_is_table(e.set, "public", "done"));
    hist_env_free(&e);
    ck_assert(hist_format_exists("flyway") && !hist_format_exists("alembik"));
}
END_TEST

START_TEST(single_file_is_read_as_psql_would)
{
    char *dir = unit_mkdir(), *text = NULL;
    static const char content[] = "\xef\xbb\xbf\\echo x\nSELECT 1;\n";
    char *path = unit_write(dir, "any.sql", content, sizeof(content) - 1);
    struct err err = { "" };
    size_t n = 0;

    ck_assert_int_eq(hist_file_text(path, &text, &n, &err), 0);
    ck_assert_str_eq(text, "          \nSELECT 1;\n");
    ck_assert_uint_eq(n, sizeof(content) - 1);
    mem_free(text);
    free(path);
    path = unit_write(dir, "bad.sql", "A;\n\\i x\n", 8);
    ck_assert_int_lt(hist_file_text(path, &text, &n, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "bad.sql:2: \\i x: No such file"));
    free(path);
    unit_rmdir(dir);
}
END_TEST

/* --- changes ---------------------------------------------------------------------------- */

START_TEST(stamp_and_digest_notice_changes)
{
    static const struct hist_file files[] = { { "001_a.sql", "SELECT 1;" },
        { NULL, NULL } };
    uint8_t a[HASH_SHA256_SIZE], b[HASH_SHA256_SIZE], old[HASH_SHA256_SIZE];
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    memcpy(old, e.set->digest, sizeof(old));
    ck_assert_int_eq(hist_set_stamp(&e.conf, a, NULL), 0);
    ck_assert_int_eq(hist_set_stamp(&e.conf, b, NULL), 0);
    ck_assert_mem_eq(a, b, sizeof(a));
    usleep(20000);
    hist_env_write(e.dir, "001_a.sql", "SELECT 2;"); /* of the same size */
    ck_assert_int_eq(hist_set_stamp(&e.conf, b, NULL), 0);
    ck_assert_mem_ne(a, b, sizeof(a));
    hist_env_write(e.dir, "002_b.sql", "");
    ck_assert_int_eq(hist_set_stamp(&e.conf, a, NULL), 0);
    ck_assert_mem_ne(a, b, sizeof(a));
    ref_drop(e.set);
    hist_env_load(&e);
    ck_assert_mem_ne(e.set->digest, old, sizeof(old));
    hist_env_free(&e);
}
END_TEST

START_TEST(many_files_load_alike_each_time)
{
    struct hist_env e;
    char name[64], text[256];
    uint8_t digest[HASH_SHA256_SIZE];

    hist_env_files(&e, "numbered-sql", NULL);
    for (int i = 1; i <= 300; i++) {
        snprintf(name, sizeof(name), "%04d_t.sql", i);
        snprintf(text, sizeof(text),
            "CREATE TABLE t%d (id int);\nCREATE INDEX ON t%d (id);\n", i, i);
        hist_env_write(e.dir, name, text);
    }
    hist_env_load(&e);
    ck_assert_uint_eq(e.set->n, 300);
    memcpy(digest, e.set->digest, sizeof(digest));
    ref_drop(e.set);
    hist_env_load(&e);
    ck_assert_mem_eq(e.set->digest, digest, sizeof(digest));
    hist_env_free(&e);
}
END_TEST

/* --- the next file ---------------------------------------------------------------------- */

static const struct {
    const char *name, *format;
    struct hist_file files[5];
    const char *sql, *want;
} nexts[] = {
    { "number with the same width", "numbered-sql", { { "012_a.sql", "" } },
        "ALTER TABLE public.orders ADD COLUMN note text",
        "DIR/013_add_column_orders_note.sql" },
    { "first one", "numbered-sql", { { NULL, NULL } },
        "CREATE TABLE \"Odd Name\" (a int)", "DIR/001_create_table_odd_name.sql" },
    { "Flyway's version and folder", "flyway",
        { { "V2__a.sql", "" }, { "2024/V11_09__b.sql", "" } }, "DROP TABLE a.b",
        "DIR/2024/V11_10__drop_table_b.sql" },
    { "first one of Flyway's", "flyway", { { "R__a.sql", "" } }, "DROP INDEX x",
        "DIR/V1__drop_index_x.sql" },
    { "index without a name", "numbered-sql", { { "1_a.sql", "" } },
        "CREATE INDEX ON orders (id)", "DIR/2_create_index_orders.sql" },
    { "code without a name", "numbered-sql", { { "1_a.sql", "" } },
        "DO $$ BEGIN END $$", "DIR/2_do.sql" },
};

START_TEST(next_file_has_a_name)
{
    struct hist_env e;
    struct hist_sql s;
    char out[512], text[1024];

    hist_env_files(&e, nexts[_i].format, nexts[_i].files);
    hist_env_load(&e);
    hist_sql_init(&s, e.set, nexts[_i].sql);
    hist_next_file(e.set, s.f, out, sizeof(out));
    CASE_STR(&nexts[_i], hist_env_text(&e, out, text), nexts[_i].want);
    hist_sql_deinit(&s);
    hist_env_free(&e);
}
END_TEST

START_TEST(next_version_that_is_a_time_is_now)
{
    static const struct hist_file files[] = { { "20200101120000_a.sql", "" },
        { NULL, NULL } };
    struct hist_env e;
    char out[512];

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    hist_next_file(e.set, NULL, out, sizeof(out));
    const char *base = strrchr(out, '/') + 1;
    ck_assert_uint_eq(strspn(base, "0123456789"), 14);
    ck_assert_str_eq(base + 14, "_change.sql");
    ck_assert_int_gt(strncmp(base, "2025", 4), -1);
    hist_env_free(&e);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_set");
    TCase *tc = tcase_create("set");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, folder_is_refused_with_a_reason, 0, DG_ARRAY_SIZE(errors));
    tcase_add_loop_test(
        tc, section_is_refused_with_a_reason, 0, DG_ARRAY_SIZE(sections));
    tcase_add_loop_test(tc, who_may_write_files_is_checked, 0, DG_ARRAY_SIZE(rights));
    tcase_add_test(tc, link_out_of_the_folder_is_refused);
    tcase_add_loop_test(tc, files_come_in_order, 0, DG_ARRAY_SIZE(sets));
    tcase_add_loop_test(tc, checksum_is_Flyways, 0, DG_ARRAY_SIZE(sums));
    tcase_add_test(tc, checksum_of_repeatables_is_of_the_filled_text);
    tcase_add_test(tc, statements_are_cut_and_counted);
    tcase_add_test(tc, table_is_the_configured_one);
    tcase_add_test(tc, single_file_is_read_as_psql_would);
    tcase_add_test(tc, stamp_and_digest_notice_changes);
    tcase_add_test(tc, many_files_load_alike_each_time);
    tcase_add_loop_test(tc, next_file_has_a_name, 0, DG_ARRAY_SIZE(nexts));
    tcase_add_test(tc, next_version_that_is_a_time_is_now);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
