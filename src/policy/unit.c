// SPDX-License-Identifier: ISC
/* New tables, columns and indexes of a unit; see unit.h. Everything is a lookup in a map,
 * and lists are capped, since a client may send a million statements about one name. */
#include "policy/unit.h"

#include "base/map.h"
#include "base/mem.h"
#include "sql/lex.h"

#include <string.h>

#define MAX_INDEXES 64   /* remembered per table and leading column */
#define MAX_MADE    1000 /* names kept of a transaction */

/* Keys as those of struct pol_unit's tables. As there, what a value says of an older epoch
 * is not sure any more. */
struct pol_made {
    struct map *names;  /* owned; key -> epoch and sureness, as made_value */
    struct map *counts; /* owned; table -> how many of names are tables of this name */
    uintptr_t epoch;
};

struct unit_index {
    const char *schema; /* NULL: not written */
    const char *const *columns;
    size_t n_columns;
    struct unit_index *next;
    size_t n_before; /* in the list */
};

struct pol_unit {
    const struct pol_text *text; /* borrowed, and all names */
    const struct sql_tree *tree;
    struct arena *arena; /* owned: indexes, keys */
    struct map *tables;  /* "schema\1table" -> born */
    struct map *names;   /* "table" -> how many of tables have this name */
    struct map *columns; /* "schema\1table\1column" -> born */
    struct map *indexes; /* "table\1column" -> list of struct unit_index */
    /* A name means the same object only while no transaction ends and no search_path is
     * set; with each of those a new epoch begins. */
    uintptr_t epoch;
    const struct pol_made *made; /* borrowed; what was new before, as of epoch 0 */
};

/* Stands in tables for something of made that is gone. */
#define GONE ((void *)1)

/* What the maps hold for something new: its epoch, and whether it surely was not there
 * before (no IF NOT EXISTS). Never NULL. */
static void *
born(const struct pol_unit *u, bool is_sure)
{
    return (void *)((u->epoch * 2 + is_sure) + 2);
}

static bool
is_born(const struct pol_unit *u, const void *value, bool lenient)
{
    if (lenient)
        return value != NULL;
    return value == born(u, true);
}

/* ---- keys ---- */

struct key {
    char text[3 * 64 + 8];
    size_t n;
};

/* Identifiers are at most 63 bytes long; what a test or a broken tree makes longer is cut. */
static void
key_add(struct key *k, const char *part)
{
    size_t n = part ? strnlen(part, 64) : 0;
    if (k->n)
        k->text[k->n++] = '\1';
    memcpy(k->text + k->n, part ? part : "", n);
    k->n += n;
}

static struct str
key_str(const struct key *k)
{
    return (struct str){ k->text, k->n };
}

/* The schema goes last so that no key part is ambiguous when there is none. */
static struct key
table_key(const char *schema, const char *table)
{
    struct key k;
    k.n = 0;
    key_add(&k, table);
    key_add(&k, schema);
    return k;
}

static struct key
column_key(const char *schema, const char *table, const char *column)
{
    struct key k;
    k.n = 0;
    key_add(&k, column);
    key_add(&k, table);
    key_add(&k, schema);
    return k;
}

/* ---- new tables and columns ---- */

static void
count_in(struct map *counts, struct str name, int by)
{
    intptr_t n = (intptr_t)map_get(counts, name) + by;
    if (n)
        map_set(counts, name, (void *)n);
    else
        map_remove(counts, name);
}

static void *
made_value(const struct pol_made *made, bool is_sure)
{
    return (void *)((made->epoch * 2 + is_sure) + 2);
}

static void *
of_made(const struct pol_unit *u, struct str key)
{
    void *value = u->made ? map_get(u->made->names, key) : NULL;
    if (!value)
        return NULL;
    return born(u, u->epoch == 0 && value == made_value(u->made, true));
}

/* NULL: it is not new. */
static void *
known(const struct pol_unit *u, struct str key)
{
    void *value = map_get(u->tables, key);
    if (value == GONE)
        return NULL;
    return value ? value : of_made(u, key);
}

static bool
is_known_name(const struct pol_unit *u, const char *table)
{
    intptr_t n = (intptr_t)map_get(u->names, str_of(table));
    if (u->made)
        n += (intptr_t)map_get(u->made->counts, str_of(table));
    return n > 0;
}

static void
add_table(struct pol_unit *u, const char *schema, const char *table, void *value)
{
    struct key k = table_key(schema, table);
    if (!known(u, key_str(&k)))
        count_in(u->names, str_of(table), 1);
    map_set(u->tables, key_str(&k), value);
}

