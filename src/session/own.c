// SPDX-License-Identifier: ISC
/* The gate's own SHOW and SET; see own.h. */
#include "session/own.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define OWN_NAME "ddlgate_own" /* of statement and portal in a batch */

#define MAX_VALUE 32 /* "2147483647ms" */

enum own_state {
    OWN_ASKING,
    OWN_ASKED,
    OWN_SETTING,
    OWN_SET,
    OWN_ON, /* the client's statement is under way */
    OWN_RESTORING,
    OWN_FAILED,
};

struct sess_own {
    enum own_state state;
    bool is_query;                  /* else messages in the client's batch */
    bool is_local;                  /* SET LOCAL */
    bool is_owed;                   /* can't be set back before the transaction ends */
    bool has_failed;                /* while it is set back */
    uint64_t unit;                  /* of the client's statement */
    int64_t set_ms[POL_N_TIMEOUTS]; /* as we have set it; 0: not */
    char old[POL_N_TIMEOUTS][MAX_VALUE];
    /* of the exchange that goes on */
    int64_t wanted_ms[POL_N_TIMEOUTS]; /* 0: not in question */
    char now[POL_N_TIMEOUTS][MAX_VALUE];
    unsigned n_rows;  /* values that SHOW has told so far */
    unsigned n_close; /* CloseCompletes that are still to come, in a batch */
};

void
sess_own_free(struct sess *s)
{
    mem_free(s->own);
    s->own = NULL;
}

/* --- sending ---------------------------------------------------------------------------- */

static void
put_batch(struct sess_own *o, struct buf *b, const char *sql)
{
    static const char flush[] = { 'H', 0, 0, 0, 4 };
    pgw_build_parse(b, STR(OWN_NAME), sql);
    pgw_build_bind(b, STR(OWN_NAME), STR(OWN_NAME));
    pgw_build_execute(b, STR(OWN_NAME));
    pgw_build_close(b, 'P', STR(OWN_NAME));
    pgw_build_close(b, 'S', STR(OWN_NAME));
    buf_put(b, flush, sizeof(flush));
    o->n_close += 2;
}

/* One statement per timeout that `has` says: as one Query, or one after the other. */
static void
send_each(struct sess *s, const bool has[POL_N_TIMEOUTS], const char *verb,
    const char (*values)[MAX_VALUE])
{
    struct sess_own *o = s->own;
    AUTO(buf_deinit) struct buf b = BUF_INIT(4096);
    char all[512] = "";
    size_t n = 0;
    for (int i = 0; i < POL_N_TIMEOUTS; i++) {
        char one[160];
        if (!has[i])
            continue;
        snprintf(one, sizeof(one), "%s %s%s%s%s", verb,
            pol_timeout_name((enum pol_timeout)i), values ? " = '" : "",
            values ? values[i] : "", values ? "'" : "");
        if (!o->is_query)
            put_batch(o, &b, one);
        n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", n ? "; " : "", one);
    }
    if (o->is_query)
        pgw_build_query(&b, all);
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
}

static void
ask(struct sess *s)
{
    struct sess_own *o = s->own;
    bool has[POL_N_TIMEOUTS];
    for (int i = 0; i < POL_N_TIMEOUTS; i++)
        has[i] = o->wanted_ms[i] > 0;
    o->state = OWN_ASKING;
    o->n_rows = 0;
    send_each(s, has, "SHOW", NULL);
}

static const char *
set_verb(const struct sess_own *o)
{
    return o->is_local ? "SET LOCAL" : "SET";
}

/* Never looser than what the session has; what can't be read counts as none. */
static bool
is_needed(const struct sess_own *o, int i)
{
    int64_t ms;
    if (!o->wanted_ms[i])
        return false;
    return str_duration(str_of(o->now[i]), 1, &ms) != 0 || ms == 0
        || ms > o->wanted_ms[i];
}

