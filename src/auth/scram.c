// SPDX-License-Identifier: ISC
/* SCRAM's maths and attributes; see scram.h. Names of keys are RFC 5802's (part 3). */
#include "auth/scram.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

static void
hmac_text(const unsigned char key[AUTH_KEY_SIZE], struct str text, unsigned char *out)
{
    hash_hmac(key, AUTH_KEY_SIZE, text.p, text.n, out);
}

void
auth_wipe_string(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    mem_free(s);
}

void
scram_keys_of(const char *password, const char *salt, size_t salt_len, int iterations,
    struct scram_keys *out)
{
    AUTO(auth_wipe_string) char *prepared = scram_saslprep(password);
    unsigned char salted[AUTH_KEY_SIZE];

    hash_pbkdf2(prepared, strlen(prepared), salt, salt_len, iterations, salted);
    hmac_text(salted, STR("Client Key"), out->client);
    hmac_text(salted, STR("Server Key"), out->server);
    hash_sha256_of(out->client, AUTH_KEY_SIZE, out->stored);
    explicit_bzero(salted, sizeof(salted));
}

/* ClientKey XOR ClientSignature is the proof, and the proof XOR the signature the key. */
static void
mix(const unsigned char stored_key[AUTH_KEY_SIZE], struct str message,
    const unsigned char in[AUTH_KEY_SIZE], unsigned char out[AUTH_KEY_SIZE])
{
    unsigned char signature[AUTH_KEY_SIZE];

    hmac_text(stored_key, message, signature);
    for (size_t i = 0; i < AUTH_KEY_SIZE; i++)
        out[i] = in[i] ^ signature[i];
    explicit_bzero(signature, sizeof(signature));
}

void
scram_make_proof(const unsigned char client_key[AUTH_KEY_SIZE], struct str message,
    unsigned char proof[AUTH_KEY_SIZE])
{
    unsigned char stored[AUTH_KEY_SIZE];

    hash_sha256_of(client_key, AUTH_KEY_SIZE, stored);
    mix(stored, message, client_key, proof);
}

bool
scram_check_proof(const unsigned char stored_key[AUTH_KEY_SIZE], struct str message,
    const unsigned char proof[AUTH_KEY_SIZE], unsigned char client_key[AUTH_KEY_SIZE])
{
    unsigned char stored[AUTH_KEY_SIZE];

    mix(stored_key, message, proof, client_key);
    hash_sha256_of(client_key, AUTH_KEY_SIZE, stored);
    return hash_equal(stored, stored_key, AUTH_KEY_SIZE);
}

void
scram_sign(const unsigned char server_key[AUTH_KEY_SIZE], struct str message,
    unsigned char signature[AUTH_KEY_SIZE])
{
    hmac_text(server_key, message, signature);
}

void
scram_new_nonce(char out[SCRAM_NONCE_SIZE + 1])
{
    unsigned char raw[SCRAM_NONCE_BYTES];

    hash_random(raw, sizeof(raw));
    base64_encode(raw, sizeof(raw), out);
}

bool
scram_is_nonce(struct str s, size_t max)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
            return false;
    return s.n > 0 && s.n <= max;
}

int
scram_iterations(struct str text, int *out)
{
    int64_t n;

    if (str_int64(text, 1, AUTH_MAX_ITERATIONS, &n))
        return -EINVAL;
    *out = (int)n;
    return 0;
}

int
scram_salt(struct str text, char out[SCRAM_MAX_SALT], size_t *n)
{
    return base64_decode(text, out, SCRAM_MAX_SALT, n) || *n == 0 ? -EINVAL : 0;
}

int
scram_key(struct str text, unsigned char out[AUTH_KEY_SIZE])
{
    unsigned char key[AUTH_KEY_SIZE];
    size_t n;

    if (base64_decode(text, key, sizeof(key), &n) || n != sizeof(key))
        return -EINVAL;
    memcpy(out, key, sizeof(key));
    explicit_bzero(key, sizeof(key));
    return 0;
}

void
scram_binding_text(struct str gs2, struct str data,
    char out[BASE64_SIZE(SCRAM_MAX_GS2 + SCRAM_MAX_BINDING) + 1])
{
    char raw[SCRAM_MAX_GS2 + SCRAM_MAX_BINDING];

    DG_ASSERT(gs2.n <= SCRAM_MAX_GS2 && data.n <= SCRAM_MAX_BINDING,
        "channel binding of %zu and %zu bytes", gs2.n, data.n);
    memcpy(raw, gs2.p, gs2.n);
    if (data.n)
        memcpy(raw + gs2.n, data.p, data.n);
    base64_encode(raw, gs2.n + data.n, out);
}

int
scram_read(struct scram_reader *r, struct str message, struct err *err)
{
    if (message.n == 0)
        return err_set(err, -EINVAL, "malformed SCRAM message: it is empty");
    if (message.n > SCRAM_MAX_MESSAGE)
        return err_set(err, -EINVAL,
            "malformed SCRAM message: %zu bytes, more than the %d that are taken",
            message.n, SCRAM_MAX_MESSAGE);
    if (memchr(message.p, 0, message.n))
        return err_set(err, -EINVAL, "malformed SCRAM message: a NUL stands in it");
    *r = (struct scram_reader){ .rest = message };
    return 0;
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int
scram_take_any(struct scram_reader *r, char *name, struct str *value, struct err *err)
{
    struct str s = r->rest;

    if (r->is_at_end || s.n < 2 || !is_letter(s.p[0]) || s.p[1] != '=')
        return err_set(err, -EINVAL,
            "malformed SCRAM message: it ends, or has no attribute, "
            "where one must stand");
    const char *comma = memchr(s.p, ',', s.n);
    size_t n = comma ? (size_t)(comma - s.p) : s.n;
    *name = s.p[0];
    *value = (struct str){ s.p + 2, n - 2 };
    r->is_at_end = !comma;
    r->rest = comma ? (struct str){ comma + 1, s.n - n - 1 }
                    : (struct str){ s.p + n, 0 };
    return 0;
}

int
scram_take(struct scram_reader *r, char name, struct str *value, struct err *err)
{
    char found;

    if (r->is_at_end || r->rest.n == 0)
        return err_set(
            err, -EINVAL, "malformed SCRAM message: attribute `%c` is missing", name);
    if (r->rest.p[0] == 'm')
        return err_set(err, -EINVAL,
            "the SCRAM message demands an extension (attribute `m`); none is known");
    int ret = scram_take_any(r, &found, value, err);
    if (ret)
        return ret;
    if (found != name)
        return err_set(err, -EINVAL,
            "malformed SCRAM message: attribute `%c` stands where `%c` must", found,
            name);
    return 0;
}
