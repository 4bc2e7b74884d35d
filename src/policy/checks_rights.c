// SPDX-License-Identifier: ISC
/* Checks of group security: who may do what, and ways around the gate. (What the gate can't
 * see through: checks_security.c.) */
#include "policy/safe.h"

#include <string.h>

static const struct sql_object *
first_object(const struct sql_facts *f)
{
    return f->n_objects ? &f->objects[0] : NULL;
}

/* ---- rights ---- */

void
pol_check_grant_public(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_sub *s = pol_sub_find(f, "TO PUBLIC");
    bool is_all = pol_sub_find(f, "ALL PRIVILEGES") != NULL;

    bool is_default = pol_tag(f, "ALTER DEFAULT PRIVILEGES")
        && pol_sub_find(f, "GRANT");

    if ((!pol_tag(f, "GRANT") && !is_default) || (!s && !is_all) || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = s ? "every role of the server gets the right"
                                : "the role gets every right there is",
            .detail = s
                ? "PUBLIC holds all roles, those that are made later too."
                : "ALL PRIVILEGES includes TRUNCATE, REFERENCES and TRIGGER, and "
                  "what later versions add.",
            .hint = s
                ? "GRANT it TO the roles that need it, by name."
                : "GRANT SELECT, INSERT, UPDATE, DELETE, as far as they are needed.",
            .object = first_object(f), .at = s ? s->pos + 1 : 0));
}

void
pol_check_role_attributes(struct pol_run *r, const struct sql_facts *f)
{
    static const char *const subs[] = { "SUPERUSER", "BYPASSRLS", "CREATEROLE",
        "REPLICATION", "WITH ADMIN OPTION" };

    for (size_t i = 0; i < DG_ARRAY_SIZE(subs); i++) {
        const struct sql_sub *s = f->cls == DG_CLUSTER ? pol_sub_find(f, subs[i])
                                                       : NULL;
        if (!s || !strstr(f->tag, "ROLE"))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(pol_arena(r),
                           "%s lets the role give itself more rights", subs[i]),
                .detail =
                    "Such roles can take every guard away, and no event trigger sees "
                    "a change of roles.",
                .hint = arena_printf(pol_arena(r),
                    "Leave %s out; roles of the server belong to its administrators.",
                    subs[i]),
                .object = first_object(f), .at = s->pos + 1));
    }
}

void
pol_check_password(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_sub *s = pol_sub_find(f, "PASSWORD");

    if (!s || !s->value || strcmp(s->value, "literal") != 0)
        return;
    pol_report(r,
        POL_REPORT(.message = "a password in clear text stands in the statement",
            .detail = "It stays in the file's history, in the server's log and in "
                      "pg_stat_statements (the gate's own log masks it).",
            .hint =
                "Set it with psql's \\password, or write the SCRAM-SHA-256 verifier "
                "that `ddlgate scram` makes.",
            .object = first_object(f), .at = s->pos + 1));
}

#define MAX_LOOK 1000 /* facts before and behind that are looked at */

/* Who owns what the statement makes, as far as the text says: a later OWNER TO, or SET ROLE
 * before it. */
static bool
is_owned(const struct pol_run *r, const struct sql_object *o, const char *owner)
{
    const struct sql_tree *tree = r->text->tree;
    bool is_role = false;
    size_t from = r->fact > MAX_LOOK ? r->fact - MAX_LOOK : 0;

    for (size_t i = from; i < tree->n && i < r->fact + MAX_LOOK; i++) {
        const struct sql_facts *f = &tree->facts[i];
        const struct sql_sub *s = pol_sub_find(f, "OWNER TO");
        bool sets = f->setting
            && (strcmp(f->setting, "role") == 0
                || strcmp(f->setting, "session_authorization") == 0);
        if (i < r->fact && sets)
            is_role = f->setting_value && strcmp(f->setting_value, owner) == 0;
        if (i > r->fact && s && s->value && f->n_objects
            && strcmp(f->objects[0].name, o->name) == 0)
            return true; /* by whom is a finding of its own */
    }
    return is_role;
}

static bool
has_owner(enum sql_object_kind kind)
{
    return kind != SQL_O_INDEX && kind != SQL_O_TRIGGER && kind != SQL_O_RULE
        && kind != SQL_O_POLICY && kind != SQL_O_EXTENSION && kind != SQL_O_ROLE
        && kind != SQL_O_DATABASE && kind != SQL_O_TABLESPACE && kind != SQL_O_OTHER;
}

