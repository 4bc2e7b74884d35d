// SPDX-License-Identifier: ISC
/* Facts of statements that read and write rows, and of maintenance. Rows are only looked at
 * where a tracked history table is the target; its values are then kept as they stand.
 *
 * Subcommands: UPDATE and DELETE have WITHOUT WHERE (WHERE TRUE and the like included),
 * UPDATE has SET (column); INSERT has WITHOUT COLUMNS, VALUES (value: how many rows) or
 * SELECT; COPY has FROM or TO, and PROGRAM or FILE; LOCK has its mode (ACCESS EXCLUSIVE)
 * and NOWAIT; TRUNCATE has RESTART IDENTITY; VACUUM has FULL;
 * REINDEX has INDEX, TABLE, SCHEMA, SYSTEM or DATABASE; REFRESH has WITH NO DATA. */
#include "sql/make.h"

#include <string.h>

/* ---- values of history rows ---- */

static struct sql_value
value_of(struct mk *m, const char *column, const pgq_node *node)
{
    struct sql_value v = { .column = mk_text(m, column) };

    while (node && node->node_case == NODE(TYPE_CAST))
        node = node->type_cast->arg;
    if (node && node->node_case == NODE(A_CONST) && node->a_const->isnull)
        v.is_null = true;
    else if (node && node->node_case == NODE(PARAM_REF))
        v.param = node->param_ref->number;
    else
        v.text = mk_constant(m, node);
    v.is_expression = !v.is_null && !v.param && !v.text;
    return v;
}

static const char *
column_at(pgq_node *const *cols, size_t n, size_t i)
{
    return i < n && cols[i]->node_case == NODE(RES_TARGET) ? cols[i]->res_target->name
                                                           : NULL;
}

static size_t
count_values(const PgQuery__SelectStmt *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_values_lists; i++)
        if (s->values_lists[i]->node_case == NODE(LIST))
            n += s->values_lists[i]->list->n_items;
    return n;
}

static void
insert_values(struct mk *m, struct sql_write *w, const PgQuery__InsertStmt *s)
{
    const PgQuery__SelectStmt *q = s->select_stmt
            && s->select_stmt->node_case == NODE(SELECT_STMT)
        ? s->select_stmt->select_stmt
        : NULL;
    size_t n;

    if (!q)
        return;
    n = q->n_values_lists ? count_values(q) : q->n_target_list;
    w->values = arena_alloc(m->arena, (n + 1) * sizeof(*w->values));
    w->n_rows = q->n_values_lists;
    for (size_t r = 0; r < q->n_values_lists; r++) {
        const pgq_node *row = q->values_lists[r];

        for (size_t i = 0; row->node_case == NODE(LIST) && i < row->list->n_items; i++)
            w->values[w->n_values++] = value_of(
                m, column_at(s->cols, s->n_cols, i), row->list->items[i]);
    }
    for (size_t i = 0; !q->n_values_lists && i < q->n_target_list; i++)
        if (q->target_list[i]->node_case == NODE(RES_TARGET))
            w->values[w->n_values++] = value_of(m, column_at(s->cols, s->n_cols, i),
                q->target_list[i]->res_target->val);
}

/* SET (a, b) = (1, 2) is one row source and a numbered reference for each column. */
static const pgq_node *
assigned(const pgq_node *val)
{
    const PgQuery__MultiAssignRef *ref;
    const pgq_node *source;

    if (!val || val->node_case != NODE(MULTI_ASSIGN_REF))
        return val;
    ref = val->multi_assign_ref;
    source = ref->source;
    if (source && source->node_case == NODE(ROW_EXPR) && ref->colno > 0
        && (size_t)ref->colno <= source->row_expr->n_args)
        return source->row_expr->args[ref->colno - 1];
    return NULL;
}

static void
update_values(struct mk *m, struct sql_write *w, pgq_node *const *targets, size_t n)
{
    w->values = arena_alloc(m->arena, (n + 1) * sizeof(*w->values));
    for (size_t i = 0; i < n; i++)
        if (targets[i]->node_case == NODE(RES_TARGET))
            w->values[w->n_values++] = value_of(
                m, targets[i]->res_target->name, assigned(targets[i]->res_target->val));
}

static const char *
column_name(const pgq_node *node)
{
    if (!node || node->node_case != NODE(COLUMN_REF) || node->column_ref->n_fields == 0)
        return NULL;
    return mk_string(node->column_ref->fields[node->column_ref->n_fields - 1]);
}

