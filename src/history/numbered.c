// SPDX-License-Identifier: ISC
/* Folders of NNN_name.sql, run by psql or a few lines of shell: one table
 * schema_migrations(version, name, applied_at) whose row is written by the file itself or by
 * the runner, in the transaction of the changes. Every runner spells version and name its
 * own way; that is all this file is about. */
#include "history/source.h"

#include <string.h>

static size_t
n_digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* Runners store 13, 013, 013_add_x or 013_add_x.sql as version. */
static const struct hist_migration *
find(const struct hist_set *set, const char *key, const char **name, char *room)
{
    struct str v = str_trim(str_of(key));
    size_t n = 0;

    room[0] = 0;
    while (n < v.n && v.p[n] >= '0' && v.p[n] <= '9')
        n++;
    if (n == 0 || (n < v.n && v.p[n] != '_' && v.p[n] != '.'))
        return NULL;
    memcpy(room, v.p, v.n);
    room[v.n] = 0;
    *name = n < v.n && strcmp(room + n, ".sql") != 0 ? room + n + 1 : NULL;
    room[n] = 0;
    return hist_by_version(set, room);
}

/* Is this how a runner would call the file? add_x, 013_add_x, 013_add_x.sql, "Add x". */
static bool
is_name_of(const struct hist_migration *m, const char *name)
{
    char plain[256];
    size_t n = strlen(name);

    if (n >= sizeof(plain))
        return false;
    memcpy(plain, name, n + 1);
    if (n > 4 && str_suffix(plain, ".sql"))
        plain[n - 4] = 0;
    n = strlen(plain);
    if (n > 3 && str_suffix(plain, ".up"))
        plain[n - 3] = 0;
    if (hist_name_eq(plain, m->name))
        return true;
    size_t digits = n_digits(plain);
    if (digits == 0 || plain[digits] == 0)
        return false;
    char sep = plain[digits];
    plain[digits] = 0;
    return hist_version_cmp(plain, m->version) == 0 && strchr("_- .", sep)
        && hist_name_eq(plain + digits + 1, m->name);
}

const struct hist_ops hist_numbered_ops = {
    .find = find,
    .is_name = is_name_of,
};
