/* Checks whose statements have a safe form that the gate can make by itself (action =
 * rewrite) or that `ddlgate check --fix` can write into a file: X-macro table.
 *
 * POL_REWRITE(symbol, function, where, form): symbol of tbl/checks.h; where is BOTH (wire
 * and files), WIRE (needs a session) or FILE (a question about files).
 *
 * Without one, though the catalogue thinks of it, since neither a gate nor an edit of a file
 * can do it soundly:
 *   index-own-migration: the index would have to go to another file, with a name, a number
 *     and a place in the history of its own; the statements that stay may need it.
 *   multi-statement-ddl: one message is one transaction and one answer. Sent as several, a
 *     failure in the middle would leave half of what was to happen whole or not at all.
 *   change-column-type: a column beside it has to be filled, kept in step by a trigger that
 *     every writer passes, and swapped in by a release that knows both; no text of the
 *     statement says how the old value becomes the new one.
 *   idle-after-ddl: it is a matter of what the session doesn't send; no statement of it
 *     could be sent otherwise.
 * Of those below, in part only:
 *   attach-partition-check: not HASH (what belongs to a part is no condition on columns that
 *     the server would take for its own), not DEFAULT (it hangs on all the other parts), not
 *     for keys with expressions, collations or operator classes of their own.
 *   partitioned-index: not with IF NOT EXISTS, not over foreign tables, which have no index.
 *   not-null-needs-default: where the policy has a value for the type.
 *   owner-change: what is made gets the policy's owner; an owner that is written stays.
 *   rename-table: a view; TRUNCATE, COPY FROM and rights on the old name are not kept.
 *   backup-before: in files. On the wire nothing can stand before a statement in its
 *     transaction, and a copy made earlier could lack rows.
 *   drop-name-convention: in files. The client would see another tag, and a drop that the
 *     server would have refused would go through; a move to quarantine (drop-table) tries it.
 *   drop-partition-locks-parent: not beside a DEFAULT partition (the server refuses it), nor
 *     where something depends on the partition: DROP would fail, DETACH would not.
 *   migration-recorded: for numbered SQL, whose files write their row themselves; other tools
 *     write it, with a checksum of theirs. */
#ifndef POL_REWRITE
#define POL_REWRITE(symbol, function, where, form)
#endif

/* Locks. */
POL_REWRITE(ADD_INDEX, index_concurrently, BOTH, "CREATE INDEX CONCURRENTLY")
POL_REWRITE(DROP_INDEX, drop_index_concurrently, BOTH, "DROP INDEX CONCURRENTLY")
POL_REWRITE(REINDEX, reindex_concurrently, BOTH, "REINDEX ... CONCURRENTLY")
POL_REWRITE(REFRESH, refresh_concurrently, BOTH, "REFRESH MATERIALIZED VIEW CONCURRENTLY")
POL_REWRITE(DETACH, detach_concurrently, BOTH, "DETACH PARTITION ... CONCURRENTLY")
POL_REWRITE(ADD_FK, fk_not_valid, BOTH, "NOT VALID; VALIDATE CONSTRAINT is proposed")
POL_REWRITE(ADD_CHECK, check_not_valid, BOTH, "NOT VALID; VALIDATE CONSTRAINT is proposed")
POL_REWRITE(DOMAIN_CHECK, domain_not_valid, BOTH, "NOT VALID; VALIDATE CONSTRAINT is proposed")
POL_REWRITE(LOCK_TIMEOUT, lock_timeout, BOTH, "lock_timeout set before it, and set back after it")
POL_REWRITE(STATEMENT_TIMEOUT, statement_timeout, BOTH,
    "statement_timeout set before it, and set back after it")
POL_REWRITE(BLOCKER, lock_timeout, WIRE,
    "lock_timeout set before it, and set back after it; tried again if it ends there")
POL_REWRITE(CREATE_TRIGGER, lock_timeout, WIRE, "lock_timeout set before it, and set back after it")
POL_REWRITE(DROP_FK, lock_timeout, WIRE, "lock_timeout set before it, and set back after it")
POL_REWRITE(FK_IN_CREATE, lock_timeout, WIRE, "lock_timeout set before it, and set back after it")
POL_REWRITE(DROP_PARTITION, detach_first, BOTH,
    "DETACH PARTITION CONCURRENTLY before it, where the server says that it can be done; else "
    "lock_timeout set before it")
POL_REWRITE(INVALID_INDEX, drop_invalid, BOTH,
    "DROP INDEX CONCURRENTLY of the invalid one before it")
POL_REWRITE(PARTITIONED_INDEX, index_by_partition, BOTH,
    "CREATE INDEX ON ONLY, then CONCURRENTLY on each partition, and ATTACH PARTITION")
POL_REWRITE(ATTACH, attach_by_check, BOTH,
    "a CHECK of its bounds added NOT VALID and validated before it, and dropped behind it")
POL_REWRITE(NOT_NULL, default_value, BOTH, "the value that the policy has for the type as DEFAULT")
POL_REWRITE(LOCK_TABLE, lock_nowait, BOTH, "LOCK TABLE ... NOWAIT")
POL_REWRITE(ADD_UNIQUE, key_using_index, BOTH,
    "CREATE UNIQUE INDEX CONCURRENTLY, then UNIQUE USING INDEX")
