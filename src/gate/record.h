// SPDX-License-Identifier: ISC
/* Audit records of sessions, decisions, intents and outcomes. thread: worker */
#ifndef DG_GATE_RECORD_H
#define DG_GATE_RECORD_H

#include "gate/judge.h"

/* Writes the decision record of a refusal; failures to write don't loosen it. */
void gate_record_refusal(struct gate_request *req);
/* Makes and writes the intent of fact `fact`; wait may be NULL. Returns aud_write's value;
 * *out is owned by the caller on 0. */
int gate_record_intent(struct gate_request *req, size_t fact, struct aud_wait *wait,
    struct gate_intent **out) MUST_CHECK;
/* The outcome of an intent. final: the intent is closed (and may be freed). */
void gate_record_outcome(struct gate_client *c, const struct gate_intent *intent,
    enum aud_outcome outcome, const char *sqlstate, const char *reason);
/* idle-after-ddl found the change's transaction idle for idle_us. */
void gate_record_idle(struct gate_client *c, const struct gate_intent *change,
    const struct pol_finding *f, int64_t idle_us);
void gate_intent_free(struct gate_intent *intent);
void gate_record_session(struct gate_client *c, bool is_start, const char *reason);
void gate_record_malformed(struct gate_client *c, const char *what);

#endif
