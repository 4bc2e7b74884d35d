// SPDX-License-Identifier: ISC
/* Checks of group naming: how new things are called. */
#include "policy/safe.h"

#include "sql/lex.h"

#include <string.h>

#define IDENT_MAX 63 /* NAMEDATALEN - 1 */

/* ---- every new name ---- */

typedef void new_name_fn(struct pol_run *r, const struct sql_facts *f,
    const struct sql_object *o, const char *what, const char *name, int pos);

static const char *
noun(const struct sql_facts *f)
{
    return str_prefix(f->tag, "CREATE ") ? f->tag + strlen("CREATE ") : f->tag;
}

static void
each_new_name(struct pol_run *r, const struct sql_facts *f, new_name_fn *fn)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!o || pol_stored(r) || f->cls == DG_OTHER || o->is_temp)
        return;
    if (o->is_created && *o->name)
        fn(r, f, o, noun(f), o->name, o->pos);
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        bool renames = str_prefix(s->name, "RENAME ") && !pol_sub_is(s, "RENAME VALUE");
        if (s->def && (pol_sub_is(s, "ADD COLUMN") || pol_sub_is(s, "ADD ATTRIBUTE"))) {
            fn(r, f, o, "column", s->def->name, s->pos);
            for (size_t k = 0; k < s->def->n_constraints; k++) {
                if (s->def->constraints[k].name)
                    fn(r, f, o, "constraint", s->def->constraints[k].name,
                        s->def->constraints[k].pos);
            }
        } else if (s->constraint && s->constraint->name
            && pol_sub_is(s, "ADD CONSTRAINT")) {
            fn(r, f, o, "constraint", s->constraint->name, s->pos);
        } else if (renames && s->value) {
            fn(r, f, o, "name", s->value, s->pos);
        }
    }
}

static const char *
snake(struct arena *a, const char *name)
{
    size_t n = strlen(name);
    char *out = arena_alloc(a, 2 * n + 1), *to = out;

    for (size_t i = 0; i < n; i++) {
        char c = name[i], low = ascii_lower(c);
        bool is_plain = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
        bool was_low = i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z';
        if (low != c && was_low)
            *to++ = '_';
        *to++ = is_plain ? low : '_';
    }
    return out;
}

static void
snake_case(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const char *what, const char *name, int pos)
{
    struct arena *a = pol_arena(r);
    const struct pol_value *pattern = pol_param(r, POL_P_PATTERN);

    (void)f;
    if (regexec(pattern->regex, name, 0, NULL, 0) == 0)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s %s is not in the team's spelling",
                       what, pol_ident(a, name)),
            .detail = arena_printf(a,
                "A name with capitals or signs needs double quotes in every statement for "
                "ever. Names match %s.",
                pattern->text),
            .hint = arena_printf(a, "Call it %s.", snake(a, name)), .object = o,
            .at = pos + 1));
}

void
pol_check_snake_case(struct pol_run *r, const struct sql_facts *f)
{
    each_new_name(r, f, snake_case);
}

static void
reserved(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const char *what, const char *name, int pos)
{
    struct arena *a = pol_arena(r);

    (void)f;
    if (!pol_is_reserved(name))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "%s \"%s\" is a reserved word of SQL", what, name),
            .detail = "Without double quotes each statement that names it fails.",
            .hint = arena_printf(a, "Call it %s_name, or by what it means.", name),
            .object = o, .at = pos + 1));
}

void
pol_check_reserved(struct pol_run *r, const struct sql_facts *f)
{
    each_new_name(r, f, reserved);
}

/* ---- identifier-too-long ---- */

void
pol_check_too_long(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
    const char *text = r->text->text + s->start;
    struct sql_lexer lx;
    struct sql_token tok;

    if (f->parent >= 0 || f->cls == DG_OTHER || s->len <= IDENT_MAX)
        return;
    sql_lex_init(&lx, text, s->len, true);
    while (sql_lex_next(&lx, &tok) == 0 && pol_is_worth(r)) {
        bool is_quoted = tok.kind == SQL_T_QUOTED;
        char cut[64];
        if ((tok.kind != SQL_T_WORD && !is_quoted)
            || tok.len - 2 * is_quoted <= IDENT_MAX || sql_token_ident(text, &tok, cut))
            continue;
        size_t n_quotes = 0;
        for (size_t i = 1; is_quoted && i + 1 < tok.len; i++)
            n_quotes += text[tok.start + i] == '"';
        size_t n = tok.len - 2 * is_quoted - n_quotes / 2;
        if (n <= IDENT_MAX)
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(pol_arena(r),
                           "%.40s... has %zu bytes; the server keeps 63", cut, n),
                .detail = "The rest is cut off with a NOTICE only; two such names can "
                          "become the same one.",
                .hint = arena_printf(pol_arena(r), "Shorten it; it would be called %s.",
                    pol_ident(pol_arena(r), cut)),
                .at = (int)(s->start + tok.start) + 1));
    }
}

