// SPDX-License-Identifier: ISC
/* A client's statement that takes several: those of the gate's own before it and behind it
 * (gate/rewrite.h), each a Query in a transaction of its own, so only around a Query, or the
 * Execute for which one stands (extended.c), outside of one.
 *
 *   BEFORE -all done-> READY -the client's statement is sent-> ON -done-> BEHIND -> over
 *     |                                                         |
 *     +--failed--+----------------------------------------------+
 *                v
 *              UNDO: what was done before it is taken back, the last first -> over
 *
 * The client sees one statement: what answers ours is swallowed, and its ReadyForQuery comes
 * last. An error before it, or its own, is its answer at once; then ReadyForQuery waits for
 * the undoing. An error behind it, or while something is undone, is a WARNING that says what
 * is left to do. Nothing of the client's is looked at meanwhile; a client that leaves changes
 * nothing: the server would have gone on as well. While a cancel request is on its way no
 * other statement is begun, so that it hits what it was meant for; one that comes while
 * something is undone ends that.  thread: worker */
#ifndef DG_SESSION_STEPS_H
#define DG_SESSION_STEPS_H

#include "session/own.h"

/* Called for the Query at hand until it says DONE or FAILED. */
enum sess_own_step sess_steps_before(struct sess *s);
/* Why it failed: for the audit. Both live until sess_steps_free. */
const char *sess_steps_why(const struct sess *s, const char **sqlstate);
/* May the client's next message be looked at? Else it waits for SESS_WAIT_OWN. */
bool sess_steps_allow(const struct sess *s);
/* Does the message at hand wait no longer? */
bool sess_steps_are_settled(const struct sess *s);

/* Are answers of the server ours now? */
bool sess_steps_listen(const struct sess *s);
/* true: the message was an answer to ours, and is not for the client. */
bool sess_steps_message(struct sess *s, char type, const char *body, size_t n);
/* The client's statement has failed. */
void sess_steps_failed(struct sess *s);
/* Its ReadyForQuery; true: it has to wait, there is something to be done before it. */
bool sess_steps_ready(struct sess *s);
/* The last cancel request has arrived, or settings are set back: go on. */
void sess_steps_go_on(struct sess *s);
void sess_steps_free(struct sess *s);

#endif
