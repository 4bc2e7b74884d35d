// SPDX-License-Identifier: ISC
/* Checks of group history: is the statement migrated, and is the history told honestly?
 * All of them read what the gate found out (struct pol_history); files and table rows are
 * never touched here. */
#include "policy/rules.h"

#include "ddlgate/sqlstate.h"
#include "history/capture.h"

#include <string.h>

static bool
is_schema_change(const struct pol_run *r, const struct sql_facts *f)
{
    return f->cls & r->pol->migrate;
}

static const char *
version_of(struct pol_run *r, const struct hist_migration *m)
{
    const char *slash = m->file ? strrchr(m->file, '/') : NULL;
    const char *file = m->file ? (slash ? slash + 1 : m->file) : m->name;
    return arena_printf(pol_arena(r), "%.70s", file);
}

/* Once per migration: a text can hold all of its statements. */
static bool
speaks_first(struct pol_run *r, const struct hist_migration *m)
{
    if (r->spoken[r->check] == m)
        return false;
    r->spoken[r->check] = m;
    return true;
}

static const struct hist_migration *
migration_of(const struct pol_history *h)
{
    return h->match.migration ? h->match.migration : h->write_migration;
}

/* ---- history unknown ---- */

static void
report_unknown(
    struct pol_run *r, const struct pol_history *h, const enum dg_action *at_most)
{
    const char *why = h && h->why ? h->why : "no migration history is read here";
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "history unknown: %.400s", why),
            .detail = arena_printf(pol_arena(r),
                "%s%sWhether it is part of a migration can't be known, so it counts as "
                "none.",
                strlen(why) > POL_MAX_MESSAGE / 2 ? why : "",
                strlen(why) > POL_MAX_MESSAGE / 2 ? ". " : ""),
            .hint =
                "Give the gate a login of its own (`control` in [ddlgate]) that may "
                "connect here and read the history table.",
            .sqlstate = DG_SQLSTATE_NOT_NOW, .is_limited = at_most != NULL,
            .at_most = at_most ? *at_most : DG_REJECT));
}

/* ---- migration-first ---- */

/* An access section with an `unmigrated` of its own keeps it. */
static bool
captures(const struct pol_run *r)
{
    return r->pol->is_capturing && !(r->granted && r->granted->unmigrated != POL_UNSET);
}

/* unmigrated = capture: it passes if it can be put into a file. */
static void
report_captured(
    struct pol_run *r, const struct pol_history *h, const struct sql_facts *f)
{
    const struct pol_text *t = r->text;
    const struct sql_stmt *s = &t->scan->stmts[f->stmt];
    size_t end = r->fact;
    struct err why = { "" };

    while (end < t->tree->n && t->tree->facts[end].stmt == f->stmt)
        end++;
    size_t first = r->fact;
    while (t->tree->facts[first].parent >= 0)
        first = (size_t)t->tree->facts[first].parent;
    struct hist_captured c = {
        .sql = t->text + s->start,
        .len = s->len,
        .base = s->start,
        .std_strings = t->std_strings,
        .facts = &t->tree->facts[first],
        .n_facts = end - first,
        .search_path = r->session ? r->session->search_path : NULL,
    };
    if (hist_capture_fault(hist_view_set(h->view), &c, &why) == 0) {
        pol_report(r,
            POL_REPORT(.message = "it becomes a migration file when it is committed",
                .is_limited = true, .at_most = DG_NOTE, .is_captured = true));
        return;
    }
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "it can't be captured: %.900s", why.text),
            .detail =
                "Changes that no migration holds pass here only if a file can be made of "
                "them (unmigrated = capture).",
            .hint = t->next_file ? arena_printf(pol_arena(r),
                        "Write it to %s and run the migration tool through the gate.",
                        t->next_file)
                                 : NULL));
}

