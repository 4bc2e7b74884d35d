// SPDX-License-Identifier: ISC
/* ddlgate.ini as one typed, immutable object; a reload makes a new one. Settings stand in
 * include/ddlgate/tbl/settings.h (name, type, limits, default, prose), which also makes the
 * sample file's test possible. Every error has file:line.  thread: any once loaded */
#ifndef DG_CONFIG_CONFIG_H
#define DG_CONFIG_CONFIG_H

#include "base/cell.h"
#include "base/err.h"

struct arena;
struct map;

struct cfg_database {
    const char *name;     /* "*" is the fallback */
    const char *conninfo; /* the libpq part: host, port, dbname, connect_timeout */
    const char *policy;   /* resolved path; NULL: the general one */
    const char *file;
    int line;
};

struct cfg_migrations {
    const char *name;
    const char *databases;     /* comma list of globs; the section's name if not set */
    const char *format;        /* as written: history knows the formats */
    const char *path;          /* resolved */
    const char *path_shown;    /* as written, for messages to clients */
    const char *history_table; /* as written: "public.x" or "x"; NULL: the format's */
    const char *search_path, *baseline; /* NULL: not set */
    const char *repeat;                 /* "none", "create" (default) or "all" */
    const char **placeholders;          /* name, value, ...; owned */
    size_t n_placeholders;              /* pairs */
    const char *file;
    int line;
};

struct cfg {
    struct ref ref;
    const char *path;
#define CFG_STRING(name, def, prose)         const char *name;
#define CFG_PATH(name, def, prose)           const char *name;
#define CFG_BOOL(name, def, prose)           bool name;
#define CFG_INT(name, min, max, def, prose)  int64_t name;
#define CFG_SIZE(name, min, max, def, prose) uint64_t name;
#define CFG_TIME(name, min, max, def, prose) int64_t name##_ms;
#include "ddlgate/tbl/settings.h"
    struct cfg_database *databases; /* owned */
    size_t n_databases;
    struct map
        *databases_by_name; /* owned; its values are indexes into databases, from 1 */
    struct cfg_migrations *migrations; /* owned */
    size_t n_migrations;
    struct arena *arena; /* owned; all strings */
};

/* settle: two readings 100 ms apart must agree (at reload). *out has one reference; drop
 * it with ref_drop. 0, -EINVAL (err says file:line and what to write) or -errno. */
int
cfg_load(const char *path, bool settle, struct cfg **out, struct err *err) MUST_CHECK;
/* The entry for a client's database name: exact, else "*", else NULL. */
const struct cfg_database *cfg_find_database(const struct cfg *c, const char *name);
/* Does one of the globs in the section's `databases` match? */
bool cfg_migrations_cover(const struct cfg_migrations *m, const char *database);
/* Which [migrations] section a database has; NULL: none. First match in file order. */
const struct cfg_migrations *
cfg_find_migrations(const struct cfg *c, const char *database);

#endif
