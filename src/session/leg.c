// SPDX-License-Identifier: ISC
/* Reading, writing and backpressure. Per event one recv and, usually, one send: bytes go
 * out from the worker's read buffer, where they came in; only what must wait is copied. */
#include "base/mem.h"
#include "session/console.h"
#include "session/login.h"
#include "session/session.h"
#include "session/track.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void
sess_leg_close(struct sess_leg *leg)
{
    net_tls_free(leg->tls);
    leg->tls = NULL;
    if (leg->fd >= 0) {
        net_watch_deinit(&leg->watch);
        close(leg->fd);
        leg->fd = -1;
    }
    buf_deinit(&leg->in);
    buf_deinit(&leg->out);
}

static void
leg_broken(struct sess_leg *leg)
{
    leg->is_broken = true;
    buf_deinit(&leg->out);
}

/* TLS sends a record at a time: until the socket is full. */
ssize_t
sess_leg_send(struct sess_leg *leg, const char *p, size_t n)
{
    if (!leg->tls) {
        ssize_t sent = send(leg->fd, p, n, MSG_NOSIGNAL);
        return sent < 0 ? -errno : sent;
    }
    size_t done = 0;
    while (done < n) {
        ssize_t sent = net_tls_send(leg->tls, p + done, n - done);
        if (sent <= 0)
            return done > 0 ? (ssize_t)done : sent;
        done += (size_t)sent;
    }
    return (ssize_t)done;
}

static ssize_t
leg_recv(struct sess_leg *leg, char *p, size_t n)
{
    if (leg->tls)
        return net_tls_recv(leg->tls, p, n);
    ssize_t got = recv(leg->fd, p, n, 0);
    return got < 0 ? -errno : got;
}

void
sess_send(struct sess *s, struct sess_leg *to, const char *p, size_t n)
{
    if (n == 0 || to->is_broken || to->fd < 0)
        return;
    if (buf_len(&to->out) == 0) {
        ssize_t sent = sess_leg_send(to, p, n);
        if (sent < 0 && sent != -EAGAIN && sent != -EINTR) {
            leg_broken(to);
            return;
        }
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        }
    }
    if (n > 0 && buf_add(&to->out, p, n) != 0) {
        /* Backpressure bounds what can stand here: at most one inspected message, one
         * read and our own errors and notices. */
        DG_ASSERT(s->state == SESS_ST_CLOSED || to->out.max > 0, "output has no limit");
        leg_broken(to);
    }
}

/* Sends what is queued; a peer that is gone is marked broken. */
static void
leg_flush(struct sess_leg *leg)
{
    if (leg->is_broken || buf_len(&leg->out) == 0)
        return;
    ssize_t sent = sess_leg_send(leg, buf_ptr(&leg->out), buf_len(&leg->out));
    if (sent < 0) {
        if (sent != -EAGAIN && sent != -EINTR)
            leg_broken(leg);
        return;
    }
    buf_consume(&leg->out, (size_t)sent);
    if (buf_len(&leg->out) == 0)
        buf_deinit(&leg->out);
}

static void
shut_when_flushed(struct sess_leg *leg, bool wanted)
{
    if (!wanted || leg->is_shut || leg->fd < 0 || buf_len(&leg->out) > 0)
        return;
    if (leg->tls)
        net_tls_shutdown(leg->tls);
    shutdown(leg->fd, SHUT_WR);
    leg->is_shut = true;
}

/* takes_input: what it sends is wanted now. */
static unsigned
leg_wants(const struct sess_leg *leg, bool takes_input)
{
    unsigned want = buf_len(&leg->out) > 0 ? NET_WRITE : 0;
    if (!takes_input || leg->is_eof)
        return want;
    /* TLS may have to answer its peer (a key update) before it can read on. */
    if (leg->tls && net_tls_wants(leg->tls) == NET_TLS_WANT_WRITE)
        want |= NET_WRITE;
    return want | NET_READ;
}

