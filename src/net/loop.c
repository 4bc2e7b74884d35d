// SPDX-License-Identifier: ISC
/* The event loop over libevent: epoll, no locks, the time taken once per turn. The one
 * system call of a turn is epoll_wait; registrations change only when their owner wants
 * something else. Other threads post tasks and wake the loop through an eventfd. */
#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

#define LOOP_MAGIC   0x6c6f6f70u
#define TIMER_MAGIC  0x74696d65u
#define WATCH_MAGIC  0x77617463u
#define SIGNAL_MAGIC 0x7369676eu

struct net_loop {
    uint32_t magic;
    struct event_base *base;  /* owned */
    struct task_queue *queue; /* owned */
    struct event *wake_ev;    /* owned */
    int wake_fd;              /* owned */
    bool is_stopped;
};

struct net_signal {
    uint32_t magic;
    struct event *ev; /* owned */
    void (*fn)(void *ctx, int signum);
    void *ctx;
};

static struct event_base *
make_base(void)
{
    struct event_config *config = event_config_new();
    DG_ASSERT(config, "out of memory");
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    event_config_avoid_method(config, "select");
    event_config_avoid_method(config, "poll");
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    DG_ASSERT(base, "no event loop: the kernel gives no epoll descriptor (%s)",
        strerror(errno));
    return base;
}

/* thread: any. A full counter means that the loop has not woken yet: nothing is lost. */
static void
wake(void *ctx)
{
    struct net_loop *l = ctx;
    uint64_t one = 1;
    ssize_t n;
    do
        n = write(l->wake_fd, &one, sizeof one);
    while (n < 0 && errno == EINTR);
    DG_ASSERT(n == sizeof one || errno == EAGAIN, "cannot wake the loop: %s",
        strerror(errno));
}

/* The counter is cleared first: a task posted while others run wakes the loop again. */
static void
on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct net_loop *l = ctx;
    DG_ASSERT(l->magic == LOOP_MAGIC, "not a loop");
    (void)what;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    DG_ASSERT(n == sizeof count || errno == EAGAIN || errno == EINTR,
        "cannot read the loop's eventfd: %s", strerror(errno));
    task_run_all(l->queue);
}

struct net_loop *
net_loop_new(void)
{
    struct net_loop *l = mem_zalloc(sizeof *l);
    l->magic = LOOP_MAGIC;
    l->base = make_base();
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    DG_ASSERT(l->wake_fd >= 0, "no eventfd: %s", strerror(errno));
    l->queue = task_queue_new(wake, l);
    l->wake_ev = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
    DG_ASSERT(l->wake_ev && event_add(l->wake_ev, NULL) == 0,
        "cannot watch the loop's eventfd: %s", strerror(errno));
    return l;
}

void
net_loop_free(struct net_loop *l)
{
    if (!l)
        return;
    DG_ASSERT(l->magic == LOOP_MAGIC, "not a loop");
    while (task_run_all(l->queue) > 0)
        ;
    task_queue_free(l->queue);
    event_free(l->wake_ev);
    close(l->wake_fd);
    event_base_free(l->base);
    l->magic = 0;
    mem_free(l);
}

void
net_loop_run(struct net_loop *l)
{
    DG_ASSERT(l->magic == LOOP_MAGIC, "not a loop");
    if (!l->is_stopped) {
        int r = event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
        DG_ASSERT(
            r >= 0 && l->is_stopped, "the event loop failed: %s", strerror(errno));
    }
    l->is_stopped = false;
}

void
net_loop_stop(struct net_loop *l)
{
    DG_ASSERT(l->magic == LOOP_MAGIC, "not a loop");
    l->is_stopped = true;
    event_base_loopbreak(l->base);
}

struct event_base *
net_loop_base(struct net_loop *l)
{
    return l->base;
}

struct task_queue *
net_loop_queue(struct net_loop *l)
{
    return l->queue;
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct net_timer *t = ctx;
    DG_ASSERT(t->magic == TIMER_MAGIC, "not a timer");
    (void)fd, (void)what;
    t->fn(t->ctx);
}

void
net_timer_init(struct net_timer *t, struct net_loop *l, void (*fn)(void *), void *ctx)
{
    DG_ASSERT(l->magic == LOOP_MAGIC, "not a loop");
    *t = (struct net_timer){ .fn = fn, .ctx = ctx, .magic = TIMER_MAGIC };
    t->ev = event_new(l->base, -1, 0, on_timer, t);
    DG_ASSERT(t->ev, "out of memory");
}

