// SPDX-License-Identifier: ISC
/* A batch that is a Query in all but its messages; see batch.h. */
#include "session/batch.h"

#include <string.h>

/* Its messages are short: Bind's result formats are one for all columns, or none. */
#define MAX_BODY 16

/* Takes the message at *p, if it is of this type. */
static int
next(const char **p, size_t *n, char type, const char **body, size_t *len)
{
    struct pgw_head h;
    struct err err;

    if (*n == 0)
        return PGW_NEED_MORE;
    if (**p != type)
        return PGW_E_MALFORMED;
    int r = pgw_head_client(*p, *n, &h, &err);
    if (r)
        return r;
    if (h.body_len > MAX_BODY)
        return PGW_E_MALFORMED;
    if (*n < PGW_HEADER_SIZE + h.body_len)
        return PGW_NEED_MORE;
    *body = *p + PGW_HEADER_SIZE;
    *len = h.body_len;
    *p += PGW_HEADER_SIZE + h.body_len;
    *n -= PGW_HEADER_SIZE + h.body_len;
    return 0;
}

/* A Describe of this kind may stand there. */
static int
skip_describe(const char **p, size_t *n, char kind, struct sess_batch *out)
{
    const char *body;
    size_t len;
    char what;
    struct str name;
    struct err err;

    if (*n > 0 && **p != 'D')
        return 0;
    int r = next(p, n, 'D', &body, &len);
    if (r)
        return r;
    if (pgw_parse_target(body, len, &what, &name, &err) != 0 || what != kind
        || name.n > 0)
        return PGW_E_MALFORMED;
    out->described[strlen(out->described)] = kind;
    return 0;
}

int
sess_batch_read(
    const struct pgw_parse *parse, const char *p, size_t n, struct sess_batch *out)
{
    const char *start = p, *body;
    size_t len;
    struct pgw_bind bind;
    struct str portal;
    struct err err;
    int r;

    *out = (struct sess_batch){ .size = 0 };
    if (parse->name.n > 0 || parse->n_types > 0)
        return PGW_E_MALFORMED;
    if ((r = skip_describe(&p, &n, 'S', out)) || (r = next(&p, &n, 'B', &body, &len)))
        return r;
    if (pgw_parse_bind(body, len, &bind, &err) != 0 || bind.portal.n > 0
        || bind.statement.n > 0 || bind.n_params > 0)
        return PGW_E_MALFORMED;
    if ((r = skip_describe(&p, &n, 'P', out)) || (r = next(&p, &n, 'E', &body, &len)))
        return r;
    if (pgw_parse_execute(body, len, &portal, &err) != 0 || portal.n > 0)
        return PGW_E_MALFORMED;
    r = next(&p, &n, 'S', &body, &len);
    out->size = (size_t)(p - start);
    return r;
}

/* ParseComplete and BindComplete; a statement that changes the schema has neither parameters
 * nor columns. */
void
sess_batch_begin(struct sess *s, const struct sess_batch *b)
{
    buf_reset(&s->replies);
    pgw_build_bare(&s->replies, '1');
    if (b->described[0] == 'S') {
        pgw_build_no_parameters(&s->replies);
        pgw_build_bare(&s->replies, 'n');
    }
    pgw_build_bare(&s->replies, '2');
    if (strchr(b->described, 'P'))
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
