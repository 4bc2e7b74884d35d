// SPDX-License-Identifier: ISC
/* What is known of a user's password: in the forms that PostgreSQL's pg_authid and
 * pgbouncer's auth_file have, and the file of them. Secrets are wiped when freed.
 * thread: any once loaded */
#ifndef DG_AUTH_SECRET_H
#define DG_AUTH_SECRET_H

#include "base/cell.h"
#include "base/err.h"
#include "base/str.h"

#define AUTH_KEY_SIZE       32      /* SHA-256 */
#define AUTH_MAX_PASSWORD   4096    /* bytes */
#define AUTH_MAX_ITERATIONS 1000000 /* about 0.3 s of a thread that others wait for */

enum auth_secret_kind {
    AUTH_SECRET_NONE,  /* no password: only methods that need none */
    AUTH_SECRET_PLAIN, /* the password itself: good for every method */
    AUTH_SECRET_MD5,   /* "md5" and hex of MD5(password user): md5 only */
    AUTH_SECRET_SCRAM, /* SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey */
};

struct auth_secret {
    enum auth_secret_kind kind;
    char *text; /* owned, wiped; the password, or "md5..." */
    /* SCRAM */
    int iterations;
    char *salt; /* owned; bytes */
    size_t salt_len;
    unsigned char stored_key[AUTH_KEY_SIZE], server_key[AUTH_KEY_SIZE];
};

/* Reads one secret. 0, or -EINVAL (err says what is wrong with it, never the text). An
 * empty text is AUTH_SECRET_NONE. */
int
auth_secret_parse(struct str text, struct auth_secret *out, struct err *err) MUST_CHECK;
void auth_secret_copy(const struct auth_secret *from, struct auth_secret *to);
void
auth_secret_wipe(struct auth_secret *s); /* frees what it holds; a zeroed one is fine */

/* auth_file: lines of "user" "secret", both in double quotes ("" is a quote), anything
 * after that is ignored; empty lines and lines that begin with ; or # are comments, as in
 * pgbouncer. A user given twice, a broken line or an over-long one is an error with
 * file:line; so is a file that others may read. */
struct auth_file; /* starts with a struct ref */
int
auth_file_load(const char *path, struct auth_file **out, struct err *err) MUST_CHECK;
const struct auth_secret *auth_file_find(const struct auth_file *f, const char *user);

/* A new SCRAM-SHA-256 secret of password (SASLprep applied as PostgreSQL does: text that
 * can't be prepared is taken as it is), for `ddlgate scram`. salt NULL: 16 random bytes.
 * out needs AUTH_SCRAM_TEXT bytes. 0, or -EINVAL: the password is empty or longer than
 * AUTH_MAX_PASSWORD, the salt is empty or longer than 96 bytes, iterations are not within
 * 1..AUTH_MAX_ITERATIONS. */
#define AUTH_SCRAM_TEXT       256
#define AUTH_SCRAM_ITERATIONS 4096
int auth_secret_build(const char *password, int iterations, const unsigned char *salt,
    size_t salt_len, char out[AUTH_SCRAM_TEXT], struct err *err) MUST_CHECK;

#endif
