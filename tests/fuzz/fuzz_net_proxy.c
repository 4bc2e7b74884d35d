// SPDX-License-Identifier: ISC
/* The PROXY header: reading what it says is missing ends, a cut header is never taken, and
 * what was read can be built again. */
#include "net/proxy.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_come_back(const struct net_proxy *p)
{
    struct buf b = BUF_INIT(NET_PROXY_MAX_BUILT);
    struct net_proxy again;
    struct err err;
    size_t missing;
    char one[NET_ADDR_TEXT_SIZE], two[NET_ADDR_TEXT_SIZE];
    net_proxy_build(&b, &p->source, &p->destination);
    DG_ASSERT(net_proxy_parse(buf_ptr(&b), buf_len(&b), &again, &missing, &err) == 0,
        "built");
    if (!again.is_local) {
        net_addr_text(&p->source, one);
        net_addr_text(&again.source, two);
        DG_ASSERT(strcmp(one, two) == 0, "%s became %s", one, two);
    }
    buf_deinit(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct net_proxy out, cut;
    struct err err = { "" };
    size_t n = 0, missing = 0;
    int r;
    while ((r = net_proxy_parse(p, n, &out, &missing, &err)) == NET_PROXY_NEED_MORE) {
        DG_ASSERT(missing > 0, "nothing is missing");
        if (n + missing > size)
            return 0;
        n += missing;
    }
    DG_ASSERT(
        (r == NET_PROXY_E_MALFORMED) == (err.text[0] != '\0'), "error without text");
    if (r)
        return 0;
    DG_ASSERT(n <= NET_PROXY_MAX, "too long a header was taken");
    DG_ASSERT(net_proxy_parse(p, n - 1, &cut, &missing, &err) == NET_PROXY_NEED_MORE,
        "a cut header was taken");
    if (!out.is_local)
        must_come_back(&out);
    return 0;
}
