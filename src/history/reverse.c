// SPDX-License-Identifier: ISC
/* The statement that undoes another one. Facts hold what the statement said and nothing of
 * what was there before: what it replaced, dropped or overwrote can't be brought back. */
#include "history/capture.h"

#include "base/mem.h"
#include "sql/ident.h"
#include "sql/lex.h"

#include <string.h>

#define GONE "what was there before is not known"

static bool
is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* --- arguments of functions ------------------------------------------------------------- */

struct arguments {
    const char *sql;
    struct sql_lexer lx;
    struct sql_token tok;
    struct buf *out;
    size_t end; /* of the last token that was taken */
};

static bool
token_is(const struct arguments *g, const char *what)
{
    return str_ieqz((struct str){ g->sql + g->tok.start, g->tok.len }, what);
}

static int
depth_of(const struct arguments *g)
{
    if (g->tok.kind != SQL_T_PUNCT)
        return 0;
    char c = g->sql[g->tok.start];
    return c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
}

static void
take(struct arguments *g)
{
    bool is_tight = token_is(g, ",") || token_is(g, ")");
    if (g->end && g->tok.start > g->end && !is_tight)
        buf_puts(g->out, " ");
    buf_put(g->out, g->sql + g->tok.start, g->tok.len);
    g->end = g->tok.start + g->tok.len;
}

/* The argument list of CREATE FUNCTION as DROP FUNCTION takes it: without defaults. */
static bool
put_arguments(const struct hist_captured *c, struct buf *out)
{
    struct arguments g = { .sql = c->sql, .out = out };
    int depth = 0;
    bool is_default = false;

    sql_lex_init(&g.lx, c->sql, c->len, c->std_strings);
    do {
        if (sql_lex_next(&g.lx, &g.tok) != 0)
            return false;
    } while (!token_is(&g, "("));
    for (;;) {
        int step = depth_of(&g);
        bool is_end = step < 0 && depth == 1;
        if (depth == 1 && (token_is(&g, ",") || is_end))
            is_default = false;
        else if (depth == 1
            && (token_is(&g, "default") || token_is(&g, "=") || token_is(&g, ":=")))
            is_default = true;
        if (!is_default)
            take(&g);
        if (is_end)
            return true;
        depth += step;
        if (sql_lex_next(&g.lx, &g.tok) != 0)
            return false;
    }
}

/* --- what was made ---------------------------------------------------------------------- */

static const struct sql_object *
find_created(const struct sql_facts *f)
{
    for (size_t i = 0; i < f->n_objects; i++) {
        if (f->objects[i].is_created)
            return &f->objects[i];
    }
    return NULL;
}

static const char *
word_of(const struct sql_facts *f, const struct sql_object *o)
{
    static const char *const by_tag[] = { "COLLATION", "CONVERSION",
        "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER",
        "TEXT SEARCH TEMPLATE", "STATISTICS", "PUBLICATION", "SERVER",
        "FOREIGN DATA WRAPPER", "EVENT TRIGGER", "LANGUAGE", "ACCESS METHOD" };

    switch (o->kind) {
    case SQL_O_TABLE:
        return "TABLE";
    case SQL_O_INDEX:
        return f->flags & SQL_F_CONCURRENTLY ? "INDEX CONCURRENTLY" : "INDEX";
    case SQL_O_VIEW:
        return "VIEW";
    case SQL_O_MATVIEW:
        return "MATERIALIZED VIEW";
    case SQL_O_SEQUENCE:
        return "SEQUENCE";
    case SQL_O_FOREIGN_TABLE:
        return "FOREIGN TABLE";
    case SQL_O_TYPE:
        return "TYPE";
    case SQL_O_DOMAIN:
        return "DOMAIN";
    case SQL_O_FUNCTION:
        return "FUNCTION";
    case SQL_O_PROCEDURE:
        return "PROCEDURE";
    case SQL_O_SCHEMA:
        return "SCHEMA";
    case SQL_O_EXTENSION:
        return "EXTENSION";
    case SQL_O_TRIGGER:
        return "TRIGGER";
    case SQL_O_RULE:
        return "RULE";
    case SQL_O_POLICY:
        return "POLICY";
    case SQL_O_AGGREGATE:
    case SQL_O_OPERATOR:
    case SQL_O_DATABASE:
    case SQL_O_ROLE:
    case SQL_O_TABLESPACE:
        return NULL;
    case SQL_O_OTHER:
        break;
    }
    for (size_t i = 0; i < DG_ARRAY_SIZE(by_tag) && str_prefix(f->tag, "CREATE ");
         i++) {
        if (is(f->tag + strlen("CREATE "), by_tag[i]))
            return by_tag[i];
    }
    return NULL;
}