static void
report_unmigrated(struct pol_run *r, const struct pol_history *h)
{
    struct arena *a = pol_arena(r);
    const char *next = r->text->next_file;
    const char *slash = next ? strrchr(next, '/') : NULL;

    if (!h->view) {
        pol_report(r,
            POL_REPORT(.message = "no migrations are configured for this database",
                .detail =
                    "Without a [migrations] section every schema change counts as "
                    "unmigrated.",
                .hint =
                    "Add a [migrations NAME] section for this database to the gate's "
                    "configuration, or set `unmigrated` in its policy."));
        return;
    }
    const char *message = "it is in no pending migration";
    const char *hint = "Write it to a new migration file and run the migration tool.";
    if (next) {
        /* a cut path would send people to the wrong place */
        bool fits = strlen(next) + strlen("put it into ") <= POL_MAX_MESSAGE;
        message = arena_printf(a, "put it into %s", fits || !slash ? next : slash + 1);
        hint = arena_printf(
            a, "Write it to %s and run the migration tool through the gate.", next);
    }
    pol_report(r,
        POL_REPORT(.message = message,
            .detail =
                "No pending migration file holds this statement; names and constants "
                "must be the same, comments and white space need not.",
            .hint = hint));
}

static void
report_applied(struct pol_run *r, const struct pol_history *h)
{
    struct arena *a = pol_arena(r);
    const char *next = r->text->next_file;

    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "its migration %s is applied already",
                       version_of(r, h->match.migration)),
            .detail = "A statement of an applied migration passes again only as far as "
                      "`repeat` of its [migrations] section says.",
            .hint = next ? arena_printf(a,
                        "If it must run once more, write it to %s and run the "
                        "migration tool.",
                        next)
                         : "If it must run once more, write it to a new migration."));
}

static void
report_rollback(struct pol_run *r, const struct pol_history *h)
{
    const struct hist_migration *newer = h->match.blocked_by;
    const char *file = version_of(r, h->match.migration);

    pol_report(r,
        POL_REPORT(.message = newer
                ? arena_printf(pol_arena(r),
                    "%s would roll back before %s, which is newer", file,
                    version_of(r, newer))
                : arena_printf(pol_arena(r), "%s rolls back what is not applied", file),
            .detail = "Rollbacks run newest first, and only for applied migrations.",
            .hint = newer
                ? "Roll the newer migration back first, or write a new one."
                : "Run the migration tool, which knows where the database stands.",
            .sqlstate = DG_SQLSTATE_NOT_NOW));
}

void
pol_check_first(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_history *h = pol_fact_history(r);

    if (!is_schema_change(r, f) || r->first_stmt == f->stmt + 1)
        return;
    if (h && h->is_known && h->view && hist_match_is_migrated(&h->match))
        return;
    /* What stands inside it would only say the same again. */
    r->first_stmt = f->stmt + 1;
    if (!h || !h->is_known)
        report_unknown(r, h, NULL);
    else if (h->view && h->match.kind == HIST_MATCH_DOWN_BLOCKED)
        report_rollback(r, h);
    else if (h->view && captures(r))
        report_captured(r, h, f);
    else if (h->view && h->match.kind == HIST_MATCH_APPLIED)
        report_applied(r, h);
    else
        report_unmigrated(r, h);
}

/* ---- order and state of migrations ---- */

/* A tool that writes its row first is stopped there: refused half-way it would leave a row
 * that says "failed", and run nothing more until somebody mends it. */
static const struct hist_migration *
late_migration(const struct pol_history *h)
{
    if (h->match.kind == HIST_MATCH_OUT_OF_ORDER)
        return h->match.migration;
    if (!h->view || !h->write_migration
        || !hist_row_comes_first(hist_view_set(h->view)))
        return NULL;
    return hist_view_state(h->view, h->write_migration->index) == DG_MIG_OUT_OF_ORDER
        ? h->write_migration
        : NULL;
}

void
pol_check_order(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_history *h = pol_fact_history(r);

    (void)f;
    const struct hist_migration *m = h && h->is_known ? late_migration(h) : NULL;
    if (!m || !speaks_first(r, m))
        return;
    const char *file = version_of(r, m);
    pol_report(r,
        POL_REPORT(.message = arena_printf(pol_arena(r),
                       "%s is below a version that is applied already", file),
            .detail = "Databases that run the files in another order can end up with "
                      "another schema.",
            .hint = arena_printf(pol_arena(r),
                "Give %s the next free number%s%s, then run the migration tool again.",
                file, r->text->next_file ? ", as in " : "",
                r->text->next_file ? r->text->next_file : ""),
            .sqlstate = DG_SQLSTATE_NOT_NOW));
}

