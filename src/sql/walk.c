// SPDX-License-Identifier: ISC
/* The walk over a whole tree by the library's own message descriptors, so that no node type
 * can be overlooked: statements are found wherever they stand (EXPLAIN, PREPARE, common
 * table expressions, rules, CREATE SCHEMA, function bodies in SQL).
 *
 * It keeps its own stack on the heap: the depth of a tree costs no C stack here. (The
 * library's own parse and unpack recurse; tree.h names the stacks they need.) */
#include "sql/make.h"

#include <string.h>

struct todo {
    const ProtobufCMessage *msg;
    int parent;
};

struct walk {
    struct mk *m;      /* borrowed */
    struct todo *todo; /* owned; a stack */
    size_t n, cap;
};

static void
walk_deinit_p(struct walk *w)
{
    mem_free(w->todo);
}

/* ---- children ---- */

static const ProtobufCMessage *
node_child(const ProtobufCMessage *msg)
{
    const pgq_node *node = (const pgq_node *)(const void *)msg;
    const ProtobufCMessage *child;

    if (node->node_case == NODE(_NOT_SET))
        return NULL;
    /* every member of the union is a pointer to a message */
    memcpy(&child, &node->alias, sizeof(child));
    return child;
}

const ProtobufCMessage *
mk_next_child(struct mk_children *it)
{
    const ProtobufCMessageDescriptor *d = it->msg->descriptor;
    const char *base = (const char *)it->msg;

    if (d == &pg_query__node__descriptor)
        return it->field++ == 0 ? node_child(it->msg) : NULL;
    for (; it->field < d->n_fields; it->field++, it->item = 0) {
        const ProtobufCFieldDescriptor *f = &d->fields[it->field];
        const void *member = base + f->offset;
        const void *quantifier = base + f->quantifier_offset;
        const ProtobufCMessage *child;

        if (f->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            if (it->item < *(const size_t *)quantifier)
                return (*(ProtobufCMessage *const *const *)member)[it->item++];
            continue;
        }
        if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
            && *(const uint32_t *)quantifier != f->id)
            continue;
        child = *(ProtobufCMessage *const *)member;
        if (child) {
            it->field++;
            it->item = 0;
            return child;
        }
    }
    return NULL;
}

static void
push(struct walk *w, const ProtobufCMessage *msg, int parent)
{
    MEM_GROW(w->todo, w->n, w->cap);
    w->todo[w->n++] = (struct todo){ msg, parent };
}

/* The first child comes to lie on top. */
static void
push_children(struct walk *w, const ProtobufCMessage *msg, int parent)
{
    struct mk_children it = { .msg = msg };
    const ProtobufCMessage *child;
    size_t from = w->n;

    while ((child = mk_next_child(&it)))
        push(w, child, parent);
    for (size_t to = w->n; from + 1 < to; from++) {
        struct todo t = w->todo[from];

        w->todo[from] = w->todo[--to];
        w->todo[to] = t;
    }
}

/* ---- statements ---- */

static bool
make_facts(struct mk *m, const pgq_node *node)
{
    return facts_data(m, node) || facts_session(m, node) || facts_table(m, node)
        || facts_code(m, node) || facts_drop(m, node) || facts_object(m, node)
        || facts_role(m, node);
}

static bool
writes_every_row(const struct sql_facts *f)
{
    for (size_t i = 0; i < f->n_subs; i++)
        if (strcmp(f->subs[i].name, "WITHOUT WHERE") == 0)
            return true;
    return false;
}

/* Is a draft met below the top worth a fact of its own? */
static bool
is_telling(const struct sql_facts *f)
{
    return f->cls != DG_OTHER || writes_every_row(f)
        || (f->flags & (SQL_F_READING | SQL_F_UNPARSABLE | SQL_F_DYNAMIC)) || f->tx
        || f->prep || f->language;
}

static bool
is_statement(const pgq_node *node)
{
    return node->node_case >= NODE(INSERT_STMT)
        && node->node_case <= NODE(ALTER_STATS_STMT)
        && node->node_case != NODE(SELECT_STMT)
        /* SET clauses of functions and roles change no session */
        && node->node_case != NODE(VARIABLE_SET_STMT);
}

