// SPDX-License-Identifier: ISC
/* Comparing facts; see same.h. */
#include "sql/same.h"

#include <string.h>

static bool
is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
names_same(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++) {
        if (!is_same(a[i], b[i]))
            return false;
    }
    return true;
}

/* Flags that may differ. */
static unsigned
loose_flags(unsigned may)
{
    unsigned flags = 0;

    if (may & SQL_CH_CONCURRENTLY)
        flags |= SQL_F_CONCURRENTLY | SQL_F_NO_TX;
    if (may & SQL_CH_IF_EXISTS)
        flags |= SQL_F_IF_EXISTS | SQL_F_IF_NOT_EXISTS;
    if (may & SQL_CH_OR_REPLACE)
        flags |= SQL_F_OR_REPLACE;
    if (may & SQL_CH_CASCADE)
        flags |= SQL_F_CASCADE;
    if (may & SQL_CH_ONLY)
        flags |= SQL_F_ONLY;
    return flags;
}

static bool
flags_same(unsigned a, unsigned b, unsigned may)
{
    return ((a ^ b) & ~loose_flags(may)) == 0;
}

/* A name that was chosen by the server before may be written now. */
static bool
name_same(const char *a, const char *b, unsigned may)
{
    return is_same(a, b) || ((may & SQL_CH_NAME) && (!a || !*a) && b);
}

static bool
objects_same(const struct sql_facts *a, const struct sql_facts *b, unsigned may)
{
    /* LIKE doesn't name its table as an object */
    bool is_like = (may & SQL_CH_LIKE) && a->n_objects == 2 && b->n_objects == 1;

    if (a->n_objects != b->n_objects && !is_like)
        return false;
    for (size_t i = 0; i < b->n_objects; i++) {
        const struct sql_object *x = &a->objects[i], *y = &b->objects[i];
        bool is_qualified = (may & SQL_CH_SCHEMA) && !x->schema && x->is_created;
        if (x->kind != y->kind || (!is_qualified && !is_same(x->schema, y->schema))
            || !name_same(x->name, y->name, may) || !is_same(x->on, y->on)
            || !is_same(x->on_schema, y->on_schema) || x->is_temp != y->is_temp
            || x->is_created != y->is_created)
            return false;
    }
    return true;
}

static bool
constraint_same(
    const struct sql_constraint *a, const struct sql_constraint *b, unsigned may)
{
    bool has_index = (may & SQL_CH_USING_INDEX) && a->n_columns && b->using_index
        && (a->kind == SQL_C_UNIQUE || a->kind == SQL_C_PRIMARY);

    return a->kind == b->kind && name_same(a->name, b->name, may)
        && (has_index
            || names_same((const char *const *)a->columns, a->n_columns,
                (const char *const *)b->columns, b->n_columns))
        && is_same(a->ref_schema, b->ref_schema) && is_same(a->ref_table, b->ref_table)
        && names_same((const char *const *)a->ref_columns, a->n_ref_columns,
            (const char *const *)b->ref_columns, b->n_ref_columns)
        && a->on_delete == b->on_delete && a->on_update == b->on_update
        && a->has_on_delete == b->has_on_delete
        && (a->not_valid == b->not_valid || (may & SQL_CH_NOT_VALID))
        && a->is_volatile == b->is_volatile && is_same(a->call, b->call)
        && a->is_constant == b->is_constant && a->has_call == b->has_call
        && (has_index || is_same(a->using_index, b->using_index))
        && is_same(a->not_null_of, b->not_null_of);
}

/* An identity column has one constraint more than the serial one that it was. */
static bool
is_new_identity(const struct sql_column *a, const struct sql_column *b, unsigned may)
{
    return (may & SQL_CH_TYPE) && b->n_constraints == a->n_constraints + 1
        && b->constraints[0].kind == SQL_C_IDENTITY;
}

/* A constant default behind all that was there. */
static bool
is_new_default(const struct sql_column *a, const struct sql_column *b, unsigned may)
{
    const struct sql_constraint *last = b->n_constraints
        ? &b->constraints[b->n_constraints - 1]
        : NULL;

    return (may & SQL_CH_DEFAULT) && b->n_constraints == a->n_constraints + 1
        && last->kind == SQL_C_DEFAULT && last->is_constant;
}

