// SPDX-License-Identifier: ISC
/* Findings: the list, and how a check's or a section's report becomes one. */
#include "policy/rules.h"

#include "policy/allows.h"
#include "policy/ask.h"

#include "ddlgate/sqlstate.h"

#include <stdlib.h>
#include <string.h>

void
pol_findings_init(struct pol_findings *f)
{
    *f = (struct pol_findings){ .arena = arena_new() };
    f->wants.arena = f->arena;
}

void
pol_findings_deinit(struct pol_findings *f)
{
    mem_free(f->items);
    mem_free(f->locking);
    pol_wants_deinit(&f->wants);
    if (f->arena)
        arena_free(f->arena);
    *f = (struct pol_findings){ 0 };
}

void
pol_findings_add(struct pol_findings *f, const struct pol_finding *item)
{
    if (!item->is_observed && item->action > f->action)
        f->action = item->action;
    else if (f->n >= POL_MAX_FINDINGS)
        return;
    if ((f->n & (f->n - 1)) == 0) /* full at each power of two */
        f->items = mem_realloc(f->items, (f->n ? 2 * f->n : 1) * sizeof(*f->items));
    f->items[f->n++] = *item;
}

const struct pol_finding *
pol_findings_lead(const struct pol_findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (!f->items[i].is_observed && f->items[i].action == f->action)
            return &f->items[i];
    }
    return NULL;
}

/* ---- from reports ---- */

static const char *
sqlstate_of(enum dg_action action, const char *of_reject)
{
    switch (action) {
    case DG_ALLOW:
    case DG_NOTE:
    case DG_WARN:
    case DG_REWRITE:
        return DG_SQLSTATE_WARNING;
    case DG_HOLD:
        return DG_SQLSTATE_NOT_NOW;
    case DG_REJECT:
        return of_reject ? of_reject : DG_SQLSTATE_REFUSED;
    }
    DG_ASSERT(false, "no action %d", (int)action);
    return NULL;
}

/* hint's end for what a person would have to approve. */
static const char *
hold_hint(struct arena *a, const char *hint, const char *what)
{
    return arena_printf(a,
        "%s%sThis version has no approvals: have the DBA team run it, or let policy pass "
        "it with %s.",
        hint ? hint : "", hint ? " " : "", what);
}

static const struct sql_object *
copy_object(struct arena *a, const struct sql_object *o)
{
    struct sql_object *copy = arena_alloc(a, sizeof(*copy));
    *copy = *o;
    copy->schema = arena_strdup(a, o->schema);
    copy->name = arena_strdup(a, o->name);
    copy->on = arena_strdup(a, o->on);
    copy->on_schema = arena_strdup(a, o->on_schema);
    return copy;
}

static void
finish(
    struct pol_run *r, struct pol_finding *f, const char *reason, const char *way_out)
{
    struct arena *a = pol_arena(r);
    const struct sql_facts *fact = pol_fact(r);

    f->fact = r->fact;
    if (f->pos < 0)
        f->pos = fact->pos;
    if (!f->object && fact->n_objects)
        f->object = &fact->objects[0];
    if (f->object)
        f->object = copy_object(a, f->object);
    f->column = arena_strdup(a, f->column);
    f->is_observed |= r->pol->is_observed;
    if (f->action == DG_HOLD) {
        f->message = arena_printf(a, "needs approval: %s", f->message);
        f->hint = hold_hint(a, f->hint, way_out);
    }
    f->message = pol_line(a, f->message);
    f->detail = arena_strdup(a, f->detail);
    f->hint = arena_strdup(a, f->hint);
    if (reason)
        f->detail = f->detail ? arena_printf(a, "%s Reason: %s", f->detail, reason)
                              : arena_printf(a, "Reason: %s", reason);
    pol_findings_add(r->out, f);
}

/* The action of the running check for this fact, and the line that sets it. */
static enum dg_action
effective(const struct pol_run *r, struct pol_origin *origin)
{
    const struct pol_check_conf *c = &r->pol->checks[r->check];
    const struct pol_access *g = r->granted;
    int own = POL_UNSET;

    *origin = c->origin;
    if (!g)
        return c->action;
    if (r->check == POL_C_FIRST)
        own = g->unmigrated;
    else if (r->check == POL_C_UNPARSABLE)
        own = g->unparsable;
    else if (g->checks_off)
        own = DG_ALLOW;
    if (own == POL_UNSET)
        return c->action;
    *origin = g->origin;
    return (enum dg_action)own;
}

