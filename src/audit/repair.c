// SPDX-License-Identifier: ISC
/* Repairs audit files at start; see repair.h. */
#include "audit/repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/scan.h"
#include "base/mem.h"

#define ENDED_REASON "gate ended before the server's answer"

static const char *
text_of(const struct aud_line *line, struct arena *a, const char *key)
{
    const struct aud_field *f = aud_line_find(line, key);

    if (!f || f->type != AUD_T_STRING)
        return NULL;
    AUTO(buf_deinit) struct buf b = BUF_INIT(f->raw.n + 4);
    aud_line_unescape(f->raw, &b);
    return arena_strdup(a, buf_cstr(&b));
}

static uint64_t
number_of(const struct aud_line *line, const char *key, uint64_t max)
{
    uint64_t v;

    return aud_line_uint(line, key, &v) || v > max ? 0 : v;
}

/* Who and what, as the intent said; the text and the digest can be found there. */
static void
fill_from_intent(struct aud_rec *rec, const struct aud_line *i, struct arena *a)
{
    rec->session_id = text_of(i, a, "ddlgate.session.id");
    rec->user = text_of(i, a, "user.name");
    rec->database = text_of(i, a, "db.namespace");
    rec->client_addr = text_of(i, a, "client.address");
    rec->client_port = (int)number_of(i, "client.port", 65535);
    rec->application_name = text_of(i, a, "ddlgate.application_name");
    rec->tls_version = text_of(i, a, "tls.version");
    rec->tls_cipher = text_of(i, a, "tls.cipher");
    rec->tls_subject = text_of(i, a, "tls.client.subject");
    rec->server_addr = text_of(i, a, "server.address");
    rec->server_port = (int)number_of(i, "server.port", 65535);
    rec->server_pid = (uint32_t)number_of(i, "ddlgate.upstream.pid", UINT32_MAX);
    rec->request_id = text_of(i, a, "ddlgate.request.id");
    rec->statement_id = number_of(i, "ddlgate.statement.id", INT64_MAX);
    rec->substatement_id = (unsigned)number_of(
        i, "ddlgate.substatement.id", UINT32_MAX);
    rec->command = text_of(i, a, "db.operation.name");
    rec->object_type = text_of(i, a, "ddlgate.object.type");
    rec->object = text_of(i, a, "db.collection.name");
    rec->cls = text_of(i, a, "ddlgate.class");
    rec->digest = text_of(i, a, "ddlgate.digest");
    rec->environment = text_of(i, a, "ddlgate.environment");
    rec->migration_source = text_of(i, a, "ddlgate.migration.source");
    rec->migration_version = text_of(i, a, "ddlgate.migration.version");
    rec->migration_file = text_of(i, a, "ddlgate.migration.file");
}

static void
close_intents(const struct map *intents, aud_emit_fn emit, void *ctx)
{
    struct str id;
    void *line;

    for (size_t pos = 0; map_next(intents, &pos, &id, &line);) {
        AUTO(arena_free) struct arena *a = arena_new();
        struct aud_rec rec = {
            .event = AUD_OUTCOME,
            .outcome = AUD_UNKNOWN,
            .reason = ENDED_REASON,
            .intent_id = arena_strndup(a, id.p, id.n),
        };
        struct aud_line intent;
        const char *why;
        size_t at;
        if (!aud_line_parse(str_of(line), &intent, &why, &at))
            fill_from_intent(&rec, &intent, a);
        emit(ctx, &rec, NULL);
    }
}

static int
cut_torn(struct aud_log *l, int fd, const struct aud_scan *s)
{
    if (s->torn_bytes == 0)
        return 0;
    return l->io->ftruncate(l->io, fd, (off_t)s->size) == 0 ? 0 : -errno;
}

/* After a crash between the two steps of a rotation our file has a second name. */
static bool
is_same_file(int fd, const char *path)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev
        && a.st_ino == b.st_ino;
}

/* The newest rotated file of our path, NULL if there is none; owned by the caller. */
static char *
newest_rotated(struct aud_log *l)
{
    struct aud_series *s;
    size_t n;
    char *newest = NULL;

    if (aud_series_find(l->path, &s, &n, NULL))
        return NULL;
    for (size_t i = 0; n && i < s->n; i++) {
        const char *file = s->files[i];
        if (strcmp(file, l->path) == 0)
            continue;
        if (is_same_file(l->fd, file)) {
            unlink(file);
            continue;
        }
        mem_free(newest);
        newest = mem_strdup(file);
    }
    aud_series_free(s, n);
    return newest;
}

static int
scan_file(
    struct aud_log *l, int fd, const char *path, struct aud_scan *s, struct err *err)
{
    int r = aud_scan_fd(fd, s);
    if (r == -EFBIG)
        return err_set(err, -EINVAL,
            "%s: a line is longer than an audit record can be; name another file",
            path);
    if (r)
        return err_errno(err, r, "%s: can't be read", path);
    if (s->is_foreign) {
        aud_scan_deinit(s);
        return err_set(err, -EINVAL,
            "%s: holds no audit record; name another file, or move this one away",
            path);
    }
    r = cut_torn(l, fd, s);
    if (r) {
        aud_scan_deinit(s);
        return err_errno(err, r, "%s: its torn last line can't be cut off", path);
    }
    return 0;
}

