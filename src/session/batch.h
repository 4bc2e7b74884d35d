// SPDX-License-Identifier: ISC
/* A batch of the extended protocol that is a Query in all but its messages, as pgjdbc, Npgsql
 * and PQexecParams send a statement without parameters:
 *
 *   Parse "" -> [Describe S ""] -> Bind "" "" -> [Describe P ""] -> Execute "" -> Sync
 *
 * A statement that takes several (steps.h) is sent as a Query in its place. The client gets
 * the replies that belong to its messages with that Query's CommandComplete; whatever comes
 * instead of one is an answer to such a batch as well. It leaves no unnamed statement.
 * thread: worker */
#ifndef DG_SESSION_BATCH_H
#define DG_SESSION_BATCH_H

#include "session/session.h"

struct sess_batch {
    size_t size;       /* of all its messages behind the Parse */
    char described[3]; /* S, P or both, in the order they stand there */
};

/* What stands behind a Parse: 0 and *out, PGW_NEED_MORE, or PGW_E_MALFORMED for any other
 * batch. */
int sess_batch_read(const struct pgw_parse *parse, const char *p, size_t n,
    struct sess_batch *out) MUST_CHECK;
/* A Query goes to the server in its place. */
void sess_batch_begin(struct sess *s, const struct sess_batch *b);
/* CommandComplete comes next: sends what belongs before it. */
void sess_batch_reply(struct sess *s);

#endif
