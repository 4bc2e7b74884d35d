// SPDX-License-Identifier: ISC
/* Windows of time mean what a person reads in them, also when the clocks change. */
#include "lib/unit.h"

#include "policy/when.h"

#include <time.h>

static int64_t
utc(const char *s)
{
    struct tm tm = { 0 };
    const char *end = strptime(s, "%Y-%m-%d %H:%M:%S", &tm);
    ck_assert_msg(end && !*end, "bad time in the test: %s", s);
    return timegm(&tm);
}

struct offset_case {
    const char *name, *zone, *at;
    int32_t want;
};

static const struct offset_case offsets[] = {
    { "utc", "UTC", "2026-07-01 12:00:00", 0 },
    { "z", "z", "2026-07-01 12:00:00", 0 },
    { "fixed east", "+05:30", "2026-07-01 12:00:00", 19800 },
    { "fixed west", "-03:00", "2026-07-01 12:00:00", -10800 },
    { "winter", "Europe/Berlin", "2026-01-15 12:00:00", 3600 },
    { "summer", "Europe/Berlin", "2026-07-15 12:00:00", 7200 },
    { "last second of winter", "Europe/Berlin", "2026-03-29 00:59:59", 3600 },
    { "first second of summer", "Europe/Berlin", "2026-03-29 01:00:00", 7200 },
    { "last second of summer", "Europe/Berlin", "2026-10-25 00:59:59", 7200 },
    { "first second of winter", "Europe/Berlin", "2026-10-25 01:00:00", 3600 },
    { "after the file's last entry, summer", "Europe/Berlin", "2061-07-15 12:00:00",
        7200 },
    { "after the file's last entry, winter", "Europe/Berlin", "2061-12-15 12:00:00",
        3600 },
    { "the rule's own edge", "Europe/Berlin", "2061-03-27 01:00:00", 7200 },
    { "before the rule's own edge", "Europe/Berlin", "2061-03-27 00:59:59", 3600 },
    { "south: summer is in January", "Australia/Sydney", "2050-01-15 12:00:00", 39600 },
    { "south: winter is in July", "Australia/Sydney", "2050-07-15 12:00:00", 36000 },
    { "no summer time", "Asia/Kolkata", "2050-07-15 12:00:00", 19800 },
    { "west", "America/New_York", "2026-07-15 12:00:00", -14400 },
    { "old law", "Europe/Berlin", "1945-06-01 12:00:00", 10800 },
};

START_TEST(offset_is_the_zones_own)
{
    const struct offset_case *c = &offsets[_i];
    AUTO(arena_free) struct arena *a = arena_new();
    const struct pol_zone *z;
    struct err err = { "" };

    int ret = pol_zone_load(a, str_of(c->zone), &z, &err);
    ck_assert_msg(ret == 0, "%s: %s", c->name, err.text);
    CASE_INT(c, pol_zone_offset(z, utc(c->at)), c->want);
}
END_TEST

/* The C library knows the same files; every day of forty years, both at noon. */
START_TEST(offsets_agree_with_the_c_library)
{
    static const char *const zones[] = { "Europe/Berlin", "America/Sao_Paulo",
        "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tehran", "America/Nuuk",
        "Antarctica/Troll", "Europe/Dublin" };
    const char *zone = zones[_i];
    AUTO(arena_free) struct arena *a = arena_new();
    const struct pol_zone *z;
    struct err err = { "" };

    ck_assert_msg(pol_zone_load(a, str_of(zone), &z, &err) == 0, "%s", err.text);
    setenv("TZ", zone, 1);
    tzset();
    for (int64_t t = utc("2005-01-01 12:00:00"); t < utc("2060-01-01 00:00:00");
         t += 86400 - 3600) {
        struct tm tm;
        time_t now = t;
        localtime_r(&now, &tm);
        ck_assert_msg(pol_zone_offset(z, t) == tm.tm_gmtoff, "%s at %lld: %d, libc %ld",
            zone, (long long)t, pol_zone_offset(z, t), tm.tm_gmtoff);
    }
}
END_TEST

struct when_case {
    const char *name, *window, *at;
    bool want;
};

