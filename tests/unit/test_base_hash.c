// SPDX-License-Identifier: ISC
/* Digests agree with published vectors and with what migration tools stored. */
#include "base/hash.h"

#include "lib/unit.h"

#include <inttypes.h>
#include <pthread.h>

/* The file whose checksums were read back from the tools' history tables. */
static const char users_sql[] =
    "CREATE TABLE users (\n  id serial PRIMARY KEY,\n  email text NOT NULL\n);\n";

struct digest_case {
    const char *name;
    enum hash_kind kind;
    const char *in, *hex;
};

static const struct digest_case digests[] = {
    { "md5 of users.sql", HASH_MD5, users_sql, "a143361446bb01f5ddd9df3f9a6bf1ba" },
    { "sha1 of users.sql", HASH_SHA1, users_sql,
        "18a67f29130d6a79aea4cc27b6ebe6afe8c4bc37" },
    { "sha256 of users.sql", HASH_SHA256, users_sql,
        "9d5cf6620fe3814f0cd17ce37e56c323c17794f22aec229482a7268923e8bb0d" },
    { "sha384 of users.sql", HASH_SHA384, users_sql,
        "d2b88aa1907a628c939a2e4082dde036618b17f05d72708807baa97d2f86f6e0"
        "123c2ced06aa2fbf5f3c9322d1f4764d" },
    { "sha256 of nothing", HASH_SHA256, "",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "sha256, FIPS 180 B.1", HASH_SHA256, "abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "sha512, FIPS 180 C.1", HASH_SHA512, "abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

START_TEST(digest_agrees_with_its_vector)
{
    const struct digest_case *c = &digests[_i];
    uint8_t sum[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];

    size_t n = hash_of(c->kind, c->in, strlen(c->in), sum);
    CASE_INT(c, n, strlen(c->hex) / 2);
    hash_hex(sum, n, hex);
    CASE_STR(c, hex, c->hex);
}
END_TEST

START_TEST(sha256_in_pieces_is_the_same_and_restarts)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    uint8_t whole[HASH_SHA256_SIZE], pieces[HASH_SHA256_SIZE];
    size_t n = strlen(users_sql);

    hash_sha256_of(users_sql, n, whole);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < n; i++)
            hash_sha256_add(h, users_sql + i, 1);
        hash_sha256_add(h, NULL, 0);
        hash_sha256_end(h, pieces);
        ck_assert_mem_eq(whole, pieces, sizeof(whole));
    }
}
END_TEST

START_TEST(crc32_is_flyways)
{
    /* Flyway sums up lines without their ends. */
    uint32_t crc = 0;
    const char *p = users_sql;

    for (const char *end; (end = strchr(p, '\n')); p = end + 1)
        crc = hash_crc32(crc, p, (size_t)(end - p));
    ck_assert_uint_eq(crc, 1775078679);
    ck_assert_uint_eq(hash_crc32(0, "123456789", 9), 0xcbf43926);
    ck_assert_uint_eq(hash_crc32(7, NULL, 0), 7);
}
END_TEST

struct hmac_case {
    const char *name;
    const char *key, *in, *hex;
};

