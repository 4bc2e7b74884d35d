// SPDX-License-Identifier: ISC
/* Statements that ran, as files: how each is undone, how it may run again, and what the
 * files of each tool look like. */
#include "history/capture.h"
#include "lib/hist.h"
#include "sql/ident.h"

#define MAX_ITEMS 4

/* Statements of one text, each with its facts. */
struct ran {
    struct sql_scan scan;
    struct sql_tree *tree;
    struct hist_captured items[MAX_ITEMS];
    size_t n;
    struct arena *a;
};

static void
run(struct ran *r, const char *sql)
{
    struct err err = { "" };
    size_t len = strlen(sql);

    *r = (struct ran){ .a = arena_new() };
    int broken = sql_scan(&r->scan, NULL, sql, len, true, SQL_TREE_DEFAULT_DEPTH, &err);
    ck_assert_msg(broken == 0, "%s: %s", sql, err.text);
    r->tree = sql_tree_new(&r->scan, NULL, sql, len, true);
    for (size_t i = 0; i < r->tree->n; i++) {
        const struct sql_facts *f = &r->tree->facts[i];
        const struct sql_stmt *s = &r->scan.stmts[f->stmt];
        if (f->parent >= 0) {
            r->items[r->n - 1].n_facts++;
            continue;
        }
        ck_assert_uint_lt(r->n, MAX_ITEMS);
        r->items[r->n++] = (struct hist_captured){ .sql = sql + s->start,
            .len = s->len,
            .base = s->start,
            .std_strings = true,
            .facts = f,
            .n_facts = 1,
            .server_version = 150000 };
    }
}

static void
ran_deinit(struct ran *r)
{
    sql_scan_deinit(&r->scan);
    sql_tree_free(r->tree);
    arena_free(r->a);
}

/* --- the way back, and once more --------------------------------------------------------- */

#define SAME "" /* as it is */

