// SPDX-License-Identifier: ISC
/* Statements that may run twice: IF NOT EXISTS, IF EXISTS and OR REPLACE put in where the
 * grammar has a place for them. What comes out is read again and must be the same statement
 * but for these words. */
#include "history/capture.h"

#include "base/mem.h"
#include "sql/lex.h"

#include <string.h>

#define MAX_EDITS 64

struct edit {
    size_t at; /* byte of the statement that it stands before */
    const char *text;
};

struct draft {
    const struct hist_captured *c;
    struct edit edits[MAX_EDITS]; /* in order */
    size_t n;
};

static bool
is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool
insert(struct draft *d, size_t at, const char *text)
{
    if (d->n == MAX_EDITS || (d->n > 0 && d->edits[d->n - 1].at > at))
        return false;
    d->edits[d->n++] = (struct edit){ at, text };
    return true;
}

static bool
token_is(const struct draft *d, const struct sql_token *t, const char *word)
{
    return str_ieqz((struct str){ d->c->sql + t->start, t->len }, word);
}

/* Puts text after the first of these words that stands at or behind `from`; optional ones
 * (after `|`) are passed over if they follow at once. */
static bool
insert_after(struct draft *d, size_t from, const char *word, const char *optional,
    const char *text)
{
    struct sql_lexer lx;
    struct sql_token tok;

    sql_lex_init(&lx, d->c->sql, d->c->len, d->c->std_strings);
    lx.pos = from;
    do {
        if (sql_lex_next(&lx, &tok) != 0)
            return false;
    } while (!token_is(d, &tok, word));
    size_t end = tok.start + tok.len;
    if (optional && sql_lex_next(&lx, &tok) == 0 && token_is(d, &tok, optional))
        end = tok.start + tok.len;
    return insert(d, end, text);
}

static const char *
last_word(const char *tag)
{
    const char *space = strrchr(tag, ' ');

    return space ? space + 1 : tag;
}

/* --- CREATE ----------------------------------------------------------------------------- */

static bool
is_one_of(const char *tag, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is(tag, list[i]))
            return true;
    }
    return false;
}

/* A name that the server chooses would be another one the second time. */
static bool
has_name(const struct sql_facts *f)
{
    return f->n_objects > 0 && f->objects[0].name && f->objects[0].name[0];
}

static bool
again_create(struct draft *d)
{
    static const char *const unless[] = { "CREATE TABLE", "CREATE SEQUENCE",
        "CREATE SCHEMA", "CREATE EXTENSION", "CREATE FOREIGN TABLE", "CREATE SERVER",
        "CREATE STATISTICS", "CREATE MATERIALIZED VIEW", "CREATE INDEX" };
    static const char *const replace[] = { "CREATE FUNCTION", "CREATE PROCEDURE",
        "CREATE VIEW", "CREATE RULE" };
    const struct sql_facts *f = d->c->facts;

    if (f->flags & (SQL_F_IF_NOT_EXISTS | SQL_F_OR_REPLACE))
        return true;
    if (is(f->tag, "CREATE TABLE AS"))
        return insert_after(d, 0, "TABLE", NULL, " IF NOT EXISTS");
    if (is_one_of(f->tag, unless, DG_ARRAY_SIZE(unless))) {
        if (!has_name(f) || (is(f->tag, "CREATE SCHEMA") && d->c->n_facts > 1))
            return false;
        return insert_after(d, 0, last_word(f->tag),
            is(f->tag, "CREATE INDEX") ? "CONCURRENTLY" : NULL, " IF NOT EXISTS");
    }
    bool is_new_enough = is(f->tag, "CREATE TRIGGER") && d->c->server_version >= 140000;
    if (is_new_enough || is_one_of(f->tag, replace, DG_ARRAY_SIZE(replace)))
        return insert_after(d, 0, "CREATE", NULL, " OR REPLACE");
    return false;
}

/* --- ALTER ------------------------------------------------------------------------------ */

