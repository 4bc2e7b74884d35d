// SPDX-License-Identifier: ISC
/* The client side; see client.h.
 *
 *   START --AuthenticationOk--> OVER
 *   START --password or md5 asked, answered--> ANSWERED --Ok--> OVER
 *   START --SASL--> FIRST --server-first--> FINAL --server-final--> ANSWERED --Ok--> OVER
 *
 * Everything else is a server that is broken, or somebody who plays one: refused. */
#include "auth/client.h"

#include "auth/md5.h"
#include "auth/scram.h"
#include "base/mem.h"
#include "pgwire/pgwire.h"

#include <stdio.h>
#include <string.h>

enum state {
    STATE_START,
    STATE_FIRST, /* client-first is sent */
    STATE_FINAL, /* client-final is sent */
    STATE_ANSWERED,
    STATE_OVER,
};

struct auth_client {
    enum state state;
    char *user;                /* owned */
    struct auth_secret secret; /* owned; kind NONE if there is none */
    struct auth_proof proof;   /* owned; has nothing if there is none */
    char binding[SCRAM_MAX_BINDING];
    size_t binding_len;
    /* SCRAM */
    const char *gs2; /* a literal */
    char nonce[SCRAM_NONCE_SIZE + 1];
    struct buf message; /* AuthMessage as far as it is known */
    unsigned char server_key[AUTH_KEY_SIZE];
};

static void
copy_proof(const struct auth_proof *from, struct auth_proof *to)
{
    *to = *from;
    to->password = mem_strdup(from->password);
    to->salt = from->salt ? mem_strndup(from->salt, from->salt_len) : NULL;
}

struct auth_client *
auth_client_new(const struct auth_client_args *args)
{
    struct auth_client *a = mem_zalloc(sizeof(*a));

    DG_ASSERT(
        args->binding.n <= SCRAM_MAX_BINDING, "binding of %zu bytes", args->binding.n);
    a->user = mem_strdup(args->user);
    if (args->secret)
        auth_secret_copy(args->secret, &a->secret);
    if (args->proof)
        copy_proof(args->proof, &a->proof);
    a->binding_len = args->binding.n;
    if (args->binding.n)
        memcpy(a->binding, args->binding.p, args->binding.n);
    buf_init(&a->message, 3 * SCRAM_MAX_MESSAGE);
    scram_new_nonce(a->nonce);
    return a;
}

void
auth_client_free(struct auth_client *a)
{
    if (!a)
        return;
    auth_secret_wipe(&a->secret);
    auth_proof_wipe(&a->proof);
    buf_deinit(&a->message);
    mem_free(a->user);
    explicit_bzero(a, sizeof(*a));
    mem_free(a);
}

/* The password if it is known, else NULL. */
static const char *
password_of(const struct auth_client *a)
{
    if (a->secret.kind == AUTH_SECRET_PLAIN)
        return a->secret.text;
    return a->proof.has_password ? a->proof.password : NULL;
}

/* What there is for the user, for errors. */
static const char *
what_is_known(const struct auth_client *a)
{
    if (a->proof.has_client_key)
        return "the client's SCRAM proof";
    switch (a->secret.kind) {
    case AUTH_SECRET_NONE:
        return "nothing";
    case AUTH_SECRET_PLAIN:
        return "the password";
    case AUTH_SECRET_MD5:
        return "an md5 secret";
    case AUTH_SECRET_SCRAM:
        return "a SCRAM secret, with which one can check a login but not log in";
    }
    DG_ASSERT(false, "no secret of kind %d", (int)a->secret.kind);
    return NULL;
}

static enum auth_step
lacks(
    const struct auth_client *a, const char *asked, const char *needed, struct err *err)
{
    err_set(err, -1,
        "the server asks for %s as user \"%s\"; that needs %s, and the gate has %s",
        asked, a->user, needed, what_is_known(a));
    return AUTH_FAILED;
}

static enum auth_step
broken(struct err *err, const char *what)
{
    err_set(err, -1, "the server's authentication is broken: %s", what);
    return AUTH_FAILED;
}

