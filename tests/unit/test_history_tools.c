// SPDX-License-Identifier: ISC
/* What the table of tools says of each tool: its files, their order, versions and checksums,
 * what its rows mean, and which of its own statements pass. */
#include "lib/hist.h"

#define F        "CREATE TABLE users (\n  id serial PRIMARY KEY,\n  email text NOT NULL\n);\n"
#define F_MD5    "a143361446bb01f5ddd9df3f9a6bf1ba"
#define F_SHA256 "9d5cf6620fe3814f0cd17ce37e56c323c17794f22aec229482a7268923e8bb0d"
#define F_SHA384                                                       \
    "d2b88aa1907a628c939a2e4082dde036618b17f05d72708807baa97d2f86f6e0" \
    "123c2ced06aa2fbf5f3c9322d1f4764d"

/* --- files ------------------------------------------------------------------------------ */

static const struct {
    const char *name, *format;
    struct hist_file files[7];
    /* version:name:checksum of each, in order, rollbacks last with < before them */
    const char *want;
} files[] = {
    { "golang-migrate", "golang-migrate",
        { { "2_b.up.sql", F }, { "10_c.up.sql", F }, { "1_a.up.sql", F },
            { "2_b.down.sql", "DROP TABLE users;" }, { "README.md", "" } },
        "1::- 2::- 10::- <2::-" },
    { "goose", "goose",
        { { "00002_b.sql", "-- +goose Up\n" F "-- +goose Down\nDROP TABLE users;\n" },
            { "10_c.sql", "-- +goose Up\n" F }, { "00003_x.go", "" } },
        "00002:b:- 10:c:- <00002:b:- <10:c:-" },
    { "tern", "tern",
        { { "002_b.sql", F "---- create above / drop below ----\nDROP TABLE users;\n" },
            { "001_a.sql", F } },
        "001:a:- 002:b:- <001:a:- <002:b:-" },
    { "dbmate sorts by name", "dbmate",
        { { "10_a.sql", "-- migrate:up\n" F }, { "9_b.sql", "-- migrate:up\n" F } },
        "10::- 9::- <10::- <9::-" },
    { "sqlx", "sqlx",
        { { "20240101_users.sql", F }, { "2_more_of_it.up.sql", "" },
            { "2_more_of_it.down.sql", F } },
        "2:more_of_it:38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274"
        "edebfe76f65fbd51ad2f14898b95b "
        "20240101:users:" F_SHA384 " <2:more_of_it:-" },
    { "refinery", "refinery", { { "V1__users.sql", F }, { "notes.sql", F } },
        "1:users:11365818358535992621" },
    { "Diesel", "diesel",
        { { "2024-01-01-000001_users/up.sql", F },
            { "2024-01-01-000001_users/down.sql", "DROP TABLE users;" },
            { "00000000000000_init/up.sql", F }, { "notes/up.txt", "" } },
        "00000000000000:init:- 20240101000001:users:- <20240101000001:users:-" },
    { "Prisma", "prisma",
        { { "20240101000000_users/migration.sql", F }, { "0_init/migration.sql", F },
            { "migration_lock.toml", "" } },
        "0_init:0_init:" F_SHA256
        " 20240101000000_users:20240101000000_users:" F_SHA256 },
    { "Atlas", "atlas", { { "1_users.sql", F }, { "atlas.sum", "h1:x" } },
        "1:users:AVanXwCMskAchGTN+IuMNxgh5+npn6nYZ8yO2A6Pv28=" },
    { "Supabase", "supabase", { { "20240101_users.sql", F }, { "1_a.sql", F } },
        "1:a:- 20240101:users:-" },
    { "graphile-migrate", "graphile-migrate",
        { { "committed/000001-users.sql",
              "--! Previous: -\n--! Hash: sha1:18a67f\n--! Message: users\n\n" F },
            { "committed/000002.sql",
                "--! Previous: sha1:18a67f29130d6a79aea4cc27b6ebe6afe8c4bc37\n"
                "--! Hash: x\n\nSELECT 1;\n" },
            { "current.sql", "DROP TABLE users;" } },
        "000001.sql:users:sha1:18a67f29130d6a79aea4cc27b6ebe6afe8c4bc37 "
        "000002.sql::sha1:9c19fce12935911d87dcaf6ef37e776165e5b802" },
    { "sql-migrate: numbers in front count", "sql-migrate",
        { { "10-b.sql", "-- +migrate Up\n" F }, { "9-a.sql", "-- +migrate Up\n" F },
            { "init.sql", "-- +migrate Up\n" F } },
        "9-a.sql:9-a:- 10-b.sql:10-b:- init.sql:init:- <9-a.sql:9-a:- <10-b.sql:10-b:- "
        "<init.sql:init:-" },
    { "yoyo: of the name", "yoyo",
        { { "0001.users.sql", F }, { "0001.users.rollback.sql", "DROP TABLE users;" } },
        "0001.users:0001.users:"
        "fafccf060ea338d3ee062368503189df2a4dd2159af164d65b6f53b2e27ef162 "
        "<0001.users:0001.users:-" },
    { "postgrator", "postgrator",
        { { "1.do.users.sql", F }, { "1.undo.users.sql", "DROP TABLE users;" },
            { "10.do.sql", "" }, { "002.do.b.sql", F } },
        "1:users:" F_MD5 " 002:b:" F_MD5 " 10::d41d8cd98f00b204e9800998ecf8427e "
        "<1:users:-" },
    { "node-pg-migrate", "node-pg-migrate",
        { { "1700000000000_users.sql",
            "-- Up Migration\n" F "-- Down Migration\nDROP TABLE users;\n" } },
        "1700000000000_users:users:- <1700000000000_users:users:-" },
    { "db-migrate", "db-migrate",
        { { "sqls/20240101000001-users-up.sql", F },
            { "sqls/20240101000001-users-down.sql", "DROP TABLE users;" },
            { "20240101000001-users.js", "" } },
        "/20240101000001-users:users:- </20240101000001-users:users:-" },
    { "Drizzle: order of the journal", "drizzle",
        { { "meta/_journal.json",
              "{\"version\":\"7\",\"dialect\":\"postgresql\",\"entries\":[\n"
              " {\"idx\":0,\"version\":\"7\",\"when\":1700000000001,\"tag\":\"0000_b\","
              "\"breakpoints\":true},\n"
              " {\"idx\":1,\"when\":1700000000002,\"tag\":\"0001_a\"}]}\n" },
            { "0000_b.sql", F }, { "0001_a.sql", F }, { "0002_not_there.sql", "" } },
        "1700000000001:0000_b:" F_SHA256 " 1700000000002:0001_a:" F_SHA256 },
    { "Hasura", "hasura",
        { { "default/1700000000000_users/up.sql", F },
            { "default/1700000000000_users/down.sql", "DROP TABLE users;" } },
        "1700000000000::- <1700000000000::-" },
    { "Sqitch: order of the plan", "sqitch",
        { { "sqitch.plan",
              "%syntax-version=1.0.0\n%project=shop\n\n"
              "zebra 2024-01-01T00:00:00Z A <a@b> # first\n"
              "@v1 2024-01-01T00:00:00Z A <a@b> # tag\n"
              "apple [zebra] 2024-01-02T00:00:00Z A <a@b> # second\n" },
            { "deploy/zebra.sql", "BEGIN;\n" F "COMMIT;\n" },
            { "revert/zebra.sql", "DROP TABLE users;" }, { "deploy/apple.sql", F },
            { "deploy/unplanned.sql", F } },
        "zebra:zebra:63285fc6a8d49ea21e1d0c769d0090cc547340ba "
        "apple:apple:18a67f29130d6a79aea4cc27b6ebe6afe8c4bc37 <zebra:zebra:-" },
    { "Liquibase: changesets of a file", "liquibase",
        { { "a.sql",
              "--liquibase formatted sql\n\n--changeset anna:1\n" F
              "--rollback DROP TABLE users;\n\n--changeset anna:2 runInTransaction:false\n"
              "SELECT 1;\n" },
            { "b.sql", "SELECT 'no changelog';" },
            { "master.xml",
                "<databaseChangeLog>\n<!-- <changeSet/> -->\n<include file='a.sql'/>\n"
                "</databaseChangeLog>" },
            { "m.yaml",
                "databaseChangeLog:\n- include:\n    file: a.sql # changeSet:\n" },
            { "m.json",
                "{\"databaseChangeLog\": [{\"include\": {\"file\": \"changeSet\"}}]}" },
            { "other.json", "{\"changeSet\": 1}" } },
        "1::anna::a.sql:1:9:6db4c3078a7e2c868222539693520351 "
        "2::anna::a.sql:2:9:0a7ed49c904abc7110aa09324b49f106 <1::anna::a.sql:1:-" },
};