static bool
is_full(const struct pol_findings *f, enum dg_action action, bool is_observed)
{
    return f->n >= POL_MAX_FINDINGS && (is_observed || action <= f->action);
}

bool
pol_is_worth(const struct pol_run *r)
{
    struct pol_origin origin;
    enum dg_action action = effective(r, &origin);
    bool is_observed = r->pol->is_observed || r->pol->checks[r->check].is_observed;
    return action > DG_ALLOW && !is_full(r->out, action, is_observed);
}

/* Is the finding about an object that `except` names? */
static bool
is_excepted(const struct pol_run *r, const struct sql_object *o)
{
    const struct sql_facts *f = pol_fact(r);

    if (!r->pol->checks[r->check].except.n)
        return false;
    if (!o && f->n_objects)
        o = &f->objects[0];
    return o && pol_excepted(r, o);
}

static void
append(struct arena *a, struct pol_finding *f, const char *text)
{
    f->detail = f->detail ? arena_printf(a, "%s %s", f->detail, text) : text;
}

static void
lower(struct pol_finding *f, enum dg_action at_most)
{
    if (f->action > at_most) {
        f->action = at_most;
        f->sqlstate = DG_SQLSTATE_WARNING;
    }
    f->is_excepted = true;
}

/* In the message, too, which is all that some reports show. */
static void
tell_reason(struct arena *a, struct pol_finding *f, const char *reason)
{
    f->message = arena_printf(a, "%s (excepted: %s)", f->message, reason);
    append(a, f, arena_printf(a, "Excepted in the file: %s.", reason));
}

/* What the file's comments say about this finding. */
static void
apply_allow(struct pol_run *r, struct pol_finding *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_allow *x = r->allows
        ? pol_allows_find(r->allows, r->check, pol_fact(r)->stmt)
        : NULL;

    if (!x || !x->reason)
        return;
    switch (r->pol->exceptions) {
    case POL_EXC_DENY:
        append(a, f,
            arena_printf(a,
                "The file asks for an exception (%s); this policy grants none.",
                x->reason));
        break;
    case POL_EXC_AUDIT:
        lower(f, DG_WARN);
        tell_reason(a, f, x->reason);
        break;
    case POL_EXC_ALLOW:
        lower(f, DG_NOTE);
        tell_reason(a, f, x->reason);
        break;
    }
}

static void
apply_baseline(struct pol_run *r, struct pol_finding *f)
{
    struct arena *a = pol_arena(r);

    if (!r->pol->baseline || r->session
        || !map_get(r->pol->baseline, str_of(pol_baseline_line(a, r->text, f))))
        return;
    lower(f, DG_NOTE);
    append(a, f, "Known since the baseline of this policy.");
}

/* The table's real size, in the message, too, if that has room. */
static void
tell_size(struct pol_run *r, struct pol_finding *f, const struct pol_live_relation *rel)
{
    const struct pol_check_conf *c = &r->pol->checks[r->check];
    struct arena *a = pol_arena(r);
    const char *size = pol_live_size_words(a, rel);

    if (!c->message && (rel->bytes || rel->is_size_known)
        && strlen(f->message) + strlen(size) + 3 <= POL_MAX_MESSAGE)
        f->message = arena_printf(a, "%s (%s)", f->message, size);
    append(a, f, pol_live_words(r, rel));
}

/* A size that nobody knows exempts nothing. */
static void
tell_no_size(struct pol_run *r, struct pol_finding *f, enum pol_live_state state)
{
    const struct pol_value *min = pol_param(r, POL_P_MIN_TABLE_SIZE);
    const struct pol_live *live = r->text->live;
    struct arena *a = pol_arena(r);

    if (!min->is_written)
        return;
    f->needs_live = state == POL_LIVE_NOBODY;
    append(a, f,
        arena_printf(a,
            "The table's size is not known here%s%s, so min_table_size = %s exempts "
            "nothing.",
            live && live->why ? ": " : "", live && live->why ? live->why : "",
            min->text));
}

