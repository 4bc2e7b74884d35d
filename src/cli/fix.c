// SPDX-License-Identifier: ISC
/* Writing safe forms into files; see fix.h. */
#include "cli/fix.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cli/diff.h"
#include "gate/text.h"
#include "policy/rewrite.h"
#include "sql/lex.h"

#define MAX_FILE ((size_t)64 << 20)

enum {
    WAY_ALONE = 1 << 0, /* outside of any transaction */
    WAY_TX = 1 << 1,    /* in one with what stands around it */
};

/* A unit that is being fixed. */
struct work {
    struct fix *fix;
    const struct fix_unit *u;
    struct arena *arena;
    struct pol_rewrite rw;  /* edits inside of statements */
    struct sql_edits lines; /* statements of their own between them */
    uint8_t
        *ways; /* owned; of each statement, WAY_* of the forms that are made of it */
    size_t n_fixed;
    struct buf told; /* what was done, if it comes to be written */
};

static void
tell(const struct work *w, struct buf *out, size_t fact, const char *what,
    const char *text, const char *rule)
{
    const struct pol_text *t = w->u->text;
    int line = t->scan->n ? t->scan->stmts[t->tree->facts[fact].stmt].line : 1;
    buf_putf(out, "%s:%d: %s: %.2000s%s%s%s\n", w->u->path, line, what, text,
        rule ? " [" : "", rule ? rule : "", rule ? "]" : "");
}

/* ---- places between statements ---- */

/* Behind the statement's `;`; *has_end false: it has none. */
static size_t
behind(const struct pol_text *t, size_t stmt, bool *has_end)
{
    const struct sql_stmt *s = &t->scan->stmts[stmt];
    size_t at = s->start + s->len;
    struct sql_lexer lx;
    struct sql_token tok;

    sql_lex_init(&lx, t->text + at, t->len - at, true);
    *has_end = sql_lex_next(&lx, &tok) == 0 && tok.kind == SQL_T_PUNCT
        && t->text[at + tok.start] == ';';
    return *has_end ? at + tok.start + 1 : at;
}

static int
put_behind(struct work *w, size_t stmt, const char *statement)
{
    bool has_end;
    size_t at = behind(w->u->text, stmt, &has_end);
    return sql_edits_add(&w->lines, at, 0,
        arena_printf(w->arena, "%s\n%s", has_end ? "" : ";", statement));
}

/* A line of its own with the statement's indentation, if nothing stands before it. */
static int
put_before(struct work *w, size_t stmt, const char *statement)
{
    const struct pol_text *t = w->u->text;
    size_t at = t->scan->stmts[stmt].start, from = at;

    while (from > 0 && (t->text[from - 1] == ' ' || t->text[from - 1] == '\t'))
        from--;
    if (from > 0 && t->text[from - 1] != '\n')
        return sql_edits_add(
            &w->lines, at, 0, arena_printf(w->arena, "%s ", statement));
    return sql_edits_add(&w->lines, at, 0,
        arena_printf(
            w->arena, "%s\n%.*s", statement, (int)(at - from), t->text + from));
}

/* ---- one finding ---- */

/* Where a statement that needs a transaction of its own can stand after this one: the
 * statement behind which. SIZE_MAX: nowhere in this file. */
static size_t
own_place(const struct work *w, size_t fact)
{
    const struct sql_tree *tree = w->u->text->tree;
    size_t end;

    if (!pol_runs_alone(w->u->pol, w->u->is_no_tx))
        return SIZE_MAX;
    if (!pol_in_block(tree, fact, &end))
        return tree->facts[fact].stmt;
    return end == SIZE_MAX ? SIZE_MAX : tree->facts[end].stmt;
}

static const char *
set_timeouts(struct work *w, const struct pol_rewrite *one, size_t fact)
{
    size_t end;
    bool is_local = pol_in_block(w->u->text->tree, fact, &end)
        || pol_runs_in_tx(w->u->pol, w->u->is_no_tx);

    for (int i = 0; i < POL_N_TIMEOUTS; i++) {
        if (one->timeout_ms[i]
            && put_before(w, w->u->text->tree->facts[fact].stmt,
                   arena_printf(w->arena, "SET %s%s = '%s';", is_local ? "LOCAL " : "",
                       pol_timeout_name((enum pol_timeout)i),
                       pol_timeout_text(w->u->pol, (enum pol_timeout)i)))
                != 0)
            return "something else stands there";
    }
    return NULL;
}

