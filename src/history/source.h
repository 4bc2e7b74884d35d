// SPDX-License-Identifier: ISC
/* What the gate knows of a migration tool, and what the files of this folder share. Nobody
 * outside includes this.
 *
 * A tool is a row of the table in tools.c: names of its files, how its history table looks,
 * when it writes a row, its checksum. Everything that reads such rows is shared (names.c,
 * section.c, sums.c, rows.c, own.c). Where a tool really differs, its row names a struct
 * hist_ops with functions of its own, in a file of its family. */
#ifndef DG_HISTORY_SOURCE_H
#define DG_HISTORY_SOURCE_H

#include "base/map.h"
#include "base/mem.h"
#include "history/history.h"

/* --- tools (tools.c) ------------------------------------------------------------------- */

/* How the tool writes its history row, relative to the migration's own transaction. */
enum hist_row_mode {
    HIST_ROW_SAME_TX,
    HIST_ROW_BEFORE,
    HIST_ROW_AFTER,
    HIST_ROW_OTHER_SESSION,
};

/* What a column of the history table says. */
enum hist_role {
    HIST_C_OTHER,  /* times, users, counters: not judged, not read */
    HIST_C_ID,     /* tells rows apart in UPDATE and DELETE */
    HIST_C_KEY,    /* the migration's version, or a part of it (joined by "::") */
    HIST_C_NAME,   /* must be the file's name, if it is there */
    HIST_C_SUM,    /* must be the file's checksum */
    HIST_C_OK,     /* false: the migration has failed */
    HIST_C_STANDS, /* false: it was taken back */
    HIST_C_DIRTY,  /* true: it is running, or has failed */
    HIST_C_END,    /* null: it has not ended */
    HIST_C_UNDONE, /* not null: it was taken back */
    HIST_C_ERROR,  /* text: it has failed */
    HIST_C_DONE,   /* how many statements have run, of ... */
    HIST_C_TOTAL,  /* ... so many */
};

struct hist_column {
    const char *name;
    enum hist_role role;
    bool is_optional; /* tables of old versions, or made by hand, may lack it */
};

enum hist_flag {
    HIST_T_TEXT = 1 << 0, /* versions are texts, else numbers with parts */
    HIST_T_LEXICAL =
        1 << 1,            /* files run in the order of their paths, else by version */
    HIST_T_SHELL = 1 << 2, /* names must be safe in a shell loop */
    HIST_T_PSQL = 1 << 3,  /* files go through psql: backslash commands */
    HIST_T_HEAD = 1 << 4,  /* the table holds only where the database stands */
    HIST_T_ZERO = 1 << 5,  /* a row of version 0 or -1 says: nothing applied */
    HIST_T_UPDATES = 1 << 6,   /* the tool updates rows */
    HIST_T_DELETES = 1 << 7,   /* the tool takes rows back when it rolls back */
    HIST_T_EMPTIES = 1 << 8,   /* ... or empties the table to write it anew */
    HIST_T_MARKED = 1 << 9,    /* a file without its `up` marker is an error */
    HIST_T_NO_FILES = 1 << 10, /* SQL comes into being when it runs: lockfile only */
    HIST_T_RESUMES = 1 << 11,  /* a failed migration goes on where it stopped */
    HIST_T_DOWN_AFTER =
        1 << 13,             /* the row goes in a transaction after the rollback's */
    HIST_T_LISTED = 1 << 12, /* files run in the order in which something lists them */
    HIST_T_BATCH = 1 << 15,  /* rows are the batch's: if one of it runs outside of a
                              * transaction, all rows are written after theirs */
    HIST_T_WHOLE = 1 << 14,  /* a file is sent as one Query message */
    HIST_T_NOTES = 1
        << 16, /* a version that begins with a dot is a note of the tool, no migration */
    HIST_T_IDS = 1 << 17, /* versions need not be unique: the id is a part of the key */
};

enum hist_sum {
    HIST_SUM_NONE,
    HIST_SUM_CRC32,    /* of the lines without their ends, as Flyway */
    HIST_SUM_MD5,      /* hex */
    HIST_SUM_SHA1,     /* hex */
    HIST_SUM_SHA256,   /* hex */
    HIST_SUM_SHA384,   /* hex; the table holds bytes */
    HIST_SUM_SIPHASH,  /* of name, version and text, as refinery */
    HIST_SUM_GRAPHILE, /* SHA-1 of what stands before and the body */
    HIST_SUM_YOYO,     /* SHA-256 of the name */
};

