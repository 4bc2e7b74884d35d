// SPDX-License-Identifier: ISC
/* How facts are made from libpg_query's nodes; internal to this folder.
 *
 * A maker holds one growing list of facts and one draft. The walk (walk.c) meets a node
 * that is a statement, a facts_*.c file fills the draft (mk_begin, mk_rel, mk_sub, ...) and
 * mk_end appends it; then the walk goes on below the node with the new fact as parent.
 * Positions of nodes are bytes of the text that the library was given; struct mk_place
 * maps them to the client's text.  thread: as tree.h */
#ifndef DG_SQL_MAKE_H
#define DG_SQL_MAKE_H

#include "base/mem.h"
#include "sql/facts.h"
#include "sql/lex.h"
#include "sql/scan.h"

#include <pg_query/pg_query.pb-c.h>

#define MK_MAX_LEVEL 8 /* texts inside texts: DO in EXECUTE in DO ... */

#define OBJ(type)    PG_QUERY__OBJECT_TYPE__OBJECT_##type
#define NODE(type)   PG_QUERY__NODE__NODE_##type
#define ACTION(type) PG_QUERY__ALTER_TABLE_TYPE__AT_##type

typedef PgQuery__Node pgq_node; /* the library's own names are typedefs, too */

/* Where the text given to the library stands in the client's text. */
struct mk_place {
    const char *text; /* as given to the library; std_strings always on */
    size_t len;
    size_t base;        /* of its first byte in the client's text */
    bool is_fixed;      /* no byte-by-byte map: everything is at base */
    const size_t *adds; /* rising offsets in `text` where two bytes were put in */
    size_t n_adds;
};

struct mk {
    struct arena *arena; /* borrowed: of the facts */
    const struct sql_words *words;
    bool std_strings;
    struct sql_facts *facts; /* owned, heap */
    size_t n, cap;

    size_t stmt;                          /* in struct sql_scan of the client's text */
    struct mk_place place;                /* of what is being walked */
    size_t start, end;                    /* the statement's range in place.text */
    int level;                            /* how many texts deep */
    bool is_plpgsql;                      /* SELECT ... INTO assigns variables here */
    const PgQuery__IntoClause *into_seen; /* made the top fact */

    struct sql_facts f; /* the draft */
    size_t cap_objects, cap_subs;
    size_t skip_tokens; /* before the first name, for objects without a position */
    bool is_unparsable; /* some statement did not parse */
    const char *error;  /* first error of the library, in the arena */
    int error_pos;
    const char *last_error; /* likewise, of the statement parsed last */
    int last_error_pos;
};

/* ---- draft ---- */
void mk_begin(struct mk *m, const char *tag, unsigned cls);
/* Appends the draft below `parent` (-1: top); returns its index. */
int mk_end(struct mk *m, int parent);
struct sql_object *mk_object(struct mk *m, enum sql_object_kind kind,
    const char *schema, const char *name, int pos);
struct sql_object *
mk_rel(struct mk *m, enum sql_object_kind kind, const PgQuery__RangeVar *rv);
/* A qualified name as a list of String nodes. */
struct sql_object *
mk_names(struct mk *m, enum sql_object_kind kind, pgq_node *const *names, size_t n);
/* The same in any of the shapes that DropStmt.objects and CommentStmt.object take. */
struct sql_object *mk_any(struct mk *m, PgQuery__ObjectType type, const pgq_node *node);
struct sql_sub *mk_sub(struct mk *m, const char *name);
struct sql_sub *
mk_sub_value(struct mk *m, const char *name, const char *column, const char *value);

/* ---- values ---- */
const char *mk_text(struct mk *m, const char *s); /* NULL for "" */
int mk_pos(const struct mk *m, int location);     /* -1 stays -1 */
const char *mk_string(const pgq_node *node);      /* of a String node, else NULL */
const char *mk_role(struct mk *m, const PgQuery__RoleSpec *role);
/* Constants as text; NULL if it is none. */
const char *mk_constant(struct mk *m, const pgq_node *node);
/* Copies s without its NUL; returns the byte after it. The caller has made room. */
char *mk_put(char *to, const char *s);
/* Several of them with a separator; NULL if one is none. */
const char *
mk_join(struct mk *m, pgq_node *const *nodes, size_t n, const char *separator);
const PgQuery__DefElem *mk_option(pgq_node *const *options, size_t n, const char *name);
bool mk_option_is_on(pgq_node *const *options, size_t n, const char *name);
const char *mk_fold(struct mk *m, const char *s); /* ASCII lower case */
bool mk_is_tracked(const struct mk *m, const char *name);
bool mk_is_temp(const PgQuery__RangeVar *rv);
/* Does a text read another way, or mean other tables, once this setting has changed?
 * NULL (unknown) counts as yes. */
