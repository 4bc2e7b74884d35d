// SPDX-License-Identifier: ISC
/* Refusing without inventing protocol state (design part 7): the server gets a short text
 * that fails in its raw parser and holds an unguessable token; its ErrorResponse with that
 * token is swapped for ours. Status, skipping until Sync, implicit transactions and
 * pipelines stay the server's own.
 *
 * A COMMIT is refused by a PREPARE TRANSACTION whose name is too long, so that the
 * transaction ends as by a deferred constraint: rolled back, status I. Tried on PostgreSQL
 * 15 to 18 with max_prepared_transactions 0 and 4, with the same answers: 22023 from
 * MarkAsPreparing, which names the token; 0A000 before that where temporary objects, WITH
 * HOLD cursors or exported snapshots stand in the way; 23505 and the like from deferred
 * constraints, which pass as they are. Outside of a block it only warns and what was done
 * before it in an extended batch is committed (15 to 17), so it is never sent there. */
#include "base/mem.h"
#include "session/session.h"

#include <stdio.h>
#include <string.h>

/* A Parse under this name fails before the name matters, and never touches the client's
 * unnamed statement. */
#define RESERVED_NAME "ddlgate_refused"
/* This one exists after a refusal, for prepared statements outlive a rollback. */
#define COMMIT_NAME "ddlgate_commit"

#define MIN_GID 220 /* the server takes up to 199 bytes */

void
sess_message_error(const struct gate_message *m, bool is_notice, struct buf *out)
{
    struct pgw_error e = {
        .severity = m->severity ? m->severity
            : is_notice         ? "WARNING"
                                : "ERROR",
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

static struct sess_refusal *
add_refusal(struct sess *s, const struct gate_message *m)
{
    MEM_GROW(s->refusals, s->n_refusals, s->cap_refusals);
    struct sess_refusal *r = &s->refusals[s->n_refusals++];
    *r = (struct sess_refusal){ .error = BUF_INIT((size_t)4 << 20) };
    hash_random_id(r->token, SESS_TOKEN_LENGTH);
    sess_message_error(m, false, &r->error);
    return r;
}

void
sess_refuse(struct sess *s, enum sess_message kind, struct str name,
    const struct gate_message *m)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(PGW_MAX_STARTUP * 2 + name.n);
    char text[128];
    struct sess_refusal *r = add_refusal(s, m);
    snprintf(text, sizeof(text), "ddlgate_refused_%s", r->token);
    if (kind == SESS_MSG_QUERY)
        pgw_build_query(&b, text);
    else
        pgw_build_parse(&b, kind == SESS_MSG_PARSE ? name : STR(RESERVED_NAME), text);
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
}

void
sess_refuse_commit(struct sess *s, enum sess_message kind, const struct gate_message *m)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(PGW_MAX_STARTUP * 2);
    struct str name = STR(COMMIT_NAME);
    char text[MIN_GID + 64];
    struct sess_refusal *r = add_refusal(s, m);
    r->is_commit = true;
    r->unit = s->n_sent + 1;
    r->message = s->batch_sent;
    int n = snprintf(
        text, sizeof(text), "PREPARE TRANSACTION 'ddlgate_refused_%s_", r->token);
    memset(text + n, 'x', MIN_GID);
    memcpy(text + n + MIN_GID, "'", 2);
    if (kind == SESS_MSG_QUERY) {
        pgw_build_query(&b, text);
    } else {
        pgw_build_close(&b, 'S', name);
        pgw_build_parse(&b, name, text);
        pgw_build_bind(&b, name, name);
        pgw_build_execute(&b, name);
        r->n_swallow = 3; /* CloseComplete, ParseComplete, BindComplete */
    }
    sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
}

/* Has the server come to the message that this stands for? */
static bool
is_its_turn(const struct sess *s, const struct sess_refusal *r)
{
    return r->is_commit && r->unit == s->n_done + 1 && r->message == s->batch_done;
}

bool
sess_swallow(struct sess *s)
{
    for (size_t i = 0; i < s->n_refusals; i++) {
        struct sess_refusal *r = &s->refusals[i];
        if (!is_its_turn(s, r) || r->n_swallow == 0)
            continue;
        r->n_swallow--;
        return true;
    }
    return false;
}

/* A transaction that can't be prepared for what it did, not for its name. */
static bool
cannot_prepare(const char *body, size_t n)
{
    struct str code = { "", 0 }, routine = { "", 0 };
    return pgw_error_field(body, n, 'C', &code) && str_eqz(code, "0A000")
        && pgw_error_field(body, n, 'R', &routine)
        && (str_eqz(routine, "PrepareTransaction")
            || str_eqz(routine, "PreCommit_Portals"));
}

bool
sess_swap_error(struct sess *s, const char *body, size_t n)
{
    for (size_t i = 0; i < s->n_refusals; i++) {
        struct sess_refusal *r = &s->refusals[i];
        if (!memmem(body, n, r->token, SESS_TOKEN_LENGTH)
            && !(is_its_turn(s, r) && cannot_prepare(body, n)))
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