START_TEST(files_have_versions_and_checksums)
{
    struct hist_env e;
    char got[2048] = "";

    hist_env_files(&e, files[_i].format, files[_i].files);
    hist_env_load(&e);
    for (size_t i = 0; i < e.set->n_all; i++) {
        const struct hist_migration *m = &e.set->migrations[i];
        size_t n = strlen(got);
        snprintf(got + n, sizeof(got) - n, "%s%s%s:%s:%s", i ? " " : "",
            m->is_down ? "<" : "", m->version, m->name,
            m->checksum ? m->checksum : "-");
        ck_assert_int_eq(m->is_down, i >= e.set->n);
        if (m->is_down)
            ck_assert_str_eq(e.set->migrations[m->pair].version, m->version);
    }
    CASE_STR(&files[_i], got, files[_i].want);
    hist_env_free(&e);
}
END_TEST

/* --- Sqitch's reworked changes ------------------------------------------------------------ */

/* With Sqitch 1.3.1's own ids: `sqitch plan --format 'format:%H %n'`. */
static const struct hist_file reworked[] = {
    { "sqitch.plan",
        "%syntax-version=1.0.0\n%project=shop # ours\n%uri=HTTPS://GitHub.com\n\n"
        "step1 2024-01-01T00:00:00Z A <a@example.org> # step 1\n"
        "@v0 2024-01-01T00:00:00Z A <a@example.org>\n"
        "+ step2 [step1 shop:@v0 !other:x] 2024-01-02T00:00:00Z \xc3\x81na  B "
        "<b@example.org>\n"
        "@v1 2024-01-03T00:00:00Z A <a@example.org> # t\n"
        "@v2 2024-01-03T00:00:00Z A <a@example.org>\n"
        "step3 [!step2 other:y] 2024-01-03T00:00:00Z A <a@example.org>  #  a \\\\ b\\nand # "
        "c  \n"
        "step2 [step2@v1] 2024-01-04T00:00:00Z A <a@example.org> # 0\n"
        "@v3 2024-01-04T00:00:00Z A <a@example.org> # t\n"
        "step2 2024-01-05T00:00:00Z A <a@example.org> # last\n" },
    { "deploy/step1.sql", "SELECT 1;" },
    { "deploy/step2.sql", "CREATE TABLE c ();" },
    { "deploy/step2@v2.sql", "CREATE TABLE a ();" },
    { "deploy/step2@v3.sql", "CREATE TABLE b ();" },
    { "deploy/step3.sql", "SELECT 3;" },
    { "revert/step2@v2.sql", "DROP TABLE a;" },
    { NULL, NULL },
};

