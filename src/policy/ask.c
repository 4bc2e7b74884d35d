// SPDX-License-Identifier: ISC
/* Asking for live facts; see ask.h. */
#include "policy/ask.h"

#include "policy/safe.h"

#include "ddlgate/sqlstate.h"

#include <string.h>

#define MAX_BACK 1000 /* facts that a look back goes through */

/* ---- one relation ---- */

/* An index that is made goes where its table is. */
static const char *
schema_of(const struct sql_object *o)
{
    if (o->schema || o->kind != SQL_O_INDEX || !o->is_created)
        return o->schema;
    return o->on_schema;
}

enum pol_live_state
pol_ask(
    struct pol_run *r, const struct sql_object *o, const struct pol_live_relation **out)
{
    const struct pol_live *live = r->text->live;
    struct pol_want want = { schema_of(o), o->name, false };

    if (!o->name || !*o->name)
        return POL_LIVE_NOBODY;
    want.is_anywhere = !want.schema && r->is_path_moved;
    enum pol_live_state state = pol_live_find(live, &want, out);
    if (state == POL_LIVE_NOBODY || (state == POL_LIVE_UNKNOWN && live->is_known))
        pol_wants_add(&r->out->wants, &want);
    return state;
}

static bool
is_relation(enum sql_object_kind kind)
{
    return kind == SQL_O_TABLE || kind == SQL_O_FOREIGN_TABLE || kind == SQL_O_MATVIEW
        || kind == SQL_O_INDEX;
}

bool
pol_ask_table(struct pol_run *r, const struct sql_object *o, enum pol_live_state *state,
    const struct pol_live_relation **out)
{
    const struct sql_object on = o->on ? pol_table_on(o) : *o;

    if (o->is_temp || (!o->on && !is_relation(o->kind)) || !*on.name
        || pol_is_own(r, &on)
        || (on.kind == SQL_O_INDEX && pol_unit_is_new_index(r->unit, on.name)))
        return false;
    *state = pol_ask(r, &on, out);
    if (*state == POL_LIVE_FOUND && (*out)->table)
        *out = (*out)->table;
    return true;
}

/* ---- for checks that need them ---- */

bool
pol_is_loose(const struct pol_run *r)
{
    int own = r->pol->checks[r->check].when_unknown;
    return (own == POL_UNSET ? (int)r->pol->when_unknown : own) == POL_LOOSE;
}

static void
say_unknown(struct pol_run *r, const struct sql_object *o)
{
    struct arena *a = pol_arena(r);
    const struct pol_live *live = r->text->live;

    if (pol_is_loose(r) || r->once[r->check])
        return;
    r->once[r->check] = true;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "nobody could look at %s: %.60s",
                       pol_name(r, o), live->why ? live->why : "too many names"),
            .detail = arena_printf(a,
                "%s%sUntil it can be read, it counts as what this "
                "rule warns of.",
                live->why ? live->why : "", live->why ? ". " : ""),
            .hint = "Try again; if it stays so, look at the `control` login and at "
                    "facts_timeout, or let when_unknown = loose pass it.",
            .object = o, .sqlstate = DG_SQLSTATE_NOT_NOW));
}

bool
pol_ask_or_say(
    struct pol_run *r, const struct sql_object *o, const struct pol_live_relation **out)
{
    enum pol_live_state state = pol_ask(r, o, out);
    if (state == POL_LIVE_UNKNOWN)
        say_unknown(r, o);
    return state == POL_LIVE_FOUND;
}

bool
pol_ask_table_or_say(
    struct pol_run *r, const struct sql_object *o, const struct pol_live_relation **out)
{
    enum pol_live_state state;
    if (!pol_ask_table(r, o, &state, out))
        return false;
    if (state == POL_LIVE_UNKNOWN)
        say_unknown(r, o);
    return state == POL_LIVE_FOUND;
}

/* ---- looking back ---- */

