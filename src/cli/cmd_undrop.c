// SPDX-License-Identifier: ISC
/* `ddlgate undrop`: what lies in the quarantine schema (policy/quarantine.h), and how a
 * table comes back: under its old name, in its old schema, with the names of its indexes,
 * sequences and statistics, its partitions, foreign keys and comment, in one transaction;
 * a partition goes back into its table. */
#include "base/mem.h"
#include "cli/cli.h"
#include "config/config.h"
#include "control/control.h"
#include "gate/snapshot.h"
#include "policy/quarantine.h"
#include "sql/ident.h"
#include "sql/lex.h"
#include "sql/tree.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS (5 * 60 * 1000) /* of a statement: it may wait for a lock */

struct arguments {
    const char *config, *database, *server, *schema, *user, *name;
    bool is_list;
};

/* Columns of the list. */
enum {
    COL_OID,
    COL_NOW,
    COL_SCHEMA,
    COL_NAME,
    COL_ROLE,
    COL_TIME,
    COL_SIZE,
    COL_NOTE,
};

static void
snapshot_unref_p(struct gate_snapshot **s)
{
    ref_drop(*s);
}

/* --- where ------------------------------------------------------------------------------ */

/* From the gate's configuration: the server, and the schema that policy names. */
static int
look_up(const struct arguments *a, struct arena *arena, char **conninfo,
    const char **schema, struct err *err)
{
    AUTO(snapshot_unref) struct gate_snapshot *snap = NULL;
    struct cfg *cfg = NULL;
    int r = cfg_load(a->config, false, &cfg, err);

    if (!r)
        r = gate_snapshot_new(cfg, false, &snap, err);
    ref_drop(cfg);
    if (r)
        return r;
    struct gate_target t = gate_snapshot_find(snap, a->database);
    if (!t.database)
        return err_set(err, -EINVAL, "%s has no database '%s'", a->config, a->database);
    if (!*schema && t.policy && pol_quarantine_schema(t.policy))
        *schema = arena_strdup(arena, pol_quarantine_schema(t.policy));
    return *conninfo
        ? 0
        : ctl_conninfo(t.database->conninfo, a->database, "", conninfo, err);
}

static int
connect_to(const struct arguments *a, struct arena *arena, const char **schema,
    struct ctl_link **link, struct err *err)
{
    AUTO(mem_free) char *conninfo = a->server ? mem_strdup(a->server) : NULL;
    int r = a->config ? look_up(a, arena, &conninfo, schema, err) : 0;

    if (r)
        return r;
    if (!*schema)
        return err_set(err, -EINVAL,
            "no policy names a quarantine schema here; name it with --schema");
    if (a->user) {
        AUTO(mem_free) char *old = conninfo;
        conninfo = ctl_conninfo_with(old, "user", a->user);
        if (!conninfo)
            return err_set(err, -EINVAL, "--server is no connection string");
    }
    return ctl_link_open(conninfo, TIMEOUT_MS, link, err);
}

/* --- what is there ---------------------------------------------------------------------- */

static int
check_schema(
    struct ctl_link *link, struct arena *arena, const char *schema, struct err *err)
{
    const struct dg_rows *rows = NULL;
    const char *sql = arena_printf(arena, "SELECT to_regnamespace(%s)",
        sql_constant(arena, sql_ident(arena, schema)));
    int r = ctl_link_run(link, sql, &rows, err);

    if (!r && !dg_cell(rows, 0, 0))
        return err_set(err, -ENOENT, "the database has no schema %s", schema);
    return r;
}

