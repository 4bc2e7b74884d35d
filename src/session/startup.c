// SPDX-License-Identifier: ISC
/* The first packets of a connection, and the way to the server (manual 55.2.1, 55.7). */
#include "base/log.h"
#include "base/mem.h"
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Timeouts that a policy sets and a client may only make stricter. */
static const char *const timeouts[] = { "lock_timeout", "statement_timeout",
    "idle_in_transaction_session_timeout" };

struct packet {
    struct sess *s;
    const struct pgw_startup *client;
    struct arena *arena;
    struct str keys[2 * PGW_MAX_PARAMS], values[2 * PGW_MAX_PARAMS];
    size_t n;
};

static void
packet_set(struct packet *p, const char *key, const char *value)
{
    for (size_t i = 0; i < p->n; i++) {
        if (str_ieqz(p->keys[i], key)) {
            p->values[i] = str_of(arena_strdup(p->arena, value));
            return;
        }
    }
    if (p->n < DG_ARRAY_SIZE(p->keys)) {
        p->keys[p->n] = str_of(arena_strdup(p->arena, key));
        p->values[p->n++] = str_of(arena_strdup(p->arena, value));
    }
}

/* What the client itself says of a parameter, as key of its own or in `options`. */
static const char *
client_value(const struct pgw_startup *p, struct arena *a, const char *name)
{
    const struct str *v = pgw_startup_get(p, name);
    if (v)
        return arena_strndup(a, v->p, v->n);
    char value[256];
    const struct str *options = pgw_startup_get(p, "options");
    if (options && pgw_options_get(*options, name, value, sizeof(value)))
        return arena_strdup(a, value);
    return NULL;
}

/* Is the client's own timeout at least as strict as policy's? 0 means none. */
static bool
is_stricter(const char *theirs, const char *ours)
{
    int64_t a, b;
    if (str_duration(str_of(theirs), 1, &a) != 0
        || str_duration(str_of(ours), 1, &b) != 0)
        return false;
    return a > 0 && (b == 0 || a <= b);
}

static void
policy_parameter(void *ctx, const char *name, const char *value)
{
    struct packet *p = ctx;
    const char *theirs = client_value(p->client, p->arena, name);
    for (size_t i = 0; theirs && i < DG_ARRAY_SIZE(timeouts); i++) {
        if (strcmp(name, timeouts[i]) == 0 && is_stricter(theirs, value))
            return;
    }
    packet_set(p, name, value);
}

/* The client's packet with our parameters: standard_conforming_strings is known from the
 * first text on, policy's `startup` values hold, the database has its real name. A key of
 * its own wins over `options` at the server, so a looser value there has no effect. */
static void
build_packet(struct sess *s, const struct pgw_startup *client,
    const struct gate_target *t, const char *dbname)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct packet p = { .s = s, .client = client, .arena = a };
    struct pol_session session;
    for (size_t i = 0; i < client->n; i++) {
        p.keys[i] = client->keys[i];
        p.values[i] = client->values[i];
    }
    p.n = client->n;
    packet_set(&p, "database", dbname ? dbname : s->gate.database);
    if (!client_value(p.client, p.arena, "standard_conforming_strings"))
        packet_set(&p, "standard_conforming_strings", "on");
    gate_client_pol_session(&s->gate, &session);
    pol_startup(t->policy, &session, policy_parameter, &p);
    pgw_startup_build(&s->startup, client->protocol, p.keys, p.values, p.n);
}

/* --- connecting ----------------------------------------------------------------------- */

#define MAX_ADDRESSES 8

/* Goes to a helper thread with a host name and comes back with addresses. */
struct resolve {
    struct task task;
    struct sess *s;
    struct task_queue *queue;
    char *host, *port; /* owned */
    struct net_addr found[MAX_ADDRESSES];
    int n;
    struct err err;
};

static void
resolve_free(struct resolve *r)
{
    mem_free(r->host);
    mem_free(r->port);
    mem_free(r);
}

