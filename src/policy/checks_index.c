// SPDX-License-Identifier: ISC
/* Checks of group locking that are about indexes and materialized views. */
#include "policy/ask.h"

#include "policy/safe.h"

#include <string.h>

/* ---- drop-index-concurrently ---- */

void
pol_check_drop_index(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!pol_tag(f, "DROP INDEX") || (f->flags & SQL_F_CONCURRENTLY) || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (o->is_temp || pol_unit_is_new(r->unit, o->schema, o->name, true)
            || pol_unit_is_new_index(r->unit, o->name))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "readers and writers wait while index %s is dropped",
                           pol_name(r, o)),
                .detail =
                    "DROP INDEX takes ACCESS EXCLUSIVE on the table: it waits for every "
                    "transaction that reads it, and all later ones queue behind it.",
                .hint = arena_printf(a,
                    "DROP INDEX CONCURRENTLY %s%s; outside of a transaction, one index a "
                    "statement, without CASCADE.",
                    f->flags & SQL_F_IF_EXISTS ? "IF EXISTS " : "", pol_name(r, o)),
                .object = o, .at = o->pos + 1));
    }
}

/* ---- reindex-concurrently ---- */

void
pol_check_reindex(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!pol_tag(f, "REINDEX") || (f->flags & SQL_F_CONCURRENTLY) || pol_stored(r)
        || !f->n_subs || pol_sub_is(&f->subs[0], "SYSTEM") || (o && pol_is_own(r, o)))
        return;
    const char *what = f->subs[0].name, *name = o ? pol_name(r, o) : "";
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "writes wait while %s is built again",
                       *name ? name : "the index"),
            .detail =
                "REINDEX holds SHARE on the table and ACCESS EXCLUSIVE on the index: "
                "writers wait, and so do readers that would use the index.",
            .hint = arena_printf(
                a, "REINDEX %s CONCURRENTLY %s; outside of a transaction.", what, name),
            .object = o));
}

/* ---- index-own-migration ---- */

static bool
is_small_talk(const struct sql_facts *f)
{
    return f->tx || f->setting || pol_tag(f, "COMMENT") || pol_tag(f, "INSERT");
}

static bool
is_name_in(const struct sql_facts *f, const char *name)
{
    for (size_t i = 0; i < f->n_objects; i++) {
        if (f->objects[i].kind == SQL_O_INDEX && strcmp(f->objects[i].name, name) == 0)
            return true;
    }
    return false;
}

#define MAX_LOOK 5000 /* facts that are searched for an ATTACH */

static bool
is_attach(const struct sql_facts *f)
{
    return pol_tag(f, "ALTER INDEX") && pol_sub_find(f, "ATTACH PARTITION");
}

/* Is it one of the indexes that the text puts together to that of a partitioned table? */
static bool
is_attached(const struct sql_tree *tree, const char *name)
{
    for (size_t i = 0; i < tree->n && i < MAX_LOOK; i++) {
        if (is_attach(&tree->facts[i]) && is_name_in(&tree->facts[i], name))
            return true;
    }
    return false;
}

void
pol_check_index_own(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_tree *tree = r->text->tree;
    struct arena *a = pol_arena(r);

    if (!f->index || !f->n_objects || pol_stored(r))
        return;
    const struct sql_object table = pol_table_on(&f->objects[0]);
    if (!*table.name || pol_is_own(r, &table))
        return;
    bool is_part = is_attached(tree, f->objects[0].name);
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *other = &tree->facts[i];
        /* the other steps of the same index */
        bool is_step = is_attach(other) || (is_part && other->index)
            || (pol_tag(other, "DROP INDEX") && is_name_in(other, f->objects[0].name));
        if (other->parent >= 0 || i == r->fact || is_small_talk(other) || is_step)
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "the index on %s shares its file with %s",
                           pol_name(r, &table), other->tag),
                .detail =
                    "An index on a table in use is built with CONCURRENTLY, which can't "
                    "run in a transaction with other changes; if one fails, half is done.",
                .hint = arena_printf(a, "Move it to a file of its own: %s;",
                    f->flags & SQL_F_CONCURRENTLY
                        ? pol_text_of(r, f) ? pol_text_of(r, f) : "CREATE INDEX"
                        : "CREATE INDEX CONCURRENTLY ..."),
                .object = &f->objects[0]));
        return;
    }
}

