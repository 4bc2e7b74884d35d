// SPDX-License-Identifier: ISC
/* The order of questions: temporary objects, access, then every check. */
#include "policy/rules.h"

#include "policy/allows.h"
#include "policy/flow.h"
#include "policy/shape.h"
#include "policy/unit.h"

#include <string.h>

#define POL_CHECK(                                                                    \
    symbol, id, group, dev, stg, prod, scope, when, function, params, summary)        \
    [POL_C_##symbol] = { { id, group, summary, DG_##dev, DG_##stg, DG_##prod, params, \
                             POL_IS_STANDARD_##scope, POL_WORD_##when },              \
        POL_RUNS_##scope, POL_ON_##when, function },
#define POL_IS_STANDARD_SAFETY   false
#define POL_IS_STANDARD_STANDARD true
#define POL_WORD_STATIC          "static"
#define POL_WORD_FILE            "file"
#define POL_WORD_END             "end"
#define POL_WORD_HISTORY         "history"
#define POL_WORD_LIVE            "live"
#define POL_WORD_ALWAYS          "always"
#define POL_WORD_SESSION         "session"
#define POL_WORD_EXEMPT          "exempt"
#define POL_RUNS_SAFETY          POL_SAFETY
#define POL_RUNS_STANDARD        POL_ALL
static const struct pol_check_row rows[] = {
#include "ddlgate/tbl/checks.h"
};

#define POL_LEFT_OUT(id, group, dev, stg, prod, needs, why) \
    { id, group, DG_##dev, DG_##stg, DG_##prod, #needs, why },
static const struct pol_left_out left_out[] = {
#include "ddlgate/tbl/checks.h"
};

const struct pol_check_row *
pol_check_row(enum pol_check check)
{
    return &rows[check];
}

bool
pol_check_find(struct str id, enum pol_check *out)
{
    for (size_t i = 0; i < POL_N_CHECKS; i++) {
        if (str_eqz(id, rows[i].info.id)) {
            *out = (enum pol_check)i;
            return true;
        }
    }
    return false;
}

size_t
pol_n_checks(void)
{
    return POL_N_CHECKS;
}

const struct pol_check_info *
pol_check_info(size_t i)
{
    DG_ASSERT(i < POL_N_CHECKS, "there are %d checks", POL_N_CHECKS);
    return &rows[i].info;
}

const struct pol_check_info *
pol_check_info_of(const char *id)
{
    enum pol_check check;

    return pol_check_find(str_of(id), &check) ? pol_check_info(check) : NULL;
}

size_t
pol_n_left_out(void)
{
    return DG_ARRAY_SIZE(left_out);
}

const struct pol_left_out *
pol_left_out(size_t i)
{
    DG_ASSERT(i < DG_ARRAY_SIZE(left_out), "not so many rules are left out");
    return &left_out[i];
}

bool
pol_param_has(const struct pol_run *r, enum pol_param_key key, const char *name)
{
    const struct pol_value *v = pol_param(r, key);

    for (size_t i = 0; name && i < v->n_words; i++) {
        if (str_glob(v->words[i], name))
            return true;
    }
    return false;
}

bool
pol_excepted(const struct pol_run *r, const struct sql_object *o)
{
    return pol_is_excepted(&r->pol->checks[r->check].except, o, &r->path);
}

const struct sql_object *
pol_table_of(const struct sql_facts *f)
{
    if (!f->n_objects)
        return NULL;
    const struct sql_object *o = &f->objects[0];
    return o->kind == SQL_O_TABLE || o->kind == SQL_O_FOREIGN_TABLE
            || o->kind == SQL_O_VIEW || o->kind == SQL_O_MATVIEW
        ? o
        : NULL;
}

/* Statements of a migration were judged with it as a whole; the tool's own are its
 * business. */
static bool
was_judged(const struct pol_history *h)
{
    return h && h->is_known && hist_match_is_migrated(&h->match);
}

/* On the wire a statement that changes neither the schema nor the server is none of the
 * checks' business. */
static bool
is_change(const struct pol_run *r, const struct sql_facts *f)
{
    if (f->cls == DG_OTHER)
        return false;
    return f->cls != DG_MAINTENANCE || (r->pol->migrate & DG_MAINTENANCE);
}

static bool
runs(const struct pol_run *r, const struct sql_facts *f, enum pol_when_runs when,
    bool is_judged)
{
    switch (when) {
    case POL_ON_STATIC:
    case POL_ON_LIVE:
        return !is_judged && (!r->session || is_change(r, f));
    case POL_ON_FILE:
        return !r->session;
    case POL_ON_HISTORY:
        return r->session || r->check == POL_C_IMMUTABLE;
    case POL_ON_ALWAYS:
        return true;
    case POL_ON_END:
    case POL_ON_SESSION:
    case POL_ON_EXEMPT:
        break;
    }
    return false;
}

static void
run_checks(struct pol_run *r, const struct sql_facts *f)
{
    bool is_judged = r->session && was_judged(pol_fact_history(r));

    for (size_t i = 0; i < POL_N_CHECKS; i++) {
        r->check = (enum pol_check)i;
        if (runs(r, f, rows[i].when, is_judged) && pol_is_worth(r))
            rows[i].fn(r, f);
    }
}

/* The file as a whole, after its last statement. */
static void
run_end(struct pol_run *r)
{
    r->fact = 0;
    r->granted = NULL;
    for (size_t i = 0; i < POL_N_CHECKS && r->text->tree->n; i++) {
        r->check = (enum pol_check)i;
        r->fact = 0;
        if (rows[i].when == POL_ON_END && pol_is_worth(r))
            rows[i].fn(r, &r->text->tree->facts[0]);
    }
}

static void
judge_temp(struct pol_run *r)
{
    r->check = POL_C_TEMP;
    pol_report(r,
        POL_REPORT(.message = "it makes a temporary object",
            .hint =
                "This policy sets `temporary`; use a table of a migration instead."));
}

static void
run_new(struct pol_run *r, const struct pol *p, const struct pol_text *t,
    struct pol_findings *out)
{
    *r = (struct pol_run){ .pol = p, .text = t, .out = out };
    r->unit = pol_unit_new(t);
    r->shapes = pol_shapes_new(t);
    r->reported = mem_array(p->n_accesses + 1, sizeof(*r->reported));
}

static void
run_deinit_p(struct pol_run *r)
{
    pol_unit_free(r->unit);
    pol_shapes_free(r->shapes);
    pol_flow_free(r->flow);
    mem_free(r->reported);
}

/* What a statement leaves of the search_path that the session was known to have. The end of
 * a transaction or a savepoint may bring back an older one. */
static void
follow_path(struct pol_run *r, const struct sql_facts *f)
{
    bool is_other_setting = f->setting && strcmp(f->setting, "search_path") != 0
        && strcmp(f->setting, "all") != 0;

    if (((f->flags & SQL_F_READING) && !is_other_setting) || f->tx == SQL_TX_ROLLBACK
        || f->tx == SQL_TX_ROLLBACK_TO || f->tx == SQL_TX_COMMIT
        || f->tx == SQL_TX_PREPARE)
        r->path.is_known = false;
    if ((f->flags & SQL_F_READING) && !is_other_setting)
        r->is_path_moved = true;
    else if (f->tx != SQL_TX_NONE && r->session && r->session->search_path)
        r->is_path_moved |= !r->path.is_known;
}

/* Is the table that it locks one of this text? */
static bool
speaks_of_new(const struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *table;
    enum pol_lock lock = pol_lock_of(f, &table);

    return lock == POL_LOCK_NONE || !table || table->is_created
        || pol_unit_is_new(r->unit, table->schema, table->name, true);
}

static void
count_free(struct pol_run *r)
{
    const struct pol_access *g = r->granted;
    bool is_free = g && (g->checks_off || g->unmigrated == DG_ALLOW);

    r->n_free += is_free;
    r->n_bound += !is_free;
}

/* On the wire, of what changes nothing only that it may end a transaction is looked at. */
static void
run_plain(struct pol_run *r, const struct sql_facts *f)
{
    r->check = POL_C_COMPLETE;
    if (pol_is_worth(r))
        pol_check_complete(r, f);
}

static void
run_facts(struct pol_run *r)
{
    const struct sql_tree *tree = r->text->tree;
    size_t n = 0, n_off = 0;

    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        r->fact = i;
        r->granted = NULL;
        if (f->cls != DG_OTHER && pol_is_temp(f)) {
            judge_temp(r);
            if (r->session)
                run_plain(r, f);
        } else if (f->cls != DG_OTHER) {
            if (r->session)
                pol_access_judge(r);
            count_free(r);
            run_checks(r, f);
            if (r->session && is_change(r, f))
                pol_idle_note(r, f);
            n++;
            n_off += r->granted && r->granted->checks_off;
        } else if (r->session) {
            run_plain(r, f);
        } else {
            if (f->error && f->parent < 0)
                pol_report_unread(r, f);
            run_checks(r, f);
        }
        follow_path(r, f);
        pol_flow_take(r->flow, i, speaks_of_new(r, f));
        pol_unit_apply(r->unit, i);
    }
    r->out->checks_off = n > 0 && n == n_off;
    r->out->is_free = r->n_free > 0 && r->n_bound == 0;
}

void
pol_judge_text(const struct pol *p, const struct pol_session *s,
    const struct pol_text *t, struct pol_findings *out)
{
    AUTO(run_deinit) struct pol_run r;
    run_new(&r, p, t, out);
    r.session = s;
    r.flow = pol_flow_new(p, t, false);
    pol_path_parse(out->arena, s->search_path, s->role, &r.path);
    run_facts(&r);
}

void
pol_judge_unit(const struct pol *p, const struct pol_text *t, struct pol_findings *out)
{
    AUTO(run_deinit) struct pol_run r;
    run_new(&r, p, t, out);
    r.flow = pol_flow_new(p, t, true);
    r.allows = pol_allows_read(out->arena, t);
    run_facts(&r);
    run_end(&r);
}

bool
pol_is_tracked(const struct pol *p, const struct sql_facts *f, bool *needs_history)
{
    bool is_temp = pol_is_temp(f);
    *needs_history = !is_temp && (f->cls & (p->migrate | DG_HISTORY));
    if (is_temp)
        return p->checks[POL_C_TEMP].action > DG_ALLOW;
    return f->cls != DG_OTHER;
}
