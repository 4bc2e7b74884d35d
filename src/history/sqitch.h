// SPDX-License-Identifier: ISC
/* What is read of Sqitch's plan, and the ids of its changes. Only for sqitch.c, sqitchid.c. */
#ifndef DG_HISTORY_SQITCH_H
#define DG_HISTORY_SQITCH_H

#include "history/source.h"

#define SQITCH_ID_SIZE 41 /* SHA-1 in hex */

struct sqitch_line {
    struct str text, name; /* borrowed from the plan's text */
    bool is_tag;           /* else a change */
    int nr;
    size_t later;            /* index of the change that reworks it; HIST_NONE */
    bool is_twice;           /* reworks another, or is reworked */
    char id[SQITCH_ID_SIZE]; /* of such a change; or "" */
};

struct sqitch_plan {
    const char *path;
    struct str project, uri;   /* borrowed; empty: none */
    struct sqitch_line *lines; /* owned; changes and tags */
    size_t n, cap;
    struct map *last; /* owned; a change's name -> index of its last line, plus one */
    bool is_reworked; /* some change is */
};

/* A line that is neither change nor tag: project and uri are taken of it. */
void sqitch_pragma(struct sqitch_plan *plan, struct str line);
/* Computes the id of every change, which holds that of the change before it, and fills in
 * those of reworked ones. A line that can't be read is an error with file and line. */
int sqitch_ids(struct sqitch_plan *plan, struct err *err) MUST_CHECK;

#endif
