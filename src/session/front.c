// SPDX-License-Identifier: ISC
/* Messages of the client. Runs of messages that need no look go to the server from where
 * they were read; a message that must be seen whole is looked at in place or waits, at the
 * front of client.in, until it is complete or judged.
 *
 * A unit is everything up to the server's next ReadyForQuery: ended by Query, FunctionCall
 * or Sync. A tracked text waits until all earlier units are answered, so that its judgement
 * knows the true transaction status and settings, and at most one unit has tracked
 * statements in flight. A Query or FunctionCall inside an unfinished batch waits for the
 * batch's replies (asked for by a Flush): whether the server will skip it is known then. */
#include "session/front.h"
#include "session/login.h"
#include "session/own.h"
#include "session/steps.h"

#include <stdio.h>
#include <string.h>

#define MAX_UNITS 64 /* in flight; unit_is_query has as many bits */

/* Copy data is expected and something else comes: the server loses its place in the stream
 * then and ends the connection (CopyGetData), and so do we. */
static enum front_verdict
copy_violation(struct sess *s, char type)
{
    char why[80];
    snprintf(why, sizeof(why), "unexpected message type 0x%02X during COPY from stdin",
        (unsigned)(unsigned char)type);
    return front_violation(s, why);
}

/* Is its body looked at? Else it streams by. */
static bool
is_inspected(const struct sess *s, char type)
{
    switch (type) {
    case 'Q':
    case 'P':
    case 'F':
        return true;
    case 'B':
    case 'E':
    case 'C':
        return s->gate.prepared || s->portals;
    }
    return false;
}

static bool
may_add(const struct sess *s, char type)
{
    return s->state == SESS_ST_READY
        && (is_inspected(s, type) || s->is_copying || s->n_ends > 0 || s->hold
            || (type == 'S' && s->gate.holds_change));
}

/* Is it short enough to be seen whole? Execute and Close always are. */
static bool
is_kept(const struct sess *s, const struct front_frame *f)
{
    return f->head.body_len <= s->max_inspect || f->head.type == 'E'
        || f->head.type == 'C';
}

static enum front_verdict
inspect(struct sess *s, struct front_frame *f)
{
    switch (f->head.type) {
    case 'Q':
        return front_query(s, f);
    case 'P':
        return front_parse(s, f);
    case 'B':
        return front_bind(s, f);
    case 'E':
        return front_execute(s, f);
    case 'C':
        return front_close(s, f);
    }
    return FRONT_PASS;
}

/* Too long to be looked at: policy's `unparsable` decides. The text itself isn't kept. */
static struct gate_text *
oversized(struct sess *s, const struct front_frame *f)
{
    char why[160];
    snprintf(why, sizeof(why),
        "the message has %u bytes; texts above max_inspect_size (%llu) are not looked into",
        f->head.body_len, (unsigned long long)s->max_inspect);
    return gate_text_opaque(why);
}

/* A message above max_inspect_size: judged without its text. What follows the header is
 * passed or dropped as it comes. */
static enum front_verdict
inspect_oversized(struct sess *s, const struct front_frame *f)
{
    enum sess_message kind = f->head.type == 'Q' ? SESS_MSG_QUERY : SESS_MSG_EXECUTE;
    if (kind == SESS_MSG_QUERY && front_batch_is_open(s))
        return front_stay(s, SESS_WAIT_BATCH);
    if (front_is_skipped(s)) {
        if (kind != SESS_MSG_QUERY)
            front_extended_sent(s);
        return FRONT_PASS;
    }
    if (!s->request) {
        if (s->n_sent != s->n_done)
            return front_stay(s, SESS_WAIT_IDLE);
        /* A Parse counts as run at once: what it prepares can't be followed. */
        front_start_judging(
            s, kind == SESS_MSG_QUERY ? GATE_QUERY : GATE_EXECUTE, oversized(s, f));
        enum front_verdict v = front_judge(s);
        if (v != FRONT_PASS)
            return v;
    }
    enum front_verdict v = front_apply(s, kind, NULL);
    front_judgement_done(s);
    if (kind == SESS_MSG_QUERY)
        sess_unit_sent(s, true);
    else
        front_extended_sent(s);
    return v;
}

/* Counts a message that streams by. */
static enum front_verdict
stream(struct sess *s, const struct front_frame *f)
{
    switch (f->head.type) {
    case 'E':
        s->execs_sent++;
        s->is_reading_unsure = true;
        front_extended_sent(s);
        break;
    case 'B':
    case 'C':
    case 'D':
        front_extended_sent(s);
        break;
    case 'S':
        if (front_end_batch(s, SESS_MSG_EXECUTE) == FRONT_STAY)
            return FRONT_STAY;
        sess_unit_sent(s, false);
        s->n_maybe += s->is_in_copy;
        break;
    case 'c':
    case 'f':
        if (!sess_copy_end_sent(s))
            return front_violation(s, "too many ends of COPY data");
        break;
    case 'X':
        s->is_terminated = true;
        break;
    case 'p':
        return front_violation(s, "password message after the login");
    }
    return FRONT_PASS;
}

