// SPDX-License-Identifier: ISC
/* The rows of live_query.c made into relations. Rows come ordered by want, tag and order;
 * each tag's texts are a.. as told at its reader. */
#include "policy/live.h"

#include "base/str.h"

#include <errno.h>
#include <string.h>

#define N_COLUMNS 13
#define FIRST     3 /* column of text a */

struct reader {
    struct pol_live *live;
    const struct dg_rows *rows;
    size_t row;
};

static const char *
cell(const struct reader *rd, size_t at)
{
    return dg_cell(rd->rows, rd->row, at);
}

/* The row's n-th text, copied; NULL stays NULL. */
static const char *
text(const struct reader *rd, size_t n)
{
    return arena_strdup(rd->live->arena, cell(rd, FIRST + n));
}

static bool
has_flag(const struct reader *rd, size_t n, char flag)
{
    const char *s = cell(rd, FIRST + n);
    return s && strchr(s, flag) != NULL;
}

static int64_t
number_at(const struct reader *rd, size_t at, int64_t none)
{
    const char *s = cell(rd, at);
    int64_t v;
    return s && str_int64(str_of(s), INT64_MIN, INT64_MAX, &v) == 0 ? v : none;
}

static int64_t
number(const struct reader *rd, size_t n, int64_t none)
{
    return number_at(rd, FIRST + n, none);
}

static bool
is_tag(const struct reader *rd, char tag)
{
    const char *s = cell(rd, 1);
    return s && s[0] == tag && !s[1];
}

/* Makes room for one more of a relation's parts. The arena never moves what was given out;
 * an array that grows is copied at each power of two. */
static void *
grown(struct arena *a, void *items, size_t n, size_t size)
{
    if (n & (n - 1) || (n == 0 && items))
        return items;
    void *more = arena_alloc(a, (n ? 2 * n : 1) * size);
    if (n)
        memcpy(more, items, n * size);
    return more;
}
#define ADD(rel, list, n)                                               \
    ((rel)->list = grown(                                               \
         rd->live->arena, (rel)->list, (rel)->n, sizeof(*(rel)->list)), \
        &(rel)->list[(rel)->n++])

/* nsp, name, kind, parent's nsp and name, default partition, bytes, rows, children, flags */
static void
read_relation(struct reader *rd, struct pol_live_relation *rel)
{
    const char *kind = cell(rd, FIRST + 2);
    rel->schema = text(rd, 0);
    rel->name = text(rd, 1);
    rel->kind = kind ? *kind : '?';
    rel->parent_schema = text(rd, 3);
    rel->parent = text(rd, 4);
    rel->default_partition = text(rd, 5);
    rel->bytes = number(rd, 6, 0);
    rel->n_rows = number(rd, 7, 0);
    rel->n_partitions = (size_t)number(rd, 8, 0);
    rel->is_size_known = has_flag(rd, 9, 'k');
    rel->is_guess = has_flag(rd, 9, 'g');
    rel->is_uncounted = has_flag(rd, 9, 'u');
    rel->is_row_secured = has_flag(rd, 9, 'f');
    rel->is_beside_default = has_flag(rd, 9, 'd');
    rel->is_referred = has_flag(rd, 9, 'r');
}

/* name, type, base type, shown, typmod, flags */
static void
read_column(struct reader *rd, struct pol_live_relation *rel)
{
    struct pol_live_column *c = ADD(rel, columns, n_columns);
    *c = (struct pol_live_column){
        .name = text(rd, 0),
        .type = text(rd, 1),
        .base = text(rd, 2),
        .shown = text(rd, 3),
        .typmod = (int)number(rd, 4, -1),
        .is_array = has_flag(rd, 5, 'a'),
        .is_not_null = has_flag(rd, 5, 'n'),
        .has_default = has_flag(rd, 5, 'd'),
        .is_generated = has_flag(rd, 5, 'g'),
        .is_identity = has_flag(rd, 5, 'i'),
    };
}

