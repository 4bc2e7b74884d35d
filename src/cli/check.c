// SPDX-License-Identifier: ISC
/* From arguments to judged units. */
#include "cli/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/historian.h"
#include "app/survey.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/mem.h"
#include "gate/snapshot.h"
#include "gate/text.h"
#include "gate/unit.h"
#include "history/psql.h"

/* A policy by its path: databases share them. */
struct check_policy {
    const char *path; /* borrowed; NULL: no file */
    struct pol *pol;  /* owned reference */
};

struct check {
    struct check_input in;         /* borrowed strings */
    struct cfg *cfg;               /* owned reference; NULL without a configuration */
    struct gate_snapshot *snap;    /* owned reference; NULL likewise */
    struct check_policy *policies; /* owned */
    size_t n_policies, cap_policies;
    const struct pol *general; /* one of policies */
    struct map *in_sources;    /* owned; real path -> struct place; NULL until needed */
    struct map *views;   /* owned; database -> struct reading; NULL until needed */
    const char *path;    /* of the unit that is judged */
    struct arena *arena; /* owned */
    char *no_facts;      /* owned; why they can't be read: tried no more */
};

/* Where the configuration knows a file. */
struct place {
    const struct gate_source *source;
    const struct hist_migration *migration;
};

/* What is applied in a database. */
struct reading {
    struct hist_view *view; /* owned reference; NULL: unknown */
    char *why;              /* in the arena */
};

/* --- policies --------------------------------------------------------------------------- */

static int
policy_load(struct check *c, const char *path, const struct pol **out, struct err *err)
{
    for (size_t i = 0; i < c->n_policies; i++) {
        const char *known = c->policies[i].path;
        if (known == path || (known && path && strcmp(known, path) == 0)) {
            *out = c->policies[i].pol;
            return 0;
        }
    }
    struct pol *pol;
    int r = pol_load_as(path, c->in.environment, false, &pol, err);
    if (r)
        return r;
    MEM_GROW(c->policies, c->n_policies, c->cap_policies);
    c->policies[c->n_policies++] = (struct check_policy){ path, pol };
    *out = pol;
    return 0;
}

static const char *
policy_path(const struct check *c, const struct cfg_database *database)
{
    if (c->in.policy)
        return c->in.policy;
    return database && database->policy ? database->policy : c->cfg->policy;
}

static int
load_config(struct check *c, struct err *err)
{
    int r = cfg_load(c->in.config, false, &c->cfg, err);

    if (r)
        return r;
    r = gate_snapshot_new(c->cfg, false, &c->snap, err);
    if (r)
        return r;
    const struct cfg_database *d = NULL;
    if (c->in.database) {
        d = cfg_find_database(c->cfg, c->in.database);
        if (!d)
            return err_set(err, -ENOENT, "database \"%s\" is not in [databases] of %s",
                c->in.database, c->in.config);
    }
    /* all of them now: a bad one is an error of the configuration, not of a file */
    for (size_t i = 0; !r && i < c->cfg->n_databases; i++)
        r = policy_load(c, policy_path(c, &c->cfg->databases[i]), &c->general, err);
    return r ? r : policy_load(c, policy_path(c, d), &c->general, err);
}

int
check_new(const struct check_input *in, struct check **out, struct err *err)
{
    AUTO(check_free) struct check *c = mem_zalloc(sizeof(*c));

    c->in = *in;
    c->arena = arena_new();
    int r = in->config ? load_config(c, err)
                       : policy_load(c, in->policy, &c->general, err);
    if (r)
        return r;
    *out = c;
    c = NULL;
    return 0;
}

void
check_free(struct check *c)
{
    void *reading;
    if (!c)
        return;
    ref_drop(c->snap);
    ref_drop(c->cfg);
    for (size_t i = 0; i < c->n_policies; i++)
        ref_drop(c->policies[i].pol);
    mem_free(c->policies);
    map_free(c->in_sources);
    for (size_t pos = 0; c->views && map_next(c->views, &pos, NULL, &reading);)
        ref_drop(((struct reading *)reading)->view);
    map_free(c->views);
    mem_free(c->no_facts);
    arena_free(c->arena);
    mem_free(c);
}

