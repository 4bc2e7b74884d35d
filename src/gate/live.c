// SPDX-License-Identifier: ISC
/* Questions for live facts, and migrations judged with the answers; see live.h. */
#include "gate/live.h"

#include "base/mem.h"
#include "policy/pattern.h"

/* --- the question ------------------------------------------------------------------------ */

void
gate_live_path(
    struct arena *a, const struct pol_session *session, struct pol_live_path *out)
{
    struct pol_path path;

    *out = (struct pol_live_path){ .kind = POL_PATH_UNKNOWN,
        .role = arena_strdup(a, session->role) };
    if (session->is_path_unknown)
        return;
    if (!session->search_path) {
        out->kind = POL_PATH_SERVER;
        return;
    }
    pol_path_parse(a, arena_strdup(a, session->search_path), out->role, &path);
    if (!path.is_known)
        return;
    out->kind = POL_PATH_KNOWN;
    out->schemas = path.schemas;
    out->n_schemas = path.n;
}

struct gate_live_ask *
gate_live_ask_new(const struct gate_client *c, struct gate_snapshot *snap,
    const struct pol_wants *wants)
{
    struct gate_live_ask *ask = mem_zalloc(sizeof(*ask));
    struct gate_target target = gate_snapshot_find(snap, c->database);
    struct pol_session session;

    gate_client_pol_session(c, &session);
    ask->arena = arena_new();
    ask->queue = c->env->queue;
    ask->snap = ref_take(snap);
    ask->database = mem_strdup(c->database);
    ask->timeout_ms = pol_facts_timeout_ms(target.policy);
    gate_live_path(ask->arena, &session, &ask->path);
    ask->wants = arena_alloc(ask->arena, (wants->n + 1) * sizeof(*ask->wants));
    for (size_t i = 0; i < wants->n; i++) {
        const struct pol_want *w = &wants->items[i];
        ask->wants[ask->n_wants++] = (struct pol_want){
            arena_strdup(ask->arena, w->schema),
            arena_strdup(ask->arena, w->name),
            w->is_anywhere,
        };
    }
    return ask;
}

void
gate_live_ask_free(struct gate_live_ask *ask)
{
    if (!ask)
        return;
    ref_drop(ask->snap);
    ref_drop(ask->live);
    mem_free(ask->database);
    arena_free(ask->arena);
    mem_free(ask);
}

/* --- migrations judged with the answer ---------------------------------------------------- */

static void
judged_free(struct ref *ref)
{
    struct gate_judged *j = (struct gate_judged *)(void *)ref;
    pol_findings_deinit(&j->findings);
    ref_drop(j->set);
    ref_drop(j->policy);
    mem_free(j);
}

const struct pol_findings *
gate_judged_add(struct gate_judged_list *list, struct hist_set *set,
    const struct hist_migration *m, const struct pol *policy,
    const struct pol_text *unit)
{
    struct gate_judged *j = mem_zalloc(sizeof(*j));

    ref_init(&j->ref, judged_free);
    j->set = ref_take(set);
    j->policy = ref_take((void *)(uintptr_t)policy);
    j->m = m;
    pol_findings_init(&j->findings);
    pol_judge_unit(policy, unit, &j->findings);
    MEM_GROW(list->items, list->n, list->cap);
    list->items[list->n++] = j;
    return &j->findings;
}

void
gate_judged_clear(struct gate_judged_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        ref_drop(list->items[i]);
    mem_free(list->items);
    *list = (struct gate_judged_list){ NULL, 0, 0 };
}

bool
gate_judged_is(const struct gate_judged *j, const struct hist_migration *m,
    const struct pol *policy)
{
    return j->m == m && j->policy == policy;
}

bool
gate_judged_begins(const struct hist_migration *m, const struct hist_match *match)
{
    if (match->migration != m)
        return false;
    for (size_t i = 0; i < m->tree->n; i++) {
        const struct sql_facts *f = &m->tree->facts[i];
        if (f->cls != DG_OTHER)
            return match->stmt <= f->stmt;
    }
    return true;
}

void
gate_judged_keep(struct gate_client *c, const struct gate_judged_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        size_t at = 0;
        while (at + 1 < GATE_MAX_JUDGED && c->judged[at]
            && c->judged[at]->m != list->items[i]->m)
            at++;
        ref_drop(c->judged[at]);
        for (; at > 0; at--)
            c->judged[at] = c->judged[at - 1];
        c->judged[0] = ref_take(list->items[i]);
    }
}
