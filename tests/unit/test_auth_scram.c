// SPDX-License-Identifier: ISC
/* SCRAM's maths agrees with RFC 7677 and with a real PostgreSQL, and its messages are read
 * strictly. */
#include "auth/scram.h"

#include "base/fs.h"
#include "base/mem.h"
#include "lib/exact.h"
#include "lib/unit.h"

#include <errno.h>

/* RFC 7677 part 3. */
static const char rfc_message[] =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,"
    "i=4096,"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
static const char rfc_proof[] = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
static const char rfc_signature[] = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

START_TEST(rfc_7677_is_computed)
{
    char salt[SCRAM_MAX_SALT], text[SCRAM_KEY_TEXT + 1];
    unsigned char proof[AUTH_KEY_SIZE], client_key[AUTH_KEY_SIZE];
    struct scram_keys keys;
    size_t n;

    ck_assert_int_eq(scram_salt(STR("W22ZaJ0SNY7soEsUEjb6gQ=="), salt, &n), 0);
    scram_keys_of("pencil", salt, n, 4096, &keys);
    scram_make_proof(keys.client, str_of(rfc_message), proof);
    base64_encode(proof, sizeof(proof), text);
    ck_assert_str_eq(text, rfc_proof);
    ck_assert(scram_check_proof(keys.stored, str_of(rfc_message), proof, client_key));
    ck_assert_mem_eq(client_key, keys.client, sizeof(client_key));
    scram_sign(keys.server, str_of(rfc_message), proof);
    base64_encode(proof, sizeof(proof), text);
    ck_assert_str_eq(text, rfc_signature);
}
END_TEST

START_TEST(another_proof_key_or_message_is_refused)
{
    unsigned char proof[AUTH_KEY_SIZE], client_key[AUTH_KEY_SIZE];
    struct scram_keys keys;

    scram_keys_of("pencil", "salt", 4, 1, &keys);
    scram_make_proof(keys.client, STR("message"), proof);
    ck_assert(scram_check_proof(keys.stored, STR("message"), proof, client_key));
    ck_assert(!scram_check_proof(keys.stored, STR("messagf"), proof, client_key));
    ck_assert(!scram_check_proof(keys.server, STR("message"), proof, client_key));
    for (size_t i = 0; i < sizeof(proof); i++) {
        proof[i] ^= 1;
        ck_assert(!scram_check_proof(keys.stored, STR("message"), proof, client_key));
        proof[i] ^= 1;
    }
}
END_TEST

static size_t
unhex(const char *hex, char *out)
{
    size_t n = 0;
    for (unsigned v; sscanf(hex + 2 * n, "%2x", &v) == 1; n++)
        out[n] = (char)v;
    out[n] = 0;
    return n;
}

/* Every password's secret of a real server is made again from its salt. */
START_TEST(secrets_are_postgresqls)
{
    char *text = NULL, *save = NULL, *what = NULL;
    size_t n, seen = 0;
    struct err err = { "" };

    int r = fs_read(TEST_DATA "/auth/postgresql_secrets", 1 << 20, &text, &n, &err);
    ck_assert_msg(r == 0, "%s", err.text);
    for (char *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        char hex[1024], given[AUTH_SCRAM_TEXT], password[512], made[AUTH_SCRAM_TEXT];
        struct auth_secret s;
        if (*line == '#') {
            what = line;
            continue;
        }
        ck_assert_int_eq(sscanf(line, "%1023s %255s", hex, given), 2);
        unhex(hex, password);
        r = auth_secret_parse(str_of(given), &s, &err);
        ck_assert_msg(r == 0, "%s: %s", what, err.text);
        ck_assert_int_eq(s.kind, AUTH_SECRET_SCRAM);
        r = auth_secret_build(
            password, s.iterations, (unsigned char *)s.salt, s.salt_len, made, &err);
        ck_assert_msg(r == 0, "%s: %s", what, err.text);
        ck_assert_msg(strcmp(given, made) == 0, "%s: %s", what, made);
        auth_secret_wipe(&s);
        seen++;
    }
    ck_assert_uint_ge(seen, 20);
    mem_free(text);
}
END_TEST

struct prep_case {
    const char *name;
    const char *in, *out;
};

static const struct prep_case preps[] = {
    { "ASCII", "a\x7f\x01 b", "a\x7f\x01 b" },
    { "nothing", "", "" },
    { "soft hyphen", "I\u00adX", "IX" },
    { "compatibility", "\u00aa\u2168", "aIX" },
    { "grows", "\ufdfa\u0628",
        "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 "
        "\u0639\u0644\u064a\u0647 \u0648\u0633\u0644\u0645\u0628" },
    { "cut UTF-8", "I\u00adX\xc3", "I\u00adX\xc3" },
    { "surrogate", "I\u00adX\xed\xa0\x80", "I\u00adX\xed\xa0\x80" },
};

