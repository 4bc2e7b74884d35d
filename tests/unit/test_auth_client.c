// SPDX-License-Identifier: ISC
/* The client side logs in at the server side by every method, and gives nothing to a
 * server that is broken or plays one. */
#include "auth/client.h"

#include "auth/md5.h"
#include "auth/scram.h"
#include "lib/exact.h"
#include "lib/unit.h"

#define T(text)       text, sizeof(text) - 1
#define BINDING       ((struct str){ "0123456789abcdef0123456789abcdef", 32 })
#define OTHER_BINDING ((struct str){ "1123456789abcdef0123456789abcdef", 32 })

static const char good[] /* "sesame" */
    = "SCRAM-SHA-256$4096:X5lsurrflmTEXLCE0dHGmw==$KcskSAdPojEdIv0cmtD6ZnbjSC6qsdReWuuV"
      "IJHgcqg=:lISVpxZcdZ5WfUU4l/TXzZJNulL9+06BUYQyIoMCgms=";
#define MD5_APP "md5d92be7ee33465a2de62852ba0cb1a881"

static void
read_secret(const char *text, struct auth_secret *s)
{
    ck_assert_int_eq(auth_secret_parse(str_of(text), s, NULL), 0);
}

static struct auth_client *
new_client(const char *secret, const struct auth_proof *proof, struct str binding)
{
    struct auth_secret s = { .kind = AUTH_SECRET_NONE };
    if (secret)
        read_secret(secret, &s);
    struct auth_client_args args = {
        .user = "app", .secret = secret ? &s : NULL, .proof = proof, .binding = binding
    };
    struct auth_client *a = auth_client_new(&args);
    auth_secret_wipe(&s);
    return a;
}

static enum auth_step
hear(struct auth_client *a, const void *p, size_t n, struct buf *out, struct err *err)
{
    EXACT(copy, p, n);
    return auth_client_next(a, (struct str){ copy, n }, out, err);
}

/* --- client and server ------------------------------------------------------------- */

struct outcome {
    enum auth_step client, server;
    struct err client_err, server_err;
    struct auth_proof proof; /* of the server side, when it is done */
    char mechanism[32];      /* that the client chose */
};

static void
converse(struct auth_client *client, enum auth_method method, const char *secret,
    struct str binding, struct outcome *o)
{
    struct auth_secret s = { .kind = AUTH_SECRET_NONE };
    AUTO(buf_deinit) struct buf to_client = BUF_INIT(AUTH_MAX_BODY);
    AUTO(buf_deinit) struct buf to_server = BUF_INIT(AUTH_MAX_BODY);
    const struct str *body = NULL;
    struct str answer;

    *o = (struct outcome){ .client = AUTH_GO_ON };
    if (secret)
        read_secret(secret, &s);
    struct auth_server *server = auth_server_new(
        method, "app", secret ? &s : NULL, binding);
    auth_secret_wipe(&s);
    for (;;) {
        buf_reset(&to_client);
        o->server = auth_server_next(server, body, &to_client, &o->server_err);
        if (o->server == AUTH_FAILED)
            break;
        buf_reset(&to_server);
        if (buf_len(&to_client)) {
            o->client = hear(client, buf_ptr(&to_client), buf_len(&to_client),
                &to_server, &o->client_err);
            if (o->client != AUTH_GO_ON)
                break;
        }
        if (o->server == AUTH_DONE) {
            ck_assert_uint_eq(buf_len(&to_server), 0);
            o->client = hear(client, "\0\0\0\0", 4, &to_server, &o->client_err);
            auth_server_take_proof(server, &o->proof);
            break;
        }
        if (!body)
            snprintf(o->mechanism, sizeof(o->mechanism), "%s", buf_cstr(&to_server));
        ck_assert_uint_gt(buf_len(&to_server), 0);
        answer = (struct str){ buf_ptr(&to_server), buf_len(&to_server) };
        body = &answer;
    }
    auth_server_free(server);
}

