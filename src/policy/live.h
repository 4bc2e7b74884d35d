// SPDX-License-Identifier: ISC
/* Live facts: what the running server says about the relations that a text names.
 *
 * A judgement comes in two rounds. In the first nobody has asked yet: a check that could
 * use facts names the relation (pol_want, in the findings) and speaks as if offline. If
 * anything is wanted, the caller reads it (pol_live_query, pol_live_read) and judges again.
 * So nothing is asked that no check or access section of the policy can use.
 *
 * Nothing is read that waits for a lock of a client: sizes come from pg_class.relpages, and
 * are measured only of what was never analyzed and nobody has locked; expressions from their
 * stored trees (pg_relation_size and pg_get_expr open the table), but for a partition's bound
 * where nobody has locked that.
 * thread: any (immutable once read; starts with a struct ref) */
#ifndef DG_POLICY_LIVE_H
#define DG_POLICY_LIVE_H

#include "base/buf.h"
#include "base/cell.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "ddlgate/rows.h"

/* A relation that a check would like to know. */
struct pol_want {
    const char *schema; /* NULL: not written */
    const char *name;
    bool is_anywhere; /* the search_path under which it is meant can't be known */
};

struct pol_live_column {
    const char *name;
    const char *type;  /* pg_type.typname; of an array its element's */
    const char *base;  /* of a domain the type beneath, else as type */
    const char *shown; /* format_type: "numeric(12,2)" */
    int typmod;        /* -1: none */
    bool is_array, is_not_null, has_default, is_generated, is_identity;
};

struct pol_live_index {
    const char *schema, *name, *method;
    const char **columns; /* keys without INCLUDE; NULL entry: an expression */
    size_t n_columns;
    bool is_unique, is_valid, is_primary, has_where;
    bool has_order;         /* another operator class, collation, DESC or NULLS FIRST */
    bool leaves_out_nulls;  /* WHERE says: the first column IS NOT NULL, no more */
    const char *constraint; /* behind it; NULL: none */
    size_t n_fks;           /* foreign keys of other tables that rest on it */
    int64_t bytes, n_scans;
};

struct pol_live_constraint {
    const char *name;
    char kind; /* pg_constraint.contype: p u f c x t n */
    bool is_valid;
    const char **columns, **ref_columns;
    size_t n_columns;
    const char *schema, *table; /* f: the table it refers to; of refs: its own table */
    const char *not_null_of;    /* CHECK (column IS NOT NULL) and no more */
};

#define POL_MAX_PARTITIONS 300 /* of a table, that are listed by name */

/* What uses a column, so that its type can't be changed or drags it along. */
struct pol_live_user {
    const char *kind; /* "view", "generated column", "policy", "trigger" */
    const char *schema, *name, *column;
};

struct pol_live_lock {
    int pid;           /* 0: a prepared transaction */
    const char *role;  /* or the name of the prepared transaction */
    const char *state; /* "idle in transaction"; NULL: not for this login's eyes */
    const char *mode;  /* "AccessShareLock" */
    int64_t age_ms;    /* of its transaction; -1: not for this login's eyes */
    bool is_granted;
};

/* How a table is partitioned. */
struct pol_live_key {
    char strategy; /* pg_partitioned_table.partstrat: r l h */
    const char **columns,
        **types;    /* NULL column: an expression; types as format_type */
    size_t n;       /* 0: it isn't */
    bool has_order; /* another operator class or collation than the type's */
};

/* A table below a partitioned one. */
struct pol_live_partition {
    const char *schema, *name;
    char kind; /* pg_class.relkind */
    const char *parent_schema, *parent;
};

struct pol_live_relation {
    const char *schema, *name;
    char kind;           /* pg_class.relkind */
    bool is_guess;       /* one of several that the name can mean */
    bool is_row_secured; /* FORCE ROW LEVEL SECURITY: its owner may not see all rows */
    bool is_beside_default; /* a partition, and its parent has a DEFAULT one */
    bool is_referred;  /* a partition, and foreign keys refer to it by its parent */
    const char *bound; /* of a partition, FOR VALUES and all; NULL: not known */
    struct pol_live_key key;
    struct pol_live_partition
        *partitions; /* none where there are more than the limit */
    size_t n_listed;
    const char *parent_schema, *parent; /* of a partition; NULL: none */
    const char *default_partition;      /* NULL: none */
    int64_t bytes, n_rows; /* with all partitions, without indexes; as far as known */
    bool is_size_known;    /* false: some of it was never vacuumed or analyzed */
    bool
        is_uncounted; /* n_rows is what may be in it by its size: nothing has counted them */
    size_t n_partitions;
    struct pol_live_relation *table; /* of an index: the table it is on; else NULL */
    struct pol_live_column *columns;
    size_t n_columns;
    struct pol_live_index *indexes;
    size_t n_indexes;
    struct pol_live_constraint *constraints,
        *refs; /* refs: foreign keys to this table */
    size_t n_constraints, n_refs;
    struct pol_live_user *users;
    size_t n_users;
    struct pol_live_lock
        *locks; /* oldest transaction first, of it and its partitions */
    size_t n_locks;
};

