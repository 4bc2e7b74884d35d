// SPDX-License-Identifier: ISC
/* The known name that a misspelt one probably means. Private to config. */
#ifndef DG_CONFIG_NEAR_H
#define DG_CONFIG_NEAR_H

#include "base/str.h"

/* The name with the smallest edit distance, at most 2 and less than half of the word;
 * NULL if there is none. Without case. */
const char *cfg_near(struct str word, const char *const *names, size_t n);

#endif
