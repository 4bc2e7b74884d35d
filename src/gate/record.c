// SPDX-License-Identifier: ISC
/* From requests to audit records. */
#include "gate/record.h"

#include "base/mem.h"
#include "base/names.h"
#include "gate/message.h"

#include <stdio.h>
#include <string.h>

#define FINDINGS_MAX ((size_t)64 << 10)
#define OBJECT_SIZE  200

static int64_t
now_us(const struct gate_client *c)
{
    return c->env->clk->wall_us(c->env->clk);
}

static void
fill_session(const struct gate_client *c, struct aud_rec *rec)
{
    rec->session_id = c->session_id;
    rec->user = c->role;
    rec->database = c->database;
    rec->client_addr = c->client_addr;
    rec->client_port = c->client_port;
    rec->application_name = c->application_name;
    rec->server_addr = c->server_addr;
    rec->server_port = c->server_port;
    rec->server_pid = c->server_pid;
}

static const char *const object_types[] = {
    [SQL_O_TABLE] = "TABLE",
    [SQL_O_INDEX] = "INDEX",
    [SQL_O_VIEW] = "VIEW",
    [SQL_O_MATVIEW] = "MATERIALIZED VIEW",
    [SQL_O_SEQUENCE] = "SEQUENCE",
    [SQL_O_FOREIGN_TABLE] = "FOREIGN TABLE",
    [SQL_O_TYPE] = "TYPE",
    [SQL_O_DOMAIN] = "DOMAIN",
    [SQL_O_FUNCTION] = "FUNCTION",
    [SQL_O_PROCEDURE] = "PROCEDURE",
    [SQL_O_AGGREGATE] = "AGGREGATE",
    [SQL_O_OPERATOR] = "OPERATOR",
    [SQL_O_SCHEMA] = "SCHEMA",
    [SQL_O_DATABASE] = "DATABASE",
    [SQL_O_ROLE] = "ROLE",
    [SQL_O_TABLESPACE] = "TABLESPACE",
    [SQL_O_EXTENSION] = "EXTENSION",
    [SQL_O_TRIGGER] = "TRIGGER",
    [SQL_O_RULE] = "RULE",
    [SQL_O_POLICY] = "POLICY",
    [SQL_O_OTHER] = "OTHER",
};

/* What a record says of its statement; strings that had to be made live in the struct. */
struct statement {
    char object[OBJECT_SIZE];
    char digest[HASH_HEX_SIZE];
    char *text; /* owned */
    bool is_cut;
};

static void
statement_deinit_p(struct statement *s)
{
    mem_free(s->text);
}

static void
fill_statement(const struct gate_client *c, const struct gate_text *t, size_t fact,
    struct statement *s, struct aud_rec *rec)
{
    const struct sql_facts *f = &t->tree->facts[fact];
    const struct sql_stmt *stmt = &t->scan.stmts[f->stmt];
    rec->substatement_id = (unsigned)f->stmt;
    rec->command = f->tag;
    rec->cls = dg_class_name(f->cls);
    if (f->n_objects) {
        sql_object_name(&f->objects[0], s->object, sizeof(s->object));
        rec->object = s->object;
        rec->object_type = object_types[f->objects[0].kind];
    }
    s->text = sql_redact(t->sql + stmt->start, stmt->len, t->std_strings,
        c->env->snap->cfg->audit_max_text, &s->is_cut);
    rec->text = s->text;
    rec->is_text_cut = s->is_cut;
    hash_hex(stmt->digest.bytes, sizeof(stmt->digest.bytes), s->digest);
    rec->digest = s->digest;
}

static void
fill_decision(const struct gate_request *req, size_t fact, struct buf *findings,
    struct aud_rec *rec)
{
    const struct pol_findings *f = &req->findings;
    const struct pol_finding *lead = NULL;
    struct gate_target target = gate_snapshot_find(req->snap, req->client->database);
    for (size_t i = 0; i < f->n; i++) {
        const struct pol_finding *one = &f->items[i];
        if (!lead || one->action > lead->action)
            lead = one;
        if (buf_len(findings) + 2048 < FINDINGS_MAX)
            buf_putf(findings, "%s%s%s %s: %.1500s", i ? "\n" : "",
                one->is_observed ? "would " : "", dg_action_name(one->action),
                one->rule, one->message);
    }
    rec->decision = f->action;
    rec->request_id = req->id;
    rec->statement_id = req->client->n_messages;
    if (target.policy)
        rec->environment = pol_environment(target.policy);
    if (lead) {
        rec->rule = lead->rule;
        if (rec->event == AUD_DECISION) {
            rec->decision = lead->action;
            rec->is_observed = lead->is_observed;
        }
        rec->findings = buf_cstr(findings);
    }
    const struct hist_migration *m = req->histories
        ? req->histories[fact].match.migration
        : NULL;
    if (m && target.source) {
        rec->migration_source = target.source->cfg->name;
        rec->migration_version = m->version ? m->version : m->name;
        rec->migration_file = m->file;
    }
}

