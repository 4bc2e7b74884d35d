// SPDX-License-Identifier: ISC
/* Facts of what is neither a table nor code nor a right: types, domains, schemas,
 * extensions, operators, text search, casts, foreign data, publications, statistics,
 * comments.
 *
 * Subcommands: ALTER DOMAIN as ALTER TABLE's; ALTER TYPE has ADD VALUE (column: neighbour),
 * RENAME VALUE, SET; CREATE TYPE ... AS ENUM has ENUM, CREATE DOMAIN has ADD CONSTRAINT and
 * OF TYPE (column: the type); ALTER EXTENSION has UPDATE, ADD, DROP; publications have FOR
 * ALL TABLES, ADD, DROP, SET; COMMENT has COLUMN, and IS NULL where it removes one. */
#include "sql/make.h"

#include <string.h>

static void
set_if_not_exists(struct mk *m, bool is_set)
{
    if (is_set)
        m->f.flags |= SQL_F_IF_NOT_EXISTS;
}

/* The object that the statement makes or changes. */
static void
the_names(struct mk *m, enum sql_object_kind kind, pgq_node *const *names, size_t n)
{
    struct sql_object *o = mk_names(m, kind, names, n);

    if (o)
        o->is_created = m->f.tag[0] == 'C' && m->f.tag[1] == 'R';
}

static void
the_name(struct mk *m, enum sql_object_kind kind, const char *name)
{
    mk_object(m, kind, NULL, name, -1)->is_created = m->f.tag[0] == 'C';
}

/* ---- types and domains ---- */

static void
define(struct mk *m, const PgQuery__DefineStmt *s)
{
    mk_begin(m, mk_tag_of(MK_CREATE, s->kind), mk_class_of(s->kind));
    the_names(m, mk_kind_of(s->kind), s->defnames, s->n_defnames);
    set_if_not_exists(m, s->if_not_exists);
    if (s->replace)
        m->f.flags |= SQL_F_OR_REPLACE;
}

static void
composite_type(struct mk *m, const PgQuery__CompositeTypeStmt *s)
{
    mk_begin(m, "CREATE TYPE", DG_DDL);
    if (s->typevar)
        mk_rel(m, SQL_O_TYPE, s->typevar)->is_created = true;
    for (size_t i = 0; i < s->n_coldeflist; i++) {
        struct sql_sub *sub;

        if (s->coldeflist[i]->node_case != NODE(COLUMN_DEF))
            continue;
        sub = mk_sub(m, "ADD ATTRIBUTE");
        sub->def = mk_column(m, s->coldeflist[i]->column_def);
        sub->column = sub->def->name;
        sub->pos = sub->def->pos;
    }
}

static void
alter_enum(struct mk *m, const PgQuery__AlterEnumStmt *s)
{
    struct sql_sub *sub;

    mk_begin(m, "ALTER TYPE", DG_DDL);
    mk_names(m, SQL_O_TYPE, s->type_name, s->n_type_name);
    if (s->old_val[0]) {
        mk_sub_value(m, "RENAME VALUE", s->old_val, s->new_val);
        return;
    }
    sub = mk_sub_value(m, "ADD VALUE", s->new_val_neighbor, s->new_val);
    if (s->skip_if_new_val_exists) {
        sub->flags |= SQL_F_IF_NOT_EXISTS;
        m->f.flags |= SQL_F_IF_NOT_EXISTS;
    }
}

static void
create_domain(struct mk *m, const PgQuery__CreateDomainStmt *s)
{
    const char *mods;
    struct sql_sub *sub;

    mk_begin(m, "CREATE DOMAIN", DG_DDL);
    the_names(m, SQL_O_DOMAIN, s->domainname, s->n_domainname);
    sub = mk_sub_value(m, "OF TYPE", mk_type(m, s->type_name, &mods), NULL);
    sub->value = mk_text(m, mods);
    for (size_t i = 0; i < s->n_constraints; i++) {
        struct sql_constraint *c = s->constraints[i]->node_case == NODE(CONSTRAINT)
            ? mk_constraint(m, s->constraints[i]->constraint)
            : NULL;

        if (!c)
            continue;
        sub = mk_sub(m, "ADD CONSTRAINT");
        sub->constraint = c;
        sub->column = c->name;
        sub->pos = c->pos;
    }
}

