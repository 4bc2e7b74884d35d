// SPDX-License-Identifier: ISC
/* The policies that are shipped: each loads, and does what its comments say. */
#include "lib/policy.h"

struct pack_case {
    const char *policy, *role, *sql, *want;
    enum dg_action decision;
};

#define INDEX "create index on orders (note)"
#define KEY   "alter table orders add customer int references customers"

/* What the teams' standards say of a table without anything. */
#define BARE_TABLE                                                                   \
    "reject require-primary-key, reject created-updated-at, reject tenant-id, warn " \
    "soft-delete, note idempotent-create"

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
        "reject 10 only deployers change the schema, reject migration-first, " BARE_TABLE,
        DG_REJECT },
    { "numbered-sql", "app", "select 1", "", DG_ALLOW },
    { "numbered-sql", "app", "truncate a", "", DG_ALLOW },
    { "numbered-sql", "app", "insert into schema_migrations values ('7')",
        "reject 10 only deployers change the schema", DG_REJECT },
    { "numbered-sql", "deploy", "create table a ()",
        "allow 30 deployers, reject migration-first, " BARE_TABLE, DG_REJECT },
    { "numbered-sql", "deploy_ci", "drop database shop",
        "reject 20 cluster wide, reject drop-database, note idempotent-drop",
        DG_REJECT },

    { "flyway", "app", "create table a ()",
        "reject 10 only flyway changes the schema, reject migration-first, note "
        "schema-qualified, " BARE_TABLE,
        DG_REJECT },
    { "flyway", "flyway", "create table a ()",
        "allow 30 flyway, reject migration-first, note schema-qualified, " BARE_TABLE,
        DG_REJECT },
    { "flyway", "flyway", INDEX,
        "allow 30 flyway, reject migration-first, reject add-index-concurrently, reject "
        "index-name, note schema-qualified, note idempotent-create",
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

/* ---- the standards of teams: migration files ---- */

struct file_case {
    const char *policy, *name, *file, *sql, *want;
};

#define OWN_COLUMNS                                                                   \
    "created_at timestamptz not null default now(), updated_at timestamptz not null " \
    "default now(), deleted_at timestamptz"
#define GOOD_TABLES                                                                               \
    "-- SHOP-17: orders of customers\n"                                                           \
    "create table if not exists public.tenants (id uuid primary key default "                     \
    "gen_random_uuid(), " OWN_COLUMNS ");"                                                        \
    "create index if not exists idx_tenants_deleted_at on public.tenants (deleted_at);"           \
    "create table if not exists public.orders (id uuid primary key default "                      \
    "gen_random_uuid(), tenant_id uuid not null, constraint fk_orders_tenant_id foreign "         \
    "key (tenant_id) references public.tenants (id) on delete restrict, " OWN_COLUMNS             \
    ");"                                                                                          \
    "create index if not exists idx_orders_tenant_id_created_at on public.orders "                \
    "(tenant_id, created_at);"                                                                    \
    "create index if not exists idx_orders_id_note on public.orders (id, note) where deleted_at " \
    "is null;"

static const struct file_case files[] = {
    { "flyway", "in the team's standards", "V13__orders.sql", GOOD_TABLES, "" },
    { "flyway", "against them", "V13__orders.sql",
        "create table \"Orders\" (id int primary key, doc json, made timestamp);"
        "create index i on \"Orders\" (doc);",
        "note idempotent-create, note schema-qualified, warn change-description-required, "
        "reject created-updated-at, reject index-name, "
        "reject issue-reference-required, reject prefer-bigint-key, reject "
        "prefer-timestamptz, reject snake-case, reject tenant-id, reject uuid-primary-key, "
        "warn prefer-jsonb, warn soft-delete" },
    { "flyway", "an index alone, as its .conf lets it", "V14__index.sql",
        "-- SHOP-18: find notes faster\n"
        "create index concurrently if not exists idx_orders_note on public.orders (note);",
        "" },
    { "flyway", "an index beside something else", "V14__index.sql",
        "-- SHOP-18: find notes faster\n"
        "alter table public.orders add column if not exists note text;"
        "create index concurrently if not exists idx_orders_note on public.orders (note);",
        "reject concurrently-in-transaction" },
    { "flyway", "COMMIT of its own", "V14__x.sql",
        "-- SHOP-18: a remark for each\n"
        "alter table public.orders add column if not exists note text; commit;",
        "reject tx-explicit-commit" },
    { "flyway", "undo", "U13__orders.sql", "-- SHOP-17: take it back\nselect 1;",
        "reject migration-down-blocked" },
    { "flyway", "an exception that the team can see", "V15__drop.sql",
        "-- SHOP-19: nobody reads the old remark\n"
        "-- ddlgate: allow drop-column empty since release 12\n"
        "alter table public.orders drop column if exists remark;",
        "warn drop-column" },
    { "numbered-sql", "in the team's standards", "013_orders.sql",
        "begin; " GOOD_TABLES
        "insert into schema_migrations (version) values ('013'); commit;",
        "" },
    { "numbered-sql", "no transaction, no row", "013_note.sql",
        "-- SHOP-18: a remark for each\n"
        "alter table public.orders add column if not exists note text;"
        "alter table public.orders add column if not exists mark text;",
        "reject migration-recorded, reject tx-wrap-required, note require-lock-timeout" },
    { "numbered-sql", "down", "013_orders.down.sql",
        "-- SHOP-18: back\n-- everything of it\nselect 1;",
        "reject migration-down-blocked" },
    { "numbered-sql", "foreign key without index and ON DELETE", "014_items.sql",
        "begin; -- SHOP-18: items of orders\n"
        "alter table public.items add column if not exists order_id uuid constraint "
        "fk_items_order_id references public.orders;"
        "insert into schema_migrations (version) values ('014'); commit;",
        "reject fk-index, reject fk-on-delete, note require-lock-timeout" },
    { "prisma", "as prisma migrate dev makes it", "20260712_user/migration.sql",
        "-- SHOP-20\n-- CreateTable\n"
        "CREATE TABLE \"User\" (\"id\" BIGSERIAL NOT NULL, \"email\" TEXT NOT NULL, "
        "\"createdAt\" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP, \"updatedAt\" "
        "TIMESTAMPTZ NOT NULL, CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\"));\n"
        "-- CreateIndex\nCREATE UNIQUE INDEX \"User_email_key\" ON \"User\"(\"email\");",
        "" },
    { "prisma", "with its default types and a forgotten index",
        "20260712_shop_21/migration.sql",
        "-- CreateTable\n"
        "CREATE TABLE \"Post\" (\"id\" SERIAL NOT NULL, \"authorId\" INTEGER NOT NULL, "
        "\"createdAt\" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, CONSTRAINT "
        "\"Post_pkey\" PRIMARY KEY (\"id\"));\n"
        "-- AddForeignKey\nALTER TABLE \"Post\" ADD CONSTRAINT \"Post_authorId_fkey\" FOREIGN KEY "
        "(\"authorId\") REFERENCES \"User\"(\"id\") ON DELETE CASCADE ON UPDATE CASCADE;",
        "reject fk-index, warn created-updated-at, warn fk-cascade-ban, warn "
        "issue-reference-required, warn prefer-bigint-key, warn prefer-timestamptz" },
    { "prisma", "CONCURRENTLY beside another statement",
        "20260713_shop-22/migration.sql",
        "-- an index for notes\nALTER TABLE \"User\" ADD COLUMN \"note\" TEXT;"
        "CREATE INDEX CONCURRENTLY \"User_note_idx\" ON \"User\"(\"note\");",
        "reject concurrently-in-transaction" },
    { "alembic", "by the naming convention", NULL,
        "CREATE TABLE orders (id BIGINT GENERATED BY DEFAULT AS IDENTITY, customer_id BIGINT "
        "NOT NULL, created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, updated_at "
        "TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, CONSTRAINT pk_orders PRIMARY KEY "
        "(id), CONSTRAINT fk_orders_customer_id_customers FOREIGN KEY(customer_id) REFERENCES "
        "customers (id) ON DELETE RESTRICT);"
        "CREATE INDEX ix_orders_customer_id ON orders (customer_id);"
        "UPDATE alembic_version SET version_num='b' WHERE alembic_version.version_num = 'a'",
        "warn fk-in-create-table" },
    { "alembic", "without one", NULL,
        "CREATE TABLE orders (id SERIAL NOT NULL, made TIMESTAMP WITHOUT TIME ZONE, "
        "PRIMARY KEY (id), UNIQUE (made));"
        "ALTER TABLE items ALTER COLUMN note SET NOT NULL;",
        "reject constraint-named, reject prefer-timestamptz, reject set-not-null-scan, "
        "reject unique-name, warn created-updated-at, warn pk-name, warn "
        "prefer-bigint-key" },
    { "alembic", "its own table", NULL,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT "
        "alembic_version_pkc PRIMARY KEY (version_num))",
        "warn pk-name" },
};

static int
by_line(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Rules in the order of the alphabet, each once. */
static void
sorted_rules(const struct pol_findings *f, char *out, size_t size)
{
    char lines[64][80];
    const char *list[64];
    size_t n = 0, at = 0;

    for (size_t i = 0; i < f->n && n < 64; i++) {
        snprintf(lines[n], sizeof(lines[n]), "%s %s",
            dg_action_name(f->items[i].action), f->items[i].rule);
        list[n] = lines[n];
        n++;
    }
    qsort(list, n, sizeof(*list), by_line);
    *out = '\0';
    for (size_t i = 0; i < n && at < size; i++) {
        if (i && strcmp(list[i], list[i - 1]) == 0)
            continue;
        at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", list[i]);
    }
}

static void
in_same_order(const char *want, char *out, size_t size)
{
    struct str rest = str_of(want), item;
    char copies[64][80];
    const char *list[64];
    size_t n = 0, at = 0;

    while (n < 64 && str_next_item(&rest, &item)) {
        snprintf(copies[n], sizeof(copies[n]), "%.*s", (int)item.n, item.p);
        list[n] = copies[n];
        n++;
    }
    qsort(list, n, sizeof(*list), by_line);
    *out = '\0';
    for (size_t i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", list[i]);
}

START_TEST(team_standard_judges_files_as_it_says)
{
    const struct file_case *c = &files[_i];
    struct pol *p = load(c->policy);
    struct policy_text t;
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[1000], want[1000];
    pol_findings_init(&f);
    policy_text_init(&t, c->sql, NULL);
    t.text.file = c->file;
    pol_judge_unit(p, &t.text, &f);
    sorted_rules(&f, got, sizeof(got));
    in_same_order(c->want, want, sizeof(want));
    ck_assert_msg(strcmp(got, want) == 0, "%s, %s: got \"%s\", want \"%s\"", c->policy,
        c->name, got, want);
    policy_text_deinit(&t);
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
    static const char *const packs[] = { "numbered-sql", "flyway", "prisma",
        "alembic" };
    static const char *const roles[] = { "deploy", "flyway", "prisma", "alembic" };
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
        "production", "numbered-sql", "flyway", "prisma", "alembic" };
    static const int n_examples[] = { 1, 0, 4, 5, 0, 0, 0, 0 };
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
    tcase_add_loop_test(
        tc, team_standard_judges_files_as_it_says, 0, DG_ARRAY_SIZE(files));
    tcase_add_loop_test(tc, deploying_roles_wait_for_no_lock_for_long, 0, 4);
    tcase_add_test(tc, safe_migration_of_every_kind_passes_production);
    tcase_add_loop_test(tc, commented_examples_can_be_uncommented, 0, 8);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
