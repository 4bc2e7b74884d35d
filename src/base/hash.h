// SPDX-License-Identifier: ISC
/* Digests, keyed ones, CRC32, SipHash and random bytes (OpenSSL, zlib).  thread: any */
#ifndef DG_BASE_HASH_H
#define DG_BASE_HASH_H

#include "base/str.h"

#define HASH_SHA256_SIZE 32
#define HASH_HEX_SIZE    65 /* SHA-256 as hex with a NUL */

struct hash_sha256;
struct hash_sha256 *hash_sha256_new(void);
void hash_sha256_add(struct hash_sha256 *h, const void *p, size_t n);
void hash_sha256_end(struct hash_sha256 *h, uint8_t out[HASH_SHA256_SIZE]); /* resets */
/* The digest of what was added so far; more may be added after. */
void hash_sha256_peek(const struct hash_sha256 *h, uint8_t out[HASH_SHA256_SIZE]);
void hash_sha256_free(struct hash_sha256 *h);
CLEANUP_DEFINE(struct hash_sha256 *, hash_sha256_free)

void hash_sha256_of(const void *p, size_t n, uint8_t out[HASH_SHA256_SIZE]);
/* The digests of migration tools' histories; SHA-1 and MD5 prove nothing of their own. */
enum hash_kind {
    HASH_MD5,
    HASH_SHA1,
    HASH_SHA256,
    HASH_SHA384,
    HASH_SHA512,
};
#define HASH_SIZE_MAX 64

/* Returns the digest's length, or 0 if this system's libcrypto refuses the kind (MD5 where
 * FIPS rules hold). */
size_t
hash_of(enum hash_kind kind, const void *p, size_t n, uint8_t out[HASH_SIZE_MAX]);

void hash_hex(const uint8_t *p, size_t n, char *out); /* 2n + 1 bytes */

/* HMAC-SHA-256 (RFC 2104). */
void hash_hmac(const void *key, size_t n_key, const void *p, size_t n,
    uint8_t out[HASH_SHA256_SIZE]);
/* PBKDF2 with HMAC-SHA-256 and one block of output (RFC 8018 5.2), which is what SCRAM
 * calls Hi. Takes about a millisecond for each 3000 iterations: the caller bounds them. */
void hash_pbkdf2(const void *password, size_t n, const void *salt, size_t n_salt,
    int iterations, uint8_t out[HASH_SHA256_SIZE]);
/* Compares secrets in a time that depends on n only. */
bool hash_equal(const void *a, const void *b, size_t n);

/* IEEE CRC-32, as Flyway and zlib compute it; start with crc = 0. */
uint32_t hash_crc32(uint32_t crc, const void *p, size_t n);

/* SipHash-1-3 with a 16-byte key: for tables whose keys others choose, and, with a key of
 * zeros, one migration tool's checksum. */
uint64_t hash_siphash(const uint8_t key[16], const void *p, size_t n);

void hash_random(void *p, size_t n); /* from the kernel; panics if it can't */
/* A secret key for hash_siphash, another one each time. */
void hash_new_key(uint8_t out[16]);
/* n random characters of Crockford's base32 (no I, L, O, U) and a NUL. */
void hash_random_id(char *out, size_t n);

#endif
