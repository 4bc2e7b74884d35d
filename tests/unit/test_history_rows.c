// SPDX-License-Identifier: ISC
/* History rows as the tools write them, up and down, and the same by somebody who wants to
 * look like the tool. */
#include "lib/hist.h"

#define OK     HIST_WRITE_OK
#define SEEN   HIST_WRITE_NOT_SEEN_RUN
#define EARLY  HIST_WRITE_TOO_EARLY
#define FORGED HIST_WRITE_FORGED
#define BINDS  HIST_WRITE_NEEDS_BINDS

#define UP_A   "CREATE TABLE a (x int)"
#define UP_B   "CREATE TABLE b (x int)"
#define DOWN_A "DROP TABLE a"
#define DOWN_B "DROP TABLE b"

static const struct {
    const char *format;
    struct hist_file files[5];
} folders[] = {
    { "golang-migrate",
        { { "1_a.up.sql", UP_A }, { "1_a.down.sql", DOWN_A }, { "2_b.up.sql", UP_B },
            { "2_b.down.sql", DOWN_B } } },
    { "goose",
        { { "1_a.sql", "-- +goose Up\n" UP_A ";\n-- +goose Down\n" DOWN_A ";" },
            { "2_b.sql", "-- +goose Up\n" UP_B ";\n-- +goose Down\n" DOWN_B ";" } } },
    { "tern",
        { { "1_a.sql", UP_A ";\n---- create above / drop below ----\n" DOWN_A ";" },
            { "2_b.sql",
                UP_B ";\n---- create above / drop below ----\n" DOWN_B ";" } } },
    { "dbmate",
        { { "1_a.sql", "-- migrate:up\n" UP_A ";\n-- migrate:down\n" DOWN_A ";" },
            { "2_b.sql", "-- migrate:up\n" UP_B ";\n-- migrate:down\n" DOWN_B ";" },
            { "3_c.sql",
                "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY c ON a (x);\n"
                "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY c;" } } },
    { "sqlx",
        { { "1_a.up.sql", UP_A }, { "1_a.down.sql", DOWN_A }, { "2_b.up.sql", UP_B },
            { "2_b.down.sql", DOWN_B } } },
    { "prisma", { { "1_a/migration.sql", UP_A }, { "2_b/migration.sql", UP_B } } },
    { "atlas", { { "1_a.sql", UP_A }, { "2_b.sql", UP_B } } },
    { "refinery", { { "V1__a.sql", UP_A }, { "V2__b.sql", UP_B } } },
    { "postgrator",
        { { "1.do.a.sql", UP_A }, { "1.undo.a.sql", DOWN_A },
            { "2.do.b.sql", UP_B } } },
    { "node-pg-migrate",
        { { "1_a.sql", "-- Up Migration\n" UP_A ";\n-- Down Migration\n" DOWN_A ";" },
            { "2_b.sql", UP_B } } },
    { "liquibase",
        { { "a.sql",
            "--liquibase formatted sql\n--changeset x:1\n" UP_A ";\n--rollback " DOWN_A
            ";\n--changeset x:2\n" UP_B ";\n" } } },
    { "yoyo", { { "a.sql", UP_A }, { "a.rollback.sql", DOWN_A } } },
    { "graphile-migrate", { { "committed/000001.sql", UP_A } } },
    { "numbered-sql",
        { { "1_a.sql", UP_A }, { "2_b.sql", UP_B },
            { "1_a.down.sql",
                DOWN_A ";\nDELETE FROM schema_migrations WHERE version = '1';" },
            { "2_b.down.sql", DOWN_B ";\nDROP TABLE bb;" } } },
};

#define MAX_CELLS 26

