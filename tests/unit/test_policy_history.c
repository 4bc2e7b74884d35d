// SPDX-License-Identifier: ISC
/* What policy makes of the migration history: who is refused, with which words, and what
 * `unmigrated` and an unknown history mean. */
#include "lib/hist.h"
#include "lib/policy.h"

#define STAGING   "[policy]\nenvironment = staging\n"
#define NOTE      "[policy]\nenvironment = staging\nunmigrated = note\n"
#define ALLOW     "[policy]\nenvironment = staging\nunmigrated = allow\n"
#define CAPTURE   "[policy]\nenvironment = development\nunmigrated = capture\n"
#define NOW       INT64_C(1795176000000000)
#define N_COLUMNS 10
#define NEXT      "db/migration/V5__alter_orders.sql"

static const struct hist_file files[] = {
    { "V1__users.sql", "create table users (id int primary key);" },
    { "V2__orders.sql",
        "create table orders (id int primary key);\n"
        "create table if not exists notes (id int primary key);" },
    { "V3__note.sql", "alter table orders add column note text;" },
    { "V4__gone.sql", "drop table notes;" },
    { NULL, NULL },
};

enum scene {
    NORMAL,  /* V1, V2 applied */
    EDITED,  /* V2 has another checksum */
    ORDER,   /* V3 applied, V2 not */
    FAILED,  /* V2 failed */
    GONE,    /* V1, V2 and a version without a file applied */
    EMPTY,   /* no table yet */
    UNKNOWN, /* can't be read */
    NONE,    /* no [migrations] section */
    OFFLINE, /* nobody asked */
};

struct row {
    int migration; /* index of files */
    bool is_edited, is_failed, is_gone;
};

static const struct {
    struct row rows[3];
    size_t n;
} scenes[] = {
    [NORMAL] = { { { .migration = 0 }, { .migration = 1 } }, 2 },
    [EDITED] = { { { .migration = 0 }, { .migration = 1, .is_edited = true } }, 2 },
    [ORDER] = { { { .migration = 0 }, { .migration = 2 } }, 2 },
    [FAILED] = { { { .migration = 0 }, { .migration = 1, .is_failed = true } }, 2 },
    [GONE] = { { { .migration = 0 }, { .migration = 1 },
                   { .migration = 1, .is_gone = true } },
        3 },
};

static struct hist_env env;

static void
load_env(void)
{
    hist_env_files(&env, "flyway", files);
    hist_env_load(&env);
}

static void
free_env(void)
{
    hist_env_free(&env);
}

static void
set_scene(enum scene scene)
{
    const char *cells[4 * N_COLUMNS];
    size_t n = 0;

    if (scene >= EMPTY) {
        hist_env_read(&env, NULL, N_COLUMNS);
        return;
    }
    for (size_t i = 0; i < scenes[scene].n; i++) {
        const struct row *r = &scenes[scene].rows[i];
        const struct hist_migration *m = hist_env_find(&env, files[r->migration].name);
        const char *row[N_COLUMNS] = { i ? "2" : "1", m->version, m->name, "SQL",
            m->file, r->is_edited ? "4711" : m->checksum, "me", "2026-01-01", "5",
            r->is_failed ? "f" : "t" };
        if (r->is_gone) {
            row[1] = "2.5";
            row[2] = "gone";
            row[4] = "V2.5__gone.sql";
        }
        memcpy(cells + n, row, sizeof(row));
        n += N_COLUMNS;
    }
    cells[n] = HIST_END;
    hist_env_read(&env, cells, N_COLUMNS);
}

/* As the gate fills it, without what a session knows of its transaction. */
static void
fill(enum scene scene, const struct policy_text *t, struct pol_history *h)
{
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        if (f->parent >= 0) {
            h[i] = h[f->parent];
            continue;
        }
        h[i].is_known = scene != UNKNOWN;
        h[i].why = scene == UNKNOWN ? "connection refused" : NULL;
        h[i].view = scene < UNKNOWN ? env.view : NULL;
        if (h[i].view)
            h[i].match = hist_match(env.view, f, &t->scan.stmts[f->stmt].digest);
    }
}

