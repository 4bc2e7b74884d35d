// SPDX-License-Identifier: ISC
/* Connections and their queues of requests.
 *
 * A connection lives while it has requests, and idle_ms longer:
 *
 *   CLOSED -start-> CONNECTING -poll says OK-> IDLE -send-> BUSY -last result-> IDLE
 *      ^                |                       |            |
 *      +----------------+---- failure, limit ---+------------+
 *
 * A request that outlives its limit while it is the one under way takes the connection with
 * it: libpq's cancel blocks, and the server ends the statement by statement_timeout anyway.
 * A connection that turns out to be dead when it is used again (the server restarted) is
 * replaced once per request; everything runs read-only, so that repeating is harmless.
 * libpq resolves host names with blocking calls: addresses are better on this thread. */
#include "control/conn.h"

#include "base/clk.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CTL_MAGIC  0x63746c31u
#define CONN_MAGIC 0x63746c32u

/* Settings of every connection. row_security = off makes a table that hides rows from the
 * gate's role an error: a history with gaps would let statements run twice. */
#define SESSION_OPTIONS                              \
    "-c lock_timeout=200 -c statement_timeout=30000" \
    " -c row_security=off -c jit=off"                \
    " -c standard_conforming_strings=on -c idle_in_transaction_session_timeout=60000"
#define READ_ONLY_OPTION " -c default_transaction_read_only=on"
#define NO_PATH_OPTION   " -c search_path="
#define MAX_PARAMS       128 /* keywords that libpq knows, with room */

enum state {
    CLOSED,
    CONNECTING,
    IDLE,
    BUSY,
};

struct ctl {
    uint32_t magic;
    struct net_loop *loop; /* borrowed */
    enum ctl_use use;
    int64_t idle_ms;
    struct map *conns; /* SHA-256 of conninfo -> struct conn, owned by themselves */
};

struct request {
    struct list_node node; /* in conn->requests */
    struct conn *conn;
    char *sql;
    int64_t end_ms; /* monotonic */
    int64_t timeout_ms;
    struct net_timer timer;
    bool was_retried;
    ctl_done_fn done;
    void *ctx;
};

struct conn {
    uint32_t magic;
    struct ctl *ctl;
    char *conninfo; /* owned, wiped: may hold a password */
    uint8_t key[HASH_SHA256_SIZE];
    enum state state;
    PGconn *pg; /* owned; NULL in CLOSED */
    struct net_watch watch;
    int fd;                /* what the watch looks at; -1: none */
    struct list requests;  /* the first one is under way in BUSY */
    struct net_timer kick; /* lets the loop, not the caller, go on */
    struct net_timer idle;
    bool was_used;   /* it has answered since it was made */
    PGresult *rows;  /* owned; last result with rows of the one under way */
    PGresult *error; /* owned; first error of it */
};

static int64_t
now_ms(void)
{
    return clk_real.mono_us(&clk_real) / 1000;
}

/* --- answers --------------------------------------------------------------------------- */

static void
request_free(struct request *r)
{
    net_timer_deinit(&r->timer);
    mem_free(r->sql);
    mem_free(r);
}

/* Takes the request out of the queue first: done may queue the next one. */
static void
finish(struct request *r, const struct ctl_result *res)
{
    DG_ASSERT(r, "no request to answer");
    ctl_done_fn done = r->done;
    void *ctx = r->ctx;

    list_remove(&r->conn->requests, &r->node);
    request_free(r);
    done(ctx, res);
}

static void
fail(struct request *r, const char *sqlstate, const char *error)
{
    struct ctl_result res = { .error = error };

    snprintf(res.sqlstate, sizeof(res.sqlstate), "%s", sqlstate ? sqlstate : "");
    finish(r, &res);
}

/* Only those that wait now: done may queue more, which deserve their own try. */
static void
fail_all(struct conn *c, const char *sqlstate, const char *error)
{
    for (size_t n = c->requests.n; n > 0; n--)
        fail(LIST_ENTRY(list_first(&c->requests), struct request, node), sqlstate,
            error);
}

static void
answer_rows(struct request *r, const PGresult *pg)
{
    struct dg_rows rows = { .n_rows = 0 };
    const PGconn *conn = r->conn->pg;
    struct ctl_result res = { .rows = &rows,
        .host = PQhost(conn),
        .hostaddr = PQhostaddr(conn),
        .port = PQport(conn) };

    if (pg && PQresultStatus(pg) == PGRES_TUPLES_OK) {
        rows.n_rows = (size_t)PQntuples(pg);
        rows.n_cols = (size_t)PQnfields(pg);
    }
    AUTO(mem_free)
    char **cells = mem_array(rows.n_rows * rows.n_cols + 1, sizeof(*cells));
    rows.cells = cells;
    for (size_t i = 0; i < rows.n_rows * rows.n_cols; i++) {
        int row = (int)(i / rows.n_cols), col = (int)(i % rows.n_cols);
        if (!PQgetisnull(pg, row, col))
            cells[i] = PQgetvalue(pg, row, col);
    }
    finish(r, &res);
}

