// SPDX-License-Identifier: ISC
/* The one query that reads live facts. It looks at system catalogues, statistics and the
 * lock table only, with every name qualified, so that neither a client's lock nor a search
 * path can get in its way.
 *
 * Its rows: number of the want, tag, order, ten texts; live_read.c says what they mean. */
#include "policy/live.h"

#include "base/str.h"

#include <string.h>

#define TEXT_OF(n) #n
#define TEXT(n)    TEXT_OF(n)
#define LIMIT      TEXT(POL_MAX_PARTITIONS)
#define MAX_NAME   200 /* bytes; longer ones can't be names of the server's */

static const char head[] =
    "WITH RECURSIVE asked(i, nsp, name, is_anywhere) AS (VALUES ";

/* The path: given, or that of role and database, or the server's own, which is what this
 * connection began with unless its login has one for itself. */
static const char path_of_server[] =
    "me AS (SELECT coalesce((SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = %s),"
    " 0) AS role, d.oid AS db, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname ="
    " session_user) AS login FROM pg_catalog.pg_database d WHERE d.datname ="
    " current_database()),\n"
    "settings AS (SELECT s.setrole, s.setdatabase, substr(e, 13) AS value"
    " FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) e"
    " WHERE starts_with(e, 'search_path=')),\n"
    "setting AS (SELECT coalesce(s.value, g.reset_val) AS value,"
    " s.value IS NOT NULL OR NOT EXISTS (SELECT FROM settings o WHERE o.setrole = me.login"
    " AND o.setdatabase IN (0, me.db)) AS is_sure"
    " FROM me CROSS JOIN pg_catalog.pg_settings g LEFT JOIN LATERAL (SELECT o.value FROM"
    " settings o WHERE o.setrole IN (0, me.role) AND o.setdatabase IN (0, me.db)"
    " ORDER BY o.setrole <> 0 DESC, o.setdatabase <> 0 DESC LIMIT 1) s ON true"
    " WHERE g.name = 'search_path'),\n"
    "path AS (SELECT o, CASE item WHEN '$user' THEN %s ELSE item END AS nsp FROM (SELECT o,"
    " coalesce(replace(m[1], '\"\"', '\"'), lower(m[2])) AS item FROM setting,"
    " regexp_matches(setting.value, '\"((?:[^\"]|\"\")*)\"|([^[:space:],\"]+)', 'g')"
    " WITH ORDINALITY AS r(m, o)) p),\n"
    "sure AS (SELECT is_sure FROM setting),\n";

