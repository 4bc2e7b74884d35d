// SPDX-License-Identifier: ISC
/* Inside of string constants, shared by the lexer, the decoder of values and the blanking
 * of comments; nobody outside src/sql needs it.  thread: any */
#ifndef DG_SQL_QUOTE_H
#define DG_SQL_QUOTE_H

#include "sql/lex.h"

enum sql_quote {
    SQL_QUOTE_PLAIN,   /* '' is a quote */
    SQL_QUOTE_ESCAPES, /* so is \' */
    SQL_QUOTE_BITS,    /* '' ends one constant and starts the next */
};

/* How the server reads a string token of this kind. */
enum sql_quote sql_quote_of(enum sql_token_kind kind, bool std_strings);
/* Position of the closing quote of the part whose content starts at pos; len if there is
 * none. */
size_t sql_quote_close(const char *text, size_t len, size_t pos, enum sql_quote quote);
/* pos: right after a closing quote. Position of the opening quote of the part that
 * continues this constant, 0 if none does. */
size_t sql_quote_continued(const char *text, size_t len, size_t pos);
/* Position of the token's first quote. */
size_t sql_quote_open(const char *text, const struct sql_token *tok);

/* The value of a string constant, handed to emit in pieces (emit may be NULL). exact: fail
 * also on an escape whose value depends on the server's encoding or version (bytes of 128
 * and up, \v), so that equal values mean equal constants. Returns the length or -EINVAL
 * (pieces may have been emitted). */
int64_t sql_value_walk(const char *text, const struct sql_token *tok, bool std_strings,
    bool exact, void (*emit)(void *ctx, const char *p, size_t n), void *ctx) MUST_CHECK;

#endif
