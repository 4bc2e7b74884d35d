// SPDX-License-Identifier: ISC
/* Statements find their migration by the rows that the tool writes, whenever it writes
 * them; what belongs to none is an error. A script is a list of statements, one a line:
 *   COMMIT               the transaction is over
 *   DOWN                 from here on the tool rolls back
 *   $ 'a', null, 2       parameters of the next statement
 * and the result is "version: statements / statements of the rollback", by first words. */
#include "history/recording.h"

#include "lib/hist.h"

#include <errno.h>

struct play {
    struct hist_env env;
    struct hist_recording *r;
    struct hist_bind binds[8];
    size_t n_binds;
    struct arena *arena;
    struct err err;
};

static void
open_set(struct play *p, const char *tool)
{
    char text[128];

    snprintf(text, sizeof(text), "ddlgate-lock 1\ntool %s\n", tool);
    hist_env_files(&p->env, "lockfile", NULL);
    hist_env_write(p->env.dir, "ddlgate.lock", text);
    char *path = mem_printf("%s/ddlgate.lock", p->env.dir);
    p->env.conf.path = path;
    hist_env_load(&p->env);
    mem_free(path);
    p->r = hist_recording_new(p->env.set);
    p->arena = arena_new();
}

static void
close_set(struct play *p)
{
    hist_recording_free(p->r);
    arena_free(p->arena);
    hist_env_free(&p->env);
}

static void
read_binds(struct play *p, const char *list)
{
    struct str rest = str_of(list), item;

    p->n_binds = 0;
    while (str_next_item(&rest, &item)) {
        struct hist_bind *b = &p->binds[p->n_binds++];
        *b = (struct hist_bind){ .p = arena_strndup(p->arena, item.p, item.n),
            .n = item.n };
        if (str_eqz(item, "null"))
            *b = (struct hist_bind){ .p = NULL };
    }
}

static int
play_statement(struct play *p, const char *line)
{
    struct hist_sql sql;

    hist_sql_init(&sql, p->env.set, line);
    struct hist_ran ran = { .facts = sql.tree->facts,
        .n_facts = sql.tree->n,
        .sql = { line, strlen(line) },
        .digest = &sql.scan.stmts[0].digest,
        .binds = p->binds,
        .n_binds = p->n_binds,
        .is_tracked = true };
    int r = hist_recording_add(p->r, &ran, &p->err);
    hist_sql_deinit(&sql);
    p->n_binds = 0;
    return r;
}

static int
play_line(struct play *p, const char *line)
{
    if (strcmp(line, "COMMIT") == 0)
        hist_recording_commit(p->r);
    else if (strcmp(line, "DOWN") == 0)
        return hist_recording_turn(p->r, &p->err);
    else if (line[0] == '$')
        read_binds(p, line + 1);
    else
        return play_statement(p, line);
    return 0;
}

static int
play(struct play *p, const char *script, struct buf *out)
{
    AUTO(mem_free) char *copy = mem_strdup(script);
    char *rest = copy;
    struct hist_recorded stats;
    int r = 0;

    for (char *line; r == 0 && (line = strsep(&rest, "\n"));)
        r = play_line(p, line);
    return r ? r : hist_recording_write(p->r, NULL, out, &stats, &p->err);
}

/* "1: CREATE, ALTER / DROP; 2:" */
static void
outline(struct buf *lock, char *out, size_t size)
{
    char *rest = (char *)(uintptr_t)buf_cstr(lock);
    size_t n = 0;
    bool is_first = true, is_text = false;

    out[0] = 0;
    for (char *line; (line = strsep(&rest, "\n")) && n < size;) {
        char *space = strchr(line, ' ');
        if (str_prefix(line, "migration ")) {
            n += (size_t)snprintf(out + n, size - n, "%s%s:", n ? "; " : "", line + 10);
            is_first = true;
        } else if (str_prefix(line, "name ") || str_prefix(line, "sum ")) {
            n += (size_t)snprintf(out + n, size - n, " (%s)", space + 1);
        } else if (strcmp(line, "down") == 0) {
            n += (size_t)snprintf(out + n, size - n, " /");
            is_first = true;
        } else if (line[0] == '|' && !is_text) {
            char *word = line + 2;
            n += (size_t)snprintf(out + n, size - n, "%s %.*s", is_first ? "" : ",",
                (int)strcspn(word, " "), word);
            is_first = false;
        }
        is_text = line[0] == '|';
    }
}

