// SPDX-License-Identifier: ISC
/* Which audit files belong together, and in which order; see file.h. */
#include "audit/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/line.h"
#include "base/clk.h"
#include "base/mem.h"

#define MAX_FILES 100000 /* in one folder */

/* "YYYYMMDDTHHMMSS.uuuuuuZ" after a dot */
static const char shape[] = ".00000000T000000.000000Z";

char *
aud_rotated_name(const char *path, int64_t wall_us)
{
    char t[CLK_RFC3339_SIZE];

    clk_rfc3339(wall_us, t); /* 2026-11-20T17:16:03.123456Z */
    return mem_printf("%s.%.4s%.2s%.2sT%.2s%.2s%.2s.%.6sZ", path, t, t + 5, t + 8,
        t + 11, t + 14, t + 17, t + 20);
}

size_t
aud_rotated_suffix(const char *name)
{
    size_t len = strlen(name), n = sizeof(shape) - 1;

    if (len <= n)
        return 0;
    for (size_t i = 0; i < n; i++) {
        char c = name[len - n + i];
        if (shape[i] == '0' ? c < '0' || c > '9' : c != shape[i])
            return 0;
    }
    return n;
}

struct found {
    char *path; /* owned */
    uint64_t first;
    bool has_first;
    bool is_rotated;
};