/* Elements of CREATE SCHEMA have to go before it. */
static bool
has_elements(const struct hist_captured *c)
{
    return is(c->facts->tag, "CREATE SCHEMA") && c->n_facts > 1;
}

static bool
is_named_on(const struct sql_object *o)
{
    return o->kind == SQL_O_TRIGGER || o->kind == SQL_O_RULE || o->kind == SQL_O_POLICY;
}

static enum hist_undo
undo_creation(const struct hist_captured *c, const struct sql_object *o,
    struct arena *a, const char **out, const char **why)
{
    const struct sql_facts *f = c->facts;
    const char *word = word_of(f, o), *arguments = "";

    *why = "there is no simple way back";
    if (!word)
        return HIST_UNDO_NONE;
    if (!o->name || !o->name[0]) {
        *why = "its name was the server's choice";
        return HIST_UNDO_NONE;
    }
    if (has_elements(c)) {
        *why = "what stands in the schema has to be dropped before it";
        return HIST_UNDO_NONE;
    }
    if (o->kind == SQL_O_FUNCTION || o->kind == SQL_O_PROCEDURE) {
        AUTO(buf_deinit) struct buf b = BUF_INIT(c->len + 1024);
        *why = "its arguments can't be read";
        if (!put_arguments(c, &b))
            return HIST_UNDO_NONE;
        arguments = arena_strdup(a, buf_cstr(&b));
    }
    if (is_named_on(o))
        *out = arena_printf(a, "DROP %s %s ON %s", word, sql_ident(a, o->name),
            sql_qualified(a, o->on_schema, o->on ? o->on : ""));
    else
        *out = arena_printf(
            a, "DROP %s %s%s", word, sql_qualified(a, o->schema, o->name), arguments);
    *why = "OR REPLACE: what stood there before is not known; if nothing did:";
    return f->flags & SQL_F_OR_REPLACE ? HIST_UNDO_MAYBE : HIST_UNDO_WHOLE;
}

/* --- what was altered ------------------------------------------------------------------- */

/* Actions whose opposite needs no more than the column's or other name; %s. */
static const struct {
    const char *sub, *undo;
} opposites[] = {
    { "ADD COLUMN", "DROP COLUMN %s" },
    { "ADD ATTRIBUTE", "DROP ATTRIBUTE %s" },
    { "ADD GENERATED", "ALTER COLUMN %s DROP IDENTITY" },
    { "ENABLE TRIGGER", "DISABLE TRIGGER %s" },
    { "DISABLE TRIGGER", "ENABLE TRIGGER %s" },
    { "ENABLE RULE", "DISABLE RULE %s" },
    { "DISABLE RULE", "ENABLE RULE %s" },
    { "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY" },
    { "DISABLE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY" },
    { "FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY" },
    { "NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY" },
    { "SET LOGGED", "SET UNLOGGED" },
    { "SET UNLOGGED", "SET LOGGED" },
};

/* The table that an action names beside the altered one: a partition, a parent. */
static const char *
other_table(const struct sql_facts *f, struct arena *a)
{
    return f->n_objects == 2
        ? sql_qualified(a, f->objects[1].schema, f->objects[1].name)
        : NULL;
}

