/* Group locking; see checks.h. Tables that this file, or this text, made are exempt. */
POL_CHECK(ADD_INDEX, "add-index-concurrently", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_add_index, "except; min_table_size",
    "CREATE INDEX that blocks writes while it builds.")
POL_CHECK(NOT_NULL, "not-null-needs-default", "locking", WARN, REJECT, REJECT, SAFETY, STATIC,
    pol_check_not_null, "except; defaults", "ADD COLUMN ... NOT NULL that fails on a filled table.")
POL_CHECK(DROP_INDEX, "drop-index-concurrently", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_drop_index, "except; min_table_size",
    "DROP INDEX that waits for all readers and blocks new ones.")
POL_CHECK(REINDEX, "reindex-concurrently", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_reindex, "except; min_table_size", "REINDEX that blocks writes while it builds.")
POL_CHECK(INDEX_OWN, "index-own-migration", "locking", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_index_own, "except; min_table_size",
    "CREATE INDEX on an existing table beside other changes in one file.")
POL_CHECK(PARTITIONED_INDEX, "partitioned-index", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_partitioned_index, "except",
    "CONCURRENTLY on a partitioned table (known by this file), which the server refuses.")
POL_CHECK(ADD_FK, "add-fk-not-valid", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_add_fk, "except; min_table_size",
    "A foreign key that is checked for every row while both tables are locked.")
POL_CHECK(FK_IN_CREATE, "fk-in-create-table", "locking", ALLOW, NOTE, WARN, SAFETY, STATIC,
    pol_check_fk_in_create, "except",
    "CREATE TABLE with a foreign key, which locks the existing table it refers to.")
POL_CHECK(ADD_CHECK, "add-check-not-valid", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_add_check, "except; min_table_size",
    "A CHECK that is tested for every row while the table is locked.")
POL_CHECK(INLINE, "add-column-inline-constraint", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_inline, "except; min_table_size",
    "ADD COLUMN with a constraint that scans the table or builds an index under its lock.")
POL_CHECK(ADD_UNIQUE, "add-unique-using-index", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_add_unique, "except; min_table_size",
    "A unique constraint that builds its index while the table is locked.")
POL_CHECK(ADD_PK, "add-pk-using-index", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_add_pk, "except; min_table_size",
    "A primary key that builds its index while the table is locked.")
POL_CHECK(ADD_EXCLUSION, "add-exclusion-constraint", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_add_exclusion, "except; min_table_size",
    "An exclusion constraint, which has no form that doesn't lock.")
POL_CHECK(SET_NOT_NULL, "set-not-null-scan", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_set_not_null, "except; min_table_size",
    "SET NOT NULL that scans the table while it is locked.")
POL_CHECK(VOLATILE, "add-column-volatile-default", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_volatile, "except; min_table_size",
    "ADD COLUMN with a default that rewrites the table.")
POL_CHECK(ADD_SERIAL, "add-column-serial-identity", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_add_serial, "except; min_table_size",
    "ADD COLUMN serial or identity, which rewrites the table.")
POL_CHECK(ADD_GENERATED, "add-column-generated", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_add_generated, "except; min_table_size",
    "ADD COLUMN ... GENERATED, which rewrites the table.")
POL_CHECK(CHANGE_TYPE, "change-column-type", "locking", NOTE, WARN, REJECT, SAFETY, STATIC,
    pol_check_change_type, "except; min_table_size",
    "ALTER COLUMN TYPE, which rewrites the table unless the old type fits into the new.")
POL_CHECK(CHANGE_COLLATION, "change-collation", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_change_collation, "except; min_table_size",
    "A new collation, which rebuilds the column's indexes while the table is locked.")
POL_CHECK(SET_LOGGED, "set-logged-unlogged", "locking", WARN, REJECT, REJECT, SAFETY, STATIC,
    pol_check_set_logged, "except; min_table_size",
    "SET LOGGED or UNLOGGED, which rewrites the table.")
POL_CHECK(SET_TABLESPACE, "set-tablespace", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_set_tablespace, "except; min_table_size",
    "SET TABLESPACE, which copies the table while it is locked.")
POL_CHECK(SET_METHOD, "set-access-method", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_set_method, "except; min_table_size",
    "SET ACCESS METHOD, which rewrites the table.")
POL_CHECK(VACUUM_FULL, "vacuum-full-cluster", "locking", WARN, REJECT, REJECT, SAFETY, STATIC,
    pol_check_vacuum_full, "except; min_table_size",
    "VACUUM FULL and CLUSTER, which rewrite the table and lock it meanwhile.")
POL_CHECK(REFRESH, "refresh-matview-concurrently", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_refresh, "except; min_table_size",
    "REFRESH MATERIALIZED VIEW that blocks readers.")
