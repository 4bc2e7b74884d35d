// SPDX-License-Identifier: ISC
/* The first packet of a connection: startup, a request for TLS or GSS encryption, or a
 * cancel request. It has no type byte; the server's own checks are
 * src/backend/postmaster/postmaster.c, ProcessStartupPacket. */
#include "pgwire/pgwire.h"

#include "pgwire/read.h"
#include "pgwire/write.h"

#define MIN_STARTUP     8 /* length and code */
#define CANCEL_MIN_SIZE 16
#define CANCEL_MAX_SIZE (12 + PGW_MAX_CANCEL_KEY)
#define TLS_HANDSHAKE   0x16 /* record type of a ClientHello */

/* People point browsers, load balancers and newer clients here: name what they sent. */
static int
refuse_length(const char *p, uint32_t len, struct err *err)
{
    if (p[0] == TLS_HANDSHAKE && p[1] == 3)
        return err_set(err, PGW_E_MALFORMED,
            "the client began with TLS at once; set sslnegotiation=postgres");
    if (!memcmp(p, "GET ", 4) || !memcmp(p, "POST", 4) || !memcmp(p, "HEAD", 4))
        return err_set(err, PGW_E_MALFORMED,
            "the client speaks HTTP; this port speaks PostgreSQL's protocol");
    return err_set(err, PGW_E_MALFORMED,
        "invalid length of startup packet: %u is not within %d..%d", len, MIN_STARTUP,
        PGW_MAX_STARTUP);
}

static int
refuse_size(const char *what, uint32_t len, struct err *err)
{
    return err_set(err, PGW_E_MALFORMED, "invalid length of %s: %u", what, len);
}

/* Sets kind from the code, once the first 8 bytes are there. */
static int
parse_code(uint32_t code, uint32_t len, struct pgw_startup *out, struct err *err)
{
    switch (code) {
    case PGW_SSL_CODE:
        out->kind = PGW_SSL_REQUEST;
        return len == 8 ? 0 : refuse_size("SSLRequest", len, err);
    case PGW_GSSENC_CODE:
        out->kind = PGW_GSSENC_REQUEST;
        return len == 8 ? 0 : refuse_size("GSSENCRequest", len, err);
    case PGW_CANCEL_CODE:
        out->kind = PGW_CANCEL_REQUEST;
        return len >= CANCEL_MIN_SIZE && len <= CANCEL_MAX_SIZE
            ? 0
            : refuse_size("CancelRequest", len, err);
    default:
        break;
    }
    if (code >> 16 != PGW_PROTOCOL_3_0 >> 16)
        return err_set(err, PGW_E_MALFORMED,
            "unsupported frontend protocol %u.%u: the gate speaks 3.0", code >> 16,
            code & 0xffff);
    out->kind = PGW_STARTUP;
    out->protocol = code;
    return 0;
}

/* The server compares these with case; every other key is a parameter, or starts with
 * "_pq_.". */
static bool
is_own_key(const char *key)
{
    return !strcmp(key, "user") || !strcmp(key, "database") || !strcmp(key, "options")
        || !strcmp(key, "replication");
}

static bool
same_parameter(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

/* The server lets the last duplicate win; other readers the first. Nobody needs one. */
static int
add_param(struct pgw_startup *s, struct str key, struct str value, struct err *err)
{
    for (size_t i = 0; i < s->n; i++)
        if (same_parameter(s->keys[i], key))
            return err_set(err, PGW_E_MALFORMED,
                "invalid startup packet: parameter \"%.*s\" is given twice",
                (int)(key.n < 64 ? key.n : 64), key.p);
    if (s->n == PGW_MAX_PARAMS)
        return err_set(err, PGW_E_MALFORMED,
            "invalid startup packet: more than %d parameters", PGW_MAX_PARAMS);
    s->keys[s->n] = key;
    s->values[s->n] = value;
    s->n++;
    return 0;
}

static int
parse_params(struct pgw_read *r, struct pgw_startup *s, struct err *err)
{
    for (;;) {
        struct str key, value;
        if (!pgw_take_cstr(r, &key))
            return err_set(err, PGW_E_MALFORMED,
                "invalid startup packet layout: expected terminator as last byte");
        if (key.n == 0)
            break;
        if (!pgw_take_cstr(r, &value))
            return err_set(err, PGW_E_MALFORMED,
                "invalid startup packet layout: parameter \"%.*s\" has no value",
                (int)(key.n < 64 ? key.n : 64), key.p);
        int ret = add_param(s, key, value, err);
        if (ret)
            return ret;
    }
    if (pgw_left(r))
        return err_set(err, PGW_E_MALFORMED,
            "invalid startup packet layout: expected terminator as last byte");

    const struct str *user = pgw_startup_get(s, "user");
    if (!user || user->n == 0)
        return err_set(err, PGW_E_MALFORMED,
            "no PostgreSQL user name specified in startup packet");
    return 0;
}

int
pgw_startup_parse(const char *p, size_t n, struct pgw_startup *out, struct err *err)
{
    if (n < 4)
        return PGW_NEED_MORE;
    uint32_t len = pgw_u32(p);
    if (len < MIN_STARTUP || len > PGW_MAX_STARTUP)
        return refuse_length(p, len, err);
    if (n < MIN_STARTUP)
        return PGW_NEED_MORE;

    *out = (struct pgw_startup){ .size = len };
    int ret = parse_code(pgw_u32(p + 4), len, out, err);
    if (ret)
        return ret;
    if (n < len)
        return PGW_NEED_MORE;

    struct pgw_read r = { p + MIN_STARTUP, p + len };
    if (out->kind == PGW_CANCEL_REQUEST) {
        out->cancel_pid = pgw_u32(r.p);
        out->cancel_key = (struct str){ r.p + 4, pgw_left(&r) - 4 };
    }
    return out->kind == PGW_STARTUP ? parse_params(&r, out, err) : 0;
}

const struct str *
pgw_startup_get(const struct pgw_startup *s, const char *key)
{
    bool with_case = is_own_key(key);
    for (size_t i = 0; i < s->n; i++)
        if (with_case ? str_eqz(s->keys[i], key) : str_ieqz(s->keys[i], key))
            return &s->values[i];
    return NULL;
}

void
pgw_startup_build(struct buf *out, uint32_t protocol, const struct str *keys,
    const struct str *values, size_t n)
{
    size_t len = 4 + 1;
    for (size_t i = 0; i < n; i++)
        len += keys[i].n + 1 + values[i].n + 1;
    pgw_put_head(out, 0, len);
    pgw_put_u32(out, protocol);
    for (size_t i = 0; i < n; i++) {
        pgw_put_cstr(out, keys[i]);
        pgw_put_cstr(out, values[i]);
    }
    buf_put(out, "", 1);
}