START_TEST(reworked_changes_have_their_ids_and_files)
{
    static const struct {
        const char *file, *version, *id;
    } want[] = {
        { "deploy/step1.sql", "step1", NULL },
        { "deploy/step2@v2.sql", "step2@v2",
            "72d996fe0408997c5f9a861e909358383b2de090" },
        { "deploy/step3.sql", "step3", NULL },
        { "deploy/step2@v3.sql", "step2@v3",
            "2a72400b2f9eecf71f8906a1eaac824812b7c5a1" },
        { "deploy/step2.sql", "step2", "9ab7adedba457bf422c74b94e2313d6bc1492fe6" },
    };
    struct hist_env e;

    hist_env_files(&e, "sqitch", reworked);
    hist_env_load(&e);
    ck_assert_uint_eq(e.set->n, DG_ARRAY_SIZE(want));
    for (size_t i = 0; i < e.set->n; i++) {
        const struct hist_migration *m = &e.set->migrations[i];
        ck_assert_str_eq(m->file, want[i].file);
        ck_assert_str_eq(m->version, want[i].version);
        ck_assert_pstr_eq(m->id, want[i].id);
    }
    ck_assert_uint_eq(e.set->migrations[1].pair, e.set->n);
    hist_env_free(&e);
}
END_TEST

#define CHANGE(id, change) \
    id, NULL, change, "shop", "", "", NULL, NULL, NULL, NULL, NULL

START_TEST(reworked_changes_are_told_apart_by_their_ids)
{
    static const char *const rows[] = { CHANGE("x", "step1"),
        CHANGE("72d996fe0408997c5f9a861e909358383b2de090", "step2"),
        CHANGE("y", "step3"),
        CHANGE("2a72400b2f9eecf71f8906a1eaac824812b7c5a1", "step2"),
        CHANGE("z", "step2"), HIST_END };
    static const enum dg_migration_state want[] = { DG_MIG_APPLIED, DG_MIG_APPLIED,
        DG_MIG_APPLIED, DG_MIG_APPLIED, DG_MIG_PENDING };
    const char *version, *name;
    struct hist_env e;

    hist_env_files(&e, "sqitch", reworked);
    hist_env_load(&e);
    hist_env_read(&e, rows, 11);
    for (size_t i = 0; i < e.set->n; i++)
        ck_assert_int_eq(hist_view_state(e.view, i), want[i]);
    ck_assert_uint_eq(hist_view_n_missing(e.view), 1);
    hist_view_missing(e.view, 0, &version, &name);
    ck_assert_str_eq(version, "step2");
    hist_env_free(&e);
}
END_TEST

/* --- sections --------------------------------------------------------------------------- */

static const struct {
    const char *name, *format, *file, *text;
    const char *up, *down; /* digests of these stand in it, one statement each */
    bool is_no_tx;
} sections[] = {
    { "goose", "goose", "1_a.sql",
        "CREATE TABLE junk();\n-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE a (x "
        "int);\n-- +goose StatementEnd\n\n-- +goose Down\nDROP TABLE a;\n",
        "CREATE TABLE a (x int)", "DROP TABLE a", false },
    { "goose without a transaction", "goose", "1_a.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a (x int);\n-- +goose Down\n"
        "DROP TABLE a;\n",
        "CREATE TABLE a (x int)", "DROP TABLE a", true },
    { "dbmate", "dbmate", "1.sql",
        "--  migrate:up   transaction:false\nCREATE TABLE a (x int);\n\n--migrate:down\n"
        "DROP TABLE a;",
        "CREATE TABLE a (x int)", "DROP TABLE a", true },
    { "sql-migrate", "sql-migrate", "1.sql",
        "-- +migrate Up notransaction\nCREATE TABLE a (x int);\n-- +migrate Down\n"
        "DROP TABLE a;",
        "CREATE TABLE a (x int)", "DROP TABLE a", true },
    { "tern", "tern", "001_a.sql",
        "CREATE TABLE a (x int);\n---- create above / drop below ----\nDROP TABLE a;",
        "CREATE TABLE a (x int)", "DROP TABLE a", false },
    { "node-pg-migrate", "node-pg-migrate", "1_a.sql",
        "-- up  migration\nCREATE TABLE a (x int);\n--Down Migration\nDROP TABLE a;",
        "CREATE TABLE a (x int)", "DROP TABLE a", false },
    { "sqlx", "sqlx", "1_a.sql", "-- no-transaction\nCREATE TABLE a (x int);",
        "CREATE TABLE a (x int)", NULL, true },
    { "a statement that needs none", "sqlx", "1_a.sql",
        "CREATE INDEX CONCURRENTLY a ON b (c);", "CREATE INDEX CONCURRENTLY a ON b (c)",
        NULL, true },
    { "Liquibase", "liquibase", "a.sql",
        "--liquibase formatted sql\n--changeset a:1 runInTransaction:false\n--comment x\n"
        "CREATE TABLE a (x int); -- drop it;\n--rollback DROP TABLE a\n"
        "--changeset a:2\nSELECT 1;",
        "CREATE TABLE a (x int)", "DROP TABLE a", true },
    { "Liquibase with a delimiter of its own", "liquibase", "a.sql",
        "--liquibase formatted sql\n--changeset a:1 endDelimiter:/\nCREATE TABLE a (x "
        "int)\n/\n",
        "CREATE TABLE a (x int)", NULL, false },
};

