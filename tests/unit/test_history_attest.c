// SPDX-License-Identifier: ISC
/* Attestations: what is written is read back, what was edited is found, and a migration that
 * changed since is not the one that was tried out. */
#include "history/attest.h"
#include "lib/hist.h"

#include <errno.h>

static struct hist_attest *
load(const char *dir, const char *text)
{
    struct hist_attest *a = NULL;
    struct err err = { "" };
    char *path = unit_write(dir, "attest", text, strlen(text));

    chmod(path, 0644);
    ck_assert_msg(hist_attest_load(path, &a, &err) == 0, "%s", err.text);
    free(path);
    return a;
}

/* Attests every migration of the set as it is now. */
static struct hist_attest *
attest_all(const struct hist_env *e, const char *dir, unsigned tested)
{
    struct hist_attested items[8];
    AUTO(buf_deinit) struct buf out = BUF_INIT(100000);

    ck_assert_uint_le(e->set->n, DG_ARRAY_SIZE(items));
    for (size_t i = 0; i < e->set->n; i++) {
        hist_attest_describe(e->set, &e->set->migrations[i], &items[i]);
        items[i].tested = tested;
        items[i].with = "PostgreSQL 15.1";
    }
    ck_assert_int_eq(hist_attest_write(items, e->set->n, &out), 0);
    return load(dir, buf_cstr(&out));
}

static enum hist_attest_state
ask(const struct hist_attest *a, const struct hist_env *e, size_t i)
{
    struct hist_attest_answer x;

    hist_attest_ask(a, e->set, &e->set->migrations[i], &x);
    ck_assert_str_eq(x.source, "shop");
    return x.state;
}

static void
reload(struct hist_env *e)
{
    ref_drop(e->set);
    e->set = NULL;
    hist_env_load(e);
}

START_TEST(what_is_written_is_read)
{
    static const struct hist_file files[] = { { "001_a.sql",
                                                  "CREATE TABLE a (x int);" },
        { "001_a.down.sql", "DROP TABLE a;" }, { "002_b.sql", "SELECT 1;" },
        { NULL, NULL } };
    struct hist_env e;
    char *dir = unit_mkdir();
    struct hist_attest_answer x;

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    struct hist_attest *a = attest_all(&e, dir, HIST_VERIFIED | HIST_IDEMPOTENT);
    hist_attest_ask(a, e.set, &e.set->migrations[0], &x);
    ck_assert_int_eq(x.state, HIST_ATTEST_FOUND);
    ck_assert_uint_eq(x.tested, HIST_VERIFIED | HIST_IDEMPOTENT);
    ck_assert_ptr_nonnull(hist_attest_find(a, "002_b.sql"));
    ck_assert_str_eq(hist_attest_find(a, "002_b.sql")->with, "PostgreSQL 15.1");
    ck_assert_ptr_null(hist_attest_find(a, "003_c.sql"));
    ck_assert_int_eq(ask(NULL, &e, 0), HIST_ATTEST_NONE);
    /* a comment is a change, too: the digest is that of the file */
    hist_env_write(e.dir, "002_b.sql", "SELECT 1; -- one");
    hist_env_write(e.dir, "001_a.down.sql", "DROP TABLE IF EXISTS a;");
    reload(&e);
    ck_assert_int_eq(ask(a, &e, 0), HIST_ATTEST_OTHER_TEXT);
    ck_assert_int_eq(ask(a, &e, 1), HIST_ATTEST_OTHER_TEXT);
    ref_drop(a);
    hist_env_free(&e);
    unit_rmdir(dir);
}
END_TEST

START_TEST(a_rollback_that_is_gone_is_a_change)
{
    static const struct hist_file files[] = { { "001_a.sql",
                                                  "CREATE TABLE a (x int);" },
        { "001_a.down.sql", "DROP TABLE a;" }, { NULL, NULL } };
    struct hist_env e;
    char *dir = unit_mkdir(), path[512];

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    struct hist_attest *a = attest_all(&e, dir, HIST_VERIFIED);
    snprintf(path, sizeof(path), "%s/001_a.down.sql", e.dir);
    ck_assert_int_eq(unlink(path), 0);
    reload(&e);
    ck_assert_int_eq(ask(a, &e, 0), HIST_ATTEST_OTHER_TEXT);
    ref_drop(a);
    hist_env_free(&e);
    unit_rmdir(dir);
}
END_TEST

#define HEAD "--liquibase formatted sql\n"
#define ONE  "--changeset x:1\nCREATE TABLE a (x int);\n"
#define TWO  "--changeset x:2\nCREATE TABLE b (x int);\n"

