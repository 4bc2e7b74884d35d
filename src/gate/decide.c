// SPDX-License-Identifier: ISC
/* The decision about one text: history of each fact, policy's findings, and those of the
 * migrations it belongs to. Pure: `check`, `explain` and the wire get the same answers. */
#include "gate/decide.h"

#include "base/mem.h"
#include "gate/rewrite.h"
#include "gate/unit.h"

#include <string.h>

static bool
is_same_path(const char *a, const char *b)
{
    struct str rest_a = str_of(a), rest_b = str_of(b), x, y;
    for (;;) {
        bool more = str_next_item(&rest_a, &x);
        if (str_next_item(&rest_b, &y) != more)
            return false;
        if (!more)
            return true;
        if (!str_eq(x, y))
            return false;
    }
}

/* The search_path as it will be when a statement of the text runs. */
struct path {
    const char *value; /* NULL: as the login left it */
    bool is_unknown;
    bool is_in_tx; /* the end of the transaction may bring back another one */
};

/* Equal digest means equal statement only under the source's search_path. */
static bool
path_agrees(const struct gate_context *ctx, const struct path *path)
{
    const char *wanted = ctx->target.source->set->conf.search_path;
    if (!wanted)
        return true;
    return !path->is_unknown && (!path->value || is_same_path(path->value, wanted));
}

static void
follow_path(
    const struct gate_context *ctx, struct path *path, const struct sql_facts *f)
{
    bool is_all = f->setting && strcmp(f->setting, "all") == 0;
    if (gate_tx_ends(f->tx) || f->tx == SQL_TX_ROLLBACK_TO) {
        path->is_unknown |= path->is_in_tx;
        return;
    }
    if (f->setting ? !is_all && strcmp(f->setting, "search_path") != 0
                   : !(f->flags & SQL_F_READING))
        return;
    path->value = is_all ? ctx->login_path : f->setting_value;
    path->is_unknown = !is_all && !path->value;
    path->is_in_tx = true;
}

static void
fill_matches(
    const struct gate_context *ctx, const struct gate_text *text, struct pol_history *h)
{
    const struct sql_tree *tree = text->tree;
    struct path path = { ctx->search_path, ctx->is_path_unknown, ctx->is_path_in_tx };
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        size_t root = gate_text_root(text, i);
        if (root != i) {
            h[i] = h[root];
        } else {
            h[i] = (struct pol_history){ .is_known = true, .view = ctx->view };
            if (ctx->target.source) {
                h[i].is_known = ctx->view != NULL;
                h[i].why = ctx->why_unknown;
            }
            if (ctx->target.source && ctx->view && path_agrees(ctx, &path))
                h[i].match = hist_match(
                    ctx->view, f, &text->scan.stmts[f->stmt].digest);
        }
        follow_path(ctx, &path, f);
    }
}

/* One more thing the transaction does: a statement of a migration, or a savepoint command. */
static void
advance(
    struct hist_tx *tx, const struct hist_match *m, enum sql_tx op, const char *name)
{
    if (op == SQL_TX_SAVEPOINT && name)
        hist_tx_savepoint(tx, name);
    else if (op == SQL_TX_RELEASE && name)
        hist_tx_release(tx, name);
    else if (op == SQL_TX_ROLLBACK_TO && name)
        hist_tx_rollback_to(tx, name);
    else if (gate_match_is_of_file(m))
        hist_tx_ran(tx, m);
}

/* The same of what earlier texts did. */
static void
replay(struct hist_tx *tx, const struct gate_ran *ran)
{
    struct hist_match m = ran->match;
    if (ran->recorded)
        hist_tx_recorded(tx, ran->recorded);
    if (ran->is_free && m.migration)
        m.kind = HIST_MATCH_REPEAT; /* has run, and needs no row */
    advance(tx, &m, ran->tx, ran->name);
}

/* --- the end of a transaction --- */

/* A transaction on its way through a text. */
struct course {
    const struct gate_context *ctx;
    struct hist_tx *tx;
    bool in_block, is_failed;
    bool is_first; /* no transaction has ended in this text */
    size_t
        last; /* statement of this text that ends it where nothing else does, if it holds
                    * a change; SIZE_MAX: none */
};

