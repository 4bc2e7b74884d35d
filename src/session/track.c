// SPDX-License-Identifier: ISC
/* From "sent" to an outcome. Entries stand in the order in which they were sent; those of
 * an open transaction stay until its end is seen. */
#include "session/track.h"

#include "base/mem.h"
#include "gate/trail.h"
#include "session/session.h"

#include <string.h>

enum entry_state {
    ENTRY_SENT,     /* nothing is known yet */
    ENTRY_EXECUTED, /* completed; commit or rollback to come */
    ENTRY_DOUBTFUL, /* likewise, but a ROLLBACK (or ROLLBACK TO) went by unexplained */
    ENTRY_DONE,     /* final */
};

struct entry {
    struct gate_run run;
    uint64_t unit;
    unsigned nth, message;
    enum entry_state state;
    bool is_reported; /* `executed` was recorded */
};

struct sess_track {
    struct entry *entries; /* owned */
    size_t n, cap;
    size_t n_old;  /* of these the first wait for the end of the transaction only */
    bool has_done; /* some can be forgotten */
    bool has_doubtful;
    struct gate_step **trail; /* owned; steps whose commit the server has just told */
    size_t n_trail, cap_trail;
    /* SQL's EXECUTE ran a ROLLBACK in the midst of a text: what follows in the text goes on
     * in the transaction that is rolled back at its end. */
    bool is_aborting;
};

static void
set_done(struct sess *s, struct entry *e)
{
    e->state = ENTRY_DONE;
    s->track->has_done = true;
}

static void
settle(struct sess *s, struct entry *e, enum aud_outcome outcome, const char *sqlstate,
    const char *reason)
{
    if (e->state == ENTRY_DONE)
        return;
    if (e->run.intent)
        gate_record_outcome(&s->gate, e->run.intent, outcome, sqlstate, reason);
    set_done(s, e);
    if (outcome == AUD_COMMITTED && e->run.step) {
        struct sess_track *t = s->track;
        MEM_GROW(t->trail, t->n_trail, t->cap_trail);
        t->trail[t->n_trail++] = e->run.step;
        e->run.step = NULL;
    }
    /* A savepoint may have taken it back, but nobody can tell. */
    s->is_trail_cut |= (outcome == AUD_COMMITTED && e->run.is_step_lost)
        || (outcome == AUD_UNKNOWN && (e->run.step || e->run.is_step_lost));
}

/* The transaction is over; what it ran, if it was committed, has been collected. */
static void
hand_over(struct sess *s)
{
    struct sess_track *t = s->track;
    struct gate_env *env = s->gate.env;
    struct gate_trail trail = { .client = &s->gate,
        .steps = t->trail,
        .n = t->n_trail,
        .is_complete = !s->is_trail_cut };
    s->is_trail_cut = false;
    if (t->n_trail == 0)
        return;
    if (env->committed)
        env->committed(env->ctx, &trail);
    for (size_t i = 0; i < t->n_trail; i++)
        gate_step_free(&s->gate, t->trail[i]);
    t->n_trail = 0;
}

static void
settle_all(struct sess *s, enum entry_state state, size_t from,
    enum aud_outcome outcome, const char *reason)
{
    for (size_t i = from; i < s->track->n; i++) {
        if (s->track->entries[i].state == state)
            settle(s, &s->track->entries[i], outcome, NULL, reason);
    }
}

static void
settle_executed(
    struct sess *s, size_t from, enum aud_outcome outcome, const char *reason)
{
    settle_all(s, ENTRY_EXECUTED, from, outcome, reason);
}

/* The transaction goes on or was committed after a ROLLBACK of unknown reach. */
static void
settle_doubtful(struct sess *s)
{
    if (s->track->has_doubtful)
        settle_all(s, ENTRY_DOUBTFUL, 0, AUD_UNKNOWN,
            "rolled back in part or whole by a statement prepared before the "
            "transaction");
    s->track->has_doubtful = false;
}

static void
doubt_executed(struct sess *s)
{
    s->track->has_doubtful = true;
    for (size_t i = 0; i < s->track->n; i++) {
        if (s->track->entries[i].state == ENTRY_EXECUTED)
            s->track->entries[i].state = ENTRY_DOUBTFUL;
    }
}

static void
forget_done(struct sess *s)
{
    struct sess_track *t = s->track;
    size_t kept = 0;
    if (!t->has_done)
        return;
    t->has_done = false;
    t->n_old = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->entries[i].state == ENTRY_DONE)
            gate_run_deinit(&s->gate, &t->entries[i].run);
        else
            t->entries[kept++] = t->entries[i];
    }
    t->n = kept;
    if (kept == 0) {
        mem_free(t->entries);
        mem_free(t->trail);
        mem_free(t);
        s->track = NULL;
    }
}

