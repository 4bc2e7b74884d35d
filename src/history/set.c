// SPDX-License-Identifier: ISC
/* A set of migrations: its configuration, which files it has, their order, and what the
 * next one should be called. */
#include "history/source.h"

#include "base/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_lockfile(const char *format)
{
    return strcmp(format, "lockfile") == 0;
}

bool
hist_format_exists(const char *name)
{
    return is_lockfile(name) || hist_tool_find(name);
}

const char *
hist_table_name(const struct hist_set *set)
{
    return set->conf.history_table;
}

void
hist_table_text(const struct hist_set *set, struct buf *out)
{
    buf_putf(out, "%s.%s", set->conf.history_schema, set->conf.history_table);
}

bool
hist_is_table(const struct hist_set *set, const char *schema, const char *table)
{
    return table && strcmp(table, set->conf.history_table) == 0
        && (!schema || strcmp(schema, set->conf.history_schema) == 0);
}

bool
hist_in_list(const char *list, const char *name)
{
    struct str rest = str_of(list), item;
    char glob[128];

    while (str_next_item(&rest, &item)) {
        if (item.n >= sizeof(glob))
            continue;
        memcpy(glob, item.p, item.n);
        glob[item.n] = 0;
        if (str_glob(glob, name))
            return true;
    }
    return false;
}

bool
hist_is_same_tx(const struct hist_set *set)
{
    return set->tool->row == HIST_ROW_SAME_TX
        && !((set->tool->flags & HIST_T_BATCH) && set->has_no_tx);
}

bool
hist_down_is_same_tx(const struct hist_set *set, const struct hist_migration *down)
{
    return hist_is_same_tx(set) && !down->is_no_tx
        && !(set->tool->flags & HIST_T_DOWN_AFTER);
}

bool
hist_row_comes_first(const struct hist_set *set)
{
    return set->tool->row == HIST_ROW_BEFORE;
}

/* --- the set's own copy of its configuration ------------------------------------------- */

/* Also called when a lockfile says whose history it is. */
void
hist_set_tool(
    struct hist_set *set, const struct hist_tool *tool, const struct hist_conf *from)
{
    static const struct hist_ops shared;
    const char *table = from->history_table ? from->history_table : tool->table;
    const char *dot = strchr(table, '.');
    const char *schema = from->history_schema;

    set->tool = tool;
    if (!set->is_lockfile)
        set->ops = tool->ops ? tool->ops : &shared;

    if (dot) {
        if (!schema)
            schema = arena_strndup(set->arena, table, (size_t)(dot - table));
        table = dot + 1;
    }
    set->conf.history_schema = arena_strdup(set->arena, schema ? schema : "public");
    set->conf.history_table = arena_strdup(set->arena, table);
}

static void
copy_conf(struct hist_set *set, const struct hist_conf *from)
{
    struct hist_conf *to = &set->conf;
    struct arena *a = set->arena;

    *to = *from;
    to->name = arena_strdup(a, from->name);
    to->format = arena_strdup(a, from->format);
    size_t n = strlen(from->path);
    while (n > 1 && from->path[n - 1] == '/')
        n--;
    to->path = arena_strndup(a, from->path, n);
    to->shown = to->path;
    if (from->shown && *from->shown) {
        for (n = strlen(from->shown); n > 1 && from->shown[n - 1] == '/';)
            n--;
        to->shown = arena_strndup(a, from->shown, n);
    }
    to->history_owner = arena_strdup(a, from->history_owner);
    to->unrelated_schemas = arena_strdup(a, from->unrelated_schemas);
    to->search_path = arena_strdup(a, from->search_path);
    to->baseline = arena_strdup(a, from->baseline);
    to->file = arena_strdup(a, from->file);
    const char **list = arena_alloc(a, (from->n_placeholders * 2 + 1) * sizeof(*list));
    for (size_t i = 0; i < from->n_placeholders * 2; i++)
        list[i] = arena_strdup(a, from->placeholders[i]);
    to->placeholders = list;
}

