// SPDX-License-Identifier: ISC
/* Versions, names, and the way from a file's bytes to the SQL that the server gets. */
#include "history/source.h"
#include "lib/unit.h"

#include <errno.h>

/* --- versions --------------------------------------------------------------------------- */

static const struct {
    const char *name, *a, *b;
    int order;
} versions[] = {
    { "numbers, not texts", "9", "10", -1 },
    { "leading zeros don't count", "013", "13", 0 },
    { "missing parts are zero", "1", "1.0.0", 0 },
    { "parts are numbers", "1.9", "1.10", -1 },
    { "separators are alike", "1_2", "1.2", 0 },
    { "longer than any integer", "99999999999999999999998", "99999999999999999999999",
        -1 },
    { "a later part decides", "1.2.3", "1.2.4", -1 },
    { "more parts are more", "1.2", "1.2.1", -1 },
    { "zeros are zero", "000", "0", 0 },
    { "dates", "20240101120000", "20231231235959", 1 },
};

START_TEST(version_is_compared_part_by_part)
{
    CASE_INT(&versions[_i], hist_version_cmp(versions[_i].a, versions[_i].b),
        versions[_i].order);
    CASE_INT(&versions[_i], hist_version_cmp(versions[_i].b, versions[_i].a),
        -versions[_i].order);
}
END_TEST

static const struct {
    const char *name, *version, *next;
} nexts[] = {
    { "width is kept", "012", "013" },
    { "width grows at the end", "999", "1000" },
    { "carries", "099", "100" },
    { "last part counts", "1.9", "1.10" },
    { "separator is kept", "2_07", "2_08" },
    { "no number", "x", "1" },
};

START_TEST(next_version_keeps_the_style)
{
    char out[64];

    hist_version_next(nexts[_i].version, out, sizeof(out));
    CASE_STR(&nexts[_i], out, nexts[_i].next);
}
END_TEST

START_TEST(version_is_digits_and_single_separators)
{
    static const char *const good[] = { "1", "013", "1.2", "1_2.3" };
    static const char *const bad[] = { "", ".", "1.", ".1", "1..2", "1a", "v1", "1 2",
        "-1" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(good); i++)
        ck_assert_msg(hist_version_is_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < DG_ARRAY_SIZE(bad); i++)
        ck_assert_msg(!hist_version_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

static const struct {
    const char *name, *a, *b;
    bool is_eq;
} names[] = {
    { "same", "add_note", "add_note", true },
    { "blanks for underscores", "add note", "add_note", true },
    { "case", "Add-Note", "add_note", true },
    { "other word", "add_notes", "add_note", false },
    { "words run together", "addnote", "add_note", false },
    { "empty", "", "x", false },
    { "end is no gap", "add_note_", "add_note", true },
    { "letters beyond ASCII count", "zo\xc3\xab", "zo", false },
};

START_TEST(name_is_compared_by_words)
{
    CASE_INT(&names[_i], hist_name_eq(names[_i].a, names[_i].b), names[_i].is_eq);
    CASE_INT(&names[_i], hist_name_eq(names[_i].b, names[_i].a), names[_i].is_eq);
}
END_TEST

/* --- texts ------------------------------------------------------------------------------ */

static const struct {
    const char *name, *text;
    const char *want; /* after blanking; NULL: an error */
    const char *error;
} texts[] = {
    { "copied rows", "copy t from stdin with csv;\nx\n\\.\nA;",
        "copy t from stdin with csv;\n \n  \nA;", NULL },
    { "copied rows without an end", "A;\nCOPY t FROM STDIN;\n1\n", NULL,
        "f.sql:2: COPY ... FROM STDIN whose data don't end; add a line \\." },
    { "backslashes are the tool's to send", "\\set x\n", "\\set x\n", NULL },
    { "so are colons", "SELECT :x;\n", "SELECT :x;\n", NULL },
    { "broken text is left to the scan", "A 'x", "A 'x", NULL },
};

START_TEST(text_is_what_the_server_gets)
{
    struct err err = { "" };
    char *text = strdup(texts[_i].text);
    int r = hist_text_blank("f.sql", text, strlen(text), &err);

    CASE_STR(&texts[_i], err.text, texts[_i].error ? texts[_i].error : "");
    CASE_INT(&texts[_i], r, texts[_i].want ? 0 : -EINVAL);
    if (texts[_i].want)
        CASE_STR(&texts[_i], text, texts[_i].want);
    free(text);
}
END_TEST

static const struct {
    const char *name, *text;
    size_t n;
    const char *error;
} bytes[] = {
    { "plain", "SELECT '\xc3\xa9';", 12, "" },
    { "Latin-1", "a\nb\xe9", 4,
        "f.sql:2: byte 0xe9 is not valid UTF-8; save the file as UTF-8" },
    { "zero byte", "a\0b", 3, "f.sql:1: a zero byte; save the file as UTF-8" },
    { "cut sequence", "\xe2\x82", 2,
        "f.sql:1: byte 0xe2 is not valid UTF-8; save the file as UTF-8" },
    { "overlong", "\xc0\xaf", 2,
        "f.sql:1: byte 0xc0 is not valid UTF-8; save the file as UTF-8" },
    { "nothing", "", 0, "" },
};

START_TEST(only_utf8_is_read)
{
    struct err err = { "" };
    int r = hist_text_check("f.sql", bytes[_i].text, bytes[_i].n, &err);

    CASE_STR(&bytes[_i], err.text, bytes[_i].error);
    CASE_INT(&bytes[_i], r, bytes[_i].error[0] ? -EILSEQ : 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_text");
    TCase *tc = tcase_create("text");

    tcase_add_loop_test(
        tc, version_is_compared_part_by_part, 0, DG_ARRAY_SIZE(versions));
    tcase_add_loop_test(tc, next_version_keeps_the_style, 0, DG_ARRAY_SIZE(nexts));
    tcase_add_test(tc, version_is_digits_and_single_separators);
    tcase_add_loop_test(tc, name_is_compared_by_words, 0, DG_ARRAY_SIZE(names));
    tcase_add_loop_test(tc, text_is_what_the_server_gets, 0, DG_ARRAY_SIZE(texts));
    tcase_add_loop_test(tc, only_utf8_is_read, 0, DG_ARRAY_SIZE(bytes));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
