// SPDX-License-Identifier: ISC
/* Messages that the gate sends itself, to either side. Lengths are computed first: the
 * buffer may move while it grows. */
#include "pgwire/pgwire.h"

#include "pgwire/write.h"

#include <string.h>

#define TEXT_OID 25

void
pgw_build_query(struct buf *out, const char *sql)
{
    struct str text = str_of(sql);
    pgw_put_head(out, 'Q', text.n + 1);
    pgw_put_cstr(out, text);
}

void
pgw_build_parse(struct buf *out, struct str name, const char *sql)
{
    struct str text = str_of(sql);
    pgw_put_head(out, 'P', name.n + 1 + text.n + 1 + 2);
    pgw_put_cstr(out, name);
    pgw_put_cstr(out, text);
    pgw_put_u16(out, 0);
}

void
pgw_build_parse_typed(
    struct buf *out, struct str name, const char *sql, struct str types)
{
    struct str text = str_of(sql);
    pgw_put_head(out, 'P', name.n + 1 + text.n + 1 + types.n);
    pgw_put_cstr(out, name);
    pgw_put_cstr(out, text);
    buf_put(out, types.p, types.n);
}

void
pgw_build_bind(struct buf *out, struct str portal, struct str statement)
{
    pgw_put_head(out, 'B', portal.n + 1 + statement.n + 1 + 6);
    pgw_put_cstr(out, portal);
    pgw_put_cstr(out, statement);
    pgw_put_u16(out, 0);
    pgw_put_u16(out, 0);
    pgw_put_u16(out, 0);
}

void
pgw_build_execute(struct buf *out, struct str portal)
{
    pgw_put_head(out, 'E', portal.n + 1 + 4);
    pgw_put_cstr(out, portal);
    pgw_put_u32(out, 0);
}

void
pgw_build_close(struct buf *out, char what, struct str name)
{
    DG_ASSERT(what == 'S' || what == 'P', "close of '%c'", what);
    pgw_put_head(out, 'C', 1 + name.n + 1);
    buf_put(out, &what, 1);
    pgw_put_cstr(out, name);
}

void
pgw_build_sync(struct buf *out)
{
    pgw_put_head(out, 'S', 0);
}

void
pgw_build_copy_data(struct buf *out, struct str data)
{
    pgw_put_head(out, 'd', data.n);
    buf_put(out, data.p, data.n);
}

void
pgw_build_copy_fail(struct buf *out, const char *message)
{
    pgw_put_head(out, 'f', strlen(message) + 1);
    pgw_put_cstr(out, str_of(message));
}

void
pgw_build_terminate(struct buf *out)
{
    pgw_put_head(out, 'X', 0);
}

void
pgw_build_cancel(struct buf *out, uint32_t pid, struct str key)
{
    pgw_put_head(out, 0, 4 + 4 + key.n);
    pgw_put_u32(out, PGW_CANCEL_CODE);
    pgw_put_u32(out, pid);
    buf_put(out, key.p, key.n);
}

void
pgw_build_auth_ok(struct buf *out)
{
    pgw_put_head(out, 'R', 4);
    pgw_put_u32(out, PGW_AUTH_OK);
}

void
pgw_build_parameter_status(struct buf *out, const char *name, struct str value)
{
    struct str key = str_of(name);
    pgw_put_head(out, 'S', key.n + 1 + value.n + 1);
    pgw_put_cstr(out, key);
    pgw_put_cstr(out, value);
}

void
pgw_build_backend_key(struct buf *out, uint32_t pid, struct str key)
{
    pgw_put_head(out, 'K', 4 + key.n);
    pgw_put_u32(out, pid);
    buf_put(out, key.p, key.n);
}

void
pgw_build_negotiate(
    struct buf *out, uint32_t protocol, const struct str *options, size_t n)
{
    size_t len = 8;
    for (size_t i = 0; i < n; i++)
        len += options[i].n + 1;
    pgw_put_head(out, 'v', len);
    pgw_put_u32(out, protocol);
    pgw_put_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        pgw_put_cstr(out, options[i]);
}

void
pgw_build_ready(struct buf *out, char status)
{
    pgw_put_head(out, 'Z', 1);
    buf_put(out, &status, 1);
}

void
pgw_build_row_description(struct buf *out, const char *const *names, size_t n)
{
    DG_ASSERT(n <= INT16_MAX, "%zu columns", n);
    size_t len = 2;
    for (size_t i = 0; i < n; i++)
        len += strlen(names[i]) + 1 + 18;
    pgw_put_head(out, 'T', len);
    pgw_put_u16(out, (unsigned)n);
    for (size_t i = 0; i < n; i++) {
        pgw_put_cstr(out, str_of(names[i]));
        pgw_put_u32(out, 0); /* of no table */
        pgw_put_u16(out, 0);
        pgw_put_u32(out, TEXT_OID);
        pgw_put_u16(out, UINT16_MAX); /* variable size, no modifier */
        pgw_put_u32(out, UINT32_MAX);
        pgw_put_u16(out, 0); /* text format */
    }
}

void
pgw_build_data_row(struct buf *out, const char *const *values, size_t n)
{
    DG_ASSERT(n <= INT16_MAX, "%zu columns", n);
    size_t len = 2;
    for (size_t i = 0; i < n; i++)
        len += 4 + (values[i] ? strlen(values[i]) : 0);
    pgw_put_head(out, 'D', len);
    pgw_put_u16(out, (unsigned)n);
    for (size_t i = 0; i < n; i++) {
        if (!values[i]) {
            pgw_put_u32(out, UINT32_MAX);
            continue;
        }
        size_t value_len = strlen(values[i]);
        pgw_put_u32(out, (uint32_t)value_len);
        if (value_len)
            buf_put(out, values[i], value_len);
    }
}

void
pgw_build_command_complete(struct buf *out, const char *tag)
{
    struct str text = str_of(tag);
    pgw_put_head(out, 'C', text.n + 1);
    pgw_put_cstr(out, text);
}
