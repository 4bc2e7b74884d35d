// SPDX-License-Identifier: ISC
/* The gate's virtual database (admin_database): a session that has no server. It is in
 * SESS_ST_ADMIN; its commands are read here and answered by the control thread. Both query
 * protocols are spoken; parameters are not, and all columns are text.
 * thread: worker, but the ask: as sess_ask */
#ifndef DG_SESSION_CONSOLE_H
#define DG_SESSION_CONSOLE_H

#include "session/command.h"
#include "session/session.h"

#define SESS_MAX_ROWS ((size_t)64 << 20) /* bytes of an answer */

/* One command to run. Travels both ways as a task; task.run is the asker's when it asks. */
struct sess_console_ask {
    struct task task;
    struct task_queue *queue;            /* of the asker; where the answer is posted */
    void *owner;                         /* the asker's */
    void *service;                       /* the service's */
    void (*answered)(struct task *task); /* the asker's run, kept by the service */
    struct sess_command command;
    char *who; /* owned; for the log */
    /* The answer: */
    struct buf reply;     /* notices and rows, SESS_MAX_ROWS at most */
    const char *sqlstate; /* static; NULL: it went well */
    struct err message, hint;
};
void sess_console_ask_free(struct sess_console_ask *ask);

struct sess_console;

/* Is the client, whom nobody has authenticated, root or who the gate runs as? */
bool sess_console_is_trusted(const struct sess *s);
/* The client is who it says: it is in, or not. */
void sess_console_begin(struct sess *s);
void sess_console_free(struct sess_console *c); /* NULL is fine */
/* bytes_fn of ADMIN. */
size_t sess_console_bytes(struct sess *s, const char *p, size_t n);
/* The client's socket takes bytes again. */
void sess_console_written(struct sess *s);
/* Is nothing asked and nothing left to be sent? Else its input waits. */
bool sess_console_is_free(const struct sess *s);
/* Is only a part of a message sent? */
bool sess_console_is_amid(const struct sess *s);

#endif
