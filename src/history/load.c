// SPDX-License-Identifier: ISC
/* Reading and parsing the files of a set. A few threads with the parser's stack do it, each
 * file for itself; the first error in the order of the paths wins, so that a broken folder
 * always gives the same message. */
#include "history/psql.h"
#include "history/source.h"

#include "base/fs.h"
#include "base/task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_PER_PARSER 16 /* below that another thread isn't worth its start */

int
hist_check_folder(const struct hist_conf *conf, const char *path, struct err *err)
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

/* --- the text --------------------------------------------------------------------------- */

static int
read_as_psql(
    const struct hist_set *set, struct hist_migration *m, char *text, struct err *err)
{
    struct hist_psql conf = { .folder = set->conf.path,
        .variables = set->conf.placeholders,
        .n_variables = set->conf.n_placeholders,
        .max_bytes = HIST_MAX_FILE_BYTES,
        .arena = m->arena };
    struct hist_sent *sent = NULL;
    int r = hist_psql_read(&conf, m->path, text, m->len, &sent, err);

    if (r || !sent)
        return r;
    m->text = sent->text;
    m->len = sent->len;
    m->sent = sent;
    return 0;
}

const char *
hist_shown_file(const struct hist_migration *m, size_t pos, struct arena *a)
{
    const char *file = m->sent ? hist_sent_file(m->sent, pos) : m->path;
    size_t own = strlen(m->file), path = strlen(m->path), shown = strlen(m->shown);

    /* both are a folder and the file below it */
    if (strcmp(file, m->path) == 0 || path < own || shown < own
        || strncmp(file, m->path, path - own) != 0)
        return m->shown;
    return arena_printf(a, "%.*s%s", (int)(shown - own), m->shown, file + (path - own));
}

int
hist_prepare(const struct hist_set *set, struct hist_migration *m, const char *raw,
    size_t n, struct err *err)
{
    const struct hist_tool *tool = set->tool;
    size_t bom = hist_bom(raw, n);
    char *text = NULL;
    int r = 0;

    m->len = n - bom;
    if (set->ops->fill)
        r = set->ops->fill(set, m, raw + bom, n - bom, &text, err);
    else if (set->conf.n_placeholders > 0)
        r = hist_placeholders(&set->conf, m, raw + bom, n - bom, &text, err);
    else
        text = arena_strndup(m->arena, raw + bom, n - bom);
    if (!r && (tool->up_mark || tool->down_mark || tool->no_tx_mark))
        r = hist_section(tool, m, text, m->len, err);
    if (r)
        return r;
    m->text = text;
    m->checksum = m->is_down ? NULL : hist_checksum(tool->sum, m, raw, n);
    return tool->flags & HIST_T_PSQL ? read_as_psql(set, m, text, err)
                                     : hist_text_blank(m->path, text, m->len, err);
}

/* --- one file -------------------------------------------------------------------------- */

struct job {
    struct task task;
    const struct hist_set *set;
    const struct sql_words *words;
    struct hist_migration *migrations; /* in order of paths */
    struct arena *arena;               /* borrowed from the set; this job's alone */
    size_t from, step, n;
    size_t failed; /* index of the first of its files with an error; n: none */
    int result;
    struct err err;
};

int
hist_check_file(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return err_errno(err, -errno, "%s", path);
    if (st.st_mode & S_IWOTH)
        return err_set(err, -EPERM,
            "%s: everybody may write to this file, so its review means nothing; chmod o-w it",
            path);
    return 0;
}

static int
check_rights(
    const struct hist_set *set, const struct hist_migration *m, struct err *err)
{
    int r = hist_check_file(m->path, err);
    const char *slash = strrchr(m->file, '/');

    if (r || !slash)
        return r;
    size_t n = strlen(set->conf.path) + 1 + (size_t)(slash - m->file);
    AUTO(mem_free) char *folder = mem_strndup(m->path, n);
    return hist_check_folder(&set->conf, folder, err);
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
                m->sent ? hist_sent_file(m->sent, m->scan.stmts[f->stmt].start)
                        : m->path,
                m->scan.stmts[f->stmt].line);
    }
    return 0;
}

