// SPDX-License-Identifier: ISC
/* Loading a folder of migrations. Files are read and parsed by a few threads with the
 * parser's stack, each file for itself; the first error in the order of the paths wins, so
 * that a broken folder always gives the same message. */
#include "history/source.h"

#include "base/fs.h"
#include "base/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES        100000
#define MAX_PARSERS      4
#define FILES_PER_PARSER 16 /* below that another thread isn't worth its start */

static const struct hist_source_ops *const formats[] = {
    &hist_numbered_sql,
    &hist_flyway,
};

static const struct hist_source_ops *
find_format(const char *name)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(formats); i++) {
        if (strcmp(formats[i]->format, name) == 0)
            return formats[i];
    }
    return NULL;
}

bool
hist_format_exists(const char *name)
{
    return find_format(name) != NULL;
}

const char *
hist_table_name(const struct hist_set *set)
{
    return set->conf.history_table;
}

bool
hist_is_table(const struct hist_set *set, const char *schema, const char *table)
{
    return table && strcmp(table, set->conf.history_table) == 0
        && (!schema || strcmp(schema, set->conf.history_schema) == 0);
}

bool
hist_is_same_tx(const struct hist_set *set)
{
    return set->ops->row == HIST_ROW_SAME_TX;
}

/* --- the set's own copy of its configuration ------------------------------------------- */

static void
copy_table(struct hist_set *set, const struct hist_conf *from)
{
    const char *table = from->history_table ? from->history_table
                                            : set->ops->default_table;
    const char *dot = strchr(table, '.');
    const char *schema = from->history_schema;

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
    to->search_path = arena_strdup(a, from->search_path);
    to->baseline = arena_strdup(a, from->baseline);
    to->file = arena_strdup(a, from->file);
    const char **list = arena_alloc(a, (from->n_placeholders * 2 + 1) * sizeof(*list));
    for (size_t i = 0; i < from->n_placeholders * 2; i++)
        list[i] = arena_strdup(a, from->placeholders[i]);
    to->placeholders = list;
    copy_table(set, from);
}

static int
check_conf(const struct hist_conf *c, struct err *err)
{
    const char *file = c->file ? c->file : "migrations";

    if (!c->format || !find_format(c->format))
        return err_set(err, -EINVAL,
            "%s:%d: [migrations %s]: format \"%s\" is not known; use numbered-sql or flyway",
            file, c->line, c->name, c->format ? c->format : "");
    if (!c->path || !*c->path)
        return err_set(err, -EINVAL, "%s:%d: [migrations %s]: path is missing", file,
            c->line, c->name);
    if (c->baseline && !hist_version_is_valid(c->baseline))
        return err_set(err, -EINVAL,
            "%s:%d: [migrations %s]: baseline \"%s\" is not a version such as 12 or 1.4",
            file, c->line, c->name, c->baseline);
    if (c->history_table && !*c->history_table)
        return err_set(err, -EINVAL, "%s:%d: [migrations %s]: history_table is empty",
            file, c->line, c->name);
    return 0;
}

/* --- which files there are ------------------------------------------------------------- */

struct walk {
    struct hist_set *set;
    size_t cap;
    struct err *err;
};

static int
add_file(void *ctx, const char *relpath)
{
    struct walk *w = ctx;
    struct hist_set *set = w->set;
    struct err why = { "" };

    MEM_GROW(set->migrations, set->n, w->cap);
    struct hist_migration *m = &set->migrations[set->n];
    *m = (struct hist_migration){ .arena = arena_new() };
    set->n++; /* so that it is freed with the set */
    int r = set->ops->parse_name(m->arena, relpath, m, &why);
    if (r == HIST_NAME_BAD)
        return err_set(w->err, -EINVAL, "%s/%s: %s", set->conf.path, relpath, why.text);
    if (r == HIST_NAME_NO) {
        arena_free(m->arena);
        set->n--;
        return 0;
    }
    if (set->n > MAX_FILES)
        return err_set(w->err, -EFBIG, "%s: more than %d migration files",
            set->conf.path, MAX_FILES);
    m->file = arena_strdup(m->arena, relpath);
    m->path = arena_printf(m->arena, "%s/%s", set->conf.path, relpath);
    m->shown = arena_printf(m->arena, "%s/%s", set->conf.shown, relpath);
    return 0;
}

