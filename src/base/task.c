// SPDX-License-Identifier: ISC
/* Task queues between threads, and the pool; see task.h. */
#include "base/task.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct task_queue {
    void (*wake)(void *ctx);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t filled; /* on CLOCK_MONOTONIC */
    struct task *first;
    struct task **end; /* where the next one is linked */
};

struct task_queue *
task_queue_new(void (*wake)(void *ctx), void *ctx)
{
    struct task_queue *q = mem_zalloc(sizeof(*q));
    pthread_condattr_t attr;

    q->wake = wake;
    q->ctx = ctx;
    q->end = &q->first;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->filled, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

void
task_queue_free(struct task_queue *q)
{
    if (!q)
        return;
    DG_ASSERT(!q->first, "tasks are left in the queue");
    pthread_cond_destroy(&q->filled);
    pthread_mutex_destroy(&q->lock);
    mem_free(q);
}

void
task_post(struct task_queue *q, struct task *t)
{
    DG_ASSERT(t->run, "a task that can't run");
    t->next = NULL;
    pthread_mutex_lock(&q->lock);
    bool was_empty = !q->first;
    *q->end = t;
    q->end = &t->next;
    if (was_empty)
        pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->lock);
    /* After the lock: wake belongs to another module and may take its own. */
    if (was_empty && q->wake)
        q->wake(q->ctx);
}

/* With the lock held. */
static struct task *
take_all(struct task_queue *q)
{
    struct task *t = q->first;

    q->first = NULL;
    q->end = &q->first;
    return t;
}

size_t
task_run_all(struct task_queue *q)
{
    struct task *t = task_wait(q, 0);
    size_t n = 0;

    for (struct task *next; t; t = next, n++) {
        next = t->next;
        t->next = NULL;
        t->run(t);
    }
    return n;
}

static struct timespec
deadline_in(int timeout_ms)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += timeout_ms / 1000;
    ts.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (ts.tv_nsec >= 1000000000L) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000L;
    }
    return ts;
}

struct task *
task_wait(struct task_queue *q, int timeout_ms)
{
    struct timespec until = { 0 };
    int r = 0;

    if (timeout_ms > 0)
        until = deadline_in(timeout_ms);
    pthread_mutex_lock(&q->lock);
    while (!q->first && timeout_ms != 0 && r == 0)
        r = timeout_ms < 0 ? pthread_cond_wait(&q->filled, &q->lock)
                           : pthread_cond_timedwait(&q->filled, &q->lock, &until);
    struct task *t = take_all(q);
    pthread_mutex_unlock(&q->lock);
    DG_ASSERT(r == 0 || r == ETIMEDOUT, "waiting failed: %d", r);
    return t;
}

struct task_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct task *first;
    struct task **end;
    bool is_ending; /* no more posts; threads leave when the list is empty */
    size_t n_threads;
    pthread_t threads[];
};

static void *
pool_main(void *arg)
{
    struct task_pool *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct task *t = p->first;
        if (!t) {
            if (p->is_ending)
                break;
            pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        p->first = t->next;
        if (!p->first)
            p->end = &p->first;
        t->next = NULL;
        pthread_mutex_unlock(&p->lock);
        t->run(t);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Threads are born with all signals blocked, so that signals stay the main thread's. */
struct task_pool *
task_pool_new(size_t n_threads, size_t stack_bytes, const char *name)
{
    struct task_pool *p = mem_zalloc(sizeof(*p) + n_threads * sizeof(p->threads[0]));
    pthread_attr_t attr;
    sigset_t all, old;

    DG_ASSERT(n_threads > 0, "a pool without threads");
    p->end = &p->first;
    p->n_threads = n_threads;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    pthread_attr_init(&attr);
    int r = pthread_attr_setstacksize(&attr, stack_bytes);
    DG_ASSERT(r == 0, "no stack of %zu bytes", stack_bytes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (size_t i = 0; i < n_threads; i++) {
        char title[16]; /* the kernel's limit */
        r = pthread_create(&p->threads[i], &attr, pool_main, p);
        DG_ASSERT(
            r == 0, "no thread with a stack of %zu bytes: error %d", stack_bytes, r);
        snprintf(title, sizeof(title), "%.10s-%u", name, (unsigned)i % 1000);
        pthread_setname_np(p->threads[i], title);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return p;
}

void
task_pool_post(struct task_pool *p, struct task *t)
{
    DG_ASSERT(t->run, "a task that can't run");
    t->next = NULL;
    pthread_mutex_lock(&p->lock);
    DG_ASSERT(!p->is_ending, "the pool is being freed");
    *p->end = t;
    p->end = &t->next;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

void
task_pool_free(struct task_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_ending = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

size_t
task_threads(size_t n_items, size_t per_thread)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus < 1 ? 1 : (size_t)cpus;

    if (n > TASK_MAX_THREADS)
        n = TASK_MAX_THREADS;
    return n > 1 + n_items / per_thread ? 1 + n_items / per_thread : n;
}
