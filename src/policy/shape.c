// SPDX-License-Identifier: ISC
/* Tables as a unit leaves them; see shape.h. */
#include "policy/shape.h"

#include "base/map.h"
#include "base/mem.h"

#include <string.h>

#define MAX_COLUMNS   1600 /* of a table, as the server */
#define MAX_INDEXES   256  /* remembered per table */
#define MAX_NAMESAKES 64   /* tables of one name in several schemas */

struct shape_node {
    struct pol_shape t;
    struct shape_node *next; /* same name, another schema */
    size_t number;           /* for keys of columns */
    size_t n_before;
};

struct pol_shapes {
    const struct sql_tree *tree; /* borrowed, and all names */
    struct arena *arena;         /* owned */
    struct map *tables;          /* name -> list of struct shape_node */
    struct map *columns;         /* number, name -> struct pol_shape_column */
    struct shape_node **by_fact; /* what it makes */
    size_t n;
};

/* ---- lookup ---- */

static bool
same_schema(const char *a, const char *b)
{
    return !a || !b || strcmp(a, b) == 0;
}

static struct shape_node *
find_node(const struct pol_shapes *s, const char *schema, const char *name)
{
    struct shape_node *n = name ? map_get(s->tables, str_of(name)) : NULL;

    while (n && !same_schema(n->t.schema, schema))
        n = n->next;
    return n;
}

const struct pol_shape *
pol_shape_find(const struct pol_shapes *s, const char *schema, const char *name)
{
    const struct shape_node *n = find_node(s, schema, name);
    return n ? &n->t : NULL;
}

const struct pol_shape *
pol_shape_of(const struct pol_shapes *s, size_t fact)
{
    return s->by_fact[fact] ? &s->by_fact[fact]->t : NULL;
}

struct column_key {
    char text[sizeof(size_t) + 64];
    size_t n;
};

static struct column_key
column_key(const struct shape_node *n, const char *name)
{
    struct column_key k;
    size_t len = strnlen(name, 64);

    memcpy(k.text, &n->number, sizeof(n->number));
    memcpy(k.text + sizeof(n->number), name, len);
    k.n = sizeof(n->number) + len;
    return k;
}

const struct pol_shape_column *
pol_shape_column(
    const struct pol_shapes *s, const struct pol_shape *t, const char *name)
{
    const struct shape_node *n = (const struct shape_node *)(const void *)t;
    struct column_key k = column_key(n, name);
    return map_get(s->columns, (struct str){ k.text, k.n });
}

bool
pol_shape_has_index(const struct pol_shape *t, const char *const *columns, size_t n)
{
    for (size_t i = 0; i < t->n_indexes; i++) {
        const struct pol_shape_index *x = &t->indexes[i];
        size_t same = 0;
        while (same < n && same < x->n_columns && x->columns[same]
            && strcmp(x->columns[same], columns[same]) == 0)
            same++;
        if (same == n)
            return true;
    }
    return false;
}

/* ---- building ---- */

static struct shape_node *
add_node(struct pol_shapes *s, const char *schema, const char *name)
{
    struct shape_node *first = map_get(s->tables, str_of(name));
    struct shape_node *n = arena_alloc(s->arena, sizeof(*n));

    if (first && same_schema(first->t.schema, schema))
        n->next = first->next; /* made again: the older one is found by its fact only */
    else if (first && first->n_before < MAX_NAMESAKES)
        n->next = first;
    n->n_before = n->next ? n->next->n_before + 1 : 0;
    n->number = s->n++;
    n->t.schema = schema;
    n->t.name = name;
    map_set(s->tables, str_of(name), n);
    return n;
}

static struct shape_node *
node_of(struct pol_shapes *s, const char *schema, const char *name)
{
    struct shape_node *n = find_node(s, schema, name);
    return n ? n : add_node(s, schema, name);
}

static struct pol_shape_column *
column_of(struct pol_shapes *s, struct shape_node *n, const char *name)
{
    struct column_key k = column_key(n, name);
    struct pol_shape_column *c = map_get(s->columns, (struct str){ k.text, k.n });

    if (c)
        return c;
    c = arena_alloc(s->arena, sizeof(*c));
    c->name = name;
    map_set(s->columns, (struct str){ k.text, k.n }, c);
    return c;
}

static void
list_column(struct pol_shapes *s, struct shape_node *n, struct pol_shape_column *c)
{
    struct pol_shape *t = &n->t;

    if (t->n_columns >= MAX_COLUMNS)
        return;
    if (t->n_columns == t->cap_columns) {
        t->cap_columns = t->cap_columns ? 2 * t->cap_columns : 8;
        struct pol_shape_column **more = arena_alloc(
            s->arena, t->cap_columns * sizeof(struct pol_shape_column *));
        for (size_t i = 0; i < t->n_columns; i++)
            more[i] = t->columns[i];
        t->columns = more;
    }
    t->columns[t->n_columns++] = c;
}