const struct pol *
check_policy(const struct check *c)
{
    return c->general;
}

/* --- live facts -------------------------------------------------------------------------- */

static void
live_unref_p(struct pol_live **live)
{
    ref_drop(*live);
}

/* NULL: nobody is to be asked. */
static struct pol_live *
read_facts(struct check *c, const struct pol *pol, const struct gate_source *source,
    const struct pol_wants *wants)
{
    struct pol_session session = { .database = c->in.database,
        .search_path = source ? source->set->conf.search_path : NULL };
    struct pol_live_path path;

    if (!wants->n || c->no_facts || (!c->in.conninfo && !c->in.is_live))
        return NULL;
    if (c->in.is_live)
        return survey_read_database(c->snap, c->in.database, &session, wants);
    gate_live_path(c->arena, &session, &path);
    return survey_read(c->in.conninfo, &path, wants, pol_facts_timeout_ms(pol));
}

/* Judges the unit once more with what the server says, as often as that leads to more
 * questions. */
static void
judge_live(struct check *c, const struct pol *pol, const struct gate_source *source,
    const struct pol_text *unit, struct pol_findings *found)
{
    AUTO(pol_wants) struct pol_wants asked = { .arena = c->arena };

    for (int i = 0; i < 2 && found->wants.n; i++) {
        struct pol_text text = *unit;
        for (size_t k = 0; k < found->wants.n; k++)
            pol_wants_add(&asked, &found->wants.items[k]);
        AUTO(live_unref) struct pol_live *live = read_facts(c, pol, source, &asked);
        if (!live)
            return;
        if (!live->is_known) {
            c->no_facts = mem_printf("live facts can't be read: %s", live->why);
            return;
        }
        text.live = live;
        pol_findings_deinit(found);
        pol_findings_init(found);
        pol_judge_unit(pol, &text, found);
    }
}

/* --- --fix ------------------------------------------------------------------------------ */

static const struct reading *
read_history(struct check *c, const char *database)
{
    struct err err = { "" };
    if (!c->views)
        c->views = map_new(NULL);
    struct reading *known = map_get(c->views, str_of(database));
    if (known)
        return known;
    known = arena_alloc(c->arena, sizeof(*known));
    if (historian_read(c->snap, database, &known->view, &err) != 0)
        known->view = NULL;
    known->why = arena_strdup(c->arena, err.text);
    map_set(c->views, str_of(database), known);
    return known;
}

/* NULL: in no database of its source the migration has run. Else why it stays as it is. */
static const char *
why_keep(struct check *c, const struct place *p)
{
    const struct hist_migration *m = p->migration;
    const char *asked = NULL;

    for (size_t i = 0; i < c->cfg->n_databases; i++) {
        const struct cfg_database *d = &c->cfg->databases[i];
        const char *name = c->in.database ? c->in.database : d->name;
        bool is_pattern = strchr(name, '*') != NULL;
        if (is_pattern || cfg_find_migrations(c->cfg, name) != p->source->cfg
            || (asked && strcmp(asked, name) == 0))
            continue;
        asked = name;
        const struct reading *known = read_history(c, name);
        if (!known->view)
            return arena_printf(c->arena,
                "whether it was applied in %s is not known (%s)", name, known->why);
        /* A rollback counts with what it rolls back. */
        size_t index = m->is_down && m->pair != HIST_NONE ? m->pair : m->index;
        enum dg_migration_state state = hist_view_state(known->view, index);
        if (state != DG_MIG_PENDING && state != DG_MIG_OUT_OF_ORDER)
            return arena_printf(c->arena,
                "it was applied in %s; what ran stays as it was reviewed", name);
    }
    return asked ? NULL
                 : "whether it was applied is not known: no database of its own in the "
                   "configuration; name one with --database";
}

