// SPDX-License-Identifier: ISC
/* unmigrated = capture: what a session changed without a migration is written into a new
 * migration file once the server has committed it.
 *
 * The worker hands over a committed transaction (gate/trail.h); naming, writing and telling
 * happen on the control thread, one transaction after the other. A file is written under
 * another name and linked to its own, which never replaces one that is there. It lies in
 * the source's folder, or in one below it. The running gate reads it at once.
 *
 * The change has happened already: when no file can be made, log and audit say so, and the
 * client gets a warning.
 *
 * Two gates that capture into one folder would both take the next number, each for another
 * change: the folder is locked while a gate captures into it. */
#ifndef DG_APP_CAPTURE_H
#define DG_APP_CAPTURE_H

#include "audit/audit.h"
#include "gate/trail.h"
#include "net/loop.h"

struct capture;

struct capture_ops {
    /* The snapshot (borrowed) with all migration files as they are now; NULL: they can't be
     * read, err says why. thread: control */
    struct gate_snapshot *(*refresh)(void *ctx, struct err *err);
    void *ctx;
};

struct capture *
capture_new(struct net_loop *loop, const struct capture_ops *ops, struct aud *audit);
void capture_free(struct capture *c); /* nothing of it may be queued any more */
/* Locks the folders that a snapshot's policies capture into, and lets go of others. -EBUSY:
 * another gate holds one; what was locked before stays so. thread: control */
int capture_lock(struct capture *c, const struct gate_snapshot *snap, struct err *err)
    MUST_CHECK;
/* A transaction was committed. thread: worker */
void capture_committed(struct capture *c, struct gate_trail *trail);

#endif
