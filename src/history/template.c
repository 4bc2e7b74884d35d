// SPDX-License-Identifier: ISC
/* The migration tools' templates, a row for each: where the two directions stand, the
 * comments between them, how a file says that it runs outside of a transaction. Numbered
 * files follow their team: what the newest file does (BEGIN and COMMIT, its own history row,
 * a rollback beside it) the new one does, too. And how the new files are called. */
#include "history/template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct template templates[] = {
    { .format = "numbered-sql",
        .layout = LAYOUT_TEAM,
        .from = ".sql",
        .to = ".down.sql" },
    { .format = "flyway", .layout = LAYOUT_UP, .escape = "${" },
    { .format = "prisma", .layout = LAYOUT_UP, .no_tx = NO_TX_ALONE },
    { .format = "golang-migrate",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_ALONE,
        .from = ".up.sql",
        .to = ".down.sql" },
    { .format = "goose",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "-- +goose NO TRANSACTION",
        .up = "-- +goose Up",
        .down = "-- +goose Down",
        .begin = "-- +goose StatementBegin",
        .end = "-- +goose StatementEnd" },
    { .format = "tern",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_BOTH,
        .no_tx_text = "---- tern: disable-tx ----",
        .down = "---- create above / drop below ----",
        .escape = "{{" },
    { .format = "dbmate",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_UP,
        .no_tx_text = " transaction:false",
        .up = "-- migrate:up",
        .down = "-- migrate:down" },
    { .format = "sqlx",
        .layout = LAYOUT_TEAM,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "-- no-transaction",
        .from = ".sql",
        .to = ".down.sql" },
    { .format = "refinery", .layout = LAYOUT_UP, .no_tx = NO_TX_NEVER },
    { .format = "diesel",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_TOML,
        .no_tx_text = "run_in_transaction = false\n",
        .from = "/up.sql",
        .to = "/down.sql" },
    { .format = "supabase", .layout = LAYOUT_UP, .no_tx = NO_TX_NEVER },
    { .format = "graphile-migrate",
        .layout = LAYOUT_UP,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "--! no-transaction" },
    { .format = "sql-migrate",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_UP,
        .no_tx_text = " notransaction",
        .up = "-- +migrate Up",
        .down = "-- +migrate Down",
        .begin = "-- +migrate StatementBegin",
        .end = "-- +migrate StatementEnd" },
    { .format = "yoyo",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_MARK,
        .no_tx_text = "-- transactional: false",
        .from = ".sql",
        .to = ".rollback.sql" },
    { .format = "postgrator",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_ALONE,
        .from = ".do.",
        .to = ".undo." },
    { .format = "node-pg-migrate",
        .layout = LAYOUT_ONE,
        .no_tx = NO_TX_NEVER,
        .up = "-- Up Migration",
        .down = "-- Down Migration" },
    { .format = "hasura",
        .layout = LAYOUT_PAIR,
        .no_tx = NO_TX_NEVER,
        .from = "/up.sql",
        .to = "/down.sql" },
    { .format = "liquibase", .layout = LAYOUT_ONE, .up = "--liquibase formatted sql" },
};

static const struct {
    const char *format, *why;
} impossible[] = {
    { "sqitch", "sqitch.plan would have to be edited, which `sqitch add` does" },
    { "atlas",
        "atlas.sum would have to be written anew, which `atlas migrate hash` does" },
    { "drizzle", "its journal would have to be edited, which drizzle-kit does" },
    { "db-migrate", "each migration needs a script beside its SQL" },
};

const struct template *
hist_template(const struct hist_set *set)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(templates) && !set->is_lockfile; i++) {
        if (strcmp(templates[i].format, set->tool->format) == 0)
            return &templates[i];
    }
    return NULL;
}

int
hist_capture_format(const struct hist_set *set, struct err *err)
{
    const char *why = "a lockfile is made by `ddlgate record`, not by hand";

    if (hist_template(set))
        return 0;
    for (size_t i = 0; i < DG_ARRAY_SIZE(impossible) && !set->is_lockfile; i++) {
        if (strcmp(impossible[i].format, set->tool->format) == 0)
            why = impossible[i].why;
    }
    return err_set(err, -ENOTSUP,
        "changes can't be captured into format %s: %s; use another value of unmigrated",
        set->is_lockfile ? "lockfile" : set->tool->format, why);
}

/* --- what the team does ----------------------------------------------------------------- */

