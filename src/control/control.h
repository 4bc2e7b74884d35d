// SPDX-License-Identifier: ISC
/* The gate's own connections to PostgreSQL: libpq, asynchronous, driven by a net loop; one
 * connection per database, opened when first needed, closed after idle_ms. Queries of one
 * connection run one after the other; each request has a time limit. Every connection runs
 * with search_path = '', lock_timeout = 200 ms, statement_timeout = the request's limit,
 * default_transaction_read_only = on (not with CTL_PROBE), row_security = off (a table that
 * would hide rows from the gate is an error).   thread: control */
#ifndef DG_CONTROL_CONTROL_H
#define DG_CONTROL_CONTROL_H

#include "base/err.h"
#include "base/str.h"
#include "ddlgate/rows.h"
#include "net/loop.h"

struct ctl;

enum ctl_use {
    CTL_READ,
    CTL_LIVE, /* as the server's settings leave the search_path; each request sets '' */
    CTL_PROBE, /* libpq itself looks at read-only for target_session_attrs: not ours to set */
};
struct ctl *ctl_new(struct net_loop *loop, enum ctl_use use, int64_t idle_ms);
void ctl_free(struct ctl *c); /* pending requests end with an error first */

struct ctl_result {
    const struct dg_rows *rows; /* NULL on error; borrowed */
    char sqlstate[6];           /* of the server's error; "" if the connection failed */
    const char *error;          /* one line, NULL if fine */
    /* Of the server that answered, among those that conninfo lists; borrowed, NULL on error */
    const char *host, *hostaddr, *port;
};

typedef void (*ctl_done_fn)(void *ctx, const struct ctl_result *res);

/* Runs sql (statements that only read; the last one's rows count) on a connection made with
 * conninfo (a libpq string, the key of the pool; it may hold a password and is never
 * logged). timeout_ms covers waiting, connecting and running. done is called exactly once,
 * on this thread, never from within this call; it may call ctl_query, not ctl_free. Host
 * names are resolved with blocking calls, so addresses are better. */
void ctl_query(struct ctl *c, const char *conninfo, const char *sql, int64_t timeout_ms,
    ctl_done_fn done, void *ctx);

/* Puts value as a constant in place of every $1 of sql; owned by the caller. -EINVAL if it
 * is no valid UTF-8 (the connection's encoding), where quoting could be got around. */
int
ctl_bind(const char *sql, const char *value, char **out, struct err *err) MUST_CHECK;

/* Builds the conninfo: upstream's host and port (a libpq string) overlaid by control's user,
 * passfile, ...; the database is upstream's, else dbname (NULL: libpq's default), never
 * control's. Owned by the caller. -EINVAL when libpq can't read one of them. */
int ctl_conninfo(const char *upstream, const char *dbname, const char *control,
    char **out, struct err *err) MUST_CHECK;

/* Blocking form for the command line. rows owned by the caller: ctl_rows_free. */
int ctl_query_wait(const char *conninfo, const char *sql, int64_t timeout_ms,
    struct dg_rows **rows, struct err *err) MUST_CHECK;
/* The same on a connection for this use. */
int ctl_query_wait_as(enum ctl_use use, const char *conninfo, const char *sql,
    int64_t timeout_ms, struct dg_rows **rows, struct err *err) MUST_CHECK;
void ctl_rows_free(struct dg_rows *rows);

/* One connection that waits for its answers and may write: for the command line, which
 * makes and drops databases. conninfo's own options count; timeout_ms is for connecting
 * (in whole seconds, at least 2) and for each statement. -EIO with err: one line. */
struct ctl_link;
int ctl_link_open(const char *conninfo, int64_t timeout_ms, struct ctl_link **out,
    struct err *err) MUST_CHECK;
void ctl_link_free(struct ctl_link *l);
CLEANUP_DEFINE(struct ctl_link *, ctl_link_free)
/* Sends sql as one Query message. *rows (may be NULL) is the last result, borrowed until
 * the next call. */
int ctl_link_run(struct ctl_link *l, const char *sql, const struct dg_rows **rows,
    struct err *err) MUST_CHECK;
/* SQLSTATE of the last run's error, "" if it was none of the server's. */
const char *ctl_link_sqlstate(const struct ctl_link *l);
/* One statement and what came of it; strings are borrowed until the next call. */
struct ctl_outcome {
    char sqlstate[6];          /* "": it went well, or the connection failed */
    char error[1024];          /* one line, "" if it went well */
    const char *detail, *hint; /* of the server's error; NULL: none */
    int position;              /* in characters of the text, from 1; 0: unknown */
    int64_t n_rows;            /* that it inserted, updated, deleted, copied; else 0 */
};
/* Sends sql as one Query message; copy is what a COPY FROM STDIN in it reads. While the
 * server works, `idle` (may be NULL) is called every few milliseconds; it may use other
 * links. Results are thrown away. 0 or -EIO with out filled. */
int ctl_link_step(struct ctl_link *l, const char *sql, struct str copy,
    void (*idle)(void *ctx), void *ctx, struct ctl_outcome *out) MUST_CHECK;
/* Is a transaction block open? A failed one counts. */
bool ctl_link_in_tx(const struct ctl_link *l);
int ctl_link_backend_pid(const struct ctl_link *l);
/* How it was connected: everything that conninfo, environment, service and password files
 * gave, as one conninfo. Holds the password. Owned by the caller. */
char *ctl_link_conninfo(const struct ctl_link *l);
/* conninfo with another value for a keyword, owned by the caller. NULL: can't be read. */
char *ctl_conninfo_with(const char *conninfo, const char *keyword, const char *value);

#endif
