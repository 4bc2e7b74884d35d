// SPDX-License-Identifier: ISC
/* The methods of the server side; see server.h. */
#include "auth/server.h"

#include "auth/md5.h"
#include "auth/server_scram.h"
#include "base/mem.h"
#include "pgwire/pgwire.h"

#include <string.h>

enum state {
    STATE_START,
    STATE_PASSWORD, /* PasswordMessage with the password itself is to come */
    STATE_MD5,      /* with the answer to our salt */
    STATE_SCRAM,
    STATE_DONE,
    STATE_FAILED,
};

struct auth_server {
    enum auth_method method;
    enum state state;
    bool is_known;
    char *user;                /* owned */
    struct auth_secret secret; /* owned; of kind NONE for an unknown user */
    char binding[SCRAM_MAX_BINDING];
    size_t binding_len;
    char md5_salt[MD5_SALT];
    struct scram_server *scram; /* owned; NULL before */
    char *password;             /* owned, wiped; given and found to be right */
};

const char *
auth_method_name(enum auth_method method)
{
    switch (method) {
    case AUTH_TRUST:
        return "trust";
    case AUTH_REJECT:
        return "reject";
    case AUTH_PASSWORD:
        return "password";
    case AUTH_MD5:
        return "md5";
    case AUTH_SCRAM:
        return "scram-sha-256";
    case AUTH_CERT:
        return "cert";
    }
    DG_ASSERT(false, "no method %d", (int)method);
    return NULL;
}

struct auth_server *
auth_server_new(enum auth_method method, const char *user,
    const struct auth_secret *secret, struct str binding)
{
    struct auth_server *a = mem_zalloc(sizeof(*a));

    DG_ASSERT(binding.n <= SCRAM_MAX_BINDING, "binding of %zu bytes", binding.n);
    a->method = method;
    a->user = mem_strdup(user);
    a->is_known = secret != NULL;
    if (secret)
        auth_secret_copy(secret, &a->secret);
    a->binding_len = binding.n;
    if (binding.n)
        memcpy(a->binding, binding.p, binding.n);
    return a;
}

void
auth_server_free(struct auth_server *a)
{
    if (!a)
        return;
    scram_server_free(a->scram);
    auth_secret_wipe(&a->secret);
    auth_wipe_string(a->password);
    mem_free(a->user);
    mem_free(a);
}

static enum auth_step
ask_password(struct buf *out)
{
    buf_put(out, "\0\0\0\3", 4);
    return AUTH_GO_ON;
}

static enum auth_step
ask_md5(struct auth_server *a, struct buf *out)
{
    hash_random(a->md5_salt, sizeof(a->md5_salt));
    buf_put(out, "\0\0\0\5", 4);
    buf_put(out, a->md5_salt, sizeof(a->md5_salt));
    a->state = STATE_MD5;
    return AUTH_GO_ON;
}

static enum auth_step
ask_scram(struct auth_server *a, struct buf *out)
{
    a->scram = scram_server_new(a->user, a->is_known ? &a->secret : NULL,
        (struct str){ a->binding, a->binding_len });
    scram_server_offer(a->scram, out);
    a->state = STATE_SCRAM;
    return AUTH_GO_ON;
}

static enum auth_step
start(struct auth_server *a, struct buf *out, struct err *err)
{
    switch (a->method) {
    case AUTH_TRUST:
    case AUTH_CERT:
        a->state = STATE_DONE;
        return AUTH_DONE;
    case AUTH_REJECT:
        err_set(err, -1, "the authentication method is reject");
        return AUTH_FAILED;
    case AUTH_PASSWORD:
        a->state = STATE_PASSWORD;
        return ask_password(out);
    case AUTH_MD5:
        /* An unknown user gets SCRAM, as from a server of today: a user with an md5 secret
         * is the exception. */
        if (a->secret.kind == AUTH_SECRET_MD5 || a->secret.kind == AUTH_SECRET_PLAIN)
            return ask_md5(a, out);
        return ask_scram(a, out);
    case AUTH_SCRAM:
        return ask_scram(a, out);
    }
    DG_ASSERT(false, "no method %d", (int)a->method);
    return AUTH_FAILED;
}

/* PasswordMessage: one text with a NUL at its end and nothing behind. */
static int
take_text(struct str body, size_t max, struct str *text, struct err *err)
{
    const char *end = body.n ? memchr(body.p, 0, body.n) : NULL;

    if (!end || (size_t)(end - body.p) + 1 != body.n)
        return err_set(err, -1, "malformed password message: its size is wrong");
    *text = (struct str){ body.p, body.n - 1 };
    if (text->n == 0)
        return err_set(err, -1, "client sent an empty password");
    if (text->n > max)
        return err_set(err, -1, "client sent a password of %zu bytes; %zu are taken",
            text->n, max);
    return 0;
}