static const char *const body[] = {
    /* ---- which relations ---- */
    "found AS MATERIALIZED (SELECT a.i, r.oid, r.relkind, r.is_guess FROM asked a CROSS"
    " JOIN sure CROSS JOIN LATERAL (SELECT c.oid, c.relkind, a.nsp IS NULL AND"
    " (a.is_anywhere OR NOT sure.is_sure) AS is_guess FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN path p ON p.nsp = n.nspname"
    " WHERE c.relname = a.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'i', 'I', 'S')"
    " AND c.relpersistence <> 't' AND NOT starts_with(n.nspname::text, 'pg_')"
    " AND n.nspname <> 'information_schema' AND CASE WHEN a.nsp IS NOT NULL THEN n.nspname"
    " = a.nsp ELSE a.is_anywhere OR NOT sure.is_sure OR p.o IS NOT NULL END"
    /* where it can be any of several: the one that asks for most care */
    " ORDER BY CASE WHEN sure.is_sure AND NOT a.is_anywhere THEN p.o END,"
    " c.relkind = 'p' DESC, c.reltuples < 0 DESC, c.relpages DESC, c.oid LIMIT 1) r),\n"
    "t AS MATERIALIZED (SELECT f.i, coalesce(x.indrelid, f.oid) AS oid, f.oid AS asked_oid,"
    " f.is_guess FROM found f LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = f.oid"
    " AND f.relkind IN ('i', 'I')),\n"
    "tree(i, oid) AS (SELECT i, oid FROM t UNION SELECT tree.i, h.inhrelid FROM tree"
    " JOIN pg_catalog.pg_inherits h ON h.inhparent = tree.oid),\n",
    /* ---- sizes: pages as of the last vacuum or analyze, scaled if there are many more
     * rows since. Of what was never analyzed nothing is known: that is measured, which
     * opens the table, unless somebody holds or wants the lock that this would wait for ---- */
    "lk AS MATERIALIZED (SELECT l.pid, l.mode, l.granted, l.virtualtransaction AS vxid,"
    " l.relation FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND l.database ="
    " (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
    " AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()),\n"
    "part AS (SELECT tree.i, (c.relpages::float8 + coalesce(o.relpages, 0)) *"
    " current_setting('block_size')::int AS bytes, greatest(c.reltuples, 0)::float8 AS"
    " tuples, pg_catalog.pg_stat_get_live_tuples(c.oid)::float8 AS live,"
    " CASE WHEN c.relpages > 0 OR c.reltuples >= 0 AND"
    " current_setting('server_version_num')::int >= 140000 THEN -1"
    " WHEN EXISTS (SELECT FROM lk WHERE lk.mode = 'AccessExclusiveLock' AND lk.relation ="
    " c.oid) THEN NULL ELSE pg_catalog.pg_table_size(c.oid) END::float8 AS measured, c.oid"
    " FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid AND c.relkind IN ('r', 'm')"
    " LEFT JOIN pg_catalog.pg_class o ON o.oid = c.reltoastrelid),\n"
    /* files of an empty table may have a size (TOAST's index), its heap has none */
    "heap AS (SELECT *, CASE WHEN measured > 0 THEN pg_catalog.pg_relation_size(oid)"
    " END::float8 AS heap FROM part),\n"
    "size AS (SELECT i, sum(CASE WHEN measured >= 0 THEN measured WHEN measured IS NULL OR"
    " bytes = 0 THEN live * 100 WHEN tuples > 0 AND live > 2 * tuples THEN bytes * live /"
    " tuples ELSE bytes END)::int8 AS bytes, sum(CASE WHEN measured > 0 AND live = 0 THEN"
    " heap / 100 WHEN live > 2 * tuples THEN live ELSE tuples END)::int8 AS n_rows,"
    " bool_and(measured IS NOT NULL) AS is_known, bool_or(measured > 0 AND live = 0 AND"
    " heap > 0) AS is_uncounted FROM heap GROUP BY i),\n"
    "con AS MATERIALIZED (SELECT t.i, k.* FROM t JOIN pg_catalog.pg_constraint k"
    " ON k.conrelid = t.oid),\n"
    "ref AS MATERIALIZED (SELECT t.i, k.* FROM t JOIN pg_catalog.pg_constraint k"
    " ON k.confrelid = t.oid AND k.contype = 'f' AND k.conparentid = 0),\n"
    "idx AS MATERIALIZED (SELECT t.i, x.*, c.relname, c.relpages, c.relam, n.nspname"
    " FROM t JOIN pg_catalog.pg_index x ON x.indrelid = t.oid"
    " JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace),\n"
    "held AS (SELECT DISTINCT tree.i, lk.pid, lk.mode, lk.granted, lk.vxid FROM lk"
    " JOIN tree ON tree.oid = lk.relation)\n",
    /* ---- R: the relation asked for; an index has its table besides (T) ---- */
    "SELECT t.i, k.tag, 0::int8, n.nspname::text, c.relname::text, c.relkind::text,"
    " CASE WHEN c.relispartition THEN pn.nspname::text END,"
    " CASE WHEN c.relispartition THEN pc.relname::text END,"
    " (SELECT d.relname::text FROM pg_catalog.pg_partitioned_table p JOIN"
    " pg_catalog.pg_class d ON d.oid = p.partdefid WHERE p.partrelid = c.oid),"
    " s.bytes::text, s.n_rows::text, (SELECT count(*) - 1 FROM tree WHERE tree.i ="
    " t.i)::text, CASE WHEN s.i IS NULL OR s.is_known THEN 'k' ELSE '' END || CASE WHEN t.is_guess THEN"
    " 'g' ELSE '' END || CASE WHEN s.is_uncounted THEN 'u' ELSE '' END || CASE WHEN"
    " c.relforcerowsecurity THEN 'f' ELSE '' END || CASE WHEN"
    " EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = pc.oid AND"
    " p.partdefid <> 0) THEN 'd' ELSE '' END || CASE WHEN c.relispartition AND EXISTS (SELECT"
    " FROM pg_catalog.pg_constraint q WHERE q.confrelid = c.oid AND q.contype = 'f') THEN 'r'"
    " ELSE '' END"
    " FROM t CROSS JOIN (VALUES ('R'), ('T')) k(tag) JOIN pg_catalog.pg_class c ON c.oid ="
    " CASE k.tag WHEN 'R' THEN t.asked_oid ELSE t.oid END AND (k.tag = 'R' OR t.oid <>"
    " t.asked_oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN size s ON s.i = t.i LEFT JOIN (pg_catalog.pg_inherits h JOIN"
    " pg_catalog.pg_class pc ON pc.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON"
    " pn.oid = pc.relnamespace) ON h.inhrelid = c.oid AND c.relispartition\n",
    /* ---- C: columns ---- */
    "UNION ALL SELECT t.i, 'C', a.attnum, a.attname::text, coalesce(e.typname,"
    " y.typname)::text, coalesce(b.typname, e.typname, y.typname)::text,"
    " pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypmod::text,"
    " concat(CASE WHEN e.oid IS NOT NULL THEN 'a' END, CASE WHEN a.attnotnull THEN 'n' END,"
    " CASE WHEN a.atthasdef THEN 'd' END, CASE WHEN a.attgenerated <> '' THEN 'g' END,"
    " CASE WHEN a.attidentity <> '' THEN 'i' END), NULL, NULL, NULL, NULL"
    " FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0"
    " AND NOT a.attisdropped JOIN pg_catalog.pg_type y ON y.oid = a.atttypid"
    " LEFT JOIN pg_catalog.pg_type e ON e.oid = y.typelem AND y.typcategory = 'A'"
    " LEFT JOIN pg_catalog.pg_type b ON b.oid = y.typbasetype AND y.typtype = 'd'\n",
    /* ---- I: indexes, J: their keys ---- */
    "UNION ALL SELECT x.i, 'I', x.indexrelid::int8, x.nspname::text, x.relname::text,"
    " m.amname::text, concat(CASE WHEN x.indisunique THEN 'u' END, CASE WHEN x.indisvalid"
    " AND x.indisready THEN 'v' END, CASE WHEN x.indisprimary THEN 'p' END,"
    " CASE WHEN x.indpred IS NOT NULL THEN 'w' END,"
    " CASE WHEN x.indpred::text ~ ('^\\{NULLTEST :arg \\{VAR :varno 1 :varattno ' ||"
    " x.indkey[0] || ' [^{}]*\\} :nulltesttype 1 [^{}]*\\}$') THEN 'l' END,"
    " CASE WHEN EXISTS (SELECT FROM unnest(x.indoption::int2[], x.indclass::oid[],"
    " x.indcollation::oid[], x.indkey::int2[]) WITH ORDINALITY z(opt, cls, coll, att, o)"
    " LEFT JOIN pg_catalog.pg_opclass q ON q.oid = z.cls LEFT JOIN pg_catalog.pg_attribute"
    " a ON a.attrelid = x.indrelid AND a.attnum = z.att WHERE z.o <= x.indnkeyatts AND"
    " (z.opt <> 0 OR NOT q.opcdefault OR (z.att > 0 AND z.coll <> a.attcollation)))"
    " THEN 'o' END), k.conname::text, (SELECT count(*) FROM pg_catalog.pg_constraint g"
    " WHERE g.conindid = x.indexrelid AND g.contype = 'f' AND g.conparentid = 0)::text,"
    " (x.relpages::int8 * current_setting('block_size')::int)::text,"
    " (coalesce(pg_catalog.pg_stat_get_numscans(x.indexrelid), 0) + coalesce((SELECT"
    " sum(pg_catalog.pg_stat_get_numscans(h.inhrelid)) FROM pg_catalog.pg_inherits h WHERE"
    " h.inhparent = x.indexrelid), 0))::text, NULL, NULL"
    " FROM idx x JOIN pg_catalog.pg_am m ON m.oid = x.relam"
    " LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid ="
    " x.indrelid AND k.contype IN ('p', 'u', 'x')\n"
    "UNION ALL SELECT x.i, 'J', x.indexrelid::int8, a.attname::text, NULL, NULL, NULL, NULL,"
    " NULL, NULL, NULL, NULL, (100 + z.o)::text FROM idx x CROSS JOIN LATERAL"
    " unnest(x.indkey::int2[]) WITH ORDINALITY z(att, o) LEFT JOIN pg_catalog.pg_attribute"
    " a ON a.attrelid = x.indrelid AND a.attnum = z.att AND z.att > 0"
    " WHERE z.o <= x.indnkeyatts\n",
    /* ---- N: constraints, F: foreign keys to it, D: the columns of both ---- */
    "UNION ALL SELECT k.i, 'N', k.oid::int8, k.conname::text, k.contype::text,"
    " CASE WHEN k.convalidated THEN 'v' END, n.nspname::text, c.relname::text,"
    " CASE WHEN k.contype = 'c' AND cardinality(k.conkey) = 1 AND k.conbin::text ~"
    " '^\\{NULLTEST :arg \\{VAR [^{}]*\\} :nulltesttype 1 [^{}]*\\}$' THEN (SELECT"
    " a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = k.conrelid AND"
    " a.attnum = k.conkey[1]) END, NULL, NULL, NULL, NULL"
    " FROM con k LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ="
    " c.relnamespace) ON c.oid = k.confrelid\n"
    "UNION ALL SELECT k.i, 'F', k.oid::int8, k.conname::text, k.contype::text,"
    " CASE WHEN k.convalidated THEN 'v' END, n.nspname::text, c.relname::text, NULL, NULL,"
    " NULL, NULL, NULL FROM ref k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "UNION ALL SELECT k.i, k.tag, k.oid::int8, a.attname::text, b.attname::text, NULL, NULL,"
    " NULL, NULL, NULL, NULL, NULL, (100 + z.o)::text FROM (SELECT i, 'D' AS tag, oid, conrelid,"
    " confrelid, conkey, confkey FROM con UNION ALL SELECT i, 'E', oid, conrelid, confrelid,"
    " conkey, confkey FROM ref) k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH"
    " ORDINALITY z(att, other, o) JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid"
    " AND a.attnum = z.att LEFT JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid"
    " AND b.attnum = z.other\n",
    /* ---- B: the bound of a partition; it opens the table, so not while somebody wants it
     * for himself ---- */
    "UNION ALL SELECT t.i, 'B', 0::int8, pg_catalog.pg_get_expr(c.relpartbound, c.oid), NULL,"
    " NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM t JOIN pg_catalog.pg_class c ON"
    " c.oid = t.oid AND c.relispartition AND NOT EXISTS (SELECT FROM lk WHERE lk.mode ="
    " 'AccessExclusiveLock' AND lk.relation = c.oid)\n",
    /* ---- K: the key of a partitioned table, P: what is below it ---- */
    "UNION ALL SELECT t.i, 'K', z.o, a.attname::text, pg_catalog.format_type(a.atttypid,"
    " a.atttypmod), p.partstrat::text, CASE WHEN NOT q.opcdefault OR z.coll <>"
    " a.attcollation THEN 'o' END, NULL, NULL, NULL, NULL, NULL, NULL"
    " FROM t JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = t.oid CROSS JOIN"
    " LATERAL unnest(p.partattrs::int2[], p.partclass::oid[], p.partcollation::oid[]) WITH"
    " ORDINALITY z(att, cls, coll, o) LEFT JOIN pg_catalog.pg_opclass q ON q.oid = z.cls"
    " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = z.att AND"
    " z.att > 0\n"
    "UNION ALL SELECT t.i, 'P', c.oid::int8, n.nspname::text, c.relname::text,"
    " c.relkind::text, pn.nspname::text, pc.relname::text, NULL, NULL, NULL, NULL, NULL"
    " FROM t JOIN tree ON tree.i = t.i AND tree.oid <> t.oid JOIN pg_catalog.pg_class c ON"
    " c.oid = tree.oid AND c.relispartition JOIN pg_catalog.pg_namespace n ON n.oid ="
    " c.relnamespace JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid JOIN"
    " pg_catalog.pg_class pc ON pc.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON"
    " pn.oid = pc.relnamespace WHERE (SELECT count(*) FROM tree x WHERE x.i = t.i) <= " LIMIT
    "\n",
    /* ---- U: who uses a column ---- */
    "UNION ALL SELECT DISTINCT t.i, 'U', 0::int8, u.kind, u.nsp, u.name, a.attname::text,"
    " NULL, NULL, NULL, NULL, NULL, NULL FROM t JOIN pg_catalog.pg_depend d ON"
    " d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.oid AND"
    " d.refobjsubid > 0 JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum ="
    " d.refobjsubid CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'materialized"
    " view' ELSE 'view' END AS kind, n.nspname::text AS nsp, c.relname::text AS name FROM"
    " pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class c ON c.oid = w.ev_class JOIN"
    " pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE d.classid ="
    " 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND w.oid = d.objid AND c.oid <> t.oid"
    " UNION ALL SELECT 'generated column', NULL, g.attname::text FROM"
    " pg_catalog.pg_attrdef f JOIN pg_catalog.pg_attribute g ON g.attrelid = f.adrelid AND"
    " g.attnum = f.adnum AND g.attgenerated <> '' WHERE d.classid ="
    " 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND f.oid = d.objid AND f.adrelid ="
    " t.oid AND f.adnum <> d.refobjsubid"
    " UNION ALL SELECT 'policy', NULL, q.polname::text FROM pg_catalog.pg_policy q WHERE"
    " d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND q.oid = d.objid"
    " UNION ALL SELECT 'trigger', NULL, q.tgname::text FROM pg_catalog.pg_trigger q WHERE"
    " d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND q.oid = d.objid AND NOT"
    " q.tgisinternal) u\n",
    /* ---- L: who holds or waits for locks ---- */
    "UNION ALL (SELECT h.i, 'L', row_number() OVER (ORDER BY coalesce(s.xact_start,"
    " x.prepared)), h.pid::text, coalesce(s.usename::text, x.gid),"
    " CASE WHEN h.pid IS NULL THEN 'prepared transaction' WHEN s.backend_type = 'autovacuum"
    " worker' THEN 'autovacuum' ELSE s.state END, h.mode, CASE WHEN h.granted THEN 'g' END,"
    " (extract(epoch FROM clock_timestamp() - coalesce(s.xact_start, x.prepared)) *"
    " 1000)::int8::text, NULL, NULL, NULL, NULL FROM held h"
    " LEFT JOIN pg_catalog.pg_stat_activity s ON s.pid = h.pid"
    " LEFT JOIN LATERAL (SELECT p.gid, p.prepared FROM pg_catalog.pg_locks l JOIN"
    " pg_catalog.pg_prepared_xacts p ON p.transaction = l.transactionid WHERE h.pid IS NULL"
    " AND l.pid IS NULL AND l.locktype = 'transactionid' AND l.virtualtransaction = h.vxid"
    " LIMIT 1) x ON true ORDER BY coalesce(s.xact_start, x.prepared) LIMIT 1000)\n"
    "UNION ALL SELECT -1, 'S', 0::int8, (SELECT d.stats_reset::date::text FROM"
    " pg_catalog.pg_stat_database d WHERE d.datname = current_database()), NULL, NULL, NULL,"
    " NULL, NULL, NULL, NULL, NULL, NULL\n"
    "ORDER BY 1, 2, 3, 13",
};

