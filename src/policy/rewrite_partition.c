// SPDX-License-Identifier: ISC
/* Safe forms of what is done to partitioned tables part by part, and of an index that a
 * failed build has left. They take several statements, and names that only the server can
 * tell. */
#include "policy/rewrite_build.h"

#include "sql/ident.h"

#include <string.h>

#define MAX_DEPTH 16 /* partitions of partitions */

/* ---- invalid-index-left ---- */

void
rw_drop_invalid(struct rw *rw)
{
    if (!rw->finding->wanted)
        return;
    rw_before(rw,
        arena_printf(
            rw->a, "DROP INDEX CONCURRENTLY IF EXISTS %s;", rw->finding->wanted));
    rw_did(rw, 0, arena_printf(rw->a, "%s dropped before it", rw->finding->wanted));
    rw->out->needs_alone = true;
}

/* ---- partitioned-index ---- */

struct tree {
    const struct pol_live_relation *root;
    const char *kind, *rest; /* "UNIQUE INDEX", what stands behind the table's name */
    const char *name;        /* of the root's index, bare */
    bool is_bare;            /* the statement writes no schema */
    const char **made;       /* one for each partition */
    size_t n_made;
};

/* As the statement writes its own table: without the schema where that is the same. */
static const char *
named(struct rw *rw, const struct tree *t, const char *schema, const char *name)
{
    bool is_bare = t->is_bare && strcmp(schema, t->root->schema) == 0;
    return pol_qualified(rw->a, is_bare ? NULL : schema, name);
}

static bool
is_made(const struct tree *t, const char *name)
{
    for (size_t i = 0; i < t->n_made; i++) {
        if (strcmp(t->made[i], name) == 0)
            return true;
    }
    return false;
}

/* partition_index, cut and numbered so that no two are the same. */
static const char *
index_name(struct rw *rw, struct tree *t, const char *partition)
{
    const char *const parts[] = { partition, t->name };
    const char *name = pol_made_name(rw->a, parts, 2);

    for (size_t number = 2; is_made(t, name) || strcmp(name, partition) == 0;
         number++) {
        const char *const more[] = { arena_printf(rw->a, "idx%zu", number), partition,
            t->name };
        name = pol_made_name(rw->a, more, 3);
    }
    t->made[t->n_made++] = name;
    return name;
}

/* Behind it, in a transaction of its own. */
static void
put_part(struct rw *rw, const char *statement)
{
    if (rw->is_file)
        rw_then(rw, statement);
    else
        rw_later(rw, statement);
}

static void
build_part(struct rw *rw, const struct pol_live_partition *p, const char *index,
    const char *statement)
{
    const struct sql_object table = {
        .kind = SQL_O_TABLE, .schema = p->schema, .name = p->name, .pos = -1
    };

    if (rw->is_file)
        rw_then(rw, statement);
    else
        rw_index_later(rw, &table, index, statement);
}

/* The indexes of the partitions right below a table, each attached to the table's. */
static void
index_parts(struct rw *rw, struct tree *t, const char *schema, const char *parent,
    const char *parent_index, unsigned depth)
{
    struct arena *a = rw->a;

    for (size_t i = 0; i < t->root->n_listed && !rw->why; i++) {
        const struct pol_live_partition *p = &t->root->partitions[i];
        if (strcmp(p->parent, parent) != 0 || strcmp(p->parent_schema, schema) != 0)
            continue;
        const char *made = index_name(rw, t, p->name);
        const char *index = named(rw, t, p->schema, made);
        const char *table = named(rw, t, p->schema, p->name);
        if (p->kind == 'f') {
            rw->why = arena_printf(a,
                "%s is a foreign table: it has no indexes, and the index of the whole "
                "would stay invalid",
                table);
        } else if (p->kind == 'p' && depth == MAX_DEPTH) {
            rw->why = "its partitions are partitioned too deep";
        } else if (p->kind == 'p') {
            put_part(rw,
                arena_printf(a, "CREATE %s %s ON ONLY %s%s;", t->kind,
                    pol_ident(a, made), table, t->rest));
            index_parts(rw, t, p->schema, p->name, index, depth + 1);
        } else {
            build_part(rw, p, made,
                arena_printf(a, "CREATE %s CONCURRENTLY %s ON %s%s;", t->kind,
                    pol_ident(a, made), table, t->rest));
        }
        put_part(rw,
            arena_printf(
                a, "ALTER INDEX %s ATTACH PARTITION %s;", parent_index, index));
    }
}

