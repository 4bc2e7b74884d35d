// SPDX-License-Identifier: ISC
/* Messages of the client. Runs of messages that need no look go to the server from where
 * they were read; a message that must be seen whole is looked at in place or waits, at the
 * front of client.in, until it is complete or judged.
 *
 * A unit is everything up to the server's next ReadyForQuery: ended by Query, FunctionCall
 * or Sync. A tracked text waits until all earlier units are answered, so that its judgement
 * knows the true transaction status and settings, and at most one unit has tracked
 * statements in flight. A Query or FunctionCall inside an unfinished batch waits for the
 * batch's replies (asked for by a Flush): whether the server will skip it is known then. */
#include "base/mem.h"
#include "gate/temp.h"
#include "session/login.h"
#include "session/own.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/steps.h"
#include "session/track.h"

#include <stdio.h>
#include <string.h>

#define MAX_UNITS 64                 /* in flight; unit_is_query has as many bits */
#define MAX_NAMES ((size_t)64 << 10) /* portal's and statement's, in a long Bind */

/* Built-in functions can't change the schema behind a FunctionCall; the first oid that
 * CREATE FUNCTION can get (FirstNormalObjectId). */
#define FIRST_USER_OID 16384

/* What to do with the message at hand. */
enum verdict {
    PASS,      /* forward it as it is */
    DROP,      /* something else was sent in its place */
    NEED_MORE, /* more of it must be there to tell */
    STAY,      /* wait: it stays where it is */
    ENDED,     /* the session is over */
};

struct frame {
    struct pgw_head head;
    const char *body;
    size_t size;    /* with header; more: messages behind it are dealt with, too */
    size_t n_there; /* bytes from body on, of those behind it as well */
};

static enum verdict
violation(struct sess *s, const char *what)
{
    struct err text;
    err_set(&text, 0, "ddlgate: %s", what);
    if (s->worker->env.audit)
        gate_record_malformed(&s->gate, what);
    sess_fatal(s, SESS_END_CLIENT_PROTOCOL, "08P01", text.text, NULL);
    return ENDED;
}

static enum verdict
stay(struct sess *s, enum sess_wait why)
{
    s->wait = why;
    return STAY;
}

/* --- judgements ----------------------------------------------------------------------- */

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

static void
start_judging(struct sess *s, enum gate_kind kind, struct gate_text *text)
{
    struct gate_request *req = gate_request_new(&s->gate, kind, text);
    s->gate.n_messages++;
    req->is_in_batch = s->execs_sent > 0;
    req->is_batch_begun = kind == GATE_QUERY ? s->batch_sent > 0 : s->execs_sent > 0;
    req->done = judged;
    req->ctx = s;
    s->request = req;
}

/* PASS: s->request is answered. STAY: it will be. */
static enum verdict
judge(struct sess *s)
{
    if (gate_judge(s->request) != GATE_WAIT)
        return PASS;
    s->n_outstanding++;
    return stay(s, SESS_WAIT_JUDGE);
}

static void
queue_notices(struct sess *s, const struct gate_request *req)
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

/* The text that the server gets, or got at its Parse, in place of the client's: rewritten, or
 * a name in it has its pg_temp.; NULL: it is the client's. */
static struct gate_text *
edited_text(const struct gate_request *req)
{
    if (req->rewrite.text)
        return req->rewrite.text;
    return req->text->origin ? req->text : NULL;
}

/* A Parse keeps what stands behind its text: the types of its parameters. */
static void
send_edited(struct sess *s, const struct gate_text *t, const struct pgw_parse *parse)
{
    size_t n = parse ? parse->name.n + parse->types.n : 0;
    AUTO(buf_deinit) struct buf b = BUF_INIT(t->len + n + 64);
    if (parse)
        pgw_build_parse_typed(&b, parse->name, t->sql, parse->types);
    else
        pgw_build_query(&b, t->sql);
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
}

/* Of an extended message. */
static struct gate_place
current_place(const struct sess *s)
{
    return (struct gate_place){ s->n_sent + 1, s->batch_sent };
}

/* Is the judged message refused, by policy or since it was cancelled meanwhile? */
static bool
is_refused(struct sess *s)
{
    if (s->is_cancelled)
        gate_cancel(s->request);
    s->is_cancelled = false;
    return s->request->verdict == GATE_REFUSE;
}

