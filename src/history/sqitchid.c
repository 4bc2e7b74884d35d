// SPDX-License-Identifier: ISC
/* The ids of Sqitch's changes: SHA-1 over "change", the length of a text, a zero byte and the
 * text, which has in lines of its own the project, its uri, the change's name, the id of the
 * change before it, planner, date, what it requires and conflicts with, and after an empty
 * line the note. */
#include "history/sqitch.h"

#include <errno.h>
#include <string.h>

#define MAX_INFO ((size_t)1 << 20)

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct str
skip_blanks(struct str s)
{
    while (s.n > 0 && is_blank(*s.p))
        s = (struct str){ s.p + 1, s.n - 1 };
    return s;
}

/* Up to the byte c, which is left out of it; *rest is what follows. */
static struct str
cut(struct str s, char c, struct str *rest)
{
    const char *at = memchr(s.p, c, s.n);
    size_t n = at ? (size_t)(at - s.p) : s.n, skip = n + (at != NULL);

    *rest = (struct str){ s.p + skip, s.n - skip };
    return (struct str){ s.p, n };
}

void
sqitch_pragma(struct sqitch_plan *plan, struct str line)
{
    struct str rest, value;

    line = str_trim(cut(line, '#', &rest));
    if (line.n == 0 || line.p[0] != '%')
        return;
    struct str name = str_trim(
        cut((struct str){ line.p + 1, line.n - 1 }, '=', &value));
    if (str_eqz(name, "project"))
        plan->project = str_trim(value);
    else if (str_eqz(name, "uri"))
        plan->uri = str_trim(value);
}

/* --- the text of an id ------------------------------------------------------------------ */

static void
put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

/* Scheme and host in small letters, a path in any case. */
static void
put_uri(struct buf *b, struct str uri)
{
    const char *at = memmem(uri.p, uri.n, "://", 3);
    size_t host = at ? (size_t)(at - uri.p) + 3 : 0, path = host;

    while (host && path < uri.n && !strchr("/?#", uri.p[path]))
        path++;
    buf_puts(b, "\nuri ");
    for (size_t i = 0; i < uri.n; i++) {
        char c = i < path ? ascii_lower(uri.p[i]) : uri.p[i];
        if (i == path && host && c != '/')
            buf_puts(b, "/");
        buf_put(b, &c, 1);
    }
    if (host && path == uri.n)
        buf_puts(b, "/");
}

/* Those that the change requires, or conflicts with. A prefix of the own project goes. */
static void
put_dependencies(
    struct buf *b, const struct sqitch_plan *plan, struct str list, bool is_conflict)
{
    size_t n = 0;

    for (list = skip_blanks(list); list.n > 0; list = skip_blanks(list)) {
        size_t end = 0;
        while (end < list.n && !is_blank(list.p[end]))
            end++;
        struct str one = { list.p, end };
        list = (struct str){ list.p + end, list.n - end };
        bool conflicts = *one.p == '!';
        if (conflicts != is_conflict)
            continue;
        one = (struct str){ one.p + conflicts, one.n - conflicts };
        if (one.n > plan->project.n && one.p[plan->project.n] == ':'
            && memcmp(one.p, plan->project.p, plan->project.n) == 0)
            one = (struct str){ one.p + plan->project.n + 1,
                one.n - plan->project.n - 1 };
        if (n++ == 0)
            buf_puts(b, is_conflict ? "\nconflicts" : "\nrequires");
        buf_puts(b, is_conflict ? "\n  - " : "\n  + ");
        put_str(b, one);
    }
}

/* \n, \r and \\ stand for what can't stand in a line. */
static void
put_note(struct buf *b, struct str note)
{
    note = str_trim(note);
    if (note.n == 0 || str_eqz(note, "0")) /* Perl takes it for none */
        return;
    buf_puts(b, "\n\n");
    for (size_t i = 0; i < note.n; i++) {
        char c = note.p[i], next = c == '\\' && i + 1 < note.n ? note.p[i + 1] : 0;
        if (next == 'n' || next == 'r' || next == '\\') {
            c = next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
            i++;
        }
        buf_put(b, &c, 1);
    }
}