static const struct {
    const char *sql;
    enum hist_undo how;
    const char *undo;  /* or, of HIST_UNDO_NONE, why */
    const char *again; /* NULL: can't; SAME: as it is */
} ways[] = {
    /* made */
    { "create table s.a (x int)", HIST_UNDO_WHOLE, "DROP TABLE s.a",
        "create table IF NOT EXISTS s.a (x int)" },
    { "CREATE UNLOGGED TABLE a ()", HIST_UNDO_WHOLE, "DROP TABLE a",
        "CREATE UNLOGGED TABLE IF NOT EXISTS a ()" },
    { "create table if not exists \"table\" ()", HIST_UNDO_WHOLE,
        "DROP TABLE \"table\"", SAME },
    { "create table a as select 1", HIST_UNDO_WHOLE, "DROP TABLE a",
        "create table IF NOT EXISTS a as select 1" },
    { "select 1 as x into a", HIST_UNDO_WHOLE, "DROP TABLE a", NULL },
    { "create foreign table a () server s", HIST_UNDO_WHOLE, "DROP FOREIGN TABLE a",
        "create foreign table IF NOT EXISTS a () server s" },
    { "create unique index i on s.a (x)", HIST_UNDO_WHOLE, "DROP INDEX s.i",
        "create unique index IF NOT EXISTS i on s.a (x)" },
    { "create index concurrently i on a (x)", HIST_UNDO_WHOLE,
        "DROP INDEX CONCURRENTLY i",
        "create index concurrently IF NOT EXISTS i on a (x)" },
    { "create index on a (x)", HIST_UNDO_NONE, "its name was the server's choice",
        NULL },
    { "create view \"V\" as select 1", HIST_UNDO_WHOLE, "DROP VIEW \"V\"",
        "create OR REPLACE view \"V\" as select 1" },
    { "create or replace view v as select 1", HIST_UNDO_MAYBE, "DROP VIEW v", SAME },
    { "create materialized view v as select 1", HIST_UNDO_WHOLE,
        "DROP MATERIALIZED VIEW v",
        "create materialized view IF NOT EXISTS v as select 1" },
    { "create sequence q", HIST_UNDO_WHOLE, "DROP SEQUENCE q",
        "create sequence IF NOT EXISTS q" },
    { "create type t as enum ('a')", HIST_UNDO_WHOLE, "DROP TYPE t", NULL },
    { "create domain d as int check (value > 0)", HIST_UNDO_WHOLE, "DROP DOMAIN d",
        NULL },
    { "create schema s", HIST_UNDO_WHOLE, "DROP SCHEMA s",
        "create schema IF NOT EXISTS s" },
    { "create schema s create table a ()", HIST_UNDO_NONE,
        "what stands in the schema has to be dropped before it", NULL },
    { "create extension citext", HIST_UNDO_WHOLE, "DROP EXTENSION citext",
        "create extension IF NOT EXISTS citext" },
    { "create policy p on s.a using (true)", HIST_UNDO_WHOLE, "DROP POLICY p ON s.a",
        NULL },
    { "create rule r as on insert to a do nothing", HIST_UNDO_WHOLE, "DROP RULE r ON a",
        "create OR REPLACE rule r as on insert to a do nothing" },
    { "create trigger t before insert on s.a execute function f()", HIST_UNDO_WHOLE,
        "DROP TRIGGER t ON s.a",
        "create OR REPLACE trigger t before insert on s.a execute function f()" },
    { "create event trigger e on ddl_command_end execute function f()", HIST_UNDO_WHOLE,
        "DROP EVENT TRIGGER e", NULL },
    { "create statistics st on x, y from a", HIST_UNDO_WHOLE, "DROP STATISTICS st",
        "create statistics IF NOT EXISTS st on x, y from a" },
    { "create cast (a as b) without function", HIST_UNDO_NONE,
        "there is no simple way back", NULL },
    { "create operator === (leftarg = int, rightarg = int, function = int4eq)",
        HIST_UNDO_NONE, "there is no simple way back", NULL },

    /* functions */
    { "create function f() returns int language sql as '1'", HIST_UNDO_WHOLE,
        "DROP FUNCTION f()",
        "create OR REPLACE function f() returns int language sql as '1'" },
    { "create procedure s.p(in a int, inout \"B c\" numeric(10,2)[]) language sql as ''",
        HIST_UNDO_WHOLE, "DROP PROCEDURE s.p(in a int, inout \"B c\" numeric(10,2)[])",
        "create OR REPLACE procedure s.p(in a int, inout \"B c\" numeric(10,2)[]) language "
        "sql as ''" },
    { "create function f(a text default ',)', b int = g(1,2) /* , */, variadic c text[] "
      "default '{}') returns void language sql as ''",
        HIST_UNDO_WHOLE, "DROP FUNCTION f(a text, b int, variadic c text[])",
        "create OR REPLACE function f(a text default ',)', b int = g(1,2) /* , */, "
        "variadic c text[] default '{}') returns void language sql as ''" },
    { "create or replace function f(int) returns int language sql as '1'",
        HIST_UNDO_MAYBE, "DROP FUNCTION f(int)", SAME },
    { "alter function f(int) rename to g", HIST_UNDO_NONE,
        "what was there before is not known", NULL },

    /* altered */
    { "alter table a add x int, add column \"Y\" text default 'add', alter z set not null",
        HIST_UNDO_WHOLE,
        "ALTER TABLE a ALTER COLUMN z DROP NOT NULL, DROP COLUMN \"Y\", DROP COLUMN x",
        "alter table a add IF NOT EXISTS x int, add column IF NOT EXISTS \"Y\" text default "
        "'add', alter z set not null" },
    { "alter table a add constraint k check (x > 0)", HIST_UNDO_WHOLE,
        "ALTER TABLE a DROP CONSTRAINT k", NULL },
    { "alter table a add check (x > 0)", HIST_UNDO_NONE,
        "the constraint's name was the server's choice", NULL },
    { "alter table a add constraint k unique using index i", HIST_UNDO_MAYBE,
        "ALTER TABLE a DROP CONSTRAINT k", NULL },
    { "alter table a add x int, drop column y", HIST_UNDO_PART,
        "ALTER TABLE a DROP COLUMN x",
        "alter table a add IF NOT EXISTS x int, drop column IF EXISTS y" },
    { "alter table a drop constraint k, drop x", HIST_UNDO_NONE,
        "DROP CONSTRAINT: what was there before is not known",
        "alter table a drop constraint IF EXISTS k, drop IF EXISTS x" },
    { "alter table a validate constraint k", HIST_UNDO_NOTHING, NULL, SAME },
    { "alter table a alter x drop not null", HIST_UNDO_WHOLE,
        "ALTER TABLE a ALTER COLUMN x SET NOT NULL", SAME },
    { "alter table a alter x set default 1", HIST_UNDO_NONE,
        "what was there before is not known", SAME },
    { "alter table a alter x type bigint", HIST_UNDO_NONE,
        "what was there before is not known", SAME },
    { "alter table a alter x type int using x + 1", HIST_UNDO_NONE,
        "what was there before is not known", NULL },
    { "alter table s.a rename x to \"y z\"", HIST_UNDO_WHOLE,
        "ALTER TABLE s.a RENAME COLUMN \"y z\" TO x", NULL },
    { "alter table s.a rename to b", HIST_UNDO_WHOLE, "ALTER TABLE s.b RENAME TO a",
        NULL },
    { "alter table a rename constraint k to l", HIST_UNDO_WHOLE,
        "ALTER TABLE a RENAME CONSTRAINT l TO k", NULL },
    { "alter table s.a set schema t", HIST_UNDO_WHOLE, "ALTER TABLE t.a SET SCHEMA s",
        NULL },
    { "alter table a set schema t", HIST_UNDO_NONE,
        "the schema it was in is not written", NULL },
    { "alter trigger t on s.a rename to u", HIST_UNDO_WHOLE,
        "ALTER TRIGGER u ON s.a RENAME TO t", NULL },
    { "alter index i rename to j", HIST_UNDO_WHOLE, "ALTER INDEX j RENAME TO i", NULL },
    { "alter schema s rename to t", HIST_UNDO_WHOLE, "ALTER SCHEMA t RENAME TO s",
        NULL },
    { "alter table a attach partition s.b for values in (1)", HIST_UNDO_WHOLE,
        "ALTER TABLE a DETACH PARTITION s.b", NULL },
    { "alter table a enable row level security", HIST_UNDO_WHOLE,
        "ALTER TABLE a DISABLE ROW LEVEL SECURITY", SAME },
    { "alter table a disable trigger t", HIST_UNDO_WHOLE,
        "ALTER TABLE a ENABLE TRIGGER t", SAME },
    { "alter table a inherit b", HIST_UNDO_WHOLE, "ALTER TABLE a NO INHERIT b", NULL },
    { "alter table a alter x add generated always as identity", HIST_UNDO_WHOLE,
        "ALTER TABLE a ALTER COLUMN x DROP IDENTITY", NULL },
    { "alter table a owner to b", HIST_UNDO_NONE, "what was there before is not known",
        SAME },
    { "alter type t add value 'b' after 'a'", HIST_UNDO_NONE,
        "a value of an enum can't be taken back",
        "alter type t add value IF NOT EXISTS 'b' after 'a'" },
    { "alter type t rename value 'a' to 'it''s \\'", HIST_UNDO_WHOLE,
        "ALTER TYPE t RENAME VALUE E'it''s \\\\' TO 'a'", NULL },
    { "alter domain d set not null", HIST_UNDO_WHOLE, "ALTER DOMAIN d DROP NOT NULL",
        SAME },

    /* what can't be brought back */
    { "drop table a", HIST_UNDO_NONE, "what was dropped is gone",
        "drop table IF EXISTS a" },
    { "drop index concurrently i", HIST_UNDO_NONE, "what was dropped is gone",
        "drop index concurrently IF EXISTS i" },
    { "drop materialized view if exists v", HIST_UNDO_NONE, "what was dropped is gone",
        SAME },
    { "comment on table a is 'x'", HIST_UNDO_NONE, "what was there before is not known",
        SAME },
    { "grant select on a to public", HIST_UNDO_NONE,
        "what was there before is not known", SAME },
    { "do $$ begin execute 'drop table a'; end $$", HIST_UNDO_NONE,
        "what the code did is not known", NULL },
    { "create table a (x int,", HIST_UNDO_NONE, "the statement could not be read",
        NULL },
};