/* The message's text is judged: refuse it or let it go, with what follows from that. */
static enum verdict
apply(struct sess *s, enum sess_message kind, const struct pgw_parse *parse)
{
    struct gate_request *req = s->request;
    struct str name = parse ? parse->name : STR("");
    enum verdict v = PASS;
    if (is_refused(s)) {
        if (kind != SESS_MSG_PARSE && gate_text_commits(req->text) && sess_in_block(s))
            sess_refuse_commit(s, kind, req->refusal);
        else
            sess_refuse(s, kind, name, req->refusal);
        s->is_doomed = kind != SESS_MSG_QUERY;
        v = DROP;
    } else {
        if (req->kind != GATE_PARSE) /* warned when it runs */
            queue_notices(s, req);
        sess_track_add(s, req->runs, req->n_runs, current_unit(s), s->execs_sent,
            kind == SESS_MSG_EXECUTE ? s->batch_sent : SESS_TRACK_NO_MESSAGE);
        req->runs = NULL;
        req->n_runs = 0;
        if (req->kind != GATE_PARSE && gate_awaits_rows(req))
            sess_hold_begin(s, req->text);
        if (req->kind != GATE_PARSE)
            gate_note_prepared(&s->gate, req->text, current_unit(s));
        struct gate_text *edited = edited_text(req);
        if (edited)
            sess_edited_add(
                s, kind == SESS_MSG_QUERY ? GATE_IN_QUERY : s->batch_sent, edited);
        if (edited && kind != SESS_MSG_EXECUTE) {
            send_edited(s, edited, parse);
            v = DROP;
        }
    }
    return v;
}

static void
judgement_done(struct sess *s)
{
    gate_request_free(s->request);
    s->request = NULL;
}

/* A statement of the gate's own before it has failed, and the client has that error. */
static void
not_sent(struct sess *s)
{
    s->is_cancelled = false;
    gate_not_sent(s->request, AUD_SKIPPED, NULL, "a setting before it failed");
    judgement_done(s);
}

/* The same of one of the statements that belong before it. */
static void
steps_failed(struct sess *s)
{
    const char *sqlstate, *why = sess_steps_why(s, &sqlstate);
    s->is_cancelled = false;
    gate_not_sent(s->request, AUD_FAILED, sqlstate, why);
    sess_steps_free(s);
    judgement_done(s);
}

/* One more message of a batch; what Flush brought out so far doesn't count for it. */
static void
extended_sent(struct sess *s)
{
    s->batch_sent++;
    s->has_flushed = false;
}

static void
unit_sent(struct sess *s, bool is_query)
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

void
sess_unit_sent(struct sess *s, bool is_query)
{
    unit_sent(s, is_query);
}

/* --- texts ---------------------------------------------------------------------------- */

/* Too long to be looked at: policy's `unparsable` decides. The text itself isn't kept. */
static struct gate_text *
oversized(struct sess *s, const struct frame *f)
{
    char why[160];
    snprintf(why, sizeof(why),
        "the message has %u bytes; texts above max_inspect_size (%llu) are not looked into",
        f->head.body_len, (unsigned long long)s->max_inspect);
    return gate_text_opaque(why);
}

/* Reads the text: PASS with *text NULL for a plain one. */
static enum verdict
read_text(struct sess *s, struct str sql, struct gate_text **text)
{
    struct gate_env *env = &s->worker->env;
    struct gate_client *g = &s->gate;
    struct gate_reading reading = {
        .std_strings = g->std_strings,
        .is_safe_encoding = g->is_safe_encoding,
        .is_certain = s->n_sent == s->n_done && !s->is_reading_unsure,
    };
    *text = NULL;
    int r = gate_text_read(env->snap->words, env->snap, sql.p, sql.n, &reading,
        (unsigned)env->snap->cfg->max_depth, gate_client_watch(g), &env->stats, text);
    if (r == GATE_TEXT_PLAIN)
        return PASS;
    if (s->n_sent != s->n_done) {
        ref_drop(*text);
        *text = NULL;
        return stay(s, SESS_WAIT_IDLE);
    }
    if (r == GATE_TEXT_UNCERTAIN)
        *text = gate_text_unreadable(sql.p, sql.n,
            "an earlier message of this batch may change how string constants read; send "
            "Sync before it");
    return PASS;
}

