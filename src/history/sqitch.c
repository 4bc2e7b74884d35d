// SPDX-License-Identifier: ISC
/* Sqitch: sqitch.plan says which changes there are and in which order; their scripts are
 * deploy/NAME.sql and revert/NAME.sql, which psql runs. Changes that were reworked, whose
 * older scripts carry a tag in their names, are not read. */
#include "history/source.h"

#include "base/fs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PLAN "sqitch.plan"

/* The change's name at the start of a line of the plan; empty for tags, pragmas, comments. */
static struct str
change_of(struct str line)
{
    line = str_trim(line);
    if (line.n > 0 && line.p[0] == '+') /* a deploy, written out */
        line = str_trim((struct str){ line.p + 1, line.n - 1 });
    if (line.n == 0 || strchr("%#@-", line.p[0]))
        return (struct str){ NULL, 0 };
    size_t n = 0;
    while (n < line.n && !strchr(" \t[#", line.p[n]))
        n++;
    return (struct str){ line.p, n };
}

static bool
is_safe(struct str name)
{
    for (size_t i = 0; i + 1 < name.n; i++) {
        if (name.p[i] == '.' && name.p[i + 1] == '.')
            return false;
    }
    return name.n > 0 && name.n < 1000 && name.p[0] != '/';
}

static void
add(struct hist_set *set, const char *folder, struct str name, bool is_down)
{
    AUTO(mem_free)
    char *file = mem_printf("%s/%.*s.sql", folder, (int)name.n, name.p);
    struct hist_migration *m = hist_set_add(set, file);

    m->version = arena_strndup(m->arena, name.p, name.n);
    m->name = m->version;
    m->is_down = is_down;
    /* a change need not have a way back */
    if (is_down && access(m->path, F_OK) != 0)
        set->n_all--;
}

int
hist_sqitch_plan(
    struct hist_set *set, const char *path, const char *text, size_t n, struct err *err)
{
    int line_nr = 0;

    for (struct str rest = { text, n }; rest.n > 0;) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        struct str line = { rest.p, nl ? (size_t)(nl - rest.p) : rest.n };
        struct str name = change_of(line);
        size_t skip = line.n + (nl != NULL);
        rest = (struct str){ rest.p + skip, rest.n - skip };
        line_nr++;
        if (name.n == 0)
            continue;
        if (!is_safe(name) || set->n_all >= HIST_MAX_FILES)
            return err_set(
                err, -EINVAL, "%s:%d: not the name of a change", path, line_nr);
        add(set, "deploy", name, false);
        add(set, "revert", name, true);
    }
    return 0;
}

static int
list(struct hist_set *set, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/" PLAN, set->conf.path);
    AUTO(mem_free) char *text = NULL;
    size_t n = 0;
    int r = hist_check_folder(&set->conf, set->conf.path, err);

    if (!r)
        r = fs_read(path, HIST_MAX_FILE_BYTES, &text, &n, err);
    if (!r)
        r = hist_text_check(path, text, n, err);
    return r ? r : hist_sqitch_plan(set, path, text, n, err);
}

const struct hist_ops hist_sqitch_ops = { .list = list };
