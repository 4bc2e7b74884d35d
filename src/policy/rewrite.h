// SPDX-License-Identifier: ISC
/* The safe form of a statement, as edits of the client's own text and settings around it.
 * What a rule does to a statement is looked up in tbl/rewrites.h; whether it may be done now
 * (transaction, batch, server) the gate decides.  thread: any */
#ifndef DG_POLICY_REWRITE_H
#define DG_POLICY_REWRITE_H

#include "policy/policy.h"
#include "sql/edit.h"
#include "sql/lex.h"
#include "sql/same.h"

enum pol_timeout {
    POL_LOCK_TIMEOUT,
    POL_STATEMENT_TIMEOUT,
    POL_N_TIMEOUTS,
};

static inline const char *
pol_timeout_name(enum pol_timeout t)
{
    return t == POL_LOCK_TIMEOUT ? "lock_timeout" : "statement_timeout";
}

/* The statement that was looked at last, as tokens: one of many findings is read once. */
struct pol_rewrite_seen {
    const struct pol_text *text; /* NULL: none yet */
    size_t stmt;
    const struct sql_token *tokens; /* in the arena; places in the whole text */
    size_t n;
};

/* Statements that together with the client's are its safe form. */
struct pol_step {
    const char *sql; /* one statement, with its `;` */
    /* When a later one fails: a statement that takes it back, or a query whose rows are
     * such statements; NULL: it leaves nothing. */
    const char *undo, *undo_query;
    const char *left_query; /* when it fails itself: what takes back what it left */
};

#define POL_MAX_STEPS 640 /* an index of each of POL_MAX_PARTITIONS, and its ATTACH */

struct pol_steps {
    struct pol_step *items; /* in the arena */
    size_t n;
};

struct pol_rewrite {
    struct pol_rewrite_seen seen;
    struct arena *arena;    /* borrowed; texts of the rest */
    struct sql_edits edits; /* owned */
    unsigned changes;       /* SQL_CH_*: how the facts will differ */
    /* The caller's word: it runs outside of any transaction, as what needs_alone must. Where
     * a form has a lesser one, that is taken otherwise. */
    bool may_be_alone;
    /* The caller's, for names that have to be new: a request's id; NULL: the file's number. */
    const char *stamp;
    /* It can't run in a transaction: only with status I, alone in its text and batch. */
    bool needs_alone;
    bool needs_sole; /* alone in its text */
    bool needs_tx;   /* what stands before and behind it shares its transaction */
    /* One statement of another kind stands in its place, whose tag the client must not see
     * (policy/quarantine.h); its facts can't be compared. */
    bool is_move;
    int64_t timeout_ms[POL_N_TIMEOUTS]; /* at most that long; 0: not asked for */
    unsigned retries;                   /* after lock_timeout, at status I */
    const char *did;       /* "CONCURRENTLY, IF NOT EXISTS"; NULL: nothing yet */
    const char *follow_up; /* statements for later, or NULL */
    /* Set by the caller: ends the names of what is made only for the while, which others may
     * do at the same time, or have left; NULL: in a file they are read. */
    const char *suffix;
    bool
        has_room; /* set by the caller: the message has room for statements behind it */
    struct pol_steps before; /* each in a transaction of its own */
    struct pol_steps after;  /* right behind it, in its transaction */
    struct pol_steps behind; /* each in a transaction of its own; in files: follow_up */
    bool has_too_many;       /* of one of these */
    size_t place; /* in files: of before and after, another fact plus 1; 0: its own */
    bool
        is_wrapped; /* in files: BEGIN before all of its statements, COMMIT behind them */
    const char *remark; /* what one has to know of it, or NULL */
};

void pol_rewrite_init(struct pol_rewrite *rw, struct arena *a);
void pol_rewrite_deinit(struct pol_rewrite *rw);

enum {
    POL_REWRITE_E_NO = 1, /* *why says why; rw is as it was */
};

/* Adds what rule f->rule makes of the statement of fact `fact`; t is the text that the fact
 * stands in, which may be another one than the finding speaks of (a migration's file).
 * is_file: for --fix. 0 or POL_REWRITE_E_NO. */
int pol_rewrite_add(struct pol_rewrite *rw, const struct pol *p,
    const struct pol_finding *f, const struct pol_text *t, size_t fact, bool is_file,
    const char **why) MUST_CHECK;
/* All of them, a line each; NULL: there are none. */
const char *pol_steps_text(struct arena *a, const struct pol_steps *steps);
/* Has the rule a safe form at all, here? */
bool pol_rewrite_is_known(const char *rule, bool is_file);
/* Does the rule set a timeout, and edit nothing? */
bool pol_rewrite_is_timeout(const char *rule);
/* What becomes of a statement that can't be rewritten: DG_REJECT or DG_WARN. */
enum dg_action pol_rewrite_else(const struct pol *p, const char *rule);
/* For --fix. Does a statement of a file commit by itself, outside of BEGIN and COMMIT? Does
 * all of the file run in one transaction? ([policy] transaction; is_no_tx: the file asks to
 * be run outside of one.) */
bool pol_runs_alone(const struct pol *p, bool is_no_tx);
bool pol_runs_in_tx(const struct pol *p, bool is_no_tx);
/* Stands the fact between BEGIN and COMMIT? end: the fact of its end, SIZE_MAX: none. */
bool pol_in_block(const struct sql_tree *tree, size_t fact, size_t *end);
/* "2s": the value of require-lock-timeout and its like, as the policy writes it. */
const char *pol_timeout_text(const struct pol *p, enum pol_timeout which);
/* [policy] rewrite_migrated */
bool pol_rewrites_migrated(const struct pol *p);

#endif