static int
add_statement(struct mk *m, const pgq_node *node, int parent, bool is_top)
{
    int made;

    if (!make_facts(m, node)) {
        if (!is_top)
            return parent;
        mk_begin(m, "UNKNOWN", DG_DDL);
        m->f.flags |= SQL_F_UNPARSABLE;
    }
    if (!is_top && !is_telling(&m->f))
        return parent;
    made = mk_end(m, parent);
    if (node->node_case == NODE(DO_STMT))
        body_of_do(m, node->do_stmt, made);
    else if (node->node_case == NODE(CREATE_FUNCTION_STMT))
        body_of_function(m, node->create_function_stmt, made);
    return made;
}

/* The server takes the INTO of the leftmost leaf for the whole query's. */
static const PgQuery__IntoClause *
leftmost_into(const PgQuery__SelectStmt *s)
{
    while (s->larg)
        s = s->larg;
    return s->into_clause;
}

static int
add_top_select(struct mk *m, const PgQuery__SelectStmt *s, int parent)
{
    m->into_seen = m->is_plpgsql ? NULL : leftmost_into(s);
    facts_select(m, s, m->into_seen);
    return mk_end(m, parent);
}

static int
add_nested_select(struct mk *m, const PgQuery__SelectStmt *s, int parent)
{
    if (!s->into_clause || s->into_clause == m->into_seen || m->is_plpgsql)
        return parent;
    facts_select(m, s, s->into_clause);
    return mk_end(m, parent);
}

/* ---- what marks the statement it stands in ---- */

/* set_config(name, value, is_local) */
static void
see_call(struct mk *m, const PgQuery__FuncCall *c, int parent)
{
    const char *name = c->n_funcname ? mk_string(c->funcname[c->n_funcname - 1]) : NULL;
    struct sql_facts *f;
    const char *setting, *local;

    if (!name || strcmp(name, "set_config") != 0 || parent < 0)
        return;
    f = &m->facts[parent];
    setting = c->n_args ? mk_fold(m, mk_constant(m, c->args[0])) : NULL;
    if (!mk_setting_is_read(setting)) {
        if (!f->setting && !(f->flags & SQL_F_READING))
            f->setting = setting;
        return;
    }
    local = c->n_args > 2 ? mk_constant(m, c->args[2]) : NULL;
    f->flags |= SQL_F_READING;
    f->setting = setting;
    f->setting_value = setting && c->n_args > 1 ? mk_constant(m, c->args[1]) : NULL;
    f->setting_is_local = local && str_ieqz(str_of(local), "true");
}

/* A temporary view, rule or function on a history table is a way to write it under another
 * name; so is one on pg_settings to change a setting. */
static void
see_relation(struct mk *m, const PgQuery__RangeVar *rv, int parent)
{
    const bool is_tracked = mk_is_tracked(m, rv->relname);

    if (!is_tracked && strcmp(rv->relname, "pg_settings") != 0)
        return;
    for (; parent >= 0; parent = m->facts[parent].parent) {
        struct sql_facts *f = &m->facts[parent];

        if ((f->flags & SQL_F_TEMP)
            && (strcmp(f->tag, "CREATE VIEW") == 0 || strcmp(f->tag, "CREATE RULE") == 0
                || f->language)) {
            f->cls = is_tracked ? DG_HISTORY : f->cls;
            f->flags &= ~(unsigned)SQL_F_TEMP;
        }
    }
}

static int
see(struct mk *m, const ProtobufCMessage *msg, int parent)
{
    const void *p = msg;

    if (msg->descriptor == &pg_query__node__descriptor) {
        if (is_statement(p))
            return add_statement(m, p, parent, false);
    } else if (msg->descriptor == &pg_query__select_stmt__descriptor) {
        return add_nested_select(m, p, parent);
    } else if (msg->descriptor == &pg_query__func_call__descriptor) {
        see_call(m, p, parent);
    } else if (msg->descriptor == &pg_query__range_var__descriptor) {
        see_relation(m, p, parent);
    }
    return parent;
}

void
walk_statement(struct mk *m, const pgq_node *node, int parent)
{
    AUTO(walk_deinit) struct walk w = { .m = m };
    int top;

    if (node->node_case == NODE(SELECT_STMT))
        top = add_top_select(m, node->select_stmt, parent);
    else
        top = add_statement(m, node, parent, true);
    push_children(&w, &node->base, top);
    while (w.n > 0) {
        struct todo t = w.todo[--w.n];

        push_children(&w, t.msg, see(m, t.msg, t.parent));
    }
}
