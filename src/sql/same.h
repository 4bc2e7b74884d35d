// SPDX-License-Identifier: ISC
/* Do two texts say the same but for what was meant to change? Facts are compared without
 * their places: tags, classes, objects, actions, columns, constraints, settings.
 * thread: any */
#ifndef DG_SQL_SAME_H
#define DG_SQL_SAME_H

#include "sql/tree.h"

/* What may differ. */
enum sql_change {
    SQL_CH_CONCURRENTLY = 1 << 0, /* and that it can't run in a transaction block */
    SQL_CH_IF_EXISTS = 1 << 1,    /* IF NOT EXISTS, too */
    SQL_CH_OR_REPLACE = 1 << 2,
    SQL_CH_CASCADE = 1 << 3,
    SQL_CH_NOT_VALID = 1 << 4,
    SQL_CH_TYPE = 1 << 5,     /* of columns, with what identity columns have */
    SQL_CH_UNLOGGED = 1 << 6, /* the action UNLOGGED of CREATE TABLE */
    SQL_CH_NOWAIT = 1 << 7,
    SQL_CH_NAME = 1 << 8,     /* a name where the server would have chosen one */
    SQL_CH_COLUMN = 1 << 9,   /* more columns in CREATE TABLE */
    SQL_CH_SETTING = 1 << 10, /* a function's own search_path */
    SQL_CH_SCHEMA = 1 << 11,  /* a schema where none was written, of what is made */
    SQL_CH_MOVED = 1 << 12,   /* a new column's constraint to a statement of its own */
    SQL_CH_USING_INDEX = 1 << 13, /* a key takes an index instead of columns */
    SQL_CH_TX = 1 << 15,          /* BEGIN and COMMIT are left out */
    SQL_CH_LIKE = 1 << 16,        /* LIKE instead of PARTITION OF */
    SQL_CH_ONLY = 1 << 17,        /* ON ONLY, of an index */
    SQL_CH_DEFAULT = 1 << 18,     /* a new column's default where none was written */
    SQL_CH_ASIDE = 1 << 19,       /* RENAME TO instead of DROP TABLE */
    SQL_CH_MERGED = 1 << 14,      /* ALTER TABLE statements in a row become one */
};

bool
sql_trees_same(const struct sql_tree *a, const struct sql_tree *b, unsigned may_differ);

/* Is b made of the statements of a, in their order, with those of `added` between them, in
 * theirs, and nothing else? */
bool sql_trees_follow(const struct sql_tree *a, const struct sql_tree *b,
    const struct sql_tree *const *added, size_t n_added);

#endif
