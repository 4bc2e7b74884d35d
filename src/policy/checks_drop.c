// SPDX-License-Identifier: ISC
/* Checks of group destructive: objects dropped beside tables and columns, and what protects
 * their data. What the same text made is exempt; what it makes again is replaced, not
 * dropped. */
#include "policy/ask.h"

#include "policy/safe.h"

#include <string.h>

/* ---- schemas, databases, roles' objects ---- */

void
pol_check_drop_schema(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!pol_tag(f, "DROP SCHEMA") || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        const char *name = pol_ident(a, o->name);
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           f->flags & SQL_F_CASCADE ? "everything in schema %s is lost"
                                                    : "schema %s is dropped",
                           name),
                .detail = "Names with this schema fail at once, and with CASCADE every "
                          "table in it goes with its rows.",
                .hint = arena_printf(a,
                    "Drop what is in it by name first, each with its own migration; then "
                    "DROP SCHEMA %s RESTRICT;",
                    name),
                .object = o));
    }
}

void
pol_check_drop_database(struct pol_run *r, const struct sql_facts *f)
{
    if (!pol_tag(f, "DROP DATABASE"))
        return;
    pol_report(r,
        POL_REPORT(.message = "the whole database is lost for good",
            .detail = "It can't be rolled back, and no event trigger sees it.",
            .hint = "Run it without the gate, as the server's administrator, after a "
                    "backup."));
}

void
pol_check_drop_owned(struct pol_run *r, const struct sql_facts *f)
{
    bool is_drop = pol_tag(f, "DROP OWNED");

    if ((!is_drop && !pol_tag(f, "REASSIGN OWNED")) || pol_stored(r))
        return;
    pol_report(r,
        POL_REPORT(.message = is_drop ? "every object of the role is dropped"
                                      : "every object of the role gets another owner",
            .detail = "Which objects these are, the statement doesn't say; they are in "
                      "every schema of this database.",
            .hint = is_drop ? "DROP each object by its name."
                            : "ALTER ... OWNER TO for each object by its name."));
}

/* ---- truncate, cascade ---- */

void
pol_check_truncate(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_history *h = r->session ? pol_fact_history(r) : NULL;

    if (!pol_tag(f, "TRUNCATE TABLE") || pol_stored(r))
        return;
    /* golang-migrate empties its table before each row: migration-history-write judges it */
    if (f->cls == DG_HISTORY && h && h->view && h->write != HIST_WRITE_OK)
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (pol_is_own(r, o))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(
                           a, "the rows of %s are lost for good", pol_name(r, o)),
                .detail =
                    "TRUNCATE takes ACCESS EXCLUSIVE, and transactions that began "
                    "before it see an empty table, too.",
                .hint = arena_printf(
                    a, "DELETE FROM %s WHERE ... in batches.", pol_name(r, o)),
                .object = o, .at = o->pos + 1));
    }
}

void
pol_check_truncate_cascade(struct pol_run *r, const struct sql_facts *f)
{
    if (!pol_tag(f, "TRUNCATE TABLE") || !(f->flags & SQL_F_CASCADE) || pol_stored(r))
        return;
    const char *safe = pol_text_without(r, f, "CASCADE");
    pol_report(r,
        POL_REPORT(.message = "tables that refer to it are emptied, too",
            .detail =
                "CASCADE follows every foreign key to the named tables, and those "
                "to the tables behind them.",
            .hint = arena_printf(pol_arena(r),
                "%s; it fails and names the others, which "
                "can then be looked at one by one.",
                safe ? safe : "Leave CASCADE out")));
}

static bool
is_own_only(struct pol_run *r, const struct sql_facts *f)
{
    for (size_t i = 0; i < f->n_objects; i++) {
        const struct sql_object *o = &f->objects[i];
        if (!o->is_temp && !pol_unit_is_new(r->unit, o->schema, o->name, false))
            return false;
    }
    return f->n_objects > 0;
}

