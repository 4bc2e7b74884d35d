// SPDX-License-Identifier: ISC
/* A history that is known from audit records only: what they say of a statement, in words
 * and back, and a set and view made of that, so that policy can be asked again.
 * thread: any; a set belongs to its maker until the first view of it is made */
#ifndef DG_HISTORY_AUDITED_H
#define DG_HISTORY_AUDITED_H

#include "history/history.h"

/* Words beside those of enum hist_match_kind. */
#define HIST_WORD_NONE         "none"
#define HIST_WORD_UNKNOWN      "unknown"      /* the history can't be read */
#define HIST_WORD_UNCONFIGURED "unconfigured" /* no [migrations] for the database */

const char *hist_match_word(enum hist_match_kind kind);
const char *hist_write_word(enum hist_write_verdict verdict);
/* False: no such word. */
bool hist_match_of_word(struct str word, enum hist_match_kind *out);
bool hist_write_of_word(struct str word, enum hist_write_verdict *out);

/* An empty set for the source of this name; starts with a struct ref. */
struct hist_set *hist_recorded_new(const char *source);
/* Adds a migration whose statements are those of text (copied). version: as recorded.
 * words: tracked tables. Parses: needs SQL_TREE_PARSER_STACK. Returns its index. */
size_t hist_recorded_add(struct hist_set *set, const char *version, const char *file,
    bool is_down, const char *text, size_t len, const struct sql_words *words);
/* A reading of the history in which all is pending. edited: file of a migration that was
 * changed since it was applied; missing: a version without a file; NULL: none. */
struct hist_view *
hist_recorded_view(struct hist_set *set, const char *edited, const char *missing);

#endif
