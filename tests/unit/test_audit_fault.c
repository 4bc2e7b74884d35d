// SPDX-License-Identifier: ISC
/* What was acknowledged is in the chain, whichever system call fails, when the power goes,
 * and whenever the process is killed; and the gate recovers by itself. */
#include "lib/audit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "audit/writer.h"

#define N_INTENTS 8 /* of a scenario */

/* --- faults --------------------------------------------------------------------------- */

/* The fail_at-th call fails (all later ones too if it lasts). Remembers how much of each
 * file was synced, which is what a power cut leaves. */
struct faulty {
    struct aud_io io;
    atomic_int calls, fail_at; /* 0: never */
    bool lasts, is_short;
    int error;
    atomic_int hits;
    atomic_bool is_full; /* no write succeeds */
    pthread_mutex_t lock;
    struct {
        ino_t ino;
        off_t synced;
    } files[200];
    size_t n_files;
};

static bool
must_fail(const struct aud_io *io)
{
    struct faulty *f = io->ctx;
    int n = atomic_fetch_add(&f->calls, 1) + 1, at = atomic_load(&f->fail_at);

    if (at == 0 || (f->lasts ? n < at : n != at))
        return false;
    atomic_fetch_add(&f->hits, 1);
    errno = f->error;
    return true;
}

static int
faulty_open(const struct aud_io *io, const char *path, int flags, mode_t mode)
{
    return must_fail(io) ? -1 : open(path, flags, mode);
}

static ssize_t
faulty_write(const struct aud_io *io, int fd, const void *data, size_t n)
{
    struct faulty *f = io->ctx;

    if (atomic_load(&f->is_full)) {
        errno = ENOSPC;
        return -1;
    }
    if (!must_fail(io))
        return write(fd, data, n > 100 ? n - 100 : n); /* short writes all the time */
    /* A full disk takes what still fits first. */
    if (f->is_short && n > 1 && write(fd, data, n / 2) > 0 && f->lasts)
        errno = f->error;
    return -1;
}

static int
faulty_fdatasync(const struct aud_io *io, int fd)
{
    struct faulty *f = io->ctx;
    struct stat st;
    size_t i;

    if (must_fail(io))
        return -1;
    ck_assert_int_eq(fstat(fd, &st), 0);
    pthread_mutex_lock(&f->lock);
    for (i = 0; i < f->n_files && f->files[i].ino != st.st_ino; i++)
        ;
    ck_assert_uint_lt(i, DG_ARRAY_SIZE(f->files));
    if (i == f->n_files)
        f->n_files++;
    f->files[i].ino = st.st_ino;
    f->files[i].synced = st.st_size;
    pthread_mutex_unlock(&f->lock);
    return 0; /* the disk itself is not what is tested */
}

static int
faulty_ftruncate(const struct aud_io *io, int fd, off_t size)
{
    return must_fail(io) ? -1 : ftruncate(fd, size);
}

static int
faulty_link(const struct aud_io *io, const char *from, const char *to)
{
    return must_fail(io) ? -1 : link(from, to);
}

static int
faulty_rename(const struct aud_io *io, const char *from, const char *to)
{
    return must_fail(io) ? -1 : rename(from, to);
}

static void
faulty_init(struct faulty *f, int fail_at, bool lasts, int error)
{
    memset(f, 0, sizeof(*f));
    f->io = (struct aud_io){
        .open = faulty_open,
        .write = faulty_write,
        .fdatasync = faulty_fdatasync,
        .ftruncate = faulty_ftruncate,
        .link = faulty_link,
        .rename = faulty_rename,
        .ctx = f,
    };
    atomic_store(&f->fail_at, fail_at);
    f->lasts = lasts;
    f->is_short = error == ENOSPC;
    f->error = error;
    pthread_mutex_init(&f->lock, NULL);
}

