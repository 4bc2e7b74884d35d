// SPDX-License-Identifier: ISC
/* What the gate knows of one session: who it is, how the server reads its texts, what its
 * transaction did so far, which prepared statements are schema changes.
 * thread: the worker that owns the session */
#ifndef DG_GATE_CLIENT_H
#define DG_GATE_CLIENT_H

#include "audit/audit.h"
#include "base/map.h"
#include "gate/snapshot.h"
#include "gate/text.h"

#include <limits.h>

/* A reading of the history, asked by a worker, answered by the control thread. The object
 * travels both ways as a task; task.run is the asker's when it asks. */
struct gate_history_ask {
    struct task task;
    struct task_queue *queue;            /* of the asker; where the answer is posted */
    void *owner;                         /* the asker's */
    void *service;                       /* the service's */
    void (*answered)(struct task *task); /* the asker's run, kept by the service */
    char *database;                      /* owned */
    struct gate_snapshot
        *snap;              /* answer: the snapshot it was read for; owned reference */
    struct hist_view *view; /* answer: owned reference; NULL: why tells */
    struct err why;
};

struct gate_trail;

/* Live facts, asked by a worker and answered by the control thread in the same way. */
struct gate_live_ask {
    struct task task;
    struct task_queue *queue;
    void *owner, *service;
    void (*answered)(struct task *task);
    struct gate_snapshot *snap; /* owned reference: whose configuration counts */
    char *database;             /* owned */
    struct arena *arena;        /* owned; path and wants */
    struct pol_live_path path;
    struct pol_want *wants;
    size_t n_wants;
    int64_t timeout_ms;
    struct pol_live *live; /* answer: owned reference, never NULL */
};

/* Services and shared state of one worker thread. */
struct gate_env {
    struct gate_snapshot *snap; /* current; swapped on this thread only; owned */
    struct aud *audit;
    struct task_queue *queue; /* this worker's */
    struct task_pool *parsers;
    const struct clk *clk;
    void (*read_history)(void *ctx, struct gate_history_ask *ask); /* thread-safe */
    /* The server has committed a transaction: what it ran (gate/trail.h). Called on this
     * thread; NULL: nobody wants to know. */
    void (*committed)(void *ctx, struct gate_trail *trail);
    unsigned trail_wants; /* GATE_TRAIL_* */
    void (*read_live)(
        void *ctx, struct gate_live_ask *ask); /* likewise; NULL: nobody */
    void (*note_change)(
        void *ctx); /* a schema change was sent, or is over; thread-safe */
    void *ctx;
    bool is_stopped; /* the services are gone: judgements under way end as they stand */
    struct gate_stats stats;
};

/* What this transaction sent to the server, in the client's order: statements of
 * migrations, their rows in the history, and the savepoint commands between them. */
struct gate_ran {
    struct hist_match match;
    const struct hist_migration
        *recorded;  /* whose row was written; match is empty then */
    enum sql_tx tx; /* SAVEPOINT, RELEASE, ROLLBACK_TO; match is empty then */
    char *name;     /* of the savepoint; owned */
    bool is_free;   /* by leave of an access section: no row is due for it */
};

/* Where a Parse, a Close or a text stands: its unit (everything up to a ReadyForQuery) and
 * its number among the extended messages of the unit. The server answers these in order up
 * to the first error, so the number tells whether a message of a failed unit took effect;
 * of what a Query did before it failed nobody can tell. */
#define GATE_IN_QUERY UINT_MAX
#define GATE_ALL_DONE UINT_MAX
struct gate_place {
    uint64_t unit;
    unsigned message; /* or GATE_IN_QUERY */
};

/* A prepared statement that matters: what its name may mean. More than one candidate while
 * it isn't known whether a later Parse of the same name went through. */
struct gate_prepared {
    struct gate_text *text;  /* owned reference; NULL: an untracked text */
    bool is_tx;              /* BEGIN and the like: can't change how texts are read */
    struct gate_place place; /* unit 0: settled */
    struct gate_prepared *next;
};

/* Migrations under way whose judgement is kept. */
#define GATE_MAX_JUDGED 4

struct gate_judged;

