// SPDX-License-Identifier: ISC
/* The maker's draft: objects, subcommands, values; see make.h. */
#include "sql/make.h"

#include <string.h>

#include "sql/filter.h"

/* Room for index n of an array in the arena, doubling; the old one is left behind. Nearly
 * all statements have one object and one subcommand or none, and a history holds very many
 * statements: room for more is made when it is needed. */
static void *
grow(struct mk *m, void *p, size_t n, size_t *cap, size_t size)
{
    void *bigger;

    if (n < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 1;
    bigger = arena_alloc(m->arena, *cap * size);
    if (n)
        memcpy(bigger, p, n * size);
    return bigger;
}

void
mk_begin(struct mk *m, const char *tag, unsigned cls)
{
    m->f = (struct sql_facts){ .tag = tag, .cls = (enum dg_class)cls, .pos = -1 };
    m->cap_objects = m->cap_subs = 0;
    m->skip_tokens = 1;
    for (const char *p = tag; *p; p++)
        m->skip_tokens += *p == ' ';
}

struct sql_object *
mk_object(struct mk *m, enum sql_object_kind kind, const char *schema, const char *name,
    int pos)
{
    struct sql_object *o;

    m->f.objects = grow(
        m, m->f.objects, m->f.n_objects, &m->cap_objects, sizeof(*m->f.objects));
    o = &m->f.objects[m->f.n_objects++];
    *o = (struct sql_object){
        .kind = kind,
        .schema = mk_text(m, schema),
        .name = name ? arena_strdup(m->arena, name) : "",
        .pos = pos,
        .is_temp = schema && strcmp(schema, "pg_temp") == 0,
    };
    return o;
}

struct sql_object *
mk_rel(struct mk *m, enum sql_object_kind kind, const PgQuery__RangeVar *rv)
{
    struct sql_object *o;

    if (!rv)
        return NULL;
    o = mk_object(m, kind, rv->schemaname, rv->relname, mk_pos(m, rv->location));
    o->is_temp = mk_is_temp(rv);
    return o;
}

struct sql_object *
mk_names(struct mk *m, enum sql_object_kind kind, pgq_node *const *names, size_t n)
{
    if (n == 0)
        return NULL;
    return mk_object(
        m, kind, n > 1 ? mk_string(names[n - 2]) : NULL, mk_string(names[n - 1]), -1);
}

struct sql_sub *
mk_sub(struct mk *m, const char *name)
{
    struct sql_sub *s;

    m->f.subs = grow(m, m->f.subs, m->f.n_subs, &m->cap_subs, sizeof(*m->f.subs));
    s = &m->f.subs[m->f.n_subs++];
    *s = (struct sql_sub){ .name = name, .pos = -1 };
    return s;
}

struct sql_sub *
mk_sub_value(struct mk *m, const char *name, const char *column, const char *value)
{
    struct sql_sub *s = mk_sub(m, name);

    s->column = mk_text(m, column);
    s->value = mk_text(m, value);
    return s;
}

/* ---- objects in the shapes of DropStmt.objects ---- */

/* Trigger, rule, policy, constraint: the table's name parts come first. */
static struct sql_object *
on_table(struct mk *m, enum sql_object_kind kind, pgq_node *const *names, size_t n)
{
    const char *table = n > 1 ? mk_string(names[n - 2]) : NULL;
    const char *schema = n > 2 ? mk_string(names[n - 3]) : NULL;
    struct sql_object *o;
    size_t at = m->f.n_objects;

    mk_object(m, kind, schema, n ? mk_string(names[n - 1]) : NULL, -1);
    mk_object(m, SQL_O_TABLE, schema, table, -1);
    o = &m->f.objects[at];
    o->on_schema = o->schema;
    o->on = m->f.objects[at + 1].name;
    return o;
}

static struct sql_object *
column_of(struct mk *m, pgq_node *const *names, size_t n)
{
    struct sql_sub *s;

    if (n < 2)
        return NULL;
    s = mk_sub(m, "COLUMN");
    s->column = mk_text(m, mk_string(names[n - 1]));
    return mk_names(m, SQL_O_TABLE, names, n - 1);
}

static struct sql_object *
any_list(struct mk *m, PgQuery__ObjectType type, const PgQuery__List *list)
{
    enum sql_object_kind kind = mk_kind_of(type);
    pgq_node *const *items = list->items;
    size_t n = list->n_items;

    switch ((int)type) {
    case OBJ(TRIGGER):
    case OBJ(RULE):
    case OBJ(POLICY):
        return on_table(m, kind, items, n);
    case OBJ(TABCONSTRAINT):
        return on_table(m, SQL_O_OTHER, items, n);
    case OBJ(COLUMN):
        return column_of(m, items, n);
    case OBJ(OPCLASS):
    case OBJ(OPFAMILY): /* the access method comes first */
        return n ? mk_names(m, kind, items + 1, n - 1) : NULL;
    case OBJ(CAST):
    case OBJ(TRANSFORM):
    case OBJ(DOMCONSTRAINT): /* starts with a type */
        return n ? mk_any(m, type, items[0]) : NULL;
    default:
        return mk_names(m, kind, items, n);
    }
}

struct sql_object *
mk_any(struct mk *m, PgQuery__ObjectType type, const pgq_node *node)
{
    enum sql_object_kind kind = mk_kind_of(type);
    struct sql_object *o;

    if (!node)
        return NULL;
    switch ((int)node->node_case) {
    case NODE(LIST):
        return any_list(m, type, node->list);
    case NODE(STRING):
        return mk_object(m, kind, NULL, node->string->sval, -1);
    case NODE(RANGE_VAR):
        return mk_rel(m, kind, node->range_var);
    case NODE(OBJECT_WITH_ARGS):
        return mk_names(m, kind, node->object_with_args->objname,
            node->object_with_args->n_objname);
    case NODE(TYPE_NAME):
        o = mk_names(m, kind, node->type_name->names, node->type_name->n_names);
        if (o)
            o->pos = mk_pos(m, node->type_name->location);
        return o;
    case NODE(INTEGER):
        return mk_object(
            m, kind, NULL, arena_printf(m->arena, "%d", node->integer->ival), -1);
    case NODE(FLOAT):
        return mk_object(m, kind, NULL, node->float_->fval, -1);
    default:
        return NULL;
    }
}

/* ---- values ---- */

const char *
mk_text(struct mk *m, const char *s)
{
    return s && *s ? arena_strdup(m->arena, s) : NULL;
}

int
mk_pos(const struct mk *m, int location)
{
    const struct mk_place *p = &m->place;
    size_t at = (size_t)location, i = 0, end = p->n_adds;

    if (location < 0)
        return -1;
    if (p->is_fixed)
        return (int)p->base;
    while (i < end) { /* to the first one that is not wholly before */
        size_t middle = i + (end - i) / 2;

        if (p->adds[middle] + 2 <= at)
            i = middle + 1;
        else
            end = middle;
    }
    if (i < p->n_adds && p->adds[i] <= at)
        at = p->adds[i];
    return (int)(p->base + at - 2 * i);
}

const char *
mk_string(const pgq_node *node)
{
    return node && node->node_case == NODE(STRING) ? node->string->sval : NULL;
}

const char *
mk_role(struct mk *m, const PgQuery__RoleSpec *role)
{
    if (!role)
        return NULL;
    switch ((int)role->roletype) {
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_ROLE:
        return "CURRENT_ROLE";
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_USER:
        return "CURRENT_USER";
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_SESSION_USER:
        return "SESSION_USER";
    case PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC:
        return "PUBLIC";
    default:
        return mk_text(m, role->rolename);
    }
}

char *
mk_put(char *to, const char *s)
{
    size_t n = strlen(s);

    memcpy(to, s, n);
    return to + n;
}

const char *
mk_join(struct mk *m, pgq_node *const *nodes, size_t n, const char *separator)
{
    const char **parts = n ? arena_alloc(m->arena, n * sizeof(*parts)) : NULL;
    size_t len = 0;
    char *all, *p;

    for (size_t i = 0; i < n; i++) {
        parts[i] = mk_constant(m, nodes[i]);
        if (!parts[i])
            return NULL;
        len += strlen(parts[i]) + strlen(separator);
    }
    all = p = arena_alloc(m->arena, len + 1);
    for (size_t i = 0; i < n; i++) {
        p = mk_put(p, i ? separator : "");
        p = mk_put(p, parts[i]);
    }
    return all;
}

static const char *
const_text(struct mk *m, const PgQuery__AConst *c)
{
    switch ((int)c->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        return arena_printf(m->arena, "%d", c->ival->ival);
    case PG_QUERY__A__CONST__VAL_FVAL:
        return arena_strdup(m->arena, c->fval->fval);
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return c->boolval->boolval ? "true" : "false";
    case PG_QUERY__A__CONST__VAL_SVAL:
        return arena_strdup(m->arena, c->sval->sval);
    case PG_QUERY__A__CONST__VAL_BSVAL:
        return arena_strdup(m->arena, c->bsval->bsval);
    default:
        return NULL;
    }
}

/* -5 */
static const char *
negative_text(struct mk *m, const PgQuery__AExpr *e)
{
    const char *op = e->n_name == 1 ? mk_string(e->name[0]) : NULL;
    const char *text;

    if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || !op || strcmp(op, "-") != 0
        || e->lexpr || !e->rexpr || e->rexpr->node_case != NODE(A_CONST))
        return NULL;
    text = const_text(m, e->rexpr->a_const);
    return text ? arena_printf(m->arena, "-%s", text) : NULL;
}

