// SPDX-License-Identifier: ISC
/* Looks up what a rule does to a statement, and the small tools of those that do it. */
#include "policy/rewrite_build.h"

#include "sql/ident.h"

#include <stdio.h>
#include <string.h>

#define MAX_TOKENS 20000 /* of a statement that is looked into */

enum where {
    WHERE_BOTH,
    WHERE_WIRE,
    WHERE_FILE,
};

struct row {
    rw_fn *fn;
    enum where where;
    const char *form;
};

static const struct row rows[POL_N_CHECKS] = {
#define POL_REWRITE(symbol, function, where, form) \
    [POL_C_##symbol] = { rw_##function, WHERE_##where, form },
#include "ddlgate/tbl/rewrites.h"
};

void
pol_rewrite_init(struct pol_rewrite *rw, struct arena *a)
{
    *rw = (struct pol_rewrite){ .arena = a };
}

void
pol_rewrite_deinit(struct pol_rewrite *rw)
{
    sql_edits_deinit(&rw->edits);
}

const char *
pol_rewrite_form(size_t check)
{
    return rows[check].form;
}

bool
pol_check_may_rewrite(enum pol_check check)
{
    return rows[check].fn && rows[check].where != WHERE_FILE;
}

bool
pol_rewrite_is_known(const char *rule, bool is_file)
{
    enum pol_check check;

    return pol_check_find(str_of(rule), &check) && rows[check].fn
        && rows[check].where != (is_file ? WHERE_WIRE : WHERE_FILE);
}

bool
pol_rewrite_is_timeout(const char *rule)
{
    enum pol_check check;

    return pol_check_find(str_of(rule), &check)
        && (rows[check].fn == rw_lock_timeout
            || rows[check].fn == rw_statement_timeout);
}

enum dg_action
pol_rewrite_else(const struct pol *p, const char *rule)
{
    enum pol_check check;

    return pol_check_find(str_of(rule), &check) ? p->checks[check].rewrite_else
                                                : DG_REJECT;
}

bool
pol_rewrites_migrated(const struct pol *p)
{
    return p->rewrites_migrated;
}

bool
pol_runs_alone(const struct pol *p, bool is_no_tx)
{
    return is_no_tx || p->wrap == POL_WRAP_FILE;
}

bool
pol_runs_in_tx(const struct pol *p, bool is_no_tx)
{
    return !is_no_tx && (p->wrap == POL_WRAP_TOOL || p->wrap == POL_WRAP_QUERY);
}

static bool
is_end(enum sql_tx tx)
{
    return tx == SQL_TX_COMMIT || tx == SQL_TX_ROLLBACK || tx == SQL_TX_PREPARE;
}

bool
pol_in_block(const struct sql_tree *tree, size_t fact, size_t *end)
{
    bool is_in = false;

    for (size_t i = 0; i < fact; i++) {
        if (tree->facts[i].parent >= 0)
            continue;
        if (tree->facts[i].tx == SQL_TX_BEGIN)
            is_in = true;
        else if (is_end(tree->facts[i].tx))
            is_in = false;
    }
    *end = SIZE_MAX;
    for (size_t i = fact; is_in && i < tree->n && *end == SIZE_MAX; i++) {
        if (tree->facts[i].parent < 0 && is_end(tree->facts[i].tx))
            *end = i;
    }
    return is_in;
}

const char *
pol_timeout_text(const struct pol *p, enum pol_timeout which)
{
    enum pol_check check = which == POL_LOCK_TIMEOUT ? POL_C_LOCK_TIMEOUT
                                                     : POL_C_STATEMENT_TIMEOUT;
    return p->checks[check].params[POL_P_VALUE].text;
}

/* ---- tokens ---- */

bool
rw_is(const struct rw *rw, size_t i, const char *word)
{
    if (i >= rw->n || rw->tokens[i].kind != SQL_T_WORD)
        return false;
    return str_ieqz(
        (struct str){ rw->text->text + rw->tokens[i].start, rw->tokens[i].len }, word);
}

size_t
rw_find(const struct rw *rw, size_t from, const char *word)
{
    for (size_t i = from; i < rw->n; i++) {
        if (rw_is(rw, i, word))
            return i;
    }
    return RW_NONE;
}

size_t
rw_at(const struct rw *rw, int pos)
{
    for (size_t i = 0; pos >= 0 && i < rw->n; i++) {
        if (rw->tokens[i].start == (size_t)pos)
            return i;
    }
    return RW_NONE;
}

bool
rw_is_sign(const struct rw *rw, size_t i, char sign)
{
    return i < rw->n && rw->tokens[i].len == 1
        && rw->text->text[rw->tokens[i].start] == sign;
}

size_t
rw_sub_end(const struct rw *rw, size_t sub)
{
    const struct sql_facts *f = rw->f;

    if (rw_at(rw, f->subs[sub].pos) == RW_NONE)
        return RW_NONE;
    if (sub + 1 == f->n_subs)
        return rw->n - 1;
    size_t next = rw_at(rw, f->subs[sub + 1].pos);
    if (next == RW_NONE || next < 2 || !rw_is_sign(rw, next - 1, ','))
        return RW_NONE;
    return next - 2;
}

/* ---- edits ---- */

static void
add(struct rw *rw, size_t at, size_t del, const char *text)
{
    rw->is_clash |= sql_edits_add(&rw->out->edits, at, del, text) != 0;
}

void
rw_put_after(struct rw *rw, size_t token, const char *text)
{
    const struct sql_token *t = &rw->tokens[token];
    add(rw, t->start + t->len, 0, arena_printf(rw->a, " %s", text));
}

void
rw_put_before(struct rw *rw, size_t token, const char *text)
{
    add(rw, rw->tokens[token].start, 0, arena_printf(rw->a, "%s ", text));
}

void
rw_replace(struct rw *rw, size_t from, size_t to, const char *text)
{
    size_t start = rw->tokens[from].start;
    size_t end = rw->tokens[to].start + rw->tokens[to].len;
    add(rw, start, end - start, arena_strdup(rw->a, text));
}

void
rw_did(struct rw *rw, unsigned change, const char *what)
{
    struct pol_rewrite *out = rw->out;

    out->changes |= change;
    if (!out->did)
        out->did = arena_strdup(rw->a, what);
    else if (!strstr(out->did, what))
        out->did = arena_printf(rw->a, "%s, %s", out->did, what);
}

void
rw_follow_up(struct rw *rw, const char *statement)
{
    struct pol_rewrite *out = rw->out;

    if (!out->follow_up)
        out->follow_up = statement;
    else if (!strstr(out->follow_up, statement))
        out->follow_up = arena_printf(rw->a, "%s %s", out->follow_up, statement);
}

static struct pol_step *
put_step(struct arena *a, struct pol_rewrite *out, struct pol_steps *steps,
    const char *statement)
{
    for (size_t i = 0; i < steps->n; i++) {
        if (strcmp(steps->items[i].sql, statement) == 0)
            return &steps->items[i];
    }
    if (!steps->items)
        steps->items = arena_alloc(a, POL_MAX_STEPS * sizeof(*steps->items));
    if (steps->n == POL_MAX_STEPS) {
        out->has_too_many = true;
        return &steps->items[POL_MAX_STEPS - 1];
    }
    steps->items[steps->n] = (struct pol_step){ .sql = statement };
    return &steps->items[steps->n++];
}

static void
put_steps(struct arena *a, struct pol_rewrite *out, struct pol_steps *to,
    const struct pol_steps *from)
{
    for (size_t i = 0; i < from->n; i++)
        *put_step(a, out, to, from->items[i].sql) = from->items[i];
}

const char *
pol_steps_text(struct arena *a, const struct pol_steps *steps)
{
    size_t size = 0, n = 0;

    for (size_t i = 0; i < steps->n; i++)
        size += strlen(steps->items[i].sql) + 1;
    char *text = size ? arena_alloc(a, size) : NULL;
    for (size_t i = 0; i < steps->n; i++)
        n += (size_t)snprintf(
            text + n, size - n, "%s%s", n ? "\n" : "", steps->items[i].sql);
    return text;
}

void
rw_then(struct rw *rw, const char *statement)
{
    put_step(rw->a, rw->out, &rw->out->after, statement);
}

void
rw_then_or_later(struct rw *rw, const char *statement)
{
    if (rw->is_file || rw->out->has_room)
        rw_then(rw, statement);
    else
        rw_follow_up(rw, statement);
}

void
rw_before(struct rw *rw, const char *statement)
{
    put_step(rw->a, rw->out, &rw->out->before, statement);
}

const char *
rw_passing_name(struct rw *rw, const char *const *parts, size_t n)
{
    const char *name = pol_made_name(rw->a, parts, n);
    return pol_ident(
        rw->a, rw->out->suffix ? pol_name_with(rw->a, name, rw->out->suffix) : name);
}

void
rw_undo(struct rw *rw, const char *statement)
{
    struct pol_steps *s = &rw->out->before;
    DG_ASSERT(s->n > 0, "nothing to undo");
    s->items[s->n - 1].undo = statement;
}

void
rw_undo_query(struct rw *rw, const char *undo, const char *left)
{
    struct pol_steps *s = &rw->out->before;
    DG_ASSERT(s->n > 0, "nothing to undo");
    s->items[s->n - 1].undo_query = undo;
    s->items[s->n - 1].left_query = left;
}

/* Left by a build that failed: invalid, and not what somebody else is building. Who builds holds
 * this lock on the table; which index it is others are not told before it is there, and another
 * role never. */
#define IS_LEFT                                                                            \
    " AND NOT i.indisvalid AND NOT EXISTS (SELECT FROM "                                   \
    "pg_catalog.pg_stat_progress_create_index g JOIN pg_catalog.pg_locks l USING (pid) "   \
    "WHERE g.pid <> pg_catalog.pg_backend_pid() AND g.datname = "                          \
    "pg_catalog.current_database() AND l.granted AND l.mode = 'ShareUpdateExclusiveLock' " \
    "AND l.relation = i.indrelid AND coalesce(g.index_relid, 0) IN (0, i.indexrelid))"

/* Which schema an index is in its name doesn't tell, and another one may have that name: the
 * server is asked which index of the table it is. */
static struct pol_step *
put_index(struct rw *rw, struct pol_steps *steps, const struct sql_object *table,
    const char *index, const char *statement)
{
    struct pol_step *step = put_step(rw->a, rw->out, steps, statement);
    step->undo_query = arena_printf(rw->a,
        "SELECT pg_catalog.format('DROP INDEX CONCURRENTLY %%I.%%I', n.nspname, c.relname) "
        "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE i.indrelid = "
        "pg_catalog.to_regclass(%s) AND c.relname = %s",
        sql_constant(rw->a, rw_name(rw, table)), sql_constant(rw->a, index));
    step->left_query = arena_printf(rw->a, "%s%s", step->undo_query, IS_LEFT);
    return step;
}

void
rw_index_before(struct rw *rw, const struct sql_object *table, const char *index,
    const char *statement)
{
    put_index(rw, &rw->out->before, table, index, statement);
}

void
rw_later(struct rw *rw, const char *statement)
{
    if (rw->is_file)
        rw_follow_up(rw, statement);
    else
        put_step(rw->a, rw->out, &rw->out->behind, statement);
}

void
rw_index_later(struct rw *rw, const struct sql_object *table, const char *index,
    const char *statement)
{
    if (rw->is_file)
        rw_follow_up(rw, statement);
    else
        put_index(rw, &rw->out->behind, table, index, statement);
}

bool
rw_has_comment(const struct rw *rw, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct sql_token *t = &rw->tokens[i];
        for (size_t at = t->start + t->len; at < rw->tokens[i + 1].start; at++) {
            if (rw->text->text[at] == '-' || rw->text->text[at] == '/')
                return true;
        }
    }
    return false;
}

