// SPDX-License-Identifier: ISC
/* What a migration tool's family must say about itself, one table of ops per file, and what
 * the files of this folder share. Nobody outside includes this.
 *
 * A new tool: one file with a struct hist_source_ops, one line in set.c. The ops name the
 * table's columns, read file names, make the text that the tool sends, turn history rows
 * into states and find the migration that a written row speaks of; loading, the index,
 * matching, completeness and the judgement over several rows are shared. */
#ifndef DG_HISTORY_SOURCE_H
#define DG_HISTORY_SOURCE_H

#include "base/map.h"
#include "base/mem.h"
#include "history/history.h"

/* How the tool writes its history row, relative to the migration's own transaction. */
enum hist_row_mode {
    HIST_ROW_SAME_TX,
    HIST_ROW_BEFORE,
    HIST_ROW_AFTER,
    HIST_ROW_OTHER_SESSION,
};

enum {
    HIST_NAME_NO = 0, /* not a migration's file name: ignored */
    HIST_NAME_YES = 1,
    HIST_NAME_BAD = 2, /* looks like one, but the tool would skip or refuse it: error */
};

struct hist_column {
    const char *name;
    bool is_optional; /* hand-made tables may lack it; it is read as null then */
};

/* Where ops->apply_rows puts what it finds. */
struct hist_states {
    const struct hist_set *set;
    enum dg_migration_state *of; /* one per migration, all DG_MIG_PENDING at first */
    void (*missing)(void *ctx, const char *version, const char *name);
    void *ctx;
    const char *newest; /* highest version that any row calls applied, borrowed */
    const char
        *last_run; /* the same in the order of file names, for sources that sort so */
    const char *failed; /* version or name of a failed row that blocks everything */
};

/* One row of an INSERT with its values resolved against the parameters. */
struct hist_row {
    const struct sql_write *write;
    size_t first, n;                   /* of write->values */
    const struct hist_column *columns; /* what a position means without a column list */
    size_t n_columns;
    const struct hist_bind *binds; /* NULL at Parse time */
    size_t n_binds;
};

struct hist_source_ops {
    const char *format;        /* "flyway" */
    const char *default_table; /* "flyway_schema_history" */
    const char *prefix;        /* written before a version in messages: "V" or "" */
    enum hist_row_mode row;
    const struct hist_column *columns; /* in the order in which rows_sql reads them */
    size_t n_columns;
    const char *order_by; /* a column name; NULL: rows have no order */
    /* Fills version, name, is_repeatable from a path below the folder. HIST_NAME_*; err
     * says what to rename, without the path. */
    int (*parse_name)(struct arena *a, const char *relpath, struct hist_migration *m,
        struct err *err);
    /* The order of application; repeatable ones after all others, by name. */
    int (*compare)(const struct hist_migration *a, const struct hist_migration *b);
    /* The text the tool sends; the raw file is raw/n. Sets m->text, m->len, m->checksum. */
    int (*prepare)(struct arena *a, const struct hist_conf *conf,
        struct hist_migration *m, const char *raw, size_t n, struct err *err);
    void (*apply_rows)(struct hist_states *st, const struct dg_rows *rows);
    /* Appends the tool's own statements as texts whose digests are admitted, each ended by
     * `;` (CREATE SCHEMA, whose elements the facts of the outer statement don't show). */
    void (*own_texts)(const struct hist_set *set, struct buf *out);
    /* Is this DDL the tool's own bookkeeping (creating its table, ...)? */
    bool (*is_own)(const struct hist_set *set, const struct sql_facts *f);
    /* Judges the values of one inserted row. *mig is set as soon as the row names one; a
     * verdict of OK is refined by completeness later. */
    enum hist_write_verdict (*check_row)(const struct hist_view *v,
        const struct hist_row *row, const struct hist_migration **mig,
        struct err *reason);
    /* UPDATE and DELETE, which some tools use for repair. NULL: never. */
    enum hist_write_verdict (*check_change)(const struct hist_view *v,
        const struct sql_write *w, const struct hist_bind *binds, size_t n_binds,
        const struct hist_migration **mig, struct err *reason);
    void (*next_name)(
        const struct hist_set *set, const char *slug, char *out, size_t size);
};

extern const struct hist_source_ops hist_numbered_sql;
extern const struct hist_source_ops hist_flyway;

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
/* Blanks what the server never gets as SQL, in place, line ends kept: the data lines after
 * COPY ... FROM STDIN and, with `psql`, backslash commands; those that run other files,
 * run results or branch are errors with file:line. */
int hist_text_blank(const char *path, char *p, size_t n, bool psql, struct err *err)
    MUST_CHECK;

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
    struct sql_digest own[8]; /* digests of the tool's own statements */
    size_t n_own;
};

/* Fills set->index from the scans and trees, and stmts of the migrations. Two migrations
 * with one version or repeatables of one name are an error that names both files. */
int hist_index_build(struct hist_set *set, struct err *err) MUST_CHECK;
void hist_index_free(struct hist_index *ix);
/* The newest place of a digest, or HIST_NO_DIGEST. */
uint32_t hist_index_find(const struct hist_index *ix, const struct sql_digest *digest);
/* NULL if there is no such file. */
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
    const char *failed;              /* arena; NULL: nothing blocks */
    struct hist_missing *missing;    /* owned array, texts in arena */
    size_t n_missing, missing_cap;
    struct dg_rows rows; /* copy, arena */
    struct arena *arena;
};

/* Notes that a row calls this version applied. */
void hist_states_applied(struct hist_states *st, const char *version);
/* Versions up to conf.baseline count as applied; then pending versions below an applied
 * one become out of order. */
void hist_states_finish(struct hist_states *st, bool by_file_name);

/* --- transactions (match.c) ------------------------------------------------------------ */

/* Fills why with what of m has not run; tx may be NULL. Returns 0. */
int hist_tx_explain(
    const struct hist_tx *tx, const struct hist_migration *m, struct err *why);
const struct hist_view *hist_tx_view(const struct hist_tx *tx);
void hist_tx_record(struct hist_tx *tx, const struct hist_migration *m);

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
};

enum hist_value_kind
hist_value_text(const struct sql_value *val, enum hist_value_type type,
    const struct hist_bind *binds, size_t n_binds, char out[HIST_VALUE_SIZE]);
enum hist_value_kind hist_row_value(const struct hist_row *row, const char *column,
    enum hist_value_type type, char out[HIST_VALUE_SIZE]);

/* --- helpers for the ops --------------------------------------------------------------- */

/* Do all objects of a CREATE TABLE mean the set's history table, and are its columns known
 * ones, the required ones among them? A default only on column `timestamp`, and only the
 * clock: anything else could run code of somebody's with every row. */
bool hist_is_own_table(
    const struct hist_set *set, const struct sql_facts *f, const char *timestamp);
/* Appends "name" with quotes, as an identifier. */
void hist_put_ident(struct buf *b, const char *name);

#endif
