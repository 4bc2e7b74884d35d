// SPDX-License-Identifier: ISC
/* One worker thread: an event loop, one read buffer for all its sessions, and what its
 * sessions share. Nothing in it is touched by another thread; everything comes as tasks
 * posted to its queue. */
#ifndef DG_SESSION_WORKER_H
#define DG_SESSION_WORKER_H

#include "base/list.h"
#include "gate/client.h"
#include "net/sock.h"

#include <stdatomic.h>

#define SESS_READ_BYTES ((size_t)64 << 10)

/* Where a database's server is; part of the snapshot's life, made by app. */
struct sess_upstream {
    const char *host, *port, *dbname; /* dbname NULL: as the client names it */
};

/* What app gives every worker. */
struct sess_shared {
    struct aud *audit;
    struct task_pool *parsers; /* also resolves names */
    const struct clk *clk;
    void (*read_history)(void *ctx, struct gate_history_ask *ask);
    /* Splits the connection string of a database; strings owned by the caller's arena. */
    int (*upstream)(void *ctx, const struct cfg_database *db, struct arena *a,
        struct sess_upstream *out, struct err *err);
    void *ctx;
    atomic_uint n_clients;
    atomic_ulong next_id;
    struct sess_worker **workers;
    size_t n_workers;
};

struct sess_worker {
    struct sess_shared *shared; /* borrowed */
    size_t index;
    struct net_loop *loop; /* owned */
    struct gate_env env;
    struct list sessions;
    bool is_draining;
    char *read_buffer; /* SESS_READ_BYTES, owned */
};

struct sess_worker *sess_worker_new(struct sess_shared *shared, size_t index,
    struct gate_snapshot *snap);             /* takes its own reference */
void sess_worker_run(struct sess_worker *w); /* thread: the worker's; until stopped */
void sess_worker_free(struct sess_worker *w);

/* thread: any */
void sess_worker_accept(
    struct sess_worker *w, int fd, const struct net_addr *peer, bool is_rejected);
void
sess_worker_snapshot(struct sess_worker *w, struct gate_snapshot *snap); /* own ref */
void sess_worker_drain(struct sess_worker *w, bool is_now); /* now: end all sessions */
void sess_worker_stop(struct sess_worker *w);               /* leaves the loop */

/* Adds this worker's counters to *out. thread: its own, or after it stopped */
void sess_worker_stats(const struct sess_worker *w, struct gate_stats *out);

#endif
