// SPDX-License-Identifier: ISC
/* A loaded policy, as the files of this folder see it, and what they share while judging.
 * thread: any (immutable once loaded; a struct pol_run belongs to one call) */
#ifndef DG_POLICY_RULES_H
#define DG_POLICY_RULES_H

#include "base/map.h"
#include "base/mem.h"
#include "policy/params.h"
#include "policy/pattern.h"
#include "policy/policy.h"
#include "policy/words.h"

/* --- what is loaded ------------------------------------------------------------------- */

enum pol_check {
#define POL_CHECK(                                                             \
    symbol, id, group, dev, stg, prod, scope, when, function, params, summary) \
    POL_C_##symbol,
#include "ddlgate/tbl/checks.h"
    POL_N_CHECKS
};

enum pol_when_runs {
    POL_ON_STATIC,
    POL_ON_LIVE,
    POL_ON_FILE,
    POL_ON_END,
    POL_ON_HISTORY,
    POL_ON_SESSION,
    POL_ON_ALWAYS,
    POL_ON_EXEMPT,
};

enum pol_stage {
    POL_DEVELOPMENT,
    POL_STAGING,
    POL_PRODUCTION,
};

/* [policy] checks = ... */
enum pol_scope {
    POL_LISTED, /* history, what can't be read, and what has a section */
    POL_SAFETY, /* everything but team standards without a section */
    POL_ALL,
};

/* [policy] transaction = ...: how the team's tool runs a file. */
enum pol_wrap {
    POL_WRAP_UNKNOWN,
    POL_WRAP_FILE,  /* as psql does: what stands in the file counts */
    POL_WRAP_TOOL,  /* in a transaction of its own, unless the file can't run in one */
    POL_WRAP_QUERY, /* as one Query message, which is one transaction */
};

/* [policy] exceptions = ...: what `-- ddlgate: allow RULE reason` in a file is worth. */
enum pol_exceptions {
    POL_EXC_DENY,  /* nothing */
    POL_EXC_AUDIT, /* the finding becomes a warning */
    POL_EXC_ALLOW, /* the finding becomes a note */
};

/* when_unknown = ...: live facts that could not be read. */
enum pol_unknown {
    POL_STRICT, /* as if they were what the rule warns of */
    POL_LOOSE,  /* as if they were not */
};

/* A place in a policy file; file NULL: the catalogue's default. */
struct pol_origin {
    const char *file;
    int line;
};

struct pol_check_conf {
    enum dg_action action;
    bool is_observed;
    int when_unknown; /* enum pol_unknown or POL_UNSET: the policy's */
    const char *message, *hint, *reason; /* NULL: the check's own */
    enum dg_action rewrite_else; /* of action = rewrite where it can't be done */
    struct pol_list except;      /* objects that it doesn't look at */
    struct pol_origin origin;
    struct pol_value params[POL_N_PARAMS];
};

struct pol_param {
    const char *name, *value;
};

#define POL_UNSET            (-1)
#define POL_FACTS_TIMEOUT_MS 200

struct pol_access {
    const char *name;
    struct pol_origin origin; /* of the action */
    int action;               /* enum dg_action; POL_UNSET while loading */
    bool is_observed;
    const char *message, *hint, *reason;
    /* match keys */
    struct pol_list database, role, client_addr, application_name, command, object,
        migration, environment, time, server_version, tls, client_cert_cn, peer_uid,
        listener, table_size, table_rows;
    unsigned classes, not_classes; /* 0: not written */
    unsigned migrated;             /* bits of 1 << enum dg_migrated; 0: not written */
    int in_transaction;            /* POL_UNSET, 0, 1 */
    /* what it grants or asks for */
    int unmigrated, unparsable; /* enum dg_action or POL_UNSET */
    bool checks_off;
    struct pol_param *startup;
    size_t n_startup;
};

struct pol {
    struct ref ref;
    struct arena *arena; /* owned; everything below */
    const char *environment;
    enum pol_stage stage;
    unsigned migrate;
    bool is_observed;
    enum pol_scope scope;
    enum pol_wrap wrap;
    enum pol_exceptions exceptions;
    unsigned required; /* enum hist_tested */
    enum pol_unknown when_unknown;
    int64_t facts_timeout_ms;
    bool rewrites_migrated; /* statements of migration files, too */
    bool is_capturing;      /* unmigrated = capture, in this line: */
    struct pol_origin capture_at;
    struct map *baseline; /* owned; lines of the baseline file; NULL: none */
    struct pol_check_conf checks[POL_N_CHECKS];
    struct pol_access *accesses;
    size_t n_accesses;
};

/* --- judging -------------------------------------------------------------------------- */

struct pol_unit;
struct pol_shapes;
struct pol_flow;
struct pol_allows;

