// SPDX-License-Identifier: ISC
/* What the files of this folder share; nobody outside includes this. */
#ifndef DG_CONTROL_CONN_H
#define DG_CONTROL_CONN_H

#include "control/control.h"

#include <libpq-fe.h>

/* Reads a connection string; `what` names it in the error. Free with PQconninfoFree. */
int ctl_parse(const char *what, const char *conninfo, PQconninfoOption **out,
    struct err *err) MUST_CHECK;
/* The value of a keyword, NULL if it isn't set. */
const char *ctl_option(const PQconninfoOption *options, const char *keyword);

static inline void
ctl_options_p(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

#endif
