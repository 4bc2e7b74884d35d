// SPDX-License-Identifier: ISC
/* Commands of the gate's own database: what is understood, and what is said of the rest. */
#include "lib/unit.h"
#include "session/command.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *name, *text;
    enum sess_command_id id;
    const char *database;
} good[] = {
    { "plain", "SHOW HELP", SESS_CMD_HELP, "" },
    { "without case, with blanks", " \tshow\n Version ", SESS_CMD_VERSION, "" },
    { "semicolons", "show databases ; ;;", SESS_CMD_DATABASES, "" },
    { "all migrations", "SHOW MIGRATIONS;", SESS_CMD_MIGRATIONS, "" },
    { "of one database, in its case", "SHOW MIGRATIONS Shop;", SESS_CMD_MIGRATIONS,
        "Shop" },
    { "quoted", "SHOW MIGRATIONS \"my shop;\";", SESS_CMD_MIGRATIONS, "my shop;" },
    { "no blank before a quote's end", "SHOW MIGRATIONS \"a", SESS_CMD_MIGRATIONS,
        "a" },
    { "checks", "SHOW CHECKS", SESS_CMD_CHECKS, "" },
    { "policy", "SHOW POLICY", SESS_CMD_POLICY, "" },
    { "reload", "Reload;", SESS_CMD_RELOAD, "" },
    { "begin", "begin", SESS_CMD_BEGIN, "" },
    { "commit", "COMMIT;", SESS_CMD_COMMIT, "" },
    { "rollback", "ROLLBACK", SESS_CMD_ROLLBACK, "" },
    { "nothing", "", SESS_CMD_EMPTY, "" },
    { "blanks", " \n\t", SESS_CMD_EMPTY, "" },
    { "semicolons alone", " ; ;", SESS_CMD_EMPTY, "" },
};

START_TEST(command_is_understood)
{
    struct sess_command cmd;
    struct err err = { "" }, hint = { "" };
    CASE_INT(
        &good[_i], sess_command_parse(str_of(good[_i].text), &cmd, &err, &hint), 0);
    CASE_INT(&good[_i], cmd.id, good[_i].id);
    CASE_STR(&good[_i], cmd.database, good[_i].database);
}
END_TEST

static const struct {
    const char *name, *text, *error, *hint;
} bad[] = {
    { "another command", "SELECT 1", "unknown command \"SELECT\"",
        "there is SHOW HELP, SHOW VERSION, SHOW DATABASES, SHOW MIGRATIONS [DATABASE], "
        "SHOW CHECKS, SHOW POLICY, RELOAD" },
    { "show alone", "SHOW", "SHOW what?", NULL },
    { "show another thing", "show tables", "\"tables\" can't be shown", NULL },
    { "half of two words", "SHOW HELPX", "\"HELPX\" can't be shown", NULL },
    { "more words", "SHOW HELP me", "unexpected \"me\" after SHOW HELP",
        "write SHOW HELP, one command at a time" },
    { "two commands", "RELOAD; RELOAD", "unexpected \";\" after RELOAD",
        "write RELOAD, one command at a time" },
    { "two names", "SHOW MIGRATIONS a b", "unexpected \"b\" after SHOW MIGRATIONS",
        "write SHOW MIGRATIONS [DATABASE], one command at a time" },
    { "a name too long",
        "SHOW MIGRATIONS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is no "
        "database name",
        "SHOW DATABASES lists the names" },
    { "no name", "SHOW MIGRATIONS \"\"", "\"\" is no database name", NULL },
    { "quoted words are names", "\"SHOW\" HELP", "unknown command \"SHOW\"", NULL },
    { "a quote alone", "\"", "unknown command \"\"", NULL },
    { "what nobody should see", "\x1b[2J\xff", "unknown command \"?[2J?\"", NULL },
};

START_TEST(mistake_is_told_with_a_hint)
{
    struct sess_command cmd;
    struct err err = { "" }, hint = { "" };
    CASE_INT(
        &bad[_i], sess_command_parse(str_of(bad[_i].text), &cmd, &err, &hint), -EINVAL);
    CASE_STR(&bad[_i], err.text, bad[_i].error);
    if (bad[_i].hint)
        CASE_STR(&bad[_i], hint.text, bad[_i].hint);
    CASE_INT(&bad[_i], hint.text[0] != '\0', true);
}
END_TEST

START_TEST(table_is_whole)
{
    for (int i = 0; i < SESS_N_COMMANDS; i++) {
        const struct sess_command_info *info = sess_command_info(
            (enum sess_command_id)i);
        struct sess_command cmd;
        struct err err = { "" }, hint = { "" };
        ck_assert_ptr_nonnull(info);
        ck_assert_int_eq(sess_command_parse(str_of(info->words), &cmd, &err, &hint), 0);
        ck_assert_int_eq((int)cmd.id, i);
        for (size_t k = 0; k < info->n_columns; k++)
            ck_assert_ptr_nonnull(info->columns[k]);
        ck_assert_int_eq(str_prefix(info->words, info->tag), true);
    }
    ck_assert_ptr_null(sess_command_info(SESS_CMD_EMPTY));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("session_command");
    TCase *t = tcase_create("parse");
    tcase_add_loop_test(t, command_is_understood, 0, (int)DG_ARRAY_SIZE(good));
    tcase_add_loop_test(t, mistake_is_told_with_a_hint, 0, (int)DG_ARRAY_SIZE(bad));
    tcase_add_test(t, table_is_whole);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
