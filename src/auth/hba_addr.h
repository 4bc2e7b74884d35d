// SPDX-License-Identifier: ISC
/* Addresses of pg_hba.conf: ranges, and this machine's own. Private to auth.
 * thread: any */
#ifndef DG_AUTH_HBA_ADDR_H
#define DG_AUTH_HBA_ADDR_H

#include "base/err.h"

#include <sys/socket.h>

enum hba_addr_kind {
    HBA_ADDR_ALL,
    HBA_ADDR_RANGE,
    HBA_ADDR_SAME_HOST, /* one of this machine's addresses */
    HBA_ADDR_SAME_NET,  /* one of the networks that they are in */
};

struct hba_addr {
    enum hba_addr_kind kind;
    int family; /* HBA_ADDR_RANGE */
    unsigned char addr[16], mask[16];
};

enum {
    HBA_ADDR_LACKS_MASK = 1, /* an address alone: the next field must be its mask */
};

/* "10.0.0.0/8" or "10.0.0.0" (HBA_ADDR_LACKS_MASK), IPv4 or IPv6. -EINVAL with the reason
 * only, the caller knows the place. */
int hba_addr_parse(const char *text, struct hba_addr *out, struct err *err) MUST_CHECK;
int hba_addr_parse_mask(const char *text, struct hba_addr *addr, struct err *err)
    MUST_CHECK;

/* 1 it is in, 0 it is not; -errno when the machine does not tell its own addresses. The
 * last two kinds ask the kernel each time, as PostgreSQL does: addresses come and go. */
int hba_addr_match(const struct hba_addr *a, const struct sockaddr *peer) MUST_CHECK;

#endif