struct gate_client {
    struct gate_env *env;
    char session_id[17];
    char *database, *role, *application_name; /* owned */
    char *client_addr, *server_addr;          /* owned */
    int client_port, server_port;
    /* Of the client's connection, borrowed from it; NULL: plain, no certificate. */
    const char *tls_version, *tls_cipher, *tls_subject, *tls_cn;
    char *listener;    /* owned; the address that the client reached, as text */
    char peer_uid[12]; /* of the process at a unix socket's other end; "": none */
    uint32_t server_pid;
    int server_version;
    bool std_strings, is_safe_encoding;
    char *
        search_path; /* owned; as last set by a literal; NULL: not set by the session */
    bool is_path_unknown; /* set to something that can't be known */
    char *login_path;     /* owned; of the startup packet: RESET ALL brings it back */
    bool is_path_local;   /* by SET LOCAL: what was before comes back with the end */
    bool is_path_in_tx;   /* in a transaction block: its end decides */
    char *path_before;    /* owned; of is_path_local */
    char tx_status;       /* I, T, E as of the last ReadyForQuery */
    uint64_t n_messages;
    /* of the current transaction */
    struct hist_view *view;          /* owned; NULL: not read yet */
    struct gate_snapshot *view_snap; /* owned; view's findings stand in it */
    struct gate_ran *ran;            /* owned */
    size_t n_ran, cap_ran;
    bool holds_change;  /* a schema change was forwarded: watch transaction words */
    bool has_ended;     /* in the unit under way a COMMIT or ROLLBACK was forwarded */
    bool has_rolled_to; /* ... or a ROLLBACK TO: tx_status E may be T by now */
    bool is_tx_unsure;  /* has_ended, but the server skipped it: what the transaction
                         * holds is forgotten here */
    struct map *temps;  /* names the session made temporary; NULL: none */
    size_t n_unsettled; /* entries of prepared whose unit is not answered */
    /* What the steps of open transactions cost (gate/trail.h). */
    size_t n_steps, step_bytes;
    struct pol_made *made; /* owned; tables that the transaction made; NULL: none */
    struct gate_judged
        *judged[GATE_MAX_JUDGED]; /* owned references, newest first; see gate/live.h */
    char *announced; /* owned; the file that the client was told of; NULL: none yet */
    struct map
        *prepared; /* name -> struct gate_prepared list; NULL while there is none */
};

void gate_client_init(struct gate_client *c, struct gate_env *env);
void gate_client_deinit(struct gate_client *c);

/* ParameterStatus from the server. */
void gate_client_parameter(struct gate_client *c, const char *name, const char *value);
/* The startup packet sets search_path; NULL: it doesn't. */
void gate_client_login_path(struct gate_client *c, const char *path);
/* A text that was forwarded changes a setting (f->setting; NULL: which one is unknown);
 * is_alone: outside a transaction block it holds at once. */
void
gate_client_setting(struct gate_client *c, const struct sql_facts *f, bool is_alone);
/* ReadyForQuery: with status I the transaction is over and everything of it forgotten. */
void gate_client_ready(struct gate_client *c, char status);
/* A transaction ended in the middle of a batch or text. */
void gate_client_tx_ended(struct gate_client *c);
/* The unit under way failed: what it had yet to do is skipped. */
void gate_client_failed(struct gate_client *c);
/* The history is read anew: what ran refers to files as they were read before. */
void gate_client_forget_view(struct gate_client *c);
/* The word groups that matter now. */
unsigned gate_client_watch(const struct gate_client *c);
void gate_client_pol_session(const struct gate_client *c, struct pol_session *out);

/* Prepared statements. text NULL: an untracked one takes the name, or the name is closed.
 * As the server does, names are compared by their first GATE_MAX_NAME bytes. It compares
 * them in its own encoding: names with other characters than ASCII, which client_encoding
 * may spell in several ways, are all taken for one that nobody can read. */
#define GATE_MAX_NAME 63
/* Names that are kept at most, and texts that one name may mean at most: what goes beyond
 * counts as a text that nobody can read. */
#define GATE_MAX_PREPARED   8192
#define GATE_MAX_CANDIDATES 8
void gate_prepared_set(struct gate_client *c, struct str name, struct gate_text *text,
    bool is_tx, struct gate_place place);
void gate_prepared_clear(struct gate_client *c, uint64_t unit); /* DEALLOCATE ALL */
/* All units up to this one are answered; n_done: messages of it that took effect, from the
 * first one, or GATE_ALL_DONE. */
void gate_prepared_unit_done(struct gate_client *c, uint64_t unit, unsigned n_done);
/* What Bind or EXECUTE of name may mean: fills out (borrowed), GATE_MAX_CANDIDATES long,
 * returns their number. unit: of the Bind, 0 for EXECUTE. *is_tx: surely a harmless
 * transaction statement. */
size_t gate_prepared_get(const struct gate_client *c, struct str name, uint64_t unit,
    struct gate_text **out, bool *is_tx);

/* Is it sure what Bind of name in this unit means, though not all before it is answered? */
bool gate_prepared_is_sure(const struct gate_client *c, struct str name, uint64_t unit);

#define GATE_SHARED_NAME "\x80"

static inline struct str
gate_name(struct str name)
{
    size_t n = name.n < GATE_MAX_NAME ? name.n : GATE_MAX_NAME;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)name.p[i] >= 0x80)
            return STR(GATE_SHARED_NAME);
    }
    return (struct str){ name.p, n };
}

static inline bool
gate_name_is_shared(struct str name)
{
    return str_eqz(name, GATE_SHARED_NAME);
}

#endif
