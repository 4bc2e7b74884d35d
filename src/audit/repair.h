// SPDX-License-Identifier: ISC
/* Brings a file in order that an earlier gate left behind. Internal to audit. */
#ifndef DG_AUDIT_REPAIR_H
#define DG_AUDIT_REPAIR_H

#include "audit/log.h"

/* Finds the end of the chain (in the file, else in the newest rotated one), cuts a torn
 * last line, moves a file away whose end can't be read. Emits audit.gap for what was cut,
 * and an outcome `unknown` for every open intent. Refuses a file that holds something
 * else. */
int aud_log_repair(struct aud_log *l, aud_emit_fn emit, void *ctx, struct err *err)
    MUST_CHECK;
/* Does the same in every FILE.<pid> whose process is gone. Errors there stop nothing: the
 * next start tries again. Only for the process that holds FILE itself. */
void aud_log_repair_orphans(const struct aud_log *l);

#endif
