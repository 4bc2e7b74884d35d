// SPDX-License-Identifier: ISC
/* Safe forms that keep what a statement would take away: the old name, the rows, the owner
 * that later migrations count on, the row that says that a file has run. */
#include "policy/rewrite_build.h"

#include <string.h>

/* ---- rename-table ---- */

void
rw_view_behind(struct rw *rw)
{
    const struct sql_facts *f = rw->f;
    const struct sql_object *o = pol_table_of(f);
    const struct sql_sub *s = pol_sub_find(f, "RENAME TO");

    if (!o || !s || !s->value)
        return;
    if (f->flags & SQL_F_IF_EXISTS) {
        rw->why = "with IF EXISTS there may be nothing that a view could show";
        return;
    }
    rw_then(rw,
        arena_printf(rw->a, "CREATE VIEW %s AS SELECT * FROM %s;", rw_name(rw, o),
            pol_qualified(rw->a, o->schema, s->value)));
    rw_did(rw, 0, arena_printf(rw->a, "view %s behind it", rw_name(rw, o)));
    rw->out->remark =
        "GRANT on the view what the table grants, and drop the view when no release uses "
        "the old name any more.";
    rw->out->needs_tx = true;
}

/* ---- drop-name-convention ---- */

/* Is the name taken by a later statement of the file? */
static bool
comes_back(const struct rw *rw, const struct sql_object *o)
{
    for (size_t i = rw->fact + 1; i < rw->text->tree->n; i++) {
        const struct sql_facts *f = &rw->text->tree->facts[i];
        for (size_t k = 0; k < f->n_objects; k++) {
            if (f->objects[k].is_created && strcmp(f->objects[k].name, o->name) == 0)
                return true;
        }
    }
    return false;
}

void
rw_set_aside(struct rw *rw)
{
    const struct sql_facts *f = rw->f;
    const struct sql_object *o = f->n_objects == 1 ? &f->objects[0] : NULL;
    size_t at = o ? rw_at(rw, o->pos) : RW_NONE, to = RW_NONE;

    if (!rw->finding->wanted)
        rw->why = "no pattern of `names` has one * for the table's name";
    else if (!o)
        rw->why = "it drops more than one table";
    else if (f->flags & SQL_F_CASCADE)
        rw->why = "CASCADE drops more than the table";
    else if (comes_back(rw, o))
        rw->why =
            "a later statement of the file makes one of that name, and the old one would "
            "still have the names of its indexes";
    if (rw->why || at == RW_NONE || !pol_tag(f, "DROP TABLE"))
        return;
    to = at + (o->schema ? 2 : 0);
    if (to != rw->n - 1 && !(to == rw->n - 2 && rw_is(rw, to + 1, "RESTRICT")))
        return;
    if (rw_has_comment(rw, to, rw->n - 1)) {
        rw->why = "a comment stands between words that are left out";
        return;
    }
    rw_replace(rw, 0, 0, "ALTER");
    if (to == rw->n - 2)
        rw_replace(rw, rw->n - 1, rw->n - 1,
            arena_printf(rw->a, "RENAME TO %s", rw->finding->wanted));
    else
        rw_put_after(rw, to, arena_printf(rw->a, "RENAME TO %s", rw->finding->wanted));
    rw_did(rw, SQL_CH_ASIDE, arena_printf(rw->a, "renamed to %s", rw->finding->wanted));
    rw->out->remark =
        "Views and foreign keys of others follow it, and keep it in use; drop it in a "
        "later release.";
}

/* ---- backup-before ---- */

/* What tells one copy from another: the request, or the number in the file's name. */
static const char *
stamp_of(struct rw *rw)
{
    const char *file = rw->text->file, *slash = file ? strrchr(file, '/') : NULL;
    const char *base = slash ? slash + 1 : file;

    if (rw->stamp)
        return rw->stamp;
    if (!base)
        return NULL;
    base += strcspn(base, "0123456789");
    size_t n = strspn(base, "0123456789");
    return n && n <= 20 ? arena_strndup(rw->a, base, n) : NULL;
}

/* table_backup_stamp; the end stays whole. */
static const char *
copy_name(struct rw *rw, const char *table, const char *stamp)
{
    const char *tail = arena_printf(rw->a, "backup_%s", stamp);
    const char *const parts[] = { table, tail };
    const char *name = pol_made_name(rw->a, parts, 2);

    return str_suffix(name, tail) ? name : NULL;
}

