// SPDX-License-Identifier: ISC
/* A byte buffer with a hard maximum from birth: consumed at the front, filled at the back.
 * Appending past the maximum fails (BUF_E_FULL), or when memory is out (-ENOMEM), and
 * leaves the buffer as it was. Appending may move the bytes; consuming never does.
 * Public struct so that it can be embedded; fields are read only outside.  thread: owner's */
#ifndef DG_BASE_BUF_H
#define DG_BASE_BUF_H

#include "base/base.h"

struct buf {
    char *data;  /* owned; NULL while nothing was ever added */
    size_t head; /* first unread byte */
    size_t tail; /* one past the last byte */
    size_t cap;
    size_t max;     /* bytes it may hold */
    bool is_secret; /* set once, before use: memory is wiped before it is given back */
};

enum {
    BUF_E_FULL = 1,
};

#define BUF_INIT(max_bytes) \
    {                       \
        .max = (max_bytes)  \
    }

void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b); /* frees the memory, the struct can be used again */
void buf_reset(struct buf *b);  /* empties it, keeps the memory */
int buf_reserve(struct buf *b, size_t n) MUST_CHECK; /* room for n more bytes at tail */
int buf_add(struct buf *b, const void *p, size_t n) MUST_CHECK;
int buf_addstr(struct buf *b, const char *s) MUST_CHECK;
int buf_addc(struct buf *b, char c) MUST_CHECK;
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
void buf_consume(struct buf *b, size_t n); /* drops n unread bytes from the front */
/* Terminates with a NUL that is not counted; panics only if memory is out. */
const char *buf_cstr(struct buf *b);
/* Hands the memory over as a NUL-terminated string; the buffer is empty after. */
char *buf_steal(struct buf *b);

static inline size_t
buf_len(const struct buf *b)
{
    return b->tail - b->head;
}

static inline const char *
buf_ptr(const struct buf *b)
{
    return b->data + b->head;
}

static inline void
buf_deinit_p(struct buf *b)
{
    buf_deinit(b);
}

/* Text that we compose ourselves and whose size we bound: asserts instead of failing. */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
