// SPDX-License-Identifier: ISC
/* Folders of NNN_name.sql, run by psql or a few lines of shell: a flat folder, lexical order,
 * one table schema_migrations(version, name, applied_at) whose row is written by the file
 * itself or by the runner, in the transaction of the changes. No checksum.
 *
 * Files NNN_name.down.sql are not looked at: what they hold counts as unmigrated. */
#include "history/source.h"

#include "base/clk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct hist_column columns[] = {
    { "version", false },
    { "name", true },
    { "applied_at", true },
};

enum {
    COL_VERSION,
    COL_NAME,
    COL_APPLIED_AT,
};

/* --- file names ------------------------------------------------------------------------ */

static size_t
n_digits(const char *s)
{
    return strspn(s, "0123456789");
}

static bool
ends_without_case(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && str_ieqz((struct str){ s + n - m, m }, suffix);
}

/* White space, quotes and control bytes break the shell loops that run such files. */
static bool
is_plain_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f
            || strchr("'\"`\\$;&|<>*?", s[i]))
            return false;
    }
    return n > 0;
}

static int
bad_name(struct err *err, const char *relpath, size_t digits)
{
    char name[80];
    size_t n = 0;

    for (size_t i = digits; i + strlen(".sql") < strlen(relpath); i++) {
        char c = ascii_lower(relpath[i]);
        if (n + 1 == sizeof(name))
            break;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            name[n++] = c;
        else if (n > 0 && name[n - 1] != '_')
            name[n++] = '_';
    }
    while (n > 0 && name[n - 1] == '_')
        n--;
    name[n] = 0;
    return err_set(err, HIST_NAME_BAD,
        "not a name of format numbered-sql, a runner would skip it or sort it wrongly; "
        "rename it to %.*s_%s.sql",
        (int)(digits < 40 ? digits : 40), relpath, n > 0 ? name : "name");
}

static int
parse_name(
    struct arena *a, const char *relpath, struct hist_migration *m, struct err *err)
{
    size_t digits = n_digits(relpath), n = strlen(relpath);

    if (strchr(relpath, '/') || !ends_without_case(relpath, ".sql"))
        return HIST_NAME_NO;
    if (relpath[0] == 'V' && n_digits(relpath + 1) > 0 && strstr(relpath, "__"))
        return err_set(err, HIST_NAME_BAD,
            "looks like a Flyway migration; set format = flyway or rename it to "
            "NNN_name.sql");
    if (digits == 0 || ends_without_case(relpath, ".down.sql"))
        return HIST_NAME_NO;
    size_t end = n - strlen(".sql");
    if (end > 3 && ends_without_case(relpath, ".up.sql"))
        end -= 3;
    if (relpath[digits] != '_' || end <= digits + 1 || !str_suffix(relpath, ".sql")
        || !is_plain_name(relpath + digits + 1, end - digits - 1))
        return bad_name(err, relpath, digits);
    m->version = arena_strndup(a, relpath, digits);
    m->name = arena_strndup(a, relpath + digits + 1, end - digits - 1);
    m->is_repeatable = false;
    return HIST_NAME_YES;
}

static int
compare(const struct hist_migration *a, const struct hist_migration *b)
{
    return strcmp(a->file, b->file);
}

/* --- text ------------------------------------------------------------------------------ */

static int
prepare(struct arena *a, const struct hist_conf *conf, struct hist_migration *m,
    const char *raw, size_t n, struct err *err)
{
    size_t bom = hist_bom(raw, n);
    char *text = arena_strndup(a, raw + bom, n - bom);

    (void)conf;
    m->text = text;
    m->len = n - bom;
    m->checksum = NULL;
    return hist_text_blank(m->path, text, m->len, true, err);
}

/* --- rows ------------------------------------------------------------------------------ */

/* The file that a row's version and name speak of. Runners store 13, 013, 013_add_x or
 * 013_add_x.sql as version; digits receives the number. */
static const struct hist_migration *
find_file(const struct hist_set *set, const char *version, const char **digits,
    const char **rest, char *room, size_t size)
{
    struct str v = str_trim(str_of(version));
    size_t n = 0;

    while (n < v.n && v.p[n] >= '0' && v.p[n] <= '9')
        n++;
    if (n == 0 || v.n >= size || (n < v.n && v.p[n] != '_' && v.p[n] != '.'))
        return NULL;
    memcpy(room, v.p, v.n);
    room[v.n] = 0;
    *rest = n < v.n && strcmp(room + n, ".sql") != 0 ? room + n + 1 : NULL;
    room[n] = 0;
    *digits = room;
    return hist_by_version(set, room);
}

/* Is this how a runner would call the file? add_x, 013_add_x, 013_add_x.sql, "Add x". */
static bool
is_name_of(const struct hist_migration *m, const char *name)
{
    char plain[256];
    size_t n = strlen(name);

    if (n >= sizeof(plain))
        return false;
    memcpy(plain, name, n + 1);
    if (n > 4 && str_suffix(plain, ".sql"))
        plain[n - 4] = 0;
    n = strlen(plain);
    if (n > 3 && str_suffix(plain, ".up"))
        plain[n - 3] = 0;
    if (hist_name_eq(plain, m->name))
        return true;
    size_t digits = n_digits(plain);
    if (digits == 0 || plain[digits] == 0)
        return false;
    char sep = plain[digits];
    plain[digits] = 0;
    return hist_version_cmp(plain, m->version) == 0 && strchr("_- .", sep)
        && hist_name_eq(plain + digits + 1, m->name);
}

