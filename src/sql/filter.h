// SPDX-License-Identifier: ISC
/* The word filter: one pass over the raw bytes that may only ever say "this cannot be
 * anything the gate tracks". It sees words inside strings and comments too; that errs
 * towards looking closer. Keywords cannot be spelled with escapes, so an ASCII comparison
 * without case is sound in every encoding in which ASCII bytes mean themselves.
 * Whatever sql_scan would count, this counts; filter.c says why what it leaves out can't
 * be a command.  thread: any */
#ifndef DG_SQL_FILTER_H
#define DG_SQL_FILTER_H

#include "base/str.h"

/* Word groups; the filter answers with the set it met. */
enum {
    /* CREATE, ALTER, DROP, ... and everything else that starts a command of class ddl, dcl,
     * maintenance or cluster */
    SQL_W_SCHEMA = 1 << 0,
    /* DO (but not ON CONFLICT's), CALL */
    SQL_W_CODE = 1 << 1,
    /* INTO, except where the first word is INSERT or MERGE and INTO occurs once */
    SQL_W_INTO = 1 << 2,
    /* a tracked history table's name, or U&"..." (SQL_W_SETTING, too, then) */
    SQL_W_HISTORY = 1 << 3,
    /* SET (except where the first word is UPDATE and SET occurs once, and in UPDATE SET),
     * RESET, DISCARD, set_config, pg_settings */
    SQL_W_SETTING = 1 << 4,
    /* PREPARE, EXECUTE, DEALLOCATE */
    SQL_W_PREPARED = 1 << 5,
    /* BEGIN, START, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT, RELEASE */
    SQL_W_TX = 1 << 6,
    SQL_W_ALL = (1 << 7) - 1,
};

/* The tracked names added to the fixed words; immutable once made. */
struct sql_words;
/* names: unquoted history table names without schema ("schema_migrations"). */
struct sql_words *sql_words_new(const char *const *names, size_t n);
void sql_words_free(struct sql_words *w);
/* Is it a tracked one? name: the identifier's value. ASCII case doesn't matter, here and
 * in the filter: "SequelizeMeta" is written quoted by the tool and unquoted by hand. */
bool sql_words_has(const struct sql_words *w, const char *name);
CLEANUP_DEFINE(struct sql_words *, sql_words_free)

/* `watch` limits the answer to these groups (SQL_W_TX costs nothing when not watched).
 * words may be NULL: only the fixed words. Returns the groups met; 0 = pass at once. */
unsigned
sql_filter(const struct sql_words *words, const char *text, size_t len, unsigned watch);

#endif
