// SPDX-License-Identifier: ISC
/* Addresses: as text, in CIDR patterns, from names. */
#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

/* The family's view of a->ss, by copy: no aliasing of sockaddr_storage. */
static struct sockaddr_in
as_in(const struct net_addr *a)
{
    struct sockaddr_in in;
    memcpy(&in, &a->ss, sizeof in);
    return in;
}

static struct sockaddr_in6
as_in6(const struct net_addr *a)
{
    struct sockaddr_in6 in6;
    memcpy(&in6, &a->ss, sizeof in6);
    return in6;
}

/* "unix:/run/x", "unix:@abstract", "unix:" for a client that has no name. */
static void
unix_text(const struct net_addr *a, char out[NET_ADDR_TEXT_SIZE])
{
    struct sockaddr_un un;
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    size_t n = a->len > offset ? a->len - offset : 0;
    memcpy(&un, &a->ss, sizeof un);
    if (n > sizeof un.sun_path)
        n = sizeof un.sun_path;
    if (n && !un.sun_path[0])
        snprintf(out, NET_ADDR_TEXT_SIZE, "unix:@%.*s", (int)n - 1, un.sun_path + 1);
    else
        snprintf(out, NET_ADDR_TEXT_SIZE, "unix:%.*s", (int)n, un.sun_path);
}

void
net_addr_host(const struct net_addr *a, char out[NET_ADDR_TEXT_SIZE])
{
    out[0] = '\0';
    if (a->ss.ss_family == AF_INET) {
        struct sockaddr_in in = as_in(a);
        inet_ntop(AF_INET, &in.sin_addr, out, NET_ADDR_TEXT_SIZE);
    } else if (a->ss.ss_family == AF_INET6) {
        struct sockaddr_in6 in6 = as_in6(a);
        inet_ntop(AF_INET6, &in6.sin6_addr, out, NET_ADDR_TEXT_SIZE);
    }
}

int
net_addr_port(const struct net_addr *a)
{
    if (a->ss.ss_family == AF_INET)
        return ntohs(as_in(a).sin_port);
    if (a->ss.ss_family == AF_INET6)
        return ntohs(as_in6(a).sin6_port);
    return 0;
}

void
net_addr_text(const struct net_addr *a, char out[NET_ADDR_TEXT_SIZE])
{
    if (a->ss.ss_family == AF_UNIX) {
        unix_text(a, out);
        return;
    }
    char host[NET_ADDR_TEXT_SIZE];
    net_addr_host(a, host);
    if (a->ss.ss_family == AF_INET6)
        snprintf(out, NET_ADDR_TEXT_SIZE, "[%.100s]:%d", host, net_addr_port(a));
    else if (a->ss.ss_family == AF_INET)
        snprintf(out, NET_ADDR_TEXT_SIZE, "%.100s:%d", host, net_addr_port(a));
    else
        snprintf(out, NET_ADDR_TEXT_SIZE, "unknown");
}

/* The address as bytes: 4 or 16, 0 for other families. IPv4 inside IPv6 as IPv4. */
static size_t
addr_bytes(const struct net_addr *a, unsigned char out[16])
{
    if (a->ss.ss_family == AF_INET) {
        struct sockaddr_in in = as_in(a);
        memcpy(out, &in.sin_addr, 4);
        return 4;
    }
    if (a->ss.ss_family != AF_INET6)
        return 0;
    struct sockaddr_in6 in6 = as_in6(a);
    if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
        memcpy(out, in6.sin6_addr.s6_addr + 12, 4);
        return 4;
    }
    memcpy(out, &in6.sin6_addr, 16);
    return 16;
}

