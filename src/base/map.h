// SPDX-License-Identifier: ISC
/* Hash map from bytes to a pointer. The hash is keyed at random (SipHash), since clients
 * choose some of the keys. Keys are copied.  thread: owner's; reading a map that nobody
 * changes is safe from any thread */
#ifndef DG_BASE_MAP_H
#define DG_BASE_MAP_H

#include "base/str.h"

struct map;

struct map *map_new(void (*free_value)(void *)); /* free_value may be NULL */
void map_free(struct map *m);
void *map_get(const struct map *m, struct str key); /* NULL if absent */
/* Stores value under key; an older value is freed. */
void map_set(struct map *m, struct str key, void *value);
bool map_remove(struct map *m, struct str key);
size_t map_count(const struct map *m);
/* Iterates in the order in which keys were first set: *pos starts at 0; false at the end.
 * Nothing may be added meanwhile; the entry just returned may be removed. key and value
 * may be NULL where they don't matter. */
bool map_next(const struct map *m, size_t *pos, struct str *key, void **value);
CLEANUP_DEFINE(struct map *, map_free)

#endif