static const struct when_case whens[] = {
    { "within", "Mon-Fri 08:00-18:00 UTC", "2026-11-20 08:00:00", true }, /* a Friday */
    { "one second early", "Mon-Fri 08:00-18:00 UTC", "2026-11-20 07:59:59", false },
    { "the end is out", "Mon-Fri 08:00-18:00 UTC", "2026-11-20 18:00:00", false },
    { "wrong day", "Mon-Fri 08:00-18:00 UTC", "2026-11-21 12:00:00", false },
    { "single day", "Sat UTC", "2026-11-21 00:00:00", true },
    { "days over the week's end", "Fri-Mon UTC", "2026-11-22 12:00:00", true },
    { "not in the gap", "Fri-Mon UTC", "2026-11-24 12:00:00", false },
    { "hours only", "12:00-24:00 UTC", "2026-11-24 23:59:59", true },
    { "until midnight", "12:00-24:00 UTC", "2026-11-24 00:00:00", false },
    { "over midnight, evening", "Fri 22:00-06:00 UTC", "2026-11-20 23:00:00", true },
    { "over midnight, morning after", "Fri 22:00-06:00 UTC", "2026-11-21 05:59:59",
        true },
    { "over midnight, morning of the day", "Fri 22:00-06:00 UTC", "2026-11-20 05:00:00",
        false },
    { "in its zone", "Mon-Fri 08:00-18:00 Europe/Berlin", "2026-11-20 07:30:00", true },
    { "in its zone, summer", "Mon-Fri 08:00-18:00 Europe/Berlin", "2026-07-20 06:30:00",
        true },
    { "day of the zone", "Sat +09:00", "2026-11-20 15:00:00", true },
    { "names without case", "mon-FRI 08:00-18:00 utc", "2026-11-20 09:00:00", true },
};

START_TEST(window_holds_from_its_start_to_before_its_end)
{
    const struct when_case *c = &whens[_i];
    AUTO(arena_free) struct arena *a = arena_new();
    struct pol_when w;
    struct err err = { "" };

    int ret = pol_when_parse(a, str_of(c->window), &w, &err);
    ck_assert_msg(ret == 0, "%s: %s", c->name, err.text);
    CASE_INT(c, pol_when_holds(&w, utc(c->at) * 1000000), c->want);
}
END_TEST

struct bad_case {
    const char *name, *window, *want;
};

static const struct bad_case bad[] = {
    { "no zone", "Mon-Fri 08:00-18:00",
        "\"Mon-Fri 08:00-18:00\" names no time zone; add UTC, an offset such as +01:00, or "
        "a name such as Europe/Berlin" },
    { "zone only", "UTC",
        "\"UTC\" is no window of time; write it as Mon-Fri 08:00-18:00 Europe/Berlin" },
    { "unknown day", "Mo-Fr 08:00-18:00 UTC",
        "\"Mo-Fr 08:00-18:00 UTC\" is no window of time; write it as Mon-Fri 08:00-18:00 "
        "Europe/Berlin" },
    { "no such hour", "08:00-25:00 UTC",
        "\"08:00-25:00 UTC\" is no window of time; write it as Mon-Fri 08:00-18:00 "
        "Europe/Berlin" },
    { "empty window", "08:00-08:00 UTC",
        "\"08:00-08:00 UTC\" is no window of time; write it as Mon-Fri 08:00-18:00 "
        "Europe/Berlin" },
    { "unknown zone", "Sat Europe/Berlim",
        "time zone \"Europe/Berlim\" is not in /usr/share/zoneinfo/; check its spelling, or "
        "write UTC or an offset such as +01:00" },
    { "path out of the folder", "Sat ../../../etc/passwd",
        "\"../../../etc/passwd\" is no time zone; write UTC, an offset such as +01:00, or a "
        "name such as Europe/Berlin" },
    { "a folder", "Sat Europe",
        "time zone \"Europe\" is not in /usr/share/zoneinfo/; check its spelling, or write "
        "UTC or an offset such as +01:00" },
    { "too much", "Sat UTC please",
        "\"Sat UTC please\" is no window of time; write it as Mon-Fri 08:00-18:00 "
        "Europe/Berlin" },
};

START_TEST(bad_window_is_refused_with_a_way_out)
{
    const struct bad_case *c = &bad[_i];
    AUTO(arena_free) struct arena *a = arena_new();
    struct pol_when w;
    struct err err = { "" };

    ck_assert_msg(
        pol_when_parse(a, str_of(c->window), &w, &err) < 0, "%s is taken", c->name);
    CASE_STR(c, err.text, c->want);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/zone");
    TCase *tc = tcase_create("zone");
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, offset_is_the_zones_own, 0, DG_ARRAY_SIZE(offsets));
    tcase_add_loop_test(tc, offsets_agree_with_the_c_library, 0, 8);
    tcase_add_loop_test(
        tc, window_holds_from_its_start_to_before_its_end, 0, DG_ARRAY_SIZE(whens));
    tcase_add_loop_test(
        tc, bad_window_is_refused_with_a_way_out, 0, DG_ARRAY_SIZE(bad));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
