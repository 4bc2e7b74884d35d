// SPDX-License-Identifier: ISC
/* Secrets out of texts on their way to a log (invariant 7); see scan.h.
 *
 * Works on tokens, never on trees, since texts that don't parse hold secrets as well.
 * What is masked:
 * - every constant of a statement about roles, user mappings, servers, foreign tables,
 *   subscriptions, ALTER SYSTEM, ALTER DATABASE, of CALL, EXECUTE and COPY ... PROGRAM,
 *   and of any statement with a telling name in it (password, secret, token, dblink, ...);
 * - the word after PASSWORD, for who forgot the quotes;
 * - elsewhere, a constant or comment that itself holds a telling word or a URL with a
 *   password, and the constants inside a body that speaks of passwords or roles;
 * - in a text whose quotes don't match and that holds such words: all from the first
 *   quote on, since nobody knows what is inside and what outside. */
#include "sql/scan.h"

#include "base/buf.h"
#include "sql/lex.h"

#include <string.h>
#include <strings.h>

static const char mask[] = "'***'";

struct redact {
    const char *text;
    size_t len;
    bool std_strings;
    struct buf out;
    bool is_cut;
    bool stop_at_quote; /* quotes don't match and there may be secrets */
};

/* What is known of a statement before any of it is written. */
struct survey {
    bool mask_all;
    bool is_telling; /* for a name in it */
    bool has_body;   /* its plain strings may be code */
};

/* Parts of names that tell of secrets. */
static const char *const secret_words[] = {
    "passw",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "credential",
    "api_key",
    "apikey",
    "private_key",
    "privatekey",
    "access_key",
    "accesskey",
    "conninfo",
    "dblink",
    "crypt",
    "hmac",
    "jwt",
};
/* Parts of words that make the constants of a body suspect, beside those. */
static const char *const body_words[] = {
    "role",
    "user",
    "mapping",
    "server",
    "subscription",
    "system",
    "program",
    "connection",
};

/* Do the n bytes hold one of the words, in any case? */
static bool
contains(const char *p, size_t n, const char *const *words, size_t n_words)
{
    uint32_t first = 0; /* letters that begin one */

    for (size_t w = 0; w < n_words; w++)
        first |= 1u << (words[w][0] & 31);
    for (size_t i = 0; i < n; i++) {
        if (!(first >> (p[i] & 31) & 1))
            continue;
        for (size_t w = 0; w < n_words; w++) {
            size_t k = 0;
            while (words[w][k] && i + k < n && ascii_lower(p[i + k]) == words[w][k])
                k++;
            if (!words[w][k])
                return true;
        }
    }
    return false;
}

static bool
is_telling(const char *p, size_t n)
{
    return contains(p, n, secret_words, DG_ARRAY_SIZE(secret_words));
}

static bool
is_telling_body(const char *p, size_t n)
{
    return is_telling(p, n) || contains(p, n, body_words, DG_ARRAY_SIZE(body_words));
}

/* postgresql://user:password@host, or a part of it; some ports are hidden, too */
static bool
has_url_password(const char *p, size_t n)
{
    const char *colon = memmem(p, n, "://", 3);

    return colon
        && (memchr(colon, '@', n - (size_t)(colon - p))
            || memchr(colon + 3, ':', n - (size_t)(colon + 3 - p)));
}

static bool
is_constant(enum sql_token_kind kind)
{
    return kind >= SQL_T_STRING && kind <= SQL_T_DOLLAR;
}

static bool
token_is(const char *text, const struct sql_token *tok, const char *word)
{
    return tok->kind == SQL_T_WORD
        && str_ieqz((struct str){ text + tok->start, tok->len }, word);
}

/* The comma list holds upper-case words. */
static bool
token_in(const char *text, const struct sql_token *tok, const char *list)
{
    struct str rest = str_of(list), item;

    if (tok->kind != SQL_T_WORD)
        return false;
    while (str_next_item(&rest, &item)) {
        if (item.n == tok->len && strncasecmp(item.p, text + tok->start, item.n) == 0)
            return true;
    }
    return false;
}

