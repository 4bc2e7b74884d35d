// SPDX-License-Identifier: ISC
/* The file that is being written; see log.h. */
#include "audit/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/repair.h"
#include "base/mem.h"

#define BATCH_KEEP (4 * 1024 * 1024) /* bytes of memory that an empty batch may hold */

static int64_t
now_us(const struct aud_log *l)
{
    return l->clk->wall_us(l->clk);
}

static const char *
name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void
trust(struct aud_log *l)
{
    l->synced = l->chain;
    l->synced_size = l->size;
}

void
aud_log_add(struct aud_log *l, struct str head)
{
    char id[AUD_ID_SIZE];

    aud_id_next(&l->ids, now_us(l), id);
    aud_chain_add(&l->chain, id, head, &l->batch);
}

static void
empty_batch(struct aud_log *l)
{
    if (l->batch.cap > BATCH_KEEP)
        buf_deinit(&l->batch);
    buf_reset(&l->batch);
}

int
aud_log_flush(struct aud_log *l)
{
    struct stat st;

    if (buf_len(&l->batch) == 0)
        return 0;
    if (fstat(l->fd, &st) != 0)
        return -errno;
    /* Its last name is gone: whatever is written goes with the descriptor. */
    if (st.st_nlink == 0)
        return -ENOENT;
    /* Asked each time, not counted: somebody may have cut the file (copytruncate). */
    l->size = (uint64_t)st.st_size;
    if (l->synced_size > l->size)
        l->synced_size = l->size;
    int r = aud_file_write(l->io, l->fd, buf_ptr(&l->batch), buf_len(&l->batch));
    if (r)
        return r;
    l->size += buf_len(&l->batch);
    empty_batch(l);
    if (!l->is_durable)
        trust(l);
    return 0;
}

static int
sync_name(struct aud_log *l)
{
    int r = l->is_name_unsynced ? aud_file_sync_dir(l->io, l->path) : 0;

    if (!r)
        l->is_name_unsynced = false;
    return r;
}

int
aud_log_sync(struct aud_log *l)
{
    int r = sync_name(l);

    if (r)
        return r;
    if (l->io->fdatasync(l->io, l->fd) != 0)
        return -errno;
    trust(l);
    return 0;
}

void
aud_log_distrust(struct aud_log *l, struct aud_note *note)
{
    struct stat st;

    empty_batch(l);
    l->chain = l->synced;
    note->tail = "untrusted";
    if (fstat(l->fd, &st) != 0)
        return;
    uint64_t size = (uint64_t)st.st_size;
    if (size > l->synced_size) {
        if (l->io->ftruncate(l->io, l->fd, (off_t)l->synced_size) != 0)
            return;
        note->cut_bytes += size - l->synced_size;
    }
    l->size = l->synced_size;
    note->tail = "cut";
}

/* --- the change to a new file --------------------------------------------------------- */

enum place {
    PLACE_OURS,    /* the path still names our file */
    PLACE_FREE,    /* it names nothing, or an empty file that nobody holds */
    PLACE_FOREIGN, /* a file with content that nobody holds */
    PLACE_TAKEN,   /* another process writes there */
};

static enum place
look_at_path(const struct aud_log *l)
{
    struct stat ours, named;

    if (lstat(l->path, &named) != 0)
        return PLACE_FREE;
    if (fstat(l->fd, &ours) == 0 && ours.st_dev == named.st_dev
        && ours.st_ino == named.st_ino)
        return PLACE_OURS;
    AUTO(aud_fd) int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && aud_file_is_live(fd))
        return PLACE_TAKEN;
    return named.st_size > 0 ? PLACE_FOREIGN : PLACE_FREE;
}

bool
aud_log_is_moved(const struct aud_log *l)
{
    return look_at_path(l) != PLACE_OURS;
}

static void
render_first(struct aud_log *l, enum aud_event event, const char *reason,
    struct aud_note *note, struct aud_chain *chain, struct buf *out)
{
    AUTO(buf_deinit) struct buf head = BUF_INIT(AUD_MAX_LINE);
    struct aud_rec rec = { .event = event, .reason = reason };
    char id[AUD_ID_SIZE];

    note->open_intents = l->open_intents;
    aud_rec_render(&head, &rec, note, l->host, now_us(l));
    aud_id_next(&l->ids, now_us(l), id);
    aud_chain_add(chain, id, (struct str){ buf_ptr(&head), buf_len(&head) }, out);
}

/* Puts the new file `fresh` at the path, what is there at `rotated` (NULL: drops it). The
 * name is never without a file, so no second process can slip in between. */
