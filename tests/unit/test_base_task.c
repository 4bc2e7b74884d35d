// SPDX-License-Identifier: ISC
/* Tasks cross threads once each and in order; published objects live exactly as long as
 * somebody holds them. Meant to be run under TSan too. */
#include "base/cell.h"
#include "base/mem.h"
#include "base/task.h"

#include "lib/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#define N_POSTERS 4
#define N_TASKS   5000 /* of each */

struct consumer {
    struct task_queue *q;
    int last[N_POSTERS]; /* number of the task that ran last, of each poster */
    int n_run;
    atomic_int n_wakes;
};

struct job {
    struct task task;
    struct consumer *to;
    int poster, number;
};

static void
job_run(struct task *task)
{
    struct job *job = (struct job *)task;
    struct consumer *c = job->to;

    ck_assert_int_eq(job->number, c->last[job->poster] + 1);
    c->last[job->poster] = job->number;
    c->n_run++;
    mem_free(job);
}

static void
post_one(struct consumer *c, int poster, int number)
{
    struct job *job = mem_zalloc(sizeof(*job));
    *job = (struct job){ { .run = job_run }, c, poster, number };
    task_post(c->q, &job->task);
}

struct poster {
    struct consumer *c;
    int id;
};

static void *
post_many(void *arg)
{
    struct poster *p = arg;

    for (int i = 1; i <= N_TASKS; i++)
        post_one(p->c, p->id, i);
    return NULL;
}

static void
count_wake(void *ctx)
{
    struct consumer *c = ctx;
    atomic_fetch_add(&c->n_wakes, 1);
}

/* _i: 0 the consumer polls, 1 it blocks. */
START_TEST(every_task_runs_once_and_in_order)
{
    struct consumer c = { 0 };
    struct poster p[N_POSTERS];
    pthread_t t[N_POSTERS];

    c.q = task_queue_new(_i ? NULL : count_wake, &c);
    for (int i = 0; i < N_POSTERS; i++) {
        p[i] = (struct poster){ &c, i };
        ck_assert_int_eq(pthread_create(&t[i], NULL, post_many, &p[i]), 0);
    }
    while (c.n_run < N_POSTERS * N_TASKS) {
        if (_i == 0) {
            task_run_all(c.q);
            continue;
        }
        struct task *first = task_wait(c.q, -1);
        ck_assert_ptr_nonnull(first);
        for (struct task *next; first; first = next) {
            next = first->next;
            first->run(first);
        }
    }
    for (int i = 0; i < N_POSTERS; i++) {
        pthread_join(t[i], NULL);
        ck_assert_int_eq(c.last[i], N_TASKS);
    }
    if (_i == 0)
        ck_assert_int_ge(atomic_load(&c.n_wakes), 1);
    ck_assert_uint_eq(task_run_all(c.q), 0);
    task_queue_free(c.q);
}
END_TEST

START_TEST(consumer_is_woken_once_per_filling)
{
    struct consumer c = { 0 };

    c.q = task_queue_new(count_wake, &c);
    ck_assert_int_eq(atomic_load(&c.n_wakes), 0);
    for (int i = 1; i <= 3; i++)
        post_one(&c, 0, i);
    ck_assert_int_eq(atomic_load(&c.n_wakes), 1);
    ck_assert_uint_eq(task_run_all(c.q), 3);
    post_one(&c, 0, 4);
    ck_assert_int_eq(atomic_load(&c.n_wakes), 2);
    ck_assert_uint_eq(task_run_all(c.q), 1);
    task_queue_free(c.q);
}
END_TEST

static void
job_run_and_post(struct task *task)
{
    struct job *job = (struct job *)task;

    post_one(job->to, 1, 1);
    mem_free(job);
}

START_TEST(task_posted_by_a_task_waits_for_the_next_turn)
{
    struct job *job = mem_zalloc(sizeof(*job));
    struct consumer c = { 0 };

    c.q = task_queue_new(count_wake, &c);
    *job = (struct job){ { .run = job_run_and_post }, &c, 0, 0 };
    task_post(c.q, &job->task);
    ck_assert_uint_eq(task_run_all(c.q), 1);
    ck_assert_int_eq(c.n_run, 0);
    ck_assert_int_eq(atomic_load(&c.n_wakes), 2);
    ck_assert_uint_eq(task_run_all(c.q), 1);
    ck_assert_int_eq(c.n_run, 1);
    task_queue_free(c.q);
}
END_TEST

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(waiting_ends_when_time_is_up)
{
    struct task_queue *q = task_queue_new(NULL, NULL);
    int64_t start = now_ms();

    ck_assert_ptr_null(task_wait(q, 0));
    ck_assert_int_lt(now_ms() - start, 40);
    ck_assert_ptr_null(task_wait(q, 50));
    ck_assert_int_ge(now_ms() - start, 49);
    task_queue_free(q);
    task_queue_free(NULL);
}
END_TEST

START_TEST(queue_with_tasks_is_not_freed)
{
    struct consumer c = { 0 };

    c.q = task_queue_new(NULL, NULL);
    post_one(&c, 0, 1);
    task_queue_free(c.q);
}
END_TEST

struct deep {
    struct task task;
    struct task_queue *back;
    atomic_int *n_done;
    bool are_signals_blocked;
};