/* ---- partitioned-index ---- */

/* The table that the index is on: known by the text, or by the server (*rel, else NULL). */
static bool
is_partitioned(
    struct pol_run *r, const struct sql_object *o, const struct pol_live_relation **rel)
{
    const struct pol_shape *t = pol_shape_find(r->shapes, o->on_schema, o->on);
    enum pol_live_state state;

    *rel = NULL;
    if (t && t->is_made)
        return t->is_partitioned;
    if (!pol_ask_table(r, o, &state, rel) || state != POL_LIVE_FOUND) {
        *rel = NULL;
        return t && t->is_partitioned;
    }
    return (*rel)->kind == 'p';
}

void
pol_check_partitioned_index(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!f->index || !f->n_objects || !(f->flags & SQL_F_CONCURRENTLY) || pol_stored(r)
        || (f->flags & SQL_F_ONLY))
        return;
    const struct sql_object *o = &f->objects[0];
    const struct pol_live_relation *rel;
    if (!is_partitioned(r, o, &rel))
        return;
    const char *table = pol_qualified(a, o->on_schema, o->on);
    const char *list = pol_ident_list(
        a, (const char *const *)f->index->columns, f->index->n_columns);
    const char *name = *o->name ? pol_ident(a, o->name) : "idx";
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "%s is partitioned: the server refuses CONCURRENTLY", table),
            .detail =
                "The plain form instead blocks writes on every partition while all "
                "of them are indexed.",
            .hint = arena_printf(a,
                "CREATE INDEX %s ON ONLY %s (%s); then CREATE INDEX CONCURRENTLY on each "
                "partition and ALTER INDEX %s ATTACH PARTITION for it.",
                name, table, list, name),
            .relation = rel && !rel->is_guess ? rel : NULL, .object = o));
}

/* ---- concurrent-index-server-bug ---- */

void
pol_check_server_bug(struct pol_run *r, const struct sql_facts *f)
{
    int version = r->session ? r->session->server_version : 0;
    bool builds = f->index != NULL || pol_tag(f, "REINDEX");

    if (!builds || !(f->flags & SQL_F_CONCURRENTLY) || version < 140000
        || version > 140003)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "server 14.%d can corrupt an index that is built concurrently",
                       version % 100),
            .detail =
                "Fixed in 14.4 (its release notes tell how to find such indexes): "
                "rows can be missing in the index.",
            .hint = "Upgrade the server to the latest 14 first."));
}

/* ---- refresh-matview-concurrently ---- */

void
pol_check_refresh(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!o || !pol_tag(f, "REFRESH MATERIALIZED VIEW") || pol_stored(r)
        || (f->flags & SQL_F_CONCURRENTLY) || pol_sub_find(f, "WITH NO DATA")
        || pol_is_own(r, o))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "readers of %s wait while it is computed", pol_name(r, o)),
            .detail =
                "REFRESH takes ACCESS EXCLUSIVE until it is done; CONCURRENTLY takes "
                "EXCLUSIVE, and readers go on with the old rows.",
            .hint = arena_printf(a,
                "REFRESH MATERIALIZED VIEW CONCURRENTLY %s; it needs a unique index on "
                "plain columns and a view that holds rows.",
                pol_name(r, o)),
            .object = o, .at = o->pos + 1));
}

/* ---- duplicate-index (modelling) ---- */

static bool
covers(
    const struct pol_shape_index *wide, const struct sql_index *narrow, bool is_unique)
{
    if (!wide->is_btree || wide->has_where || wide->has_order || narrow->has_where
        || narrow->has_order || wide->n_columns < narrow->n_columns)
        return false;
    if (is_unique && !(wide->is_unique && wide->n_columns == narrow->n_columns))
        return false;
    for (size_t i = 0; i < narrow->n_columns; i++) {
        if (!narrow->columns[i] || !wide->columns[i]
            || strcmp(narrow->columns[i], wide->columns[i]) != 0)
            return false;
    }
    return true;
}