/* One call of pol_judge_text or pol_judge_unit. */
struct pol_run {
    const struct pol *pol;
    const struct pol_session *session; /* NULL for a unit */
    const struct pol_text *text;
    struct pol_unit *unit;
    struct pol_shapes *shapes;
    struct pol_flow *flow;
    struct pol_allows *allows; /* exceptions of the file; NULL for a text of the wire */
    struct pol_findings *out;
    struct pol_path path;
    bool is_path_moved; /* the text itself changed what unqualified names mean */
    size_t *reported;   /* per access section: statement it was reported for, plus 1 */
    size_t n_free,
        n_bound; /* statements that no migration has to explain; the others */
    /* of the fact being judged */
    size_t fact;
    const struct pol_access *granted; /* the section that let it pass, or NULL */
    enum pol_check check;
    /* last statement that migration-first, and last migration that another history check,
     * spoke of */
    size_t first_stmt; /* plus 1 */
    const struct hist_migration *spoken[POL_N_CHECKS];
    bool once[POL_N_CHECKS]; /* for checks that speak once in a text */
};

/* What a check found. Texts may live anywhere until the call returns, or in the findings'
 * arena; NULL where there is nothing to say. */
struct pol_report {
    const char *message, *detail, *hint;
    /* the name that it should have, where none is written; or what its safe form takes */
    const char *wanted;
    const char *no_rewrite; /* why it has no safe form that can be made by itself */
    const struct pol_live_relation *relation; /* that its safe form is built from */
    const struct sql_object *object;
    const char *column;
    int at;               /* byte offset plus 1; 0: the statement's */
    const char *sqlstate; /* of a rejection; NULL: 42501 */
    bool is_limited;      /* the action may not exceed at_most */
    enum dg_action at_most;
    bool is_captured;
};

#define POL_REPORT(...) (&(struct pol_report){ __VA_ARGS__ })

/* May the running check still add something? False if it is off for this fact, or there are
 * so many findings that one more of its action would change nothing. Asked before a finding
 * is put into words, since a client may send a million bad statements. */
bool pol_is_worth(const struct pol_run *r);
/* Adds a finding of the check that runs, with its configured action and texts. */
void pol_report(struct pol_run *r, const struct pol_report *report);
/* Adds a finding of an access section. */
void pol_report_access(struct pol_run *r, const struct pol_access *a);

/* unparsable-statement about a statement of a unit that changes no schema: a slip in the
 * file, or newer syntax. A warning at most, of queries a note. */
void pol_report_unread(struct pol_run *r, const struct sql_facts *f);

/* Asks the access sections about r->fact: reports what they say, sets r->granted. */
void pol_access_judge(struct pol_run *r);
/* Would the session keys of a section match? (For startup parameters.) */
enum pol_truth pol_access_session(
    const struct pol *p, const struct pol_access *a, const struct pol_session *s);

typedef void pol_check_fn(struct pol_run *r, const struct sql_facts *f);
#define POL_CHECK(                                                             \
    symbol, id, group, dev, stg, prod, scope, when, function, params, summary) \
    POL_CHECK_FN_##when(function)
#define POL_CHECK_FN_STATIC(function)  pol_check_fn function;
#define POL_CHECK_FN_LIVE(function)    pol_check_fn function;
#define POL_CHECK_FN_FILE(function)    pol_check_fn function;
#define POL_CHECK_FN_END(function)     pol_check_fn function;
#define POL_CHECK_FN_HISTORY(function) pol_check_fn function;
#define POL_CHECK_FN_ALWAYS(function)  pol_check_fn function;
#define POL_CHECK_FN_SESSION(function)
#define POL_CHECK_FN_EXEMPT(function)
#include "ddlgate/tbl/checks.h"

struct pol_check_row {
    struct pol_check_info info;
    enum pol_scope scope; /* the weakest [policy] checks under which it runs unasked */
    enum pol_when_runs when;
    pol_check_fn *fn;
};
const struct pol_check_row *pol_check_row(enum pol_check check);
/* By id; false if there is none. */
bool pol_check_find(struct str id, enum pol_check *out);
/* May its action be `rewrite`? (rewrite.c) */
bool pol_check_may_rewrite(enum pol_check check);

/* idle.c: the statement that was just judged; what is locked by it counts for
 * idle-after-ddl. */
void pol_idle_note(struct pol_run *r, const struct sql_facts *f);

/* --- small questions ------------------------------------------------------------------ */

static inline const struct sql_facts *
pol_fact(const struct pol_run *r)
{
    return &r->text->tree->facts[r->fact];
}

/* What is known of the fact's history; NULL where none was given. */
static inline const struct pol_history *
pol_fact_history(const struct pol_run *r)
{
    return r->text->history ? &r->text->history[r->fact] : NULL;
}

static inline struct arena *
pol_arena(struct pol_run *r)
{
    return r->out->arena;
}

/* Temporary, and no shadow of a history table. */
static inline bool
pol_is_temp(const struct sql_facts *f)
{
    return (f->flags & SQL_F_TEMP) && f->cls != DG_HISTORY;
}

/* Is the object one that the running check's `except` names? */
bool pol_excepted(const struct pol_run *r, const struct sql_object *o);
/* The table a statement is about: its first object, a table or something like it. */
const struct sql_object *pol_table_of(const struct sql_facts *f);

/* Parameters of the running check. */
static inline const struct pol_value *
pol_param(const struct pol_run *r, enum pol_param_key key)
{
    return &r->pol->checks[r->check].params[key];
}

/* Does a glob of the parameter match? An empty list matches nothing. */
bool pol_param_has(const struct pol_run *r, enum pol_param_key key, const char *name);

#endif
