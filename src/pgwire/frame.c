// SPDX-License-Identifier: ISC
/* Message headers: which types there are on either side and how long each may be. The
 * limits are the server's own, so that what it would cut the connection for never gets
 * buffered here; shapes that hold nothing must be empty. */
#include "pgwire/pgwire.h"

#define N_TYPES 128 /* message types are ASCII letters and digits */

struct shape {
    const char *name;
    uint32_t min_body, max_body;
};

#define SMALL (PGW_MAX_SMALL - 4)
#define LARGE (PGW_MAX_MESSAGE - 4)

static const struct shape client_shapes[N_TYPES] = {
    ['B'] = { "Bind", 8, LARGE },
    ['C'] = { "Close", 2, SMALL },
    ['D'] = { "Describe", 2, SMALL },
    ['E'] = { "Execute", 5, SMALL },
    ['F'] = { "FunctionCall", 10, LARGE },
    ['H'] = { "Flush", 0, 0 },
    ['P'] = { "Parse", 4, LARGE },
    ['Q'] = { "Query", 1, LARGE },
    ['S'] = { "Sync", 0, 0 },
    ['X'] = { "Terminate", 0, 0 },
    ['c'] = { "CopyDone", 0, 0 },
    ['d'] = { "CopyData", 0, LARGE },
    ['f'] = { "CopyFail", 1, SMALL },
};

static const struct shape login_shapes[N_TYPES] = {
    ['p'] = { "authentication reply", 0, PGW_MAX_AUTH },
};

static const struct shape server_shapes[N_TYPES] = {
    ['1'] = { "ParseComplete", 0, 0 },
    ['2'] = { "BindComplete", 0, 0 },
    ['3'] = { "CloseComplete", 0, 0 },
    ['A'] = { "NotificationResponse", 6, LARGE },
    ['C'] = { "CommandComplete", 1, LARGE },
    ['D'] = { "DataRow", 2, LARGE },
    ['E'] = { "ErrorResponse", 1, LARGE },
    ['G'] = { "CopyInResponse", 3, LARGE },
    ['H'] = { "CopyOutResponse", 3, LARGE },
    ['I'] = { "EmptyQueryResponse", 0, 0 },
    ['K'] = { "BackendKeyData", 8, 4 + PGW_MAX_CANCEL_KEY },
    ['N'] = { "NoticeResponse", 1, LARGE },
    ['R'] = { "Authentication", 4, LARGE },
    ['S'] = { "ParameterStatus", 2, LARGE },
    ['T'] = { "RowDescription", 2, LARGE },
    ['V'] = { "FunctionCallResponse", 4, LARGE },
    ['W'] = { "CopyBothResponse", 3, LARGE },
    ['Z'] = { "ReadyForQuery", 1, 1 },
    ['c'] = { "CopyDone", 0, 0 },
    ['d'] = { "CopyData", 0, LARGE },
    ['n'] = { "NoData", 0, 0 },
    ['s'] = { "PortalSuspended", 0, 0 },
    ['t'] = { "ParameterDescription", 2, LARGE },
    ['v'] = { "NegotiateProtocolVersion", 8, LARGE },
};

static int
refuse_type(const char *side, char type, struct err *err)
{
    unsigned char c = (unsigned char)type;
    if (c > 0x20 && c < 0x7f)
        return err_set(
            err, PGW_E_MALFORMED, "unexpected message type '%c' from the %s", c, side);
    return err_set(
        err, PGW_E_MALFORMED, "unexpected message type 0x%02x from the %s", c, side);
}

static int
check_length(const char *side, const struct shape *s, uint32_t len, struct err *err)
{
    if (len < 4)
        return err_set(err, PGW_E_MALFORMED,
            "invalid message length %u in %s from the %s: the length counts its own 4 bytes",
            len, s->name, side);
    if (len - 4 < s->min_body)
        return err_set(err, PGW_E_MALFORMED,
            "invalid message length %u in %s from the %s: it is at least %u", len,
            s->name, side, s->min_body + 4);
    if (len - 4 > s->max_body)
        return err_set(err, PGW_E_MALFORMED,
            "invalid message length %u in %s from the %s: it is at most %u", len,
            s->name, side, s->max_body + 4);
    return 0;
}

static int
parse_head(const char *side, const struct shape *shapes, const char *p, size_t n,
    struct pgw_head *out, struct err *err)
{
    if (n == 0)
        return PGW_NEED_MORE;

    const struct shape *s = &shapes[(unsigned char)p[0] % N_TYPES];
    if (!s->name || (unsigned char)p[0] >= N_TYPES)
        return refuse_type(side, p[0], err);
    if (n < PGW_HEADER_SIZE)
        return PGW_NEED_MORE;

    uint32_t len = pgw_u32(p + 1);
    int r = check_length(side, s, len, err);
    if (r)
        return r;
    *out = (struct pgw_head){ .type = p[0], .body_len = len - 4 };
    return 0;
}

int
pgw_head_client(const char *p, size_t n, struct pgw_head *out, struct err *err)
{
    return parse_head("client", client_shapes, p, n, out, err);
}

int
pgw_head_login(const char *p, size_t n, struct pgw_head *out, struct err *err)
{
    return parse_head("client", login_shapes, p, n, out, err);
}

int
pgw_head_server(const char *p, size_t n, struct pgw_head *out, struct err *err)
{
    return parse_head("server", server_shapes, p, n, out, err);
}

size_t
pgw_skip_rows(const char *p, size_t n, size_t *rest)
{
    size_t pos = 0;
    *rest = 0;
    while (n - pos >= PGW_HEADER_SIZE && (p[pos] == 'D' || p[pos] == 'd')) {
        size_t length = pgw_u32(p + pos + 1);
        if (length < (p[pos] == 'D' ? 6u : 4u) || length > PGW_MAX_MESSAGE)
            break; /* pgw_head_server says what is wrong */
        if (length + 1 > n - pos) {
            *rest = length + 1 - (n - pos);
            return n;
        }
        pos += length + 1;
    }
    return pos;
}
