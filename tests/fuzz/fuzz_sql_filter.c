// SPDX-License-Identifier: ISC
/* Texts made of the words and signs that matter, one for each byte of input (128 and up:
 * without a space after), so that the fuzzer meets whole statements soon. What libpg_query's
 * tree says about a text, filter and scan must have said before, group by group; and what
 * the scan counts in a text that the grammar accepts, the filter has met. */
#include "base/mem.h"
#include "sql/tree.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const parts[128] = { "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE",
    "INTO", "SET", "DO", "NOTHING", "CREATE", "TABLE", "AS", "COMMENT", "ON", "IS",
    "WITH", "EXPLAIN", "ANALYZE", "EXECUTE", "PREPARE", "DEALLOCATE", "ALL", "END",
    "BEGIN", "COMMIT", "schema_migrations", "\"schema_migrations\"",
    "U&\"schema\\005fmigrations\"", "set_config", "pg_settings", "1", "1e5", "$$", "'",
    "E'", "\"", "--", "\n", "/*", "*/", "t", "u", "\t", ";", ";", "(", ")", ",", "$a$",
    "\\'", "a", "b", "=", "SECURITY", "LABEL", "update", "insert", "VALUES", "CONFLICT",
    "FROM", "WHERE", "USING", "WHEN", "MATCHED", "THEN", "DROP", "ALTER", "ADD",
    "COLUMN", "int", "text", "GRANT", "REVOKE", "TO", "PUBLIC", "ROLE", "USER",
    "TRUNCATE", "REINDEX", "CLUSTER", "VACUUM", "REFRESH", "MATERIALIZED", "VIEW",
    "CONCURRENTLY", "IMPORT", "FOREIGN", "SCHEMA", "REASSIGN", "OWNED", "BY", "CALL",
    "COPY", "STDIN", "PROGRAM", "LOCK", "RESET", "DISCARD", "LOCAL", "START",
    "TRANSACTION", "SAVEPOINT", "ROLLBACK", "RELEASE", "FUNCTION", "RETURNS", "ATOMIC",
    "RETURN", "LANGUAGE", "sql", "plpgsql", "RULE", "INSTEAD", "ALSO", "INDEX",
    "DECLARE", "CURSOR", "FOR", "UNION", "CASE", "''", "'x'", "$1", ".", "*", "+",
    "::", "IF EXISTS" };

static unsigned
groups_of(const struct sql_facts *f)
{
    unsigned groups = 0;

    if (f->cls & (DG_DDL | DG_DCL | DG_MAINTENANCE | DG_CLUSTER | DG_CODE))
        groups |= SQL_W_SCHEMA | SQL_W_CODE | SQL_W_INTO;
    if (f->cls & DG_HISTORY)
        groups |= SQL_W_HISTORY | SQL_W_SCHEMA;
    if (f->flags & SQL_F_READING)
        groups |= SQL_W_SETTING | SQL_W_CODE | SQL_W_SCHEMA;
    if (f->tx != SQL_TX_NONE)
        groups |= SQL_W_TX | SQL_W_PREPARED;
    if (f->prep != SQL_PREP_NONE)
        groups |= SQL_W_PREPARED | SQL_W_SETTING;
    return groups;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "schema_migrations" };
    AUTO(sql_words_free) struct sql_words *words = sql_words_new(names, 1);
    AUTO(sql_scan_deinit) struct sql_scan scan = { .n = 0 };
    AUTO(sql_tree_free) struct sql_tree *tree = NULL;
    char text[4096];
    size_t n = 0;

    if (size > 200)
        return 0;
    for (size_t i = 0; i < size; i++) {
        const char *part = parts[data[i] & 127];
        size_t k = strlen(part);
        memcpy(text + n, part, k);
        n += k;
        if (!(data[i] & 128))
            text[n++] = ' ';
    }
    unsigned met = sql_filter(words, text, n, SQL_W_ALL);
    if (sql_scan(&scan, words, text, n, true, SQL_TREE_DEFAULT_DEPTH, NULL))
        return 0;
    tree = sql_tree_new(&scan, words, text, n, true);
    if (tree->is_unparsable)
        return 0;
    DG_ASSERT(!(scan.words & ~met), "scan %x, filter %x: %.*s", scan.words, met, (int)n,
        text);
    for (size_t i = 0; i < tree->n; i++) {
        unsigned groups = groups_of(&tree->facts[i]);
        DG_ASSERT(!groups || (groups & scan.words), "%s is none of %x: %.*s",
            tree->facts[i].tag, scan.words, (int)n, text);
    }
    return 0;
}
