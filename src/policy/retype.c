// SPDX-License-Identifier: ISC
/* Changes of a column's type, after the manual's ALTER TABLE notes and the measurements of
 * the reference catalogue; see retype.h. */
#include "policy/retype.h"

#include "policy/params.h"

#include <stdio.h>
#include <string.h>

/* A type with its modifiers as two numbers; -1: none. */
struct shape {
    const char *name;
    int first, second;
    bool is_array, has_odd_mods;
};

static const char *
stored_name(const struct sql_column *col)
{
    const char *type = pol_column_type(col), *dot;

    if (strcmp(type, "serial") == 0)
        return "int4";
    if (strcmp(type, "bigserial") == 0)
        return "int8";
    if (strcmp(type, "smallserial") == 0)
        return "int2";
    dot = strrchr(type, '.');
    return dot ? dot + 1 : type;
}

static struct shape
shape_of_written(const struct sql_column *col)
{
    struct shape s = { stored_name(col), -1, -1, false, false };
    const char *mods = col->type_mods ? col->type_mods : "";
    int n = 0;

    s.is_array = strchr(mods, '[') != NULL;
    if (*mods == '(' && sscanf(mods, "(%d,%d)%n", &s.first, &s.second, &n) == 2 && n)
        return s;
    s.second = -1;
    n = 0;
    if (*mods == '(' && (sscanf(mods, "(%d)%n", &s.first, &n) != 1 || !n))
        s.has_odd_mods = true;
    if (strcmp(s.name, "interval") == 0)
        s.has_odd_mods |= *mods == '(';
    if (strcmp(s.name, "numeric") == 0 && s.first >= 0)
        s.second = 0;
    return s;
}

