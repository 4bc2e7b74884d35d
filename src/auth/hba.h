// SPDX-License-Identifier: ISC
/* auth_hba_file: pg_hba.conf's syntax (manual 21.1) as far as the gate can answer it: types
 * local, host, hostssl, hostnossl; databases and users with all, sameuser, lists, "quoted"
 * names, /regular expressions (POSIX extended ones); addresses as CIDR, IP and mask, all,
 * samehost and samenet; methods trust, reject, password, md5, scram-sha-256, cert. Further
 * files, +role and samerole, host names, other methods and options are errors that say what
 * to write instead. The first record that matches decides; none: refused.
 * thread: any once loaded */
#ifndef DG_AUTH_HBA_H
#define DG_AUTH_HBA_H

#include "auth/server.h"

#include <sys/socket.h>

struct auth_hba; /* starts with a struct ref */
/* 0, or -EINVAL/-errno with file:line, what is wrong and what to write. */
int auth_hba_load(const char *path, struct auth_hba **out, struct err *err) MUST_CHECK;

struct auth_hba_ask {
    const char *user, *database;
    const struct sockaddr *peer; /* AF_UNIX: local */
    bool is_tls,
        is_replication; /* physical replication matches database "replication" only */
};
/* The method, and the record's line for the log; AUTH_REJECT and *line 0 if none matches.
 * samehost and samenet ask the kernel for its addresses each time, as PostgreSQL does; if it
 * does not tell, the record rejects. */
enum auth_method
auth_hba_find(const struct auth_hba *h, const struct auth_hba_ask *ask, int *line);

#endif
