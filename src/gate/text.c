// SPDX-License-Identifier: ISC
/* The stages of reading a text, each only asked when the one before could not say
 * "nothing here": filter (bytes), lexer (tokens), parser (trees). */
#include "gate/text.h"

#include "base/mem.h"
#include "sql/lex.h"

#include <string.h>

/* What a text in an unsafe encoding is not looked into for. */
#define SCHEMA_WORDS \
    (SQL_W_SCHEMA | SQL_W_CODE | SQL_W_INTO | SQL_W_HISTORY | SQL_W_PREPARED)

static void
text_free(struct ref *ref)
{
    struct gate_text *t = (struct gate_text *)(void *)ref;
    sql_tree_free(t->tree);
    sql_scan_deinit(&t->scan);
    ref_drop(t->in_place);
    if (t->origin) {
        sql_edits_deinit(&t->origin->edits);
        arena_free(t->origin->arena);
        mem_free(t->origin->sql);
        mem_free(t->origin);
    }
    ref_drop(t->words_owner);
    mem_free(t->sql);
    mem_free(t);
}

static struct gate_text *
text_new(const char *sql, size_t len)
{
    struct gate_text *t = mem_zalloc(sizeof(*t));
    ref_init(&t->ref, text_free);
    t->sql = mem_strndup(sql, len);
    t->len = len;
    return t;
}

/* Without backslashes and without bytes beyond ASCII a text reads the same under every
 * setting of standard_conforming_strings and client_encoding. */
static bool
may_read_two_ways(const char *sql, size_t len)
{
    if (memchr(sql, '\\', len))
        return true;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)sql[i] >= 0x80)
            return true;
    }
    return false;
}

static bool
has_high_bytes(const char *sql, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)sql[i] >= 0x80)
            return true;
    }
    return false;
}

/* In some encoding, could one of these bytes belong to a character, so that where a constant
 * ends or how the text is cut would be read otherwise? Letters, digits and _ could, too, but
 * then they and the character are part of one name either way. */
static bool
has_doubtful_bytes(const char *sql, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        unsigned char c = (unsigned char)sql[i];
        bool is_letter = ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
        bool is_digit = c >= '0' && c <= '9';
        if ((unsigned char)sql[i - 1] >= 0x80 && c >= 0x30 && c < 0x80 && !is_letter
            && !is_digit)
            return true;
    }
    return false;
}

/* Holds the text no schema word, whatever the settings are when it is read? */
static bool
is_plain_either_way(
    const struct sql_words *words, const char *sql, size_t len, unsigned max_depth)
{
    if (has_doubtful_bytes(sql, len))
        return false;
    for (int std = 0; std < 2; std++) {
        AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
        if (sql_scan(&scan, words, sql, len, std, max_depth, NULL) != 0
            || (scan.words & SCHEMA_WORDS))
            return false;
    }
    return true;
}

static void
set_unparsable(struct gate_text *t, const char *why)
{
    t->tree = sql_tree_unparsable(&t->scan, why, -1);
}

int
gate_text_read(const struct sql_words *words, void *owner, const char *sql, size_t len,
    const struct gate_reading *reading, unsigned max_depth, unsigned watch,
    struct gate_stats *stats, struct gate_text **out)
{
    stats->texts++;
    bool watches_all = watch & GATE_WATCH_ALL;
    unsigned met = sql_filter(words, sql, len, watch & SQL_W_ALL);
    if (!met && !watches_all) {
        stats->filtered++;
        return GATE_TEXT_PLAIN;
    }
    if (!reading->is_certain && may_read_two_ways(sql, len)
        && !is_plain_either_way(words, sql, len, max_depth)) {
        stats->texts--; /* counted when it is read again */
        return GATE_TEXT_UNCERTAIN;
    }
    /* Where a constant ends is as unsure as what stands behind it, so the lexer must not
     * say "nothing here". */
    if (!reading->is_safe_encoding && (met & SCHEMA_WORDS)
        && has_high_bytes(sql, len)) {
        stats->parsed++;
        *out = gate_text_unreadable(sql, len,
            "client_encoding lets other characters contain ASCII bytes; use UTF8");
        return 0;
    }
    struct err why = { "" };
    AUTO(gate_text_unref) struct gate_text *t = text_new(sql, len);
    t->std_strings = reading->std_strings;
    int r = sql_scan(&t->scan, words, t->sql, len, t->std_strings, max_depth, &why);
    if (r == 0 && (watches_all ? t->scan.n == 0 : (t->scan.words & watch) == 0)) {
        stats->scanned++;
        return GATE_TEXT_PLAIN;
    }
    t->words = words;
    t->words_owner = ref_take(owner);
    t->is_watched = watches_all;
    int result = 0;
    if (r != 0) {
        t->is_too_complex = r == SQL_SCAN_E_DEEP;
        set_unparsable(t, why.text);
    } else if (len > SQL_TREE_INLINE_BYTES) {
        result = GATE_TEXT_PARSE_AWAY;
    } else {
        gate_text_parse(t);
    }
    stats->parsed += r == 0;
    *out = t;
    t = NULL;
    return result;
}

/* By its first word: a Parse holds one statement. PREPARE TRANSACTION never gets here, since
 * the filter always looks for PREPARE. */
static bool
begins_with_end(struct str sql)
{
    static const char *const words[] = { "COMMIT", "END" };
    struct sql_lexer lx;
    struct sql_token tok;
    int r;

    sql_lex_init(&lx, sql.p, sql.n, true);
    do
        r = sql_lex_next(&lx, &tok);
    while (r == 0 && tok.kind == SQL_T_PUNCT && sql.p[tok.start] == ';');
    for (size_t i = 0; r == 0 && i < DG_ARRAY_SIZE(words); i++) {
        if (str_ieqz((struct str){ sql.p + tok.start, tok.len }, words[i]))
            return true;
    }
    return false;
}

