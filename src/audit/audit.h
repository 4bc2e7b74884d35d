// SPDX-License-Identifier: ISC
/* The audit: JSON lines, append only, chained by SHA-256, one locked file per process, one
 * writer thread with group commit (design part 8, invariant 5).
 *
 * A record is rendered on the caller's thread, queued, and written by the writer thread,
 * which adds event.sequence, event.id and ddlgate.prev.hash (the SHA-256 of the previous line without its
 * newline; of the last line of the previous file after a rotation or restart). Records
 * that wait for the disk share one fdatasync. After a failed write or sync the file is no
 * longer trusted: a new one is opened (retried every second), an audit.gap record tells,
 * and until then aud_write fails its records, so that schema changes stop.
 *
 * At open a torn last line is cut off and reported by audit.gap, and every intent without
 * outcome in the newest file gets an outcome `unknown`. */
#ifndef DG_AUDIT_AUDIT_H
#define DG_AUDIT_AUDIT_H

#include "base/clk.h"
#include "base/err.h"
#include "base/str.h"
#include "base/task.h"
#include "ddlgate/decision.h"

enum aud_event {
    AUD_SESSION_START, /* DG00 */
    AUD_SESSION_END,   /* DG01 */
    AUD_INTENT,        /* DG10I */
    AUD_DECISION,      /* DG20I, DG20W: refused, or would be (observe) */
    AUD_OUTCOME,       /* DG30I, E, W */
    AUD_RELOAD,        /* DG50I, DG50W */
    AUD_GAP,           /* DG70E */
    AUD_MALFORMED,     /* DG80W */
};

enum aud_outcome {
    AUD_NONE,
    AUD_COMMITTED, AUD_ROLLED_BACK, AUD_FAILED, AUD_SKIPPED, AUD_CANCELLED,
    AUD_EXECUTED, /* inside an open transaction; a later record tells its end */
    AUD_UNKNOWN,
};

/* Everything is borrowed and copied by aud_write; NULL and 0 are left out. */
struct aud_rec {
    enum aud_event event;
    enum aud_outcome outcome;
    enum dg_action decision;
    bool is_observed;   /* mode = observe: not enforced */
    const char *reason; /* event.reason: "rule migration-first" */
    /* session */
    const char *session_id, *user, *database, *client_addr, *application_name;
    int client_port;
    const char *server_addr;
    int server_port;
    uint32_t server_pid;
    /* statement */
    const char *intent_id;   /* ties outcome to intent */
    const char *request_id;  /* as in the message to the client */
    uint64_t statement_id;   /* counts the client's messages */
    unsigned substatement_id; /* statement in its text, from 0 */
    const char *command;     /* "ALTER TABLE" */
    const char *object_type, *object; /* "TABLE", "public.orders" */
    const char *cls;         /* "ddl" */
    const char *text;        /* already redacted and cut */
    bool is_text_cut;
    const char *digest;      /* hex */
    const char *sqlstate;
    const char *rule;        /* rule.name */
    const char *rule_set;    /* "staging.ini:41" */
    const char *environment;
    const char *migration_source, *migration_version, *migration_file;
    const char *findings;    /* one text, a finding a line */
    int64_t duration_us;
};

struct aud_conf {
    const char *path;
    bool is_durable;
    uint64_t rotate_bytes;
    int64_t rotate_ms; /* 0: never */
};

struct aud;

/* Locks the file (a second process appends ".<pid>" to the name), repairs, starts the
 * writer thread. A file that can't be opened is an error here; later it is a gap. */
int aud_open(const struct aud_conf *conf, const struct clk *clk, struct aud **out,
    struct err *err) MUST_CHECK;
void aud_close(struct aud *a); /* writes what is queued, syncs, joins */

/* A waiter gets its own result posted as a task on its queue once the record is written
 * (and on disk in durable mode). Embedded in the caller's object, which must live on. */
struct aud_wait {
    struct task task;          /* run is the caller's */
    struct task_queue *queue;  /* where task is posted */
    int result;                /* 0 or -errno, valid when task runs */
};

/* Queues one record. wait may be NULL. Returns 0 (taken; wait will be answered) or
 * -errno at once while the file can't be written or AUD_E_FULL (queue limit 64 MiB): not
 * taken, wait is not answered.  thread: any */
enum {
    AUD_E_FULL = 1,
};
int aud_write(struct aud *a, const struct aud_rec *rec, struct aud_wait *wait) MUST_CHECK;
bool aud_is_writable(const struct aud *a); /* thread: any */
void aud_reopen(struct aud *a); /* SIGHUP: after logrotate; thread: any */

struct aud_stats {
    uint64_t records, syncs, failures;
};
void aud_get_stats(const struct aud *a, struct aud_stats *out); /* thread: any */

/* --- reading -------------------------------------------------------------------------- */

struct aud_verify {
    uint64_t records, files;
    uint64_t open_intents; /* intents without an outcome */
    char last_hash[65];
};
/* Checks files in the order given: every line parses, each prev.hash is right, sequence
 * grows by one, no torn end. 0, or -EBADMSG with err "file:line: ...". */
int aud_verify(const char *const *files, size_t n, struct aud_verify *out, struct err *err)
    MUST_CHECK;

const char *aud_event_code(enum aud_event e, enum aud_outcome o, enum dg_action d);
const char *aud_outcome_name(enum aud_outcome o); /* "rolled back" */

#endif
