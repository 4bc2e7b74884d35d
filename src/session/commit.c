// SPDX-License-Identifier: ISC
/* Where a transaction commits: texts that say so, whatever names they were prepared under,
 * and what ends a batch that no BEGIN stands in. As long as a transaction holds
 * no schema change nobody asks, and nothing waits. */
#include "session/session.h"

bool
sess_only_commits(const struct sess *s, struct gate_text *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!gate_text_commits(texts[i]))
            return false;
    }
    return n > 0 && !s->gate.holds_change;
}

bool
sess_in_block(const struct sess *s)
{
    return s->gate.tx_status == 'T' && s->n_sent == s->n_done && s->execs_sent == 0;
}

bool
sess_batch_commits(const struct sess *s)
{
    return s->gate.tx_status == 'I' && s->gate.holds_change && s->n_sent == s->n_done
        && s->execs_sent > 0 && !s->has_begun && !s->is_doomed && !s->has_failed
        && !s->is_in_copy && s->n_maybe == 0;
}
