// SPDX-License-Identifier: ISC
/* The gate's own connections against a real server: a private cluster that this program
 * starts and that dies with it. */
#include "control/control.h"
#include "history/history.h"
#include "lib/unit.h"

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"

#ifndef PG_BINDIR
#define PG_BINDIR "/usr/lib/postgresql/15/bin"
#endif

/* --- the cluster ------------------------------------------------------------------------ */

static char *pg_dir;
static pid_t pg_pid;
static int pg_port;

/* The server refuses to run as root. */
static void
become_postgres(void)
{
    const struct passwd *pw = geteuid() == 0 ? getpwnam("postgres") : NULL;

    if (geteuid() != 0)
        return;
    if (!pw || setgroups(0, NULL) || setgid(pw->pw_gid) || setuid(pw->pw_uid)) {
        fprintf(
            stderr, "running as root, and there is no user postgres to run initdb\n");
        _exit(127);
    }
}

static pid_t
spawn(const char *const argv[])
{
    pid_t parent = getpid(), pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent)
        _exit(127);
    become_postgres();
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* lost with the user */
    char log[256];
    snprintf(log, sizeof(log), "%s/log", pg_dir);
    if (chdir(pg_dir) || !freopen(log, "a", stdout) || !freopen(log, "a", stderr))
        _exit(127);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static int
free_port(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert(bind(fd, (struct sockaddr *)&sin, len) == 0);
    ck_assert(getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
    close(fd);
    return ntohs(sin.sin_port);
}

static void
conninfo(char *out, size_t size, const char *more)
{
    snprintf(out, size, "host=127.0.0.1 port=%d user=postgres dbname=postgres %s",
        pg_port, more);
}

/* Runs SQL as a client would, without the gate's settings. */
static void
run_sql(const char *sql)
{
    char port[16], text[256];
    const char *const argv[] = { PG_BINDIR "/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
        "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-c", sql, "postgres", NULL };
    int status;

    snprintf(port, sizeof(port), "%d", pg_port);
    pid_t pid = spawn(argv);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    snprintf(text, sizeof(text), "psql ended with %d for: %.150s", status, sql);
    ck_assert_msg(status == 0, "%s", text);
}

static void
start_postgres(void)
{
    char data[256], port[16];
    const char *const initdb[] = { PG_BINDIR "/initdb", "-D", data, "-U", "postgres",
        "-A", "trust", "-E", "UTF8", "--locale=C", "-N", NULL };
    const char *const server[] = { PG_BINDIR "/postgres", "-D", data, "-p", port, "-h",
        "127.0.0.1", "-k", data, "-F", "-c", "max_connections=20", "-c",
        "shared_buffers=16MB", NULL };
    const struct passwd *pw = getpwnam("postgres");
    int status;

    pg_dir = unit_mkdir();
    ck_assert_msg(access(PG_BINDIR "/initdb", X_OK) == 0,
        "no " PG_BINDIR "/initdb: install postgresql-15, this test needs a server");
    if (geteuid() == 0)
        ck_assert(pw && chown(pg_dir, pw->pw_uid, pw->pw_gid) == 0);
    snprintf(data, sizeof(data), "%s/data", pg_dir);
    ck_assert_int_eq(waitpid(spawn(initdb), &status, 0) > 0 ? status : -1, 0);
    pg_port = free_port();
    snprintf(port, sizeof(port), "%d", pg_port);
    pg_pid = spawn(server);
    for (int i = 0;; i++) {
        char info[256];
        struct dg_rows *rows = NULL;
        conninfo(info, sizeof(info), "");
        if (ctl_query_wait(info, "SELECT 1", 2000, &rows, NULL) == 0) {
            ctl_rows_free(rows);
            return;
        }
        ck_assert_msg(i < 200, "the private server did not start, see %s/log", pg_dir);
        usleep(50000);
    }
}

static void
stop_postgres(void)
{
    int status;

    kill(pg_pid, SIGQUIT);
    waitpid(pg_pid, &status, 0);
    unit_rmdir(pg_dir);
}

/* --- a loop and its answers ------------------------------------------------------------- */

struct answer {
    int order; /* 0: none yet */
    bool is_error;
    char sqlstate[6];
    char text[600]; /* cells joined by |, rows by newline, null as ~; or the error */
    struct net_loop *loop;
    int *n_done;
    int stop_at; /* of n_done */
};

static struct net_loop *loop;
static struct ctl *ctl;
static struct answer answers[8];
static int n_done;

static void
setup(void)
{
    loop = net_loop_new();
    ctl = ctl_new(loop, CTL_READ, 60000);
    memset(answers, 0, sizeof(answers));
    n_done = 0;
}

static void
teardown(void)
{
    ctl_free(ctl);
    net_loop_free(loop);
}

static void
add(struct answer *a, const char *s)
{
    size_t n = strlen(a->text);

    snprintf(a->text + n, sizeof(a->text) - n, "%s", s);
}

static void
on_done(void *ctx, const struct ctl_result *res)
{
    struct answer *a = ctx;

    ck_assert_int_eq(a->order, 0); /* exactly once */
    a->order = ++n_done;
    a->is_error = res->rows == NULL;
    memcpy(a->sqlstate, res->sqlstate, sizeof(a->sqlstate));
    if (a->is_error)
        add(a, res->error);
    for (size_t r = 0; res->rows && r < res->rows->n_rows; r++) {
        for (size_t c = 0; c < res->rows->n_cols; c++) {
            add(a, c ? "|" : r ? "\n" : "");
            add(a, dg_cell(res->rows, r, c) ? dg_cell(res->rows, r, c) : "~");
        }
    }
    if (n_done == a->stop_at)
        net_loop_stop(loop);
}

static void
ask(size_t i, const char *more, const char *sql, int64_t timeout_ms)
{
    char info[256];

    conninfo(info, sizeof(info), more);
    ctl_query(ctl, info, sql, timeout_ms, on_done, &answers[i]);
    ck_assert_int_eq(answers[i].order, 0); /* never from within the call */
}

/* Runs the loop until n answers are there. */
static void
await(int n)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(answers); i++)
        answers[i].stop_at = n;
    if (n_done < n)
        net_loop_run(loop);
    ck_assert_int_eq(n_done, n);
}