static bool
column_same(const struct sql_column *a, const struct sql_column *b, unsigned may)
{
    struct sql_column without = *b;
    without.n_constraints -= is_new_default(a, b, may);
    b = &without;
    size_t skip = is_new_identity(a, b, may);
    bool is_type = is_same(a->type, b->type) && is_same(a->type_mods, b->type_mods);
    size_t moved = (may & SQL_CH_MOVED) && a->n_constraints == b->n_constraints + 1;

    if (!is_same(a->name, b->name) || (!is_type && !(may & SQL_CH_TYPE))
        || a->has_collation != b->has_collation || !is_same(a->collation, b->collation)
        || a->has_using != b->has_using
        || a->n_constraints + skip != b->n_constraints + moved)
        return false;
    for (size_t i = 0; i + moved < a->n_constraints; i++) {
        if (!constraint_same(&a->constraints[i], &b->constraints[i + skip], may))
            return false;
    }
    return true;
}

static bool
sub_same(const struct sql_sub *a, const struct sql_sub *b, unsigned may)
{
    if (!is_same(a->name, b->name) || !name_same(a->column, b->column, may)
        || !is_same(a->value, b->value) || !flags_same(a->flags, b->flags, may)
        || !a->def != !b->def || !a->constraint != !b->constraint)
        return false;
    return (!a->def || column_same(a->def, b->def, may))
        && (!a->constraint || constraint_same(a->constraint, b->constraint, may));
}

static bool
is_loose_sub(const struct sql_sub *s, unsigned may)
{
    return ((may & SQL_CH_UNLOGGED) && strcmp(s->name, "UNLOGGED") == 0)
        || ((may & SQL_CH_NOWAIT) && strcmp(s->name, "NOWAIT") == 0)
        || ((may & SQL_CH_LIKE)
            && (strcmp(s->name, "LIKE") == 0 || strcmp(s->name, "PARTITION OF") == 0))
        || ((may & SQL_CH_SETTING) && strcmp(s->name, "SET") == 0 && s->column
            && strcmp(s->column, "search_path") == 0);
}

/* Is it a column that only b has? It stands before the next that both have. */
static bool
is_new_column(
    const struct sql_facts *a, size_t i, const struct sql_sub *s, unsigned may)
{
    return (may & SQL_CH_COLUMN) && s->def && strcmp(s->name, "ADD COLUMN") == 0
        && (i == a->n_subs || !a->subs[i].def
            || strcmp(a->subs[i].def->name, s->def->name) != 0);
}

static bool
subs_same(const struct sql_facts *a, const struct sql_facts *b, unsigned may)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a->n_subs && is_loose_sub(&a->subs[i], may))
            i++;
        while (k < b->n_subs
            && (is_loose_sub(&b->subs[k], may)
                || is_new_column(a, i, &b->subs[k], may)))
            k++;
        if (i == a->n_subs || k == b->n_subs)
            return i == a->n_subs && k == b->n_subs;
        if (!sub_same(&a->subs[i++], &b->subs[k++], may))
            return false;
    }
}

static bool
index_same(const struct sql_index *a, const struct sql_index *b)
{
    if (!a || !b)
        return a == b;
    return is_same(a->method, b->method) && a->n_include == b->n_include
        && names_same((const char *const *)a->columns, a->n_columns,
            (const char *const *)b->columns, b->n_columns)
        && a->has_where == b->has_where && a->has_order == b->has_order;
}

/* DROP TABLE of one table that became ALTER TABLE ... RENAME TO of it. */
static bool
is_set_aside(const struct sql_facts *a, const struct sql_facts *b, unsigned may)
{
    return (may & SQL_CH_ASIDE) && strcmp(a->tag, "DROP TABLE") == 0
        && strcmp(b->tag, "ALTER TABLE") == 0 && a->cls == b->cls && a->n_objects == 1
        && b->n_subs == 1 && strcmp(b->subs[0].name, "RENAME TO") == 0
        && a->flags == b->flags && objects_same(a, b, 0);
}

