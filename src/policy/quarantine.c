// SPDX-License-Identifier: ISC
/* Builds the DO block; see quarantine.h. */
#include "policy/quarantine.h"

#include <stdio.h>
#include <string.h>

#include "policy/rewrite_build.h"
#include "policy/rules.h"

/* Steps, in this order:
 * - the tables are found and locked, so that the trial's answer still holds afterwards;
 *   who doesn't own one is told by the trial, and so is who finds it gone after the wait.
 *   Only what is found in quarantine now is dropped for good: another session may be about
 *   to move the table there;
 * - the trial; what it raises to undo itself nobody else can raise, since it holds the time;
 * - first the move and then the new names: renaming needs CREATE on the schema, which the
 *   old one may not grant. Indexes and owned sequences move with their table, extended
 *   statistics don't;
 * - a partition is detached, else its rows would still be those of its table; its table is
 *   locked before it, as DROP does, and as whoever reads it does. A partitioned table stays in
 *   one piece: each table of its tree moves, from the leaves up, and the note of the topmost
 *   one tells of all;
 * - foreign keys to other tables are taken off and noted: a dropped table doesn't keep
 *   anybody from deleting rows or from dropping the table that it referred to. What a partition
 *   has from its table comes with ATTACH again. */
static const char body_1[] = "\nDECLARE\n"
                             "  v_place constant text := ";
static const char body_2[] = ";\n  v_names constant text[] := ARRAY[";
static const char body_3[] = "];\n  v_lenient constant boolean := ";
static const char body_4[] =
    ";\n"
    "  v_now constant timestamp := clock_timestamp() AT TIME ZONE 'UTC';\n"
    "  v_trial constant text := format('ddlgate: trial of %s by %s', v_now, "
    "pg_backend_pid());\n"
    "  v_stamp constant text := '__' || to_char(v_now, 'YYYYMMDD\"t\"HH24MISS') || '_'\n"
    "    || lpad(to_hex(floor(random() * 65536)::int), 4, '0');\n"
    "  v_tables oid[] := '{}'; v_drops oid[] := '{}'; v_moves oid[] := '{}';\n"
    "  v_there oid[] := '{}'; v_oid oid; v_name text; v_new text; n int;\n"
    "  v_table record; v_one record; v_objects json[]; v_keys json[];\n"
    "  v_all_keys json[] := '{}'; v_why text; v_stem text;\n"
    "  v_tops oid[] := '{}'; v_of json[] := '{}'; v_parts json[] := '{}';\n"
    "  v_tree oid[]; v_above oid; v_copied oid[];\n"
    "BEGIN\n"
    "  FOREACH v_name IN ARRAY v_names LOOP\n"
    "    v_oid := to_regclass(v_name)::oid;\n"
    "    IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = v_oid\n"
    "        AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')) THEN\n"
    "      BEGIN\n"
    "        FOR v_one IN SELECT p.oid::regclass AS above\n"
    "            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c\n"
    "              ON c.oid = i.inhrelid AND c.relispartition\n"
    "            JOIN pg_catalog.pg_class p ON p.oid = i.inhparent\n"
    "            WHERE i.inhrelid = v_oid AND pg_has_role(p.relowner, 'USAGE') LOOP\n"
    "          EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', v_one.above);\n"
    "        END LOOP;\n"
    "        EXECUTE format('LOCK TABLE %s %s IN ACCESS EXCLUSIVE MODE',\n"
    "          CASE (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = v_oid)\n"
    "            WHEN 'p' THEN '' ELSE 'ONLY' END, v_name);\n"
    "      EXCEPTION WHEN undefined_table OR invalid_schema_name THEN NULL;\n"
    "      END;\n"
    "      v_oid := to_regclass(v_name)::oid;\n"
    "    END IF;\n"
    "    CONTINUE WHEN v_oid IS NULL OR v_oid = ANY (v_tables);\n"
    "    v_tables := v_tables || v_oid;\n"
    "    IF EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = v_oid\n"
    "        AND c.relnamespace = to_regnamespace(quote_ident(v_place))) THEN\n"
    "      v_there := v_there || v_oid;\n"
    "    END IF;\n"
    "  END LOOP;\n"
    "  BEGIN\n"
    "    EXECUTE ";