/* nsp, name, method, flags, constraint, foreign keys that rest on it, bytes, scans */
static void
read_index(struct reader *rd, struct pol_live_relation *rel)
{
    struct pol_live_index *x = ADD(rel, indexes, n_indexes);
    *x = (struct pol_live_index){
        .schema = text(rd, 0),
        .name = text(rd, 1),
        .method = text(rd, 2),
        .is_unique = has_flag(rd, 3, 'u'),
        .is_valid = has_flag(rd, 3, 'v'),
        .is_primary = has_flag(rd, 3, 'p'),
        .has_where = has_flag(rd, 3, 'w'),
        .leaves_out_nulls = has_flag(rd, 3, 'l'),
        .has_order = has_flag(rd, 3, 'o'),
        .constraint = text(rd, 4),
        .n_fks = (size_t)number(rd, 5, 0),
        .bytes = number(rd, 6, 0),
        .n_scans = number(rd, 7, 0),
    };
}

/* name, contype, valid, nsp and name of the other table, column of IS NOT NULL */
static void
fill_constraint(const struct reader *rd, struct pol_live_constraint *c)
{
    const char *kind = cell(rd, FIRST + 1);
    *c = (struct pol_live_constraint){
        .name = text(rd, 0),
        .kind = kind ? *kind : '?',
        .is_valid = has_flag(rd, 2, 'v'),
        .schema = text(rd, 3),
        .table = text(rd, 4),
        .not_null_of = text(rd, 5),
    };
}

/* column, type, strategy, other operator class or collation */
static void
read_partition_key(struct reader *rd, struct pol_live_key *k)
{
    struct arena *a = rd->live->arena;
    const char *strategy = cell(rd, FIRST + 2);

    k->columns = grown(a, (void *)k->columns, k->n, sizeof(*k->columns));
    k->types = grown(a, (void *)k->types, k->n, sizeof(*k->types));
    k->columns[k->n] = text(rd, 0);
    k->types[k->n++] = text(rd, 1);
    k->strategy = strategy ? *strategy : '?';
    k->has_order |= has_flag(rd, 3, 'o');
}

/* nsp, name, kind, parent's nsp and name */
static void
read_partition(struct reader *rd, struct pol_live_relation *rel)
{
    struct pol_live_partition *p = ADD(rel, partitions, n_listed);
    const char *kind = cell(rd, FIRST + 2);
    *p = (struct pol_live_partition){ text(rd, 0), text(rd, 1), kind ? *kind : '?',
        text(rd, 3), text(rd, 4) };
}

/* kind, nsp, name, column */
static void
read_user(struct reader *rd, struct pol_live_relation *rel)
{
    struct pol_live_user *u = ADD(rel, users, n_users);
    *u = (struct pol_live_user){ text(rd, 0), text(rd, 1), text(rd, 2), text(rd, 3) };
}

/* pid, role, state, mode, granted, age */
static void
read_lock(struct reader *rd, struct pol_live_relation *rel)
{
    struct pol_live_lock *l = ADD(rel, locks, n_locks);
    *l = (struct pol_live_lock){
        .pid = (int)number(rd, 0, 0),
        .role = text(rd, 1),
        .state = text(rd, 2),
        .mode = text(rd, 3),
        .is_granted = has_flag(rd, 4, 'g'),
        .age_ms = number(rd, 5, -1),
    };
}

/* ---- keys: rows of their own, which name what they belong to by its oid ---- */

/* The oids of a relation's parts, in their order, while it is read. */
struct oids {
    int64_t *items;
    size_t n, cap;
};

static void
oids_add(struct oids *o, int64_t oid)
{
    MEM_GROW(o->items, o->n, o->cap);
    o->items[o->n++] = oid;
}

static size_t
oids_find(const struct oids *o, int64_t oid)
{
    size_t i = 0;
    while (i < o->n && o->items[i] != oid)
        i++;
    return i;
}

struct keys {
    struct oids indexes, constraints, refs;
};

static void
keys_deinit_p(struct keys *k)
{
    mem_free(k->indexes.items);
    mem_free(k->constraints.items);
    mem_free(k->refs.items);
}

static void
put_column(struct reader *rd, const char ***columns, size_t n, const char *name)
{
    *columns = grown(rd->live->arena, (void *)*columns, n, sizeof(**columns));
    (*columns)[n] = name;
}

static void
put_constraint_column(struct reader *rd, struct pol_live_constraint *c)
{
    put_column(rd, &c->ref_columns, c->n_columns, text(rd, 1));
    put_column(rd, &c->columns, c->n_columns, text(rd, 0));
    c->n_columns++;
}