START_TEST(text_is_prepared_or_left_alone)
{
    const struct prep_case *c = &preps[_i];
    EXACT(in, c->in, strlen(c->in) + 1);
    char *out = scram_saslprep(in);
    CASE_STR(c, out, c->out);
    auth_wipe_string(out);
}
END_TEST

struct attribute_case {
    const char *name;
    const char *message;
    size_t n;
    const char *wanted; /* attributes in order; '*' takes any */
    const char *err;    /* NULL: all were there and nothing was left */
};

#define M(text) text, sizeof(text) - 1

static const struct attribute_case attributes[] = {
    { "two", M("r=abc,s=d"), "rs", NULL },
    { "empty value", M("n=,r=x"), "nr", NULL },
    { "value with =", M("r=a=b=,p=="), "rp", NULL },
    { "any", M("x=1,p=2"), "*p", NULL },
    { "empty message", M(""), "r", "it is empty" },
    { "NUL", M("r=a\0b"), "r", "a NUL" },
    { "NUL at the end", M("r=a\0"), "r", "a NUL" },
    { "wrong order", M("s=d,r=abc"), "rs", "`s` stands where `r` must" },
    { "missing", M("r=abc"), "rs", "`s` is missing" },
    { "missing after comma", M("r=abc,"), "rs", "`s` is missing" },
    { "no equal sign", M("r"), "r", "has no attribute" },
    { "no equal sign, more", M("rabc"), "r", "has no attribute" },
    { "no letter", M("1=abc"), "*", "has no attribute" },
    { "comma only", M(","), "*", "has no attribute" },
    { "demands an extension", M("m=x,r=abc"), "r", "demands an extension" },
};

START_TEST(attributes_are_read_strictly)
{
    const struct attribute_case *c = &attributes[_i];
    EXACT(message, c->message, c->n);
    struct err err = { "" };
    struct scram_reader r;
    struct str value;
    char name;

    int ret = scram_read(&r, (struct str){ message, c->n }, &err);
    for (const char *w = c->wanted; !ret && *w; w++)
        ret = *w == '*' ? scram_take_any(&r, &name, &value, &err)
                        : scram_take(&r, *w, &value, &err);
    ck_assert_msg((ret != 0) == (c->err != NULL), "%s: %s", c->name, err.text);
    if (c->err)
        ck_assert_msg(strstr(err.text, c->err), "%s: %s", c->name, err.text);
    else
        ck_assert_msg(r.is_at_end, "%s: something is left", c->name);
}
END_TEST

START_TEST(long_messages_are_not_taken)
{
    static char text[1 << 16];
    struct err err = { "" };
    struct scram_reader r;

    memset(text, 'r', sizeof(text));
    text[1] = '=';
    ck_assert_int_eq(scram_read(&r, (struct str){ text, SCRAM_MAX_MESSAGE }, &err), 0);
    ck_assert_int_ne(
        scram_read(&r, (struct str){ text, SCRAM_MAX_MESSAGE + 1 }, &err), 0);
    ck_assert_int_ne(scram_read(&r, (struct str){ text, sizeof(text) }, &err), 0);
    ck_assert(scram_is_nonce((struct str){ text, 256 }, 256));
    ck_assert(!scram_is_nonce((struct str){ text, 257 }, 256));
    ck_assert(!scram_is_nonce(STR(""), 256));
    ck_assert(!scram_is_nonce(STR("a b"), 256));
    ck_assert(!scram_is_nonce(STR("a\xc3\xa9"), 256));
    ck_assert(!scram_is_nonce(STR("a,b"), 256));
}
END_TEST

struct number_case {
    const char *name;
    int value; /* 0: refused */
};

static const struct number_case numbers[] = {
    { "1", 1 },
    { "4096", 4096 },
    { "1000000", 1000000 },
    { "1000001", 0 },
    { "0", 0 },
    { "-1", 0 },
    { "2147483648", 0 },
    { "4294967297", 0 },
    { "18446744073709551617", 0 },
    { "", 0 },
    { " 4096", 0 },
    { "4096 ", 0 },
    { "0x10", 0 },
    { "4e3", 0 },
};

START_TEST(iterations_have_limits)
{
    const struct number_case *c = &numbers[_i];
    int n = 0;
    int r = scram_iterations(str_of(c->name), &n);
    CASE_INT(c, r == 0 ? n : 0, c->value);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("auth_scram");
    TCase *tc = tcase_create("scram");
    tcase_add_test(tc, rfc_7677_is_computed);
    tcase_add_test(tc, another_proof_key_or_message_is_refused);
    tcase_add_test(tc, secrets_are_postgresqls);
    tcase_add_loop_test(
        tc, text_is_prepared_or_left_alone, 0, sizeof(preps) / sizeof(preps[0]));
    tcase_add_loop_test(tc, attributes_are_read_strictly, 0,
        sizeof(attributes) / sizeof(attributes[0]));
    tcase_add_test(tc, long_messages_are_not_taken);
    tcase_add_loop_test(
        tc, iterations_have_limits, 0, sizeof(numbers) / sizeof(numbers[0]));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
