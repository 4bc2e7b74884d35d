// SPDX-License-Identifier: ISC
/* What the statements of a unit together say about each table: its columns, key, indexes,
 * row security, comments, as they stand at the end. Time and memory grow with the number of
 * statements.  thread: the caller's */
#ifndef DG_POLICY_SHAPE_H
#define DG_POLICY_SHAPE_H

#include "policy/policy.h"

struct pol_shape_column {
    const char *name;
    const struct sql_column *def; /* NULL: only spoken of, never defined here */
    bool is_not_null, has_default, is_commented;
};

struct pol_shape_index {
    const char *name; /* NULL: the server's */
    const char *const *columns;
    size_t n_columns;
    size_t fact;
    bool is_unique, is_constraint, has_where, has_order, is_btree;
};

struct pol_shape {
    const char *schema, *name;
    size_t fact;   /* that makes it */
    bool is_made;  /* CREATE TABLE of this unit, no partition */
    bool is_whole; /* all its columns are written here: no LIKE, INHERITS, OF */
    bool is_foreign;
    bool is_partitioned, has_default_partition;
    bool is_dropped;
    bool has_rls, has_policy, has_comment;
    const struct sql_constraint *pk; /* NULL: none */
    struct pol_shape_column **columns;
    size_t n_columns, cap_columns;
    struct pol_shape_index *indexes;
    size_t n_indexes, cap_indexes;
};

struct pol_shapes;

struct pol_shapes *pol_shapes_new(const struct pol_text *text);
void pol_shapes_free(struct pol_shapes *s);

/* The table as the unit leaves it; NULL if the unit says nothing of it. A name without a
 * schema counts as the same table. */
const struct pol_shape *
pol_shape_find(const struct pol_shapes *s, const char *schema, const char *name);
/* The table that this fact makes; NULL: none. */
const struct pol_shape *pol_shape_of(const struct pol_shapes *s, size_t fact);
const struct pol_shape_column *pol_shape_column(
    const struct pol_shapes *s, const struct pol_shape *t, const char *name);
/* Does an index or constraint lead with these columns, in this order? */
bool
pol_shape_has_index(const struct pol_shape *t, const char *const *columns, size_t n);

#endif