/* Names of temporary objects are written out. A Parse that declares parameter types is no
 * DDL on them. */
static void
edit_temp(struct sess *s, struct gate_text **text)
{
    struct gate_text *edited = gate_temp_rewrite(&s->gate, *text);
    if (!edited)
        return;
    ref_drop(*text);
    *text = edited;
}

/* Must a Query or FunctionCall wait for the replies of the batch it stands in? */
static bool
batch_is_open(struct sess *s)
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

/* After an error in its batch the server skips everything up to Sync; and a refusal is an
 * error for sure, whether its answer is here yet or not. */
static bool
is_skipped(const struct sess *s)
{
    return s->is_doomed
        || (s->batch_sent > 0 && s->n_sent == s->n_done && s->has_failed);
}

/* Copy data is expected and something else comes: the server loses its place in the stream
 * then and ends the connection (CopyGetData), and so do we. */
static enum verdict
copy_violation(struct sess *s, char type)
{
    char why[80];
    snprintf(why, sizeof(why), "unexpected message type 0x%02X during COPY from stdin",
        (unsigned)(unsigned char)type);
    return violation(s, why);
}

/* The judged text goes to the server as a Query: what is at hand is one, or it is_instead. */
static enum verdict
run_query(struct sess *s, bool is_instead)
{
    enum sess_own_step step = sess_steps_before(s);
    if (step == SESS_OWN_FAILED) {
        steps_failed(s);
        return DROP;
    }
    if (step == SESS_OWN_DONE)
        step = sess_own_before(s, true, false);
    if (step == SESS_OWN_WAIT)
        return stay(s, SESS_WAIT_OWN);
    if (step == SESS_OWN_FAILED) {
        not_sent(s);
        return DROP;
    }
    if (s->request->verdict == GATE_PASS && !s->is_cancelled) {
        struct gate_text *edited = edited_text(s->request);
        sess_retry_arm(s, edited ? edited : s->request->text);
    }
    enum verdict v = apply(s, SESS_MSG_QUERY, NULL);
    if (is_instead && v == PASS) {
        send_edited(s, s->request->text, NULL);
        v = DROP;
    }
    judgement_done(s);
    unit_sent(s, true);
    return v;
}

static enum verdict
on_query_text(struct sess *s, struct str sql)
{
    if (!s->request) {
        struct gate_text *text;
        if (batch_is_open(s))
            return stay(s, SESS_WAIT_BATCH);
        if (is_skipped(s))
            return PASS;
        enum verdict v = read_text(s, sql, &text);
        if (v != PASS)
            return v;
        if (!text) {
            unit_sent(s, true);
            return PASS;
        }
        edit_temp(s, &text);
        start_judging(s, GATE_QUERY, text);
        v = judge(s);
        if (v != PASS)
            return v;
    }
    return run_query(s, false);
}

static enum verdict
on_query(struct sess *s, const struct frame *f)
{
    struct str sql;
    struct err err = { "" };
    if (pgw_parse_query(f->body, f->head.body_len, &sql, &err) != 0)
        return violation(s, err.text);
    return on_query_text(s, sql);
}

/* BEGIN and the like, alone in a short text: they can't change how later texts read. The
 * end of a transaction can: it takes settings back. */
static bool
is_tx_text(struct str sql)
{
    static const char *const words[] = { "BEGIN", "START", "SAVEPOINT", "RELEASE" };
    struct str t = str_trim(sql);
    size_t n = 0;
    if (t.n > 100 || memchr(t.p, ';', t.n > 0 ? t.n - 1 : 0))
        return false;
    while (n < t.n && ((t.p[n] | 32) >= 'a' && (t.p[n] | 32) <= 'z'))
        n++;
    for (size_t i = 0; i < DG_ARRAY_SIZE(words); i++) {
        if (str_ieqz((struct str){ t.p, n }, words[i]))
            return true;
    }
    return false;
}

