// SPDX-License-Identifier: ISC
/* Life cycle of a session: birth, states, end. */
#include "session/session.h"

#include "base/log.h"
#include "base/mem.h"
#include "session/console.h"
#include "session/dial.h"
#include "session/idle.h"
#include "session/links.h"
#include "session/login.h"
#include "session/own.h"
#include "session/retry.h"
#include "session/steps.h"
#include "session/track.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* states[from] has a bit for every state that may follow. */
#define TO(st) (1u << SESS_ST_##st)
static const unsigned transitions[] = {
    [SESS_ST_STARTUP] = TO(AUTH) | TO(CONNECTING) | TO(ADMIN) | TO(CANCEL) | TO(CLOSED),
    [SESS_ST_AUTH] = TO(CONNECTING) | TO(ADMIN) | TO(CLOSED),
    [SESS_ST_CONNECTING] = TO(LOGIN) | TO(CLOSED),
    [SESS_ST_LOGIN] = TO(READY) | TO(CONNECTING) | TO(CLOSED),
    [SESS_ST_READY] = TO(CLOSED),
    [SESS_ST_ADMIN] = TO(CLOSED),
    [SESS_ST_CANCEL] = TO(CLOSED),
    [SESS_ST_CLOSED] = 0,
};
#undef TO

static const struct {
    const char *text;
    bool is_warning;
} end_reasons[] = {
    { "", false },
#define END(name, warn, text) { text, warn },
#include "ddlgate/tbl/end_reason.h"
};

const char *
sess_end_text(enum sess_end reason)
{
    return end_reasons[reason].text;
}

void
sess_set_state(struct sess *s, enum sess_state state)
{
    DG_ASSERT(transitions[s->state] & 1u << state, "session goes from %d to %d",
        s->state, state);
    s->state = state;
}

