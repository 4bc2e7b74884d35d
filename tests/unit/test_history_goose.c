// SPDX-License-Identifier: ISC
/* goose's ENVSUB: which lines variables are put into, and what becomes of them. */
#include "lib/hist.h"

#define UP  "-- +goose Up\n"
#define ON  "-- +goose ENVSUB ON\n"
#define OFF "-- +goose ENVSUB OFF\n"
#define END "-- +goose StatementEnd\n"

static const char *const values[] = { "NAME", "shop", "EMPTY", "", "N_1", "0123456789",
    "SUFFIX", ";", "name", "lower" };

static void
load(struct hist_env *e, const char *text, struct err *err, int *result)
{
    struct hist_file files[] = { { "1_a.sql", text }, { NULL, NULL } };

    hist_env_files(e, "goose", files);
    e->conf.placeholders = values;
    e->conf.n_placeholders = DG_ARRAY_SIZE(values) / 2;
    *result = hist_set_load(&e->conf, &e->set, err);
}

/* --- texts ------------------------------------------------------------------------------ */

static const struct {
    const char *name, *text; /* of the Up section, behind its marker */
    const char *want;
} texts[] = {
    { "off by default", "SELECT '$NAME ${NAME} $$';\n",
        "SELECT '$NAME ${NAME} $$';\n" },
    { "on and off", ON "SELECT '$NAME';\n" OFF "SELECT '$NAME';\n",
        ON "SELECT 'shop';\n" OFF "SELECT '$NAME';\n" },
    { "any case, dashes behind", "--+goose envsub on --\nSELECT '$NAME';\n",
        "--+goose envsub on --\nSELECT 'shop';\n" },
    { "braces", ON "SELECT '${NAME}s', '$NAME-x', '${N_1:-x}';\n",
        ON "SELECT 'shops', 'shop-x', '0123456789';\n" },
    { "names mind case", ON "SELECT '$name';\n", ON "SELECT 'lower';\n" },
    { "default for what is missing", ON "SELECT '${NO:-a b}', '${NO-}', '${NO:-}';\n",
        ON "SELECT 'a b', '', '';\n" },
    { "default for what is empty", ON "SELECT '${EMPTY:-a}', '${EMPTY-a}';\n",
        ON "SELECT 'a', '';\n" },
    { "default that is not wanted", ON "SELECT '${NAME:-$NO}', '${NAME-${NO?x}}';\n",
        ON "SELECT 'shop', 'shop';\n" },
    { "default in a default", ON "SELECT '${NO:-${NO2:-<$NAME>}}';\n",
        ON "SELECT '<shop>';\n" },
    { "needed and there", ON "SELECT '${NAME?set it}${EMPTY?set it}';\n",
        ON "SELECT 'shop';\n" },
    { "parts", ON "SELECT '${N_1:7}', '${N_1:2:3}', '${N_1:-3}', '${N_1: -3}';\n",
        ON "SELECT '789', '234', '0123456789', '789';\n" },
    { "parts beyond the ends",
        ON "SELECT '${N_1:20}', '${N_1:8:20}', '${N_1: -20:2}', '${N_1:2:-3}', "
           "'${N_1:5:-9}';\n",
        ON "SELECT '', '89', '01', '23456', '';\n" },
    { "dollar signs", ON "SELECT '$$', '\\$NAME', '$(x)', '\\\\NAME';\n",
        ON "SELECT '$', '$NAME', '$(x)', '\\\\NAME';\n" },
    { "a dollar sign at the line's end", ON "SELECT 'a$\nb';\n",
        ON "SELECT 'a$\nb';\n" },
    { "the same with CR", ON "SELECT 'a$\r\nb$NAME';\r\n",
        ON "SELECT 'a$\r\nbshop';\r\n" },
    { "a body of its own dollars",
        ON "-- +goose StatementBegin\nDO $$$$ BEGIN NULL; END $$$$;\n" END,
        ON "-- +goose StatementBegin\nDO $$ BEGIN NULL; END $$;\n" END },
    { "comments before a statement stay",
        ON "-- costs $5\n\n   -- $\nSELECT\n-- $NAME\n1;\n-- $ 6\n",
        ON "-- costs $5\n\n   -- $\nSELECT\n-- shop\n1;\n-- $ 6\n" },
    { "a value that ends the statement", ON "SELECT 1$SUFFIX\n-- $ 6\n",
        ON "SELECT 1;\n-- $ 6\n" },
    { "a marker in a body is not sent",
        "-- +goose StatementBegin\nDO '\n" ON "$NAME;\n" OFF "$NAME\n';\n" END
        "SELECT 1;\n",
        "-- +goose StatementBegin\nDO '\nshop;\n$NAME\n';\n" END "\n\nSELECT 1;\n" },
    { "values are not looked at again", ON "SELECT '${NO:-$$NAME}';\n",
        ON "SELECT '$NAME';\n" },
    { "a semicolon in a comment ends nothing",
        ON "SELECT 1 -- x;\n-- $NAME\n;\n-- $ 6\n",
        ON "SELECT 1 -- x;\n-- shop\n;\n-- $ 6\n" },
};

