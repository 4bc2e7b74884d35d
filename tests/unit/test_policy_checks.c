// SPDX-License-Identifier: ISC
/* The first checks that look at statements alone: what they find in a migration, what they
 * leave in peace, and that the safe form they show is in the user's own names. Each other
 * check has its examples in tests/data/policy (test_policy_rules.c), and is not looked at
 * here. */
#include "lib/policy.h"

#define PRODUCTION "[policy]\nenvironment = production\n"

/* Is the finding one of those that this file is about? */
static bool
is_ours(const struct pol_finding *x)
{
    static const char *const rules[] = { "drop-table", "drop-column",
        "add-index-concurrently", "not-null-needs-default", "fk-index",
        "ddl-hidden-in-code", "unparsable-statement", "temp-objects-exempt" };
    for (size_t i = 0; i < DG_ARRAY_SIZE(rules); i++) {
        if (strcmp(x->rule, rules[i]) == 0)
            return true;
    }
    return false;
}

static void
judge_unit(const char *ini, const char *sql, struct pol_findings *f)
{
    struct pol *p = policy_of(ini);
    struct policy_text t;
    policy_text_init(&t, sql, NULL);
    pol_judge_unit(p, &t.text, f);
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (is_ours(&f->items[i]))
            f->items[n++] = f->items[i];
    }
    f->n = n;
    policy_text_deinit(&t);
    ref_drop(p);
}

struct unit_case {
    const char *name, *sql, *want;
};

