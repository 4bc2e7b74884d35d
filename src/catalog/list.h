// SPDX-License-Identifier: ISC
/* The list as the files of this folder see it; nobody outside includes this. */
#ifndef DG_CATALOG_LIST_H
#define DG_CATALOG_LIST_H

#include "catalog/catalog.h"

/* Strings live in the list's arena. */
struct cat_fact {
    const char *kind, *name;
    const char *parent;   /* the relation or domain it belongs to; NULL: none */
    const char *property; /* "": the object is there */
    const char *value;
};

struct cat {
    struct cat_fact *facts; /* owned; by kind, name, property */
    size_t n;
    struct arena *arena; /* owned */
};

/* By kind and name. */
int cat_object_cmp(const struct cat_fact *a, const struct cat_fact *b);

#endif
