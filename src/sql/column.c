// SPDX-License-Identifier: ISC
/* Columns, their types and constraints, as CREATE TABLE, ALTER TABLE and their relatives
 * hold them. In a raw tree everything about a column is in its Constraint nodes; the
 * is_not_null, identity and generated fields stay empty. */
#include "sql/make.h"

#include <string.h>

#define CONSTR(type) PG_QUERY__CONSTR_TYPE__CONSTR_##type

/* ---- types ---- */

static const char *
type_mods(struct mk *m, const PgQuery__TypeName *type)
{
    const size_t n = type->n_array_bounds;
    const char *list = mk_join(m, type->typmods, type->n_typmods, ",");
    char *mods, *p;

    if (!list)
        list = "?";
    mods = p = arena_alloc(m->arena, strlen(list) + 2 * n + 3);
    if (type->n_typmods) {
        p = mk_put(p, "(");
        p = mk_put(p, list);
        p = mk_put(p, ")");
    }
    for (size_t i = 0; i < n; i++)
        p = mk_put(p, "[]");
    return mods;
}

const char *
mk_type(struct mk *m, const PgQuery__TypeName *type, const char **mods)
{
    const char *name;

    *mods = "";
    if (!type)
        return "";
    name = mk_join(m, type->names, type->n_names, ".");
    if (type->pct_type)
        name = arena_printf(m->arena, "%s%%TYPE", name ? name : "");
    *mods = type_mods(m, type);
    return name ? name : "";
}

/* ---- expressions of defaults ---- */

/* Functions of pg_catalog that ADD COLUMN ... DEFAULT can evaluate once. Anything not
 * listed counts as volatile: unknown makes stricter. */
static bool
is_stable(const char *name)
{
    static const char *const stable[] = {
        "abs",
        "age",
        "array_fill",
        "ceil",
        "concat",
        "concat_ws",
        "current_database",
        "current_schema",
        "current_setting",
        "date_part",
        "date_trunc",
        "decode",
        "encode",
        "extract",
        "floor",
        "int4range",
        "int8range",
        "json_build_array",
        "json_build_object",
        "jsonb_build_array",
        "jsonb_build_object",
        "left",
        "length",
        "like_escape",
        "lower",
        "lpad",
        "make_date",
        "make_interval",
        "make_timestamptz",
        "md5",
        "now",
        "numrange",
        "pg_current_xact_id",
        "replace",
        "right",
        "round",
        "rpad",
        "sha256",
        "statement_timestamp",
        "substr",
        "substring",
        "timezone",
        "to_char",
        "to_date",
        "to_json",
        "to_jsonb",
        "to_number",
        "to_timestamp",
        "to_tsvector",
        "transaction_timestamp",
        "trim",
        "trunc",
        "tsrange",
        "tstzrange",
        "upper",
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(stable); i++)
        if (strcmp(name, stable[i]) == 0)
            return true;
    return false;
}

static const char *
call_name(const PgQuery__FuncCall *call)
{
    const char *schema = call->n_funcname > 1 ? mk_string(call->funcname[0]) : NULL;
    const char *name = call->n_funcname
        ? mk_string(call->funcname[call->n_funcname - 1])
        : NULL;

    /* another schema's function of that name is not the known one */
    return schema && strcmp(schema, "pg_catalog") != 0 ? "" : name ? name : "";
}

/* Anything in an expression that may give another value for each row. Defaults are small;
 * the depth guard answers "volatile" for the others. */
static bool
is_volatile(const ProtobufCMessage *msg, int depth)
{
    struct mk_children it = { .msg = msg };
    const ProtobufCMessage *child;

    if (depth > 200)
        return true;
    if (msg->descriptor == &pg_query__func_call__descriptor
        && !is_stable(call_name((const PgQuery__FuncCall *)(const void *)msg)))
        return true;
    while ((child = mk_next_child(&it)))
        if (is_volatile(child, depth + 1))
            return true;
    return false;
}

/* The function if the expression is one call of it. */
static const char *
single_call(struct mk *m, const pgq_node *expr)
{
    static const char *const values[] = {
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE] = "current_date",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME] = "current_time",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP] = "current_timestamp",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N] =
            "current_timestamp",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME] = "localtime",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP] = "localtimestamp",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER] = "current_user",
        [PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER] = "session_user",
    };

    while (expr && expr->node_case == NODE(TYPE_CAST))
        expr = expr->type_cast->arg;
    if (expr && expr->node_case == NODE(FUNC_CALL))
        return mk_text(m, call_name(expr->func_call));
    if (expr && expr->node_case == NODE(SQLVALUE_FUNCTION)
        && (size_t)expr->sqlvalue_function->op < DG_ARRAY_SIZE(values))
        return values[expr->sqlvalue_function->op];
    return NULL;
}

