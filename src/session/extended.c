// SPDX-License-Identifier: ISC
/* Parse, Bind, Execute, Close. What a name means is followed by gate/client.h, what a portal
 * runs by portal.c; judged is the Parse (may it ever run?) and the Execute (now?). */
#include "base/mem.h"
#include "session/front.h"
#include "session/own.h"

#include <string.h>

#define MAX_NAMES ((size_t)64 << 10) /* portal's and statement's, in a long Bind */

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

/* Of an extended message. */
static struct gate_place
current_place(const struct sess *s)
{
    return (struct gate_place){ s->n_sent + 1, s->batch_sent };
}

enum front_verdict
front_parse(struct sess *s, const struct front_frame *f)
{
    struct pgw_parse p;
    struct err err = { "" };
    if (pgw_parse_parse(f->body, f->head.body_len, &p, &err) != 0)
        return front_violation(s, err.text);
    if (!s->request) {
        struct gate_text *text;
        if (front_is_skipped(s)) {
            front_extended_sent(s);
            return FRONT_PASS;
        }
        enum front_verdict v = front_read_text(s, p.sql, &text);
        if (v != FRONT_PASS)
            return v;
        if (!text) {
            AUTO(gate_text_unref) struct gate_text *end = gate_text_of_commit(p.sql);
            gate_prepared_set(
                &s->gate, p.name, end, is_tx_text(p.sql), current_place(s));
            front_extended_sent(s);
            return FRONT_PASS;
        }
        if (p.n_types == 0)
            front_edit_temp(s, &text);
        front_start_judging(s, GATE_PARSE, text);
        v = front_judge(s);
        if (v != FRONT_PASS)
            return v;
    }
    enum front_verdict v = front_apply(s, SESS_MSG_PARSE, &p);
    struct gate_text *kept = gate_text_matters(s->request->text) ? s->request->text
                                                                 : NULL;
    if (s->request->verdict == GATE_PASS)
        gate_prepared_set(&s->gate, p.name, kept, false, current_place(s));
    front_judgement_done(s);
    front_extended_sent(s);
    return v;
}

/* What a name means is sure when the Parses before it are answered; or does not matter. */
static bool
is_name_sure(const struct sess *s, struct str name)
{
    struct gate_text *texts[GATE_MAX_CANDIDATES];
    bool is_tx;
    if (gate_prepared_is_sure(&s->gate, name, s->n_sent + 1))
        return true;
    size_t n = gate_prepared_get(&s->gate, name, s->n_sent + 1, texts, &is_tx);
    return sess_only_commits(s, texts, n);
}

static enum front_verdict
bind_portal(struct sess *s, const struct pgw_bind *b, bool is_whole)
{
    if (!front_is_skipped(s)) {
        if (s->n_sent != s->n_done && !is_name_sure(s, b->statement))
            return front_stay(s, SESS_WAIT_IDLE);
        sess_portal_bind(s, b, is_whole);
    }
    front_extended_sent(s);
    return FRONT_PASS;
}

enum front_verdict
front_long_bind(struct sess *s, const struct front_frame *f)
{
    struct pgw_bind b = { .n_params = 0 };
    size_t n = f->n_there < f->head.body_len ? f->n_there : f->head.body_len;
    const char *end = memchr(f->body, 0, n);
    const char *end2 = end ? memchr(end + 1, 0, n - (size_t)(end + 1 - f->body)) : NULL;
    if (!end2)
        return n < MAX_NAMES ? FRONT_NEED_MORE
                             : front_violation(s, "Bind with too long a name");
    b.portal = str_of(f->body);
    b.statement = str_of(end + 1);
    return bind_portal(s, &b, false);
}

