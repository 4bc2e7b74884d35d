// SPDX-License-Identifier: ISC
/* Strings with a length, ASCII case folding (PostgreSQL's keywords), checked numbers,
 * globs.  thread: any */
#ifndef DG_BASE_STR_H
#define DG_BASE_STR_H

#include "base/base.h"

/* Borrowed bytes; not terminated. */
struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

struct str str_of(const char *cstr); /* NULL gives an empty one */
bool str_eq(struct str a, struct str b);
bool str_eqz(struct str a, const char *b);
bool str_ieqz(struct str a, const char *b); /* ASCII without case */
struct str str_trim(struct str s);          /* ASCII white space at both ends */
bool str_prefix(const char *s, const char *prefix);
bool str_suffix(const char *s, const char *suffix);

/* Cuts the next item off a comma list ("a, b"): true and *item trimmed, false at the end.
 * *rest starts as the whole list. Empty items are returned as such; an empty list has no
 * items, and one comma at the end is no item more. */
bool str_next_item(struct str *rest, struct str *item);

/* Cuts the next line off, without its newline: false at the end. A text that ends in a newline
 * has no empty line behind it. */
bool str_next_line(struct str *rest, struct str *line);

/* `*` matches any run, `?` one byte; case-sensitive; no recursion, time linear in s (at
 * most its length times the pattern's). */
bool str_glob(const char *pattern, const char *s);

/* The whole string must be a decimal number in [min, max]. 0 or -EINVAL / -ERANGE. */
int str_int64(struct str s, int64_t min, int64_t max, int64_t *out) MUST_CHECK;
/* "64kB", "16MB", "1GB", plain bytes (PostgreSQL's units, case-sensitive as there, powers
 * of 1024). 0, -EINVAL, -ERANGE; likewise the next. */
int str_size(struct str s, uint64_t *out_bytes) MUST_CHECK;
/* "200ms", "5s", "2min", "1h", "1d"; a plain number counts in `unit_ms`. */
int str_duration(struct str s, int64_t unit_ms, int64_t *out_ms) MUST_CHECK;
/* on/off/yes/no/true/false/1/0 without case. */
int str_bool(struct str s, bool *out) MUST_CHECK;

/* Length of the valid UTF-8 sequence at p (1..4), 0 if there is none in n bytes. */
size_t str_utf8_len(const char *p, size_t n);
/* Characters in n bytes; every byte that is no valid UTF-8 counts as one. */
size_t str_utf8_count(const char *p, size_t n);

/* The character of a valid sequence of len bytes, as str_utf8_len found it. */
uint32_t str_utf8_char(const char *p, size_t len);
/* Must not be shown as it is: controls, line separators, bidirectional marks. */
bool str_char_is_deceptive(uint32_t c);

static inline char
ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Of a hex digit; -1: it is none. */
static inline int
ascii_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
