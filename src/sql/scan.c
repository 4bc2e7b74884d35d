// SPDX-License-Identifier: ISC
/* Cuts a text into statements; see scan.h.
 *
 * Which words count (invariant 3: only "this cannot be" may be wrong, never "this is not"):
 * - A command of class ddl, dcl, maintenance or cluster starts a statement, or follows
 *   EXPLAIN, or is an element of CREATE SCHEMA or CREATE RULE, which count themselves. So
 *   inside of a statement that starts with a word known to contain no command
 *   (SQL_IS_PLAIN: SELECT, INSERT, COPY, ...; or an opening bracket) the schema words are
 *   names; after any other word, known or not, they count wherever they stand.
 * - COMMENT, SECURITY, IMPORT, REFRESH, REASSIGN, START count only before a word that
 *   begins like the second keyword which they need.
 * - INTO counts wherever it stands, but for the one that INSERT and MERGE need, if it is
 *   the only one. (An INTO right after the word INSERT is no proof: it can be an alias.)
 * - EXECUTE, tracked names, set_config and pg_settings count wherever they stand, names
 *   also in quotes; a U& name could be any of them. */
#include "sql/scan.h"

#include "base/mem.h"
#include "sql/digest.h"
#include "sql/words.h"

#include <string.h>

/* One open bracket; the first entry is the statement itself. */
struct level {
    uint32_t operators; /* since the last comma */
    uint32_t
        set_operations; /* UNION and the like: a chain of them nests across commas */
};

struct scanner {
    struct sql_scan *out;
    const struct sql_words *words;
    const char *text;
    size_t len;
    bool std_strings;
    unsigned limit; /* of depth */
    struct sql_digester digester;
    size_t cap_stmts;

    /* position and line of the last statement's start */
    size_t line_pos;
    int line;

    struct level *levels; /* owned; not more than limit + 1 */
    size_t n_levels, cap_levels;
    size_t n_beyond; /* brackets open beyond these */
    uint64_t depth;  /* sum over the levels, and brackets */
    uint64_t work;
    size_t deep_pos; /* where a limit was passed first */
    bool is_deep;

    /* the statement in progress */
    struct sql_stmt stmt; /* n_tokens is 0 between statements */
    size_t end;           /* of its last token */
    unsigned stmt_depth;
    bool is_plain;        /* its first token says that it contains no command */
    bool is_write;        /* INSERT or MERGE */
    bool has_schema_word; /* other than the first */
    /* the last token, if it only counts before a second keyword (COMMENT ON) */
    const struct sql_word *pending;
    bool pending_is_first;
    size_t n_into;

    /* CREATE FUNCTION ... BEGIN ATOMIC ...; END */
    bool is_routine;
    bool after_begin;
    bool after_label; /* AS or a dot: the next word is a name even if it is END */
    size_t n_body;    /* BEGIN and CASE not yet ended */
};

static void
set_deep(struct scanner *s, size_t pos)
{
    if (!s->is_deep)
        s->deep_pos = pos;
    s->is_deep = true;
}

static void
count_depth(struct scanner *s, size_t pos)
{
    if (s->depth > s->stmt_depth)
        s->stmt_depth = (unsigned)s->depth;
    if (s->depth > s->limit)
        set_deep(s, pos);
}

static void
open_bracket(struct scanner *s, size_t pos)
{
    s->depth++;
    if (s->n_beyond || s->n_levels > s->limit) {
        s->n_beyond++;
    } else {
        MEM_GROW(s->levels, s->n_levels, s->cap_levels);
        s->levels[s->n_levels++] = (struct level){ .operators = 0 };
    }
    count_depth(s, pos);
}

static void
clear_level(struct scanner *s, bool with_set_operations)
{
    struct level *top = &s->levels[s->n_levels - 1];

    s->depth -= top->operators;
    top->operators = 0;
    if (with_set_operations) {
        s->depth -= top->set_operations;
        top->set_operations = 0;
    }
}

static void
close_bracket(struct scanner *s)
{
    if (s->n_beyond) {
        s->n_beyond--;
        s->depth--;
    } else if (s->n_levels > 1) {
        clear_level(s, true);
        s->n_levels--;
        s->depth--;
    }
}