/* %S stands for the checksum of migration 2 (1 for %T), as the gate computed it. */
static const struct {
    const char *name, *format;
    const char *cells[MAX_CELLS]; /* of the history table */
    size_t n_cols;
    const char *ran[3];
    const char *sql;
    enum hist_write_verdict verdict;
} writes[] = {
    /* golang-migrate */
    { "about to run", "golang-migrate", { "1", "f", HIST_END }, 2, { NULL },
        "INSERT INTO \"public\".\"schema_migrations\" (version, dirty) VALUES (2, true)",
        OK },
    { "has run", "golang-migrate", { "2", "t", HIST_END }, 2, { NULL },
        "INSERT INTO schema_migrations (version, dirty) VALUES (2, false)", SEEN },
    { "has run, and never said that it would", "golang-migrate", { "1", "f", HIST_END },
        2, { NULL }, "INSERT INTO schema_migrations (version, dirty) VALUES (2, false)",
        FORGED },
    { "about to run the one after the next", "golang-migrate", { HIST_END }, 2,
        { NULL }, "INSERT INTO schema_migrations (version, dirty) VALUES (2, true)",
        FORGED },
    { "the only row goes first", "golang-migrate", { "1", "f", HIST_END }, 2, { NULL },
        "TRUNCATE \"public\".\"schema_migrations\"", SEEN },
    { "about to go down", "golang-migrate", { "2", "f", HIST_END }, 2, { NULL },
        "INSERT INTO schema_migrations (version, dirty) VALUES (1, true)", OK },
    { "about to go down to nothing", "golang-migrate", { "1", "f", HIST_END }, 2,
        { NULL }, "INSERT INTO schema_migrations (version, dirty) VALUES (-1, true)",
        OK },
    { "has gone down, and never said that it would", "golang-migrate",
        { "2", "f", HIST_END }, 2, { NULL },
        "INSERT INTO schema_migrations (version, dirty) VALUES (1, false)", FORGED },
    { "nobody's version", "golang-migrate", { "2", "t", HIST_END }, 2, { NULL },
        "INSERT INTO schema_migrations (version, dirty) VALUES (3, true)", FORGED },
    { "an update", "golang-migrate", { "1", "t", HIST_END }, 2, { NULL },
        "UPDATE schema_migrations SET dirty = false", FORGED },
    { "rows from a file", "golang-migrate", { HIST_END }, 2, { NULL },
        "COPY schema_migrations FROM STDIN", BINDS },
    /* goose */
    { "the first row of all", "goose", { HIST_END }, 4, { NULL },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true)", OK },
    { "after its changes", "goose", { "1", "1", "t", NULL, HIST_END }, 4, { UP_B },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)", OK },
    { "before them", "goose", { "1", "1", "t", NULL, HIST_END }, 4, { NULL },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)",
        EARLY },
    { "before Bind", "goose", { HIST_END }, 4, { NULL },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)",
        BINDS },
    { "taken back after the rollback", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { DOWN_A }, "DELETE FROM goose_db_version WHERE version_id=1", OK },
    { "taken back before it", "goose", { "1", "1", "t", NULL, HIST_END }, 4, { NULL },
        "DELETE FROM goose_db_version WHERE version_id=1", EARLY },
    { "taken back with more than one", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { DOWN_A }, "DELETE FROM goose_db_version WHERE version_id=1 OR true", FORGED },
    { "taken back before Bind", "goose", { "1", "1", "t", NULL, HIST_END }, 4, { NULL },
        "DELETE FROM goose_db_version WHERE version_id=$1", BINDS },
    { "taken back in a list", "goose", { "1", "1", "t", NULL, HIST_END }, 4, { DOWN_A },
        "DELETE FROM goose_db_version WHERE version_id IN (1, 1, 17)", OK },
    { "taken back in a list before it", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { NULL }, "DELETE FROM goose_db_version WHERE version_id IN (17, 1)", EARLY },
    { "taken back with a row that no file has", "goose",
        { "1", "1", "t", NULL, "2", "9", "t", NULL, HIST_END }, 4, { DOWN_A },
        "DELETE FROM goose_db_version WHERE version_id IN (1, '09')", FORGED },
    { "taken back in a list of nothing", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { DOWN_A }, "DELETE FROM goose_db_version WHERE version_id IN (17)", FORGED },
    { "taken back by another column", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { DOWN_A }, "DELETE FROM goose_db_version WHERE id IN (1)", FORGED },
    { "taken back in a list before Bind", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { DOWN_A }, "DELETE FROM goose_db_version WHERE version_id IN ($1, $2)",
        BINDS },
    { "a row that takes back after the rollback", "goose",
        { "1", "1", "t", NULL, HIST_END }, 4, { DOWN_A },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, false)", OK },
    { "a row that takes back before it", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { NULL },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, false)",
        EARLY },
    { "a row that takes back what is not there", "goose",
        { "1", "1", "t", NULL, HIST_END }, 4, { NULL },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, false)",
        FORGED },
    { "a row that takes back below a newer one", "goose",
        { "1", "1", "t", NULL, "2", "2", "t", NULL, HIST_END }, 4, { NULL },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, false)",
        FORGED },
    { "a row that may take back", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { NULL },
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, random() > 2)",
        FORGED },
    /* tern */
    { "one up", "tern", { "1", HIST_END }, 1, { UP_B },
        "update schema_version set version=2", OK },
    { "one up too early", "tern", { "1", HIST_END }, 1, { NULL },
        "update schema_version set version=2", EARLY },
    { "two up, one of them run", "tern", { "0", HIST_END }, 1, { UP_B },
        "update schema_version set version=2", EARLY },
    { "one down", "tern", { "2", HIST_END }, 1, { DOWN_B },
        "update schema_version set version=1", OK },
    { "one down too early", "tern", { "2", HIST_END }, 1, { NULL },
        "update schema_version set version=1", EARLY },
    { "its first row", "tern", { HIST_END }, 1, { NULL },
        "insert into schema_version(version) select 0 where 0=(select count(*) from "
        "schema_version)",
        OK },
    /* dbmate */
    { "without a transaction", "dbmate", { "1", "2", HIST_END }, 1, { NULL },
        "insert into schema_migrations (version) values ('3')", SEEN },
    { "rollback without a transaction", "dbmate", { "1", "2", "3", HIST_END }, 1,
        { NULL }, "delete from schema_migrations where version = '3'", SEEN },
    { "rollback in one", "dbmate", { "1", "2", HIST_END }, 1, { DOWN_B },
        "delete from schema_migrations where version = '2'", OK },
    { "rollback of what isn't there", "dbmate", { "1", HIST_END }, 1, { NULL },
        "delete from schema_migrations where version = '9'", FORGED },
    /* sqlx */
    { "with its checksum", "sqlx", { "1", "a", NULL, "t", NULL, NULL, HIST_END }, 6,
        { UP_B },
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, "
        "execution_time) VALUES (2, 'b', TRUE, '\\x%S', -1)",
        OK },
    { "with another", "sqlx", { "1", "a", NULL, "t", NULL, NULL, HIST_END }, 6,
        { UP_B },
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, "
        "execution_time) VALUES (2, 'b', TRUE, '\\x00', -1)",
        FORGED },
    { "with none", "sqlx", { HIST_END }, 6, { UP_A },
        "INSERT INTO _sqlx_migrations (version, description, success) VALUES (1, 'a', "
        "TRUE)",
        FORGED },
    { "the time it took", "sqlx", { "1", "a", NULL, "t", NULL, NULL, HIST_END }, 6,
        { NULL }, "UPDATE _sqlx_migrations SET execution_time = 12 WHERE version = 1",
        OK },
    { "another checksum later", "sqlx", { "1", "a", NULL, "t", NULL, NULL, HIST_END },
        6, { NULL }, "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1",
        FORGED },
    { "its own checksum later", "sqlx", { "1", "a", NULL, "t", NULL, NULL, HIST_END },
        6, { NULL }, "UPDATE _sqlx_migrations SET checksum = '\\x%T' WHERE version = 1",
        OK },
    { "all rows later", "sqlx", { "1", "a", NULL, "t", NULL, NULL, HIST_END }, 6,
        { NULL }, "UPDATE _sqlx_migrations SET execution_time = 12", FORGED },
    /* Prisma */
    { "row before the file runs", "prisma", { HIST_END }, 8, { NULL },
        "INSERT INTO \"_prisma_migrations\" (\"id\",\"checksum\",\"started_at\","
        "\"migration_name\") VALUES ('u2','%S',now(),'2_b')",
        OK },
    { "row with a checksum of nobody's", "prisma", { HIST_END }, 8, { NULL },
        "INSERT INTO \"_prisma_migrations\" (\"id\",\"checksum\",\"migration_name\") VALUES "
        "('u2','00','2_b')",
        FORGED },
    { "row that says it has run", "prisma", { HIST_END }, 8, { NULL },
        "INSERT INTO \"_prisma_migrations\" (\"id\",\"checksum\",\"finished_at\","
        "\"migration_name\") VALUES ('u2','%S',now(),'2_b')",
        SEEN },
    { "one step more", "prisma",
        { "u1", NULL, NULL, "1_a", NULL, NULL, NULL, NULL, HIST_END }, 8, { NULL },
        "UPDATE \"_prisma_migrations\" SET \"applied_steps_count\" = "
        "\"applied_steps_count\" + 1 WHERE \"id\" = 'u1'",
        OK },
    { "end", "prisma", { "u1", NULL, NULL, "1_a", NULL, NULL, NULL, NULL, HIST_END }, 8,
        { NULL },
        "UPDATE \"_prisma_migrations\" SET \"finished_at\" = now() WHERE \"id\" = "
        "'u1'",
        SEEN },
    { "end of nobody's", "prisma", { HIST_END }, 8, { NULL },
        "UPDATE \"_prisma_migrations\" SET \"finished_at\" = now() WHERE \"id\" = 'u9'",
        FORGED },
    { "rolled back after it failed", "prisma",
        { "u1", NULL, NULL, "1_a", "broke", NULL, NULL, NULL, HIST_END }, 8, { NULL },
        "UPDATE \"_prisma_migrations\" SET \"rolled_back_at\" = now() WHERE \"id\" = 'u1'",
        OK },
    { "rolled back though it stands", "prisma",
        { "u1", NULL, "2024", "1_a", NULL, NULL, NULL, NULL, HIST_END }, 8, { NULL },
        "UPDATE \"_prisma_migrations\" SET \"rolled_back_at\" = now() WHERE \"id\" = 'u1'",
        FORGED },
    { "deleted", "prisma",
        { "u1", NULL, "2024", "1_a", NULL, NULL, NULL, NULL, HIST_END }, 8, { NULL },
        "DELETE FROM \"_prisma_migrations\" WHERE \"id\" = 'u1'", FORGED },
    /* Atlas */
    { "upsert of its own values", "atlas", { HIST_END }, 12, { NULL },
        "INSERT INTO \"atlas_schema_revisions\".\"atlas_schema_revisions\" (\"version\", "
        "\"description\", \"applied\", \"total\", \"hash\") VALUES ('1', 'a', 0, 1, '%T') "
        "ON CONFLICT (\"version\") DO UPDATE SET \"version\" = \"excluded\".\"version\", "
        "\"hash\" = \"excluded\".\"hash\"",
        SEEN },
    { "upsert that leaves columns as they are", "atlas", { HIST_END }, 12, { NULL },
        "INSERT INTO \"atlas_schema_revisions\".\"atlas_schema_revisions\" (\"description\", "
        "\"applied\", \"total\", \"hash\", \"version\") VALUES ('a', 0, 1, '%T', '1') ON "
        "CONFLICT (\"version\") DO UPDATE SET \"description\" = "
        "\"atlas_schema_revisions\".\"description\", \"hash\" = \"excluded\".\"hash\"",
        SEEN },
    { "its name for Atlas Cloud", "atlas", { HIST_END }, 12, { NULL },
        "INSERT INTO atlas_schema_revisions.atlas_schema_revisions (description, hash, "
        "version) VALUES ('0b1a', '', '.atlas_cloud_identifier') ON CONFLICT (version) DO "
        "UPDATE SET version = atlas_schema_revisions.version",
        OK },
    { "upsert with another column's value", "atlas", { HIST_END }, 12, { NULL },
        "INSERT INTO atlas_schema_revisions.atlas_schema_revisions AS r (version, "
        "description, hash) VALUES ('1', 'a', '%T') ON CONFLICT (version) DO UPDATE SET hash "
        "= r.description",
        FORGED },
    { "upsert of others", "atlas", { HIST_END }, 12, { NULL },
        "INSERT INTO atlas_schema_revisions.atlas_schema_revisions (version, description, "
        "hash) VALUES ('1', 'a', '%T') ON CONFLICT (version) DO UPDATE SET version = '2'",
        FORGED },
    /* refinery */
    { "after, with its checksum", "refinery", { HIST_END }, 4, { NULL },
        "INSERT INTO refinery_schema_history (version,name,applied_on,checksum) VALUES (1, "
        "'a', '2024-01-01T00:00:00Z', '%T')",
        SEEN },
    { "after, with another", "refinery", { HIST_END }, 4, { NULL },
        "INSERT INTO refinery_schema_history (version,name,applied_on,checksum) VALUES (1, "
        "'a', '2024-01-01T00:00:00Z', '1')",
        FORGED },
    { "never deletes", "refinery", { "1", "a", NULL, NULL, HIST_END }, 4, { NULL },
        "DELETE FROM refinery_schema_history WHERE version = 1", FORGED },
    /* postgrator */
    { "its zeroth row", "postgrator", { HIST_END }, 4, { NULL },
        "INSERT INTO schemaversion (version) VALUES (0)", OK },
    { "row after the file", "postgrator", { HIST_END }, 4, { NULL },
        "INSERT INTO schemaversion (version, name, md5, run_at) VALUES (1, 'a', '%T', "
        "'2024-01-01')",
        SEEN },
    { "row taken back", "postgrator", { "1", "a", NULL, NULL, HIST_END }, 4, { NULL },
        "DELETE FROM schemaversion WHERE version = 1", SEEN },
    { "row of what has no way back", "postgrator",
        { "1", "a", NULL, NULL, "2", "b", NULL, NULL, HIST_END }, 4, { NULL },
        "DELETE FROM schemaversion WHERE version = 2", FORGED },
    /* names */
    { "the file's name", "node-pg-migrate", { HIST_END }, 3, { UP_A },
        "INSERT INTO \"public\".\"pgmigrations\" (name, run_on) VALUES ('1_a', NOW())",
        OK },
    { "another name", "node-pg-migrate", { HIST_END }, 3, { UP_A },
        "INSERT INTO \"public\".\"pgmigrations\" (name, run_on) VALUES ('1_b', NOW())",
        FORGED },
    { "deleted by name", "node-pg-migrate", { "1", "1_a", NULL, HIST_END }, 3,
        { DOWN_A }, "DELETE FROM \"public\".\"pgmigrations\" WHERE name='1_a'", OK },
    /* Liquibase */
    { "changeset", "liquibase", { HIST_END }, 14, { NULL },
        "INSERT INTO public.databasechangelog (ID, AUTHOR, FILENAME, DATEEXECUTED, "
        "ORDEREXECUTED, MD5SUM, EXECTYPE) VALUES ('1', 'x', 'db/a.sql', NOW(), 1, '%T', "
        "'EXECUTED')",
        SEEN },
    { "changeset of somebody else's", "liquibase", { HIST_END }, 14, { NULL },
        "INSERT INTO public.databasechangelog (ID, AUTHOR, FILENAME, ORDEREXECUTED, MD5SUM) "
        "VALUES ('1', 'y', 'a.sql', 1, '%T')",
        FORGED },
    { "changeset with another checksum", "liquibase", { HIST_END }, 14, { NULL },
        "INSERT INTO public.databasechangelog (ID, AUTHOR, FILENAME, ORDEREXECUTED, MD5SUM) "
        "VALUES ('1', 'x', 'a.sql', 1, '9:00')",
        FORGED },
    { "changeset taken back", "liquibase",
        { "1", "x", "a.sql", NULL, "1", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            NULL, HIST_END },
        14, { NULL },
        "DELETE FROM public.databasechangelog WHERE ID = '1' AND AUTHOR = 'x' AND FILENAME "
        "= 'a.sql'",
        SEEN },
    { "changeset taken back by half its name", "liquibase",
        { "1", "x", "a.sql", NULL, "1", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            NULL, HIST_END },
        14, { NULL }, "DELETE FROM public.databasechangelog WHERE AUTHOR = 'x'",
        FORGED },
    /* yoyo */
    { "deleted by its hash", "yoyo", { "77aa", "a", NULL, HIST_END }, 3, { NULL },
        "DELETE FROM _yoyo_migration WHERE migration_hash = '77aa'", SEEN },
    { "deleted by nobody's hash", "yoyo", { "77aa", "a", NULL, HIST_END }, 3, { NULL },
        "DELETE FROM _yoyo_migration WHERE migration_hash = '77ab'", FORGED },
    /* in front of it */
    { "a temporary table", "golang-migrate", { HIST_END }, 2, { NULL },
        "INSERT INTO pg_temp.schema_migrations (version, dirty) VALUES (1, true)",
        FORGED },
    { "a temporary table of a number", "golang-migrate", { HIST_END }, 2, { NULL },
        "DELETE FROM pg_temp_3.schema_migrations", FORGED },
};

