// SPDX-License-Identifier: ISC
/* Base64 as RFC 4648 part 4 writes it: padded, without white space. Reading is strict, so
 * that a text has one reading and bytes have one text.  thread: any */
#ifndef DG_BASE_BASE64_H
#define DG_BASE_BASE64_H

#include "base/str.h"

/* Characters that n bytes take; without a NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_SIZE(n) characters and a NUL. */
void base64_encode(const void *p, size_t n, char *out);
/* At most `max` bytes to out, their count to *n. 0, or -EINVAL (no base64: other bytes,
 * padding that is missing or too much, bits set that no byte holds) or -ERANGE (more than
 * max bytes). */
int base64_decode(struct str text, void *out, size_t max, size_t *n) MUST_CHECK;

#endif
