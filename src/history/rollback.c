// SPDX-License-Identifier: ISC
/* Whether a migration can be taken back by its tool: where a source has a way to say how, and
 * what it says. */
#include "history/source.h"

#include "history/template.h"
#include "sql/lex.h"

#include <string.h>

/* From the name of a migration to that of its rollback; the first that fits both. */
static const struct {
    const char *down, *from, *to;
} ways[] = {
    { ".rollback.sql", ".sql", ".rollback.sql" },
    { "/down.sql", "/up.sql", "/down.sql" },
    { ".undo.", ".do.", ".undo." },
    { "-down.sql", "-up.sql", "-down.sql" },
    { "revert/", "deploy/", "revert/" },
    { ".down.sql", ".up.sql", ".down.sql" },
    { ".down.sql", ".sql", ".down.sql" },
};

static const char *
rollback_file(struct arena *a, const char *file, const char *pattern)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(ways); i++) {
        if (!strstr(pattern, ways[i].down))
            continue;
        const char *name = hist_replaced(a, file, ways[i].from, ways[i].to);
        if (name)
            return name;
    }
    return NULL;
}

static bool
is_liquibase(const struct hist_set *set)
{
    return !set->is_lockfile && set->tool->ops == &hist_liquibase_ops;
}

/* Has the source any rollbacks, or has its tool a way to write them? Lockfiles and Flyway's
 * folders have them or not as a whole: who runs Flyway's Community edition has no undo. */
static bool
has_ways(const struct hist_set *set)
{
    if (set->is_lockfile || set->n_all > set->n)
        return set->n_all > set->n;
    return set->tool->down || set->tool->down_mark || is_liquibase(set);
}

static const char *
undo_file(struct arena *a, const char *shown)
{
    const char *base = hist_base_name(shown);
    return arena_printf(
        a, "%.*sU%s", (int)(base - shown), shown, base + (*base == 'V'));
}

static const char *
wanted_of(const struct hist_set *set, const struct hist_migration *m, struct arena *a)
{
    const struct hist_tool *tool = set->tool;
    if (set->is_lockfile)
        return "its `down` in the lockfile (ddlgate record --down COMMAND)";
    if (tool->ops == &hist_flyway_ops)
        return undo_file(a, m->shown);
    if (is_liquibase(set))
        return "a line `--rollback ...` in its changeset";
    if (tool->down_mark && strncmp(tool->down_mark, "create above", 12) == 0)
        return arena_printf(a, "a statement below `---- %s ----`", tool->down_mark);
    if (tool->down_mark)
        return arena_printf(a, "a statement below `-- %s`", tool->down_mark);
    return rollback_file(a, m->shown, tool->down);
}

bool
hist_rollback_of(const struct hist_set *set, const struct hist_migration *m,
    struct arena *a, struct hist_rollback *out)
{
    if (m->is_down || m->is_repeatable || m->is_in_baseline || !has_ways(set))
        return false;
    const struct hist_migration *down = m->pair == HIST_NONE
        ? NULL
        : &set->migrations[m->pair];
    *out = (struct hist_rollback){
        .is_found = (down && down->scan.n > 0) || m->says_no_rollback,
        .is_empty = down && !set->tool->down_mark,
        .wanted = wanted_of(set, m, a),
        .text = down ? down->text : NULL,
        .len = down ? down->len : 0,
    };
    return true;
}

static bool
has_statement(const char *text, size_t n)
{
    struct sql_lexer lx;
    struct sql_token tok;
    sql_lex_init(&lx, text, n, true);
    while (sql_lex_next(&lx, &tok) == 0) {
        if (tok.kind != SQL_T_PUNCT)
            return true;
    }
    return false;
}

bool
hist_rollback_beside(const char *path, struct arena *a, struct hist_rollback *out)
{
    const char *base = hist_base_name(path);
    char *text = NULL;
    size_t n = 0;
    bool is_alone = strcmp(base, "up.sql") == 0;
    if (!is_alone && !str_suffix(base, ".up.sql"))
        return false;
    const char *from = is_alone ? "up.sql" : ".up.sql";
    const char *name = arena_printf(a, "%.*s%s", (int)(strlen(path) - strlen(from)),
        path, is_alone ? "down.sql" : ".down.sql");
    bool is_there = hist_file_text(name, &text, &n, NULL) == 0;
    *out = (struct hist_rollback){
        .is_found = is_there && has_statement(text, n),
        .is_empty = is_there,
        .wanted = name,
        .text = is_there ? arena_strndup(a, text, n) : NULL,
        .len = n,
    };
    mem_free(text);
    return true;
}
