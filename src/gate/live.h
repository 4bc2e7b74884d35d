// SPDX-License-Identifier: ISC
/* Live facts on their way to a judgement: the question, and migrations judged with the
 * answer.  thread: worker (an ask: whoever holds it) */
#ifndef DG_GATE_LIVE_H
#define DG_GATE_LIVE_H

#include "gate/client.h"

/* A question of this client; the wants are copied. */
struct gate_live_ask *gate_live_ask_new(const struct gate_client *c,
    struct gate_snapshot *snap, const struct pol_wants *wants);
void gate_live_ask_free(struct gate_live_ask *ask);
/* How names of a session are looked up; what it points to lives in the arena. */
void gate_live_path(
    struct arena *a, const struct pol_session *session, struct pol_live_path *out);

/* A migration judged whole with live facts; starts with a struct ref. */
struct gate_judged {
    struct ref ref;
    struct hist_set *set; /* owned reference: m's */
    struct pol *policy;   /* owned reference */
    const struct hist_migration *m;
    struct pol_findings findings;
};

struct gate_judged_list {
    struct gate_judged **items; /* owned references */
    size_t n, cap;
};

/* Judges m; unit: m as gate/unit.h has it, with live facts. */
const struct pol_findings *gate_judged_add(struct gate_judged_list *list,
    struct hist_set *set, const struct hist_migration *m, const struct pol *policy,
    const struct pol_text *unit);
void gate_judged_clear(struct gate_judged_list *list);
bool gate_judged_is(const struct gate_judged *j, const struct hist_migration *m,
    const struct pol *policy);
/* Is this the migration's first statement? */
bool gate_judged_begins(const struct hist_migration *m, const struct hist_match *match);
/* The text was forwarded: these migrations are under way now. */
void gate_judged_keep(struct gate_client *c, const struct gate_judged_list *list);

static inline void
gate_judged_clear_p(struct gate_judged_list *list)
{
    gate_judged_clear(list);
}

#endif
