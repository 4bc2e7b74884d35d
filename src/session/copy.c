// SPDX-License-Identifier: ISC
/* COPY FROM STDIN, where the protocol's units blur: while the server reads copy data it
 * drops every Sync (manual, "COPY Operations"; CopyGetData), and libpq sends one right
 * behind the Execute, long before it knows that the command is a COPY.
 *
 * So with CopyInResponse the Syncs that stand between the Execute and the end of the data
 * (CopyDone, CopyFail) only may be units. n_sent goes on counting them: what is in flight
 * is never counted too low, for on that rest the certainty of every judgement. It is
 * settled by what the server says next:
 *
 *   CommandComplete   the copy is done, so they were dropped: they are taken off
 *   ErrorResponse     some were dropped, some will be answered; nobody knows how many.
 *                     ReadyForQuery for all of them settles it. If fewer come, a Parse of
 *                     our own that surely fails and holds a token, and a Sync, ask where the
 *                     server stands; both their replies are swallowed
 *
 * Until then the client's messages wait, but for those that belong to the copy. They wait,
 * too, behind copy data that was sent ahead of the CopyInResponse: so at any time at most
 * the Syncs of one copy are in doubt, and nothing that does something stands behind them. */
#include "base/mem.h"
#include "session/session.h"
#include "session/track.h"

#include <stdio.h>
#include <string.h>

/* CopyDone and CopyFail that the client may be ahead of the server. */
#define MAX_ENDS 64

static bool
head_is_query(const struct sess *s)
{
    return s->n_sent > s->n_done && sess_unit_is(s->unit_is_query, s->n_done + 1);
}

/* --- the client's side ---------------------------------------------------------------- */

/* Is every message that was sent answered, or skipped for an error? */
static bool
is_quiet(const struct sess *s)
{
    return s->n_sent == s->n_done && (s->has_failed || s->batch_done >= s->batch_sent);
}

static void
forget_ends(struct sess *s)
{
    mem_free(s->ends);
    s->ends = NULL;
    s->n_ends = s->cap_ends = 0;
}

bool
sess_copy_end_sent(struct sess *s)
{
    if (s->is_in_copy) {
        s->is_in_copy = false;
        return true;
    }
    if (is_quiet(s))
        return true; /* of no copy: the server drops it */
    if (s->n_ends == MAX_ENDS)
        return false;
    MEM_GROW(s->ends, s->n_ends, s->cap_ends);
    s->ends[s->n_ends++] = s->n_sent;
    return true;
}

static uint64_t
in_flight(const struct sess *s)
{
    return s->n_sent - s->n_done;
}

/* What the server has to say may sit in its buffer. */
static enum sess_copy
wait_flushed(struct sess *s)
{
    static const char flush[] = { 'H', 0, 0, 0, 4 };
    if (!s->has_flushed)
        sess_send(s, &s->server, flush, sizeof(flush));
    s->has_flushed = true;
    return SESS_COPY_WAIT;
}

enum sess_copy
sess_copy_allows(struct sess *s, char type)
{
    if (s->probe != SESS_PROBE_NONE)
        return SESS_COPY_WAIT;
    if (strchr("dcfHSX", type))
        return SESS_COPY_GO;
    if (s->is_in_copy)
        return SESS_COPY_VIOLATION;
    if (s->is_copying)
        return wait_flushed(s);
    if (s->n_maybe > 0)
        return in_flight(s) > s->n_maybe ? SESS_COPY_WAIT : SESS_COPY_UNSYNCED;
    if (s->n_ends > 0 && !is_quiet(s))
        return wait_flushed(s);
    forget_ends(s);
    return SESS_COPY_GO;
}

/* --- the server's side ---------------------------------------------------------------- */

/* Which Syncs it may drop. Behind a message that does something it dropped none: in the
 * midst of copy data such a message ends the connection. */
static unsigned
count_maybe(const struct sess *s)
{
    bool is_query = head_is_query(s);
    uint64_t unit = is_query ? s->n_done + 2 : s->n_done + 1;
    uint64_t last = s->n_ends ? s->ends[0] : s->n_sent;
    unsigned n = 0;
    for (bool first = !is_query; unit <= last; unit++, first = false, n++) {
        if (sess_unit_is(s->unit_is_query, unit)
            || (!first && sess_unit_is(s->unit_has_work, unit)))
            return 0;
    }
    return n && !s->n_ends && s->batch_sent ? 0 : n;
}

void
sess_copy_started(struct sess *s)
{
    s->n_maybe = count_maybe(s);
    s->is_copying = true;
    s->is_in_copy = s->n_ends == 0;
    s->is_end_ahead = s->n_ends > 0;
}

/* The copy is done: the Syncs in it were dropped. The unit goes on under the number of the
 * one that ends it. */
void
sess_copy_completed(struct sess *s)
{
    uint64_t k = s->n_maybe, was = s->n_done;
    bool is_query = head_is_query(s);
    s->is_copying = s->is_in_copy = false;
    s->n_maybe = 0;
    if (s->is_end_ahead)
        memmove(s->ends, s->ends + 1, --s->n_ends * sizeof(*s->ends));
    s->is_end_ahead = false;
    if (k == 0)
        return;
    s->n_done += k;
    if (is_query) {
        sess_unit_set(&s->unit_is_query, s->n_done + 1, true);
        sess_track_renumber(s, was + 1, s->n_done + 1);
        return;
    }
    gate_prepared_unit_done(&s->gate, s->n_done, GATE_ALL_DONE);
    sess_portals_unit_done(s, s->n_done, GATE_ALL_DONE, false);
    s->execs_done = 0;
    s->batch_done = 0;
    if (s->n_sent == s->n_done) { /* the batch is still open */
        s->batch_sent++;
        s->batch_done++;
        s->is_reading_unsure = true;
    }
}

void
sess_copy_failed(struct sess *s)
{
    s->is_copying = s->is_in_copy = s->is_end_ahead = false;
}

void
sess_copy_ready(struct sess *s)
{
    char text[80];
    AUTO(buf_deinit) struct buf b = BUF_INIT(256);
    sess_copy_failed(s);
    if (in_flight(s) == 0)
        s->n_maybe = 0;
    if (sess_is_idle(s))
        forget_ends(s);
    if (s->n_maybe == 0 || in_flight(s) > s->n_maybe || s->probe != SESS_PROBE_NONE)
        return;
    /* Nothing but Syncs and the rest of the copy was forwarded since the error, and the
     * server is past skipping: the answer comes after all that it still has to say. */
    hash_random_id(s->probe_token, SESS_TOKEN_LENGTH);
    snprintf(text, sizeof(text), "ddlgate_probe_%s", s->probe_token);
    pgw_build_parse(&b, STR("ddlgate_probe"), text);
    pgw_build_sync(&b);
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
    s->probe = SESS_PROBE_SENT;
}

bool
sess_probe_error(struct sess *s, const char *body, size_t n)
{
    if (s->probe != SESS_PROBE_SENT
        || !memmem(body, n, s->probe_token, SESS_TOKEN_LENGTH))
        return false;
    s->probe = SESS_PROBE_ANSWERED;
    return true;
}

/* What is still unanswered never will be: those Syncs were dropped. */
bool
sess_probe_ready(struct sess *s)
{
    if (s->probe != SESS_PROBE_ANSWERED)
        return false;
    s->probe = SESS_PROBE_NONE;
    s->n_maybe = 0;
    s->n_done = s->n_sent;
    gate_prepared_unit_done(&s->gate, s->n_done, 0);
    sess_portals_unit_done(s, s->n_done, 0, false);
    return true;
}
