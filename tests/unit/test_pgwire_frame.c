// SPDX-License-Identifier: ISC
/* Message headers: known types pass with lengths that the server itself takes, everything
 * else is malformed with a text that says what came and what may come. */
#include "pgwire/pgwire.h"

#include "lib/exact.h"
#include "lib/unit.h"

enum side {
    CLIENT,
    LOGIN,
    SERVER,
};

static int
head(enum side side, const char *p, size_t n, struct pgw_head *out, struct err *err)
{
    switch (side) {
    case CLIENT:
        return pgw_head_client(p, n, out, err);
    case LOGIN:
        return pgw_head_login(p, n, out, err);
    case SERVER:
        return pgw_head_server(p, n, out, err);
    }
    return -1;
}

struct good_case {
    const char *name;
    enum side side;
    char type;
    uint32_t len; /* the length field */
};

static const struct good_case good[] = {
    { "empty Query", CLIENT, 'Q', 5 },
    { "largest Query", CLIENT, 'Q', 0x3ffffffe },
    { "largest Parse", CLIENT, 'P', 0x3ffffffe },
    { "largest Bind", CLIENT, 'B', 0x3ffffffe },
    { "largest CopyData", CLIENT, 'd', 0x3ffffffe },
    { "largest FunctionCall", CLIENT, 'F', 0x3ffffffe },
    { "empty CopyData", CLIENT, 'd', 4 },
    { "smallest Parse", CLIENT, 'P', 8 },
    { "smallest Bind", CLIENT, 'B', 12 },
    { "smallest Execute", CLIENT, 'E', 9 },
    { "largest Execute", CLIENT, 'E', 10000 },
    { "largest Describe", CLIENT, 'D', 10000 },
    { "largest Close", CLIENT, 'C', 10000 },
    { "largest CopyFail", CLIENT, 'f', 10000 },
    { "Sync", CLIENT, 'S', 4 },
    { "Flush", CLIENT, 'H', 4 },
    { "Terminate", CLIENT, 'X', 4 },
    { "CopyDone", CLIENT, 'c', 4 },
    { "password", LOGIN, 'p', 20 },
    { "empty reply", LOGIN, 'p', 4 },
    { "largest reply", LOGIN, 'p', 65539 },
    { "ReadyForQuery", SERVER, 'Z', 5 },
    { "DataRow", SERVER, 'D', 0x3ffffffe },
    { "long ParameterDescription", SERVER, 't', 262150 },
    { "BackendKeyData of 3.0", SERVER, 'K', 12 },
    { "longest BackendKeyData of 3.2", SERVER, 'K', 264 },
    { "ParseComplete", SERVER, '1', 4 },
    { "CopyBothResponse", SERVER, 'W', 7 },
    { "NegotiateProtocolVersion", SERVER, 'v', 12 },
};

static void
put_head(char out[PGW_HEADER_SIZE], char type, uint32_t len)
{
    out[0] = type;
    out[1] = (char)(len >> 24);
    out[2] = (char)(len >> 16);
    out[3] = (char)(len >> 8);
    out[4] = (char)len;
}

START_TEST(known_header_is_taken)
{
    const struct good_case *c = &good[_i];
    char bytes[PGW_HEADER_SIZE];
    struct pgw_head h = { 0 };
    struct err err = { "" };

    put_head(bytes, c->type, c->len);
    EXACT(p, bytes, sizeof bytes);
    CASE_INT(c, head(c->side, p, sizeof bytes, &h, &err), 0);
    CASE_INT(c, h.type, c->type);
    CASE_INT(c, h.body_len, c->len - 4);
    CASE_STR(c, err.text, "");
}
END_TEST

START_TEST(every_prefix_of_a_header_needs_more)
{
    const struct good_case *c = &good[_i];
    char bytes[PGW_HEADER_SIZE];

    put_head(bytes, c->type, c->len);
    for (size_t n = 0; n < sizeof bytes; n++) {
        struct pgw_head h = { 'x', 4711 };
        EXACT(p, bytes, n);
        CASE_INT(c, head(c->side, p, n, &h, NULL), PGW_NEED_MORE);
        CASE_INT(c, h.body_len, 4711);
    }
}
END_TEST

struct bad_case {
    const char *name;
    enum side side;
    char type;
    uint32_t len;
    const char *text;
};

#define OWN_BYTES " from the client: the length counts its own 4 bytes"

