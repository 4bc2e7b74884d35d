// SPDX-License-Identifier: ISC
/* Flyway: V1.2__name.sql, R__name.sql and U1.2__name.sql, which undoes V1.2, in folders of
 * any depth; flyway_schema_history, whose rows come over another connection than the
 * changes. What is undone gets one more row, of type UNDO_SQL.
 *
 * Callbacks (afterMigrate.sql, ...) and baseline files B...sql are not looked at: what they
 * hold counts as unmigrated. The checksum is a CRC-32 that ignores line
 * ends; it tells an edited file from an unedited one and is no proof of anything. */
#include "history/source.h"

#include <stdio.h>
#include <string.h>

enum {
    COL_RANK,
    COL_VERSION,
    COL_DESCRIPTION,
    COL_TYPE,
    COL_SCRIPT,
    COL_CHECKSUM,
    COL_INSTALLED_BY,
    COL_INSTALLED_ON,
    COL_EXECUTION_TIME,
    COL_SUCCESS,
};

/* --- file names ------------------------------------------------------------------------ */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Does it look as if it were meant for Flyway: V, U or R and what follows them? */
static bool
is_near_miss(const char *base)
{
    switch (base[0]) {
    case 'V':
    case 'U':
        return is_digit(base[1]) || base[1] == '_';
    case 'v':
        return is_digit(base[1]);
    case 'u':
        return is_digit(base[1]) && strstr(base, "__");
    case 'R':
        return base[1] == '_' || (is_digit(base[1]) && strstr(base, "__"));
    case 'r':
        return base[1] == '_' && base[2] == '_';
    }
    return false;
}

static int
bad_name(struct err *err, const char *base)
{
    bool is_repeatable = base[0] == 'R' || base[0] == 'r';
    bool is_undo = base[0] == 'U' || base[0] == 'u';

    return err_set(err, HIST_NAME_BAD,
        "Flyway would skip or refuse a file of this name; rename it to %s",
        is_repeatable ? "R__name.sql"
            : is_undo ? "U1__name.sql (version that it undoes, two underscores, name)"
                      : "V1__name.sql (version, two underscores, name)");
}

static int
parse_name(const struct hist_set *set, const char *relpath, struct hist_migration *m,
    struct err *err)
{
    const char *base = hist_base_name(relpath);
    size_t n = strlen(base);

    (void)set;

    if (n < 5 || !str_ieqz((struct str){ base + n - 4, 4 }, ".sql"))
        return HIST_NAME_NO;
    if (!strchr("VUR", base[0]) || !is_near_miss(base))
        return is_near_miss(base) ? bad_name(err, base) : HIST_NAME_NO;
    char *stem = arena_strndup(m->arena, base + 1, n - 5);
    char *name = strstr(stem, "__");
    if (name) {
        *name = 0;
        name += 2;
    } else {
        name = stem + strlen(stem); /* V1.sql: a version and no name */
    }
    if (base[0] == 'R' ? (stem[0] || name == stem) : !hist_version_is_valid(stem))
        return bad_name(err, base);
    for (char *p = stem; *p; p++)
        *p = *p == '_' ? '.' : *p;
    for (char *p = name; *p; p++)
        *p = *p == '_' ? ' ' : *p;
    m->version = base[0] == 'R' ? NULL : stem;
    m->name = name;
    m->is_repeatable = base[0] == 'R';
    m->is_down = base[0] == 'U';
    return HIST_NAME_YES;
}

static int
compare(const struct hist_migration *a, const struct hist_migration *b)
{
    if (a->is_repeatable != b->is_repeatable)
        return a->is_repeatable ? 1 : -1;
    if (a->is_repeatable)
        return strcmp(a->name, b->name);
    return hist_version_cmp(a->version, b->version);
}

/* --- text ------------------------------------------------------------------------------ */