static enum verdict
on_parse(struct sess *s, const struct frame *f)
{
    struct pgw_parse p;
    struct err err = { "" };
    if (pgw_parse_parse(f->body, f->head.body_len, &p, &err) != 0)
        return violation(s, err.text);
    if (!s->request) {
        struct gate_text *text;
        if (is_skipped(s)) {
            extended_sent(s);
            return PASS;
        }
        enum verdict v = read_text(s, p.sql, &text);
        if (v != PASS)
            return v;
        if (!text) {
            AUTO(gate_text_unref) struct gate_text *end = gate_text_of_commit(p.sql);
            gate_prepared_set(
                &s->gate, p.name, end, is_tx_text(p.sql), current_place(s));
            extended_sent(s);
            return PASS;
        }
        if (p.n_types == 0)
            edit_temp(s, &text);
        start_judging(s, GATE_PARSE, text);
        v = judge(s);
        if (v != PASS)
            return v;
    }
    enum verdict v = apply(s, SESS_MSG_PARSE, &p);
    struct gate_text *kept = gate_text_matters(s->request->text) ? s->request->text
                                                                 : NULL;
    if (s->request->verdict == GATE_PASS)
        gate_prepared_set(&s->gate, p.name, kept, false, current_place(s));
    judgement_done(s);
    extended_sent(s);
    return v;
}

/* What a name means is sure when the Parses before it are answered; or does not matter. */
static bool
is_name_sure(const struct sess *s, struct str name)
{
    struct gate_text *texts[GATE_MAX_CANDIDATES];
    bool is_tx;
    if (gate_prepared_is_sure(&s->gate, name, current_unit(s)))
        return true;
    size_t n = gate_prepared_get(&s->gate, name, current_unit(s), texts, &is_tx);
    return sess_only_commits(s, texts, n);
}

static enum verdict
bind_portal(struct sess *s, const struct pgw_bind *b, bool is_whole)
{
    if (!is_skipped(s)) {
        if (s->n_sent != s->n_done && !is_name_sure(s, b->statement))
            return stay(s, SESS_WAIT_IDLE);
        sess_portal_bind(s, b, is_whole);
    }
    extended_sent(s);
    return PASS;
}

/* A Bind that is longer than what we look at: its names stand in front, and only a history
 * row has values that matter. */
static enum verdict
on_long_bind(struct sess *s, const struct frame *f)
{
    struct pgw_bind b = { .n_params = 0 };
    size_t n = f->n_there < f->head.body_len ? f->n_there : f->head.body_len;
    const char *end = memchr(f->body, 0, n);
    const char *end2 = end ? memchr(end + 1, 0, n - (size_t)(end + 1 - f->body)) : NULL;
    if (!end2)
        return n < MAX_NAMES ? NEED_MORE : violation(s, "Bind with too long a name");
    b.portal = str_of(f->body);
    b.statement = str_of(end + 1);
    return bind_portal(s, &b, false);
}

static enum verdict
on_bind(struct sess *s, const struct frame *f)
{
    struct pgw_bind b;
    struct err err = { "" };
    if (pgw_parse_bind(f->body, f->head.body_len, &b, &err) != 0)
        return violation(s, err.text);
    return bind_portal(s, &b, true);
}

static void
copy_binds(struct gate_request *req, const struct sess_bind *b)
{
    req->has_binds = b->has_values;
    req->n_binds = b->n_values;
    req->binds = mem_array(b->n_values + 1, sizeof(*req->binds));
    for (size_t i = 0; i < b->n_values; i++) {
        req->binds[i] = b->values[i];
        if (b->values[i].p)
            req->binds[i].p = mem_strndup(b->values[i].p, b->values[i].n);
    }
}

static const char sync_message[] = { 'S', 0, 0, 0, 4 };

/* Is the message at hand the last before Sync? NEED_MORE: that isn't there yet. */
static enum verdict
is_last(const struct frame *f)
{
    const char *p = f->body + f->head.body_len;
    size_t n = f->n_there - f->head.body_len, max = sizeof(sync_message);
    if (memcmp(p, sync_message, n < max ? n : max) != 0)
        return PASS;
    return n < max ? NEED_MORE : DROP;
}

/* An Execute that ends its batch, of what takes several statements: for it and the Sync a
 * Query is sent, which answers with CommandComplete and ReadyForQuery as well. All before it
 * is answered, so that its portal is there. bind: NULL once it is judged. */
static enum verdict
execute_by_query(struct sess *s, struct frame *f, struct sess_bind *bind)
{
    if (bind) {
        if (batch_is_open(s))
            return stay(s, SESS_WAIT_BATCH);
        bind->is_bare = false;
        start_judging(s, GATE_QUERY, ref_take(bind->texts[0]));
        s->request->is_batch_begun = s->execs_sent > 0;
        enum verdict v = judge(s);
        if (v != PASS)
            return v;
    }
    f->size += sizeof(sync_message);
    return run_query(s, true);
}