void
pol_check_failed(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_history *h = pol_fact_history(r);

    (void)f;
    if (!h || !h->is_known || h->match.kind != HIST_MATCH_BLOCKED_FAILED
        || !speaks_first(r, h->match.migration))
        return;
    pol_report(r,
        POL_REPORT(.message =
                       "an earlier migration is marked failed in the history table",
            .detail = "The schema may be half of one version and half of the next.",
            .hint =
                "Repair what the failed migration left behind, then let the tool mark "
                "it (flyway repair), and run the migrations again.",
            .sqlstate = DG_SQLSTATE_NOT_NOW));
}

void
pol_check_immutable(struct pol_run *r, const struct sql_facts *f)
{
    const struct pol_history *h = pol_fact_history(r);

    (void)f;
    if (!h || !h->is_known || !h->view)
        return;
    const struct hist_migration *m = migration_of(h);
    m = m ? hist_view_edited(h->view, m) : NULL;
    if (!m || !speaks_first(r, m))
        return;
    const char *file = version_of(r, m);
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "%s was changed after it was applied", file),
            .detail = "Its checksum differs from the one in the history table: a new "
                      "database would get another schema than this one has.",
            .hint = arena_printf(pol_arena(r),
                "Restore %s as it was (version control has it) and put the change into a "
                "new migration%s%s.",
                file, r->text->next_file ? ": " : "",
                r->text->next_file ? r->text->next_file : "")));
}

/* ---- migration-attested ---- */

static const char *
why_unattested(struct pol_run *r, const struct hist_attest_answer *x, unsigned missing)
{
    char words[HIST_MAX_TESTED];

    switch (x->state) {
    case HIST_ATTEST_UNKNOWN:
    case HIST_ATTEST_NONE:
        break;
    case HIST_ATTEST_OTHER_TEXT:
        return "it was changed since it was verified";
    case HIST_ATTEST_FOUND:
        return arena_printf(pol_arena(r), "it was verified, but not found to be %s",
            hist_tested_text(missing, words));
    }
    return "nobody has verified it";
}

void
pol_check_attested(struct pol_run *r, const struct sql_facts *f)
{
    const struct hist_attest_answer *x = r->text->attested;
    unsigned wanted = r->pol->required;
    char words[HIST_MAX_TESTED];

    (void)f;
    if (!wanted || !x)
        return;
    if (x->is_repeatable) /* there is nothing to go back to */
        wanted &= ~(unsigned)HIST_REVERSIBLE;
    unsigned missing = x->state == HIST_ATTEST_FOUND ? wanted & ~x->tested : wanted;
    if (!missing)
        return;
    struct arena *a = pol_arena(r);
    bool is_unknown = x->state == HIST_ATTEST_UNKNOWN;
    pol_report(r,
        POL_REPORT(.message = is_unknown ? "whether it was verified is not known here"
                                         : why_unattested(r, x, missing),
            .detail = arena_printf(a, "This policy requires of every migration: %s.",
                hist_tested_text(r->pol->required, words)),
            .hint = is_unknown
                ? "Check it with the gate's configuration (-c), which names its source."
                : arena_printf(a,
                    "Run `ddlgate verify -c CONFIG --attest %s` and commit the "
                    "attestation with the migration.",
                    x->source),
            .sqlstate = DG_SQLSTATE_NOT_NOW, .is_limited = is_unknown,
            .at_most = DG_NOTE));
}

/* ---- migration-missing-file ---- */

void
pol_check_missing(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_history *h = pol_fact_history(r);
    const char *version = NULL, *name = NULL;

    if (!is_schema_change(r, f) || !h || !h->is_known || !h->view || r->once[r->check])
        return;
    size_t n = hist_view_n_missing(h->view);
    if (!n || h->match.kind == HIST_MATCH_OWN)
        return;
    r->once[r->check] = true;
    hist_view_missing(h->view, 0, &version, &name);
    const char *first = version ? version : name ? name : "?";
    pol_report(r,
        POL_REPORT(.message = arena_printf(a, "the file of migration %.60s is gone%s",
                       first, n > 1 ? ", and others" : ""),
            .detail =
                "The history table names it, and no file here does: this database "
                "was migrated from another branch, or the file was deleted.",
            .hint = "Restore the file from version control, or set `baseline` in the "
                    "[migrations] section.",
            .sqlstate = DG_SQLSTATE_NOT_NOW));
}

