// SPDX-License-Identifier: ISC
/* The decision about one message of the client, from its text to the audit intent.
 *
 *   filter, lexer, parser -> facts -> history -> policy -> findings -> intents -> verdict
 *
 * A request is a small machine whose steps may wait (parser thread, history, disk) or not;
 * the caller sees one thing only: gate_judge answers at once, or later through done().
 * No sockets here; gate_decide (decide.h) is the middle of it.
 * thread: worker */
#ifndef DG_GATE_JUDGE_H
#define DG_GATE_JUDGE_H

#include "gate/decide.h"
#include "gate/rewrite.h"

enum gate_verdict {
    GATE_PASS,
    GATE_REFUSE,
};

/* A schema change that was audited and forwarded; ends with one final outcome. */
struct gate_intent {
    char id[21];
    /* What its records name. No reference to the text: a restore in one transaction has
     * tens of thousands of these. */
    const char *command, *cls, *object_type; /* static */
    char *object;                            /* owned; NULL: none */
    unsigned stmt;
    char request_id[9];
    uint64_t statement_id;
    int64_t start_us;
    bool is_locking; /* others may wait for the end of its transaction (idle.h) */
};

/* A statement whose end matters: what stands where in the server's replies. */
struct gate_run {
    unsigned ordinal; /* among the statements of its text, from 0 */
    const char *tag;  /* the CommandComplete that belongs to it; NULL: any */
    enum sql_tx tx;
    char *tx_name;              /* owned */
    struct gate_intent *intent; /* owned; NULL: not audited */
    struct gate_step *step;     /* owned; NULL: nobody wants it (gate/trail.h) */
    bool is_step_lost;          /* somebody wants it, but it went over the limits */
};

struct gate_step;

struct gate_message;

struct gate_request {
    struct gate_client *client;
    enum gate_kind kind;
    struct gate_text *text;  /* owned reference */
    struct hist_bind *binds; /* GATE_EXECUTE: owned, values too; NULL: none */
    size_t n_binds;
    bool has_binds;
    struct str copy_data; /* GATE_COPY: borrowed until the answer; p NULL: too much */
    bool
        is_in_batch; /* what stands before it since the last ReadyForQuery may have begun
                       * a transaction block */
    bool is_batch_begun; /* see struct gate_moment */
    void (*done)(
        void *ctx, struct gate_request *req); /* when gate_judge said GATE_WAIT */
    void *ctx;

    /* answer; strings live in arena */
    enum gate_verdict verdict;
    char id[9];
    const struct gate_message *refusal;
    struct gate_message *notices;
    size_t n_notices;
    struct gate_rewrite rewrite; /* what is sent instead; owned */
    struct gate_run *runs;       /* owned, taken over by the session with the forward */
    size_t n_runs;
    struct arena *arena;

    /* inner state */
    int step;
    bool is_waiting; /* done() will come; the request must live until then */
    struct pol_history *histories;
    struct pol_findings findings;
    const struct pol_finding **by_fact; /* owned; findings sorted, made by record.c */
    struct gate_snapshot *snap; /* owned reference: what this judgement is made with */
    char *why_unknown;          /* owned */
    struct pol_live *live;      /* owned; NULL: nobody asked, or not yet */
    struct pol_wants asked;     /* what it was asked for */
    unsigned n_asks;
    struct gate_judged_list judged; /* migrations judged with it */
    struct aud_wait audit_wait;
    struct task parse_task;
};

enum {
    GATE_WAIT = 1,
};

/* text: reference taken over. */
struct gate_request *gate_request_new(
    struct gate_client *client, enum gate_kind kind, struct gate_text *text);
/* 0: req->verdict holds. GATE_WAIT: done() comes later on this thread. */
int gate_judge(struct gate_request *req) MUST_CHECK;
/* It passed, but the rows that it copies into the history have yet to be judged. */
bool gate_awaits_rows(const struct gate_request *req);
/* The client has cancelled it before it was sent: what was answered becomes a refusal. */
void gate_cancel(struct gate_request *req);
/* It was judged to pass and is not sent after all; for the audit: how it ended (sqlstate: of
 * FAILED), and why. */
void gate_not_sent(struct gate_request *req, enum aud_outcome outcome,
    const char *sqlstate, const char *why);
/* Frees the request and what of its answer was not taken. Never while it waits: a session
 * outlives its request (every wait has a limit). */
void gate_request_free(struct gate_request *req);
/* The forwarded text's PREPARE and DEALLOCATE statements change what names mean. */
void gate_note_prepared(struct gate_client *c, struct gate_text *text, uint64_t unit);
void gate_run_deinit(struct gate_client *c, struct gate_run *run);

#endif
