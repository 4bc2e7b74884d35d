// SPDX-License-Identifier: ISC
/* Checksums in the tools' own algorithms. They tell an edited file from an unedited one;
 * none of them is what the gate trusts, which is the digest of each statement. */
#include "history/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Flyway: over the lines without their ends, which are LF, CR or CRLF; the byte order mark
 * left out. Written as the signed number that the table holds. */
static const char *
crc32_of_lines(struct arena *a, const char *p, size_t n)
{
    size_t at = hist_bom(p, n);
    uint32_t crc = 0;

    while (at < n) {
        size_t end = at;
        while (end < n && p[end] != '\n' && p[end] != '\r')
            end++;
        crc = hash_crc32(crc, p + at, end - at);
        at = end + 1;
    }
    return arena_printf(a, "%" PRId32, (int32_t)crc);
}

static const char *
hex_of(struct arena *a, enum hash_kind kind, const char *p, size_t n)
{
    uint8_t digest[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];
    size_t len = hash_of(kind, p, n, digest);

    hash_hex(digest, len, hex);
    return len ? arena_strdup(a, hex) : NULL;
}

/* refinery: Rust's Hash of a str (its bytes, then 0xff), of an i32, of a str. */
static const char *
siphash_of(const struct hist_migration *m, const char *p, size_t n)
{
    static const uint8_t key[16];
    AUTO(buf_deinit) struct buf b = BUF_INIT(n + 8192);
    uint32_t version = (uint32_t)strtoul(m->version, NULL, 10);

    buf_puts(&b, m->name);
    buf_put(&b, "\xff", 1);
    for (int i = 0; i < 4; i++) {
        char byte = (char)(version >> (8 * i));
        buf_put(&b, &byte, 1);
    }
    buf_put(&b, p, n);
    buf_put(&b, "\xff", 1);
    return arena_printf(
        m->arena, "%" PRIu64, hash_siphash(key, buf_ptr(&b), buf_len(&b)));
}

/* The value of a header line such as `--! Previous: sha1:...`; empty for `-`. */
static struct str
header(struct str text, const char *name)
{
    for (struct str line; str_next_line(&text, &line);) {
        line = str_trim(line);
        size_t skip = strlen("--! ") + strlen(name);
        if (line.n < 4 || memcmp(line.p, "--! ", 4) != 0)
            break;
        if (line.n > skip && memcmp(line.p + 4, name, strlen(name)) == 0) {
            struct str value = str_trim((struct str){ line.p + skip, line.n - skip });
            return str_eqz(value, "-") ? (struct str){ NULL, 0 } : value;
        }
    }
    return (struct str){ NULL, 0 };
}

static struct str
without_headers(struct str text)
{
    struct str line;
    while (text.n > 4 && memcmp(text.p, "--! ", 4) == 0)
        str_next_line(&text, &line);
    return str_trim(text);
}

/* graphile-migrate: what the file before it has, a newline, the body without blanks at its
 * ends and without the header. */
static const char *
graphile_of(struct arena *a, const char *p, size_t n)
{
    struct str text = { p, n };
    struct str before = header(text, "Previous:"), body = without_headers(text);
    AUTO(buf_deinit) struct buf b = BUF_INIT(n + 8192);

    buf_put(&b, before.p ? before.p : "", before.n);
    if (before.n > 0 && body.n > 0)
        buf_puts(&b, "\n");
    buf_put(&b, body.p, body.n);
    buf_puts(&b, "\n");
    const char *hex = hex_of(a, HASH_SHA1, buf_ptr(&b), buf_len(&b));
    return hex ? arena_printf(a, "sha1:%s", hex) : NULL;
}

const char *
hist_checksum(
    enum hist_sum sum, const struct hist_migration *m, const char *raw, size_t n)
{
    switch (sum) {
    case HIST_SUM_NONE:
        break;
    case HIST_SUM_CRC32:
        return crc32_of_lines(m->arena, raw, n);
    case HIST_SUM_MD5:
        return hex_of(m->arena, HASH_MD5, raw, n);
    case HIST_SUM_SHA1:
        return hex_of(m->arena, HASH_SHA1, raw, n);
    case HIST_SUM_SHA256:
        return hex_of(m->arena, HASH_SHA256, raw, n);
    case HIST_SUM_SHA384:
        return hex_of(m->arena, HASH_SHA384, raw, n);
    case HIST_SUM_SIPHASH:
        return siphash_of(m, raw, n);
    case HIST_SUM_GRAPHILE:
        return graphile_of(m->arena, raw, n);
    case HIST_SUM_YOYO:
        return hex_of(m->arena, HASH_SHA256, m->version, strlen(m->version));
    }
    return NULL;
}
