// SPDX-License-Identifier: ISC
/* What `ddlgate check` found, as one list, and the formats that it is written in.
 *
 * The list is filled file by file (report_file, report_add); a format is one writer, one
 * file report_NAME.c, and one line in report.c. Columns count characters from 1; an end is
 * one past the last character. Everything belongs to the report.  thread: one at a time */
#ifndef DG_CLI_REPORT_H
#define DG_CLI_REPORT_H

#include <stdio.h>

#include "policy/policy.h"

enum report_level {
    REPORT_NOTE,    /* note, and what mode = observe would have done */
    REPORT_WARNING, /* warn, rewrite */
    REPORT_ERROR,   /* hold, reject */
    REPORT_N_LEVELS,
};

struct report_place {
    int line, column, end_line, end_column;
};

struct report_item {
    size_t file;                 /* index in files */
    const char *name, *path;     /* the file's, or that of one which it runs (\i) */
    struct report_place at;      /* the name or word that the finding is about */
    struct report_place stmt_at; /* the whole statement */
    size_t stmt;                 /* number in its file, from 1 */
    const char *source;          /* the line of `at`, without its end */
    const char *rule;
    const char *command;                 /* "DROP TABLE" */
    const char *what;                    /* "DROP TABLE orders" */
    const char *object;                  /* NULL: none */
    const char *column;                  /* NULL: none */
    const char *message, *detail, *hint; /* detail and hint may be NULL */
    const char *known;                   /* its line in a baseline file */
    const char *policy_file;             /* NULL: the catalogue's default */
    int policy_line;
    enum dg_action action;
    enum report_level level;
    bool is_observed;
    bool is_failing;      /* enforced, and at or above the fail level */
    char fingerprint[33]; /* hex; unique, and the same when the statement moves */
    char line_hash[17];   /* hex of the statement alone */
    size_t occurrence; /* how many findings before it have the same line_hash, plus 1 */
};

struct report_file {
    const char *name;    /* as given */
    const char *path;    /* relative to the working directory where it is below it */
    const char *trouble; /* NULL, or why it could not be judged: "file:line: text" */
    int trouble_line;    /* 0: none is known */
    size_t n_stmts;
    size_t first, n; /* its items */
};

struct report {
    struct report_file *files; /* owned */
    size_t n_files, cap_files;
    struct report_item *items; /* owned; file by file, in order of position */
    size_t n, cap;
    size_t n_stmts, n_failing, n_trouble;
    size_t n_level[REPORT_N_LEVELS]; /* enforced ones, and observed ones as notes */
    const struct pol *policy;        /* borrowed; what the checks do; may be NULL */
    enum dg_action fail_level;
    bool never_fails;
    bool is_color;
    bool has_suppressed; /* SARIF lists observed findings as suppressed ones */
    struct map *seen;    /* owned: fingerprints */
    struct arena *arena; /* owned */
};

void report_init(struct report *r);
void report_deinit(struct report *r);

/* Items of a file are added right after it. */
void report_file(struct report *r, const char *name, size_t n_stmts);
/* sent: how the text came from several files; NULL: from this one.
 * may_repeat: another policy has judged the same file; of equal findings the stricter one
 * stays. */
void report_add(struct report *r, const struct pol_text *text,
    const struct hist_sent *sent, const struct pol_finding *finding, bool may_repeat);
/* The file's items are complete: puts them in order of position. */
void report_file_end(struct report *r);
/* A file that can't be judged; why: "file:line: text" or "file: text". */
void report_trouble(struct report *r, const char *name, const char *why);

/* A place to write to: what a writer puts into buf goes to the file at each report_flush. */
struct report_out {
    FILE *file;
    struct buf buf;
};
void report_flush(struct report_out *out);

struct report_writer {
    const char *name;
    void (*write)(const struct report *r, struct report_out *out);
    bool is_for_machines; /* the summary is worth a line on the terminal */
};
/* NULL if there is none. */
const struct report_writer *report_writer_find(const char *name);
/* "3 files checked, ..." without a newline. */
void report_summary(const struct report *r, struct buf *out);

/* --- for the writers --- */

const char *report_level_name(enum report_level level); /* "warning" */
/* Adds s with everything that could deceive a terminal or end the line replaced. */
void report_put_plain(struct buf *out, struct str s);

/* Pieces of JUnit's XML, for other commands' reports, too. */
void report_junit_text(struct buf *out, const char *s);
void report_junit_attribute(struct buf *out, const char *name, const char *value);
void report_junit_counts(struct buf *out, size_t tests, size_t failures, size_t errors);
void report_junit_case(
    struct buf *out, const struct report_file *f, const struct report_item *it);

extern const struct report_writer report_text, report_json, report_sarif, report_junit,
    report_gitlab, report_github, report_baseline;

#endif
