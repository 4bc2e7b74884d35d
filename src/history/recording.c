// SPDX-License-Identifier: ISC
/* Statements wait until a row says whose they are; see recording.h. */
#include "history/recording.h"

#include "history/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct texts {
    struct str *list; /* owned; the texts are the arena's */
    size_t n, cap;
};

struct recorded {
    const char *version, *name, *sum; /* arena; name and sum may be NULL */
    struct texts up, down;
    bool has_down;
    bool is_back; /* rolled back */
};

struct hist_recording {
    struct hist_set *set;   /* owned reference */
    struct hist_view *view; /* owned: nothing is applied */
    struct arena *arena;    /* owned */
    struct recorded *list;  /* owned, in order of application */
    size_t n, cap;
    struct texts waiting;      /* ran, and no row tells yet whose they are */
    size_t n_waiting_changes;  /* of these: schema changes */
    const char *first_waiting; /* arena: of these, the first one described */
    size_t current;            /* + 1: the migration whose row stands before it runs */
    size_t last_in_tx;         /* + 1: the one whose row this transaction wrote last */
    char head[HIST_KEY_SIZE];  /* where a table of one row stands */
    bool is_rolling_back;
};

/* What one row of the history says. */
struct row {
    char key[HIST_KEY_SIZE]; /* "": not told */
    char name[HIST_VALUE_SIZE], sum[HIST_VALUE_SIZE];
    bool is_open;   /* it is about to run */
    bool is_closed; /* it is over */
    bool is_undone; /* it does not stand any more */
};

struct hist_recording *
hist_recording_new(struct hist_set *set)
{
    struct hist_recording *r = mem_zalloc(sizeof(*r));

    r->set = ref_take(set);
    r->view = hist_view_new(set, NULL, 0);
    r->arena = arena_new();
    return r;
}

void
hist_recording_free(struct hist_recording *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++) {
        mem_free(r->list[i].up.list);
        mem_free(r->list[i].down.list);
    }
    mem_free(r->list);
    mem_free(r->waiting.list);
    arena_free(r->arena);
    ref_drop(r->view);
    ref_drop(r->set);
    mem_free(r);
}

/* --- texts ------------------------------------------------------------------------------ */

static void
texts_add(struct texts *t, struct str text)
{
    MEM_GROW(t->list, t->n, t->cap);
    t->list[t->n++] = text;
}

/* What waited belongs to one half of a migration. */
static void
take_waiting(struct hist_recording *r, struct texts *to)
{
    for (size_t i = 0; i < r->waiting.n; i++)
        texts_add(to, r->waiting.list[i]);
    r->waiting.n = r->n_waiting_changes = 0;
}

static struct texts *
half_of(struct hist_recording *r, size_t i)
{
    return r->is_rolling_back ? &r->list[i].down : &r->list[i].up;
}

/* --- which statements ------------------------------------------------------------------- */

enum keep {
    KEEP_NOT,
    KEEP_DATA,
    KEEP_CHANGE, /* what a gate wants to find in a migration */
};

/* Changes of rows; of somebody's, not of the tool's own. */
static bool
is_data(const struct hist_set *set, const struct sql_facts *f)
{
    static const char *const tags[] = { "INSERT", "UPDATE", "DELETE", "MERGE", "COPY" };
    bool is_one = false;

    for (size_t i = 0; i < DG_ARRAY_SIZE(tags); i++)
        is_one |= strcmp(f->tag, tags[i]) == 0;
    if (!is_one || (f->n_subs > 0 && strcmp(f->subs[0].name, "TO") == 0))
        return false;
    const char *schema = f->n_objects ? f->objects[0].schema : NULL;
    const char *table = f->n_objects ? f->objects[0].name : NULL;
    return !hist_is_own_table(set, schema, table);
}

