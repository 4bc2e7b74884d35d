// SPDX-License-Identifier: ISC
/* The writer: what was acknowledged is in the chain, which holds across rotation, restart,
 * logrotate and many threads; what an earlier gate left behind is repaired. */
#include "lib/audit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

/* --- the ordinary --------------------------------------------------------------------- */

START_TEST(acknowledged_record_can_be_read_by_others)
{
    struct place p;
    struct stat st;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_INTENT, "i1", AUD_NONE);
    struct chain c = chain_read(p.path);
    ck_assert_uint_eq(chain_count(&c, "ddl.intent", "\"i1\""), 1);
    chain_free(&c);
    ck_assert_int_eq(stat(p.path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert(aud_is_writable(a));
    ck_assert_str_eq(aud_path(a), p.path);
    aud_close(a);
    place_drop(&p);
}
END_TEST

START_TEST(chain_goes_on_after_a_restart)
{
    struct place p;

    place_make(&p);
    for (int i = 0; i < 3; i++) {
        struct aud *a = open_at(p.path, 0);
        put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
        aud_close(a);
    }
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.records, 3);
    ck_assert_uint_eq(v.first_sequence, 1);
    ck_assert_uint_eq(v.last_sequence, 3);
    ck_assert_uint_eq(v.gaps, 0);
    place_drop(&p);
}
END_TEST

START_TEST(queued_records_are_written_at_close)
{
    struct place p;
    struct aud_conf conf = { .is_durable = _i };
    struct aud *a;
    struct err err;

    place_make(&p);
    conf.path = p.path;
    ck_assert_int_eq(aud_open(&conf, &clk_real, &a, &err), 0);
    for (int i = 0; i < 500; i++) {
        struct aud_rec rec = audit_rec(AUD_SESSION_START, NULL, AUD_NONE);
        ck_assert_int_eq(aud_write(a, &rec, NULL), 0);
    }
    aud_close(a);
    ck_assert_uint_eq(verify_ok(p.path).records, 500);
    place_drop(&p);
}
END_TEST

START_TEST(second_process_gets_a_file_of_its_own)
{
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0), *b = open_at(p.path, 0);
    char *own = mem_printf("%s.%ld", p.path, (long)getpid());
    ck_assert_str_eq(aud_path(b), own);
    put_ok(a, p.q, AUD_INTENT, "first", AUD_NONE);
    put_ok(b, p.q, AUD_INTENT, "second", AUD_NONE);
    aud_close(a);
    /* The name is free again, the second goes on in its own. */
    put_ok(b, p.q, AUD_OUTCOME, "second", AUD_COMMITTED);
    aud_close(b);
    ck_assert_uint_eq(verify_ok(p.path).records, 1);
    ck_assert_uint_eq(verify_ok(own).records, 2);
    mem_free(own);
    place_drop(&p);
}
END_TEST

/* --- what can't be an audit file ------------------------------------------------------ */

START_TEST(what_is_no_audit_file_is_left_alone)
{
    static const char *const texts[] = {
        "root:x:0:0\n",           /* lines of something else */
        "no newline at all",      /* would look like a torn line */
        "{\"a\":1}\n{\"b\":2}\n", /* JSON, but no record */
    };
    struct place p;
    struct aud *a;
    struct err err = { 0 };
    struct stat st;

    place_make(&p);
    for (size_t i = 0; i < DG_ARRAY_SIZE(texts); i++) {
        free(unit_write(p.dir, "audit.jsonl", texts[i], strlen(texts[i])));
        struct aud_conf conf = { .path = p.path };
        ck_assert_int_eq(aud_open(&conf, &clk_real, &a, &err), -EINVAL);
        ck_assert_msg(strstr(err.text, "holds no audit record"), "%s", err.text);
        ck_assert_int_eq(stat(p.path, &st), 0);
        ck_assert_int_eq(st.st_size, (off_t)strlen(texts[i]));
    }
    place_drop(&p);
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused)
{
    struct place p;
    struct aud *a;
    struct err err = { 0 };

    place_make(&p);
    char *link = mem_printf("%s/link", p.dir), *fifo = mem_printf("%s/fifo", p.dir);
    char *none = mem_printf("%s/none/audit.jsonl", p.dir);
    ck_assert_int_eq(symlink(p.path, link), 0);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    const char *const paths[] = { "/dev/full", "/dev/null", "/tmp", link, fifo, none };
    for (size_t i = 0; i < DG_ARRAY_SIZE(paths); i++) {
        struct aud_conf conf = { .path = paths[i] };
        ck_assert_msg(aud_open(&conf, &clk_real, &a, &err) < 0, "%s", paths[i]);
        ck_assert_msg(strstr(err.text, paths[i]), "%s", err.text);
    }
    mem_free(link);
    mem_free(fifo);
    mem_free(none);
    place_drop(&p);
}
END_TEST

