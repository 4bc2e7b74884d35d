// SPDX-License-Identifier: ISC
/* No secret survives redaction, and what is harmless stays readable. */
#include "sql/scan.h"

#include "base/mem.h"

#include "lib/unit.h"

static const struct {
    const char *name, *text;
    const char *want; /* NULL: as it was */
} cases[] = {
    { "harmless", "CREATE TABLE t (a text DEFAULT 'x') -- a table", NULL },
    { "nothing", "", NULL },
    { "passwords", "CREATE ROLE a LOGIN PASSWORD 'geheim' VALID UNTIL 'tomorrow'",
        "CREATE ROLE a LOGIN PASSWORD '***' VALID UNTIL '***'" },
    { "in any spelling", "alter user a encrypted password $x$geheim$x$",
        "alter user a encrypted password '***'" },
    { "escaped", "ALTER GROUP a PASSWORD E'gehe\\'im'",
        "ALTER GROUP a PASSWORD '***'" },
    { "continued", "ALTER ROLE a PASSWORD 'geh'\n'eim'",
        "ALTER ROLE a PASSWORD '***'" },
    { "no password", "ALTER ROLE a PASSWORD NULL", NULL },
    { "without quotes", "ALTER ROLE a PASSWORD geheim1",
        "ALTER ROLE a PASSWORD '***'" },
    { "in the wrong quotes", "ALTER ROLE a PASSWORD \"geheim\"",
        "ALTER ROLE a PASSWORD '***'" },
    { "settings of a role", "ALTER ROLE a SET app.x = 'geheim'",
        "ALTER ROLE a SET app.x = '***'" },
    { "settings of a database", "ALTER DATABASE a SET app.jwt TO 'geheim'",
        "ALTER DATABASE a SET app.jwt TO '***'" },
    { "user mappings", "CREATE USER MAPPING FOR a SERVER b OPTIONS (pw 'geheim')",
        "CREATE USER MAPPING FOR a SERVER b OPTIONS (pw '***')" },
    { "servers", "ALTER SERVER s OPTIONS (SET host 'geheim')",
        "ALTER SERVER s OPTIONS (SET host '***')" },
    { "foreign tables", "CREATE FOREIGN TABLE t () SERVER s OPTIONS (a 'geheim')",
        "CREATE FOREIGN TABLE t () SERVER s OPTIONS (a '***')" },
    { "subscriptions", "CREATE SUBSCRIPTION s CONNECTION 'host=geheim' PUBLICATION p",
        "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p" },
    { "ALTER SYSTEM", "ALTER SYSTEM SET primary_conninfo = 'geheim'",
        "ALTER SYSTEM SET primary_conninfo = '***'" },
    { "ALTER SYSTEM with a name", "ALTER SYSTEM SET x TO \"geheim\"",
        "ALTER SYSTEM SET x TO '***'" },
    { "COPY PROGRAM", "COPY t FROM PROGRAM 'geheim' (FORMAT csv)",
        "COPY t FROM PROGRAM '***' (FORMAT csv)" },
    { "COPY of a file stays", "COPY t FROM '/tmp/x'", NULL },
    { "arguments of CALL", "CALL make_user('a', 'geheim')",
        "CALL make_user('***', '***')" },
    { "arguments of EXECUTE", "EXECUTE p('geheim')", "EXECUTE p('***')" },
    { "dblink", "SELECT dblink_exec('geheim', 'x')",
        "SELECT dblink_exec('***', '***')" },
    { "telling columns", "UPDATE users SET password = 'geheim' WHERE a = 'b'",
        "UPDATE users SET password = '***' WHERE a = '***'" },
    { "telling quoted columns", "UPDATE u SET \"passwordHash\" = 'geheim'",
        "UPDATE u SET \"passwordHash\" = '***'" },
    { "telling settings", "SET app.secret TO geheim", "SET app.secret TO '***'" },
    { "connection strings anywhere",
        "CREATE TABLE t (a text DEFAULT 'host=x PASSWORD=geheim')",
        "CREATE TABLE t (a text DEFAULT '***')" },
    { "URLs with a password", "COMMENT ON TABLE t IS 'see postgres://a:geheim@b'",
        "COMMENT ON TABLE t IS '***'" },
    { "URLs without one stay", "COMMENT ON TABLE t IS 'see https://b/c'", NULL },
    { "comments", "-- password: geheim\nSELECT 1 /* token geheim */",
        " /* *** */\nSELECT 1 /* *** */ " },
    { "only that statement", "ALTER ROLE a PASSWORD 'geheim'; SELECT 'x'",
        "ALTER ROLE a PASSWORD '***'; SELECT 'x'" },
    { "constants in bodies",
        "DO $$BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''geheim'''; END$$",
        "DO $$BEGIN EXECUTE '***'; END$$" },
    { "commands in bodies", "DO $x$BEGIN ALTER ROLE a PASSWORD 'geheim'; END$x$",
        "DO $x$BEGIN ALTER ROLE a PASSWORD '***'; END$x$" },
    { "quotes in bodies",
        "DO $$BEGIN EXECUTE $q$ALTER USER a PASSWORD 'geheim'$q$; END$$",
        "DO $$BEGIN EXECUTE '***'; END$$" },
    { "bodies in plain quotes", "DO 'BEGIN ALTER ROLE a PASSWORD ''geheim''; END'",
        "DO '***'" },
    { "bodies of functions",
        "CREATE FUNCTION f() RETURNS void AS $$SELECT dblink('geheim')$$ LANGUAGE sql",
        "CREATE FUNCTION f() RETURNS void AS $$SELECT dblink('***')$$ LANGUAGE sql" },
    { "bodies in other languages",
        "DO $$plpy.execute(\"ALTER ROLE a PASSWORD 'geheim'\")$$ LANGUAGE plpython3u",
        "DO $$plpy.execute('***')$$ LANGUAGE plpython3u" },
    { "bodies that break off", "DO $$ password = 'geheim $$",
        "DO $$ password = '***'$$" },
    { "harmless bodies stay", "DO $$BEGIN RAISE NOTICE 'x'; END$$", NULL },
    { "quotes that don't match", "ALTER ROLE a PASSWORD 'geheim; SELECT 1",
        "ALTER ROLE a PASSWORD '***'" },
    { "quotes out of step", "ALTER ROLE a PASSWORD 'x; ALTER ROLE b PASSWORD 'geheim'",
        "ALTER ROLE a PASSWORD '***'" },
    { "quotes out of step by two",
        "ALTER ROLE a PASSWORD 'x; ALTER ROLE b PASSWORD 'geheim y''",
        "ALTER ROLE a PASSWORD '***''***'" },
    { "harmless and broken stays", "CREATE TABLE t (a text DEFAULT 'x", NULL },
    { "unparsable", "ALTER ROLE a PASSWORD ( 'geheim' ; 'geheim'",
        "ALTER ROLE a PASSWORD ( '***' ; '***'" },
};

