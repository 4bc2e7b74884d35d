// SPDX-License-Identifier: ISC
/* Code that stands in strings: DO blocks and function bodies.
 *
 * LANGUAGE sql is parsed like any text. PL/pgSQL is cut into statements by the lexer: one
 * starts at the beginning and after `;` BEGIN THEN ELSE LOOP and >>. What starts like a
 * command of SQL is parsed, up to the next `;`, wherever it could change the schema, a
 * setting or a history table (SELECT ... INTO assigns variables here); a piece that the
 * grammar rejects gives the lexer's reading, which is never looser. EXECUTE of a constant
 * is parsed in turn; any other EXECUTE, any other language, and code whose tokens or
 * commands depend on standard_conforming_strings are SQL_F_DYNAMIC: the code, or a setting
 * of the function, may change it before the constant is read. */
#include "sql/make.h"

#include <string.h>

#include "sql/words.h"

struct body {
    struct mk *m;     /* borrowed */
    const char *text; /* borrowed: the body itself */
    size_t len;
    struct mk_place place;    /* of text */
    int fact;                 /* index of DO or CREATE FUNCTION */
    struct sql_token *tokens; /* owned */
    size_t n, cap;
};

static void
body_deinit_p(struct body *b)
{
    mem_free(b->tokens);
}

/* ---- where the body stands in the client's text ---- */

/* Fills *out if this token's value is the text. */
static bool
match_literal(const struct mk *m, const struct sql_token *tok, const char *text,
    size_t len, struct mk_place *out)
{
    const char *raw = m->place.text + tok->start;
    size_t quotes; /* before the value */

    if (tok->kind == SQL_T_DOLLAR) {
        quotes = (size_t)((const char *)memchr(raw + 1, '$', tok->len - 1) - raw) + 1;
    } else if (tok->kind == SQL_T_STRING && *raw == '\'') {
        quotes = 1;
    } else {
        return false;
    }
    /* quotes doubled or parts joined: no byte-by-byte map */
    if (tok->len != len + 2 * quotes || memcmp(raw + quotes, text, len) != 0)
        return false;
    *out = (struct mk_place){
        .text = text,
        .len = len,
        .base = (size_t)mk_pos(m, (int)tok->start) + (m->place.is_fixed ? 0 : quotes),
        .is_fixed = m->place.is_fixed,
    };
    return true;
}

static struct mk_place
locate(const struct mk *m, int location, const char *text, size_t len)
{
    size_t from = location > 0 && (size_t)location < m->end ? (size_t)location
                                                            : m->start;
    struct mk_place place = { .text = text, .len = len, .is_fixed = true };
    struct sql_lexer lx;
    struct sql_token tok;

    place.base = (size_t)mk_pos(m, (int)from);
    sql_lex_init(&lx, m->place.text + from, m->end - from, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        tok.start += from;
        if (match_literal(m, &tok, text, len, &place))
            break;
    }
    return place;
}

/* A piece of a located text. */
static struct mk_place
piece(const struct mk_place *whole, size_t start, size_t len)
{
    return (struct mk_place){
        .text = whole->text + start,
        .len = len,
        .base = whole->base + (whole->is_fixed ? 0 : start),
        .is_fixed = whole->is_fixed,
    };
}

/* ---- tokens ---- */

static bool
is_word(const struct body *b, size_t i, const char *word)
{
    return i < b->n && b->tokens[i].kind == SQL_T_WORD
        && str_ieqz(
            (struct str){ b->text + b->tokens[i].start, b->tokens[i].len }, word);
}

static bool
is_punct(const struct body *b, size_t i, const char *punct)
{
    size_t n = strlen(punct);

    return i < b->n && b->tokens[i].len == n
        && memcmp(b->text + b->tokens[i].start, punct, n) == 0;
}

static bool
is_tracked(const struct body *b, size_t i)
{
    const struct sql_token *tok = &b->tokens[i];
    char ident[64];

    if (tok->kind == SQL_T_UQUOTED && is_word(b, i + 1, "uescape"))
        return true; /* could be any name: the parser will know */
    return (tok->kind == SQL_T_WORD || tok->kind == SQL_T_QUOTED
               || tok->kind == SQL_T_UQUOTED)
        && sql_token_ident(b->text, tok, ident) == 0 && mk_is_tracked(b->m, ident);
}

