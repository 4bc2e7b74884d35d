/* Group hygiene; see checks.h. */
POL_CHECK(IDEMPOTENT_CREATE, "idempotent-create", "hygiene", ALLOW, NOTE, WARN, STANDARD,
    STATIC, pol_check_idempotent_create, "except", "CREATE or ADD COLUMN without IF NOT EXISTS.")
POL_CHECK(IDEMPOTENT_DROP, "idempotent-drop", "hygiene", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_idempotent_drop, "except", "DROP without IF EXISTS.")
POL_CHECK(OR_REPLACE, "create-or-replace", "hygiene", ALLOW, NOTE, NOTE, STANDARD, STATIC,
    pol_check_or_replace, "except", "A view, function or trigger made without OR REPLACE.")
POL_CHECK(MERGE_ALTER, "merge-alter-table", "hygiene", ALLOW, NOTE, NOTE, STANDARD, STATIC,
    pol_check_merge_alter, "except", "Two ALTER TABLE in a row on one existing table.")
POL_CHECK(CTAS, "select-into-ctas", "hygiene", NOTE, WARN, REJECT, STANDARD, STATIC,
    pol_check_ctas, "except", "A table made by a query: no keys, no defaults.")
POL_CHECK(VIEW_STAR, "view-select-star", "hygiene", ALLOW, NOTE, NOTE, STANDARD, STATIC,
    pol_check_view_star, "except", "A view with SELECT *, whose columns are frozen.")
POL_CHECK(INSERT_COLUMNS, "insert-columns", "hygiene", ALLOW, NOTE, WARN, STANDARD, FILE,
    pol_check_insert_columns, "except", "INSERT without a list of columns.")
POL_CHECK(INSERT_ROWS, "insert-row-limit", "hygiene", ALLOW, NOTE, WARN, STANDARD, FILE,
    pol_check_insert_rows, "except; max=1000", "INSERT with more than `max` rows.")
POL_CHECK(DUPLICATE_COLUMN, "duplicate-column", "hygiene", WARN, WARN, REJECT, SAFETY, STATIC,
    pol_check_duplicate_column, "except", "One column named twice, which fails.")
POL_CHECK(SEARCH_PATH, "search-path-change", "hygiene", ALLOW, NOTE, WARN, STANDARD, FILE,
    pol_check_search_path, "", "SET search_path: later names mean other objects.")
POL_CHECK(SIZE, "statement-size", "hygiene", NOTE, WARN, WARN, STANDARD, FILE,
    pol_check_size, "max_bytes=100kB", "A statement longer than `max_bytes`.")
POL_CHECK(ONE_CHANGE, "one-change-per-migration", "hygiene", ALLOW, ALLOW, NOTE, STANDARD,
    END, pol_check_one_change, "max=1", "More than `max` schema changes in one file.")
POL_CHECK(COLUMN_LIMIT, "table-column-limit", "hygiene", ALLOW, NOTE, NOTE, STANDARD, STATIC,
    pol_check_column_limit, "except; max=50", "A new table with more than `max` columns.")
POL_CHECK(CUSTOM, "custom-pattern", "hygiene", ALLOW, ALLOW, ALLOW, STANDARD, STATIC,
    pol_check_custom, "except; pattern",
    "A statement that matches `pattern` (comments and constants blanked).")
POL_CHECK(EXCEPTION, "exception-comment", "hygiene", WARN, REJECT, REJECT, SAFETY, END,
    pol_check_exception, "",
    "A `-- ddlgate: allow RULE reason` comment that can't be honoured, or is not needed.")
POL_CHECK(TEMP, "temp-objects-exempt", "hygiene", ALLOW, ALLOW, ALLOW, SAFETY, EXEMPT,
    NULL, "", "Temporary objects: exempt from all rules, or what this says.")
POL_CHECK(EXISTS, "if-not-exists-hides-difference", "hygiene", NOTE, WARN, WARN, SAFETY, LIVE,
    pol_check_exists, "except",
    "IF NOT EXISTS on a table, column or index that is there and differs.")
POL_LEFT_OUT("new-table-exempt", "hygiene", ALLOW, ALLOW, ALLOW, ELSEWHERE,
    "always holds: rules about locks and losses skip what the same file, or text, has made")