/* Cuts every file to what was synced, plus `torn` bytes of what was not. */
static void
power_cut(struct faulty *f, const struct place *p, off_t torn)
{
    struct aud_series *s;
    struct stat st;
    struct err err;
    size_t n, k;

    if (aud_series_find(p->path, &s, &n, &err))
        return;
    for (size_t i = 0; i < s[0].n; i++) {
        ck_assert_int_eq(stat(s[0].files[i], &st), 0);
        for (k = 0; k < f->n_files && f->files[k].ino != st.st_ino; k++)
            ;
        off_t keep = k < f->n_files ? f->files[k].synced : 0;
        if (keep + torn < st.st_size)
            ck_assert_int_eq(truncate(s[0].files[i], keep + torn), 0);
    }
    aud_series_free(s, n);
}

/* What the scenario was told. */
struct told {
    bool intents[N_INTENTS];  /* acknowledged */
    bool outcomes[N_INTENTS]; /* taken */
};

static int
open_faulty(struct faulty *f, const struct place *p, struct aud **a)
{
    struct aud_conf conf = {
        .path = p->path, .is_durable = true, .rotate_bytes = 4000
    };
    struct aud_tune tune = { .io = &f->io, .retry_ms = 2, .queue_max = 1 << 20 };
    struct err err = { 0 };

    int r = aud_open_tuned(&conf, &clk_real, &tune, a, &err);
    if (r)
        ck_assert_msg(strchr(err.text, ':'), "open failed without a reason");
    return r;
}

static void
run_scenario(struct aud *a, const struct place *p, struct told *told)
{
    char id[16];

    for (int i = 0; i < N_INTENTS; i++) {
        snprintf(id, sizeof(id), "i%d", i);
        struct aud_rec rec = audit_rec(AUD_INTENT, id, AUD_NONE);
        int r = audit_put(a, p->q, &rec);
        ck_assert_int_le(r, 0);
        told->intents[i] = r == 0;
        if (r)
            continue; /* the statement was refused: there is no outcome */
        rec = audit_rec(AUD_OUTCOME, id, AUD_COMMITTED);
        told->outcomes[i] = aud_write(a, &rec, NULL) == 0;
        ck_assert_msg(told->outcomes[i], "an outcome was not taken");
        rec = audit_rec(AUD_SESSION_END, NULL, AUD_NONE);
        r = aud_write(a, &rec, NULL);
        ck_assert_int_le(r, 0);
    }
}

static void
assert_told_is_there(
    const struct place *p, const struct told *told, int fail_at, bool has_outcomes)
{
    struct chain c = chain_read(p->path);
    char id[40];

    for (int i = 0; i < N_INTENTS; i++) {
        snprintf(id, sizeof(id), "\"ddlgate.intent.id\":\"i%d\"", i);
        size_t n = chain_count(&c, "ddl.intent", id);
        if (told->intents[i])
            ck_assert_msg(
                n == 1, "call %d fails: intent %d stands %zu times", fail_at, i, n);
        n = chain_count(&c, "\"ddlgate.outcome\":\"committed\"", id);
        if (told->outcomes[i] && has_outcomes)
            ck_assert_msg(
                n == 1, "call %d fails: outcome %d stands %zu times", fail_at, i, n);
    }
    chain_free(&c);
}

static void
assert_verifies(const struct place *p, int fail_at, bool lasts)
{
    struct aud_verify v;
    struct err err = { 0 };

    int r = audit_verify_all(p->path, &v, &err);
    ck_assert_msg(r == 0, "call %d fails (%s): %s", fail_at,
        lasts ? "and all later" : "once", err.text);
    ck_assert_uint_eq(v.open_intents, 0);
}

static const struct {
    const char *name;
    bool lasts;
    int error;
} faults[] = {
    { "once EIO", false, EIO },
    { "once ENOSPC", false, ENOSPC },
    { "lasting EIO", true, EIO },
    { "lasting ENOSPC", true, ENOSPC },
};

/* Waits until records are taken again, which proves that the gate recovers by itself. */
static void
wait_until_writable(struct aud *a, const struct place *p, int fail_at)
{
    int r = -1;

    for (int i = 0; i < WAIT_S * 500 && r; i++) {
        struct aud_rec rec = audit_rec(AUD_SESSION_START, NULL, AUD_NONE);
        r = audit_put(a, p->q, &rec);
        if (r)
            usleep(2000);
    }
    ck_assert_msg(r == 0, "call %d failed: never writable again", fail_at);
    ck_assert(aud_is_writable(a));
}

