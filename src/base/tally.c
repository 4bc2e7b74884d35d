// SPDX-License-Identifier: ISC
/* A map under a lock: logins are rare beside what is done in a session. */
#include "base/tally.h"

#include "base/map.h"
#include "base/mem.h"

#include <pthread.h>

struct tally {
    pthread_mutex_t lock;
    struct map *counts; /* name -> the count itself, in place of a pointer */
};

struct tally *
tally_new(void)
{
    struct tally *t = mem_zalloc(sizeof(*t));
    pthread_mutex_init(&t->lock, NULL);
    t->counts = map_new(NULL);
    return t;
}

void
tally_free(struct tally *t)
{
    if (!t)
        return;
    map_free(t->counts);
    pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

static uint64_t
count_of(const struct tally *t, const char *name)
{
    return (uintptr_t)map_get(t->counts, str_of(name));
}

static void
set_count(struct tally *t, const char *name, uint64_t count)
{
    if (count == 0)
        map_remove(t->counts, str_of(name));
    else
        map_set(t->counts, str_of(name), (void *)(uintptr_t)count);
}

bool
tally_take(struct tally *t, const char *name, uint64_t limit)
{
    pthread_mutex_lock(&t->lock);
    uint64_t count = count_of(t, name);
    bool is_taken = limit == 0 || count < limit;
    if (is_taken)
        set_count(t, name, count + 1);
    pthread_mutex_unlock(&t->lock);
    return is_taken;
}

void
tally_give(struct tally *t, const char *name)
{
    pthread_mutex_lock(&t->lock);
    uint64_t count = count_of(t, name);
    DG_ASSERT(count > 0, "%s has none to give back", name);
    set_count(t, name, count - 1);
    pthread_mutex_unlock(&t->lock);
}

uint64_t
tally_count(struct tally *t, const char *name)
{
    pthread_mutex_lock(&t->lock);
    uint64_t count = count_of(t, name);
    pthread_mutex_unlock(&t->lock);
    return count;
}