static int
check_conf(const struct hist_conf *c, struct err *err)
{
    const char *file = c->file ? c->file : "migrations";

    if (!c->format || !hist_format_exists(c->format)) {
        AUTO(arena_free) struct arena *a = arena_new();
        return err_set(err, -EINVAL,
            "%s:%d: [migrations %s]: format \"%s\" is not known; known are %s", file,
            c->line, c->name, c->format ? c->format : "", hist_tool_names(a));
    }
    const struct hist_tool *tool = hist_tool_find(c->format);
    if (tool && (tool->flags & HIST_T_NO_FILES))
        return err_set(err, -EINVAL,
            "%s:%d: [migrations %s]: %s has no SQL files, its statements come into being "
            "when it runs; record them into a lockfile and set format = lockfile",
            file, c->line, c->name, tool->title);
    if (!c->path || !*c->path)
        return err_set(err, -EINVAL, "%s:%d: [migrations %s]: path is missing", file,
            c->line, c->name);
    if (c->baseline && tool && !(tool->flags & HIST_T_TEXT)
        && !hist_version_is_valid(c->baseline))
        return err_set(err, -EINVAL,
            "%s:%d: [migrations %s]: baseline \"%s\" is not a version such as 12 or 1.4",
            file, c->line, c->name, c->baseline);
    if (c->history_table && !*c->history_table)
        return err_set(err, -EINVAL, "%s:%d: [migrations %s]: history_table is empty",
            file, c->line, c->name);
    return 0;
}

/* --- which files there are ------------------------------------------------------------- */

struct hist_migration *
hist_set_add(struct hist_set *set, const char *relpath)
{
    MEM_GROW(set->migrations, set->n_all, set->cap);
    struct hist_migration *m = &set->migrations[set->n_all++];
    *m = (struct hist_migration){
        .arena = set->arena, .pair = HIST_NONE, .index = set->n_all - 1
    };
    m->file = arena_strdup(m->arena, relpath);
    m->path = arena_printf(m->arena, "%s/%s", set->conf.path, relpath);
    m->shown = arena_printf(m->arena, "%s/%s", set->conf.shown, relpath);
    return m;
}

struct walk {
    struct hist_set *set;
    struct err *err;
};

static int
add_file(void *ctx, const char *relpath)
{
    struct walk *w = ctx;
    struct hist_set *set = w->set;
    struct err why = { "" };
    struct hist_migration *m = hist_set_add(set, relpath);
    int r = set->ops->parse_name ? set->ops->parse_name(set, relpath, m, &why)
                                 : hist_parse_name(set, relpath, m, &why);

    if (r == HIST_NAME_BAD)
        return err_set(w->err, -EINVAL, "%s: %s", m->path, why.text);
    if (r == HIST_NAME_NO) {
        set->n_all--;
        return 0;
    }
    if (set->n_all > HIST_MAX_FILES)
        return err_set(w->err, -EFBIG, "%s: more than %d migration files",
            set->conf.path, HIST_MAX_FILES);
    if (!set->tool->down_mark || m->is_down)
        return 0;
    /* The other half of the same file. */
    const char *version = m->version, *name = m->name;
    struct hist_migration *down = hist_set_add(set, relpath);
    down->version = arena_strdup(down->arena, version);
    down->name = arena_strdup(down->arena, name);
    down->is_down = true;
    return 0;
}

int
hist_list(struct hist_set *set, struct err *err)
{
    struct walk w = { .set = set, .err = err };
    int r = hist_check_folder(&set->conf, set->conf.path, err);

    return r ? r : fs_walk(set->conf.path, add_file, &w, err);
}

/* --- the set --------------------------------------------------------------------------- */

void
hist_set_free(struct ref *ref)
{
    struct hist_set *set = (struct hist_set *)(void *)ref;

    for (size_t i = 0; i < set->n_all; i++)
        sql_tree_free(set->migrations[i].tree);
    for (size_t i = 0; i < DG_ARRAY_SIZE(set->arenas); i++)
        arena_free(set->arenas[i]);
    hist_index_free(set->index);
    mem_free(set->migrations);
    arena_free(set->arena);
    mem_free(set);
}

