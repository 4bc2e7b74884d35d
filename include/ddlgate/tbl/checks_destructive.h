/* Group destructive; see checks.h. */
POL_CHECK(DROP_TABLE, "drop-table", "destructive", WARN, HOLD, REJECT, SAFETY, STATIC,
    pol_check_drop_table, "except; min_table_size; quarantine", "DROP TABLE, and its data.")
POL_CHECK(DROP_COLUMN, "drop-column", "destructive", WARN, HOLD, REJECT, SAFETY, STATIC,
    pol_check_drop_column, "except; min_table_size", "DROP COLUMN, and its data and indexes.")
POL_CHECK(DROP_SCHEMA, "drop-schema", "destructive", HOLD, REJECT, REJECT, SAFETY, STATIC,
    pol_check_drop_schema, "except", "DROP SCHEMA, and with CASCADE all that is in it.")
POL_CHECK(DROP_DATABASE, "drop-database", "destructive", REJECT, REJECT, REJECT, SAFETY,
    STATIC, pol_check_drop_database, "except", "DROP DATABASE.")
POL_CHECK(DROP_OWNED, "drop-owned", "destructive", REJECT, REJECT, REJECT, SAFETY, STATIC,
    pol_check_drop_owned, "except", "DROP OWNED and REASSIGN OWNED: every object of a role.")
POL_CHECK(TRUNCATE, "truncate", "destructive", WARN, HOLD, REJECT, SAFETY, STATIC,
    pol_check_truncate, "except; min_table_size", "TRUNCATE, and its rows.")
POL_CHECK(TRUNCATE_CASCADE, "truncate-cascade", "destructive", HOLD, REJECT, REJECT, SAFETY,
    STATIC, pol_check_truncate_cascade, "except",
    "TRUNCATE ... CASCADE, which empties tables that it doesn't name.")
POL_CHECK(DROP_CASCADE, "drop-cascade", "destructive", WARN, HOLD, REJECT, SAFETY, STATIC,
    pol_check_drop_cascade, "except", "CASCADE, which drops what it doesn't name.")
POL_CHECK(DROP_PRIMARY_KEY, "drop-primary-key", "destructive", WARN, HOLD, REJECT, SAFETY,
    STATIC, pol_check_drop_primary_key, "except; names=*_pkey, pk_*, *_pk",
    "A primary key dropped (known by its name, or by this file).")
POL_CHECK(DROP_CONSTRAINT, "drop-constraint", "destructive", WARN, HOLD, HOLD, SAFETY, STATIC,
    pol_check_drop_constraint, "except", "A constraint dropped that no new one replaces.")
POL_CHECK(DROP_NOT_NULL, "drop-not-null", "destructive", NOTE, WARN, HOLD, SAFETY, STATIC,
    pol_check_drop_not_null, "except", "DROP NOT NULL on a column that readers know as filled.")
POL_CHECK(DROP_VIEW, "drop-routine-or-view", "destructive", NOTE, WARN, HOLD, SAFETY, STATIC,
    pol_check_drop_view, "except",
    "A view, function, trigger, sequence, policy or rule dropped and not made again.")
POL_CHECK(DROP_TYPE, "drop-type", "destructive", WARN, HOLD, REJECT, SAFETY, STATIC,
    pol_check_drop_type, "except", "DROP TYPE or DOMAIN; with CASCADE the columns go too.")
POL_CHECK(RENAME_TABLE, "rename-table", "destructive", NOTE, HOLD, REJECT, SAFETY, STATIC,
    pol_check_rename_table, "except; names=*_del, *_deprecated, _deprecated_*",
    "A table or view renamed under running code (but not set aside under `names`).")
POL_CHECK(RENAME_COLUMN, "rename-column", "destructive", NOTE, HOLD, REJECT, SAFETY, STATIC,
    pol_check_rename_column, "except", "A column renamed under running code.")
POL_CHECK(RENAME_SCHEMA, "rename-or-move-schema", "destructive", NOTE, HOLD, REJECT, SAFETY,
    STATIC, pol_check_rename_schema, "except",
    "A schema renamed, or an object moved to another one.")
POL_CHECK(RENAME_ENUM, "rename-enum-value", "destructive", NOTE, HOLD, REJECT, SAFETY, STATIC,
    pol_check_rename_enum, "except", "An enum value renamed under running code.")
POL_CHECK(RECREATE, "drop-and-recreate", "destructive", WARN, HOLD, REJECT, SAFETY, STATIC,
    pol_check_recreate, "except", "A table dropped and made again in one file.")
POL_CHECK(DROP_NAME, "drop-name-convention", "destructive", ALLOW, WARN, REJECT, STANDARD,
    STATIC, pol_check_drop_name, "except; names=*_del, *_deprecated, _deprecated_*",
    "A table dropped that was not set aside under an agreed name first.")
POL_CHECK(WITHOUT_WHERE, "mutation-without-where", "destructive", NOTE, HOLD, REJECT, SAFETY,
    FILE, pol_check_without_where, "except", "UPDATE or DELETE of every row.")
POL_CHECK(IMPACT, "data-impact-assessed", "destructive", ALLOW, WARN, REJECT, STANDARD, FILE,
    pol_check_impact, "except; mark=impact:",
    "Rows of an existing table changed in a file that doesn't say how many.")
POL_CHECK(BACKUP, "backup-before", "destructive", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_backup, "except; mark=backup:; max_table_size",
    "Data dropped in a file that names no backup.")
POL_CHECK(INDEX_IN_USE, "drop-index-in-use", "destructive", ALLOW, NOTE, HOLD, SAFETY, LIVE,
    pol_check_index_in_use, "except; min=1",
    "DROP INDEX of one that was used `min` times or more (by the server's statistics).")
POL_CHECK(NARROWING, "type-narrowing", "destructive", WARN, HOLD, REJECT, SAFETY, LIVE,
    pol_check_narrowing, "except",
    "ALTER COLUMN TYPE into a type that not every value of the present one fits into.")
POL_LEFT_OUT("destructive-confirmation", "destructive", ALLOW, WARN, REJECT, ELSEWHERE,
    "the action `hold` of each rule asks for the confirmation")
