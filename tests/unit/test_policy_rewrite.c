// SPDX-License-Identifier: ISC
/* The safe form that a rule makes of a statement: the text, what is proposed for later, and
 * why not. Each result is read again: it differs in what was meant only, and the rule finds
 * nothing more to rewrite in it. */
#include "policy/rewrite.h"

#include "lib/live.h"
#include "lib/policy.h"

#define ASKS(rule, more)                                                               \
    "[policy]\nenvironment = production\nchecks = listed\n[check " rule "]\naction = " \
    "warn\n" more

static const struct {
    const char *name, *rule, *more;
    const char *sql;
    const char *want; /* NULL: it can't be made, see why */
    const char *why;  /* or what is proposed for later */
    bool is_alone;
} cases[] = {
    /* CONCURRENTLY */
    { "index", "add-index-concurrently", "", "create index i on t (a)",
        "create index CONCURRENTLY i on t (a)", NULL, true },
    { "unique index with comments", "add-index-concurrently", "",
        "/* x */ CREATE /* INDEX */ UNIQUE INDEX -- INDEX\n i ON t (a); -- end",
        "/* x */ CREATE /* INDEX */ UNIQUE INDEX CONCURRENTLY -- INDEX\n i ON t (a); -- end",
        NULL, true },
    { "index without a name", "add-index-concurrently", "", "create index on t (a)",
        "create index CONCURRENTLY on t (a)", NULL, true },
    { "drop index", "drop-index-concurrently", "", "drop index if exists s.i",
        "drop index CONCURRENTLY if exists s.i", NULL, true },
    { "drop two indexes", "drop-index-concurrently", "", "drop index i, k", NULL,
        "CONCURRENTLY drops one index a statement", false },
    { "drop index cascade", "drop-index-concurrently", "", "drop index i cascade", NULL,
        "CONCURRENTLY and CASCADE exclude each other", false },
    { "reindex", "reindex-concurrently", "", "reindex (verbose) table t",
        "reindex (verbose) table CONCURRENTLY t", NULL, true },
    { "reindex of the server's own", "reindex-concurrently", "",
        "reindex index \"index\"", "reindex index CONCURRENTLY \"index\"", NULL, true },
    { "refresh", "refresh-matview-concurrently", "", "refresh materialized view v",
        "refresh materialized view CONCURRENTLY v", NULL, false },
    { "detach", "detach-partition-concurrently", "",
        "alter table t detach partition p -- done",
        "alter table t detach partition p CONCURRENTLY -- done", NULL, true },
    /* a move to quarantine (test_policy_quarantine has what it becomes) */
    { "drop with what depends on it", "drop-table", "quarantine = q\n",
        "drop table t cascade", NULL,
        "what depends on a table isn't moved to quarantine with it; leave CASCADE out and "
        "drop that first",
        false },
    { "drop of no table", "drop-table", "quarantine = q\n", "drop materialized view t",
        NULL, "only tables are moved to a quarantine schema", false },
    { "drop with a backslash", "drop-table", "quarantine = q\n", "drop table \"a\\b\"",
        NULL, "a statement with a backslash in it is not moved", false },
    /* NOT VALID */
    { "check", "add-check-not-valid", "",
        "alter table t add constraint c check (a > 0)",
        "alter table t add constraint c check (a > 0) NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT c;", false },
    { "two of three actions", "add-check-not-valid", "",
        "alter table t add constraint c check (a > 0), add column b int, add check (b in "
        "(1, 2))",
        "alter table t add constraint c check (a > 0) NOT VALID, add column b int, add check "
        "(b in (1, 2)) NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t VALIDATE CONSTRAINT t_check;",
        false },
    { "no inherit", "add-check-not-valid", "",
        "alter table only s.t add constraint c check (a > 0) no inherit",
        "alter table only s.t add constraint c check (a > 0) no inherit NOT VALID",
        "ALTER TABLE s.t VALIDATE CONSTRAINT c;", false },
    { "foreign key", "add-fk-not-valid", "",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE /*x*/ "
        "DEFERRABLE;",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE /*x*/ "
        "DEFERRABLE NOT VALID;",
        "ALTER TABLE t VALIDATE CONSTRAINT t_a_fkey;", false },
    { "domain", "domain-constraint-not-valid", "",
        "alter domain d add constraint c check (value > 0)",
        "alter domain d add constraint c check (value > 0) NOT VALID",
        "ALTER DOMAIN d VALIDATE CONSTRAINT c;", false },
    { "domain not null", "domain-constraint-not-valid", "",
        "alter domain d set not null", NULL,
        "there is no safe form of this statement that can be made by itself", false },
    /* words */
    { "create table", "idempotent-create", "", "create unlogged table t (a int)",
        "create unlogged table IF NOT EXISTS t (a int)", NULL, false },
    { "create index concurrently", "idempotent-create", "",
        "create unique index concurrently i on t (a)",
        "create unique index concurrently IF NOT EXISTS i on t (a)", NULL, false },
    { "create index without a name", "idempotent-create", "", "create index on t (a)",
        NULL, "IF NOT EXISTS needs a name", false },
    { "create table as", "idempotent-create", "", "create table t as select 1 as a",
        "create table IF NOT EXISTS t as select 1 as a", NULL, false },
    { "create materialized view", "idempotent-create", "",
        "create materialized view v as select 1 as a",
        "create materialized view IF NOT EXISTS v as select 1 as a", NULL, false },
    { "create extension", "idempotent-create", "", "create extension citext",
        "create extension IF NOT EXISTS citext", NULL, false },
    { "add columns", "idempotent-create", "",
        "alter table t add a int, add column b int, drop column c",
        "alter table t add IF NOT EXISTS a int, add column IF NOT EXISTS b int, drop column "
        "c",
        NULL, false },
    { "drop table", "idempotent-drop", "", "drop table t, u",
        "drop table IF EXISTS t, u", NULL, false },
    { "drop foreign data wrapper", "idempotent-drop", "", "drop foreign data wrapper w",
        "drop foreign data wrapper IF EXISTS w", NULL, false },
    { "drop trigger", "idempotent-drop", "", "drop trigger x on t",
        "drop trigger IF EXISTS x on t", NULL, false },
    { "drop user", "idempotent-drop", "", "drop user u", NULL,
        "there is no safe form of this statement that can be made by itself", false },
    { "drop columns", "idempotent-drop", "",
        "alter table t drop a, drop constraint c, drop column d cascade",
        "alter table t drop IF EXISTS a, drop constraint IF EXISTS c, drop column IF EXISTS "
        "d cascade",
        NULL, false },
    { "or replace", "create-or-replace", "", "create view v as select 1 as a",
        "create OR REPLACE view v as select 1 as a", NULL, false },
    { "cascade", "drop-cascade", "", "drop view v, w cascade",
        "drop view v, w RESTRICT", NULL, false },
    { "a column's cascade", "drop-cascade", "",
        "alter table t drop column a cascade, add column b int",
        "alter table t drop column a RESTRICT, add column b int", NULL, false },
    { "drop schema", "drop-schema", "", "drop schema s cascade",
        "drop schema s RESTRICT", NULL, false },
    { "drop schema without", "drop-schema", "", "drop schema s", NULL,
        "it has no CASCADE to be taken away", false },
    { "truncate", "truncate-cascade", "", "truncate t cascade", "truncate t RESTRICT",
        NULL, false },
    { "unlogged", "unlogged-table", "", "create unlogged table t (a int)",
        "create  table t (a int)", NULL, false },
    /* types */
    { "varchar", "prefer-text", "", "create table t (a varchar(20) not null, b int)",
        "create table t (a text not null, b int)", NULL, false },
    { "character varying", "prefer-text", "",
        "alter table t add column a character varying (20) default ''",
        "alter table t add column a text default ''", NULL, false },
    { "char", "ban-char", "", "create table t (\"a\" char(2)[], b int)",
        "create table t (\"a\" text[], b int)", NULL, false },
    { "timestamp", "prefer-timestamptz", "",
        "create table t (a timestamp (3) without time zone default now())",
        "create table t (a timestamptz(3) default now())", NULL, false },
    { "json", "prefer-jsonb", "", "create table t (a pg_catalog.json)",
        "create table t (a jsonb)", NULL, false },
    { "money", "ban-money", "", "create table t (a money)",
        "create table t (a numeric(12,2))", NULL, false },
    { "key", "prefer-bigint-key", "", "create table t (id int primary key, n int)",
        "create table t (id bigint primary key, n int)", NULL, false },
    { "serial key", "prefer-bigint-key", "", "create table t (id serial primary key)",
        "create table t (id bigint GENERATED BY DEFAULT AS IDENTITY primary key)", NULL,
        false },
    { "serial", "prefer-identity", "", "create table t (n bigserial)",
        "create table t (n bigint GENERATED BY DEFAULT AS IDENTITY)", NULL, false },
    { "listed", "type-disallow-list", "types = json, varchar=text\n",
        "create table t (a varchar(3))", "create table t (a text)", NULL, false },
    { "listed without another", "type-disallow-list", "types = json\n",
        "create table t (a json)", NULL, "the list names no type to take instead",
        false },
    { "an old column", "prefer-text", "", "alter table t alter a type varchar(3)", NULL,
        "only the type of a new column can be changed", false },
    /* names */
    { "index name", "index-name", "name = idx_{table}_{columns}\n",
        "create index concurrently on t (a, b)",
        "create index concurrently idx_t_a_b on t (a, b)", NULL, false },
    { "index with a name", "index-name", "name = idx_{table}_{columns}\n",
        "create index i on t (a, b)", NULL, "a name that is written is not changed",
        false },
    { "unique name", "unique-name", "name = uq_{table}_{columns}\n",
        "create table t (a int unique, b int, unique (a, b))",
        "create table t (a int CONSTRAINT uq_t_a unique, b int, CONSTRAINT uq_t_a_b unique "
        "(a, b))",
        NULL, false },
    { "constraints", "constraint-named", "",
        "alter table t add check (a > 0), add constraint c check (b > 0)",
        "alter table t add CONSTRAINT t_check check (a > 0), add constraint c check (b > 0)",
        NULL, false },
    /* what is made */
    { "columns", "created-updated-at", "",
        "create table t (id int, -- key\n b int -- last\n)",
        "create table t (id int, -- key\n b int, created_at timestamptz not null default "
        "now(), updated_at timestamptz not null default now() -- last\n)",
        NULL, false },
    { "one column of two", "created-updated-at", "columns = a int not null, b text\n",
        "create table s.t (b text, unique (b)) with (fillfactor = 50)",
        "create table s.t (b text, unique (b), a int not null) with (fillfactor = 50)",
        NULL, false },
    { "a column that is another", "created-updated-at", "columns = a int, b text\n",
        "create table t (a text)", NULL, "a column that is written is not changed",
        false },
    { "a column without a type", "created-updated-at", "columns = a not null\n",
        "create table t (b int)", NULL, "the policy names no type for the column",
        false },
    { "no list", "created-updated-at", "", "create table t ()", NULL,
        "it has no list of columns to add to", false },
    { "soft delete", "soft-delete", "", "create table t (a int)",
        "create table t (a int, deleted_at timestamptz)",
        "CREATE INDEX idx_t_deleted_at ON t (deleted_at);", false },
    { "soft delete, no index", "soft-delete", "index = no\n", "create table t (a int)",
        "create table t (a int, deleted_at timestamptz)", NULL, false },
    { "definer", "security-definer-search-path", "",
        "create function f(security int) returns int security definer /* ! */ language sql "
        "as 'select 1'",
        "create function f(security int) returns int security definer SET search_path = "
        "pg_catalog, pg_temp /* ! */ language sql as 'select 1'",
        NULL, false },
    { "definer, a body of the standard", "security-definer-search-path", "",
        "create procedure p() security definer begin atomic select 1; end",
        "create procedure p() security definer SET search_path = pg_catalog, pg_temp begin "
        "atomic select 1; end",
        NULL, false },
    { "definer, altered", "security-definer-search-path", "",
        "alter function f() security definer",
        "alter function f() security definer SET search_path = pg_catalog, pg_temp",
        NULL, false },
    { "schema unknown", "schema-qualified", "", "create table t (a int)", NULL,
        "which schema the session makes it in isn't known", false },
    /* values for new columns */
    { "default", "not-null-needs-default",
        "defaults = text='', integer=0, boolean = false, text[]='{}'\n",
        "alter table t add a int, add column b text[] not null check (b <> '{1}')",
        "alter table t add a int, add column b text[] not null check (b <> '{1}') DEFAULT "
        "'{}'",
        NULL, false },
    { "default of another type", "not-null-needs-default", "defaults = integer=-1\n",
        "alter table t add a int, add b bigint not null -- x", NULL,
        "the policy names no value for type bigint ([check not-null-needs-default] defaults "
        "= type=value)",
        false },
    { "no default", "not-null-needs-default", "",
        "alter table t add a boolean not null", NULL,
        "the policy names no value for type boolean ([check not-null-needs-default] "
        "defaults = type=value)",
        false },
    /* settings */
    { "lock_timeout", "require-lock-timeout", "value = 3s\n",
        "alter table t add column a int", "alter table t add column a int", NULL,
        false },
    { "inside DO", "drop-cascade", "", "do $$ begin drop table t cascade; end $$", NULL,
        "it stands inside another statement", false },
};