/* Returns what was known of it, NULL if it was not new. */
static void *
remove_table(struct pol_unit *u, const char *schema, const char *table)
{
    struct key k = table_key(schema, table);
    void *value = known(u, key_str(&k));
    if (!value)
        return NULL;
    if (of_made(u, key_str(&k)))
        map_set(u->tables, key_str(&k), GONE);
    else
        map_remove(u->tables, key_str(&k));
    count_in(u->names, str_of(table), -1);
    return value;
}

bool
pol_unit_is_new(
    const struct pol_unit *u, const char *schema, const char *table, bool lenient)
{
    struct key k = table_key(schema, table);
    if (is_born(u, known(u, key_str(&k)), lenient))
        return true;
    if (!lenient)
        return false;
    if (!schema)
        return is_known_name(u, table);
    k = table_key(NULL, table);
    return known(u, key_str(&k)) != NULL;
}

bool
pol_unit_is_new_column(
    const struct pol_unit *u, const char *schema, const char *table, const char *column)
{
    struct key k = column_key(schema, table, column);
    return is_born(u, map_get(u->columns, key_str(&k)), false);
}

bool
pol_unit_is_new_index(const struct pol_unit *u, const char *name)
{
    struct key k = table_key("\2index", name);
    return known(u, key_str(&k)) != NULL;
}

static bool
is_relation(enum sql_object_kind kind)
{
    return kind == SQL_O_TABLE || kind == SQL_O_MATVIEW || kind == SQL_O_FOREIGN_TABLE;
}

static void
apply_column(struct pol_unit *u, const struct sql_object *o, const struct sql_sub *s)
{
    if (strcmp(s->name, "ADD COLUMN") == 0 && s->column) {
        struct key k = column_key(o->schema, o->name, s->column);
        map_set(u->columns, key_str(&k), born(u, !(s->flags & SQL_F_IF_NOT_EXISTS)));
    } else if (strcmp(s->name, "DROP COLUMN") == 0 && s->column) {
        struct key k = column_key(o->schema, o->name, s->column);
        map_remove(u->columns, key_str(&k));
    }
}

static void
apply_sub(struct pol_unit *u, const struct sql_facts *f, const struct sql_sub *s)
{
    const struct sql_object *o = &f->objects[0];

    if (u->columns)
        apply_column(u, o, s);
    if (strcmp(s->name, "RENAME TO") == 0 && s->value) {
        void *value = remove_table(u, o->schema, o->name);
        if (value)
            add_table(u, o->schema, s->value, value);
    } else if (strcmp(s->name, "SET SCHEMA") == 0 && s->value) {
        void *value = remove_table(u, o->schema, o->name);
        if (value)
            add_table(u, s->value, o->name, value);
    }
}

static bool
runs_here(const struct sql_tree *tree, const struct sql_facts *f)
{
    return f->parent < 0 || strcmp(tree->facts[f->parent].tag, "CREATE SCHEMA") == 0;
}

/* After it a name may mean another object: transactions end, paths and schemas change, code
 * does what it likes. */
static bool
unsettles_names(const struct sql_facts *f)
{
    static const char *const tags[] = { "ALTER SCHEMA", "DROP SCHEMA", "DO", "CALL",
        "EXECUTE" };

    if (f->tx == SQL_TX_COMMIT || f->tx == SQL_TX_ROLLBACK
        || f->tx == SQL_TX_ROLLBACK_TO || f->tx == SQL_TX_PREPARE
        || (f->flags & (SQL_F_READING | SQL_F_UNPARSABLE)))
        return true;
    for (size_t i = 0; i < DG_ARRAY_SIZE(tags); i++) {
        if (strcmp(f->tag, tags[i]) == 0)
            return true;
    }
    return false;
}

static bool
drops_relations(const struct sql_facts *f)
{
    return strcmp(f->tag, "DROP TABLE") == 0
        || strcmp(f->tag, "DROP FOREIGN TABLE") == 0
        || strcmp(f->tag, "DROP MATERIALIZED VIEW") == 0;
}

void
pol_unit_apply(struct pol_unit *u, size_t fact)
{
    const struct sql_facts *f = &u->tree->facts[fact];

    if (!runs_here(u->tree, f))
        return;
    if (unsettles_names(f))
        u->epoch++;
    if (f->flags & SQL_F_UNPARSABLE)
        return;
    for (size_t i = 0; i < f->n_objects; i++) {
        const struct sql_object *o = &f->objects[i];
        if (o->kind == SQL_O_INDEX && o->is_created && *o->name) {
            struct key k = table_key("\2index", o->name);
            map_set(u->tables, key_str(&k), born(u, true));
        }
        if (!is_relation(o->kind))
            continue;
        if (o->is_created)
            add_table(
                u, o->schema, o->name, born(u, !(f->flags & SQL_F_IF_NOT_EXISTS)));
        else if (drops_relations(f)) /* not the table of DROP TRIGGER */
            remove_table(u, o->schema, o->name);
    }
    for (size_t i = 0; i < f->n_subs && f->n_objects; i++)
        if (is_relation(f->objects[0].kind))
            apply_sub(u, f, &f->subs[i]);
}