static struct hist_tx *
tx_before(const struct gate_context *ctx)
{
    struct hist_tx *tx = hist_tx_new(ctx->view);
    for (size_t i = 0; i < ctx->n_ran; i++)
        replay(tx, &ctx->ran[i]);
    return tx;
}

/* Had earlier texts begun what the end of the transaction finds undone? */
static bool
is_begun_before(const struct course *c)
{
    if (!c->is_first || c->ctx->n_ran == 0)
        return false;
    AUTO(hist_tx_free) struct hist_tx *tx = tx_before(c->ctx);
    return hist_tx_unrecorded(tx, NULL) != NULL;
}

/* Does the statement at i leave a migration half done when it commits? */
static void
ask_unrecorded(
    const struct course *c, struct pol_history *h, size_t i, struct arena *arena)
{
    struct err why = { "" };
    if (!c->ctx->runs || c->is_failed)
        return;
    h[i].unrecorded = hist_tx_unrecorded(c->tx, &why);
    if (!h[i].unrecorded)
        return;
    h[i].unrecorded_why = arena_strdup(arena, why.text);
    h[i].is_unrecorded_before = is_begun_before(c);
}

/* What the transaction holds was forgotten when its end went by, which the server then
 * skipped for an error before it. */
static void
doubt_end(
    const struct gate_context *ctx, const struct gate_text *text, struct pol_history *h)
{
    if (!ctx->runs || !ctx->is_tx_unsure || !ctx->target.source
        || !hist_is_same_tx(ctx->target.source->set))
        return;
    for (size_t i = 0; i < text->tree->n; i++) {
        enum sql_tx tx = text->tree->facts[i].tx;
        if (tx == SQL_TX_ROLLBACK)
            return;
        if (tx != SQL_TX_COMMIT && tx != SQL_TX_PREPARE)
            continue;
        h[i].unrecorded_why =
            "whether its migrations are complete can't be known: an earlier COMMIT or "
            "ROLLBACK of this transaction was skipped after an error";
        h[i].is_unrecorded_before = true;
        return;
    }
}

static void
course_begin(struct course *c)
{
    struct hist_tx *tx = hist_tx_new(c->ctx->view);
    hist_tx_free(c->tx);
    c->tx = tx;
    c->last = SIZE_MAX;
    c->is_first = c->is_failed = false;
}

static void
course_end_p(struct course *c)
{
    hist_tx_free(c->tx);
}

/* The transaction's state before fact i, a statement of its own. */
static void
course_step(struct course *c, const struct gate_text *text, struct pol_history *h,
    size_t i, struct arena *arena)
{
    const struct sql_facts *f = &text->tree->facts[i];
    if (gate_tx_ends(f->tx)) {
        if (f->tx != SQL_TX_ROLLBACK)
            ask_unrecorded(c, h, i, arena);
        course_begin(c);
        c->in_block = f->n_subs > 0; /* AND CHAIN */
    } else if (f->tx == SQL_TX_BEGIN) {
        c->in_block = true;
    } else if (f->tx == SQL_TX_ROLLBACK_TO) {
        c->is_failed = false;
    } else if (f->cls != DG_OTHER || (c->is_first && c->ctx->n_ran > 0)) {
        c->last = i;
    }
}

/* Does the row that fact i writes come to be, when its statement runs? What stands in a rule
 * or behind EXPLAIN or PREPARE is only spoken of. */
static bool
is_written(const struct gate_text *text, size_t i)
{
    const struct sql_facts *root = &text->tree->facts[gate_text_root(text, i)];
    return root == &text->tree->facts[i] || root->cls == DG_HISTORY
        || (root->cls == DG_OTHER && strcmp(root->tag, "SELECT") == 0);
}

bool
gate_text_is_copy(const struct gate_text *text)
{
    const struct sql_facts *f = text->tree->facts;
    return text->scan.n == 1 && text->tree->n == 1 && f->cls == DG_HISTORY && f->write
        && f->write->op == SQL_WRITE_COPY && f->write->copy;
}

