// SPDX-License-Identifier: ISC
/* The policies that are shipped: each loads, and does what its comments say. */
#include "lib/policy.h"

struct pack_case {
    const char *policy, *role, *sql, *want;
    enum dg_action decision;
};

#define INDEX "create index on orders (note)"
#define KEY   "alter table orders add customer int references customers"

static const struct pack_case cases[] = {
    { "audit-only", "app", "select 1", "", DG_ALLOW },
    { "audit-only", "app", "create table a ()", "reject migration-first?", DG_ALLOW },
    { "audit-only", "app", "drop table a",
        "reject migration-first?, reject drop-table?", DG_ALLOW },
    { "audit-only", "app", "alter table a frobnicate",
        "reject unparsable-statement?, reject migration-first?", DG_ALLOW },
    { "audit-only", "app", "drop database shop", "reject drop-database?", DG_ALLOW },

    { "development", "app", "create table a ()", "note migration-first", DG_NOTE },
    { "development", "app", "drop table a", "note migration-first, warn drop-table",
        DG_WARN },
    { "development", "app", INDEX, "note migration-first, note add-index-concurrently",
        DG_NOTE },
    { "development", "app", KEY, "note migration-first, warn fk-index", DG_WARN },
    { "development", "app", "alter table a add x int not null",
        "note migration-first, warn not-null-needs-default", DG_WARN },
    { "development", "app", "alter table a frobnicate",
        "warn 10 cluster wide, warn unparsable-statement, note migration-first",
        DG_WARN },
    { "development", "app", "drop database shop",
        "warn 10 cluster wide, reject drop-database", DG_REJECT },
    { "development", "app", "create temp table a ()", "", DG_ALLOW },

    { "staging", "app", "create table a ()", "reject migration-first", DG_REJECT },
    { "staging", "app", INDEX, "reject migration-first, warn add-index-concurrently",
        DG_REJECT },
    { "staging", "app", "drop table a", "reject migration-first, hold drop-table",
        DG_REJECT },
    { "staging", "app", "call p()", "reject migration-first, warn ddl-hidden-in-code",
        DG_REJECT },
    { "staging", "app", "truncate a", "", DG_ALLOW },
    { "staging", "app", "drop owned by app",
        "reject 10 cluster wide, reject migration-first, reject drop-owned",
        DG_REJECT },
    { "staging", "app", "alter system set fsync = off",
        "reject 10 cluster wide, reject alter-system", DG_REJECT },

    { "production", "app", "create table a ()", "reject migration-first", DG_REJECT },
    { "production", "app", "drop table a", "reject migration-first, reject drop-table",
        DG_REJECT },
    { "production", "app", KEY, "reject migration-first, reject fk-index", DG_REJECT },
    { "production", "app", "truncate a", "hold 20 emptying tables", DG_HOLD },
    { "production", "app", "drop database shop",
        "reject 10 cluster wide, reject drop-database", DG_REJECT },
    { "production", "app", "vacuum a", "", DG_ALLOW },
    { "production", "app", "create temp table a (); insert into a values (1)", "",
        DG_ALLOW },

    { "numbered-sql", "app", "create table a ()",
        "reject 10 only deployers change the schema, reject migration-first",
        DG_REJECT },
    { "numbered-sql", "app", "select 1", "", DG_ALLOW },
    { "numbered-sql", "app", "truncate a", "", DG_ALLOW },
    { "numbered-sql", "app", "insert into schema_migrations values ('7')",
        "reject 10 only deployers change the schema", DG_REJECT },
    { "numbered-sql", "deploy", "create table a ()",
        "allow 30 deployers, reject "
        "migration-first",
        DG_REJECT },
    { "numbered-sql", "deploy_ci", "drop database shop",
        "reject 20 cluster wide, reject drop-database", DG_REJECT },

    { "flyway", "app", "create table a ()",
        "reject 10 only flyway changes the schema, reject migration-first", DG_REJECT },
    { "flyway", "flyway", "create table a ()",
        "allow 30 flyway, reject migration-first", DG_REJECT },
    { "flyway", "flyway", INDEX,
        "allow 30 flyway, reject migration-first, reject add-index-concurrently",
        DG_REJECT },
    { "flyway", "app", "insert into t values (1)", "", DG_ALLOW },
};

