// SPDX-License-Identifier: ISC
/* pg_hba.conf is cut up and matched as PostgreSQL does it; what the gate can't do is an
 * error with file and line. */
#include "auth/hba.h"

#include "lib/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

static int
load(const char *text, size_t n, struct auth_hba **out, struct err *err)
{
    char *dir = unit_mkdir();
    char *path = unit_write(dir, "hba.conf", text, n);
    int r = auth_hba_load(path, out, err);
    free(path);
    unit_rmdir(dir);
    return r;
}

/* peer: an address, or NULL for a socket in a folder. */
static void
set_peer(const char *peer, struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof(*ss));
    ss->ss_family = AF_UNIX;
    if (!peer)
        return;
    if (inet_pton(AF_INET, peer, &((struct sockaddr_in *)ss)->sin_addr) == 1)
        ss->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, peer, &((struct sockaddr_in6 *)ss)->sin6_addr) == 1)
        ss->ss_family = AF_INET6;
    else
        ck_abort_msg("no address: %s", peer);
}

struct match_case {
    const char *name;
    const char *text;
    const char *user, *database, *peer;
    bool is_tls, is_replication;
    enum auth_method method;
    int line;
};

#define TCP    "10.1.2.3", false, false
#define TLS    "10.1.2.3", true, false
#define SOCKET NULL, false, false
#define NONE   AUTH_REJECT, 0

