// SPDX-License-Identifier: ISC
/* ddlgate.ini: sections and keys to struct cfg. Strict: what is unknown, doubled or missing
 * is an error that names the place and what to write. */
#include "config/config.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "base/ini.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/conninfo.h"
#include "config/near.h"
#include "config/settings.h"

#define MAX_NAME 63 /* bytes; PostgreSQL cuts longer names */
#define MAX_GLOB 128

enum section {
    SECTION_NONE,
    SECTION_DDLGATE,
    SECTION_DATABASES,
    SECTION_MIGRATIONS,
};

static const char *const section_names[] = { "ddlgate", "databases", "migrations" };

struct place {
    const char *file; /* NULL: not there yet; in the arena */
    int line;
};

enum migration_key {
    MIG_KEY_DATABASES,
    MIG_KEY_FORMAT,
    MIG_KEY_PATH,
    MIG_KEY_HISTORY_TABLE,
    MIG_KEY_SEARCH_PATH,
    MIG_KEY_BASELINE,
    MIG_KEY_REPEAT,
    N_MIG_KEYS,
};

static const char *const migration_keys[] = { "databases", "format", "path",
    "history_table", "search_path", "baseline", "repeat", "placeholder.NAME" };

#define PLACEHOLDER "placeholder."

struct loader {
    struct cfg *cfg;
    struct err *err;
    enum section section;
    struct place seen_section[SECTION_MIGRATIONS];
    struct place seen_setting[CFG_N_SETTINGS];
    struct place seen_key[N_MIG_KEYS]; /* of the current migrations section */
    size_t cap_databases, cap_migrations, cap_placeholders;
};

#define FAULT(l, item, fmt, ...) \
    err_set((l)->err, -EINVAL, "%s:%d: " fmt, (item)->file, (item)->line, __VA_ARGS__)

/* Marks a place as taken; if it was already, says where. */
static int
take_place(struct loader *l, struct place *p, const struct ini_item *item,
    const char *what, const char *name)
{
    if (p->file)
        return FAULT(l, item, "%s%s is given a second time; the first is at %s:%d",
            what, name, p->file, p->line);
    *p = (struct place){ arena_strdup(l->cfg->arena, item->file), item->line };
    return 0;
}

static int
unknown(struct loader *l, const struct ini_item *item, const char *what,
    struct str word, const char *const *names, size_t n)
{
    int shown = (int)(word.n < 64 ? word.n : 64);
    const char *near = cfg_near(word, names, n);
    if (near)
        return FAULT(l, item, "unknown %s `%.*s`; did you mean `%s`?", what, shown,
            word.p, near);
    return FAULT(l, item, "unknown %s `%.*s`%s", what, shown, word.p,
        n == DG_ARRAY_SIZE(section_names)
            ? "; there are [ddlgate], [databases] and [migrations NAME]"
            : "; the sample ddlgate.ini lists all keys");
}

/* A comma list without empty or over-long items. */
static bool
is_list(const char *value)
{
    struct str rest = str_of(value), item;
    size_t n = 0;
    while (str_next_item(&rest, &item)) {
        if (!item.n || item.n > MAX_GLOB)
            return false;
        n++;
    }
    return n > 0;
}

static int
begin_migrations(struct loader *l, const struct ini_item *item, struct str name)
{
    struct cfg *c = l->cfg;
    if (!name.n)
        return FAULT(l, item, "[%s] needs a name: [migrations shop]", item->section);
    for (size_t i = 0; i < c->n_migrations; i++)
        if (str_eqz(name, c->migrations[i].name))
            return FAULT(l, item,
                "section [migrations %s] is given a second time; the first is at %s:%d",
                c->migrations[i].name, c->migrations[i].file, c->migrations[i].line);

    MEM_GROW(c->migrations, c->n_migrations, l->cap_migrations);
    struct cfg_migrations *m = &c->migrations[c->n_migrations++];
    *m = (struct cfg_migrations){ .name = arena_strndup(c->arena, name.p, name.n),
        .file = arena_strdup(c->arena, item->file),
        .line = item->line };
    l->cap_placeholders = 0;
    memset(l->seen_key, 0, sizeof l->seen_key);
    return 0;
}

/* What a section must hold, seen when it ends. */
static int
end_section(struct loader *l)
{
    if (l->section != SECTION_MIGRATIONS)
        return 0;
    struct cfg_migrations *m = &l->cfg->migrations[l->cfg->n_migrations - 1];
    const char *missing = !m->format ? "format" : !m->path ? "path" : NULL;
    if (missing)
        return FAULT(l, m, "[migrations %s] lacks `%s`; %s", m->name, missing,
            m->format ? "name the folder or lockfile that holds the migrations"
                      : "name the tool, such as `format = flyway`");
    if (!m->databases)
        m->databases = m->name;
    if (!m->repeat)
        m->repeat = "create";
    return 0;
}