START_TEST(statements_are_undone_by_their_facts_alone)
{
    struct ran r;
    const char *out = NULL, *why = NULL;

    run(&r, ways[_i].sql);
    enum hist_undo how = hist_reverse(&r.items[0], r.a, &out, &why);
    ck_assert_msg(how == ways[_i].how, "%s: %d, %s, %s", ways[_i].sql, (int)how,
        out ? out : "", why ? why : "");
    const char *got = how == HIST_UNDO_NONE ? why : out;
    if (ways[_i].undo)
        ck_assert_msg(got && strcmp(got, ways[_i].undo) == 0, "%s: %s", ways[_i].sql,
            got ? got : "nothing");
    if (how == HIST_UNDO_PART || how == HIST_UNDO_MAYBE || how == HIST_UNDO_NONE)
        ck_assert_msg(why && *why, "%s: no reason", ways[_i].sql);
    ran_deinit(&r);
}
END_TEST

START_TEST(statements_run_again_where_there_is_a_form_for_it)
{
    struct ran r;
    const char *want = ways[_i].again && !*ways[_i].again ? ways[_i].sql
                                                          : ways[_i].again;

    run(&r, ways[_i].sql);
    const char *got = hist_again(&r.items[0], r.a);
    ck_assert_msg(got && want ? strcmp(got, want) == 0 : !got && !want, "%s: %s",
        ways[_i].sql, got ? got : "(none)");
    ran_deinit(&r);
}
END_TEST

