// SPDX-License-Identifier: ISC
/* The lexer; see lex.h. PostgreSQL manual 4.1, checked against the server's behaviour.
 *
 * Servers differ in four places, and each is read so that no command can hide there:
 * - digits followed by letters (`1INTO`): two tokens before 15, an error since;
 * - 0x1F and 1_000: one number since 16; if letters follow, the older reading;
 * - the vertical tab: white space since 16, an error before;
 * - stray bytes ($, {, control bytes): an error everywhere; a token of their own here. */
#include "sql/lex.h"

#include "base/mem.h"
#include "sql/quote.h"

#include <string.h>

enum {
    SP = 1 << 0, /* white space but newlines */
    NL = 1 << 1,
    LT = 1 << 2, /* starts a word */
    DG = 1 << 3,
    DL = 1 << 4, /* $ */
    OP = 1 << 5, /* operator character that SQL itself uses */
    OX = 1 << 6, /* operator character that only PostgreSQL uses */
};

static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, SP, NL, SP, SP, NL, 0, 0,            /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                 /* 0x10 */
    SP, OX, 0, OX, DL, OX, OX, 0, 0, 0, OP, OP, 0, OP, 0, OP,       /* 0x20 */
    DG, DG, DG, DG, DG, DG, DG, DG, DG, DG, 0, 0, OP, OP, OP, OX,   /* 0x30 */
    OX, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0x40 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, 0, 0, 0, OX, LT,    /* 0x50 */
    OX, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0x60 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, 0, OX, 0, OX, 0,    /* 0x70 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0x80 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0x90 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0xa0 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0xb0 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0xc0 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0xd0 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0xe0 */
    LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, LT, /* 0xf0 */
};

/* The class of the byte at pos; 0 at the end of the text. */
static uint8_t
class_at(const char *text, size_t len, size_t pos)
{
    return pos < len ? classes[(unsigned char)text[pos]] : 0;
}

static char
byte_at(const char *text, size_t len, size_t pos)
{
    return pos < len ? text[pos] : '\0';
}

static size_t
span(const char *text, size_t len, size_t pos, uint8_t set)
{
    while (pos < len && (classes[(unsigned char)text[pos]] & set))
        pos++;
    return pos;
}

void
sql_lex_init(struct sql_lexer *lx, const char *text, size_t len, bool std_strings)
{
    *lx = (struct sql_lexer){ .text = text, .len = len, .std_strings = std_strings };
}

/* Both ends of `--` comments are plain: two dashes, and the newline or the text's end.
 * Byte by byte: a memchr for one kind of newline could run far past the other kind. */
static size_t
line_comment_end(const char *text, size_t len, size_t pos)
{
    while (pos < len && !(classes[(unsigned char)text[pos]] & NL))
        pos++;
    return pos;
}

/* pos: at the opening slash. Returns the end, or 0 if the comment has none. */
static size_t
block_comment_end(const char *text, size_t len, size_t pos, unsigned *max_depth)
{
    unsigned depth = 0;

    while (pos + 1 < len) {
        if (text[pos] == '/' && text[pos + 1] == '*') {
            if (++depth > *max_depth)
                *max_depth = depth;
            pos += 2;
        } else if (text[pos] == '*' && text[pos + 1] == '/') {
            pos += 2;
            if (--depth == 0)
                return pos;
        } else {
            pos++;
        }
    }
    return 0;
}

/* Skips white space and comments. Returns 0 or SQL_LEX_E_BROKEN (pos at the comment). */
static int
skip_blank(struct sql_lexer *lx)
{
    const char *text = lx->text;

    for (;;) {
        lx->pos = span(text, lx->len, lx->pos, SP | NL);
        char c = byte_at(text, lx->len, lx->pos),
             next = byte_at(text, lx->len, lx->pos + 1);
        if (c == '-' && next == '-') {
            lx->pos = line_comment_end(text, lx->len, lx->pos);
        } else if (c == '/' && next == '*') {
            size_t end = block_comment_end(
                text, lx->len, lx->pos, &lx->max_comment_depth);
            if (!end)
                return SQL_LEX_E_BROKEN;
            lx->pos = end;
        } else {
            return 0;
        }
    }
}

enum sql_quote
sql_quote_of(enum sql_token_kind kind, bool std_strings)
{
    if (kind == SQL_T_BITS)
        return SQL_QUOTE_BITS;
    if (kind == SQL_T_ESTRING || (kind == SQL_T_STRING && !std_strings))
        return SQL_QUOTE_ESCAPES;
    return SQL_QUOTE_PLAIN;
}

