// SPDX-License-Identifier: ISC
/* Checks that say something about the server as it is now: how large a table is, who holds
 * it, what an index is used for. Offline they are silent. */
#include "policy/ask.h"

#include "policy/safe.h"

#include <string.h>

/* ---- which tables a statement locks ---- */

typedef void locked_fn(struct pol_run *r, const struct sql_facts *f, enum pol_lock lock,
    const struct sql_object *o);

static bool
is_locked(const struct sql_object *o)
{
    return (o->kind == SQL_O_TABLE || o->kind == SQL_O_FOREIGN_TABLE
               || o->kind == SQL_O_MATVIEW || o->kind == SQL_O_INDEX)
        && !o->is_created && !o->is_temp;
}

/* Calls fn for each existing table under a lock that others wait for, once in a
 * transaction; foreign keys lock the table that they refer to, too. */
static void
each_locked(struct pol_run *r, const struct sql_facts *f, locked_fn *fn)
{
    const struct sql_object *table;
    enum pol_lock lock = pol_lock_of(f, &table);

    if (pol_stored(r) || (f->flags & SQL_F_UNPARSABLE))
        return;
    for (size_t i = 0; lock > POL_LOCK_WEAK && i < f->n_objects && pol_is_worth(r);
         i++) {
        const struct sql_object *o = &f->objects[i];
        if (is_locked(o) && !pol_flow_holds(r->flow, o))
            fn(r, f, lock, o);
    }
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        size_t n = s->def ? s->def->n_constraints : s->constraint ? 1 : 0;
        for (size_t k = 0; k < n; k++) {
            const struct sql_constraint *c = s->def ? &s->def->constraints[k]
                                                    : s->constraint;
            struct sql_object other = { .kind = SQL_O_TABLE,
                .schema = c->ref_schema,
                .name = c->ref_table,
                .pos = -1 };
            if (c->kind == SQL_C_FOREIGN && c->ref_table
                && !pol_flow_holds(r->flow, &other))
                fn(r, f, POL_LOCK_SHARE_ROW_EXCLUSIVE, &other);
        }
    }
}

/* ---- large-table-ddl ---- */

static void
large_table(struct pol_run *r, const struct sql_facts *f, enum pol_lock lock,
    const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_relation *rel;
    int64_t min_bytes = pol_param(r, POL_P_MIN_TABLE_SIZE)->number;
    int64_t min_rows = pol_param(r, POL_P_MIN_TABLE_ROWS)->number;

    if (!pol_ask_table_or_say(r, o, &rel))
        return;
    if (rel->bytes < min_bytes && rel->n_rows < min_rows
        && (rel->is_size_known || pol_is_loose(r)))
        return;
    const char *lock_name = pol_lock_name(lock);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s takes %s on %s, %s", f->tag,
                       lock_name, pol_live_name(r, rel), pol_live_size_words(a, rel)),
            .detail = arena_printf(a,
                "%s What takes a moment on a small table can take hours on this one, and "
                "others wait all the while.",
                pol_live_words(r, rel)),
            .hint = "Try it on a copy of this size first, choose a quiet hour, and SET "
                    "lock_timeout = '2s' before it.",
            .object = o, .at = o->pos + 1));
}

void
pol_check_large_table(struct pol_run *r, const struct sql_facts *f)
{
    each_locked(r, f, large_table);
}

/* ---- blocker-present ---- */

/* PostgreSQL manual 13.3.1, the table of conflicting lock modes. */
static bool
conflicts(enum pol_lock lock, const char *mode)
{
    static const char *const strength[] = { "AccessShareLock", "RowShareLock",
        "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
        "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock" };
    size_t held = 0;

    while (held < DG_ARRAY_SIZE(strength) && strcmp(strength[held], mode) != 0)
        held++;
    switch (lock) {
    case POL_LOCK_NONE:
    case POL_LOCK_WEAK:
        return false;
    case POL_LOCK_SHARE:
        return held >= 2 && held != 4;
    case POL_LOCK_SHARE_ROW_EXCLUSIVE:
        return held >= 2;
    case POL_LOCK_EXCLUSIVE:
        return held >= 1;
    case POL_LOCK_ACCESS_EXCLUSIVE:
        return true;
    }
    return true;
}

/* The oldest transaction that the statement would wait for, and how many there are. An
 * autovacuum gives way by itself. */
static const struct pol_live_lock *
oldest_blocker(const struct pol_run *r, const struct pol_live_relation *rel,
    enum pol_lock lock, int64_t min_ms, size_t *n)
{
    const struct pol_live_lock *first = NULL;
    int own = r->text->own_pid;

    *n = 0;
    for (size_t i = 0; i < rel->n_locks; i++) {
        const struct pol_live_lock *l = &rel->locks[i];
        bool is_old = l->age_ms >= min_ms || (l->age_ms < 0 && !pol_is_loose(r));
        bool is_known = false;
        if ((own && l->pid == own) || !conflicts(lock, l->mode) || !is_old
            || (l->state && strcmp(l->state, "autovacuum") == 0))
            continue;
        for (size_t k = 0; k < i && !is_known; k++)
            is_known = l->pid && rel->locks[k].pid == l->pid
                && conflicts(lock, rel->locks[k].mode);
        *n += !is_known;
        if (!first)
            first = l;
    }
    return first;
}