struct pol_live {
    struct ref ref;
    struct arena *arena; /* owned; everything below */
    bool is_known;
    const char *why;         /* of unknown */
    const char *stats_since; /* "2026-01-31"; NULL: since ever */
    struct map *relations;   /* owned; see pol_live_find */
};

enum pol_live_state {
    POL_LIVE_NOBODY,  /* nobody asked: offline, or the first round */
    POL_LIVE_UNKNOWN, /* it could not be read */
    POL_LIVE_ABSENT,  /* there is none of this name */
    POL_LIVE_FOUND,
};
/* *out is set with POL_LIVE_FOUND only. live NULL: nobody. */
enum pol_live_state pol_live_find(const struct pol_live *live,
    const struct pol_want *want, const struct pol_live_relation **out);

/* Under which search_path, and as whom, names are looked up. */
struct pol_live_path {
    enum {
        POL_PATH_SERVER,  /* the session set none: role's, database's, server's */
        POL_PATH_KNOWN,   /* schemas, in this order */
        POL_PATH_UNKNOWN, /* every schema */
    } kind;
    const char *const *schemas;
    size_t n_schemas;
    const char *role; /* NULL: who reads */
};

/* Writes the query that reads what is wanted; one round trip, catalogues only. Names that
 * are no valid UTF-8 are left out and stay unknown. */
void pol_live_query(const struct pol_live_path *path, const struct pol_want *wants,
    size_t n_wants, struct buf *sql);
/* False: a name that no server can have, or that can not be sent safely. */
bool pol_want_is_askable(const struct pol_want *w);
/* For readers and tests: an answer to be filled. */
struct pol_live *pol_live_new(void);
struct pol_want_key {
    char text[512];
};
const char *pol_want_key(const struct pol_want *w, struct pol_want_key *key);
/* Its answer. -EINVAL when that is not what the query gives. */
int pol_live_read(const struct pol_want *wants, size_t n_wants,
    const struct dg_rows *rows, struct pol_live **out, struct err *err) MUST_CHECK;
/* What stands for an answer that didn't come. */
struct pol_live *pol_live_unknown(const char *why);

/* ---- wants ---- */

#define POL_MAX_WANTS 500 /* of one text; what goes beyond stays unknown */

struct pol_wants {
    struct arena *arena; /* borrowed */
    struct pol_want *items;
    size_t n, cap;
    struct map *known; /* owned */
};
void pol_wants_add(struct pol_wants *w, const struct pol_want *want);
void pol_wants_deinit(struct pol_wants *w);
static inline void
pol_wants_p(struct pol_wants *w)
{
    pol_wants_deinit(w);
}

/* ---- words ---- */

/* "12 GB", "about 80 million rows" */
const char *pol_bytes_words(struct arena *a, int64_t bytes);
const char *pol_rows_words(struct arena *a, int64_t n);
/* "12 GB, about 80 million rows" or "of unknown size" */
const char *pol_live_size_words(struct arena *a, const struct pol_live_relation *rel);
/* "3 h", "12 s" */
const char *pol_age_words(struct arena *a, int64_t ms);

const struct pol_live_column *
pol_live_column(const struct pol_live_relation *rel, const char *name);
const struct pol_live_constraint *
pol_live_constraint(const struct pol_live_relation *rel, const char *name);
/* A copy with names, kinds, bound, key, partitions and constraints' names only; NULL of
 * NULL. */
const struct pol_live_relation *
pol_live_outline(struct arena *a, const struct pol_live_relation *rel);
/* A valid index that finds rows by these columns: leads with them, in any order. */
bool pol_live_leads(
    const struct pol_live_index *index, const char *const *columns, size_t n_columns);

#endif