static void
add_operator(struct scanner *s, size_t pos, bool is_set_operation)
{
    struct level *top = &s->levels[s->n_levels - 1];

    if (is_set_operation)
        top->set_operations++;
    else
        top->operators++;
    s->depth++;
    count_depth(s, pos);
}

static bool
word_is(const struct scanner *s, const struct sql_token *tok, const char *word)
{
    struct str str = { s->text + tok->start, tok->len };

    return str_ieqz(str, word);
}

static bool
is_routine(
    const struct sql_stmt *stmt, const struct scanner *s, const struct sql_token *tok)
{
    if (strcmp(stmt->first[0], "CREATE") != 0)
        return false;
    bool at_kind = stmt->n_tokens == 1
        || (stmt->n_tokens == 3 && strcmp(stmt->first[1], "OR") == 0);
    return at_kind && (word_is(s, tok, "FUNCTION") || word_is(s, tok, "PROCEDURE"));
}

/* Keeps count of what END ends in the SQL-standard body of a routine, where `;` doesn't
 * end the statement. CASE and END are reserved words, so they stand for themselves but
 * after AS and a dot. */
static void
routine_word(struct scanner *s, const struct sql_token *tok)
{
    bool after_begin = s->after_begin;

    s->is_routine |= is_routine(&s->stmt, s, tok);
    s->after_begin = false;
    if (!s->is_routine || s->after_label)
        return;
    if (s->n_body == 0) {
        s->after_begin = s->n_levels == 1 && word_is(s, tok, "BEGIN");
        s->n_body = after_begin && word_is(s, tok, "ATOMIC");
    } else if (word_is(s, tok, "CASE")) {
        s->n_body++;
    } else if (word_is(s, tok, "END")) {
        s->n_body--;
    }
}

static void
tracked_name(struct scanner *s, const struct sql_token *tok)
{
    char name[SQL_NAME_MAX + 1];

    if (tok->kind == SQL_T_UQUOTED) {
        s->stmt.words |= SQL_W_HISTORY | SQL_W_SETTING;
        return;
    }
    /* The value is never longer than the token. */
    if (tok->kind == SQL_T_WORD && tok->len <= SQL_NAME_MAX) {
        if (s->words && sql_words_has_n(s->words, s->text + tok->start, tok->len))
            s->stmt.words |= SQL_W_HISTORY;
        return;
    }
    if (sql_token_ident(s->text, tok, name))
        return;
    const struct sql_word *word = sql_word_find(name, strlen(name));
    if (word && word->place == SQL_AT_ANY && word->group == SQL_W_SETTING)
        s->stmt.words |= SQL_W_SETTING;
    if (s->words && sql_words_has(s->words, name))
        s->stmt.words |= SQL_W_HISTORY;
}

static void
count_word(struct scanner *s, const struct sql_word *word, bool is_first)
{
    switch ((enum sql_word_place)word->place) {
    case SQL_AT_NONE:
        break;
    case SQL_AT_START:
        if (is_first)
            s->stmt.words |= word->group;
        break;
    case SQL_AT_COMMAND:
        if (is_first)
            s->stmt.words |= word->group;
        else
            s->has_schema_word = true;
        break;
    case SQL_AT_ANY:
        if (word->group == SQL_W_INTO)
            s->n_into++;
        else
            s->stmt.words |= word->group;
        break;
    }
}

/* tok: what follows the pending word, NULL if that can't be read. */
static void
settle_pending(struct scanner *s, const struct sql_token *tok)
{
    const struct sql_word *word = s->pending;

    s->pending = NULL;
    if (word
        && (!tok
            || (tok->kind == SQL_T_WORD
                && ascii_lower(s->text[tok->start]) == word->next)))
        count_word(s, word, s->pending_is_first);
}

static void
add_word(struct scanner *s, const struct sql_token *tok)
{
    const struct sql_word *word = sql_word_find(s->text + tok->start, tok->len);
    bool is_first = s->stmt.n_tokens == 0;

    routine_word(s, tok);
    tracked_name(s, tok);
    if (!word)
        return;
    if (word->flags & (SQL_IS_NESTING | SQL_IS_SET_OPERATION))
        add_operator(s, tok->start, word->flags & SQL_IS_SET_OPERATION);
    if (is_first) {
        s->is_plain = word->flags & SQL_IS_PLAIN;
        s->is_write = word_is(s, tok, "INSERT") || word_is(s, tok, "MERGE");
    }
    if (word->next) {
        s->pending = word;
        s->pending_is_first = is_first;
    } else {
        count_word(s, word, is_first);
    }
}

