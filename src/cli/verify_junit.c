// SPDX-License-Identifier: ISC
/* JUnit's XML: a suite for each migration; a case for each thing that was tried, and one for
 * each finding, as `ddlgate check` writes them. */
#include "cli/verify.h"

#include <inttypes.h>
#include <string.h>

#define MAX_CHANGES 50

struct suite {
    struct buf *out;
    const struct verify_result *r;
    size_t n, n_failing;
};

static void
begin_case(struct suite *s, const char *name, int64_t us)
{
    s->n++;
    buf_puts(s->out, "    <testcase");
    report_junit_attribute(s->out, "name", name);
    report_junit_attribute(s->out, "classname", s->r->m->shown);
    report_junit_attribute(s->out, "file", s->r->m->shown);
    buf_putf(s->out, " time=\"%.6f\"", (double)us / 1000000);
}

static void
put_failure(struct suite *s, const char *type, const char *message, const char *text)
{
    s->n_failing++;
    buf_puts(s->out, ">\n      <failure");
    report_junit_attribute(s->out, "type", type);
    report_junit_attribute(s->out, "message", message);
    buf_puts(s->out, ">");
    report_junit_text(s->out, text);
    buf_puts(s->out, "</failure>\n    </testcase>\n");
}

static void
put_output(struct suite *s, const char *text)
{
    buf_puts(s->out, ">\n      <system-out>");
    report_junit_text(s->out, text);
    buf_puts(s->out, "</system-out>\n    </testcase>\n");
}

/* What the server said, or the difference. */
static void
describe(struct buf *text, const struct verify_step *step)
{
    const struct apply_result *run = &step->run;

    if (step->outcome == VERIFY_CHANGED) {
        (void)!cat_diff_text(&step->diff, "", MAX_CHANGES, text);
        return;
    }
    buf_puts(text, run->err.text);
    if (run->detail)
        buf_putf(text, "\ndetail: %s", run->detail);
    if (run->hint)
        buf_putf(text, "\nhint: %s", run->hint);
}

/* is_failing: a bad outcome is one of the suite. */
static void
put_step(struct suite *s, const char *name, const struct verify_step *step,
    const char *changed, bool is_failing)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT((size_t)64 << 20);

    if (step->outcome == VERIFY_NOT_DONE || step->outcome == VERIFY_IN_BASE)
        return;
    begin_case(s, name, step->run.us);
    if (step->outcome == VERIFY_FINE) {
        buf_puts(s->out, "/>\n");
        return;
    }
    describe(&text, step);
    const char *message = step->outcome == VERIFY_FAILED ? step->run.err.text : changed;
    if (is_failing)
        put_failure(s, step->outcome == VERIFY_FAILED ? "error" : "schema", message,
            buf_cstr(&text));
    else
        put_output(s, buf_cstr(&text));
}

/* Locks, rewrites and rows of the first run. */
static void
put_run(struct suite *s)
{
    const struct verify_step *step = &s->r->apply;
    const struct apply_result *run = &step->run;
    AUTO(buf_deinit) struct buf text = BUF_INIT((size_t)64 << 20);

    if (step->outcome != VERIFY_FINE) {
        put_step(s, "runs", step, "", true);
        return;
    }
    begin_case(s, "runs", run->us);
    buf_putf(&text, "%" PRId64 " rows\n", run->n_rows);
    for (size_t i = 0; i < run->n_locks; i++)
        buf_putf(&text, "locks %s: %s\n", run->locks[i].mode, run->locks[i].table);
    for (size_t i = 0; i < run->n_rewritten; i++)
        buf_putf(&text, "rewrites %s\n", run->rewritten[i]);
    put_output(s, buf_cstr(&text));
}

static void
put_lacks(struct suite *s)
{
    char words[HIST_MAX_TESTED], message[200];
    unsigned lacks = verify_lacks(s->r);

    if (!lacks || s->r->apply.outcome == VERIFY_NOT_DONE)
        return;
    begin_case(s, "has what policy requires", 0);
    snprintf(message, sizeof(message), "policy requires it to be %s",
        hist_tested_text(lacks, words));
    put_failure(s, "require", message, message);
}

static void
put_cases(struct suite *s)
{
    const struct verify_result *r = s->r;

    if (r->apply.outcome == VERIFY_NOT_DONE || r->apply.outcome == VERIFY_IN_BASE) {
        begin_case(s, "runs", 0);
        buf_putf(s->out, ">\n      <skipped message=\"%s\"/>\n    </testcase>\n",
            r->apply.outcome == VERIFY_IN_BASE ? "it is in the base"
                                               : "one before it failed");
    } else {
        put_run(s);
    }
    put_step(s, "rollback gives the schema before", &r->rollback,
        "the rollback leaves another schema than before", true);
    put_step(s, "applied once more", &r->reapply,
        "applied once more, it gives another schema", true);
    put_step(s, "changes nothing when run twice", &r->again,
        "a second run changes the schema", r->required & HIST_IDEMPOTENT);
    put_lacks(s);
    for (size_t i = 0; i < r->file->n; i++) {
        const struct report_item *it = &r->findings->items[r->file->first + i];
        report_junit_case(s->out, r->file, it);
        s->n++;
        s->n_failing += it->is_failing;
    }
}

static void
put_migration(
    struct buf *out, const struct verify_result *r, struct verify_totals *totals)
{
    AUTO(buf_deinit) struct buf cases = BUF_INIT((size_t)256 << 20);
    struct suite s = { .out = &cases, .r = r };

    put_cases(&s);
    buf_puts(out, "  <testsuite");
    report_junit_attribute(out, "name", r->m->shown);
    report_junit_counts(out, s.n, s.n_failing, 0);
    buf_puts(out, ">\n");
    buf_put(out, buf_ptr(&cases), buf_len(&cases));
    buf_puts(out, "  </testsuite>\n");
    totals->n_cases += s.n;
    totals->n_case_failures += s.n_failing;
}

static void
put_source(struct buf *out, const struct hist_set *set, const char *server)
{
    (void)out, (void)set, (void)server;
}

static void
put_source_end(struct buf *out)
{
    (void)out;
}

static void
put_all(struct buf *out, struct buf *body, const struct verify_totals *t)
{
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    report_junit_attribute(out, "name", "ddlgate verify");
    report_junit_counts(out, t->n_cases, t->n_case_failures, 0);
    buf_puts(out, ">\n");
    if (buf_len(body))
        buf_put(out, buf_ptr(body), buf_len(body));
    buf_puts(out, "</testsuites>\n");
}

const struct verify_writer verify_junit = { "junit", put_source, put_migration,
    put_source_end, put_all };
