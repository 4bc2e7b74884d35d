/* Group naming; see checks.h. Patterns know {schema}, {table}, {column} (the first),
 * {columns}, {ref_table}; `*` globs. */
POL_CHECK(SNAKE_CASE, "snake-case", "naming", NOTE, WARN, REJECT, STANDARD, STATIC,
    pol_check_snake_case, "except; pattern=^[a-z][a-z0-9_]*$",
    "A new name that is not written in snake_case.")
POL_CHECK(RESERVED, "name-reserved-word", "naming", NOTE, WARN, WARN, STANDARD, STATIC,
    pol_check_reserved, "except", "A new name that is a reserved word of SQL.")
POL_CHECK(TOO_LONG, "identifier-too-long", "naming", WARN, REJECT, REJECT, SAFETY, STATIC,
    pol_check_too_long, "", "A name of more than 63 bytes, which the server cuts silently.")
POL_CHECK(INDEX_NAME, "index-name", "naming", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_index_name, "except; name=idx_{table}_{columns}", "An index's name.")
POL_CHECK(UNIQUE_NAME, "unique-name", "naming", ALLOW, WARN, REJECT, STANDARD, STATIC,
    pol_check_unique_name, "except; name=uq_{table}_{columns}",
    "A unique index's or constraint's name.")
POL_CHECK(FK_NAME, "fk-name", "naming", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_fk_name, "except; name=fk_{table}_{columns}", "A foreign key's name.")
POL_CHECK(PK_NAME, "pk-name", "naming", ALLOW, NOTE, NOTE, STANDARD, STATIC,
    pol_check_pk_name, "except; name={table}_pkey, pk_{table}", "A primary key's name.")
POL_CHECK(CONSTRAINT_NAMED, "constraint-named", "naming", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_constraint_named, "except", "A constraint without a name of its own.")
POL_CHECK(QUALIFIED, "schema-qualified", "naming", ALLOW, NOTE, WARN, STANDARD, STATIC,
    pol_check_qualified, "except", "A name without its schema: search_path decides.")
