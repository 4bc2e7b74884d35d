// SPDX-License-Identifier: ISC
/* Files that hold both directions, cut in two by comments: goose's `-- +goose Down`,
 * dbmate's `-- migrate:down`, tern's `---- create above / drop below ----`. What is not of
 * the wanted direction is blanked, so that lines stay where they are; the markers
 * themselves are comments, which no digest sees, and so are goose's StatementBegin and
 * StatementEnd: they only say how a tool cuts what the server would cut alike. */
#include "history/source.h"

#include <errno.h>
#include <string.h>

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Does the line hold the comment `mark`: dashes, then its words, without case and whatever
 * blanks stand between them? Returns what follows it, or NULL. */
static const char *
after_mark(const char *line, const char *end, const char *mark)
{
    const char *p = line;

    while (p < end && is_blank(*p))
        p++;
    if (end - p < 2 || p[0] != '-' || p[1] != '-')
        return NULL;
    while (p < end && (*p == '-' || is_blank(*p)))
        p++;
    for (; *mark; mark++) {
        if (*mark == ' ') {
            if (p == end || !is_blank(*p))
                return NULL;
            while (p < end && is_blank(*p))
                p++;
        } else if (p == end || ascii_lower(*p++) != ascii_lower(*mark)) {
            return NULL;
        }
    }
    return p == end || is_blank(*p) || *p == '-' || *p == ',' ? p : NULL;
}

static bool
holds(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);

    for (; p + n <= end; p++) {
        if (str_ieqz((struct str){ p, n }, word))
            return true;
    }
    return false;
}

static bool
is_comment(const char *line, const char *end)
{
    while (line < end && is_blank(*line))
        line++;
    return end - line >= 2 && line[0] == '-' && line[1] == '-';
}

struct cut {
    const struct hist_tool *tool;
    bool is_up, is_down, saw_up;
};

/* Looks at one line; true if it is of the wanted direction. */
static bool
is_wanted(struct cut *cut, struct hist_migration *m, const char *line, const char *end)
{
    const struct hist_tool *tool = cut->tool;
    const char *up = tool->up_mark ? after_mark(line, end, tool->up_mark) : NULL;
    const char *down = tool->down_mark ? after_mark(line, end, tool->down_mark) : NULL;

    if (up || down) {
        cut->is_up = up;
        cut->is_down = down;
        cut->saw_up |= up != NULL;
    }
    bool wanted = m->is_down ? cut->is_down : cut->is_up;
    if (tool->no_tx_mark && (wanted || !tool->up_mark || !cut->saw_up)
        && is_comment(line, end) && holds(line, end, tool->no_tx_mark))
        m->is_no_tx = true;
    return wanted;
}

int
hist_section(const struct hist_tool *tool, struct hist_migration *m, char *p, size_t n,
    struct err *err)
{
    /* Without a marker in the tool's row or in the file all of it is one direction. */
    struct cut cut = { .tool = tool,
        .is_up = !(tool->flags & HIST_T_MARKED),
        .is_down = !tool->down_mark };
    char *end = p + n;

    for (char *line = p; line < end;) {
        char *nl = memchr(line, '\n', (size_t)(end - line));
        char *stop = nl ? nl : end;
        if (!is_wanted(&cut, m, line, stop))
            memset(line, ' ', (size_t)(stop - line));
        line = stop + 1;
    }
    if (!m->is_down && (tool->flags & HIST_T_MARKED) && !cut.saw_up)
        return err_set(err, -EINVAL,
            "%s:1: no line `-- %s`, so %s would run nothing of it; add the line above the "
            "statements",
            m->path, tool->up_mark, tool->title);
    return 0;
}