static enum verdict
on_execute(struct sess *s, struct frame *f)
{
    struct str name;
    struct err err = { "" };
    struct gate_text *texts[GATE_MAX_CANDIDATES];
    struct sess_bind *bind = NULL;
    bool is_tx = false;
    if (pgw_parse_execute(f->body, f->head.body_len, &name, &err) != 0)
        return violation(s, err.text);
    if (!s->request) {
        int n = is_skipped(s) ? 0 : sess_portal_texts(s, name, texts, &is_tx, &bind);
        if (n > 0 && sess_only_commits(s, texts, (size_t)n))
            n = 0;
        if (n != 0 && s->n_sent != s->n_done)
            return stay(s, SESS_WAIT_IDLE);
        if (sess_portal_is_several(s, n, bind)) {
            enum verdict v = is_last(f);
            if (v != PASS)
                return v == DROP ? execute_by_query(s, f, bind) : v;
        }
        if (bind)
            bind->is_bare = false;
        s->is_reading_unsure |= !is_tx;
        if (n == 0) {
            extended_sent(s);
            s->execs_sent++;
            return PASS;
        }
        struct gate_text *text = n == 1
            ? ref_take(texts[0])
            : gate_text_unreadable("", 0,
                "the portal may run one of several statements: an earlier batch "
                "failed half-way; parse it again");
        start_judging(s, GATE_EXECUTE, text);
        if (bind && n == 1 && bind->n_texts == 1)
            copy_binds(s->request, bind);
        enum verdict v = judge(s);
        if (v != PASS)
            return v;
    }
    if (s->request->kind == GATE_QUERY)
        return execute_by_query(s, f, NULL);
    if (!is_skipped(s) && sess_own_is_wanted(s) && batch_is_open(s))
        return stay(s, SESS_WAIT_BATCH);
    switch (sess_own_before(s, false, is_skipped(s))) {
    case SESS_OWN_DONE:
        break;
    case SESS_OWN_WAIT:
        return stay(s, SESS_WAIT_OWN);
    case SESS_OWN_FAILED: /* the server skips it */
        not_sent(s);
        extended_sent(s);
        s->execs_sent++;
        return PASS;
    }
    enum verdict v = apply(s, SESS_MSG_EXECUTE, NULL);
    judgement_done(s);
    extended_sent(s);
    s->execs_sent++;
    s->execs_judged++;
    return v;
}

static enum verdict
on_close(struct sess *s, const struct frame *f)
{
    char what;
    struct str name;
    struct err err = { "" };
    if (pgw_parse_target(f->body, f->head.body_len, &what, &name, &err) != 0)
        return violation(s, err.text);
    if (what == 'S' && !is_skipped(s))
        gate_prepared_set(&s->gate, name, NULL, false, current_place(s));
    extended_sent(s);
    return PASS;
}

/* A function called by its oid: built-in ones pass, any other could do anything, as CALL. */
static enum verdict
on_function_call(struct sess *s, const struct frame *f)
{
    char text[64];
    if (f->head.body_len < 4)
        return violation(s, "FunctionCall without a function");
    if (f->n_there < 4)
        return NEED_MORE;
    uint32_t oid = pgw_u32(f->body);
    if (oid < FIRST_USER_OID) {
        if (batch_is_open(s))
            return stay(s, SESS_WAIT_BATCH);
        if (!is_skipped(s))
            unit_sent(s, true);
        return PASS;
    }
    int n = snprintf(text, sizeof(text), "CALL function_with_oid_%u()", oid);
    return on_query_text(s, (struct str){ text, (size_t)n });
}

/* --- frames --------------------------------------------------------------------------- */

/* Is its body looked at? Else it streams by. */
static bool
is_inspected(const struct sess *s, char type)
{
    switch (type) {
    case 'Q':
    case 'P':
    case 'F':
        return true;
    case 'B':
    case 'E':
    case 'C':
        return s->gate.prepared || s->portals;
    }
    return false;
}

static bool
may_add(const struct sess *s, char type)
{
    return s->state == SESS_ST_READY
        && (is_inspected(s, type) || s->is_copying || s->n_ends > 0 || s->hold
            || (type == 'S' && s->gate.holds_change));
}

