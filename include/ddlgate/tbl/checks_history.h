/* Group history; see checks.h. */
POL_CHECK(IMMUTABLE, "migration-immutable", "history", WARN, REJECT, REJECT, SAFETY,
    HISTORY, pol_check_immutable, "", "A migration file that changed after it was applied.")
POL_CHECK(FAILED, "migration-failed-previous", "history", WARN, REJECT, REJECT, SAFETY,
    HISTORY, pol_check_failed, "", "A migration while an earlier one is marked failed.")
POL_CHECK(ORDER, "migration-out-of-order", "history", WARN, REJECT, REJECT, SAFETY, HISTORY,
    pol_check_order, "", "A pending migration below an applied version.")
POL_CHECK(FIRST, "migration-first", "history", NOTE, REJECT, REJECT, SAFETY, HISTORY,
    pol_check_first, "", "A schema change that is in no pending migration.")
POL_CHECK(WRITE, "migration-history-write", "history", WARN, REJECT, REJECT, SAFETY, HISTORY,
    pol_check_write, "", "A write of the history table that no migration explains.")
POL_CHECK(MISSING, "migration-missing-file", "history", WARN, WARN, REJECT, SAFETY, HISTORY,
    pol_check_missing, "", "The history table names a migration whose file is gone.")
POL_CHECK(ATTESTED, "migration-attested", "history", WARN, REJECT, REJECT, SAFETY, END,
    pol_check_attested, "", "A migration that was not tried out as `require` asks for.")
POL_CHECK(RECORDED, "migration-recorded", "history", WARN, REJECT, REJECT, STANDARD, END,
    pol_check_recorded, "table=schema_migrations",
    "A file that writes no row into the history table, where files do that themselves.")
POL_CHECK(COMPLETE, "migration-complete", "history", WARN, REJECT, REJECT, STANDARD, HISTORY,
    pol_check_complete, "",
    "A COMMIT of a migration that is incomplete or not recorded in its transaction.")
POL_CHECK(DOWN_PRESENT, "migration-down-present", "history", NOTE, WARN, REJECT, STANDARD,
    END, pol_check_down_present, "mark=irreversible",
    "A migration without a rollback, where its tool has them; a comment may say why.")
POL_CHECK(DOWN_BLOCKED, "migration-down-blocked", "history", ALLOW, HOLD, REJECT, STANDARD,
    END, pol_check_down_blocked, "names=*.down.sql, *.undo.sql, down.sql, U*__*.sql",
    "A down or undo script, which destroys what was written since.")
POL_CHECK(ISSUE, "issue-reference-required", "history", ALLOW, WARN, REJECT, STANDARD, END,
    pol_check_issue, "pattern=[A-Z]+-[0-9]+|#[0-9]+",
    "A file that names no issue, neither in its name nor in its comments.")
POL_CHECK(DESCRIPTION, "change-description-required", "history", ALLOW, NOTE, WARN, STANDARD,
    END, pol_check_description, "min=10", "A file without a comment at its top.")
POL_LEFT_OUT("migration-file-name", "history", WARN, REJECT, REJECT, ELSEWHERE,
    "a name that the tool would skip is an error when the folder is loaded")
POL_LEFT_OUT("migration-next-version", "history", WARN, REJECT, REJECT, ELSEWHERE,
    "migration-out-of-order judges such a file and names the next free number")
POL_LEFT_OUT("migration-version-unique", "history", REJECT, REJECT, REJECT, ELSEWHERE,
    "two files with one version are an error when the folder is loaded")
POL_LEFT_OUT("migration-statement-matches-file", "history", ALLOW, WARN, REJECT, ELSEWHERE,
    "migration-first compares every statement with the files by its digest")
POL_LEFT_OUT("migration-environment-order", "history", ALLOW, ALLOW, REJECT, LIVE,
    "needs the history table of the environment before this one")
POL_LEFT_OUT("drift-detected", "history", NOTE, WARN, REJECT, LIVE,
    "`ddlgate status --drift` compares the live schema with what the applied files make")