/* In files: the text with its edits, and what goes around it. */
static const struct {
    const char *name, *rule;
    const char *sql;
    const char *want; /* NULL: it can't be made, see why */
    const char *why;
    const char *before, *after, *follow_up;
    bool is_alone;
} files[] = {
    { "unique", "add-unique-using-index", "alter table s.t add unique (a, \"B\") -- x",
        "alter table s.t add CONSTRAINT \"t_a_B_key\" unique USING INDEX \"t_a_B_key\" -- x",
        NULL, "CREATE UNIQUE INDEX CONCURRENTLY \"t_a_B_key\" ON s.t (a, \"B\");", NULL,
        NULL, true },
    { "unique with a name", "add-unique-using-index",
        "alter table t add constraint u unique (a)",
        "alter table t add constraint u unique USING INDEX u", NULL,
        "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a);", NULL, NULL, true },
    { "unique with more", "add-unique-using-index",
        "alter table t add unique (a) deferrable", NULL,
        "it says more than its columns", NULL, NULL, NULL, false },
    { "unique beside another", "add-unique-using-index",
        "alter table t add unique (a), add b int", NULL,
        "it does more than adding one key", NULL, NULL, NULL, false },
    { "unique with a comment", "add-unique-using-index",
        "alter table t add unique (a, -- first\n b)", NULL,
        "a comment stands between words that go to another statement", NULL, NULL, NULL,
        false },
    { "primary key", "add-pk-using-index", "alter table t add primary key (a)",
        "alter table t add CONSTRAINT t_pkey primary key USING INDEX t_pkey", NULL,
        "CREATE UNIQUE INDEX CONCURRENTLY t_pkey ON t (a);\n"
        "ALTER TABLE t ADD CONSTRAINT t_a_not_null CHECK (a IS NOT NULL) NOT VALID;\n"
        "ALTER TABLE t VALIDATE CONSTRAINT t_a_not_null;",
        "ALTER TABLE t DROP CONSTRAINT t_a_not_null;", NULL, true },
    { "not null", "set-not-null-scan", "alter table t alter a set not null",
        "alter table t alter a set not null", NULL,
        "ALTER TABLE t ADD CONSTRAINT t_a_not_null CHECK (a IS NOT NULL) NOT VALID;\n"
        "ALTER TABLE t VALIDATE CONSTRAINT t_a_not_null;",
        "ALTER TABLE t DROP CONSTRAINT t_a_not_null;", NULL, true },
    { "not null of two", "set-not-null-scan",
        "alter table t alter a set not null, alter b set not null", NULL,
        "it does more than SET NOT NULL of one column", NULL, NULL, NULL, false },
    { "default", "add-column-volatile-default",
        "alter table t add a uuid default gen_random_uuid(), add b int",
        "alter table t add a uuid, add b int", NULL, NULL,
        "-- Rows that are there stay NULL: fill them in batches.\n"
        "ALTER TABLE t ALTER COLUMN a SET default gen_random_uuid();",
        NULL, false },
    { "default of a column that may not be null", "add-column-volatile-default",
        "alter table t add a uuid not null default gen_random_uuid()", NULL,
        "the column has more than a default", NULL, NULL, NULL, false },
    { "inline check", "add-column-inline-constraint",
        "alter table t add column a int default 1 check (a > 0)",
        "alter table t add column a int default 1", NULL, NULL,
        "ALTER TABLE t ADD CONSTRAINT t_a_check check (a > 0) NOT VALID;",
        "ALTER TABLE t VALIDATE CONSTRAINT t_a_check;", false },
    { "inline check with a name", "add-column-inline-constraint",
        "alter table t add a int constraint c check (a > 0) no inherit",
        "alter table t add a int", NULL, NULL,
        "ALTER TABLE t ADD CONSTRAINT c check (a > 0) no inherit NOT VALID;",
        "ALTER TABLE t VALIDATE CONSTRAINT c;", false },
    { "inline foreign key", "add-column-inline-constraint",
        "alter table t add a int default 1 references p (id) on delete cascade",
        "alter table t add a int default 1", NULL, NULL,
        "ALTER TABLE t ADD CONSTRAINT t_a_fkey FOREIGN KEY (a) references p (id) on delete "
        "cascade NOT VALID;",
        "ALTER TABLE t VALIDATE CONSTRAINT t_a_fkey;", false },
    { "inline check before others", "add-column-inline-constraint",
        "alter table t add a int check (a > 0) default 1", NULL,
        "only a CHECK or a foreign key behind all else can be taken apart", NULL, NULL,
        NULL, false },
    { "inline unique", "add-column-inline-constraint", "alter table t add a int unique",
        NULL, "only a CHECK or a foreign key behind all else can be taken apart", NULL,
        NULL, NULL, false },
    { "merged", "merge-alter-table",
        "alter table t add a int; -- one\nalter table t add b int, add check (b > 0); -- two\n"
        "alter table t add c int",
        "alter table t add a int, -- one\nadd b int, add check (b > 0), -- two\nadd c int",
        NULL, NULL, NULL, NULL, false },
    { "merged, drops", "merge-alter-table",
        "alter table t add a int; alter table t drop b", NULL,
        "only statements that add columns or constraints are joined", NULL, NULL, NULL,
        false },
    { "merged, schemas", "merge-alter-table",
        "alter table t add a int; alter table s.t add b int", NULL,
        "only statements that add columns or constraints are joined", NULL, NULL, NULL,
        false },
    { "partition", "create-partition-of",
        "create unlogged table s.c /* x */ partition of s.p for values from (1) to (2); -- y",
        "create unlogged table s.c /* x */ (LIKE s.p INCLUDING DEFAULTS INCLUDING GENERATED "
        "INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION); -- y",
        NULL, NULL, "ALTER TABLE s.p ATTACH PARTITION s.c for values from (1) to (2);",
        NULL, false },
    { "partition with more", "create-partition-of",
        "create table c partition of p for values in (1) partition by range (b)", NULL,
        "it says more than the values it is for", NULL, NULL, NULL, false },
    { "partition, perhaps", "create-partition-of",
        "create table if not exists c partition of p for values with (modulus 2, remainder 0)",
        NULL, "it says more than the values it is for", NULL, NULL, NULL, false },
    { "the default partition", "create-partition-of",
        "create table c partition of p default", NULL,
        "it says more than the values it is for", NULL, NULL, NULL, false },
    { "validate", "validate-in-same-transaction",
        "begin; alter table t add constraint c check (a > 0) not valid; alter table t "
        "validate constraint c; commit;",
        "begin; alter table t add constraint c check (a > 0) not valid; alter table t "
        "validate constraint c; commit;",
        NULL, "COMMIT;\nBEGIN;", NULL, NULL, false },
    { "validate, with rows", "validate-in-same-transaction",
        "begin; alter table t add constraint c check (a > 0) not valid; update t set a = 1; "
        "alter table t validate constraint c; commit;",
        NULL, "a statement of the transaction may belong to all of it (UPDATE)", NULL,
        NULL, NULL, false },
    { "foreign key of a table that may be there", "fk-index",
        "create table if not exists t (a int references p)",
        "create table if not exists t (a int references p)", NULL, NULL,
        "CREATE INDEX IF NOT EXISTS idx_t_a ON t (a);", NULL, false },
    { "nested", "tx-nesting",
        "begin; select 1; begin; select 2; commit; select 3; commit;",
        "begin; select 1;  select 2;  select 3; commit;", NULL, NULL, NULL, NULL,
        false },
    { "nested, not plainly", "tx-nesting", "begin; select 1; begin; select 2; commit;",
        NULL, "which BEGIN and COMMIT belong together isn't plain", NULL, NULL, NULL,
        false },
    { "nested, with a level", "tx-nesting",
        "begin; begin isolation level serializable; select 2; commit; commit;", NULL,
        "which BEGIN and COMMIT belong together isn't plain", NULL, NULL, NULL, false },
    { "nested, in no transaction", "tx-nesting",
        "begin; begin; select 1; commit; vacuum; commit;", NULL,
        "a statement of the file can't run in a transaction", NULL, NULL, NULL, false },
    { "a stray end", "tx-nesting", "select 1; commit;", NULL,
        "which BEGIN and COMMIT belong together isn't plain", NULL, NULL, NULL, false },
    { "wrapped", "tx-wrap-required", "create table t (a int); create table u (a int)",
        "create table t (a int); create table u (a int)", NULL, NULL, NULL, NULL,
        false },
    { "wrapped, not in a transaction", "tx-wrap-required",
        "create table t (a int); create table u (a int); vacuum", NULL,
        "a statement of the file can't run in a transaction", NULL, NULL, NULL, false },
    { "wrapped already in part", "tx-wrap-required",
        "begin; select 1; commit; create table t (a int); create table u (a int)", NULL,
        "the file has transactions of its own", NULL, NULL, NULL, false },
    { "tenant", "tenant-created-index",
        "create table t (tenant_id int, created_at timestamptz)",
        "create table t (tenant_id int, created_at timestamptz)", NULL, NULL,
        "CREATE INDEX idx_t_tenant_id_created_at ON t (tenant_id, created_at);", NULL,
        false },
    { "tenant, a column later", "tenant-created-index",
        "create table t (tenant_id int); alter table t add created_at timestamptz",
        NULL, "its columns are added by a later statement", NULL, NULL, NULL, false },
    { "foreign key of a new table", "fk-index", "create table t (a int references p)",
        "create table t (a int references p)", NULL, NULL,
        "CREATE INDEX idx_t_a ON t (a);", NULL, false },
    { "foreign key of an old table", "fk-index",
        "alter table t add foreign key (a) references p",
        "alter table t add foreign key (a) references p", NULL, NULL, NULL,
        "CREATE INDEX CONCURRENTLY idx_t_a ON t (a);", false },
    { "the index alone", "soft-delete", "create table t (deleted_at timestamptz)",
        "create table t (deleted_at timestamptz)", NULL, NULL,
        "CREATE INDEX idx_t_deleted_at ON t (deleted_at);", NULL, false },
};

