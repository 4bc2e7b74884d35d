// SPDX-License-Identifier: ISC
/* From the query's rows to a sorted list. Bytes decide the order, not a collation, so that
 * it is the same on every server. */
#include "catalog/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define N_COLUMNS 5

static int
by_place(const void *a, const void *b)
{
    const struct cat_fact *x = a, *y = b;
    int c = cat_object_cmp(x, y);

    return c ? c : strcmp(x->property, y->property);
}

int
cat_object_cmp(const struct cat_fact *a, const struct cat_fact *b)
{
    int c = strcmp(a->kind, b->kind);

    return c ? c : strcmp(a->name, b->name);
}

static const char *
copy(struct cat *c, const struct dg_rows *rows, size_t row, size_t col)
{
    const char *s = dg_cell(rows, row, col);

    return arena_strdup(c->arena, s ? s : "");
}

int
cat_new(const struct dg_rows *rows, struct cat **out, struct err *err)
{
    if (rows->n_rows && rows->n_cols != N_COLUMNS)
        return err_set(err, -EINVAL, "the catalogue's answer has %zu columns, not %d",
            rows->n_cols, N_COLUMNS);
    struct cat *c = mem_zalloc(sizeof(*c));
    c->arena = arena_new();
    c->facts = mem_array(rows->n_rows + 1, sizeof(*c->facts));
    c->n = rows->n_rows;
    for (size_t i = 0; i < c->n; i++) {
        const char *parent = dg_cell(rows, i, 2);
        c->facts[i] = (struct cat_fact){ .kind = copy(c, rows, i, 0),
            .name = copy(c, rows, i, 1),
            .parent = arena_strdup(c->arena, parent),
            .property = copy(c, rows, i, 3),
            .value = copy(c, rows, i, 4) };
    }
    qsort(c->facts, c->n, sizeof(*c->facts), by_place);
    *out = c;
    return 0;
}

void
cat_free(struct cat *c)
{
    if (!c)
        return;
    mem_free(c->facts);
    arena_free(c->arena);
    mem_free(c);
}

size_t
cat_n(const struct cat *c)
{
    return c->n;
}