/* The sequence of a file's first record; false if it has none that can be read. */
static bool
first_sequence(const char *path, uint64_t *out)
{
    AUTO(aud_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    AUTO(aud_reader_deinit) struct aud_reader r;
    struct aud_line l;
    struct str line;
    const char *why;
    size_t at;

    aud_reader_init(&r, fd);
    return fd >= 0 && aud_reader_next(&r, &line) == AUD_READ_LINE
        && !aud_line_parse(line, &l, &why, &at)
        && !aud_line_uint(&l, "event.sequence", out);
}

static size_t
stem_length(const char *path)
{
    return strlen(path) - aud_rotated_suffix(path);
}

static int
compare_stems(const char *a, const char *b)
{
    size_t x = stem_length(a), y = stem_length(b);
    int c = memcmp(a, b, x < y ? x : y);

    return c ? c : (x > y) - (x < y);
}

static int
compare_names(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int c = compare_stems(x->path, y->path);

    return c ? c : strcmp(x->path, y->path);
}

static int
compare_sequence(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->is_rotated != y->is_rotated)
        return x->is_rotated ? -1 : 1; /* the current file is the last */
    if (x->has_first && y->has_first && x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* A file without a readable first record is placed by its name, and so are the others
 * then: an order must not depend on which two are compared. */
static void
sort_files(struct found *f, size_t n)
{
    bool are_known = true;

    for (size_t i = 0; i < n; i++) {
        f[i].has_first = first_sequence(f[i].path, &f[i].first);
        if (f[i].is_rotated && !f[i].has_first)
            are_known = false;
    }
    for (size_t i = 0; i < n && !are_known; i++)
        f[i].has_first = false;
    if (n)
        qsort(f, n, sizeof(*f), compare_sequence);
}

struct listing {
    struct found *items;
    size_t n, cap;
};

static void
listing_add(struct listing *l, char *path)
{
    MEM_GROW(l->items, l->n, l->cap);
    l->items[l->n++] = (struct found){ .path = path,
        .is_rotated = aud_rotated_suffix(path) > 0 };
}

static void
listing_deinit_p(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        mem_free(l->items[i].path);
    mem_free(l->items);
}

static void
dir_close_p(DIR **d)
{
    if (*d)
        closedir(*d);
}

/* NAME.jsonl, with the pid of a second process or the time of a rotation behind it. A
 * folder may hold other things; by content they can't be told from an edited record. */
static bool
has_audit_name(const char *name)
{
    static const char ext[] = ".jsonl";
    size_t n = strlen(name) - aud_rotated_suffix(name), digits = 0;

    if (name[0] == '.')
        return false;
    while (digits < n && name[n - digits - 1] >= '0' && name[n - digits - 1] <= '9')
        digits++;
    if (digits > 0 && digits < n && name[n - digits - 1] == '.')
        n -= digits + 1;
    return n >= sizeof(ext) - 1
        && strncmp(name + n - (sizeof(ext) - 1), ext, sizeof(ext) - 1) == 0;
}

/* The regular files of dir. prefix: only `prefix` itself and its rotated forms. */
static int
list_dir(const char *dir, const char *prefix, struct listing *out, struct err *err)
{
    AUTO(dir_close) DIR *d = opendir(dir);
    struct dirent *e;
    struct stat st;

    if (!d)
        return err_errno(err, -errno, "%s: can't be listed", dir);
    while ((e = readdir(d))) {
        const char *name = e->d_name;
        size_t n = strlen(name) - aud_rotated_suffix(name);
        if (prefix ? n != strlen(prefix) || strncmp(name, prefix, n) != 0
                   : !has_audit_name(name))
            continue;
        char *path = mem_printf("%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name);
        if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            mem_free(path);
            continue;
        }
        listing_add(out, path);
        if (out->n > MAX_FILES)
            return err_set(
                err, -EFBIG, "%s: more than %d files; name the files", dir, MAX_FILES);
    }
    return 0;
}

/* Moves items [from, to), all of one series, into s. */
static void
make_series(struct listing *l, size_t from, size_t to, struct aud_series *s)
{
    const char *any = l->items[from].path;

    s->path = mem_strndup(any, strlen(any) - aud_rotated_suffix(any));
    sort_files(l->items + from, to - from);
    s->n = to - from;
    s->files = mem_array(s->n, sizeof(*s->files));
    for (size_t i = 0; i < s->n; i++) {
        s->files[i] = l->items[from + i].path;
        l->items[from + i].path = NULL;
    }
}

static void
group(struct listing *l, struct aud_series **out, size_t *n)
{
    struct aud_series *list = NULL;
    size_t count = 0, cap = 0;

    qsort(l->items, l->n, sizeof(*l->items), compare_names);
    for (size_t from = 0, to; from < l->n; from = to) {
        for (to = from + 1; to < l->n; to++) {
            if (compare_stems(l->items[from].path, l->items[to].path) != 0)
                break;
        }
        MEM_GROW(list, count, cap);
        make_series(l, from, to, &list[count++]);
    }
    *out = list;
    *n = count;
}

static int
find_in_dir(const char *dir, struct aud_series **out, size_t *n, struct err *err)
{
    AUTO(listing_deinit) struct listing l = { 0 };

    int r = list_dir(dir, NULL, &l, err);
    if (r)
        return r;
    if (l.n == 0)
        return err_set(err, -ENOENT, "%s: no audit file in this folder", dir);
    group(&l, out, n);
    return 0;
}

/* path split into folder and name; the folder is "." for a bare name, and the names found
 * then get no "./" in front, since they are shown. */
static int
find_file(const char *path, struct aud_series **out, size_t *n, struct err *err)
{
    AUTO(listing_deinit) struct listing l = { 0 };
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct stat st;

    if (aud_rotated_suffix(path) > 0) {
        if (stat(path, &st) != 0)
            return err_errno(err, -errno, "%s", path);
        listing_add(&l, mem_strdup(path));
    } else {
        AUTO(mem_free)
        char *dir = !slash  ? mem_strdup(".")
            : slash == path ? mem_strdup("/")
                            : mem_strndup(path, (size_t)(slash - path));
        int r = list_dir(dir, name, &l, err);
        if (r)
            return r;
        for (size_t i = 0; i < l.n && !slash; i++)
            memmove(l.items[i].path, l.items[i].path + 2, strlen(l.items[i].path) - 1);
    }
    if (l.n == 0)
        return err_errno(err, -ENOENT, "%s", path);
    group(&l, out, n);
    return 0;
}

int
aud_series_find(const char *path, struct aud_series **out, size_t *n, struct err *err)
{
    struct stat st;

    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) {
            AUTO(mem_free) char *dir = mem_strdup(path);
            for (size_t len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--)
                dir[len - 1] = 0;
            return find_in_dir(dir, out, n, err);
        }
        if (!S_ISREG(st.st_mode))
            return err_set(err, -EINVAL, "%s: neither a file nor a folder", path);
    }
    return find_file(path, out, n, err);
}

void
aud_series_free(struct aud_series *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < s[i].n; k++)
            mem_free(s[i].files[k]);
        mem_free(s[i].files);
        mem_free(s[i].path);
    }
    mem_free(s);
}
