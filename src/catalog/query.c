// SPDX-License-Identifier: ISC
/* The query: a part for each kind of object, joined by UNION ALL. The columns are kind,
 * name, the relation it belongs to, property, value. Every object has one row with an empty
 * property, so that one without anything noteworthy exists, too. What a newer server adds
 * (not-null constraints as rows of pg_constraint) is left out where an older one tells the
 * same in another way. */
#include "catalog/catalog.h"

/* Laid out by hand: the formatter makes stairs of it. */
/* clang-format off */

/* Rights of others than the owner: "app=SELECT,INSERT; PUBLIC=SELECT". An empty list of
 * rights in the catalogue means the defaults of the kind. */
#define PRIVILEGES(acl, kind, owner)                                                 \
    "(SELECT string_agg(g.who || '=' || g.what, '; ' ORDER BY g.who) FROM ("         \
    "SELECT coalesce(quote_ident(r.rolname), 'PUBLIC') AS who,"                      \
    " string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END," \
    " ',' ORDER BY x.privilege_type) AS what"                                        \
    " FROM aclexplode(coalesce(" acl ", acldefault('" kind "', " owner "))) x"       \
    " LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE x.grantee <> " owner           \
    " GROUP BY 1) g)"
#define COLUMN_PRIVILEGES(acl, owner)                                                \
    "(SELECT string_agg(g.who || '=' || g.what, '; ' ORDER BY g.who) FROM ("         \
    "SELECT coalesce(quote_ident(r.rolname), 'PUBLIC') AS who,"                      \
    " string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END," \
    " ',' ORDER BY x.privilege_type) AS what FROM aclexplode(" acl ") x"             \
    " LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE x.grantee <> " owner           \
    " GROUP BY 1) g)"

#define OWNER(owner)                                                                      \
    "('owner', (SELECT quote_ident(own.rolname) FROM pg_roles own WHERE own.oid = " owner \
    "))"
#define COMMENT(oid, class) "('comment', obj_description(" oid ", '" class "'))"
#define NO_EXTENSION(oid, class)                         \
    "NOT EXISTS (SELECT FROM ext WHERE ext.objid = " oid \
    " AND ext.classid = 'pg_catalog." class "'::pg_catalog.regclass)"

/* Options of foreign objects, without what lets somebody in. */
#define FOREIGN_OPTIONS(options)                                                    \
    "(SELECT string_agg(CASE WHEN o.option_name ~* 'pass|secret|token|key|user'"    \
    " THEN o.option_name || '=***' ELSE o.option_name || '=' || o.option_value END" \
    ", ', ' ORDER BY o.option_name) FROM pg_options_to_table(" options ") o)"

/* The part's rows: one for the object itself and one for each property that is set. */
#define PART(kind, name, parent, properties, from)                   \
    "SELECT " kind "::text AS kind, " name "::text AS name, " parent \
    "::text AS parent, v.property, v.value FROM " from               \
    " CROSS JOIN LATERAL (VALUES ('', ''), " properties              \
    ") v(property, value) WHERE v.value IS NOT NULL"

static const char ctes[] =
    ", ns AS (SELECT n.oid, n.nspname, n.nspowner, n.nspacl, quote_ident(n.nspname) AS q"
    " FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')"
    ", rel AS (SELECT c.*, ns.q || '.' || quote_ident(c.relname) AS name"
    " FROM pg_class c JOIN ns ON ns.oid = c.relnamespace"
    " WHERE c.oid NOT IN (SELECT oid FROM hid) AND c.relpersistence <> 't'"
    " AND " NO_EXTENSION("c.oid", "pg_class") ")"
    ", typ AS (SELECT t.*, ns.q || '.' || quote_ident(t.typname) AS name"
    " FROM pg_type t JOIN ns ON ns.oid = t.typnamespace"
    " WHERE " NO_EXTENSION("t.oid", "pg_type") ")"
    ", proc AS (SELECT p.*, ns.q || '.' || quote_ident(p.proname) || '('"
    " || pg_get_function_identity_arguments(p.oid) || ')' AS name"
    " FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace"
    " WHERE " NO_EXTENSION("p.oid", "pg_proc") ")\n";