/* --- repair at start ------------------------------------------------------------------ */

START_TEST(torn_last_line_is_cut_and_told)
{
    static const char *const tails[] = { "{\"@timestamp\":\"2026-", "{", "\0\0\0\0",
        "garbage" };
    static const size_t lengths[] = { 21, 1, 4, 7 };
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    int fd = open(p.path, O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, tails[_i], lengths[_i]), (ssize_t)lengths[_i]);
    close(fd);
    aud_close(open_at(p.path, 0));
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.records, 2);
    ck_assert_uint_eq(v.gaps, 1);
    struct chain c = chain_read(p.path);
    char *bytes = mem_printf("\"ddlgate.audit.cut_bytes\":%zu", lengths[_i]);
    ck_assert_uint_eq(chain_count(&c, "DG70E", bytes), 1);
    mem_free(bytes);
    chain_free(&c);
    place_drop(&p);
}
END_TEST

/* Whole lines at the end that are no records: pages that never reached the disk. */
START_TEST(damaged_end_is_moved_away_and_disowned)
{
    static const char junk[] = "\0\0\0\0\nrubbish\n";
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_INTENT, "i1", AUD_NONE);
    aud_close(a);
    int fd = open(p.path, O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, junk, sizeof(junk) - 1), sizeof(junk) - 1);
    close(fd);
    aud_close(open_at(p.path, 0));
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.files, 2);
    ck_assert_uint_eq(v.records, 3); /* intent, gap, its outcome */
    ck_assert_uint_eq(v.untrusted, 2);
    ck_assert_uint_eq(v.open_intents, 0);
    place_drop(&p);
}
END_TEST

static const struct {
    const char *name;
    enum aud_outcome outcome;
    bool is_closed; /* no later `unknown` */
} ends[] = {
    { "none", AUD_NONE, false },
    { "executed", AUD_EXECUTED, false },
    { "committed", AUD_COMMITTED, true },
    { "rolled back", AUD_ROLLED_BACK, true },
    { "failed", AUD_FAILED, true },
    { "skipped", AUD_SKIPPED, true },
    { "cancelled", AUD_CANCELLED, true },
    { "unknown", AUD_UNKNOWN, true },
};

START_TEST(intent_without_final_outcome_becomes_unknown)
{
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_INTENT, "i1", AUD_NONE);
    if (ends[_i].outcome != AUD_NONE)
        put_ok(a, p.q, AUD_OUTCOME, "i1", ends[_i].outcome);
    aud_close(a);
    CASE_INT(&ends[_i], verify_ok(p.path).open_intents, !ends[_i].is_closed);
    for (int i = 0; i < 2; i++) /* the second start must not tell it again */
        aud_close(open_at(p.path, 0));
    struct chain c = chain_read(p.path);
    CASE_INT(&ends[_i],
        chain_count(&c, "gate ended before the server's answer", "\"i1\""),
        !ends[_i].is_closed);
    CASE_INT(&ends[_i], chain_count(&c, "DG30W", "\"user.name\":\"app\""),
        !ends[_i].is_closed || ends[_i].outcome == AUD_UNKNOWN);
    CASE_INT(&ends[_i], verify_ok(p.path).open_intents, 0);
    chain_free(&c);
    place_drop(&p);
}
END_TEST

START_TEST(intent_of_a_rotated_file_is_closed_too)
{
    struct place p;
    char id[16];

    place_make(&p);
    struct aud *a = open_at(p.path, 4096);
    put_ok(a, p.q, AUD_INTENT, "old", AUD_NONE);
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "i%d", i);
        put_ok(a, p.q, AUD_INTENT, id, AUD_NONE);
        put_ok(a, p.q, AUD_OUTCOME, id, AUD_COMMITTED);
    }
    aud_close(a);
    ck_assert_uint_gt(count_files(p.path), 3);
    aud_close(open_at(p.path, 4096));
    struct chain c = chain_read(p.path);
    ck_assert_uint_eq(chain_count(&c, "DG30W", "\"ddlgate.intent.id\":\"old\""), 1);
    ck_assert_uint_eq(chain_count(&c, "DG30W", NULL), 1);
    ck_assert_uint_eq(verify_ok(p.path).open_intents, 0);
    chain_free(&c);
    place_drop(&p);
}
END_TEST

/* A gate that is gone left FILE.<its pid>; the next one that gets FILE closes its intents.
 * The pid is a child's that has ended. */
