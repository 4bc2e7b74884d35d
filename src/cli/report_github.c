// SPDX-License-Identifier: ISC
/* Workflow commands of GitHub Actions: a line each, which the runner turns into an
 * annotation of the file. */
#include "cli/report.h"

#include <string.h>

/* Percent-encoded as the runner decodes it: always `%`, CR and LF, in properties `:` and
 * `,`, too. Whatever else could end or disguise the line is replaced. */
static void
put_escaped(struct buf *out, const char *s, bool is_property)
{
    for (; s && *s; s++) {
        size_t n = strcspn(s, is_property ? "%\r\n:," : "%\r\n");
        report_put_plain(out, (struct str){ s, n });
        s += n;
        if (!*s)
            return;
        buf_putf(out, "%%%02X", (unsigned)(unsigned char)*s);
    }
}

static void
put_item(struct buf *out, const struct report_item *it)
{
    static const char *const commands[] = {
        [REPORT_NOTE] = "notice",
        [REPORT_WARNING] = "warning",
        [REPORT_ERROR] = "error",
    };

    buf_putf(out, "::%s file=", commands[it->level]);
    put_escaped(out, it->path, true);
    buf_putf(out, ",line=%d,endLine=%d", it->at.line, it->at.end_line);
    /* the runner refuses columns of a range of lines */
    if (it->at.end_line == it->at.line)
        buf_putf(out, ",col=%d,endColumn=%d", it->at.column, it->at.end_column);
    buf_puts(out, ",title=");
    put_escaped(out, it->rule, true);
    buf_puts(out, "::");
    put_escaped(out, it->what, false);
    buf_puts(out, ": ");
    put_escaped(out, it->message, false);
    if (it->detail) {
        buf_puts(out, "%0A");
        put_escaped(out, it->detail, false);
    }
    if (it->hint) {
        buf_puts(out, "%0AHint: ");
        put_escaped(out, it->hint, false);
    }
    buf_puts(out, "\n");
}

static void
write_github(const struct report *r, struct report_out *out)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const struct report_file *f = &r->files[i];
        if (f->trouble) {
            buf_puts(&out->buf, "::error file=");
            put_escaped(&out->buf, f->path, true);
            if (f->trouble_line)
                buf_putf(&out->buf, ",line=%d", f->trouble_line);
            buf_puts(&out->buf, "::");
            put_escaped(&out->buf, f->trouble, false);
            buf_puts(&out->buf, "\n");
        }
        for (size_t k = 0; k < f->n; k++) {
            put_item(&out->buf, &r->items[f->first + k]);
            report_flush(out);
        }
    }
    report_summary(r, &out->buf);
    buf_puts(&out->buf, "\n");
    report_flush(out);
}

const struct report_writer report_github = { "github", write_github, false };
