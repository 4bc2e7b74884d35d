// SPDX-License-Identifier: ISC
/* Rows of a history table, read and written, judged by the roles of the tool's columns. */
#include "history/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE HIST_KEY_SIZE

static enum hist_write_verdict
verdict(enum hist_write_verdict v, int unused)
{
    (void)unused;
    return v;
}

#define FORGED(reason, ...) verdict(HIST_WRITE_FORGED, err_set(reason, 0, __VA_ARGS__))
#define LATER(reason, what)         \
    verdict(HIST_WRITE_NEEDS_BINDS, \
        err_set(reason, 0, "the " what " comes with the parameters"))

size_t
hist_find_role(const struct hist_tool *tool, enum hist_role role)
{
    size_t i = 0;

    while (i < tool->n_columns && tool->columns[i].role != role)
        i++;
    return i;
}

static const struct hist_column *
find_column(const struct hist_tool *tool, const char *name)
{
    for (size_t i = 0; name && i < tool->n_columns; i++) {
        if (strcmp(tool->columns[i].name, name) == 0)
            return &tool->columns[i];
    }
    return NULL;
}

static const struct hist_migration *
find_migration(
    const struct hist_set *set, const char *key, const char **name, char room[KEY_SIZE])
{
    *name = NULL;
    if (set->ops->find)
        return set->ops->find(set, key, name, room);
    return hist_by_version(set, key);
}

static bool
is_name(const struct hist_set *set, const struct hist_migration *m, const char *name)
{
    if (!name || !*name || !m->name)
        return true;
    return set->ops->is_name ? set->ops->is_name(m, name) : hist_name_eq(name, m->name);
}

/* bytea comes as \x and hex. */
static bool
is_sum(const struct hist_migration *m, const char *sum)
{
    if (!m->checksum)
        return true;
    return strcmp(sum, m->checksum) == 0
        || (str_prefix(sum, "\\x") && strcmp(sum + 2, m->checksum) == 0);
}

/* Version 0 stands for the empty database, -1 for what golang-migrate came back to; what a
 * tool notes for itself is no migration either. */
static bool
is_nothing(const struct hist_set *set, const char *key)
{
    if ((set->tool->flags & HIST_T_NOTES) && key[0] == '.')
        return true;
    return (set->tool->flags & HIST_T_ZERO)
        && (strcmp(key, "0") == 0 || strcmp(key, "-1") == 0)
        && !hist_by_version(set, "0");
}

/* A lockfile has a version for each that it lists. */
static bool
has_ids(const struct hist_set *set)
{
    return (set->tool->flags & HIST_T_IDS) && !set->is_lockfile;
}

static bool
set_is_head(const struct hist_set *set)
{
    return set->tool->flags & HIST_T_HEAD;
}

/* --- reading ---------------------------------------------------------------------------- */

struct reading {
    struct hist_states *st;
    const struct dg_rows *rows;
    size_t i; /* of the row */
    char key[KEY_SIZE], room[KEY_SIZE];
};

static const char *
cell_of(const struct reading *r, enum hist_role role)
{
    size_t col = hist_find_role(r->st->set->tool, role);

    return col < r->rows->n_cols ? dg_cell(r->rows, r->i, col) : NULL;
}

/* Adds one more part to a key of n bytes; false if all of it gets too long. */
static bool
add_part(char key[KEY_SIZE], size_t *n, const char *part)
{
    if (*n + strlen(part) + 3 > KEY_SIZE)
        return false;
    *n += (size_t)snprintf(
        key + *n, KEY_SIZE - *n, "%s%s", *n ? HIST_KEY_SEPARATOR : "", part);
    return true;
}

/* The key columns joined, the id behind them where the tool needs it; false if one is null
 * or all of it too long. */
static bool
read_key(struct reading *r)
{
    const struct hist_tool *tool = r->st->set->tool;
    size_t n = 0;

    for (size_t i = 0; i < tool->n_columns; i++) {
        if (tool->columns[i].role != HIST_C_KEY)
            continue;
        const char *s = dg_cell(r->rows, r->i, i);
        if (!s || !add_part(r->key, &n, s))
            return false;
    }
    if (!has_ids(r->st->set))
        return true;
    const char *id = cell_of(r, HIST_C_ID);
    return id && add_part(r->key, &n, id);
}

