// SPDX-License-Identifier: ISC
/* Reads one audit line: a strict JSON object without white space between its parts, as the
 * gate writes it. Keys are plain (letters, digits, `.`, `_`, `@`, `-`), each at most once;
 * values are strings, numbers, true, false, null or arrays of strings. Anything else is an
 * error that names the byte. One pass, no recursion, no allocation.  thread: any */
#ifndef DG_AUDIT_LINE_H
#define DG_AUDIT_LINE_H

#include "base/buf.h"
#include "base/str.h"

#define AUD_MAX_FIELDS 128

enum aud_type {
    AUD_T_STRING,
    AUD_T_NUMBER,
    AUD_T_BOOL,
    AUD_T_NULL,
    AUD_T_STRINGS, /* an array */
};

struct aud_field {
    struct str key;
    enum aud_type type;
    struct str raw; /* as written; strings without quotes, arrays without brackets */
};

struct aud_line {
    struct aud_field fields[AUD_MAX_FIELDS]; /* borrow from the line given */
    size_t n;
};

/* line: without its newline. 0, or -EBADMSG with *why (static text) and *at (its byte). */
int aud_line_parse(struct str line, struct aud_line *out, const char **why, size_t *at)
    MUST_CHECK;

const struct aud_field *aud_line_find(const struct aud_line *l, const char *key);
/* The string value of key without escapes, appended to out; false if there is none (or it
 * is no string). Asserts if out is full: it needs as many bytes as the line has. */
bool aud_line_text(const struct aud_line *l, const char *key, struct buf *out);
/* Is the string value of key written like `value`? For words that need no escapes. */
bool aud_line_is(const struct aud_line *l, const char *key, const char *value);
/* The value of key as a whole number from 0. 0, -ENOENT, -EINVAL. */
int aud_line_uint(const struct aud_line *l, const char *key, uint64_t *out) MUST_CHECK;
/* Cuts the next item off an array: *rest starts as the field's raw; false at the end. The
 * item is as written. */
bool aud_line_item(struct str *rest, struct str *item);
/* Undoes the escapes of a string as written. */
void aud_line_unescape(struct str raw, struct buf *out);

#endif
