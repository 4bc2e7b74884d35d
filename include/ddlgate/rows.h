// SPDX-License-Identifier: ISC
/* A query result as text, as it travels from control to history. */
#ifndef DG_ROWS_H
#define DG_ROWS_H

#include <stdbool.h>
#include <stddef.h>

struct dg_rows {
    size_t n_rows, n_cols;
    char **cells; /* row by row; NULL is SQL's null; owned by whoever made it */
};

static inline const char *
dg_cell(const struct dg_rows *r, size_t row, size_t col)
{
    return r->cells[row * r->n_cols + col];
}

#endif
