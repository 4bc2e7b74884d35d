// SPDX-License-Identifier: ISC
/* Both conversations of a login. */
#include "session/login.h"

#include "base/hash.h"
#include "base/mem.h"
#include "session/console.h"
#include "session/dial.h"
#include "session/links.h"

#include <string.h>

#define MAX_PROXY_HEADER ((size_t)4 << 10)
#define PLUS             "SCRAM-SHA-256-PLUS"
#define KEY_BYTES_3_2 \
    32 /* what PostgreSQL 18 gives; a client of protocol 3.2 expects no less */

struct sess_login *
sess_login_new(const struct cfg *cfg)
{
    struct sess_login *l = mem_zalloc(sizeof(*l));
    buf_init(&l->startup, 4 * PGW_MAX_STARTUP);
    buf_init(&l->proxy, MAX_PROXY_HEADER);
    l->is_gates = cfg->auth_type != CFG_AUTH_PASSTHROUGH;
    return l;
}

void
sess_login_free(struct sess_login *l)
{
    if (!l)
        return;
    buf_deinit(&l->startup);
    buf_deinit(&l->proxy);
    auth_server_free(l->server);
    auth_client_free(l->client);
    auth_secret_wipe(&l->secret);
    auth_proof_wipe(&l->proof);
    if (l->ask)
        l->ask->owner = NULL; /* its answer will find nobody */
    mem_free(l);
}

static const struct cfg *
cfg_of(const struct sess *s)
{
    return s->links->cfg;
}

static void
send_message(struct sess *s, struct sess_leg *to, char type, const struct buf *body)
{
    size_t n = buf_len(body) + 4;
    AUTO(buf_deinit) struct buf b = BUF_INIT(n + 1);
    b.is_secret = true;
    char head[5] = { type, (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };
    buf_put(&b, head, sizeof(head));
    buf_put(&b, buf_ptr(body), buf_len(body));
    sess_send(s, to, buf_ptr(&b), buf_len(&b));
}

/* --- who may come in -------------------------------------------------------------------- */

static struct str
binding_of(const struct net_tls *tls, unsigned char *bytes)
{
    size_t n = tls ? net_tls_binding(tls, bytes) : 0;
    return (struct str){ (const char *)bytes, n };
}

/* In the server's own words, so that drivers and people know them. reason: for the log. */
static void
refuse_login(struct sess *s, const char *sqlstate, const char *how, const char *reason)
{
    struct err text;
    sess_log(s, true, "login refused: %s", reason);
    err_set(&text, 0, "%s authentication failed for user \"%s\"", how, s->gate.role);
    sess_fatal(s, SESS_END_LOGIN_FAILED, sqlstate, text.text, NULL);
}

static void
no_record(struct sess *s, int line)
{
    struct err text;
    err_set(&text, 0,
        "ddlgate: %s of auth_hba_file %s host \"%s\", user \"%s\", database \"%s\", %s",
        line ? "a record" : "no record", line ? "rejects" : "is for",
        *s->gate.client_addr ? s->gate.client_addr : "[local]", s->gate.role,
        s->gate.database, s->client.tls ? "TLS" : "no encryption");
    if (line)
        sess_log(s, true, "%s:%d rejects it", cfg_of(s)->auth_hba_file, line);
    sess_fatal(s, SESS_END_LOGIN_FAILED, "28000", text.text, NULL);
}

static void
login_accepted(struct sess *s)
{
    struct sess_login *l = s->login;
    auth_server_take_proof(l->server, &l->proof);
    auth_server_free(l->server);
    l->server = NULL;
    if (l->is_console)
        sess_console_begin(s);
    else
        sess_login_connect(s);
}

/* One step of the conversation with the client. */
static void
step(struct sess *s, const struct str *body)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(PGW_MAX_AUTH);
    struct err err = { "" };
    switch (auth_server_next(s->login->server, body, &out, &err)) {
    case AUTH_GO_ON:
        send_message(s, &s->client, 'R', &out);
        break;
    case AUTH_DONE:
        if (buf_len(&out) > 0)
            send_message(s, &s->client, 'R', &out);
        login_accepted(s);
        break;
    case AUTH_FAILED:
        refuse_login(s, "28P01", "password", err.text);
        break;
    }
}

