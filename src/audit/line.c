// SPDX-License-Identifier: ISC
/* The strict reader of audit lines; see line.h. */
#include "audit/line.h"

#include <errno.h>
#include <string.h>

struct reader {
    const char *p;
    size_t n;
    size_t at;
    const char *why;
};

static int
fail(struct reader *r, const char *why)
{
    r->why = why;
    return -EBADMSG;
}

static bool
takes(struct reader *r, char c)
{
    if (r->at >= r->n || r->p[r->at] != c)
        return false;
    r->at++;
    return true;
}

/* Four hex digits at p; -1 if they are none. */
static int
read_hex4(const char *p, size_t n)
{
    int v = 0;

    if (n < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        int d = ascii_hex_value(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static bool
is_high_surrogate(int u)
{
    return u >= 0xd800 && u <= 0xdbff;
}

static bool
is_low_surrogate(int u)
{
    return u >= 0xdc00 && u <= 0xdfff;
}

/* After the backslash. */
static int
read_escape(struct reader *r)
{
    if (r->at >= r->n)
        return fail(r, "string has no end");
    char c = r->p[r->at++];
    if (c != 'u')
        return memchr("\"\\/bfnrt", c, 8) ? 0 : fail(r, "no such escape");
    int u = read_hex4(r->p + r->at, r->n - r->at);
    if (u < 0)
        return fail(r, "\\u wants four hex digits");
    r->at += 4;
    if (is_low_surrogate(u))
        return fail(r, "half of a surrogate pair");
    if (!is_high_surrogate(u))
        return 0;
    if (r->n - r->at < 6 || r->p[r->at] != '\\' || r->p[r->at + 1] != 'u'
        || !is_low_surrogate(read_hex4(r->p + r->at + 2, r->n - r->at - 2)))
        return fail(r, "half of a surrogate pair");
    r->at += 6;
    return 0;
}

/* After the opening quote; takes the closing one. */
static int
read_string(struct reader *r, struct str *out)
{
    size_t start = r->at;

    while (r->at < r->n) {
        unsigned char c = (unsigned char)r->p[r->at];
        if (c == '"') {
            *out = (struct str){ r->p + start, r->at - start };
            r->at++;
            return 0;
        }
        if (c < 0x20)
            return fail(r, "control byte in a string");
        if (c == '\\') {
            r->at++;
            int e = read_escape(r);
            if (e)
                return e;
        } else if (c < 0x80) {
            r->at++;
        } else {
            size_t len = str_utf8_len(r->p + r->at, r->n - r->at);
            if (!len)
                return fail(r, "invalid UTF-8");
            r->at += len;
        }
    }
    return fail(r, "string has no end");
}

static size_t
take_digits(struct reader *r)
{
    size_t start = r->at;

    while (r->at < r->n && r->p[r->at] >= '0' && r->p[r->at] <= '9')
        r->at++;
    return r->at - start;
}

static int
read_number(struct reader *r)
{
    takes(r, '-');
    if (!takes(r, '0') && take_digits(r) == 0)
        return fail(r, "no JSON value");
    if (takes(r, '.') && take_digits(r) == 0)
        return fail(r, "number without digits after its point");
    if (takes(r, 'e') || takes(r, 'E')) {
        if (!takes(r, '+'))
            takes(r, '-');
        if (take_digits(r) == 0)
            return fail(r, "number without digits in its exponent");
    }
    return 0;
}

static int
read_strings(struct reader *r, struct str *raw)
{
    size_t start = r->at;
    struct str item;

    if (!takes(r, ']')) {
        do {
            if (!takes(r, '"'))
                return fail(r, "an array holds something else than strings");
            int e = read_string(r, &item);
            if (e)
                return e;
        } while (takes(r, ','));
        if (!takes(r, ']'))
            return fail(r, "array has no end");
    }
    *raw = (struct str){ r->p + start, r->at - start - 1 };
    return 0;
}

static bool
takes_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);

    if (r->n - r->at < len || memcmp(r->p + r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static int
read_value(struct reader *r, struct aud_field *f)
{
    size_t start = r->at;

    if (takes(r, '"')) {
        f->type = AUD_T_STRING;
        return read_string(r, &f->raw);
    }
    if (takes(r, '[')) {
        f->type = AUD_T_STRINGS;
        return read_strings(r, &f->raw);
    }
    if (takes_word(r, "true") || takes_word(r, "false")) {
        f->type = AUD_T_BOOL;
    } else if (takes_word(r, "null")) {
        f->type = AUD_T_NULL;
    } else {
        f->type = AUD_T_NUMBER;
        int e = read_number(r);
        if (e)
            return e;
    }
    f->raw = (struct str){ r->p + start, r->at - start };
    return 0;
}

static bool
is_key_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
        || c == '.' || c == '_' || c == '@' || c == '-';
}

static int
read_key(struct reader *r, struct aud_line *out, struct str *key)
{
    if (!takes(r, '"'))
        return fail(r, "a key in quotes is missing");
    size_t start = r->at;
    while (r->at < r->n && is_key_byte(r->p[r->at]))
        r->at++;
    *key = (struct str){ r->p + start, r->at - start };
    if (!takes(r, '"') || key->n == 0)
        return fail(r, "a key is empty or holds an odd byte");
    for (size_t i = 0; i < out->n; i++) {
        const struct str *other = &out->fields[i].key;
        /* Lengths and last bytes tell most apart, without a call. */
        if (other->n == key->n && other->p[key->n - 1] == key->p[key->n - 1]
            && str_eq(*other, *key))
            return fail(r, "a key stands twice");
    }
    return 0;
}

static int
read_object(struct reader *r, struct aud_line *out)
{
    if (!takes(r, '{'))
        return fail(r, "a record starts with {");
    do {
        struct str key;
        int e = read_key(r, out, &key);
        if (e)
            return e;
        if (out->n == AUD_MAX_FIELDS)
            return fail(r, "too many fields");
        struct aud_field *f = &out->fields[out->n];
        f->key = key;
        if (!takes(r, ':'))
            return fail(r, "a colon is missing after a key");
        e = read_value(r, f);
        if (e)
            return e;
        out->n++;
    } while (takes(r, ','));
    if (!takes(r, '}'))
        return fail(r, "the record's } is missing");
    return r->at == r->n ? 0 : fail(r, "something stands after the record's }");
}

int
aud_line_parse(struct str line, struct aud_line *out, const char **why, size_t *at)
{
    struct reader r = { .p = line.p, .n = line.n };

    out->n = 0;
    int e = read_object(&r, out);
    *why = r.why;
    *at = r.at;
    return e;
}

const struct aud_field *
aud_line_find(const struct aud_line *l, const char *key)
{
    struct str want = str_of(key);

    for (size_t i = 0; i < l->n; i++) {
        if (l->fields[i].key.n == want.n && str_eq(l->fields[i].key, want))
            return &l->fields[i];
    }
    return NULL;
}

/* For a character that read_string has accepted. */
static void
put_utf8(struct buf *out, uint32_t u)
{
    char b[4];
    size_t n = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = n; i > 1; i--, u >>= 6)
        b[i - 1] = (char)(0x80 | (u & 0x3f));
    b[0] = (char)(lead[n] | u);
    buf_put(out, b, n);
}

/* p stands behind `\u`; returns how many bytes were used. */
static size_t
put_unicode(const char *p, size_t n, struct buf *out)
{
    int u = read_hex4(p, n);
    if (!is_high_surrogate(u)) {
        put_utf8(out, u < 0 ? 0xfffd : (uint32_t)u);
        return u < 0 ? 0 : 4;
    }
    int low = n >= 10 ? read_hex4(p + 6, n - 6) : -1;
    if (!is_low_surrogate(low)) {
        put_utf8(out, 0xfffd);
        return 4;
    }
    put_utf8(out, 0x10000 + ((uint32_t)(u - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
    return 10;
}

void
aud_line_unescape(struct str raw, struct buf *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

    for (size_t i = 0; i < raw.n;) {
        const char *slash = memchr(raw.p + i, '\\', raw.n - i);
        size_t plain = slash ? (size_t)(slash - raw.p) - i : raw.n - i;
        buf_put(out, raw.p + i, plain);
        i += plain;
        if (i + 1 >= raw.n)
            break;
        char c = raw.p[i + 1];
        i += 2;
        if (c == 'u') {
            i += put_unicode(raw.p + i, raw.n - i, out);
        } else {
            const char *hit = memchr(from, c, sizeof(from) - 1);
            buf_put(out, hit ? &to[hit - from] : &c, 1);
        }
    }
}

bool
aud_line_text(const struct aud_line *l, const char *key, struct buf *out)
{
    const struct aud_field *f = aud_line_find(l, key);

    if (!f || f->type != AUD_T_STRING)
        return false;
    aud_line_unescape(f->raw, out);
    return true;
}

bool
aud_line_is(const struct aud_line *l, const char *key, const char *value)
{
    const struct aud_field *f = aud_line_find(l, key);

    return f && f->type == AUD_T_STRING && str_eqz(f->raw, value);
}

int
aud_line_uint(const struct aud_line *l, const char *key, uint64_t *out)
{
    const struct aud_field *f = aud_line_find(l, key);
    int64_t v;

    if (!f)
        return -ENOENT;
    if (f->type != AUD_T_NUMBER || str_int64(f->raw, 0, INT64_MAX, &v))
        return -EINVAL;
    *out = (uint64_t)v;
    return 0;
}

bool
aud_line_item(struct str *rest, struct str *item)
{
    struct reader r = { .p = rest->p, .n = rest->n };

    takes(&r, ',');
    if (!takes(&r, '"') || read_string(&r, item))
        return false;
    *rest = (struct str){ rest->p + r.at, rest->n - r.at };
    return true;
}
