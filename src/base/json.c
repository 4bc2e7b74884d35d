// SPDX-License-Identifier: ISC
/* The JSON writer; see json.h. */
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

static void
before_value(struct json *j)
{
    if (j->needs_comma)
        buf_put(j->out, ",", 1);
    j->needs_comma = true;
}

static void
opens(struct json *j, const char *bracket)
{
    before_value(j);
    buf_put(j->out, bracket, 1);
    j->needs_comma = false;
}

static void
closes(struct json *j, const char *bracket)
{
    buf_put(j->out, bracket, 1);
    j->needs_comma = true;
}

void
json_object(struct json *j)
{
    opens(j, "{");
}

void
json_object_end(struct json *j)
{
    closes(j, "}");
}

void
json_array(struct json *j)
{
    opens(j, "[");
}

void
json_array_end(struct json *j)
{
    closes(j, "]");
}

static void
put_escape(struct buf *out, uint32_t c)
{
    switch (c) {
    case '"':
        buf_put(out, "\\\"", 2);
        break;
    case '\\':
        buf_put(out, "\\\\", 2);
        break;
    case '\n':
        buf_put(out, "\\n", 2);
        break;
    case '\r':
        buf_put(out, "\\r", 2);
        break;
    case '\t':
        buf_put(out, "\\t", 2);
        break;
    default:
        /* Nothing above U+FFFF is escaped, so no surrogate pairs. */
        buf_putf(out, "\\u%04" PRIx32, c);
    }
}

static void
put_quoted(struct buf *out, struct str s)
{
    size_t plain = 0; /* start of what is yet to be copied as it is */

    buf_put(out, "\"", 1);
    for (size_t i = 0; i < s.n;) {
        size_t len = str_utf8_len(s.p + i, s.n - i), step = len ? len : 1;
        uint32_t c = len ? str_utf8_char(s.p + i, len) : 0xfffd;
        if (!len || c == '"' || c == '\\' || str_char_is_deceptive(c)) {
            buf_put(out, s.p + plain, i - plain);
            put_escape(out, c);
            plain = i + step;
        }
        i += step;
    }
    if (plain < s.n)
        buf_put(out, s.p + plain, s.n - plain);
    buf_put(out, "\"", 1);
}

void
json_key(struct json *j, const char *key)
{
    before_value(j);
    put_quoted(j->out, str_of(key));
    buf_put(j->out, ":", 1);
    j->needs_comma = false;
}

void
json_str(struct json *j, struct str s)
{
    before_value(j);
    put_quoted(j->out, s);
}

void
json_strz(struct json *j, const char *s)
{
    if (s)
        json_str(j, str_of(s));
    else
        json_null(j);
}

void
json_int(struct json *j, int64_t v)
{
    before_value(j);
    buf_putf(j->out, "%" PRId64, v);
}

void
json_bool(struct json *j, bool v)
{
    before_value(j);
    buf_puts(j->out, v ? "true" : "false");
}

void
json_null(struct json *j)
{
    before_value(j);
    buf_puts(j->out, "null");
}

void
json_kv(struct json *j, const char *key, const char *s)
{
    if (s)
        json_kv_str(j, key, str_of(s));
}

void
json_kv_str(struct json *j, const char *key, struct str s)
{
    json_key(j, key);
    json_str(j, s);
}

void
json_kv_int(struct json *j, const char *key, int64_t v)
{
    json_key(j, key);
    json_int(j, v);
}

void
json_kv_bool(struct json *j, const char *key, bool v)
{
    json_key(j, key);
    json_bool(j, v);
}
