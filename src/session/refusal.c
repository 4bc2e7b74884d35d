// SPDX-License-Identifier: ISC
/* Refusing without inventing protocol state (design part 7): the server gets a short text
 * that fails in its raw parser and holds an unguessable token; its ErrorResponse with that
 * token is swapped for ours. Status, skipping until Sync, implicit transactions and
 * pipelines stay the server's own. */
#include "base/mem.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

/* A Parse under this name fails before the name matters, and never touches the client's
 * unnamed statement. */
#define RESERVED_NAME "ddlgate_refused"

void
sess_message_error(const struct gate_message *m, bool is_notice, struct buf *out)
{
    struct pgw_error e = {
        .severity = !is_notice                  ? "ERROR"
            : strcmp(m->sqlstate, "00000") == 0 ? "NOTICE"
                                                : "WARNING",
        .sqlstate = m->sqlstate,
        .message = m->message,
        .detail = m->detail,
        .hint = m->hint,
        .where = m->where,
        .schema = m->schema,
        .table = m->table,
        .column = m->column,
        .constraint = m->constraint,
        .file = m->file,
        .line = m->line,
        .routine = m->routine,
        .position = m->position,
    };
    pgw_error_build(out, is_notice, &e);
}

void
sess_refuse(struct sess *s, enum sess_message kind, struct str name,
    const struct gate_message *m)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(PGW_MAX_STARTUP * 2 + name.n);
    char text[128];
    MEM_GROW(s->refusals, s->n_refusals, s->cap_refusals);
    struct sess_refusal *r = &s->refusals[s->n_refusals++];
    *r = (struct sess_refusal){ .error = BUF_INIT((size_t)4 << 20) };
    hash_random_id(r->token, SESS_TOKEN_LENGTH);
    sess_message_error(m, false, &r->error);
    snprintf(text, sizeof(text), "ddlgate_refused_%s", r->token);
    if (kind == SESS_MSG_QUERY)
        pgw_build_query(&b, text);
    else
        pgw_build_parse(&b, kind == SESS_MSG_PARSE ? name : STR(RESERVED_NAME), text);
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
}

bool
sess_swap_error(struct sess *s, const char *body, size_t n)
{
    for (size_t i = 0; i < s->n_refusals; i++) {
        struct sess_refusal *r = &s->refusals[i];
        if (!memmem(body, n, r->token, SESS_TOKEN_LENGTH))
            continue;
        sess_send(s, &s->client, buf_ptr(&r->error), buf_len(&r->error));
        buf_deinit(&r->error);
        s->refusals[i] = s->refusals[--s->n_refusals];
        return true;
    }
    return false;
}

void
sess_refusals_clear(struct sess *s)
{
    for (size_t i = 0; i < s->n_refusals; i++)
        buf_deinit(&s->refusals[i].error);
    s->n_refusals = 0;
    mem_free(s->refusals);
    s->refusals = NULL;
    s->cap_refusals = 0;
}
