// SPDX-License-Identifier: ISC
/* For people: a line for each migration, and below it what they should know. */
#include "cli/verify.h"

#include <inttypes.h>
#include <string.h>

#include "base/names.h"

#define MAX_CHANGES 50 /* of one difference that are shown */

static void
put_time(struct buf *out, int64_t us)
{
    if (us < 10000)
        buf_putf(out, "%.1f ms", (double)us / 1000);
    else if (us < 10000000)
        buf_putf(out, "%" PRId64 " ms", us / 1000);
    else
        buf_putf(out, "%" PRId64 " s", us / 1000000);
}

static void
put_error(struct buf *out, const struct apply_result *r)
{
    report_put_plain(out, str_of(r->err.text));
    buf_puts(out, "\n");
    if (r->detail) {
        buf_puts(out, "        detail: ");
        report_put_plain(out, str_of(r->detail));
        buf_puts(out, "\n");
    }
    if (r->hint) {
        buf_puts(out, "        hint: ");
        report_put_plain(out, str_of(r->hint));
        buf_puts(out, "\n");
    }
}

static void
put_step(struct buf *out, const char *name, const struct verify_step *s,
    const char *fine, const char *changed)
{
    if (s->outcome == VERIFY_NOT_DONE || s->outcome == VERIFY_IN_BASE)
        return;
    buf_putf(out, "    %s: ", name);
    switch (s->outcome) {
    case VERIFY_NOT_DONE:
    case VERIFY_IN_BASE:
        break;
    case VERIFY_FINE:
        buf_putf(out, "%s\n", fine);
        break;
    case VERIFY_FAILED:
        buf_puts(out, "fails: ");
        put_error(out, &s->run);
        break;
    case VERIFY_CHANGED:
        buf_putf(out, "%s:\n", changed);
        if (!cat_diff_text(&s->diff, "      ", MAX_CHANGES, out))
            buf_puts(out, "\n");
        break;
    }
}

static void
put_locks(struct buf *out, const struct apply_result *r)
{
    for (size_t i = 0; i < r->n_locks; i++) {
        bool is_first = i == 0 || strcmp(r->locks[i].mode, r->locks[i - 1].mode) != 0;
        if (is_first)
            buf_putf(out, "%s    locks %s: ", i ? "\n" : "", r->locks[i].mode);
        else
            buf_puts(out, ", ");
        report_put_plain(out, str_of(r->locks[i].table));
    }
    if (r->n_locks)
        buf_puts(out, "\n");
}

static void
put_names(struct buf *out, const char *title, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i ? ", " : title);
        report_put_plain(out, str_of(names[i]));
    }
    if (n)
        buf_puts(out, "\n");
}

static void
put_findings(struct buf *out, const struct verify_result *r)
{
    for (size_t i = 0; i < r->file->n; i++) {
        const struct report_item *it = &r->findings->items[r->file->first + i];
        buf_putf(out, "    %s: line %d: ", report_level_name(it->level), it->at.line);
        report_put_plain(out, str_of(it->what));
        buf_puts(out, ": ");
        report_put_plain(out, str_of(it->message));
        buf_putf(out, " [%s]\n", it->rule);
        if (it->hint && it->is_failing) {
            buf_puts(out, "        hint: ");
            report_put_plain(out, str_of(it->hint));
            buf_puts(out, "\n");
        }
    }
}

static void
put_head(struct buf *out, const struct verify_result *r)
{
    char words[HIST_MAX_TESTED];
    bool has_run = r->apply.outcome == VERIFY_FINE;

    report_put_plain(out, str_of(r->m->shown));
    buf_puts(out, ": ");
    if (r->apply.outcome == VERIFY_NOT_DONE)
        buf_puts(out, "not run, since one before it failed");
    else if (r->apply.outcome == VERIFY_IN_BASE)
        buf_puts(out, "in the base");
    else if (has_run)
        buf_puts(out, hist_tested_text(r->tested, words));
    else
        buf_puts(out, "failed");
    if (has_run || r->apply.outcome == VERIFY_FAILED) {
        buf_puts(out, ", ");
        put_time(out, r->apply.run.us);
    }
    if (has_run && r->apply.run.n_rows)
        buf_putf(out, ", %" PRId64 " row%s", r->apply.run.n_rows,
            r->apply.run.n_rows == 1 ? "" : "s");
    buf_puts(out, "\n");
}

static void
put_migration(
    struct buf *out, const struct verify_result *r, struct verify_totals *totals)
{
    const struct apply_result *run = &r->apply.run;
    char words[HIST_MAX_TESTED];
    unsigned lacks = verify_lacks(r);

    (void)totals;
    put_head(out, r);
    if (r->apply.outcome == VERIFY_FAILED) {
        buf_puts(out, "    error: ");
        put_error(out, run);
    }
    put_locks(out, run);
    put_names(out, "    rewrites ", run->rewritten, run->n_rewritten);
    put_names(
        out, "    made here, since no file makes it: role ", run->roles, run->n_roles);
    put_step(out, "rollback", &r->rollback, "gives the schema before",
        "leaves another schema than before");
    put_step(out, "applied once more", &r->reapply, "gives the schema after",
        "gives another schema than the first time");
    put_step(out, "run twice", &r->again, "changes nothing", "changes");
    if (lacks && r->apply.outcome != VERIFY_NOT_DONE)
        buf_putf(out, "    error: policy requires it to be %s%s\n",
            hist_tested_text(lacks, words),
            (lacks & HIST_REVERSIBLE) && !r->has_rollback ? "; it has no rollback"
                                                          : "");
    put_findings(out, r);
}

static void
put_source(struct buf *out, const struct hist_set *set, const char *server)
{
    buf_putf(out, "%s: %zu migration%s on PostgreSQL %s\n", set->conf.name, set->n,
        set->n == 1 ? "" : "s", server);
}

static void
put_source_end(struct buf *out)
{
    (void)out;
}

static void
put_all(struct buf *out, struct buf *body, const struct verify_totals *t)
{
    buf_put(out, buf_ptr(body), buf_len(body));
    buf_putf(out,
        "%zu migration%s: %zu verified, %zu reversible, %zu idempotent; %zu failed, %zu not "
        "run\n",
        t->n, t->n == 1 ? "" : "s", t->n_tested[0], t->n_tested[1], t->n_tested[2],
        t->n_failed, t->n_not_run);
}

const struct verify_writer verify_text = { "text", put_source, put_migration,
    put_source_end, put_all };

const struct verify_writer *
verify_writer_find(const char *name)
{
    static const struct verify_writer *const writers[] = { &verify_text, &verify_json,
        &verify_junit };

    for (size_t i = 0; i < DG_ARRAY_SIZE(writers); i++) {
        if (strcmp(writers[i]->name, name) == 0)
            return writers[i];
    }
    return NULL;
}