static size_t
first_fact(const struct pol_run *r)
{
    return r->fact > MAX_BACK ? r->fact - MAX_BACK : 0;
}

bool
pol_was_dropped(const struct pol_run *r, enum sql_object_kind kind, const char *name)
{
    for (size_t i = first_fact(r); i < r->fact; i++) {
        const struct sql_facts *f = &r->text->tree->facts[i];
        if (!str_prefix(f->tag, "DROP "))
            continue;
        for (size_t k = 0; k < f->n_objects; k++) {
            if (f->objects[k].kind == kind && strcmp(f->objects[k].name, name) == 0)
                return true;
        }
    }
    return false;
}

bool
pol_was_detached(const struct pol_run *r, const char *partition)
{
    for (size_t i = first_fact(r); i < r->fact; i++) {
        const struct sql_facts *f = &r->text->tree->facts[i];
        if (!pol_sub_find(f, "DETACH PARTITION") || f->n_objects < 2)
            continue;
        if (strcmp(f->objects[1].name, partition) == 0)
            return true;
    }
    return false;
}

bool
pol_was_changed(const struct pol_run *r, const char *column)
{
    for (size_t i = first_fact(r); i < r->fact; i++) {
        const struct sql_facts *f = &r->text->tree->facts[i];
        for (size_t k = 0; str_prefix(f->tag, "ALTER ") && k < f->n_subs; k++) {
            const struct sql_sub *s = &f->subs[k];
            const char *name = s->def ? s->def->name : s->column;
            if (name && strcmp(name, column) == 0 && !s->constraint)
                return true;
        }
    }
    return false;
}

bool
pol_had_sub(const struct pol_run *r, const char *sub, const char *column)
{
    for (size_t i = first_fact(r); i <= r->fact; i++) {
        const struct sql_facts *f = &r->text->tree->facts[i];
        for (size_t k = 0; k < f->n_subs; k++) {
            const struct sql_sub *s = &f->subs[k];
            if (str_prefix(s->name, sub) && s->column && strcmp(s->column, column) == 0)
                return true;
        }
    }
    return false;
}

/* ---- words ---- */

const char *
pol_live_name(struct pol_run *r, const struct pol_live_relation *rel)
{
    return pol_qualified(pol_arena(r), rel->schema, rel->name);
}

static bool
is_others(const struct pol_run *r, const struct pol_live_lock *l)
{
    return !r->text->own_pid || l->pid != r->text->own_pid;
}

size_t
pol_live_n_holders(const struct pol_run *r, const struct pol_live_relation *rel)
{
    size_t n = 0;

    for (size_t i = 0; i < rel->n_locks; i++) {
        const struct pol_live_lock *l = &rel->locks[i];
        bool is_known = !l->is_granted || !is_others(r, l);
        for (size_t k = 0; k < i && !is_known; k++)
            is_known = rel->locks[k].is_granted && rel->locks[k].pid == l->pid
                && (l->pid || strcmp(rel->locks[k].role, l->role) == 0);
        n += !is_known;
    }
    return n;
}

const char *
pol_live_words(struct pol_run *r, const struct pol_live_relation *rel)
{
    struct arena *a = pol_arena(r);
    size_t n = pol_live_n_holders(r, rel);

    return arena_printf(a, "%s%s: %s%s%s%s.", pol_live_name(r, rel),
        rel->is_guess ? " (if that is meant)" : "", pol_live_size_words(a, rel),
        rel->n_partitions ? arena_printf(a, " in %zu partition%s", rel->n_partitions,
            rel->n_partitions == 1 ? "" : "s")
                          : "",
        n == 1      ? ", 1 session holds locks on it"
            : n > 1 ? arena_printf(a, ", %zu sessions hold locks on it", n)
                    : "",
        rel->is_size_known || !rel->bytes
            ? ""
            : "; some of it was never analyzed, so it may be more");
}
