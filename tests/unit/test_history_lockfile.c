// SPDX-License-Identifier: ISC
/* Lockfiles: what is written is read again, what was touched by hand is refused, and what a
 * code-first tool runs is judged by it. */
#include <errno.h>

#include "history/lockfile.h"
#include "lib/hist.h"

#define TEXT(s)            \
    {                      \
        (s), sizeof(s) - 1 \
    }

static const struct str first_up[] = {
    TEXT("CREATE TABLE users (\n\tid serial PRIMARY KEY,\n\n\temail text NOT NULL\n)"),
    TEXT("  INSERT INTO users (email) VALUES ('a;b\n')  ; "),
};
static const struct str first_down[] = { TEXT("DROP TABLE users") };
static const struct str second_up[] = {
    TEXT(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\r\nSELECT 1\\2 -- \x01\r\n$$"),
    TEXT("CREATE INDEX CONCURRENTLY e ON users (email)"),
};

static const struct hist_lock_migration migrations[] = {
    { .version = "1a2b3c",
        .name = "create users",
        .up = { first_up, 2 },
        .down = { first_down, 1 },
        .has_down = true },
    { .version = "2b", .checksum = "99", .up = { second_up, 2 } },
    { .version = "3c", .has_down = true },
};

static const char want[] = "ddlgate-lock 1\n"
                           "tool alembic\n"
                           "\n"
                           "migration 1a2b3c\n"
                           "name create users\n"
                           "up\n"
                           "statement sha256:...\n"
                           "| CREATE TABLE users (\n"
                           "| \tid serial PRIMARY KEY,\n"
                           "|\n"
                           "| \temail text NOT NULL\n"
                           "| )\n";

static void
write_lock(struct buf *out, const char *table)
{
    struct hist_lock lock = { .tool = "alembic",
        .table = table,
        .migrations = migrations,
        .n = DG_ARRAY_SIZE(migrations) };
    struct err err = { "" };

    ck_assert_msg(hist_lock_write(&lock, out, &err) == 0, "%s", err.text);
}

/* An environment whose path is a lockfile with this text. */
static void
init(struct hist_env *e, const char *text)
{
    hist_env_files(e, "lockfile", NULL);
    hist_env_write(e->dir, "ddlgate.lock", text);
    char *path = mem_printf("%s/ddlgate.lock", e->dir);
    e->conf.path = path;
}

static void
deinit(struct hist_env *e)
{
    mem_free((void *)(uintptr_t)e->conf.path);
    hist_env_free(e);
}

START_TEST(what_is_written_is_read)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
    AUTO(buf_deinit) struct buf again = BUF_INIT(65536);
    struct hist_env e;

    write_lock(&b, NULL);
    write_lock(&again, NULL);
    ck_assert_str_eq(buf_cstr(&b), buf_cstr(&again));
    /* digests aside, the form people review */
    ck_assert_mem_eq(buf_cstr(&b), want, 84);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&b), strstr(want, "| CREATE TABLE users")));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "\\ SELECT 1\\\\2 -- \\x01\\r\n| $$\n"));
    init(&e, buf_cstr(&b));
    hist_env_load(&e);
    ck_assert_uint_eq(e.set->n, 3);
    ck_assert_uint_eq(e.set->n_all, 5);
    ck_assert_str_eq(hist_table_name(e.set), "alembic_version");
    const struct hist_migration *m = e.set->migrations;
    ck_assert_str_eq(m[0].version, "1a2b3c");
    ck_assert_str_eq(m[0].name, "create users");
    ck_assert_uint_eq(m[0].scan.n, 2);
    ck_assert_int_eq(m[0].scan.stmts[0].line, 8); /* as in the lockfile */
    ck_assert_int_eq(m[0].scan.stmts[1].line, 14);
    ck_assert_str_eq(m[1].checksum, "99");
    ck_assert(m[1].is_no_tx && !m[0].is_no_tx);
    ck_assert_uint_eq(m[2].scan.n, 0);
    ck_assert_uint_eq(m[0].pair, 3);
    ck_assert(m[3].is_down && m[3].scan.n == 1);
    ck_assert_uint_eq(m[1].pair, HIST_NONE);
    hist_env_read(&e, NULL, 0);
    for (size_t i = 0; i < 2; i++) {
        AUTO(mem_free) char *text = mem_strndup(second_up[i].p, second_up[i].n);
        struct hist_match match = hist_env_match(&e, text);
        ck_assert_msg(match.kind == HIST_MATCH_PENDING && match.migration == &m[1]
                && match.stmt == i,
            "%s", text);
    }
    deinit(&e);
}
END_TEST

