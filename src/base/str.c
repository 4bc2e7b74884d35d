// SPDX-License-Identifier: ISC
/* Strings with a length, checked numbers, globs, UTF-8; see str.h. */
#include "base/str.h"

#include <errno.h>
#include <string.h>

struct str
str_of(const char *cstr)
{
    return cstr ? (struct str){ cstr, strlen(cstr) } : STR("");
}

bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_eqz(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

bool
str_ieqz(struct str a, const char *b)
{
    if (a.n != strlen(b))
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool
str_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool
str_next_line(struct str *rest, struct str *line)
{
    if (rest->n == 0)
        return false;
    const char *nl = memchr(rest->p, '\n', rest->n);
    size_t n = nl ? (size_t)(nl - rest->p) : rest->n, step = n + (nl != NULL);
    *line = (struct str){ rest->p, n };
    *rest = (struct str){ rest->p + step, rest->n - step };
    return true;
}

bool
str_next_item(struct str *rest, struct str *item)
{
    struct str list = str_trim(*rest);

    if (list.n == 0)
        return false;
    const char *comma = memchr(list.p, ',', list.n);
    size_t n = comma ? (size_t)(comma - list.p) : list.n;
    *item = str_trim((struct str){ list.p, n });
    if (comma)
        n++;
    *rest = (struct str){ list.p + n, list.n - n };
    return true;
}

/* Only the last star is ever retried: what an earlier star matched is the shortest that
 * works, and giving it more never helps. */
bool
str_glob(const char *pattern, const char *s)
{
    const char *star = NULL, *retry = NULL;

    while (*s) {
        if (*pattern == '*') {
            star = pattern++;
            retry = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star + 1;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

int
str_int64(struct str s, int64_t min, int64_t max, int64_t *out)
{
    bool is_negative = s.n && s.p[0] == '-';
    int64_t v = 0;
    bool is_over = false;

    if (s.n == (is_negative ? 1u : 0u))
        return -EINVAL;
    for (size_t i = is_negative ? 1 : 0; i < s.n; i++) {
        int digit = s.p[i] - '0';
        if (digit < 0 || digit > 9)
            return -EINVAL;
        /* Counted downwards: INT64_MIN has no positive twin. */
        is_over |= __builtin_mul_overflow(v, 10, &v);
        is_over |= __builtin_sub_overflow(v, digit, &v);
    }
    if (!is_negative)
        is_over |= __builtin_sub_overflow(INT64_C(0), v, &v);
    if (is_over || v < min || v > max)
        return -ERANGE;
    *out = v;
    return 0;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* A number, white space, and one of the units (ended by a NULL name). 0 or -errno. */
static int
number_with_unit(struct str s, const struct unit *units, int64_t plain, int64_t *out)
{
    size_t n = 0;
    int64_t v;

    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    int r = str_int64((struct str){ s.p, n }, 0, INT64_MAX, &v);
    if (r)
        return r;
    struct str name = str_trim((struct str){ s.p + n, s.n - n });
    int64_t factor = name.n ? 0 : plain;
    for (const struct unit *u = units; u->name && name.n; u++)
        if (str_eqz(name, u->name))
            factor = u->factor;
    if (!factor)
        return -EINVAL;
    if (__builtin_mul_overflow(v, factor, &v))
        return -ERANGE;
    *out = v;
    return 0;
}

int
str_size(struct str s, uint64_t *out_bytes)
{
    static const struct unit units[] = { { "B", 1 }, { "kB", INT64_C(1) << 10 },
        { "MB", INT64_C(1) << 20 }, { "GB", INT64_C(1) << 30 },
        { "TB", INT64_C(1) << 40 }, { NULL, 0 } };
    int64_t v;

    int r = number_with_unit(s, units, 1, &v);
    if (!r)
        *out_bytes = (uint64_t)v;
    return r;
}

int
str_duration(struct str s, int64_t unit_ms, int64_t *out_ms)
{
    static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "min", 60000 },
        { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 } };

    return number_with_unit(s, units, unit_ms, out_ms);
}

int
str_bool(struct str s, bool *out)
{
    static const char *const yes[] = { "on", "yes", "true", "1" };
    static const char *const no[] = { "off", "no", "false", "0" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(yes); i++) {
        bool is_yes = str_ieqz(s, yes[i]);
        if (is_yes || str_ieqz(s, no[i])) {
            *out = is_yes;
            return 0;
        }
    }
    return -EINVAL;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t
str_utf8_len(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;

    if (n == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4)
        return 0;
    size_t len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (n < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f)
        || (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return len;
}

size_t
str_utf8_count(const char *p, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; count++) {
        size_t len = str_utf8_len(p + i, n - i);
        i += len ? len : 1;
    }
    return count;
}

uint32_t
str_utf8_char(const char *p, size_t len)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };

    DG_ASSERT(len >= 1 && len <= 4, "no UTF-8 sequence has %zu bytes", len);
    uint32_t c = (unsigned char)p[0] & first_bits[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    return c;
}

/* Unicode 15: controls (C0, DEL, C1), line and paragraph separators, the marks,
 * embeddings, overrides and isolates of UAX #9, the byte order mark. */
bool
str_char_is_deceptive(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e
        || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)
        || c == 0xfeff;
}