/* Is it short enough to be seen whole? Execute and Close always are. */
static bool
is_kept(const struct sess *s, const struct frame *f)
{
    return f->head.body_len <= s->max_inspect || f->head.type == 'E'
        || f->head.type == 'C';
}

static enum verdict
inspect(struct sess *s, struct frame *f)
{
    switch (f->head.type) {
    case 'Q':
        return on_query(s, f);
    case 'P':
        return on_parse(s, f);
    case 'B':
        return on_bind(s, f);
    case 'E':
        return on_execute(s, f);
    case 'C':
        return on_close(s, f);
    }
    return PASS;
}

/* A message above max_inspect_size: judged without its text. What follows the header is
 * passed or dropped as it comes. */
static enum verdict
inspect_oversized(struct sess *s, const struct frame *f)
{
    enum sess_message kind = f->head.type == 'Q' ? SESS_MSG_QUERY : SESS_MSG_EXECUTE;
    if (kind == SESS_MSG_QUERY && batch_is_open(s))
        return stay(s, SESS_WAIT_BATCH);
    if (is_skipped(s)) {
        if (kind != SESS_MSG_QUERY)
            extended_sent(s);
        return PASS;
    }
    if (!s->request) {
        if (s->n_sent != s->n_done)
            return stay(s, SESS_WAIT_IDLE);
        /* A Parse counts as run at once: what it prepares can't be followed. */
        start_judging(
            s, kind == SESS_MSG_QUERY ? GATE_QUERY : GATE_EXECUTE, oversized(s, f));
        enum verdict v = judge(s);
        if (v != PASS)
            return v;
    }
    enum verdict v = apply(s, kind, NULL);
    judgement_done(s);
    if (kind == SESS_MSG_QUERY)
        unit_sent(s, true);
    else
        extended_sent(s);
    return v;
}

/* A Sync that commits what the batch has changed, and may be refused as a COMMIT is: the
 * error before it rolls the batch back. */
static enum verdict
on_sync(struct sess *s)
{
    if (!s->request) {
        struct gate_text *text = gate_text_of_commit(STR("COMMIT"));
        DG_ASSERT(text, "COMMIT is a text that commits");
        start_judging(s, GATE_SYNC, text);
        enum verdict v = judge(s);
        if (v != PASS)
            return v;
    }
    if (is_refused(s))
        sess_refuse(s, SESS_MSG_EXECUTE, STR(""), s->request->refusal);
    else
        queue_notices(s, s->request);
    judgement_done(s);
    return PASS;
}

/* Counts a message that streams by. */
static enum verdict
stream(struct sess *s, const struct frame *f)
{
    switch (f->head.type) {
    case 'E':
        s->execs_sent++;
        s->is_reading_unsure = true;
        extended_sent(s);
        break;
    case 'B':
    case 'C':
    case 'D':
        extended_sent(s);
        break;
    case 'S':
        if (sess_sync_commits(s)) {
            enum verdict v = on_sync(s);
            if (v != PASS)
                return v;
        }
        unit_sent(s, false);
        s->n_maybe += s->is_in_copy;
        break;
    case 'c':
    case 'f':
        if (!sess_copy_end_sent(s))
            return violation(s, "too many ends of COPY data");
        break;
    case 'X':
        s->is_terminated = true;
        break;
    case 'p':
        return violation(s, "password message after the login");
    }
    return PASS;
}

/* Data of a COPY into a history, or its end. */
static enum verdict
on_held(struct sess *s, const struct frame *f)
{
    bool is_end = f->head.type == 'c';
    if (!s->request) {
        if (!is_end && sess_hold_has_room(s, f->head.body_len)) {
            if (f->n_there < f->head.body_len)
                return NEED_MORE;
            bool added = sess_hold_add(s, f->body, f->head.body_len);
            DG_ASSERT(added, "there was room");
            return DROP;
        }
        start_judging(s, GATE_COPY, ref_take(sess_hold_text(s)));
        if (is_end)
            s->request->copy_data = sess_hold_data(s);
        enum verdict v = judge(s);
        if (v != PASS)
            return v;
    }
    bool refused = is_refused(s);
    if (refused) {
        sess_hold_refuse(s, s->request->refusal);
    } else {
        queue_notices(s, s->request);
        sess_hold_send(s);
    }
    judgement_done(s);
    return refused && is_end ? DROP : stream(s, f);
}