static struct pol *
load(const char *name)
{
    AUTO(mem_free) char *path = mem_printf("%s/policies/%s.ini", SOURCE_ROOT, name);
    struct pol *p = NULL;
    struct err err = { "" };
    ck_assert_msg(pol_load(path, false, &p, &err) == 0, "%s", err.text);
    return p;
}

START_TEST(shipped_policy_does_what_it_says)
{
    const struct pack_case *c = &cases[_i];
    struct pol *p = load(c->policy);
    struct pol_session s = { .role = c->role, .database = "shop" };
    struct policy_text t;
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[400];

    pol_findings_init(&f);
    policy_text_init(&t, c->sql, "schema_migrations");
    struct pol_history *h = mem_array(t.tree->n + 1, sizeof(*h));
    for (size_t i = 0; i < t.tree->n; i++)
        h[i].is_known = true;
    t.text.history = h;
    pol_judge_text(p, &s, &t.text, &f);
    ck_assert_msg(strcmp(policy_line(&f, got, sizeof(got)), c->want) == 0,
        "%s, %s, %s: got \"%s\", want \"%s\"", c->policy, c->role, c->sql, got,
        c->want);
    ck_assert_msg(f.action == c->decision, "%s, %s, %s: decision %s", c->policy,
        c->role, c->sql, dg_action_name(f.action));
    policy_text_deinit(&t);
    mem_free(h);
    ref_drop(p);
}
END_TEST

static void
collect(void *ctx, const char *name, const char *value)
{
    snprintf(ctx, 64, "%s=%s", name, value);
}

START_TEST(deploying_roles_wait_for_no_lock_for_long)
{
    static const char *const packs[] = { "numbered-sql", "flyway" };
    static const char *const roles[] = { "deploy", "flyway" };
    struct pol *p = load(packs[_i]);
    struct pol_session deploy = { .role = roles[_i] }, app = { .role = "app" };
    char got[64] = "";
    pol_startup(p, &app, collect, got);
    ck_assert_str_eq(got, "");
    pol_startup(p, &deploy, collect, got);
    ck_assert_str_eq(got, "lock_timeout=5s");
    ref_drop(p);
}
END_TEST

START_TEST(safe_migration_of_every_kind_passes_production)
{
    struct pol *p = load("production");
    struct policy_text t;
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[400];
    pol_findings_init(&f);
    policy_text_init(&t,
        "create table customers (id bigint generated always as identity primary key);"
        "create table orders (id bigint primary key, customer_id bigint references "
        "customers);"
        "create index on orders (customer_id);"
        "alter table items add column note text not null default '';"
        "create index concurrently on items (note);"
        "create view v as select 1; drop view v; comment on table orders is 'x';",
        NULL);
    pol_judge_unit(p, &t.text, &f);
    ck_assert_str_eq(policy_line(&f, got, sizeof(got)), "");
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

/* Examples in comments are indented by three spaces. */
START_TEST(commented_examples_can_be_uncommented)
{
    static const char *const packs[] = { "audit-only", "development", "staging",
        "production", "numbered-sql", "flyway" };
    static const int n_examples[] = { 1, 0, 2, 3, 0, 0 };
    AUTO(mem_free)
    char *path = mem_printf("%s/policies/%s.ini", SOURCE_ROOT, packs[_i]);
    char line[300], text[20000] = "";
    size_t n = 0;
    int found = 0;
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    while (fgets(line, sizeof(line), in)) {
        const char *from = strncmp(line, "#   ", 4) == 0 ? line + 4 : line;
        found += from != line && *from == '[';
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", from);
    }
    fclose(in);
    ck_assert_int_eq(found, n_examples[_i]);
    ck_assert_uint_lt(n, sizeof(text));
    /* a header's example may stand before [policy]; sections may come in any order */
    ref_drop(policy_of(text));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/packs");
    TCase *tc = tcase_create("packs");
    tcase_add_loop_test(tc, shipped_policy_does_what_it_says, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(tc, deploying_roles_wait_for_no_lock_for_long, 0, 2);
    tcase_add_test(tc, safe_migration_of_every_kind_passes_production);
    tcase_add_loop_test(tc, commented_examples_can_be_uncommented, 0, 6);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