static bool
is_server_type(const PgQuery__TypeName *type)
{
    static const char *const words[] = { "text", "uuid", "json", "jsonb",
        "timestamptz" };
    const char *name = type && type->n_names ? mk_string(type->names[0]) : NULL;

    if (name && type->n_names == 2)
        return strcmp(name, "pg_catalog") == 0;
    for (size_t i = 0; name && i < DG_ARRAY_SIZE(words); i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    return false;
}

static bool
is_constant(const pgq_node *expr)
{
    while (expr && expr->node_case == NODE(TYPE_CAST)
        && is_server_type(expr->type_cast->type_name))
        expr = expr->type_cast->arg;
    return expr && expr->node_case == NODE(A_CONST);
}

static bool
is_plain_operator(const PgQuery__AExpr *e)
{
    const char *op = e->n_name == 1 ? mk_string(e->name[0]) : NULL;

    return op && (strcmp(op, "=") == 0 || strcmp(op, "<>") == 0);
}

/* Could the expression run a function of somebody's? */
static bool
has_call(const pgq_node *n, int depth)
{
    if (!n || depth > 50)
        return n != NULL;
    switch ((int)n->node_case) {
    case NODE(COLUMN_REF):
    case NODE(A_CONST):
        return false;
    case NODE(NULL_TEST):
        return has_call(n->null_test->arg, depth + 1);
    case NODE(TYPE_CAST):
        return !is_server_type(n->type_cast->type_name)
            || has_call(n->type_cast->arg, depth + 1);
    case NODE(A_EXPR):
        return !is_plain_operator(n->a_expr) || has_call(n->a_expr->lexpr, depth + 1)
            || has_call(n->a_expr->rexpr, depth + 1);
    case NODE(BOOL_EXPR):
        for (size_t i = 0; i < n->bool_expr->n_args; i++)
            if (has_call(n->bool_expr->args[i], depth + 1))
                return true;
        return false;
    case NODE(LIST):
        for (size_t i = 0; i < n->list->n_items; i++)
            if (has_call(n->list->items[i], depth + 1))
                return true;
        return false;
    default:
        return true;
    }
}

/* ---- constraints ---- */

/* The column of `column IS NOT NULL`. */
static const char *
not_null_of(struct mk *m, const pgq_node *expr)
{
    const PgQuery__NullTest *t = expr && expr->node_case == NODE(NULL_TEST)
        ? expr->null_test
        : NULL;
    const pgq_node *arg = t && t->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL
        ? t->arg
        : NULL;

    if (!arg || arg->node_case != NODE(COLUMN_REF) || arg->column_ref->n_fields == 0)
        return NULL;
    return mk_text(
        m, mk_string(arg->column_ref->fields[arg->column_ref->n_fields - 1]));
}

/* Is ON DELETE written in the foreign key that begins at `location`? The tree has the same
 * letter for NO ACTION and for nothing. */
static bool
has_on_delete(const struct mk *m, int location)
{
    struct sql_lexer lx;
    struct sql_token tok;
    int depth = 0, n_references = 0;
    bool is_on = false;

    if (location < 0 || (size_t)location >= m->end)
        return false;
    sql_lex_init(&lx, m->place.text + location, m->end - (size_t)location, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        const struct str word = { lx.text + tok.start, tok.len };
        const char c = tok.len == 1 ? word.p[0] : 0;

        depth += (c == '(') - (c == ')');
        if (depth < 0 || (depth == 0 && (c == ',' || c == ';')))
            return false;
        if (depth > 0 || tok.kind != SQL_T_WORD)
            continue;
        if (is_on && str_ieqz(word, "DELETE"))
            return true;
        if (str_ieqz(word, "REFERENCES") && ++n_references > 1)
            return false; /* the next one of the same column */
        is_on = str_ieqz(word, "ON");
    }
    return false;
}

static const char **
copy_names(struct mk *m, pgq_node *const *names, size_t n)
{
    const char **copy = n ? arena_alloc(m->arena, n * sizeof(*copy)) : NULL;

    for (size_t i = 0; i < n; i++) {
        if (names[i]->node_case == NODE(INDEX_ELEM)) /* EXCLUDE */
            copy[i] = mk_text(m, names[i]->index_elem->name);
        else
            copy[i] = mk_text(m, mk_string(names[i]));
    }
    return copy;
}

/* Deferrability comes as constraints of its own, which say nothing to policy. */
static bool
find_constraint_kind(PgQuery__ConstrType type, enum sql_constraint_kind *kind)
{
    static const struct {
        PgQuery__ConstrType type;
        enum sql_constraint_kind kind;
    } map[] = {
        { CONSTR(NULL), SQL_C_NULL },
        { CONSTR(NOTNULL), SQL_C_NOT_NULL },
        { CONSTR(DEFAULT), SQL_C_DEFAULT },
        { CONSTR(IDENTITY), SQL_C_IDENTITY },
        { CONSTR(GENERATED), SQL_C_GENERATED },
        { CONSTR(CHECK), SQL_C_CHECK },
        { CONSTR(PRIMARY), SQL_C_PRIMARY },
        { CONSTR(UNIQUE), SQL_C_UNIQUE },
        { CONSTR(EXCLUSION), SQL_C_EXCLUSION },
        { CONSTR(FOREIGN), SQL_C_FOREIGN },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(map); i++)
        if (map[i].type == type) {
            *kind = map[i].kind;
            return true;
        }
    return false;
}

static void
fill_foreign_key(struct mk *m, struct sql_constraint *out, const PgQuery__Constraint *c)
{
    out->columns = copy_names(m, c->fk_attrs, c->n_fk_attrs);
    out->n_columns = c->n_fk_attrs;
    out->ref_schema = c->pktable ? mk_text(m, c->pktable->schemaname) : NULL;
    out->ref_table = c->pktable ? mk_text(m, c->pktable->relname) : NULL;
    out->ref_columns = copy_names(m, c->pk_attrs, c->n_pk_attrs);
    out->n_ref_columns = c->n_pk_attrs;
    out->on_delete = c->fk_del_action[0] ? c->fk_del_action[0] : 'a';
    out->on_update = c->fk_upd_action[0] ? c->fk_upd_action[0] : 'a';
    out->has_on_delete = out->on_delete != 'a' || has_on_delete(m, c->location);
}

struct sql_constraint *
mk_constraint(struct mk *m, const PgQuery__Constraint *c)
{
    struct sql_constraint *out;
    enum sql_constraint_kind kind;

    if (!c || !find_constraint_kind(c->contype, &kind))
        return NULL;
    out = arena_alloc(m->arena, sizeof(*out));
    out->kind = kind;
    out->name = mk_text(m, c->conname);
    out->not_valid = c->skip_validation;
    out->using_index = mk_text(m, c->indexname);
    out->pos = mk_pos(m, c->location);
    if (kind == SQL_C_FOREIGN) {
        fill_foreign_key(m, out, c);
    } else if (kind == SQL_C_EXCLUSION) {
        out->n_columns = c->n_exclusions;
        out->columns = arena_alloc(
            m->arena, (c->n_exclusions + 1) * sizeof(*out->columns));
        for (size_t i = 0; i < c->n_exclusions; i++)
            if (c->exclusions[i]->node_case == NODE(LIST)
                && c->exclusions[i]->list->n_items > 0)
                out->columns[i] = copy_names(m, c->exclusions[i]->list->items, 1)[0];
    } else {
        out->columns = copy_names(m, c->keys, c->n_keys);
        out->n_columns = c->n_keys;
    }
    if ((kind == SQL_C_DEFAULT || kind == SQL_C_GENERATED) && c->raw_expr) {
        out->is_volatile = is_volatile(&c->raw_expr->base, 0);
        out->call = kind == SQL_C_DEFAULT ? single_call(m, c->raw_expr) : NULL;
        out->is_constant = kind == SQL_C_DEFAULT && is_constant(c->raw_expr);
    }
    if (kind == SQL_C_CHECK) {
        out->has_call = !c->raw_expr || has_call(c->raw_expr, 0);
        out->not_null_of = not_null_of(m, c->raw_expr);
    }
    return out;
}

/* ---- columns ---- */

static const char *
collation_of(struct mk *m, const PgQuery__CollateClause *c)
{
    return c && c->n_collname ? mk_text(m, mk_string(c->collname[c->n_collname - 1]))
                              : NULL;
}

static void
add_constraint(struct mk *m, struct sql_column *col, const PgQuery__Constraint *c)
{
    struct sql_constraint *made = mk_constraint(m, c);

    if (!made)
        return;
    if (made->n_columns == 0) {
        made->columns = arena_alloc(m->arena, sizeof(*made->columns));
        made->columns[0] = col->name;
        made->n_columns = 1;
    }
    col->constraints[col->n_constraints++] = *made;
}

struct sql_column *
mk_column(struct mk *m, const PgQuery__ColumnDef *def)
{
    struct sql_column *col = arena_alloc(m->arena, sizeof(*col));

    col->name = arena_strdup(m->arena, def->colname);
    col->type = mk_type(m, def->type_name, &col->type_mods);
    col->pos = mk_pos(m, def->location);
    col->has_collation = def->coll_clause != NULL;
    col->collation = collation_of(m, def->coll_clause);
    col->has_using = def->raw_default != NULL;
    if (def->n_constraints)
        col->constraints = arena_alloc(
            m->arena, def->n_constraints * sizeof(*col->constraints));
    for (size_t i = 0; i < def->n_constraints; i++)
        if (def->constraints[i]->node_case == NODE(CONSTRAINT))
            add_constraint(m, col, def->constraints[i]->constraint);
    return col;
}
