// SPDX-License-Identifier: ISC
/* Where the safe form that a rule proposes is none for this very table, by what the server
 * says of it: the finding says so, and nothing is rewritten. */
#include "policy/ask.h"

#include "policy/safe.h"

static bool
is_partitioned(
    struct pol_run *r, const struct sql_object *o, const struct pol_live_relation **rel)
{
    enum pol_live_state state;

    return pol_ask_table(r, o, &state, rel) && state == POL_LIVE_FOUND
        && (*rel)->kind == 'p';
}

/* What a partitioned table's index is made of. */
static const char *
partitioned_hint(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = &f->objects[0];
    const char *name = *o->name ? pol_ident(a, o->name) : "idx";

    return arena_printf(a,
        "CREATE INDEX %s ON ONLY %s (%s); then CREATE INDEX CONCURRENTLY on each partition "
        "and ALTER INDEX %s ATTACH PARTITION for it.",
        name, pol_qualified(a, o->on_schema, o->on),
        pol_ident_list(a, (const char *const *)f->index->columns, f->index->n_columns),
        name);
}

static const char *
of_drop_index(struct pol_run *r, const struct sql_object *o, const char **hint)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_relation *rel;

    if (o->kind != SQL_O_INDEX || pol_ask(r, o, &rel) != POL_LIVE_FOUND || !rel->table)
        return NULL;
    if (rel->kind == 'I')
        return "it is the index of a partitioned table, which the server drops whole only";
    for (size_t i = 0; i < rel->table->n_indexes; i++) {
        const struct pol_live_index *x = &rel->table->indexes[i];
        if (strcmp(x->name, rel->name) != 0 || !x->constraint)
            continue;
        *hint = arena_printf(a, "ALTER TABLE %s DROP CONSTRAINT %s;",
            pol_live_name(r, rel->table), pol_ident(a, x->constraint));
        return arena_printf(
            a, "constraint %s needs the index", pol_ident(a, x->constraint));
    }
    return NULL;
}

static const char *
of_refresh(struct pol_run *r, const struct sql_object *o)
{
    const struct pol_live_relation *rel;

    if (o->kind != SQL_O_MATVIEW || pol_ask(r, o, &rel) != POL_LIVE_FOUND)
        return NULL;
    for (size_t i = 0; i < rel->n_indexes; i++) {
        const struct pol_live_index *x = &rel->indexes[i];
        bool is_plain = x->is_unique && x->is_valid && !x->has_where;
        for (size_t k = 0; k < x->n_columns; k++)
            is_plain = is_plain && x->columns[k];
        if (is_plain)
            return NULL;
    }
    return "CONCURRENTLY needs a unique index on columns of it, and there is none";
}

const char *
pol_no_safe_form(struct pol_run *r, const struct sql_object *o, const char **hint,
    const struct pol_live_relation **steps_of)
{
    const struct sql_facts *f = pol_fact(r);
    int version = r->session ? r->session->server_version : 0;
    const struct pol_live_relation *rel;

    if (!o)
        return NULL;
    if (r->check == POL_C_ADD_INDEX && is_partitioned(r, o, &rel)) {
        *hint = partitioned_hint(r, f);
        *steps_of = rel->is_guess ? NULL : rel;
        return "it is partitioned, and the server refuses CONCURRENTLY there";
    }
    if (r->check == POL_C_ADD_FK && version < 180000 && is_partitioned(r, o, &rel))
        return "it is partitioned, and the server takes no NOT VALID foreign key there";
    if (r->check == POL_C_DROP_INDEX)
        return of_drop_index(r, o, hint);
    if (r->check == POL_C_REFRESH)
        return of_refresh(r, o);
    if (r->check == POL_C_DETACH && pol_ask(r, o, &rel) == POL_LIVE_FOUND
        && rel->default_partition)
        return "it has a DEFAULT partition, with which CONCURRENTLY is refused";
    return NULL;
}
