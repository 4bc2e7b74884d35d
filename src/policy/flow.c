// SPDX-License-Identifier: ISC
/* Transactions and what they hold, while a unit is judged; see flow.h. Everything is a lookup
 * in a map, since a client may send a million statements. */
#include "policy/flow.h"

#include "policy/unit.h"
#include "sql/lex.h"

#include <string.h>
#include <strings.h>

struct pol_flow {
    const struct sql_tree *tree; /* borrowed */
    bool is_unit;
    bool in_block, is_shared;
    size_t begin;
    /* of the transaction */
    struct map *held; /* see key_of */
    bool has_ddl, has_values;
    const char *locked; /* in the arena */
    size_t n_locked;
    /* of the unit */
    struct map *known;
    struct map *first, *made; /* kind, name -> first, last fact that makes it, plus 1 */
    bool has_lock_timeout, has_statement_timeout;
    struct arena *arena;
};

/* ---- locks ---- */

const char *
pol_lock_name(enum pol_lock lock)
{
    switch (lock) {
    case POL_LOCK_NONE:
        return "no";
    case POL_LOCK_WEAK:
        return "SHARE UPDATE EXCLUSIVE";
    case POL_LOCK_SHARE:
        return "SHARE";
    case POL_LOCK_SHARE_ROW_EXCLUSIVE:
        return "SHARE ROW EXCLUSIVE";
    case POL_LOCK_EXCLUSIVE:
        return "EXCLUSIVE";
    case POL_LOCK_ACCESS_EXCLUSIVE:
        return "ACCESS EXCLUSIVE";
    }
    return "no";
}

/* Actions of ALTER TABLE that take less than ACCESS EXCLUSIVE. */
static enum pol_lock
lock_of_sub(const struct sql_sub *s)
{
    static const struct {
        const char *name;
        enum pol_lock lock;
    } subs[] = { { "SET STATISTICS", POL_LOCK_WEAK }, { "SET", POL_LOCK_WEAK },
        { "RESET", POL_LOCK_WEAK }, { "ALTER COLUMN SET", POL_LOCK_WEAK },
        { "ALTER COLUMN RESET", POL_LOCK_WEAK }, { "CLUSTER ON", POL_LOCK_WEAK },
        { "SET WITHOUT CLUSTER", POL_LOCK_WEAK },
        { "VALIDATE CONSTRAINT", POL_LOCK_WEAK }, { "ATTACH PARTITION", POL_LOCK_WEAK },
        { "DETACH PARTITION FINALIZE", POL_LOCK_WEAK },
        { "ENABLE TRIGGER", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "ENABLE ALWAYS TRIGGER", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "ENABLE REPLICA TRIGGER", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "DISABLE TRIGGER", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "ENABLE TRIGGER ALL", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "DISABLE TRIGGER ALL", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "ENABLE TRIGGER USER", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "DISABLE TRIGGER USER", POL_LOCK_SHARE_ROW_EXCLUSIVE } };

    if (s->flags & SQL_F_CONCURRENTLY)
        return POL_LOCK_WEAK;
    if (s->constraint && s->constraint->kind == SQL_C_FOREIGN)
        return POL_LOCK_SHARE_ROW_EXCLUSIVE;
    for (size_t i = 0; i < DG_ARRAY_SIZE(subs); i++) {
        if (strcmp(s->name, subs[i].name) == 0)
            return subs[i].lock;
    }
    return POL_LOCK_ACCESS_EXCLUSIVE;
}

static enum pol_lock
lock_of_alter(const struct sql_facts *f)
{
    enum pol_lock lock = POL_LOCK_NONE;

    for (size_t i = 0; i < f->n_subs; i++) {
        enum pol_lock one = lock_of_sub(&f->subs[i]);
        if (one > lock)
            lock = one;
    }
    return lock;
}