static bool
is_true(const char *cell)
{
    return cell && strcmp(cell, "t") == 0;
}

static bool
is_open(const struct reading *r)
{
    const struct hist_tool *tool = r->st->set->tool;
    const char *done = cell_of(r, HIST_C_DONE), *total = cell_of(r, HIST_C_TOTAL);

    if (is_true(cell_of(r, HIST_C_DIRTY)))
        return true;
    if (done && total && strtol(done, NULL, 10) < strtol(total, NULL, 10))
        return true;
    return hist_find_role(tool, HIST_C_END) < tool->n_columns
        && !cell_of(r, HIST_C_END);
}

static enum dg_migration_state
state_of_row(const struct reading *r, const struct hist_migration *m, const char *name)
{
    const struct hist_set *set = r->st->set;
    const char *ok = cell_of(r, HIST_C_OK), *stands = cell_of(r, HIST_C_STANDS);
    const char *error = cell_of(r, HIST_C_ERROR), *sum = cell_of(r, HIST_C_SUM);
    bool resumes = set->tool->flags & HIST_T_RESUMES;

    if (cell_of(r, HIST_C_UNDONE) || (stands && !is_true(stands)))
        return DG_MIG_PENDING;
    if (is_open(r))
        return error && *error && !resumes ? DG_MIG_FAILED : DG_MIG_RUNNING;
    if (ok && !is_true(ok))
        return DG_MIG_FAILED;
    if (!is_name(set, m, name) || !is_name(set, m, cell_of(r, HIST_C_NAME))
        || (sum && !is_sum(m, sum)))
        return DG_MIG_EDITED;
    return DG_MIG_APPLIED;
}

/* Everything up to here is applied. */
static void
apply_head(struct reading *r, const struct hist_migration *m)
{
    struct hist_states *st = r->st;

    for (size_t i = 0; i < st->set->n; i++) {
        const struct hist_migration *x = &st->set->migrations[i];
        bool is_below = m ? i <= m->index
                          : !(st->set->tool->flags & HIST_T_TEXT)
                && hist_version_cmp(x->version, r->key) < 0;
        if (is_below && st->of[i] == DG_MIG_PENDING)
            st->of[i] = DG_MIG_APPLIED;
    }
}

static void
apply_row(struct reading *r)
{
    struct hist_states *st = r->st;
    const char *name = NULL;
    bool has_key = read_key(r);
    const struct hist_migration *m = has_key
        ? find_migration(st->set, r->key, &name, r->room)
        : NULL;

    if (set_is_head(st->set))
        st->is_dirty |= is_open(r);
    if (has_key && is_nothing(st->set, r->key))
        return;
    if (has_key && set_is_head(st->set))
        apply_head(r, m);
    if (m) {
        st->of[m->index] = state_of_row(r, m, name);
        return;
    }
    const char *first = dg_cell(
        r->rows, r->i, hist_find_role(st->set->tool, HIST_C_KEY));
    bool is_shown = has_key && !has_ids(st->set);
    st->missing(st->ctx,
        is_shown    ? r->key
            : first ? first
                    : "",
        cell_of(r, HIST_C_NAME));
    if (has_key && hist_is_version(st->set, st->set->ops->find ? r->room : r->key))
        hist_states_applied(st, first);
}

void
hist_rows_apply(struct hist_states *st, const struct dg_rows *rows)
{
    struct reading r = { .st = st, .rows = rows };

    for (; r.i < rows->n_rows; r.i++)
        apply_row(&r); /* in order: the newest row of a migration counts */
    for (size_t i = 0; i < st->set->n; i++) {
        const struct hist_migration *m = &st->set->migrations[i];
        if (st->of[i] == DG_MIG_FAILED)
            st->failed = m->version;
        else if (st->of[i] != DG_MIG_PENDING)
            hist_states_applied(st, m->version);
    }
    hist_states_finish(st);
}