static void
add_index(struct pol_shapes *s, struct shape_node *n, struct pol_shape_index index)
{
    struct pol_shape *t = &n->t;

    if (t->n_indexes >= MAX_INDEXES || !index.n_columns)
        return;
    if (t->n_indexes == t->cap_indexes) {
        t->cap_indexes = t->cap_indexes ? 2 * t->cap_indexes : 4;
        struct pol_shape_index *more = arena_alloc(
            s->arena, t->cap_indexes * sizeof(*more));
        for (size_t i = 0; i < t->n_indexes; i++)
            more[i] = t->indexes[i];
        t->indexes = more;
    }
    t->indexes[t->n_indexes++] = index;
}

static void
add_constraint(struct pol_shapes *s, struct shape_node *n,
    const struct sql_constraint *c, size_t fact)
{
    bool is_key = c->kind == SQL_C_PRIMARY || c->kind == SQL_C_UNIQUE;

    if (!is_key)
        return;
    if (c->kind == SQL_C_PRIMARY) {
        n->t.pk = c;
        for (size_t i = 0; i < c->n_columns; i++)
            column_of(s, n, c->columns[i])->is_not_null = true;
    }
    if (!c->using_index)
        add_index(s, n,
            (struct pol_shape_index){ .name = c->name,
                .columns = (const char *const *)c->columns,
                .n_columns = c->n_columns,
                .fact = fact,
                .is_unique = true,
                .is_constraint = true,
                .is_btree = true });
}

static bool
has_own_value(enum sql_constraint_kind kind)
{
    return kind == SQL_C_DEFAULT || kind == SQL_C_IDENTITY || kind == SQL_C_GENERATED;
}

static void
add_column(struct pol_shapes *s, struct shape_node *n, const struct sql_column *def,
    size_t fact)
{
    struct pol_shape_column *c = column_of(s, n, def->name);

    if (!c->def)
        list_column(s, n, c);
    c->def = def;
    if (def->type && strstr(def->type, "serial"))
        c->is_not_null = c->has_default = true;
    for (size_t i = 0; i < def->n_constraints; i++) {
        const struct sql_constraint *k = &def->constraints[i];
        c->is_not_null |= k->kind == SQL_C_NOT_NULL || k->kind == SQL_C_IDENTITY;
        c->has_default |= has_own_value(k->kind);
        add_constraint(s, n, k, fact);
    }
}

static bool
is(const struct sql_sub *sub, const char *name)
{
    return strcmp(sub->name, name) == 0;
}

static void
alter_column(struct pol_shapes *s, struct shape_node *n, const struct sql_sub *sub)
{
    if (is(sub, "SET NOT NULL"))
        column_of(s, n, sub->column)->is_not_null = true;
    else if (is(sub, "DROP NOT NULL"))
        column_of(s, n, sub->column)->is_not_null = false;
    else if (is(sub, "SET DEFAULT") || is(sub, "ADD GENERATED"))
        column_of(s, n, sub->column)->has_default = true;
    else if (is(sub, "DROP DEFAULT"))
        column_of(s, n, sub->column)->has_default = false;
}

static void
apply_sub(
    struct pol_shapes *s, struct shape_node *n, const struct sql_sub *sub, size_t fact)
{
    struct pol_shape *t = &n->t;

    if (is(sub, "ADD COLUMN") && sub->def)
        add_column(s, n, sub->def, fact);
    else if (sub->constraint && is(sub, "ADD CONSTRAINT"))
        add_constraint(s, n, sub->constraint, fact);
    else if (is(sub, "ENABLE ROW LEVEL SECURITY"))
        t->has_rls = true;
    else if (is(sub, "PARTITION BY"))
        t->is_partitioned = true;
    else if (is(sub, "LIKE") || is(sub, "INHERITS") || is(sub, "OF"))
        t->is_whole = false;
    else if (is(sub, "PARTITION OF"))
        t->is_made = t->is_whole = false;
    else if (sub->column)
        alter_column(s, n, sub);
    if (is(sub, "ATTACH PARTITION")) {
        t->is_partitioned = true;
        t->has_default_partition |= sub->value != NULL;
    }
}

static bool
is_create(const struct sql_facts *f)
{
    return strcmp(f->tag, "CREATE TABLE") == 0
        || strcmp(f->tag, "CREATE FOREIGN TABLE") == 0;
}

