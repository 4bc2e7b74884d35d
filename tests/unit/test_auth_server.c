// SPDX-License-Identifier: ISC
/* The server side says what PostgreSQL says, and takes nothing from a client that it must
 * not. */
#include "auth/server.h"

#include "auth/md5.h"
#include "auth/scram.h"
#include "lib/exact.h"
#include "lib/unit.h"

#define T(text) text, sizeof(text) - 1
#define BINDING ((struct str){ "0123456789abcdef0123456789abcdef", 32 })

static const char good[] /* "sesame" */
    = "SCRAM-SHA-256$4096:X5lsurrflmTEXLCE0dHGmw==$KcskSAdPojEdIv0cmtD6ZnbjSC6qsdReWuuV"
      "IJHgcqg=:lISVpxZcdZ5WfUU4l/TXzZJNulL9+06BUYQyIoMCgms=";

/* One conversation: what the server said last is in out. */
struct talk {
    struct auth_server *server;
    struct buf out;
    struct err err;
};

static enum auth_step
begin(struct talk *t, enum auth_method method, const char *secret, struct str binding)
{
    struct auth_secret s = { .kind = AUTH_SECRET_NONE };

    *t = (struct talk){ .out = BUF_INIT(AUTH_MAX_BODY) };
    if (secret)
        ck_assert_int_eq(auth_secret_parse(str_of(secret), &s, &t->err), 0);
    t->server = auth_server_new(method, "app", secret ? &s : NULL, binding);
    auth_secret_wipe(&s);
    return auth_server_next(t->server, NULL, &t->out, &t->err);
}

static enum auth_step
say(struct talk *t, const void *p, size_t n)
{
    EXACT(copy, p, n);
    struct str body = { copy, n };

    buf_reset(&t->out);
    return auth_server_next(t->server, &body, &t->out, &t->err);
}

static void
end(struct talk *t)
{
    auth_server_free(t->server);
    buf_deinit(&t->out);
}

static bool
said(struct talk *t, const void *p, size_t n)
{
    return buf_len(&t->out) == n && memcmp(buf_ptr(&t->out), p, n) == 0;
}

/* SASLInitialResponse with the right length. */
static enum auth_step
say_first(struct talk *t, const char *mechanism, const char *message, size_t n)
{
    char body[1 << 17];
    size_t at = strlen(mechanism) + 1;

    memcpy(body, mechanism, at);
    body[at++] = (char)(n >> 24);
    body[at++] = (char)(n >> 16);
    body[at++] = (char)(n >> 8);
    body[at++] = (char)n;
    memcpy(body + at, message, n);
    return say(t, body, at + n);
}

/* --- methods without SCRAM ---------------------------------------------------------- */

START_TEST(trust_cert_and_reject_are_over_at_once)
{
    struct talk t;

    ck_assert_int_eq(begin(&t, AUTH_TRUST, NULL, STR("")), AUTH_DONE);
    ck_assert_uint_eq(buf_len(&t.out), 0);
    end(&t);
    ck_assert_int_eq(begin(&t, AUTH_CERT, good, STR("")), AUTH_DONE);
    end(&t);
    ck_assert_int_eq(begin(&t, AUTH_REJECT, good, STR("")), AUTH_FAILED);
    ck_assert_str_eq(t.err.text, "the authentication method is reject");
    end(&t);
}
END_TEST

struct password_case {
    const char *name;
    const char *secret;
    const char *body;
    size_t n;
    const char *err; /* NULL: accepted */
};

#define MD5_APP "md5d92be7ee33465a2de62852ba0cb1a881" /* "sesame" of app */

