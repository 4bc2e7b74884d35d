// SPDX-License-Identifier: ISC
/* Base64 has one text for some bytes and one reading for a text. */
#include "base/base64.h"

#include "lib/exact.h"
#include "lib/unit.h"

#include <errno.h>

struct base64_case {
    const char *name;
    const char *text, *bytes;
    int ret;
};

static const struct base64_case cases[] = {
    /* RFC 4648 part 10 */
    { "nothing", "", "", 0 },
    { "one", "Zg==", "f", 0 },
    { "two", "Zm8=", "fo", 0 },
    { "three", "Zm9v", "foo", 0 },
    { "four", "Zm9vYg==", "foob", 0 },
    { "six", "Zm9vYmFy", "foobar", 0 },
    { "all digits", "+/+/", "\xfb\xff\xbf", 0 },
    { "no padding", "Zg", NULL, -EINVAL },
    { "half the padding", "Zg=", NULL, -EINVAL },
    { "surplus padding", "Zm9v====", NULL, -EINVAL },
    { "only padding", "====", NULL, -EINVAL },
    { "three paddings", "Z===", NULL, -EINVAL },
    { "padding within", "Zg==Zm9v", NULL, -EINVAL },
    { "bits no byte holds", "Zh==", NULL, -EINVAL },
    { "bits no byte holds, of two", "Zm9=", NULL, -EINVAL },
    { "blank", "Zm 9", NULL, -EINVAL },
    { "newline", "Zg==\n", NULL, -EINVAL },
    { "of URLs", "-_-_", NULL, -EINVAL },
    { "high byte", "Zm9\xc3", NULL, -EINVAL },
    { "too many bytes", "Zm9vYmFyZm9vYmFy", NULL, -ERANGE },
};

START_TEST(text_is_read_as_said)
{
    const struct base64_case *c = &cases[_i];
    EXACT(text, c->text, strlen(c->text));
    char out[8], again[16];
    size_t n = 99;
    int r = base64_decode((struct str){ text, strlen(c->text) }, out, sizeof(out), &n);
    CASE_INT(c, r, c->ret);
    if (r)
        return;
    CASE_INT(c, n, strlen(c->bytes));
    ck_assert_mem_eq(out, c->bytes, n);
    base64_encode(out, n, again);
    CASE_STR(c, again, c->text);
    CASE_INT(c, strlen(again), BASE64_SIZE(n));
}
END_TEST

START_TEST(every_byte_comes_back)
{
    unsigned char in[256], out[256];
    char text[BASE64_SIZE(256) + 1];
    size_t n;

    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (unsigned char)i;
    for (size_t len = 0; len <= sizeof(in); len++) {
        base64_encode(in, len, text);
        ck_assert_int_eq(base64_decode(str_of(text), out, len, &n), 0);
        ck_assert_uint_eq(n, len);
        ck_assert(len == 0 || memcmp(in, out, len) == 0);
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_base64");
    TCase *tc = tcase_create("base64");
    tcase_add_loop_test(tc, text_is_read_as_said, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tc, every_byte_comes_back);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
