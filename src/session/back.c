// SPDX-License-Identifier: ISC
/* Messages of the server: their headers are walked, few bodies are looked at, everything
 * passes from where it was read. Here the units are counted, refusals swapped, notices put
 * in, outcomes learned. */
#include "base/mem.h"
#include "session/idle.h"
#include "session/login.h"
#include "session/own.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/steps.h"
#include "session/track.h"

#include <string.h>

/* Bodies of the kinds that are looked at are small; a longer one streams by unread, but for
 * an error's front. */
#define MAX_FRONT ((size_t)4 << 10)

static bool
at_boundary(const struct sess *s)
{
    return s->server.pass == 0 && buf_len(&s->server.in) == 0;
}

void
sess_put_notices(struct sess *s)
{
    if (buf_len(&s->notices) == 0 || !at_boundary(s))
        return;
    sess_send(s, &s->client, buf_ptr(&s->notices), buf_len(&s->notices));
    buf_deinit(&s->notices);
}

/* --- message by message --------------------------------------------------------------- */

static uint64_t
current_unit(const struct sess *s)
{
    return s->n_done + 1;
}

static void
on_parameter(struct sess *s, const char *body, size_t n)
{
    struct str name, value;
    if (pgw_parse_parameter_status(body, n, &name, &value) == 0)
        gate_client_parameter(&s->gate, name.p, value.p); /* both end with a NUL */
}

static void
login_done(struct sess *s)
{
    sess_set_state(s, SESS_ST_READY);
    sess_timer_done(s);
    sess_login_free(s->login);
    s->login = NULL;
    if (s->worker->env.snap->cfg->log_connections)
        sess_log(s, false, "login, server process %u%s%s%s%s", s->gate.server_pid,
            s->client.tls ? ", " : "",
            s->client.tls ? net_tls_version(s->client.tls) : "",
            s->server.tls ? ", server " : "",
            s->server.tls ? net_tls_version(s->server.tls) : "");
    if (s->worker->env.snap->cfg->audit_sessions)
        gate_record_session(&s->gate, true, NULL);
    if (s->wait == SESS_WAIT_LOGIN)
        s->wait = SESS_WAIT_NONE;
}

static void
on_ready(struct sess *s, char status)
{
    if (s->state == SESS_ST_LOGIN) {
        gate_client_ready(&s->gate, status);
        login_done(s);
        return;
    }
    uint64_t unit = current_unit(s);
    s->n_done++;
    sess_hold_over(s);
    if (s->track)
        sess_track_ready(s, unit, status);
    else if (status == 'I')
        s->is_trail_cut = false;
    unsigned n_messages = s->has_failed ? s->batch_done : GATE_ALL_DONE;
    gate_prepared_unit_done(&s->gate, unit, n_messages);
    gate_client_ready(&s->gate, status);
    sess_portals_unit_done(s, unit, n_messages, status == 'I');
    sess_edited_done(s, unit);
    sess_retry_free(s);
    if (s->n_refusals && s->n_sent == s->n_done)
        sess_refusals_clear(
            s); /* skipped after an earlier error: nobody will see them */
    s->batch_done = 0;
    s->execs_done = 0;
    s->has_failed = s->has_begun = false;
    s->is_streaming = s->has_ended_stream = false;
    sess_copy_ready(s);
    sess_own_ready(s, unit, status);
    sess_idle_ready(s);
}

/* true: ours was sent instead */
static bool
on_error(struct sess *s, const char *body, size_t n)
{
    struct str sqlstate = { "", 0 }, severity = { "", 0 };
    if (sess_probe_error(s, body, n))
        return true;
    pgw_error_field(body, n, 'C', &sqlstate);
    if (s->state == SESS_ST_LOGIN && sess_login_may_move(s, sqlstate))
        return true;
    if (sess_retry_error(s, sqlstate))
        return true;
    bool swapped = (s->n_refusals && sess_swap_error(s, body, n))
        || (s->edited && sess_edited_report(s, false, body, n));
    if (pgw_error_field(body, n, 'V', &severity) && !str_eqz(severity, "ERROR"))
        s->has_said_fatal = true;
    if (s->track)
        sess_track_error(s, current_unit(s), s->execs_done, s->batch_done, sqlstate);
    s->has_failed = true;
    sess_steps_failed(s);
    gate_client_failed(&s->gate);
    sess_hold_over(s);
    sess_copy_failed(s);
    return swapped;
}