/* ---- migration-complete ---- */

/* Of migrations, and of rollbacks, which must take their row back. Speaks at the end of a transaction: COMMIT, PREPARE TRANSACTION, or the last change of a
 * text that is a transaction of its own. */
void
pol_check_complete(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_history *h = pol_fact_history(r);

    if (!h || !h->unrecorded_why)
        return;
    if (r->n_bound == 0 && r->n_free > 0 && !h->is_unrecorded_before)
        return;
    bool ends = f->tx != SQL_TX_NONE;
    const char *file = h->unrecorded ? version_of(r, h->unrecorded) : "the migration";
    const char *why = h->unrecorded_why;
    bool is_down = h->unrecorded && h->unrecorded->is_down;
    pol_report(r,
        POL_REPORT(.message = ends
                ? why
                : arena_printf(a,
                    "outside of a transaction it is committed at once, and "
                    "%s is not complete",
                    file),
            .detail = arena_printf(a,
                "%s%s%s; what is committed in part is no version of the schema.",
                ends ? "" : why, ends ? "" : ". ",
                is_down
                    ? "What is rolled back and keeps its row looks applied, and doesn't "
                      "run again"
                    : "What is committed without its row in the history looks pending, "
                      "and runs once more"),
            .hint = arena_printf(a,
                "Run all of %s between BEGIN and COMMIT, %s in the history included%s.",
                file, is_down ? "the end of its row" : "its row",
                ends ? "; this transaction is rolled back" : ""),
            .sqlstate = DG_SQLSTATE_NOT_NOW));
}

/* ---- migration-history-write ---- */

static void
report_write(struct pol_run *r, const struct pol_history *h, const char *sqlstate,
    const char *otherwise, const enum dg_action *at_most)
{
    const char *why = h->write_reason && *h->write_reason ? h->write_reason : otherwise;
    pol_report(r,
        POL_REPORT(.message = why,
            .detail = arena_printf(pol_arena(r),
                "%s%sA row that is not true hides a "
                "change that never ran, or one that nobody reviewed.",
                strlen(why) > POL_MAX_MESSAGE ? why : "",
                strlen(why) > POL_MAX_MESSAGE ? ". " : ""),
            .hint =
                "Let the migration tool write its table, in the run of the migration "
                "itself (or with its own repair command).",
            .sqlstate = sqlstate, .is_limited = at_most != NULL,
            .at_most = at_most ? *at_most : DG_REJECT));
}

void
pol_check_write(struct pol_run *r, const struct sql_facts *f)
{
    static const enum dg_action note = DG_NOTE;
    const struct pol_history *h = pol_fact_history(r);

    if (f->cls != DG_HISTORY)
        return;
    if (!h || !h->is_known) {
        /* Not stricter than for the schema changes that it would record. */
        const struct pol_access *g = r->granted;
        enum dg_action at_most = r->pol->checks[POL_C_FIRST].action;
        if (g && g->unmigrated != POL_UNSET)
            at_most = (enum dg_action)g->unmigrated;
        report_unknown(r, h, &at_most);
        return;
    }
    if (!h->view)
        return; /* just a table of that name: nothing migrates this database */
    switch (h->write) {
    case HIST_WRITE_OK:
        /* a shadow of the table, or a text that can't be read: no values to be honest */
        if (!f->write && h->match.kind != HIST_MATCH_PENDING
            && h->match.kind != HIST_MATCH_OWN)
            report_write(r, h, NULL, "what it writes can't be known", NULL);
        break;
    case HIST_WRITE_NEEDS_BINDS:
        break;
    case HIST_WRITE_NOT_SEEN_RUN:
        report_write(r, h, NULL, "recorded without being seen to run", &note);
        break;
    case HIST_WRITE_TOO_EARLY:
        report_write(r, h, DG_SQLSTATE_NOT_NOW,
            "the migration has not run in this transaction", NULL);
        break;
    case HIST_WRITE_FORGED:
        report_write(r, h, NULL, "no known migration file has these values", NULL);
        break;
    }
}