static void
deep_back(struct task *task)
{
    struct deep *d = (struct deep *)task;

    ck_assert(d->are_signals_blocked);
    mem_free(d);
}

/* Uses 100 kB of stack for each level. */
static int
go_down(int levels)
{
    volatile char space[100000];

    space[0] = (char)levels;
    space[sizeof(space) - 1] = 1;
    return levels ? go_down(levels - 1) + space[sizeof(space) - 1] : space[0];
}

static void
deep_run(struct task *task)
{
    struct deep *d = (struct deep *)task;
    sigset_t now;

    ck_assert_int_eq(go_down(200), 200); /* 20 MB: more than a usual stack */
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    d->are_signals_blocked = sigismember(&now, SIGTERM) && sigismember(&now, SIGHUP);
    atomic_fetch_add(d->n_done, 1);
    d->task.run = deep_back;
    task_post(d->back, &d->task);
}

START_TEST(pool_has_deep_stacks_and_finishes_before_it_ends)
{
    struct task_pool *p = task_pool_new(3, 64 << 20, "parser threads");
    struct task_queue *back = task_queue_new(NULL, NULL);
    atomic_int n_done = 0;

    for (int i = 0; i < 200; i++) {
        struct deep *d = mem_zalloc(sizeof(*d));
        *d = (struct deep){ { .run = deep_run }, back, &n_done, false };
        task_pool_post(p, &d->task);
    }
    task_pool_free(p);
    ck_assert_int_eq(atomic_load(&n_done), 200);
    ck_assert_uint_eq(task_run_all(back), 200);
    task_queue_free(back);
    task_pool_free(NULL);
}
END_TEST

START_TEST(idle_pool_ends)
{
    task_pool_free(task_pool_new(2, 1 << 20, "idle"));
}
END_TEST

struct thing {
    struct ref ref;
    int version, check;
    atomic_int *n_alive;
};

static void
thing_free(struct ref *ref)
{
    struct thing *t = (struct thing *)ref;

    atomic_fetch_sub(t->n_alive, 1);
    t->check = -1;
    mem_free(t);
}

static struct thing *
thing_new(int version, atomic_int *n_alive)
{
    struct thing *t = mem_zalloc(sizeof(*t));
    ref_init(&t->ref, thing_free);
    t->version = t->check = version;
    t->n_alive = n_alive;
    atomic_fetch_add(n_alive, 1);
    return t;
}

START_TEST(object_dies_with_its_last_reference)
{
    atomic_int n_alive = 0;
    struct thing *t = thing_new(1, &n_alive);
    struct cell *c = cell_new(t);

    ck_assert_ptr_eq(cell_get(c), t);
    cell_swap(c, thing_new(2, &n_alive));
    ck_assert_int_eq(atomic_load(&n_alive), 2);
    ref_drop(t);
    ck_assert_int_eq(atomic_load(&n_alive), 1);
    t = cell_get(c);
    cell_free(c);
    ck_assert_int_eq(t->version, 2);
    ref_drop(ref_take(t));
    ck_assert_int_eq(atomic_load(&n_alive), 1);
    ref_drop(t);
    ck_assert_int_eq(atomic_load(&n_alive), 0);
}
END_TEST

START_TEST(nothing_is_a_fine_object)
{
    struct cell *c = cell_new(NULL);

    ck_assert_ptr_null(cell_get(c));
    cell_swap(c, NULL);
    cell_free(c);
    cell_free(NULL);
    ref_drop(NULL);
    ck_assert_ptr_null(ref_take(NULL));
}
END_TEST

struct readers {
    struct cell *cell;
    atomic_bool is_over;
};

static void *
read_many(void *arg)
{
    struct readers *r = arg;
    int before = 0;

    while (!atomic_load(&r->is_over)) {
        struct thing *t = cell_get(r->cell);
        ck_assert_int_eq(t->version, t->check);
        ck_assert_int_ge(t->version, before);
        before = t->version;
        ref_drop(t);
    }
    return NULL;
}

START_TEST(readers_see_whole_objects_that_only_get_newer)
{
    atomic_int n_alive = 0;
    struct readers r = { .cell = cell_new(thing_new(0, &n_alive)) };
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, read_many, &r), 0);
    for (int i = 1; i <= 5000; i++)
        cell_swap(r.cell, thing_new(i, &n_alive));
    atomic_store(&r.is_over, true);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    ck_assert_int_eq(atomic_load(&n_alive), 1);
    cell_free(r.cell);
    ck_assert_int_eq(atomic_load(&n_alive), 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_task");
    TCase *tc = tcase_create("task");

    tcase_add_loop_test(tc, every_task_runs_once_and_in_order, 0, 2);
    tcase_add_test(tc, consumer_is_woken_once_per_filling);
    tcase_add_test(tc, task_posted_by_a_task_waits_for_the_next_turn);
    tcase_add_test(tc, waiting_ends_when_time_is_up);
    tcase_add_test(tc, pool_has_deep_stacks_and_finishes_before_it_ends);
    tcase_add_test(tc, idle_pool_ends);
    tcase_add_test(tc, object_dies_with_its_last_reference);
    tcase_add_test(tc, nothing_is_a_fine_object);
    tcase_add_test(tc, readers_see_whole_objects_that_only_get_newer);
    unit_add_death(tc, queue_with_tasks_is_not_freed);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
