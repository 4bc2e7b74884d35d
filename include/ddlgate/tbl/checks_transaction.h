/* Group transaction; see checks.h. What one transaction is, the file says with BEGIN and
 * COMMIT, and the policy with `transaction = file | tool | query`. */
POL_CHECK(TX_WRAP, "tx-wrap-required", "transaction", ALLOW, WARN, REJECT, STANDARD, END,
    pol_check_tx_wrap, "", "Several changes in a file that has no BEGIN around them.")
POL_CHECK(TX_UNCOMMITTED, "tx-uncommitted", "transaction", WARN, REJECT, REJECT, SAFETY, END,
    pol_check_tx_uncommitted, "", "A file that ends inside a transaction with changes in it.")
POL_CHECK(TX_NESTING, "tx-nesting", "transaction", WARN, WARN, REJECT, SAFETY, FILE,
    pol_check_tx_nesting, "", "BEGIN inside a transaction, or COMMIT outside of one.")
POL_CHECK(TX_COMMIT, "tx-explicit-commit", "transaction", NOTE, WARN, REJECT, SAFETY, FILE,
    pol_check_tx_commit, "",
    "BEGIN, COMMIT or ROLLBACK in a file that the tool runs in a transaction of its own.")
POL_CHECK(CONCURRENTLY_IN_TX, "concurrently-in-transaction", "transaction", REJECT, REJECT,
    REJECT, SAFETY, STATIC, pol_check_concurrently_in_tx, "except",
    "A statement inside a transaction that the server runs outside of one only.")
POL_CHECK(MULTI, "multi-statement-ddl", "transaction", NOTE, WARN, WARN, STANDARD, STATIC,
    pol_check_multi, "", "A schema change beside other statements in one Query message.")
POL_CHECK(DDL_DML, "ddl-and-dml-mixed", "transaction", ALLOW, WARN, REJECT, SAFETY, FILE,
    pol_check_ddl_dml, "except; min_table_size",
    "Rows changed in the transaction that holds a strong lock on an existing table.")
POL_CHECK(MANY_TABLES, "many-tables-one-transaction", "transaction", ALLOW, NOTE, WARN,
    SAFETY, STATIC, pol_check_many_tables, "except; max=1",
    "More than `max` existing tables locked ACCESS EXCLUSIVE in one transaction.")
POL_CHECK(VALIDATE_TX, "validate-in-same-transaction", "transaction", NOTE, WARN, REJECT,
    SAFETY, STATIC, pol_check_validate_tx, "except; min_table_size",
    "VALIDATE in the transaction that added the constraint and still holds its lock.")
POL_CHECK(ENUM_USED, "enum-value-used-in-transaction", "transaction", WARN, REJECT, REJECT,
    SAFETY, FILE, pol_check_enum_used, "except",
    "A new enum value used before its transaction is over, which fails.")
POL_CHECK(TWO_PHASE, "two-phase-ddl", "transaction", WARN, REJECT, REJECT, SAFETY, FILE,
    pol_check_two_phase, "", "PREPARE TRANSACTION with schema changes: their locks stay.")
POL_CHECK(IDLE, "idle-after-ddl", "transaction", WARN, WARN, REJECT, SAFETY, SESSION,
    NULL, "after=60s",
    "A client that sends nothing for `after`, in a transaction that locks a table by a change.")
