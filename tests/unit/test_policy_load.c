// SPDX-License-Identifier: ISC
/* Loading is strict: each fault is one line with file, line and what to write instead; and
 * what is overridden is overridden as documented. */
#include "lib/policy.h"

#include <errno.h>

#define P "[policy]\nenvironment = staging\n"

struct bad_case {
    const char *name, *policy, *want;
};

static const struct bad_case bad[] = {
    { "empty", "",
        "policy.ini: [policy] names no environment; add environment = development, staging "
        "or production" },
    { "no environment", "[policy]\nunmigrated = note\n",
        "policy.ini: [policy] names no environment; add environment = development, staging "
        "or production" },
    { "own environment without defaults", "[policy]\nenvironment = qa\n",
        "policy.ini:2: environment = qa is a name of your own; add defaults = development, "
        "staging or production, whose actions the checks take" },
    { "unknown defaults", "[policy]\nenvironment = qa\ndefaults = prod\n",
        "policy.ini:3: defaults = prod is unknown; write development, staging or "
        "production" },
    { "unknown section", P "[acess a]\n",
        "policy.ini:3: unknown section [acess a]; a policy has [policy], [access NAME] and "
        "[check ID]" },
    { "access without a name", P "[access]\n",
        "policy.ini:3: unknown section [access]; a policy has [policy], [access NAME] and "
        "[check ID]" },
    { "unknown key in [policy]", P "unmigrate = note\n",
        "policy.ini:3: unknown key \"unmigrate\" in [policy]; did you mean \"unmigrated\"?" },
    { "unknown key without a neighbour", P "colour = red\n",
        "policy.ini:3: unknown key \"colour\" in [policy]; its keys are environment, "
        "defaults, migrate, unmigrated, unparsable, temporary, mode, checks, transaction, "
        "exceptions, baseline, require, facts_timeout, when_unknown, rewrite_else, "
        "rewrite_migrated" },
    { "unknown key in [access]", P "[access a]\nrules = x\n",
        "policy.ini:4: unknown key \"rules\" in [access a]; did you mean \"role\"?" },
    { "unknown key in [check]", P "[check fk-index]\nactions = warn\n",
        "policy.ini:4: unknown key \"actions\" in [check fk-index]; did you mean "
        "\"action\"?" },
    { "except where there is none", P "[check migration-first]\nexcept = a\n",
        "policy.ini:4: unknown key \"except\" in [check migration-first]; its keys are "
        "action, message, hint, mode, reason" },
    { "unknown check with a neighbour", P "[check fk-indexes]\n",
        "policy.ini:3: unknown check \"fk-indexes\"; did you mean \"fk-index\"?" },
    { "unknown check", P "[check quick-brown-fox]\n",
        "policy.ini:3: check \"quick-brown-fox\" is unknown to this version; `ddlgate check "
        "--list` names all" },
    { "section twice", P "[policy]\nmode = observe\n",
        "policy.ini:3: [policy] stands at line 1 already; merge the two (an including file "
        "may override single keys)" },
    { "access name twice",
        P "[access a]\naction = allow\n[access a]\naction = reject\n",
        "policy.ini:5: [access a] stands at policy.ini:4 already; give one of them another "
        "name" },
    { "key twice", P "[access a]\nrole = a\nrole = b\n",
        "policy.ini:5: key \"role\" stands at line 4 of [access a] already; merge the two" },
    { "unknown action", P "unmigrated = deny\n",
        "policy.ini:3: unmigrated = deny is no action; write allow, note, warn, hold or "
        "reject" },
    { "unknown action of a check", P "[check fk-index]\naction = block\n",
        "policy.ini:4: action = block is no action; write off, note, warn, hold or reject" },
    { "rewrite without a safe form", P "[check drop-column]\naction = rewrite\n",
        "policy.ini:4: drop-column has no safe form that the gate can make by itself "
        "(`ddlgate check --list` shows which have one); use reject, which shows what to "
        "write instead" },
    { "rewrite of what only files have",
        P "[check merge-alter-table]\naction = rewrite\n",
        "policy.ini:4: merge-alter-table has no safe form that the gate can make by "
        "itself (`ddlgate check --list` shows which have one); use reject, which shows what "
        "to write instead" },
    { "rewrite in a section", P "[access a]\naction = rewrite\n",
        "policy.ini:4: action = rewrite is an action of checks, which know the safe form; "
        "use reject with a hint" },
    { "rewrite as a short form", P "unmigrated = rewrite\n",
        "policy.ini:3: unmigrated = rewrite is an action of checks; use reject, which shows "
        "the safe form" },
    { "rewrite_else of a check without a safe form",
        P "[check drop-column]\nrewrite_else = warn\n",
        "policy.ini:4: rewrite_else belongs to checks that can be rewritten, which "
        "drop-column can't" },
    { "a move to nowhere", P "[check drop-table]\naction = rewrite\n",
        "policy.ini:4: action = rewrite of drop-table moves tables to another schema: write "
        "quarantine = SCHEMA beside it" },
    { "a move to a schema of the server's",
        P "[check drop-table]\naction = rewrite\nquarantine = pg_attic\n",
        "policy.ini:3: quarantine = pg_attic: a schema's name has at most 63 bytes and "
        "doesn't begin with pg_" },
    { "rewrite_else that is neither", P "rewrite_else = hold\n",
        "policy.ini:3: rewrite_else is reject or warn, not hold" },
    { "rewrite_migrated that is neither", P "rewrite_migrated = perhaps\n",
        "policy.ini:3: rewrite_migrated is yes or no, not perhaps" },
    { "a timeout that is none", P "[check require-lock-timeout]\nvalue = 0\n",
        "policy.ini:4: value: \"0\" is not a time (2s, 500ms, 1min)" },
    { "capture elsewhere than in development",
        "[policy]\nenvironment = staging\n"
        "unmigrated = capture\n",
        "policy.ini:3: unmigrated = capture writes files for whoever tries things out: only "
        "with environment = development, not staging" },
    { "capture under a name of one's own",
        "[policy]\nenvironment = lab\ndefaults = "
        "development\nunmigrated = capture\n",
        "policy.ini:4: unmigrated = capture writes files for whoever tries things out: only "
        "with environment = development, not lab" },
    { "capture, but only observed",
        "[policy]\nenvironment = development\nmode = observe\n"
        "unmigrated = Capture\n",
        "policy.ini:4: unmigrated = capture and mode = observe exclude each other: what is "
        "only observed passes and leaves no file" },
    { "capture for a part of the sessions",
        "[policy]\nenvironment = development\n[access "
        "a]\naction = allow\nunmigrated = capture\n",
        "policy.ini:5: unmigrated = capture belongs to [policy]: it is for all of a "
        "database" },
    { "capture, then its check",
        "[policy]\nenvironment = development\nunmigrated = "
        "capture\n[check migration-first]\n",
        "policy.ini:4: [check migration-first] and its short form in [policy] at "
        "policy.ini:3 say the same; keep one of them" },
    { "no action", P "[access a]\nrole = x\n[access b]\naction = allow\n",
        "policy.ini:3: [access a] has no action; add action = allow, note, warn, hold or "
        "reject" },
    { "no action in the last section", P "[access a]\nrole = x\n",
        "policy.ini:3: [access a] has no action; add action = allow, note, warn, hold or "
        "reject" },
    { "unknown mode", P "mode = audit\n",
        "policy.ini:3: mode = audit is unknown; write observe or enforce" },
    /* short forms */
    { "short form, then check", P "unmigrated = note\n[check migration-first]\n",
        "policy.ini:4: [check migration-first] and its short form in [policy] at "
        "policy.ini:3 say the same; keep one of them" },
    { "check, then short form",
        "[check unparsable-statement]\naction = warn\n[policy]\nunparsable = warn\n",
        "policy.ini:4: \"unparsable\" is short for [check unparsable-statement], which "
        "stands at policy.ini:1; keep one of them" },
    { "temporary, too", P "temporary = warn\n[check temp-objects-exempt]\n",
        "policy.ini:4: [check temp-objects-exempt] and its short form in [policy] at "
        "policy.ini:3 say the same; keep one of them" },
    /* migrate */
    { "migrate: unknown class", P "migrate = ddl, tables\n",
        "policy.ini:3: migrate: \"tables\" is no class; write ddl, code, dcl" },
    { "migrate: without ddl", P "migrate = dcl\n",
        "policy.ini:3: migrate must name ddl; to let unmigrated changes pass, set unmigrated "
        "= allow" },
    { "migrate: history", P "migrate = ddl, history\n",
        "policy.ini:3: migrate: class history is no schema change; write ddl, code, dcl, "
        "maintenance or cluster" },
    /* match keys */
    { "unknown command", P "[access a]\ncommand = DORP TABLE\naction = reject\n",
        "policy.ini:4: command: unknown command \"DORP TABLE\"; did you mean \"DROP "
        "TABLE\"?" },
    { "command that is none", P "[access a]\ncommand = frobnicate\naction = reject\n",
        "policy.ini:4: command: unknown command \"FROBNICATE\"; write a command tag as psql "
        "shows it, such as ALTER TABLE, or with a subcommand, such as ALTER TABLE DROP "
        "COLUMN" },
    { "unknown subcommand", P "[access a]\ncommand = ALTER TABLE DROP COLUM\n",
        "policy.ini:4: command: unknown subcommand \"DROP COLUM\" of ALTER TABLE; did you "
        "mean \"DROP COLUMN\"?" },
    { "glob that matches no command", P "[access a]\ncommand = DRAP *\n",
        "policy.ini:4: command: unknown command \"DRAP *\"; write a command tag as psql shows "
        "it, such as ALTER TABLE, or with a subcommand, such as ALTER TABLE DROP COLUMN" },
    { "empty item", P "[access a]\nrole = a,, b\n",
        "policy.ini:4: role: an item of the list is empty; remove the comma" },
    { "lone negation", P "[access a]\nrole = !\n",
        "policy.ini:4: role: an item of the list is empty; remove the comma" },
    { "empty value", P "[access a]\nrole =\n",
        "policy.ini:4: role: the value is empty; remove the key or name something" },
    { "no address", P "[access a]\nclient_addr = localhost\n",
        "policy.ini:4: client_addr: \"localhost\" is no address or network; write it as "
        "10.0.0.0/8 or fd00::/8" },
    { "prefix too long", P "[access a]\nclient_addr = 10.0.0.0/33\n",
        "policy.ini:4: client_addr: \"10.0.0.0/33\" is no address or network; write it as "
        "10.0.0.0/8 or fd00::/8" },
    { "host bits", P "[access a]\nclient_addr = 10.0.0.1/8\n",
        "policy.ini:4: client_addr: network \"10.0.0.1/8\" has bits set beyond its length; "
        "write its first address" },
    { "three parts", P "[access a]\nobject = a.b.c\n",
        "policy.ini:4: object: \"a.b.c\" is no object pattern; write it as schema.name, "
        "schema.* or name" },
    { "open quote", P "[access a]\nobject = \"a.b\n",
        "policy.ini:4: object: \"\"a.b\" is no object pattern; write it as schema.name, "
        "schema.* or name" },
    { "no version", P "[access a]\nserver_version = latest\n",
        "policy.ini:4: server_version: \"latest\" is no server version; write it as 15, "
        "15.4, >=15 or <17" },
    { "version of another kind", P "[access a]\nserver_version = 150004\n",
        "policy.ini:4: server_version: \"150004\" is no server version; write it as 15, "
        "15.4, >=15 or <17" },
    { "time without a zone", P "[access a]\ntime = Mon-Fri 08:00-18:00\n",
        "policy.ini:4: time: \"Mon-Fri 08:00-18:00\" names no time zone; add UTC, an offset "
        "such as +01:00, or a name such as Europe/Berlin" },
    { "unknown class", P "[access a]\nclass = ddl, tables\n",
        "policy.ini:4: class: \"tables\" is no class; write ddl, code, dcl, maintenance, "
        "cluster or history" },
    { "class other", P "[access a]\nclass = other\n",
        "policy.ini:4: class: \"other\" is no class; write ddl, code, dcl, maintenance, "
        "cluster or history" },
    { "migrated", P "[access a]\nmigrated = maybe\n",
        "policy.ini:4: migrated = maybe is unknown; write yes, no or unknown" },
    { "in_transaction", P "[access a]\nin_transaction = sometimes\n",
        "policy.ini:4: in_transaction = sometimes is no boolean; write yes or no" },
    { "size", P "[access a]\ntable_size = 100MB\n",
        "policy.ini:4: table_size: \"100MB\" is no comparison with a size; write it as "
        ">=10GB or <100MB" },
    { "rows", P "[access a]\ntable_rows = >many\n",
        "policy.ini:4: table_rows: \">many\" is no comparison with a number of rows; write "
        "it as >=1000000" },
    { "another size of a check", P "[check add-index-concurrently]\nmin_rows = 100\n",
        "policy.ini:4: min_rows is no key of this check; write min_table_size = 100MB" },
    { "size of a check without one", P "[check drop-schema]\nmin_table_size = 1GB\n",
        "policy.ini:4: min_table_size is no key of this check; its findings don't depend on "
        "the size of a table" },
    { "time to wait", P "facts_timeout = 1min\n",
        "policy.ini:3: facts_timeout = 1min is no time that a statement can wait; write "
        "10ms to 10s" },
    { "unknown", P "when_unknown = maybe\n",
        "policy.ini:3: when_unknown = maybe is unknown; write strict or loose" },
    { "unknown of a check", P "[check drop-table]\nwhen_unknown = never\n",
        "policy.ini:4: when_unknown = never is unknown; write strict or loose" },
    { "unknown of a check that asks nobody",
        P "[check drop-schema]\nwhen_unknown = loose\n",
        "policy.ini:4: unknown key \"when_unknown\" in [check drop-schema]; its keys are "
        "action, message, hint, mode, reason, rewrite_else, except" },
    { "age", P "[check blocker-present]\nmin_age = old\n",
        "policy.ini:4: min_age: \"old\" is not a time (5s)" },
    { "size of a check", P "[check add-index-concurrently]\nmin_table_size = big\n",
        "policy.ini:4: min_table_size: \"big\" is not a size (100MB)" },
    { "parameter of another check", P "[check drop-table]\npattern = x\n",
        "policy.ini:4: unknown key \"pattern\" in [check drop-table]; its keys are action, "
        "message, hint, mode, reason, rewrite_else, except, min_table_size, quarantine, when_unknown" },
    { "number of a check", P "[check index-key-limit]\nmax = many\n",
        "policy.ini:4: max: \"many\" is not a number" },
    { "pattern of a check", P "[check custom-pattern]\npattern = (\n",
        "policy.ini:4: pattern: no regular expression: Unmatched ( or \\(" },
    { "list of a check", P "[check index-name]\nname = a,,b\n",
        "policy.ini:4: name: an item of the list is empty; remove the comma" },
    { "defaults", P "[check not-null-needs-default]\ndefaults = integer = 0, text\n",
        "policy.ini:4: defaults: \"text\" is no type with a constant; write it like "
        "integer=0 or text=''" },
    { "a default that is a call",
        P "[check not-null-needs-default]\ndefaults = timestamptz=now()\n",
        "policy.ini:4: defaults: \"timestamptz=now()\" is no type with a constant; write "
        "it like integer=0 or text=''" },
    { "a default with more behind it",
        P "[check not-null-needs-default]\ndefaults = integer=0 check (true)\n",
        "policy.ini:4: defaults: \"integer=0 check (true)\" is no type with a constant; "
        "write it like integer=0 or text=''" },
    { "columns of a check", P "[check created-updated-at]\ncolumns = a int default 5\n",
        "policy.ini:4: columns: \"a int default 5\": after `default` stands a function with "
        "(), or nothing" },
    { "empty parameter", P "[check index-name]\nname =\n",
        "policy.ini:4: name: the value is empty; write patterns with {table}, {columns} and "
        "the like, or remove the key" },
    { "left out", P "[check drift-detected]\naction = warn\n",
        "policy.ini:3: check \"drift-detected\" can't be set: `ddlgate status --drift` "
        "compares the live schema with what the applied files make" },
    { "checks", P "checks = some\n",
        "policy.ini:3: checks = some is unknown; write listed, safety or all" },
    { "transaction", P "transaction = maybe\n",
        "policy.ini:3: transaction = maybe is unknown; write unknown, file, tool or query" },
    { "exceptions", P "exceptions = yes\n",
        "policy.ini:3: exceptions = yes is unknown; write deny, audit or allow" },
    { "require", P "require = verified, fast\n",
        "policy.ini:3: require: \"fast\" can't be tested; write verified, reversible, "
        "idempotent" },
    { "tls", P "[access a]\ntls = TLSv1.4\n",
        "policy.ini:4: tls: \"TLSv1.4\" is neither yes, no nor a version such as TLSv1.3" },
    { "peer_uid", P "[access a]\npeer_uid = postgres\n",
        "policy.ini:4: peer_uid: \"postgres\" is no user id; write the number that `id -u "
        "NAME` prints" },
    { "peer_uid below", P "[access a]\npeer_uid = 4294967296\n",
        "policy.ini:4: peer_uid: \"4294967296\" is no user id; write the number that `id "
        "-u NAME` prints" },
    { "allow by a claim", P "[access a]\naction = allow\napplication_name = flyway\n",
        "policy.ini:5: application_name is what the client claims: it may make a rule "
        "stricter, never looser; use role or client_addr with action = allow" },
    { "grant by a claim",
        P "[access a]\naction = warn\napplication_name = flyway\nunmigrated = allow\n",
        "policy.ini:6: unmigrated can't depend on application_name, which is what the client "
        "claims; use role or client_addr" },
    { "startup by a claim",
        P
        "[access a]\naction = warn\napplication_name = x\nstartup = lock_timeout=5s\n",
        "policy.ini:6: startup can't depend on application_name, which is what the client "
        "claims; use role or client_addr" },
    { "grant of a refusal", P "[access a]\nchecks = off\naction = reject\n",
        "policy.ini:4: checks has no effect with action = reject; it belongs to a section "
        "that lets statements pass" },
    { "checks on", P "[access a]\nchecks = on\n",
        "policy.ini:4: checks = on is unknown; write off or remove the key" },
    /* startup */
    { "startup without a value", P "[access a]\nstartup = lock_timeout\n",
        "policy.ini:4: startup: \"lock_timeout\" sets no parameter; write it as "
        "lock_timeout=5s" },
    { "startup with an empty value", P "[access a]\nstartup = lock_timeout=\n",
        "policy.ini:4: startup: lock_timeout has no value" },
    { "startup with a strange name", P "[access a]\nstartup = lock-timeout=5s\n",
        "policy.ini:4: startup: \"lock-timeout=5s\" sets no parameter; write it as "
        "lock_timeout=5s" },
    { "startup of the login's own", P "[access a]\nstartup = user=postgres\n",
        "policy.ini:4: startup can't set user; it belongs to the login itself" },
    { "startup of what the gate relies on",
        P "[access a]\nstartup = standard_conforming_strings=off\n",
        "policy.ini:4: startup can't set standard_conforming_strings; it belongs to the "
        "login itself" },
    /* texts */
    { "long message",
        P
        "[access a]\naction = reject\nmessage = "
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
        "23456789012345678901234567890123456789\n",
        "policy.ini:5: message has 120 bytes, 110 fit into the one line that every driver "
        "shows; put the rest into hint" },
    { "empty hint", P "[check fk-index]\nhint =\n",
        "policy.ini:4: hint is empty; write a text or remove the key" },
};

