// SPDX-License-Identifier: ISC
/* A Query for the end of a batch; see batch.h. */
#include "session/batch.h"

#include <string.h>

#define MAX_BODY ((size_t)16) /* beside the portal's name */

struct cursor {
    const char *p;
    size_t n;
    struct str portal;
};

/* Takes the next message if it has this type and, unless it is a Sync, names the portal. */
static int
take(struct cursor *c, char type)
{
    struct pgw_head h;
    struct err err;
    struct str name = c->portal;
    char what = 'P';

    if (c->n == 0)
        return PGW_NEED_MORE;
    if (*c->p != type)
        return PGW_E_MALFORMED;
    int r = pgw_head_client(c->p, c->n, &h, &err);
    if (r)
        return r;
    if (h.body_len > MAX_BODY + c->portal.n)
        return PGW_E_MALFORMED;
    if (c->n < PGW_HEADER_SIZE + h.body_len)
        return PGW_NEED_MORE;
    const char *body = c->p + PGW_HEADER_SIZE;
    if (type == 'D')
        r = pgw_parse_target(body, h.body_len, &what, &name, &err);
    else if (type == 'E')
        r = pgw_parse_execute(body, h.body_len, &name, &err);
    if (r || what != 'P' || !str_eq(name, c->portal))
        return PGW_E_MALFORMED;
    c->p += PGW_HEADER_SIZE + h.body_len;
    c->n -= PGW_HEADER_SIZE + h.body_len;
    return 0;
}

int
sess_batch_read(
    const struct pgw_bind *bind, const char *p, size_t n, struct sess_batch *out)
{
    struct cursor c = { p, n, bind->portal };
    int r = 0;

    *out = (struct sess_batch){ .is_described = n > 0 && *p == 'D' };
    if (bind->n_params > 0)
        return PGW_E_MALFORMED;
    if (out->is_described)
        r = take(&c, 'D');
    r = r ? r : take(&c, 'E');
    r = r ? r : take(&c, 'S');
    out->size = n - c.n;
    return r;
}

/* The Query reads the text once more: settings may have changed since its Parse. */
struct gate_text *
sess_batch_text(const struct sess *s, const struct pgw_bind *bind)
{
    struct gate_text *texts[GATE_MAX_CANDIDATES], *t;
    bool is_tx;

    if (!gate_prepared_is_sure(&s->gate, bind->statement, s->n_sent + 1)
        || gate_prepared_get(&s->gate, bind->statement, s->n_sent + 1, texts, &is_tx)
            != 1
        || (bind->statement.n == 0 && s->is_unnamed_gone))
        return NULL;
    t = texts[0];
    return t->takes_several && t->std_strings == s->gate.std_strings
            && s->gate.is_safe_encoding && !s->is_reading_unsure
        ? t
        : NULL;
}

/* A statement that changes the schema has no columns. */
void
sess_batch_begin(struct sess *s, const struct sess_batch *b)
{
    buf_reset(&s->replies);
    pgw_build_bare(&s->replies, '2');
    if (b->is_described)
        pgw_build_bare(&s->replies, 'n');
}

void
sess_batch_reply(struct sess *s)
{
    if (buf_len(&s->replies) == 0)
        return;
    sess_send(s, &s->client, buf_ptr(&s->replies), buf_len(&s->replies));
    buf_deinit(&s->replies);
}