bool
gate_writes_row(const struct gate_text *text, size_t i)
{
    const struct sql_facts *f = &text->tree->facts[i];
    return f->cls == DG_HISTORY && f->write && is_written(text, i);
}

/* Rollbacks run newest first. */
static void
block_rollback(const struct hist_tx *tx, const struct gate_text *text,
    struct pol_history *h, size_t i)
{
    size_t root = gate_text_root(text, i);

    if (root != i) {
        h[i].match = h[root].match;
    } else if (h[i].match.kind == HIST_MATCH_DOWN) {
        h[i].match.blocked_by = hist_tx_newer(tx, h[i].match.migration);
        if (h[i].match.blocked_by)
            h[i].match.kind = HIST_MATCH_DOWN_BLOCKED;
    }
}

/* The rows of a COPY: those of its data, if that is here and can be read. */
static enum hist_write_verdict
judge_copy(const struct course *c, const struct gate_text *text, struct pol_history *h,
    struct arena *arena, struct err *why)
{
    const struct gate_context *ctx = c->ctx;
    const struct sql_facts *f = &text->tree->facts[0];
    struct hist_copy rows;
    if (!ctx->copy_data.p)
        return (enum hist_write_verdict)err_set(why, HIST_WRITE_FORGED,
            "COPY of %s with more data than is looked into; load it in parts",
            f->write->table);
    if (hist_copy_rows(arena, f, ctx->copy_data, &rows, why) != 0)
        return HIST_WRITE_FORGED;
    if (!rows.facts)
        return HIST_WRITE_OK;
    enum hist_write_verdict v = hist_check_write(ctx->view, rows.facts, &h->match,
        rows.binds, rows.n_binds, c->tx, &h->write_migration, why);
    hist_tx_wrote(c->tx, rows.facts, &h->match, rows.binds, rows.n_binds);
    return v;
}

static void
judge_write(const struct course *c, const struct gate_text *text, struct pol_history *h,
    size_t i, struct arena *arena)
{
    const struct gate_context *ctx = c->ctx;
    const struct sql_facts *f = &text->tree->facts[i];
    struct err why = { "" };
    if (ctx->has_copy && gate_text_is_copy(text))
        h[i].write = judge_copy(c, text, &h[i], arena, &why);
    else
        h[i].write = hist_check_write(ctx->view, f, &h[i].match, ctx->binds,
            ctx->n_binds, c->tx, &h[i].write_migration, &why);
    bool comes_later = h[i].write == HIST_WRITE_NEEDS_BINDS
        && f->write->op == SQL_WRITE_COPY;
    if (comes_later && !gate_text_is_copy(text)) {
        h[i].write = HIST_WRITE_FORGED;
        err_set(&why, 0,
            "COPY of %s among other statements in one message, so that its rows can't be "
            "told from others; send it alone",
            f->write->table);
    }
    h[i].write_reason = arena_strdup(arena, why.text);
    if (gate_writes_row(text, i))
        hist_tx_wrote(c->tx, f, &h[i].match, ctx->binds, ctx->n_binds);
}

/* Judges the history writes of the text. What stands before a row in the same text, or was
 * sent before it in the same transaction, counts as run: if it fails, the server does not
 * come to the row either. */
static void
fill_writes(const struct gate_context *ctx, const struct gate_text *text,
    struct pol_history *h, struct arena *arena)
{
    const struct sql_tree *tree = text->tree;
    if (!ctx->view)
        return;
    AUTO(course_end)
    struct course c = { .ctx = ctx,
        .in_block = ctx->in_block,
        .is_failed = ctx->in_failed_block,
        .is_first = true,
        .last = SIZE_MAX };
    c.tx = tx_before(ctx);
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        if (f->parent < 0)
            course_step(&c, text, h, i, arena);
        block_rollback(c.tx, text, h, i);
        if (f->cls == DG_HISTORY && f->write)
            judge_write(&c, text, h, i, arena);
        if (f->parent < 0)
            advance(c.tx, &h[i].match, f->tx, f->tx_name);
    }
    if (ctx->is_query && !c.in_block && c.last != SIZE_MAX)
        ask_unrecorded(&c, h, c.last, arena);
}