void
pol_check_drop_cascade(struct pol_run *r, const struct sql_facts *f)
{
    bool is_drop = str_prefix(f->tag, "DROP ") || str_prefix(f->tag, "ALTER ")
        || str_prefix(f->tag, "REVOKE");

    if (!(f->flags & SQL_F_CASCADE) || !is_drop || pol_stored(r) || is_own_only(r, f)
        || pol_tag(f, "DROP SCHEMA")) /* drop-schema says so already */
        return;
    const char *safe = pol_text_without(r, f, "CASCADE");
    pol_report(r,
        POL_REPORT(.message = "CASCADE drops what the statement doesn't name",
            .detail =
                "Views, foreign keys, triggers and even columns that depend on it "
                "go without another word.",
            .hint = arena_printf(pol_arena(r),
                "%s; it fails and names what depends on it; drop that first, by name.",
                safe ? safe : "Leave CASCADE out")));
}

/* ---- constraints ---- */

/* Is the constraint made again, or one of this text? */
static bool
is_replaced(const struct pol_run *r, const struct sql_object *o, const char *name)
{
    const struct sql_tree *tree = r->text->tree;

    for (size_t i = 0; i < tree->n && i < 10000; i++) {
        const struct sql_facts *f = &tree->facts[i];
        if (!f->n_objects || strcmp(f->objects[0].name, o->name) != 0)
            continue;
        for (size_t k = 0; k < f->n_subs; k++) {
            const struct sql_constraint *c = f->subs[k].constraint;
            if (c && c->name && strcmp(c->name, name) == 0)
                return true;
        }
    }
    return false;
}

static bool
is_primary(struct pol_run *r, const struct sql_object *o, const char *name)
{
    const struct pol_live_relation *rel;
    const struct pol_live_constraint *there = NULL;
    const struct pol_shape *t = pol_shape_find(r->shapes, o->schema, o->name);
    bool is_known = t && t->pk && t->pk->name && strcmp(t->pk->name, name) == 0;
    const struct pol_value *names =
        &r->pol->checks[POL_C_DROP_PRIMARY_KEY].params[POL_P_NAMES];

    if (!is_known && pol_ask(r, o, &rel) == POL_LIVE_FOUND)
        there = pol_live_constraint(rel, name);
    if (there)
        return there->kind == 'p';
    for (size_t i = 0; i < names->n_words && !is_known; i++)
        is_known = str_glob(names->words[i], name);
    return is_known;
}

void
pol_check_drop_primary_key(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (!pol_sub_is(s, "DROP CONSTRAINT") || !s->column
            || !is_primary(r, o, s->column))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(
                           a, "%s loses its primary key", pol_name(r, o)),
                .detail =
                    "Replication can't identify rows any more, and foreign keys to "
                    "it go or stand in the way. ACCESS EXCLUSIVE lock.",
                .hint = arena_printf(a,
                    "Build the new key's index with CREATE UNIQUE INDEX CONCURRENTLY, then "
                    "in one statement: ALTER TABLE %s DROP CONSTRAINT %s, ADD PRIMARY KEY "
                    "USING INDEX ...;",
                    pol_name(r, o), pol_ident(a, s->column)),
                .object = o, .column = s->column, .at = s->pos + 1));
    }
}

void
pol_check_drop_constraint(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (!pol_sub_is(s, "DROP CONSTRAINT") || !s->column
            || is_primary(r, o, s->column) || is_replaced(r, o, s->column))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a, "%s is guarded by %s no longer",
                           pol_name(r, o), pol_ident(a, s->column)),
                .detail =
                    "Writers may add rows that break it, and then it can't be added "
                    "again before they are cleaned up.",
                .hint = arena_printf(a,
                    "If it is replaced, add the new one first (NOT VALID, then VALIDATE), "
                    "in the same file; else say why: -- ddlgate: allow drop-constraint ..."),
                .object = o, .column = s->column, .at = s->pos + 1));
    }
}

void
pol_check_drop_not_null(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct sql_object *o = pol_altered(r, f);

    for (size_t i = 0; o && i < f->n_subs && pol_is_worth(r); i++) {
        const struct sql_sub *s = &f->subs[i];
        if (!pol_sub_is(s, "DROP NOT NULL") || !s->column
            || pol_unit_is_new_column(r->unit, o->schema, o->name, s->column))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a, "readers of %s.%s may meet null",
                           pol_name(r, o), pol_ident(a, s->column)),
                .detail = "Code that was written when the column was always filled may "
                          "fail on the first row that isn't.",
                .hint = arena_printf(a,
                    "Make the readers ready for null first; or keep NOT NULL and ALTER "
                    "TABLE %s ALTER COLUMN %s SET DEFAULT ...;",
                    pol_name(r, o), pol_ident(a, s->column)),
                .object = o, .column = s->column, .at = s->pos + 1));
    }
}