static const struct hist_file *
find_folder(const char *format)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(folders); i++) {
        if (strcmp(folders[i].format, format) == 0)
            return folders[i].files;
    }
    ck_abort_msg("files of %s", format);
    return NULL;
}

static void
fill(const struct hist_set *set, const char *sql, char out[1024])
{
    size_t n = 0;

    for (; *sql; sql++) {
        if (sql[0] == '%' && (sql[1] == 'S' || sql[1] == 'T')) {
            n += (size_t)snprintf(
                out + n, 1024 - n, "%s", set->migrations[sql[1] == 'S'].checksum);
            sql++;
        } else {
            out[n++] = *sql;
        }
    }
    out[n] = 0;
}

START_TEST(row_is_judged)
{
    struct hist_env e;
    struct hist_sql s;
    struct err why = { "" };
    char sql[1024];

    hist_env_files(&e, writes[_i].format, find_folder(writes[_i].format));
    hist_env_load(&e);
    hist_env_read(&e, writes[_i].cells, writes[_i].n_cols);
    struct hist_tx *tx = hist_tx_new(e.view);
    for (size_t i = 0; writes[_i].ran[i]; i++) {
        struct hist_match m = hist_env_match(&e, writes[_i].ran[i]);
        ck_assert_msg(m.migration, "%s: %s", writes[_i].name, writes[_i].ran[i]);
        hist_tx_ran(tx, &m);
    }
    fill(e.set, writes[_i].sql, sql);
    hist_sql_init(&s, e.set, sql);
    struct hist_match m = hist_match(e.view, s.f, s.digest);
    int got = hist_check_write(e.view, s.f, &m, NULL, 0, tx, NULL, &why);
    ck_assert_msg(got == (int)writes[_i].verdict, "%s: %s: %d, want %d: %s",
        writes[_i].format, writes[_i].name, got, (int)writes[_i].verdict, why.text);
    ck_assert_msg(
        (got == HIST_WRITE_OK) == (why.text[0] == 0), "%s: %s", sql, why.text);
    hist_sql_deinit(&s);
    hist_tx_free(tx);
    hist_env_free(&e);
}
END_TEST