START_TEST(fault_names_file_and_line_and_what_to_write)
{
    const struct bad_case *c = &bad[_i];
    struct pol *p = NULL;
    struct err err = { "" };

    ck_assert_msg(policy_try(c->policy, &p, &err) < 0, "%s is taken", c->name);
    CASE_STR(c, err.text, c->want);
    ck_assert_ptr_null(p);
}
END_TEST

/* ---- what good ones mean ---- */

struct action_case {
    const char *name, *policy, *check;
    enum dg_action want;
    bool is_observed;
};

static const struct action_case actions[] = {
    { "default of development", "[policy]\nenvironment = development\n", "drop-table",
        DG_WARN, false },
    { "default of staging", "[policy]\nenvironment = staging\n", "drop-table", DG_HOLD,
        false },
    { "default of production", "[policy]\nenvironment = production\n", "drop-table",
        DG_REJECT, false },
    { "own name, borrowed defaults", "[policy]\nenvironment = qa\ndefaults = staging\n",
        "drop-table", DG_HOLD, false },
    { "defaults beside a known name",
        "[policy]\nenvironment = staging\ndefaults = production\n", "drop-table",
        DG_REJECT, false },
    { "section", P "[check drop-table]\naction = note\n", "drop-table", DG_NOTE,
        false },
    { "off", P "[check drop-table]\naction = off\n", "drop-table", DG_ALLOW, false },
    { "section without an action", P "[check drop-table]\nhint = x\n", "drop-table",
        DG_HOLD, false },
    { "repeated section overrides",
        P "[check drop-table]\naction = note\n[check drop-table]\naction = reject\n",
        "drop-table", DG_REJECT, false },
    { "key by key",
        P "[check drop-table]\naction = note\n[check drop-table]\nmode = observe\n",
        "drop-table", DG_NOTE, true },
    { "observe, taken back",
        P "[check drop-table]\nmode = observe\n[check drop-table]\nmode = enforce\n",
        "drop-table", DG_HOLD, false },
    { "whole policy observes", P "mode = observe\n", "drop-table", DG_HOLD, true },
    { "short form", P "unmigrated = warn\n", "migration-first", DG_WARN, false },
    { "check in place of its short form", P "[check migration-first]\naction = warn\n",
        "migration-first", DG_WARN, false },
    { "words in any case", P "unmigrated = WARN\n", "migration-first", DG_WARN, false },
};

