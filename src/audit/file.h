// SPDX-License-Identifier: ISC
/* Audit files: opening with a lock, whole writes, names of rotated files, reading line by
 * line. The calls that can fail on a bad disk go through struct aud_io, so that a test can
 * make the n-th one fail. Internal to audit and cli.  thread: any, one per object */
#ifndef DG_AUDIT_FILE_H
#define DG_AUDIT_FILE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

/* As the system calls of these names: -1 and errno on failure. */
struct aud_io {
    int (*open)(const struct aud_io *io, const char *path, int flags, mode_t mode);
    ssize_t (*write)(const struct aud_io *io, int fd, const void *p, size_t n);
    int (*fdatasync)(const struct aud_io *io, int fd);
    int (*ftruncate)(const struct aud_io *io, int fd, off_t size);
    int (*link)(const struct aud_io *io, const char *from, const char *to);
    int (*rename)(const struct aud_io *io, const char *from, const char *to);
    void *ctx;
};
extern const struct aud_io aud_io_real;

enum {
    AUD_FILE_E_LOCKED = 1,
};

/* Opens path for appending (mode 0600 when made) with `flags` added, refuses what is no
 * regular file, takes the lock that lives as long as the descriptor, and makes sure that
 * path still names the locked file.
 * Returns 0, AUD_FILE_E_LOCKED (another process has it), or -errno with err. */
int aud_file_open(const struct aud_io *io, const char *path, int flags, int *fd,
    struct err *err) MUST_CHECK;
/* Writes all of it, however many calls that takes. 0 or -errno. */
int aud_file_write(const struct aud_io *io, int fd, const void *p, size_t n) MUST_CHECK;
/* Syncs the folder that holds path, so that a new name survives a power cut. */
int aud_file_sync_dir(const struct aud_io *io, const char *path) MUST_CHECK;
/* Does another open file hold the lock, that is: is a gate writing to it? */
bool aud_file_is_live(int fd);

/* "<path>.20261120T171603.123456Z", owned by the caller. */
char *aud_rotated_name(const char *path, int64_t wall_us);
/* Length of that suffix in name (with its dot), 0 if it has none. */
size_t aud_rotated_suffix(const char *name);

/* --- series: a file and its rotated forms -------------------------------------------- */

struct aud_series {
    char *path;   /* owned; the file that is written */
    char **files; /* owned; oldest first, path last if it exists */
    size_t n;
};

/* path: a file (its rotated forms are found beside it; path itself may be missing when
 * there are some), one rotated file (taken alone), or a folder (all series of
 * files NAME.jsonl and NAME.jsonl.<pid> in it, sorted by name). Order is that of the first records' event.sequence, so that a clock that went
 * back doesn't matter. 0 or -errno with err. */
int aud_series_find(
    const char *path, struct aud_series **out, size_t *n, struct err *err) MUST_CHECK;
void aud_series_free(struct aud_series *s, size_t n);

/* --- reading ------------------------------------------------------------------------- */

struct aud_reader {
    int fd;           /* borrowed */
    uint64_t line;    /* number of the line returned last, from 1 */
    uint64_t offset;  /* its first byte */
    uint64_t next;    /* the byte after its newline */
    struct buf buf;   /* read, not yet returned */
    size_t n_last;    /* bytes of buf that the last line holds */
    size_t n_scanned; /* bytes of buf without a newline */
};

enum {
    AUD_READ_LINE = 1,
    AUD_READ_TORN = 2, /* bytes after the last newline; more may come later */
};

void
aud_reader_init(struct aud_reader *r, int fd); /* reads from the descriptor's place */
void aud_reader_deinit(struct aud_reader *r);
/* *line: without newline, valid until the next call.
 * AUD_READ_LINE, AUD_READ_TORN, 0 at the end, -EFBIG (longer than AUD_MAX_LINE), -errno. */
int aud_reader_next(struct aud_reader *r, struct str *line) MUST_CHECK;

static inline void
aud_reader_deinit_p(struct aud_reader *r)
{
    aud_reader_deinit(r);
}

/* AUTO(aud_fd) int fd = -1; */
void aud_fd_p(const int *fd);

#endif
