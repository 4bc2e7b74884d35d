// SPDX-License-Identifier: ISC
/* Time zones: fixed offsets, and TZif files (RFC 8536) with the rule for the years after
 * their last entry (a POSIX TZ string, tzset(3)). Not the C library's functions: those keep
 * one zone per process in variables that change. */
#include "policy/when.h"

#include "base/fs.h"

#include <errno.h>
#include <string.h>

#define ZONE_DIR       "/usr/share/zoneinfo/"
#define ZONE_MAX_BYTES ((size_t)256 << 10)
#define DAY_S          86400

/* A change of the clock within a year, as POSIX writes it. */
struct change {
    enum {
        CHANGE_JULIAN, /* Jn: day 1..365, no leap day counted */
        CHANGE_DAY,    /* n: day 0..365 */
        CHANGE_MONTH,  /* Mm.w.d: weekday d of week w (5: the last) of month m */
    } kind;
    int month, week, day;
    int32_t time_s; /* of local time; may lie outside of the day */
};

struct rule {
    int32_t std_offset, dst_offset;
    bool has_dst;
    struct change to_dst, to_std;
};

struct pol_zone {
    size_t n;        /* transitions */
    int64_t *at;     /* rising, UTC seconds */
    int32_t *offset; /* from at[i] on */
    int32_t first;   /* before the first one */
    bool has_rule;   /* for what comes after the last */
    struct rule rule;
};

/* ---- calendar ---- */

/* Days from 1970-01-01 to the first of January of a year. */
static int64_t
year_start(int64_t year)
{
    int64_t y = year - 1;
    return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400)
        - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static bool
is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t
year_of(int64_t days)
{
    int64_t year = 1970 + days / 366;
    while (year_start(year + 1) <= days)
        year++;
    return year;
}

/* Second of local standard time, without offset, at which the change happens. */
static int64_t
change_at(const struct change *c, int64_t year)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t day = year_start(year);

    if (c->kind == CHANGE_JULIAN) {
        day += c->day - 1 + (is_leap(year) && c->day > 59);
    } else if (c->kind == CHANGE_DAY) {
        day += c->day;
    } else {
        int length = lengths[c->month - 1] + (c->month == 2 && is_leap(year));
        for (int m = 1; m < c->month; m++)
            day += lengths[m - 1] + (m == 2 && is_leap(year));
        int weekday = (int)((day + 4) % 7); /* 1970-01-01 was a Thursday; 0: Sunday */
        int first = (c->day - weekday + 7) % 7;
        int nth = first + 7 * (c->week - 1);
        while (nth >= length)
            nth -= 7;
        day += nth;
    }
    return day * DAY_S + c->time_s;
}

static int32_t
rule_offset(const struct rule *r, int64_t utc_s)
{
    if (!r->has_dst || utc_s < 0)
        return r->std_offset;
    int64_t year = year_of((utc_s + r->std_offset) / DAY_S);
    int64_t dst = change_at(&r->to_dst, year) - r->std_offset;
    int64_t std = change_at(&r->to_std, year) - r->dst_offset;
    bool is_dst = dst < std ? utc_s >= dst && utc_s < std : utc_s >= dst || utc_s < std;
    return is_dst ? r->dst_offset : r->std_offset;
}

int32_t
pol_zone_offset(const struct pol_zone *z, int64_t utc_s)
{
    if (z->n == 0 || utc_s >= z->at[z->n - 1]) {
        if (z->has_rule)
            return rule_offset(&z->rule, utc_s);
        return z->n ? z->offset[z->n - 1] : z->first;
    }
    if (utc_s < z->at[0])
        return z->first;
    size_t low = 0, high = z->n - 1; /* at[low] <= utc_s < at[high] */
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (z->at[mid] <= utc_s)
            low = mid;
        else
            high = mid;
    }
    return z->offset[low];
}