/* Positions of facts mean the whole text; a statement knows where it stands in it. */
START_TEST(the_second_statement_of_a_text_is_edited_at_its_own_place)
{
    struct ran r;

    run(&r, "alter table a add x int; alter table b add y int, add column z int");
    ck_assert_str_eq(hist_again(&r.items[1], r.a),
        "alter table b add IF NOT EXISTS y int, add column IF NOT EXISTS z int");
    ran_deinit(&r);
}
END_TEST

START_TEST(triggers_are_replaced_from_version_14_on)
{
    struct ran r;

    run(&r, "create trigger t before insert on a execute function f()");
    r.items[0].server_version = 130010;
    ck_assert_ptr_null(hist_again(&r.items[0], r.a));
    ran_deinit(&r);
}
END_TEST

/* --- files ------------------------------------------------------------------------------ */

#define HEAD                                                                       \
    "-- Captured by ddlgate: app changed the schema of database shop, 2026-11-28 " \
    "18:00:00Z.\n-- Say here what it is for.\n--\n"                                \
    "-- It ran there already and may run again: the next migrate does no harm "    \
    "there, and\n-- records it.\n"
#define TABLE "create table a (x int)"

static const struct file_case {
    const char *name, *format;
    struct hist_file files[4]; /* what is there */
    const char *sql;
    const char *want; /* path, a newline and the text of each file; from the head on */
} files[] = {
    { "numbered: the first one", "numbered-sql", { { NULL, NULL } }, TABLE,
        "=001_create_table_a.sql\n" HEAD
        "\nBEGIN;\n\ncreate table IF NOT EXISTS a (x int);\n\n"
        "INSERT INTO schema_migrations (version, name)\n"
        "  VALUES ('001', 'create_table_a') ON CONFLICT DO NOTHING;\n\nCOMMIT;\n"
        "\n-- To undo it:\n-- DROP TABLE a;\n" },
    { "numbered: as the newest file does it", "numbered-sql",
        { { "0041_b.up.sql",
              "INSERT INTO schema_migrations (name, version, applied_at) VALUES "
              "('0041_b', '0041', now());" },
            { "0041_b.down.sql", "DELETE FROM schema_migrations" } },
        TABLE,
        "=0042_create_table_a.down.sql\n-- Undoes 0042_create_table_a.up.sql.\n\n"
        "DROP TABLE a;\n\nDELETE FROM schema_migrations WHERE version = '0042';\n"
        "=0042_create_table_a.up.sql\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n\n"
        "INSERT INTO schema_migrations (name, version)\n"
        "  VALUES ('0042_create_table_a', '0042') ON CONFLICT DO NOTHING;\n" },
    { "numbered: a runner that records by itself", "numbered-sql",
        { { "7_b.sql", "CREATE TABLE b ();" } }, TABLE,
        "=8_create_table_a.sql\n" HEAD "\ncreate table IF NOT EXISTS a (x int);\n"
        "\n-- To undo it:\n-- DROP TABLE a;\n" },
    { "numbered: outside of a transaction", "numbered-sql", { { NULL, NULL } },
        "create index concurrently i on a (x)",
        "=001_create_index_i.sql\n" HEAD
        "\ncreate index concurrently IF NOT EXISTS i on a (x);\n\n"
        "INSERT INTO schema_migrations (version, name)\n"
        "  VALUES ('001', 'create_index_i') ON CONFLICT DO NOTHING;\n"
        "\n-- To undo it:\n-- DROP INDEX CONCURRENTLY i;\n" },
    { "Flyway", "flyway", { { "sub/V1_9__b.sql", "" } }, TABLE,
        "=sub/V1_10__create_table_a.sql\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n\n-- To undo it:\n-- DROP TABLE a;\n" },
    { "golang-migrate", "golang-migrate", { { NULL, NULL } }, TABLE,
        "=000001_create_table_a.down.sql\n-- Undoes 000001_create_table_a.up.sql.\n\n"
        "DROP TABLE a;\n=000001_create_table_a.up.sql\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n" },
    { "goose", "goose", { { "00009_b.sql", "-- +goose Up\n" } },
        "create function f() returns int language sql as 'select 1;'",
        "=00010_create_function_f.sql\n-- +goose Up\n" HEAD
        "\n-- +goose StatementBegin\ncreate OR REPLACE function f() returns int language sql "
        "as 'select 1;';\n-- +goose StatementEnd\n\n-- +goose Down\nDROP FUNCTION f();\n" },
    { "goose outside of a transaction", "goose",
        { { "00009_b.sql", "-- +goose Up\n" } }, "drop index concurrently i",
        "=00010_drop_index_i.sql\n-- +goose NO TRANSACTION\n-- +goose Up\n" HEAD
        "\ndrop index concurrently IF EXISTS i;\n\n-- +goose Down\n"
        "-- Can't be undone here, DROP INDEX: what was dropped is gone\n" },
    { "tern outside of a transaction", "tern", { { "001_b.sql", "" } },
        "create index concurrently i on a (x)",
        "=002_create_index_i.sql\n---- tern: disable-tx ----\n" HEAD
        "\ncreate index concurrently IF NOT EXISTS i on a (x);\n\n"
        "---- create above / drop below ----\n---- tern: disable-tx ----\n"
        "DROP INDEX CONCURRENTLY i;\n" },
    { "dbmate outside of a transaction", "dbmate", { { "1_b.sql", "-- migrate:up\n" } },
        "create index concurrently i on a (x)",
        "=2_create_index_i.sql\n-- migrate:up transaction:false\n" HEAD
        "\ncreate index concurrently IF NOT EXISTS i on a (x);\n\n"
        "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n" },
    { "sqlx with rollbacks", "sqlx", { { "1_b.up.sql", "" }, { "1_b.down.sql", "" } },
        "create index concurrently i on a (x)",
        "=2_create_index_i.down.sql\n-- no-transaction\n-- Undoes "
        "2_create_index_i.up.sql.\n\nDROP INDEX CONCURRENTLY i;\n"
        "=2_create_index_i.up.sql\n-- no-transaction\n" HEAD
        "\ncreate index concurrently IF NOT EXISTS i on a (x);\n" },
    { "refinery", "refinery", { { "V4__b.sql", "" } }, TABLE,
        "=V5__create_table_a.sql\n" HEAD "\ncreate table IF NOT EXISTS a (x int);\n"
        "\n-- To undo it:\n-- DROP TABLE a;\n" },
    { "Diesel outside of a transaction", "diesel", { { "3_b/up.sql", "" } },
        "create index concurrently i on a (x)",
        "=4_create_index_i/down.sql\n-- Undoes up.sql.\n\nDROP INDEX CONCURRENTLY i;\n"
        "=4_create_index_i/metadata.toml\nrun_in_transaction = false\n"
        "=4_create_index_i/up.sql\n" HEAD
        "\ncreate index concurrently IF NOT EXISTS i on a (x);\n" },
    { "Prisma", "prisma", { { "3_b/migration.sql", "" } }, TABLE,
        "=4_create_table_a/migration.sql\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n\n-- To undo it:\n-- DROP TABLE a;\n" },
    { "Hasura, in its database's folder", "hasura", { { "default/3_b/up.sql", "" } },
        TABLE,
        "=default/4_create_table_a/down.sql\n-- Undoes up.sql.\n\nDROP TABLE a;\n"
        "=default/4_create_table_a/up.sql\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n" },
    { "sql-migrate", "sql-migrate", { { "5-b.sql", "-- +migrate Up\n" } },
        "create index concurrently i on a (x)",
        "=6-create_index_i.sql\n-- +migrate Up notransaction\n" HEAD
        "\ncreate index concurrently IF NOT EXISTS i on a (x);\n\n"
        "-- +migrate Down notransaction\nDROP INDEX CONCURRENTLY i;\n" },
    { "yoyo", "yoyo", { { "0005.b.sql", "" } }, TABLE,
        "=0006.create_table_a.rollback.sql\n-- Undoes 0006.create_table_a.sql.\n\n"
        "DROP TABLE a;\n=0006.create_table_a.sql\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n" },
    { "postgrator", "postgrator", { { "005.do.b.sql", "" } }, TABLE,
        "=006.undo.create_table_a.sql\n-- Undoes 006.do.create_table_a.sql.\n\n"
        "DROP TABLE a;\n=006.do.create_table_a.sql\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n" },
    { "node-pg-migrate", "node-pg-migrate", { { "5_b.sql", "" } }, TABLE,
        "=6_create_table_a.sql\n-- Up Migration\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n\n-- Down Migration\nDROP TABLE a;\n" },
    { "Liquibase", "liquibase",
        { { "5_b.sql", "--liquibase formatted sql\n--changeset a:b\nSELECT 1;\n" } },
        TABLE,
        "=6_create_table_a.sql\n--liquibase formatted sql\n\n--changeset "
        "ddlgate:6_create_table_a splitStatements:false stripComments:false\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n\n--rollback DROP TABLE a;\n" },
    { "graphile-migrate", "graphile-migrate", { { NULL, NULL } }, TABLE,
        "=committed/000001-create_table_a.sql\n--! Previous: -\n"
        "--! Hash: sha1:3ce67d12bc1c4c7528406f976659bd57badb9661\n"
        "--! Message: create_table_a\n\n" HEAD
        "\ncreate table IF NOT EXISTS a (x int);\n\n-- To undo it:\n-- DROP TABLE a;\n" },
};

