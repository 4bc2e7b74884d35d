// SPDX-License-Identifier: ISC
/* SCRAM-SHA-256, the server's side; see server_scram.h. On the wire it behaves as
 * PostgreSQL's does:
 *
 *   OFFERED --SASLInitialResponse--> FIRST --client-first--> FINAL --client-final--> OVER
 *
 * OFFERED and FIRST are one step, unless the client names a mechanism without a message.
 *
 * A user without a secret that is good for SCRAM goes the same way ("mock
 * authentication"): salt and count look real and stay the same from try to try, the proof
 * is computed against a key that nobody has, and the end is a failure. One thing can be
 * told apart: a plain secret costs PBKDF2's time, where a SCRAM secret and no secret at
 * all cost none. Who minds keeps SCRAM secrets, as PostgreSQL does. */
#include "auth/server_scram.h"

#include "base/mem.h"
#include "pgwire/pgwire.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum state {
    STATE_OFFERED,
    STATE_FIRST, /* a mechanism is chosen, client-first is still to come */
    STATE_FINAL,
    STATE_OVER,
};

struct scram_server {
    enum state state;
    bool is_mock;
    bool is_plus; /* the client chose SCRAM-SHA-256-PLUS */
    char *user;   /* owned */
    char binding[SCRAM_MAX_BINDING];
    size_t binding_len;

    char salt[SCRAM_MAX_SALT];
    size_t salt_len;
    int iterations;
    unsigned char stored_key[AUTH_KEY_SIZE], server_key[AUTH_KEY_SIZE];
    unsigned char client_key[AUTH_KEY_SIZE]; /* once the proof was right */

    char gs2[SCRAM_MAX_GS2 + 1];
    /* AuthMessage as far as it is known: client-first-bare, server-first */
    struct buf message;
    char nonce[SCRAM_MAX_NONCE + SCRAM_NONCE_SIZE + 1]; /* of both sides */
};

/* The one thing here that outlives a login, made once and never changed: whoever saw it
 * could tell a made-up salt from a real one, so it is random for each process. */
static unsigned char mock_key[AUTH_KEY_SIZE];
static pthread_once_t mock_once = PTHREAD_ONCE_INIT;

static void
make_mock_key(void)
{
    hash_random(mock_key, sizeof(mock_key));
}

/* A salt for users who have none: of unknown users and of plain secrets alike. */
static void
made_up_salt(const char *user, char out[SCRAM_SALT_SIZE])
{
    unsigned char mac[AUTH_KEY_SIZE];

    pthread_once(&mock_once, make_mock_key);
    hash_hmac(mock_key, sizeof(mock_key), user, strlen(user), mac);
    memcpy(out, mac, SCRAM_SALT_SIZE);
}

static void
take_secret(struct scram_server *s, const struct auth_secret *secret)
{
    if (secret && secret->kind == AUTH_SECRET_SCRAM) {
        DG_ASSERT(
            secret->salt_len <= SCRAM_MAX_SALT, "salt of %zu bytes", secret->salt_len);
        s->iterations = secret->iterations;
        s->salt_len = secret->salt_len;
        memcpy(s->salt, secret->salt, secret->salt_len);
        memcpy(s->stored_key, secret->stored_key, AUTH_KEY_SIZE);
        memcpy(s->server_key, secret->server_key, AUTH_KEY_SIZE);
        return;
    }
    s->iterations = AUTH_SCRAM_ITERATIONS;
    s->salt_len = SCRAM_SALT_SIZE;
    made_up_salt(s->user, s->salt);
    if (secret && secret->kind == AUTH_SECRET_PLAIN) {
        struct scram_keys keys;
        scram_keys_of(secret->text, s->salt, s->salt_len, s->iterations, &keys);
        memcpy(s->stored_key, keys.stored, AUTH_KEY_SIZE);
        memcpy(s->server_key, keys.server, AUTH_KEY_SIZE);
        explicit_bzero(&keys, sizeof(keys));
        return;
    }
    s->is_mock = true;
    hash_random(s->stored_key, AUTH_KEY_SIZE);
    hash_random(s->server_key, AUTH_KEY_SIZE);
}