void
rw_copy_first(struct rw *rw)
{
    struct arena *a = rw->a;
    const struct sql_facts *f = rw->f;
    const char *stamp = stamp_of(rw);
    const struct sql_object *o = f->n_objects == 1 ? &f->objects[0] : NULL;

    if (!rw->finding->wanted)
        rw->why = "a copy is made of a table that the server says is smaller than the "
                  "policy's max_table_size ([check backup-before])";
    else if (!o || o->kind != SQL_O_TABLE || (f->flags & SQL_F_CASCADE))
        rw->why = "a copy is made of one table, without CASCADE";
    else if (!stamp)
        rw->why = "the file's name has no number that the copy could be named after";
    if (rw->why)
        return;
    const char *name = copy_name(rw, o->name, stamp);
    if (!name) {
        rw->why = "the copy's name would be too long";
        return;
    }
    /* Nobody writes between the copy and the loss; ACCESS EXCLUSIVE at once, since a lock that
     * has to become stronger can end in a deadlock. */
    const char *table = rw_name(rw, o);
    rw_before(rw, arena_printf(a, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;", table));
    rw_before(rw,
        arena_printf(a, "CREATE TABLE %s AS TABLE %s;",
            pol_qualified(a, o->schema, name), table));
    rw_did(rw, 0, arena_printf(a, "copied to %s before it", pol_ident(a, name)));
    rw->out->remark =
        "The copy has the rows only: no indexes, constraints or rights. Drop it when it "
        "isn't needed any more.";
    rw->out->needs_tx = true;
}

/* ---- owner-change ---- */

static const char *
kind_word(enum sql_object_kind kind)
{
    switch (kind) {
    case SQL_O_TABLE:
        return "TABLE";
    case SQL_O_VIEW:
        return "VIEW";
    case SQL_O_MATVIEW:
        return "MATERIALIZED VIEW";
    case SQL_O_SEQUENCE:
        return "SEQUENCE";
    case SQL_O_FOREIGN_TABLE:
        return "FOREIGN TABLE";
    case SQL_O_TYPE:
        return "TYPE";
    case SQL_O_DOMAIN:
        return "DOMAIN";
    case SQL_O_SCHEMA:
        return "SCHEMA";
    case SQL_O_INDEX:
    case SQL_O_FUNCTION:
    case SQL_O_PROCEDURE:
    case SQL_O_AGGREGATE:
    case SQL_O_OPERATOR:
    case SQL_O_DATABASE:
    case SQL_O_ROLE:
    case SQL_O_TABLESPACE:
    case SQL_O_EXTENSION:
    case SQL_O_TRIGGER:
    case SQL_O_RULE:
    case SQL_O_POLICY:
    case SQL_O_OTHER:
        break;
    }
    return NULL;
}

void
rw_owner_behind(struct rw *rw)
{
    const struct sql_object *o = rw->f->n_objects ? &rw->f->objects[0] : NULL;
    const char *kind = o && *o->name ? kind_word(o->kind) : NULL;

    if (!rw->finding->wanted) {
        rw->why = "an owner that is written is not changed";
        return;
    }
    if (!kind || !o->is_created) {
        rw->why = "its name alone doesn't tell it from others of its kind";
        return;
    }
    rw_then(rw,
        arena_printf(rw->a, "ALTER %s %s OWNER TO %s;", kind, rw_name(rw, o),
            rw->finding->wanted));
    rw_did(rw, 0, arena_printf(rw->a, "OWNER TO %s behind it", rw->finding->wanted));
}

/* ---- migration-recorded ---- */

/* The last COMMIT of the file; RW_NONE: it has none. */
static size_t
last_commit(const struct sql_tree *tree)
{
    for (size_t i = tree->n; i-- > 0;) {
        if (tree->facts[i].parent < 0 && tree->facts[i].tx == SQL_TX_COMMIT)
            return i;
    }
    return RW_NONE;
}

void
rw_record_row(struct rw *rw)
{
    const struct sql_tree *tree = rw->text->tree;
    size_t commit = last_commit(tree), last = tree->n - 1;

    while (tree->facts[last].parent >= 0)
        last = (size_t)tree->facts[last].parent;
    if (!rw->finding->wanted)
        rw->why = "which row it would write of itself isn't known: its files are in no "
                  "[migrations] section of numbered SQL (check takes -c)";
    else if (commit == RW_NONE && !pol_runs_in_tx(rw->pol, false))
        rw->why = "the file has no COMMIT that the row could stand before";
    if (rw->why)
        return;
    const char *row = arena_strdup(rw->a, rw->finding->wanted);
    if (commit != RW_NONE)
        rw_before(rw, row);
    else
        rw_then(rw, row);
    rw->out->place = (commit != RW_NONE ? commit : last) + 1;
    rw_did(rw, 0, "its row in the history");
}