static bool
is_setting(const struct body *b, size_t i)
{
    return is_word(b, i, "set_config") || is_word(b, i, "pg_settings");
}

static bool
is_write(const struct body *b, size_t i)
{
    return is_word(b, i, "insert") || is_word(b, i, "update") || is_word(b, i, "delete")
        || is_word(b, i, "merge") || is_word(b, i, "copy") || is_word(b, i, "truncate");
}

/* The tokens as the session reads them now. False if they would be others with
 * standard_conforming_strings the other way round, or can't be had. */
static bool
collect(struct body *b)
{
    const bool std = b->m->std_strings;
    const bool has_two = memchr(b->text, '\\', b->len) != NULL;
    struct sql_lexer lx, other;
    struct sql_token tok, tok2;
    int r;

    sql_lex_init(&lx, b->text, b->len, std);
    sql_lex_init(&other, b->text, b->len, !std);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        MEM_GROW(b->tokens, b->n, b->cap);
        b->tokens[b->n++] = tok;
        if (has_two
            && (sql_lex_next(&other, &tok2) != 0 || tok2.start != tok.start
                || tok2.len != tok.len))
            return false;
    }
    return r == SQL_LEX_END && (!has_two || sql_lex_next(&other, &tok2) == SQL_LEX_END);
}

/* ---- PL/pgSQL ---- */

enum start {
    START_PLAIN, /* no command of SQL, or PL/pgSQL's own */
    START_QUERY, /* parsed only where it names something of interest */
    START_COMMAND,
};

static enum start
kind_of_start(const struct body *b, size_t i)
{
    static const char *const queries[] = { "select", "perform", "with", "insert",
        "update", "delete", "merge", "values" };
    static const char *const commands[] = { "do", "call", "set", "reset", "discard",
        "lock", "copy", "explain", "prepare", "deallocate" };
    const struct sql_word *w;
    char next;

    if (b->tokens[i].kind != SQL_T_WORD || is_punct(b, i + 1, ":=")
        || is_punct(b, i + 1, "="))
        return START_PLAIN;
    for (size_t k = 0; k < DG_ARRAY_SIZE(queries); k++)
        if (is_word(b, i, queries[k]))
            return START_QUERY;
    for (size_t k = 0; k < DG_ARRAY_SIZE(commands); k++)
        if (is_word(b, i, commands[k]))
            return START_COMMAND;
    w = sql_word_find(b->text + b->tokens[i].start, b->tokens[i].len);
    if (!w || !(w->group & SQL_W_SCHEMA))
        return START_PLAIN;
    next = i + 1 < b->n ? ascii_lower(b->text[b->tokens[i + 1].start]) : 0;
    return !w->next || ascii_lower(w->next) == next ? START_COMMAND : START_PLAIN;
}

/* Facts of the tokens [from, to) as one statement of SQL. False if it is none: the facts are
 * the lexer's reading then. */
static bool
read_piece(struct body *b, size_t from, size_t to)
{
    const struct sql_token *last = &b->tokens[to - 1];
    size_t start = b->tokens[from].start, len = last->start + last->len - start;
    struct mk_place place = piece(&b->place, start, len);
    AUTO(mem_free) char *copy = mem_strndup(b->text + start, len);
    bool was_plpgsql = b->m->is_plpgsql, was_unparsable = b->m->is_unparsable;
    bool is_parsed;

    if (is_word(b, from, "do") && memchr(copy, '\\', len))
        mk_mark_code(b->m, b->fact, SQL_F_DYNAMIC);
    if (is_word(b, from, "perform"))
        memcpy(copy, "SELECT ", sizeof("SELECT ") - 1);
    place.text = copy;
    b->m->is_plpgsql = true;
    b->m->is_unparsable = false;
    mk_mark_code(b->m, b->fact, parse_nested(b->m, &place, b->fact));
    is_parsed = !b->m->is_unparsable;
    b->m->is_plpgsql = was_plpgsql;
    b->m->is_unparsable |= was_unparsable;
    return is_parsed;
}

