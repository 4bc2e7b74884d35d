// SPDX-License-Identifier: ISC
/* attach-partition-check: the bounds of a partition as the CHECK that spares the server its
 * scan. It is written as the server itself writes a partition's constraint, so that its proof
 * succeeds. What the table is partitioned by says the server, or the CREATE TABLE of the same
 * file. */
#include "policy/rewrite_build.h"

#include <stdio.h>
#include <string.h>

#define MAX_KEY 32 /* columns; the server's own limit */

/* ---- the key ---- */

/* (a, b) of PARTITION BY RANGE (a, b): columns and nothing else. */
static bool
read_columns(struct rw *rw, struct sql_lexer *lx, struct pol_live_key *key)
{
    const char *text = lx->text;
    struct sql_token tok;
    char name[64];

    key->columns = arena_alloc(rw->a, MAX_KEY * sizeof(*key->columns));
    key->types = arena_alloc(rw->a, MAX_KEY * sizeof(*key->types));
    while (key->n < MAX_KEY && sql_lex_next(lx, &tok) == 0) {
        bool is_name = tok.kind == SQL_T_WORD || tok.kind == SQL_T_QUOTED;
        if (!is_name || sql_token_ident(text, &tok, name) != 0)
            return false;
        key->columns[key->n++] = arena_strdup(rw->a, name);
        if (sql_lex_next(lx, &tok) != 0 || tok.len != 1)
            return false;
        if (text[tok.start] != ',')
            return text[tok.start] == ')';
    }
    return false;
}

static bool
is_word(const struct sql_lexer *lx, const struct sql_token *tok, const char *word)
{
    return tok->kind == SQL_T_WORD
        && str_ieqz((struct str){ lx->text + tok->start, tok->len }, word);
}

static bool
read_key(struct rw *rw, const struct sql_facts *f, size_t at, struct pol_live_key *key)
{
    const struct sql_stmt *s = &rw->text->scan->stmts[f->stmt];
    struct sql_lexer lx;
    struct sql_token by[4]; /* PARTITION BY RANGE ( */

    if (at < s->start || at >= s->start + s->len)
        return false;
    sql_lex_init(&lx, rw->text->text + at, s->start + s->len - at, true);
    for (size_t i = 0; i < DG_ARRAY_SIZE(by); i++) {
        if (sql_lex_next(&lx, &by[i]) != 0)
            return false;
    }
    key->strategy = is_word(&lx, &by[2], "RANGE") ? 'r'
        : is_word(&lx, &by[2], "LIST")            ? 'l'
                                                  : 'h';
    return is_word(&lx, &by[1], "BY") && lx.text[by[3].start] == '('
        && read_columns(rw, &lx, key);
}

static void
find_types(struct rw *rw, const struct sql_facts *f, struct pol_live_key *key)
{
    for (size_t k = 0; k < key->n; k++) {
        for (size_t i = 0; i < f->n_subs; i++) {
            const struct sql_column *col = f->subs[i].def;
            if (col && strcmp(col->name, key->columns[k]) == 0)
                key->types[k] = pol_type(rw->a, col);
        }
    }
}

/* The key that an earlier CREATE TABLE of the file gives the table. */
static bool
key_of_file(struct rw *rw, const struct sql_object *table, struct pol_live_key *key)
{
    for (size_t i = rw->fact; i-- > 0;) {
        const struct sql_facts *f = &rw->text->tree->facts[i];
        const struct sql_sub *by = pol_sub_find(f, "PARTITION BY");
        const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
        bool is_same = by && by->pos >= 0 && o && strcmp(o->name, table->name) == 0
            && (!o->schema || !table->schema || strcmp(o->schema, table->schema) == 0);
        if (!is_same)
            continue;
        *key = (struct pol_live_key){ .n = 0 };
        if (!read_key(rw, f, (size_t)by->pos, key)) {
            rw->why = "the partition key is more than a list of columns";
            return false;
        }
        find_types(rw, f, key);
        return true;
    }
    rw->why =
        "by what the table is partitioned isn't known: neither the file nor a server "
        "says it (check takes --database)";
    return false;
}

static bool
key_of(struct rw *rw, const struct sql_object *table, struct pol_live_key *key)
{
    const struct pol_live_relation *rel = rw->finding->relation;

    if (!rel && !key_of_file(rw, table, key))
        return false;
    if (rel)
        *key = rel->key;
    for (size_t i = 0; i < key->n; i++) {
        if (!key->columns[i])
            rw->why = "the partition key holds an expression";
    }
    if (key->has_order)
        rw->why =
            "the partition key has an operator class or a collation of its own, and a "
            "CHECK would compare otherwise";
    else if (key->strategy != 'r' && key->strategy != 'l')
        rw->why =
            "which rows belong to a HASH partition is no condition on its columns that "
            "the server would trust";
    else if (!key->n || key->n > MAX_KEY)
        rw->why = "by what the table is partitioned isn't known";
    return !rw->why;
}