void
sess_log(const struct sess *s, bool is_warning, const char *fmt, ...)
{
    char text[1024], peer[NET_ADDR_TEXT_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    net_addr_text(&s->peer, peer);
    const struct gate_client *g = &s->gate;
    if (is_warning)
        log_warnx("#%llu %s@%s %s: %s", (unsigned long long)s->id,
            g->role ? g->role : "?", g->database ? g->database : "?", peer, text);
    else
        log_info("#%llu %s@%s %s: %s", (unsigned long long)s->id,
            g->role ? g->role : "?", g->database ? g->database : "?", peer, text);
}

#define OURS "ddlgate: " /* how messages to a client begin */

static void
login_timeout(void *ctx)
{
    struct sess *s = sess_of(ctx);
    sess_fatal(s, SESS_END_LOGIN_TIMEOUT, "08006",
        "ddlgate: login took too long (client_login_timeout)", NULL);
}

struct net_keepalive
sess_keepalive(const struct cfg *cfg)
{
    return (struct net_keepalive){
        .enabled = cfg->tcp_keepalive,
        .idle_s = (int)(cfg->tcp_keepidle_ms / 1000),
        .interval_s = (int)(cfg->tcp_keepintvl_ms / 1000),
        .count = (int)cfg->tcp_keepcnt,
        .user_timeout_ms = (int)cfg->tcp_user_timeout_ms,
    };
}

void
sess_set_peer(struct sess *s, const struct net_addr *peer)
{
    char host[NET_ADDR_TEXT_SIZE];
    s->peer = *peer;
    net_addr_host(peer, host);
    mem_free(s->gate.client_addr);
    s->gate.client_addr = mem_strdup(host);
    s->gate.client_port = net_addr_port(peer);
}

/* Where the client came in, and who it is as far as the kernel says. */
static void
note_socket(struct sess *s, int fd)
{
    struct net_addr local;
    char text[NET_ADDR_TEXT_SIZE];
    uint32_t uid;
    if (net_local_addr(fd, &local) == 0) {
        net_addr_text(&local, text);
        s->gate.listener = mem_strdup(text);
    }
    if (net_peer_uid(fd, &uid) == 0)
        snprintf(s->gate.peer_uid, sizeof(s->gate.peer_uid), "%u", (unsigned)uid);
}

void
sess_new(struct sess_worker *w, int fd, const struct net_addr *peer, bool is_rejected)
{
    const struct cfg *cfg = w->env.snap->cfg;
    struct sess *s = mem_zalloc(sizeof(*s));
    /* A message seen whole, the read it came with, and what we may add. */
    size_t max = cfg->max_inspect_size + 4 * SESS_READ_BYTES + PGW_MAX_STARTUP;
    size_t max_server = SESS_MAX_LOOKED_AT + 4 * SESS_READ_BYTES;
    s->max_inspect = cfg->max_inspect_size;
    s->magic = SESS_MAGIC;
    s->worker = w;
    s->born_us = w->shared->clk->mono_us(w->shared->clk);
    s->id = atomic_fetch_add(&w->shared->next_id, 1) + 1;
    s->peer = *peer;
    s->links = ref_take(w->links);
    s->login = sess_login_new(w->links->cfg);
    s->login->is_rejected = is_rejected;
    sess_startup_begin(s, fd);
    s->client.fd = fd;
    s->server.fd = -1;
    buf_init(&s->client.in, max);
    buf_init(&s->client.out, max_server);
    buf_init(&s->server.in, max_server);
    buf_init(&s->server.out, max);
    buf_init(&s->notices, SESS_READ_BYTES);
    gate_client_init(&s->gate, &w->env);
    sess_set_peer(s, peer);
    note_socket(s, fd);
    list_append(&w->sessions, &s->node);
    struct net_keepalive ka = sess_keepalive(cfg);
    net_sock_options(fd, &ka);
    net_watch_init(&s->client.watch, w->loop, fd, sess_client_event, s);
    net_timer_init(&s->timer, w->loop, login_timeout, s);
    s->has_timer = true;
    net_timer_start(&s->timer, cfg->client_login_timeout_ms);
    sess_watch(s);
}

void
sess_timer_done(struct sess *s)
{
    if (s->has_timer)
        net_timer_deinit(&s->timer);
    s->has_timer = false;
}

static void
sess_free(struct task *task)
{
    struct sess *s = LIST_ENTRY(task, struct sess, free_task);
    s->magic = 0;
    mem_free(s);
}

/* Everything but the struct itself, which a callback further up the stack may still hold.
 * Only now the client is gone for those who count: threads and services that owe this
 * session an answer stay until it is here. */
static void
release(struct sess *s)
{
    gate_request_free(s->request);
    s->request = NULL;
    sess_portals_clear(s);
    sess_hold_drop(s);
    sess_refusals_clear(s);
    sess_own_free(s);
    sess_retry_free(s);
    sess_steps_free(s);
    sess_edited_done(s, UINT64_MAX);
    mem_free(s->ends);
    s->ends = NULL;
    if (s->has_taken_db)
        tally_give(s->worker->shared->databases, s->gate.database);
    if (s->has_taken_user)
        tally_give(s->worker->shared->users, s->gate.role);
    mem_free(s->server_key);
    mem_free(s->client_key);
    mem_free(s->upstream_host);
    ref_drop(s->links);
    atomic_fetch_sub(&s->worker->shared->n_clients, 1);
    gate_client_deinit(&s->gate);
    s->free_task.run = sess_free;
    task_post(net_loop_queue(s->worker->loop), &s->free_task);
}

/* The last bytes for a client that may still be sending: closing a socket with unread
 * input would make the kernel reset it and throw our message away. */
static void
say_goodbye(struct sess_leg *client)
{
    char waste[4096];
    if (client->fd < 0 || client->is_broken)
        return;
    if (buf_len(&client->out) > 0)
        (void)!sess_leg_send(client, buf_ptr(&client->out), buf_len(&client->out));
    if (client->tls)
        net_tls_shutdown(client->tls);
    shutdown(client->fd, SHUT_WR);
    for (int i = 0; i < 16; i++) {
        if (recv(client->fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
            break;
    }
}

/* The one line that a session's end leaves in the log. message: what the client was told. */
static void
log_end(const struct sess *s, enum sess_end reason, const char *message)
{
    bool is_warning = end_reasons[reason].is_warning;
    if (is_warning || s->worker->env.snap->cfg->log_disconnections)
        sess_log(s, is_warning, "closed: %s%s%s", end_reasons[reason].text,
            message ? ": " : "", message ? message : "");
}

static void
end(struct sess *s, enum sess_end reason, const char *message)
{
    if (s->state == SESS_ST_CLOSED)
        return;
    bool was_ready = s->state == SESS_ST_READY || s->state == SESS_ST_ADMIN;
    /* Everything sent is answered, or the client left and the server came to its end in
     * order: then an open transaction is rolled back. Else nobody can know. */
    s->end = reason;
    sess_track_end(s, s->n_sent <= s->n_done);
    if (s->steps && s->request)
        gate_not_sent(s->request, AUD_UNKNOWN, NULL,
            "the session ended while statements before it ran");
    sess_set_state(s, SESS_ST_CLOSED);
    log_end(s, reason, message);
    if (was_ready && s->worker->env.snap->cfg->audit_sessions)
        gate_record_session(&s->gate, false, end_reasons[reason].text);
    sess_timer_done(s);
    sess_idle_free(s);
    say_goodbye(&s->client);
    s->gate.tls_version = s->gate.tls_cipher = s->gate.tls_subject = NULL;
    s->gate.tls_cn = NULL;
    sess_leg_close(&s->client);
    sess_leg_close(&s->server);
    buf_deinit(&s->notices);
    sess_dial_free(s->dial);
    s->dial = NULL;
    sess_login_free(s->login);
    s->login = NULL;
    sess_console_free(s->console);
    s->console = NULL;
    list_remove(&s->worker->sessions, &s->node);
    if (s->n_outstanding == 0)
        release(s);
}

void
sess_end(struct sess *s, enum sess_end reason)
{
    end(s, reason, NULL);
}

bool
sess_answered(struct sess *s)
{
    DG_ASSERT(s->n_outstanding > 0, "an answer nobody asked for");
    s->n_outstanding--;
    if (s->state != SESS_ST_CLOSED)
        return false;
    if (s->n_outstanding == 0)
        release(s);
    return true;
}

void
sess_fatal(struct sess *s, enum sess_end reason, const char *sqlstate,
    const char *message, const char *hint)
{
    struct gate_message m = {
        .severity = "FATAL", .sqlstate = sqlstate, .message = message, .hint = hint
    };
    sess_fatal_message(s, reason, &m);
}

void
sess_fatal_message(struct sess *s, enum sess_end reason, const struct gate_message *m)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(PGW_MAX_ERROR);
    const char *message = m->message;
    if (s->state == SESS_ST_CLOSED)
        return;
    if (s->login && s->login->prelude == SESS_PRELUDE_TLS)
        s->client.is_broken = true; /* half a handshake carries no words */
    /* Not in the midst of another message, nor after the server's own last word. */
    bool is_amid = s->server.pass > 0 || (s->console && sess_console_is_amid(s));
    if (!is_amid && !s->has_said_fatal) {
        sess_message_error(m, false, &b);
        sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
    }
    end(s, reason, str_prefix(message, OURS) ? message + strlen(OURS) : message);
}

/* Whoever has just come is served once: the socket took him before it closed, and he would
 * see a failed transaction where he connects anew for each. */
#define FRESH_US 1000000

static bool
is_fresh(const struct sess *s)
{
    const struct clk *clk = s->worker->shared->clk;
    return s->n_done == 0 && clk->mono_us(clk) - s->born_us < FRESH_US;
}

void
sess_drain(struct sess *s)
{
    bool idle = s->state == SESS_ST_READY && sess_is_idle(s) && s->gate.tx_status == 'I'
        && s->wait == SESS_WAIT_NONE && buf_len(&s->client.in) == 0;
    if (s->state == SESS_ST_ADMIN)
        idle = sess_console_is_free(s) && buf_len(&s->client.in) == 0;
    if ((idle || s->state == SESS_ST_STARTUP) && !is_fresh(s))
        sess_fatal(s, SESS_END_SHUTDOWN, "57P01",
            "ddlgate: terminating connection because the gate shuts down", "reconnect");
}
