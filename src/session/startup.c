// SPDX-License-Identifier: ISC
/* The first bytes of a connection: PROXY header, TLS, first packets (manual 55.2.1,
 * 55.2.12, 55.7). Before a login is accepted a connection costs bounded memory and time. */
#include "base/mem.h"
#include "net/proxy.h"
#include "session/links.h"
#include "session/login.h"
#include "session/session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TLS_HANDSHAKE 0x16 /* record type of a ClientHello */

/* Timeouts that a policy sets and a client may only make stricter. */
static const char *const timeouts[] = { "lock_timeout", "statement_timeout",
    "idle_in_transaction_session_timeout" };

struct packet {
    struct sess *s;
    const struct pgw_startup *client;
    struct arena *arena;
    struct str keys[2 * PGW_MAX_PARAMS], values[2 * PGW_MAX_PARAMS];
    size_t n;
    uint32_t protocol;
};

static void negotiate(struct sess *s, struct packet *p);

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
build_packet(
    struct sess *s, const struct pgw_startup *client, const struct gate_target *t)
{
    const struct cfg_database *d = s->to->cfg;
    AUTO(arena_free) struct arena *a = arena_new();
    struct packet p = { .s = s, .client = client, .arena = a };
    struct pol_session session;
    for (size_t i = 0; i < client->n; i++) {
        p.keys[i] = client->keys[i];
        p.values[i] = client->values[i];
    }
    p.n = client->n;
    p.protocol = client->protocol;
    if (s->login->is_gates)
        negotiate(s, &p);
    s->login->protocol = p.protocol;
    packet_set(&p, "database", d->dbname ? d->dbname : s->gate.database);
    if (d->user)
        packet_set(&p, "user", d->user);
    if (!client_value(p.client, p.arena, "standard_conforming_strings"))
        packet_set(&p, "standard_conforming_strings", "on");
    gate_client_pol_session(&s->gate, &session);
    pol_startup(t->policy, &session, policy_parameter, &p);
    pgw_startup_build(&s->login->startup, p.protocol, p.keys, p.values, p.n);
}

/* --- before the first packet --------------------------------------------------------------- */

void
sess_startup_begin(struct sess *s, int fd)
{
    struct sess_login *l = s->login;
    l->local.len = sizeof(l->local.ss);
    if (getsockname(fd, (struct sockaddr *)&l->local.ss, &l->local.len) != 0)
        l->local.len = 0;
    if (sess_links_expects_proxy(s->links, &s->peer))
        l->prelude = SESS_PRELUDE_PROXY;
    else if (s->links->client_tls)
        l->prelude = SESS_PRELUDE_FIRST;
    else
        l->prelude = SESS_PRELUDE_DONE;
}

static void
broken_proxy(struct sess *s, const char *why)
{
    sess_log(s, true, "PROXY header: %s (proxy_protocol_from)", why);
    sess_end(s, SESS_END_CLIENT_PROTOCOL);
}