static const char *const parts[] = {
    PART("'table'",
        "c.name",
        "NULL",
        "('unlogged', CASE c.relpersistence WHEN 'u' THEN 'yes' END),"
        "('partition by', pg_get_partkeydef(c.oid)),"
        "('partition of', (SELECT p.name || ' ' || pg_get_expr(c.relpartbound, c.oid)"
        " FROM pg_inherits i JOIN rel p ON p.oid = i.inhparent"
        " WHERE i.inhrelid = c.oid AND c.relispartition)),"
        "('inherits', (SELECT string_agg(p.name, ', ' ORDER BY i.inhseqno)"
        " FROM pg_inherits i JOIN rel p ON p.oid = i.inhparent"
        " WHERE i.inhrelid = c.oid AND NOT c.relispartition)),"
        "('of type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END),"
        "('options', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) o)),"
        "('row security', CASE WHEN c.relrowsecurity THEN 'yes' END),"
        "('force row security', CASE WHEN c.relforcerowsecurity THEN 'yes' END),"
        "('replica identity', CASE c.relreplident WHEN 'n' THEN 'nothing'"
        " WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END),"
        "('tablespace', (SELECT quote_ident(s.spcname) FROM pg_tablespace s"
        " WHERE s.oid = c.reltablespace)),"
        "('access method', (SELECT quote_ident(a.amname) FROM pg_am a"
        " WHERE a.oid = c.relam AND a.amname <> 'heap')),"
        "('privileges', " PRIVILEGES("c.relacl", "r", "c.relowner") ")," OWNER("c.relowner") "," COMMENT("c.oid", "pg_class"),
        "(SELECT * FROM rel WHERE relkind IN ('r', 'p')) c"),
    PART("'foreign table'",
        "c.name",
        "NULL",
        "('server', quote_ident(s.srvname)),"
        "('options', " FOREIGN_OPTIONS("f.ftoptions") "),"
        "('privileges', " PRIVILEGES("c.relacl", "r", "c.relowner") ")," OWNER("c.relowner") "," COMMENT("c.oid", "pg_class"),
        "rel c JOIN pg_foreign_table f ON f.ftrelid = c.oid"
        " JOIN pg_foreign_server s ON s.oid = f.ftserver"),
    PART("CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END",
        "c.name",
        "NULL",
        "('definition', pg_get_viewdef(c.oid)),"
        "('options', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) o)),"
        "('populated', CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'no' END),"
        "('privileges', " PRIVILEGES("c.relacl", "r", "c.relowner") ")," OWNER("c.relowner") "," COMMENT("c.oid", "pg_class"),
        "(SELECT * FROM rel WHERE relkind IN ('v', 'm')) c"),
    PART("'column'",
        "c.name || '.' || quote_ident(a.attname)",
        "c.name",
        "('type', format_type(a.atttypid, a.atttypmod)),"
        "('not null', CASE WHEN a.attnotnull THEN 'yes' END),"
        "('default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END),"
        "('generated', CASE a.attgenerated"
        " WHEN 's' THEN 'stored ' || pg_get_expr(d.adbin, d.adrelid)"
        " WHEN 'v' THEN 'virtual ' || pg_get_expr(d.adbin, d.adrelid) END),"
        "('identity', CASE a.attidentity WHEN 'a' THEN 'always'"
        " WHEN 'd' THEN 'by default' END),"
        "('collation', (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname)"
        " FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace"
        " WHERE l.oid = a.attcollation AND l.oid <> t.typcollation)),"
        "('storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END),"
        "('compression', nullif(a.attcompression::text, '')),"
        "('options', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) o)),"
        "('foreign options', " FOREIGN_OPTIONS("a.attfdwoptions") "),"
        "('privileges', " COLUMN_PRIVILEGES("a.attacl", "c.relowner") "),"
        "('comment', col_description(c.oid, a.attnum))",
        "(SELECT * FROM rel WHERE relkind IN ('r', 'p', 'f')) c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " JOIN pg_type t ON t.oid = a.atttypid"
        " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"),
    PART("'constraint'",
        "c.name || '.' || quote_ident(k.conname)",
        "c.name",
        "('definition', pg_get_constraintdef(k.oid))," COMMENT("k.oid", "pg_constraint"),
        "rel c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype NOT IN ('n', 't')"),
    PART("'index'",
        "i.name",
        "c.name",
        "('definition', pg_get_indexdef(i.oid)),"
        "('valid', CASE WHEN NOT x.indisvalid THEN 'no' END),"
        "('clustered', CASE WHEN x.indisclustered THEN 'yes' END),"
        "('replica identity', CASE WHEN x.indisreplident THEN 'yes' END)," COMMENT("i.oid", "pg_class"),
        "(SELECT * FROM rel WHERE relkind IN ('i', 'I')) i"
        " JOIN pg_index x ON x.indexrelid = i.oid"
        " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid"
        " AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x'))"
        " JOIN rel c ON c.oid = x.indrelid"),
    PART("'sequence'",
        "c.name",
        "o.name",
        "('type', format_type(s.seqtypid, NULL)), ('start', s.seqstart::text),"
        "('increment', s.seqincrement::text), ('minimum', s.seqmin::text),"
        "('maximum', s.seqmax::text), ('cache', s.seqcache::text),"
        "('cycle', CASE WHEN s.seqcycle THEN 'yes' END),"
        "('unlogged', CASE c.relpersistence WHEN 'u' THEN 'yes' END),"
        "('owned by', o.name || '.' || quote_ident(a.attname)),"
        "('privileges', " PRIVILEGES("c.relacl", "s", "c.relowner") ")," OWNER("c.relowner") "," COMMENT("c.oid", "pg_class"),
        "rel c JOIN pg_sequence s ON s.seqrelid = c.oid"
        " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid"
        " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
        " LEFT JOIN rel o ON o.oid = d.refobjid"
        " LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"),
    PART("'trigger'",
        "c.name || '.' || quote_ident(t.tgname)",
        "c.name",
        "('definition', pg_get_triggerdef(t.oid)),"
        "('enabled', CASE t.tgenabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica'"
        " WHEN 'A' THEN 'always' END)," COMMENT("t.oid", "pg_trigger"),
        "rel c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal"
        " AND t.tgparentid = 0"),
    PART("'rule'",
        "c.name || '.' || quote_ident(r.rulename)",
        "c.name",
        "('definition', pg_get_ruledef(r.oid)),"
        "('enabled', CASE r.ev_enabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica'"
        " WHEN 'A' THEN 'always' END)," COMMENT("r.oid", "pg_rewrite"),
        "rel c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'"),
    PART("'policy'",
        "c.name || '.' || quote_ident(p.polname)",
        "c.name",
        "('command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'"
        " WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END),"
        "('restrictive', CASE WHEN NOT p.polpermissive THEN 'yes' END),"
        "('roles', (SELECT string_agg(coalesce(quote_ident(r.rolname), 'PUBLIC'), ', '"
        " ORDER BY r.rolname) FROM unnest(p.polroles) x LEFT JOIN pg_roles r ON r.oid = x)),"
        "('using', pg_get_expr(p.polqual, c.oid)),"
        "('check', pg_get_expr(p.polwithcheck, c.oid))," COMMENT("p.oid", "pg_policy"),
        "rel c JOIN pg_policy p ON p.polrelid = c.oid"),
    PART("'statistics'",
        "ns.q || '.' || quote_ident(s.stxname)",
        "c.name",
        "('definition', pg_get_statisticsobjdef(s.oid))," OWNER("s.stxowner") "," COMMENT("s.oid", "pg_statistic_ext"),
        "pg_statistic_ext s JOIN ns ON ns.oid = s.stxnamespace"
        " JOIN rel c ON c.oid = s.stxrelid"),
    PART("'type'",
        "t.name",
        "NULL",
        "('labels', (SELECT string_agg(quote_literal(e.enumlabel), ', '"
        " ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)),"
        "('attributes', (SELECT string_agg(quote_ident(a.attname) || ' '"
        " || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)"
        " FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0"
        " AND NOT a.attisdropped)),"
        "('range of', (SELECT format_type(r.rngsubtype, NULL)"
        " || CASE r.rngcanonical::oid WHEN 0 THEN '' ELSE ', canonical '"
        " || r.rngcanonical END || CASE r.rngsubdiff::oid WHEN 0 THEN ''"
        " ELSE ', difference ' || r.rngsubdiff END"
        " FROM pg_range r WHERE r.rngtypid = t.oid)),"
        "('input', CASE WHEN t.typtype = 'b' THEN t.typinput::text END),"
        "('privileges', " PRIVILEGES("t.typacl", "T", "t.typowner") ")," OWNER("t.typowner") "," COMMENT("t.oid", "pg_type"),
        "(SELECT typ.* FROM typ LEFT JOIN pg_class k ON k.oid = typ.typrelid"
        " WHERE typ.typtype IN ('e', 'r', 'b', 'p') AND NOT (typ.typtype = 'b'"
        " AND EXISTS (SELECT FROM pg_type e WHERE e.typarray = typ.oid))"
        " OR typ.typtype = 'c' AND k.relkind = 'c') t"),
    PART("'domain'",
        "t.name",
        "NULL",
        "('type', format_type(t.typbasetype, t.typtypmod)),"
        "('not null', CASE WHEN t.typnotnull THEN 'yes' END), ('default', t.typdefault),"
        "('collation', (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname)"
        " FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace"
        " JOIN pg_type b ON b.oid = t.typbasetype"
        " WHERE l.oid = t.typcollation AND l.oid <> b.typcollation)),"
        "('privileges', " PRIVILEGES("t.typacl", "T", "t.typowner") ")," OWNER("t.typowner") "," COMMENT("t.oid", "pg_type"),
        "(SELECT * FROM typ WHERE typtype = 'd') t"),
    PART("'domain constraint'",
        "t.name || '.' || quote_ident(k.conname)",
        "t.name",
        "('definition', pg_get_constraintdef(k.oid))," COMMENT("k.oid", "pg_constraint"),
        "typ t JOIN pg_constraint k ON k.contypid = t.oid AND k.contype <> 'n'"),
    PART("CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'"
        " ELSE 'function' END",
        "p.name",
        "NULL",
        "('definition', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END),"
        "('state', (SELECT a.aggtransfn || ' ' || format_type(a.aggtranstype, NULL)"
        " || coalesce(' initial ' || quote_literal(a.agginitval), '')"
        " FROM pg_aggregate a WHERE a.aggfnoid = p.oid)),"
        "('final', (SELECT a.aggfinalfn::text FROM pg_aggregate a"
        " WHERE a.aggfnoid = p.oid AND a.aggfinalfn <> 0)),"
        "('combine', (SELECT a.aggcombinefn::text FROM pg_aggregate a"
        " WHERE a.aggfnoid = p.oid AND a.aggcombinefn <> 0)),"
        "('privileges', " PRIVILEGES("p.proacl", "f", "p.proowner") ")," OWNER("p.proowner") "," COMMENT("p.oid", "pg_proc"),
        "(SELECT * FROM proc WHERE NOT EXISTS (SELECT FROM pg_depend d"
        " WHERE d.classid = 'pg_proc'::regclass AND d.objid = proc.oid"
        " AND d.deptype = 'i')) p"),
    PART("'event trigger'",
        "quote_ident(e.evtname)",
        "NULL",
        "('event', e.evtevent::text),"
        "('function', e.evtfoid::regprocedure::text),"
        "('tags', (SELECT string_agg(x, ', ' ORDER BY x) FROM unnest(e.evttags) x)),"
        "('enabled', CASE e.evtenabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica'"
        " WHEN 'A' THEN 'always' END)," OWNER("e.evtowner") "," COMMENT("e.oid", "pg_event_trigger"),
        "(SELECT * FROM pg_event_trigger e WHERE " NO_EXTENSION("e.oid", "pg_event_trigger") ") e"),
    PART("'operator'",
        "ns.q || '.' || o.oprname || ' ('"
        " || coalesce(format_type(nullif(o.oprleft, 0), NULL), 'none') || ', '"
        " || format_type(o.oprright, NULL) || ')'",
        "NULL",
        "('function', o.oprcode::oid::regprocedure::text)," OWNER("o.oprowner") "," COMMENT("o.oid", "pg_operator"),
        "pg_operator o JOIN ns ON ns.oid = o.oprnamespace AND o.oprcode <> 0 AND " NO_EXTENSION("o.oid", "pg_operator")),
    PART("'operator class'",
        "ns.q || '.' || quote_ident(o.opcname) || ' USING ' || m.amname",
        "NULL",
        "('type', format_type(o.opcintype, NULL)),"
        "('default', CASE WHEN o.opcdefault THEN 'yes' END)," OWNER("o.opcowner"),
        "pg_opclass o JOIN ns ON ns.oid = o.opcnamespace AND " NO_EXTENSION("o.oid", "pg_opclass") " JOIN pg_am m ON m.oid = o.opcmethod"),
    PART("'cast'",
        "format_type(c.castsource, NULL) || ' as ' || format_type(c.casttarget,"
        " NULL)",
        "NULL",
        "('function', CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END),"
        "('context', c.castcontext::text)," COMMENT("c.oid", "pg_cast"),
        "(SELECT * FROM pg_cast c WHERE c.oid >= 16384 AND " NO_EXTENSION("c.oid", "pg_cast") ") c"),
    PART("'schema'",
        "ns.q",
        "NULL",
        "('privileges', " PRIVILEGES("ns.nspacl", "n", "ns.nspowner") ")," OWNER("ns.nspowner") "," COMMENT("ns.oid", "pg_namespace"),
        "(SELECT * FROM ns WHERE nspname NOT IN (SELECT name FROM hidden_schema) AND " NO_EXTENSION("ns.oid", "pg_namespace") ") ns"),
    PART("'extension'",
        "quote_ident(e.extname)",
        "NULL",
        "('version', e.extversion), ('schema', (SELECT quote_ident(n.nspname)"
        " FROM pg_namespace n WHERE n.oid = e.extnamespace))," OWNER("e.extowner"),
        "pg_extension e"),
    PART("'collation'",
        "ns.q || '.' || quote_ident(l.collname)",
        "NULL",
        "('provider', l.collprovider::text), ('collate', l.collcollate::text),"
        "('deterministic', CASE WHEN NOT l.collisdeterministic THEN 'no' END)," OWNER("l.collowner") "," COMMENT("l.oid", "pg_collation"),
        "pg_collation l JOIN ns ON ns.oid = l.collnamespace AND " NO_EXTENSION("l.oid", "pg_collation")),
    PART("'text search configuration'",
        "ns.q || '.' || quote_ident(t.cfgname)",
        "NULL",
        "('parser', (SELECT quote_ident(p.prsname) FROM pg_ts_parser p"
        " WHERE p.oid = t.cfgparser)),"
        "('mapping', (SELECT string_agg(m.maptokentype || '=' || m.mapdict::regdictionary,"
        " ', ' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m"
        " WHERE m.mapcfg = t.oid))," OWNER("t.cfgowner") "," COMMENT("t.oid", "pg_ts_config"),
        "pg_ts_config t JOIN ns ON ns.oid = t.cfgnamespace AND " NO_EXTENSION("t.oid", "pg_ts_config")),
    PART("'text search dictionary'",
        "ns.q || '.' || quote_ident(t.dictname)",
        "NULL",
        "('options', t.dictinitoption)," OWNER("t.dictowner") "," COMMENT("t.oid", "pg_ts_dict"),
        "pg_ts_dict t JOIN ns ON ns.oid = t.dictnamespace AND " NO_EXTENSION("t.oid", "pg_ts_dict")),
    PART("'foreign data wrapper'",
        "quote_ident(w.fdwname)",
        "NULL",
        "('options', " FOREIGN_OPTIONS("w.fdwoptions") ")," OWNER("w.fdwowner") "," COMMENT("w.oid", "pg_foreign_data_wrapper"),
        "(SELECT * FROM pg_foreign_data_wrapper w WHERE " NO_EXTENSION("w.oid", "pg_foreign_data_wrapper") ") w"),
    PART("'server'",
        "quote_ident(s.srvname)",
        "NULL",
        "('wrapper', (SELECT quote_ident(w.fdwname) FROM pg_foreign_data_wrapper w"
        " WHERE w.oid = s.srvfdw)), ('type', s.srvtype), ('version', s.srvversion),"
        "('options', " FOREIGN_OPTIONS("s.srvoptions") "),"
        "('privileges', " PRIVILEGES("s.srvacl", "S", "s.srvowner") ")," OWNER("s.srvowner") "," COMMENT("s.oid", "pg_foreign_server"),
        "(SELECT * FROM pg_foreign_server s WHERE " NO_EXTENSION("s.oid", "pg_foreign_server") ") s"),
    "SELECT 'user mapping', quote_ident(m.srvname) || '.' || quote_ident(m.usename),"
    " NULL, '', '' FROM pg_user_mappings m",
    PART("'publication'",
        "quote_ident(p.pubname)",
        "NULL",
        "('all tables', CASE WHEN p.puballtables THEN 'yes' END),"
        "('operations', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,"
        " CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,"
        " CASE WHEN p.pubtruncate THEN 'truncate' END)),"
        "('via root', CASE WHEN p.pubviaroot THEN 'yes' END),"
        "('tables', (SELECT string_agg(c.name || coalesce(' (' || (SELECT"
        " string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs)) || ')', '')"
        " || coalesce(' WHERE ' || pg_get_expr(r.prqual, c.oid), ''), ', ' ORDER BY c.name)"
        " FROM pg_publication_rel r JOIN rel c ON c.oid = r.prrelid"
        " WHERE r.prpubid = p.oid)),"
        "('schemas', (SELECT string_agg(s.q, ', ' ORDER BY s.q)"
        " FROM pg_publication_namespace r JOIN ns s ON s.oid = r.pnnspid"
        " WHERE r.pnpubid = p.oid))," OWNER("p.pubowner") "," COMMENT("p.oid", "pg_publication"),
        "pg_publication p"),
    "SELECT 'default privileges', coalesce((SELECT quote_ident(n.nspname) || '.'"
    " FROM pg_namespace n WHERE n.oid = d.defaclnamespace), '') || CASE d.defaclobjtype"
    " WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'"
    " WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END"
    " || ' of ' || quote_ident(o.rolname), NULL, 'privileges', coalesce(" COLUMN_PRIVILEGES("d.defaclacl", "d.defaclrole") ", '')"
    " FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole",
};
/* clang-format on */

