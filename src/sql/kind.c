// SPDX-License-Identifier: ISC
/* What the library's ObjectType means: command tags as in PostgreSQL's cmdtaglist, the kind
 * of object, and the class of a statement that creates, alters or drops one. */
#include "sql/make.h"

#include <string.h>

struct kind {
    const char *tags[3]; /* by enum mk_verb */
    enum sql_object_kind kind;
    unsigned cls;
};

#define KIND(type, noun, object_kind, class)                                      \
    [OBJ(type)] = { { "CREATE " noun, "ALTER " noun, "DROP " noun }, object_kind, \
        class }

static const struct kind kinds[] = {
    KIND(ACCESS_METHOD, "ACCESS METHOD", SQL_O_OTHER, DG_DDL),
    KIND(AGGREGATE, "AGGREGATE", SQL_O_AGGREGATE, DG_DDL),
    KIND(AMOP, "OPERATOR FAMILY", SQL_O_OTHER, DG_DDL),
    KIND(AMPROC, "OPERATOR FAMILY", SQL_O_OTHER, DG_DDL),
    KIND(ATTRIBUTE, "TYPE", SQL_O_TYPE, DG_DDL),
    KIND(CAST, "CAST", SQL_O_OTHER, DG_DDL),
    KIND(COLUMN, "TABLE", SQL_O_TABLE, DG_DDL),
    KIND(COLLATION, "COLLATION", SQL_O_OTHER, DG_DDL),
    KIND(CONVERSION, "CONVERSION", SQL_O_OTHER, DG_DDL),
    KIND(DATABASE, "DATABASE", SQL_O_DATABASE, DG_CLUSTER),
    KIND(DEFAULT, "TABLE", SQL_O_TABLE, DG_DDL),
    KIND(DEFACL, "DEFAULT PRIVILEGES", SQL_O_OTHER, DG_DCL),
    KIND(DOMAIN, "DOMAIN", SQL_O_DOMAIN, DG_DDL),
    KIND(DOMCONSTRAINT, "DOMAIN", SQL_O_DOMAIN, DG_DDL),
    KIND(EVENT_TRIGGER, "EVENT TRIGGER", SQL_O_OTHER, DG_CODE),
    KIND(EXTENSION, "EXTENSION", SQL_O_EXTENSION, DG_DDL),
    KIND(FDW, "FOREIGN DATA WRAPPER", SQL_O_OTHER, DG_DDL),
    KIND(FOREIGN_SERVER, "SERVER", SQL_O_OTHER, DG_DDL),
    KIND(FOREIGN_TABLE, "FOREIGN TABLE", SQL_O_FOREIGN_TABLE, DG_DDL),
    KIND(FUNCTION, "FUNCTION", SQL_O_FUNCTION, DG_CODE),
    KIND(INDEX, "INDEX", SQL_O_INDEX, DG_DDL),
    KIND(LANGUAGE, "LANGUAGE", SQL_O_OTHER, DG_CODE),
    KIND(LARGEOBJECT, "LARGE OBJECT", SQL_O_OTHER, DG_DDL),
    KIND(MATVIEW, "MATERIALIZED VIEW", SQL_O_MATVIEW, DG_DDL),
    KIND(OPCLASS, "OPERATOR CLASS", SQL_O_OTHER, DG_DDL),
    KIND(OPERATOR, "OPERATOR", SQL_O_OPERATOR, DG_DDL),
    KIND(OPFAMILY, "OPERATOR FAMILY", SQL_O_OTHER, DG_DDL),
    KIND(PARAMETER_ACL, "SYSTEM", SQL_O_OTHER, DG_CLUSTER),
    KIND(POLICY, "POLICY", SQL_O_POLICY, DG_DCL),
    KIND(PROCEDURE, "PROCEDURE", SQL_O_PROCEDURE, DG_CODE),
    KIND(PUBLICATION, "PUBLICATION", SQL_O_OTHER, DG_DDL),
    KIND(PUBLICATION_NAMESPACE, "PUBLICATION", SQL_O_OTHER, DG_DDL),
    KIND(PUBLICATION_REL, "PUBLICATION", SQL_O_OTHER, DG_DDL),
    KIND(ROLE, "ROLE", SQL_O_ROLE, DG_CLUSTER),
    KIND(ROUTINE, "ROUTINE", SQL_O_FUNCTION, DG_CODE),
    KIND(RULE, "RULE", SQL_O_RULE, DG_CODE),
    KIND(SCHEMA, "SCHEMA", SQL_O_SCHEMA, DG_DDL),
    KIND(SEQUENCE, "SEQUENCE", SQL_O_SEQUENCE, DG_DDL),
    KIND(SUBSCRIPTION, "SUBSCRIPTION", SQL_O_OTHER, DG_CLUSTER),
    KIND(STATISTIC_EXT, "STATISTICS", SQL_O_OTHER, DG_DDL),
    KIND(TABCONSTRAINT, "TABLE", SQL_O_TABLE, DG_DDL),
    KIND(TABLE, "TABLE", SQL_O_TABLE, DG_DDL),
    KIND(TABLESPACE, "TABLESPACE", SQL_O_TABLESPACE, DG_CLUSTER),
    KIND(TRANSFORM, "TRANSFORM", SQL_O_OTHER, DG_DDL),
    KIND(TRIGGER, "TRIGGER", SQL_O_TRIGGER, DG_CODE),
    KIND(TSCONFIGURATION, "TEXT SEARCH CONFIGURATION", SQL_O_OTHER, DG_DDL),
    KIND(TSDICTIONARY, "TEXT SEARCH DICTIONARY", SQL_O_OTHER, DG_DDL),
    KIND(TSPARSER, "TEXT SEARCH PARSER", SQL_O_OTHER, DG_DDL),
    KIND(TSTEMPLATE, "TEXT SEARCH TEMPLATE", SQL_O_OTHER, DG_DDL),
    KIND(TYPE, "TYPE", SQL_O_TYPE, DG_DDL),
    KIND(USER_MAPPING, "USER MAPPING", SQL_O_OTHER, DG_CLUSTER),
    KIND(VIEW, "VIEW", SQL_O_VIEW, DG_DDL),
};

