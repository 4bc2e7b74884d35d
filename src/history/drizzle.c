// SPDX-License-Identifier: ISC
/* Drizzle: meta/_journal.json says which files there are, in which order, and the time that
 * the history table holds of each. Only the journal's own form is read, not JSON at large. */
#include "history/source.h"

#include "base/fs.h"

#include <errno.h>
#include <string.h>

#define JOURNAL "meta/_journal.json"

struct journal {
    const char *path, *text, *p, *end;
    struct err *err;
};

static int
fail(const struct journal *j, const char *what)
{
    return err_set(j->err, -EINVAL, "%s:%d: %s; let drizzle-kit write this file",
        j->path, hist_line_of(j->text, (size_t)(j->p - j->text)), what);
}

/* A string, without the escapes that no name of a file needs; p stands on its quote. */
static int
read_string(struct journal *j, struct str *out)
{
    const char *from = ++j->p;

    while (j->p < j->end && *j->p != '"') {
        if (*j->p == '\\' || *j->p == '\n')
            return fail(j, "a string with an escape or without an end");
        j->p++;
    }
    if (j->p == j->end)
        return fail(j, "a string without an end");
    *out = (struct str){ from, (size_t)(j->p++ - from) };
    return 0;
}

static void
skip_blanks(struct journal *j)
{
    while (j->p < j->end && strchr(" \t\r\n,", *j->p))
        j->p++;
}

struct entry {
    struct str tag, when;
};

/* "name": "text" | number | true ... of one entry; p stands on the quote. */
static int
read_member(struct journal *j, struct entry *e)
{
    struct str key, value = { NULL, 0 };
    int r = read_string(j, &key);

    if (r)
        return r;
    while (j->p < j->end && strchr(" \t\r\n:", *j->p))
        j->p++;
    if (j->p < j->end && *j->p == '"') {
        r = read_string(j, &value);
    } else {
        value.p = j->p;
        while (j->p < j->end && !strchr(",}] \t\r\n", *j->p))
            j->p++;
        value.n = (size_t)(j->p - value.p);
    }
    if (str_eqz(key, "tag"))
        e->tag = value;
    else if (str_eqz(key, "when"))
        e->when = value;
    return r;
}

static bool
is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/')
            return false;
    }
    return s.n > 0 && s.p[0] != '.';
}

static int
add_entry(struct hist_set *set, struct journal *j, const struct entry *e)
{
    int64_t when;

    if (!is_name(e->tag) || str_int64(e->when, 1, INT64_MAX, &when) != 0)
        return fail(
            j, "an entry without \"tag\" (a file's name) and \"when\" (a time)");
    if (set->n_all >= HIST_MAX_FILES)
        return fail(j, "too many entries");
    AUTO(mem_free) char *file = mem_printf("%.*s.sql", (int)e->tag.n, e->tag.p);
    struct hist_migration *m = hist_set_add(set, file);
    m->version = arena_strndup(m->arena, e->when.p, e->when.n);
    m->name = arena_strndup(m->arena, e->tag.p, e->tag.n);
    return 0;
}

/* From the [ of "entries" to its ]. */
static int
read_entries(struct hist_set *set, struct journal *j)
{
    struct entry e = { .tag = { NULL, 0 } };
    int r = 0;

    for (skip_blanks(j); !r && j->p < j->end; skip_blanks(j)) {
        switch (*j->p) {
        case ']':
            return 0;
        case '{':
            e = (struct entry){ .tag = { NULL, 0 } };
            j->p++;
            break;
        case '}':
            r = add_entry(set, j, &e);
            j->p++;
            break;
        case '"':
            r = read_member(j, &e);
            break;
        default:
            return fail(j, "not an entry of the journal");
        }
    }
    return r ? r : fail(j, "\"entries\" has no end");
}

int
hist_drizzle_journal(
    struct hist_set *set, const char *path, const char *text, size_t n, struct err *err)
{
    struct journal j = { path, text, text, text + n, err };
    const char *entries = memmem(text, n, "\"entries\"", 9);
    const char *open = entries ? memchr(entries, '[', (size_t)(j.end - entries)) : NULL;

    if (!open)
        return fail(&j, "no \"entries\"");
    j.p = open + 1;
    return read_entries(set, &j);
}

static int
list(struct hist_set *set, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/" JOURNAL, set->conf.path);
    AUTO(mem_free) char *text = NULL;
    size_t n = 0;
    int r = hist_check_folder(&set->conf, set->conf.path, err);

    if (!r)
        r = fs_read(path, HIST_MAX_FILE_BYTES, &text, &n, err);
    return r ? r : hist_drizzle_journal(set, path, text, n, err);
}

/* As drizzle-kit would count on; the name is drizzle-kit's to choose. */
static void
next_name(const struct hist_set *set, const char *slug, char *out, size_t size)
{
    char version[16] = "0000";

    if (set->n > 0) {
        char last[16] = "";
        size_t digits = strspn(set->migrations[set->n - 1].name, "0123456789");
        memcpy(last, set->migrations[set->n - 1].name, digits < 10 ? digits : 10);
        hist_version_next(last, version, sizeof(version));
    }
    hist_fill_name(set->tool->next, version, slug, out, size);
}

const struct hist_ops hist_drizzle_ops = {
    .list = list,
    .next_name = next_name,
};
