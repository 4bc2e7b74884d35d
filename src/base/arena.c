// SPDX-License-Identifier: ISC
/* An arena: a chain of zeroed chunks, handed out from the front; see mem.h. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARENA_ALIGN     16
#define ARENA_CHUNK_MIN 1024      /* bytes; each further chunk is twice as large, */
#define ARENA_CHUNK_MAX (1 << 18) /* up to this */

struct chunk {
    struct chunk *next;
    size_t cap, used; /* of data */
    _Alignas(ARENA_ALIGN) char data[];
};

struct arena {
    struct chunk *first; /* owned chain; the first one is the one being filled */
    size_t next_cap;
};

struct arena *
arena_new(void)
{
    struct arena *a = mem_zalloc(sizeof(*a));
    a->next_cap = ARENA_CHUNK_MIN;
    return a;
}

void
arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->first, *next; c; c = next) {
        next = c->next;
        mem_free(c);
    }
    mem_free(a);
}

static struct chunk *
chunk_new(size_t cap)
{
    struct chunk *c = mem_zalloc(sizeof(*c) + cap);
    c->cap = cap;
    return c;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    DG_ASSERT(n < SIZE_MAX / 2, "size overflows");
    size_t need = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct chunk *c = a->first;

    if (!c || c->cap - c->used < need) {
        if (c && need > a->next_cap / 2) {
            /* A large piece gets a chunk of its own behind the one being filled. */
            struct chunk *own = chunk_new(need);
            own->used = need;
            own->next = c->next;
            c->next = own;
            return own->data;
        }
        c = chunk_new(need > a->next_cap ? need : a->next_cap);
        c->next = a->first;
        a->first = c;
        if (a->next_cap < ARENA_CHUNK_MAX)
            a->next_cap *= 2;
    }
    void *p = c->data + c->used;
    c->used += need;
    return p;
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
    DG_ASSERT(n < SIZE_MAX, "length overflows");
    char *p = arena_alloc(a, n + 1);
    if (n)
        memcpy(p, s, n);
    return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    DG_ASSERT(fmt, "no format");
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    DG_ASSERT(n >= 0, "a format that can't be printed");
    char *p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