/* column = constant, either way round */
static bool
add_term(struct mk *m, struct sql_write *w, const pgq_node *node)
{
    const PgQuery__AExpr *e = node && node->node_case == NODE(A_EXPR) ? node->a_expr
                                                                      : NULL;
    const char *op = e && e->n_name == 1 ? mk_string(e->name[0]) : NULL;
    const pgq_node *value = NULL;
    const char *column = NULL;
    struct sql_value v;

    if (!op || e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || strcmp(op, "=") != 0)
        return false;
    if ((column = column_name(e->lexpr)))
        value = e->rexpr;
    else if ((column = column_name(e->rexpr)))
        value = e->lexpr;
    if (!column)
        return false;
    v = value_of(m, column, value);
    if (v.is_expression)
        return false;
    w->where[w->n_where++] = v;
    return true;
}

/* column IN (constant, ...) */
static void
in_values(struct mk *m, struct sql_write *w, const pgq_node *node)
{
    const PgQuery__AExpr *e = node->node_case == NODE(A_EXPR) ? node->a_expr : NULL;
    const char *op = e && e->n_name == 1 ? mk_string(e->name[0]) : NULL;
    const char *column = op ? column_name(e->lexpr) : NULL;

    if (!column || e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_IN || strcmp(op, "=") != 0
        || !e->rexpr || e->rexpr->node_case != NODE(LIST))
        return;
    const PgQuery__List *list = e->rexpr->list;
    struct sql_value *values = arena_alloc(
        m->arena, (list->n_items + 1) * sizeof(*values));
    for (size_t i = 0; i < list->n_items; i++) {
        values[i] = value_of(m, column, list->items[i]);
        if (values[i].is_expression)
            return;
    }
    w->in = values;
    w->n_in = list->n_items;
}

/* The grammar flattens a AND b AND c into one BoolExpr; brackets may nest another one,
 * which then counts as "not simple". */
static void
where_values(struct mk *m, struct sql_write *w, const pgq_node *where)
{
    const bool is_and = where && where->node_case == NODE(BOOL_EXPR)
        && where->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
    size_t n = is_and ? where->bool_expr->n_args : 1;

    w->where_is_simple = true;
    w->where = arena_alloc(m->arena, n * sizeof(*w->where));
    if (!where)
        return;
    for (size_t i = 0; i < n; i++)
        if (!add_term(m, w, is_and ? where->bool_expr->args[i] : where))
            w->where_is_simple = false;
    if (!is_and)
        in_values(m, w, where);
}

/* The target table; a struct sql_write if it is a tracked one. */
static struct sql_write *
target(struct mk *m, const PgQuery__RangeVar *rel, int op)
{
    struct sql_write *w;

    mk_rel(m, SQL_O_TABLE, rel);
    if (!rel || !mk_is_tracked(m, rel->relname) || m->f.write)
        return NULL;
    w = arena_alloc(m->arena, sizeof(*w));
    w->op = op;
    w->schema = mk_text(m, rel->schemaname);
    w->table = arena_strdup(m->arena, rel->relname);
    m->f.write = w;
    m->f.cls = DG_HISTORY;
    return w;
}

/* ---- DML ---- */

void
facts_select(
    struct mk *m, const PgQuery__SelectStmt *s, const PgQuery__IntoClause *into)
{
    (void)s;
    mk_begin(m, into ? "SELECT INTO" : "SELECT", into ? DG_DDL : DG_OTHER);
    if (!into || !into->rel)
        return;
    mk_rel(m, SQL_O_TABLE, into->rel)->is_created = true;
    if (mk_is_temp(into->rel)) {
        m->f.flags |= SQL_F_TEMP;
        if (mk_is_tracked(m, into->rel->relname))
            m->f.cls = DG_HISTORY;
    }
    if (into->rel->relpersistence[0] == 'u')
        mk_sub(m, "UNLOGGED");
}

/* SET a = excluded.a for each column: what stands then is what was to be inserted. A column
 * set to itself (a = t.a, as Atlas writes it) is one that is not set. */
static bool
takes_excluded(const PgQuery__RangeVar *into, const PgQuery__OnConflictClause *c)
{
    const char *own = into->alias ? into->alias->aliasname : into->relname;

    for (size_t i = 0; i < c->n_target_list; i++) {
        const PgQuery__ResTarget *t = c->target_list[i]->node_case == NODE(RES_TARGET)
            ? c->target_list[i]->res_target
            : NULL;
        const PgQuery__ColumnRef *ref = t && t->val
                && t->val->node_case == NODE(COLUMN_REF)
            ? t->val->column_ref
            : NULL;
        const char *from = ref && ref->n_fields == 2 ? mk_string(ref->fields[0]) : NULL;
        const char *column = from ? mk_string(ref->fields[1]) : NULL;
        if (!column || strcmp(column, t->name) != 0
            || (strcmp(from, "excluded") != 0 && strcmp(from, own) != 0))
            return false;
    }
    return c->n_target_list > 0;
}

