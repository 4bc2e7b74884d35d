// SPDX-License-Identifier: ISC
/* Memory that is there or the process is not: see mem.h. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* malloc(0) may return NULL, which would look like exhaustion. */
static void *
check(void *p)
{
    DG_ASSERT(p, "out of memory");
    return p;
}

void *
mem_alloc(size_t n)
{
    return check(malloc(n ? n : 1));
}

void *
mem_zalloc(size_t n)
{
    return check(calloc(1, n ? n : 1));
}

void *
mem_array(size_t n, size_t size)
{
    return check(calloc(n ? n : 1, size ? size : 1));
}

void *
mem_realloc(void *p, size_t n)
{
    return check(realloc(p, n ? n : 1));
}

void *
mem_try(size_t n)
{
    return malloc(n ? n : 1);
}

char *
mem_strdup(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *
mem_strndup(const char *s, size_t n)
{
    DG_ASSERT(n < SIZE_MAX, "length overflows");
    char *p = mem_alloc(n + 1);
    if (n)
        memcpy(p, s, n);
    p[n] = 0;
    return p;
}

char *
mem_printf(const char *fmt, ...)
{
    char *p = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&p, fmt, ap);
    va_end(ap);
    DG_ASSERT(n >= 0, "out of memory, or a format that can't be printed");
    return p;
}

void
mem_free(void *p)
{
    free(p);
}

void *
mem_grow(void *p, size_t n, size_t *cap, size_t size)
{
    DG_ASSERT(n < SIZE_MAX / 4 && *cap < SIZE_MAX / 4, "array is too large");
    size_t want = *cap * 2;
    if (want < 8)
        want = 8;
    if (want <= n)
        want = n + 1;
    char *bytes = check(reallocarray(p, want, size));
    memset(bytes + *cap * size, 0, (want - *cap) * size);
    *cap = want;
    return bytes;
}
