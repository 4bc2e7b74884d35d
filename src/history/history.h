// SPDX-License-Identifier: ISC
/* Migrations and history: which statements the files list, which of them this database has
 * seen, and whether a history row is honest (design part 6).
 *
 * A hist_set is what the files say (immutable after load, shared by all threads); a
 * hist_view is the set with one reading of one database's history table. Table rows are
 * fed in by the caller, never fetched here. Matching is by digest over a set, not a
 * cursor, so that retries, resumed runs and replicas need no state.
 *
 * Tools differ in struct hist_source_ops, one file per family. */
#ifndef DG_HISTORY_HISTORY_H
#define DG_HISTORY_HISTORY_H

#include "base/buf.h"
#include "base/cell.h"
#include "base/err.h"
#include "base/task.h"
#include "ddlgate/rows.h"
#include "sql/tree.h"

/* A file is read at once and may need sixty times its size while it is parsed. */
#define HIST_MAX_FILE_BYTES ((size_t)32 << 20)
#define HIST_MAX_LOCK_BYTES ((size_t)64 << 20) /* a lockfile, parsed piece by piece */

enum hist_repeat {
    HIST_REPEAT_NONE,
    HIST_REPEAT_CREATE, /* CREATE ... IF NOT EXISTS, ADD COLUMN IF NOT EXISTS pass again */
    HIST_REPEAT_ALL,
};

/* One [migrations NAME] section. */
struct hist_conf {
    const char *name;
    const char *format; /* "numbered-sql", "flyway", ... "lockfile" */
    const char *path;   /* folder or lockfile, absolute or relative to the working
                         * directory */
    const char *shown;  /* how messages to clients name it; NULL: path */
    const char *history_schema; /* NULL: as written in history_table, else "public" */
    const char *history_table;  /* "x" or "schema.x"; NULL: the format's default */
    const char *history_owner;  /* roles that may own it, globs; NULL: not checked */
    const char *unrelated_schemas; /* whose tables of its name are none of the history's
                                    * business, globs; NULL: none */
    const char *search_path;       /* NULL: not checked */
    const char *baseline; /* versions up to this count as applied; NULL: none */
    enum hist_repeat repeat;
    const char *const *placeholders; /* name, value, name, value, ... */
    size_t n_placeholders;
    const char *file; /* of the section, for errors */
    int line;
};

enum {
    HIST_S_TRACKED = 1 << 0, /* anything but plain queries and transaction control */
    HIST_S_CHANGE =
        1 << 1, /* holds a fact of class DG_MIGRATE_DEFAULT, not temporary */
    HIST_S_CREATES = 1 << 2, /* CREATE ... IF NOT EXISTS, ADD COLUMN IF NOT EXISTS */
};

/* What the index knows about one statement of a file; as many as scan.n. */
struct hist_stmt {
    unsigned flags;  /* HIST_S_* */
    uint32_t digest; /* number of its digest in the set's index */
    uint32_t nth;    /* how many times the digest stands before it in the same file */
};

#define HIST_NONE SIZE_MAX

struct hist_locked;
struct hist_sent;

struct hist_migration {
    size_t index; /* in the set, in order of application */
    size_t pair;  /* index of its rollback, or of what it rolls back; HIST_NONE */
    const char *version; /* as the history table holds it; NULL: repeatable */
    const char *name;    /* description */
    const char
        *id; /* the tool's own, where the version alone doesn't say it; or NULL */
    const char *file;  /* path below the source's folder */
    const char *path;  /* with the folder, for errors at load */
    const char *shown; /* the same as clients read it: as the configuration writes it */
    const char *checksum; /* as the history table holds it; NULL: the tool has none */
    bool is_repeatable;
    bool is_down;    /* a rollback */
    bool is_no_tx;   /* runs outside of a transaction block, as its file says or must */
    bool says_no_tx; /* ... as its file says */
    bool says_no_rollback; /* the file says in its tool's words that there is none */
    bool is_in_baseline;   /* counts as applied where there is no history */
    uint8_t digest[HASH_SHA256_SIZE]; /* of the file as it is; of the text where a file
                                       * holds several migrations */
    const char *text; /* what the tool sends: placeholders filled in, psql's backslash
                       * lines blanked; same line numbers as the file */
    size_t len;
    const struct hist_sent
        *sent; /* how it came from several files and variables; NULL: from the file */
    struct sql_scan scan; /* lines are those of the files */
    struct sql_tree *tree;
    struct hist_stmt *stmts;
    size_t n_schema_changes; /* statements with HIST_S_CHANGE */
    bool has_insert;         /* some statement inserts into the history table */
    const struct hist_locked
        *locked; /* of a lockfile: what it says of each statement */
    size_t n_locked;
    struct arena *arena; /* borrowed, the set's: everything above that is a pointer */
};

