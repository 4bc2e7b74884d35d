// SPDX-License-Identifier: ISC
/* Where a client's statement stands in the files, and what a transaction has run of them. */
#include "history/source.h"

#include <stdio.h>
#include <string.h>

/* --- matching -------------------------------------------------------------------------- */

static bool
may_repeat(const struct hist_set *set, unsigned flags)
{
    switch (set->conf.repeat) {
    case HIST_REPEAT_NONE:
        return false;
    case HIST_REPEAT_CREATE:
        return flags & HIST_S_CREATES;
    case HIST_REPEAT_ALL:
        return true;
    }
    return false;
}

/* Has it run: all of it, or what a failed run left? */
bool
hist_stands(const struct hist_view *v, size_t migration)
{
    switch (v->states[migration]) {
    case DG_MIG_APPLIED:
    case DG_MIG_EDITED:
    case DG_MIG_RUNNING:
    case DG_MIG_FAILED:
        return true;
    case DG_MIG_PENDING:
    case DG_MIG_OUT_OF_ORDER:
    case DG_MIG_MISSING:
        break;
    }
    return false;
}

static enum hist_match_kind
kind_of_rollback(const struct hist_view *v, const struct hist_migration *m)
{
    if (m->pair == HIST_NONE)
        return HIST_MATCH_DOWN_BLOCKED;
    if (hist_stands(v, m->pair))
        return HIST_MATCH_DOWN;
    /* golang-migrate writes where it will stand before it goes there. */
    bool is_next = m->pair > 0 ? v->states[m->pair - 1] == DG_MIG_RUNNING : v->is_dirty;
    return v->is_dirty && is_next ? HIST_MATCH_DOWN : HIST_MATCH_DOWN_BLOCKED;
}

static enum hist_match_kind
kind_of_place(const struct hist_view *v, const struct hist_place *p)
{
    const struct hist_migration *m = &v->set->migrations[p->migration];

    if (m->is_down)
        return kind_of_rollback(v, m);
    switch (v->states[p->migration]) {
    case DG_MIG_RUNNING:
        return HIST_MATCH_PENDING;
    case DG_MIG_PENDING:
        return v->failed ? HIST_MATCH_BLOCKED_FAILED : HIST_MATCH_PENDING;
    case DG_MIG_OUT_OF_ORDER:
        return v->failed ? HIST_MATCH_BLOCKED_FAILED : HIST_MATCH_OUT_OF_ORDER;
    case DG_MIG_FAILED:
        return HIST_MATCH_BLOCKED_FAILED;
    case DG_MIG_APPLIED:
        return may_repeat(v->set, m->stmts[p->stmt].flags) ? HIST_MATCH_REPEAT
                                                           : HIST_MATCH_APPLIED;
    case DG_MIG_EDITED:
    case DG_MIG_MISSING:
        break;
    }
    return HIST_MATCH_APPLIED;
}

/* Which of two places of one digest speaks for it: the one that lets it pass. */
static int
rank(enum hist_match_kind kind)
{
    switch (kind) {
    case HIST_MATCH_NONE:
        return 0;
    case HIST_MATCH_DOWN_BLOCKED:
        return 1;
    case HIST_MATCH_APPLIED:
        return 2;
    case HIST_MATCH_BLOCKED_FAILED:
        return 3;
    case HIST_MATCH_OUT_OF_ORDER:
        return 4;
    case HIST_MATCH_DOWN:
        return 5;
    case HIST_MATCH_REPEAT:
        return 6;
    case HIST_MATCH_OWN:
        return 7;
    case HIST_MATCH_PENDING:
        return 8;
    }
    return 0;
}

static bool
is_own(const struct hist_view *v, const struct sql_facts *f,
    const struct sql_digest *digest)
{
    const struct hist_index *ix = v->set->index;

    for (size_t i = 0; i < ix->n_own; i++) {
        if (sql_digest_eq(&ix->own[i], digest))
            return true;
    }
    for (size_t i = 0; !v->has_table && i < ix->n_setup; i++) {
        if (sql_digest_eq(&ix->setup[i], digest))
            return true;
    }
    return f && f->parent == -1 && !(f->flags & (SQL_F_UNPARSABLE | SQL_F_TEMP))
        && hist_is_own(v->set, f);
}

