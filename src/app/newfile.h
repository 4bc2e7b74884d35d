// SPDX-License-Identifier: ISC
/* New files in a folder that others read and write at the same time: each appears whole and
 * under its name, or not at all, and never in the place of another one.  thread: any */
#ifndef DG_APP_NEWFILE_H
#define DG_APP_NEWFILE_H

#include "base/err.h"

struct newfile {
    const char
        *path; /* below the folder; no `..`, at most one folder that is not there */
    const char *text;
    size_t len;
};

/* Writes them in order, mode 0644, on disk when it returns. All or none: on an error what
 * was written is taken back. -EEXIST: one of them is there already, or the new folder is. */
int newfile_write(const char *folder, const struct newfile *files, size_t n,
    struct err *err) MUST_CHECK;

#endif