static const struct password_case passwords[] = {
    { "plain", "sesame", T("sesame\0"), NULL },
    { "md5", MD5_APP, T("sesame\0"), NULL },
    { "scram", good, T("sesame\0"), NULL },
    { "plain, wrong", "sesame", T("sesamf\0"), "does not match" },
    { "plain, prefix", "sesame", T("sesam\0"), "does not match" },
    { "plain, longer", "sesame", T("sesame2\0"), "does not match" },
    { "md5, wrong", MD5_APP, T("Sesame\0"), "does not match" },
    { "md5, the secret itself", MD5_APP, T(MD5_APP "\0"), "does not match" },
    { "scram, wrong", good, T("sesame \0"), "does not match" },
    { "unknown", NULL, T("sesame\0"), "there is no user \"app\"" },
    { "no password set", "", T("sesame\0"), "empty secret" },
    { "empty", "sesame", T("\0"), "empty password" },
    { "no end", "sesame", T("sesame"), "size is wrong" },
    { "nothing", "sesame", T(""), "size is wrong" },
    { "more behind", "sesame", T("sesame\0x"), "size is wrong" },
    { "two ends", "sesame", T("sesame\0\0"), "size is wrong" },
};

START_TEST(password_is_checked)
{
    const struct password_case *c = &passwords[_i];
    struct talk t;

    CASE_INT(c, begin(&t, AUTH_PASSWORD, c->secret, STR("")), AUTH_GO_ON);
    ck_assert(said(&t, "\0\0\0\3", 4));
    enum auth_step step = say(&t, c->body, c->n);
    CASE_INT(c, step, c->err ? AUTH_FAILED : AUTH_DONE);
    CASE_INT(c, buf_len(&t.out), 0);
    if (c->err) {
        ck_assert_msg(strstr(t.err.text, c->err), "%s: %s", c->name, t.err.text);
        ck_assert_msg(!strcasestr(t.err.text, "sesam"), "%s: %s", c->name, t.err.text);
    } else {
        struct auth_proof p;
        auth_server_take_proof(t.server, &p);
        ck_assert(p.has_password && !p.has_client_key);
        CASE_STR(c, p.password, "sesame");
        auth_proof_wipe(&p);
    }
    end(&t);
}
END_TEST

START_TEST(long_passwords_are_not_taken)
{
    static char text[65535];
    struct talk t;

    memset(text, 'x', sizeof(text) - 1);
    begin(&t, AUTH_PASSWORD, "sesame", STR(""));
    ck_assert_int_eq(say(&t, text, sizeof(text)), AUTH_FAILED);
    ck_assert_msg(strstr(t.err.text, "65534 bytes; 4096 are"), "%s", t.err.text);
    end(&t);
}
END_TEST

static enum auth_step
md5_with(const char *secret, const char *password, const char *user)
{
    char own[MD5_TEXT], answer[MD5_TEXT];
    struct talk t;

    ck_assert_int_eq(begin(&t, AUTH_MD5, secret, STR("")), AUTH_GO_ON);
    ck_assert_uint_eq(buf_len(&t.out), 8);
    ck_assert_mem_eq(buf_ptr(&t.out), "\0\0\0\5", 4);
    ck_assert_int_eq(md5_secret(password, user, own, NULL), 0);
    ck_assert_int_eq(md5_answer(own, buf_ptr(&t.out) + 4, answer, NULL), 0);
    enum auth_step step = say(&t, answer, sizeof(answer));
    if (step == AUTH_DONE) {
        struct auth_proof p;
        auth_server_take_proof(t.server, &p);
        ck_assert(!p.has_password && !p.has_client_key);
        auth_proof_wipe(&p);
    }
    end(&t);
    return step;
}

START_TEST(md5_is_checked)
{
    struct talk t;

    ck_assert_int_eq(md5_with("sesame", "sesame", "app"), AUTH_DONE);
    ck_assert_int_eq(md5_with(MD5_APP, "sesame", "app"), AUTH_DONE);
    ck_assert_int_eq(md5_with("sesame", "sesamf", "app"), AUTH_FAILED);
    ck_assert_int_eq(md5_with(MD5_APP, "sesame", "apq"), AUTH_FAILED);
    begin(&t, AUTH_MD5, MD5_APP, STR(""));
    ck_assert_int_eq(say(&t, MD5_APP, MD5_TEXT), AUTH_FAILED);
    end(&t);
    begin(&t, AUTH_MD5, MD5_APP, STR(""));
    ck_assert_int_eq(say(&t, "md5", 4), AUTH_FAILED);
    end(&t);
}
END_TEST