static const char *
alter_domain_sub(const PgQuery__AlterDomainStmt *s)
{
    switch (s->subtype[0]) {
    case 'T':
        return s->def ? "SET DEFAULT" : "DROP DEFAULT";
    case 'N':
        return "DROP NOT NULL";
    case 'O':
        return "SET NOT NULL";
    case 'C':
        return "ADD CONSTRAINT";
    case 'X':
        return "DROP CONSTRAINT";
    case 'V':
        return "VALIDATE CONSTRAINT";
    default:
        return "";
    }
}

static void
alter_domain(struct mk *m, const PgQuery__AlterDomainStmt *s)
{
    struct sql_sub *sub;

    mk_begin(m, "ALTER DOMAIN", DG_DDL);
    mk_names(m, SQL_O_DOMAIN, s->type_name, s->n_type_name);
    sub = mk_sub_value(m, alter_domain_sub(s), s->name, NULL);
    if (s->missing_ok)
        sub->flags |= SQL_F_IF_EXISTS;
    if (s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE) {
        sub->flags |= SQL_F_CASCADE;
        m->f.flags |= SQL_F_CASCADE;
    }
    if (s->def && s->def->node_case == NODE(CONSTRAINT)) {
        sub->constraint = mk_constraint(m, s->def->constraint);
        if (sub->constraint && !sub->column)
            sub->column = sub->constraint->name;
    }
}

static bool
types(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(DEFINE_STMT):
        define(m, n->define_stmt);
        return true;
    case NODE(COMPOSITE_TYPE_STMT):
        composite_type(m, n->composite_type_stmt);
        return true;
    case NODE(CREATE_ENUM_STMT):
        mk_begin(m, "CREATE TYPE", DG_DDL);
        the_names(m, SQL_O_TYPE, n->create_enum_stmt->type_name,
            n->create_enum_stmt->n_type_name);
        mk_sub(m, "ENUM");
        return true;
    case NODE(CREATE_RANGE_STMT):
        mk_begin(m, "CREATE TYPE", DG_DDL);
        the_names(m, SQL_O_TYPE, n->create_range_stmt->type_name,
            n->create_range_stmt->n_type_name);
        mk_sub(m, "RANGE");
        return true;
    case NODE(ALTER_ENUM_STMT):
        alter_enum(m, n->alter_enum_stmt);
        return true;
    case NODE(ALTER_TYPE_STMT):
        mk_begin(m, "ALTER TYPE", DG_DDL);
        mk_names(m, SQL_O_TYPE, n->alter_type_stmt->type_name,
            n->alter_type_stmt->n_type_name);
        mk_sub(m, "SET");
        return true;
    case NODE(CREATE_DOMAIN_STMT):
        create_domain(m, n->create_domain_stmt);
        return true;
    case NODE(ALTER_DOMAIN_STMT):
        alter_domain(m, n->alter_domain_stmt);
        return true;
    default:
        return false;
    }
}

/* ---- schemas, extensions, comments ---- */

static void
create_schema(struct mk *m, const PgQuery__CreateSchemaStmt *s)
{
    const PgQuery__RoleSpec *role = s->authrole;
    const char *name = s->schemaname;

    mk_begin(m, "CREATE SCHEMA", DG_DDL);
    /* CREATE SCHEMA AUTHORIZATION joe makes schema joe; of CURRENT_USER the gate does
     * not know the name */
    if (!name[0] && role
        && role->roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CSTRING)
        name = role->rolename;
    the_name(m, SQL_O_SCHEMA, name);
    set_if_not_exists(m, s->if_not_exists);
    if (role)
        mk_sub_value(m, "AUTHORIZATION", NULL, NULL)->value = mk_role(m, role);
}