/* --- inserted rows ---------------------------------------------------------------------- */

enum hist_value_type
hist_type_of(const struct hist_tool *tool, enum hist_role role)
{
    switch (role) {
    case HIST_C_KEY:
        return tool->flags & HIST_T_TEXT ? HIST_VT_TEXT : HIST_VT_VERSION;
    case HIST_C_SUM:
        return tool->sum == HIST_SUM_SHA384 ? HIST_VT_BYTES : HIST_VT_TEXT;
    case HIST_C_OK:
    case HIST_C_STANDS:
    case HIST_C_DIRTY:
        return HIST_VT_BOOL;
    case HIST_C_ID:
    case HIST_C_DONE:
    case HIST_C_TOTAL:
        return HIST_VT_VERSION;
    case HIST_C_OTHER:
    case HIST_C_NAME:
    case HIST_C_END:
    case HIST_C_UNDONE:
    case HIST_C_ERROR:
        break;
    }
    return HIST_VT_TEXT;
}

static enum hist_write_verdict
unknown_version(const struct hist_view *v, const char *key, struct err *reason)
{
    char summary[256];
    const char *id = has_ids(v->set) ? strstr(key, HIST_KEY_SEPARATOR) : NULL;
    int n = id && id - key < 64 ? (int)(id - key) : 64;

    hist_view_summary(v, summary, sizeof(summary));
    return FORGED(reason,
        "row of %s for version %.*s%s, which no file in %s has (%s); add the file first",
        v->set->conf.history_table, n, key, id ? " and its id" : "", v->set->conf.shown,
        summary);
}

static enum hist_write_verdict
add_value(const struct hist_view *v, const struct hist_row *row, size_t col,
    enum hist_value_type type, char key[KEY_SIZE], size_t *n, struct err *reason)
{
    const char *column = v->set->tool->columns[col].name;
    char value[HIST_VALUE_SIZE];
    enum hist_value_kind kind = hist_row_value(row, column, type, value);

    if (kind == HIST_V_LATER)
        return LATER(reason, "version");
    if (kind != HIST_V_TEXT || !add_part(key, n, value))
        return FORGED(reason,
            "row of %s whose %s is not a constant or parameter; write the version of a "
            "file in %s",
            v->set->conf.history_table, column, v->set->conf.shown);
    return HIST_WRITE_OK;
}

static enum hist_write_verdict
row_key(const struct hist_view *v, const struct hist_row *row, char key[KEY_SIZE],
    struct err *reason)
{
    const struct hist_tool *tool = v->set->tool;
    enum hist_write_verdict r = HIST_WRITE_OK;
    size_t n = 0;

    for (size_t i = 0; i < tool->n_columns && r == HIST_WRITE_OK; i++) {
        if (tool->columns[i].role == HIST_C_KEY)
            r = add_value(v, row, i, hist_type_of(tool, HIST_C_KEY), key, &n, reason);
    }
    if (r == HIST_WRITE_OK && has_ids(v->set))
        r = add_value(
            v, row, hist_find_role(tool, HIST_C_ID), HIST_VT_TEXT, key, &n, reason);
    return r;
}

static enum hist_write_verdict
bad_name(const struct hist_view *v, const struct hist_migration *m, const char *name,
    struct err *reason)
{
    return FORGED(reason,
        "row of %s with version %s and name %.64s, but the file of that version is %s; "
        "write '%s'",
        v->set->conf.history_table, m->version, name, m->file, m->name);
}

static enum hist_write_verdict
bad_sum(const struct hist_view *v, const struct hist_migration *m, const char *sum,
    struct err *reason)
{
    return FORGED(reason,
        "row of %s for %s with checksum %.100s, but the file has %s; bring the gate's files "
        "and the tool's to the same state",
        v->set->conf.history_table, m->file, *sum ? sum : "null", m->checksum);
}

