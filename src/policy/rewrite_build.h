// SPDX-License-Identifier: ISC
/* What the makers of safe forms share: the statement as tokens, and edits between them.
 * Internal to this folder.  thread: the caller's */
#ifndef DG_POLICY_REWRITE_BUILD_H
#define DG_POLICY_REWRITE_BUILD_H

#include "policy/rewrite.h"
#include "policy/safe.h"
#include "sql/lex.h"

#define RW_NONE SIZE_MAX

/* One statement that is being rewritten for one finding. */
struct rw {
    const struct pol *pol;
    enum pol_check check;
    const struct pol_finding *finding;
    const struct pol_text *text;
    const struct sql_facts *f;
    struct pol_rewrite *out;
    struct arena *a;
    const struct sql_token *tokens; /* places in the whole text */
    size_t n;
    size_t fact;
    bool is_file;
    bool may_be_alone;
    const char *stamp;
    const char *why; /* it can't be done */
    bool is_clash;
};

typedef void rw_fn(struct rw *rw);
#define POL_REWRITE(symbol, function, where, form) rw_fn rw_##function;
#include "ddlgate/tbl/rewrites.h"

/* Is token i this word (upper case, unquoted)? */
bool rw_is(const struct rw *rw, size_t i, const char *word);
/* The first token from `from` on that is this word; RW_NONE: none. */
size_t rw_find(const struct rw *rw, size_t from, const char *word);
/* The token that begins at this byte of the text; RW_NONE: none does. */
size_t rw_at(const struct rw *rw, int pos);
/* Is it a sign of one character? */
bool rw_is_sign(const struct rw *rw, size_t i, char sign);
/* The last token of an action of ALTER TABLE; RW_NONE where they can't be told apart. */
size_t rw_sub_end(const struct rw *rw, size_t sub);

void rw_put_after(struct rw *rw, size_t token, const char *text);
void rw_put_before(struct rw *rw, size_t token, const char *text);
/* Tokens from..to, both included. */
void rw_replace(struct rw *rw, size_t from, size_t to, const char *text);
/* Adds a word to what was done, once. */
void rw_did(struct rw *rw, unsigned change, const char *what);
void rw_follow_up(struct rw *rw, const char *statement);
/* A statement right behind it, in the same transaction. */
void rw_then(struct rw *rw, const char *statement);
/* The same where the message has room for it, else for later. */
void rw_then_or_later(struct rw *rw, const char *statement);
/* Can statements stand before and behind it? In files, and around a simple query. */
static inline bool
rw_has_steps(const struct rw *rw)
{
    return rw->is_file || rw->out->has_room;
}
/* The name, joined from parts, of what is made before it and dropped behind it. */
const char *rw_passing_name(struct rw *rw, const char *const *parts, size_t n);
/* A statement before it; on the wire in a transaction of its own. */
void rw_before(struct rw *rw, const char *statement);
/* What takes the last rw_before back, if a later step fails. */
void rw_undo(struct rw *rw, const char *statement);
/* The same by queries whose rows are statements, the last one first: if a later step fails,
 * and if the last rw_before itself does. */
void rw_undo_query(struct rw *rw, const char *undo, const char *left);
/* A statement behind it, in a transaction of its own; in files for later. */
void rw_later(struct rw *rw, const char *statement);
/* CREATE INDEX CONCURRENTLY of this name on this table, before it or behind it (in files: for
 * later). What is left of one that fails is dropped. */
void rw_index_before(struct rw *rw, const struct sql_object *table, const char *index,
    const char *statement);
void rw_index_later(struct rw *rw, const struct sql_object *table, const char *index,
    const char *statement);
/* Does a comment stand between tokens from and to? It would be lost with them. */
bool rw_has_comment(const struct rw *rw, size_t from, size_t to);
/* Their bytes. */
const char *rw_words(const struct rw *rw, size_t from, size_t to);
/* The `)` of the `(` at token i; RW_NONE: it has none. */
size_t rw_closing(const struct rw *rw, size_t i);

static inline const char *
rw_name(const struct rw *rw, const struct sql_object *o)
{
    return pol_qualified(rw->a, o->schema, o->name);
}

#endif