static void
answer_error(struct request *r, const PGresult *pg)
{
    char text[512];
    const char *message = PQresultErrorField(pg, PG_DIAG_MESSAGE_PRIMARY);

    ctl_one_line(message ? message : PQresultErrorMessage(pg), text, sizeof(text));
    fail(r, PQresultErrorField(pg, PG_DIAG_SQLSTATE), text);
}

/* --- life of a connection -------------------------------------------------------------- */

static void
set_state(struct conn *c, enum state state)
{
    static const bool allowed[4][4] = {
        [CLOSED] = { [CONNECTING] = true, [CLOSED] = true },
        [CONNECTING] = { [IDLE] = true, [CLOSED] = true },
        [IDLE] = { [BUSY] = true, [CLOSED] = true },
        [BUSY] = { [IDLE] = true, [CLOSED] = true },
    };

    DG_ASSERT(allowed[c->state][state], "%d to %d", (int)c->state, (int)state);
    c->state = state;
}

static void
drop_results(struct conn *c)
{
    PQclear(c->rows);
    PQclear(c->error);
    c->rows = c->error = NULL;
}

static void
unwatch(struct conn *c)
{
    net_watch_deinit(&c->watch);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void
close_pg(struct conn *c)
{
    set_state(c, CLOSED);
    unwatch(c);
    drop_results(c);
    PQfinish(c->pg);
    c->pg = NULL;
    c->was_used = false;
}

static struct str
key_of(const uint8_t key[HASH_SHA256_SIZE])
{
    return (struct str){ (const char *)key, HASH_SHA256_SIZE };
}

static void
conn_free(struct conn *c)
{
    close_pg(c);
    DG_ASSERT(c->requests.n == 0, "requests are left");
    map_remove(c->ctl->conns, key_of(c->key));
    net_timer_deinit(&c->kick);
    net_timer_deinit(&c->idle);
    explicit_bzero(c->conninfo, strlen(c->conninfo));
    mem_free(c->conninfo);
    c->magic = 0;
    mem_free(c);
}

/* The connection failed; why NULL: libpq says so. Whoever waits is told; new requests try
 * again. */
static void
conn_failed(struct conn *c, const char *why)
{
    char text[512];

    if (!why)
        why = c->pg ? PQerrorMessage(c->pg) : "out of memory";
    ctl_one_line(why, text, sizeof(text));
    close_pg(c);
    fail_all(c, "", text[0] ? text : "the server closed the connection");
    net_timer_start(&c->idle, 0);
}

static void on_watch(void *ctx, unsigned what);

/* A descriptor of our own for libpq's socket: libpq closes its own whenever the connection
 * breaks, and another thread may have the number again before ours is taken off the loop.
 * false: there is none left. */
static bool
watch(struct conn *c, unsigned want)
{
    if (!c->watch.magic) {
        c->fd = fcntl(PQsocket(c->pg), F_DUPFD_CLOEXEC, 0);
        if (c->fd < 0)
            return false;
        net_watch_init(&c->watch, c->ctl->loop, c->fd, on_watch, c);
    }
    net_watch_set(&c->watch, want);
    return true;
}

static void
ignore_notice(void *ctx, const PGresult *res)
{
    (void)ctx, (void)res;
}

static PGconn *
start(const char *conninfo, enum ctl_use use)
{
    AUTO(ctl_options) PQconninfoOption *options = NULL;
    const char *keys[MAX_PARAMS], *values[MAX_PARAMS];
    AUTO(mem_free) char *session = NULL;
    size_t n = 0;

    if (ctl_parse("", conninfo, &options, NULL))
        return NULL;
    const char *theirs = ctl_option(options, "options");
    session = mem_printf("%s%s%s%s%s", theirs ? theirs : "", theirs ? " " : "",
        SESSION_OPTIONS, use == CTL_PROBE ? "" : READ_ONLY_OPTION,
        use == CTL_LIVE ? "" : NO_PATH_OPTION);
    for (const PQconninfoOption *o = options; o->keyword && n + 4 < MAX_PARAMS; o++) {
        if (!ctl_option(o, o->keyword) || strcmp(o->keyword, "options") == 0
            || strcmp(o->keyword, "application_name") == 0
            || strcmp(o->keyword, "client_encoding") == 0)
            continue;
        keys[n] = o->keyword;
        values[n++] = o->val;
    }
    keys[n] = "options";
    values[n++] = session;
    keys[n] = "application_name";
    values[n++] = "ddlgate";
    keys[n] = "client_encoding";
    values[n++] = "UTF8";
    keys[n] = values[n] = NULL;
    return PQconnectStartParams(keys, values, 0);
}

static void
conn_start(struct conn *c)
{
    set_state(c, CONNECTING);
    c->pg = start(c->conninfo, c->ctl->use);
    if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
        conn_failed(c, NULL);
        return;
    }
    PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
    if (!watch(c, NET_WRITE)) /* as if PQconnectPoll had said so */
        conn_failed(c, strerror(errno));
}