/* Where some migration was recorded with its rollback, all should be. */
START_TEST(rollbacks_are_missed_where_others_are)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
    AUTO(buf_deinit) struct buf plain = BUF_INIT(65536);
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_lock only = { .tool = "alembic", .migrations = &migrations[1], .n = 1 };
    struct hist_rollback back;
    struct hist_env e;

    write_lock(&b, NULL);
    init(&e, buf_cstr(&b));
    hist_env_load(&e);
    ck_assert(hist_rollback_of(e.set, &e.set->migrations[0], a, &back));
    ck_assert(back.is_found);
    ck_assert(hist_rollback_of(e.set, &e.set->migrations[1], a, &back));
    ck_assert(!back.is_found && !back.is_empty);
    ck_assert_ptr_nonnull(strstr(back.wanted, "ddlgate record --down"));
    deinit(&e);
    ck_assert_int_eq(hist_lock_write(&only, &plain, NULL), 0);
    init(&e, buf_cstr(&plain));
    hist_env_load(&e);
    ck_assert(!hist_rollback_of(e.set, &e.set->migrations[0], a, &back));
    deinit(&e);
}
END_TEST

START_TEST(table_of_the_lockfile_counts)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
    struct hist_env e;

    write_lock(&b, "ops.done");
    init(&e, buf_cstr(&b));
    hist_env_load(&e);
    ck_assert(hist_is_table(e.set, "ops", "done"));
    ref_drop(e.set);
    e.conf.history_table = "mine";
    hist_env_load(&e);
    ck_assert(hist_is_table(e.set, "public", "mine"));
    deinit(&e);
}
END_TEST

/* Sqitch's own plan tells changes of one name apart by their ids; a lockfile has none. */
START_TEST(versions_of_a_lockfile_need_no_id)
{
    static const struct hist_lock_migration one = { .version = "users",
        .up = { first_up, 2 } };
    static const char *const rows[] = { "6a1b", NULL, "users", "shop", "", "", NULL,
        NULL, NULL, NULL, NULL, HIST_END };
    struct hist_lock lock = { .tool = "sqitch", .migrations = &one, .n = 1 };
    AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
    struct err err = { "" };
    struct hist_env e;

    ck_assert_msg(hist_lock_write(&lock, &b, &err) == 0, "%s", err.text);
    init(&e, buf_cstr(&b));
    hist_env_load(&e);
    hist_env_read(&e, rows, 11);
    ck_assert_int_eq(hist_view_state(e.view, 0), DG_MIG_APPLIED);
    ck_assert_uint_eq(hist_view_n_missing(e.view), 0);
    deinit(&e);
}
END_TEST

