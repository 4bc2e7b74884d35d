// SPDX-License-Identifier: ISC
/* One connection that waits for its answers; see control.h. */
#include "control/conn.h"

#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define MAX_PARAMS 128 /* keywords that libpq knows, with room */

struct ctl_link {
    PGconn *pg;          /* owned */
    struct dg_rows rows; /* of the last answer; cells owned, their texts in result */
    PGresult *result;    /* owned; NULL: none */
    char sqlstate[6];    /* of the last error */
};

static void
ignore_notice(void *ctx, const PGresult *res)
{
    (void)ctx, (void)res;
}

/* conninfo with our own options last, so that they count. */
static PGconn *
connect_now(const PQconninfoOption *options, const char *timeout, const char *session)
{
    const char *keys[MAX_PARAMS], *values[MAX_PARAMS];
    size_t n = 0;

    for (const PQconninfoOption *o = options; o->keyword && n + 5 < MAX_PARAMS; o++) {
        if (!ctl_option(options, o->keyword) || strcmp(o->keyword, "options") == 0)
            continue;
        keys[n] = o->keyword;
        values[n++] = o->val;
    }
    keys[n] = "options";
    values[n++] = session;
    keys[n] = "client_encoding";
    values[n++] = "UTF8";
    keys[n] = "fallback_application_name";
    values[n++] = "ddlgate";
    if (!ctl_option(options, "connect_timeout")) {
        keys[n] = "connect_timeout";
        values[n++] = timeout;
    }
    keys[n] = values[n] = NULL;
    return PQconnectdbParams(keys, values, 0);
}

int
ctl_link_open(
    const char *conninfo, int64_t timeout_ms, struct ctl_link **out, struct err *err)
{
    AUTO(ctl_options) PQconninfoOption *options = NULL;
    AUTO(ctl_link_free) struct ctl_link *l = mem_zalloc(sizeof(*l));
    char timeout[24], text[512];
    int r = ctl_parse("the server", conninfo, &options, err);

    if (r)
        return r;
    const char *theirs = ctl_option(options, "options");
    AUTO(mem_free)
    char *session = mem_printf("%s%s-c statement_timeout=%lld", theirs ? theirs : "",
        theirs ? " " : "", (long long)timeout_ms);
    /* libpq counts in seconds, and takes 1 for 2 */
    snprintf(timeout, sizeof(timeout), "%lld", (long long)(timeout_ms + 999) / 1000);
    l->pg = connect_now(options, timeout, session);
    if (!l->pg || PQstatus(l->pg) != CONNECTION_OK) {
        ctl_one_line(
            l->pg ? PQerrorMessage(l->pg) : "out of memory", text, sizeof(text));
        return err_set(err, -EIO, "%s", text);
    }
    PQsetNoticeReceiver(l->pg, ignore_notice, NULL);
    *out = l;
    l = NULL;
    return 0;
}

static void
forget(struct ctl_link *l)
{
    mem_free(l->rows.cells);
    l->rows = (struct dg_rows){ .n_rows = 0 };
    PQclear(l->result);
    l->result = NULL;
    l->sqlstate[0] = 0;
}

void
ctl_link_free(struct ctl_link *l)
{
    if (!l)
        return;
    forget(l);
    PQfinish(l->pg);
    mem_free(l);
}

static void
take_rows(struct ctl_link *l)
{
    size_t n_cols = (size_t)PQnfields(l->result), n_rows = (size_t)PQntuples(l->result);

    l->rows = (struct dg_rows){ .n_rows = n_rows,
        .n_cols = n_cols,
        .cells = mem_array(n_rows * n_cols + 1, sizeof(char *)) };
    for (size_t i = 0; i < n_rows * n_cols; i++) {
        int row = (int)(i / n_cols), col = (int)(i % n_cols);
        if (!PQgetisnull(l->result, row, col))
            l->rows.cells[i] = PQgetvalue(l->result, row, col);
    }
}

int
ctl_link_run(
    struct ctl_link *l, const char *sql, const struct dg_rows **rows, struct err *err)
{
    char text[512];

