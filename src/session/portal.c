// SPDX-License-Identifier: ISC
/* Which prepared schema change a portal runs. Names attribute, they never excuse: where a
 * name may mean more than one text, the worst counts. */
#include "base/mem.h"
#include "session/session.h"

#include <string.h>

#define MAX_BINDS      64                 /* no history table has as many columns */
#define MAX_BIND_BYTES ((size_t)64 << 10) /* nor as long a value */

static void
drop_texts(struct gate_text **texts, size_t *n)
{
    while (*n > 0)
        ref_drop(texts[--*n]);
}

static void
drop_binds(struct sess_portal *p)
{
    for (size_t i = 0; i < p->n_binds; i++)
        mem_free((void *)(uintptr_t)p->binds[i].p);
    mem_free(p->binds);
    p->binds = NULL;
    p->n_binds = 0;
    p->has_binds = false;
}

static void
portal_free(void *value)
{
    struct sess_portal *p = value;
    drop_texts(p->now, &p->n_now);
    drop_texts(p->before, &p->n_before);
    drop_binds(p);
    mem_free(p);
}

static bool
writes_history(const struct gate_text *t)
{
    return (t->tree->classes & DG_HISTORY) != 0;
}

/* false: more than any history row has. */
static bool
keep_binds(struct sess_portal *p, const struct pgw_bind *b)
{
    drop_binds(p);
    if (b->n_params > MAX_BINDS)
        return false;
    p->has_binds = true;
    p->n_binds = b->n_params;
    p->binds = mem_array((size_t)b->n_params + 1, sizeof(*p->binds));
    for (unsigned i = 0; i < b->n_params; i++) {
        struct str v;
        bool is_binary;
        if (!pgw_bind_param(b, i, &v, &is_binary) || !v.p)
            continue;
        size_t n = v.n < MAX_BIND_BYTES ? v.n : MAX_BIND_BYTES;
        p->binds[i] = (struct hist_bind){ mem_strndup(v.p, n), n, is_binary };
    }
    return true;
}

/* What the portal meant before stays possible until this unit is answered. */
static void
push_before(struct sess_portal *p)
{
    for (size_t i = 0; i < p->n_now; i++) {
        bool is_there = false;
        for (size_t k = 0; k < p->n_before; k++)
            is_there |= p->before[k] == p->now[i];
        if (is_there || p->n_before == SESS_MAX_CANDIDATES) {
            p->is_before_full |= !is_there;
            ref_drop(p->now[i]);
        } else {
            p->before[p->n_before++] = p->now[i];
        }
    }
    p->n_now = 0;
}

void
sess_portal_bind(struct sess *s, const struct pgw_bind *b, bool is_whole)
{
    struct gate_text *texts[GATE_MAX_CANDIDATES];
    bool is_tx = false;
    uint64_t unit = s->n_sent + 1;
    struct str name = gate_name(b->portal);
    size_t n = gate_prepared_get(&s->gate, b->statement, unit, texts, &is_tx);
    struct sess_portal *p = s->portals ? map_get(s->portals, name) : NULL;
    bool is_full = s->portals && map_count(s->portals) >= GATE_MAX_PREPARED;
    if (n == 0 && !p && (!is_tx || is_full))
        return;
    if (!s->portals)
        s->portals = map_new(portal_free);
    if (!p) {
        p = mem_zalloc(sizeof(*p));
        map_set(s->portals, name, p);
    }
    push_before(p);
    p->sync = unit;
    p->is_tx = is_tx;
    p->is_opaque = false;
    drop_binds(p);
    for (size_t i = 0; i < n; i++) {
        p->now[p->n_now++] = ref_take(texts[i]);
        if (writes_history(texts[i]))
            p->is_opaque |= n > 1 || !is_whole || !keep_binds(p, b);
    }
}

int
sess_portal_texts(struct sess *s, struct str name, struct gate_text **out, bool *is_tx,
    struct sess_portal **portal)
{
    struct sess_portal *p = s->portals ? map_get(s->portals, gate_name(name)) : NULL;
    bool is_new = p && p->sync == s->n_sent + 1; /* if Execute runs, so did this Bind */
    int n = 0;
    *portal = p;
    *is_tx = p && p->is_tx && p->n_now == 0 && p->n_before == 0;
    if (!p)
        return 0;
    if (p->is_opaque || (p->is_before_full && !is_new))
        return -1;
    for (size_t i = 0; i < p->n_now; i++)
        out[n++] = p->now[i];
    for (size_t i = 0; i < p->n_before && !is_new; i++)
        out[n++] = p->before[i];
    return n;
}

void
sess_portals_unit_done(struct sess *s, uint64_t sync, bool failed)
{
    size_t pos = 0;
    struct str name;
    void *value;
    while (s->portals && map_next(s->portals, &pos, &name, &value)) {
        struct sess_portal *p = value;
        if (p->sync <= sync && !failed) {
            drop_texts(p->before, &p->n_before);
            p->is_before_full = false;
        }
    }
}

void
sess_portals_clear(struct sess *s)
{
    map_free(s->portals);
    s->portals = NULL;
}
