// SPDX-License-Identifier: ISC
/* The gate's own connections to PostgreSQL: libpq, asynchronous, driven by a net loop; one
 * connection per database, opened when first needed, closed after idle_ms. Queries of one
 * connection run one after the other; each request has a time limit. Every connection runs
 * with search_path = '', lock_timeout = 200 ms, statement_timeout = the request's limit,
 * default_transaction_read_only = on, row_security = off (a table that would hide rows from
 * the gate is an error).   thread: control */
#ifndef DG_CONTROL_CONTROL_H
#define DG_CONTROL_CONTROL_H

#include "base/err.h"
#include "ddlgate/rows.h"
#include "net/loop.h"

struct ctl;

struct ctl *ctl_new(struct net_loop *loop, int64_t idle_ms);
void ctl_free(struct ctl *c); /* pending requests end with an error first */

struct ctl_result {
    const struct dg_rows *rows; /* NULL on error; borrowed */
    char sqlstate[6];           /* of the server's error; "" if the connection failed */
    const char *error;          /* one line, NULL if fine */
};

typedef void (*ctl_done_fn)(void *ctx, const struct ctl_result *res);

/* Runs sql (statements that only read; the last one's rows count) on a connection made with
 * conninfo (a libpq string, the key of the pool; it may hold a password and is never
 * logged). timeout_ms covers waiting, connecting and running. done is called exactly once,
 * on this thread, never from within this call; it may call ctl_query, not ctl_free. Host
 * names are resolved with blocking calls, so addresses are better. */
void ctl_query(struct ctl *c, const char *conninfo, const char *sql, int64_t timeout_ms,
    ctl_done_fn done, void *ctx);

/* Builds the conninfo: upstream's host and port (a libpq string) overlaid by control's user,
 * passfile, ...; the database is upstream's, else dbname (NULL: libpq's default), never
 * control's. Owned by the caller. -EINVAL when libpq can't read one of them. */
int ctl_conninfo(const char *upstream, const char *dbname, const char *control,
    char **out, struct err *err) MUST_CHECK;

/* Reads a libpq string into host (its hostaddr if given), port, dbname (owned, NULL if not
 * given), for the session's own connections. */
struct ctl_target {
    char *host;
    char *port;
    char *dbname;
};
int ctl_target_parse(const char *conninfo, struct ctl_target *out, struct err *err)
    MUST_CHECK;
void ctl_target_deinit(struct ctl_target *t);

/* Blocking form for the command line. rows owned by the caller: ctl_rows_free. */
int ctl_query_wait(const char *conninfo, const char *sql, int64_t timeout_ms,
    struct dg_rows **rows, struct err *err) MUST_CHECK;
void ctl_rows_free(struct dg_rows *rows);

#endif
