// SPDX-License-Identifier: ISC
/* Building snapshots: policies once per file, sources once per section, every migration
 * judged whole under every policy that may meet it. */
#include "gate/snapshot.h"

#include "gate/unit.h"

#include "base/mem.h"
#include "base/task.h"
#include "history/capture.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static void
units_deinit(struct gate_units *u)
{
    for (size_t i = 0; u->findings && i < u->source->set->n_all; i++)
        pol_findings_deinit(&u->findings[i]);
    mem_free(u->findings);
}

static void
snapshot_free(struct ref *ref)
{
    struct gate_snapshot *s = (struct gate_snapshot *)(void *)ref;
    for (size_t i = 0; s->units && i < s->n_policies * s->n_sources; i++)
        units_deinit(&s->units[i]);
    mem_free(s->units);
    for (size_t i = 0; i < s->n_policies; i++)
        ref_drop(s->policies[i].pol);
    mem_free(s->policies);
    for (size_t i = 0; i < s->n_sources; i++) {
        ref_drop(s->sources[i].set);
        ref_drop(s->sources[i].attest);
    }
    mem_free(s->sources);
    sql_words_free(s->words);
    ref_drop(s->cfg);
    mem_free(s);
}

static void
snapshot_unref_p(struct gate_snapshot **s)
{
    ref_drop(*s);
}

static struct gate_snapshot *
snapshot_alloc(struct cfg *cfg)
{
    struct gate_snapshot *s = mem_zalloc(sizeof(*s));
    ref_init(&s->ref, snapshot_free);
    s->cfg = ref_take(cfg);
    return s;
}

static struct gate_policy *
find_policy(const struct gate_snapshot *s, const char *path)
{
    for (size_t i = 0; i < s->n_policies; i++) {
        if (strcmp(s->policies[i].path, path) == 0)
            return &s->policies[i];
    }
    return NULL;
}

static int
load_policy(struct gate_snapshot *s, const char *path, bool settle, struct err *err)
{
    if (find_policy(s, path))
        return 0;
    struct gate_policy *p = &s->policies[s->n_policies];
    int r = pol_load(path, settle, &p->pol, err);
    if (r)
        return r;
    p->path = path;
    s->n_policies++;
    return 0;
}

static int
load_policies(struct gate_snapshot *s, bool settle, struct err *err)
{
    const struct cfg *cfg = s->cfg;
    s->policies = mem_array(cfg->n_databases + 1, sizeof(*s->policies));
    int r = load_policy(s, cfg->policy, settle, err);
    for (size_t i = 0; !r && i < cfg->n_databases; i++) {
        if (cfg->databases[i].policy)
            r = load_policy(s, cfg->databases[i].policy, settle, err);
    }
    return r;
}

static enum hist_repeat
repeat_of(const char *word)
{
    if (word && strcmp(word, "none") == 0)
        return HIST_REPEAT_NONE;
    if (word && strcmp(word, "all") == 0)
        return HIST_REPEAT_ALL;
    return HIST_REPEAT_CREATE;
}

static struct hist_conf
source_conf(const struct cfg_migrations *m)
{
    return (struct hist_conf){
        .name = m->name,
        .format = m->format,
        .path = m->path,
        .shown = m->path_shown,
        .history_table = m->history_table,
        .history_owner = m->history_owner,
        .unrelated_schemas = m->unrelated_schemas,
        .search_path = m->search_path,
        .baseline = m->baseline,
        .repeat = repeat_of(m->repeat),
        .placeholders = (const char *const *)m->placeholders,
        .n_placeholders = m->n_placeholders,
        .file = m->file,
        .line = m->line,
    };
}

/* Of the migrations and of the attestation, which need not exist. */
static int
stamp_source(const struct cfg_migrations *m, const struct hist_conf *conf,
    uint8_t out[HASH_SHA256_SIZE], struct err *err)
{
    AUTO(hash_sha256_free) struct hash_sha256 *h = hash_sha256_new();
    struct stat st;
    int r = hist_set_stamp(conf, out, err);
    if (r)
        return r;
    hash_sha256_add(h, out, HASH_SHA256_SIZE);
    if (stat(m->attestation, &st) == 0) {
        int64_t facts[] = { (int64_t)st.st_ino, (int64_t)st.st_size, st.st_mtim.tv_sec,
            st.st_mtim.tv_nsec, st.st_ctim.tv_sec, st.st_ctim.tv_nsec };
        hash_sha256_add(h, facts, sizeof(facts));
    }
    hash_sha256_end(h, out);
    return 0;
}

/* The stamp is taken before the files are read: a change in between is noticed next time. */
static int
load_source(const struct cfg_migrations *m, struct gate_source *out, struct err *err)
{
    struct hist_conf conf = source_conf(m);
    int r = stamp_source(m, &conf, out->stamp, err);
    if (!r)
        r = hist_attest_load(m->attestation, &out->attest, err);
    if (r)
        return r;
    r = hist_set_load(&conf, &out->set, err);
    if (r) {
        ref_drop(out->attest);
        return r;
    }
    out->cfg = m;
    return 0;
}

static int
load_sources(struct gate_snapshot *s, struct err *err)
{
    const struct cfg *cfg = s->cfg;
    s->sources = mem_array(cfg->n_migrations, sizeof(*s->sources));
    for (size_t i = 0; i < cfg->n_migrations; i++) {
        int r = load_source(&cfg->migrations[i], &s->sources[i], err);
        if (r)
            return r;
        s->n_sources++;
    }
    return 0;
}

/* --- judging: every migration for itself, so several threads do it ----------------------- */