/* No condition, or one that holds for every row: true, 1 = 1. */
static bool
is_everything(struct mk *m, const pgq_node *where)
{
    const pgq_node *value = where;
    const PgQuery__AExpr *e;
    const char *left, *right, *op;

    if (!where)
        return true;
    while (value->node_case == NODE(TYPE_CAST) && value->type_cast->arg)
        value = value->type_cast->arg;
    if (value->node_case == NODE(A_CONST)) {
        left = mk_constant(m, value);
        return left && (strcmp(left, "true") == 0 || strcmp(left, "t") == 0);
    }
    if (where->node_case != NODE(A_EXPR))
        return false;
    e = where->a_expr;
    op = e->n_name == 1 ? mk_string(e->name[0]) : NULL;
    left = e->lexpr ? mk_constant(m, e->lexpr) : NULL;
    right = e->rexpr ? mk_constant(m, e->rexpr) : NULL;
    return op && left && right && strcmp(op, "=") == 0 && strcmp(left, right) == 0;
}

static void
insert_subs(struct mk *m, const PgQuery__InsertStmt *s)
{
    const PgQuery__SelectStmt *q = s->select_stmt
            && s->select_stmt->node_case == NODE(SELECT_STMT)
        ? s->select_stmt->select_stmt
        : NULL;

    if (!q) /* DEFAULT VALUES */
        return;
    if (!s->n_cols)
        mk_sub(m, "WITHOUT COLUMNS");
    if (q->n_values_lists)
        mk_sub_value(
            m, "VALUES", NULL, arena_printf(m->arena, "%zu", q->n_values_lists));
    else
        mk_sub(m, "SELECT");
}

static void
insert(struct mk *m, const PgQuery__InsertStmt *s)
{
    struct sql_write *w;

    mk_begin(m, "INSERT", DG_OTHER);
    w = target(m, s->relation, SQL_WRITE_INSERT);
    if (w) {
        insert_values(m, w, s);
        w->is_upsert = s->on_conflict_clause
            && s->on_conflict_clause->action
                == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE
            && !takes_excluded(s->relation, s->on_conflict_clause);
    }
    insert_subs(m, s);
}

static void
update(struct mk *m, const PgQuery__UpdateStmt *s)
{
    struct sql_write *w;

    mk_begin(m, "UPDATE", DG_OTHER);
    w = target(m, s->relation, SQL_WRITE_UPDATE);
    if (w) {
        update_values(m, w, s->target_list, s->n_target_list);
        where_values(m, w, s->where_clause);
    }
    if (is_everything(m, s->where_clause))
        mk_sub(m, "WITHOUT WHERE");
    for (size_t i = 0; i < s->n_target_list; i++)
        if (s->target_list[i]->node_case == NODE(RES_TARGET)
            && !s->target_list[i]->res_target->n_indirection)
            mk_sub_value(m, "SET", s->target_list[i]->res_target->name, NULL);
    /* the view's rule turns it into set_config */
    if (s->relation && strcmp(s->relation->relname, "pg_settings") == 0)
        m->f.flags |= SQL_F_READING;
}

static void
delete_rows(struct mk *m, const PgQuery__DeleteStmt *s)
{
    struct sql_write *w;

    mk_begin(m, "DELETE", DG_OTHER);
    w = target(m, s->relation, SQL_WRITE_DELETE);
    if (w) {
        where_values(m, w, s->where_clause);
        if (s->n_using_clause) {
            w->where_is_simple = false;
            w->n_in = 0;
        }
    }
    if (is_everything(m, s->where_clause))
        mk_sub(m, "WITHOUT WHERE");
}

/* An option of one byte. */
static bool
copy_byte(const PgQuery__CopyStmt *s, const char *name, char *out)
{
    const PgQuery__DefElem *d = mk_option(s->options, s->n_options, name);
    const char *value = d && d->arg ? mk_string(d->arg) : NULL;

    if (!d)
        return true;
    if (!value || strlen(value) != 1)
        return false;
    *out = value[0];
    return true;
}