struct hist_ops;

/* Versions that are times, of which even the first one must be now. */
#define HIST_FIRST_SECOND "20000101000000"
#define HIST_FIRST_MS     "1000000000000"

struct hist_tool {
    const char *format; /* "goose": the word in the configuration */
    const char *title;  /* "goose": the word in messages */
    const char *table;  /* "schema.name" or "name" (in public) */
    const char *prefix; /* written before a version in messages; NULL: none */
    enum hist_row_mode row;
    unsigned flags;        /* enum hist_flag */
    const char *up, *down; /* patterns of paths, see names.c; NULL: none */
    const char *key;       /* what the history holds of a path, see names.c */
    const char *next;      /* name of the next new file */
    const char *first;     /* version of the first one; NULL: 001 */
    const char *up_mark,
        *down_mark;         /* comments that cut a file in two, see section.c */
    const char *no_tx_mark; /* a comment that says: no transaction */
    enum hist_sum sum;
    const char *order_by; /* a column name; NULL: rows have no order */
    const char *own;      /* other tables of the tool's own, see own.c */
    const char *setup; /* statements that pass while there is no history table; % stands
                        * for its quoted name, see own.c */
    const struct hist_column *columns; /* in the order of the tool's CREATE TABLE */
    size_t n_columns;
    const struct hist_ops *ops; /* NULL: this row says it all */
};

/* NULL: no such format. */
const struct hist_tool *hist_tool_find(const char *format);
/* The tool whose table has these columns (a comma list), for messages; NULL: none known. */
const struct hist_tool *hist_tool_of_columns(const char *columns);
/* "numbered-sql, flyway, ..." */
const char *hist_tool_names(struct arena *a);

/* Index of the first column with a role, n_columns if there is none. */
size_t hist_find_role(const struct hist_tool *tool, enum hist_role role);

/* The values of several key columns are joined by it. */
#define HIST_KEY_SEPARATOR "::"

/* One row that a client inserts, with its values resolved against the parameters. */
struct hist_row {
    const struct sql_write *write;
    size_t first, n;                   /* of write->values */
    const struct hist_column *columns; /* what a position means without a column list */
    size_t n_columns;
    const struct hist_bind *binds; /* NULL at Parse time */
    size_t n_binds;
    bool
        is_open; /* set by the check: the row says that the migration is about to run */
};

/* Where apply_rows puts what it finds. */
struct hist_states {
    const struct hist_set *set;
    enum dg_migration_state *of; /* one per migration, all DG_MIG_PENDING at first */
    void (*missing)(void *ctx, const char *version, const char *name);
    void *ctx;
    const char *newest; /* highest version that any row calls applied, borrowed */
    const char
        *last_run; /* the same in the order of file names, for sources that sort so */
    const char *failed; /* version or name of a failed row that blocks everything */
    bool is_dirty;      /* an open row where the table holds only one */
};

enum {
    HIST_NAME_NO = 0, /* not a migration's file name: ignored */
    HIST_NAME_YES = 1,
    HIST_NAME_BAD = 2, /* looks like one, but the tool would skip or refuse it: error */
};