struct hist_match
hist_match(const struct hist_view *v, const struct sql_facts *f,
    const struct sql_digest *digest)
{
    const struct hist_index *ix = v->set->index;
    struct hist_match best = { .kind = HIST_MATCH_NONE };

    /* The newest file comes first; of several pending ones the oldest runs first. */
    for (uint32_t at = hist_index_find(ix, digest); at != HIST_NO_DIGEST;
         at = ix->places[at].same) {
        enum hist_match_kind kind = kind_of_place(v, &ix->places[at]);
        if (best.kind == HIST_MATCH_PENDING && kind != HIST_MATCH_PENDING)
            break;
        if (rank(kind) >= rank(best.kind))
            best = (struct hist_match){ .kind = kind,
                .migration = &v->set->migrations[ix->places[at].migration],
                .stmt = ix->places[at].stmt };
    }
    if (rank(best.kind) < rank(HIST_MATCH_OWN) && best.kind != HIST_MATCH_REPEAT
        && is_own(v, f, digest))
        best = (struct hist_match){ .kind = HIST_MATCH_OWN };
    return best;
}

/* --- a transaction --------------------------------------------------------------------- */

enum event_kind {
    EVENT_RAN,       /* value: number of a digest */
    EVENT_RECORDED,  /* value: index of a migration */
    EVENT_SAVEPOINT, /* name */
};

struct event {
    enum event_kind kind;
    uint32_t value;
    const struct hist_migration *migration; /* RAN: whose row is due; NULL: nobody's */
    char *name;                             /* owned */
};

struct hist_tx {
    const struct hist_view *view; /* a reference of our own */
    struct event *events;         /* owned, in order */
    size_t n, cap;
    struct map *ran;      /* digest number -> how many times, as a pointer */
    struct map *recorded; /* migration index -> non-NULL */
};

#define MAX_NAME 63 /* bytes, as the server cuts identifiers */

struct hist_tx *
hist_tx_new(const struct hist_view *v)
{
    struct hist_tx *tx = mem_zalloc(sizeof(*tx));

    tx->view = ref_take((void *)(uintptr_t)v); /* const, but for its count */
    tx->ran = map_new(NULL);
    tx->recorded = map_new(NULL);
    return tx;
}

static void
drop_events(struct hist_tx *tx, size_t from)
{
    while (tx->n > from)
        mem_free(tx->events[--tx->n].name);
}

void
hist_tx_free(struct hist_tx *tx)
{
    if (!tx)
        return;
    drop_events(tx, 0);
    mem_free(tx->events);
    map_free(tx->ran);
    map_free(tx->recorded);
    ref_drop((void *)(uintptr_t)tx->view);
    mem_free(tx);
}

static struct str
key_of(const uint32_t *value)
{
    return (struct str){ (const char *)value, sizeof(*value) };
}

static uintptr_t
times_ran(const struct hist_tx *tx, uint32_t digest)
{
    return (uintptr_t)map_get(tx->ran, key_of(&digest));
}

static void
count(struct hist_tx *tx, const struct event *e, bool undo)
{
    if (e->kind == EVENT_RAN) {
        uintptr_t n = times_ran(tx, e->value);
        n = undo ? n - 1 : n + 1;
        if (n > 0)
            map_set(tx->ran, key_of(&e->value), (void *)n);
        else
            map_remove(tx->ran, key_of(&e->value));
    } else if (e->kind == EVENT_RECORDED && undo) {
        map_remove(tx->recorded, key_of(&e->value));
    } else if (e->kind == EVENT_RECORDED) {
        map_set(tx->recorded, key_of(&e->value), tx);
    }
}

static void
add_event(struct hist_tx *tx, struct event e)
{
    MEM_GROW(tx->events, tx->n, tx->cap);
    tx->events[tx->n++] = e;
    count(tx, &e, false);
}

/* Is m of the set that this transaction's view was made from? After a reload it isn't. */
static bool
is_ours(const struct hist_tx *tx, const struct hist_migration *m)
{
    const struct hist_set *set = tx->view->set;

    return m && m->index < set->n_all && m == &set->migrations[m->index];
}