static const char *
ask_now(size_t i, const char *sql)
{
    ask(i, "", sql, 5000);
    await(n_done + 1);
    ck_assert_msg(!answers[i].is_error, "%s: %s", sql, answers[i].text);
    return answers[i].text;
}

static int64_t
ms_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
stop_loop(void *ctx)
{
    net_loop_stop(ctx);
}

static void
run_for(int64_t ms)
{
    struct net_timer t;

    net_timer_init(&t, loop, stop_loop, loop);
    net_timer_start(&t, ms);
    net_loop_run(loop);
    net_timer_deinit(&t);
}

/* --- tests ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *sql;
    const char *sqlstate; /* NULL: rows */
    const char *text;
} queries[] = {
    { "rows and nulls come as text",
        "SELECT 1, NULL, 'a b', true UNION ALL "
        "SELECT 2, '', 'x', false",
        NULL, "1|~|a b|t\n2||x|f" },
    { "no rows is an answer", "SELECT 1 WHERE false", NULL, "" },
    { "the last rows count", "SELECT 1; SELECT 2", NULL, "2" },
    { "no statement is an answer", "", NULL, "" },
    { "search_path is empty", "SHOW search_path", NULL, "" },
    { "locks are waited for 200 ms", "SHOW lock_timeout", NULL, "200ms" },
    { "hidden rows are errors", "SHOW row_security", NULL, "off" },
    { "the gate tells its name", "SHOW application_name", NULL, "ddlgate" },
    { "text is UTF-8", "SHOW client_encoding", NULL, "UTF8" },
    { "strings mean what they say", "SHOW standard_conforming_strings", NULL, "on" },
    { "the server knows the limit", "SHOW statement_timeout", NULL, "4375ms" },
    { "writing is refused", "CREATE TABLE public.t (a int)", "25006",
        "cannot execute CREATE TABLE in a read-only transaction" },
    { "an error is one line", "SELECT 1 FROM public.\"a\nb\"", "42P01",
        "relation \"public.a b\" does not exist" },
    { "the first error counts", "SELECT 1/0; SELECT nothing", "22012",
        "division by zero" },
    { "a syntax error has its state", "SELEC", "42601",
        "syntax error at or near \"SELEC\"" },
};

