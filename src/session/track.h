// SPDX-License-Identifier: ISC
/* Statements whose end matters: from the audit intent to its outcome.
 *
 * An entry is known by its place: the unit it was sent in and its number among the
 * statements of that unit. The server completes statements of a unit in order (one of
 * CommandComplete, EmptyQueryResponse, PortalSuspended each) up to the first error, after
 * which it skips the rest; so counting these three until the first ErrorResponse is exact.
 * Outcomes follow at ReadyForQuery, since in the extended protocol CommandComplete comes
 * before the commit.  thread: worker */
#ifndef DG_SESSION_TRACK_H
#define DG_SESSION_TRACK_H

#include "gate/judge.h"
#include "gate/record.h"

struct sess;

/* The runs of a request go to the server in unit `unit`; first: number of the statement in
 * the unit that ordinal 0 means; message: of an Execute, its number among the extended
 * messages of the unit. Takes the runs over. */
#define SESS_TRACK_NO_MESSAGE UINT_MAX
void sess_track_add(struct sess *s, struct gate_run *runs, size_t n, uint64_t unit,
    unsigned first, unsigned message);
/* Server side: statement number `nth` of unit `unit` completed with this tag ("" for an
 * empty query). A suspended portal has no tag (p NULL); what changes something has been run
 * to its end all the same, only its rows wait. */
void sess_track_complete(struct sess *s, uint64_t unit, unsigned nth, struct str tag);
/* The statement or the message of that number failed. */
void sess_track_error(
    struct sess *s, uint64_t unit, unsigned nth, unsigned message, struct str sqlstate);
void sess_track_ready(struct sess *s, uint64_t unit, char status);
/* The connection is over; client_left: nothing was under way at the server, so an open
 * transaction is surely rolled back. */
void sess_track_end(struct sess *s, bool is_settled);
/* The newest statement that the open transaction has run and that locks what others use
 * (gate/idle.h); NULL: none. has_failed: an error has undone what came after the last
 * savepoint, and all of it where there is none. */
const struct gate_intent *sess_track_locking(const struct sess *s, bool has_failed);
bool sess_track_is_open(const struct sess *s);
/* A unit goes on under another number. */
void sess_track_renumber(struct sess *s, uint64_t from, uint64_t to);

#endif