/* Does the rest of the statement name the table once more (t.a > 0)? */
static bool
names_table(const struct rw *rw, size_t from, const char *table)
{
    char name[64];

    for (size_t i = from; i + 1 < rw->n; i++) {
        const struct sql_token *t = &rw->tokens[i];
        bool is_name = t->kind == SQL_T_WORD || t->kind == SQL_T_QUOTED;
        if (is_name && rw_is_sign(rw, i + 1, '.')
            && sql_token_ident(rw->text->text, t, name) == 0
            && strcmp(name, table) == 0)
            return true;
    }
    return false;
}

/* ON ONLY, without CONCURRENTLY, and with a name. */
static void
edit_root(struct rw *rw, const struct tree *t, size_t index, size_t on)
{
    const struct sql_token *word = &rw->tokens[index];
    size_t behind = word->start + word->len;

    if (rw_is(rw, index + 1, "CONCURRENTLY")) {
        const struct sql_token *c = &rw->tokens[index + 1];
        rw->is_clash |=
            sql_edits_add(&rw->out->edits, behind, c->start + c->len - behind, "") != 0;
    }
    if (!*rw->f->objects[0].name)
        rw_put_before(rw, on, pol_ident(rw->a, t->name));
    rw_put_after(rw, on, "ONLY");
}

void
rw_index_by_partition(struct rw *rw)
{
    struct arena *a = rw->a;
    const struct sql_facts *f = rw->f;
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const struct pol_live_relation *rel = rw->finding->relation;
    size_t index = rw_find(rw, 0, "INDEX"), on = rw_find(rw, 0, "ON");

    if (!f->index || !o || index > 2 || on == RW_NONE || (f->flags & SQL_F_ONLY))
        return;
    size_t last = on + (o->on_schema ? 3 : 1);
    if (!rel || rel->kind != 'p')
        rw->why =
            "which partitions there are only a server knows (check takes --database)";
    else if (f->flags & SQL_F_IF_NOT_EXISTS)
        rw->why = "with IF NOT EXISTS it isn't known which of its indexes are there";
    else if (rel->n_listed != rel->n_partitions)
        rw->why = arena_printf(a,
            "%zu partitions are too many to be listed; write a "
            "script of it",
            rel->n_partitions);
    else if (last >= rw->n || names_table(rw, last + 1, o->on))
        rw->why = "it names the table once more behind ON";
    else if (rw_has_comment(rw, index, index + 1))
        rw->why = "a comment stands between words that are left out";
    if (rw->why)
        return;
    const char *const parts[] = { o->on,
        f->index->n_columns ? f->index->columns[0] : NULL, "idx" };
    struct tree t = { .root = rel,
        .kind = f->flags & SQL_F_UNIQUE ? "UNIQUE INDEX" : "INDEX",
        .name = *o->name ? o->name : pol_made_name(a, parts, 3),
        .is_bare = !o->on_schema,
        .made = arena_alloc(a, (rel->n_listed + 1) * sizeof(*t.made)) };
    t.rest = arena_printf(a, " %s", rw_words(rw, last + 1, rw->n - 1));
    index_parts(rw, &t, rel->schema, rel->name, named(rw, &t, rel->schema, t.name), 0);
    if (rw->why)
        return;
    edit_root(rw, &t, index, on);
    rw_did(rw, SQL_CH_CONCURRENTLY | SQL_CH_ONLY | SQL_CH_NAME,
        arena_printf(a, "ON ONLY, CONCURRENTLY on each of %zu partitions", t.n_made));
    rw->out->remark =
        "If it stops midway the index stays invalid, and no query uses it: drop what "
        "failed, and run the statements that are left.";
    rw->out->needs_alone = true;
}

/* ---- drop-partition-locks-parent ---- */

/* Statements as rows, the first to be run last: the check that DETACH has left on the
 * partition goes, after it is a part again; is_begun: after what DETACH had begun is ended. */
