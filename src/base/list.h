// SPDX-License-Identifier: ISC
/* Intrusive doubly linked list that knows its length.  thread: owner's */
#ifndef DG_BASE_LIST_H
#define DG_BASE_LIST_H

#include "base/base.h"

struct list_node {
    struct list_node *prev, *next; /* NULL while not linked */
};

struct list {
    struct list_node head;
    size_t n;
};

static inline void
list_init(struct list *l)
{
    l->head.prev = l->head.next = &l->head;
    l->n = 0;
}

static inline void
list_append(struct list *l, struct list_node *node)
{
    DG_ASSERT(!node->next, "node is in a list already");
    node->prev = l->head.prev;
    node->next = &l->head;
    node->prev->next = node;
    l->head.prev = node;
    l->n++;
}

static inline void
list_remove(struct list *l, struct list_node *node)
{
    DG_ASSERT(node->next && node->prev && l->n > 0, "node is in no list");
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
    l->n--;
}

static inline struct list_node *
list_first(struct list *l)
{
    return l->n ? l->head.next : NULL;
}

#define LIST_ENTRY(node, type, member) \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* The current node may be removed by the _safe form. */
#define list_for_each(l, it) \
    for (struct list_node *it = (l)->head.next; it != &(l)->head; it = it->next)
#define list_for_each_safe(l, it)                                      \
    for (struct list_node *it = (l)->head.next, *it##_next = it->next; \
         it != &(l)->head; it = it##_next, it##_next = it->next)

#endif