/* ---- the POSIX string: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool
take_char(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool
take_number(struct str *s, int max, int *out)
{
    int v = 0;
    size_t n = 0;
    while (n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9')
        v = v * 10 + (s->p[n++] - '0');
    if (n == 0 || v > max)
        return false;
    s->p += n;
    s->n -= n;
    *out = v;
    return true;
}

static bool
take_name(struct str *s)
{
    size_t n = 0;
    if (take_char(s, '<')) {
        while (n < s->n && s->p[n] != '>')
            n++;
        s->p += n;
        s->n -= n;
        return take_char(s, '>');
    }
    while (n < s->n && ((s->p[n] | 32) >= 'a' && (s->p[n] | 32) <= 'z'))
        n++;
    s->p += n;
    s->n -= n;
    return n >= 3;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds */
static bool
take_time(struct str *s, int32_t *out)
{
    bool is_minus = take_char(s, '-');
    int h, m = 0, sec = 0;
    if (!is_minus)
        take_char(s, '+');
    if (!take_number(s, 167, &h))
        return false;
    if (take_char(s, ':') && !take_number(s, 59, &m))
        return false;
    if (take_char(s, ':') && !take_number(s, 59, &sec))
        return false;
    *out = (is_minus ? -1 : 1) * (h * 3600 + m * 60 + sec);
    return true;
}

