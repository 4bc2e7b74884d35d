// SPDX-License-Identifier: ISC
/* Reference counts, and a cell that publishes one immutable object to many threads. */
#ifndef DG_BASE_CELL_H
#define DG_BASE_CELL_H

#include "base/base.h"

#include <stdatomic.h>

/* First member of an object that many threads hold. */
struct ref {
    atomic_uint n;
    void (*free)(struct ref *ref);
};

void ref_init(struct ref *r, void (*free_fn)(struct ref *)); /* count is 1 */
void *ref_take(void *obj); /* obj starts with a struct ref; returns it; NULL is fine */
void ref_drop(void *obj);  /* NULL is fine */

/* A published pointer: swap on one thread, get on any. */
struct cell;
struct cell *cell_new(void *obj);          /* takes over the reference */
void cell_swap(struct cell *c, void *obj); /* takes over; drops the old one */
void *cell_get(struct cell *c);            /* a new reference, to be dropped */
void cell_free(struct cell *c);

#endif