/* The columns that must say what the file says. */
static enum hist_write_verdict
check_columns(const struct hist_view *v, const struct hist_row *row,
    const struct hist_migration *m, const char *key_name, struct err *reason)
{
    const struct hist_tool *tool = v->set->tool;
    char value[HIST_VALUE_SIZE];

    for (size_t i = 0; i < tool->n_columns; i++) {
        enum hist_role role = tool->columns[i].role;
        if (role != HIST_C_NAME && !(role == HIST_C_SUM && m->checksum))
            continue;
        value[0] = 0;
        enum hist_value_kind kind = hist_row_value(
            row, tool->columns[i].name, hist_type_of(v->set->tool, role), value);
        if (kind == HIST_V_LATER)
            return role == HIST_C_NAME ? LATER(reason, "name")
                                       : LATER(reason, "checksum");
        if (kind == HIST_V_UNKNOWN)
            return FORGED(reason,
                "row of %s for version %s whose %s is not a constant or parameter; write "
                "'%s'",
                v->set->conf.history_table, m->version, tool->columns[i].name,
                role == HIST_C_NAME ? m->name : m->checksum);
        if (role == HIST_C_NAME && kind == HIST_V_TEXT && !is_name(v->set, m, value))
            return bad_name(v, m, value, reason);
        bool may_lack = tool->columns[i].is_optional && kind != HIST_V_TEXT;
        if (role == HIST_C_SUM && !may_lack
            && (kind != HIST_V_TEXT || !is_sum(m, value)))
            return bad_sum(v, m, kind == HIST_V_TEXT ? value : "", reason);
    }
    return is_name(v->set, m, key_name) ? HIST_WRITE_OK
                                        : bad_name(v, m, key_name, reason);
}

/* Is a row of this view still open: dirty, or not ended? */
static bool
has_open_row(const struct hist_view *v)
{
    struct hist_states st = { .set = v->set };
    struct reading r = { .st = &st, .rows = &v->rows };

    for (; r.i < v->rows.n_rows; r.i++) {
        if (is_open(&r))
            return true;
    }
    return false;
}

/* How many migrations are applied or running, up to the newest such one. */
static size_t
height(const struct hist_view *v)
{
    size_t n = v->set->n;

    while (n > 0
        && (v->states[n - 1] == DG_MIG_PENDING
            || v->states[n - 1] == DG_MIG_OUT_OF_ORDER))
        n--;
    return n;
}

/* A tool that marks the only row as dirty before each migration goes one step at a time,
 * and never says that a version has run before it said that it is about to. */
static enum hist_write_verdict
check_step(const struct hist_view *v, bool is_open, const struct hist_migration *m,
    const char *key, struct err *reason)
{
    size_t from = height(v), to = m ? m->index + 1 : 0;

    if (to == from || has_open_row(v)
        || (is_open && (to == from + 1 || to + 1 == from)))
        return HIST_WRITE_OK;
    return FORGED(reason,
        "row of %s goes to version %.64s, but %s goes one migration at a time, and first "
        "writes that it is about to run; let it run the migrations",
        v->set->conf.history_table, key, v->set->tool->title);
}

/* Does the row say that its migration is only about to run? */
static enum hist_write_verdict
check_progress(const struct hist_view *v, struct hist_row *row,
    const struct hist_migration *m, const char *key, struct err *reason)
{
    const struct hist_tool *tool = v->set->tool;
    size_t dirty = hist_find_role(tool, HIST_C_DIRTY),
           end = hist_find_role(tool, HIST_C_END);
    char value[HIST_VALUE_SIZE];

    if (end < tool->n_columns)
        row->is_open = hist_row_value(row, tool->columns[end].name, HIST_VT_TEXT, value)
            < HIST_V_TEXT;
    if (dirty == tool->n_columns)
        return HIST_WRITE_OK;
    enum hist_value_kind kind = hist_row_value(
        row, tool->columns[dirty].name, HIST_VT_BOOL, value);
    if (kind == HIST_V_LATER)
        return LATER(reason, "state");
    row->is_open = kind == HIST_V_TEXT && strcmp(value, "t") == 0;
    return check_step(v, row->is_open, m, key, reason);
}

static enum hist_write_verdict
no_rollback(const struct hist_view *v, const char *op, const struct hist_migration *m,
    struct err *reason)
{
    return FORGED(reason,
        "%s of %s takes %s back, which has no rollback file; put the change into a new "
        "migration",
        op, v->set->conf.history_table, m->file);
}