struct hist_tool;
struct hist_ops;

struct hist_set {
    struct ref ref;
    const struct hist_tool *tool; /* whose history it is */
    const struct hist_ops *ops;   /* how it is read */
    bool is_lockfile;
    struct hist_conf conf;             /* strings owned by the set */
    struct hist_migration *migrations; /* in order, rollbacks after all others */
    bool has_no_tx; /* some migration runs outside of a transaction */
    size_t n;       /* without the rollbacks */
    size_t n_all, cap;
    uint8_t digest[HASH_SHA256_SIZE]; /* of everything loaded, for status and logs */
    struct hist_index *index;         /* digest -> places */
    struct arena *arena;
    struct arena *arenas[TASK_MAX_THREADS]; /* what each parser made of its files */
};

/* Reads the folder. Errors (unreadable folder or file, a file that everybody may write, two
 * files with one version, a name the tool would skip, a broken text) name file and line;
 * nothing is loaded then. A name that looks almost like a migration is an error; other
 * files are ignored. A text that only the grammar rejects is none (its tree says so, policy
 * judges it). Parses on threads of its own and blocks until they are done.
 * thread: control or cli */
int hist_set_load(const struct hist_conf *conf, struct hist_set **out, struct err *err)
    MUST_CHECK;
/* A cheap fingerprint of the folder (names, sizes, mtimes), to notice changed files. */
int hist_set_stamp(const struct hist_conf *conf, uint8_t out[HASH_SHA256_SIZE],
    struct err *err) MUST_CHECK;
/* The name the next new file should have, with its folder: "db/migrations/V13__add_x.sql";
 * slug is made from the statement. */
void hist_next_file(
    const struct hist_set *set, const struct sql_facts *f, char *out, size_t size);
/* Is `name` the name of a format? */
bool hist_format_exists(const char *name);
/* The format of the i-th tool that the gate knows, NULL after the last one. */
const char *hist_format_name(size_t i);
/* The format of the tool whose history a set is about; of a lockfile, the tool it names. */
const char *hist_set_format(const struct hist_set *set);
/* How many of the columns (a comma list) are those of the set's history table; 0: it is
 * another tool's table. */
size_t hist_set_fit(const struct hist_set *set, const char *columns);
/* The history table's schema and name as a configuration would have them. */
void hist_table_text(const struct hist_set *set, struct buf *out);
/* The history table's bare name of a set, for the word filter. */
const char *hist_table_name(const struct hist_set *set);
/* Can a table written so be the set's history table? schema NULL: not written. */
bool hist_is_table(const struct hist_set *set, const char *schema, const char *table);
/* The INSERT by which the file of a migration records itself, with `;`, as its neighbours
 * write theirs; NULL: files of this format don't. In the arena. */
const char *hist_insert_of(
    const struct hist_set *set, const struct hist_migration *m, struct arena *a);
/* Does the tool write the row in the transaction of the migration itself? */
bool hist_is_same_tx(const struct hist_set *set);
/* ... or before the migration runs? */
bool hist_row_comes_first(const struct hist_set *set);

/* How a migration is taken back. */
struct hist_rollback {
    bool
        is_found; /* there are statements, or the file says in its tool's words that there
                    * are none */
    bool is_empty;      /* there is a file for it, without a statement */
    const char *wanted; /* what is missing, as people know it: a file, a section */
    const char *text;   /* of the rollback, as hist_migration's; NULL: none */
    size_t len;
};
/* False: the source has no way to say it, or m is no migration that is taken back: one of the
 * baseline, a repeatable one. wanted may be the arena's. */
bool hist_rollback_of(const struct hist_set *set, const struct hist_migration *m,
    struct arena *a, struct hist_rollback *out);
/* The same of a file that no source is known of: what its own name says. */
bool hist_rollback_beside(const char *path, struct arena *a, struct hist_rollback *out);

/* How the tool runs a migration, for those who do it in its place. */
enum hist_run {
    HIST_RUN_TX,    /* in a transaction of the tool's own */
    HIST_RUN_WHOLE, /* as one Query message, which is one transaction unless the file has
                       * its own */
    HIST_RUN_WRITTEN, /* statement by statement, as psql does */
};
enum hist_run hist_run_of(const struct hist_set *set, const struct hist_migration *m);
/* Appends the statement that makes the history table, if files of the set write rows into
 * it themselves and none makes it before. The tool would have made it. */
void hist_put_table(const struct hist_set *set, struct buf *sql);
/* Appends an SQL condition over n.nspname and c.relname: is it the history table or another
 * table of the tool's own? */
