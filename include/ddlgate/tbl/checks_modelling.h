/* Group modelling; see checks.h. New tables are judged by the sum of the file. */
POL_CHECK(FK_INDEX, "fk-index", "modelling", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_fk_index, "except", "A foreign key whose columns no index leads with.")
POL_CHECK(REQUIRE_PK, "require-primary-key", "modelling", WARN, REJECT, REJECT, STANDARD,
    STATIC, pol_check_require_pk, "except", "A table without a primary key.")
POL_CHECK(UUID_PK, "uuid-primary-key", "modelling", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_uuid_pk, "except; type=uuid; names=gen_random_uuid, uuid_generate_v4, uuidv7",
    "A primary key that is no uuid with a default.")
POL_CHECK(CREATED_UPDATED, "created-updated-at", "modelling", ALLOW, WARN, REJECT, STANDARD,
    STATIC, pol_check_required_columns,
    "except; columns=created_at timestamptz not null default now(), updated_at timestamptz "
    "not null default now()",
    "A table without the columns that every table has.")
POL_CHECK(TENANT_ID, "tenant-id", "modelling", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_tenant, "except; columns=tenant_id not null; tables=*",
    "A table (of those in `tables`) without the tenant's column.")
POL_CHECK(TENANT_INDEX, "tenant-created-index", "modelling", ALLOW, WARN, REJECT, STANDARD,
    STATIC, pol_check_tenant_index, "except; key=tenant_id, created_at",
    "A table with the columns of `key` and no index that leads with them.")
POL_CHECK(SOFT_DELETE, "soft-delete", "modelling", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_soft_delete, "except; columns=deleted_at timestamptz; index=yes",
    "A table without deleted_at, or without an index on it.")
POL_CHECK(FK_ON_DELETE, "fk-on-delete", "modelling", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_fk_on_delete, "except", "A foreign key that doesn't say ON DELETE.")
POL_CHECK(FK_CASCADE, "fk-cascade-ban", "modelling", ALLOW, WARN, HOLD, STANDARD, STATIC,
    pol_check_fk_cascade, "except", "A foreign key with ON DELETE CASCADE.")
POL_CHECK(FK_BAN, "fk-ban", "modelling", ALLOW, ALLOW, ALLOW, STANDARD, STATIC,
    pol_check_fk_ban, "except", "Any foreign key.")
POL_CHECK(FK_TYPE, "fk-type-match", "modelling", NOTE, WARN, WARN, SAFETY, STATIC,
    pol_check_fk_type, "except",
    "A foreign key between columns of different types (both known by this file).")
POL_CHECK(FK_NULLABLE, "fk-nullable", "modelling", ALLOW, ALLOW, NOTE, STANDARD, STATIC,
    pol_check_fk_nullable, "except", "A foreign key column that may be null.")
POL_CHECK(COLUMN_NOT_NULL, "column-not-null", "modelling", ALLOW, ALLOW, NOTE, STANDARD,
    STATIC, pol_check_column_not_null, "except", "A new table's column that may be null.")
POL_CHECK(COLUMN_DEFAULT, "column-default", "modelling", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_column_default, "except", "A NOT NULL column without a default.")
POL_CHECK(COMMENTS, "comments-required", "modelling", ALLOW, ALLOW, NOTE, STANDARD, STATIC,
    pol_check_comments, "except; each_column=no",
    "A new table without a comment, or (each_column = yes) a column of it.")
POL_CHECK(INDEX_KEYS, "index-key-limit", "modelling", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_index_keys, "except; max=3", "An index with more than `max` keys.")
POL_CHECK(INDEX_TOTAL, "index-total-limit", "modelling", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_index_total, "except; max=5", "A new table with more than `max` indexes.")
POL_CHECK(DUPLICATE_INDEX, "duplicate-index", "modelling", NOTE, WARN, WARN, SAFETY, STATIC,
    pol_check_duplicate_index, "except",
    "An index whose keys another one of this file leads with, or a column twice.")
POL_CHECK(UNLOGGED, "unlogged-table", "modelling", ALLOW, WARN, REJECT, SAFETY, STATIC,
    pol_check_unlogged, "except", "An UNLOGGED table: empty after a crash.")
POL_CHECK(PARTITION_BAN, "partition-ban", "modelling", ALLOW, ALLOW, ALLOW, STANDARD, STATIC,
    pol_check_partition_ban, "except", "A partitioned table.")