static const char *
lines(struct work *w, const char *a, const char *b)
{
    return a && b ? arena_printf(w->arena, "%s\n%s", a, b) : a ? a : b;
}

/* Statements right before and right behind it, BEGIN and COMMIT around all; NULL, or why
 * not. */
static const char *
put_around(struct work *w, const struct pol_rewrite *one, size_t fact)
{
    const struct pol_text *t = w->u->text;
    size_t stmt = t->tree->facts[one->place ? one->place - 1 : fact].stmt, end;
    bool is_tx = one->needs_tx && !pol_in_block(t->tree, fact, &end)
        && pol_runs_alone(w->u->pol, w->u->is_no_tx);
    const char *before = lines(
        w, is_tx ? "BEGIN;" : NULL, pol_steps_text(w->arena, &one->before));
    const char *after = lines(
        w, pol_steps_text(w->arena, &one->after), is_tx ? "COMMIT;" : NULL);
    int r = 0;

    if (before)
        r = put_before(w, stmt, before);
    if (r == 0 && after)
        r = put_behind(w, stmt, after);
    if (r == 0 && one->is_wrapped)
        r = put_before(w, 0, "BEGIN;");
    if (r == 0 && one->is_wrapped)
        r = put_behind(w, t->scan->n - 1, "COMMIT;");
    return r ? "something else stands there" : NULL;
}

static const char *
no_place(const struct pol_rewrite *one)
{
    return strstr(one->did, "CONCURRENTLY")
        ? "CONCURRENTLY can't run in this file's transaction; give it a file of its own "
          "that runs outside of one"
        : "its steps can't share this file's transaction; give it a file of its own that "
          "runs outside of one";
}

/* Why the statement can't be run as the form needs it; NULL: it can. */
static const char *
no_way(const struct work *w, const struct pol_rewrite *one, size_t fact, bool is_alone)
{
    const struct fix_unit *u = w->u;
    uint8_t others = w->ways[u->text->tree->facts[fact].stmt];
    size_t end;

    if (one->needs_alone && !is_alone)
        return no_place(one);
    if ((one->needs_alone && (others & WAY_TX)) || (one->needs_tx && others))
        return "the form that another rule makes of it excludes a transaction, or needs one";
    if (one->needs_tx && !is_alone && !pol_in_block(u->text->tree, fact, &end)
        && !pol_runs_in_tx(u->pol, u->is_no_tx))
        return "the policy doesn't say transaction = file or tool: whether it stands in a "
               "transaction isn't known";
    return NULL;
}

/* NULL, or why it can't be fixed. */
static const char *
fix_finding(struct work *w, const struct pol_finding *f)
{
    const struct fix_unit *u = w->u;
    struct pol_rewrite one;
    const char *why = NULL;
    size_t end;
    bool is_alone = pol_runs_alone(u->pol, u->is_no_tx)
        && !pol_in_block(u->text->tree, f->fact, &end);

    pol_rewrite_init(&one, w->arena);
    one.seen = w->rw.seen;
    one.may_be_alone = w->rw.may_be_alone = is_alone;
    int r = pol_rewrite_add(&one, u->pol, f, u->text, f->fact, true, &why);
    const char *no = r == 0 ? no_way(w, &one, f->fact, is_alone) : NULL;
    if (no)
        why = no;
    else if (r == 0 && one.follow_up && !one.edits.n && !one.after.n
        && own_place(w, f->fact) == SIZE_MAX)
        why = no_place(&one); /* there is nothing else to be written */
    else if (r == 0)
        r = pol_rewrite_add(&w->rw, u->pol, f, u->text, f->fact, true, &why);
    if (!why)
        why = set_timeouts(w, &one, f->fact);
    if (!why)
        why = put_around(w, &one, f->fact);
    if (!why) {
        tell(w, &w->told, f->fact, w->fix->is_diff ? "would fix" : "fixed", one.did,
            f->rule);
        size_t place = one.follow_up ? own_place(w, f->fact) : SIZE_MAX;
        if (one.follow_up && place != SIZE_MAX)
            r = put_behind(w, place, one.follow_up);
        if (one.follow_up && (place == SIZE_MAX || r != 0))
            tell(w, &w->told, f->fact, "left to do in a later migration", one.follow_up,
                NULL);
        if (one.remark && one.needs_tx + one.needs_alone)
            tell(w, &w->told, f->fact, "note", one.remark, NULL);
        w->ways[u->text->tree->facts[f->fact].stmt] |= (one.needs_alone ? WAY_ALONE : 0)
            | (one.needs_tx ? WAY_TX : 0);
        w->n_fixed++;
    }
    w->rw.seen = one.seen;
    pol_rewrite_deinit(&one);
    return why;
}