static void
on_complete(struct sess *s, char type, const char *body, size_t n)
{
    struct str tag = { type == 's' ? NULL : "", 0 };
    if (type == 'C' && pgw_parse_command_complete(body, n, &tag) != 0)
        tag = (struct str){ "", 0 };
    if (s->track)
        sess_track_complete(s, current_unit(s), s->execs_done, tag);
    s->has_begun |= str_eqz(tag, "BEGIN") || str_eqz(tag, "START TRANSACTION");
    s->execs_done++;
    s->batch_done++;
    s->has_ended_stream = s->is_streaming;
    if (type == 'C' && s->is_copying)
        sess_copy_completed(s);
}

/* true: the client is told another tag than the server's, or nothing yet. */
static bool
on_other_tag(struct sess *s, const char *body, size_t n)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(64);
    const char *tag;
    if (!sess_edited_complete(s, body, n, &tag))
        return false;
    if (!tag)
        return true;
    pgw_build_command_complete(&b, tag);
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
    on_complete(s, 'C', tag, strlen(tag) + 1);
    return true;
}

/* ReadyForQuery ends the login, answers our own question or a unit of the client's. */
static bool
is_surplus(const struct sess *s)
{
    return s->state == SESS_ST_READY && s->probe != SESS_PROBE_ANSWERED
        && s->n_done >= s->n_sent && !sess_own_listens(s) && !sess_steps_listen(s);
}

/* Must the body be there before we go on? */
static bool
is_looked_at(const struct sess *s, char type)
{
    if (sess_own_listens(s) || sess_steps_listen(s))
        return true;
    switch (type) {
    case 'Z':
    case 'S':
    case 'E':
    case 'C':
        return true;
    case 'R':
    case 'K':
    case 'v':
        return s->state == SESS_ST_LOGIN;
    case 'N':
        return s->edited;
    }
    return false;
}

/* true: the message is passed on, false: it was replaced. */
static bool
look(struct sess *s, char type, const char *body, size_t n)
{
    if (sess_own_message(s, type, body, n)) {
        sess_steps_go_on(s);
        return false;
    }
    if (sess_steps_message(s, type, body, n))
        return false;
    switch (type) {
    case 'Z':
        if (sess_probe_ready(s))
            return false;
        if (sess_retry_listens(s)) {
            sess_retry_ready(s);
            return false;
        }
        if (sess_steps_ready(s))
            return false;
        on_ready(s, n == 1 ? *body : 'E');
        return true;
    case 'R':
        return s->state != SESS_ST_LOGIN || sess_login_authentication(s, body, n);
    case 'v':
        return s->state != SESS_ST_LOGIN || sess_login_negotiate(s);
    case 'S':
        on_parameter(s, body, n);
        return true;
    case 'E':
        return !on_error(s, body, n);
    case 'N':
        return !s->edited || !sess_edited_report(s, true, body, n);
    case 'K':
        if (s->state != SESS_ST_LOGIN)
            return true;
        sess_login_key(s, body, n);
        return false;
    case 'C':
        if (on_other_tag(s, body, n))
            return false;
        on_complete(s, type, body, n);
        return true;
    case 'I':
    case 's':
        on_complete(s, type, body, n);
        return true;
    case 'G':
    case 'W':
        s->is_streaming = type == 'W';
        sess_copy_started(s);
        return true;
    case '1':
    case '2':
    case '3':
        if (s->n_refusals && sess_swallow(s))
            return false;
        s->batch_done++;
        return true;
    case 'n':
    case 'T':
        s->batch_done++;
        return true;
    }
    return true;
}

/* A wait of the client's side may be over. Where a COPY is in the way, the message at hand
 * is looked at again. */
static void
wake_front(struct sess *s)
{
    bool is_idle = s->n_sent == s->n_done, is_copy = s->is_in_copy || s->n_maybe > 0;
    switch (s->wait) {
    case SESS_WAIT_NONE:
    case SESS_WAIT_LOGIN:
    case SESS_WAIT_JUDGE:
        return;
    case SESS_WAIT_IDLE:
        if (!is_idle && !is_copy)
            return;
        break;
    case SESS_WAIT_BATCH:
        if (!(is_idle && (s->has_failed || s->batch_done >= s->batch_sent)) && !is_copy)
            return;
        break;
    case SESS_WAIT_COPY:
        break;
    case SESS_WAIT_OWN:
        if (!sess_own_is_settled(s) || !sess_steps_are_settled(s))
            return;
        break;
    }
    s->wait = SESS_WAIT_NONE;
    sess_resume(s);
}