static int
read_list(struct ctl_link *link, struct arena *arena, const char *schema,
    const struct dg_rows **rows, struct err *err)
{
    const char *sql = arena_printf(arena,
        "SELECT oid, relname, j->>'schema', j->>'name', j->>'role', j->>'time',"
        " (WITH RECURSIVE tree(id) AS (SELECT x.oid UNION ALL SELECT i.inhrelid FROM tree"
        " JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.id)"
        " SELECT pg_size_pretty(sum(pg_total_relation_size(id))) FROM tree), text"
        " FROM (SELECT c.oid, c.relname, d.text, CASE WHEN starts_with(d.text, %s)"
        " THEN d.text::json END AS j FROM pg_catalog.pg_class c,"
        " LATERAL (SELECT pg_catalog.obj_description(c.oid, 'pg_class') AS text) d"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace(%s)) x"
        " WHERE j IS NOT NULL ORDER BY j->>'time', relname",
        sql_constant(arena, POL_QUARANTINE_MARK),
        sql_constant(arena, sql_ident(arena, schema)));
    return ctl_link_run(link, sql, rows, err);
}

static int
list(const struct dg_rows *rows)
{
    printf(
        "%-20s  %-30s  %-16s  %-9s  %s\n", "DROPPED", "TABLE", "BY", "SIZE", "KEPT AS");
    for (size_t i = 0; i < rows->n_rows; i++) {
        char table[160];
        snprintf(table, sizeof(table), "%s.%s", dg_cell(rows, i, COL_SCHEMA),
            dg_cell(rows, i, COL_NAME));
        printf("%-20s  %-30s  %-16s  %-9s  %s\n", dg_cell(rows, i, COL_TIME), table,
            dg_cell(rows, i, COL_ROLE), dg_cell(rows, i, COL_SIZE),
            dg_cell(rows, i, COL_NOW));
    }
    return CLI_OK;
}

static bool
is_meant(const struct dg_rows *rows, size_t i, const char *name)
{
    char whole[160];
    snprintf(whole, sizeof(whole), "%s.%s", dg_cell(rows, i, COL_SCHEMA),
        dg_cell(rows, i, COL_NAME));
    return strcmp(name, dg_cell(rows, i, COL_NAME)) == 0 || strcmp(name, whole) == 0;
}

/* The row of the table that is meant: by its full name in quarantine, or by the one it had. */
static int
find(const struct dg_rows *rows, const char *schema, const char *name, size_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < rows->n_rows; i++) {
        if (strcmp(name, dg_cell(rows, i, COL_NOW)) == 0) {
            *out = i;
            return CLI_OK;
        }
    }
    for (size_t i = 0; i < rows->n_rows; i++) {
        if (is_meant(rows, i, name) && n++ == 0)
            *out = i;
    }
    if (n == 1)
        return CLI_OK;
    if (n == 0)
        return cli_error(&cmd_undrop,
            "no table '%s' was dropped to schema %s; --list shows what was", name,
            schema);
    list(rows);
    return cli_error(&cmd_undrop,
        "%zu dropped tables have the name '%s': give the one it is kept as", n, name);
}

/* --- back ------------------------------------------------------------------------------- */

/* Whoever owns the table can write its comment, and whoever brings it back may have more
 * rights: nothing of the comment may become a command. So a foreign key has to be one when
 * it is read, and what is renamed has to be a part of the table. */
static bool
is_alter(const char *sql, const char *sub, bool is_key)
{
    struct sql_scan scan;
    bool is_one = false;

    if (strlen(sql) > SQL_TREE_INLINE_BYTES / 4
        || sql_scan(&scan, NULL, sql, strlen(sql), true, SQL_TREE_DEFAULT_DEPTH, NULL)
            != 0)
        return false;
    struct sql_tree *tree = sql_tree_new(&scan, NULL, sql, strlen(sql), true);
    if (scan.n == 1 && tree->n == 1 && !tree->is_unparsable) {
        const struct sql_facts *f = &tree->facts[0];
        is_one = strcmp(f->tag, "ALTER TABLE") == 0 && f->n_subs == 1
            && strcmp(f->subs[0].name, sub) == 0
            && (!is_key
                || (f->subs[0].constraint
                    && f->subs[0].constraint->kind == SQL_C_FOREIGN));
    }
    sql_tree_free(tree);
    sql_scan_deinit(&scan);
    return is_one;
}

