// SPDX-License-Identifier: ISC
/* Reads keyword=value strings as libpq does: blanks around `=`, values bare or in single
 * quotes, a backslash takes the next byte as it is. */
#include "config/conninfo.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct pair {
    const char *start, *end; /* of the whole pair in the text */
    struct str keyword;
    char *value; /* decoded, in the arena */
};

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *
skip_blanks(const char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* From just after the `=`; NULL if a quote is not closed. */
static const char *
read_value(const char *p, char *out)
{
    bool is_quoted = *p == '\'';
    if (is_quoted)
        p++;
    while (*p && (is_quoted ? *p != '\'' : !is_blank(*p))) {
        if (*p == '\\' && p[1])
            p++;
        *out++ = *p++;
    }
    *out = '\0';
    if (!is_quoted)
        return p;
    return *p == '\'' ? p + 1 : NULL;
}

/* p is at the first byte of a keyword. */
static int
read_pair(struct arena *a, const char *p, struct pair *out, struct err *err)
{
    struct pair pair = { .start = p, .keyword = { p, 0 } };
    while (*p && *p != '=' && !is_blank(*p))
        p++;
    pair.keyword.n = (size_t)(p - pair.start);
    int n = (int)(pair.keyword.n < 64 ? pair.keyword.n : 64);
    p = skip_blanks(p);
    if (*p != '=' || n == 0)
        return err_set(err, -EINVAL,
            "`=` is missing after `%.*s`; write keyword=value pairs, values with blanks "
            "in single quotes",
            n, pair.start);
    p = skip_blanks(p + 1);
    pair.value = arena_alloc(a, strlen(p) + 1);
    pair.end = read_value(p, pair.value);
    if (!pair.end)
        return err_set(
            err, -EINVAL, "the quote after `%.*s=` is not closed", n, pair.start);
    *out = pair;
    return 0;
}

static bool
is_uri(const char *text)
{
    return str_prefix(text, "postgresql://") || str_prefix(text, "postgres://");
}

int
cfg_conninfo_split(struct arena *a, const char *text, const char **conninfo,
    const char **policy, struct err *err)
{
    if (is_uri(text))
        return err_set(err, -EINVAL,
            "URIs are not read here; write keyword=value pairs: host=... port=...");

    char *rest = arena_strndup(a, "", 0), *found = NULL;
    for (const char *p = skip_blanks(text); *p; p = skip_blanks(p)) {
        struct pair pair;
        int ret = read_pair(a, p, &pair, err);
        if (ret)
            return ret;
        p = pair.end;
        if (!str_eqz(pair.keyword, "policy")) {
            rest = arena_printf(a, "%s%s%.*s", rest, *rest ? " " : "",
                (int)(pair.end - pair.start), pair.start);
            continue;
        }
        if (found)
            return err_set(err, -EINVAL, "`policy` is given twice");
        if (!*pair.value)
            return err_set(err, -EINVAL,
                "`policy=` names no file; remove it to use the policy of [ddlgate]");
        found = pair.value;
    }
    *conninfo = rest;
    *policy = found;
    return 0;
}