/* The secret is known, or it is known that there is none. */
static void
ask_client(struct sess *s, enum auth_method method, bool is_known)
{
    unsigned char bytes[NET_TLS_BINDING_MAX];
    struct sess_login *l = s->login;
    l->server = auth_server_new(method, s->gate.role, is_known ? &l->secret : NULL,
        binding_of(s->client.tls, bytes));
    step(s, NULL);
}

static void
secret_answered(struct task *task)
{
    struct sess_ask *ask = LIST_ENTRY(task, struct sess_ask, task);
    struct sess *s = ask->owner;
    if (s)
        s->login->ask = NULL;
    if (s && s->state == SESS_ST_AUTH) {
        if (!ask->is_found && ask->why.text[0]) {
            struct err text;
            err_set(&text, 0, "ddlgate: auth_query failed: %s", ask->why.text);
            sess_fatal(s, SESS_END_LOGIN_FAILED, "08006", text.text,
                "the control login needs the rights that auth_query takes");
        } else {
            if (ask->is_found) {
                s->login->secret = ask->secret;
                ask->secret = (struct auth_secret){ .kind = AUTH_SECRET_NONE };
            }
            ask_client(s, s->login->method, ask->is_found);
        }
        sess_resume(s);
    }
    sess_ask_free(ask);
}

static struct sess_ask *
ask_control(struct sess *s, enum sess_ask_kind kind, void (*answered)(struct task *))
{
    struct sess_shared *shared = s->worker->shared;
    struct sess_ask *ask = mem_zalloc(sizeof(*ask));
    ask->task.run = answered;
    ask->queue = net_loop_queue(s->worker->loop);
    ask->owner = s;
    ask->kind = kind;
    ask->links = ref_take(s->links);
    ask->target = s->to->cfg;
    ask->database = mem_strdup(s->gate.database);
    ask->user = mem_strdup(s->gate.role);
    s->login->ask = ask;
    shared->ask(shared->ctx, ask);
    return ask;
}

static enum auth_method
method_of(struct sess *s, bool is_replication, int *line)
{
    struct auth_hba_ask ask = { .user = s->gate.role,
        .database = s->gate.database,
        .peer = (const struct sockaddr *)&s->peer.ss,
        .is_tls = s->client.tls != NULL,
        .is_replication = is_replication };
    *line = -1;
    switch ((enum cfg_auth)cfg_of(s)->auth_type) {
    case CFG_AUTH_SCRAM:
        return AUTH_SCRAM;
    case CFG_AUTH_MD5:
        return AUTH_MD5;
    case CFG_AUTH_CERT:
        return AUTH_CERT;
    case CFG_AUTH_TRUST:
    case CFG_AUTH_PASSTHROUGH:
        return AUTH_TRUST;
    case CFG_AUTH_HBA:
        return auth_hba_find(s->links->hba, &ask, line);
    }
    return AUTH_REJECT;
}

static bool
is_certified(const struct sess *s)
{
    const char *cn = s->client.tls ? net_tls_peer_cn(s->client.tls) : NULL;
    return cn && strcmp(cn, s->gate.role) == 0;
}

/* The gate can't check a password, but the kernel knows who is at a unix socket. */
static void
begin_by_peer(struct sess *s)
{
    if (sess_console_is_trusted(s)) {
        sess_console_begin(s);
        return;
    }
    sess_fatal(s, SESS_END_LOGIN_FAILED, "28000",
        "ddlgate: with auth_type = passthrough only root and the gate's own user may use "
        "the gate's own database, through a unix socket",
        "connect to a folder of listen_addr as this user, or set another auth_type and "
        "admin_users");
}

