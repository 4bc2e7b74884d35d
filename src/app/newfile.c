// SPDX-License-Identifier: ISC
/* Written under a name of its own (a leading dot: no reader takes it for a migration), then
 * linked to the final one: link(2) fails where a file is, rename(2) would replace it. */
#include "app/newfile.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NAME 256
#define MAX_MADE 8

struct writer {
    const char *folder;
    int root;            /* of the folder */
    int dir;             /* where the file goes; may be root */
    char made[MAX_NAME]; /* new folder below root; "": none */
    const char *done[MAX_MADE];
    size_t n_done;
};

static void
close_dir(struct writer *w)
{
    if (w->dir >= 0 && w->dir != w->root)
        close(w->dir);
    w->dir = -1;
}

/* The folder of a path, step by step: a symbolic link on the way could lead out. */
static int
open_dir(struct writer *w, const char *path, bool may_make)
{
    const char *slash;
    w->dir = w->root;
    for (const char *p = path; (slash = strchr(p, '/')); p = slash + 1) {
        char name[MAX_NAME];
        size_t n = (size_t)(slash - p);
        if (n == 0 || n >= sizeof(name))
            return -EINVAL;
        memcpy(name, p, n);
        name[n] = 0;
        if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
            return -EINVAL;
        int fd = openat(w->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        bool is_last = !strchr(slash + 1, '/');
        if (fd < 0 && errno == ENOENT && may_make && is_last && !w->made[0]) {
            if (mkdirat(w->dir, name, 0755) != 0)
                return -errno;
            snprintf(w->made, sizeof(w->made), "%.*s", (int)(slash - path), path);
            fd = openat(w->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        int e = errno;
        close_dir(w);
        if (fd < 0)
            return -e;
        w->dir = fd;
    }
    return 0;
}

static int
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno != EINTR)
            return -errno;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        }
    }
    return fchmod(fd, 0644) != 0 || fsync(fd) != 0 ? -errno : 0;
}

static int
put(int dir, const char *name, const struct newfile *f)
{
    char random[17], temp[64];
    hash_random_id(random, sizeof(random) - 1);
    snprintf(temp, sizeof(temp), ".ddlgate-%s", random);
    int fd = openat(
        dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, f->text, f->len);
    if (close(fd) != 0 && !r)
        r = -errno;
    if (!r && linkat(dir, temp, dir, name, 0) != 0)
        r = -errno;
    unlinkat(dir, temp, 0);
    return r || fsync(dir) == 0 ? r : -errno;
}

static int
write_one(struct writer *w, const struct newfile *f)
{
    const char *slash = strrchr(f->path, '/');
    int r = open_dir(w, f->path, true);
    if (!r)
        r = put(w->dir, slash ? slash + 1 : f->path, f);
    close_dir(w);
    if (!r)
        w->done[w->n_done++] = f->path;
    return r;
}

static void
take_back(struct writer *w)
{
    while (w->n_done > 0)
        (void)!unlinkat(w->root, w->done[--w->n_done], 0);
    if (w->made[0])
        (void)!unlinkat(w->root, w->made, AT_REMOVEDIR);
}

/* A migration that is a folder of its own must not get into one that is there. */
static int
check_folder(struct writer *w, const struct newfile *f)
{
    const char *slash = strrchr(f->path, '/'), *base = slash ? slash + 1 : f->path;
    struct stat st;
    bool is_folder = strcmp(base, "up.sql") == 0 || strcmp(base, "down.sql") == 0
        || strcmp(base, "migration.sql") == 0;
    if (!is_folder || !slash)
        return 0;
    AUTO(mem_free) char *dir = mem_strndup(f->path, (size_t)(slash - f->path));
    return fstatat(w->root, dir, &st, AT_SYMLINK_NOFOLLOW) == 0 ? -EEXIST : 0;
}

int
newfile_write(
    const char *folder, const struct newfile *files, size_t n, struct err *err)
{
    struct writer w = { .folder = folder, .dir = -1 };
    const char *at = files[0].path;
    DG_ASSERT(n > 0 && n <= MAX_MADE, "%zu files", n);
    w.root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w.root < 0)
        return err_errno(err, -errno, "%s", folder);
    int r = check_folder(&w, &files[0]);
    for (size_t i = 0; i < n && !r; i++) {
        at = files[i].path;
        r = write_one(&w, &files[i]);
    }
    if (r)
        take_back(&w);
    else if (w.made[0])
        (void)!fsync(w.root);
    close(w.root);
    return r ? err_errno(err, r, "%s/%s", folder, at) : 0;
}
