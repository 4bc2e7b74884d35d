// SPDX-License-Identifier: ISC
/* The hash map: entries in the order of insertion, and a table of their numbers that is
 * probed linearly. A removed entry leaves a hole in both until the next rebuild. */
#include "base/map.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

#define MAP_SLOTS_MIN 16
#define SLOT_EMPTY    0
#define SLOT_REMOVED  UINT32_MAX

struct entry {
    char *key; /* owned; NULL once removed */
    size_t n;
    uint64_t hash;
    void *value; /* owned if the map has free_value */
};

struct map {
    void (*free_value)(void *);
    uint8_t secret[16];
    struct entry *entries; /* owned; [n_used], holes included */
    size_t n_used, cap;
    size_t n_live;
    uint32_t *slots; /* owned; index of an entry + 1, or SLOT_* */
    size_t n_slots;  /* a power of two, at least 4/3 of n_used; 0 at first */
};

struct map *
map_new(void (*free_value)(void *))
{
    struct map *m = mem_zalloc(sizeof(*m));
    m->free_value = free_value;
    return m; /* its secret comes with the first key: many maps never get one */
}

void
map_free(struct map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_used; i++) {
        if (m->entries[i].key && m->free_value)
            m->free_value(m->entries[i].value);
        mem_free(m->entries[i].key);
    }
    mem_free(m->entries);
    mem_free(m->slots);
    mem_free(m);
}

/* The slot of key, or NULL. */
static uint32_t *
find(const struct map *m, struct str key, uint64_t hash)
{
    if (!m->n_slots)
        return NULL;
    for (size_t i = hash;; i++) {
        uint32_t *slot = &m->slots[i & (m->n_slots - 1)];
        if (*slot == SLOT_EMPTY)
            return NULL;
        if (*slot == SLOT_REMOVED)
            continue;
        const struct entry *e = &m->entries[*slot - 1];
        if (e->hash == hash && str_eq(key, (struct str){ e->key, e->n }))
            return slot;
    }
}

static void
place(struct map *m, size_t index)
{
    size_t i = m->entries[index].hash;

    while (m->slots[i & (m->n_slots - 1)] != SLOT_EMPTY)
        i++;
    m->slots[i & (m->n_slots - 1)] = (uint32_t)index + 1;
}

/* Closes the holes, and doubles the table if what lives fills half of it. */
static void
rebuild(struct map *m)
{
    size_t n = 0, n_slots = m->n_slots ? m->n_slots : MAP_SLOTS_MIN;

    for (size_t i = 0; i < m->n_used; i++)
        if (m->entries[i].key)
            m->entries[n++] = m->entries[i];
    m->n_used = n;
    if (n >= n_slots / 2)
        n_slots *= 2;
    DG_ASSERT(n_slots < UINT32_MAX, "a map can't hold that much");
    mem_free(m->slots);
    m->slots = mem_array(n_slots, sizeof(*m->slots));
    m->n_slots = n_slots;
    for (size_t i = 0; i < n; i++)
        place(m, i);
}

void *
map_get(const struct map *m, struct str key)
{
    if (!m->n_live)
        return NULL;
    uint32_t *slot = find(m, key, hash_siphash(m->secret, key.p, key.n));

    return slot ? m->entries[*slot - 1].value : NULL;
}

void
map_set(struct map *m, struct str key, void *value)
{
    if (!m->n_slots)
        hash_new_key(m->secret);
    uint64_t hash = hash_siphash(m->secret, key.p, key.n);
    uint32_t *slot = find(m, key, hash);

    if (slot) {
        struct entry *e = &m->entries[*slot - 1];
        void *old = e->value;
        e->value = value;
        if (m->free_value && old != value)
            m->free_value(old);
        return;
    }
    if (m->n_used >= m->n_slots / 4 * 3)
        rebuild(m);
    MEM_GROW(m->entries, m->n_used, m->cap);
    m->entries[m->n_used] = (struct entry){ mem_strndup(key.p, key.n), key.n, hash,
        value };
    place(m, m->n_used);
    m->n_used++;
    m->n_live++;
}

bool
map_remove(struct map *m, struct str key)
{
    if (!m->n_live)
        return false;
    uint32_t *slot = find(m, key, hash_siphash(m->secret, key.p, key.n));

    if (!slot)
        return false;
    struct entry *e = &m->entries[*slot - 1];
    struct entry gone = *e;
    *slot = SLOT_REMOVED;
    *e = (struct entry){ .key = NULL };
    m->n_live--;
    /* Last: `key` may point into the entry, and free_value may look at the map. */
    mem_free(gone.key);
    if (m->free_value)
        m->free_value(gone.value);
    return true;
}

size_t
map_count(const struct map *m)
{
    return m->n_live;
}

bool
map_next(const struct map *m, size_t *pos, struct str *key, void **value)
{
    while (*pos < m->n_used && !m->entries[*pos].key)
        (*pos)++;
    if (*pos >= m->n_used)
        return false;
    const struct entry *e = &m->entries[(*pos)++];
    if (key)
        *key = (struct str){ e->key, e->n };
    if (value)
        *value = e->value;
    return true;
}