/* ---- patterns per kind of object ---- */

struct parts {
    const char *schema, *table, *ref_table;
    const char *const *columns;
    size_t n_columns;
};

static const char *
columns_text(struct arena *a, const struct parts *p, const char *for_expression)
{
    const char *text = "";
    for (size_t i = 0; i < p->n_columns && i < 32; i++)
        text = arena_printf(a, "%s%s%s", text, i ? "_" : "",
            p->columns[i] ? p->columns[i] : for_expression);
    return text;
}

/* The pattern with its places filled; cut as the server cuts names. */
static const char *
expand(struct arena *a, const char *pattern, const struct parts *p,
    const char *for_expression)
{
    const char *out = "";

    while (*pattern) {
        const struct {
            const char *place, *text;
        } places[] = { { "{table}", p->table },
            { "{columns}", columns_text(a, p, for_expression) },
            { "{column}",
                p->n_columns && p->columns[0] ? p->columns[0] : for_expression },
            { "{schema}", p->schema ? p->schema : "" },
            { "{ref_table}", p->ref_table ? p->ref_table : "" } };
        bool is_place = false;
        for (size_t i = 0; i < DG_ARRAY_SIZE(places) && !is_place; i++) {
            if (!str_prefix(pattern, places[i].place))
                continue;
            out = arena_printf(a, "%s%s", out, places[i].text);
            pattern += strlen(places[i].place);
            is_place = true;
        }
        if (!is_place)
            out = arena_printf(a, "%s%c", out, *pattern++);
    }
    const char *const one[] = { out };
    return pol_made_name(a, one, 1);
}

/* made: the server's own name, where none is written. */
static void
check_name(struct pol_run *r, const struct sql_object *o, const char *what,
    const char *name, const char *made, const struct parts *p, int at)
{
    struct arena *a = pol_arena(r);
    const struct pol_value *patterns = pol_param(r, POL_P_NAME);
    const char *given = name && *name ? name : made;

    for (size_t i = 0; i < patterns->n_words; i++) {
        if (str_glob(expand(a, patterns->words[i], p, "*"), given))
            return;
    }
    if (!patterns->n_words)
        return;
    const char *wanted = expand(a, patterns->words[0], p, "expr");
    bool is_given = name && *name;
    pol_report(r,
        POL_REPORT(.message = is_given
                ? arena_printf(a, "%s %s is not called %s", what, pol_ident(a, name),
                    pol_ident(a, wanted))
                : arena_printf(a, "%s has no name; the server would take %s", what,
                    pol_ident(a, given)),
            .detail = arena_printf(a, "Names of this kind follow %s.", patterns->text),
            .hint = arena_printf(a, "Call it %s.", pol_ident(a, wanted)),
            .wanted = is_given ? NULL : pol_ident(a, wanted), .object = o, .at = at));
}

static void
check_index(struct pol_run *r, const struct sql_facts *f, bool is_unique)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!f->index || !o || !o->on || o->is_temp || pol_stored(r)
        || (bool)(f->flags & SQL_F_UNIQUE) != is_unique)
        return;
    struct parts p = { .schema = o->on_schema,
        .table = o->on,
        .columns = (const char *const *)f->index->columns,
        .n_columns = f->index->n_columns };
    check_name(r, o, is_unique ? "the unique index" : "the index", o->name,
        expand(a, "{table}_{columns}_idx", &p, "expr"), &p, o->pos + 1);
}

void
pol_check_index_name(struct pol_run *r, const struct sql_facts *f)
{
    check_index(r, f, false);
}

