// SPDX-License-Identifier: ISC
/* The forms of a secret; see secret.h. */
#include "auth/secret.h"

#include "auth/md5.h"
#include "auth/scram.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SCRAM_PREFIX SCRAM_NAME "$"

/* Cuts s off at the first c; false if there is none. */
static bool
cut(struct str *rest, char c, struct str *head)
{
    const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;

    if (!at)
        return false;
    *head = (struct str){ rest->p, (size_t)(at - rest->p) };
    *rest = (struct str){ at + 1, rest->n - head->n - 1 };
    return true;
}

/* What follows "SCRAM-SHA-256$": iterations:salt$StoredKey:ServerKey. */
static int
parse_scram(struct str s, struct auth_secret *out, struct err *err)
{
    struct auth_secret found = { .kind = AUTH_SECRET_SCRAM };
    struct str iterations, salt, stored;
    char raw[SCRAM_MAX_SALT];

    if (!cut(&s, ':', &iterations) || !cut(&s, '$', &salt) || !cut(&s, ':', &stored))
        return err_set(err, -EINVAL,
            "SCRAM secret is incomplete; it has the form "
            "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey");
    if (scram_iterations(iterations, &found.iterations))
        return err_set(err, -EINVAL,
            "iterations of the SCRAM secret are not a number of 1 to %d",
            AUTH_MAX_ITERATIONS);
    if (scram_salt(salt, raw, &found.salt_len))
        return err_set(err, -EINVAL,
            "salt of the SCRAM secret is not base64 of 1 to %d bytes", SCRAM_MAX_SALT);
    if (scram_key(stored, found.stored_key) || scram_key(s, found.server_key)) {
        auth_secret_wipe(&found);
        return err_set(err, -EINVAL,
            "StoredKey or ServerKey of the SCRAM secret is not base64 of %d bytes",
            AUTH_KEY_SIZE);
    }
    found.salt = mem_strndup(raw, found.salt_len);
    *out = found;
    return 0;
}

/* As PostgreSQL tells it from a password: capital digits make it one. */
static bool
is_md5(struct str s)
{
    if (s.n != MD5_TEXT - 1 || memcmp(s.p, "md5", 3) != 0)
        return false;
    for (size_t i = 3; i < s.n; i++)
        if (!memchr("0123456789abcdef", s.p[i], 16))
            return false;
    return true;
}

static bool
starts_with(struct str s, struct str with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

int
auth_secret_parse(struct str text, struct auth_secret *out, struct err *err)
{
    struct str prefix = STR(SCRAM_PREFIX);

    if (text.n == 0) {
        *out = (struct auth_secret){ .kind = AUTH_SECRET_NONE };
        return 0;
    }
    if (memchr(text.p, 0, text.n))
        return err_set(err, -EINVAL, "secret has a NUL in it");
    if (text.n > AUTH_MAX_PASSWORD)
        return err_set(
            err, -EINVAL, "secret is longer than %d bytes", AUTH_MAX_PASSWORD);
    if (starts_with(text, prefix))
        return parse_scram(
            (struct str){ text.p + prefix.n, text.n - prefix.n }, out, err);
    if (starts_with(text, STR("SCRAM-SHA-")))
        return err_set(err, -EINVAL,
            "secret is of a SCRAM that PostgreSQL does not have; only SCRAM-SHA-256 is "
            "known");
    *out = (struct auth_secret){
        .kind = is_md5(text) ? AUTH_SECRET_MD5 : AUTH_SECRET_PLAIN,
        .text = mem_strndup(text.p, text.n),
    };
    return 0;
}

void
auth_secret_copy(const struct auth_secret *from, struct auth_secret *to)
{
    *to = *from;
    to->text = mem_strdup(from->text);
    to->salt = from->salt ? mem_strndup(from->salt, from->salt_len) : NULL;
}

void
auth_secret_wipe(struct auth_secret *s)
{
    auth_wipe_string(s->text);
    mem_free(s->salt);
    explicit_bzero(s, sizeof(*s));
}

int
auth_secret_build(const char *password, int iterations, const unsigned char *salt,
    size_t salt_len, char out[AUTH_SCRAM_TEXT], struct err *err)
{
    char bytes[SCRAM_MAX_SALT], salt_text[BASE64_SIZE(SCRAM_MAX_SALT) + 1];
    char stored[SCRAM_KEY_TEXT + 1], server[SCRAM_KEY_TEXT + 1];
    struct scram_keys keys;

    if (!password[0])
        return err_set(err, -EINVAL,
            "the password is empty; PostgreSQL lets nobody log in with that");
    if (strlen(password) > AUTH_MAX_PASSWORD)
        return err_set(
            err, -EINVAL, "the password is longer than %d bytes", AUTH_MAX_PASSWORD);
    if (iterations < 1 || iterations > AUTH_MAX_ITERATIONS)
        return err_set(err, -EINVAL, "iterations must be within 1 and %d, not %d",
            AUTH_MAX_ITERATIONS, iterations);
    if (salt && (salt_len == 0 || salt_len > SCRAM_MAX_SALT))
        return err_set(
            err, -EINVAL, "the salt must have 1 to %d bytes", SCRAM_MAX_SALT);
    size_t n = salt ? salt_len : SCRAM_SALT_SIZE;
    if (salt)
        memcpy(bytes, salt, n);
    else
        hash_random(bytes, n);
    scram_keys_of(password, bytes, n, iterations, &keys);
    base64_encode(bytes, n, salt_text);
    base64_encode(keys.stored, AUTH_KEY_SIZE, stored);
    base64_encode(keys.server, AUTH_KEY_SIZE, server);
    int len = snprintf(out, AUTH_SCRAM_TEXT, SCRAM_PREFIX "%d:%s$%s:%s", iterations,
        salt_text, stored, server);
    DG_ASSERT(len > 0 && len < AUTH_SCRAM_TEXT, "secret of %d bytes", len);
    explicit_bzero(&keys, sizeof(keys));
    explicit_bzero(stored, sizeof(stored));
    explicit_bzero(server, sizeof(server));
    return 0;
}