static int
check_folder(const struct hist_conf *conf, const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return err_errno(err, -errno, "%s:%d: [migrations %s]: folder %s",
            conf->file ? conf->file : "migrations", conf->line, conf->name, path);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, -ENOTDIR, "%s:%d: [migrations %s]: %s is not a folder",
            conf->file ? conf->file : "migrations", conf->line, conf->name, path);
    if (st.st_mode & S_IWOTH)
        return err_set(err, -EPERM,
            "%s: everybody may write to this folder, so anybody could add a migration; "
            "chmod o-w it",
            path);
    return 0;
}

/* --- one file -------------------------------------------------------------------------- */

struct job {
    struct task task;
    const struct hist_set *set;
    const struct sql_words *words;
    struct hist_migration *migrations; /* in order of paths */
    size_t from, step, n;
    size_t failed; /* index of the first of its files with an error; n: none */
    int result;
    struct err err;
};

static int
check_rights(
    const struct hist_set *set, const struct hist_migration *m, struct err *err)
{
    struct stat st;

    if (stat(m->path, &st) < 0)
        return err_errno(err, -errno, "%s", m->path);
    if (st.st_mode & S_IWOTH)
        return err_set(err, -EPERM,
            "%s: everybody may write to this file, so its review means nothing; chmod o-w it",
            m->path);
    const char *slash = strrchr(m->file, '/');
    if (!slash)
        return 0;
    size_t n = strlen(set->conf.path) + 1 + (size_t)(slash - m->file);
    AUTO(mem_free) char *folder = mem_strndup(m->path, n);
    return check_folder(&set->conf, folder, err);
}

/* SET standard_conforming_strings = off in a file would change what the rest of it says. */
static int
check_reading(const struct hist_migration *m, struct err *err)
{
    if (!m->scan.two_readings)
        return 0;
    for (size_t i = 0; i < m->tree->n; i++) {
        const struct sql_facts *f = &m->tree->facts[i];
        if (f->setting && strcmp(f->setting, "standard_conforming_strings") == 0
            && (!f->setting_value || strcmp(f->setting_value, "on") != 0))
            return err_set(err, -EINVAL,
                "%s:%d: the strings of this file mean something else when "
                "standard_conforming_strings changes; write E'...' and leave it on",
                m->path, m->scan.stmts[f->stmt].line);
    }
    return 0;
}

static int
scan_file(struct hist_migration *m, const struct sql_words *words, struct err *err)
{
    struct err why = { "" };
    int line = 1, skip = 0;
    int r = sql_scan(
        &m->scan, words, m->text, m->len, true, SQL_TREE_DEFAULT_DEPTH, &why);

    if (r) {
        /* the scan says "line 12: what"; here it is file:12: what */
        if (sscanf(why.text, "line %d: %n", &line, &skip) < 1)
            skip = 0;
        return err_set(err, -EINVAL, "%s:%d: %s", m->path, line, why.text + skip);
    }
    m->tree = sql_tree_new(&m->scan, words, m->text, m->len, true);
    return check_reading(m, err);
}

static int
load_file(const struct hist_set *set, const struct sql_words *words,
    struct hist_migration *m, struct err *err)
{
    AUTO(mem_free) char *raw = NULL;
    size_t n = 0;

    int r = check_rights(set, m, err);
    if (!r)
        r = fs_read(m->path, HIST_MAX_FILE_BYTES, &raw, &n, err);
    if (!r)
        r = hist_text_check(m->path, raw, n, err);
    if (!r)
        r = set->ops->prepare(m->arena, &set->conf, m, raw, n, err);
    if (!r)
        r = scan_file(m, words, err);
    return r;
}

