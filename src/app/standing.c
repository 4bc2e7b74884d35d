// SPDX-License-Identifier: ISC
/* One row for each migration: its state, its checksum, whether policy would refuse it. */
#include "app/standing.h"

#include <string.h>

/* States that somebody has to do something about. */
static bool
is_trouble(enum dg_migration_state state)
{
    return state == DG_MIG_EDITED || state == DG_MIG_OUT_OF_ORDER
        || state == DG_MIG_MISSING || state == DG_MIG_FAILED;
}

static const char *
checksum_of(const struct hist_migration *m, enum dg_migration_state state)
{
    if (state == DG_MIG_EDITED)
        return "differs";
    if (state != DG_MIG_APPLIED || m->is_in_baseline)
        return NULL;
    return m->checksum ? "matches" : "none";
}

/* The rule; NULL: none. */
static const char *
refused_by(const struct gate_units *units, size_t migration)
{
    const struct pol_findings *f = gate_units_findings(units, migration);
    return f->action >= DG_HOLD ? pol_findings_lead(f)->rule : NULL;
}

void
standing_each(const struct gate_snapshot *snap, const char *database,
    const struct hist_view *view, void (*fn)(void *ctx, const struct standing *s),
    void *ctx)
{
    struct gate_target t = gate_snapshot_find(snap, database);
    DG_ASSERT(
        t.source && t.source->set == hist_view_set(view), "a view of other files");
    const struct hist_set *set = t.source->set;
    struct standing s = { .database = database, .source = set->conf.name };
    for (size_t i = 0; i < set->n; i++) {
        const struct hist_migration *m = &set->migrations[i];
        s.version = m->version;
        s.name = m->name;
        s.file = m->shown;
        s.state = hist_view_state(view, i);
        s.checksum = checksum_of(m, s.state);
        s.refused_by = s.state == DG_MIG_APPLIED ? NULL : refused_by(t.units, i);
        s.is_trouble = is_trouble(s.state) || s.refused_by;
        fn(ctx, &s);
    }
    for (size_t i = 0; i < hist_view_n_missing(view); i++) {
        hist_view_missing(view, i, &s.version, &s.name);
        s.state = DG_MIG_MISSING;
        s.file = s.checksum = s.refused_by = NULL;
        s.is_trouble = true;
        fn(ctx, &s);
    }
}

const char *
standing_next_database(const struct gate_snapshot *snap, size_t *pos)
{
    while (*pos < snap->cfg->n_databases) {
        const char *name = snap->cfg->databases[(*pos)++].name;
        if (strcmp(name, "*") != 0 && gate_snapshot_find(snap, name).source)
            return name;
    }
    return NULL;
}
