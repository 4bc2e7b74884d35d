// SPDX-License-Identifier: ISC
/* Where each migration of a database stands: the files against one reading of its history,
 * under its policy. `ddlgate status` and SHOW MIGRATIONS both show this.  thread: any */
#ifndef DG_APP_STANDING_H
#define DG_APP_STANDING_H

#include "gate/snapshot.h"

/* Strings are borrowed from snapshot and view. */
struct standing {
    const char *database, *source;
    const char *version, *name; /* version NULL: repeatable */
    const char *file;           /* NULL: the history has it, no file does */
    enum dg_migration_state state;
    /* "matches" or "differs" from what the history holds, "none": the tool keeps none;
     * NULL: the history has no row of it */
    const char *checksum;
    const char *refused_by; /* the rule that refuses it when it comes; NULL: none */
    bool is_trouble;        /* somebody has to do something about it */
};

/* Calls fn for each migration of the database in order of application, then for each row
 * of the history without a file. view: of the same snapshot. */
void standing_each(const struct gate_snapshot *snap, const char *database,
    const struct hist_view *view, void (*fn)(void *ctx, const struct standing *s),
    void *ctx);

/* The databases that [databases] names and that have a [migrations] section, one after the
 * other: *pos starts at 0; NULL at the end. */
const char *standing_next_database(const struct gate_snapshot *snap, size_t *pos);

#endif
