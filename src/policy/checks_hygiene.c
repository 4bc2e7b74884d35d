// SPDX-License-Identifier: ISC
/* Checks of group hygiene: files that can be run again, read and reviewed. */
#include "policy/safe.h"

#include "policy/allows.h"
#include "sql/lex.h"

#include <stdlib.h>
#include <string.h>

/* ---- idempotent-create, idempotent-drop, create-or-replace ---- */

static bool
is_any(const char *tag, const char *const *tags, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(tag, tags[i]) == 0)
            return true;
    }
    return false;
}

static void
report_repeat(struct pol_run *r, const struct sql_facts *f, const char *hint, int at)
{
    pol_report(r,
        POL_REPORT(.message = "running the file again fails here",
            .detail =
                "After a run that stopped half way the file can't simply be run once "
                "more.",
            .hint = hint, .object = f->n_objects ? &f->objects[0] : NULL, .at = at));
}

void
pol_check_idempotent_create(struct pol_run *r, const struct sql_facts *f)
{
    static const char *const tags[] = { "CREATE TABLE", "CREATE FOREIGN TABLE",
        "CREATE TABLE AS", "CREATE MATERIALIZED VIEW", "CREATE INDEX", "CREATE SCHEMA",
        "CREATE SEQUENCE", "CREATE EXTENSION" };
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;

    if (!o || pol_stored(r) || o->is_temp || f->parent >= 0)
        return;
    if (is_any(f->tag, tags, DG_ARRAY_SIZE(tags))
        && !(f->flags & SQL_F_IF_NOT_EXISTS)) {
        const char *what = f->flags & SQL_F_CONCURRENTLY ? "CONCURRENTLY"
            : pol_tag(f, "CREATE TABLE AS")              ? "TABLE"
                                                         : strrchr(f->tag, ' ') + 1;
        const char *safe = *o->name ? pol_text_after(r, f, what, "IF NOT EXISTS")
                                    : NULL;
        report_repeat(r, f,
            safe ? safe
                 : arena_printf(pol_arena(r), "%s IF NOT EXISTS, with a name", f->tag),
            0);
        return;
    }
    if (!pol_altered(r, f))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (pol_sub_is(s, "ADD COLUMN") && s->def && !(s->flags & SQL_F_IF_NOT_EXISTS))
            report_repeat(r, f,
                arena_printf(pol_arena(r),
                    "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s", pol_name(r, o),
                    pol_ident(pol_arena(r), s->def->name),
                    pol_type(pol_arena(r), s->def)),
                s->pos + 1);
    }
}

void
pol_check_idempotent_drop(struct pol_run *r, const struct sql_facts *f)
{
    static const char *const without[] = { "DROP OWNED" };
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    struct arena *a = pol_arena(r);

    if (!o || pol_stored(r) || o->is_temp || f->parent >= 0)
        return;
    if (str_prefix(f->tag, "DROP ") && !is_any(f->tag, without, 1)) {
        const char *what = f->flags & SQL_F_CONCURRENTLY ? "CONCURRENTLY"
                                                         : strrchr(f->tag, ' ') + 1;
        const char *safe = pol_text_after(r, f, what, "IF EXISTS");
        if (!(f->flags & SQL_F_IF_EXISTS))
            report_repeat(
                r, f, safe ? safe : arena_printf(a, "%s IF EXISTS", f->tag), 0);
        return;
    }
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        bool is_drop = pol_sub_is(s, "DROP COLUMN") || pol_sub_is(s, "DROP CONSTRAINT");
        if (is_drop && s->column && !(s->flags & SQL_F_IF_EXISTS))
            report_repeat(r, f,
                arena_printf(a, "ALTER TABLE %s %s IF EXISTS %s", pol_name(r, o),
                    s->name, pol_ident(a, s->column)),
                s->pos + 1);
    }
}

void
pol_check_or_replace(struct pol_run *r, const struct sql_facts *f)
{
    static const char *const tags[] = { "CREATE VIEW", "CREATE FUNCTION",
        "CREATE PROCEDURE", "CREATE TRIGGER" };
    const char *safe;

    if (!is_any(f->tag, tags, DG_ARRAY_SIZE(tags)) || (f->flags & SQL_F_OR_REPLACE)
        || pol_stored(r) || f->parent >= 0 || !f->n_objects || f->objects[0].is_temp)
        return;
    safe = pol_text_after(r, f, "CREATE", "OR REPLACE");
    report_repeat(r, f, safe ? safe : "CREATE OR REPLACE", 0);
}

/* ---- merge-alter-table ---- */