static void
render(const struct hist_env *e, struct ran *r, char *out, size_t size)
{
    struct hist_capture cap = { .items = r->items,
        .n = r->n,
        .role = "app",
        .database = "shop",
        .at_us = 1795888800000000 };
    struct hist_new_files made;
    struct err err = { "" };
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        r->items[i].again = hist_again(&r->items[i], r->a);
    if (hist_capture_render(e->set, &cap, r->a, &made, &err) != 0) {
        snprintf(out, size, "error: %s", err.text);
        return;
    }
    for (size_t i = 0; i < made.n; i++)
        n += (size_t)snprintf(out + n, size - n, "=%s\n%.*s", made.items[i].path,
            (int)made.items[i].len, made.items[i].text);
}

START_TEST(files_are_as_the_tool_wants_them)
{
    const struct file_case *c = &files[_i];
    struct hist_env e;
    struct ran r;
    char got[4096] = "";

    hist_env_files(&e, c->format, c->files);
    hist_env_load(&e);
    run(&r, c->sql);
    render(&e, &r, got, sizeof(got));
    CASE_STR(c, got, c->want);
    ran_deinit(&r);
    hist_env_free(&e);
}
END_TEST

/* What stands in the new files is loaded again: all of it, in both directions. */
START_TEST(the_loader_takes_the_files)
{
    const struct file_case *c = &files[_i];
    struct hist_env e;
    struct ran r;
    char got[4096] = "";

    hist_env_files(&e, c->format, c->files);
    hist_env_load(&e);
    size_t before = e.set->n;
    run(&r, c->sql);
    render(&e, &r, got, sizeof(got));
    for (char *file = got; file && *file;) {
        char *path = file + 1, *text = strchr(file, '\n');
        char *next = strstr(text, "\n=");
        *text++ = 0;
        if (next)
            next[1] = 0;
        hist_env_write(e.dir, path, text);
        if (next)
            next[1] = '=';
        file = next ? next + 1 : NULL;
    }
    ref_drop(e.set);
    hist_env_load(&e);
    ck_assert_msg(e.set->n == before + 1, "%s: %zu files", c->name, e.set->n);
    const struct hist_migration *m = NULL;
    const char *again = hist_again(&r.items[0], r.a);
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    ck_assert_int_eq(
        sql_scan(&scan, NULL, again, strlen(again), true, SQL_TREE_DEFAULT_DEPTH, NULL),
        0);
    for (size_t i = 0; i < e.set->n; i++) {
        for (size_t k = 0; k < e.set->migrations[i].scan.n; k++) {
            if (sql_digest_eq(
                    &e.set->migrations[i].scan.stmts[k].digest, &scan.stmts[0].digest))
                m = &e.set->migrations[i];
        }
    }
    ck_assert_msg(m != NULL, "%s: no file holds the statement", c->name);
    ck_assert_msg(m->index == before, "%s: it is not the last one", c->name);
    ck_assert_msg(m->is_no_tx == ((r.items[0].facts->flags & SQL_F_NO_TX) != 0),
        "%s: transaction", c->name);
    ran_deinit(&r);
    hist_env_free(&e);
}
END_TEST

