// SPDX-License-Identifier: ISC
/* Safe forms that take an action of ALTER TABLE apart: its rows are read, its index is built
 * in statements before it or behind it. */
#include "policy/rewrite_build.h"

#include <string.h>

/* ---- one action of ALTER TABLE ---- */

/* The action that the finding speaks of; RW_NONE: none, or its words can't be told apart. */
static size_t
sub_of(const struct rw *rw)
{
    for (size_t i = 0; i < rw->f->n_subs; i++) {
        const struct sql_sub *s = &rw->f->subs[i];
        bool is_it = s->pos == rw->finding->pos
            || (s->constraint && s->constraint->pos == rw->finding->pos);
        if (is_it && s->pos >= 0 && rw_sub_end(rw, i) != RW_NONE)
            return i;
    }
    return RW_NONE;
}

/* Tokens from..to become a statement of their own. */
static bool
take_out(struct rw *rw, size_t from, size_t to)
{
    if (rw_has_comment(rw, from, to)) {
        rw->why = "a comment stands between words that go to another statement";
        return false;
    }
    /* with the space before it */
    size_t start = rw->tokens[from].start,
           end = rw->tokens[to].start + rw->tokens[to].len;
    if (!rw_has_comment(rw, from - 1, from))
        start = rw->tokens[from - 1].start + rw->tokens[from - 1].len;
    if (sql_edits_add(&rw->out->edits, start, end - start, "") != 0)
        rw->is_clash = true;
    return true;
}

/* The column's only or last constraint, from its first token on to the action's end. */
static size_t
last_constraint(
    const struct rw *rw, size_t sub, const struct sql_constraint *c, size_t *end)
{
    const struct sql_column *col = rw->f->subs[sub].def;

    if (col->has_collation)
        return RW_NONE; /* COLLATE may stand behind it */
    if (c != &col->constraints[col->n_constraints - 1])
        return RW_NONE;
    for (size_t i = 0; i + 1 < col->n_constraints; i++) {
        if (col->constraints[i].pos >= c->pos)
            return RW_NONE;
    }
    *end = rw_sub_end(rw, sub);
    return rw_at(rw, c->pos);
}

/* The name that the constraint has or the server would give it. */
static const char *
made_name(const struct rw *rw, const struct sql_object *o,
    const struct sql_constraint *c, const char *column, const char *suffix)
{
    const char *parts[3 + 32] = { o->name };
    size_t n = 1;

    if (c->name)
        return c->name;
    for (size_t i = 0; c->kind != SQL_C_PRIMARY && i < c->n_columns && i < 32; i++)
        parts[n++] = c->columns[i];
    if (!c->n_columns && column)
        parts[n++] = column;
    parts[n++] = suffix;
    return pol_made_name(rw->a, parts, n);
}

/* ---- add-column-volatile-default ---- */

void
rw_default_apart(struct rw *rw)
{
    struct arena *a = rw->a;
    size_t sub = sub_of(rw), end;
    const struct sql_object *o = pol_table_of(rw->f);

    if (sub == RW_NONE || !o || !rw->f->subs[sub].def)
        return;
    const struct sql_column *col = rw->f->subs[sub].def;
    if (col->n_constraints != 1 || col->constraints[0].kind != SQL_C_DEFAULT) {
        rw->why = "the column has more than a default";
        return;
    }
    size_t from = last_constraint(rw, sub, &col->constraints[0], &end);
    if (from == RW_NONE || !rw_is(rw, from, "DEFAULT") || from == end
        || !take_out(rw, from, end))
        return;
    const char *table = rw_name(rw, o), *column = pol_ident(a, col->name);
    rw_then(rw,
        arena_printf(a,
            "-- Rows that are there stay NULL: fill them in batches.\n"
            "ALTER TABLE %s ALTER COLUMN %s SET %s;",
            table, column, rw_words(rw, from, end)));
    rw_did(rw, SQL_CH_MOVED,
        arena_printf(a, "%s without its default, SET DEFAULT behind it", column));
}

/* ---- add-column-inline-constraint ---- */