/* Reads what the header still needs and nothing behind it. true: it is complete. */
static bool
read_proxy(struct sess *s)
{
    struct sess_login *l = s->login;
    struct net_proxy header;
    struct err err = { "" };
    for (;;) {
        size_t missing = 0;
        int r = net_proxy_parse(buf_len(&l->proxy) ? buf_ptr(&l->proxy) : "",
            buf_len(&l->proxy), &header, &missing, &err);
        if (r == 0)
            break;
        if (r != NET_PROXY_NEED_MORE || buf_reserve(&l->proxy, missing) != 0) {
            broken_proxy(s, r == NET_PROXY_NEED_MORE ? "it is too long" : err.text);
            return false;
        }
        ssize_t got = recv(s->client.fd, l->proxy.data + l->proxy.tail, missing, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (got <= 0) {
            sess_end(s, SESS_END_CLIENT_CLOSED);
            return false;
        }
        l->proxy.tail += (size_t)got;
    }
    buf_deinit(&l->proxy);
    if (!header.is_local) {
        sess_set_peer(s, &header.source);
        s->gate.peer_uid[0] = 0; /* the load balancer's, not the client's */
        l->local = header.destination;
    }
    return true;
}

/* PostgreSQL 17's direct TLS begins with a ClientHello, everything else with a length. */
static enum sess_prelude
look_at_first_byte(struct sess *s)
{
    unsigned char first;
    if (recv(s->client.fd, &first, 1, MSG_PEEK) != 1)
        return SESS_PRELUDE_DONE; /* the read that follows finds out why */
    if (first != TLS_HANDSHAKE)
        return SESS_PRELUDE_DONE;
    s->login->is_direct_tls = true;
    s->login->has_asked_ssl = true;
    s->client.tls = net_tls_accept(s->links->client_tls, s->client.fd);
    return SESS_PRELUDE_TLS;
}

/* true: TLS stands. */
static bool
shake_hands(struct sess *s)
{
    struct err err = { "" };
    int r = net_tls_handshake(s->client.tls, &err);
    s->login->tls_wants = r;
    if (r == 0 && s->login->is_direct_tls && !net_tls_has_alpn(s->client.tls))
        r = err_set(
            &err, -EPROTO, "direct TLS without the ALPN protocol \"postgresql\"");
    if (r == 0) {
        s->gate.tls_version = net_tls_version(s->client.tls);
        s->gate.tls_cipher = net_tls_cipher(s->client.tls);
        s->gate.tls_subject = net_tls_peer_dn(s->client.tls);
        s->gate.tls_cn = net_tls_peer_cn(s->client.tls);
    }
    if (r < 0) {
        s->client.is_broken = true; /* nothing can be said that it would understand */
        sess_fatal(s, SESS_END_TLS_FAILED, "08P01", err.text, NULL);
        return false;
    }
    return r == 0;
}

bool
sess_startup_prelude(struct sess *s)
{
    struct sess_login *l = s->login;
    if (l->prelude == SESS_PRELUDE_PROXY) {
        if (!read_proxy(s))
            return false;
        l->prelude = s->links->client_tls ? SESS_PRELUDE_FIRST : SESS_PRELUDE_DONE;
        if (l->prelude == SESS_PRELUDE_FIRST)
            return false; /* the byte may not be there yet */
    }
    if (l->prelude == SESS_PRELUDE_FIRST)
        l->prelude = look_at_first_byte(s);
    if (l->prelude == SESS_PRELUDE_TLS) {
        if (!shake_hands(s))
            return false;
        l->prelude = SESS_PRELUDE_DONE;
    }
    return true;
}

/* --- the startup packet ----------------------------------------------------------------- */

/* Is encryption there, as far as the configuration demands it? Unix sockets need none, as
 * in pgbouncer. */
static bool
is_encrypted_enough(struct sess *s)
{
    const struct cfg *cfg = s->links->cfg;
    if (s->client.tls || cfg->client_tls_sslmode < CFG_SSL_REQUIRE
        || s->peer.ss.ss_family == AF_UNIX)
        return true;
    sess_fatal(s, SESS_END_LOGIN_FAILED, "28000",
        "ddlgate: TLS is required (client_tls_sslmode)",
        "connect with sslmode=require");
    return false;
}

/* The gate speaks 3.2 itself where it authenticates: newer minor versions and protocol
 * options are negotiated away here, since the server is reached only later. */
static void
negotiate(struct sess *s, struct packet *p)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 * PGW_MAX_STARTUP);
    struct str unknown[2 * PGW_MAX_PARAMS];
    size_t n_unknown = 0, n = 0;
    bool is_newer = p->protocol > PGW_PROTOCOL_3_2;
    for (size_t i = 0; i < p->n; i++) {
        if (p->keys[i].n >= 5 && memcmp(p->keys[i].p, "_pq_.", 5) == 0) {
            unknown[n_unknown++] = p->keys[i];
        } else {
            p->keys[n] = p->keys[i];
            p->values[n++] = p->values[i];
        }
    }
    p->n = n;
    if (is_newer)
        p->protocol = PGW_PROTOCOL_3_2;
    if (!is_newer && n_unknown == 0)
        return;
    pgw_build_negotiate(&out, p->protocol, unknown, n_unknown);
    sess_send(s, &s->client, buf_ptr(&out), buf_len(&out));
}