static const char body_5[] =
    ";\n"
    "    RAISE EXCEPTION USING ERRCODE = 'DG001', MESSAGE = v_trial;\n"
    "  EXCEPTION WHEN SQLSTATE 'DG001' THEN\n"
    "    IF SQLERRM <> v_trial THEN RAISE; END IF;\n"
    "  END;\n"
    "  FOREACH v_name IN ARRAY v_names LOOP\n"
    "    v_oid := to_regclass(v_name)::oid;\n"
    "    CONTINUE WHEN v_oid IS NULL OR v_oid = ANY (v_tables);\n"
    "    RAISE EXCEPTION USING ERRCODE = '40001',\n"
    "      MESSAGE = format('ddlgate: %s is another table by now; try again', v_name);\n"
    "  END LOOP;\n"
    "  FOREACH v_oid IN ARRAY v_tables LOOP\n"
    "    SELECT c.relname::text AS name, s.nspname::text AS place, c.relkind, "
    "c.relpersistence,\n"
    "        c.relispartition, pg_get_expr(c.relpartbound, c.oid) AS bound,\n"
    "        EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = v_oid) AS "
    "is_part\n"
    "      INTO v_table FROM pg_catalog.pg_class c\n"
    "      JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = v_oid;\n"
    "    v_above := (SELECT i.inhparent FROM pg_catalog.pg_inherits i\n"
    "      WHERE i.inhrelid = v_oid AND v_table.relispartition);\n"
    "    CONTINUE WHEN EXISTS (WITH RECURSIVE up(id) AS (SELECT v_above UNION ALL\n"
    "        SELECT i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.id)\n"
    "      SELECT FROM up WHERE id = ANY (v_tables));\n"
    "    v_tree := (WITH RECURSIVE tree(id, level) AS (SELECT v_oid, 0 UNION ALL\n"
    "        SELECT i.inhrelid, level + 1 FROM tree\n"
    "          JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.id)\n"
    "      SELECT array_agg(id ORDER BY level DESC, id) FROM tree);\n"
    "    v_why := (SELECT CASE\n"
    "        WHEN v_table.is_part AND v_above IS NULL THEN 'the child of another table'\n"
    "        WHEN bool_or(c.oid = v_above AND NOT pg_has_role(c.relowner, 'USAGE')) THEN\n"
    "          format('a partition of %s, which its owner alone can detach', "
    "v_above::regclass)\n"
    "        WHEN bool_or(c.relkind = 'f') THEN 'partitioned, with a foreign table in it'\n"
    "        WHEN bool_or(c.oid = ANY (v_tree) AND c.oid <> v_oid\n"
    "          AND NOT pg_has_role(c.relowner, 'USAGE')) THEN\n"
    "          'partitioned, with a partition that somebody else owns' END\n"
    "      FROM pg_catalog.pg_class c WHERE c.oid = v_above OR c.oid = ANY (v_tree));\n"
    "    IF v_oid = ANY (v_there) OR v_table.relpersistence = 't' THEN\n"
    "      v_drops := v_drops || v_oid;\n"
    "      CONTINUE;\n"
    "    ELSIF v_why IS NOT NULL AND v_lenient THEN\n"
    "      RAISE WARNING USING MESSAGE = format('ddlgate: %s is dropped, not moved to "
    "quarantine: it is %s', v_oid::regclass, v_why);\n"
    "      v_drops := v_drops || v_oid;\n"
    "      CONTINUE;\n"
    "    ELSIF v_why IS NOT NULL THEN\n"
    "      RAISE EXCEPTION USING ERRCODE = '55000',\n"
    "        MESSAGE = format('ddlgate: DROP TABLE %s refused by rule drop-table: it is %s, "
    "and can''t be moved to quarantine', v_oid::regclass, v_why),\n"
    "        HINT = 'Take it apart first (ALTER TABLE ... DETACH PARTITION, NO INHERIT), then "
    "drop its tables one by one.';\n"
    "    END IF;\n"
    "    IF to_regnamespace(quote_ident(v_place)) IS NULL THEN\n"
    "      RAISE EXCEPTION USING ERRCODE = '3F000',\n"
    "        MESSAGE = format('ddlgate: DROP TABLE moves %s to schema %I, which does not "
    "exist', v_oid::regclass, v_place),\n"
    "        HINT = format('CREATE SCHEMA %I; GRANT USAGE, CREATE ON SCHEMA %I TO %I;', "
    "v_place, v_place, current_user);\n"
    "    ELSIF NOT has_schema_privilege(v_place, 'USAGE')\n"
    "        OR NOT has_schema_privilege(v_place, 'CREATE') THEN\n"
    "      RAISE EXCEPTION USING ERRCODE = '42501',\n"
    "        MESSAGE = format('ddlgate: DROP TABLE moves %s to schema %I, and %I has no right "
    "to put it there', v_oid::regclass, v_place, current_user),\n"
    "        HINT = format('GRANT USAGE, CREATE ON SCHEMA %I TO %I;', v_place, "
    "current_user);\n"
    "    END IF;\n";