START_TEST(secrets_go_and_the_rest_stays)
{
    const char *text = cases[_i].text, *want = cases[_i].want ? cases[_i].want : text;
    bool cut = true;
    AUTO(mem_free) char *got = sql_redact(text, strlen(text), true, 10000, &cut);

    CASE_STR(&cases[_i], got, want);
    CASE_INT(&cases[_i], cut, false);
    ck_assert_msg(!strstr(got, "geheim"), "%s", got);
}
END_TEST

/* Cut anywhere, nothing leaks and no character is torn. */
START_TEST(no_prefix_leaks)
{
    const char *text = cases[_i].text;

    for (size_t n = 0; n <= strlen(text); n++) {
        bool cut;
        AUTO(mem_free) char *got = sql_redact(text, n, true, 10000, &cut);
        ck_assert_msg(!strstr(got, "geheim"), "%s: %s", cases[_i].name, got);
        AUTO(mem_free) char *off = sql_redact(text, n, false, 10000, &cut);
        ck_assert_msg(
            !strstr(off, "geheim"), "%s, strings off: %s", cases[_i].name, off);
    }
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
    static const char text[] = "SELECT '\xc3\xa9\xe2\x82\xac' x";
    bool cut;

    for (size_t max = 0; max <= sizeof(text); max++) {
        AUTO(mem_free) char *got = sql_redact(text, sizeof(text) - 1, true, max, &cut);
        size_t n = strlen(got);
        ck_assert_uint_le(n, max);
        ck_assert_int_eq(cut, max < sizeof(text) - 1);
        for (size_t i = 0; i < n;) {
            size_t c = str_utf8_len(got + i, n - i);
            ck_assert_uint_gt(c, 0);
            i += c;
        }
    }
}
END_TEST

START_TEST(invalid_bytes_are_cut_too)
{
    char text[64];
    bool cut;

    memset(text, 0x80, sizeof(text));
    AUTO(mem_free) char *got = sql_redact(text, sizeof(text), true, 10, &cut);
    ck_assert(cut);
    ck_assert_uint_ge(strlen(got), 7);
    ck_assert_uint_le(strlen(got), 10);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("sql_redact");
    TCase *tc = tcase_create("redact");

    tcase_add_loop_test(tc, secrets_go_and_the_rest_stays, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(tc, no_prefix_leaks, 0, DG_ARRAY_SIZE(cases));
    tcase_add_test(tc, long_texts_are_cut_between_characters);
    tcase_add_test(tc, invalid_bytes_are_cut_too);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
