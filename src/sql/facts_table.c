// SPDX-License-Identifier: ISC
/* Facts of tables and what lives in their name space: CREATE TABLE and its relatives, ALTER
 * TABLE on all of them, indexes, views, sequences.
 *
 * Subcommands beyond ALTER TABLE's: CREATE TABLE has ADD COLUMN, ADD CONSTRAINT, LIKE,
 * PARTITION OF (value DEFAULT for the default one), PARTITION BY, INHERITS, UNLOGGED, OF;
 * CREATE TABLE AS has UNLOGGED, WITH NO DATA; CREATE VIEW has SELECT *; sequences have
 * RESTART, OWNED BY, AS; CREATE FOREIGN TABLE has SERVER. */
#include "sql/make.h"

#include <string.h>

/* ---- CREATE TABLE ---- */

static void
add_column_sub(struct mk *m, const PgQuery__ColumnDef *def, const char *name)
{
    struct sql_column *col = mk_column(m, def);
    struct sql_sub *sub = mk_sub(m, name);

    sub->column = col->name;
    sub->def = col;
    sub->pos = col->pos;
}

static void
add_constraint_sub(struct mk *m, const PgQuery__Constraint *c, const char *name)
{
    struct sql_constraint *made = mk_constraint(m, c);
    struct sql_sub *sub;

    if (!made)
        return;
    sub = mk_sub(m, name);
    sub->column = made->name;
    sub->constraint = made;
    sub->pos = made->pos;
}

static void
add_elements(struct mk *m, pgq_node *const *elements, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const pgq_node *e = elements[i];

        if (e->node_case == NODE(COLUMN_DEF)) {
            add_column_sub(m, e->column_def, "ADD COLUMN");
        } else if (e->node_case == NODE(CONSTRAINT)) {
            add_constraint_sub(m, e->constraint, "ADD CONSTRAINT");
        } else if (e->node_case == NODE(TABLE_LIKE_CLAUSE)) {
            const PgQuery__RangeVar *rel = e->table_like_clause->relation;

            mk_sub_value(m, "LIKE", rel ? rel->relname : NULL, NULL)->pos = rel
                ? mk_pos(m, rel->location)
                : -1;
        }
    }
}

static void
add_partition_subs(struct mk *m, const PgQuery__CreateStmt *s)
{
    for (size_t i = 0; i < s->n_inh_relations; i++) {
        const PgQuery__RangeVar *rel = s->inh_relations[i]->range_var;
        bool is_default = s->partbound && s->partbound->is_default;

        if (s->inh_relations[i]->node_case != NODE(RANGE_VAR))
            continue;
        mk_sub_value(m, s->partbound ? "PARTITION OF" : "INHERITS", rel->relname,
            is_default ? "DEFAULT" : NULL)
            ->pos = mk_pos(m, rel->location);
        mk_rel(m, SQL_O_TABLE, rel)->is_created = false;
    }
    if (s->partspec)
        mk_sub(m, "PARTITION BY")->pos = mk_pos(m, s->partspec->location);
}

static void
create_table(struct mk *m, const PgQuery__CreateStmt *s, const char *tag)
{
    bool is_foreign = tag[7] == 'F';
    struct sql_object *o;

    mk_begin(m, tag, DG_DDL);
    if (!s->relation)
        return;
    o = mk_rel(m, is_foreign ? SQL_O_FOREIGN_TABLE : SQL_O_TABLE, s->relation);
    o->is_created = true;
    if (o->is_temp) {
        m->f.flags |= SQL_F_TEMP;
        /* it would hide the real history from this session */
        if (mk_is_tracked(m, s->relation->relname))
            m->f.cls = DG_HISTORY;
    }
    if (s->if_not_exists)
        m->f.flags |= SQL_F_IF_NOT_EXISTS;
    if (s->relation->relpersistence[0] == 'u')
        mk_sub(m, "UNLOGGED");
    if (s->of_typename) {
        const char *mods;

        mk_sub_value(m, "OF", mk_type(m, s->of_typename, &mods), NULL);
    }
    add_elements(m, s->table_elts, s->n_table_elts);
    add_elements(m, s->constraints, s->n_constraints);
    add_partition_subs(m, s);
    /* a child of a permanent table changes that one, too */
    for (size_t i = 0; i < m->f.n_objects; i++)
        if (!m->f.objects[i].is_temp)
            m->f.flags &= ~(unsigned)SQL_F_TEMP;
}

