// SPDX-License-Identifier: ISC
/* Safe forms that take several statements. */
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
    const char *name = pol_ident(a, pol_made_name(a, parts, 3));
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

/* ---- create-partition-of ---- */

/* Does FOR VALUES at token i, with its brackets, end the statement? */
static bool
ends_with_bound(const struct rw *rw, size_t i)
{
    if (!rw_is(rw, i, "FOR") || !rw_is(rw, i + 1, "VALUES"))
        return false;
    if (rw_is(rw, i + 2, "FROM")) {
        i = rw_closing(rw, i + 3);
        return i != RW_NONE && rw_is(rw, i + 1, "TO")
            && rw_closing(rw, i + 2) == rw->n - 1;
    }
    return (rw_is(rw, i + 2, "IN") || rw_is(rw, i + 2, "WITH"))
        && rw_closing(rw, i + 3) == rw->n - 1;
}

void
rw_attach_behind(struct rw *rw)
{
    const struct sql_facts *f = rw->f;
    size_t at = f->n_objects == 2 ? rw_at(rw, f->objects[1].pos) : RW_NONE;

    if (at == RW_NONE || at < 2 || !rw_is(rw, at - 2, "PARTITION")
        || !rw_is(rw, at - 1, "OF"))
        return;
    size_t last = f->objects[1].schema ? at + 2 : at;
    if (!ends_with_bound(rw, last + 1)
        || (f->flags & (SQL_F_IF_NOT_EXISTS | SQL_F_TEMP))) {
        rw->why = "it says more than the values it is for";
        return;
    }
    if (rw_has_comment(rw, at - 2, rw->n - 1)) {
        rw->why = "a comment stands between words that go to another statement";
        return;
    }
    const char *parent = rw_name(rw, &f->objects[1]);
    rw_then(rw,
        arena_printf(rw->a, "ALTER TABLE %s ATTACH PARTITION %s %s;", parent,
            rw_name(rw, &f->objects[0]), rw_words(rw, last + 1, rw->n - 1)));
    /* ATTACH makes the indexes, keys and triggers that the others have. */
    rw_replace(rw, at - 2, rw->n - 1,
        arena_printf(rw->a,
            "(LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS "
            "INCLUDING STORAGE INCLUDING COMPRESSION)",
            parent));
    rw_did(rw, SQL_CH_LIKE, "made alone, ATTACH PARTITION behind it");
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