static int
put_in_place(struct aud_log *l, const char *fresh, const char *rotated)
{
    if (rotated && l->io->link(l->io, l->path, rotated) != 0)
        return -errno;
    if (l->io->rename(l->io, fresh, l->path) == 0)
        return 0;
    int r = -errno;
    if (rotated)
        unlink(rotated);
    return r;
}

/* Writes the first record into `fresh` and puts that in place. */
static int
fill_and_place(struct aud_log *l, int fd, const char *fresh, const char *rotated,
    const struct buf *first)
{
    int r = aud_file_write(l->io, fd, buf_ptr(first), buf_len(first));
    if (r)
        return r;
    if (l->is_durable && l->io->fdatasync(l->io, fd) != 0)
        return -errno;
    return put_in_place(l, fresh, rotated);
}

/* Another process took the name while our file was away. */
static void
take_pid_path(struct aud_log *l)
{
    mem_free(l->path);
    l->path = mem_printf("%s.%ld", l->base, (long)getpid());
}

static char *
rotated_name(const struct aud_log *l, enum place place)
{
    struct stat st;

    /* An empty file isn't worth a name, and would stand in the way of the next reader. */
    if (place == PLACE_FREE
        || (place == PLACE_OURS && fstat(l->fd, &st) == 0 && st.st_size == 0))
        return NULL;
    return aud_rotated_name(l->path, now_us(l));
}

int
aud_log_switch(
    struct aud_log *l, enum aud_event event, const char *reason, struct aud_note *note)
{
    AUTO(buf_deinit) struct buf first = BUF_INIT(2 * AUD_MAX_LINE);
    struct aud_chain chain = l->synced;

    enum place place = look_at_path(l);
    if (place == PLACE_TAKEN) {
        take_pid_path(l);
        place = look_at_path(l);
    }
    AUTO(mem_free) char *fresh = mem_printf("%s.new", l->path);
    AUTO(mem_free) char *rotated = rotated_name(l, place);
    AUTO(aud_fd) int fd = -1;
    int r = aud_file_open(l->io, fresh, O_CREAT | O_TRUNC, &fd, NULL);
    if (r)
        return r > 0 ? -EBUSY : r;
    note->previous_file = place == PLACE_OURS && rotated ? name_of(rotated) : NULL;
    render_first(l, event, reason, note, &chain, &first);
    note->previous_file = NULL;
    r = fill_and_place(l, fd, fresh, rotated, &first);
    if (r) {
        unlink(fresh);
        return r;
    }
    close(l->fd);
    l->fd = fd;
    fd = -1;
    l->chain = chain;
    l->size = buf_len(&first);
    l->born_us = now_us(l);
    l->is_name_unsynced = true;
    trust(l);
    return 0;
}

/* --- open and close ------------------------------------------------------------------- */

static int
open_path(struct aud_log *l, bool may_add_pid, struct err *err)
{
    l->path = mem_strdup(l->base);
    int r = aud_file_open(l->io, l->path, O_CREAT, &l->fd, err);
    if (r != AUD_FILE_E_LOCKED)
        return r;
    if (!may_add_pid)
        return err_set(err, -EBUSY, "%s: is in use by another process", l->path);
    take_pid_path(l);
    r = aud_file_open(l->io, l->path, O_CREAT, &l->fd, err);
    if (r == AUD_FILE_E_LOCKED)
        return err_set(err, -EBUSY, "%s and %s: both are in use by other processes",
            l->base, l->path);
    return r;
}

int
aud_log_open(struct aud_log *l, const struct aud_conf *conf, bool may_add_pid,
    const struct clk *clk, const struct aud_io *io, aud_emit_fn emit, void *ctx,
    struct err *err)
{
    *l = (struct aud_log){
        .io = io,
        .clk = clk,
        .is_durable = conf->is_durable,
        .base = mem_strdup(conf->path),
        .fd = -1,
        .chain = aud_chain_start,
        .synced = aud_chain_start,
        .open_intents = map_new(NULL),
        .is_name_unsynced = true,
        .batch = BUF_INIT(4 * (size_t)AUD_MAX_LINE),
    };
    if (gethostname(l->host, sizeof(l->host) - 1) != 0)
        snprintf(l->host, sizeof(l->host), "unknown");
    int r = open_path(l, may_add_pid, err);
    if (r)
        return r;
    return aud_log_repair(l, emit, ctx, err);
}

void
aud_log_close(struct aud_log *l)
{
    /* Where durability wasn't asked for, this is the one place that waits for the disk. */
    if (l->fd >= 0) {
        l->io->fdatasync(l->io, l->fd);
        close(l->fd);
    }
    l->fd = -1;
    mem_free(l->base);
    mem_free(l->path);
    l->base = l->path = NULL;
    map_free(l->open_intents);
    l->open_intents = NULL;
    buf_deinit(&l->batch);
}
