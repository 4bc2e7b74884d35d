// SPDX-License-Identifier: ISC
/* What a service tells systemd, and gets from it (sd_notify(3), sd_listen_fds(3)): a few
 * lines that aren't worth a library. Without systemd both do nothing.  thread: control */
#ifndef DG_NET_NOTIFY_H
#define DG_NET_NOTIFY_H

#include "base/base.h"

/* "READY=1", "STOPPING=1", "STATUS=..."; several with newlines between. Failures are passed
 * over: nobody could do anything about them. */
void net_notify(const char *state);
/* "RELOADING=1" with the time that systemd wants with it. */
void net_notify_reloading(void);

#define NET_FIRST_FD 3
/* How many listening sockets were handed over, numbered from NET_FIRST_FD: 0 without socket
 * activation. They are made close-on-exec; the variables are removed, so that a child
 * doesn't think they were meant for it. Call once. */
int net_inherited_fds(void);

#endif