const char *
mk_constant(struct mk *m, const pgq_node *node)
{
    while (node && node->node_case == NODE(TYPE_CAST))
        node = node->type_cast->arg;
    if (!node)
        return NULL;
    switch ((int)node->node_case) {
    case NODE(A_CONST):
        return const_text(m, node->a_const);
    case NODE(A_EXPR):
        return negative_text(m, node->a_expr);
    case NODE(STRING):
        return arena_strdup(m->arena, node->string->sval);
    case NODE(INTEGER):
        return arena_printf(m->arena, "%d", node->integer->ival);
    case NODE(FLOAT):
        return arena_strdup(m->arena, node->float_->fval);
    case NODE(BOOLEAN):
        return node->boolean->boolval ? "true" : "false";
    default:
        return NULL;
    }
}

const PgQuery__DefElem *
mk_option(pgq_node *const *options, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (options[i]->node_case == NODE(DEF_ELEM)
            && str_ieqz(str_of(options[i]->def_elem->defname), name))
            return options[i]->def_elem;
    return NULL;
}

/* As defGetBoolean: no value means on. What can't be read counts as on, too. */
bool
mk_option_is_on(pgq_node *const *options, size_t n, const char *name)
{
    const PgQuery__DefElem *d = mk_option(options, n, name);
    const char *value = NULL;

    if (!d)
        return false;
    if (!d->arg)
        return true;
    if (d->arg->node_case == NODE(STRING))
        value = d->arg->string->sval;
    else if (d->arg->node_case == NODE(INTEGER))
        return d->arg->integer->ival != 0;
    else if (d->arg->node_case == NODE(BOOLEAN))
        return d->arg->boolean->boolval;
    return !value
        || !(str_ieqz(str_of(value), "false") || str_ieqz(str_of(value), "off"));
}

