// SPDX-License-Identifier: ISC
/* Safe forms of files: statements that become one, BEGIN and COMMIT around others. */
#include "policy/rewrite_build.h"

#include <string.h>

/* ---- merge-alter-table ---- */

/* Does each action only add, so that nothing hangs on the order of the server's passes? */
static bool
only_adds(const struct sql_facts *f)
{
    for (size_t i = 0; i < f->n_subs; i++) {
        if (!pol_sub_is(&f->subs[i], "ADD COLUMN")
            && !pol_sub_is(&f->subs[i], "ADD CONSTRAINT"))
            return false;
    }
    return f->n_subs > 0;
}

static bool
is_only_space(const struct rw *rw, size_t from, size_t to, size_t *sign)
{
    struct sql_lexer lx;
    struct sql_token tok;
    const char *text = rw->text->text + from;
    bool has_sign;

    sql_lex_init(&lx, text, to - from, true);
    has_sign = sql_lex_next(&lx, &tok) == 0 && tok.len == 1 && text[tok.start] == ';';
    *sign = from + tok.start;
    return has_sign && sql_lex_next(&lx, &tok) == SQL_LEX_END;
}

void
rw_merge_alter(struct rw *rw)
{
    const struct sql_facts *f = rw->f,
                           *before = rw->fact ? &rw->text->tree->facts[rw->fact - 1]
                                              : NULL;
    const struct sql_object *o = pol_table_of(f);
    size_t sign;

    if (!before || !o || before->parent >= 0 || !pol_tag(before, "ALTER TABLE")
        || !before->n_objects || before->stmt + 1 != f->stmt)
        return;
    const char *schema = before->objects[0].schema;
    bool is_same = strcmp(before->objects[0].name, o->name) == 0
        && !schema == !o->schema && (!schema || strcmp(schema, o->schema) == 0);
    unsigned kinds = SQL_F_ONLY | SQL_F_IF_EXISTS;
    if (!is_same || ((before->flags | f->flags) & (kinds | SQL_F_UNPARSABLE))
        || !only_adds(before) || !only_adds(f)) {
        rw->why = "only statements that add columns or constraints are joined";
        return;
    }
    size_t first = rw_at(rw, f->subs[0].pos);
    const struct sql_stmt *s = &rw->text->scan->stmts[before->stmt];
    if (first == RW_NONE || first == 0
        || !is_only_space(rw, s->start + s->len, rw->tokens[0].start, &sign))
        return;
    if (rw_has_comment(rw, 0, first)) {
        rw->why = "a comment stands between words that are left out";
        return;
    }
    if (sql_edits_add(&rw->out->edits, sign, 1, ",") != 0)
        rw->is_clash = true;
    size_t start = rw->tokens[0].start;
    if (sql_edits_add(&rw->out->edits, start, rw->tokens[first].start - start, "") != 0)
        rw->is_clash = true;
    rw_did(rw, SQL_CH_MERGED, "joined with the one before it");
}

/* ---- tx-nesting ---- */

/* Are the file's own BEGIN and COMMIT all there is? rw->why says so if not. */
static bool
is_by_file(struct rw *rw)
{
    if (pol_runs_alone(rw->pol, false))
        return true;
    rw->why = "the policy doesn't say transaction = file: its tool may have one open";
    return false;
}

/* The next statement from `fact` on, or before it, that begins or ends a transaction;
 * RW_NONE: none does. */
static size_t
next_tx(const struct rw *rw, size_t fact, int step)
{
    const struct sql_tree *tree = rw->text->tree;

    for (size_t i = fact + (size_t)step; i < tree->n; i += (size_t)step) {
        if (tree->facts[i].parent < 0 && tree->facts[i].tx != SQL_TX_NONE)
            return i;
    }
    return RW_NONE;
}

/* Is it the bare word BEGIN, COMMIT and its like, and ends with `;`? *end: behind that. */
static bool
is_bare(const struct rw *rw, size_t fact, enum sql_tx tx, size_t *end)
{
    if (fact == RW_NONE || rw->text->tree->facts[fact].tx != tx)
        return false;
    const struct sql_stmt *s = &rw->text->scan->stmts[rw->text->tree->facts[fact].stmt];
    *end = s->start + s->len + 1;
    return s->n_tokens == 1 && *end <= rw->text->len && rw->text->text[*end - 1] == ';';
}

