// SPDX-License-Identifier: ISC
/* From requests to audit records. */
#include "gate/record.h"

#include "base/mem.h"
#include "base/names.h"
#include "gate/message.h"
#include "history/audited.h"

#include <stdio.h>
#include <stdlib.h>
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
    rec->tls_version = c->tls_version;
    rec->tls_cipher = c->tls_cipher;
    rec->tls_subject = c->tls_subject;
    rec->tls_cn = c->tls_cn;
    rec->listener = c->listener;
    rec->peer_uid = c->peer_uid;
    rec->server_version = c->server_version;
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
    char *rewritten;    /* owned; what was sent instead */
    char settings[160]; /* what was set around it */
};

static void
statement_deinit_p(struct statement *s)
{
    mem_free(s->text);
    mem_free(s->rewritten);
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

/* The findings that a record tells: of an intent those of its own statement, of a refusal
 * all of them, since it stands for the whole text. */
struct told {
    const struct pol_finding **items; /* owned */
    size_t n;
    const struct pol_finding *lead; /* the strictest; NULL: none */
};

static void
told_deinit_p(struct told *t)
{
    mem_free(t->items);
}

static int
compare_places(const void *a, const void *b)
{
    const struct pol_finding *const *x = a, *const *y = b;
    if ((*x)->fact != (*y)->fact)
        return (*x)->fact < (*y)->fact ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

/* Made once for all intents of a request: a text may hold tens of thousands. */
static void
sort_findings(struct gate_request *req)
{
    const struct pol_findings *f = &req->findings;
    if (req->by_fact || f->n == 0)
        return;
    req->by_fact = mem_array(f->n, sizeof(*req->by_fact));
    for (size_t i = 0; i < f->n; i++)
        req->by_fact[i] = &f->items[i];
    qsort(req->by_fact, f->n, sizeof(*req->by_fact), compare_places);
}

/* The first of by_fact at or behind a fact. */
static size_t
first_at(const struct gate_request *req, size_t fact)
{
    size_t low = 0, high = req->findings.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (req->by_fact[mid]->fact < fact)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void
select_findings(
    struct gate_request *req, enum aud_event event, size_t fact, struct told *out)
{
    size_t from = 0, to = req->findings.n;
    sort_findings(req);
    if (event == AUD_INTENT && to > 0) {
        const struct sql_tree *tree = req->text->tree;
        size_t first = fact, end = fact + 1;
        while (first > 0 && tree->facts[first - 1].stmt == tree->facts[fact].stmt)
            first--;
        while (end < tree->n && tree->facts[end].stmt == tree->facts[fact].stmt)
            end++;
        from = first_at(req, first);
        to = first_at(req, end);
    }
    out->items = mem_array(to - from + 1, sizeof(*out->items));
    for (size_t i = from; i < to; i++) {
        out->items[out->n] = req->by_fact[i];
        if (!out->lead || out->items[out->n]->action > out->lead->action)
            out->lead = out->items[out->n];
        out->n++;
    }
}

static const char *
history_word(const struct pol_history *h)
{
    if (!h->is_known)
        return HIST_WORD_UNKNOWN;
    return h->view ? hist_match_word(h->match.kind) : HIST_WORD_UNCONFIGURED;
}

static void
fill_history(
    const struct pol_history *h, const struct hist_migration *m, struct aud_rec *rec)
{
    const char *version = NULL, *name = NULL;
    if (!h)
        return;
    rec->history_match = history_word(h);
    if (!h->is_known || !h->view)
        return;
    if (h->write_reason)
        rec->history_write = hist_write_word(h->write);
    const struct hist_migration *edited = m ? hist_view_edited(h->view, m) : NULL;
    rec->history_edited = edited ? edited->file : NULL;
    if (hist_view_n_missing(h->view))
        hist_view_missing(h->view, 0, &version, &name);
    rec->history_missing = version ? version : name;
}

/* The session as policy saw it. */
static void
fill_circumstances(const struct gate_request *req, struct aud_rec *rec)
{
    const struct gate_client *c = req->client;
    const struct sql_tree *tree = req->text->tree;
    rec->tx = c->tx_status == 'I' ? AUD_TX_OUTSIDE : AUD_TX_INSIDE;
    rec->is_non_std_strings = !req->text->std_strings;
    rec->query_error = tree->is_unparsable ? tree->error : NULL;
    rec->search_path = c->is_path_unknown ? NULL : c->search_path;
    for (size_t i = 0; i < tree->n; i++) { /* the text may change it on its way */
        if (tree->facts[i].setting || (tree->facts[i].flags & SQL_F_READING))
            rec->search_path = NULL;
    }
}

/* A refusal stands for the whole text: all of it is kept. */
struct whole {
    char *text; /* owned */
    struct buf history;
};

static void
whole_deinit_p(struct whole *w)
{
    mem_free(w->text);
    buf_deinit(&w->history);
}

static void
fill_whole(const struct gate_request *req, struct whole *w, struct aud_rec *rec)
{
    const struct gate_text *t = req->text;
    size_t next = 0; /* statement */
    if (t->scan.n < 2 || !req->histories)
        return;
    w->text = sql_redact(t->sql, t->len, t->std_strings,
        req->client->env->snap->cfg->audit_max_text, &rec->is_request_cut);
    for (size_t i = 0; i < t->tree->n; i++) {
        const struct pol_history *h = &req->histories[i];
        const struct hist_migration *m = h->match.migration;
        if (t->tree->facts[i].parent >= 0 || t->tree->facts[i].stmt < next)
            continue;
        if (buf_len(&w->history) + 2 * 1024 > FINDINGS_MAX) {
            rec->is_request_cut = true;
            break;
        }
        for (; next < t->tree->facts[i].stmt; next++)
            buf_puts(&w->history, HIST_WORD_NONE "\n");
        buf_putf(&w->history, "%s%s%.500s\n", history_word(h), m ? " " : "",
            m ? (m->version ? m->version : m->name) : "");
        next++;
    }
    rec->request_text = w->text;
    rec->request_history = buf_cstr(&w->history);
}

static void
fill_decision(const struct gate_request *req, size_t fact, const struct told *told,
    struct buf *findings, struct aud_rec *rec)
{
    struct gate_target target = gate_snapshot_find(req->snap, req->client->database);
    for (size_t i = 0; i < told->n; i++) {
        const struct pol_finding *one = told->items[i];
        if (buf_len(findings) + 2048 < FINDINGS_MAX)
            buf_putf(findings, "%s%s%s %s: %.1500s", i ? "\n" : "",
                one->is_observed ? "would " : "", dg_action_name(one->action),
                one->rule, one->message);
    }
    rec->decision = req->findings.action;
    rec->request_id = req->id;
    rec->statement_id = req->client->n_messages;
    if (target.policy)
        rec->environment = pol_environment(target.policy);
    if (told->lead) {
        rec->rule = told->lead->rule;
        if (rec->event == AUD_DECISION) {
            rec->decision = told->lead->action;
            rec->is_observed = told->lead->is_observed;
        }
        rec->findings = buf_cstr(findings);
    }
    const struct pol_history *h = req->histories ? &req->histories[fact] : NULL;
    const struct hist_migration *m = h ? h->match.migration : NULL;
    m = h && !m ? h->write_migration : m;
    if (m && target.source) {
        rec->migration_source = target.source->cfg->name;
        rec->migration_version = m->version ? m->version : m->name;
        rec->migration_file = m->file;
    }
    fill_history(h, m, rec);
}

static void
fill_rule(const struct told *told, char *reason, size_t reason_size, char *set,
    size_t set_size, struct aud_rec *rec)
{
    if (!told->lead)
        return;
    snprintf(reason, reason_size, "rule %s", told->lead->rule);
    rec->reason = reason;
    if (told->lead->origin_file) {
        snprintf(
            set, set_size, "%s:%d", told->lead->origin_file, told->lead->origin_line);
        rec->rule_set = set;
    }
}

static void
fill_rewrite(
    struct gate_request *req, size_t fact, struct statement *s, struct aud_rec *rec)
{
    const struct gate_rewrite *rw = &req->rewrite;
    const struct gate_text *t = rw->text;
    size_t stmt = req->text->tree->facts[fact].stmt;
    if (req->refusal)
        return;
    if (rw->sent) {
        bool is_cut;
        s->rewritten = sql_redact(rw->sent, strlen(rw->sent), req->text->std_strings,
            req->client->env->snap->cfg->audit_max_text, &is_cut);
        rec->rewritten_text = s->rewritten;
    } else if (t && stmt < t->scan.n) {
        bool is_cut;
        s->rewritten = sql_redact(t->sql + t->scan.stmts[stmt].start,
            t->scan.stmts[stmt].len, t->std_strings,
            req->client->env->snap->cfg->audit_max_text, &is_cut);
        if (strcmp(s->rewritten, s->text) != 0)
            rec->rewritten_text = s->rewritten;
    }
    for (int i = 0, n = 0; i < POL_N_TIMEOUTS; i++) {
        if (!rw->timeout_ms[i])
            continue;
        n += snprintf(s->settings + n, sizeof(s->settings) - (size_t)n, "%s%s=%lldms",
            n ? ", " : "", pol_timeout_name((enum pol_timeout)i),
            (long long)rw->timeout_ms[i]);
        rec->rewritten_settings = s->settings;
    }
    rec->rewritten_follow_up = rw->follow_up;
}

static int
write_statement(struct gate_request *req, enum aud_event event, size_t fact,
    const char *intent_id, struct aud_wait *wait)
{
    struct gate_client *c = req->client;
    AUTO(statement_deinit) struct statement s = { .text = NULL };
    AUTO(told_deinit) struct told told = { .items = NULL };
    AUTO(buf_deinit) struct buf findings = BUF_INIT(FINDINGS_MAX);
    char reason[160], set[512];
    AUTO(whole_deinit)
    struct whole whole = { .history = BUF_INIT(FINDINGS_MAX) };
    struct aud_rec rec = { .event = event, .intent_id = intent_id };
    fill_session(c, &rec);
    fill_statement(c, req->text, fact, &s, &rec);
    fill_circumstances(req, &rec);
    fill_rewrite(req, fact, &s, &rec);
    select_findings(req, event, fact, &told);
    fill_decision(req, fact, &told, &findings, &rec);
    fill_rule(&told, reason, sizeof(reason), set, sizeof(set), &rec);
    if (event == AUD_DECISION && req->refusal) {
        rec.sqlstate = req->refusal->sqlstate;
        fill_whole(req, &whole, &rec);
    }
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
gate_record_idle(struct gate_client *c, const struct gate_intent *change,
    const struct pol_finding *f, int64_t idle_us)
{
    AUTO(buf_deinit) struct buf findings = BUF_INIT(FINDINGS_MAX);
    struct gate_target target = gate_snapshot_find(c->env->snap, c->database);
    char reason[160], set[512];
    bool is_end = f->action >= DG_HOLD;
    struct aud_rec rec = {
        .event = AUD_IDLE,
        .decision = f->action,
        .is_observed = f->is_observed,
        .intent_id = change->id,
        .request_id = change->request_id,
        .statement_id = change->statement_id,
        .substatement_id = change->stmt,
        .command = change->command,
        .cls = change->cls,
        .object = change->object,
        .object_type = change->object_type,
        .sqlstate = is_end && !f->is_observed ? f->sqlstate : NULL,
        .rule = f->rule,
        .environment = target.policy ? pol_environment(target.policy) : NULL,
        .duration_us = idle_us,
        .tx = AUD_TX_INSIDE,
    };
    snprintf(reason, sizeof(reason), "rule %s", f->rule);
    rec.reason = reason;
    if (f->origin_file) {
        snprintf(set, sizeof(set), "%s:%d", f->origin_file, f->origin_line);
        rec.rule_set = set;
    }
    buf_putf(&findings, "%s%s %s: %.1500s", f->is_observed ? "would " : "",
        dg_action_name(f->action), f->rule, f->message);
    rec.findings = buf_cstr(&findings);
    fill_session(c, &rec);
    /* What follows from it is told by the outcome, which is kept if this can't be written. */
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