static bool
take_change(struct str *s, struct change *c)
{
    c->time_s = 2 * 3600;
    if (!take_char(s, ','))
        return false;
    if (take_char(s, 'M')) {
        c->kind = CHANGE_MONTH;
        if (!take_number(s, 12, &c->month) || !take_char(s, '.')
            || !take_number(s, 5, &c->week) || !take_char(s, '.')
            || !take_number(s, 6, &c->day) || c->month < 1 || c->week < 1)
            return false;
    } else {
        c->kind = take_char(s, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
        if (!take_number(s, 365, &c->day) || (c->kind == CHANGE_JULIAN && c->day < 1))
            return false;
    }
    return !take_char(s, '/') || take_time(s, &c->time_s);
}

static bool
read_rule(struct str s, struct rule *r)
{
    int32_t west;
    if (!take_name(&s) || !take_time(&s, &west))
        return false;
    r->std_offset = -west;
    if (s.n == 0)
        return true;
    r->has_dst = true;
    r->dst_offset = r->std_offset + 3600;
    if (!take_name(&s))
        return false;
    if (s.n && s.p[0] != ',') {
        if (!take_time(&s, &west))
            return false;
        r->dst_offset = -west;
    }
    return take_change(&s, &r->to_dst) && take_change(&s, &r->to_std) && s.n == 0;
}

/* ---- TZif ---- */

struct header {
    uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

static uint64_t
big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static bool
read_header(const uint8_t *p, size_t n, struct header *h)
{
    if (n < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    uint32_t *fields[] = { &h->isutcnt, &h->isstdcnt, &h->leapcnt, &h->timecnt,
        &h->typecnt, &h->charcnt };
    for (size_t i = 0; i < DG_ARRAY_SIZE(fields); i++) {
        *fields[i] = (uint32_t)big_endian(p + 20 + 4 * i, 4);
        if (*fields[i] > ZONE_MAX_BYTES)
            return false;
    }
    return h->typecnt > 0 && h->typecnt <= 256;
}

/* Bytes of the data block whose times are `width` bytes wide. */
static size_t
block_size(const struct header *h, size_t width)
{
    return h->timecnt * (width + 1) + h->typecnt * 6 + h->charcnt
        + h->leapcnt * (width + 4) + h->isstdcnt + h->isutcnt;
}

/* The 64-bit block of a version 2 file, which every zoneinfo since 2006 has. */
static bool
read_block(
    struct arena *a, const uint8_t *p, const struct header *h, struct pol_zone *z)
{
    const uint8_t *index = p + 8 * (size_t)h->timecnt;
    const uint8_t *types = index + h->timecnt;

    z->n = h->timecnt;
    z->at = arena_alloc(a, (z->n + 1) * sizeof(*z->at));
    z->offset = arena_alloc(a, (z->n + 1) * sizeof(*z->offset));
    z->first = (int32_t)big_endian(types, 4);
    for (size_t i = 0; i < z->n; i++) {
        if (index[i] >= h->typecnt)
            return false;
        z->at[i] = (int64_t)big_endian(p + 8 * i, 8);
        z->offset[i] = (int32_t)big_endian(types + 6 * (size_t)index[i], 4);
        if (i > 0 && z->at[i] <= z->at[i - 1])
            return false;
        if (z->offset[i] < -DAY_S || z->offset[i] > DAY_S)
            return false;
    }
    return z->first >= -DAY_S && z->first <= DAY_S;
}

int
pol_zone_read(struct arena *a, const void *data, size_t n, const struct pol_zone **out)
{
    const uint8_t *p = data;
    struct header h;

    if (!read_header(p, n, &h) || p[4] < '2')
        return -EINVAL;
    size_t skip = 44 + block_size(&h, 4);
    if (skip > n || !read_header(p + skip, n - skip, &h))
        return -EINVAL;
    p += skip + 44;
    n -= skip + 44;
    if (block_size(&h, 8) > n)
        return -EINVAL;
    struct pol_zone *z = arena_alloc(a, sizeof(*z));
    if (!read_block(a, p, &h, z))
        return -EINVAL;
    struct str footer = { (const char *)p + block_size(&h, 8), n - block_size(&h, 8) };
    if (take_char(&footer, '\n') && footer.n > 1 && footer.p[footer.n - 1] == '\n') {
        footer.n--;
        z->has_rule = read_rule(footer, &z->rule);
        if (!z->has_rule)
            return -EINVAL;
    }
    *out = z;
    return 0;
}

/* ---- names ---- */

static bool
read_fixed(struct str name, int32_t *out)
{
    struct str s = name;
    int h, m;
    bool is_minus = take_char(&s, '-');
    if (!is_minus && !take_char(&s, '+'))
        return false;
    if (name.n != 6 || !take_number(&s, 15, &h) || !take_char(&s, ':')
        || !take_number(&s, 59, &m))
        return false;
    *out = (is_minus ? -1 : 1) * (h * 3600 + m * 60);
    return true;
}

static bool
is_zone_name(struct str s)
{
    bool is_start = true;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], lower = ascii_lower(c);
        bool is_letter = lower >= 'a' && lower <= 'z';
        if (is_start && !is_letter)
            return false;
        if (!is_letter && c != '/' && c != '_' && c != '-' && c != '+'
            && !(c >= '0' && c <= '9'))
            return false;
        is_start = c == '/';
    }
    return s.n > 0 && s.n < 64 && !is_start;
}

int
pol_zone_load(
    struct arena *a, struct str name, const struct pol_zone **out, struct err *err)
{
    struct pol_zone fixed = { 0 };
    if (str_ieqz(name, "UTC") || str_ieqz(name, "Z")
        || read_fixed(name, &fixed.first)) {
        struct pol_zone *z = arena_alloc(a, sizeof(*z));
        *z = fixed;
        *out = z;
        return 0;
    }
    if (!is_zone_name(name))
        return err_set(err, -EINVAL,
            "\"%.*s\" is no time zone; write UTC, an offset such as +01:00, or a name such "
            "as Europe/Berlin",
            (int)(name.n < 60 ? name.n : 60), name.p);
    AUTO(mem_free) char *path = mem_printf(ZONE_DIR "%.*s", (int)name.n, name.p);
    AUTO(mem_free) char *data = NULL;
    size_t n;
    if (fs_read(path, ZONE_MAX_BYTES, &data, &n, NULL)
        || pol_zone_read(a, data, n, out))
        return err_set(err, -EINVAL,
            "time zone \"%.*s\" is not in " ZONE_DIR
            "; check its spelling, or write UTC or an offset such as +01:00",
            (int)name.n, name.p);
    return 0;
}