static unsigned
handshake_wants(const struct sess *s)
{
    bool is_shaking = s->login && s->login->prelude == SESS_PRELUDE_TLS;
    return is_shaking && s->login->tls_wants == NET_TLS_WANT_WRITE ? NET_WRITE : 0;
}

void
sess_watch(struct sess *s)
{
    if (s->state == SESS_ST_CLOSED)
        return;
    /* A client that has closed its half still gets its answers; the server learns of the
     * end when everything before it is sent. */
    if (s->client.is_eof && s->wait == SESS_WAIT_NONE && !s->steps)
        shut_when_flushed(&s->server, s->state == SESS_ST_READY);
    /* Nobody who is not logged in makes us keep more than a message. */
    bool takes_input = s->state == SESS_ST_STARTUP
        || (s->state == SESS_ST_AUTH && !s->login->ask)
        || (s->state == SESS_ST_ADMIN && sess_console_is_free(s))
        || ((s->state == SESS_ST_LOGIN || s->state == SESS_ST_READY)
            && s->wait == SESS_WAIT_NONE && s->n_cancels == 0
            && buf_len(&s->server.out) == 0);
    net_watch_set(
        &s->client.watch, leg_wants(&s->client, takes_input) | handshake_wants(s));
    if (s->server.fd >= 0)
        net_watch_set(
            &s->server.watch, leg_wants(&s->server, buf_len(&s->client.out) == 0));
}

typedef size_t (*bytes_fn)(struct sess *s, const char *p, size_t n);

static bytes_fn
client_bytes(const struct sess *s)
{
    switch (s->state) {
    case SESS_ST_STARTUP:
        return sess_startup_bytes;
    case SESS_ST_AUTH:
        return sess_auth_bytes;
    case SESS_ST_ADMIN:
        return sess_console_bytes;
    case SESS_ST_CONNECTING:
    case SESS_ST_LOGIN:
    case SESS_ST_READY:
    case SESS_ST_CANCEL:
    case SESS_ST_CLOSED:
        break;
    }
    return sess_front_bytes;
}

/* Hands bytes on until nothing more is taken. Returns how many were. */
static size_t
process(struct sess *s, struct sess_leg *leg, const char *p, size_t n)
{
    size_t done = 0;
    while (done < n && s->state != SESS_ST_CLOSED) {
        bytes_fn fn = leg == &s->client ? client_bytes(s) : sess_back_bytes;
        size_t k = fn(s, p + done, n - done);
        if (k == 0)
            break;
        done += k;
    }
    return done;
}

/* One read into the worker's buffer or, behind an unfinished message, into the leg's own. */
static void
leg_read(struct sess *s, struct sess_leg *leg)
{
    struct sess_worker *w = s->worker;
    bool shared = buf_len(&leg->in) == 0;
    if (!shared && buf_reserve(&leg->in, SESS_READ_BYTES) != 0) {
        sess_fatal(
            s, SESS_END_CLIENT_PROTOCOL, "54000", "ddlgate: message too long", NULL);
        return;
    }
    char *to = shared ? w->read_buffer : leg->in.data + leg->in.tail;
    ssize_t got = leg_recv(leg, to, SESS_READ_BYTES);
    if (got == -EAGAIN || got == -EINTR)
        return;
    if (got <= 0) {
        leg->is_eof = true;
        if (got < 0)
            leg_broken(leg);
        return;
    }
    if (shared) {
        size_t done = process(s, leg, to, (size_t)got);
        if (done < (size_t)got && s->state != SESS_ST_CLOSED)
            buf_put(&leg->in, to + done, (size_t)got - done);
        return;
    }
    leg->in.tail += (size_t)got;
    size_t done = process(s, leg, buf_ptr(&leg->in), buf_len(&leg->in));
    if (s->state == SESS_ST_CLOSED)
        return;
    buf_consume(&leg->in, done);
    if (buf_len(&leg->in) == 0)
        buf_deinit(&leg->in);
}

