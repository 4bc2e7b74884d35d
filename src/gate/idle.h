// SPDX-License-Identifier: ISC
/* idle-after-ddl, as far as no clock is needed: how long a session's transaction may be idle
 * behind a change, and what follows when it was. thread: worker */
#ifndef DG_GATE_IDLE_H
#define DG_GATE_IDLE_H

#include "gate/message.h"

/* By the policy that holds now; 0: nobody asks. */
int64_t gate_idle_after_ms(const struct gate_client *c);

struct gate_idle {
    enum dg_action action;        /* DG_ALLOW: policy has changed its mind */
    bool is_observed;             /* would be */
    struct gate_message message;  /* for the client: of the warning, or of the end */
    struct pol_findings findings; /* owned; holds the strings */
};

/* The transaction of this change was idle for idle_us. Writes the audit's record. */
void gate_idle_judge(struct gate_client *c, const struct gate_intent *change,
    int64_t idle_us, struct gate_idle *out);
void gate_idle_deinit(struct gate_idle *idle);
static inline void
gate_idle_deinit_p(struct gate_idle *idle)
{
    gate_idle_deinit(idle);
}

#endif
