// SPDX-License-Identifier: ISC
/* The migration tools, a row for each. What a row can't say stands in its ops. */
#include "history/source.h"

#include <string.h>

/* --- columns of the history tables, in the order of the tools' CREATE TABLE ------------- */

#define COLUMNS(tool) \
    .columns = tool##_columns, .n_columns = DG_ARRAY_SIZE(tool##_columns)

static const struct hist_column numbered_columns[] = {
    { "version", HIST_C_KEY, false },
    { "name", HIST_C_NAME, true },
    { "applied_at", HIST_C_OTHER, true },
};

static const struct hist_column flyway_columns[] = {
    { "installed_rank", HIST_C_ID, false },
    { "version", HIST_C_KEY, false },
    { "description", HIST_C_NAME, false },
    { "type", HIST_C_NAME, false },
    { "script", HIST_C_NAME, false },
    { "checksum", HIST_C_SUM, false },
    { "installed_by", HIST_C_OTHER, true },
    { "installed_on", HIST_C_OTHER, true },
    { "execution_time", HIST_C_OTHER, true },
    { "success", HIST_C_OK, false },
};

static const struct hist_column prisma_columns[] = {
    { "id", HIST_C_ID, false },
    { "checksum", HIST_C_SUM, false },
    { "finished_at", HIST_C_END, false },
    { "migration_name", HIST_C_KEY, false },
    { "logs", HIST_C_ERROR, false },
    { "rolled_back_at", HIST_C_UNDONE, false },
    { "started_at", HIST_C_OTHER, false },
    { "applied_steps_count", HIST_C_OTHER, false },
};

static const struct hist_column drizzle_columns[] = {
    { "id", HIST_C_ID, false },
    { "hash", HIST_C_SUM, false },
    { "created_at", HIST_C_KEY, false },
};

static const struct hist_column golang_migrate_columns[] = {
    { "version", HIST_C_KEY, false },
    { "dirty", HIST_C_DIRTY, false },
};

static const struct hist_column goose_columns[] = {
    { "id", HIST_C_ID, false },
    { "version_id", HIST_C_KEY, false },
    { "is_applied", HIST_C_STANDS, false },
    { "tstamp", HIST_C_OTHER, true },
};

static const struct hist_column version_columns[] = {
    { "version", HIST_C_KEY, false },
};

static const struct hist_column sqlx_columns[] = {
    { "version", HIST_C_KEY, false },
    { "description", HIST_C_NAME, false },
    { "installed_on", HIST_C_OTHER, true },
    { "success", HIST_C_OK, false },
    { "checksum", HIST_C_SUM, false },
    { "execution_time", HIST_C_OTHER, true },
};

static const struct hist_column refinery_columns[] = {
    { "version", HIST_C_KEY, false },
    { "name", HIST_C_NAME, false },
    { "applied_on", HIST_C_OTHER, false },
    { "checksum", HIST_C_SUM, false },
};

static const struct hist_column diesel_columns[] = {
    { "version", HIST_C_KEY, false },
    { "run_on", HIST_C_OTHER, false },
};

static const struct hist_column sqitch_columns[] = {
    { "change_id", HIST_C_ID, false },
    { "script_hash", HIST_C_SUM, true },
    { "change", HIST_C_KEY, false },
    { "project", HIST_C_OTHER, false },
    { "note", HIST_C_OTHER, false },
    { "committed_at", HIST_C_OTHER, false },
    { "committer_name", HIST_C_OTHER, true },
    { "committer_email", HIST_C_OTHER, true },
    { "planned_at", HIST_C_OTHER, true },
    { "planner_name", HIST_C_OTHER, true },
    { "planner_email", HIST_C_OTHER, true },
};

static const struct hist_column atlas_columns[] = {
    { "version", HIST_C_KEY, false },
    { "description", HIST_C_NAME, false },
    { "type", HIST_C_OTHER, false },
    { "applied", HIST_C_DONE, false },
    { "total", HIST_C_TOTAL, false },
    { "executed_at", HIST_C_OTHER, false },
    { "execution_time", HIST_C_OTHER, false },
    { "error", HIST_C_ERROR, false },
    { "error_stmt", HIST_C_OTHER, true },
    { "hash", HIST_C_SUM, false },
    { "partial_hashes", HIST_C_OTHER, true },
    { "operator_version", HIST_C_OTHER, false },
};

