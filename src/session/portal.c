// SPDX-License-Identifier: ISC
/* Which prepared schema change a portal runs. Names attribute, they never excuse: where a
 * name may mean more than one text, the worst counts. What a Bind made of a portal is known
 * for sure when its unit is answered; until then what was before stays possible. */
#include "base/mem.h"
#include "session/session.h"

#define MAX_BINDS      8                  /* of one portal that are not answered yet */
#define MAX_VALUES     64                 /* no history table has as many columns */
#define MAX_BIND_BYTES ((size_t)64 << 10) /* nor as long a value */

static void
bind_free(struct sess_bind *b)
{
    for (size_t i = 0; i < b->n_texts; i++)
        ref_drop(b->texts[i]);
    for (size_t i = 0; i < b->n_values; i++)
        mem_free((void *)(uintptr_t)b->values[i].p);
    mem_free(b->values);
    mem_free(b);
}

static void
portal_free(void *value)
{
    for (struct sess_bind *b = value, *next; b; b = next) {
        next = b->next;
        bind_free(b);
    }
}

void
sess_portals_clear(struct sess *s)
{
    size_t pos = 0;
    void *value;
    while (s->portals && map_next(s->portals, &pos, NULL, &value))
        portal_free(value);
    map_free(s->portals);
    s->portals = NULL;
}

static bool
writes_history(const struct gate_text *t)
{
    return (t->tree->classes & DG_HISTORY) != 0;
}

/* false: more than any history row has. */
static bool
keep_values(struct sess_bind *to, const struct pgw_bind *b)
{
    if (b->n_params > MAX_VALUES)
        return false;
    to->has_values = true;
    to->n_values = b->n_params;
    to->values = mem_array((size_t)b->n_params + 1, sizeof(*to->values));
    for (unsigned i = 0; i < b->n_params; i++) {
        struct str v;
        bool is_binary;
        if (!pgw_bind_param(b, i, &v, &is_binary) || !v.p)
            continue;
        size_t n = v.n < MAX_BIND_BYTES ? v.n : MAX_BIND_BYTES;
        to->values[i] = (struct hist_bind){ mem_strndup(v.p, n), n, is_binary };
    }
    return true;
}

/* Too many to tell apart: the oldest that is left stands for all before it. */
static void
shorten(struct sess_bind *head)
{
    size_t n = 1;
    struct sess_bind *b = head;
    for (; b && n < MAX_BINDS; n++)
        b = b->next;
    if (!b || !b->next)
        return;
    portal_free(b->next);
    b->next = NULL;
    b->is_opaque = true;
}

void
sess_portal_bind(struct sess *s, const struct pgw_bind *b, bool is_whole)
{
    struct gate_text *texts[GATE_MAX_CANDIDATES];
    bool is_tx = false;
    uint64_t unit = s->n_sent + 1;
    struct str name = gate_name(b->portal);
    size_t n = gate_prepared_get(&s->gate, b->statement, unit, texts, &is_tx);
    bool is_shared = gate_name_is_shared(name);
    if (is_shared && n == 0)
        return; /* another of these names may still run something tracked */
    struct sess_bind *head = s->portals ? map_get(s->portals, name) : NULL;
    bool is_full = s->portals && map_count(s->portals) >= GATE_MAX_PREPARED;
    if (n == 0 && !head && (!is_tx || is_full))
        return;
    /* Several of one unit that run nothing tracked are one. */
    if (head && n == 0 && head->n_texts == 0 && head->unit == unit) {
        head->is_tx &= is_tx;
        return;
    }
    struct sess_bind *new = mem_zalloc(sizeof(*new));
    *new = (struct sess_bind){
        .unit = unit, .message = s->batch_sent, .is_tx = is_tx, .next = head
    };
    new->is_opaque = is_shared;
    new->is_bare = is_whole && b->n_params == 0
        && gate_prepared_is_sure(&s->gate, b->statement, unit);
    for (size_t i = 0; i < n; i++) {
        new->texts[new->n_texts++] = ref_take(texts[i]);
        if (writes_history(texts[i]))
            new->is_opaque |= n > 1 || !is_whole || !keep_values(new, b);
    }
    if (!s->portals)
        s->portals = map_new(NULL); /* lists are freed by us: map_set must not */
    map_set(s->portals, name, new);
    shorten(new);
}

/* Was this made in the batch that is open? Then, if Execute runs, so did this Bind. */
static bool
is_sure(const struct sess *s, const struct sess_bind *b)
{
    return b->unit == s->n_sent + 1 || b->unit == 0;
}

int
sess_portal_texts(struct sess *s, struct str name, struct gate_text **out, bool *is_tx,
    struct sess_bind **bind)
{
    struct sess_bind *head = s->portals ? map_get(s->portals, gate_name(name)) : NULL;
    int n = 0;
    *is_tx = head && head->is_tx && is_sure(s, head);
    *bind = head;
    for (struct sess_bind *b = head; b; b = b->next) {
        if (b->is_opaque || n + b->n_texts > GATE_MAX_CANDIDATES
            || (b != head && b->has_values))
            return -1;
        for (size_t i = 0; i < b->n_texts; i++)
            out[n++] = b->texts[i];
        if (is_sure(s, b))
            break;
    }
    return n;
}

/* A Query is read once more, maybe under other settings than its Parse was. */
bool
sess_portal_is_several(const struct sess *s, int n, const struct sess_bind *bind)
{
    if (n != 1 || bind->n_texts != 1 || !bind->is_bare || s->is_reading_unsure)
        return false;
    const struct gate_text *t = bind->texts[0];
    return t->takes_several && t->std_strings == s->gate.std_strings
        && s->gate.is_safe_encoding;
}

/* The newest Bind that took effect is what the portal is, and what was before is gone. */
static struct sess_bind *
settle(struct sess_bind *head, uint64_t unit, unsigned n_done)
{
    for (struct sess_bind **at = &head, *b; (b = *at);) {
        if (b->unit > unit) {
            at = &b->next;
        } else if (b->unit == unit && b->message >= n_done) {
            *at = b->next;
            bind_free(b);
        } else {
            b->unit = 0;
            portal_free(b->next);
            b->next = NULL;
            break;
        }
    }
    return head;
}

/* The transaction is over and with it every portal. A Bind that is on its way already makes
 * one in the next. */
static struct sess_bind *
only_pending(struct sess_bind *head)
{
    struct sess_bind **at = &head;
    while (*at && (*at)->unit != 0)
        at = &(*at)->next;
    portal_free(*at);
    *at = NULL;
    return head;
}

void
sess_portals_unit_done(struct sess *s, uint64_t unit, unsigned n_done, bool is_tx_over)
{
    size_t pos = 0;
    struct str name;
    void *value;
    while (s->portals && map_next(s->portals, &pos, &name, &value)) {
        struct sess_bind *left = settle(value, unit, n_done);
        if (is_tx_over)
            left = only_pending(left);
        if (!left
            || (!left->next && left->n_texts == 0 && !left->is_tx && !left->is_opaque
                && left->unit == 0)) {
            portal_free(left);
            map_remove(s->portals, name);
        } else if (left != value) {
            map_set(s->portals, name, left);
        }
    }
    if (s->portals && map_count(s->portals) == 0)
        sess_portals_clear(s);
}
