// SPDX-License-Identifier: ISC
/* The clock of idle-after-ddl: an open transaction has locked a table by a change, everything
 * that the client sent is answered, and nothing more comes. It runs from the ReadyForQuery
 * that says so; the client's next message does not stop it, but it starts anew with the
 * answer. Each silence is spoken of once.  thread: worker */
#ifndef DG_SESSION_IDLE_H
#define DG_SESSION_IDLE_H

#include "session/session.h"

/* A unit of the client's is answered, and what it ran has been tracked. */
void sess_idle_ready(struct sess *s);
void sess_idle_free(struct sess *s);

#endif
