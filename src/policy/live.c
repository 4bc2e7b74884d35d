// SPDX-License-Identifier: ISC
/* Live facts: looking them up, and putting them into words; see live.h. */
#include "policy/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
live_free(struct ref *ref)
{
    struct pol_live *live = (struct pol_live *)(void *)ref;
    map_free(live->relations);
    arena_free(live->arena);
    mem_free(live);
}

static struct pol_live *
live_new(void)
{
    struct pol_live *live = mem_zalloc(sizeof(*live));
    ref_init(&live->ref, live_free);
    live->arena = arena_new();
    live->relations = map_new(NULL);
    return live;
}

struct pol_live *
pol_live_new(void)
{
    struct pol_live *live = live_new();
    live->is_known = true;
    return live;
}

struct pol_live *
pol_live_unknown(const char *why)
{
    struct pol_live *live = live_new();
    live->why = arena_strdup(live->arena, why);
    return live;
}

/* The length of the schema goes first: a name may hold any byte. */
const char *
pol_want_key(const struct pol_want *w, struct pol_want_key *key)
{
    snprintf(key->text, sizeof(key->text), "%c%zu:%s.%s", w->is_anywhere ? '*' : '.',
        w->schema ? strlen(w->schema) + 1 : 0, w->schema ? w->schema : "", w->name);
    return key->text;
}

enum pol_live_state
pol_live_find(const struct pol_live *live, const struct pol_want *want,
    const struct pol_live_relation **out)
{
    if (!live)
        return POL_LIVE_NOBODY;
    if (!live->is_known)
        return POL_LIVE_UNKNOWN;
    struct pol_want_key key;
    if (!pol_want_is_askable(want))
        return POL_LIVE_UNKNOWN;
    const struct pol_live_relation *rel = map_get(
        live->relations, str_of(pol_want_key(want, &key)));
    if (!rel)
        return POL_LIVE_UNKNOWN;
    if (!rel->name)
        return POL_LIVE_ABSENT;
    *out = rel;
    return POL_LIVE_FOUND;
}

/* ---- wants ---- */

void
pol_wants_add(struct pol_wants *w, const struct pol_want *want)
{
    struct pol_want_key buf;

    if (w->n >= POL_MAX_WANTS || !pol_want_is_askable(want))
        return;
    const char *key = pol_want_key(want, &buf);
    if (!w->known)
        w->known = map_new(NULL);
    if (map_get(w->known, str_of(key)))
        return;
    map_set(w->known, str_of(key), w);
    MEM_GROW(w->items, w->n, w->cap);
    w->items[w->n++] = (struct pol_want){ arena_strdup(w->arena, want->schema),
        arena_strdup(w->arena, want->name), want->is_anywhere };
}

void
pol_wants_deinit(struct pol_wants *w)
{
    map_free(w->known);
    mem_free(w->items);
    *w = (struct pol_wants){ 0 };
}

/* ---- words ---- */

const char *
pol_bytes_words(struct arena *a, int64_t bytes)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };
    size_t u = 0;
    int64_t whole = bytes, rest = 0;

    while (whole >= 1024 && u + 1 < DG_ARRAY_SIZE(units)) {
        rest = whole % 1024 * 10 / 1024;
        whole /= 1024;
        u++;
    }
    if (whole < 10 && rest)
        return arena_printf(a, "%" PRId64 ".%" PRId64 " %s", whole, rest, units[u]);
    return arena_printf(a, "%" PRId64 " %s", whole, units[u]);
}

const char *
pol_rows_words(struct arena *a, int64_t n)
{
    static const struct {
        int64_t one;
        const char *name;
    } units[] = { { 1000000000, "billion" }, { 1000000, "million" } };

    for (size_t i = 0; i < DG_ARRAY_SIZE(units); i++) {
        int64_t whole = n / units[i].one,
                tenth = n % units[i].one / (units[i].one / 10);
        if (whole >= 10 || (whole && !tenth))
            return arena_printf(a, "about %" PRId64 " %s rows", whole, units[i].name);
        if (whole)
            return arena_printf(a, "about %" PRId64 ".%" PRId64 " %s rows", whole,
                tenth, units[i].name);
    }
    if (n >= 10000)
        return arena_printf(a, "about %" PRId64 ",000 rows", n / 1000);
    return n == 1 ? "about 1 row" : arena_printf(a, "about %" PRId64 " rows", n);
}