static bool
same_bits(const unsigned char *a, const unsigned char *b, unsigned n_bits)
{
    unsigned whole = n_bits / 8, rest = n_bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

int
net_addr_in(const struct net_addr *a, const char *cidr)
{
    char text[INET6_ADDRSTRLEN + 1];
    const char *slash = strchrnul(cidr, '/');
    size_t n = (size_t)(slash - cidr);
    if (n >= sizeof text)
        return -EINVAL;
    memcpy(text, cidr, n);
    text[n] = '\0';

    unsigned char net[16], own[16];
    size_t size = 0;
    if (inet_pton(AF_INET, text, net) == 1)
        size = 4;
    else if (inet_pton(AF_INET6, text, net) == 1)
        size = 16;
    else
        return -EINVAL;

    int64_t n_bits = (int64_t)size * 8;
    if (*slash && str_int64(str_of(slash + 1), 0, n_bits, &n_bits) < 0)
        return -EINVAL;
    return addr_bytes(a, own) == size && same_bits(own, net, (unsigned)n_bits);
}

bool
net_is_numeric(const char *host)
{
    unsigned char bytes[16];
    return host[0] == '/' || inet_pton(AF_INET, host, bytes) == 1
        || inet_pton(AF_INET6, host, bytes) == 1;
}

static int
resolve_unix(const char *dir, int64_t port, struct net_addr *out, struct err *err)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int n = snprintf(un.sun_path, sizeof un.sun_path, "%s/.s.PGSQL.%d", dir, (int)port);
    if (n < 0 || (size_t)n >= sizeof un.sun_path)
        return err_set(err, -ENAMETOOLONG,
            "socket path \"%s/.s.PGSQL.%d\" is longer than %zu bytes; use a shorter "
            "folder",
            dir, (int)port, sizeof un.sun_path - 1);
    *out = (struct net_addr){ .len = sizeof un };
    memcpy(&out->ss, &un, sizeof un);
    return 1;
}

static int
resolve_error(int code, int errnum, const char *host, struct err *err)
{
    if (code == EAI_SYSTEM)
        return err_errno(err, -errnum, "host \"%s\" can't be resolved", host);
    int ret = code == EAI_AGAIN ? -EAGAIN : code == EAI_MEMORY ? -ENOMEM : -ENOENT;
    return err_set(
        err, ret, "host \"%s\" can't be resolved: %s", host, gai_strerror(code));
}

static bool
has_family(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno != EAFNOSUPPORT;
}

static int
resolve_inet(const char *host, int64_t port, bool passive, struct net_addr *out,
    size_t max, struct err *err)
{
    char service[8];
    snprintf(service, sizeof service, "%d", (int)port);
    bool is_any = passive && !strcmp(host, "*");
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)
            | (net_is_numeric(host) ? AI_NUMERICHOST : 0) };
    struct addrinfo *list = NULL;
    int code = getaddrinfo(is_any ? NULL : host, service, &hints, &list);
    if (code)
        return resolve_error(code, errno, host, err);

    size_t n = 0;
    for (struct addrinfo *ai = list; ai && n < max; ai = ai->ai_next) {
        if (ai->ai_addrlen > sizeof out->ss || (is_any && !has_family(ai->ai_family)))
            continue;
        out[n] = (struct net_addr){ .len = ai->ai_addrlen };
        memcpy(&out[n].ss, ai->ai_addr, ai->ai_addrlen);
        n++;
    }
    freeaddrinfo(list);
    return n ? (int)n : resolve_error(EAI_NONAME, 0, host, err);
}

int
net_resolve(const char *host, const char *port, bool passive, struct net_addr *out,
    size_t max, struct err *err)
{
    DG_ASSERT(max > 0 && max <= INT32_MAX, "room for %zu addresses", max);
    int64_t number;
    if (str_int64(str_of(port), passive ? 0 : 1, UINT16_MAX, &number) < 0)
        return err_set(err, -EINVAL, "port \"%s\" is no number from %d to %d", port,
            passive ? 0 : 1, UINT16_MAX);
    if (!*host)
        return err_set(err, -EINVAL,
            "the host is empty; name one, or a folder of a unix "
            "socket");
    if (!passive && !strcmp(host, "*"))
        return err_set(err, -EINVAL, "* is no host to connect to; name one");
    if (*host == '/')
        return resolve_unix(host, number, out, err);
    return resolve_inet(host, number, passive, out, max, err);
}
