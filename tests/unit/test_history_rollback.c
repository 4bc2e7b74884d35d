// SPDX-License-Identifier: ISC
/* Whether a migration can be taken back, and what is missing where it can't, in the words of
 * each tool. */
#include "lib/hist.h"

#define GOOSE "-- +goose Up\nCREATE TABLE a (x int);\n"
#define LIQUI "--liquibase formatted sql\n--changeset ann:1\nCREATE TABLE a (x int);\n"

/* said: "found"; "missing WANTED"; "empty WANTED"; NULL: nobody can say it. Of the first
 * migration. */
static const struct {
    const char *name, *format, *said;
    struct hist_file files[4];
} cases[] = {
    { "a file beside it", "numbered-sql", "found",
        { { "001_a.sql", "CREATE TABLE a (x int);" },
            { "001_a.down.sql", "DROP TABLE a;" } } },
    { "no file beside it", "numbered-sql", "missing DIR/001_a.down.sql",
        { { "001_a.sql", "CREATE TABLE a (x int);" } } },
    { "none beside up.sql", "golang-migrate", "missing DIR/1_a.down.sql",
        { { "1_a.up.sql", "CREATE TABLE a (x int);" } } },
    { "a file with a comment", "golang-migrate", "empty DIR/1_a.down.sql",
        { { "1_a.up.sql", "CREATE TABLE a (x int);" },
            { "1_a.down.sql", "-- irreversible: x\n" } } },
    { "sqlx", "sqlx", "missing DIR/1_a.down.sql",
        { { "1_a.sql", "CREATE TABLE a (x int);" } } },
    { "a folder", "diesel", "missing DIR/2020-01-01-000000_a/down.sql",
        { { "2020-01-01-000000_a/up.sql", "CREATE TABLE a (x int);" } } },
    { "yoyo", "yoyo", "missing DIR/a.rollback.sql",
        { { "a.sql", "CREATE TABLE a (x int);" } } },
    { "postgrator", "postgrator", "missing DIR/001.undo.a.sql",
        { { "001.do.a.sql", "CREATE TABLE a (x int);" } } },
    { "hasura", "hasura", "found",
        { { "1_a/up.sql", "CREATE TABLE a (x int);" },
            { "1_a/down.sql", "DROP TABLE a" } } },
    { "sqitch", "sqitch", "missing DIR/revert/a.sql",
        { { "sqitch.plan", "%project=x\n\na 2020-01-01T00:00:00Z N <n@x.org> # a\n" },
            { "deploy/a.sql", "CREATE TABLE a (x int);" } } },
    { "a section", "goose", "found",
        { { "001_a.sql", GOOSE "-- +goose Down\nDROP TABLE a;\n" } } },
    { "an empty section", "goose", "missing a statement below `-- +goose Down`",
        { { "001_a.sql", GOOSE "-- +goose Down\n" } } },
    { "no section", "goose", "missing a statement below `-- +goose Down`",
        { { "001_a.sql", GOOSE } } },
    { "tern's line", "tern",
        "missing a statement below `---- create above / drop below ----`",
        { { "001_a.sql", "CREATE TABLE a (x int);\n" } } },
    { "a changeset's line", "liquibase", "found",
        { { "a.sql", LIQUI "--rollback DROP TABLE a;\n" } } },
    { "a changeset without", "liquibase",
        "missing a line `--rollback ...` in its changeset", { { "a.sql", LIQUI } } },
    { "a changeset that says so", "liquibase", "found",
        { { "a.sql", LIQUI "--rollback not required\n" } } },
    { "Flyway, with undo files", "flyway", "missing DIR/x/U1.2__a.sql",
        { { "x/V1.2__a.sql", "CREATE TABLE a (x int);" },
            { "V2__b.sql", "CREATE TABLE b (x int);" },
            { "U2__b.sql", "DROP TABLE b;" } } },
    { "Flyway without", "flyway", NULL,
        { { "V1__a.sql", "CREATE TABLE a (x int);" } } },
    { "Prisma has none", "prisma", NULL,
        { { "1_a/migration.sql", "CREATE TABLE a (x int);" } } },
};

START_TEST(tools_say_it_their_way)
{
    struct hist_env e;
    struct hist_rollback back;
    char text[600] = "", room[1024];
    AUTO(arena_free) struct arena *a = arena_new();

    hist_env_files(&e, cases[_i].format, cases[_i].files);
    e.conf.shown = e.dir;
    hist_env_load(&e);
    ck_assert_uint_gt(e.set->n, 0);
    if (hist_rollback_of(e.set, &e.set->migrations[0], a, &back)) {
        ck_assert_ptr_nonnull(back.wanted);
        snprintf(text, sizeof(text), "%s%s",
            back.is_found       ? "found"
                : back.is_empty ? "empty "
                                : "missing ",
            back.is_found ? "" : back.wanted);
        ck_assert_str_eq(hist_env_text(&e, text, room), cases[_i].said);
    } else {
        ck_assert_msg(!cases[_i].said, "%s: nobody can say it", cases[_i].name);
    }
    for (size_t i = e.set->n; i < e.set->n_all; i++)
        ck_assert(!hist_rollback_of(e.set, &e.set->migrations[i], a, &back));
    hist_env_free(&e);
}
END_TEST

START_TEST(what_the_baseline_holds_needs_none)
{
    static const struct hist_file files[] = { { "001_a.sql",
                                                  "CREATE TABLE a (x int);" },
        { "002_b.sql", "CREATE TABLE b (x int);" }, { 0 } };
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_rollback back;
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", files);
    e.conf.baseline = "001";
    hist_env_load(&e);
    ck_assert(!hist_rollback_of(e.set, &e.set->migrations[0], a, &back));
    ck_assert(hist_rollback_of(e.set, &e.set->migrations[1], a, &back));
    hist_env_free(&e);
}
END_TEST

/* Of a file that no configuration knows, its own name says that it has one. */
START_TEST(a_file_alone_is_looked_at_by_its_name)
{
    static const struct {
        const char *file;
        int said; /* -1: nothing, 0: missing, 1: found */
    } rows[] = { { "1_a.up.sql", 1 }, { "2_b.up.sql", 0 }, { "3_c.up.sql", 0 },
        { "4_d.sql", -1 }, { "1_a.down.sql", -1 }, { "x/up.sql", 1 }, { "y/up.sql", 0 },
        { "setup.sql", -1 } };
    static const struct hist_file files[] = { { "1_a.down.sql", "DROP TABLE a;" },
        { "2_b.down.sql", "-- nothing\n;" }, { "x/down.sql", "DROP TABLE a;" }, { 0 } };
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_env e;

    hist_env_files(&e, "numbered-sql", files);
    for (size_t i = 0; i < DG_ARRAY_SIZE(rows); i++) {
        struct hist_rollback back = { .is_found = false };
        AUTO(mem_free) char *path = mem_printf("%s/%s", e.dir, rows[i].file);
        bool is = hist_rollback_beside(path, a, &back);
        ck_assert_msg((is ? back.is_found : -1) == rows[i].said, "%s", rows[i].file);
        if (is && !back.is_found)
            ck_assert(str_suffix(back.wanted, "down.sql"));
    }
    unit_rmdir(e.dir);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("history_rollback");
    TCase *tc = tcase_create("rollback");

    tcase_add_loop_test(tc, tools_say_it_their_way, 0, (int)DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, what_the_baseline_holds_needs_none);
    tcase_add_test(tc, a_file_alone_is_looked_at_by_its_name);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