/* A row may say that its migration is taken back: then it speaks of the rollback. */
static enum hist_write_verdict
check_stands(const struct hist_view *v, const struct hist_row *row,
    const struct hist_migration *m, const struct hist_migration **mig,
    struct err *reason)
{
    const struct hist_tool *tool = v->set->tool;
    size_t col = hist_find_role(tool, HIST_C_STANDS);
    char value[HIST_VALUE_SIZE];

    if (col == tool->n_columns)
        return HIST_WRITE_OK;
    enum hist_value_kind kind = hist_row_value(
        row, tool->columns[col].name, HIST_VT_BOOL, value);
    if (kind == HIST_V_LATER)
        return LATER(reason, "state");
    if (kind == HIST_V_UNKNOWN)
        return FORGED(reason,
            "row of %s for version %s whose %s is not a constant or parameter; write true",
            v->set->conf.history_table, m->version, tool->columns[col].name);
    if (kind != HIST_V_TEXT || strcmp(value, "t") == 0)
        return HIST_WRITE_OK;
    if (m->pair == HIST_NONE)
        return no_rollback(v, "a row", m, reason);
    *mig = &v->set->migrations[m->pair];
    return HIST_WRITE_OK;
}

enum hist_write_verdict
hist_rows_check(const struct hist_view *v, struct hist_row *row,
    const struct hist_migration **mig, struct err *reason)
{
    char key[KEY_SIZE], room[KEY_SIZE];
    const char *name;
    enum hist_write_verdict r = row_key(v, row, key, reason);

    if (r != HIST_WRITE_OK)
        return r;
    const struct hist_migration *m = find_migration(v->set, key, &name, room);
    if (!m && is_nothing(v->set, key))
        return check_progress(v, row, NULL, key, reason);
    if (!m)
        return unknown_version(v, key, reason);
    *mig = m;
    r = check_columns(v, row, m, name, reason);
    if (r == HIST_WRITE_OK)
        r = check_stands(v, row, m, mig, reason);
    return r == HIST_WRITE_OK ? check_progress(v, row, m, key, reason) : r;
}

/* --- changes of rows -------------------------------------------------------------------- */

struct change {
    const struct hist_view *v;
    const struct sql_write *w;
    const struct hist_bind *binds;
    size_t n_binds;
    const struct hist_tx *tx;
    struct err *reason;
    /* Not NULL: nothing is judged, but told of each rollback whose row goes. */
    void (*taken)(void *ctx, const struct hist_migration *down);
    void *ctx;
};

static const char *
op_name(const struct change *c)
{
    return c->w->op == SQL_WRITE_UPDATE ? "UPDATE"
        : c->w->op == SQL_WRITE_DELETE  ? "DELETE"
                                        : "TRUNCATE";
}

static enum hist_value_kind
where_value(const struct change *c, size_t col, char value[HIST_VALUE_SIZE])
{
    const struct hist_column *column = &c->v->set->tool->columns[col];

    for (size_t i = 0; i < c->w->n_where; i++) {
        if (c->w->where[i].column && strcmp(c->w->where[i].column, column->name) == 0)
            return hist_value_text(&c->w->where[i],
                hist_type_of(c->v->set->tool, column->role), c->binds, c->n_binds,
                value);
    }
    return HIST_V_ABSENT;
}

/* The key that the row of this view has whose id, or checksum, is in WHERE. */
static bool
key_by(
    const struct change *c, enum hist_role role, const char *value, char key[KEY_SIZE])
{
    struct hist_states st = { .set = c->v->set };
    struct reading r = { .st = &st, .rows = &c->v->rows };

    for (; r.i < c->v->rows.n_rows; r.i++) {
        const char *cell = cell_of(&r, role);
        if (cell && strcmp(cell, value) == 0 && read_key(&r)) {
            memcpy(key, r.key, strlen(r.key) + 1);
            return true;
        }
    }
    return false;
}

/* Which row does WHERE mean? OK with key filled, OK with an empty key (no row of this
 * view), or what there is to say against it. */
