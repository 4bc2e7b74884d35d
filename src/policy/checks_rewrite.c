// SPDX-License-Identifier: ISC
/* Checks of group locking: what writes a whole table anew while nobody can use it. */
#include "policy/ask.h"

#include "policy/retype.h"
#include "policy/safe.h"

#include <string.h>

#define REWRITE_DETAIL                                                                     \
    "The table and all its indexes are written anew under ACCESS EXCLUSIVE: nobody reads " \
    "or writes it meanwhile."

/* ---- columns with a value for each row ---- */

static void
report_column(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    size_t sub, const char *what, const char *hint)
{
    const struct sql_column *col = f->subs[sub].def;

    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "%s is rewritten: column %s %s", pol_name(r, o),
                       pol_ident(pol_arena(r), col->name), what),
            .detail = REWRITE_DETAIL, .hint = hint, .object = o, .column = col->name,
            .at = f->subs[sub].pos + 1));
}

static bool
has_volatile_default(const struct sql_column *col)
{
    for (size_t i = 0; i < col->n_constraints; i++) {
        if (col->constraints[i].kind == SQL_C_DEFAULT
            && col->constraints[i].is_volatile)
            return true;
    }
    return false;
}

static const char *
volatile_call(const struct sql_column *col)
{
    for (size_t i = 0; i < col->n_constraints; i++) {
        if (col->constraints[i].kind == SQL_C_DEFAULT)
            return col->constraints[i].call;
    }
    return NULL;
}

void
pol_check_volatile(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_column *col = f->subs[i].def;
        if (!col || !pol_sub_is(&f->subs[i], "ADD COLUMN")
            || !has_volatile_default(col))
            continue;
        const char *table = pol_name(r, o), *column = pol_ident(a, col->name);
        const char *call = volatile_call(col);
        const char *value = call && *call ? arena_printf(a, "%s()", call) : "...";
        report_column(r, f, o, i, "has a default that differs for each row",
            arena_printf(a,
                "ALTER TABLE %s ADD COLUMN %s %s; ALTER TABLE %s ALTER COLUMN %s SET "
                "DEFAULT %s; then fill the old rows in batches.",
                table, column, pol_type(a, col), table, column, value));
    }
}

void
pol_check_add_serial(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_column *col = f->subs[i].def;
        if (!col || !pol_sub_is(&f->subs[i], "ADD COLUMN")
            || !(pol_is_serial(col) || pol_column_has(col, SQL_C_IDENTITY)))
            continue;
        const char *const parts[] = { o->name, col->name, "seq" };
        const char *table = pol_name(r, o), *column = pol_ident(a, col->name);
        const char *seq = pol_qualified(a, o->schema, pol_made_name(a, parts, 3));
        report_column(r, f, o, i, "numbers every row",
            arena_printf(a,
                "CREATE SEQUENCE %s; ALTER TABLE %s ADD COLUMN %s bigint; ALTER TABLE %s "
                "ALTER COLUMN %s SET DEFAULT nextval('%s'); then fill the old rows in "
                "batches.",
                seq, table, column, table, column, seq));
    }
}

void
pol_check_add_generated(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_column *col = f->subs[i].def;
        if (!col || !pol_sub_is(&f->subs[i], "ADD COLUMN")
            || !pol_column_has(col, SQL_C_GENERATED))
            continue;
        report_column(r, f, o, i, "is computed for every row",
            arena_printf(a,
                "ALTER TABLE %s ADD COLUMN %s %s; set it in a trigger for new rows and fill "
                "the old ones in batches; or compute it in a view.",
                pol_name(r, o), pol_ident(a, col->name), pol_type(a, col)));
    }
}

/* ---- change-column-type, change-collation ---- */

/* Types that the others of their family fit into without a rewrite. From another family
 * they rewrite, too, and what the column is now can't be seen from here. */
static bool
is_roomy(const struct sql_column *col)
{
    const char *type = pol_column_type(col);
    bool is_bare = !col->type_mods || !*col->type_mods;

    return is_bare && !col->has_using
        && (strcmp(type, "text") == 0 || strcmp(type, "varchar") == 0
            || strcmp(type, "numeric") == 0 || strcmp(type, "inet") == 0);
}

static const char *
change_hint(struct pol_run *r, const struct sql_object *o, const struct sql_column *col)
{
    struct arena *a = pol_arena(r);
    const char *const parts[] = { col->name, "new" };
    const char *table = pol_name(r, o);
    const char *made = pol_ident(a, pol_made_name(a, parts, 2));

    return arena_printf(a,
        "ALTER TABLE %s ADD COLUMN %s %s; write both columns, fill the old rows in batches, "
        "switch the readers, then drop %s.",
        table, made, pol_type(a, col), pol_ident(a, col->name));
}

/* The column as it is, if nothing in the text has changed it yet; NULL: not known. */
static const struct pol_live_column *
present_column(
    struct pol_run *r, const struct sql_object *o, const struct sql_column *col)
{
    const struct pol_live_relation *rel;

    if (pol_ask(r, o, &rel) != POL_LIVE_FOUND || pol_was_changed(r, col->name))
        return NULL;
    return pol_live_column(rel, col->name);
}