/* ---- indexes ---- */

static void
add_index(struct pol_unit *u, const char *schema, const char *table,
    const char *const *columns, size_t n)
{
    struct key k;
    k.n = 0;
    if (!n || !columns[0] || !table)
        return;
    key_add(&k, table);
    key_add(&k, columns[0]);
    struct unit_index *first = map_get(u->indexes, key_str(&k));
    if (first && first->n_before >= MAX_INDEXES)
        return;
    struct unit_index *index = arena_alloc(u->arena, sizeof(*index));
    *index = (struct unit_index){ schema, columns, n, first,
        first ? first->n_before + 1 : 0 };
    map_set(u->indexes, key_str(&k), index);
}

static void
add_constraint(struct pol_unit *u, const struct sql_object *table,
    const struct sql_constraint *c, const char *column)
{
    if (c->kind != SQL_C_PRIMARY && c->kind != SQL_C_UNIQUE)
        return;
    if (c->n_columns) {
        add_index(u, table->schema, table->name, (const char *const *)c->columns,
            c->n_columns);
    } else if (column) {
        const char **one = arena_alloc(u->arena, sizeof(*one));
        *one = column;
        add_index(u, table->schema, table->name, one, 1);
    }
}

/* Does the statement end in WHERE column IS NOT NULL? Rows that such an index leaves out
 * refer to nothing. Brackets don't count. */
static bool
leaves_out_nulls(const struct pol_unit *u, const struct sql_facts *f)
{
    static const char *const words[] = { "where", NULL, "is", "not", "null" };
    const struct sql_stmt *s = &u->text->scan->stmts[f->stmt];
    const char *text = u->text->text + s->start;
    struct sql_token last[DG_ARRAY_SIZE(words)], tok;
    size_t n = 0;
    struct sql_lexer lx;
    char name[64];

    sql_lex_init(&lx, text, s->len, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        if (tok.kind != SQL_T_PUNCT || !strchr("()", text[tok.start]))
            last[n++ % DG_ARRAY_SIZE(words)] = tok;
    }
    for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++) {
        const struct sql_token *t = &last[(n + i) % DG_ARRAY_SIZE(words)];
        const char *want = words[i] ? words[i] : f->index->columns[0];
        if (n < DG_ARRAY_SIZE(words) || sql_token_ident(text, t, name)
            || strcmp(name, want) != 0)
            return false;
    }
    return true;
}

/* Only these methods answer the server's question "is there a row with this key?" Another
 * partial index may leave the row out. */
static bool
finds_rows(const struct pol_unit *u, const struct sql_facts *f)
{
    const struct sql_index *index = f->index;
    bool is_by_key = !index->method || !*index->method
        || strcmp(index->method, "btree") == 0 || strcmp(index->method, "hash") == 0;
    if (!is_by_key || !index->n_columns || !index->columns[0])
        return false;
    return !index->has_where || (f->parent < 0 && leaves_out_nulls(u, f));
}

static void
collect(struct pol_unit *u, const struct sql_facts *f)
{
    if (!f->n_objects)
        return;
    const struct sql_object *o = &f->objects[0];
    if (f->index && o->on && finds_rows(u, f))
        add_index(u, o->on_schema, o->on, (const char *const *)f->index->columns,
            f->index->n_columns);
    if (!is_relation(o->kind))
        return;
    for (size_t i = 0; i < f->n_subs; i++) {
        const struct sql_sub *s = &f->subs[i];
        for (size_t k = 0; s->def && k < s->def->n_constraints; k++)
            add_constraint(u, o, &s->def->constraints[k], s->def->name);
        if (s->constraint)
            add_constraint(u, o, s->constraint, NULL);
    }
}

static bool
leads_with(const struct unit_index *index, const char *const *columns, size_t n)
{
    if (index->n_columns < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool is_found = false;
        for (size_t k = 0; k < n && !is_found; k++)
            is_found = index->columns[k] && strcmp(index->columns[k], columns[i]) == 0;
        if (!is_found)
            return false;
    }
    return true;
}

