// SPDX-License-Identifier: ISC
/* Reads points in time as a person writes them.  thread: any */
#ifndef DG_AUDIT_WHEN_H
#define DG_AUDIT_WHEN_H

#include "base/str.h"

/* "2026-11-20", "2026-11-20T17:16", "2026-11-20 17:16:03.123456", with `Z` or an offset
 * (`+02:00`) or without (UTC); or an age: "90s", "30min", "2h", "1d" before now_us.
 * Microseconds since 1970. 0 or -EINVAL. */
int aud_when_parse(struct str s, int64_t now_us, int64_t *out_us) MUST_CHECK;

#endif
