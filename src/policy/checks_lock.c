// SPDX-License-Identifier: ISC
/* Checks of group locking: statements whose lock is stronger, or on more tables, than they
 * look; and the timeouts that keep a lock's queue short. */
#include "policy/ask.h"

#include "policy/safe.h"

#include <string.h>

/* ---- create-trigger ---- */

static const char *
trigger_action(const struct sql_facts *f)
{
    if (pol_tag(f, "CREATE TRIGGER"))
        return "made";
    for (size_t i = 0; i < f->n_subs; i++) {
        const char *name = f->subs[i].name;
        if (str_prefix(name, "ENABLE ") && strstr(name, "TRIGGER"))
            return "enabled";
        if (str_prefix(name, "DISABLE TRIGGER"))
            return "disabled";
    }
    return NULL;
}

void
pol_check_create_trigger(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const char *what = f->n_objects && f->cls != DG_OTHER ? trigger_action(f) : NULL;

    if (!what || pol_stored(r) || pol_tag(f, "ALTER EVENT TRIGGER"))
        return;
    const struct sql_object *o = &f->objects[0];
    const struct sql_object table = o->on ? pol_table_on(o) : *o;
    if (pol_is_own(r, &table))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "writes to %s wait from the trigger's change until the commit",
                       pol_name(r, &table)),
            .detail = arena_printf(a,
                "A trigger is %s under SHARE ROW EXCLUSIVE, and every later write of the "
                "table pays for it.",
                what),
            .hint = "SET lock_timeout = '2s' before it, and COMMIT soon after it.",
            .object = o));
}

/* ---- drop-fk-locks-parent ---- */

/* By what the server says, else by its name. */
static bool
is_foreign_key(struct pol_run *r, const struct sql_object *o, const char *name)
{
    const struct pol_live_relation *rel;
    const struct pol_live_constraint *k = NULL;

    if (pol_ask(r, o, &rel) == POL_LIVE_FOUND)
        k = pol_live_constraint(rel, name);
    return k ? k->kind == 'f' : pol_param_has(r, POL_P_NAMES, name);
}

void
pol_check_drop_fk(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (!pol_sub_is(s, "DROP CONSTRAINT") || !is_foreign_key(r, o, s->column))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "the table that %s refers to is locked, too",
                           pol_ident(a, s->column)),
                .detail = arena_printf(a,
                    "Dropping a foreign key takes ACCESS EXCLUSIVE on %s and on the other "
                    "table, which the statement doesn't name.",
                    pol_name(r, o)),
                .hint =
                    "SET lock_timeout = '2s' before it, try again if it gives up, and "
                    "COMMIT at once.",
                .object = o, .column = s->column, .at = s->pos + 1));
    }
}

/* ---- explicit-lock-table ---- */

void
pol_check_lock_table(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    bool is_all = pol_sub_find(f, "ACCESS EXCLUSIVE") != NULL;

    if (!pol_tag(f, "LOCK TABLE") || (!is_all && !pol_sub_find(f, "EXCLUSIVE")))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (pol_is_own(r, o))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a, "%s %s until the transaction ends",
                           is_all ? "nobody reads or writes" : "nobody writes",
                           pol_name(r, o)),
                .detail = arena_printf(a,
                    "LOCK TABLE takes %s, waits for everybody before it and holds up "
                    "everybody after it.",
                    is_all ? "ACCESS EXCLUSIVE" : "EXCLUSIVE"),
                .hint = arena_printf(a,
                    "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE NOWAIT; keeps other writers "
                    "of the schema out and fails instead of queueing.",
                    pol_name(r, o)),
                .object = o, .at = o->pos + 1));
    }
}

/* ---- comment-takes-lock ---- */

void
pol_check_comment_lock(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!o || !pol_tag(f, "COMMENT") || o->kind != SQL_O_TABLE || pol_stored(r)
        || pol_is_own(r, o) || !pol_flow_is_shared(r->flow)
        || pol_flow_holds(r->flow, o))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "VACUUM and schema changes of %s wait for this transaction",
                       pol_name(r, o)),
            .detail =
                "COMMENT takes SHARE UPDATE EXCLUSIVE and holds it until the commit.",
            .hint = "Give comments a transaction of their own.", .object = o));
}

/* ---- replica-identity-full ---- */

void
pol_check_replica_full(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        bool is_full = str_prefix(s->name, "REPLICA IDENTITY")
            && strstr(s->name, "FULL");
        if (!is_full)
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "every UPDATE and DELETE of %s logs the whole old row",
                           pol_name(r, o)),
                .detail =
                    "The log grows, and subscribers search the whole table for each "
                    "changed row.",
                .hint = arena_printf(a,
                    "ALTER TABLE %s REPLICA IDENTITY USING INDEX, with a unique index on "
                    "NOT NULL columns; with a primary key nothing is needed.",
                    pol_name(r, o)),
                .object = o, .at = s->pos + 1));
    }
}

/* ---- require-lock-timeout, require-statement-timeout ---- */

static void
check_timeout(struct pol_run *r, const struct sql_facts *f, bool is_set,
    enum pol_lock at_least, const char *setting, const char *detail)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *table;
    enum pol_lock lock = pol_lock_of(f, &table);

    if (is_set || lock < at_least || pol_stored(r) || (table && pol_is_own(r, table))
        || r->once[r->check])
        return;
    r->once[r->check] = true;
    const char *name = table ? pol_name(r, table) : pol_name(r, &f->objects[0]);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s takes %s on %s, and %s is not set",
                       f->tag, pol_lock_name(lock), name, setting),
            .detail = detail,
            .hint = arena_printf(a,
                "SET %s = '%s'; before it (SET LOCAL inside a "
                "transaction).",
                setting, pol_param(r, POL_P_VALUE)->text),
            .object = table ? table : &f->objects[0]));
}

void
pol_check_lock_timeout(struct pol_run *r, const struct sql_facts *f)
{
    check_timeout(r, f, pol_flow_has_lock_timeout(r->flow), POL_LOCK_SHARE,
        "lock_timeout",
        "It waits for one idle reader for as long as that one likes, and everybody else "
        "queues behind it.");
}

void
pol_check_statement_timeout(struct pol_run *r, const struct sql_facts *f)
{
    check_timeout(r, f, pol_flow_has_statement_timeout(r->flow), POL_LOCK_SHARE,
        "statement_timeout",
        "A scan or rewrite that takes longer than thought holds its lock all the while.");
}