const char *
pol_live_size_words(struct arena *a, const struct pol_live_relation *rel)
{
    if (!rel->is_size_known && !rel->bytes)
        return "of unknown size";
    return arena_printf(a, "%s%s, %s", rel->is_size_known ? "" : "at least ",
        pol_bytes_words(a, rel->bytes),
        rel->is_uncounted ? "never analyzed" : pol_rows_words(a, rel->n_rows));
}

const char *
pol_age_words(struct arena *a, int64_t ms)
{
    int64_t s = ms / 1000;

    if (s < 120)
        return arena_printf(a, "%" PRId64 " s", s);
    if (s < 7200)
        return arena_printf(a, "%" PRId64 " min", s / 60);
    return arena_printf(a, "%" PRId64 " h", s / 3600);
}

/* ---- parts of a relation ---- */

const struct pol_live_column *
pol_live_column(const struct pol_live_relation *rel, const char *name)
{
    for (size_t i = 0; name && i < rel->n_columns; i++) {
        if (strcmp(rel->columns[i].name, name) == 0)
            return &rel->columns[i];
    }
    return NULL;
}

const struct pol_live_constraint *
pol_live_constraint(const struct pol_live_relation *rel, const char *name)
{
    for (size_t i = 0; name && i < rel->n_constraints; i++) {
        if (strcmp(rel->constraints[i].name, name) == 0)
            return &rel->constraints[i];
    }
    return NULL;
}

static const char **
copy_names(struct arena *a, const char *const *names, size_t n)
{
    const char **copy = arena_alloc(a, (n + 1) * sizeof(*copy));

    for (size_t i = 0; i < n; i++)
        copy[i] = arena_strdup(a, names[i]);
    return copy;
}

const struct pol_live_relation *
pol_live_outline(struct arena *a, const struct pol_live_relation *rel)
{
    if (!rel)
        return NULL;
    struct pol_live_relation *o = arena_alloc(a, sizeof(*o));
    *o = (struct pol_live_relation){ .schema = arena_strdup(a, rel->schema),
        .name = arena_strdup(a, rel->name),
        .kind = rel->kind,
        .parent_schema = arena_strdup(a, rel->parent_schema),
        .parent = arena_strdup(a, rel->parent),
        .bound = arena_strdup(a, rel->bound),
        .n_constraints = rel->n_constraints,
        .key = rel->key,
        .n_partitions = rel->n_partitions,
        .n_listed = rel->n_listed };
    o->key.columns = copy_names(a, rel->key.columns, rel->key.n);
    o->key.types = copy_names(a, rel->key.types, rel->key.n);
    o->constraints = arena_alloc(a, (rel->n_constraints + 1) * sizeof(*o->constraints));
    for (size_t i = 0; i < rel->n_constraints; i++)
        o->constraints[i] = (struct pol_live_constraint){
            .name = arena_strdup(a, rel->constraints[i].name),
            .kind = rel->constraints[i].kind,
        };
    o->partitions = arena_alloc(a, (rel->n_listed + 1) * sizeof(*o->partitions));
    for (size_t i = 0; i < rel->n_listed; i++) {
        const struct pol_live_partition *p = &rel->partitions[i];
        o->partitions[i] = (struct pol_live_partition){ arena_strdup(a, p->schema),
            arena_strdup(a, p->name), p->kind, arena_strdup(a, p->parent_schema),
            arena_strdup(a, p->parent) };
    }
    return o;
}

static bool
is_among(const char *column, const char *const *columns, size_t n)
{
    for (size_t i = 0; column && i < n; i++) {
        if (columns[i] && strcmp(columns[i], column) == 0)
            return true;
    }
    return false;
}

bool
pol_live_leads(
    const struct pol_live_index *index, const char *const *columns, size_t n_columns)
{
    /* others can't answer "is there a row with this key?" */
    if (!index->is_valid || (index->has_where && !index->leaves_out_nulls)
        || (strcmp(index->method, "btree") != 0 && strcmp(index->method, "hash") != 0)
        || index->n_columns < n_columns)
        return false;
    for (size_t i = 0; i < n_columns; i++) {
        if (!is_among(index->columns[i], columns, n_columns))
            return false;
    }
    return n_columns > 0;
}