static bool
copy_format(const PgQuery__CopyStmt *s, struct sql_copy *c)
{
    const PgQuery__DefElem *d = mk_option(s->options, s->n_options, "format");
    const char *value = d && d->arg ? mk_string(d->arg) : NULL;

    c->format = SQL_COPY_TEXT;
    if (!d || (value && strcmp(value, "text") == 0))
        return true;
    if (value && strcmp(value, "csv") == 0)
        c->format = SQL_COPY_CSV;
    else if (value && strcmp(value, "binary") == 0)
        c->format = SQL_COPY_BINARY;
    return c->format != SQL_COPY_TEXT;
}

/* Options that change which rows come to be, in ways that nobody here follows. */
static bool
has_other_options(const PgQuery__CopyStmt *s)
{
    static const char *const known[] = { "format", "delimiter", "null", "header",
        "quote", "escape", "freeze" };
    size_t n_known = 0;

    for (size_t i = 0; i < DG_ARRAY_SIZE(known); i++)
        n_known += mk_option(s->options, s->n_options, known[i]) != NULL;
    return n_known != s->n_options;
}

/* How its rows are written; NULL if they can't be read. */
static struct sql_copy *
copy_form(struct mk *m, const PgQuery__CopyStmt *s)
{
    const PgQuery__DefElem *null = mk_option(s->options, s->n_options, "null");
    struct sql_copy c = { 0 };

    if (s->is_program || s->filename[0] || s->where_clause || has_other_options(s)
        || !copy_format(s, &c))
        return NULL;
    bool is_csv = c.format == SQL_COPY_CSV;
    c.delimiter = is_csv ? ',' : '\t';
    c.quote = '"';
    c.null = null && null->arg ? mk_text(m, mk_string(null->arg)) : NULL;
    if (!c.null)
        c.null = null || is_csv ? "" : "\\N";
    c.has_header = mk_option_is_on(s->options, s->n_options, "header");
    if (!copy_byte(s, "delimiter", &c.delimiter) || !copy_byte(s, "quote", &c.quote))
        return NULL;
    c.escape = c.quote;
    if (!copy_byte(s, "escape", &c.escape))
        return NULL;
    struct sql_copy *out = arena_alloc(m->arena, sizeof(*out));
    *out = c;
    return out;
}

static void
copy(struct mk *m, const PgQuery__CopyStmt *s)
{
    struct sql_write *w = NULL;

    mk_begin(m, "COPY", DG_OTHER);
    if (s->is_from)
        w = target(m, s->relation, SQL_WRITE_COPY);
    else
        mk_rel(m, SQL_O_TABLE, s->relation);
    if (w)
        w->copy = copy_form(m, s);
    if (w && s->n_attlist) {
        w->values = arena_alloc(m->arena, s->n_attlist * sizeof(*w->values));
        for (size_t i = 0; i < s->n_attlist; i++)
            w->values[w->n_values++] = (struct sql_value){
                .column = mk_text(m, mk_string(s->attlist[i])),
                .is_expression = true,
            };
    }
    mk_sub(m, s->is_from ? "FROM" : "TO");
    if (s->is_program)
        mk_sub(m, "PROGRAM");
    else if (s->filename[0])
        mk_sub(m, "FILE");
}

