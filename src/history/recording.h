// SPDX-License-Identifier: ISC
/* A lockfile from what a migration tool was seen to run on an empty database: statement by
 * statement as the server committed them, first its migrations, then, if wanted, its
 * rollbacks.
 *
 * Which migration a statement belongs to, the tool itself says by the rows that it writes
 * into its history: what ran since the row before belongs to the one that follows, or to
 * the one before where the tool writes it first. In a transaction with one row everything
 * belongs to it.
 *
 * Kept are schema changes, what maintains and what changes data. Queries, settings, locks
 * and the tool's own tables are not. thread: one */
#ifndef DG_HISTORY_RECORDING_H
#define DG_HISTORY_RECORDING_H

#include "history/history.h"
#include "history/lockfile.h"

struct hist_recording;

/* set: a lockfile's without migrations; it says whose history this is. Takes a reference. */
struct hist_recording *hist_recording_new(struct hist_set *set);
void hist_recording_free(struct hist_recording *r);
CLEANUP_DEFINE(struct hist_recording *, hist_recording_free)

/* A statement that ran. All of it is borrowed. */
struct hist_ran {
    const struct sql_facts *facts; /* the outermost one, then those inside */
    size_t n_facts;
    struct str sql;
    const struct sql_digest *digest;
    const struct hist_bind *binds; /* of a history write */
    size_t n_binds;
    bool is_tracked;   /* a schema change, or SQL's EXECUTE of one */
    bool is_ambiguous; /* it was read without standard_conforming_strings, and would be
                        * another one with it */
};

/* In the order in which they ran. -EINVAL: what ran can't be put into a lockfile; err says
 * why and what to do. */
int hist_recording_add(
    struct hist_recording *r, const struct hist_ran *ran, struct err *err) MUST_CHECK;
/* The transaction of those added last has ended, committed. */
void hist_recording_commit(struct hist_recording *r);
/* From now on the tool rolls back. -EINVAL: schema changes are left that belong to no
 * migration. */
int hist_recording_turn(struct hist_recording *r, struct err *err) MUST_CHECK;

struct hist_recorded {
    size_t n_migrations, n_statements, n_down; /* n_down: migrations with a rollback */
    size_t n_left_out; /* data statements after the last migration */
};

/* Writes the lockfile; table as in struct hist_lock. -EINVAL as above, or nothing was
 * recorded; or what hist_lock_write says. */
int hist_recording_write(struct hist_recording *r, const char *table, struct buf *out,
    struct hist_recorded *stats, struct err *err) MUST_CHECK;

#endif