static void
check_section(const char *name, const struct hist_set *set,
    const struct hist_migration *m, const char *want)
{
    struct hist_sql s;

    ck_assert_msg(m->scan.n == 1, "%s: %zu statements", name, m->scan.n);
    hist_sql_init(&s, set, want);
    ck_assert_msg(
        sql_digest_eq(s.digest, &m->scan.stmts[0].digest), "%s: not %s", name, want);
    hist_sql_deinit(&s);
}

START_TEST(file_is_cut_by_its_markers)
{
    struct hist_file list[] = { { sections[_i].file, sections[_i].text },
        { NULL, NULL } };
    struct hist_env e;

    hist_env_files(&e, sections[_i].format, list);
    hist_env_load(&e);
    const struct hist_migration *m = &e.set->migrations[0];
    check_section(sections[_i].name, e.set, m, sections[_i].up);
    CASE_INT(&sections[_i], m->is_no_tx, sections[_i].is_no_tx);
    CASE_INT(&sections[_i], m->pair != HIST_NONE, sections[_i].down != NULL);
    if (sections[_i].down)
        check_section(
            sections[_i].name, e.set, &e.set->migrations[m->pair], sections[_i].down);
    hist_env_free(&e);
}
END_TEST

/* --- bad files -------------------------------------------------------------------------- */

#define WHEN          " 2024-01-01T00:00:00Z A <a@b> # n\n"
#define PLANNED(name) name WHEN

#define NO_SQL                                                                              \
    ": a changeset that is not in formatted SQL: what it does comes into being when "       \
    "Liquibase runs; write it as formatted SQL, or let `ddlgate record` list it (format = " \
    "lockfile)"

static const struct {
    const char *name, *format;
    struct hist_file files[4];
    const char *error;
} errors[] = {
    { "no marker", "goose", { { "1_a.sql", F } },
        "DIR/1_a.sql:1: no line `-- +goose Up`, so goose would run nothing of it; add the "
        "line above the statements" },
    { "one version twice", "golang-migrate",
        { { "1_a.up.sql", "" }, { "001_b.up.sql", "" } },
        "DIR/1_a.up.sql: version 1 is also that of 001_b.up.sql; give one of them another "
        "version" },
    { "two rollbacks", "golang-migrate",
        { { "1_a.down.sql", "" }, { "01_b.down.sql", "" }, { "1_a.up.sql", "" } },
        "DIR/1_a.down.sql: version 1 is also that of 01_b.down.sql; give one of them "
        "another version" },
    { "near miss", "golang-migrate", { { "1-a.up.sql", "" } },
        "DIR/1-a.up.sql: not a name of format golang-migrate, a runner would skip it or "
        "sort it wrongly; rename it to 1_a_up.up.sql" },
    { "no journal", "drizzle", { { "0000_a.sql", "" } },
        "DIR/meta/_journal.json: No such file or directory" },
    { "broken journal", "drizzle",
        { { "meta/_journal.json", "{\"entries\":[\n{\"idx\":0}]}" } },
        "DIR/meta/_journal.json:2: an entry without \"tag\" (a file's name) and \"when\" "
        "(a time); let drizzle-kit write this file" },
    { "journal that leads away", "drizzle",
        { { "meta/_journal.json",
            "{\"entries\":[{\"when\":1,\"tag\":\"../../etc/x\"}]}" } },
        "DIR/meta/_journal.json:1: an entry without \"tag\" (a file's name) and \"when\" "
        "(a time); let drizzle-kit write this file" },
    { "no plan", "sqitch", { { "deploy/a.sql", "" } },
        "DIR/sqitch.plan: No such file or directory" },
    { "plan that leads away", "sqitch",
        { { "sqitch.plan", "%project=x\n../../x 2024 A <a> # n\n" } },
        "DIR/sqitch.plan:2: not the name of a change" },
    { "a tag that leads away", "sqitch",
        { { "sqitch.plan", "%project=x\na 2024 A <a> # n\n@../v1 2024 A <a> # n\n" } },
        "DIR/sqitch.plan:3: not the name of a tag" },
    { "a change twice, and no tag", "sqitch",
        { { "sqitch.plan",
            "%project=x\n" PLANNED("a") PLANNED("b") PLANNED("a") "@v1" WHEN } },
        "DIR/sqitch.plan:4: change a stands in line 2 already, with no tag between them; add "
        "the tag there" },
    { "a change reworked, without its script", "sqitch",
        { { "sqitch.plan",
              "%project=x\n" PLANNED("a") "@v1" WHEN "@v2" WHEN PLANNED("a") },
            { "deploy/a.sql", "" } },
        "DIR/sqitch.plan:2: change a is reworked in line 5, so its script is "
        "deploy/a@v1.sql, which is not there; let `sqitch rework` make it" },
    { "a change reworked, and one without a date", "sqitch",
        { { "sqitch.plan",
              "%project=x\n" PLANNED("a") "@v1" WHEN "b A <a@b> # n\n" PLANNED("a") },
            { "deploy/a.sql", "" }, { "deploy/a@v1.sql", "" } },
        "DIR/sqitch.plan:4: change b lacks its date or planner, or they can't be read; since "
        "a change is reworked here, all of them matter: let sqitch write this file" },
    { "a change reworked, and no project", "sqitch",
        { { "sqitch.plan", PLANNED("a") "@v1" WHEN PLANNED("a") },
            { "deploy/a.sql", "" }, { "deploy/a@v1.sql", "" } },
        "DIR/sqitch.plan:1: no line %project=NAME, or one that is too long; let sqitch write "
        "this file" },
    { "plan without the file", "sqitch", { { "sqitch.plan", "a 2024 A <a> # n\n" } },
        "DIR/deploy/a.sql: No such file or directory" },
    { "changeset without an id", "liquibase",
        { { "a.sql", "--liquibase formatted sql\n\n--changeset anna\nSELECT 1;" } },
        "DIR/a.sql:3: a changeset is written `--changeset author:id`" },
    { "changeset in XML", "liquibase",
        { { "a.xml",
            "<?xml version=\"1.0\"?>\n<!-- <changeSet> -->\n<databaseChangeLog x='<changeSet "
            "'>\n<![CDATA[\n<changeSet]]>\n  <changeSetX/> <changeSet id=\"1\">" } },
        "DIR/a.xml:6" NO_SQL },
    { "changeset in XML with a prefix", "liquibase",
        { { "sub/a.XML", "<db:databaseChangeLog>\n<db:changeSet id='1'/>" } },
        "DIR/sub/a.XML:2" NO_SQL },
    { "changeset in YAML", "liquibase",
        { { "a.yaml",
            "databaseChangeLog:\n  # - changeSet:\n  - include:\n      file: changeSet.sql\n"
            "  - changeSet:\n      id: 1\n" } },
        "DIR/a.yaml:5" NO_SQL },
    { "changeset in YAML with quotes", "liquibase",
        { { "a.yml", "\"databaseChangeLog\":\n- 'changeSet': {id: 1}\n" } },
        "DIR/a.yml:2" NO_SQL },
    { "changeset in JSON", "liquibase",
        { { "a.json",
            "{ \"databaseChangeLog\" : [\n{\"include\": {\"file\": \"\\\"changeSet\\\":\"}},\n"
            "{\"changeSet\"\n: {\"id\": \"1\"}}]}" } },
        "DIR/a.json:3" NO_SQL },
    { "broken UTF-8", "prisma", { { "1_a/migration.sql", "SELECT 1;\n-- \xff\n" } },
        "DIR/1_a/migration.sql:2: byte 0xff is not valid UTF-8; save the file as UTF-8" },
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
    hist_env_free(&e);
}
END_TEST