static bool
has_sub(const struct sql_facts *f, const char *name)
{
    for (size_t i = 0; i < f->n_subs; i++) {
        if (strcmp(f->subs[i].name, name) == 0)
            return true;
    }
    return false;
}

static enum pol_lock
lock_of_tag(const struct sql_facts *f)
{
    static const struct {
        const char *tag;
        enum pol_lock lock;
    } tags[] = { { "DROP TABLE", POL_LOCK_ACCESS_EXCLUSIVE },
        { "DROP FOREIGN TABLE", POL_LOCK_ACCESS_EXCLUSIVE },
        { "DROP MATERIALIZED VIEW", POL_LOCK_ACCESS_EXCLUSIVE },
        { "TRUNCATE TABLE", POL_LOCK_ACCESS_EXCLUSIVE },
        { "CLUSTER", POL_LOCK_ACCESS_EXCLUSIVE },
        { "CREATE RULE", POL_LOCK_ACCESS_EXCLUSIVE },
        { "DROP RULE", POL_LOCK_ACCESS_EXCLUSIVE },
        { "DROP TRIGGER", POL_LOCK_ACCESS_EXCLUSIVE },
        { "CREATE POLICY", POL_LOCK_ACCESS_EXCLUSIVE },
        { "ALTER POLICY", POL_LOCK_ACCESS_EXCLUSIVE },
        { "DROP POLICY", POL_LOCK_ACCESS_EXCLUSIVE },
        { "CREATE TRIGGER", POL_LOCK_SHARE_ROW_EXCLUSIVE },
        { "COMMENT", POL_LOCK_WEAK } };

    for (size_t i = 0; i < DG_ARRAY_SIZE(tags); i++) {
        if (strcmp(f->tag, tags[i].tag) == 0)
            return tags[i].lock;
    }
    if (strcmp(f->tag, "REFRESH MATERIALIZED VIEW") == 0)
        return f->flags & SQL_F_CONCURRENTLY ? POL_LOCK_EXCLUSIVE
                                             : POL_LOCK_ACCESS_EXCLUSIVE;
    if (strcmp(f->tag, "REINDEX") == 0)
        return f->flags & SQL_F_CONCURRENTLY ? POL_LOCK_WEAK : POL_LOCK_SHARE;
    if (strcmp(f->tag, "VACUUM") == 0)
        return has_sub(f, "FULL") ? POL_LOCK_ACCESS_EXCLUSIVE : POL_LOCK_WEAK;
    return POL_LOCK_NONE;
}

/* The existing table of CREATE TABLE: a partition's parent, else one that a foreign key
 * refers to, which has no object of its own. */
static enum pol_lock
lock_of_create(const struct sql_facts *f, const struct sql_object **table)
{
    if (!has_sub(f, "PARTITION OF") || f->n_objects < 2)
        return POL_LOCK_NONE;
    *table = &f->objects[1];
    return POL_LOCK_ACCESS_EXCLUSIVE;
}

enum pol_lock
pol_lock_of(const struct sql_facts *f, const struct sql_object **table)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    *table = NULL;
    if (!o)
        return POL_LOCK_NONE;
    if (f->index) {
        *table = f->n_objects > 1 ? &f->objects[1] : NULL;
        return f->flags & SQL_F_CONCURRENTLY ? POL_LOCK_WEAK : POL_LOCK_SHARE;
    }
    if (strcmp(f->tag, "CREATE TABLE") == 0)
        return lock_of_create(f, table);
    for (size_t i = 0; i < f->n_objects; i++) {
        enum sql_object_kind kind = f->objects[i].kind;
        if (kind == SQL_O_TABLE || kind == SQL_O_FOREIGN_TABLE
            || kind == SQL_O_MATVIEW) {
            *table = &f->objects[i];
            break;
        }
    }
    if (strcmp(f->tag, "DROP INDEX") == 0)
        return f->flags & SQL_F_CONCURRENTLY ? POL_LOCK_WEAK
                                             : POL_LOCK_ACCESS_EXCLUSIVE;
    if (!*table)
        return POL_LOCK_NONE;
    if (strcmp(f->tag, "ALTER TABLE") == 0 || strcmp(f->tag, "ALTER FOREIGN TABLE") == 0
        || strcmp(f->tag, "ALTER MATERIALIZED VIEW") == 0)
        return lock_of_alter(f);
    return lock_of_tag(f);
}

