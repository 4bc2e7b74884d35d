// SPDX-License-Identifier: ISC
/* Writes JSON (RFC 8259) into a buffer: one value, no white space. Control bytes, invalid
 * UTF-8 (as \ufffd) and bidirectional marks (as \u escapes) are escaped, so that a line
 * stays one line in every viewer.  thread: owner's */
#ifndef DG_BASE_JSON_H
#define DG_BASE_JSON_H

#include "base/buf.h"
#include "base/str.h"

struct json {
    struct buf *out; /* borrowed; asserts if it is full: size it for the worst case */
    bool needs_comma;
};

#define JSON_INIT(buf) \
    {                  \
        .out = (buf)   \
    }

void json_object(struct json *j);     /* { */
void json_object_end(struct json *j); /* } */
void json_array(struct json *j);
void json_array_end(struct json *j);
void json_key(struct json *j, const char *key);
void json_str(struct json *j, struct str s);
void json_strz(struct json *j, const char *s); /* NULL gives null */
void json_int(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
/* key and value in one call */
void json_kv(struct json *j, const char *key, const char *s); /* NULL: left out */
void json_kv_str(struct json *j, const char *key, struct str s);
void json_kv_int(struct json *j, const char *key, int64_t v);
void json_kv_bool(struct json *j, const char *key, bool v);

#endif