    forget(l);
    l->result = PQexec(l->pg, sql);
    ExecStatusType status = PQresultStatus(l->result);
    if (status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY
        || status == PGRES_TUPLES_OK) {
        take_rows(l);
        if (rows)
            *rows = &l->rows;
        return 0;
    }
    const char *state = PQresultErrorField(l->result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(l->result, PG_DIAG_MESSAGE_PRIMARY);
    snprintf(l->sqlstate, sizeof(l->sqlstate), "%s", state ? state : "");
    ctl_one_line(message ? message : PQerrorMessage(l->pg), text, sizeof(text));
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
        snprintf(text, sizeof(text), "COPY can't be used here");
    return err_set(err, -EIO, "%s", text);
}

/* --- step by step ----------------------------------------------------------------------- */

#define FIRST_PAUSE_MS 1
#define LAST_PAUSE_MS  20

/* Waits until the next result is complete. False: the connection is gone. */
static bool
wait_result(struct ctl_link *l, void (*idle)(void *ctx), void *ctx)
{
    int pause = FIRST_PAUSE_MS;

    while (PQisBusy(l->pg)) {
        struct pollfd fd = { .fd = PQsocket(l->pg), .events = POLLIN };
        int n = poll(&fd, 1, idle ? pause : -1);
        if (n == 0) {
            idle(ctx);
            pause = pause < LAST_PAUSE_MS ? pause + 1 : pause;
        } else if (!PQconsumeInput(l->pg)) {
            return false;
        }
    }
    return true;
}

static void
take_error(struct ctl_link *l, PGresult *res, struct ctl_outcome *out)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const char *at = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
    int64_t position = 0;

    if (out->error[0]) { /* the first one counts */
        PQclear(res);
        return;
    }
    snprintf(out->sqlstate, sizeof(out->sqlstate), "%s", state ? state : "");
    ctl_one_line(
        message ? message : PQerrorMessage(l->pg), out->error, sizeof(out->error));
    if (!out->error[0])
        snprintf(out->error, sizeof(out->error), "the server closed the connection");
    out->detail = PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL);
    out->hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
    if (at && str_int64(str_of(at), 1, INT32_MAX, &position) == 0)
        out->position = (int)position;
    PQclear(l->result);
    l->result = res; /* keeps detail and hint */
}

static bool
changes_rows(const char *tag)
{
    static const char *const words[] = { "INSERT", "UPDATE", "DELETE", "MERGE",
        "COPY" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++) {
        if (str_prefix(tag, words[i]))
            return true;
    }
    return false;
}

static void
count_rows(PGresult *res, struct ctl_outcome *out)
{
    int64_t n = 0;

    if (changes_rows(PQcmdStatus(res))
        && str_int64(str_of(PQcmdTuples(res)), 0, INT64_MAX, &n) == 0)
        out->n_rows += n;
}

/* The server waits for data, or sends some. */
static bool
run_copy(struct ctl_link *l, ExecStatusType status, struct str copy)
{
    char *data = NULL;
    int n;

    if (status == PGRES_COPY_IN)
        return (copy.n == 0 || PQputCopyData(l->pg, copy.p, (int)copy.n) == 1)
            && PQputCopyEnd(l->pg, NULL) == 1;
    while ((n = PQgetCopyData(l->pg, &data, 0)) > 0)
        PQfreemem(data);
    return n == -1;
}

int
ctl_link_step(struct ctl_link *l, const char *sql, struct str copy,
    void (*idle)(void *ctx), void *ctx, struct ctl_outcome *out)
{
    PGresult *res = NULL;
    bool is_fine = copy.n <= INT32_MAX;

    forget(l);
    *out = (struct ctl_outcome){ .position = 0 };
    is_fine = is_fine && PQsendQuery(l->pg, sql);
    while (is_fine) {
        is_fine = wait_result(l, idle, ctx);
        res = is_fine ? PQgetResult(l->pg) : NULL;
        if (!res)
            break;
        ExecStatusType status = PQresultStatus(res);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            take_error(l, res, out);
            continue;
        }
        count_rows(res, out);
        PQclear(res);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
            is_fine = run_copy(l, status, copy);
    }
    if (!is_fine && !out->error[0])
        ctl_one_line(PQerrorMessage(l->pg), out->error, sizeof(out->error));
    return out->error[0] ? -EIO : 0;
}

bool
ctl_link_in_tx(const struct ctl_link *l)
{
    PGTransactionStatusType status = PQtransactionStatus(l->pg);

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

int
ctl_link_backend_pid(const struct ctl_link *l)
{
    return PQbackendPID(l->pg);
}

const char *
ctl_link_sqlstate(const struct ctl_link *l)
{
    return l->sqlstate;
}

char *
ctl_link_conninfo(const struct ctl_link *l)
{
    AUTO(ctl_options) PQconninfoOption *options = PQconninfo(l->pg);
    AUTO(buf_deinit) struct buf b = BUF_INIT((size_t)1 << 20);

    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        const char *value = ctl_option(options, o->keyword);
        /* what is ours, and what libpq would take anyhow */
        if (!value || strcmp(o->keyword, "options") == 0
            || strcmp(o->keyword, "client_encoding") == 0
            || (o->compiled && strcmp(o->compiled, value) == 0))
            continue;
        ctl_put_option(&b, o->keyword, value);
    }
    return buf_steal(&b);
}
