// SPDX-License-Identifier: ISC
/* Is a history row that a client writes an honest one? Values are compared wherever they
 * stand, as literals or as parameters in text or binary; which values are honest the tools'
 * own files say. */
#include "history/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- values ---------------------------------------------------------------------------- */

static enum hist_value_kind
copy_value(const char *p, size_t n, char out[HIST_VALUE_SIZE])
{
    if (n >= HIST_VALUE_SIZE || memchr(p, 0, n))
        return HIST_V_UNKNOWN;
    memcpy(out, p, n);
    out[n] = 0;
    return HIST_V_TEXT;
}

/* Big-endian two's complement of 2, 4 or 8 bytes, as the server's integer types send it. */
static enum hist_value_kind
binary_number(const struct hist_bind *b, char out[HIST_VALUE_SIZE])
{
    uint64_t v = 0;

    if (b->n != 2 && b->n != 4 && b->n != 8)
        return HIST_V_UNKNOWN;
    for (size_t i = 0; i < b->n; i++)
        v = v << 8 | (unsigned char)b->p[i];
    if (b->n < 8 && (v >> (b->n * 8 - 1)))
        v |= UINT64_MAX << (b->n * 8);
    snprintf(out, HIST_VALUE_SIZE, "%" PRId64, (int64_t)v);
    return HIST_V_TEXT;
}

static enum hist_value_kind
hex_value(const char *p, size_t n, char out[HIST_VALUE_SIZE])
{
    if (n > (HIST_VALUE_SIZE - 1) / 2)
        return HIST_V_UNKNOWN;
    hash_hex((const uint8_t *)p, n, out);
    return HIST_V_TEXT;
}

static bool
all_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
    }
    return n > 0;
}

static enum hist_value_kind
bool_text(char out[HIST_VALUE_SIZE])
{
    bool v;

    /* The server takes any unique start of these words. */
    if (strcmp(out, "t") == 0 || strcmp(out, "y") == 0)
        v = true;
    else if (strcmp(out, "f") == 0 || strcmp(out, "n") == 0)
        v = false;
    else if (str_bool(str_trim(str_of(out)), &v))
        return HIST_V_UNKNOWN;
    memcpy(out, v ? "t" : "f", 2);
    return HIST_V_TEXT;
}

static enum hist_value_kind
bind_text(
    const struct hist_bind *b, enum hist_value_type type, char out[HIST_VALUE_SIZE])
{
    if (!b->p)
        return HIST_V_NULL;
    if (b->is_binary) {
        switch (type) {
        case HIST_VT_NUMBER:
            return binary_number(b, out);
        case HIST_VT_BOOL:
            if (b->n != 1)
                return HIST_V_UNKNOWN;
            memcpy(out, b->p[0] ? "t" : "f", 2);
            return HIST_V_TEXT;
        case HIST_VT_VERSION:
            /* A text is sent as its bytes in binary, too: digits are taken for one. */
            if (!all_digits(b->p, b->n) && binary_number(b, out) == HIST_V_TEXT)
                return HIST_V_TEXT;
            break;
        case HIST_VT_BYTES:
            return hex_value(b->p, b->n, out);
        case HIST_VT_TEXT:
            break;
        }
    }
    enum hist_value_kind kind = copy_value(b->p, b->n, out);
    return kind == HIST_V_TEXT && type == HIST_VT_BOOL ? bool_text(out) : kind;
}

enum hist_value_kind
hist_value_text(const struct sql_value *val, enum hist_value_type type,
    const struct hist_bind *binds, size_t n_binds, char out[HIST_VALUE_SIZE])
{
    if (val->is_null)
        return HIST_V_NULL;
    if (val->param > 0) {
        if (!binds)
            return HIST_V_LATER;
        if ((size_t)val->param > n_binds)
            return HIST_V_UNKNOWN;
        return bind_text(&binds[val->param - 1], type, out);
    }
    if (val->is_expression || !val->text)
        return HIST_V_UNKNOWN;
    enum hist_value_kind kind = copy_value(val->text, strlen(val->text), out);
    return kind == HIST_V_TEXT && type == HIST_VT_BOOL ? bool_text(out) : kind;
}

static const struct sql_value *
find_column(const struct hist_row *row, const char *column)
{
    for (size_t i = 0; i < row->n; i++) {
        const struct sql_value *val = &row->write->values[row->first + i];
        const char *name = val->column;
        if (!name && i < row->n_columns)
            name = row->columns[i].name;
        if (name && strcmp(name, column) == 0)
            return val;
    }
    return NULL;
}

enum hist_value_kind
hist_row_value(const struct hist_row *row, const char *column,
    enum hist_value_type type, char out[HIST_VALUE_SIZE])
{
    const struct sql_value *val = find_column(row, column);

