// SPDX-License-Identifier: ISC
/* Commands in policy: PostgreSQL's tags, optionally with a subcommand ("ALTER TABLE DROP
 * COLUMN"), checked against the names that facts use, so that a rule that can never match
 * is an error at load. */
#include "policy/pattern.h"

#include "policy/words.h"

#include <errno.h>
#include <string.h>

/* PostgreSQL's cmdtaglist, as far as the gate judges statements. */
static const char *const tags[] = { "ALTER ACCESS METHOD", "ALTER AGGREGATE",
    "ALTER CAST", "ALTER COLLATION", "ALTER CONVERSION", "ALTER DATABASE",
    "ALTER DEFAULT PRIVILEGES", "ALTER DOMAIN", "ALTER EVENT TRIGGER",
    "ALTER EXTENSION", "ALTER FOREIGN DATA WRAPPER", "ALTER FOREIGN TABLE",
    "ALTER FUNCTION", "ALTER INDEX", "ALTER LANGUAGE", "ALTER LARGE OBJECT",
    "ALTER MATERIALIZED VIEW", "ALTER OPERATOR", "ALTER OPERATOR CLASS",
    "ALTER OPERATOR FAMILY", "ALTER POLICY", "ALTER PROCEDURE", "ALTER PUBLICATION",
    "ALTER ROLE", "ALTER ROUTINE", "ALTER RULE", "ALTER SCHEMA", "ALTER SEQUENCE",
    "ALTER SERVER", "ALTER STATISTICS", "ALTER SUBSCRIPTION", "ALTER SYSTEM",
    "ALTER TABLE", "ALTER TABLESPACE", "ALTER TEXT SEARCH CONFIGURATION",
    "ALTER TEXT SEARCH DICTIONARY", "ALTER TEXT SEARCH PARSER",
    "ALTER TEXT SEARCH TEMPLATE", "ALTER TRANSFORM", "ALTER TRIGGER", "ALTER TYPE",
    "ALTER USER MAPPING", "ALTER VIEW", "ANALYZE", "CALL", "CHECKPOINT", "CLUSTER",
    "COMMENT", "COPY", "CREATE ACCESS METHOD", "CREATE AGGREGATE", "CREATE CAST",
    "CREATE COLLATION", "CREATE CONVERSION", "CREATE DATABASE", "CREATE DOMAIN",
    "CREATE EVENT TRIGGER", "CREATE EXTENSION", "CREATE FOREIGN DATA WRAPPER",
    "CREATE FOREIGN TABLE", "CREATE FUNCTION", "CREATE INDEX", "CREATE LANGUAGE",
    "CREATE MATERIALIZED VIEW", "CREATE OPERATOR", "CREATE OPERATOR CLASS",
    "CREATE OPERATOR FAMILY", "CREATE POLICY", "CREATE PROCEDURE", "CREATE PUBLICATION",
    "CREATE ROLE", "CREATE ROUTINE", "CREATE RULE", "CREATE SCHEMA", "CREATE SEQUENCE",
    "CREATE SERVER", "CREATE STATISTICS", "CREATE SUBSCRIPTION", "CREATE TABLE",
    "CREATE TABLE AS", "CREATE TABLESPACE", "CREATE TEXT SEARCH CONFIGURATION",
    "CREATE TEXT SEARCH DICTIONARY", "CREATE TEXT SEARCH PARSER",
    "CREATE TEXT SEARCH TEMPLATE", "CREATE TRANSFORM", "CREATE TRIGGER", "CREATE TYPE",
    "CREATE USER MAPPING", "CREATE VIEW", "DELETE", "DO", "DROP ACCESS METHOD",
    "DROP AGGREGATE", "DROP CAST", "DROP COLLATION", "DROP CONVERSION", "DROP DATABASE",
    "DROP DOMAIN", "DROP EVENT TRIGGER", "DROP EXTENSION", "DROP FOREIGN DATA WRAPPER",
    "DROP FOREIGN TABLE", "DROP FUNCTION", "DROP INDEX", "DROP LANGUAGE",
    "DROP MATERIALIZED VIEW", "DROP OPERATOR", "DROP OPERATOR CLASS",
    "DROP OPERATOR FAMILY", "DROP OWNED", "DROP POLICY", "DROP PROCEDURE",
    "DROP PUBLICATION", "DROP ROLE", "DROP ROUTINE", "DROP RULE", "DROP SCHEMA",
    "DROP SEQUENCE", "DROP SERVER", "DROP STATISTICS", "DROP SUBSCRIPTION",
    "DROP TABLE", "DROP TABLESPACE", "DROP TEXT SEARCH CONFIGURATION",
    "DROP TEXT SEARCH DICTIONARY", "DROP TEXT SEARCH PARSER",
    "DROP TEXT SEARCH TEMPLATE", "DROP TRANSFORM", "DROP TRIGGER", "DROP TYPE",
    "DROP USER MAPPING", "DROP VIEW", "GRANT", "GRANT ROLE", "IMPORT FOREIGN SCHEMA",
    "INSERT", "LOAD", "LOCK TABLE", "MERGE", "REASSIGN OWNED",
    "REFRESH MATERIALIZED VIEW", "REINDEX", "REVOKE", "REVOKE ROLE", "SECURITY LABEL",
    "SELECT INTO", "TRUNCATE TABLE", "UPDATE", "VACUUM" };

