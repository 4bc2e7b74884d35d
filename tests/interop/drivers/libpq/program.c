/* SPDX-License-Identifier: ISC */
/* libpq itself: every way to send and to read, pipelines, COPY by hand, cancel from another
 * thread, large objects (function calls of the fast path). Writes the steps of
 * tests/interop/run. A result set is written as it stands on the wire: columns with type,
 * size, modifier and format, values as text or hex. */
#include <libpq-fe.h>
#include <libpq/libpq-fs.h>

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFUSED   "CREATE TABLE interop_refused (id int PRIMARY KEY, note text)"
#define BIG_BYTES (1 << 20)

static PGconn *c;
static char notices[4096];
static bool is_first; /* whether the next member of a list needs no comma */

/* --- JSON -------------------------------------------------------------------------- */

static void
comma(void)
{
    if (!is_first) {
        putchar(',');
    }
    is_first = false;
}

static void
quoted(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') {
            printf("\\%c", *s);
        } else if ((unsigned char)*s < 0x20) {
            printf("\\u%04x", (unsigned char)*s);
        } else {
            putchar(*s);
        }
    }
    putchar('"');
}

static void
text(const char *s)
{
    comma();
    if (s) {
        quoted(s);
    } else {
        fputs("null", stdout);
    }
}

static void
number(long long n)
{
    comma();
    printf("%lld", n);
}

static void
key(const char *name)
{
    comma();
    quoted(name);
    putchar(':');
    is_first = true;
}

static void
open_with(char bracket)
{
    comma();
    putchar(bracket);
    is_first = true;
}

static void
close_with(char bracket)
{
    putchar(bracket);
    is_first = false;
}

static void
step(const char *name)
{
    printf("{\"step\":\"%s\",\"result\":", name);
    is_first = true;
}

static void
step_end(void)
{
    puts("}");
    fflush(stdout);
}

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, ": %s\n", c ? PQerrorMessage(c) : "");
    exit(1);
}

/* --- results ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    int code;
} fields[] = {
    { "severity", PG_DIAG_SEVERITY_NONLOCALIZED },
    { "sqlstate", PG_DIAG_SQLSTATE },
    { "message", PG_DIAG_MESSAGE_PRIMARY },
    { "detail", PG_DIAG_MESSAGE_DETAIL },
    { "hint", PG_DIAG_MESSAGE_HINT },
    { "position", PG_DIAG_STATEMENT_POSITION },
    { "context", PG_DIAG_CONTEXT },
    { "schema", PG_DIAG_SCHEMA_NAME },
    { "table", PG_DIAG_TABLE_NAME },
    { "column", PG_DIAG_COLUMN_NAME },
    { "constraint", PG_DIAG_CONSTRAINT_NAME },
    { "file", PG_DIAG_SOURCE_FILE },
    { "line", PG_DIAG_SOURCE_LINE },
    { "routine", PG_DIAG_SOURCE_FUNCTION },
};

static void
error_fields(const PGresult *r)
{
    open_with('{');
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *value = PQresultErrorField(r, fields[i].code);
        if (value) {
            key(fields[i].name);
            text(value);
        }
    }
    close_with('}');
}

static void
value_of(const PGresult *r, int row, int column)
{
    if (PQgetisnull(r, row, column)) {
        text(NULL);
    } else if (PQfformat(r, column) == 0) {
        text(PQgetvalue(r, row, column));
    } else {
        comma();
        fputs("\"x", stdout);
        for (int i = 0; i < PQgetlength(r, row, column); i++) {
            printf("%02x", (unsigned char)PQgetvalue(r, row, column)[i]);
        }
        putchar('"');
    }
}

/* [status, tag, [columns], [rows]] or [status, {error}]; frees the result. */
static void
result(PGresult *r)
{
    open_with('[');
    text(PQresStatus(PQresultStatus(r)));
    if (PQresultErrorField(r, PG_DIAG_SQLSTATE)) {
        error_fields(r);
    } else {
        text(PQcmdStatus(r));
        open_with('[');
        for (int i = 0; i < PQnfields(r); i++) {
            open_with('[');
            text(PQfname(r, i));
            number(PQftype(r, i));
            number(PQfsize(r, i));
            number(PQfmod(r, i));
            number(PQfformat(r, i));
            close_with(']');
        }
        close_with(']');
        open_with('[');
        for (int row = 0; row < PQntuples(r); row++) {
            for (int i = 0; i < PQnfields(r); i++) {
                value_of(r, row, i);
            }
        }
        close_with(']');
    }
    close_with(']');
    PQclear(r);
}

