// SPDX-License-Identifier: ISC
/* The audit: JSON lines, append only, chained by SHA-256, one locked file per process, one
 * writer thread with group commit (design part 8, invariant 5).
 *
 * A record is rendered on the caller's thread, queued, and written by the writer thread,
 * which adds event.sequence, event.id and ddlgate.prev.hash (the SHA-256 of the previous line without its
 * newline; of the last line of the previous file after a rotation or restart). Records
 * that wait for the disk share one fdatasync. After a failed write or sync the file is no
 * longer trusted: it is renamed and a new one opened (at once, then retried every second),
 * whose first record, audit.gap, tells; until then aud_write fails its records, so that
 * schema changes stop. Outcomes are the exception: what they tell has happened already, so
 * they are kept in memory and written after the gap.
 *
 * Files: FILE is written; FILE.<UTC time> were rotated; FILE.new exists only while one is
 * made. The first record of a new file lists the intents that are still open, so that FILE
 * alone tells what a crashed gate left behind.
 *
 * At open a torn last line is cut off and reported by audit.gap, and every intent without
 * outcome gets an outcome `unknown`; likewise in FILE.<pid> of a second process that is
 * gone. */
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
    AUD_RELOAD,        /* DG50I, DG50W: outcome AUD_FAILED, the old policy runs on */
    AUD_GAP,           /* DG70E: written by this module only */
    AUD_MALFORMED,     /* DG80W */
    AUD_AUTH_FAILURE,  /* DG02W */
    AUD_APPROVAL,      /* DG40I, DG40W: decision DG_ALLOW approved, DG_REJECT denied */
    AUD_ROTATED,       /* DG71I: written by this module only */
    AUD_IDLE, /* DG25I, DG25W: a transaction idle behind a change; W: ended, or would be */
    AUD_CAPTURE, /* DG61I, DG61W: a migration file was made, or could not be made */
};

enum aud_outcome {
    AUD_NONE,
    AUD_COMMITTED,
    AUD_ROLLED_BACK,
    AUD_FAILED,
    AUD_SKIPPED,
    AUD_CANCELLED,
    AUD_EXECUTED, /* inside an open transaction; a later record tells its end */
    AUD_UNKNOWN,
};

/* Where the session stood when it sent the statement. */
enum aud_tx {
    AUD_TX_UNTOLD,
    AUD_TX_OUTSIDE,
    AUD_TX_INSIDE,
};

/* Everything is borrowed and copied by aud_write; NULL and 0 are left out, but for the
 * decision of intents, decisions and approvals and the substatement of a statement.
 * text is cut at 16 MiB, findings, reason and object at 64 KiB, the rest at 4 KiB. */
struct aud_rec {
    enum aud_event event;
    enum aud_outcome outcome;
    enum dg_action decision;
    bool is_observed;   /* mode = observe: not enforced */
    const char *reason; /* event.reason: "rule migration-first" */
    /* session */
    const char *session_id, *user, *database, *client_addr, *application_name;
    const char *tls_version, *tls_cipher, *tls_subject; /* of the client's connection */
    int client_port;
    const char *server_addr;
    int server_port;
    uint32_t server_pid;
    /* statement */
    const char *intent_id;            /* ties outcome to intent */
    const char *request_id;           /* as in the message to the client */
    uint64_t statement_id;            /* counts the client's messages */
    unsigned substatement_id;         /* statement in its text, from 0 */
    const char *command;              /* "ALTER TABLE" */
    const char *object_type, *object; /* "TABLE", "public.orders" */
    const char *cls;                  /* "ddl" */
    const char *text;                 /* already redacted and cut */
    bool is_text_cut;
    uint64_t text_bytes; /* length of the whole text, when it was cut */
    const char *digest;  /* hex */
    /* What was sent instead, redacted and cut likewise; what was set around it; what is
     * left to do. */
    const char *rewritten_text, *rewritten_settings, *rewritten_follow_up;
    const char *sqlstate;
    const char *rule;     /* rule.name */
    const char *rule_set; /* "staging.ini:41" */
    const char *environment;
    const char *migration_source, *migration_version, *migration_file;
    const char *findings; /* one text, a finding a line */
    int64_t duration_us;
    /* what a replay needs to judge the statement again */
    const char *tls_cn, *listener, *peer_uid; /* peer_uid: decimal */
    int server_version;                       /* 150020 */
    enum aud_tx tx;
    const char *search_path;
    bool is_non_std_strings;                   /* standard_conforming_strings was off */
    const char *query_error;                   /* why the text can't be read */
    const char *history_match, *history_write; /* words of history/audited.h */
    const char *history_edited, *history_missing;
    /* A refused text of several statements, redacted, and a line for each of them: its
     * history_match, and the version behind a space. */
    const char *request_text, *request_history;
    bool is_request_cut;
};