const char *
rw_words(const struct rw *rw, size_t from, size_t to)
{
    size_t start = rw->tokens[from].start;

    return arena_strndup(rw->a, rw->text->text + start,
        rw->tokens[to].start + rw->tokens[to].len - start);
}

size_t
rw_closing(const struct rw *rw, size_t i)
{
    size_t depth = 0;

    for (; i < rw->n; i++) {
        depth += rw_is_sign(rw, i, '(');
        if (rw_is_sign(rw, i, ')') && --depth == 0)
            return i;
    }
    return RW_NONE;
}

/* ---- a rule and a statement ---- */

static bool
read_tokens(struct rw *rw, struct pol_rewrite_seen *seen)
{
    const struct sql_stmt *s = &rw->text->scan->stmts[rw->f->stmt];
    struct sql_token tok, *tokens;
    struct sql_lexer lx;
    size_t cap = s->n_tokens + 1;

    if (s->n_tokens > MAX_TOKENS)
        return false;
    if (seen->text != rw->text || seen->stmt != rw->f->stmt) {
        *seen = (struct pol_rewrite_seen){ .text = rw->text, .stmt = rw->f->stmt };
        tokens = arena_alloc(rw->a, cap * sizeof(*tokens));
        sql_lex_init(&lx, rw->text->text + s->start, s->len, true);
        while (seen->n < cap && sql_lex_next(&lx, &tok) == 0) {
            tok.start += s->start;
            tokens[seen->n++] = tok;
        }
        seen->tokens = tokens;
    }
    rw->tokens = seen->tokens;
    rw->n = seen->n;
    return rw->n > 0;
}