static const char *
twice_in(const struct sql_index *x)
{
    for (size_t i = 0; i < x->n_columns && i < 32; i++) {
        for (size_t k = 0; x->columns[i] && k < i; k++) {
            if (x->columns[k] && strcmp(x->columns[i], x->columns[k]) == 0)
                return x->columns[i];
        }
    }
    return NULL;
}

static bool
live_covers(
    const struct pol_live_index *wide, const struct sql_index *narrow, bool is_unique)
{
    if (!wide->is_valid || strcmp(wide->method, "btree") != 0 || wide->has_where
        || wide->has_order || narrow->has_where || narrow->has_order
        || wide->n_columns < narrow->n_columns || narrow->n_include)
        return false;
    if (is_unique && !(wide->is_unique && wide->n_columns == narrow->n_columns))
        return false;
    for (size_t i = 0; i < narrow->n_columns; i++) {
        if (!narrow->columns[i] || !wide->columns[i]
            || strcmp(narrow->columns[i], wide->columns[i]) != 0)
            return false;
    }
    return narrow->n_columns > 0;
}

/* Does any statement of the text drop it? A new index is often built before the old one
 * goes. */
static bool
is_dropped_in(const struct pol_run *r, const char *name)
{
    const struct sql_tree *tree = r->text->tree;
    size_t n = tree->n < 2000 ? tree->n : 2000;

    for (size_t i = 0; i < n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        for (size_t k = 0; pol_tag(f, "DROP INDEX") && k < f->n_objects; k++) {
            if (strcmp(f->objects[k].name, name) == 0)
                return true;
        }
    }
    return false;
}

/* An index of the same name is another matter: IF NOT EXISTS, or an error. */
static void
duplicate_of_live(
    struct pol_run *r, const struct sql_facts *f, const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_relation *rel;
    enum pol_live_state state;

    if (!pol_ask_table(r, o, &state, &rel) || state != POL_LIVE_FOUND)
        return;
    for (size_t i = 0; i < rel->n_indexes; i++) {
        const struct pol_live_index *x = &rel->indexes[i];
        if (strcmp(x->name, o->name) == 0
            || !live_covers(x, f->index, f->flags & SQL_F_UNIQUE)
            || is_dropped_in(r, x->name))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "index %s of %s leads with the same columns already",
                           pol_ident(a, x->name), pol_live_name(r, rel)),
                .detail = "Every write pays for both, and queries need one of them.",
                .hint = arena_printf(
                    a, "Leave it out; %s serves.", pol_ident(a, x->name)),
                .object = o));
        return;
    }
}

void
pol_check_duplicate_index(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    bool is_btree = f->index
        && (!f->index->method || !*f->index->method
            || strcmp(f->index->method, "btree") == 0);

    if (!o || !is_btree || !o->on || pol_stored(r))
        return;
    const char *twice = twice_in(f->index);
    if (twice && !f->index->has_order)
        pol_report(r,
            POL_REPORT(.message = arena_printf(a, "column %s stands in the index twice",
                           pol_ident(a, twice)),
                .detail = "The second one costs space and writes and helps no query.",
                .hint = "Name each column once.", .object = o, .column = twice));
    const struct pol_shape *t = pol_shape_find(r->shapes, o->on_schema, o->on);
    for (size_t i = 0; t && i < t->n_indexes; i++) {
        const struct pol_shape_index *x = &t->indexes[i];
        bool is_same = x->n_columns == f->index->n_columns;
        /* of two equal ones the later is the duplicate */
        if (x->fact == r->fact || (is_same && x->fact > r->fact)
            || !covers(x, f->index, f->flags & SQL_F_UNIQUE))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "another index of %s leads with the same columns",
                           pol_qualified(a, o->on_schema, o->on)),
                .detail = "Every write pays for both, and queries need one of them.",
                .hint = arena_printf(a, "Leave it out; %s serves.",
                    x->name ? pol_ident(a, x->name)
                            : arena_printf(a, "the one on (%s)",
                                pol_ident_list(a, x->columns, x->n_columns))),
                .object = o));
        return;
    }
    if (!t || !t->is_made)
        duplicate_of_live(r, f, o);
}
