/* Group security; see checks.h. */
POL_CHECK(HIDDEN, "ddl-hidden-in-code", "security", NOTE, WARN, REJECT, SAFETY, STATIC,
    pol_check_hidden, "except", "DO, CALL and functions that change the schema out of sight.")
POL_CHECK(GRANT_PUBLIC, "grant-to-public", "security", WARN, WARN, REJECT, SAFETY, STATIC,
    pol_check_grant_public, "except", "GRANT to everybody, or of all privileges.")
POL_CHECK(ROLE_ATTRIBUTES, "role-attributes", "security", WARN, REJECT, REJECT, SAFETY,
    STATIC, pol_check_role_attributes, "except",
    "SUPERUSER, BYPASSRLS, CREATEROLE, REPLICATION or WITH ADMIN OPTION.")
POL_CHECK(PASSWORD, "password-literal", "security", WARN, WARN, REJECT, SAFETY, STATIC,
    pol_check_password, "except", "A password in clear text.")
POL_CHECK(DEFINER, "security-definer-search-path", "security", NOTE, WARN, REJECT, SAFETY,
    STATIC, pol_check_definer, "except", "SECURITY DEFINER without a search_path of its own.")
POL_CHECK(RLS_REQUIRED, "rls-required", "security", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_rls_required, "except; tables=public.*",
    "A new table (of those in `tables`) without row security and a policy.")
POL_CHECK(RLS_DISABLE, "rls-disable", "security", WARN, HOLD, REJECT, SAFETY, STATIC,
    pol_check_rls_disable, "except", "Row security taken away, or one of its policies.")
POL_CHECK(ALTER_SYSTEM, "alter-system", "security", WARN, REJECT, REJECT, SAFETY, STATIC,
    pol_check_alter_system, "except", "Settings of the server, a database or a role.")
POL_CHECK(GUARD_SETTING, "guard-setting-change", "security", WARN, REJECT, REJECT, SAFETY,
    FILE, pol_check_guard_setting,
    "names=session_replication_role, row_security, event_triggers, safeupdate.*, pg_savior.*, "
    "pgaudit.*, ddlgate.*",
    "A setting that takes away a guard; lock_timeout = 0 too.")
POL_CHECK(SET_ROLE, "set-role", "security", ALLOW, WARN, WARN, SAFETY, FILE,
    pol_check_set_role, "names", "SET ROLE or SESSION AUTHORIZATION (`names`: fine).")
POL_CHECK(OWNER, "owner-change", "security", ALLOW, WARN, WARN, SAFETY, STATIC,
    pol_check_owner, "except; names; owner",
    "OWNER TO (`names`: roles that may own); with `owner` also what is made without it.")
POL_CHECK(COPY_FILE, "copy-program-or-file", "security", REJECT, REJECT, REJECT, SAFETY, FILE,
    pol_check_copy_file, "except", "COPY with a program or a file of the server.")
POL_CHECK(EXTENSION, "extension-list", "security", NOTE, WARN, REJECT, SAFETY, STATIC,
    pol_check_extension,
    "except; names=btree_gin, btree_gist, citext, cube, dict_int, fuzzystrmatch, hstore, "
    "intarray, isn, lo, ltree, pgcrypto, pg_trgm, plpgsql, seg, tablefunc, tcn, "
    "tsm_system_rows, tsm_system_time, unaccent, uuid-ossp",
    "An extension that the policy doesn't list (default: those PostgreSQL trusts).")
POL_CHECK(EXTERNAL, "external-link", "security", WARN, REJECT, REJECT, SAFETY, STATIC,
    pol_check_external, "except",
    "A subscription, foreign server, user mapping, or publication of all tables.")
POL_CHECK(EVENT_TRIGGER, "event-trigger-change", "security", WARN, REJECT, REJECT, SAFETY,
    STATIC, pol_check_event_trigger, "except", "An event trigger made, changed or dropped.")
POL_CHECK(CREATE_RULE, "create-rule", "security", NOTE, WARN, REJECT, SAFETY, STATIC,
    pol_check_create_rule, "except", "CREATE RULE, which rewrites queries unseen.")
