// SPDX-License-Identifier: ISC
/* A single SQL file for the command line, read as a psql runner would. */
#include "base/fs.h"
#include "history/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int
read_stdin(char **text, size_t *len, struct err *err)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(HIST_MAX_FILE_BYTES);
    for (;;) {
        if (buf_reserve(&b, 65536) != 0)
            return err_set(err, -EFBIG, "standard input: more than %zu bytes",
                HIST_MAX_FILE_BYTES);
        ssize_t n = read(STDIN_FILENO, b.data + b.tail, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, -errno, "standard input");
        if (n == 0)
            break;
        b.tail += (size_t)n;
    }
    *len = buf_len(&b);
    *text = buf_steal(&b);
    return 0;
}

int
hist_file_text(const char *path, char **text, size_t *len, struct err *err)
{
    AUTO(mem_free) char *raw = NULL;
    size_t n = 0;
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    int r = is_stdin ? read_stdin(&raw, &n, err)
                     : fs_read(path, HIST_MAX_FILE_BYTES, &raw, &n, err);
    if (!r)
        r = hist_text_check(name, raw, n, err);
    if (r)
        return r;
    memset(raw, ' ', hist_bom(raw, n));
    r = hist_text_blank(name, raw, n, true, err);
    if (r)
        return r;
    *text = raw;
    *len = n;
    raw = NULL;
    return 0;
}
