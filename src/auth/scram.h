// SPDX-License-Identifier: ISC
/* SCRAM-SHA-256 (RFC 5802, RFC 7677) as both sides need it: keys, proofs, attributes, and
 * the limits. Every length that a peer chooses is judged against one of the maxima below
 * before anything is copied. Private to auth.  thread: any */
#ifndef DG_AUTH_SCRAM_H
#define DG_AUTH_SCRAM_H

#include "auth/secret.h"
#include "base/base64.h"
#include "base/hash.h"

#define SCRAM_NAME        "SCRAM-SHA-256"
#define SCRAM_NAME_PLUS   "SCRAM-SHA-256-PLUS"
#define SCRAM_BINDING     "tls-server-end-point"
#define SCRAM_MAX_MESSAGE 2048 /* bytes of one message of either side */
#define SCRAM_MAX_NONCE   256  /* of one side; PostgreSQL's have 24 */
#define SCRAM_MAX_SALT    96   /* bytes; PostgreSQL's have 16 */
#define SCRAM_MAX_BINDING 64   /* a SHA-512 */
#define SCRAM_SALT_SIZE   16   /* of a new secret */
#define SCRAM_NONCE_BYTES 18   /* random bytes of a new nonce ... */
#define SCRAM_NONCE_SIZE  BASE64_SIZE(SCRAM_NONCE_BYTES) /* ... as text */
#define SCRAM_KEY_TEXT    BASE64_SIZE(AUTH_KEY_SIZE)
#define SCRAM_MAX_GS2     sizeof("p=" SCRAM_BINDING ",,")

_Static_assert(AUTH_KEY_SIZE == HASH_SHA256_SIZE, "a key is a SHA-256");

struct scram_keys {
    unsigned char client[AUTH_KEY_SIZE], stored[AUTH_KEY_SIZE], server[AUTH_KEY_SIZE];
};

/* The keys of a password, SASLprep included. Takes PBKDF2's time. The caller wipes out. */
void scram_keys_of(const char *password, const char *salt, size_t salt_len,
    int iterations, struct scram_keys *out);

/* message: the AuthMessage: client-first-bare, server-first, client-final-without-proof,
 * with commas between. */
void scram_make_proof(const unsigned char client_key[AUTH_KEY_SIZE], struct str message,
    unsigned char proof[AUTH_KEY_SIZE]);
/* Does the proof belong to stored_key? client_key is written in any case: it is one only
 * if so. */
bool
scram_check_proof(const unsigned char stored_key[AUTH_KEY_SIZE], struct str message,
    const unsigned char proof[AUTH_KEY_SIZE], unsigned char client_key[AUTH_KEY_SIZE]);
/* The server's signature, with which it shows that it knows the secret, too. */
void scram_sign(const unsigned char server_key[AUTH_KEY_SIZE], struct str message,
    unsigned char signature[AUTH_KEY_SIZE]);

void scram_new_nonce(char out[SCRAM_NONCE_SIZE + 1]);
/* Printable ASCII without the comma, 1..max bytes. */
bool scram_is_nonce(struct str s, size_t max);
/* Iterations as text: 0, or -EINVAL when it is no number of 1..AUTH_MAX_ITERATIONS. */
int scram_iterations(struct str text, int *out) MUST_CHECK;
/* A base64 salt: 0, or -EINVAL when it is none of 1..SCRAM_MAX_SALT bytes. */
int scram_salt(struct str text, char out[SCRAM_MAX_SALT], size_t *n) MUST_CHECK;
/* A base64 key, proof or signature: 0, or -EINVAL when it is not exactly a key long. */
int scram_key(struct str text, unsigned char out[AUTH_KEY_SIZE]) MUST_CHECK;

/* The attribute of the channel binding, c=, decoded: header and data. Writes base64. */
void scram_binding_text(struct str gs2, struct str data,
    char out[BASE64_SIZE(SCRAM_MAX_GS2 + SCRAM_MAX_BINDING) + 1]);

/* Takes the attributes off a message, in order. */
struct scram_reader {
    struct str rest;
    bool is_at_end; /* no comma is left: nothing may follow */
};
/* A message must hold no NUL and must not be empty or longer than SCRAM_MAX_MESSAGE. */
int scram_read(struct scram_reader *r, struct str message, struct err *err) MUST_CHECK;
/* The next attribute must be `name`; a peer's mandatory extension (m=) is refused where it
 * may stand. 0 or -EINVAL. Errors name the attribute, never its value. */
int scram_take(struct scram_reader *r, char name, struct str *value, struct err *err)
    MUST_CHECK;
/* The next attribute, whatever it is. */
int scram_take_any(
    struct scram_reader *r, char *name, struct str *value, struct err *err) MUST_CHECK;

/* saslprep.c: the password as PostgreSQL hashes it; owned by the caller, who wipes it. */
char *scram_saslprep(const char *password);
/* Wipes and frees a string; NULL is fine. */
void auth_wipe_string(char *s);
CLEANUP_DEFINE(char *, auth_wipe_string)

#endif
