// SPDX-License-Identifier: ISC
/* From findings to one edited text; see rewrite.h. */
#include "gate/rewrite.h"

#include <string.h>

#include "ddlgate/sqlstate.h"
#include "policy/quarantine.h"

void
gate_rewrite_deinit(struct gate_rewrite *rw)
{
    ref_drop(rw->text);
    rw->text = NULL;
}

static bool
is_asked(const struct pol_finding *f)
{
    return f->action == DG_REWRITE && !f->is_observed;
}

/* is_moment: the same statement may be rewritten elsewhere. */
static void
deny(const struct pol *p, struct arena *a, struct pol_finding *f, const char *why,
    bool is_moment)
{
    f->action = pol_rewrite_else(p, f->rule);
    if (f->action == DG_REJECT)
        f->sqlstate = is_moment ? DG_SQLSTATE_NOT_NOW : DG_SQLSTATE_REFUSED;
    f->detail = arena_printf(a, "%s%sIt is not rewritten: %s.",
        f->detail ? f->detail : "", f->detail ? " " : "", why);
}

static void
settle(struct pol_findings *f)
{
    f->action = DG_ALLOW;
    for (size_t i = 0; i < f->n; i++) {
        if (!f->items[i].is_observed && f->items[i].action > f->action)
            f->action = f->items[i].action;
    }
}

void
gate_rewrite_deny(
    const struct pol *p, struct pol_findings *found, size_t first, const char *why)
{
    for (size_t i = first; i < found->n; i++) {
        if (is_asked(&found->items[i]))
            deny(p, found->arena, &found->items[i], why, false);
    }
    settle(found);
}

/* ---- what speaks against it ---- */

static bool
ends_or_begins(const struct gate_text *t)
{
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        if (f->tx != SQL_TX_NONE || f->prep == SQL_PREP_EXECUTE)
            return true;
    }
    return false;
}

static bool
has_no_tx(const struct gate_text *t)
{
    for (size_t i = 0; i < t->tree->n; i++) {
        if (t->tree->facts[i].flags & SQL_F_NO_TX)
            return true;
    }
    return false;
}

/* Around a Query, which may come for a statement that was prepared, too (session/extended.c). */
static bool
has_room(const struct gate_moment *at)
{
    return at->kind == GATE_QUERY || (at->kind == GATE_PARSE && !at->is_single);
}

/* Statements before it or behind it. */
static const char *
no_room(const struct gate_text *t, const struct gate_moment *at,
    const struct pol_rewrite *rw)
{
    if (!rw->before.n && !rw->behind.n && !rw->after.n)
        return NULL;
    if (!has_room(at))
        return "it becomes several statements, which only a simple query can, or a batch that "
               "ends with it, without parameters; send it as one, or the statements one by one";
    /* Forms are made of tokens as they read with standard_conforming_strings on. */
    if (!t->std_strings && memchr(t->sql, '\\', t->len))
        return "it holds a backslash while standard_conforming_strings is off; write it "
               "without";
    if (t->scan.n != 1)
        return "it becomes several statements, which must not mix with others; send it alone";
    if ((rw->before.n || rw->behind.n) && (at->tx_status != 'I' || at->is_batch_begun))
        return "it becomes several transactions, which can't be in a transaction block; run it "
               "outside of one";
    return NULL;
}

/* NULL: nothing. */
static const char *
obstacle(const struct gate_text *t, const struct gate_moment *at,
    const struct pol_rewrite *rw)
{
    bool has_timeout = false;
    const char *why = no_room(t, at, rw);

    if (why)
        return why;
    for (int i = 0; i < POL_N_TIMEOUTS; i++)
        has_timeout |= rw->timeout_ms[i] > 0;
    if (rw->needs_alone && at->tx_status != 'I')
        return "CONCURRENTLY can't run in a transaction block; run it outside of one";
    if (rw->needs_alone && t->scan.n != 1)
        return "CONCURRENTLY can't run beside other statements; send it alone";
    if (rw->needs_alone && at->is_batch_begun)
        return "CONCURRENTLY can't run in a pipeline behind other statements; send it first "
               "after a Sync";
    if (rw->needs_sole && t->scan.n != 1)
        return "a drop is only turned into a move where it stands alone in its text; send it "
               "by itself";
    if (has_timeout && ends_or_begins(t))
        return "a timeout is set around a text only if it neither begins nor ends a "
               "transaction; send BEGIN and COMMIT by themselves";
    if (has_timeout && at->kind != GATE_QUERY && has_no_tx(t))
        return "a timeout can't be set in the same batch as what runs in no transaction; "
               "send it as a simple query, or set it in the session";
    return NULL;
}

/* ---- the text ---- */

static void
append(struct arena *a, const char **list, const char *one)
{
    if (!*list)
        *list = one;
    else if (!strstr(*list, one))
        *list = arena_printf(a, "%s, %s", *list, one);
}