static void
check_constraint(struct pol_run *r, const struct sql_object *o,
    const struct sql_constraint *c, const char *column, const char *what,
    const char *server)
{
    struct parts p = { .schema = o->schema,
        .table = o->name,
        .ref_table = c->ref_table,
        .columns = c->n_columns ? (const char *const *)c->columns : &column,
        .n_columns = c->n_columns ? c->n_columns : column != NULL };
    check_name(
        r, o, what, c->name, expand(pol_arena(r), server, &p, "expr"), &p, c->pos + 1);
}

static void
unique_name(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    (void)f;
    (void)s;
    if (c->kind == SQL_C_UNIQUE && !c->using_index)
        check_constraint(
            r, o, c, column, "the unique constraint", "{table}_{columns}_key");
}

void
pol_check_unique_name(struct pol_run *r, const struct sql_facts *f)
{
    check_index(r, f, true);
    pol_each_constraint(r, f, unique_name);
}

static void
fk_name(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    (void)f;
    (void)s;
    if (c->kind == SQL_C_FOREIGN)
        check_constraint(r, o, c, column, "the foreign key", "{table}_{columns}_fkey");
}

void
pol_check_fk_name(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, fk_name);
}

static void
pk_name(struct pol_run *r, const struct sql_facts *f, const struct sql_object *o,
    const struct sql_sub *s, const struct sql_constraint *c, const char *column)
{
    (void)f;
    (void)s;
    if (c->kind == SQL_C_PRIMARY && !c->using_index)
        check_constraint(r, o, c, column, "the primary key", "{table}_pkey");
}

void
pol_check_pk_name(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, pk_name);
}

static void
constraint_named(struct pol_run *r, const struct sql_facts *f,
    const struct sql_object *o, const struct sql_sub *s, const struct sql_constraint *c,
    const char *column)
{
    struct arena *a = pol_arena(r);
    bool is_named_kind = c->kind == SQL_C_CHECK || c->kind == SQL_C_FOREIGN
        || c->kind == SQL_C_UNIQUE || c->kind == SQL_C_EXCLUSION;

    (void)f;
    (void)s;
    if (!is_named_kind || c->name)
        return;
    const char *suffix = c->kind == SQL_C_CHECK ? "check"
        : c->kind == SQL_C_FOREIGN              ? "fkey"
        : c->kind == SQL_C_UNIQUE               ? "key"
                                                : "excl";
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "a constraint of %s has no name of its own", pol_name(r, o)),
            .detail =
                "The name that the server makes may differ between databases, and "
                "whoever drops it later has to look it up in each.",
            .hint = arena_printf(a, "CONSTRAINT %s before it.",
                pol_constraint_name(r, o, c, column, suffix)),
            .wanted = pol_constraint_name(r, o, c, column, suffix), .object = o,
            .column = column, .at = c->pos + 1));
}

void
pol_check_constraint_named(struct pol_run *r, const struct sql_facts *f)
{
    pol_each_constraint(r, f, constraint_named);
}

/* ---- schema-qualified ---- */

static bool
lives_in_schema(enum sql_object_kind kind)
{
    return kind == SQL_O_TABLE || kind == SQL_O_VIEW || kind == SQL_O_MATVIEW
        || kind == SQL_O_SEQUENCE || kind == SQL_O_FOREIGN_TABLE || kind == SQL_O_TYPE
        || kind == SQL_O_DOMAIN || kind == SQL_O_FUNCTION || kind == SQL_O_PROCEDURE;
}

/* The schema that the session's search_path lets new objects stand in; NULL: not known. What
 * "$user" means depends on whether there is a schema of that name. */
static const char *
creation_schema(struct pol_run *r)
{
    const char *first = r->path.is_known && r->path.n ? r->path.schemas[0] : NULL;

    if (!first || !r->session || r->is_path_moved
        || (r->session->role && strcmp(first, r->session->role) == 0)
        || str_prefix(first, "pg_"))
        return NULL;
    return pol_ident(pol_arena(r), first);
}

void
pol_check_qualified(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    bool in_schema = f->parent >= 0;

    if (in_schema || f->cls == DG_OTHER)
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (o->schema || o->is_temp || !*o->name || !lives_in_schema(o->kind))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(
                           a, "%s has no schema before it", pol_ident(a, o->name)),
                .detail =
                    "Which object it means, search_path decides, and that may differ "
                    "between roles and databases.",
                .hint = arena_printf(
                    a, "public.%s, or the schema it lives in.", pol_ident(a, o->name)),
                .wanted = o->is_created ? creation_schema(r) : NULL, .object = o,
                .at = o->pos + 1));
    }
}