    if (!val)
        return HIST_V_ABSENT;
    return hist_value_text(val, type, row->binds, row->n_binds, out);
}

/* --- rows ------------------------------------------------------------------------------ */

static int
severity(enum hist_write_verdict v)
{
    switch (v) {
    case HIST_WRITE_OK:
        return 0;
    case HIST_WRITE_NOT_SEEN_RUN:
        return 1;
    case HIST_WRITE_TOO_EARLY:
        return 2;
    case HIST_WRITE_NEEDS_BINDS:
        return 3;
    case HIST_WRITE_FORGED:
        return 4;
    }
    return 4;
}

/* Has everything run here, or earlier, that the row says has run? Where the table holds
 * only one version that is everything up to it. */
static const struct hist_migration *
first_not_run(
    const struct hist_view *v, const struct hist_migration *m, const struct hist_tx *tx)
{
    for (size_t i = v->set->tool->flags & HIST_T_HEAD ? 0 : m->index; i < m->index;
         i++) {
        const struct hist_migration *x = &v->set->migrations[i];
        if (v->states[i] != DG_MIG_APPLIED && v->states[i] != DG_MIG_EDITED
            && !hist_tx_is_complete(tx, x))
            return x;
    }
    return hist_tx_is_complete(tx, m) ? NULL : m;
}

/* A row that says that a rollback has run: its migration must be the newest one that
 * stands. */
static enum hist_write_verdict
judge_undone(const struct hist_view *v, const struct hist_migration *down,
    const struct hist_tx *tx, struct err *reason)
{
    const struct hist_migration *newer = tx ? hist_tx_newer(tx, down) : NULL;

    if (newer)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "%s would be undone before %s, which is newer; undo that one first",
            v->set->migrations[down->pair].file, newer->file);
    if (!hist_stands(v, down->pair))
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "%s is not applied, so that %s has nothing to undo",
            v->set->migrations[down->pair].file, down->file);
    if (hist_tx_is_complete(tx, down))
        return HIST_WRITE_OK;
    if (hist_down_is_same_tx(v->set, down)) {
        hist_tx_explain(tx, down, reason);
        return HIST_WRITE_TOO_EARLY;
    }
    err_set(reason, 0, "%s is recorded without being seen to run in this transaction",
        down->file);
    return HIST_WRITE_NOT_SEEN_RUN;
}

enum hist_write_verdict
hist_judge_time(const struct hist_view *v, const struct hist_migration *m,
    const struct hist_tx *tx, struct err *reason)
{
    if (m && m->is_down)
        return judge_undone(v, m, tx, reason);
    if (!m || v->states[m->index] == DG_MIG_APPLIED)
        return HIST_WRITE_OK; /* ON CONFLICT DO NOTHING, run again */
    const struct hist_migration *x = first_not_run(v, m, tx);
    if (!x)
        return HIST_WRITE_OK;
    if (hist_is_same_tx(v->set) && !x->is_no_tx) {
        hist_tx_explain(tx, x, reason);
        return HIST_WRITE_TOO_EARLY;
    }
    err_set(reason, 0, "%s is recorded without being seen to run in this transaction",
        x->file);
    return HIST_WRITE_NOT_SEEN_RUN;
}

/* Does the migration that holds this very statement vouch for it? */
static const struct hist_migration *
vouching(const struct hist_match *match, bool is_insert)
{
    if (!match)
        return NULL;
    switch (match->kind) {
    case HIST_MATCH_PENDING:
    case HIST_MATCH_OUT_OF_ORDER:
    case HIST_MATCH_REPEAT:
        return match->migration;
    case HIST_MATCH_APPLIED:
        /* its own row once more, which the file guards itself */
        return is_insert ? match->migration : NULL;
    case HIST_MATCH_DOWN: /* its rollback takes the row back itself */
        return is_insert ? NULL : match->migration;
    case HIST_MATCH_NONE:
    case HIST_MATCH_BLOCKED_FAILED:
    case HIST_MATCH_OWN:
    case HIST_MATCH_DOWN_BLOCKED:
        break;
    }
    return NULL;
}

struct judgement {
    const struct hist_view *v;
    const struct sql_write *w;
    const struct hist_bind *binds;
    size_t n_binds;
    const struct hist_tx *tx;
};

/* INSERT ... SELECT of constants has its one row in the select list; without constants, or
 * with an UPDATE of conflicting rows, what will stand is the server's to know. */
static size_t
n_rows(const struct sql_write *w)
{
    size_t n = w->n_rows ? w->n_rows : 1;

    return w->is_upsert || w->n_values == 0 || w->n_values % n ? 0 : n;
}