/* false: nothing needs to be set. */
static bool
set(struct sess *s)
{
    struct sess_own *o = s->own;
    char values[POL_N_TIMEOUTS][MAX_VALUE] = { "" };
    bool has[POL_N_TIMEOUTS], any = false;
    for (int i = 0; i < POL_N_TIMEOUTS; i++) {
        has[i] = is_needed(o, i);
        any |= has[i];
        if (!has[i])
            continue;
        if (!o->set_ms[i])
            memcpy(o->old[i], o->now[i], MAX_VALUE);
        o->set_ms[i] = o->wanted_ms[i];
        snprintf(values[i], MAX_VALUE, "%lldms", (long long)o->wanted_ms[i]);
    }
    if (!any)
        return false;
    o->state = OWN_SETTING;
    send_each(s, has, set_verb(o), (const char(*)[MAX_VALUE])values);
    return true;
}

static void
restore(struct sess *s)
{
    struct sess_own *o = s->own;
    bool has[POL_N_TIMEOUTS];
    for (int i = 0; i < POL_N_TIMEOUTS; i++)
        has[i] = o->set_ms[i] > 0;
    o->state = OWN_RESTORING;
    o->is_query = true;
    send_each(s, has, set_verb(o), (const char(*)[MAX_VALUE])o->old);
}

static bool
has_set(const struct sess_own *o)
{
    bool any = false;
    for (int i = 0; i < POL_N_TIMEOUTS; i++)
        any |= o->set_ms[i] > 0;
    return any;
}

/* --- the client's side ------------------------------------------------------------------ */

bool
sess_own_is_wanted(const struct sess *s)
{
    const struct gate_request *req = s->request;
    bool any = false;
    /* In a failed transaction the server refuses the statement anyway. */
    if (req->verdict != GATE_PASS || s->gate.tx_status == 'E')
        return false;
    for (int i = 0; i < POL_N_TIMEOUTS; i++)
        any |= req->rewrite.timeout_ms[i] > 0;
    return any && req->kind != GATE_PARSE;
}

static void
begin(struct sess *s, bool is_query)
{
    struct sess_own *o = s->own = mem_zalloc(sizeof(*o));
    o->is_query = is_query;
    /* In a batch even outside of a block: until its Sync all of it is one transaction. */
    o->is_local = !is_query || s->gate.tx_status == 'T';
}

/* What the statement wants and an earlier one of its batch has not set yet. */
static bool
wants_more(struct sess *s)
{
    struct sess_own *o = s->own;
    bool any = false;
    for (int i = 0; i < POL_N_TIMEOUTS; i++) {
        int64_t ms = s->request->rewrite.timeout_ms[i];
        bool is_more = ms && (!o->set_ms[i] || o->set_ms[i] > ms);
        o->wanted_ms[i] = is_more ? ms : 0;
        any |= is_more;
    }
    return any;
}

/* Everything is set; the statement goes out in the unit that is being sent. */
static enum sess_own_step
go_on(struct sess *s)
{
    if (!has_set(s->own)) {
        sess_own_free(s);
        return SESS_OWN_DONE;
    }
    s->own->state = OWN_ON;
    s->own->unit = s->n_sent + 1;
    return SESS_OWN_DONE;
}

enum sess_own_step
sess_own_before(struct sess *s, bool is_query, bool is_skipped)
{
    if (!s->own || s->own->state == OWN_ON) {
        if (is_skipped || s->is_cancelled || !sess_own_is_wanted(s))
            return SESS_OWN_DONE;
        if (!s->own)
            begin(s, is_query);
        if (!wants_more(s))
            return SESS_OWN_DONE;
        ask(s);
        return SESS_OWN_WAIT;
    }
    switch (s->own->state) {
    case OWN_ASKING:
    case OWN_SETTING:
    case OWN_RESTORING:
        return SESS_OWN_WAIT;
    case OWN_ASKED:
        return !s->is_cancelled && set(s) ? SESS_OWN_WAIT : go_on(s);
    case OWN_SET:
    case OWN_ON:
        return go_on(s);
    case OWN_FAILED:
        sess_own_free(s);
        return SESS_OWN_FAILED;
    }
    return SESS_OWN_DONE;
}