/* Names of subcommands and clauses as the sql folder's facts_*.c files give them. */
static const char *const subs[] = { "ADD", "ADD ATTRIBUTE", "ADD COLUMN",
    "ADD CONSTRAINT", "ADD GENERATED", "ADD PUBLICATION", "ADD VALUE", "ADMIN",
    "ALL PRIVILEGES", "ALTER ATTRIBUTE TYPE", "ALTER COLUMN OPTIONS",
    "ALTER COLUMN RESET", "ALTER COLUMN SET", "ALTER COLUMN TYPE", "ALTER CONSTRAINT",
    "ANALYZE", "AS", "ATTACH PARTITION", "AUTHORIZATION", "BYPASSRLS", "CLUSTER ON",
    "COLUMN", "CONNECTION", "CONNECTION LIMIT", "CREATEDB", "CREATEROLE",
    "DEPENDS ON EXTENSION", "DETACH PARTITION", "DETACH PARTITION FINALIZE", "DISABLE",
    "DISABLE ROW LEVEL SECURITY", "DISABLE RULE", "DISABLE TRIGGER",
    "DISABLE TRIGGER ALL", "DISABLE TRIGGER USER", "DROP", "DROP ATTRIBUTE",
    "DROP COLUMN", "DROP CONSTRAINT", "DROP DEFAULT", "DROP EXPRESSION",
    "DROP IDENTITY", "DROP NOT NULL", "DROP PUBLICATION", "ENABLE",
    "ENABLE ALWAYS RULE", "ENABLE ALWAYS TRIGGER", "ENABLE REPLICA RULE",
    "ENABLE REPLICA TRIGGER", "ENABLE ROW LEVEL SECURITY", "ENABLE RULE",
    "ENABLE TRIGGER", "ENABLE TRIGGER ALL", "ENABLE TRIGGER USER", "ENUM", "EXECUTE",
    "FILE", "FOR ALL TABLES", "FORCE ROW LEVEL SECURITY", "FROM", "FROM PUBLIC",
    "FROM SERVER", "FULL", "GRANT", "IN ROLE", "INHERIT", "INHERITS", "IS NULL", "LIKE",
    "LOGIN", "NO DEPENDS ON EXTENSION", "NO FORCE ROW LEVEL SECURITY", "NO INHERIT",
    "NOBYPASSRLS", "NOCREATEDB", "NOCREATEROLE", "NOINHERIT", "NOLOGIN",
    "NOREPLICATION", "NOSUPERUSER", "NOT OF", "OF", "OF TYPE", "ON", "OPTIONS",
    "OWNED BY", "OWNER TO", "PARTITION BY", "PARTITION OF", "PASSWORD", "PROGRAM",
    "RANGE", "REFRESH COLLATION VERSION", "REFRESH PUBLICATION", "REFRESH VERSION",
    "RENAME ATTRIBUTE", "RENAME COLUMN", "RENAME CONSTRAINT", "RENAME TO",
    "RENAME VALUE", "REPLICA IDENTITY DEFAULT", "REPLICA IDENTITY FULL",
    "REPLICA IDENTITY NOTHING", "REPLICA IDENTITY USING INDEX", "REPLICATION", "RESET",
    "RESTART", "RESTART IDENTITY", "REVOKE", "ROLE", "SCHEMA", "SECURITY DEFINER",
    "SECURITY INVOKER", "SELECT *", "SERVER", "SET", "SET ACCESS METHOD",
    "SET COMPRESSION", "SET DEFAULT", "SET GENERATED", "SET LOGGED", "SET NOT NULL",
    "SET PUBLICATION", "SET SCHEMA", "SET STATISTICS", "SET STORAGE", "SET TABLESPACE",
    "SET UNLOGGED", "SET WITHOUT CLUSTER", "SET WITHOUT OIDS", "SKIP", "SUPERUSER",
    "TO", "TO PUBLIC", "UNLOGGED", "UPDATE", "VALID UNTIL", "VALIDATE CONSTRAINT",
    "WITH ADMIN OPTION", "WITH GRANT OPTION", "WITH NO DATA", "WITHOUT WHERE" };