struct aud_conf {
    const char *path;
    bool is_durable;
    uint64_t rotate_bytes; /* 0: never; a file may be larger by one batch */
    int64_t rotate_ms;     /* 0: never; age of the file's first record */
};

struct aud;

/* Locks the file (a second process appends ".<pid>" to the name), repairs, starts the
 * writer thread. A file that can't be opened is an error here; later it is a gap. */
int aud_open(const struct aud_conf *conf, const struct clk *clk, struct aud **out,
    struct err *err) MUST_CHECK;
/* Writes what is queued, syncs, joins. Every waiter has been answered (its task posted)
 * when it returns. NULL is fine. */
void aud_close(struct aud *a);

/* A waiter gets its own result posted as a task on its queue once the record is written
 * (and on disk in durable mode). Embedded in the caller's object, which must live on. */
struct aud_wait {
    struct task task;         /* run is the caller's */
    struct task_queue *queue; /* where task is posted */
    int result;               /* 0 or -errno, valid when task runs */
};

/* Queues one record; never blocks. wait may be NULL. Returns 0 (taken; wait will be
 * answered) or, not taken and wait not answered, AUD_E_FULL (queue limit 64 MiB) or -errno
 * at once while the file can't be written (the errno of the write that failed).
 * While the file can't be written an outcome is taken all the same: its waiter gets -errno
 * now, the record is written after the gap.  thread: any */
enum {
    AUD_E_FULL = 1,
};
int
aud_write(struct aud *a, const struct aud_rec *rec, struct aud_wait *wait) MUST_CHECK;
bool aud_is_writable(const struct aud *a); /* thread: any */
/* SIGHUP: when the file was moved away (logrotate), a new one is made; thread: any */
void aud_reopen(struct aud *a);
/* The name in use, with ".<pid>" if another process holds the configured one. Valid until
 * aud_close, and fixed but for the rare case that another process took the name while
 * the file was away.  thread: the one that opened */
const char *aud_path(const struct aud *a);

struct aud_stats {
    uint64_t records, syncs, failures;
};
void aud_get_stats(const struct aud *a, struct aud_stats *out); /* thread: any */

/* --- reading -------------------------------------------------------------------------- */

struct aud_verify {
    uint64_t records, files;
    uint64_t open_intents; /* intents without an outcome */
    char last_hash[65];    /* all zero if there is no record */
    uint64_t first_sequence, last_sequence;
    uint64_t gaps; /* audit.gap records */
    uint64_t
        untrusted;   /* lines after a failed write, disowned by the gap that follows */
    bool has_anchor; /* the line asked for was met */
};
/* Checks files in the order given: every line parses, each prev.hash is right, sequence
 * grows by one, no torn end (but for the line that a running gate is writing right now).
 * A chain can't show that its own last lines are missing or that the last one was edited:
 * for that, keep last_hash elsewhere and give it as anchor.
 * anchor: NULL, or the SHA-256 in hex of a line that must be there.
 * 0, or -EBADMSG with err "file:line: ...", or -errno when a file can't be read. */
int aud_verify(const char *const *files, size_t n, struct aud_verify *out,
    struct err *err) MUST_CHECK;
int aud_verify_anchored(const char *const *files, size_t n, const char *anchor,
    struct aud_verify *out, struct err *err) MUST_CHECK;

const char *aud_event_code(enum aud_event e, enum aud_outcome o, enum dg_action d);
const char *aud_event_action(enum aud_event e);   /* "ddl.intent" */
const char *aud_outcome_name(enum aud_outcome o); /* "rolled back"; NULL for AUD_NONE */

#endif
