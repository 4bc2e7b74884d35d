// SPDX-License-Identifier: ISC
/* Versions as migration tools count them: dotted numbers without a limit; and names, which
 * tools and people spell with different separators. */
#include "history/source.h"

#include <stdio.h>
#include <string.h>

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Cuts the next part off: digits without leading zeros. An empty part is zero. */
static struct str
next_part(const char **s)
{
    const char *p = *s;

    while (*p == '0' && is_digit(p[1]))
        p++;
    struct str part = { p, 0 };
    while (is_digit(p[part.n]))
        part.n++;
    p += part.n;
    if (*p == '.' || *p == '_')
        p++;
    else
        p += strlen(p); /* callers pass valid versions; anything else ends it */
    *s = p;
    if (part.n == 1 && part.p[0] == '0')
        part.n = 0;
    return part;
}

int
hist_version_cmp(const char *a, const char *b)
{
    while (*a || *b) {
        struct str x = next_part(&a), y = next_part(&b);
        if (x.n != y.n)
            return x.n < y.n ? -1 : 1;
        int c = x.n ? memcmp(x.p, y.p, x.n) : 0;
        if (c)
            return c < 0 ? -1 : 1;
    }
    return 0;
}

bool
hist_version_is_valid(const char *s)
{
    bool after_digit = false;

    for (; *s; s++) {
        if (is_digit(*s))
            after_digit = true;
        else if ((*s == '.' || *s == '_') && after_digit)
            after_digit = false;
        else
            return false;
    }
    return after_digit;
}

void
hist_version_next(const char *version, char *out, size_t size)
{
    size_t n = strlen(version), start = n;

    while (start > 0 && is_digit(version[start - 1]))
        start--;
    if (n + 2 > size || n == start) {
        snprintf(out, size, "1");
        return;
    }
    memcpy(out, version, n + 1);
    size_t i = n;
    while (i > start && out[i - 1] == '9')
        out[--i] = '0';
    if (i > start) {
        out[i - 1]++;
        return;
    }
    memmove(out + start + 1, out + start, n - start + 1);
    out[start] = '1';
}

static bool
is_word(unsigned char c)
{
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9');
}

bool
hist_name_eq(const char *a, const char *b)
{
    for (;;) {
        bool gap_a = false, gap_b = false;
        for (; *a && !is_word((unsigned char)*a); a++)
            gap_a = true;
        for (; *b && !is_word((unsigned char)*b); b++)
            gap_b = true;
        if (!*a || !*b)
            return !*a && !*b;
        if (gap_a != gap_b || ascii_lower(*a) != ascii_lower(*b))
            return false;
        a++;
        b++;
    }
}
