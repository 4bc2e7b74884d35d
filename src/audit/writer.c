// SPDX-License-Identifier: ISC
/* The queue and the thread behind aud_write; see audit.h.
 *
 * The writer's states, and what they mean for records (`entry`):
 *
 *   writing   queue -> inflight (added, flushed) -> synced: answered, freed
 *                                                -> unsynced, if nobody waits for the disk:
 *                                                   kept in memory until the next sync
 *   failed    aud_write refuses all but outcomes. What was promised to nobody or has
 *             happened already (outcomes) is in `kept`, everything else was answered.
 *
 *   writing -> failed    fail(), after any failed flush or sync
 *   failed -> writing    recover(), once a new file with an audit.gap record is in place;
 *                        `kept` goes to the front of the queue */
#include "audit/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "audit/log.h"
#include "audit/record.h"
#include "audit/repair.h"
#include "base/mem.h"

#define ENTRY_BYTES  1024 /* most records are shorter */
#define RETRY_MS     1000
#define QUEUE_MAX    (64 * 1024 * 1024)
#define BATCH_BYTES  (1024 * 1024)     /* written at once, but for one long record */
#define UNSYNCED_MAX (4 * 1024 * 1024) /* bytes written that no sync has covered */
#define UNSYNCED_MS  1000              /* and their age */
#define WAIT_STEP_MS 1000              /* longest sleep while a deadline is open */

struct entry {
    struct entry *next;
    struct aud_wait *wait; /* NULL: nobody waits, or was answered */
    enum aud_event event;
    bool is_final;   /* closes its intent */
    char *intent_id; /* owned; NULL for records without */
    struct buf head; /* the rendered record */
};

struct entries {
    struct entry *first;
    struct entry **end; /* where the next one is linked */
    size_t bytes;
};

struct aud {
    struct aud_tune tune;
    struct aud_conf conf; /* without path */
    const struct clk *clk;
    char *path; /* owned; as of the opening */
    pthread_t thread;

    pthread_mutex_t lock;   /* guards the next block */
    pthread_cond_t changed; /* on CLOCK_MONOTONIC */
    struct entries queue;
    size_t n_bytes; /* of all entries alive, wherever they are */
    bool is_stopping, wants_reopen;
    int error;       /* -errno of the failure while failed, else 0 */
    uint64_t n_lost; /* records refused since it failed */

    atomic_bool is_failed;
    atomic_ullong records, syncs, failures;

    /* the writer thread's own */
    struct aud_log log;
    struct entries unsynced, kept;
    int64_t unsynced_since_us; /* mono */
    int64_t retry_at_us;       /* mono; while failed */
    int64_t recovered_us;      /* mono; of the last recovery, 0: none */
    int64_t switch_at_us;      /* mono; no rotation before */
    bool is_moved;             /* a reopen is due */
    bool is_last_try;          /* the attempt at closing was made */
    struct aud_note gap;       /* what is known of the failure */
};

/* --- entries -------------------------------------------------------------------------- */

static void
entries_init(struct entries *q)
{
    *q = (struct entries){ .end = &q->first };
}

static void
entries_push(struct entries *q, struct entry *e)
{
    e->next = NULL;
    *q->end = e;
    q->end = &e->next;
    q->bytes += buf_len(&e->head);
}

static struct entry *
entries_pop(struct entries *q)
{
    struct entry *e = q->first;

    if (!e)
        return NULL;
    q->first = e->next;
    if (!q->first)
        q->end = &q->first;
    q->bytes -= buf_len(&e->head);
    e->next = NULL;
    return e;
}

/* Moves all of from to the end of to. */
static void
entries_join(struct entries *to, struct entries *from)
{
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    to->bytes += from->bytes;
    entries_init(from);
}

static size_t
entry_cost(const struct entry *e)
{
    return sizeof(*e) + e->head.cap;
}

static void
entry_free(struct entry *e)
{
    buf_deinit(&e->head);
    mem_free(e->intent_id);
    mem_free(e);
}

static struct entry *
entry_new(struct aud *a, const struct aud_rec *rec, const struct aud_note *note,
    struct aud_wait *wait)
{
    struct entry *e = mem_zalloc(sizeof(*e));