/* ---- constants ---- */

static bool
is_askable(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    if (len > MAX_NAME)
        return false;
    for (size_t i = 0; i < len;) {
        size_t n = str_utf8_len(name + i, len - i);
        if (!n)
            return false;
        i += n;
    }
    return true;
}

/* The connection runs with standard_conforming_strings and in UTF-8: a quote is all that
 * has to be doubled. */
static void
put_text(struct buf *sql, const char *text)
{
    if (!text || !is_askable(text)) {
        buf_puts(sql, "NULL::text");
        return;
    }
    buf_puts(sql, "'");
    for (; *text; text++) {
        if (*text == '\'')
            buf_puts(sql, "'");
        buf_put(sql, text, 1);
    }
    buf_puts(sql, "'::text");
}

bool
pol_want_is_askable(const struct pol_want *w)
{
    return *w->name && is_askable(w->name) && is_askable(w->schema);
}

static void
put_wants(struct buf *sql, const struct pol_want *wants, size_t n, bool is_anywhere)
{
    bool is_first = true;

    for (size_t i = 0; i < n; i++) {
        if (!pol_want_is_askable(&wants[i]))
            continue;
        buf_putf(sql, "%s(%zu, ", is_first ? "" : ", ", i);
        put_text(sql, wants[i].schema);
        buf_puts(sql, ", ");
        put_text(sql, wants[i].name);
        buf_puts(sql, is_anywhere || wants[i].is_anywhere ? ", true)" : ", false)");
        is_first = false;
    }
    if (is_first) /* nothing that has this name */
        buf_puts(sql, "(0, 'pg_none'::text, ''::text, false)");
    buf_puts(sql, "),\n");
}