static const struct unit_case units[] = {
    { "harmless", "create table a (id int primary key); comment on table a is 'x'",
        "" },
    /* drop-table */
    { "drop table", "drop table a", "reject drop-table" },
    { "drop table if exists", "drop table if exists a", "reject drop-table" },
    { "each table", "drop table a, b", "reject drop-table, reject drop-table" },
    { "foreign table", "drop foreign table a", "reject drop-table" },
    { "materialized view", "drop materialized view a", "reject drop-table" },
    { "a view holds no data", "drop view a", "" },
    { "an index holds no data", "drop index a", "" },
    { "table of this unit", "create table a (); drop table a", "" },
    { "table made by a query", "create table a as select 1; drop table a", "" },
    { "table made by SELECT INTO", "select 1 as x into a; drop table a", "" },
    { "another schema's table of that name", "create table s.a (); drop table t.a",
        "reject drop-table" },
    { "dropped once more", "create table a (); drop table a; drop table a",
        "reject drop-table" },
    { "dropped before it is made", "drop table a; create table a ()",
        "reject drop-table" },
    { "renamed new table", "create table a (); alter table a rename to b; drop table b",
        "" },
    { "the old name is another table",
        "create table a (); alter table a rename to b; drop table a",
        "reject drop-table" },
    { "moved new table",
        "create table s.a (); alter table s.a set schema t; drop table t.a", "" },
    { "swap of old and new",
        "create table new (); alter table old rename to gone; alter table new rename to old; "
        "drop table gone",
        "reject drop-table" },
    { "perhaps it was there before", "create table if not exists a (); drop table a",
        "reject drop-table" },
    { "the name means another table after SET search_path",
        "set search_path = x; create table a (); set search_path = public; drop table a",
        "reject drop-table" },
    { "another schema takes the name",
        "create table s.a (); alter schema s rename to t; alter schema u rename to s; drop "
        "table s.a",
        "reject drop-table" },
    { "code ran in between",
        "create table a (); do $$begin perform 1; end$$; drop table a",
        "reject drop-table" },
    { "rolled back", "begin; create table a (); rollback; drop table a",
        "reject drop-table" },
    { "a trigger of it dropped in between",
        "create table a (); drop trigger if exists t on a; drop table a", "" },
    { "in one transaction", "begin; create table a (); drop table a; commit", "" },
    { "EXPLAIN makes nothing", "explain create table a as select 1; drop table a",
        "reject drop-table" },
    { "PREPARE makes nothing", "prepare p as select 1 into a; drop table a",
        "reject drop-table" },
    { "a function body makes nothing",
        "create function f() returns void language sql as 'create table a ()'; drop table a",
        "reject ddl-hidden-in-code, reject drop-table" },
    { "temporary table of this unit", "create temp table a (); drop table a", "" },
    { "temporary by name", "drop table pg_temp.a", "" },
    { "inside DO", "do $$begin drop table a; end$$",
        "reject ddl-hidden-in-code, reject drop-table" },
    { "stored in a function",
        "create function f() returns void language plpgsql as $$begin drop table a; end$$",
        "reject ddl-hidden-in-code" },
    /* drop-column */
    { "drop column", "alter table a drop column x", "reject drop-column" },
    { "two columns", "alter table a drop x, drop column if exists y",
        "reject drop-column, reject drop-column" },
    { "beside other actions", "alter table a add z int, drop x", "reject drop-column" },
    { "column of a new table", "create table a (x int); alter table a drop x", "" },
    { "column of this unit", "alter table a add x int; alter table a drop x", "" },
    { "perhaps it was there",
        "alter table a add if not exists x int; alter table a drop x",
        "reject drop-column" },
    { "the same column twice",
        "alter table a add x int; alter table a drop x; alter table a drop x",
        "reject drop-column" },
    { "constraint is no column", "alter table a drop constraint c", "" },
    { "foreign table's column", "alter foreign table a drop column x",
        "reject drop-column" },
    /* add-index-concurrently */
    { "index", "create index on a (x)", "reject add-index-concurrently" },
    { "unique index", "create unique index i on a (x)",
        "reject add-index-concurrently" },
    { "concurrently", "create index concurrently i on a (x)", "" },
    { "on a new table", "create table a (x int); create index on a (x)", "" },
    { "on a table that is perhaps new",
        "create table if not exists a (x int); create index on a (x)", "" },
    { "schema written once only",
        "create table a (x int); create index on public.a (x)", "" },
    { "another schema's", "create table s.a (x int); create index on t.a (x)",
        "reject add-index-concurrently" },
    { "on a new materialized view",
        "create materialized view a as select 1 x; create index on a (x)", "" },
    { "the table comes later", "create index on a (x); create table a (x int)",
        "reject add-index-concurrently" },
    { "on the renamed new table",
        "create table a_new (x int); alter table a_new rename to a; create index on a (x)",
        "" },
    { "after the commit it is still nobody's table",
        "begin; create table a (x int); commit; create index on a (x)", "" },
    { "ON ONLY of a partitioned table", "create index on only a (x)", "" },
    { "on a temporary table", "create temp table a (x int); create index on a (x)",
        "" },
    { "inside CREATE SCHEMA",
        "create schema s create table a (x int) create index i on a (x)", "" },
    /* not-null-needs-default */
    { "not null", "alter table a add x int not null", "reject not-null-needs-default" },
    { "nullable", "alter table a add x int", "" },
    { "with a default", "alter table a add x int not null default 0", "" },
    { "default before", "alter table a add x int default 0 not null", "" },
    { "identity", "alter table a add x int not null generated always as identity", "" },
    { "generated",
        "alter table a add x int not null generated always as (y + 1) stored", "" },
    { "serial", "alter table a add x bigserial not null", "" },
    { "primary key means not null", "alter table a add x int primary key",
        "reject not-null-needs-default" },
    { "serial primary key", "alter table a add x serial primary key", "" },
    { "columns of CREATE TABLE", "create table a (x int not null)", "" },
    { "column of a new table", "create table a (); alter table a add x int not null",
        "" },
    { "SET NOT NULL is another matter", "alter table a alter x set not null", "" },
    { "domain with a constraint is no column", "create domain d as int not null", "" },
    { "if not exists", "alter table a add if not exists x int not null",
        "reject not-null-needs-default" },
    /* fk-index */
    { "foreign key", "create table a (x int references p)", "reject fk-index" },
    { "table constraint", "create table a (x int, foreign key (x) references p (id))",
        "reject fk-index" },
    { "added constraint",
        "alter table a add constraint c foreign key (x) references p (id)",
        "reject fk-index" },
    { "added column", "alter table a add x int references p", "reject fk-index" },
    { "index before",
        "create index concurrently i on a (x); alter table a add foreign key (x) references "
        "p",
        "" },
    { "index after", "create table a (x int references p); create index on a (x)", "" },
    { "index leads with it",
        "create table a (x int references p, y int); create index on a (x, y)", "" },
    { "index does not lead with it",
        "create table a (x int references p, y int); create index on a (y, x)",
        "reject fk-index" },
    { "it is the primary key", "create table a (x int primary key references p)", "" },
    { "it leads the primary key",
        "create table a (x int references p, y int, primary key (x, y))", "" },
    { "it is second in the primary key",
        "create table a (x int, y int references p, primary key (x, y))",
        "reject fk-index" },
    { "unique column", "create table a (x int unique references p)", "" },
    { "unique constraint added later",
        "create table a (x int references p); alter table a add unique (x)", "" },
    { "two columns in any order",
        "create table a (x int, y int, foreign key (x, y) references p); create index on a "
        "(y, x)",
        "" },
    { "two columns, index on one",
        "create table a (x int, y int, foreign key (x, y) references p); create index on a "
        "(x)",
        "reject fk-index" },
    { "partial index may leave rows out",
        "create table a (x int references p); create index on a (x) where x > 0",
        "reject fk-index" },
    { "partial index that leaves out nulls only",
        "create table a (x int references p); create index on a (x) where x is not null",
        "" },
    { "gin answers another question",
        "create table a (x int references p); create index on a using gin (x)",
        "reject fk-index" },
    { "hash will do",
        "create table a (x int references p); create index on a using hash (x)", "" },
    { "index of another table",
        "create table a (x int references p); create table b (x int); create index on b (x)",
        "reject fk-index" },
    { "index on an expression",
        "create table a (x text references p); create index on a (lower(x))",
        "reject fk-index" },
    { "schema written once only",
        "create table public.a (x int references p); create index on a (x)", "" },
    { "temporary tables have no such worries",
        "create temp table a (x int references p)", "" },
    { "many keys, one index",
        "create table a (x int references p, y int references p); create index on a (y)",
        "reject fk-index" },
    /* ddl-hidden-in-code */
    { "DO with DDL", "do $$begin create table a (); end$$",
        "reject ddl-hidden-in-code" },
    { "DO without", "do $$begin perform 1; end$$", "" },
    { "DO with EXECUTE", "do $$begin execute 'drop ' || 'table a'; end$$",
        "reject ddl-hidden-in-code" },
    { "function with DDL",
        "create function f() returns void language sql as 'create view v as select 1'",
        "reject ddl-hidden-in-code" },
    { "function without", "create function f() returns int language sql as 'select 1'",
        "" },
    { "plpgsql without",
        "create function f() returns trigger language plpgsql as $$begin new.x := 1; return "
        "new; end$$",
        "" },
    { "CALL", "call p(1)", "reject ddl-hidden-in-code" },
    /* unparsable-statement */
    { "unknown syntax", "alter table a frobnicate", "reject unparsable-statement" },
    { "queries in unknown syntax", "select frobnicate from from",
        "note unparsable-statement" },
    { "no statement at all", "selec 1", "warn unparsable-statement" },
    /* temporary objects */
    { "temporary objects are exempt",
        "create temp table a (x int references p); alter table pg_temp.a add y int not null",
        "" },
};

