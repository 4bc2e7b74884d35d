// SPDX-License-Identifier: ISC
/* Safe forms that take a word more, less or another. */
#include "policy/rewrite_build.h"

#include <string.h>

/* ---- IF [NOT] EXISTS, OR REPLACE ---- */

/* The last of the words of `tag` from token `at` on; RW_NONE where they don't stand there. */
static size_t
follow(const struct rw *rw, size_t at, const char *tag)
{
    struct str rest = str_of(tag);

    while (rest.n) {
        const char *end = memchr(rest.p, ' ', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n;
        if (!rw_is(rw, at, arena_strndup(rw->a, rest.p, n)))
            return RW_NONE;
        at++;
        n += end != NULL;
        rest = (struct str){ rest.p + n, rest.n - n };
    }
    return at - 1;
}

/* Where IF EXISTS stands: behind the kind of object, and CONCURRENTLY. */
static size_t
before_name(const struct rw *rw, size_t at, const char *kind)
{
    size_t last = follow(rw, at, kind);

    if (last != RW_NONE && rw_is(rw, last + 1, "CONCURRENTLY"))
        last++;
    return last;
}

static void
if_clause(struct rw *rw, size_t after, const char *words)
{
    rw_put_after(rw, after, words);
    rw_did(rw, SQL_CH_IF_EXISTS, words);
}

static void
if_not_exists_created(struct rw *rw)
{
    const struct sql_facts *f = rw->f;
    const char *kind = pol_tag(f, "CREATE TABLE AS") ? "TABLE" : f->tag + 7;
    size_t at = 1;

    while (rw_is(rw, at, "UNIQUE") || rw_is(rw, at, "UNLOGGED")
        || rw_is(rw, at, "RECURSIVE"))
        at++;
    at = before_name(rw, at, kind);
    if (at == RW_NONE)
        return;
    if (!f->n_objects || !*f->objects[0].name)
        rw->why = "IF NOT EXISTS needs a name";
    else
        if_clause(rw, at, "IF NOT EXISTS");
}

/* ADD [COLUMN], DROP [COLUMN], DROP CONSTRAINT of ALTER TABLE. */
static void
if_clause_of_sub(struct rw *rw, const struct sql_sub *s, const char *words)
{
    size_t at = rw_at(rw, s->pos);

    if (at == RW_NONE || (!rw_is(rw, at, "ADD") && !rw_is(rw, at, "DROP"))) {
        rw->why = "its actions can't be told apart";
        return;
    }
    if (rw_is(rw, at + 1, "COLUMN") || rw_is(rw, at + 1, "CONSTRAINT"))
        at++;
    if_clause(rw, at, words);
}

void
rw_if_not_exists(struct rw *rw)
{
    if (str_prefix(rw->f->tag, "CREATE ") && !(rw->f->flags & SQL_F_IF_NOT_EXISTS))
        if_not_exists_created(rw);
    for (size_t i = 0;
         i < rw->f->n_subs && str_prefix(rw->f->tag, "ALTER ") && !rw->why; i++) {
        const struct sql_sub *s = &rw->f->subs[i];
        if (pol_sub_is(s, "ADD COLUMN") && s->def && !(s->flags & SQL_F_IF_NOT_EXISTS))
            if_clause_of_sub(rw, s, "IF NOT EXISTS");
    }
}

void
rw_if_exists(struct rw *rw)
{
    if (str_prefix(rw->f->tag, "DROP ") && !(rw->f->flags & SQL_F_IF_EXISTS)) {
        size_t at = before_name(rw, 0, rw->f->tag);
        if (at != RW_NONE)
            if_clause(rw, at, "IF EXISTS");
    }
    for (size_t i = 0;
         i < rw->f->n_subs && str_prefix(rw->f->tag, "ALTER ") && !rw->why; i++) {
        const struct sql_sub *s = &rw->f->subs[i];
        bool is_drop = pol_sub_is(s, "DROP COLUMN") || pol_sub_is(s, "DROP CONSTRAINT");
        if (is_drop && s->column && !(s->flags & SQL_F_IF_EXISTS))
            if_clause_of_sub(rw, s, "IF EXISTS");
    }
}

void
rw_or_replace(struct rw *rw)
{
    if (!rw_is(rw, 0, "CREATE") || (rw->f->flags & SQL_F_OR_REPLACE))
        return;
    rw_put_after(rw, 0, "OR REPLACE");
    rw_did(rw, SQL_CH_OR_REPLACE, "OR REPLACE");
}

/* ---- RESTRICT ---- */

void
rw_restrict(struct rw *rw)
{
    const struct sql_facts *f = rw->f;

    if (!(f->flags & SQL_F_CASCADE)) {
        rw->why = "it has no CASCADE to be taken away";
        return;
    }
    if (!str_prefix(f->tag, "ALTER ")) {
        if (rw_is(rw, rw->n - 1, "CASCADE")) {
            rw_replace(rw, rw->n - 1, rw->n - 1, "RESTRICT");
            rw_did(rw, SQL_CH_CASCADE, "RESTRICT");
        }
        return;
    }
    for (size_t i = 0; i < f->n_subs; i++) {
        size_t end = f->subs[i].flags & SQL_F_CASCADE ? rw_sub_end(rw, i) : RW_NONE;
        if (end != RW_NONE && rw_is(rw, end, "CASCADE")) {
            rw_replace(rw, end, end, "RESTRICT");
            rw_did(rw, SQL_CH_CASCADE, "RESTRICT");
        }
    }
}

/* ---- UNLOGGED ---- */

void
rw_logged(struct rw *rw)
{
    if (!rw_is(rw, 1, "UNLOGGED"))
        return;
    rw_replace(rw, 1, 1, "");
    rw_did(rw, SQL_CH_UNLOGGED, "no UNLOGGED");
}

/* ---- names ---- */

static const char *
wanted(struct rw *rw)
{
    if (!rw->finding->wanted)
        rw->why = "a name that is written is not changed";
    return rw->finding->wanted;
}

void
rw_index_name(struct rw *rw)
{
    const char *name = wanted(rw);
    size_t at = rw_find(rw, 0, "INDEX");

    if (!name || !rw->f->index || at == RW_NONE || *rw->f->objects[0].name)
        return;
    if (rw_is(rw, at + 1, "CONCURRENTLY"))
        at++;
    if (!rw_is(rw, at + 1, "ON"))
        return;
    rw_put_after(rw, at, name);
    rw_did(rw, SQL_CH_NAME, arena_printf(rw->a, "name %s", name));
}

void
rw_constraint_name(struct rw *rw)
{
    const char *name = wanted(rw);
    size_t at = rw_at(rw, rw->finding->pos);

    if (!name || at == RW_NONE)
        return;
    rw_put_before(rw, at, arena_printf(rw->a, "CONSTRAINT %s", name));
    rw_did(rw, SQL_CH_NAME, arena_printf(rw->a, "name %s", name));
}

void
rw_unique_name(struct rw *rw)
{
    if (rw->f->index)
        rw_index_name(rw);
    else
        rw_constraint_name(rw);
}
