// SPDX-License-Identifier: ISC
/* What a migration, or a text, as a whole says about its own tables: which are new at a
 * given statement, which columns, which indexes there are in the end. Time and memory grow
 * with the number of statements, whatever a client writes.
 * thread: the caller's */
#ifndef DG_POLICY_UNIT_H
#define DG_POLICY_UNIT_H

#include "policy/policy.h"

struct pol_unit;

/* Reads the indexes of the whole unit; new tables become known by pol_unit_apply. */
struct pol_unit *pol_unit_new(const struct pol_text *text);
void pol_unit_free(struct pol_unit *u);
CLEANUP_DEFINE(struct pol_unit *, pol_unit_free)

/* The fact has been judged: what it creates, renames or drops counts from now on. */
void pol_unit_apply(struct pol_unit *u, size_t fact);

/* Was it made by a statement of this unit before the current one? A name written without
 * and one with a schema count as the same table when lenient. */
bool pol_unit_is_new(
    const struct pol_unit *u, const char *schema, const char *table, bool lenient);
bool pol_unit_is_new_column(const struct pol_unit *u, const char *schema,
    const char *table, const char *column);
/* Was an index of this name made by this unit before the current statement? */
bool pol_unit_is_new_index(const struct pol_unit *u, const char *name);
/* Does an index, unique or primary key of the unit, of any statement, lead with exactly
 * these columns, in any order? */
bool pol_unit_has_index(const struct pol_unit *u, const char *schema, const char *table,
    const char *const *columns, size_t n_columns);

/* Does the fact stand in the body of a function or procedure, which only stores it? */
bool pol_is_stored(const struct sql_tree *tree, size_t fact);

#endif
