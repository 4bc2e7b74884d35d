// SPDX-License-Identifier: ISC
/* Which names a session made temporary, and texts edited to say so. */
#include "gate/temp.h"

#include "base/mem.h"

#include <string.h>

#define MAX_NAMES 1000 /* per session; later ones are judged like permanent objects */
#define PREFIX    "pg_temp."

void
gate_temp_note(struct gate_client *c, const struct gate_text *t)
{
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        if (str_prefix(f->tag, "DISCARD")) {
            map_free(c->temps);
            c->temps = NULL;
        }
        for (size_t k = 0; k < f->n_objects; k++) {
            const struct sql_object *o = &f->objects[k];
            if (!o->is_created || !o->is_temp || !*o->name)
                continue;
            if (!c->temps)
                c->temps = map_new(NULL);
            if (map_count(c->temps) < MAX_NAMES)
                map_set(c->temps, str_of(o->name), c);
        }
    }
}

/* A name that has to be written pg_temp.x: not created here, no schema, ours. */
static bool
is_ours(const struct gate_client *c, const struct sql_object *o)
{
    return !o->schema && !o->is_created && o->pos >= 0
        && map_get(c->temps, str_of(o->name));
}

/* The prefix before every name that needs it; false if something else is meant, too. */
static bool
edit(const struct gate_client *c, const struct gate_text *t, struct sql_edits *out)
{
    size_t done = 0;
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct sql_facts *f = &t->tree->facts[i];
        if (f->cls == DG_OTHER || (f->flags & SQL_F_TEMP))
            continue;
        if (f->parent >= 0 || (f->flags & SQL_F_UNPARSABLE) || f->n_objects == 0)
            return false;
        for (size_t k = 0; k < f->n_objects; k++) {
            const struct sql_object *o = &f->objects[k];
            if (o->kind == SQL_O_INDEX && o->is_created)
                continue; /* CREATE INDEX i ON tmp: i goes where tmp is */
            if (!is_ours(c, o) || (size_t)o->pos < done || (size_t)o->pos > t->len
                || sql_edits_add(out, (size_t)o->pos, 0, PREFIX) != 0)
                return false;
            done = (size_t)o->pos;
        }
    }
    return out->n > 0;
}

/* The result, parsed again, must be the same statements, all temporary now. */
static bool
is_as_meant(const struct gate_text *was, const struct gate_text *now)
{
    if (now->tree->n != was->tree->n)
        return false;
    for (size_t i = 0; i < now->tree->n; i++) {
        const struct sql_facts *a = &was->tree->facts[i], *b = &now->tree->facts[i];
        if (strcmp(a->tag, b->tag) != 0 || a->n_objects != b->n_objects
            || (b->cls != DG_OTHER && !(b->flags & SQL_F_TEMP)))
            return false;
        for (size_t k = 0; k < a->n_objects; k++) {
            if (strcmp(a->objects[k].name, b->objects[k].name) != 0)
                return false;
        }
    }
    return true;
}

struct gate_text *
gate_temp_rewrite(struct gate_client *c, const struct gate_text *t)
{
    AUTO(sql_edits_deinit) struct sql_edits edits = { .n = 0 };
    const char *why;
    if (!c->temps || !t->tree || t->len * 2 > SQL_TREE_INLINE_BYTES
        || !edit(c, t, &edits))
        return NULL;
    AUTO(gate_text_unref)
    struct gate_text *now = gate_text_edited(
        t, &edits, (unsigned)c->env->snap->cfg->max_depth, &why);
    if (!now || !is_as_meant(t, now))
        return NULL;
    struct gate_text *result = now;
    now = NULL;
    return result;
}
