// SPDX-License-Identifier: ISC
/* Drift: the live schema against the one that the applied migrations make, built anew on a
 * scratch database.  thread: one; blocks */
#ifndef DG_CLI_DRIFT_H
#define DG_CLI_DRIFT_H

#include "cli/apply.h"
#include "gate/snapshot.h"
#include "scratch/scratch.h"

#define DRIFT_MAX_NOTES 4

struct drift {
    struct cat *files, *live; /* owned */
    struct cat_diff diff;     /* from what the files make to what is there */
    size_t n_applied;         /* migrations that were run for it */
    /* why the difference may say less, or more, than it seems; owned */
    char *notes[DRIFT_MAX_NOTES];
    size_t n_notes;
};

/* view: what is applied there. base: the schema of the source's baseline; NULL: none.
 * is_private: the scratch server is our own, so that roles can
 * be made on it. -errno with err: the live schema can't be read, or the files don't make
 * one. out is to be freed with drift_deinit in any case. */
int drift_find(const struct gate_snapshot *snap, const char *database,
    const struct hist_view *view, const struct apply_base *base,
    struct scratch *scratch, bool is_private, struct drift *out, struct err *err)
    MUST_CHECK;
void drift_deinit(struct drift *d);
static inline void
drift_deinit_p(struct drift *d)
{
    drift_deinit(d);
}

#endif