static bool
is_foreign_key(struct arena *arena, const char *name, const char *definition)
{
    const char *sql = arena_printf(arena, "ALTER TABLE t ADD CONSTRAINT %s %s",
        sql_ident(arena, arena_strdup(arena, name)), definition);

    return is_alter(sql, "ADD CONSTRAINT", true);
}

/* As the server writes bounds: words of the syntax and constants. An expression would be
 * evaluated by whoever brings the table back. */
static bool
is_bound(struct arena *arena, const char *bound)
{
    static const char *const words[] = { "FOR", "VALUES", "FROM", "TO", "IN", "WITH",
        "MODULUS", "REMAINDER", "DEFAULT", "MINVALUE", "MAXVALUE", "NULL", "TRUE",
        "FALSE" };
    const char *sql = arena_printf(arena, "ALTER TABLE t ATTACH PARTITION p %s", bound);
    struct sql_lexer lx;
    struct sql_token tok;

    sql_lex_init(&lx, bound, strlen(bound), true);
    while (sql_lex_next(&lx, &tok) == 0) {
        struct str s = { bound + tok.start, tok.len };
        bool is_known = tok.kind == SQL_T_STRING || tok.kind == SQL_T_NUMBER
            || tok.kind == SQL_T_BITS || str_eqz(s, "-")
            || (tok.kind == SQL_T_PUNCT && s.n == 1 && strchr("(),", s.p[0]));
        for (size_t i = 0; tok.kind == SQL_T_WORD && i < DG_ARRAY_SIZE(words); i++)
            is_known |= str_ieqz(s, words[i]);
        if (!is_known)
            return false;
    }
    return is_alter(sql, "ATTACH PARTITION", false);
}

static int
check_keys(
    struct ctl_link *link, struct arena *arena, const char *note, struct err *err)
{
    const struct dg_rows *rows = NULL;
    const char *sql = arena_printf(arena,
        "WITH v(n) AS (VALUES (%s::json)), p(n) AS (SELECT n FROM v UNION ALL"
        " SELECT json_array_elements(n->'parts') FROM v)"
        " SELECT 'key', k->>'name', k->>'definition' FROM p,"
        " json_array_elements(n->'foreign_keys') k"
        " UNION ALL SELECT 'bound', NULL, n->'partition_of'->>'bound' FROM v"
        " WHERE json_typeof(n->'partition_of') = 'object'",
        sql_constant(arena, note));
    int r = ctl_link_run(link, sql, &rows, err);

    for (size_t i = 0; !r && i < rows->n_rows; i++) {
        const char *name = dg_cell(rows, i, 1), *text = dg_cell(rows, i, 2);
        if (strcmp(dg_cell(rows, i, 0), "key") != 0) {
            if (!text || !is_bound(arena, text))
                r = err_set(err, -EINVAL,
                    "its comment was changed: '%.100s' is no bound of a partition",
                    text ? text : "");
        } else if (!name || !text || !is_foreign_key(arena, name, text)) {
            r = err_set(err, -EINVAL, "its comment was changed: %s is no foreign key",
                name ? name : "what has no name");
        }
    }
    return r;
}

/* The table, then its partitions: each first out of quarantine and then the old names, so
 * that CREATE is needed on the old schema only. What was made a partition of it meanwhile
 * stays where it is. A foreign key whose rows are gone comes back NOT VALID; one that can't
 * come back is told as a statement, and so is the way back into a partitioned table. */