static void
run(const char *sql)
{
    result(PQexec(c, sql));
}

static void
quietly(const char *sql)
{
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
        die("%s", sql);
    }
    PQclear(r);
}

static void
notice(void *unused, const PGresult *r)
{
    (void)unused;
    size_t n = strlen(notices);
    snprintf(notices + n, sizeof notices - n, "%s|%s\n",
        PQresultErrorField(r, PG_DIAG_SQLSTATE),
        PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
}

/* FNV-1a, enough to tell two texts apart. */
static uint64_t
hash_more(uint64_t hash, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ (unsigned char)s[i]) * 1099511628211u;
    }
    return hash;
}

#define HASH_START 14695981039346656037u

static void
hash_value(uint64_t hash)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)hash);
    text(hex);
}

/* --- steps ------------------------------------------------------------------------- */

static void
log_in(void)
{
    static const char *parameters[] = { "server_version", "server_encoding",
        "client_encoding", "DateStyle", "TimeZone", "IntervalStyle",
        "standard_conforming_strings", "integer_datetimes", "is_superuser",
        "session_authorization", "application_name" };
    /* Asynchronous, as event-driven programs do it. */
    c = PQconnectStart("application_name=libpq");
    PostgresPollingStatusType s = PGRES_POLLING_WRITING;
    while (s != PGRES_POLLING_OK) {
        struct pollfd p = { PQsocket(c), s == PGRES_POLLING_READING ? POLLIN : POLLOUT,
            0 };
        if (poll(&p, 1, 20000) != 1 || (s = PQconnectPoll(c)) == PGRES_POLLING_FAILED) {
            die("connect");
        }
    }
    PQsetNoticeReceiver(c, notice, NULL);
    step("connect");
    open_with('{');
    key("tls");
    fputs(PQsslInUse(c) ? "true" : "false", stdout);
    is_first = false;
    key("pid");
    number(PQbackendPID(c));
    key("server");
    number(PQserverVersion(c));
    key("protocol");
    number(PQprotocolVersion(c));
    key("password");
    number(PQconnectionUsedPassword(c));
    key("parameters");
    open_with('[');
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        text(PQparameterStatus(c, parameters[i]));
    }
    close_with(']');
    close_with('}');
    step_end();
}

static const char types[] =
    "SELECT 7::int2 AS a, 42 AS b, 9007199254740993::int8 AS c, 0.1::float8 AS d, "
    "12345678901234567890.123456789::numeric AS e, 'naïve – 漢字 🐘' AS f, '\\x00ff10'::bytea AS g, "
    "true AS h, '2024-02-29'::date AS i, '2024-02-29 12:34:56.789'::timestamp AS j, "
    "'2024-02-29 12:34:56.789+02'::timestamptz AS k, "
    "'6f1b1b3e-0d6f-4a0a-9d2c-3f6c1e7b8a90'::uuid AS l, '{\"a\": [1, null]}'::json AS m, "
    "'{\"b\": {\"c\": 2.50}}'::jsonb AS n, ARRAY[1, NULL, 3] AS o, NULL::text AS p, "
    "interval '1 mon 2 days 03:04:05' AS q, 'x'::varchar(7) AS r, row(1, 'b') AS s";

static void
queries(void)
{
    step("types");
    open_with('[');
    run(types);
    result(PQexecParams(c, types, 0, NULL, NULL, NULL, NULL, 1));
    run("");
    run("SELECT");
    run("DO $$ BEGIN RAISE NOTICE 'a notice'; END $$");
    run("SET application_name = 'another'");
    text(PQparameterStatus(c, "application_name"));
    text(notices);
    close_with(']');
    step_end();

    step("parameters");
    open_with('[');
    const char four[4] = { 0, 0, 0, 42 };
    const char *values[] = { four, "it's – 漢字 \\", NULL, "1.50" };
    const Oid oids[] = { 23, 25, 25, 1700 };
    const int sizes[] = { 4, 0, 0, 0 }, formats[] = { 1, 0, 0, 0 };
    result(
        PQexecParams(c, "SELECT $1, $2, $3, $4", 4, oids, values, sizes, formats, 0));
    result(
        PQexecParams(c, "SELECT $1, $2, $3, $4", 4, oids, values, sizes, formats, 1));
    result(PQexecParams(c, "SELECT $1::int + 1", 1, NULL,
        (const char *[]){ "no number" }, NULL, NULL, 0));
    close_with(']');
    step_end();

    step("prepared");
    open_with('[');
    result(
        PQprepare(c, "by_id", "SELECT name, price FROM items WHERE id = $1", 0, NULL));
    result(PQdescribePrepared(c, "by_id"));
    for (int i = 0; i < 3; i++) {
        static const char *ids[] = { "1", "500", "1000" };
        result(PQexecPrepared(c, "by_id", 1, &ids[i], NULL, NULL, i == 2));
    }
    result(PQprepare(c, "by_id", "SELECT 1", 0, NULL));
    run("EXECUTE by_id (7)");
    run("DEALLOCATE by_id");
    result(PQexecPrepared(c, "by_id", 0, NULL, NULL, NULL, 0));
    close_with(']');
    step_end();
}

