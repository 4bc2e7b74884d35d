// SPDX-License-Identifier: ISC
/* Files: whole reads with a limit, stable reads, paths relative to a file.  thread: any */
#ifndef DG_BASE_FS_H
#define DG_BASE_FS_H

#include "base/err.h"

#define FS_WALK_MAX 100000 /* files and folders below one folder */

/* Reads the whole file; *out is owned by the caller and NUL-terminated after *n bytes.
 * Refuses what is no regular file and what is larger than max bytes.
 * Returns 0 or -errno with err "path: reason". */
int fs_read(const char *path, size_t max, char **out, size_t *n, struct err *err)
    MUST_CHECK;

/* Puts n bytes into the file in one step (written beside it, synced, renamed): others see the
 * old file or the new one, whole. A new file gets the mode, one that is replaced keeps its
 * own, and its owner; a symbolic link stays and its file is replaced. Returns 0 or -errno
 * with err "path: reason"; the old file is then as it was. */
int fs_replace(const char *path, const void *data, size_t n, unsigned mode,
    struct err *err) MUST_CHECK;
/* The same with a file that still holds `was`; else -EAGAIN, nothing done. */
int fs_edit(const char *path, const char *was, size_t n_was, const char *text, size_t n,
    struct err *err) MUST_CHECK;

/* `path` as it stands in file `from`: absolute stays, relative is relative to the folder
 * of `from`. The caller owns the result. */
char *fs_relative_to(const char *from, const char *path);

/* Calls fn for every regular file below dir (recursive, sorted by path, bytewise), path
 * relative to dir. Symbolic links are followed; those that lead out of dir or nowhere, and
 * loops, are an error. Names that start with a dot are passed over: editors and version
 * control keep their own things there. More than FS_WALK_MAX entries are an error.
 * Stops at fn's first non-zero return and passes it on. */
int fs_walk(const char *dir, int (*fn)(void *ctx, const char *relpath), void *ctx,
    struct err *err) MUST_CHECK;

#endif