START_TEST(check_has_the_action_its_policy_gives_it)
{
    const struct action_case *c = &actions[_i];
    struct pol *p = policy_of(c->policy);
    bool is_observed;

    CASE_INT(c, pol_check_action(p, c->check, &is_observed), c->want);
    CASE_INT(c, is_observed, c->is_observed);
    ref_drop(p);
}
END_TEST

START_TEST(migrate_names_the_classes_that_are_schema_changes)
{
    struct pol *p = policy_of(P);
    ck_assert_uint_eq(pol_migrate_classes(p), DG_DDL | DG_CODE | DG_DCL);
    ck_assert_str_eq(pol_environment(p), "staging");
    ck_assert(!pol_is_observe(p));
    ref_drop(p);
    p = policy_of(P "migrate = ddl, dcl\nmode = observe\n");
    ck_assert_uint_eq(pol_migrate_classes(p), DG_DDL | DG_DCL);
    ck_assert(pol_is_observe(p));
    ref_drop(p);
}
END_TEST

/* ---- includes ---- */

static struct pol *
load_two(const char *base, const char *top, struct err *err)
{
    char *dir = unit_mkdir();
    struct pol *p = NULL;
    free(unit_write(dir, "base.ini", base, strlen(base)));
    char *path = unit_write(dir, "top.ini", top, strlen(top));
    struct err raw = { "" };
    if (pol_load(path, false, &p, &raw))
        snprintf(err->text, sizeof(err->text), "%s", raw.text + strlen(dir) + 1);
    free(path);
    unit_rmdir(dir);
    return p;
}