    e->wait = wait;
    e->event = rec->event;
    e->is_final = aud_rec_is_final(rec);
    e->intent_id = mem_strdup(rec->intent_id);
    buf_init(&e->head, AUD_MAX_LINE);
    if (buf_reserve(&e->head, ENTRY_BYTES))
        DG_ASSERT(false, "out of memory");
    aud_rec_render(&e->head, rec, note, a->log.host, a->clk->wall_us(a->clk));
    return e;
}

static void
answer(struct aud_wait *w, int result)
{
    if (!w)
        return;
    w->result = result;
    task_post(w->queue, &w->task); /* w is the receiver's from here on */
}

/* An entry that is done. */
static void
drop(struct aud *a, struct entry *e)
{
    pthread_mutex_lock(&a->lock);
    DG_ASSERT(a->n_bytes >= entry_cost(e), "the queue's bytes are miscounted");
    a->n_bytes -= entry_cost(e);
    pthread_mutex_unlock(&a->lock);
    entry_free(e);
}

static void
drop_all(struct aud *a, struct entries *q)
{
    for (struct entry *e; (e = entries_pop(q));)
        drop(a, e);
}

/* --- the writer thread ---------------------------------------------------------------- */

static int64_t
mono_us(const struct aud *a)
{
    return a->clk->mono_us(a->clk);
}

static void
follow_intent(struct aud *a, const struct entry *e)
{
    if (!e->intent_id)
        return;
    if (e->event == AUD_INTENT)
        map_set(a->log.open_intents, str_of(e->intent_id), a);
    else if (e->is_final)
        map_remove(a->log.open_intents, str_of(e->intent_id));
}

/* The fate of an entry after a failure: see the states above. */
static void
refuse_or_keep(struct aud *a, struct entry *e, int error, uint64_t *n_lost)
{
    bool is_promised = e->wait && e->event != AUD_OUTCOME;

    answer(e->wait, error);
    e->wait = NULL;
    if (is_promised) {
        (*n_lost)++;
        drop(a, e);
        return;
    }
    /* Open again until it is written again, so that the gap's list has it. */
    if (e->is_final && e->intent_id)
        map_set(a->log.open_intents, str_of(e->intent_id), a);
    entries_push(&a->kept, e);
}

static void
fail(struct aud *a, int error, struct entries *inflight, struct entries *rest)
{
    struct entries all;
    uint64_t n_lost = 0;

    a->gap = (struct aud_note){ .since_us = a->clk->wall_us(a->clk) };
    aud_log_distrust(&a->log, &a->gap);
    a->gap.error = strerrordesc_np(-error);
    /* The first attempt comes at once, unless the last new file lasted no longer. */
    int64_t now = mono_us(a), earliest = a->recovered_us + a->tune.retry_ms * 1000;
    a->retry_at_us = a->recovered_us && earliest > now ? earliest : now;
    atomic_fetch_add(&a->failures, 1);
    entries_init(&all);
    entries_join(&all, &a->unsynced);
    entries_join(&all, inflight);
    entries_join(&all, rest);
    pthread_mutex_lock(&a->lock);
    a->error = error;
    atomic_store(&a->is_failed, true);
    entries_join(&all, &a->queue);
    pthread_mutex_unlock(&a->lock);
    for (struct entry *e; (e = entries_pop(&all));)
        refuse_or_keep(a, e, error, &n_lost);
    pthread_mutex_lock(&a->lock);
    a->n_lost += n_lost;
    pthread_mutex_unlock(&a->lock);
}

/* Tries to get a new file. Every attempt leaves the old one where it is until the new one
 * holds its gap record, so a full disk doesn't fill with empty files. */