const char *
mk_fold(struct mk *m, const char *s)
{
    char *copy = s && *s ? arena_strdup(m->arena, s) : NULL;

    for (char *p = copy; p && *p; p++)
        *p = ascii_lower(*p);
    return copy;
}

bool
mk_is_tracked(const struct mk *m, const char *name)
{
    return m->words && name && *name && sql_words_has(m->words, name);
}

bool
mk_is_temp(const PgQuery__RangeVar *rv)
{
    return rv->relpersistence[0] == 't' || strcmp(rv->schemaname, "pg_temp") == 0;
}

bool
mk_setting_is_read(const char *name)
{
    static const char *const names[] = { "all", "standard_conforming_strings",
        "client_encoding", "names", "search_path", "backslash_quote" };

    if (!name)
        return true;
    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++)
        if (str_ieqz(str_of(name), names[i]))
            return true;
    return false;
}

/* ---- finishing ---- */

static bool
token_is(const struct mk *m, const struct sql_token *tok, const char *name)
{
    char ident[64];

    return (tok->kind == SQL_T_WORD || tok->kind == SQL_T_QUOTED
               || tok->kind == SQL_T_UQUOTED)
        && sql_token_ident(m->place.text, tok, ident) == 0 && strcmp(ident, name) == 0;
}

/* Names that the tree has no location for: found by the lexer, in order. Where a name
 * can't be found its position stays unknown. */
