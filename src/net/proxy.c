// SPDX-License-Identifier: ISC
/* Layout: 12 bytes signature, version and command, family and protocol, length (16 bits,
 * network order), addresses, TLVs. */
#include "net/proxy.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static const unsigned char signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a,
    0x51, 0x55, 0x49, 0x54, 0x0a };

enum {
    VERSION_2 = 0x20, /* upper half of byte 12 */
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    TCP_OVER_IPV4 = 0x11,
    TCP_OVER_IPV6 = 0x21,
    STREAM_OVER_UNIX = 0x31,
};

#define IPV4_SIZE 12
#define IPV6_SIZE 36
#define UNIX_SIZE 216

static void
read_ipv4(const char *address, const char *port, struct net_addr *out)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    memcpy(&in.sin_addr, address, 4);
    memcpy(&in.sin_port, port, 2);
    *out = (struct net_addr){ .len = sizeof(in) };
    memcpy(&out->ss, &in, sizeof(in));
}

static void
read_ipv6(const char *address, const char *port, struct net_addr *out)
{
    struct sockaddr_in6 in = { .sin6_family = AF_INET6 };
    memcpy(&in.sin6_addr, address, 16);
    memcpy(&in.sin6_port, port, 2);
    *out = (struct net_addr){ .len = sizeof(in) };
    memcpy(&out->ss, &in, sizeof(in));
}

static void
read_unix(const char *path, struct net_addr *out)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    memcpy(un.sun_path, path, sizeof(un.sun_path) - 1);
    /* An abstract name (NUL first) is as long as it can be; a path, or none, ends. */
    size_t n = strnlen(un.sun_path, sizeof(un.sun_path));
    if (n == 0 && un.sun_path[1])
        n = 1 + strnlen(un.sun_path + 1, sizeof(un.sun_path) - 1);
    *out = (struct net_addr){ .len = (socklen_t)(offsetof(struct sockaddr_un, sun_path)
                                  + n) };
    memcpy(&out->ss, &un, sizeof(un));
}

static int
too_short(struct err *err)
{
    return err_set(err, NET_PROXY_E_MALFORMED, "its addresses are cut off");
}

/* p: what follows the 16 bytes in front, n bytes. */
static int
read_addresses(unsigned char family, const char *p, size_t n, struct net_proxy *out,
    struct err *err)
{
    switch (family) {
    case TCP_OVER_IPV4:
        if (n < IPV4_SIZE)
            return too_short(err);
        read_ipv4(p, p + 8, &out->source);
        read_ipv4(p + 4, p + 10, &out->destination);
        return 0;
    case TCP_OVER_IPV6:
        if (n < IPV6_SIZE)
            return too_short(err);
        read_ipv6(p, p + 32, &out->source);
        read_ipv6(p + 16, p + 34, &out->destination);
        return 0;
    case STREAM_OVER_UNIX:
        if (n < UNIX_SIZE)
            return too_short(err);
        read_unix(p, &out->source);
        read_unix(p + UNIX_SIZE / 2, &out->destination);
        return 0;
    }
    out->is_local = true;
    return 0;
}

int
net_proxy_parse(
    const char *p, size_t n, struct net_proxy *out, size_t *missing, struct err *err)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n_known = n < sizeof(signature) ? n : sizeof(signature);
    if (memcmp(p, signature, n_known) != 0)
        return err_set(err, NET_PROXY_E_MALFORMED,
            "the connection begins without a header of version 2");
    if (n < NET_PROXY_HEAD) {
        *missing = NET_PROXY_HEAD - n;
        return NET_PROXY_NEED_MORE;
    }
    unsigned command = u[12] & 0x0f;
    size_t length = (size_t)u[14] << 8 | u[15];
    if ((u[12] & 0xf0) != VERSION_2)
        return err_set(
            err, NET_PROXY_E_MALFORMED, "its version is %u, not 2", u[12] >> 4);
    if (command > COMMAND_PROXY)
        return err_set(
            err, NET_PROXY_E_MALFORMED, "its command %u is unknown", command);
    if (NET_PROXY_HEAD + length > NET_PROXY_MAX)
        return err_set(err, NET_PROXY_E_MALFORMED,
            "it has %zu bytes, %d at most are read", NET_PROXY_HEAD + length,
            NET_PROXY_MAX);
    if (n < NET_PROXY_HEAD + length) {
        *missing = NET_PROXY_HEAD + length - n;
        return NET_PROXY_NEED_MORE;
    }
    struct net_proxy found = { .is_local = command == COMMAND_LOCAL };
    int r = found.is_local
        ? 0
        : read_addresses(u[13], p + NET_PROXY_HEAD, length, &found, err);
    if (r == 0)
        *out = found;
    return r;
}

static void
put_head(struct buf *out, unsigned char command, unsigned char family, size_t length)
{
    const unsigned char rest[4] = { (unsigned char)(VERSION_2 | command), family,
        (unsigned char)(length >> 8), (unsigned char)length };
    buf_put(out, signature, sizeof(signature));
    buf_put(out, rest, sizeof(rest));
}

void
net_proxy_build(
    struct buf *out, const struct net_addr *source, const struct net_addr *destination)
{
    bool is_pair = source && destination
        && source->ss.ss_family == destination->ss.ss_family;
    if (is_pair && source->ss.ss_family == AF_INET) {
        struct sockaddr_in a, b;
        memcpy(&a, &source->ss, sizeof(a));
        memcpy(&b, &destination->ss, sizeof(b));
        put_head(out, COMMAND_PROXY, TCP_OVER_IPV4, IPV4_SIZE);
        buf_put(out, &a.sin_addr, 4);
        buf_put(out, &b.sin_addr, 4);
        buf_put(out, &a.sin_port, 2);
        buf_put(out, &b.sin_port, 2);
    } else if (is_pair && source->ss.ss_family == AF_INET6) {
        struct sockaddr_in6 a, b;
        memcpy(&a, &source->ss, sizeof(a));
        memcpy(&b, &destination->ss, sizeof(b));
        put_head(out, COMMAND_PROXY, TCP_OVER_IPV6, IPV6_SIZE);
        buf_put(out, &a.sin6_addr, 16);
        buf_put(out, &b.sin6_addr, 16);
        buf_put(out, &a.sin6_port, 2);
        buf_put(out, &b.sin6_port, 2);
    } else {
        put_head(out, COMMAND_LOCAL, 0, 0);
    }
}