static void conn_run(struct conn *c);

static void
conn_poll(struct conn *c)
{
    /* The socket may be another one after each call, under the same number even. */
    unwatch(c);
    PostgresPollingStatusType status = PQconnectPoll(c->pg);
    bool is_up = status == PGRES_POLLING_OK && PQsetnonblocking(c->pg, 1) == 0;
    if (!is_up && status != PGRES_POLLING_READING && status != PGRES_POLLING_WRITING) {
        conn_failed(c, NULL);
    } else if (!watch(c, status == PGRES_POLLING_WRITING ? NET_WRITE : NET_READ)) {
        conn_failed(c, strerror(errno));
    } else if (is_up) {
        set_state(c, IDLE);
        conn_run(c);
    }
}

/* --- a request ------------------------------------------------------------------------- */

/* The connection broke off; why NULL: libpq or the server says so. The request under way
 * is tried once more if the connection may have been dead before; the others wait for the
 * next connection. */
static void
conn_broke(struct conn *c, const char *why)
{
    struct request *r = NULL;
    PGresult *error = c->error;
    char text[512];

    if (c->state == BUSY)
        r = LIST_ENTRY(list_first(&c->requests), struct request, node);
    ctl_one_line(why ? why : PQerrorMessage(c->pg), text, sizeof(text));
    bool is_again = r && !why && c->was_used && !r->was_retried;
    c->error = NULL;
    close_pg(c);
    net_timer_start(&c->kick, 0);
    if (is_again)
        r->was_retried = true;
    else if (r && error)
        answer_error(r, error);
    else if (r)
        fail(r, "", text[0] ? text : "the server closed the connection");
    PQclear(error);
}

static bool
flush(struct conn *c)
{
    int r = PQflush(c->pg);

    return r >= 0 && watch(c, r > 0 ? NET_READ | NET_WRITE : NET_READ);
}

static bool
send_request(struct conn *c, const struct request *r)
{
    int64_t left = r->end_ms - now_ms();

    /* The server gives up a little earlier than we do, so that the connection stays. */
    left -= left / 8;
    AUTO(mem_free)
    char *sql = mem_printf("SET statement_timeout = %" PRId64 ";\n%s%s",
        left < 1 ? 1 : left, c->ctl->use == CTL_LIVE ? "SET search_path = '';\n" : "",
        r->sql);
    return PQsendQuery(c->pg, sql) && flush(c);
}

/* Does what can be done now. */
static void
conn_run(struct conn *c)
{
    struct list_node *first = list_first(&c->requests);

    if (c->state == CLOSED && first) {
        conn_start(c);
    } else if (c->state == IDLE && first) {
        net_timer_stop(&c->idle);
        set_state(c, BUSY);
        if (!send_request(c, LIST_ENTRY(first, struct request, node)))
            conn_broke(c, NULL);
    } else if (!first) {
        net_timer_start(&c->idle, c->state == IDLE ? c->ctl->idle_ms : 0);
    }
}

static void
conn_done(struct conn *c)
{
    struct request *r = LIST_ENTRY(list_first(&c->requests), struct request, node);
    PGresult *rows = c->rows, *error = c->error;

    c->rows = c->error = NULL;
    c->was_used = true;
    set_state(c, IDLE);
    net_timer_start(&c->kick, 0);
    if (error)
        answer_error(r, error);
    else
        answer_rows(r, rows);
    PQclear(rows);
    PQclear(error);
}

/* False when the result can't be used and the connection must go. */
static bool
take_result(struct conn *c, PGresult *res)
{
    switch (PQresultStatus(res)) {
    case PGRES_TUPLES_OK:
        PQclear(c->rows);
        c->rows = res;
        return true;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        PQclear(res);
        return true;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        PQclear(res);
        return false;
    default: /* libpq's, not ours: errors of all kinds */
        if (c->error)
            PQclear(res);
        else
            c->error = res;
        return true;
    }
}

