// SPDX-License-Identifier: ISC
/* Safe forms of what a statement makes: columns that every table has, a schema, a
 * function's own search_path. */
#include "policy/rewrite_build.h"

#include <string.h>

/* ---- columns ---- */

/* Does the statement make this column? */
static bool
makes_column(const struct rw *rw, const char *name)
{
    for (size_t i = 0; i < rw->f->n_subs; i++) {
        if (rw->f->subs[i].def && strcmp(rw->f->subs[i].def->name, name) == 0)
            return true;
    }
    return false;
}

void
rw_add_columns(struct rw *rw)
{
    const char *columns = rw->finding->wanted;
    size_t open = rw->f->n_objects ? rw_at(rw, rw->f->objects[0].pos) : RW_NONE;

    if (!columns || open == RW_NONE || !pol_tag(rw->f, "CREATE TABLE"))
        return;
    while (open < rw->n && !rw_is_sign(rw, open, '('))
        open++;
    size_t close = rw_closing(rw, open);
    if (close == RW_NONE || close == open + 1) {
        rw->why = "it has no list of columns to add to";
        return;
    }
    /* Behind the last of them, so that a comment on its line stays where it is. */
    const struct sql_token *last = &rw->tokens[close - 1];
    if (sql_edits_add(&rw->out->edits, last->start + last->len, 0,
            arena_printf(rw->a, ", %s", columns))
        != 0)
        rw->is_clash = true;
    rw_did(rw, SQL_CH_COLUMN, arena_printf(rw->a, "column %s", columns));
}

/* ---- indexes of new tables, and of foreign keys ---- */

static bool
is_statement(const char *wanted)
{
    return wanted && str_prefix(wanted, "CREATE INDEX ");
}

/* Of a statement that a check has written: CREATE INDEX CONCURRENTLY name ON ... */
static const char *
index_name(struct rw *rw, const char *statement)
{
    struct sql_lexer lx;
    struct sql_token tok = { .len = 0 };
    char name[64];
    int r = 0;

    sql_lex_init(&lx, statement, strlen(statement), true);
    for (int i = 0; i < 4 && r == 0; i++)
        r = sql_lex_next(&lx, &tok);
    r = r ? r : sql_token_ident(statement, &tok, name);
    DG_ASSERT(r == 0, "no index in `%s`", statement);
    return arena_strdup(rw->a, name);
}

void
rw_index_behind(struct rw *rw)
{
    const char *index = rw->finding->wanted;
    const struct pol_value *key = &rw->pol->checks[rw->check].params[POL_P_KEY];

    if (!is_statement(index))
        return;
    const char *rest = index + strlen("CREATE INDEX ");
    index = rw->f->flags & SQL_F_IF_NOT_EXISTS && rw->f->objects[0].is_created
        ? arena_printf(rw->a, "CREATE INDEX IF NOT EXISTS %s", rest)
        : arena_strdup(rw->a, index);
    for (size_t i = 0; rw->check == POL_C_TENANT_INDEX && i < key->n_words; i++) {
        if (!makes_column(rw, key->words[i])) {
            rw->why = "its columns are added by a later statement";
            return;
        }
    }
    if (str_prefix(index, "CREATE INDEX CONCURRENTLY "))
        rw_index_later(rw, pol_table_of(rw->f), index_name(rw, index), index);
    else
        rw_then(rw, index);
    rw_did(rw, 0, index);
}

void
rw_soft_delete(struct rw *rw)
{
    struct arena *a = rw->a;
    const struct pol_value *v = rw->pol->checks[rw->check].params;
    const char *column = v[POL_P_COLUMNS].n_columns ? v[POL_P_COLUMNS].columns[0].name
                                                    : NULL;

    if (!column)
        return;
    if (is_statement(rw->finding->wanted)) {
        if (!makes_column(rw, column))
            rw->why = "its column is added by a later statement";
        else
            rw_index_behind(rw);
        return;
    }
    rw_add_columns(rw);
    if (rw->why || !rw->out->did || !v[POL_P_INDEX].number)
        return;
    const struct sql_object *o = &rw->f->objects[0];
    const char *const parts[] = { "idx", o->name, column };
    rw_then_or_later(rw,
        arena_printf(a, "CREATE INDEX %s%s ON %s (%s);",
            rw->f->flags & SQL_F_IF_NOT_EXISTS ? "IF NOT EXISTS " : "",
            pol_ident(a, pol_made_name(a, parts, 3)), rw_name(rw, o),
            pol_ident(a, column)));
}

/* ---- schema-qualified ---- */

void
rw_schema(struct rw *rw)
{
    const struct sql_object *o = rw->finding->object;
    size_t at = o ? rw_at(rw, o->pos) : RW_NONE;

    if (!rw->finding->wanted) {
        rw->why = o && o->is_created
            ? "which schema the session makes it in isn't known"
            : "which schema it lives in isn't known";
        return;
    }
    if (at == RW_NONE || rw_is_sign(rw, at + 1, '.'))
        return;
    if (sql_edits_add(&rw->out->edits, rw->tokens[at].start, 0,
            arena_printf(rw->a, "%s.", rw->finding->wanted))
        != 0)
        rw->is_clash = true;
    rw_did(rw, SQL_CH_SCHEMA, arena_printf(rw->a, "schema %s", rw->finding->wanted));
}

/* ---- security-definer-search-path ---- */

void
rw_definer_path(struct rw *rw)
{
    int depth = 0;

    for (size_t i = 0; i + 1 < rw->n; i++) {
        depth += rw_is_sign(rw, i, '(') - rw_is_sign(rw, i, ')');
        if (depth || !rw_is(rw, i, "SECURITY") || !rw_is(rw, i + 1, "DEFINER"))
            continue;
        rw_put_after(rw, i + 1, "SET search_path = pg_catalog, pg_temp");
        rw_did(rw, SQL_CH_SETTING, "search_path = pg_catalog, pg_temp");
        rw->out->remark =
            "Names without a schema in its body mean objects of pg_catalog only.";
        return;
    }
}
