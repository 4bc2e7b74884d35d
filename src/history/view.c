// SPDX-License-Identifier: ISC
/* The set with one reading of a database's history table: the state of every migration,
 * made once per reading and immutable after. */
#include "history/source.h"

#include <stdio.h>
#include <string.h>

/* --- what the sources call ------------------------------------------------------------- */

/* As file names sort, in which a version is followed by `_`. */
static int
file_order_cmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    int x = *a ? (unsigned char)*a : '_', y = *b ? (unsigned char)*b : '_';
    return (*a || *b) ? (x > y) - (x < y) : 0;
}

void
hist_states_applied(struct hist_states *st, const char *version)
{
    if (!st->newest || hist_version_cmp(version, st->newest) > 0)
        st->newest = version;
    if (!st->last_run || file_order_cmp(version, st->last_run) > 0)
        st->last_run = version;
}

/* Texts have no order of their own: that of application counts. */
static void
finish_texts(struct hist_states *st)
{
    const struct hist_set *set = st->set;
    const struct hist_migration *base = set->conf.baseline
        ? hist_by_version(set, set->conf.baseline)
        : NULL;
    size_t n_applied = base ? base->index + 1 : 0, n_base = n_applied;

    for (size_t i = n_applied; i < set->n; i++) {
        if (st->of[i] != DG_MIG_PENDING)
            n_applied = i + 1;
    }
    for (size_t i = 0; i < n_applied; i++) {
        if (st->of[i] == DG_MIG_PENDING)
            st->of[i] = i < n_base ? DG_MIG_APPLIED : DG_MIG_OUT_OF_ORDER;
    }
}

void
hist_states_finish(struct hist_states *st)
{
    const struct hist_set *set = st->set;
    const char *baseline = set->conf.baseline;
    bool by_file_name = set->tool->flags & HIST_T_LEXICAL;

    if ((set->tool->flags & HIST_T_TEXT) || set->is_lockfile) {
        finish_texts(st);
        return;
    }
    if (baseline)
        hist_states_applied(st, baseline);
    for (size_t i = 0; i < set->n; i++) {
        const struct hist_migration *m = &set->migrations[i];
        if (!m->version || st->of[i] != DG_MIG_PENDING)
            continue;
        if (baseline && hist_version_cmp(m->version, baseline) <= 0)
            st->of[i] = DG_MIG_APPLIED;
        /* 10 stands before 9 among file names: what is in order either way is fine. */
        else if (st->newest && hist_version_cmp(m->version, st->newest) < 0
            && (!by_file_name || file_order_cmp(m->version, st->last_run) < 0))
            st->of[i] = DG_MIG_OUT_OF_ORDER;
    }
}

/* --- making ---------------------------------------------------------------------------- */

void
hist_view_free(struct ref *ref)
{
    struct hist_view *v = (struct hist_view *)(void *)ref;

    ref_drop(v->set);
    mem_free(v->missing);
    arena_free(v->arena);
    mem_free(v);
}

/* One block for all texts: the rows are read again for every transaction with a schema
 * change, and may be many. */
static void
copy_rows(struct hist_view *v, const struct dg_rows *rows)
{
    size_t n = rows->n_rows * rows->n_cols, bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += rows->cells[i] ? strlen(rows->cells[i]) + 1 : 0;
    char *text = arena_alloc(v->arena, bytes + 1);
    v->rows = (struct dg_rows){ .n_rows = rows->n_rows,
        .n_cols = rows->n_cols,
        .cells = arena_alloc(v->arena, (n + 1) * sizeof(char *)) };
    for (size_t i = 0; i < n; i++) {
        if (!rows->cells[i])
            continue;
        size_t len = strlen(rows->cells[i]) + 1;
        memcpy(text, rows->cells[i], len);
        v->rows.cells[i] = text;
        text += len;
    }
}

static void
add_missing(void *ctx, const char *version, const char *name)
{
    struct hist_view *v = ctx;

    MEM_GROW(v->missing, v->n_missing, v->missing_cap);
    v->missing[v->n_missing++] = (struct hist_missing){
        .version = arena_strdup(v->arena, version), .name = arena_strdup(v->arena, name)
    };
}

size_t
hist_first_edited(const struct hist_view *v)
{
    for (size_t i = 0; i < v->set->n; i++) {
        if (v->states[i] == DG_MIG_EDITED)
            return i;
    }
    return HIST_NONE;
}

