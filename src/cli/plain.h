// SPDX-License-Identifier: ISC
/* Texts of clients on their way to a terminal. */
#ifndef DG_CLI_PLAIN_H
#define DG_CLI_PLAIN_H

#include "base/buf.h"
#include "base/str.h"

/* Appends s as one row: nothing in it may move the cursor or turn the writing direction,
 * white space is folded. At most max characters, 0: all. Asserts if out is full: it needs
 * up to 8 bytes for each of s. */
void cli_put_plain(struct buf *out, struct str s, size_t max);

#endif
