// SPDX-License-Identifier: ISC
/* What ALTER COLUMN TYPE does to a column whose present type is known. thread: any */
#ifndef DG_POLICY_RETYPE_H
#define DG_POLICY_RETYPE_H

#include "policy/live.h"
#include "sql/facts.h"

enum pol_retype {
    POL_RETYPE_FREE,     /* the same, or the rows stay as they are (measured) */
    POL_RETYPE_REWRITE,  /* every value fits, the table is written anew */
    POL_RETYPE_NARROWER, /* some values may not fit, or are rounded */
    POL_RETYPE_OTHER,    /* rewritten; whether values fit depends on them */
};

enum pol_retype
pol_retype(const struct pol_live_column *from, const struct sql_column *to);
/* Is it the type that is written, as far as one can tell? */
bool pol_retype_is_same(
    const struct pol_live_column *there, const struct sql_column *written);

#endif