static bool
is_one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, list[i]) == 0)
            return true;
    }
    return false;
}
#define IS_ONE_OF(name, ...)                              \
    is_one_of(name, (const char *const[]){ __VA_ARGS__ }, \
        sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* pg_attribute.atttypmod as the type's own functions read it. */
static struct shape
shape_of_live(const struct pol_live_column *c, const char *name)
{
    struct shape s = { name, -1, -1, c->is_array, false };

    if (c->typmod < 0)
        return s;
    if (IS_ONE_OF(name, "varchar", "bpchar")) {
        s.first = c->typmod - 4;
    } else if (strcmp(name, "numeric") == 0) {
        int t = c->typmod - 4;
        s.first = (t >> 16) & 0xffff;
        s.second = ((t & 0x7ff) ^ 1024) - 1024;
    } else if (IS_ONE_OF(name, "timestamp", "timestamptz", "time", "timetz", "bit",
                   "varbit")) {
        s.first = c->typmod;
    } else {
        s.has_odd_mods = true;
    }
    return s;
}

/* ---- within a type ---- */

static bool
fits(int from, int to) /* lengths; -1 has no end */
{
    return to < 0 || (from >= 0 && from <= to);
}

static enum pol_retype
numeric_to_numeric(const struct shape *from, const struct shape *to)
{
    if (to->first < 0)
        return POL_RETYPE_FREE;
    if (from->first < 0 || to->second < from->second
        || to->first - to->second < from->first - from->second)
        return POL_RETYPE_NARROWER;
    return to->second == from->second ? POL_RETYPE_FREE : POL_RETYPE_REWRITE;
}

static enum pol_retype
within(const struct shape *from, const struct shape *to)
{
    bool is_equal = from->first == to->first && from->second == to->second;

    if (from->has_odd_mods || to->has_odd_mods)
        return POL_RETYPE_OTHER;
    if (is_equal)
        return POL_RETYPE_FREE;
    if (IS_ONE_OF(to->name, "varchar", "varbit"))
        return fits(from->first, to->first) ? POL_RETYPE_FREE : POL_RETYPE_NARROWER;
    if (strcmp(to->name, "bpchar") == 0)
        return fits(from->first, to->first) ? POL_RETYPE_REWRITE : POL_RETYPE_NARROWER;
    if (strcmp(to->name, "numeric") == 0)
        return numeric_to_numeric(from, to);
    if (IS_ONE_OF(to->name, "timestamp", "timestamptz", "time", "timetz")) {
        int before = from->first < 0 ? 6 : from->first;
        int after = to->first < 0 ? 6 : to->first;
        return after >= before ? POL_RETYPE_FREE : POL_RETYPE_NARROWER;
    }
    return POL_RETYPE_OTHER;
}

/* ---- from one type to another ---- */

/* Both in one of these rows: the later one holds what the earlier one holds. */
static const char *const ladders[][4] = { { "int2", "int4", "int8", "numeric" },
    { "float4", "float8" }, { "int2", "float4", "float8" }, { "int4", "float8" },
    { "date", "timestamp" } };

static size_t
rung(size_t ladder, const char *name)
{
    size_t i = 0;
    while (i < DG_ARRAY_SIZE(ladders[0]) && ladders[ladder][i]
        && strcmp(ladders[ladder][i], name) != 0)
        i++;
    return i < DG_ARRAY_SIZE(ladders[0]) && ladders[ladder][i] ? i : SIZE_MAX;
}

static enum pol_retype
between_numbers(const struct shape *from, const struct shape *to)
{
    enum pol_retype answer = POL_RETYPE_NARROWER;

    for (size_t i = 0; i < DG_ARRAY_SIZE(ladders); i++) {
        size_t a = rung(i, from->name), b = rung(i, to->name);
        if (a != SIZE_MAX && b != SIZE_MAX && a < b && to->first < 0)
            answer = POL_RETYPE_REWRITE;
    }
    return answer;
}

static enum pol_retype
between(const struct shape *from, const struct shape *to)
{
    const char *a = from->name, *b = to->name;
    bool to_number = IS_ONE_OF(
        b, "int2", "int4", "int8", "numeric", "float4", "float8");

    if (strcmp(a, "varchar") == 0 && strcmp(b, "text") == 0)
        return POL_RETYPE_FREE;
    if (strcmp(a, "text") == 0 && strcmp(b, "varchar") == 0)
        return to->first < 0 ? POL_RETYPE_FREE : POL_RETYPE_NARROWER;
    if (strcmp(a, "cidr") == 0 && strcmp(b, "inet") == 0)
        return POL_RETYPE_FREE;
    if (IS_ONE_OF(a, "text", "varchar") && strcmp(b, "bpchar") == 0)
        return POL_RETYPE_NARROWER;
    if (IS_ONE_OF(a, "int2", "int4", "int8", "numeric", "float4", "float8")
        && to_number)
        return between_numbers(from, to);
    if (strcmp(a, "date") == 0 && IS_ONE_OF(b, "timestamp", "timestamptz"))
        return POL_RETYPE_REWRITE;
    if (IS_ONE_OF(a, "timestamp", "timestamptz")
        && IS_ONE_OF(b, "date", "time", "timetz"))
        return POL_RETYPE_NARROWER;
    return POL_RETYPE_OTHER;
}

enum pol_retype
pol_retype(const struct pol_live_column *from, const struct sql_column *to)
{
    bool is_domain = strcmp(from->type, from->base) != 0;
    struct shape a = shape_of_live(from, from->type), b = shape_of_written(to);
    enum pol_retype answer;

    if (a.is_array != b.is_array)
        return POL_RETYPE_OTHER;
    if (is_domain && strcmp(from->base, b.name) == 0 && b.first < 0)
        return POL_RETYPE_FREE;
    answer = strcmp(a.name, b.name) == 0 ? within(&a, &b) : between(&a, &b);
    if (a.is_array && answer == POL_RETYPE_FREE && strcmp(a.name, b.name) != 0)
        answer = POL_RETYPE_OTHER;
    /* an expression may do anything to the values */
    return to->has_using && answer == POL_RETYPE_FREE ? POL_RETYPE_OTHER : answer;
}

bool
pol_retype_is_same(
    const struct pol_live_column *there, const struct sql_column *written)
{
    struct shape a = shape_of_live(there, there->type), b = shape_of_written(written);

    if (strcmp(a.name, b.name) != 0 || a.is_array != b.is_array)
        return false;
    return a.has_odd_mods || b.has_odd_mods
        || (a.first == b.first && a.second == b.second);
}