START_TEST(several_statements_are_undone_in_reverse)
{
    struct hist_env e;
    struct ran r;
    char got[4096] = "";

    hist_env_files(&e, "dbmate", NULL);
    hist_env_write(e.dir, "1_b.sql", "-- migrate:up\n");
    hist_env_load(&e);
    run(&r,
        "create table a (); alter table a add constraint k check (true); "
        "create or replace view v as select 1; drop table b");
    r.items[0].search_path = r.items[1].search_path = "billing, Odd, \"$user\"";
    r.items[2].is_path_unknown = true;
    render(&e, &r, got, sizeof(got));
    ck_assert_str_eq(strstr(got, "\n-- It ran"),
        "\n-- It ran there already. What is marked \"once\" below would fail there: undo it "
        "before\n-- the next migrate, or record this migration by hand as applied.\n"
        "\nSET LOCAL search_path TO billing, \"Odd\", \"$user\";\n"
        "create table IF NOT EXISTS a ();\n"
        "\n-- once\nalter table a add constraint k check (true);\n"
        "\n-- Under a search_path that is not known: check names without a schema.\n"
        "create or replace view v as select 1;\n"
        "\ndrop table IF EXISTS b;\n"
        "\n-- migrate:down\n"
        "-- Can't be undone here, DROP TABLE: what was dropped is gone\n"
        "-- Can't be undone here, CREATE VIEW: OR REPLACE: what stood there before is not "
        "known; if nothing did:\n-- DROP VIEW v;\n"
        "SET LOCAL search_path TO billing, \"Odd\", \"$user\";\n"
        "ALTER TABLE a DROP CONSTRAINT k;\nDROP TABLE a;\n");
    ran_deinit(&r);
    hist_env_free(&e);
}
END_TEST