void
pol_check_merge_alter(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = pol_altered(r, f);
    const struct sql_tree *tree = r->text->tree;

    if (!o || f->parent >= 0 || !pol_tag(f, "ALTER TABLE") || r->fact == 0)
        return;
    const struct sql_facts *before = &tree->facts[r->fact - 1];
    bool is_rename = pol_sub_find(f, "RENAME TO") || pol_sub_find(f, "RENAME COLUMN")
        || pol_sub_find(f, "VALIDATE CONSTRAINT") || pol_sub_find(f, "SET SCHEMA");
    if (before->parent >= 0 || strcmp(before->tag, "ALTER TABLE") != 0 || is_rename
        || !before->n_objects || strcmp(before->objects[0].name, o->name) != 0
        || pol_sub_find(before, "RENAME COLUMN"))
        return;
    const char *second = f->n_subs ? pol_sub_text(r, f, 0) : NULL;
    const char *first = pol_text_of(r, before);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "%s is changed twice in a row", pol_name(r, o)),
            .detail =
                "Each ALTER TABLE waits for its lock, and may rewrite the table, for "
                "itself.",
            .hint = arena_printf(pol_arena(r), "%s, %s",
                first ? first : "The first one, continued with a comma",
                second ? second : "..."),
            .object = o));
}

/* ---- select-into-ctas, view-select-star ---- */

void
pol_check_ctas(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if ((!pol_tag(f, "SELECT INTO") && !pol_tag(f, "CREATE TABLE AS")) || !f->n_objects
        || pol_stored(r) || f->objects[0].is_temp)
        return;
    const char *name = pol_name(r, &f->objects[0]);
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "%s has no keys and no defaults", name),
            .detail =
                "A query gives a table names and types of columns, and nothing else; "
                "SELECT INTO looks like a mere query besides.",
            .hint = arena_printf(a,
                "CREATE TABLE %s (...) with its keys; then INSERT INTO %s SELECT ...",
                name, name),
            .object = &f->objects[0]));
}

void
pol_check_view_star(struct pol_run *r, const struct sql_facts *f)
{
    if (!pol_tag(f, "CREATE VIEW") || !pol_sub_find(f, "SELECT *") || !f->n_objects
        || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "%s keeps the columns of today", pol_name(r, &f->objects[0])),
            .detail =
                "* is written out when the view is made: later columns are missing, "
                "and dropping one fails.",
            .hint = "Name the columns that the view is meant to show.",
            .object = &f->objects[0]));
}

/* ---- INSERT ---- */

void
pol_check_insert_columns(struct pol_run *r, const struct sql_facts *f)
{
    if (!pol_tag(f, "INSERT") || !pol_sub_find(f, "WITHOUT COLUMNS") || !f->n_objects
        || pol_stored(r) || f->objects[0].is_temp)
        return;
    const char *name = pol_name(r, &f->objects[0]);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "the row fits into %s as it is today", name),
            .detail =
                "With the next column, or in another order of columns, it fails or "
                "lands in the wrong ones.",
            .hint = arena_printf(pol_arena(r), "INSERT INTO %s (...) VALUES ...", name),
            .object = &f->objects[0]));
}

void
pol_check_insert_rows(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_sub *s = pol_tag(f, "INSERT") ? pol_sub_find(f, "VALUES") : NULL;
    int64_t max = pol_param(r, POL_P_MAX)->number;

    if (!s || !s->value || !f->n_objects || strtoll(s->value, NULL, 10) <= max)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "one statement writes %s rows", s->value),
            .detail =
                "It is parsed as one text and holds its locks until the last row is "
                "in.",
            .hint = arena_printf(pol_arena(r),
                "COPY %s FROM STDIN, or several INSERTs of at most %lld rows.",
                pol_name(r, &f->objects[0]), (long long)max),
            .object = &f->objects[0]));
}

/* ---- duplicate-column ---- */

static void
report_twice(struct pol_run *r, const struct sql_facts *f, const struct sql_sub *s)
{
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r), "column %s stands there twice",
                       pol_ident(pol_arena(r), s->column)),
            .detail = "The server answers \"specified more than once\", or assigns it "
                      "twice, and the statement fails.",
            .hint = "Take one of the two out.",
            .object = f->n_objects ? &f->objects[0] : NULL, .column = s->column,
            .at = s->pos + 1));
}

void
pol_check_duplicate_column(struct pol_run *r, const struct sql_facts *f)
{
    bool is_update = pol_tag(f, "UPDATE");
    AUTO(map_free) struct map *seen = NULL;

    if ((!is_update && !pol_table_of(f)) || f->n_subs < 2 || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        bool is_of_it = is_update ? pol_sub_is(s, "SET")
                                  : s->def && pol_sub_is(s, "ADD COLUMN");
        if (!is_of_it || !s->column || (s->flags & SQL_F_IF_NOT_EXISTS))
            continue;
        if (!seen)
            seen = map_new(NULL);
        if (map_get(seen, str_of(s->column)))
            report_twice(r, f, s);
        map_set(seen, str_of(s->column), seen);
    }
}

