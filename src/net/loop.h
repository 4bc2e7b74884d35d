// SPDX-License-Identifier: ISC
/* One event loop per thread (libevent), timers, and tasks posted from other threads.
 * thread: the loop's, except net_loop_queue's queue, which anybody may post to */
#ifndef DG_NET_LOOP_H
#define DG_NET_LOOP_H

#include "base/base.h"
#include "base/task.h"

struct net_loop;
struct event; /* libevent's */
struct event_base;

struct net_loop *net_loop_new(void); /* panics when the kernel gives no epoll */
/* All timers, watches and signals must be gone. Runs tasks that are still queued, so that
 * what they own is not lost. */
void net_loop_free(struct net_loop *l);
/* Until net_loop_stop; one from before the call counts. May be called again. */
void net_loop_run(struct net_loop *l);
void
net_loop_stop(struct net_loop *l); /* after the current event; use a task from afar */
struct event_base *
net_loop_base(struct net_loop *l); /* for libevent's own HTTP server */
struct task_queue *net_loop_queue(struct net_loop *l); /* thread: any may post */

/* A one-shot timer. Embedded; fn may free the object that holds it. Starting and stopping
 * costs no system call. Time counts from the moment the loop woke up. Zeroed, the struct
 * may be stopped and deinitialised. */
struct net_timer {
    struct event *ev; /* owned; NULL before init and after deinit */
    uint32_t magic;
    void (*fn)(void *ctx);
    void *ctx;
};
void
net_timer_init(struct net_timer *t, struct net_loop *l, void (*fn)(void *), void *ctx);
void
net_timer_start(struct net_timer *t, int64_t delay_ms); /* restarts a running one */
void net_timer_stop(struct net_timer *t);
void net_timer_deinit(struct net_timer *t);

/* A descriptor watched for reading and/or writing, level-triggered, persistent: nothing is
 * re-armed per event, only a change of `want` costs a system call. fn gets NET_READ or
 * NET_WRITE, each in a call of its own; it may deinit this and any other watch: no call
 * follows for what was deinitialised or is no longer wanted. An error or hang-up of the
 * peer wakes whichever is wanted; with nothing wanted nothing is noticed. Starts with
 * want = 0. Zeroed, the struct may be deinitialised. */
enum {
    NET_READ = 1,
    NET_WRITE = 2,
};
struct net_watch {
    struct event *rd, *wr; /* owned; wr made when first wanted */
    struct net_loop *loop;
    void (*fn)(void *ctx, unsigned what);
    void *ctx;
    int fd; /* borrowed: closed by its owner after net_watch_deinit */
    unsigned want;
    uint32_t magic;
};
void net_watch_init(struct net_watch *w, struct net_loop *l, int fd,
    void (*fn)(void *ctx, unsigned what), void *ctx);
void
net_watch_set(struct net_watch *w, unsigned want); /* no call when nothing changes */
void net_watch_deinit(struct net_watch *w);

/* Calls fn on the loop for SIGHUP, SIGTERM, ... One loop per process may have them. */
struct net_signal;
struct net_signal *
net_signal_new(struct net_loop *l, int signum, void (*fn)(void *ctx, int), void *ctx);
void net_signal_free(struct net_signal *s);

#endif