static bool
is_stmt_end(const char *text, const struct sql_token *tok, int *depth)
{
    char c = text[tok->start];

    if (tok->kind != SQL_T_PUNCT)
        return false;
    *depth += (c == '(') - (c == ')' && *depth > 0);
    return c == ';' && *depth == 0;
}

/* Reads one statement ahead. lx is a copy. */
static struct survey
survey_stmt(const char *text, struct sql_lexer lx)
{
    struct survey s = { .mask_all = false };
    struct sql_token tok;
    bool is_object = false, is_copy = false;
    int depth = 0;

    for (size_t i = 0; sql_lex_next(&lx, &tok) == 0; i++) {
        if (is_stmt_end(text, &tok, &depth))
            break;
        if (i == 0) {
            is_object = token_in(text, &tok, "CREATE, ALTER, IMPORT");
            is_copy = token_is(text, &tok, "COPY");
            s.mask_all = token_in(text, &tok, "CALL, EXECUTE");
            s.has_body = token_is(text, &tok, "DO");
        } else if (i == 1 && is_object) {
            s.mask_all = token_in(text, &tok,
                "ROLE, USER, GROUP, SERVER, SUBSCRIPTION, SYSTEM, DATABASE, FOREIGN");
        }
        if (i < 5 && is_object)
            s.has_body |= token_in(text, &tok, "FUNCTION, PROCEDURE");
        s.mask_all |= is_copy && token_is(text, &tok, "PROGRAM");
        if (tok.kind <= SQL_T_UQUOTED && is_telling(text + tok.start, tok.len))
            s.mask_all = s.is_telling = true;
    }
    return s;
}

static void
put(struct redact *r, const char *p, size_t n)
{
    size_t room = r->out.max - buf_len(&r->out);

    if (r->is_cut)
        return;
    if (n > room) {
        r->is_cut = true;
        n = room;
        /* no character is torn apart: at most three bytes belong to the next one */
        for (int back = 0; n > 0 && back < 3 && (p[n] & 0xc0) == 0x80; back++)
            n--;
    }
    buf_put(&r->out, p, n);
}

static void
put_mask(struct redact *r)
{
    if (r->out.max - buf_len(&r->out) < sizeof(mask) - 1)
        r->is_cut = true;
    else
        put(r, mask, sizeof(mask) - 1);
}

/* White space and comments, which can hold secrets, too. */
static void
put_gap(struct redact *r, size_t from, size_t to)
{
    const char *p = r->text + from;
    size_t n = to - from;

    if (!is_telling(p, n) && !has_url_password(p, n)) {
        put(r, p, n);
        return;
    }
    put(r, " /* *** */", 10);
    put(r, memchr(p, '\n', n) ? "\n" : " ", 1);
}

/* In a body, which need not be SQL: a name in quotes that could be something else. */
static bool
is_odd_name(const char *text, const struct sql_token *tok)
{
    const char *p = text + tok->start;

    return (tok->kind == SQL_T_QUOTED || tok->kind == SQL_T_UQUOTED)
        && (is_telling(p, tok->len) || memchr(p, ' ', tok->len)
            || memchr(p, '=', tok->len));
}

/* The inside of a dollar-quoted body: its constants go, its code stays. */
static void
put_body(struct redact *r, size_t from, size_t to)
{
    struct sql_lexer lx;
    struct sql_token tok;
    bool after_password = false;
    int end;

    sql_lex_init(&lx, r->text, to, r->std_strings);
    lx.pos = from;
    while ((end = sql_lex_next(&lx, &tok)) == 0) {
        put_gap(r, from, tok.start);
        from = tok.start + tok.len;
        bool is_value = tok.kind < SQL_T_OPERATOR && !token_is(r->text, &tok, "NULL");
        if (is_constant(tok.kind) || (after_password && is_value)
            || is_odd_name(r->text, &tok))
            put_mask(r);
        else
            put(r, r->text + tok.start, tok.len);
        after_password = token_is(r->text, &tok, "PASSWORD")
            || (after_password && tok.kind == SQL_T_OPERATOR);
    }
    put_gap(r, from, end == SQL_LEX_END ? to : lx.pos);
    if (end != SQL_LEX_END)
        put_mask(r);
}

