// SPDX-License-Identifier: ISC
/* Edits of a text by position: what is put in, what is left out, and the way back from a
 * place in the result to the place in the text. Comments and white space stay as they are.
 * thread: any (immutable once made) */
#ifndef DG_SQL_EDIT_H
#define DG_SQL_EDIT_H

#include "base/mem.h"
#include "base/str.h"

struct sql_edit {
    size_t at;       /* byte offset in the text */
    size_t del;      /* bytes left out from there on */
    const char *put; /* put in instead; "" for nothing; borrowed */
};

struct sql_edits {
    struct sql_edit *items; /* owned; in order of their places, none overlaps another */
    size_t n, cap;
};

enum {
    SQL_EDIT_E_CLASH = 1, /* another edit has the same bytes */
};

/* Adds one. What is put in at the same place stands in the order of adding; the same edit
 * twice is one. 0 or SQL_EDIT_E_CLASH. */
int
sql_edits_add(struct sql_edits *e, size_t at, size_t del, const char *put) MUST_CHECK;
/* Adds all of `more`, or none. */
int sql_edits_merge(struct sql_edits *e, const struct sql_edits *more) MUST_CHECK;
/* A copy whose texts live in the arena. */
void sql_edits_copy(struct sql_edits *to, struct arena *a, const struct sql_edits *e);
void sql_edits_deinit(struct sql_edits *e);

/* The edited text, NUL-terminated; owned by the caller. All edits are within len. */
char *sql_edits_apply(
    const struct sql_edits *e, const char *text, size_t len, size_t *out_len);
/* Where a place of the result stands in the text; for what was put in, where it went. */
size_t sql_edits_back(const struct sql_edits *e, size_t at);

/* Are the tokens of `result` those of `text`, with exactly what the edits put in and leave
 * out? An edit inside a comment or a constant, or one that glues words, is none. */
bool sql_edits_hold(const struct sql_edits *e, struct str text, struct str result,
    bool std_strings) MUST_CHECK;

static inline void
sql_edits_deinit_p(struct sql_edits *e)
{
    sql_edits_deinit(e);
}

#endif