static const char body_6[] =
    "    v_copied := '{}';\n"
    "    IF v_above IS NOT NULL THEN\n"
    "      v_copied := ARRAY (SELECT c.oid FROM pg_catalog.pg_constraint c\n"
    "        WHERE c.conrelid = v_oid AND c.contype = 'f' AND c.conparentid <> 0);\n"
    "      EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', v_above::regclass, "
    "v_oid::regclass);\n"
    "    END IF;\n"
    "    v_of := v_of || coalesce((SELECT json_build_object('schema', s.nspname, 'name', "
    "c.relname,\n"
    "        'bound', v_table.bound) FROM pg_catalog.pg_class c\n"
    "      JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = v_above), "
    "'null');\n"
    "    v_tops := v_tops || v_oid;\n"
    "    FOREACH v_oid IN ARRAY v_tree LOOP\n"
    "      v_keys := '{}';\n"
    "      FOR v_one IN SELECT c.oid, c.conname::text AS name, pg_get_constraintdef(c.oid) "
    "AS def,\n"
    "          c.confrelid::regclass::text AS short, format('%I.%I', s.nspname, r.relname) "
    "AS long\n"
    "        FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid = "
    "c.confrelid\n"
    "        JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace\n"
    "        WHERE c.conrelid = v_oid AND c.contype = 'f' AND c.conparentid = 0\n"
    "        AND c.confrelid <> ALL (v_tree) ORDER BY c.oid LOOP\n"
    "        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v_oid::regclass, "
    "v_one.name);\n"
    "        CONTINUE WHEN v_one.oid = ANY (v_copied);\n"
    "        v_keys := v_keys || json_build_object('name', v_one.name, 'table', v_one.long, "
    "'definition',\n"
    "          replace(v_one.def, ' REFERENCES ' || v_one.short || '(',\n"
    "            ' REFERENCES ' || v_one.long || '('));\n"
    "      END LOOP;\n"
    "      v_moves := v_moves || v_oid;\n"
    "      v_all_keys := v_all_keys || array_to_json(v_keys);\n"
    "    END LOOP;\n"
    "  END LOOP;\n";