/* One run with the n-th call failing; false when the scenario makes fewer calls. */
static bool
fault_round(int fail_at, bool lasts, int error)
{
    struct told told = { 0 };
    struct aud_stats stats;
    struct faulty f;
    struct place p;
    struct aud *a = NULL;

    place_make(&p);
    faulty_init(&f, fail_at, lasts, error);
    if (open_faulty(&f, &p, &a) == 0) {
        run_scenario(a, &p, &told);
        bool was_hit = atomic_load(&f.hits) > 0;
        atomic_store(&f.fail_at, 0);
        wait_until_writable(a, &p, fail_at);
        aud_get_stats(a, &stats);
        ck_assert_int_eq(stats.failures > 0, was_hit && stats.failures > 0);
        aud_close(a);
        assert_verifies(&p, fail_at, lasts);
        assert_told_is_there(&p, &told, fail_at, true);
    }
    bool was_hit = atomic_load(&f.hits) > 0;
    atomic_store(&f.fail_at, 0);
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    aud_close(a);
    assert_verifies(&p, fail_at, lasts);
    assert_told_is_there(&p, &told, fail_at, true);
    place_drop(&p);
    return was_hit;
}

START_TEST(no_failing_call_loses_what_was_acknowledged)
{
    int n = 1;

    while (fault_round(n, faults[_i].lasts, faults[_i].error))
        n++;
    ck_assert_int_gt(n, 50); /* or the scenario has stopped doing anything */
}
END_TEST

/* From call n on nothing works any more and the power goes: only what was synced is left,
 * and some bytes more. What was acknowledged is there; outcomes nobody waited for may not
 * be, and become `unknown`. */
static bool
power_round(int fail_at, off_t torn)
{
    struct told told = { 0 };
    struct faulty f;
    struct place p;
    struct aud *a = NULL;

    place_make(&p);
    faulty_init(&f, fail_at, true, EIO);
    if (open_faulty(&f, &p, &a) == 0) {
        run_scenario(a, &p, &told);
        aud_close(a);
    }
    bool was_hit = atomic_load(&f.hits) > 0;
    power_cut(&f, &p, torn);
    atomic_store(&f.fail_at, 0);
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    aud_close(a);
    assert_verifies(&p, fail_at, true);
    assert_told_is_there(&p, &told, fail_at, false);
    place_drop(&p);
    return was_hit;
}

START_TEST(power_cut_loses_nothing_that_was_acknowledged)
{
    static const off_t torn[] = { 0, 17, 700 };
    int n = 1;

    while (power_round(n, torn[_i]))
        n++;
    ck_assert_int_gt(n, 50);
}
END_TEST

START_TEST(records_are_refused_while_nothing_can_be_written)
{
    struct place p;
    struct faulty f;
    struct aud *a;
    struct aud_stats stats;

    place_make(&p);
    faulty_init(&f, 0, true, ENOSPC);
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    put_ok(a, p.q, AUD_INTENT, "before", AUD_NONE);
    atomic_store(&f.fail_at, 1); /* from now on everything */
    struct aud_rec rec = audit_rec(AUD_INTENT, "during", AUD_NONE);
    ck_assert_int_eq(audit_put(a, p.q, &rec), -ENOSPC);
    ck_assert(!aud_is_writable(a));
    ck_assert_int_eq(aud_write(a, &rec, NULL), -ENOSPC);
    rec = audit_rec(AUD_OUTCOME, "before", AUD_COMMITTED);
    ck_assert_int_eq(audit_put(a, p.q, &rec), -ENOSPC); /* waiter: not on disk yet */
    usleep(20000);                                      /* some failed attempts */
    ck_assert_uint_eq(count_files(p.path), 1);          /* that leave nothing behind */
    atomic_store(&f.fail_at, 0);
    wait_until_writable(a, &p, 1);
    aud_get_stats(a, &stats);
    ck_assert_uint_ge(stats.failures, 2);
    aud_close(a);
    struct chain c = chain_read(p.path);
    ck_assert_uint_eq(
        chain_count(&c, "\"ddlgate.intent.id\":\"before\"", "committed"), 1);
    ck_assert_uint_eq(chain_count(&c, "\"ddlgate.intent.id\":\"during\"", NULL), 0);
    ck_assert_uint_eq(chain_count(&c, "DG70E", "\"error.message\":\"No space left"), 1);
    ck_assert_uint_eq(chain_count(&c, "DG70E", "\"open_intents\":[\"before\"]"), 0);
    ck_assert_uint_eq(chain_count(&c, "DG70E", "ddlgate.audit.lost_records"), 1);
    ck_assert_uint_eq(verify_ok(p.path).open_intents, 0);
    chain_free(&c);
    place_drop(&p);
}
END_TEST