static void
recover(struct aud *a)
{
    pthread_mutex_lock(&a->lock);
    uint64_t n_lost = a->n_lost;
    pthread_mutex_unlock(&a->lock);
    a->gap.lost_records = n_lost;
    int r = aud_log_switch(&a->log, AUD_GAP, "the audit could not be written", &a->gap);
    if (r) {
        atomic_fetch_add(&a->failures, 1);
        a->retry_at_us = mono_us(a) + a->tune.retry_ms * 1000;
        return;
    }
    atomic_fetch_add(&a->records, 1);
    a->recovered_us = mono_us(a);
    a->is_moved = false;
    pthread_mutex_lock(&a->lock);
    entries_join(&a->kept, &a->queue);
    entries_join(&a->queue, &a->kept);
    a->n_lost -= n_lost; /* those refused since then belong to the next gap */
    a->error = 0;
    atomic_store(&a->is_failed, false);
    pthread_mutex_unlock(&a->lock);
}

/* Returns -errno when what was written before can't be synced. */
static int
sync_now(struct aud *a)
{
    int r = aud_log_sync(&a->log);
    if (r)
        return r;
    atomic_fetch_add(&a->syncs, 1);
    drop_all(a, &a->unsynced);
    return 0;
}

static bool
is_switch_due(struct aud *a)
{
    int64_t age_us = a->clk->wall_us(a->clk) - a->log.born_us;

    if (mono_us(a) < a->switch_at_us)
        return false;
    if (a->is_moved)
        return true;
    if (a->log.size == 0)
        return false;
    return (a->conf.rotate_bytes && a->log.size >= a->conf.rotate_bytes)
        || (a->conf.rotate_ms && age_us / 1000 >= a->conf.rotate_ms);
}

/* The old file stays in use when there is no new one: it is as good as before, only
 * larger or at another name. Returns -errno if it can't be synced. */
static int
rotate(struct aud *a)
{
    struct aud_note note = { 0 };

    if (a->unsynced.first) {
        int r = sync_now(a);
        if (r)
            return r;
    }
    const char *reason = a->is_moved ? "the file was moved away" : "size or age";
    int r = aud_log_switch(&a->log, AUD_ROTATED, reason, &note);
    if (r) {
        atomic_fetch_add(&a->failures, 1);
        a->switch_at_us = mono_us(a) + a->tune.retry_ms * 1000;
        return 0;
    }
    atomic_fetch_add(&a->records, 1);
    a->is_moved = false;
    return 0;
}

/* As many entries as make a batch; says whether anybody waits for them. */
static bool
take_batch(struct aud *a, struct entries *q, struct entries *inflight)
{
    bool has_waiter = false;
    size_t limit = BATCH_BYTES;

    if (a->conf.rotate_bytes > a->log.size
        && a->conf.rotate_bytes - a->log.size < limit)
        limit = (size_t)(a->conf.rotate_bytes - a->log.size);
    while (q->first && inflight->bytes < limit) {
        struct entry *e = entries_pop(q);
        aud_log_add(&a->log, (struct str){ buf_ptr(&e->head), buf_len(&e->head) });
        has_waiter = has_waiter || e->wait;
        entries_push(inflight, e);
    }
    return has_waiter;
}

static void
finish_batch(struct aud *a, struct entries *inflight, bool is_synced)
{
    uint64_t n = 0;

    for (struct entry *e; (e = entries_pop(inflight)); n++) {
        follow_intent(a, e);
        answer(e->wait, 0);
        e->wait = NULL;
        if (is_synced) {
            drop(a, e);
            continue;
        }
        if (!a->unsynced.first)
            a->unsynced_since_us = mono_us(a);
        entries_push(&a->unsynced, e);
    }
    atomic_fetch_add(&a->records, n);
}

/* One batch: one write, and one sync if somebody waits for it. */
static int
write_batch(struct aud *a, struct entries *q, struct entries *inflight)
{
    bool has_waiter = take_batch(a, q, inflight);
    bool wants_sync = a->log.is_durable
        && (has_waiter || a->unsynced.bytes + inflight->bytes > UNSYNCED_MAX);

    int r = aud_log_flush(&a->log);
    if (!r && wants_sync)
        r = sync_now(a);
    if (!r)
        finish_batch(a, inflight, wants_sync || !a->log.is_durable);
    return r;
}