void
sess_login_begin(struct sess *s, bool is_replication)
{
    struct sess_login *l = s->login;
    int line;
    if (l->is_console && !l->is_gates) {
        begin_by_peer(s);
        return;
    }
    if (!l->is_gates) {
        sess_login_connect(s);
        return;
    }
    sess_set_state(s, SESS_ST_AUTH);
    l->method = method_of(s, is_replication, &line);
    if (l->method == AUTH_REJECT) {
        no_record(s, line);
        return;
    }
    if (l->method == AUTH_CERT && !is_certified(s)) {
        refuse_login(s, "28000", "certificate",
            "the certificate's common name is not the user's name");
        return;
    }
    const struct auth_secret *secret = s->links->users
        ? auth_file_find(s->links->users, s->gate.role)
        : NULL;
    bool wants_secret = l->method != AUTH_TRUST && l->method != AUTH_CERT;
    if (secret)
        auth_secret_copy(secret, &l->secret);
    else if (wants_secret && cfg_of(s)->auth_query && !l->is_console) {
        /* (the gate's own database is none that auth_query could run in) */
        ask_control(s, SESS_ASK_SECRET, secret_answered);
        return;
    }
    ask_client(s, l->method, secret != NULL);
}

size_t
sess_auth_bytes(struct sess *s, const char *p, size_t n)
{
    struct pgw_head h;
    struct err err = { "" };
    if (s->login->ask) /* the secret is being looked up */
        return 0;
    int r = *p == 'X' ? PGW_NEED_MORE : pgw_head_login(p, n, &h, &err);
    if (*p == 'X') {
        sess_end(s, SESS_END_CLIENT_QUIT);
        return 0;
    }
    if (r != 0 && r != PGW_NEED_MORE) {
        struct err text;
        err_set(&text, 0, "ddlgate: %s", err.text);
        sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01", text.text, NULL);
        return 0;
    }
    if (r == PGW_NEED_MORE || n - PGW_HEADER_SIZE < h.body_len)
        return 0;
    struct str body = { p + PGW_HEADER_SIZE, h.body_len };
    step(s, &body);
    if (s->state == SESS_ST_CLOSED) /* and the buffer is gone */
        return 0;
    explicit_bzero((void *)(uintptr_t)p, PGW_HEADER_SIZE + (size_t)h.body_len);
    return PGW_HEADER_SIZE + (size_t)h.body_len;
}

/* --- the way to the server ---------------------------------------------------------------- */

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

/* What the gate has to show for this user at the server. */
static void
prepare_client(struct sess *s)
{
    struct sess_login *l = s->login;
    const struct cfg_database *d = s->to->cfg;
    unsigned char bytes[NET_TLS_BINDING_MAX];
    struct auth_secret own = { .kind = AUTH_SECRET_PLAIN };
    struct auth_client_args args = { .user = d->user ? d->user : s->gate.role,
        .secret = &l->secret,
        .proof = &l->proof,
        .binding = binding_of(s->server.tls, bytes) };
    if (d->user) {
        own.text = mem_strdup(d->password);
        args.secret = d->password ? &own : NULL;
        args.proof = NULL;
    }
    l->client = auth_client_new(&args);
    auth_secret_wipe(&own);
}

static void
dialled(void *ctx, const struct sess_dialled *got, const char *where, const char *why)
{
    struct sess *s = sess_of(ctx);
    const struct cfg *cfg = cfg_of(s);
    s->dial = NULL;
    if (!got) {
        connect_failed(s, where, why);
        return;
    }
    char text[NET_ADDR_TEXT_SIZE], host[NET_ADDR_TEXT_SIZE];
    s->upstream = got->addr;
    mem_free(s->upstream_host);
    s->upstream_host = mem_strdup(got->host);
    net_addr_text(&got->addr, text);
    net_addr_host(&got->addr, host);
    mem_free(s->gate.server_addr);
    s->gate.server_addr = mem_strdup(*host ? host : text);
    s->gate.server_port = net_addr_port(&got->addr);
    s->server.fd = got->fd;
    s->server.tls = got->tls;
    net_watch_init(&s->server.watch, s->worker->loop, got->fd, sess_server_event, s);
    struct net_keepalive ka = sess_keepalive(cfg);
    net_sock_options(got->fd, &ka);
    if (s->login->is_gates)
        prepare_client(s);
    s->login->next_host = s->to->cfg->target == CFG_TARGET_ANY ? got->next : 0;
    sess_set_state(s, SESS_ST_LOGIN);
    net_timer_start(&s->timer, cfg->client_login_timeout_ms);
    sess_send(s, &s->server, buf_ptr(&s->login->startup), buf_len(&s->login->startup));
    sess_resume(s);
}