/* A gate that refuses to start would stop the whole application, not only its DDL. */
START_TEST(full_disk_does_not_keep_the_gate_from_starting)
{
    struct place p;
    struct faulty f;
    struct aud *a;

    place_make(&p);
    faulty_init(&f, 0, false, 0);
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    put_ok(a, p.q, AUD_INTENT, "open", AUD_NONE);
    aud_close(a);
    atomic_store(&f.is_full, true);
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    struct aud_rec rec = audit_rec(AUD_INTENT, "new", AUD_NONE);
    ck_assert_int_eq(audit_put(a, p.q, &rec), -ENOSPC);
    ck_assert(!aud_is_writable(a));
    atomic_store(&f.is_full, false);
    wait_until_writable(a, &p, 0);
    aud_close(a);
    struct chain c = chain_read(p.path);
    ck_assert_uint_eq(chain_count(&c, "DG30W", "\"ddlgate.intent.id\":\"open\""), 1);
    ck_assert_uint_eq(verify_ok(p.path).open_intents, 0);
    chain_free(&c);
    place_drop(&p);
}
END_TEST

START_TEST(full_queue_is_told_at_once)
{
    struct aud_rec rec = audit_rec(AUD_OUTCOME, "i", AUD_COMMITTED);
    struct place p;
    struct faulty f;
    struct aud *a;
    int n = 0, r = 0;

    place_make(&p);
    faulty_init(&f, 0, true, ENOSPC);
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    atomic_store(&f.fail_at, 1);
    while (r == 0 && n < 100000) {
        r = aud_write(a, &rec, NULL);
        n++;
    }
    ck_assert_int_eq(r, AUD_E_FULL);
    ck_assert_int_gt(n, 100);
    aud_close(a); /* what can't be written is let go */
    place_drop(&p);
}
END_TEST

START_TEST(removed_folder_is_a_gap_until_it_is_back)
{
    struct place p;
    struct faulty f;
    struct aud *a;

    place_make(&p);
    faulty_init(&f, 0, false, 0);
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    put_ok(a, p.q, AUD_INTENT, "i1", AUD_NONE);
    ck_assert_int_eq(unlink(p.path), 0);
    ck_assert_int_eq(rmdir(p.dir), 0);
    struct aud_rec rec = audit_rec(AUD_INTENT, "i2", AUD_NONE);
    ck_assert_int_eq(audit_put(a, p.q, &rec), -ENOENT);
    ck_assert(!aud_is_writable(a));
    ck_assert_int_eq(mkdir(p.dir, 0700), 0);
    wait_until_writable(a, &p, 0);
    aud_close(a);
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.gaps, 1);
    ck_assert_uint_eq(v.first_sequence, 2);
    place_drop(&p);
}
END_TEST

static int
moving_open(const struct aud_io *io, const char *path, int flags, mode_t mode)
{
    struct faulty *f = io->ctx;
    char moved[4096];

    int fd = open(path, flags, mode);
    if (atomic_fetch_add(&f->calls, 1) == 0) {
        snprintf(moved, sizeof(moved), "%s.moved", path);
        ck_assert_int_eq(rename(path, moved), 0);
        close(
            open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); /* logrotate's create */
    }
    return fd;
}