/* What a scan grows on the heap is up to twice as large as what is in it. */
void
hist_keep_scan(struct hist_migration *m)
{
    struct sql_stmt *found = m->scan.stmts;
    size_t size = m->scan.n * sizeof(*found);

    m->scan.stmts = arena_alloc(m->arena, size);
    if (size)
        memcpy(m->scan.stmts, found, size);
    mem_free(found);
}

static int
scan_file(struct hist_migration *m, const struct sql_words *words, struct err *err)
{
    struct err why = { "" };
    int line = 1, skip = 0;
    int r = sql_scan(
        &m->scan, words, m->text, m->len, true, SQL_TREE_DEFAULT_DEPTH, &why);

    hist_keep_scan(m);
    if (r) {
        /* the scan says "line 12: what"; here it is file:12: what */
        if (sscanf(why.text, "line %d: %n", &line, &skip) < 1)
            skip = 0;
        const char *file = m->path;
        if (m->sent)
            hist_sent_place(m->sent, line, &file, &line);
        return err_set(err, -EINVAL, "%s:%d: %s", file, line, why.text + skip);
    }
    if (m->sent)
        hist_sent_lines(m->sent, &m->scan);
    m->tree = sql_tree_new_in(m->arena, &m->scan, words, m->text, m->len, true);
    hist_classify(m);
    return check_reading(m, err);
}

/* Of a text that is a part of a file, without the blank lines that stand for what is before
 * it: they would change with every other part. Of a file that runs others, with what is sent
 * in the end, which holds theirs. */
static void
digest_file(struct hist_migration *m, const char *raw, size_t n)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    size_t skip = raw ? 0 : strspn(m->text, " \t\r\n");

    if (raw)
        hash_sha256_add(h, raw, n);
    if (!raw || (m->sent && m->sent->n_files > 1))
        hash_sha256_add(h, m->text + skip, m->len - skip);
    hash_sha256_end(h, m->digest);
}

static int
load_file(const struct hist_set *set, const struct sql_words *words,
    struct hist_migration *m, struct err *err)
{
    AUTO(mem_free) char *raw = NULL;
    size_t n = 0;
    int r = 0;

    if (!m->text) { /* whoever listed it may have read it, too */
        r = check_rights(set, m, err);
        if (!r)
            r = fs_read(m->path, HIST_MAX_FILE_BYTES, &raw, &n, err);
        if (!r)
            r = hist_text_check(m->path, raw, n, err);
        if (!r)
            r = set->ops->prepare ? set->ops->prepare(set, m, raw, n, err)
                                  : hist_prepare(set, m, raw, n, err);
    }
    if (r)
        return r;
    digest_file(m, raw, n);
    return scan_file(m, words, err);
}

static void
run_job(struct task *task)
{
    struct job *j = (struct job *)(void *)task;

    for (size_t i = j->from; i < j->n && !j->result; i += j->step) {
        j->migrations[i].arena = j->arena;
        j->result = load_file(j->set, j->words, &j->migrations[i], &j->err);
        if (j->result)
            j->failed = i;
    }
}

int
hist_load_files(struct hist_set *set, struct err *err)
{
    const char *table = set->conf.history_table;
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(&table, 1);
    struct job jobs[TASK_MAX_THREADS], *first = &jobs[0];
    size_t n = task_threads(set->n_all, FILES_PER_PARSER);

    struct task_pool *pool = task_pool_new(n, SQL_TREE_PARSER_STACK, "migrations");
    for (size_t i = 0; i < n; i++) {
        set->arenas[i] = arena_new();
        jobs[i] = (struct job){ .task = { .run = run_job },
            .set = set,
            .words = words,
            .migrations = set->migrations,
            .arena = set->arenas[i],
            .from = i,
            .step = n,
            .n = set->n_all,
            .failed = set->n_all };
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
