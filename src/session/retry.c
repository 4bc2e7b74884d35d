// SPDX-License-Identifier: ISC
/* Trying again; see retry.h. */
#include "session/retry.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "session/own.h"

#define FIRST_WAIT_MS 500
#define MAX_WAIT_MS   30000

enum retry_state {
    RETRY_ARMED,   /* the statement is under way */
    RETRY_FAILED,  /* its error is kept back, ReadyForQuery comes next */
    RETRY_WAITING, /* the timer runs */
};

struct sess_retry {
    enum retry_state state;
    struct gate_text *text; /* owned reference */
    unsigned n, max;        /* tries that failed, and that may be added */
    char request_id[GATE_REQUEST_ID_SIZE];
    struct net_timer timer;
};

void
sess_retry_free(struct sess *s)
{
    struct sess_retry *r = s->retry;
    if (!r)
        return;
    net_timer_deinit(&r->timer);
    ref_drop(r->text);
    mem_free(r);
    s->retry = NULL;
}

static void
send_again(void *ctx)
{
    struct sess *s = sess_of(ctx);
    struct sess_retry *r = s->retry;
    AUTO(buf_deinit) struct buf b = BUF_INIT(r->text->len + 64);
    r->state = RETRY_ARMED;
    pgw_build_query(&b, r->text->sql);
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
    sess_watch(s);
}

void
sess_retry_arm(struct sess *s, struct gate_text *text)
{
    const struct gate_request *req = s->request;
    if (req->rewrite.retries == 0 || text->scan.n != 1 + text->n_added
        || !sess_own_has_lock_timeout(s))
        return;
    struct sess_retry *r = s->retry = mem_zalloc(sizeof(*r));
    r->text = ref_take(text);
    r->max = req->rewrite.retries;
    snprintf(r->request_id, sizeof(r->request_id), "%s", req->id);
    net_timer_init(&r->timer, s->worker->loop, send_again, s);
}

/* Doubles from try to try, and is between half and all of that: many that wait for the same
 * lock shall not come back together. */
static int64_t
next_wait_ms(unsigned n)
{
    int64_t ms = n < 7 ? (int64_t)FIRST_WAIT_MS << n : MAX_WAIT_MS;
    uint32_t random;
    hash_random(&random, sizeof(random));
    if (ms > MAX_WAIT_MS)
        ms = MAX_WAIT_MS;
    return ms / 2 + (int64_t)(random % (uint32_t)(ms / 2 + 1));
}

bool
sess_retry_error(struct sess *s, struct str sqlstate)
{
    struct sess_retry *r = s->retry;
    if (!r || r->state != RETRY_ARMED || r->n == r->max || s->is_terminated
        || s->client.is_eof || s->n_cancels > 0 || s->worker->is_draining
        || !str_eqz(sqlstate, "55P03"))
        return false;
    r->state = RETRY_FAILED;
    return true;
}

bool
sess_retry_listens(const struct sess *s)
{
    return s->retry && s->retry->state == RETRY_FAILED;
}

void
sess_retry_ready(struct sess *s)
{
    struct sess_retry *r = s->retry;
    char text[160];
    AUTO(buf_deinit) struct buf b = BUF_INIT(SESS_READ_BYTES);
    int64_t ms = next_wait_ms(r->n++);
    snprintf(text, sizeof(text),
        "ddlgate: the lock could not be had in time; try %u of %u in %lld ms (request %s)",
        r->n + 1, r->max + 1, (long long)ms, r->request_id);
    struct gate_message m = {
        .severity = "NOTICE",
        .sqlstate = "00000",
        .message = text,
        .constraint = "require-lock-timeout",
    };
    sess_message_error(&m, true, &b);
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
    r->state = RETRY_WAITING;
    net_timer_start(&r->timer, ms);
}

bool
sess_retry_cancel(struct sess *s)
{
    struct sess_retry *r = s->retry;
    static const struct gate_message m = {
        .sqlstate = "57014",
        .message =
            "ddlgate: canceling statement due to user request, between two tries",
    };
    if (!r || r->state != RETRY_WAITING)
        return false;
    net_timer_stop(&r->timer);
    r->state = RETRY_ARMED;
    r->max = r->n;
    sess_refuse(s, SESS_MSG_QUERY, STR(""), &m);
    sess_watch(s);
    return true;
}