static void
write_all(struct aud *a, struct entries *q)
{
    struct entries inflight;

    entries_init(&inflight);
    do {
        int r = is_switch_due(a) ? rotate(a) : 0;
        if (!r && q->first)
            r = write_batch(a, q, &inflight);
        if (r) {
            fail(a, r, &inflight, q);
            return;
        }
    } while (q->first);
}

static bool
is_sync_due(struct aud *a)
{
    return a->unsynced.first
        && mono_us(a) - a->unsynced_since_us >= UNSYNCED_MS * INT64_C(1000);
}

static void
sync_idle(struct aud *a)
{
    struct entries none, rest;

    int r = sync_now(a);
    if (!r)
        return;
    entries_init(&none);
    entries_init(&rest);
    fail(a, r, &none, &rest);
}

/* Microseconds of mono time until something is due; -1: nothing is. With the lock held. */
static int64_t
next_deadline(struct aud *a)
{
    int64_t at = -1;

    if (a->error)
        return a->retry_at_us;
    if (a->unsynced.first)
        at = a->unsynced_since_us + UNSYNCED_MS * INT64_C(1000);
    if (a->is_moved && (at < 0 || a->switch_at_us < at))
        at = a->switch_at_us;
    return at;
}

/* Sleeps until there is something to do. The clock may be a test's, so a sleep is never
 * longer than WAIT_STEP_MS while a deadline is open. */
static void
wait_for_work(struct aud *a)
{
    struct timespec ts;

    while (!a->is_stopping && !a->wants_reopen && (a->error || !a->queue.first)) {
        int64_t at = next_deadline(a);
        if (at < 0) {
            pthread_cond_wait(&a->changed, &a->lock);
            continue;
        }
        int64_t left = at - mono_us(a);
        if (left <= 0)
            return;
        if (left > WAIT_STEP_MS * INT64_C(1000))
            left = WAIT_STEP_MS * INT64_C(1000);
        clock_gettime(CLOCK_MONOTONIC, &ts);
        int64_t ns = ts.tv_nsec + left * 1000;
        ts.tv_sec += (time_t)(ns / 1000000000);
        ts.tv_nsec = (long)(ns % 1000000000);
        pthread_cond_timedwait(&a->changed, &a->lock, &ts);
    }
}

/* One round. Returns false when the writer may leave. */
static bool
turn(struct aud *a)
{
    struct entries q;

    entries_init(&q);
    pthread_mutex_lock(&a->lock);
    wait_for_work(a);
    bool is_stopping = a->is_stopping, wants_reopen = a->wants_reopen;
    bool is_failed = a->error != 0;
    a->wants_reopen = false;
    if (!is_failed)
        entries_join(&q, &a->queue);
    pthread_mutex_unlock(&a->lock);

    if (is_failed) {
        /* At the end one attempt is all: nobody is there to wait for the disk. */
        if (a->is_last_try)
            return false;
        a->is_last_try = is_stopping;
        if (is_stopping || wants_reopen || mono_us(a) >= a->retry_at_us)
            recover(a);
        return true;
    }
    if (wants_reopen && aud_log_is_moved(&a->log))
        a->is_moved = true;
    if (q.first || (a->is_moved && !is_stopping))
        write_all(a, &q);
    else if (is_sync_due(a) || (is_stopping && a->unsynced.first))
        sync_idle(a);
    else if (is_stopping)
        return false;
    return true;
}

static void *
writer_main(void *arg)
{
    struct aud *a = arg;

    while (turn(a))
        ;
    return NULL;
}

/* --- open and close ------------------------------------------------------------------- */

static void
init_lock(struct aud *a)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &attr);
    pthread_condattr_destroy(&attr);
}

static void
aud_free(struct aud *a)
{
    for (struct entry *e; (e = entries_pop(&a->queue));)
        entry_free(e);
    aud_log_close(&a->log);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    mem_free(a->path);
    mem_free(a);
}
CLEANUP_DEFINE(struct aud *, aud_free)

/* The thread blocks all signals: they are the main thread's. */
static int
start_thread(struct aud *a)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int r = pthread_create(&a->thread, NULL, writer_main, a);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (r)
        return -r;
    pthread_setname_np(a->thread, "audit");
    return 0;
}

