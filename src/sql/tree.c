// SPDX-License-Identifier: ISC
#include "sql/tree.h"

#include <stdio.h>
#include <string.h>

#include "sql/filter.h"
#include "sql/make.h"

/* Moves the maker's facts into a tree of their own, which lives in their arena. */
static struct sql_tree *
finish(struct mk *m)
{
    struct sql_tree *t = arena_alloc(m->arena, sizeof(*t));

    t->n = m->n;
    t->facts = arena_alloc(m->arena, (m->n + 1) * sizeof(*t->facts));
    if (m->n)
        memcpy(t->facts, m->facts, m->n * sizeof(*t->facts));
    for (size_t i = 0; i < t->n; i++)
        t->classes |= t->facts[i].cls;
    mem_free(m->facts);
    t->error_pos = -1;
    t->is_unparsable = m->is_unparsable;
    if (m->is_unparsable && m->error) {
        snprintf(t->error, sizeof(t->error), "%s", m->error);
        t->error_pos = m->error_pos;
    }
    return t;
}

struct sql_tree *
sql_tree_new_in(struct arena *arena, const struct sql_scan *scan,
    const struct sql_words *words, const char *text, size_t len, bool std_strings)
{
    struct mk m = {
        .arena = arena,
        .words = words,
        .std_strings = std_strings,
    };
    struct mk_place place = { .text = text, .len = len };

    parse_all(&m, scan, &place, -1);
    return finish(&m);
}

struct sql_tree *
sql_tree_new(const struct sql_scan *scan, const struct sql_words *words,
    const char *text, size_t len, bool std_strings)
{
    struct arena *arena = arena_new();
    struct sql_tree *t = sql_tree_new_in(arena, scan, words, text, len, std_strings);

    t->arena = arena;
    return t;
}

/* By its first two words and the word groups in it alone. */
static void
add_unread(struct mk *m, const struct sql_stmt *s)
{
    const char *first = *s->first[0] ? s->first[0] : "UNKNOWN", *tag;
    char words[40];

    snprintf(words, sizeof(words), "%s %s", s->first[0], s->first[1]);
    tag = mk_tag_by_words(words);
    if (s->words & (SQL_W_SCHEMA | SQL_W_CODE | SQL_W_INTO)) {
        const bool is_code = strcmp(tag, "DO") == 0 || strcmp(tag, "CALL") == 0;

        if (!(s->words & (SQL_W_SCHEMA | SQL_W_CODE)))
            tag = "SELECT INTO";
        mk_begin(m, tag, is_code ? DG_CODE : DG_DDL);
        m->f.flags |= SQL_F_UNPARSABLE | (is_code ? SQL_F_DYNAMIC : 0);
    } else if (s->words & SQL_W_HISTORY) {
        mk_begin(m, arena_strdup(m->arena, first), DG_HISTORY);
        m->f.flags |= SQL_F_UNPARSABLE;
    } else {
        mk_begin(m, arena_strdup(m->arena, first), DG_OTHER);
    }
    if (s->words & SQL_W_SETTING)
        m->f.flags |= SQL_F_READING;
    m->f.tx = fallback_tx(s->first[0], s->first[1]);
    if (strcmp(s->first[0], "EXECUTE") == 0)
        m->f.prep = SQL_PREP_EXECUTE;
    else if (strcmp(s->first[0], "DEALLOCATE") == 0
        || strcmp(s->first[0], "DISCARD") == 0)
        m->f.prep = SQL_PREP_DEALLOCATE_ALL;
    else if (strcmp(s->first[0], "PREPARE") == 0)
        m->f.prep = SQL_PREP_PREPARE;
    m->f.pos = (int)s->start;
    if (m->f.flags & SQL_F_UNPARSABLE) {
        m->f.error = m->error;
        m->f.error_pos = m->error_pos;
    }
    mk_end(m, -1);
}

struct sql_tree *
sql_tree_unparsable(const struct sql_scan *scan, const char *why, int pos)
{
    struct mk m = {
        .arena = arena_new(),
        .place = { .text = "", .is_fixed = true },
        .is_unparsable = true,
        .error_pos = pos,
    };
    unsigned seen = 0;

    m.error = arena_strdup(m.arena, why ? why : "not parsed");
    for (size_t i = 0; i < scan->n; i++) {
        m.stmt = i;
        add_unread(&m, &scan->stmts[i]);
        seen |= scan->stmts[i].words;
    }
    /* words of a statement that the scan gave up in */
    if (scan->words & ~seen
        & (SQL_W_SCHEMA | SQL_W_CODE | SQL_W_INTO | SQL_W_HISTORY)) {
        mk_begin(&m, "UNKNOWN", DG_DDL);
        m.f.flags |= SQL_F_UNPARSABLE;
        m.f.pos = pos;
        m.f.error = m.error;
        m.f.error_pos = pos;
        mk_end(&m, -1);
    }
    struct sql_tree *t = finish(&m);
    t->arena = m.arena;
    return t;
}

void
sql_tree_free(struct sql_tree *t)
{
    if (t)
        arena_free(t->arena); /* and the tree with it */
}

void
sql_object_name(const struct sql_object *o, char *out, size_t size)
{
    if (o->schema)
        snprintf(out, size, "%s.%s", o->schema, o->name);
    else
        snprintf(out, size, "%s", o->name);
}

void
sql_facts_describe(const struct sql_facts *f, char *out, size_t size)
{
    char name[256];

    for (size_t i = 0; i < f->n_objects; i++) {
        if (!*f->objects[i].name)
            continue; /* an index that the server names: its table follows */
        sql_object_name(&f->objects[i], name, sizeof(name));
        snprintf(out, size, "%s %s", f->tag, name);
        return;
    }
    snprintf(out, size, "%s", f->tag);
}