static void
judge(enum scene scene, const char *ini, const char *role, const char *sql,
    const struct pol_history *set, struct pol_findings *f)
{
    struct pol *p = policy_of(ini);
    struct pol_session s = { .role = role, .now_us = NOW };
    struct policy_text t;

    set_scene(scene);
    policy_text_init(&t, sql, "flyway_schema_history");
    struct pol_history *h = mem_array(t.tree->n + 1, sizeof(*h));
    fill(scene, &t, h);
    if (set) {
        h[0].write = set->write;
        h[0].write_reason = set->write_reason;
        h[0].write_migration = set->write_migration;
        size_t last = t.tree->n - 1; /* what ends the transaction */
        h[last].unrecorded_why = set->unrecorded_why;
        h[last].is_unrecorded_before = set->is_unrecorded_before;
    }
    t.text.history = scene == OFFLINE ? NULL : h;
    t.text.next_file = scene < UNKNOWN ? NEXT : NULL;
    pol_judge_text(p, &s, &t.text, f);
    policy_text_deinit(&t);
    mem_free(h);
    ref_drop(p);
}

/* ---- decisions ---- */

struct history_case {
    const char *name;
    enum scene scene;
    const char *policy, *sql, *want;
};

static const struct history_case cases[] = {
    { "pending statement", NORMAL, STAGING, "ALTER TABLE orders ADD COLUMN note text",
        "" },
    { "a pending statement was judged with its file", NORMAL, STAGING,
        "drop table notes", "" },
    { "in no file", NORMAL, STAGING, "alter table orders add x int",
        "reject migration-first" },
    { "another constant is another statement", NORMAL, STAGING,
        "alter table orders add column note text default 'x'",
        "reject migration-first" },
    { "applied", NORMAL, STAGING, "create table users (id int primary key)",
        "reject migration-first" },
    { "applied, may be repeated", NORMAL, STAGING,
        "create table if not exists notes (id int primary key)", "" },
    { "the tool's own table", EMPTY, STAGING,
        "create table if not exists flyway_schema_history (x int)",
        "reject migration-first" },
    { "nothing applied yet", EMPTY, STAGING, "create table users (id int primary key)",
        "" },
    { "queries", NORMAL, STAGING, "select 1", "" },
    { "maintenance needs no migration", NORMAL, STAGING, "vacuum users; truncate users",
        "" },
    { "roles need no migration", NORMAL, STAGING, "create role x", "" },
    { "grants do", NORMAL, STAGING, "grant select on users to x",
        "reject migration-first" },
    { "functions do", NORMAL, STAGING,
        "create function f() returns int language sql as 'select 1'",
        "reject migration-first" },
    { "functions don't where code is no schema", NORMAL, STAGING "migrate = ddl, dcl\n",
        "create function f() returns int language sql as 'select 1'", "" },
    { "roles do where cluster is", NORMAL, STAGING "migrate = ddl, cluster\n",
        "create role x", "reject migration-first" },
    { "temporary tables don't", NORMAL, STAGING, "create temp table x (a int)", "" },
    { "a statement says it once, whatever is in it", NORMAL, STAGING,
        "create schema s create table a (x int) create view v as select 1",
        "reject migration-first" },
    { "inside EXPLAIN", NORMAL, STAGING, "explain analyze create table x as select 1",
        "reject migration-first" },
    { "each statement of a text", NORMAL, STAGING,
        "create table a (); create table b ()",
        "reject migration-first, reject migration-first" },
    { "one of several is pending", NORMAL, STAGING,
        "alter table orders add column note text; create table b ()",
        "reject migration-first" },
    { "other checks run for what is in no migration", NORMAL, STAGING,
        "create index on users (id)",
        "reject migration-first, warn add-index-concurrently" },
    { "what can't be read", NORMAL, STAGING, "alter table users frobnicate",
        "reject unparsable-statement, reject migration-first" },
    /* unmigrated */
    { "unmigrated = note", NORMAL, NOTE, "create table a ()", "note migration-first" },
    { "unmigrated = allow", NORMAL, ALLOW, "create table a ()", "" },
    { "unmigrated = capture", NORMAL, CAPTURE, "create table a ()",
        "note migration-first (captured)" },
    { "an applied one once more is captured", NORMAL, CAPTURE,
        "create table users (id int primary key)", "note migration-first (captured)" },
    { "what can't be captured", NORMAL, CAPTURE, "create table a as select '${x}' as x",
        "reject migration-first" },
    { "captured only if the history is known", UNKNOWN, CAPTURE, "create table a ()",
        "reject migration-first" },
    { "captured only where there are files", NONE, CAPTURE, "create table a ()",
        "reject migration-first" },
    { "a section that lets pass captures nothing", NORMAL,
        CAPTURE "[access a]\naction = allow\nunmigrated = note\n", "create table a ()",
        "allow a, note migration-first" },
    { "a pending one is not captured", NORMAL, CAPTURE,
        "alter table orders add column note text", "" },
    { "development notes", NORMAL, "[policy]\nenvironment = development\n",
        "create table a ()", "note migration-first" },
    { "by its check", NORMAL, STAGING "[check migration-first]\naction = hold\n",
        "create table a ()", "hold migration-first" },
    /* states */
    { "out of order", ORDER, STAGING, "create table orders (id int primary key)",
        "reject migration-out-of-order" },
    { "out of order, said once for the file", ORDER, STAGING,
        "create table orders (id int primary key); create table if not exists notes (id int "
        "primary key)",
        "reject migration-out-of-order" },
    { "out of order in development", ORDER, "[policy]\nenvironment = development\n",
        "create table orders (id int primary key)", "warn migration-out-of-order" },
    { "after a failed one", FAILED, STAGING, "alter table orders add column note text",
        "reject migration-failed-previous" },
    { "of an edited file", EDITED, STAGING, "create table orders (id int primary key)",
        "reject migration-immutable, reject migration-first" },
    { "of an edited file, warned about", EDITED,
        NOTE "[check migration-immutable]\naction = warn\n",
        "create table orders (id int primary key)",
        "warn migration-immutable, note migration-first" },
    { "nothing is applied on top of an edited file", EDITED, STAGING,
        "alter table orders add column note text", "reject migration-immutable" },
    { "said once for the edited file", EDITED, STAGING,
        "alter table orders add column note text; drop table notes",
        "reject migration-immutable" },
    { "a statement of another applied file only says that", EDITED, NOTE,
        "create table users (id int primary key)", "note migration-first" },
    { "a file is gone", GONE, STAGING, "alter table orders add column note text",
        "warn migration-missing-file" },
    { "a file is gone, said once", GONE, NOTE, "create table a (); create table b ()",
        "note migration-first, warn migration-missing-file, note migration-first" },
    { "a file is gone, and queries go on", GONE, STAGING, "select 1", "" },
    /* unknown */
    { "unknown history", UNKNOWN, STAGING, "create table a ()",
        "reject migration-first" },
    { "unknown history, note", UNKNOWN, NOTE, "create table a ()",
        "note migration-first" },
    { "unknown history, allow", UNKNOWN, ALLOW, "create table a ()", "" },
    { "unknown history and queries", UNKNOWN, STAGING, "select 1", "" },
    { "unknown history and checks", UNKNOWN, NOTE, "drop table users",
        "note migration-first, hold drop-table" },
    { "nobody asked", OFFLINE, STAGING, "create table a ()", "reject migration-first" },
    { "no [migrations] section", NONE, STAGING, "create table a ()",
        "reject migration-first" },
    { "no [migrations] section, note", NONE, NOTE, "create table a ()",
        "note migration-first" },
    { "history write, unknown history", UNKNOWN, STAGING,
        "insert into flyway_schema_history values (1)",
        "reject migration-history-write" },
    { "history write, unknown history, note", UNKNOWN, NOTE,
        "insert into flyway_schema_history values (1)",
        "note migration-history-write" },
    { "history write, unknown history, allow", UNKNOWN, ALLOW,
        "insert into flyway_schema_history values (1)", "" },
    { "history write where nothing migrates", NONE, STAGING,
        "insert into flyway_schema_history values (1)", "" },
    { "shadow of the history table", NORMAL, STAGING,
        "create temp table flyway_schema_history (x int)",
        "reject migration-history-write" },
    /* access keys that ask the history */
    { "migrated = no", NORMAL, ALLOW "[access a]\nmigrated = no\naction = reject\n",
        "create table a ()", "reject a" },
    { "migrated = no, it is", NORMAL,
        ALLOW "[access a]\nmigrated = no\naction = reject\n",
        "alter table orders add column note text", "" },
    { "migrated = no, unknown", UNKNOWN,
        ALLOW "[access a]\nmigrated = no\naction = warn\n", "create table a ()",
        "warn a" },
    { "migrated = yes is no permit when unknown", UNKNOWN,
        ALLOW
        "[access a]\nmigrated = yes\naction = allow\n[access b]\naction = reject\n",
        "create table a ()", "reject b" },
    { "migrated = unknown", UNKNOWN,
        ALLOW "[access a]\nmigrated = unknown\naction = reject\n", "create table a ()",
        "reject a" },
    { "migrated = unknown, known", NORMAL,
        ALLOW "[access a]\nmigrated = unknown\naction = reject\n", "create table a ()",
        "" },
    { "migration", NORMAL, ALLOW "[access a]\nmigration = shop/3\naction = hold\n",
        "alter table orders add column note text", "hold a" },
    { "migration of any source", NORMAL,
        ALLOW "[access a]\nmigration = 3\naction = hold\n",
        "alter table orders add column note text", "hold a" },
    { "another migration", NORMAL,
        ALLOW "[access a]\nmigration = shop/4*\naction = hold\n",
        "alter table orders add column note text", "" },
    { "in no migration", NORMAL, ALLOW "[access a]\nmigration = *\naction = hold\n",
        "create table a ()", "" },
    { "whoever may not change the schema may not record it either", NORMAL,
        STAGING "[access a]\nrole = app\nclass = ddl\naction = reject\n",
        "insert into flyway_schema_history values (1)", "reject a" },
    { "allow of ddl is no permit to write history", NORMAL,
        STAGING
        "[access a]\nclass = ddl\naction = allow\n[access b]\naction = reject\n",
        "insert into flyway_schema_history values (1)", "reject b" },
};

