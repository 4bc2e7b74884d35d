// SPDX-License-Identifier: ISC
/* The file that is being written: its lock, its chain, its repair at start, the change to a
 * new file. Knows nothing of queues and waiters. Internal to audit.
 *
 * States of what was added:
 *
 *     aud_log_add      in memory (batch)
 *     aud_log_flush    in the file               chain
 *     aud_log_sync     on the disk, trusted      synced
 *
 * After any failure aud_log_distrust goes back to `synced`: what was behind it is cut off
 * if the file still allows that. Where `is_durable` is not set, flush is trusted.
 * thread: one at a time */
#ifndef DG_AUDIT_LOG_H
#define DG_AUDIT_LOG_H

#include "audit/file.h"
#include "audit/record.h"

struct aud_log {
    const struct aud_io *io;
    const struct clk *clk;
    bool is_durable;
    char *base; /* owned; as configured */
    char *path; /* owned; in use: base, or base.<pid> */
    int fd;     /* locked; -1 before open */
    struct aud_chain chain;
    struct aud_chain synced;
    uint64_t synced_size; /* bytes of the file up to `synced` */
    uint64_t size;        /* bytes of the file */
    int64_t born_us;      /* wall time of the file's first record */
    struct aud_ids ids;
    struct map *open_intents; /* owned; keys: ids of intents without a final outcome */
    struct buf batch;
    bool is_name_unsynced; /* the folder must be synced before anything is trusted */
    char first_prev[HASH_HEX_SIZE]; /* at open: prev.hash of the file's first record */
    char host[256];
};

/* Takes the records that a repair wants written; borrowed. */
typedef void (*aud_emit_fn)(
    void *ctx, const struct aud_rec *rec, const struct aud_note *note);

/* Opens, locks, repairs (see audit.h). What the repair has to say goes to emit, for the
 * caller to add: a full disk must not keep the gate from starting. may_add_pid: take
 * another name when the file is locked. aud_log_close must follow, also after an error. */
int aud_log_open(struct aud_log *l, const struct aud_conf *conf, bool may_add_pid,
    const struct clk *clk, const struct aud_io *io, aud_emit_fn emit, void *ctx,
    struct err *err) MUST_CHECK;
/* Syncs what was flushed and lets go of the file. Works after a failed open. */
void aud_log_close(struct aud_log *l);

/* Adds a rendered record (aud_rec_render) to the batch. */
void aud_log_add(struct aud_log *l, struct str head);
/* Writes the batch with one write, as far as the system allows. 0, -errno (-ENOENT: the
 * file was removed); then aud_log_distrust must follow. */
int aud_log_flush(struct aud_log *l) MUST_CHECK;
int aud_log_sync(struct aud_log *l) MUST_CHECK; /* likewise */
void
aud_log_distrust(struct aud_log *l, struct aud_note *note); /* sets tail, cut_bytes */

/* A new file, whose first record is `event` (AUD_GAP, AUD_ROTATED) with note, to which the
 * previous file's name and the open intents are added. The old file keeps its content
 * under a rotated name. Nothing may be flushed and not synced. On failure the old file
 * stays in use, and no new one is left behind. The new name is on the disk after the next
 * aud_log_sync. */
int aud_log_switch(struct aud_log *l, enum aud_event event, const char *reason,
    struct aud_note *note) MUST_CHECK;
/* Is the file still at its name? (logrotate moved it) */
bool aud_log_is_moved(const struct aud_log *l);

#endif
