// SPDX-License-Identifier: ISC
/* One object: sources with their migrations, then the totals. */
#include "cli/verify.h"

#include "base/names.h"

static const char *const outcomes[] = { NULL, "in base", "fine", "failed", "changed" };

static void
put_step(struct json *j, const char *name, const struct verify_step *s)
{
    if (s->outcome == VERIFY_NOT_DONE)
        return;
    json_key(j, name);
    json_object(j);
    json_kv(j, "outcome", outcomes[s->outcome]);
    json_kv_int(j, "us", s->run.us);
    if (s->outcome == VERIFY_FAILED) {
        json_kv(j, "error", s->run.err.text);
        json_kv_int(j, "line", s->run.line);
        json_kv(j, "detail", s->run.detail);
        json_kv(j, "hint", s->run.hint);
    }
    if (s->outcome == VERIFY_CHANGED) {
        json_key(j, "diff");
        cat_diff_json(&s->diff, j);
    }
    json_object_end(j);
}

static void
put_names(struct json *j, const char *key, const char *const *names, size_t n)
{
    json_key(j, key);
    json_array(j);
    for (size_t i = 0; i < n; i++)
        json_strz(j, names[i]);
    json_array_end(j);
}

static void
put_run(struct json *j, const struct apply_result *run)
{
    json_kv_int(j, "rows", run->n_rows);
    json_key(j, "locks");
    json_array(j);
    for (size_t i = 0; i < run->n_locks; i++) {
        json_object(j);
        json_kv(j, "table", run->locks[i].table);
        json_kv(j, "mode", run->locks[i].mode);
        json_object_end(j);
    }
    json_array_end(j);
    put_names(j, "rewritten", run->rewritten, run->n_rewritten);
    put_names(j, "roles_made", run->roles, run->n_roles);
}

static void
put_findings(struct json *j, const struct verify_result *r)
{
    json_key(j, "findings");
    json_array(j);
    for (size_t i = 0; i < r->file->n; i++) {
        const struct report_item *it = &r->findings->items[r->file->first + i];
        json_object(j);
        json_kv(j, "rule", it->rule);
        json_kv(j, "action", dg_action_name(it->action));
        json_kv(j, "level", report_level_name(it->level));
        json_kv_int(j, "line", it->at.line);
        json_kv_int(j, "column", it->at.column);
        json_kv(j, "statement", it->what);
        json_kv(j, "object", it->object);
        json_kv(j, "message", it->message);
        json_kv(j, "detail", it->detail);
        json_kv(j, "hint", it->hint);
        json_object_end(j);
    }
    json_array_end(j);
}

static void
put_migration(
    struct buf *out, const struct verify_result *r, struct verify_totals *totals)
{
    struct json json = { .out = out, .needs_comma = r->m->index > 0 }, *j = &json;

    (void)totals;
    json_object(j);
    json_kv(j, "file", r->m->shown);
    json_kv(j, "version", r->m->version);
    json_kv(j, "name", r->m->name);
    json_kv_bool(j, "failed", verify_is_failure(r));
    json_kv_bool(j, "verified", r->tested & HIST_VERIFIED);
    json_kv_bool(j, "reversible", r->tested & HIST_REVERSIBLE);
    json_kv_bool(j, "idempotent", r->tested & HIST_IDEMPOTENT);
    json_kv_bool(j, "has_rollback", r->has_rollback);
    put_step(j, "apply", &r->apply);
    if (r->apply.outcome != VERIFY_NOT_DONE)
        put_run(j, &r->apply.run);
    put_step(j, "rollback", &r->rollback);
    put_step(j, "reapply", &r->reapply);
    put_step(j, "again", &r->again);
    put_findings(j, r);
    json_object_end(j);
}

/* Sources of one report are separated here, migrations by the writer's comma. */
static void
put_source(struct buf *out, const struct hist_set *set, const char *server)
{
    struct json json = { .out = out, .needs_comma = buf_len(out) > 0 }, *j = &json;

    json_object(j);
    json_kv(j, "source", set->conf.name);
    json_kv(j, "server", server);
    json_key(j, "migrations");
    json_array(j);
}

static void
put_source_end(struct buf *out)
{
    struct json json = { .out = out }, *j = &json;

    json_array_end(j);
    json_object_end(j);
}

static void
put_all(struct buf *out, struct buf *body, const struct verify_totals *t)
{
    struct json json = JSON_INIT(out), *j = &json;

    json_object(j);
    json_key(j, "sources");
    json_array(j);
    buf_put(out, buf_ptr(body), buf_len(body));
    json_array_end(j);
    json_kv_int(j, "migrations", (int64_t)t->n);
    json_kv_int(j, "verified", (int64_t)t->n_tested[0]);
    json_kv_int(j, "reversible", (int64_t)t->n_tested[1]);
    json_kv_int(j, "idempotent", (int64_t)t->n_tested[2]);
    json_kv_int(j, "failed", (int64_t)t->n_failed);
    json_kv_int(j, "not_run", (int64_t)t->n_not_run);
    json_object_end(j);
    buf_puts(out, "\n");
}

const struct verify_writer verify_json = { "json", put_source, put_migration,
    put_source_end, put_all };
