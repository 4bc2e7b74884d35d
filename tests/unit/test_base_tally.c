// SPDX-License-Identifier: ISC
#include "base/tally.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/unit.h"

START_TEST(names_are_counted_apart)
{
    struct tally *t = tally_new();
    ck_assert(tally_take(t, "a", 2));
    ck_assert(tally_take(t, "a", 2));
    ck_assert(!tally_take(t, "a", 2));
    ck_assert(tally_take(t, "b", 2));
    ck_assert_uint_eq(tally_count(t, "a"), 2);
    ck_assert_uint_eq(tally_count(t, "b"), 1);
    tally_give(t, "a");
    ck_assert(tally_take(t, "a", 2));
    tally_free(t);
}
END_TEST

START_TEST(zero_is_no_limit)
{
    struct tally *t = tally_new();
    for (int i = 0; i < 1000; i++)
        ck_assert(tally_take(t, "a", 0));
    ck_assert(!tally_take(t, "a", 1000));
    tally_free(t);
}
END_TEST

START_TEST(nothing_to_give_back_is_a_bug)
{
    struct tally *t = tally_new();
    tally_give(t, "a");
    tally_free(t);
}
END_TEST

#define LIMIT 50
static void *
take_and_give(void *arg)
{
    struct tally *t = arg;
    for (int i = 0; i < 20000; i++) {
        if (!tally_take(t, "a", LIMIT))
            continue;
        if (tally_count(t, "a") > LIMIT)
            abort();
        tally_give(t, "a");
    }
    return NULL;
}

START_TEST(threads_never_exceed_the_limit)
{
    pthread_t threads[4];
    struct tally *t = tally_new();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, t), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(tally_count(t, "a"), 0);
    tally_free(t);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_tally");
    TCase *tc = tcase_create("tally");
    tcase_add_test(tc, names_are_counted_apart);
    tcase_add_test(tc, zero_is_no_limit);
    tcase_add_test(tc, threads_never_exceed_the_limit);
    tcase_add_test_raise_signal(tc, nothing_to_give_back_is_a_bug, SIGABRT);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
