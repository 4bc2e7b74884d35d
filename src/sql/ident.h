// SPDX-License-Identifier: ISC
/* Names and constants as they must be written in SQL.  thread: any */
#ifndef DG_SQL_IDENT_H
#define DG_SQL_IDENT_H

#include "base/mem.h"

/* A word of SQL that can name nothing without quotes. */
bool sql_is_reserved(const char *name);
/* An identifier: bare where that means the same, else quoted. */
const char *sql_ident(struct arena *a, const char *name);
/* schema.name so written; schema may be NULL. */
const char *sql_qualified(struct arena *a, const char *schema, const char *name);
/* A string constant that reads alike under both settings of standard_conforming_strings. */
const char *sql_constant(struct arena *a, const char *value);

#endif
