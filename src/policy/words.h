// SPDX-License-Identifier: ISC
/* Words for people: names as SQL needs them, the nearest known word, messages of one line.
 * thread: any */
#ifndef DG_POLICY_WORDS_H
#define DG_POLICY_WORDS_H

#include "base/mem.h"
#include "sql/facts.h"

/* MESSAGE stands alone in one line under 200 characters; the wire adds statement, rule and
 * request id. */
#define POL_MAX_MESSAGE 110

/* An identifier as it must be written in a statement: bare, or quoted. */
const char *pol_ident(struct arena *a, const char *name);
/* A word of SQL that can name nothing without quotes. */
bool pol_is_reserved(const char *name);
/* schema.name so written; schema may be NULL. */
const char *pol_qualified(struct arena *a, const char *schema, const char *name);
/* Identifiers as a comma list; NULL entries (expressions) become "(...)". */
const char *pol_ident_list(struct arena *a, const char *const *names, size_t n);
/* Joins the parts with `_` to a name the server won't cut (63 bytes at most). */
const char *pol_made_name(struct arena *a, const char *const *parts, size_t n);
/* name_suffix, of which the name is cut if need be; suffix: ASCII, short; in lower case. */
const char *pol_name_with(struct arena *a, const char *name, const char *suffix);
/* "integer" for pg_catalog.int4; type_mods appended. */
const char *pol_type(struct arena *a, const struct sql_column *col);

/* One line of at most POL_MAX_MESSAGE bytes: control bytes become spaces, a longer text is
 * cut at a character boundary and ends in "...". */
const char *pol_line(struct arena *a, const char *text);

/* The entry of list nearest to word if it is near enough to be meant, else NULL. */
const char *pol_nearest(struct str word, const char *const *list, size_t n);

#endif