static void
set_drop(struct hist_set *set)
{
    ref_drop(set);
}
CLEANUP_DEFINE(struct hist_set *, set_drop)

/* Numbers in front count as such, then the text. */
static int
compare_texts(const char *a, const char *b)
{
    size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");

    if (n > 0 && m > 0) {
        int c = hist_version_cmp(a, b);
        if (c)
            return c;
    } else if (n != m) {
        return n > 0 ? -1 : 1;
    }
    return strcmp(a, b);
}

static int
by_application(const void *a, const void *b, void *ctx)
{
    const struct hist_set *set = ctx;
    const struct hist_migration *x = a, *y = b;
    int c = 0;

    if (x->is_down != y->is_down)
        return x->is_down ? 1 : -1;
    if (set->is_lockfile || (set->tool->flags & HIST_T_LISTED))
        return x->index < y->index ? -1 : 1;
    if (set->ops->compare)
        c = set->ops->compare(x, y);
    else if (set->tool->flags & HIST_T_TEXT)
        c = set->tool->flags & HIST_T_LEXICAL ? strcmp(x->version, y->version)
                                              : compare_texts(x->version, y->version);
    else if (!(set->tool->flags & HIST_T_LEXICAL))
        c = hist_version_cmp(x->version, y->version);
    return c ? c : strcmp(x->file, y->file);
}

static void
sort_migrations(struct hist_set *set)
{
    set->n = set->n_all;
    if (set->n_all > 0)
        qsort_r(
            set->migrations, set->n_all, sizeof(*set->migrations), by_application, set);
    while (set->n > 0 && set->migrations[set->n - 1].is_down)
        set->n--;
    for (size_t i = 0; i < set->n_all; i++)
        set->migrations[i].index = i;
}

static void
add_text(struct hash_sha256 *h, const char *s, size_t n)
{
    uint64_t len = s ? n : UINT64_MAX;

    hash_sha256_add(h, &len, sizeof(len));
    if (s)
        hash_sha256_add(h, s, n);
}

static void
add_textz(struct hash_sha256 *h, const char *s)
{
    add_text(h, s, s ? strlen(s) : 0);
}

static void
digest_set(struct hist_set *set)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    const struct hist_conf *c = &set->conf;

    add_textz(h, c->format);
    add_textz(h, c->history_schema);
    add_textz(h, c->history_table);
    add_textz(h, c->history_owner);
    add_textz(h, c->unrelated_schemas);
    add_textz(h, c->search_path);
    add_textz(h, c->baseline);
    add_text(h, (const char *)&c->repeat, sizeof(c->repeat));
    for (size_t i = 0; i < set->n_all; i++) {
        add_textz(h, set->migrations[i].file);
        add_textz(h, set->migrations[i].version);
        add_textz(h, set->migrations[i].checksum);
        add_text(h, set->migrations[i].text, set->migrations[i].len);
    }
    hash_sha256_end(h, set->digest);
}

/* The last version that counts as applied must be one, unless it is a number. */
static int
check_baseline(const struct hist_set *set, struct err *err)
{
    const struct hist_conf *c = &set->conf;

    if (!c->baseline || !(set->tool->flags & HIST_T_TEXT)
        || hist_by_version(set, c->baseline))
        return 0;
    return err_set(err, -EINVAL,
        "%s:%d: [migrations %s]: baseline \"%s\" is no migration in %s", c->file,
        c->line, c->name, c->baseline, c->path);
}

/* What counts as applied in a database without any row. */
static void
mark_baseline(struct hist_set *set)
{
    if (!set->conf.baseline)
        return;
    struct hist_view *v = hist_view_new(set, NULL, 0);
    for (size_t i = 0; i < set->n; i++)
        set->migrations[i].is_in_baseline = hist_view_state(v, i) == DG_MIG_APPLIED;
    ref_drop(v);
}

