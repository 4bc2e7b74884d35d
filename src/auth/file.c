// SPDX-License-Identifier: ISC
/* auth_file: users and their secrets; see secret.h. The syntax is pgbouncer's, stricter:
 * what pgbouncer passes over with a line in its log is an error here. */
#include "auth/secret.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX      ((size_t)64 << 20)
#define FILE_MAX_NAME 63 /* bytes; PostgreSQL cuts longer names */

struct auth_file {
    struct ref ref;
    struct map *users; /* owned; name to struct entry */
};

struct entry {
    struct auth_secret secret;
    int line;
};

struct loader {
    struct auth_file *file;
    const char *path;
    int line;
    struct err *err;
};

#define FAULT(l, ...) err_set((l)->err, -EINVAL, "%s:%d: " __VA_ARGS__)

static void
free_entry(void *value)
{
    struct entry *e = value;
    auth_secret_wipe(&e->secret);
    mem_free(e);
}

static void
free_file(struct ref *ref)
{
    struct auth_file *f = (struct auth_file *)ref;
    map_free(f->users);
    mem_free(f);
}

static void
file_drop(struct auth_file *f)
{
    ref_drop(f);
}
CLEANUP_DEFINE(struct auth_file *, file_drop)

static void
skip_blanks(struct str *s)
{
    while (s->n && (*s->p == ' ' || *s->p == '\t')) {
        s->p++;
        s->n--;
    }
}

/* Takes a text in double quotes off s. False: none there, or it has no end, or it is longer
 * than out may get. */
static bool
take_quoted(struct str *s, struct buf *out)
{
    if (s->n == 0 || *s->p != '"')
        return false;
    for (size_t i = 1; i < s->n; i++) {
        if (s->p[i] == '"' && (i + 1 == s->n || s->p[i + 1] != '"')) {
            s->p += i + 1;
            s->n -= i + 1;
            return true;
        }
        i += s->p[i] == '"';
        if (buf_addc(out, s->p[i]) != 0)
            return false;
    }
    return false;
}

static int
add_user(struct loader *l, struct str name, struct str secret)
{
    struct entry *old = map_get(l->file->users, name);
    struct auth_secret found;
    struct err why = { "" };

    if (old)
        return FAULT(l, "user \"%.*s\" is given a second time; the first is at %s:%d",
            l->path, l->line, (int)name.n, name.p, l->path, old->line);
    if (auth_secret_parse(secret, &found, &why))
        return FAULT(
            l, "user \"%.*s\": %s", l->path, l->line, (int)name.n, name.p, why.text);
    struct entry *e = mem_zalloc(sizeof(*e));
    e->secret = found;
    e->line = l->line;
    map_set(l->file->users, name, e);
    explicit_bzero(&found, sizeof(found));
    return 0;
}

static int
add_line(struct loader *l, struct str s)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(FILE_MAX_NAME);
    AUTO(buf_deinit) struct buf secret = BUF_INIT(AUTH_MAX_PASSWORD);

    secret.is_secret = true;
    if (s.n && s.p[s.n - 1] == '\r')
        s.n--;
    skip_blanks(&s);
    if (s.n == 0 || *s.p == ';' || *s.p == '#')
        return 0;
    if (memchr(s.p, 0, s.n))
        return FAULT(l, "a NUL stands in the line", l->path, l->line);
    if (!take_quoted(&s, &name) || buf_len(&name) == 0)
        return FAULT(l,
            "no user name of 1 to %d bytes in double quotes; a line is \"user\" "
            "\"secret\"",
            l->path, l->line, FILE_MAX_NAME);
    skip_blanks(&s);
    if (!take_quoted(&s, &secret))
        return FAULT(l,
            "no secret of up to %d bytes in double quotes follows user \"%s\"; a line is "
            "\"user\" \"secret\"",
            l->path, l->line, AUTH_MAX_PASSWORD, buf_cstr(&name));
    return add_user(l, (struct str){ buf_ptr(&name), buf_len(&name) },
        (struct str){ buf_len(&secret) ? buf_ptr(&secret) : "", buf_len(&secret) });
}

static int
add_lines(struct loader *l, struct str text)
{
    for (struct str line; str_next_line(&text, &line);) {
        l->line++;
        int r = add_line(l, line);
        if (r)
            return r;
    }
    return 0;
}

/* Looked at after reading: a file that was open to others for a moment is known to them. */
static int
check_mode(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return err_errno(err, -errno, "%s", path);
    if (st.st_mode & S_IRWXO)
        return err_set(err, -EINVAL,
            "%s: others than owner and group may use this file (mode %04o), and it holds "
            "secrets; run chmod o= on it",
            path, (unsigned)(st.st_mode & 07777));
    return 0;
}

int
auth_file_load(const char *path, struct auth_file **out, struct err *err)
{
    AUTO(file_drop) struct auth_file *f = mem_zalloc(sizeof(*f));
    char *text = NULL;
    size_t n = 0;

    ref_init(&f->ref, free_file);
    f->users = map_new(free_entry);
    int r = fs_read(path, FILE_MAX, &text, &n, err);
    if (r)
        return r;
    struct loader l = { .file = f, .path = path, .err = err };
    r = check_mode(path, err);
    if (!r)
        r = add_lines(&l, (struct str){ text, n });
    explicit_bzero(text, n);
    mem_free(text);
    if (r)
        return r;
    *out = f;
    f = NULL;
    return 0;
}

const struct auth_secret *
auth_file_find(const struct auth_file *f, const char *user)
{
    const struct entry *e = map_get(f->users, str_of(user));
    return e ? &e->secret : NULL;
}
