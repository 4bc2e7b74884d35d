// SPDX-License-Identifier: ISC
/* Answers "what is applied in this database?" for workers: looks for changed migration
 * files, reads the history table on the gate's own connection, makes a hist_view.
 * thread: control, except historian_ask */
#ifndef DG_APP_HISTORIAN_H
#define DG_APP_HISTORIAN_H

#include "control/control.h"
#include "gate/client.h"

struct historian;

/* Where the historian gets the current snapshot, refreshed if files have changed. */
struct historian_ops {
    struct gate_snapshot *(*current)(void *ctx); /* borrowed */
    void *ctx;
};

struct historian *
historian_new(struct net_loop *loop, const struct historian_ops *ops, int64_t idle_ms);
void historian_free(struct historian *h);
/* thread: any; the ask comes back as a task on its queue */
void historian_ask(struct historian *h, struct gate_history_ask *ask);

/* The same, blocking, for the command line: a view of one database. */
int historian_read(const struct gate_snapshot *snap, const char *database,
    struct hist_view **out, struct err *err) MUST_CHECK;

#endif