static void
fix_one(struct check *c, const struct pol *pol, const struct pol_text *unit,
    const struct hist_sent *sent, const struct pol_findings *found,
    const struct place *at)
{
    const char *why = at ? why_keep(c, at) : NULL;
    if (sent && !why)
        why = "psql puts its text together from other files and variables";
    const struct fix_unit one = {
        .path = c->path,
        .pol = pol,
        .text = unit,
        .found = found,
        .is_no_tx = at && at->migration->is_no_tx,
        .why_not = why,
    };
    fix_run(c->in.fix, &one);
}

/* --- one unit --------------------------------------------------------------------------- */

/* is_again: another policy has judged it. at: where the configuration knows it, or NULL. */
static void
judge(struct check *c, struct report *r, const struct pol *pol,
    const struct pol_text *unit, const struct hist_sent *sent, bool is_again,
    const struct place *at)
{
    AUTO(pol_findings_deinit) struct pol_findings found;

    pol_findings_init(&found);
    pol_judge_unit(pol, unit, &found);
    judge_live(c, pol, at ? at->source : NULL, unit, &found);
    if (c->in.fix) {
        if (!is_again)
            fix_one(c, pol, unit, sent, &found, at);
        return;
    }
    for (size_t i = 0; i < found.n; i++) {
        if (found.items[i].action >= DG_NOTE)
            report_add(r, unit, sent, &found.items[i], is_again);
    }
}

static const struct hist_attest_answer nobody_knows = { .state = HIST_ATTEST_UNKNOWN };

static void
check_text(struct check *c, struct report *r, const char *name, const char *sql,
    size_t n, const struct hist_sent *sent, const struct hist_rollback *rollback)
{
    AUTO(gate_text_unref)
    struct gate_text *t = gate_text_whole(NULL, NULL, sql, n, SQL_TREE_DEFAULT_DEPTH);
    struct pol_text unit = { .text = t->sql,
        .len = t->len,
        .file = strcmp(name, "-") == 0 ? NULL : name,
        .scan = &t->scan,
        .tree = t->tree,
        .attested = &nobody_knows,
        .rollback = rollback };

    if (sent)
        hist_sent_lines(sent, &t->scan);
    report_file(r, name, t->scan.n);
    c->path = name;
    judge(c, r, c->general, &unit, sent, false, NULL);
    report_file_end(r);
}

/* --- migration sources ------------------------------------------------------------------ */

/* Calls judge for each policy under which the source's migrations run: that of every named
 * database it covers, else the fallback's. */
static void
judge_in_source(
    struct check *c, struct report *r, const struct place *p, unsigned *required)
{
    const struct hist_migration *m = p->migration;
    AUTO(gate_unit_deinit) struct gate_unit unit;
    gate_unit_init(&unit, p->source->set, p->source->attest, m);
    if (c->in.skips_attested)
        unit.text.attested = NULL;
    const struct pol *done[16];
    size_t n_done = 0;

    for (size_t i = 0; i <= c->cfg->n_databases && n_done < DG_ARRAY_SIZE(done); i++) {
        bool is_last = i == c->cfg->n_databases;
        const struct cfg_database *d = is_last ? NULL : &c->cfg->databases[i];
        const struct pol *pol = NULL;
        bool is_known = false;

        if (d && c->in.database && strcmp(d->name, c->in.database) != 0)
            continue;
        if (d && cfg_find_migrations(c->cfg, d->name) != p->source->cfg)
            continue;
        if (!d && n_done)
            break; /* the fallback is for sources that no named database has */
        if (!d)
            d = cfg_find_database(c->cfg, c->in.database ? c->in.database : "*");
        if (policy_load(c, policy_path(c, d), &pol, NULL) != 0)
            continue; /* all were loaded by load_config */
        for (size_t k = 0; k < n_done; k++)
            is_known |= done[k] == pol;
        if (is_known)
            continue;
        c->path = m->path;
        judge(c, r, pol, &unit.text, m->sent, n_done > 0, p);
        *required |= pol_required(pol);
        done[n_done++] = pol;
    }
}

static void
check_migration(
    struct check *c, struct report *r, const struct place *p, const char *name)
{
    unsigned required = 0;

