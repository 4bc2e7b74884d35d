// SPDX-License-Identifier: ISC
/* Reading and asking windows of time; see when.h. */
#include "policy/when.h"

#include <errno.h>

#define DAY_MIN 1440

static const char *const day_names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
    "Sun" };

/* Cuts the next word off at white space. */
static bool
next_word(struct str *rest, struct str *word)
{
    *rest = str_trim(*rest);
    if (!rest->n)
        return false;
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *word = (struct str){ rest->p, n };
    rest->p += n;
    rest->n -= n;
    return true;
}

static int
find_day(struct str s)
{
    for (int i = 0; i < 7; i++) {
        if (str_ieqz(s, day_names[i]))
            return i;
    }
    return -1;
}

/* "Sat" or "Mon-Fri" (or "Fri-Mon", over the week's end) */
static bool
parse_days(struct str s, unsigned *out)
{
    int from = find_day(s), to = from;
    if (s.n == 7 && s.p[3] == '-') {
        from = find_day((struct str){ s.p, 3 });
        to = find_day((struct str){ s.p + 4, 3 });
    }
    if (from < 0 || to < 0)
        return false;
    *out = 0;
    for (int d = from;; d = (d + 1) % 7) {
        *out |= 1U << d;
        if (d == to)
            return true;
    }
}

static bool
parse_clock(struct str s, int *out)
{
    int64_t h, m;
    if (s.n != 5 || s.p[2] != ':' || str_int64((struct str){ s.p, 2 }, 0, 24, &h)
        || str_int64((struct str){ s.p + 3, 2 }, 0, 59, &m) || h * 60 + m > DAY_MIN)
        return false;
    *out = (int)(h * 60 + m);
    return true;
}

static bool
parse_hours(struct str s, int *from, int *to)
{
    return s.n == 11 && s.p[5] == '-' && parse_clock((struct str){ s.p, 5 }, from)
        && parse_clock((struct str){ s.p + 6, 5 }, to) && *from != *to
        && *from < DAY_MIN;
}

int
pol_when_parse(struct arena *a, struct str text, struct pol_when *out, struct err *err)
{
    struct pol_when w = { .days = 0x7f, .to_min = DAY_MIN };
    struct str rest = text, word;
    bool has_days = false, has_hours = false;

    while (next_word(&rest, &word)) {
        if (!has_days && !has_hours && parse_days(word, &w.days)) {
            has_days = true;
        } else if (!has_hours && parse_hours(word, &w.from_min, &w.to_min)) {
            has_hours = true;
        } else if (str_trim(rest).n || (!has_days && !has_hours)) {
            return err_set(err, -EINVAL,
                "\"%.*s\" is no window of time; write it as Mon-Fri 08:00-18:00 "
                "Europe/Berlin",
                (int)(text.n < 60 ? text.n : 60), text.p);
        } else {
            int ret = pol_zone_load(a, word, &w.zone, err);
            if (ret)
                return ret;
        }
    }
    if (!w.zone)
        return err_set(err, -EINVAL,
            "\"%.*s\" names no time zone; add UTC, an offset such as +01:00, or a name "
            "such as Europe/Berlin",
            (int)(text.n < 60 ? text.n : 60), text.p);
    *out = w;
    return 0;
}

bool
pol_when_holds(const struct pol_when *w, int64_t wall_us)
{
    int64_t utc_s = wall_us / 1000000;
    int64_t local_min = (utc_s + pol_zone_offset(w->zone, utc_s)) / 60;
    if (local_min < 0)
        return false; /* before 1970: no clock that was ever set */
    int minute = (int)(local_min % DAY_MIN);
    int day = (int)((local_min / DAY_MIN + 3) % 7); /* 1970-01-01 was a Thursday */

    if (w->from_min < w->to_min)
        return (w->days >> day & 1) && minute >= w->from_min && minute < w->to_min;
    int before = (day + 6) % 7;
    return ((w->days >> day & 1) && minute >= w->from_min)
        || ((w->days >> before & 1) && minute < w->to_min);
}
