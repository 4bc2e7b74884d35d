// SPDX-License-Identifier: ISC
/* Facts: what classification found out about one statement. All strings live in the arena
 * of the struct sql_tree they belong to. No library type appears here; the checks of
 * policy work on nothing else.  thread: any (immutable once made) */
#ifndef DG_SQL_FACTS_H
#define DG_SQL_FACTS_H

#include "ddlgate/decision.h"
#include "sql/scan.h"

enum sql_flag {
    SQL_F_IF_EXISTS = 1 << 0,
    SQL_F_IF_NOT_EXISTS = 1 << 1,
    SQL_F_OR_REPLACE = 1 << 2,
    SQL_F_CASCADE = 1 << 3,
    SQL_F_CONCURRENTLY = 1 << 4,
    SQL_F_TEMP = 1 << 5, /* CREATE TEMP, SELECT INTO TEMP, or every name in pg_temp */
    SQL_F_UNPARSABLE =
        1 << 6,             /* tag and objects are the lexer's guess or empty: they may
                                * name less than the statement touches */
    SQL_F_DYNAMIC = 1 << 7, /* code that runs text which can't be known */
    SQL_F_DDL_IN_CODE = 1 << 8, /* DO or function body with a schema word in it */
    SQL_F_NESTED = 1 << 9,      /* stands inside another statement of the text */
    SQL_F_ONLY = 1 << 10,
    SQL_F_READING =
        1 << 11, /* may change standard_conforming_strings, client_encoding or
                               * search_path (SET, RESET, DISCARD ALL, set_config, ...) */
    SQL_F_UNIQUE = 1 << 12, /* CREATE UNIQUE INDEX */
    SQL_F_NO_TX = 1 << 13,  /* can't run inside a transaction block */
};

/* What kind of object a name means. */
enum sql_object_kind {
    SQL_O_TABLE,
    SQL_O_INDEX,
    SQL_O_VIEW,
    SQL_O_MATVIEW,
    SQL_O_SEQUENCE,
    SQL_O_FOREIGN_TABLE,
    SQL_O_TYPE,
    SQL_O_DOMAIN,
    SQL_O_FUNCTION,
    SQL_O_PROCEDURE,
    SQL_O_AGGREGATE,
    SQL_O_OPERATOR,
    SQL_O_SCHEMA,
    SQL_O_DATABASE,
    SQL_O_ROLE,
    SQL_O_TABLESPACE,
    SQL_O_EXTENSION,
    SQL_O_TRIGGER,
    SQL_O_RULE,
    SQL_O_POLICY,
    SQL_O_OTHER,
};

struct sql_object {
    enum sql_object_kind kind;
    const char *schema; /* as written (folded), NULL if not written */
    const char *name;   /* "" where the server chooses: an index without a name, CREATE
                         * SCHEMA AUTHORIZATION CURRENT_USER */
    const char *on;     /* trigger, rule, policy: unqualified table; index: its table.
                         * Their schema is that table's; the table follows as an object */
    const char *on_schema;
    int pos;         /* byte offset in the text, -1 if unknown */
    bool is_temp;    /* written pg_temp.x, or created TEMP */
    bool is_created; /* this statement makes it */
};

enum sql_constraint_kind {
    SQL_C_NOT_NULL,
    SQL_C_NULL,
    SQL_C_DEFAULT,
    SQL_C_IDENTITY,
    SQL_C_GENERATED,
    SQL_C_CHECK,
    SQL_C_PRIMARY,
    SQL_C_UNIQUE,
    SQL_C_EXCLUSION,
    SQL_C_FOREIGN,
};

struct sql_constraint {
    enum sql_constraint_kind kind;
    const char *name;     /* NULL if the server chooses */
    const char **columns; /* keys; for a column constraint the column itself */
    size_t n_columns;
    const char *ref_schema, *ref_table; /* foreign key */
    const char **ref_columns;
    size_t n_ref_columns;
    char on_delete; /* as pg_constraint: a r c n d; 0 if no foreign key */
    char on_update;
    bool has_on_delete; /* ON DELETE is written ('a' also means that nothing is) */
    bool not_valid;
    bool is_volatile; /* DEFAULT, GENERATED: calls a function not known to be stable */
    const char *call; /* DEFAULT: the function if the whole expression is one call of it
                       * ("now", "gen_random_uuid", "current_timestamp"), else NULL */
    bool
        is_constant; /* DEFAULT: a constant, cast at most to a type of the server's own */
    bool has_call;   /* CHECK: holds more than columns, constants, = <> IN, IS NULL and
                        * their AND, OR, NOT */
    const char *using_index;
    const char *not_null_of; /* CHECK: the column if it says `column IS NOT NULL` and
                              * nothing else, else NULL */
    int pos;
};

struct sql_column {
    const char *name;
    const char
        *type; /* as written, canonical internal name: "pg_catalog.int4" or "citext" */
    const char *type_mods;              /* "(10,2)", "[]" or "" */
    bool has_collation;                 /* COLLATE is written */
    const char *collation;              /* its name without a schema, NULL if none */
    bool has_using;                     /* ALTER COLUMN TYPE ... USING */
    struct sql_constraint *constraints; /* of the column */
    size_t n_constraints;
    int pos;
};

/* One action of ALTER TABLE and relatives; CREATE TABLE's elements come as ADD COLUMN and
 * ADD CONSTRAINT, too, with is_created set on the statement's object. Other statements
 * list their noteworthy clauses the same way: "PARTITION OF", "SECURITY DEFINER",
 * "TO PUBLIC", "SUPERUSER", "WITHOUT WHERE", "PROGRAM" (the facts_*.c files name them). */