/* What differs for one family. Each may be NULL: the shared way. */
struct hist_ops {
    /* Finds the migrations below set->conf.path and adds them, in order of paths. */
    int (*list)(struct hist_set *set, struct err *err);
    /* Fills version, name, is_repeatable, is_down from a path below the folder.
     * HIST_NAME_*; err says what to rename, without the path. */
    int (*parse_name)(const struct hist_set *set, const char *relpath,
        struct hist_migration *m, struct err *err);
    /* The order of application; repeatable ones after all others, by name. */
    int (*compare)(const struct hist_migration *a, const struct hist_migration *b);
    /* The text the tool sends; the raw file is raw/n. Sets m->text, m->len, m->checksum. */
    int (*prepare)(const struct hist_set *set, struct hist_migration *m,
        const char *raw, size_t n, struct err *err);
    /* The file with its placeholders filled in, as hist_placeholders; m->len is set. */
    int (*fill)(const struct hist_set *set, struct hist_migration *m, const char *raw,
        size_t n, char **text, struct err *err);
    /* After all files were read and sorted: checksums over several files. */
    int (*finish)(struct hist_set *set, struct err *err);
    /* The migration that the key of a row means; *name is what the key says of its name. */
    const struct hist_migration *(*find)(
        const struct hist_set *set, const char *key, const char **name, char *room);
    bool (*is_name)(const struct hist_migration *m, const char *name);
    void (*apply_rows)(struct hist_states *st, const struct dg_rows *rows);
    /* Judges the values of one inserted row. *mig is set as soon as the row names one; a
     * verdict of OK is refined by completeness later. */
    enum hist_write_verdict (*check_row)(const struct hist_view *v,
        struct hist_row *row, const struct hist_migration **mig, struct err *reason);
    /* UPDATE and DELETE. */
    enum hist_write_verdict (*check_change)(const struct hist_view *v,
        const struct sql_write *w, const struct hist_bind *binds, size_t n_binds,
        const struct hist_tx *tx, const struct hist_migration **mig,
        struct err *reason);
    void (*next_name)(
        const struct hist_set *set, const char *slug, char *out, size_t size);
};

extern const struct hist_ops hist_numbered_ops, hist_flyway_ops, hist_lockfile_ops,
    hist_drizzle_ops, hist_sqitch_ops, hist_db_migrate_ops, hist_atlas_ops,
    hist_liquibase_ops, hist_goose_ops;

/* Does a glob of the comma list match? */
bool hist_in_list(const char *list, const char *name);

/* What ref_drop of a set and of a view calls. */
void hist_set_free(struct ref *ref);
void hist_view_free(struct ref *ref);

/* --- file names (names.c) -------------------------------------------------------------- */

/* HIST_NAME_*; see struct hist_ops. */
int hist_parse_name(const struct hist_set *set, const char *relpath,
    struct hist_migration *m, struct err *err);
/* The folders of a path left off. */
const char *hist_base_name(const char *relpath);
/* Fills a pattern: %d version, %n name. */
void hist_fill_name(
    const char *pattern, const char *version, const char *name, char *out, size_t size);
void
hist_next_name(const struct hist_set *set, const char *slug, char *out, size_t size);

/* --- sections and checksums (section.c, sums.c) ---------------------------------------- */

/* Blanks everything but the part for m's direction, line ends kept, and sets m->is_no_tx
 * by the tool's marker. */
int hist_section(const struct hist_tool *tool, struct hist_migration *m, char *p,
    size_t n, struct err *err);
/* The checksum as the history table holds it; raw is the file. NULL: the tool has none. */
const char *hist_checksum(
    enum hist_sum sum, const struct hist_migration *m, const char *raw, size_t n);
/* ${name} replaced by the configuration's values; see placeholder.c. */
int hist_placeholders(const struct hist_conf *conf, struct hist_migration *m,
    const char *raw, size_t n, char **text, struct err *err) MUST_CHECK;
/* The shared prepare. */
int hist_prepare(const struct hist_set *set, struct hist_migration *m, const char *raw,
    size_t n, struct err *err) MUST_CHECK;

/* The path of the next new file below the source's folder; "" for a lockfile. */
void hist_next_path(
    const struct hist_set *set, const struct sql_facts *f, char *out, size_t size);

/* --- loading (set.c, load.c) ----------------------------------------------------------- */

#define HIST_MAX_FILES 100000

/* A new migration at the end of the set's list, freed with the set; valid until the next
 * one is added. */
void hist_set_tool(
    struct hist_set *set, const struct hist_tool *tool, const struct hist_conf *from);
struct hist_migration *hist_set_add(struct hist_set *set, const char *relpath);
/* The shared list: every file below the folder whose name says so. */
int hist_list(struct hist_set *set, struct err *err) MUST_CHECK;
/* Reads and parses the files of the set, on threads of its own. */
int hist_load_files(struct hist_set *set, struct err *err) MUST_CHECK;
/* Adds the migrations of a lockfile's text. */
int hist_lock_parse(struct hist_set *set, const char *raw, size_t n, struct err *err)
    MUST_CHECK;
/* The same of Drizzle's journal and of Sqitch's plan; path is for errors. */
int hist_drizzle_journal(struct hist_set *set, const char *path, const char *text,
    size_t n, struct err *err) MUST_CHECK;
