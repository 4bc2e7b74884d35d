// SPDX-License-Identifier: ISC
/* Texts that were edited on their way to the server, and errors and notices about them: POSITION counts
 * in the text that the server got, and the client has another one. */
#include "base/mem.h"
#include "session/session.h"

#include <stdio.h>

struct sess_edited {
    uint64_t unit;          /* it stands in */
    unsigned message;       /* number among the extended messages, or GATE_IN_QUERY */
    unsigned n_complete;    /* of 1 + text->n_added statements */
    char tag[64];           /* the first's */
    struct gate_text *text; /* owned reference; as the server got it */
    struct sess_edited *next;
};

void
sess_edited_add(struct sess *s, unsigned message, struct gate_text *text)
{
    struct sess_edited *e = mem_alloc(sizeof(*e));
    *e = (struct sess_edited){ .unit = s->n_sent + 1,
        .message = message,
        .text = ref_take(text),
        .next = s->edited };
    s->edited = e;
}

void
sess_edited_done(struct sess *s, uint64_t unit)
{
    for (struct sess_edited **at = &s->edited, *e; (e = *at);) {
        if (e->unit > unit) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        ref_drop(e->text);
        mem_free(e);
    }
}

static bool
is_at(const struct sess *s, const struct sess_edited *e)
{
    return e->unit == s->n_done + 1
        && (e->message == GATE_IN_QUERY || e->message == s->batch_done);
}

bool
sess_edited_complete(struct sess *s, const char *body, size_t n, const char **tag)
{
    for (struct sess_edited *e = s->edited; e; e = e->next) {
        if (!is_at(s, e) || (!e->text->tag && !e->text->n_added))
            continue;
        if (e->n_complete++ == 0)
            snprintf(e->tag, sizeof(e->tag), "%.*s", (int)n, n ? body : "");
        *tag = e->n_complete <= e->text->n_added ? NULL
            : e->text->tag                       ? e->text->tag
                                                 : e->tag;
        return true;
    }
    return false;
}

/* Of a statement that is not its own the client sees neither text nor context. */
static bool
send_without_context(struct sess *s, bool is_notice, const char *body, size_t n)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(n + 64);
    if (!pgw_error_strip(&b, is_notice, body, n, "PpqW"))
        return false;
    sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
    return true;
}

bool
sess_edited_report(struct sess *s, bool is_notice, const char *body, size_t n)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(n + 64);
    struct str position;
    int64_t at;
    for (const struct sess_edited *e = s->edited; e; e = e->next) {
        if (!is_at(s, e))
            continue;
        if (e->text->tag || e->n_complete > 0)
            return send_without_context(s, is_notice, body, n);
        if (!pgw_error_field(body, n, 'P', &position)
            || str_int64(position, 1, INT32_MAX, &at) != 0)
            return false;
        if (!pgw_error_move(
                &b, is_notice, body, n, gate_text_place_of(e->text, (int)at)))
            return false;
        sess_send(s, &s->client, buf_ptr(&b), buf_len(&b));
        return true;
    }
    return false;
}