static enum keep
keep(const struct hist_recording *r, const struct hist_ran *ran)
{
    enum keep best = KEEP_NOT;

    if (hist_match(r->view, ran->facts, ran->digest).kind == HIST_MATCH_OWN)
        return KEEP_NOT;
    for (size_t i = 0; i < ran->n_facts; i++) {
        const struct sql_facts *f = &ran->facts[i];
        enum keep k = KEEP_NOT;
        if (f->cls == DG_MAINTENANCE && f->n_objects > 0
            && hist_is_own_table(r->set, f->objects[0].schema, f->objects[0].name))
            continue;
        if ((f->cls & DG_MIGRATE_DEFAULT) && !(f->flags & SQL_F_TEMP))
            k = KEEP_CHANGE;
        else if ((f->cls & (DG_MIGRATE_DEFAULT | DG_MAINTENANCE | DG_CLUSTER))
            || is_data(r->set, f))
            k = KEEP_DATA;
        best = k > best ? k : best;
    }
    return best;
}

static void
add_statement(struct hist_recording *r, const struct hist_ran *ran, enum keep k)
{
    struct str text = { arena_strndup(r->arena, ran->sql.p, ran->sql.n), ran->sql.n };
    char what[160];

    if (r->current) {
        texts_add(half_of(r, r->current - 1), text);
        return;
    }
    if (k == KEEP_CHANGE && r->n_waiting_changes++ == 0) {
        sql_facts_describe(ran->facts, what, sizeof(what));
        r->first_waiting = arena_strdup(r->arena, what);
    }
    texts_add(&r->waiting, text);
}

/* --- rows ------------------------------------------------------------------------------- */

/* Values of a row, an assignment list or a WHERE. */
struct values {
    const struct hist_recording *r;
    const struct hist_ran *ran;
    const struct sql_value *list;
    size_t n;
};

static enum hist_value_kind
value_at(const struct values *v, size_t col, char out[HIST_VALUE_SIZE])
{
    const struct hist_tool *tool = v->r->set->tool;
    const struct hist_column *column = &tool->columns[col];

    out[0] = 0;
    for (size_t i = 0; i < v->n; i++) {
        const char *name = v->list[i].column;
        if (!name && i < tool->n_columns)
            name = tool->columns[i].name;
        if (name && strcmp(name, column->name) == 0)
            return hist_value_text(&v->list[i], hist_type_of(tool, column->role),
                v->ran->binds, v->ran->n_binds, out);
    }
    return HIST_V_ABSENT;
}

static enum hist_value_kind
value_of_role(const struct values *v, enum hist_role role, char out[HIST_VALUE_SIZE])
{
    const struct hist_tool *tool = v->r->set->tool;
    size_t col = hist_find_role(tool, role);

    out[0] = 0;
    return col < tool->n_columns ? value_at(v, col, out) : HIST_V_ABSENT;
}

/* "" if a part of it is not told. */
static void
read_key(const struct values *v, char key[HIST_KEY_SIZE])
{
    const struct hist_tool *tool = v->r->set->tool;
    char value[HIST_VALUE_SIZE];
    size_t n = 0;

    key[0] = 0;
    for (size_t i = 0; i < tool->n_columns; i++) {
        if (tool->columns[i].role != HIST_C_KEY)
            continue;
        if (value_at(v, i, value) != HIST_V_TEXT
            || n + strlen(value) + 3 > HIST_KEY_SIZE) {
            key[0] = 0;
            return;
        }
        n += (size_t)snprintf(
            key + n, HIST_KEY_SIZE - n, "%s%s", n ? HIST_KEY_SEPARATOR : "", value);
    }
}

static void
read_progress(const struct values *v, bool is_insert, struct row *row)
{
    const struct hist_tool *tool = v->r->set->tool;
    char value[HIST_VALUE_SIZE], total[HIST_VALUE_SIZE];
    enum hist_value_kind kind = value_of_role(v, HIST_C_DIRTY, value);

    if (kind == HIST_V_TEXT) {
        row->is_open = strcmp(value, "t") == 0;
        row->is_closed = !row->is_open;
    }
    if (hist_find_role(tool, HIST_C_END) < tool->n_columns) {
        kind = value_of_role(v, HIST_C_END, value);
        row->is_open = kind == HIST_V_NULL || (kind == HIST_V_ABSENT && is_insert);
        row->is_closed = kind > HIST_V_NULL;
    }
    if (value_of_role(v, HIST_C_DONE, value) == HIST_V_TEXT
        && value_of_role(v, HIST_C_TOTAL, total) == HIST_V_TEXT) {
        row->is_open = strtol(value, NULL, 10) < strtol(total, NULL, 10);
        row->is_closed = !row->is_open;
    }
    if (value_of_role(v, HIST_C_STANDS, value) == HIST_V_TEXT)
        row->is_undone = strcmp(value, "f") == 0;
}