static bool
has_no_tx(const struct rw *rw, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (rw->text->tree->facts[i].flags & (SQL_F_NO_TX | SQL_F_UNPARSABLE))
            return true;
    }
    return false;
}

/* BEGIN; ... BEGIN; ... COMMIT; ... COMMIT; without the inner two, from the inner BEGIN or
 * from the last COMMIT, which the server warns of both. */
void
rw_tx_flat(struct rw *rw)
{
    const struct sql_tree *tree = rw->text->tree;
    bool is_end = rw->f->tx != SQL_TX_BEGIN;
    size_t inner_end = is_end ? next_tx(rw, rw->fact, -1) : next_tx(rw, rw->fact, 1);
    size_t inner = !is_end     ? rw->fact
        : inner_end == RW_NONE ? RW_NONE
                               : next_tx(rw, inner_end, -1);
    size_t outer = inner == RW_NONE ? RW_NONE : next_tx(rw, inner, -1);
    size_t outer_end = inner_end == RW_NONE ? RW_NONE : next_tx(rw, inner_end, 1);
    size_t ends[4];

    if (!is_by_file(rw))
        return;
    if (!is_bare(rw, inner, SQL_TX_BEGIN, &ends[0])
        || !is_bare(rw, inner_end, SQL_TX_COMMIT, &ends[1])
        || !is_bare(rw, outer, SQL_TX_BEGIN, &ends[2])
        || !is_bare(rw, outer_end, SQL_TX_COMMIT, &ends[3])) {
        rw->why = "which BEGIN and COMMIT belong together isn't plain";
        return;
    }
    if (has_no_tx(rw, outer, outer_end)) {
        rw->why = "a statement of the file can't run in a transaction";
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t start =
            rw->text->scan->stmts[tree->facts[i ? inner_end : inner].stmt].start;
        if (sql_edits_add(&rw->out->edits, start, ends[i] - start, "") != 0)
            rw->is_clash = true;
    }
    rw_did(rw, SQL_CH_TX, "no BEGIN and COMMIT inside another");
}

/* ---- validate-in-same-transaction ---- */

void
rw_commit_first(struct rw *rw)
{
    const struct sql_tree *tree = rw->text->tree;
    size_t begin = next_tx(rw, rw->fact, -1), end = next_tx(rw, rw->fact, 1), behind[2];

    if (!is_by_file(rw))
        return;
    if (!is_bare(rw, begin, SQL_TX_BEGIN, &behind[0])
        || !is_bare(rw, end, SQL_TX_COMMIT, &behind[1])) {
        rw->why = "it doesn't stand between a plain BEGIN and COMMIT of the file";
        return;
    }
    for (size_t i = begin; i < end; i++) {
        const struct sql_facts *f = &tree->facts[i];
        bool is_row = f->write || f->cls == DG_HISTORY || pol_tag(f, "INSERT")
            || pol_tag(f, "UPDATE") || pol_tag(f, "DELETE") || pol_tag(f, "COPY");
        if (is_row || f->setting_is_local
            || (f->flags & (SQL_F_TEMP | SQL_F_UNPARSABLE))
            || pol_tag(f, "LOCK TABLE")) {
            rw->why = arena_printf(rw->a,
                "a statement of the transaction may belong to all of it (%s)", f->tag);
            return;
        }
    }
    rw_before(rw, "COMMIT;");
    rw_before(rw, "BEGIN;");
    rw_did(rw, 0, "COMMIT and BEGIN before it");
}

/* ---- tx-wrap-required ---- */

void
rw_tx_wrap(struct rw *rw)
{
    const struct sql_tree *tree = rw->text->tree;

    if (!is_by_file(rw))
        return;
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        if (f->parent < 0 && f->tx != SQL_TX_NONE) {
            rw->why = "the file has transactions of its own";
            return;
        }
        if (f->parent < 0 && f->setting_is_local) {
            rw->why = "SET LOCAL would come to have an effect";
            return;
        }
        if (f->flags & (SQL_F_NO_TX | SQL_F_UNPARSABLE)) {
            rw->why = "a statement of the file can't run in a transaction";
            return;
        }
        if (pol_tag(f, "COPY") || pol_tag(f, "CALL") || pol_tag(f, "DO")
            || pol_sub_find(f, "ADD VALUE")) {
            rw->why = arena_printf(rw->a,
                "a statement of the file may mind a transaction around it (%s)",
                f->tag);
            return;
        }
    }
    rw->out->is_wrapped = true;
    rw_did(rw, 0, "BEGIN and COMMIT around the file");
}