bool
pol_unit_has_index(const struct pol_unit *u, const char *schema, const char *table,
    const char *const *columns, size_t n_columns)
{
    if (n_columns > 32) /* the server takes no longer key */
        return true;
    for (size_t i = 0; i < n_columns; i++) {
        struct key k;
        k.n = 0;
        key_add(&k, table);
        key_add(&k, columns[i]);
        const struct unit_index *index = map_get(u->indexes, key_str(&k));
        for (; index; index = index->next) {
            bool same = !schema || !index->schema || strcmp(schema, index->schema) == 0;
            if (same && leads_with(index, columns, n_columns))
                return true;
        }
    }
    return false;
}

/* ---- the unit ---- */

/* Knows tables and names of indexes only. */
static struct pol_unit *
unit_new_light(const struct pol_text *text)
{
    struct pol_unit *u = mem_zalloc(sizeof(*u));
    u->text = text;
    u->tree = text->tree;
    u->arena = arena_new();
    u->tables = map_new(NULL);
    u->names = map_new(NULL);
    u->made = text->made;
    return u;
}

struct pol_unit *
pol_unit_new(const struct pol_text *text)
{
    const struct sql_tree *tree = text->tree;
    struct pol_unit *u = unit_new_light(text);
    u->columns = map_new(NULL);
    u->indexes = map_new(NULL);
    for (size_t i = 0; i < tree->n; i++) {
        if (runs_here(tree, &tree->facts[i])
            && !(tree->facts[i].flags & SQL_F_UNPARSABLE))
            collect(u, &tree->facts[i]);
    }
    return u;
}

void
pol_unit_free(struct pol_unit *u)
{
    if (!u)
        return;
    map_free(u->tables);
    map_free(u->names);
    map_free(u->columns);
    map_free(u->indexes);
    arena_free(u->arena);
    mem_free(u);
}

/* ---- across the texts of a transaction ---- */

void
pol_made_free(struct pol_made *made)
{
    if (!made)
        return;
    map_free(made->names);
    map_free(made->counts);
    mem_free(made);
}

static void
forget_names(struct pol_unit *u)
{
    u->made = NULL;
    if (!map_count(u->tables))
        return;
    map_free(u->tables);
    map_free(u->names);
    u->tables = map_new(NULL);
    u->names = map_new(NULL);
}

static void
take_over(struct pol_made *made, const struct pol_unit *u, struct str key, void *value)
{
    const char *end = memchr(key.p, '\1', key.n);
    struct str name = { key.p, (size_t)(end - key.p) };
    struct str schema = { end + 1, key.n - name.n - 1 };
    bool was = map_get(made->names, key) != NULL, is = value != GONE;

    if (is && !was && map_count(made->names) >= MAX_MADE)
        return;
    if (is)
        map_set(made->names, key, made_value(made, is_born(u, value, false)));
    else
        map_remove(made->names, key);
    if (!str_eqz(schema, "\2index"))
        count_in(made->counts, name, (int)is - (int)was);
}

static void
merge(struct pol_made **made, const struct pol_unit *u)
{
    size_t pos = 0;
    struct str key;
    void *value;

    if (!u->made) { /* there was nothing, or it is over */
        pol_made_free(*made);
        *made = NULL;
    }
    if (!*made && !map_count(u->tables))
        return;
    if (!*made) {
        *made = mem_zalloc(sizeof(**made));
        (*made)->names = map_new(NULL);
        (*made)->counts = map_new(NULL);
    }
    (*made)->epoch += u->epoch > 0;
    while (map_next(u->tables, &pos, &key, &value))
        take_over(*made, u, key, value);
}

void
pol_made_note(struct pol_made **made, const struct pol_text *t)
{
    struct pol_text text = *t;

    text.made = *made;
    struct pol_unit *u = unit_new_light(&text);
    for (size_t i = 0; i < t->tree->n; i++) {
        switch (t->tree->facts[i].tx) {
        case SQL_TX_COMMIT:
        case SQL_TX_ROLLBACK:
        case SQL_TX_PREPARE:
        case SQL_TX_ROLLBACK_TO: /* what it undoes, nobody keeps */
            forget_names(u);
            break;
        case SQL_TX_NONE:
        case SQL_TX_BEGIN:
        case SQL_TX_SAVEPOINT:
        case SQL_TX_RELEASE:
        case SQL_TX_COMMIT_PREPARED:
        case SQL_TX_ROLLBACK_PREPARED:
            break;
        }
        pol_unit_apply(u, i);
    }
    merge(made, u);
    pol_unit_free(u);
}

bool
pol_is_stored(const struct sql_tree *tree, size_t fact)
{
    for (int i = tree->facts[fact].parent; i >= 0; i = tree->facts[i].parent) {
        const char *tag = tree->facts[i].tag;
        if (strcmp(tag, "CREATE FUNCTION") == 0 || strcmp(tag, "CREATE PROCEDURE") == 0)
            return true;
    }
    return false;
}