static enum hist_undo
undo_constraint(
    const struct sql_sub *sub, struct arena *a, const char **out, const char **why)
{
    const struct sql_constraint *k = sub->constraint;

    *why = "the constraint's name was the server's choice";
    if (!k || !k->name)
        return HIST_UNDO_NONE;
    *out = arena_printf(a, "DROP CONSTRAINT %s", sql_ident(a, k->name));
    *why = "the index that became a constraint goes with it";
    return k->using_index ? HIST_UNDO_MAYBE : HIST_UNDO_WHOLE;
}

static enum hist_undo
undo_rename(
    const struct sql_sub *sub, struct arena *a, const char **out, const char **why)
{
    const char *what = sub->name + strlen("RENAME ");

    *why = GONE;
    if (!sub->column || !sub->value)
        return HIST_UNDO_NONE;
    if (is(what, "VALUE"))
        *out = arena_printf(a, "RENAME VALUE %s TO %s", sql_constant(a, sub->value),
            sql_constant(a, sub->column));
    else
        *out = arena_printf(a, "RENAME %s %s TO %s", what, sql_ident(a, sub->value),
            sql_ident(a, sub->column));
    return HIST_UNDO_WHOLE;
}

/* SET NOT NULL of a column, or of a domain itself. */
static enum hist_undo
undo_not_null(const struct sql_facts *f, const struct sql_sub *sub, struct arena *a,
    const char **out)
{
    const char *undo = is(sub->name, "SET NOT NULL") ? "DROP NOT NULL" : "SET NOT NULL";

    *out = is(f->tag, "ALTER DOMAIN") || !sub->column
        ? undo
        : arena_printf(a, "ALTER COLUMN %s %s", sql_ident(a, sub->column), undo);
    return HIST_UNDO_WHOLE;
}

static enum hist_undo
undo_inherit(const struct sql_facts *f, const struct sql_sub *sub, struct arena *a,
    const char **out, const char **why)
{
    const char *other = other_table(f, a);

    *why = GONE;
    if (!other)
        return HIST_UNDO_NONE;
    *out = arena_printf(a, "%s %s",
        is(sub->name, "INHERIT")          ? "NO INHERIT"
            : is(sub->name, "NO INHERIT") ? "INHERIT"
                                          : "DETACH PARTITION",
        other);
    return HIST_UNDO_WHOLE;
}

static enum hist_undo
undo_sub(const struct sql_facts *f, const struct sql_sub *sub, struct arena *a,
    const char **out, const char **why)
{
    *why = GONE;
    if (is(sub->name, "VALIDATE CONSTRAINT"))
        return HIST_UNDO_NOTHING;
    if (is(sub->name, "ADD CONSTRAINT"))
        return undo_constraint(sub, a, out, why);
    if (is(sub->name, "SET NOT NULL") || is(sub->name, "DROP NOT NULL"))
        return undo_not_null(f, sub, a, out);
    if (is(sub->name, "INHERIT") || is(sub->name, "NO INHERIT")
        || is(sub->name, "ATTACH PARTITION"))
        return undo_inherit(f, sub, a, out, why);
    if (str_prefix(sub->name, "RENAME "))
        return undo_rename(sub, a, out, why);
    if (is(sub->name, "ADD VALUE"))
        *why = "a value of an enum can't be taken back";
    for (size_t i = 0; i < DG_ARRAY_SIZE(opposites); i++) {
        if (!is(sub->name, opposites[i].sub))
            continue;
        const char *slot = strstr(opposites[i].undo, "%s");
        if (slot && !sub->column)
            break;
        *out = slot ? arena_printf(a, "%.*s%s%s", (int)(slot - opposites[i].undo),
                   opposites[i].undo, sql_ident(a, sub->column), slot + 2)
                    : opposites[i].undo;
        return HIST_UNDO_WHOLE;
    }
    return HIST_UNDO_NONE;
}

