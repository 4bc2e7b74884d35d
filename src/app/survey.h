// SPDX-License-Identifier: ISC
/* Answers "what does the server say about these relations?" for workers: one query on the
 * gate's own connection, whose answer counts for a second unless this gate has sent a
 * schema change since. Connections of their own, so that nobody waits behind a reading of
 * the history or the other way round.  thread: control, except survey_ask */
#ifndef DG_APP_SURVEY_H
#define DG_APP_SURVEY_H

#include "control/control.h"
#include "gate/live.h"

#include <stdatomic.h>

struct survey;

/* n_changes: borrowed; grows with each schema change that is sent or over. */
struct survey *
survey_new(struct net_loop *loop, const atomic_ulong *n_changes, int64_t idle_ms);
void survey_free(struct survey *s);
/* thread: any; the ask comes back as a task on its queue, with facts or a reason. The first
 * question to a server may take SURVEY_COLD times as long as the others, for the login. */
void survey_ask(struct survey *s, struct gate_live_ask *ask);
#define SURVEY_COLD 5

/* The same, blocking, for the command line. Never NULL. */
struct pol_live *survey_read(const char *conninfo, const struct pol_live_path *path,
    const struct pol_wants *wants, int64_t timeout_ms);
/* As the `control` login of this configuration. */
struct pol_live *
survey_read_database(const struct gate_snapshot *snap, const char *database,
    const struct pol_session *session, const struct pol_wants *wants);

#endif
