// SPDX-License-Identifier: ISC
/* New files: all or none, never in the place of another one, never outside the folder. */
#include "app/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "lib/unit.h"

#define FILE_OF(path, text)          \
    {                                \
        path, text, sizeof(text) - 1 \
    }

static int
list_one(void *ctx, const char *relpath)
{
    char *out = ctx;
    size_t n = strlen(out);

    snprintf(out + n, 512 - n, "%s%s", n ? " " : "", relpath);
    return 0;
}

/* Hidden ones, too: what is left of a file that was not finished would have such a name. */
static void
list(const char *dir, char out[512])
{
    struct err err = { "" };
    char command[600], hidden[256] = "";

    out[0] = 0;
    ck_assert_msg(fs_walk(dir, list_one, out, &err) == 0, "%s", err.text);
    snprintf(command, sizeof(command), "find %s -name '.?*' | wc -l", dir);
    FILE *p = popen(command, "r");
    ck_assert_ptr_nonnull(fgets(hidden, sizeof(hidden), p));
    pclose(p);
    ck_assert_msg(atoi(hidden) == 0, "something hidden is left in %s", dir);
}

static void
put(const char *dir, const char *name, const char *text)
{
    free(unit_write(dir, name, text, strlen(text)));
}

static const struct {
    const char *name, *there; /* a file, or a folder where it ends in `/`; NULL: none */
    struct newfile files[3];
    size_t n;
    int want;
    const char *left; /* the files afterwards */
} cases[] = {
    { "one", NULL, { FILE_OF("a.sql", "SELECT 1;\n") }, 1, 0, "a.sql" },
    { "two", NULL, { FILE_OF("a.down.sql", "x"), FILE_OF("a.up.sql", "y") }, 2, 0,
        "a.down.sql a.up.sql" },
    { "empty", NULL, { FILE_OF("a.sql", "") }, 1, 0, "a.sql" },
    { "in a folder that is there", "sub/", { FILE_OF("sub/a.sql", "x") }, 1, 0,
        "sub/a.sql" },
    { "in a new folder", NULL, { FILE_OF("b/down.sql", "x"), FILE_OF("b/up.sql", "y") },
        2, 0, "b/down.sql b/up.sql" },
    { "in a new folder of a folder", "sub/", { FILE_OF("sub/b/up.sql", "y") }, 1, 0,
        "sub/b/up.sql" },
    { "taken", "a.sql", { FILE_OF("a.sql", "x") }, 1, -EEXIST, "a.sql" },
    { "the second is taken", "a.up.sql",
        { FILE_OF("a.down.sql", "x"), FILE_OF("a.up.sql", "y") }, 2, -EEXIST,
        "a.up.sql" },
    { "the folder of the migration is taken", "b/", { FILE_OF("b/up.sql", "x") }, 1,
        -EEXIST, "" },
    { "out of the folder", NULL, { FILE_OF("../a.sql", "x") }, 1, -EINVAL, "" },
    { "out of it and back", "sub/", { FILE_OF("sub/../../a.sql", "x") }, 1, -EINVAL,
        "" },
    { "an absolute path", NULL, { FILE_OF("/tmp/a.sql", "x") }, 1, -EINVAL, "" },
    { "two new folders", NULL, { FILE_OF("b/c/a.sql", "x") }, 1, -ENOENT, "" },
    { "a file on the way", "b", { FILE_OF("b/a.sql", "x") }, 1, -ENOTDIR, "b" },
};

START_TEST(all_or_none)
{
    char *dir = unit_mkdir(), got[512];
    const char *there = cases[_i].there;
    struct err err = { "" };

    if (there && there[strlen(there) - 1] == '/') {
        char *path = mem_printf("%s/%s", dir, there);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        mem_free(path);
    } else if (there) {
        put(dir, there, "somebody else's");
    }
    int r = newfile_write(dir, cases[_i].files, cases[_i].n, &err);
    ck_assert_msg(r == cases[_i].want, "%s: %d, %s", cases[_i].name, r, err.text);
    ck_assert_msg(r == 0 || strstr(err.text, dir), "%s: %s", cases[_i].name, err.text);
    list(dir, got);
    CASE_STR(&cases[_i], got, cases[_i].left);
    unit_rmdir(dir);
}
END_TEST

START_TEST(files_are_whole_and_plain)
{
    char *dir = unit_mkdir(), *text = NULL;
    struct newfile file = FILE_OF("a.sql", "SELECT 1;\n");
    struct err err = { "" };
    struct stat st;
    size_t n;
    mode_t was = umask(0077);

    ck_assert_int_eq(newfile_write(dir, &file, 1, &err), 0);
    umask(was);
    char *path = mem_printf("%s/a.sql", dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0644);
    ck_assert_uint_eq(st.st_nlink, 1);
    ck_assert_int_eq(fs_read(path, 100, &text, &n, &err), 0);
    ck_assert_str_eq(text, "SELECT 1;\n");
    mem_free(text);
    mem_free(path);
    unit_rmdir(dir);
}
END_TEST

/* A link that leads elsewhere is not followed. */
START_TEST(links_are_not_followed)
{
    char *dir = unit_mkdir(), *other = unit_mkdir(), got[512];
    struct newfile file = FILE_OF("sub/a.sql", "x");
    struct err err = { "" };

    char *path = mem_printf("%s/sub", dir);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_int_eq(newfile_write(dir, &file, 1, &err), -ENOTDIR);
    list(other, got);
    ck_assert_str_eq(got, "");
    unlink(path);
    mem_free(path);
    unit_rmdir(dir);
    unit_rmdir(other);
}
END_TEST

START_TEST(a_folder_that_is_gone)
{
    struct newfile file = FILE_OF("a.sql", "x");
    struct err err = { "" };

    ck_assert_int_eq(newfile_write("/nonexistent/migrations", &file, 1, &err), -ENOENT);
    ck_assert_str_eq(err.text, "/nonexistent/migrations: No such file or directory");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("app_newfile");
    TCase *tc = tcase_create("newfile");

    tcase_add_loop_test(tc, all_or_none, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, files_are_whole_and_plain);
    tcase_add_test(tc, links_are_not_followed);
    tcase_add_test(tc, a_folder_that_is_gone);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