/* ---- views, code, types ---- */

static bool
is_contract(enum sql_object_kind kind)
{
    switch (kind) {
    case SQL_O_VIEW:
    case SQL_O_SEQUENCE:
    case SQL_O_FUNCTION:
    case SQL_O_PROCEDURE:
    case SQL_O_AGGREGATE:
    case SQL_O_TRIGGER:
    case SQL_O_RULE:
    case SQL_O_POLICY:
        return true;
    case SQL_O_TABLE:
    case SQL_O_INDEX:
    case SQL_O_MATVIEW:
    case SQL_O_FOREIGN_TABLE:
    case SQL_O_TYPE:
    case SQL_O_DOMAIN:
    case SQL_O_OPERATOR:
    case SQL_O_SCHEMA:
    case SQL_O_DATABASE:
    case SQL_O_ROLE:
    case SQL_O_TABLESPACE:
    case SQL_O_EXTENSION:
    case SQL_O_OTHER:
        break;
    }
    return false;
}

void
pol_check_drop_view(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!str_prefix(f->tag, "DROP ") || pol_stored(r) || pol_tag(f, "DROP POLICY"))
        return; /* rls-disable */
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        const struct sql_object table = pol_table_on(o);
        if (!is_contract(o->kind) || o->is_temp
            || pol_flow_comes_back(r->flow, r->fact, o)
            || pol_flow_was_made(r->flow, r->fact, o)
            || (o->on && pol_is_own(r, &table)))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a, "what still uses %s fails at once",
                           pol_ident(a, o->name)),
                .detail =
                    "It is part of what applications were written against; a "
                    "trigger or rule dropped takes ACCESS EXCLUSIVE on its table.",
                .hint =
                    "Replace it with CREATE OR REPLACE where its shape stays, or drop "
                    "it when no release uses it any more.",
                .object = o, .at = o->pos + 1));
    }
}

void
pol_check_drop_type(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if ((!pol_tag(f, "DROP TYPE") && !pol_tag(f, "DROP DOMAIN")) || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (pol_flow_was_made(r->flow, r->fact, o))
            continue;
        const char *name = pol_name(r, o);
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           f->flags & SQL_F_CASCADE
                               ? "every column of type %s is dropped with its data"
                               : "type %s is gone for code that names it",
                           name),
                .detail = "With CASCADE the columns go; without, it fails while one is "
                          "left.",
                .hint = arena_printf(a,
                    "ALTER the columns to another type first, then %s %s RESTRICT;",
                    f->tag, name),
                .object = o, .at = o->pos + 1));
    }
}

/* ---- drop-and-recreate, drop-name-convention, backup-before ---- */

static bool
is_dropped_table(const struct pol_run *r, const struct sql_facts *f, size_t i)
{
    const struct sql_object *o = &f->objects[i];
    return (o->kind == SQL_O_TABLE || o->kind == SQL_O_FOREIGN_TABLE) && !o->is_temp
        && !pol_unit_is_new(r->unit, o->schema, o->name, false);
}

void
pol_check_recreate(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);

    if (!pol_tag(f, "DROP TABLE") || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (!is_dropped_table(r, f, i) || !pol_flow_comes_back(r->flow, r->fact, o))
            continue;
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "%s is dropped and made again, without its rows",
                           pol_name(r, o)),
                .detail =
                    "Where the table exists already its rows are gone, and rights, "
                    "foreign keys to it and statistics with them.",
                .hint = arena_printf(a,
                    "ALTER TABLE %s to what it shall become; on a new "
                    "database CREATE TABLE alone will do.",
                    pol_name(r, o)),
                .object = o, .at = o->pos + 1));
    }
}

/* The name under which the policy wants the table set aside: table_deprecated, or the first
 * pattern of `names` with one *, the table's name for it. NULL: there is none. */