struct login_case {
    const char *name;
    enum auth_method method;
    const char *server, *client;        /* secrets; NULL: none */
    int server_binding, client_binding; /* 0 none, 1 and 2 two channels */
    enum auth_step end;
    const char *what; /* mechanism, or part of either side's reason */
};

static const struct login_case logins[] = {
    { "trust", AUTH_TRUST, NULL, NULL, 0, 0, AUTH_DONE, "" },
    { "cert", AUTH_CERT, NULL, NULL, 1, 1, AUTH_DONE, "" },
    { "reject", AUTH_REJECT, good, "sesame", 0, 0, AUTH_FAILED, "reject" },
    { "password", AUTH_PASSWORD, good, "sesame", 0, 0, AUTH_DONE, "sesame" },
    { "password, wrong", AUTH_PASSWORD, good, "sesamf", 0, 0, AUTH_FAILED, "match" },
    { "password of nobody", AUTH_PASSWORD, NULL, "sesame", 0, 0, AUTH_FAILED,
        "no user" },
    { "password, client has md5", AUTH_PASSWORD, good, MD5_APP, 0, 0, AUTH_FAILED,
        "the gate has an md5 secret" },
    { "password, client has nothing", AUTH_PASSWORD, good, NULL, 0, 0, AUTH_FAILED,
        "the gate has nothing" },
    { "md5 of plain by plain", AUTH_MD5, "sesame", "sesame", 0, 0, AUTH_DONE, "md5" },
    { "md5 of md5 by plain", AUTH_MD5, MD5_APP, "sesame", 0, 0, AUTH_DONE, "md5" },
    { "md5 of md5 by md5", AUTH_MD5, MD5_APP, MD5_APP, 0, 0, AUTH_DONE, "md5" },
    { "md5, wrong", AUTH_MD5, MD5_APP, "sesamf", 0, 0, AUTH_FAILED, "match" },
    { "md5, client has scram", AUTH_MD5, MD5_APP, good, 0, 0, AUTH_FAILED,
        "can check a login" },
    { "md5 of scram", AUTH_MD5, good, "sesame", 0, 0, AUTH_DONE, "SCRAM-SHA-256" },
    { "scram of scram", AUTH_SCRAM, good, "sesame", 0, 0, AUTH_DONE, "SCRAM-SHA-256" },
    { "scram of plain", AUTH_SCRAM, "sesame", "sesame", 0, 0, AUTH_DONE,
        "SCRAM-SHA-256" },
    { "scram, wrong", AUTH_SCRAM, good, "sesamf", 0, 0, AUTH_FAILED, "match" },
    { "scram of nobody", AUTH_SCRAM, NULL, "sesame", 0, 0, AUTH_FAILED, "no user" },
    { "scram, client has md5", AUTH_SCRAM, good, MD5_APP, 0, 0, AUTH_FAILED,
        "the gate has an md5 secret" },
    { "scram, client has scram", AUTH_SCRAM, good, good, 0, 0, AUTH_FAILED,
        "can check a login" },
    { "bound", AUTH_SCRAM, good, "sesame", 1, 1, AUTH_DONE, "SCRAM-SHA-256-PLUS" },
    { "bound, of plain", AUTH_SCRAM, "sesame", "sesame", 1, 1, AUTH_DONE,
        "SCRAM-SHA-256-PLUS" },
    { "bound, md5 asked", AUTH_MD5, good, "sesame", 1, 1, AUTH_DONE,
        "SCRAM-SHA-256-PLUS" },
    { "bound to two channels", AUTH_SCRAM, good, "sesame", 1, 2, AUTH_FAILED,
        "not this TLS connection" },
    { "server could bind", AUTH_SCRAM, good, "sesame", 1, 0, AUTH_DONE,
        "SCRAM-SHA-256" },
    { "client could bind", AUTH_SCRAM, good, "sesame", 0, 1, AUTH_DONE,
        "SCRAM-SHA-256" },
};

static struct str
binding_of(int n)
{
    return n == 0 ? STR("") : n == 1 ? BINDING : OTHER_BINDING;
}

