// SPDX-License-Identifier: ISC
/* Any text that can be read at all is judged by a policy that has an opinion on everything:
 * findings point into the text, their words fit, and the decision has a finding that leads. */
#include "policy/policy.h"
#include "policy/rewrite.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BYTES 4096 /* the parser's stack is not the subject here */

static const char ini[] =
    "[policy]\nenvironment = production\ntemporary = note\n[access a]\ncommand = DROP *, "
    "ALTER TABLE DROP *\nobject = billing.*, !billing.tmp_*\naction = hold\n[access "
    "b]\nobject = "
    "public.*\naction = warn\n[access c]\nclass = cluster\naction = reject\n[access d]\nrole "
    "= app\nmigrated = unknown\naction = note\n[check drop-table]\nexcept = tmp_*\n"
    "[check index-name]\nname = i_{table}_{columns}\n[check fk-name]\nname = "
    "f_{table}_{columns}\n[check type-disallow-list]\ntypes = json=jsonb, money\n"
    "[check idempotent-create]\n[check idempotent-drop]\n[check create-or-replace]\n"
    "[check prefer-text]\n[check prefer-timestamptz]\n[check prefer-bigint-key]\n"
    "[check require-lock-timeout]\n[check constraint-named]\n[check unlogged-table]\n";

static struct pol *
load(void)
{
    char path[64];
    struct err err = { "" };
    struct pol *p = NULL;
    int fd = memfd_create("policy", MFD_CLOEXEC);
    DG_ASSERT(write(fd, ini, sizeof(ini) - 1) == (ssize_t)sizeof(ini) - 1, "memfd");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r = pol_load(path, false, &p, &err);
    DG_ASSERT(r == 0, "%s", err.text);
    close(fd);
    return p;
}

static void
look_at(const struct pol_findings *f, const struct pol_text *t)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct pol_finding *x = &f->items[i];
        DG_ASSERT(x->fact < t->tree->n, "fact %zu of %zu", x->fact, t->tree->n);
        DG_ASSERT(x->pos >= -1 && x->pos <= (int)t->len, "position %d", x->pos);
        DG_ASSERT(
            strlen(x->message) <= 110 && !strchr(x->message, '\n'), "not one line");
        DG_ASSERT(strlen(x->sqlstate) == 5, "no SQLSTATE");
    }
    DG_ASSERT(f->action == DG_ALLOW || pol_findings_lead(f), "nothing leads");
}

/* Whatever is found, its safe form can be asked for; what comes back are edits of the text. */
static void
rewrite(const struct pol *p, const struct pol_findings *f, const struct pol_text *t)
{
    struct arena *a = arena_new();
    struct pol_rewrite rw;
    pol_rewrite_init(&rw, a);
    for (size_t i = 0; i < f->n; i++) {
        const char *why = NULL;
        size_t n_edits = rw.edits.n;
        int r = pol_rewrite_add(
            &rw, p, &f->items[i], t, f->items[i].fact, i % 2 == 0, &why);
        DG_ASSERT(r == 0 ? rw.did != NULL : why && rw.edits.n == n_edits,
            "%s: neither done nor refused", f->items[i].rule);
    }
    size_t n;
    char *out = sql_edits_apply(&rw.edits, t->text, t->len, &n);
    for (size_t i = 0; i <= n; i++)
        DG_ASSERT(sql_edits_back(&rw.edits, i) <= t->len, "a place behind the text");
    (void)!sql_edits_hold(
        &rw.edits, (struct str){ t->text, t->len }, (struct str){ out, n }, true);
    mem_free(out);
    pol_rewrite_deinit(&rw);
    arena_free(a);
}

/* Rules about statements that change no schema speak of files only. */
static bool
has_other_statements(const struct pol_text *t)
{
    for (size_t i = 0; i < t->tree->n; i++)
        if (t->tree->facts[i].cls == DG_OTHER)
            return true;
    return false;
}

static void
judge(const struct pol *p, struct pol_text *t)
{
    struct pol_session s = { .role = "app", .search_path = "public, billing" };
    struct pol_findings wire, unit;
    pol_findings_init(&wire);
    pol_findings_init(&unit);
    pol_judge_text(p, &s, t, &wire);
    pol_judge_unit(p, t, &unit);
    look_at(&wire, t);
    look_at(&unit, t);
    rewrite(p, &unit, t);
    DG_ASSERT(unit.action <= wire.action || has_other_statements(t),
        "offline is stricter than the wire");
    pol_findings_deinit(&wire);
    pol_findings_deinit(&unit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *sql = (const char *)data;
    struct sql_scan scan;
    struct err err = { "" };
    if (size > MAX_BYTES)
        return 0;
    struct pol *p = load();
    int r = sql_scan(&scan, NULL, sql, size, true, 200, &err);
    struct sql_tree *tree = r ? sql_tree_unparsable(&scan, err.text, -1)
                              : sql_tree_new(&scan, NULL, sql, size, true);
    struct pol_text t = { .text = sql, .len = size, .scan = &scan, .tree = tree };
    judge(p, &t);
    sql_tree_free(tree);
    sql_scan_deinit(&scan);
    ref_drop(p);
    return 0;
}
