// SPDX-License-Identifier: ISC
/* What a token means: names as the server stores them, string constants as it reads them;
 * see lex.h. */
#include "sql/lex.h"

#include "sql/quote.h"
#include "sql/words.h"

#include <errno.h>
#include <string.h>

struct sink {
    void (*emit)(void *ctx, const char *p, size_t n);
    void *ctx;
    int64_t n;
};

static void
put(struct sink *s, const char *p, size_t n)
{
    if (n && s->emit)
        s->emit(s->ctx, p, n);
    s->n += (int64_t)n;
}

/* Exactly n hex digits at p[0..left). Returns the number or -1. */
static int64_t
hex_number(const char *p, size_t left, size_t n)
{
    int64_t v = 0;

    if (n > left)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int digit = ascii_hex_value(p[i]);
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

static size_t
utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> n) | c);
    return n;
}

/* One Unicode escape at p, which is a backslash: \XXXX and \+XXXXXX (is_e false), or
 * \uXXXX and \UXXXXXXXX. Returns its length, 0 if it is none; *c is the code unit. */
static size_t
unicode_escape(const char *p, size_t left, bool is_e, uint32_t *c)
{
    size_t skip = 1, digits = 4;

    if (left < 2)
        return 0;
    if (is_e) {
        skip = 2;
        digits = p[1] == 'u' ? 4 : 8;
    } else if (p[1] == '+') {
        skip = 2;
        digits = 6;
    }
    int64_t v = hex_number(p + skip, left - skip, digits);
    if (v < 0)
        return 0;
    *c = (uint32_t)v;
    return skip + digits;
}

/* An escape or a surrogate pair of two, as UTF-8. Returns the bytes read or 0. */
static size_t
unicode_char(const char *p, size_t left, bool is_e, char out[4], size_t *n_out)
{
    uint32_t c = 0, low = 0;
    size_t n = unicode_escape(p, left, is_e, &c);

    if (n && c >= 0xd800 && c < 0xdc00) {
        bool again = left - n >= 2 && p[n] == '\\'
            && (!is_e || (p[n + 1] | 0x20) == 'u');
        size_t m = again ? unicode_escape(p + n, left - n, is_e, &low) : 0;
        if (!m || low < 0xdc00 || low > 0xdfff)
            return 0;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        n += m;
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return 0;
    }
    if (!n || c == 0 || c > 0x10ffff)
        return 0;
    *n_out = utf8_encode(c, out);
    return n;
}

/* A byte written as \o, \oo, \ooo, \xh or \xhh; returns the bytes read, 0 if none. */
static size_t
byte_escape(const char *p, size_t left, unsigned *value)
{
    size_t n = 1;
    unsigned v = 0;

    if (p[1] == 'x') {
        for (n = 2; n < 4 && n < left && ascii_hex_value(p[n]) >= 0; n++)
            v = v * 16 + (unsigned)ascii_hex_value(p[n]);
        n = n > 2 ? n : 0;
    } else {
        for (; n < 4 && n < left && p[n] >= '0' && p[n] <= '7'; n++)
            v = v * 8 + (unsigned)(p[n] - '0');
        n = n > 1 ? n : 0;
    }
    *value = v & 0xff;
    return n;
}

/* The escape at p (a backslash) of an E string. Returns its length or 0. */
static size_t
e_escape(const char *p, size_t left, bool exact, struct sink *s)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    char out[4];
    size_t n, n_out = 1;
    unsigned value = 0;

    if (left < 2)
        return 0;
    if (p[1] == 'u' || p[1] == 'U') {
        n = unicode_char(p, left, true, out, &n_out);
    } else if ((n = byte_escape(p, left, &value)) > 0) {
        out[0] = (char)value;
        n = value ? n : 0;
    } else {
        const char *named = memchr(names, p[1], sizeof(names) - 1);
        out[0] = named ? values[named - names] : p[1];
        n = exact && p[1] == 'v' ? 0 : 2;
    }
    if (n && exact && p[1] != out[0] && (out[0] & 0x80))
        return 0;
    if (n)
        put(s, out, n_out);
    return n;
}

/* One part of a constant between its quotes. 0 or -EINVAL. */
static int
part_value(const char *p, const char *end, enum sql_token_kind kind,
    enum sql_quote quote, bool exact, struct sink *s)
{
    bool has_escapes = quote == SQL_QUOTE_ESCAPES || kind == SQL_T_USTRING;
    const char *from = p;

