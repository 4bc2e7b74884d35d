// SPDX-License-Identifier: ISC
/* idle-after-ddl, the one rule about time: a change has locked a table that others use, its
 * transaction is open, and the client sends nothing. While a text is judged it is noted which
 * of its statements take such a lock; the session has the clock (session/idle.c) and asks
 * what to do when the time is over. */
#include "policy/flow.h"
#include "policy/rules.h"
#include "policy/safe.h"
#include "policy/unit.h"

#include "ddlgate/sqlstate.h"

#include <string.h>

/* ---- which statements ---- */

static void
note(struct pol_run *r)
{
    struct pol_findings *out = r->out;

    if (out->n_locking && out->locking[out->n_locking - 1] == r->fact)
        return;
    MEM_GROW(out->locking, out->n_locking, out->cap_locking);
    out->locking[out->n_locking++] = r->fact;
}

/* What a foreign key of a new table refers to. */
static void
note_reference(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    const struct sql_object other = { .kind = SQL_O_TABLE,
        .schema = c->ref_schema,
        .name = c->ref_table ? c->ref_table : "",
        .pos = -1 };

    (void)f, (void)s, (void)column;
    if (c->kind == SQL_C_FOREIGN && *other.name && strcmp(other.name, o->name) != 0
        && !pol_is_own(r, &other))
        note(r);
}

/* Not one of a table, but somebody will want it all the same. */
static bool
locks_otherwise(const struct pol_run *r, const struct sql_facts *f)
{
    static const char *const whole[] = { "DROP SCHEMA", "DROP EXTENSION",
        "DROP OWNED" };
    static const char *const views[] = { "DROP VIEW", "ALTER VIEW" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(whole); i++) {
        if (strcmp(f->tag, whole[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < DG_ARRAY_SIZE(views); i++) {
        if (strcmp(f->tag, views[i]) == 0)
            return f->n_objects > 0 && !pol_is_own(r, &f->objects[0]);
    }
    return false;
}

/* DROP INDEX names no table. */
static bool
is_of_own(
    const struct pol_run *r, const struct sql_facts *f, const struct sql_object *table)
{
    if (strcmp(f->tag, "DROP INDEX") == 0)
        return pol_unit_is_new_index(r->unit, f->objects[0].name);
    return table && pol_is_own(r, table);
}

void
pol_idle_note(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *table;

    r->check = POL_C_IDLE;
    if (r->pol->checks[POL_C_IDLE].action == DG_ALLOW
        || (r->granted && r->granted->checks_off)
        || pol_is_stored(r->text->tree, r->fact))
        return;
    enum pol_lock lock = pol_lock_of(f, &table);
    if (lock >= POL_LOCK_SHARE && !is_of_own(r, f, table))
        note(r);
    else if (locks_otherwise(r, f))
        note(r);
    else if (strcmp(f->tag, "CREATE TABLE") == 0)
        pol_each_constraint(r, f, note_reference);
}

/* ---- when the time is over ---- */

int64_t
pol_idle_after_ms(const struct pol *p)
{
    const struct pol_check_conf *c = &p->checks[POL_C_IDLE];

    return c->action == DG_ALLOW ? 0 : c->params[POL_P_AFTER].number;
}

/* "0.6", "90" */
static const char *
seconds(struct arena *a, int64_t ms)
{
    long long tenths = (long long)(ms + 50) / 100;

    if (tenths >= 100 || tenths % 10 == 0)
        return arena_printf(a, "%lld", tenths / 10);
    return arena_printf(a, "%lld.%lld", tenths / 10, tenths % 10);
}

void
pol_idle_judge(
    const struct pol *p, const char *what, int64_t idle_ms, struct pol_findings *out)
{
    const struct pol_check_conf *c = &p->checks[POL_C_IDLE];
    struct arena *a = out->arena;
    struct pol_finding f = {
        .action = c->action,
        .is_observed = p->is_observed || c->is_observed,
        .rule = pol_check_row(POL_C_IDLE)->info.id,
        .message = c->message,
        .hint = c->hint,
        .origin_file = arena_strdup(a, c->origin.file),
        .origin_line = c->origin.line,
        .pos = -1,
        .sqlstate = c->action >= DG_HOLD ? DG_SQLSTATE_IDLE : DG_SQLSTATE_WARNING,
    };

    if (c->action == DG_ALLOW)
        return;
    if (!f.message)
        f.message = arena_printf(a, "%s is not committed, and nothing came for %s s",
            what, seconds(a, idle_ms));
    f.message = pol_line(a, f.message);
    f.detail = arena_printf(a,
        "Its locks stay until the transaction ends: who needs the table waits, and whoever "
        "comes later waits behind him.%s%s",
        c->reason ? " Reason: " : "", c->reason ? c->reason : "");
    if (!f.hint)
        f.hint =
            "COMMIT or ROLLBACK right behind the change, and do everything else before "
            "BEGIN; SET idle_in_transaction_session_timeout lets the server watch, too.";
    pol_findings_add(out, &f);
}