static const struct hist_column supabase_columns[] = {
    { "version", HIST_C_KEY, false },
    { "statements", HIST_C_OTHER, true },
    { "name", HIST_C_NAME, true },
    { "created_by", HIST_C_OTHER, true },
    { "idempotency_key", HIST_C_OTHER, true },
    { "rollback", HIST_C_OTHER, true },
};

static const struct hist_column graphile_columns[] = {
    { "hash", HIST_C_SUM, false },
    { "previous_hash", HIST_C_OTHER, false },
    { "filename", HIST_C_KEY, false },
    { "date", HIST_C_OTHER, false },
};

static const struct hist_column sql_migrate_columns[] = {
    { "id", HIST_C_KEY, false },
    { "applied_at", HIST_C_OTHER, false },
};

static const struct hist_column yoyo_columns[] = {
    { "migration_hash", HIST_C_SUM, false },
    { "migration_id", HIST_C_KEY, false },
    { "applied_at_utc", HIST_C_OTHER, true },
};

static const struct hist_column postgrator_columns[] = {
    { "version", HIST_C_KEY, false },
    { "name", HIST_C_NAME, true },
    { "md5", HIST_C_SUM, true },
    { "run_at", HIST_C_OTHER, true },
};

static const struct hist_column id_name_columns[] = {
    { "id", HIST_C_ID, false },
    { "name", HIST_C_KEY, false },
    { "run_on", HIST_C_OTHER, false },
};

static const struct hist_column liquibase_columns[] = {
    { "id", HIST_C_KEY, false },
    { "author", HIST_C_KEY, false },
    { "filename", HIST_C_KEY, false },
    { "dateexecuted", HIST_C_OTHER, false },
    { "orderexecuted", HIST_C_ID, false },
    { "exectype", HIST_C_OTHER, false },
    { "md5sum", HIST_C_SUM, false },
    { "description", HIST_C_OTHER, true },
    { "comments", HIST_C_OTHER, true },
    { "tag", HIST_C_OTHER, true },
    { "liquibase", HIST_C_OTHER, true },
    { "contexts", HIST_C_OTHER, true },
    { "labels", HIST_C_OTHER, true },
    { "deployment_id", HIST_C_OTHER, true },
};

static const struct hist_column alembic_columns[] = {
    { "version_num", HIST_C_KEY, false },
};

static const struct hist_column django_columns[] = {
    { "id", HIST_C_ID, false },
    { "app", HIST_C_KEY, false },
    { "name", HIST_C_KEY, false },
    { "applied", HIST_C_OTHER, false },
};

static const struct hist_column efcore_columns[] = {
    { "MigrationId", HIST_C_KEY, false },
    { "ProductVersion", HIST_C_OTHER, false },
};

static const struct hist_column typeorm_columns[] = {
    { "id", HIST_C_ID, false },
    { "timestamp", HIST_C_OTHER, false },
    { "name", HIST_C_KEY, false },
};

static const struct hist_column sequelize_columns[] = {
    { "name", HIST_C_KEY, false },
};

static const struct hist_column knex_columns[] = {
    { "id", HIST_C_ID, false },
    { "name", HIST_C_KEY, false },
    { "batch", HIST_C_OTHER, false },
    { "migration_time", HIST_C_OTHER, false },
};

static const struct hist_column kysely_columns[] = {
    { "name", HIST_C_KEY, false },
    { "timestamp", HIST_C_OTHER, false },
};

static const struct hist_column mikro_orm_columns[] = {
    { "id", HIST_C_ID, false },
    { "name", HIST_C_KEY, false },
    { "executed_at", HIST_C_OTHER, false },
};

static const struct hist_column ecto_columns[] = {
    { "version", HIST_C_KEY, false },
    { "inserted_at", HIST_C_OTHER, false },
};

