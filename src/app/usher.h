// SPDX-License-Identifier: ISC
/* Answers the questions of logins over the gate's own connections: a user's secret
 * (auth_query), and which server has the target_session_attrs of an entry.
 * thread: control, but usher_ask: any */
#ifndef DG_APP_USHER_H
#define DG_APP_USHER_H

#include "net/loop.h"
#include "session/worker.h"

struct usher;

struct usher *usher_new(struct net_loop *loop, int64_t idle_ms);
void usher_free(struct usher *u); /* open questions are answered with an error */
/* Takes the question; it comes back to its queue as a task. */
void usher_ask(struct usher *u, struct sess_ask *ask);

#endif
