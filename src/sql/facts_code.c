// SPDX-License-Identifier: ISC
/* Facts of code: functions, procedures, triggers, rules, languages, DO, CALL. What stands in
 * bodies is read by body.c.
 *
 * Subcommands: CREATE and ALTER FUNCTION have SECURITY DEFINER, SECURITY INVOKER, SET (column:
 * the setting); CREATE TRIGGER has EXECUTE (column: the function); event triggers have ON
 * (column: the event), ENABLE, DISABLE. */
#include "sql/make.h"

#include <string.h>

static void
function_options(struct mk *m, pgq_node *const *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__DefElem *d = options[i]->def_elem;
        const char *text;

        if (options[i]->node_case != NODE(DEF_ELEM))
            continue;
        if (strcmp(d->defname, "language") == 0) {
            text = mk_constant(m, d->arg);
            m->f.language = mk_fold(m, text);
        } else if (strcmp(d->defname, "security") == 0) {
            mk_sub(m,
                mk_option_is_on(&options[i], 1, "security") ? "SECURITY DEFINER"
                                                            : "SECURITY INVOKER");
        } else if (strcmp(d->defname, "set") == 0 && d->arg
            && d->arg->node_case == NODE(VARIABLE_SET_STMT)) {
            mk_sub_value(m, "SET", mk_fold(m, d->arg->variable_set_stmt->name), NULL)
                ->pos = mk_pos(m, d->location);
        }
    }
}

static void
create_function(struct mk *m, const PgQuery__CreateFunctionStmt *s)
{
    struct sql_object *o;

    mk_begin(m, s->is_procedure ? "CREATE PROCEDURE" : "CREATE FUNCTION", DG_CODE);
    if (s->replace) {
        m->f.flags |= SQL_F_OR_REPLACE;
        m->skip_tokens += 2;
    }
    o = mk_names(m, s->is_procedure ? SQL_O_PROCEDURE : SQL_O_FUNCTION, s->funcname,
        s->n_funcname);
    if (o)
        o->is_created = true;
    function_options(m, s->options, s->n_options);
    if (!m->f.language && s->sql_body)
        m->f.language = "sql";
}

static void
alter_function(struct mk *m, const PgQuery__AlterFunctionStmt *s)
{
    mk_begin(m, mk_tag_of(MK_ALTER, s->objtype), DG_CODE);
    if (s->func)
        mk_names(m, mk_kind_of(s->objtype), s->func->objname, s->func->n_objname);
    function_options(m, s->actions, s->n_actions);
}

static void
on_relation(struct mk *m, enum sql_object_kind kind, const PgQuery__RangeVar *rel,
    const char *name)
{
    struct sql_object *o = mk_object(m, kind, rel ? rel->schemaname : NULL, name, -1);

    o->is_created = true;
    if (!rel)
        return;
    o->on = mk_text(m, rel->relname);
    o->on_schema = mk_text(m, rel->schemaname);
    o->is_temp = mk_is_temp(rel);
    mk_rel(m, SQL_O_TABLE, rel);
}

static void
create_trigger(struct mk *m, const PgQuery__CreateTrigStmt *s)
{
    mk_begin(m, "CREATE TRIGGER", DG_CODE);
    if (s->replace) {
        m->f.flags |= SQL_F_OR_REPLACE;
        m->skip_tokens += 2;
    }
    if (s->isconstraint)
        m->skip_tokens++;
    on_relation(m, SQL_O_TRIGGER, s->relation, s->trigname);
    if (s->n_funcname)
        mk_sub_value(m, "EXECUTE", mk_string(s->funcname[s->n_funcname - 1]), NULL);
}

static void
create_rule(struct mk *m, const PgQuery__RuleStmt *s)
{
    mk_begin(m, "CREATE RULE", DG_CODE);
    if (s->replace) {
        m->f.flags |= SQL_F_OR_REPLACE;
        m->skip_tokens += 2;
    }
    on_relation(m, SQL_O_RULE, s->relation, s->rulename);
}

static void
create_language(struct mk *m, const PgQuery__CreatePLangStmt *s)
{
    mk_begin(m, "CREATE LANGUAGE", DG_CODE);
    mk_object(m, SQL_O_OTHER, NULL, s->plname, -1)->is_created = true;
    if (s->replace)
        m->f.flags |= SQL_F_OR_REPLACE;
}

static void
alter_event_trigger(struct mk *m, const PgQuery__AlterEventTrigStmt *s)
{
    mk_begin(m, "ALTER EVENT TRIGGER", DG_CODE);
    mk_object(m, SQL_O_OTHER, NULL, s->trigname, -1);
    mk_sub(m, s->tgenabled[0] == 'D' ? "DISABLE" : "ENABLE");
}

static void
call(struct mk *m, const PgQuery__CallStmt *s)
{
    /* what the procedure does can't be seen from here */
    mk_begin(m, "CALL", DG_CODE);
    m->f.flags |= SQL_F_DYNAMIC;
    if (s->funccall)
        mk_names(m, SQL_O_PROCEDURE, s->funccall->funcname, s->funccall->n_funcname);
}

bool
facts_code(struct mk *m, const pgq_node *node)
{
    switch ((int)node->node_case) {
    case NODE(CREATE_FUNCTION_STMT):
        create_function(m, node->create_function_stmt);
        return true;
    case NODE(ALTER_FUNCTION_STMT):
        alter_function(m, node->alter_function_stmt);
        return true;
    case NODE(CREATE_TRIG_STMT):
        create_trigger(m, node->create_trig_stmt);
        return true;
    case NODE(RULE_STMT):
        create_rule(m, node->rule_stmt);
        return true;
    case NODE(CREATE_EVENT_TRIG_STMT):
        mk_begin(m, "CREATE EVENT TRIGGER", DG_CODE);
        mk_object(m, SQL_O_OTHER, NULL, node->create_event_trig_stmt->trigname, -1)
            ->is_created = true;
        mk_sub_value(m, "ON", node->create_event_trig_stmt->eventname, NULL);
        return true;
    case NODE(ALTER_EVENT_TRIG_STMT):
        alter_event_trigger(m, node->alter_event_trig_stmt);
        return true;
    case NODE(CREATE_PLANG_STMT):
        create_language(m, node->create_plang_stmt);
        return true;
    case NODE(DO_STMT): /* body.c makes it code if it holds some */
        mk_begin(m, "DO", DG_OTHER);
        function_options(m, node->do_stmt->args, node->do_stmt->n_args);
        if (!m->f.language)
            m->f.language = "plpgsql";
        return true;
    case NODE(CALL_STMT):
        call(m, node->call_stmt);
        return true;
    default:
        return false;
    }
}
