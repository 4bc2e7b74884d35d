// SPDX-License-Identifier: ISC
/* Digests and random bytes; see hash.h. */
#include "base/hash.h"

#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>
#include <zlib.h>

/* Looking the algorithm up costs OpenSSL 3 more than hashing a short text, so an object
 * that hashes often keeps both. */
struct hash_sha256 {
    EVP_MD *md;      /* owned */
    EVP_MD_CTX *ctx; /* owned */
};

static void
sha256_start(struct hash_sha256 *h)
{
    int ok = EVP_DigestInit_ex2(h->ctx, h->md, NULL);
    DG_ASSERT(ok, "libcrypto can't start SHA-256");
}

struct hash_sha256 *
hash_sha256_new(void)
{
    struct hash_sha256 *h = mem_zalloc(sizeof(*h));
    h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    h->ctx = EVP_MD_CTX_new();
    DG_ASSERT(h->md && h->ctx, "libcrypto has no SHA-256");
    sha256_start(h);
    return h;
}

void
hash_sha256_add(struct hash_sha256 *h, const void *p, size_t n)
{
    int ok = EVP_DigestUpdate(h->ctx, p, n);
    DG_ASSERT(ok, "libcrypto can't go on with SHA-256");
}

void
hash_sha256_end(struct hash_sha256 *h, uint8_t out[HASH_SHA256_SIZE])
{
    unsigned n = 0;
    int ok = EVP_DigestFinal_ex(h->ctx, out, &n);
    DG_ASSERT(ok && n == HASH_SHA256_SIZE, "libcrypto can't end SHA-256");
    sha256_start(h);
}

void
hash_sha256_peek(const struct hash_sha256 *h, uint8_t out[HASH_SHA256_SIZE])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    unsigned n = 0;
    int ok = copy && EVP_MD_CTX_copy_ex(copy, h->ctx)
        && EVP_DigestFinal_ex(copy, out, &n);
    EVP_MD_CTX_free(copy);
    DG_ASSERT(ok && n == HASH_SHA256_SIZE, "libcrypto can't copy SHA-256");
}

void
hash_sha256_free(struct hash_sha256 *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    mem_free(h);
}

void
hash_sha256_of(const void *p, size_t n, uint8_t out[HASH_SHA256_SIZE])
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    hash_sha256_add(h, p, n);
    hash_sha256_end(h, out);
}

static const char *
kind_name(enum hash_kind kind)
{
    switch (kind) {
    case HASH_MD5:
        return "MD5";
    case HASH_SHA1:
        return "SHA1";
    case HASH_SHA256:
        return "SHA256";
    case HASH_SHA384:
        return "SHA384";
    case HASH_SHA512:
        return "SHA512";
    }
    DG_ASSERT(false, "no digest %d", (int)kind);
    return NULL;
}

size_t
hash_of(enum hash_kind kind, const void *p, size_t n, uint8_t out[HASH_SIZE_MAX])
{
    size_t len = 0;

    if (!EVP_Q_digest(NULL, kind_name(kind), NULL, p, n, out, &len))
        return 0;
    DG_ASSERT(len <= HASH_SIZE_MAX, "digest of %zu bytes", len);
    return len;
}

void
hash_hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = 0;
}

void
hash_hmac(const void *key, size_t n_key, const void *p, size_t n,
    uint8_t out[HASH_SHA256_SIZE])
{
    size_t len = 0;
    /* A key that is NULL means something else to OpenSSL than an empty one. */
    unsigned char *ok = EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL,
        n_key ? key : (const void *)"", n_key, p, n, out, HASH_SHA256_SIZE, &len);
    DG_ASSERT(ok && len == HASH_SHA256_SIZE, "libcrypto can't make an HMAC");
}

void
hash_pbkdf2(const void *password, size_t n, const void *salt, size_t n_salt,
    int iterations, uint8_t out[HASH_SHA256_SIZE])
{
    DG_ASSERT(n <= INT_MAX && n_salt <= INT_MAX && iterations > 0,
        "PBKDF2 of %zu bytes, %zu of salt, %d times", n, n_salt, iterations);
    int ok = PKCS5_PBKDF2_HMAC(n ? password : "", (int)n, salt, (int)n_salt, iterations,
        EVP_sha256(), HASH_SHA256_SIZE, out);
    DG_ASSERT(ok, "libcrypto can't do PBKDF2");
}

bool
hash_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

uint32_t
hash_crc32(uint32_t crc, const void *p, size_t n)
{
    /* zlib answers a NULL pointer with its start value instead of crc. */
    return n ? (uint32_t)crc32_z(crc, p, n) : crc;
}

static uint64_t
rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* Up to 8 bytes, the lowest first. */
static uint64_t
load_le(const uint8_t *p, size_t n)
{
    uint64_t x = 0;

    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

uint64_t
hash_siphash(const uint8_t key[16], const void *p, size_t n)
{
    const uint8_t *in = p;
    uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8);
    uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
        k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
    size_t left = n;

    for (; left >= 8; left -= 8, in += 8) {
        uint64_t m = load_le(in, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = load_le(in, left) | (uint64_t)n << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
hash_random(void *p, size_t n)
{
    char *out = p;

    while (n) {
        ssize_t got = getrandom(out, n, 0);
        DG_ASSERT(got > 0 || errno == EINTR, "the kernel gives no random bytes");
        if (got > 0) {
            out += got;
            n -= (size_t)got;
        }
    }
}

/* A call of the kernel for each map of each migration would cost more than the maps. What
 * SipHash says of a counter under a secret can't be told from random bytes without the
 * secret, and says nothing of the keys made before or after. */
void
hash_new_key(uint8_t out[16])
{
    static _Thread_local uint8_t secret[16];
    static _Thread_local uint64_t n_made;

    if (n_made == 0)
        hash_random(secret, sizeof(secret));
    for (size_t i = 0; i < 2; i++) {
        n_made++;
        uint64_t half = hash_siphash(secret, &n_made, sizeof(n_made));
        memcpy(out + i * sizeof(half), &half, sizeof(half));
    }
}

void
hash_random_id(char *out, size_t n)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    hash_random(out, n);
    for (size_t i = 0; i < n; i++)
        out[i] = alphabet[out[i] & 31];
    out[n] = 0;
}