static void
put_dollar(struct redact *r, const struct sql_token *tok)
{
    const char *p = r->text + tok->start;
    size_t n_tag = (size_t)((const char *)memchr(p + 1, '$', tok->len - 1) - p) + 1;

    put(r, p, n_tag);
    put_body(r, tok->start + n_tag, tok->start + tok->len - n_tag);
    put(r, p, n_tag);
}

static void
put_constant(struct redact *r, const struct survey *s, const struct sql_token *tok)
{
    const char *p = r->text + tok->start;
    bool is_dollar = tok->kind == SQL_T_DOLLAR;
    bool is_body = s->has_body || (is_dollar && !s->mask_all);
    bool is_secret = s->mask_all || is_telling(p, tok->len)
        || has_url_password(p, tok->len) || (is_body && is_telling_body(p, tok->len));

    if (!is_secret)
        put(r, p, tok->len);
    else if (is_dollar && is_body)
        put_dollar(r, tok);
    else
        put_mask(r);
}

/* In a masked statement: what stands where a value belongs. */
static bool
is_bare_secret(const struct redact *r, const struct survey *s,
    const struct sql_token *tok, const struct sql_token *before)
{
    const char *text = r->text;

    if (!s->mask_all || tok->kind == SQL_T_PUNCT || tok->kind == SQL_T_OPERATOR
        || token_is(text, tok, "NULL"))
        return false;
    if (token_is(text, before, "PASSWORD"))
        return true;
    bool is_assigned = token_is(text, before, "TO")
        || (before->kind == SQL_T_OPERATOR && text[before->start] == '=');
    return is_assigned && (s->is_telling || tok->kind == SQL_T_QUOTED);
}

/* A word glued to a constant: the quotes are out of step. */
static bool
is_glued(
    const struct survey *s, const struct sql_token *tok, const struct sql_token *before)
{
    return s->mask_all && is_constant(before->kind)
        && tok->start == before->start + before->len
        && (tok->kind <= SQL_T_UQUOTED || tok->kind == SQL_T_NUMBER
            || is_constant(tok->kind));
}

/* Returns false when the rest of the text is not to be written. */
static bool
put_stmt(struct redact *r, struct sql_lexer *lx)
{
    struct survey s = survey_stmt(r->text, *lx);
    struct sql_token tok, before = { .kind = SQL_T_PUNCT, .start = lx->pos };
    int depth = 0, end;

    while (!r->is_cut) {
        size_t from = lx->pos;
        end = sql_lex_next(lx, &tok);
        if (end == SQL_LEX_END) {
            put_gap(r, from, r->len);
            return false;
        }
        if (end) {
            put_gap(r, from, lx->pos);
            if (r->stop_at_quote || s.mask_all)
                put_mask(r);
            else
                put(r, r->text + lx->pos, r->len - lx->pos);
            return false;
        }
        put_gap(r, from, tok.start);
        if ((r->stop_at_quote && tok.kind >= SQL_T_QUOTED && tok.kind <= SQL_T_DOLLAR)
            || is_glued(&s, &tok, &before)) {
            put_mask(r);
            return false;
        }
        if (is_constant(tok.kind))
            put_constant(r, &s, &tok);
        else if (is_bare_secret(r, &s, &tok, &before))
            put_mask(r);
        else
            put(r, r->text + tok.start, tok.len);
        if (is_stmt_end(r->text, &tok, &depth))
            return true;
        before = tok;
    }
    return false;
}

static bool
is_broken(const struct redact *r)
{
    struct sql_lexer lx;
    struct sql_token tok;
    int end;

    sql_lex_init(&lx, r->text, r->len, r->std_strings);
    while ((end = sql_lex_next(&lx, &tok)) == 0)
        ;
    return end == SQL_LEX_E_BROKEN;
}

char *
sql_redact(const char *text, size_t len, bool std_strings, size_t max, bool *cut)
{
    struct redact r = {
        .text = text, .len = len, .std_strings = std_strings, .out = BUF_INIT(max)
    };
    struct sql_lexer lx;

    r.stop_at_quote = (is_telling_body(text, len) || has_url_password(text, len))
        && is_broken(&r);
    sql_lex_init(&lx, text, len, std_strings);
    while (put_stmt(&r, &lx))
        ;
    *cut = r.is_cut;
    return buf_steal(&r.out);
}
