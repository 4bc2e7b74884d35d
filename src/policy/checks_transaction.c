// SPDX-License-Identifier: ISC
/* Checks of group transaction: what stands together in one, and how long it holds what. */
#include "policy/safe.h"

#include "sql/lex.h"

#include <string.h>

static bool
is_change(const struct pol_run *r, const struct sql_facts *f)
{
    return f->parent < 0 && (f->cls & r->pol->migrate) && !pol_is_temp(f);
}

/* ---- tx-wrap-required, tx-uncommitted ---- */

void
pol_check_tx_wrap(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_tree *tree = r->text->tree;
    size_t n = 0, second = 0;
    bool in_block = false;

    (void)f;
    if (r->pol->wrap == POL_WRAP_TOOL || r->pol->wrap == POL_WRAP_QUERY)
        return;
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *x = &tree->facts[i];
        if (x->parent < 0 && x->tx == SQL_TX_BEGIN)
            in_block = true;
        else if (x->parent < 0 && (x->tx == SQL_TX_COMMIT || x->tx == SQL_TX_ROLLBACK))
            in_block = false;
        else if (!in_block && is_change(r, x) && !(x->flags & SQL_F_NO_TX) && ++n == 2)
            second = i;
    }
    if (n < 2)
        return;
    r->fact = second;
    pol_report(r,
        POL_REPORT(.message = "the file makes several changes, each for itself",
            .detail = "If one fails, those before it stay, and running the file again "
                      "fails at the first.",
            .hint = "BEGIN; before the first change and COMMIT; after the last one."));
}

void
pol_check_tx_uncommitted(struct pol_run *r, const struct sql_facts *f)
{
    size_t begin = 0;

    (void)f;
    if (!pol_flow_in_block(r->flow, &begin) || !pol_flow_has_ddl(r->flow))
        return;
    r->fact = begin;
    pol_report(r,
        POL_REPORT(.message = "the file ends inside of this transaction",
            .detail =
                "When the session ends everything in it is rolled back, though each "
                "statement said that it succeeded.",
            .hint = "Add COMMIT; at the end of the file."));
}

/* ---- tx-nesting, tx-explicit-commit ---- */

void
pol_check_tx_nesting(struct pol_run *r, const struct sql_facts *f)
{
    bool ends = f->tx == SQL_TX_COMMIT || f->tx == SQL_TX_ROLLBACK;
    bool in_block = pol_flow_in_block(r->flow, NULL);
    bool by_tool = r->pol->wrap == POL_WRAP_TOOL;

    if (f->parent >= 0 || by_tool || (!ends && f->tx != SQL_TX_BEGIN)
        || (ends ? in_block : !in_block))
        return;
    pol_report(r,
        POL_REPORT(.message = ends ? arena_printf(pol_arena(r),
                                  "%s, and no transaction is open here", f->tag)
                                   : "BEGIN, and a transaction is open already",
            .detail = ends
                ? "The server only warns; if the tool has a transaction open, it ends "
                  "here, and the rest of the file runs outside of it."
                : "The server only warns; the first COMMIT ends the outer transaction, "
                  "and the rest runs outside of it.",
            .hint = ends
                ? "Take it out, or put BEGIN before the changes it belongs to."
                : "Take the inner BEGIN and COMMIT out; SAVEPOINT marks a place "
                  "to come back to."));
}

void
pol_check_tx_commit(struct pol_run *r, const struct sql_facts *f)
{
    bool is_of_it = f->tx == SQL_TX_COMMIT || f->tx == SQL_TX_ROLLBACK
        || f->tx == SQL_TX_BEGIN;

    if (r->pol->wrap != POL_WRAP_TOOL || f->parent >= 0 || !is_of_it)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "%s in a file that the tool runs in a transaction", f->tag),
            .detail =
                "It ends or splits the tool's own transaction: if a later statement "
                "fails, what stood before it stays, and the history row may be "
                "wrong.",
            .hint =
                "Take it out. What must run outside of a transaction gets a file of "
                "its own, with the tool's setting for that."));
}

/* ---- concurrently-in-transaction ---- */

void
pol_check_concurrently_in_tx(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_tree *tree = r->text->tree;
    bool in_code = f->parent >= 0 && strcmp(tree->facts[f->parent].tag, "DO") == 0;

    if (!(f->flags & SQL_F_NO_TX) || f->cls == DG_OTHER || pol_stored(r)
        || (f->parent >= 0 && !in_code) || (!in_code && !pol_flow_is_shared(r->flow)))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "the server refuses %s%s inside a transaction", f->tag,
                       f->flags & SQL_F_CONCURRENTLY ? " CONCURRENTLY" : ""),
            .detail = in_code
                ? "Code always runs inside of one."
                : "Here it stands in one with others (BEGIN, a tool's own transaction, or "
                  "several statements in one message): the file would stop half way.",
            .hint = "Put it into a file of its own that runs without a transaction.",
            .sqlstate = NULL));
}

/* ---- multi-statement-ddl ---- */