void
sess_track_add(struct sess *s, struct gate_run *runs, size_t n, uint64_t unit,
    unsigned first, unsigned message)
{
    if (n == 0) {
        mem_free(runs);
        return;
    }
    if (!s->track)
        s->track = mem_zalloc(sizeof(*s->track));
    struct sess_track *t = s->track;
    for (size_t i = 0; i < n; i++) {
        MEM_GROW(t->entries, t->n, t->cap);
        t->entries[t->n++] = (struct entry){ .run = runs[i],
            .unit = unit,
            .nth = first + runs[i].ordinal,
            .message = message };
    }
    mem_free(runs);
}

/* "SELECT 5" is the tag SELECT with a row count; DDL tags stand alone. */
static bool
tag_fits(struct str got, const char *expected)
{
    size_t n = strlen(expected);
    return got.n >= n && memcmp(got.p, expected, n) == 0
        && (got.n == n || got.p[n] == ' ');
}

static bool
tag_is(struct str tag, const char *word)
{
    return str_eqz(tag, word);
}

/* The savepoint that this name means to the statement at `at`: the newest that is left.
 * One past it; 0: made before the first schema change. */
static size_t
after_savepoint(const struct sess_track *t, size_t at, const char *name)
{
    for (; at > 0; at--) {
        const struct entry *e = &t->entries[at - 1];
        if (e->run.tx == SQL_TX_SAVEPOINT && e->state != ENTRY_DONE && e->run.tx_name
            && name && strcmp(e->run.tx_name, name) == 0)
            break;
    }
    return at;
}

/* ROLLBACK TO name succeeded: what came after that savepoint is undone. */
static void
rolled_back_to(struct sess *s, size_t at)
{
    size_t from = after_savepoint(s->track, at, s->track->entries[at].run.tx_name);
    settle_executed(s, from, AUD_ROLLED_BACK, "rolled back to a savepoint");
}

/* RELEASE forgets the savepoint and those after it. */
static void
released(struct sess *s, size_t at)
{
    struct sess_track *t = s->track;
    size_t from = after_savepoint(t, at, t->entries[at].run.tx_name);
    for (size_t i = from ? from - 1 : 0; i < at; i++) {
        if (t->entries[i].run.tx == SQL_TX_SAVEPOINT)
            set_done(s, &t->entries[i]);
    }
}

static void
completed(struct sess *s, size_t i, struct str tag)
{
    struct entry *e = &s->track->entries[i];
    if (e->run.tag && tag.p && !tag_fits(tag, e->run.tag)) {
        /* Our place in the stream and the server's disagree: say so, guess nothing. */
        settle(s, e, AUD_UNKNOWN, NULL, "the server's reply can't be attributed");
        return;
    }
    switch (e->run.tx) {
    case SQL_TX_ROLLBACK_TO:
        rolled_back_to(s, i);
        set_done(s, e);
        break;
    case SQL_TX_RELEASE:
        released(s, i);
        set_done(s, e);
        break;
    case SQL_TX_COMMIT:
    case SQL_TX_ROLLBACK:
    case SQL_TX_PREPARE:
    case SQL_TX_BEGIN:
    case SQL_TX_COMMIT_PREPARED:
    case SQL_TX_ROLLBACK_PREPARED:
        set_done(s, e);
        s->track->is_aborting = false;
        break;
    case SQL_TX_NONE:
    case SQL_TX_SAVEPOINT:
        e->state = s->track->is_aborting ? ENTRY_DOUBTFUL : ENTRY_EXECUTED;
        s->track->has_doubtful |= s->track->is_aborting;
        break;
    }
}

static size_t
find(const struct sess_track *t, uint64_t unit, unsigned nth)
{
    size_t i = t->n_old;
    while (i < t->n && !(t->entries[i].unit == unit && t->entries[i].nth == nth))
        i++;
    return i;
}

void
sess_track_complete(struct sess *s, uint64_t unit, unsigned nth, struct str tag)
{
    struct sess_track *t = s->track;
    size_t i = find(t, unit, nth);
    enum sql_tx tx = i < t->n ? t->entries[i].run.tx : SQL_TX_NONE;
    if (i < t->n && t->entries[i].state == ENTRY_SENT)
        completed(s, i, tag);
    /* The tag tells the end of a transaction, whoever asked for it. If SQL's EXECUTE did, it
     * comes with the end of the text. */
    bool is_executed = tx == SQL_TX_NONE && unit <= s->n_sent
        && sess_unit_is(s->unit_is_query, unit);
    if (tag_is(tag, "COMMIT") && !is_executed) {
        settle_executed(s, 0, AUD_COMMITTED, NULL);
        settle_doubtful(s);
        hand_over(s);
    } else if (tag_is(tag, "PREPARE TRANSACTION")) {
        settle_executed(s, 0, AUD_UNKNOWN, "prepared for two-phase commit");
        hand_over(s);
    } else if (tag_is(tag, "ROLLBACK") && tx != SQL_TX_ROLLBACK_TO) {
        if (tx != SQL_TX_NONE) {
            settle_executed(s, 0, AUD_ROLLED_BACK, NULL);
            hand_over(s);
        } else {
            doubt_executed(s);
        }
        t->is_aborting = is_executed;
    }
}

