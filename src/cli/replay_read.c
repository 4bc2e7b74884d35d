// SPDX-License-Identifier: ISC
/* From audit records to requests: one intent for each statement of a text, or one decision
 * for a text that was refused; outcomes tell where transactions end. */
#include "cli/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "audit/file.h"
#include "audit/line.h"
#include "audit/when.h"
#include "base/mem.h"
#include "base/names.h"

/* A session as the records show it so far. */
struct replay_state {
    size_t last; /* its last request, plus one */
    unsigned epoch;
};

void
replay_init(struct replay *r)
{
    *r = (struct replay){ .arena = arena_new(), .sessions = map_new(NULL) };
}

void
replay_deinit(struct replay *r)
{
    for (size_t i = 0; i < r->n; i++)
        mem_free(r->requests[i].stmts);
    mem_free(r->requests);
    mem_free(r->states);
    map_free(r->sessions);
    arena_free(r->arena);
}

/* ---- fields ---- */

static const char *
get(struct replay *r, const struct aud_line *l, const char *key)
{
    const struct aud_field *f = aud_line_find(l, key);

    if (!f || f->type != AUD_T_STRING)
        return NULL;
    AUTO(buf_deinit) struct buf b = BUF_INIT(f->raw.n + 4);
    aud_line_unescape(f->raw, &b);
    return arena_strndup(r->arena, buf_cstr(&b), buf_len(&b));
}

/* 1, 0, or -1: it isn't there. */
static int
get_bool(const struct aud_line *l, const char *key)
{
    const struct aud_field *f = aud_line_find(l, key);

    if (!f || f->type != AUD_T_BOOL)
        return -1;
    return str_eqz(f->raw, "true");
}

static enum dg_action
get_action(const struct aud_line *l)
{
    const struct aud_field *f = aud_line_find(l, "ddlgate.decision");
    enum dg_action action = DG_ALLOW;

    if (!f || f->type != AUD_T_STRING || dg_action_parse(f->raw, &action) != 0)
        return DG_ALLOW;
    return action;
}

/* ---- records ---- */

static struct replay_state *
state_of(struct replay *r, const struct aud_line *l)
{
    const struct aud_field *f = aud_line_find(l, "ddlgate.session.id");
    struct str id = f ? f->raw : STR("");
    size_t at = (size_t)(uintptr_t)map_get(r->sessions, id);

    if (!at) {
        MEM_GROW(r->states, r->n_states, r->cap_states);
        r->states[r->n_states++] = (struct replay_state){ 0 };
        at = r->n_states;
        map_set(r->sessions, id, (void *)(uintptr_t)at);
    }
    return &r->states[at - 1];
}

static void
fill_session(
    struct replay *r, const struct aud_line *l, bool is_told, struct replay_request *q)
{
    q->user = get(r, l, "user.name");
    q->database = get(r, l, "db.namespace");
    q->environment = get(r, l, "ddlgate.environment");
    q->client_addr = get(r, l, "client.address");
    q->application_name = get(r, l, "ddlgate.application_name");
    q->tls = get(r, l, "tls.version");
    q->cn = get(r, l, "tls.client.x509.subject.common_name");
    q->peer_uid = get(r, l, "ddlgate.peer_uid");
    q->listener = get(r, l, "ddlgate.listener");
    /* Left out: it has none. An older gate wrote none of the last three. */
    q->tls = q->tls ? q->tls : "";
    q->cn = q->cn || !is_told ? q->cn : "";
    q->peer_uid = q->peer_uid || !is_told ? q->peer_uid : "";
}

static void
fill_request(struct replay *r, const struct aud_line *l, struct replay_request *q)
{
    uint64_t version = 0;

    fill_session(r, l, aud_line_find(l, "ddlgate.listener") != NULL, q);
    q->time = get(r, l, "@timestamp");
    if (!q->time || aud_when_parse(str_of(q->time), 0, &q->time_us) != 0)
        q->time_us = 0;
    q->session = get(r, l, "ddlgate.session.id");
    q->id = get(r, l, "ddlgate.request.id");
    q->search_path = get(r, l, "ddlgate.search_path");
    q->error = get(r, l, "ddlgate.query.error");
    q->in_transaction = get_bool(l, "ddlgate.in_transaction");
    q->is_non_std_strings = get_bool(l, "ddlgate.standard_conforming_strings") == 0;
    if (aud_line_uint(l, "ddlgate.upstream.version", &version) == 0
        && version < INT32_MAX)
        q->server_version = (int)version;
    q->whole = get(r, l, "ddlgate.request.text");
    q->whole_history = get(r, l, "ddlgate.request.history");
    q->is_whole_cut = get_bool(l, "ddlgate.request.truncated") == 1;
}

