// SPDX-License-Identifier: ISC
/* The gate's own lexer: PostgreSQL manual 4.1 (Lexical Structure), both string modes.
 *
 * Linear in the length of the text whatever it holds (comments nest, runs of comments,
 * dollar quotes), no recursion, no allocation. It knows plain, E, U&, N, B and X strings,
 * continuation of strings over white space with a newline and over line comments, quoted
 * and U& identifiers (UESCAPE stays a token of its own), identifiers that contain `$` or
 * bytes >= 0x80, dollar quotes with such tags, nested block comments, CR and LF.
 * Where the server's scanner and this one could ever disagree, this is a bug that the test
 * against a live server hunts.  thread: any */
#ifndef DG_SQL_LEX_H
#define DG_SQL_LEX_H

#include "base/str.h"

enum sql_token_kind {
    SQL_T_WORD,    /* unquoted identifier or keyword */
    SQL_T_QUOTED,  /* "..." */
    SQL_T_UQUOTED, /* U&"..." */
    SQL_T_STRING,  /* '...', N'...', continued parts included */
    SQL_T_ESTRING, /* E'...' */
    SQL_T_USTRING, /* U&'...' */
    SQL_T_BITS,    /* B'...', X'...' */
    SQL_T_DOLLAR,  /* $tag$...$tag$ */
    SQL_T_NUMBER,
    SQL_T_PARAM, /* $1 */
    SQL_T_OPERATOR,
    /* one of ( ) [ ] , ; : . or :: .. := =>, or a stray byte ($ { control bytes), which is
     * an error to the server's raw parser */
    SQL_T_PUNCT,
};

struct sql_token {
    enum sql_token_kind kind;
    size_t start, len; /* bytes of the text */
};

struct sql_lexer {
    const char *text;
    size_t len;
    size_t pos;
    bool std_strings;           /* standard_conforming_strings */
    unsigned max_comment_depth; /* deepest comment nesting seen */
    size_t signs_end;           /* of a run of + and - that was measured already */
};

enum {
    SQL_LEX_END = 1,      /* no more tokens */
    SQL_LEX_E_BROKEN = 2, /* unterminated string, identifier or comment */
};

void sql_lex_init(struct sql_lexer *lx, const char *text, size_t len, bool std_strings);
/* 0 with *tok, SQL_LEX_END, or SQL_LEX_E_BROKEN (lx->pos is where it began, and stays). */
int sql_lex_next(struct sql_lexer *lx, struct sql_token *tok) MUST_CHECK;

/* The value of a word or quoted identifier as the server stores it: folded or unquoted,
 * U& unfolded (with the escape character `\`), cut at 63 bytes at a character boundary.
 * out must hold 64 bytes. 0 or -EINVAL (no identifier, bad escape, a NUL in it). */
int
sql_token_ident(const char *text, const struct sql_token *tok, char out[64]) MUST_CHECK;
/* The value of a string constant into out (at most tok->len bytes): quotes doubled undone,
 * escapes decoded, continuation joined. Returns its length or -EINVAL. */
int64_t sql_token_value(const char *text, const struct sql_token *tok, bool std_strings,
    char *out) MUST_CHECK;

/* A NUL-terminated copy of the same length in which every comment is spaces (newlines of
 * block comments too, so that string continuation keeps its meaning; a line comment's
 * newline stays, but for one between two constants that a block comment keeps apart), and
 * so is every vertical tab between tokens. A text that breaks off in a comment ends in
 * spaces; otherwise what follows a break is left alone. Owned by the caller (mem_free). */
char *sql_blank_comments(const char *text, size_t len, bool std_strings);

#endif
