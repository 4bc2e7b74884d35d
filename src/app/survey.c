// SPDX-License-Identifier: ISC
/* Live facts over control connections; see survey.h. */
#include "app/survey.h"

#include "base/clk.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#include <string.h>

#define MAX_SQL       ((size_t)512 << 10)
#define FRESH_MS      1000
#define MAX_CACHED    200   /* answers; then all are forgotten */
#define MAX_SERVERS   1000  /* whose state is remembered */
#define COLD_AGAIN_MS 10000 /* after a failed login no more patience for so long */

struct survey {
    struct net_loop *loop;
    struct ctl *ctl;
    const atomic_ulong *n_changes; /* borrowed */
    int64_t idle_ms;
    struct map *cache;   /* owned; digest of the question -> struct answer */
    struct map *servers; /* owned; digest of conninfo -> struct server */
};

struct answer {
    struct pol_live *live; /* owned reference */
    int64_t at_ms;
    unsigned long n_changes;
};

struct server {
    int64_t answered_ms, failed_ms; /* 0: never */
};

/* One question under way. */
struct question {
    struct survey *s;
    struct gate_live_ask *ask; /* owned until posted back */
    uint8_t key[HASH_SHA256_SIZE], server_key[HASH_SHA256_SIZE];
    unsigned long n_changes;
};

static void
answer_free(void *value)
{
    struct answer *a = value;
    ref_drop(a->live);
    mem_free(a);
}

struct survey *
survey_new(struct net_loop *loop, const atomic_ulong *n_changes, int64_t idle_ms)
{
    struct survey *s = mem_zalloc(sizeof(*s));
    s->loop = loop;
    s->ctl = ctl_new(loop, CTL_LIVE, idle_ms);
    s->n_changes = n_changes;
    s->idle_ms = idle_ms;
    s->cache = map_new(answer_free);
    s->servers = map_new(mem_free);
    return s;
}

void
survey_free(struct survey *s)
{
    if (!s)
        return;
    ctl_free(s->ctl);
    map_free(s->cache);
    map_free(s->servers);
    mem_free(s);
}

static int64_t
now_ms(void)
{
    return clk_real.mono_us(&clk_real) / 1000;
}

static struct str
key_str(const uint8_t key[HASH_SHA256_SIZE])
{
    return (struct str){ (const char *)key, HASH_SHA256_SIZE };
}

static void
post_back(struct gate_live_ask *ask, struct pol_live *live)
{
    ask->live = live;
    ask->task.run = ask->answered;
    task_post(ask->queue, &ask->task);
}

/* ---- what is remembered ---- */

static struct pol_live *
cached(struct survey *s, const uint8_t key[HASH_SHA256_SIZE])
{
    struct answer *a = map_get(s->cache, key_str(key));

    if (!a || a->n_changes != atomic_load(s->n_changes)
        || now_ms() - a->at_ms > FRESH_MS)
        return NULL;
    return ref_take(a->live);
}

static void
remember(const struct question *q, struct pol_live *live)
{
    struct survey *s = q->s;
    struct answer *a = mem_zalloc(sizeof(*a));

    if (map_count(s->cache) >= MAX_CACHED) {
        map_free(s->cache);
        s->cache = map_new(answer_free);
    }
    a->live = ref_take(live);
    a->at_ms = now_ms();
    a->n_changes = q->n_changes; /* as of the question */
    map_set(s->cache, key_str(q->key), a);
}

static struct server *
server_of(struct survey *s, const uint8_t key[HASH_SHA256_SIZE])
{
    struct server *server = map_get(s->servers, key_str(key));

    if (server)
        return server;
    if (map_count(s->servers) >= MAX_SERVERS) {
        map_free(s->servers);
        s->servers = map_new(mem_free);
    }
    server = mem_zalloc(sizeof(*server));
    map_set(s->servers, key_str(key), server);
    return server;
}

/* A server that has not been asked for long has to be logged in to first. */
static int64_t
limit_of(const struct survey *s, const struct server *server, int64_t timeout_ms)
{
    int64_t now = now_ms();
    bool is_warm = server->answered_ms && now - server->answered_ms < s->idle_ms;
    bool is_bad = server->failed_ms > server->answered_ms
        && now - server->failed_ms < COLD_AGAIN_MS;

    return is_warm || is_bad ? timeout_ms : SURVEY_COLD * timeout_ms;
}

/* ---- a question ---- */