POL_REWRITE(ADD_PK, key_using_index, BOTH,
    "CREATE UNIQUE INDEX CONCURRENTLY, columns NOT NULL by way of a CHECK, then PRIMARY KEY "
    "USING INDEX")
POL_REWRITE(SET_NOT_NULL, not_null_by_check, BOTH,
    "a CHECK added NOT VALID and validated before it, and dropped behind it")
POL_REWRITE(INLINE, inline_apart, BOTH,
    "the column first, then its constraint, NOT VALID and VALIDATE CONSTRAINT")
POL_REWRITE(VOLATILE, default_apart, BOTH,
    "the column first, then SET DEFAULT; rows that are there stay NULL")
POL_REWRITE(MERGE_ALTER, merge_alter, FILE, "one ALTER TABLE with the actions of both")
POL_REWRITE(PARTITION_OF, attach_behind, BOTH, "CREATE TABLE ... (LIKE ...), then ATTACH PARTITION")
POL_REWRITE(TX_NESTING, tx_flat, FILE, "no BEGIN and COMMIT inside of another")
POL_REWRITE(VALIDATE_TX, commit_first, FILE, "COMMIT and BEGIN before VALIDATE CONSTRAINT")
POL_REWRITE(TX_WRAP, tx_wrap, FILE, "BEGIN before the first statement, COMMIT behind the last")

/* Losses. */
POL_REWRITE(DROP_TABLE, quarantine, WIRE, "the table is moved to the quarantine schema")
POL_REWRITE(DROP_NAME, set_aside, FILE,
    "ALTER TABLE ... RENAME TO, by the first pattern of `names`")
POL_REWRITE(BACKUP, copy_first, FILE,
    "CREATE TABLE ..._backup_... AS TABLE before it, of a table up to max_table_size")
POL_REWRITE(RENAME_TABLE, view_behind, BOTH, "CREATE VIEW of the old name behind it")
POL_REWRITE(DROP_SCHEMA, restrict, BOTH, "RESTRICT instead of CASCADE")
POL_REWRITE(TRUNCATE_CASCADE, restrict, BOTH, "RESTRICT instead of CASCADE")
POL_REWRITE(DROP_CASCADE, restrict, BOTH, "RESTRICT instead of CASCADE")
POL_REWRITE(DROP_TYPE, restrict, BOTH, "RESTRICT instead of CASCADE")

/* Types of new columns. */
POL_REWRITE(PREFER_TEXT, type_text, BOTH, "text")
POL_REWRITE(BAN_CHAR, type_text, BOTH, "text")
POL_REWRITE(PREFER_TIMESTAMPTZ, type_timestamptz, BOTH, "timestamptz")
POL_REWRITE(PREFER_BIGINT, type_bigint, BOTH, "bigint")
POL_REWRITE(PREFER_IDENTITY, type_identity, BOTH, "bigint GENERATED BY DEFAULT AS IDENTITY")
POL_REWRITE(PREFER_JSONB, type_jsonb, BOTH, "jsonb")
POL_REWRITE(BAN_MONEY, type_numeric, BOTH, "numeric(12,2)")
POL_REWRITE(TYPE_LIST, type_listed, BOTH, "the type that the list has for it")

/* Names that nobody wrote. */
POL_REWRITE(INDEX_NAME, index_name, BOTH, "the name that the pattern asks for, where none is written")
POL_REWRITE(UNIQUE_NAME, unique_name, BOTH,
    "the name that the pattern asks for, where none is written")
POL_REWRITE(FK_NAME, constraint_name, BOTH,
    "the name that the pattern asks for, where none is written")
POL_REWRITE(PK_NAME, constraint_name, BOTH,
    "the name that the pattern asks for, where none is written")
POL_REWRITE(CONSTRAINT_NAMED, constraint_name, BOTH, "CONSTRAINT and a name before it")

/* What a team's tables have. */
POL_REWRITE(CREATED_UPDATED, add_columns, BOTH, "the columns that are missing, in CREATE TABLE")
POL_REWRITE(SOFT_DELETE, soft_delete, BOTH,
    "the column that is missing, in CREATE TABLE; CREATE INDEX behind it is proposed")
POL_REWRITE(TENANT_INDEX, index_behind, BOTH, "CREATE INDEX behind it")
POL_REWRITE(FK_INDEX, index_behind, BOTH,
    "CREATE INDEX behind it, CONCURRENTLY on a table that was there")
POL_REWRITE(QUALIFIED, schema, WIRE,
    "the first schema of the session's search_path, before the name of what is made")

/* The rest. */
POL_REWRITE(OWNER, owner_behind, BOTH, "ALTER ... OWNER TO the policy's owner behind it")
POL_REWRITE(RECORDED, record_row, FILE, "the file's own row before its last COMMIT")
POL_REWRITE(DEFINER, definer_path, BOTH, "SET search_path = pg_catalog, pg_temp")
POL_REWRITE(UNLOGGED, logged, BOTH, "CREATE TABLE without UNLOGGED")
POL_REWRITE(IDEMPOTENT_CREATE, if_not_exists, BOTH, "IF NOT EXISTS")
POL_REWRITE(IDEMPOTENT_DROP, if_exists, BOTH, "IF EXISTS")
POL_REWRITE(OR_REPLACE, or_replace, BOTH, "CREATE OR REPLACE")

#undef POL_REWRITE