/* ---- CREATE TABLE AS, views ---- */

static void
create_as(struct mk *m, const PgQuery__CreateTableAsStmt *s)
{
    bool is_matview = s->objtype == OBJ(MATVIEW);
    const PgQuery__RangeVar *rel = s->into ? s->into->rel : NULL;

    mk_begin(m,
        is_matview              ? "CREATE MATERIALIZED VIEW"
            : s->is_select_into ? "SELECT INTO"
                                : "CREATE TABLE AS",
        DG_DDL);
    if (s->if_not_exists)
        m->f.flags |= SQL_F_IF_NOT_EXISTS;
    if (!rel)
        return;
    mk_rel(m, is_matview ? SQL_O_MATVIEW : SQL_O_TABLE, rel)->is_created = true;
    if (mk_is_temp(rel)) {
        m->f.flags |= SQL_F_TEMP;
        if (mk_is_tracked(m, rel->relname))
            m->f.cls = DG_HISTORY;
    }
    if (rel->relpersistence[0] == 'u')
        mk_sub(m, "UNLOGGED");
    if (s->into->skip_data)
        mk_sub(m, "WITH NO DATA");
}

static bool
selects_star(const pgq_node *query)
{
    const PgQuery__SelectStmt *s = query && query->node_case == NODE(SELECT_STMT)
        ? query->select_stmt
        : NULL;

    for (size_t i = 0; s && i < s->n_target_list; i++) {
        const pgq_node *t = s->target_list[i];
        const pgq_node *v = t->node_case == NODE(RES_TARGET) ? t->res_target->val
                                                             : NULL;

        if (v && v->node_case == NODE(COLUMN_REF) && v->column_ref->n_fields > 0
            && v->column_ref->fields[v->column_ref->n_fields - 1]->node_case
                == NODE(A_STAR))
            return true;
    }
    return false;
}

static void
create_view(struct mk *m, const PgQuery__ViewStmt *s)
{
    mk_begin(m, "CREATE VIEW", DG_DDL);
    if (s->view)
        mk_rel(m, SQL_O_VIEW, s->view)->is_created = true;
    if (s->view && mk_is_temp(s->view)) {
        m->f.flags |= SQL_F_TEMP;
        if (mk_is_tracked(m, s->view->relname))
            m->f.cls = DG_HISTORY;
    }
    if (s->replace)
        m->f.flags |= SQL_F_OR_REPLACE;
    if (selects_star(s->query))
        mk_sub(m, "SELECT *");
}

/* ---- CREATE INDEX ---- */

