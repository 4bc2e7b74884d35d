// SPDX-License-Identifier: ISC
/* From a judgement to what is sent: the client's text, another one in its place, or what surely
 * fails; and the units and batches that it counts in. */
#include "base/mem.h"
#include "session/front.h"
#include "session/track.h"

enum front_verdict
front_violation(struct sess *s, const char *what)
{
    struct err text;
    err_set(&text, 0, "ddlgate: %s", what);
    if (s->worker->env.audit)
        gate_record_malformed(&s->gate, what);
    sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01", text.text, NULL);
    return FRONT_ENDED;
}

enum front_verdict
front_stay(struct sess *s, enum sess_wait why)
{
    s->wait = why;
    return FRONT_STAY;
}

static void
judged(void *ctx, struct gate_request *req)
{
    struct sess *s = sess_of(ctx);
    DG_ASSERT(s->request == req, "a judgement of another message");
    if (sess_answered(s))
        return;
    s->wait = SESS_WAIT_NONE;
    sess_resume(s);
}

void
front_start_judging(struct sess *s, enum gate_kind kind, struct gate_text *text)
{
    struct gate_request *req = gate_request_new(&s->gate, kind, text);
    s->gate.n_messages++;
    /* A Query comes when all before it is answered. */
    req->is_in_batch = kind == GATE_QUERY ? s->has_begun : s->execs_sent > 0;
    req->is_batch_begun = s->execs_sent > 0;
    req->done = judged;
    req->ctx = s;
    s->request = req;
}

enum front_verdict
front_judge(struct sess *s)
{
    if (gate_judge(s->request) != GATE_WAIT)
        return FRONT_PASS;
    s->n_outstanding++;
    return front_stay(s, SESS_WAIT_JUDGE);
}

void
front_queue_notices(struct sess *s, const struct gate_request *req)
{
    for (size_t i = 0; i < req->n_notices; i++) {
        AUTO(buf_deinit) struct buf one = BUF_INIT(SESS_READ_BYTES);
        sess_message_error(&req->notices[i], true, &one);
        /* A full queue drops a warning that the audit has all the same. */
        (void)!buf_add(&s->notices, buf_ptr(&one), buf_len(&one));
    }
    sess_put_notices(s);
}

static uint64_t
current_unit(const struct sess *s)
{
    return s->n_sent + 1;
}

struct gate_text *
front_edited_text(const struct gate_request *req)
{
    if (req->rewrite.text)
        return req->rewrite.text;
    return req->text->origin ? req->text : NULL;
}

void
front_send_edited(
    struct sess *s, const struct gate_text *t, const struct pgw_parse *parse)
{
    size_t n = parse ? parse->name.n + parse->types.n : 0;
    AUTO(buf_deinit) struct buf b = BUF_INIT(t->len + n + 64);
    if (parse)
        pgw_build_parse_typed(&b, parse->name, t->sql, parse->types);
    else
        pgw_build_query(&b, t->sql);
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
}

bool
front_is_refused(struct sess *s)
{
    if (s->is_cancelled)
        gate_cancel(s->request);
    s->is_cancelled = false;
    return s->request->verdict == GATE_REFUSE;
}

enum front_verdict
front_apply(struct sess *s, enum sess_message kind, const struct pgw_parse *parse)
{
    struct gate_request *req = s->request;
    struct str name = parse ? parse->name : STR("");
    enum front_verdict v = FRONT_PASS;
    if (front_is_refused(s)) {
        if (kind != SESS_MSG_PARSE && gate_text_commits(req->text) && sess_in_block(s))
            sess_refuse_commit(s, kind, req->refusal);
        else
            sess_refuse(s, kind, name, req->refusal);
        s->is_doomed = kind != SESS_MSG_QUERY;
        v = FRONT_DROP;
    } else {
        if (req->kind != GATE_PARSE) /* warned when it runs */
            front_queue_notices(s, req);
        sess_track_add(s, req->runs, req->n_runs, current_unit(s), s->execs_sent,
            kind == SESS_MSG_EXECUTE ? s->batch_sent : SESS_TRACK_NO_MESSAGE);
        req->runs = NULL;
        req->n_runs = 0;
        if (req->kind != GATE_PARSE && gate_awaits_rows(req))
            sess_hold_begin(s, req->text);
        if (req->kind != GATE_PARSE)
            gate_note_prepared(&s->gate, req->text, current_unit(s));
        struct gate_text *edited = front_edited_text(req);
        if (edited)
            sess_edited_add(
                s, kind == SESS_MSG_QUERY ? GATE_IN_QUERY : s->batch_sent, edited);
        if (edited && kind != SESS_MSG_EXECUTE) {
            front_send_edited(s, edited, parse);
            v = FRONT_DROP;
        }
    }
    return v;
}

void
front_judgement_done(struct sess *s)
{
    gate_request_free(s->request);
    s->request = NULL;
}

void
front_not_sent(struct sess *s)
{
    s->is_cancelled = false;
    gate_not_sent(s->request, AUD_SKIPPED, NULL, "a setting before it failed");
    front_judgement_done(s);
}

void
front_extended_sent(struct sess *s)
{
    s->batch_sent++;
    s->has_flushed = false;
}

void
sess_unit_sent(struct sess *s, bool is_query)
{
    s->n_sent++;
    sess_unit_set(&s->unit_is_query, s->n_sent, is_query);
    sess_unit_set(&s->unit_has_work, s->n_sent, is_query || s->batch_sent > 0);
    s->batch_sent = 0;
    s->execs_sent = s->execs_judged = 0;
    s->has_flushed = false;
    s->is_reading_unsure = false;
    s->is_doomed = false;
}

bool
front_batch_is_open(struct sess *s)
{
    if (s->batch_sent == 0 || s->is_doomed)
        return false;
    if (s->n_sent == s->n_done && (s->has_failed || s->batch_done >= s->batch_sent))
        return false;
    if (!s->has_flushed) {
        static const char flush[] = { 'H', 0, 0, 0, 4 };
        sess_send(s, &s->server, flush, sizeof(flush));
        s->has_flushed = true;
    }
    return true;
}

enum front_verdict
front_end_batch(struct sess *s, enum sess_message kind)
{
    if (!s->request) {
        if (!sess_batch_commits(s))
            return FRONT_PASS;
        /* What was not judged may be a BEGIN, and a COPY may fail yet: the answers tell. */
        bool is_known = s->execs_sent == s->execs_judged && !s->is_copying;
        if (!is_known && front_batch_is_open(s))
            return front_stay(s, SESS_WAIT_BATCH);
        struct gate_text *text = gate_text_of_commit(STR("COMMIT"));
        DG_ASSERT(text, "COMMIT is a text that commits");
        front_start_judging(s, GATE_SYNC, text);
        enum front_verdict v = front_judge(s);
        if (v != FRONT_PASS)
            return v;
    }
    bool refused = front_is_refused(s);
    if (refused)
        sess_refuse(s, kind, STR(""), s->request->refusal);
    else
        front_queue_notices(s, s->request);
    front_judgement_done(s);
    return refused ? FRONT_DROP : FRONT_PASS;
}

bool
front_is_skipped(const struct sess *s)
{
    return s->is_doomed
        || (s->batch_sent > 0 && s->n_sent == s->n_done && s->has_failed);
}
