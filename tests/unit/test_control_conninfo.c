// SPDX-License-Identifier: ISC
/* Connection strings: what of the database's entry and of `control` ends up where. */
#include "control/control.h"
#include "lib/unit.h"

#include <errno.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
    const char *name;
    const char *upstream, *dbname, *control;
    const char *want; /* NULL: -EINVAL */
} overlays[] = {
    { "control adds the login", "host=10.0.0.5 port=5432", "shop", "user=gate",
        "dbname='shop' user='gate' host='10.0.0.5' port='5432'" },
    { "the entry's database wins", "host=h dbname=real", "alias", "user=gate",
        "dbname='real' user='gate' host='h'" },
    { "control names no database", "host=h", "shop", "user=gate dbname=postgres",
        "dbname='shop' user='gate' host='h'" },
    { "control's keys go over the entry's", "host=h user=app password=x", "d",
        "user=gate password=y", "dbname='d' user='gate' password='y' host='h'" },
    { "quotes and backslashes survive", "host=h", "it's \\ odd", "user='a b'",
        "dbname='it\\'s \\\\ odd' user='a b' host='h'" },
    { "URIs are strings, too", "postgresql://h:5433/d", NULL, "",
        "dbname='d' host='h' port='5433'" },
    { "a database with = is a name, no string", "host=h", "user=root host=evil", "",
        "dbname='user=root host=evil' host='h'" },
    { "nothing is a string", "", NULL, "", "" },
    { "bad entry", "host", "d", "", NULL },
    { "bad control", "host=h", "d", "user", NULL },
    { "unknown keyword", "host=h nonsense=1", "d", "", NULL },
};

/* libpq lists its keywords in its own order, which differs between versions. */
static void
check_has(const char *name, const char *got, const char *want)
{
    char options[8][64];
    size_t n = 0, len = 0;
    const char *p = want;

    while (*p) {
        const char *end = strstr(p, "' ");
        size_t k = end ? (size_t)(end - p) + 1 : strlen(p);
        ck_assert(n < 8 && k < 64);
        memcpy(options[n], p, k);
        options[n++][k] = 0;
        len += k;
        p += k + (end != NULL);
    }
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(
            strstr(got, options[i]), "%s: no %s in %s", name, options[i], got);
    len += n ? n - 1 : 0;
    ck_assert_msg(strlen(got) == len, "%s: %s", name, got);
}

START_TEST(control_goes_over_upstream)
{
    char *out = NULL;
    struct err err = { "" };
    int r = ctl_conninfo(
        overlays[_i].upstream, overlays[_i].dbname, overlays[_i].control, &out, &err);

    CASE_INT(&overlays[_i], r, overlays[_i].want ? 0 : -EINVAL);
    if (overlays[_i].want)
        check_has(overlays[_i].name, out, overlays[_i].want);
    else
        ck_assert_str_ne(err.text, "");
    mem_free(out);
}
END_TEST

START_TEST(error_does_not_quote_the_string)
{
    char *out = NULL;
    struct err err = { "" };

    ck_assert_int_eq(
        ctl_conninfo("host=h password=my geheim", "d", "user=g", &out, &err), -EINVAL);
    ck_assert_ptr_null(strstr(err.text, "geheim"));
    ck_assert(
        str_prefix(err.text, "the database's entry is not a libpq connection string"));
}
END_TEST

static const struct {
    const char *name, *sql, *value, *want; /* want NULL: refused */
} binds[] = {
    { "a name", "SELECT $1", "app", "SELECT 'app'" },
    { "every place", "$1,$1", "a", "'a','a'" },
    { "other parameters stay", "$10 $2 $", "a", "$10 $2 $" },
    { "quotes are doubled", "= $1;", "o'; DROP TABLE x; --",
        "= 'o''; DROP TABLE x; --';" },
    { "a backslash is one", "$1", "a\\' OR 1=1", "'a\\'' OR 1=1'" },
    { "a value is not read again", "$1 $1", "$1", "'$1' '$1'" },
    { "empty", "$1", "", "''" },
    { "characters", "$1", "zażółć", "'zażółć'" },
    { "broken UTF-8", "$1", "\xc0'", NULL },
};

START_TEST(value_becomes_a_constant)
{
    char *out = NULL;
    struct err err = { "" };
    int r = ctl_bind(binds[_i].sql, binds[_i].value, &out, &err);

    CASE_INT(&binds[_i], r, binds[_i].want ? 0 : -EINVAL);
    if (binds[_i].want)
        CASE_STR(&binds[_i], out, binds[_i].want);
    mem_free(out);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("control_conninfo");
    TCase *tc = tcase_create("conninfo");

    tcase_add_loop_test(tc, control_goes_over_upstream, 0, DG_ARRAY_SIZE(overlays));
    tcase_add_test(tc, error_does_not_quote_the_string);
    tcase_add_loop_test(tc, value_becomes_a_constant, 0, DG_ARRAY_SIZE(binds));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