size_t
sql_quote_close(const char *text, size_t len, size_t pos, enum sql_quote quote)
{
    while (pos < len) {
        if (quote == SQL_QUOTE_ESCAPES) {
            while (pos < len && text[pos] != '\'' && text[pos] != '\\')
                pos++;
            if (byte_at(text, len, pos) == '\\') {
                pos += 2;
                continue;
            }
        } else {
            const char *p = memchr(text + pos, '\'', len - pos);
            pos = p ? (size_t)(p - text) : len;
        }
        if (quote == SQL_QUOTE_BITS || byte_at(text, len, pos + 1) != '\'')
            break;
        pos += 2;
    }
    return pos < len ? pos : len;
}

size_t
sql_quote_continued(const char *text, size_t len, size_t pos)
{
    bool has_newline = false;

    for (;;) {
        uint8_t class = class_at(text, len, pos);
        if (class & (SP | NL)) {
            has_newline |= (class & NL) != 0;
            pos++;
        } else if (byte_at(text, len, pos) == '-'
            && byte_at(text, len, pos + 1) == '-') {
            pos = line_comment_end(text, len, pos);
        } else {
            return has_newline && byte_at(text, len, pos) == '\'' ? pos : 0;
        }
    }
}

size_t
sql_quote_open(const char *text, const struct sql_token *tok)
{
    size_t pos = tok->start;

    while (text[pos] != '\'')
        pos++;
    return pos;
}

/* pos: at the opening quote. */
static int
lex_string(
    struct sql_lexer *lx, struct sql_token *tok, size_t pos, enum sql_token_kind kind)
{
    enum sql_quote quote = sql_quote_of(kind, lx->std_strings);
    size_t end;

    do {
        size_t close = sql_quote_close(lx->text, lx->len, pos + 1, quote);
        if (close == lx->len)
            return SQL_LEX_E_BROKEN;
        end = close + 1;
        pos = sql_quote_continued(lx->text, lx->len, end);
    } while (pos);
    *tok = (struct sql_token){ kind, lx->pos, end - lx->pos };
    lx->pos = end;
    return 0;
}

/* pos: at the opening quote. */
static int
lex_quoted(
    struct sql_lexer *lx, struct sql_token *tok, size_t pos, enum sql_token_kind kind)
{
    for (pos++;; pos += 2) {
        const char *p = pos < lx->len ? memchr(lx->text + pos, '"', lx->len - pos)
                                      : NULL;
        if (!p)
            return SQL_LEX_E_BROKEN;
        pos = (size_t)(p - lx->text);
        if (byte_at(lx->text, lx->len, pos + 1) != '"')
            break;
    }
    *tok = (struct sql_token){ kind, lx->pos, pos + 1 - lx->pos };
    lx->pos = pos + 1;
    return 0;
}

static int
lex_to(
    struct sql_lexer *lx, struct sql_token *tok, size_t end, enum sql_token_kind kind)
{
    *tok = (struct sql_token){ kind, lx->pos, end - lx->pos };
    lx->pos = end;
    return 0;
}

/* A word, or one of the constants and names that start with a letter. */
static int
lex_word(struct sql_lexer *lx, struct sql_token *tok)
{
    char next = byte_at(lx->text, lx->len, lx->pos + 1);
    char third = byte_at(lx->text, lx->len, lx->pos + 2);

    switch (lx->text[lx->pos]) {
    case 'e':
    case 'E':
        if (next == '\'')
            return lex_string(lx, tok, lx->pos + 1, SQL_T_ESTRING);
        break;
    case 'n':
    case 'N':
        if (next == '\'')
            return lex_string(lx, tok, lx->pos + 1, SQL_T_STRING);
        break;
    case 'b':
    case 'B':
    case 'x':
    case 'X':
        if (next == '\'')
            return lex_string(lx, tok, lx->pos + 1, SQL_T_BITS);
        break;
    case 'u':
    case 'U':
        if (next == '&' && third == '\'')
            return lex_string(lx, tok, lx->pos + 2, SQL_T_USTRING);
        if (next == '&' && third == '"')
            return lex_quoted(lx, tok, lx->pos + 2, SQL_T_UQUOTED);
        break;
    }
    return lex_to(lx, tok, span(lx->text, lx->len, lx->pos, LT | DG | DL), SQL_T_WORD);
}