void
sess_resume(struct sess *s)
{
    if (s->state == SESS_ST_CLOSED || s->wait != SESS_WAIT_NONE || s->n_cancels > 0)
        return;
    size_t n = buf_len(&s->client.in);
    if (n > 0) {
        size_t done = process(s, &s->client, buf_ptr(&s->client.in), n);
        if (s->state == SESS_ST_CLOSED)
            return;
        buf_consume(&s->client.in, done);
        if (buf_len(&s->client.in) == 0)
            buf_deinit(&s->client.in);
    }
    sess_watch(s);
}

/* The client is gone before the session is ready: nothing runs at the server. */
static bool
client_gone_early(struct sess *s)
{
    if (s->state == SESS_ST_READY)
        return false;
    sess_end(s, s->client.is_broken ? SESS_END_CLIENT_LOST : SESS_END_CLIENT_CLOSED);
    return true;
}

static bool
is_readable(const struct sess_leg *leg, unsigned what)
{
    return (what & NET_READ)
        || (leg->tls && net_tls_wants(leg->tls) == NET_TLS_WANT_WRITE);
}

void
sess_client_event(void *ctx, unsigned what)
{
    struct sess *s = sess_of(ctx);
    if (s->state == SESS_ST_CLOSED)
        return;
    if (s->state == SESS_ST_STARTUP && s->login->prelude != SESS_PRELUDE_DONE
        && !sess_startup_prelude(s)) {
        if (s->state != SESS_ST_CLOSED)
            sess_watch(s);
        return;
    }
    if (what & NET_WRITE)
        leg_flush(&s->client);
    if ((what & NET_WRITE) && s->console) {
        sess_console_written(s);
        if (s->state == SESS_ST_CLOSED)
            return;
    }
    if (is_readable(&s->client, what)) {
        leg_read(s, &s->client);
        if (s->state == SESS_ST_CLOSED)
            return;
        if (s->client.is_eof && client_gone_early(s))
            return;
    }
    sess_watch(s);
}

static void
server_gone(struct sess *s)
{
    enum sess_end reason = SESS_END_SERVER_CLOSED;
    /* A server that was shut down has said so; one that died has not. A walsender says it
     * with CommandComplete. */
    if (s->state == SESS_ST_READY && !s->is_terminated && !s->client.is_eof
        && !s->has_said_fatal && !s->has_ended_stream && s->server.pass == 0
        && buf_len(&s->server.in) == 0) {
        sess_fatal(s, SESS_END_SERVER_LOST, "08006",
            "ddlgate: the PostgreSQL server closed the connection unexpectedly",
            "reconnect; the server's log tells why, the audit what is known of its last "
            "schema change");
        return;
    }
    if (s->is_terminated)
        reason = SESS_END_CLIENT_QUIT;
    else if (s->client.is_eof)
        reason = s->client.is_broken ? SESS_END_CLIENT_LOST : SESS_END_CLIENT_CLOSED;
    else if (s->server.is_broken)
        reason = SESS_END_SERVER_LOST;
    else if (s->state == SESS_ST_LOGIN)
        reason = SESS_END_LOGIN_REFUSED;
    sess_end(s, reason);
}

void
sess_server_event(void *ctx, unsigned what)
{
    struct sess *s = sess_of(ctx);
    if (s->state == SESS_ST_CLOSED)
        return;
    if (what & NET_WRITE)
        leg_flush(&s->server);
    if (is_readable(&s->server, what)) {
        leg_read(s, &s->server);
        if (s->state == SESS_ST_CLOSED)
            return;
        if (s->state == SESS_ST_LOGIN
            && (s->login->is_moving
                || (s->server.is_eof && sess_login_may_move(s, STR(""))))) {
            sess_login_move(s);
            return;
        }
        /* The client's last bytes go out first; sess_end sends what the socket takes. */
        if (s->server.is_eof) {
            server_gone(s);
            return;
        }
    }
    sess_watch(s);
}