int
hist_set_load(const struct hist_conf *conf, struct hist_set **out, struct err *err)
{
    int r = check_conf(conf, err);

    if (r)
        return r;
    AUTO(set_drop) struct hist_set *set = mem_zalloc(sizeof(*set));
    ref_init(&set->ref, hist_set_free);
    set->arena = arena_new();
    copy_conf(set, conf);
    set->is_lockfile = is_lockfile(conf->format);
    if (set->is_lockfile)
        set->ops = &hist_lockfile_ops;
    else
        hist_set_tool(set, hist_tool_find(conf->format), conf);
    r = set->ops->list ? set->ops->list(set, err) : hist_list(set, err);
    if (!r)
        r = hist_load_files(set, err);
    if (r)
        return r;
    sort_migrations(set);
    if (set->ops->finish)
        r = set->ops->finish(set, err);
    if (!r)
        r = hist_index_build(set, err);
    if (!r)
        r = check_baseline(set, err);
    if (r)
        return r;
    mark_baseline(set);
    digest_set(set);
    *out = set;
    set = NULL;
    return 0;
}

/* --- noticing changes ------------------------------------------------------------------ */

struct stamp {
    const char *path;
    struct hash_sha256 *hash;
    struct err *err;
};

static int
stamp_file(void *ctx, const char *relpath)
{
    struct stamp *s = ctx;
    AUTO(mem_free)
    char *path = mem_printf("%s%s%s", s->path, *relpath ? "/" : "", relpath);
    struct stat st;

    if (stat(path, &st) < 0)
        return err_errno(s->err, -errno, "%s", path);
    int64_t facts[] = { (int64_t)st.st_ino, (int64_t)st.st_size, st.st_mtim.tv_sec,
        st.st_mtim.tv_nsec, st.st_ctim.tv_sec, st.st_ctim.tv_nsec };
    add_textz(s->hash, relpath);
    hash_sha256_add(s->hash, facts, sizeof(facts));
    return 0;
}

int
hist_set_stamp(
    const struct hist_conf *conf, uint8_t out[HASH_SHA256_SIZE], struct err *err)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    struct stamp s = { .path = conf->path, .hash = h, .err = err };
    int r = check_conf(conf, err);

    if (!r && is_lockfile(conf->format))
        r = stamp_file(&s, "");
    else if (!r)
        r = fs_walk(conf->path, stamp_file, &s, err);
    if (!r)
        hash_sha256_end(h, out);
    return r;
}

/* --- the next file --------------------------------------------------------------------- */

static void
slug_add(char *out, size_t size, const char *word)
{
    size_t n = strlen(out);
    bool gap = n > 0;

    for (; word && *word && n + 2 < size; word++) {
        char c = ascii_lower(*word);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            gap = n > 0;
            continue;
        }
        if (gap)
            out[n++] = '_';
        gap = false;
        out[n++] = c;
    }
    out[n] = 0;
}

/* "add_column_orders_note" from ALTER TABLE orders ADD COLUMN note. */
static void
make_slug(const struct sql_facts *f, char *out, size_t size)
{
    out[0] = 0;
    if (f && f->n_subs > 0 && str_prefix(f->tag, "ALTER "))
        slug_add(out, size, f->subs[0].name);
    else if (f)
        slug_add(out, size, f->tag);
    if (f && f->n_objects > 0) {
        const struct sql_object *o = &f->objects[0];
        slug_add(out, size, o->name && *o->name ? o->name : o->on); /* unnamed index */
    }
    if (f && f->n_subs > 0 && str_prefix(f->tag, "ALTER "))
        slug_add(out, size, f->subs[0].column);
    if (!out[0])
        slug_add(out, size, "change");
}

void
hist_next_path(
    const struct hist_set *set, const struct sql_facts *f, char *out, size_t size)
{
    char slug[61];

    make_slug(f, slug, sizeof(slug));
    out[0] = 0;
    if (set->is_lockfile) /* how the tool would call it nobody here knows */
        return;
    if (set->ops->next_name)
        set->ops->next_name(set, slug, out, size);
    else
        hist_next_name(set, slug, out, size);
}

void
hist_next_file(
    const struct hist_set *set, const struct sql_facts *f, char *out, size_t size)
{
    char name[256];

    hist_next_path(set, f, name, sizeof(name));
    out[0] = 0;
    if (name[0])
        snprintf(out, size, "%s/%s", set->conf.shown, name);
}