static bool
has_begin(const struct hist_migration *m)
{
    for (size_t i = 0; i < m->tree->n; i++) {
        if (m->tree->facts[i].tx == SQL_TX_BEGIN)
            return true;
    }
    return false;
}

const struct sql_write *
hist_own_row(const struct hist_migration *m)
{
    for (size_t i = 0; m && i < m->tree->n; i++) {
        const struct sql_write *w = m->tree->facts[i].write;
        if (w && w->op == SQL_WRITE_INSERT)
            return w;
    }
    return NULL;
}

struct ways
hist_ways(const struct hist_set *set, const struct template *t)
{
    struct ways w = { .has_begin = true, .has_row = true };

    for (size_t i = set->n; i > 0 && !w.newest; i--) {
        if (!set->migrations[i - 1].is_repeatable)
            w.newest = &set->migrations[i - 1];
    }
    w.is_pair = t->layout == LAYOUT_PAIR;
    if (w.newest) {
        w.is_up_sql = str_suffix(w.newest->file, ".up.sql");
        w.is_pair |= t->layout == LAYOUT_TEAM && w.newest->pair != HIST_NONE;
        w.has_begin = has_begin(w.newest) || w.newest->is_no_tx;
        w.has_row = hist_own_row(w.newest) != NULL;
    }
    if (strcmp(t->format, "numbered-sql") != 0)
        w.has_begin = w.has_row = false;
    return w;
}

/* --- names ------------------------------------------------------------------------------ */

bool
hist_is_same_path(const char *a, const char *b)
{
    struct str x = str_of(a), y = str_of(b), p, q;

    for (;;) {
        bool more = str_next_item(&x, &p);
        if (str_next_item(&y, &q) != more)
            return false;
        if (!more)
            return true;
        if (!str_eq(p, q))
            return false;
    }
}

/* --- names ------------------------------------------------------------------------------ */

const char *
hist_replaced(struct arena *a, const char *s, const char *from, const char *to)
{
    const char *at = NULL;

    for (const char *p = s; (p = strstr(p, from)); p++)
        at = p;
    return at ? arena_printf(a, "%.*s%s%s", (int)(at - s), s, to, at + strlen(from))
              : NULL;
}

/* Where the files of a folder of folders stand, the next one goes beside the newest. */
static const char *
beside_newest(struct draft *d, const char *path)
{
    const struct hist_migration *m = d->ways.newest;
    const char *folder = m && strcmp(d->t->format, "hasura") == 0 ? m->file : NULL;
    const char *last = folder ? strrchr(folder, '/') : NULL;

    while (last && last > folder && last[-1] != '/')
        last--;
    return last && last > folder
        ? arena_printf(d->a, "%.*s%s", (int)(last - folder), folder, path)
        : path;
}

/* NNN_slug, VNNN__slug, NNN-slug, ... of the path into its two parts. */
static void
split_name(struct draft *d)
{
    const char *base = hist_base_name(d->path), *end = NULL;
    bool is_folder = str_suffix(d->path, "/up.sql")
        || str_suffix(d->path, "/migration.sql");
    size_t n;

    if (is_folder) {
        while (base > d->path && base[-1] == '/')
            base--;
        end = base;
        while (base > d->path && base[-1] != '/')
            base--;
    }
    base += strcspn(base, "0123456789");
    n = strspn(base, "0123456789._");
    while (n > 0 && (base[n - 1] == '_' || base[n - 1] == '.'))
        n--;
    snprintf(d->version, sizeof(d->version), "%.*s", (int)(n < 60 ? n : 60), base);
    base += n;
    base += strspn(base, "_-.");
    if (str_prefix(base, "do."))
        base += 3;
    if (!end)
        end = base + strcspn(base, ".");
    snprintf(d->slug, sizeof(d->slug), "%.*s",
        (int)(end - base < 120 ? end - base : 120), base);
}

int
hist_choose_names(struct draft *d, struct err *err)
{
    char next[256];
    const struct template *t = d->t;

    hist_next_path(d->set, d->cap->items[0].facts, next, sizeof(next));
    const char *path = beside_newest(d, arena_strdup(d->a, next));
    if (d->ways.is_up_sql && !str_suffix(path, ".up.sql"))
        path = hist_replaced(d->a, path, ".sql", ".up.sql");
    d->path = path;
    split_name(d);
    if (!d->ways.is_pair)
        return 0;
    d->down_path = hist_replaced(
        d->a, path, d->ways.is_up_sql ? ".up.sql" : t->from, t->to);
    return d->down_path ? 0 : err_set(err, -EINVAL, "no name for its rollback");
}
