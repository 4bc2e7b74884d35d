// SPDX-License-Identifier: ISC
/* The words that the word filter and the scan know, in one table; nobody outside src/sql
 * needs it.  thread: any */
#ifndef DG_SQL_WORDS_H
#define DG_SQL_WORDS_H

#include "sql/filter.h"

#define SQL_NAME_MAX 63 /* bytes of a name; the server cuts longer ones */

/* Where a word counts when it stands there as a token. */
enum sql_word_place {
    SQL_AT_NONE,    /* only its flags matter */
    SQL_AT_START,   /* first in a statement */
    SQL_AT_COMMAND, /* also inside of any statement that could contain a command */
    SQL_AT_ANY,
};

enum {
    /* A statement that starts with it contains no command of class ddl, dcl, maintenance
     * or cluster but SELECT ... INTO, whatever else is in it. */
    SQL_IS_PLAIN = 1 << 0,
    SQL_IS_NESTING = 1 << 1, /* an operator: makes the tree deeper, up to a comma */
    SQL_IS_SET_OPERATION = 1 << 2, /* the same, across commas */
};

struct sql_word {
    char name[12]; /* upper case */
    uint8_t len;
    uint8_t group; /* one of SQL_W_*, 0: of no interest to the filter */
    uint8_t place; /* enum sql_word_place */
    char next;     /* first letter of the keyword that must follow, 0: any */
    uint8_t flags;
};

/* The word of that name in any case, NULL if it isn't one of ours. */
const struct sql_word *sql_word_find(const char *p, size_t n);

/* One of the tracked names: exactly this identifier's value (ASCII without case)? */
bool sql_words_has_n(const struct sql_words *w, const char *p, size_t n);

/* X(ctx, first letter, length, name, group, place, next, flags), sorted by name.
 * REPACK is a command from version 19 on. */
