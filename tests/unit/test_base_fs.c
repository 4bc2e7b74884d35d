// SPDX-License-Identifier: ISC
/* Files are read whole or not at all; walks see every file once, sorted, and stay inside. */
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

#include "lib/unit.h"

#include <dirent.h>
#include <errno.h>

static char *dir;

static void
setup(void)
{
    dir = unit_mkdir();
}

static void
teardown(void)
{
    unit_rmdir(dir);
}

static char *
below(const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

static void
put_file(const char *name, const char *text)
{
    free(unit_write(dir, name, text, strlen(text)));
}

static void
put_dir(const char *name)
{
    AUTO(mem_free) char *path = below(name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void
put_link(const char *name, const char *to)
{
    AUTO(mem_free) char *path = below(name);
    ck_assert_int_eq(symlink(to, path), 0);
}

static void
check_file(const char *path, const char *want, unsigned mode)
{
    struct stat st;
    char *text = NULL;
    size_t n = 0;

    ck_assert_int_eq(fs_read(path, 100, &text, &n, NULL), 0);
    ck_assert_str_eq(text, want);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, mode);
    mem_free(text);
}

START_TEST(file_is_replaced_and_keeps_mode_and_link)
{
    AUTO(mem_free) char *path = below("f"), *link = below("l");
    struct err err = { "" };

    ck_assert_int_eq(fs_replace(path, "one", 3, 0640, &err), 0);
    check_file(path, "one", 0640);
    put_link("l", "f");
    ck_assert_int_eq(fs_replace(link, "second", 6, 0600, &err), 0);
    check_file(path, "second", 0640);
    ck_assert_int_gt(readlink(link, (char[8]){ "" }, 8), 0);
    ck_assert_int_eq(fs_replace(path, "", 0, 0600, &err), 0);
    check_file(path, "", 0640);
}
END_TEST

START_TEST(file_that_cant_be_replaced_stays)
{
    AUTO(mem_free) char *path = below("none/f"), *folder = below("d");
    AUTO(mem_free) char *want = mem_printf("%s: No such file or directory", path);
    struct err err = { "" };

    ck_assert_int_eq(fs_replace(path, "x", 1, 0644, &err), -ENOENT);
    ck_assert_str_eq(err.text, want);
    put_dir("d");
    put_file("d/f", "kept");
    ck_assert_int_eq(fs_replace(folder, "x", 1, 0644, &err), -EISDIR);
    struct dirent **list = NULL;
    int n = scandir(dir, &list, NULL, NULL);
    ck_assert_int_eq(n, 3); /* with . and ..: nothing is left beside */
    while (n > 0)
        free(list[--n]);
    free(list);
}
END_TEST

START_TEST(file_is_edited_only_if_it_is_as_it_was)
{
    AUTO(mem_free) char *path = below("f");
    AUTO(mem_free) char *want = mem_printf("%s: changed meanwhile; run it again", path);
    struct err err = { "" };

    put_file("f", "one");
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(fs_edit(path, "one", 3, "three", 5, &err), 0);
    check_file(path, "three", 0600);
    ck_assert_int_eq(fs_edit(path, "one", 3, "two", 3, &err), -EAGAIN);
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(fs_edit(path, "other", 5, "two", 3, &err), -EAGAIN);
    check_file(path, "three", 0600);
}
END_TEST

START_TEST(file_is_read_with_its_nul_bytes)
{
    struct err err = { "" };
    char *text = NULL, *path = unit_write(dir, "f", "a\0b\n", 4);
    size_t n = 0;

    ck_assert_int_eq(fs_read(path, 4, &text, &n, &err), 0);
    ck_assert_uint_eq(n, 4);
    ck_assert_mem_eq(text, "a\0b\n\0", 5);
    mem_free(text);
    free(path);
}
END_TEST

START_TEST(empty_file_is_an_empty_text)
{
    struct err err = { "" };
    char *text = NULL, *path = unit_write(dir, "f", "", 0);
    size_t n = 7;

    ck_assert_int_eq(fs_read(path, 0, &text, &n, &err), 0);
    ck_assert_uint_eq(n, 0);
    ck_assert_str_eq(text, "");
    mem_free(text);
    free(path);
}
END_TEST

START_TEST(size_at_the_limit_passes_and_one_more_is_refused)
{
    AUTO(mem_free) char *big = mem_zalloc(100001), *path = below("f");
    struct err err = { "" };
    char *text = NULL;
    size_t n = 7;

    memset(big, 'x', 100000);
    put_file("f", big);
    ck_assert_int_eq(fs_read(path, 100000, &text, &n, &err), 0);
    ck_assert_uint_eq(n, 100000);
    ck_assert_str_eq(text, big);
    mem_free(text);
    text = NULL;
    ck_assert_int_eq(fs_read(path, 99999, &text, &n, &err), -EFBIG);
    ck_assert_ptr_null(text);
    ck_assert_uint_eq(n, 100000);
    AUTO(mem_free)
    char *want = mem_printf("%s: file is larger than 99999 bytes", path);
    ck_assert_str_eq(err.text, want);
}
END_TEST

/* Files that don't tell their size are bounded while they are read. */
START_TEST(file_without_a_size_is_read_up_to_the_limit)
{
    struct err err = { "" };
    char *text = NULL;
    size_t n = 0;

    ck_assert_int_eq(fs_read("/proc/self/status", 1 << 20, &text, &n, &err), 0);
    ck_assert_uint_gt(n, 100);
    mem_free(text);
    ck_assert_int_eq(fs_read("/proc/self/status", 100, &text, &n, &err), -EFBIG);
    ck_assert_str_eq(err.text, "/proc/self/status: file is larger than 100 bytes");
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_named)
{
    AUTO(mem_free) char *fifo = below("fifo"), *absent = below("absent");
    struct err err = { "" };
    char *text = NULL;
    size_t n;

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(fs_read(fifo, 100, &text, &n, &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, "/fifo: no regular file"));
    ck_assert_int_eq(fs_read(dir, 100, &text, &n, &err), -EISDIR);
    ck_assert_ptr_nonnull(strstr(err.text, ": Is a directory"));
    ck_assert_int_eq(fs_read(absent, 100, &text, &n, &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.text, "/absent: No such file or directory"));
    ck_assert_int_eq(fs_read(absent, 100, &text, &n, NULL), -ENOENT);
}
END_TEST

struct path_case {
    const char *name, *from, *path, *out;
};

static const struct path_case paths[] = {
    { "beside", "/etc/dg/a.ini", "b.ini", "/etc/dg/b.ini" },
    { "up", "/etc/dg/a.ini", "../b.ini", "/etc/dg/../b.ini" },
    { "absolute", "/etc/dg/a.ini", "/b.ini", "/b.ini" },
    { "relative from relative", "conf/a.ini", "b.ini", "conf/b.ini" },
    { "no folder", "a.ini", "b/c.ini", "b/c.ini" },
    { "from the root", "/a.ini", "b.ini", "/b.ini" },
};

START_TEST(path_is_relative_to_the_file_it_stands_in)
{
    const struct path_case *c = &paths[_i];
    AUTO(mem_free) char *got = fs_relative_to(c->from, c->path);

    CASE_STR(c, got, c->out);
}
END_TEST

static int
collect(void *ctx, const char *relpath)
{
    struct buf *b = ctx;

    buf_putf(b, "%s;", relpath);
    return strcmp(relpath, "stop") == 0 ? 42 : 0;
}

START_TEST(walk_is_recursive_and_sorted_by_bytes_of_the_path)
{
    AUTO(buf_deinit) struct buf got = BUF_INIT(1000);
    struct err err = { "" };

    put_dir("a");
    put_dir("a/deep");
    put_dir("empty");
    put_dir(".git");
    put_file(".git/config", "");
    put_file(".hidden.sql", "");
    put_file("b.sql", "");
    put_file("a/deep/1.sql", "");
    put_file("a/2.sql", "");
    put_file("a.sql", "");
    put_file("a-1.sql", "");
    put_file("\xc3\xa4.sql", "");
    put_file("B.sql", "");
    put_link("a/link.sql", "../b.sql");
    put_link("linked", "a/deep");
    ck_assert_int_eq(fs_walk(dir, collect, &got, &err), 0);
    ck_assert_str_eq(buf_cstr(&got),
        "B.sql;a-1.sql;a.sql;a/2.sql;a/deep/1.sql;a/link.sql;b.sql;linked/1.sql;\xc3\xa4.sql;");
}
END_TEST

START_TEST(walk_stops_where_it_is_told_to)
{
    AUTO(buf_deinit) struct buf got = BUF_INIT(1000);
    struct err err = { "" };

    put_file("a", "");
    put_file("stop", "");
    put_file("z", "");
    ck_assert_int_eq(fs_walk(dir, collect, &got, &err), 42);
    ck_assert_str_eq(buf_cstr(&got), "a;stop;");
}
END_TEST

/* Nothing may be called back when the folder is not as it should be. */
static void
walk_fails(const char *below_dir, int ret, const char *text)
{
    AUTO(buf_deinit) struct buf got = BUF_INIT(1000);
    AUTO(mem_free) char *path = below(below_dir);
    struct err err = { "" };

    ck_assert_int_eq(fs_walk(path, collect, &got, &err), ret);
    ck_assert_str_eq(buf_cstr(&got), "");
    ck_assert_msg(strstr(err.text, text) != NULL, "got \"%s\"", err.text);
}

START_TEST(link_out_of_the_folder_is_refused)
{
    put_dir("in");
    put_dir("in-too"); /* a neighbour whose name begins alike */
    put_file("in/1.sql", "");
    put_file("in-too/2.sql", "");
    put_link("in/2.sql", "../in-too/2.sql");
    walk_fails("in", -EXDEV, "in/2.sql: symbolic link leads out of the folder, to ");
}
END_TEST

START_TEST(link_to_a_folder_outside_is_refused)
{
    put_dir("in");
    put_link("in/sub", "/etc");
    walk_fails(
        "in", -EXDEV, "in/sub: symbolic link leads out of the folder, to /etc; copy");
}
END_TEST

START_TEST(link_loop_is_refused)
{
    put_dir("in");
    put_dir("in/a");
    put_file("in/1.sql", "");
    put_link("in/a/again", "..");
    walk_fails(
        "in", -ELOOP, "in/a/again: symbolic link leads back to a folder above it");
}
END_TEST

START_TEST(link_to_itself_is_refused)
{
    put_dir("in");
    put_link("in/self", "self");
    walk_fails("in", -ELOOP, "in/self: symbolic link can't be followed");
}
END_TEST

START_TEST(link_to_nothing_is_refused)
{
    put_dir("in");
    put_link("in/1.sql", "absent.sql");
    walk_fails(
        "in", -ENOENT, "in/1.sql: symbolic link can't be followed: No such file");
}
END_TEST

START_TEST(walk_of_what_is_no_folder_is_refused)
{
    put_file("file", "");
    walk_fails("file", -ENOTDIR, "/file: Not a directory");
    walk_fails("absent", -ENOENT, "/absent: No such file or directory");
}
END_TEST

START_TEST(folder_may_itself_be_reached_by_a_link)
{
    AUTO(buf_deinit) struct buf got = BUF_INIT(1000);
    AUTO(mem_free) char *path = below("link");
    struct err err = { "" };

    put_dir("in");
    put_file("in/1.sql", "");
    put_link("link", "in");
    ck_assert_int_eq(fs_walk(path, collect, &got, &err), 0);
    ck_assert_str_eq(buf_cstr(&got), "1.sql;");
}
END_TEST

START_TEST(too_many_levels_are_refused)
{
    AUTO(mem_free) char *name = mem_strdup("d");

    put_dir("d");
    for (int i = 0; i < 70; i++) {
        char *next = mem_printf("%s/d", name);
        put_dir(next);
        mem_free(name);
        name = next;
    }
    walk_fails("d", -ELOOP, ": more than 64 folders deep");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_fs");
    TCase *tc = tcase_create("fs");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, file_is_replaced_and_keeps_mode_and_link);
    tcase_add_test(tc, file_that_cant_be_replaced_stays);
    tcase_add_test(tc, file_is_edited_only_if_it_is_as_it_was);
    tcase_add_test(tc, file_is_read_with_its_nul_bytes);
    tcase_add_test(tc, empty_file_is_an_empty_text);
    tcase_add_test(tc, size_at_the_limit_passes_and_one_more_is_refused);
    tcase_add_test(tc, file_without_a_size_is_read_up_to_the_limit);
    tcase_add_test(tc, what_is_no_file_is_refused_and_named);
    tcase_add_loop_test(
        tc, path_is_relative_to_the_file_it_stands_in, 0, DG_ARRAY_SIZE(paths));
    tcase_add_test(tc, walk_is_recursive_and_sorted_by_bytes_of_the_path);
    tcase_add_test(tc, walk_stops_where_it_is_told_to);
    tcase_add_test(tc, link_out_of_the_folder_is_refused);
    tcase_add_test(tc, link_to_a_folder_outside_is_refused);
    tcase_add_test(tc, link_loop_is_refused);
    tcase_add_test(tc, link_to_itself_is_refused);
    tcase_add_test(tc, link_to_nothing_is_refused);
    tcase_add_test(tc, walk_of_what_is_no_folder_is_refused);
    tcase_add_test(tc, folder_may_itself_be_reached_by_a_link);
    tcase_add_test(tc, too_many_levels_are_refused);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