/* EXECUTE at token i. */
static void
read_execute(struct body *b, size_t i)
{
    const struct sql_token *tok = i + 1 < b->n ? &b->tokens[i + 1] : NULL;
    const bool is_string = tok
        && (tok->kind == SQL_T_STRING || tok->kind == SQL_T_ESTRING
            || tok->kind == SQL_T_USTRING || tok->kind == SQL_T_DOLLAR);
    const bool is_all = i + 2 >= b->n || is_punct(b, i + 2, ";")
        || is_word(b, i + 2, "into") || is_word(b, i + 2, "using")
        || is_word(b, i + 2, "loop");
    AUTO(mem_free) char *value = NULL;
    struct mk_place place;
    bool was_plpgsql = b->m->is_plpgsql;
    int64_t n;

    if (!is_string || !is_all) {
        mk_mark_code(b->m, b->fact, SQL_F_DYNAMIC);
        return;
    }
    value = mem_alloc(tok->len + 1);
    n = sql_token_value(b->text, tok, b->m->std_strings, value);
    if (n < 0 || memchr(value, '\\', (size_t)n)
        || (tok->kind == SQL_T_STRING
            && memchr(b->text + tok->start, '\\', tok->len))) {
        mk_mark_code(b->m, b->fact, SQL_F_DYNAMIC);
        return;
    }
    value[n] = 0;
    place = piece(&b->place, tok->start, (size_t)n);
    place.text = value;
    if (tok->kind == SQL_T_DOLLAR && !place.is_fixed)
        place.base += (tok->len - (size_t)n) / 2;
    else
        place.is_fixed = true;
    b->m->is_plpgsql = false;
    mk_mark_code(b->m, b->fact, parse_nested(b->m, &place, b->fact));
    b->m->is_plpgsql = was_plpgsql;
}

/* A write of a history table in a statement that can't be parsed (RETURN QUERY DELETE ...,
 * FOR r IN INSERT ... RETURNING): what it writes stays unknown. */
static void
add_unknown_write(struct body *b, size_t i)
{
    struct mk *m = b->m;
    char ident[64] = "";

    if (sql_token_ident(b->text, &b->tokens[i], ident) < 0)
        return;
    mk_begin(m, "INSERT", DG_HISTORY);
    m->f.flags |= SQL_F_UNPARSABLE;
    mk_object(m, SQL_O_TABLE, NULL, ident,
        (int)(b->place.base + (b->place.is_fixed ? 0 : b->tokens[i].start)));
    mk_end(m, b->fact);
}

struct segment {    /* since the last statement's start */
    size_t history; /* token of a tracked name + 1 */
    bool has_write, is_told, has_explain;
    size_t
        seen_to; /* tokens before it stand in a piece that was looked at as a whole */
};

static void
read_token(struct body *b, size_t i, struct segment *s)
{
    const bool is_member = i > 0 && is_punct(b, i - 1, ".");

    if (is_word(b, i, "execute") && !is_member)
        read_execute(b, i);
    if (is_setting(b, i))
        b->m->facts[b->fact].flags |= SQL_F_READING;
    if (is_tracked(b, i))
        s->history = i + 1;
    s->has_write = s->has_write || is_write(b, i);
    if (s->history && s->has_write && !s->is_told) {
        s->is_told = true;
        add_unknown_write(b, s->history - 1);
    }
    /* reserved words: they can only be a command that was not seen as one */
    if ((is_word(b, i, "create") || is_word(b, i, "grant")) && !is_member)
        mk_mark_code(b->m, b->fact, SQL_F_DDL_IN_CODE);
    /* FOR r IN EXPLAIN ANALYZE SELECT 1 INTO x: here INTO is SQL's */
    if (is_word(b, i, "explain"))
        s->has_explain = true;
    if (is_word(b, i, "into") && s->has_explain)
        mk_mark_code(b->m, b->fact, SQL_F_DDL_IN_CODE);
}

static bool
starts_next(const struct body *b, size_t i)
{
    return is_punct(b, i, ";") || is_punct(b, i, ">>") || is_word(b, i, "begin")
        || is_word(b, i, "then") || is_word(b, i, "else") || is_word(b, i, "loop");
}