struct scram_server *
scram_server_new(const char *user, const struct auth_secret *secret, struct str binding)
{
    struct scram_server *s = mem_zalloc(sizeof(*s));

    DG_ASSERT(binding.n <= SCRAM_MAX_BINDING, "binding of %zu bytes", binding.n);
    s->user = mem_strdup(user);
    s->binding_len = binding.n;
    if (binding.n)
        memcpy(s->binding, binding.p, binding.n);
    buf_init(&s->message, 3 * SCRAM_MAX_MESSAGE);
    take_secret(s, secret);
    return s;
}

void
scram_server_free(struct scram_server *s)
{
    if (!s)
        return;
    buf_deinit(&s->message);
    mem_free(s->user);
    explicit_bzero(s, sizeof(*s));
    mem_free(s);
}

static void
put_kind(struct buf *out, uint32_t kind)
{
    char p[4] = { 0, 0, 0, (char)kind };
    buf_put(out, p, sizeof(p));
}

void
scram_server_offer(const struct scram_server *s, struct buf *out)
{
    put_kind(out, PGW_AUTH_SASL);
    if (s->binding_len)
        buf_put(out, SCRAM_NAME_PLUS, sizeof(SCRAM_NAME_PLUS));
    buf_put(out, SCRAM_NAME, sizeof(SCRAM_NAME));
    buf_put(out, "", 1);
}

/* --- client-first ----------------------------------------------------------------- */

/* The first letter of the GS2 header says what the client thinks of channel binding. */
static int
check_flag(const struct scram_server *s, char flag, struct err *err)
{
    switch (flag) {
    case 'n':
        if (s->is_plus)
            return err_set(
                err, -1, "client chose " SCRAM_NAME_PLUS " and binds to no channel");
        return 0;
    case 'y':
        if (s->is_plus)
            return err_set(
                err, -1, "client chose " SCRAM_NAME_PLUS " and binds to no channel");
        if (s->binding_len)
            return err_set(err, -1,
                "client could bind to the TLS channel but was told that this is not "
                "offered: somebody in between may have changed the offer");
        return 0;
    case 'p':
        if (!s->is_plus)
            return err_set(err, -1,
                "client binds to a channel and did not choose " SCRAM_NAME_PLUS);
        return 0;
    default:
        return err_set(
            err, -1, "malformed SCRAM message: unknown flag for channel binding");
    }
}

/* gs2-header: "n,," or "y,," or "p=tls-server-end-point,,". Cuts it off the message. */
static int
take_gs2(struct scram_server *s, struct str *message, struct err *err)
{
    static const char bound[] = "p=" SCRAM_BINDING ",";
    struct str m = *message;
    size_t n = m.p[0] == 'p' ? sizeof(bound) - 1 : 2;

    if (check_flag(s, m.p[0], err))
        return -1;
    if (m.p[0] == 'p' && (m.n < n || memcmp(m.p, bound, n) != 0))
        return err_set(err, -1,
            "client asks for a channel binding of another type than " SCRAM_BINDING);
    if (m.n < n + 1 || m.p[n - 1] != ',')
        return err_set(
            err, -1, "malformed SCRAM message: no comma after the binding's flag");
    if (m.p[n] == 'a')
        return err_set(err, -1,
            "client asks to log in as one user and act as another (SASL authorization "
            "identity); PostgreSQL has no such thing");
    if (m.p[n] != ',')
        return err_set(
            err, -1, "malformed SCRAM message: no comma where its header ends");
    n++;
    DG_ASSERT(n < sizeof(s->gs2), "header of %zu bytes", n);
    memcpy(s->gs2, m.p, n);
    *message = (struct str){ m.p + n, m.n - n };
    return 0;
}

static void
put_server_first(struct scram_server *s, struct buf *out)
{
    char salt[BASE64_SIZE(SCRAM_MAX_SALT) + 1];
    char text[sizeof(s->nonce) + sizeof(salt) + 32];

    base64_encode(s->salt, s->salt_len, salt);
    int n = snprintf(
        text, sizeof(text), "r=%s,s=%s,i=%d", s->nonce, salt, s->iterations);
    DG_ASSERT(n > 0 && (size_t)n < sizeof(text), "server-first of %d bytes", n);
    buf_putf(&s->message, ",%s,", text);
    put_kind(out, PGW_AUTH_SASL_CONTINUE);
    buf_puts(out, text);
}

