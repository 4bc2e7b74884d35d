// SPDX-License-Identifier: ISC
/* The buffer never holds more than its maximum, and never loses or mixes bytes. */
#include "base/buf.h"
#include "base/mem.h"

#include "lib/unit.h"

/* Under ASan, memory that is not there must be NULL too. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

START_TEST(over_the_maximum_is_refused_and_nothing_changes)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(10);

    ck_assert_int_eq(buf_add(&b, "0123456", 7), 0);
    ck_assert_int_eq(buf_add(&b, "abcd", 4), BUF_E_FULL);
    ck_assert_int_eq(buf_addstr(&b, "abcd"), BUF_E_FULL);
    ck_assert_int_eq(buf_printf(&b, "%d", 1234), BUF_E_FULL);
    ck_assert_int_eq(buf_reserve(&b, 4), BUF_E_FULL);
    ck_assert_str_eq(buf_cstr(&b), "0123456");
    ck_assert_int_eq(buf_printf(&b, "%d", 789), 0);
    ck_assert_int_eq(buf_addc(&b, 'x'), BUF_E_FULL);
    ck_assert_str_eq(buf_cstr(&b), "0123456789");
    ck_assert_uint_eq(buf_len(&b), 10);
    buf_consume(&b, 1);
    ck_assert_int_eq(buf_addc(&b, 'x'), 0);
    ck_assert_str_eq(buf_cstr(&b), "123456789x");
}
END_TEST

START_TEST(sizes_near_the_end_of_the_address_space_are_refused)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(100);

    buf_put(&b, "abc", 3);
    ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), BUF_E_FULL);
    ck_assert_int_eq(buf_reserve(&b, SIZE_MAX - 3), BUF_E_FULL);
    ck_assert_int_eq(buf_reserve(&b, 98), BUF_E_FULL);
    ck_assert_int_eq(buf_reserve(&b, 97), 0);
}
END_TEST

START_TEST(memory_that_is_not_there_is_an_error)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(SIZE_MAX / 2);

    buf_put(&b, "abc", 3);
    ck_assert_int_lt(buf_reserve(&b, PTRDIFF_MAX / 2), 0);
    ck_assert_str_eq(buf_cstr(&b), "abc");
}
END_TEST

/* A queue of numbered bytes, filled and drained by uneven steps. */
START_TEST(bytes_come_out_as_they_went_in)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    unsigned in = 0, out = 0, seed = 12345;
    size_t largest = 0;

    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned n = seed >> 16 & 127;
        for (unsigned k = 0; k < n && buf_addc(&b, (char)(in & 0x7f)) == 0; k++)
            in++;
        n = seed >> 8 & 127;
        for (unsigned k = 0; k < n && buf_len(&b) > 0; k++, out++) {
            if (*buf_ptr(&b) != (char)(out & 0x7f)) /* an assertion each is slow */
                ck_abort_msg("byte %u is %d", out, *buf_ptr(&b));
            buf_consume(&b, 1);
        }
        ck_assert_uint_eq(buf_len(&b), in - out);
        if (b.cap > largest)
            largest = b.cap;
    }
    ck_assert_uint_le(largest, 1000);
    ck_assert_uint_gt(out, 100000);
}
END_TEST

START_TEST(consuming_does_not_move_what_is_left)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(100);

    buf_puts(&b, "abcdefghij");
    const char *at = buf_ptr(&b);
    buf_consume(&b, 8);
    ck_assert_ptr_eq(buf_ptr(&b), at + 8);
    ck_assert_mem_eq(buf_ptr(&b), "ij", 2);
}
END_TEST

START_TEST(stolen_text_starts_at_the_unread_bytes)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(8);

    buf_puts(&b, "12345678");
    buf_consume(&b, 3);
    char *s = buf_steal(&b);
    ck_assert_str_eq(s, "45678");
    mem_free(s);
    ck_assert_uint_eq(buf_len(&b), 0);
    s = buf_steal(&b);
    ck_assert_str_eq(s, "");
    mem_free(s);
    buf_puts(&b, "again");
    ck_assert_str_eq(buf_cstr(&b), "again");
}
END_TEST

START_TEST(terminator_fits_at_the_maximum)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(200);

    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(buf_addc(&b, 'x'), 0);
    ck_assert_uint_eq(strlen(buf_cstr(&b)), 200);
    ck_assert_int_eq(buf_addc(&b, 'x'), BUF_E_FULL);
    buf_reset(&b);
    buf_putf(&b, "%0200d", 7);
    ck_assert_uint_eq(strlen(buf_cstr(&b)), 200);
}
END_TEST

START_TEST(nothing_added_is_nothing_owned)
{
    struct buf b = BUF_INIT(10);

    ck_assert_int_eq(buf_add(&b, NULL, 0), 0);
    ck_assert_uint_eq(buf_len(&b), 0);
    ck_assert_str_eq(buf_cstr(&b), "");
    buf_deinit(&b);
    ck_assert_ptr_null(b.data);
    ck_assert_uint_eq(b.max, 10);
    buf_deinit(&b);
}
END_TEST

START_TEST(secret_buffer_stays_secret_after_use)
{
    AUTO(buf_deinit) struct buf b = { .max = 1000, .is_secret = true };

    for (int i = 0; i < 50; i++)
        buf_puts(&b, "password");
    ck_assert_uint_eq(buf_len(&b), 400);
    buf_deinit(&b);
    ck_assert(b.is_secret);
}
END_TEST

START_TEST(text_of_ours_over_its_plan_is_death)
{
    struct buf b = BUF_INIT(3);

    buf_puts(&b, "four");
}
END_TEST

START_TEST(consuming_more_than_there_is_is_death)
{
    struct buf b = BUF_INIT(3);

    buf_consume(&b, 1);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_buf");
    TCase *tc = tcase_create("buf");

    tcase_add_test(tc, over_the_maximum_is_refused_and_nothing_changes);
    tcase_add_test(tc, sizes_near_the_end_of_the_address_space_are_refused);
    tcase_add_test(tc, memory_that_is_not_there_is_an_error);
    tcase_add_test(tc, bytes_come_out_as_they_went_in);
    tcase_add_test(tc, consuming_does_not_move_what_is_left);
    tcase_add_test(tc, stolen_text_starts_at_the_unread_bytes);
    tcase_add_test(tc, terminator_fits_at_the_maximum);
    tcase_add_test(tc, nothing_added_is_nothing_owned);
    tcase_add_test(tc, secret_buffer_stays_secret_after_use);
    unit_add_death(tc, text_of_ours_over_its_plan_is_death);
    unit_add_death(tc, consuming_more_than_there_is_is_death);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