START_TEST(including_file_overrides_checks_and_policy_key_by_key)
{
    struct err err = { "" };
    bool is_observed;
    struct pol *p = load_two(
        "[policy]\nenvironment = production\nunmigrated = reject\n"
        "[check drop-table]\naction = reject\nhint = ask\n[access a]\naction = reject\n",
        "%include base.ini\n[policy]\nenvironment = qa\ndefaults = staging\nunmigrated = "
        "warn\n[check drop-table]\nmode = observe\n[access b]\naction = allow\n",
        &err);
    ck_assert_msg(p != NULL, "%s", err.text);
    ck_assert_str_eq(pol_environment(p), "qa");
    ck_assert_int_eq(pol_check_action(p, "migration-first", &is_observed), DG_WARN);
    ck_assert_int_eq(pol_check_action(p, "drop-table", &is_observed), DG_REJECT);
    ck_assert(is_observed);
    ck_assert_int_eq(pol_check_action(p, "drop-column", &is_observed), DG_HOLD);
    ref_drop(p);
}
END_TEST

START_TEST(fault_in_an_included_file_names_that_file)
{
    struct err err = { "" };
    ck_assert_ptr_null(load_two("[check drop-table]\nacton = reject\n",
        "[policy]\nenvironment = staging\n%include base.ini\n", &err));
    ck_assert_str_eq(err.text,
        "base.ini:2: unknown key \"acton\" in [check drop-table]; did you mean \"action\"?");
}
END_TEST

