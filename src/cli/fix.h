// SPDX-License-Identifier: ISC
/* `ddlgate check --fix`: the safe forms that stand by themselves in a file, written into it.
 * Nothing else in the file changes: the edits are those of action = rewrite
 * (policy/rewrite.h), and statements of their own where the file's transactions allow it
 * (VALIDATE CONSTRAINT, SET lock_timeout). The result is read and judged again before it is
 * written.  thread: that of the check */
#ifndef DG_CLI_FIX_H
#define DG_CLI_FIX_H

#include "policy/policy.h"

struct fix {
    bool is_diff;         /* show what would change; write nothing */
    enum dg_action level; /* findings below it are left */
    size_t n_changed;     /* files */
    size_t n_fixed;       /* findings */
    size_t n_trouble;     /* files that could not be read or written */
};

/* One unit of a file. */
struct fix_unit {
    const char *path;
    const struct pol *pol;
    const struct pol_text *text;
    const struct pol_findings *found;
    bool is_no_tx;       /* the tool runs the file outside of a transaction */
    const char *why_not; /* the file may not be changed; NULL: it may */
};

/* Tells on standard error what was fixed, what not and why. */
void fix_run(struct fix *fix, const struct fix_unit *unit);

#endif
