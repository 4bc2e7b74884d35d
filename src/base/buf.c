// SPDX-License-Identifier: ISC
/* The bounded byte buffer; see buf.h. Layout: data[head, tail) is unread, the rest of
 * cap is room. cap may exceed max by the byte of a terminating NUL. */
#include "base/buf.h"

#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BUF_CAP_MIN 64

static void
buf_check(const struct buf *b)
{
    DG_ASSERT(b->head <= b->tail && b->tail <= b->cap && buf_len(b) <= b->max,
        "buffer is damaged: head %zu tail %zu cap %zu max %zu", b->head, b->tail,
        b->cap, b->max);
}

static void
release(struct buf *b)
{
    if (b->is_secret && b->data)
        explicit_bzero(b->data, b->cap);
    mem_free(b->data);
}

void
buf_init(struct buf *b, size_t max)
{
    *b = (struct buf)BUF_INIT(max);
}

void
buf_deinit(struct buf *b)
{
    release(b);
    *b = (struct buf){ .max = b->max, .is_secret = b->is_secret };
}

void
buf_reset(struct buf *b)
{
    b->head = b->tail = 0;
}

/* New memory of cap bytes with the unread bytes at its front. realloc is not used: it
 * would copy what was consumed, and leave a secret behind. */
static int
move_to(struct buf *b, size_t cap)
{
    char *data = mem_try(cap);
    if (!data)
        return -ENOMEM;
    size_t len = buf_len(b);
    if (len)
        memcpy(data, buf_ptr(b), len);
    release(b);
    b->data = data;
    b->cap = cap;
    b->head = 0;
    b->tail = len;
    return 0;
}

/* Room for n bytes at tail, the maximum apart. */
static int
make_room(struct buf *b, size_t n)
{
    if (b->data && b->cap - b->tail >= n)
        return 0;
    size_t len = buf_len(b);
    /* Moving costs no more than what was consumed before, so it is linear over time; at
     * full size there is no choice. */
    bool is_cheap = b->head >= len || b->cap >= b->max;
    if (b->data && is_cheap && b->cap - len >= n) {
        memmove(b->data, buf_ptr(b), len);
        b->head = 0;
        b->tail = len;
        return 0;
    }
    size_t want = b->cap > SIZE_MAX / 2 ? SIZE_MAX : b->cap * 2;
    if (want > b->max)
        want = b->max;
    if (want < len + n)
        want = len + n;
    if (want < BUF_CAP_MIN)
        want = BUF_CAP_MIN;
    return move_to(b, want);
}

int
buf_reserve(struct buf *b, size_t n)
{
    buf_check(b);
    if (n > b->max - buf_len(b))
        return BUF_E_FULL;
    return make_room(b, n);
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
    int r = buf_reserve(b, n);
    if (r)
        return r;
    if (n)
        memcpy(b->data + b->tail, p, n);
    b->tail += n;
    return 0;
}

int
buf_addstr(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

int
buf_addc(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

static int PRINTF_LIKE(2, 0) add_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;

    DG_ASSERT(fmt, "no format");
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    DG_ASSERT(n >= 0, "a format that can't be printed");
    int r = buf_reserve(b, (size_t)n);
    /* vsnprintf wants a byte more than counts, for its NUL. */
    if (!r)
        r = make_room(b, (size_t)n + 1);
    if (r)
        return r;
    vsnprintf(b->data + b->tail, (size_t)n + 1, fmt, ap);
    b->tail += (size_t)n;
    return 0;
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int r = add_vprintf(b, fmt, ap);
    va_end(ap);
    return r;
}

void
buf_consume(struct buf *b, size_t n)
{
    buf_check(b);
    DG_ASSERT(n <= buf_len(b), "consumes %zu of %zu bytes", n, buf_len(b));
    b->head += n;
    if (b->head == b->tail)
        b->head = b->tail = 0;
}

const char *
buf_cstr(struct buf *b)
{
    buf_check(b);
    int r = make_room(b, 1);
    DG_ASSERT(r == 0, "out of memory");
    b->data[b->tail] = 0;
    return buf_ptr(b);
}

char *
buf_steal(struct buf *b)
{
    buf_cstr(b);
    if (b->head)
        memmove(b->data, buf_ptr(b), buf_len(b) + 1);
    char *p = b->data;
    *b = (struct buf){ .max = b->max, .is_secret = b->is_secret };
    return p;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
    int r = buf_add(b, p, n);
    DG_ASSERT(r == 0, "%zu bytes more than the %zu that were planned", n, b->max);
}

void
buf_puts(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void
buf_putf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int r = add_vprintf(b, fmt, ap);
    va_end(ap);
    DG_ASSERT(r == 0, "more than the %zu bytes that were planned", b->max);
}
