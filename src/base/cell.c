// SPDX-License-Identifier: ISC
/* Reference counts and the published pointer; see cell.h. */
#include "base/cell.h"

#include "base/mem.h"

#include <pthread.h>

void
ref_init(struct ref *r, void (*free_fn)(struct ref *))
{
    DG_ASSERT(free_fn, "nothing to free with");
    atomic_init(&r->n, 1);
    r->free = free_fn;
}

void *
ref_take(void *obj)
{
    struct ref *r = obj;

    if (r) {
        unsigned before = atomic_fetch_add_explicit(&r->n, 1, memory_order_relaxed);
        DG_ASSERT(
            before > 0 && before < UINT32_MAX, "takes a dead object, or too many");
    }
    return obj;
}

void
ref_drop(void *obj)
{
    struct ref *r = obj;

    if (!r)
        return;
    unsigned before = atomic_fetch_sub_explicit(&r->n, 1, memory_order_acq_rel);
    DG_ASSERT(before > 0, "drops a dead object");
    if (before == 1)
        r->free(r);
}

/* A lock, held for the few instructions in which reading the pointer and counting must be
 * one step. Readers come once per decision, not per message. */
struct cell {
    pthread_mutex_t lock;
    void *obj; /* one reference owned */
};

struct cell *
cell_new(void *obj)
{
    struct cell *c = mem_zalloc(sizeof(*c));
    pthread_mutex_init(&c->lock, NULL);
    c->obj = obj;
    return c;
}

void
cell_swap(struct cell *c, void *obj)
{
    pthread_mutex_lock(&c->lock);
    void *old = c->obj;
    c->obj = obj;
    pthread_mutex_unlock(&c->lock);
    ref_drop(old);
}

void *
cell_get(struct cell *c)
{
    pthread_mutex_lock(&c->lock);
    void *obj = ref_take(c->obj);
    pthread_mutex_unlock(&c->lock);
    return obj;
}

void
cell_free(struct cell *c)
{
    if (!c)
        return;
    ref_drop(c->obj);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}