/* One DO, and what it tries is what the client wrote. */
static bool
is_move_of(const struct gate_text *t, const struct gate_text *out)
{
    const struct sql_tree *a = t->tree, *b = out->tree;
    const struct sql_facts *drop = &a->facts[0], *tried = &b->facts[1];
    if (a->n != 1 || out->scan.n != 1 || b->n != 2 || b->is_unparsable
        || strcmp(b->facts[0].tag, "DO") != 0 || tried->parent != 0
        || strcmp(tried->tag, drop->tag) != 0 || tried->n_objects != drop->n_objects
        || ((tried->flags ^ drop->flags) & (SQL_F_IF_EXISTS | SQL_F_CASCADE)))
        return false;
    for (size_t i = 0; i < drop->n_objects; i++) {
        const struct sql_object *x = &drop->objects[i], *y = &tried->objects[i];
        if (strcmp(x->name, y->name) != 0 || !x->schema != !y->schema
            || (x->schema && strcmp(x->schema, y->schema) != 0))
            return false;
    }
    return true;
}

#define OTHERWISE "the edited text says something else than it was meant to"

/* What parts the client's statement from the next: its `;` may be there already, and may stand
 * before a comment that goes to the end of the line. */
static const char *
separator(const struct gate_text *t)
{
    const struct sql_stmt *s = &t->scan.stmts[0];
    size_t end = s->start + s->len;
    struct str rest = str_trim((struct str){ t->sql + end, t->len - end });

    return rest.n == 0 ? ";\n" : str_eqz(rest, ";") ? "\n" : "\n;";
}

/* The text with edits, and behind them the statements that share its message; NULL and why. */
static struct gate_text *
with_added(const struct gate_text *t, const struct gate_text *main,
    const struct pol_rewrite *rw, unsigned max_depth, const char **why)
{
    const char *added = pol_steps_text(rw->arena, &rw->after);
    AUTO(sql_edits_deinit) struct sql_edits all = { .n = 0 };
    struct gate_text *out = NULL;
    int r = sql_edits_merge(&all, &rw->edits);

    r = r ? r
          : sql_edits_add(
              &all, t->len, 0, arena_printf(rw->arena, "%s%s", separator(t), added));
    if (r == 0 && strlen(added) <= SQL_TREE_INLINE_BYTES)
        out = gate_text_edited(t, &all, max_depth, why);
    if (!out) {
        *why = *why ? *why : "the text is too long";
        return NULL;
    }
    AUTO(gate_text_unref)
    struct gate_text *behind = gate_text_whole(
        NULL, NULL, added, strlen(added), max_depth);
    const struct sql_tree *tree = behind->tree;
    if (tree->is_unparsable || behind->scan.n != rw->after.n
        || out->scan.n != 1 + rw->after.n
        || !sql_trees_follow(main->tree, out->tree, &tree, 1)) {
        *why = OTHERWISE;
        ref_drop(out);
        return NULL;
    }
    out->n_added = (unsigned)rw->after.n;
    return out;
}

/* The edited text, or NULL and why. */
static struct gate_text *
edited(const struct gate_text *t, const struct gate_moment *at,
    const struct pol_rewrite *rw, unsigned max_depth, const char **why)
{
    struct gate_text *out = gate_text_edited(t, &rw->edits, max_depth, why);

    if (out && rw->is_move)
        out->tag = POL_QUARANTINE_TAG;
    if (out
        && !(rw->is_move ? is_move_of(t, out)
                         : sql_trees_same(t->tree, out->tree, rw->changes))) {
        *why = OTHERWISE;
        ref_drop(out);
        out = NULL;
    }
    if (out && rw->after.n) {
        struct gate_text *whole = with_added(t, out, rw, max_depth, why);
        ref_drop(out);
        out = whole;
    }
    /* The server has what its Parse was given. */
    if (out && at->kind == GATE_EXECUTE
        && (!t->in_place || strcmp(t->in_place->sql, out->sql) != 0)) {
        *why = "it was prepared before this policy was in force; prepare it again";
        ref_drop(out);
        out = NULL;
    }
    return out;
}

/* The edits, or the timeouts: what runs with CONCURRENTLY waits without standing in anybody's
 * way, so that those are not needed beside it. */
static void
gather(const struct pol *p, const struct gate_text *t, const struct gate_moment *at,
    bool is_timeouts, struct pol_findings *found, struct pol_rewrite *rw,
    struct gate_rewrite *out)
{
    const struct pol_text text = {
        .text = t->sql, .len = t->len, .scan = &t->scan, .tree = t->tree
    };

    for (size_t i = 0; i < found->n; i++) {
        struct pol_finding *f = &found->items[i];
        struct pol_rewrite one;
        const char *why = NULL;
        bool is_moment = false;

        if (!is_asked(f) || pol_rewrite_is_timeout(f->rule) != is_timeouts)
            continue;
        pol_rewrite_init(&one, found->arena);
        one.has_room = rw->has_room;
        one.may_be_alone = rw->may_be_alone;
        one.suffix = rw->suffix;
        one.seen = rw->seen;
        if (pol_rewrite_add(&one, p, f, &text, f->fact, false, &why) == 0) {
            why = obstacle(t, at, &one);
            is_moment = why != NULL;
        }
        if (!why && pol_rewrite_add(rw, p, f, &text, f->fact, false, &why) == 0) {
            append(found->arena, &out->rules, f->rule);
            out->lead = out->lead ? out->lead : f;
            why = NULL;
        }
        if (why)
            deny(p, found->arena, f, why, is_moment);
        rw->seen = one.seen;
        pol_rewrite_deinit(&one);
    }
}