struct hist_view *
hist_view_new(struct hist_set *set, const struct dg_rows *rows, int64_t read_us)
{
    struct hist_view *v = mem_zalloc(sizeof(*v));

    ref_init(&v->ref, hist_view_free);
    v->set = ref_take(set);
    v->read_us = read_us;
    v->has_table = rows != NULL;
    v->arena = arena_new();
    v->states = arena_alloc(v->arena, (set->n + 1) * sizeof(*v->states));
    if (rows && rows->n_cols == set->tool->n_columns)
        copy_rows(v, rows);
    else
        DG_ASSERT(!rows || rows->n_rows == 0, "rows of %zu columns", rows->n_cols);
    struct hist_states st = {
        .set = set, .of = v->states, .missing = add_missing, .ctx = v
    };
    if (set->ops->apply_rows)
        set->ops->apply_rows(&st, &v->rows);
    else
        hist_rows_apply(&st, &v->rows);
    v->edited = hist_first_edited(v);
    v->failed = arena_strdup(v->arena, st.failed);
    v->is_dirty = st.is_dirty;
    return v;
}

const struct hist_set *
hist_view_set(const struct hist_view *v)
{
    return v->set;
}

int64_t
hist_view_read_us(const struct hist_view *v)
{
    return v->read_us;
}

enum dg_migration_state
hist_view_state(const struct hist_view *v, size_t migration)
{
    DG_ASSERT(
        migration < v->set->n_all, "migration %zu of %zu", migration, v->set->n_all);
    const struct hist_migration *m = &v->set->migrations[migration];
    if (m->is_down && m->pair == HIST_NONE)
        return DG_MIG_PENDING;
    return v->states[m->is_down ? m->pair : migration];
}

const struct hist_migration *
hist_view_edited(const struct hist_view *v, const struct hist_migration *m)
{
    enum dg_migration_state own = hist_view_state(v, m->index);

    if (own == DG_MIG_EDITED)
        return m;
    return own == DG_MIG_APPLIED || v->edited == HIST_NONE
        ? NULL
        : &v->set->migrations[v->edited];
}

size_t
hist_view_n_missing(const struct hist_view *v)
{
    return v->n_missing;
}

void
hist_view_missing(
    const struct hist_view *v, size_t i, const char **version, const char **name)
{
    DG_ASSERT(i < v->n_missing, "missing row %zu of %zu", i, v->n_missing);
    *version = v->missing[i].version;
    *name = v->missing[i].name;
}

/* --- the summary ----------------------------------------------------------------------- */

#define SUMMARY_NAMES 3 /* of one state, then "and 4 more" */

static void
add_text(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);

    snprintf(out + n, size - n, "%s", text);
}

static void
add_name(
    char *out, size_t size, const struct hist_set *set, const struct hist_migration *m)
{
    add_text(out, size, m->version && set->tool->prefix ? set->tool->prefix : "");
    add_text(out, size, m->version ? m->version : m->file);
}

/* "V13, V14 and 2 more pending" */
static void
add_state(
    const struct hist_view *v, enum dg_migration_state state, char *out, size_t size)
{
    size_t n = 0;
    char more[64];

    for (size_t i = 0; i < v->set->n; i++) {
        if (v->states[i] != state || n++ >= SUMMARY_NAMES)
            continue;
        if (out[0])
            add_text(out, size, ", ");
        add_name(out, size, v->set, &v->set->migrations[i]);
    }
    if (n == 0)
        return;
    if (n > SUMMARY_NAMES) {
        snprintf(more, sizeof(more), " and %zu more", n - SUMMARY_NAMES);
        add_text(out, size, more);
    }
    add_text(out, size,
        state == DG_MIG_PENDING       ? " pending"
            : state == DG_MIG_RUNNING ? " running"
            : state == DG_MIG_EDITED  ? " changed after it was applied"
            : state == DG_MIG_FAILED  ? " failed"
                                      : " out of order");
}

/* "V1..V12 applied" */
static void
add_applied(const struct hist_view *v, char *out, size_t size)
{
    const struct hist_index *ix = v->set->index;
    const struct hist_migration *first = NULL, *last = NULL;

    for (uint32_t i = 0; i < ix->n_versioned; i++) {
        const struct hist_migration *m = &v->set->migrations[ix->by_version[i]];
        if (v->states[m->index] != DG_MIG_APPLIED
            && v->states[m->index] != DG_MIG_EDITED)
            continue;
        first = first ? first : m;
        last = m;
    }
    if (!first) {
        add_text(out, size, "nothing applied");
        return;
    }
    add_name(out, size, v->set, first);
    if (last != first) {
        add_text(out, size, "..");
        add_name(out, size, v->set, last);
    }
    add_text(out, size, " applied");
}

void
hist_view_summary(const struct hist_view *v, char *out, size_t size)
{
    char more[64];

    DG_ASSERT(size > 0, "no room");
    out[0] = 0;
    add_applied(v, out, size);
    add_state(v, DG_MIG_PENDING, out, size);
    add_state(v, DG_MIG_RUNNING, out, size);
    add_state(v, DG_MIG_FAILED, out, size);
    add_state(v, DG_MIG_EDITED, out, size);
    add_state(v, DG_MIG_OUT_OF_ORDER, out, size);
    if (v->n_missing > 0) {
        snprintf(more, sizeof(more), ", %zu recorded without a file", v->n_missing);
        add_text(out, size, more);
    }
}