/* In files, with what the server says of the tables. */
#define PART_LIVE                                                          \
    "part R public|part|p||||8192|3|3|k\npart K:1 k|integer|r|\n"          \
    "part P:5 public|p1|r|public|part\npart P:6 public|p2|p|public|part\n" \
    "part P:7 s|p2a|r|public|p2\n"
#define RANGE(more) "part R public|part|p||||8192|3|0|k\n" more
#define BOUND_DROP  "ALTER TABLE old DROP CONSTRAINT old_bound;"
#define BOUND(check)                                                          \
    "ALTER TABLE old ADD CONSTRAINT old_bound CHECK (" check ") NOT VALID;\n" \
    "ALTER TABLE old VALIDATE CONSTRAINT old_bound;"

static const struct {
    const char *name, *rule, *more, *live, *file;
    const char *sql;
    const char *want; /* NULL: it can't be made, see why; "": no edit */
    const char *why;
    const char *before, *after;
    bool is_alone, is_tx;
} steps[] = {
    /* an invalid index */
    { "invalid", "invalid-index-left", "",
        "i R s|i|i|||||||\ni T s|t|r||||8192|3|0|k\ni I:5 s|i|btree|||0|8192|0\n", NULL,
        "create index concurrently if not exists i on t (a)", "", NULL,
        "DROP INDEX CONCURRENTLY IF EXISTS s.i;", NULL, true, false },
    { "invalid, being built", "invalid-index-left", "",
        "i R s|i|i|||||||\ni T s|t|r||||8192|3|0|k\ni I:5 s|i|btree|||0|8192|0\n"
        "i L:1 77|app|active|ShareUpdateExclusiveLock|g|10\n",
        NULL, "create index concurrently if not exists i on t (a)", NULL,
        "somebody may be building that index just now", NULL, NULL, false, false },
    { "invalid, beside a vacuum", "invalid-index-left", "",
        "i R s|i|i|||||||\ni T s|t|r||||8192|3|0|k\ni I:5 s|i|btree|||0|8192|0\n"
        "i L:1 77|app|autovacuum|ShareUpdateExclusiveLock|g|10\n",
        NULL, "create index concurrently if not exists i on t (a)", "", NULL,
        "DROP INDEX CONCURRENTLY IF EXISTS s.i;", NULL, true, false },
    { "invalid, of a constraint", "invalid-index-left", "",
        "i R s|i|i|||||||\ni T s|t|r||||8192|3|0|k\ni I:5 s|i|btree|u|c|0|8192|0\n",
        NULL, "create index if not exists i on t (a)", NULL,
        "a constraint holds the invalid index", NULL, NULL, false, false },
    /* bounds */
    { "range", "attach-partition-check", "", RANGE("part K:1 k|integer|r|\n"), NULL,
        "alter table part attach partition old for values from (-5) to ('10')", "",
        NULL, BOUND("k IS NOT NULL AND k >= -5 AND k < '10'"), BOUND_DROP, true,
        false },
    { "range of another type", "attach-partition-check", "",
        RANGE("part K:1 K|character varying(9)|r|\n"), NULL,
        "alter table part attach partition old for values from (minvalue) to (+1.5)",
        "", NULL, BOUND("\"K\" IS NOT NULL AND \"K\" < '1.5'"), BOUND_DROP, true,
        false },
    { "range without ends", "attach-partition-check", "", RANGE("part K:1 k|date|r|\n"),
        NULL,
        "alter table part attach partition old for values from (minvalue) to (maxvalue)",
        "", NULL, BOUND("k IS NOT NULL"), BOUND_DROP, true, false },
    { "two columns", "attach-partition-check", "",
        RANGE("part K:1 a|integer|r|\npart K:2 b|text|r|\n"), NULL,
        "alter table part attach partition old for values from (1, 'x') to (3, 'y')",
        "", NULL,
        BOUND(
            "a IS NOT NULL AND b IS NOT NULL AND (a > 1 OR (a = 1 AND b >= 'x')) AND (a < "
            "3 OR (a = 3 AND b < 'y'))"),
        BOUND_DROP, true, false },
    { "two columns, the first the same", "attach-partition-check", "",
        RANGE("part K:1 a|integer|r|\npart K:2 b|integer|r|\n"), NULL,
        "alter table part attach partition old for values from (1, minvalue) to (1, 5)",
        "", NULL, BOUND("a IS NOT NULL AND b IS NOT NULL AND a = 1 AND b < 5"),
        BOUND_DROP, true, false },
    { "two columns, endless", "attach-partition-check", "",
        RANGE("part K:1 a|integer|r|\npart K:2 b|integer|r|\n"), NULL,
        "alter table part attach partition old for values from (1, minvalue) to (3, "
        "maxvalue)",
        "", NULL, BOUND("a IS NOT NULL AND b IS NOT NULL AND a >= 1 AND a <= 3"),
        BOUND_DROP, true, false },
    { "list", "attach-partition-check", "", RANGE("part K:1 k|text|l|\n"), NULL,
        "alter table only part attach partition s.old for values in ('a', E'b')", "",
        NULL,
        "ALTER TABLE s.old ADD CONSTRAINT old_bound CHECK (k IS NOT NULL AND k IN ('a', "
        "E'b')) NOT VALID;\nALTER TABLE s.old VALIDATE CONSTRAINT old_bound;",
        "ALTER TABLE s.old DROP CONSTRAINT old_bound;", true, false },
    { "list with null", "attach-partition-check", "", RANGE("part K:1 k|boolean|l|\n"),
        NULL, "alter table part attach partition old for values in (true, null)", "",
        NULL, BOUND("k IS NULL OR k IN ('true')"), BOUND_DROP, true, false },
    { "list of null", "attach-partition-check", "", RANGE("part K:1 k|text|l|\n"), NULL,
        "alter table part attach partition old for values in (null)", "", NULL,
        BOUND("k IS NULL"), BOUND_DROP, true, false },
    { "default partition", "attach-partition-check", "", RANGE("part K:1 k|text|l|\n"),
        NULL, "alter table part attach partition old default", NULL,
        "what a DEFAULT partition may hold hangs on all the others", NULL, NULL, false,
        false },
    { "hash", "attach-partition-check", "", RANGE("part K:1 k|text|h|\n"), NULL,
        "alter table part attach partition old for values with (modulus 2, remainder 0)",
        NULL,
        "which rows belong to a HASH partition is no condition on its columns that the "
        "server would trust",
        NULL, NULL, false, false },
    { "expression", "attach-partition-check", "", RANGE("part K:1 |text|r|\n"), NULL,
        "alter table part attach partition old for values from (1) to (2)", NULL,
        "the partition key holds an expression", NULL, NULL, false, false },
    { "collation", "attach-partition-check", "", RANGE("part K:1 k|text|r|o\n"), NULL,
        "alter table part attach partition old for values from ('a') to ('b')", NULL,
        "the partition key has an operator class or a collation of its own, and a CHECK "
        "would compare otherwise",
        NULL, NULL, false, false },
    { "a call", "attach-partition-check", "", RANGE("part K:1 k|date|r|\n"), NULL,
        "alter table part attach partition old for values from (now()) to (maxvalue)",
        NULL, "its bounds are more than constants", NULL, NULL, false, false },
    { "a cast", "attach-partition-check", "", RANGE("part K:1 k|date|r|\n"), NULL,
        "alter table part attach partition old for values from ('2026-01-01'::date) to "
        "(maxvalue)",
        NULL, "its bounds are more than constants", NULL, NULL, false, false },
    { "another number of columns", "attach-partition-check", "",
        RANGE("part K:1 k|date|r|\n"), NULL,
        "alter table part attach partition old for values from (1, 2) to (3, 4)", NULL,
        "its bounds have another number of columns than the partition key", NULL, NULL,
        false, false },
    { "nobody says", "attach-partition-check", "", NULL, NULL,
        "alter table part attach partition old for values from (1) to (2)", NULL,
        "by what the table is partitioned isn't known: neither the file nor a server says "
        "it (check takes --database)",
        NULL, NULL, false, false },
    { "the file says", "attach-partition-check", "", NULL, NULL,
        "create table s.part (a int, \"B\" date) partition by range (a, \"B\"); alter table "
        "part attach partition old for values from (1, '2026-01-01') to (2, minvalue)",
        "", NULL,
        BOUND("a IS NOT NULL AND \"B\" IS NOT NULL AND (a > 1 OR (a = 1 AND \"B\" >= "
              "'2026-01-01')) AND a < 2"),
        BOUND_DROP, true, false },
    { "the file says more", "attach-partition-check", "", NULL, NULL,
        "create table part (a text) partition by list (lower(a)); alter table part attach "
        "partition old for values in ('a')",
        NULL, "the partition key is more than a list of columns", NULL, NULL, false,
        false },
    /* the index of a partitioned table */
    { "each partition", "partitioned-index", "", PART_LIVE, NULL,
        "create unique index concurrently i on part (k) where k > 0 -- x",
        "create unique index i on ONLY part (k) where k > 0 -- x", NULL, NULL,
        "CREATE UNIQUE INDEX CONCURRENTLY p1_i ON p1 (k) where k > 0;\n"
        "ALTER INDEX i ATTACH PARTITION p1_i;\n"
        "CREATE UNIQUE INDEX p2_i ON ONLY p2 (k) where k > 0;\n"
        "CREATE UNIQUE INDEX CONCURRENTLY p2a_i ON s.p2a (k) where k > 0;\n"
        "ALTER INDEX p2_i ATTACH PARTITION s.p2a_i;\n"
        "ALTER INDEX i ATTACH PARTITION p2_i;",
        true, false },
    { "without CONCURRENTLY", "add-index-concurrently", "",
        "part R public|part|p||||8192|3|1|k\npart P:5 public|p1|r|public|part\n", NULL,
        "create index on part (k)", "create index part_k_idx on ONLY part (k)", NULL,
        NULL,
        "CREATE INDEX CONCURRENTLY p1_part_k_idx ON p1 (k);\n"
        "ALTER INDEX part_k_idx ATTACH PARTITION p1_part_k_idx;",
        true, false },
    { "foreign partition", "partitioned-index", "",
        "part R public|part|p||||8192|3|1|k\npart P:5 public|f1|f|public|part\n", NULL,
        "create index concurrently on part (k)", NULL,
        "f1 is a foreign table: it has no indexes, and the index of the whole would stay "
        "invalid",
        NULL, NULL, false, false },
    { "too many partitions", "partitioned-index", "",
        "part R public|part|p||||8192|3|301|k\n", NULL,
        "create index concurrently on part (k)", NULL,
        "301 partitions are too many to be listed; write a script of it", NULL, NULL,
        false, false },
    { "if not exists", "partitioned-index", "", PART_LIVE, NULL,
        "create index concurrently if not exists i on part (k)", NULL,
        "with IF NOT EXISTS it isn't known which of its indexes are there", NULL, NULL,
        false, false },
    { "the table once more", "partitioned-index", "", PART_LIVE, NULL,
        "create index concurrently i on part (k) where part.k > 0", NULL,
        "it names the table once more behind ON", NULL, NULL, false, false },
    { "known by the file only", "partitioned-index", "", NULL, NULL,
        "create table p (k int) partition by list (k); create index concurrently on p (k)",
        NULL, "which partitions there are only a server knows (check takes --database)",
        NULL, NULL, false, false },
    { "names that are cut", "partitioned-index", "",
        "part R public|part|p||||8192|3|2|k\n"
        "part P:5 public|p_23456789_123456789_123456789_123456789_123456789_123456789_12|r|"
        "public|part\n"
        "part P:6 s|p_23456789_123456789_123456789_123456789_123456789_123456789_12|r|"
        "public|part\n",
        NULL, "create index concurrently i on part (k)",
        "create index i on ONLY part (k)", NULL, NULL,
        "CREATE INDEX CONCURRENTLY "
        "idx2_p_23456789_123456789_123456789_123456789_123456789_1234567 ON "
        "p_23456789_123456789_123456789_123456789_123456789_123456789_12 (k);\n"
        "ALTER INDEX i ATTACH PARTITION "
        "idx2_p_23456789_123456789_123456789_123456789_123456789_1234567;\n"
        "CREATE INDEX CONCURRENTLY "
        "idx3_p_23456789_123456789_123456789_123456789_123456789_1234567 ON "
        "s.p_23456789_123456789_123456789_123456789_123456789_123456789_12 (k);\n"
        "ALTER INDEX i ATTACH PARTITION "
        "s.idx3_p_23456789_123456789_123456789_123456789_123456789_1234567;",
        true, false },
    /* a partition dropped */
    { "detach first", "drop-partition-locks-parent", "",
        "p1 R public|p1|r|s|part||8192|3|0|k\n", NULL, "drop table if exists p1", "",
        NULL, "ALTER TABLE s.part DETACH PARTITION p1 CONCURRENTLY;", NULL, true,
        false },
    { "beside a default", "drop-partition-locks-parent", "",
        "p1 R public|p1|r|s|part||8192|3|0|kd\n", NULL, "drop table p1", "", NULL, NULL,
        NULL, false, false },
    { "with a view on it", "drop-partition-locks-parent", "",
        "p1 R public|p1|r|s|part||8192|3|0|k\np1 U view|public|v|k\n", NULL,
        "drop table p1", "", NULL, NULL, NULL, false, false },
    /* names */
    { "a view of the old name", "rename-table", "", NULL, NULL,
        "alter table s.t rename to u", "", NULL, NULL,
        "CREATE VIEW s.t AS SELECT * FROM s.u;", false, true },
    { "renamed if it exists", "rename-table", "", NULL, NULL,
        "alter table if exists t rename to u", NULL,
        "with IF EXISTS there may be nothing that a view could show", NULL, NULL, false,
        false },
    { "set aside", "drop-name-convention", "", NULL, NULL,
        "drop table if exists s.\"T\"; --x",
        "ALTER table if exists s.\"T\" RENAME TO \"T_deprecated\"; --x", NULL, NULL,
        NULL, false, false },
    { "set aside, restrict", "drop-name-convention", "names = old_*\n", NULL, NULL,
        "drop table t restrict", "ALTER table t RENAME TO old_t", NULL, NULL, NULL,
        false, false },
    { "set aside, cut", "drop-name-convention", "names = *_x\n", NULL, NULL,
        "drop table t_23456789_123456789_123456789_123456789_123456789_123456789_1Ã¤",
        "ALTER table t_23456789_123456789_123456789_123456789_123456789_123456789_1Ã¤ "
        "RENAME TO t_23456789_123456789_123456789_123456789_123456789_123456789__x",
        NULL, NULL, NULL, false, false },
    { "set aside, no pattern", "drop-name-convention", "names = old\n", NULL, NULL,
        "drop table t", NULL, "no pattern of `names` has one * for the table's name",
        NULL, NULL, false, false },
    { "set aside, two", "drop-name-convention", "", NULL, NULL, "drop table t, u", NULL,
        "it drops more than one table", NULL, NULL, false, false },
    { "set aside, cascade", "drop-name-convention", "", NULL, NULL,
        "drop table t cascade", NULL, "CASCADE drops more than the table", NULL, NULL,
        false, false },
    { "set aside, made again", "drop-name-convention", "", NULL, NULL,
        "drop table t; create table t (a int)", NULL,
        "a later statement of the file makes one of that name, and the old one would still "
        "have the names of its indexes",
        NULL, NULL, false, false },
    /* rows */
    { "copied", "backup-before", "max_table_size = 10kB\n",
        "t R public|t|r||||8192|3|0|k\n", "m/V013__x.sql",
        "alter table t drop column a", "", NULL,
        "LOCK TABLE t IN ACCESS EXCLUSIVE MODE;\nCREATE TABLE t_backup_013 AS TABLE t;",
        NULL, false, true },
    { "too large to be copied", "backup-before", "max_table_size = 8000\n",
        "t R public|t|r||||8192|3|0|k\n", "m/V013__x.sql", "drop table t", NULL,
        "a copy is made of a table that the server says is smaller than the policy's "
        "max_table_size ([check backup-before])",
        NULL, NULL, false, false },
    { "size not known", "backup-before", "max_table_size = 1MB\n",
        "t R public|t|r||||0|3|0|\n", "m/V013__x.sql", "truncate t", NULL,
        "a copy is made of a table that the server says is smaller than the policy's "
        "max_table_size ([check backup-before])",
        NULL, NULL, false, false },
    { "rows that its owner doesn't see", "backup-before", "max_table_size = 1MB\n",
        "t R public|t|r||||8192|3|0|kf\n", "m/V013__x.sql", "truncate t", NULL,
        "a copy is made of a table that the server says is smaller than the policy's "
        "max_table_size ([check backup-before])",
        NULL, NULL, false, false },
    { "a file without a number", "backup-before", "max_table_size = 1MB\n",
        "t R public|t|r||||8192|3|0|k\n", "m/x.sql", "truncate t", NULL,
        "the file's name has no number that the copy could be named after", NULL, NULL,
        false, false },
    /* owners */
    { "owner", "owner-change", "owner = Deploy Team\n", NULL, NULL,
        "create table s.t (a int)", "", NULL, NULL,
        "ALTER TABLE s.t OWNER TO \"Deploy Team\";", false, false },
    { "owner of a function", "owner-change", "owner = d\n", NULL, NULL,
        "create function f() returns int language sql as 'select 1'", NULL,
        "its name alone doesn't tell it from others of its kind", NULL, NULL, false,
        false },
    { "another owner", "owner-change", "owner = d\n", NULL, NULL,
        "alter table t owner to e", NULL, "an owner that is written is not changed",
        NULL, NULL, false, false },
    /* the row of the file */
    { "no row known", "migration-recorded", "", NULL, "m/1.sql",
        "begin; create table t (a int); commit", NULL,
        "which row it would write of itself isn't known: its files are in no [migrations] "
        "section of numbered SQL (check takes -c)",
        NULL, NULL, false, false },
};

