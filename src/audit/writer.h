// SPDX-License-Identifier: ISC
/* What tests set of the writer: the system calls and the pace of retries. Internal. */
#ifndef DG_AUDIT_WRITER_H
#define DG_AUDIT_WRITER_H

#include "audit/audit.h"
#include "audit/file.h"

struct aud_tune {
    const struct aud_io *io; /* borrowed, must outlive the audit */
    int64_t retry_ms;        /* between attempts to make a new file */
    size_t queue_max;        /* bytes of rendered records that may wait */
};

int aud_open_tuned(const struct aud_conf *conf, const struct clk *clk,
    const struct aud_tune *tune, struct aud **out, struct err *err) MUST_CHECK;

#endif
