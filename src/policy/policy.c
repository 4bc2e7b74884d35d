// SPDX-License-Identifier: ISC
/* What others ask a loaded policy, besides judging. */
#include "policy/rules.h"

#include <string.h>

const char *
pol_environment(const struct pol *p)
{
    return p->environment;
}

unsigned
pol_migrate_classes(const struct pol *p)
{
    return p->migrate;
}

unsigned
pol_required(const struct pol *p)
{
    return p->required;
}

bool
pol_is_observe(const struct pol *p)
{
    return p->is_observed;
}

int64_t
pol_facts_timeout_ms(const struct pol *p)
{
    return p->facts_timeout_ms;
}

bool
pol_is_capturing(const struct pol *p, const char **file, int *line)
{
    *file = p->capture_at.file;
    *line = p->capture_at.line;
    return p->is_capturing;
}

enum dg_action
pol_check_action(const struct pol *p, const char *id, bool *is_observed)
{
    enum pol_check check;
    bool is_known = pol_check_find(str_of(id), &check);
    DG_ASSERT(is_known, "no check %s", id);
    *is_observed = p->is_observed || p->checks[check].is_observed;
    return p->checks[check].action;
}

/* Did a section before this one set the parameter already? */
static bool
was_set(
    const struct pol *p, const struct pol_session *s, size_t section, const char *name)
{
    for (size_t i = 0; i < section; i++) {
        const struct pol_access *a = &p->accesses[i];
        if (!a->n_startup || a->is_observed || pol_access_session(p, a, s) != POL_YES)
            continue;
        for (size_t k = 0; k < a->n_startup; k++) {
            if (strcmp(a->startup[k].name, name) == 0)
                return true;
        }
    }
    return false;
}

void
pol_startup(const struct pol *p, const struct pol_session *s,
    void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
    for (size_t i = 0; i < p->n_accesses && !p->is_observed; i++) {
        const struct pol_access *a = &p->accesses[i];
        if (!a->n_startup || a->is_observed || pol_access_session(p, a, s) != POL_YES)
            continue;
        for (size_t k = 0; k < a->n_startup; k++) {
            if (!was_set(p, s, i, a->startup[k].name))
                fn(ctx, a->startup[k].name, a->startup[k].value);
        }
    }
}