START_TEST(query_is_answered)
{
    ask(0, "", queries[_i].sql, 5000);
    await(1);
    CASE_INT(&queries[_i], answers[0].is_error, queries[_i].sqlstate != NULL);
    if (strcmp(queries[_i].sql, "SHOW statement_timeout") == 0) {
        ck_assert_msg(str_suffix(answers[0].text, "ms") && atoi(answers[0].text) > 3000
                && atoi(answers[0].text) <= 4375,
            "%s", answers[0].text);
        return;
    }
    CASE_STR(&queries[_i], answers[0].text, queries[_i].text);
    CASE_STR(&queries[_i], answers[0].sqlstate,
        queries[_i].sqlstate ? queries[_i].sqlstate : "");
}
END_TEST

START_TEST(server_ends_a_statement_at_the_limit_and_the_connection_stays)
{
    char pid[32];
    int64_t start = ms_now();

    snprintf(
        pid, sizeof(pid), "%.16s", ask_now(0, "SELECT pg_catalog.pg_backend_pid()"));
    ask(1, "", "SELECT pg_catalog.pg_sleep(20)", 400);
    await(2);
    ck_assert_int_lt(ms_now() - start, 3000);
    ck_assert_str_eq(answers[1].sqlstate, "57014");
    ck_assert_str_eq(ask_now(2, "SELECT pg_catalog.pg_backend_pid()"), pid);
}
END_TEST

START_TEST(limit_holds_when_the_server_does_not_keep_it)
{
    char pid[32];
    struct rusage before, after;

    snprintf(
        pid, sizeof(pid), "%.16s", ask_now(0, "SELECT pg_catalog.pg_backend_pid()"));
    getrusage(RUSAGE_SELF, &before);
    int64_t start = ms_now();
    ask(1, "", "SET statement_timeout = 0; SELECT pg_catalog.pg_sleep(20)", 500);
    ask(2, "", "SELECT 'next'", 5000);
    await(2);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_int_ge(ms_now() - start, 490);
    ck_assert_int_lt(ms_now() - start, 3000);
    ck_assert_str_eq(answers[1].text, "no answer within 500 ms");
    /* it slept meanwhile */
    int64_t cpu_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000
        + after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    ck_assert_int_lt(cpu_us, 200000);
    await(3);
    ck_assert_str_eq(answers[2].text, "next");
    ck_assert_str_ne(ask_now(3, "SELECT pg_catalog.pg_backend_pid()"), pid);
}
END_TEST

START_TEST(waiting_request_has_its_own_limit)
{
    ask(0, "", "SELECT pg_catalog.pg_sleep(0.6), 'slow'", 5000);
    ask(1, "", "SELECT 'never'", 200);
    await(1);
    ck_assert_str_eq(answers[1].text, "no answer within 200 ms");
    await(2);
    ck_assert_str_eq(answers[0].text, "|slow");
}
END_TEST

START_TEST(requests_run_in_order_over_one_connection)
{
    for (size_t i = 0; i < 5; i++)
        ask(i, "", "SELECT pg_catalog.pg_backend_pid()", 5000);
    await(5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(answers[i].order, (int)i + 1);
        ck_assert_str_eq(answers[i].text, answers[0].text);
    }
}
END_TEST

START_TEST(connection_that_died_unseen_is_replaced)
{
    char kill_sql[128];

    snprintf(kill_sql, sizeof(kill_sql),
        "SELECT pg_catalog.pg_terminate_backend(%.16s, 5000)",
        ask_now(0, "SELECT pg_catalog.pg_backend_pid()"));
    run_sql(kill_sql);
    /* the loop has not run since: the gate still takes the connection for a live one */
    ck_assert_str_eq(ask_now(1, "SELECT 'again'"), "again");
}
END_TEST

START_TEST(connection_that_dies_while_idle_is_dropped)
{
    char kill_sql[128];

    snprintf(kill_sql, sizeof(kill_sql),
        "SELECT pg_catalog.pg_terminate_backend(%.16s, 5000)",
        ask_now(0, "SELECT pg_catalog.pg_backend_pid()"));
    run_sql(kill_sql);
    run_for(100);
    ck_assert_str_eq(ask_now(1, "SELECT 'again'"), "again");
}
END_TEST

