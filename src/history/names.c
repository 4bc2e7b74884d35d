// SPDX-License-Identifier: ISC
/* File names of migrations, by patterns. A pattern is text with
 *   %d  digits: the version        %v  digits, parts between them: 1.2 or 1_2
 *   %t  digits and dashes          %n  a name, not empty
 *   %x  anything, also nothing     %p  folders on the way, also none
 * and none but %p goes over a `/`. Alternatives are separated by `|`, the first that fits
 * counts. What the history table holds of a name is a pattern, too: there %d is the version
 * (%t without its dashes), %n the name, %f the file's own name, %s the same without its
 * suffix. */
#include "history/source.h"

#include "base/clk.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct caught {
    struct str version, name;
};

const char *
hist_base_name(const char *relpath)
{
    const char *slash = strrchr(relpath, '/');

    return slash ? slash + 1 : relpath;
}

/* The longest run of characters that %c may take at s. */
static size_t
longest(char c, const char *s)
{
    switch (c) {
    case 'd':
        return strspn(s, "0123456789");
    case 't':
        return strspn(s, "0123456789-");
    case 'v':
        return strspn(s, "0123456789._");
    case 'p': {
        const char *slash = strrchr(s, '/');
        return slash ? (size_t)(slash - s) + 1 : 0;
    }
    default:
        return strcspn(s, "/");
    }
}

/* Patterns are ours and hold few wildcards: the recursion is as deep as they are many. */
static bool
fits(const char *pattern, const char *end, const char *s, struct caught *c)
{
    for (; pattern < end && *pattern != '%'; pattern++, s++) {
        if (*pattern != *s)
            return false;
    }
    if (pattern == end)
        return *s == 0;
    char kind = pattern[1];
    size_t n = longest(kind, s), least = kind == 'x' || kind == 'p' ? 0 : 1;
    bool is_greedy = kind == 'd' || kind == 't' || kind == 'p';
    for (size_t i = least; i <= n; i++) {
        size_t len = is_greedy ? n - (i - least) : i;
        if (kind == 'p' && len > 0 && s[len - 1] != '/')
            continue;
        if (!fits(pattern + 2, end, s + len, c))
            continue;
        if (kind == 'd' || kind == 't' || kind == 'v')
            c->version = (struct str){ s, len };
        else if (kind == 'n')
            c->name = (struct str){ s, len };
        return true;
    }
    return false;
}

static bool
fits_any(const char *patterns, const char *s, struct caught *c)
{
    while (patterns) {
        const char *end = strchr(patterns, '|');
        *c = (struct caught){ .version = { NULL, 0 } };
        if (fits(patterns, end ? end : patterns + strlen(patterns), s, c))
            return true;
        patterns = end ? end + 1 : NULL;
    }
    return false;
}

/* --- what the history holds ------------------------------------------------------------ */

static void
put_digits(struct buf *b, struct str version)
{
    for (size_t i = 0; i < version.n; i++) {
        if (version.p[i] != '-')
            buf_put(b, &version.p[i], 1);
    }
}

static const char *
fill_key(struct arena *a, const char *key, const char *relpath, const struct caught *c)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(2 * 4096);
    const char *base = hist_base_name(relpath);
    size_t n = strlen(base);

    for (; *key; key++) {
        if (*key != '%') {
            buf_put(&b, key, 1);
            continue;
        }
        switch (*++key) {
        case 'd':
            put_digits(&b, c->version);
            break;
        case 'n':
            buf_put(&b, c->name.p, c->name.n);
            break;
        case 's':
            buf_put(&b, base, n - strlen(".sql"));
            break;
        default:
            buf_puts(&b, base);
        }
    }
    return arena_strdup(a, buf_cstr(&b));
}

/* --- names that only look right -------------------------------------------------------- */

static bool
ends_without_case(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && str_ieqz((struct str){ s + n - m, m }, suffix);
}

/* White space, quotes and control bytes break the shell loops that run such files. */
static bool
is_plain_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f
            || strchr("'\"`\\$;&|<>*?", s.p[i]))
            return false;
    }
    return true;
}

static void
make_plain(const char *s, size_t n, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < n && len + 1 < size; i++) {
        char c = ascii_lower(s[i]);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[len++] = c;
        else if (len > 0 && out[len - 1] != '_')
            out[len++] = '_';
    }
    while (len > 0 && out[len - 1] == '_')
        len--;
    out[len] = 0;
}