static int
begin_section(struct loader *l, const struct ini_item *item)
{
    int ret = end_section(l);
    if (ret)
        return ret;
    l->section = SECTION_NONE;

    struct str all = str_trim(str_of(item->section)), word = { all.p, 0 };
    while (word.n < all.n && all.p[word.n] != ' ' && all.p[word.n] != '\t')
        word.n++;
    struct str name = str_trim((struct str){ all.p + word.n, all.n - word.n });
    if (str_eqz(word, "migrations")) {
        ret = begin_migrations(l, item, name);
        l->section = SECTION_MIGRATIONS;
        return ret;
    }
    enum section section = SECTION_NONE;
    if (str_eqz(all, "ddlgate"))
        section = SECTION_DDLGATE;
    else if (str_eqz(all, "databases"))
        section = SECTION_DATABASES;
    else
        return unknown(
            l, item, "section", all, section_names, DG_ARRAY_SIZE(section_names));
    l->section = section;
    return take_place(l, &l->seen_section[section], item, "section ", item->section);
}

static int
set_setting(struct loader *l, const struct ini_item *item)
{
    int index = cfg_setting_find(item->key);
    if (index < 0)
        return unknown(
            l, item, "key", str_of(item->key), cfg_setting_names, CFG_N_SETTINGS);
    int ret = take_place(l, &l->seen_setting[index], item, "", item->key);
    return ret ? ret : cfg_setting_set(l->cfg, index, item, l->err);
}

/* The map's values are indexes + 1, since the array moves while it grows. */
static void *
index_value(size_t i)
{
    return (void *)(uintptr_t)(i + 1);
}

static int
add_database(struct loader *l, const struct ini_item *item)
{
    struct cfg *c = l->cfg;
    size_t n = strlen(item->key);
    if (n > MAX_NAME)
        return FAULT(
            l, item, "database name `%s` is longer than %d bytes", item->key, MAX_NAME);
    if (strchr(item->key, '*') && strcmp(item->key, "*") != 0)
        return FAULT(l, item,
            "`%s` is no database name; only `*` alone stands for all other names",
            item->key);
    uintptr_t older = (uintptr_t)map_get(c->databases_by_name, str_of(item->key));
    if (older) {
        const struct cfg_database *d = &c->databases[older - 1];
        return FAULT(l, item,
            "database %s is given a second time; the first is at %s:%d", item->key,
            d->file, d->line);
    }

    struct cfg_database d = { .name = arena_strdup(c->arena, item->key),
        .file = arena_strdup(c->arena, item->file),
        .line = item->line };
    const char *policy;
    struct err reason;
    if (cfg_conninfo_split(c->arena, item->value, &d.conninfo, &policy, &reason))
        return FAULT(l, item, "database %s: %s", item->key, reason.text);
    if (policy) {
        AUTO(mem_free) char *path = fs_relative_to(item->file, policy);
        d.policy = arena_strdup(c->arena, path);
    }
    MEM_GROW(c->databases, c->n_databases, l->cap_databases);
    c->databases[c->n_databases] = d;
    map_set(c->databases_by_name, str_of(item->key), index_value(c->n_databases));
    c->n_databases++;
    return 0;
}

static int
add_placeholder(struct loader *l, const struct ini_item *item)
{
    struct arena *a = l->cfg->arena;
    struct cfg_migrations *m = &l->cfg->migrations[l->cfg->n_migrations - 1];
    const char *name = item->key + strlen(PLACEHOLDER);
    if (!*name)
        return FAULT(l, item, "`%s` needs a name: placeholder.schema = app", item->key);
    for (size_t i = 0; i < m->n_placeholders; i++)
        if (!strcmp(m->placeholders[2 * i], name))
            return FAULT(l, item, "%s is given a second time; remove one", item->key);
    MEM_GROW(m->placeholders, 2 * m->n_placeholders + 1, l->cap_placeholders);
    m->placeholders[2 * m->n_placeholders] = arena_strdup(a, name);
    m->placeholders[2 * m->n_placeholders + 1] = arena_strdup(a, item->value);
    m->n_placeholders++;
    return 0;
}

static int
find_migration_key(const char *key)
{
    for (int i = 0; i < N_MIG_KEYS; i++)
        if (!strcmp(migration_keys[i], key))
            return i;
    return -1;
}

static bool
is_repeat(const char *value)
{
    return !strcmp(value, "none") || !strcmp(value, "create") || !strcmp(value, "all");
}

static const char *
resolved(struct loader *l, const struct ini_item *item)
{
    AUTO(mem_free) char *path = fs_relative_to(item->file, item->value);
    return arena_strdup(l->cfg->arena, path);
}