static bool
again_sub(struct draft *d, const struct sql_sub *sub)
{
    static const char *const once[] = { "ADD CONSTRAINT", "ADD GENERATED", "INHERIT",
        "NO INHERIT", "ATTACH PARTITION", "DETACH PARTITION",
        "DETACH PARTITION FINALIZE", "DROP EXPRESSION", "DROP IDENTITY", "OF",
        "ALTER COLUMN OPTIONS", "OPTIONS", "SET SCHEMA", "ADD", "DROP", "UPDATE",
        "RENAME TO" };
    size_t from = sub->pos >= 0 && (size_t)sub->pos >= d->c->base
        ? (size_t)sub->pos - d->c->base
        : 0;

    if (sub->flags & (SQL_F_IF_EXISTS | SQL_F_IF_NOT_EXISTS))
        return true;
    if (is(sub->name, "ADD COLUMN"))
        return insert_after(d, from, "ADD", "COLUMN", " IF NOT EXISTS");
    if (is(sub->name, "DROP COLUMN"))
        return insert_after(d, from, "DROP", "COLUMN", " IF EXISTS");
    if (is(sub->name, "DROP CONSTRAINT"))
        return insert_after(d, from, "CONSTRAINT", NULL, " IF EXISTS");
    if (is(sub->name, "DROP ATTRIBUTE"))
        return insert_after(d, from, "ATTRIBUTE", NULL, " IF EXISTS");
    if (is(sub->name, "ADD VALUE"))
        return insert_after(d, 0, "VALUE", NULL, " IF NOT EXISTS");
    /* A conversion of values that were converted already may fail or do harm. */
    if (is(sub->name, "ALTER COLUMN TYPE") && sub->def && sub->def->has_using)
        return false;
    return *sub->name && !str_prefix(sub->name, "RENAME ")
        && !str_prefix(sub->name, "ADD ATTRIBUTE")
        && !is_one_of(sub->name, once, DG_ARRAY_SIZE(once));
}

static bool
again_alter(struct draft *d)
{
    const struct sql_facts *f = d->c->facts;
    bool is_ok = f->n_subs > 0;

    for (size_t i = 0; i < f->n_subs && is_ok; i++)
        is_ok = again_sub(d, &f->subs[i]);
    return is_ok;
}

/* --- DROP ------------------------------------------------------------------------------- */

static bool
again_drop(struct draft *d)
{
    const struct sql_facts *f = d->c->facts;

    if (is(f->tag, "DROP OWNED"))
        return false;
    if (f->flags & SQL_F_IF_EXISTS)
        return true;
    return insert_after(d, 0, last_word(f->tag),
        is(f->tag, "DROP INDEX") ? "CONCURRENTLY" : NULL, " IF EXISTS");
}

/* --- the new text ----------------------------------------------------------------------- */

static const char *
apply(const struct draft *d, struct arena *a)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(d->c->len + MAX_EDITS * 32);
    size_t at = 0;

    for (size_t i = 0; i < d->n; i++) {
        buf_put(&b, d->c->sql + at, d->edits[i].at - at);
        buf_puts(&b, d->edits[i].text);
        at = d->edits[i].at;
    }
    buf_put(&b, d->c->sql + at, d->c->len - at);
    return arena_strdup(a, buf_cstr(&b));
}

static bool
is_same_object(const struct sql_object *a, const struct sql_object *b)
{
    return a->kind == b->kind && is(a->name ? a->name : "", b->name ? b->name : "")
        && is(a->schema ? a->schema : "", b->schema ? b->schema : "");
}

/* The edited text is one statement, and says of the same objects the same things. */
static bool
is_same(const struct hist_captured *c, const char *text)
{
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    size_t len = strlen(text);

    if (sql_scan(&scan, NULL, text, len, c->std_strings, SQL_TREE_DEFAULT_DEPTH, NULL)
            != 0
        || scan.n != 1)
        return false;
    AUTO(sql_tree_free)
    struct sql_tree *tree = sql_tree_new(&scan, NULL, text, len, c->std_strings);
    const struct sql_facts *f = tree->facts, *was = c->facts;
    if ((f->flags & SQL_F_UNPARSABLE) || tree->n != c->n_facts || !is(f->tag, was->tag)
        || f->n_objects != was->n_objects || f->n_subs != was->n_subs)
        return false;
    for (size_t i = 0; i < f->n_objects; i++) {
        if (!is_same_object(&f->objects[i], &was->objects[i]))
            return false;
    }
    for (size_t i = 0; i < f->n_subs; i++) {
        if (!is(f->subs[i].name, was->subs[i].name))
            return false;
    }
    return true;
}

const char *
hist_again(const struct hist_captured *c, struct arena *a)
{
    static const char *const harmless[] = { "COMMENT", "GRANT", "REVOKE",
        "SECURITY LABEL", "ALTER DEFAULT PRIVILEGES" };
    const struct sql_facts *f = c->facts;
    struct draft d = { .c = c };
    bool is_ok = is_one_of(f->tag, harmless, DG_ARRAY_SIZE(harmless));

    /* What is too long for this thread's stack stays as it is. */
    if ((f->flags & SQL_F_UNPARSABLE) || c->len > SQL_TREE_INLINE_BYTES / 2)
        return NULL;
    if (str_prefix(f->tag, "CREATE "))
        is_ok = again_create(&d);
    else if (str_prefix(f->tag, "ALTER ") && !is_ok)
        is_ok = again_alter(&d);
    else if (str_prefix(f->tag, "DROP "))
        is_ok = again_drop(&d);
    if (!is_ok)
        return NULL;
    const char *text = apply(&d, a);
    return d.n == 0 || is_same(c, text) ? text : NULL;
}
