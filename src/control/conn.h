// SPDX-License-Identifier: ISC
/* What the files of this folder share; nobody outside includes this. */
#ifndef DG_CONTROL_CONN_H
#define DG_CONTROL_CONN_H

#include "base/buf.h"
#include "control/control.h"

#include <libpq-fe.h>

/* Reads a connection string; `what` names it in the error. Free with PQconninfoFree. */
int ctl_parse(const char *what, const char *conninfo, PQconninfoOption **out,
    struct err *err) MUST_CHECK;
/* The value of a keyword, NULL if it isn't set. */
const char *ctl_option(const PQconninfoOption *options, const char *keyword);

/* libpq's and the server's texts have several lines and may hold anything. */
void ctl_one_line(const char *text, char *out, size_t size);

/* Appends keyword='value', after a blank if something stands before. */
void ctl_put_option(struct buf *b, const char *keyword, const char *value);

static inline void
ctl_options_p(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

#endif
