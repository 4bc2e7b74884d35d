// SPDX-License-Identifier: ISC
/* Facts of rights and of what belongs to the whole cluster: GRANT, policies, roles, user
 * mappings, databases, tablespaces, subscriptions, ALTER SYSTEM. No password, connection
 * string or option value is copied into facts.
 *
 * Subcommands: GRANT and REVOKE list the privileges (SELECT, ..., ALL PRIVILEGES), WITH GRANT
 * OPTION or GRANT OPTION FOR, and TO or FROM with the role as value (TO PUBLIC, FROM PUBLIC for everybody);
 * roles list SUPERUSER, NOSUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS, LOGIN,
 * INHERIT, PASSWORD (value: literal, verifier or null); CREATE DATABASE has OPTION (column:
 * which, value: what); ALTER ROLE, DATABASE and SYSTEM ... SET have SET (column: setting). */
#include "sql/make.h"

#include <string.h>

#define CASCADE PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE

static void
role_object(struct mk *m, const PgQuery__RoleSpec *role)
{
    if (role)
        mk_object(m, SQL_O_ROLE, NULL, mk_role(m, role), mk_pos(m, role->location));
}

/* ---- GRANT ---- */

static void
privileges(struct mk *m, const PgQuery__GrantStmt *s)
{
    if (s->n_privileges == 0)
        mk_sub(m, "ALL PRIVILEGES");
    for (size_t i = 0; i < s->n_privileges; i++) {
        const PgQuery__AccessPriv *p = s->privileges[i]->access_priv;
        char *name;

        if (s->privileges[i]->node_case != NODE(ACCESS_PRIV))
            continue;
        name = arena_strdup(
            m->arena, p->priv_name[0] ? p->priv_name : "all privileges");
        for (char *c = name; *c; c++)
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
        mk_sub_value(m, name, p->n_cols ? mk_string(p->cols[0]) : NULL, NULL);
    }
    if (s->grant_option)
        mk_sub(m, s->is_grant ? "WITH GRANT OPTION" : "GRANT OPTION FOR");
    for (size_t i = 0; i < s->n_grantees; i++) {
        const char *role;

        if (s->grantees[i]->node_case != NODE(ROLE_SPEC))
            continue;
        role = mk_role(m, s->grantees[i]->role_spec);
        if (role && strcmp(role, "PUBLIC") == 0)
            mk_sub(m, s->is_grant ? "TO PUBLIC" : "FROM PUBLIC");
        else
            mk_sub(m, s->is_grant ? "TO" : "FROM")->value = role;
    }
    if (s->behavior == CASCADE)
        m->f.flags |= SQL_F_CASCADE;
}

static void
grant(struct mk *m, const PgQuery__GrantStmt *s)
{
    const bool in_schema = s->targtype
        == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA;
    const unsigned cls = mk_class_of(s->objtype);

    mk_begin(m, s->is_grant ? "GRANT" : "REVOKE", cls == DG_CLUSTER ? cls : DG_DCL);
    for (size_t i = 0; i < s->n_objects; i++)
        mk_any(m, in_schema ? OBJ(SCHEMA) : s->objtype, s->objects[i]);
    privileges(m, s);
}

static void
grant_role(struct mk *m, const PgQuery__GrantRoleStmt *s)
{
    mk_begin(m, s->is_grant ? "GRANT ROLE" : "REVOKE ROLE", DG_CLUSTER);
    m->skip_tokens = 1;
    for (size_t i = 0; i < s->n_granted_roles; i++)
        if (s->granted_roles[i]->node_case == NODE(ACCESS_PRIV))
            mk_object(
                m, SQL_O_ROLE, NULL, s->granted_roles[i]->access_priv->priv_name, -1);
    for (size_t i = 0; i < s->n_grantee_roles; i++)
        if (s->grantee_roles[i]->node_case == NODE(ROLE_SPEC))
            role_object(m, s->grantee_roles[i]->role_spec);
    if (s->admin_opt)
        mk_sub(m, "WITH ADMIN OPTION");
}