static const char *
blocker_words(struct pol_run *r, const struct pol_live_lock *l)
{
    struct arena *a = pol_arena(r);
    const char *role = l->role ? l->role : "somebody";

    if (!l->pid)
        return arena_printf(a, "prepared transaction '%.60s'", role);
    if (l->age_ms < 0)
        return arena_printf(a, "%.60s (process %d)", role, l->pid);
    return arena_printf(a, "%.60s (process %d, %s for %s)", role, l->pid,
        l->state ? l->state : "busy", pol_age_words(a, l->age_ms));
}

static void
blocker(struct pol_run *r, const struct sql_facts *f, enum pol_lock lock,
    const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    const struct pol_live_relation *rel;
    size_t n;

    if (!pol_ask_table_or_say(r, o, &rel))
        return;
    const struct pol_live_lock *l = oldest_blocker(
        r, rel, lock, pol_param(r, POL_P_MIN_AGE)->number, &n);
    if (!l)
        return;
    const char *who = blocker_words(r, l), *name = pol_live_name(r, rel);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s would wait for %s", f->tag, who),
            .detail = arena_printf(a,
                "%s It needs %s on %s, waits for %s%s, and everybody who comes after it "
                "waits behind it.%s",
                pol_live_words(r, rel), pol_lock_name(lock), name, who,
                n > 1 ? arena_printf(a, " and %zu more", n - 1) : "",
                l->age_ms < 0 && l->pid
                    ? " How long that has been going on is hidden from the gate's login: "
                      "GRANT pg_read_all_stats to it."
                    : ""),
            .hint = l->pid
                ? arena_printf(a,
                    "Wait until it is over; what it does: SELECT * FROM pg_stat_activity "
                    "WHERE pid = %d; and SET lock_timeout = '2s' before the change.",
                    l->pid)
                : "COMMIT PREPARED or ROLLBACK PREPARED it first.",
            .object = o, .at = o->pos + 1));
}

void
pol_check_blocker(struct pol_run *r, const struct sql_facts *f)
{
    each_locked(r, f, blocker);
}

/* ---- drop-index-in-use ---- */

static const struct pol_live_index *
index_of(struct pol_run *r, const struct sql_object *o,
    const struct pol_live_relation **table)
{
    const struct pol_live_relation *rel;

    if (o->kind != SQL_O_INDEX || o->is_temp || pol_unit_is_new_index(r->unit, o->name)
        || !pol_ask_or_say(r, o, &rel) || !rel->table)
        return NULL;
    *table = rel->table;
    for (size_t i = 0; i < rel->table->n_indexes; i++) {
        const struct pol_live_index *x = &rel->table->indexes[i];
        if (strcmp(x->name, rel->name) == 0 && strcmp(x->schema, rel->schema) == 0)
            return x;
    }
    return NULL;
}

void
pol_check_index_in_use(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    int64_t min = pol_param(r, POL_P_MIN)->number;

    if (!pol_tag(f, "DROP INDEX") || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        const struct pol_live_relation *table;
        const struct pol_live_index *x = index_of(r, o, &table);
        if (!x || x->n_scans < min || pol_flow_comes_back(r->flow, r->fact, o))
            continue;
        const char *since = r->text->live->stats_since;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a, "index %s was used %lld times%s%s",
                           pol_name(r, o), (long long)x->n_scans,
                           since ? " since " : "", since ? since : ""),
                .detail = arena_printf(a,
                    "Queries that found their rows by it will read all of %s instead. %s",
                    pol_live_name(r, table), pol_live_words(r, table)),
                .hint = arena_printf(a,
                    "Find out who uses it (idx_scan of pg_stat_user_indexes grows with each "
                    "use)%s; what replaces it comes first.",
                    x->is_unique ? "; it also keeps its columns unique" : ""),
                .object = o, .at = o->pos + 1));
    }
}

/* ---- drop-partition-locks-parent ---- */

/* Why it can't be detached with CONCURRENTLY first, or would be left detached by a DROP that
 * the server refuses then; NULL: it can. */
static const char *
no_detach(const struct pol_run *r, const struct pol_live_relation *rel)
{
    int version = r->session ? r->session->server_version : 0;

    if (rel->is_guess)
        return "which table is meant isn't known";
    if (version && version < 140000)
        return "servers before 14 know no DETACH PARTITION CONCURRENTLY";
    if (rel->is_beside_default)
        return "its table has a DEFAULT partition, with which CONCURRENTLY is refused";
    if (rel->n_users || rel->n_refs || rel->is_referred)
        return "something depends on it";
    return NULL;
}

void
pol_check_drop_partition(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if ((!pol_tag(f, "DROP TABLE") && !pol_tag(f, "DROP FOREIGN TABLE"))
        || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        const struct pol_live_relation *rel;
        if (!is_locked(o) || pol_is_own(r, o) || !pol_ask_or_say(r, o, &rel)
            || !rel->parent || pol_was_detached(r, o->name)
            || pol_was_dropped(r, SQL_O_TABLE, rel->parent))
            continue;
        const char *parent = pol_qualified(a, rel->parent_schema, rel->parent);
        const char *name = pol_name(r, o);
        const char *why = no_detach(r, rel);
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "everybody waits for %s while its partition %s is dropped",
                           parent, name),
                .detail = arena_printf(a,
                    "Dropping a partition takes ACCESS EXCLUSIVE on the partitioned table "
                    "and on its DEFAULT partition, which the statement doesn't name.%s%s%s",
                    why ? " It can't be detached first: " : "", why ? why : "",
                    why ? "." : ""),
                .hint = arena_printf(a,
                    "ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY; outside of a "
                    "transaction; then DROP TABLE %s;",
                    parent, name, name),
                .relation = why ? NULL : rel, .object = o, .at = o->pos + 1));
    }
}
