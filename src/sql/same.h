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
    SQL_CH_NAME = 1 << 8, /* a name where the server would have chosen one */
};

bool
sql_trees_same(const struct sql_tree *a, const struct sql_tree *b, unsigned may_differ);

#endif
