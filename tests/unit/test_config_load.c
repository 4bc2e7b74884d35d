// SPDX-License-Identifier: ISC
/* ddlgate.ini: every mistake is named with file:line and what to write; what is right
 * arrives typed; the sample file holds every setting with its default. */
#include "config/config.h"

#include "lib/unit.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

/* The folder of the current test, with the file that is loaded in it. */
struct place {
    char *dir, *path;
};

static struct place
place_of(const char *text, size_t n)
{
    struct place p = { .dir = unit_mkdir() };
    p.path = unit_write(p.dir, "t.ini", text, n);
    return p;
}

static void
place_free(struct place *p)
{
    free(p->path);
    unit_rmdir(p->dir);
}

/* err's text with the folder cut out wherever it stands. */
static void
without_dir(char *text, const char *dir)
{
    size_t n = strlen(dir) + 1;
    for (char *at; (at = strstr(text, dir));)
        memmove(at, at + n, strlen(at + n) + 1);
}

/* Required settings, so that only the case's own lines matter; they end at line 3. */
#define HEAD "[ddlgate]\npolicy = p.ini\naudit_file = a.jsonl\n"

struct error_case {
    const char *name, *text, *error;
};

static const struct error_case errors[] = {
    { "misspelt key", HEAD "listen_prot = 1\n",
        "t.ini:4: unknown key `listen_prot`; did you mean `listen_port`?" },
    { "other case", HEAD "Listen_Port = 1\n",
        "t.ini:4: unknown key `Listen_Port`; did you mean `listen_port`?" },
    { "unknown key", HEAD "colour = blue\n",
        "t.ini:4: unknown key `colour`; the sample ddlgate.ini lists all keys" },
    { "key twice", HEAD "workers = 1\nlisten_port = 2\nworkers = 1\n",
        "t.ini:6: workers is given a second time; the first is at t.ini:4" },
    { "section twice", HEAD "[databases]\n[ddlgate]\n",
        "t.ini:5: section ddlgate is given a second time; the first is at t.ini:1" },
    { "databases twice", HEAD "[databases]\n[databases]\n",
        "t.ini:5: section databases is given a second time; the first is at t.ini:4" },
    { "misspelt section", HEAD "[database]\n",
        "t.ini:4: unknown section `database`; did you mean `databases`?" },
    { "unknown section", HEAD "[pools]\n",
        "t.ini:4: unknown section `pools`; there are [ddlgate], [databases], "
        "[peers], [users] and [migrations NAME]" },
    { "name where there is none", HEAD "[databases shop]\n",
        "t.ini:4: unknown section `databases shop`; there are [ddlgate], [databases], "
        "[peers], [users] and [migrations NAME]" },
    { "no policy", "[ddlgate]\naudit_file = a\n",
        "t.ini: `policy` is not set; name a policy file in [ddlgate]" },
    { "empty policy", "[ddlgate]\npolicy =\naudit_file = a\n",
        "t.ini: `policy` is not set; name a policy file in [ddlgate]" },
    { "no audit file", "[ddlgate]\npolicy = p\n",
        "t.ini: `audit_file` is not set; name the file for the audit log in [ddlgate]" },
    { "empty file", "", "t.ini: `policy` is not set; name a policy file in [ddlgate]" },
    { "not a number", HEAD "listen_port = http\n",
        "t.ini:4: listen_port = http: write a whole number" },
    { "number with a unit", HEAD "workers = 4kB\n",
        "t.ini:4: workers = 4kB: write a whole number" },
    { "number too high", HEAD "listen_port = 65536\n",
        "t.ini:4: listen_port = 65536: must be within 0 and 65535" },
    { "number far too high", HEAD "listen_port = 99999999999999999999\n",
        "t.ini:4: listen_port = 99999999999999999999: must be within 0 and 65535" },
    { "negative number", HEAD "workers = -1\n",
        "t.ini:4: workers = -1: must be within 0 and 256" },
    { "empty number", HEAD "workers =\n", "t.ini:4: workers = : write a whole number" },
    { "no yes or no", HEAD "audit_durable = maybe\n",
        "t.ini:4: audit_durable = maybe: write yes or no" },
    { "size with a wrong unit", HEAD "max_inspect_size = 16mb\n",
        "t.ini:4: max_inspect_size = 16mb: write a number of bytes, or one with kB, MB or "
        "GB" },
    { "size too small", HEAD "max_inspect_size = 1kB\n",
        "t.ini:4: max_inspect_size = 1kB: must be within 4kB and 256MB" },
    { "size beyond 64 bits", HEAD "audit_rotate_size = 99999999999TB\n",
        "t.ini:4: audit_rotate_size = 99999999999TB: must be within 64kB and 1TB" },
    { "time with a wrong unit", HEAD "control_timeout = 2sec\n",
        "t.ini:4: control_timeout = 2sec: write a number of seconds, or one with ms, s, "
        "min, h or d" },
    { "time too short", HEAD "control_timeout = 10ms\n",
        "t.ini:4: control_timeout = 10ms: must be within 50ms and 1min" },
    { "time too long", HEAD "client_login_timeout = 2h\n",
        "t.ini:4: client_login_timeout = 2h: must be within 100ms and 1h" },
    { "time from zero", HEAD "tcp_keepidle = 2d\n",
        "t.ini:4: tcp_keepidle = 2d: must be within 0 and 1d" },
    { "unknown authentication", HEAD "auth_type = ldap\n",
        "t.ini:4: auth_type = ldap: write passthrough, scram-sha-256, md5, cert, trust or "
        "hba" },
    { "unknown TLS mode", HEAD "client_tls_sslmode = on\n",
        "t.ini:4: client_tls_sslmode = on: write disable, allow, prefer, require, "
        "verify-ca or verify-full" },
    { "TLS without a key",
        HEAD "client_tls_sslmode = require\nclient_tls_key_file = k\n",
        "t.ini: client_tls_sslmode needs client_tls_key_file and client_tls_cert_file" },
    { "client certificates without a CA",
        HEAD "client_tls_sslmode = verify-full\nclient_tls_key_file = k\n"
             "client_tls_cert_file = c\n",
        "t.ini: client_tls_sslmode = verify-ca or verify-full needs client_tls_ca_file, "
        "which vouches for clients" },
    { "cert without verified certificates",
        HEAD "auth_type = cert\nclient_tls_sslmode = require\nclient_tls_key_file = k\n"
             "client_tls_cert_file = c\n",
        "t.ini: auth_type = cert needs client_tls_sslmode = verify-ca or verify-full" },
    { "half a client certificate", HEAD "server_tls_cert_file = c\n",
        "t.ini: server_tls_key_file needs server_tls_cert_file, and the other way" },
    { "scram without secrets", HEAD "auth_type = scram-sha-256\n",
        "t.ini: this auth_type needs auth_file or auth_query, with the users' secrets" },
    { "hba without a file", HEAD "auth_type = hba\n",
        "t.ini: auth_type = hba needs auth_hba_file" },
    { "auth_query without control", HEAD "auth_type = md5\nauth_query = SELECT $1\n",
        "t.ini: auth_query needs `control`, the login that runs it" },
    { "auth_query without a place for the name",
        HEAD "control = user=g\nauth_type = md5\nauth_query = SELECT 1\n",
        "t.ini: auth_query needs $1 where the user's name belongs" },
    { "empty address", HEAD "listen_addr =\n",
        "t.ini:4: listen_addr = : write a value, or remove the line" },
    { "empty address in the list", HEAD "listen_addr = 127.0.0.1, , ::1\n",
        "t.ini:4: listen_addr = 127.0.0.1, , ::1: an address is empty; write them comma "
        "separated" },
    { "database twice", HEAD "[databases]\nshop = host=a\nshop = host=b\n",
        "t.ini:6: database shop is given a second time; the first is at t.ini:5" },
    { "glob as a database", HEAD "[databases]\nshop_* = host=a\n",
        "t.ini:5: `shop_*` is no database name; only `*` alone stands for all other "
        "names" },
    { "long database name",
        HEAD
        "[databases]\n"
        "a123456789012345678901234567890123456789012345678901234567890123 = host=a\n",
        "t.ini:5: database name "
        "`a123456789012345678901234567890123456789012345678901234567890123` is longer "
        "than 63 bytes" },
    { "no pair", HEAD "[databases]\nshop = 10.0.0.5\n",
        "t.ini:5: database shop: the text is no list of keyword=value pairs; put values "
        "with blanks into single quotes" },
    { "half a password is not shown",
        HEAD "[databases]\nshop = host=a password=open sesame\n",
        "t.ini:5: database shop: the text is no list of keyword=value pairs; put values "
        "with blanks into single quotes" },
    { "open quote", HEAD "[databases]\nshop = host=a password='x\n",
        "t.ini:5: database shop: the quote after `password=` is not closed" },
    { "URI", HEAD "[databases]\nshop = postgresql://u:secret@a/shop\n",
        "t.ini:5: database shop: URIs are not read here; write keyword=value pairs: "
        "host=... port=..." },
    { "policy twice", HEAD "[databases]\nshop = policy=a policy=b\n",
        "t.ini:5: database shop: `policy` is given twice" },
    { "empty policy of a database", HEAD "[databases]\nshop = host=a policy=\n",
        "t.ini:5: database shop: `policy=` is empty; write a value, or remove it" },
    { "misspelt keyword", HEAD "[databases]\nshop = hosst=a\n",
        "t.ini:5: database shop: unknown keyword `hosst`; did you mean `host`?" },
    { "keyword that has no effect here", HEAD "[databases]\nshop = gssencmode=x\n",
        "t.ini:5: database shop: unknown keyword `gssencmode`; the sample ddlgate.ini "
        "lists those that the gate knows" },
    { "port out of range", HEAD "[databases]\nshop = port=65536\n",
        "t.ini:5: database shop: `port`: write numbers from 1 to 65535" },
    { "more ports than hosts", HEAD "[databases]\nshop = host=a,b,c port=1,2\n",
        "t.ini:5: database shop: 3 hosts but 2 ports" },
    { "names and addresses don't fit",
        HEAD "[databases]\nshop = host=a,b hostaddr=::1\n",
        "t.ini:5: database shop: 2 names in `host` but 1 in `hostaddr`" },
    { "unknown sslmode", HEAD "[databases]\nshop = sslmode=yes\n",
        "t.ini:5: database shop: `sslmode`: write disable, allow, prefer, require, "
        "verify-ca or verify-full" },
    { "direct TLS that may be none",
        HEAD "[databases]\nshop = sslnegotiation=direct sslmode=prefer\n",
        "t.ini:5: database shop: `sslnegotiation=direct` needs `sslmode=require`, "
        "verify-ca or verify-full" },
    { "session attributes without control",
        HEAD "[databases]\nshop = host=a,b target_session_attrs=primary\n",
        "t.ini:5: database shop: `target_session_attrs` needs the `control` login, with "
        "which the gate finds out what the servers are" },
    { "own user with passthrough", HEAD "[databases]\nshop = user=u password=p\n",
        "t.ini:5: database shop: `user` needs an auth_type with which the gate itself "
        "authenticates clients" },
    { "password of nobody", HEAD "[databases]\nshop = password=geheim\n",
        "t.ini:5: database shop: `password` needs the `user` that it belongs to" },
    { "long timeout", HEAD "[databases]\nshop = connect_timeout=1h\n",
        "t.ini:5: database shop: `connect_timeout`: write a number from 0 to 3600" },
    { "peer with a policy", HEAD "[peers]\na = host=x policy=p.ini\n",
        "t.ini:5: peer a: `policy` has no meaning in [peers]" },
    { "peer twice", HEAD "[peers]\na = host=x\na = host=y\n",
        "t.ini:6: peer a is given a second time; the first is at t.ini:5" },
    { "user without a limit", HEAD "[users]\napp =\n",
        "t.ini:5: user app: write max_user_connections=NUMBER" },
    { "user with something else", HEAD "[users]\napp = pool_mode=session\n",
        "t.ini:5: user app: unknown keyword `pool_mode`; there is "
        "max_user_connections=NUMBER" },
    { "user twice",
        HEAD "[users]\napp = max_user_connections=1\napp = max_user_connections=2\n",
        "t.ini:6: user app is given a second time; remove one" },
    { "migrations without a name", HEAD "[migrations]\n",
        "t.ini:4: [migrations] needs a name: [migrations shop]" },
    { "migrations twice",
        HEAD "[migrations shop]\nformat = a\npath = b\n[migrations  shop]\n",
        "t.ini:7: section [migrations shop] is given a second time; the first is at "
        "t.ini:4" },
    { "no format", HEAD "[migrations shop]\npath = b\n[databases]\n",
        "t.ini:4: [migrations shop] lacks `format`; name the tool, such as `format = "
        "flyway`" },
    { "no path", HEAD "[migrations shop]\nformat = a\n",
        "t.ini:4: [migrations shop] lacks `path`; name the folder or lockfile that holds "
        "the migrations" },
    { "a database named as the gate's own",
        HEAD "[databases]\nshop = host=a\nddlgate = host=a\n",
        "t.ini:6: database ddlgate: the gate's own virtual database has this name; set "
        "admin_database to another one, or to nothing" },
    { "the same with a name of its own",
        HEAD "admin_database = shop\n[databases]\nshop = host=a\n",
        "t.ini:6: database shop: the gate's own virtual database has this name; set "
        "admin_database to another one, or to nothing" },
    { "nobody may use it", HEAD "admin_users =\n",
        "t.ini:4: admin_users = : write a value, or remove the line" },
    { "misspelt migrations key", HEAD "[migrations shop]\nformats = a\n",
        "t.ini:5: unknown key `formats`; did you mean `format`?" },
    { "migrations key twice", HEAD "[migrations shop]\nformat = a\nformat = b\n",
        "t.ini:6: format is given a second time; the first is at t.ini:5" },
    { "empty migrations key", HEAD "[migrations shop]\nformat =\n",
        "t.ini:5: format is empty; write a value, or remove the line" },
    { "bad repeat", HEAD "[migrations shop]\nrepeat = always\n",
        "t.ini:5: repeat = always: write none, create or all" },
    { "empty name in databases", HEAD "[migrations shop]\ndatabases = a,,b\n",
        "t.ini:5: databases: a name is empty or too long; write names or globs, comma "
        "separated" },
    { "placeholder without a name", HEAD "[migrations shop]\nplaceholder. = a\n",
        "t.ini:5: `placeholder.` needs a name: placeholder.schema = app" },
    { "placeholder twice",
        HEAD
        "[migrations shop]\nplaceholder.a = 1\nplaceholder.b = 2\nplaceholder.a = 3\n",
        "t.ini:7: placeholder.a is given a second time; remove one" },
    { "key of another section",
        HEAD "[databases]\n[migrations shop]\nlisten_port = 1\n",
        "t.ini:6: unknown key `listen_port`; the sample ddlgate.ini lists all keys" },
};

