// SPDX-License-Identifier: ISC
/* What the Check programs of src/history share: a folder of migrations made from a table,
 * history rows, and a client's text with its facts. */
#ifndef DG_TESTS_LIB_HIST_H
#define DG_TESTS_LIB_HIST_H

#include "base/mem.h"
#include "history/history.h"
#include "lib/unit.h"

struct hist_file {
    const char *name, *text;
};

/* A folder with a loaded set. */
struct hist_env {
    char *dir;
    struct hist_conf conf;
    struct hist_set *set;
    struct hist_view *view;
};

static inline void
hist_env_write(const char *dir, const char *name, const char *text)
{
    char path[512], *slash = path + strlen(dir);

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    while ((slash = strchr(slash + 1, '/'))) { /* folders on the way */
        *slash = 0;
        mkdir(path, 0755);
        *slash = '/';
    }
    free(unit_write(dir, name, text, strlen(text)));
    chmod(path, 0644);
}

/* files ends with a NULL name. */
static inline void
hist_env_files(struct hist_env *e, const char *format, const struct hist_file *files)
{
    *e = (struct hist_env){ .dir = unit_mkdir() };
    e->conf = (struct hist_conf){ .name = "shop",
        .format = format,
        .path = e->dir,
        .repeat = HIST_REPEAT_CREATE,
        .file = "ddlgate.ini",
        .line = 7 };
    for (; files && files->name; files++)
        hist_env_write(e->dir, files->name, files->text);
}

static inline void
hist_env_load(struct hist_env *e)
{
    struct err err = { "" };
    int r = hist_set_load(&e->conf, &e->set, &err);

    ck_assert_msg(r == 0, "load: %s", err.text);
}

/* rows: n_cols cells each, ended by a row that starts with (char *)-1; NULL: no table. */
#define HIST_END ((const char *)-1)

static inline void
hist_env_read(struct hist_env *e, const char *const *cells, size_t n_cols)
{
    struct dg_rows rows = { .n_cols = n_cols };
    union {
        const char *const *in;
        char **out;
    } u = { .in = cells };

    while (cells && cells[rows.n_rows * n_cols] != HIST_END)
        rows.n_rows++;
    rows.cells = u.out;
    ref_drop(e->view);
    e->view = hist_view_new(e->set, cells ? &rows : NULL, 12345);
}

static inline void
hist_env_free(struct hist_env *e)
{
    ref_drop(e->view);
    ref_drop(e->set);
    unit_rmdir(e->dir);
}

/* Replaces the folder's path by DIR, so that messages can be compared. */
static inline const char *
hist_env_text(const struct hist_env *e, const char *text, char out[1024])
{
    size_t n = strlen(e->dir), len = 0;

    while (*text && len + 4 < 1024) {
        if (strncmp(text, e->dir, n) == 0) {
            memcpy(out + len, "DIR", 3);
            len += 3;
            text += n;
        } else {
            out[len++] = *text++;
        }
    }
    out[len] = 0;
    return out;
}

/* A text of a client. */
struct hist_sql {
    struct sql_scan scan;
    struct sql_tree *tree;
    const struct sql_facts *f; /* the first one, or the first with a write */
    const struct sql_digest *digest;
};

static inline void
hist_sql_init(struct hist_sql *s, const struct hist_set *set, const char *text)
{
    const char *table = hist_table_name(set);
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(&table, 1);
    struct err err = { "" };

    *s = (struct hist_sql){ .f = NULL };
    int r = sql_scan(
        &s->scan, words, text, strlen(text), true, SQL_TREE_DEFAULT_DEPTH, &err);
    ck_assert_msg(r == 0 && s->scan.n > 0, "%s: %s", text, err.text);
    s->tree = sql_tree_new(&s->scan, words, text, strlen(text), true);
    ck_assert_msg(s->tree->n > 0, "%s: no facts", text);
    s->f = &s->tree->facts[0];
    for (size_t i = s->tree->n; i > 0; i--) {
        if (s->tree->facts[i - 1].write)
            s->f = &s->tree->facts[i - 1];
    }
    s->digest = &s->scan.stmts[s->f->stmt].digest;
}

static inline void
hist_sql_deinit(struct hist_sql *s)
{
    sql_tree_free(s->tree);
    sql_scan_deinit(&s->scan);
}

static inline struct hist_match
hist_env_match(const struct hist_env *e, const char *text)
{
    struct hist_sql s;

    hist_sql_init(&s, e->set, text);
    struct hist_match m = hist_match(e->view, s.f, s.digest);
    hist_sql_deinit(&s);
    return m;
}

static inline const struct hist_migration *
hist_env_find(const struct hist_env *e, const char *file)
{
    for (size_t i = 0; i < e->set->n; i++) {
        if (strcmp(e->set->migrations[i].file, file) == 0)
            return &e->set->migrations[i];
    }
    ck_abort_msg("no file %s", file);
    return NULL;
}

#endif