/* An answer to the server's question, or the end. */
static enum verdict
on_login(struct sess *s, const struct frame *f)
{
    s->is_terminated = f->head.type == 'X';
    if (f->head.type != 'p')
        return PASS;
    if (f->n_there < f->head.body_len)
        return NEED_MORE;
    return sess_login_reply(s, f->body, f->head.body_len) ? PASS : ENDED;
}

/* Everything that decides about one message. */
static enum verdict
decide(struct sess *s, struct frame *f)
{
    char type = f->head.type;
    if (s->state == SESS_ST_LOGIN)
        return on_login(s, f);
    switch (sess_copy_allows(s, type)) {
    case SESS_COPY_GO:
        break;
    case SESS_COPY_WAIT:
        return stay(s, SESS_WAIT_COPY);
    case SESS_COPY_VIOLATION:
        return copy_violation(s, type);
    case SESS_COPY_UNSYNCED:
        return violation(
            s, "after a failed COPY: send Sync and wait for ReadyForQuery first");
    }
    if (!sess_own_allows(s, type) || !sess_steps_allow(s))
        return stay(s, SESS_WAIT_OWN);
    if (s->n_sent - s->n_done >= MAX_UNITS && !strchr("dcfHX", type))
        return s->is_in_copy ? violation(s, "too many Syncs during COPY from stdin")
                             : stay(s, SESS_WAIT_IDLE);
    if (s->hold && (type == 'd' || type == 'c'))
        return on_held(s, f);
    if (!is_inspected(s, type))
        return stream(s, f);
    if (type == 'F')
        return on_function_call(s, f);
    if (is_kept(s, f))
        return f->n_there < f->head.body_len ? NEED_MORE : inspect(s, f);
    if (type == 'B')
        return on_long_bind(s, f);
    return inspect_oversized(s, f);
}

/* During the login only replies to the server's questions pass; whoever goes on as if it
 * were over waits. */
static int
read_head(
    struct sess *s, const char *p, size_t n, struct pgw_head *out, struct err *err)
{
    if (s->state == SESS_ST_READY)
        return pgw_head_client(p, n, out, err);
    if (*p == 'p')
        return pgw_head_login(p, n, out, err);
    if (*p == 'X')
        return pgw_head_client(p, n, out, err);
    if (s->login->is_asked)
        return err_set(err, PGW_E_MALFORMED,
            "expected an answer to the server's authentication request");
    s->wait = SESS_WAIT_LOGIN;
    return PGW_NEED_MORE;
}

size_t
sess_front_bytes(struct sess *s, const char *p, size_t n)
{
    struct sess_leg *leg = &s->client;
    size_t start = 0, pos = 0;
    if ((s->state != SESS_ST_READY && s->state != SESS_ST_LOGIN)
        || s->wait != SESS_WAIT_NONE || s->n_cancels > 0)
        return 0;
    while (pos < n) {
        if (leg->pass) {
            size_t k = leg->pass < n - pos ? leg->pass : n - pos;
            leg->pass -= k;
            pos += k;
            continue;
        }
        if (leg->skip) {
            size_t k = leg->skip < n - pos ? leg->skip : n - pos;
            sess_send(s, &s->server, p + start, pos - start);
            leg->skip -= k;
            pos += k;
            start = pos;
            continue;
        }
        struct frame f;
        struct err err = { "" };
        int r = read_head(s, p + pos, n - pos, &f.head, &err);
        if (r == PGW_NEED_MORE)
            break;
        if (r != 0) {
            violation(s, err.text);
            return 0;
        }
        f.body = p + pos + PGW_HEADER_SIZE;
        f.size = (size_t)f.head.body_len + PGW_HEADER_SIZE;
        f.n_there = n - pos - PGW_HEADER_SIZE;
        /* What stands before goes out first: deciding may send something of our own. */
        if (pos > start && may_add(s, f.head.type)) {
            sess_send(s, &s->server, p + start, pos - start);
            start = pos;
        }
        enum verdict v = decide(s, &f);
        if (v == ENDED)
            return 0;
        if (v == STAY || v == NEED_MORE)
            break;
        if (v == PASS)
            leg->pass = f.size;
        else
            leg->skip = f.size;
    }
    sess_send(s, &s->server, p + start, pos - start);
    return pos;
}