/* ---- search-path-change, statement-size ---- */

void
pol_check_search_path(struct pol_run *r, const struct sql_facts *f)
{
    if (!f->setting || strcmp(f->setting, "search_path") != 0 || f->parent >= 0)
        return;
    pol_report(r,
        POL_REPORT(.message = "names after it may mean other objects",
            .detail =
                "Whoever reads a statement further down can't see which schema it "
                "speaks of, and nor can tools.",
            .hint = "Write the schema before each name: public.orders"));
}

void
pol_check_size(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
    int64_t max = pol_param(r, POL_P_MAX_BYTES)->number;

    if (f->parent >= 0 || (int64_t)s->len <= max)
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "the statement has %zu bytes", s->len),
            .detail =
                "Nobody reads that much in a review, and some tools stop looking.",
            .hint = arena_printf(pol_arena(r), "Split it; %s are enough here.",
                pol_param(r, POL_P_MAX_BYTES)->text)));
}

/* ---- one-change-per-migration ---- */

void
pol_check_one_change(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_tree *tree = r->text->tree;
    int64_t n = 0, max = pol_param(r, POL_P_MAX)->number;
    size_t over = 0;

    (void)f;
    for (size_t i = 0; i < tree->n; i++) {
        if (tree->facts[i].parent < 0 && (tree->facts[i].cls & r->pol->migrate)
            && ++n == max + 1)
            over = i;
    }
    if (n <= max)
        return;
    r->fact = over;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "the file makes %lld schema changes", (long long)n),
            .detail =
                "What belongs to one change is easier to review, to try again and to "
                "take back.",
            .hint = arena_printf(
                pol_arena(r), "Split it into files of at most %lld.", (long long)max)));
}

/* ---- custom-pattern ---- */

/* The statement with comments and constants blanked. */
static char *
masked(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_stmt *s = &r->text->scan->stmts[f->stmt];
    const char *text = r->text->text + s->start;
    char *out = arena_alloc(pol_arena(r), s->len + 1);
    struct sql_lexer lx;
    struct sql_token tok;

    memset(out, ' ', s->len);
    sql_lex_init(&lx, text, s->len, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        bool is_constant = tok.kind == SQL_T_STRING || tok.kind == SQL_T_ESTRING
            || tok.kind == SQL_T_USTRING || tok.kind == SQL_T_DOLLAR;
        if (!is_constant)
            memcpy(out + tok.start, text + tok.start, tok.len);
    }
    for (size_t i = 0; i < s->len; i++) {
        if (out[i] == '\0' || out[i] == '\n')
            out[i] = ' ';
    }
    return out;
}

void
pol_check_custom(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_value *pattern = pol_param(r, POL_P_PATTERN);
    regmatch_t at;

    if (!pattern->regex || f->parent >= 0
        || regexec(pattern->regex, masked(r, f), 1, &at, 0) != 0)
        return;
    size_t start = r->text->scan->stmts[f->stmt].start;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "it matches %.80s", pattern->text),
            .detail = "A standard of the team.",
            .hint = "See `reason` and `hint` of [check custom-pattern] in the policy.",
            .object = f->n_objects ? &f->objects[0] : NULL,
            .at = (int)(start + (size_t)at.rm_so) + 1));
}

/* ---- exception-comment ---- */

static void
report_allow(struct pol_run *r, const struct pol_allow *x, const char *message,
    const char *hint, bool is_small)
{
    r->fact = 0;
    for (size_t i = 0; i < r->text->tree->n && !x->is_file; i++) {
        if (r->text->tree->facts[i].stmt == x->stmt) {
            r->fact = i;
            break;
        }
    }
    pol_report(r,
        POL_REPORT(.message = message,
            .detail =
                "An exception speaks of one rule, for a reason that a reviewer can "
                "judge.",
            .hint = hint, .at = x->pos + 1, .is_limited = is_small,
            .at_most = DG_NOTE));
}

void
pol_check_exception(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    (void)f;
    for (size_t i = 0; r->allows && i < r->allows->n && pol_is_worth(r); i++) {
        const struct pol_allow *x = &r->allows->items[i];
        if (!x->is_known)
            report_allow(r, x, arena_printf(a, "\"%.60s\" is no rule", x->rule),
                "`ddlgate check --list` names all rules.", false);
        else if (!x->reason)
            report_allow(r, x,
                arena_printf(a, "the exception from %s gives no reason", x->rule),
                arena_printf(
                    a, "-- ddlgate: allow %s <why this one may pass>", x->rule),
                false);
        else if (!x->is_used)
            report_allow(r, x,
                arena_printf(a, "%s finds nothing here to except", x->rule),
                "Take the comment out.", true);
    }
}