/* The checksum of repeatable files is of the filled text. */
static int
prepare(const struct hist_set *set, struct hist_migration *m, const char *raw, size_t n,
    struct err *err)
{
    size_t bom = hist_bom(raw, n);
    char *text = NULL;
    int r = hist_placeholders(&set->conf, m, raw + bom, n - bom, &text, err);

    if (r)
        return r;
    m->text = text;
    m->checksum = m->is_repeatable ? hist_checksum(HIST_SUM_CRC32, m, text, m->len)
                                   : hist_checksum(HIST_SUM_CRC32, m, raw, n);
    return hist_text_blank(m->path, text, m->len, err);
}

/* --- rows ------------------------------------------------------------------------------ */

#define BASELINE_NAME "<< Flyway Baseline >>"
#define NO_NAME       "<< no description >>"

enum row_kind {
    ROW_SQL,
    ROW_CODE, /* a Java class, a script: no file that the gate could know */
    ROW_BASELINE,
    ROW_SCHEMA,
    ROW_DELETED, /* repair took it back, since its file is gone */
    ROW_UNDO,
};

static enum row_kind
kind_of(const char *type)
{
    static const struct {
        const char *type;
        enum row_kind kind;
    } kinds[] = {
        { "SQL", ROW_SQL },
        { "BASELINE", ROW_BASELINE },
        { "SQL_BASELINE", ROW_BASELINE },
        { "SCHEMA", ROW_SCHEMA },
        { "DELETE", ROW_DELETED },
        { "DELETED", ROW_DELETED },
        { "UNDO_SQL", ROW_UNDO },
    };

    for (size_t i = 0; i < DG_ARRAY_SIZE(kinds); i++) {
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].kind;
    }
    return str_prefix(type, "UNDO_") ? ROW_UNDO : ROW_CODE;
}

/* description is varchar(200): Flyway cuts longer ones to 197 characters and "...". */
static bool
is_description(const struct hist_migration *m, const char *description)
{
    size_t n = strlen(description);

    if (strcmp(m->name, description) == 0
        || (!m->name[0] && strcmp(description, NO_NAME) == 0))
        return true;
    return n > 3 && strcmp(description + n - 3, "...") == 0 && strlen(m->name) > 200
        && strncmp(m->name, description, n - 3) == 0;
}

static bool
is_checksum(const struct hist_migration *m, const char *sum)
{
    int64_t v, own;

    return str_int64(str_of(sum), INT32_MIN, INT32_MAX, &v) == 0
        && str_int64(str_of(m->checksum), INT32_MIN, INT32_MAX, &own) == 0 && v == own;
}

static const char *
cell(const struct dg_rows *rows, size_t row, size_t col)
{
    const char *s = dg_cell(rows, row, col);

    return s ? s : "";
}

/* What undoes m; NULL: nothing does. */
static const struct hist_migration *
undo_of(const struct hist_set *set, const struct hist_migration *m)
{
    return m && m->pair != HIST_NONE ? &set->migrations[m->pair] : NULL;
}

static const struct hist_migration *
file_of_row(const struct hist_set *set, const struct dg_rows *rows, size_t i)
{
    const char *version = dg_cell(rows, i, COL_VERSION);

    if (!version || !*version)
        return hist_by_name(set, cell(rows, i, COL_DESCRIPTION));
    return hist_version_is_valid(version) ? hist_by_version(set, version) : NULL;
}

static enum dg_migration_state
state_of_file(const struct hist_migration *m, const struct dg_rows *rows, size_t i)
{
    const char *sum = dg_cell(rows, i, COL_CHECKSUM);
    bool is_same = !sum || is_checksum(m, sum);

    if (strcmp(cell(rows, i, COL_SUCCESS), "t") != 0)
        return DG_MIG_FAILED;
    if (m->is_repeatable) /* runs again when it changes */
        return is_same ? DG_MIG_APPLIED : DG_MIG_PENDING;
    if (kind_of(cell(rows, i, COL_TYPE)) != ROW_SQL
        || !is_description(m, cell(rows, i, COL_DESCRIPTION)))
        is_same = false;
    return is_same ? DG_MIG_APPLIED : DG_MIG_EDITED;
}