static size_t
digits_end(const struct sql_lexer *lx, size_t pos, bool with_underscores)
{
    pos = span(lx->text, lx->len, pos, DG);
    while (with_underscores && byte_at(lx->text, lx->len, pos) == '_'
        && (class_at(lx->text, lx->len, pos + 1) & DG))
        pos = span(lx->text, lx->len, pos + 1, DG);
    return pos;
}

/* `1..2` is a range: the first dot belongs to a number only if the next byte is none. */
static size_t
number_end(const struct sql_lexer *lx, bool with_underscores)
{
    const char *text = lx->text;
    size_t len = lx->len, pos = digits_end(lx, lx->pos, with_underscores);

    if (byte_at(text, len, pos) == '.'
        && (pos == lx->pos || byte_at(text, len, pos + 1) != '.'))
        pos = digits_end(lx, pos + 1, with_underscores);
    if ((byte_at(text, len, pos) | 0x20) == 'e') {
        char sign = byte_at(text, len, pos + 1);
        size_t exponent = pos + 1 + (sign == '+' || sign == '-');
        if (class_at(text, len, exponent) & DG)
            pos = digits_end(lx, exponent, with_underscores);
    }
    return pos;
}

static bool
is_digit_of(char c, char base)
{
    switch (base) {
    case 'x':
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
    case 'o':
        return c >= '0' && c <= '7';
    case 'b':
        return c == '0' || c == '1';
    }
    return false;
}

/* 0x, 0o and 0b numbers of version 16; lx->pos when there is none. */
static size_t
based_number_end(const struct sql_lexer *lx)
{
    size_t pos = lx->pos + 2;

    if (lx->text[lx->pos] != '0')
        return lx->pos;
    char base = (char)(byte_at(lx->text, lx->len, lx->pos + 1) | 0x20);
    for (;;) {
        size_t digit = pos + (byte_at(lx->text, lx->len, pos) == '_');
        if (!is_digit_of(byte_at(lx->text, lx->len, digit), base))
            break;
        pos = digit + 1;
    }
    return pos == lx->pos + 2 ? lx->pos : pos;
}

/* The reading of version 16 is taken only where nothing is glued to it: with letters it is
 * an error there, but older servers read a number and a word and go on (`1_0$a$` is 1 and
 * the name _0$a$, not the start of a dollar quote). */
static int
lex_number(struct sql_lexer *lx, struct sql_token *tok)
{
    size_t end = based_number_end(lx);

    if (end == lx->pos)
        end = number_end(lx, true);
    if (class_at(lx->text, lx->len, end) & (LT | DG | DL))
        end = number_end(lx, false);
    return lex_to(lx, tok, end, SQL_T_NUMBER);
}

static int
lex_dollar(struct sql_lexer *lx, struct sql_token *tok)
{
    const char *text = lx->text;
    size_t open = lx->pos, pos = open + 1;

    if (class_at(text, lx->len, pos) & DG)
        return lex_to(lx, tok, span(text, lx->len, pos, DG), SQL_T_PARAM);
    pos = span(text, lx->len, pos, LT | DG);
    if (byte_at(text, lx->len, pos) != '$')
        return lex_to(lx, tok, open + 1, SQL_T_PUNCT);
    size_t n_tag = pos + 1 - open;
    const char *close = memmem(text + pos + 1, lx->len - pos - 1, text + open, n_tag);
    if (!close)
        return SQL_LEX_E_BROKEN;
    return lex_to(lx, tok, (size_t)(close - text) + n_tag, SQL_T_DOLLAR);
}

/* A run of operator characters ends before the first comment start in it. A `+` or `-` at
 * its end belongs to it only if one of the characters that SQL itself doesn't use is in
 * it (so `=-1` is `=` and `-1`, but `@-` is an operator). */
static int
lex_operator(struct sql_lexer *lx, struct sql_token *tok)
{
    const char *text = lx->text;
    size_t start = lx->pos, pos, end = start + 1;
    bool is_extended = false;

    /* The rest of a run of plus and minus: one each, already measured. */
    if (start < lx->signs_end)
        return lex_to(lx, tok, end, SQL_T_OPERATOR);
    for (pos = start; class_at(text, lx->len, pos) & (OP | OX); pos++) {
        char c = text[pos], next = byte_at(text, lx->len, pos + 1);
        if ((c == '-' && next == '-') || (c == '/' && next == '*'))
            break;
        is_extended |= (classes[(unsigned char)c] & OX) != 0;
        if (c != '+' && c != '-')
            end = pos + 1;
    }
    lx->signs_end = is_extended ? 0 : pos;
    if (is_extended)
        end = pos;
    bool is_arrow = end - start == 2 && text[start] == '=' && text[start + 1] == '>';
    return lex_to(lx, tok, end, is_arrow ? SQL_T_PUNCT : SQL_T_OPERATOR);
}