static void
create_index(struct mk *m, const PgQuery__IndexStmt *s)
{
    struct sql_index *index = arena_alloc(m->arena, sizeof(*index));
    struct sql_object *o;

    mk_begin(m, "CREATE INDEX", DG_DDL);
    m->f.index = index;
    if (s->concurrent)
        m->f.flags |= SQL_F_CONCURRENTLY | SQL_F_NO_TX;
    if (s->if_not_exists)
        m->f.flags |= SQL_F_IF_NOT_EXISTS;
    if (s->unique)
        m->f.flags |= SQL_F_UNIQUE;
    if (s->relation) {
        const PgQuery__RangeVar *rel = s->relation;

        if (!rel->inh)
            m->f.flags |= SQL_F_ONLY;
        o = mk_object(m, SQL_O_INDEX, rel->schemaname, s->idxname, -1);
        o->is_created = true;
        o->on = mk_text(m, rel->relname);
        o->on_schema = mk_text(m, rel->schemaname);
        o->is_temp = mk_is_temp(rel);
        mk_rel(m, SQL_O_TABLE, rel);
    }
    index->method = arena_strdup(m->arena, s->access_method);
    index->has_where = s->where_clause != NULL;
    index->n_columns = s->n_index_params;
    index->columns = arena_alloc(m->arena, (s->n_index_params + 1) * sizeof(char *));
    index->n_include = s->n_index_including_params;
    for (size_t i = 0; i < s->n_index_params; i++)
        if (s->index_params[i]->node_case == NODE(INDEX_ELEM)) {
            const PgQuery__IndexElem *e = s->index_params[i]->index_elem;

            index->columns[i] = mk_text(m, e->name);
            index->has_order = index->has_order || e->n_opclass || e->n_collation
                || e->ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC
                || e->nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST;
        }
}

/* ---- ALTER TABLE ---- */

static const char *
alter_sub_name(const PgQuery__AlterTableCmd *c, bool is_type)
{
    static const char *const names[] = {
        [ACTION(DropNotNull)] = "DROP NOT NULL",
        [ACTION(SetNotNull)] = "SET NOT NULL",
        [ACTION(DropExpression)] = "DROP EXPRESSION",
        [ACTION(SetStatistics)] = "SET STATISTICS",
        [ACTION(SetOptions)] = "ALTER COLUMN SET",
        [ACTION(ResetOptions)] = "ALTER COLUMN RESET",
        [ACTION(SetStorage)] = "SET STORAGE",
        [ACTION(SetCompression)] = "SET COMPRESSION",
        [ACTION(AddIndex)] = "ADD CONSTRAINT",
        [ACTION(AddConstraint)] = "ADD CONSTRAINT",
        [ACTION(AlterConstraint)] = "ALTER CONSTRAINT",
        [ACTION(ValidateConstraint)] = "VALIDATE CONSTRAINT",
        [ACTION(DropConstraint)] = "DROP CONSTRAINT",
        [ACTION(AlterColumnGenericOptions)] = "ALTER COLUMN OPTIONS",
        [ACTION(ChangeOwner)] = "OWNER TO",
        [ACTION(ClusterOn)] = "CLUSTER ON",
        [ACTION(DropCluster)] = "SET WITHOUT CLUSTER",
        [ACTION(SetLogged)] = "SET LOGGED",
        [ACTION(SetUnLogged)] = "SET UNLOGGED",
        [ACTION(DropOids)] = "SET WITHOUT OIDS",
        [ACTION(SetAccessMethod)] = "SET ACCESS METHOD",
        [ACTION(SetTableSpace)] = "SET TABLESPACE",
        [ACTION(SetRelOptions)] = "SET",
        [ACTION(ResetRelOptions)] = "RESET",
        [ACTION(EnableTrig)] = "ENABLE TRIGGER",
        [ACTION(EnableAlwaysTrig)] = "ENABLE ALWAYS TRIGGER",
        [ACTION(EnableReplicaTrig)] = "ENABLE REPLICA TRIGGER",
        [ACTION(DisableTrig)] = "DISABLE TRIGGER",
        [ACTION(EnableTrigAll)] = "ENABLE TRIGGER ALL",
        [ACTION(DisableTrigAll)] = "DISABLE TRIGGER ALL",
        [ACTION(EnableTrigUser)] = "ENABLE TRIGGER USER",
        [ACTION(DisableTrigUser)] = "DISABLE TRIGGER USER",
        [ACTION(EnableRule)] = "ENABLE RULE",
        [ACTION(EnableAlwaysRule)] = "ENABLE ALWAYS RULE",
        [ACTION(EnableReplicaRule)] = "ENABLE REPLICA RULE",
        [ACTION(DisableRule)] = "DISABLE RULE",
        [ACTION(AddInherit)] = "INHERIT",
        [ACTION(DropInherit)] = "NO INHERIT",
        [ACTION(AddOf)] = "OF",
        [ACTION(DropOf)] = "NOT OF",
        [ACTION(EnableRowSecurity)] = "ENABLE ROW LEVEL SECURITY",
        [ACTION(DisableRowSecurity)] = "DISABLE ROW LEVEL SECURITY",
        [ACTION(ForceRowSecurity)] = "FORCE ROW LEVEL SECURITY",
        [ACTION(NoForceRowSecurity)] = "NO FORCE ROW LEVEL SECURITY",
        [ACTION(GenericOptions)] = "OPTIONS",
        [ACTION(AttachPartition)] = "ATTACH PARTITION",
        [ACTION(DetachPartition)] = "DETACH PARTITION",
        [ACTION(DetachPartitionFinalize)] = "DETACH PARTITION FINALIZE",
        [ACTION(AddIdentity)] = "ADD GENERATED",
        [ACTION(SetIdentity)] = "SET GENERATED",
        [ACTION(DropIdentity)] = "DROP IDENTITY",
    };

    switch ((int)c->subtype) {
    case ACTION(AddColumn):
        return is_type ? "ADD ATTRIBUTE" : "ADD COLUMN";
    case ACTION(DropColumn):
        return is_type ? "DROP ATTRIBUTE" : "DROP COLUMN";
    case ACTION(AlterColumnType):
        return is_type ? "ALTER ATTRIBUTE TYPE" : "ALTER COLUMN TYPE";
    case ACTION(ColumnDefault):
        return c->def ? "SET DEFAULT" : "DROP DEFAULT";
    default:
        if ((size_t)c->subtype < DG_ARRAY_SIZE(names) && names[c->subtype])
            return names[c->subtype];
        return NULL;
    }
}

