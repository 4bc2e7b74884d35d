// SPDX-License-Identifier: ISC
/* Audit files as the system sees them; see file.h. */
#include "audit/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/record.h"
#include "base/mem.h"

#define READ_CHUNK    (16 * 1024)
#define OPEN_ATTEMPTS 10

static int
real_open(const struct aud_io *io, const char *path, int flags, mode_t mode)
{
    (void)io;
    return open(path, flags, mode);
}

static ssize_t
real_write(const struct aud_io *io, int fd, const void *p, size_t n)
{
    (void)io;
    return write(fd, p, n);
}

static int
real_fdatasync(const struct aud_io *io, int fd)
{
    (void)io;
    return fdatasync(fd);
}

static int
real_ftruncate(const struct aud_io *io, int fd, off_t size)
{
    (void)io;
    return ftruncate(fd, size);
}

static int
real_link(const struct aud_io *io, const char *from, const char *to)
{
    (void)io;
    return link(from, to);
}

static int
real_rename(const struct aud_io *io, const char *from, const char *to)
{
    (void)io;
    return rename(from, to);
}

const struct aud_io aud_io_real = {
    .open = real_open,
    .write = real_write,
    .fdatasync = real_fdatasync,
    .ftruncate = real_ftruncate,
    .link = real_link,
    .rename = real_rename,
};

void
aud_fd_p(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* The lock belongs to the open file, not to the process: it isn't lost when some library
 * closes another descriptor of the same file. */
static int
lock_file(int fd)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    return errno == EAGAIN || errno == EACCES ? AUD_FILE_E_LOCKED : -errno;
}

bool
aud_file_is_live(int fd)
{
    struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

    return fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

/* 0, AUD_FILE_E_LOCKED, -EAGAIN (path names another file by now), -errno */
static int
open_once(
    const struct aud_io *io, const char *path, int flags, int *out, struct err *err)
{
    struct stat st, named;

    /* Looked at first: opening a device or a FIFO may already do something. */
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(err, -EINVAL,
            "%s: is no regular file; the audit needs a file of its own", path);
    AUTO(aud_fd)
    int fd = io->open(io, path,
        O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
    if (fd < 0)
        return err_errno(err, -errno, "%s: can't be opened for writing", path);
    if (fstat(fd, &st) != 0)
        return err_errno(err, -errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL,
            "%s: is no regular file; the audit needs a file of its own", path);
    int r = lock_file(fd);
    if (r < 0)
        return err_errno(err, r, "%s: can't be locked", path);
    if (r)
        return r;
    if (lstat(path, &named) != 0 || named.st_dev != st.st_dev
        || named.st_ino != st.st_ino)
        return -EAGAIN;
    *out = fd;
    fd = -1;
    return 0;
}

int
aud_file_open(
    const struct aud_io *io, const char *path, int flags, int *fd, struct err *err)
{
    for (int i = 0; i < OPEN_ATTEMPTS; i++) {
        int r = open_once(io, path, flags, fd, err);
        if (r != -EAGAIN)
            return r;
    }
    return err_set(
        err, -EAGAIN, "%s: is being replaced all the time; stop who does it", path);
}

int
aud_file_write(const struct aud_io *io, int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = io->write(io, fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        if (done == 0)
            return -EIO;
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

static char *
dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

int
aud_file_sync_dir(const struct aud_io *io, const char *path)
{
    AUTO(mem_free) char *dir = dir_of(path);
    AUTO(aud_fd) int fd = io->open(io, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    /* Some file systems have nothing to sync for a folder and say so. */
    if (io->fdatasync(io, fd) != 0 && errno != EINVAL)
        return -errno;
    return 0;
}

void
aud_reader_init(struct aud_reader *r, int fd)
{
    *r = (struct aud_reader){ .fd = fd };
    buf_init(&r->buf, AUD_MAX_LINE + READ_CHUNK);
}

void
aud_reader_deinit(struct aud_reader *r)
{
    buf_deinit(&r->buf);
}

/* 1 more bytes, 0 end, -errno */
static int
read_more(struct aud_reader *r)
{
    char chunk[READ_CHUNK];
    ssize_t n;

    if (buf_len(&r->buf) > AUD_MAX_LINE)
        return -EFBIG;
    do
        n = read(r->fd, chunk, sizeof(chunk));
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    int e = buf_add(&r->buf, chunk, (size_t)n);
    return e < 0 ? e : e ? -EFBIG : 1;
}

static void
drop_last(struct aud_reader *r)
{
    buf_consume(&r->buf, r->n_last);
    r->offset = r->next;
    r->n_last = 0;
}

int
aud_reader_next(struct aud_reader *r, struct str *line)
{
    drop_last(r);
    for (;;) {
        size_t len = buf_len(&r->buf);
        const char *p = len ? buf_ptr(&r->buf) : NULL;
        const char *end = p ? memchr(p + r->n_scanned, '\n', len - r->n_scanned) : NULL;
        if (end) {
            *line = (struct str){ p, (size_t)(end - p) };
            r->n_last = line->n + 1;
            r->next = r->offset + r->n_last;
            r->n_scanned = 0;
            r->line++;
            return AUD_READ_LINE;
        }
        r->n_scanned = len;
        int e = read_more(r);
        if (e < 0)
            return e;
        if (e == 0) {
            *line = (struct str){ p, len };
            return len ? AUD_READ_TORN : 0;
        }
    }
}