static enum hist_write_verdict
find_row(const struct change *c, char key[KEY_SIZE])
{
    const struct hist_tool *tool = c->v->set->tool;
    size_t n = 0;
    char value[HIST_VALUE_SIZE];
    bool has_all = true;

    key[0] = 0;
    for (size_t i = 0; i < tool->n_columns; i++) {
        if (tool->columns[i].role != HIST_C_KEY)
            continue;
        enum hist_value_kind kind = where_value(c, i, value);
        if (kind == HIST_V_LATER)
            return LATER(c->reason, "row");
        has_all = has_all && kind == HIST_V_TEXT && add_part(key, &n, value);
    }
    if (has_all)
        return HIST_WRITE_OK;
    key[0] = 0;
    static const enum hist_role others[] = { HIST_C_ID, HIST_C_SUM };
    for (size_t i = 0; i < DG_ARRAY_SIZE(others); i++) {
        size_t col = hist_find_role(tool, others[i]);
        enum hist_value_kind kind = col < tool->n_columns ? where_value(c, col, value)
                                                          : HIST_V_ABSENT;
        if (kind == HIST_V_LATER)
            return LATER(c->reason, "row");
        if (kind == HIST_V_TEXT) {
            key_by(c, others[i], value, key);
            return HIST_WRITE_OK;
        }
    }
    return FORGED(c->reason,
        "%s of %s that does not name one row by %s; let %s change its table",
        op_name(c), c->v->set->conf.history_table,
        tool->columns[hist_find_role(tool, HIST_C_KEY)].name, tool->title);
}

/* The row of m goes: honest after its rollback has run. */
static enum hist_write_verdict
take_back(const struct change *c, const struct hist_migration *m)
{
    const struct hist_set *set = c->v->set;

    if (c->taken) {
        if (m->pair != HIST_NONE)
            c->taken(c->ctx, &set->migrations[m->pair]);
        return HIST_WRITE_OK;
    }
    if (c->v->states[m->index] == DG_MIG_FAILED)
        return HIST_WRITE_OK;
    if (m->pair == HIST_NONE)
        return no_rollback(c->v, op_name(c), m, c->reason);
    const struct hist_migration *down = &set->migrations[m->pair];
    if (hist_tx_is_complete(c->tx, down))
        return HIST_WRITE_OK;
    if (hist_down_is_same_tx(set, down)) {
        hist_tx_explain(c->tx, down, c->reason);
        return HIST_WRITE_TOO_EARLY;
    }
    err_set(c->reason, 0,
        "%s is taken back without being seen to run in this transaction", down->file);
    return HIST_WRITE_NOT_SEEN_RUN;
}

static bool
has_row(const struct hist_view *v, const char *key)
{
    struct hist_states st = { .set = v->set };
    struct reading r = { .st = &st, .rows = &v->rows };

    for (; r.i < v->rows.n_rows; r.i++) {
        if (!read_key(&r))
            continue;
        if (strcmp(r.key, key) == 0
            || (!(v->set->tool->flags & HIST_T_TEXT)
                && hist_version_cmp(r.key, key) == 0))
            return true;
    }
    return false;
}

/* DELETE ... WHERE name IN (...): MikroORM spells the name in every way that it ever had.
 * Each is a migration that may be taken back, or no row at all. */
