// SPDX-License-Identifier: ISC
/* A pg_hba.conf of any bytes either loads or is refused with its place; what loads has an
 * answer for everybody. */
#include "auth/hba.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_answer(const struct auth_hba *h, const struct sockaddr *peer)
{
    static const char *const names[] = { "app", "shop", "all", "a,b\"", "" };

    for (unsigned i = 0; i < DG_ARRAY_SIZE(names) * 4; i++) {
        struct auth_hba_ask ask = { .user = names[i / 4],
            .database = names[(i / 4 + 1) % DG_ARRAY_SIZE(names)],
            .peer = peer,
            .is_tls = i & 1,
            .is_replication = i & 2 };
        int line = -1;
        enum auth_method method = auth_hba_find(h, &ask, &line);
        DG_ASSERT(auth_method_name(method) && line >= 0, "no answer");
        DG_ASSERT(line || method == AUTH_REJECT, "somebody comes in by no record");
        DG_ASSERT(method != AUTH_CERT || ask.is_tls, "a certificate without TLS");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(0x0a010203) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
        .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr local = { .sa_family = AF_UNIX };
    struct auth_hba *h = NULL;
    struct err err = { "" };
    char path[64];
    int fd = memfd_create("hba", MFD_CLOEXEC);
    bool ok = fd >= 0 && write(fd, data, size) == (ssize_t)size;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (ok && auth_hba_load(path, &h, &err) == 0) {
        must_answer(h, (struct sockaddr *)&v4);
        must_answer(h, (struct sockaddr *)&v6);
        must_answer(h, &local);
        ref_drop(h);
    } else {
        DG_ASSERT(!ok || strncmp(err.text, path, strlen(path)) == 0,
            "an error without its place: %s", err.text);
    }
    if (fd >= 0)
        close(fd);
    return 0;
}