/* --- rows ------------------------------------------------------------------------------- */

static const struct hist_file ups[] = { { "1_a.up.sql", "CREATE TABLE a (x int);" },
    { "1_a.down.sql", "DROP TABLE a;" }, { "2_b.up.sql", "CREATE TABLE b (x int);" },
    { "2_b.down.sql", "DROP TABLE b;" }, { "3_c.up.sql", "CREATE TABLE c (x int);" },
    { "3_c.down.sql", "DROP TABLE c;" }, { NULL, NULL } };
static const struct hist_file goose_files[] = {
    { "1_a.sql",
        "-- +goose Up\nCREATE TABLE a (x int);\n-- +goose Down\nDROP TABLE a;" },
    { "2_b.sql",
        "-- +goose Up\nCREATE TABLE b (x int);\n-- +goose Down\nDROP TABLE b;" },
    { "3_c.sql",
        "-- +goose Up\nCREATE TABLE c (x int);\n-- +goose Down\nDROP TABLE c;" },
    { NULL, NULL }
};
static const struct hist_file tern_files[] = {
    { "1_a.sql",
        "CREATE TABLE a (x int);\n---- create above / drop below ----\nDROP TABLE a;" },
    { "2_b.sql",
        "CREATE TABLE b (x int);\n---- create above / drop below ----\nDROP TABLE b;" },
    { "3_c.sql",
        "CREATE TABLE c (x int);\n---- create above / drop below ----\nDROP TABLE c;" },
    { NULL, NULL }
};
static const struct hist_file prisma_files[] = { { "1_a/migration.sql",
                                                     "CREATE TABLE a (x int);" },
    { "2_b/migration.sql", "CREATE TABLE b (x int);" }, { "3_c/migration.sql", F },
    { NULL, NULL } };
static const struct hist_file plain_files[] = { { "1_a.sql",
                                                    "CREATE TABLE a (x int);" },
    { "2_b.sql", "CREATE TABLE b (x int);" }, { "3_c.sql", F }, { NULL, NULL } };
static const struct hist_file liquibase_files[] = {
    { "db/a.sql",
        "--liquibase formatted sql\n--changeset x:1\nCREATE TABLE a (x int);\n--rollback "
        "DROP TABLE a;\n--changeset x:2\nCREATE TABLE b (x int);\n--changeset x:3\n" F },
    { NULL, NULL }
};

#define SUM_A "71537fb00a5ef29d9d1aebcf4cc8e59a9b3dc0fa8d2ad6f1f37fc9adb0b0f0c6"

