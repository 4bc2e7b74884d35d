// SPDX-License-Identifier: ISC
/* action = rewrite: the statement in its safe form, where it may be had (design part 7).
 * Where it may not, the finding becomes what `rewrite_else` says. Pure: the wire and
 * `explain` call the same function.  thread: worker */
#ifndef DG_GATE_REWRITE_H
#define DG_GATE_REWRITE_H

#include "gate/text.h"
#include "policy/rewrite.h"

enum gate_kind {
    GATE_QUERY,   /* the text runs when it is forwarded */
    GATE_PARSE,   /* it is only prepared: may it ever run? */
    GATE_EXECUTE, /* a text judged at its Parse runs now */
    GATE_COPY,    /* the text, a COPY, runs already: may the server have its rows? */
    GATE_SYNC,    /* nothing runs, but what did is committed: the text is COMMIT */
};

/* Where the message stands. */
struct gate_moment {
    enum gate_kind kind;
    char tx_status;      /* as of the last ReadyForQuery */
    bool is_batch_begun; /* an Execute of its batch stands before it */
    bool
        is_whole_batch; /* a Parse: all that its batch does is to run it, as a Query would */
    const char
        *request_id; /* ends the names of what is made for the while; NULL: none */
    bool is_single;  /* of a Parse: as if it were an Execute that runs, not a Query */
};

struct gate_rewrite {
    /* What is sent in place of the client's text; owned reference; NULL: its own words. */
    struct gate_text *text;
    /* Statements of their own before and behind it, in this order: at status I, around a
     * Query that holds one statement. */
    const struct pol_step *before, *behind;
    size_t n_before, n_behind;
    const char
        *sent; /* all that is sent, statement by statement; NULL: only the text */
    int64_t timeout_ms[POL_N_TIMEOUTS]; /* wanted around it; 0: none */
    unsigned
        retries; /* more tries if lock_timeout ends it, where that leaves nothing */
    const char *rules;              /* "add-fk-not-valid, idempotent-create" */
    const char *did;                /* NULL: nothing was rewritten */
    const char *follow_up, *remark; /* or NULL */
    const struct pol_finding *lead; /* the first of those that were */
};

/* Findings with action rewrite (enforced) either become part of *out, or what rewrite_else
 * says; found->action is right afterwards. Strings live in the findings' arena. */
void gate_rewrite(const struct pol *p, const struct gate_text *t,
    const struct gate_moment *at, unsigned max_depth, struct pol_findings *found,
    struct gate_rewrite *out);
/* What can't be rewritten for a reason of the caller's: findings from `first` on. */
void gate_rewrite_deny(
    const struct pol *p, struct pol_findings *found, size_t first, const char *why);
void gate_rewrite_deinit(struct gate_rewrite *rw);

/* Does it take several statements? Then a Query is needed. */
static inline bool
gate_rewrite_is_several(const struct gate_rewrite *rw)
{
    return rw->n_before + rw->n_behind > 0 || (rw->text && rw->text->n_added > 0);
}

static inline void
gate_rewrite_deinit_p(struct gate_rewrite *rw)
{
    gate_rewrite_deinit(rw);
}

#endif
