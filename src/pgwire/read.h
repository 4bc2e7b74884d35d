// SPDX-License-Identifier: ISC
/* A cursor over a message body: every take fails, and stays where it is, when the bytes
 * are not there. Private to pgwire. */
#ifndef DG_PGWIRE_READ_H
#define DG_PGWIRE_READ_H

#include "pgwire/pgwire.h"

#include <string.h>

struct pgw_read {
    const char *p, *end;
};

/* body may be NULL when n is 0. */
static inline struct pgw_read
pgw_reader(const char *body, size_t n)
{
    return (struct pgw_read){ body, n ? body + n : body };
}

static inline size_t
pgw_left(const struct pgw_read *r)
{
    return (size_t)(r->end - r->p);
}

static inline bool
pgw_take(struct pgw_read *r, size_t n, const char **out)
{
    if (pgw_left(r) < n)
        return false;
    *out = r->p;
    r->p += n;
    return true;
}

static inline bool
pgw_take_byte(struct pgw_read *r, char *out)
{
    const char *p;
    if (!pgw_take(r, 1, &p))
        return false;
    *out = *p;
    return true;
}

static inline bool
pgw_take_u16(struct pgw_read *r, unsigned *out)
{
    const char *p;
    if (!pgw_take(r, 2, &p))
        return false;
    *out = pgw_u16(p);
    return true;
}

static inline bool
pgw_take_u32(struct pgw_read *r, uint32_t *out)
{
    const char *p;
    if (!pgw_take(r, 4, &p))
        return false;
    *out = pgw_u32(p);
    return true;
}

/* Up to the next NUL, which is taken but not counted. */
static inline bool
pgw_take_cstr(struct pgw_read *r, struct str *out)
{
    size_t left = pgw_left(r);
    const char *nul = left ? memchr(r->p, 0, left) : NULL;
    if (!nul)
        return false;
    *out = (struct str){ r->p, (size_t)(nul - r->p) };
    r->p = nul + 1;
    return true;
}

/* An int32 length and as many bytes; -1 is SQL null (p NULL), less is refused. */
static inline bool
pgw_take_value(struct pgw_read *r, struct str *out)
{
    const char *start = r->p;
    uint32_t len;
    if (!pgw_take_u32(r, &len))
        return false;
    *out = (struct str){ NULL, 0 };
    if (len == UINT32_MAX)
        return true;
    if (len > INT32_MAX || !pgw_take(r, len, &out->p)) {
        r->p = start;
        return false;
    }
    out->n = len;
    return true;
}

#endif