static void
replica_identity(
    struct sql_sub *sub, struct mk *m, const PgQuery__ReplicaIdentityStmt *r)
{
    switch (r->identity_type[0]) {
    case 'f':
        sub->name = "REPLICA IDENTITY FULL";
        break;
    case 'n':
        sub->name = "REPLICA IDENTITY NOTHING";
        break;
    case 'd':
        sub->name = "REPLICA IDENTITY DEFAULT";
        break;
    default:
        sub->name = "REPLICA IDENTITY USING INDEX";
        sub->column = mk_text(m, r->name);
    }
}

static void
partition_sub(struct sql_sub *sub, struct mk *m, const PgQuery__PartitionCmd *p)
{
    const bool is_index = m->f.objects && m->f.objects[0].kind == SQL_O_INDEX;

    sub->column = p->name ? mk_text(m, p->name->relname) : NULL;
    if (p->bound && p->bound->is_default)
        sub->value = "DEFAULT";
    if (p->concurrent) {
        sub->flags |= SQL_F_CONCURRENTLY;
        m->f.flags |= SQL_F_CONCURRENTLY | SQL_F_NO_TX;
    }
    mk_rel(m, is_index ? SQL_O_INDEX : SQL_O_TABLE, p->name);
}

/* What the action's node says beyond its kind. */
static void
alter_sub_def(struct mk *m, struct sql_sub *sub, const PgQuery__AlterTableCmd *c)
{
    const pgq_node *def = c->def;

    if (!def)
        return;
    switch ((int)def->node_case) {
    case NODE(COLUMN_DEF):
        sub->def = mk_column(m, def->column_def);
        if (sub->def->name[0])
            sub->column = sub->def->name;
        else
            sub->def->name = sub->column;
        break;
    case NODE(CONSTRAINT):
        sub->constraint = mk_constraint(m, def->constraint);
        if (sub->constraint && !sub->column)
            sub->column = sub->constraint->name;
        if (c->subtype == ACTION(AlterConstraint)) /* it only names one */
            sub->constraint = NULL;
        break;
    case NODE(PARTITION_CMD):
        partition_sub(sub, m, def->partition_cmd);
        break;
    case NODE(REPLICA_IDENTITY_STMT):
        replica_identity(sub, m, def->replica_identity_stmt);
        break;
    case NODE(RANGE_VAR): /* INHERIT */
        sub->column = mk_text(m, def->range_var->relname);
        mk_rel(m, SQL_O_TABLE, def->range_var);
        break;
    default:
        sub->value = mk_constant(m, def);
    }
}