static const struct hist_column laravel_columns[] = {
    { "id", HIST_C_ID, false },
    { "migration", HIST_C_KEY, false },
    { "batch", HIST_C_OTHER, false },
};

static const struct hist_column aerich_columns[] = {
    { "id", HIST_C_ID, false },
    { "version", HIST_C_KEY, false },
    { "app", HIST_C_OTHER, false },
    { "content", HIST_C_OTHER, false },
};

/* yoyo goes through the layouts that it ever had, in one transaction: makes the table of its
 * first versions, drops it, makes today's (which is told by its columns) and fills it from
 * its log, which is empty then. As yoyo 9 writes it and yoyo 8. */
#define YOYO_SETUP                                                                        \
    "CREATE TABLE % (id VARCHAR(191) NOT NULL PRIMARY KEY, ctime TIMESTAMP);"             \
    "DROP TABLE %;"                                                                       \
    "INSERT INTO % SELECT \"migration_hash\", \"migration_id\", \"created_at_utc\" FROM " \
    "\"_yoyo_log\";"                                                                      \
    "INSERT INTO % SELECT migration_hash, migration_id, created_at_utc FROM "             \
    "\"_yoyo_log\";"

/* --- the tools -------------------------------------------------------------------------- */

static const struct hist_tool tools[] = {
    { .format = "numbered-sql",
        .title = "the runner",
        .table = "schema_migrations",
        .flags = HIST_T_LEXICAL | HIST_T_SHELL | HIST_T_PSQL,
        .up = "%d_%n.up.sql|%d_%n.sql",
        .down = "%d_%n.down.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        COLUMNS(numbered),
        .ops = &hist_numbered_ops },
    { .format = "flyway",
        .title = "Flyway",
        .table = "flyway_schema_history",
        .prefix = "V",
        .row = HIST_ROW_OTHER_SESSION,
        .flags = HIST_T_UPDATES | HIST_T_DELETES,
        .order_by = "installed_rank",
        .sum = HIST_SUM_CRC32,
        COLUMNS(flyway),
        .ops = &hist_flyway_ops },
    { .format = "prisma",
        .title = "Prisma",
        .table = "_prisma_migrations",
        .row = HIST_ROW_BEFORE,
        .flags = HIST_T_TEXT | HIST_T_LEXICAL | HIST_T_UPDATES | HIST_T_WHOLE,
        .up = "%n/migration.sql",
        .key = "%n",
        .next = "%d_%n/migration.sql",
        .first = HIST_FIRST_SECOND,
        .sum = HIST_SUM_SHA256,
        .order_by = "started_at",
        COLUMNS(prisma) },
    { .format = "golang-migrate",
        .title = "golang-migrate",
        .table = "schema_migrations",
        .row = HIST_ROW_BEFORE,
        .flags = HIST_T_HEAD | HIST_T_ZERO | HIST_T_EMPTIES | HIST_T_DELETES
            | HIST_T_WHOLE,
        .up = "%d_%x.up.sql",
        .down = "%d_%x.down.sql",
        .key = "%d",
        .next = "%d_%n.up.sql",
        .first = "000001",
        COLUMNS(golang_migrate) },
    { .format = "goose",
        .title = "goose",
        .table = "goose_db_version",
        .flags = HIST_T_ZERO | HIST_T_DELETES | HIST_T_MARKED,
        .up = "%d_%n.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        .first = "00001",
        .up_mark = "+goose Up",
        .down_mark = "+goose Down",
        .no_tx_mark = "+goose NO TRANSACTION",
        .order_by = "id",
        COLUMNS(goose),
        .ops = &hist_goose_ops },
    { .format = "tern",
        .title = "tern",
        .table = "schema_version",
        .flags = HIST_T_HEAD | HIST_T_ZERO | HIST_T_UPDATES,
        .up = "%d_%n.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        .down_mark = "create above / drop below",
        .no_tx_mark = "tern: disable-tx",
        COLUMNS(version) },
    { .format = "dbmate",
        .title = "dbmate",
        .table = "schema_migrations",
        .flags = HIST_T_LEXICAL | HIST_T_DELETES | HIST_T_MARKED,
        .up = "%d%x.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        .first = HIST_FIRST_SECOND,
        .up_mark = "migrate:up",
        .down_mark = "migrate:down",
        .no_tx_mark = "transaction:false",
        COLUMNS(version) },
    { .format = "sqlx",
        .title = "sqlx",
        .table = "_sqlx_migrations",
        .flags = HIST_T_UPDATES | HIST_T_DELETES,
        .up = "%d_%n.up.sql|%d_%n.sql",
        .down = "%d_%n.down.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        .first = HIST_FIRST_SECOND,
        .no_tx_mark = "no-transaction",
        .sum = HIST_SUM_SHA384,
        COLUMNS(sqlx) },
    { .format = "refinery",
        .title = "refinery",
        .table = "refinery_schema_history",
        .prefix = "V",
        .row = HIST_ROW_AFTER,
        .up = "V%d__%n.sql|U%d__%n.sql",
        .key = "%d",
        .next = "V%d__%n.sql",
        .sum = HIST_SUM_SIPHASH,
        COLUMNS(refinery) },
    { .format = "diesel",
        .title = "Diesel",
        .table = "__diesel_schema_migrations",
        .flags = HIST_T_LEXICAL | HIST_T_DELETES,
        .up = "%t_%n/up.sql",
        .down = "%t_%n/down.sql",
        .key = "%d",
        .next = "%d_%n/up.sql",
        COLUMNS(diesel) },
    { .format = "sqitch",
        .title = "Sqitch",
        .table = "sqitch.changes",
        .row = HIST_ROW_OTHER_SESSION,
        .flags = HIST_T_TEXT | HIST_T_LISTED | HIST_T_PSQL | HIST_T_DELETES
            | HIST_T_IDS,
        .up = "deploy/%p%n.sql",
        .down = "revert/%p%n.sql",
        .key = "%n",
        .next = "deploy/%n.sql",
        .sum = HIST_SUM_SHA1,
        .order_by = "committed_at",
        .own = "releases, projects, tags, dependencies, events",
        COLUMNS(sqitch),
        .ops = &hist_sqitch_ops },
    { .format = "atlas",
        .title = "Atlas",
        .table = "atlas_schema_revisions.atlas_schema_revisions",
        .row = HIST_ROW_BEFORE,
        .flags = HIST_T_LEXICAL | HIST_T_UPDATES | HIST_T_DELETES | HIST_T_RESUMES
            | HIST_T_NOTES, /* .atlas_cloud_identifier */
        .up = "%d_%n.sql|%d.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        .no_tx_mark = "atlas:txmode none",
        COLUMNS(atlas),
        .ops = &hist_atlas_ops },
    { .format = "supabase",
        .title = "Supabase",
        .table = "supabase_migrations.schema_migrations",
        .flags = HIST_T_LEXICAL | HIST_T_DELETES | HIST_T_WHOLE,
        .up = "%d_%n.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        .first = HIST_FIRST_SECOND,
        COLUMNS(supabase) },
    { .format = "graphile-migrate",
        .title = "graphile-migrate",
        .table = "graphile_migrate.migrations",
        .flags = HIST_T_TEXT | HIST_T_LEXICAL,
        .up = "committed/%d-%n.sql|committed/%d.sql|%d-%n.sql|%d.sql",
        .key = "%d.sql",
        .next = "committed/%d-%n.sql",
        .first = "000001",
        .no_tx_mark = "no-transaction",
        .sum = HIST_SUM_GRAPHILE,
        .own = "current",
        COLUMNS(graphile) },
    { .format = "sql-migrate",
        .title = "sql-migrate",
        .table = "gorp_migrations",
        .flags = HIST_T_TEXT | HIST_T_DELETES | HIST_T_MARKED,
        .up = "%n.sql",
        .key = "%f",
        .next = "%d-%n.sql",
        .up_mark = "+migrate Up",
        .down_mark = "+migrate Down",
        .no_tx_mark = "notransaction",
        COLUMNS(sql_migrate) },
    { .format = "yoyo",
        .title = "yoyo",
        .table = "_yoyo_migration",
        .row = HIST_ROW_OTHER_SESSION,
        .flags = HIST_T_TEXT | HIST_T_LEXICAL | HIST_T_DELETES,
        .up = "%n.sql",
        .down = "%n.rollback.sql",
        .key = "%n",
        .next = "%d.%n.sql",
        .no_tx_mark = "transactional: false",
        .sum = HIST_SUM_YOYO,
        .own = "_yoyo_log, _yoyo_version, yoyo_lock, yoyo_tmp_*",
        .setup = YOYO_SETUP,
        COLUMNS(yoyo) },
    { .format = "postgrator",
        .title = "postgrator",
        .table = "schemaversion",
        .row = HIST_ROW_AFTER,
        .flags = HIST_T_ZERO | HIST_T_DELETES | HIST_T_WHOLE,
        .up = "%d.do.%n.sql|%d.do.sql",
        .down = "%d.undo.%n.sql|%d.undo.sql",
        .key = "%d",
        .next = "%d.do.%n.sql",
        .sum = HIST_SUM_MD5,
        COLUMNS(postgrator) },
    { .format = "node-pg-migrate",
        .title = "node-pg-migrate",
        .table = "pgmigrations",
        .flags = HIST_T_TEXT | HIST_T_LEXICAL | HIST_T_DELETES,
        .up = "%d_%n.sql|%d-%n.sql",
        .key = "%s",
        .next = "%d_%n.sql",
        .first = HIST_FIRST_MS,
        .up_mark = "Up Migration",
        .down_mark = "Down Migration",
        COLUMNS(id_name) },
    { .format = "db-migrate",
        .title = "db-migrate",
        .table = "migrations",
        .flags = HIST_T_TEXT | HIST_T_LEXICAL | HIST_T_DELETES,
        .up = "sqls/%d-%n-up.sql|%d-%n-up.sql",
        .down = "sqls/%d-%n-down.sql|%d-%n-down.sql",
        .key = "/%d-%n",
        .next = "sqls/%d-%n-up.sql",
        COLUMNS(id_name),
        .ops = &hist_db_migrate_ops },
    { .format = "drizzle",
        .title = "Drizzle",
        .table = "drizzle.__drizzle_migrations",
        .flags = HIST_T_LISTED,
        .up = "%d_%n.sql",
        .key = "%d",
        .next = "%d_%n.sql",
        .sum = HIST_SUM_SHA256,
        COLUMNS(drizzle),
        .ops = &hist_drizzle_ops },
    { .format = "hasura",
        .title = "Hasura",
        .table = "hdb_catalog.schema_migrations",
        .row = HIST_ROW_OTHER_SESSION,
        .flags = HIST_T_DELETES | HIST_T_UPDATES | HIST_T_WHOLE,
        .up = "%p%d_%x/up.sql",
        .down = "%p%d_%x/down.sql",
        .key = "%d",
        .next = "%d_%n/up.sql",
        .first = HIST_FIRST_MS,
        COLUMNS(golang_migrate) },
    { .format = "liquibase",
        .title = "Liquibase",
        .table = "databasechangelog",
        .row = HIST_ROW_AFTER,
        .flags = HIST_T_TEXT | HIST_T_LISTED | HIST_T_UPDATES | HIST_T_DELETES,
        .up = "%p%n.sql",
        .key = "%n",
        .next = "%d_%n.sql",
        .order_by = "orderexecuted",
        .own = "databasechangeloglock",
        COLUMNS(liquibase),
        .ops = &hist_liquibase_ops },

    { .format = "alembic",
        .title = "Alembic",
        .table = "alembic_version",
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_HEAD | HIST_T_UPDATES
            | HIST_T_DELETES,
        COLUMNS(alembic) },
    { .format = "django",
        .title = "Django",
        .table = "django_migrations",
        /* In the same transaction, unless the migration has deferred statements (a foreign
         * key, an index): then after its COMMIT. */
        .row = HIST_ROW_AFTER,
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        .order_by = "id",
        COLUMNS(django) },
    { .format = "rails",
        .title = "Rails",
        .table = "schema_migrations",
        .flags = HIST_T_NO_FILES | HIST_T_DELETES,
        .own = "ar_internal_metadata",
        COLUMNS(version) },
    { .format = "efcore",
        .title = "EF Core",
        .table = "__EFMigrationsHistory",
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        COLUMNS(efcore) },
    { .format = "typeorm",
        .title = "TypeORM",
        .table = "migrations",
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        .order_by = "id",
        .own = "typeorm_metadata",
        COLUMNS(typeorm) },
    { .format = "sequelize",
        .title = "Sequelize",
        .table = "SequelizeMeta",
        .row = HIST_ROW_AFTER,
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        COLUMNS(sequelize) },
    { .format = "knex",
        .title = "Knex",
        .table = "knex_migrations",
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES | HIST_T_DOWN_AFTER
            | HIST_T_BATCH,
        .order_by = "id",
        .own = "%_lock",
        COLUMNS(knex) },
    { .format = "kysely",
        .title = "Kysely",
        .table = "kysely_migration",
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        .own = "%_lock",
        COLUMNS(kysely) },
    { .format = "mikro-orm",
        .title = "MikroORM",
        .table = "mikro_orm_migrations",
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        .order_by = "id",
        COLUMNS(mikro_orm) },
    { .format = "ecto",
        .title = "Ecto",
        .table = "schema_migrations",
        .flags = HIST_T_NO_FILES | HIST_T_DELETES,
        COLUMNS(ecto) },
    { .format = "laravel",
        .title = "Laravel",
        .table = "migrations",
        .row = HIST_ROW_AFTER,
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        .order_by = "id",
        COLUMNS(laravel) },
    { .format = "aerich",
        .title = "aerich",
        .table = "aerich",
        .flags = HIST_T_TEXT | HIST_T_NO_FILES | HIST_T_DELETES,
        .order_by = "id",
        COLUMNS(aerich) },
};

