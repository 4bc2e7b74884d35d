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
    const char *value; /* decoded, in the caller's scratch memory */
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

/* The word that lacks its `=` is not shown: it may be the second half of a password.
 * p is at the first byte of a keyword; scratch has room for what is left of the text. */
static int
read_pair(const char *p, char *scratch, struct pair *out, struct err *err)
{
    struct pair pair = { .start = p, .keyword = { p, 0 }, .value = scratch };
    while (*p && *p != '=' && !is_blank(*p))
        p++;
    pair.keyword.n = (size_t)(p - pair.start);
    p = skip_blanks(p);
    if (*p != '=' || pair.keyword.n == 0)
        return err_set(err, -EINVAL,
            "the text is no list of keyword=value pairs; put values with blanks into "
            "single quotes");
    pair.end = read_value(skip_blanks(p + 1), scratch);
    if (!pair.end)
        return err_set(err, -EINVAL, "the quote after `%.*s=` is not closed",
            (int)(pair.keyword.n < 64 ? pair.keyword.n : 64), pair.start);
    *out = pair;
    return 0;
}

static bool
is_uri(const char *text)
{
    return str_prefix(text, "postgresql://") || str_prefix(text, "postgres://");
}

int
cfg_conninfo_pairs(const char *text, cfg_pair_fn pair, void *ctx, struct err *err)
{
    if (is_uri(text))
        return err_set(err, -EINVAL,
            "URIs are not read here; write keyword=value pairs: host=... port=...");
    AUTO(mem_free) char *scratch = mem_alloc(strlen(text) + 1);
    int r = 0;
    const char *p = skip_blanks(text);
    while (r == 0 && *p) {
        struct pair found = { 0 };
        r = read_pair(p, scratch, &found, err);
        if (r == 0) {
            DG_ASSERT(found.end, "a pair that was read has an end");
            r = pair(ctx, found.keyword, found.value, err);
            p = skip_blanks(found.end);
        }
    }
    explicit_bzero(scratch, strlen(text) + 1);
    return r;
}
