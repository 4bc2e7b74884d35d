// SPDX-License-Identifier: ISC
/* The digest of a statement while its tokens pass by; nobody outside src/sql needs it.
 * thread: owner's */
#ifndef DG_SQL_DIGEST_H
#define DG_SQL_DIGEST_H

#include "sql/scan.h"

struct sql_digester {
    struct hash_sha256 *hash; /* owned; made when first needed */
    size_t n;
    char pending[512]; /* tokens are short: hashed in bulk */
};

void sql_digester_deinit(struct sql_digester *d);
void sql_digester_add(struct sql_digester *d, const char *text,
    const struct sql_token *tok, bool std_strings);
/* Digest of the tokens added since the last call. */
void sql_digester_end(struct sql_digester *d, struct sql_digest *out);
/* Forgets them. */
void sql_digester_drop(struct sql_digester *d);

static inline void
sql_digester_deinit_p(struct sql_digester *d)
{
    sql_digester_deinit(d);
}

#endif
