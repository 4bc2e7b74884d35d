// SPDX-License-Identifier: ISC
/* A drop that becomes a move: the DO block that is sent in place of DROP TABLE ... RESTRICT.
 * It lets the server itself try the client's own statement in a subtransaction, so that
 * whatever would stop the drop stops it in the same words; then it moves the tables to the
 * quarantine schema under names of their own and notes in a comment how to bring them back
 * (`ddlgate undrop`). The text is the same for the same statement and policy, since what a
 * Parse has sent is what its Execute is judged by: what is unique is made by the server.
 * thread: any */
#ifndef DG_POLICY_QUARANTINE_H
#define DG_POLICY_QUARANTINE_H

#include "base/mem.h"
#include "base/str.h"

#include <stdbool.h>

struct pol;

/* CommandComplete's tag that the client expects. */
#define POL_QUARANTINE_TAG "DROP TABLE"
/* How the comment of a table in quarantine begins. */
#define POL_QUARANTINE_MARK "{\"ddlgate\" : 1, "

struct pol_quarantine {
    const char *schema;       /* where to; as it is called, not quoted */
    struct str drop;          /* the client's statement, without `;` */
    const char *const *names; /* of the tables, quoted, as the session finds them */
    size_t n_names;
    bool is_lenient; /* what can't be moved is dropped, with a warning; else an error */
};

/* Owned by the arena. */
const char *pol_quarantine_text(struct arena *a, const struct pol_quarantine *q);
/* A constant that reads alike whatever standard_conforming_strings is: $word$text$word$, with
 * a number behind word where the text has that already. */
const char *pol_dollar_quoted(struct arena *a, const char *word, const char *text);
/* The schema that [check drop-table] names; NULL: none. */
const char *pol_quarantine_schema(const struct pol *p);

#endif
