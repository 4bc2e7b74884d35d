// SPDX-License-Identifier: ISC
/* Checks about a migration file as such (history), and about rows that it changes
 * (destructive). */
#include "policy/safe.h"

#include "sql/lex.h"

#include <string.h>

static const char *
base_name(const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    return slash ? slash + 1 : file;
}

static bool
has_change(const struct pol_run *r)
{
    const struct sql_tree *tree = r->text->tree;

    for (size_t i = 0; i < tree->n; i++) {
        if (tree->facts[i].cls & r->pol->migrate)
            return true;
    }
    return false;
}

/* ---- migration-recorded ---- */

void
pol_check_recorded(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_tree *tree = r->text->tree;
    const char *table = pol_param(r, POL_P_TABLE)->text;
    const char *dot = table ? strrchr(table, '.') : NULL;
    const char *bare = dot ? dot + 1 : table;

    (void)f;
    if (!table || !has_change(r))
        return;
    for (size_t i = 0; i < tree->n; i++) {
        const struct sql_facts *x = &tree->facts[i];
        bool writes = pol_tag(x, "INSERT") || pol_tag(x, "UPDATE");
        if (writes && x->n_objects && strcmp(x->objects[0].name, bare) == 0)
            return;
    }
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       a, "the file doesn't write itself into %s", table),
            .detail =
                "A change that is applied and not recorded looks pending, and runs "
                "once more.",
            .hint = arena_printf(a, "Before COMMIT: %s",
                r->text->own_row
                    ? r->text->own_row
                    : arena_printf(
                        a, "INSERT INTO %s (version, name) VALUES (...);", table)),
            .wanted = arena_strdup(a, r->text->own_row)));
}

/* ---- migration-down-present ---- */

void
pol_check_down_present(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct hist_rollback *back = r->text->rollback;
    const char *mark = pol_param(r, POL_P_MARK)->text;

    (void)f;
    if (!back || back->is_found || pol_comment_has(r->text, mark))
        return;
    const struct pol_text of_back = { .text = back->text, .len = back->len };
    if (back->text && pol_comment_has(&of_back, mark))
        return;
    const char *wanted = back->wanted ? back->wanted : "its rollback";
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "nothing takes it back: %s %s", wanted,
                       back->is_empty ? "holds no statement" : "is missing"),
            .detail =
                "When it turns out to be wrong there is no quick, reviewed way back.",
            .hint = arena_printf(a,
                "Write it; or say in a comment of the file why there is none: -- %s: "
                "<reason>",
                mark)));
}

/* ---- migration-down-blocked ---- */

void
pol_check_down_blocked(struct pol_run *r, const struct sql_facts *f)
{
    const char *name = base_name(r->text->file);

    (void)f;
    if (!name || !pol_param_has(r, POL_P_NAMES, name))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "%.80s takes a migration back", name),
            .detail = "It drops what was made, and with it everything that was written "
                      "there since.",
            .hint = "Write a new migration that corrects what is wrong."));
}

/* ---- issue-reference-required, change-description-required ---- */

/* Calls fn with each stretch of the text before `end` that holds no token; stops when it
 * returns true. */
static bool
any_gap(const struct pol_text *t, size_t end, bool (*fn)(void *ctx, struct str gap),
    void *ctx)
{
    struct sql_lexer lx;
    struct sql_token tok;
    size_t at = 0;

    sql_lex_init(&lx, t->text, t->len, true);
    for (;;) {
        bool is_end = sql_lex_next(&lx, &tok) != 0;
        size_t to = is_end ? t->len : tok.start;
        if (to > at && fn(ctx, (struct str){ t->text + at, to - at }))
            return true;
        if (is_end || to >= end)
            return false;
        at = tok.start + tok.len;
    }
}

struct pattern {
    const regex_t *regex;
    struct arena *a;
};

static bool
gap_matches(void *ctx, struct str gap)
{
    const struct pattern *p = ctx;

    if (!gap.p || (!memmem(gap.p, gap.n, "--", 2) && !memmem(gap.p, gap.n, "/*", 2)))
        return false; /* white space only */
    return regexec(p->regex, arena_strndup(p->a, gap.p, gap.n), 0, NULL, 0) == 0;
}

