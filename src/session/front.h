// SPDX-License-Identifier: ISC
/* The client's side of a session, message by message: what its files share.
 *
 *   front.c     frames: which messages are looked at, how the others stream by
 *   query.c     Query and FunctionCall, and what else is sent as a Query
 *   extended.c  Parse, Bind, Execute, Close
 *   apply.c     from a judgement to what is sent, and the units and batches it counts in
 *
 * thread: worker */
#ifndef DG_SESSION_FRONT_H
#define DG_SESSION_FRONT_H

#include "session/session.h"

/* What to do with the message at hand. */
enum front_verdict {
    FRONT_PASS,      /* forward it as it is */
    FRONT_DROP,      /* something else was sent in its place */
    FRONT_NEED_MORE, /* more of it must be there to tell */
    FRONT_STAY,      /* wait: it stays where it is */
    FRONT_ENDED,     /* the session is over */
};

struct front_frame {
    struct pgw_head head;
    const char *body;
    size_t size;    /* with header; more: messages behind it are dealt with, too */
    size_t n_there; /* bytes from body on, of those behind it as well */
};

/* --- apply.c ---------------------------------------------------------------------------- */
/* The client broke the protocol: FRONT_ENDED. */
enum front_verdict front_violation(struct sess *s, const char *what);
enum front_verdict front_stay(struct sess *s, enum sess_wait why); /* FRONT_STAY */
/* Makes s->request. text: reference taken over. */
void front_start_judging(struct sess *s, enum gate_kind kind, struct gate_text *text);
/* FRONT_PASS: s->request is answered. FRONT_STAY: it will be. */
enum front_verdict front_judge(struct sess *s);
void front_judgement_done(struct sess *s); /* the request is of no use any more */
/* It passed, but a statement of the gate's own before it has failed: the client has that error. */
void front_not_sent(struct sess *s);
/* Is the judged message refused, by policy or since it was cancelled meanwhile? */
bool front_is_refused(struct sess *s);
void front_queue_notices(struct sess *s, const struct gate_request *req);
/* The text that the server gets, or got at its Parse, in place of the client's: rewritten, or
 * a name in it has its pg_temp.; NULL: it is the client's. */
struct gate_text *front_edited_text(const struct gate_request *req);
/* As a Query, or as this Parse: that keeps what stands behind its text, the types of its
 * parameters. */
void front_send_edited(
    struct sess *s, const struct gate_text *t, const struct pgw_parse *parse);
/* The message's text is judged: refuses it or lets it go, with what follows from that.
 * parse: of a SESS_MSG_PARSE. */
enum front_verdict
front_apply(struct sess *s, enum sess_message kind, const struct pgw_parse *parse);
/* One more message of a batch; what Flush brought out so far doesn't count for it. */
void front_extended_sent(struct sess *s);
/* Must a Query or FunctionCall wait for the replies of the batch it stands in? */
bool front_batch_is_open(struct sess *s);
/* A Sync (SESS_MSG_EXECUTE), Query or FunctionCall ends the open batch: if that commits what
 * the batch has changed, it is judged as a COMMIT is. FRONT_DROP: refused, an error was sent
 * that rolls the batch back. */
enum front_verdict front_end_batch(struct sess *s, enum sess_message kind);
/* After an error in its batch the server skips everything up to Sync; and a refusal is an
 * error for sure, whether its answer is here yet or not. */
bool front_is_skipped(const struct sess *s);

/* --- query.c ------------------------------------------------------------------------------ */
/* Reads the text: FRONT_PASS with *text NULL for a plain one. */
enum front_verdict
front_read_text(struct sess *s, struct str sql, struct gate_text **text);
/* Names of temporary objects are written out. A Parse that declares parameter types is no
 * DDL on them. */
void front_edit_temp(struct sess *s, struct gate_text **text);
/* The judged text goes to the server as a Query: what is at hand is one, or it is_instead. */
enum front_verdict front_run_query(struct sess *s, bool is_instead);
enum front_verdict front_query(struct sess *s, const struct front_frame *f);
/* A function called by its oid: built-in ones pass, any other could do anything, as CALL. */
enum front_verdict front_function_call(struct sess *s, const struct front_frame *f);

/* --- extended.c --------------------------------------------------------------------------- */
enum front_verdict front_parse(struct sess *s, const struct front_frame *f);
enum front_verdict front_bind(struct sess *s, const struct front_frame *f);
/* A Bind that is longer than what we look at: its names stand in front, and only a history
 * row has values that matter. */
enum front_verdict front_long_bind(struct sess *s, const struct front_frame *f);
/* May deal with the Sync behind it as well: f->size says so. */
enum front_verdict front_execute(struct sess *s, struct front_frame *f);
enum front_verdict front_close(struct sess *s, const struct front_frame *f);

#endif