static void
create_extension(struct mk *m, const PgQuery__CreateExtensionStmt *s)
{
    const PgQuery__DefElem *schema = mk_option(s->options, s->n_options, "schema");

    mk_begin(m, "CREATE EXTENSION", DG_DDL);
    the_name(m, SQL_O_EXTENSION, s->extname);
    set_if_not_exists(m, s->if_not_exists);
    if (schema)
        mk_sub_value(m, "SCHEMA", NULL, mk_string(schema->arg));
    if (mk_option_is_on(s->options, s->n_options, "cascade"))
        m->f.flags |= SQL_F_CASCADE;
}

static void
extension_contents(struct mk *m, const PgQuery__AlterExtensionContentsStmt *s)
{
    mk_begin(m, "ALTER EXTENSION", DG_DDL);
    mk_object(m, SQL_O_EXTENSION, NULL, s->extname, -1);
    mk_sub(m, s->action > 0 ? "ADD" : "DROP");
    mk_any(m, s->objtype, s->object);
}

static void
comment(struct mk *m, const PgQuery__CommentStmt *s)
{
    mk_begin(m, "COMMENT", DG_DDL);
    m->skip_tokens = 3; /* ON TABLE */
    mk_any(m, s->objtype, s->object);
    if (!s->comment[0])
        mk_sub(m, "IS NULL");
}

static bool
names_and_notes(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATE_SCHEMA_STMT):
        create_schema(m, n->create_schema_stmt);
        return true;
    case NODE(CREATE_EXTENSION_STMT):
        create_extension(m, n->create_extension_stmt);
        return true;
    case NODE(ALTER_EXTENSION_STMT):
        mk_begin(m, "ALTER EXTENSION", DG_DDL);
        the_name(m, SQL_O_EXTENSION, n->alter_extension_stmt->extname);
        mk_sub(m, "UPDATE");
        return true;
    case NODE(ALTER_EXTENSION_CONTENTS_STMT):
        extension_contents(m, n->alter_extension_contents_stmt);
        return true;
    case NODE(COMMENT_STMT):
        comment(m, n->comment_stmt);
        return true;
    case NODE(SEC_LABEL_STMT):
        mk_begin(m, "SECURITY LABEL", DG_DDL);
        m->skip_tokens = 4;
        mk_any(m, n->sec_label_stmt->objtype, n->sec_label_stmt->object);
        return true;
    default:
        return false;
    }
}

/* ---- operators, casts, conversions, text search, collations, statistics ---- */

static void
create_cast(struct mk *m, const PgQuery__CreateCastStmt *s)
{
    const char *mods;

    mk_begin(m, "CREATE CAST", DG_DDL);
    mk_object(m, SQL_O_OTHER, NULL, mk_type(m, s->sourcetype, &mods),
        s->sourcetype ? mk_pos(m, s->sourcetype->location) : -1)
        ->is_created = true;
}

static void
create_transform(struct mk *m, const PgQuery__CreateTransformStmt *s)
{
    const char *mods;

    mk_begin(m, "CREATE TRANSFORM", DG_DDL);
    mk_object(m, SQL_O_OTHER, NULL, mk_type(m, s->type_name, &mods),
        s->type_name ? mk_pos(m, s->type_name->location) : -1)
        ->is_created = true;
    if (s->replace)
        m->f.flags |= SQL_F_OR_REPLACE;
}

