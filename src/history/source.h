// SPDX-License-Identifier: ISC
/* What a migration tool's family must say about itself. One table of ops per file. */
#ifndef DG_HISTORY_SOURCE_H
#define DG_HISTORY_SOURCE_H

#include "history/history.h"

/* How the tool writes its history row, relative to the migration's own transaction. */
enum hist_row_mode {
    HIST_ROW_SAME_TX,
    HIST_ROW_BEFORE,
    HIST_ROW_AFTER,
    HIST_ROW_OTHER_SESSION,
};

enum {
    HIST_NAME_NO = 0,  /* not a migration's file name: ignored */
    HIST_NAME_YES = 1,
    HIST_NAME_BAD = 2, /* looks like one, but the tool would skip or refuse it: error */
};

struct hist_source_ops {
    const char *format;        /* "flyway" */
    const char *default_table; /* "flyway_schema_history" */
    enum hist_row_mode row;
    const char *const *columns; /* must be in the history table, NULL-terminated */
    const char *rows_sql;       /* SELECT list and ORDER BY; %s is the quoted table */
    /* Fills version, name, is_repeatable from a path below the folder. HIST_NAME_*. */
    int (*parse_name)(struct arena *a, const char *relpath, struct hist_migration *m,
        struct err *err);
    int (*compare)(const struct hist_migration *a, const struct hist_migration *b);
    /* The text the tool sends; the raw file is raw/n. Sets m->text, m->len, m->checksum. */
    int (*prepare)(struct arena *a, const struct hist_conf *conf, struct hist_migration *m,
        const char *raw, size_t n, struct err *err);
    /* Sets states[] (one per migration, all DG_MIG_PENDING at first) from rows and says by
     * missing(ctx, version, name) which rows have no file; returns true if a failed row
     * blocks everything. */
    bool (*apply_rows)(const struct hist_set *set, const struct dg_rows *rows,
        enum dg_migration_state *states,
        void (*missing)(void *ctx, const char *version, const char *name), void *ctx);
    /* Is this DDL the tool's own bookkeeping (creating its table, ...)? */
    bool (*is_own)(const struct hist_set *set, const struct sql_facts *f);
    enum hist_write_verdict (*check_write)(const struct hist_view *v,
        const struct sql_facts *f, const struct hist_match *match,
        const struct hist_bind *binds, size_t n_binds, const struct hist_tx *tx,
        const struct hist_migration **mig, struct err *reason);
    void (*next_name)(const struct hist_set *set, const char *slug, char *out, size_t size);
};

extern const struct hist_source_ops hist_numbered_sql;
extern const struct hist_source_ops hist_flyway;

#endif