static void
add_punct(struct scanner *s, const struct sql_token *tok)
{
    const char *p = s->text + tok->start;

    switch (*p) {
    case '(':
        if (s->stmt.n_tokens == 0)
            s->is_plain = true;
        open_bracket(s, tok->start);
        break;
    case '[':
        open_bracket(s, tok->start);
        break;
    case ')':
    case ']':
        close_bracket(s);
        break;
    case ',':
        clear_level(s, false);
        break;
    case ';': /* in a rule's actions or a routine's body */
        clear_level(s, true);
        break;
    case ':':
        if (tok->len == 2)
            add_operator(s, tok->start, false);
        break;
    }
}

static void
start_stmt(struct scanner *s, size_t pos)
{
    for (const char *p = s->text + s->line_pos;; p++) {
        p = memchr(p, '\n', (size_t)(s->text + pos - p));
        if (!p)
            break;
        s->line++;
    }
    s->line_pos = pos;
    s->stmt = (struct sql_stmt){ .start = pos, .line = s->line };
    s->stmt_depth = 0;
    s->is_plain = s->is_write = s->has_schema_word = false;
    s->n_into = 0;
    s->pending = NULL;
    s->is_routine = s->after_begin = s->after_label = false;
    s->n_body = 0;
    s->n_levels = 1;
    s->levels[0] = (struct level){ .operators = 0 };
    s->n_beyond = 0;
    s->depth = 0;
}