START_TEST(file_moved_between_open_and_lock_is_let_go)
{
    struct place p;
    struct faulty f;
    struct aud *a;

    place_make(&p);
    faulty_init(&f, 0, false, 0);
    f.io.open = moving_open;
    ck_assert_int_eq(open_faulty(&f, &p, &a), 0);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    ck_assert_uint_eq(verify_ok(p.path).records, 1);
    place_drop(&p);
}
END_TEST

/* --- kill -9 -------------------------------------------------------------------------- */

/* Tells each acknowledged intent on the pipe before its outcome is written. */
static void
live_until_killed(const struct place *p, int pipe_fd, unsigned round)
{
    struct aud *a = open_at(p->path, 20000);

    for (unsigned i = 0;; i++) {
        char id[32];
        snprintf(id, sizeof(id), "r%u-%u", round, i);
        put_ok(a, p->q, AUD_INTENT, id, AUD_NONE);
        ck_assert_int_eq(write(pipe_fd, &i, sizeof(i)), sizeof(i));
        struct aud_rec rec = audit_rec(AUD_OUTCOME, id, AUD_COMMITTED);
        ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    }
}

static unsigned
kill_round(const struct place *p, unsigned round, unsigned delay_us)
{
    int ends_fd[2];
    unsigned i, n = 0;

    ck_assert_int_eq(pipe(ends_fd), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(ends_fd[0]);
        live_until_killed(p, ends_fd[1], round);
    }
    close(ends_fd[1]);
    usleep(delay_us);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read(ends_fd[0], &i, sizeof(i)) == sizeof(i))
        n++;
    close(ends_fd[0]);
    return n;
}

/* DG_KILLS in the environment: how many (figure 6 of the reliability page wants 1,000). */
START_TEST(killed_gate_leaves_no_hole)
{
    const char *wanted = getenv("DG_KILLS");
    unsigned rounds = wanted ? (unsigned)atoi(wanted) : 25, total = 0, seed = 4711;
    unsigned *acked = mem_array(rounds, sizeof(*acked));
    struct place p;
    char id[64];

    place_make(&p);
    for (unsigned i = 0; i < rounds; i++) {
        acked[i] = kill_round(&p, i, (unsigned)rand_r(&seed) % 60000);
        total += acked[i];
    }
    aud_close(open_at(p.path, 20000));
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.open_intents, 0);
    struct chain c = chain_read(p.path);
    for (unsigned i = 0; i < rounds; i++) {
        snprintf(id, sizeof(id), "\"ddlgate.intent.id\":\"r%u-", i);
        size_t n = chain_count(&c, "\"ddl.intent\"", id);
        ck_assert_msg(n >= acked[i] && n <= acked[i] + 1,
            "round %u: %u intents acknowledged, %zu in the file", i, acked[i], n);
        n = chain_count(&c, "\"DG30W\"", id);
        ck_assert_msg(n <= 2, "round %u: %zu unknown", i, n);
    }
    ck_assert_uint_gt(total, 0);
    chain_free(&c);
    mem_free(acked);
    place_drop(&p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("audit_fault");
    TCase *tc = tcase_create("faults");
    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(
        tc, no_failing_call_loses_what_was_acknowledged, 0, DG_ARRAY_SIZE(faults));
    tcase_add_loop_test(tc, power_cut_loses_nothing_that_was_acknowledged, 0, 3);
    tcase_add_test(tc, records_are_refused_while_nothing_can_be_written);
    tcase_add_test(tc, full_disk_does_not_keep_the_gate_from_starting);
    tcase_add_test(tc, full_queue_is_told_at_once);
    tcase_add_test(tc, removed_folder_is_a_gap_until_it_is_back);
    tcase_add_test(tc, file_moved_between_open_and_lock_is_let_go);
    suite_add_tcase(s, tc);
    tc = tcase_create("kill");
    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, killed_gate_leaves_no_hole);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
