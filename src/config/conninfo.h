// SPDX-License-Identifier: ISC
/* The value of a [databases] key: a libpq string with our own `policy=` in it. Private to
 * config. */
#ifndef DG_CONFIG_CONNINFO_H
#define DG_CONFIG_CONNINFO_H

#include "base/err.h"

struct arena;

/* Cuts `policy=...` out. *conninfo and *policy (unquoted, NULL if absent) live in a.
 * 0 or -EINVAL; err says what is wrong without file:line and without any value, since
 * values may be secret. */
int cfg_conninfo_split(struct arena *a, const char *text, const char **conninfo,
    const char **policy, struct err *err) MUST_CHECK;

#endif
