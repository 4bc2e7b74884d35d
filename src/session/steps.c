// SPDX-License-Identifier: ISC
/* Statements of the gate's own before and behind a client's; see steps.h. */
#include "session/steps.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum steps_state {
    STEPS_BEFORE,
    STEPS_READY,   /* the client's statement is next */
    STEPS_ON,      /* it is under way */
    STEPS_FAILING, /* it has failed, its ReadyForQuery is to come */
    STEPS_BEHIND,
    STEPS_UNDO,
    STEPS_FAILED, /* the client has its answer without its statement having been sent */
    STEPS_OVER,
};

/* Statements that one step may need to be undone, and their length: a server that sends more
 * is not believed. */
#define MAX_TOLD       16
#define MAX_TRIES      3 /* of what undoes something and ends in a deadlock */
#define MAX_TOLD_BYTES ((size_t)256 << 10) /* the bounds of a partition may be long */

struct told {
    const char *sql;
    struct told *next;
};

struct sess_steps {
    enum steps_state state;
    bool is_in_flight; /* a Query of ours */
    bool is_waiting;   /* the next one, for cancel requests or what own.h sets back */
    bool is_told;      /* the client has an error: its unit ends when all is undone */
    bool was_sent;     /* the client's statement */
    bool is_asking;    /* the Query's rows are statements */
    bool has_failed;   /* the Query */
    bool is_again;     /* ... and is sent once more */
    unsigned n_tries;
    struct pol_step *before, *behind;
    size_t n_before, n_behind;
    size_t n_done;               /* of before, and not undone */
    size_t at;                   /* of behind, what comes next */
    const struct pol_step *left; /* has failed, and may have left something */
    struct told *told;           /* statements that the server has told */
    unsigned n_told;             /* in answer to the Query */
    const char *sql, *why;       /* of the Query; of the failure */
    char sqlstate[6];
    struct arena *arena; /* owned; all of the above */
};

/* --- making ------------------------------------------------------------------------------ */

void
sess_steps_free(struct sess *s)
{
    struct sess_steps *st = s->steps;
    if (!st)
        return;
    arena_free(st->arena);
    mem_free(st);
    s->steps = NULL;
}

static const char *
copy_text(struct arena *a, const char *text)
{
    return text ? arena_strdup(a, text) : NULL;
}

static struct pol_step *
copy_steps(struct arena *a, const struct pol_step *from, size_t n)
{
    struct pol_step *to = arena_alloc(a, (n + 1) * sizeof(*to));
    for (size_t i = 0; i < n; i++)
        to[i] = (struct pol_step){ .sql = copy_text(a, from[i].sql),
            .undo = copy_text(a, from[i].undo),
            .undo_query = copy_text(a, from[i].undo_query),
            .left_query = copy_text(a, from[i].left_query) };
    return to;
}

static void
begin(struct sess *s)
{
    const struct gate_rewrite *rw = &s->request->rewrite;
    struct sess_steps *st = s->steps = mem_zalloc(sizeof(*st));
    st->arena = arena_new();
    st->before = copy_steps(st->arena, rw->before, rw->n_before);
    st->n_before = rw->n_before;
    st->behind = copy_steps(st->arena, rw->behind, rw->n_behind);
    st->n_behind = rw->n_behind;
}

/* --- the order of things ------------------------------------------------------------------ */

static void
send_query(struct sess *s, const char *sql, bool is_asking)
{
    struct sess_steps *st = s->steps;
    AUTO(buf_deinit) struct buf b = BUF_INIT(strlen(sql) + 64);
    pgw_build_query(&b, sql);
    st->is_in_flight = true;
    st->is_asking = is_asking;
    st->n_told = 0;
    st->has_failed = false;
    st->sql = sql;
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
    sess_watch(s);
}

/* What failed half-way goes first, then what the server has told. */
static bool
send_clearing(struct sess *s)
{
    struct sess_steps *st = s->steps;
    const struct pol_step *left = st->left;
    if (left) {
        st->left = NULL;
        send_query(s, left->left_query, true);
        return true;
    }
    if (st->told) {
        const char *sql = st->told->sql;
        st->told = st->told->next;
        send_query(s, sql, false);
        return true;
    }
    return false;
}

static bool
send_undo(struct sess *s)
{
    struct sess_steps *st = s->steps;
    if (send_clearing(s))
        return true;
    while (st->n_done > 0) {
        const struct pol_step *step = &st->before[--st->n_done];
        if (!step->undo && !step->undo_query)
            continue;
        send_query(s, step->undo ? step->undo : step->undo_query, !step->undo);
        return true;
    }
    if (!st->is_told)
        st->state = STEPS_READY;
    else
        st->state = st->was_sent ? STEPS_OVER : STEPS_FAILED;
    return false;
}