/* --- what can't be written -------------------------------------------------------------- */

static const struct {
    const char *name, *format, *sql, *path, *want;
} faults[] = {
    { "fine", "numbered-sql", TABLE, NULL, "" },
    { "a secret", "numbered-sql",
        "create server s foreign data wrapper w options (password 'x')", NULL,
        "it holds, or may hold, a password, a key or the like, which must not get into a "
        "file" },
    { "a secret in a comment", "numbered-sql",
        "create table a (x int /* https://joe:hunter2@db */)", NULL,
        "it holds, or may hold, a password, a key or the like, which must not get into a "
        "file" },
    { "names of columns are none", "numbered-sql",
        "create table tokens (password text not null, kind text default 'user', r int "
        "references secrets (token))",
        NULL, "" },
    { "a column of passwords is added", "numbered-sql",
        "alter table users add column password_hash text default 'none'", NULL, "" },
    { "a secret in a default", "numbered-sql",
        "alter table a add column x text default 'password=hunter2'", NULL,
        "it holds, or may hold, a password, a key or the like, which must not get into a "
        "file" },
    { "a key in a default", "numbered-sql",
        "alter table a add column x text default pgp_sym_encrypt('a', 'hunter2')", NULL,
        "it holds, or may hold, a password, a key or the like, which must not get into a "
        "file" },
    { "a key in a check", "numbered-sql",
        "create table a (x text check (x <> crypt('hunter2', x)))", NULL,
        "it holds, or may hold, a password, a key or the like, which must not get into a "
        "file" },
    { "a parameter", "numbered-sql", "create table a as select $1::int", NULL,
        "it has parameters; write their values" },
    { "EXECUTE", "numbered-sql", "execute p", NULL,
        "EXECUTE runs a statement that doesn't stand there; send the statement itself" },
    { "CONCURRENTLY for refinery", "refinery", "create index concurrently i on a (x)",
        NULL,
        "it can't run in a transaction, and a file of format refinery can't say so" },
    { "CONCURRENTLY under a path", "dbmate", "create index concurrently i on a (x)",
        "billing",
        "outside of a transaction it depends on the session's search_path; RESET it and "
        "write the schema before the names" },
    { "Flyway's placeholders", "flyway", "create table a (x text default '${x}')", NULL,
        "Flyway would replace what stands behind `${` in it" },
    { "tern's templates", "tern", "create table a (x text default '{{')", NULL,
        "tern would replace what stands behind `{{` in it" },
    { "the tool's marker in a body", "goose",
        "create function f() returns int language sql as '\n-- +goose Down\nselect 1'",
        NULL,
        "the migration file would not say what the statement says: it holds a line or a "
        "text that means something to the migration tool" },
    { "psql's commands in a body are none", "numbered-sql",
        "create function f() returns text language sql as '\n\\i x\n'", NULL, "" },
    { "a format that has a plan", "sqitch", TABLE, NULL,
        "changes can't be captured into format sqitch: sqitch.plan would have to be edited, "
        "which `sqitch add` does; use another value of unmigrated" },
};

START_TEST(what_cant_be_written_is_refused)
{
    struct hist_env e;
    struct ran r;
    struct err err = { "" };

    hist_env_files(&e, faults[_i].format, NULL);
    if (strcmp(faults[_i].format, "sqitch") == 0)
        hist_env_write(e.dir, "sqitch.plan", "%project=x\n");
    hist_env_load(&e);
    run(&r, faults[_i].sql);
    r.items[0].search_path = faults[_i].path;
    int rc = hist_capture_fault(e.set, &r.items[0], &err);
    CASE_STR(&faults[_i], err.text, faults[_i].want);
    ck_assert_msg((rc != 0) == (*faults[_i].want != 0), "%s: %d", faults[_i].name, rc);
    ran_deinit(&r);
    hist_env_free(&e);
}
END_TEST