/* --- rollbacks and the rows that they leave ---------------------------------------------- */

#define KEEPS(file, table, version)                 \
    file " has run in this transaction, but " table \
         " keeps its row; take back the row of version " version " before COMMIT"

static const struct {
    const char *name, *format;
    const char *cells[MAX_CELLS];
    size_t n_cols;
    const char
        *script[6]; /* what the transaction did, `S` a savepoint, `R` back to it */
    const char *unrecorded; /* NULL: it may commit */
} rollbacks[] = {
    { "row taken back", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { DOWN_A, "DELETE FROM goose_db_version WHERE version_id = 1" }, NULL },
    { "row kept", "goose", { "1", "1", "t", NULL, HIST_END }, 4, { DOWN_A },
        KEEPS("1_a.sql", "goose_db_version", "1") },
    { "another's row taken back", "goose",
        { "1", "1", "t", NULL, "2", "2", "t", NULL, HIST_END }, 4,
        { DOWN_B, "DELETE FROM goose_db_version WHERE version_id = 1" },
        KEEPS("2_b.sql", "goose_db_version", "2") },
    { "row taken back and kept after all", "goose", { "1", "1", "t", NULL, HIST_END },
        4, { DOWN_A, "S", "DELETE FROM goose_db_version WHERE version_id = 1", "R" },
        KEEPS("1_a.sql", "goose_db_version", "1") },
    { "rollback that was none", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { "S", DOWN_A, "R" }, NULL },
    { "two at once", "goose", { "1", "1", "t", NULL, "2", "2", "t", NULL, HIST_END }, 4,
        { DOWN_B, "DELETE FROM goose_db_version WHERE version_id = 2", DOWN_A,
            "DELETE FROM goose_db_version WHERE version_id = 1" },
        NULL },
    { "rows in a list", "goose", { "1", "1", "t", NULL, "2", "2", "t", NULL, HIST_END },
        4,
        { DOWN_B, DOWN_A, "DELETE FROM goose_db_version WHERE version_id IN (1, 2)" },
        NULL },
    { "a row that takes back", "goose", { "1", "1", "t", NULL, HIST_END }, 4,
        { DOWN_A,
            "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, false)" },
        NULL },
    { "the only row moves down", "tern", { "2", HIST_END }, 1,
        { DOWN_B, "UPDATE schema_version SET version = 1" }, NULL },
    { "the only row stays", "tern", { "2", HIST_END }, 1, { DOWN_B },
        KEEPS("2_b.sql", "schema_version", "2") },
    { "the only row moves down two", "tern", { "2", HIST_END }, 1,
        { DOWN_B, DOWN_A, "UPDATE schema_version SET version = 0" }, NULL },
    { "down and up again", "tern", { "2", HIST_END }, 1,
        { DOWN_B, "UPDATE schema_version SET version = 1", UP_B,
            "UPDATE schema_version SET version = 2" },
        NULL },
    { "outside of a transaction", "dbmate", { "3", HIST_END }, 1,
        { "DROP INDEX CONCURRENTLY c" }, NULL },
    { "row of another session", "yoyo", { "77aa", "a", NULL, HIST_END }, 3, { DOWN_A },
        NULL },
    { "row before", "golang-migrate", { "1", "t", HIST_END }, 2, { DOWN_B }, NULL },
    { "row after", "postgrator", { "1", "a", NULL, NULL, HIST_END }, 4, { DOWN_A },
        NULL },
    { "a file that takes its row back", "numbered-sql", { "1", "a", NULL, HIST_END }, 3,
        { DOWN_A, "DELETE FROM schema_migrations WHERE version = '1'" }, NULL },
    { "the same without it", "numbered-sql", { "1", "a", NULL, HIST_END }, 3,
        { DOWN_A }, KEEPS("1_a.down.sql", "schema_migrations", "1") },
    { "half of it", "numbered-sql", { "2", "b", NULL, HIST_END }, 3, { DOWN_B },
        "1 of the 2 schema changes of 2_b.down.sql has not run in this transaction, the "
        "first is line 2, DROP TABLE bb; run the whole file, then take its row back" },
};

