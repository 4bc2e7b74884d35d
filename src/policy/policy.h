// SPDX-License-Identifier: ISC
/* Policy: INI rules compiled once, evaluated over facts and history (design part 5).
 *
 * Access answers "may this session do this at all" (first match wins); then comes whether
 * a statement is migrated; then the checks, which all run. The strictest finding is the
 * decision. A migration is judged whole: pol_judge_unit in the gate and in `ddlgate check` is
 * the same code.  thread: any (a loaded policy is immutable; starts with a struct ref) */
#ifndef DG_POLICY_POLICY_H
#define DG_POLICY_POLICY_H

#include "base/cell.h"
#include "history/attest.h"
#include "policy/live.h"

struct pol;

int
pol_load(const char *path, bool settle, struct pol **out, struct err *err) MUST_CHECK;
/* The same as if [policy] named this environment (NULL: its own). path NULL: a policy that
 * says nothing else, for which environment is needed. */
int pol_load_as(const char *path, const char *environment, bool settle,
    struct pol **out, struct err *err) MUST_CHECK;
const char *pol_environment(const struct pol *p);  /* "staging" */
unsigned pol_migrate_classes(const struct pol *p); /* key `migrate` */
unsigned pol_required(const struct pol *p);        /* key `require`: enum hist_tested */
bool pol_is_observe(const struct pol *p);          /* mode = observe in [policy] */
/* unmigrated = capture; where it stands: */
bool pol_is_capturing(const struct pol *p, const char **file, int *line);

/* Who asks. Strings borrowed; NULL = unknown (offline). */
struct pol_session {
    const char *database, *role, *client_addr, *application_name;
    /* "" where the connection has none: plain, no certificate, no unix socket */
    const char *tls;            /* "TLSv1.3" */
    const char *client_cert_cn; /* of a certificate that was checked */
    const char *peer_uid;       /* "1000": the process at a unix socket's other end */
    const char *listener;       /* "10.0.0.1:6432", "unix:/run/x/.s.PGSQL.6432" */
    int server_version;         /* 150020; 0 unknown */
    bool in_transaction;
    bool is_tx_unknown;      /* in_transaction says nothing */
    const char *search_path; /* as last set literally in the session; NULL unknown */
    bool is_path_unknown; /* set, but nobody knows to what; else NULL is the server's */
    int64_t now_us;       /* wall clock, for `time` */
};

/* One result of a rule. Strings and the object live in the findings' arena. Findings of
 * DG_ALLOW name the access section that let the text pass. DG_HOLD (needs approval) is
 * enforced as a refusal with 55000, since this version has no approvals; hint says what to
 * do today. */
struct pol_finding {
    enum dg_action action;
    bool is_observed; /* would be `action`, but its section says mode = observe */
    bool
        is_excepted; /* an exception of the file, or the baseline, lowered it to `action` */
    const char
        *rule; /* "migration-first", "drop-table", or the access section's name */
    const char *message; /* what is wrong, one line, no rule id */
    const char *detail;  /* why it matters here: lock, rewrite, loss; may be NULL */
    const char *hint;    /* what to do, concrete; may be NULL */
    /* The name that it should have, where none is written; or what its safe form takes:
     * columns, a statement, a schema. */
    const char *wanted;
    const char *origin_file; /* policy file; NULL: the catalogue's default */
    int origin_line;
    size_t fact;                     /* index of the fact it speaks of */
    const struct sql_object *object; /* may be NULL */
    const char *column;              /* may be NULL */
    int pos;                         /* byte offset in the unit's text, -1 */
    const char *sqlstate;
    bool is_captured; /* migration-first: it passes and becomes a migration file */
    /* What its safe form takes of the server's facts (pol_live_outline); NULL: nothing, or
     * nobody knows it. */
    const struct pol_live_relation *relation;
    const char
        *no_rewrite; /* why there is no safe form of it here; NULL: there may be */
    bool needs_live; /* a table of a known size might be exempt from it */
};

struct pol_findings {
    struct pol_finding
        *items; /* strictest first is not promised: order of statements */
    size_t n;
    enum dg_action action; /* strictest enforced (observed ones don't count) */
    bool checks_off;       /* the session's access section says checks = off */
    bool is_free; /* ... or unmigrated = allow: no migration has to explain the text */
    /* What some rule would like to know of the server and was not told: to be read, and
     * the text to be judged again with it. */
    struct pol_wants wants;
    struct arena *arena;
    /* Facts that lock what others use, in order: idle-after-ddl waits for their end. */
    size_t *locking; /* owned */
    size_t n_locking, cap_locking;
};
/* Copies the finding (its strings stay where they are) and raises action. */
void pol_findings_add(struct pol_findings *f, const struct pol_finding *item);
/* A text with more findings than that is refused or passed for the first ones; the rest
 * only counts for the decision. */
#define POL_MAX_FINDINGS 1000
void pol_findings_init(struct pol_findings *f);
void pol_findings_deinit(struct pol_findings *f);
static inline void
pol_findings_deinit_p(struct pol_findings *f)
{
    pol_findings_deinit(f);
}
/* The finding that explains the decision: first of the strictest action. NULL if none. */
const struct pol_finding *pol_findings_lead(const struct pol_findings *f);