/* What is made belongs to the role that runs it, which may be another one each time. */
static void
check_new_owner(struct pol_run *r, const struct sql_facts *f, const char *owner)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const struct sql_sub *as = pol_sub_find(f, "AUTHORIZATION");
    const char *role = r->session ? r->session->role : NULL;
    struct arena *a = pol_arena(r);

    if (!o || !o->is_created || o->is_temp || !has_owner(o->kind) || pol_stored(r)
        || (f->flags & (SQL_F_OR_REPLACE | SQL_F_NESTED))
        || (as && as->value && strcmp(as->value, owner) == 0)
        || (role && strcmp(role, owner) == 0) || is_owned(r, o, owner))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "%s belongs to whoever runs it", pol_name(r, o)),
            .detail = "Later migrations fail if their role is no member of the owner.",
            .hint = arena_printf(a, "ALTER ... %s OWNER TO %s; behind it.",
                pol_name(r, o), pol_ident(a, owner)),
            .wanted = pol_ident(a, owner), .object = o, .at = o->pos + 1));
}

void
pol_check_owner(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_sub *s = pol_sub_find(f, "OWNER TO");
    const char *owner = pol_param(r, POL_P_OWNER)->text;

    if (owner && s && s->value && strcmp(s->value, owner) == 0)
        return;
    if (owner && !s)
        check_new_owner(r, f, owner);
    if (!s || !s->value || pol_stored(r) || pol_param_has(r, POL_P_NAMES, s->value))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "it belongs to %.63s then", s->value),
            .detail = "Later migrations fail if their role is no member of the owner.",
            .hint =
                "Create it with the role that runs the migrations, or list the owner "
                "in the policy: [check owner-change] names = ...",
            .object = first_object(f), .at = s->pos + 1));
}

/* ---- code and rows ---- */

void
pol_check_definer(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!pol_sub_find(f, "SECURITY DEFINER") || !f->n_objects || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_subs; i++) {
        if (pol_sub_is(&f->subs[i], "SET") && f->subs[i].column
            && strcmp(f->subs[i].column, "search_path") == 0)
            return;
    }
    const struct sql_object *o = &f->objects[0];
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "%s runs with its owner's rights and the caller's search_path",
                       pol_name(r, o)),
            .detail =
                "A caller can put a function or table of his own before those that "
                "it means, and have it run with the owner's rights.",
            .hint = arena_printf(a,
                "%s %s ... SECURITY DEFINER SET search_path = pg_catalog, pg_temp",
                o->kind == SQL_O_PROCEDURE ? "PROCEDURE" : "FUNCTION", pol_name(r, o)),
            .object = o));
}

void
pol_check_rls_required(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_shape *t = pol_shape_of(r->shapes, r->fact);

    if (!t || !t->is_made || t->is_dropped || t->is_foreign || f->objects[0].is_temp
        || (t->has_rls && t->has_policy)
        || !pol_is_excepted(
            &pol_param(r, POL_P_TABLES)->objects, &f->objects[0], &r->path))
        return;
    const struct sql_object *o = &f->objects[0];
    const char *name = pol_name(r, o);
    pol_report(r,
        POL_REPORT(.message = t->has_rls
                ? arena_printf(
                    a, "%s has row security and no policy: nobody sees a row", name)
                : arena_printf(a, "%s shows every row to whoever may read it", name),
            .detail =
                "In this schema each table has row security, and a policy that says "
                "which rows are whose.",
            .hint = arena_printf(a,
                "ALTER TABLE %s ENABLE ROW LEVEL SECURITY; CREATE POLICY ... ON %s USING "
                "(...);",
                name, name),
            .object = o, .at = o->pos + 1));
}

void
pol_check_rls_disable(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = first_object(f);
    const struct sql_sub *s = pol_sub_find(f, "DISABLE ROW LEVEL SECURITY");

    if (!s)
        s = pol_sub_find(f, "NO FORCE ROW LEVEL SECURITY");
    bool is_drop = pol_tag(f, "DROP POLICY");
    if (!o || (!s && !is_drop) || pol_stored(r)
        || (is_drop && pol_flow_comes_back(r->flow, r->fact, o)))
        return;
    const struct sql_object table = is_drop ? pol_table_on(o) : *o;
    if (pol_is_own(r, &table))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "rows of %s lose a guard", pol_name(r, &table)),
            .detail =
                "Without row security every role with SELECT sees all rows; without "
                "a policy those that it let through see none.",
            .hint = is_drop
                ? "Make the policy that takes its place in the same file, or "
                  "ALTER POLICY."
                : "Write a policy for the role that has to see more instead.",
            .object = o, .at = s ? s->pos + 1 : 0));
}

/* ---- the server, and ways out of it ---- */

void
pol_check_alter_system(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_sub *s = pol_sub_find(f, "SET");
    bool is_of_it = pol_tag(f, "ALTER SYSTEM") || pol_tag(f, "ALTER DATABASE")
        || pol_tag(f, "ALTER ROLE");

    if (!s)
        s = pol_sub_find(f, "RESET");
    if (!is_of_it || !s)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "%.63s changes for sessions that know nothing of it",
                       s->column ? s->column : "a setting"),
            .detail =
                "It holds for all later sessions, and ALTER SYSTEM can't be rolled "
                "back.",
            .hint = "Settings of the server belong to its administrators; for one "
                    "migration SET LOCAL is enough.",
            .object = first_object(f), .at = s->pos + 1));
}