/* Every result of a pipeline up to its n-th Sync; null where libpq gives one. */
static void
pipeline_results(int n)
{
    open_with('[');
    while (n > 0) {
        PGresult *r = PQgetResult(c);
        if (r) {
            n -= PQresultStatus(r) == PGRES_PIPELINE_SYNC;
            result(r);
        } else if (PQstatus(c) == CONNECTION_BAD) {
            die("pipeline");
        }
    }
    close_with(']');
}

static void
send(const char *sql, const char *value)
{
    if (!PQsendQueryParams(c, sql, value ? 1 : 0, NULL, &value, NULL, NULL, 0)) {
        die("%s", sql);
    }
}

static void
batches(void)
{
    step("batch");
    open_with('[');
    run("SELECT 1; INSERT INTO uniq VALUES (1); SELECT 2");
    PQsendQuery(c,
        "SELECT 1; INSERT INTO uniq VALUES (2), (3); SELECT id FROM uniq ORDER BY id");
    for (PGresult *r; (r = PQgetResult(c));) {
        result(r);
    }
    PQenterPipelineMode(c);
    for (int i = 10; i < 30; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        send("INSERT INTO uniq VALUES ($1)", value);
    }
    PQsendPrepare(c, "total", "SELECT sum(id) FROM uniq WHERE id >= $1", 0, NULL);
    PQsendQueryPrepared(c, "total", 1, (const char *[]){ "10" }, NULL, NULL, 0);
    /* Flush without Sync: the answers so far must come. */
    PQsendFlushRequest(c);
    PQflush(c);
    PGresult *early = PQgetResult(c);
    result(early);
    PQsendDescribePrepared(c, "total");
    PQpipelineSync(c);
    send("DELETE FROM uniq", NULL);
    PQpipelineSync(c);
    pipeline_results(2);
    PQexitPipelineMode(c);
    close_with(']');
    step_end();

    step("batch_error");
    open_with('[');
    run("INSERT INTO uniq VALUES (1); INSERT INTO uniq VALUES (1); INSERT INTO uniq VALUES (2)");
    run("SELECT id FROM uniq");
    PQenterPipelineMode(c);
    send("INSERT INTO uniq VALUES (1)", NULL);
    send("INSERT INTO uniq VALUES ($1)", "1");
    send("INSERT INTO uniq VALUES (2)", NULL);
    PQpipelineSync(c);
    send("INSERT INTO uniq VALUES (3)", NULL);
    send("SELECT no_such_column FROM uniq", NULL);
    PQpipelineSync(c);
    send("BEGIN", NULL);
    send("INSERT INTO uniq VALUES (4)", NULL);
    send("SELECT 1/0", NULL);
    PQpipelineSync(c);
    send("SELECT 1", NULL);
    PQpipelineSync(c);
    send("ROLLBACK", NULL);
    send("INSERT INTO uniq VALUES (5)", NULL);
    PQpipelineSync(c);
    pipeline_results(5);
    PQexitPipelineMode(c);
    run("SELECT id FROM uniq");
    close_with(']');
    step_end();
    quietly("DELETE FROM uniq");
}