static const char restore_1[] = "\nDECLARE\n  v_top constant oid := ";
static const char restore_2[] = ";\n  v_note constant json := ";
static const char restore_3[] =
    ";\n"
    "  v_table record; v_parts json[]; v_one json; v_back text; v_place text; v_sql text;\n"
    "  v_left text := ''; v_what json; v_is_top boolean; v_oid oid; v_of json; v_tree oid[];\n"
    "BEGIN\n"
    "  EXECUTE format('LOCK TABLE %s %s IN ACCESS EXCLUSIVE MODE', CASE (SELECT c.relkind\n"
    "    FROM pg_catalog.pg_class c WHERE c.oid = v_top) WHEN 'p' THEN '' ELSE 'ONLY' END,\n"
    "    v_top::regclass);\n"
    "  IF obj_description(v_top, 'pg_class') IS DISTINCT FROM v_note::text THEN\n"
    "    RAISE EXCEPTION 'its comment has changed meanwhile; try again';\n"
    "  END IF;\n"
    "  v_tree := (WITH RECURSIVE tree(id) AS (SELECT v_top UNION ALL SELECT i.inhrelid\n"
    "      FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.id)\n"
    "    SELECT array_agg(id) FROM tree);\n"
    "  FOR v_what, v_is_top IN SELECT v_note, true\n"
    "      UNION ALL SELECT json_array_elements(v_note->'parts'), false LOOP\n"
    "    v_oid := CASE WHEN v_is_top THEN v_top ELSE (SELECT c.oid FROM pg_catalog.pg_class c\n"
    "      WHERE c.oid = ANY (v_tree) AND c.oid <> v_top AND c.relname = v_what->>'now') END;\n"
    "    CONTINUE WHEN v_oid IS NULL;\n"
    "    SELECT c.relname::text AS name, s.nspname::text AS place, c.relkind INTO STRICT "
    "v_table\n"
    "      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = "
    "c.relnamespace\n"
    "      WHERE c.oid = v_oid;\n"
    "    v_back := v_what->>'schema';\n"
    "    IF to_regnamespace(quote_ident(v_back)) IS NULL THEN\n"
    "      RAISE EXCEPTION USING ERRCODE = '3F000', MESSAGE = format('schema %I, where it "
    "was, is gone', v_back),\n"
    "        HINT = format('CREATE SCHEMA %I;', v_back);\n"
    "    END IF;\n"
    "    v_parts := '{}';\n"
    "    FOR v_one IN SELECT json_build_object('kind', 'TABLE', 'name', v_what->>'name', "
    "'now', v_table.name)\n"
    "        UNION ALL SELECT json_array_elements(v_what->'objects') LOOP\n"
    "      CONTINUE WHEN v_one->>'kind' <> 'TABLE' AND NOT EXISTS (\n"
    "        SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = "
    "i.indexrelid\n"
    "          WHERE i.indrelid = v_oid AND c.relname = v_one->>'now' AND v_one->>'kind' = "
    "'INDEX'\n"
    "        UNION ALL SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c\n"
    "          ON c.oid = d.objid AND c.relkind = 'S'\n"
    "          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refobjid = v_oid\n"
    "          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', "
    "'i')\n"
    "          AND c.relname = v_one->>'now' AND v_one->>'kind' = 'SEQUENCE'\n"
    "        UNION ALL SELECT FROM pg_catalog.pg_statistic_ext x WHERE x.stxrelid = v_oid\n"
    "          AND x.stxname = v_one->>'now' AND v_one->>'kind' = 'STATISTICS');\n"
    "      v_place := coalesce(v_one->>'schema', v_back);\n"
    "      IF v_one->>'kind' <> 'STATISTICS' AND to_regclass(format('%I.%I', v_place, "
    "v_one->>'name')) IS NOT NULL THEN\n"
    "        RAISE EXCEPTION USING ERRCODE = '42P07', MESSAGE = format('the name %I.%I of "
    "its %s is taken by now', v_place, v_one->>'name', lower(v_one->>'kind')),\n"
    "          HINT = 'Rename what has the name today.';\n"
    "      END IF;\n"
    "      v_parts := v_parts || v_one;\n"
    "    END LOOP;\n";
