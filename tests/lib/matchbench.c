// SPDX-License-Identifier: ISC
/* What contrib/bench.match runs: loads a folder of format numbered-sql, and matches each of
 * its statements against the whole of it, as the gate does with a statement of the wire.
 * Prints microseconds of processor time per statement. */
#include "base/clk.h"
#include "base/mem.h"
#include "history/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLE \
    20000 /* statements, spread evenly over the files; not all change the schema */

/* Of the processor: a busy machine stretches the wall clock. */
static int64_t
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct times {
    int64_t digest, parse, match; /* nanoseconds */
    size_t n, n_matched;
};

/* One statement of a file as a client's text. */
static void
run_one(const struct hist_view *view, const char *text, size_t len, struct times *t)
{
    const struct hist_set *set = hist_view_set(view);
    const char *table = hist_table_name(set);
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(&table, 1);
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };

    int64_t start = cpu_ns();
    if (sql_scan(&scan, words, text, len, true, SQL_TREE_DEFAULT_DEPTH, NULL) != 0)
        exit(1);
    int64_t scanned = cpu_ns();
    AUTO(sql_tree_free)
    struct sql_tree *tree = sql_tree_new(&scan, words, text, len, true);
    int64_t parsed = cpu_ns();
    struct hist_match m = hist_match(view, &tree->facts[0], &scan.stmts[0].digest);
    int64_t matched = cpu_ns();
    t->digest += scanned - start;
    t->parse += parsed - scanned;
    t->match += matched - parsed;
    t->n++;
    t->n_matched += m.kind == HIST_MATCH_PENDING;
}

/* Nothing but the look-up, without a clock in between. */
static double
match_alone(const struct hist_view *view, size_t *n)
{
    const struct hist_set *set = hist_view_set(view);
    size_t n_matched = 0;

    *n = 0;
    int64_t start = cpu_ns();
    for (size_t i = 0; i < set->n; i++) {
        const struct hist_migration *m = &set->migrations[i];
        for (size_t k = 0; k < m->tree->n; k++) {
            const struct sql_facts *f = &m->tree->facts[k];
            if (f->parent >= 0 || !(m->stmts[f->stmt].flags & HIST_S_CHANGE))
                continue;
            struct hist_match found = hist_match(
                view, f, &m->scan.stmts[f->stmt].digest);
            n_matched += found.kind == HIST_MATCH_PENDING;
            (*n)++;
        }
    }
    int64_t took = cpu_ns() - start;
    if (n_matched != *n) {
        fprintf(stderr, "%zu of %zu statements were found\n", n_matched, *n);
        exit(1);
    }
    return (double)took / 1000 / (double)*n;
}

int
main(int argc, char **argv)
{
    struct hist_conf conf = { .name = "bench",
        .format = "numbered-sql",
        .path = argc > 1 ? argv[1] : ".",
        .repeat = HIST_REPEAT_CREATE };
    const struct clk *clk = &clk_real;
    struct hist_set *set = NULL;
    struct err err = { "" };
    struct times t = { 0 };

    int64_t start = clk->mono_us(clk);
    if (hist_set_load(&conf, &set, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("load: %.2f s\n", (double)(clk->mono_us(clk) - start) / 1e6);
    struct hist_view *view = hist_view_new(set, NULL, 0);
    size_t n_stmts = 0, n;
    for (size_t i = 0; i < set->n; i++)
        n_stmts += set->migrations[i].scan.n;
    size_t step = n_stmts / SAMPLE + 1, at = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct hist_migration *m = &set->migrations[i];
        for (size_t k = 0; k < m->scan.n; k++, at++) {
            if (at % step == 0 && (m->stmts[k].flags & HIST_S_CHANGE))
                run_one(
                    view, m->text + m->scan.stmts[k].start, m->scan.stmts[k].len, &t);
        }
    }
    double alone = match_alone(view, &n), thousand = 1000.0 * (double)t.n;
    printf("look-up: %.2f us a statement (%zu of %zu statements)\n", alone, n, n_stmts);
    printf("from the text: %.1f us (digest %.1f, parser %.1f, look-up %.1f; %zu texts, "
           "%zu matched)\n",
        (double)(t.digest + t.parse + t.match) / thousand, (double)t.digest / thousand,
        (double)t.parse / thousand, (double)t.match / thousand, t.n, t.n_matched);
    ref_drop(view);
    ref_drop(set);
    return t.n == t.n_matched ? 0 : 1;
}