static void
copies(void)
{
    step("copy_in");
    open_with('[');
    run("COPY bulk FROM STDIN");
    for (int i = 0; i < 1000; i++) {
        char line[128];
        int n = snprintf(line, sizeof line, "%d\tname %d é\ta\\tb\\\\%d\n", i, i, i);
        /* A line in two messages, as a client may. */
        if (PQputCopyData(c, line, n / 2) != 1
            || PQputCopyData(c, line + n / 2, n - n / 2) != 1) {
            die("COPY");
        }
    }
    PQputCopyEnd(c, NULL);
    result(PQgetResult(c));
    PQclear(PQgetResult(c));
    run("SELECT count(*), md5(string_agg(id || name || note, ',' ORDER BY id)) FROM bulk");
    run("COPY bulk FROM STDIN");
    PQputCopyData(c, "1\tx\ty\nbad\tx\ty\n", 15);
    PQputCopyEnd(c, NULL);
    result(PQgetResult(c));
    PQclear(PQgetResult(c));
    run("COPY bulk FROM STDIN");
    PQputCopyData(c, "1\tx\ty\n", 6);
    PQputCopyEnd(c, "given up by the client");
    result(PQgetResult(c));
    PQclear(PQgetResult(c));
    run("SELECT count(*) FROM bulk");
    close_with(']');
    step_end();

    step("copy_out");
    open_with('[');
    static const char *ways[] = { "text", "csv", "binary" };
    for (int i = 0; i < 3; i++) {
        char sql[128];
        snprintf(sql, sizeof sql,
            "COPY (SELECT * FROM items ORDER BY id) TO STDOUT (FORMAT %s)", ways[i]);
        run(sql);
        uint64_t hash = HASH_START;
        long long rows = 0, bytes = 0;
        char *data;
        for (int n; (n = PQgetCopyData(c, &data, 0)) > 0; rows++, bytes += n) {
            hash = hash_more(hash, data, (size_t)n);
            PQfreemem(data);
        }
        number(rows);
        number(bytes);
        hash_value(hash);
        result(PQgetResult(c));
        PQclear(PQgetResult(c));
    }
    /* An error in the middle of the data. */
    run("COPY (SELECT 1 / (500 - i) FROM generate_series(1, 1000) i) TO STDOUT");
    long long rows = 0;
    for (char *data; PQgetCopyData(c, &data, 0) > 0; rows++) {
        PQfreemem(data);
    }
    number(rows);
    result(PQgetResult(c));
    PQclear(PQgetResult(c));
    close_with(']');
    step_end();
}

static void
cursors(void)
{
    step("cursor");
    open_with('[');
    PQsendQueryParams(c,
        "SELECT i, 'item ' || i, 1 / (700 - i) FROM generate_series(1, 1000) i", 0,
        NULL, NULL, NULL, NULL, 1);
    PQsetSingleRowMode(c);
    uint64_t hash = HASH_START;
    long long rows = 0;
    for (PGresult *r; (r = PQgetResult(c));) {
        if (PQresultStatus(r) == PGRES_SINGLE_TUPLE) {
            hash = hash_more(hash, PQgetvalue(r, 0, 1), (size_t)PQgetlength(r, 0, 1));
            rows++;
            PQclear(r);
        } else {
            result(r);
        }
    }
    number(rows);
    hash_value(hash);
    run("BEGIN; DECLARE part SCROLL BINARY CURSOR FOR SELECT id, name FROM items ORDER BY id");
    run("FETCH 3 FROM part");
    run("MOVE 100 IN part");
    run("FETCH BACKWARD 1 FROM part");
    result(PQdescribePortal(c, "part"));
    run("CLOSE part");
    run("COMMIT");
    close_with(']');
    step_end();
}

static void *
cancel_later(void *cancel)
{
    static char said[256];
    usleep(300000);
    if (PQcancel(cancel, said, sizeof said)) {
        strcpy(said, "sent");
    }
    PQfreeCancel(cancel);
    return said;
}

static void
ends_of_statements(void)
{
    pthread_t thread;
    void *said;
    step("cancel");
    open_with('[');
    pthread_create(&thread, NULL, cancel_later, PQgetCancel(c));
    run("SELECT pg_sleep(30)");
    pthread_join(thread, &said);
    text(said);
    /* In a pipeline the statement after it is skipped. */
    PQenterPipelineMode(c);
    send("SELECT pg_sleep(30)", NULL);
    send("SELECT 1", NULL);
    PQpipelineSync(c);
    pthread_create(&thread, NULL, cancel_later, PQgetCancel(c));
    pipeline_results(1);
    pthread_join(thread, &said);
    PQexitPipelineMode(c);
    run("SELECT 1");
    close_with(']');
    step_end();

    step("transaction");
    open_with('[');
    run("BEGIN");
    run("SELECT 1/0");
    number(PQtransactionStatus(c));
    run("SELECT 1");
    result(PQexecParams(
        c, "SELECT $1::int", 1, NULL, (const char *[]){ "1" }, NULL, NULL, 0));
    run("COMMIT");
    number(PQtransactionStatus(c));
    run("SELECT 1");
    close_with(']');
    step_end();

    step("savepoint");
    open_with('[');
    run("BEGIN; INSERT INTO uniq VALUES (1)");
    run("SAVEPOINT a");
    run("INSERT INTO uniq VALUES (1)");
    run("ROLLBACK TO a");
    run("INSERT INTO uniq VALUES (2)");
    run("COMMIT");
    run("SELECT id FROM uniq ORDER BY id");
    close_with(']');
    step_end();
    quietly("DELETE FROM uniq");
}

