// SPDX-License-Identifier: ISC
/* GitLab's Code Quality report: an array of issues. A second issue with the same
 * fingerprint would be dropped, so that of equal findings the number is part of it. */
#include "cli/report.h"

#include "base/json.h"

static const char *
severity_of(const struct report_item *it)
{
    if (it->is_observed)
        return "info";
    switch (it->action) {
    case DG_ALLOW:
    case DG_NOTE:
        return "info";
    case DG_WARN:
    case DG_REWRITE:
        return "minor";
    case DG_HOLD:
        return "major";
    case DG_REJECT:
        return "critical";
    }
    return "info";
}

static void
put_issue(struct json *j, const struct report_item *it)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT((size_t)1 << 20);

    buf_putf(&text, "%s: %s", it->what, it->message);
    if (it->hint)
        buf_putf(&text, " (%s)", it->hint);
    json_object(j);
    json_kv(j, "description", buf_cstr(&text));
    json_kv(j, "check_name", it->rule);
    json_kv(j, "fingerprint", it->fingerprint);
    json_kv(j, "severity", severity_of(it));
    json_key(j, "location");
    json_object(j);
    json_kv(j, "path", it->path);
    json_key(j, "lines");
    json_object(j);
    json_kv_int(j, "begin", it->at.line);
    json_kv_int(j, "end", it->at.end_line);
    json_object_end(j);
    json_object_end(j);
    json_object_end(j);
}

static void
write_gitlab(const struct report *r, struct report_out *out)
{
    struct json j = JSON_INIT(&out->buf);

    json_array(&j);
    for (size_t i = 0; i < r->n; i++) {
        put_issue(&j, &r->items[i]);
        report_flush(out);
    }
    json_array_end(&j);
    buf_puts(&out->buf, "\n");
    report_flush(out);
}

const struct report_writer report_gitlab = { "gitlab", write_gitlab, true };
