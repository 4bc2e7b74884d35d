// SPDX-License-Identifier: ISC
/* One task per snapshot, of which only the newest goes on; see outlook.h. */
#include "app/outlook.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/task.h"

#include <stdatomic.h>

struct outlook {
    struct task_pool *pool;
    atomic_ulong newest; /* number of the look that counts */
};

struct look {
    struct task task;
    const struct outlook *outlook; /* borrowed: its end waits for this one's */
    struct gate_snapshot *snap;    /* owned reference */
    unsigned long number;
};

static bool
is_over(const struct look *l)
{
    return atomic_load(&l->outlook->newest) != l->number;
}

static void
warn(const struct gate_units *units, size_t migration)
{
    const struct pol_findings *f = gate_units_findings(units, migration);
    const struct pol_finding *lead = pol_findings_lead(f);

    if (lead && f->action >= DG_HOLD && !lead->needs_live)
        log_warnx("%s will be refused by rule %s: %s",
            units->set->migrations[migration].path, lead->rule, lead->message);
}

static void
look(struct task *task)
{
    struct look *l = (struct look *)(void *)task;
    const struct gate_snapshot *s = l->snap;

    for (size_t u = 0; u < s->n_policies * s->n_sources; u++) {
        for (size_t i = 0; i < s->units[u].set->n && !is_over(l); i++)
            warn(&s->units[u], i);
    }
    ref_drop(l->snap);
    mem_free(l);
}

struct outlook *
outlook_new(void)
{
    struct outlook *o = mem_zalloc(sizeof(*o));

    o->pool = task_pool_new(1, SQL_TREE_WORKER_STACK, "outlook");
    return o;
}

void
outlook_begin(struct outlook *o, struct gate_snapshot *snap)
{
    struct look *l = mem_zalloc(sizeof(*l));

    *l = (struct look){ .task.run = look,
        .outlook = o,
        .snap = ref_take(snap),
        .number = atomic_fetch_add(&o->newest, 1) + 1 };
    task_pool_post(o->pool, &l->task);
}

void
outlook_free(struct outlook *o)
{
    if (!o)
        return;
    atomic_fetch_add(&o->newest, 1);
    task_pool_free(o->pool);
    mem_free(o);
}
