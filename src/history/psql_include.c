// SPDX-License-Identifier: ISC
/* Files that a file runs: which one is meant, and its statements in the command's place. */
#include "base/fs.h"
#include "base/mem.h"
#include "history/psql_pass.h"
#include "history/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *
folder_of(struct psql_run *r)
{
    if (!r->real_folder && r->conf->folder)
        r->real_folder = realpath(r->conf->folder, NULL);
    return r->real_folder;
}

static bool
is_inside(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && (path[n] == '/' || n == 1);
}

/* \i is relative to where psql was started, which nobody here knows: to the folder of the
 * migrations or one above it. The one file there that lies in the folder is meant.
 * Returns a resolved path (free), NULL with errno: 0 for two of them. */
static char *
find_from_above(const char *folder, const char *name)
{
    AUTO(mem_free) char *at = mem_strdup(folder);
    char *found = NULL;
    int why = ENOENT;

    for (;;) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", at, name);
        char *real = realpath(path, NULL);
        if (!real && errno != ENOENT && errno != ENOTDIR)
            why = errno;
        if (real && !is_inside(folder, real))
            why = why == ENOENT ? EXDEV : why;
        if (real && is_inside(folder, real) && found && strcmp(found, real) != 0) {
            free(real);
            free(found);
            errno = 0;
            return NULL;
        }
        if (real && is_inside(folder, real) && !found)
            found = real;
        else
            free(real);
        char *slash = strrchr(at, '/');
        if (!slash || slash == at)
            break;
        *slash = 0;
    }
    errno = why;
    return found;
}

static char *
find_file(struct psql_pass *b, const char *folder, const char *name, bool is_relative)
{
    char *real = NULL;

    if (name[0] == '/' || is_relative) {
        AUTO(mem_free) char *path = fs_relative_to(b->path, name);
        real = realpath(path, NULL);
    } else {
        real = find_from_above(folder, name);
    }
    if (real && !is_inside(folder, real)) {
        free(real);
        errno = EXDEV;
        return NULL;
    }
    return real;
}

static int
not_found(struct psql_pass *b, size_t pos, const char *command, const char *name)
{
    const char *folder = b->run->conf->folder;
    int why = errno;

    if (why == EXDEV)
        return psql_fault(b, pos,
            "\\%s %.200s leads out of the folder %.200s; what a migration runs must stand "
            "in it",
            command, name, folder);
    if (why == 0)
        return psql_fault(b, pos,
            "\\%s %.200s may mean two files, depending on where psql is started; use \\ir",
            command, name);
    return psql_fault(b, pos, "\\%s %.200s: %s", command, name, strerror(why));
}

/* Where the same file is being run already. */
static bool
is_running(const struct psql_run *r, const struct stat *st)
{
    for (size_t i = 0; i < r->depth; i++) {
        if (r->stack[i].dev == st->st_dev && r->stack[i].ino == st->st_ino)
            return true;
    }
    return false;
}

static int
run_other(struct psql_pass *b, size_t pos, const char *command, const char *path)
{
    struct psql_run *r = b->run;
    AUTO(mem_free) char *raw = NULL;
    struct stat st;
    size_t n = 0;

    if (stat(path, &st) != 0)
        return psql_fault(b, pos, "\\%s %.200s: %s", command, path, strerror(errno));
    if (is_running(r, &st))
        return psql_fault(b, pos, "\\%s %.200s: the file would run itself without end",
            command, path);
    if (r->depth == HIST_PSQL_MAX_DEPTH || ++r->n_runs > HIST_PSQL_MAX_RUNS)
        return psql_fault(b, pos,
            "\\%s %.200s: files that run files that run files, too many", command,
            path);
    int e = hist_check_file(path, r->err);
    if (!e)
        e = fs_read(path, r->conf->max_bytes, &raw, &n, r->err);
    if (!e)
        e = hist_text_check(path, raw, n, r->err);
    if (e)
        return e;
    MEM_GROW(r->files, r->n_files, r->cap_files);
    size_t file = r->n_files++, bom = hist_bom(raw, n);
    r->files[file] = path;
    return psql_run_file(r, path, file, raw + bom, n - bom, &st);
}

/* An error in a file that another one runs names both. */
static int
tell_who_ran(struct psql_pass *b, size_t pos, int r)
{
    struct err inner = *b->run->err;
    size_t n = strlen(b->path);

    if (strstr(inner.text, " (run by ")
        || (strncmp(inner.text, b->path, n) == 0 && inner.text[n] == ':'))
        return r;
    return err_set(
        b->run->err, r, "%s (run by %s:%d)", inner.text, b->path, psql_line_of(b, pos));
}

/* \i and \ir: the file's statements stand in the place of the command. The last one may
 * lack its semicolon, and the first begins a line, so that columns stay. */
int
psql_include(
    struct psql_pass *b, size_t pos, const char *command, size_t from, size_t end)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(PSQL_MAX_VALUE);
    bool is_relative = strcmp(command, "ir") == 0
        || strcmp(command, "include_relative") == 0;
    bool is_open = false;

    if (psql_next_arg(b, &from, end, &name, &is_open) != 0)
        return psql_fault(b, pos, "\\%s names no file", command);
    while (buf_len(&name) && name.data[name.tail - 1] == ';')
        name.tail--;
    const char *file = buf_cstr(&name);
    if (is_open || file[0] == '~' || !file[0])
        return psql_fault(b, pos,
            "\\%s: which file it is depends on the shell; write its name", command);
    if (b->n_words)
        return psql_fault(b, pos,
            "\\%s %.200s stands inside a statement; end that with ; before it", command,
            file);
    const char *folder = folder_of(b->run);
    if (!folder)
        return psql_fault(b, pos,
            "\\%s %.200s runs another file, which is none that can be found from here",
            command, file);
    char *path = find_file(b, folder, file, is_relative);
    if (!path)
        return not_found(b, pos, command, file);
    /* named as the configuration names the folder */
    const char *below = path + strlen(folder) + (folder[1] ? 1 : 0);
    const char *shown = arena_printf(
        b->run->conf->arena, "%s/%s", b->run->conf->folder, below);
    free(path);
    b->run->is_other = true;
    int r = psql_put(b, "\n", 1);
    if (!r)
        r = run_other(b, pos, command, shown);
    if (r)
        return tell_who_ran(b, pos, r);
    r = psql_put(b, "\n;", 2);
    b->copied = end;
    psql_piece(b, psql_line_of(b, end), false);
    return r;
}
