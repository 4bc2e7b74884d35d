/* Keys of [check ID] sections that only some checks have: X-macro table.
 * POL_PARAM(symbol, key, kind, what): kind as enum pol_param_kind in policy/params.h. */
#ifndef POL_PARAM
#define POL_PARAM(symbol, key, kind, what)
#endif

POL_PARAM(MAX, "max", NUMBER, "a number")
POL_PARAM(MIN, "min", NUMBER, "a number")
POL_PARAM(MAX_BYTES, "max_bytes", SIZE, "a size (100kB)")
POL_PARAM(MIN_TABLE_SIZE, "min_table_size", SIZE, "a size (100MB)")
POL_PARAM(MIN_TABLE_ROWS, "min_table_rows", NUMBER, "a number of rows")
POL_PARAM(MIN_AGE, "min_age", TIME, "a time (5s)")
POL_PARAM(AFTER, "after", TIMEOUT, "a time (60s)")
POL_PARAM(PATTERN, "pattern", REGEX, "an extended regular expression")
POL_PARAM(NAME, "name", LIST, "patterns with {table}, {columns} and the like")
POL_PARAM(NAMES, "names", LIST, "names, * globs")
POL_PARAM(TYPES, "types", LIST, "types, or old=new")
POL_PARAM(TYPE, "type", TEXT, "a type")
POL_PARAM(COLUMNS, "columns", COLUMNS, "columns: name type [not null] [default [now()]]")
POL_PARAM(KEY, "key", LIST, "columns of an index")
POL_PARAM(TABLES, "tables", OBJECTS, "tables")
POL_PARAM(TABLE, "table", TEXT, "a table's name")
POL_PARAM(MARK, "mark", TEXT, "what a comment has to begin with")
POL_PARAM(EACH_COLUMN, "each_column", BOOL, "yes or no")
POL_PARAM(DEFAULTS, "defaults", DEFAULTS, "type=value, a constant (text='', integer=0)")
POL_PARAM(OWNER, "owner", TEXT, "a role")
POL_PARAM(MAX_TABLE_SIZE, "max_table_size", SIZE, "a size (100MB)")
POL_PARAM(RETRIES, "retries", NUMBER, "a number")
POL_PARAM(VALUE, "value", TIMEOUT, "a time (2s, 500ms, 1min)")
POL_PARAM(QUARANTINE, "quarantine", TEXT, "a schema's name")
POL_PARAM(INDEX, "index", BOOL, "yes or no")

#undef POL_PARAM