static void
truncate_tables(struct mk *m, const PgQuery__TruncateStmt *s)
{
    mk_begin(m, "TRUNCATE TABLE", DG_MAINTENANCE);
    for (size_t i = 0; i < s->n_relations; i++)
        if (s->relations[i]->node_case == NODE(RANGE_VAR)) {
            target(m, s->relations[i]->range_var, SQL_WRITE_TRUNCATE);
            if (!s->relations[i]->range_var->inh)
                m->f.flags |= SQL_F_ONLY;
        }
    if (s->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        m->f.flags |= SQL_F_CASCADE;
    if (s->restart_seqs)
        mk_sub(m, "RESTART IDENTITY");
}

static void
lock_tables(struct mk *m, const PgQuery__LockStmt *s)
{
    static const char *const modes[] = { "", "ACCESS SHARE", "ROW SHARE",
        "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
        "EXCLUSIVE", "ACCESS EXCLUSIVE" };

    /* what a SELECT takes, FOR UPDATE included: pg_dump locks every table so */
    const bool is_reading = s->mode == 1 || s->mode == 2;

    mk_begin(m, "LOCK TABLE", DG_OTHER);
    for (size_t i = 0; i < s->n_relations; i++) {
        if (s->relations[i]->node_case != NODE(RANGE_VAR))
            continue;
        if (is_reading)
            mk_rel(m, SQL_O_TABLE, s->relations[i]->range_var);
        else
            target(m, s->relations[i]->range_var, SQL_WRITE_LOCK);
    }
    if (s->mode > 0 && (size_t)s->mode < DG_ARRAY_SIZE(modes))
        mk_sub(m, modes[s->mode]);
    if (s->nowait)
        mk_sub(m, "NOWAIT");
}

/* ---- maintenance ---- */

static void
vacuum(struct mk *m, const PgQuery__VacuumStmt *s)
{
    mk_begin(m, s->is_vacuumcmd ? "VACUUM" : "ANALYZE",
        s->is_vacuumcmd ? DG_MAINTENANCE : DG_OTHER);
    if (s->is_vacuumcmd)
        m->f.flags |= SQL_F_NO_TX;
    for (size_t i = 0; i < s->n_rels; i++)
        if (s->rels[i]->node_case == NODE(VACUUM_RELATION))
            mk_rel(m, SQL_O_TABLE, s->rels[i]->vacuum_relation->relation);
    if (mk_option_is_on(s->options, s->n_options, "full"))
        mk_sub(m, "FULL");
}

static void
reindex(struct mk *m, const PgQuery__ReindexStmt *s)
{
    static const struct {
        const char *name;
        enum sql_object_kind kind;
    } kinds[] = {
        [PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX] = { "INDEX",
            SQL_O_INDEX },
        [PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE] = { "TABLE",
            SQL_O_TABLE },
        [PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA] = { "SCHEMA",
            SQL_O_SCHEMA },
        [PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SYSTEM] = { "SYSTEM",
            SQL_O_DATABASE },
        [PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_DATABASE] = { "DATABASE",
            SQL_O_DATABASE },
    };
    const size_t kind = (size_t)s->kind;
    const bool is_known = kind < DG_ARRAY_SIZE(kinds) && kinds[kind].name;
    const enum sql_object_kind what = is_known ? kinds[kind].kind : SQL_O_OTHER;

    mk_begin(m, "REINDEX", DG_MAINTENANCE);
    if (s->relation)
        mk_rel(m, what, s->relation);
    else if (s->name[0])
        mk_object(m, what, NULL, s->name, -1);
    if (is_known)
        mk_sub(m, kinds[kind].name);
    if (!s->relation)
        m->f.flags |= SQL_F_NO_TX;
    if (mk_option_is_on(s->params, s->n_params, "concurrently"))
        m->f.flags |= SQL_F_CONCURRENTLY | SQL_F_NO_TX;
}

static bool
maintenance(struct mk *m, const pgq_node *n)
{
    switch ((int)n->node_case) {
    case NODE(VACUUM_STMT):
        vacuum(m, n->vacuum_stmt);
        return true;
    case NODE(REINDEX_STMT):
        reindex(m, n->reindex_stmt);
        return true;
    case NODE(CLUSTER_STMT):
        mk_begin(m, "CLUSTER", DG_MAINTENANCE);
        mk_rel(m, SQL_O_TABLE, n->cluster_stmt->relation);
        if (!n->cluster_stmt->relation)
            m->f.flags |= SQL_F_NO_TX;
        return true;
    case NODE(REFRESH_MAT_VIEW_STMT):
        mk_begin(m, "REFRESH MATERIALIZED VIEW", DG_MAINTENANCE);
        mk_rel(m, SQL_O_MATVIEW, n->refresh_mat_view_stmt->relation);
        if (n->refresh_mat_view_stmt->concurrent)
            m->f.flags |= SQL_F_CONCURRENTLY;
        if (n->refresh_mat_view_stmt->skip_data)
            mk_sub(m, "WITH NO DATA");
        return true;
    default:
        return false;
    }
}

bool
facts_data(struct mk *m, const pgq_node *node)
{
    switch ((int)node->node_case) {
    case NODE(INSERT_STMT):
        insert(m, node->insert_stmt);
        return true;
    case NODE(UPDATE_STMT):
        update(m, node->update_stmt);
        return true;
    case NODE(DELETE_STMT):
        delete_rows(m, node->delete_stmt);
        return true;
    case NODE(MERGE_STMT):
        mk_begin(m, "MERGE", DG_OTHER);
        target(m, node->merge_stmt->relation, SQL_WRITE_MERGE);
        return true;
    case NODE(COPY_STMT):
        copy(m, node->copy_stmt);
        return true;
    case NODE(TRUNCATE_STMT):
        truncate_tables(m, node->truncate_stmt);
        return true;
    case NODE(LOCK_STMT):
        lock_tables(m, node->lock_stmt);
        return true;
    default:
        return maintenance(m, node);
    }
}