void
sess_track_error(
    struct sess *s, uint64_t unit, unsigned nth, unsigned message, struct str sqlstate)
{
    struct sess_track *t = s->track;
    char code[6] = "";
    memcpy(code, sqlstate.p, sqlstate.n < 5 ? sqlstate.n : 5);
    for (size_t i = t->n_old; i < t->n; i++) {
        struct entry *e = &t->entries[i];
        if (e->unit != unit || e->state != ENTRY_SENT)
            continue;
        if (e->nth == nth
            && (e->message == SESS_TRACK_NO_MESSAGE || e->message == message))
            settle(s, e, strcmp(code, "57014") == 0 ? AUD_CANCELLED : AUD_FAILED, code,
                NULL);
        else
            settle(s, e, AUD_SKIPPED, code,
                "an earlier error of the same message or batch");
    }
}

/* With status I the transaction is over: an error before it means rolled back, since a
 * commit in between has settled its entries by its tag. A ROLLBACK in doubt was no ROLLBACK
 * TO then, for that leaves the transaction open. */
static void
tx_over(struct sess *s, bool failed)
{
    settle_executed(s, 0, failed ? AUD_ROLLED_BACK : AUD_COMMITTED, NULL);
    settle_all(s, ENTRY_DOUBTFUL, 0, AUD_ROLLED_BACK, NULL);
    hand_over(s);
}

void
sess_track_ready(struct sess *s, uint64_t unit, char status)
{
    struct sess_track *t = s->track;
    for (size_t i = t->n_old; i < t->n; i++) {
        struct entry *e = &t->entries[i];
        if (e->unit > unit || e->state != ENTRY_SENT)
            continue;
        if (s->has_failed)
            settle(s, e, AUD_SKIPPED, NULL,
                "an earlier error of the same message or batch");
        else
            settle(s, e, AUD_UNKNOWN, NULL, "the server sent no answer to it");
    }
    t->is_aborting = false;
    if (status == 'I')
        tx_over(s, s->has_failed);
    else
        settle_doubtful(s);
    for (size_t i = t->n_old; i < t->n; i++) {
        struct entry *e = &t->entries[i];
        if (e->state == ENTRY_EXECUTED && e->run.intent && !e->is_reported) {
            gate_record_outcome(
                &s->gate, e->run.intent, AUD_EXECUTED, NULL, "in an open transaction");
            e->is_reported = true;
        }
    }
    while (t->n_old < t->n && t->entries[t->n_old].unit <= unit)
        t->n_old++;
    forget_done(s);
}

void
sess_track_end(struct sess *s, bool is_settled)
{
    if (!s->track)
        return;
    for (size_t i = 0; i < s->track->n; i++) {
        struct entry *e = &s->track->entries[i];
        if ((e->state == ENTRY_EXECUTED || e->state == ENTRY_DOUBTFUL) && is_settled)
            settle(s, e, AUD_ROLLED_BACK, NULL,
                s->end == SESS_END_IDLE ? "rule idle-after-ddl"
                                        : "the session ended in an open transaction");
        else
            settle(s, e, AUD_UNKNOWN, NULL, "the connection ended before the answer");
    }
    forget_done(s);
}

const struct gate_intent *
sess_track_locking(const struct sess *s, bool has_failed)
{
    const struct sess_track *t = s->track;
    bool holds = !has_failed;
    for (size_t i = t ? t->n : 0; i > 0; i--) {
        const struct entry *e = &t->entries[i - 1];
        if (e->state != ENTRY_EXECUTED)
            continue;
        holds |= e->run.tx == SQL_TX_SAVEPOINT;
        if (holds && e->run.intent && e->run.intent->is_locking)
            return e->run.intent;
    }
    return NULL;
}

bool
sess_track_is_open(const struct sess *s)
{
    return s->track != NULL;
}

void
sess_track_renumber(struct sess *s, uint64_t from, uint64_t to)
{
    for (size_t i = 0; s->track && i < s->track->n; i++) {
        if (s->track->entries[i].unit == from)
            s->track->entries[i].unit = to;
    }
}
