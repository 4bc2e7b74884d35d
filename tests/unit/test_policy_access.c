// SPDX-License-Identifier: ISC
/* Access sections: which one decides, what it covers, and that what is not known only ever
 * makes the answer stricter. */
#include "lib/policy.h"

/* Only access speaks: unmigrated changes pass, the checks are off. */
#define BASE                                                                        \
    "[policy]\nenvironment = development\nunmigrated = allow\nunparsable = allow\n" \
    "checks = listed\n"                                                             \
    "[check drop-table]\naction = off\n[check drop-column]\naction = off\n"         \
    "[check not-null-needs-default]\naction = off\n[check ddl-hidden-in-code]\n"    \
    "action = off\n"

#define FRIDAY_NOON INT64_C(1795176000000000) /* 2026-11-20 12:00:00 UTC */

struct access_case {
    const char *name, *policy, *sql, *want;
    struct pol_session session;
};

#define DROPS                                                                         \
    "[access no drops]\ncommand = DROP TABLE, DROP SCHEMA, ALTER TABLE DROP COLUMN, " \
    "TRUNCATE TABLE\nobject = billing.*\naction = reject\n"
#define WHO(r)                          \
    {                                   \
        .role = (r), .database = "shop" \
    }

static const struct access_case cases[] = {
    /* no match */
    { "nothing said, allowed", "", "drop table a", "", WHO("app") },
    { "no section for this role", "[access a]\nrole = dba\naction = reject\n",
        "drop table a", "", WHO("app") },
    { "queries are never asked about", "[access a]\naction = reject\n",
        "select 1; set x = 1; begin; insert into t values (1)", "", WHO("app") },
    /* role, database, address */
    { "role", "[access a]\nrole = app\naction = reject\n", "create table a ()",
        "reject a", WHO("app") },
    { "role glob", "[access a]\nrole = app_*\naction = reject\n", "create table a ()",
        "reject a", WHO("app_web") },
    { "role list", "[access a]\nrole = x, app\naction = reject\n", "create table a ()",
        "reject a", WHO("app") },
    { "role is case-sensitive", "[access a]\nrole = App\naction = reject\n",
        "create table a ()", "", WHO("app") },
    { "negated role", "[access a]\nrole = !deploy\naction = reject\n",
        "create table a ()", "reject a", WHO("app") },
    { "negated role, the one", "[access a]\nrole = !deploy\naction = reject\n",
        "create table a ()", "", WHO("deploy") },
    { "glob without an exception", "[access a]\nrole = d*, !deploy\naction = reject\n",
        "create table a ()", "", WHO("deploy") },
    { "glob beside an exception", "[access a]\nrole = d*, !deploy\naction = reject\n",
        "create table a ()", "reject a", WHO("dev") },
    { "unknown role counts for reject", "[access a]\nrole = app\naction = reject\n",
        "create table a ()", "reject a", WHO(NULL) },
    { "unknown role does not count for allow",
        "[access a]\nrole = app\naction = allow\n[access b]\naction = reject\n",
        "create table a ()", "reject b", WHO(NULL) },
    { "database", "[access a]\ndatabase = shop\naction = reject\n", "create table a ()",
        "reject a", WHO("app") },
    { "other database", "[access a]\ndatabase = shop_*\naction = reject\n",
        "create table a ()", "", WHO("app") },
    { "address in the network",
        "[access a]\nclient_addr = 10.0.0.0/8\naction = reject\n", "create table a ()",
        "reject a", { .role = "app", .client_addr = "10.1.2.3" } },
    { "address outside", "[access a]\nclient_addr = 10.0.0.0/8\naction = reject\n",
        "create table a ()", "", { .role = "app", .client_addr = "11.1.2.3" } },
    { "odd prefix", "[access a]\nclient_addr = 10.0.0.128/25\naction = reject\n",
        "create table a ()", "", { .role = "app", .client_addr = "10.0.0.127" } },
    { "v4 in v6 clothes", "[access a]\nclient_addr = 10.0.0.0/8\naction = reject\n",
        "create table a ()", "reject a",
        { .role = "app", .client_addr = "::ffff:10.1.2.3" } },
    { "v6", "[access a]\nclient_addr = fd00::/8\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .client_addr = "fd12::1" } },
    { "all of v4 is not v6", "[access a]\nclient_addr = 0.0.0.0/0\naction = reject\n",
        "create table a ()", "", { .role = "app", .client_addr = "fd12::1" } },
    { "not from here", "[access a]\nclient_addr = !127.0.0.1\naction = reject\n",
        "create table a ()", "", { .role = "app", .client_addr = "127.0.0.1" } },
    { "unknown address counts",
        "[access a]\nclient_addr = 10.0.0.0/8\naction = reject\n", "create table a ()",
        "reject a", { .role = "app" } },
    { "keys are ANDed", "[access a]\nrole = app\ndatabase = other\naction = reject\n",
        "create table a ()", "", WHO("app") },
    /* application_name */
    { "claim makes stricter",
        "[access a]\napplication_name = psql\naction = reject\n[access b]\naction = allow\n",
        "create table a ()", "reject a, allow b",
        { .role = "app", .application_name = "psql" } },
    { "claim does not end the search",
        "[access a]\napplication_name = flyway\naction = warn\n[access b]\naction = "
        "reject\n",
        "create table a ()", "warn a, reject b",
        { .role = "app", .application_name = "flyway" } },
    /* environment, version, transaction */
    { "environment", "[access a]\nenvironment = development\naction = reject\n",
        "create table a ()", "reject a", WHO("app") },
    { "other environment", "[access a]\nenvironment = prod*\naction = reject\n",
        "create table a ()", "", WHO("app") },
    { "version from", "[access a]\nserver_version = >=15\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .server_version = 150020 } },
    { "version before", "[access a]\nserver_version = <15\naction = reject\n",
        "create table a ()", "", { .role = "app", .server_version = 150020 } },
    { "version until", "[access a]\nserver_version = <=15\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .server_version = 150020 } },
    { "version after", "[access a]\nserver_version = >15\naction = reject\n",
        "create table a ()", "", { .role = "app", .server_version = 150020 } },
    { "major version", "[access a]\nserver_version = 14, 15\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .server_version = 150020 } },
    { "minor version", "[access a]\nserver_version = 15.4\naction = reject\n",
        "create table a ()", "", { .role = "app", .server_version = 150020 } },
    { "unknown version counts", "[access a]\nserver_version = <15\naction = reject\n",
        "create table a ()", "reject a", { .role = "app" } },
    /* tls, certificate, socket, listener */
    { "no TLS", "[access a]\ntls = no\naction = reject\n", "create table a ()",
        "reject a", { .role = "app", .tls = "" } },
    { "TLS after all", "[access a]\ntls = no\naction = reject\n", "create table a ()",
        "", { .role = "app", .tls = "TLSv1.3" } },
    { "TLS of any version", "[access a]\ntls = yes\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .tls = "TLSv1.2" } },
    { "anything but this version, plain too",
        "[access a]\ntls = !tlsv1.3\naction = reject\n", "create table a ()",
        "reject a", { .role = "app", .tls = "" } },
    { "anything but this version, this one",
        "[access a]\ntls = !TLSv1.3\naction = reject\n", "create table a ()", "",
        { .role = "app", .tls = "TLSv1.3" } },
    { "unknown TLS counts for reject", "[access a]\ntls = no\naction = reject\n",
        "create table a ()", "reject a", WHO("app") },
    { "unknown TLS does not count for allow",
        "[access a]\ntls = yes\naction = allow\n[access b]\naction = reject\n",
        "create table a ()", "reject b", WHO("app") },
    { "certificate's name", "[access a]\nclient_cert_cn = ci-*\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .client_cert_cn = "ci-7" } },
    { "any certificate, and there is none",
        "[access a]\nclient_cert_cn = *\naction = reject\n", "create table a ()", "",
        { .role = "app", .client_cert_cn = "" } },
    { "no certificate", "[access a]\nclient_cert_cn = !*\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .client_cert_cn = "" } },
    { "unknown certificate does not count for allow",
        "[access a]\nclient_cert_cn = *\naction = allow\n[access b]\naction = reject\n",
        "create table a ()", "reject b", WHO("app") },
    { "user of the socket's other end",
        "[access a]\npeer_uid = 0, 1000\naction = reject\n", "create table a ()",
        "reject a", { .role = "app", .peer_uid = "1000" } },
    { "another user", "[access a]\npeer_uid = 100\naction = reject\n",
        "create table a ()", "", { .role = "app", .peer_uid = "1000" } },
    { "no socket, nobody's",
        "[access a]\npeer_uid = 0\naction = allow\n[access b]\n"
        "action = reject\n",
        "create table a ()", "reject b", { .role = "app", .peer_uid = "" } },
    { "not root's, over the network", "[access a]\npeer_uid = !0\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .peer_uid = "" } },
    { "listener", "[access a]\nlistener = *:6433\naction = reject\n",
        "create table a ()", "reject a",
        { .role = "app", .listener = "10.0.0.1:6433" } },
    { "other listener", "[access a]\nlistener = unix:*\naction = reject\n",
        "create table a ()", "", { .role = "app", .listener = "10.0.0.1:6433" } },
    { "not through the socket", "[access a]\nlistener = !unix:*\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .listener = "[::1]:6432" } },
    { "unknown listener counts", "[access a]\nlistener = unix:*\naction = reject\n",
        "create table a ()", "reject a", WHO("app") },
    { "outside of a transaction", "[access a]\nin_transaction = no\naction = reject\n",
        "create table a ()", "reject a", WHO("app") },
    { "perhaps outside counts for reject",
        "[access a]\nin_transaction = no\naction = reject\n", "create table a ()",
        "reject a", { .role = "app", .is_tx_unknown = true } },
    { "perhaps inside does not count for allow",
        "[access a]\nin_transaction = yes\naction = allow\n[access b]\naction = "
        "reject\n",
        "create table a ()", "reject b", { .role = "app", .is_tx_unknown = true } },
    { "inside", "[access a]\nin_transaction = no\naction = reject\n",
        "create table a ()", "", { .role = "app", .in_transaction = true } },
    /* time */
    { "in the window", "[access a]\ntime = Fri 11:00-13:00 UTC\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .now_us = FRIDAY_NOON } },
    { "outside of the window",
        "[access a]\ntime = Fri 13:00-14:00 UTC\naction = reject\n",
        "create table a ()", "", { .role = "app", .now_us = FRIDAY_NOON } },
    { "one of two windows",
        "[access a]\ntime = Sat UTC, Fri 12:00-24:00 UTC\naction = reject\n",
        "create table a ()", "reject a", { .role = "app", .now_us = FRIDAY_NOON } },
    { "outside of office hours",
        "[access a]\ntime = !Mon-Fri 08:00-18:00 Europe/Berlin\naction = reject\n",
        "create table a ()", "", { .role = "app", .now_us = FRIDAY_NOON } },
    { "no clock counts", "[access a]\ntime = Sat UTC\naction = reject\n",
        "create table a ()", "reject a", { .role = "app" } },
    /* class */
    { "class", "[access a]\nclass = ddl\naction = reject\n", "create table a ()",
        "reject a", WHO("app") },
    { "other class", "[access a]\nclass = code, dcl\naction = reject\n",
        "create table a ()", "", WHO("app") },
    { "class code", "[access a]\nclass = code\naction = reject\n",
        "create function f() returns int language sql as 'select 1'", "reject a",
        WHO("app") },
    { "class maintenance", "[access a]\nclass = maintenance\naction = reject\n",
        "truncate a", "reject a", WHO("app") },
    { "class cluster", "[access a]\nclass = cluster\naction = reject\n",
        "create role x", "reject a", WHO("app") },
    { "negated class", "[access a]\nclass = !ddl\naction = reject\n",
        "create table a (); grant select on a to b", "reject a", WHO("app") },
    /* command */
    { "tag", "[access a]\ncommand = DROP TABLE\naction = reject\n", "drop table a",
        "reject a", WHO("app") },
    { "tag in any case", "[access a]\ncommand = drop   table\naction = reject\n",
        "drop table a", "reject a", WHO("app") },
    { "other tag", "[access a]\ncommand = DROP TABLE\naction = reject\n", "drop view a",
        "", WHO("app") },
    { "tag glob", "[access a]\ncommand = DROP *\naction = reject\n", "drop view a",
        "reject a", WHO("app") },
    { "negated tag", "[access a]\ncommand = !CREATE *\naction = reject\n",
        "create table a (); drop view b", "reject a", WHO("app") },
    { "subcommand", "[access a]\ncommand = ALTER TABLE DROP COLUMN\naction = reject\n",
        "alter table a add x int, drop y", "reject a", WHO("app") },
    { "other subcommand",
        "[access a]\ncommand = ALTER TABLE DROP COLUMN\naction = reject\n",
        "alter table a add x int", "", WHO("app") },
    { "subcommand glob", "[access a]\ncommand = ALTER TABLE DROP *\naction = reject\n",
        "alter table a drop constraint c", "reject a", WHO("app") },
    { "type change",
        "[access a]\ncommand = ALTER TABLE ALTER COLUMN TYPE\naction = reject\n",
        "alter table a alter x type int", "reject a", WHO("app") },
    { "rename", "[access a]\ncommand = ALTER TABLE RENAME TO\naction = reject\n",
        "alter table a rename to b", "reject a", WHO("app") },
    { "a tag covers all its subcommands",
        "[access a]\ncommand = ALTER TABLE\naction = allow\n[access b]\naction = reject\n",
        "alter table a add x int, drop y", "allow a", WHO("app") },
    { "allow needs every subcommand",
        "[access a]\ncommand = ALTER TABLE ADD COLUMN\naction = allow\n[access b]\naction = "
        "reject\n",
        "alter table a add x int, drop y", "reject b", WHO("app") },
    { "allow with every subcommand",
        "[access a]\ncommand = ALTER TABLE ADD COLUMN, ALTER TABLE DROP COLUMN\naction = "
        "allow\n[access b]\naction = reject\n",
        "alter table a add x int, drop y", "allow a", WHO("app") },
    /* object */
    { "qualified", DROPS, "drop table billing.invoices", "reject no drops",
        WHO("app") },
    { "column of it", DROPS, "alter table billing.invoices drop column x",
        "reject no drops", WHO("app") },
    { "truncate of it", DROPS, "truncate billing.invoices", "reject no drops",
        WHO("app") },
    { "another schema", DROPS, "drop table public.invoices", "", WHO("app") },
    { "another command", DROPS, "create table billing.x ()", "", WHO("app") },
    { "one of several objects", DROPS, "drop table public.a, billing.b",
        "reject no drops", WHO("app") },
    { "the schema itself", DROPS, "drop schema billing", "reject no drops",
        WHO("app") },
    { "another schema itself", DROPS, "drop schema sales", "", WHO("app") },
    { "dropping the schema takes a table of it along",
        "[access a]\nobject = billing.invoices\naction = reject\n",
        "drop schema billing cascade", "reject a", WHO("app") },
    { "quoted names are other names", DROPS, "drop table \"Billing\".x", "",
        WHO("app") },
    { "quoted pattern", "[access a]\nobject = \"Billing\".*\naction = reject\n",
        "drop table \"Billing\".x", "reject a", WHO("app") },
    { "patterns fold like SQL", "[access a]\nobject = Billing.*\naction = reject\n",
        "drop table billing.x", "reject a", WHO("app") },
    { "bare pattern is a name in any schema",
        "[access a]\nobject = orders\naction = reject\n", "drop table sales.orders",
        "reject a", WHO("app") },
    { "star schema", "[access a]\nobject = *.orders\naction = reject\n",
        "drop table sales.orders", "reject a", WHO("app") },
    { "negated object", "[access a]\nobject = !scratch.*\naction = reject\n",
        "drop table scratch.a", "", WHO("app") },
    { "negated object, another", "[access a]\nobject = !scratch.*\naction = reject\n",
        "drop table scratch.a, public.b", "reject a", WHO("app") },
    { "allow must cover every object",
        "[access a]\nobject = scratch.*\naction = allow\n[access b]\naction = reject\n",
        "drop table scratch.a, public.b", "reject b", WHO("app") },
    { "allow covers every object",
        "[access a]\nobject = scratch.*\naction = allow\n[access b]\naction = reject\n",
        "drop table scratch.a, scratch.b", "allow a", WHO("app") },
    { "an index belongs to its table",
        "[access a]\nobject = billing.invoices\naction = "
        "reject\n",
        "create index i on billing.invoices (x)", "reject a", WHO("app") },
    { "allow of a table allows its index",
        "[access a]\nobject = billing.invoices\naction = allow\n[access b]\naction = "
        "reject\n",
        "create index i on billing.invoices (x)", "allow a", WHO("app") },
    { "a trigger of that name on another table is not it",
        "[access a]\nobject = public.t\naction = allow\n[access b]\naction = reject\n",
        "create trigger t after insert on public.orders execute function f()",
        "reject b", WHO("app") },
    { "moved into the schema", "[access a]\nobject = billing.*\naction = reject\n",
        "alter table public.x set schema billing", "reject a", WHO("app") },
    { "renamed to that name", "[access a]\nobject = public.orders\naction = reject\n",
        "alter table public.x rename to orders", "reject a", WHO("app") },
    { "allow does not cover where it goes",
        "[access a]\nobject = scratch.*\naction = allow\n[access b]\naction = reject\n",
        "alter table scratch.x set schema public", "reject b", WHO("app") },
    { "roles have no schema", "[access a]\nobject = app.*\naction = reject\n",
        "drop role app", "", WHO("app") },
    { "a role by name", "[access a]\nobject = postgres\naction = reject\n",
        "drop role postgres", "reject a", WHO("app") },
    /* unqualified names */
    { "unqualified could be in it", DROPS, "drop table invoices", "reject no drops",
        WHO("app") },
    { "unqualified is never allowed by a pattern",
        "[access a]\nobject = scratch.*\naction = allow\n[access b]\naction = reject\n",
        "drop table a", "reject b", WHO("app") },
    { "search_path says it is elsewhere", DROPS, "drop table invoices", "",
        { .role = "app", .search_path = "public" } },
    { "search_path says it can be there", DROPS, "drop table invoices",
        "reject no drops", { .role = "app", .search_path = "public, billing" } },
    { "search_path of one schema allows",
        "[access a]\nobject = scratch.*\naction = allow\n[access b]\naction = reject\n",
        "drop table a", "allow a", { .role = "app", .search_path = "scratch" } },
    { "search_path of two schemas does not allow",
        "[access a]\nobject = scratch.*\naction = allow\n[access b]\naction = reject\n",
        "drop table a", "reject b",
        { .role = "app", .search_path = "scratch, public" } },
    { "$user is the role", DROPS, "drop table invoices", "reject no drops",
        { .role = "billing", .search_path = "\"$user\", public" } },
    { "$user is another role", DROPS, "drop table invoices", "",
        { .role = "app", .search_path = "\"$user\", public" } },
    { "$user without a role is unknown", DROPS, "drop table invoices",
        "reject no drops", { .search_path = "\"$user\", public" } },
    { "a SET before it in the text makes the path unknown", DROPS,
        "set search_path = billing; drop table invoices", "reject no drops",
        { .role = "app", .search_path = "public" } },
    { "so does set_config", DROPS,
        "select set_config('search_path', 'billing', false); drop table invoices",
        "reject no drops", { .role = "app", .search_path = "public" } },
    { "so does RESET ALL", DROPS, "reset all; drop table invoices", "reject no drops",
        { .role = "app", .search_path = "public" } },
    { "so does ROLLBACK", DROPS, "rollback; drop table invoices", "reject no drops",
        { .role = "app", .search_path = "public" } },
    { "another setting does not", DROPS,
        "set standard_conforming_strings = on; drop table invoices", "",
        { .role = "app", .search_path = "public" } },
    { "a SET after it does not", DROPS,
        "drop table invoices; set search_path = billing", "",
        { .role = "app", .search_path = "public" } },
    { "bare patterns need no schema",
        "[access a]\nobject = tmp_*\naction = allow\n[access b]\naction = reject\n",
        "drop table tmp_a", "allow a", WHO("app") },
    { "one of them is in it, the other could be", DROPS, "truncate billing.a, b",
        "reject no drops", WHO("app") },
    /* order */
    { "first match wins",
        "[access a]\nrole = deploy\naction = allow\n[access b]\naction = reject\n",
        "drop table a", "allow a", WHO("deploy") },
    { "file order counts, not the name",
        "[access 20]\naction = reject\n[access 10]\naction = allow\n", "drop table a",
        "reject 20", WHO("deploy") },
    { "warn ends the search",
        "[access a]\naction = warn\n[access b]\naction = reject\n", "drop table a",
        "warn a", WHO("app") },
    { "warn on a part does not",
        "[access a]\nobject = public.*\naction = warn\n[access b]\nobject = "
        "billing.*\naction = reject\n",
        "drop table public.a, billing.b", "warn a, reject b", WHO("app") },
    { "warn on a perhaps does not",
        "[access a]\nobject = public.*\naction = warn\n[access b]\ncommand = DROP "
        "TABLE\naction = reject\n",
        "drop table a", "warn a, reject b", WHO("app") },
    { "note, then nothing", "[access a]\naction = note\n", "drop table a", "note a",
        WHO("app") },
    { "hold", "[access a]\naction = hold\n", "drop table a", "hold a", WHO("app") },
    { "each statement of a text is asked about",
        "[access a]\ncommand = DROP TABLE\naction = reject\n",
        "create table a (); drop table b; select 1; drop table c", "reject a, reject a",
        WHO("app") },
    { "allowed is said once", "[access a]\naction = allow\n",
        "create table a (); create table b ()", "allow a", WHO("app") },
    /* hidden */
    { "DDL inside DO",
        "[access a]\ncommand = DROP TABLE\nobject = public.x\naction = "
        "reject\n",
        "do $$begin drop table public.x; end$$", "reject a", WHO("app") },
    { "EXECUTE of unknown text could be anything", DROPS,
        "do $$begin execute format('drop table %I', 'x'); end$$", "reject no drops",
        WHO("app") },
    { "DO without DDL is code only",
        "[access a]\ncommand = DROP TABLE\naction = reject\n",
        "do $$begin perform 1; end$$", "", WHO("app") },
    { "EXPLAIN of CREATE TABLE AS",
        "[access a]\ncommand = CREATE TABLE AS\naction = reject\n",
        "explain analyze create table x as select 1", "reject a", WHO("app") },
    { "SELECT INTO", "[access a]\ncommand = SELECT INTO\naction = reject\n",
        "select 1 into x", "reject a", WHO("app") },
    { "what can't be read could be it", DROPS, "drop table billing.x frobnicate",
        "reject no drops", WHO("app") },
    { "what can't be read is not allowed by a command",
        "[access a]\ncommand = DROP TABLE\naction = allow\n[access b]\naction = reject\n",
        "drop table x frobnicate", "reject b", WHO("app") },
    /* temporary */
    { "temporary tables are nobody's business", "[access a]\naction = reject\n",
        "create temp table a (); create table pg_temp.b (); drop table pg_temp.b", "",
        WHO("app") },
    /* observe */
    { "an observed section does not decide",
        "[access a]\nmode = observe\naction = reject\n[access b]\naction = allow\n",
        "drop table a", "reject a?, allow b", WHO("app") },
    { "an observed allow is no permit",
        "[access a]\nmode = observe\naction = allow\n[access b]\naction = reject\n",
        "drop table a", "reject b", WHO("app") },
    { "mode = enforce is the default spelt out",
        "[access a]\nmode = enforce\naction = reject\n", "drop table a", "reject a",
        WHO("app") },
};

START_TEST(statement_meets_its_section)
{
    const struct access_case *c = &cases[_i];
    AUTO(mem_free) char *ini = mem_printf("%s%s", BASE, c->policy);
    struct pol *p = policy_of(ini);
    struct policy_text t;
    AUTO(pol_findings_deinit) struct pol_findings f;
    char got[400];

    pol_findings_init(&f);
    policy_text_init(&t, c->sql, NULL);
    struct pol_history *h = mem_array(t.tree->n + 1, sizeof(*h));
    for (size_t i = 0; i < t.tree->n; i++)
        h[i].is_known = true;
    t.text.history = h;
    pol_judge_text(p, &c->session, &t.text, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
    policy_text_deinit(&t);
    mem_free(h);
    ref_drop(p);
}
END_TEST

/* ---- the finding itself ---- */

static void
judge(const char *ini, const struct pol_session *s, const char *sql,
    struct pol_findings *f)
{
    struct pol *p = policy_of(ini);
    struct policy_text t;
    policy_text_init(&t, sql, NULL);
    struct pol_history *h = mem_array(t.tree->n + 1, sizeof(*h));
    for (size_t i = 0; i < t.tree->n; i++)
        h[i].is_known = true;
    t.text.history = h;
    pol_judge_text(p, s, &t.text, f);
    policy_text_deinit(&t);
    mem_free(h);
    ref_drop(p);
}

START_TEST(finding_names_section_file_and_line_and_says_what_the_policy_says)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_session s = WHO("app");
    pol_findings_init(&f);
    judge(BASE "[access 10 no drops]\ncommand = DROP TABLE\naction = reject\n"
               "message = tables are dropped by the DBA team only\n"
               "hint = open a ticket\nreason = incident 17\n",
        &s, "select 1; drop table a", &f);

    ck_assert_uint_eq(f.n, 1);
    const struct pol_finding *x = pol_findings_lead(&f);
    ck_assert_ptr_eq(x, &f.items[0]);
    ck_assert_int_eq(f.action, DG_REJECT);
    ck_assert_str_eq(x->rule, "10 no drops");
    ck_assert_str_eq(x->message, "tables are dropped by the DBA team only");
    ck_assert_str_eq(x->hint, "open a ticket");
    ck_assert_str_eq(x->detail, "Reason: incident 17");
    ck_assert_str_eq(x->sqlstate, "42501");
    ck_assert_ptr_nonnull(strstr(x->origin_file, "policy.ini"));
    ck_assert_int_eq(x->origin_line, 16);
    ck_assert_uint_eq(x->fact, 1);
}
END_TEST

START_TEST(hold_needs_approval_with_55000_and_says_what_to_do_today)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_session s = WHO("app");
    pol_findings_init(&f);
    judge(BASE "[access a]\naction = hold\nhint = Ask in #dba.\n", &s, "drop table a",
        &f);

    ck_assert_int_eq(f.action, DG_HOLD);
    ck_assert_str_eq(f.items[0].sqlstate, "55000");
    ck_assert_str_eq(
        f.items[0].message, "needs approval: role app may not run it here");
    ck_assert_str_eq(f.items[0].hint,
        "Ask in #dba. This version has no approvals: have the DBA team run it, or let policy "
        "pass it with an [access] section above this one.");
}
END_TEST

START_TEST(observing_policy_enforces_nothing_and_says_what_it_would_do)
{
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_session s = WHO("app");
    pol_findings_init(&f);
    judge("[policy]\nenvironment = production\nmode = observe\n[access a]\n"
          "command = DROP TABLE\naction = reject\n",
        &s, "drop table a", &f);
    char got[400];
    ck_assert_str_eq(policy_line(&f, got, sizeof(got)),
        "reject a?, reject migration-first?, reject drop-table?");
    ck_assert_int_eq(f.action, DG_ALLOW);
    ck_assert_ptr_null(pol_findings_lead(&f));
}
END_TEST

/* ---- what allow grants ---- */

struct grant_case {
    const char *name, *grant, *sql, *want;
    bool checks_off;
};

static const struct grant_case grants[] = {
    { "nothing", "", "drop table a",
        "allow a, reject migration-first, reject drop-table", false },
    { "unmigrated", "unmigrated = allow\n", "drop table a",
        "allow a, reject drop-table", false },
    { "unmigrated as a warning", "unmigrated = warn\n", "create table a ()",
        "allow a, warn migration-first", false },
    { "checks", "checks = off\n", "drop table a", "allow a, reject migration-first",
        true },
    { "both", "unmigrated = allow\nchecks = off\n", "drop table a", "allow a", true },
    { "not for what can't be read", "unmigrated = allow\nchecks = off\n",
        "drop table a frobnicate", "allow a, reject unparsable-statement", true },
    { "what can't be read, too",
        "unmigrated = allow\nunparsable = note\nchecks = off\n",
        "drop table a frobnicate", "allow a, note unparsable-statement", true },
    { "only for statements it covers", "command = DROP TABLE\nchecks = off\n",
        "drop table a; create table b ()",
        "allow a, reject migration-first, reject migration-first", false },
};

START_TEST(allow_grants_what_it_says_and_nothing_else)
{
    const struct grant_case *c = &grants[_i];
    AUTO(mem_free)
    char *ini = mem_printf(
        "[policy]\nenvironment = production\n[access a]\nrole = restore\naction = allow\n%s",
        c->grant);
    AUTO(pol_findings_deinit) struct pol_findings f;
    struct pol_session s = WHO("restore");
    char got[400];
    pol_findings_init(&f);
    judge(ini, &s, c->sql, &f);
    CASE_STR(c, policy_line(&f, got, sizeof(got)), c->want);
    CASE_INT(c, f.checks_off, c->checks_off);
}
END_TEST

/* ---- startup parameters ---- */

#define STARTUP_BYTES 200

static void
collect(void *ctx, const char *name, const char *value)
{
    char *out = ctx;
    size_t n = strlen(out);
    snprintf(out + n, STARTUP_BYTES - n, "%s=%s;", name, value);
}

struct startup_case {
    const char *name, *policy, *role, *want;
};

static const struct startup_case startups[] = {
    { "matching role",
        "[access a]\nrole = deploy_*\naction = allow\nstartup = "
        "lock_timeout=5s, statement_timeout = 15min\n",
        "deploy_ci", "lock_timeout=5s;statement_timeout=15min;" },
    { "other role",
        "[access a]\nrole = deploy_*\naction = allow\nstartup = "
        "lock_timeout=5s\n",
        "app", "" },
    { "first section wins, others add",
        "[access a]\naction = allow\nstartup = lock_timeout=1s\n[access b]\naction = "
        "allow\nstartup = lock_timeout=2s, work_mem=64MB\n",
        "app", "lock_timeout=1s;work_mem=64MB;" },
    { "keys of statements don't count",
        "[access a]\ncommand = DROP TABLE\naction = reject\nstartup = lock_timeout=5s\n",
        "app", "lock_timeout=5s;" },
    { "unknown role gets nothing",
        "[access a]\nrole = deploy\naction = allow\nstartup = lock_timeout=5s\n", NULL,
        "" },
    { "an observed section changes nothing",
        "[access a]\naction = allow\nmode = observe\nstartup = lock_timeout=5s\n",
        "app", "" },
    { "settings of extensions",
        "[access a]\naction = allow\nstartup = pgaudit.log=ddl\n", "app",
        "pgaudit.log=ddl;" },
};

START_TEST(session_starts_with_the_parameters_of_its_sections)
{
    const struct startup_case *c = &startups[_i];
    AUTO(mem_free) char *ini = mem_printf("%s%s", BASE, c->policy);
    struct pol *p = policy_of(ini);
    struct pol_session s = WHO(c->role);
    char got[STARTUP_BYTES] = "";
    pol_startup(p, &s, collect, got);
    CASE_STR(c, got, c->want);
    ref_drop(p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/access");
    TCase *tc = tcase_create("access");
    tcase_add_loop_test(tc, statement_meets_its_section, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(
        tc, finding_names_section_file_and_line_and_says_what_the_policy_says);
    tcase_add_test(tc, hold_needs_approval_with_55000_and_says_what_to_do_today);
    tcase_add_test(tc, observing_policy_enforces_nothing_and_says_what_it_would_do);
    tcase_add_loop_test(
        tc, allow_grants_what_it_says_and_nothing_else, 0, DG_ARRAY_SIZE(grants));
    tcase_add_loop_test(tc, session_starts_with_the_parameters_of_its_sections, 0,
        DG_ARRAY_SIZE(startups));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
