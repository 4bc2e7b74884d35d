/* The checks of policy: X-macro table, included with the macro one wants defined.
 * POL_CHECK(symbol, id, group, development, staging, production, when, function, params,
 * summary): defaults are actions without their prefix; `when` is POL_ON_...: STATIC looks at
 * statements alone (a migration as a whole, or one that is in no migration), HISTORY needs
 * the migration history of a session, ALWAYS runs in both, EXEMPT is no check of its own.
 * The order is that of findings about one statement. */
#ifndef POL_CHECK
#define POL_CHECK(symbol, id, group, dev, stg, prod, when, function, params, summary)
#endif

POL_CHECK(UNPARSABLE, "unparsable-statement", "security", WARN, REJECT, REJECT, ALWAYS,
    pol_check_unparsable, "",
    "A statement that may change the schema and can't be read completely.")
POL_CHECK(IMMUTABLE, "migration-immutable", "history", WARN, REJECT, REJECT, HISTORY,
    pol_check_immutable, "", "A migration file that changed after it was applied.")
POL_CHECK(FAILED, "migration-failed-previous", "history", WARN, REJECT, REJECT, HISTORY,
    pol_check_failed, "", "A migration while an earlier one is marked failed.")
POL_CHECK(ORDER, "migration-out-of-order", "history", WARN, REJECT, REJECT, HISTORY,
    pol_check_order, "", "A pending migration below an applied version.")
POL_CHECK(FIRST, "migration-first", "history", NOTE, REJECT, REJECT, HISTORY,
    pol_check_first, "", "A schema change that is in no pending migration.")
POL_CHECK(WRITE, "migration-history-write", "history", WARN, REJECT, REJECT, HISTORY,
    pol_check_write, "", "A write of the history table that no migration explains.")
POL_CHECK(DROP_TABLE, "drop-table", "destructive", WARN, HOLD, REJECT, STATIC,
    pol_check_drop_table, "except", "DROP TABLE, and its data.")
POL_CHECK(DROP_COLUMN, "drop-column", "destructive", WARN, HOLD, REJECT, STATIC,
    pol_check_drop_column, "except", "DROP COLUMN, and its data and indexes.")
POL_CHECK(ADD_INDEX, "add-index-concurrently", "locking", ALLOW, WARN, REJECT, STATIC,
    pol_check_add_index, "except", "CREATE INDEX that blocks writes while it builds.")
POL_CHECK(NOT_NULL, "not-null-needs-default", "locking", WARN, REJECT, REJECT, STATIC,
    pol_check_not_null, "except", "ADD COLUMN ... NOT NULL that fails on a filled table.")
POL_CHECK(FK_INDEX, "fk-index", "modelling", ALLOW, WARN, REJECT, STATIC,
    pol_check_fk_index, "except", "A foreign key whose columns no index leads with.")
POL_CHECK(HIDDEN, "ddl-hidden-in-code", "security", NOTE, WARN, REJECT, STATIC,
    pol_check_hidden, "", "DO, CALL and functions that change the schema out of sight.")
POL_CHECK(TEMP, "temp-objects-exempt", "hygiene", ALLOW, ALLOW, ALLOW, EXEMPT,
    NULL, "", "Temporary objects: exempt from all rules, or what this says.")

#undef POL_CHECK