static void
fill_rule(const struct gate_request *req, char *reason, size_t reason_size, char *set,
    size_t set_size, struct aud_rec *rec)
{
    const struct pol_findings *f = &req->findings;
    const struct pol_finding *lead = NULL;
    for (size_t i = 0; i < f->n; i++) {
        if (!lead || f->items[i].action > lead->action)
            lead = &f->items[i];
    }
    if (!lead)
        return;
    snprintf(reason, reason_size, "rule %s", lead->rule);
    rec->reason = reason;
    if (lead->origin_file) {
        snprintf(set, set_size, "%s:%d", lead->origin_file, lead->origin_line);
        rec->rule_set = set;
    }
}

static int
write_statement(struct gate_request *req, enum aud_event event, size_t fact,
    const char *intent_id, struct aud_wait *wait)
{
    struct gate_client *c = req->client;
    AUTO(statement_deinit) struct statement s = { .text = NULL };
    AUTO(buf_deinit) struct buf findings = BUF_INIT(FINDINGS_MAX);
    char reason[160], set[512];
    struct aud_rec rec = { .event = event, .intent_id = intent_id };
    fill_session(c, &rec);
    fill_statement(c, req->text, fact, &s, &rec);
    fill_decision(req, fact, &findings, &rec);
    fill_rule(req, reason, sizeof(reason), set, sizeof(set), &rec);
    if (event == AUD_DECISION && req->refusal)
        rec.sqlstate = req->refusal->sqlstate;
    return aud_write(c->env->audit, &rec, wait);
}

void
gate_record_refusal(struct gate_request *req)
{
    const struct pol_finding *lead = pol_findings_lead(&req->findings);
    size_t fact = lead && lead->fact < req->text->tree->n ? lead->fact : 0;
    if (req->text->tree->n > 0)
        (void)!write_statement(req, AUD_DECISION, fact, NULL, NULL);
}

/* What `mode = observe` let pass has a decision record of its own, as a refusal has. */
static void
record_observed(struct gate_request *req, size_t fact)
{
    for (size_t i = 0; i < req->findings.n; i++) {
        const struct pol_finding *f = &req->findings.items[i];
        if (f->is_observed && f->action >= DG_HOLD) {
            (void)!write_statement(req, AUD_DECISION, fact, NULL, NULL);
            return;
        }
    }
}

int
gate_record_intent(struct gate_request *req, size_t fact, struct aud_wait *wait,
    struct gate_intent **out)
{
    struct gate_intent *in = mem_zalloc(sizeof(*in));
    hash_random_id(in->id, sizeof(in->id) - 1);
    record_observed(req, fact);
    int r = write_statement(req, AUD_INTENT, fact, in->id, wait);
    if (r) {
        mem_free(in);
        return r;
    }
    const struct sql_facts *f = &req->text->tree->facts[fact];
    char object[OBJECT_SIZE];
    in->command = f->tag;
    in->cls = dg_class_name(f->cls);
    in->stmt = (unsigned)f->stmt;
    if (f->n_objects) {
        sql_object_name(&f->objects[0], object, sizeof(object));
        in->object = mem_strdup(object);
        in->object_type = object_types[f->objects[0].kind];
    }
    in->statement_id = req->client->n_messages;
    in->start_us = now_us(req->client);
    memcpy(in->request_id, req->id, sizeof(in->request_id));
    *out = in;
    return 0;
}

void
gate_record_outcome(struct gate_client *c, const struct gate_intent *in,
    enum aud_outcome outcome, const char *sqlstate, const char *reason)
{
    struct aud_rec rec = {
        .event = AUD_OUTCOME,
        .outcome = outcome,
        .intent_id = in->id,
        .request_id = in->request_id,
        .statement_id = in->statement_id,
        .substatement_id = in->stmt,
        .command = in->command,
        .cls = in->cls,
        .object = in->object,
        .object_type = in->object_type,
        .sqlstate = sqlstate,
        .reason = reason,
        .duration_us = now_us(c) - in->start_us,
    };
    fill_session(c, &rec);
    /* A lost outcome leaves an open intent, which the next start closes as unknown. */
    (void)!aud_write(c->env->audit, &rec, NULL);
}

void
gate_intent_free(struct gate_intent *in)
{
    if (!in)
        return;
    mem_free(in->object);
    mem_free(in);
}

void
gate_record_session(struct gate_client *c, bool is_start, const char *reason)
{
    struct aud_rec rec = { .event = is_start ? AUD_SESSION_START : AUD_SESSION_END,
        .reason = reason };
    fill_session(c, &rec);
    (void)!aud_write(c->env->audit, &rec, NULL);
}

void
gate_record_malformed(struct gate_client *c, const char *what)
{
    struct aud_rec rec = { .event = AUD_MALFORMED, .reason = what };
    fill_session(c, &rec);
    (void)!aud_write(c->env->audit, &rec, NULL);
}