static void
default_privileges(struct mk *m, const PgQuery__AlterDefaultPrivilegesStmt *s)
{
    mk_begin(m, "ALTER DEFAULT PRIVILEGES", DG_DCL);
    for (size_t i = 0; i < s->n_options; i++) {
        const PgQuery__DefElem *d = s->options[i]->def_elem;

        if (s->options[i]->node_case != NODE(DEF_ELEM) || !d->arg
            || d->arg->node_case != NODE(LIST))
            continue;
        for (size_t k = 0; k < d->arg->list->n_items; k++) {
            const pgq_node *item = d->arg->list->items[k];

            if (item->node_case == NODE(ROLE_SPEC))
                role_object(m, item->role_spec);
            else
                mk_object(m, SQL_O_SCHEMA, NULL, mk_string(item), -1);
        }
    }
    mk_sub(m, s->action && s->action->is_grant ? "GRANT" : "REVOKE");
    if (s->action)
        privileges(m, s->action);
}

/* ---- policies ---- */

static void
policy(struct mk *m, const char *tag, const char *name, const PgQuery__RangeVar *table)
{
    struct sql_object *o;

    mk_begin(m, tag, DG_DCL);
    o = mk_object(m, SQL_O_POLICY, table ? table->schemaname : NULL, name, -1);
    o->is_created = tag[0] == 'C';
    if (!table)
        return;
    o->on = mk_text(m, table->relname);
    o->on_schema = mk_text(m, table->schemaname);
    o->is_temp = mk_is_temp(table);
    mk_rel(m, SQL_O_TABLE, table);
}

/* ---- roles ---- */

/* What kind of password it is; the password itself goes nowhere. */
static const char *
password_kind(const pgq_node *arg)
{
    const char *text = mk_string(arg);

    if (!text)
        return "null";
    return str_prefix(text, "SCRAM-SHA-256$") ? "verifier" : "literal";
}

static void
role_options(struct mk *m, pgq_node *const *options, size_t n)
{
    static const struct {
        const char *option, *on, *off;
    } names[] = {
        { "superuser", "SUPERUSER", "NOSUPERUSER" },
        { "createrole", "CREATEROLE", "NOCREATEROLE" },
        { "createdb", "CREATEDB", "NOCREATEDB" },
        { "isreplication", "REPLICATION", "NOREPLICATION" },
        { "bypassrls", "BYPASSRLS", "NOBYPASSRLS" },
        { "canlogin", "LOGIN", "NOLOGIN" },
        { "inherit", "INHERIT", "NOINHERIT" },
        { "password", "PASSWORD", "PASSWORD" },
        { "connectionlimit", "CONNECTION LIMIT", "CONNECTION LIMIT" },
        { "validUntil", "VALID UNTIL", "VALID UNTIL" },
        { "rolemembers", "ROLE", "ROLE" },
        { "adminmembers", "ADMIN", "ADMIN" },
        { "addroleto", "IN ROLE", "IN ROLE" },
    };

    for (size_t i = 0; i < n; i++) {
        const PgQuery__DefElem *d = options[i]->def_elem;

        for (size_t k = 0;
             options[i]->node_case == NODE(DEF_ELEM) && k < DG_ARRAY_SIZE(names); k++)
            if (strcmp(d->defname, names[k].option) == 0) {
                struct sql_sub *sub = mk_sub(m,
                    mk_option_is_on(&options[i], 1, d->defname) ? names[k].on
                                                                : names[k].off);

                sub->pos = mk_pos(m, d->location);
                if (strcmp(d->defname, "password") == 0)
                    sub->value = password_kind(d->arg);
            }
    }
}

static void
set_sub(struct mk *m, const PgQuery__VariableSetStmt *set)
{
    if (!set)
        return;
    switch ((int)set->kind) {
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET:
        mk_sub_value(m, "RESET", NULL, NULL)->column = mk_fold(m, set->name);
        break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
        mk_sub_value(m, "RESET", "all", NULL);
        break;
    default:
        mk_sub_value(m, "SET", NULL, NULL)->column = mk_fold(m, set->name);
    }
}

