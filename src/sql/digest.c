// SPDX-License-Identifier: ISC
/* The digest of a statement (design part 1): SHA-256 over its tokens, each as its bytes,
 * their number (8 bytes, little endian) and a letter for its kind. Read from the back this
 * can be cut in one way only, so that equal input means equal tokens; and values can be
 * hashed while they are decoded, without a copy.
 *
 *   w  word, ASCII letters folded         s  string constant by value: 'x' E'x' $$x$$
 *   q  quoted name, quotes undone         n  N'x' by value (its type is another one)
 *   u  U& name or string as written       e  string whose value can't be told, as written
 *   b  bit string as written              0 $ o p  number, parameter, operator, punctuation
 *
 * A name is not the same with and without quotes: "select" is no keyword. */
#include "sql/digest.h"

#include "sql/quote.h"

#include <string.h>

void
sql_digester_deinit(struct sql_digester *d)
{
    hash_sha256_free(d->hash);
    d->hash = NULL;
}

static void
flush(struct sql_digester *d)
{
    if (!d->hash)
        d->hash = hash_sha256_new();
    hash_sha256_add(d->hash, d->pending, d->n);
    d->n = 0;
}

static void
put(void *ctx, const char *p, size_t n)
{
    struct sql_digester *d = ctx;

    if (n > sizeof(d->pending) - d->n)
        flush(d);
    if (n > sizeof(d->pending)) {
        hash_sha256_add(d->hash, p, n);
    } else {
        memcpy(d->pending + d->n, p, n);
        d->n += n;
    }
}

static void
put_end(struct sql_digester *d, char kind, size_t n)
{
    char end[9];

    for (int i = 0; i < 8; i++)
        end[i] = (char)((uint64_t)n >> (8 * i));
    end[8] = kind;
    put(d, end, sizeof(end));
}

static void
put_raw(struct sql_digester *d, char kind, const char *p, size_t n)
{
    put(d, p, n);
    put_end(d, kind, n);
}

static void
put_folded(struct sql_digester *d, const char *p, size_t n)
{
    char chunk[64];

    for (size_t done = 0; done < n;) {
        size_t k = n - done < sizeof(chunk) ? n - done : sizeof(chunk);
        for (size_t i = 0; i < k; i++)
            chunk[i] = ascii_lower(p[done + i]);
        put(d, chunk, k);
        done += k;
    }
    put_end(d, 'w', n);
}

static void
put_quoted(struct sql_digester *d, const char *p, size_t n)
{
    size_t sum = 0;

    while (n) {
        const char *quote = memchr(p, '"', n);
        size_t k = quote ? (size_t)(quote - p) + 1 : n;
        put(d, p, k);
        sum += k;
        k += quote != NULL; /* it is doubled */
        p += k;
        n -= k;
    }
    put_end(d, 'q', sum);
}

/* A constant as written, but for what stands between its parts: white space and comments
 * become one newline. (Joined, '\x4' and '1' would be another constant.) */
static void
put_written(struct sql_digester *d, char kind, const char *text,
    const struct sql_token *tok, bool std_strings)
{
    enum sql_quote quote = sql_quote_of(tok->kind, std_strings);
    size_t end = tok->start + tok->len, from = tok->start, sum = 0;
    size_t pos = sql_quote_open(text, tok);

    while (pos) {
        size_t next = sql_quote_close(text, end, pos + 1, quote) + 1;
        put(d, text + from, next - from);
        sum += next - from;
        pos = from = sql_quote_continued(text, end, next);
        if (pos)
            put(d, "\n", 1);
        sum += pos > 0;
    }
    put_end(d, kind, sum);
}

static void
put_string(struct sql_digester *d, const char *text, const struct sql_token *tok,
    bool std_strings)
{
    bool is_national = (text[tok->start] | 0x20) == 'n';
    int64_t n = sql_value_walk(text, tok, std_strings, true, NULL, NULL);

    if (n >= 0)
        n = sql_value_walk(text, tok, std_strings, true, put, d);
    if (n >= 0)
        put_end(d, is_national ? 'n' : 's', (size_t)n);
    else
        put_written(d, 'e', text, tok, std_strings);
}

void
sql_digester_add(struct sql_digester *d, const char *text, const struct sql_token *tok,
    bool std_strings)
{
    const char *p = text + tok->start;

    switch (tok->kind) {
    case SQL_T_WORD:
        put_folded(d, p, tok->len);
        break;
    case SQL_T_QUOTED:
        put_quoted(d, p + 1, tok->len - 2);
        break;
    case SQL_T_UQUOTED:
        put_raw(d, 'u', p, tok->len);
        break;
    case SQL_T_USTRING:
        put_written(d, 'u', text, tok, std_strings);
        break;
    case SQL_T_STRING:
    case SQL_T_ESTRING:
    case SQL_T_DOLLAR:
        put_string(d, text, tok, std_strings);
        break;
    case SQL_T_BITS:
        put_written(d, 'b', text, tok, std_strings);
        break;
    case SQL_T_NUMBER:
        put_raw(d, '0', p, tok->len);
        break;
    case SQL_T_PARAM:
        put_raw(d, '$', p, tok->len);
        break;
    case SQL_T_OPERATOR:
        put_raw(d, 'o', p, tok->len);
        break;
    case SQL_T_PUNCT:
        put_raw(d, 'p', p, tok->len);
        break;
    }
}

void
sql_digester_end(struct sql_digester *d, struct sql_digest *out)
{
    flush(d);
    hash_sha256_end(d->hash, out->bytes);
}

void
sql_digester_drop(struct sql_digester *d)
{
    struct sql_digest ignored;

    sql_digester_end(d, &ignored);
}

bool
sql_digest_eq(const struct sql_digest *a, const struct sql_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