START_TEST(md5_asks_scram_of_who_has_no_md5)
{
    static const char *const secrets[] = { good, NULL, "" };
    struct talk t;

    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(begin(&t, AUTH_MD5, secrets[i], STR("")), AUTH_GO_ON);
        ck_assert(said(&t, T("\0\0\0\12SCRAM-SHA-256\0\0")));
        end(&t);
    }
}
END_TEST

/* --- SCRAM -------------------------------------------------------------------------- */

START_TEST(mechanisms_are_offered)
{
    struct talk t;

    begin(&t, AUTH_SCRAM, good, STR(""));
    ck_assert(said(&t, T("\0\0\0\12SCRAM-SHA-256\0\0")));
    end(&t);
    begin(&t, AUTH_SCRAM, good, BINDING);
    ck_assert(said(&t, T("\0\0\0\12SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")));
    end(&t);
}
END_TEST

#define PLAIN "SCRAM-SHA-256"
#define PLUS  "SCRAM-SHA-256-PLUS"

struct first_case {
    const char *name;
    bool is_tls;
    const char *mechanism;
    const char *message;
    size_t n;
    const char *err; /* NULL: goes on */
};

static const struct first_case firsts[] = {
    { "libpq's", false, PLAIN, T("n,,n=,r=abc"), NULL },
    { "no channel, TLS", true, PLAIN, T("n,,n=,r=abc"), NULL },
    { "with a name", false, PLAIN, T("n,,n=bob=2C,r=abc"), NULL },
    { "with an extension", false, PLAIN, T("n,,n=,r=abc,x=y"), NULL },
    { "client could, no TLS", false, PLAIN, T("y,,n=,r=abc"), NULL },
    { "client could, TLS", true, PLAIN, T("y,,n=,r=abc"), "told that this is not" },
    { "bound", true, PLUS, T("p=tls-server-end-point,,n=,r=abc"), NULL },
    { "bound, no PLUS", true, PLAIN, T("p=tls-server-end-point,,n=,r=abc"),
        "did not choose" },
    { "bound, no TLS", false, PLAIN, T("p=tls-server-end-point,,n=,r=abc"),
        "did not choose" },
    { "PLUS, no TLS", false, PLUS, T("p=tls-server-end-point,,n=,r=abc"),
        "not offered" },
    { "PLUS, not bound", true, PLUS, T("n,,n=,r=abc"), "binds to no channel" },
    { "PLUS, could", true, PLUS, T("y,,n=,r=abc"), "binds to no channel" },
    { "bound otherwise", true, PLUS, T("p=tls-unique,,n=,r=abc"), "another type" },
    { "bound, cut", true, PLUS, T("p=tls-server-end-point"), "another type" },
    { "bound, cut later", true, PLUS, T("p=tls-server-end-point,"), "no comma" },
    { "bound longer", true, PLUS, T("p=tls-server-end-pointer,,n=,r=a"), "another" },
    { "bound, nothing else", true, PLUS, T("p"), "another type" },
    { "unknown flag", false, PLAIN, T("x,,n=,r=abc"), "unknown flag" },
    { "no flag", false, PLAIN, T(",,n=,r=abc"), "unknown flag" },
    { "flag only", false, PLAIN, T("n"), "no comma" },
    { "flag and comma", false, PLAIN, T("n,"), "no comma" },
    { "flag and text", false, PLAIN, T("nn,,n=,r=abc"), "no comma" },
    { "another identity", false, PLAIN, T("n,a=root,n=,r=abc"), "act as another" },
    { "header only", false, PLAIN, T("n,,"), "`n` is missing" },
    { "no name", false, PLAIN, T("n,,r=abc"), "`r` stands where `n` must" },
    { "no nonce", false, PLAIN, T("n,,n="), "`r` is missing" },
    { "no nonce, comma", false, PLAIN, T("n,,n=,"), "`r` is missing" },
    { "empty nonce", false, PLAIN, T("n,,n=,r="), "nonce is not" },
    { "nonce with blank", false, PLAIN, T("n,,n=,r=a b"), "nonce is not" },
    { "nonce with control", false, PLAIN, T("n,,n=,r=a\nb"), "nonce is not" },
    { "nonce with high byte", false, PLAIN, T("n,,n=,r=a\xff"), "nonce is not" },
    { "demands extension", false, PLAIN, T("n,,m=x,n=,r=abc"), "demands" },
    { "NUL", false, PLAIN, T("n,,n=,r=abc\0"), "a NUL" },
    { "NUL first", false, PLAIN, T("\0,,n=,r=abc"), "a NUL" },
    { "empty", false, PLAIN, T(""), "it is empty" },
    { "unknown mechanism", false, "PLAIN", T("n,,n=,r=abc"), "not offered" },
    { "SHA-1", false, "SCRAM-SHA-1", T("n,,n=,r=abc"), "not offered" },
    { "no mechanism", false, "", T("n,,n=,r=abc"), "not offered" },
};