START_TEST(access_names_stay_unique_across_files)
{
    struct err err = { "" };
    ck_assert_ptr_null(load_two("[access a]\nrole = x\naction = reject\n",
        "[policy]\nenvironment = staging\n%include base.ini\n[access a]\naction = allow\n",
        &err));
    ck_assert_str_eq(strrchr(err.text, ' '), " name");
    ck_assert_ptr_nonnull(strstr(err.text, "top.ini:4: [access a] stands at "));
    ck_assert_ptr_nonnull(
        strstr(err.text, "base.ini:3 already; give one of them another"));
}
END_TEST

START_TEST(section_left_open_by_an_include_is_closed_with_its_own_file)
{
    struct err err = { "" };
    ck_assert_ptr_null(load_two("[access a]\nrole = x\n",
        "[policy]\nenvironment = staging\n%include base.ini\n[access b]\naction = allow\n",
        &err));
    ck_assert_str_eq(err.text,
        "base.ini:1: [access a] has no action; add action = allow, note, warn, hold or "
        "reject");
}
END_TEST

/* ---- the catalogue ---- */

START_TEST(environment_can_be_another_than_the_policy_says)
{
    static const char text[] = "[policy]\nenvironment = development\n\n"
                               "[check drop-column]\naction = note\n";
    char *dir = unit_mkdir();
    char *path = unit_write(dir, "policy.ini", text, strlen(text));
    struct err err = { "" };
    struct pol *p = NULL;
    bool is_observed;

    ck_assert_int_eq(pol_load_as(path, "production", false, &p, &err), 0);
    ck_assert_str_eq(pol_environment(p), "production");
    ck_assert_int_eq(pol_check_action(p, "drop-table", &is_observed), DG_REJECT);
    ck_assert_int_eq(pol_check_action(p, "drop-column", &is_observed), DG_NOTE);
    ref_drop(p);
    ck_assert_int_eq(pol_load_as(NULL, "staging", false, &p, &err), 0);
    ck_assert_int_eq(pol_check_action(p, "drop-table", &is_observed), DG_HOLD);
    ref_drop(p);
    ck_assert_int_eq(pol_load_as(path, "moon", false, &p, &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, "moon"));
    free(path);
    unit_rmdir(dir);
}
END_TEST