/* ---- keys ---- */

struct key {
    char text[4 * 64 + 8];
    size_t n;
};

static void
key_add(struct key *k, const char *part)
{
    size_t n = part ? strnlen(part, 64) : 0;
    k->text[k->n++] = '\1';
    memcpy(k->text + k->n, part ? part : "", n);
    k->n += n;
}

static struct key
key_of(char kind, const char *a, const char *b)
{
    struct key k;
    k.text[0] = kind;
    k.n = 1;
    key_add(&k, a);
    key_add(&k, b);
    return k;
}

static bool
has(const struct map *m, char kind, const char *a, const char *b)
{
    struct key k = key_of(kind, a, b);
    return map_get(m, (struct str){ k.text, k.n }) != NULL;
}

static void
put(struct map *m, char kind, const char *a, const char *b)
{
    struct key k = key_of(kind, a, b);
    map_set(m, (struct str){ k.text, k.n }, m);
}

/* ---- questions ---- */

bool
pol_flow_in_block(const struct pol_flow *f, size_t *begin)
{
    if (f->in_block && begin)
        *begin = f->begin;
    return f->in_block;
}

bool
pol_flow_is_shared(const struct pol_flow *f)
{
    return f->in_block || f->is_shared;
}

bool
pol_flow_has_ddl(const struct pol_flow *f)
{
    return f->has_ddl;
}

const char *
pol_flow_locked(const struct pol_flow *f)
{
    return f->locked;
}

size_t
pol_flow_n_locked(const struct pol_flow *f)
{
    return f->n_locked;
}

bool
pol_flow_holds(const struct pol_flow *f, const struct sql_object *table)
{
    return has(f->held, 'L', table->name, NULL);
}

bool
pol_flow_added_constraint(
    const struct pol_flow *f, const struct sql_object *table, const char *name)
{
    return name && has(f->held, 'C', table->name, name);
}

bool
pol_flow_has_new_values(const struct pol_flow *f)
{
    return f->has_values;
}

bool
pol_flow_is_new_value(const struct pol_flow *f, const char *value)
{
    return has(f->held, 'E', value, NULL);
}

bool
pol_flow_has_lock_timeout(const struct pol_flow *f)
{
    return f->has_lock_timeout;
}

bool
pol_flow_has_statement_timeout(const struct pol_flow *f)
{
    return f->has_statement_timeout;
}

bool
pol_flow_knows_not_null(
    const struct pol_flow *f, const struct sql_object *table, const char *column)
{
    return has(f->known, 'N', table->name, column);
}

bool
pol_flow_has_valid_check(const struct pol_flow *f, const struct sql_object *table)
{
    return has(f->known, 'K', table->name, NULL);
}

static char
kind_letter(enum sql_object_kind kind)
{
    return (char)('a' + (int)kind);
}

bool
pol_flow_comes_back(const struct pol_flow *f, size_t fact, const struct sql_object *o)
{
    struct key k = key_of(kind_letter(o->kind), o->name, o->on);
    uintptr_t last = (uintptr_t)map_get(f->made, (struct str){ k.text, k.n });
    return last > fact + 1;
}

bool
pol_flow_was_made(const struct pol_flow *f, size_t fact, const struct sql_object *o)
{
    struct key k = key_of(kind_letter(o->kind), o->name, o->on);
    uintptr_t first = (uintptr_t)map_get(f->first, (struct str){ k.text, k.n });
    return first && first <= fact;
}