void
pol_check_change_type(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_column *col = f->subs[i].def;
        if (!col || !pol_sub_is(&f->subs[i], "ALTER COLUMN TYPE") || col->has_collation
            || pol_unit_is_new_column(r->unit, o->schema, o->name, col->name))
            continue;
        const struct pol_live_column *now = present_column(r, o, col);
        if (now && pol_retype(now, col) == POL_RETYPE_FREE)
            continue;
        const char *message = now
            ? arena_printf(a, "%s is rewritten: %s from %s to %s", pol_name(r, o),
                pol_ident(a, col->name), now->shown, pol_type(a, col))
            : arena_printf(a, "%s is rewritten if %s does not fit into %s as it is",
                pol_name(r, o), pol_ident(a, col->name), pol_type(a, col));
        pol_report(r,
            POL_REPORT(.message = message,
                .detail = REWRITE_DETAIL
                " Only a wider varchar, numeric of the same scale, text, inet, and "
                "timestamp to timestamptz in UTC keep the rows.",
                .hint = change_hint(r, o, col), .object = o, .column = col->name,
                .at = f->subs[i].pos + 1, .is_limited = !now && is_roomy(col),
                .at_most = DG_NOTE));
    }
}

void
pol_check_change_collation(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_column *col = f->subs[i].def;
        if (!col || !pol_sub_is(&f->subs[i], "ALTER COLUMN TYPE")
            || !col->has_collation)
            continue;
        const char *collation = col->collation ? pol_ident(a, col->collation) : "...";
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "every index on %s.%s is rebuilt while everybody waits",
                           pol_name(r, o), pol_ident(a, col->name)),
                .detail =
                    "A column's collation decides the order of its indexes; they are "
                    "built again under ACCESS EXCLUSIVE.",
                .hint = arena_printf(a,
                    "CREATE INDEX CONCURRENTLY ... ON %s (%s COLLATE %s); write COLLATE in "
                    "the queries that need the order, and drop the old index.",
                    pol_name(r, o), pol_ident(a, col->name), collation),
                .object = o, .column = col->name, .at = f->subs[i].pos + 1));
    }
}

/* ---- whole tables ---- */

static void
report_move(struct pol_run *r, const struct sql_facts *f, const char *sub,
    const char *message, const char *hint)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!o || !str_prefix(f->tag, "ALTER ") || pol_stored(r) || f->cls == DG_CLUSTER
        || pol_is_own(r, o))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        if (pol_sub_is(&f->subs[i], sub))
            pol_report(r,
                POL_REPORT(.message = message, .detail = REWRITE_DETAIL, .hint = hint,
                    .object = o, .at = f->subs[i].pos + 1));
    }
}

void
pol_check_set_logged(struct pol_run *r, const struct sql_facts *f)
{
    if (!pol_sub_find(f, "SET LOGGED") && !pol_sub_find(f, "SET UNLOGGED"))
        return;
    const char *name = f->n_objects ? pol_name(r, &f->objects[0]) : "";

    report_move(r, f, "SET LOGGED", arena_printf(pol_arena(r), "%s is rewritten", name),
        arena_printf(pol_arena(r),
            "Make a logged table beside %s, copy the rows in batches, switch the names.",
            name));
    report_move(r, f, "SET UNLOGGED",
        arena_printf(pol_arena(r), "%s is rewritten, and empty after a crash", name),
        arena_printf(pol_arena(r),
            "Make an UNLOGGED table beside %s for what may be lost; an unlogged table is "
            "on no replica either.",
            name));
}

void
pol_check_set_tablespace(struct pol_run *r, const struct sql_facts *f)
{
    if (!pol_sub_find(f, "SET TABLESPACE"))
        return;
    const char *name = f->n_objects ? pol_name(r, &f->objects[0]) : "";
    bool is_many = f->n_objects && f->objects[0].kind == SQL_O_TABLESPACE;

    report_move(r, f, "SET TABLESPACE",
        is_many
            ? arena_printf(pol_arena(r), "everything in %s is copied", name)
            : arena_printf(pol_arena(r), "%s is copied while nobody can use it", name),
        f->n_objects && f->objects[0].kind == SQL_O_INDEX
            ? "CREATE INDEX CONCURRENTLY the same one in the other tablespace, then drop "
              "this one."
            : "Run it when nobody needs the table, with lock_timeout set; or rebuild it "
              "there with pg_repack.");
}

void
pol_check_set_method(struct pol_run *r, const struct sql_facts *f)
{
    if (!pol_sub_find(f, "SET ACCESS METHOD"))
        return;
    const char *name = f->n_objects ? pol_name(r, &f->objects[0]) : "";

    report_move(r, f, "SET ACCESS METHOD",
        arena_printf(pol_arena(r), "%s is rewritten", name),
        arena_printf(pol_arena(r),
            "Make a table with the other method beside %s, copy the rows in batches, switch "
            "the names.",
            name));
}

void
pol_check_vacuum_full(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    bool is_full = pol_tag(f, "VACUUM") && pol_sub_find(f, "FULL");

    if ((!is_full && !pol_tag(f, "CLUSTER")) || pol_stored(r)
        || (o && pol_is_own(r, o)))
        return;
    const char *name = o ? pol_name(r, o) : "every table";
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "%s is rewritten and needs its size again on "
                       "disk",
                       name),
            .detail = REWRITE_DETAIL,
            .hint = arena_printf(a,
                "VACUUM %s makes the space usable again without locking anybody out; "
                "pg_repack gives it back to the disk.",
                o ? name : ""),
            .object = o));
}
