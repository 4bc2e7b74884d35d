// SPDX-License-Identifier: ISC
/* COPY data becomes the rows that the server would make of it, or an error. */
#include "lib/hist.h"

#include <errno.h>

#define DATA(s)   s, sizeof(s) - 1
#define SIGNATURE "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"

static const struct {
    const char *name;
    const char *options; /* behind FROM STDIN */
    const char *data;
    size_t len;
    const char *rows; /* "version|name;..."; ~ null; NULL: an error */
} cases[] = {
    { "no data", "", DATA(""), "" },
    { "text", "", DATA("1\ta\n2\tb\n"), "1|a;2|b" },
    { "text without the last newline", "", DATA("1\ta"), "1|a" },
    { "text with CRLF", "", DATA("1\ta\r\n2\tb\r\n"), "1|a;2|b" },
    { "text null", "", DATA("1\t\\N\n"), "1|~" },
    { "text null within a value", "", DATA("1\ta\\N\n"), "1|aN" },
    { "text empty value", "", DATA("1\t\n"), "1|" },
    { "text escapes", "", DATA("\\x31\\60\\b\t\\\\\\t\\v\\q\\x\n"), "10\b|\\\t\vqx" },
    { "text escaped delimiter", "", DATA("1\ta\\\tb\n"), "1|a\tb" },
    { "text escaped newline", "", DATA("1\ta\\\nb\n"), "1|a\nb" },
    { "text, other delimiter and null", "(DELIMITER ',', NULL 'nil')",
        DATA("1,nil\n2,\\N\n"), "1|~;2|N" },
    { "text, header", "(HEADER)", DATA("version\tname\n1\ta\n"), "1|a" },
    { "text, header that must fit", "(HEADER match)", DATA("version\tname\n1\ta\n"),
        "1|a" },
    { "text, no header", "(HEADER false)", DATA("1\ta\n"), "1|a" },
    { "text, end of data", "", DATA("1\ta\n\\.\n"), "1|a" },
    { "text, data behind its end", "", DATA("1\ta\n\\.\n2\tb\n"), NULL },
    { "text, carriage return", "", DATA("1\ta\r2\tb\n"), NULL },
    { "text, a field too many", "", DATA("1\ta\n2\tb\tc\n"), NULL },
    { "text, other columns than listed", "", DATA("1\ta\tb\n"), NULL },
    { "csv", "(FORMAT csv)", DATA("1,a\n2,b\n"), "1|a;2|b" },
    { "csv, old words", "CSV", DATA("1,a\n"), "1|a" },
    { "csv quotes", "(FORMAT csv)", DATA("\"1\",\"a,\"\"b\"\"\n\"\n"), "1|a,\"b\"\n" },
    { "csv quotes in the midst", "(FORMAT csv)", DATA("1,a\"b,\"c\n"), "1|ab,c" },
    { "csv null and empty", "(FORMAT csv)", DATA("1,\n2,\"\"\n"), "1|~;2|" },
    { "csv null with a word", "(FORMAT csv, NULL 'nil')",
        DATA("1,nil\n2,\"nil\"\n3,\n"), "1|~;2|nil;3|" },
    { "csv escape", "(FORMAT csv, QUOTE '''', ESCAPE '\\')",
        DATA("'1','a\\'\\\\\\b'\n"), "1|a'\\\\b" },
    { "csv with CRLF", "(FORMAT csv)", DATA("1,a\r\n2,b\r\n"), "1|a;2|b" },
    { "csv backslash", "(FORMAT csv)", DATA("1,\\N\n"), "1|\\N" },
    { "csv, header with a newline", "(FORMAT csv, HEADER)", DATA("\"a\nb\",c\n1,a\n"),
        "1|a" },
    { "csv, open quote", "(FORMAT csv)", DATA("1,\"a\n"), NULL },
    { "csv, carriage return", "(FORMAT csv)", DATA("1,a\r2,b\n"), NULL },
    { "csv, end of data for some servers", "(FORMAT csv)", DATA("1,a\n\\.\n"), NULL },
    { "binary", "(FORMAT binary)",
        DATA(SIGNATURE "\0\2\0\0\0\1"
                       "1"
                       "\0\0\0\1"
                       "a"
                       "\377\377"),
        "1|a" },
    { "binary, old words", "WITH BINARY",
        DATA(SIGNATURE "\0\2\0\0\0\1"
                       "1"
                       "\377\377\377\377\377\377"),
        "1|~" },
    { "binary, no rows", "(FORMAT binary)", DATA(SIGNATURE "\377\377"), "" },
    { "binary without its end", "(FORMAT binary)",
        DATA(SIGNATURE "\0\2\0\0\0\1"
                       "1"
                       "\0\0\0\1"
                       "a"),
        NULL },
    { "binary, long field", "(FORMAT binary)",
        DATA(SIGNATURE "\0\1\0\0\1\0"
                       "1"),
        NULL },
    { "binary, negative length", "(FORMAT binary)",
        DATA(SIGNATURE "\0\1\377\377\377\0"
                       "1"),
        NULL },
    { "binary, negative number of fields", "(FORMAT binary)",
        DATA(SIGNATURE "\377\376"
                       "\377\377"),
        NULL },
    { "binary with row ids", "(FORMAT binary)",
        DATA("PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0\377\377"), NULL },
    { "binary behind its end", "(FORMAT binary)", DATA(SIGNATURE "\377\377x"), NULL },
    { "text for binary", "(FORMAT binary)", DATA("1\ta\n"), NULL },
    { "no data for binary", "(FORMAT binary)", DATA(""), NULL },
};