static void *
notify_later(void *unused)
{
    usleep(300000);
    PGconn *other = PQconnectdb("");
    PQclear(PQexec(other, "NOTIFY tidings, 'söme néws'"));
    PQfinish(other);
    return unused;
}

static void
news(void)
{
    pthread_t thread;
    quietly("LISTEN tidings");
    pthread_create(&thread, NULL, notify_later, NULL);
    PGnotify *n = NULL;
    while (!n) {
        struct pollfd p = { PQsocket(c), POLLIN, 0 };
        if (poll(&p, 1, 20000) != 1 || !PQconsumeInput(c)) {
            die("no notification");
        }
        n = PQnotifies(c);
    }
    pthread_join(thread, NULL);
    step("notify");
    open_with('[');
    text(n->relname);
    text(n->extra);
    close_with(']');
    step_end();
    PQfreemem(n);
    quietly("UNLISTEN *");
}

static void
large_object(const char *data)
{
    quietly("BEGIN");
    Oid oid = lo_creat(c, INV_READ | INV_WRITE);
    int fd = lo_open(c, oid, INV_READ | INV_WRITE);
    char start[17] = "";
    number(lo_write(c, fd, data, BIG_BYTES));
    number(lo_lseek64(c, fd, 1000, SEEK_SET));
    number(lo_read(c, fd, start, 16));
    text(start);
    number(lo_tell64(c, fd));
    number(lo_truncate64(c, fd, 10));
    number(lo_close(c, fd));
    number(lo_unlink(c, oid));
    number(lo_open(c, oid, INV_READ));
    number(PQtransactionStatus(c));
    quietly("ROLLBACK");
}

static void
big(void)
{
    PGresult *r = PQexec(c, "SELECT repeat('0123456789abcdef', 65536)");
    step("big_result");
    open_with('[');
    number(PQgetlength(r, 0, 0));
    hash_value(
        hash_more(HASH_START, PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0)));
    close_with(']');
    step_end();
    const char *value = PQgetvalue(r, 0, 0);
    step("big_param");
    open_with('[');
    result(PQexecParams(
        c, "SELECT length($1::text), md5($1::text)", 1, NULL, &value, NULL, NULL, 0));
    large_object(value);
    close_with(']');
    step_end();
    PQclear(r);
}

/* Each way to send a statement; the simple protocol's refusal is the step's result, the
 * others must be refused, too. */
static void
refused(void)
{
    step("refused");
    open_with('{');
    key("refused");
    PGresult *r = PQexecParams(c, REFUSED, 0, NULL, NULL, NULL, NULL, 0);
    bool is_refused = PQresultStatus(r) != PGRES_COMMAND_OK;
    fputs(is_refused ? "true" : "false", stdout);
    is_first = false;
    if (is_refused) {
        PQclear(r);
        r = PQprepare(c, "made", REFUSED, 0, NULL);
        if (PQresultStatus(r) != PGRES_FATAL_ERROR) {
            die("PQexecParams was refused, PQprepare was not");
        }
        PQclear(r);
        r = PQexec(c, REFUSED);
        key("text");
        text(PQresultErrorMessage(r));
        key("fields");
        error_fields(r);
    } else {
        quietly("DROP TABLE interop_refused");
    }
    PQclear(r);
    close_with('}');
    step_end();

    step("usable");
    open_with('[');
    run("SELECT 42");
    result(PQexecParams(
        c, "SELECT $1::int + 1", 1, NULL, (const char *[]){ "41" }, NULL, NULL, 0));
    number(PQtransactionStatus(c));
    text(notices);
    PQreset(c);
    run("SELECT 'after a reset'");
    close_with(']');
    step_end();
}

int
main(void)
{
    log_in();
    queries();
    batches();
    copies();
    cursors();
    ends_of_statements();
    news();
    big();
    refused();
    PQfinish(c);
    return 0;
}