static void
keep_first_word(struct scanner *s, const struct sql_token *tok)
{
    char *out = s->stmt.first[s->stmt.n_tokens];

    if (tok->kind != SQL_T_WORD || tok->len >= sizeof(s->stmt.first[0]))
        return;
    for (size_t i = 0; i < tok->len; i++) {
        char c = ascii_lower(s->text[tok->start + i]);
        out[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    out[tok->len] = '\0';
}

static void
add_token(struct scanner *s, const struct sql_token *tok)
{
    if (s->stmt.n_tokens == 0)
        start_stmt(s, tok->start);
    settle_pending(s, tok);
    if (s->stmt.n_tokens < 2)
        keep_first_word(s, tok);
    switch (tok->kind) {
    case SQL_T_WORD:
        add_word(s, tok);
        break;
    case SQL_T_QUOTED:
    case SQL_T_UQUOTED:
        tracked_name(s, tok);
        break;
    case SQL_T_STRING:
        s->out->two_readings |= memchr(s->text + tok->start, '\\', tok->len) != NULL;
        break;
    case SQL_T_OPERATOR:
        add_operator(s, tok->start, false);
        break;
    case SQL_T_PUNCT:
        add_punct(s, tok);
        break;
    case SQL_T_ESTRING:
    case SQL_T_USTRING:
    case SQL_T_BITS:
    case SQL_T_DOLLAR:
    case SQL_T_NUMBER:
    case SQL_T_PARAM:
        break;
    }
    if (tok->kind != SQL_T_WORD)
        s->after_begin = false;
    s->after_label = (tok->kind == SQL_T_WORD && tok->len == 2 && word_is(s, tok, "AS"))
        || (tok->kind == SQL_T_PUNCT && s->text[tok->start] == '.');
    s->end = tok->start + tok->len;
    s->stmt.n_tokens++;
    sql_digester_add(&s->digester, s->text, tok, s->std_strings);
}

/* Takes the statement in progress into the result. */
static void
keep_stmt(struct scanner *s)
{
    struct sql_scan *out = s->out;

    if (s->has_schema_word && !s->is_plain)
        s->stmt.words |= SQL_W_SCHEMA;
    if (s->n_into > 1 || (s->n_into == 1 && !s->is_write))
        s->stmt.words |= SQL_W_INTO;
    s->stmt.len = s->end - s->stmt.start;
    if (s->stmt_depth > out->max_depth)
        out->max_depth = s->stmt_depth;
    s->work += (uint64_t)s->stmt_depth * (s->stmt.n_tokens + s->stmt.len / 16);
    if (s->work > SQL_SCAN_MAX_WORK || out->n == SQL_SCAN_MAX_STMTS)
        set_deep(s, s->stmt.start);
    out->words |= s->stmt.words;
    if (out->n < SQL_SCAN_MAX_STMTS) {
        MEM_GROW(out->stmts, out->n, s->cap_stmts);
        out->stmts[out->n++] = s->stmt;
    }
    s->stmt.n_tokens = 0;
}

static void
end_stmt(struct scanner *s)
{
    if (s->stmt.n_tokens == 0)
        return;
    sql_digester_end(&s->digester, &s->stmt.digest);
    keep_stmt(s);
}

/* The lexer found no end to what begins at pos. The server reads it the same way and fails,
 * so nothing of this text runs; but should the gate be wrong about string modes, all
 * that follows could be statements: every word in it counts. */
static void
broken_rest(struct scanner *s, size_t pos)
{
    if (s->stmt.n_tokens == 0)
        start_stmt(s, pos);
    else
        sql_digester_drop(&s->digester);
    settle_pending(s, NULL);
    s->out->two_readings |= memchr(s->text + pos, '\\', s->len - pos) != NULL;
    s->end = s->len;
    s->stmt.words |= sql_filter(s->words, s->text + pos, s->len - pos, SQL_W_ALL);
    keep_stmt(s);
}

static int
line_of(const char *text, size_t pos)
{
    int line = 1;

    for (size_t i = 0; i < pos; i++)
        line += text[i] == '\n';
    return line;
}

static const char *
broken_kind(char c)
{
    switch (c) {
    case '"':
        return "quoted name has no closing \"";
    case '$':
        return "dollar quote has no end";
    case '/':
        return "comment has no closing */";
    }
    return "string constant has no closing '";
}

static bool
is_separator(const struct scanner *s, const struct sql_token *tok)
{
    return tok->kind == SQL_T_PUNCT && s->text[tok->start] == ';'
        && (s->stmt.n_tokens == 0 || (s->n_levels == 1 && !s->n_beyond && !s->n_body));
}

static void
scanner_deinit(struct scanner *s)
{
    mem_free(s->levels);
    sql_digester_deinit(&s->digester);
}

static inline void
scanner_deinit_p(struct scanner *s)
{
    scanner_deinit(s);
}

int
sql_scan(struct sql_scan *scan, const struct sql_words *words, const char *text,
    size_t len, bool std_strings, unsigned max_depth, struct err *err)
{
    AUTO(scanner_deinit)
    struct scanner s = { .out = scan,
        .words = words,
        .text = text,
        .len = len,
        .std_strings = std_strings,
        .limit = max_depth,
        .line = 1 };
    const char *nul = len ? memchr(text, '\0', len) : NULL;
    struct sql_lexer lx;
    struct sql_token tok;
    int r;

    *scan = (struct sql_scan){ .n = 0 };
    if (nul) {
        scan->words = sql_filter(words, text, len, SQL_W_ALL);
        return err_set(err, SQL_SCAN_E_NUL, "byte %zu of the text is a NUL; remove it",
            (size_t)(nul - text));
    }
    MEM_GROW(s.levels, 0, s.cap_levels);
    sql_lex_init(&lx, text, len, std_strings);
    while ((r = sql_lex_next(&lx, &tok)) == 0) {
        if (is_separator(&s, &tok))
            end_stmt(&s);
        else
            add_token(&s, &tok);
    }
    scan->max_comment_depth = lx.max_comment_depth;
    if (r == SQL_LEX_E_BROKEN) {
        broken_rest(&s, lx.pos);
        return err_set(err, SQL_SCAN_E_BROKEN, "line %d: a %s; close it",
            line_of(text, lx.pos), broken_kind(text[lx.pos]));
    }
    end_stmt(&s);
    if (s.is_deep && scan->n == SQL_SCAN_MAX_STMTS)
        return err_set(err, SQL_SCAN_E_DEEP,
            "line %d: more than %zu statements; split the text",
            line_of(text, s.deep_pos), SQL_SCAN_MAX_STMTS);
    if (s.is_deep)
        return err_set(err, SQL_SCAN_E_DEEP,
            "line %d: more than %u operators and brackets inside each other, or too many "
            "for this size; split the text",
            line_of(text, s.deep_pos), max_depth);
    return 0;
}

void
sql_scan_deinit(struct sql_scan *scan)
{
    mem_free(scan->stmts);
    *scan = (struct sql_scan){ .n = 0 };
}