static void
put_path_of_server(struct buf *sql, const char *role)
{
    const char *rest = path_of_server;
    for (const char *at; (at = strstr(rest, "%s")) != NULL; rest = at + 2) {
        buf_put(sql, rest, (size_t)(at - rest));
        if (role)
            put_text(sql, role);
        else
            buf_puts(sql, "session_user::text");
    }
    buf_puts(sql, rest);
}

static void
put_path(struct buf *sql, const struct pol_live_path *path)
{
    buf_puts(sql, "path(o, nsp) AS (SELECT z.o, z.nsp FROM unnest(ARRAY[");
    for (size_t i = 0; i < path->n_schemas; i++) {
        if (i)
            buf_puts(sql, ", ");
        put_text(sql, path->schemas[i]);
    }
    buf_puts(sql,
        "]::text[]) WITH ORDINALITY z(nsp, o)),\n"
        "sure(is_sure) AS (SELECT true),\n");
}

void
pol_live_query(const struct pol_live_path *path, const struct pol_want *wants, size_t n,
    struct buf *sql)
{
    buf_puts(sql, head);
    put_wants(sql, wants, n, path->kind == POL_PATH_UNKNOWN);
    if (path->kind == POL_PATH_SERVER)
        put_path_of_server(sql, path->role);
    else
        put_path(sql, path);
    for (size_t i = 0; i < DG_ARRAY_SIZE(body); i++)
        buf_puts(sql, body[i]);
}