/* Does a later row speak of the same version, and take this one back? Only asked for rows
 * without a file, which are few. */
static bool
is_taken_back(const struct dg_rows *rows, size_t i)
{
    const char *version = cell(rows, i, COL_VERSION);
    const char *name = cell(rows, i, COL_DESCRIPTION);

    for (size_t k = i + 1; k < rows->n_rows; k++) {
        enum row_kind kind = kind_of(cell(rows, k, COL_TYPE));
        if (!*version) { /* a repeatable one has a row for each run */
            if (!*cell(rows, k, COL_VERSION)
                && strcmp(name, cell(rows, k, COL_DESCRIPTION)) == 0)
                return true;
            continue;
        }
        if ((kind == ROW_DELETED || kind == ROW_UNDO)
            && hist_version_cmp(version, cell(rows, k, COL_VERSION)) == 0)
            return true;
    }
    return false;
}

static void
row_without_file(struct hist_states *st, const struct dg_rows *rows, size_t i)
{
    const char *version = dg_cell(rows, i, COL_VERSION);
    const char *name = cell(rows, i, COL_DESCRIPTION);

    if (is_taken_back(rows, i))
        return;
    if (strcmp(cell(rows, i, COL_SUCCESS), "t") != 0) {
        st->failed = version && *version ? version : name;
        return;
    }
    if (kind_of(cell(rows, i, COL_TYPE)) == ROW_SQL)
        st->missing(st->ctx, version, name);
    if (version && hist_version_is_valid(version))
        hist_states_applied(st, version);
}

static void
apply_baseline(struct hist_states *st, const char *version)
{
    if (!hist_version_is_valid(version))
        return;
    for (size_t i = 0; i < st->set->index->n_versioned; i++) {
        const struct hist_migration *m =
            &st->set->migrations[st->set->index->by_version[i]];
        if (hist_version_cmp(m->version, version) > 0)
            break;
        st->of[m->index] = DG_MIG_APPLIED;
    }
    hist_states_applied(st, version);
}

static void
apply_row(struct hist_states *st, const struct dg_rows *rows, size_t i)
{
    const struct hist_migration *m = file_of_row(st->set, rows, i);

    switch (kind_of(cell(rows, i, COL_TYPE))) {
    case ROW_SCHEMA:
        return;
    case ROW_BASELINE:
        apply_baseline(st, cell(rows, i, COL_VERSION));
        return;
    case ROW_DELETED:
        if (m)
            st->of[m->index] = DG_MIG_PENDING;
        return;
    case ROW_UNDO:
        if (m)
            st->of[m->index] = strcmp(cell(rows, i, COL_SUCCESS), "t") == 0
                ? DG_MIG_PENDING
                : DG_MIG_FAILED;
        return;
    case ROW_SQL:
    case ROW_CODE:
        break;
    }
    if (m) /* rows come in order: the newest of a file counts */
        st->of[m->index] = state_of_file(m, rows, i);
    else
        row_without_file(st, rows, i);
}

static void
apply_rows(struct hist_states *st, const struct dg_rows *rows)
{
    for (size_t i = 0; i < rows->n_rows; i++)
        apply_row(st, rows, i);
    for (size_t i = 0; i < st->set->n; i++) {
        const struct hist_migration *m = &st->set->migrations[i];
        if (st->of[i] == DG_MIG_FAILED)
            st->failed = m->version ? m->version : m->name;
        else if (m->version && st->of[i] != DG_MIG_PENDING)
            hist_states_applied(st, m->version);
    }
    hist_states_finish(st);
}

/* --- writes ---------------------------------------------------------------------------- */

struct row_values {
    char version[HIST_VALUE_SIZE];
    char description[HIST_VALUE_SIZE];
    char type[HIST_VALUE_SIZE];
    char script[HIST_VALUE_SIZE];
    char checksum[HIST_VALUE_SIZE];
    enum hist_value_kind has_version, has_checksum;
};