void
net_timer_start(struct net_timer *t, int64_t delay_ms)
{
    DG_ASSERT(t->magic == TIMER_MAGIC, "not a timer");
    if (delay_ms < 0)
        delay_ms = 0;
    struct timeval tv = { .tv_sec = delay_ms / 1000,
        .tv_usec = (suseconds_t)(delay_ms % 1000 * 1000) };
    int r = event_add(t->ev, &tv);
    DG_ASSERT(r == 0, "out of memory");
}

void
net_timer_stop(struct net_timer *t)
{
    if (t->ev)
        event_del(t->ev);
}

void
net_timer_deinit(struct net_timer *t)
{
    if (t->ev)
        event_free(t->ev);
    t->ev = NULL;
    t->magic = 0;
}

static void
on_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct net_watch *w = ctx;
    DG_ASSERT(w->magic == WATCH_MAGIC && w->fd == fd, "not a watch");
    w->fn(w->ctx, what & EV_READ ? NET_READ : NET_WRITE);
}

void
net_watch_init(struct net_watch *w, struct net_loop *l, int fd,
    void (*fn)(void *ctx, unsigned what), void *ctx)
{
    DG_ASSERT(l->magic == LOOP_MAGIC, "not a loop");
    DG_ASSERT(fd >= 0, "no descriptor");
    *w = (struct net_watch){
        .loop = l, .fn = fn, .ctx = ctx, .fd = fd, .magic = WATCH_MAGIC
    };
}

/* Two events on one descriptor: libevent merges them into one registration, and either
 * can change without the other's being taken apart. */
static void
want_event(struct net_watch *w, struct event **ev, short what, bool is_wanted)
{
    int r = 0;
    if (!*ev && is_wanted) {
        *ev = event_new(w->loop->base, w->fd, (short)(what | EV_PERSIST), on_ready, w);
        DG_ASSERT(*ev, "out of memory");
    }
    if (*ev)
        r = is_wanted ? event_add(*ev, NULL) : event_del(*ev);
    DG_ASSERT(r == 0, "cannot watch descriptor %d: %s", w->fd, strerror(errno));
}

void
net_watch_set(struct net_watch *w, unsigned want)
{
    DG_ASSERT(w->magic == WATCH_MAGIC, "not a watch");
    DG_ASSERT(!(want & ~(unsigned)(NET_READ | NET_WRITE)), "wants 0x%x", want);
    unsigned changed = w->want ^ want;
    w->want = want;
    /* First what is added: a registration that changes is cheaper than one that goes
     * and comes back. */
    for (int is_wanted = 1; is_wanted >= 0 && changed; is_wanted--) {
        unsigned now = changed & (is_wanted ? want : ~want);
        if (now & NET_READ)
            want_event(w, &w->rd, EV_READ, is_wanted);
        if (now & NET_WRITE)
            want_event(w, &w->wr, EV_WRITE, is_wanted);
    }
}

void
net_watch_deinit(struct net_watch *w)
{
    if (w->rd)
        event_free(w->rd);
    if (w->wr)
        event_free(w->wr);
    w->rd = w->wr = NULL;
    w->want = 0;
    w->magic = 0;
}

static void
on_signal(evutil_socket_t signum, short what, void *ctx)
{
    struct net_signal *s = ctx;
    DG_ASSERT(s->magic == SIGNAL_MAGIC, "not a signal");
    (void)what;
    s->fn(s->ctx, signum);
}

struct net_signal *
net_signal_new(struct net_loop *l, int signum, void (*fn)(void *ctx, int), void *ctx)
{
    DG_ASSERT(l->magic == LOOP_MAGIC, "not a loop");
    struct net_signal *s = mem_zalloc(sizeof *s);
    *s = (struct net_signal){ .magic = SIGNAL_MAGIC, .fn = fn, .ctx = ctx };
    s->ev = evsignal_new(l->base, signum, on_signal, s);
    DG_ASSERT(s->ev && event_add(s->ev, NULL) == 0, "cannot catch signal %d", signum);
    return s;
}

void
net_signal_free(struct net_signal *s)
{
    if (!s)
        return;
    DG_ASSERT(s->magic == SIGNAL_MAGIC, "not a signal");
    event_free(s->ev);
    s->magic = 0;
    mem_free(s);
}
