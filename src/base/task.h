// SPDX-License-Identifier: ISC
/* The one way in which threads talk: tasks whose ownership moves with them.
 *
 * A task is embedded in a heap object. task_post gives it to the queue's thread, which
 * calls run() there; from then on the object belongs to that thread. The queue tells its
 * consumer through wake() (an eventfd write in net's loop, a condition variable in a
 * plain thread), called once per transition from empty to non-empty. */
#ifndef DG_BASE_TASK_H
#define DG_BASE_TASK_H

#include "base/base.h"

struct task {
    void (*run)(struct task *task); /* on the receiving thread; may free the task */
    struct task *next;              /* the queue's */
};

struct task_queue;

/* wake may be NULL when the consumer blocks in task_wait. */
struct task_queue *task_queue_new(void (*wake)(void *ctx), void *ctx);
void task_queue_free(struct task_queue *q);           /* must be empty */
void task_post(struct task_queue *q, struct task *t); /* thread: any */
/* Runs all queued tasks in order; returns how many.  thread: consumer */
size_t task_run_all(struct task_queue *q);
/* Takes the whole queue as a chain in order, NULL if empty; waits up to timeout_ms
 * (-1: for ever, 0: not at all).  thread: consumer */
struct task *task_wait(struct task_queue *q, int timeout_ms);

/* A few threads with big stacks that run tasks one after the other (the parser threads).
 * The task posts its own result back. */
struct task_pool;
struct task_pool *task_pool_new(size_t n_threads, size_t stack_bytes, const char *name);
void task_pool_post(struct task_pool *p, struct task *t); /* thread: any */
void task_pool_free(struct task_pool *p); /* finishes what is queued, joins */
/* How many threads are worth their start for n_items things, where one thread should have
 * at least per_thread of them: at least 1, at most TASK_MAX_THREADS and one per core. */
#define TASK_MAX_THREADS 4
size_t task_threads(size_t n_items, size_t per_thread);

#endif