static void
dial(struct sess *s, const struct cfg_host *host)
{
    struct sess_dial_args args = { .worker = s->worker,
        .links = s->links,
        .to = s->to,
        .hosts = host,
        .n_hosts = host ? 1 : 0,
        .first = host ? 0 : s->login->next_host,
        .client = s->peer.len ? &s->peer : NULL,
        .local = &s->login->local };
    s->dial = sess_dial_new(&args, dialled, s);
}

static void
server_answered(struct task *task)
{
    struct sess_ask *ask = LIST_ENTRY(task, struct sess_ask, task);
    struct sess *s = ask->owner;
    if (s)
        s->login->ask = NULL;
    if (s && s->state == SESS_ST_CONNECTING) {
        struct cfg_host host = { ask->host, ask->hostaddr, ask->port };
        if (ask->is_found)
            dial(s, &host);
        else
            connect_failed(s, s->to->cfg->hosts[0].host, ask->why.text);
    }
    sess_ask_free(ask);
}

void
sess_login_connect(struct sess *s)
{
    sess_set_state(s, SESS_ST_CONNECTING);
    net_timer_stop(&s->timer); /* the dial has limits of its own */
    if (s->to->cfg->target != CFG_TARGET_ANY)
        ask_control(s, SESS_ASK_SERVER, server_answered);
    else
        dial(s, NULL);
}

/* As libpq: a server that starts up, shuts down or recovers (57P03), or that closes at once,
 * is not the one, if there is another. */
bool
sess_login_may_move(struct sess *s, struct str sqlstate)
{
    struct sess_login *l = s->login;
    bool has_other = l->next_host > 0 && l->next_host < s->to->cfg->n_hosts;
    if (!has_other || l->has_heard || (sqlstate.n > 0 && !str_eqz(sqlstate, "57P03")))
        return false;
    l->is_moving = true;
    return true;
}

void
sess_login_move(struct sess *s)
{
    s->login->is_moving = false;
    sess_leg_close(&s->server);
    s->server.is_eof = s->server.is_broken = false;
    s->server.pass = s->server.skip = 0;
    auth_client_free(s->login->client);
    s->login->client = NULL;
    sess_login_connect(s);
}

/* --- the server's side ------------------------------------------------------------------ */

/* The login has succeeded: now, not earlier, it counts against the limits; an unknown
 * client can't use them up. */
static bool
is_within_limits(struct sess *s)
{
    struct sess_shared *shared = s->worker->shared;
    struct err text;
    const struct gate_client *g = &s->gate;
    s->has_taken_db = tally_take(
        shared->databases, g->database, (uint64_t)s->to->cfg->max_connections);
    if (!s->has_taken_db) {
        err_set(&text, 0,
            "ddlgate: too many connections for database \"%s\" (max_db_connections)",
            g->database);
        sess_fatal(s, SESS_END_TOO_MANY, "53300", text.text, NULL);
        return false;
    }
    s->has_taken_user = tally_take(
        shared->users, g->role, (uint64_t)cfg_user_limit(cfg_of(s), g->role));
    if (!s->has_taken_user) {
        err_set(&text, 0,
            "ddlgate: too many connections for user \"%s\" (max_user_connections)",
            g->role);
        sess_fatal(s, SESS_END_TOO_MANY, "53300", text.text, NULL);
        return false;
    }
    return true;
}

/* The gate's own answer to the server. */
static bool
answer_server(struct sess *s, const char *body, size_t n)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(PGW_MAX_AUTH);
    struct err err = { "" }, text;
    out.is_secret = true;
    switch (auth_client_next(s->login->client, (struct str){ body, n }, &out, &err)) {
    case AUTH_GO_ON:
        if (buf_len(&out) > 0)
            send_message(s, &s->server, 'p', &out);
        return false;
    case AUTH_DONE:
        return is_within_limits(s);
    case AUTH_FAILED:
        break;
    }
    err_set(&text, 0, "ddlgate: the gate can't log in at the server as user \"%s\": %s",
        s->to->cfg->user ? s->to->cfg->user : s->gate.role, err.text);
    sess_fatal(s, SESS_END_LOGIN_FAILED, "28000", text.text,
        "see \"Authentication\" in the README for what each combination needs");
    return false;
}

