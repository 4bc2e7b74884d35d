// SPDX-License-Identifier: ISC
/* Runs migrations on a scratch database in their tool's place: in a transaction or not, as
 * the tool would, statement by statement, so that an error has a line. Meanwhile a second
 * connection looks at what the first one locks. Roles that files only mention are made, since
 * clusters have them and migrations don't.  thread: one; blocks */
#ifndef DG_CLI_APPLY_H
#define DG_CLI_APPLY_H

#include "catalog/catalog.h"
#include "history/history.h"

struct apply_lock {
    const char *table; /* one that was there before */
    const char *mode;  /* the strictest: "ACCESS EXCLUSIVE" */
};

/* What came of one migration. Strings and lists live in the arena. */
struct apply_result {
    bool is_ok;
    struct err err;            /* "file:line: the server's message (SQLSTATE)" */
    const char *detail, *hint; /* of the server; NULL: none */
    int line;                  /* of the error */
    int64_t us, n_rows;
    struct apply_lock *locks; /* strictest first */
    size_t n_locks;
    const char **rewritten; /* tables whose storage is a new one */
    size_t n_rewritten;
    const char **roles; /* made because a statement named them */
    size_t n_roles;
    struct arena *arena; /* owned */
};

/* Where migrations of a source are run. */
struct apply_place {
    const struct hist_set *set;
    const char *conninfo;
    /* Nobody else's server: a role that a statement names and nobody has made is made. */
    bool is_private;
};

void apply_result_deinit(struct apply_result *r);

/* Makes what the tool would have made before its first migration. */
int apply_begin(const struct apply_place *at, struct err *err) MUST_CHECK;
/* The schema of a baseline: a file such as `pg_dump --schema-only` writes, run like a
 * migration before all others. */
struct apply_base;
int
apply_base_load(const char *path, struct apply_base **out, struct err *err) MUST_CHECK;
void apply_base_free(struct apply_base *b);
CLEANUP_DEFINE(struct apply_base *, apply_base_free)
/* -EINVAL with "file:line: ..." if it doesn't run. b NULL: nothing is done. */
int apply_base_run(const struct apply_base *b, const struct apply_place *at,
    struct err *err) MUST_CHECK;
/* Empties the history table, as the tool would take rows back with a rollback. */
int apply_forget(const struct apply_place *at, struct err *err) MUST_CHECK;
/* Runs one; nobody is connected after. 0 with out filled, whether it ran or failed; -errno
 * with err when the server can't be used, and out is to be freed all the same. */
int apply_run(const struct apply_place *at, const struct hist_migration *m,
    struct apply_result *out, struct err *err) MUST_CHECK;
/* The schema as it is now, without the tool's own tables. */
int apply_snapshot(const struct apply_place *at, bool has_owners, struct cat **out,
    struct err *err) MUST_CHECK;
/* The query of apply_snapshot, for other connections. */
void apply_snapshot_query(const struct hist_set *set, bool has_owners, struct buf *sql);
/* Appends "name" with quotes. */
void apply_put_ident(struct buf *out, const char *name);

#endif