/* ---- the result ---- */

static struct gate_text *
read_again(const struct pol_text *t, const struct sql_edits *edits)
{
    size_t n;
    AUTO(mem_free) char *sql = sql_edits_apply(edits, t->text, t->len, &n);

    if (!sql_edits_hold(
            edits, (struct str){ t->text, t->len }, (struct str){ sql, n }, true))
        return NULL;
    return gate_text_whole(NULL, NULL, sql, n, SQL_TREE_DEFAULT_DEPTH);
}

static size_t
count_findings(const struct work *w, const struct gate_text *text)
{
    AUTO(pol_findings_deinit) struct pol_findings found;
    struct pol_text t = *w->u->text;

    t.text = text->sql;
    t.len = text->len;
    t.scan = &text->scan;
    t.tree = text->tree;
    pol_findings_init(&found);
    pol_judge_unit(w->u->pol, &t, &found);
    return found.n;
}

/* Is the whole what the statements with their edits say, with the added ones between them? */
static bool
is_meant(
    const struct work *w, const struct sql_tree *inner, const struct sql_tree *whole)
{
    size_t n = w->lines.n, n_read = 0;
    AUTO(mem_free)
    struct gate_text **texts = mem_array(n + 1, sizeof(struct gate_text *));
    AUTO(mem_free)
    const struct sql_tree **trees = mem_array(n + 1, sizeof(struct sql_tree *));

    for (; n_read < n; n_read++) {
        const char *put = w->lines.items[n_read].put;
        texts[n_read] = gate_text_whole(
            NULL, NULL, put, strlen(put), SQL_TREE_DEFAULT_DEPTH);
        if (!texts[n_read])
            break;
        trees[n_read] = texts[n_read]->tree;
    }
    bool is_meant = n_read == n && sql_trees_follow(inner, whole, trees, n);
    for (size_t i = 0; i < n_read; i++)
        ref_drop(texts[i]);
    return is_meant;
}

/* Says the edited file what it was meant to, and has it no more findings? Both are read in
 * the same manner for that: the unit may have been read with names of history tables. */
static const char *
verify(struct work *w, const struct sql_edits *all)
{
    static const struct sql_edits none = { .n = 0 };
    const struct pol_text *t = w->u->text;
    AUTO(gate_text_unref) struct gate_text *was = read_again(t, &none);
    AUTO(gate_text_unref) struct gate_text *inner = read_again(t, &w->rw.edits);
    AUTO(gate_text_unref) struct gate_text *whole = read_again(t, all);

    if (!was || !inner || !whole
        || !sql_trees_same(was->tree, inner->tree, w->rw.changes)
        || !is_meant(w, inner->tree, whole->tree))
        return "the edited file would say something else than it was meant to";
    if (count_findings(w, whole) > count_findings(w, was))
        return "the edited file would have more findings than before";
    return NULL;
}

/* Where the unit's text stands in the file: psql's own lines are blanked in it, and of files
 * with several parts it is one. -1: it is not the file's own text. */
