// SPDX-License-Identifier: ISC
/* Addresses; see hba_addr.h. */
#include "auth/hba_addr.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#define MAX_TEXT 64

/* Bytes of an address, and how many; 0 for neither IPv4 nor IPv6. IPv4 that comes in IPv6's
 * clothes (a socket for both) is IPv4. */
static size_t
bytes_of(const struct sockaddr *sa, unsigned char out[16], int *family)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof(v4));
        memcpy(out, &v4.sin_addr, 4);
        *family = AF_INET;
        return 4;
    }
    if (sa->sa_family != AF_INET6)
        return 0;
    memcpy(&v6, sa, sizeof(v6));
    bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    memcpy(out, v6.sin6_addr.s6_addr + (is_mapped ? 12 : 0), is_mapped ? 4 : 16);
    *family = is_mapped ? AF_INET : AF_INET6;
    return is_mapped ? 4 : 16;
}

/* inet_pton, not getaddrinfo: to that "10" is 0.0.0.10 and "010.0.0.1" is 8.0.0.1. */
static int
parse_ip(struct str text, int *family, unsigned char out[16])
{
    char copy[MAX_TEXT];

    if (text.n >= sizeof(copy))
        return -EINVAL;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    *family = memchr(copy, ':', text.n) ? AF_INET6 : AF_INET;
    return inet_pton(*family, copy, out) == 1 ? 0 : -EINVAL;
}

static void
set_bits(unsigned char mask[16], int64_t bits)
{
    for (int i = 0; i < 16; i++) {
        int64_t here = bits - 8 * i;
        mask[i] = (unsigned char)(here >= 8 ? 0xff
                : here <= 0                 ? 0
                                            : 0xff << (8 - here));
    }
}

int
hba_addr_parse(const char *text, struct hba_addr *out, struct err *err)
{
    struct hba_addr a = { .kind = HBA_ADDR_RANGE };
    const char *slash = strchr(text, '/');
    struct str ip = { text, slash ? (size_t)(slash - text) : strlen(text) };
    int64_t bits;

    if (parse_ip(ip, &a.family, a.addr))
        return err_set(err, -EINVAL,
            "\"%s\" is no IPv4 or IPv6 address; the gate looks up no host names, so "
            "write a range such as 10.0.0.0/8 or fd00::/8",
            text);
    int max = a.family == AF_INET ? 32 : 128;
    if (slash && str_int64(str_of(slash + 1), 0, max, &bits))
        return err_set(err, -EINVAL,
            "\"%s\": the number after the slash must be 0 to %d", text, max);
    if (slash)
        set_bits(a.mask, bits);
    *out = a;
    return slash ? 0 : HBA_ADDR_LACKS_MASK;
}

int
hba_addr_parse_mask(const char *text, struct hba_addr *addr, struct err *err)
{
    unsigned char mask[16] = { 0 };
    int family;

    if (parse_ip(str_of(text), &family, mask))
        return err_set(err, -EINVAL, "\"%s\" is no mask such as 255.0.0.0", text);
    if (family != addr->family)
        return err_set(err, -EINVAL,
            "address and mask are not both IPv4 or both IPv6: \"%s\"", text);
    memcpy(addr->mask, mask, sizeof(mask));
    return 0;
}

static bool
is_in(const unsigned char *peer, const unsigned char *addr, const unsigned char *mask,
    size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((peer[i] ^ addr[i]) & mask[i])
            return false;
    return true;
}

/* An interface without a mask, or with one of zeros, is a network of one address. */
static void
mask_of(
    const struct ifaddrs *i, bool is_host, int family, size_t n, unsigned char *mask)
{
    static const unsigned char zeros[16];
    int mask_family;

    set_bits(mask, 128);
    if (is_host || !i->ifa_netmask)
        return;
    unsigned char found[16];
    if (bytes_of(i->ifa_netmask, found, &mask_family) == n && mask_family == family
        && memcmp(found, zeros, n) != 0)
        memcpy(mask, found, n);
}

static int
match_own(const unsigned char *peer, int family, size_t n, bool is_host)
{
    struct ifaddrs *list;
    int found = 0;

    if (getifaddrs(&list) < 0)
        return -errno;
    for (struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
        unsigned char addr[16], mask[16];
        int own_family;
        if (!i->ifa_addr || bytes_of(i->ifa_addr, addr, &own_family) != n
            || own_family != family)
            continue;
        mask_of(i, is_host, family, n, mask);
        found = is_in(peer, addr, mask, n);
    }
    freeifaddrs(list);
    return found;
}

int
hba_addr_match(const struct hba_addr *a, const struct sockaddr *peer)
{
    unsigned char bytes[16];
    int family = AF_UNSPEC;
    size_t n = bytes_of(peer, bytes, &family);

    if (n == 0)
        return 0;
    switch (a->kind) {
    case HBA_ADDR_ALL:
        return 1;
    case HBA_ADDR_RANGE:
        return a->family == family && is_in(bytes, a->addr, a->mask, n);
    case HBA_ADDR_SAME_HOST:
    case HBA_ADDR_SAME_NET:
        return match_own(bytes, family, n, a->kind == HBA_ADDR_SAME_HOST);
    }
    DG_ASSERT(false, "no address of kind %d", (int)a->kind);
    return 0;
}