static bool
is_of_interest(const struct body *b, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (is_tracked(b, i) || is_setting(b, i))
            return true;
    return false;
}

/* The statement that starts at token i: its last token + 1 if nothing else can be in it.
 * Else 0: most words that start a statement can also be names, so that what follows THEN,
 * ELSE and the like may be none: IF (CASE WHEN a THEN delete END) THEN DROP ... */
static size_t
read_statement(struct body *b, size_t i, enum start kind, struct segment *s)
{
    size_t end = i + 1;

    if (i < s->seen_to) { /* read once already, which keeps this linear */
        if (kind == START_COMMAND)
            mk_mark_code(b->m, b->fact, SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE);
        return 0;
    }
    while (end < b->n && !is_punct(b, end, ";"))
        end++;
    s->seen_to = end;
    if (kind == START_COMMAND || is_of_interest(b, i, end)) {
        if (read_piece(b, i, end))
            return end;
        s->is_told = true;
    }
    /* reserved words are no names */
    return is_word(b, i, "select") || is_word(b, i, "with") ? end : 0;
}

static void
read_plpgsql(struct body *b)
{
    struct segment s = { 0 };
    bool is_start = true;

    for (size_t i = 0; i < b->n; i++) {
        enum start kind = is_start ? kind_of_start(b, i) : START_PLAIN;
        size_t end;

        if (is_start)
            s = (struct segment){ .seen_to = s.seen_to };
        end = kind != START_PLAIN ? read_statement(b, i, kind, &s) : 0;
        if (end) {
            i = end;
            is_start = true;
        } else {
            read_token(b, i, &s);
            is_start = starts_next(b, i);
        }
    }
}

/* ---- entries ---- */

/* Temporary code that names a history table is a way to write it. */
static void
see_temporary(struct body *b)
{
    struct sql_facts *f = &b->m->facts[b->fact];

    if (!(f->flags & SQL_F_TEMP))
        return;
    for (size_t i = 0; i < b->n; i++)
        if (is_tracked(b, i)) {
            f->cls = DG_HISTORY;
            f->flags &= ~(unsigned)SQL_F_TEMP;
        }
}

static void
read_body(struct mk *m, const char *text, int location, int fact)
{
    const char *language = m->facts[fact].language;
    AUTO(body_deinit)
    struct body b = {
        .m = m,
        .text = text,
        .len = strlen(text),
        .fact = fact,
    };

    b.place = locate(m, location, text, b.len);
    if (!collect(&b))
        mk_mark_code(m, fact, SQL_F_DYNAMIC | SQL_F_DDL_IN_CODE);
    else if (language && strcmp(language, "sql") == 0)
        mk_mark_code(m, fact, parse_nested(m, &b.place, fact));
    else if (m->level >= MK_MAX_LEVEL)
        mk_mark_code(m, fact, SQL_F_DYNAMIC);
    else if (language && strcmp(language, "plpgsql") == 0)
        read_plpgsql(&b);
    else
        mk_mark_code(m, fact, SQL_F_DYNAMIC);
    see_temporary(&b);
}

void
body_of_do(struct mk *m, const PgQuery__DoStmt *s, int fact)
{
    const PgQuery__DefElem *as = mk_option(s->args, s->n_args, "as");
    const char *text = as ? mk_string(as->arg) : NULL;

    if (text)
        read_body(m, text, as->location, fact);
}

void
body_of_function(struct mk *m, const PgQuery__CreateFunctionStmt *s, int fact)
{
    const PgQuery__DefElem *as = mk_option(s->options, s->n_options, "as");
    const PgQuery__List *list = as && as->arg && as->arg->node_case == NODE(LIST)
        ? as->arg->list
        : NULL;
    const char *text = list && list->n_items ? mk_string(list->items[0]) : NULL;

    if (list && list->n_items > 1) /* AS 'file', 'symbol' */
        mk_mark_code(m, fact, SQL_F_DYNAMIC);
    else if (text)
        read_body(m, text, as->location, fact);
    /* else BEGIN ATOMIC: the walk goes through it */
}