static bool
roles(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATE_ROLE_STMT):
        mk_begin(m, "CREATE ROLE", DG_CLUSTER);
        mk_object(m, SQL_O_ROLE, NULL, n->create_role_stmt->role, -1)->is_created =
            true;
        role_options(m, n->create_role_stmt->options, n->create_role_stmt->n_options);
        return true;
    case NODE(ALTER_ROLE_STMT):
        mk_begin(m, "ALTER ROLE", DG_CLUSTER);
        role_object(m, n->alter_role_stmt->role);
        role_options(m, n->alter_role_stmt->options, n->alter_role_stmt->n_options);
        return true;
    case NODE(ALTER_ROLE_SET_STMT):
        mk_begin(m, "ALTER ROLE", DG_CLUSTER);
        role_object(m, n->alter_role_set_stmt->role);
        if (n->alter_role_set_stmt->database[0])
            mk_object(m, SQL_O_DATABASE, NULL, n->alter_role_set_stmt->database, -1);
        set_sub(m, n->alter_role_set_stmt->setstmt);
        return true;
    case NODE(DROP_ROLE_STMT):
        mk_begin(m, "DROP ROLE", DG_CLUSTER);
        if (n->drop_role_stmt->missing_ok)
            m->f.flags |= SQL_F_IF_EXISTS;
        for (size_t i = 0; i < n->drop_role_stmt->n_roles; i++)
            if (n->drop_role_stmt->roles[i]->node_case == NODE(ROLE_SPEC))
                role_object(m, n->drop_role_stmt->roles[i]->role_spec);
        return true;
    case NODE(GRANT_STMT):
        grant(m, n->grant_stmt);
        return true;
    case NODE(GRANT_ROLE_STMT):
        grant_role(m, n->grant_role_stmt);
        return true;
    case NODE(ALTER_DEFAULT_PRIVILEGES_STMT):
        default_privileges(m, n->alter_default_privileges_stmt);
        return true;
    case NODE(CREATE_POLICY_STMT):
        policy(m, "CREATE POLICY", n->create_policy_stmt->policy_name,
            n->create_policy_stmt->table);
        return true;
    case NODE(ALTER_POLICY_STMT):
        policy(m, "ALTER POLICY", n->alter_policy_stmt->policy_name,
            n->alter_policy_stmt->table);
        return true;
    default:
        return false;
    }
}

/* ---- user mappings: they hold passwords of single roles, not schema ---- */

static void
mapping(struct mk *m, const char *tag, const PgQuery__RoleSpec *user,
    const char *server, unsigned flags)
{
    mk_begin(m, tag, DG_CLUSTER);
    role_object(m, user);
    mk_sub_value(m, "SERVER", NULL, server);
    m->f.flags |= flags;
}

static bool
mappings(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATE_USER_MAPPING_STMT):
        mapping(m, "CREATE USER MAPPING", n->create_user_mapping_stmt->user,
            n->create_user_mapping_stmt->servername,
            n->create_user_mapping_stmt->if_not_exists ? SQL_F_IF_NOT_EXISTS : 0);
        return true;
    case NODE(ALTER_USER_MAPPING_STMT):
        mapping(m, "ALTER USER MAPPING", n->alter_user_mapping_stmt->user,
            n->alter_user_mapping_stmt->servername, 0);
        return true;
    case NODE(DROP_USER_MAPPING_STMT):
        mapping(m, "DROP USER MAPPING", n->drop_user_mapping_stmt->user,
            n->drop_user_mapping_stmt->servername,
            n->drop_user_mapping_stmt->missing_ok ? SQL_F_IF_EXISTS : 0);
        return true;
    default:
        return false;
    }
}

/* ---- databases, tablespaces, the server's settings ---- */

static void
cluster_object(struct mk *m, const char *tag, enum sql_object_kind kind,
    const char *name, unsigned flags)
{
    mk_begin(m, tag, DG_CLUSTER);
    mk_object(m, kind, NULL, name, -1)->is_created = tag[0] == 'C';
    m->f.flags |= flags;
    if (flags & SQL_F_IF_EXISTS)
        m->skip_tokens += 2;
}

static void
database_options(struct mk *m, pgq_node *const *options, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (options[i]->node_case == NODE(DEF_ELEM))
            mk_sub_value(m, "OPTION", options[i]->def_elem->defname,
                mk_constant(m, options[i]->def_elem->arg));
}

