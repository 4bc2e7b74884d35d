// SPDX-License-Identifier: ISC
/* The end of a batch that runs one statement, which takes several (steps.h, or others in its
 * own message): a Query is sent for
 *
 *   Bind -> [Describe P] -> Execute -> Sync
 *
 * if it binds no values and what stands before it in the batch is answered. The Query ends
 * the batch as Sync would, and its CommandComplete has what belongs to these messages put in
 * before it; an error comes instead of all of that. Its Parse went to the server with the
 * client's own text, be it now, in another batch, or before a Flush; an unnamed statement is
 * gone behind a Query.  thread: worker */
#ifndef DG_SESSION_BATCH_H
#define DG_SESSION_BATCH_H

#include "session/session.h"

struct sess_batch {
    size_t size; /* of the messages behind the Bind */
    bool is_described;
};

/* What stands behind this Bind: 0 and *out, PGW_NEED_MORE, or PGW_E_MALFORMED for anything
 * else than the above. */
int sess_batch_read(const struct pgw_bind *bind, const char *p, size_t n,
    struct sess_batch *out) MUST_CHECK;
/* The text that it runs, if a Query may stand for it; NULL: it may not. */
struct gate_text *sess_batch_text(const struct sess *s, const struct pgw_bind *bind);
/* The Query is sent. */
void sess_batch_begin(struct sess *s, const struct sess_batch *b);
/* CommandComplete comes next: sends what belongs before it. */
void sess_batch_reply(struct sess *s);

#endif