static void
add_stmt(struct replay *r, const struct aud_line *l, struct replay_request *q)
{
    MEM_GROW(q->stmts, q->n_stmts, q->cap_stmts);
    struct replay_stmt *s = &q->stmts[q->n_stmts++];
    *s = (struct replay_stmt){
        .text = get(r, l, "db.query.text"),
        .digest = get(r, l, "ddlgate.digest"),
        .cls = get(r, l, "ddlgate.class"),
        .object = get(r, l, "db.collection.name"),
        .is_cut = get_bool(l, "ddlgate.query.truncated") == 1,
        .match = get(r, l, "ddlgate.history.match"),
        .write = get(r, l, "ddlgate.history.write"),
        .edited = get(r, l, "ddlgate.history.edited"),
        .missing = get(r, l, "ddlgate.history.missing"),
        .source = get(r, l, "ddlgate.migration.source"),
        .version = get(r, l, "ddlgate.migration.version"),
        .file = get(r, l, "ddlgate.migration.file"),
    };
    s->text = s->text ? s->text : "";
    q->is_masked |= strstr(s->text, "'***'") != NULL;
}

/* The request that the record is of: the session's last one, or a new one. */
static struct replay_request *
request_of(struct replay *r, const struct aud_line *l)
{
    struct replay_state *st = state_of(r, l);
    const char *id = get(r, l, "ddlgate.request.id");
    uint64_t message = 0;
    int ignored = aud_line_uint(l, "ddlgate.statement.id", &message);

    (void)ignored; /* a record without it has 0 */
    if (st->last) {
        struct replay_request *q = &r->requests[st->last - 1];
        if (id && q->id && strcmp(id, q->id) == 0 && q->message == message)
            return q;
    }
    MEM_GROW(r->requests, r->n, r->cap);
    struct replay_request *q = &r->requests[r->n++];
    *q = (struct replay_request){ .message = message, .epoch = st->epoch };
    fill_request(r, l, q);
    st->last = r->n;
    return q;
}

static void
take_decision(struct replay *r, const struct aud_line *l)
{
    struct replay_request *q = request_of(r, l);
    enum dg_action action = get_action(l);

    if (get_bool(l, "ddlgate.observed") == 1
        && !aud_line_find(l, "db.response.status_code")) {
        if (action > q->was.observed) {
            q->was.observed = action;
            q->was.rule = get(r, l, "rule.name");
            q->was.rule_set = get(r, l, "rule.ruleset");
        }
        return; /* the statement's intent follows */
    }
    q->is_refused = true;
    q->was.enforced = action;
    q->was.rule = get(r, l, "rule.name");
    q->was.rule_set = get(r, l, "rule.ruleset");
    add_stmt(r, l, q);
}

static void
take_intent(struct replay *r, const struct aud_line *l)
{
    struct replay_request *q = request_of(r, l);

    q->was.enforced = get_action(l);
    if (!q->was.rule && q->was.enforced > DG_ALLOW) {
        q->was.rule = get(r, l, "rule.name");
        q->was.rule_set = get(r, l, "rule.ruleset");
    }
    add_stmt(r, l, q);
}

static void
take_line(struct replay *r, struct str text)
{
    struct aud_line l;
    const char *why;
    size_t at;

    if (aud_line_parse(text, &l, &why, &at)) {
        r->n_bad++;
        return;
    }
    if (aud_line_is(&l, "event.action", "ddl.intent"))
        take_intent(r, &l);
    else if (aud_line_is(&l, "event.action", "ddl.decision"))
        take_decision(r, &l);
    else if (aud_line_is(&l, "event.action", "ddl.outcome")
        && !aud_line_is(&l, "ddlgate.outcome", "executed"))
        state_of(r, &l)->epoch++;
}

int
replay_read(struct replay *r, const char *file, struct err *err)
{
    AUTO(aud_fd) int fd = open(file, O_RDONLY | O_CLOEXEC);
    AUTO(aud_reader_deinit) struct aud_reader reader;
    struct str line;
    int e;

    if (fd < 0)
        return err_errno(err, -errno, "%s", file);
    aud_reader_init(&reader, fd);
    while ((e = aud_reader_next(&reader, &line)) == AUD_READ_LINE) {
        if (memmem(line.p, line.n, "\"ddl.", 5))
            take_line(r, line);
    }
    return e < 0 ? err_errno(err, e, "%s", file) : 0;
}