static enum hist_write_verdict
forged(
    const struct hist_view *v, struct err *reason, const char *what, const char *value)
{
    return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
        "row of %s whose %s%s%.100s is not that of any file in %s; let Flyway write it from "
        "these files",
        v->set->conf.history_table, what, *value ? " " : "", value, v->set->conf.shown);
}

/* Reads what says which file the row speaks of. OK, NEEDS_BINDS or FORGED. */
static enum hist_write_verdict
read_row(const struct hist_view *v, const struct hist_row *row, struct row_values *out,
    struct err *reason)
{
    const struct {
        const char *column;
        enum hist_value_type type;
        char *to;
        bool may_be_null;
    } wanted[] = {
        { "version", HIST_VT_TEXT, out->version, true },
        { "description", HIST_VT_TEXT, out->description, false },
        { "type", HIST_VT_TEXT, out->type, false },
        { "script", HIST_VT_TEXT, out->script, false },
        { "checksum", HIST_VT_NUMBER, out->checksum, true },
    };
    bool is_later = false;

    for (size_t i = 0; i < DG_ARRAY_SIZE(wanted); i++) {
        wanted[i].to[0] = 0;
        enum hist_value_kind kind = hist_row_value(
            row, wanted[i].column, wanted[i].type, wanted[i].to);
        if (kind != HIST_V_TEXT)
            wanted[i].to[0] = 0;
        if (kind == HIST_V_LATER)
            is_later = true;
        else if (kind == HIST_V_UNKNOWN
            || (kind != HIST_V_TEXT && !wanted[i].may_be_null))
            return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
                "row of %s whose %s is not a constant or parameter; let Flyway write it",
                v->set->conf.history_table, wanted[i].column);
        if (i == 0)
            out->has_version = kind;
        out->has_checksum = kind; /* the last one */
    }
    if (is_later)
        return (enum hist_write_verdict)err_set(
            reason, HIST_WRITE_NEEDS_BINDS, "the values come with the parameters");
    return HIST_WRITE_OK;
}

/* Of a file that ran, or of one that undid its version. */
static enum hist_write_verdict
check_sql_row(const struct hist_view *v, const struct row_values *r, bool is_undo,
    const struct hist_migration **mig, struct err *reason)
{
    const struct hist_migration *m = NULL;

    if (r->has_version != HIST_V_TEXT)
        m = is_undo ? NULL : hist_by_name(v->set, r->description);
    else if (hist_version_is_valid(r->version))
        m = hist_by_version(v->set, r->version);
    if (is_undo && m && m->pair == HIST_NONE)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "row of %s undoes version %.64s, but %s has no undo file; add U%.64s__%s.sql",
            v->set->conf.history_table, r->version, m->file, m->version, "name");
    if (is_undo)
        m = undo_of(v->set, m);
    if (!m)
        return r->has_version == HIST_V_TEXT
            ? forged(v, reason, "version", r->version)
            : forged(v, reason, "description", r->description);
    *mig = m;
    if (!is_description(m, r->description))
        return forged(v, reason, "description", r->description);
    if (strcmp(m->file, r->script) != 0)
        return forged(v, reason, "script", r->script);
    if (r->has_checksum != HIST_V_TEXT || !is_checksum(m, r->checksum))
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "row of %s for %s with checksum %.32s, but the file has %s; bring the gate's "
            "files and Flyway's to the same state",
            v->set->conf.history_table, m->file, *r->checksum ? r->checksum : "null",
            m->checksum);
    return HIST_WRITE_OK;
}

static enum hist_write_verdict
check_baseline_row(
    const struct hist_view *v, const struct row_values *r, struct err *reason)
{
    const char *baseline = v->set->conf.baseline;

    if (baseline && hist_version_is_valid(r->version)
        && hist_version_cmp(baseline, r->version) == 0)
        return HIST_WRITE_OK;
    return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
        "baseline row of %s for version %.64s; set baseline = %.64s in [migrations %s] if "
        "this database starts there",
        v->set->conf.history_table, r->version, r->version, v->set->conf.name);
}