static const char *
name_aside(struct pol_run *r, const char *table)
{
    const struct pol_value *names = pol_param(r, POL_P_NAMES);
    struct arena *a = pol_arena(r);
    const char *const parts[] = { table, "deprecated" };
    const char *usual = pol_made_name(a, parts, 2);

    if (pol_param_has(r, POL_P_NAMES, usual))
        return usual;
    for (size_t i = 0; i < names->n_words; i++) {
        const char *p = names->words[i], *star = strchr(p, '*');
        size_t n = strlen(table), room = 63 - (strlen(p) - 1);
        if (!star || strchr(p, '?') || strchr(star + 1, '*') || strlen(p) > 40)
            continue;
        while (
            n > room || (n < strlen(table) && ((unsigned char)table[n] & 0xc0) == 0x80))
            n--;
        return arena_printf(
            a, "%.*s%.*s%s", (int)(star - p), p, (int)n, table, star + 1);
    }
    return NULL;
}

void
pol_check_drop_name(struct pol_run *r, const struct sql_facts *f)
{
    struct arena *a = pol_arena(r);
    const struct pol_value *names = pol_param(r, POL_P_NAMES);

    if (!pol_tag(f, "DROP TABLE") || pol_stored(r))
        return;
    for (size_t i = 0; i < f->n_objects && pol_is_worth(r); i++) {
        const struct sql_object *o = &f->objects[i];
        if (!is_dropped_table(r, f, i) || pol_param_has(r, POL_P_NAMES, o->name))
            continue;
        const char *aside = name_aside(r, o->name);
        pol_report(r,
            POL_REPORT(.message = arena_printf(a,
                           "%s was not set aside under another name first",
                           pol_name(r, o)),
                .detail = arena_printf(a,
                    "Nobody could notice that it is missed. Tables to be dropped are named "
                    "%s.",
                    names->text),
                .hint = arena_printf(a,
                    "ALTER TABLE %s RENAME TO %s; and drop that in a later release.",
                    pol_name(r, o), aside ? pol_ident(a, aside) : "..."),
                .wanted = aside ? pol_ident(a, aside) : NULL, .object = o,
                .at = o->pos + 1));
    }
}

/* Does an earlier statement of the text copy the table to table_backup_...? */
static bool
is_copied(const struct pol_run *r, const struct sql_object *o)
{
    for (size_t i = 0; i < r->fact; i++) {
        const struct sql_facts *f = &r->text->tree->facts[i];
        const char *name = f->n_objects && pol_tag(f, "CREATE TABLE AS")
            ? f->objects[0].name
            : NULL;
        if (name && strncmp(name, o->name, strlen(o->name)) == 0
            && str_prefix(name + strlen(o->name), "_backup_"))
            return true;
    }
    return false;
}

/* Is the table there, and small enough to be copied before it loses anything? */
static bool
may_copy(struct pol_run *r, const struct sql_object *o)
{
    const struct pol_value *max = pol_param(r, POL_P_MAX_TABLE_SIZE);
    const struct pol_live_relation *rel;

    return max->text && o->kind == SQL_O_TABLE && pol_ask(r, o, &rel) == POL_LIVE_FOUND
        && !rel->is_guess && !rel->is_row_secured
        && (rel->kind == 'r' || rel->kind == 'p') && rel->is_size_known
        && rel->bytes <= max->number;
}

void
pol_check_backup(struct pol_run *r, const struct sql_facts *f)
{
    const struct sql_object *o = f->n_objects ? &f->objects[0] : NULL;
    const char *mark = pol_param(r, POL_P_MARK)->text;
    bool loses = pol_tag(f, "DROP TABLE") || pol_tag(f, "TRUNCATE TABLE")
        || pol_tag(f, "DROP SCHEMA") || pol_sub_find(f, "DROP COLUMN");

    if (!o || !loses || pol_stored(r) || o->is_temp
        || pol_unit_is_new(r->unit, o->schema, o->name, false)
        || pol_comment_has(r->text, mark) || is_copied(r, o))
        return;
    pol_report(r,
        POL_REPORT(.message = arena_printf(
                       pol_arena(r), "the file names no backup of %s", pol_name(r, o)),
            .detail = "What it drops can't be had back from anywhere else.",
            .hint = arena_printf(pol_arena(r),
                "pg_dump -t %s first, and say in a comment where it is: -- %s <where, when>",
                pol_name(r, o), mark),
            .wanted = may_copy(r, o) ? o->name : NULL, .object = o));
}