POL_CHECK(ATTACH, "attach-partition-check", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_attach, "except; min_table_size",
    "ATTACH PARTITION that scans the new partition while it is locked.")
POL_CHECK(PARTITION_OF, "create-partition-of", "locking", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_partition_of, "except",
    "CREATE TABLE ... PARTITION OF, which locks the whole partitioned table.")
POL_CHECK(DEFAULT_SCAN, "default-partition-scan", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_default_scan, "except; min_table_size",
    "A partition added beside a DEFAULT one (known by this file), which is scanned.")
POL_CHECK(DETACH, "detach-partition-concurrently", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_detach, "except", "DETACH PARTITION that locks the partitioned table.")
POL_CHECK(CREATE_TRIGGER, "create-trigger", "locking", ALLOW, NOTE, WARN, SAFETY, STATIC,
    pol_check_create_trigger, "except",
    "A trigger made, enabled or disabled, which blocks writes until the commit.")
POL_CHECK(DROP_FK, "drop-fk-locks-parent", "locking", ALLOW, WARN, WARN, SAFETY, STATIC,
    pol_check_drop_fk, "except; names=*_fkey, *_fkey?, fk_*, *_fk",
    "A foreign key dropped (known by its name), which locks the other table too.")
POL_CHECK(DOMAIN_CHECK, "domain-constraint-not-valid", "locking", ALLOW, WARN, REJECT, SAFETY,
    STATIC, pol_check_domain_check, "except",
    "A domain's constraint that scans every table with such columns.")
POL_CHECK(DOMAIN_NEW, "domain-with-constraint", "locking", NOTE, WARN, WARN, SAFETY, STATIC,
    pol_check_domain_new, "except",
    "A domain with a constraint: a column added with it rewrites the table.")
POL_CHECK(LOCK_TABLE, "explicit-lock-table", "locking", NOTE, WARN, REJECT, SAFETY, FILE,
    pol_check_lock_table, "except", "LOCK TABLE that blocks writers or everybody.")
POL_CHECK(COMMENT_LOCK, "comment-takes-lock", "locking", ALLOW, ALLOW, NOTE, SAFETY, STATIC,
    pol_check_comment_lock, "except",
    "COMMENT on an existing table in the transaction of other changes.")
POL_CHECK(REPLICA_FULL, "replica-identity-full", "locking", ALLOW, WARN, HOLD, SAFETY, STATIC,
    pol_check_replica_full, "except",
    "REPLICA IDENTITY FULL: each UPDATE and DELETE logs the whole row.")
POL_CHECK(SERVER_BUG, "concurrent-index-server-bug", "locking", WARN, REJECT, REJECT, SAFETY,
    STATIC, pol_check_server_bug, "",
    "CONCURRENTLY on a server 14.0 to 14.3, which can corrupt the index.")
POL_CHECK(LOCK_TIMEOUT, "require-lock-timeout", "locking", ALLOW, WARN, REJECT, STANDARD,
    STATIC, pol_check_lock_timeout, "except; min_table_size; value=2s; retries=0",
    "A strong lock on an existing table in a file that sets no lock_timeout.")
POL_CHECK(STATEMENT_TIMEOUT, "require-statement-timeout", "locking", ALLOW, NOTE, WARN,
    STANDARD, STATIC, pol_check_statement_timeout, "except; min_table_size; value=1min",
    "A strong lock on an existing table in a file that sets no statement_timeout.")
POL_CHECK(BLOCKER, "blocker-present", "locking", ALLOW, NOTE, WARN, SAFETY, LIVE,
    pol_check_blocker, "except; min_age=5s",
    "A strong lock on a table that a transaction of `min_age` or older holds.")
POL_CHECK(LARGE_TABLE, "large-table-ddl", "locking", ALLOW, NOTE, HOLD, SAFETY, LIVE,
    pol_check_large_table, "except; min_table_size=1GB; min_table_rows=10000000",
    "A lock that others wait for on a table of that size, or with so many rows.")
POL_CHECK(INVALID_INDEX, "invalid-index-left", "locking", WARN, WARN, REJECT, SAFETY, LIVE,
    pol_check_invalid_index, "except",
    "CREATE INDEX IF NOT EXISTS that skips an index which is there, but invalid.")
POL_CHECK(TYPE_REFERENCED, "change-type-referenced", "locking", WARN, REJECT, REJECT, SAFETY,
    LIVE, pol_check_type_referenced, "except",
    "ALTER COLUMN TYPE of a column that a foreign key, view, policy or column uses.")
POL_CHECK(DROP_PARTITION, "drop-partition-locks-parent", "locking", ALLOW, WARN, REJECT,
    SAFETY, LIVE, pol_check_drop_partition, "except",
    "DROP TABLE of a partition, which locks the whole partitioned table.")
