// SPDX-License-Identifier: ISC
/* JUnit's XML as CI systems read it: a suite for each file, a case for each finding, which
 * fails where the finding is at or above the fail level; a file without findings is one
 * case that passes. */
#include "cli/report.h"

#include <string.h>

#include "base/names.h"

/* XML 1.0 has no way to write control characters: they are replaced. */
void
report_junit_text(struct buf *out, const char *s)
{
    for (; s && *s; s++) {
        size_t n = strcspn(s, "<>&\"'\t\n");
        report_put_plain(out, (struct str){ s, n });
        s += n;
        if (!*s)
            return;
        buf_putf(out, "&#%d;", *s);
    }
}

void
report_junit_attribute(struct buf *out, const char *name, const char *value)
{
    buf_putf(out, " %s=\"", name);
    report_junit_text(out, value);
    buf_puts(out, "\"");
}

void
report_junit_counts(struct buf *out, size_t tests, size_t failures, size_t errors)
{
    buf_putf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\"", tests,
        failures, errors);
}

/* Cases of one name in one class would be taken for one. */
void
report_junit_case(
    struct buf *out, const struct report_file *f, const struct report_item *it)
{
    char name[400];

    snprintf(name, sizeof(name), "%d:%d %.100s: %.250s", it->at.line, it->at.column,
        it->rule, it->what);
    buf_puts(out, "    <testcase");
    report_junit_attribute(out, "name", name);
    report_junit_attribute(out, "classname", f->path);
    report_junit_attribute(out, "file", it->path);
    buf_putf(out, " line=\"%d\">\n", it->at.line);
    buf_puts(out, it->is_failing ? "      <failure" : "      <system-out>");
    if (it->is_failing) {
        report_junit_attribute(out, "type", it->rule);
        report_junit_attribute(out, "message", it->message);
        buf_puts(out, ">");
    }
    report_junit_text(out, it->name);
    buf_putf(out, ":%d:%d: %s (%s): ", it->at.line, it->at.column,
        report_level_name(it->level), dg_action_name(it->action));
    report_junit_text(out, it->what);
    buf_puts(out, ": ");
    report_junit_text(out, it->message);
    buf_puts(out, "\n");
    report_junit_text(out, it->source);
    if (it->detail) {
        buf_puts(out, "\n");
        report_junit_text(out, it->detail);
    }
    if (it->hint) {
        buf_puts(out, "\nhint: ");
        report_junit_text(out, it->hint);
    }
    buf_puts(out, it->is_failing ? "</failure>\n" : "</system-out>\n");
    buf_puts(out, "    </testcase>\n");
}

static void
put_lone_case(struct buf *out, const struct report_file *f)
{
    buf_puts(out, "    <testcase");
    report_junit_attribute(out, "name", f->trouble ? "can be judged" : "no findings");
    report_junit_attribute(out, "classname", f->path);
    report_junit_attribute(out, "file", f->path);
    if (!f->trouble) {
        buf_puts(out, "/>\n");
        return;
    }
    buf_puts(out, ">\n      <error type=\"trouble\"");
    report_junit_attribute(out, "message", f->trouble);
    buf_puts(out, "/>\n    </testcase>\n");
}

static void
put_suite(struct report_out *out, const struct report *r, const struct report_file *f)
{
    size_t n_failing = 0;

    for (size_t i = 0; i < f->n; i++)
        n_failing += r->items[f->first + i].is_failing;
    buf_puts(&out->buf, "  <testsuite");
    report_junit_attribute(&out->buf, "name", f->path);
    report_junit_counts(&out->buf, f->n ? f->n : 1, n_failing, f->trouble != NULL);
    buf_puts(&out->buf, ">\n");
    if (!f->n)
        put_lone_case(&out->buf, f);
    for (size_t i = 0; i < f->n; i++) {
        report_junit_case(&out->buf, f, &r->items[f->first + i]);
        report_flush(out);
    }
    buf_puts(&out->buf, "  </testsuite>\n");
    report_flush(out);
}

static void
write_junit(const struct report *r, struct report_out *out)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_files; i++)
        n += r->files[i].n ? r->files[i].n : 1;
    buf_puts(&out->buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    report_junit_attribute(&out->buf, "name", "ddlgate check");
    report_junit_counts(&out->buf, n, r->n_failing, r->n_trouble);
    buf_puts(&out->buf, ">\n");
    for (size_t i = 0; i < r->n_files; i++)
        put_suite(out, r, &r->files[i]);
    buf_puts(&out->buf, "</testsuites>\n");
    report_flush(out);
}

const struct report_writer report_junit = { "junit", write_junit, true };