static void
after_ready(struct sess *s)
{
    if (s->state != SESS_ST_READY)
        return;
    sess_resume(s); /* what came in during the login */
    if (s->worker->is_draining)
        sess_drain(s);
}

static void
server_broke(struct sess *s, const char *what)
{
    struct err text;
    err_set(&text, 0, "ddlgate: the server broke the protocol: %s", what);
    sess_fatal(s, SESS_END_SERVER_PROTOCOL, "08P01", text.text, NULL);
}

/* How many bytes of this message must be there before it is handed on: 0: none. Of an error
 * that is too long the front will do, where severity and code stand. */
static size_t
bytes_needed(const struct sess *s, const struct pgw_head *h)
{
    size_t size = (size_t)h->body_len + PGW_HEADER_SIZE;
    if (!is_looked_at(s, h->type) || (size > SESS_MAX_LOOKED_AT && h->type != 'E'))
        return 0;
    return size > SESS_MAX_LOOKED_AT ? MAX_FRONT : size;
}

/* May the message be replaced by something, or something be put in before it? */
static bool
is_seam(const struct sess *s, char type)
{
    return type == 'E' || ((type == 'C' || type == 'N') && s->edited)
        || s->state == SESS_ST_LOGIN || buf_len(&s->notices) > 0
        || s->probe != SESS_PROBE_NONE
        || (s->n_refusals && (type == '1' || type == '2' || type == '3'))
        || sess_own_listens(s) || sess_retry_listens(s) || s->steps;
}

size_t
sess_back_bytes(struct sess *s, const char *p, size_t n)
{
    struct sess_leg *leg = &s->server;
    size_t start = 0, pos = 0;
    bool was_login = s->state == SESS_ST_LOGIN, is_ready = false;
    while (pos < n) {
        if (leg->pass) {
            size_t k = leg->pass < n - pos ? leg->pass : n - pos;
            leg->pass -= k;
            pos += k;
            continue;
        }
        struct pgw_head h;
        struct err err = { "" };
        int r = pgw_head_server(p + pos, n - pos, &h, &err);
        if (r == PGW_NEED_MORE)
            break;
        if (r == 0 && h.type == 'Z' && is_surplus(s))
            r = err_set(&err, PGW_E_MALFORMED, "ReadyForQuery that nobody asked for");
        size_t size = (size_t)h.body_len + PGW_HEADER_SIZE;
        size_t needed = r == 0 ? bytes_needed(s, &h) : 0;
        if (n - pos < needed)
            break;
        if (r != 0 || is_seam(s, h.type)) {
            sess_send(s, &s->client, p + start, pos - start);
            start = pos;
        }
        if (r != 0) {
            server_broke(s, err.text);
            return 0;
        }
        if (buf_len(&s->notices) > 0) {
            sess_send(s, &s->client, buf_ptr(&s->notices), buf_len(&s->notices));
            buf_deinit(&s->notices);
        }
        if (needed < size && s->state == SESS_ST_LOGIN && is_looked_at(s, h.type)
            && h.type != 'E') {
            server_broke(s, "a message of the login is too long");
            return 0;
        }
        bool passes = look(s, h.type, p + pos + PGW_HEADER_SIZE,
            needed ? needed - PGW_HEADER_SIZE : 0);
        if (s->state == SESS_ST_CLOSED)
            return 0;
        is_ready |= h.type == 'Z';
        if (passes) {
            leg->pass = size;
        } else if (size > n - pos) {
            server_broke(s, "an error that names our text is too long");
            return 0;
        } else {
            pos += size;
            start = pos;
        }
    }
    sess_send(s, &s->client, p + start, pos - start);
    if (is_ready && was_login)
        after_ready(s);
    else if (s->state == SESS_ST_READY)
        wake_front(s);
    if (is_ready && s->state == SESS_ST_READY && s->worker->is_draining)
        sess_drain(s);
    return pos;
}
