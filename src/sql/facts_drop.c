// SPDX-License-Identifier: ISC
/* Facts of statements that work on any kind of object: DROP, RENAME, OWNER TO, SET SCHEMA,
 * DEPENDS ON EXTENSION, DROP OWNED and REASSIGN OWNED.
 *
 * Subcommands: RENAME TO, RENAME COLUMN, RENAME ATTRIBUTE, RENAME CONSTRAINT, OWNER TO, SET
 * SCHEMA (value: what it becomes), DEPENDS ON EXTENSION. */
#include "sql/make.h"

#include <string.h>

#define CASCADE PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE

static void
drop(struct mk *m, const PgQuery__DropStmt *s)
{
    mk_begin(m, mk_tag_of(MK_DROP, s->remove_type), mk_class_of(s->remove_type));
    if (s->missing_ok) {
        m->f.flags |= SQL_F_IF_EXISTS;
        m->skip_tokens += 2;
    }
    if (s->behavior == CASCADE)
        m->f.flags |= SQL_F_CASCADE;
    if (s->concurrent) {
        m->f.flags |= SQL_F_CONCURRENTLY | SQL_F_NO_TX;
        m->skip_tokens++;
    }
    for (size_t i = 0; i < s->n_objects; i++)
        mk_any(m, s->remove_type, s->objects[i]);
}

/* The table's name comes as a RangeVar, the trigger's, rule's or policy's apart. */
static void
named_on(struct mk *m, enum sql_object_kind kind, const PgQuery__RangeVar *rel,
    const char *name)
{
    struct sql_object *o;

    if (!rel)
        return;
    o = mk_object(m, kind, rel->schemaname, name, -1);
    o->on = mk_text(m, rel->relname);
    o->on_schema = mk_text(m, rel->schemaname);
    o->is_temp = mk_is_temp(rel);
    mk_rel(m, SQL_O_TABLE, rel);
}

static void
rename_object(struct mk *m, const PgQuery__RenameStmt *s)
{
    const PgQuery__ObjectType type = s->rename_type;
    const bool is_column = type == OBJ(COLUMN) || type == OBJ(ATTRIBUTE);
    const PgQuery__ObjectType of = is_column ? s->relation_type : type;
    const char *sub = "RENAME TO";

    mk_begin(m, mk_tag_of(MK_ALTER, of), mk_class_of(of));
    if (s->missing_ok) {
        m->f.flags |= SQL_F_IF_EXISTS;
        m->skip_tokens += 2;
    }
    if (s->behavior == CASCADE)
        m->f.flags |= SQL_F_CASCADE;
    if (type == OBJ(COLUMN))
        sub = "RENAME COLUMN";
    else if (type == OBJ(ATTRIBUTE))
        sub = "RENAME ATTRIBUTE";
    else if (type == OBJ(TABCONSTRAINT) || type == OBJ(DOMCONSTRAINT))
        sub = "RENAME CONSTRAINT";

    if (type == OBJ(TRIGGER) || type == OBJ(RULE) || type == OBJ(POLICY))
        named_on(m, mk_kind_of(type), s->relation, s->subname);
    else if (s->relation)
        mk_rel(m, mk_kind_of(of), s->relation);
    else if (s->object)
        mk_any(m, type, s->object);
    else
        mk_object(m, mk_kind_of(type), NULL, s->subname, -1);
    mk_sub_value(m, sub, strcmp(sub, "RENAME TO") == 0 ? NULL : s->subname, s->newname);
}

static void
change_owner(struct mk *m, const PgQuery__AlterOwnerStmt *s)
{
    const unsigned cls = mk_class_of(s->object_type);

    mk_begin(m, mk_tag_of(MK_ALTER, s->object_type), cls == DG_CLUSTER ? cls : DG_DCL);
    if (s->relation)
        mk_rel(m, mk_kind_of(s->object_type), s->relation);
    else
        mk_any(m, s->object_type, s->object);
    mk_sub(m, "OWNER TO")->value = mk_role(m, s->newowner);
}

static void
change_schema(struct mk *m, const PgQuery__AlterObjectSchemaStmt *s)
{
    mk_begin(m, mk_tag_of(MK_ALTER, s->object_type), mk_class_of(s->object_type));
    if (s->missing_ok) {
        m->f.flags |= SQL_F_IF_EXISTS;
        m->skip_tokens += 2;
    }
    if (s->relation)
        mk_rel(m, mk_kind_of(s->object_type), s->relation);
    else
        mk_any(m, s->object_type, s->object);
    mk_sub_value(m, "SET SCHEMA", NULL, s->newschema);
}

static void
depends(struct mk *m, const PgQuery__AlterObjectDependsStmt *s)
{
    const enum sql_object_kind kind = mk_kind_of(s->object_type);
    const char *name = s->object && s->object->node_case == NODE(LIST)
            && s->object->list->n_items > 0
        ? mk_string(s->object->list->items[s->object->list->n_items - 1])
        : NULL;

    mk_begin(m, mk_tag_of(MK_ALTER, s->object_type), mk_class_of(s->object_type));
    if (s->relation && name)
        named_on(m, kind, s->relation, name);
    else if (s->relation)
        mk_rel(m, kind, s->relation);
    else
        mk_any(m, s->object_type, s->object);
    mk_sub_value(m, s->remove ? "NO DEPENDS ON EXTENSION" : "DEPENDS ON EXTENSION",
        NULL, s->extname ? s->extname->sval : NULL);
}

static void
roles(struct mk *m, pgq_node *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i]->node_case == NODE(ROLE_SPEC))
            mk_object(m, SQL_O_ROLE, NULL, mk_role(m, list[i]->role_spec),
                mk_pos(m, list[i]->role_spec->location));
}

bool
facts_drop(struct mk *m, const pgq_node *node)
{
    switch ((int)node->node_case) {
    case NODE(DROP_STMT):
        drop(m, node->drop_stmt);
        return true;
    case NODE(RENAME_STMT):
        rename_object(m, node->rename_stmt);
        return true;
    case NODE(ALTER_OWNER_STMT):
        change_owner(m, node->alter_owner_stmt);
        return true;
    case NODE(ALTER_OBJECT_SCHEMA_STMT):
        change_schema(m, node->alter_object_schema_stmt);
        return true;
    case NODE(ALTER_OBJECT_DEPENDS_STMT):
        depends(m, node->alter_object_depends_stmt);
        return true;
    case NODE(DROP_OWNED_STMT): /* drops tables, too */
        mk_begin(m, "DROP OWNED", DG_DDL);
        roles(m, node->drop_owned_stmt->roles, node->drop_owned_stmt->n_roles);
        if (node->drop_owned_stmt->behavior == CASCADE)
            m->f.flags |= SQL_F_CASCADE;
        return true;
    case NODE(REASSIGN_OWNED_STMT):
        mk_begin(m, "REASSIGN OWNED", DG_DCL);
        roles(m, node->reassign_owned_stmt->roles, node->reassign_owned_stmt->n_roles);
        mk_sub(m, "TO")->value = mk_role(m, node->reassign_owned_stmt->newrole);
        return true;
    default:
        return false;
    }
}