START_TEST(file_of_a_dead_second_process_is_closed)
{
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct aud *b = open_at(p.path, 0);
        put_ok(b, p.q, AUD_INTENT, "theirs", AUD_NONE);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    aud_close(a);
    char *own = mem_printf("%s.%ld", p.path, (long)pid);
    ck_assert_uint_eq(verify_ok(own).open_intents, 1);
    aud_close(open_at(p.path, 0));
    struct chain c = chain_read(own);
    ck_assert_uint_eq(chain_count(&c, "DG30W", "theirs"), 1);
    ck_assert_uint_eq(verify_ok(own).records, 2);
    ck_assert_uint_eq(verify_ok(p.path).records, 0);
    chain_free(&c);
    mem_free(own);
    place_drop(&p);
}
END_TEST

/* --- rotation ------------------------------------------------------------------------- */

START_TEST(chain_goes_on_across_files)
{
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 4096);
    for (int i = 0; i < 60; i++)
        put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    size_t files = count_files(p.path);
    ck_assert_uint_ge(files, 5);
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.files, files);
    ck_assert_uint_eq(v.records, 60 + files - 1);
    struct chain c = chain_read(p.path);
    ck_assert_uint_eq(
        chain_count(&c, "DG71I", "previous_file\":\"audit.jsonl.20"), files - 1);
    chain_free(&c);
    place_drop(&p);
}
END_TEST

/* A clock that the test moves. */
struct test_clk {
    struct clk clk;
    atomic_llong wall_us;
};

static int64_t
test_wall(const struct clk *clk)
{
    struct test_clk *t = clk->ctx;

    return atomic_load(&t->wall_us);
}

START_TEST(file_is_rotated_by_the_age_of_its_first_record)
{
    struct place p;
    struct test_clk t = { .clk = clk_real };
    struct aud *a;
    struct err err;

    place_make(&p);
    t.clk.wall_us = test_wall;
    t.clk.ctx = &t;
    struct aud_conf conf = {
        .path = p.path, .is_durable = true, .rotate_ms = 86400000
    };
    for (int i = 0; i < 3; i++) {
        atomic_store(&t.wall_us, INT64_C(1795194963000000) + i * INT64_C(80000000000));
        ck_assert_int_eq(aud_open(&conf, &t.clk, &a, &err), 0);
        put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
        aud_close(a);
        ck_assert_uint_eq(count_files(p.path), i == 2 ? 2 : 1);
    }
    ck_assert_uint_eq(verify_ok(p.path).records, 4);
    place_drop(&p);
}
END_TEST

START_TEST(clock_that_goes_back_breaks_nothing)
{
    struct place p;
    struct test_clk t = { .clk = clk_real };
    struct aud *a;
    struct err err;

    place_make(&p);
    t.clk.wall_us = test_wall;
    t.clk.ctx = &t;
    struct aud_conf conf = { .path = p.path, .is_durable = true, .rotate_bytes = 2000 };
    ck_assert_int_eq(aud_open(&conf, &t.clk, &a, &err), 0);
    for (int i = 0; i < 20; i++) {
        atomic_store(&t.wall_us,
            INT64_C(1795194963000000) + i % 3 * INT64_C(31536000000000) - i);
        put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    }
    aud_close(a);
    ck_assert_uint_ge(count_files(p.path), 4);
    ck_assert_uint_eq(verify_ok(p.path).first_sequence, 1);
    place_drop(&p);
}
END_TEST

START_TEST(empty_file_continues_the_newest_rotated_one)
{
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_INTENT, "i1", AUD_NONE);
    aud_close(a);
    char *old = aud_rotated_name(p.path, 1795194963000000);
    ck_assert_int_eq(rename(p.path, old), 0);
    a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.files, 2);
    ck_assert_uint_eq(v.records, 4); /* intent, rotated, its outcome, session */
    ck_assert_uint_eq(v.open_intents, 0);
    mem_free(old);
    place_drop(&p);
}
END_TEST

/* A crash between the two steps of a rotation leaves one file with two names. */
START_TEST(half_a_rotation_is_undone)
{
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    char *old = aud_rotated_name(p.path, 1795194963000000);
    char *fresh = unit_write(p.dir, "audit.jsonl.new", "{\"@times", 8);
    ck_assert_int_eq(link(p.path, old), 0);
    a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    ck_assert_uint_eq(count_files(p.path), 1);
    ck_assert_uint_eq(verify_ok(p.path).records, 2);
    ck_assert_int_ne(access(fresh, F_OK), 0);
    mem_free(old);
    free(fresh);
    place_drop(&p);
}
END_TEST

