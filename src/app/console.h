// SPDX-License-Identifier: ISC
/* Answers the commands of the gate's own database (session/console.h) with what the control
 * thread knows: the snapshot, the histories of all databases, a reload.
 * thread: control, but console_ask: any */
#ifndef DG_APP_CONSOLE_H
#define DG_APP_CONSOLE_H

#include "gate/client.h"
#include "net/loop.h"
#include "session/console.h"

struct console;

struct console_ops {
    struct gate_snapshot *(*current)(
        void *ctx); /* borrowed; refreshed if files changed */
    int (*reload)(void *ctx, struct err *err); /* as SIGHUP; blocks */
    void (*read_history)(void *ctx, struct gate_history_ask *ask);
    void *ctx;
};

struct console *console_new(struct net_loop *loop, const struct console_ops *ops);
/* No history is read any more: commands under way end with what they have. */
void console_stop(struct console *c); /* NULL is fine */
void console_free(struct console *c); /* all that was asked is answered */
/* Takes the command; it comes back to its queue as a task. */
void console_ask(struct console *c, struct sess_console_ask *ask);

#endif
