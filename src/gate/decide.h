// SPDX-License-Identifier: ISC
/* The pure part of a judgement: text, policy and a reading of the history in, findings out.
 * The wire, `check` and `explain` call the same functions.  thread: any */
#ifndef DG_GATE_DECIDE_H
#define DG_GATE_DECIDE_H

#include "gate/client.h"
#include "gate/live.h"

/* What the decision may look at besides text and policy. */
struct gate_context {
    struct gate_target target;
    const struct gate_snapshot *snap;
    const struct hist_view *view; /* NULL: no [migrations], or not known (why) */
    const char *why_unknown;      /* of view NULL where there is a section */
    const struct gate_ran *ran;   /* this transaction's schema changes so far */
    size_t n_ran;
    const struct hist_bind *binds; /* of an Execute; NULL: not known yet */
    size_t n_binds;
    const char *search_path; /* the session's, as far as known */
    bool is_path_unknown;
    const char *login_path; /* where RESET ALL leads to */
    bool is_path_in_tx;     /* the end of the transaction may change it */
    bool runs;              /* not only prepared */
    bool is_query;          /* it runs as one Query: its end ends what no BEGIN began */
    bool in_block;          /* it begins in a transaction block, as far as is known */
    bool in_failed_block;   /* ... in which everything but its end fails */
    bool is_tx_unsure;      /* what the transaction holds is not known whole */
    const struct pol_live
        *live; /* NULL: nobody asked; what is wanted goes to findings */
    const struct pol_made *made; /* by the transaction so far */
    int own_pid;                 /* of the session's backend; 0 unknown */
    /* Migrations judged with live facts: those under way (NULL: none), and those that
     * this call judges (not NULL where live isn't). */
    struct gate_judged *const *under_way;
    struct gate_judged_list *judged;
};

/* Judges a text. histories gets one entry per fact (array of the caller, tree->n long).
 * Findings are added to out. */
void gate_decide(const struct gate_context *ctx, const struct pol_session *session,
    const struct gate_text *text, struct pol_history *histories,
    struct pol_findings *out);
/* The same where it is known already what the history says of each fact. */
void gate_decide_known(const struct gate_context *ctx,
    const struct pol_session *session, const struct gate_text *text,
    const struct pol_history *histories, struct pol_findings *out);

/* Does fact i put a row into the history, or change one, when the text runs? */
bool gate_writes_row(const struct gate_text *text, size_t i);

/* --- small facts that the machine needs, too --- */

static inline bool
gate_match_is_of_file(const struct hist_match *m)
{
    return m->migration && m->kind != HIST_MATCH_NONE && m->kind != HIST_MATCH_OWN
        && m->kind != HIST_MATCH_DOWN_BLOCKED;
}

static inline bool
gate_tx_ends(enum sql_tx tx)
{
    return tx == SQL_TX_COMMIT || tx == SQL_TX_ROLLBACK || tx == SQL_TX_PREPARE;
}

static inline bool
gate_tx_is_savepoint(enum sql_tx tx)
{
    return tx == SQL_TX_SAVEPOINT || tx == SQL_TX_RELEASE || tx == SQL_TX_ROLLBACK_TO;
}

/* One past the facts of the statement that fact i belongs to: they stand together. */
static inline size_t
gate_text_end(const struct gate_text *t, size_t i)
{
    size_t stmt = t->tree->facts[i].stmt;
    while (i < t->tree->n && t->tree->facts[i].stmt == stmt)
        i++;
    return i;
}

#endif