/* Between the tokens stand white space and comments only. */
bool
pol_comment_has(const struct pol_text *t, const char *words)
{
    const size_t n = strlen(words);
    struct sql_lexer lx;
    struct sql_token tok;
    size_t at = 0;
    bool is_end = false;

    sql_lex_init(&lx, t->text, t->len, true);
    while (!is_end) {
        is_end = sql_lex_next(&lx, &tok) != 0;
        size_t to = is_end ? t->len : tok.start;
        for (size_t i = at; i + n <= to; i++) {
            if (strncasecmp(t->text + i, words, n) == 0)
                return true;
        }
        at = is_end ? to : tok.start + tok.len;
    }
    return false;
}

/* ---- taking in ---- */

static void
end_transaction(struct pol_flow *f)
{
    if (map_count(f->held)) {
        map_free(f->held);
        f->held = map_new(NULL);
    }
    f->has_ddl = f->has_values = false;
    f->locked = NULL;
    f->n_locked = 0;
}

static void
take_tx(struct pol_flow *f, const struct sql_facts *fact, size_t i)
{
    switch (fact->tx) {
    case SQL_TX_BEGIN:
        if (!f->in_block)
            f->begin = i;
        f->in_block = true;
        break;
    case SQL_TX_COMMIT:
    case SQL_TX_ROLLBACK:
    case SQL_TX_PREPARE:
        end_transaction(f);
        f->in_block = has_sub(fact, "AND CHAIN");
        f->is_shared = false; /* the tool's transaction is over, too */
        f->begin = i;
        break;
    case SQL_TX_NONE:
    case SQL_TX_SAVEPOINT:
    case SQL_TX_ROLLBACK_TO:
    case SQL_TX_RELEASE:
    case SQL_TX_COMMIT_PREPARED:
    case SQL_TX_ROLLBACK_PREPARED:
        break;
    }
}

static void
take_setting(struct pol_flow *f, const struct sql_facts *fact)
{
    bool is_on = fact->setting_value && strcmp(fact->setting_value, "0") != 0
        && strcmp(fact->setting_value, "0s") != 0
        && strcmp(fact->setting_value, "0ms") != 0;

    if (!fact->setting)
        return;
    if (strcmp(fact->setting, "lock_timeout") == 0)
        f->has_lock_timeout = is_on;
    else if (strcmp(fact->setting, "statement_timeout") == 0)
        f->has_statement_timeout = is_on;
}

static void
take_lock(struct pol_flow *f, const struct sql_facts *fact)
{
    const struct sql_object *table;
    enum pol_lock lock = pol_lock_of(fact, &table);

    if (!table || lock < POL_LOCK_SHARE || table->is_temp)
        return;
    if (!f->locked)
        f->locked = table->schema
            ? arena_printf(f->arena, "%s.%s", table->schema, table->name)
            : table->name;
    if (lock == POL_LOCK_ACCESS_EXCLUSIVE && !pol_flow_holds(f, table)) {
        put(f->held, 'L', table->name, NULL);
        f->n_locked++;
    }
}

static void
take_constraint(
    struct pol_flow *f, const struct sql_object *table, const struct sql_sub *s)
{
    const struct sql_constraint *c = s->constraint;

    if (c && strcmp(s->name, "ADD CONSTRAINT") == 0) {
        if (c->not_valid && c->name)
            put(f->held, 'C', table->name, c->name);
        if (c->kind == SQL_C_CHECK && !c->not_valid)
            put(f->known, 'K', table->name, NULL);
        if (c->kind == SQL_C_CHECK && c->not_valid && c->name)
            put(f->known, 'W', table->name, c->name);
        if (c->not_null_of && c->not_valid && c->name) {
            struct key k = key_of('V', table->name, c->name);
            map_set(f->known, (struct str){ k.text, k.n },
                arena_strdup(f->arena, c->not_null_of));
        } else if (c->not_null_of) {
            put(f->known, 'N', table->name, c->not_null_of);
        }
    } else if (strcmp(s->name, "VALIDATE CONSTRAINT") == 0 && s->column) {
        struct key k = key_of('V', table->name, s->column);
        const char *column = map_get(f->known, (struct str){ k.text, k.n });
        if (column)
            put(f->known, 'N', table->name, column);
        if (has(f->known, 'W', table->name, s->column))
            put(f->known, 'K', table->name, NULL);
    }
}