static bool
is_missing(const struct hist_view *v, const struct row_values *r)
{
    bool has_version = r->has_version == HIST_V_TEXT;

    for (size_t i = 0; i < v->n_missing; i++) {
        const char *version = v->missing[i].version, *name = v->missing[i].name;
        bool is_repeatable = !version || !*version;
        if (has_version == is_repeatable)
            continue;
        if (has_version ? hist_version_cmp(version, r->version) == 0
                        : name && strcmp(name, r->description) == 0)
            return true;
    }
    return false;
}

static enum hist_write_verdict
check_row(const struct hist_view *v, struct hist_row *row,
    const struct hist_migration **mig, struct err *reason)
{
    struct row_values r;
    enum hist_write_verdict verdict = read_row(v, row, &r, reason);

    if (verdict != HIST_WRITE_OK)
        return verdict;
    switch (kind_of(r.type)) {
    case ROW_SQL:
    case ROW_UNDO:
        if (strcmp(r.type, "SQL") != 0 && strcmp(r.type, "UNDO_SQL") != 0)
            break;
        return check_sql_row(v, &r, kind_of(r.type) == ROW_UNDO, mig, reason);
    case ROW_BASELINE:
        return check_baseline_row(v, &r, reason);
    case ROW_SCHEMA: /* says only who made the schema */
        if (r.has_version != HIST_V_TEXT || strcmp(r.version, "0") == 0)
            return HIST_WRITE_OK;
        break;
    case ROW_DELETED: /* repair, for a row whose file is gone */
        if (is_missing(v, &r))
            return HIST_WRITE_OK;
        break;
    case ROW_CODE:
        break;
    }
    return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
        "row of %s of type %.32s for version %.64s, which no SQL file stands behind; run "
        "such migrations under an access section with unmigrated = allow",
        v->set->conf.history_table, r.type, *r.version ? r.version : "null");
}

/* --- repair ---------------------------------------------------------------------------- */

/* The row that WHERE installed_rank = n means, in this view; rows.n_rows if none. */
static enum hist_value_kind
find_row(const struct hist_view *v, const struct sql_write *w,
    const struct hist_bind *binds, size_t n_binds, size_t *at)
{
    char rank[HIST_VALUE_SIZE];

    *at = v->rows.n_rows;
    for (size_t i = 0; w->where_is_simple && i < w->n_where; i++) {
        if (!w->where[i].column || strcmp(w->where[i].column, "installed_rank") != 0)
            continue;
        enum hist_value_kind kind = hist_value_text(
            &w->where[i], HIST_VT_NUMBER, binds, n_binds, rank);
        for (size_t k = 0; kind == HIST_V_TEXT && k < v->rows.n_rows; k++) {
            if (strcmp(cell(&v->rows, k, COL_RANK), rank) == 0)
                *at = k;
        }
        return kind;
    }
    return HIST_V_ABSENT;
}

/* Is the value that repair writes the one of the file? */
static bool
is_file_value(const struct hist_migration *m, const char *column, const char *value)
{
    if (strcmp(column, "checksum") == 0)
        return is_checksum(m, value);
    if (strcmp(column, "description") == 0)
        return is_description(m, value);
    if (strcmp(column, "type") == 0)
        return strcmp(value, m->is_down ? "UNDO_SQL" : "SQL") == 0;
    if (strcmp(column, "script") == 0)
        return strcmp(value, m->file) == 0;
    return false;
}

static enum hist_write_verdict
check_update(const struct hist_view *v, const struct sql_write *w,
    const struct hist_bind *binds, size_t n_binds, const struct hist_migration *m,
    struct err *reason)
{
    char value[HIST_VALUE_SIZE];

