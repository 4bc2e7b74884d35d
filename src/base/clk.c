// SPDX-License-Identifier: ISC
/* The real clock, and time stamps; see clk.h. */
#include "base/clk.h"

#include <stdio.h>
#include <time.h>

#define US_PER_S   INT64_C(1000000)
#define S_PER_DAY  INT64_C(86400)
#define DAY_0000   INT64_C(719468) /* days from 0000-03-01 to 1970-01-01 */
#define DAYS_400_Y INT64_C(146097) /* in 400 years of the Gregorian calendar */

static int64_t
now_us(clockid_t id)
{
    struct timespec ts;
    int r = clock_gettime(id, &ts);
    DG_ASSERT(r == 0, "the kernel has no clock %d", (int)id);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static int64_t
real_mono_us(const struct clk *clk)
{
    (void)clk;
    return now_us(CLOCK_MONOTONIC);
}

static int64_t
real_wall_us(const struct clk *clk)
{
    (void)clk;
    return now_us(CLOCK_REALTIME);
}

const struct clk clk_real = { .mono_us = real_mono_us, .wall_us = real_wall_us };

static int64_t
div_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void
put_digits(char *out, int n, int64_t v)
{
    for (; n > 0; n--, v /= 10)
        out[n - 1] = (char)('0' + v % 10);
}

/* By hand: gmtime_r takes libc's time zone lock, which all threads would share. Years are
 * counted from March, so that the leap day is the last day of a year. Years before 0 and
 * after 9999 have no RFC 3339 form; their last four digits are shown. */
void
clk_rfc3339(int64_t wall_us, char out[CLK_RFC3339_SIZE])
{
    int64_t s = div_floor(wall_us, US_PER_S), us = wall_us - s * US_PER_S;
    int64_t days = div_floor(s, S_PER_DAY), sec = s - days * S_PER_DAY;
    int64_t era = div_floor(days + DAY_0000, DAYS_400_Y);
    int64_t d = days + DAY_0000 - era * DAYS_400_Y; /* [0, 146096] */
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t yd = d - (365 * y + y / 4 - y / 100); /* day of the year from 1 March */
    int64_t m = (5 * yd + 2) / 153;               /* month from March */
    int64_t year = era * 400 + y + (m >= 10);

    year = year - div_floor(year, 10000) * 10000;
    snprintf(out, CLK_RFC3339_SIZE, "0000-00-00T00:00:00.000000Z");
    put_digits(out, 4, year);
    put_digits(out + 5, 2, m < 10 ? m + 3 : m - 9);
    put_digits(out + 8, 2, yd - (153 * m + 2) / 5 + 1);
    put_digits(out + 11, 2, sec / 3600);
    put_digits(out + 14, 2, sec / 60 % 60);
    put_digits(out + 17, 2, sec % 60);
    put_digits(out + 20, 6, us);
}
