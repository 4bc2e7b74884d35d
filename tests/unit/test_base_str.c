// SPDX-License-Identifier: ISC
/* Numbers, lists, globs and UTF-8 are read as the header says, bad ones refused; and the
 * vocabulary's names are what they are spelled. */
#include "base/names.h"
#include "base/str.h"

#include "lib/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

struct number_case {
    const char *name, *in;
    int64_t min, max;
    int ret;
    int64_t out;
};

static const struct number_case numbers[] = {
    { "zero", "0", 0, 9, 0, 0 },
    { "leading zeros", "007", 0, 9, 0, 7 },
    { "negative", "-5", -9, 9, 0, -5 },
    { "largest", "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
    { "smallest", "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
    { "one too many", "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
    { "one too few", "-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0 },
    { "far too many", "99999999999999999999999999", 0, INT64_MAX, -ERANGE, 0 },
    { "wraps to a small one", "18446744073709551617", 0, INT64_MAX, -ERANGE, 0 },
    { "above max", "10", 0, 9, -ERANGE, 0 },
    { "below min", "-1", 0, 9, -ERANGE, 0 },
    { "empty", "", 0, 9, -EINVAL, 0 },
    { "sign only", "-", -9, 9, -EINVAL, 0 },
    { "plus", "+1", 0, 9, -EINVAL, 0 },
    { "space before", " 1", 0, 9, -EINVAL, 0 },
    { "space after", "1 ", 0, 9, -EINVAL, 0 },
    { "hexadecimal", "0x1", 0, 9, -EINVAL, 0 },
    { "fraction", "1.5", 0, 9, -EINVAL, 0 },
    { "not a number though too long", "99999999999999999999999999x", 0, 9, -EINVAL, 0 },
};

START_TEST(number_is_whole_and_in_range_or_refused)
{
    const struct number_case *c = &numbers[_i];
    int64_t out = 4711;

    CASE_INT(c, str_int64(str_of(c->in), c->min, c->max, &out), c->ret);
    CASE_INT(c, out, c->ret ? 4711 : c->out);
}
END_TEST

struct unit_case {
    const char *name, *in;
    int ret;
    int64_t out;
};

static const struct unit_case sizes[] = {
    { "plain bytes", "123", 0, 123 },
    { "B", "7B", 0, 7 },
    { "kB", "64kB", 0, 65536 },
    { "MB after a space", "16 MB", 0, 16 << 20 },
    { "GB", "1GB", 0, 1 << 30 },
    { "TB", "2TB", 0, INT64_C(2) << 40 },
    { "PostgreSQL's units have one spelling", "1mb", -EINVAL, 0 },
    { "unknown unit", "1PB", -EINVAL, 0 },
    { "no number", "MB", -EINVAL, 0 },
    { "empty", "", -EINVAL, 0 },
    { "negative", "-1MB", -EINVAL, 0 },
    { "fraction", "1.5MB", -EINVAL, 0 },
    { "overflow by the unit", "8388608TB", -ERANGE, 0 },
    { "overflow by the number", "99999999999999999999", -ERANGE, 0 },
};

START_TEST(size_has_a_unit_of_postgresql)
{
    const struct unit_case *c = &sizes[_i];
    uint64_t out = 4711;

    CASE_INT(c, str_size(str_of(c->in), &out), c->ret);
    CASE_INT(c, out, c->ret ? 4711 : c->out);
}
END_TEST

static const struct unit_case durations[] = {
    { "plain in the setting's unit", "3", 0, 3000 },
    { "ms", "200ms", 0, 200 },
    { "s", "5s", 0, 5000 },
    { "min", "2min", 0, 120000 },
    { "h", "1h", 0, 3600000 },
    { "d", "1 d", 0, 86400000 },
    { "zero", "0", 0, 0 },
    { "m could be a month", "2m", -EINVAL, 0 },
    { "words", "five s", -EINVAL, 0 },
    { "negative", "-1", -EINVAL, 0 },
    { "overflow", "106751991168d", -ERANGE, 0 },
};

START_TEST(duration_has_a_unit_of_postgresql)
{
    const struct unit_case *c = &durations[_i];
    int64_t out = 4711;

    CASE_INT(c, str_duration(str_of(c->in), 1000, &out), c->ret);
    CASE_INT(c, out, c->ret ? 4711 : c->out);
}
END_TEST

START_TEST(bool_has_eight_spellings)
{
    static const char *const yes[] = { "on", "YES", "True", "1" };
    static const char *const no[] = { "off", "No", "FALSE", "0" };
    static const char *const bad[] = { "", "y", "t", "2", "onn", "on " };
    bool out;

    for (size_t i = 0; i < DG_ARRAY_SIZE(yes); i++) {
        ck_assert_int_eq(str_bool(str_of(yes[i]), &out), 0);
        ck_assert(out);
        ck_assert_int_eq(str_bool(str_of(no[i]), &out), 0);
        ck_assert(!out);
    }
    for (size_t i = 0; i < DG_ARRAY_SIZE(bad); i++)
        ck_assert_int_eq(str_bool(str_of(bad[i]), &out), -EINVAL);
}
END_TEST

struct list_case {
    const char *name, *in, *out; /* items as "<a><b>" */
};

static const struct list_case lists[] = {
    { "none", "", "" },
    { "blank", " \t ", "" },
    { "one", "a", "<a>" },
    { "trimmed", "  a b ,c\t,  d", "<a b><c><d>" },
    { "empty in the middle", "a,,b", "<a><><b>" },
    { "empty at the start", ", a", "<><a>" },
    { "comma at the end", "a, ", "<a>" },
    { "only a comma", ",", "<>" },
};

START_TEST(list_is_cut_at_commas)
{
    const struct list_case *c = &lists[_i];
    struct str rest = str_of(c->in), item;
    char got[100] = "";
    size_t n = 0;

    while (str_next_item(&rest, &item))
        n += (size_t)snprintf(got + n, sizeof(got) - n, "<%.*s>", (int)item.n, item.p);
    CASE_STR(c, got, c->out);
}
END_TEST

static const struct list_case lines[] = {
    { "empty", "", "" },
    { "one", "a b", "<a b>" },
    { "newline at the end", "a\nb\n", "<a><b>" },
    { "empty ones", "\n\na\n\n", "<><><a><>" },
    { "carriage return stays", "a\r\nb", "<a\r><b>" },
};

START_TEST(text_is_cut_at_newlines)
{
    const struct list_case *c = &lines[_i];
    struct str rest = str_of(c->in), line;
    char got[100] = "";
    size_t n = 0;

    while (str_next_line(&rest, &line))
        n += (size_t)snprintf(got + n, sizeof(got) - n, "<%.*s>", (int)line.n, line.p);
    CASE_STR(c, got, c->out);
}
END_TEST

START_TEST(hex_digits_have_values)
{
    const char *digits = "0123456789abcdef";
    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(digits, ascii_lower((char)c)) : NULL;
        ck_assert_int_eq(ascii_hex_value((char)c), at ? (int)(at - digits) : -1);
    }
}
END_TEST

struct glob_case {
    const char *name, *pattern, *s;
    bool is_match;
};

static const struct glob_case globs[] = {
    { "same", "abc", "abc", true },
    { "case counts", "abc", "aBc", false },
    { "empty pattern, empty text", "", "", true },
    { "empty pattern", "", "a", false },
    { "star matches nothing", "*", "", true },
    { "star matches all", "*", "a.b", true },
    { "prefix", "deploy_*", "deploy_ci", true },
    { "prefix is anchored", "deploy_*", "xdeploy_ci", false },
    { "suffix", "*_prod", "shop_prod", true },
    { "suffix takes the last", "*_prod", "a_prod_prod", true },
    { "suffix is anchored", "*_prod", "shop_prod2", false },
    { "middle", "a*c*e", "abcde", true },
    { "middle has an order", "a*c*e", "aecd", false },
    { "two stars are one", "a**b", "ab", true },
    { "pieces don't overlap", "aba*aba", "ababa", false },
    { "question mark", "a?c", "abc", true },
    { "question mark wants a byte", "a?", "a", false },
    { "question marks after a star", "*??", "a", false },
    { "star of the text", "a*", "a*", true },
    { "longer pattern", "abc", "ab", false },
};

START_TEST(glob_matches_as_described)
{
    const struct glob_case *c = &globs[_i];

    CASE_INT(c, str_glob(c->pattern, c->s), c->is_match);
}
END_TEST

static int64_t
cpu_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(glob_is_linear_where_backtracking_explodes)
{
    size_t n = 1 << 20;
    char *s = malloc(n + 1);

    ck_assert_ptr_nonnull(s);
    memset(s, 'a', n);
    s[n] = 0;
    int64_t start = cpu_ms();
    ck_assert(!str_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab", s));
    ck_assert(!str_glob("*aaaaaaaaaaaaaaaaaaaaab", s));
    ck_assert(str_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", s));
    /* Hundreds of thousands of years by naive recursion; well under a second here. */
    ck_assert_int_lt(cpu_ms() - start, 10000);
    free(s);
}
END_TEST

struct utf8_case {
    const char *name, *in;
    size_t len;
    uint32_t c;
};

static const struct utf8_case utf8[] = {
    { "ascii", "a", 1, 'a' },
    { "two", "\xc3\xa4", 2, 0xe4 },
    { "two, first", "\xc2\x80", 2, 0x80 },
    { "three", "\xe2\x82\xac", 3, 0x20ac },
    { "three, first", "\xe0\xa0\x80", 3, 0x800 },
    { "before the surrogates", "\xed\x9f\xbf", 3, 0xd7ff },
    { "after the surrogates", "\xee\x80\x80", 3, 0xe000 },
    { "four", "\xf0\x9f\x98\x80", 4, 0x1f600 },
    { "four, first", "\xf0\x90\x80\x80", 4, 0x10000 },
    { "four, last", "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
    { "lone continuation", "\x80", 0, 0 },
    { "overlong of two", "\xc0\xaf", 0, 0 },
    { "overlong of two, last", "\xc1\xbf", 0, 0 },
    { "overlong of three", "\xe0\x9f\xbf", 0, 0 },
    { "overlong of four", "\xf0\x8f\xbf\xbf", 0, 0 },
    { "surrogate", "\xed\xa0\x80", 0, 0 },
    { "above the last", "\xf4\x90\x80\x80", 0, 0 },
    { "five bytes", "\xf8\x88\x80\x80\x80", 0, 0 },
    { "ff", "\xff", 0, 0 },
    { "cut after one of two", "\xc3", 0, 0 },
    { "cut after three of four", "\xf0\x9f\x98", 0, 0 },
    { "broken in the middle", "\xe2\x28\xac", 0, 0 },
};

START_TEST(utf8_is_rfc_3629)
{
    const struct utf8_case *c = &utf8[_i];
    size_t len = str_utf8_len(c->in, strlen(c->in));

    CASE_INT(c, len, c->len);
    if (len)
        CASE_INT(c, str_utf8_char(c->in, len), c->c);
}
END_TEST

START_TEST(every_character_is_read_back)
{
    for (uint32_t c = 0x80; c < 0x110000; c++) {
        char b[4];
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n; i-- > 1;)
            b[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
        b[0] = (char)((0xf00 >> n & 0xff) | c >> 6 * (n - 1));
        bool is_surrogate = c >= 0xd800 && c < 0xe000;
        bool is_right = str_utf8_len(b, n) == (is_surrogate ? 0 : n)
            && str_utf8_len(b, n - 1) == 0
            && (is_surrogate || str_utf8_char(b, n) == c);
        if (!is_right) /* an assertion each is slow */
            ck_abort_msg("U+%04" PRIX32, c);
    }
}
END_TEST

START_TEST(characters_are_counted_and_broken_bytes_too)
{
    ck_assert_uint_eq(str_utf8_count("", 0), 0);
    ck_assert_uint_eq(str_utf8_count("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10), 4);
    ck_assert_uint_eq(str_utf8_count("\xff\xc3"
                                     "a",
                          3),
        3);
    ck_assert_uint_eq(str_utf8_count("\xe2\x82\xac", 2), 2);
}
END_TEST

START_TEST(deceptive_characters_are_known)
{
    static const uint32_t bad[] = { 0, 9, 10, 0x1b, 0x7f, 0x85, 0x9f, 0x61c, 0x200e,
        0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff };
    static const uint32_t good[] = { ' ', '~', 0xa0, 0xe4, 0x200d, 0x2027, 0x202f,
        0x2065, 0x206a, 0x1f600 };

    for (size_t i = 0; i < DG_ARRAY_SIZE(bad); i++)
        ck_assert_msg(str_char_is_deceptive(bad[i]), "U+%04" PRIX32, bad[i]);
    for (size_t i = 0; i < DG_ARRAY_SIZE(good); i++)
        ck_assert_msg(!str_char_is_deceptive(good[i]), "U+%04" PRIX32, good[i]);
}
END_TEST

START_TEST(strings_compare_by_length_and_bytes)
{
    ck_assert(str_eq(STR("a\0b"), STR("a\0b")));
    ck_assert(!str_eq(STR("a\0b"), STR("a\0c")));
    ck_assert(!str_eqz(STR("a\0b"), "a"));
    ck_assert(str_eq((struct str){ NULL, 0 }, STR("")));
    ck_assert(str_eq(str_of(NULL), STR("")));
    ck_assert(str_ieqz(STR("Alter"), "aLTER"));
    ck_assert(!str_ieqz(STR("\xc3\x84"), "\xc3\xa4")); /* ASCII only */
    ck_assert(!str_ieqz(STR("@"), "`"));
    ck_assert(str_eqz(str_trim(STR(" \t\r\n a b \v\f")), "a b"));
    ck_assert_uint_eq(str_trim(STR("  ")).n, 0);
    ck_assert(
        str_prefix("abc", "ab") && !str_prefix("ab", "abc") && str_prefix("ab", ""));
    ck_assert(
        str_suffix("abc", "bc") && !str_suffix("bc", "abc") && str_suffix("ab", ""));
}
END_TEST

START_TEST(action_names_are_read_back_and_ordered)
{
    static const char *const names[] = { "allow", "note", "warn", "rewrite", "hold",
        "reject" };
    enum dg_action action;

    for (unsigned i = 0; i < DG_ARRAY_SIZE(names); i++) {
        ck_assert_str_eq(dg_action_name((enum dg_action)i), names[i]);
        ck_assert_int_eq(dg_action_parse(str_of(names[i]), &action), 0);
        ck_assert_uint_eq(action, i);
    }
    ck_assert_int_eq(dg_action_parse(STR("block"), &action), -EINVAL);
    ck_assert_int_eq(dg_action_parse(STR(""), &action), -EINVAL);
}
END_TEST

START_TEST(class_lists_are_sets_and_name_the_first_unknown_word)
{
    static const char *const names[] = { "ddl", "code", "dcl", "maintenance", "cluster",
        "history" };
    unsigned set;
    struct str bad;

    for (unsigned i = 0; i < DG_ARRAY_SIZE(names); i++) {
        ck_assert_str_eq(dg_class_name((enum dg_class)(1u << i)), names[i]);
        ck_assert_int_eq(dg_classes_parse(str_of(names[i]), &set, &bad), 0);
        ck_assert_uint_eq(set, 1u << i);
    }
    ck_assert_str_eq(dg_class_name(DG_OTHER), "other");
    ck_assert_int_eq(dg_classes_parse(STR("ddl, CODE,dcl"), &set, &bad), 0);
    ck_assert_uint_eq(set, DG_MIGRATE_DEFAULT);
    ck_assert_int_eq(dg_classes_parse(STR(""), &set, &bad), 0);
    ck_assert_uint_eq(set, 0);
    set = 4711;
    ck_assert_int_eq(dg_classes_parse(STR("ddl, dml, x"), &set, &bad), -EINVAL);
    ck_assert(str_eqz(bad, "dml"));
    ck_assert_uint_eq(set, 4711);
    ck_assert_int_eq(dg_classes_parse(STR("ddl,,code"), &set, &bad), -EINVAL);
}
END_TEST

START_TEST(migration_states_are_named)
{
    static const char *const names[] = { "pending", "running", "applied", "edited",
        "out of order", "missing", "failed" };

    for (unsigned i = 0; i < DG_ARRAY_SIZE(names); i++)
        ck_assert_str_eq(dg_migration_state_name((enum dg_migration_state)i), names[i]);
}
END_TEST

#define ADD_TABLE(tc, test, table) \
    tcase_add_loop_test(tc, test, 0, DG_ARRAY_SIZE(table))

static Suite *
suite(void)
{
    Suite *s = suite_create("base_str");
    TCase *tc = tcase_create("str");

    ADD_TABLE(tc, number_is_whole_and_in_range_or_refused, numbers);
    ADD_TABLE(tc, size_has_a_unit_of_postgresql, sizes);
    ADD_TABLE(tc, duration_has_a_unit_of_postgresql, durations);
    tcase_add_test(tc, bool_has_eight_spellings);
    ADD_TABLE(tc, list_is_cut_at_commas, lists);
    ADD_TABLE(tc, text_is_cut_at_newlines, lines);
    tcase_add_test(tc, hex_digits_have_values);
    ADD_TABLE(tc, glob_matches_as_described, globs);
    tcase_add_test(tc, glob_is_linear_where_backtracking_explodes);
    ADD_TABLE(tc, utf8_is_rfc_3629, utf8);
    tcase_add_test(tc, every_character_is_read_back);
    tcase_add_test(tc, characters_are_counted_and_broken_bytes_too);
    tcase_add_test(tc, deceptive_characters_are_known);
    tcase_add_test(tc, strings_compare_by_length_and_bytes);
    tcase_add_test(tc, action_names_are_read_back_and_ordered);
    tcase_add_test(tc, class_lists_are_sets_and_name_the_first_unknown_word);
    tcase_add_test(tc, migration_states_are_named);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
