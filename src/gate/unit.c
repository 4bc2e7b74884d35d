// SPDX-License-Identifier: ISC
/* A migration and what its source knows of it; see unit.h. */
#include "gate/unit.h"

#include "base/mem.h"

void
gate_unit_init(struct gate_unit *u, const struct hist_set *set,
    const struct hist_attest *attest, const struct hist_migration *m)
{
    *u = (struct gate_unit){ .text = { .text = m->text,
                                 .len = m->len,
                                 .file = m->file,
                                 .scan = &m->scan,
                                 .tree = m->tree },
        .arena = arena_new() };
    if (m->is_down)
        return;
    hist_attest_ask(attest, set, m, &u->attested);
    u->text.attested = &u->attested;
    u->text.own_row = hist_insert_of(set, m, u->arena);
    if (hist_rollback_of(set, m, u->arena, &u->rollback))
        u->text.rollback = &u->rollback;
}

void
gate_unit_deinit(struct gate_unit *u)
{
    arena_free(u->arena);
}