static bool
is_zero(const char *value)
{
    return value
        && (strcmp(value, "0") == 0 || strcmp(value, "0s") == 0
            || strcmp(value, "0ms") == 0);
}

void
pol_check_guard_setting(struct pol_run *r, const struct sql_facts *f)
{
    if (!f->setting || f->parent >= 0 || pol_tag(f, "RESET"))
        return;
    bool no_wait = strcmp(f->setting, "lock_timeout") == 0 && is_zero(f->setting_value);
    if (!no_wait && !pol_param_has(r, POL_P_NAMES, f->setting))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "%.63s takes a guard away", f->setting),
            .detail = no_wait
                ? "Without lock_timeout a schema change waits for ever, and everybody "
                  "queues behind it."
                : "Triggers, row security or another net don't work while it is set.",
            .hint = no_wait ? "SET lock_timeout = '2s'; and try again when it gives up."
                            : "Leave it out."));
}

void
pol_check_set_role(struct pol_run *r, const struct sql_facts *f)
{
    bool is_role = f->setting
        && (strcmp(f->setting, "role") == 0
            || strcmp(f->setting, "session_authorization") == 0);

    if (!is_role || f->parent >= 0 || !pol_tag(f, "SET")
        || pol_param_has(r, POL_P_NAMES, f->setting_value))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r), "it goes on as role %.63s",
                       f->setting_value ? f->setting_value : "?"),
            .detail = "New objects belong to that role, and the server's log names it "
                      "instead of who did it.",
            .hint =
                "Connect as the role that runs migrations, or list it in the policy: "
                "[check set-role] names = ..."));
}

void
pol_check_copy_file(struct pol_run *r, const struct sql_facts *f)
{
    bool is_program = pol_sub_find(f, "PROGRAM") != NULL;

    if (!pol_tag(f, "COPY") || (!is_program && !pol_sub_find(f, "FILE")))
        return;
    pol_report(r,
        POL_REPORT(.message = is_program
                ? "it runs a program on the server, as the server's user"
                : "it reads or writes a file on the server, as the server's user",
            .detail = "That user owns all databases of the server.",
            .hint = "COPY ... FROM STDIN (psql: \\copy) with the file on your side.",
            .object = first_object(f)));
}

void
pol_check_extension(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = first_object(f);
    bool is_of_it = pol_tag(f, "CREATE EXTENSION") || pol_tag(f, "ALTER EXTENSION");

    if (!o || !is_of_it || pol_param_has(r, POL_P_NAMES, o->name) || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "extension %s is not on the list", pol_ident(a, o->name)),
            .detail = "Extensions bring code that runs inside of the server.",
            .hint = arena_printf(a,
                "Have it looked at, and add it to the policy: [check extension-list] names "
                "= ..., %s",
                o->name),
            .object = o));
}

void
pol_check_external(struct pol_run *r, const struct sql_facts *f)
{
    bool is_link = pol_tag(f, "CREATE SUBSCRIPTION") || pol_tag(f, "CREATE SERVER")
        || pol_tag(f, "CREATE USER MAPPING");
    bool is_all = pol_tag(f, "CREATE PUBLICATION") && pol_sub_find(f, "FOR ALL TABLES");

    if ((!is_link && !is_all) || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = is_all ? "every table, later ones too, is given out"
                                     : "it connects this database with another server",
            .detail = is_all
                ? "A subscriber gets the rows of tables that nobody thought of "
                  "when it was made."
                : "Rows leave or come in past the applications, and the "
                  "connection's password stands in the catalogue.",
            .hint = is_all ? "CREATE PUBLICATION ... FOR TABLE the ones that are meant."
                           : "Links between servers belong to their administrators.",
            .object = first_object(f)));
}

void
pol_check_event_trigger(struct pol_run *r, const struct sql_facts *f)
{
    if (!strstr(f->tag, "EVENT TRIGGER") || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = "an event trigger guards, or stops, every schema change",
            .detail =
                "It is the net behind the gate; a broken one stops all migrations.",
            .hint = "Event triggers belong to the server's administrators.",
            .object = first_object(f)));
}

void
pol_check_create_rule(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!pol_tag(f, "CREATE RULE") || !f->n_objects || pol_stored(r))
        return;
    const struct sql_object table = pol_table_on(&f->objects[0]);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a,
                       "statements on %s turn into others unseen", pol_name(r, &table)),
            .detail = "A rule rewrites the query before it runs, evaluates expressions "
                      "more than once, and takes ACCESS EXCLUSIVE when it is made.",
            .hint = arena_printf(a, "CREATE TRIGGER ... ON %s", pol_name(r, &table)),
            .object = &f->objects[0]));
}
