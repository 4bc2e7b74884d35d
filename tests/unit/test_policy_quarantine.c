// SPDX-License-Identifier: ISC
/* The text that moves tables instead of dropping them: one statement however it is read,
 * which tries exactly what the client wrote. What it does, tests/e2e/policy_quarantine
 * asks a server. */
#include "policy/quarantine.h"

#include "lib/policy.h"
#include "sql/lex.h"

static const struct {
    const char *name, *drop;
    const char *names[3]; /* quoted */
    const char *schema;
    const char *parts[3]; /* of the text */
} cases[] = {
    { "plain", "DROP TABLE orders", { "orders" }, "attic",
        { "EXECUTE $drop$DROP TABLE orders$drop$;", "ARRAY[$name$orders$name$]",
            "$schema$attic$schema$" } },
    { "two, one quoted", "drop table if exists s.a, \"it's\"", { "s.a", "\"it's\"" },
        "My attic",
        { "ARRAY[$name$s.a$name$, $name$\"it's\"$name$]", "$schema$My attic$schema$",
            "$drop$drop table if exists s.a, \"it's\"$drop$" } },
    { "tags of its own", "DROP TABLE \"$drop$ $name$ $ddlgate$\"",
        { "\"$drop$ $name$ $ddlgate$\"" }, "$schema$",
        { "$drop1$DROP TABLE \"$drop$ $name$ $ddlgate$\"$drop1$;", "$name1$\"",
            "$schema1$$schema$$schema1$" } },
    { "comments", "DROP /* ' $x$ */ TABLE -- ;\n a$", { "\"a$\"" }, "a$",
        { "$drop$DROP /* ' $x$ */ TABLE -- ;\n a$$drop$;", "$schema$a$$schema$" } },
};

static const char *
text_of(struct arena *a, size_t i, bool is_lenient)
{
    struct pol_quarantine q = { .schema = cases[i].schema,
        .drop = str_of(cases[i].drop),
        .names = cases[i].names,
        .is_lenient = is_lenient };

    while (q.n_names < 3 && q.names[q.n_names])
        q.n_names++;
    return pol_quarantine_text(a, &q);
}

/* DO LANGUAGE plpgsql and one constant. */
static void
check_tokens(const char *text, bool std_strings)
{
    struct sql_lexer lx;
    struct sql_token tok;

    sql_lex_init(&lx, text, strlen(text), std_strings);
    for (int k = 0; k < 4; k++) {
        ck_assert_int_eq(sql_lex_next(&lx, &tok), 0);
        ck_assert_int_eq(tok.kind, k < 3 ? SQL_T_WORD : SQL_T_DOLLAR);
    }
    ck_assert_int_eq(sql_lex_next(&lx, &tok), SQL_LEX_END);
}

START_TEST(it_is_one_statement_that_tries_the_clients)
{
    size_t i = (size_t)_i;
    AUTO(arena_free) struct arena *a = arena_new();
    const char *text = text_of(a, i, false);
    struct policy_text was, is;

    for (size_t k = 0; k < 3 && cases[i].parts[k]; k++)
        ck_assert_msg(strstr(text, cases[i].parts[k]), "%s: no %s in %s", cases[i].name,
            cases[i].parts[k], text);
    check_tokens(text, true);
    check_tokens(text, false);
    policy_text_init(&was, cases[i].drop, NULL);
    policy_text_init(&is, text, NULL);
    ck_assert_msg(!is.tree->is_unparsable, "%s: %s", cases[i].name, is.tree->error);
    ck_assert_uint_eq(is.tree->n, 2);
    ck_assert_str_eq(is.tree->facts[0].tag, "DO");
    const struct sql_facts *x = &was.tree->facts[0], *y = &is.tree->facts[1];
    ck_assert_str_eq(y->tag, POL_QUARANTINE_TAG);
    ck_assert_int_eq(y->parent, 0);
    ck_assert_uint_eq(y->n_objects, x->n_objects);
    for (size_t k = 0; k < x->n_objects; k++)
        ck_assert_str_eq(y->objects[k].name, x->objects[k].name);
    policy_text_deinit(&was);
    policy_text_deinit(&is);
}
END_TEST

START_TEST(what_cannot_be_moved_is_dropped_only_where_policy_says_so)
{
    AUTO(arena_free) struct arena *a = arena_new();

    ck_assert_ptr_nonnull(
        strstr(text_of(a, 0, false), "v_lenient constant boolean := false;"));
    ck_assert_ptr_nonnull(
        strstr(text_of(a, 0, true), "v_lenient constant boolean := true;"));
    /* an Execute is judged by the text that its Parse has sent */
    ck_assert_str_eq(text_of(a, 0, true), text_of(a, 0, true));
}
END_TEST

START_TEST(policy_names_the_schema)
{
    struct pol *p = policy_of(
        "[policy]\nenvironment = production\n[check drop-table]\naction = "
        "rewrite\nquarantine = attic\n");
    struct pol *none = policy_of("[policy]\nenvironment = production\n");

    ck_assert_str_eq(pol_quarantine_schema(p), "attic");
    ck_assert_ptr_null(pol_quarantine_schema(none));
    ref_drop(p);
    ref_drop(none);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("policy/quarantine");
    TCase *tc = tcase_create("quarantine");

    tcase_add_loop_test(
        tc, it_is_one_statement_that_tries_the_clients, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, what_cannot_be_moved_is_dropped_only_where_policy_says_so);
    tcase_add_test(tc, policy_names_the_schema);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
