// SPDX-License-Identifier: ISC
/* One event is one line with a UTC time, whatever a client put into it; and the texts of
 * errors and times that such lines are made of. */
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"

#include "lib/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <time.h>

static char last[20000];
static int n_lines;

static void
keep(void *ctx, const char *line)
{
    (void)ctx;
    n_lines++;
    snprintf(last, sizeof(last), "%s", line);
}

/* Tests may share a process (CK_FORK=no). */
static void
setup(void)
{
    n_lines = 0;
    log_set_level(LOG_LEVEL_INFO);
    log_set_sink(NULL, NULL);
}

/* The line without its time. */
static const char *
last_text(void)
{
    ck_assert_uint_gt(strlen(last), 28);
    ck_assert_int_eq(last[10], 'T');
    ck_assert_int_eq(last[26], 'Z');
    return last + 28;
}

struct text_case {
    const char *name, *in, *out;
};

static const struct text_case texts[] = {
    { "plain", "client closed", "INFO client closed" },
    { "letters pass",
        "Stra\xc3\x9f"
        "e \xf0\x9f\x98\x80",
        "INFO Stra\xc3\x9f"
        "e \xf0\x9f\x98\x80" },
    { "line forged by a newline", "x\n2026-01-01T00:00:00.000000Z INFO y",
        "INFO x\\x0a2026-01-01T00:00:00.000000Z INFO y" },
    { "carriage return and tab", "a\r\tb", "INFO a\\x0d\\x09b" },
    { "terminal escape", "\x1b]0;title\a", "INFO \\x1b]0;title\\x07" },
    { "DEL", "\x7f", "INFO \\x7f" },
    { "C1 control sequence", "\xc2\x9b", "INFO \\u009b" },
    { "broken UTF-8", "a\xff\xe2\x82", "INFO a\\xff\\xe2\\x82" },
    { "bidi override",
        "a\xe2\x80\xae"
        "b",
        "INFO a\\u202eb" },
    { "line separator", "\xe2\x80\xa8", "INFO \\u2028" },
    { "percent sign", "100%s", "INFO 100%s" },
    { "empty", "", "INFO " },
};

START_TEST(text_is_escaped)
{
    const struct text_case *c = &texts[_i];

    log_set_sink(keep, NULL);
    log_info("%s", c->in);
    CASE_STR(c, last_text(), c->out);
}
END_TEST

START_TEST(levels_are_named_and_filtered)
{
    log_set_sink(keep, NULL);
    log_debug("hidden");
    ck_assert_int_eq(n_lines, 0);
    log_warnx("a %d", 1);
    ck_assert_str_eq(last_text(), "WARNING a 1");
    log_error("b");
    ck_assert_str_eq(last_text(), "ERROR b");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("c");
    ck_assert_str_eq(last_text(), "DEBUG c");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("hidden");
    log_info("hidden");
    ck_assert_int_eq(n_lines, 3);
}
END_TEST

