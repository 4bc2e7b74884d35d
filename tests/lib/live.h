// SPDX-License-Identifier: ISC
/* For the tests of policy: live facts from lines, as the catalogue query would give them.
 * A line is "NAME TAG[:NUMBER] a|b|c|...", NAME as it stands in the statement; the tags and
 * their texts are those of src/policy/live_read.c. What no line is about is absent. */
#ifndef DG_TESTS_LIB_LIVE_H
#define DG_TESTS_LIB_LIVE_H

#include "base/mem.h"
#include "policy/live.h"

#include "lib/unit.h"

#define LIVE_COLUMNS 13

struct live_rows {
    struct arena *arena; /* borrowed */
    struct dg_rows rows;
    size_t cap;
};

static inline char **
live_row(struct live_rows *to)
{
    MEM_GROW(to->rows.cells, (to->rows.n_rows + 1) * LIVE_COLUMNS, to->cap);
    char **cells = &to->rows.cells[to->rows.n_rows * LIVE_COLUMNS];
    memset(cells, 0, LIVE_COLUMNS * sizeof(*cells));
    to->rows.n_cols = LIVE_COLUMNS;
    to->rows.n_rows++;
    return cells;
}

static inline void
live_add(struct live_rows *to, int want, const char *line)
{
    char **cells = live_row(to);
    size_t n = strcspn(line, ": ");
    const char *number = line[n] == ':' ? line + n + 1 : "0";
    const char *text = strchr(line, ' ');

    cells[0] = arena_printf(to->arena, "%d", want);
    cells[1] = arena_strndup(to->arena, line, n);
    cells[2] = arena_strndup(to->arena, number, strspn(number, "0123456789"));
    text = text ? text + 1 : "";
    for (size_t i = 3; i < LIVE_COLUMNS && text; i++) {
        n = strcspn(text, "|");
        if (n)
            cells[i] = arena_strndup(to->arena, text, n);
        text = text[n] ? text + n + 1 : NULL;
    }
}

static inline bool
live_is_about(const char *line, const struct pol_want *w, const char **rest)
{
    AUTO(mem_free)
    char *name = mem_printf(
        "%s%s%s ", w->schema ? w->schema : "", w->schema ? "." : "", w->name);
    if (strncmp(line, name, strlen(name)) != 0)
        return false;
    *rest = line + strlen(name);
    return true;
}

/* lines: separated by newlines; the answer to these wants. */
static inline struct pol_live *
live_of_lines(const char *lines, const struct pol_wants *wants)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct live_rows rows = { .arena = a };
    struct pol_live *live = NULL;
    struct err err = { "" };

    for (size_t i = 0; i < wants->n; i++) {
        char *copy = arena_strdup(a, lines), *save, *line;
        for (line = strtok_r(copy, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            const char *rest;
            if (live_is_about(line, &wants->items[i], &rest))
                live_add(&rows, (int)i, rest);
        }
    }
    int r = pol_live_read(wants->items, wants->n, &rows.rows, &live, &err);
    ck_assert_msg(r == 0, "%s", err.text);
    mem_free(rows.rows.cells);
    return live;
}

#endif