enum front_verdict
front_bind(struct sess *s, const struct front_frame *f)
{
    struct pgw_bind b;
    struct err err = { "" };
    if (pgw_parse_bind(f->body, f->head.body_len, &b, &err) != 0)
        return front_violation(s, err.text);
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

/* Is the message at hand the last before Sync, as far as can be seen? */
static bool
is_last(const struct front_frame *f, bool *is_sure)
{
    size_t n = f->n_there - f->head.body_len, max = sizeof(sync_message);
    *is_sure = n >= max;
    return memcmp(f->body + f->head.body_len, sync_message, n < max ? n : max) == 0;
}

/* An Execute that ends its batch, of what takes several statements: for it and the Sync a
 * Query is sent, which answers with CommandComplete and ReadyForQuery as well. All before it
 * is answered, so that its portal is there. bind: NULL once it is judged. */
static enum front_verdict
execute_by_query(struct sess *s, struct front_frame *f, struct sess_bind *bind)
{
    if (bind) {
        if (front_batch_is_open(s))
            return front_stay(s, SESS_WAIT_BATCH);
        bind->is_bare = false;
        front_start_judging(s, GATE_QUERY, ref_take(bind->texts[0]));
        enum front_verdict v = front_judge(s);
        if (v != FRONT_PASS)
            return v;
    }
    f->size += sizeof(sync_message);
    return front_run_query(s, true);
}

enum front_verdict
front_execute(struct sess *s, struct front_frame *f)
{
    struct str name;
    struct err err = { "" };
    struct gate_text *texts[GATE_MAX_CANDIDATES];
    struct sess_bind *bind = NULL;
    bool is_tx = false;
    if (pgw_parse_execute(f->body, f->head.body_len, &name, &err) != 0)
        return front_violation(s, err.text);
    if (!s->request) {
        int n = front_is_skipped(s) ? 0
                                    : sess_portal_texts(s, name, texts, &is_tx, &bind);
        if (n > 0 && sess_only_commits(s, texts, (size_t)n))
            n = 0;
        if (n != 0 && s->n_sent != s->n_done)
            return front_stay(s, SESS_WAIT_IDLE);
        bool is_sure;
        if (sess_portal_is_several(s, n, bind) && is_last(f, &is_sure))
            return is_sure ? execute_by_query(s, f, bind) : FRONT_NEED_MORE;
        if (bind)
            bind->is_bare = false;
        s->is_reading_unsure |= !is_tx;
        if (n == 0) {
            front_extended_sent(s);
            s->execs_sent++;
            return FRONT_PASS;
        }
        struct gate_text *text = n == 1
            ? ref_take(texts[0])
            : gate_text_unreadable("", 0,
                "the portal may run one of several statements: an earlier batch "
                "failed half-way; parse it again");
        front_start_judging(s, GATE_EXECUTE, text);
        if (bind && n == 1 && bind->n_texts == 1)
            copy_binds(s->request, bind);
        enum front_verdict v = front_judge(s);
        if (v != FRONT_PASS)
            return v;
    }
    if (s->request->kind == GATE_QUERY)
        return execute_by_query(s, f, NULL);
    if (!front_is_skipped(s) && sess_own_is_wanted(s) && front_batch_is_open(s))
        return front_stay(s, SESS_WAIT_BATCH);
    switch (sess_own_before(s, false, front_is_skipped(s))) {
    case SESS_OWN_DONE:
        break;
    case SESS_OWN_WAIT:
        return front_stay(s, SESS_WAIT_OWN);
    case SESS_OWN_FAILED: /* the server skips it */
        front_not_sent(s);
        front_extended_sent(s);
        s->execs_sent++;
        return FRONT_PASS;
    }
    enum front_verdict v = front_apply(s, SESS_MSG_EXECUTE, NULL);
    front_judgement_done(s);
    front_extended_sent(s);
    s->execs_sent++;
    s->execs_judged++;
    return v;
}

enum front_verdict
front_close(struct sess *s, const struct front_frame *f)
{
    char what;
    struct str name;
    struct err err = { "" };
    if (pgw_parse_target(f->body, f->head.body_len, &what, &name, &err) != 0)
        return front_violation(s, err.text);
    if (what == 'S' && !front_is_skipped(s))
        gate_prepared_set(&s->gate, name, NULL, false, current_place(s));
    front_extended_sent(s);
    return FRONT_PASS;
}