/* ---- the bound ---- */

struct bound {
    enum {
        BOUND_VALUE,
        BOUND_NULL,
        BOUND_MIN,
        BOUND_MAX,
    } kind;
    const char *text; /* as it is written in the CHECK */
};

struct bounds {
    struct bound *items;
    size_t n;
};

/* A number may stand bare where the column is of a type that it is written in; elsewhere, in
 * quotes, it becomes one of the column's type, as the bound does. */
static const char *
number_text(struct rw *rw, const char *number, const char *type)
{
    static const char *const types[] = { "smallint", "integer", "bigint", "numeric" };
    bool is_whole = strspn(number, "-0123456789") == strlen(number);

    for (size_t i = 0; type && i < DG_ARRAY_SIZE(types); i++) {
        if (strcmp(type, types[i]) == 0 && (is_whole || i == 3))
            return number;
    }
    return arena_printf(rw->a, "'%s'", number);
}

/* One item of a bound's list, tokens from..to. */
static bool
read_bound(struct rw *rw, size_t from, size_t to, const char *type, bool is_list,
    struct bound *out)
{
    const struct sql_token *last = &rw->tokens[to];
    const char *word = rw_words(rw, from, to);
    bool is_signed = to == from + 1
        && (rw_is_sign(rw, from, '-') || rw_is_sign(rw, from, '+'));

    *out = (struct bound){ .text = word };
    if (last->kind == SQL_T_NUMBER && (from == to || is_signed)) {
        const char *digits = rw_words(rw, to, to);
        bool is_minus = is_signed && rw_is_sign(rw, from, '-');
        out->text = number_text(
            rw, is_minus ? arena_printf(rw->a, "-%s", digits) : digits, type);
        return true;
    }
    if (from != to)
        return false;
    if (last->kind == SQL_T_STRING || last->kind == SQL_T_ESTRING
        || last->kind == SQL_T_DOLLAR)
        return true;
    out->kind = rw_is(rw, from, "NULL") ? BOUND_NULL
        : rw_is(rw, from, "MINVALUE")   ? BOUND_MIN
        : rw_is(rw, from, "MAXVALUE")   ? BOUND_MAX
                                        : BOUND_VALUE;
    if (out->kind != BOUND_VALUE)
        return (out->kind == BOUND_NULL) == is_list;
    out->text = arena_printf(rw->a, "'%s'", word);
    return rw_is(rw, from, "TRUE") || rw_is(rw, from, "FALSE");
}

/* (1, 'x') from its `(` on; *end: its `)`. */
static bool
read_bounds(struct rw *rw, size_t open, const struct pol_live_key *key,
    struct bounds *out, size_t *end)
{
    size_t from = open + 1;

    *end = rw_is_sign(rw, open, '(') ? rw_closing(rw, open) : RW_NONE;
    if (*end == RW_NONE)
        return false;
    out->items = arena_alloc(rw->a, (*end - open + 1) * sizeof(*out->items));
    for (size_t i = from; i <= *end; i++) {
        if (i != *end && !rw_is_sign(rw, i, ','))
            continue;
        bool is_list = key->strategy == 'l';
        const char *type = key->types[!is_list && out->n < key->n ? out->n : 0];
        if (i == from
            || !read_bound(rw, from, i - 1, type, is_list, &out->items[out->n]))
            return false;
        out->n++;
        from = i + 1;
    }
    return true;
}

/* ---- the condition ---- */

static void
join(struct rw *rw, const char **list, const char *word, const char *more)
{
    *list = **list ? arena_printf(rw->a, "%s %s %s", *list, word, more) : more;
}

static const char *
compared(struct rw *rw, const struct pol_live_key *key, size_t i, const char *sign,
    const struct bound *b)
{
    return arena_printf(
        rw->a, "%s %s %s", pol_ident(rw->a, key->columns[i]), sign, b->text);
}

/* What the server makes of one side of a range from column `first` on, where the two sides
 * are no longer equal: a > 1 OR (a = 1 AND b >= 2). */
static const char *
side(struct rw *rw, const struct pol_live_key *key, size_t first,
    const struct bounds *b, bool is_lower)
{
    const char *arms = "", *equal = "";
    unsigned endless = is_lower ? BOUND_MIN : BOUND_MAX;
    size_t n_arms = 0;

    for (size_t i = first; i < key->n && b->items[i].kind == BOUND_VALUE; i++) {
        bool is_last = i + 1 == key->n || b->items[i + 1].kind == endless;
        bool is_whole = i + 1 == key->n;
        const char *sign = is_lower ? is_last ? ">=" : ">"
            : is_last && !is_whole  ? "<="
                                    : "<";
        const char *arm = equal;
        join(rw, &arm, "AND", compared(rw, key, i, sign, &b->items[i]));
        join(rw, &arms, "OR", *equal ? arena_printf(rw->a, "(%s)", arm) : arm);
        join(rw, &equal, "AND", compared(rw, key, i, "=", &b->items[i]));
        n_arms++;
        if (i + 1 < key->n && b->items[i + 1].kind != BOUND_VALUE)
            break;
    }
    return n_arms > 1 ? arena_printf(rw->a, "(%s)", arms) : arms;
}