static const struct kind *
find_kind(PgQuery__ObjectType type)
{
    static const struct kind unknown = { { "CREATE", "ALTER", "DROP" }, SQL_O_OTHER,
        DG_DDL };

    if ((size_t)type >= DG_ARRAY_SIZE(kinds) || !kinds[type].tags[0])
        return &unknown;
    return &kinds[type];
}

const char *
mk_tag_of(enum mk_verb verb, PgQuery__ObjectType type)
{
    return find_kind(type)->tags[verb];
}

enum sql_object_kind
mk_kind_of(PgQuery__ObjectType type)
{
    return find_kind(type)->kind;
}

unsigned
mk_class_of(PgQuery__ObjectType type)
{
    return find_kind(type)->cls;
}

/* ---- guesses from words ---- */

/* Does `words` begin with these words? */
static size_t
prefix_len(const char *words, const char *tag)
{
    size_t n = strlen(tag);

    return strncmp(words, tag, n) == 0 && (words[n] == 0 || words[n] == ' ') ? n : 0;
}

const char *
mk_tag_by_words(const char *words)
{
    static const struct {
        const char *words, *tag;
    } others[] = {
        { "CREATE USER MAPPING", "CREATE USER MAPPING" },
        { "CREATE USER", "CREATE ROLE" },
        { "CREATE GROUP", "CREATE ROLE" },
        { "ALTER USER MAPPING", "ALTER USER MAPPING" },
        { "ALTER USER", "ALTER ROLE" },
        { "ALTER GROUP", "ALTER ROLE" },
        { "DROP USER MAPPING", "DROP USER MAPPING" },
        { "DROP USER", "DROP ROLE" },
        { "DROP GROUP", "DROP ROLE" },
        { "DROP OWNED", "DROP OWNED" },
        { "REASSIGN", "REASSIGN OWNED" },
        { "GRANT", "GRANT" },
        { "REVOKE", "REVOKE" },
        { "COMMENT", "COMMENT" },
        { "SECURITY", "SECURITY LABEL" },
        { "IMPORT", "IMPORT FOREIGN SCHEMA" },
        { "TRUNCATE", "TRUNCATE TABLE" },
        { "REINDEX", "REINDEX" },
        { "REFRESH", "REFRESH MATERIALIZED VIEW" },
        { "CLUSTER", "CLUSTER" },
        { "VACUUM", "VACUUM" },
        { "DO", "DO" },
        { "CALL", "CALL" },
        { "CREATE", "CREATE" },
        { "ALTER", "ALTER" },
        { "DROP", "DROP" },
    };
    const char *best = "UNKNOWN";
    size_t best_len = 0, n;

    for (size_t i = 0; i < DG_ARRAY_SIZE(kinds); i++)
        for (int v = 0; v < 3; v++)
            if (kinds[i].tags[v]
                && (n = prefix_len(words, kinds[i].tags[v])) > best_len) {
                best = kinds[i].tags[v];
                best_len = n;
            }
    for (size_t i = 0; i < DG_ARRAY_SIZE(others); i++)
        if ((n = prefix_len(words, others[i].words)) > best_len) {
            best = others[i].tag;
            best_len = n;
        }
    return best;
}

enum sql_object_kind
mk_kind_by_tag(const char *tag)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(kinds); i++)
        for (int v = 0; v < 3; v++)
            if (kinds[i].tags[v] && strcmp(kinds[i].tags[v], tag) == 0)
                return kinds[i].kind;
    return SQL_O_OTHER;
}