/* Tags come in alphabetical order, some keys before what they belong to: a walk of its own. */
static void
read_key(struct reader *rd, struct pol_live_relation *rel, const struct keys *k)
{
    int64_t oid = number_at(rd, 2, 0);
    size_t at;

    if (is_tag(rd, 'J') && (at = oids_find(&k->indexes, oid)) < rel->n_indexes) {
        struct pol_live_index *x = &rel->indexes[at];
        put_column(rd, &x->columns, x->n_columns, text(rd, 0));
        x->n_columns++;
    } else if (is_tag(rd, 'D')
        && (at = oids_find(&k->constraints, oid)) < rel->n_constraints) {
        put_constraint_column(rd, &rel->constraints[at]);
    } else if (is_tag(rd, 'E') && (at = oids_find(&k->refs, oid)) < rel->n_refs) {
        put_constraint_column(rd, &rel->refs[at]);
    }
}

static void
read_part(struct reader *rd, struct pol_live_relation *rel, struct keys *k)
{
    int64_t oid = number_at(rd, 2, 0);

    if (is_tag(rd, 'B')) {
        rel->bound = text(rd, 0);
    } else if (is_tag(rd, 'C')) {
        read_column(rd, rel);
    } else if (is_tag(rd, 'I')) {
        read_index(rd, rel);
        oids_add(&k->indexes, oid);
    } else if (is_tag(rd, 'N')) {
        fill_constraint(rd, ADD(rel, constraints, n_constraints));
        oids_add(&k->constraints, oid);
    } else if (is_tag(rd, 'F')) {
        fill_constraint(rd, ADD(rel, refs, n_refs));
        oids_add(&k->refs, oid);
    } else if (is_tag(rd, 'K')) {
        read_partition_key(rd, &rel->key);
    } else if (is_tag(rd, 'P')) {
        read_partition(rd, rel);
    } else if (is_tag(rd, 'U')) {
        read_user(rd, rel);
    } else if (is_tag(rd, 'L')) {
        read_lock(rd, rel);
    }
}

/* ---- one want ---- */

/* Rows [from, to) are this want's. */
static struct pol_live_relation *
read_want(struct reader *rd, size_t from, size_t to)
{
    struct pol_live_relation *rel = arena_alloc(rd->live->arena, sizeof(*rel));
    struct pol_live_relation *parts = rel;
    AUTO(keys_deinit) struct keys keys = { .indexes = { NULL, 0, 0 } };

    for (rd->row = from; rd->row < to; rd->row++) {
        if (is_tag(rd, 'R')) {
            read_relation(rd, rel);
        } else if (is_tag(rd, 'T')) {
            rel->table = arena_alloc(rd->live->arena, sizeof(*rel->table));
            parts = rel->table;
            read_relation(rd, parts);
        }
    }
    for (rd->row = from; rd->row < to; rd->row++)
        read_part(rd, parts, &keys);
    for (rd->row = from; rd->row < to; rd->row++)
        read_key(rd, parts, &keys);
    return rel;
}

/* Rows are ordered by the want's number; those of the server as a whole have -1. */
int
pol_live_read(const struct pol_want *wants, size_t n_wants, const struct dg_rows *rows,
    struct pol_live **out, struct err *err)
{
    if (rows->n_rows && rows->n_cols != N_COLUMNS)
        return err_set(err, -EINVAL, "the catalogue query gave %zu columns, not %d",
            rows->n_cols, N_COLUMNS);
    struct reader rd = { .live = pol_live_new(), .rows = rows };
    size_t from = 0, to;

    for (; from < rows->n_rows; from++) {
        rd.row = from;
        if (number_at(&rd, 0, 0) >= 0)
            break;
        if (is_tag(&rd, 'S'))
            rd.live->stats_since = text(&rd, 0);
    }
    for (size_t i = 0; i < n_wants; i++, from = to) {
        for (to = from; to < rows->n_rows; to++) {
            rd.row = to;
            if (number_at(&rd, 0, -1) != (int64_t)i)
                break;
        }
        struct pol_want_key key;
        if (pol_want_is_askable(&wants[i]))
            map_set(rd.live->relations, str_of(pol_want_key(&wants[i], &key)),
                read_want(&rd, from, to));
    }
    *out = rd.live;
    return 0;
}
