// SPDX-License-Identifier: ISC
/* A stream of messages, read as the relay reads it. The first byte chooses the side. What
 * is taken must lie within the body, and every parameter that is counted must be found. */
#include "pgwire/pgwire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_be_within(struct str s, const char *body, size_t n)
{
    DG_ASSERT(!s.n || (s.p >= body && s.n <= n && s.p + s.n <= body + n),
        "%zu bytes outside the body", s.n);
}

static void
read_bind(const char *body, size_t n, struct err *err)
{
    struct pgw_bind b;
    if (pgw_parse_bind(body, n, &b, err))
        return;
    must_be_within(b.portal, body, n);
    must_be_within(b.statement, body, n);
    /* The walk starts anew for each: a bound keeps the target fast. */
    for (unsigned i = 0; i < b.n_params && i < 64; i++) {
        struct str value;
        bool is_binary;
        DG_ASSERT(pgw_bind_param(&b, i, &value, &is_binary), "parameter %u is lost", i);
        must_be_within(value, body, n);
    }
}

static void
read_client(char type, const char *body, size_t n)
{
    struct err err;
    struct str s = { NULL, 0 };
    struct pgw_parse parse = { .n_types = 0 };
    uint32_t oid;
    char what;
    if (type == 'Q' && !pgw_parse_query(body, n, &s, &err))
        DG_ASSERT(s.n + 1 == n, "the text is not the body");
    if (type == 'P' && !pgw_parse_parse(body, n, &parse, &err))
        must_be_within(parse.name, body, n);
    must_be_within(parse.sql, body, n);
    if (type == 'B')
        read_bind(body, n, &err);
    if (type == 'E' && !pgw_parse_execute(body, n, &s, &err))
        must_be_within(s, body, n);
    if ((type == 'D' || type == 'C') && !pgw_parse_target(body, n, &what, &s, &err))
        must_be_within(s, body, n);
    if (type == 'F' && !pgw_parse_function_call(body, n, &oid, &err))
        DG_ASSERT(oid == pgw_u32(body), "another function");
}

static void
read_server(char type, const char *body, size_t n)
{
    static const char codes[] = "SVCMDHPpqWstcdnFLR";
    struct str a = { NULL, 0 }, b = { NULL, 0 };
    uint32_t v;
    char status;
    if (type == 'S' && !pgw_parse_parameter_status(body, n, &a, &b))
        DG_ASSERT(a.n + b.n + 2 == n, "name and value are not the body");
    if (type == 'C' && !pgw_parse_command_complete(body, n, &a))
        DG_ASSERT(a.n + 1 == n, "the tag is not the body");
    if (type == 'K' && !pgw_parse_backend_key(body, n, &v, &a))
        must_be_within(a, body, n);
    if (type == 'R' && !pgw_parse_auth(body, n, &v))
        DG_ASSERT(v == pgw_u32(body), "another method");
    if (type == 'Z' && !pgw_parse_ready(body, n, &status))
        DG_ASSERT(status == body[0], "another status");
    for (const char *c = codes; (type == 'E' || type == 'N') && *c; c++)
        if (pgw_error_field(body, n, *c, &a))
            must_be_within(a, body, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    int side = data[0] % 3;
    const char *p = (const char *)data + 1;
    size_t n = size - 1;
    for (;;) {
        struct pgw_head h;
        struct err err = { "" };
        int r = side == 0 ? pgw_head_client(p, n, &h, &err)
            : side == 1   ? pgw_head_login(p, n, &h, &err)
                          : pgw_head_server(p, n, &h, &err);
        DG_ASSERT(
            (r == PGW_E_MALFORMED) == (err.text[0] != '\0'), "error without text");
        if (r || n - PGW_HEADER_SIZE < h.body_len)
            return 0;
        if (side == 2)
            read_server(h.type, p + PGW_HEADER_SIZE, h.body_len);
        else
            read_client(h.type, p + PGW_HEADER_SIZE, h.body_len);
        p += PGW_HEADER_SIZE + h.body_len;
        n -= PGW_HEADER_SIZE + h.body_len;
    }
}