void
hist_tx_ran(struct hist_tx *tx, const struct hist_match *m)
{
    if (m->kind == HIST_MATCH_NONE || m->kind == HIST_MATCH_OWN
        || m->kind == HIST_MATCH_DOWN_BLOCKED || !is_ours(tx, m->migration))
        return;
    DG_ASSERT(m->stmt < m->migration->scan.n, "statement %zu of %zu", m->stmt,
        m->migration->scan.n);
    const struct hist_stmt *s = &m->migration->stmts[m->stmt];
    bool is_due = (m->kind == HIST_MATCH_PENDING || m->kind == HIST_MATCH_OUT_OF_ORDER
                      || m->kind == HIST_MATCH_DOWN)
        && (s->flags & HIST_S_CHANGE);
    add_event(tx,
        (struct event){ .kind = EVENT_RAN,
            .value = s->digest,
            .migration = is_due ? m->migration : NULL });
}

/* Has any schema change of it run here? */
static bool
has_begun(const struct hist_tx *tx, const struct hist_migration *m)
{
    for (size_t i = 0; i < m->scan.n; i++) {
        if ((m->stmts[i].flags & HIST_S_CHANGE) && times_ran(tx, m->stmts[i].digest))
            return true;
    }
    return m->n_schema_changes == 0;
}

/* Has its rollback begun here, or was a row written that says so? */
static bool
is_taken_back(const struct hist_tx *tx, const struct hist_migration *m)
{
    uint32_t down = (uint32_t)m->pair;

    return m->pair != HIST_NONE
        && (has_begun(tx, &tx->view->set->migrations[m->pair])
            || map_get(tx->recorded, key_of(&down)));
}

const struct hist_migration *
hist_tx_newer(const struct hist_tx *tx, const struct hist_migration *down)
{
    const struct hist_set *set = tx->view->set;

    if (!is_ours(tx, down) || down->pair == HIST_NONE)
        return NULL;
    for (size_t i = down->pair + 1; i < set->n; i++) {
        const struct hist_migration *m = &set->migrations[i];
        bool stands = tx->view->states[i] == DG_MIG_APPLIED
            || tx->view->states[i] == DG_MIG_EDITED;
        if (stands && !m->is_repeatable && !is_taken_back(tx, m))
            return m;
    }
    return NULL;
}

/* The first schema change of m that has not run, or scan.n. */
static size_t
first_not_run(
    const struct hist_tx *tx, const struct hist_migration *m, size_t *n_missing)
{
    size_t first = m->scan.n;

    *n_missing = 0;
    for (size_t i = 0; i < m->scan.n; i++) {
        const struct hist_stmt *s = &m->stmts[i];
        if (!(s->flags & HIST_S_CHANGE))
            continue;
        if (tx && times_ran(tx, s->digest) > s->nth)
            continue;
        if ((*n_missing)++ == 0)
            first = i;
    }
    return first;
}

bool
hist_tx_is_complete(const struct hist_tx *tx, const struct hist_migration *m)
{
    size_t n;

    if (tx && !is_ours(tx, m))
        return false;
    first_not_run(tx, m, &n);
    return n == 0;
}

int
hist_tx_explain(
    const struct hist_tx *tx, const struct hist_migration *m, struct err *why)
{
    size_t n, at = first_not_run(tx && is_ours(tx, m) ? tx : NULL, m, &n);
    char what[160] = "";

    for (size_t i = 0; i < m->tree->n && at < m->scan.n; i++) {
        if (m->tree->facts[i].stmt == at) {
            sql_facts_describe(&m->tree->facts[i], what, sizeof(what));
            break;
        }
    }
    return err_set(why, 0,
        "%zu of the %zu schema changes of %s ha%s not run in this transaction, the first is "
        "line %d, %s; run the whole file, then %s",
        n, m->n_schema_changes, m->file, n == 1 ? "s" : "ve",
        at < m->scan.n ? m->scan.stmts[at].line : 0, what,
        m->is_down ? "take its row back" : "record it");
}

/* --- savepoints ------------------------------------------------------------------------ */

