// SPDX-License-Identifier: ISC
/* Connecting, socket options, the descriptor limit. */
#include "net/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

int
net_connect(const struct net_addr *addr)
{
    int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = connect(fd, (const struct sockaddr *)&addr->ss, addr->len);
    /* Interrupted, the connect goes on in the background like any other. */
    if (r < 0 && errno != EINPROGRESS && errno != EINTR) {
        int saved = errno;
        close(fd);
        return -saved;
    }
    return fd;
}

int
net_connect_result(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

int
net_local_addr(int fd, struct net_addr *out)
{
    struct net_addr a = { .len = sizeof a.ss };
    if (getsockname(fd, (struct sockaddr *)&a.ss, &a.len) < 0)
        return -errno;
    *out = a;
    return 0;
}

int
net_peer_uid(int fd, uint32_t *uid)
{
    int domain = AF_UNIX;
    struct ucred cred;
    socklen_t len = sizeof domain, n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
        return -errno;
    if (domain != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
        return -errno;
    *uid = cred.uid;
    return 0;
}

/* Failures are passed over: a connection without keepalive is better than none. */
static void
set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

void
net_sock_options(int fd, const struct net_keepalive *ka)
{
    int domain = AF_UNIX;
    socklen_t len = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0
        || (domain != AF_INET && domain != AF_INET6))
        return;

    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (ka->user_timeout_ms > 0)
        set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, ka->user_timeout_ms);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, ka->enabled);
    if (!ka->enabled)
        return;
    if (ka->idle_s > 0)
        set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, ka->idle_s);
    if (ka->interval_s > 0)
        set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, ka->interval_s);
    if (ka->count > 0)
        set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, ka->count);
}

int
net_limit_fds(uint64_t wanted, uint64_t *got)
{
    struct rlimit limit;
    *got = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    *got = limit.rlim_cur;
    if (wanted <= limit.rlim_cur)
        return 0;

    struct rlimit raised = limit;
    raised.rlim_cur = wanted;
    if (wanted > limit.rlim_max)
        raised.rlim_max = wanted; /* root may */
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0) {
        raised = (struct rlimit){ .rlim_cur = limit.rlim_max,
            .rlim_max = limit.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
            return -errno;
    }
    *got = raised.rlim_cur;
    return *got < wanted ? -EPERM : 0;
}
