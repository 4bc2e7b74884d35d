// SPDX-License-Identifier: ISC
/* Words of the design that several floors share: classes, actions, migration states. */
#ifndef DG_DECISION_H
#define DG_DECISION_H

/* How strict a decision is; the strictest finding wins. Order matters. */
enum dg_action {
    DG_ALLOW,
    DG_NOTE,    /* audit only */
    DG_WARN,    /* NOTICE to the client, forwarded */
    DG_REWRITE, /* forwarded in the safe form */
    DG_HOLD,    /* waits for a person */
    DG_REJECT,
};

/* What a statement is about; bits, so that sets of classes can be named. */
enum dg_class {
    DG_OTHER = 0,
    DG_DDL = 1 << 0,         /* tables, indexes, types, views, ... */
    DG_CODE = 1 << 1,        /* functions, procedures, DO, CALL, triggers, rules */
    DG_DCL = 1 << 2,         /* GRANT, REVOKE, owner, policies on schema objects */
    DG_MAINTENANCE = 1 << 3, /* TRUNCATE, REFRESH, REINDEX, CLUSTER, VACUUM, ... */
    DG_CLUSTER = 1 << 4,     /* roles, databases, tablespaces, ALTER SYSTEM, ... */
    DG_HISTORY = 1 << 5,     /* writes to a tool's history table */
};

/* Default of the policy key `migrate`: the classes that are schema changes. */
#define DG_MIGRATE_DEFAULT (DG_DDL | DG_CODE | DG_DCL)

/* Is it listed in a migration of this database? */
enum dg_migrated {
    DG_MIGRATED_NO,
    DG_MIGRATED_YES,
    DG_MIGRATED_UNKNOWN, /* history can't be read */
};

/* State of one migration in one database. */
enum dg_migration_state {
    DG_MIG_PENDING,
    DG_MIG_RUNNING,
    DG_MIG_APPLIED,
    DG_MIG_EDITED,       /* applied, and the file has changed since */
    DG_MIG_OUT_OF_ORDER, /* pending, below an applied version */
    DG_MIG_MISSING,      /* applied, and there is no file */
    DG_MIG_FAILED,
};

#endif