static void
play(const struct hist_env *e, struct hist_tx *tx, const char *sql)
{
    struct hist_sql s;

    if (!sql[1]) {
        if (*sql == 'S')
            hist_tx_savepoint(tx, "s");
        else
            hist_tx_rollback_to(tx, "s");
        return;
    }
    hist_sql_init(&s, e->set, sql);
    struct hist_match m = hist_match(e->view, s.f, s.digest);
    if (s.f->write)
        hist_tx_wrote(tx, s.f, &m, NULL, 0);
    hist_tx_ran(tx, &m);
    hist_sql_deinit(&s);
}

START_TEST(rollback_takes_its_row_back)
{
    struct hist_env e;
    struct err why = { "" };

    hist_env_files(&e, rollbacks[_i].format, find_folder(rollbacks[_i].format));
    hist_env_load(&e);
    hist_env_read(&e, rollbacks[_i].cells, rollbacks[_i].n_cols);
    struct hist_tx *tx = hist_tx_new(e.view);
    for (size_t i = 0; rollbacks[_i].script[i]; i++)
        play(&e, tx, rollbacks[_i].script[i]);
    const struct hist_migration *m = hist_tx_unrecorded(tx, &why);
    CASE_STR(&rollbacks[_i], why.text,
        rollbacks[_i].unrecorded ? rollbacks[_i].unrecorded : "");
    CASE_INT(&rollbacks[_i], m && m->is_down, rollbacks[_i].unrecorded != NULL);
    hist_tx_free(tx);
    hist_env_free(&e);
}
END_TEST

