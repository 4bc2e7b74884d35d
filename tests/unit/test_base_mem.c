// SPDX-License-Identifier: ISC
/* Memory, arenas and lists keep what their headers promise. */
#include "base/list.h"
#include "base/mem.h"

#include "lib/unit.h"

#include <stdint.h>

/* Under ASan, memory that is not there must be NULL too. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

START_TEST(sizes_of_zero_give_memory)
{
    void *all[] = { mem_alloc(0), mem_zalloc(0), mem_array(0, 0), mem_try(0),
        mem_realloc(NULL, 0), mem_strndup(NULL, 0) };

    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++) {
        ck_assert_ptr_nonnull(all[i]);
        mem_free(all[i]);
    }
}
END_TEST

START_TEST(memory_is_zeroed_where_promised)
{
    char *a = mem_zalloc(4096), *b = mem_array(64, 64), zero[4096] = { 0 };

    ck_assert_mem_eq(a, zero, 4096);
    ck_assert_mem_eq(b, zero, 4096);
    mem_free(a);
    mem_free(b);
}
END_TEST

START_TEST(exhaustion_of_a_try_is_null)
{
    ck_assert_ptr_null(mem_try(PTRDIFF_MAX));
}
END_TEST

START_TEST(exhaustion_is_death)
{
    mem_free(mem_alloc(PTRDIFF_MAX));
}
END_TEST

START_TEST(array_that_overflows_is_death)
{
    mem_free(mem_array(SIZE_MAX / 2, 4));
}
END_TEST

START_TEST(strings_are_copied_and_terminated)
{
    char *a = mem_strdup("abc"), *b = mem_strndup("abc\0def", 5),
         *c = mem_printf("%d-%s", 7, "x");

    ck_assert_str_eq(a, "abc");
    ck_assert_mem_eq(b, "abc\0d\0", 6);
    ck_assert_str_eq(c, "7-x");
    ck_assert_ptr_null(mem_strdup(NULL));
    mem_free(a);
    mem_free(b);
    mem_free(c);
}
END_TEST

START_TEST(grown_array_keeps_and_zeroes)
{
    int *list = NULL;
    size_t cap = 0;

    for (int i = 0; i < 10000; i++) {
        MEM_GROW(list, (size_t)i, cap);
        if (list[i])
            ck_abort_msg("element %d is not zero", i);
        list[i] = i;
    }
    for (int i = 0; i < 10000; i++)
        if (list[i] != i)
            ck_abort_msg("element %d is %d", i, list[i]);
    MEM_GROW(list, 50000, cap);
    ck_assert_uint_gt(cap, 50000);
    ck_assert_int_eq(list[50000], 0);
    mem_free(list);
}
END_TEST

START_TEST(arena_pieces_are_zeroed_aligned_and_apart)
{
    struct arena *a = arena_new();
    uint8_t *all[3000];

    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++) {
        size_t n = i * 7 % 900 + (i % 100 == 0 ? 5000 : 0);
        all[i] = arena_alloc(a, n + 1);
        ck_assert_uint_eq((uintptr_t)all[i] % 16, 0);
        for (size_t k = 0; k <= n; k++)
            if (all[i][k]) /* an assertion each is slow */
                ck_abort_msg("byte %zu of piece %zu is not zero", k, i);
        memset(all[i], (int)(i & 0xff), n + 1);
    }
    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++)
        ck_assert_uint_eq(all[i][0], i & 0xff);
    arena_free(a);
    arena_free(NULL);
}
END_TEST

START_TEST(arena_strings_are_copied_and_terminated)
{
    AUTO(arena_free) struct arena *a = arena_new();
    char *big = mem_zalloc(100001);

    memset(big, 'x', 100000);
    ck_assert_str_eq(arena_strdup(a, "abc"), "abc");
    ck_assert_ptr_null(arena_strdup(a, NULL));
    ck_assert_str_eq(arena_strndup(a, "abc", 2), "ab");
    ck_assert_str_eq(arena_strndup(a, NULL, 0), "");
    ck_assert_str_eq(arena_printf(a, "%s:%d", "f", 3), "f:3");
    ck_assert_str_eq(arena_printf(a, "%s", big), big);
    mem_free(big);
}
END_TEST

struct thing {
    int v;
    struct list_node node;
};

START_TEST(list_knows_order_and_length)
{
    struct thing t[4] = { { .v = 1 }, { .v = 2 }, { .v = 3 }, { .v = 4 } };
    struct list l;
    int sum = 0;

    list_init(&l);
    ck_assert_ptr_null(list_first(&l));
    for (int i = 0; i < 4; i++)
        list_append(&l, &t[i].node);
    list_remove(&l, &t[1].node);
    ck_assert_uint_eq(l.n, 3);
    list_for_each (&l, it)
        sum = sum * 10 + LIST_ENTRY(it, struct thing, node)->v;
    ck_assert_int_eq(sum, 134);
    list_for_each_safe (&l, it)
        list_remove(&l, it);
    ck_assert_uint_eq(l.n, 0);
    list_append(&l, &t[1].node);
    ck_assert_ptr_eq(list_first(&l), &t[1].node);
}
END_TEST

START_TEST(list_refuses_a_node_twice)
{
    struct thing t = { .v = 1 };
    struct list l;

    list_init(&l);
    list_append(&l, &t.node);
    list_append(&l, &t.node);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_mem");
    TCase *tc = tcase_create("mem");

    tcase_add_test(tc, sizes_of_zero_give_memory);
    tcase_add_test(tc, memory_is_zeroed_where_promised);
    tcase_add_test(tc, strings_are_copied_and_terminated);
    tcase_add_test(tc, grown_array_keeps_and_zeroes);
    tcase_add_test(tc, arena_pieces_are_zeroed_aligned_and_apart);
    tcase_add_test(tc, arena_strings_are_copied_and_terminated);
    tcase_add_test(tc, list_knows_order_and_length);
    tcase_add_test(tc, exhaustion_of_a_try_is_null);
    unit_add_death(tc, exhaustion_is_death);
    unit_add_death(tc, array_that_overflows_is_death);
    unit_add_death(tc, list_refuses_a_node_twice);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