START_TEST(client_and_server_agree)
{
    const struct login_case *c = &logins[_i];
    struct auth_client *client = new_client(
        c->client, NULL, binding_of(c->client_binding));
    struct outcome o;

    converse(client, c->method, c->server, binding_of(c->server_binding), &o);
    bool is_done = o.client == AUTH_DONE && o.server == AUTH_DONE;
    ck_assert_msg(is_done == (c->end == AUTH_DONE), "%s: client %d %s, server %d %s",
        c->name, o.client, o.client_err.text, o.server, o.server_err.text);
    if (is_done && strcmp(c->what, "md5") == 0)
        ck_assert_msg(str_prefix(o.mechanism, "md5"), "%s: %s", c->name, o.mechanism);
    else if (is_done)
        CASE_STR(c, o.mechanism, c->what);
    else
        ck_assert_msg(
            strstr(o.client_err.text, c->what) || strstr(o.server_err.text, c->what),
            "%s: client: %s, server: %s", c->name, o.client_err.text,
            o.server_err.text);
    auth_proof_wipe(&o.proof);
    auth_client_free(client);
}
END_TEST

/* --- the proof of a client's login --------------------------------------------------- */

struct pass_case {
    const char *name;
    enum auth_method method; /* of the gate */
    const char *gate, *server;
    const char *err; /* NULL: the server lets the client's proof in */
};

static const char another[] /* "sesame", with another salt */
    = "SCRAM-SHA-256$4096:YW5vdGhlciBzYWx0IDAxNg==$i7ELu6mLmFNHv8NTeARwAmHHzi"
      "yoGz+L/VtDWg9EYy4=:0Gueh0JMfZL/o31n9410LIRRTucZA1UMTVB6rKglPYM=";
static const char slower[] =
    "SCRAM-SHA-256$5000:X5lsurrflmTEXLCE0dHGmw==$FUgXOZr6P8FGkW3jFXNCYUkQXj"
    "IgIuOD2Fo0tTRPfok=:pWYAjcMuzKNyb136SeZ9DJYXHUorzbw/6+v1Gez5Tso=";

static const struct pass_case passes[] = {
    { "same secret", AUTH_SCRAM, good, good, NULL },
    { "another salt", AUTH_SCRAM, good, another, "same text" },
    { "another count", AUTH_SCRAM, good, slower, "same text" },
    { "gate has the password", AUTH_SCRAM, "sesame", good, "same text" },
    { "password given", AUTH_PASSWORD, good, another, NULL },
    { "password given, server has md5", AUTH_PASSWORD, good, MD5_APP, NULL },
    { "server has md5", AUTH_SCRAM, good, MD5_APP, "the client's SCRAM proof" },
};

START_TEST(a_login_is_passed_on)
{
    const struct pass_case *c = &passes[_i];
    struct outcome o, again;
    struct auth_client *client = new_client("sesame", NULL, STR(""));

    converse(client, c->method, c->gate, STR(""), &o);
    auth_client_free(client);
    CASE_INT(c, o.server, AUTH_DONE);
    client = new_client(NULL, &o.proof, STR(""));
    enum auth_method method = str_prefix(c->server, "md5") ? AUTH_MD5 : AUTH_SCRAM;
    converse(client, method, c->server, STR(""), &again);
    CASE_INT(c, again.client, c->err ? AUTH_FAILED : AUTH_DONE);
    if (c->err)
        ck_assert_msg(strstr(again.client_err.text, c->err), "%s: %s", c->name,
            again.client_err.text);
    auth_proof_wipe(&o.proof);
    auth_proof_wipe(&again.proof);
    auth_client_free(client);
}
END_TEST

START_TEST(a_password_helps_where_the_proof_does_not_fit)
{
    struct outcome o, again;
    struct auth_client *client = new_client("sesame", NULL, STR(""));

    converse(client, AUTH_SCRAM, good, STR(""), &o);
    auth_client_free(client);
    client = new_client("sesame", &o.proof, BINDING);
    converse(client, AUTH_SCRAM, another, BINDING, &again);
    ck_assert_int_eq(again.client, AUTH_DONE);
    auth_client_free(client);
    auth_proof_wipe(&o.proof);
    auth_proof_wipe(&again.proof);
}
END_TEST