    while (p < end) {
        if (*p == '\'') {
            put(s, from, (size_t)(p + 1 - from));
            from = p += 2;
        } else if (*p == '\\' && has_escapes) {
            size_t left = (size_t)(end - p), n;
            put(s, from, (size_t)(p - from));
            if (quote == SQL_QUOTE_ESCAPES) {
                n = e_escape(p, left, exact, s);
            } else if (left > 1 && p[1] == '\\') {
                put(s, p, 1);
                n = 2;
            } else {
                char out[4];
                size_t n_out = 0;
                n = unicode_char(p, left, false, out, &n_out);
                put(s, out, n_out);
            }
            if (!n)
                return -EINVAL;
            from = p += n;
        } else {
            p++;
        }
    }
    put(s, from, (size_t)(end - from));
    return 0;
}

static int64_t
dollar_value(const char *p, size_t n, struct sink *s)
{
    const char *tag_end = memchr(p + 1, '$', n - 1);
    size_t n_tag = (size_t)(tag_end - p) + 1;

    put(s, p + n_tag, n - 2 * n_tag);
    return s->n;
}

int64_t
sql_value_walk(const char *text, const struct sql_token *tok, bool std_strings,
    bool exact, void (*emit)(void *ctx, const char *p, size_t n), void *ctx)
{
    struct sink s = { .emit = emit, .ctx = ctx };
    size_t end = tok->start + tok->len;

    if (tok->kind == SQL_T_DOLLAR)
        return dollar_value(text + tok->start, tok->len, &s);
    if (tok->kind < SQL_T_STRING || tok->kind > SQL_T_BITS)
        return -EINVAL;
    enum sql_quote quote = sql_quote_of(tok->kind, std_strings);
    size_t pos = sql_quote_open(text, tok);
    do {
        size_t close = sql_quote_close(text, end, pos + 1, quote);
        int r = part_value(text + pos + 1, text + close, tok->kind, quote, exact, &s);
        if (r)
            return r;
        pos = sql_quote_continued(text, end, close + 1);
    } while (pos);
    return s.n;
}

struct copy {
    char *out;
    size_t n;
};

static void
copy_out(void *ctx, const char *p, size_t n)
{
    struct copy *c = ctx;

    memcpy(c->out + c->n, p, n);
    c->n += n;
}

int64_t
sql_token_value(
    const char *text, const struct sql_token *tok, bool std_strings, char *out)
{
    struct copy c = { .out = out };

    return sql_value_walk(text, tok, std_strings, false, copy_out, &c);
}

/* A name under construction: more bytes than fit, so that the cut finds a boundary. */
struct ident {
    char bytes[SQL_NAME_MAX + 4];
    size_t n;
};

static void
ident_put(struct ident *id, const char *p, size_t n)
{
    for (size_t i = 0; i < n && id->n < sizeof(id->bytes); i++)
        id->bytes[id->n++] = p[i];
}

static int
quoted_ident(const char *p, const char *end, bool is_unicode, struct ident *id)
{
    while (p < end) {
        char out[4];
        size_t n = 1, n_out = 1;
        out[0] = *p;
        if (*p == '"') {
            n = 2;
        } else if (*p == '\\' && is_unicode) {
            n = 2;
            if (end - p < 2 || p[1] != '\\')
                n = unicode_char(p, (size_t)(end - p), false, out, &n_out);
            if (!n)
                return -EINVAL;
        }
        ident_put(id, out, n_out);
        p += n;
    }
    return 0;
}

/* Cuts at 63 bytes as the server does: no character is torn apart. */
static size_t
ident_cut(const struct ident *id)
{
    size_t n = 0;

    while (n < id->n) {
        size_t c = str_utf8_len(id->bytes + n, id->n - n);
        c = c ? c : 1;
        if (n + c > SQL_NAME_MAX)
            break;
        n += c;
    }
    return n;
}

int
sql_token_ident(const char *text, const struct sql_token *tok, char out[64])
{
    const char *p = text + tok->start;
    struct ident id = { .n = 0 };
    int r = 0;

    if (tok->kind == SQL_T_WORD) {
        for (size_t i = 0; i < tok->len && i < sizeof(id.bytes); i++)
            id.bytes[id.n++] = ascii_lower(p[i]);
    } else if (tok->kind == SQL_T_QUOTED) {
        r = quoted_ident(p + 1, p + tok->len - 1, false, &id);
    } else if (tok->kind == SQL_T_UQUOTED) {
        r = quoted_ident(p + 3, p + tok->len - 1, true, &id);
    } else {
        r = -EINVAL;
    }
    if (r || id.n == 0 || memchr(id.bytes, 0, id.n))
        return -EINVAL;
    size_t n = ident_cut(&id);
    memcpy(out, id.bytes, n);
    out[n] = '\0';
    return 0;
}