bool
sess_own_has_lock_timeout(const struct sess *s)
{
    const struct sess_own *o = s->own;
    return o && o->state == OWN_ON && o->is_query && !o->is_local && !o->is_owed
        && o->unit == s->n_sent + 1 && o->set_ms[POL_LOCK_TIMEOUT] > 0;
}

/* The statement's unit is sent, and what was set for it can be set back behind it. */
static bool
is_due(const struct sess *s)
{
    return s->own->state == OWN_ON && !s->own->is_owed && s->n_sent >= s->own->unit;
}

bool
sess_own_allows(const struct sess *s, char type)
{
    return !s->own || type == 'X' || (s->own->state != OWN_RESTORING && !is_due(s));
}

bool
sess_own_is_settled(const struct sess *s)
{
    return !s->own || (!sess_own_listens(s) && !is_due(s));
}

/* --- the server's side ------------------------------------------------------------------ */

bool
sess_own_listens(const struct sess *s)
{
    return s->own
        && (s->own->state == OWN_ASKING || s->own->state == OWN_SETTING
            || s->own->state == OWN_RESTORING);
}

/* The value of the next SHOW. */
static void
take_row(struct sess_own *o, const char *body, size_t n)
{
    unsigned k = o->n_rows++;
    for (int i = 0; i < POL_N_TIMEOUTS; i++) {
        if (!o->wanted_ms[i] || k-- > 0)
            continue;
        size_t len = n >= 6 ? pgw_u32(body + 2) : 0;
        if (n >= 6 && len < MAX_VALUE && len <= n - 6)
            memcpy(o->now[i], body + 6, len);
        o->now[i][len < MAX_VALUE ? len : 0] = '\0';
        return;
    }
}

static void
next_step(struct sess *s)
{
    switch (s->own->state) {
    case OWN_ASKING:
        s->own->state = OWN_ASKED;
        break;
    case OWN_SETTING:
        s->own->state = OWN_SET;
        break;
    case OWN_RESTORING:
        sess_own_free(s);
        break;
    case OWN_ASKED:
    case OWN_SET:
    case OWN_ON:
    case OWN_FAILED:
        break;
    }
}

/* false: the error goes to the client, as the answer to its message. */
static bool
failed(struct sess *s)
{
    struct sess_own *o = s->own;
    if (o->state == OWN_RESTORING) {
        o->has_failed = true;
        return true;
    }
    o->state = OWN_FAILED;
    if (o->is_query)
        sess_unit_sent(
            s, true); /* the ReadyForQuery to come ends the client's message */
    return false;
}

static void
own_ready(struct sess *s, char status)
{
    if (s->own->has_failed)
        sess_log(s, true, "what was set around a statement could not be set back");
    s->gate.tx_status = status;
    next_step(s);
}

bool
sess_own_message(struct sess *s, char type, const char *body, size_t n)
{
    struct sess_own *o = s->own;
    if (!sess_own_listens(s))
        return false;
    switch (type) {
    case 'D':
        if (o->state == OWN_ASKING)
            take_row(o, body, n);
        return true;
    case 'E':
        return failed(s);
    case 'Z':
        own_ready(s, n == 1 ? *body : 'E');
        return true;
    case '3':
        if (!o->is_query && --o->n_close == 0)
            next_step(s);
        return true;
    case '1':
    case '2':
    case 'C':
    case 'N':
    case 'T':
        return true;
    }
    return false;
}

void
sess_own_ready(struct sess *s, uint64_t unit, char status)
{
    struct sess_own *o = s->own;
    if (!o || o->state != OWN_ON || unit < o->unit || s->n_cancels > 0)
        return;
    if ((o->is_local && status != 'T') || s->is_terminated || s->client.is_eof)
        sess_own_free(s); /* gone with the transaction, or with the session */
    else if (o->is_local || status == 'I')
        restore(s);
    else
        o->is_owed = true;
}

void
sess_own_uncancelled(struct sess *s)
{
    sess_own_ready(s, s->n_done, s->gate.tx_status);
}
