// SPDX-License-Identifier: ISC
/* Exceptions that a migration file asks for in its comments:
 *
 *     -- ddlgate: allow drop-column nobody reads it since release 12
 *     ALTER TABLE orders DROP COLUMN note;
 *
 * The comment stands before its statement, inside it, or behind it on the same line;
 * `allow-file` speaks of the whole file. A reason is a must. What it is worth, policy says
 * ([policy] exceptions). Texts of the wire have none: anybody could write one.
 *
 * And known findings: the baseline file of a policy, one line per finding as
 * pol_baseline_line makes it; anything after the third word is for people.
 * thread: the caller's */
#ifndef DG_POLICY_ALLOWS_H
#define DG_POLICY_ALLOWS_H

#include "policy/rules.h"

struct pol_allow {
    const char *rule; /* as written, may be no rule's id */
    bool is_known;
    enum pol_check check; /* if it is known */
    const char *reason;   /* NULL: none */
    bool is_file;
    size_t stmt; /* of the scan; not for is_file */
    int pos;     /* byte offset of the comment */
    bool is_used;
};

struct pol_allows {
    struct pol_allow *items;
    size_t n;
};

/* In the arena. Never NULL. */
struct pol_allows *pol_allows_read(struct arena *a, const struct pol_text *text);
/* The one that speaks of this check at this statement; NULL: none. It counts as used. */
const struct pol_allow *
pol_allows_find(struct pol_allows *l, enum pol_check check, size_t stmt);

/* Reads a baseline file; *out maps each of its lines' first three words, joined by one
 * space, to something. err names file and line. */
int pol_baseline_load(const char *path, struct map **out, struct err *err) MUST_CHECK;

#endif
