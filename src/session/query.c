// SPDX-License-Identifier: ISC
/* Query and FunctionCall, and an Execute for which a Query is sent. */
#include "gate/temp.h"
#include "session/front.h"
#include "session/own.h"
#include "session/retry.h"
#include "session/steps.h"

#include <stdio.h>

/* Built-in functions can't change the schema behind a FunctionCall; the first oid that
 * CREATE FUNCTION can get (FirstNormalObjectId). */
#define FIRST_USER_OID 16384

enum front_verdict
front_read_text(struct sess *s, struct str sql, struct gate_text **text)
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
        return FRONT_PASS;
    if (s->n_sent != s->n_done) {
        ref_drop(*text);
        *text = NULL;
        return front_stay(s, SESS_WAIT_IDLE);
    }
    if (r == GATE_TEXT_UNCERTAIN)
        *text = gate_text_unreadable(sql.p, sql.n,
            "an earlier message of this batch may change how string constants read; send "
            "Sync before it");
    return FRONT_PASS;
}

void
front_edit_temp(struct sess *s, struct gate_text **text)
{
    struct gate_text *edited = gate_temp_rewrite(&s->gate, *text);
    if (!edited)
        return;
    ref_drop(*text);
    *text = edited;
}

/* A statement that belongs before it has failed, and the client has that error. */
static void
steps_failed(struct sess *s)
{
    const char *sqlstate, *why = sess_steps_why(s, &sqlstate);
    s->is_cancelled = false;
    gate_not_sent(s->request, AUD_FAILED, sqlstate, why);
    sess_steps_free(s);
    front_judgement_done(s);
}

enum front_verdict
front_run_query(struct sess *s, bool is_instead)
{
    enum sess_own_step step = sess_steps_before(s);
    if (step == SESS_OWN_FAILED) {
        steps_failed(s);
        return FRONT_DROP;
    }
    if (step == SESS_OWN_DONE)
        step = sess_own_before(s, true, false);
    if (step == SESS_OWN_WAIT)
        return front_stay(s, SESS_WAIT_OWN);
    if (step == SESS_OWN_FAILED) {
        front_not_sent(s);
        return FRONT_DROP;
    }
    if (s->request->verdict == GATE_PASS && !s->is_cancelled) {
        struct gate_text *edited = front_edited_text(s->request);
        sess_retry_arm(s, edited ? edited : s->request->text);
    }
    enum front_verdict v = front_apply(s, SESS_MSG_QUERY, NULL);
    if (is_instead && v == FRONT_PASS) {
        front_send_edited(s, s->request->text, NULL);
        v = FRONT_DROP;
    }
    front_judgement_done(s);
    sess_unit_sent(s, true);
    return v;
}

/* There is nothing to judge in it but that it may end a batch. */
static enum front_verdict
pass_query(struct sess *s)
{
    enum front_verdict v = front_end_batch(s, SESS_MSG_QUERY);
    if (v != FRONT_STAY)
        sess_unit_sent(s, true);
    return v;
}

static enum front_verdict
on_query_text(struct sess *s, struct str sql)
{
    if (!s->request) {
        struct gate_text *text;
        if (front_batch_is_open(s))
            return front_stay(s, SESS_WAIT_BATCH);
        if (front_is_skipped(s))
            return FRONT_PASS;
        enum front_verdict v = front_read_text(s, sql, &text);
        if (v != FRONT_PASS)
            return v;
        if (!text)
            return pass_query(s);
        front_edit_temp(s, &text);
        front_start_judging(s, GATE_QUERY, text);
        v = front_judge(s);
        if (v != FRONT_PASS)
            return v;
    }
    return s->request->kind == GATE_SYNC ? pass_query(s) : front_run_query(s, false);
}

enum front_verdict
front_query(struct sess *s, const struct front_frame *f)
{
    struct str sql;
    struct err err = { "" };
    if (pgw_parse_query(f->body, f->head.body_len, &sql, &err) != 0)
        return front_violation(s, err.text);
    return on_query_text(s, sql);
}

enum front_verdict
front_function_call(struct sess *s, const struct front_frame *f)
{
    char text[64];
    if (f->head.body_len < 4)
        return front_violation(s, "FunctionCall without a function");
    if (f->n_there < 4)
        return FRONT_NEED_MORE;
    uint32_t oid = pgw_u32(f->body);
    if (oid < FIRST_USER_OID) {
        if (!s->request && front_batch_is_open(s))
            return front_stay(s, SESS_WAIT_BATCH);
        return front_is_skipped(s) && !s->request ? FRONT_PASS : pass_query(s);
    }
    int n = snprintf(text, sizeof(text), "CALL function_with_oid_%u()", oid);
    return on_query_text(s, (struct str){ text, (size_t)n });
}