/* --- touched by hand -------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *from, *to; /* replaced in the file, once */
    const char *error;
} edits[] = {
    { "a comment", "migration 2b", "# reviewed\nmigration 2b", NULL },
    { "a constant", "'a;b", "'a;c",
        "DIR/ddlgate.lock:19: the chain is broken at migration 1a2b3c: the file was edited "
        "by hand, or merged; record it again" },
    { "a name", "create users", "create all users",
        "DIR/ddlgate.lock:19: the chain is broken at migration 1a2b3c: the file was edited "
        "by hand, or merged; record it again" },
    { "a blank", "| \temail", "|  \temail",
        "DIR/ddlgate.lock:19: the chain is broken at migration 1a2b3c: the file was edited "
        "by hand, or merged; record it again" },
    { "another tool", "tool alembic", "tool django",
        "DIR/ddlgate.lock:19: the chain is broken at migration 1a2b3c: the file was edited "
        "by hand, or merged; record it again" },
    { "no tool", "tool alembic", "tool nosuch",
        "DIR/ddlgate.lock:2: the second line is `tool NAME`, with a format that ddlgate "
        "knows" },
    { "another version of the format", "ddlgate-lock 1", "ddlgate-lock 2",
        "DIR/ddlgate.lock:1: not a lockfile of this version: its first line is "
        "`ddlgate-lock 1`" },
    { "a marker of a merge", "migration 2b", "<<<<<<< mine\nmigration 2b",
        "DIR/ddlgate.lock:21: not a line of a lockfile; record it again" },
    { "a second up", "name create users\n", "up\n",
        "DIR/ddlgate.lock:6: a migration has one `up`" },
    { "text without a statement", "statement sha256:", "# ",
        "DIR/ddlgate.lock:8: text without a statement above it" },
    { "a short digest", "statement sha256:", "statement sha256:0",
        "DIR/ddlgate.lock:7: a digest is written sha256: and 64 hexadecimal digits" },
    { "a bad escape", "\\ SELECT", "\\ \\qSELECT",
        "DIR/ddlgate.lock:26: in a line that begins with \\ write \\\\, \\r or \\xHH" },
    { "cut off", "chain", NULL,
        "DIR/ddlgate.lock:18: the file ends within a migration, before its `chain` line" },
};

START_TEST(edited_file_is_refused)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
    struct hist_env e;
    struct err err = { "" };
    char text[1024];

    write_lock(&b, NULL);
    const char *all = buf_cstr(&b), *at = strstr(all, edits[_i].from);
    ck_assert_msg(at != NULL, "%s: no %s", edits[_i].name, edits[_i].from);
    AUTO(mem_free)
    char *edited = mem_printf("%.*s%s%s", (int)(at - all), all,
        edits[_i].to ? edits[_i].to : "",
        edits[_i].to ? at + strlen(edits[_i].from) : "");
    init(&e, edited);
    int r = hist_set_load(&e.conf, &e.set, &err);
    CASE_STR(&edits[_i], hist_env_text(&e, err.text, text),
        edits[_i].error ? edits[_i].error : "");
    CASE_INT(&edits[_i], r == 0, edits[_i].error == NULL);
    deinit(&e);
}
END_TEST

/* The chain made anew, as somebody who means it would: the digest still has to fit. */
START_TEST(digest_must_be_that_of_the_text)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    static const char head[] = "ddlgate-lock 1\ntool alembic\n";
    static const char body[] =
        "migration 1\nup\nstatement "
        "sha256:0000000000000000000000000000000000000000000000000000000000000000\n"
        "| DROP TABLE x\n";
    char hex[HASH_HEX_SIZE], text[1024];
    uint8_t digest[HASH_SHA256_SIZE];
    struct hist_env e;
    struct err err = { "" };

    hash_sha256_add(h, head, sizeof(head) - 1);
    hash_sha256_end(h, digest);
    hash_hex(digest, sizeof(digest), hex);
    hash_sha256_add(h, hex, 64);
    hash_sha256_add(h, body, sizeof(body) - 1);
    hash_sha256_end(h, digest);
    hash_hex(digest, sizeof(digest), hex);
    AUTO(mem_free) char *file = mem_printf("%s%schain sha256:%s\n", head, body, hex);
    init(&e, file);
    ck_assert_int_lt(hist_set_load(&e.conf, &e.set, &err), 0);
    ck_assert_ptr_nonnull(strstr(hist_env_text(&e, err.text, text),
        "DIR/ddlgate.lock:5: the text below is not the one with this digest, but that of "
        "sha256:"));
    deinit(&e);
}
END_TEST

