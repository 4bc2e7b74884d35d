// SPDX-License-Identifier: ISC
/* From statements that ran to a new migration file: in the source's own naming and
 * template, with the statements that undo them as far as their facts alone tell.
 *
 * Pure: nothing is read or written, a set and statements in, names and texts out. Whether a
 * statement can be written at all is known before it runs (hist_capture_fault), so that the
 * gate can refuse what it could not put into a file.
 *
 * The database in which the statements ran has them already, and no history row: there the
 * file counts as pending. So statements are written in a form that may run twice where
 * PostgreSQL has one (IF NOT EXISTS, IF EXISTS, OR REPLACE), and the file says which can't.
 * thread: any */
#ifndef DG_HISTORY_CAPTURE_H
#define DG_HISTORY_CAPTURE_H

#include "history/history.h"

/* One statement as it ran. */
struct hist_captured {
    const char *sql; /* the statement alone; need not be terminated */
    size_t len;
    size_t base; /* where it stands in the text that its facts' positions mean */
    bool std_strings;
    const struct sql_facts *facts; /* of the statement, the outermost one first */
    size_t n_facts;
    const char *search_path; /* as the session had set it; NULL: not set */
    bool is_path_unknown;
    int server_version; /* 150003; 0: not known */
    const char *again;  /* what hist_again made of it; NULL: nothing, or not asked */
};

/* --- reverse.c ------------------------------------------------------------------------ */

enum hist_undo {
    HIST_UNDO_WHOLE,   /* *out undoes the statement */
    HIST_UNDO_NOTHING, /* there is nothing to undo */
    HIST_UNDO_PART,    /* *out undoes a part of it; *why tells what is left */
    HIST_UNDO_MAYBE,   /* *out would undo it, if ...; *why tells */
    HIST_UNDO_NONE,    /* *why tells */
};
/* The statement that undoes c, without `;`, by what its facts say and nothing else. *out
 * and *why are static or in the arena. */
enum hist_undo hist_reverse(
    const struct hist_captured *c, struct arena *a, const char **out, const char **why);

/* --- again.c -------------------------------------------------------------------------- */

/* The statement in a form that does no harm where it has run already. NULL: there is none.
 * Parses what it made: needs SQL_TREE_WORKER_STACK. */
const char *hist_again(const struct hist_captured *c, struct arena *a);

/* --- template.c ------------------------------------------------------------------------ */

/* Can files be made for this source? 0, or -ENOTSUP with err: why not, what to do. */
int hist_capture_format(const struct hist_set *set, struct err *err) MUST_CHECK;
/* Can this statement be put into a file of the set? 0, or -EINVAL with err: a sentence
 * without a full stop. */
int hist_capture_fault(const struct hist_set *set, const struct hist_captured *c,
    struct err *err) MUST_CHECK;

/* The file that a transaction would get whose first change is f, as clients read it:
 * "db/migrations/V13__create_table_a.sql"; "" if none can be made. */
void hist_capture_path(
    const struct hist_set *set, const struct sql_facts *f, char *out, size_t size);

#define HIST_CAPTURE_MAX_FILES 3

struct hist_capture {
    const struct hist_captured
        *items; /* in the order in which they ran, at least one */
    size_t n;
    /* For the comment that heads the file. */
    const char *role, *database;
    int64_t at_us;
};

struct hist_new_files {
    /* In the order of writing: with the last one the migration is there. Paths are below
     * the source's folder; they may name one new folder. Strings in the arena. */
    struct {
        const char *path, *text;
        size_t len;
    } items[HIST_CAPTURE_MAX_FILES];
    size_t n;
    const char *name; /* of the last one */
    size_t n_once;    /* statements that can't run twice */
    size_t n_stuck;   /* statements that nothing in the files undoes */
};
/* Makes the files. 0 or -EINVAL with err. */
int hist_capture_render(const struct hist_set *set, const struct hist_capture *cap,
    struct arena *a, struct hist_new_files *out, struct err *err) MUST_CHECK;

#endif
