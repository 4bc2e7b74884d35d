// SPDX-License-Identifier: ISC
#include "net/proxy.h"

#include "base/mem.h"

#include "lib/unit.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4        "\x0a\0\0\x07\xc0\xa8\x01\x02\xc9\x38\x19\x20"
#define V6                                       \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xc9\x38\x19\x20"

/* A unix address is a field of 108 bytes. */
#define A10       "/tmp/aaaaa"
#define UNIX_107  A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 "/bbbbbb"
#define Z9        "\0\0\0\0\0\0\0\0\0"
#define UNIX_NONE Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9
#define UNIX_PAD  Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 Z9 "\0\0\0\0"

struct parse_case {
    const char *name, *bytes;
    size_t n;
    int want;
    const char *source, *destination; /* NULL: local */
    size_t missing;
    const char *error;
};
#define B(text) text, sizeof(text) - 1

static const struct parse_case cases[] = {
    { "IPv4", B(SIGNATURE "\x21\x11\0\x0c" V4), 0, "10.0.0.7:51512", "192.168.1.2:6432",
        0, NULL },
    { "IPv6", B(SIGNATURE "\x21\x21\0\x24" V6), 0, "[2001:db8::1]:51512",
        "[2001:db8::2]:6432", 0, NULL },
    { "with TLVs", B(SIGNATURE "\x21\x11\0\x10" V4 "\x04\0\x01x"), 0, "10.0.0.7:51512",
        "192.168.1.2:6432", 0, NULL },
    { "bytes behind it are not its own", B(SIGNATURE "\x21\x11\0\x0c" V4 "\0\0\0\x08"),
        0, "10.0.0.7:51512", "192.168.1.2:6432", 0, NULL },
    { "local", B(SIGNATURE "\x20\0\0\0"), 0, NULL, NULL, 0, NULL },
    { "local with addresses", B(SIGNATURE "\x20\x11\0\x0c" V4), 0, NULL, NULL, 0,
        NULL },
    { "unknown family", B(SIGNATURE "\x21\0\0\0"), 0, NULL, NULL, 0, NULL },
    { "datagrams", B(SIGNATURE "\x21\x12\0\x0c" V4), 0, NULL, NULL, 0, NULL },
    { "unix, as long as it gets", B(SIGNATURE "\x21\x31\0\xd8" UNIX_107 "/" UNIX_NONE),
        0, "unix:" UNIX_107, "unix:", 0, NULL },
    { "unix, abstract", B(SIGNATURE "\x21\x31\0\xd8\0abc/" UNIX_PAD UNIX_NONE), 0,
        "unix:@abc/", "unix:", 0, NULL },
    { "largest that is read", B(SIGNATURE "\x21\x11\x0f\xf0" V4), NET_PROXY_NEED_MORE,
        NULL, NULL, 4068, NULL },
    { "one byte larger", B(SIGNATURE "\x21\x11\x0f\xf1" V4), NET_PROXY_E_MALFORMED,
        NULL, NULL, 0, "it has 4097 bytes, 4096 at most" },
    { "no addresses at all", B(SIGNATURE "\x21\x11\0\0"), NET_PROXY_E_MALFORMED, NULL,
        NULL, 0, "cut off" },
    { "version 2, command 15", B(SIGNATURE "\x2f\x11\0\x0c" V4), NET_PROXY_E_MALFORMED,
        NULL, NULL, 0, "command 15" },
    { "nothing yet", B(""), NET_PROXY_NEED_MORE, NULL, NULL, 16, NULL },
    { "half a signature", B("\r\n\r\n\0"), NET_PROXY_NEED_MORE, NULL, NULL, 11, NULL },
    { "no length yet", B(SIGNATURE "\x21\x11\0"), NET_PROXY_NEED_MORE, NULL, NULL, 1,
        NULL },
    { "addresses to come", B(SIGNATURE "\x21\x11\0\x0c\x0a"), NET_PROXY_NEED_MORE, NULL,
        NULL, 11, NULL },
    { "a startup packet", B("\0\0\0\x08\x04\xd2\x16\x2f"), NET_PROXY_E_MALFORMED, NULL,
        NULL, 0, "without a header" },
    { "version 1", B("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), NET_PROXY_E_MALFORMED,
        NULL, NULL, 0, "without a header" },
    { "a wrong byte late in the signature", B("\r\n\r\n\0\r\nQUIX"),
        NET_PROXY_E_MALFORMED, NULL, NULL, 0, "without a header" },
    { "version 3", B(SIGNATURE "\x31\x11\0\x0c" V4), NET_PROXY_E_MALFORMED, NULL, NULL,
        0, "version is 3" },
    { "unknown command", B(SIGNATURE "\x22\x11\0\x0c" V4), NET_PROXY_E_MALFORMED, NULL,
        NULL, 0, "command 2" },
    { "too short for IPv4", B(SIGNATURE "\x21\x11\0\x0b" V4), NET_PROXY_E_MALFORMED,
        NULL, NULL, 0, "cut off" },
    { "too short for IPv6", B(SIGNATURE "\x21\x21\0\x23" V6), NET_PROXY_E_MALFORMED,
        NULL, NULL, 0, "cut off" },
    { "too short for unix", B(SIGNATURE "\x21\x31\0\x0c" V4), NET_PROXY_E_MALFORMED,
        NULL, NULL, 0, "cut off" },
    { "endless", B(SIGNATURE "\x21\x11\xff\xff"), NET_PROXY_E_MALFORMED, NULL, NULL, 0,
        "4096 at most" },
};

static void
check_addr(const struct parse_case *c, const struct net_addr *a, const char *want)
{
    char text[NET_ADDR_TEXT_SIZE];
    net_addr_text(a, text);
    CASE_STR(c, text, want);
}

START_TEST(headers_are_parsed)
{
    const struct parse_case *c = &cases[_i];
    struct net_proxy out = { .is_local = false };
    struct err err = { "" };
    size_t missing = 0;
    /* A copy of just that size: reading past it is seen by the sanitizer. */
    AUTO(mem_free) char *copy = mem_strndup(c->bytes, c->n);
    memcpy(copy, c->bytes, c->n);
    CASE_INT(c, net_proxy_parse(copy, c->n, &out, &missing, &err), c->want);
    if (c->want == NET_PROXY_NEED_MORE)
        CASE_INT(c, missing, c->missing);
    if (c->error)
        ck_assert_msg(strstr(err.text, c->error), "%s: %s", c->name, err.text);
    if (c->want != 0)
        return;
    CASE_INT(c, out.is_local, c->source == NULL);
    if (c->source) {
        check_addr(c, &out.source, c->source);
        check_addr(c, &out.destination, c->destination);
    }
}
END_TEST

/* Reading exactly what is missing arrives at the header's end, from any number of bytes. */
START_TEST(missing_leads_to_the_end_and_no_further)
{
    static const char bytes[] = SIGNATURE "\x21\x11\0\x10" V4 "\x04\0\x01xSELECT";
    size_t whole = NET_PROXY_HEAD + 16, n = (size_t)_i, missing = 0;
    struct net_proxy out;
    struct err err;
    int r;
    while (
        (r = net_proxy_parse(bytes, n, &out, &missing, &err)) == NET_PROXY_NEED_MORE) {
        ck_assert_uint_gt(missing, 0);
        n += missing;
    }
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq(n, whole);
}
END_TEST

static struct net_addr
addr(const char *host, const char *port)
{
    struct net_addr a;
    struct err err;
    ck_assert_int_eq(net_resolve(host, port, false, &a, 1, &err), 1);
    return a;
}

static const struct {
    const char *name, *source, *destination;
    bool is_local;
} built[] = {
    { "IPv4", "10.0.0.7", "192.168.1.2", false },
    { "IPv6", "2001:db8::1", "::1", false },
    { "mixed", "10.0.0.7", "::1", true },
    { "unix", "/tmp", "/tmp", true },
    { "nobody", NULL, "10.0.0.1", true },
};

START_TEST(built_headers_parse)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(NET_PROXY_MAX_BUILT);
    struct net_addr from = { .len = 0 }, to = addr(built[_i].destination, "6432");
    struct net_proxy out;
    struct err err;
    size_t missing;
    if (built[_i].source)
        from = addr(built[_i].source, "51512");
    net_proxy_build(&b, built[_i].source ? &from : NULL, &to);
    CASE_INT(
        &built[_i], net_proxy_parse(buf_ptr(&b), buf_len(&b), &out, &missing, &err), 0);
    CASE_INT(&built[_i], out.is_local, built[_i].is_local);
    if (out.is_local)
        return;
    char want[NET_ADDR_TEXT_SIZE], got[NET_ADDR_TEXT_SIZE];
    net_addr_text(&from, want);
    net_addr_text(&out.source, got);
    CASE_STR(&built[_i], got, want);
    net_addr_text(&to, want);
    net_addr_text(&out.destination, got);
    CASE_STR(&built[_i], got, want);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("net_proxy");
    TCase *tc = tcase_create("proxy");
    tcase_add_loop_test(tc, headers_are_parsed, 0, DG_ARRAY_SIZE(cases));
    tcase_add_loop_test(tc, missing_leads_to_the_end_and_no_further, 0, 30);
    tcase_add_loop_test(tc, built_headers_parse, 0, DG_ARRAY_SIZE(built));
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