static const char *
range_condition(struct rw *rw, const struct pol_live_key *key, const struct bounds *lo,
    const struct bounds *hi)
{
    const char *all = "";
    size_t i;

    for (i = 0; i < key->n; i++)
        join(rw, &all, "AND",
            arena_printf(rw->a, "%s IS NOT NULL", pol_ident(rw->a, key->columns[i])));
    for (i = 0; i < key->n; i++) {
        const struct bound *l = &lo->items[i], *h = &hi->items[i];
        if (l->kind != BOUND_VALUE || h->kind != BOUND_VALUE
            || strcmp(l->text, h->text) != 0)
            break;
        join(rw, &all, "AND", compared(rw, key, i, "=", l));
    }
    const char *lower = side(rw, key, i, lo, true),
               *upper = side(rw, key, i, hi, false);
    if (*lower)
        join(rw, &all, "AND", lower);
    if (*upper)
        join(rw, &all, "AND", upper);
    return all;
}

/* Its values with commas; there may be thousands. */
static const char *
listed(struct rw *rw, const struct bounds *in)
{
    size_t size = 1, n = 0;

    for (size_t i = 0; i < in->n; i++)
        size += strlen(in->items[i].text) + 2;
    char *out = arena_alloc(rw->a, size);
    for (size_t i = 0; i < in->n; i++) {
        if (in->items[i].kind == BOUND_VALUE)
            n += (size_t)snprintf(
                out + n, size - n, "%s%s", n ? ", " : "", in->items[i].text);
    }
    return out;
}

static const char *
list_condition(struct rw *rw, const struct pol_live_key *key, const struct bounds *in)
{
    const char *column = pol_ident(rw->a, key->columns[0]), *values = listed(rw, in);
    bool has_null = false;

    for (size_t i = 0; i < in->n; i++)
        has_null |= in->items[i].kind == BOUND_NULL;
    if (!*values)
        return arena_printf(rw->a, "%s IS NULL", column);
    return arena_printf(rw->a,
        has_null ? "%s IS NULL OR %s IN (%s)" : "%s IS NOT NULL AND %s IN (%s)", column,
        column, values);
}

/* The condition of FOR VALUES at token i, which ends the statement; NULL and rw->why. */
static const char *
condition(struct rw *rw, size_t i, const struct pol_live_key *key)
{
    struct bounds lo = { NULL, 0 }, hi = { NULL, 0 };
    size_t end;

    rw->why = "its bounds are more than constants";
    if (key->strategy == 'l') {
        if (!rw_is(rw, i + 2, "IN") || !read_bounds(rw, i + 3, key, &lo, &end)
            || end != rw->n - 1)
            return NULL;
        rw->why = NULL;
        return list_condition(rw, key, &lo);
    }
    if (!rw_is(rw, i + 2, "FROM") || !read_bounds(rw, i + 3, key, &lo, &end)
        || !rw_is(rw, end + 1, "TO") || !read_bounds(rw, end + 2, key, &hi, &end)
        || end != rw->n - 1)
        return NULL;
    if (lo.n != key->n || hi.n != key->n) {
        rw->why = "its bounds have another number of columns than the partition key";
        return NULL;
    }
    rw->why = NULL;
    return range_condition(rw, key, &lo, &hi);
}

void
rw_attach_by_check(struct rw *rw)
{
    struct arena *a = rw->a;
    const struct sql_facts *f = rw->f;
    size_t at = f->n_objects == 2 ? rw_at(rw, f->objects[1].pos) : RW_NONE;
    struct pol_live_key key;

    if (at == RW_NONE || f->n_subs != 1 || !pol_sub_is(&f->subs[0], "ATTACH PARTITION"))
        return;
    size_t bound = at + (f->objects[1].schema ? 3 : 1);
    if (!rw_is(rw, bound, "FOR")) {
        rw->why = "what a DEFAULT partition may hold hangs on all the others";
        return;
    }
    if (!key_of(rw, &f->objects[0], &key))
        return;
    const char *check = condition(rw, bound, &key);
    if (!check)
        return;
    const char *const parts[] = { f->objects[1].name, "bound" };
    const char *table = rw_name(rw, &f->objects[1]);
    const char *name = rw_passing_name(rw, parts, 2);
    const char *drop = arena_printf(
        a, "ALTER TABLE %s DROP CONSTRAINT %s;", table, name);
    rw_before(rw,
        arena_printf(a, "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s) NOT VALID;", table,
            name, check));
    rw_undo(rw, drop);
    rw_before(
        rw, arena_printf(a, "ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, name));
    rw_then(rw, drop);
    rw_did(rw, 0, "its bounds as a CHECK, validated before it");
    rw->out->needs_alone = true;
}