static int
bad_name(const struct hist_tool *tool, const char *relpath, struct err *err)
{
    char version[44], name[80], want[256];
    size_t digits = strspn(relpath, "0123456789"), n = strlen(relpath);

    snprintf(
        version, sizeof(version), "%.*s", (int)(digits < 40 ? digits : 40), relpath);
    make_plain(relpath + digits, n - digits - strlen(".sql"), name, sizeof(name));
    hist_fill_name(tool->next, version, name[0] ? name : "name", want, sizeof(want));
    return err_set(err, HIST_NAME_BAD,
        "not a name of format %s, a runner would skip it or sort it wrongly; rename it to "
        "%s",
        tool->format, want);
}

static int
not_a_name(const struct hist_tool *tool, const char *relpath, struct err *err)
{
    size_t digits = strspn(relpath, "0123456789");

    if (strchr(relpath, '/') || !ends_without_case(relpath, ".sql"))
        return HIST_NAME_NO;
    if (relpath[0] == 'V' && strspn(relpath + 1, "0123456789") > 0
        && strstr(relpath, "__"))
        return err_set(err, HIST_NAME_BAD,
            "looks like a Flyway migration; set format = flyway or rename it to %s",
            strcmp(tool->format, "numbered-sql") == 0 ? "NNN_name.sql" : tool->next);
    return digits > 0 && !strchr(tool->up, '/') ? bad_name(tool, relpath, err)
                                                : HIST_NAME_NO;
}

int
hist_parse_name(const struct hist_set *set, const char *relpath,
    struct hist_migration *m, struct err *err)
{
    const struct hist_tool *tool = set->tool;
    struct caught c;

    m->is_down = fits_any(tool->down, relpath, &c);
    if (!m->is_down && !fits_any(tool->up, relpath, &c))
        return not_a_name(tool, relpath, err);
    if ((tool->flags & HIST_T_SHELL) && !is_plain_name(c.name))
        return bad_name(tool, relpath, err);
    m->version = fill_key(m->arena, tool->key, relpath, &c);
    m->name = arena_strndup(m->arena, c.name.n ? c.name.p : "", c.name.n);
    m->is_repeatable = false;
    return HIST_NAME_YES;
}

/* --- the next name --------------------------------------------------------------------- */

void
hist_fill_name(
    const char *pattern, const char *version, const char *name, char *out, size_t size)
{
    size_t len = 0;

    out[0] = 0;
    for (; *pattern && len + 1 < size; pattern++) {
        const char *what = *pattern != '%' ? NULL : *++pattern == 'd' ? version : name;
        if (what)
            snprintf(out + len, size - len, "%s", what);
        else
            snprintf(out + len, size - len, "%c", *pattern);
        len += strlen(out + len);
    }
}

/* 20261120191500, or seconds or milliseconds since 1970: such versions are times. */
static bool
next_time(const char *newest, char *out, size_t size)
{
    size_t n = strlen(newest);
    int64_t ms = clk_real.wall_us(&clk_real) / 1000;
    time_t now = (time_t)(ms / 1000);
    struct tm tm;

    if (n == 14 && str_prefix(newest, "20") && gmtime_r(&now, &tm))
        strftime(out, size, "%Y%m%d%H%M%S", &tm);
    else if (n == 10 && newest[0] == '1')
        snprintf(out, size, "%lld", (long long)now);
    else if (n == 13 && newest[0] == '1')
        snprintf(out, size, "%lld", (long long)ms);
    else
        return false;
    return hist_version_cmp(out, newest) > 0;
}

/* The digits of the newest file's name. */
static void
newest_digits(const struct hist_set *set, char *out, size_t size)
{
    const char *file = set->n > 0 ? set->migrations[set->n - 1].file : "";

    if (!(set->tool->flags & (HIST_T_TEXT | HIST_T_LEXICAL))
        || (set->index->n_versioned > 0 && !(set->tool->flags & HIST_T_TEXT)))
        file = set->index->n_versioned > 0
            ? set->migrations[set->index->by_version[set->index->n_versioned - 1]]
                  .version
            : "";
    const char *at = file + strcspn(file, "0123456789");
    snprintf(out, size, "%.*s", (int)strspn(at, "0123456789"), at);
}

void
hist_next_name(const struct hist_set *set, const char *slug, char *out, size_t size)
{
    const char *first = set->tool->first ? set->tool->first : "001";
    char version[64], newest[64];

    newest_digits(set, newest, sizeof(newest));
    snprintf(version, sizeof(version), "%s", first);
    if (!newest[0])
        next_time(first, version, sizeof(version));
    else if (!next_time(newest, version, sizeof(version)))
        hist_version_next(newest, version, sizeof(version));
    hist_fill_name(set->tool->next, version, slug, out, size);
}
