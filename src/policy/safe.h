// SPDX-License-Identifier: ISC
/* What many checks share: is this about a table that others use, and how the user's own
 * statement looks in its safe form. Texts live in the findings' arena.
 * thread: the caller's */
#ifndef DG_POLICY_SAFE_H
#define DG_POLICY_SAFE_H

#include "policy/flow.h"
#include "policy/rules.h"
#include "policy/shape.h"
#include "policy/unit.h"

#include <string.h>

static inline bool
pol_tag(const struct sql_facts *f, const char *tag)
{
    return strcmp(f->tag, tag) == 0;
}

static inline bool
pol_sub_is(const struct sql_sub *s, const char *name)
{
    return strcmp(s->name, name) == 0;
}

/* The first subcommand of that name; NULL: none. */
const struct sql_sub *pol_sub_find(const struct sql_facts *f, const char *name);
/* Is the statement only stored, in a function's body? */
bool pol_stored(const struct pol_run *r);
/* Was the table made by this text, or is it temporary? */
bool pol_is_own(const struct pol_run *r, const struct sql_object *table);
/* The table of an ALTER TABLE (or FOREIGN TABLE, MATERIALIZED VIEW) that stood before this
 * text, else NULL. */
const struct sql_object *
pol_altered(const struct pol_run *r, const struct sql_facts *f);
/* "public.orders" */
const char *pol_name(struct pol_run *r, const struct sql_object *o);
/* The table that an index, trigger, rule or policy is on. */
struct sql_object pol_table_on(const struct sql_object *o);

/* The statement as the client wrote it, without `;`; NULL if it stands inside code or is too
 * long to be shown. */
const char *pol_text_of(struct pol_run *r, const struct sql_facts *f);
/* The same with `insert` after the first of the words in upper case; NULL if there is none. */
const char *pol_text_after(
    struct pol_run *r, const struct sql_facts *f, const char *word, const char *insert);
/* The same without that word (CASCADE), the last of its kind. */
const char *
pol_text_without(struct pol_run *r, const struct sql_facts *f, const char *word);
/* One action of an ALTER TABLE as written; NULL where it can't be told apart. */
const char *pol_sub_text(struct pol_run *r, const struct sql_facts *f, size_t sub);

bool pol_column_has(const struct sql_column *col, enum sql_constraint_kind kind);
bool pol_is_serial(const struct sql_column *col);
/* The constraint's name, or the one that the server would choose. */
const char *pol_constraint_name(struct pol_run *r, const struct sql_object *table,
    const struct sql_constraint *c, const char *column, const char *suffix);
/* Its columns as a list in brackets; column: of a column's constraint. */
const char *
pol_key_list(struct pol_run *r, const struct sql_constraint *c, const char *column);

/* Calls fn for each constraint of a statement: CREATE TABLE's, and those of ADD COLUMN and
 * ADD CONSTRAINT. column: the column whose constraint it is, or NULL. */
typedef void pol_constraint_fn(struct pol_run *r, const struct sql_facts *f,
    const struct sql_object *table, const struct sql_sub *s,
    const struct sql_constraint *c, const char *column);
void pol_each_constraint(
    struct pol_run *r, const struct sql_facts *f, pol_constraint_fn *fn);

/* Calls fn for each column that is made or gets a type. */
typedef void pol_column_fn(struct pol_run *r, const struct sql_facts *f,
    const struct sql_object *table, const struct sql_sub *s);
void pol_each_column(struct pol_run *r, const struct sql_facts *f, pol_column_fn *fn);

#endif
