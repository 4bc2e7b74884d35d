// SPDX-License-Identifier: ISC
/* Edit distance (insert, delete, replace) over short names; see near.h. */
#include "config/near.h"

#include <string.h>

#define MAX_LEN      64
#define MAX_DISTANCE 2

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* The table's rows one after the other; both at most MAX_LEN bytes. */
static unsigned
distance(struct str a, struct str b)
{
    unsigned row[MAX_LEN + 1];
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            bool is_same = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 1]);
            unsigned replaced = diagonal + (is_same ? 0 : 1);
            diagonal = row[j];
            row[j] = min3(replaced, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b.n];
}

const char *
cfg_near(struct str word, const char *const *names, size_t n)
{
    const char *best = NULL;
    unsigned best_distance = MAX_DISTANCE + 1;
    if (word.n > MAX_LEN)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct str name = str_of(names[i]);
        DG_ASSERT(name.n <= MAX_LEN, "name \"%s\" is too long", names[i]);
        unsigned d = distance(word, name);
        if (d < best_distance && d * 2 < word.n) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}