static const char restore_4[] =
    "    EXECUTE format('ALTER TABLE %s SET SCHEMA %I', v_oid::regclass, v_back);\n"
    "    EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', v_back, v_table.name, "
    "v_what->>'name');\n"
    "    FOREACH v_one IN ARRAY v_parts[2:] LOOP\n"
    "      v_place := coalesce(v_one->>'schema', v_back);\n"
    "      IF v_one->>'kind' = 'STATISTICS' THEN\n"
    "        EXECUTE format('ALTER STATISTICS %I.%I SET SCHEMA %I', v_table.place, "
    "v_one->>'now', v_place);\n"
    "      END IF;\n"
    "      EXECUTE format('ALTER %s %I.%I RENAME TO %I', v_one->>'kind', v_place, "
    "v_one->>'now', v_one->>'name');\n"
    "    END LOOP;\n"
    "    IF v_is_top THEN\n"
    "      EXECUTE format('COMMENT ON TABLE %s IS %L', v_oid::regclass, "
    "v_what->>'comment');\n"
    "    END IF;\n"
    "    FOR v_one IN SELECT json_array_elements(v_what->'foreign_keys') LOOP\n"
    "      v_sql := format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', v_back, "
    "v_what->>'name', v_one->>'name', v_one->>'definition');\n"
    "      BEGIN\n"
    "        EXECUTE v_sql;\n"
    "      EXCEPTION WHEN foreign_key_violation THEN\n"
    "        IF v_table.relkind = 'p' THEN\n"
    "          v_left := v_left || v_sql || E';\\n';\n"
    "        ELSE\n"
    "          EXECUTE v_sql || ' NOT VALID';\n"
    "          v_left := v_left || format(E'ALTER TABLE %I.%I VALIDATE CONSTRAINT %I;\\n', "
    "v_back, v_what->>'name', v_one->>'name');\n"
    "        END IF;\n"
    "      WHEN undefined_table OR undefined_column OR invalid_foreign_key OR "
    "insufficient_privilege OR invalid_schema_name OR datatype_mismatch THEN\n"
    "        v_left := v_left || v_sql || E';\\n';\n"
    "      END;\n"
    "    END LOOP;\n"
    "  END LOOP;\n"
    "  v_of := v_note->'partition_of';\n"
    "  IF json_typeof(v_of) = 'object' THEN\n"
    "    v_sql := format('ALTER TABLE %I.%I ATTACH PARTITION %s %s', v_of->>'schema', "
    "v_of->>'name', v_top::regclass, v_of->>'bound');\n"
    "    BEGIN\n"
    "      EXECUTE v_sql;\n"
    "    EXCEPTION WHEN check_violation OR foreign_key_violation OR unique_violation OR "
    "not_null_violation\n"
    "        OR invalid_object_definition OR invalid_table_definition OR undefined_table OR "
    "wrong_object_type\n"
    "        OR datatype_mismatch OR insufficient_privilege OR invalid_schema_name OR "
    "feature_not_supported THEN\n"
    "      v_left := v_left || format(E'-- %s\\n%s;\\n', replace(SQLERRM, E'\\n', ' '), "
    "v_sql);\n"
    "    END;\n"
    "  END IF;\n"
    "  PERFORM set_config('ddlgate.left', v_left, true);\n"
    "END\n";

static int
restore(
    struct ctl_link *link, struct arena *arena, const struct dg_rows *rows, size_t i)
{
    const char *note = arena_strdup(arena, dg_cell(rows, i, COL_NOTE));
    const char *body = arena_printf(arena, "%s%s%s%s%s%s", restore_1,
        dg_cell(rows, i, COL_OID), restore_2, sql_constant(arena, note), restore_3,
        restore_4);
    const char *sql = arena_printf(arena,
        "DO LANGUAGE plpgsql %s; SELECT current_setting('ddlgate.left')",
        pol_dollar_quoted(arena, "ddlgate", body));
    const char *table = sql_qualified(arena,
        arena_strdup(arena, dg_cell(rows, i, COL_SCHEMA)),
        arena_strdup(arena, dg_cell(rows, i, COL_NAME)));
    const char *from = arena_strdup(arena, dg_cell(rows, i, COL_NOW));
    const struct dg_rows *left = NULL;
    struct err err = { "" };

    if (check_keys(link, arena, note, &err) != 0
        || ctl_link_run(link, sql, &left, &err) != 0)
        return cli_error(&cmd_undrop, "%s: %s", from, err.text);
    printf("%s is %s again\n", from, table);
    const char *text = left->n_rows ? dg_cell(left, 0, 0) : NULL;
    if (text && *text)
        printf("What needs a look:\n%s", text);
    return CLI_OK;
}