static const char *
back_query(struct rw *rw, const struct pol_live_relation *rel, const char *parent,
    const char *child, bool is_begun)
{
    struct arena *a = rw->a;
    const char *known = "",
               *oid = arena_printf(
                   a, "pg_catalog.to_regclass(%s)", sql_constant(a, child));

    for (size_t i = 0; i < rel->n_constraints; i++) {
        if (rel->constraints[i].kind == 'c')
            known = arena_printf(a, "%s%s%s", known, *known ? ", " : "",
                sql_constant(a, rel->constraints[i].name));
    }
    return arena_printf(a,
        "SELECT x FROM (SELECT 1 AS o, pg_catalog.format('ALTER TABLE %%s DROP CONSTRAINT "
        "%%I', %s, conname) AS x FROM pg_catalog.pg_constraint WHERE conrelid = %s AND "
        "contype = 'c' AND conname <> ALL (ARRAY[%s]::pg_catalog.text[]) UNION ALL SELECT 2, "
        "%s%s%s) AS q WHERE %s ORDER BY o",
        sql_constant(a, child), oid, known,
        sql_constant(a,
            arena_printf(
                a, "ALTER TABLE %s ATTACH PARTITION %s %s", parent, child, rel->bound)),
        is_begun ? " UNION ALL SELECT 3, " : "",
        is_begun ? sql_constant(a,
            arena_printf(
                a, "ALTER TABLE %s DETACH PARTITION %s FINALIZE", parent, child))
                 : "",
        is_begun ? arena_printf(a,
            "EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = %s AND "
            "inhdetachpending)",
            oid)
                 : arena_printf(a, "%s IS NOT NULL", oid));
}

void
rw_detach_first(struct rw *rw)
{
    const struct sql_facts *f = rw->f;
    const struct pol_live_relation *rel = rw->finding->relation;
    bool is_plain = pol_tag(f, "DROP TABLE") && f->n_objects == 1
        && !(f->flags & SQL_F_CASCADE);

    /* locking for a moment is the second best */
    if (!rel || !is_plain || !rw->may_be_alone || !(rw->is_file || rel->bound)) {
        rw_lock_timeout(rw);
        return;
    }
    const char *parent = pol_qualified(rw->a, rel->parent_schema, rel->parent);
    const char *child = rw_name(rw, &f->objects[0]);
    rw_before(rw,
        arena_printf(
            rw->a, "ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY;", parent, child));
    if (rel->bound)
        rw_undo_query(rw, back_query(rw, rel, parent, child, false),
            back_query(rw, rel, parent, child, true));
    rw_did(rw, 0, "DETACH PARTITION CONCURRENTLY before it");
    if (rw->is_file)
        rw->out->remark =
            "If DETACH fails or is cancelled: ALTER TABLE ... DETACH PARTITION ... "
            "FINALIZE.";
    rw->out->needs_alone = true;
}

/* ---- create-partition-of ---- */

/* Does FOR VALUES at token i, with its brackets, end the statement? */
static bool
ends_with_bound(const struct rw *rw, size_t i)
{
    if (!rw_is(rw, i, "FOR") || !rw_is(rw, i + 1, "VALUES"))
        return false;
    if (rw_is(rw, i + 2, "FROM")) {
        i = rw_closing(rw, i + 3);
        return i != RW_NONE && rw_is(rw, i + 1, "TO")
            && rw_closing(rw, i + 2) == rw->n - 1;
    }
    return (rw_is(rw, i + 2, "IN") || rw_is(rw, i + 2, "WITH"))
        && rw_closing(rw, i + 3) == rw->n - 1;
}

void
rw_attach_behind(struct rw *rw)
{
    const struct sql_facts *f = rw->f;
    size_t at = f->n_objects == 2 ? rw_at(rw, f->objects[1].pos) : RW_NONE;

    if (at == RW_NONE || at < 2 || !rw_is(rw, at - 2, "PARTITION")
        || !rw_is(rw, at - 1, "OF"))
        return;
    size_t last = f->objects[1].schema ? at + 2 : at;
    if (!ends_with_bound(rw, last + 1)
        || (f->flags & (SQL_F_IF_NOT_EXISTS | SQL_F_TEMP))) {
        rw->why = "it says more than the values it is for";
        return;
    }
    if (rw_has_comment(rw, at - 2, rw->n - 1)) {
        rw->why = "a comment stands between words that go to another statement";
        return;
    }
    const char *parent = rw_name(rw, &f->objects[1]);
    rw_then(rw,
        arena_printf(rw->a, "ALTER TABLE %s ATTACH PARTITION %s %s;", parent,
            rw_name(rw, &f->objects[0]), rw_words(rw, last + 1, rw->n - 1)));
    /* ATTACH makes the indexes, keys and triggers that the others have. */
    rw_replace(rw, at - 2, rw->n - 1,
        arena_printf(rw->a,
            "(LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS "
            "INCLUDING STORAGE INCLUDING COMPRESSION)",
            parent));
    rw_did(rw, SQL_CH_LIKE, "made alone, ATTACH PARTITION behind it");
}