/* --- servers that are broken --------------------------------------------------------- */

struct hostile_case {
    const char *name;
    /* Bodies, one after the other. @ stands for the client's nonce. */
    const char *body[3];
    size_t n[3];
    const char *err;
};

#define B1(a_text) .body = { a_text }, .n = { sizeof(a_text) - 1 }
#define B2(a_text, b_text) \
    .body = { a_text, b_text }, .n = { sizeof(a_text) - 1, sizeof(b_text) - 1 }
#define B3(a_text, b_text, c_text)      \
    .body = { a_text, b_text, c_text }, \
    .n = { sizeof(a_text) - 1, sizeof(b_text) - 1, sizeof(c_text) - 1 }
#define OFFER  "\0\0\0\12SCRAM-SHA-256\0\0"
#define FIRST  "\0\0\0\13r=@more,s=X5lsurrflmTEXLCE0dHGmw==,i=4096"
#define SALTED ",s=X5lsurrflmTEXLCE0dHGmw==,"
#define OK     "\0\0\0\0"
#define ZEROS  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct hostile_case hostiles[] = {
    { "nothing", B1(""), "too short" },
    { "cut", B1("\0\0\0"), "too short" },
    { "Kerberos", B1("\0\0\0\2"), "Kerberos" },
    { "GSSAPI", B1("\0\0\0\7"), "GSSAPI" },
    { "unknown", B1("\377\377\377\377"), "unknown method (code 4294967295)" },
    { "md5 without salt", B1("\0\0\0\5"), "4 bytes" },
    { "md5 with a long salt", B1("\0\0\0\5abcde"), "4 bytes" },
    { "password twice", B2("\0\0\0\3", "\0\0\0\3"), "out of order" },
    { "password after md5", B2("\0\0\0\5abcd", "\0\0\0\3"), "out of order" },
    { "SASL after md5", B2("\0\0\0\5abcd", OFFER), "out of order" },
    { "no mechanism", B1("\0\0\0\12\0"), "no SASL mechanism" },
    { "unknown mechanism", B1("\0\0\0\12SCRAM-SHA-1\0\0"), "no SASL mechanism" },
    { "PLUS only, not bound", B1("\0\0\0\12SCRAM-SHA-256-PLUS\0\0"), "no SASL" },
    { "list without end", B1("\0\0\0\12SCRAM-SHA-256\0"), "no end" },
    { "name without end", B1("\0\0\0\12SCRAM-SHA-256"), "no end" },
    { "list goes on", B1("\0\0\0\12SCRAM-SHA-256\0\0x"), "no end" },
    { "no list", B1("\0\0\0\12"), "no end" },
    { "offered twice", B2(OFFER, OFFER), "out of order" },
    { "first without offer", B1(FIRST), "out of order" },
    { "final without first", B2(OFFER, "\0\0\0\14v=" ZEROS), "out of order" },
    { "password after SASL", B2(OFFER, "\0\0\0\3"), "out of order" },
    { "accepts at once", B2(OFFER, OK), "before its SCRAM signature" },
    { "accepts without signature", B3(OFFER, FIRST, OK), "before its SCRAM signature" },
    { "first empty", B2(OFFER, "\0\0\0\13"), "it is empty" },
    { "first, NUL", B2(OFFER, "\0\0\0\13r=@\0more" SALTED "i=1"), "a NUL" },
    { "nonce is ours only", B2(OFFER, "\0\0\0\13r=@" SALTED "i=1"), "nonce" },
    { "nonce is another",
        B2(OFFER, "\0\0\0\13r=abcdefghijklmnopqrstuvwxyz" SALTED "i=1"), "nonce" },
    { "nonce is cut", B2(OFFER, "\0\0\0\13r=abc" SALTED "i=1"), "nonce" },
    { "nonce in the middle", B2(OFFER, "\0\0\0\13r=x@more" SALTED "i=1"), "nonce" },
    { "nonce with control", B2(OFFER, "\0\0\0\13r=@\r\n" SALTED "i=1"), "nonce" },
    { "nonce empty", B2(OFFER, "\0\0\0\13r=" SALTED "i=1"), "nonce" },
    { "no nonce", B2(OFFER, "\0\0\0\13s=X5l=,i=1"), "`s` stands where `r`" },
    { "no salt", B2(OFFER, "\0\0\0\13r=@more,i=1"), "`i` stands where `s`" },
    { "no count", B2(OFFER, "\0\0\0\13r=@more,s=Zm9v"), "`i` is missing" },
    { "wrong order", B2(OFFER, "\0\0\0\13r=@more,i=1,s=Zm9v"), "`i` stands where" },
    { "salt empty", B2(OFFER, "\0\0\0\13r=@more,s=,i=1"), "salt" },
    { "salt garbage", B2(OFFER, "\0\0\0\13r=@more,s=!!!!,i=1"), "salt" },
    { "count 0", B2(OFFER, "\0\0\0\13r=@more,s=Zm9v,i=0"), "iteration count" },
    { "count -1", B2(OFFER, "\0\0\0\13r=@more,s=Zm9v,i=-1"), "iteration count" },
    { "count 2^31", B2(OFFER, "\0\0\0\13r=@more,s=Zm9v,i=2147483648"), "count" },
    { "count too large", B2(OFFER, "\0\0\0\13r=@more,s=Zm9v,i=1000001"), "count" },
    { "count with a tail", B2(OFFER, "\0\0\0\13r=@more,s=Zm9v,i=1x"), "count" },
    { "demands an extension", B2(OFFER, "\0\0\0\13m=x,r=@more,s=Zm9v,i=1"), "demands" },
    { "more behind", B2(OFFER, FIRST ",x=y"), "something follows" },
    { "comma behind", B2(OFFER, FIRST ","), "something follows" },
    { "first twice", B3(OFFER, FIRST, FIRST), "out of order" },
    { "signature of zeros", B3(OFFER, FIRST, "\0\0\0\14v=" ZEROS),
        "does not know the secret" },
    { "signature short", B3(OFFER, FIRST, "\0\0\0\14v=Zm9v"), "no signature" },
    { "signature empty", B3(OFFER, FIRST, "\0\0\0\14v="), "no signature" },
    { "signature of another name", B3(OFFER, FIRST, "\0\0\0\14x=" ZEROS), "no sig" },
    { "signature with a tail", B3(OFFER, FIRST, "\0\0\0\14v=" ZEROS ",x=y"), "no sig" },
    { "final empty", B3(OFFER, FIRST, "\0\0\0\14"), "it is empty" },
    { "final refuses", B3(OFFER, FIRST, "\0\0\0\14e=invalid-proof"),
        "refuses the SCRAM login: invalid-proof" },
};