static int
refuse(const char **why, const char *text)
{
    *why = text;
    return POL_REWRITE_E_NO;
}

int
pol_rewrite_add(struct pol_rewrite *out, const struct pol *p,
    const struct pol_finding *f, const struct pol_text *t, size_t fact, bool is_file,
    const char **why)
{
    struct pol_rewrite one;
    struct rw rw = { .pol = p,
        .finding = f,
        .text = t,
        .f = &t->tree->facts[fact],
        .fact = fact,
        .is_file = is_file,
        .may_be_alone = out->may_be_alone,
        .stamp = out->stamp,
        .out = &one,
        .a = out->arena };

    if (!pol_check_find(str_of(f->rule), &rw.check) || !rows[rw.check].fn)
        return refuse(why, "this rule has no safe form that can be made by itself");
    if (rows[rw.check].where == (is_file ? WHERE_WIRE : WHERE_FILE))
        return refuse(why, is_file ? "it needs a session" : "it is a matter of files");
    if (f->no_rewrite && !(f->relation && (is_file || out->has_room)))
        return refuse(why, f->no_rewrite);
    if (rw.f->parent >= 0)
        return refuse(why, "it stands inside another statement");
    if (rw.f->flags & SQL_F_UNPARSABLE)
        return refuse(why, "it can't be read");
    if (!read_tokens(&rw, &out->seen))
        return refuse(why, "it is too long");
    pol_rewrite_init(&one, out->arena);
    one.has_room = out->has_room;
    one.suffix = out->suffix;
    one.may_be_alone = out->may_be_alone;
    rows[rw.check].fn(&rw);
    int r = POL_REWRITE_E_NO;
    if (rw.why)
        *why = rw.why;
    else if (!one.did)
        *why = "there is no safe form of this statement that can be made by itself";
    else if (one.has_too_many || one.before.n + out->before.n > POL_MAX_STEPS
        || one.after.n + out->after.n > POL_MAX_STEPS
        || one.behind.n + out->behind.n > POL_MAX_STEPS)
        *why = "it would take too many statements";
    else if (rw.is_clash || sql_edits_merge(&out->edits, &one.edits) != 0)
        *why = "another rule changes the same words";
    else
        r = 0;
    if (r == 0) {
        rw.out = out;
        rw_did(&rw, one.changes, one.did);
        if (one.follow_up)
            rw_follow_up(&rw, one.follow_up);
        put_steps(rw.a, out, &out->before, &one.before);
        put_steps(rw.a, out, &out->after, &one.after);
        put_steps(rw.a, out, &out->behind, &one.behind);
        out->is_wrapped |= one.is_wrapped;
        if (one.place)
            out->place = one.place;
        if (one.remark)
            out->remark = one.remark;
        out->needs_alone |= one.needs_alone;
        out->needs_sole |= one.needs_sole;
        out->needs_tx |= one.needs_tx;
        out->is_move |= one.is_move;
        if (one.retries > out->retries)
            out->retries = one.retries;
        for (int i = 0; i < POL_N_TIMEOUTS; i++) {
            int64_t ms = one.timeout_ms[i];
            if (ms && (!out->timeout_ms[i] || ms < out->timeout_ms[i]))
                out->timeout_ms[i] = ms;
        }
    }
    pol_rewrite_deinit(&one);
    return r;
}
