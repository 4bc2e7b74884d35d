// SPDX-License-Identifier: ISC
/* A diff shows the lines that edits change, with three around them, and `patch` takes it. */
#include "cli/diff.h"

#include <string.h>

#include "lib/unit.h"

#define HEAD "--- f.sql\n+++ f.sql\n"

static const struct {
    const char *name, *text;
    struct {
        const char *before; /* where it stands; "" is the end */
        size_t del;
        const char *put;
    } edits[3];
    const char *want;
} cases[] = {
    { "nothing", "a\n", { { NULL, 0, NULL } }, "" },
    { "a word", "a\nb c\nd\n", { { " c", 0, " x" } },
        HEAD "@@ -1,3 +1,3 @@\n a\n-b c\n+b x c\n d\n" },
    { "a line before the first", "a\n", { { "a", 0, "x\n" } },
        HEAD "@@ -1,1 +1,2 @@\n+x\n a\n" },
    { "a line behind the last", "a;\n", { { "\n", 0, "\nx" } },
        HEAD "@@ -1,1 +1,2 @@\n a;\n+x\n" },
    { "no end of line", "a", { { "", 0, " x" } },
        HEAD
        "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a x\n\\ No newline at end "
        "of file\n" },
    { "two in one line", "a b\n", { { "a", 1, "x" }, { "b", 1, "y" } },
        HEAD "@@ -1,1 +1,1 @@\n-a b\n+x y\n" },
    { "near each other", "a\n1\n2\n3\n4\n5\n6\nb\n",
        { { "a", 1, "x" }, { "b", 1, "y" } },
        HEAD "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n" },
    { "far from each other", "a\n1\n2\n3\n4\n5\n6\n7\nb\n",
        { { "a", 0, "x\n" }, { "b", 1, "y" } },
        HEAD "@@ -1,3 +1,4 @@\n+x\n a\n 1\n 2\n@@ -6,4 +7,4 @@\n 5\n 6\n 7\n-b\n+y\n" },
    { "lines left out", "a\nb\nc\n", { { "b", 2, "" } },
        HEAD "@@ -1,3 +1,2 @@\n a\n-b\n c\n" },
};

START_TEST(lines_that_differ_are_shown)
{
    const char *text = cases[_i].text;
    AUTO(sql_edits_deinit) struct sql_edits e = { .n = 0 };
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);

    for (size_t k = 0; k < 3 && cases[_i].edits[k].put; k++) {
        const char *at = *cases[_i].edits[k].before
            ? strstr(text, cases[_i].edits[k].before)
            : text + strlen(text);
        ck_assert_int_eq(sql_edits_add(&e, (size_t)(at - text), cases[_i].edits[k].del,
                             cases[_i].edits[k].put),
            0);
    }
    diff_put(&out, "f.sql", str_of(text), &e);
    ck_assert_str_eq(buf_cstr(&out), cases[_i].want);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("cli_diff");
    TCase *tc = tcase_create("diff");

    tcase_add_loop_test(tc, lines_that_differ_are_shown, 0, DG_ARRAY_SIZE(cases));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