#define UNITS_PER_THREAD 64 /* below that another thread isn't worth its start */

struct judge_job {
    struct task task;
    struct gate_units *units;
    size_t from, step;
};

static void
judge_some(struct task *task)
{
    struct judge_job *j = (struct judge_job *)(void *)task;
    const struct hist_set *set = j->units->source->set;

    for (size_t i = j->from; i < set->n_all; i += j->step) {
        AUTO(gate_unit_deinit) struct gate_unit unit;
        gate_unit_init(&unit, j->units->source, &set->migrations[i]);
        pol_findings_init(&j->units->findings[i]);
        pol_judge_unit(j->units->policy, &unit.text, &j->units->findings[i]);
    }
}

static void
judge_units(
    struct gate_units *u, const struct gate_source *source, const struct pol *pol)
{
    size_t n = task_threads(source->set->n_all, UNITS_PER_THREAD);
    struct judge_job jobs[TASK_MAX_THREADS];
    struct task_pool *pool = NULL;

    u->source = source;
    u->policy = pol;
    u->findings = mem_array(source->set->n_all, sizeof(*u->findings));
    if (n > 1)
        pool = task_pool_new(n - 1, SQL_TREE_WORKER_STACK, "judges");
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct judge_job){ { .run = judge_some }, u, i, n };
        if (i > 0)
            task_pool_post(pool, &jobs[i].task);
    }
    judge_some(&jobs[0].task);
    task_pool_free(pool);
}

static void
finish(struct gate_snapshot *s)
{
    s->units = mem_array(s->n_policies * s->n_sources, sizeof(*s->units));
    for (size_t p = 0; p < s->n_policies; p++) {
        for (size_t i = 0; i < s->n_sources; i++)
            judge_units(
                &s->units[p * s->n_sources + i], &s->sources[i], s->policies[p].pol);
    }
    const char **names = mem_array(s->n_sources, sizeof(*names));
    for (size_t i = 0; i < s->n_sources; i++)
        names[i] = hist_table_name(s->sources[i].set);
    s->words = sql_words_new(names, s->n_sources);
    mem_free(names);
}

/* unmigrated = capture needs a source that files can be made for. */
static int
check_capture(const struct gate_snapshot *s, struct err *err)
{
    const char *file;
    int line;
    for (size_t i = 0; i < s->cfg->n_databases; i++) {
        const char *name = s->cfg->databases[i].name;
        struct gate_target t = gate_snapshot_find(s, name);
        struct err why = { "" };
        if (strcmp(name, "*") == 0 || !pol_is_capturing(t.policy, &file, &line))
            continue;
        if (!t.source)
            return err_set(err, -EINVAL,
                "%s:%d: unmigrated = capture: database %s has no [migrations] section that "
                "says where its files are",
                file, line, name);
        if (hist_capture_format(t.source->set, &why) != 0)
            return err_set(err, -EINVAL, "%s:%d: %s", file, line, why.text);
    }
    return 0;
}

int
gate_snapshot_new(
    struct cfg *cfg, bool settle, struct gate_snapshot **out, struct err *err)
{
    AUTO(snapshot_unref) struct gate_snapshot *s = snapshot_alloc(cfg);
    int r = load_policies(s, settle, err);
    if (!r)
        r = load_sources(s, err);
    if (r)
        return r;
    finish(s);
    r = check_capture(s, err);
    if (r)
        return r;
    *out = s;
    s = NULL;
    return 0;
}

/* A folder that can't be read right now counts as changed: reading it again says why. */
static bool
source_changed(const struct gate_source *source)
{
    struct hist_conf conf = source_conf(source->cfg);
    uint8_t stamp[HASH_SHA256_SIZE];
    return stamp_source(source->cfg, &conf, stamp, NULL) != 0
        || memcmp(stamp, source->stamp, sizeof(stamp)) != 0;
}

int
gate_snapshot_refresh(
    struct gate_snapshot *old, struct gate_snapshot **out, struct err *err)
{
    AUTO(snapshot_unref) struct gate_snapshot *s = snapshot_alloc(old->cfg);
    bool any = false;
    s->sources = mem_array(old->n_sources, sizeof(*s->sources));
    for (size_t i = 0; i < old->n_sources; i++) {
        const struct gate_source *was = &old->sources[i];
        if (source_changed(was)) {
            int r = load_source(was->cfg, &s->sources[i], err);
            if (r)
                return r;
            any = true;
        } else {
            s->sources[i] = *was;
            ref_take(was->set);
            ref_take(was->attest);
        }
        s->n_sources++;
    }
    if (!any)
        return GATE_E_UNCHANGED;
    s->policies = mem_array(old->n_policies, sizeof(*s->policies));
    for (size_t i = 0; i < old->n_policies; i++) {
        s->policies[i] = old->policies[i];
        ref_take(s->policies[i].pol);
        s->n_policies++;
    }
    finish(s);
    *out = s;
    s = NULL;
    return 0;
}

struct gate_target
gate_snapshot_find(const struct gate_snapshot *s, const char *database)
{
    struct gate_target t = { .database = cfg_find_database(s->cfg, database) };
    if (!t.database)
        return t;
    const struct gate_policy *p = find_policy(
        s, t.database->policy ? t.database->policy : s->cfg->policy);
    DG_ASSERT(p, "every policy that cfg names was loaded");
    t.policy = p->pol;
    const struct cfg_migrations *m = cfg_find_migrations(s->cfg, database);
    if (m) {
        size_t i = (size_t)(m - s->cfg->migrations);
        t.source = &s->sources[i];
        t.units = &s->units[(size_t)(p - s->policies) * s->n_sources + i];
    }
    return t;
}