START_TEST(history_decides)
{
    const struct history_case *c = &cases[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[400];
    pol_findings_init(&f);
    judge(c->scene, c->policy, "app", c->sql, NULL, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
}
END_TEST

/* ---- history writes ---- */

struct write_case {
    const char *name;
    enum hist_write_verdict verdict;
    const char *reason, *want, *message, *sqlstate;
};

static const struct write_case writes[] = {
    { "honest", HIST_WRITE_OK, NULL, "", NULL, NULL },
    { "not known yet", HIST_WRITE_NEEDS_BINDS, NULL, "", NULL, NULL },
    { "not seen to run", HIST_WRITE_NOT_SEEN_RUN,
        "V3 was not seen to run in this session", "note migration-history-write",
        "V3 was not seen to run in this session", "01000" },
    { "too early", HIST_WRITE_TOO_EARLY, "V3 has not run here",
        "reject migration-history-write", "V3 has not run here", "55000" },
    { "forged", HIST_WRITE_FORGED, "version 9 is in no file",
        "reject migration-history-write", "version 9 is in no file", "42501" },
    { "forged without a reason", HIST_WRITE_FORGED, NULL,
        "reject migration-history-write", "no known migration file has these values",
        "42501" },
};

START_TEST(history_write_is_judged_by_its_verdict)
{
    const struct write_case *c = &writes[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_history h = { .write = c->verdict, .write_reason = c->reason };
    char got[200];
    pol_findings_init(&f);
    judge(
        NORMAL, STAGING, "app", "insert into flyway_schema_history values (1)", &h, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
    if (!c->message)
        return;
    CASE_STR(c, f.items[0].message, c->message);
    CASE_STR(c, f.items[0].sqlstate, c->sqlstate);
}
END_TEST

START_TEST(row_of_an_edited_migration_is_immutable_too)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_history h = { .write = HIST_WRITE_OK,
        .write_migration = hist_env_find(&env, "V2__orders.sql") };
    char got[200];
    pol_findings_init(&f);
    judge(
        EDITED, STAGING, "app", "insert into flyway_schema_history values (1)", &h, &f);
    ck_assert_str_eq(policy_line(&f, got, sizeof(got)), "reject migration-immutable");
}
END_TEST

START_TEST(restoring_role_may_write_history_with_checks_off)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_history h = { .write = HIST_WRITE_FORGED };
    char got[200];
    pol_findings_init(&f);
    judge(NORMAL,
        STAGING
        "[access a]\nrole = restore\naction = allow\nunmigrated = allow\nchecks = "
        "off\n",
        "restore", "copy flyway_schema_history from stdin", &h, &f);
    ck_assert_str_eq(policy_line(&f, got, sizeof(got)), "allow a");
    ck_assert(f.checks_off);
}
END_TEST

/* ---- the end of a transaction ---- */

#define COMPLETE "[check migration-complete]\n"
#define MAY_ALL  "[access a]\nrole = app\naction = allow\nunmigrated = allow\n"

struct end_case {
    const char *name, *policy, *sql;
    bool is_before;
    const char *want;
};

static const struct end_case ends[] = {
    { "asked for", STAGING COMPLETE, "commit", true, "reject migration-complete" },
    { "not asked for", STAGING, "commit", true, "" },
    { "two-phase", STAGING COMPLETE, "prepare transaction 'x'", true,
        "reject migration-complete" },
    { "with an action of its own", STAGING COMPLETE "action = warn\n", "end", true,
        "warn migration-complete" },
    { "in one text", STAGING COMPLETE,
        "alter table orders add column note text; commit", false,
        "reject migration-complete" },
    { "at the end of a text without COMMIT", STAGING COMPLETE,
        "alter table orders add column note text", false, "reject migration-complete" },
    { "a role that needs no migration", STAGING COMPLETE MAY_ALL,
        "alter table orders add column note text; commit", false, "allow a" },
    { "a role that needs none, behind work that does", STAGING COMPLETE MAY_ALL,
        "alter table orders add column note text; commit", true,
        "allow a, reject migration-complete" },
};

START_TEST(commit_is_judged_by_what_it_leaves_undone)
{
    const struct end_case *c = &ends[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_history h = { .unrecorded_why = "V3 has no row",
        .is_unrecorded_before = c->is_before };
    char got[200];
    pol_findings_init(&f);
    judge(NORMAL, c->policy, "app", c->sql, &h, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
}
END_TEST

/* ---- words ---- */

struct words_case {
    const char *name;
    enum scene scene;
    const char *sql, *message, *detail, *hint, *sqlstate;
};

static const struct words_case words[] = {
    { "where to put it", NORMAL, "alter table orders add x int",
        "put it into db/migration/V5__alter_orders.sql",
        "No pending migration file holds this statement; names and constants must be the "
        "same, comments and white space need not.",
        "Write it to db/migration/V5__alter_orders.sql and run the migration tool through "
        "the gate.",
        "42501" },
    { "applied already", NORMAL, "create table users (id int primary key)",
        "its migration V1__users.sql is applied already",
        "A statement of an applied migration passes again only as far as `repeat` of its "
        "[migrations] section says.",
        "If it must run once more, write it to db/migration/V5__alter_orders.sql and run the "
        "migration tool.",
        "42501" },
    { "unknown", UNKNOWN, "create table a ()", "history unknown: connection refused",
        "Whether it is part of a migration can't be known, so it counts as none.",
        "Give the gate a login of its own (`control` in [ddlgate]) that may connect here and "
        "read the history table.",
        "55000" },
    { "no section", NONE, "create table a ()",
        "no migrations are configured for this database",
        "Without a [migrations] section every schema change counts as unmigrated.",
        "Add a [migrations NAME] section for this database to the gate's configuration, or "
        "set `unmigrated` in its policy.",
        "42501" },
    { "out of order", ORDER, "create table orders (id int primary key)",
        "V2__orders.sql is below a version that is applied already",
        "Databases that run the files in another order can end up with another schema.",
        "Give V2__orders.sql the next free number, as in "
        "db/migration/V5__alter_orders.sql, then run the migration tool again.",
        "55000" },
    { "failed", FAILED, "alter table orders add column note text",
        "an earlier migration is marked failed in the history table",
        "The schema may be half of one version and half of the next.",
        "Repair what the failed migration left behind, then let the tool mark it (flyway "
        "repair), and run the migrations again.",
        "55000" },
    { "edited", EDITED, "create table orders (id int primary key)",
        "V2__orders.sql was changed after it was applied",
        "Its checksum differs from the one in the history table: a new database would get "
        "another schema than this one has.",
        "Restore V2__orders.sql as it was (version control has it) and put the change into a "
        "new migration: db/migration/V5__alter_orders.sql.",
        "42501" },
};

START_TEST(refusal_says_why_and_what_to_do)
{
    const struct words_case *c = &words[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    pol_findings_init(&f);
    judge(c->scene, STAGING, "app", c->sql, NULL, &f);
    const struct pol_finding *x = pol_findings_lead(&f);
    ck_assert_msg(x != NULL, "%s: nothing found", c->name);
    CASE_STR(c, x->message, c->message);
    CASE_STR(c, x->hint, c->hint);
    CASE_STR(c, x->sqlstate, c->sqlstate);
    CASE_STR(c, x->detail, c->detail);
}
END_TEST

/* ---- which facts need the history at all ---- */

struct tracked_case {
    const char *name, *sql;
    bool is_tracked, needs_history;
};

static const struct tracked_case tracked[] = {
    { "query", "select 1", false, false },
    { "table", "create table a ()", true, true },
    { "function", "create function f() returns int language sql as 'select 1'", true,
        true },
    { "grant", "grant select on a to b", true, true },
    { "maintenance", "truncate a", true, false },
    { "cluster", "create role a", true, false },
    { "temporary", "create temp table a ()", false, false },
    { "history", "delete from flyway_schema_history", true, true },
    { "unreadable", "alter table a frobnicate", true, true },
};

START_TEST(facts_are_tracked_by_class)
{
    const struct tracked_case *c = &tracked[_i];
    struct pol *p = policy_of(STAGING);
    struct policy_text t;
    bool needs = true;
    policy_text_init(&t, c->sql, "flyway_schema_history");
    CASE_INT(c, pol_is_tracked(p, &t.tree->facts[0], &needs), c->is_tracked);
    CASE_INT(c, needs, c->needs_history);
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

static const struct attested_case {
    const char *name, *policy;
    struct hist_attest_answer answer;
    bool is_asked;
    const char *want, *message;
} attested[] = {
    { "nothing is required", "", { .state = HIST_ATTEST_NONE }, true, "", NULL },
    { "it is no migration", "require = verified\n", { .state = HIST_ATTEST_NONE },
        false, "", NULL },
    { "nobody has", "require = verified\n", { .state = HIST_ATTEST_NONE }, true,
        "reject migration-attested", "nobody has verified it" },
    { "another text", "require = verified\n",
        { .state = HIST_ATTEST_OTHER_TEXT, .tested = HIST_VERIFIED }, true,
        "reject migration-attested", "it was changed since it was verified" },
    { "all of it", "require = verified, reversible\n",
        { .state = HIST_ATTEST_FOUND, .tested = HIST_VERIFIED | HIST_REVERSIBLE }, true,
        "", NULL },
    { "less than that", "require = verified, reversible, idempotent\n",
        { .state = HIST_ATTEST_FOUND, .tested = HIST_VERIFIED }, true,
        "reject migration-attested",
        "it was verified, but not found to be reversible, idempotent" },
    { "what can't be rolled back", "require = verified, reversible\n",
        { .state = HIST_ATTEST_FOUND, .tested = HIST_VERIFIED, .is_repeatable = true },
        true, "", NULL },
    { "nobody knows", "require = verified\n", { .state = HIST_ATTEST_UNKNOWN }, true,
        "note migration-attested", "whether it was verified is not known here" },
    { "its own action",
        "require = verified\n[check migration-attested]\naction = warn\n",
        { .state = HIST_ATTEST_NONE }, true, "warn migration-attested", NULL },
    { "only what is listed", "require = verified\nchecks = listed\n",
        { .state = HIST_ATTEST_NONE }, true, "reject migration-attested", NULL },
};

START_TEST(migrations_must_have_been_tried_out)
{
    const struct attested_case *c = &attested[_i];
    AUTO(pol_findings_deinit) struct pol_findings f;
    AUTO(mem_free)
    char *policy = mem_printf("[policy]\nenvironment = staging\n%s", c->policy);
    struct pol *p = policy_of(policy);
    struct hist_attest_answer answer = c->answer;
    struct policy_text t;
    char got[200];

    answer.source = "shop";
    policy_text_init(&t, "create table a (x int primary key)", NULL);
    t.text.attested = c->is_asked ? &answer : NULL;
    pol_findings_init(&f);
    pol_judge_unit(p, &t.text, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
    if (c->message)
        CASE_STR(c, f.items[0].message, c->message);
    policy_text_deinit(&t);
    ref_drop(p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/history");
    TCase *tc = tcase_create("history");
    tcase_add_checked_fixture(tc, load_env, free_env);
    tcase_add_loop_test(tc, history_decides, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(
        tc, history_write_is_judged_by_its_verdict, 0, DG_ARRAY_SIZE(writes));
    tcase_add_test(tc, row_of_an_edited_migration_is_immutable_too);
    tcase_add_test(tc, restoring_role_may_write_history_with_checks_off);
    tcase_add_loop_test(
        tc, commit_is_judged_by_what_it_leaves_undone, 0, DG_ARRAY_SIZE(ends));
    tcase_add_loop_test(tc, refusal_says_why_and_what_to_do, 0, DG_ARRAY_SIZE(words));
    tcase_add_loop_test(tc, facts_are_tracked_by_class, 0, DG_ARRAY_SIZE(tracked));
    tcase_add_loop_test(
        tc, migrations_must_have_been_tried_out, 0, DG_ARRAY_SIZE(attested));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