/* --- password and md5 ------------------------------------------------------------- */

static enum auth_step
give_password(struct auth_client *a, struct buf *out, struct err *err)
{
    const char *password = password_of(a);

    if (!password)
        return lacks(a, "the password itself", "the password", err);
    /* The configuration's own passwords have no other limit. */
    if (strlen(password) > AUTH_MAX_PASSWORD) {
        err_set(err, -1, "the password of user \"%s\" is longer than %d bytes", a->user,
            AUTH_MAX_PASSWORD);
        return AUTH_FAILED;
    }
    buf_put(out, password, strlen(password) + 1);
    a->state = STATE_ANSWERED;
    return AUTH_GO_ON;
}

static enum auth_step
give_md5(struct auth_client *a, struct str salt, struct buf *out, struct err *err)
{
    const char *password = password_of(a);
    char secret[MD5_TEXT], answer[MD5_TEXT];

    if (salt.n != MD5_SALT)
        return broken(err, "its md5 salt does not have 4 bytes");
    if (password) {
        if (md5_secret(password, a->user, secret, err))
            return AUTH_FAILED;
    } else if (a->secret.kind == AUTH_SECRET_MD5) {
        memcpy(secret, a->secret.text, MD5_TEXT);
    } else {
        return lacks(a, "an md5 password", "the password or the same md5 secret", err);
    }
    int r = md5_answer(secret, salt.p, answer, err);
    explicit_bzero(secret, sizeof(secret));
    if (r)
        return AUTH_FAILED;
    buf_put(out, answer, sizeof(answer));
    a->state = STATE_ANSWERED;
    return AUTH_GO_ON;
}

/* --- SCRAM ------------------------------------------------------------------------ */

/* The list of mechanisms: names with a NUL each, and an empty one. */
static int
read_offer(struct str list, bool *has_scram, bool *has_plus, struct err *err)
{
    *has_scram = *has_plus = false;
    while (list.n) {
        const char *end = memchr(list.p, 0, list.n);
        if (!end)
            break;
        size_t n = (size_t)(end - list.p);
        struct str name = { list.p, n };
        list = (struct str){ end + 1, list.n - n - 1 };
        if (n == 0) {
            if (list.n == 0)
                return 0;
            break;
        }
        *has_scram |= str_eqz(name, SCRAM_NAME);
        *has_plus |= str_eqz(name, SCRAM_NAME_PLUS);
    }
    return err_set(err, -1,
        "the server's authentication is broken: its list of mechanisms has no end");
}

static void
put_u32(struct buf *out, size_t n)
{
    char p[4] = { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };
    buf_put(out, p, sizeof(p));
}

static enum auth_step
begin_scram(struct auth_client *a, struct str list, struct buf *out, struct err *err)
{
    bool has_scram, has_plus;

    if (read_offer(list, &has_scram, &has_plus, err))
        return AUTH_FAILED;
    bool is_plus = has_plus && a->binding_len;
    if (!has_scram && !is_plus) {
        err_set(err, -1, "the server offers no SASL mechanism that the gate has (%s)",
            SCRAM_NAME);
        return AUTH_FAILED;
    }
    if (!password_of(a) && !a->proof.has_client_key)
        return lacks(a, "a SCRAM login",
            "the password, or a client that logs in at the gate with SCRAM and the same "
            "SCRAM secret on both sides",
            err);
    a->gs2 = is_plus ? "p=" SCRAM_BINDING ",," : a->binding_len ? "y,," : "n,,";
    /* The server knows the user from the startup packet and passes over this one. */
    buf_putf(&a->message, "n=,r=%s", a->nonce);
    buf_puts(out, is_plus ? SCRAM_NAME_PLUS : SCRAM_NAME);
    buf_put(out, "", 1);
    put_u32(out, strlen(a->gs2) + buf_len(&a->message));
    buf_puts(out, a->gs2);
    buf_put(out, buf_ptr(&a->message), buf_len(&a->message));
    a->state = STATE_FIRST;
    return AUTH_GO_ON;
}