static void
read_row(const struct values *v, bool is_insert, struct row *row)
{
    *row = (struct row){ .is_open = false };
    read_key(v, row->key);
    if (value_of_role(v, HIST_C_NAME, row->name) != HIST_V_TEXT)
        row->name[0] = 0;
    if (value_of_role(v, HIST_C_SUM, row->sum) != HIST_V_TEXT)
        row->sum[0] = 0;
    if (str_prefix(row->sum, "\\x"))
        memmove(row->sum, row->sum + 2, strlen(row->sum) - 1);
    read_progress(v, is_insert, row);
}

/* --- what rows mean --------------------------------------------------------------------- */

static bool
has_flag(const struct hist_recording *r, enum hist_flag flag)
{
    return r->set->tool->flags & flag;
}

/* + 1; 0: none. */
static size_t
find(const struct hist_recording *r, const char *key)
{
    for (size_t i = r->n; i > 0; i--) {
        if (strcmp(r->list[i - 1].version, key) == 0)
            return i;
    }
    return 0;
}

/* The one that was applied last and stands. + 1; 0: none. */
static size_t
newest(const struct hist_recording *r)
{
    for (size_t i = r->n; i > 0; i--) {
        if (!r->list[i - 1].is_back)
            return i;
    }
    return 0;
}

/* Version 0 stands for the empty database, -1 for what golang-migrate came back to. */
static bool
is_nothing(const struct hist_recording *r, const char *key)
{
    return has_flag(r, HIST_T_ZERO)
        && (strcmp(key, "0") == 0 || strcmp(key, "-1") == 0);
}

static int
set_head(struct hist_recording *r, const char *key)
{
    memcpy(r->head, key, strlen(key) + 1);
    return 0;
}

static size_t
new_migration(struct hist_recording *r, const struct row *row)
{
    MEM_GROW(r->list, r->n, r->cap);
    r->list[r->n] = (struct recorded){
        .version = arena_strdup(r->arena, row->key),
        .name = row->name[0] ? arena_strdup(r->arena, row->name) : NULL,
        .sum = row->sum[0] ? arena_strdup(r->arena, row->sum) : NULL,
    };
    return ++r->n;
}

/* The row of a tool that writes it first opens the migration, and later closes it. */
static void
open_or_close(struct hist_recording *r, size_t i, const struct row *row)
{
    r->current = row->is_closed && !row->is_open ? 0 : i;
}

static int
applied(struct hist_recording *r, const struct row *row, struct err *err)
{
    bool is_before = r->set->tool->row == HIST_ROW_BEFORE;
    size_t i = find(r, row->key);

    if (row->is_undone)
        return err_set(err, -EINVAL,
            "the command has rolled back %s; it shall only apply migrations, rollbacks are "
            "run by --down COMMAND",
            row->key);
    if (i && r->n_waiting_changes > 0)
        return err_set(err, -EINVAL,
            "%s was recorded twice, and other statements ran the second time (%s); let the "
            "command apply each migration once",
            row->key, r->first_waiting);
    bool is_new = i == 0;
    if (is_new)
        i = new_migration(r, row);
    if (is_before && (is_new || r->current == i))
        open_or_close(r, i, row);
    if (!is_before || (is_new && !r->current))
        take_waiting(r, &r->list[i - 1].up);
    r->last_in_tx = i;
    return set_head(r, row->key);
}

static int
rolled_back(struct hist_recording *r, size_t i)
{
    struct recorded *m = &r->list[i - 1];

    if (r->set->tool->row == HIST_ROW_BEFORE)
        r->current = i;
    else
        take_waiting(r, &m->down);
    m->has_down = m->is_back = true;
    r->last_in_tx = i;
    return 0;
}

/* The one row has moved to another version; from: where it was, if the statement says. */
static int
moved_back(struct hist_recording *r, const struct row *row, const char *from)
{
    size_t i = find(r, from[0] ? from : r->head);
    bool is_same = strcmp(r->head, row->key) == 0;

    if (!from[0])
        set_head(r, row->key);
    if (is_same && row->is_closed)
        r->current = 0;
    if (i == 0 || (is_same && !from[0]))
        return 0;
    return rolled_back(r, i);
}