struct sql_sub {
    const char
        *name; /* PostgreSQL's words: "ADD COLUMN", "DROP COLUMN", "ALTER COLUMN TYPE",
                         * "ADD CONSTRAINT", "SET NOT NULL", "VALIDATE CONSTRAINT", "RENAME
                         * COLUMN", "OWNER TO", "SET SCHEMA", "ATTACH PARTITION", ... */
    const char *column; /* or constraint or other name the action is about; NULL */
    const char
        *value; /* what it becomes: new name, owner, schema, enum value; or NULL */
    struct sql_column *def;            /* ADD COLUMN, ALTER COLUMN TYPE */
    struct sql_constraint *constraint; /* ADD CONSTRAINT */
    unsigned flags;                    /* SQL_F_IF_EXISTS, SQL_F_CASCADE, ... */
    int pos;
};

/* CREATE INDEX */
struct sql_index {
    const char *method;
    const char **columns; /* leading key columns; NULL entry for an expression */
    size_t n_columns;
    size_t n_include; /* INCLUDE */
    bool has_where;
    bool has_order; /* an operator class, a collation, DESC or NULLS FIRST is written */
};

enum sql_tx {
    SQL_TX_NONE,
    SQL_TX_BEGIN,
    SQL_TX_COMMIT,
    SQL_TX_ROLLBACK,
    SQL_TX_SAVEPOINT,
    SQL_TX_ROLLBACK_TO,
    SQL_TX_RELEASE,
    SQL_TX_PREPARE,
    SQL_TX_COMMIT_PREPARED,
    SQL_TX_ROLLBACK_PREPARED,
};

enum sql_prep {
    SQL_PREP_NONE,
    SQL_PREP_PREPARE,
    SQL_PREP_EXECUTE,
    SQL_PREP_DEALLOCATE,
    SQL_PREP_DEALLOCATE_ALL,
};

/* A row written by INSERT into a tracked history table. */
struct sql_value {
    const char *column; /* NULL when the INSERT names no columns: position counts */
    const char
        *text; /* literal as text; NULL when null, a parameter or an expression */
    int param; /* $n, 0 if none */
    bool is_null;
    bool is_expression; /* now(), DEFAULT, a subquery, ... */
};

/* COPY ... FROM STDIN in a form in which its rows can be read. */
struct sql_copy {
    enum {
        SQL_COPY_TEXT,
        SQL_COPY_CSV,
        SQL_COPY_BINARY,
    } format;
    char delimiter, quote, escape; /* quote, escape: of CSV */
    const char *null;              /* what stands for null */
    bool has_header;               /* the first line is none of the rows */
};

struct sql_write {
    enum {
        SQL_WRITE_INSERT,
        SQL_WRITE_UPDATE,
        SQL_WRITE_DELETE,
        SQL_WRITE_MERGE,
        SQL_WRITE_COPY,
        SQL_WRITE_TRUNCATE,
        SQL_WRITE_LOCK
    } op;
    const char *schema, *table; /* schema as written or NULL */
    struct sql_value
        *values; /* rows of an INSERT ... VALUES one after the other, or the
                                 * assignments of an UPDATE */
    size_t n_values;
    size_t n_rows;           /* INSERT ... VALUES; 0 for INSERT ... SELECT, whose output
                                 * columns are then the values; 0 for COPY, whose values are
                                 * the column list alone */
    struct sql_value *where; /* UPDATE, DELETE: column = constant terms joined by AND */
    size_t n_where;
    bool where_is_simple;        /* nothing else in WHERE */
    const struct sql_copy *copy; /* COPY; NULL: its rows can't be read */
    struct sql_value *in;        /* WHERE is nothing but column IN (constants): these */
    size_t n_in;
    bool
        is_upsert; /* ON CONFLICT DO UPDATE, of other values than EXCLUDED's: those above
                     * are not what will stand */
};

struct sql_facts {
    size_t stmt;       /* index in struct sql_scan of the statement it belongs to */
    int parent;        /* index in sql_tree.facts of the enclosing statement, -1 */
    const char *tag;   /* PostgreSQL's command tag: "ALTER TABLE" (table cmdtaglist) */
    enum dg_class cls; /* one bit, or DG_OTHER */
    unsigned flags;    /* enum sql_flag */
    int pos;           /* byte offset of what a caret should point at */
    struct sql_object *objects;
    size_t n_objects;
    struct sql_sub *subs;
    size_t n_subs;
    struct sql_index *index; /* CREATE INDEX, else NULL */
    struct sql_write *write; /* DML, TRUNCATE or LOCK of a tracked history table; may
                                     * be NULL in class history: what is written is unknown */
    enum sql_tx tx;
    const char *tx_name; /* savepoint or prepared transaction */
    enum sql_prep prep;
    const char *prep_name;
    const char *setting;       /* SET/RESET name ("all" for RESET ALL, DISCARD ALL) */
    const char *setting_value; /* SET's values joined by ", " if constant, else NULL
                                     * (so, too, for SET ... TO DEFAULT) */
    bool setting_is_local;     /* SET LOCAL, set_config(..., true) */
    const char *language;      /* of DO, CREATE FUNCTION */
    /* What the parser says of a statement that the grammar rejects, whose facts are the
     * lexer's reading; quotes no constant. NULL: it was parsed. */
    const char *error;
    int error_pos; /* byte offset, -1 if unknown */
};

#endif
