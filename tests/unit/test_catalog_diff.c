// SPDX-License-Identifier: ISC
/* Two schemas as people read their difference. */
#include "catalog/catalog.h"
#include "lib/unit.h"

#include "base/mem.h"

/* kind, name, parent, property, value; kind NULL ends. */
struct fact {
    const char *cells[5];
};

static struct cat *
make(const struct fact *facts)
{
    struct dg_rows rows = { .n_cols = 5 };
    struct cat *c = NULL;
    struct err err = { "" };

    while (facts[rows.n_rows].cells[0])
        rows.n_rows++;
    rows.cells = mem_array(rows.n_rows * 5 + 1, sizeof(char *));
    for (size_t i = 0; i < rows.n_rows * 5; i++)
        rows.cells[i] = mem_strdup(facts[i / 5].cells[i % 5]);
    ck_assert_msg(cat_new(&rows, &c, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < rows.n_rows * 5; i++)
        mem_free(rows.cells[i]);
    mem_free(rows.cells);
    return c;
}

#define TABLE(name)                     \
    {                                   \
        {                               \
            "table", name, NULL, "", "" \
        }                               \
    }
#define COLUMN(table, name, property, value)                 \
    {                                                        \
        {                                                    \
            "column", table "." name, table, property, value \
        }                                                    \
    }
#define OBJECT(kind, name, property, value)   \
    {                                         \
        {                                     \
            kind, name, NULL, property, value \
        }                                     \
    }

static const struct {
    const char *name;
    struct fact before[8], after[8];
    const char *text;
} cases[] = {
    { "nothing", { TABLE("public.a") }, { TABLE("public.a") }, "" },
    { "the order of rows says nothing", { TABLE("public.b"), TABLE("public.a") },
        { TABLE("public.a"), TABLE("public.b") }, "" },
    { "a new table without its columns", { { { NULL } } },
        { COLUMN("public.a", "x", "", ""), COLUMN("public.a", "x", "type", "integer"),
            TABLE("public.a") },
        "+ table public.a\n" },
    { "a table gone without its columns",
        { COLUMN("public.a", "x", "", ""), TABLE("public.a") }, { { { NULL } } },
        "- table public.a\n" },
    { "a new column tells its type", { TABLE("public.a") },
        { TABLE("public.a"), COLUMN("public.a", "x", "", ""),
            COLUMN("public.a", "x", "not null", "yes"),
            COLUMN("public.a", "x", "type", "integer") },
        "+ column public.a.x: integer\n" },
    { "an index gone",
        { TABLE("public.a"), { { "index", "public.i", "public.a", "", "" } },
            { { "index", "public.i", "public.a", "definition", "CREATE INDEX i" } } },
        { TABLE("public.a") }, "- index public.i: CREATE INDEX i\n" },
    { "a changed type",
        { TABLE("public.orders"), COLUMN("public.orders", "total", "", ""),
            COLUMN("public.orders", "total", "type", "integer") },
        { TABLE("public.orders"), COLUMN("public.orders", "total", "", ""),
            COLUMN("public.orders", "total", "type", "bigint") },
        "~ column public.orders.total: type integer -> bigint\n" },
    { "properties come and go",
        { TABLE("public.a"), COLUMN("public.a", "x", "", ""),
            COLUMN("public.a", "x", "not null", "yes") },
        { TABLE("public.a"), COLUMN("public.a", "x", "", ""),
            COLUMN("public.a", "x", "default", "") },
        "~ column public.a.x: default (none) -> ''\n"
        "~ column public.a.x: not null yes -> (none)\n" },
    { "one kind renamed into another", { OBJECT("view", "public.v", "", "") },
        { OBJECT("materialized view", "public.v", "", "") },
        "+ materialized view public.v\n- view public.v\n" },
    { "a text of several lines",
        { OBJECT("function", "public.f()", "definition", "a\nb\nc\nd\ne\nf\ng\nh") },
        { OBJECT(
            "function", "public.f()", "definition", "a\nb\nc\nd\ne\nF\nF2\ng\nh") },
        "~ function public.f(): definition\n"
        "    ...\n      d\n      e\n    - f\n    + F\n    + F2\n      g\n      h\n" },
    { "nothing reaches the terminal", { OBJECT("table", "public.a", "comment", "x") },
        { OBJECT("table", "public.a", "comment", "\x1b[2Jx\xff") },
        "~ table public.a: comment x -> ?[2Jx?\n" },
};

START_TEST(diff_reads_well)
{
    const char *want = cases[_i].text;
    AUTO(cat_free) struct cat *a = make(cases[_i].before);
    AUTO(cat_free) struct cat *b = make(cases[_i].after);
    AUTO(cat_diff_deinit) struct cat_diff d;
    AUTO(buf_deinit) struct buf out = BUF_INIT(10000);

    cat_diff(&d, a, b);
    ck_assert(cat_diff_text(&d, "", 0, &out));
    CASE_STR(&cases[_i], buf_cstr(&out), want);
}
END_TEST

START_TEST(many_changes_are_cut)
{
    const struct fact none[] = { { { NULL } } };
    const struct fact some[] = { TABLE("a"), TABLE("b"), TABLE("c"), { { NULL } } };
    AUTO(cat_free) struct cat *a = make(none);
    AUTO(cat_free) struct cat *b = make(some);
    AUTO(cat_diff_deinit) struct cat_diff d;
    AUTO(buf_deinit) struct buf out = BUF_INIT(10000);

    cat_diff(&d, a, b);
    ck_assert(cat_diff_text(&d, "  ", 1, &out));
    ck_assert_str_eq(buf_cstr(&out), "  + table a\n  (2 more)\n");
}
END_TEST

START_TEST(a_full_buffer_is_told)
{
    const struct fact none[] = { { { NULL } } };
    const struct fact some[] = { TABLE("public.a"), { { NULL } } };
    AUTO(cat_free) struct cat *a = make(none);
    AUTO(cat_free) struct cat *b = make(some);
    AUTO(cat_diff_deinit) struct cat_diff d;
    AUTO(buf_deinit) struct buf out = BUF_INIT(5);

    cat_diff(&d, a, b);
    ck_assert(!cat_diff_text(&d, "", 0, &out));
}
END_TEST

START_TEST(json_has_every_field)
{
    const struct fact before[] = { OBJECT("table", "a", "comment", "x\n\"y\""),
        { { NULL } } };
    const struct fact after[] = { OBJECT("table", "a", "comment", "z"), TABLE("b"),
        { { NULL } } };
    AUTO(cat_free) struct cat *a = make(before);
    AUTO(cat_free) struct cat *b = make(after);
    AUTO(cat_diff_deinit) struct cat_diff d;
    AUTO(buf_deinit) struct buf out = BUF_INIT(10000);
    struct json j = JSON_INIT(&out);

    cat_diff(&d, a, b);
    cat_diff_json(&d, &j);
    ck_assert_str_eq(buf_cstr(&out),
        "[{\"op\":\"changed\",\"kind\":\"table\",\"name\":\"a\",\"property\":\"comment\","
        "\"before\":\"x\\n\\\"y\\\"\",\"after\":\"z\"},"
        "{\"op\":\"added\",\"kind\":\"table\",\"name\":\"b\"}]");
}
END_TEST

START_TEST(other_rows_are_refused)
{
    char cell[] = "x", *cells[] = { cell };
    struct dg_rows rows = { .n_rows = 1, .n_cols = 1, .cells = cells };
    struct cat *c = NULL;
    struct err err = { "" };

    ck_assert_int_lt(cat_new(&rows, &c, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "1 columns, not 5"));
}
END_TEST

START_TEST(hidden_names_are_quoted)
{
    const struct cat_options options = { .hidden_schema = "o'neill" };
    AUTO(buf_deinit) struct buf sql = BUF_INIT(CAT_MAX_SQL);

    cat_query(&options, &sql);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&sql), "('o''neill')"));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&sql), "property <> 'owner'"));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("catalog_diff");
    TCase *tc = tcase_create("diff");

    tcase_add_loop_test(tc, diff_reads_well, 0, (int)DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, many_changes_are_cut);
    tcase_add_test(tc, a_full_buffer_is_told);
    tcase_add_test(tc, json_has_every_field);
    tcase_add_test(tc, other_rows_are_refused);
    tcase_add_test(tc, hidden_names_are_quoted);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