/* --- writes ----------------------------------------------------------------------------- */

static int
not_readable(const struct hist_recording *r, const struct sql_write *w, struct err *err)
{
    return err_set(err, -EINVAL,
        "a row of %s was written whose version can't be read from the statement; the "
        "migrations of %s can't be recorded this way",
        w->table, r->set->tool->title);
}

static int
take_insert(struct hist_recording *r, const struct hist_ran *ran,
    const struct sql_write *w, struct err *err)
{
    size_t n_rows = w->n_rows ? w->n_rows : 1, n = w->n_values / n_rows;
    int ret = 0;

    for (size_t i = 0; ret == 0 && i < n_rows; i++) {
        struct values v = { r, ran, w->values + i * n, n };
        struct row row;
        read_row(&v, true, &row);
        if (!row.key[0])
            return not_readable(r, w, err);
        if (!r->is_rolling_back)
            ret = is_nothing(r, row.key) ? 0 : applied(r, &row, err);
        else if (has_flag(r, HIST_T_EMPTIES))
            ret = moved_back(r, &row, "");
        else if (row.is_undone && find(r, row.key))
            ret = rolled_back(r, find(r, row.key));
        else if (!has_flag(r, HIST_T_HEAD) && !is_nothing(r, row.key))
            return err_set(err, -EINVAL,
                "the --down command has applied %s; it shall only roll back", row.key);
    }
    return ret;
}

static int
take_update(struct hist_recording *r, const struct hist_ran *ran,
    const struct sql_write *w, struct err *err)
{
    struct values v = { r, ran, w->values, w->n_values };
    struct values where = { r, ran, w->where, w->n_where };
    char from[HIST_KEY_SIZE];
    struct row row;

    read_row(&v, false, &row);
    read_key(&where, from);
    if (!row.key[0]) {
        if (row.is_closed)
            r->current = 0;
        return 0;
    }
    if (r->is_rolling_back)
        return has_flag(r, HIST_T_HEAD) ? moved_back(r, &row, from) : 0;
    return is_nothing(r, row.key) ? 0 : applied(r, &row, err);
}

/* By its key, by its checksum, or by a number that only the server knows: then it is the
 * newest one, as every tool rolls back. */
static size_t
deleted(struct hist_recording *r, const struct hist_ran *ran, const struct sql_write *w)
{
    struct values where = { r, ran, w->where, w->n_where };
    char key[HIST_KEY_SIZE], sum[HIST_VALUE_SIZE];

    read_key(&where, key);
    if (key[0])
        return find(r, key);
    if (value_of_role(&where, HIST_C_SUM, sum) == HIST_V_TEXT) {
        for (size_t i = 0; i < r->n; i++) {
            if (r->list[i].sum && strcmp(r->list[i].sum, sum) == 0)
                return i + 1;
        }
        return 0;
    }
    return newest(r);
}

static int
take_delete(struct hist_recording *r, const struct hist_ran *ran,
    const struct sql_write *w, struct err *err)
{
    /* a merge of branches deletes one row and moves the other */
    if (!r->is_rolling_back && has_flag(r, HIST_T_HEAD))
        return 0;
    size_t i = deleted(r, ran, w);
    if (i == 0 || r->list[i - 1].is_back)
        return 0;
    if (!r->is_rolling_back) {
        struct row row = { .is_undone = true };
        snprintf(row.key, sizeof(row.key), "%s", r->list[i - 1].version);
        return applied(r, &row, err);
    }
    return rolled_back(r, i);
}

static int
take_write(struct hist_recording *r, const struct hist_ran *ran,
    const struct sql_write *w, struct err *err)
{
    switch (w->op) {
    case SQL_WRITE_INSERT:
        return take_insert(r, ran, w, err);
    case SQL_WRITE_UPDATE:
        return take_update(r, ran, w, err);
    case SQL_WRITE_DELETE:
        return take_delete(r, ran, w, err);
    case SQL_WRITE_TRUNCATE:
    case SQL_WRITE_LOCK:
        return 0;
    case SQL_WRITE_MERGE:
    case SQL_WRITE_COPY:
        break;
    }
    return not_readable(r, w, err);
}

