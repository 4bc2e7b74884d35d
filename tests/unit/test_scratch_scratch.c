// SPDX-License-Identifier: ISC
/* A private server and its databases come, work, and leave nothing behind, however the
 * process that asked for them ends. Starts real servers. */
#include "base/mem.h"
#include "control/control.h"
#include "scratch/scratch.h"

#include "lib/unit.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define TIMEOUT_MS 50000

static char *dir;

static void
setup(void)
{
    dir = unit_mkdir();
    /* another user must get through it when we are root */
    ck_assert_int_eq(chmod(dir, 0755), 0);
    setenv("TMPDIR", dir, 1);
}

static void
teardown(void)
{
    unit_rmdir(dir);
}

static size_t
n_entries(void)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static struct ctl_link *
link_to(const char *conninfo)
{
    struct err err = { "" };
    struct ctl_link *l = NULL;

    ck_assert_msg(ctl_link_open(conninfo, TIMEOUT_MS, &l, &err) == 0, "%s", err.text);
    return l;
}

static char *
value(const char *conninfo, const char *sql)
{
    AUTO(ctl_link_free) struct ctl_link *l = link_to(conninfo);
    const struct dg_rows *rows = NULL;
    struct err err = { "" };

    ck_assert_msg(ctl_link_run(l, sql, &rows, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(rows->n_rows, 1);
    return mem_strdup(dg_cell(rows, 0, 0));
}

static struct scratch *
open_it(const struct scratch_opts *opts)
{
    struct err err = { "" };
    struct scratch *s = NULL;

    ck_assert_msg(scratch_open(opts, &s, &err) == 0, "%s", err.text);
    return s;
}

static const char *
new_database(struct scratch *s)
{
    struct err err = { "" };
    const char *conninfo = NULL;

    ck_assert_msg(scratch_new_database(s, &conninfo, &err) == 0, "%s", err.text);
    return conninfo;
}

static void
close_it(struct scratch *s)
{
    struct err err = { "" };

    ck_assert_msg(scratch_close(s, &err) == 0, "%s", err.text);
}

START_TEST(private_databases_are_empty_apart_and_gone_after)
{
    struct scratch_opts opts = { .dbname = "it's a \"shop\"" };
    setenv("PGSERVICE", "nowhere", 1);
    setenv("PGHOSTADDR", "192.0.2.1", 1);
    struct scratch *s = open_it(&opts);
    const char *one = new_database(s), *two = new_database(s);

    AUTO(mem_free) char *name = value(one, "SELECT current_database()");
    ck_assert_str_eq(name, "it's a \"shop\"");
    AUTO(ctl_link_free) struct ctl_link *l = link_to(one);
    ck_assert_int_eq(ctl_link_run(l, "CREATE TABLE t (i int)", NULL, NULL), 0);
    ck_assert_int_ne(ctl_link_run(l, "CREATE TABLE t (i int)", NULL, NULL), 0);
    ck_assert_str_eq(ctl_link_sqlstate(l), "42P07");
    AUTO(mem_free) char *other = value(two, "SELECT to_regclass('t') IS NULL");
    ck_assert_str_eq(other, "t");
    ck_assert_uint_eq(n_entries(), 1);
    close_it(s);
    ck_assert_uint_eq(n_entries(), 0);
}
END_TEST

START_TEST(a_copy_is_made_anew)
{
    struct scratch_opts opts = { .server = NULL };
    struct scratch *s = open_it(&opts);
    const char *from = new_database(s), *copy = NULL;
    struct err err = { "" };

    struct ctl_link *l = link_to(from);
    ck_assert_int_eq(ctl_link_run(l, "CREATE TABLE t (i int)", NULL, NULL), 0);
    /* as the server says, nobody may be connected to what is copied */
    ck_assert_int_lt(scratch_copy_database(s, from, &copy, &err), 0);
    ctl_link_free(l);
    ck_assert_int_eq(scratch_copy_database(s, from, &copy, &err), 0);
    const char *first = copy;
    l = link_to(copy);
    ck_assert_int_eq(ctl_link_run(l, "DROP TABLE t", NULL, NULL), 0);
    ck_assert_int_eq(scratch_copy_database(s, from, &copy, &err), 0);
    ck_assert_ptr_eq(copy, first);
    ctl_link_free(l);
    AUTO(mem_free) char *is_there = value(copy, "SELECT to_regclass('t') IS NOT NULL");
    ck_assert_str_eq(is_there, "t");
    close_it(s);
    ck_assert_uint_eq(n_entries(), 0);
}
END_TEST

START_TEST(databases_on_a_given_server_are_dropped)
{
    struct scratch_opts private = { .server = NULL };
    struct scratch *server = open_it(&private);
    const char *conninfo = new_database(server);
    struct scratch_opts opts = { .server = conninfo };
    struct scratch *s = open_it(&opts);
    static const char count[] =
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'ddlgate_scratch_%'";

    new_database(s);
    /* a session that is still there does not keep it */
    AUTO(ctl_link_free) struct ctl_link *l = link_to(new_database(s));
    ck_assert_ptr_nonnull(l);
    AUTO(mem_free) char *during = value(conninfo, count);
    ck_assert_str_eq(during, "2");
    close_it(s);
    AUTO(mem_free) char *after = value(conninfo, count);
    ck_assert_str_eq(after, "0");
    close_it(server);
}
END_TEST

/* A child opens one and is killed in the middle; the folder must go all the same. */
START_TEST(a_killed_owner_leaves_nothing)
{
    int pipes[2];
    char ready = 0;

    ck_assert_int_eq(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct scratch_opts opts = { .server = NULL };
        new_database(open_it(&opts));
        ck_assert_int_eq(write(pipes[1], "r", 1), 1);
        pause();
        _exit(0);
    }
    close(pipes[1]);
    ck_assert_int_eq(read(pipes[0], &ready, 1), 1);
    ck_assert_uint_eq(n_entries(), 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    for (int i = 0; i < 400 && n_entries() > 0; i++)
        usleep(50000);
    ck_assert_uint_eq(n_entries(), 0);
    close(pipes[0]);
}
END_TEST

START_TEST(what_is_missing_is_said)
{
    struct scratch_opts nowhere = { .pg_bin = "/nonexistent" };
    struct scratch_opts refused = { .server = "host=127.0.0.1 port=1 user=x dbname=x" };
    struct err err = { "" };
    struct scratch *s = NULL;

    ck_assert_int_eq(scratch_open(&nowhere, &s, &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.text, "--pg-bin"));
    ck_assert_int_lt(scratch_open(&refused, &s, &err), 0);
    ck_assert_msg(strncmp(err.text, "--server: ", 10) == 0, "%s", err.text);
    setenv("PG_CONFIG", "/bin/false", 1);
    struct scratch_opts any = { .server = NULL };
    ck_assert_int_eq(scratch_open(&any, &s, &err), -ENOENT);
    ck_assert_ptr_nonnull(strstr(err.text, "apt-get install postgresql"));
    ck_assert_uint_eq(n_entries(), 0);
}
END_TEST

/* What initdb and the server say is passed on. */
START_TEST(a_server_that_fails_tells_why)
{
    AUTO(mem_free) char *bin = mem_printf("%s/bin", dir);
    struct err err = { "" };
    struct scratch *s = NULL;
    static const char fails[] = "#!/bin/sh\necho no luck >&2\nexit 1\n";

    ck_assert_int_eq(mkdir(bin, 0755), 0);
    char *initdb = unit_write(bin, "initdb", fails, strlen(fails));
    char *postgres = unit_write(bin, "postgres", fails, strlen(fails));
    ck_assert_int_eq(chmod(initdb, 0755), 0);
    ck_assert_int_eq(chmod(postgres, 0755), 0);
    struct scratch_opts opts = { .pg_bin = bin };
    ck_assert_int_eq(scratch_open(&opts, &s, &err), -EIO);
    ck_assert_msg(strstr(err.text, "initdb failed: no luck") != NULL, "%s", err.text);
    ck_assert_uint_eq(n_entries(), 1);
    free(initdb);
    free(postgres);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("scratch_scratch");
    TCase *tc = tcase_create("scratch");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 110);
    tcase_add_test(tc, private_databases_are_empty_apart_and_gone_after);
    tcase_add_test(tc, a_copy_is_made_anew);
    tcase_add_test(tc, databases_on_a_given_server_are_dropped);
    tcase_add_test(tc, a_killed_owner_leaves_nothing);
    tcase_add_test(tc, what_is_missing_is_said);
    tcase_add_test(tc, a_server_that_fails_tells_why);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
