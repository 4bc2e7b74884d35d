// SPDX-License-Identifier: ISC
/* What a file tells at start: where its chain ends, and which intents are open. Internal to
 * audit.  thread: any */
#ifndef DG_AUDIT_SCAN_H
#define DG_AUDIT_SCAN_H

#include "audit/line.h"
#include "audit/record.h"

struct aud_scan {
    uint64_t size;       /* bytes of whole lines */
    uint64_t torn_bytes; /* after them */
    uint64_t lines;
    struct aud_chain chain;         /* of the last record that can be read */
    bool is_end_damaged;            /* lines after that one can't be read */
    bool is_foreign;                /* holds something, but no audit record */
    int64_t born_us;                /* time of the first record; 0: unknown */
    char first_prev[HASH_HEX_SIZE]; /* its ddlgate.prev.hash; "" unknown */
    int64_t pid;                    /* process.pid of the last record; 0: unknown */
    struct map *open_intents; /* owned; id -> line of the intent, "" when only its id is
                                 known (listed by an audit.rotated or audit.gap record) */
};

/* Reads the whole file from its start. Lines are only parsed where they matter, so that a
 * file of a gigabyte takes about a second. 0 or -errno. */
int aud_scan_fd(int fd, struct aud_scan *out) MUST_CHECK;
void aud_scan_deinit(struct aud_scan *s);

/* Notes in open (id -> copy of text) which intents the record opens and closes. */
void aud_intents_follow(struct map *open, const struct aud_line *l, struct str text);

static inline void
aud_scan_deinit_p(struct aud_scan *s)
{
    aud_scan_deinit(s);
}

#endif