/* Scans our file or, when it is empty, the newest rotated one, whose chain goes on here. */
static int
scan_newest(struct aud_log *l, struct aud_scan *out, struct err *err)
{
    AUTO(mem_free) char *rotated = newest_rotated(l);

    int r = scan_file(l, l->fd, l->path, out, err);
    if (r)
        return r;
    l->size = l->synced_size = out->size;
    memcpy(l->first_prev, out->first_prev, sizeof(l->first_prev));
    l->born_us = out->born_us ? out->born_us : l->clk->wall_us(l->clk);
    if (out->lines > 0 || !rotated)
        return 0;
    uint64_t torn = out->torn_bytes;
    AUTO(aud_fd)
    int fd = l->io->open(l->io, rotated, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0)
        return err_errno(err, -errno, "%s: can't be opened", rotated);
    aud_scan_deinit(out);
    r = scan_file(l, fd, rotated, out, err);
    if (r)
        return r;
    out->torn_bytes += torn;
    return 0;
}

/* Tells of what was cut; a file with a damaged end is left behind. A file that goes on
 * with another's chain says so in its first record. */
static int
record_state(struct aud_log *l, const struct aud_scan *s, aud_emit_fn emit, void *ctx)
{
    struct aud_note note = { .cut_bytes = s->torn_bytes };
    struct aud_rec rec = { .event = AUD_ROTATED,
        .reason = "the file was new at start" };

    if (s->is_end_damaged) {
        note.tail = "untrusted";
        return aud_log_switch(l, AUD_GAP, "the last records can't be read", &note);
    }
    if (s->torn_bytes > 0) {
        note.tail = "cut";
        rec.event = AUD_GAP;
        rec.reason = "the last record was torn";
    } else if (l->size > 0 || s->chain.sequence == 0) {
        return 0;
    }
    emit(ctx, &rec, &note);
    return 0;
}

int
aud_log_repair(struct aud_log *l, aud_emit_fn emit, void *ctx, struct err *err)
{
    AUTO(aud_scan_deinit) struct aud_scan s = { 0 };

    int r = scan_newest(l, &s, err);
    if (r)
        return r;
    AUTO(mem_free) char *fresh = mem_printf("%s.new", l->path);
    unlink(fresh); /* of a gate that ended while it made one; we hold the lock */
    l->chain = l->synced = s.chain;
    r = record_state(l, &s, emit, ctx);
    if (r)
        return err_errno(
            err, r, "%s: its end can't be read, and it can't be replaced", l->path);
    close_intents(s.open_intents, emit, ctx);
    return 0;
}

/* --- FILE.<pid> ----------------------------------------------------------------------- */

struct orphan {
    struct aud_log log;
    int error;
};

static void
write_orphan(void *ctx, const struct aud_rec *rec, const struct aud_note *note)
{
    AUTO(buf_deinit) struct buf head = BUF_INIT(AUD_MAX_LINE);
    struct orphan *o = ctx;
    struct aud_log *l = &o->log;

    if (o->error)
        return;
    aud_rec_render(&head, rec, note, l->host, l->clk->wall_us(l->clk));
    aud_log_add(l, (struct str){ buf_ptr(&head), buf_len(&head) });
    o->error = aud_log_flush(l);
}

static void
repair_orphan(const struct aud_log *l, const char *path, int64_t pid)
{
    struct orphan o = { .log = { .fd = -1 } };
    struct aud_note note = { 0 };
    AUTO(aud_scan_deinit) struct aud_scan s = { 0 };
    struct aud_conf conf = { .path = path, .is_durable = l->is_durable };

    AUTO(aud_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || aud_file_is_live(fd) || aud_scan_fd(fd, &s) || s.pid != pid)
        return;
    if (s.torn_bytes == 0 && map_count(s.open_intents) == 0)
        return;
    /* logrotate's FILE.1 in a container, where a gate is process 1: our own predecessor,
     * whose intents have their outcomes here. */
    if (strcmp(s.chain.hash, l->first_prev) == 0)
        return;
    int r = aud_log_open(&o.log, &conf, false, l->clk, l->io, write_orphan, &o, NULL);
    if (!r && o.error)
        aud_log_distrust(&o.log, &note); /* the next start tries again */
    aud_log_close(&o.log);
}

/* The pid in "<base>.<pid>", 0 if name has another form. */
static int64_t
pid_in_name(const char *name, const char *base)
{
    int64_t pid;
    size_t n = strlen(base);

    if (!str_prefix(name, base) || name[n] != '.'
        || str_int64(str_of(name + n + 1), 1, INT32_MAX, &pid))
        return 0;
    return pid;
}

void
aud_log_repair_orphans(const struct aud_log *l)
{
    const char *slash = strrchr(l->base, '/');
    const char *name = slash ? slash + 1 : l->base;
    AUTO(mem_free)
    char *dir = mem_strndup(l->base, slash ? (size_t)(slash - l->base) + 1 : 0);
    DIR *d = opendir(*dir ? dir : ".");
    struct dirent *e;

    while (d && (e = readdir(d))) {
        int64_t pid = pid_in_name(e->d_name, name);
        if (pid == 0 || pid == getpid())
            continue;
        AUTO(mem_free) char *path = mem_printf("%s%s", dir, e->d_name);
        repair_orphan(l, path, pid);
    }
    if (d)
        closedir(d);
}