static void
connect_failed(struct sess *s, const char *where, const char *why)
{
    struct err text;
    err_set(&text, 0,
        "ddlgate: can't reach the PostgreSQL server at %s for database \"%s\": %s",
        where, s->gate.database, why);
    sess_fatal(s, SESS_END_CONNECT_FAILED, "08006", text.text,
        "start the server or correct [databases]; the gate tries anew with every connection");
}

static void
name_upstream(
    struct sess *s, const struct net_addr *addr, char where[NET_ADDR_TEXT_SIZE])
{
    char host[NET_ADDR_TEXT_SIZE];
    s->upstream = *addr;
    net_addr_text(addr, where);
    net_addr_host(addr, host);
    mem_free(s->gate.server_addr);
    s->gate.server_addr = mem_strdup(*host ? host : where);
    s->gate.server_port = net_addr_port(addr);
}

/* Goes through the addresses of the server until one takes us. why: of the one before. */
static void
connect_next(struct sess *s, int why)
{
    char where[NET_ADDR_TEXT_SIZE] = "?";
    if (s->next_addr > 0)
        net_addr_text(&s->upstream, where);
    while (s->next_addr < s->n_addrs) {
        name_upstream(s, &s->addrs[s->next_addr++], where);
        int fd = net_connect(&s->upstream);
        if (fd >= 0) {
            s->server.fd = fd;
            net_watch_init(&s->server.watch, s->worker->loop, fd, sess_server_event, s);
            sess_watch(s);
            return;
        }
        why = fd;
    }
    connect_failed(s, where, strerror(-why));
}

/* Takes a copy of addrs. */
static void
connect_to(struct sess *s, const struct net_addr *addrs, int n)
{
    s->addrs = mem_array((size_t)n, sizeof(*addrs));
    memcpy(s->addrs, addrs, (size_t)n * sizeof(*addrs));
    s->n_addrs = (size_t)n;
    net_timer_start(&s->timer, s->worker->env.snap->cfg->server_connect_timeout_ms);
    connect_next(s, 0);
}

void
sess_connected(struct sess *s)
{
    const struct cfg *cfg = s->worker->env.snap->cfg;
    int r = net_connect_result(s->server.fd);
    if (r) {
        sess_leg_close(&s->server);
        connect_next(s, r);
        return;
    }
    mem_free(s->addrs);
    s->addrs = NULL;
    struct net_keepalive ka = {
        .enabled = cfg->tcp_keepalive,
        .idle_s = (int)(cfg->tcp_keepidle_ms / 1000),
        .interval_s = (int)(cfg->tcp_keepintvl_ms / 1000),
        .count = (int)cfg->tcp_keepcnt,
        .user_timeout_ms = (int)cfg->tcp_user_timeout_ms,
    };
    net_sock_options(s->server.fd, &ka);
    sess_set_state(s, SESS_ST_LOGIN);
    net_timer_start(&s->timer, cfg->client_login_timeout_ms);
    sess_send(s, &s->server, buf_ptr(&s->startup), buf_len(&s->startup));
    buf_deinit(&s->startup);
    sess_resume(s);
}

static void
resolved(struct task *task)
{
    struct resolve *r = LIST_ENTRY(task, struct resolve, task);
    struct sess *s = r->s;
    if (!sess_answered(s)) {
        if (r->n <= 0)
            connect_failed(s, r->host, r->err.text);
        else
            connect_to(s, r->found, r->n);
    }
    resolve_free(r);
}

static void
resolve_away(struct task *task)
{
    struct resolve *r = LIST_ENTRY(task, struct resolve, task);
    r->n = net_resolve(r->host, r->port, false, r->found, MAX_ADDRESSES, &r->err);
    task->run = resolved;
    task_post(r->queue, task);
}

