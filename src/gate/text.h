// SPDX-License-Identifier: ISC
/* One SQL text on its way through filter, lexer and parser. Reference-counted: a prepared
 * statement, a running judgement and a parser thread may hold the same one. */
#ifndef DG_GATE_TEXT_H
#define DG_GATE_TEXT_H

#include "base/cell.h"
#include "sql/edit.h"
#include "sql/tree.h"

/* How the server will read a text: settings as far as the gate knows them. */
struct gate_reading {
    bool std_strings;      /* standard_conforming_strings */
    bool is_certain;       /* nothing in flight may change it before the text is read */
    bool is_safe_encoding; /* client_encoding: ASCII bytes always mean themselves */
};

/* What an edited text was made from: the way back for places in it. */
struct gate_origin {
    char *sql; /* the client's own text; owned */
    size_t len;
    struct sql_edits edits; /* owned; their texts are the arena's */
    struct arena *arena;    /* owned */
};

struct gate_text {
    struct ref ref;
    char *sql; /* owned, NUL-terminated */
    size_t len;
    struct sql_scan scan;
    struct sql_tree *tree; /* NULL until gate_text_parse */
    const struct sql_words *words;
    void *words_owner; /* the snapshot that holds words: owned reference */
    bool std_strings;
    bool is_watched;            /* somebody wants to know of everything that runs */
    bool is_too_complex;        /* refused with 54001: too deep or too long */
    struct gate_origin *origin; /* owned; NULL: it is the client's own text */
    /* What a Parse sent to the server in its place; owned reference; NULL: itself. Set by
     * the worker that judges the Parse, before anybody else has the text. */
    struct gate_text *in_place;
    /* The same of a Parse whose safe form takes several statements: only a Query can run it. */
    bool takes_several;
    /* CommandComplete's tag that the client is told instead of the server's; static; NULL:
     * the server's own. Of an edited text whose statement is another one. */
    const char *tag;
    /* Statements of the gate's own behind the client's one, in the same message: the client
     * is told of the first's tag only, when the last is done. */
    unsigned n_added;
};

/* Counted per worker; sums tell what share of the traffic costs what. */
struct gate_stats {
    uint64_t texts;    /* Query and Parse messages */
    uint64_t filtered; /* of these passed by the word filter */
    uint64_t scanned;  /* passed by the lexer */
    uint64_t parsed;   /* given to libpg_query */
    uint64_t judged;   /* asked of policy */
    uint64_t refused;
    uint64_t asked; /* questions for live facts */
};

enum {
    GATE_TEXT_PLAIN = 1,      /* nothing in it is tracked */
    GATE_TEXT_PARSE_AWAY = 2, /* *out needs gate_text_parse on a parser thread */
    GATE_TEXT_UNCERTAIN = 3,  /* reads two ways until what is in flight is answered */
};

/* In watch: nothing is plain but an empty text. */
#define GATE_WATCH_ALL (1U << 31)

/* Filter, lexer and, for short texts, parser. watch: groups of sql/filter.h that matter to
 * this session now. owner: the snapshot that holds words.
 * 0: *out has facts. The others as above; *out is set only with GATE_TEXT_PARSE_AWAY.
 * thread: worker */
int gate_text_read(const struct sql_words *words, void *owner, const char *sql,
    size_t len, const struct gate_reading *reading, unsigned max_depth, unsigned watch,
    struct gate_stats *stats, struct gate_text **out) MUST_CHECK;
/* The text of a Parse that gate_text_read let pass, if it commits: what its name means must
 * be known once the transaction holds a schema change. NULL: it is another.
 * thread: worker */
struct gate_text *gate_text_of_commit(struct str sql);
/* Always parsed, whatever it holds: files and `explain`. Needs SQL_TREE_PARSER_STACK. */
struct gate_text *gate_text_whole(const struct sql_words *words, void *owner,
    const char *sql, size_t len, unsigned max_depth);
void gate_text_parse(struct gate_text *t); /* thread: worker or parser */
/* A text that may not be judged by what it seems to say: facts say unparsable, and why. */
struct gate_text *gate_text_unreadable(const char *sql, size_t len, const char *why);
/* The same for a message that was not kept (refused with 54001 if policy refuses). */
struct gate_text *gate_text_opaque(const char *why);

/* The text with these edits, read again; NULL, and why, if the result doesn't read as it is
 * meant (edits are copied). Only for texts of at most SQL_TREE_INLINE_BYTES afterwards.
 * What differs, the caller compares.  thread: worker */
struct gate_text *gate_text_edited(const struct gate_text *t,
    const struct sql_edits *edits, unsigned max_depth, const char **why);
/* Where in the client's own text a byte of this one stands, in characters from 1. */
int gate_text_place(const struct gate_text *t, size_t at);
/* The same for a place in characters from 1, as the server tells it. */
int gate_text_place_of(const struct gate_text *t, int position);

/* Is there anything in it that an Execute has to know of? */
bool gate_text_matters(const struct gate_text *t);

/* Nothing but one statement that commits, or is the first half of it? */
bool gate_text_commits(const struct gate_text *t);

/* The outermost fact of fact i. */
size_t gate_text_root(const struct gate_text *t, size_t i);

static inline void
gate_text_unref_p(struct gate_text **t)
{
    ref_drop(*t);
}

#endif