START_TEST(query_that_kills_its_own_connection_is_not_repeated_for_ever)
{
    ask(0, "", "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())",
        5000);
    ask(1, "", "SELECT 'next'", 5000);
    await(2);
    ck_assert(answers[0].is_error);
    ck_assert_str_eq(answers[0].sqlstate, "57P01");
    ck_assert_str_eq(answers[1].text, "next");
}
END_TEST

START_TEST(failed_connection_is_told_to_all_who_wait)
{
    ask(0, "password=geheim dbname=nowhere", "SELECT 1", 5000);
    ask(1, "password=geheim dbname=nowhere", "SELECT 1", 5000);
    await(2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(answers[i].is_error);
        ck_assert_ptr_nonnull(
            strstr(answers[i].text, "FATAL: database \"nowhere\" does not exist"));
        ck_assert_ptr_null(strchr(answers[i].text, '\n'));
        ck_assert_ptr_null(strstr(answers[i].text, "geheim"));
    }
    ck_assert_str_eq(ask_now(2, "SELECT 'other database'"), "other database");
}
END_TEST

START_TEST(closed_port_is_an_error)
{
    char info[128];

    snprintf(info, sizeof(info), "host=127.0.0.1 port=%d password=geheim", free_port());
    ctl_query(ctl, info, "SELECT 1", 5000, on_done, &answers[0]);
    ck_assert_int_eq(answers[0].order, 0);
    await(1);
    ck_assert(answers[0].is_error);
    ck_assert_ptr_nonnull(strstr(answers[0].text, "Connection refused"));
    ck_assert_ptr_null(strstr(answers[0].text, "geheim"));
}
END_TEST

START_TEST(unreadable_conninfo_is_an_error_without_its_text)
{
    ctl_query(ctl, "password=my geheim", "SELECT 1", 5000, on_done, &answers[0]);
    ck_assert_int_eq(answers[0].order, 0);
    await(1);
    ck_assert(answers[0].is_error);
    ck_assert_ptr_null(strstr(answers[0].text, "geheim"));
}
END_TEST

START_TEST(silent_server_is_given_up)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char info[128];

    ck_assert(bind(fd, (struct sockaddr *)&sin, len) == 0 && listen(fd, 8) == 0);
    ck_assert(getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
    snprintf(info, sizeof(info), "host=127.0.0.1 port=%d", ntohs(sin.sin_port));
    ctl_query(ctl, info, "SELECT 1", 300, on_done, &answers[0]);
    ctl_query(ctl, info, "SELECT 1", 600, on_done, &answers[1]);
    await(2);
    ck_assert_str_eq(
        answers[0].text, "no answer within 300 ms: the server can't be reached");
    ck_assert_str_eq(
        answers[1].text, "no answer within 600 ms: the server can't be reached");
    close(fd);
}
END_TEST

START_TEST(copy_is_refused_and_hangs_nobody)
{
    ask(0, "", "COPY (SELECT 1) TO STDOUT", 5000);
    ask(1, "", "SELECT 'next'", 5000);
    await(2);
    ck_assert_str_eq(answers[0].text, "COPY can't be used here");
    ck_assert_str_eq(answers[1].text, "next");
}
END_TEST

START_TEST(idle_connection_is_closed)
{
    static const char count[] =
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE "
        "application_name = 'ddlgate' AND datname = 'template1'";
    char info[256];
    int tries = 0;

    ctl_free(ctl);
    ctl = ctl_new(loop, CTL_READ, 2000);
    conninfo(info, sizeof(info), "dbname=template1");
    ctl_query(ctl, info, "SELECT 1", 5000, on_done, &answers[0]);
    await(1);
    ck_assert_str_eq(ask_now(1, count), "1");
    while (tries++ < 100 && strcmp(ask_now(2, count), "0") != 0) {
        memset(&answers[2], 0, sizeof(answers[2]));
        run_for(100);
    }
    ck_assert_int_lt(tries, 100);
}
END_TEST

