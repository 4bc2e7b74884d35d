// SPDX-License-Identifier: ISC
/* The commands of the gate's virtual database: their words, columns and help. Pure.
 * thread: any */
#ifndef DG_SESSION_COMMAND_H
#define DG_SESSION_COMMAND_H

#include "base/err.h"
#include "base/str.h"

enum sess_command_id {
    SESS_CMD_HELP,
    SESS_CMD_VERSION,
    SESS_CMD_DATABASES,
    SESS_CMD_MIGRATIONS,
    SESS_CMD_CHECKS,
    SESS_CMD_POLICY,
    SESS_CMD_RELOAD,
    /* Drivers send these around everything; nothing here is transactional. */
    SESS_CMD_BEGIN,
    SESS_CMD_COMMIT,
    SESS_CMD_ROLLBACK,
    SESS_CMD_EMPTY, /* no command at all */
};
#define SESS_N_COMMANDS (SESS_CMD_ROLLBACK + 1)

#define SESS_MAX_ARGUMENT 64 /* bytes; a database's name has 63 at most */
#define SESS_MAX_COLUMNS  8

struct sess_command {
    enum sess_command_id id;
    char database[SESS_MAX_ARGUMENT]; /* "": not given */
};

struct sess_command_info {
    const char *words;   /* "SHOW MIGRATIONS" */
    const char *takes;   /* "[DATABASE]", or "" */
    const char *tag;     /* of its CommandComplete */
    const char *summary; /* NULL: not for SHOW HELP */
    const char *columns[SESS_MAX_COLUMNS];
    size_t n_columns; /* 0: no rows */
};
/* NULL for SESS_CMD_EMPTY. */
const struct sess_command_info *sess_command_info(enum sess_command_id id);

/* One command, words without case, maybe with `;` at its end. 0, or -EINVAL: err says what
 * is wrong (syntax_error, 42601), hint what there is. */
int sess_command_parse(struct str text, struct sess_command *out, struct err *err,
    struct err *hint) MUST_CHECK;

#endif