/* clang-format off */
#define SQL_WORDS(X, ctx) \
    X(ctx, 'A', 5, "ABORT", SQL_W_TX, SQL_AT_START, 0, SQL_IS_PLAIN)              \
    X(ctx, 'A', 5, "ALTER", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                   \
    X(ctx, 'A', 7, "ANALYSE", 0, 0, 0, SQL_IS_PLAIN)                              \
    X(ctx, 'A', 7, "ANALYZE", 0, 0, 0, SQL_IS_PLAIN)                              \
    X(ctx, 'A', 3, "AND", 0, 0, 0, SQL_IS_NESTING)                                \
    X(ctx, 'A', 2, "AT", 0, 0, 0, SQL_IS_NESTING)                                 \
    X(ctx, 'B', 5, "BEGIN", SQL_W_TX, SQL_AT_START, 0, SQL_IS_PLAIN)              \
    X(ctx, 'B', 7, "BETWEEN", 0, 0, 0, SQL_IS_NESTING)                            \
    X(ctx, 'C', 4, "CALL", SQL_W_CODE, SQL_AT_START, 0, SQL_IS_PLAIN)             \
    X(ctx, 'C', 4, "CASE", 0, 0, 0, SQL_IS_NESTING)                               \
    X(ctx, 'C', 10, "CHECKPOINT", 0, 0, 0, SQL_IS_PLAIN)                          \
    X(ctx, 'C', 5, "CLOSE", 0, 0, 0, SQL_IS_PLAIN)                                \
    X(ctx, 'C', 7, "CLUSTER", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                 \
    X(ctx, 'C', 7, "COLLATE", 0, 0, 0, SQL_IS_NESTING)                            \
    X(ctx, 'C', 7, "COMMENT", SQL_W_SCHEMA, SQL_AT_COMMAND, 'o', 0)               \
    X(ctx, 'C', 6, "COMMIT", SQL_W_TX, SQL_AT_START, 0, SQL_IS_PLAIN)             \
    X(ctx, 'C', 4, "COPY", 0, 0, 0, SQL_IS_PLAIN)                                 \
    X(ctx, 'C', 6, "CREATE", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                  \
    X(ctx, 'D', 10, "DEALLOCATE", SQL_W_PREPARED, SQL_AT_START, 0, SQL_IS_PLAIN)  \
    X(ctx, 'D', 7, "DECLARE", 0, 0, 0, SQL_IS_PLAIN)                              \
    X(ctx, 'D', 6, "DELETE", 0, 0, 0, SQL_IS_PLAIN)                               \
    X(ctx, 'D', 7, "DISCARD", SQL_W_SETTING, SQL_AT_START, 0, SQL_IS_PLAIN)       \
    X(ctx, 'D', 2, "DO", SQL_W_CODE, SQL_AT_START, 0, SQL_IS_PLAIN)               \
    X(ctx, 'D', 4, "DROP", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                    \
    X(ctx, 'E', 3, "END", SQL_W_TX, SQL_AT_START, 0, SQL_IS_PLAIN)                \
    X(ctx, 'E', 6, "EXCEPT", 0, 0, 0, SQL_IS_SET_OPERATION)                       \
    X(ctx, 'E', 7, "EXECUTE", SQL_W_PREPARED, SQL_AT_ANY, 0, SQL_IS_PLAIN)        \
    X(ctx, 'F', 5, "FETCH", 0, 0, 0, SQL_IS_PLAIN)                                \
    X(ctx, 'G', 5, "GRANT", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                   \
    X(ctx, 'I', 5, "ILIKE", 0, 0, 0, SQL_IS_NESTING)                              \
    X(ctx, 'I', 6, "IMPORT", SQL_W_SCHEMA, SQL_AT_COMMAND, 'f', 0)                \
    X(ctx, 'I', 2, "IN", 0, 0, 0, SQL_IS_NESTING)                                 \
    X(ctx, 'I', 6, "INSERT", 0, 0, 0, SQL_IS_PLAIN)                               \
    X(ctx, 'I', 9, "INTERSECT", 0, 0, 0, SQL_IS_SET_OPERATION)                    \
    X(ctx, 'I', 4, "INTO", SQL_W_INTO, SQL_AT_ANY, 0, 0)                          \
    X(ctx, 'I', 2, "IS", 0, 0, 0, SQL_IS_NESTING)                                 \
    X(ctx, 'I', 6, "ISNULL", 0, 0, 0, SQL_IS_NESTING)                             \
    X(ctx, 'J', 4, "JOIN", 0, 0, 0, SQL_IS_NESTING)                               \
    X(ctx, 'L', 4, "LIKE", 0, 0, 0, SQL_IS_NESTING)                               \
    X(ctx, 'L', 6, "LISTEN", 0, 0, 0, SQL_IS_PLAIN)                               \
    X(ctx, 'L', 4, "LOAD", 0, 0, 0, SQL_IS_PLAIN)                                 \
    X(ctx, 'L', 4, "LOCK", 0, 0, 0, SQL_IS_PLAIN)                                 \
    X(ctx, 'M', 5, "MERGE", 0, 0, 0, SQL_IS_PLAIN)                                \
    X(ctx, 'M', 4, "MOVE", 0, 0, 0, SQL_IS_PLAIN)                                 \
    X(ctx, 'N', 3, "NOT", 0, 0, 0, SQL_IS_NESTING)                                \
    X(ctx, 'N', 6, "NOTIFY", 0, 0, 0, SQL_IS_PLAIN)                               \
    X(ctx, 'N', 7, "NOTNULL", 0, 0, 0, SQL_IS_NESTING)                            \
    X(ctx, 'O', 8, "OPERATOR", 0, 0, 0, SQL_IS_NESTING)                           \
    X(ctx, 'O', 2, "OR", 0, 0, 0, SQL_IS_NESTING)                                 \
    X(ctx, 'O', 8, "OVERLAPS", 0, 0, 0, SQL_IS_NESTING)                           \
    X(ctx, 'P', 11, "PG_SETTINGS", SQL_W_SETTING, SQL_AT_ANY, 0, 0)               \
    X(ctx, 'P', 7, "PREPARE", SQL_W_PREPARED, SQL_AT_START, 0, 0)                 \
    X(ctx, 'R', 8, "REASSIGN", SQL_W_SCHEMA, SQL_AT_COMMAND, 'o', 0)              \
    X(ctx, 'R', 7, "REFRESH", SQL_W_SCHEMA, SQL_AT_COMMAND, 'm', 0)               \
    X(ctx, 'R', 7, "REINDEX", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                 \
    X(ctx, 'R', 7, "RELEASE", SQL_W_TX, SQL_AT_START, 0, SQL_IS_PLAIN)            \
    X(ctx, 'R', 6, "REPACK", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                  \
    X(ctx, 'R', 5, "RESET", SQL_W_SETTING, SQL_AT_START, 0, SQL_IS_PLAIN)         \
    X(ctx, 'R', 6, "REVOKE", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                  \
    X(ctx, 'R', 8, "ROLLBACK", SQL_W_TX, SQL_AT_START, 0, SQL_IS_PLAIN)           \
    X(ctx, 'S', 9, "SAVEPOINT", SQL_W_TX, SQL_AT_START, 0, SQL_IS_PLAIN)          \
    X(ctx, 'S', 8, "SECURITY", SQL_W_SCHEMA, SQL_AT_COMMAND, 'l', 0)              \
    X(ctx, 'S', 6, "SELECT", 0, 0, 0, SQL_IS_PLAIN)                               \
    X(ctx, 'S', 3, "SET", SQL_W_SETTING, SQL_AT_START, 0, SQL_IS_PLAIN)           \
    X(ctx, 'S', 10, "SET_CONFIG", SQL_W_SETTING, SQL_AT_ANY, 0, 0)                \
    X(ctx, 'S', 4, "SHOW", 0, 0, 0, SQL_IS_PLAIN)                                 \
    X(ctx, 'S', 7, "SIMILAR", 0, 0, 0, SQL_IS_NESTING)                            \
    X(ctx, 'S', 5, "START", SQL_W_TX, SQL_AT_START, 't', SQL_IS_PLAIN)            \
    X(ctx, 'T', 5, "TABLE", 0, 0, 0, SQL_IS_PLAIN)                                \
    X(ctx, 'T', 8, "TRUNCATE", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                \
    X(ctx, 'U', 5, "UNION", 0, 0, 0, SQL_IS_SET_OPERATION)                        \
    X(ctx, 'U', 8, "UNLISTEN", 0, 0, 0, SQL_IS_PLAIN)                             \
    X(ctx, 'U', 6, "UPDATE", 0, 0, 0, SQL_IS_PLAIN)                               \
    X(ctx, 'V', 6, "VACUUM", SQL_W_SCHEMA, SQL_AT_COMMAND, 0, 0)                  \
    X(ctx, 'V', 6, "VALUES", 0, 0, 0, SQL_IS_PLAIN)                               \
    X(ctx, 'W', 4, "WITH", 0, 0, 0, SQL_IS_PLAIN)
/* clang-format on */

#endif
