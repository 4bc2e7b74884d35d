// SPDX-License-Identifier: ISC
/* Runs a command that migrates a scratch database, behind a gate of our own process that
 * refuses nothing and keeps what was committed. The command finds the gate by DATABASE_URL
 * and PGHOST, PGPORT, ..., and by {url}, {host}, {port}, {user}, {password}, {dbname} in
 * its words. thread: the main one; each run has worker threads of its own */
#ifndef DG_CLI_REHEARSAL_H
#define DG_CLI_REHEARSAL_H

#include "base/err.h"
#include "gate/trail.h"
#include "history/recording.h"

struct rehearsal;

struct rehearsal_opts {
    const char *conninfo; /* of the scratch database */
    const char *folder;   /* for the gate's files; exists */
    const char
        *table; /* a history table beside those that tools have by default, or NULL */
};

int rehearsal_new(const struct rehearsal_opts *opts, struct rehearsal **out,
    struct err *err) MUST_CHECK;
void rehearsal_free(struct rehearsal *r);
CLEANUP_DEFINE(struct rehearsal *, rehearsal_free)

enum {
    REHEARSAL_E_FAILED =
        1, /* the command failed, or did not use the gate; err says how */
};
/* Runs argv to its end. SIGINT and SIGTERM end the command, too. 0, -errno or
 * REHEARSAL_E_FAILED. May be called again: what ran adds up. */
int rehearsal_run(struct rehearsal *r, char *const *argv, struct err *err) MUST_CHECK;

/* The tool whose history was written: an empty set of it. format: only that one; NULL: any;
 * hint: which one where two look alike; NULL: none. 0, -errno, or REHEARSAL_E_FAILED: none
 * was, or it can't be told (err says what to do). Owned by the caller: ref_drop. */
int rehearsal_tool(struct rehearsal *r, const char *format, const char *hint,
    struct hist_set **out, struct err *err) MUST_CHECK;
/* Gives what ran since the last call to a recording. -EINVAL as there. */
int rehearsal_feed(struct rehearsal *r, struct hist_recording *rec, struct err *err)
    MUST_CHECK;

#endif
