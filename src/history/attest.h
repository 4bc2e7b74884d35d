// SPDX-License-Identifier: ISC
/* The attestation: which migrations of a source were tried out on a scratch database, and
 * what held (`ddlgate verify --attest`). Text that is committed and reviewed like a lockfile,
 * a paragraph for each migration in order of application:
 *
 *     ddlgate-attest 1
 *
 *     migration 002_add_total.sql      its path below the source's folder, or its version
 *                                      where a file holds several
 *     text sha256:...                  digest of the file
 *     rollback sha256:...              of its rollback; only if there is one
 *     tested verified, reversible, idempotent
 *     with PostgreSQL 15.14, ddlgate 0.1.0, 2026-11-28T18:00:00Z
 *     seal sha256:...                  of the lines of the paragraph above
 *
 * The seal makes an edit by hand, or a bad merge, an error with file and line; it proves
 * nothing against somebody who wants to deceive, for which there is the review. Every
 * paragraph has its own, so that two branches that add migrations don't meet in each line.
 * Empty lines and those that begin with # may stand between paragraphs.  thread: any */
#ifndef DG_HISTORY_ATTEST_H
#define DG_HISTORY_ATTEST_H

#include "history/history.h"

enum hist_tested {
    HIST_VERIFIED = 1 << 0, /* it runs after those before it */
    HIST_REVERSIBLE =
        1 << 1, /* its rollback gives the schema before, it runs once more */
    HIST_IDEMPOTENT = 1 << 2, /* run again, it changes nothing */
};
#define HIST_MAX_TESTED 48
/* "verified, idempotent"; "nothing" */
const char *hist_tested_text(unsigned tested, char out[HIST_MAX_TESTED]);
/* A comma list; -EINVAL with *bad, the first word that is none of them. */
int hist_tested_parse(struct str list, unsigned *out, struct str *bad) MUST_CHECK;

struct hist_attested {
    const char *key;
    uint8_t text[HASH_SHA256_SIZE], rollback[HASH_SHA256_SIZE];
    bool has_rollback;
    unsigned tested;  /* enum hist_tested */
    const char *with; /* "PostgreSQL 15.14, ddlgate 0.1.0, 2026-..." */
};

struct hist_attest; /* starts with a struct ref; immutable */

/* A file that does not exist attests nothing. Errors name file and line. */
int hist_attest_load(const char *path, struct hist_attest **out, struct err *err)
    MUST_CHECK;
/* The same of a text; path is for errors. */
int hist_attest_parse(const char *path, struct str text, struct hist_attest **out,
    struct err *err) MUST_CHECK;
/* NULL: nothing is said about it. */
const struct hist_attested *
hist_attest_find(const struct hist_attest *a, const char *key);
/* Appends the file's text. -EFBIG if out is full. */
int hist_attest_write(const struct hist_attested *items, size_t n, struct buf *out)
    MUST_CHECK;

/* What names m in an attestation of its set. */
const char *hist_attest_key(const struct hist_set *set, const struct hist_migration *m);
/* Fills key and digests of what stands there now. */
void hist_attest_describe(const struct hist_set *set, const struct hist_migration *m,
    struct hist_attested *out);

/* Are both about the same texts? */
bool hist_attest_is_same(const struct hist_attested *a, const struct hist_attested *b);

/* What the attestation says about a migration as it is now. */
enum hist_attest_state {
    HIST_ATTEST_UNKNOWN, /* no source, so nobody knows */
    HIST_ATTEST_NONE,
    HIST_ATTEST_OTHER_TEXT, /* the migration or its rollback was changed since */
    HIST_ATTEST_FOUND,
};
struct hist_attest_answer {
    enum hist_attest_state state;
    unsigned tested;
    bool is_repeatable;
    const char *shown;  /* the file, for messages; borrowed */
    const char *source; /* the section's name; borrowed */
};
/* a NULL: HIST_ATTEST_NONE. What is in the source's baseline needs none. */
void hist_attest_ask(const struct hist_attest *a, const struct hist_set *set,
    const struct hist_migration *m, struct hist_attest_answer *out);

#endif