static const struct {
    const char *name, *format;
    const struct hist_file *files;
    const char *cells[40];
    const char *states; /* p a r e o f */
    const char *missing;
} rows[] = {
    { "golang-migrate: up to here", "golang-migrate", ups, { "2", "f", HIST_END },
        "aap", "" },
    { "golang-migrate: under way", "golang-migrate", ups, { "2", "t", HIST_END }, "arp",
        "" },
    { "golang-migrate: without a file", "golang-migrate", ups, { "7", "f", HIST_END },
        "aaa", "7" },
    { "golang-migrate: nothing", "golang-migrate", ups, { "-1", "f", HIST_END }, "ppp",
        "" },
    { "goose: newest row counts", "goose", goose_files,
        { "1", "0", "t", NULL, "2", "1", "t", NULL, "3", "2", "t", NULL, "4", "2", "f",
            NULL, HIST_END },
        "app", "" },
    { "goose: gap", "goose", goose_files, { "1", "2", "t", NULL, HIST_END }, "oap",
        "" },
    { "tern", "tern", tern_files, { "2", HIST_END }, "aap", "" },
    { "tern: nothing", "tern", tern_files, { "0", HIST_END }, "ppp", "" },
    { "Prisma: done, rolled back, under way", "prisma", prisma_files,
        { "u1", NULL, "2024", "1_a", NULL, NULL, NULL, NULL, /**/ "u2", NULL, NULL,
            "2_b", "error", "2024", NULL, NULL, /**/ "u3", F_SHA256, NULL, "3_c", NULL,
            NULL, NULL, NULL, HIST_END },
        "aor", "" },
    { "Prisma: failed", "prisma", prisma_files,
        { "u1", NULL, NULL, "1_a", "it broke", NULL, NULL, NULL, HIST_END }, "fpp",
        "" },
    { "Prisma: edited, and one without a folder", "prisma", prisma_files,
        { "u1", F_SHA256, "2024", "3_c", NULL, NULL, NULL, NULL, /**/ "u2", "00",
            "2024", "1_a", NULL, NULL, NULL, NULL, /**/ "u3", "00", "2024", "0_x", NULL,
            NULL, NULL, NULL, HIST_END },
        "eoa", "0_x" },
    { "sqlx: bytes", "sqlx", plain_files,
        { "3", "c", NULL, "t", "\\x" F_SHA384, NULL, /**/ "2", "b", NULL, "t", "\\x00",
            NULL, /**/ "1", "a", NULL, "f", "\\x00", NULL, HIST_END },
        "fea", "" },
    { "Atlas: part of it", "atlas", plain_files,
        { "1", "a", NULL, "0", "1", NULL, NULL, "", NULL, "x", NULL, NULL, HIST_END },
        "rpp", "" },
    { "Atlas goes on after an error", "atlas", plain_files,
        { "1", "a", NULL, "0", "1", NULL, NULL, "broke", "y", "x", NULL, NULL,
            HIST_END },
        "rpp", "" },
    { "Supabase", "supabase", plain_files,
        { "1", NULL, "a", NULL, NULL, NULL, "2", NULL, "other", NULL, NULL, NULL,
            HIST_END },
        "aep", "" },
    { "names of files", "node-pg-migrate", plain_files,
        { "1", "1_a", NULL, "2", "2_b", NULL, "3", "9_gone", NULL, HIST_END }, "aap",
        "9_gone" },
    { "Liquibase: file named from further up", "liquibase", liquibase_files,
        { "1", "x", "src/main/db/a.sql", NULL, "1", "EXECUTED", NULL, NULL, NULL, NULL,
            NULL, NULL, NULL, NULL, /**/ "2", "x", "classpath:db/a.sql", NULL, "2",
            "EXECUTED", "9:00", NULL, NULL, NULL, NULL, NULL, NULL, NULL, HIST_END },
        "aep", "" },
    { "Liquibase: file of another name", "liquibase", liquibase_files,
        { "1", "x", "db/b.sql", NULL, "1", "EXECUTED", NULL, NULL, NULL, NULL, NULL,
            NULL, NULL, NULL, HIST_END },
        "ppp", "1::x::db/b.sql" },
};

static size_t
n_columns(const char *format)
{
    static const struct {
        const char *format;
        size_t n;
    } all[] = { { "golang-migrate", 2 }, { "goose", 4 }, { "tern", 1 }, { "prisma", 8 },
        { "sqlx", 6 }, { "atlas", 12 }, { "supabase", 6 }, { "node-pg-migrate", 3 },
        { "liquibase", 14 }, { "dbmate", 1 }, { "postgrator", 4 }, { "drizzle", 3 } };

    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++) {
        if (strcmp(all[i].format, format) == 0)
            return all[i].n;
    }
    ck_abort_msg("columns of %s", format);
    return 0;
}

static char
letter(enum dg_migration_state state)
{
    static const char letters[] = "prae0mf";

    return state == DG_MIG_OUT_OF_ORDER ? 'o' : letters[state];
}

START_TEST(rows_make_states)
{
    struct hist_env e;
    char got[16] = "", missing[64] = "";

    hist_env_files(&e, rows[_i].format, rows[_i].files);
    hist_env_load(&e);
    hist_env_read(&e, rows[_i].cells, n_columns(rows[_i].format));
    for (size_t i = 0; i < e.set->n; i++)
        got[i] = letter(hist_view_state(e.view, i));
    CASE_STR(&rows[_i], got, rows[_i].states);
    for (size_t i = 0; i < hist_view_n_missing(e.view); i++) {
        const char *version, *name;
        hist_view_missing(e.view, i, &version, &name);
        size_t n = strlen(missing);
        snprintf(missing + n, sizeof(missing) - n, "%s%s", i ? "," : "", version);
    }
    CASE_STR(&rows[_i], missing, rows[_i].missing);
    hist_env_free(&e);
}
END_TEST

/* --- the tools' own statements ---------------------------------------------------------- */