START_TEST(client_first_is_judged)
{
    const struct first_case *c = &firsts[_i];
    struct talk t;

    begin(&t, AUTH_SCRAM, good, c->is_tls ? BINDING : STR(""));
    enum auth_step step = say_first(&t, c->mechanism, c->message, c->n);
    CASE_INT(c, step, c->err ? AUTH_FAILED : AUTH_GO_ON);
    if (c->err) {
        ck_assert_msg(strstr(t.err.text, c->err), "%s: %s", c->name, t.err.text);
        CASE_INT(c, buf_len(&t.out), 0);
    } else {
        const char *want = ",s=X5lsurrflmTEXLCE0dHGmw==,i=4096";
        ck_assert_mem_eq(buf_ptr(&t.out), "\0\0\0\13r=abc", 9);
        ck_assert_uint_eq(buf_len(&t.out), 9 + SCRAM_NONCE_SIZE + strlen(want));
        ck_assert_str_eq(buf_cstr(&t.out) + 9 + SCRAM_NONCE_SIZE, want);
    }
    end(&t);
}
END_TEST

START_TEST(lengths_of_client_first_have_limits)
{
    static char text[65535 - 64];
    static const size_t sizes[] = { 256, 257, 2000, 2048, 2049, 30000, sizeof(text) };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int in_name = 0; in_name < 2; in_name++) {
            struct talk t;
            size_t n = sizes[i];
            memset(text, 'x', n);
            if (in_name) {
                memcpy(text, "n,,n=", 5);
                memcpy(text + n - 6, ",r=abc", 6);
            } else {
                memcpy(text, "n,,n=,r=", 8);
                n += n < 2000 ? 8 : 0;
                memset(text + 8, 'x', n - 8);
            }
            begin(&t, AUTH_SCRAM, good, STR(""));
            enum auth_step step = say_first(&t, PLAIN, text, n);
            bool fits = in_name ? n <= 2048 : n <= 264;
            ck_assert_msg(
                (step == AUTH_GO_ON) == fits, "%zu %d: %s", n, in_name, t.err.text);
            end(&t);
        }
}
END_TEST

struct frame_case {
    const char *name;
    const char *body;
    size_t n;
    bool goes_on;
};

static const struct frame_case frames[] = {
    { "right", T(PLAIN "\0\0\0\0\13n,,n=,r=abc"), true },
    { "nothing", T(""), false },
    { "no end of the name", T(PLAIN), false },
    { "no length", T(PLAIN "\0"), false },
    { "part of a length", T(PLAIN "\0\0\0\0"), false },
    { "length too small", T(PLAIN "\0\0\0\0\12n,,n=,r=abc"), false },
    { "length too large", T(PLAIN "\0\0\0\0\14n,,n=,r=abc"), false },
    { "length 2^31 - 1", T(PLAIN "\0\x7f\xff\xff\xffn,,n=,r=abc"), false },
    { "length 2^31", T(PLAIN "\0\x80\0\0\0n,,n=,r=abc"), false },
    { "length -1 and a text", T(PLAIN "\0\xff\xff\xff\xffn,,n=,r=abc"), false },
    { "length -1", T(PLAIN "\0\xff\xff\xff\xff"), true },
    { "length 0", T(PLAIN "\0\0\0\0\0"), false },
};

