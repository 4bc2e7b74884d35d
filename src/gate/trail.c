// SPDX-License-Identifier: ISC
/* Steps are charged to the session that made them; texts and snapshots are shared, so that
 * a step costs little more than its part of the text. */
#include "gate/trail.h"

#include "base/mem.h"

#include <string.h>

/* The rule whose finding says that an unmigrated change is captured. */
static bool
is_captured(const struct gate_request *req, size_t fact)
{
    size_t stmt = req->text->tree->facts[fact].stmt;
    for (size_t i = 0; i < req->findings.n; i++) {
        const struct pol_finding *f = &req->findings.items[i];
        if (f->is_captured && f->fact < req->text->tree->n
            && req->text->tree->facts[f->fact].stmt == stmt)
            return true;
    }
    return false;
}

bool
gate_trail_wants(const struct gate_request *req, size_t fact, bool is_tracked)
{
    unsigned wants = req->client->env->committed ? req->client->env->trail_wants : 0;
    const struct sql_facts *f = &req->text->tree->facts[fact];
    if (wants == 0 || f->tx != SQL_TX_NONE)
        return false;
    if (is_tracked && (wants & GATE_TRAIL_TRACKED))
        return true;
    if ((wants & GATE_TRAIL_DATA)
        && (f->prep == SQL_PREP_NONE || f->prep == SQL_PREP_EXECUTE))
        return true;
    return is_tracked && (wants & GATE_TRAIL_CAPTURED) && is_captured(req, fact);
}

static bool
writes_history(const struct gate_text *t, size_t fact)
{
    for (size_t i = fact, end = gate_text_end(t, fact); i < end; i++) {
        if (t->tree->facts[i].cls == DG_HISTORY)
            return true;
    }
    return false;
}

static size_t
bind_bytes(const struct gate_request *req)
{
    size_t n = req->n_binds * sizeof(*req->binds);
    for (size_t i = 0; i < req->n_binds; i++)
        n += req->binds[i].n;
    return n;
}

static void
copy_binds(struct gate_step *step, const struct gate_request *req)
{
    step->has_binds = true;
    step->n_binds = req->n_binds;
    step->binds = mem_array(req->n_binds + 1, sizeof(*step->binds));
    for (size_t i = 0; i < req->n_binds; i++) {
        step->binds[i] = req->binds[i];
        if (req->binds[i].p)
            step->binds[i].p = mem_strndup(req->binds[i].p, req->binds[i].n);
    }
}

static bool
charge(struct gate_client *c, size_t bytes)
{
    if (c->n_steps >= GATE_TRAIL_MAX_STEPS
        || bytes > GATE_TRAIL_MAX_BYTES - c->step_bytes)
        return false;
    c->n_steps++;
    c->step_bytes += bytes;
    return true;
}

/* Rewriting keeps the statements and what they are about. */
static struct gate_text *
sent_text(const struct gate_request *req)
{
    struct gate_text *t = req->rewrite.text;
    return t && !t->tag && t->tree && t->tree->n == req->text->tree->n ? t : NULL;
}

struct gate_step *
gate_step_new(struct gate_request *req, size_t fact, bool is_tracked,
    const struct gate_intent *intent)
{
    struct gate_client *c = req->client;
    const struct pol_history *h = &req->histories[fact];
    bool keeps_binds = req->has_binds && writes_history(req->text, fact);
    const struct gate_text *sent = sent_text(req);
    size_t bytes = (sent ? sent->scan.stmts[sent->tree->facts[fact].stmt].len : 0)
        + req->text->scan.stmts[req->text->tree->facts[fact].stmt].len
        + (c->search_path ? strlen(c->search_path) : 0)
        + (keeps_binds ? bind_bytes(req) : 0);
    if (!charge(c, bytes))
        return NULL;
    struct gate_step *step = mem_zalloc(sizeof(*step));
    *step = (struct gate_step){
        .text = ref_take(req->text),
        .sent = ref_take(sent_text(req)),
        .snap = ref_take(req->snap),
        .fact = fact,
        .is_tracked = is_tracked,
        .is_captured = is_captured(req, fact),
        .match = h->match,
        .write = h->write,
        .write_migration = h->write_migration,
        .search_path = mem_strdup(c->search_path),
        .is_path_unknown = c->is_path_unknown,
        .charged = bytes,
    };
    if (keeps_binds)
        copy_binds(step, req);
    memcpy(step->request_id, req->id, sizeof(step->request_id));
    if (intent)
        memcpy(step->intent_id, intent->id, sizeof(step->intent_id));
    return step;
}

void
gate_step_free(struct gate_client *c, struct gate_step *step)
{
    if (!step)
        return;
    if (c) {
        c->n_steps--;
        c->step_bytes -= step->charged;
    }
    for (size_t i = 0; i < step->n_binds; i++)
        mem_free((void *)(uintptr_t)step->binds[i].p);
    mem_free(step->binds);
    mem_free(step->search_path);
    ref_drop(step->text);
    ref_drop(step->sent);
    ref_drop(step->snap);
    mem_free(step);
}

struct gate_step *
gate_trail_take(struct gate_trail *trail, size_t i)
{
    struct gate_client *c = (struct gate_client *)(uintptr_t)trail->client;
    struct gate_step *step = trail->steps[i];
    trail->steps[i] = NULL;
    c->n_steps--;
    c->step_bytes -= step->charged;
    return step;
}

struct str
gate_step_sql(const struct gate_step *step)
{
    const struct sql_stmt *s = &step->text->scan.stmts[gate_step_facts(step)->stmt];
    return (struct str){ step->text->sql + s->start, s->len };
}

const struct sql_digest *
gate_step_digest(const struct gate_step *step)
{
    return &step->text->scan.stmts[gate_step_facts(step)->stmt].digest;
}

const struct sql_facts *
gate_step_facts(const struct gate_step *step)
{
    return &step->text->tree->facts[step->fact];
}