static const struct {
    const char *name, *format, *sql;
    bool is_own;
} own[] = {
    { "golang-migrate", "golang-migrate",
        "CREATE TABLE IF NOT EXISTS \"public\".\"schema_migrations\" (version bigint not "
        "null primary key, dirty boolean not null)",
        true },
    { "goose", "goose",
        "CREATE TABLE goose_db_version (id integer PRIMARY KEY GENERATED BY DEFAULT AS "
        "IDENTITY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp "
        "NOT NULL DEFAULT now())",
        true },
    { "goose with serial", "goose",
        "CREATE TABLE goose_db_version (id serial NOT NULL, version_id bigint NOT NULL, "
        "is_applied boolean NOT NULL, tstamp timestamp NULL default now(), PRIMARY KEY(id))",
        true },
    { "dbmate", "dbmate",
        "create table if not exists \"public\".\"schema_migrations\" (version varchar(128) "
        "primary key)",
        true },
    { "sqlx", "sqlx",
        "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, "
        "description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success "
        "BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)",
        true },
    { "Prisma", "prisma",
        "CREATE TABLE \"_prisma_migrations\" (\"id\" VARCHAR(36) PRIMARY KEY NOT NULL, "
        "\"checksum\" VARCHAR(64) NOT NULL, \"finished_at\" TIMESTAMPTZ, \"migration_name\" "
        "VARCHAR(255) NOT NULL, \"logs\" TEXT, \"rolled_back_at\" TIMESTAMPTZ, "
        "\"started_at\" TIMESTAMPTZ NOT NULL DEFAULT now(), \"applied_steps_count\" INTEGER "
        "NOT NULL DEFAULT 0)",
        true },
    { "Prisma with code in it", "prisma",
        "CREATE TABLE \"_prisma_migrations\" (\"id\" VARCHAR(36) PRIMARY KEY NOT NULL, "
        "\"checksum\" VARCHAR(64) NOT NULL, \"finished_at\" TIMESTAMPTZ, \"migration_name\" "
        "VARCHAR(255) NOT NULL, \"logs\" TEXT, \"rolled_back_at\" TIMESTAMPTZ, "
        "\"started_at\" TIMESTAMPTZ NOT NULL DEFAULT now(), \"applied_steps_count\" INTEGER "
        "NOT NULL DEFAULT evil())",
        false },
    { "postgrator's first step", "postgrator",
        "CREATE TABLE IF NOT EXISTS schemaversion (version BIGINT PRIMARY KEY)", true },
    { "postgrator's next", "postgrator",
        "ALTER TABLE schemaversion ADD COLUMN md5 TEXT", true },
    { "a column of nobody's", "postgrator",
        "ALTER TABLE schemaversion ADD COLUMN x TEXT", false },
    { "a column's type", "postgrator",
        "ALTER TABLE schemaversion ALTER COLUMN version TYPE text", false },
    { "Supabase's schema", "supabase",
        "CREATE SCHEMA IF NOT EXISTS supabase_migrations", true },
    { "Supabase's table", "supabase",
        "CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text NOT "
        "NULL PRIMARY KEY)",
        true },
    { "Supabase's column", "supabase",
        "ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS "
        "statements text[]",
        true },
    { "Drizzle's table", "drizzle",
        "CREATE TABLE IF NOT EXISTS \"drizzle\".\"__drizzle_migrations\" (id SERIAL PRIMARY "
        "KEY, hash text NOT NULL, created_at bigint)",
        true },
    { "Drizzle's table elsewhere", "drizzle",
        "CREATE TABLE IF NOT EXISTS \"x\".\"__drizzle_migrations\" (id SERIAL PRIMARY KEY, "
        "hash text NOT NULL, created_at bigint)",
        false },
    { "yoyo's probe", "yoyo", "CREATE TABLE yoyo_tmp_abcdefgh (id int)", true },
    { "yoyo's probe goes", "yoyo", "DROP TABLE yoyo_tmp_abcdefgh", true },
    { "yoyo's lock", "yoyo",
        "CREATE TABLE IF NOT EXISTS yoyo_lock (locked INT DEFAULT 1, ctime TIMESTAMP, pid INT "
        "NOT NULL, PRIMARY KEY (locked))",
        true },
    { "yoyo's history goes", "yoyo", "DROP TABLE _yoyo_migration", false },
    { "a table of nobody's", "yoyo", "CREATE TABLE yoyo_evil (id int)", false },
    { "Liquibase's lock", "liquibase",
        "CREATE TABLE public.databasechangeloglock (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT "
        "NULL, LOCKGRANTED TIMESTAMP WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT "
        "databasechangeloglock_pkey PRIMARY KEY (ID))",
        true },
    { "Sqitch: a check without a call", "sqitch",
        "CREATE TABLE sqitch.dependencies (change_id TEXT NOT NULL REFERENCES "
        "sqitch.changes(change_id) ON UPDATE CASCADE ON DELETE CASCADE, type TEXT NOT NULL, "
        "dependency TEXT NOT NULL, dependency_id TEXT NULL REFERENCES "
        "sqitch.changes(change_id) ON UPDATE CASCADE CONSTRAINT dependencies_check CHECK "
        "((type = 'require' AND dependency_id IS NOT NULL) OR (type = 'conflict' AND "
        "dependency_id IS NULL)), PRIMARY KEY (change_id, dependency))",
        true },
    { "Sqitch: a check with a call", "sqitch",
        "CREATE TABLE sqitch.projects (project TEXT PRIMARY KEY CHECK (evil(project)))",
        false },
    { "Sqitch: words about it", "sqitch",
        "COMMENT ON COLUMN sqitch.changes.note IS 'a note'", true },
    { "words about another", "sqitch", "COMMENT ON TABLE public.orders IS 'x'", false },
    { "Flyway's words about public", "flyway", "COMMENT ON SCHEMA public IS 'x'",
        false },
};