/* What follows the name: [dependencies] date planner <mail>, and the note behind a #. */
struct rest {
    struct str dependencies, date, planner, mail, note;
};

static bool
read_rest(const struct sqitch_line *line, struct rest *out)
{
    struct str s, more;
    const char *end = line->text.p + line->text.n;
    const char *from = line->name.p + line->name.n;

    s = cut((struct str){ from, (size_t)(end - from) }, '#', &out->note);
    s = skip_blanks(s);
    out->dependencies = (struct str){ s.p, 0 };
    if (s.n > 0 && *s.p == '[') {
        if (!memchr(s.p, ']', s.n))
            return false;
        out->dependencies = cut((struct str){ s.p + 1, s.n - 1 }, ']', &s);
        s = skip_blanks(s);
    }
    if (s.n < 20 || s.p[19] != 'Z' || s.p[10] != 'T')
        return false;
    out->date = (struct str){ s.p, 20 };
    s = skip_blanks((struct str){ s.p + 20, s.n - 20 });
    out->planner = cut(s, '<', &more);
    if (out->planner.n < 2 || !is_blank(out->planner.p[out->planner.n - 1]))
        return false;
    out->planner.n--; /* one blank; others are of the name */
    out->mail = cut(more, '>', &s);
    return out->mail.n > 0 && s.p > more.p && s.p[-1] == '>' && str_trim(s).n == 0;
}

static void
compute(const struct sqitch_plan *plan, const struct sqitch_line *line,
    const struct rest *rest, char id[SQITCH_ID_SIZE])
{
    AUTO(buf_deinit) struct buf info = BUF_INIT(MAX_INFO);
    AUTO(buf_deinit) struct buf all = BUF_INIT(MAX_INFO + 64);
    uint8_t digest[HASH_SIZE_MAX];

    buf_puts(&info, "project ");
    put_str(&info, plan->project);
    if (plan->uri.n > 0)
        put_uri(&info, plan->uri);
    buf_puts(&info, "\nchange ");
    put_str(&info, line->name);
    if (id[0]) /* of the change before it */
        buf_putf(&info, "\nparent %s", id);
    buf_puts(&info, "\nplanner ");
    put_str(&info, rest->planner);
    buf_puts(&info, " <");
    put_str(&info, rest->mail);
    buf_puts(&info, ">\ndate ");
    put_str(&info, rest->date);
    put_dependencies(&info, plan, rest->dependencies, false);
    put_dependencies(&info, plan, rest->dependencies, true);
    put_note(&info, rest->note);
    buf_putf(&all, "change %zu", buf_len(&info));
    buf_put(&all, "", 1);
    buf_put(&all, buf_ptr(&info), buf_len(&info));
    size_t n = hash_of(HASH_SHA1, buf_ptr(&all), buf_len(&all), digest);
    hash_hex(digest, n, id);
}

int
sqitch_ids(struct sqitch_plan *plan, struct err *err)
{
    char id[SQITCH_ID_SIZE] = "";

    if (plan->project.n == 0 || plan->project.n + plan->uri.n > MAX_INFO / 4)
        return err_set(err, -EINVAL,
            "%s:1: no line %%project=NAME, or one that is too long; let sqitch write this "
            "file",
            plan->path);
    for (size_t i = 0; i < plan->n; i++) {
        struct sqitch_line *line = &plan->lines[i];
        struct rest rest;
        if (line->is_tag)
            continue;
        if (line->text.n > MAX_INFO / 2 || !read_rest(line, &rest))
            return err_set(err, -EINVAL,
                "%s:%d: change %.*s lacks its date or planner, or they can't be read; since "
                "a change is reworked here, all of them matter: let sqitch write this file",
                plan->path, line->nr, (int)line->name.n, line->name.p);
        compute(plan, line, &rest, id);
        if (line->is_twice)
            memcpy(line->id, id, sizeof(id));
    }
    return 0;
}