/* Adds all findings of the rule; NULL, or why one could not be. */
static const char *
rewrite_as(const struct pol *p, const struct policy_text *t, const char *rule,
    bool is_file, struct pol_rewrite *rw, size_t *n_found)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    const char *why = NULL;

    pol_findings_init(&f);
    pol_judge_unit(p, &t->text, &f);
    *n_found = 0;
    for (size_t i = 0; i < f.n && !why; i++) {
        if (strcmp(f.items[i].rule, rule) != 0)
            continue;
        (*n_found)++;
        if (pol_rewrite_add(
                rw, p, &f.items[i], &t->text, f.items[i].fact, is_file, &why)
            == 0)
            why = NULL;
    }
    return why;
}

static const char *
rewrite_all(const struct pol *p, const struct policy_text *t, const char *rule,
    struct pol_rewrite *rw, size_t *n_found)
{
    return rewrite_as(p, t, rule, false, rw, n_found);
}

START_TEST(statements_get_their_safe_form)
{
    size_t i = (size_t)_i, n_found, n_again;
    char ini[400];
    AUTO(arena_free) struct arena *a = arena_new();
    struct pol_rewrite rw, again;
    struct policy_text t, u;

    snprintf(ini, sizeof(ini), ASKS("%s", "%s"), cases[i].rule, cases[i].more);
    struct pol *p = policy_of(ini);
    policy_text_init(&t, cases[i].sql, NULL);
    pol_rewrite_init(&rw, a);
    const char *why = rewrite_all(p, &t, cases[i].rule, &rw, &n_found);
    ck_assert_msg(n_found > 0, "%s: nothing is found", cases[i].name);
    if (!cases[i].want) {
        ck_assert_msg(why, "%s: it can be made", cases[i].name);
        ck_assert_str_eq(why, cases[i].why);
        ck_assert_uint_eq(rw.edits.n, 0);
    } else {
        size_t len;
        ck_assert_msg(!why, "%s: %s", cases[i].name, why);
        AUTO(mem_free)
        char *out = sql_edits_apply(
            &rw.edits, cases[i].sql, strlen(cases[i].sql), &len);
        ck_assert_str_eq(out, cases[i].want);
        ck_assert(sql_edits_hold(
            &rw.edits, str_of(cases[i].sql), (struct str){ out, len }, true));
        ck_assert_int_eq(rw.needs_alone, cases[i].is_alone);
        if (cases[i].why)
            ck_assert_str_eq(rw.follow_up, cases[i].why);
        else
            ck_assert_ptr_null(rw.follow_up);
        policy_text_init(&u, out, NULL);
        ck_assert_msg(!u.tree->is_unparsable, "%s: %s", out, u.tree->error);
        ck_assert(sql_trees_same(t.tree, u.tree, rw.changes));
        ck_assert(rw.edits.n == 0 || !sql_trees_same(t.tree, u.tree, 0));
        pol_rewrite_init(&again, a);
        rewrite_all(p, &u, cases[i].rule, &again, &n_again);
        ck_assert_uint_eq(again.edits.n, 0);
        pol_rewrite_deinit(&again);
        policy_text_deinit(&u);
    }
    pol_rewrite_deinit(&rw);
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

static void
is_text(const char *got, const char *want)
{
    ck_assert_str_eq(got ? got : "", want ? want : "");
}

START_TEST(files_get_their_safe_form)
{
    size_t i = (size_t)_i, n_found, len;
    char ini[400];
    AUTO(arena_free) struct arena *a = arena_new();
    struct pol_rewrite rw;
    struct policy_text t, u;

    snprintf(ini, sizeof(ini),
        "[policy]\nenvironment = production\nchecks = listed\ntransaction = file\n"
        "[check %s]\naction = warn\n",
        files[i].rule);
    struct pol *p = policy_of(ini);
    policy_text_init(&t, files[i].sql, NULL);
    pol_rewrite_init(&rw, a);
    const char *why = rewrite_as(p, &t, files[i].rule, true, &rw, &n_found);
    ck_assert_msg(n_found > 0, "%s: nothing is found", files[i].name);
    if (!files[i].want) {
        ck_assert_msg(why, "%s: it can be made", files[i].name);
        ck_assert_str_eq(why, files[i].why);
    } else {
        ck_assert_msg(!why, "%s: %s", files[i].name, why);
        AUTO(mem_free)
        char *out = sql_edits_apply(
            &rw.edits, files[i].sql, strlen(files[i].sql), &len);
        ck_assert_str_eq(out, files[i].want);
        ck_assert(sql_edits_hold(
            &rw.edits, str_of(files[i].sql), (struct str){ out, len }, true));
        is_text(pol_steps_text(a, &rw.before), files[i].before);
        is_text(pol_steps_text(a, &rw.after), files[i].after);
        is_text(rw.follow_up, files[i].follow_up);
        ck_assert_int_eq(rw.needs_alone, files[i].is_alone);
        policy_text_init(&u, out, NULL);
        ck_assert_msg(!u.tree->is_unparsable, "%s: %s", out, u.tree->error);
        ck_assert(sql_trees_same(t.tree, u.tree, rw.changes));
        ck_assert(rw.edits.n == 0 || !sql_trees_same(t.tree, u.tree, 0));
        policy_text_deinit(&u);
    }
    pol_rewrite_deinit(&rw);
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

static struct pol_live *
ask(const struct pol *p, struct policy_text *t, const char *lines)
{
    AUTO(pol_findings_deinit) struct pol_findings f;

    pol_findings_init(&f);
    pol_judge_unit(p, &t->text, &f);
    return lines ? live_of_lines(lines, &f.wants) : NULL;
}

START_TEST(steps_go_by_what_the_server_says)
{
    size_t i = (size_t)_i, n_found, len;
    char ini[400];
    AUTO(arena_free) struct arena *a = arena_new();
    struct pol_rewrite rw;
    struct policy_text t, u;

    snprintf(ini, sizeof(ini),
        "[policy]\nenvironment = production\nchecks = listed\ntransaction = file\n"
        "[check %s]\naction = warn\n%s",
        steps[i].rule, steps[i].more);
    struct pol *p = policy_of(ini);
    policy_text_init(&t, steps[i].sql, NULL);
    t.text.file = steps[i].file;
    struct pol_live *live = ask(p, &t, steps[i].live);
    t.text.live = live;
    pol_rewrite_init(&rw, a);
    rw.may_be_alone = true;
    const char *why = rewrite_as(p, &t, steps[i].rule, true, &rw, &n_found);
    ck_assert_msg(n_found > 0, "%s: nothing is found", steps[i].name);
    if (!steps[i].want) {
        ck_assert_msg(why, "%s: it can be made", steps[i].name);
        ck_assert_str_eq(why, steps[i].why);
        ck_assert_uint_eq(rw.before.n, 0);
    } else {
        ck_assert_msg(!why, "%s: %s", steps[i].name, why);
        AUTO(mem_free)
        char *out = sql_edits_apply(
            &rw.edits, steps[i].sql, strlen(steps[i].sql), &len);
        ck_assert_str_eq(out, *steps[i].want ? steps[i].want : steps[i].sql);
        is_text(pol_steps_text(a, &rw.before), steps[i].before);
        is_text(pol_steps_text(a, &rw.after), steps[i].after);
        ck_assert_int_eq(rw.needs_alone, steps[i].is_alone);
        ck_assert_int_eq(rw.needs_tx, steps[i].is_tx);
        policy_text_init(&u, out, NULL);
        ck_assert_msg(!u.tree->is_unparsable, "%s: %s", out, u.tree->error);
        ck_assert(sql_trees_same(t.tree, u.tree, rw.changes));
        policy_text_deinit(&u);
    }
    ref_drop(live);
    pol_rewrite_deinit(&rw);
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

#define DETACH "ALTER TABLE part DETACH PARTITION p1 CONCURRENTLY;"

/* What can't be done with statements around it, or not in this place, takes the lesser form. */
START_TEST(a_partition_is_dropped_with_a_timeout_at_least)
{
    static const struct {
        bool is_file, may_be_alone;
        const char *bound, *before;
    } ways[] = {
        { true, true, "", DETACH },
        { true, false, "p1 B FOR VALUES IN (1)\n", NULL },
        { false, true, "p1 B FOR VALUES IN (1)\n", DETACH },
        { false, true, "", NULL }, /* it could not be taken back */
        { false, false, "p1 B FOR VALUES IN (1)\n", NULL },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(ways); i++) {
        AUTO(arena_free) struct arena *a = arena_new();
        struct pol *p = policy_of(ASKS("drop-partition-locks-parent", ""));
        struct pol_rewrite rw;
        struct policy_text t;
        size_t n;
        policy_text_init(&t, "drop table p1", NULL);
        struct pol_live *live = ask(p, &t,
            arena_printf(a, "p1 R public|p1|r||part||8192|3|0|k\n%s", ways[i].bound));
        t.text.live = live;
        pol_rewrite_init(&rw, a);
        rw.may_be_alone = ways[i].may_be_alone;
        ck_assert_ptr_null(
            rewrite_as(p, &t, "drop-partition-locks-parent", ways[i].is_file, &rw, &n));
        ck_assert_uint_eq(n, 1);
        is_text(pol_steps_text(a, &rw.before), ways[i].before);
        ck_assert_int_eq(rw.needs_alone, ways[i].before != NULL);
        ck_assert_int_eq(rw.timeout_ms[POL_LOCK_TIMEOUT], ways[i].before ? 0 : 2000);
        ref_drop(live);
        pol_rewrite_deinit(&rw);
        policy_text_deinit(&t);
        ref_drop(p);
    }
}
END_TEST

START_TEST(a_file_gets_its_row)
{
    static const struct {
        const char *wrap, *sql, *before, *after, *why;
        size_t place;
    } files_of_rows[] = {
        { "file", "begin; create table t (a int); commit; select 1", "INSERT;", NULL,
            NULL, 3 },
        { "tool", "create table t (a int); create index on t (a)", NULL, "INSERT;",
            NULL, 2 },
        { "file", "create table t (a int)", NULL, NULL,
            "the file has no COMMIT that the row could stand before", 0 },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(files_of_rows); i++) {
        AUTO(arena_free) struct arena *a = arena_new();
        char ini[200];
        snprintf(ini, sizeof(ini),
            "[policy]\nenvironment = production\nchecks = listed\ntransaction = %s\n"
            "[check migration-recorded]\naction = warn\n",
            files_of_rows[i].wrap);
        struct pol *p = policy_of(ini);
        struct pol_rewrite rw;
        struct policy_text t;
        size_t n;
        policy_text_init(&t, files_of_rows[i].sql, NULL);
        t.text.own_row = "INSERT;";
        pol_rewrite_init(&rw, a);
        is_text(rewrite_as(p, &t, "migration-recorded", true, &rw, &n),
            files_of_rows[i].why);
        is_text(pol_steps_text(a, &rw.before), files_of_rows[i].before);
        is_text(pol_steps_text(a, &rw.after), files_of_rows[i].after);
        ck_assert_uint_eq(rw.place, files_of_rows[i].place);
        pol_rewrite_deinit(&rw);
        policy_text_deinit(&t);
        ref_drop(p);
    }
}
END_TEST

START_TEST(added_statements_are_told_from_others)
{
    static const struct {
        const char *was, *is, *added[2];
        bool is_so;
    } follow[] = {
        { "create table t (a int)", "begin; create table t (a int); commit",
            { "begin", "commit" }, true },
        { "select 1; drop table t", "select 1; drop table u; drop table t",
            { "drop table u", ";" }, true },
        { "select 1; drop table t", "select 1; drop table t", { "drop table u", "" },
            false },
        { "select 1; drop table t", "select 1; drop table u; drop table t", { "", "" },
            false },
        { "drop table t; drop table u", "drop table t", { "", "" }, false },
        { "drop table t", "drop table v; drop table t; drop table u",
            { "drop table u", "drop table v" }, false },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(follow); i++) {
        struct policy_text was, is, added[2];
        const struct sql_tree *trees[2];
        policy_text_init(&was, follow[i].was, NULL);
        policy_text_init(&is, follow[i].is, NULL);
        for (size_t k = 0; k < 2; k++) {
            policy_text_init(&added[k], follow[i].added[k], NULL);
            trees[k] = added[k].tree;
        }
        ck_assert_msg(sql_trees_follow(was.tree, is.tree, trees, 2) == follow[i].is_so,
            "%s", follow[i].is);
        for (size_t k = 0; k < 2; k++)
            policy_text_deinit(&added[k]);
        policy_text_deinit(&is);
        policy_text_deinit(&was);
    }
}
END_TEST

START_TEST(the_schema_is_the_sessions)
{
    static const struct {
        const char *path, *want; /* NULL: it isn't rewritten */
    } paths[] = {
        { "s, public", "create table s.t (a int references p)" },
        { "\"S x\"", "create table \"S x\".t (a int references p)" },
        { "\"$user\", public", NULL },
        { "app, public", NULL },
        { "pg_temp, s", NULL },
        { NULL, NULL },
    };
    const char *sql = "create table t (a int references p)";
    struct pol *p = policy_of(ASKS("schema-qualified", ""));

    for (size_t i = 0; i < DG_ARRAY_SIZE(paths); i++) {
        AUTO(arena_free) struct arena *a = arena_new();
        AUTO(pol_findings_deinit) struct pol_findings f;
        struct pol_session s = { .role = "app", .search_path = paths[i].path };
        struct policy_text t, u;
        struct pol_rewrite rw;
        const char *why = NULL;
        size_t len;

        policy_text_init(&t, sql, NULL);
        pol_findings_init(&f);
        pol_judge_text(p, &s, &t.text, &f);
        pol_rewrite_init(&rw, a);
        for (size_t k = 0; k < f.n; k++) {
            if (f.items[k].object && strcmp(f.items[k].object->name, "t") == 0
                && strcmp(f.items[k].rule, "schema-qualified") == 0)
                ck_assert_int_eq(
                    pol_rewrite_add(&rw, p, &f.items[k], &t.text, 0, false, &why) == 0,
                    paths[i].want != NULL);
        }
        AUTO(mem_free) char *out = sql_edits_apply(&rw.edits, sql, strlen(sql), &len);
        ck_assert_str_eq(out, paths[i].want ? paths[i].want : sql);
        policy_text_init(&u, out, NULL);
        ck_assert(sql_trees_same(t.tree, u.tree, rw.changes));
        policy_text_deinit(&u);
        policy_text_deinit(&t);
        pol_rewrite_deinit(&rw);
    }
    ref_drop(p);
}
END_TEST

START_TEST(timeouts_are_the_strictest)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct pol *p = policy_of(ASKS("require-lock-timeout",
        "value = 3s\n") "[check require-statement-timeout]\naction = warn\n"
                        "[check create-trigger]\naction = rewrite\nrewrite_else = warn\n");
    struct policy_text t;
    struct pol_rewrite rw;
    size_t n;

    policy_text_init(
        &t, "create trigger x before insert on t execute function f()", NULL);
    pol_rewrite_init(&rw, a);
    ck_assert_ptr_null(rewrite_all(p, &t, "create-trigger", &rw, &n));
    ck_assert_int_eq(rw.timeout_ms[POL_LOCK_TIMEOUT], 3000);
    ck_assert_int_eq(rw.timeout_ms[POL_STATEMENT_TIMEOUT], 0);
    ck_assert_ptr_null(rewrite_all(p, &t, "require-statement-timeout", &rw, &n));
    ck_assert_int_eq(rw.timeout_ms[POL_STATEMENT_TIMEOUT], 60000);
    ck_assert_str_eq(rw.did, "lock_timeout = 3s, statement_timeout = 1min");
    ck_assert_int_eq(pol_rewrite_else(p, "create-trigger"), DG_WARN);
    ck_assert_int_eq(pol_rewrite_else(p, "add-fk-not-valid"), DG_REJECT);
    ck_assert(pol_rewrite_is_timeout("create-trigger"));
    ck_assert(!pol_rewrite_is_timeout("add-fk-not-valid"));
    pol_rewrite_deinit(&rw);
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/rewrite");
    TCase *tc = tcase_create("rewrite");

    tcase_add_loop_test(tc, statements_get_their_safe_form, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(tc, files_get_their_safe_form, 0, DG_ARRAY_SIZE(files));
    tcase_add_loop_test(tc, steps_go_by_what_the_server_says, 0, DG_ARRAY_SIZE(steps));
    tcase_add_test(tc, a_partition_is_dropped_with_a_timeout_at_least);
    tcase_add_test(tc, a_file_gets_its_row);
    tcase_add_test(tc, added_statements_are_told_from_others);
    tcase_add_test(tc, the_schema_is_the_sessions);
    tcase_add_test(tc, timeouts_are_the_strictest);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
