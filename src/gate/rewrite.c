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

/* NULL: nothing. */
static const char *
obstacle(const struct gate_text *t, const struct gate_moment *at,
    const struct pol_rewrite *rw)
{
    bool has_timeout = false;

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
        *why = "the edited text says something else than it was meant to";
        ref_drop(out);
        out = NULL;
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
    gather(p, t, at, false, found, &rw, out);
    if (!rw.needs_alone)
        gather(p, t, at, true, found, &rw, out);
    if (rw.edits.n)
        out->text = edited(t, at, &rw, max_depth, &why);
    if (why) {
        *out = (struct gate_rewrite){ .text = NULL };
        gate_rewrite_deny(p, found, 0, why);
    } else if (rw.did) {
        out->did = rw.did;
        out->follow_up = rw.follow_up;
        out->remark = rw.remark;
        for (int i = 0; i < POL_N_TIMEOUTS; i++)
            out->timeout_ms[i] = rw.timeout_ms[i];
        out->retries = rw.retries;
    }
    pol_rewrite_deinit(&rw);
    settle(found);
}