static void
put_rows(const struct hist_copy *rows, char *out, size_t size)
{
    size_t n = 0;

    out[0] = 0;
    for (size_t i = 0; i < rows->n_binds; i++) {
        const struct hist_bind *b = &rows->binds[i];
        n += (size_t)snprintf(out + n, size - n, "%s%.*s",
            i == 0      ? ""
                : i % 2 ? "|"
                        : ";",
            b->p ? (int)b->n : 1, b->p ? b->p : "~");
    }
}

START_TEST(data_becomes_rows)
{
    static const struct hist_file files[] = { { "001_a.sql", "SELECT 1;" },
        { NULL, NULL } };
    AUTO(arena_free) struct arena *a = arena_new();
    /* no byte behind it may be read */
    char *data = malloc(cases[_i].len + (cases[_i].len == 0)), sql[200], got[200];
    struct hist_copy rows;
    struct err err = { "" };
    struct hist_env e;
    struct hist_sql s;

    memcpy(data, cases[_i].data, cases[_i].len);
    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    snprintf(sql, sizeof(sql), "COPY schema_migrations (version, name) FROM STDIN %s",
        cases[_i].options);
    hist_sql_init(&s, e.set, sql);
    ck_assert_msg(s.f->write && s.f->write->copy, "%s: no form", cases[_i].name);
    int r = hist_copy_rows(a, s.f, (struct str){ data, cases[_i].len }, &rows, &err);
    if (!cases[_i].rows) {
        ck_assert_msg(r == -EINVAL && err.text[0], "%s: no error", cases[_i].name);
    } else {
        ck_assert_msg(r == 0, "%s: %s", cases[_i].name, err.text);
        put_rows(&rows, got, sizeof(got));
        ck_assert_msg(
            strcmp(got, cases[_i].rows) == 0, "%s: got %s", cases[_i].name, got);
        ck_assert_uint_eq(rows.n_rows * 2, rows.n_binds);
        ck_assert((rows.facts != NULL) == (rows.n_rows > 0));
    }
    free(data);
    hist_sql_deinit(&s);
    hist_env_free(&e);
}
END_TEST

static const char *const unread[] = { "(ENCODING 'latin1')",
    "(FORMAT csv, FORCE_NULL (name))", "(FORMAT csv, FORCE_NOT_NULL (name))",
    "(DEFAULT 'x')", "WHERE version = '1'", "(FORMAT xml)" };

START_TEST(other_forms_are_not_read)
{
    static const struct hist_file files[] = { { "001_a.sql", "SELECT 1;" },
        { NULL, NULL } };
    char sql[200];
    struct hist_env e;
    struct hist_sql s;

    hist_env_files(&e, "numbered-sql", files);
    hist_env_load(&e);
    snprintf(sql, sizeof(sql), "COPY schema_migrations FROM STDIN %s", unread[_i]);
    hist_sql_init(&s, e.set, sql);
    ck_assert_msg(s.f->write && !s.f->write->copy, "%s", unread[_i]);
    hist_sql_deinit(&s);
    hist_env_free(&e);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_copyrows");
    TCase *tc = tcase_create("copyrows");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, data_becomes_rows, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(tc, other_forms_are_not_read, 0, DG_ARRAY_SIZE(unread));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