/* Index of the latest savepoint of the name, or tx->n if it is older than tx. */
static size_t
find_savepoint(const struct hist_tx *tx, const char *name)
{
    for (size_t i = tx->n; i > 0; i--) {
        const struct event *e = &tx->events[i - 1];
        if (e->kind == EVENT_SAVEPOINT && strncmp(e->name, name, MAX_NAME) == 0)
            return i - 1;
    }
    return tx->n;
}

void
hist_tx_savepoint(struct hist_tx *tx, const char *name)
{
    add_event(tx,
        (struct event){ .kind = EVENT_SAVEPOINT,
            .name = mem_strndup(name, strnlen(name, MAX_NAME)) });
}

void
hist_tx_release(struct hist_tx *tx, const char *name)
{
    size_t to = 0, i = find_savepoint(tx, name);

    /* The savepoint and all later ones go, what ran since stays. An unknown name is older
     * than all of them. */
    for (size_t from = i == tx->n ? 0 : i, j = 0; j < tx->n; j++) {
        if (j >= from && tx->events[j].kind == EVENT_SAVEPOINT)
            mem_free(tx->events[j].name);
        else
            tx->events[to++] = tx->events[j];
    }
    tx->n = to;
}

void
hist_tx_rollback_to(struct hist_tx *tx, const char *name)
{
    size_t at = find_savepoint(tx, name), keep = at == tx->n ? 0 : at + 1;

    for (size_t i = tx->n; i > keep; i--)
        count(tx, &tx->events[i - 1], true);
    drop_events(tx, keep);
    /* A migration recorded twice, once before the savepoint, is still recorded. */
    for (size_t i = 0; i < tx->n; i++) {
        if (tx->events[i].kind == EVENT_RECORDED)
            map_set(tx->recorded, key_of(&tx->events[i].value), tx);
    }
}

/* --- what must be recorded ------------------------------------------------------------- */

const struct hist_view *
hist_tx_view(const struct hist_tx *tx)
{
    return tx->view;
}

void
hist_tx_recorded(struct hist_tx *tx, const struct hist_migration *m)
{
    if (is_ours(tx, m))
        add_event(
            tx, (struct event){ .kind = EVENT_RECORDED, .value = (uint32_t)m->index });
}

/* Does a migration recorded here hold this digest? Then its run needs no other row. Likewise
 * of a rollback whose row was taken back here. */
static bool
is_recorded(const struct hist_tx *tx, uint32_t digest, bool is_down)
{
    const struct hist_set *set = tx->view->set;
    const struct hist_index *ix = set->index;

    for (uint32_t at = digest; at != HIST_NO_DIGEST; at = ix->places[at].same) {
        if (set->migrations[ix->places[at].migration].is_down == is_down
            && map_get(tx->recorded, key_of(&ix->places[at].migration)))
            return true;
    }
    return false;
}

/* Must there be a row of it in the same transaction, or none any more? */
static bool
is_row_due(const struct hist_set *set, const struct hist_migration *m)
{
    return m->is_down ? hist_down_is_same_tx(set, m) : !m->is_no_tx;
}

static void
explain_unrecorded(
    const struct hist_tx *tx, const struct hist_migration *m, struct err *why)
{
    const struct hist_conf *conf = &tx->view->set->conf;
    const char *version = m->version ? m->version : "";

    if (!hist_tx_is_complete(tx, m))
        hist_tx_explain(tx, m, why);
    else if (m->is_down)
        err_set(why, 0,
            "%s has run in this transaction, but %s keeps its row; take back the row of "
            "version %s before COMMIT",
            m->file, conf->history_table, version);
    else
        err_set(why, 0,
            "%s has run in this transaction, but %s holds no row for it; add the INSERT "
            "for version %s before COMMIT",
            m->file, conf->history_table, version);
}

const struct hist_migration *
hist_tx_unrecorded(const struct hist_tx *tx, struct err *why)
{
    const struct hist_set *set = tx->view->set;

    if (!hist_is_same_tx(set))
        return NULL;
    for (size_t i = 0; i < tx->n; i++) {
        const struct event *e = &tx->events[i];
        if (e->kind != EVENT_RAN || !e->migration || !is_row_due(set, e->migration)
            || is_recorded(tx, e->value, e->migration->is_down))
            continue;
        explain_unrecorded(tx, e->migration, why);
        return e->migration;
    }
    return NULL;
}