START_TEST(mistake_is_named_with_its_place)
{
    const struct error_case *c = &errors[_i];
    struct place p = place_of(c->text, strlen(c->text));
    struct cfg *cfg = NULL;
    struct err err = { "" };

    CASE_INT(c, cfg_load(p.path, false, &cfg, &err), -EINVAL);
    without_dir(err.text, p.dir);
    CASE_STR(c, err.text, c->error);
    CASE_INT(c, cfg == NULL, true);
    place_free(&p);
}
END_TEST

static struct cfg *
load(struct place *p)
{
    struct cfg *cfg = NULL;
    struct err err = { "" };
    ck_assert_msg(cfg_load(p->path, false, &cfg, &err) == 0, "%s", err.text);
    return cfg;
}

static struct cfg *
load_text(struct place *p, const char *text)
{
    *p = place_of(text, strlen(text));
    return load(p);
}

START_TEST(missing_file_is_named)
{
    struct cfg *cfg = NULL;
    struct err err = { "" };

    ck_assert_int_eq(cfg_load("/nonexistent/d.ini", false, &cfg, &err), -ENOENT);
    ck_assert_msg(strstr(err.text, "/nonexistent/d.ini") != NULL, "%s", err.text);
}
END_TEST

/* Compares every setting with its default, but those that have none. */
static void
assert_defaults(const struct cfg *c)
{
    const char *name;
#define SAME_TEXT(field, def)                                          \
    name = def;                                                        \
    if (name)                                                          \
        ck_assert_str_eq(c->field, name);                              \
    else if (strcmp(#field, "policy") && strcmp(#field, "audit_file")) \
        ck_assert_msg(c->field == NULL, "%s", #field);
#define SAME_NUMBER(field, def)                                                \
    ck_assert_msg((int64_t)c->field == (int64_t)(def), "%s: %" PRId64, #field, \
        (int64_t)c->field);
#define CFG_STRING(name, def, prose)         SAME_TEXT(name, def)
#define CFG_PATH(name, def, prose)           SAME_TEXT(name, def)
#define CFG_BOOL(name, def, prose)           SAME_NUMBER(name, def)
#define CFG_INT(name, min, max, def, prose)  SAME_NUMBER(name, def)
#define CFG_SIZE(name, min, max, def, prose) SAME_NUMBER(name, def)
#define CFG_TIME(name, min, max, def, prose) SAME_NUMBER(name##_ms, def)
#include "ddlgate/tbl/settings.h"
}

START_TEST(what_is_not_set_has_its_default)
{
    struct place p;
    struct cfg *c = load_text(&p, HEAD);

    assert_defaults(c);
    ck_assert_uint_eq(c->n_databases, 0);
    ck_assert_uint_eq(c->n_migrations, 0);
    ck_assert_str_eq(c->path, p.path);
    ref_drop(c);
    place_free(&p);
}
END_TEST

START_TEST(the_own_database_can_be_renamed_and_switched_off)
{
    struct place p;
    struct cfg *c = load_text(&p, HEAD "admin_users = root , dba\n");
    ck_assert(cfg_is_admin_database(c, "ddlgate"));
    ck_assert(!cfg_is_admin_database(c, "DDLGATE"));
    ck_assert(cfg_is_admin_user(c, "root"));
    ck_assert(cfg_is_admin_user(c, "dba"));
    ck_assert(!cfg_is_admin_user(c, "postgres"));
    ck_assert(!cfg_is_admin_user(c, ""));
    ref_drop(c);
    place_free(&p);

    c = load_text(&p, HEAD "admin_database =\n[databases]\nddlgate = host=a\n");
    ck_assert(!cfg_is_admin_database(c, "ddlgate"));
    ck_assert(!cfg_is_admin_database(c, ""));
    ck_assert(cfg_is_admin_user(c, "postgres"));
    ref_drop(c);
    place_free(&p);
}
END_TEST

START_TEST(values_arrive_typed)
{
    struct place p;
    struct cfg *c = load_text(&p,
        HEAD
        "listen_addr = 127.0.0.1,\n ::1\nlisten_port = 0\nworkers = 8\n"
        "audit_durable = OFF\naudit_rotate_size = 64kB\naudit_rotate_age = 0\n"
        "control_timeout = 50ms\nclient_login_timeout = 7\nshutdown_timeout = 2min\n"
        "control = user=gate password='a b'\n");

    ck_assert_str_eq(c->listen_addr, "127.0.0.1, ::1");
    ck_assert_int_eq(c->listen_port, 0);
    ck_assert_int_eq(c->workers, 8);
    ck_assert(!c->audit_durable);
    ck_assert_uint_eq(c->audit_rotate_size, 65536);
    ck_assert_int_eq(c->audit_rotate_age_ms, 0);
    ck_assert_int_eq(c->control_timeout_ms, 50);
    ck_assert_int_eq(c->client_login_timeout_ms, 7000);
    ck_assert_int_eq(c->shutdown_timeout_ms, 120000);
    ck_assert_str_eq(c->control, "user=gate password='a b'");
    ref_drop(c);
    place_free(&p);
}
END_TEST

static void
assert_path(const char *got, const char *dir, const char *rest)
{
    char *want = NULL;
    ck_assert(asprintf(&want, "%s/%s", dir, rest) > 0);
    ck_assert_str_eq(got, want);
    free(want);
}

START_TEST(paths_are_relative_to_the_file_they_stand_in)
{
    static const char main_text[] =
        "[ddlgate]\n%include sub/part.ini\naudit_file = /abs/a.jsonl\n"
        "[databases]\na = host=x policy=own.ini\n%include sub/dbs.ini\n";
    static const char part[] = "policy = p.ini\n";
    static const char dbs[] =
        "b = host=y policy='o w n.ini'\n[migrations m]\nformat = f\npath = db/m\n";
    struct place p = place_of(main_text, sizeof main_text - 1);
    char *sub = NULL;

    ck_assert(asprintf(&sub, "%s/sub", p.dir) > 0);
    ck_assert_int_eq(mkdir(sub, 0700), 0);
    free(unit_write(sub, "part.ini", part, sizeof part - 1));
    free(unit_write(sub, "dbs.ini", dbs, sizeof dbs - 1));
    struct cfg *c = load(&p);
    assert_path(c->policy, p.dir, "sub/p.ini");
    ck_assert_str_eq(c->audit_file, "/abs/a.jsonl");
    assert_path(c->databases[0].policy, p.dir, "own.ini");
    assert_path(c->databases[1].policy, sub, "o w n.ini");
    assert_path(c->databases[1].file, p.dir, "sub/dbs.ini");
    ck_assert_int_eq(c->databases[1].line, 1);
    assert_path(c->migrations[0].path, sub, "db/m");
    ref_drop(c);
    free(sub);
    place_free(&p);
}
END_TEST

/* What a session connects by, and what libpq gets for the control connection. */
struct conninfo_case {
    const char *name, *value;
    const char *host, *hostaddr, *port; /* of the last host */
    size_t n_hosts;
    const char *conninfo, *policy; /* policy below the test's folder */
};

#define TAIL " sslmode='prefer' connect_timeout='15'"
static const struct conninfo_case conninfos[] = {
    { "host and port", "host=a port=5433", "a", NULL, "5433", 1,
        "host='a' port='5433'" TAIL, NULL },
    { "nothing", "", "127.0.0.1", NULL, "5432", 1, "host='127.0.0.1' port='5432'" TAIL,
        NULL },
    { "policy is ours", "policy=p.ini host=a", "a", NULL, "5432", 1,
        "host='a' port='5432'" TAIL, "p.ini" },
    { "blanks around =", "host = a policy = p.ini", "a", NULL, "5432", 1,
        "host='a' port='5432'" TAIL, "p.ini" },
    { "quoted", "policy='my p.ini' host='/a b'", "/a b", NULL, "5432", 1,
        "host='/a b' port='5432'" TAIL, "my p.ini" },
    { "escaped", "policy=my\\ p.ini host=/a\\ b", "/a b", NULL, "5432", 1,
        "host='/a b' port='5432'" TAIL, "my p.ini" },
    { "quote in a value", "host=a dbname='it\\'s \\\\' policy='p\\'.ini'", "a", NULL,
        "5432", 1, "host='a' port='5432' dbname='it\\'s \\\\'" TAIL, "p'.ini" },
    { "no blank after a quote", "dbname='a'policy='p.ini'host=b", "b", NULL, "5432", 1,
        "host='b' port='5432' dbname='a'" TAIL, "p.ini" },
    { "several hosts, one port", "host=a,b,c port=7", "c", NULL, "7", 3,
        "host='a,b,c' port='7,7,7'" TAIL, NULL },
    { "several ports", "host=a,b port=7,8", "b", NULL, "8", 2,
        "host='a,b' port='7,8'" TAIL, NULL },
    { "addresses beside names", "host=a,b hostaddr=10.0.0.1,::1", "b", "::1", "5432", 2,
        "host='a,b' hostaddr='10.0.0.1,::1' port='5432,5432'" TAIL, NULL },
    { "addresses alone", "hostaddr=10.0.0.1", "10.0.0.1", "10.0.0.1", "5432", 1,
        "host='10.0.0.1' hostaddr='10.0.0.1' port='5432'" TAIL, NULL },
    { "TLS and time of its own", "host=a sslmode=disable sslsni=0 connect_timeout=3",
        "a", NULL, "5432", 1,
        "host='a' port='5432' sslmode='disable' sslsni='0' connect_timeout='3'", NULL },
};

START_TEST(database_entries_are_read)
{
    const struct conninfo_case *c = &conninfos[_i];
    char *text = NULL;
    struct place p;

    ck_assert(asprintf(&text, HEAD "[databases]\nshop = %s\n", c->value) > 0);
    struct cfg *cfg = load_text(&p, text);
    const struct cfg_database *d = &cfg->databases[0];
    CASE_INT(c, d->n_hosts, c->n_hosts);
    const struct cfg_host *h = &d->hosts[c->n_hosts - 1];
    CASE_STR(c, h->host, c->host);
    CASE_STR(c, h->port, c->port);
    CASE_STR(c, h->hostaddr ? h->hostaddr : "", c->hostaddr ? c->hostaddr : "");
    CASE_STR(c, d->conninfo, c->conninfo);
    if (c->policy)
        assert_path(d->policy, p.dir, c->policy);
    else
        CASE_INT(c, d->policy == NULL, true);
    ref_drop(cfg);
    free(text);
    place_free(&p);
}
END_TEST

START_TEST(entries_override_the_general_settings)
{
    struct place p;
    struct cfg *c = load_text(&p,
        HEAD "control = user=g\nserver_tls_sslmode = verify-full\nserver_tls_ca_file = "
             "ca.pem\nmax_db_connections = 5\nmax_user_connections = 7\n[databases]\n"
             "a = host=x\n"
             "b = host=x,y sslmode=require sslrootcert=system max_db_connections=0 "
             "proxy_protocol=v2 target_session_attrs=read-write\n"
             "[users]\napp = max_user_connections=2\n[peers]\n1 = host=/run/gate1\n");
    const struct cfg_database *a = &c->databases[0], *b = &c->databases[1];

    ck_assert_int_eq(a->tls.mode, CFG_SSL_VERIFY_FULL);
    assert_path(a->tls.ca_file, p.dir, "ca.pem");
    ck_assert_int_eq(a->max_connections, 5);
    ck_assert(!a->sends_proxy_header && a->has_sni);
    ck_assert_int_eq(b->tls.mode, CFG_SSL_REQUIRE);
    ck_assert_str_eq(b->tls.ca_file, "system");
    ck_assert_int_eq(b->max_connections, 0);
    ck_assert_int_eq(b->target, CFG_TARGET_READ_WRITE);
    ck_assert(b->sends_proxy_header);
    ck_assert(strstr(b->conninfo, "target_session_attrs='read-write'") != NULL);
    ck_assert_int_eq(cfg_user_limit(c, "app"), 2);
    ck_assert_int_eq(cfg_user_limit(c, "other"), 7);
    ck_assert_str_eq(c->peers[0].hosts[0].host, "/run/gate1");
    ref_drop(c);
    place_free(&p);
}
END_TEST

START_TEST(credentials_stay_out_of_the_control_string)
{
    struct place p;
    struct cfg *c = load_text(
        &p, HEAD "auth_type = trust\n[databases]\na = host=x user=u password=geheim\n");

    ck_assert_str_eq(c->databases[0].user, "u");
    ck_assert_str_eq(c->databases[0].password, "geheim");
    ck_assert_ptr_null(strstr(c->databases[0].conninfo, "geheim"));
    ck_assert_ptr_null(strstr(c->databases[0].conninfo, "user"));
    ref_drop(c);
    place_free(&p);
}
END_TEST

START_TEST(database_is_found_by_name_then_star)
{
    struct place p;
    struct cfg *c = load_text(
        &p, HEAD "[databases]\nshop = host=a\n* = host=any\nShop = host=b\n");

    ck_assert_str_eq(cfg_find_database(c, "shop")->hosts->host, "a");
    ck_assert_str_eq(cfg_find_database(c, "Shop")->hosts->host, "b");
    ck_assert_str_eq(cfg_find_database(c, "other")->hosts->host, "any");
    ck_assert_str_eq(cfg_find_database(c, "other")->name, "*");
    ck_assert_str_eq(cfg_find_database(c, "")->name, "*");
    ref_drop(c);
    place_free(&p);

    c = load_text(&p, HEAD "[databases]\nshop = host=a\n");
    ck_assert_ptr_null(cfg_find_database(c, "other"));
    ref_drop(c);
    place_free(&p);
}
END_TEST

START_TEST(many_databases_keep_their_order)
{
    struct buf b = BUF_INIT(1 << 20);
    struct place p;

    buf_puts(&b, HEAD "[databases]\n");
    for (int i = 0; i < 2000; i++)
        buf_putf(&b, "db%d = port=%d\n", i, i + 1);
    struct cfg *c = load_text(&p, buf_cstr(&b));
    ck_assert_uint_eq(c->n_databases, 2000);
    ck_assert_str_eq(c->databases[1999].name, "db1999");
    ck_assert_str_eq(cfg_find_database(c, "db1234")->hosts->port, "1235");
    ref_drop(c);
    place_free(&p);
    buf_deinit(&b);
}
END_TEST

START_TEST(migrations_arrive_with_their_defaults)
{
    struct place p;
    struct cfg *c = load_text(&p,
        HEAD "[migrations shop]\nformat = flyway\npath = /m\n"
             "[migrations rest]\ndatabases = crm, crm_*\nformat = prisma\npath = n\n"
             "history_table = app.h\nsearch_path = app, public\nbaseline = 7\n"
             "repeat = none\nplaceholder.owner = app\nplaceholder.empty =\n"
             "attestation = proofs/n.txt\n");

    ck_assert_uint_eq(c->n_migrations, 2);
    const struct cfg_migrations *m = &c->migrations[0];
    ck_assert_str_eq(m->name, "shop");
    ck_assert_str_eq(m->databases, "shop");
    ck_assert_str_eq(m->format, "flyway");
    ck_assert_str_eq(m->path, "/m");
    ck_assert_str_eq(m->repeat, "create");
    ck_assert_str_eq(m->attestation, "/m.attest");
    ck_assert_ptr_null(m->history_table);
    ck_assert_ptr_null(m->search_path);
    ck_assert_ptr_null(m->baseline);
    ck_assert_uint_eq(m->n_placeholders, 0);
    ck_assert_int_eq(m->line, 4);
    m = &c->migrations[1];
    ck_assert_str_eq(m->databases, "crm, crm_*");
    assert_path(m->path, p.dir, "n");
    ck_assert_str_eq(m->history_table, "app.h");
    ck_assert_str_eq(m->search_path, "app, public");
    ck_assert_str_eq(m->baseline, "7");
    ck_assert_str_eq(m->repeat, "none");
    assert_path(m->attestation, p.dir, "proofs/n.txt");
    ck_assert_uint_eq(m->n_placeholders, 2);
    ck_assert_str_eq(m->placeholders[0], "owner");
    ck_assert_str_eq(m->placeholders[1], "app");
    ck_assert_str_eq(m->placeholders[2], "empty");
    ck_assert_str_eq(m->placeholders[3], "");
    ref_drop(c);
    place_free(&p);
}
END_TEST

struct cover_case {
    const char *name, *database, *section;
};

static const struct cover_case covers[] = {
    { "exact", "shop", "one" },
    { "glob", "shop_eu", "one" },
    { "first match wins", "shop_x", "one" },
    { "later section", "crm", "two" },
    { "no section", "other", NULL },
    { "with case", "SHOP", NULL },
    { "no prefix match", "shopping", NULL },
};

START_TEST(first_section_that_matches_has_the_database)
{
    const struct cover_case *c = &covers[_i];
    struct place p;
    struct cfg *cfg = load_text(&p,
        HEAD "[migrations one]\ndatabases = shop, shop_*\nformat = a\npath = b\n"
             "[migrations two]\ndatabases = crm ,shop_x\nformat = a\npath = b\n");

    const struct cfg_migrations *m = cfg_find_migrations(cfg, c->database);
    CASE_STR(c, m ? m->name : "none", c->section ? c->section : "none");
    ref_drop(cfg);
    place_free(&p);
}
END_TEST

START_TEST(settled_reading_gives_the_same)
{
    struct place p = place_of(HEAD, sizeof HEAD - 1);
    struct cfg *c = NULL;
    struct err err = { "" };

    ck_assert_msg(cfg_load(p.path, true, &c, &err) == 0, "%s", err.text);
    assert_defaults(c);
    ref_drop(c);
    place_free(&p);
}
END_TEST

#define SAMPLE SOURCE_ROOT "/conf/ddlgate.ini"

static char *
read_sample(void)
{
    char *text = NULL;
    size_t n;
    struct err err = { "" };
    ck_assert_msg(fs_read(SAMPLE, 1 << 20, &text, &n, &err) == 0, "%s", err.text);
    return text;
}

START_TEST(sample_file_loads_as_it_is)
{
    struct cfg *c = NULL;
    struct err err = { "" };

    ck_assert_msg(cfg_load(SAMPLE, false, &c, &err) == 0, "%s", err.text);
    assert_defaults(c);
    ck_assert_ptr_nonnull(cfg_find_database(c, "anything"));
    ref_drop(c);
}
END_TEST

/* ";key = value" becomes "key = value"; prose ("; text", ";;; text") stays a comment. */
static void
uncomment(char *text)
{
    for (char *line = text; *line;) {
        char *end = strchrnul(line, '\n');
        if (line[0] == ';' && (isalpha((unsigned char)line[1]) || line[1] == '['))
            memmove(line, line + 1, strlen(line));
        end = strchrnul(line, '\n');
        line = *end ? end + 1 : end;
    }
}

START_TEST(sample_file_s_commented_lines_are_right_too)
{
    char *text = read_sample();
    struct place p;

    uncomment(text);
    struct cfg *c = load_text(&p, text);
    assert_defaults(c);
    ck_assert_uint_eq(c->n_databases, 4);
    ck_assert_uint_eq(c->n_migrations, 1);
    ck_assert_ptr_nonnull(c->migrations[0].history_table);
    ck_assert_ptr_nonnull(c->migrations[0].search_path);
    ck_assert_ptr_nonnull(c->migrations[0].baseline);
    ck_assert_uint_eq(c->migrations[0].n_placeholders, 1);
    ref_drop(c);
    mem_free(text);
    place_free(&p);
}
END_TEST

/* Lines that set name, active or behind one `;`. */
static unsigned
count_lines(const char *text, const char *name)
{
    unsigned count = 0;
    size_t n = strlen(name);
    for (const char *line = text; *line;) {
        const char *p = *line == ';' ? line + 1 : line;
        const char *end = strchrnul(line, '\n');
        if (!strncmp(p, name, n) && !strncmp(p + n, " =", 2))
            count++;
        line = *end ? end + 1 : end;
    }
    return count;
}

START_TEST(sample_file_holds_every_setting_once)
{
    static const char *const names[] = {
#define CFG_STRING(name, ...) #name,
#define CFG_PATH(name, ...)   #name,
#define CFG_BOOL(name, ...)   #name,
#define CFG_INT(name, ...)    #name,
#define CFG_SIZE(name, ...)   #name,
#define CFG_TIME(name, ...)   #name,
#include "ddlgate/tbl/settings.h"
    };
    static const char *const migration_keys[] = { "databases", "format", "path",
        "history_table", "search_path", "baseline", "repeat", "attestation",
        "placeholder.owner" };
    char *text = read_sample();

    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++)
        ck_assert_msg(count_lines(text, names[i]) == 1,
            "%s stands %u times in the sample", names[i], count_lines(text, names[i]));
    for (size_t i = 0; i < DG_ARRAY_SIZE(migration_keys); i++)
        ck_assert_msg(
            count_lines(text, migration_keys[i]) == 1, "%s", migration_keys[i]);
    mem_free(text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("config/load");
    TCase *tc = tcase_create("errors"), *ok = tcase_create("values"),
          *sample = tcase_create("sample");

    tcase_add_loop_test(tc, mistake_is_named_with_its_place, 0, DG_ARRAY_SIZE(errors));
    tcase_add_test(tc, missing_file_is_named);
    suite_add_tcase(s, tc);

    tcase_add_test(ok, what_is_not_set_has_its_default);
    tcase_add_test(ok, the_own_database_can_be_renamed_and_switched_off);
    tcase_add_test(ok, values_arrive_typed);
    tcase_add_test(ok, paths_are_relative_to_the_file_they_stand_in);
    tcase_add_loop_test(ok, database_entries_are_read, 0, DG_ARRAY_SIZE(conninfos));
    tcase_add_test(ok, entries_override_the_general_settings);
    tcase_add_test(ok, credentials_stay_out_of_the_control_string);
    tcase_add_test(ok, database_is_found_by_name_then_star);
    tcase_add_test(ok, many_databases_keep_their_order);
    tcase_add_test(ok, migrations_arrive_with_their_defaults);
    tcase_add_loop_test(
        ok, first_section_that_matches_has_the_database, 0, DG_ARRAY_SIZE(covers));
    tcase_add_test(ok, settled_reading_gives_the_same);
    suite_add_tcase(s, ok);

    tcase_add_test(sample, sample_file_loads_as_it_is);
    tcase_add_test(sample, sample_file_s_commented_lines_are_right_too);
    tcase_add_test(sample, sample_file_holds_every_setting_once);
    suite_add_tcase(s, sample);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