/* The nonce of what the client said first. */
static void
keep_nonce(struct buf *out, char nonce[64])
{
    for (size_t i = 2; i < buf_len(out); i++)
        if (memcmp(buf_ptr(out) + i - 2, ",r=", 3) == 0)
            snprintf(nonce, 64, "%s", buf_cstr(out) + i + 1);
}

START_TEST(broken_servers_are_refused)
{
    const struct hostile_case *c = &hostiles[_i];
    struct auth_client *a = new_client("sesame", NULL, STR(""));
    AUTO(buf_deinit) struct buf out = BUF_INIT(AUTH_MAX_BODY);
    char nonce[64] = "";
    struct err err = { "" };

    for (int i = 0; i < 3 && c->n[i] + (i == 0); i++) {
        AUTO(buf_deinit) struct buf body = BUF_INIT(AUTH_MAX_BODY);
        for (size_t k = 0; k < c->n[i]; k++)
            if (c->body[i][k] == '@')
                buf_puts(&body, nonce);
            else
                buf_put(&body, &c->body[i][k], 1);
        bool is_last = i == 2 || !c->n[i + 1];
        buf_reset(&out);
        buf_cstr(&body);
        enum auth_step step = hear(a, buf_ptr(&body), buf_len(&body), &out, &err);
        ck_assert_msg(step == (is_last ? AUTH_FAILED : AUTH_GO_ON), "%s: step %d: %s",
            c->name, i, err.text);
        if (!nonce[0])
            keep_nonce(&out, nonce);
        if (is_last)
            CASE_INT(c, buf_len(&out), 0);
    }
    ck_assert_msg(strstr(err.text, c->err), "%s: %s", c->name, err.text);
    ck_assert_msg(!strstr(err.text, "sesame"), "%s: %s", c->name, err.text);
    auth_client_free(a);
}
END_TEST

