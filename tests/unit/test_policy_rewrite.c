// SPDX-License-Identifier: ISC
/* The safe form that a rule makes of a statement: the text, what is proposed for later, and
 * why not. Each result is read again: it differs in what was meant only, and the rule finds
 * nothing more to rewrite in it. */
#include "policy/rewrite.h"

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
    /* settings */
    { "lock_timeout", "require-lock-timeout", "value = 3s\n",
        "alter table t add column a int", "alter table t add column a int", NULL,
        false },
    { "inside DO", "drop-cascade", "", "do $$ begin drop table t cascade; end $$", NULL,
        "it stands inside another statement", false },
};

/* Adds all findings of the rule; NULL, or why one could not be. */
static const char *
rewrite_all(const struct pol *p, const struct policy_text *t, const char *rule,
    struct pol_rewrite *rw, size_t *n_found)
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
        if (pol_rewrite_add(rw, p, &f.items[i], &t->text, f.items[i].fact, false, &why)
            == 0)
            why = NULL;
    }
    return why;
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
    tcase_add_test(tc, timeouts_are_the_strictest);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
