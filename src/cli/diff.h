// SPDX-License-Identifier: ISC
/* A unified diff of a text and its edited form. thread: any */
#ifndef DG_CLI_DIFF_H
#define DG_CLI_DIFF_H

#include "base/buf.h"
#include "sql/edit.h"

/* Appends the diff of `text` and what the edits make of it; path: as it is called. */
void diff_put(
    struct buf *out, const char *path, struct str text, const struct sql_edits *edits);

#endif
