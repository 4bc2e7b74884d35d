// SPDX-License-Identifier: ISC
/* A migration of a source as policy judges it: its text, and what is known beside it. The
 * same wherever it is judged: when it is asked for (units.h), with live facts, in `check`.  thread: any */
#ifndef DG_GATE_UNIT_H
#define DG_GATE_UNIT_H

#include "history/history.h"
#include "policy/policy.h"

struct gate_unit {
    struct pol_text text; /* points into this struct */
    struct hist_attest_answer attested;
    struct hist_rollback rollback;
    struct arena *arena; /* owned */
};

/* All is borrowed, and must stay until deinit. */
void gate_unit_init(struct gate_unit *u, const struct hist_set *set,
    const struct hist_attest *attest, const struct hist_migration *m);
void gate_unit_deinit(struct gate_unit *u);
static inline void
gate_unit_deinit_p(struct gate_unit *u)
{
    gate_unit_deinit(u);
}

#endif
