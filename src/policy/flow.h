// SPDX-License-Identifier: ISC
/* What happens in which order while the statements of a unit, or a text, are judged:
 * transactions, what each of them holds, settings, what was dropped. Rules ask it before it
 * takes in the statement they judge.  thread: the caller's */
#ifndef DG_POLICY_FLOW_H
#define DG_POLICY_FLOW_H

#include "policy/policy.h"
#include "policy/rules.h"

enum pol_lock {
    POL_LOCK_NONE,
    POL_LOCK_WEAK, /* up to SHARE UPDATE EXCLUSIVE: neither readers nor writers wait */
    POL_LOCK_SHARE,
    POL_LOCK_SHARE_ROW_EXCLUSIVE,
    POL_LOCK_EXCLUSIVE,
    POL_LOCK_ACCESS_EXCLUSIVE,
};

const char *pol_lock_name(enum pol_lock lock);
/* The strongest lock a statement takes on a table or view that it doesn't make (measured:
 * reference catalogue of rules), and on which. *table is NULL where it names none. */
enum pol_lock pol_lock_of(const struct sql_facts *f, const struct sql_object **table);

struct pol_flow;
struct pol_flow *
pol_flow_new(const struct pol *pol, const struct pol_text *text, bool is_unit);
void pol_flow_free(struct pol_flow *f);

/* Is the statement inside BEGIN ... COMMIT of the text? begin: its fact, may be NULL. */
bool pol_flow_in_block(const struct pol_flow *f, size_t *begin);
/* Is it in one transaction with those before it, by BEGIN or by how the text is run? */
bool pol_flow_is_shared(const struct pol_flow *f);
/* Does this transaction hold a schema change already? */
bool pol_flow_has_ddl(const struct pol_flow *f);
/* An existing table that this transaction holds a strong lock on: "public.orders"; NULL. */
const char *pol_flow_locked(const struct pol_flow *f);
/* How many existing tables it holds ACCESS EXCLUSIVE, and is this one among them? */
size_t pol_flow_n_locked(const struct pol_flow *f);
bool pol_flow_holds(const struct pol_flow *f, const struct sql_object *table);
/* Did this transaction add the constraint NOT VALID, the enum value? */
bool pol_flow_added_constraint(
    const struct pol_flow *f, const struct sql_object *table, const char *name);
bool pol_flow_has_new_values(const struct pol_flow *f);
bool pol_flow_is_new_value(const struct pol_flow *f, const char *value);
/* The unit as a whole up to here: was the setting made (not 0)? */
bool pol_flow_has_lock_timeout(const struct pol_flow *f);
bool pol_flow_has_statement_timeout(const struct pol_flow *f);
/* Does a valid CHECK (column IS NOT NULL) of this unit stand? */
bool pol_flow_knows_not_null(
    const struct pol_flow *f, const struct sql_object *table, const char *column);
/* Does any valid CHECK that this unit added stand on the table? */
bool pol_flow_has_valid_check(const struct pol_flow *f, const struct sql_object *table);
/* Is an object of this kind and name made by a later statement of the text? */
bool
pol_flow_comes_back(const struct pol_flow *f, size_t fact, const struct sql_object *o);

/* Was it made by an earlier statement of the text? */
bool
pol_flow_was_made(const struct pol_flow *f, size_t fact, const struct sql_object *o);
/* Does a comment of the text hold these words (without case)? */
bool pol_comment_has(const struct pol_text *t, const char *words);

/* Takes in the fact; is_new: its table is one of this unit. */
void pol_flow_take(struct pol_flow *f, size_t fact, bool is_new);

#endif