static int64_t
locate(struct str file, const struct pol_text *t)
{
    bool is_same = file.n == t->len;

    for (size_t i = 0; is_same && i < t->len; i++)
        is_same = file.p[i] == t->text[i] || t->text[i] == ' ' || t->text[i] == '\n';
    if (is_same)
        return 0;
    const char *at = t->len && t->len <= file.n
        ? memmem(file.p, file.n, t->text, t->len)
        : NULL;
    if (!at)
        return -1;
    size_t rest = file.n - (size_t)(at + 1 - file.p);
    return memmem(at + 1, rest, t->text, t->len) ? -1 : at - file.p;
}

static void
show_diff(const struct work *w, struct str file, const struct sql_edits *edits)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT((size_t)256 << 20);
    diff_put(&b, w->u->path, file, edits);
    fwrite(buf_ptr(&b), 1, buf_len(&b), stdout);
}

/* 0, or -errno with err. */
static int
write_file(struct work *w, const struct sql_edits *all, struct err *err)
{
    AUTO(sql_edits_deinit) struct sql_edits moved = { .n = 0 };
    AUTO(mem_free) char *file = NULL;
    size_t n, n_new;
    int r = fs_read(w->u->path, MAX_FILE, &file, &n, err);

    if (r)
        return r;
    int64_t base = locate((struct str){ file, n }, w->u->text);
    if (base < 0)
        return err_set(err, -1,
            "%s: not changed: what runs is not the file's own text (placeholders, or a "
            "format of its own)",
            w->u->path);
    if (w->rw.is_wrapped && memcmp(file + base, w->u->text->text, w->u->text->len) != 0)
        return err_set(err, -1,
            "%s: not changed: psql's own commands in it may mind a transaction around them; "
            "write BEGIN and COMMIT yourself",
            w->u->path);
    for (size_t i = 0; i < all->n; i++) {
        r = sql_edits_add(&moved, all->items[i].at + (size_t)base, all->items[i].del,
            all->items[i].put);
        DG_ASSERT(r == 0, "the same edits, moved, clash");
    }
    if (w->fix->is_diff) {
        show_diff(w, (struct str){ file, n }, &moved);
        return 0;
    }
    AUTO(mem_free) char *new = sql_edits_apply(&moved, file, n, &n_new);
    return fs_edit(w->u->path, file, n, new, n_new, err);
}

static void
finish(struct work *w)
{
    AUTO(sql_edits_deinit) struct sql_edits all = { .n = 0 };
    struct err err = { "" };
    const char *why = NULL;

    if (sql_edits_merge(&all, &w->rw.edits) != 0
        || sql_edits_merge(&all, &w->lines) != 0)
        why = "two of its changes meet";
    if (!why)
        why = verify(w, &all);
    if (why) {
        fprintf(stderr, "%s: not changed: %s\n", w->u->path, why);
        return;
    }
    if (write_file(w, &all, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        w->fix->n_trouble++;
        return;
    }
    fputs(buf_cstr(&w->told), stderr);
    w->fix->n_changed++;
    w->fix->n_fixed += w->n_fixed;
}

void
fix_run(struct fix *fix, const struct fix_unit *unit)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    AUTO(buf_deinit) struct buf left = BUF_INIT((size_t)64 << 20);
    struct work w = {
        .fix = fix, .u = unit, .arena = arena, .told = BUF_INIT((size_t)64 << 20)
    };
    bool is_told = false;

    pol_rewrite_init(&w.rw, arena);
    w.ways = mem_array(unit->text->scan->n + 1, sizeof(*w.ways));
    for (size_t i = 0; i < unit->found->n; i++) {
        const struct pol_finding *f = &unit->found->items[i];
        if (f->action < fix->level || f->is_observed || f->is_excepted
            || !pol_rewrite_is_known(f->rule, true))
            continue;
        if (unit->why_not) {
            if (!is_told)
                fprintf(stderr, "%s: not changed: %s\n", unit->path, unit->why_not);
            is_told = true;
            continue;
        }
        const char *why = fix_finding(&w, f);
        if (why)
            tell(&w, &left, f->fact, "left", why, f->rule);
    }
    if (w.rw.edits.n || w.lines.n)
        finish(&w);
    fputs(buf_cstr(&left), stderr);
    buf_deinit(&w.told);
    mem_free(w.ways);
    pol_rewrite_deinit(&w.rw);
    sql_edits_deinit(&w.lines);
}