struct server_first {
    struct str nonce; /* of both */
    char salt[SCRAM_MAX_SALT];
    size_t salt_len;
    int iterations;
};

static int
read_server_first(
    const struct auth_client *a, struct str m, struct server_first *f, struct err *err)
{
    struct scram_reader r;
    struct str salt, iterations;
    struct err why = { "" };

    if (scram_read(&r, m, &why) || scram_take(&r, 'r', &f->nonce, &why)
        || scram_take(&r, 's', &salt, &why) || scram_take(&r, 'i', &iterations, &why))
        return broken(err, why.text);
    if (!r.is_at_end)
        return broken(err, "something follows its first SCRAM message");
    size_t own = strlen(a->nonce);
    if (!scram_is_nonce(f->nonce, own + SCRAM_MAX_NONCE) || f->nonce.n <= own
        || memcmp(f->nonce.p, a->nonce, own) != 0)
        return broken(err,
            "its nonce does not begin with the gate's, adds nothing to "
            "it, or is too long");
    if (scram_salt(salt, f->salt, &f->salt_len))
        return broken(err, "its salt is not base64 of 1 to 96 bytes");
    if (scram_iterations(iterations, &f->iterations)) {
        err_set(err, -1,
            "the server's SCRAM secret of user \"%s\" has an iteration count that is no "
            "number of 1 to %d, which the gate does not compute; set the password anew",
            a->user, AUTH_MAX_ITERATIONS);
        return -1;
    }
    return 0;
}

static bool
is_proof_for(const struct auth_proof *p, const struct server_first *f)
{
    return p->has_client_key && p->iterations == f->iterations
        && p->salt_len == f->salt_len && memcmp(p->salt, f->salt, f->salt_len) == 0;
}

/* The client's own key where it fits: it costs nothing. Else the password. */
static int
find_keys(struct auth_client *a, const struct server_first *f,
    unsigned char client_key[AUTH_KEY_SIZE], struct err *err)
{
    const char *password = password_of(a);
    struct scram_keys keys;

    if (is_proof_for(&a->proof, f)) {
        memcpy(client_key, a->proof.client_key, AUTH_KEY_SIZE);
        memcpy(a->server_key, a->proof.server_key, AUTH_KEY_SIZE);
        return 0;
    }
    if (!password)
        return err_set(err, -1,
            "the gate's SCRAM secret of user \"%s\" is not the server's (salt or "
            "iterations differ), so the client's login can't be passed on; give both "
            "the same text: what pg_authid.rolpassword has on the server",
            a->user);
    scram_keys_of(password, f->salt, f->salt_len, f->iterations, &keys);
    memcpy(client_key, keys.client, AUTH_KEY_SIZE);
    memcpy(a->server_key, keys.server, AUTH_KEY_SIZE);
    explicit_bzero(&keys, sizeof(keys));
    return 0;
}

static struct str
message_of(const struct auth_client *a)
{
    return (struct str){ buf_ptr(&a->message), buf_len(&a->message) };
}

static enum auth_step
prove(struct auth_client *a, struct str m, struct buf *out, struct err *err)
{
    unsigned char client_key[AUTH_KEY_SIZE], proof[AUTH_KEY_SIZE];
    char text[BASE64_SIZE(SCRAM_MAX_GS2 + SCRAM_MAX_BINDING) + 1];
    struct server_first f;

    if (read_server_first(a, m, &f, err) || find_keys(a, &f, client_key, err))
        return AUTH_FAILED;
    bool is_plus = a->gs2[0] == 'p';
    struct str data = { a->binding, is_plus ? a->binding_len : 0 };
    scram_binding_text(str_of(a->gs2), data, text);
    buf_putf(&a->message, ",%.*s,", (int)m.n, m.p);
    size_t start = buf_len(&a->message);
    buf_putf(&a->message, "c=%s,r=%.*s", text, (int)f.nonce.n, f.nonce.p);
    scram_make_proof(client_key, message_of(a), proof);
    base64_encode(proof, sizeof(proof), text);
    buf_put(out, buf_ptr(&a->message) + start, buf_len(&a->message) - start);
    buf_puts(out, ",p=");
    buf_puts(out, text);
    explicit_bzero(client_key, sizeof(client_key));
    explicit_bzero(proof, sizeof(proof));
    a->state = STATE_FINAL;
    return AUTH_GO_ON;
}