static const struct {
    const char *name, *tool, *script, *want;
} good[] = {
    { "one row in each transaction", "dbmate",
        "CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(128) PRIMARY KEY)\n"
        "CREATE TABLE a (i int)\nINSERT INTO schema_migrations (version) VALUES ('1')\n"
        "COMMIT\nALTER TABLE a ADD b int\n"
        "INSERT INTO a VALUES (1, 2)\nINSERT INTO schema_migrations (version) VALUES ('2')\n"
        "COMMIT",
        "1: CREATE; 2: ALTER, INSERT" },
    { "the row in the middle of its transaction", "dbmate",
        "CREATE TABLE a (i int)\nINSERT INTO schema_migrations (version) VALUES ('1')\n"
        "CREATE TABLE b (i int)\nCOMMIT\nDROP TABLE b\n"
        "INSERT INTO schema_migrations (version) VALUES ('2')\nCOMMIT",
        "1: CREATE, CREATE; 2: DROP" },
    { "all in one transaction", "alembic",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT "
        "alembic_version_pkc PRIMARY KEY (version_num))\n"
        "CREATE TABLE a (i int)\nINSERT INTO alembic_version (version_num) VALUES ('x1')\n"
        "ALTER TABLE a ADD b int\nUPDATE alembic_version SET version_num='x2' WHERE "
        "alembic_version.version_num = 'x1'\nCOMMIT\nDOWN\n"
        "ALTER TABLE a DROP b\nUPDATE alembic_version SET version_num='x1' WHERE "
        "alembic_version.version_num = 'x2'\nDROP TABLE a\n"
        "DELETE FROM alembic_version WHERE alembic_version.version_num = 'x1'\nCOMMIT",
        "x1: CREATE / DROP; x2: ALTER / ALTER" },
    { "branches that merge", "alembic",
        "CREATE TABLE a (i int)\nINSERT INTO alembic_version (version_num) VALUES ('a')\n"
        "CREATE TABLE b (i int)\nINSERT INTO alembic_version (version_num) VALUES ('b')\n"
        "DELETE FROM alembic_version WHERE version_num = 'a'\n"
        "UPDATE alembic_version SET version_num='ab' WHERE version_num = 'b'\nCOMMIT",
        "a: CREATE; b: CREATE; ab:" },
    { "the row in a transaction after it, with parameters", "django",
        "CREATE TABLE a (i int)\nCREATE INDEX ON a (i)\nCOMMIT\n$ shop, 0001_x, now\n"
        "INSERT INTO django_migrations (app, name, applied) VALUES ($1, $2, $3)\nCOMMIT\n"
        "DOWN\nDROP TABLE a\nCOMMIT\n$ shop, 0001_x\n"
        "DELETE FROM django_migrations WHERE app = $1 AND name = $2\nCOMMIT",
        "shop::0001_x: CREATE, CREATE / DROP" },
    { "the row before it", "golang-migrate",
        "TRUNCATE schema_migrations\nINSERT INTO schema_migrations (version, dirty) VALUES "
        "(1, true)\nCOMMIT\nCREATE TABLE a (i int)\nCOMMIT\nTRUNCATE schema_migrations\n"
        "INSERT INTO schema_migrations (version, dirty) VALUES (1, false)\nCOMMIT\n"
        "TRUNCATE schema_migrations\nINSERT INTO schema_migrations (version, dirty) VALUES "
        "(2, true)\nCOMMIT\nCREATE TABLE b (i int)\nALTER TABLE b ADD j int\nCOMMIT\n"
        "TRUNCATE schema_migrations\nINSERT INTO schema_migrations (version, dirty) VALUES "
        "(2, false)\nCOMMIT\nDOWN\nTRUNCATE schema_migrations\n"
        "INSERT INTO schema_migrations (version, dirty) VALUES (1, true)\nCOMMIT\n"
        "DROP TABLE b\nCOMMIT\nTRUNCATE schema_migrations\n"
        "INSERT INTO schema_migrations (version, dirty) VALUES (1, false)\nCOMMIT",
        "1: CREATE; 2: CREATE, ALTER / DROP" },
    { "opened by a row, closed by an update", "prisma",
        "$ id1, abc, 20240101_a\nINSERT INTO _prisma_migrations (id, checksum, started_at, "
        "migration_name) VALUES ($1, $2, now(), $3)\nCOMMIT\nCREATE TABLE a (i int)\nCOMMIT\n"
        "UPDATE _prisma_migrations SET applied_steps_count = 1 WHERE id = 'id1'\nCOMMIT\n"
        "UPDATE _prisma_migrations SET finished_at = now() WHERE id = 'id1'\nCOMMIT",
        "20240101_a: (abc) CREATE" },
    { "a name and a checksum in bytes", "sqlx",
        "CREATE TABLE a (i int)\nINSERT INTO _sqlx_migrations (version, description, success, "
        "checksum, execution_time) VALUES (7, 'add a', true, '\\x00ff', -1)\n"
        "UPDATE _sqlx_migrations SET execution_time = 5 WHERE version = 7\nCOMMIT",
        "7: (add a) (00ff) CREATE" },
    { "locks, queries and settings are left out", "knex",
        "CREATE TABLE knex_migrations_lock (index serial PRIMARY KEY, is_locked integer)\n"
        "UPDATE knex_migrations_lock SET is_locked = 1\nSET lock_timeout = '1s'\n"
        "SELECT 1\nCREATE TEMP TABLE t (i int)\nUPDATE a SET i = 1\nTRUNCATE a\n"
        "$ one.js, 1, now\n"
        "INSERT INTO knex_migrations (name, batch, migration_time) VALUES ($1, $2, $3)\n"
        "COMMIT\nUPDATE knex_migrations_lock SET is_locked = 0\nINSERT INTO a VALUES (3)\n"
        "COMMIT",
        "one.js: CREATE, UPDATE, TRUNCATE" },
    { "rows are deleted by a number", "node-pg-migrate",
        "CREATE TABLE a (i int)\nINSERT INTO pgmigrations (name, run_on) VALUES ('1_a', "
        "now())\nDROP TABLE a\nINSERT INTO pgmigrations (name, run_on) VALUES ('2_b', now())\n"
        "COMMIT\nDOWN\nCREATE TABLE a (i int)\nDELETE FROM pgmigrations WHERE id = 2\n"
        "COMMIT\nDROP TABLE a\nDELETE FROM pgmigrations WHERE id = 1\nCOMMIT",
        "1_a: CREATE / DROP; 2_b: DROP / CREATE" },
    { "a version that moves without saying from where", "tern",
        "INSERT INTO schema_version (version) VALUES (0)\nCOMMIT\nCREATE TABLE a (i int)\n"
        "UPDATE schema_version SET version = 1\nCOMMIT\nDROP TABLE a\n"
        "UPDATE schema_version SET version = 2\nCOMMIT\nDOWN\nCREATE TABLE a (i int)\n"
        "UPDATE schema_version SET version = 1\nCOMMIT\nDROP TABLE a\n"
        "UPDATE schema_version SET version = 0\nCOMMIT",
        "1: CREATE / DROP; 2: DROP / CREATE" },
    { "statements in transactions of their own", "dbmate",
        "CREATE INDEX CONCURRENTLY i ON a (i)\nCOMMIT\nCREATE INDEX CONCURRENTLY j ON a (i)\n"
        "COMMIT\nINSERT INTO schema_migrations (version) VALUES ('1')\nCOMMIT",
        "1: CREATE, CREATE" },
    { "a migration without a statement", "rails",
        "INSERT INTO \"schema_migrations\" (\"version\") VALUES ('5') RETURNING \"version\"\n"
        "COMMIT\nDOWN\nDELETE FROM \"schema_migrations\" WHERE \"schema_migrations\"."
        "\"version\" = '5'\nCOMMIT",
        "5: /" },
};