void hist_put_own_tables(const struct hist_set *set, struct buf *sql);
/* The rows after COPY ... FROM STDIN, which stmts' texts don't hold: read from the file
 * again. *data is owned by the caller. -EINVAL with err if there are none. */
int hist_copy_data(const struct hist_migration *m, size_t stmt, char **data, size_t *n,
    struct err *err) MUST_CHECK;

/* The file that a byte of m->text stands in, as clients read it. */
const char *
hist_shown_file(const struct hist_migration *m, size_t pos, struct arena *a);

/* One SQL file as psql would send it: backslash lines and COPY data blanked, files that it
 * runs (from its own folder or below) in their place. "-" is standard input. A variable
 * without a value stays. Everything is the arena's; *sent: as in struct hist_migration. */
int hist_file_read(const char *path, struct arena *a, const char **text, size_t *len,
    const struct hist_sent **sent, struct err *err) MUST_CHECK;
/* The text alone, owned by the caller. */
int
hist_file_text(const char *path, char **text, size_t *len, struct err *err) MUST_CHECK;

/* --- reading the history ------------------------------------------------------------- */

/* Two queries, run with an empty search_path: the first tells what the table is (one row:
 * relkind, its column names as a comma list, its owner; no row: no table), the second its rows.
 * thread: any */
void hist_query_table(const struct hist_set *set, struct buf *sql);
int hist_query_rows(const struct hist_set *set, const struct dg_rows *table,
    struct buf *sql, struct err *err)
    MUST_CHECK; /* HIST_E_NO_TABLE, or -EINVAL: not an ordinary table, or
                                  * columns that aren't this tool's (err says) */
enum {
    HIST_E_NO_TABLE = 1, /* nothing applied */
};

struct hist_view; /* immutable; starts with a struct ref: ref_take, ref_drop */
/* rows NULL: no table, nothing applied. read_us: wall clock of the reading. */
struct hist_view *
hist_view_new(struct hist_set *set, const struct dg_rows *rows, int64_t read_us);
const struct hist_set *hist_view_set(const struct hist_view *v);
int64_t hist_view_read_us(const struct hist_view *v);
/* Of a rollback: the state of what it rolls back. */
enum dg_migration_state hist_view_state(const struct hist_view *v, size_t migration);
/* Rows of the table without a file: *version and *name of the i-th. */
size_t hist_view_n_missing(const struct hist_view *v);
void hist_view_missing(
    const struct hist_view *v, size_t i, const char **version, const char **name);
/* The edited file that stands in the way of m: itself, or, for what has yet to be applied,
 * any: it would be applied to another schema than the files tell of. NULL: none. */
const struct hist_migration *
hist_view_edited(const struct hist_view *v, const struct hist_migration *m);
/* "V1..V12 applied, V13 pending" for a DETAIL line. */
void hist_view_summary(const struct hist_view *v, char *out, size_t size);

/* --- matching ------------------------------------------------------------------------- */

enum hist_match_kind {
    HIST_MATCH_NONE,           /* in no file */
    HIST_MATCH_PENDING,        /* pending or running: may run */
    HIST_MATCH_REPEAT,         /* of an applied migration, passes again by `repeat` */
    HIST_MATCH_APPLIED,        /* of an applied migration, does not pass again */
    HIST_MATCH_OUT_OF_ORDER,   /* pending, but below an applied version */
    HIST_MATCH_BLOCKED_FAILED, /* a failed row stands in the history (Flyway) */
    HIST_MATCH_OWN,            /* the tool's own bookkeeping */
    HIST_MATCH_DOWN,           /* rolls back an applied migration */
    HIST_MATCH_DOWN_BLOCKED, /* ... but not the newest one, or one that isn't applied */
};

struct hist_match {
    enum hist_match_kind kind;
    const struct hist_migration *migration;  /* NULL for NONE and OWN */
    size_t stmt;                             /* index in migration->scan */
    const struct hist_migration *blocked_by; /* DOWN_BLOCKED: the newer one, or NULL */
};

/* Is it a migration's, or the tool's own? Whether it may run now is for rules of their own:
 * migration-out-of-order, migration-failed-previous. */
static inline bool
hist_match_is_migrated(const struct hist_match *m)
{
    switch (m->kind) {
    case HIST_MATCH_PENDING:
    case HIST_MATCH_REPEAT:
    case HIST_MATCH_OUT_OF_ORDER:
    case HIST_MATCH_BLOCKED_FAILED:
    case HIST_MATCH_OWN:
    case HIST_MATCH_DOWN:
        return true;
    case HIST_MATCH_NONE:
    case HIST_MATCH_APPLIED:
    case HIST_MATCH_DOWN_BLOCKED:
        break;
    }
    return false;
}