static void
start_connect(struct sess *s, const struct sess_upstream *up)
{
    struct err err = { "" };
    if (net_is_numeric(up->host) || up->host[0] == '/') {
        struct net_addr addr;
        int n = net_resolve(up->host, up->port, false, &addr, 1, &err);
        if (n <= 0)
            connect_failed(s, up->host, err.text);
        else
            connect_to(s, &addr, 1);
        return;
    }
    struct resolve *r = mem_zalloc(sizeof(*r));
    r->s = s;
    r->queue = net_loop_queue(s->worker->loop);
    r->host = mem_strdup(up->host);
    r->port = mem_strdup(up->port);
    r->task.run = resolve_away;
    s->n_outstanding++;
    task_pool_post(s->worker->shared->parsers, &r->task);
}

/* --- the startup packet ----------------------------------------------------------------- */

static void
accept_startup(struct sess *s, const struct pgw_startup *p)
{
    struct sess_worker *w = s->worker;
    struct gate_client *g = &s->gate;
    AUTO(arena_free) struct arena *a = arena_new();
    struct sess_upstream up;
    struct err err = { "" };
    const struct str *user = pgw_startup_get(p, "user");
    const struct str *database = pgw_startup_get(p, "database");
    const struct str *app = pgw_startup_get(p, "application_name");
    if (!database || database->n == 0)
        database = user;
    g->role = mem_strndup(user->p, user->n);
    g->database = mem_strndup(database->p, database->n);
    g->application_name = app ? mem_strndup(app->p, app->n) : NULL;
    gate_client_login_path(g, client_value(p, a, "search_path"));
    if (s->is_rejected) {
        sess_fatal(s, SESS_END_TOO_MANY, "53300",
            "ddlgate: sorry, too many clients already (max_client_conn)", NULL);
        return;
    }
    struct gate_target t = gate_snapshot_find(w->env.snap, g->database);
    if (!t.database) {
        struct err text;
        err_set(&text, 0, "ddlgate: database \"%s\" is not served by this gate",
            g->database);
        sess_fatal(s, SESS_END_NO_DATABASE, "3D000", text.text,
            "add it, or a * entry, to [databases]");
        return;
    }
    if (w->shared->upstream(w->shared->ctx, t.database, a, &up, &err) != 0) {
        connect_failed(s, t.database->name, err.text);
        return;
    }
    build_packet(s, p, &t, up.dbname);
    sess_set_state(s, SESS_ST_CONNECTING);
    start_connect(s, &up);
}

/* At most one of each request; TLS and GSSAPI encryption are declined. */
static bool
decline(struct sess *s, bool *has_asked)
{
    if (*has_asked) {
        sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01",
            "ddlgate: encryption was asked for twice", NULL);
        return false;
    }
    *has_asked = true;
    sess_send(s, &s->client, "N", 1);
    return true;
}

size_t
sess_startup_bytes(struct sess *s, const char *p, size_t n)
{
    struct pgw_startup packet;
    struct err err = { "" };
    int r = pgw_startup_parse(p, n, &packet, &err);
    if (r == PGW_NEED_MORE)
        return 0;
    if (r != 0) {
        struct err text;
        err_set(&text, 0, "ddlgate: %s", err.text);
        sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01", text.text, NULL);
        return 0;
    }
    switch (packet.kind) {
    case PGW_SSL_REQUEST:
        return decline(s, &s->has_asked_ssl) ? packet.size : 0;
    case PGW_GSSENC_REQUEST:
        return decline(s, &s->has_asked_gss) ? packet.size : 0;
    case PGW_CANCEL_REQUEST:
        if (packet.cancel_key.n != 4) {
            sess_end(s, SESS_END_CLIENT_PROTOCOL);
            return 0;
        }
        sess_cancel(s, packet.cancel_pid, pgw_u32(packet.cancel_key.p));
        return packet.size;
    case PGW_STARTUP:
        accept_startup(s, &packet);
        return s->state == SESS_ST_CLOSED ? 0 : packet.size;
    }
    return 0;
}
