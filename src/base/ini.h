// SPDX-License-Identifier: ISC
/* Reads configuration and policy files: INI through inih, with a line reader in front that
 * makes it strict. Comments only at the start of a line (`;` or `#`); indented lines
 * continue the value of the line before; `%include FILE` (relative to the including file)
 * inserts that file at this place (keys before its first section belong to the section that
 * is open there; keys after an include that had sections need a new section line); over-long lines, section names and values, bytes that
 * are no valid UTF-8 or are control characters, include loops and keys outside a section
 * are errors with file:line. (Debian's inih cuts lines at 199 bytes and section names at
 * 49 without a word.)  thread: any */
#ifndef DG_BASE_INI_H
#define DG_BASE_INI_H

#include "base/err.h"

#define INI_MAX_VALUE   65536 /* bytes of one value, continuation lines joined */
#define INI_MAX_SECTION 128
#define INI_MAX_KEY     128
#define INI_MAX_DEPTH   16 /* files including files */

struct ini_item {
    const char *section; /* "check fk-index" */
    const char *key;     /* NULL when a section begins (also an empty one) */
    const char *value;
    const char *file; /* as opened; valid until ini_read returns */
    int line;
};

/* Calls fn for each section start and each key, in order. A non-zero return of fn stops
 * and is passed on (fn fills err itself, with file:line).
 * A file counts as read only if two readings 100 ms apart agree when `settle` is set
 * (a half-written policy can be valid).
 * Returns 0, -errno, or fn's value. */
int ini_read(const char *path, bool settle,
    int (*fn)(void *ctx, const struct ini_item *item), void *ctx, struct err *err)
    MUST_CHECK;
/* The same over a text in memory; `name` stands for the file in errors and includes. */
int ini_read_text(const char *name, const char *text, size_t n,
    int (*fn)(void *ctx, const struct ini_item *item), void *ctx, struct err *err)
    MUST_CHECK;

#endif