static void
take_change(struct pol_flow *f, const struct sql_facts *fact, bool is_new)
{
    f->has_ddl = true;
    if (!is_new)
        take_lock(f, fact);
    for (size_t i = 0; i < fact->n_subs && fact->n_objects; i++) {
        const struct sql_sub *s = &fact->subs[i];
        take_constraint(f, &fact->objects[0], s);
        if (strcmp(s->name, "ADD VALUE") == 0 && s->value) {
            put(f->held, 'E', s->value, NULL);
            f->has_values = true;
        }
    }
}

void
pol_flow_take(struct pol_flow *f, size_t i, bool is_new)
{
    const struct sql_facts *fact = &f->tree->facts[i];

    if (pol_is_stored(f->tree, i))
        return;
    if (fact->parent < 0 && !pol_flow_is_shared(f))
        end_transaction(f);
    take_setting(f, fact);
    if (fact->cls != DG_OTHER && !pol_is_temp(fact))
        take_change(f, fact, is_new);
    if (fact->parent < 0)
        take_tx(f, fact, i);
}

/* ---- the whole ---- */

/* A tool runs a file in its own transaction, but for what can't run in one, if nothing else
 * stands beside it. */
static bool
is_wrapped(const struct pol *pol, const struct sql_tree *tree, bool is_unit)
{
    size_t n = 0, n_outside = 0;

    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *f = &tree->facts[i];
        if (f->parent >= 0)
            continue;
        n++;
        n_outside += (f->flags & SQL_F_NO_TX) != 0 || f->setting;
    }
    if (!is_unit)
        return n > 1;
    switch (pol->wrap) {
    case POL_WRAP_UNKNOWN:
    case POL_WRAP_FILE:
        break;
    case POL_WRAP_TOOL:
        return n_outside < n;
    case POL_WRAP_QUERY:
        return n > 1;
    }
    return false;
}

struct pol_flow *
pol_flow_new(const struct pol *pol, const struct pol_text *text, bool is_unit)
{
    struct pol_flow *f = mem_zalloc(sizeof(*f));
    const struct sql_tree *tree = text->tree;

    f->tree = tree;
    f->is_unit = is_unit;
    f->held = map_new(NULL);
    f->known = map_new(NULL);
    f->first = map_new(NULL);
    f->made = map_new(NULL);
    f->arena = arena_new();
    f->is_shared = is_wrapped(pol, tree, is_unit);
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *fact = &tree->facts[i];
        const struct sql_object *o = fact->n_objects ? &fact->objects[0] : NULL;
        const char *name = o && o->is_created ? o->name : NULL;
        if (o && fact->n_subs && strcmp(fact->subs[0].name, "RENAME TO") == 0)
            name = fact->subs[0].value;
        if (!name || !*name || fact->parent >= 0)
            continue;
        struct key k = key_of(kind_letter(o->kind), name, o->on);
        struct str key = { k.text, k.n };
        if (!map_get(f->first, key))
            map_set(f->first, key, (void *)(uintptr_t)(i + 1));
        map_set(f->made, key, (void *)(uintptr_t)(i + 1));
    }
    return f;
}

void
pol_flow_free(struct pol_flow *f)
{
    if (!f)
        return;
    map_free(f->held);
    map_free(f->known);
    map_free(f->first);
    map_free(f->made);
    arena_free(f->arena);
    mem_free(f);
}