/* The user's name in the message is passed over, as PostgreSQL does: the one of the
 * startup packet counts. */
static enum auth_step
client_first(
    struct scram_server *s, struct str message, struct buf *out, struct err *err)
{
    struct scram_reader r;
    struct str name, nonce;
    char own[SCRAM_NONCE_SIZE + 1];

    if (scram_read(&r, message, err) || take_gs2(s, &r.rest, err)
        || scram_take(&r, 'n', &name, err) || scram_take(&r, 'r', &nonce, err))
        return AUTH_FAILED;
    if (!scram_is_nonce(nonce, SCRAM_MAX_NONCE)) {
        err_set(err, -1,
            "malformed SCRAM message: the client's nonce is not 1 to %d printable "
            "characters",
            SCRAM_MAX_NONCE);
        return AUTH_FAILED;
    }
    /* Extensions may follow and mean nothing here, but they are signed. */
    struct str bare = { message.p + strlen(s->gs2), message.n - strlen(s->gs2) };
    scram_new_nonce(own);
    snprintf(s->nonce, sizeof(s->nonce), "%.*s%s", (int)nonce.n, nonce.p, own);
    buf_put(&s->message, bare.p, bare.n);
    put_server_first(s, out);
    s->state = STATE_FINAL;
    return AUTH_GO_ON;
}

/* --- client-final ----------------------------------------------------------------- */

/* The client repeats the header it sent and, with PLUS, what it is bound to: a channel that
 * ends elsewhere, or a changed header, shows here. */
static int
check_binding(const struct scram_server *s, struct str value, struct err *err)
{
    char want[BASE64_SIZE(SCRAM_MAX_GS2 + SCRAM_MAX_BINDING) + 1];
    size_t n = s->is_plus ? s->binding_len : 0;

    scram_binding_text(str_of(s->gs2), (struct str){ s->binding, n }, want);
    if (str_eqz(value, want))
        return 0;
    return err_set(err, -1,
        s->is_plus
            ? "the client's channel binding is not this TLS connection's: somebody may "
              "stand in between, or a proxy with another certificate"
            : "the client's channel binding does not repeat what it said first");
}

/* Reads up to the proof. *signed_len: bytes of the message before ",p=". */
static int
take_final(const struct scram_server *s, struct str message,
    unsigned char proof[AUTH_KEY_SIZE], size_t *signed_len, struct err *err)
{
    struct scram_reader r;
    struct str binding, nonce, value;
    char name;

    if (scram_read(&r, message, err) || scram_take(&r, 'c', &binding, err)
        || check_binding(s, binding, err) || scram_take(&r, 'r', &nonce, err))
        return -1;
    if (!str_eqz(nonce, s->nonce))
        return err_set(
            err, -1, "the client's last SCRAM message does not repeat the nonce");
    do {
        const char *start = r.rest.p;
        if (scram_take_any(&r, &name, &value, err))
            return -1;
        *signed_len = (size_t)(start - message.p) - 1;
    } while (name != 'p');
    if (!r.is_at_end)
        return err_set(err, -1, "malformed SCRAM message: something follows the proof");
    if (scram_key(value, proof))
        return err_set(err, -1,
            "malformed SCRAM message: the proof is not base64 of %d bytes",
            AUTH_KEY_SIZE);
    return 0;
}

static void
put_server_final(struct scram_server *s, struct buf *out)
{
    unsigned char signature[AUTH_KEY_SIZE];
    char text[SCRAM_KEY_TEXT + 1];

    scram_sign(s->server_key,
        (struct str){ buf_ptr(&s->message), buf_len(&s->message) }, signature);
    base64_encode(signature, sizeof(signature), text);
    put_kind(out, PGW_AUTH_SASL_FINAL);
    buf_puts(out, "v=");
    buf_puts(out, text);
}