/* Data of a COPY into a history, or its end. */
static enum front_verdict
on_held(struct sess *s, const struct front_frame *f)
{
    bool is_end = f->head.type == 'c';
    if (!s->request) {
        if (!is_end && sess_hold_has_room(s, f->head.body_len)) {
            if (f->n_there < f->head.body_len)
                return FRONT_NEED_MORE;
            bool added = sess_hold_add(s, f->body, f->head.body_len);
            DG_ASSERT(added, "there was room");
            return FRONT_DROP;
        }
        front_start_judging(s, GATE_COPY, ref_take(sess_hold_text(s)));
        if (is_end)
            s->request->copy_data = sess_hold_data(s);
        enum front_verdict v = front_judge(s);
        if (v != FRONT_PASS)
            return v;
    }
    bool refused = front_is_refused(s);
    if (refused) {
        sess_hold_refuse(s, s->request->refusal);
    } else {
        front_queue_notices(s, s->request);
        sess_hold_send(s);
    }
    front_judgement_done(s);
    return refused && is_end ? FRONT_DROP : stream(s, f);
}

/* An answer to the server's question, or the end. */
static enum front_verdict
on_login(struct sess *s, const struct front_frame *f)
{
    s->is_terminated = f->head.type == 'X';
    if (f->head.type != 'p')
        return FRONT_PASS;
    if (f->n_there < f->head.body_len)
        return FRONT_NEED_MORE;
    return sess_login_reply(s, f->body, f->head.body_len) ? FRONT_PASS : FRONT_ENDED;
}

/* Everything that decides about one message. */
static enum front_verdict
decide(struct sess *s, struct front_frame *f)
{
    char type = f->head.type;
    if (s->state == SESS_ST_LOGIN)
        return on_login(s, f);
    switch (sess_copy_allows(s, type)) {
    case SESS_COPY_GO:
        break;
    case SESS_COPY_WAIT:
        return front_stay(s, SESS_WAIT_COPY);
    case SESS_COPY_VIOLATION:
        return copy_violation(s, type);
    case SESS_COPY_UNSYNCED:
        return front_violation(
            s, "after a failed COPY: send Sync and wait for ReadyForQuery first");
    }
    if (!sess_own_allows(s, type) || !sess_steps_allow(s))
        return front_stay(s, SESS_WAIT_OWN);
    if (s->n_sent - s->n_done >= MAX_UNITS && !strchr("dcfHX", type))
        return s->is_in_copy
            ? front_violation(s, "too many Syncs during COPY from stdin")
            : front_stay(s, SESS_WAIT_IDLE);
    if (s->hold && (type == 'd' || type == 'c'))
        return on_held(s, f);
    if (!is_inspected(s, type))
        return stream(s, f);
    if (type == 'F')
        return front_function_call(s, f);
    if (is_kept(s, f))
        return f->n_there < f->head.body_len ? FRONT_NEED_MORE : inspect(s, f);
    if (type == 'B')
        return front_long_bind(s, f);
    return inspect_oversized(s, f);
}

/* During the login only replies to the server's questions pass; whoever goes on as if it
 * were over waits. */
static int
read_head(
    struct sess *s, const char *p, size_t n, struct pgw_head *out, struct err *err)
{
    if (s->state == SESS_ST_READY)
        return pgw_head_client(p, n, out, err);
    if (*p == 'p')
        return pgw_head_login(p, n, out, err);
    if (*p == 'X')
        return pgw_head_client(p, n, out, err);
    if (s->login->is_asked)
        return err_set(err, PGW_E_MALFORMED,
            "expected an answer to the server's authentication request");
    s->wait = SESS_WAIT_LOGIN;
    return PGW_NEED_MORE;
}

size_t
sess_front_bytes(struct sess *s, const char *p, size_t n)
{
    struct sess_leg *leg = &s->client;
    size_t start = 0, pos = 0;
    if ((s->state != SESS_ST_READY && s->state != SESS_ST_LOGIN)
        || s->wait != SESS_WAIT_NONE || s->n_cancels > 0)
        return 0;
    while (pos < n) {
        if (leg->pass) {
            size_t k = leg->pass < n - pos ? leg->pass : n - pos;
            leg->pass -= k;
            pos += k;
            continue;
        }
        if (leg->skip) {
            size_t k = leg->skip < n - pos ? leg->skip : n - pos;
            sess_send(s, &s->server, p + start, pos - start);
            leg->skip -= k;
            pos += k;
            start = pos;
            continue;
        }
        struct front_frame f;
        struct err err = { "" };
        int r = read_head(s, p + pos, n - pos, &f.head, &err);
        if (r == PGW_NEED_MORE)
            break;
        if (r != 0) {
            front_violation(s, err.text);
            return 0;
        }
        f.body = p + pos + PGW_HEADER_SIZE;
        f.size = (size_t)f.head.body_len + PGW_HEADER_SIZE;
        f.n_there = n - pos - PGW_HEADER_SIZE;
        /* What stands before goes out first: deciding may send something of our own. */
        if (pos > start && may_add(s, f.head.type)) {
            sess_send(s, &s->server, p + start, pos - start);
            start = pos;
        }
        enum front_verdict v = decide(s, &f);
        if (v == FRONT_ENDED)
            return 0;
        if (v == FRONT_STAY || v == FRONT_NEED_MORE)
            break;
        if (v == FRONT_PASS)
            leg->pass = f.size;
        else
            leg->skip = f.size;
    }
    sess_send(s, &s->server, p + start, pos - start);
    return pos;
}
