// SPDX-License-Identifier: ISC
/* PostgreSQL's md5 passwords (manual 55.2.1). Private to auth.  thread: any */
#ifndef DG_AUTH_MD5_H
#define DG_AUTH_MD5_H

#include "base/err.h"

#define MD5_TEXT 36 /* "md5", 32 digits, NUL */
#define MD5_SALT 4

/* "md5" and the digest of password and user: what pg_authid keeps. 0, or -ENOTSUP where
 * this system's libcrypto refuses MD5. */
int md5_secret(const char *password, const char *user, char out[MD5_TEXT],
    struct err *err) MUST_CHECK;
/* What a client answers to a salt, from that secret. */
int md5_answer(const char secret[MD5_TEXT], const char salt[MD5_SALT],
    char out[MD5_TEXT], struct err *err) MUST_CHECK;

#endif
