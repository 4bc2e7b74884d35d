// SPDX-License-Identifier: ISC
/* md5 passwords; see md5.h. */
#include "auth/md5.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>

#define MD5_SIZE 16

/* The digest of two texts one after the other, as "md5" and hex. */
static int
digest(const void *a, size_t n_a, const void *b, size_t n_b, char out[MD5_TEXT],
    struct err *err)
{
    uint8_t sum[HASH_SIZE_MAX];
    char *both = mem_alloc(n_a + n_b);

    if (n_a)
        memcpy(both, a, n_a);
    if (n_b)
        memcpy(both + n_a, b, n_b);
    size_t n = hash_of(HASH_MD5, both, n_a + n_b, sum);
    explicit_bzero(both, n_a + n_b);
    mem_free(both);
    if (n != MD5_SIZE)
        return err_set(err, -ENOTSUP,
            "this system's OpenSSL refuses MD5; use scram-sha-256 instead of md5");
    memcpy(out, "md5", 3);
    hash_hex(sum, MD5_SIZE, out + 3);
    explicit_bzero(sum, sizeof(sum));
    return 0;
}

int
md5_secret(const char *password, const char *user, char out[MD5_TEXT], struct err *err)
{
    return digest(password, strlen(password), user, strlen(user), out, err);
}

int
md5_answer(const char secret[MD5_TEXT], const char salt[MD5_SALT], char out[MD5_TEXT],
    struct err *err)
{
    return digest(secret + 3, MD5_TEXT - 4, salt, MD5_SALT, out, err);
}