/* --- the recording ---------------------------------------------------------------------- */

int
hist_recording_add(
    struct hist_recording *r, const struct hist_ran *ran, struct err *err)
{
    for (size_t i = 0; i < ran->n_facts; i++) {
        const struct sql_write *w = ran->facts[i].write;
        if (w && hist_is_table(r->set, w->schema, w->table))
            return take_write(r, ran, w, err);
    }
    if (ran->is_tracked && ran->facts[0].prep == SQL_PREP_EXECUTE)
        return err_set(err, -EINVAL,
            "a schema change was run by the SQL command EXECUTE, whose text is not the "
            "change's; a lockfile can't hold it");
    enum keep k = keep(r, ran);
    if (k == KEEP_NOT)
        return 0;
    if (ran->is_ambiguous)
        return err_set(err, -EINVAL,
            "a statement ran with standard_conforming_strings = off and means another one "
            "without (%.60s); a lockfile can't hold it",
            ran->sql.n ? ran->sql.p : "");
    add_statement(r, ran, k);
    return 0;
}

void
hist_recording_commit(struct hist_recording *r)
{
    if (r->last_in_tx && hist_is_same_tx(r->set))
        take_waiting(r, half_of(r, r->last_in_tx - 1));
    r->last_in_tx = 0;
}

static int
check_waiting(const struct hist_recording *r, struct err *err)
{
    if (r->n_waiting_changes == 0)
        return 0;
    return err_set(err, -EINVAL,
        "%zu schema change%s belong%s to no migration, the first is %s: no row of %s.%s was "
        "written after; let a migration of %s make %s",
        r->n_waiting_changes, r->n_waiting_changes == 1 ? "" : "s",
        r->n_waiting_changes == 1 ? "s" : "", r->first_waiting,
        r->set->conf.history_schema, r->set->conf.history_table, r->set->tool->title,
        r->n_waiting_changes == 1 ? "it" : "them");
}

int
hist_recording_turn(struct hist_recording *r, struct err *err)
{
    r->current = 0;
    r->waiting.n = r->n_waiting_changes ? r->waiting.n : 0;
    r->is_rolling_back = true;
    return check_waiting(r, err);
}

/* A lockfile knows one name for each migration. */
static bool
has_one_name(const struct hist_tool *tool)
{
    size_t n = 0;

    for (size_t i = 0; i < tool->n_columns; i++)
        n += tool->columns[i].role == HIST_C_NAME;
    return n <= 1;
}

static int
check_all(const struct hist_recording *r, struct err *err)
{
    if (r->n == 0)
        return err_set(err, -EINVAL,
            "no migration was recorded: no row of %s.%s was written",
            r->set->conf.history_schema, r->set->conf.history_table);
    if (!has_one_name(r->set->tool))
        return err_set(err, -EINVAL,
            "the history of %s can't be described by a lockfile; its migrations are files: "
            "write format = %s",
            r->set->tool->title, r->set->tool->format);
    return check_waiting(r, err);
}

int
hist_recording_write(struct hist_recording *r, const char *table, struct buf *out,
    struct hist_recorded *stats, struct err *err)
{
    int ret = check_all(r, err);

    if (ret)
        return ret;
    AUTO(mem_free)
    struct hist_lock_migration *list = mem_array(r->n, sizeof(*list));
    *stats = (struct hist_recorded){ .n_migrations = r->n, .n_left_out = r->waiting.n };
    for (size_t i = 0; i < r->n; i++) {
        const struct recorded *m = &r->list[i];
        list[i] = (struct hist_lock_migration){
            .version = m->version,
            .name = m->name,
            .checksum = m->sum,
            .up = { m->up.list, m->up.n },
            .down = { m->down.list, m->down.n },
            .has_down = m->has_down,
        };
        stats->n_statements += m->up.n;
        stats->n_down += m->has_down;
    }
    struct hist_lock lock = {
        .tool = r->set->tool->format, .table = table, .migrations = list, .n = r->n
    };
    return hist_lock_write(&lock, out, err);
}