/* ---- statements of their own ---- */

/* Never looser than what the session has; CONCURRENTLY waits without standing in anybody's
 * way, and must not end half-way. In a message of several statements SET LOCAL would do, but
 * not this comparison. */
static const char *
limited(const struct pol_rewrite *rw, const char *sql)
{
    bool is_quiet = strstr(sql, " CONCURRENTLY ") || strstr(sql, " CONCURRENTLY;");

    if (!rw->timeout_ms[POL_LOCK_TIMEOUT] || is_quiet)
        return sql;
    return arena_printf(rw->arena,
        "SELECT pg_catalog.set_config('lock_timeout', LEAST(NULLIF(setting::pg_catalog.int8, "
        "0), %lld)::pg_catalog.text, true) FROM pg_catalog.pg_settings WHERE name = "
        "'lock_timeout';\n%s",
        (long long)rw->timeout_ms[POL_LOCK_TIMEOUT], sql);
}

/* Is each of them one statement that changes the schema? */
static bool
are_whole(const struct pol_steps *steps, unsigned max_depth)
{
    for (size_t i = 0; i < steps->n; i++) {
        const char *sql = steps->items[i].sql;
        size_t len = strlen(sql);
        if (len > SQL_TREE_INLINE_BYTES)
            return false;
        AUTO(gate_text_unref)
        struct gate_text *t = gate_text_whole(NULL, NULL, sql, len, max_depth);
        if (t->tree->is_unparsable || t->scan.n != 1 || t->tree->facts[0].cls != DG_DDL)
            return false;
    }
    return true;
}

static void
put_steps(const struct pol_rewrite *rw, const struct pol_steps *from,
    const struct pol_step **to, size_t *n)
{
    for (size_t i = 0; i < from->n; i++) {
        from->items[i].sql = limited(rw, from->items[i].sql);
        if (from->items[i].undo)
            from->items[i].undo = limited(rw, from->items[i].undo);
    }
    *to = from->items;
    *n = from->n;
}

static const char *
all_sent(const struct pol_rewrite *rw, const struct gate_text *t)
{
    const char *before = pol_steps_text(rw->arena, &rw->before),
               *behind = pol_steps_text(rw->arena, &rw->behind);
    struct str own = str_trim((struct str){ t->sql, t->len });

    return arena_printf(rw->arena, "%s%s%.*s%s%s", before ? before : "",
        before ? "\n" : "", (int)own.n, own.p,
        !behind          ? ""
            : t->n_added ? "\n"
                         : separator(t),
        behind ? behind : "");
}

void
gate_rewrite(const struct pol *p, const struct gate_text *t,
    const struct gate_moment *at, unsigned max_depth, struct pol_findings *found,
    struct gate_rewrite *out)
{
    struct pol_rewrite rw;
    const char *why = NULL;

    *out = (struct gate_rewrite){ .text = NULL };
    if (found->action != DG_REWRITE)
        return;
    if (found->n >= POL_MAX_FINDINGS) {
        gate_rewrite_deny(p, found, 0, "there are too many findings in the text");
        return;
    }
    pol_rewrite_init(&rw, found->arena);
    rw.has_room = has_room(at) && t->scan.n == 1;
    rw.suffix = at->request_id;
    rw.may_be_alone = rw.has_room && at->tx_status == 'I' && !at->is_batch_begun;
    gather(p, t, at, false, found, &rw, out);
    if (!(rw.changes & SQL_CH_CONCURRENTLY) || !rw.needs_alone)
        gather(p, t, at, true, found, &rw, out);
    if (rw.edits.n || rw.after.n)
        out->text = edited(t, at, &rw, max_depth, &why);
    if (!why && rw.after.n && ((rw.changes & SQL_CH_CONCURRENTLY) || has_no_tx(t)))
        why = "CONCURRENTLY can't share a message with other statements";
    if (!why && !(are_whole(&rw.before, max_depth) && are_whole(&rw.behind, max_depth)))
        why = OTHERWISE;
    if (why) {
        ref_drop(out->text);
        *out = (struct gate_rewrite){ .text = NULL };
        gate_rewrite_deny(p, found, 0, why);
    } else if (rw.did) {
        out->did = rw.did;
        out->follow_up = rw.follow_up;
        out->remark = rw.remark;
        for (int i = 0; i < POL_N_TIMEOUTS; i++)
            out->timeout_ms[i] = rw.timeout_ms[i];
        out->retries = rw.retries;
        if (rw.before.n || rw.behind.n || rw.after.n)
            out->sent = all_sent(&rw, out->text ? out->text : t);
        put_steps(&rw, &rw.before, &out->before, &out->n_before);
        put_steps(&rw, &rw.behind, &out->behind, &out->n_behind);
    }
    pol_rewrite_deinit(&rw);
    settle(found);
}
