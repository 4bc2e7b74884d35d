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
    SECTION_PEERS,
    SECTION_USERS,
    SECTION_MIGRATIONS,
};

static const char *const section_names[] = { "ddlgate", "databases", "peers", "users",
    "migrations" };

struct place {
    const char *file; /* NULL: not there yet; in the arena */
    int line;
};

enum migration_key {
    MIG_KEY_DATABASES,
    MIG_KEY_FORMAT,
    MIG_KEY_PATH,
    MIG_KEY_HISTORY_TABLE,
    MIG_KEY_HISTORY_OWNER,
    MIG_KEY_UNRELATED_SCHEMAS,
    MIG_KEY_SEARCH_PATH,
    MIG_KEY_BASELINE,
    MIG_KEY_REPEAT,
    MIG_KEY_ATTESTATION,
    N_MIG_KEYS,
};

static const char *const migration_keys[] = { "databases", "format", "path",
    "history_table", "history_owner", "unrelated_schemas", "search_path", "baseline",
    "repeat", "attestation", "placeholder.NAME" };

#define PLACEHOLDER "placeholder."

struct loader {
    struct cfg *cfg;
    struct err *err;
    enum section section;
    struct place seen_section[SECTION_MIGRATIONS];
    struct place seen_setting[CFG_N_SETTINGS];
    struct place seen_key[N_MIG_KEYS]; /* of the current migrations section */
    size_t cap_databases, cap_peers, cap_users, cap_migrations, cap_placeholders;
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
            ? "; there are [ddlgate], [databases], [peers], [users] and [migrations NAME]"
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

/* Next to the folder or lockfile, not in it: tools look at every file there. */
static const char *
beside(struct arena *a, const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return arena_printf(a, "%.*s.attest", (int)n, path);
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
    if (!m->attestation)
        m->attestation = beside(l->cfg->arena, m->path);
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
    else if (str_eqz(all, "peers"))
        section = SECTION_PEERS;
    else if (str_eqz(all, "users"))
        section = SECTION_USERS;
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

    struct cfg_database d;
    struct err reason;
    if (cfg_database_read(c, item, false, &d, &reason))
        return FAULT(l, item, "database %s: %s", item->key, reason.text);
    MEM_GROW(c->databases, c->n_databases, l->cap_databases);
    c->databases[c->n_databases] = d;
    map_set(c->databases_by_name, str_of(item->key), index_value(c->n_databases));
    c->n_databases++;
    return 0;
}

static int
add_peer(struct loader *l, const struct ini_item *item)
{
    struct cfg *c = l->cfg;
    struct cfg_database d;
    struct err reason;
    for (size_t i = 0; i < c->n_peers; i++)
        if (!strcmp(c->peers[i].name, item->key))
            return FAULT(l, item,
                "peer %s is given a second time; the first is at %s:%d", item->key,
                c->peers[i].file, c->peers[i].line);
    if (cfg_database_read(c, item, true, &d, &reason))
        return FAULT(l, item, "peer %s: %s", item->key, reason.text);
    MEM_GROW(c->peers, c->n_peers, l->cap_peers);
    c->peers[c->n_peers++] = d;
    return 0;
}

struct user_reader {
    int64_t max_connections;
};

static int
on_user_pair(void *ctx, struct str keyword, const char *value, struct err *err)
{
    struct user_reader *r = ctx;
    if (!str_eqz(keyword, "max_user_connections"))
        return err_set(err, -EINVAL,
            "unknown keyword `%.*s`; there is max_user_connections=NUMBER",
            (int)(keyword.n < 64 ? keyword.n : 64), keyword.p);
    if (str_int64(str_of(value), 0, 1000000, &r->max_connections) != 0)
        return err_set(
            err, -EINVAL, "`max_user_connections`: write a number from 0 to 1000000");
    return 0;
}

static int
add_user(struct loader *l, const struct ini_item *item)
{
    struct cfg *c = l->cfg;
    struct user_reader r = { .max_connections = -1 };
    struct err reason;
    for (size_t i = 0; i < c->n_users; i++)
        if (!strcmp(c->users[i].name, item->key))
            return FAULT(
                l, item, "user %s is given a second time; remove one", item->key);
    if (cfg_conninfo_pairs(item->value, on_user_pair, &r, &reason))
        return FAULT(l, item, "user %s: %s", item->key, reason.text);
    if (r.max_connections < 0)
        return FAULT(l, item, "user %s: write max_user_connections=NUMBER", item->key);
    MEM_GROW(c->users, c->n_users, l->cap_users);
    c->users[c->n_users++] = (struct cfg_user){
        .name = arena_strdup(c->arena, item->key), .max_connections = r.max_connections
    };
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
    case MIG_KEY_HISTORY_OWNER:
    case MIG_KEY_UNRELATED_SCHEMAS:
        if (!is_list(value))
            return FAULT(l, item,
                "%s: a name is empty or too long; write names or globs, comma separated",
                item->key);
        if (key == MIG_KEY_HISTORY_OWNER)
            m->history_owner = value;
        else
            m->unrelated_schemas = value;
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
    case MIG_KEY_ATTESTATION:
        m->attestation = resolved(l, item);
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
    case SECTION_PEERS:
        return add_peer(l, item);
    case SECTION_USERS:
        return add_user(l, item);
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

/* A setting that makes no sense without another one: said at load, not at the first login. */
static int
lacks(const struct cfg *c, const char *setting, const char *needs, struct err *err)
{
    return err_set(err, -EINVAL, "%s: %s needs %s", c->path, setting, needs);
}

static int
check_access(const struct cfg *c, struct err *err)
{
    bool has_tls = c->client_tls_sslmode != CFG_SSL_DISABLE;
    if (has_tls && (!c->client_tls_key_file || !c->client_tls_cert_file))
        return lacks(c, "client_tls_sslmode",
            "client_tls_key_file and client_tls_cert_file", err);
    if (c->client_tls_sslmode >= CFG_SSL_VERIFY_CA && !c->client_tls_ca_file)
        return lacks(c, "client_tls_sslmode = verify-ca or verify-full",
            "client_tls_ca_file, which vouches for clients", err);
    if (!c->server_tls_key_file != !c->server_tls_cert_file)
        return lacks(
            c, "server_tls_key_file", "server_tls_cert_file, and the other way", err);
    if (c->auth_type == CFG_AUTH_HBA && !c->auth_hba_file)
        return lacks(c, "auth_type = hba", "auth_hba_file", err);
    if (c->auth_type == CFG_AUTH_CERT && c->client_tls_sslmode < CFG_SSL_VERIFY_CA)
        return lacks(c, "auth_type = cert",
            "client_tls_sslmode = verify-ca or verify-full", err);
    if ((c->auth_type == CFG_AUTH_SCRAM || c->auth_type == CFG_AUTH_MD5)
        && !c->auth_file && !c->auth_query)
        return lacks(c, "this auth_type",
            "auth_file or auth_query, with the users' secrets", err);
    if (c->auth_query && !c->control)
        return lacks(c, "auth_query", "`control`, the login that runs it", err);
    if (c->auth_query && !strstr(c->auth_query, "$1"))
        return lacks(c, "auth_query", "$1 where the user's name belongs", err);
    return 0;
}

/* Whoever named a database of his own so must know that clients would not reach it. */
static int
check_admin(const struct cfg *c, struct err *err)
{
    for (size_t i = 0; i < c->n_databases; i++) {
        const struct cfg_database *d = &c->databases[i];
        if (cfg_is_admin_database(c, d->name))
            return err_set(err, -EINVAL,
                "%s:%d: database %s: the gate's own virtual database has this name; set "
                "admin_database to another one, or to nothing",
                d->file, d->line, d->name);
    }
    return 0;
}

static int
finish_databases(struct cfg *c, struct cfg_database *list, size_t n, const char *what,
    struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct cfg_database *d = &list[i];
        struct err reason;
        if (cfg_database_finish(c, d, &reason))
            return err_set(err, -EINVAL, "%s:%d: %s %s: %s", d->file, d->line, what,
                d->name, reason.text);
    }
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
    mem_free(c->peers);
    mem_free(c->users);
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
    if (!ret)
        ret = check_access(c, err);
    if (!ret)
        ret = check_admin(c, err);
    if (!ret)
        ret = finish_databases(c, c->databases, c->n_databases, "database", err);
    if (!ret)
        ret = finish_databases(c, c->peers, c->n_peers, "peer", err);
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

bool
cfg_is_admin_database(const struct cfg *c, const char *name)
{
    return c->admin_database && strcmp(c->admin_database, name) == 0;
}

bool
cfg_is_admin_user(const struct cfg *c, const char *user)
{
    struct str rest = str_of(c->admin_users), item;
    while (str_next_item(&rest, &item)) {
        if (str_eqz(item, user))
            return true;
    }
    return false;
}

int64_t
cfg_user_limit(const struct cfg *c, const char *user)
{
    for (size_t i = 0; i < c->n_users; i++)
        if (!strcmp(c->users[i].name, user))
            return c->users[i].max_connections;
    return c->max_user_connections;
}

struct cfg_tls
cfg_client_tls(const struct cfg *c)
{
    return (struct cfg_tls){
        .mode = (enum cfg_sslmode)c->client_tls_sslmode,
        .key_file = c->client_tls_key_file,
        .cert_file = c->client_tls_cert_file,
        .ca_file = c->client_tls_ca_file,
        .crl_file = c->client_tls_crl_file,
        .ciphers = c->client_tls_ciphers,
        .protocols = c->client_tls_protocols,
    };
}
