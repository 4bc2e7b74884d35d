// SPDX-License-Identifier: ISC
/* From struct aud_rec to the bytes of a line, in two steps: aud_rec_render on the caller's
 * thread writes everything but the end; aud_chain_add on the writer's thread adds what
 * depends on the place in the chain. Internal to audit.  thread: any, one per object */
#ifndef DG_AUDIT_RECORD_H
#define DG_AUDIT_RECORD_H

#include "audit/audit.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"

#define AUD_MAX_TEXT  (16 * 1024 * 1024) /* bytes of a statement's text */
#define AUD_MAX_LONG  (64 * 1024)        /* findings, reason, object */
#define AUD_MAX_SHORT (4 * 1024)         /* every other string */
/* A whole line: each byte may need six (\u001f). Open intents come on top. */
#define AUD_MAX_LINE (128 * 1024 * 1024)

/* What audit.gap and audit.rotated add to a record; NULL and 0 are left out. */
struct aud_note {
    const char *previous_file;      /* its name after the renaming, without folder */
    const char *tail;               /* "cut", "untrusted": state of its end */
    uint64_t cut_bytes;             /* of a torn last line */
    uint64_t lost_records;          /* were refused while nothing could be written */
    const char *error;              /* what failed */
    int64_t since_us;               /* wall time at which it failed */
    const struct map *open_intents; /* keys: their ids */
};

/* Appends `{"@timestamp":...` without the fields of the chain and the closing brace.
 * out must have AUD_MAX_LINE as its maximum. note may be NULL. */
void aud_rec_render(struct buf *out, const struct aud_rec *rec,
    const struct aud_note *note, const char *host, int64_t wall_us);

/* Does the record end the intent it names? (`executed` doesn't.) */
bool aud_rec_is_final(const struct aud_rec *rec);

/* The place in the chain: of the last record written. */
struct aud_chain {
    uint64_t sequence; /* 0: no record yet */
    char hash[HASH_HEX_SIZE];
};
extern const struct aud_chain aud_chain_start; /* sequence 0, hash all '0' */

/* Time-sortable event ids: 48 bits of milliseconds, 80 random ones, in Crockford's base32;
 * ids of one millisecond (or of a clock that went back) count up. */
#define AUD_ID_SIZE 27
struct aud_ids {
    uint64_t ms;
    uint8_t tail[10];
};
void aud_id_next(struct aud_ids *ids, int64_t wall_us, char out[AUD_ID_SIZE]);

/* Appends the whole line (head from aud_rec_render, chain fields, newline) and moves the
 * chain on. */
void aud_chain_add(
    struct aud_chain *chain, const char *id, struct str head, struct buf *out);
void aud_hash_line(struct str line, char out[HASH_HEX_SIZE]); /* without its newline */

const char *aud_event_category(enum aud_event e);
const char *aud_event_result(const struct aud_rec *rec); /* success, failure, unknown */

#endif