/* A checksum as its 48 bytes, as sqlx binds it. */
START_TEST(bytes_are_compared_in_binary)
{
    struct hist_env e;
    struct hist_sql s;
    char bytes[48];

    hist_env_files(&e, "sqlx", find_folder("sqlx"));
    hist_env_load(&e);
    hist_env_read(&e, NULL, 6);
    for (size_t i = 0; i < 48; i++) {
        unsigned byte;
        ck_assert_int_eq(
            sscanf(e.set->migrations[0].checksum + 2 * i, "%2x", &byte), 1);
        bytes[i] = (char)byte;
    }
    hist_sql_init(&s, e.set,
        "INSERT INTO _sqlx_migrations ( version, description, success, checksum, "
        "execution_time ) VALUES ( $1, $2, TRUE, $3, -1 )");
    struct hist_bind binds[] = { { "\0\0\0\0\0\0\0\1", 8, true }, { "a", 1, true },
        { bytes, 48, true } };
    struct hist_tx *tx = hist_tx_new(e.view);
    struct hist_match up = hist_env_match(&e, UP_A);
    hist_tx_ran(tx, &up);
    struct hist_match m = hist_match(e.view, s.f, s.digest);
    ck_assert_int_eq(hist_check_write(e.view, s.f, &m, binds, 3, tx, NULL, NULL), OK);
    bytes[47] ^= 1;
    ck_assert_int_eq(
        hist_check_write(e.view, s.f, &m, binds, 3, tx, NULL, NULL), FORGED);
    hist_tx_free(tx);
    hist_sql_deinit(&s);
    hist_env_free(&e);
}
END_TEST