static void
conn_read(struct conn *c)
{
    if (!PQconsumeInput(c->pg) || PQstatus(c->pg) == CONNECTION_BAD) {
        conn_broke(c, NULL);
        return;
    }
    if (c->state != BUSY)
        return;
    while (!PQisBusy(c->pg)) {
        PGresult *res = PQgetResult(c->pg);
        if (!res) {
            /* an error without a SQLSTATE is libpq's: the server went away */
            if (c->error && !PQresultErrorField(c->error, PG_DIAG_SQLSTATE))
                conn_broke(c, NULL);
            else
                conn_done(c);
            return;
        }
        if (!take_result(c, res)) {
            conn_broke(c, "COPY can't be used here");
            return;
        }
    }
}

static void
on_watch(void *ctx, unsigned what)
{
    struct conn *c = ctx;

    DG_ASSERT(c->magic == CONN_MAGIC, "not a connection");
    switch (c->state) {
    case CLOSED:
        break;
    case CONNECTING:
        conn_poll(c);
        break;
    case IDLE:
    case BUSY:
        if (what & NET_WRITE) {
            if (!flush(c))
                conn_broke(c, NULL);
        } else {
            conn_read(c);
        }
        break;
    }
}

/* --- timers ---------------------------------------------------------------------------- */

static void
on_kick(void *ctx)
{
    struct conn *c = ctx;

    DG_ASSERT(c->magic == CONN_MAGIC, "not a connection");
    conn_run(c);
}

static void
on_idle(void *ctx)
{
    struct conn *c = ctx;

    DG_ASSERT(c->magic == CONN_MAGIC, "not a connection");
    if (c->requests.n == 0)
        conn_free(c);
}

static void
on_limit(void *ctx)
{
    struct request *r = ctx;
    struct conn *c = r->conn;
    bool is_first = list_first(&c->requests) == &r->node;
    char text[128];

    DG_ASSERT(c->magic == CONN_MAGIC, "not a connection");
    snprintf(text, sizeof(text), "no answer within %" PRId64 " ms%s", r->timeout_ms,
        c->state == CONNECTING ? ": the server can't be reached" : "");
    if (is_first
        && (c->state == BUSY || (c->state == CONNECTING && c->requests.n == 1)))
        close_pg(c);
    net_timer_start(&c->kick, 0);
    fail(r, "", text);
}

/* --- the pool -------------------------------------------------------------------------- */

struct ctl *
ctl_new(struct net_loop *loop, enum ctl_use use, int64_t idle_ms)
{
    struct ctl *ctl = mem_zalloc(sizeof(*ctl));

    ctl->magic = CTL_MAGIC;
    ctl->loop = loop;
    ctl->use = use;
    ctl->idle_ms = idle_ms;
    ctl->conns = map_new(NULL);
    return ctl;
}

void
ctl_free(struct ctl *ctl)
{
    size_t pos = 0;
    struct str key;
    void *value;

    if (!ctl)
        return;
    DG_ASSERT(ctl->magic == CTL_MAGIC, "not a pool");
    ctl->magic = 0; /* done may not ask for more */
    while (map_next(ctl->conns, &pos, &key, &value)) {
        struct conn *c = value;
        close_pg(c);
        fail_all(c, "", "the gate is shutting down");
        conn_free(c);
    }
    map_free(ctl->conns);
    mem_free(ctl);
}

static struct conn *
find_conn(struct ctl *ctl, const char *conninfo)
{
    uint8_t key[HASH_SHA256_SIZE];

    hash_sha256_of(conninfo, strlen(conninfo), key);
    struct conn *c = map_get(ctl->conns, key_of(key));
    if (c)
        return c;
    c = mem_zalloc(sizeof(*c));
    c->fd = -1;
    c->magic = CONN_MAGIC;
    memcpy(c->key, key, sizeof(key));
    c->ctl = ctl;
    c->conninfo = mem_strdup(conninfo);
    list_init(&c->requests);
    net_timer_init(&c->kick, ctl->loop, on_kick, c);
    net_timer_init(&c->idle, ctl->loop, on_idle, c);
    map_set(ctl->conns, key_of(key), c);
    return c;
}

void
ctl_query(struct ctl *ctl, const char *conninfo, const char *sql, int64_t timeout_ms,
    ctl_done_fn done, void *ctx)
{
    DG_ASSERT(ctl->magic == CTL_MAGIC, "not a pool, or one that is being freed");
    struct conn *c = find_conn(ctl, conninfo);
    struct request *r = mem_zalloc(sizeof(*r));

    r->conn = c;
    r->sql = mem_strdup(sql);
    r->timeout_ms = timeout_ms;
    r->end_ms = now_ms() + timeout_ms;
    r->done = done;
    r->ctx = ctx;
    net_timer_init(&r->timer, ctl->loop, on_limit, r);
    net_timer_start(&r->timer, timeout_ms);
    list_append(&c->requests, &r->node);
    net_timer_start(&c->kick, 0);
}