static void
wait_for_file(const char *path)
{
    for (int i = 0; i < WAIT_S * 100 && access(path, F_OK) != 0; i++)
        usleep(10000);
    ck_assert_msg(access(path, F_OK) == 0, "%s does not come", path);
}

START_TEST(reopen_makes_a_new_file_after_logrotate)
{
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 0);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_reopen(a); /* nothing was moved: nothing happens */
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    char *old = mem_printf("%s.1", p.path);
    ck_assert_int_eq(rename(p.path, old), 0);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE); /* still goes to the old one */
    aud_reopen(a);
    wait_for_file(p.path);
    put_ok(a, p.q, AUD_SESSION_START, NULL, AUD_NONE);
    aud_close(a);
    const char *const files[] = { old, p.path };
    struct aud_verify v;
    struct err err = { 0 };
    ck_assert_msg(aud_verify(files, 2, &v, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(v.records, 5);
    mem_free(old);
    place_drop(&p);
}
END_TEST

/* --- many threads --------------------------------------------------------------------- */

#define N_THREADS 8
#define N_RECORDS 2000

struct crowd {
    struct aud *aud;
    int number;
    struct task_queue *q;
    pthread_t thread;
};

static void *
crowd_main(void *arg)
{
    struct crowd *c = arg;
    char id[32];

    for (int i = 0; i < N_RECORDS; i++) {
        snprintf(id, sizeof(id), "t%d-%d", c->number, i);
        struct aud_rec rec = audit_rec(AUD_OUTCOME, id, AUD_COMMITTED);
        int r = i % 50 == 49 ? audit_put(c->aud, c->q, &rec)
                             : aud_write(c->aud, &rec, NULL);
        ck_assert_int_eq(r, 0);
    }
    return NULL;
}

START_TEST(records_of_many_threads_make_one_chain)
{
    struct crowd crowd[N_THREADS];
    struct aud_stats stats;
    struct place p;

    place_make(&p);
    struct aud *a = open_at(p.path, 2 * 1024 * 1024);
    for (int i = 0; i < N_THREADS; i++) {
        crowd[i] =
            (struct crowd){ .aud = a, .number = i, .q = task_queue_new(NULL, NULL) };
        ck_assert_int_eq(
            pthread_create(&crowd[i].thread, NULL, crowd_main, &crowd[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(crowd[i].thread, NULL);
    aud_get_stats(a, &stats);
    aud_close(a);
    for (int i = 0; i < N_THREADS; i++)
        task_queue_free(
            crowd[i].q); /* only now: a poster may still have looked at it */
    size_t files = count_files(p.path);
    struct aud_verify v = verify_ok(p.path);
    ck_assert_uint_eq(v.records, N_THREADS * N_RECORDS + files - 1);
    ck_assert_uint_ge(files, 3);
    ck_assert_uint_eq(stats.failures, 0);
    /* 320 waits of eight threads share their syncs. */
    ck_assert_uint_le(stats.syncs, N_THREADS * N_RECORDS / 50 + files + 20);
    place_drop(&p);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("audit_writer");
    TCase *tc = tcase_create("writer");

    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, acknowledged_record_can_be_read_by_others);
    tcase_add_test(tc, chain_goes_on_after_a_restart);
    tcase_add_loop_test(tc, queued_records_are_written_at_close, 0, 2);
    tcase_add_test(tc, second_process_gets_a_file_of_its_own);
    tcase_add_test(tc, what_is_no_audit_file_is_left_alone);
    tcase_add_test(tc, what_is_no_regular_file_is_refused);
    tcase_add_loop_test(tc, torn_last_line_is_cut_and_told, 0, 4);
    tcase_add_test(tc, damaged_end_is_moved_away_and_disowned);
    tcase_add_loop_test(
        tc, intent_without_final_outcome_becomes_unknown, 0, DG_ARRAY_SIZE(ends));
    tcase_add_test(tc, intent_of_a_rotated_file_is_closed_too);
    tcase_add_test(tc, file_of_a_dead_second_process_is_closed);
    tcase_add_test(tc, chain_goes_on_across_files);
    tcase_add_test(tc, file_is_rotated_by_the_age_of_its_first_record);
    tcase_add_test(tc, clock_that_goes_back_breaks_nothing);
    tcase_add_test(tc, empty_file_continues_the_newest_rotated_one);
    tcase_add_test(tc, half_a_rotation_is_undone);
    tcase_add_test(tc, reopen_makes_a_new_file_after_logrotate);
    tcase_add_test(tc, records_of_many_threads_make_one_chain);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