void
pol_check_issue(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_value *v = pol_param(r, POL_P_PATTERN);
    struct pattern p = { v->regex, pol_arena(r) };
    const char *name = r->text->file; /* folders too: some tools name those */

    (void)f;
    if (!has_change(r) || (name && regexec(v->regex, name, 0, NULL, 0) == 0)
        || any_gap(r->text, r->text->len, gap_matches, &p))
        return;
    pol_report(r,
        POL_REPORT(.message = "neither the file's name nor a comment names an issue",
            .detail =
                "Nobody will find out why the change was made, or who asked for it.",
            .hint = arena_printf(pol_arena(r),
                "A comment at the top of the file that "
                "matches %s.",
                v->text)));
}

/* Letters and digits of the comment. */
static bool
count_words(void *ctx, struct str gap)
{
    size_t *n = ctx;
    for (size_t i = 0; i < gap.n; i++) {
        char c = ascii_lower(gap.p[i]);
        *n += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
    }
    return false;
}

/* Where the first statement begins that is no frame around the others. */
static size_t
first_work(const struct pol_text *t)
{
    static const char *const frames[] = { "BEGIN", "START", "SET" };

    for (size_t i = 0; i < t->scan->n; i++) {
        bool is_frame = false;
        for (size_t k = 0; k < DG_ARRAY_SIZE(frames); k++)
            is_frame |= strcmp(t->scan->stmts[i].first[0], frames[k]) == 0;
        if (!is_frame)
            return t->scan->stmts[i].start;
    }
    return t->len;
}

void
pol_check_description(struct pol_run *r, const struct sql_facts *f)
{
    int64_t min = pol_param(r, POL_P_MIN)->number;
    size_t n = 0;

    (void)f;
    any_gap(r->text, first_work(r->text), count_words, &n);
    if (!has_change(r) || (int64_t)n >= min)
        return;
    pol_report(r,
        POL_REPORT(.message = "no comment at its top says what the file is for",
            .detail = "The statements say what changes, not why.",
            .hint = "-- <what changes for whom, and why> as its first line"));
}

/* ---- mutation-without-where, data-impact-assessed ---- */

static bool
writes_old_rows(struct pol_run *r, const struct sql_facts *f)
{
    bool is_of_it = pol_tag(f, "UPDATE") || pol_tag(f, "DELETE");
    const struct sql_facts *outer = f->parent < 0 ? NULL
                                                  : &r->text->tree->facts[f->parent];

    if (outer && pol_tag(outer, "EXPLAIN") && !pol_sub_find(outer, "ANALYZE"))
        return false;
    return is_of_it && f->n_objects && !pol_stored(r) && f->cls != DG_HISTORY
        && !pol_is_own(r, &f->objects[0]);
}

void
pol_check_without_where(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!writes_old_rows(r, f) || !pol_sub_find(f, "WITHOUT WHERE"))
        return;
    const char *name = pol_name(r, &f->objects[0]);
    bool is_delete = pol_tag(f, "DELETE");
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "every row of %s is %s", name,
                       is_delete ? "deleted" : "changed"),
            .detail =
                "One statement locks and writes all of them, and nothing says that "
                "all were meant.",
            .hint = is_delete ? arena_printf(a,
                        "DELETE FROM %s WHERE ..., in batches of a few thousand.", name)
                              : arena_printf(a,
                                  "UPDATE %s SET ... WHERE ..., in batches of a few "
                                  "thousand.",
                                  name),
            .object = &f->objects[0], .at = f->objects[0].pos + 1));
}

void
pol_check_impact(struct pol_run *r, const struct sql_facts *f)
{
    const char *mark = pol_param(r, POL_P_MARK)->text;

    if (!writes_old_rows(r, f) || pol_comment_has(r->text, mark))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "how many rows of %s change, the file doesn't say",
                       pol_name(r, &f->objects[0])),
            .detail = "A change of many rows locks them, fills the log and holds up "
                      "replicas.",
            .hint = arena_printf(pol_arena(r),
                "Count them first and say so in a comment: -- %s <rows>", mark),
            .object = &f->objects[0], .at = f->objects[0].pos + 1));
}