static void
run_job(struct task *task)
{
    struct job *j = (struct job *)(void *)task;

    for (size_t i = j->from; i < j->n && !j->result; i += j->step) {
        j->result = load_file(j->set, j->words, &j->migrations[i], &j->err);
        if (j->result)
            j->failed = i;
    }
}

static size_t
n_parsers(size_t n_files)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus < 1 ? 1 : (size_t)cpus;

    if (n > MAX_PARSERS)
        n = MAX_PARSERS;
    if (n > 1 + n_files / FILES_PER_PARSER)
        n = 1 + n_files / FILES_PER_PARSER;
    return n;
}

static int
load_files(struct hist_set *set, struct err *err)
{
    const char *table = set->conf.history_table;
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(&table, 1);
    struct job jobs[MAX_PARSERS], *first = &jobs[0];
    size_t n = n_parsers(set->n);

    struct task_pool *pool = task_pool_new(n, SQL_TREE_PARSER_STACK, "migrations");
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct job){ .task = { .run = run_job },
            .set = set,
            .words = words,
            .migrations = set->migrations,
            .from = i,
            .step = n,
            .n = set->n,
            .failed = set->n };
        task_pool_post(pool, &jobs[i].task);
    }
    task_pool_free(pool);
    for (size_t i = 1; i < n; i++) {
        if (jobs[i].failed < first->failed)
            first = &jobs[i];
    }
    if (first->result && err)
        *err = first->err;
    return first->result;
}

/* --- the set --------------------------------------------------------------------------- */

static void
set_free(struct ref *ref)
{
    struct hist_set *set = (struct hist_set *)(void *)ref;

    for (size_t i = 0; i < set->n; i++) {
        sql_tree_free(set->migrations[i].tree);
        sql_scan_deinit(&set->migrations[i].scan);
        arena_free(set->migrations[i].arena);
    }
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

static int
by_application(const void *a, const void *b, void *ctx)
{
    const struct hist_source_ops *ops = ctx;
    const struct hist_migration *x = a, *y = b;
    int c = ops->compare(x, y);

    return c ? c : strcmp(x->file, y->file);
}

static void
sort_migrations(struct hist_set *set)
{
    struct hist_source_ops ops = *set->ops; /* qsort_r's context isn't const */

    if (set->n > 0)
        qsort_r(
            set->migrations, set->n, sizeof(*set->migrations), by_application, &ops);
    for (size_t i = 0; i < set->n; i++)
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
    add_textz(h, c->search_path);
    add_textz(h, c->baseline);
    add_text(h, (const char *)&c->repeat, sizeof(c->repeat));
    for (size_t i = 0; i < set->n; i++) {
        add_textz(h, set->migrations[i].file);
        add_textz(h, set->migrations[i].checksum);
        add_text(h, set->migrations[i].text, set->migrations[i].len);
    }
    hash_sha256_end(h, set->digest);
}

int
hist_set_load(const struct hist_conf *conf, struct hist_set **out, struct err *err)
{
    int r = check_conf(conf, err);

    if (r)
        return r;
    AUTO(set_drop) struct hist_set *set = mem_zalloc(sizeof(*set));
    ref_init(&set->ref, set_free);
    set->arena = arena_new();
    set->ops = find_format(conf->format);
    copy_conf(set, conf);
    r = check_folder(&set->conf, set->conf.path, err);
    if (r)
        return r;
    struct walk w = { .set = set, .err = err };
    r = fs_walk(set->conf.path, add_file, &w, err);
    if (!r)
        r = load_files(set, err);
    if (r)
        return r;
    sort_migrations(set);
    r = hist_index_build(set, err);
    if (r)
        return r;
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
    AUTO(mem_free) char *path = mem_printf("%s/%s", s->path, relpath);
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

    if (!r)
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
hist_next_file(
    const struct hist_set *set, const struct sql_facts *f, char *out, size_t size)
{
    char slug[61], name[256];

    make_slug(f, slug, sizeof(slug));
    set->ops->next_name(set, slug, name, sizeof(name));
    snprintf(out, size, "%s/%s", set->conf.shown, name);
}