START_TEST(parts_of_one_file_are_told_apart)
{
    static const struct hist_file files[] = { { "a.sql", HEAD ONE TWO },
        { NULL, NULL } };
    struct hist_env e;
    char *dir = unit_mkdir();

    hist_env_files(&e, "liquibase", files);
    hist_env_load(&e);
    struct hist_attest *a = attest_all(&e, dir, HIST_VERIFIED);
    ck_assert_int_eq(ask(a, &e, 0), HIST_ATTEST_FOUND);
    ck_assert_int_eq(ask(a, &e, 1), HIST_ATTEST_FOUND);
    /* the first one grows: the second one is where it was not, and what it was */
    hist_env_write(e.dir, "a.sql", HEAD ONE "CREATE TABLE more (x int);\n" TWO);
    reload(&e);
    ck_assert_int_eq(ask(a, &e, 0), HIST_ATTEST_OTHER_TEXT);
    ck_assert_int_eq(ask(a, &e, 1), HIST_ATTEST_FOUND);
    ref_drop(a);
    hist_env_free(&e);
    unit_rmdir(dir);
}
END_TEST

START_TEST(no_file_attests_nothing)
{
    struct hist_attest *a = NULL;
    struct err err = { "" };

    ck_assert_int_eq(hist_attest_load("/nonexistent/attest", &a, &err), 0);
    ck_assert_ptr_null(hist_attest_find(a, "001_a.sql"));
    ref_drop(a);
}
END_TEST

#define DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *name, *text, *want;
} bad[] = {
    { "empty", "", "1: not an attestation of this version" },
    { "another version", "ddlgate-attest 2\n",
        "1: not an attestation of this version" },
    { "no paragraph", "ddlgate-attest 1\ntext " DIGEST "\n", "2: a paragraph begins" },
    { "short digest", "ddlgate-attest 1\n\nmigration a\ntext sha256:00\n",
        "4: `text` is sha256: and 64 digits" },
    { "unknown word", "ddlgate-attest 1\nmigration a\ncolour red\n",
        "3: not a line of an attestation" },
    { "unknown property", "ddlgate-attest 1\nmigration a\ntested verified, fine\n",
        "3: `tested` lists" },
    { "empty line inside", "ddlgate-attest 1\nmigration a\n\n",
        "3: not a line of an attestation" },
    { "no end", "ddlgate-attest 1\nmigration a\n", "2: the file ends within" },
    { "two at once", "ddlgate-attest 1\nmigration a\nmigration b\n",
        "3: the migration before has no `seal` line" },
    { "nothing said", "ddlgate-attest 1\nmigration a\nseal " DIGEST "\n",
        "3: the migration has no `text`, `tested` or `with` line" },
    { "wrong seal",
        "ddlgate-attest 1\nmigration a\ntext " DIGEST
        "\ntested verified\nwith x\nseal " DIGEST "\n",
        "6: the seal is not that of the lines above" },
};

START_TEST(faults_have_a_line)
{
    char *dir = unit_mkdir();
    char *path = unit_write(dir, "attest", bad[_i].text, strlen(bad[_i].text));
    struct hist_attest *a = NULL;
    struct err err = { "" };
    char want[1024];

    chmod(path, 0644);
    ck_assert_msg(hist_attest_load(path, &a, &err) < 0, "%s: it is read", bad[_i].name);
    snprintf(want, sizeof(want), "%s:%s", path, bad[_i].want);
    ck_assert_msg(strstr(err.text, want) == err.text, "%s: got \"%s\", want \"%s\"",
        bad[_i].name, err.text, want);
    free(path);
    unit_rmdir(dir);
}
END_TEST

START_TEST(everybody_may_not_write_it)
{
    char *dir = unit_mkdir();
    char *path = unit_write(dir, "attest", "ddlgate-attest 1\n", 17);
    struct hist_attest *a = NULL;
    struct err err = { "" };

    chmod(path, 0666);
    ck_assert_int_eq(hist_attest_load(path, &a, &err), -EPERM);
    ck_assert_ptr_nonnull(strstr(err.text, "everybody may write"));
    free(path);
    unit_rmdir(dir);
}
END_TEST

START_TEST(words_are_a_list)
{
    char text[HIST_MAX_TESTED];
    unsigned tested = 0;
    struct str unknown;

    ck_assert_int_eq(
        hist_tested_parse(STR("idempotent, verified,reversible"), &tested, &unknown),
        0);
    ck_assert_str_eq(
        hist_tested_text(tested, text), "verified, reversible, idempotent");
    ck_assert_str_eq(hist_tested_text(0, text), "nothing");
    ck_assert_int_lt(hist_tested_parse(STR("verified, good"), &tested, &unknown), 0);
    ck_assert(str_eqz(unknown, "good"));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("history_attest");
    TCase *tc = tcase_create("attest");

    tcase_add_test(tc, what_is_written_is_read);
    tcase_add_test(tc, a_rollback_that_is_gone_is_a_change);
    tcase_add_test(tc, parts_of_one_file_are_told_apart);
    tcase_add_test(tc, no_file_attests_nothing);
    tcase_add_loop_test(tc, faults_have_a_line, 0, (int)DG_ARRAY_SIZE(bad));
    tcase_add_test(tc, everybody_may_not_write_it);
    tcase_add_test(tc, words_are_a_list);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