static const char body_7[] =
    "  FOR i IN 1 .. cardinality(v_moves) LOOP\n"
    "    v_oid := v_moves[i];\n"
    "    v_stem := v_stamp || CASE WHEN v_oid = ANY (v_tops) THEN '' ELSE 'p' || i END;\n"
    "    SELECT c.relname::text AS name, s.nspname::text AS place,\n"
    "        obj_description(v_oid, 'pg_class') AS comment INTO v_table\n"
    "      FROM pg_catalog.pg_class c\n"
    "      JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = v_oid;\n"
    "    EXECUTE format('ALTER TABLE %s SET SCHEMA %I', v_oid::regclass, v_place);\n"
    "    v_objects := '{}';\n"
    "    n := 0;\n"
    "    FOR v_one IN\n"
    "      SELECT 0 AS k, 'TABLE' AS kind, v_table.name AS name, v_place AS place, v_oid AS "
    "id\n"
    "      UNION ALL SELECT 1, 'INDEX', c.relname::text, v_place, c.oid FROM "
    "pg_catalog.pg_index i\n"
    "        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = v_oid\n"
    "      UNION ALL SELECT 2, 'SEQUENCE', c.relname::text, v_place, c.oid FROM "
    "pg_catalog.pg_depend d\n"
    "        JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'\n"
    "        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refobjid = v_oid\n"
    "        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')\n"
    "      UNION ALL SELECT 3, 'STATISTICS', x.stxname::text, s.nspname::text, x.oid\n"
    "        FROM pg_catalog.pg_statistic_ext x\n"
    "        JOIN pg_catalog.pg_namespace s ON s.oid = x.stxnamespace WHERE x.stxrelid = "
    "v_oid\n"
    "      ORDER BY k, id LOOP\n"
    "      IF v_one.place <> v_place THEN\n"
    "        EXECUTE format('ALTER %s %I.%I SET SCHEMA %I', v_one.kind, v_one.place, "
    "v_one.name, v_place);\n"
    "      END IF;\n"
    "      v_name := CASE n WHEN 0 THEN v_stem ELSE v_stem || '_' || n END;\n"
    "      v_new := v_one.name;\n"
    "      WHILE octet_length(v_new || v_name) > 63 LOOP v_new := left(v_new, -1); END LOOP;\n"
    "      v_new := v_new || v_name;\n"
    "      EXECUTE format('ALTER %s %I.%I RENAME TO %I', v_one.kind, v_place, v_one.name, "
    "v_new);\n"
    "      IF n > 0 THEN\n"
    "        v_objects := v_objects || json_build_object('kind', v_one.kind, 'name', "
    "v_one.name, 'now', v_new,\n"
    "          'schema', CASE v_one.kind WHEN 'STATISTICS' THEN v_one.place END);\n"
    "      END IF;\n"
    "      n := n + 1;\n"
    "    END LOOP;\n"
    "    SELECT c.relname::text INTO v_new FROM pg_catalog.pg_class c WHERE c.oid = v_oid;\n"
    "    IF v_oid <> ALL (v_tops) THEN\n"
    "      v_parts := v_parts || json_build_object('schema', v_table.place, 'name', "
    "v_table.name, 'now', v_new,\n"
    "        'objects', array_to_json(v_objects), 'foreign_keys', v_all_keys[i]);\n"
    "      CONTINUE;\n"
    "    END IF;\n"
    "    EXECUTE format('COMMENT ON TABLE %I.%I IS %L', v_place, v_new, "
    "json_build_object('ddlgate', 1,\n"
    "      'schema', v_table.place, 'name', v_table.name, 'role', current_user, 'time',\n"
    "      to_char(v_now, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'pid', pg_backend_pid(),\n"
    "      'comment', v_table.comment, 'objects', array_to_json(v_objects),\n"
    "      'foreign_keys', v_all_keys[i], 'parts', array_to_json(v_parts),\n"
    "      'partition_of', v_of[array_position(v_tops, v_oid)])::text);\n"
    "    RAISE NOTICE USING MESSAGE = format('ddlgate: table %I.%I is kept as %I.%I%s', "
    "v_table.place,\n"
    "        v_table.name, v_place, v_new, CASE WHEN cardinality(v_parts) > 0 THEN\n"
    "        format(', with its partitions (%s)', cardinality(v_parts)) ELSE '' END),\n"
    "      HINT = 'To have it back: ddlgate undrop ' || CASE WHEN v_new ~ '^[a-z0-9_]+$' THEN v_new\n"
    "        ELSE '''' || replace(v_new, '''', '''\"''\"''') || '''' END;\n"
    "    v_parts := '{}';\n"
    "  END LOOP;\n"
    "  IF cardinality(v_drops) > 0 THEN\n"
    "    EXECUTE 'DROP TABLE ' || array_to_string(v_drops::regclass[], ', ');\n"
    "  END IF;\n"
    "END\n";

