// SPDX-License-Identifier: ISC
/* The map holds what was put into it, in order, and frees what it must. */
#include "base/map.h"
#include "base/mem.h"

#include "lib/unit.h"

#define N_KEYS 20000

static struct str
key_of(char buf[32], unsigned i)
{
    return (struct str){ buf, (size_t)snprintf(buf, 32, "key %u", i * 2654435761u) };
}

static void *
value_of(unsigned i)
{
    return (void *)(uintptr_t)(i + 1);
}

/* An assertion for each of so many is slow. */
static void
expect(const struct map *m, unsigned i, void *want)
{
    char b[32];

    if (map_get(m, key_of(b, i)) != want)
        ck_abort_msg("key %u is wrong", i);
}

START_TEST(thousands_of_keys_are_found_and_removed)
{
    AUTO(map_free) struct map *m = map_new(NULL);
    char b[32];

    for (unsigned i = 0; i < N_KEYS; i++)
        map_set(m, key_of(b, i), value_of(i));
    ck_assert_uint_eq(map_count(m), N_KEYS);
    for (unsigned i = 0; i < N_KEYS; i++)
        expect(m, i, value_of(i));
    ck_assert_ptr_null(map_get(m, STR("absent")));
    for (unsigned i = 0; i < N_KEYS; i += 2)
        expect(m, i, map_remove(m, key_of(b, i)) ? NULL : m);
    ck_assert(!map_remove(m, key_of(b, 0)));
    ck_assert_uint_eq(map_count(m), N_KEYS / 2);
    for (unsigned i = 0; i < N_KEYS; i++)
        expect(m, i, i % 2 ? value_of(i) : NULL);
}
END_TEST

/* A cache-like use: holes must not make the table grow or probing endless. */
START_TEST(steady_turnover_keeps_working)
{
    AUTO(map_free) struct map *m = map_new(NULL);
    char b[32];

    for (unsigned i = 0; i < 200000; i++) {
        map_set(m, key_of(b, i), value_of(i));
        if (i >= 10)
            expect(m, i - 10, map_remove(m, key_of(b, i - 10)) ? NULL : m);
    }
    ck_assert_uint_eq(map_count(m), 10);
    for (unsigned i = 199990; i < 200000; i++)
        expect(m, i, value_of(i));
}
END_TEST

START_TEST(keys_are_bytes_and_copied)
{
    AUTO(map_free) struct map *m = map_new(NULL);
    char key[] = "a\0b";

    map_set(m, (struct str){ key, 3 }, value_of(1));
    map_set(m, (struct str){ NULL, 0 }, value_of(2));
    key[2] = 'c';
    ck_assert_ptr_eq(map_get(m, STR("a\0b")), value_of(1));
    ck_assert_ptr_null(map_get(m, STR("a\0c")));
    ck_assert_ptr_null(map_get(m, STR("a")));
    ck_assert_ptr_eq(map_get(m, STR("")), value_of(2));
}
END_TEST

START_TEST(iteration_is_in_order_of_insertion_and_allows_removal)
{
    AUTO(map_free) struct map *m = map_new(NULL);
    struct str key;
    void *value;
    char b[32];
    size_t pos = 0, n = 0;

    ck_assert(!map_next(m, &pos, &key, &value));
    for (unsigned i = 0; i < 1000; i++)
        map_set(m, key_of(b, i), value_of(i));
    map_set(m, key_of(b, 0), value_of(5000)); /* keeps its place */
    for (pos = 0; map_next(m, &pos, &key, &value); n++) {
        ck_assert(str_eq(key, key_of(b, (unsigned)n)));
        ck_assert_ptr_eq(value, n ? value_of((unsigned)n) : value_of(5000));
        if (n % 3)
            ck_assert(map_remove(m, key)); /* with the map's own copy as the key */
    }
    ck_assert_uint_eq(n, 1000);
    for (pos = n = 0; map_next(m, &pos, NULL, NULL); n++)
        ;
    ck_assert_uint_eq(n, 334);
    ck_assert_uint_eq(map_count(m), 334);
}
END_TEST

static void
count_down(void *value)
{
    --*(int *)value;
}

START_TEST(values_are_freed_once)
{
    struct map *m = map_new(count_down);
    int a = 1, b = 1, c = 1;

    map_set(m, STR("a"), &a);
    map_set(m, STR("b"), &b);
    map_set(m, STR("c"), &c);
    map_set(m, STR("a"), &a); /* the same again is no older value */
    ck_assert_int_eq(a, 1);
    map_set(m, STR("a"), &c);
    ck_assert_int_eq(a, 0);
    ck_assert(map_remove(m, STR("b")));
    ck_assert_int_eq(b, 0);
    c = 2; /* it is in there twice */
    map_free(m);
    ck_assert_int_eq(a, 0);
    ck_assert_int_eq(b, 0);
    ck_assert_int_eq(c, 0);
    map_free(NULL);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_map");
    TCase *tc = tcase_create("map");

    tcase_add_test(tc, thousands_of_keys_are_found_and_removed);
    tcase_add_test(tc, steady_turnover_keeps_working);
    tcase_add_test(tc, keys_are_bytes_and_copied);
    tcase_add_test(tc, iteration_is_in_order_of_insertion_and_allows_removal);
    tcase_add_test(tc, values_are_freed_once);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
