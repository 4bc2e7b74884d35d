// SPDX-License-Identifier: ISC
#include "net/notify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define MAX_FDS 64

void
net_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t n = path ? strlen(path) : 0;
    if (n == 0 || n >= sizeof(un.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(un.sun_path, path, n);
    if (un.sun_path[0] == '@') /* an abstract socket */
        un.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&un,
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

void
net_notify_reloading(void)
{
    struct timespec ts;
    char text[80];
    clock_gettime(CLOCK_MONOTONIC, &ts);
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
        (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
    net_notify(text);
}

int
net_inherited_fds(void)
{
    const char *pid_text = getenv("LISTEN_PID"), *n_text = getenv("LISTEN_FDS");
    int64_t pid = 0, n = 0;
    bool is_ours = pid_text && n_text
        && str_int64(str_of(pid_text), 1, INT32_MAX, &pid) == 0 && pid == getpid()
        && str_int64(str_of(n_text), 1, MAX_FDS, &n) == 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (!is_ours)
        return 0;
    for (int fd = NET_FIRST_FD; fd < NET_FIRST_FD + (int)n; fd++)
        (void)!fcntl(fd, F_SETFD, FD_CLOEXEC);
    return (int)n;
}