/* Values as in PostgreSQL's ProcessStartupPacket: a database name or a boolean. */
static bool
is_physical_replication(const struct pgw_startup *p)
{
    const struct str *v = pgw_startup_get(p, "replication");
    bool is_on = false;
    return v && str_bool(*v, &is_on) == 0 && is_on;
}

/* There is no server that could negotiate, whoever authenticates. */
static void
begin_console(struct sess *s, const struct pgw_startup *client)
{
    struct packet p = { .s = s, .client = client, .protocol = client->protocol };
    for (p.n = 0; p.n < client->n; p.n++) {
        p.keys[p.n] = client->keys[p.n];
        p.values[p.n] = client->values[p.n];
    }
    negotiate(s, &p);
    s->login->protocol = p.protocol;
    s->login->is_console = true;
    sess_login_begin(s, false);
}

static void
accept_startup(struct sess *s, const struct pgw_startup *p)
{
    struct sess_worker *w = s->worker;
    struct gate_client *g = &s->gate;
    AUTO(arena_free) struct arena *a = arena_new();
    const struct str *user = pgw_startup_get(p, "user");
    const struct str *database = pgw_startup_get(p, "database");
    const struct str *app = pgw_startup_get(p, "application_name");
    if (!database || database->n == 0)
        database = user;
    g->role = mem_strndup(user->p, user->n);
    g->database = mem_strndup(database->p, database->n);
    g->application_name = app ? mem_strndup(app->p, app->n) : NULL;
    gate_client_login_path(g, client_value(p, a, "search_path"));
    if (s->login->is_rejected) {
        sess_fatal(s, SESS_END_TOO_MANY, "53300",
            "ddlgate: sorry, too many clients already (max_client_conn)", NULL);
        return;
    }
    if (!is_encrypted_enough(s))
        return;
    bool is_replication = is_physical_replication(p);
    if (!is_replication && cfg_is_admin_database(s->links->cfg, g->database)) {
        begin_console(s, p);
        return;
    }
    struct gate_target t = gate_snapshot_find(w->env.snap, g->database);
    const struct cfg_database *d = cfg_find_database(s->links->cfg, g->database);
    if (!t.database || !d) {
        struct err text;
        err_set(&text, 0, "ddlgate: database \"%s\" is not served by this gate",
            g->database);
        sess_fatal(s, SESS_END_NO_DATABASE, "3D000", text.text,
            "add it, or a * entry, to [databases]");
        return;
    }
    s->to = sess_links_find(s->links, d);
    build_packet(s, p, &t);
    sess_login_begin(s, is_replication);
}

static bool
is_first_request(struct sess *s, bool *has_asked)
{
    if (*has_asked) {
        sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01",
            "ddlgate: encryption was asked for twice", NULL);
        return false;
    }
    *has_asked = true;
    return true;
}

static size_t
decline(struct sess *s, bool *has_asked, size_t size)
{
    if (!is_first_request(s, has_asked))
        return 0;
    sess_send(s, &s->client, "N", 1);
    return size;
}

/* What stands behind the request was sent in clear: whoever put it there wants it taken for
 * something said under TLS. */
static size_t
accept_tls(struct sess *s, size_t size, size_t n)
{
    if (!s->links->client_tls || s->peer.ss.ss_family == AF_UNIX)
        return decline(s, &s->login->has_asked_ssl, size);
    if (!is_first_request(s, &s->login->has_asked_ssl))
        return 0;
    if (n != size) {
        sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01",
            "ddlgate: received unencrypted data after SSL request", NULL);
        return 0;
    }
    sess_send(s, &s->client, "S", 1);
    s->client.tls = net_tls_accept(s->links->client_tls, s->client.fd);
    s->login->prelude = SESS_PRELUDE_TLS;
    return size;
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
        return accept_tls(s, packet.size, n);
    case PGW_GSSENC_REQUEST:
        return decline(s, &s->login->has_asked_gss, packet.size);
    case PGW_CANCEL_REQUEST:
        sess_cancel(s, packet.cancel_pid, packet.cancel_key);
        return packet.size;
    case PGW_STARTUP:
        accept_startup(s, &packet);
        return s->state == SESS_ST_CLOSED ? 0 : packet.size;
    }
    return 0;
}
