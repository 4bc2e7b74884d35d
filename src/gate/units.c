// SPDX-License-Identifier: ISC
/* The judgements of migrations, each made once; see units.h. */
#include "gate/units.h"

#include "base/mem.h"
#include "base/task.h"
#include "gate/unit.h"

#include <stdatomic.h>

/* Published with all that it points to: release here, acquire there. Set once, never
 * changed again. */
struct gate_judgement {
    _Atomic(struct pol_findings *) findings; /* owned; NULL: nobody has asked yet */
};

static void
findings_free(struct pol_findings *f)
{
    if (f)
        pol_findings_deinit(f);
    mem_free(f);
}

static struct pol_findings *
judge(const struct gate_units *u, const struct hist_migration *m)
{
    struct pol_findings *f = mem_zalloc(sizeof(*f));
    AUTO(gate_unit_deinit) struct gate_unit unit;

    DG_ASSERT(u->attest, "who gives findings gives those of every migration");
    gate_unit_init(&unit, u->set, u->attest, m);
    pol_findings_init(f);
    pol_judge_unit(u->policy, &unit.text, f);
    return f;
}

bool
gate_units_is_judged(const struct gate_units *u, size_t migration)
{
    DG_ASSERT(migration < u->n, "migration %zu of %zu", migration, u->n);
    return atomic_load_explicit(&u->each[migration].findings, memory_order_acquire);
}

const struct pol_findings *
gate_units_findings(const struct gate_units *u, size_t migration)
{
    DG_ASSERT(migration < u->n, "migration %zu of %zu", migration, u->n);
    struct gate_judgement *kept_at = &u->each[migration];
    struct pol_findings *kept = atomic_load_explicit(
        &kept_at->findings, memory_order_acquire);

    if (kept)
        return kept;
    struct pol_findings *mine = judge(u, &u->set->migrations[migration]);
    if (atomic_compare_exchange_strong_explicit(&kept_at->findings, &kept, mine,
            memory_order_acq_rel, memory_order_acquire))
        return mine;
    findings_free(mine); /* the same as what another thread has just kept */
    return kept;
}

/* --- what is judged at load ------------------------------------------------------------- */

#define LONG_PER_THREAD 4 /* below that another thread isn't worth its start */

struct judge_job {
    struct task task;
    const struct gate_units *units;
    size_t from, step;
};

static bool
is_long(const struct gate_units *u, size_t migration)
{
    return u->set->migrations[migration].len > GATE_UNITS_LATER_BYTES;
}

static void
judge_long(struct task *task)
{
    const struct judge_job *j = (const struct judge_job *)(void *)task;

    for (size_t i = j->from; i < j->units->n; i += j->step) {
        if (is_long(j->units, i))
            (void)gate_units_findings(j->units, i);
    }
}

static void
judge_all_long(const struct gate_units *u)
{
    struct judge_job jobs[TASK_MAX_THREADS];
    struct task_pool *pool = NULL;
    size_t n_long = 0;

    for (size_t i = 0; i < u->n; i++)
        n_long += is_long(u, i);
    size_t n = task_threads(n_long, LONG_PER_THREAD);
    if (n > 1)
        pool = task_pool_new(n - 1, SQL_TREE_WORKER_STACK, "judges");
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct judge_job){ { .run = judge_long }, u, i, n };
        if (i > 0)
            task_pool_post(pool, &jobs[i].task);
    }
    judge_long(&jobs[0].task);
    task_pool_free(pool);
}

/* --- the whole -------------------------------------------------------------------------- */

void
gate_units_init_given(
    struct gate_units *u, const struct hist_set *set, const struct pol *policy)
{
    *u = (struct gate_units){ .set = set,
        .policy = policy,
        .each = mem_array(set->n_all, sizeof(*u->each)),
        .n = set->n_all };
}

void
gate_units_init(struct gate_units *u, const struct hist_set *set,
    const struct hist_attest *attest, const struct pol *policy)
{
    gate_units_init_given(u, set, policy);
    u->attest = attest;
    judge_all_long(u);
}

void
gate_units_give(struct gate_units *u, size_t migration, struct pol_findings *findings)
{
    struct pol_findings *f = mem_alloc(sizeof(*f));

    DG_ASSERT(migration < u->n, "migration %zu of %zu", migration, u->n);
    DG_ASSERT(!gate_units_is_judged(u, migration), "it is judged already");
    *f = *findings;
    *findings = (struct pol_findings){ 0 };
    atomic_store_explicit(&u->each[migration].findings, f, memory_order_release);
}

void
gate_units_deinit(struct gate_units *u)
{
    for (size_t i = 0; i < u->n; i++)
        findings_free(atomic_load(&u->each[i].findings));
    mem_free(u->each);
    *u = (struct gate_units){ 0 };
}