static bool
databases(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATEDB_STMT):
        cluster_object(m, "CREATE DATABASE", SQL_O_DATABASE, n->createdb_stmt->dbname,
            SQL_F_NO_TX);
        database_options(m, n->createdb_stmt->options, n->createdb_stmt->n_options);
        return true;
    case NODE(ALTER_DATABASE_STMT):
        cluster_object(
            m, "ALTER DATABASE", SQL_O_DATABASE, n->alter_database_stmt->dbname, 0);
        if (mk_option(n->alter_database_stmt->options,
                n->alter_database_stmt->n_options, "tablespace")) {
            mk_sub(m, "SET TABLESPACE");
            m->f.flags |= SQL_F_NO_TX;
        }
        return true;
    case NODE(ALTER_DATABASE_REFRESH_COLL_STMT):
        cluster_object(m, "ALTER DATABASE", SQL_O_DATABASE,
            n->alter_database_refresh_coll_stmt->dbname, 0);
        mk_sub(m, "REFRESH COLLATION VERSION");
        return true;
    case NODE(ALTER_DATABASE_SET_STMT):
        cluster_object(
            m, "ALTER DATABASE", SQL_O_DATABASE, n->alter_database_set_stmt->dbname, 0);
        set_sub(m, n->alter_database_set_stmt->setstmt);
        return true;
    case NODE(DROPDB_STMT):
        cluster_object(m, "DROP DATABASE", SQL_O_DATABASE, n->dropdb_stmt->dbname,
            SQL_F_NO_TX | (n->dropdb_stmt->missing_ok ? SQL_F_IF_EXISTS : 0));
        return true;
    case NODE(CREATE_TABLE_SPACE_STMT):
        cluster_object(m, "CREATE TABLESPACE", SQL_O_TABLESPACE,
            n->create_table_space_stmt->tablespacename, SQL_F_NO_TX);
        return true;
    case NODE(DROP_TABLE_SPACE_STMT):
        cluster_object(m, "DROP TABLESPACE", SQL_O_TABLESPACE,
            n->drop_table_space_stmt->tablespacename,
            SQL_F_NO_TX | (n->drop_table_space_stmt->missing_ok ? SQL_F_IF_EXISTS : 0));
        return true;
    case NODE(ALTER_TABLE_SPACE_OPTIONS_STMT):
        cluster_object(m, "ALTER TABLESPACE", SQL_O_TABLESPACE,
            n->alter_table_space_options_stmt->tablespacename, 0);
        mk_sub(m, n->alter_table_space_options_stmt->is_reset ? "RESET" : "SET");
        return true;
    case NODE(ALTER_SYSTEM_STMT):
        mk_begin(m, "ALTER SYSTEM", DG_CLUSTER);
        m->f.flags |= SQL_F_NO_TX;
        set_sub(m, n->alter_system_stmt->setstmt);
        return true;
    default:
        return false;
    }
}

/* ---- subscriptions ---- */

static void
alter_subscription(struct mk *m, const PgQuery__AlterSubscriptionStmt *s)
{
    static const char *const names[] = {
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_OPTIONS] = "SET",
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_CONNECTION] =
            "CONNECTION",
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_SET_PUBLICATION] =
            "SET PUBLICATION",
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_ADD_PUBLICATION] =
            "ADD PUBLICATION",
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_DROP_PUBLICATION] =
            "DROP PUBLICATION",
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_REFRESH] =
            "REFRESH PUBLICATION",
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_ENABLED] = "ENABLE",
        [PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_SKIP] = "SKIP",
    };
    const PgQuery__DefElem *refresh = mk_option(s->options, s->n_options, "refresh");
    const char *name = (size_t)s->kind < DG_ARRAY_SIZE(names) ? names[s->kind] : NULL;

    cluster_object(m, "ALTER SUBSCRIPTION", SQL_O_OTHER, s->subname, 0);
    if (name && strcmp(name, "ENABLE") == 0
        && !mk_option_is_on(s->options, s->n_options, "enabled"))
        name = "DISABLE";
    mk_sub(m, name ? name : "SET");
    /* changing the list of publications refreshes them unless told not to */
    if (name && strstr(name, "PUBLICATION")
        && (!refresh || mk_option_is_on(s->options, s->n_options, "refresh")))
        m->f.flags |= SQL_F_NO_TX;
}

bool
facts_role(struct mk *m, const pgq_node *node)
{
    switch ((int)node->node_case) {
    case NODE(CREATE_SUBSCRIPTION_STMT):
        /* inside a block only without a slot; "can't" is the safe reading */
        cluster_object(m, "CREATE SUBSCRIPTION", SQL_O_OTHER,
            node->create_subscription_stmt->subname, SQL_F_NO_TX);
        return true;
    case NODE(ALTER_SUBSCRIPTION_STMT):
        alter_subscription(m, node->alter_subscription_stmt);
        return true;
    case NODE(DROP_SUBSCRIPTION_STMT):
        cluster_object(m, "DROP SUBSCRIPTION", SQL_O_OTHER,
            node->drop_subscription_stmt->subname,
            SQL_F_NO_TX
                | (node->drop_subscription_stmt->missing_ok ? SQL_F_IF_EXISTS : 0));
        return true;
    default:
        return roles(m, node) || mappings(m, node) || databases(m, node);
    }
}