static void
alter_sub(struct mk *m, const PgQuery__AlterTableCmd *c, bool is_type)
{
    const char *name = alter_sub_name(c, is_type);
    struct sql_sub *sub = mk_sub(m, name ? name : "");

    sub->column = mk_text(m, c->name);
    sub->value = mk_role(m, c->newowner);
    if (c->missing_ok)
        sub->flags |= c->subtype == ACTION(AddColumn) ? SQL_F_IF_NOT_EXISTS
                                                      : SQL_F_IF_EXISTS;
    if (c->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE) {
        sub->flags |= SQL_F_CASCADE;
        m->f.flags |= SQL_F_CASCADE;
    }
    if (c->subtype == ACTION(ReplicaIdentity))
        sub->name = "REPLICA IDENTITY";
    else if (!name)
        m->f.flags |= SQL_F_UNPARSABLE;
    alter_sub_def(m, sub, c);
}

/* Actions have no location of their own: they stand after the table's name and after each
 * comma outside brackets. */
static void
place_subs(struct mk *m, const PgQuery__RangeVar *rel)
{
    struct sql_lexer lx;
    struct sql_token tok;
    size_t n = 0, from = (size_t)rel->location;
    int depth = 0, names = 1 + (rel->schemaname[0] != 0) + (rel->catalogname[0] != 0);
    bool is_start = false;
    int *starts;

    if (rel->location < 0 || from >= m->end)
        return;
    starts = arena_alloc(m->arena, m->f.n_subs * sizeof(*starts));
    sql_lex_init(&lx, m->place.text + from, m->end - from, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        char c = tok.kind == SQL_T_PUNCT || tok.len == 1 ? lx.text[tok.start] : 0;

        if (names > 0) { /* a . b */
            names -= c != '.';
            is_start = names == 0;
            continue;
        }
        if (is_start && (c == '*' || c == ')')) /* inherited ones too; ONLY (t) */
            continue;
        if (is_start) {
            if (n < m->f.n_subs)
                starts[n] = mk_pos(m, (int)(from + tok.start));
            n++;
        }
        depth += (c == '(' || c == '[') - (c == ')' || c == ']');
        is_start = c == ',' && depth == 0;
    }
    for (size_t i = 0; n == m->f.n_subs && i < n; i++)
        m->f.subs[i].pos = starts[i];
}

static void
alter_table(struct mk *m, const PgQuery__AlterTableStmt *s)
{
    bool is_type = s->objtype == OBJ(TYPE), owner_only = s->n_cmds > 0;

    mk_begin(m, mk_tag_of(MK_ALTER, s->objtype), DG_DDL);
    if (s->missing_ok)
        m->f.flags |= SQL_F_IF_EXISTS;
    if (s->relation && !s->relation->inh && !is_type)
        m->f.flags |= SQL_F_ONLY;
    mk_rel(m, mk_kind_of(s->objtype), s->relation);
    for (size_t i = 0; i < s->n_cmds; i++) {
        if (s->cmds[i]->node_case != NODE(ALTER_TABLE_CMD))
            continue;
        alter_sub(m, s->cmds[i]->alter_table_cmd, is_type);
        owner_only = owner_only
            && s->cmds[i]->alter_table_cmd->subtype == ACTION(ChangeOwner);
    }
    if (owner_only)
        m->f.cls = DG_DCL;
    if (s->relation && m->f.n_subs)
        place_subs(m, s->relation);
}