START_TEST(warning_tells_errno_and_logging_keeps_it)
{
    log_set_sink(keep, NULL);
    errno = ENOENT;
    log_warn("%s", "file");
    ck_assert_str_eq(last_text(), "WARNING file: No such file or directory");
    ck_assert_int_eq(errno, ENOENT);
    log_info("x");
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(long_text_is_cut_and_marked)
{
    char text[9000];

    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    log_set_sink(keep, NULL);
    log_info("%s", text);
    size_t n = strlen(last_text());
    ck_assert_str_eq(last_text() + n - 7, "\\x0a...");
    ck_assert_uint_eq(n, 5 + 4095 * 4 + 3);
}
END_TEST

static void *
talk(void *arg)
{
    char text[3000];

    memset(text, *(char *)arg, sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    for (int i = 0; i < 200; i++)
        log_info("%s", text);
    return NULL;
}

/* One write(2) per line: lines of two threads in one pipe stay whole. */
START_TEST(lines_of_threads_do_not_mix)
{
    char names[] = "ab", line[4000];
    pthread_t t[2];
    int n = 0, fd = dup(STDERR_FILENO);
    FILE *f = tmpfile();

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(dup2(fileno(f), STDERR_FILENO), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, talk, &names[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
    close(fd);
    rewind(f);
    while (fgets(line, sizeof(line), f)) {
        char c = line[40];
        ck_assert(c == 'a' || c == 'b');
        ck_assert_uint_eq(strspn(line + 33, c == 'a' ? "a" : "b"), 2999);
        ck_assert_str_eq(line + 33 + 2999, "\n");
        n++;
    }
    ck_assert_int_eq(n, 400);
    fclose(f);
}
END_TEST

START_TEST(error_text_is_one_line_and_bounded)
{
    struct err err;
    char big[3000];

    ck_assert_int_eq(
        err_set(&err, -EINVAL, "%s:%d: %s", "f.ini", 3, "a\nb\tc\x7f"), -EINVAL);
    ck_assert_str_eq(err.text, "f.ini:3: a b c ");
    ck_assert_int_eq(err_set(&err, 5, "again: %s", err.text), 5);
    ck_assert_str_eq(err.text, "again: f.ini:3: a b c ");
    ck_assert_int_eq(err_errno(&err, -ENOENT, "%s", "/x"), -ENOENT);
    ck_assert_str_eq(err.text, "/x: No such file or directory");
    ck_assert_int_eq(err_set(NULL, 7, "x"), 7);
    ck_assert_int_eq(err_errno(NULL, -7, "x"), -7);
    /* 1000 characters of three bytes: the cut is between two of them. */
    for (size_t i = 0; i < 999; i++)
        memcpy(big + 3 * i, "\xe2\x82\xac", 4);
    (void)err_set(&err, 0, "%s", big);
    ck_assert_uint_eq(strlen(err.text), 1023);
    (void)err_set(&err, 0, "x%s", big);
    ck_assert_uint_eq(strlen(err.text), 1 + 3 * 340);
    (void)err_errno(&err, -ENOENT, "%s", big);
    ck_assert_ptr_nonnull(strstr(err.text, "\xe2\x82\xac: No such file or directory"));
}
END_TEST

struct time_case {
    const char *name;
    int64_t us;
    const char *out;
};

static const struct time_case times[] = {
    { "epoch", 0, "1970-01-01T00:00:00.000000Z" },
    { "before it", -1, "1969-12-31T23:59:59.999999Z" },
    { "day of the header", 1795194963123456, "2026-11-20T17:16:03.123456Z" },
    { "leap day", 951782400000000, "2000-02-29T00:00:00.000000Z" },
    { "no leap day", 4107542400000000, "2100-03-01T00:00:00.000000Z" },
    { "last second", 253402300799999999, "9999-12-31T23:59:59.999999Z" },
};

START_TEST(time_is_rfc_3339)
{
    const struct time_case *c = &times[_i];
    char out[CLK_RFC3339_SIZE];

    clk_rfc3339(c->us, out);
    CASE_STR(c, out, c->out);
}
END_TEST

START_TEST(time_agrees_with_libc_on_every_day)
{
    for (int64_t day = -700000; day < 2900000; day += 13) {
        char out[CLK_RFC3339_SIZE], want[64];
        time_t s = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        gmtime_r(&s, &tm);
        strftime(want, sizeof(want), "T%H:%M:%S.000000Z", &tm);
        clk_rfc3339((int64_t)s * 1000000, out);
        ck_assert_str_eq(out + 10, want);
        snprintf(want, sizeof(want), "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
            tm.tm_mday);
        ck_assert_msg(strncmp(out, want, 10) == 0, "got %s, want %s", out, want);
    }
}
END_TEST

START_TEST(clocks_go_forward)
{
    int64_t mono = clk_real.mono_us(&clk_real), wall = clk_real.wall_us(&clk_real);

    ck_assert_int_gt(wall, INT64_C(1700000000) * 1000000);
    ck_assert_int_le(llabs(wall / 1000000 - (int64_t)time(NULL)), 2);
    usleep(2000);
    ck_assert_int_ge(clk_real.mono_us(&clk_real) - mono, 2000);
}
END_TEST

START_TEST(failed_assertion_is_death)
{
    DG_ASSERT(1 + 1 == 3, "says %s", "why");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_log");
    TCase *tc = tcase_create("log");

    tcase_add_checked_fixture(tc, setup, setup);
    tcase_add_loop_test(tc, text_is_escaped, 0, DG_ARRAY_SIZE(texts));
    tcase_add_test(tc, levels_are_named_and_filtered);
    tcase_add_test(tc, warning_tells_errno_and_logging_keeps_it);
    tcase_add_test(tc, long_text_is_cut_and_marked);
    tcase_add_test(tc, lines_of_threads_do_not_mix);
    tcase_add_test(tc, error_text_is_one_line_and_bounded);
    tcase_add_loop_test(tc, time_is_rfc_3339, 0, DG_ARRAY_SIZE(times));
    tcase_add_test(tc, time_agrees_with_libc_on_every_day);
    tcase_add_test(tc, clocks_go_forward);
    unit_add_death(tc, failed_assertion_is_death);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
