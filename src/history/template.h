// SPDX-License-Identifier: ISC
/* What the files that make new migrations share: the tools' templates, the ways of a team,
 * the draft of one migration. Nobody outside this folder includes it. */
#ifndef DG_HISTORY_TEMPLATE_H
#define DG_HISTORY_TEMPLATE_H

#include "history/capture.h"
#include "history/source.h"

/* Buffers are bounded by what hist_capture_render lets in. */
#define HIST_CAPTURE_MAX_BYTES ((size_t)16 << 20)

enum layout {
    LAYOUT_UP,   /* no rollbacks: how to undo it stands in a comment */
    LAYOUT_ONE,  /* both directions in one file */
    LAYOUT_PAIR, /* a rollback file beside it */
    LAYOUT_TEAM, /* a pair where the newest migration has one, else as LAYOUT_UP */
};

enum no_tx {
    NO_TX_SELF,  /* nothing to write: the tool sees it, or adds no transaction */
    NO_TX_ALONE, /* the file must hold nothing else, since it goes as one message */
    NO_TX_MARK,  /* a line of its own, first in the file */
    NO_TX_BOTH,  /* a line of its own in either direction */
    NO_TX_UP,    /* appended to both marks */
    NO_TX_TOML,  /* Diesel's metadata.toml */
    NO_TX_NEVER,
};

struct template
{
    const char *format;
    enum layout layout;
    enum no_tx no_tx;
    const char *no_tx_text;
    const char *up, *down;   /* lines that begin a direction */
    const char *begin, *end; /* around a statement with `;` inside; NULL: nothing */
    const char *from, *to;   /* end of the up file's name, of the down file's */
    const char *escape; /* what the tool would replace in a statement; NULL: nothing */
};

/* How the newest file of the set does it. */
struct ways {
    bool is_pair;   /* rollbacks in files of their own */
    bool is_up_sql; /* x.up.sql, not x.sql */
    bool has_begin, has_row;
    const struct hist_migration *newest; /* NULL: no files yet */
};

/* One migration in the making. */
struct draft {
    const struct hist_set *set;
    const struct template *t;
    const struct hist_capture *cap;
    struct ways ways;
    struct arena *a;
    bool is_no_tx;
    const char *path, *down_path; /* of the files; down_path NULL: none */
    char version[64], slug[128];
    size_t n_once, n_stuck;
};

/* --- template.c ------------------------------------------------------------------------ */

/* NULL: none for this set. */
const struct template *hist_template(const struct hist_set *set);
struct ways hist_ways(const struct hist_set *set, const struct template *t);
/* The history row that a file writes itself; NULL: none, or no file. */
const struct sql_write *hist_own_row(const struct hist_migration *m);
/* Fills path, down_path, version and slug of the draft. */
int hist_choose_names(struct draft *d, struct err *err) MUST_CHECK;
/* s with the last `from` in it replaced; NULL: there is none. */
const char *
hist_replaced(struct arena *a, const char *s, const char *from, const char *to);
bool hist_is_same_path(const char *a, const char *b); /* of two search_paths */

/* --- render.c -------------------------------------------------------------------------- */

int hist_render_up(struct draft *d, struct buf *b, struct err *err) MUST_CHECK;
void hist_render_down(struct draft *d, struct buf *b);

#endif