void
rw_inline_apart(struct rw *rw)
{
    struct arena *a = rw->a;
    size_t sub = sub_of(rw), end;
    const struct sql_object *o = pol_table_of(rw->f);

    if (sub == RW_NONE || !o || !rw->f->subs[sub].def
        || !rw->f->subs[sub].def->n_constraints)
        return;
    const struct sql_column *col = rw->f->subs[sub].def;
    const struct sql_constraint *c = &col->constraints[col->n_constraints - 1];
    bool is_fk = c->kind == SQL_C_FOREIGN;
    for (size_t i = 0; i + 1 < col->n_constraints; i++) {
        if (col->constraints[i].kind >= SQL_C_CHECK) {
            rw->why =
                "only a CHECK or a foreign key behind all else can be taken apart";
            return;
        }
    }
    if (!is_fk && c->kind != SQL_C_CHECK) {
        rw->why = "only a CHECK or a foreign key behind all else can be taken apart";
        return;
    }
    size_t from = last_constraint(rw, sub, c, &end);
    if (from == RW_NONE)
        return;
    size_t body = rw_is(rw, from, "CONSTRAINT") ? from + 2 : from;
    if (!rw_is(rw, body, is_fk ? "REFERENCES" : "CHECK") || !take_out(rw, from, end))
        return;
    const char *table = rw_name(rw, o);
    const char *name = pol_ident(
        a, made_name(rw, o, c, col->name, is_fk ? "fkey" : "check"));
    const char *key = is_fk
        ? arena_printf(a, "FOREIGN KEY (%s) ", pol_ident(a, col->name))
        : "";
    rw_then(rw,
        arena_printf(a, "ALTER TABLE %s ADD CONSTRAINT %s %s%s NOT VALID;", table, name,
            key, rw_words(rw, body, end)));
    rw_follow_up(
        rw, arena_printf(a, "ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, name));
    rw_did(rw, SQL_CH_MOVED,
        arena_printf(a, "constraint %s added behind it, NOT VALID", name));
}

/* ---- set-not-null-scan ---- */

/* CHECK (column IS NOT NULL), added and validated before, dropped again behind. */
static void
check_around(struct rw *rw, const struct sql_object *o, const char *column)
{
    struct arena *a = rw->a;
    const char *const parts[] = { o->name, column, "not_null" };
    const char *table = rw_name(rw, o);
    const char *name = rw_passing_name(rw, parts, 3);
    const char *drop = arena_printf(
        a, "ALTER TABLE %s DROP CONSTRAINT %s;", table, name);

    rw_before(rw,
        arena_printf(a,
            "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", table,
            name, pol_ident(a, column)));
    rw_undo(rw, drop);
    rw_before(
        rw, arena_printf(a, "ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, name));
    rw_then(rw, drop);
}

void
rw_not_null_by_check(struct rw *rw)
{
    const struct sql_object *o = pol_table_of(rw->f);

    if (!o || !pol_tag(rw->f, "ALTER TABLE") || !rw->f->n_subs
        || !pol_sub_is(&rw->f->subs[0], "SET NOT NULL") || !rw->f->subs[0].column)
        return;
    if (rw->f->n_subs != 1 || (rw->f->flags & (SQL_F_ONLY | SQL_F_IF_EXISTS))) {
        rw->why = "it does more than SET NOT NULL of one column";
        return;
    }
    check_around(rw, o, rw->f->subs[0].column);
    rw_did(rw, 0, "NOT NULL by way of a CHECK");
    rw->out->needs_alone = true;
}

/* ---- add-unique-using-index, add-pk-using-index ---- */

/* The index first: what fails is most likely its build. A primary key makes its columns NOT
 * NULL by itself, without a scan where a CHECK says so. */
void
rw_key_using_index(struct rw *rw)
{
    struct arena *a = rw->a;
    size_t sub = sub_of(rw);
    const struct sql_object *o = pol_table_of(rw->f);
    const struct sql_constraint *c = sub == RW_NONE ? NULL
                                                    : rw->f->subs[sub].constraint;

    if (!o || !c || !c->n_columns || !pol_tag(rw->f, "ALTER TABLE"))
        return;
    bool is_pk = c->kind == SQL_C_PRIMARY;
    size_t at = rw_at(rw, rw->f->subs[sub].pos) + 1, end = rw_sub_end(rw, sub);
    size_t word = rw_is(rw, at, "CONSTRAINT") ? at + 2 : at;
    size_t open = is_pk ? word + 2 : word + 1;
    if (!rw_is(rw, word, is_pk ? "PRIMARY" : "UNIQUE") || !rw_is_sign(rw, open, '(')
        || rw_closing(rw, open) != end) {
        rw->why = "it says more than its columns";
        return;
    }
    if (rw->f->n_subs != 1 || (rw->f->flags & (SQL_F_ONLY | SQL_F_IF_EXISTS))) {
        rw->why = "it does more than adding one key";
        return;
    }
    if (rw_has_comment(rw, open, end)) {
        rw->why = "a comment stands between words that go to another statement";
        return;
    }
    const char *index = made_name(rw, o, c, NULL, is_pk ? "pkey" : "key");
    const char *name = pol_ident(a, index);
    rw_index_before(rw, o, index,
        arena_printf(a, "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s %s;", name,
            rw_name(rw, o), rw_words(rw, open, end)));
    for (size_t i = 0; is_pk && i < c->n_columns; i++)
        check_around(rw, o, c->columns[i]);
    if (word == at)
        rw_put_before(rw, word, arena_printf(a, "CONSTRAINT %s", name));
    rw_replace(rw, open, end, arena_printf(a, "USING INDEX %s", name));
    rw_did(rw, SQL_CH_USING_INDEX | SQL_CH_NAME,
        arena_printf(a, "CREATE UNIQUE INDEX CONCURRENTLY %s, USING INDEX", name));
    rw->out->needs_alone = true;
}