/* Takes SCRAM-SHA-256-PLUS out of a list that goes to a client without TLS: there is no
 * channel it could bind to, and libpq takes the offer for an attack. */
static bool
strip_plus(struct sess *s, const char *body, size_t n)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(PGW_MAX_AUTH);
    size_t pos = 4;
    bool is_found = false;
    if (s->client.tls || !s->server.tls || n > PGW_MAX_AUTH)
        return false;
    buf_put(&out, body, 4);
    while (pos < n && body[pos]) {
        size_t len = strnlen(body + pos, n - pos) + 1;
        if (pos + len > n)
            return false;
        if (strcmp(body + pos, PLUS) == 0)
            is_found = true;
        else
            buf_put(&out, body + pos, len);
        pos += len;
    }
    if (!is_found)
        return false;
    buf_put(&out, "", 1);
    send_message(s, &s->client, 'R', &out);
    return true;
}

bool
sess_login_authentication(struct sess *s, const char *body, size_t n)
{
    struct sess_login *l = s->login;
    uint32_t kind = n >= 4 ? pgw_u32(body) : PGW_AUTH_OK;
    l->has_heard = true;
    if (l->is_gates)
        return answer_server(s, body, n);
    l->is_sasl = kind == PGW_AUTH_SASL;
    l->is_asked = kind != PGW_AUTH_OK && kind != PGW_AUTH_SASL_FINAL;
    if (l->is_asked && s->wait == SESS_WAIT_LOGIN) {
        sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01",
            "ddlgate: expected an answer to the server's authentication request", NULL);
        return false;
    }
    if (kind == PGW_AUTH_OK && !is_within_limits(s))
        return false;
    return !(l->is_sasl && strip_plus(s, body, n));
}

bool
sess_login_negotiate(struct sess *s)
{
    s->login->has_heard = true;
    return !s->login->is_gates; /* the gate has negotiated with the client itself */
}

static bool
same_binding(const struct sess *s)
{
    unsigned char ours[NET_TLS_BINDING_MAX], theirs[NET_TLS_BINDING_MAX];
    size_t n = net_tls_binding(s->client.tls, ours);
    return n > 0 && n == net_tls_binding(s->server.tls, theirs)
        && memcmp(ours, theirs, n) == 0;
}

bool
sess_login_reply(struct sess *s, const char *body, size_t n)
{
    bool is_first = s->login->is_sasl;
    s->login->is_sasl = false;
    if (!is_first || !s->client.tls || !s->server.tls)
        return true;
    if (n <= strlen(PLUS) || memcmp(body, PLUS, sizeof(PLUS)) != 0 || same_binding(s))
        return true;
    sess_fatal(s, SESS_END_LOGIN_FAILED, "28000",
        "ddlgate: SCRAM can't bind to a channel through two TLS connections "
        "(auth_type = passthrough)",
        "set auth_type = scram-sha-256 with auth_file or auth_query in ddlgate.ini, give the "
        "gate the server's certificate, or connect with channel_binding=disable");
    return false;
}

/* The process id stays the server's, the secret becomes the gate's own. */
void
sess_login_key(struct sess *s, const char *body, size_t n)
{
    uint32_t pid;
    struct str key;
    AUTO(buf_deinit) struct buf out = BUF_INIT(PGW_MAX_CANCEL_KEY + 16);
    if (pgw_parse_backend_key(body, n, &pid, &key) != 0)
        return;
    bool is_new = s->login->is_gates && (s->login->protocol & 0xffff) >= 2;
    size_t ours = is_new ? KEY_BYTES_3_2 : key.n;
    mem_free(s->server_key);
    mem_free(s->client_key);
    s->gate.server_pid = pid;
    s->server_key_len = key.n;
    s->client_key_len = ours;
    s->server_key = mem_alloc(key.n);
    s->client_key = mem_alloc(ours);
    memcpy(s->server_key, key.p, key.n);
    hash_random(s->client_key, ours);
    pgw_build_backend_key(&out, pid, (struct str){ (const char *)s->client_key, ours });
    sess_send(s, &s->client, buf_ptr(&out), buf_len(&out));
}