const struct hist_tool *
hist_tool_find(const char *format)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(tools); i++) {
        if (strcmp(tools[i].format, format) == 0)
            return &tools[i];
    }
    return NULL;
}

const char *
hist_format_name(size_t i)
{
    return i < DG_ARRAY_SIZE(tools) ? tools[i].format : NULL;
}

const char *
hist_set_format(const struct hist_set *set)
{
    return set->tool->format;
}

const char *
hist_tool_names(struct arena *a)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(4096);

    for (size_t i = 0; i < DG_ARRAY_SIZE(tools); i++) {
        if (!(tools[i].flags & HIST_T_NO_FILES))
            buf_putf(&b, "%s, ", tools[i].format);
    }
    buf_puts(&b, "lockfile");
    return arena_strdup(a, buf_cstr(&b));
}

/* How many of the columns are the tool's, if no other ones are there and none is missing
 * that must be. */
static size_t
n_fitting(const struct hist_tool *tool, const char *columns)
{
    struct str rest = str_of(columns), item;
    size_t n = 0, required = 0, want = 0;

    for (size_t i = 0; i < tool->n_columns; i++)
        want += !tool->columns[i].is_optional;
    while (str_next_item(&rest, &item)) {
        size_t i = 0;
        while (i < tool->n_columns && !str_eqz(item, tool->columns[i].name))
            i++;
        if (i == tool->n_columns)
            return 0;
        required += !tool->columns[i].is_optional;
        n++;
    }
    return required == want ? n : 0;
}

size_t
hist_set_fit(const struct hist_set *set, const char *columns)
{
    return n_fitting(set->tool, columns);
}

const struct hist_tool *
hist_tool_of_columns(const char *columns)
{
    const struct hist_tool *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < DG_ARRAY_SIZE(tools); i++) {
        size_t n = n_fitting(&tools[i], columns);
        if (n > most) {
            most = n;
            best = &tools[i];
        }
    }
    return best;
}