static bool
is_announced(const struct gate_context *ctx, const struct hist_migration *m)
{
    for (size_t i = 0; i < ctx->n_ran; i++) {
        if (ctx->ran[i].match.migration == m)
            return true;
    }
    return false;
}

/* The judgement of a migration: that of the file alone, unless live facts matter to it. Then it
 * is made again with them at the migration's first statement, and stands for the session
 * until that comes again, so that a table which grows stops nothing half way. */
static const struct pol_findings *
unit_findings(const struct gate_context *ctx, const struct hist_migration *m,
    const struct hist_match *match, struct pol_findings *out)
{
    const struct pol_findings *loaded = gate_units_findings(
        ctx->target.units, m->index);
    const struct pol *policy = ctx->target.policy;

    if (!loaded->wants.n)
        return loaded;
    if (ctx->under_way && !gate_judged_begins(m, match)) {
        for (size_t i = 0; i < GATE_MAX_JUDGED; i++) {
            if (ctx->under_way[i] && gate_judged_is(ctx->under_way[i], m, policy))
                return &ctx->under_way[i]->findings;
        }
    }
    for (size_t i = 0; ctx->judged && i < ctx->judged->n; i++) {
        if (gate_judged_is(ctx->judged->items[i], m, policy))
            return &ctx->judged->items[i]->findings;
    }
    const struct pol_findings *found = loaded;
    if (ctx->live) {
        AUTO(gate_unit_deinit) struct gate_unit unit;
        gate_unit_init(&unit, ctx->target.source->set, ctx->target.source->attest, m);
        unit.text.live = ctx->live;
        unit.text.made = ctx->made;
        unit.text.own_pid = ctx->own_pid;
        found = gate_judged_add(
            ctx->judged, ctx->target.source->set, m, policy, &unit.text);
    }
    for (size_t i = 0; i < found->wants.n; i++)
        pol_wants_add(&out->wants, &found->wants.items[i]);
    return found;
}

/* A finding of the file as one about the fact that runs. */
static const struct pol_finding *
from_unit(const struct hist_migration *m, struct pol_finding *f, size_t fact,
    struct arena *arena)
{
    const struct sql_facts *at = &m->tree->facts[f->fact];
    const struct sql_stmt *stmt = &m->scan.stmts[at->stmt];
    const char *file = hist_shown_file(m, stmt->start, arena);
    f->message = stmt->line
        ? arena_printf(arena, "%s:%d: %s", file, stmt->line, f->message)
        : arena_printf(arena, "%s: %s", file, f->message);
    f->fact = fact;
    f->pos = -1;
    return f;
}

/* The findings of a migration judged whole, at its first statement. Refusing ones always
 * count, so that nothing of a rejected migration ever runs. */
static void
add_unit(const struct gate_context *ctx, const struct hist_migration *m,
    const struct hist_match *match, size_t fact, struct pol_findings *out)
{
    const struct pol_findings *unit = unit_findings(ctx, m, match, out);
    bool first = !is_announced(ctx, m);
    for (size_t i = 0; i < unit->n; i++) {
        struct pol_finding f = unit->items[i];
        bool is_rewrite = f.action == DG_REWRITE && !f.is_observed;
        if (f.action < DG_HOLD && !first && !is_rewrite)
            continue;
        if (is_rewrite && pol_rewrites_migrated(ctx->target.policy))
            continue; /* add_rewrites */
        pol_findings_add(out, from_unit(m, &f, fact, out->arena));
        if (is_rewrite)
            gate_rewrite_deny(ctx->target.policy, out, out->n - 1,
                "what runs should be what was reviewed; write the safe form into the file, "
                "or set rewrite_migrated = yes in [policy]");
    }
}

/* Where the action that a finding of the file speaks of stands in the statement as it runs;
 * -1: it speaks of all of it. */
