// SPDX-License-Identifier: ISC
/* Lines for a policy's baseline file: what counts as known from now on. */
#include "cli/report.h"

static void
write_baseline(const struct report *r, struct report_out *out)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct report_item *it = &r->items[i];
        if (it->level == REPORT_NOTE)
            continue;
        buf_putf(&out->buf, "%s ", it->known);
        report_put_plain(&out->buf, str_of(it->name));
        buf_putf(&out->buf, ":%d\n", it->at.line);
        report_flush(out);
    }
}

const struct report_writer report_baseline = { "baseline", write_baseline, true };
