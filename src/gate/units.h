// SPDX-License-Identifier: ISC
/* Migrations judged whole: those of one source under one policy.
 *
 * A migration is judged when somebody asks for it first: a statement of it that comes over
 * the wire, a list of what is pending, the look through all of them that a running gate
 * takes at its leisure. Most migrations of a long history were applied years ago, and
 * nobody ever asks. Loading them need not wait for an answer that has no question.
 *
 * When does not matter to what comes out. Judging reads the policy, the file's text and
 * facts, its way back and its attestation, which all belong to the same snapshot and never
 * change; no clock, no server, no session. (What live facts change is judged again for each
 * session, by decide.h.) So two threads that ask at the same time come to the same answer,
 * the first one's is kept, and nobody waits: there is no lock here that a session could hang
 * on.
 *
 * What a worker judges has to be short, since its other sessions wait meanwhile. Files
 * longer than what it would also parse by itself are judged at load.
 * thread: any, but for init and deinit */
#ifndef DG_GATE_UNITS_H
#define DG_GATE_UNITS_H

#include "history/history.h"
#include "policy/policy.h"
#include "sql/tree.h"

#define GATE_UNITS_LATER_BYTES SQL_TREE_INLINE_BYTES

struct gate_judgement;

struct gate_units {
    const struct hist_set *set;       /* borrowed */
    const struct hist_attest *attest; /* borrowed */
    const struct pol *policy;         /* borrowed */
    struct gate_judgement *each;      /* owned; one per migration of the set */
    size_t n;
};

/* Judges what can't be left for later, on threads of its own, and returns when that is
 * done. What it borrows must stay until deinit. */
void gate_units_init(struct gate_units *u, const struct hist_set *set,
    const struct hist_attest *attest, const struct pol *policy);
/* For somebody who has findings of his own for each migration of the set (of an audit that
 * is replayed): nothing is judged here. */
void gate_units_init_given(
    struct gate_units *u, const struct hist_set *set, const struct pol *policy);
/* Takes over what the findings hold. Before anybody asks. */
void
gate_units_give(struct gate_units *u, size_t migration, struct pol_findings *findings);
void gate_units_deinit(struct gate_units *u);

/* The judgement of a migration of the set; stays until deinit. Its stack needs are those of
 * a worker. */
const struct pol_findings *
gate_units_findings(const struct gate_units *u, size_t migration);
/* Has anybody asked yet? */
bool gate_units_is_judged(const struct gate_units *u, size_t migration);

#endif