static void
apply_table(struct pol_shapes *s, const struct sql_facts *f, size_t fact)
{
    const struct sql_object *o = &f->objects[0];
    struct shape_node *n;

    if (is_create(f)) {
        n = add_node(s, o->schema, o->name);
        n->t.fact = fact;
        n->t.is_made = n->t.is_whole = true;
        n->t.is_foreign = o->kind == SQL_O_FOREIGN_TABLE;
        s->by_fact[fact] = n;
        if (f->n_objects > 1) { /* PARTITION OF */
            struct shape_node *parent = node_of(
                s, f->objects[1].schema, f->objects[1].name);
            for (size_t i = 0; i < f->n_subs; i++) {
                if (!is(&f->subs[i], "PARTITION OF"))
                    continue;
                parent->t.is_partitioned = true;
                parent->t.has_default_partition |= f->subs[i].value != NULL;
            }
        }
    } else {
        n = node_of(s, o->schema, o->name);
    }
    for (size_t i = 0; i < f->n_subs; i++)
        apply_sub(s, n, &f->subs[i], fact);
}

static void
apply_index(struct pol_shapes *s, const struct sql_facts *f, size_t fact)
{
    const struct sql_object *o = &f->objects[0];

    if (!o->on)
        return;
    add_index(s, node_of(s, o->on_schema, o->on),
        (struct pol_shape_index){ .name = *o->name ? o->name : NULL,
            .columns = (const char *const *)f->index->columns,
            .n_columns = f->index->n_columns,
            .fact = fact,
            .is_unique = f->flags & SQL_F_UNIQUE,
            .has_where = f->index->has_where,
            .has_order = f->index->has_order,
            .is_btree = !f->index->method || !*f->index->method
                || strcmp(f->index->method, "btree") == 0 });
}

static void
apply_comment(struct pol_shapes *s, const struct sql_facts *f)
{
    const struct sql_object *o = &f->objects[0];
    struct shape_node *n = node_of(s, o->schema, o->name);

    for (size_t i = 0; i < f->n_subs; i++) {
        if (is(&f->subs[i], "IS NULL"))
            return;
        if (is(&f->subs[i], "COLUMN") && f->subs[i].column) {
            column_of(s, n, f->subs[i].column)->is_commented = true;
            return;
        }
    }
    n->t.has_comment = true;
}

/* A renamed table is the same one under another name. */
static void
apply_rename(struct pol_shapes *s, const struct sql_facts *f)
{
    const struct sql_object *o = &f->objects[0];
    const struct sql_sub *sub = f->n_subs ? &f->subs[0] : NULL;
    struct shape_node *n = find_node(s, o->schema, o->name);

    if (!n || !sub || !sub->value || !is(sub, "RENAME TO"))
        return;
    struct shape_node *old = map_get(s->tables, str_of(o->name));
    if (old == n && n->next)
        map_set(s->tables, str_of(o->name), n->next);
    else if (old == n)
        map_remove(s->tables, str_of(o->name));
    else
        return; /* in the middle of a list: it keeps both names */
    n->next = map_get(s->tables, str_of(sub->value));
    n->t.name = sub->value;
    map_set(s->tables, str_of(sub->value), n);
}

static void
apply(struct pol_shapes *s, const struct sql_facts *f, size_t fact)
{
    const struct sql_object *o = &f->objects[0];

    if (f->index) {
        apply_index(s, f, fact);
    } else if (strcmp(f->tag, "CREATE POLICY") == 0) {
        if (o->on)
            node_of(s, o->on_schema, o->on)->t.has_policy = true;
    } else if (strcmp(f->tag, "COMMENT") == 0) {
        if (o->kind == SQL_O_TABLE)
            apply_comment(s, f);
    } else if (o->kind != SQL_O_TABLE && o->kind != SQL_O_FOREIGN_TABLE) {
        return;
    } else if (str_prefix(f->tag, "DROP ")) {
        for (size_t i = 0; i < f->n_objects; i++) {
            struct shape_node *n = find_node(
                s, f->objects[i].schema, f->objects[i].name);
            if (n)
                n->t.is_dropped = true;
        }
    } else if (is_create(f) || str_prefix(f->tag, "ALTER ")) {
        apply_table(s, f, fact);
        apply_rename(s, f);
    }
}

struct pol_shapes *
pol_shapes_new(const struct pol_text *text)
{
    const struct sql_tree *tree = text->tree;
    struct pol_shapes *s = mem_zalloc(sizeof(*s));

    s->tree = tree;
    s->arena = arena_new();
    s->tables = map_new(NULL);
    s->columns = map_new(NULL);
    s->by_fact = arena_alloc(s->arena, (tree->n + 1) * sizeof(struct shape_node *));
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        bool runs = f->parent < 0
            || strcmp(tree->facts[f->parent].tag, "CREATE SCHEMA") == 0;
        if (runs && f->n_objects && !(f->flags & SQL_F_UNPARSABLE))
            apply(s, f, i);
    }
    return s;
}

void
pol_shapes_free(struct pol_shapes *s)
{
    if (!s)
        return;
    map_free(s->tables);
    map_free(s->columns);
    arena_free(s->arena);
    mem_free(s);
}
