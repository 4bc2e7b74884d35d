// SPDX-License-Identifier: ISC
/* What a database's schema is, as a sorted list of facts, and what differs between two such
 * lists, readable for people.
 *
 * A fact is (kind, name, property, value): ("column", "public.orders.total", "type",
 * "integer"). It comes from one query over pg_catalog that runs on PostgreSQL 15 to 18 and
 * needs no rights of its own; whoever asks runs it with an empty search_path, so that every
 * name is written in full. Left out: system and temporary schemas, members of extensions,
 * tables of the migration tool, the order of a table's columns (no rollback brings back the
 * place of a dropped one), passwords in options.
 *
 * Privileges are those of others than the owner, so that databases compare whose objects
 * belong to different roles.  thread: any (a list is immutable once made) */
#ifndef DG_CATALOG_CATALOG_H
#define DG_CATALOG_CATALOG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "ddlgate/rows.h"

struct cat_options {
    /* SQL over n.nspname and c.relname that is true for tables to leave out; NULL: none */
    const char *hidden;
    const char
        *hidden_schema; /* a schema to leave out, not what is in it; NULL: none */
    bool has_owners;
};

#define CAT_MAX_SQL ((size_t)256 << 10)

/* Appends the query; its columns are what cat_new takes. */
void cat_query(const struct cat_options *options, struct buf *sql);

struct cat;

/* Copies the rows. -EINVAL if they are not the query's. */
int cat_new(const struct dg_rows *rows, struct cat **out, struct err *err) MUST_CHECK;
void cat_free(struct cat *c);
CLEANUP_DEFINE(struct cat *, cat_free)
size_t cat_n(const struct cat *c); /* facts */

enum cat_op {
    CAT_ADDED,
    CAT_REMOVED,
    CAT_CHANGED,
};

/* Strings are borrowed from the two lists. */
struct cat_change {
    enum cat_op op;
    const char *kind, *name;
    const char *property; /* of CAT_CHANGED; else NULL */
    const char *before,
        *after; /* NULL: not set; of a whole object: what tells most of it,
                                 * a column's type, an index's definition */
};

struct cat_diff {
    struct cat_change *changes; /* owned; sorted */
    size_t n;
};

/* From `before` to `after`; both must outlive the result. What belongs to a table that comes
 * or goes itself is not listed. */
void cat_diff(struct cat_diff *d, const struct cat *before, const struct cat *after);
void cat_diff_deinit(struct cat_diff *d);
static inline void
cat_diff_deinit_p(struct cat_diff *d)
{
    cat_diff_deinit(d);
}

/* "+ table public.orders", "~ column public.orders.total: type integer -> bigint"; values of
 * several lines are shown line by line. Each line begins with `indent` and ends with a
 * newline. At most `max` changes (0: all), then how many more there are. False if out is
 * full: what did not fit is left out. */
bool cat_diff_text(
    const struct cat_diff *d, const char *indent, size_t max, struct buf *out);
/* An array of objects: op, kind, name, property, before, after. */
void cat_diff_json(const struct cat_diff *d, struct json *j);

#endif