    report_file(r, name, p->migration->scan.n);
    judge_in_source(c, r, p, &required);
    report_file_end(r);
}

const struct gate_snapshot *
check_snapshot(const struct check *c)
{
    return c->snap;
}

void
check_migration_of(struct check *c, struct report *r, size_t source, size_t migration,
    unsigned *required)
{
    const struct gate_source *s = &c->snap->sources[source];
    struct place p = { s, &s->set->migrations[migration] };

    report_file(r, p.migration->path, p.migration->scan.n);
    judge_in_source(c, r, &p, required);
    report_file_end(r);
}

static void
check_sources(struct check *c, struct report *r)
{
    const struct cfg_migrations *only = NULL;

    if (c->in.database)
        only = cfg_find_migrations(c->cfg, c->in.database);
    for (size_t i = 0; i < c->snap->n_sources; i++) {
        const struct gate_source *s = &c->snap->sources[i];
        if (c->in.database && s->cfg != only)
            continue;
        for (size_t k = 0; k < s->set->n; k++) {
            struct place p = { s, &s->set->migrations[k] };
            check_migration(c, r, &p, p.migration->path);
        }
    }
}

/* --- paths ------------------------------------------------------------------------------ */

static void
index_sources(struct check *c)
{
    c->in_sources = map_new(NULL);
    for (size_t i = 0; i < c->snap->n_sources; i++) {
        const struct gate_source *s = &c->snap->sources[i];
        for (size_t k = 0; k < s->set->n; k++) {
            char *real = realpath(s->set->migrations[k].path, NULL);
            if (!real)
                continue;
            struct place *p = arena_alloc(c->arena, sizeof(*p));
            *p = (struct place){ s, &s->set->migrations[k] };
            map_set(c->in_sources, str_of(real), p);
            free(real);
        }
    }
}

static const struct place *
find_in_sources(struct check *c, const char *path)
{
    if (!c->snap)
        return NULL;
    if (!c->in_sources)
        index_sources(c);
    char *real = realpath(path, NULL);
    const struct place *p = real ? map_get(c->in_sources, str_of(real)) : NULL;
    free(real);
    return p;
}

static void
check_file(struct check *c, struct report *r, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const struct place *p = is_stdin ? NULL : find_in_sources(c, path);
    AUTO(arena_free) struct arena *a = arena_new();
    const struct hist_sent *sent = NULL;
    struct hist_rollback rollback;
    const char *text = NULL, *name = is_stdin ? c->in.stdin_name : path;
    struct err err = { "" };
    size_t len;

    if (p)
        check_migration(c, r, p, path);
    else if (hist_file_read(path, a, &text, &len, &sent, &err) != 0)
        report_trouble(r, name, err.text);
    else if (!is_stdin && hist_rollback_beside(path, a, &rollback))
        check_text(c, r, name, text, len, sent, &rollback);
    else
        check_text(c, r, name, text, len, sent, NULL);
}

struct folder {
    struct check *c;
    struct report *r;
    const char *path;
};

static int
check_in_folder(void *ctx, const char *relpath)
{
    const struct folder *f = ctx;
    size_t n = strlen(f->path);
    const char *slash = n && f->path[n - 1] == '/' ? "" : "/";
    AUTO(mem_free) char *path = mem_printf("%s%s%s", f->path, slash, relpath);

    if (str_suffix(relpath, ".sql"))
        check_file(f->c, f->r, path);
    return 0;
}

static void
check_path(struct check *c, struct report *r, const char *path)
{
    struct folder f = { c, r, path };
    struct err err = { "" };
    struct stat st;

    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        check_file(c, r, path);
    else if (fs_walk(path, check_in_folder, &f, &err) != 0)
        report_trouble(r, path, err.text);
}

void
check_run(struct check *c, struct report *r)
{
    if (!c->in.n_paths)
        check_sources(c, r);
    for (size_t i = 0; i < c->in.n_paths; i++)
        check_path(c, r, c->in.paths[i]);
    if (c->no_facts)
        report_trouble(r, c->in.conninfo ? "--database" : "--live", c->no_facts);
}
