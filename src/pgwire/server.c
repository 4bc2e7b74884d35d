// SPDX-License-Identifier: ISC
/* Bodies of the few server messages that the relay looks into. */
#include "pgwire/pgwire.h"

#include "pgwire/read.h"

int
pgw_parse_auth(const char *body, size_t n, uint32_t *kind)
{
    struct pgw_read r = pgw_reader(body, n);
    return pgw_take_u32(&r, kind) ? 0 : PGW_E_MALFORMED;
}

int
pgw_parse_ready(const char *body, size_t n, char *status)
{
    if (n != 1 || (*body != 'I' && *body != 'T' && *body != 'E'))
        return PGW_E_MALFORMED;
    *status = *body;
    return 0;
}

int
pgw_parse_backend_key(const char *body, size_t n, uint32_t *pid, struct str *key)
{
    if (n < 8 || n > 4 + PGW_MAX_CANCEL_KEY)
        return PGW_E_MALFORMED;
    *pid = pgw_u32(body);
    *key = (struct str){ body + 4, n - 4 };
    return 0;
}

int
pgw_parse_parameter_status(
    const char *body, size_t n, struct str *name, struct str *value)
{
    struct pgw_read r = pgw_reader(body, n);
    struct str k, v;
    if (!pgw_take_cstr(&r, &k) || !pgw_take_cstr(&r, &v) || pgw_left(&r))
        return PGW_E_MALFORMED;
    *name = k;
    *value = v;
    return 0;
}

int
pgw_parse_command_complete(const char *body, size_t n, struct str *tag)
{
    struct pgw_read r = pgw_reader(body, n);
    struct str t;
    if (!pgw_take_cstr(&r, &t) || pgw_left(&r))
        return PGW_E_MALFORMED;
    *tag = t;
    return 0;
}