/* What the repair says goes through the queue, whose records survive a full disk. */
static void
emit_entry(void *ctx, const struct aud_rec *rec, const struct aud_note *note)
{
    struct aud *a = ctx;
    struct entry *e = entry_new(a, rec, note, NULL);

    a->n_bytes += entry_cost(e);
    entries_push(&a->queue, e);
}

int
aud_open_tuned(const struct aud_conf *conf, const struct clk *clk,
    const struct aud_tune *tune, struct aud **out, struct err *err)
{
    AUTO(aud_free) struct aud *a = mem_zalloc(sizeof(*a));

    a->tune = *tune;
    a->conf = *conf;
    a->conf.path = NULL;
    a->clk = clk;
    init_lock(a);
    entries_init(&a->queue);
    entries_init(&a->unsynced);
    entries_init(&a->kept);
    int r = aud_log_open(&a->log, conf, true, clk, tune->io, emit_entry, a, err);
    if (r)
        return r;
    if (strcmp(a->log.path, a->log.base) == 0)
        aud_log_repair_orphans(&a->log);
    a->path = mem_strdup(a->log.path);
    r = start_thread(a);
    if (r)
        return err_errno(err, r, "%s: no thread for the audit", a->path);
    *out = a;
    a = NULL;
    return 0;
}

int
aud_open(const struct aud_conf *conf, const struct clk *clk, struct aud **out,
    struct err *err)
{
    const struct aud_tune tune = {
        .io = &aud_io_real, .retry_ms = RETRY_MS, .queue_max = QUEUE_MAX
    };

    return aud_open_tuned(conf, clk, &tune, out, err);
}

void
aud_close(struct aud *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->is_stopping = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    drop_all(
        a, &a->kept); /* only if the file can't be written: nobody waits for these */
    drop_all(a, &a->unsynced);
    aud_free(a);
}

/* --- for any thread ------------------------------------------------------------------- */

/* With the lock held. */
static int
enqueue(struct aud *a, struct entry *e)
{
    DG_ASSERT(!a->is_stopping, "a record after aud_close");
    /* A single record is taken whatever its size; its length has a limit of its own. */
    if (a->n_bytes > 0 && a->n_bytes + entry_cost(e) > a->tune.queue_max)
        return AUD_E_FULL;
    a->n_bytes += entry_cost(e);
    entries_push(&a->queue, e);
    if (a->queue.first == e)
        pthread_cond_signal(&a->changed);
    return 0;
}

/* With the lock held: 0, or the failure that stands in the way of this kind of record. */
static int
refusal(struct aud *a, enum aud_event event)
{
    if (!a->error || event == AUD_OUTCOME)
        return 0;
    a->n_lost++;
    return a->error;
}

int
aud_write(struct aud *a, const struct aud_rec *rec, struct aud_wait *wait)
{
    int r = 0;

    /* Before the work of rendering; asked again below, where it counts. */
    if (atomic_load(&a->is_failed)) {
        pthread_mutex_lock(&a->lock);
        r = refusal(a, rec->event);
        pthread_mutex_unlock(&a->lock);
        if (r)
            return r;
    }
    struct entry *e = entry_new(a, rec, NULL, wait);
    pthread_mutex_lock(&a->lock);
    int error = a->error;
    if (error)
        e->wait = NULL; /* an outcome's waiter is answered now */
    r = refusal(a, rec->event);
    if (!r)
        r = enqueue(a, e);
    pthread_mutex_unlock(&a->lock);
    if (r) {
        entry_free(e);
        return r;
    }
    if (error)
        answer(wait, error);
    return 0;
}

bool
aud_is_writable(const struct aud *a)
{
    return !atomic_load(&a->is_failed);
}

void
aud_reopen(struct aud *a)
{
    pthread_mutex_lock(&a->lock);
    a->wants_reopen = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

const char *
aud_path(const struct aud *a)
{
    return a->path;
}

void
aud_get_stats(const struct aud *a, struct aud_stats *out)
{
    *out = (struct aud_stats){
        .records = atomic_load(&a->records),
        .syncs = atomic_load(&a->syncs),
        .failures = atomic_load(&a->failures),
    };
}
