// SPDX-License-Identifier: ISC
/* What has changed between two lockfiles, for people: one line per migration. */
#ifndef DG_CLI_LOCKDIFF_H
#define DG_CLI_LOCKDIFF_H

#include "history/history.h"

/* Appends lines like "  + 0004_add_note: new, 2 statements". old NULL: there was none. Texts
 * are made fit for a terminal. */
void
lockdiff(const struct hist_set *old, const struct hist_set *fresh, struct buf *out);

#endif