static void
place_objects(struct mk *m)
{
    struct sql_lexer lx;
    struct sql_token tok;
    size_t i = 0, skip = m->skip_tokens, first = 0;
    bool after_dot = false;

    sql_lex_init(&lx, m->place.text + m->start, m->end - m->start, true);
    while (i < m->f.n_objects && sql_lex_next(&lx, &tok) == 0) {
        struct sql_object *o = &m->f.objects[i];
        bool is_dot = tok.len == 1 && lx.text[tok.start] == '.';

        tok.start += m->start;
        if (skip > 0) {
            skip--;
        } else if (o->pos >= 0 || !*o->name) {
            i++;
            first = 0;
            /* this very token may be the next one's */
            lx.pos = tok.start - m->start;
            continue;
        } else if (o->schema && !after_dot && token_is(m, &tok, o->schema)) {
            first = tok.start + 1;
        } else if (token_is(m, &tok, o->name) && after_dot == (o->schema && !o->on)) {
            o->pos = mk_pos(
                m, (int)(o->schema && !o->on && first ? first - 1 : tok.start));
            i++;
            first = 0;
        }
        after_dot = is_dot;
    }
}

static bool
all_temp(const struct sql_facts *f)
{
    for (size_t i = 0; i < f->n_objects; i++)
        if (!f->objects[i].is_temp)
            return false;
    return f->n_objects > 0;
}

/* Inside CREATE SCHEMA an unqualified name is the new schema's. */
static void
qualify(struct mk *m, const struct sql_facts *parent)
{
    const char *schema = parent->n_objects ? parent->objects[0].name : "";

    if (strcmp(parent->tag, "CREATE SCHEMA") != 0 || !*schema)
        return;
    for (size_t i = 0; i < m->f.n_objects; i++) {
        struct sql_object *o = &m->f.objects[i];

        if (!o->schema && o->kind != SQL_O_SCHEMA && o->kind != SQL_O_ROLE
            && !o->is_temp)
            o->schema = schema;
        if (o->on && !o->on_schema)
            o->on_schema = o->schema;
    }
}

void
mk_mark_code(struct mk *m, int fact, unsigned flags)
{
    struct sql_facts *f = &m->facts[fact];

    f->flags |= flags & (SQL_F_DDL_IN_CODE | SQL_F_DYNAMIC);
    if (!(f->flags & (SQL_F_DDL_IN_CODE | SQL_F_DYNAMIC)))
        return;
    if (f->cls == DG_OTHER)
        f->cls = DG_CODE;
    /* SELECT pg_temp.f() would do unseen whatever the body does */
    f->flags &= ~(unsigned)SQL_F_TEMP;
}

/* DO and functions answer for what stands in them, however deep. */
static void
tell_code(struct mk *m, const struct sql_facts *f, int parent)
{
    unsigned flags = f->flags;

    if (f->cls & (DG_DDL | DG_DCL | DG_CODE))
        flags |= SQL_F_DDL_IN_CODE;
    for (; parent >= 0; parent = m->facts[parent].parent)
        if (m->facts[parent].language)
            mk_mark_code(m, parent, flags);
}

int
mk_end(struct mk *m, int parent)
{
    struct sql_facts *f = &m->f;
    bool is_placed = true;

    for (size_t i = 0; i < f->n_objects; i++)
        is_placed = is_placed && (f->objects[i].pos >= 0 || !*f->objects[i].name);
    if (!is_placed && !m->place.is_fixed)
        place_objects(m);
    for (size_t i = 0; m->place.is_fixed && i < f->n_objects; i++)
        if (f->objects[i].pos < 0)
            f->objects[i].pos = (int)m->place.base;
    /* CASCADE may reach what is not temporary */
    if (all_temp(f) && !(f->flags & SQL_F_CASCADE))
        f->flags |= SQL_F_TEMP;
    if (f->cls == DG_HISTORY) /* exempt is only what can't touch history */
        f->flags &= ~(unsigned)SQL_F_TEMP;
    f->stmt = m->stmt;
    f->parent = parent;
    if (parent >= 0) {
        f->flags |= SQL_F_NESTED;
        qualify(m, &m->facts[parent]);
        tell_code(m, f, parent);
    }
    for (size_t i = 0; f->pos < 0 && i < f->n_objects; i++)
        f->pos = f->objects[i].pos;
    if (f->pos < 0)
        f->pos = mk_pos(m, (int)m->start);
    MEM_GROW(m->facts, m->n, m->cap);
    m->facts[m->n] = *f;
    return (int)m->n++;
}