int hist_sqitch_plan(struct hist_set *set, const char *path, const char *text, size_t n,
    struct err *err) MUST_CHECK;
/* May only their owner and group write it? */
int hist_check_file(const char *path, struct err *err) MUST_CHECK;
int hist_check_folder(const struct hist_conf *conf, const char *path, struct err *err)
    MUST_CHECK;

/* --- versions (version.c) -------------------------------------------------------------- */

/* Compares part by part as numbers of any length, missing parts count as 0; parts end at
 * `.` or `_`. */
int hist_version_cmp(const char *a, const char *b);
bool
hist_version_is_valid(const char *s); /* digits, parts separated by single . or _ */
/* The version after it: the last part plus one, its width kept ("099" -> "100"). */
void hist_version_next(const char *version, char *out, size_t size);
/* Are two names the same but for case, and for what stands between letters and digits? */
bool hist_name_eq(const char *a, const char *b);

/* --- texts (text.c) -------------------------------------------------------------------- */

int hist_line_of(const char *text, size_t pos); /* from 1 */
/* Refuses invalid UTF-8 and NUL bytes, with file:line. */
int
hist_text_check(const char *path, const char *p, size_t n, struct err *err) MUST_CHECK;
size_t hist_bom(const char *p, size_t n); /* length of a leading byte order mark */
/* Blanks the data lines after COPY ... FROM STDIN in place, line ends kept. */
int hist_text_blank(const char *path, char *p, size_t n, struct err *err) MUST_CHECK;

/* --- index (index.c) ------------------------------------------------------------------- */

#define HIST_NO_DIGEST UINT32_MAX

/* A place where a digest stands. Places of one digest are chained, newest file first. */
struct hist_place {
    struct sql_digest digest;
    uint32_t migration, stmt;
    uint32_t next; /* in its bucket's list of digests (heads only) */
    uint32_t same; /* next place of the same digest, HIST_NO_DIGEST ends */
};

struct hist_index {
    struct hist_place *places; /* owned */
    uint32_t n, cap;
    uint32_t *heads;      /* owned; bucket -> newest place of the first digest in it */
    uint32_t n_buckets;   /* a power of two */
    uint32_t *by_version; /* owned; versioned migrations by ascending version */
    uint32_t n_versioned;
    struct sql_digest own[8];   /* digests of the tool's own statements */
    struct sql_digest setup[8]; /* ... of those that only make its tables at first */
    size_t n_own, n_setup;
};

/* What a migration's statements are, from its scan and tree: stmts, without their digests,
 * and what follows from them. */
void hist_classify(struct hist_migration *m);
/* Fills set->index from the scans and trees, and the stmts' digests. Two migrations
 * with one version or repeatables of one name are an error that names both files. */
int hist_index_build(struct hist_set *set, struct err *err) MUST_CHECK;
void hist_index_free(struct hist_index *ix);
/* The newest place of a digest, or HIST_NO_DIGEST. */
uint32_t hist_index_find(const struct hist_index *ix, const struct sql_digest *digest);
/* Moves the statements that were found into the migration's arena. */
void hist_keep_scan(struct hist_migration *m);
/* Can it be a version of this set's tool: a number, or any text? */
bool hist_is_version(const struct hist_set *set, const char *s);
/* NULL if there is no such file. Rollbacks are not found. */
const struct hist_migration *
hist_by_version(const struct hist_set *set, const char *version);
const struct hist_migration *hist_by_name(const struct hist_set *set, const char *name);

/* --- view (view.c) --------------------------------------------------------------------- */

struct hist_missing {
    const char *version, *name;
};

struct hist_view {
    struct ref ref;
    struct hist_set *set; /* a reference of our own */
    int64_t read_us;
    bool has_table;
    enum dg_migration_state *states; /* arena */
    size_t edited;                   /* the first one that was edited; HIST_NONE */
    const char *failed;              /* arena; NULL: nothing blocks */
    bool is_dirty;                   /* the one row says that something is running */
    struct hist_missing *missing;    /* owned array, texts in arena */
    size_t n_missing, missing_cap;
    struct dg_rows rows; /* copy, arena */
    struct arena *arena;
};