static enum hist_write_verdict
judge_row(const struct judgement *j, size_t row_nr, const struct hist_migration **mig,
    struct err *reason)
{
    size_t n = j->w->n_values / n_rows(j->w);
    struct hist_row row = { .write = j->w,
        .first = row_nr * n,
        .n = n,
        .columns = j->v->set->tool->columns,
        .n_columns = j->v->set->tool->n_columns,
        .binds = j->binds,
        .n_binds = j->n_binds };

    *mig = NULL;
    enum hist_write_verdict verdict = j->v->set->ops->check_row
        ? j->v->set->ops->check_row(j->v, &row, mig, reason)
        : hist_rows_check(j->v, &row, mig, reason);
    if (verdict != HIST_WRITE_OK || row.is_open)
        return verdict;
    return hist_judge_time(j->v, *mig, j->tx, reason);
}

static enum hist_write_verdict
judge_rows(
    const struct judgement *j, const struct hist_migration **mig, struct err *reason)
{
    enum hist_write_verdict worst = HIST_WRITE_OK;
    size_t n = n_rows(j->w);

    *mig = NULL;
    if (n == 0)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "%s: the rows that this INSERT makes can't be known; write version and name as "
            "constants or parameters, with ON CONFLICT DO NOTHING at most",
            j->v->set->conf.history_table);
    for (size_t i = 0; i < n; i++) {
        const struct hist_migration *m;
        struct err why = { "" };
        enum hist_write_verdict verdict = judge_row(j, i, &m, &why);
        if (i == 0)
            *mig = m;
        if (severity(verdict) <= severity(worst))
            continue;
        worst = verdict;
        if (reason)
            *reason = why;
    }
    return worst;
}

static enum hist_write_verdict
judge_insert(const struct judgement *j, const struct hist_match *match,
    const struct hist_migration **mig, struct err *reason)
{
    struct err why = { "" };
    enum hist_write_verdict verdict = judge_rows(j, mig, &why);

    /* A tool that makes its table anew fills it from one that it keeps beside. */
    if (match && match->kind == HIST_MATCH_OWN && !j->w->n_rows)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_NOT_SEEN_RUN,
            "what the new table %s is filled with is recorded without being seen to run",
            j->v->set->conf.history_table);
    /* The file that holds the statement was reviewed with what it makes; it still has to
     * come after the file's changes. */
    const struct hist_migration *m = vouching(match, true);
    if (verdict == HIST_WRITE_FORGED && m && (!j->w->n_rows || j->w->is_upsert)) {
        *mig = m;
        return hist_judge_time(j->v, m, j->tx, reason);
    }
    if (verdict != HIST_WRITE_OK && reason)
        *reason = why;
    return verdict;
}

static const char *
op_name(const struct sql_write *w)
{
    switch (w->op) {
    case SQL_WRITE_INSERT:
        return "INSERT";
    case SQL_WRITE_UPDATE:
        return "UPDATE";
    case SQL_WRITE_DELETE:
        return "DELETE";
    case SQL_WRITE_MERGE:
        return "MERGE";
    case SQL_WRITE_COPY:
        return "COPY";
    case SQL_WRITE_TRUNCATE:
        return "TRUNCATE";
    case SQL_WRITE_LOCK:
        return "LOCK";
    }
    return "?";
}

/* What MERGE makes of the rows is the server's to know; those of a COPY come behind it, if it
 * is one whose data can be read (hist_copy_rows). */
static enum hist_write_verdict
judge_change(const struct judgement *j, const struct hist_match *match,
    const struct hist_migration **mig, struct err *reason)
{
    const struct hist_ops *ops = j->v->set->ops;

    if (j->w->op == SQL_WRITE_COPY && j->w->copy)
        return (enum hist_write_verdict)err_set(
            reason, HIST_WRITE_NEEDS_BINDS, "the rows come with the data");
    if (vouching(match, false)) { /* part of a reviewed migration */
        *mig = match->migration;
        return HIST_WRITE_OK;
    }
    if (j->w->op == SQL_WRITE_MERGE || j->w->op == SQL_WRITE_COPY)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "%s of %s: rows of a %s history are only ever inserted; put the change into a "
            "migration file, or let an access section with unmigrated = allow do it",
            op_name(j->w), j->v->set->conf.history_table, j->v->set->tool->format);
    if (ops->check_change && j->w->op != SQL_WRITE_TRUNCATE)
        return ops->check_change(j->v, j->w, j->binds, j->n_binds, j->tx, mig, reason);
    return hist_rows_change(j->v, j->w, j->binds, j->n_binds, j->tx, mig, reason);
}

