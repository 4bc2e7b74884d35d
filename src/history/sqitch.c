// SPDX-License-Identifier: ISC
/* Sqitch: sqitch.plan says which changes there are and in which order; their scripts are
 * deploy/NAME.sql and revert/NAME.sql, which psql runs.
 *
 * A change may be reworked: its name stands in the plan once more, behind a tag. The scripts
 * of the older one are then called NAME@TAG.sql, and so is it here. In the table of changes
 * both have the one name: they are told apart by their ids, for which all of the plan
 * matters (sqitchid.c). */
#include "history/sqitch.h"

#include "base/fs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PLAN "sqitch.plan"

/* The name at the start of a line of the plan; empty for pragmas, comments, blank lines. */
static struct str
name_of(struct str line, bool *is_tag)
{
    line = str_trim(line);
    *is_tag = line.n > 0 && line.p[0] == '@';
    if (line.n > 0 && (line.p[0] == '+' || *is_tag)) /* +: a deploy, written out */
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
    return name.n > 0 && name.n < 1000 && name.p[0] != '/'
        && !memchr(name.p, '@', name.n);
}

static void
plan_deinit_p(struct sqitch_plan *plan)
{
    mem_free(plan->lines);
    map_free(plan->last);
}

static int
add_line(struct sqitch_plan *plan, struct sqitch_line line, struct err *err)
{
    if (!is_safe(line.name) || plan->n >= HIST_MAX_FILES
        || (line.is_tag && memchr(line.name.p, '/', line.name.n)))
        return err_set(err, -EINVAL, "%s:%d: not the name of a %s", plan->path, line.nr,
            line.is_tag ? "tag" : "change");
    line.later = HIST_NONE;
    if (!line.is_tag) {
        uintptr_t before = (uintptr_t)map_get(plan->last, line.name);
        if (before) {
            plan->lines[before - 1].later = plan->n;
            plan->lines[before - 1].is_twice = line.is_twice = true;
            plan->is_reworked = true;
        }
        map_set(plan->last, line.name, (void *)(plan->n + 1));
    }
    MEM_GROW(plan->lines, plan->n, plan->cap);
    plan->lines[plan->n++] = line;
    return 0;
}

static int
read_lines(struct sqitch_plan *plan, const char *text, size_t n, struct err *err)
{
    int nr = 0, r = 0;

    for (struct str rest = { text, n }, next; !r && str_next_line(&rest, &next);) {
        struct sqitch_line line = { .text = next, .nr = ++nr };
        line.name = name_of(line.text, &line.is_tag);
        if (line.name.n > 0)
            r = add_line(plan, line, err);
        else
            sqitch_pragma(plan, line.text);
    }
    return r;
}

/* --- reworked changes ------------------------------------------------------------------- */

static bool
is_there(const struct hist_set *set, const struct sqitch_line *line, struct str tag)
{
    AUTO(mem_free)
    char *path = mem_printf("%s/deploy/%.*s@%.*s.sql", set->conf.path,
        (int)line->name.n, line->name.p, (int)tag.n, tag.p);

    return access(path, F_OK) == 0;
}

/* The tag in the names of a reworked change's scripts: of those between it and the change
 * that reworks it the first one, in Sqitch's order, that a script is there for. Each change
 * has the tags behind it; the last one's come first. */
static int
find_tag(const struct hist_set *set, const struct sqitch_plan *plan, size_t i,
    struct str *out, struct err *err)
{
    const struct sqitch_line *line = &plan->lines[i],
                             *later = &plan->lines[line->later];
    struct str first = { NULL, 0 };

    for (size_t end = line->later, k = line->later; k-- > i;) {
        if (plan->lines[k].is_tag)
            continue;
        for (size_t t = k + 1; t < end; t++) {
            *out = plan->lines[t].name;
            if (is_there(set, line, *out))
                return 0;
            first = first.n ? first : *out;
        }
        end = k;
    }
    int n = (int)line->name.n;
    if (first.n == 0)
        return err_set(err, -EINVAL,
            "%s:%d: change %.*s stands in line %d already, with no tag between them; add "
            "the tag there",
            plan->path, later->nr, n, line->name.p, line->nr);
    return err_set(err, -ENOENT,
        "%s:%d: change %.*s is reworked in line %d, so its script is "
        "deploy/%.*s@%.*s.sql, which is not there; let `sqitch rework` make it",
        plan->path, line->nr, n, line->name.p, later->nr, n, line->name.p, (int)first.n,
        first.p);
}

static void
add(struct hist_set *set, const char *folder, const struct sqitch_line *line,
    struct str tag, bool is_down)
{
    AUTO(mem_free)
    char *name = mem_printf("%.*s%s%.*s", (int)line->name.n, line->name.p,
        tag.n ? "@" : "", (int)tag.n, tag.n ? tag.p : "");
    AUTO(mem_free) char *file = mem_printf("%s/%s.sql", folder, name);
    struct hist_migration *m = hist_set_add(set, file);

    m->version = arena_strdup(m->arena, name);
    m->name = m->version;
    m->is_down = is_down;
    m->id = line->id[0] ? arena_strdup(m->arena, line->id) : NULL;
    /* a change need not have a way back */
    if (is_down && access(m->path, F_OK) != 0)
        set->n_all--;
}

int
hist_sqitch_plan(
    struct hist_set *set, const char *path, const char *text, size_t n, struct err *err)
{
    AUTO(plan_deinit)
    struct sqitch_plan plan = { .path = path, .last = map_new(NULL) };
    int r = read_lines(&plan, text, n, err);

    if (!r && plan.is_reworked)
        r = sqitch_ids(&plan, err);
    for (size_t i = 0; i < plan.n && !r; i++) {
        const struct sqitch_line *line = &plan.lines[i];
        struct str tag = { NULL, 0 };
        if (line->is_tag)
            continue;
        if (line->later != HIST_NONE)
            r = find_tag(set, &plan, i, &tag, err);
        if (r)
            break;
        add(set, "deploy", line, tag, false);
        add(set, "revert", line, tag, true);
    }
    return r;
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

/* --- rows ------------------------------------------------------------------------------- */

/* Older changes of a name are called NAME@TAG, so that they stand behind one another. */
static const struct hist_migration *
find_older(const struct hist_set *set, const char *name, const char *id)
{
    const struct hist_index *ix = set->index;
    size_t lo = 0, hi = ix->n_versioned, n = strlen(name);

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const char *version = set->migrations[ix->by_version[mid]].version;
        int c = strncmp(version, name, n);
        if (c < 0 || (c == 0 && (unsigned char)version[n] < '@'))
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < ix->n_versioned; lo++) {
        const struct hist_migration *m = &set->migrations[ix->by_version[lo]];
        if (strncmp(m->version, name, n) != 0 || m->version[n] != '@')
            break;
        if (m->id && strcmp(m->id, id) == 0)
            return m;
    }
    return NULL;
}

/* The key is a change's name and its id. Where the name says it all the id isn't asked. */
static const struct hist_migration *
find(const struct hist_set *set, const char *key, const char **name, char *room)
{
    const char *id = strstr(key, HIST_KEY_SEPARATOR);
    size_t n = id ? (size_t)(id - key) : strlen(key);

    *name = NULL;
    memcpy(room, key, n);
    room[n] = 0;
    const struct hist_migration *m = hist_by_version(set, room);
    if (!m || !m->id)
        return m;
    id = id ? id + strlen(HIST_KEY_SEPARATOR) : "";
    return strcmp(m->id, id) == 0 ? m : find_older(set, room, id);
}

const struct hist_ops hist_sqitch_ops = { .list = list, .find = find };
