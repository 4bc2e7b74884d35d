// SPDX-License-Identifier: ISC
/* The clock of an idle transaction; see idle.h. */
#include "session/idle.h"

#include "base/mem.h"
#include "gate/idle.h"
#include "session/own.h"
#include "session/track.h"

struct sess_idle {
    struct net_timer timer;
    int64_t since_us; /* monotonic; the last answer */
};

void
sess_idle_free(struct sess *s)
{
    if (!s->idle)
        return;
    net_timer_deinit(&s->idle->timer);
    mem_free(s->idle);
    s->idle = NULL;
}

static int64_t
now_us(const struct sess *s)
{
    const struct clk *clk = s->worker->shared->clk;
    return clk->mono_us(clk);
}

/* Is it the client's turn, and did it not even begin with a message? */
static bool
is_silent(const struct sess *s)
{
    return sess_is_idle(s) && s->wait == SESS_WAIT_NONE && !s->request
        && buf_len(&s->client.in) == 0 && s->client.pass == 0 && s->client.skip == 0
        && !sess_own_listens(s);
}

static void
warn(struct sess *s, const struct gate_idle *idle)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(SESS_READ_BYTES);
    sess_message_error(&idle->message, true, &b);
    /* A full queue drops a warning that the audit has all the same. */
    (void)!buf_add(&s->notices, buf_ptr(&b), buf_len(&b));
    sess_put_notices(s);
    sess_watch(s);
}

static void
act(struct sess *s, const struct gate_idle *idle)
{
    if (idle->action == DG_ALLOW)
        return;
    if (idle->action >= DG_HOLD && !idle->is_observed) { /* its end is logged */
        sess_fatal_message(s, SESS_END_IDLE, &idle->message);
        return;
    }
    sess_log(s, idle->action >= DG_WARN, "%s%s", idle->is_observed ? "observed: " : "",
        idle->message.message);
    if (idle->action == DG_WARN && !idle->is_observed)
        warn(s, idle);
}

static void
on_time(void *ctx)
{
    struct sess *s = sess_of(ctx);
    int64_t after_ms = gate_idle_after_ms(&s->gate);
    int64_t silent_ms = (now_us(s) - s->idle->since_us) / 1000;
    const struct gate_intent *change = sess_track_locking(s, s->gate.tx_status == 'E');
    if (s->state != SESS_ST_READY || !change || after_ms == 0)
        return; /* the next answer starts it again */
    if (!is_silent(s) || silent_ms < after_ms) {
        net_timer_start(&s->idle->timer,
            is_silent(s) && silent_ms > 0 ? after_ms - silent_ms : after_ms);
        return;
    }
    AUTO(gate_idle_deinit) struct gate_idle idle;
    gate_idle_judge(&s->gate, change, silent_ms * 1000, &idle);
    act(s, &idle);
}

void
sess_idle_ready(struct sess *s)
{
    int64_t after_ms;
    if (s->gate.tx_status == 'I' || !s->track
        || (after_ms = gate_idle_after_ms(&s->gate)) == 0) {
        sess_idle_free(s);
        return;
    }
    if (!s->idle) {
        s->idle = mem_zalloc(sizeof(*s->idle));
        net_timer_init(&s->idle->timer, s->worker->loop, on_time, s);
    }
    s->idle->since_us = now_us(s);
    net_timer_start(&s->idle->timer, after_ms);
}