/* Sends what comes next; false: nothing does, and the state says what follows. */
static bool
proceed(struct sess *s)
{
    struct sess_steps *st = s->steps;
    if (st->is_again) {
        st->is_again = false;
        send_query(s, st->sql, st->is_asking);
        return true;
    }
    st->n_tries = 0;
    if (st->state == STEPS_BEFORE && s->is_cancelled)
        st->state = STEPS_UNDO;
    switch (st->state) {
    case STEPS_BEFORE:
        if (st->n_done < st->n_before) {
            send_query(s, st->before[st->n_done].sql, false);
            return true;
        }
        st->state = STEPS_READY;
        return false;
    case STEPS_BEHIND:
        if (send_clearing(s))
            return true;
        if (st->at < st->n_behind) {
            send_query(s, st->behind[st->at++].sql, false);
            return true;
        }
        st->state = STEPS_OVER;
        return false;
    case STEPS_UNDO:
        return send_undo(s);
    case STEPS_READY:
    case STEPS_ON:
    case STEPS_FAILING:
    case STEPS_FAILED:
    case STEPS_OVER:
        break;
    }
    return false;
}

/* As proceed; true, too, if it has to wait. */
static bool
proceed_or_wait(struct sess *s)
{
    s->steps->is_waiting = s->n_cancels > 0 || sess_own_listens(s);
    return s->steps->is_waiting || proceed(s);
}

void
sess_steps_go_on(struct sess *s)
{
    struct sess_steps *st = s->steps;
    if (!st || !st->is_waiting || s->n_cancels > 0 || sess_own_listens(s))
        return;
    st->is_waiting = false;
    /* The ReadyForQuery before was swallowed: another one to end with is asked for. */
    if (!proceed(s))
        send_query(s, "", false);
}

/* --- the client's side -------------------------------------------------------------------- */

enum sess_own_step
sess_steps_before(struct sess *s)
{
    const struct gate_request *req = s->request;
    if (!s->steps) {
        if (req->verdict != GATE_PASS || s->is_cancelled
            || req->rewrite.n_before + req->rewrite.n_behind == 0)
            return SESS_OWN_DONE;
        begin(s);
        if (proceed(s))
            return SESS_OWN_WAIT;
    }
    switch (s->steps->state) {
    case STEPS_READY:
        s->steps->state = STEPS_ON;
        return SESS_OWN_DONE;
    case STEPS_ON:
    case STEPS_OVER:
        return SESS_OWN_DONE;
    case STEPS_FAILED:
        return SESS_OWN_FAILED;
    case STEPS_BEFORE:
    case STEPS_FAILING:
    case STEPS_BEHIND:
    case STEPS_UNDO:
        break;
    }
    return SESS_OWN_WAIT;
}

const char *
sess_steps_why(const struct sess *s, const char **sqlstate)
{
    *sqlstate = s->steps->sqlstate;
    return s->steps->why;
}

bool
sess_steps_allow(const struct sess *s)
{
    return !s->steps || s->request;
}

bool
sess_steps_are_settled(const struct sess *s)
{
    const struct sess_steps *st = s->steps;
    if (!st)
        return true;
    return s->request && !st->is_in_flight && !st->is_waiting
        && (st->state == STEPS_READY || st->state == STEPS_ON
            || st->state == STEPS_FAILED);
}

/* --- the server's side -------------------------------------------------------------------- */

bool
sess_steps_listen(const struct sess *s)
{
    return s->steps && s->steps->is_in_flight;
}

static void
take_row(struct sess_steps *st, const char *body, size_t n)
{
    size_t len = n >= 6 ? pgw_u32(body + 2) : 0;
    if (!st->is_asking || n < 6 || len > n - 6 || len > MAX_TOLD_BYTES
        || st->n_told++ >= MAX_TOLD)
        return;
    struct told *t = arena_alloc(st->arena, sizeof(*t));
    *t = (struct told){ arena_strndup(st->arena, body + 6, len), st->told };
    st->told = t;
}

