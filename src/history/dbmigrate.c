// SPDX-License-Identifier: ISC
/* db-migrate: the table holds names with a slash before them; a rollback deletes the name
 * without it first, which is no row, and then the row. */
#include "history/source.h"

#include <stdio.h>
#include <string.h>

static const struct hist_migration *
find(const struct hist_set *set, const char *key, const char **name, char *room)
{
    *name = NULL;
    snprintf(room, HIST_VALUE_SIZE, "/%s", key[0] == '/' ? key + 1 : key);
    return hist_by_version(set, room);
}

const struct hist_ops hist_db_migrate_ops = { .find = find };
