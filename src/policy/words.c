// SPDX-License-Identifier: ISC
/* Quoting, type names, message lines, spelling suggestions; see words.h. */
#include "policy/words.h"

#include "base/buf.h"
#include "sql/ident.h"

#include <string.h>

#define IDENT_MAX 63 /* NAMEDATALEN - 1 */

bool
pol_is_reserved(const char *name)
{
    return sql_is_reserved(name);
}

const char *
pol_ident(struct arena *a, const char *name)
{
    return sql_ident(a, name);
}

const char *
pol_qualified(struct arena *a, const char *schema, const char *name)
{
    if (!schema)
        return pol_ident(a, name);
    return arena_printf(a, "%s.%s", pol_ident(a, schema), pol_ident(a, name));
}

const char *
pol_ident_list(struct arena *a, const char *const *names, size_t n)
{
    const char *list = "";
    for (size_t i = 0; i < n && i < 32; i++) { /* the server takes no longer key */
        list = arena_printf(a, "%s%s%s", list, i ? ", " : "",
            names[i] ? pol_ident(a, names[i]) : "(...)");
    }
    return list;
}

/* The longest start of s that fits n bytes and ends between characters. */
static size_t
cut(const char *s, size_t n)
{
    size_t len = strlen(s);
    if (len <= n)
        return len;
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return n;
}

const char *
pol_made_name(struct arena *a, const char *const *parts, size_t n)
{
    const char *name = "";
    for (size_t i = 0; i < n; i++) {
        if (parts[i])
            name = arena_printf(a, "%s%s%s", name, *name ? "_" : "", parts[i]);
    }
    return arena_strndup(a, name, cut(name, IDENT_MAX));
}

const char *
pol_name_with(struct arena *a, const char *name, const char *suffix)
{
    size_t n = cut(name, IDENT_MAX - strlen(suffix) - 1);
    char *made = arena_printf(a, "%.*s_%s", (int)n, name, suffix);
    for (char *c = made + n; *c; c++)
        *c = ascii_lower(*c);
    return made;
}

const char *
pol_type(struct arena *a, const struct sql_column *col)
{
    static const struct {
        const char *internal, *written;
    } types[] = { { "bool", "boolean" }, { "bpchar", "char" }, { "float4", "real" },
        { "float8", "double precision" }, { "int2", "smallint" }, { "int4", "integer" },
        { "int8", "bigint" }, { "timestamptz", "timestamptz" },
        { "varbit", "bit varying" } };
    const char *name = col->type ? col->type : "";

    if (str_prefix(name, "pg_catalog.")) {
        name += strlen("pg_catalog.");
        for (size_t i = 0; i < DG_ARRAY_SIZE(types); i++) {
            if (strcmp(name, types[i].internal) == 0)
                name = types[i].written;
        }
    }
    return arena_printf(a, "%s%s", name, col->type_mods ? col->type_mods : "");
}

const char *
pol_line(struct arena *a, const char *text)
{
    size_t n = strlen(text);
    char *out;

    if (n > POL_MAX_MESSAGE)
        out = arena_printf(a, "%.*s...", (int)cut(text, POL_MAX_MESSAGE - 3), text);
    else
        out = arena_strndup(a, text, n);
    for (char *p = out; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    }
    return out;
}

/* Optimal string alignment (insert, delete, change, swap of neighbours), ASCII without
 * case; words longer than ROW - 1 are never near anything. */
#define ROW 48

static size_t
distance(struct str a, const char *b)
{
    size_t rows[3][ROW], n = strlen(b);
    size_t *two = rows[0], *one = rows[1], *now = rows[2];

    if (a.n >= ROW || n >= ROW)
        return ROW;
    for (size_t j = 0; j <= n; j++)
        one[j] = j;
    memset(two, 0, sizeof(rows[0]));
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            char x = ascii_lower(a.p[i - 1]), y = ascii_lower(b[j - 1]);
            size_t best = one[j - 1] + (x != y);
            if (one[j] + 1 < best)
                best = one[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == ascii_lower(b[j - 2])
                && ascii_lower(a.p[i - 2]) == y && two[j - 2] + 1 < best)
                best = two[j - 2] + 1;
            now[j] = best;
        }
        size_t *swap = two;
        two = one;
        one = now;
        now = swap;
    }
    return one[n];
}

const char *
pol_nearest(struct str word, const char *const *list, size_t n)
{
    const char *best = NULL;
    size_t best_at = 1 + word.n / 3; /* a third of the letters may be wrong */

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, list[i]);
        if (d < best_at || (d == best_at && !best)) {
            best = list[i];
            best_at = d;
        }
    }
    return best;
}