START_TEST(migration_has_these_findings)
{
    const struct unit_case *c = &units[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[400];
    pol_findings_init(&f);
    judge_unit(PRODUCTION, c->sql, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
}
END_TEST

/* ---- defaults and overrides ---- */

struct stage_case {
    const char *name, *policy, *sql, *want;
};

static const struct stage_case stages[] = {
    { "development", "[policy]\nenvironment = development\n",
        "drop table a; create index on b (x); alter table c add x int not null references d; "
        "do $$begin create table a (); end$$; alter table a frobnicate",
        "warn drop-table, warn not-null-needs-default, note ddl-hidden-in-code, warn "
        "unparsable-statement" },
    { "staging, drop table", "[policy]\nenvironment = staging\n", "drop table a",
        "hold drop-table" },
    { "staging, drop column", "[policy]\nenvironment = staging\n",
        "alter table a drop x", "hold drop-column" },
    { "staging, index", "[policy]\nenvironment = staging\n", "create index on a (x)",
        "warn add-index-concurrently" },
    { "staging, not null", "[policy]\nenvironment = staging\n",
        "alter table a add x int not null", "reject not-null-needs-default" },
    { "staging, foreign key", "[policy]\nenvironment = staging\n",
        "alter table a add x int references p", "warn fk-index" },
    { "staging, hidden", "[policy]\nenvironment = staging\n", "call p()",
        "warn ddl-hidden-in-code" },
    { "development, table", "[policy]\nenvironment = development\n", "drop table a",
        "warn drop-table" },
    { "development, index and key are off", "[policy]\nenvironment = development\n",
        "create index on a (x); alter table a add x int references p", "" },
    { "off", PRODUCTION "[check drop-table]\naction = off\n", "drop table a", "" },
    { "observed", PRODUCTION "[check drop-table]\nmode = observe\n", "drop table a",
        "reject drop-table?" },
    { "except", PRODUCTION "[check drop-table]\nexcept = scratch.*\n",
        "drop table scratch.a, public.b", "reject drop-table" },
    { "except does not guess schemas",
        PRODUCTION "[check drop-table]\nexcept = scratch.*\n", "drop table a",
        "reject drop-table" },
    { "except by name alone", PRODUCTION "[check drop-table]\nexcept = *_deprecated\n",
        "drop table orders_deprecated", "" },
    { "except of the table for a column",
        PRODUCTION "[check drop-column]\nexcept = public.orders\n",
        "alter table public.orders drop x", "" },
    { "except of the table for an index",
        PRODUCTION "[check add-index-concurrently]\nexcept = public.*\n",
        "create index on public.orders (x)", "" },
    { "temporary objects judged", PRODUCTION "temporary = warn\n",
        "create temp table a ()", "warn temp-objects-exempt" },
};

START_TEST(policy_decides_what_findings_mean)
{
    const struct stage_case *c = &stages[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[400];
    pol_findings_init(&f);
    judge_unit(c->policy, c->sql, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
}
END_TEST

/* ---- texts ---- */

struct text_case {
    const char *name, *sql, *message, *hint, *column;
};

static const struct text_case texts[] = {
    { "drop table", "drop table public.orders",
        "the data of public.orders is lost for good",
        "Rename it, wait until nobody misses it, then drop it with a backup: ALTER TABLE "
        "public.orders RENAME TO orders_deprecated;",
        NULL },
    { "drop of a name that needs quotes", "drop table \"Order\"",
        "the data of \"Order\" is lost for good",
        "Rename it, wait until nobody misses it, then drop it with a backup: ALTER TABLE "
        "\"Order\" RENAME TO \"Order_deprecated\";",
        NULL },
    { "drop column", "alter table orders drop column note",
        "the data of orders.note is lost for good",
        "Stop reading and writing it first, mark it, and drop it in a later release: COMMENT "
        "ON COLUMN orders.note IS 'deprecated';",
        "note" },
    { "index, the user's text",
        "create unique index i on orders (lower(note), \"user\")",
        "writes to orders wait while the index builds",
        "create unique index CONCURRENTLY i on orders (lower(note), \"user\"); outside of a "
        "transaction, in a migration of its own.",
        NULL },
    { "index inside DO", "do $$begin create index i on s.orders (note); end$$",
        "writes to s.orders wait while the index builds",
        "CREATE INDEX CONCURRENTLY i ON s.orders (note); outside of a transaction, in a "
        "migration of its own.",
        NULL },
    { "not null with an obvious value",
        "alter table orders add column note text not null",
        "column note is NOT NULL and has no default",
        "ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT ''; or in steps: ALTER "
        "TABLE orders ADD COLUMN note text; fill it, then ALTER TABLE orders ALTER COLUMN "
        "note SET NOT NULL;",
        "note" },
    { "not null, number", "alter table orders add n numeric(10,2) not null",
        "column n is NOT NULL and has no default",
        "ALTER TABLE orders ADD COLUMN n numeric(10,2) NOT NULL DEFAULT 0; or in steps: "
        "ALTER TABLE orders ADD COLUMN n numeric(10,2); fill it, then ALTER TABLE orders "
        "ALTER COLUMN n SET NOT NULL;",
        "n" },
    { "not null without one", "alter table orders add \"Ref\" uuid not null",
        "column \"Ref\" is NOT NULL and has no default",
        "ALTER TABLE orders ADD COLUMN \"Ref\" uuid; fill it, then ALTER TABLE orders ALTER "
        "COLUMN \"Ref\" SET NOT NULL;",
        "Ref" },
    { "foreign key of an old table",
        "alter table public.orders add foreign key (customer_id) references customers (id)",
        "no index leads with foreign key public.orders (customer_id)",
        "CREATE INDEX CONCURRENTLY idx_orders_customer_id ON public.orders (customer_id); "
        "(in a migration of its own, outside of a transaction)",
        "customer_id" },
    { "foreign key of a new table",
        "create table orders (customer_id int references customers)",
        "no index leads with foreign key orders (customer_id)",
        "CREATE INDEX idx_orders_customer_id ON orders (customer_id);", "customer_id" },
    { "foreign key of two columns",
        "create table orders (a int, b int, foreign key (a, b) references p)",
        "no index leads with foreign key orders (a, b)",
        "CREATE INDEX idx_orders_a_b ON orders (a, b);", "a" },
    { "DO with DDL", "do $$begin create table a (); end$$",
        "its body changes the schema, where rules can't see all of it",
        "Write the schema changes as plain statements of the migration.", NULL },
    { "newline in a name", "drop table \"a\nb\"",
        "the data of \"a b\" is lost for good",
        "Rename it, wait until nobody misses it, then drop it with a backup: ALTER TABLE "
        "\"a\nb\" RENAME TO \"a\nb_deprecated\";",
        NULL },
};

START_TEST(finding_says_what_is_wrong_and_shows_the_safe_form)
{
    const struct text_case *c = &texts[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    const struct pol_finding *x = NULL;
    pol_findings_init(&f);
    judge_unit(PRODUCTION, c->sql, &f);
    for (size_t i = 0; i < f.n && !x; i++)
        if (strcmp(f.items[i].message, c->message) == 0)
            x = &f.items[i];
    ck_assert_msg(x, "%s: no finding \"%s\"; the first is \"%s\"", c->name, c->message,
        f.n ? f.items[0].message : "none");
    CASE_STR(c, x->hint, c->hint);
    CASE_STR(c, x->column ? x->column : "", c->column ? c->column : "");
    CASE_STR(c, x->sqlstate, "42501");
    ck_assert_msg(x->detail && strlen(x->detail) > 20, "%s: no detail", c->name);
    ck_assert_msg(!x->origin_file, "%s: the catalogue has no file", c->name);
}
END_TEST

/* The hints of the safe forms are statements that pass the very check they answer. */
START_TEST(safe_form_passes)
{
    static const char *const safe[] = {
        "create unique index CONCURRENTLY i on orders (lower(note), \"user\")",
        "CREATE INDEX CONCURRENTLY idx_orders_customer_id ON public.orders (customer_id);",
        "ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT ''",
        "ALTER TABLE \"Order\" RENAME TO \"Order_deprecated\";",
        "COMMENT ON COLUMN orders.note IS 'deprecated';",
    };
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[200];
    pol_findings_init(&f);
    judge_unit(PRODUCTION, safe[_i], &f);
    ck_assert_str_eq(policy_line(&f, got, sizeof(got)), "");
}
END_TEST

START_TEST(every_message_fits_the_line)
{
    char name[64], sql[800];
    memset(name, 'n', 63);
    name[63] = '\0';
    snprintf(sql, sizeof(sql),
        "drop table %s.%s; alter table %s.%s drop column %s; create index on %s.%s (x); "
        "alter table %s.%s add foreign key (%s) references p",
        name, name, name, name, name, name, name, name, name, name);
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    judge_unit(PRODUCTION, sql, &f);
    ck_assert_uint_eq(f.n, 4);
    for (size_t i = 0; i < f.n; i++)
        ck_assert_uint_le(strlen(f.items[i].message), 110);
}
END_TEST

START_TEST(check_section_words_replace_the_checks_own)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    judge_unit(PRODUCTION
        "[check drop-table]\naction = hold\nmessage = ask first\nhint = "
        "Call 4711.\nreason = we lost one\n",
        "drop table a", &f);
    ck_assert_str_eq(f.items[0].message, "needs approval: ask first");
    ck_assert_str_eq(f.items[0].hint,
        "Call 4711. This version has no approvals: have the DBA team run it, or let policy "
        "pass it with an [access] section or [check drop-table] action = warn.");
    ck_assert_ptr_nonnull(strstr(f.items[0].detail, " Reason: we lost one"));
    ck_assert_str_eq(f.items[0].sqlstate, "55000");
    ck_assert_ptr_nonnull(strstr(f.items[0].origin_file, "policy.ini"));
    ck_assert_int_eq(f.items[0].origin_line, 4);
}
END_TEST

START_TEST(too_deep_a_text_is_54001_and_an_unknown_one_42501)
{
    enum {
        DEPTH = SQL_TREE_DEFAULT_DEPTH + 10
    };
    char *sql = mem_alloc(3 * DEPTH + 100);
    size_t n = (size_t)snprintf(sql, 100, "create table a as select ");
    memset(sql + n, '(', DEPTH);
    sql[n + DEPTH] = '1';
    memset(sql + n + DEPTH + 1, ')', DEPTH);
    sql[n + 2 * DEPTH + 1] = '\0';
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    judge_unit(PRODUCTION, sql, &f);
    mem_free(sql);
    char got[200];
    ck_assert_str_eq(policy_line(&f, got, sizeof(got)), "reject unparsable-statement");
    ck_assert_str_eq(f.items[0].sqlstate, "54001");
    judge_unit(PRODUCTION, "alter table a frobnicate", &f);
    ck_assert_str_eq(f.items[1].sqlstate, "42501");
}
END_TEST

/* A client may send a great many statements about one name. */
START_TEST(many_statements_take_linear_time_and_few_findings)
{
    enum {
        N = 20000
    };
    static const char one[] = "create table a(x int primary key,y int references p);";
    char *sql = mem_alloc(N * sizeof(one) + 1), *to = sql;
    for (int i = 0; i < N; i++) {
        memcpy(to, one, sizeof(one));
        to += sizeof(one) - 1;
    }
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    judge_unit(PRODUCTION "[check fk-in-create-table]\naction = off\n", sql, &f);
    mem_free(sql);
    ck_assert_uint_eq(f.n, 1000);
    ck_assert_int_eq(f.action, DG_REJECT);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/checks");
    TCase *tc = tcase_create("checks");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, migration_has_these_findings, 0, DG_ARRAY_SIZE(units));
    tcase_add_loop_test(
        tc, policy_decides_what_findings_mean, 0, DG_ARRAY_SIZE(stages));
    tcase_add_loop_test(tc, finding_says_what_is_wrong_and_shows_the_safe_form, 0,
        DG_ARRAY_SIZE(texts));
    tcase_add_loop_test(tc, safe_form_passes, 0, 5);
    tcase_add_test(tc, every_message_fits_the_line);
    tcase_add_test(tc, check_section_words_replace_the_checks_own);
    tcase_add_test(tc, too_deep_a_text_is_54001_and_an_unknown_one_42501);
    tcase_add_test(tc, many_statements_take_linear_time_and_few_findings);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