START_TEST(initial_response_is_framed)
{
    const struct frame_case *c = &frames[_i];
    struct talk t;

    begin(&t, AUTH_SCRAM, good, STR(""));
    CASE_INT(c, say(&t, c->body, c->n), c->goes_on ? AUTH_GO_ON : AUTH_FAILED);
    end(&t);
}
END_TEST

START_TEST(message_may_come_after_the_mechanism)
{
    struct talk t;

    begin(&t, AUTH_SCRAM, good, STR(""));
    ck_assert_int_eq(say(&t, T(PLAIN "\0\xff\xff\xff\xff")), AUTH_GO_ON);
    ck_assert(said(&t, "\0\0\0\13", 4));
    ck_assert_int_eq(say(&t, T("n,,n=,r=abc")), AUTH_GO_ON);
    ck_assert_mem_eq(buf_ptr(&t.out), "\0\0\0\13r=abc", 9);
    end(&t);
}
END_TEST

/* @ stands for the whole nonce, # for the right proof (of what stands before ",p="). */
struct final_case {
    const char *name;
    bool is_plus;
    const char *text;
    const char *err; /* NULL: accepted */
};

#define BOUND \
    "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define OTHER \
    "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsMTEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

static const struct final_case finals[] = {
    { "right", false, "c=biws,r=@,p=#", NULL },
    { "right, bound", true, "c=" BOUND ",r=@,p=#", NULL },
    { "right, with an extension", false, "c=biws,r=@,x=1,y=,p=#", NULL },
    { "bound to another channel", true, "c=" OTHER ",r=@,p=#", "not this TLS" },
    { "bound to nothing", true, "c=biws,r=@,p=#", "not this TLS" },
    { "said another flag first", false, "c=eSws,r=@,p=#", "does not repeat" },
    { "binding no base64", false, "c=???,r=@,p=#", "does not repeat" },
    { "binding empty", false, "c=,r=@,p=#", "does not repeat" },
    { "no binding", false, "r=@,p=#", "`r` stands where `c`" },
    { "no nonce", false, "c=biws,p=#", "`p` stands where `r`" },
    { "wrong order", false, "r=@,c=biws,p=#", "`r` stands where `c`" },
    { "nonce longer", false, "c=biws,r=@x,p=#", "repeat the nonce" },
    { "nonce shorter", false, "c=biws,r=abc,p=#", "repeat the nonce" },
    { "nonce empty", false, "c=biws,r=,p=#", "repeat the nonce" },
    { "no proof", false, "c=biws,r=@", "ends" },
    { "no proof, extension", false, "c=biws,r=@,x=1", "ends" },
    { "proof empty", false, "c=biws,r=@,p=", "not base64 of 32" },
    { "proof short", false, "c=biws,r=@,p=Zm9v", "not base64 of 32" },
    { "proof long", false, "c=biws,r=@,p=#AAAA", "not base64 of 32" },
    { "proof garbage", false,
        "c=biws,r=@,p=!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!=", "not base64" },
    { "proof of zeros", false,
        "c=biws,r=@,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "does not match" },
    { "more behind", false, "c=biws,r=@,p=#,x=1", "follows the proof" },
    { "comma behind", false, "c=biws,r=@,p=#,", "follows the proof" },
    { "proof twice", false, "c=biws,r=@,p=#,p=#", "follows the proof" },
    { "nothing", false, "", "it is empty" },
};

/* The client's half of the message that is signed. */
static void
proof_text(const char *bare, struct buf *server_first, const char *final, size_t n,
    const char *password, char out[SCRAM_KEY_TEXT + 1])
{
    AUTO(buf_deinit) struct buf m = BUF_INIT(1 << 16);
    unsigned char proof[AUTH_KEY_SIZE];
    struct scram_keys keys;
    char salt[SCRAM_MAX_SALT];
    size_t salt_len;
    const char *text = buf_cstr(server_first) + 4;
    const char *s = strstr(text, ",s=") + 3, *i = strstr(text, ",i=");

    ck_assert_int_eq(
        scram_salt((struct str){ s, (size_t)(i - s) }, salt, &salt_len), 0);
    scram_keys_of(password, salt, salt_len, atoi(i + 3), &keys);
    buf_putf(&m, "%s,%s,%.*s", bare, text, (int)n, final);
    scram_make_proof(keys.client, (struct str){ buf_ptr(&m), buf_len(&m) }, proof);
    base64_encode(proof, sizeof(proof), out);
}

/* Goes through to the end with the template; the server's answer is in t->out. */
static enum auth_step
log_in(struct talk *t, bool is_plus, const char *template, const char *password)
{
    AUTO(buf_deinit) struct buf final = BUF_INIT(1 << 17);
    const char *gs2 = is_plus ? "p=tls-server-end-point,," : "n,,";
    char first[64];
    int n = snprintf(first, sizeof(first), "%sn=,r=abc", gs2);

    enum auth_step step = say_first(t, is_plus ? PLUS : PLAIN, first, (size_t)n);
    ck_assert_int_eq(step, AUTH_GO_ON);
    const char *nonce = buf_cstr(&t->out) + 6;
    size_t signed_len = 0;
    for (const char *p = template; *p; p++) {
        if (str_prefix(p, ",p="))
            signed_len = signed_len ? signed_len : buf_len(&final);
        if (*p == '@') {
            buf_put(&final, nonce, strcspn(nonce, ","));
        } else if (*p == '#') {
            char proof[SCRAM_KEY_TEXT + 1];
            proof_text(first + strlen(gs2), &t->out, buf_cstr(&final), signed_len,
                password, proof);
            buf_puts(&final, proof);
        } else {
            buf_put(&final, p, 1);
        }
    }
    return say(t, buf_cstr(&final), buf_len(&final));
}

START_TEST(client_final_is_judged)
{
    const struct final_case *c = &finals[_i];
    struct talk t;

    begin(&t, AUTH_SCRAM, good, c->is_plus ? BINDING : STR(""));
    enum auth_step step = log_in(&t, c->is_plus, c->text, "sesame");
    ck_assert_msg(
        step == (c->err ? AUTH_FAILED : AUTH_DONE), "%s: %s", c->name, t.err.text);
    if (c->err) {
        ck_assert_msg(strstr(t.err.text, c->err), "%s: %s", c->name, t.err.text);
        CASE_INT(c, buf_len(&t.out), 0);
    } else {
        struct auth_proof p;
        struct scram_keys keys;
        ck_assert_mem_eq(buf_ptr(&t.out), "\0\0\0\14v=", 6);
        auth_server_take_proof(t.server, &p);
        ck_assert(p.has_client_key && !p.has_password);
        scram_keys_of("sesame", p.salt, p.salt_len, p.iterations, &keys);
        ck_assert_mem_eq(p.client_key, keys.client, AUTH_KEY_SIZE);
        ck_assert_mem_eq(p.server_key, keys.server, AUTH_KEY_SIZE);
        auth_proof_wipe(&p);
    }
    end(&t);
}
END_TEST

START_TEST(long_client_final_is_not_taken)
{
    static char text[65535];
    struct talk t;

    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "c=", 2);
    begin(&t, AUTH_SCRAM, good, STR(""));
    ck_assert_int_eq(log_in(&t, false, text, "sesame"), AUTH_FAILED);
    ck_assert_msg(strstr(t.err.text, "more than the 2048"), "%s", t.err.text);
    end(&t);
}
END_TEST