/* RFC 4231, 4.2 and 4.3, and an empty key and text. */
static const struct hmac_case hmacs[] = {
    { "test case 1",
        "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
        "\x0b\x0b\x0b\x0b",
        "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { "test case 2", "Jefe", "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { "nothing", "", "",
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

START_TEST(hmac_agrees_with_its_vector)
{
    const struct hmac_case *c = &hmacs[_i];
    uint8_t sum[HASH_SHA256_SIZE];
    char hex[HASH_HEX_SIZE];

    hash_hmac(c->key, strlen(c->key), c->in, strlen(c->in), sum);
    hash_hex(sum, sizeof(sum), hex);
    CASE_STR(c, hex, c->hex);
    hash_hmac(c->key[0] ? c->key : NULL, strlen(c->key), c->in, strlen(c->in), sum);
    hash_hex(sum, sizeof(sum), hex);
    CASE_STR(c, hex, c->hex);
}
END_TEST

struct pbkdf2_case {
    const char *name;
    const char *password, *salt;
    int iterations;
    const char *hex;
};

/* RFC 7914 part 11 (first block), and values that Python's hashlib gave. */
static const struct pbkdf2_case pbkdf2s[] = {
    { "passwd", "passwd", "salt", 1,
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" },
    { "Password", "Password", "NaCl", 80000,
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" },
    { "no password", "", "salt", 2,
        "62384466264daadc4144018c6bd864648272b34da8980d31521ffcce92ae003b" },
};

START_TEST(pbkdf2_agrees_with_its_vector)
{
    const struct pbkdf2_case *c = &pbkdf2s[_i];
    uint8_t sum[HASH_SHA256_SIZE];
    char hex[HASH_HEX_SIZE];

    hash_pbkdf2(
        c->password, strlen(c->password), c->salt, strlen(c->salt), c->iterations, sum);
    hash_hex(sum, sizeof(sum), hex);
    CASE_STR(c, hex, c->hex);
}
END_TEST

START_TEST(equal_looks_at_every_byte)
{
    uint8_t a[40] = { 0 }, b[40] = { 0 };

    ck_assert(hash_equal(a, b, sizeof(a)));
    ck_assert(hash_equal(a, b, 0));
    for (size_t i = 0; i < sizeof(a); i++) {
        b[i] = 0x80;
        ck_assert(!hash_equal(a, b, sizeof(a)));
        ck_assert(hash_equal(a, b, i));
        b[i] = 0;
    }
}
END_TEST

/* The number that refinery keeps for V1__users.sql: SipHash-1-3, key 0, over name,
 * version and text as Rust hashes them. */
START_TEST(siphash_is_refinerys)
{
    static const uint8_t key[16] = { 0 };
    char in[200] = "users\xff\x01\0\0\0";
    size_t n = 10, n_sql = strlen(users_sql);

    memcpy(in + n, users_sql, n_sql);
    in[n + n_sql] = (char)0xff;
    ck_assert_uint_eq(
        hash_siphash(key, in, n + n_sql + 1), UINT64_C(11365818358535992621));
}
END_TEST

START_TEST(siphash_depends_on_key_and_every_byte)
{
    uint8_t key[16] = { 1 }, in[40] = { 0 };
    uint64_t first = hash_siphash(key, in, sizeof(in));

    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] ^= 1;
        ck_assert_uint_ne(hash_siphash(key, in, sizeof(in)), first);
        in[i] ^= 1;
        ck_assert_uint_ne(hash_siphash(key, in, i), first);
    }
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] ^= 1;
        ck_assert_uint_ne(hash_siphash(key, in, sizeof(in)), first);
        key[i] ^= 1;
    }
    ck_assert_uint_eq(hash_siphash(key, in, sizeof(in)), first);
}
END_TEST

static void *
make_key(void *out)
{
    hash_new_key(out);
    return NULL;
}

/* Within a thread and between threads, and each half for itself. */
START_TEST(new_keys_differ)
{
    enum {
        N = 64
    };
    uint8_t keys[N][16], zero[8] = { 0 };

    for (size_t i = 0; i < N; i++) {
        pthread_t thread;
        if (i % 8) {
            hash_new_key(keys[i]);
            continue;
        }
        ck_assert_int_eq(pthread_create(&thread, NULL, make_key, keys[i]), 0);
        pthread_join(thread, NULL);
    }
    for (size_t i = 0; i < 2 * N; i++) {
        const uint8_t *half = keys[i / 2] + i % 2 * 8;
        ck_assert_int_ne(memcmp(half, zero, 8), 0);
        for (size_t k = 0; k < i; k++)
            ck_assert_int_ne(memcmp(half, keys[k / 2] + k % 2 * 8, 8), 0);
    }
}
END_TEST

START_TEST(random_ids_have_the_alphabet_and_differ)
{
    char a[41], b[41], all[256] = { 0 };

    for (int i = 0; i < 100; i++) {
        hash_random_id(a, 40);
        hash_random_id(b, 40);
        ck_assert_uint_eq(strlen(a), 40);
        ck_assert_uint_eq(strspn(a, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 40);
        ck_assert_str_ne(a, b);
        for (int k = 0; k < 40; k++)
            all[(unsigned char)a[k]] = 1;
    }
    int n = 0;
    for (int i = 0; i < 256; i++)
        n += all[i];
    ck_assert_int_eq(n, 32);
    hash_random_id(a, 0);
    ck_assert_str_eq(a, "");
}
END_TEST

START_TEST(random_bytes_fill_all_of_it)
{
    static uint8_t a[1000], b[1000];
    int same = 0;

    hash_random(a, sizeof(a));
    hash_random(b, sizeof(b));
    for (size_t i = 0; i < sizeof(a); i++)
        same += a[i] == b[i];
    ck_assert_int_lt(same, 50); /* 4 expected */
    hash_random(NULL, 0);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("base_hash");
    TCase *tc = tcase_create("hash");

    tcase_add_loop_test(
        tc, digest_agrees_with_its_vector, 0, sizeof(digests) / sizeof(digests[0]));
    tcase_add_test(tc, sha256_in_pieces_is_the_same_and_restarts);
    tcase_add_test(tc, crc32_is_flyways);
    tcase_add_loop_test(
        tc, hmac_agrees_with_its_vector, 0, sizeof(hmacs) / sizeof(hmacs[0]));
    tcase_add_loop_test(
        tc, pbkdf2_agrees_with_its_vector, 0, sizeof(pbkdf2s) / sizeof(pbkdf2s[0]));
    tcase_add_test(tc, equal_looks_at_every_byte);
    tcase_add_test(tc, siphash_is_refinerys);
    tcase_add_test(tc, siphash_depends_on_key_and_every_byte);
    tcase_add_test(tc, new_keys_differ);
    tcase_add_test(tc, random_ids_have_the_alphabet_and_differ);
    tcase_add_test(tc, random_bytes_fill_all_of_it);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
