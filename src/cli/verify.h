// SPDX-License-Identifier: ISC
/* What `ddlgate verify` finds out about each migration of a source, and the formats that it
 * is written in.
 *
 * After each migration, on a copy of the database, its rollback must give the schema before,
 * once more the migration the schema after; and a second run is tried. A migration fails if
 * it doesn't run, if its rollback doesn't do what it says, or if policy requires a property
 * that it lacks. Most files are not made to run twice: that is told, and no failure unless
 * policy requires it.  thread: one */
#ifndef DG_CLI_VERIFY_H
#define DG_CLI_VERIFY_H

#include "cli/apply.h"
#include "cli/check.h"

enum verify_outcome {
    VERIFY_NOT_DONE,
    VERIFY_IN_BASE, /* the base holds what it made */
    VERIFY_FINE,
    VERIFY_FAILED,  /* the server refused it: run.err */
    VERIFY_CHANGED, /* it ran, and the schema is another than it should be: diff */
};

struct verify_step {
    enum verify_outcome outcome;
    struct apply_result run;
    struct cat *got;      /* owned; the schema after it */
    struct cat_diff diff; /* from what it should be to what it is */
};

struct verify_result {
    const struct hist_set *set;
    const struct hist_migration *m;
    const struct report *findings;
    const struct report_file *file; /* its findings */
    unsigned required, tested;      /* enum hist_tested */
    bool has_rollback;
    struct verify_step apply, rollback, reapply, again;
};

/* Is there anything that somebody has to do something about? Findings count where policy
 * would refuse the migration. */
bool verify_is_failure(const struct verify_result *r);
/* What is required and not so. */
unsigned verify_lacks(const struct verify_result *r);

struct verify_totals {
    size_t n, n_failed, n_not_run, n_in_base;
    size_t n_tested[3];              /* verified, reversible, idempotent */
    size_t n_cases, n_case_failures; /* of JUnit */
};

struct verify_writer {
    const char *name;
    /* A source begins; server: "15.14". */
    void (*source)(struct buf *out, const struct hist_set *set, const char *server);
    void (*migration)(
        struct buf *out, const struct verify_result *r, struct verify_totals *totals);
    void (*source_end)(struct buf *out);
    /* Everything: body is what the others have written. */
    void (*all)(struct buf *out, struct buf *body, const struct verify_totals *totals);
};
const struct verify_writer *verify_writer_find(const char *name); /* NULL: none */
extern const struct verify_writer verify_text, verify_json, verify_junit;

/* --- doing it (verify.c) --- */

struct scratch;

/* Called for each migration in order. */
typedef void (*verify_fn)(void *ctx, const struct verify_result *r);
struct verify_job {
    const struct hist_set *set;
    struct scratch *scratch;
    bool is_private;               /* its server is our own */
    const struct apply_base *base; /* NULL: begin with nothing */
    const struct report *findings;
    size_t first_file;                            /* of the source in findings->files */
    const unsigned *required;                     /* one for each migration */
    void (*begin)(void *ctx, const char *server); /* it works; server: "15.14" */
    void (*progress)(void *ctx, size_t i, const char *what);
    verify_fn done;
    void *ctx;
};
/* 0, or -errno with err when the scratch server can't be used. */
int verify_source(const struct verify_job *job, struct err *err) MUST_CHECK;

#endif