/* A server that can't sign does not have the secret: it only wants the gate to log in. */
static enum auth_step
check_server(struct auth_client *a, struct str m, struct err *err)
{
    unsigned char given[AUTH_KEY_SIZE], want[AUTH_KEY_SIZE];
    struct scram_reader r;
    struct str value;
    struct err why = { "" };
    char name;

    if (scram_read(&r, m, &why) || scram_take_any(&r, &name, &value, &why))
        return broken(err, why.text);
    if (name == 'e') {
        err_set(err, -1, "the server refuses the SCRAM login: %.*s",
            (int)(value.n < 64 ? value.n : 64), value.p);
        return AUTH_FAILED;
    }
    if (name != 'v' || !r.is_at_end || scram_key(value, given))
        return broken(err, "its last SCRAM message is no signature");
    scram_sign(a->server_key, message_of(a), want);
    if (!hash_equal(given, want, sizeof(want))) {
        err_set(err, -1,
            "the server does not know the secret of user \"%s\" (its SCRAM signature is "
            "wrong): it may not be the server that it should be",
            a->user);
        return AUTH_FAILED;
    }
    a->state = STATE_ANSWERED;
    return AUTH_GO_ON;
}

/* --- what comes ------------------------------------------------------------------- */

static const char *
method_word(uint32_t kind)
{
    switch (kind) {
    case 2:
        return "Kerberos V5";
    case 6:
        return "SCM credentials";
    case 7:
    case 8:
        return "GSSAPI (gss)";
    case 9:
        return "SSPI (sspi)";
    default:
        return "an unknown method";
    }
}

static enum auth_step
server_says_ok(const struct auth_client *a, struct err *err)
{
    if (a->state == STATE_START || a->state == STATE_ANSWERED)
        return AUTH_DONE;
    return broken(err,
        "it accepts the login before its SCRAM signature, which would "
        "show that it is the right server");
}

static enum auth_step
step(struct auth_client *a, enum state was, uint32_t kind, struct str rest,
    struct buf *out, struct err *err)
{
    bool is_start = was == STATE_START;

    switch (kind) {
    case PGW_AUTH_CLEARTEXT:
        if (is_start)
            return give_password(a, out, err);
        break;
    case PGW_AUTH_MD5:
        if (is_start)
            return give_md5(a, rest, out, err);
        break;
    case PGW_AUTH_SASL:
        if (is_start)
            return begin_scram(a, rest, out, err);
        break;
    case PGW_AUTH_SASL_CONTINUE:
        if (was == STATE_FIRST)
            return prove(a, rest, out, err);
        break;
    case PGW_AUTH_SASL_FINAL:
        if (was == STATE_FINAL)
            return check_server(a, rest, err);
        break;
    default:
        err_set(err, -1,
            "the server asks for authentication by %s (code %u), which the gate can't "
            "give; let its pg_hba.conf ask the gate for scram-sha-256",
            method_word(kind), (unsigned)kind);
        return AUTH_FAILED;
    }
    return broken(err, "its messages come out of order");
}

enum auth_step
auth_client_next(
    struct auth_client *a, struct str body, struct buf *out, struct err *err)
{
    enum state was = a->state;
    enum auth_step result;
    uint32_t kind;

    DG_ASSERT(was != STATE_OVER, "the conversation is over");
    if (pgw_parse_auth(body.p, body.n, &kind))
        result = broken(err, "a message is too short");
    else if (kind == PGW_AUTH_OK)
        result = server_says_ok(a, err);
    else
        result = step(a, was, kind, (struct str){ body.p + 4, body.n - 4 }, out, err);
    if (result != AUTH_GO_ON)
        a->state = STATE_OVER;
    return result;
}
