// SPDX-License-Identifier: ISC
/* How many of something each name has, with a limit: sessions of a database or a user.
 * A name without any costs nothing.  thread: any (one lock inside) */
#ifndef DG_BASE_TALLY_H
#define DG_BASE_TALLY_H

#include "base/base.h"

struct tally;

struct tally *tally_new(void);
void tally_free(struct tally *t); /* NULL is fine */
/* One more for name, unless it has limit of them already (0: no limit). */
bool tally_take(struct tally *t, const char *name, uint64_t limit) MUST_CHECK;
void
tally_give(struct tally *t, const char *name); /* one less; asserts that there is one */
uint64_t tally_count(struct tally *t, const char *name);

#endif
