// SPDX-License-Identifier: ISC
/* Everything a decision reads that comes from files: configuration, policies, migrations,
 * and each migration judged whole, once somebody asks (units.h). One object that says the
 * same to everybody for as long as it lives, swapped at a reload; the wire, `check`,
 * `explain` and `status` build it with the same code.  thread: any once built */
#ifndef DG_GATE_SNAPSHOT_H
#define DG_GATE_SNAPSHOT_H

#include "base/cell.h"
#include "config/config.h"
#include "gate/units.h"
#include "history/history.h"
#include "policy/policy.h"

struct gate_source {
    const struct cfg_migrations *cfg; /* borrowed from snapshot->cfg */
    struct hist_set *set;             /* owned reference */
    struct hist_attest *attest;       /* owned reference */
    uint8_t stamp[HASH_SHA256_SIZE]; /* of folder and attestation when they were read */
};

struct gate_policy {
    const char *path;
    struct pol *pol; /* owned reference */
};

struct gate_snapshot {
    struct ref ref;
    struct cfg *cfg; /* owned reference */
    struct gate_policy *policies;
    size_t n_policies;
    struct gate_source *sources; /* one per [migrations] section, in its order */
    size_t n_sources;
    struct gate_units *units; /* policies x sources, row by row */
    struct sql_words *words;  /* all history tables' names */
};

/* What holds for one database as a client names it. */
struct gate_target {
    const struct cfg_database *database; /* NULL: no such database */
    const struct pol *policy;
    const struct gate_source *source; /* NULL: no [migrations] for it */
    const struct gate_units *units;   /* NULL likewise */
};

/* Loads policies and migrations of cfg (takes its own reference). */
int gate_snapshot_new(struct cfg *cfg, bool settle, struct gate_snapshot **out,
    struct err *err) MUST_CHECK;
/* The same cfg and policies with the migration folders that changed read again.
 * GATE_E_UNCHANGED when none did. */
enum {
    GATE_E_UNCHANGED = 1,
};
int gate_snapshot_refresh(
    struct gate_snapshot *old, struct gate_snapshot **out, struct err *err) MUST_CHECK;
struct gate_target
gate_snapshot_find(const struct gate_snapshot *s, const char *database);

#endif