size_t hist_first_edited(const struct hist_view *v); /* or HIST_NONE */
/* Notes that a row calls this version applied. */
void hist_states_applied(struct hist_states *st, const char *version);
/* Versions up to conf.baseline count as applied; then pending versions below an applied
 * one become out of order. */
void hist_states_finish(struct hist_states *st);

/* --- transactions (match.c) ------------------------------------------------------------ */

/* Does the tool take the row back in the transaction of the rollback? */
bool
hist_down_is_same_tx(const struct hist_set *set, const struct hist_migration *down);
/* Has the migration run here, whole or in part? */
bool hist_stands(const struct hist_view *v, size_t migration);

/* Fills why with what of m has not run; tx may be NULL. Returns 0. */
int hist_tx_explain(
    const struct hist_tx *tx, const struct hist_migration *m, struct err *why);
const struct hist_view *hist_tx_view(const struct hist_tx *tx);

/* --- rows written by clients (write.c) ------------------------------------------------- */

/* The value of a column in a row as text. */
enum hist_value_kind {
    HIST_V_ABSENT, /* the row doesn't set the column */
    HIST_V_NULL,
    HIST_V_TEXT,    /* out holds it */
    HIST_V_UNKNOWN, /* an expression, a value too long, a parameter that doesn't exist */
    HIST_V_LATER,   /* a parameter, and binds are not known yet */
};

#define HIST_VALUE_SIZE 1100 /* Flyway's script is varchar(1000) */

enum hist_value_type {
    HIST_VT_TEXT,
    HIST_VT_NUMBER,  /* binary: 2, 4 or 8 bytes, big-endian; out holds decimal */
    HIST_VT_BOOL,    /* binary: 1 byte; out holds "t" or "f" */
    HIST_VT_VERSION, /* text, or binary integer: whichever it can be */
    HIST_VT_BYTES,   /* bytea: out holds hex */
};

#define HIST_KEY_SIZE (3 * HIST_VALUE_SIZE + 8)
/* What a binary parameter of a column is. */
enum hist_value_type hist_type_of(const struct hist_tool *tool, enum hist_role role);

/* An honest row of m: has it come to its time? */
enum hist_write_verdict hist_judge_time(const struct hist_view *v,
    const struct hist_migration *m, const struct hist_tx *tx, struct err *reason);

enum hist_value_kind
hist_value_text(const struct sql_value *val, enum hist_value_type type,
    const struct hist_bind *binds, size_t n_binds, char out[HIST_VALUE_SIZE]);
enum hist_value_kind hist_row_value(const struct hist_row *row, const char *column,
    enum hist_value_type type, char out[HIST_VALUE_SIZE]);

/* --- the tool's own statements (own.c) ------------------------------------------------- */

/* Is this DDL the tool's own bookkeeping? */
bool hist_is_own(const struct hist_set *set, const struct sql_facts *f);
/* The history table, or another one of the tool's own. */
bool
hist_is_own_table(const struct hist_set *set, const char *schema, const char *table);
/* Appends texts whose digests are admitted, each ended by `;` (CREATE SCHEMA, whose
 * elements the facts of the outer statement don't show). */
void hist_own_texts(const struct hist_set *set, struct buf *out);
void hist_setup_texts(const struct hist_set *set, struct buf *out);
/* Appends "name" with quotes, as an identifier. */
void hist_put_ident(struct buf *b, const char *name);
void hist_put_literal(struct buf *b, const char *s); /* as a constant */

/* --- rows by the roles of their columns (rows.c) --------------------------------------- */

void hist_rows_apply(struct hist_states *st, const struct dg_rows *rows);
enum hist_write_verdict hist_rows_check(const struct hist_view *v, struct hist_row *row,
    const struct hist_migration **mig, struct err *reason);
/* UPDATE, DELETE and TRUNCATE. */
enum hist_write_verdict hist_rows_change(const struct hist_view *v,
    const struct sql_write *w, const struct hist_bind *binds, size_t n_binds,
    const struct hist_tx *tx, const struct hist_migration **mig, struct err *reason);
/* Calls fn for each rollback whose row this UPDATE or DELETE takes back. */
void hist_rows_taken(const struct hist_view *v, const struct sql_write *w,
    const struct hist_bind *binds, size_t n_binds,
    void (*fn)(void *ctx, const struct hist_migration *down), void *ctx);

#endif
