// SPDX-License-Identifier: ISC
/* The loop: tasks from other threads run on it in order, timers fire once, watches report
 * what they want and nothing after they are gone, signals arrive. */
#include "net/loop.h"

#include "lib/unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/mem.h"

#define N_THREADS 4
#define N_TASKS   5000

struct tally {
    struct net_loop *loop;
    pthread_t home;
    unsigned n, next[N_THREADS];
    bool is_ordered, is_at_home;
};

struct job {
    struct task task;
    struct tally *tally;
    unsigned thread, number;
};

static void
run_job(struct task *task)
{
    struct job *j = (struct job *)(void *)task;
    struct tally *t = j->tally;
    t->is_ordered &= t->next[j->thread]++ == j->number;
    t->is_at_home &= pthread_equal(t->home, pthread_self()) != 0;
    if (++t->n == N_THREADS * N_TASKS)
        net_loop_stop(t->loop);
    mem_free(j);
}

struct poster {
    struct tally *tally;
    unsigned thread;
    pthread_t id;
};

static void *
post_jobs(void *ctx)
{
    struct poster *p = ctx;
    for (unsigned i = 0; i < N_TASKS; i++) {
        struct job *j = mem_zalloc(sizeof *j);
        *j = (struct job){ { .run = run_job }, p->tally, p->thread, i };
        task_post(net_loop_queue(p->tally->loop), &j->task);
    }
    return NULL;
}

START_TEST(tasks_of_many_threads_run_on_the_loop_in_order)
{
    struct tally t = { .loop = net_loop_new(),
        .home = pthread_self(),
        .is_ordered = true,
        .is_at_home = true };
    struct poster posters[N_THREADS];

    for (unsigned i = 0; i < N_THREADS; i++) {
        posters[i] = (struct poster){ .tally = &t, .thread = i };
        ck_assert_int_eq(
            pthread_create(&posters[i].id, NULL, post_jobs, &posters[i]), 0);
    }
    net_loop_run(t.loop);
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_join(posters[i].id, NULL);
    ck_assert_uint_eq(t.n, N_THREADS * N_TASKS);
    ck_assert(t.is_ordered);
    ck_assert(t.is_at_home);
    net_loop_free(t.loop);
}
END_TEST

struct stop_task {
    struct task task;
    struct net_loop *loop;
    unsigned *n;
};

static void
run_stop(struct task *task)
{
    struct stop_task *s = (struct stop_task *)(void *)task;
    (*s->n)++;
    net_loop_stop(s->loop);
}

START_TEST(task_posted_before_the_loop_runs_is_run)
{
    struct net_loop *l = net_loop_new();
    unsigned n = 0;
    struct stop_task s = { { .run = run_stop }, l, &n };

    task_post(net_loop_queue(l), &s.task);
    net_loop_run(l);
    ck_assert_uint_eq(n, 1);
    net_loop_free(l);
}
END_TEST