static const struct bad_case bad[] = {
    { "length 0", CLIENT, 'Q', 0, "invalid message length 0 in Query" OWN_BYTES },
    { "length 3", CLIENT, 'S', 3, "invalid message length 3 in Sync" OWN_BYTES },
    { "negative", CLIENT, 'Q', UINT32_MAX,
        "invalid message length 4294967295 in Query from the client: it is at most "
        "1073741822" },
    { "sign bit", CLIENT, 'd', 0x80000000u,
        "invalid message length 2147483648 in CopyData from the client: it is at most "
        "1073741822" },
    { "one over the large limit", CLIENT, 'P', 0x3fffffff,
        "invalid message length 1073741823 in Parse from the client: it is at most "
        "1073741822" },
    { "one over the small limit", CLIENT, 'E', 10001,
        "invalid message length 10001 in Execute from the client: it is at most 10000" },
    { "Query without terminator", CLIENT, 'Q', 4,
        "invalid message length 4 in Query from the client: it is at least 5" },
    { "Parse without room for its parts", CLIENT, 'P', 7,
        "invalid message length 7 in Parse from the client: it is at least 8" },
    { "Sync with a body", CLIENT, 'S', 5,
        "invalid message length 5 in Sync from the client: it is at most 4" },
    { "Flush with a body", CLIENT, 'H', 5,
        "invalid message length 5 in Flush from the client: it is at most 4" },
    { "CopyDone with a body", CLIENT, 'c', 8,
        "invalid message length 8 in CopyDone from the client: it is at most 4" },
    { "authentication reply after login", CLIENT, 'p', 8,
        "unexpected message type 'p' from the client" },
    { "message of the server", CLIENT, 'Z', 5,
        "unexpected message type 'Z' from the client" },
    { "zero type", CLIENT, 0, 5, "unexpected message type 0x00 from the client" },
    { "high type", CLIENT, (char)0xff, 5,
        "unexpected message type 0xff from the client" },
    { "newline type", CLIENT, '\n', 5, "unexpected message type 0x0a from the client" },
    { "Query during login", LOGIN, 'Q', 5,
        "unexpected message type 'Q' from the client" },
    { "huge password", LOGIN, 'p', 65540,
        "invalid message length 65540 in authentication reply from the client: it is at "
        "most 65539" },
    { "message of the client", SERVER, 'Q', 5,
        "unexpected message type 'Q' from the server" },
    { "ReadyForQuery without status", SERVER, 'Z', 4,
        "invalid message length 4 in ReadyForQuery from the server: it is at least 5" },
    { "ReadyForQuery with more", SERVER, 'Z', 6,
        "invalid message length 6 in ReadyForQuery from the server: it is at most 5" },
    { "key too long", SERVER, 'K', 265,
        "invalid message length 265 in BackendKeyData from the server: it is at most 264" },
    { "error text without a length", SERVER, 'E', 0x636f756c,
        "invalid message length 1668248940 in ErrorResponse from the server: it is at most "
        "1073741822" },
};

START_TEST(anything_else_is_malformed)
{
    const struct bad_case *c = &bad[_i];
    char bytes[PGW_HEADER_SIZE];
    struct pgw_head h = { 'x', 4711 };
    struct err err = { "" };

    put_head(bytes, c->type, c->len);
    EXACT(p, bytes, sizeof bytes);
    CASE_INT(c, head(c->side, p, sizeof bytes, &h, &err), PGW_E_MALFORMED);
    CASE_STR(c, err.text, c->text);
    CASE_INT(c, h.body_len, 4711);
    CASE_INT(c, head(c->side, p, sizeof bytes, &h, NULL), PGW_E_MALFORMED);
}
END_TEST

struct skip_case {
    const char *name;
    const char *bytes;
    size_t n, done, rest;
};

#define ROW       \
    "D\0\0\0\x08" \
    "\0\1xy"
#define DATA      \
    "d\0\0\0\x06" \
    "ab"
#define SKIP(name, bytes, done, rest)              \
    {                                              \
        name, bytes, sizeof(bytes) - 1, done, rest \
    }

static const struct skip_case skips[] = {
    SKIP("nothing", "", 0, 0),
    SKIP("rows and copy data", ROW DATA ROW, 25, 0),
    SKIP("up to another type",
        ROW "C\0\0\0\x05"
            "\0",
        9, 0),
    SKIP("up to an unfinished header", ROW "D\0\0", 9, 0),
    SKIP("an unfinished body", ROW "D\0\1\0\0ab", 16, 65537 - 7),
    SKIP("an empty body", "d\0\0\0\4" DATA, 12, 0),
    SKIP("a length below 4 is left alone", "d\0\0\0\3" DATA, 0, 0),
    SKIP("a length of 2^31 is left alone", "d\x80\0\0\0" DATA, 0, 0),
    SKIP("a row without column count is left alone", "D\0\0\0\5x", 0, 0),
};

START_TEST(rows_are_walked_over_by_their_lengths)
{
    const struct skip_case *c = &skips[_i];
    size_t rest = 77;
    EXACT(p, c->bytes, c->n);
    ck_assert_msg(pgw_skip_rows(p, c->n, &rest) == c->done, "%s", c->name);
    ck_assert_msg(rest == c->rest, "%s: rest %zu", c->name, rest);
}
END_TEST

START_TEST(types_are_exactly_the_protocol_s)
{
    static const char *const known[] = {
        [CLIENT] = "BCDEFHPQSXcdf", [LOGIN] = "p", [SERVER] = "123ACDEGHIKNRSTVWZcdnstv"
    };
    for (int side = CLIENT; side <= SERVER; side++) {
        for (int type = 0; type < 256; type++) {
            char byte = (char)type;
            struct pgw_head h;
            EXACT(p, &byte, 1);
            bool is_known = type && strchr(known[side], type);
            ck_assert_msg(head((enum side)side, p, 1, &h, NULL)
                    == (is_known ? PGW_NEED_MORE : PGW_E_MALFORMED),
                "side %d type 0x%02x", side, type);
        }
    }
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("pgwire/frame");
    TCase *tc = tcase_create("head");

    tcase_add_loop_test(tc, known_header_is_taken, 0, DG_ARRAY_SIZE(good));
    tcase_add_loop_test(
        tc, every_prefix_of_a_header_needs_more, 0, DG_ARRAY_SIZE(good));
    tcase_add_loop_test(tc, anything_else_is_malformed, 0, DG_ARRAY_SIZE(bad));
    tcase_add_loop_test(
        tc, rows_are_walked_over_by_their_lengths, 0, DG_ARRAY_SIZE(skips));
    tcase_add_test(tc, types_are_exactly_the_protocol_s);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