static int
place_of_action(const struct sql_facts *there, int pos, const struct sql_facts *here)
{
    for (size_t i = 0; pos >= 0 && i < there->n_subs && i < here->n_subs; i++) {
        const struct sql_sub *sub = &there->subs[i];
        if (sub->pos == pos || (sub->constraint && sub->constraint->pos == pos))
            return here->subs[i].pos;
    }
    return -1;
}

/* With rewrite_migrated: what the file's own statement asks for, at that statement. A
 * timeout is asked for once in a file, and holds for each statement of it. */
static void
add_rewrites(const struct gate_context *ctx, const struct gate_text *text,
    const struct hist_match *at, size_t fact, struct pol_findings *out)
{
    const struct hist_migration *m = at->migration;
    const struct pol_findings *unit = unit_findings(ctx, m, at, out);
    for (size_t i = 0; i < unit->n; i++) {
        struct pol_finding f = unit->items[i];
        bool is_here = m->tree->facts[f.fact].stmt == at->stmt;
        if (f.action != DG_REWRITE || !(is_here || pol_rewrite_is_timeout(f.rule)))
            continue;
        int pos = place_of_action(
            &m->tree->facts[f.fact], f.pos, &text->tree->facts[fact]);
        from_unit(m, &f, fact, out->arena);
        f.pos = pos;
        pol_findings_add(out, &f);
    }
}

static void
add_units(const struct gate_context *ctx, const struct gate_text *text,
    const struct pol_history *h, struct pol_findings *out)
{
    const struct hist_migration *last = NULL;
    if (!ctx->view || !ctx->target.units || out->checks_off)
        return;
    for (size_t i = 0; i < text->tree->n; i++) {
        const struct hist_migration *m = h[i].match.kind == HIST_MATCH_PENDING
                || h[i].match.kind == HIST_MATCH_OUT_OF_ORDER
                || h[i].match.kind == HIST_MATCH_DOWN
            ? h[i].match.migration
            : h[i].write_migration;
        if (h[i].match.migration == m && m && text->tree->facts[i].parent < 0
            && (text->tree->facts[i].cls & (DG_DDL | DG_CODE | DG_DCL | DG_MAINTENANCE))
            && pol_rewrites_migrated(ctx->target.policy))
            add_rewrites(ctx, text, &h[i].match, i, out);
        /* An applied migration was judged when it ran. */
        if (!m || m == last
            || (!m->is_down && hist_view_state(ctx->view, m->index) == DG_MIG_APPLIED))
            continue;
        last = m;
        add_unit(ctx, m, &h[i].match, i, out);
    }
}

void
gate_decide(const struct gate_context *ctx, const struct pol_session *session,
    const struct gate_text *text, struct pol_history *histories,
    struct pol_findings *out)
{
    fill_matches(ctx, text, histories);
    fill_writes(ctx, text, histories, out->arena);
    doubt_end(ctx, text, histories);
    gate_decide_known(ctx, session, text, histories, out);
}

void
gate_decide_known(const struct gate_context *ctx, const struct pol_session *session,
    const struct gate_text *text, const struct pol_history *histories,
    struct pol_findings *out)
{
    const struct sql_tree *tree = text->tree;
    char next[256] = "";
    for (size_t i = 0; i < tree->n && ctx->target.source && !next[0]; i++) {
        bool needs_history;
        if (pol_is_tracked(ctx->target.policy, &tree->facts[i], &needs_history)
            && needs_history)
            hist_next_file(
                ctx->target.source->set, &tree->facts[i], next, sizeof(next));
    }
    struct pol_text t = {
        .text = text->sql,
        .len = text->len,
        .std_strings = text->std_strings,
        .scan = &text->scan,
        .tree = tree,
        .history = histories,
        .next_file = next[0] ? next : NULL,
        .live = ctx->live,
        .made = ctx->made,
        .own_pid = ctx->own_pid,
    };
    pol_judge_text(ctx->target.policy, session, &t, out);
    add_units(ctx, text, histories, out);
}
