// SPDX-License-Identifier: ISC
/* The lexer's reading of a statement that the linked grammar rejects (design invariant 3).
 *
 * It is for the grammars of newer servers: queries, and what only steers a session, are
 * class other; everything that could change the schema, or hide a change, is class ddl with
 * SQL_F_UNPARSABLE. A query may hide one only as SELECT ... INTO; an INTO is harmless where
 * it stands directly after INSERT or MERGE and these begin a statement, that is: are its
 * first word, stand after `(`, or follow a WITH list outside brackets with no SELECT,
 * VALUES or TABLE before them. (`SELECT insert INTO t FROM a` is a SELECT ... INTO.) */
#include "sql/make.h"

#include <stdio.h>
#include <string.h>

#include "sql/filter.h"

struct reader {
    struct mk *m;               /* borrowed */
    const struct mk_place *raw; /* borrowed */
    struct sql_lexer lx;        /* over the statement */
    size_t base;                /* of the lexer's text in raw->text */
    struct sql_token tok;
    char word[20]; /* upper case; "" if tok is no word, or longer */
    bool is_end;
    unsigned words; /* SQL_W_* of the whole statement */
};

static void
next(struct reader *r)
{
    r->word[0] = 0;
    if (r->is_end || sql_lex_next(&r->lx, &r->tok) != 0) {
        r->is_end = true;
        return;
    }
    if (r->tok.kind != SQL_T_WORD || r->tok.len >= sizeof(r->word))
        return;
    for (size_t i = 0; i < r->tok.len; i++) {
        char c = r->lx.text[r->tok.start + i];

        r->word[i] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    r->word[r->tok.len] = 0;
}

static bool
at_word(const struct reader *r, const char *word)
{
    return !r->is_end && strcmp(r->word, word) == 0;
}

static char
at_punct(const struct reader *r)
{
    return !r->is_end && r->tok.len == 1 ? r->lx.text[r->tok.start] : 0;
}

static bool
is_one_of(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

/* From `(` to behind its `)`. */
static void
skip_brackets(struct reader *r)
{
    int depth = 0;

    do {
        depth += (at_punct(r) == '(') - (at_punct(r) == ')');
        next(r);
    } while (!r->is_end && depth > 0);
}

static int
here(const struct reader *r)
{
    if (r->raw->is_fixed)
        return (int)r->raw->base;
    return (int)(r->raw->base + r->base + (r->is_end ? 0 : r->tok.start));
}

static int
add(struct reader *r, const char *tag, unsigned cls, unsigned flags, int pos,
    int parent)
{
    mk_begin(r->m, tag, cls);
    r->m->f.flags |= flags;
    r->m->f.pos = pos;
    if (r->words & SQL_W_SETTING)
        r->m->f.flags |= SQL_F_READING;
    return mk_end(r->m, parent);
}

/* ---- queries ---- */

struct query {
    int depth;
    bool has_into;  /* one that may make a table */
    bool has_write; /* INSERT, UPDATE, DELETE, MERGE somewhere */
    bool has_query; /* SELECT, VALUES, TABLE outside brackets */
};

static void
see_query_word(
    struct reader *r, struct query *q, const char *before, bool after_bracket)
{
    static const char *const writes[] = { "INSERT", "UPDATE", "DELETE", "MERGE" };
    static const char *const queries[] = { "SELECT", "VALUES", "TABLE" };

    if (is_one_of(r->word, writes, DG_ARRAY_SIZE(writes)))
        q->has_write = true;
    else if (q->depth == 0 && is_one_of(r->word, queries, DG_ARRAY_SIZE(queries)))
        q->has_query = true;
    else if (strcmp(r->word, "INTO") == 0
        && !(after_bracket
            && (strcmp(before, "INSERT") == 0 || strcmp(before, "MERGE") == 0)))
        q->has_into = true;
}

/* Reads the rest of a query; the reader stands at its first token. */
static struct query
read_query(struct reader *r)
{
    struct query q = { 0 };
    char before[20] = "", last = '('; /* as if in brackets: a start */
    bool may_start = true;            /* `before` stands where a statement may start */

    for (; !r->is_end; next(r)) {
        char c = at_punct(r);

        if (r->word[0]) {
            see_query_word(r, &q, before, may_start);
            may_start = last == '(' || (last == ')' && q.depth == 0 && !q.has_query);
        } else {
            may_start = false;
        }
        q.depth += (c == '(') - (c == ')');
        memcpy(before, r->word, sizeof(before));
        last = r->word[0] ? 'w' : c;
    }
    return q;
}

static void
add_query(struct reader *r, int parent)
{
    static const char *const tags[] = { "INSERT", "UPDATE", "DELETE", "MERGE" };
    const char *tag = "SELECT";
    int pos = here(r);
    struct query q;

    for (size_t i = 0; i < DG_ARRAY_SIZE(tags); i++)
        if (at_word(r, tags[i]))
            tag = tags[i];
    q = read_query(r);
    if (q.has_into && (r->words & SQL_W_INTO) && !r->m->is_plpgsql)
        add(r, "SELECT INTO", DG_DDL, SQL_F_UNPARSABLE, pos, parent);
    else if (q.has_write && (r->words & SQL_W_HISTORY))
        add(r, tag, DG_HISTORY, SQL_F_UNPARSABLE, pos, parent);
    else
        add(r, tag, DG_OTHER, 0, pos, parent);
}

/* ---- what could change the schema ---- */

static void
add_words(struct reader *r, char *out, size_t size)
{
    static const char *const modifiers[] = { "OR", "REPLACE", "TEMP", "TEMPORARY",
        "LOCAL", "GLOBAL", "UNLOGGED", "UNIQUE", "RECURSIVE", "CONSTRAINT", "TRUSTED",
        "PROCEDURAL", "DEFAULT" };
    size_t n = 0;

    for (int i = 0; i < 8 && r->word[0]; i++, next(r)) {
        int k;

        if (i > 0 && n < 8 && is_one_of(r->word, modifiers, DG_ARRAY_SIZE(modifiers)))
            continue; /* between CREATE and its noun only */
        k = snprintf(out + n, size - n, "%s%s", n ? " " : "", r->word);
        if (k < 0 || (size_t)k >= size - n)
            break;
        n += (size_t)k;
    }
}

/* Moves behind the words of the tag, modifiers between them skipped. */
static bool
skip_tag(struct reader *r, const char *tag)
{
    for (int i = 0; *tag && i < 10 && !r->is_end; i++, next(r)) {
        size_t n = strcspn(tag, " ");

        if (strlen(r->word) == n && strncmp(r->word, tag, n) == 0)
            tag += n + (tag[n] == ' ');
    }
    return *tag == 0;
}

/* The first name after the command's words: a guess, for messages. */
static void
guess_object(struct reader *r, const char *tag)
{
    static const char *const skipped[] = { "IF", "NOT", "EXISTS", "ONLY",
        "CONCURRENTLY" };
    char name[2][64] = { "", "" };
    int pos = -1;

    if (!strchr(tag, ' ') || !skip_tag(r, tag))
        return;
    while (is_one_of(r->word, skipped, DG_ARRAY_SIZE(skipped)))
        next(r);
    for (int i = 0; i < 2 && !r->is_end; i++) {
        if (r->tok.kind > SQL_T_UQUOTED
            || sql_token_ident(r->lx.text, &r->tok, name[i]) < 0) {
            name[i][0] = 0;
            break;
        }
        if (i == 0)
            pos = here(r);
        next(r);
        if (at_punct(r) != '.')
            break;
        next(r);
    }
    if (!name[0][0])
        return;
    mk_object(r->m, mk_kind_by_tag(tag), name[1][0] ? name[0] : NULL,
        name[1][0] ? name[1] : name[0], pos)
        ->is_temp = false; /* a guessed name excuses nothing */
}

static void
add_change(struct reader *r, int parent)
{
    struct reader again = *r;
    char words[128] = "";
    const char *tag;
    unsigned flags = SQL_F_UNPARSABLE, cls = DG_DDL;
    int pos = here(r);

    add_words(&again, words, sizeof(words));
    tag = mk_tag_by_words(words);
    if (strcmp(tag, "DO") == 0 || strcmp(tag, "CALL") == 0) {
        flags |= SQL_F_DYNAMIC;
        cls = DG_CODE;
    }
    mk_begin(r->m, tag, cls);
    r->m->f.flags = flags;
    guess_object(r, tag);
    r->m->f.pos = pos;
    if (r->words & SQL_W_SETTING)
        r->m->f.flags |= SQL_F_READING;
    mk_end(r->m, parent);
}

/* ---- the rest ---- */

enum sql_tx
fallback_tx(const char *first, const char *second)
{
    static const char *const commits[] = { "COMMIT", "END" };
    static const char *const rollbacks[] = { "ROLLBACK", "ABORT" };

    if (strcmp(first, "BEGIN") == 0 || strcmp(first, "START") == 0)
        return SQL_TX_BEGIN;
    if (strcmp(first, "SAVEPOINT") == 0)
        return SQL_TX_SAVEPOINT;
    if (strcmp(first, "RELEASE") == 0)
        return SQL_TX_RELEASE;
    if (is_one_of(first, commits, DG_ARRAY_SIZE(commits)))
        return strcmp(second, "PREPARED") == 0 ? SQL_TX_COMMIT_PREPARED : SQL_TX_COMMIT;
    if (is_one_of(first, rollbacks, DG_ARRAY_SIZE(rollbacks))) {
        if (strcmp(second, "TO") == 0)
            return SQL_TX_ROLLBACK_TO;
        return strcmp(second, "PREPARED") == 0 ? SQL_TX_ROLLBACK_PREPARED
                                               : SQL_TX_ROLLBACK;
    }
    return SQL_TX_NONE;
}

static const char *
harmless_tag(struct reader *r, enum sql_tx tx)
{
    static const char *const tags[] = {
        [SQL_TX_COMMIT] = "COMMIT",
        [SQL_TX_ROLLBACK] = "ROLLBACK",
        [SQL_TX_ROLLBACK_TO] = "ROLLBACK",
        [SQL_TX_COMMIT_PREPARED] = "COMMIT PREPARED",
        [SQL_TX_ROLLBACK_PREPARED] = "ROLLBACK PREPARED",
    };

    if ((size_t)tx < DG_ARRAY_SIZE(tags) && tags[tx])
        return tags[tx];
    return at_word(r, "LOCK") ? "LOCK TABLE" : arena_strdup(r->m->arena, r->word);
}

/* Commands that change no schema whatever they are followed by. */
static bool
add_harmless(struct reader *r, int parent)
{
    static const char *const words[] = { "SHOW", "FETCH", "MOVE", "CLOSE", "LISTEN",
        "NOTIFY", "UNLISTEN", "LOAD", "CHECKPOINT", "ANALYZE", "ANALYSE" };
    static const char *const writers[] = { "COPY", "LOCK" };
    static const char *const settings[] = { "SET", "RESET", "DISCARD" };
    const bool is_write = is_one_of(r->word, writers, DG_ARRAY_SIZE(writers));
    struct reader ahead = *r;
    enum sql_tx tx;
    int made;

    next(&ahead);
    tx = fallback_tx(r->word, ahead.word);
    if (is_one_of(r->word, settings, DG_ARRAY_SIZE(settings))) {
        add(r, strcmp(r->word, "RESET") == 0 ? "RESET" : "SET", DG_OTHER, SQL_F_READING,
            here(r), parent);
    } else if (is_write && (r->words & SQL_W_HISTORY)) {
        add(r, r->word[0] == 'C' ? "COPY" : "LOCK TABLE", DG_HISTORY, SQL_F_UNPARSABLE,
            here(r), parent);
    } else if (tx || is_write || is_one_of(r->word, words, DG_ARRAY_SIZE(words))) {
        made = add(r, harmless_tag(r, tx), DG_OTHER, 0, here(r), parent);
        r->m->facts[made].tx = tx;
    } else {
        return false;
    }
    return true;
}

/* EXPLAIN [(...)] [ANALYZE] [VERBOSE] statement; PREPARE name [(...)] AS statement;
 * DECLARE name ... FOR query. The reader then stands at what is wrapped. */
static int
unwrap(struct reader *r, int parent)
{
    char name[64] = "";
    int made = parent;

    if (at_word(r, "EXPLAIN")) {
        made = add(r, "EXPLAIN", DG_OTHER, 0, here(r), parent);
        next(r);
        if (at_punct(r) == '(') {
            struct reader ahead = *r;

            next(&ahead); /* EXPLAIN (SELECT 1) has no options */
            if (ahead.word[0] && !at_word(&ahead, "SELECT") && !at_word(&ahead, "WITH")
                && !at_word(&ahead, "VALUES") && !at_word(&ahead, "TABLE"))
                skip_brackets(r);
        }
        while (at_word(r, "ANALYZE") || at_word(r, "ANALYSE") || at_word(r, "VERBOSE"))
            next(r);
    } else {
        const bool is_prepare = at_word(r, "PREPARE");
        const char *until = is_prepare ? "AS" : "FOR";
        int pos = here(r);

        next(r);
        if (r->is_end || sql_token_ident(r->lx.text, &r->tok, name) < 0)
            name[0] = 0;
        mk_begin(r->m, is_prepare ? "PREPARE" : "DECLARE CURSOR", DG_OTHER);
        r->m->f.prep = is_prepare ? SQL_PREP_PREPARE : SQL_PREP_NONE;
        r->m->f.prep_name = is_prepare ? mk_text(r->m, name) : NULL;
        r->m->f.pos = pos;
        made = mk_end(r->m, parent);
        next(r);
        while (!r->is_end && !at_word(r, until))
            next(r);
        next(r);
    }
    return made;
}

static bool
add_prepared(struct reader *r, int parent)
{
    const bool is_execute = at_word(r, "EXECUTE");
    int made;

    if (!is_execute && !at_word(r, "DEALLOCATE"))
        return false;
    /* without a name: any of them */
    made = add(r, is_execute ? "EXECUTE" : "DEALLOCATE", DG_OTHER, 0, here(r), parent);
    r->m->facts[made].prep = is_execute ? SQL_PREP_EXECUTE : SQL_PREP_DEALLOCATE_ALL;
    return true;
}

void
fallback_statement(struct mk *m, const struct mk_place *raw, size_t start, size_t len,
    unsigned words, int parent)
{
    static const char *const queries[] = { "SELECT", "WITH", "VALUES", "TABLE",
        "INSERT", "UPDATE", "DELETE", "MERGE" };
    struct reader r = { .m = m, .raw = raw, .base = start, .words = words };

    m->place = *raw;
    m->place.is_fixed = true; /* no names are looked for in it */
    m->place.base = raw->is_fixed ? raw->base : raw->base + start;
    m->start = m->end = start;
    sql_lex_init(&r.lx, raw->text + start, len, m->std_strings);
    next(&r);
    for (int i = 0; i < 4; i++) {
        struct reader ahead = r;

        next(&ahead);
        if (at_word(&r, "EXPLAIN") || at_word(&r, "DECLARE")
            || (at_word(&r, "PREPARE") && !at_word(&ahead, "TRANSACTION")))
            parent = unwrap(&r, parent);
    }
    if (r.is_end)
        return;
    if (at_punct(&r) == '(' || is_one_of(r.word, queries, DG_ARRAY_SIZE(queries)))
        add_query(&r, parent);
    else if (add_harmless(&r, parent) || add_prepared(&r, parent))
        return;
    else if (words & (SQL_W_SCHEMA | SQL_W_CODE | SQL_W_INTO))
        add_change(&r, parent);
    else if (words & SQL_W_HISTORY)
        add(&r, "UNKNOWN", DG_HISTORY, SQL_F_UNPARSABLE, here(&r), parent);
    else
        add(&r, "UNKNOWN", DG_OTHER, 0, here(&r), parent);
}