struct secret_case {
    const char *name;
    const char *secret; /* NULL: unknown */
    const char *password;
    const char *err; /* NULL: accepted */
};

static const struct secret_case secrets[] = {
    { "plain", "sesame", "sesame", NULL },
    { "plain, prepared", "\u2168", "IX", NULL },
    { "plain, wrong", "sesame", "sesamf", "does not match" },
    { "scram, wrong", good, "sesamf", "does not match" },
    { "md5", MD5_APP, "sesame", "is md5" },
    { "md5 as the password", MD5_APP, MD5_APP, "is md5" },
    { "none", "", "sesame", "empty secret" },
    { "unknown", NULL, "sesame", "there is no user" },
};

START_TEST(every_secret_has_the_same_messages)
{
    const struct secret_case *c = &secrets[_i];
    struct talk t;

    CASE_INT(c, begin(&t, AUTH_SCRAM, c->secret, STR("")), AUTH_GO_ON);
    enum auth_step step = log_in(&t, false, "c=biws,r=@,p=#", c->password);
    ck_assert_msg(
        step == (c->err ? AUTH_FAILED : AUTH_DONE), "%s: %s", c->name, t.err.text);
    if (c->err)
        ck_assert_msg(strstr(t.err.text, c->err), "%s: %s", c->name, t.err.text);
    end(&t);
}
END_TEST