static enum hist_write_verdict
check_delete_in(const struct change *c, const struct hist_migration **mig)
{
    const struct hist_set *set = c->v->set;
    const struct hist_column *column = find_column(set->tool, c->w->in[0].column);
    enum hist_write_verdict worst = HIST_WRITE_OK;
    char value[HIST_VALUE_SIZE] = "", room[KEY_SIZE];
    const char *name;

    if (!column || column->role != HIST_C_KEY || set_is_head(set))
        return FORGED(c->reason, "DELETE of %s with a condition that can't be read",
            set->conf.history_table);
    for (size_t i = 0; i < c->w->n_in; i++) {
        enum hist_value_kind kind = hist_value_text(&c->w->in[i],
            hist_type_of(set->tool, HIST_C_KEY), c->binds, c->n_binds, value);
        if (kind == HIST_V_LATER)
            return LATER(c->reason, "row");
        const struct hist_migration *m = kind == HIST_V_TEXT
            ? find_migration(set, value, &name, room)
            : NULL;
        if (!m && (kind != HIST_V_TEXT || has_row(c->v, value)))
            return unknown_version(c->v, *value ? value : "?", c->reason);
        if (!m)
            continue;
        enum hist_write_verdict r = take_back(c, m);
        if (r != HIST_WRITE_OK && r != HIST_WRITE_NOT_SEEN_RUN)
            return r;
        worst = worst == HIST_WRITE_OK ? r : worst;
        *mig = m;
    }
    return *mig ? worst : unknown_version(c->v, value, c->reason);
}

static enum hist_write_verdict
check_delete(const struct change *c, const struct hist_migration **mig)
{
    char key[KEY_SIZE], room[KEY_SIZE];
    const char *name;

    if (c->w->n_in)
        return check_delete_in(c, mig);
    enum hist_write_verdict r = c->w->where_is_simple
        ? find_row(c, key)
        : FORGED(c->reason, "DELETE of %s with a condition that can't be read",
            c->v->set->conf.history_table);

    if (r != HIST_WRITE_OK)
        return r;
    const struct hist_migration *m = find_migration(c->v->set, key, &name, room);
    *mig = m;
    /* Of several heads one goes when they are merged. */
    if (m && !c->taken && set_is_head(c->v->set) && c->v->rows.n_rows > 1)
        return HIST_WRITE_OK;
    return m ? take_back(c, m) : unknown_version(c->v, *key ? key : "?", c->reason);
}

/* The only row is set from where the database stood to where it stands now. */
static enum hist_write_verdict
check_move(const struct change *c, const char *to, const struct hist_migration **mig)
{
    const struct hist_set *set = c->v->set;
    const struct hist_migration *m = hist_by_version(set, to), *top = NULL;

    for (size_t i = 0; i < set->n; i++) {
        if (c->v->states[i] == DG_MIG_APPLIED || c->v->states[i] == DG_MIG_EDITED)
            top = &set->migrations[i];
    }
    if (!m && !is_nothing(set, to))
        return unknown_version(c->v, to, c->reason);
    *mig = m;
    if (m && (!top || m->index > top->index))
        return hist_judge_time(c->v, m, c->tx, c->reason);
    for (size_t i = m ? m->index + 1 : 0; top && i <= top->index; i++) {
        if (hist_tx_is_complete(c->tx, &set->migrations[i]))
            continue; /* went up in this transaction, not down */
        enum hist_write_verdict r = take_back(c, &set->migrations[i]);
        if (r != HIST_WRITE_OK)
            return r;
    }
    return HIST_WRITE_OK;
}

static enum hist_write_verdict
check_value(const struct change *c, const struct sql_value *val,
    const struct hist_migration *m, const struct hist_migration **mig)
{
    const struct hist_set *set = c->v->set;
    const struct hist_column *column = find_column(set->tool, val->column);
    char value[HIST_VALUE_SIZE] = "";

    if (!column)
        return FORGED(c->reason, "UPDATE of %s sets %.64s, which %s never does",
            set->conf.history_table, val->column ? val->column : "?", set->tool->title);
    enum hist_role role = column->role;
    bool is_judged = role == HIST_C_KEY || role == HIST_C_NAME || role == HIST_C_SUM
        || role == HIST_C_UNDONE;
    if (!is_judged)
        return HIST_WRITE_OK;
    enum hist_value_kind kind = hist_value_text(
        val, hist_type_of(set->tool, role), c->binds, c->n_binds, value);
    if (kind == HIST_V_LATER)
        return LATER(c->reason, "values");
    if (role == HIST_C_KEY && set_is_head(set) && kind == HIST_V_TEXT)
        return check_move(c, value, mig);
    if (role == HIST_C_UNDONE && m
        && (c->v->states[m->index] == DG_MIG_FAILED
            || c->v->states[m->index] == DG_MIG_RUNNING))
        return HIST_WRITE_OK;
    if (kind == HIST_V_TEXT && m
        && ((role == HIST_C_SUM && is_sum(m, value))
            || (role == HIST_C_NAME && is_name(set, m, value))
            || (role == HIST_C_KEY && hist_by_version(set, value) == m)))
        return HIST_WRITE_OK;
    return FORGED(c->reason,
        "UPDATE of %s sets %s to something that is not of %s; let %s write its table from "
        "these files",
        set->conf.history_table, column->name, m ? m->file : "any file",
        set->tool->title);
}