static struct pol_live *
live_of(const struct pol_want *wants, size_t n, const struct dg_rows *rows,
    const char *error)
{
    struct pol_live *live = NULL;
    struct err err = { "" };

    if (!rows)
        return pol_live_unknown(error);
    if (pol_live_read(wants, n, rows, &live, &err) != 0)
        return pol_live_unknown(err.text);
    return live;
}

static void
answered(void *ctx, const struct ctl_result *res)
{
    struct question *q = ctx;
    struct gate_live_ask *ask = q->ask;
    struct server *server = server_of(q->s, q->server_key);
    struct pol_live *live = live_of(ask->wants, ask->n_wants, res->rows, res->error);

    if (res->rows || *res->sqlstate)
        server->answered_ms = now_ms();
    else
        server->failed_ms = now_ms();
    if (live->is_known)
        remember(q, live);
    mem_free(q);
    post_back(ask, live);
}

static void
send_question(struct survey *s, struct gate_live_ask *ask, const char *conninfo)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    struct question *q = mem_zalloc(sizeof(*q));

    DG_ASSERT(conninfo, "a question to no server");
    q->s = s;
    q->ask = ask;
    q->n_changes = atomic_load(s->n_changes);
    pol_live_query(&ask->path, ask->wants, ask->n_wants, &sql);
    hash_sha256_of(conninfo, strlen(conninfo), q->server_key);
    AUTO(mem_free)
    char *whole = mem_printf(
        "%s\n%.*s", conninfo, (int)buf_len(&sql), buf_len(&sql) ? buf_ptr(&sql) : "");
    hash_sha256_of(whole, strlen(whole), q->key);
    explicit_bzero(whole, strlen(conninfo));
    struct pol_live *live = cached(s, q->key);
    if (live) {
        mem_free(q);
        post_back(ask, live);
        return;
    }
    ctl_query(s->ctl, conninfo, buf_cstr(&sql),
        limit_of(s, server_of(s, q->server_key), ask->timeout_ms), answered, q);
}

static int
conninfo_of(
    const struct gate_snapshot *snap, const char *database, char **out, struct err *err)
{
    struct gate_target t = gate_snapshot_find(snap, database);

    if (!t.database)
        return err_set(err, -1, "the database is gone from the configuration");
    if (!snap->cfg->control)
        return err_set(err, -1, "no `control` login is configured");
    return ctl_conninfo(t.database->conninfo, database, snap->cfg->control, out, err);
}

static void
start(struct task *task)
{
    struct gate_live_ask *ask = LIST_ENTRY(task, struct gate_live_ask, task);
    AUTO(mem_free) char *conninfo = NULL;
    struct err why = { "" };

    if (conninfo_of(ask->snap, ask->database, &conninfo, &why) != 0 || !conninfo)
        post_back(ask, pol_live_unknown(why.text));
    else
        send_question(ask->service, ask, conninfo);
}

void
survey_ask(struct survey *s, struct gate_live_ask *ask)
{
    ask->service = s;
    ask->answered = ask->task.run;
    ask->task.run = start;
    task_post(net_loop_queue(s->loop), &ask->task);
}

/* ---- blocking ---- */

static void
rows_free_p(struct dg_rows **rows)
{
    ctl_rows_free(*rows);
}

struct pol_live *
survey_read(const char *conninfo, const struct pol_live_path *path,
    const struct pol_wants *wants, int64_t timeout_ms)
{
    AUTO(buf_deinit) struct buf sql = BUF_INIT(MAX_SQL);
    AUTO(rows_free) struct dg_rows *rows = NULL;
    struct err err = { "" };

    pol_live_query(path, wants->items, wants->n, &sql);
    if (ctl_query_wait_as(
            CTL_LIVE, conninfo, buf_cstr(&sql), SURVEY_COLD * timeout_ms, &rows, &err)
        != 0)
        return pol_live_unknown(err.text);
    return live_of(wants->items, wants->n, rows, NULL);
}

struct pol_live *
survey_read_database(const struct gate_snapshot *snap, const char *database,
    const struct pol_session *session, const struct pol_wants *wants)
{
    struct gate_target t = gate_snapshot_find(snap, database);
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(mem_free) char *conninfo = NULL;
    struct pol_live_path path;
    struct err err = { "" };

    if (conninfo_of(snap, database, &conninfo, &err) != 0)
        return pol_live_unknown(err.text);
    gate_live_path(a, session, &path);
    return survey_read(conninfo, &path, wants, pol_facts_timeout_ms(t.policy));
}
