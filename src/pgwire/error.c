// SPDX-License-Identifier: ISC
/* ErrorResponse and NoticeResponse: a list of fields, each a code and a string, ended by a
 * zero byte (manual, "Error and Notice Message Fields"). */
#include "pgwire/pgwire.h"

#include "pgwire/read.h"
#include "pgwire/write.h"

#include <stdio.h>
#include <string.h>

#define MAX_FIELDS 15

struct field {
    char code;
    struct str text;
};

_Static_assert(4 * PGW_MAX_TEXT + (MAX_FIELDS - 4) * PGW_MAX_NAME + 64 <= PGW_MAX_ERROR,
    "an error may grow larger than promised");

/* At most max bytes, cut before the character that would be split. */
static struct str
cut(struct str s, size_t max)
{
    if (s.n <= max)
        return s;
    size_t n = max;
    while (n > max - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return (struct str){ s.p, n };
}

static void
add(struct field *fields, size_t *n, char code, const char *text)
{
    if (!text || !*text)
        return;
    DG_ASSERT(*n < MAX_FIELDS, "more fields than there are codes");
    size_t max = strchr("MDHW", code) ? PGW_MAX_TEXT : PGW_MAX_NAME;
    fields[(*n)++] = (struct field){ code, cut(str_of(text), max) };
}

void
pgw_error_build(struct buf *out, bool is_notice, const struct pgw_error *e)
{
    char line[16] = "", position[16] = "";
    if (e->line > 0)
        snprintf(line, sizeof line, "%d", e->line);
    if (e->position > 0)
        snprintf(position, sizeof position, "%d", e->position);

    struct field fields[MAX_FIELDS];
    size_t n = 0;
    add(fields, &n, 'S', e->severity);
    add(fields, &n, 'V', e->severity);
    add(fields, &n, 'C', e->sqlstate);
    add(fields, &n, 'M', e->message);
    add(fields, &n, 'D', e->detail);
    add(fields, &n, 'H', e->hint);
    add(fields, &n, 'P', position);
    add(fields, &n, 'W', e->where);
    add(fields, &n, 's', e->schema);
    add(fields, &n, 't', e->table);
    add(fields, &n, 'c', e->column);
    add(fields, &n, 'n', e->constraint);
    add(fields, &n, 'F', e->file);
    add(fields, &n, 'L', line);
    add(fields, &n, 'R', e->routine);

    size_t len = 1;
    for (size_t i = 0; i < n; i++)
        len += 1 + fields[i].text.n + 1;
    pgw_put_head(out, is_notice ? 'N' : 'E', len);
    for (size_t i = 0; i < n; i++) {
        buf_put(out, &fields[i].code, 1);
        pgw_put_cstr(out, fields[i].text);
    }
    buf_put(out, "", 1);
}

bool
pgw_error_field(const char *body, size_t n, char code, struct str *out)
{
    struct pgw_read r = pgw_reader(body, n);
    char c;
    while (pgw_take_byte(&r, &c) && c) {
        struct str text;
        if (!pgw_take_cstr(&r, &text))
            return false;
        if (c == code) {
            *out = text;
            return true;
        }
    }
    return false;
}

bool
pgw_error_move(
    struct buf *out, bool is_notice, const char *body, size_t n, int position)
{
    struct pgw_read r = pgw_reader(body, n);
    struct str text, old = { "", 0 };
    char c = 1, moved[16];
    if (!pgw_error_field(body, n, 'P', &old))
        return false;
    int len = snprintf(moved, sizeof moved, "%d", position);
    pgw_put_head(out, is_notice ? 'N' : 'E', n - old.n + (size_t)len);
    while (pgw_take_byte(&r, &c) && c) {
        if (!pgw_take_cstr(&r, &text))
            return false;
        buf_put(out, &c, 1);
        pgw_put_cstr(out, c == 'P' ? (struct str){ moved, (size_t)len } : text);
    }
    buf_put(out, "", 1);
    return c == 0 && pgw_left(&r) == 0;
}

bool
pgw_error_strip(
    struct buf *out, bool is_notice, const char *body, size_t n, const char *codes)
{
    struct pgw_read r = pgw_reader(body, n), again = r;
    struct str text;
    size_t left = n;
    char c = 1;
    while (pgw_take_byte(&r, &c) && c) {
        if (!pgw_take_cstr(&r, &text))
            return false;
        left -= strchr(codes, c) ? text.n + 2 : 0;
    }
    if (c != 0 || pgw_left(&r) != 0)
        return false;
    pgw_put_head(out, is_notice ? 'N' : 'E', left);
    while (pgw_take_byte(&again, &c) && c && pgw_take_cstr(&again, &text)) {
        if (strchr(codes, c))
            continue;
        buf_put(out, &c, 1);
        pgw_put_cstr(out, text);
    }
    buf_put(out, "", 1);
    return true;
}