/* What the client must do by itself: the server's reason and the statement. */
static void
warn(struct sess *s, const char *what, struct str reason)
{
    struct sess_steps *st = s->steps;
    AUTO(buf_deinit) struct buf one = BUF_INIT(SESS_READ_BYTES);
    struct gate_message m = {
        .severity = "WARNING",
        .sqlstate = "01000",
        .message = arena_printf(st->arena, "ddlgate: %s: %.*s", what,
            (int)(reason.n < 120 ? reason.n : 120), reason.p),
        .hint = arena_printf(st->arena, "Run it by hand: %.1500s", st->sql),
    };
    sess_message_error(&m, true, &one);
    (void)!buf_add(&s->notices, buf_ptr(&one), buf_len(&one));
    sess_log(s, true, "%s: %.*s: %.300s", what, (int)(reason.n < 200 ? reason.n : 200),
        reason.p, st->sql);
}

/* The error is the client's answer. Text, place and context are those of a statement that it
 * doesn't know. */
static void
tell(struct sess *s, const char *body, size_t n)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(n + 64);
    if (pgw_error_strip(&b, false, body, n, "PpqW"))
        sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
    sess_unit_sent(s, true); /* a ReadyForQuery to come ends the client's message */
    s->steps->is_told = true;
}

/* Errors of syntax and access come before anything is made. */
static bool
may_leave(const struct pol_step *step, const char *sqlstate)
{
    return step->left_query && strncmp(sqlstate, "42", 2) != 0;
}

static void
on_error(struct sess *s, const char *body, size_t n)
{
    struct sess_steps *st = s->steps;
    struct str message = STR("the server said no"), code = { "", 0 };
    char sqlstate[6] = "";
    pgw_error_field(body, n, 'M', &message);
    pgw_error_field(body, n, 'C', &code);
    snprintf(sqlstate, sizeof(sqlstate), "%.*s", (int)code.n, code.p);
    st->has_failed = true;
    if (st->state == STEPS_BEFORE) {
        const struct pol_step *step = &st->before[st->n_done];
        snprintf(st->sqlstate, sizeof(st->sqlstate), "%s", sqlstate);
        st->why = arena_printf(
            st->arena, "a statement before it failed: %.200s", st->sql);
        tell(s, body, n);
        st->left = may_leave(step, sqlstate) ? step : NULL;
        st->state = STEPS_UNDO;
    } else if (st->state == STEPS_BEHIND && st->sql == st->behind[st->at - 1].sql) {
        const struct pol_step *step = &st->behind[st->at - 1];
        warn(s, "the statement is done, but not what belongs behind it", message);
        st->left = may_leave(step, sqlstate) ? step : NULL;
    } else if (strcmp(sqlstate, "40P01") == 0 && ++st->n_tries < MAX_TRIES) {
        st->is_again = true;                     /* the others in it can go on now */
    } else if (strcmp(sqlstate, "42704") != 0) { /* somebody else has dropped it */
        warn(s, "what is left of a statement could not be undone", message);
    }
}

/* true: it is not the client's. */
static bool
on_ready(struct sess *s, char status)
{
    struct sess_steps *st = s->steps;
    st->is_in_flight = false;
    s->gate.tx_status = status;
    if (st->state == STEPS_BEFORE)
        st->n_done += !st->has_failed;
    if (proceed_or_wait(s))
        return true;
    if (st->state == STEPS_OVER)
        sess_steps_free(s);
    else if (st->state != STEPS_FAILED)
        return true; /* the client's statement comes next */
    return false;
}

bool
sess_steps_message(struct sess *s, char type, const char *body, size_t n)
{
    if (!sess_steps_listen(s))
        return false;
    switch (type) {
    case 'D':
        take_row(s->steps, body, n);
        return true;
    case 'E':
        on_error(s, body, n);
        return true;
    case 'Z':
        return on_ready(s, n == 1 ? *body : 'E');
    case 'C':
    case 'I':
    case 'N':
    case 'T':
        return true;
    }
    return false;
}

void
sess_steps_failed(struct sess *s)
{
    struct sess_steps *st = s->steps;
    if (!st || st->state != STEPS_ON)
        return;
    st->state = STEPS_FAILING;
    st->is_told = st->was_sent = true;
}

bool
sess_steps_ready(struct sess *s)
{
    struct sess_steps *st = s->steps;
    if (!st || st->state == STEPS_FAILED)
        return false;
    if (st->state != STEPS_ON && st->state != STEPS_FAILING)
        return true; /* one that a server sends unasked, while we wait */
    st->state = st->state == STEPS_ON ? STEPS_BEHIND : STEPS_UNDO;
    bool has_more = st->state == STEPS_BEHIND ? st->n_behind > 0 : st->n_done > 0;
    if (has_more)
        sess_own_ready(s, s->n_done + 1, 'I'); /* its timeouts are for the client's */
    if (has_more && proceed_or_wait(s))
        return true;
    sess_steps_free(s);
    return false;
}