static int
lex_punct(struct sql_lexer *lx, struct sql_token *tok)
{
    char c = lx->text[lx->pos], next = byte_at(lx->text, lx->len, lx->pos + 1);
    bool is_double = (c == ':' && (next == ':' || next == '='))
        || (c == '.' && next == '.');

    return lex_to(lx, tok, lx->pos + (is_double ? 2 : 1), SQL_T_PUNCT);
}

int
sql_lex_next(struct sql_lexer *lx, struct sql_token *tok)
{
    int r = skip_blank(lx);

    if (r)
        return r;
    if (lx->pos >= lx->len)
        return SQL_LEX_END;
    char c = lx->text[lx->pos];
    uint8_t class = classes[(unsigned char)c];
    if (class & LT)
        return lex_word(lx, tok);
    if (class & DG)
        return lex_number(lx, tok);
    if (class & (OP | OX))
        return lex_operator(lx, tok);
    if (class & DL)
        return lex_dollar(lx, tok);
    if (c == '\'')
        return lex_string(lx, tok, lx->pos, SQL_T_STRING);
    if (c == '"')
        return lex_quoted(lx, tok, lx->pos, SQL_T_QUOTED);
    if (c == '.' && (class_at(lx->text, lx->len, lx->pos + 1) & DG))
        return lex_number(lx, tok);
    return lex_punct(lx, tok);
}

/* Blanks the comments of text[pos..end), which holds nothing but white space and
 * comments (or the start of a comment without an end). The vertical tab is blanked with
 * them: servers from 16 on read it as white space, the linked grammar doesn't know it. */
static void
blank_gap(char *text, size_t pos, size_t end)
{
    unsigned ignored = 0;

    while (pos < end) {
        char c = text[pos], next = byte_at(text, end, pos + 1);
        size_t stop = pos + 1;
        if (c == '-' && next == '-')
            stop = line_comment_end(text, end, pos);
        else if (c == '/' && next == '*')
            stop = block_comment_end(text, end, pos, &ignored);
        else if (c != '\v')
            c = '\0';
        if (!stop)
            stop = end;
        if (c)
            memset(text + pos, ' ', stop - pos);
        pos = stop;
    }
}

/* Between tokens. If both are constants, a block comment kept them from being one; a
 * newline would make them one. */
static void
blank_between(char *text, size_t pos, size_t end, bool after_string)
{
    blank_gap(text, pos, end);
    if (after_string && text[end] == '\'')
        memset(text + pos, ' ', end - pos);
}

/* Line comments between the parts of a string constant. */
static void
blank_parts(char *text, const struct sql_token *tok, bool std_strings)
{
    enum sql_quote quote = sql_quote_of(tok->kind, std_strings);
    size_t end = tok->start + tok->len, pos = sql_quote_open(text, tok);

    for (;;) {
        size_t close = sql_quote_close(text, end, pos + 1, quote);
        if (close + 1 >= end)
            return;
        pos = sql_quote_continued(text, end, close + 1);
        blank_gap(text, close + 1, pos);
    }
}

char *
sql_blank_comments(const char *text, size_t len, bool std_strings)
{
    char *copy = mem_strndup(text, len);
    struct sql_lexer lx;
    struct sql_token tok;
    size_t gap = 0;
    bool was_string = false, is_string;

    sql_lex_init(&lx, text, len, std_strings);
    for (; !sql_lex_next(&lx, &tok); was_string = is_string) {
        blank_between(copy, gap, tok.start, was_string);
        gap = tok.start + tok.len;
        is_string = tok.kind >= SQL_T_STRING && tok.kind <= SQL_T_BITS;
        if (is_string)
            blank_parts(copy, &tok, std_strings);
    }
    blank_between(copy, gap, lx.pos, was_string);
    if (lx.pos < len && text[lx.pos] == '/')
        blank_gap(copy, lx.pos, len);
    return copy;
}