bool mk_setting_is_read(const char *name);

/* ---- kinds of objects (kind.c) ---- */
enum mk_verb {
    MK_CREATE,
    MK_ALTER,
    MK_DROP
};
const char *mk_tag_of(enum mk_verb verb, PgQuery__ObjectType type);
enum sql_object_kind mk_kind_of(PgQuery__ObjectType type);
unsigned mk_class_of(PgQuery__ObjectType type); /* of CREATE, ALTER, DROP of such */
/* The tag that upper-case words, one space apart, begin with; a guess for statements that
 * are in no tree: "UNKNOWN" if there is none. */
const char *mk_tag_by_words(const char *words);
enum sql_object_kind mk_kind_by_tag(const char *tag);

/* ---- columns and constraints (column.c) ---- */
struct sql_column *mk_column(struct mk *m, const PgQuery__ColumnDef *def);
struct sql_constraint *mk_constraint(struct mk *m, const PgQuery__Constraint *c);
/* "pg_catalog.int4" and "(10,2)[]" */
const char *mk_type(struct mk *m, const PgQuery__TypeName *type, const char **mods);

/* ---- groups of nodes: true if the node is of this group (the draft is begun, if there is
 * anything to tell, and f.tag is set) ---- */
bool facts_table(struct mk *m, const pgq_node *node); /* tables and the like */
bool
facts_object(struct mk *m, const pgq_node *node); /* types, schemas, text search, ... */
bool facts_drop(struct mk *m, const pgq_node *node); /* DROP, RENAME, OWNER, SCHEMA */
bool facts_code(struct mk *m, const pgq_node *node); /* functions, triggers, rules */
bool facts_role(struct mk *m, const pgq_node *node); /* rights, roles, cluster */
bool
facts_session(struct mk *m, const pgq_node *node);   /* transactions, settings, ... */
bool facts_data(struct mk *m, const pgq_node *node); /* DML, COPY, maintenance */
/* SELECT is met without a Node around it, too. */
void facts_select(
    struct mk *m, const PgQuery__SelectStmt *s, const PgQuery__IntoClause *into);

/* ---- walk.c ---- */
/* Steps through the messages directly below one, by the library's own descriptors. */
struct mk_children {
    const ProtobufCMessage *msg;
    unsigned field;
    size_t item;
};
const ProtobufCMessage *mk_next_child(struct mk_children *it); /* NULL at the end */
/* All facts of one tree; the top node always makes one. */
void walk_statement(struct mk *m, const pgq_node *node, int parent);

/* Sets DDL_IN_CODE and DYNAMIC in a fact, and what follows for its class. */
void mk_mark_code(struct mk *m, int fact, unsigned flags);

/* ---- body.c: code inside strings; both add facts below `parent` and set its flags ---- */
void body_of_do(struct mk *m, const PgQuery__DoStmt *s, int parent);
void body_of_function(struct mk *m, const PgQuery__CreateFunctionStmt *s, int parent);

/* ---- parse.c: a text to facts ---- */
/* A text as the library may have it: comments blanked, NUL-terminated, every string in
 * standard form. */
struct mk_standard {
    char *text; /* owned */
    size_t len;
    size_t *adds; /* owned; see struct mk_place */
    size_t n_adds;
};
/* 0; -1 where there is no such form. *out is to be freed in both cases. */
int mk_standard_text(
    const char *text, size_t len, bool std_strings, struct mk_standard *out) MUST_CHECK;
void mk_text_deinit(struct mk_standard *t);

static inline void
mk_text_deinit_p(struct mk_standard *t)
{
    mk_text_deinit(t);
}

/* Facts of all statements of a text in standard form. scan: to find the statement of a
 * position, or NULL: m->stmt stays. 0; -1 (m->error says why): no fact was added. */
int parse_text(struct mk *m, const struct mk_place *place, int parent,
    const struct sql_scan *scan) MUST_CHECK;
/* The same for a text as the client wrote it (raw->adds is not looked at), statement by
 * statement where the whole doesn't parse; what doesn't parse gives the lexer's reading. */
void parse_all(
    struct mk *m, const struct sql_scan *scan, const struct mk_place *raw, int parent);
/* A text inside the text. Returns the SQL_F_* flags that the parent earns by it. */
unsigned parse_nested(struct mk *m, const struct mk_place *raw, int parent);

/* ---- fallback.c: the lexer's reading of one statement ---- */
/* raw: the text as the client wrote it; words: what sql_scan saw in the statement. */
void fallback_statement(struct mk *m, const struct mk_place *raw, size_t start,
    size_t len, unsigned words, int parent);
/* What COMMIT, ROLLBACK TO, ... do, by their first two words in upper case. */
enum sql_tx fallback_tx(const char *first, const char *second);

#endif