START_TEST(lengths_of_server_first_have_limits)
{
    static const char *const forms[] = { "r=%1$s%2$s,s=Zm9v,i=1", "r=%1$sx,s=%2$s,i=1",
        "r=%1$sx,s=Zm9v,i=%2$s", "r=%1$sx,s=Zm9v,i=1,x=%2$s" };
    static const size_t sizes[] = { 256, 260, 2100, 65400 };
    static char much[65536], body[1 << 17];

    for (size_t f = 0; f < 4; f++)
        for (size_t i = 0; i < 4; i++) {
            struct auth_client *a = new_client("sesame", NULL, STR(""));
            AUTO(buf_deinit) struct buf out = BUF_INIT(AUTH_MAX_BODY);
            char nonce[64] = "";
            struct err err = { "" };
            ck_assert_int_eq(hear(a, T(OFFER), &out, &err), AUTH_GO_ON);
            keep_nonce(&out, nonce);
            memset(much, f == 2 ? '1' : 'A', sizes[i]);
            much[sizes[i]] = 0;
            memcpy(body, "\0\0\0\13", 4);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            int n = snprintf(body + 4, sizeof(body) - 4, forms[f], nonce, much);
#pragma GCC diagnostic pop
            enum auth_step step = hear(a, body, (size_t)n + 4, &out, &err);
            bool fits = f == 0 && sizes[i] == 256;
            ck_assert_msg(
                (step == AUTH_GO_ON) == fits, "%zu %zu: %s", f, sizes[i], err.text);
            auth_client_free(a);
        }
}
END_TEST

START_TEST(trusting_server_gets_nothing)
{
    struct auth_client *a = new_client(NULL, NULL, STR(""));
    AUTO(buf_deinit) struct buf out = BUF_INIT(AUTH_MAX_BODY);

    ck_assert_int_eq(hear(a, T("\0\0\0\0"), &out, NULL), AUTH_DONE);
    ck_assert_uint_eq(buf_len(&out), 0);
    auth_client_free(a);
}
END_TEST

START_TEST(long_password_is_not_sent)
{
    static char text[AUTH_MAX_PASSWORD + 2];
    struct auth_secret s = { .kind = AUTH_SECRET_PLAIN, .text = text };
    struct auth_client_args args = { .user = "app", .secret = &s };

    memset(text, 'x', AUTH_MAX_PASSWORD);
    for (int i = 0; i < 2; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(AUTH_MAX_BODY);
        struct err err = { "" };
        struct auth_client *a = auth_client_new(&args);
        enum auth_step step = hear(a, T("\0\0\0\3"), &out, &err);
        ck_assert_int_eq(step, i == 0 ? AUTH_GO_ON : AUTH_FAILED);
        ck_assert_uint_eq(buf_len(&out), i == 0 ? AUTH_MAX_PASSWORD + 1 : 0);
        auth_client_free(a);
        text[AUTH_MAX_PASSWORD] = 'x';
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("auth_client");
    TCase *tc = tcase_create("client");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(
        tc, client_and_server_agree, 0, sizeof(logins) / sizeof(logins[0]));
    tcase_add_loop_test(
        tc, a_login_is_passed_on, 0, sizeof(passes) / sizeof(passes[0]));
    tcase_add_test(tc, a_password_helps_where_the_proof_does_not_fit);
    tcase_add_loop_test(
        tc, broken_servers_are_refused, 0, sizeof(hostiles) / sizeof(hostiles[0]));
    tcase_add_test(tc, lengths_of_server_first_have_limits);
    tcase_add_test(tc, trusting_server_gets_nothing);
    tcase_add_test(tc, long_password_is_not_sent);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
