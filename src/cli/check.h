// SPDX-License-Identifier: ISC
/* What `ddlgate check` was given to judge: files, folders, standard input, the migration
 * sources of a configuration. Each file is one unit, judged by the code that the gate calls
 * when it loads migrations.  thread: one with SQL_TREE_PARSER_STACK */
#ifndef DG_CLI_CHECK_H
#define DG_CLI_CHECK_H

#include "cli/report.h"
#include "gate/snapshot.h"

struct check_input {
    const char *config;      /* ddlgate.ini; NULL: none */
    const char *database;    /* its policy and source only; NULL: all */
    const char *conninfo;    /* a server to read live facts from; NULL: none */
    bool is_live;            /* read them as the configuration's `control` login */
    const char *policy;      /* instead of the configuration's; NULL: those */
    const char *environment; /* instead of the policies' own; NULL: those */
    const char *stdin_name;  /* what `-` is called */
    bool skips_attested;     /* who makes the attestation doesn't ask for it */
    char **paths;
    size_t n_paths; /* 0 with a configuration: everything its sources hold */
};

struct check;

/* Loads configuration and policies. 0, or -errno with err. */
int
check_new(const struct check_input *in, struct check **out, struct err *err) MUST_CHECK;
void check_free(struct check *c);
CLEANUP_DEFINE(struct check *, check_free)
/* The policy that files outside of every source are judged by; for rule defaults. */
const struct pol *check_policy(const struct check *c);
/* Judges everything into r. What can't be read becomes a report_trouble. */
void check_run(struct check *c, struct report *r);

/* What the configuration loaded; NULL without one. */
const struct gate_snapshot *check_snapshot(const struct check *c);
/* Judges one migration of a source of that snapshot into r, under every policy that it may
 * meet; the bits that they require of it (enum hist_tested) are added to *required. */
void check_migration_of(struct check *c, struct report *r, size_t source,
    size_t migration, unsigned *required);

#endif