START_TEST(freeing_the_pool_answers_what_is_pending)
{
    ask(0, "", "SELECT pg_catalog.pg_sleep(20)", 60000);
    ask(1, "", "SELECT 1", 60000);
    run_for(200);
    ctl_free(ctl);
    ctl = NULL;
    ck_assert_int_eq(n_done, 2);
    ck_assert_str_eq(answers[0].text, "the gate is shutting down");
    ck_assert_str_eq(answers[1].text, "the gate is shutting down");
}
END_TEST

static void
ask_again(void *ctx, const struct ctl_result *res)
{
    (void)ctx;
    ck_assert_ptr_nonnull(res->rows);
    ask(1, "", "SELECT 'second'", 5000);
}

START_TEST(callback_may_ask_again)
{
    char info[256];

    conninfo(info, sizeof(info), "");
    ctl_query(ctl, info, "SELECT 'first'", 5000, ask_again, NULL);
    await(1);
    ck_assert_str_eq(answers[1].text, "second");
}
END_TEST

START_TEST(blocking_form_gives_rows_or_an_error)
{
    struct dg_rows *rows = NULL;
    struct err err = { "" };
    char info[256];

    conninfo(info, sizeof(info), "");
    ck_assert_int_eq(ctl_query_wait(info, "SELECT 'x', NULL", 5000, &rows, &err), 0);
    ck_assert_uint_eq(rows->n_rows, 1);
    ck_assert_uint_eq(rows->n_cols, 2);
    ck_assert_str_eq(dg_cell(rows, 0, 0), "x");
    ck_assert_ptr_null(dg_cell(rows, 0, 1));
    ctl_rows_free(rows);
    ck_assert_int_lt(ctl_query_wait(info, "SELECT nothing", 5000, &rows, &err), 0);
    ck_assert_str_eq(err.text, "column \"nothing\" does not exist");
}
END_TEST

/* --- history tables on a real server ---------------------------------------------------- */

static const struct {
    const char *name;
    const char *make; /* run first */
    const char *format, *table;
    const char *error; /* of hist_query_rows; "": no table; NULL: rows */
    const char *rows;
} tables[] = {
    { "no table", NULL, "numbered-sql", "t1", "", NULL },
    { "hand-made table without a name",
        "CREATE TABLE t2 (applied_at timestamptz, version int); INSERT INTO t2 VALUES "
        "(NULL, 13)",
        "numbered-sql", "t2", NULL, "13|~|~" },
    { "name that needs quoting",
        "CREATE TABLE \"t3\"\"'\\\" (version text, name text); INSERT INTO \"t3\"\"'\\\" "
        "VALUES ('013', 'x')",
        "numbered-sql", "t3\"'\\", NULL, "013|x|~" },
    { "other schema",
        "CREATE SCHEMA \"Odd s\"; CREATE TABLE \"Odd s\".t4 (version text); INSERT INTO "
        "\"Odd s\".t4 VALUES ('1'); CREATE TABLE t4 (a int)",
        "numbered-sql", "Odd s.t4", NULL, "1|~|~" },
    { "view in its place", "CREATE VIEW t5 AS SELECT '1'::text AS version",
        "numbered-sql", "t5",
        "public.t5 is not an ordinary table (relkind v), so it can't be trusted as "
        "migration history; drop what stands in its place",
        NULL },
    { "table of another tool", "CREATE TABLE t6 (version text, dirty bool)", "flyway",
        "t6",
        "public.t6 has no column installed_rank, so it is not a history table of format "
        "flyway, its columns are those of format golang-migrate; check history_table and format of [migrations x]",
        NULL },
    { "column with a comma in its name", "CREATE TABLE t7 (\"a,version\" text)",
        "numbered-sql", "t7",
        "public.t7 has no column version, so it is not a history table of format "
        "numbered-sql; check history_table and format of [migrations x]",
        NULL },
    { "dropped column",
        "CREATE TABLE t8 (version text, a int); ALTER TABLE t8 DROP version",
        "numbered-sql", "t8",
        "public.t8 has no column version, so it is not a history table of format "
        "numbered-sql; check history_table and format of [migrations x]",
        NULL },
    { "partitioned table",
        "CREATE TABLE t9 (version text) PARTITION BY LIST (version); CREATE TABLE t9a "
        "PARTITION OF t9 DEFAULT; INSERT INTO t9 VALUES ('7')",
        "numbered-sql", "t9", NULL, "7|~|~" },
    { "rows of Flyway in the order of their rank",
        "CREATE TABLE t10 (installed_rank int, version text, description text, type text, "
        "script text, checksum int, success bool); INSERT INTO t10 VALUES (10, '2', 'b', "
        "'SQL', 'V2__b.sql', -5, true), (9, '1', 'a', 'SQL', 'V1__a.sql', NULL, false)",
        "flyway", "t10", NULL,
        "9|1|a|SQL|V1__a.sql|~|~|~|~|f\n10|2|b|SQL|V2__b.sql|-5|~|~|~|t" },
};

