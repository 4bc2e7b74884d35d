// SPDX-License-Identifier: ISC
/* Scratch databases for the command line: empty ones that are thrown away, on a private
 * PostgreSQL that is started for this run and listens on a unix socket only its user can
 * reach, or on a server that the caller names.
 *
 * Nothing stays behind, whatever ends this process (SIGKILL too): a keeper process of our
 * own waits for our end, then stops the server and removes its folder, or drops the
 * databases. thread: one; open it before the process has others (it forks). */
#ifndef DG_SCRATCH_SCRATCH_H
#define DG_SCRATCH_SCRATCH_H

#include "base/err.h"

struct scratch;

struct scratch_opts {
    const char *server; /* conninfo of a server to use; NULL: a private one */
    const char *pg_bin; /* folder of initdb and postgres; NULL: looked for */
    const char
        *dbname; /* of the first database of a private server; NULL: a name of ours.
                         * On a server of the caller's, names are always ours. */
    int64_t timeout_ms; /* for starting it, and for each statement; 0: a minute */
};

/* Starts or reaches the server; no database is made yet. Variables of libpq that would lead
 * connections to a private server astray are taken out of our environment. 0, or -errno with err, which says
 * what to install or which option to give. */
int scratch_open(const struct scratch_opts *opts, struct scratch **out, struct err *err)
    MUST_CHECK;
/* Makes an empty database (a copy of template0), owned by the user of its conninfo, which
 * is lent until scratch_close and may hold a password. */
int scratch_new_database(struct scratch *s, const char **conninfo, struct err *err)
    MUST_CHECK;
/* The same as a copy of another one that nobody is connected to. *copy NULL: a new database;
 * else one that this function gave before, which is dropped and made anew. */
int scratch_copy_database(
    struct scratch *s, const char *from, const char **copy, struct err *err) MUST_CHECK;
/* A folder for files of our own, which goes away with everything else. */
const char *scratch_folder(const struct scratch *s);
/* Takes one away before its time; its conninfo stays good for scratch_copy_database. */
int scratch_drop_database(struct scratch *s, const char *conninfo, struct err *err)
    MUST_CHECK;
/* Ends and removes everything; NULL is none. -EIO with err when something is left over. */
int scratch_close(struct scratch *s, struct err *err);
/* The same where nobody can be told. */
void scratch_free(struct scratch *s);
CLEANUP_DEFINE(struct scratch *, scratch_free)

#endif