START_TEST(a_backslash_under_the_old_strings_is_refused)
{
    struct hist_env e;
    struct ran r;
    struct err err = { "" };

    hist_env_files(&e, "dbmate", NULL);
    hist_env_load(&e);
    run(&r, "create table a (x text default 'a\\n')");
    r.items[0].std_strings = false;
    ck_assert_int_ne(hist_capture_fault(e.set, &r.items[0], &err), 0);
    ck_assert_str_eq(err.text,
        "it holds a backslash, which reads otherwise under standard_conforming_strings = "
        "on");
    ran_deinit(&r);
    hist_env_free(&e);
}
END_TEST

START_TEST(what_is_too_long_is_refused)
{
    struct hist_env e;
    struct err err = { "" };
    struct ran r;

    hist_env_files(&e, "dbmate", NULL);
    hist_env_load(&e);
    run(&r, TABLE);
    size_t n = 20000;
    struct hist_captured *items = mem_array(n, sizeof(*items));
    for (size_t i = 0; i < n; i++)
        items[i] = r.items[0];
    struct hist_capture cap = { .items = items, .n = n, .role = "", .database = "" };
    struct hist_new_files made;
    ck_assert_int_ne(hist_capture_render(e.set, &cap, r.a, &made, &err), 0);
    ck_assert_str_eq(
        err.text, "its statements are too long, or too many, for one file");
    cap.n = 10000;
    ck_assert_int_eq(hist_capture_render(e.set, &cap, r.a, &made, &err), 0);
    mem_free(items);
    ran_deinit(&r);
    hist_env_free(&e);
}
END_TEST

/* ---- the row of a file that is there ---- */

#define ROW(values) "INSERT INTO schema_migrations " values ";\n"

START_TEST(a_file_records_itself_like_its_neighbours)
{
    static const struct {
        const char *format, *like, *want;
    } sets[] = {
        { "numbered-sql", ROW("(version, name) VALUES ('001', 'one')"),
            "INSERT INTO schema_migrations (version, name) VALUES ('002', 'add_two') ON "
            "CONFLICT DO NOTHING;" },
        { "numbered-sql",
            ROW("(version, file, at) VALUES (1, '001_one.sql', now()) ON CONFLICT DO "
                "NOTHING"),
            "INSERT INTO schema_migrations (version, file) VALUES ('2', '002_add_two.sql') "
            "ON CONFLICT DO NOTHING;" },
        { "numbered-sql", ROW("(version, by) VALUES ('001_one', 'eve')"),
            "INSERT INTO schema_migrations (version) VALUES ('002_add_two') ON CONFLICT DO "
            "NOTHING;" },
        { "numbered-sql", "SELECT 1;\n",
            "INSERT INTO schema_migrations (version, name) VALUES ('002', 'add_two') ON "
            "CONFLICT DO NOTHING;" },
        { "golang-migrate", NULL, NULL },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(sets); i++) {
        AUTO(arena_free) struct arena *a = arena_new();
        const struct hist_file team[] = { { "001_one.sql", sets[i].like },
            { "002_add_two.sql", "CREATE TABLE two (a int);\n" }, { NULL, NULL } };
        static const struct hist_file tool[] = { { "1_one.up.sql", "SELECT 1;\n" },
            { "2_add_two.up.sql", "SELECT 2;\n" }, { NULL, NULL } };
        struct hist_env e;
        hist_env_files(&e, sets[i].format, sets[i].like ? team : tool);
        hist_env_load(&e);
        ck_assert_uint_eq(e.set->n, 2);
        const char *row = hist_insert_of(e.set, &e.set->migrations[1], a);
        ck_assert_str_eq(row ? row : "", sets[i].want ? sets[i].want : "");
        hist_env_free(&e);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("history_capture");
    TCase *tc = tcase_create("capture");

    tcase_add_loop_test(
        tc, statements_are_undone_by_their_facts_alone, 0, DG_ARRAY_SIZE(ways));
    tcase_add_loop_test(
        tc, statements_run_again_where_there_is_a_form_for_it, 0, DG_ARRAY_SIZE(ways));
    tcase_add_test(tc, the_second_statement_of_a_text_is_edited_at_its_own_place);
    tcase_add_test(tc, triggers_are_replaced_from_version_14_on);
    tcase_add_loop_test(tc, files_are_as_the_tool_wants_them, 0, DG_ARRAY_SIZE(files));
    tcase_add_loop_test(tc, the_loader_takes_the_files, 0, DG_ARRAY_SIZE(files));
    tcase_add_test(tc, several_statements_are_undone_in_reverse);
    tcase_add_loop_test(tc, what_cant_be_written_is_refused, 0, DG_ARRAY_SIZE(faults));
    tcase_add_test(tc, a_backslash_under_the_old_strings_is_refused);
    tcase_add_test(tc, what_is_too_long_is_refused);
    tcase_add_test(tc, a_file_records_itself_like_its_neighbours);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