START_TEST(variables_are_put_in)
{
    struct hist_env e;
    struct err err = { "" };
    char text[1024];
    int r;

    snprintf(text, sizeof(text), UP "%s", texts[_i].text);
    load(&e, text, &err, &r);
    ck_assert_msg(r == 0, "%s: %s", texts[_i].name, err.text);
    CASE_STR(&texts[_i], e.set->migrations[0].text + strlen(UP), texts[_i].want);
    hist_env_free(&e);
}
END_TEST

START_TEST(both_directions_see_the_marker)
{
    struct hist_env e;
    struct err err = { "" };
    int r;

    load(&e, UP ON "CREATE TABLE $NAME (x int);\n-- +goose Down\nDROP TABLE $NAME;\n",
        &err, &r);
    ck_assert_msg(r == 0, "%s", err.text);
    hist_env_read(&e, NULL, 0);
    ck_assert_int_eq(
        hist_env_match(&e, "CREATE TABLE shop (x int)").kind, HIST_MATCH_PENDING);
    ck_assert_int_eq(
        hist_env_match(&e, "CREATE TABLE $NAME (x int)").kind, HIST_MATCH_NONE);
    ck_assert_int_eq(
        hist_env_match(&e, "DROP TABLE shop").kind, HIST_MATCH_DOWN_BLOCKED);
    hist_env_free(&e);
}
END_TEST

/* --- bad files -------------------------------------------------------------------------- */

#define DOLLAR "; write $$ for a dollar sign, or ENVSUB OFF above the line"

static const struct {
    const char *name, *text, *error;
} errors[] = {
    { "no value", UP ON "SELECT '${NO}';",
        "3: variable NO has no value here; set placeholder.NO in the [migrations] section" },
    { "needed, but missing", UP ON "SELECT\n1, '${NO?oh}';",
        "4: variable NO has no value here; set placeholder.NO in the [migrations] section" },
    { "a part of nothing", UP ON "SELECT '${NO:1}';",
        "3: variable NO has no value here; set placeholder.NO in the [migrations] section" },
    { "a parameter", UP ON "SELECT $1;",
        "3: under ENVSUB ON a $ is not followed by the name of a variable" DOLLAR },
    { "no name in braces", UP ON "SELECT '${}';",
        "3: under ENVSUB ON a $ is not followed by the name of a variable" DOLLAR },
    { "open brace", UP ON "SELECT '${NAME:-x';\n}",
        "3: under ENVSUB ON a ${ has no } in the same line" DOLLAR },
    { "operation that is none", UP ON "SELECT '${NAME+x}';",
        "3: under ENVSUB ON a name in ${ is followed by none of } : - ?" DOLLAR },
    { "part that is no number", UP ON "SELECT '${NAME:a}';",
        "3: under ENVSUB ON ${NAME:from:length} needs numbers" DOLLAR },
    { "in each other",
        UP ON
        "SELECT '${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-"
        "${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-"
        "${A:-${A:-${A:-${A:-${A:-",
        "3: under ENVSUB ON variables stand in each other too deeply" DOLLAR },
    { "neither on nor off", UP "-- +goose ENVSUB\nSELECT 1;",
        "2: goose reads `-- +goose ENVSUB ON` and `-- +goose ENVSUB OFF`, from the line's "
        "start, and fails at this line; write one of them" },
    { "not at the line's start", UP "  -- +goose ENVSUB ON\nSELECT 1;",
        "2: goose reads `-- +goose ENVSUB ON` and `-- +goose ENVSUB OFF`, from the line's "
        "start, and fails at this line; write one of them" },
};

START_TEST(file_is_refused_with_its_line)
{
    struct hist_env e;
    struct err err = { "" };
    char text[1024], want[1024];
    int r;

    load(&e, errors[_i].text, &err, &r);
    ck_assert_int_lt(r, 0);
    snprintf(want, sizeof(want), "DIR/1_a.sql:%s", errors[_i].error);
    CASE_STR(&errors[_i], hist_env_text(&e, err.text, text), want);
    hist_env_free(&e);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_goose");
    TCase *tc = tcase_create("goose");

    tcase_add_loop_test(tc, variables_are_put_in, 0, DG_ARRAY_SIZE(texts));
    tcase_add_test(tc, both_directions_see_the_marker);
    tcase_add_loop_test(tc, file_is_refused_with_its_line, 0, DG_ARRAY_SIZE(errors));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