void
pol_check_multi(struct pol_run *r, const struct sql_facts *f)
{
    if (!r->session || r->once[r->check] || r->text->scan->n < 2 || !is_change(r, f))
        return;
    r->once[r->check] = true;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "it shares one message with %zu other statements",
                       r->text->scan->n - 1),
            .detail =
                "The server runs the message as one transaction: one error undoes "
                "all of it, and CONCURRENTLY fails.",
            .hint = "Send one statement a message; BEGIN and COMMIT hold together what "
                    "belongs together."));
}

/* ---- ddl-and-dml-mixed, many-tables-one-transaction ---- */

static bool
changes_rows(const struct sql_facts *f)
{
    return pol_tag(f, "UPDATE") || pol_tag(f, "DELETE") || pol_tag(f, "MERGE")
        || (pol_tag(f, "INSERT") && pol_sub_find(f, "SELECT"));
}

void
pol_check_ddl_dml(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const char *locked = pol_flow_locked(r->flow);

    if (!o || f->parent >= 0 || !changes_rows(f) || !pol_flow_is_shared(r->flow)
        || !locked || pol_is_own(r, o))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "%s stays locked while rows of %s change", locked,
                       pol_name(r, o)),
            .detail =
                "The schema change's lock is held until the transaction ends, and "
                "that is when the last row is written.",
            .hint =
                "Change the rows in a migration of their own, in batches, before or "
                "after this one.",
            .object = o, .at = o->pos + 1));
}

void
pol_check_many_tables(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *table;
    enum pol_lock lock = pol_lock_of(f, &table);
    int64_t max = pol_param(r, POL_P_MAX)->number;

    if (lock != POL_LOCK_ACCESS_EXCLUSIVE || !table || pol_stored(r)
        || pol_is_own(r, table) || !pol_flow_is_shared(r->flow)
        || pol_flow_holds(r->flow, table) || (int64_t)pol_flow_n_locked(r->flow) != max)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "%s is locked while %s still is", pol_name(r, table),
                       pol_flow_locked(r->flow) ? pol_flow_locked(r->flow)
                                                : "another table"),
            .detail = "Each lock is held until the transaction ends; applications that "
                      "take the tables in another order deadlock with it.",
            .hint = arena_printf(pol_arena(r),
                "COMMIT before it: no more than %lld existing "
                "table%s a transaction.",
                (long long)max, max == 1 ? "" : "s"),
            .object = table));
}

/* ---- validate-in-same-transaction ---- */

void
pol_check_validate_tx(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (!pol_sub_is(s, "VALIDATE CONSTRAINT")
            || !pol_flow_added_constraint(r->flow, o, s->column)
            || !pol_flow_is_shared(r->flow))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "%s is read while the lock of ADD CONSTRAINT is still held",
                           pol_name(r, o)),
                .detail = "VALIDATE alone blocks nobody; in one transaction with ADD "
                          "CONSTRAINT the strong lock stays until both are done.",
                .hint = arena_printf(a,
                    "COMMIT first; then, in a transaction of its own: ALTER TABLE %s "
                    "VALIDATE CONSTRAINT %s;",
                    pol_name(r, o), pol_ident(a, s->column)),
                .object = o, .column = s->column, .at = s->pos + 1));
    }
}

/* ---- enum-value-used-in-transaction ---- */

/* A string constant of the statement that is a value added in this transaction. */
static const char *
uses_new_value(struct pol_run *r, const struct sql_facts *f, size_t *at)
{
    const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
    const char *text = r->text->text + s->start;
    struct sql_lexer lx;
    struct sql_token tok;
    char value[64];

    sql_lex_init(&lx, text, s->len, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        if (tok.kind != SQL_T_STRING || tok.len >= sizeof(value))
            continue;
        int64_t n = sql_token_value(text, &tok, true, value);
        if (n < 0 || n >= (int64_t)sizeof(value))
            continue;
        value[n] = '\0';
        if (pol_flow_is_new_value(r->flow, value)) {
            *at = s->start + tok.start;
            return arena_strdup(pol_arena(r), value);
        }
    }
    return NULL;
}

void
pol_check_enum_used(struct pol_run *r, const struct sql_facts *f)
{
    size_t at = 0;

    if (!pol_flow_has_new_values(r->flow) || !pol_flow_is_shared(r->flow)
        || f->parent >= 0 || pol_sub_find(f, "ADD VALUE") || pol_tag(f, "COMMENT"))
        return;
    const char *value = uses_new_value(r, f, &at);
    if (!value)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "'%s' can't be used before its transaction is over", value),
            .detail =
                "The server answers \"unsafe use of new value\" (before version 17, "
                "even if the type is new).",
            .hint =
                "COMMIT after ALTER TYPE ... ADD VALUE, and use the value in the next "
                "transaction or file.",
            .at = (int)at + 1));
}

/* ---- two-phase-ddl ---- */

void
pol_check_two_phase(struct pol_run *r, const struct sql_facts *f)
{
    if (f->tx != SQL_TX_PREPARE || f->parent >= 0 || !pol_flow_has_ddl(r->flow))
        return;
    pol_report(r,
        POL_REPORT(.message = "its locks stay until somebody says COMMIT PREPARED",
            .detail = "They outlive the session and a restart of the server; nothing "
                      "reminds anybody of them.",
            .hint = "COMMIT; instead."));
}
