// SPDX-License-Identifier: ISC
/* What every Check program shares: the main function, and a folder that goes away with the
 * test. A table's case names itself in the message of a failed assertion: CASE(c) first.
 * Include after nothing in particular. */
#ifndef DG_TESTS_LIB_UNIT_H
#define DG_TESTS_LIB_UNIT_H

#include <check.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Equal, or the test fails with the name of the table's case. */
#define CASE_STR(c, got, want)                                               \
    ck_assert_msg(strcmp((got), (want)) == 0, "%s: got \"%s\", want \"%s\"", \
        (c)->name, (got), (want))
#define CASE_INT(c, got, want)                                                      \
    ck_assert_msg((long long)(got) == (long long)(want), "%s: got %lld, want %lld", \
        (c)->name, (long long)(got), (long long)(want))

/* Adds a test that must end by abort(), which can only be seen in a child. */
static inline void
unit_add_death(TCase *tc, const TTest *test)
{
    const char *fork = getenv("CK_FORK");

    if (!fork || strcmp(fork, "no") != 0)
        tcase_add_test_raise_signal(tc, test, 6);
}

static inline int
unit_main(Suite *s)
{
    SRunner *r = srunner_create(s);

    srunner_set_tap(r, "-");
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}

/* A new empty folder; its path, to be given to unit_rmdir. */
static inline char *
unit_mkdir(void)
{
    const char *tmp = getenv("TMPDIR");
    char *path = NULL;

    ck_assert(asprintf(&path, "%s/ddlgate-unit-XXXXXX", tmp ? tmp : "/tmp") > 0);
    ck_assert_ptr_nonnull(mkdtemp(path));
    return path;
}

static inline int
unit_rm_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void
unit_rmdir(char *path)
{
    nftw(path, unit_rm_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

/* Writes n bytes to the file dir/name; its path, to be freed. */
static inline char *
unit_write(const char *dir, const char *name, const char *text, size_t n)
{
    char *path = NULL;

    ck_assert(asprintf(&path, "%s/%s", dir, name) > 0);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

#endif