START_TEST(task_left_over_is_run_when_the_loop_goes)
{
    struct net_loop *l = net_loop_new();
    unsigned n = 0;
    struct stop_task s = { { .run = run_stop }, l, &n };

    task_post(net_loop_queue(l), &s.task);
    net_loop_free(l);
    ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(stop_before_run_counts_once)
{
    struct net_loop *l = net_loop_new();
    unsigned n = 0;
    struct stop_task s = { { .run = run_stop }, l, &n };

    net_loop_stop(l);
    net_loop_run(l); /* returns at once */
    task_post(net_loop_queue(l), &s.task);
    net_loop_run(l);
    ck_assert_uint_eq(n, 1);
    net_loop_free(l);
}
END_TEST

struct ticker {
    struct net_loop *loop;
    struct net_timer timer, other;
    unsigned n, n_other, until;
    int64_t every_ms;
};

static void
on_tick(void *ctx)
{
    struct ticker *t = ctx;
    if (++t->n == t->until)
        net_loop_stop(t->loop);
    else if (t->every_ms >= 0)
        net_timer_start(&t->timer, t->every_ms);
}

static void
on_other(void *ctx)
{
    struct ticker *t = ctx;
    t->n_other++;
}

static int64_t
now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(timer_fires_when_due_and_can_be_started_again)
{
    struct ticker t = { .loop = net_loop_new(), .until = 3, .every_ms = 20 };
    int64_t start = now_ms();

    net_timer_init(&t.timer, t.loop, on_tick, &t);
    net_timer_start(&t.timer, 20);
    net_loop_run(t.loop);
    ck_assert_int_ge(now_ms() - start, 55);
    ck_assert_uint_eq(t.n, 3);
    net_timer_deinit(&t.timer);
    net_loop_free(t.loop);
}
END_TEST

START_TEST(stopped_and_restarted_timers_do_not_fire_early)
{
    struct ticker t = { .loop = net_loop_new(), .until = 1, .every_ms = -1 };

    net_timer_init(&t.timer, t.loop, on_tick, &t);
    net_timer_init(&t.other, t.loop, on_other, &t);
    net_timer_start(&t.other, 5);
    net_timer_stop(&t.other);
    net_timer_start(&t.timer, 5);
    net_timer_start(&t.timer, 40); /* the later start wins */
    int64_t start = now_ms();
    net_loop_run(t.loop);
    ck_assert_int_ge(now_ms() - start, 35);
    ck_assert_uint_eq(t.n_other, 0);
    net_timer_deinit(&t.timer);
    net_timer_deinit(&t.other);
    net_loop_free(t.loop);
}
END_TEST

struct mortal {
    struct net_loop *loop;
    struct net_timer timer;
};

static void
free_owner(void *ctx)
{
    struct mortal *m = ctx;
    net_loop_stop(m->loop);
    net_timer_deinit(&m->timer);
    mem_free(m);
}

START_TEST(timer_s_function_may_free_its_owner)
{
    struct net_loop *l = net_loop_new();
    struct mortal *m = mem_zalloc(sizeof *m);

    m->loop = l;
    net_timer_init(&m->timer, l, free_owner, m);
    net_timer_start(&m->timer, 0);
    net_loop_run(l);
    net_loop_free(l);
}
END_TEST

START_TEST(zeroed_timers_and_watches_can_be_put_away)
{
    struct net_timer t = { 0 };
    struct net_watch w = { 0 };

    net_timer_stop(&t);
    net_timer_deinit(&t);
    net_watch_deinit(&w);
}
END_TEST

struct ends {
    struct net_loop *loop;
    int fd[2];
    struct net_watch watch[2];
    unsigned n_read[2], n_write[2];
    unsigned stop_at; /* total of calls */
    void (*then)(struct ends *e, int i, unsigned what);
};

static void
on_end(struct ends *e, int i, unsigned what)
{
    if (what == NET_READ)
        e->n_read[i]++;
    else if (what == NET_WRITE)
        e->n_write[i]++;
    else
        ck_abort_msg("called for 0x%x", what);
    if (e->n_read[0] + e->n_read[1] + e->n_write[0] + e->n_write[1] == e->stop_at)
        net_loop_stop(e->loop);
    if (e->then)
        e->then(e, i, what);
}

static void
on_first(void *ctx, unsigned what)
{
    on_end(ctx, 0, what);
}

static void
on_second(void *ctx, unsigned what)
{
    on_end(ctx, 1, what);
}

static void
ends_open(struct ends *e)
{
    e->loop = net_loop_new();
    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e->fd), 0);
    net_watch_init(&e->watch[0], e->loop, e->fd[0], on_first, e);
    net_watch_init(&e->watch[1], e->loop, e->fd[1], on_second, e);
}

static void
ends_close(struct ends *e)
{
    for (int i = 0; i < 2; i++) {
        net_watch_deinit(&e->watch[i]);
        if (e->fd[i] >= 0)
            close(e->fd[i]);
    }
    net_loop_free(e->loop);
}

START_TEST(watch_reports_again_while_there_is_something)
{
    struct ends e = { .stop_at = 3 };

    ends_open(&e);
    net_watch_set(&e.watch[1], NET_READ);
    ck_assert_int_eq(write(e.fd[0], "x", 1), 1);
    net_loop_run(e.loop);
    ck_assert_uint_eq(e.n_read[1], 3); /* level-triggered: nobody has read it */
    ends_close(&e);
}
END_TEST

START_TEST(watch_reports_reading_and_writing)
{
    struct ends e = { .stop_at = 2 };

    ends_open(&e);
    net_watch_set(&e.watch[1], NET_READ | NET_WRITE);
    ck_assert_int_eq(write(e.fd[0], "x", 1), 1);
    net_loop_run(e.loop);
    ck_assert_uint_eq(e.n_read[1], 1);
    ck_assert_uint_eq(e.n_write[1], 1);
    ends_close(&e);
}
END_TEST

static void
want_nothing(struct ends *e, int i, unsigned what)
{
    (void)i, (void)what;
    net_watch_set(&e->watch[1], 0);
}

/* A timer ends the test: nothing else may. */
static void
stop_loop(void *ctx)
{
    net_loop_stop(ctx);
}