/* What one fact's history says, computed by the gate before policy is asked. */
struct pol_history {
    bool is_known;   /* false: history can't be read (why says it) */
    const char *why; /* of unknown */
    struct hist_match match;
    enum hist_write_verdict write; /* class history only */
    const struct hist_migration *write_migration;
    const char *write_reason;
    /* The statement ends the transaction and leaves a migration incomplete or without its
     * row: what is missing. NULL: nothing is. */
    const char *unrecorded_why;
    const struct hist_migration *unrecorded; /* NULL: it isn't known which */
    bool is_unrecorded_before;               /* earlier texts ran it */
    const struct hist_view *view; /* NULL: the database has no [migrations] section */
};

/* A text on the wire: facts[i] with history[i] (same n; nested facts inherit what their
 * outermost statement has). Adds findings of access, migration-first,
 * migration-history-write, unparsable-statement, and, for statements that are no part of a
 * migration (those are judged whole), of all other checks.
 * next_file: proposal for migration-first's hint (NULL: none). */
struct pol_text {
    const char *text;
    size_t len;
    bool std_strings; /* how its constants read; of a text on the wire */
    /* of a migration or a file given to `check`, as people know it; NULL: none */
    const char *file;
    const struct sql_scan *scan;
    const struct sql_tree *tree;
    /* tree->n entries; NULL: nobody asked (offline) */
    const struct pol_history *history;
    const char *next_file;
    /* of a migration: whether it was tried out; NULL: nothing that could be */
    const struct hist_attest_answer *attested;
    /* of a migration: how it is taken back; NULL: its source has no way to say it */
    const struct hist_rollback *rollback;
    const struct pol_live *live; /* NULL: nobody asked */
    /* of a migration: the INSERT by which it records itself, where files do; NULL */
    const char *own_row;
    int own_pid; /* the session's backend, whose locks don't count; 0 unknown */
    const struct pol_made
        *made; /* by this transaction before this text; NULL: nothing */
};
void pol_judge_text(const struct pol *p, const struct pol_session *s,
    const struct pol_text *t, struct pol_findings *out);

/* A migration, or a file given to `check`, as a whole: all checks but access and those
 * that need history; new tables of the unit are known to the checks. */
void
pol_judge_unit(const struct pol *p, const struct pol_text *t, struct pol_findings *out);

/* Is the class of this fact something policy looks at? (Cheap test before history is read.)
 * needs_history: is it a schema change or history write? */
bool
pol_is_tracked(const struct pol *p, const struct sql_facts *f, bool *needs_history);

/* idle-after-ddl: how long a transaction with such a change may be idle; 0: nobody asks. */
int64_t pol_idle_after_ms(const struct pol *p);
/* It was, for idle_ms. what: the change, "ALTER TABLE orders". Adds one finding, if any; its
 * fact and object say nothing. */
void pol_idle_judge(
    const struct pol *p, const char *what, int64_t idle_ms, struct pol_findings *out);

/* [policy] facts_timeout */
int64_t pol_facts_timeout_ms(const struct pol *p);

/* Tables and indexes that a transaction has made, text by text. Names kept are limited;
 * what is forgotten counts as having been there before. */
struct pol_made;
/* Adds what the text makes, takes away what it drops or renames, forgets all where it can
 * not be followed. *made is created when needed. */
void pol_made_note(struct pol_made **made, const struct pol_text *t);
void pol_made_free(struct pol_made *made);

/* The line of a baseline file ([policy] baseline = FILE) under which a finding counts as
 * known: rule, digest of its statement, object. Owned by the arena. */
const char *pol_baseline_line(
    struct arena *a, const struct pol_text *t, const struct pol_finding *f);

/* Startup parameters for a session (`startup = lock_timeout=5s` of matching access
 * sections; role, database, client_addr keys count here). Calls fn for each. */
void pol_startup(const struct pol *p, const struct pol_session *s,
    void (*fn)(void *ctx, const char *name, const char *value), void *ctx);

/* The catalogue (include/ddlgate/tbl/checks.h), for `check --list`. */
struct pol_check_info {
    const char *id, *group, *summary;
    enum dg_action development, staging, production;
    const char *params; /* "except; max=3; ..." or "" */
    bool is_standard;   /* runs only where a policy asks for it */
    /* Which statements it runs on: "static", "live", "file", "end", "history", "session",
     * "always", "exempt" (tbl/checks.h). */
    const char *when;
};
size_t pol_n_checks(void);
/* NULL: no check has this id. */
const struct pol_check_info *pol_check_info_of(const char *id);
/* The safe form that the gate, or `check --fix`, makes by itself; NULL: none. */
const char *pol_rewrite_form(size_t check);
const struct pol_check_info *pol_check_info(size_t i);
/* Rules of the catalogue that are no check, and why. */
struct pol_left_out {
    const char *id, *group;
    enum dg_action development, staging, production;
    const char *needs; /* "LIVE", "ELSEWHERE" */
    const char *why;
};
size_t pol_n_left_out(void);
const struct pol_left_out *pol_left_out(size_t i);
/* What this policy makes of a check. */
enum dg_action pol_check_action(const struct pol *p, const char *id, bool *is_observed);

#endif