const char *
pol_dollar_quoted(struct arena *a, const char *word, const char *text)
{
    char tag[32];

    snprintf(tag, sizeof(tag), "$%s$", word);
    for (int i = 1; strstr(text, tag); i++)
        snprintf(tag, sizeof(tag), "$%s%d$", word, i);
    return arena_printf(a, "%s%s%s", tag, text, tag);
}

const char *
pol_quarantine_text(struct arena *a, const struct pol_quarantine *q)
{
    const char *names = "";
    const char *drop = pol_dollar_quoted(
        a, "drop", arena_strndup(a, q->drop.p, q->drop.n));

    for (size_t i = 0; i < q->n_names; i++)
        names = arena_printf(a, "%s%s%s", names, i ? ", " : "",
            pol_dollar_quoted(a, "name", q->names[i]));
    const char *body = arena_printf(a, "%s%s%s%s%s%s%s%s%s%s%s", body_1,
        pol_dollar_quoted(a, "schema", q->schema), body_2, names, body_3,
        q->is_lenient ? "true" : "false", body_4, drop, body_5, body_6, body_7);
    return arena_printf(
        a, "DO LANGUAGE plpgsql %s", pol_dollar_quoted(a, "ddlgate", body));
}

const char *
pol_quarantine_schema(const struct pol *p)
{
    return p->checks[POL_C_DROP_TABLE].params[POL_P_QUARANTINE].text;
}

/* ---- as a safe form ---- */

void
rw_quarantine(struct rw *rw)
{
    const struct sql_facts *f = rw->f;
    struct pol_quarantine q = { .schema = pol_quarantine_schema(rw->pol),
        .is_lenient = rw->pol->checks[rw->check].rewrite_else == DG_WARN,
        .n_names = f->n_objects };
    const char **names = arena_alloc(rw->a, (f->n_objects + 1) * sizeof(*names));
    const struct sql_token *first = &rw->tokens[0], *last = &rw->tokens[rw->n - 1];

    if (!q.schema || !pol_tag(f, "DROP TABLE")) {
        rw->why = "only tables are moved to a quarantine schema";
        return;
    }
    if (f->flags & SQL_F_CASCADE) {
        rw->why =
            "what depends on a table isn't moved to quarantine with it; leave CASCADE "
            "out and drop that first";
        return;
    }
    for (size_t i = 0; i < f->n_objects; i++)
        names[i] = rw_name(rw, &f->objects[i]);
    q.names = names;
    q.drop = (struct str){ rw->text->text + first->start,
        last->start + last->len - first->start };
    if (memchr(q.drop.p, '\\', q.drop.n)) { /* code that may read two ways */
        rw->why = "a statement with a backslash in it is not moved";
        return;
    }
    rw_replace(rw, 0, rw->n - 1, pol_quarantine_text(rw->a, &q));
    rw->out->needs_sole = rw->out->is_move = true;
    rw_did(
        rw, 0, arena_printf(rw->a, "a move to schema %s", pol_ident(rw->a, q.schema)));
}