/* Upper case, single spaces. */
static char *
normalise(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1), *o = out;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ' || c == '\t') {
            if (o > out && o[-1] != ' ')
                *o++ = ' ';
        } else {
            *o++ = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        }
    }
    *o = '\0';
    return out;
}

static bool
any_matches(const char *glob, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_glob(glob, list[i]))
            return true;
    }
    return false;
}

/* The longest tag that text begins with, up to a space or the end. */
static const char *
leading_tag(const char *text)
{
    const char *best = NULL;
    for (size_t i = 0; i < DG_ARRAY_SIZE(tags); i++) {
        size_t n = strlen(tags[i]);
        if (strncmp(text, tags[i], n) == 0 && (text[n] == ' ' || !text[n])
            && (!best || n > strlen(best)))
            best = tags[i];
    }
    return best;
}

static int
refuse(struct err *err, const char *what, const char *of, const char *text,
    const char *nearest)
{
    if (nearest)
        return err_set(err, -EINVAL, "unknown %s \"%.60s\"%s; did you mean \"%s\"?",
            what, text, of, nearest);
    return err_set(err, -EINVAL,
        "unknown %s \"%.60s\"%s; write a command tag as psql shows it, such as ALTER TABLE, "
        "or with a subcommand, such as ALTER TABLE DROP COLUMN",
        what, text, of);
}

int
pol_parse_command(
    struct arena *a, struct str text, struct pol_item *out, struct err *err)
{
    const char *s = normalise(a, text);
    const char *tag = leading_tag(s);

    if (strpbrk(s, "*?") && any_matches(s, tags, DG_ARRAY_SIZE(tags))) {
        out->glob = s;
        return 0;
    }
    if (!tag)
        return refuse(
            err, "command", "", s, pol_nearest(str_of(s), tags, DG_ARRAY_SIZE(tags)));
    out->glob = tag;
    if (!s[strlen(tag)])
        return 0;
    out->sub = s + strlen(tag) + 1;
    if (!any_matches(out->sub, subs, DG_ARRAY_SIZE(subs))) {
        const char *whole = pol_nearest(str_of(s), tags, DG_ARRAY_SIZE(tags));
        if (whole)
            return refuse(err, "command", "", s, whole);
        return refuse(err, "subcommand", arena_printf(a, " of %s", tag), out->sub,
            pol_nearest(str_of(out->sub), subs, DG_ARRAY_SIZE(subs)));
    }
    return 0;
}

static bool
item_matches(const struct pol_item *item, const char *tag, const char *sub)
{
    if (!str_glob(item->glob, tag))
        return false;
    return !item->sub || (sub && str_glob(item->sub, sub));
}

static bool
list_matches(const struct pol_list *l, const char *tag, const char *sub)
{
    bool in = false, has_plain = false;
    for (size_t i = 0; i < l->n; i++) {
        bool m = item_matches(&l->items[i], tag, sub);
        if (l->items[i].is_negated) {
            if (m)
                return false;
        } else {
            has_plain = true;
            in |= m;
        }
    }
    return in || !has_plain;
}

/* What the lexer alone has read, or text known only at run time, may be any command. */
static bool
may_be_any(const struct sql_facts *f)
{
    return (f->flags & SQL_F_UNPARSABLE)
        || ((f->flags & SQL_F_DYNAMIC) && strcmp(f->tag, "DO") == 0);
}

enum pol_cover
pol_match_command(const struct pol_list *l, const struct sql_facts *f)
{
    size_t n = 0;

    if (!l->n)
        return POL_FULL;
    for (size_t i = 0; i < f->n_subs; i++)
        n += list_matches(l, f->tag, f->subs[i].name);
    bool is_full = f->n_subs ? n == f->n_subs : list_matches(l, f->tag, NULL);
    if (is_full)
        return f->flags & SQL_F_UNPARSABLE ? POL_PART : POL_FULL;
    return n || may_be_any(f) ? POL_PART : POL_NONE;
}