/* What commits reads the same under every setting; only the name of a prepared transaction
 * doesn't, which nobody asks for. */
struct gate_text *
gate_text_of_commit(struct str sql)
{
    static const struct gate_reading reading = {
        .std_strings = true, .is_certain = true, .is_safe_encoding = true
    };
    struct gate_stats unused = { 0 };
    struct gate_text *t = NULL;

    if (!begins_with_end(sql))
        return NULL;
    int r = gate_text_read(NULL, NULL, sql.p, sql.n, &reading, SQL_TREE_DEFAULT_DEPTH,
        SQL_W_TX, &unused, &t);
    if (r == 0 && gate_text_commits(t))
        return t;
    ref_drop(t);
    return NULL;
}

static struct gate_text *
read_whole(const struct sql_words *words, void *owner, const char *sql, size_t len,
    bool std_strings, unsigned max_depth)
{
    struct err why = { "" };
    struct gate_text *t = text_new(sql, len);
    t->std_strings = std_strings;
    t->words = words;
    t->words_owner = ref_take(owner);
    int r = sql_scan(&t->scan, words, t->sql, len, std_strings, max_depth, &why);
    t->is_too_complex = r == SQL_SCAN_E_DEEP;
    if (r == 0)
        gate_text_parse(t);
    else
        set_unparsable(t, why.text);
    return t;
}

struct gate_text *
gate_text_whole(const struct sql_words *words, void *owner, const char *sql, size_t len,
    unsigned max_depth)
{
    return read_whole(words, owner, sql, len, true, max_depth);
}

struct gate_text *
gate_text_edited(const struct gate_text *t, const struct sql_edits *edits,
    unsigned max_depth, const char **why)
{
    size_t len;
    AUTO(mem_free) char *sql = sql_edits_apply(edits, t->sql, t->len, &len);

    if (t->origin) {
        *why = "it was edited once already";
        return NULL;
    }
    if (len > SQL_TREE_INLINE_BYTES) {
        *why = "the text is too long";
        return NULL;
    }
    if (!sql_edits_hold(edits, (struct str){ t->sql, t->len }, (struct str){ sql, len },
            t->std_strings)) {
        *why = "the edited text reads otherwise than it was meant";
        return NULL;
    }
    struct gate_text *out = read_whole(
        t->words, t->words_owner, sql, len, t->std_strings, max_depth);
    out->origin = mem_zalloc(sizeof(*out->origin));
    out->origin->sql = mem_strndup(t->sql, t->len);
    out->origin->len = t->len;
    out->origin->arena = arena_new();
    sql_edits_copy(&out->origin->edits, out->origin->arena, edits);
    return out;
}

int
gate_text_place(const struct gate_text *t, size_t at)
{
    const struct gate_origin *o = t->origin;
    size_t len = o ? o->len : t->len;

    if (o)
        at = sql_edits_back(&o->edits, at);
    return (int)str_utf8_count(o ? o->sql : t->sql, at < len ? at : len) + 1;
}

int
gate_text_place_of(const struct gate_text *t, int position)
{
    size_t at = 0;

    for (int i = 1; i < position && at < t->len; i++) {
        size_t n = str_utf8_len(t->sql + at, t->len - at);
        at += n ? n : 1;
    }
    return gate_text_place(t, at);
}

void
gate_text_parse(struct gate_text *t)
{
    t->tree = sql_tree_new(&t->scan, t->words, t->sql, t->len, t->std_strings);
}

struct gate_text *
gate_text_unreadable(const char *sql, size_t len, const char *why)
{
    struct gate_text *t = text_new(sql, len);
    /* The lexer's reading only serves tag and position in the message: what it takes for a
     * query may be none. */
    (void)!sql_scan(&t->scan, NULL, t->sql, len, true, SQL_TREE_DEFAULT_DEPTH, NULL);
    set_unparsable(t, why);
    for (size_t i = 0; i < t->tree->n; i++) {
        if (t->tree->facts[i].flags & SQL_F_UNPARSABLE)
            return t;
    }
    ref_drop(t);
    t = gate_text_opaque(why);
    t->is_too_complex = false;
    return t;
}

struct gate_text *
gate_text_opaque(const char *why)
{
    struct gate_text *t = text_new("", 0);
    t->is_too_complex = true;
    t->scan.stmts = mem_zalloc(sizeof(*t->scan.stmts));
    t->scan.stmts[0] = (struct sql_stmt){ .line = 1, .words = SQL_W_SCHEMA };
    hash_sha256_of("", 0, t->scan.stmts[0].digest.bytes);
    t->scan.n = 1;
    t->scan.words = SQL_W_SCHEMA;
    set_unparsable(t, why);
    return t;
}

bool
gate_text_matters(const struct gate_text *t)
{
    if (t->is_watched)
        return true;
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        if (f->cls != DG_OTHER || f->tx != SQL_TX_NONE || f->prep != SQL_PREP_NONE
            || f->setting || (f->flags & (SQL_F_READING | SQL_F_UNPARSABLE)))
            return true;
    }
    return false;
}

bool
gate_text_commits(const struct gate_text *t)
{
    enum sql_tx tx = t->tree->n == 1 ? t->tree->facts[0].tx : SQL_TX_NONE;
    return tx == SQL_TX_COMMIT || tx == SQL_TX_PREPARE;
}

size_t
gate_text_root(const struct gate_text *t, size_t i)
{
    while (t->tree->facts[i].parent >= 0)
        i = (size_t)t->tree->facts[i].parent;
    return i;
}