START_TEST(watch_that_wants_nothing_more_is_left_alone)
{
    struct ends e = { .then = want_nothing };
    struct net_timer end;

    ends_open(&e);
    net_timer_init(&end, e.loop, stop_loop, e.loop);
    net_timer_start(&end, 30);
    net_watch_set(&e.watch[1], NET_READ | NET_WRITE);
    ck_assert_int_eq(write(e.fd[0], "x", 1), 1);
    net_loop_run(e.loop);
    /* The other of the two was ready in the same turn and must not be told. */
    ck_assert_uint_eq(e.n_read[1] + e.n_write[1], 1);
    net_watch_set(&e.watch[1], NET_READ);
    net_timer_start(&end, 30);
    net_loop_run(e.loop);
    ck_assert_uint_eq(e.n_read[1] + e.n_write[1], 2);
    net_timer_deinit(&end);
    ends_close(&e);
}
END_TEST

/* Both are ready in one turn; whichever comes first takes both away. */
static void
deinit_both(struct ends *e, int i, unsigned what)
{
    (void)i, (void)what;
    net_watch_deinit(&e->watch[0]);
    net_watch_deinit(&e->watch[1]);
    close(e->fd[0]);
    close(e->fd[1]);
    e->fd[0] = e->fd[1] = -1;
}

START_TEST(watch_gone_in_the_same_turn_is_not_called)
{
    struct ends e = { .then = deinit_both };
    struct net_timer end;

    ends_open(&e);
    net_timer_init(&end, e.loop, stop_loop, e.loop);
    net_timer_start(&end, 30);
    net_watch_set(&e.watch[0], NET_READ | NET_WRITE);
    net_watch_set(&e.watch[1], NET_READ | NET_WRITE);
    ck_assert_int_eq(write(e.fd[0], "x", 1), 1);
    ck_assert_int_eq(write(e.fd[1], "x", 1), 1);
    net_loop_run(e.loop);
    ck_assert_uint_eq(e.n_read[0] + e.n_read[1] + e.n_write[0] + e.n_write[1], 1);
    net_timer_deinit(&end);
    ends_close(&e);
}
END_TEST

START_TEST(peer_s_end_wakes_the_reader)
{
    struct ends e = { .stop_at = 1 };

    ends_open(&e);
    net_watch_set(&e.watch[1], NET_READ);
    close(e.fd[0]);
    e.fd[0] = -1;
    net_loop_run(e.loop);
    ck_assert_uint_eq(e.n_read[1], 1);
    ends_close(&e);
}
END_TEST

START_TEST(descriptor_number_can_be_used_again)
{
    struct ends e = { .stop_at = 1 };

    ends_open(&e);
    net_watch_set(&e.watch[1], NET_READ);
    net_watch_deinit(&e.watch[1]);
    close(e.fd[1]);
    close(e.fd[0]);
    int old = e.fd[1];
    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e.fd), 0);
    ck_assert(e.fd[0] == old || e.fd[1] == old);
    net_watch_init(&e.watch[1], e.loop, e.fd[1], on_second, &e);
    net_watch_set(&e.watch[1], NET_READ);
    ck_assert_int_eq(write(e.fd[0], "x", 1), 1);
    net_loop_run(e.loop);
    ck_assert_uint_eq(e.n_read[1], 1);
    ends_close(&e);
}
END_TEST

struct caught {
    struct net_loop *loop;
    int signum;
};

static void
on_signal(void *ctx, int signum)
{
    struct caught *c = ctx;
    c->signum = signum;
    net_loop_stop(c->loop);
}

START_TEST(signal_arrives_on_the_loop)
{
    struct caught c = { .loop = net_loop_new() };
    struct net_signal *s = net_signal_new(c.loop, SIGHUP, on_signal, &c);

    raise(SIGHUP);
    net_loop_run(c.loop);
    ck_assert_int_eq(c.signum, SIGHUP);
    net_signal_free(s);
    net_loop_free(c.loop);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("net/loop");
    TCase *tc = tcase_create("loop");

    tcase_add_test(tc, tasks_of_many_threads_run_on_the_loop_in_order);
    tcase_add_test(tc, task_posted_before_the_loop_runs_is_run);
    tcase_add_test(tc, task_left_over_is_run_when_the_loop_goes);
    tcase_add_test(tc, stop_before_run_counts_once);
    tcase_add_test(tc, timer_fires_when_due_and_can_be_started_again);
    tcase_add_test(tc, stopped_and_restarted_timers_do_not_fire_early);
    tcase_add_test(tc, timer_s_function_may_free_its_owner);
    tcase_add_test(tc, zeroed_timers_and_watches_can_be_put_away);
    tcase_add_test(tc, watch_reports_again_while_there_is_something);
    tcase_add_test(tc, watch_reports_reading_and_writing);
    tcase_add_test(tc, watch_that_wants_nothing_more_is_left_alone);
    tcase_add_test(tc, watch_gone_in_the_same_turn_is_not_called);
    tcase_add_test(tc, peer_s_end_wakes_the_reader);
    tcase_add_test(tc, descriptor_number_can_be_used_again);
    tcase_add_test(tc, signal_arrives_on_the_loop);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
