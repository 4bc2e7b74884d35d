// SPDX-License-Identifier: ISC
/* A single SQL file for the command line, read as a psql runner would. */
#include "base/fs.h"
#include "history/psql.h"
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
hist_file_read(const char *path, struct arena *a, const char **text, size_t *len,
    const struct hist_sent **sent, struct err *err)
{
    AUTO(mem_free) char *raw = NULL;
    size_t n = 0;
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    const char *slash = strrchr(path, '/');
    AUTO(mem_free)
    char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + (slash == path))
                         : mem_strdup(".");
    struct hist_psql conf = { .folder = is_stdin ? NULL : folder,
        .is_lenient = true,
        .max_bytes = HIST_MAX_FILE_BYTES,
        .arena = a };
    struct hist_sent *other = NULL;
    int r = is_stdin ? read_stdin(&raw, &n, err)
                     : fs_read(path, HIST_MAX_FILE_BYTES, &raw, &n, err);
    if (!r)
        r = hist_text_check(name, raw, n, err);
    if (r)
        return r;
    memset(raw, ' ', hist_bom(raw, n));
    r = hist_psql_read(&conf, name, raw, n, &other, err);
    if (r)
        return r;
    *text = other ? other->text : arena_strndup(a, raw, n);
    *len = other ? other->len : n;
    *sent = other;
    return 0;
}

int
hist_file_text(const char *path, char **text, size_t *len, struct err *err)
{
    AUTO(arena_free) struct arena *a = arena_new();
    const struct hist_sent *sent;
    const char *t;
    size_t n;
    int r = hist_file_read(path, a, &t, &n, &sent, err);

    if (r)
        return r;
    *text = mem_strndup(t, n);
    *len = n;
    return 0;
}
