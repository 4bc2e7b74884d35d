// SPDX-License-Identifier: ISC
/* The one call into libpg_query: text to tree.
 *
 * The library copies its tree into the structs of pg_query.pb-c.h, packs those into bytes
 * and frees them; reading the bytes back makes the same structs once more. Packing and
 * unpacking take more than half of the time and most of the stack. So lib_parse looks at
 * the structs where the library asks for their packed size: that call goes through the
 * dynamic linker, and library.c has a function of its own under this name. In a build of
 * the library that binds its own functions, ours is never called, and the bytes are read
 * back.  thread: any (the library keeps its state per thread) */
#ifndef DG_SQL_LIBRARY_H
#define DG_SQL_LIBRARY_H

#include <pg_query/pg_query.pb-c.h>

#include "base/base.h"

struct lib_error {
    char text[256]; /* the parser's own message */
    int cursor;     /* in characters from 1; 0: not known */
};

/* Sees the tree, which is gone when it returns. May call lib_parse. */
typedef void lib_tree_fn(void *ctx, const PgQuery__ParseResult *tree);

/* 0 after fn was called, once (not at all for a text without statements); -EINVAL with
 * *error filled. */
int lib_parse(const char *text, lib_tree_fn *fn, void *ctx, struct lib_error *error)
    MUST_CHECK;
/* How many trees this thread had to read back from bytes (for tests). */
size_t lib_n_unpacked(void);

#endif
