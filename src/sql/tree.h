// SPDX-License-Identifier: ISC
/* From text to facts through libpg_query's trees (the only folder that knows it).
 *
 * The walk covers the whole tree, not the top node: SELECT INTO, CREATE TABLE AS, EXPLAIN
 * and PREPARE of such, CREATE SCHEMA's elements, DO and function bodies (design part 3).
 * A node type without a case here becomes SQL_F_UNPARSABLE facts. A text of which one
 * statement doesn't parse is parsed statement by statement, so that the others keep theirs.
 *
 * With standard_conforming_strings off, the library is given plain strings that hold a
 * backslash as E'...', which is how the server then reads them; comments are blanked and
 * positions mapped back, so that facts speak of the client's own bytes.
 * thread: worker for texts up to SQL_TREE_INLINE_BYTES (needs SQL_TREE_WORKER_STACK),
 * parser thread beyond */
#ifndef DG_SQL_TREE_H
#define DG_SQL_TREE_H

#include "sql/facts.h"

#define SQL_TREE_INLINE_BYTES  ((size_t)16 << 10)
#define SQL_TREE_WORKER_STACK  ((size_t)64 << 20)
#define SQL_TREE_PARSER_STACK  ((size_t)256 << 20)
#define SQL_TREE_DEFAULT_DEPTH 10000

struct sql_tree {
    struct sql_facts *facts; /* in text order, parents before the nested */
    size_t n;
    unsigned classes; /* union of all cls */
    bool
        is_unparsable; /* the grammar rejected some statement; its facts are the lexer's
                              * reading (SQL_F_UNPARSABLE where that could be a change) */
    char error[256];   /* the parser's message then; quotes no constant */
    int error_pos;     /* byte offset, -1 */
    struct arena *arena; /* owned, the tree lives in it; NULL: in somebody else's */
};

/* text: the same bytes that scan was made from. words: tracked history names (may be NULL).
 * A text that the grammar rejects is not an error: if none of its statements, by the
 * lexer's reading (first words), can be a schema change - a query in newer syntax - facts
 * of class DG_OTHER come back; else SQL_F_UNPARSABLE facts of class DG_DDL. */
struct sql_tree *sql_tree_new(const struct sql_scan *scan,
    const struct sql_words *words, const char *text, size_t len, bool std_strings);
/* The same in the caller's arena, with which it ends. */
struct sql_tree *sql_tree_new_in(struct arena *arena, const struct sql_scan *scan,
    const struct sql_words *words, const char *text, size_t len, bool std_strings);
void sql_tree_free(struct sql_tree *t);
CLEANUP_DEFINE(struct sql_tree *, sql_tree_free)

/* A tree for a text that may not be parsed at all (too deep, broken, unsafe encoding):
 * one SQL_F_UNPARSABLE fact per statement that could be a schema change. */
struct sql_tree *
sql_tree_unparsable(const struct sql_scan *scan, const char *why, int pos);

/* "ALTER TABLE public.orders": tag and the first object, for messages. */
void sql_facts_describe(const struct sql_facts *f, char *out, size_t size);
/* "public.orders" or "orders". */
void sql_object_name(const struct sql_object *o, char *out, size_t size);

#endif