START_TEST(what_can_not_be_written_is_refused)
{
    static const struct str two[] = { TEXT("SELECT 1; DROP TABLE x") };
    static const struct str broken[] = { TEXT("SELECT 'x") };
    static const struct {
        const char *tool;
        struct hist_lock_migration m;
        const char *error;
    } all[] = {
        { "alembic", { .version = "1", .up = { two, 1 } },
            "migration 1: not one whole statement: SELECT 1; DROP TABLE x" },
        { "alembic", { .version = "1", .up = { broken, 1 } },
            "migration 1: not one whole statement: SELECT 'x" },
        { "alembic", { .version = "1\n2" },
            "migration \"1 2\" holds a line end or another control byte" },
        { "nosuch", { .version = "1" }, "tool \"nosuch\" is not known" },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++) {
        AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
        AUTO(buf_deinit) struct buf small = BUF_INIT(64);
        struct hist_lock lock = { all[i].tool, NULL, &all[i].m, 1 };
        struct err err = { "" };
        ck_assert_int_eq(hist_lock_write(&lock, &b, &err), -EINVAL);
        ck_assert_str_eq(err.text, all[i].error);
        lock = (struct hist_lock){ "alembic", NULL, migrations, 1 };
        ck_assert_int_eq(hist_lock_write(&lock, &small, &err), -EFBIG);
    }
}
END_TEST

/* --- judged by it ----------------------------------------------------------------------- */

#define UP1 "CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL)"

static const struct {
    const char *name;
    const char *head;   /* in the history table; NULL: no row */
    const char *ran[3]; /* in this transaction */
    const char *sql;
    enum hist_write_verdict verdict;
} writes[] = {
    { "first row after its statements", NULL, { UP1 },
        "INSERT INTO alembic_version (version_num) VALUES ('1a2b3c')", HIST_WRITE_OK },
    { "first row without them", NULL, { NULL },
        "INSERT INTO alembic_version (version_num) VALUES ('1a2b3c') RETURNING "
        "alembic_version.version_num",
        HIST_WRITE_TOO_EARLY },
    { "a later row without what is before it", NULL, { NULL },
        "INSERT INTO alembic_version (version_num) VALUES ('3c')",
        HIST_WRITE_TOO_EARLY },
    { "nobody's revision", NULL, { UP1 },
        "INSERT INTO alembic_version (version_num) VALUES ('ffff')",
        HIST_WRITE_FORGED },
    { "one up", "2b", { NULL },
        "UPDATE alembic_version SET version_num='3c' WHERE alembic_version.version_num = "
        "'2b'",
        HIST_WRITE_OK },
    { "one up before it ran", "1a2b3c", { NULL },
        "UPDATE alembic_version SET version_num='3c' WHERE version_num = '1a2b3c'",
        HIST_WRITE_NOT_SEEN_RUN }, /* 2b runs without a transaction */
    { "to nobody's revision", "1a2b3c", { NULL },
        "UPDATE alembic_version SET version_num='ffff' WHERE version_num = '1a2b3c'",
        HIST_WRITE_FORGED },
    { "one down after its rollback", "3c", { NULL },
        "UPDATE alembic_version SET version_num='2b' WHERE version_num = '3c'",
        HIST_WRITE_OK },
    { "one down without a rollback", "2b", { NULL },
        "UPDATE alembic_version SET version_num='1a2b3c' WHERE version_num = '2b'",
        HIST_WRITE_FORGED },
    { "back to nothing after the rollback", "1a2b3c", { "DROP TABLE users" },
        "DELETE FROM alembic_version WHERE alembic_version.version_num = '1a2b3c'",
        HIST_WRITE_OK },
    { "back to nothing before the rollback", "1a2b3c", { NULL },
        "DELETE FROM alembic_version WHERE version_num = '1a2b3c'",
        HIST_WRITE_TOO_EARLY },
    { "all rows", "1a2b3c", { "DROP TABLE users" }, "DELETE FROM alembic_version",
        HIST_WRITE_FORGED },
    { "all rows at once", "1a2b3c", { NULL }, "TRUNCATE alembic_version",
        HIST_WRITE_FORGED },
};