static bool
operators(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATE_OP_CLASS_STMT):
        mk_begin(m, "CREATE OPERATOR CLASS", DG_DDL);
        the_names(m, SQL_O_OTHER, n->create_op_class_stmt->opclassname,
            n->create_op_class_stmt->n_opclassname);
        return true;
    case NODE(CREATE_OP_FAMILY_STMT):
        mk_begin(m, "CREATE OPERATOR FAMILY", DG_DDL);
        the_names(m, SQL_O_OTHER, n->create_op_family_stmt->opfamilyname,
            n->create_op_family_stmt->n_opfamilyname);
        return true;
    case NODE(ALTER_OP_FAMILY_STMT):
        mk_begin(m, "ALTER OPERATOR FAMILY", DG_DDL);
        the_names(m, SQL_O_OTHER, n->alter_op_family_stmt->opfamilyname,
            n->alter_op_family_stmt->n_opfamilyname);
        mk_sub(m, n->alter_op_family_stmt->is_drop ? "DROP" : "ADD");
        return true;
    case NODE(ALTER_OPERATOR_STMT):
        mk_begin(m, "ALTER OPERATOR", DG_DDL);
        if (n->alter_operator_stmt->opername)
            the_names(m, SQL_O_OPERATOR, n->alter_operator_stmt->opername->objname,
                n->alter_operator_stmt->opername->n_objname);
        mk_sub(m, "SET");
        return true;
    case NODE(CREATE_CAST_STMT):
        create_cast(m, n->create_cast_stmt);
        return true;
    case NODE(CREATE_TRANSFORM_STMT):
        create_transform(m, n->create_transform_stmt);
        return true;
    case NODE(CREATE_CONVERSION_STMT):
        mk_begin(m, "CREATE CONVERSION", DG_DDL);
        the_names(m, SQL_O_OTHER, n->create_conversion_stmt->conversion_name,
            n->create_conversion_stmt->n_conversion_name);
        return true;
    case NODE(CREATE_AM_STMT):
        mk_begin(m, "CREATE ACCESS METHOD", DG_DDL);
        the_name(m, SQL_O_OTHER, n->create_am_stmt->amname);
        return true;
    default:
        return false;
    }
}

static void
create_statistics(struct mk *m, const PgQuery__CreateStatsStmt *s)
{
    mk_begin(m, "CREATE STATISTICS", DG_DDL);
    the_names(m, SQL_O_OTHER, s->defnames, s->n_defnames);
    set_if_not_exists(m, s->if_not_exists);
    for (size_t i = 0; i < s->n_relations; i++)
        if (s->relations[i]->node_case == NODE(RANGE_VAR))
            mk_rel(m, SQL_O_TABLE, s->relations[i]->range_var);
}

static bool
search_and_statistics(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(ALTER_TSDICTIONARY_STMT):
        mk_begin(m, "ALTER TEXT SEARCH DICTIONARY", DG_DDL);
        the_names(m, SQL_O_OTHER, n->alter_tsdictionary_stmt->dictname,
            n->alter_tsdictionary_stmt->n_dictname);
        return true;
    case NODE(ALTER_TSCONFIGURATION_STMT):
        mk_begin(m, "ALTER TEXT SEARCH CONFIGURATION", DG_DDL);
        the_names(m, SQL_O_OTHER, n->alter_tsconfiguration_stmt->cfgname,
            n->alter_tsconfiguration_stmt->n_cfgname);
        return true;
    case NODE(ALTER_COLLATION_STMT):
        mk_begin(m, "ALTER COLLATION", DG_DDL);
        the_names(m, SQL_O_OTHER, n->alter_collation_stmt->collname,
            n->alter_collation_stmt->n_collname);
        mk_sub(m, "REFRESH VERSION");
        return true;
    case NODE(CREATE_STATS_STMT):
        create_statistics(m, n->create_stats_stmt);
        return true;
    case NODE(ALTER_STATS_STMT):
        mk_begin(m, "ALTER STATISTICS", DG_DDL);
        the_names(m, SQL_O_OTHER, n->alter_stats_stmt->defnames,
            n->alter_stats_stmt->n_defnames);
        mk_sub(m, "SET STATISTICS");
        if (n->alter_stats_stmt->missing_ok)
            m->f.flags |= SQL_F_IF_EXISTS;
        return true;
    default:
        return false;
    }
}