/* --- the command ------------------------------------------------------------------------ */

enum {
    OPT_SERVER = 256,
};

static int
take_option(struct arguments *a, int opt, char **argv)
{
    switch (opt) {
    case 'c':
        a->config = optarg;
        return CLI_OK;
    case 'd':
        a->database = optarg;
        return CLI_OK;
    case 's':
        a->schema = optarg;
        return CLI_OK;
    case 'U':
        a->user = optarg;
        return CLI_OK;
    case 'l':
        a->is_list = true;
        return CLI_OK;
    case OPT_SERVER:
        a->server = optarg;
        return CLI_OK;
    }
    return cli_bad_option(&cmd_undrop, argv);
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "database", required_argument, NULL, 'd' },
        { "server", required_argument, NULL, OPT_SERVER },
        { "schema", required_argument, NULL, 's' },
        { "username", required_argument, NULL, 'U' },
        { "list", no_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    int opt;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, ":c:d:s:U:l", options, NULL)) != -1) {
        int status = take_option(a, opt, argv);
        if (status)
            return status;
    }
    a->name = optind < argc ? argv[optind++] : NULL;
    if (optind < argc)
        return cli_misuse(&cmd_undrop, "unexpected argument '%s'", argv[optind]);
    if (!a->config && !a->server)
        return cli_misuse(
            &cmd_undrop, "no server: give -c FILE and -d NAME, or --server");
    if (!a->config != !a->database)
        return cli_misuse(&cmd_undrop, "-c and -d go together");
    if (!a->name == !a->is_list)
        return cli_misuse(&cmd_undrop, "give the name of one table, or --list");
    return CLI_OK;
}

static int
run(int argc, char **argv)
{
    struct arguments a = { .config = NULL };
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(ctl_link_free) struct ctl_link *link = NULL;
    const struct dg_rows *rows = NULL;
    struct err err = { "" };
    size_t which = 0;
    int status = parse_options(argc, argv, &a);

    if (status)
        return status;
    const char *schema = a.schema;
    if (connect_to(&a, arena, &schema, &link, &err) != 0
        || check_schema(link, arena, schema, &err) != 0
        || read_list(link, arena, schema, &rows, &err) != 0)
        return cli_error(&cmd_undrop, "%s", err.text);
    if (a.is_list)
        return cli_finish(&cmd_undrop, list(rows));
    status = find(rows, schema, a.name, &which);
    if (!status)
        status = restore(link, arena, rows, which);
    return cli_finish(&cmd_undrop, status);
}

const struct cli_command cmd_undrop = {
    .name = "undrop",
    .summary = "bring back a table whose drop was turned into a move",
    .usage =
        "Usage: ddlgate undrop -c FILE -d DATABASE [-U USER] --list\n"
        "       ddlgate undrop -c FILE -d DATABASE [-U USER] NAME\n"
        "       ddlgate undrop --server CONNINFO --schema SCHEMA --list | NAME\n"
        "\n"
        "With `action = rewrite` and `quarantine = SCHEMA` in [check drop-table] a DROP TABLE\n"
        "moves the table to that schema. This lists what is there, or moves one back: in one\n"
        "transaction, with its indexes, sequences, statistics, foreign keys and comment.\n"
        "NAME is the table's old name, with or without schema, or the one it is kept as.\n"
        "\n"
        "  -c, --config FILE      the gate's configuration: server and schema\n"
        "  -d, --database NAME    the database, as clients of the gate name it\n"
        "      --server CONNINFO  this server instead\n"
        "  -s, --schema SCHEMA    the quarantine schema; default: policy's\n"
        "  -U, --username USER    who to connect as; default: libpq's (PGUSER, ...). Not the\n"
        "                         gate's own login, which only reads: it takes the table's\n"
        "                         owner, with CREATE on the schema where it was\n"
        "  -l, --list             show what is there\n"
        "\n"
        "It connects to the server itself, past the gate.\n"
        "\n"
        "Exit status: 0 done, 2 it could not be done.\n",
    .run = run,
};
