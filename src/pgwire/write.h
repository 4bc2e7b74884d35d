// SPDX-License-Identifier: ISC
/* Appending the protocol's integers and strings; asserts when the buffer is full.
 * Private to pgwire. */
#ifndef DG_PGWIRE_WRITE_H
#define DG_PGWIRE_WRITE_H

#include "pgwire/pgwire.h"

static inline void
pgw_put_u16(struct buf *b, unsigned v)
{
    char p[2] = { (char)(v >> 8), (char)v };
    buf_put(b, p, sizeof p);
}

static inline void
pgw_put_u32(struct buf *b, uint32_t v)
{
    char p[4] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v };
    buf_put(b, p, sizeof p);
}

static inline void
pgw_put_cstr(struct buf *b, struct str s)
{
    if (s.n)
        buf_put(b, s.p, s.n);
    buf_put(b, "", 1);
}

/* type 0: a packet without a type byte. */
static inline void
pgw_put_head(struct buf *b, char type, size_t body_len)
{
    DG_ASSERT(body_len <= PGW_MAX_MESSAGE - 4, "message of %zu bytes", body_len);
    if (type)
        buf_put(b, &type, 1);
    pgw_put_u32(b, (uint32_t)body_len + 4);
}

#endif