START_TEST(statements_find_their_migration)
{
    struct play p = { .n_binds = 0 };
    AUTO(buf_deinit) struct buf lock = BUF_INIT(65536);
    char got[512];

    open_set(&p, good[_i].tool);
    int r = play(&p, good[_i].script, &lock);
    ck_assert_msg(r == 0, "%s: %s", good[_i].name, p.err.text);
    outline(&lock, got, sizeof(got));
    CASE_STR(&good[_i], got, good[_i].want);
    close_set(&p);
}
END_TEST

static const struct {
    const char *name, *tool, *script, *why;
} bad[] = {
    { "nothing", "dbmate", "SELECT 1\nCOMMIT", "no migration was recorded" },
    { "no row", "dbmate", "CREATE TABLE a (i int)\nCOMMIT",
        "no migration was recorded" },
    { "a change after the last row", "dbmate",
        "INSERT INTO schema_migrations (version) VALUES ('1')\nCOMMIT\n"
        "CREATE TABLE late (i int)\nCOMMIT",
        "1 schema change belongs to no migration, the first is CREATE TABLE late" },
    { "a change between the directions", "dbmate",
        "INSERT INTO schema_migrations (version) VALUES ('1')\nCOMMIT\n"
        "CREATE TABLE late (i int)\nCREATE TABLE later (i int)\nCOMMIT\nDOWN",
        "2 schema changes belong to no migration" },
    { "a version that the server makes", "dbmate",
        "INSERT INTO schema_migrations (version) SELECT max(v) FROM x\nCOMMIT",
        "can't be read from the statement" },
    { "rows by COPY", "dbmate", "COPY schema_migrations FROM STDIN\nCOMMIT",
        "can't be read from the statement" },
    { "a rollback among migrations", "dbmate",
        "INSERT INTO schema_migrations (version) VALUES ('1')\nCOMMIT\n"
        "DELETE FROM schema_migrations WHERE version = '1'\nCOMMIT",
        "rolled back 1" },
    { "a migration among rollbacks", "dbmate",
        "INSERT INTO schema_migrations (version) VALUES ('1')\nCOMMIT\nDOWN\n"
        "INSERT INTO schema_migrations (version) VALUES ('2')\nCOMMIT",
        "--down command has applied 2" },
    { "a migration twice", "dbmate",
        "INSERT INTO schema_migrations (version) VALUES ('1')\nCOMMIT\nCREATE TABLE a (i int)\n"
        "INSERT INTO schema_migrations (version) VALUES ('1')\nCOMMIT",
        "1 was recorded twice" },
    { "several names", "flyway",
        "INSERT INTO flyway_schema_history (installed_rank, version, description, type, "
        "script, checksum, success) VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', 5, true)\nCOMMIT",
        "format = flyway" },
    { "SQL's EXECUTE of a change", "dbmate", "EXECUTE p\nCOMMIT", "by the SQL command EXECUTE" },
};

START_TEST(what_belongs_nowhere_is_said)
{
    struct play p = { .n_binds = 0 };
    AUTO(buf_deinit) struct buf lock = BUF_INIT(65536);

    open_set(&p, bad[_i].tool);
    CASE_INT(&bad[_i], play(&p, bad[_i].script, &lock), -EINVAL);
    ck_assert_msg(
        strstr(p.err.text, bad[_i].why) != NULL, "%s: %s", bad[_i].name, p.err.text);
    close_set(&p);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("history_recording");
    TCase *tc = tcase_create("recording");

    tcase_add_loop_test(tc, statements_find_their_migration, 0, DG_ARRAY_SIZE(good));
    tcase_add_loop_test(tc, what_belongs_nowhere_is_said, 0, DG_ARRAY_SIZE(bad));
    suite_add_tcase(s, tc);
    return unit_main(s);
}