/* As a constant of standard_conforming_strings = on. */
static void
put_literal(struct buf *out, const char *s)
{
    buf_puts(out, "'");
    for (; *s; s++) {
        if (*s == '\'')
            buf_puts(out, "'");
        buf_put(out, s, 1);
    }
    buf_puts(out, "'");
}

void
cat_query(const struct cat_options *options, struct buf *sql)
{
    buf_puts(sql,
        "WITH ext AS MATERIALIZED (SELECT classid, objid FROM pg_depend"
        " WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass),"
        " hid0 AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE ");
    buf_puts(sql, options->hidden ? options->hidden : "false");
    /* with the indexes and sequences that belong to them */
    buf_puts(sql,
        "), hid AS MATERIALIZED (SELECT oid FROM hid0 UNION SELECT x.indexrelid FROM pg_index x"
        " WHERE x.indrelid IN (SELECT oid FROM hid0) UNION SELECT d.objid FROM pg_depend d"
        " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
        " AND d.deptype IN ('a', 'i') AND d.refobjid IN (SELECT oid FROM hid0)),"
        " hidden_schema AS (SELECT name FROM (VALUES (");
    put_literal(sql, options->hidden_schema ? options->hidden_schema : "");
    buf_puts(sql, ")) v(name))");
    buf_puts(sql, ctes);
    buf_puts(sql, "SELECT kind, name, parent, property, value FROM (\n");
    for (size_t i = 0; i < DG_ARRAY_SIZE(parts); i++) {
        buf_puts(sql, i ? "\nUNION ALL\n" : "");
        buf_puts(sql, parts[i]);
    }
    buf_puts(sql, "\n) all_facts(kind, name, parent, property, value)");
    if (!options->has_owners)
        buf_puts(sql, " WHERE property <> 'owner'");
}
