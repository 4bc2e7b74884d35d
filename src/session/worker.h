// SPDX-License-Identifier: ISC
/* One worker thread: an event loop, one read buffer for all its sessions, and what its
 * sessions share. Nothing in it is touched by another thread; everything comes as tasks
 * posted to its queue. */
#ifndef DG_SESSION_WORKER_H
#define DG_SESSION_WORKER_H

#include "auth/secret.h"
#include "base/list.h"
#include "base/tally.h"
#include "gate/client.h"
#include "net/sock.h"

#include <stdatomic.h>

#define SESS_READ_BYTES ((size_t)64 << 10)

struct sess_links;
struct sess_console_ask; /* console.h */

/* A question of a login that the control thread answers over the gate's own connections.
 * Travels both ways as a task; task.run is the asker's when it asks. */
enum sess_ask_kind {
    SESS_ASK_SECRET, /* auth_query's answer for a user */
    SESS_ASK_SERVER, /* which host has the target_session_attrs of its entry? */
};
struct sess_ask {
    struct task task;
    struct task_queue *queue;            /* of the asker; where the answer is posted */
    void *owner;                         /* the asker's */
    void *service;                       /* the service's */
    void (*answered)(struct task *task); /* the asker's run, kept by the service */
    enum sess_ask_kind kind;
    struct sess_links *links;          /* owned reference */
    const struct cfg_database *target; /* of links */
    char *database, *user;             /* owned */
    /* The answer: */
    bool is_found;
    struct auth_secret secret;    /* owned */
    char *host, *hostaddr, *port; /* owned */
    struct err why;               /* not found: "" where there is just no such user */
};
void sess_ask_free(struct sess_ask *ask);

/* What app gives every worker. */
struct sess_shared {
    struct aud *audit;
    struct task_pool *parsers; /* also resolves names */
    const struct clk *clk;
    void (*read_history)(void *ctx, struct gate_history_ask *ask);
    void (*read_live)(void *ctx, struct gate_live_ask *ask);
    void (*note_change)(void *ctx);
    void (*committed)(void *ctx, struct gate_trail *trail);   /* NULL: nobody listens */
    unsigned trail_wants;                                     /* GATE_TRAIL_* */
    void (*ask)(void *ctx, struct sess_ask *ask);             /* thread-safe */
    void (*console)(void *ctx, struct sess_console_ask *ask); /* thread-safe */
    void *ctx;
    struct tally *databases, *users; /* sessions of each */
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
    struct sess_links
        *links; /* of the same configuration as env.snap; owned reference */
    struct list sessions;
    bool is_draining;
    char *read_buffer; /* SESS_READ_BYTES, owned */
};

struct sess_worker *
sess_worker_new(struct sess_shared *shared, size_t index, struct gate_snapshot *snap,
    struct sess_links *links);               /* takes its own references */
void sess_worker_run(struct sess_worker *w); /* thread: the worker's; until stopped */
void sess_worker_free(struct sess_worker *w);

/* thread: any */
void sess_worker_accept(
    struct sess_worker *w, int fd, const struct net_addr *peer, bool is_rejected);
void sess_worker_snapshot(struct sess_worker *w, struct gate_snapshot *snap,
    struct sess_links *links);                              /* own references */
void sess_worker_drain(struct sess_worker *w, bool is_now); /* now: end all sessions */
/* A notice for the session of this id, if it is still there: severity WARNING or NOTICE.
 * Texts are copied; hint may be NULL. */
void sess_worker_notice(struct sess_worker *w, const char *session_id, bool is_warning,
    const char *message, const char *hint);
void sess_worker_stop(struct sess_worker *w); /* leaves the loop */

/* Adds this worker's counters to *out. thread: its own, or after it stopped */
void sess_worker_stats(const struct sess_worker *w, struct gate_stats *out);

#endif
