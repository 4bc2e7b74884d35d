// SPDX-License-Identifier: ISC
/* Secrets and the file of them are read as PostgreSQL and pgbouncer write them; what is
 * broken is named by its place and never shown. */
#include "auth/secret.h"

#include "base/buf.h"
#include "lib/exact.h"
#include "lib/unit.h"

#include <errno.h>

#define KEY  "KcskSAdPojEdIv0cmtD6ZnbjSC6qsdReWuuVIJHgcqg="
#define KEY2 "lISVpxZcdZ5WfUU4l/TXzZJNulL9+06BUYQyIoMCgms="
#define SALT "X5lsurrflmTEXLCE0dHGmw=="
#define GOOD "SCRAM-SHA-256$4096:" SALT "$" KEY ":" KEY2 /* "sesame" of PostgreSQL 15 */

struct parse_case {
    const char *name;
    const char *text;
    size_t n;
    int kind; /* -1: refused */
};

#define T(text) text, sizeof(text) - 1

static const struct parse_case parses[] = {
    { "nothing", T(""), AUTH_SECRET_NONE },
    { "password", T("sesame"), AUTH_SECRET_PLAIN },
    { "md5", T("md5ca627d939571fc9a4ceb395769e74cb1"), AUTH_SECRET_MD5 },
    { "md5, capital", T("md5CA627D939571FC9A4CEB395769E74CB1"), AUTH_SECRET_PLAIN },
    { "md5, short", T("md5ca627d939571fc9a4ceb395769e74cb"), AUTH_SECRET_PLAIN },
    { "md5, long", T("md5ca627d939571fc9a4ceb395769e74cb1a"), AUTH_SECRET_PLAIN },
    { "md5, no hex", T("md5ga627d939571fc9a4ceb395769e74cb1"), AUTH_SECRET_PLAIN },
    { "scram", T(GOOD), AUTH_SECRET_SCRAM },
    { "almost scram", T("SCRAM-SHA"), AUTH_SECRET_PLAIN },
    { "scram, cut", T("SCRAM-SHA-25"), -1 },
    { "another scram", T("SCRAM-SHA-512$4096:" SALT "$" KEY ":" KEY2), -1 },
    { "scram, bare", T("SCRAM-SHA-256$"), -1 },
    { "scram, no salt", T("SCRAM-SHA-256$4096"), -1 },
    { "scram, no keys", T("SCRAM-SHA-256$4096:" SALT), -1 },
    { "scram, one key", T("SCRAM-SHA-256$4096:" SALT "$" KEY), -1 },
    { "scram, three keys", T(GOOD ":" KEY), -1 },
    { "scram, empty salt", T("SCRAM-SHA-256$4096:$" KEY ":" KEY2), -1 },
    { "scram, salt no base64", T("SCRAM-SHA-256$4096:X5l$" KEY ":" KEY2), -1 },
    { "scram, short key", T("SCRAM-SHA-256$4096:" SALT "$Zm9v:" KEY2), -1 },
    { "scram, short second key", T("SCRAM-SHA-256$4096:" SALT "$" KEY ":Zm9v"), -1 },
    { "scram, long key", T("SCRAM-SHA-256$4096:" SALT "$" KEY ":" KEY2 "AAAA"), -1 },
    { "scram, blank behind", T(GOOD " "), -1 },
    { "scram, 0 iterations", T("SCRAM-SHA-256$0:" SALT "$" KEY ":" KEY2), -1 },
    { "scram, -1 iterations", T("SCRAM-SHA-256$-1:" SALT "$" KEY ":" KEY2), -1 },
    { "scram, 2^31", T("SCRAM-SHA-256$2147483648:" SALT "$" KEY ":" KEY2), -1 },
    { "scram, 2^32 + 1", T("SCRAM-SHA-256$4294967297:" SALT "$" KEY ":" KEY2), -1 },
    { "scram, no iterations", T("SCRAM-SHA-256$:" SALT "$" KEY ":" KEY2), -1 },
    { "NUL", T("ses\0ame"), -1 },
};

START_TEST(secret_is_told_by_its_form)
{
    const struct parse_case *c = &parses[_i];
    EXACT(text, c->text, c->n);
    struct auth_secret s, copy;
    struct err err = { "" };

    int r = auth_secret_parse((struct str){ text, c->n }, &s, &err);
    CASE_INT(c, r ? -1 : (int)s.kind, c->kind);
    if (r) {
        CASE_INT(c, r, -EINVAL);
        ck_assert_msg(err.text[0], "%s: no reason", c->name);
        ck_assert_msg(!strstr(err.text, "KcskSAdP") && !strstr(err.text, "X5l"),
            "%s: shows the secret: %s", c->name, err.text);
        return;
    }
    auth_secret_copy(&s, &copy);
    auth_secret_wipe(&s);
    CASE_INT(c, s.kind, AUTH_SECRET_NONE);
    if (c->kind == AUTH_SECRET_SCRAM) {
        CASE_INT(c, copy.iterations, 4096);
        CASE_INT(c, copy.salt_len, 16);
        CASE_INT(c, copy.stored_key[0], 0x29);
        CASE_INT(c, copy.server_key[31], 0x6b);
    } else if (c->kind != AUTH_SECRET_NONE) {
        CASE_STR(c, copy.text, c->text);
    }
    auth_secret_wipe(&copy);
    auth_secret_wipe(&copy);
}
END_TEST

