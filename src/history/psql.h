// SPDX-License-Identifier: ISC
/* What psql sends of a file: other files that it runs (\i, \ir) in their place, variables
 * (\set, -v) filled in, \copy as the COPY it becomes, its other commands blanked. What
 * depends on the database, the shell or a condition can't be foreseen and is an error with
 * file:line, in the file where it stands. Internal to history, but for struct hist_sent.
 *
 * A variable is filled in outside of quotes and comments only: `:name` as it is, `:'name'` as
 * a constant, `:"name"` as a name, `:{?name}` as TRUE or FALSE (psql's manual, "Variables").
 * thread: any */
#ifndef DG_HISTORY_PSQL_H
#define DG_HISTORY_PSQL_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "sql/scan.h"

#define HIST_PSQL_MAX_RUNS  1000 /* \i and \ir that one file leads to */
#define HIST_PSQL_MAX_DEPTH 16

/* Where a part of the text comes from. */
struct hist_piece {
    size_t at;     /* first byte in the text */
    size_t file;   /* index in files */
    int line;      /* of that byte */
    bool is_value; /* filled in: all of it stands at that line */
};

/* What is sent, when it isn't the file's own bytes (those may be blanked). */
struct hist_sent {
    const char *text;
    size_t len;
    const char **files; /* paths; the first is the file itself */
    size_t n_files;
    struct hist_piece *pieces; /* in order; the first begins at 0 */
    size_t n_pieces;
};

/* The file that a byte of the text stands in. */
const char *hist_sent_file(const struct hist_sent *s, size_t pos);
/* File and line of a line of the text. */
void
hist_sent_place(const struct hist_sent *s, int text_line, const char **file, int *line);
/* The statements of the text get the lines of their files. */
void hist_sent_lines(const struct hist_sent *s, struct sql_scan *scan);

struct hist_psql {
    const char *folder; /* that all files must stand in; NULL: none may be run */
    const char *const *variables; /* name, value, name, value, ... */
    size_t n_variables;
    /* A variable without a value stays as it stands: the file may not be psql's at all. */
    bool is_lenient;
    size_t max_bytes;
    struct arena *arena; /* for *out */
};

/* p, n: the file's bytes, valid UTF-8, blanked in place where that is enough. *out stays
 * NULL then, else the text is another one, owned by the arena. */
int hist_psql_read(const struct hist_psql *conf, const char *path, char *p, size_t n,
    struct hist_sent **out, struct err *err) MUST_CHECK;

#endif
