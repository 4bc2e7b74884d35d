// SPDX-License-Identifier: ISC
/* libpg_query's trees without the way through bytes; see library.h. */
#include "sql/library.h"

#include <errno.h>
#include <stdio.h>

#include <pg_query.h>

#include "base/mem.h"

/* A parse that waits for its tree. They nest: a function body is parsed while the tree
 * around it is being walked. */
struct catch
{
    lib_tree_fn *fn;
    void *ctx;
    bool is_caught;
};

static _Thread_local struct catch *waiting;
static _Thread_local size_t n_unpacked;

size_t
lib_n_unpacked(void)
{
    return n_unpacked;
}

/* Called by the library in place of its own, with the tree it is about to pack. */
size_t
pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *tree)
{
    struct catch *c = waiting;

    if (!c || c->is_caught)
        return protobuf_c_message_get_packed_size(&tree->base);
    c->is_caught = true;
    if (tree->n_stmts) /* none after an error, too */
        c->fn(c->ctx, tree);
    return 1; /* what the library then allocates */
}

size_t
pg_query__parse_result__pack(const PgQuery__ParseResult *tree, uint8_t *out)
{
    if (waiting && waiting->is_caught)
        return 0;
    return protobuf_c_message_pack(&tree->base, out);
}

/* ---- the other way ---- */

static void *
unpack_alloc(void *arena, size_t n)
{
    return arena_alloc(arena, n);
}

static void
unpack_free(void *arena, void *p)
{
    (void)arena;
    (void)p; /* everything dies with the arena */
}

static int
unpack(const PgQueryProtobuf *bytes, const struct catch *c, struct lib_error *error)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    ProtobufCAllocator allocator = { unpack_alloc, unpack_free, arena };
    PgQuery__ParseResult *tree = pg_query__parse_result__unpack(
        &allocator, bytes->len, (const uint8_t *)bytes->data);

    if (!tree) {
        *error = (struct lib_error){ .text = "the parser's answer cannot be read" };
        return -EINVAL;
    }
    n_unpacked++;
    if (tree->n_stmts)
        c->fn(c->ctx, tree);
    return 0;
}

int
lib_parse(const char *text, lib_tree_fn *fn, void *ctx, struct lib_error *error)
{
    struct catch c = { .fn = fn, .ctx = ctx };
    struct catch *outer = waiting;
    int r = 0;

    waiting = &c;
    PgQueryProtobufParseResult result = pg_query_parse_protobuf(text);
    waiting = outer;
    if (result.error) {
        snprintf(error->text, sizeof(error->text), "%s", result.error->message);
        error->cursor = result.error->cursorpos;
        r = -EINVAL;
    } else if (!c.is_caught && result.parse_tree.len) {
        r = unpack(&result.parse_tree, &c, error);
    }
    pg_query_free_protobuf_parse_result(result);
    return r;
}