START_TEST(lengths_have_limits)
{
    static char text[1 << 16];
    struct auth_secret s;
    struct err err = { "" };

    memset(text, 'A', sizeof(text));
    ck_assert_int_eq(
        auth_secret_parse((struct str){ text, AUTH_MAX_PASSWORD }, &s, &err), 0);
    auth_secret_wipe(&s);
    ck_assert_int_eq(
        auth_secret_parse((struct str){ text, AUTH_MAX_PASSWORD + 1 }, &s, &err),
        -EINVAL);
    /* 96 bytes of salt are taken, 99 not. */
    for (int n = 128; n <= 132; n += 4) {
        int len = snprintf(text, sizeof(text), "SCRAM-SHA-256$1:%.*s$" KEY ":" KEY2, n,
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        int r = auth_secret_parse((struct str){ text, (size_t)len }, &s, &err);
        ck_assert_int_eq(r, n == 128 ? 0 : -EINVAL);
        if (!r)
            auth_secret_wipe(&s);
    }
}
END_TEST

START_TEST(built_secrets_have_a_salt_of_their_own)
{
    char a[AUTH_SCRAM_TEXT], b[AUTH_SCRAM_TEXT];
    unsigned char salt[97] = "salt";
    struct auth_secret s;
    struct err err = { "" };

    ck_assert_int_eq(auth_secret_build("x", 4096, NULL, 0, a, &err), 0);
    ck_assert_int_eq(auth_secret_build("x", 4096, NULL, 0, b, &err), 0);
    ck_assert_str_ne(a, b);
    ck_assert_int_eq(auth_secret_parse(str_of(a), &s, &err), 0);
    ck_assert_uint_eq(s.salt_len, 16);
    auth_secret_wipe(&s);
    ck_assert_int_eq(auth_secret_build("x", AUTH_MAX_ITERATIONS, salt, 96, a, &err), 0);
    ck_assert_int_eq(auth_secret_build("", 4096, NULL, 0, a, &err), -EINVAL);
    ck_assert_int_eq(auth_secret_build("x", 0, NULL, 0, a, &err), -EINVAL);
    ck_assert_int_eq(
        auth_secret_build("x", AUTH_MAX_ITERATIONS + 1, NULL, 0, a, &err), -EINVAL);
    ck_assert_int_eq(auth_secret_build("x", 1, salt, 0, a, &err), -EINVAL);
    ck_assert_int_eq(auth_secret_build("x", 1, salt, 97, a, &err), -EINVAL);
}
END_TEST

struct file_case {
    const char *name;
    const char *text;
    size_t n;
    const char *err; /* NULL: loads */
};

#define NAME_63 "123456789012345678901234567890123456789012345678901234567890123"

static const struct file_case files[] = {
    { "empty", T(""), NULL },
    { "pgbouncer's", T("; comment\n# comment\n\n\"app\" \"sesame\"\n"), NULL },
    { "no newline at the end", T("\"app\" \"sesame\""), NULL },
    { "carriage returns", T("\"app\" \"sesame\"\r\n\r\n\"b\" \"x\"\r\n"), NULL },
    { "blanks", T("  \"app\"\t \"sesame\"  \n \t\n"), NULL },
    { "more behind", T("\"app\" \"sesame\" \"x\" y\n"), NULL },
    { "no blank between", T("\"app\"\"x\" \"s\"\n"), NULL },
    { "63 bytes of name", T("\"" NAME_63 "\" \"s\"\n"), NULL },
    { "64 bytes of name", T("\n\"" NAME_63 "4\" \"s\"\n"), ":2: no user name" },
    { "no name", T("\"\" \"s\"\n"), ":1: no user name" },
    { "no quotes", T("app sesame\n"), ":1: no user name" },
    { "no end of the name", T("\"app sesame\n"), ":1: no user name" },
    { "no secret", T("\"app\"\n"), ":1: no secret" },
    { "bare secret", T("\"app\" sesame\n"), ":1: no secret" },
    { "no end of the secret", T("\"app\" \"sesame\n"), ":1: no secret" },
    { "quote at the end", T("\"app\" \"sesame\"\"\n"), ":1: no secret" },
    { "twice", T("\"a\" \"x\"\n\"b\" \"x\"\n\"a\" \"x\"\n"), "users:3: user \"a\"" },
    { "broken scram", T("\"a\" \"x\"\n\"b\" \"SCRAM-SHA-256$sesame\"\n"),
        "users:2: user \"b\": SCRAM" },
    { "NUL", T("\"a\" \"x\0sesame\"\n"), ":1: a NUL" },
};

static int
load(const struct file_case *c, mode_t mode, struct auth_file **out, struct err *err)
{
    char *dir = unit_mkdir();
    char *path = unit_write(dir, "users", c->text, c->n);
    ck_assert_int_eq(chmod(path, mode), 0);
    int r = auth_file_load(path, out, err);
    free(path);
    unit_rmdir(dir);
    return r;
}

START_TEST(file_is_pgbouncers)
{
    const struct file_case *c = &files[_i];
    struct auth_file *f = NULL;
    struct err err = { "" };

    int r = load(c, 0600, &f, &err);
    ck_assert_msg((r == 0) == (c->err == NULL), "%s: %s", c->name, err.text);
    if (!r) {
        ref_drop(f);
        return;
    }
    ck_assert_ptr_null(f);
    ck_assert_msg(strstr(err.text, c->err), "%s: %s", c->name, err.text);
    ck_assert_msg(!strstr(err.text, "$sesame") && !strstr(err.text, "\"sesame\""),
        "%s: shows the secret", c->name);
}
END_TEST

START_TEST(users_are_found)
{
    static const struct file_case c = { "users",
        T("\"app\" \"ses\"\"ame\"\n\"a \"\"b\"\"\" \"" GOOD "\"\n\"none\" \"\"\n"),
        NULL };
    struct auth_file *f = NULL;
    struct err err = { "" };

    ck_assert_int_eq(load(&c, 0640, &f, &err), 0);
    const struct auth_secret *s = auth_file_find(f, "app");
    ck_assert_ptr_nonnull(s);
    ck_assert_str_eq(s->text, "ses\"ame");
    s = auth_file_find(f, "a \"b\"");
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(s->kind, AUTH_SECRET_SCRAM);
    s = auth_file_find(f, "none");
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(s->kind, AUTH_SECRET_NONE);
    ck_assert_ptr_null(auth_file_find(f, "App"));
    ck_assert_ptr_null(auth_file_find(f, ""));
    ref_drop(f);
}
END_TEST

START_TEST(file_for_everybody_is_refused)
{
    static const struct file_case c = { "users", T("\"app\" \"sesame\"\n"), NULL };
    static const mode_t modes[] = { 0604, 0602, 0666 };
    struct auth_file *f = NULL;

    for (size_t i = 0; i < 3; i++) {
        struct err err = { "" };
        ck_assert_int_eq(load(&c, modes[i], &f, &err), -EINVAL);
        ck_assert_msg(strstr(err.text, "chmod o="), "%s", err.text);
    }
}
END_TEST

START_TEST(long_lines_are_refused)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1 << 17);
    struct auth_file *f = NULL;

    static const size_t sizes[] = { AUTH_MAX_PASSWORD, AUTH_MAX_PASSWORD + 1, 1 << 16 };

    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        size_t n = sizes[k];
        struct err err = { "" };
        buf_reset(&b);
        buf_puts(&b, "\"app\" \"");
        for (size_t i = 0; i < n; i++)
            buf_puts(&b, "x");
        buf_puts(&b, "\"\n");
        struct file_case c = { "long", buf_ptr(&b), buf_len(&b), NULL };
        int r = load(&c, 0600, &f, &err);
        ck_assert_int_eq(r, n == AUTH_MAX_PASSWORD ? 0 : -EINVAL);
        if (!r)
            ref_drop(f);
        else
            ck_assert(strstr(err.text, ":1: no secret of up to 4096 bytes"));
    }
}
END_TEST

START_TEST(missing_file_is_named)
{
    struct auth_file *f = NULL;
    struct err err = { "" };

    ck_assert_int_eq(auth_file_load("/nonexistent/users", &f, &err), -ENOENT);
    ck_assert(strstr(err.text, "/nonexistent/users"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("auth_secret");
    TCase *tc = tcase_create("secret");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(
        tc, secret_is_told_by_its_form, 0, sizeof(parses) / sizeof(parses[0]));
    tcase_add_test(tc, lengths_have_limits);
    tcase_add_test(tc, built_secrets_have_a_salt_of_their_own);
    tcase_add_loop_test(tc, file_is_pgbouncers, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_test(tc, users_are_found);
    tcase_add_test(tc, file_for_everybody_is_refused);
    tcase_add_test(tc, long_lines_are_refused);
    tcase_add_test(tc, missing_file_is_named);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