/* ALTER ... RENAME TO and SET SCHEMA change what the statement itself is about. */
static enum hist_undo
undo_move(const struct sql_facts *f, const struct sql_sub *sub, struct arena *a,
    const char **out, const char **why)
{
    const struct sql_object *o = &f->objects[0];

    if (is(sub->name, "SET SCHEMA")) {
        *why = "the schema it was in is not written";
        if (!o->schema)
            return HIST_UNDO_NONE;
        *out = arena_printf(a, "%s %s SET SCHEMA %s", f->tag,
            sql_qualified(a, sub->value, o->name), sql_ident(a, o->schema));
    } else if (is_named_on(o)) {
        *out = arena_printf(a, "%s %s ON %s RENAME TO %s", f->tag,
            sql_ident(a, sub->value), sql_qualified(a, o->on_schema, o->on),
            sql_ident(a, o->name));
    } else {
        *out = arena_printf(a, "%s %s RENAME TO %s", f->tag,
            sql_qualified(a, o->schema, sub->value), sql_ident(a, o->name));
    }
    return HIST_UNDO_WHOLE;
}

/* Actions are undone last one first. */
static enum hist_undo
undo_alter(
    const struct hist_captured *c, struct arena *a, const char **out, const char **why)
{
    const struct sql_facts *f = c->facts;
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const char *list = "", *left = NULL, *doubt = NULL;
    bool needs_arguments = o
        && (o->kind == SQL_O_FUNCTION || o->kind == SQL_O_PROCEDURE
            || o->kind == SQL_O_AGGREGATE || o->kind == SQL_O_OPERATOR);
    size_t n = 0;

    *why = GONE;
    if (!o || needs_arguments || f->n_subs == 0)
        return HIST_UNDO_NONE;
    if (is(f->subs[0].name, "RENAME TO") || is(f->subs[0].name, "SET SCHEMA"))
        return f->subs[0].value ? undo_move(f, &f->subs[0], a, out, why)
                                : HIST_UNDO_NONE;
    for (size_t i = f->n_subs; i > 0; i--) {
        const char *one = NULL, *reason = NULL;
        enum hist_undo r = undo_sub(f, &f->subs[i - 1], a, &one, &reason);
        if (r == HIST_UNDO_NONE)
            left = f->n_subs == 1
                ? reason
                : arena_printf(a, "%s: %s", f->subs[i - 1].name, reason);
        if (r == HIST_UNDO_MAYBE)
            doubt = reason;
        if (one)
            list = arena_printf(a, "%s%s%s", list, n++ ? ", " : "", one);
    }
    *why = left ? left : doubt;
    if (n > 0)
        *out = arena_printf(
            a, "%s %s %s", f->tag, sql_qualified(a, o->schema, o->name), list);
    if (left)
        return n > 0 ? HIST_UNDO_PART : HIST_UNDO_NONE;
    return doubt ? HIST_UNDO_MAYBE : n > 0 ? HIST_UNDO_WHOLE : HIST_UNDO_NOTHING;
}

enum hist_undo
hist_reverse(
    const struct hist_captured *c, struct arena *a, const char **out, const char **why)
{
    const struct sql_facts *f = c->facts;
    const struct sql_object *made = find_created(f);

    *out = NULL;
    *why = NULL;
    if (f->flags & (SQL_F_UNPARSABLE | SQL_F_NESTED)) {
        *why = "the statement could not be read";
        return HIST_UNDO_NONE;
    }
    if (made && (str_prefix(f->tag, "CREATE ") || is(f->tag, "SELECT INTO")))
        return undo_creation(c, made, a, out, why);
    if (str_prefix(f->tag, "ALTER "))
        return undo_alter(c, a, out, why);
    *why = str_prefix(f->tag, "DROP ")           ? "what was dropped is gone"
        : is(f->tag, "DO") || is(f->tag, "CALL") ? "what the code did is not known"
                                                 : GONE;
    return HIST_UNDO_NONE;
}