static enum auth_step
client_final(
    struct scram_server *s, struct str message, struct buf *out, struct err *err)
{
    unsigned char proof[AUTH_KEY_SIZE];
    size_t n = 0;

    if (take_final(s, message, proof, &n, err))
        return AUTH_FAILED;
    buf_put(&s->message, message.p, n);
    bool is_right = scram_check_proof(s->stored_key,
        (struct str){ buf_ptr(&s->message), buf_len(&s->message) }, proof,
        s->client_key);
    explicit_bzero(proof, sizeof(proof));
    if (!is_right || s->is_mock) {
        explicit_bzero(s->client_key, sizeof(s->client_key));
        err_set(err, -1, "password of user \"%s\" does not match", s->user);
        return AUTH_FAILED;
    }
    put_server_final(s, out);
    return AUTH_DONE;
}

/* --- framing ---------------------------------------------------------------------- */

/* SASLInitialResponse: the mechanism's name, a length or -1, the message. */
static enum auth_step
choose(struct scram_server *s, struct str body, struct buf *out, struct err *err)
{
    const char *end = body.n ? memchr(body.p, 0, body.n) : NULL;
    size_t name_len = end ? (size_t)(end - body.p) : 0;

    if (!end || body.n - name_len - 1 < 4) {
        err_set(err, -1, "malformed SASLInitialResponse: it is too short");
        return AUTH_FAILED;
    }
    struct str name = { body.p, name_len };
    s->is_plus = s->binding_len && str_eqz(name, SCRAM_NAME_PLUS);
    if (!s->is_plus && !str_eqz(name, SCRAM_NAME)) {
        err_set(err, -1, "client chose a SASL mechanism that was not offered");
        return AUTH_FAILED;
    }
    uint32_t len = pgw_u32(end + 1);
    struct str message = { end + 5, body.n - name_len - 5 };
    if (len == UINT32_MAX && message.n == 0) {
        put_kind(out, PGW_AUTH_SASL_CONTINUE);
        s->state = STATE_FIRST;
        return AUTH_GO_ON;
    }
    if (len != message.n) {
        err_set(err, -1, "malformed SASLInitialResponse: its length is not the text's");
        return AUTH_FAILED;
    }
    return client_first(s, message, out, err);
}

enum auth_step
scram_server_next(
    struct scram_server *s, struct str body, struct buf *out, struct err *err)
{
    enum state was = s->state;
    enum auth_step step = AUTH_FAILED;

    /* A step that does not say where it leads ends the conversation. */
    s->state = STATE_OVER;
    switch (was) {
    case STATE_OFFERED:
        step = choose(s, body, out, err);
        break;
    case STATE_FIRST:
        step = client_first(s, body, out, err);
        break;
    case STATE_FINAL:
        step = client_final(s, body, out, err);
        break;
    case STATE_OVER:
        DG_ASSERT(false, "the conversation is over");
    }
    DG_ASSERT((step == AUTH_GO_ON) == (s->state != STATE_OVER), "lost in SCRAM");
    return step;
}

void
scram_server_take_proof(struct scram_server *s, struct auth_proof *out)
{
    out->has_client_key = true;
    memcpy(out->client_key, s->client_key, AUTH_KEY_SIZE);
    memcpy(out->server_key, s->server_key, AUTH_KEY_SIZE);
    out->salt = mem_strndup(s->salt, s->salt_len);
    out->salt_len = s->salt_len;
    out->iterations = s->iterations;
    explicit_bzero(s->client_key, AUTH_KEY_SIZE);
}

bool
scram_check_password(
    const char *user, const struct auth_secret *secret, const char *password)
{
    struct scram_server *s = scram_server_new(user, secret, STR(""));
    struct scram_keys keys;

    scram_keys_of(password, s->salt, s->salt_len, s->iterations, &keys);
    bool is_right = hash_equal(keys.stored, s->stored_key, AUTH_KEY_SIZE)
        && !s->is_mock;
    explicit_bzero(&keys, sizeof(keys));
    scram_server_free(s);
    return is_right;
}