/* What a dirty row admits: golang-migrate says where it will be, then goes there. */
START_TEST(dirty_row_admits_its_file)
{
    static const struct {
        const char *cells[3], *sql;
        enum hist_match_kind kind;
    } all[] = {
        { { "2", "t", HIST_END }, UP_B, HIST_MATCH_PENDING },
        { { "1", "f", HIST_END }, UP_B, HIST_MATCH_PENDING },
        { { "2", "f", HIST_END }, UP_B, HIST_MATCH_APPLIED },
        { { "1", "t", HIST_END }, DOWN_B, HIST_MATCH_DOWN },
        { { "1", "f", HIST_END }, DOWN_B, HIST_MATCH_DOWN_BLOCKED },
        { { "-1", "t", HIST_END }, DOWN_A, HIST_MATCH_DOWN },
        { { "2", "f", HIST_END }, DOWN_B, HIST_MATCH_DOWN },
        { { "-1", "f", HIST_END }, DOWN_A, HIST_MATCH_DOWN_BLOCKED },
    };
    struct hist_env e;

    hist_env_files(&e, "golang-migrate", find_folder("golang-migrate"));
    hist_env_load(&e);
    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++) {
        hist_env_read(&e, all[i].cells, 2);
        struct hist_match m = hist_env_match(&e, all[i].sql);
        ck_assert_msg(m.kind == all[i].kind, "%zu: %d", i, (int)m.kind);
    }
    hist_env_free(&e);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_rows");
    TCase *tc = tcase_create("rows");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, row_is_judged, 0, DG_ARRAY_SIZE(writes));
    tcase_add_loop_test(tc, rollback_takes_its_row_back, 0, DG_ARRAY_SIZE(rollbacks));
    tcase_add_test(tc, bytes_are_compared_in_binary);
    tcase_add_test(tc, dirty_row_admits_its_file);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
