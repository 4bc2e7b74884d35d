// SPDX-License-Identifier: ISC
/* Points in time; see when.h. */
#include "audit/when.h"

#include <errno.h>

#define US_PER_S INT64_C(1000000)

/* Exactly n digits off the front. */
static bool
take_number(struct str *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
    int64_t v = 0;

    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = (struct str){ s->p + n, s->n - n };
    *out = v;
    return v >= min && v <= max;
}

static bool
take_char(struct str *s, const char *any_of)
{
    for (; s->n > 0 && *any_of; any_of++) {
        if (s->p[0] == *any_of) {
            *s = (struct str){ s->p + 1, s->n - 1 };
            return true;
        }
    }
    return false;
}

/* Days since 1970 of a Gregorian date; years are counted from March, so that the leap day
 * comes last. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    return month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

static bool
take_date(struct str *s, int64_t *days)
{
    int64_t y, m, d;

    if (!take_number(s, 4, 1, 9999, &y) || !take_char(s, "-")
        || !take_number(s, 2, 1, 12, &m) || !take_char(s, "-")
        || !take_number(s, 2, 1, 31, &d) || d > days_in_month(y, m))
        return false;
    *days = days_of(y, m, d);
    return true;
}

static bool
take_time(struct str *s, int64_t *us)
{
    int64_t h, m, sec = 0, digit, unit = US_PER_S;

    if (!take_number(s, 2, 0, 23, &h) || !take_char(s, ":")
        || !take_number(s, 2, 0, 59, &m))
        return false;
    if (take_char(s, ":") && !take_number(s, 2, 0, 60, &sec))
        return false;
    *us = ((h * 60 + m) * 60 + sec) * US_PER_S;
    if (!take_char(s, "."))
        return true;
    if (!take_number(s, 1, 0, 9, &digit))
        return false;
    do {
        unit /= 10; /* digits after the sixth count nothing */
        *us += digit * unit;
    } while (take_number(s, 1, 0, 9, &digit));
    return true;
}

/* What to subtract to get UTC. */
static bool
take_zone(struct str *s, int64_t *us)
{
    int64_t h, m = 0;

    *us = 0;
    if (s->n == 0 || take_char(s, "Zz"))
        return true;
    bool is_west = s->p[0] == '-';
    if (!take_char(s, "+-") || !take_number(s, 2, 0, 23, &h))
        return false;
    if ((take_char(s, ":") || s->n > 0) && !take_number(s, 2, 0, 59, &m))
        return false;
    *us = (h * 60 + m) * 60 * US_PER_S * (is_west ? -1 : 1);
    return true;
}

int
aud_when_parse(struct str s, int64_t now_us, int64_t *out_us)
{
    int64_t days, us = 0, zone = 0, age_ms;

    if (s.n > 0 && !str_duration(s, 0, &age_ms) && s.p[s.n - 1] > '9') {
        if (age_ms > now_us / 1000)
            return -EINVAL;
        *out_us = now_us - age_ms * 1000;
        return 0;
    }
    if (!take_date(&s, &days))
        return -EINVAL;
    if (s.n > 0
        && (!take_char(&s, "T t") || !take_time(&s, &us) || !take_zone(&s, &zone)))
        return -EINVAL;
    if (s.n > 0)
        return -EINVAL;
    *out_us = days * 86400 * US_PER_S + us - zone;
    return 0;
}
