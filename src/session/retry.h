// SPDX-License-Identifier: ISC
/* Another try for a statement that a lock_timeout of ours has ended (own.h): only a Query of
 * one statement outside of a transaction, of which nothing is left then. The server's error
 * is kept back, the client gets a NOTICE, and the same text is sent again after a while that
 * grows and is never quite the same. The last error is the client's. A cancel in between
 * ends it.  thread: worker */
#ifndef DG_SESSION_RETRY_H
#define DG_SESSION_RETRY_H

#include "session/session.h"

/* The request at hand is about to be sent; text: what is sent. Does nothing where there may
 * be no other try. */
void sess_retry_arm(struct sess *s, struct gate_text *text);
/* An error of the client's unit: true: it is kept back, there will be another try. */
bool sess_retry_error(struct sess *s, struct str sqlstate);
/* Is the ReadyForQuery behind that error awaited? It is not the client's either. */
bool sess_retry_listens(const struct sess *s);
void sess_retry_ready(struct sess *s);
/* The client cancels between two tries: true: it has its answer. */
bool sess_retry_cancel(struct sess *s);
void sess_retry_free(struct sess *s);

#endif
