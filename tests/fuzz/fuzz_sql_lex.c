// SPDX-License-Identifier: ISC
/* Any bytes through everything that works on tokens. The first byte chooses the string
 * mode. Tokens come in order, cover all but white space and comments, and stay what they
 * are when comments are blanked; so do digests. Values fit where the header says. */
#include "base/mem.h"
#include "sql/scan.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_token(const char *text, const struct sql_token *tok, bool std_strings)
{
    AUTO(mem_free) char *value = mem_alloc(tok->len);
    char name[64];
    int64_t n = sql_token_value(text, tok, std_strings, value);

    DG_ASSERT(n <= (int64_t)tok->len, "value of %lld bytes", (long long)n);
    if (sql_token_ident(text, tok, name) == 0)
        DG_ASSERT(*name && strlen(name) < sizeof(name), "name of no length");
}

static void
check_tokens(const char *text, size_t len, const char *blank, bool std_strings)
{
    struct sql_lexer a, b;
    struct sql_token x, y;
    size_t end = 0;
    int r;

    sql_lex_init(&a, text, len, std_strings);
    sql_lex_init(&b, blank, len, std_strings);
    while ((r = sql_lex_next(&a, &x)) == 0) {
        DG_ASSERT(x.start >= end && x.len > 0, "no progress at %zu", end);
        for (; end < x.start; end++)
            DG_ASSERT(strchr(" \t\n\r\f\v", blank[end]), "byte %zu in no token", end);
        end = x.start + x.len;
        DG_ASSERT(end <= len, "past the end");
        int s = sql_lex_next(&b, &y);
        DG_ASSERT(!s && x.start == y.start && x.len == y.len && x.kind == y.kind,
            "blanking changed the token at %zu", x.start);
        check_token(text, &x, std_strings);
    }
    DG_ASSERT(r == SQL_LEX_END || a.pos < len, "broken at the end");
}

static void
check_scans(const struct sql_scan *a, const struct sql_scan *b, size_t len)
{
    DG_ASSERT(a->n == b->n && a->words == b->words, "blanking changed the statements");
    for (size_t i = 0; i < a->n; i++) {
        const struct sql_stmt *s = &a->stmts[i];
        DG_ASSERT(s->start + s->len <= len, "statement past the end");
        DG_ASSERT(sql_digest_eq(&s->digest, &b->stmts[i].digest),
            "blanking changed the digest of statement %zu", i);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sql_scan_deinit) struct sql_scan a = { .n = 0 }, b = { .n = 0 };
    bool std_strings = size > 0 && (data[0] & 1), cut;

    if (size < 1 || size > 20000)
        return 0;
    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    AUTO(mem_free) char *blank = sql_blank_comments(text, len, std_strings);
    DG_ASSERT(
        memchr(text, 0, len) || strlen(blank) == len, "blanked to another length");
    check_tokens(text, len, blank, std_strings);
    int r = sql_scan(&a, NULL, text, len, std_strings, 500, NULL);
    int s = sql_scan(&b, NULL, blank, len, std_strings, 500, NULL);
    if (r == 0) {
        DG_ASSERT(s == 0, "blanking broke the text");
        check_scans(&a, &b, len);
    }
    AUTO(mem_free) char *redacted = sql_redact(text, len, std_strings, 200, &cut);
    DG_ASSERT(strlen(redacted) <= 200, "not cut");
    return 0;
}