static int
set_migration(struct loader *l, const struct ini_item *item)
{
    if (str_prefix(item->key, PLACEHOLDER))
        return add_placeholder(l, item);
    int key = find_migration_key(item->key);
    if (key < 0)
        return unknown(l, item, "key", str_of(item->key), migration_keys,
            DG_ARRAY_SIZE(migration_keys));
    int ret = take_place(l, &l->seen_key[key], item, "", item->key);
    if (ret)
        return ret;
    if (!*item->value)
        return FAULT(
            l, item, "%s is empty; write a value, or remove the line", item->key);

    struct cfg_migrations *m = &l->cfg->migrations[l->cfg->n_migrations - 1];
    const char *value = arena_strdup(l->cfg->arena, item->value);
    switch ((enum migration_key)key) {
    case MIG_KEY_DATABASES:
        if (!is_list(value))
            return FAULT(l, item,
                "%s: a name is empty or too long; write names or globs, comma separated",
                item->key);
        m->databases = value;
        break;
    case MIG_KEY_FORMAT:
        m->format = value;
        break;
    case MIG_KEY_PATH:
        m->path = resolved(l, item);
        m->path_shown = value;
        break;
    case MIG_KEY_HISTORY_TABLE:
        m->history_table = value;
        break;
    case MIG_KEY_SEARCH_PATH:
        m->search_path = value;
        break;
    case MIG_KEY_BASELINE:
        m->baseline = value;
        break;
    case MIG_KEY_REPEAT:
        if (!is_repeat(value))
            return FAULT(l, item, "repeat = %.60s: write none, create or all", value);
        m->repeat = value;
        break;
    case N_MIG_KEYS:
        break;
    }
    return 0;
}

static int
on_item(void *ctx, const struct ini_item *item)
{
    struct loader *l = ctx;
    if (!item->key)
        return begin_section(l, item);
    switch (l->section) {
    case SECTION_DDLGATE:
        return set_setting(l, item);
    case SECTION_DATABASES:
        return add_database(l, item);
    case SECTION_MIGRATIONS:
        return set_migration(l, item);
    case SECTION_NONE:
        break;
    }
    return FAULT(l, item, "key `%s` stands in no section", item->key);
}

static int
check_required(const struct cfg *c, struct err *err)
{
    if (!c->policy)
        return err_set(err, -EINVAL,
            "%s: `policy` is not set; name a policy file in [ddlgate]", c->path);
    if (!c->audit_file)
        return err_set(err, -EINVAL,
            "%s: `audit_file` is not set; name the file for the audit log in [ddlgate]",
            c->path);
    return 0;
}

static void
cfg_free(struct ref *ref)
{
    struct cfg *c = (struct cfg *)(void *)ref;
    for (size_t i = 0; i < c->n_migrations; i++)
        mem_free(c->migrations[i].placeholders);
    mem_free(c->migrations);
    mem_free(c->databases);
    map_free(c->databases_by_name);
    arena_free(c->arena);
    mem_free(c);
}

static inline void
cfg_drop_p(struct cfg **c)
{
    ref_drop(*c);
}

int
cfg_load(const char *path, bool settle, struct cfg **out, struct err *err)
{
    AUTO(cfg_drop) struct cfg *c = mem_zalloc(sizeof *c);
    ref_init(&c->ref, cfg_free);
    c->arena = arena_new();
    c->path = arena_strdup(c->arena, path);
    c->databases_by_name = map_new(NULL);
    cfg_set_defaults(c);

    struct loader l = { .cfg = c, .err = err };
    int ret = ini_read(path, settle, on_item, &l, err);
    if (!ret)
        ret = end_section(&l);
    if (!ret)
        ret = check_required(c, err);
    if (ret)
        return ret;
    *out = c;
    c = NULL;
    return 0;
}

const struct cfg_database *
cfg_find_database(const struct cfg *c, const char *name)
{
    uintptr_t i = (uintptr_t)map_get(c->databases_by_name, str_of(name));
    if (!i)
        i = (uintptr_t)map_get(c->databases_by_name, STR("*"));
    return i ? &c->databases[i - 1] : NULL;
}

bool
cfg_migrations_cover(const struct cfg_migrations *m, const char *database)
{
    struct str rest = str_of(m->databases), item;
    while (str_next_item(&rest, &item)) {
        char glob[MAX_GLOB + 1];
        DG_ASSERT(item.n <= MAX_GLOB, "checked when the file was read");
        memcpy(glob, item.p, item.n);
        glob[item.n] = '\0';
        if (str_glob(glob, database))
            return true;
    }
    return false;
}

const struct cfg_migrations *
cfg_find_migrations(const struct cfg *c, const char *database)
{
    for (size_t i = 0; i < c->n_migrations; i++)
        if (cfg_migrations_cover(&c->migrations[i], database))
            return &c->migrations[i];
    return NULL;
}