START_TEST(code_first_tool_is_judged)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
    const char *cells[] = { writes[_i].head ? writes[_i].head : HIST_END, HIST_END };
    struct hist_env e;
    struct hist_sql s;
    struct err why = { "" };

    write_lock(&b, NULL);
    init(&e, buf_cstr(&b));
    hist_env_load(&e);
    hist_env_read(&e, cells, 1);
    struct hist_tx *tx = hist_tx_new(e.view);
    for (size_t i = 0; writes[_i].ran[i]; i++) {
        struct hist_match m = hist_env_match(&e, writes[_i].ran[i]);
        ck_assert_msg(m.migration, "%s: %s", writes[_i].name, writes[_i].ran[i]);
        hist_tx_ran(tx, &m);
    }
    hist_sql_init(&s, e.set, writes[_i].sql);
    struct hist_match m = hist_match(e.view, s.f, s.digest);
    int got = hist_check_write(e.view, s.f, &m, NULL, 0, tx, NULL, &why);
    ck_assert_msg(got == (int)writes[_i].verdict, "%s: %d, want %d: %s",
        writes[_i].name, got, (int)writes[_i].verdict, why.text);
    ck_assert_int_eq(got == HIST_WRITE_OK, why.text[0] == 0);
    hist_sql_deinit(&s);
    hist_tx_free(tx);
    deinit(&e);
}
END_TEST

START_TEST(rollback_runs_newest_first)
{
    static const struct str up[] = { TEXT("CREATE TABLE a (x int)") };
    static const struct str down[] = { TEXT("DROP TABLE a") };
    static const struct str up2[] = { TEXT("CREATE TABLE b (x int)") };
    static const struct str down2[] = { TEXT("DROP TABLE b") };
    static const struct hist_lock_migration two[] = {
        { .version = "1", .up = { up, 1 }, .down = { down, 1 }, .has_down = true },
        { .version = "2", .up = { up2, 1 }, .down = { down2, 1 }, .has_down = true },
    };
    static const char *const head[] = { "2", HIST_END };
    struct hist_lock lock = { "alembic", NULL, two, 2 };
    AUTO(buf_deinit) struct buf b = BUF_INIT(65536);
    struct hist_env e;
    struct err err;

    ck_assert_int_eq(hist_lock_write(&lock, &b, &err), 0);
    init(&e, buf_cstr(&b));
    hist_env_load(&e);
    hist_env_read(&e, NULL, 1);
    ck_assert_int_eq(hist_env_match(&e, "DROP TABLE a").kind, HIST_MATCH_DOWN_BLOCKED);
    hist_env_read(&e, head, 1);
    struct hist_tx *tx = hist_tx_new(e.view);
    struct hist_match a = hist_env_match(&e, "DROP TABLE a");
    struct hist_match newest = hist_env_match(&e, "DROP TABLE b");
    ck_assert_int_eq(a.kind, HIST_MATCH_DOWN);
    ck_assert_int_eq(newest.kind, HIST_MATCH_DOWN);
    ck_assert_ptr_null(hist_tx_newer(tx, newest.migration));
    ck_assert_ptr_eq(hist_tx_newer(tx, a.migration), &e.set->migrations[1]);
    hist_tx_ran(tx, &newest);
    ck_assert_ptr_null(hist_tx_newer(tx, a.migration));
    hist_tx_free(tx);
    deinit(&e);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_lockfile");
    TCase *tc = tcase_create("lockfile");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, what_is_written_is_read);
    tcase_add_test(tc, rollbacks_are_missed_where_others_are);
    tcase_add_test(tc, table_of_the_lockfile_counts);
    tcase_add_test(tc, versions_of_a_lockfile_need_no_id);
    tcase_add_loop_test(tc, edited_file_is_refused, 0, DG_ARRAY_SIZE(edits));
    tcase_add_test(tc, digest_must_be_that_of_the_text);
    tcase_add_test(tc, what_can_not_be_written_is_refused);
    tcase_add_loop_test(tc, code_first_tool_is_judged, 0, DG_ARRAY_SIZE(writes));
    tcase_add_test(tc, rollback_runs_newest_first);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