static void
move_all(struct mk *m, const PgQuery__AlterTableMoveAllStmt *s)
{
    mk_begin(m, mk_tag_of(MK_ALTER, s->objtype), DG_DDL);
    mk_object(m, SQL_O_TABLESPACE, NULL, s->orig_tablespacename, -1);
    mk_sub_value(m, "SET TABLESPACE", NULL, s->new_tablespacename);
}

/* ---- sequences ---- */

static void
sequence_subs(struct mk *m, pgq_node *const *options, size_t n)
{
    static const struct {
        const char *option, *name;
    } subs[] = {
        { "restart", "RESTART" },
        { "owned_by", "OWNED BY" },
        { "as", "AS" },
    };
    bool only_restart = n > 0;

    for (size_t i = 0; i < n; i++) {
        const PgQuery__DefElem *d = options[i]->def_elem;
        const char *name = "SET";

        if (options[i]->node_case != NODE(DEF_ELEM))
            continue;
        for (size_t k = 0; k < DG_ARRAY_SIZE(subs); k++)
            if (strcmp(d->defname, subs[k].option) == 0)
                name = subs[k].name;
        only_restart = only_restart && strcmp(name, "RESTART") == 0;
        if (strcmp(name, "SET") != 0 || m->f.tag[0] == 'A')
            mk_sub_value(m, name, strcmp(name, "SET") == 0 ? d->defname : NULL,
                mk_constant(m, d->arg))
                ->pos = mk_pos(m, d->location);
    }
    if (only_restart && m->f.tag[0] == 'A')
        m->f.cls = DG_MAINTENANCE;
}

static void
create_sequence(struct mk *m, const PgQuery__CreateSeqStmt *s)
{
    mk_begin(m, "CREATE SEQUENCE", DG_DDL);
    if (s->if_not_exists)
        m->f.flags |= SQL_F_IF_NOT_EXISTS;
    if (s->sequence)
        mk_rel(m, SQL_O_SEQUENCE, s->sequence)->is_created = true;
    sequence_subs(m, s->options, s->n_options);
}

static void
alter_sequence(struct mk *m, const PgQuery__AlterSeqStmt *s)
{
    mk_begin(m, "ALTER SEQUENCE", DG_DDL);
    if (s->missing_ok)
        m->f.flags |= SQL_F_IF_EXISTS;
    mk_rel(m, SQL_O_SEQUENCE, s->sequence);
    sequence_subs(m, s->options, s->n_options);
}

bool
facts_table(struct mk *m, const pgq_node *node)
{
    switch ((int)node->node_case) {
    case NODE(CREATE_STMT):
        create_table(m, node->create_stmt, "CREATE TABLE");
        return true;
    case NODE(CREATE_FOREIGN_TABLE_STMT):
        mk_begin(m, "CREATE FOREIGN TABLE", DG_DDL);
        if (node->create_foreign_table_stmt->base_stmt)
            create_table(
                m, node->create_foreign_table_stmt->base_stmt, "CREATE FOREIGN TABLE");
        mk_sub_value(m, "SERVER", NULL, node->create_foreign_table_stmt->servername);
        return true;
    case NODE(CREATE_TABLE_AS_STMT):
        create_as(m, node->create_table_as_stmt);
        return true;
    case NODE(VIEW_STMT):
        create_view(m, node->view_stmt);
        return true;
    case NODE(INDEX_STMT):
        create_index(m, node->index_stmt);
        return true;
    case NODE(ALTER_TABLE_STMT):
        alter_table(m, node->alter_table_stmt);
        return true;
    case NODE(ALTER_TABLE_MOVE_ALL_STMT):
        move_all(m, node->alter_table_move_all_stmt);
        return true;
    case NODE(CREATE_SEQ_STMT):
        create_sequence(m, node->create_seq_stmt);
        return true;
    case NODE(ALTER_SEQ_STMT):
        alter_sequence(m, node->alter_seq_stmt);
        return true;
    default:
        return false;
    }
}