/* Where does a statement of the client stand? f is its outermost fact. thread: any */
struct hist_match hist_match(const struct hist_view *v, const struct sql_facts *f,
    const struct sql_digest *digest);

/* What a transaction has run so far, for sources whose row stands in the same transaction.
 * Belongs to a session, lives for one transaction. Runs are counted by digest: a statement
 * that several pending files share counts for each of them. */
struct hist_tx;
struct hist_tx *hist_tx_new(const struct hist_view *v); /* takes its own reference */
void hist_tx_free(struct hist_tx *tx);
CLEANUP_DEFINE(struct hist_tx *, hist_tx_free)
void
hist_tx_ran(struct hist_tx *tx, const struct hist_match *m); /* after its success */
/* The applied migration that has to be rolled back before `down` may run: a newer one whose
 * rollback has not begun in this transaction. NULL: none. */
const struct hist_migration *
hist_tx_newer(const struct hist_tx *tx, const struct hist_migration *down);
/* Have all schema changes of the migration run in this transaction? */
bool hist_tx_is_complete(const struct hist_tx *tx, const struct hist_migration *m);
/* Savepoints, after the server's success: what ran since the savepoint of this name (the
 * latest one; all of it if the name is unknown, since it may be older than tx) is undone by
 * rollback_to. Names are cut at 63 bytes as the server does. */
void hist_tx_savepoint(struct hist_tx *tx, const char *name);
void hist_tx_release(struct hist_tx *tx, const char *name);
void hist_tx_rollback_to(struct hist_tx *tx, const char *name);

/* A bound parameter as the client sent it. */
struct hist_bind {
    const char *p; /* NULL: SQL null */
    size_t n;
    bool is_binary;
};

enum hist_write_verdict {
    HIST_WRITE_OK,
    HIST_WRITE_NOT_SEEN_RUN, /* honest values, another session ran it: audited as "recorded
                              * without being seen to run" */
    HIST_WRITE_TOO_EARLY, /* same-tx source, and its schema changes have not run here */
    HIST_WRITE_FORGED,    /* no known file has these values, or the wrong operation */
    HIST_WRITE_NEEDS_BINDS, /* values come with Bind, or with COPY's data: ask again then */
};

/* Judges a write of the history table (f->write, or a shadow of it: class history without a
 * write). binds NULL at Parse time. tx NULL: nothing ran. match: the statement's own match
 * (a file may contain its own row); NULL: none. reason is filled for every verdict but OK.
 * *mig (may be NULL) is the migration the first row speaks of, or NULL. A table of another
 * name is OK with *mig NULL, and so is one of another schema that can't be taken for the
 * history: one that unrelated_schemas names, or whose written columns are not a history's. */
enum hist_write_verdict
hist_check_write(const struct hist_view *v, const struct sql_facts *f,
    const struct hist_match *match, const struct hist_bind *binds, size_t n_binds,
    const struct hist_tx *tx, const struct hist_migration **mig, struct err *reason);

/* The rows of a COPY ... FROM STDIN of the history table (f->write->copy is set), read from
 * its data as one piece: an INSERT of the same rows for hist_check_write and the others.
 * Texts live in the arena. -EINVAL: they can't be read as the server will read them. */
struct hist_copy {
    const struct sql_facts *facts; /* NULL: no row */
    const struct hist_bind *binds;
    size_t n_binds, n_rows;
};
int hist_copy_rows(struct arena *a, const struct sql_facts *f, struct str data,
    struct hist_copy *out, struct err *err) MUST_CHECK;

/* Calls fn for each migration that the write makes or keeps a row of, and for each rollback
 * whose migration's row it takes back. */
void hist_each_written(const struct hist_view *v, const struct sql_facts *f,
    const struct hist_match *match, const struct hist_bind *binds, size_t n_binds,
    void (*fn)(void *ctx, const struct hist_migration *m), void *ctx);
/* A row of m was written in this transaction; of a rollback, taken back. */
void hist_tx_recorded(struct hist_tx *tx, const struct hist_migration *m);
/* The write succeeded: the migrations of its rows are recorded in this transaction. */
void hist_tx_wrote(struct hist_tx *tx, const struct sql_facts *f,
    const struct hist_match *match, const struct hist_bind *binds, size_t n_binds);
/* At COMMIT of a same-tx source: the first migration that ran here, pending, and whose row
 * was not written here, or rollback that ran here and whose row was not taken back; NULL:
 * none. Files that run outside of a transaction are left out.
 * why says what is missing. */
const struct hist_migration *
hist_tx_unrecorded(const struct hist_tx *tx, struct err *why);

#endif