static const struct match_case matches[] = {
    { "all", "host all all all trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "every method", "host all all all md5", "u", "d", TCP, AUTH_MD5, 1 },
    { "password", "host all all all password", "u", "d", TCP, AUTH_PASSWORD, 1 },
    { "scram", "host all all all scram-sha-256", "u", "d", TCP, AUTH_SCRAM, 1 },
    { "reject", "host all all all reject", "u", "d", TCP, AUTH_REJECT, 1 },
    { "cert", "hostssl all all all cert", "u", "d", TLS, AUTH_CERT, 1 },
    { "cert, verify-full", "hostssl all all all cert clientcert=verify-full", "u", "d",
        TLS, AUTH_CERT, 1 },
    { "first wins", "host d u all md5\nhost all all all trust", "u", "d", TCP, AUTH_MD5,
        1 },
    { "second", "host e u all md5\n\nhost all all all trust", "u", "d", TCP, AUTH_TRUST,
        3 },
    { "nothing matches", "host e all all trust", "u", "d", TCP, NONE },
    /* types */
    { "local", "local all all trust", "u", "d", SOCKET, AUTH_TRUST, 1 },
    { "local is no host", "host all all all trust", "u", "d", SOCKET, NONE },
    { "host is no local", "local all all trust", "u", "d", TCP, NONE },
    { "host takes TLS", "host all all all trust", "u", "d", TLS, AUTH_TRUST, 1 },
    { "hostssl", "hostssl all all all trust", "u", "d", TLS, AUTH_TRUST, 1 },
    { "hostssl without", "hostssl all all all trust", "u", "d", TCP, NONE },
    { "hostnossl", "hostnossl all all all trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "hostnossl with", "hostnossl all all all trust", "u", "d", TLS, NONE },
    /* names */
    { "list", "host a,d,e x,u all trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "list with blanks", "host a, d,\te u all trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "case counts", "host D u all trust", "u", "d", TCP, NONE },
    { "quoted", "host \"my db\" \"a\"\"b\" all trust", "a\"b", "my db", TCP, AUTH_TRUST,
        1 },
    { "quoted comma", "host \"a,b\" all all trust", "u", "a,b", TCP, AUTH_TRUST, 1 },
    { "quoted hash", "host \"a#b\" all all trust", "u", "a#b", TCP, AUTH_TRUST, 1 },
    { "quoted part", "host a\" \"b all all trust", "u", "a b", TCP, AUTH_TRUST, 1 },
    { "quoted all is a name", "host \"all\" \"all\" all trust", "u", "d", TCP, NONE },
    { "user all by name", "host \"all\" \"all\" all trust", "all", "all", TCP,
        AUTH_TRUST, 1 },
    { "late quote is a keyword", "host a\"ll\" all all trust", "u", "d", TCP,
        AUTH_TRUST, 1 },
    { "quoted plus", "host all \"+x\" all trust", "+x", "d", TCP, AUTH_TRUST, 1 },
    { "quoted at", "host \"@x\" all all trust", "u", "@x", TCP, AUTH_TRUST, 1 },
    { "at alone", "host @ all all trust", "u", "@", TCP, AUTH_TRUST, 1 },
    { "sameuser", "host sameuser all all trust", "u", "u", TCP, AUTH_TRUST, 1 },
    { "sameuser, other", "host sameuser all all trust", "u", "d", TCP, NONE },
    { "sameuser quoted", "host \"sameuser\" all all trust", "u", "u", TCP, NONE },
    { "sameuser as a user", "host all sameuser all trust", "sameuser", "d", TCP,
        AUTH_TRUST, 1 },
    { "replication", "host replication u all trust", "u", "", "10.1.2.3", false, true,
        AUTH_TRUST, 1 },
    { "replication is no database", "host replication u all trust", "u", "replication",
        TCP, NONE },
    { "replication is not all", "host all u all trust", "u", "", "10.1.2.3", false,
        true, NONE },
    { "replication quoted", "host \"replication\" u all trust", "u", "replication", TCP,
        AUTH_TRUST, 1 },
    /* regular expressions */
    { "regex", "host /^sh.p[0-9]+$ all all trust", "u", "shop12", TCP, AUTH_TRUST, 1 },
    { "regex, no", "host /^sh.p[0-9]+$ all all trust", "u", "shop", TCP, NONE },
    { "regex within", "host all /dm all trust", "admin", "d", TCP, AUTH_TRUST, 1 },
    { "regex quoted", "host \"/^a{1,2}$\" all all trust", "u", "aa", TCP, AUTH_TRUST,
        1 },
    { "regex, group", "host /^(a|b\\.c)$ all all trust", "u", "b.c", TCP, AUTH_TRUST,
        1 },
    { "regex, escaped dot", "host /^(a|b\\.c)$ all all trust", "u", "bxc", TCP, NONE },
    { "regex, brackets", "host /^[]a[:digit:]-]+$ all all trust", "u", "]1-", TCP,
        AUTH_TRUST, 1 },
    { "regex, escaped bracket", "host /^\\[(x)$ all all trust", "u", "[x", TCP,
        AUTH_TRUST, 1 },
    { "regex, escaped escape", "host /^\\\\(x)$ all all trust", "u", "\\x", TCP,
        AUTH_TRUST, 1 },
    { "regex beside a name", "host x,/^d all all trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "regex, replication", "host /.* all all trust", "u", "", "10.1.2.3", false, true,
        NONE },
    /* addresses */
    { "CIDR", "host all all 10.1.0.0/16 trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "CIDR, no", "host all all 10.2.0.0/16 trust", "u", "d", TCP, NONE },
    { "CIDR, host bits", "host all all 10.1.9.9/16 trust", "u", "d", TCP, AUTH_TRUST,
        1 },
    { "CIDR, odd", "host all all 10.1.2.0/30 trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "CIDR, odd, no", "host all all 10.1.2.4/30 trust", "u", "d", TCP, NONE },
    { "CIDR 0", "host all all 0.0.0.0/0 trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "CIDR 32", "host all all 10.1.2.3/32 trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "mask", "host all all 10.1.0.0 255.255.0.0 trust", "u", "d", TCP, AUTH_TRUST, 1 },
    { "mask, no", "host all all 10.1.2.0 255.255.255.255 trust", "u", "d", TCP, NONE },
    { "mask with holes", "host all all 10.9.2.3 255.0.255.255 trust", "u", "d", TCP,
        AUTH_TRUST, 1 },
    { "IPv6 all does not take IPv4", "host all all ::/0 trust", "u", "d", TCP, NONE },
    { "IPv4 all does not take IPv6", "host all all 0.0.0.0/0 trust", "u", "d",
        "fd00::1", false, false, NONE },
    { "IPv6", "host all all fd00::/8 trust", "u", "d", "fd12::1", false, false,
        AUTH_TRUST, 1 },
    { "IPv6, no", "host all all fd00::/16 trust", "u", "d", "fd12::1", false, false,
        NONE },
    { "IPv6, mask", "host all all fd00:: ff00:: trust", "u", "d", "fd12::1", false,
        false, AUTH_TRUST, 1 },
    { "IPv6, 128", "host all all ::1/128 trust", "u", "d", "::1", false, false,
        AUTH_TRUST, 1 },
    { "IPv4 in IPv6", "host all all 10.0.0.0/8 trust", "u", "d", "::ffff:10.1.2.3",
        false, false, AUTH_TRUST, 1 },
    { "IPv4 in IPv6 is no IPv6", "host all all ::/0 trust", "u", "d", "::ffff:10.1.2.3",
        false, false, NONE },
    { "samehost", "host all all samehost trust", "u", "d", "127.0.0.1", false, false,
        AUTH_TRUST, 1 },
    { "samehost, no", "host all all samehost trust", "u", "d", "240.1.2.3", false,
        false, NONE },
    { "samenet", "host all all samenet trust", "u", "d", "127.9.9.9", false, false,
        AUTH_TRUST, 1 },
    { "samenet, no", "host all all samenet trust", "u", "d", "240.1.2.3", false, false,
        NONE },
    /* lines */
    { "comment", "# x\nhost all all all trust # md5", "u", "d", TCP, AUTH_TRUST, 2 },
    { "comment at a word", "host all all all trust# md5", "u", "d", TCP, AUTH_TRUST,
        1 },
    { "carriage returns", "host all all all trust\r\n\r\n", "u", "d", TCP, AUTH_TRUST,
        1 },
    { "continued", "\nhost all \\\n  all all \\\n trust\nhost all all all md5", "u",
        "d", TCP, AUTH_TRUST, 2 },
    { "continued in a word", "host all all all tr\\\nust", "u", "d", TCP, AUTH_TRUST,
        1 },
    { "continued comment", "# x \\\nhost all all all md5\nhost all all all trust", "u",
        "d", TCP, AUTH_TRUST, 3 },
    { "continued to the end", "host all all all trust \\", "u", "d", TCP, AUTH_TRUST,
        1 },
    { "continued, CRLF", "host all all all \\\r\ntrust\r\n", "u", "d", TCP, AUTH_TRUST,
        1 },
    { "commas before", "host , all ,all all trust", "u", "d", TCP, AUTH_TRUST, 1 },
};

START_TEST(record_is_found)
{
    const struct match_case *c = &matches[_i];
    struct auth_hba *h = NULL;
    struct err err = { "" };
    struct sockaddr_storage ss;
    int line = -1;

    int r = load(c->text, strlen(c->text), &h, &err);
    ck_assert_msg(r == 0, "%s: %s", c->name, err.text);
    set_peer(c->peer, &ss);
    struct auth_hba_ask ask = { .user = c->user,
        .database = c->database,
        .peer = (const struct sockaddr *)&ss,
        .is_tls = c->is_tls,
        .is_replication = c->is_replication };
    CASE_STR(c, auth_method_name(auth_hba_find(h, &ask, &line)),
        auth_method_name(c->method));
    CASE_INT(c, line, c->line);
    ref_drop(h);
}
END_TEST

struct error_case {
    const char *name;
    const char *text;
    size_t n;
    const char *err;
};

#define T(text) text, sizeof(text) - 1
#define NAME_64 "1234567890123456789012345678901234567890123456789012345678901234"

static const struct error_case errors[] = {
    { "empty", T(""), "hba.conf: the file has no records" },
    { "comments only", T("# x\n\n  \n"), "no records" },
    { "unknown type", T("\nhots all all all trust"), ":2: \"hots\" is no type" },
    { "type in capitals", T("HOST all all all trust"), ":1: \"HOST\" is no type" },
    { "gss", T("hostgssenc all all all trust"), ":1: hostgssenc: the gate has no" },
    { "no gss", T("hostnogssenc all all all trust"), ":1: hostnogssenc: the gate" },
    { "include", T("include other.conf"), ":1: include: the gate reads no further" },
    { "include_dir", T("include_dir x"), ":1: include_dir: the gate reads no" },
    { "include_if_exists", T("include_if_exists x"), ":1: include_if_exists: the" },
    { "list of types", T("host,local all all all trust"), "one type must" },
    { "no database", T("host"), ":1: the line ends where its database" },
    { "no user", T("host all"), ":1: the line ends where its user" },
    { "no address", T("host all all"), ":1: the line ends where its address" },
    { "no method", T("host all all all"), ":1: the line ends where its method" },
    { "no method, local", T("local all all"), ":1: the line ends where its method" },
    { "no mask", T("host all all 10.0.0.0"), ":1: the line ends where its mask" },
    { "method for a mask", T("host all all 10.0.0.0 trust"), "no mask such as" },
    { "mask of another kind", T("host all all 10.0.0.0 ff:: trust"), "not both IPv4" },
    { "bits too many", T("host all all 10.0.0.0/33 trust"), "must be 0 to 32" },
    { "bits too many, 6", T("host all all ::/129 trust"), "must be 0 to 128" },
    { "bits below 0", T("host all all 10.0.0.0/-1 trust"), "must be 0 to 32" },
    { "no bits", T("host all all 10.0.0.0/ trust"), "must be 0 to 32" },
    { "bits twice", T("host all all 10.0.0.0/8/8 trust"), "must be 0 to 32" },
    { "half an address", T("host all all 10/8 trust"), "\"10/8\" is no IPv4" },
    { "octal", T("host all all 010.0.0.1/32 trust"), "is no IPv4" },
    { "too large", T("host all all 256.0.0.1/32 trust"), "is no IPv4" },
    { "host name", T("host all all db.example.com trust"), "looks up no host names" },
    { "domain", T("host all all .example.com trust"), "looks up no host names" },
    { "zone", T("host all all fe80::1%eth0/64 trust"), "is no IPv4 or IPv6" },
    { "quoted all", T("host all all \"all\" trust"), "\"all\" is no IPv4" },
    { "list of addresses", T("host all all 10.0.0.0/8,11.0.0.0/8 trust"),
        "one address" },
    { "address of local", T("local all all 10.0.0.0/8 trust"),
        "method \"10.0.0.0/8\"" },
    { "peer", T("local all all peer"), "instead of peer write scram-sha-256" },
    { "ldap", T("host all all all ldap ldapserver=x"), "method \"ldap\" is not" },
    { "method in capitals", T("host all all all TRUST"), "method \"TRUST\" is not" },
    { "list of methods", T("host all all all md5,trust"), "one method must" },
    { "cert without TLS", T("host all all all cert"), "write hostssl" },
    { "cert, local", T("local all all cert"), "write hostssl" },
    { "cert, no TLS ever", T("hostnossl all all all cert"), "write hostssl" },
    { "option", T("host all all all trust x=y"), "option \"x=y\" is not known" },
    { "word behind", T("host all all all trust md5"), "option \"md5\" is not known" },
    { "map", T("hostssl all all all cert map=x"), "option \"map=x\"" },
    { "clientcert", T("hostssl all all all md5 clientcert=verify-full"),
        "write the method cert" },
    { "clientcert, weak", T("hostssl all all all cert clientcert=verify-ca"),
        "option \"clientcert=verify-ca\"" },
    { "second option", T("hostssl all all all cert clientcert=verify-full,a=b"),
        "option \"a=b\"" },
    { "role", T("host all +staff all trust"), ":1: +staff: the gate does not know" },
    { "samerole", T("host samerole all all trust"), ":1: samerole: the gate does" },
    { "samegroup", T("host samegroup all all trust"), ":1: samegroup: the gate" },
    { "file", T("host @dbs all all trust"), ":1: the gate reads no further files" },
    { "file in a list", T("host all a,@users all trust"), "@users would be one" },
    { "empty name", T("host \"\" all all trust"), "an empty name" },
    { "long name", T("host all " NAME_64 " all trust"), "longer than 63 bytes" },
    { "no end of a quote", T("\n\nhost \"all all all trust\n"), ":3: a double quote" },
    { "empty regex", T("host / all all trust"), "no regular expression" },
    { "broken regex", T("host /^(a all all trust"), ":1: /^(a: " },
    { "regex of PostgreSQL", T("host /^\\d all all trust"), "POSIX extended" },
    { "regex with flags", T("host /(?i)a all all trust"), "POSIX extended" },
    { "regex with look-ahead", T("host /a(?=b) all all trust"), "POSIX extended" },
    { "regex with director", T("host /***=a all all trust"), "POSIX extended" },
    { "regex, back reference", T("host /(a)\\1 all all trust"), "POSIX extended" },
    { "regex, escape in brackets", T("host /[\\]a] all all trust"), "POSIX extended" },
    { "regex, letters in brackets", T("host /[\xc3\xa9] all all trust"), "POSIX" },
    { "regex, open bracket", T("host /[a all all trust"), "POSIX extended" },
    { "regex, open class", T("host /[[:a all all trust"), "POSIX extended" },
    { "regex ends in an escape", T("host \"/a\\\" all all trust"), "POSIX extended" },
    { "regex, many repeats", T("host \"/((a{1,64}){1,64}){1,64}\" all all trust"),
        "more than 4096 repeats" },
    { "regex, a repeat", T("host /a{4097} all all trust"), "more than 4096 repeats" },
    { "regex, long", T("host /" NAME_64 NAME_64 NAME_64 NAME_64 "x all all trust"),
        "longer than 256 bytes" },
    { "NUL", T("host all all all trust\0 x"), ":1: a control character (code 0)" },
    { "form feed", T("host all all all\ftrust"), "a control character (code 12)" },
    { "byte order mark", T("\xef\xbb\xbfhost all all all trust"),
        ":1: the file begins" },
    { "line of the record", T("# \\\n\nhost all \\\nall all \\\nx"),
        ":3: method \"x\"" },
};

START_TEST(fault_is_named)
{
    const struct error_case *c = &errors[_i];
    struct auth_hba *h = NULL;
    struct err err = { "" };

    CASE_INT(c, load(c->text, c->n, &h, &err), -EINVAL);
    ck_assert_ptr_null(h);
    ck_assert_msg(strstr(err.text, c->err), "%s: %s", c->name, err.text);
}
END_TEST

START_TEST(long_lines_are_refused)
{
    static char text[1 << 17];
    struct auth_hba *h = NULL;
    struct err err = { "" };

    memset(text, 'x', sizeof(text));
    ck_assert_int_eq(load(text, sizeof(text), &h, &err), -EINVAL);
    ck_assert_msg(
        strstr(err.text, ":1: the line is longer than 65536"), "%s", err.text);
    for (size_t i = 0; i + 1 < sizeof(text); i += 2)
        memcpy(text + i, "\\\n", 2);
    ck_assert_int_eq(load(text, sizeof(text), &h, &err), -EINVAL);
    ck_assert_int_eq(auth_hba_load("/nonexistent/hba", &h, &err), -ENOENT);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("auth_hba");
    TCase *tc = tcase_create("hba");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, record_is_found, 0, sizeof(matches) / sizeof(matches[0]));
    tcase_add_loop_test(tc, fault_is_named, 0, sizeof(errors) / sizeof(errors[0]));
    tcase_add_test(tc, long_lines_are_refused);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