START_TEST(own_statement_is_told)
{
    struct hist_env e;
    static const struct hist_file sqitch[] = { { "sqitch.plan", "%project=x\n" },
        { NULL, NULL } };
    static const struct hist_file drizzle[] = {
        { "meta/_journal.json", "{\"entries\":[]}" }, { NULL, NULL }
    };

    hist_env_files(&e, own[_i].format,
        strcmp(own[_i].format, "sqitch") == 0        ? sqitch
            : strcmp(own[_i].format, "drizzle") == 0 ? drizzle
                                                     : NULL);
    hist_env_load(&e);
    hist_env_read(&e, NULL, 0);
    struct hist_match m = hist_env_match(&e, own[_i].sql);
    CASE_INT(&own[_i], m.kind, own[_i].is_own ? HIST_MATCH_OWN : HIST_MATCH_NONE);
    hist_env_free(&e);
}
END_TEST

static const struct {
    const char *name, *sql;
    bool is_own;
} setup[] = {
    { "the table of old",
        "CREATE TABLE \"_yoyo_migration\" (id VARCHAR(191) NOT NULL PRIMARY KEY,ctime "
        "TIMESTAMP)",
        true },
    { "goes", "DROP TABLE \"_yoyo_migration\"", true },
    { "filled from the log",
        "\n  INSERT INTO \"_yoyo_migration\"\n  SELECT \"migration_hash\", "
        "\"migration_id\", \"created_at_utc\"\n  FROM \"_yoyo_log\"\n",
        true },
    { "as yoyo 8 does",
        "INSERT INTO \"_yoyo_migration\" SELECT migration_hash, migration_id, "
        "created_at_utc FROM \"_yoyo_log\"",
        true },
    { "another table of old", "CREATE TABLE \"_yoyo_migration\" (id TEXT)", false },
    { "goes with what hangs on it", "DROP TABLE \"_yoyo_migration\" CASCADE", false },
    { "goes with another", "DROP TABLE \"_yoyo_migration\", users", false },
    { "filled from elsewhere",
        "INSERT INTO \"_yoyo_migration\" SELECT migration_hash, migration_id, "
        "created_at_utc FROM \"_yoyo_log2\"",
        false },
};

START_TEST(setup_passes_only_without_a_history)
{
    struct hist_env e;

    hist_env_files(&e, "yoyo", NULL);
    hist_env_load(&e);
    hist_env_read(&e, NULL, 0);
    bool is_own = hist_env_match(&e, setup[_i].sql).kind == HIST_MATCH_OWN;
    CASE_INT(&setup[_i], is_own, setup[_i].is_own);
    hist_env_read(&e, (const char *const[]){ HIST_END }, 3); /* a table without rows */
    CASE_INT(&setup[_i], hist_env_match(&e, setup[_i].sql).kind, HIST_MATCH_NONE);
    hist_env_free(&e);
}
END_TEST

START_TEST(setup_speaks_of_the_configured_table)
{
    struct hist_env e;

    hist_env_files(&e, "yoyo", NULL);
    e.conf.history_table = "My moves";
    hist_env_load(&e);
    hist_env_read(&e, NULL, 0);
    ck_assert_int_eq(
        hist_env_match(&e, "DROP TABLE \"My moves\"").kind, HIST_MATCH_OWN);
    ck_assert_int_eq(
        hist_env_match(&e, "DROP TABLE \"_yoyo_migration\"").kind, HIST_MATCH_NONE);
    hist_env_free(&e);
}
END_TEST

/* --- a table of another tool's ---------------------------------------------------------- */

START_TEST(layout_is_told_by_its_columns)
{
    static const struct {
        const char *columns, *hint;
    } all[] = {
        { "version,dirty", "golang-migrate" },
        { "version,inserted_at", "ecto" },
        { "id,migration,batch", "laravel" },
        { "id,timestamp,name", "typeorm" },
        { "version,description,installed_on,success,checksum,execution_time", "sqlx" },
        { "something,else", NULL },
    };
    struct hist_env e;

    hist_env_files(&e, "goose", NULL);
    hist_env_load(&e);
    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++) {
        char kind[] = "r";
        char *cells[] = { kind, (char *)(uintptr_t)all[i].columns };
        struct dg_rows table = { .n_rows = 1, .n_cols = 2, .cells = cells };
        AUTO(buf_deinit) struct buf sql = BUF_INIT(4096);
        struct err err = { "" };
        char want[512];
        ck_assert_int_lt(hist_query_rows(e.set, &table, &sql, &err), 0);
        snprintf(want, sizeof(want),
            "public.goose_db_version has no column %s, so it is not a history table of "
            "format goose%s%s; check history_table and format of [migrations shop]",
            i == 3       ? "version_id"
                : i == 2 ? "version_id"
                         : "id",
            all[i].hint ? ", its columns are those of format " : "",
            all[i].hint ? all[i].hint : "");
        ck_assert_str_eq(err.text, want);
    }
    hist_env_free(&e);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_tools");
    TCase *tc = tcase_create("tools");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, files_have_versions_and_checksums, 0, DG_ARRAY_SIZE(files));
    tcase_add_test(tc, reworked_changes_have_their_ids_and_files);
    tcase_add_test(tc, reworked_changes_are_told_apart_by_their_ids);
    tcase_add_loop_test(tc, file_is_cut_by_its_markers, 0, DG_ARRAY_SIZE(sections));
    tcase_add_loop_test(tc, folder_is_refused_with_a_reason, 0, DG_ARRAY_SIZE(errors));
    tcase_add_loop_test(tc, rows_make_states, 0, DG_ARRAY_SIZE(rows));
    tcase_add_loop_test(tc, own_statement_is_told, 0, DG_ARRAY_SIZE(own));
    tcase_add_loop_test(
        tc, setup_passes_only_without_a_history, 0, DG_ARRAY_SIZE(setup));
    tcase_add_test(tc, setup_speaks_of_the_configured_table);
    tcase_add_test(tc, layout_is_told_by_its_columns);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