static bool
row_is_of(const struct hist_migration *m, const char *rest, const char *name)
{
    return (!rest || is_name_of(m, rest)) && (!name || !*name || is_name_of(m, name));
}

static void
apply_rows(struct hist_states *st, const struct dg_rows *rows)
{
    char room[256];
    const char *digits, *rest;

    for (size_t i = 0; i < rows->n_rows; i++) {
        const char *version = dg_cell(rows, i, COL_VERSION);
        const char *name = dg_cell(rows, i, COL_NAME);
        digits = NULL;
        const struct hist_migration *m = version
            ? find_file(st->set, version, &digits, &rest, room, sizeof(room))
            : NULL;
        if (!m) {
            st->missing(st->ctx, version ? version : "", name);
            if (digits)
                hist_states_applied(st, version);
            continue;
        }
        st->of[m->index] = row_is_of(m, rest, name) ? DG_MIG_APPLIED : DG_MIG_EDITED;
        hist_states_applied(st, m->version);
    }
    hist_states_finish(st, true);
}

/* --- writes ---------------------------------------------------------------------------- */

static enum hist_write_verdict
unknown_version(const struct hist_view *v, const char *version, struct err *reason)
{
    char summary[256];

    hist_view_summary(v, summary, sizeof(summary));
    return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
        "row of %s for version %.64s, which no file in %s has (%s); add the file first",
        v->set->conf.history_table, version, v->set->conf.shown, summary);
}

static enum hist_write_verdict
check_row(const struct hist_view *v, const struct hist_row *row,
    const struct hist_migration **mig, struct err *reason)
{
    char version[HIST_VALUE_SIZE], name[HIST_VALUE_SIZE], room[HIST_VALUE_SIZE];
    const char *digits, *rest = NULL;
    enum hist_value_kind kind = hist_row_value(
        row, "version", HIST_VT_VERSION, version);
    enum hist_value_kind name_kind = hist_row_value(row, "name", HIST_VT_TEXT, name);

    if (kind == HIST_V_LATER)
        return (enum hist_write_verdict)err_set(
            reason, HIST_WRITE_NEEDS_BINDS, "the version comes with the parameters");
    if (kind != HIST_V_TEXT)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "row of %s whose version is not a constant or parameter; write the version of "
            "a file in %s",
            v->set->conf.history_table, v->set->conf.shown);
    const struct hist_migration *m = find_file(
        v->set, version, &digits, &rest, room, sizeof(room));
    if (!m)
        return unknown_version(v, version, reason);
    *mig = m;
    if (name_kind == HIST_V_LATER)
        return (enum hist_write_verdict)err_set(
            reason, HIST_WRITE_NEEDS_BINDS, "the name comes with the parameters");
    if (name_kind == HIST_V_UNKNOWN)
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "row of %s for version %s whose name is not a constant or parameter; write "
            "'%s'",
            v->set->conf.history_table, m->version, m->name);
    if (!row_is_of(m, rest, name_kind == HIST_V_TEXT ? name : NULL))
        return (enum hist_write_verdict)err_set(reason, HIST_WRITE_FORGED,
            "row of %s with version %s and name %.64s, but the file of that version is %s; "
            "write '%s'",
            v->set->conf.history_table, m->version,
            name_kind == HIST_V_TEXT ? name : rest, m->file, m->name);
    return HIST_WRITE_OK;
}

/* --- the rest -------------------------------------------------------------------------- */

static bool
is_own(const struct hist_set *set, const struct sql_facts *f)
{
    return hist_is_own_table(set, f, "applied_at");
}

/* 20261120191500 or seconds since 1970: such versions are times. */
static bool
next_time(const char *newest, char *out, size_t size)
{
    size_t n = strlen(newest);
    time_t now = (time_t)(clk_real.wall_us(&clk_real) / 1000000);
    struct tm tm;

    if (n == 14 && str_prefix(newest, "20") && gmtime_r(&now, &tm))
        strftime(out, size, "%Y%m%d%H%M%S", &tm);
    else if (n == 10 && newest[0] == '1')
        snprintf(out, size, "%lld", (long long)now);
    else
        return false;
    return hist_version_cmp(out, newest) > 0;
}

static void
next_name(const struct hist_set *set, const char *slug, char *out, size_t size)
{
    const struct hist_index *ix = set->index;
    char version[64] = "001";

    if (ix->n_versioned > 0) {
        const char *newest =
            set->migrations[ix->by_version[ix->n_versioned - 1]].version;
        if (!next_time(newest, version, sizeof(version)))
            hist_version_next(newest, version, sizeof(version));
    }
    snprintf(out, size, "%s_%s.sql", version, slug);
}

const struct hist_source_ops hist_numbered_sql = {
    .format = "numbered-sql",
    .default_table = "schema_migrations",
    .prefix = "",
    .row = HIST_ROW_SAME_TX,
    .columns = columns,
    .n_columns = DG_ARRAY_SIZE(columns),
    .parse_name = parse_name,
    .compare = compare,
    .prepare = prepare,
    .apply_rows = apply_rows,
    .is_own = is_own,
    .check_row = check_row,
    .next_name = next_name,
};
