// SPDX-License-Identifier: ISC
/* Where the server's programs are, and which user may run them. Private to scratch. */
#ifndef DG_SCRATCH_PROGRAMS_H
#define DG_SCRATCH_PROGRAMS_H

#include "base/err.h"

#include <sys/types.h>

/* The folder that holds initdb and postgres, owned by the caller: `given`, else what
 * pg_config (variable PG_CONFIG) says, else the newest of Debian's, else that of PATH. */
int programs_find(const char *given, char **out, struct err *err) MUST_CHECK;
/* PostgreSQL refuses root: another user then (postgres, else nobody); *uid is 0 otherwise. */
int programs_user(uid_t *uid, gid_t *gid, struct err *err) MUST_CHECK;

#endif
