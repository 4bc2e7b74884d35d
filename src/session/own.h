// SPDX-License-Identifier: ISC
/* Statements of the gate's own around a client's (design part 4): lock_timeout and
 * statement_timeout are asked for (SHOW), set if the session's own are longer or off, and
 * set back. The client sees none of it but an error: then that is the answer to its
 * statement, which is not sent.
 *
 *   Query     outside of a transaction SET before it, and the old value again behind its
 *             ReadyForQuery; in a transaction SET LOCAL, and SET LOCAL back
 *   Execute   Parse, Bind, Execute, Close under a name of ours before it, SET LOCAL, which
 *             holds until the Sync; in a transaction block it is set back behind the Sync
 *
 * A Query of ours goes out only where nothing is in flight, and of an open batch all is answered
 * (which it ends, as the Query that it stands before would); messages
 * of ours in a batch only when all before them are answered. So at any time it is known
 * whether an answer is ours. The client's messages behind the statement's unit wait until
 * what was set is set back.  thread: worker */
#ifndef DG_SESSION_OWN_H
#define DG_SESSION_OWN_H

#include "session/session.h"

enum sess_own_step {
    SESS_OWN_DONE,   /* forward the client's message */
    SESS_OWN_WAIT,   /* an answer of the server will wake the client's side */
    SESS_OWN_FAILED, /* the client has its error; the message is not sent */
};

/* Does the judged request ask for settings around it? */
bool sess_own_is_wanted(const struct sess *s);
/* Called for the message at hand until it says DONE or FAILED; is_query: else an Execute,
 * whose batch is answered so far. is_skipped: the server skips it, nothing needs a setting. */
enum sess_own_step sess_own_before(struct sess *s, bool is_query, bool is_skipped);
/* Is lock_timeout set by us for a Query outside of a transaction, which is sent next? */
bool sess_own_has_lock_timeout(const struct sess *s);
/* May the client's next message be looked at? Else it waits for SESS_WAIT_OWN. */
bool sess_own_allows(const struct sess *s, char type);

/* Are answers of the server ours now? Then every message is to be seen whole. */
bool sess_own_listens(const struct sess *s);
/* true: the message was an answer to ours, and is not for the client. */
bool sess_own_message(struct sess *s, char type, const char *body, size_t n);
/* A unit of the client's is answered: sets back what is due. */
void sess_own_ready(struct sess *s, uint64_t unit, char status);
/* The last cancel request has arrived: it can't hit a statement of ours any more. */
void sess_own_uncancelled(struct sess *s);
/* Does the client's side wait no longer? */
bool sess_own_is_settled(const struct sess *s);
void sess_own_free(struct sess *s);

#endif