/* Does it set what says that a migration has ended? */
static bool
ends_row(const struct change *c)
{
    for (size_t i = 0; i < c->w->n_values; i++) {
        const struct hist_column *column = find_column(
            c->v->set->tool, c->w->values[i].column);
        if (column
            && (column->role == HIST_C_END || column->role == HIST_C_OK
                || column->role == HIST_C_DIRTY || column->role == HIST_C_STANDS))
            return true;
    }
    return false;
}

static enum hist_write_verdict
check_update(const struct change *c, const struct hist_migration **mig)
{
    const struct hist_set *set = c->v->set;
    const struct hist_migration *m = NULL;
    char key[KEY_SIZE], room[KEY_SIZE];
    const char *name;

    if (!c->w->where_is_simple)
        return FORGED(c->reason, "UPDATE of %s with a condition that can't be read",
            set->conf.history_table);
    if (!set_is_head(set) || c->w->n_where > 0) {
        enum hist_write_verdict r = find_row(c, key);
        if (r != HIST_WRITE_OK)
            return r;
        m = *key ? find_migration(set, key, &name, room) : NULL;
    }
    *mig = m;
    for (size_t i = 0; i < c->w->n_values; i++) {
        enum hist_write_verdict r = check_value(c, &c->w->values[i], m, mig);
        if (r != HIST_WRITE_OK)
            return r;
    }
    if (!ends_row(c) || (m && c->v->states[m->index] == DG_MIG_APPLIED))
        return HIST_WRITE_OK;
    if (!m)
        return FORGED(c->reason, "UPDATE of %s ends a row that no file stands behind",
            set->conf.history_table);
    return hist_judge_time(c->v, m, c->tx, c->reason);
}

enum hist_write_verdict
hist_rows_change(const struct hist_view *v, const struct sql_write *w,
    const struct hist_bind *binds, size_t n_binds, const struct hist_tx *tx,
    const struct hist_migration **mig, struct err *reason)
{
    struct change c = { v, w, binds, n_binds, tx, reason, NULL, NULL };
    const struct hist_tool *tool = v->set->tool;

    if (w->op == SQL_WRITE_UPDATE && (tool->flags & HIST_T_UPDATES))
        return check_update(&c, mig);
    if (w->op == SQL_WRITE_DELETE && (tool->flags & HIST_T_DELETES))
        return check_delete(&c, mig);
    if (w->op == SQL_WRITE_TRUNCATE && (tool->flags & HIST_T_EMPTIES))
        return verdict(HIST_WRITE_NOT_SEEN_RUN,
            err_set(reason, 0, "%s is emptied, as %s does before it writes a version",
                v->set->conf.history_table, tool->title));
    return FORGED(reason,
        "%s of %s: rows of a %s history are only ever inserted; put the change into a "
        "migration file, or let an access section with unmigrated = allow do it",
        op_name(&c), v->set->conf.history_table, tool->format);
}

void
hist_rows_taken(const struct hist_view *v, const struct sql_write *w,
    const struct hist_bind *binds, size_t n_binds,
    void (*fn)(void *ctx, const struct hist_migration *down), void *ctx)
{
    struct change c = { v, w, binds, n_binds, NULL, NULL, fn, ctx };
    const struct hist_migration *m = NULL;

    if (w->op == SQL_WRITE_UPDATE && (v->set->tool->flags & HIST_T_UPDATES))
        check_update(&c, &m);
    else if (w->op == SQL_WRITE_DELETE && (v->set->tool->flags & HIST_T_DELETES))
        check_delete(&c, &m);
}
