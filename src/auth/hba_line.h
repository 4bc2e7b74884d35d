// SPDX-License-Identifier: ISC
/* The lines of a pg_hba.conf as PostgreSQL cuts them up: fields with blanks between, each a
 * list of tokens with commas between; double quotes, comments, and a backslash at a line's
 * end that joins it with the next. Private to auth.  thread: any */
#ifndef DG_AUTH_HBA_LINE_H
#define DG_AUTH_HBA_LINE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct hba_token {
    const char *text;
    bool is_quoted; /* begins with a quote: no keyword */
};

struct hba_field {
    struct hba_token *tokens;
    size_t n; /* at least 1 */
};

struct hba_line {
    int line; /* where it begins */
    struct hba_field *fields;
    size_t n; /* at least 1 */
};

struct hba_reader {
    const char *path;
    struct str rest;
    int line; /* lines read so far */
};

enum {
    HBA_END = 1,
};

/* The next line that has fields; they live in the arena. 0, HBA_END, or -EINVAL. */
int hba_next_line(struct hba_reader *r, struct arena *arena, struct hba_line *out,
    struct err *err) MUST_CHECK;

/* Not quoted, and this word. */
bool hba_is_keyword(const struct hba_token *t, const char *word);

#endif
