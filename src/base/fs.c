// SPDX-License-Identifier: ISC
/* Reading files and folders; see fs.h. */
#include "base/fs.h"

#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FS_DEPTH_MAX 64   /* folders within folders */
#define FS_READ_STEP 4096 /* room for a file whose size isn't told, as in /proc */

static void
close_p(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void
dir_close(DIR *dir)
{
    closedir(dir);
}
CLEANUP_DEFINE(DIR *, dir_close)

static int
read_all(int fd, const char *path, struct buf *b, struct err *err)
{
    for (;;) {
        int r = b->cap - b->tail > 1 ? 0 : buf_reserve(b, 1);
        if (r == BUF_E_FULL)
            return err_set(
                err, -EFBIG, "%s: file is larger than %zu bytes", path, b->max - 1);
        if (r)
            return err_errno(err, r, "%s", path);
        size_t room = b->cap - b->tail;
        if (room > b->max - b->tail)
            room = b->max - b->tail;
        ssize_t n = read(fd, b->data + b->tail, room);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return err_errno(err, -errno, "%s", path);
        if (n > 0)
            b->tail += (size_t)n;
    }
    if (buf_len(b) >= b->max)
        return err_set(
            err, -EFBIG, "%s: file is larger than %zu bytes", path, b->max - 1);
    return 0;
}

int
fs_read(const char *path, size_t max, char **out, size_t *n, struct err *err)
{
    DG_ASSERT(max < SIZE_MAX / 2, "no limit");
    /* One byte more than allowed shows that the file is too large. */
    AUTO(buf_deinit) struct buf b = BUF_INIT(max + 1);
    AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, -errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return err_errno(err, -EISDIR, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "%s: no regular file", path);
    if (st.st_size > (off_t)max)
        return err_set(err, -EFBIG, "%s: file is larger than %zu bytes", path, max);
    size_t guess = st.st_size ? (size_t)st.st_size + 1 : FS_READ_STEP;
    int r = buf_reserve(&b, guess < b.max ? guess : b.max);
    DG_ASSERT(r <= 0, "the guess is within the maximum");
    if (r)
        return err_errno(err, r, "%s", path);
    r = read_all(fd, path, &b, err);
    if (r)
        return r;
    *n = buf_len(&b);
    *out = buf_steal(&b);
    return 0;
}

static int
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* The new file beside the old one, in its place at the end. */
static int
write_beside(const char *path, char *beside, const void *data, size_t n, unsigned mode)
{
    struct stat st;
    AUTO(close) int fd = mkostemp(beside, O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int r = write_all(fd, data, n);
    if (!r && stat(path, &st) == 0) {
        mode = st.st_mode & 07777;
        /* Who may not give it away keeps it: the mode counts. */
        if (fchown(fd, st.st_uid, st.st_gid) != 0 && errno != EPERM)
            r = -errno;
    }
    if (!r && (fchmod(fd, mode) != 0 || fsync(fd) != 0 || rename(beside, path) != 0))
        r = -errno;
    if (r)
        unlink(beside);
    return r;
}

static void
sync_folder(const char *path)
{
    AUTO(mem_free) char *folder = fs_relative_to(path, ".");
    AUTO(close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)!fsync(fd); /* the rename is done; a crash brings back one of the two */
}

int
fs_replace(const char *path, const void *data, size_t n, unsigned mode, struct err *err)
{
    char *real = realpath(path, NULL);
    const char *target = real ? real : path;
    AUTO(mem_free) char *beside = mem_printf("%s.ddlgate-XXXXXX", target);
    int r = write_beside(target, beside, data, n, mode);

    if (!r)
        sync_folder(target);
    free(real);
    return r ? err_errno(err, r, "%s", path) : 0;
}

int
fs_edit(const char *path, const char *was, size_t n_was, const char *text, size_t n,
    struct err *err)
{
    AUTO(mem_free) char *now = NULL;
    size_t n_now;
    int r = fs_read(path, n_was + 1, &now, &n_now, err);

    if (r && r != -EFBIG)
        return r;
    if (r || n_now != n_was || memcmp(now, was, n_was) != 0)
        return err_set(err, -EAGAIN, "%s: changed meanwhile; run it again", path);
    return fs_replace(path, text, n, 0644, err);
}

char *
fs_relative_to(const char *from, const char *path)
{
    const char *slash = strrchr(from, '/');

    if (path[0] == '/' || !slash)
        return mem_strdup(path);
    return mem_printf("%.*s%s", (int)(slash - from + 1), from, path);
}

/* A folder on the way from the root to where the walk is. */
struct level {
    const struct level *up;
    dev_t dev;
    ino_t ino;
    int depth;
};

struct walk {
    char *root;   /* owned; real path, without a slash at the end */
    char **found; /* owned; paths of files relative to root */
    size_t n_found, cap;
    size_t n_seen;
    struct err *err;
};

static void
walk_deinit_p(struct walk *w)
{
    for (size_t i = 0; i < w->n_found; i++)
        mem_free(w->found[i]);
    mem_free(w->found);
    mem_free(w->root);
}

/* A link may lead to anything below the root. */
static int
check_link(struct walk *w, const char *path)
{
    AUTO(mem_free) char *real = realpath(path, NULL);
    size_t n = strlen(w->root);

    if (!real)
        return err_errno(w->err, -errno, "%s: symbolic link can't be followed", path);
    if (strncmp(real, w->root, n) != 0 || (real[n] != '/' && real[n] != 0))
        return err_set(w->err, -EXDEV,
            "%s: symbolic link leads out of the folder, to %s; copy the file instead",
            path, real);
    return 0;
}

static int walk_dir(struct walk *w, const struct level *up, const char *rel);

static void
add_found(struct walk *w, const char *rel)
{
    MEM_GROW(w->found, w->n_found, w->cap);
    w->found[w->n_found++] = mem_strdup(rel);
}

/* type: as readdir tells it. Of a regular file nothing else matters, and in a large folder
 * asking again for each of them would take longer than all else here. */
static int
walk_entry(struct walk *w, const struct level *up, const char *rel, unsigned char type)
{
    struct stat st;

    if (++w->n_seen > FS_WALK_MAX)
        return err_set(
            w->err, -EFBIG, "%s: more than %d files and folders", w->root, FS_WALK_MAX);
    if (type == DT_REG) {
        add_found(w, rel);
        return 0;
    }
    AUTO(mem_free) char *path = mem_printf("%s/%s", w->root, rel);
    if (lstat(path, &st) < 0)
        return err_errno(w->err, -errno, "%s", path);
    if (S_ISLNK(st.st_mode)) {
        int r = check_link(w, path);
        if (r)
            return r;
        if (stat(path, &st) < 0)
            return err_errno(w->err, -errno, "%s", path);
    }
    if (S_ISDIR(st.st_mode))
        return walk_dir(w, up, rel);
    if (S_ISREG(st.st_mode))
        add_found(w, rel);
    return 0;
}

/* rel: the folder's path below the root, "" for the root itself. */
static int
walk_dir(struct walk *w, const struct level *up, const char *rel)
{
    AUTO(mem_free)
    char *path = rel[0] ? mem_printf("%s/%s", w->root, rel) : mem_strdup(w->root);
    AUTO(dir_close) DIR *dir = opendir(path[0] ? path : "/");
    struct level here = { .up = up, .depth = up ? up->depth + 1 : 0 };
    struct stat st;

    if (!dir || fstat(dirfd(dir), &st) < 0)
        return err_errno(w->err, -errno, "%s", path);
    here.dev = st.st_dev;
    here.ino = st.st_ino;
    for (const struct level *l = up; l; l = l->up)
        if (l->dev == here.dev && l->ino == here.ino)
            return err_set(w->err, -ELOOP,
                "%s: symbolic link leads back to a folder above it; remove it", path);
    if (here.depth > FS_DEPTH_MAX)
        return err_set(
            w->err, -ELOOP, "%s: more than %d folders deep", path, FS_DEPTH_MAX);
    for (;;) {
        errno = 0;
        struct dirent *e = readdir(dir);
        if (!e)
            return errno ? err_errno(w->err, -errno, "%s", path) : 0;
        if (e->d_name[0] == '.')
            continue;
        AUTO(mem_free)
        char *below = mem_printf("%s%s%s", rel, rel[0] ? "/" : "", e->d_name);
        int r = walk_entry(w, &here, below, e->d_type);
        if (r)
            return r;
    }
}

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int
fs_walk(const char *dir, int (*fn)(void *ctx, const char *relpath), void *ctx,
    struct err *err)
{
    __attribute__((cleanup(walk_deinit_p))) struct walk w = { .err = err };

    w.root = realpath(dir, NULL);
    if (!w.root)
        return err_errno(err, -errno, "%s", dir);
    if (strcmp(w.root, "/") == 0)
        w.root[0] = 0;
    int r = walk_dir(&w, NULL, "");
    if (r)
        return r;
    if (w.n_found)
        qsort(w.found, w.n_found, sizeof(*w.found), compare_paths);
    for (size_t i = 0; i < w.n_found; i++) {
        r = fn(ctx, w.found[i]);
        if (r)
            return r;
    }
    return 0;
}
