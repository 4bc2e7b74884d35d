// SPDX-License-Identifier: ISC
/* Quoting; see ident.h. */
#include "sql/ident.h"

#include <string.h>

/* PostgreSQL manual, Appendix C: reserved words and those that can only name functions or
 * types; sorted for nobody, the list is short. */
static const char *const reserved[] = { "all", "analyse", "analyze", "and", "any",
    "array", "as", "asc", "asymmetric", "authorization", "binary", "both", "case",
    "cast", "check", "collate", "collation", "column", "concurrently", "constraint",
    "create", "cross", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "default",
    "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch",
    "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike",
    "in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral",
    "leading", "left", "like", "limit", "localtime", "localtimestamp", "natural", "not",
    "notnull", "null", "offset", "on", "only", "or", "order", "outer", "overlaps",
    "placing", "primary", "references", "returning", "right", "select", "session_user",
    "similar", "some", "symmetric", "system_user", "table", "tablesample", "then", "to",
    "trailing", "true", "union", "unique", "user", "using", "variadic", "verbose",
    "when", "where", "window", "with" };

bool
sql_is_reserved(const char *name)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(reserved); i++) {
        if (strcmp(name, reserved[i]) == 0)
            return true;
    }
    return false;
}

static bool
is_bare(const char *name)
{
    if (!((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_'))
        return false;
    for (const char *p = name; *p; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_'))
            return false;
    }
    return !sql_is_reserved(name);
}

/* In quotes, those inside doubled, backslashes too where asked. */
static char *
quoted(struct arena *a, const char *prefix, char quote, const char *s, bool backslashes)
{
    size_t n = strlen(s), at = strlen(prefix);
    char *out = arena_alloc(a, at + 2 * n + 3), *o = out;

    memcpy(o, prefix, at);
    o += at;
    *o++ = quote;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == quote || (backslashes && s[i] == '\\'))
            *o++ = s[i];
        *o++ = s[i];
    }
    *o++ = quote;
    *o = '\0';
    return out;
}

const char *
sql_ident(struct arena *a, const char *name)
{
    return is_bare(name) ? arena_strdup(a, name) : quoted(a, "", '"', name, false);
}

const char *
sql_qualified(struct arena *a, const char *schema, const char *name)
{
    if (!schema)
        return sql_ident(a, name);
    return arena_printf(a, "%s.%s", sql_ident(a, schema), sql_ident(a, name));
}

const char *
sql_constant(struct arena *a, const char *value)
{
    bool has_backslash = strchr(value, '\\') != NULL;

    return quoted(a, has_backslash ? "E" : "", '\'', value, has_backslash);
}