/* Over digests: comparing texts would tell their length. */
static bool
is_text(const char *a, const char *b)
{
    uint8_t sum_a[HASH_SHA256_SIZE], sum_b[HASH_SHA256_SIZE];

    hash_sha256_of(a, strlen(a), sum_a);
    hash_sha256_of(b, strlen(b), sum_b);
    return hash_equal(sum_a, sum_b, sizeof(sum_a));
}

/* 1: right, 0: wrong, -errno with err. */
static int
check_password(struct auth_server *a, const char *password, struct err *err)
{
    char md5[MD5_TEXT];
    int r;

    switch (a->secret.kind) {
    case AUTH_SECRET_NONE:
        return scram_check_password(a->user, NULL, password);
    case AUTH_SECRET_PLAIN:
        return is_text(password, a->secret.text);
    case AUTH_SECRET_MD5:
        r = md5_secret(password, a->user, md5, err);
        return r ? r : is_text(md5, a->secret.text);
    case AUTH_SECRET_SCRAM:
        return scram_check_password(a->user, &a->secret, password);
    }
    DG_ASSERT(false, "no secret of kind %d", (int)a->secret.kind);
    return -1;
}

static enum auth_step
password_came(struct auth_server *a, struct str body, struct err *err)
{
    struct str text;

    if (take_text(body, AUTH_MAX_PASSWORD, &text, err))
        return AUTH_FAILED;
    AUTO(auth_wipe_string) char *password = mem_strndup(text.p, text.n);
    int r = check_password(a, password, err);
    if (r == 0)
        err_set(err, -1, "password of user \"%s\" does not match", a->user);
    if (r <= 0)
        return AUTH_FAILED;
    a->password = password;
    password = NULL;
    return AUTH_DONE;
}

static enum auth_step
md5_came(struct auth_server *a, struct str body, struct err *err)
{
    char secret[MD5_TEXT], want[MD5_TEXT];
    struct str text;

    if (take_text(body, AUTH_MAX_PASSWORD, &text, err))
        return AUTH_FAILED;
    if (a->secret.kind == AUTH_SECRET_MD5)
        memcpy(secret, a->secret.text, MD5_TEXT);
    else if (md5_secret(a->secret.text, a->user, secret, err))
        return AUTH_FAILED;
    if (md5_answer(secret, a->md5_salt, want, err))
        return AUTH_FAILED;
    explicit_bzero(secret, sizeof(secret));
    bool is_right = text.n == MD5_TEXT - 1 && hash_equal(text.p, want, MD5_TEXT - 1);
    explicit_bzero(want, sizeof(want));
    if (is_right)
        return AUTH_DONE;
    err_set(err, -1, "password of user \"%s\" does not match", a->user);
    return AUTH_FAILED;
}

/* Why a user had no chance. The client is told the same as for a wrong password. */
static void
explain(const struct auth_server *a, struct err *err)
{
    if (!a->is_known)
        err_set(err, -1, "there is no user \"%s\": no secret is known for it", a->user);
    else if (a->secret.kind == AUTH_SECRET_NONE)
        err_set(err, -1, "user \"%s\" has an empty secret, so no password matches",
            a->user);
    else if (a->secret.kind == AUTH_SECRET_MD5 && a->method == AUTH_SCRAM)
        err_set(err, -1,
            "the secret of user \"%s\" is md5, and the method scram-sha-256 can't use "
            "it; make a SCRAM secret with `ddlgate scram`",
            a->user);
}

enum auth_step
auth_server_next(
    struct auth_server *a, const struct str *body, struct buf *out, struct err *err)
{
    enum auth_step step = AUTH_FAILED;

    DG_ASSERT((body == NULL) == (a->state == STATE_START), "a step out of order");
    switch (a->state) {
    case STATE_START:
        step = start(a, out, err);
        break;
    case STATE_PASSWORD:
        step = password_came(a, *body, err);
        break;
    case STATE_MD5:
        step = md5_came(a, *body, err);
        break;
    case STATE_SCRAM:
        step = scram_server_next(a->scram, *body, out, err);
        break;
    case STATE_DONE:
    case STATE_FAILED:
        DG_ASSERT(false, "the conversation is over");
    }
    if (step == AUTH_GO_ON)
        return step;
    if (step == AUTH_FAILED && a->method != AUTH_REJECT)
        explain(a, err);
    a->state = step == AUTH_DONE ? STATE_DONE : STATE_FAILED;
    return step;
}

void
auth_server_take_proof(struct auth_server *a, struct auth_proof *out)
{
    DG_ASSERT(a->state == STATE_DONE, "there is no proof before the end");
    *out = (struct auth_proof){ .has_password = a->password != NULL };
    out->password = a->password;
    a->password = NULL;
    if (a->scram)
        scram_server_take_proof(a->scram, out);
}

void
auth_proof_wipe(struct auth_proof *p)
{
    auth_wipe_string(p->password);
    mem_free(p->salt);
    explicit_bzero(p, sizeof(*p));
}
