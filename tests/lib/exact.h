// SPDX-License-Identifier: ISC
/* Bytes in memory of exactly their size, so that a sanitizer sees a parser that reads one
 * too many; and all prefixes of a message. */
#ifndef DG_TESTS_LIB_EXACT_H
#define DG_TESTS_LIB_EXACT_H

#include <stdlib.h>
#include <string.h>

/* To be freed. Zero bytes are a block of one byte and a pointer behind it. */
static inline char *
exact_copy(const void *p, size_t n, void **block)
{
    char *b = malloc(n ? n : 1);
    if (!b)
        abort();
    if (n)
        memcpy(b, p, n);
    *block = b;
    return n ? b : b + 1;
}

/* Declares `name` with a copy of n bytes that goes away with the scope. */
#define EXACT(name, p, n)                                           \
    __attribute__((cleanup(exact_free))) void *name##_block = NULL; \
    const char *name = exact_copy((p), (n), &name##_block)

static inline void
exact_free(void **block)
{
    free(*block);
}

#endif