/* ---- foreign data, publications ---- */

static void
import_schema(struct mk *m, const PgQuery__ImportForeignSchemaStmt *s)
{
    mk_begin(m, "IMPORT FOREIGN SCHEMA", DG_DDL);
    mk_object(m, SQL_O_SCHEMA, NULL, s->local_schema, -1);
    mk_sub_value(m, "FROM SERVER", s->remote_schema, s->server_name);
}

static void
publication_objects(struct mk *m, pgq_node *const *objects, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__PublicationObjSpec *o = objects[i]->publication_obj_spec;

        if (objects[i]->node_case != NODE(PUBLICATION_OBJ_SPEC))
            continue;
        if (o->pubtable && o->pubtable->relation)
            mk_rel(m, SQL_O_TABLE, o->pubtable->relation);
        else if (o->name[0])
            mk_object(m, SQL_O_SCHEMA, NULL, o->name, mk_pos(m, o->location));
    }
}

static void
alter_publication(struct mk *m, const PgQuery__AlterPublicationStmt *s)
{
    mk_begin(m, "ALTER PUBLICATION", DG_DDL);
    mk_object(m, SQL_O_OTHER, NULL, s->pubname, -1);
    if (s->for_all_tables)
        mk_sub(m, "FOR ALL TABLES");
    switch (s->n_options ? 0 : (int)s->action) {
    case PG_QUERY__ALTER_PUBLICATION_ACTION__AP_AddObjects:
        mk_sub(m, "ADD");
        break;
    case PG_QUERY__ALTER_PUBLICATION_ACTION__AP_DropObjects:
        mk_sub(m, "DROP");
        break;
    default:
        mk_sub(m, "SET");
    }
    publication_objects(m, s->pubobjects, s->n_pubobjects);
}

static bool
foreign_data(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(CREATE_FDW_STMT):
        mk_begin(m, "CREATE FOREIGN DATA WRAPPER", DG_DDL);
        the_name(m, SQL_O_OTHER, n->create_fdw_stmt->fdwname);
        return true;
    case NODE(ALTER_FDW_STMT):
        mk_begin(m, "ALTER FOREIGN DATA WRAPPER", DG_DDL);
        mk_object(m, SQL_O_OTHER, NULL, n->alter_fdw_stmt->fdwname, -1);
        return true;
    case NODE(CREATE_FOREIGN_SERVER_STMT):
        mk_begin(m, "CREATE SERVER", DG_DDL);
        the_name(m, SQL_O_OTHER, n->create_foreign_server_stmt->servername);
        set_if_not_exists(m, n->create_foreign_server_stmt->if_not_exists);
        return true;
    case NODE(ALTER_FOREIGN_SERVER_STMT):
        mk_begin(m, "ALTER SERVER", DG_DDL);
        mk_object(m, SQL_O_OTHER, NULL, n->alter_foreign_server_stmt->servername, -1);
        return true;
    case NODE(IMPORT_FOREIGN_SCHEMA_STMT):
        import_schema(m, n->import_foreign_schema_stmt);
        return true;
    case NODE(CREATE_PUBLICATION_STMT):
        mk_begin(m, "CREATE PUBLICATION", DG_DDL);
        the_name(m, SQL_O_OTHER, n->create_publication_stmt->pubname);
        if (n->create_publication_stmt->for_all_tables)
            mk_sub(m, "FOR ALL TABLES");
        publication_objects(m, n->create_publication_stmt->pubobjects,
            n->create_publication_stmt->n_pubobjects);
        return true;
    case NODE(ALTER_PUBLICATION_STMT):
        alter_publication(m, n->alter_publication_stmt);
        return true;
    default:
        return false;
    }
}

bool
facts_object(struct mk *m, const pgq_node *node)
{
    return types(m, node) || names_and_notes(m, node) || operators(m, node)
        || search_and_statistics(m, node) || foreign_data(m, node);
}