static bool
facts_same(const struct sql_facts *a, const struct sql_facts *b, unsigned may)
{
    if (is_set_aside(a, b, may))
        return true;
    return is_same(a->tag, b->tag) && a->cls == b->cls
        && flags_same(a->flags, b->flags, may) && objects_same(a, b, may)
        && subs_same(a, b, may) && index_same(a->index, b->index)
        && !a->write == !b->write && a->tx == b->tx && is_same(a->tx_name, b->tx_name)
        && a->prep == b->prep && is_same(a->prep_name, b->prep_name)
        && is_same(a->setting, b->setting)
        && is_same(a->setting_value, b->setting_value)
        && a->setting_is_local == b->setting_is_local
        && is_same(a->language, b->language) && !a->error == !b->error;
}

/* How many statements of a, from i on, does b say as one ALTER TABLE? 0: none. */
static size_t
merged_in(const struct sql_tree *a, size_t i, const struct sql_facts *b)
{
    struct sql_facts sum = a->facts[i], part = *b;
    size_t n = 0, subs = 0;

    sum.n_objects = part.n_objects = 0;
    while (i + n < a->n && subs < b->n_subs) {
        const struct sql_facts *one = &a->facts[i + n];
        if (one->parent >= 0 || strcmp(one->tag, "ALTER TABLE") != 0 || !one->n_objects
            || !b->n_objects || one->n_subs > b->n_subs - subs
            || !is_same(one->objects[0].schema, b->objects[0].schema)
            || !is_same(one->objects[0].name, b->objects[0].name))
            return 0;
        sum = *one;
        sum.n_objects = 0;
        part.subs = b->subs + subs;
        part.n_subs = one->n_subs;
        if (!facts_same(&sum, &part, 0))
            return 0;
        subs += one->n_subs;
        n++;
    }
    return subs == b->n_subs ? n : 0;
}

static bool
is_left_out(const struct sql_facts *f, unsigned may)
{
    return (may & SQL_CH_TX) && f->parent < 0
        && (f->tx == SQL_TX_BEGIN || f->tx == SQL_TX_COMMIT);
}

static bool
trees_merged(const struct sql_tree *a, const struct sql_tree *b, unsigned may)
{
    size_t i = 0;

    for (size_t k = 0; k < b->n; k++) {
        while (i < a->n && is_left_out(&a->facts[i], may)
            && !facts_same(&a->facts[i], &b->facts[k], may))
            i++;
        size_t n = i < a->n && facts_same(&a->facts[i], &b->facts[k], may);
        if (!n && (may & SQL_CH_MERGED))
            n = merged_in(a, i, &b->facts[k]);
        if (!n)
            return false;
        i += n;
    }
    while (i < a->n && is_left_out(&a->facts[i], may))
        i++;
    return i == a->n;
}

bool
sql_trees_follow(const struct sql_tree *a, const struct sql_tree *b,
    const struct sql_tree *const *added, size_t n_added)
{
    size_t i = 0, t = 0, k = 0;

    if (a->is_unparsable != b->is_unparsable)
        return false;
    for (size_t at = 0; at < b->n; at++) {
        const struct sql_facts *f = &b->facts[at];
        while (t < n_added && k == added[t]->n) {
            t++;
            k = 0;
        }
        if (i < a->n && (a->facts[i].parent < 0) == (f->parent < 0)
            && facts_same(&a->facts[i], f, 0))
            i++;
        else if (t < n_added && facts_same(&added[t]->facts[k], f, 0))
            k++;
        else
            return false;
    }
    while (t < n_added && k == added[t]->n) {
        t++;
        k = 0;
    }
    return i == a->n && t == n_added;
}

bool
sql_trees_same(const struct sql_tree *a, const struct sql_tree *b, unsigned may_differ)
{
    if (may_differ & (SQL_CH_MERGED | SQL_CH_TX))
        return a->is_unparsable == b->is_unparsable && trees_merged(a, b, may_differ);
    if (a->n != b->n || a->classes != b->classes
        || a->is_unparsable != b->is_unparsable)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (a->facts[i].stmt != b->facts[i].stmt
            || a->facts[i].parent != b->facts[i].parent
            || !facts_same(&a->facts[i], &b->facts[i], may_differ))
            return false;
    }
    return true;
}
