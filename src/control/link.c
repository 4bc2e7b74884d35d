// SPDX-License-Identifier: ISC
/* One connection that waits for its answers; see control.h. */
#include "control/conn.h"

#include "base/mem.h"

#include <errno.h>
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
