// SPDX-License-Identifier: ISC
/* The trail: what one transaction ran, in order, for whoever wants to know once the server
 * has committed it (capture writes a migration file of it, record a lockfile).
 *
 * Each forwarded statement that a listener wants becomes a step. The session's tracker
 * (session/track.h) holds it until its end is known: the steps of a committed transaction
 * go to env->committed, all others (rolled back, to a savepoint too, failed, skipped,
 * unknown) are dropped. A statement outside a transaction block, CREATE INDEX CONCURRENTLY
 * for one, is a transaction of its own; a Query of several statements is one as well.
 *
 * Memory is bounded per session: what goes beyond is not kept, and the trail of its
 * transaction is marked incomplete. So it is when the server's answer to a step could not be
 * attributed. A listener must not take an incomplete trail for what ran.
 * thread: worker */
#ifndef DG_GATE_TRAIL_H
#define DG_GATE_TRAIL_H

#include "gate/judge.h"

/* What one session keeps at most for transactions that are open. */
#define GATE_TRAIL_MAX_STEPS 100000
#define GATE_TRAIL_MAX_BYTES ((size_t)32 << 20) /* of statements and bound values */

/* env->trail_wants */
enum {
    GATE_TRAIL_CAPTURED =
        1 << 0, /* schema changes that policy lets pass to capture them */
    GATE_TRAIL_TRACKED = 1 << 1, /* schema changes of every class, history writes */
    GATE_TRAIL_DATA = 1 << 2, /* every other statement, too, but transaction control and
                               * PREPARE: then every text is parsed */
};

struct gate_step {
    struct gate_text *text; /* owned reference: as it went to the server */
    struct gate_snapshot
        *snap;        /* owned reference: match and write_migration are in it */
    size_t fact;      /* the statement's outermost fact; its facts go on to
                                 * gate_text_end(text, fact) */
    bool is_tracked;  /* else one that only GATE_TRAIL_DATA asked for */
    bool is_captured; /* an unmigrated change that policy wants captured */
    /* How it stood in the files and, of a history write, whether it was honest. Values that
     * a history write holds are in the facts' write; $n of them in binds. */
    struct hist_match match;
    enum hist_write_verdict write;
    const struct hist_migration *write_migration;
    struct hist_bind *binds; /* owned, values too; only of a history write */
    size_t n_binds;
    bool has_binds;
    char *search_path; /* owned; as the session had set it before; NULL: not set */
    bool is_path_unknown;
    char request_id[9];
    char intent_id[21]; /* of the audit record; "": not audited */
    size_t charged;     /* bytes counted for it */
};

struct gate_trail {
    const struct gate_client *client; /* borrowed; who ran it */
    struct gate_step **steps;         /* in order; borrowed, unless taken: see below */
    size_t n;
    bool is_complete;
};

/* Is a step of this statement wanted? fact: its outermost one. */
bool gate_trail_wants(const struct gate_request *req, size_t fact, bool is_tracked);
/* Makes the step of a statement that is about to be forwarded; NULL: over the limits. Its
 * intent may be NULL. */
struct gate_step *gate_step_new(struct gate_request *req, size_t fact, bool is_tracked,
    const struct gate_intent *intent);
/* c: the client it was made for. */
void gate_step_free(struct gate_client *c, struct gate_step *step);
/* A listener keeps the step: it takes steps[i] out, which leaves NULL there, and frees it
 * by gate_step_free with c NULL, on any thread. */
struct gate_step *gate_trail_take(struct gate_trail *trail, size_t i);
/* The statement's own text, without what stands around it. */
struct str gate_step_sql(const struct gate_step *step);
const struct sql_digest *gate_step_digest(const struct gate_step *step);
const struct sql_facts *gate_step_facts(const struct gate_step *step);

#endif
