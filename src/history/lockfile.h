// SPDX-License-Identifier: ISC
/* The lockfile: what a migration tool was seen to run, per migration, as text that people
 * review and compare. Line by line:
 *
 *     ddlgate-lock 1
 *     tool alembic                     whose history table it is (a format's name)
 *     table public.alembic_version     only if it is not the tool's default
 *
 *     migration 1a2b3c4d               its version, as the history table holds it
 *     name create users                optional
 *     sum 9d5cf6...                    optional: the tool's own checksum
 *     up
 *     statement sha256:...             digest of the text below (design part 1)
 *     | CREATE TABLE users (
 *     |   id serial PRIMARY KEY
 *     | )
 *     down                             optional: the rollback, in the same form
 *     statement sha256:...
 *     | DROP TABLE users
 *     chain sha256:...                 of the last chain line (of the first three lines for
 *                                      the first migration) and all lines since
 *
 * Migrations stand in order of application. A text line that holds control bytes begins with
 * `\` instead of `|` and writes them as \r, \xHH, and a backslash as \\. Empty lines and
 * those that begin with # may stand anywhere but between text lines; they are not chained.
 * thread: any */
#ifndef DG_HISTORY_LOCKFILE_H
#define DG_HISTORY_LOCKFILE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* One direction of a migration; the texts hold one statement each. */
struct hist_lock_half {
    const struct str *texts; /* borrowed */
    size_t n;
};

struct hist_lock_migration {
    const char *version;
    const char *name, *checksum; /* NULL: none */
    struct hist_lock_half up, down;
    bool has_down;
};

struct hist_lock {
    const char *tool;  /* format of the history table */
    const char *table; /* NULL: the tool's default */
    const struct hist_lock_migration *migrations;
    size_t n;
};

/* Appends the file's text. The same input gives the same bytes. Returns 0; -EINVAL if a text
 * is not exactly one statement, or a name holds a line end or the tool is not known; -EFBIG
 * if out is full. err names the migration. */
int hist_lock_write(const struct hist_lock *lock, struct buf *out, struct err *err)
    MUST_CHECK;

#endif