START_TEST(history_table_is_read)
{
    char *dir = unit_mkdir(), info[256];
    struct hist_conf conf = { .name = "x",
        .format = tables[_i].format,
        .path = dir,
        .history_table = tables[_i].table };
    struct hist_set *set;
    struct dg_rows *table;
    struct err err = { "" };
    AUTO(buf_deinit) struct buf sql = BUF_INIT(64 << 10);

    if (tables[_i].make)
        run_sql(tables[_i].make);
    ck_assert_msg(hist_set_load(&conf, &set, &err) == 0, "%s", err.text);
    hist_query_table(set, &sql);
    conninfo(info, sizeof(info), "");
    ck_assert_msg(
        ctl_query_wait(info, buf_cstr(&sql), 5000, &table, &err) == 0, "%s", err.text);
    buf_reset(&sql);
    int r = hist_query_rows(set, table, &sql, &err);
    if (tables[_i].rows) {
        ck_assert_msg(r == 0, "%s: %s", tables[_i].name, err.text);
        CASE_STR(&tables[_i], ask_now(0, buf_cstr(&sql)), tables[_i].rows);
    } else {
        CASE_INT(&tables[_i], r, tables[_i].error[0] ? -22 : HIST_E_NO_TABLE);
        CASE_STR(&tables[_i], err.text, tables[_i].error);
    }
    ctl_rows_free(table);
    ref_drop(set);
    unit_rmdir(dir);
}
END_TEST

START_TEST(hidden_rows_of_the_history_are_an_error)
{
    run_sql("CREATE TABLE hidden (version text); ALTER TABLE hidden ENABLE ROW LEVEL "
            "SECURITY; CREATE ROLE gate LOGIN; GRANT SELECT ON hidden TO gate");
    ask(0, "user=gate", "SELECT version FROM public.hidden", 5000);
    await(1);
    ck_assert_str_eq(answers[0].sqlstate, "42501");
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("control_control");
    TCase *tc = tcase_create("server");

    tcase_set_timeout(tc, 60);
    tcase_add_unchecked_fixture(tc, start_postgres, stop_postgres);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, query_is_answered, 0, DG_ARRAY_SIZE(queries));
    tcase_add_test(tc, server_ends_a_statement_at_the_limit_and_the_connection_stays);
    tcase_add_test(tc, limit_holds_when_the_server_does_not_keep_it);
    tcase_add_test(tc, waiting_request_has_its_own_limit);
    tcase_add_test(tc, requests_run_in_order_over_one_connection);
    tcase_add_test(tc, connection_that_died_unseen_is_replaced);
    tcase_add_test(tc, connection_that_dies_while_idle_is_dropped);
    tcase_add_test(tc, query_that_kills_its_own_connection_is_not_repeated_for_ever);
    tcase_add_test(tc, failed_connection_is_told_to_all_who_wait);
    tcase_add_test(tc, closed_port_is_an_error);
    tcase_add_test(tc, unreadable_conninfo_is_an_error_without_its_text);
    tcase_add_test(tc, silent_server_is_given_up);
    tcase_add_test(tc, copy_is_refused_and_hangs_nobody);
    tcase_add_test(tc, idle_connection_is_closed);
    tcase_add_test(tc, freeing_the_pool_answers_what_is_pending);
    tcase_add_test(tc, callback_may_ask_again);
    tcase_add_test(tc, blocking_form_gives_rows_or_an_error);
    tcase_add_loop_test(tc, history_table_is_read, 0, DG_ARRAY_SIZE(tables));
    tcase_add_test(tc, hidden_rows_of_the_history_are_an_error);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
