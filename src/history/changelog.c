// SPDX-License-Identifier: ISC
/* Liquibase's changelogs that are no SQL: XML, YAML and JSON. One that only includes others
 * says nothing of its own and is passed over; the statements of a changeset in one come into
 * being when Liquibase runs, so that such a file is an error that says what to do. It is
 * looked for by its words, with comments and constants left out; nothing else is read. */
#include "history/changelog.h"

#include <errno.h>
#include <string.h>

static size_t
find(const char *p, size_t n, size_t from, const char *what)
{
    const char *at = from < n ? memmem(p + from, n - from, what, strlen(what)) : NULL;

    return at ? (size_t)(at - p) : n;
}

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
        || c == '_' || c == '-' || c == '.';
}

/* Does the name stand at p, and end there? A prefix (`db:changeSet`) doesn't matter. */
static bool
is_word(const char *p, size_t n, const char *word)
{
    size_t len = strlen(word), skip = 0;

    while (skip < n && is_name_char(p[skip]))
        skip++;
    if (skip < n && p[skip] == ':') {
        p += skip + 1;
        n -= skip + 1;
    }
    return n >= len && memcmp(p, word, len) == 0 && (n == len || !is_name_char(p[len]));
}

/* --- XML -------------------------------------------------------------------------------- */

/* The end of what begins at `<`: a comment, CDATA, or a tag with its quoted values. */
static size_t
skip_markup(const char *p, size_t n, size_t at)
{
    static const char *const pairs[][2] = { { "<!--", "-->" }, { "<![CDATA[", "]]>" },
        { "<?", "?>" } };

    for (size_t i = 0; i < DG_ARRAY_SIZE(pairs); i++) {
        size_t len = strlen(pairs[i][0]);
        if (n - at >= len && memcmp(p + at, pairs[i][0], len) == 0)
            return find(p, n, at + len, pairs[i][1]);
    }
    for (char quote = 0; at < n && (quote || p[at] != '>'); at++) {
        if (quote ? p[at] == quote : p[at] == '"' || p[at] == '\'')
            quote = quote ? 0 : p[at];
    }
    return at;
}

/* The place of the first element of that name; n: none. */
static size_t
find_element(const char *p, size_t n, const char *name)
{
    for (size_t at = find(p, n, 0, "<"); at < n; at = find(p, n, at, "<")) {
        if (is_word(p + at + 1, n - at - 1, name))
            return at;
        at = skip_markup(p, n, at);
    }
    return n;
}

/* --- YAML, JSON ------------------------------------------------------------------------- */

/* A key at the start of a line, behind the dashes of lists; it may stand in quotes. */
static size_t
find_yaml_key(const char *p, size_t n, const char *name)
{
    for (size_t line = 0, end; line < n; line = end + 1) {
        end = find(p, n, line, "\n");
        size_t at = line;
        while (at < end && strchr(" \t-\"'{", p[at]))
            at++;
        if (at + strlen(name) <= end && memcmp(p + at, name, strlen(name)) == 0
            && !is_name_char(at + strlen(name) < end ? p[at + strlen(name)] : ' '))
            return at;
    }
    return n;
}

static size_t
find_json_key(const char *p, size_t n, const char *name)
{
    size_t len = strlen(name);

    for (size_t at = 0; at < n; at++) {
        size_t from = at + 1;
        if (p[at] != '"')
            continue;
        for (at = from; at < n && p[at] != '"'; at++)
            at += p[at] == '\\';
        size_t next = at + 1;
        while (next < n && strchr(" \t\r\n", p[next]))
            next++;
        if (at < n && at - from == len && memcmp(p + from, name, len) == 0 && next < n
            && p[next] == ':')
            return from;
    }
    return n;
}

/* --- files ------------------------------------------------------------------------------ */

typedef size_t (*find_fn)(const char *p, size_t n, const char *name);

static find_fn
finder_of(const char *relpath)
{
    static const struct {
        const char *suffix;
        find_fn fn;
    } all[] = { { ".xml", find_element }, { ".yaml", find_yaml_key },
        { ".yml", find_yaml_key }, { ".json", find_json_key } };
    size_t n = strlen(relpath);

    for (size_t i = 0; i < DG_ARRAY_SIZE(all); i++) {
        size_t len = strlen(all[i].suffix);
        if (n > len && str_ieqz((struct str){ relpath + n - len, len }, all[i].suffix))
            return all[i].fn;
    }
    return NULL;
}

bool
hist_may_be_changelog(const char *relpath)
{
    return finder_of(relpath) != NULL;
}

int
hist_changelog_check(const char *path, const char *p, size_t n, struct err *err)
{
    find_fn fn = finder_of(path);

    if (!fn || fn(p, n, "databaseChangeLog") == n)
        return 0; /* another tool's */
    size_t at = fn(p, n, "changeSet");
    if (at == n)
        return 0;
    return err_set(err, -EINVAL,
        "%s:%d: a changeset that is not in formatted SQL: what it does comes into being when "
        "Liquibase runs; write it as formatted SQL, or let `ddlgate record` list it (format = "
        "lockfile)",
        path, hist_line_of(p, at));
}
