// SPDX-License-Identifier: ISC
/* The process that outlives us by a moment: it runs the private server as its child, or
 * knows the databases that we made, and cleans up when its socket to us closes.
 *
 * We write one byte for each database before we make it. It writes the text of an error
 * when the server can't start or ends by itself, and ends then. Its exit status is 0 when
 * nothing is left over. Private to scratch. */
#ifndef DG_SCRATCH_KEEPER_H
#define DG_SCRATCH_KEEPER_H

#include "base/err.h"

#include <sys/types.h>

struct keeper_job {
    const char *folder; /* exists and is empty; removed at the end */
    const char *bin;    /* a private server in it: where the programs are */
    uid_t uid;          /* of the server's process; 0: ours (we are not root) */
    gid_t gid;
    /* Or a server of the caller's: its conninfo, and what our databases' names begin with. */
    const char *server, *prefix;
};

/* Forks. *fd is our end of the socket, owned by the caller. 0 or -errno with err. */
int keeper_start(const struct keeper_job *job, pid_t *pid, int *fd, struct err *err)
    MUST_CHECK;
/* "prefix", "prefix_2", ...: the n-th database, from 1. */
void keeper_name(const char *prefix, unsigned n, char *out, size_t size);

#endif
