// SPDX-License-Identifier: ISC
/* Memory for our own small needs: panics on exhaustion. A size that a peer chose is checked
 * against a named maximum first and allocated with mem_try.  thread: any */
#ifndef DG_BASE_MEM_H
#define DG_BASE_MEM_H

#include "base/base.h"

void *mem_alloc(size_t n);              /* uninitialised */
void *mem_zalloc(size_t n);             /* zeroed */
void *mem_array(size_t n, size_t size); /* zeroed, overflow-checked */
void *mem_realloc(void *p, size_t n);
void *mem_try(size_t n) MUST_CHECK;         /* NULL when exhausted */
char *mem_strdup(const char *s);            /* NULL stays NULL */
char *mem_strndup(const char *s, size_t n); /* copies n bytes and adds a NUL */
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
void mem_free(void *p);

static inline void
mem_free_p(void *p)
{
    mem_free(*(void **)p);
}

/* Grows an array so that index `n` fits: MEM_GROW(list, n, cap). */
#define MEM_GROW(ptr, n, cap) \
    ((n) < (cap) ? (void)0    \
                 : (void)((ptr) = mem_grow((ptr), (n), &(cap), sizeof(*(ptr)))))
void *mem_grow(void *p, size_t n, size_t *cap, size_t size);

/* An arena: many small things that die together. Zeroed memory, aligned to 16. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s); /* NULL stays NULL */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
CLEANUP_DEFINE(struct arena *, arena_free)

#endif
