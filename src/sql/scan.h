// SPDX-License-Identifier: ISC
/* A text cut into statements by the lexer: ranges, digests, complexity, which word groups
 * really stand there as tokens (not inside strings or comments). Linear time.
 *
 * This is the second stage after the word filter and may also say "nothing tracked here":
 * as tokens, SET, RESET, DISCARD, DO, CALL, PREPARE, DEALLOCATE, LOCK and the transaction
 * words only count at the start of a statement, the schema words only where a command can
 * start with or contain them. It is also the fallback for texts that the linked grammar
 * rejects, and it blanks comments before libpg_query sees a text (which takes quadratic
 * time on runs of them).  thread: any */
#ifndef DG_SQL_SCAN_H
#define DG_SQL_SCAN_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "sql/filter.h"
#include "sql/lex.h"

struct sql_digest {
    uint8_t bytes[HASH_SHA256_SIZE];
};

/* Bounds of one text beside its depth. */
#define SQL_SCAN_MAX_STMTS ((size_t)1 << 18)
/* Size of a statement, in tokens and in units of 16 bytes, times its depth: libpg_query's
 * time grows with it, about a second at the limit. */
#define SQL_SCAN_MAX_WORK ((uint64_t)1 << 32)

struct sql_stmt {
    /* first byte of the first token to last byte of the last one, the `;` not included */
    size_t start, len;
    size_t n_tokens;
    unsigned words;    /* SQL_W_* that stand in it as tokens */
    char first[2][16]; /* its first two words, upper case, "" if not words or longer */
    int line;          /* of start, from 1 */
    struct sql_digest digest; /* all zero in the broken rest of a text */
};

struct sql_scan {
    struct sql_stmt *stmts; /* owned; empty statements are left out */
    size_t n;
    unsigned words; /* of all statements */
    /* Operators since the last comma of every open bracket, summed, and brackets; set
     * operations count across commas. The parser's stack need grows with it. */
    unsigned max_depth;
    unsigned max_comment_depth;
    /* Tokens or values differ with standard_conforming_strings on and off. */
    bool two_readings;
};

enum {
    /* unterminated something: the server's raw parser fails, too */
    SQL_SCAN_E_BROKEN = 1,
    /* above max_depth, or one of the bounds above */
    SQL_SCAN_E_DEEP = 2,
    /* a NUL byte inside; nothing was cut, words are the filter's */
    SQL_SCAN_E_NUL = 3,
};

/* text need not be terminated. The statements found before an error stay in *scan, which
 * is always to be freed with sql_scan_deinit. What follows the place of E_BROKEN belongs to
 * the last statement, and every word in it counts. Returns 0 or SQL_SCAN_E_*, err filled
 * with a line that says where. */
int sql_scan(struct sql_scan *scan, const struct sql_words *words, const char *text,
    size_t len, bool std_strings, unsigned max_depth, struct err *err) MUST_CHECK;
void sql_scan_deinit(struct sql_scan *scan);

static inline void
sql_scan_deinit_p(struct sql_scan *scan)
{
    sql_scan_deinit(scan);
}

/* Copy of the text fit for logs: the secrets of role, user mapping, server, subscription,
 * ALTER SYSTEM and COPY ... PROGRAM commands and dblink-like connection strings replaced
 * by '***' (design invariant 7); works on texts that don't parse. Cut at max bytes at a
 * character boundary, *cut tells. Owned by the caller, NUL-terminated. */
char *sql_redact(const char *text, size_t len, bool std_strings, size_t max, bool *cut);

bool sql_digest_eq(const struct sql_digest *a, const struct sql_digest *b);

#endif