/* What the size of the table does to the finding; false: it is exempt. */
static bool
apply_size(struct pol_run *r, struct pol_finding *f)
{
    const struct pol_value *min = pol_param(r, POL_P_MIN_TABLE_SIZE);
    const struct sql_object *o = f->object;
    const struct pol_live_relation *rel;
    enum pol_live_state state;

    if (!pol_params_have(pol_check_row(r->check)->info.params, "min_table_size"))
        return true;
    if (pol_check_row(r->check)->when == POL_ON_LIVE)
        return true; /* it has looked at the size itself */
    if (!o && pol_fact(r)->n_objects)
        o = &pol_fact(r)->objects[0];
    if (!o || !pol_ask_table(r, o, &state, &rel)) {
        tell_no_size(r, f, POL_LIVE_ABSENT);
        return true;
    }
    if (state != POL_LIVE_FOUND) {
        if (state == POL_LIVE_UNKNOWN && min->text && pol_is_loose(r))
            return false;
        tell_no_size(r, f, state);
        return true;
    }
    if (min->text && rel->is_size_known && rel->bytes < min->number)
        return false;
    tell_size(r, f, rel);
    return true;
}

static void
apply_no_safe_form(struct pol_run *r, struct pol_finding *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_facts *fact = pol_fact(r);
    const struct sql_object *o = f->object ? f->object
        : fact->n_objects                  ? &fact->objects[0]
                                           : NULL;
    const char *hint = f->hint;
    const struct pol_live_relation *steps_of = NULL;

    f->no_rewrite = pol_no_safe_form(r, o, &hint, &steps_of);
    if (!f->no_rewrite)
        return;
    if (steps_of)
        f->relation = pol_live_outline(a, steps_of);
    append(a, f, arena_printf(a, "But %s.", f->no_rewrite));
    if (!r->pol->checks[r->check].hint)
        f->hint = hint;
}

void
pol_report(struct pol_run *r, const struct pol_report *report)
{
    const struct pol_check_conf *c = &r->pol->checks[r->check];
    const char *id = pol_check_row(r->check)->info.id;
    struct pol_origin origin;
    enum dg_action action = effective(r, &origin);

    if (report->is_limited && action > report->at_most)
        action = report->at_most;
    if (action == DG_ALLOW || is_excepted(r, report->object))
        return;
    struct pol_finding f = {
        .action = action,
        .is_observed = c->is_observed,
        .rule = id,
        .message = c->message ? c->message : report->message,
        .detail = report->detail,
        .hint = c->hint ? c->hint : report->hint,
        .wanted = report->wanted,
        .relation = pol_live_outline(pol_arena(r), report->relation),
        .origin_file = arena_strdup(pol_arena(r), origin.file),
        .origin_line = origin.line,
        .object = report->object,
        .column = report->column,
        .pos = report->at - 1,
        .sqlstate = sqlstate_of(action, report->sqlstate),
        .is_captured = report->is_captured,
    };
    f.fact = r->fact;
    if (!apply_size(r, &f))
        return;
    apply_no_safe_form(r, &f);
    if (!f.no_rewrite)
        f.no_rewrite = report->no_rewrite;
    apply_allow(r, &f);
    apply_baseline(r, &f);
    finish(r, &f, c->reason,
        arena_printf(
            pol_arena(r), "an [access] section or [check %s] action = warn", id));
}

void
pol_report_access(struct pol_run *r, const struct pol_access *access)
{
    struct arena *a = pol_arena(r);
    const char *role = r->session->role;
    const char *message = access->message;

    if (is_full(r->out, (enum dg_action)access->action,
            access->is_observed || r->pol->is_observed))
        return;

    if (!message && access->action == DG_ALLOW)
        message = "allowed";
    if (!message && role)
        message = arena_printf(a, "role %.63s may not run it here", role);
    if (!message)
        message = "policy does not let this session run it";
    struct pol_finding f = {
        .action = (enum dg_action)access->action,
        .is_observed = access->is_observed,
        .rule = arena_strdup(a, access->name),
        .message = message,
        .hint = access->hint,
        .origin_file = arena_strdup(a, access->origin.file),
        .origin_line = access->origin.line,
        .pos = -1,
        .sqlstate = sqlstate_of((enum dg_action)access->action, NULL),
    };
    finish(r, &f, access->reason, "an [access] section above this one");
}