/* Is it told by its columns that this is no row of such a history? */
static bool
has_other_columns(const struct hist_tool *tool, const struct sql_write *w)
{
    size_t n_known = 0, n_keys = 0, n_met = 0;

    if (w->n_values == 0 || !w->values[0].column || w->op == SQL_WRITE_DELETE)
        return false;
    for (size_t i = 0; i < tool->n_columns; i++) {
        bool is_met = false;
        for (size_t k = 0; k < w->n_values && !is_met; k++)
            is_met = w->values[k].column
                && strcmp(w->values[k].column, tool->columns[i].name) == 0;
        n_known += is_met;
        n_keys += tool->columns[i].role == HIST_C_KEY;
        n_met += is_met && tool->columns[i].role == HIST_C_KEY;
    }
    return w->op == SQL_WRITE_UPDATE ? n_known == 0 : n_met < n_keys;
}

/* A table of the history's name in another schema: whoever reads it through his search_path
 * would take it for the history. */
static enum hist_write_verdict
judge_elsewhere(const struct judgement *j, struct err *reason)
{
    const struct hist_conf *c = &j->v->set->conf;
    const char *schema = j->w->schema;

    if (strcmp(j->w->table, c->history_table) != 0 || j->w->op == SQL_WRITE_LOCK
        || (c->unrelated_schemas && hist_in_list(c->unrelated_schemas, schema))
        || has_other_columns(j->v->set->tool, j->w))
        return HIST_WRITE_OK;
    return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
        "%s of %s.%s, which could be taken for the history table %s.%s; if it is another "
        "table, list %s in unrelated_schemas of [migrations %s]",
        op_name(j->w), schema, j->w->table, c->history_schema, c->history_table, schema,
        c->name);
}

enum hist_write_verdict
hist_check_write(const struct hist_view *v, const struct sql_facts *f,
    const struct hist_match *match, const struct hist_bind *binds, size_t n_binds,
    const struct hist_tx *tx, const struct hist_migration **mig, struct err *reason)
{
    const struct hist_migration *ignored;
    const struct sql_write *w = f->write;
    struct judgement j = { v, w, binds, n_binds, tx };

    mig = mig ? mig : &ignored;
    *mig = NULL;
    if (!w)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "%s makes something that stands in front of the history table %s; give it "
            "another name",
            f->tag, v->set->conf.history_table);
    if (w->schema && str_prefix(w->schema, "pg_temp"))
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "%s of a temporary table that stands in front of the history table %s; give it "
            "another name",
            op_name(w), w->table);
    if (w->table && !hist_is_table(v->set, w->schema, w->table))
        return judge_elsewhere(&j, reason);
    switch (w->op) {
    case SQL_WRITE_LOCK:
        return HIST_WRITE_OK;
    case SQL_WRITE_INSERT:
        return judge_insert(&j, match, mig, reason);
    case SQL_WRITE_UPDATE:
    case SQL_WRITE_DELETE:
    case SQL_WRITE_MERGE:
    case SQL_WRITE_COPY:
    case SQL_WRITE_TRUNCATE:
        break;
    }
    return judge_change(&j, match, mig, reason);
}

void
hist_each_written(const struct hist_view *v, const struct sql_facts *f,
    const struct hist_match *match, const struct hist_bind *binds, size_t n_binds,
    void (*fn)(void *ctx, const struct hist_migration *m), void *ctx)
{
    const struct sql_write *w = f->write;
    struct judgement j = { v, w, binds, n_binds, NULL };
    const struct hist_migration *m = NULL;

    if (!w || !hist_is_table(v->set, w->schema, w->table))
        return;
    const struct hist_migration *by = vouching(match, false);
    if (w->op != SQL_WRITE_INSERT && by && by->is_down)
        fn(ctx, by);
    else if (w->op != SQL_WRITE_INSERT && !by)
        hist_rows_taken(v, w, binds, n_binds, fn, ctx);
    if (w->op == SQL_WRITE_UPDATE) {
        if (judge_change(&j, match, &m, NULL) != HIST_WRITE_FORGED && m)
            fn(ctx, m);
        return;
    }
    if (w->op != SQL_WRITE_INSERT)
        return;
    if (judge_rows(&j, &m, NULL) == HIST_WRITE_FORGED) {
        if (judge_insert(&j, match, &m, NULL) != HIST_WRITE_FORGED && m)
            fn(ctx, m);
        return;
    }
    for (size_t i = 0; i < n_rows(w); i++) {
        if (judge_row(&j, i, &m, NULL) != HIST_WRITE_NEEDS_BINDS && m)
            fn(ctx, m);
    }
}

static void
record(void *ctx, const struct hist_migration *m)
{
    hist_tx_recorded(ctx, m);
}

void
hist_tx_wrote(struct hist_tx *tx, const struct sql_facts *f,
    const struct hist_match *match, const struct hist_bind *binds, size_t n_binds)
{
    hist_each_written(hist_tx_view(tx), f, match, binds, n_binds, record, tx);
}