START_TEST(catalogue_lists_every_check_once_with_its_defaults)
{
    for (size_t i = 0; i < pol_n_checks(); i++) {
        const struct pol_check_info *a = pol_check_info(i);
        ck_assert(a->summary[0] && a->group[0]);
        ck_assert(a->development <= a->staging && a->staging <= a->production);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(a->id, pol_check_info(k)->id);
    }
    ck_assert_uint_ge(pol_n_checks(), 11);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/load");
    TCase *tc = tcase_create("load");
    tcase_add_loop_test(
        tc, fault_names_file_and_line_and_what_to_write, 0, DG_ARRAY_SIZE(bad));
    tcase_add_loop_test(
        tc, check_has_the_action_its_policy_gives_it, 0, DG_ARRAY_SIZE(actions));
    tcase_add_test(tc, migrate_names_the_classes_that_are_schema_changes);
    tcase_add_test(tc, including_file_overrides_checks_and_policy_key_by_key);
    tcase_add_test(tc, fault_in_an_included_file_names_that_file);
    tcase_add_test(tc, access_names_stay_unique_across_files);
    tcase_add_test(tc, section_left_open_by_an_include_is_closed_with_its_own_file);
    tcase_add_test(tc, environment_can_be_another_than_the_policy_says);
    tcase_add_test(tc, catalogue_lists_every_check_once_with_its_defaults);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