static void
first_of(const char *user, char *salt, size_t size)
{
    struct auth_server *a = auth_server_new(AUTH_SCRAM, user, NULL, STR(""));
    AUTO(buf_deinit) struct buf out = BUF_INIT(AUTH_MAX_BODY);
    struct str body = { T(PLAIN "\0\0\0\0\13n,,n=,r=abc") };

    ck_assert_int_eq(auth_server_next(a, NULL, &out, NULL), AUTH_GO_ON);
    buf_reset(&out);
    ck_assert_int_eq(auth_server_next(a, &body, &out, NULL), AUTH_GO_ON);
    snprintf(salt, size, "%s", strchr(buf_cstr(&out) + 4, ','));
    auth_server_free(a);
}

START_TEST(unknown_users_keep_their_salt)
{
    char a[128], b[128], other[128];

    first_of("nobody", a, sizeof(a));
    first_of("nobody", b, sizeof(b));
    first_of("nobodz", other, sizeof(other));
    ck_assert_str_eq(a, b);
    ck_assert_str_ne(a, other);
    ck_assert_uint_eq(strlen(a), strlen(",s=X5lsurrflmTEXLCE0dHGmw==,i=4096"));
}
END_TEST

START_TEST(no_step_after_the_end)
{
    struct talk t;

    begin(&t, AUTH_PASSWORD, "sesame", STR(""));
    ck_assert_int_eq(say(&t, "x", 2), AUTH_FAILED);
    say(&t, "sesame", 7);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("auth_server");
    TCase *tc = tcase_create("server");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, trust_cert_and_reject_are_over_at_once);
    tcase_add_loop_test(
        tc, password_is_checked, 0, sizeof(passwords) / sizeof(passwords[0]));
    tcase_add_test(tc, long_passwords_are_not_taken);
    tcase_add_test(tc, md5_is_checked);
    tcase_add_test(tc, md5_asks_scram_of_who_has_no_md5);
    tcase_add_test(tc, mechanisms_are_offered);
    tcase_add_loop_test(
        tc, client_first_is_judged, 0, sizeof(firsts) / sizeof(firsts[0]));
    tcase_add_test(tc, lengths_of_client_first_have_limits);
    tcase_add_loop_test(
        tc, initial_response_is_framed, 0, sizeof(frames) / sizeof(frames[0]));
    tcase_add_test(tc, message_may_come_after_the_mechanism);
    tcase_add_loop_test(
        tc, client_final_is_judged, 0, sizeof(finals) / sizeof(finals[0]));
    tcase_add_test(tc, long_client_final_is_not_taken);
    tcase_add_loop_test(tc, every_secret_has_the_same_messages, 0,
        sizeof(secrets) / sizeof(secrets[0]));
    tcase_add_test(tc, unknown_users_keep_their_salt);
    unit_add_death(tc, no_step_after_the_end);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