    for (size_t i = 0; i < w->n_values; i++) {
        const char *column = w->values[i].column ? w->values[i].column : "";
        enum hist_value_kind kind = hist_value_text(&w->values[i],
            strcmp(column, "checksum") == 0 ? HIST_VT_NUMBER : HIST_VT_TEXT, binds,
            n_binds, value);
        if (kind != HIST_V_TEXT || !is_file_value(m, column, value))
            return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
                "UPDATE of %s sets %.64s to something that is not of %s; only repair may "
                "update rows, to what the files say",
                v->set->conf.history_table, column, m->file);
    }
    return HIST_WRITE_OK;
}

/* WHERE success = false, with or without more terms joined by AND: how repair deletes the
 * rows of failed migrations. */
static bool
is_failed_only(const struct sql_write *w, const struct hist_bind *binds, size_t n_binds)
{
    char value[HIST_VALUE_SIZE];

    for (size_t i = 0; w->where_is_simple && i < w->n_where; i++) {
        if (w->where[i].column && strcmp(w->where[i].column, "success") == 0
            && hist_value_text(&w->where[i], HIST_VT_BOOL, binds, n_binds, value)
                == HIST_V_TEXT)
            return strcmp(value, "f") == 0;
    }
    return false;
}

static enum hist_write_verdict
check_change(const struct hist_view *v, const struct sql_write *w,
    const struct hist_bind *binds, size_t n_binds, const struct hist_tx *tx,
    const struct hist_migration **mig, struct err *reason)
{
    size_t at;
    enum hist_value_kind kind = find_row(v, w, binds, n_binds, &at);
    bool is_update = w->op == SQL_WRITE_UPDATE;

    (void)tx;
    if (!is_update && is_failed_only(w, binds, n_binds))
        return HIST_WRITE_OK;
    if (kind == HIST_V_LATER)
        return (enum hist_write_verdict)err_set(
            reason, HIST_WRITE_NEEDS_BINDS, "the row comes with the parameters");
    if (at == v->rows.n_rows)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "%s of %s that does not name one known row by installed_rank; use flyway repair",
            is_update ? "UPDATE" : "DELETE", v->set->conf.history_table);
    const struct hist_migration *m = file_of_row(v->set, &v->rows, at);
    if (kind_of(cell(&v->rows, at, COL_TYPE)) == ROW_UNDO)
        m = undo_of(v->set, m);
    *mig = m;
    if (is_update && m)
        return check_update(v, w, binds, n_binds, m, reason);
    if (!is_update && strcmp(cell(&v->rows, at, COL_SUCCESS), "f") == 0)
        return HIST_WRITE_OK;
    return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
        "%s of %s, row %s: repair may delete failed rows and update rows that have a file; "
        "anything else needs an access section with unmigrated = allow",
        is_update ? "UPDATE" : "DELETE", v->set->conf.history_table,
        cell(&v->rows, at, COL_RANK));
}

/* --- the next file --------------------------------------------------------------------- */

static void
next_name(const struct hist_set *set, const char *slug, char *out, size_t size)
{
    const struct hist_index *ix = set->index;
    char version[128] = "1", raw[128] = "";
    const char *folder = "";
    size_t n_folder = 0;

    if (ix->n_versioned > 0) {
        const struct hist_migration *m =
            &set->migrations[ix->by_version[ix->n_versioned - 1]];
        const char *base = hist_base_name(m->file), *end = strstr(base, "__");
        size_t n = end ? (size_t)(end - base) - 1 : strlen(m->version);
        folder = m->file;
        n_folder = (size_t)(base - m->file);
        /* as the file is named, which keeps 1_2 apart from 1.2 */
        snprintf(raw, sizeof(raw), "%.*s", (int)(n < 100 ? n : 100), base + 1);
        hist_version_next(raw, version, sizeof(version));
    }
    snprintf(out, size, "%.*sV%s__%s.sql", (int)n_folder, folder, version, slug);
}

const struct hist_ops hist_flyway_ops = {
    .parse_name = parse_name,
    .compare = compare,
    .prepare = prepare,
    .apply_rows = apply_rows,
    .check_row = check_row,
    .check_change = check_change,
    .next_name = next_name,
};
