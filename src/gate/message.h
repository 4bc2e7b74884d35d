// SPDX-License-Identifier: ISC
/* What the client reads: findings turned into the fields of an ErrorResponse or
 * NoticeResponse (design part 7). Plain strings; the session puts them on the wire. */
#ifndef DG_GATE_MESSAGE_H
#define DG_GATE_MESSAGE_H

#include "gate/judge.h"

#define GATE_REQUEST_ID_SIZE 9

struct gate_message {
    const char *severity; /* NULL: ERROR, or WARNING as a notice */
    const char *sqlstate;
    const char *message, *detail, *hint, *where;
    const char *schema, *table, *column, *constraint;
    const char *file, *routine;
    int line;
    int position; /* in characters of the client's text, from 1; 0: none */
};

struct gate_message_ctx {
    struct arena *arena; /* where the strings go */
    const struct gate_text *text;
    const struct pol_session *session;
    const struct pol *policy;
    const struct hist_view *view; /* NULL: none */
    const char *request_id;
    int64_t now_us;
};

/* The refusal: led by the strictest finding, all findings in DETAIL. */
void gate_message_refusal(const struct gate_message_ctx *ctx,
    const struct pol_findings *f, struct gate_message *out);
/* The warning for one finding. */
void gate_message_warning(const struct gate_message_ctx *ctx,
    const struct pol_finding *f, struct gate_message *out);
/* The note that an unmigrated change becomes a migration file: `path` if it is still free
 * when the transaction commits. */
void gate_message_capture(const struct gate_message_ctx *ctx,
    const struct pol_finding *f, const char *path, struct gate_message *out);
/* What was sent in place of the client's statement, and what is left to do. */
void gate_message_rewritten(const struct gate_message_ctx *ctx,
    const struct gate_rewrite *rw, struct gate_message *out);
/* s without control bytes and what is no UTF-8; NULL stays NULL. */
const char *gate_message_line(struct arena *a, const char *s);
/* A refusal that no rule made: the audit can't be written, ... */
void gate_message_fault(const struct gate_message_ctx *ctx, const char *sqlstate,
    const char *what, const char *hint, struct gate_message *out);

#endif
