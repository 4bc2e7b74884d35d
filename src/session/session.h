// SPDX-License-Identifier: ISC
/* One client connection and its own server connection.
 *
 *   STARTUP -startup packet-> AUTH -accepted-> CONNECTING -connected-> LOGIN -ready-> READY
 *      |                       |                   |                    |              |
 *      +-cancel request-> CANCEL                   |                    |              |
 *      |                  +--------------- any end ---> CLOSED <--------+--------------+
 *      +-the gate's own database, maybe by AUTH-> ADMIN --^
 *
 *   STARTUP     only the client is connected; PROXY header, TLS, first packets (startup.c)
 *   AUTH        the gate itself authenticates the client (login.c); not with passthrough
 *   CONNECTING  the server is being reached (dial.c); the client waits. LOGIN comes back
 *               to it when the server says that it can't now and there is another host
 *   LOGIN       the server authenticates: the client (passthrough) or the gate (login.c);
 *               nothing is judged, since the server runs nothing before its first
 *               ReadyForQuery
 *   READY       every message of the client goes through front.c, of the server through
 *               back.c; a client message may wait (enum sess_wait), the server's never do
 *   ADMIN       there is no server: the client talks to the gate (console.h)
 *   CANCEL      a cancel request is carried to the worker that knows its key
 *   CLOSED      sockets are closed; freed on the next turn of the loop, or when the last
 *               outstanding answer (judgement, resolver, cancel) is back
 *
 * Guarantees: bytes are kept only in sess_leg.in (an unfinished message that must be seen
 * whole, or input behind a wait) and sess_leg.out (the peer can't take them); both are
 * freed when empty. A session is read from only while the other side's out is empty.
 * sess_set_state is the only writer of state.  thread: worker */
#ifndef DG_SESSION_SESSION_H
#define DG_SESSION_SESSION_H

#include "base/list.h"
#include "gate/judge.h"
#include "gate/message.h"
#include "net/sock.h"
#include "net/tls.h"
#include "pgwire/pgwire.h"
#include "session/worker.h"

enum sess_state {
    SESS_ST_STARTUP,
    SESS_ST_AUTH,
    SESS_ST_CONNECTING,
    SESS_ST_LOGIN,
    SESS_ST_READY,
    SESS_ST_ADMIN,
    SESS_ST_CANCEL,
    SESS_ST_CLOSED,
};

/* Why the client's input is not looked at right now. */
enum sess_wait {
    SESS_WAIT_NONE,
    SESS_WAIT_LOGIN, /* a message that has to wait for the end of the login */
    SESS_WAIT_JUDGE, /* a judgement is under way */
    SESS_WAIT_IDLE,  /* until every unit sent before is answered */
    SESS_WAIT_BATCH, /* until every message of the open batch is answered */
    SESS_WAIT_COPY,  /* until a COPY's Syncs are accounted for */
    SESS_WAIT_OWN,   /* until statements of the gate's own are answered */
};

enum sess_end {
    SESS_END_NONE,
#define END(name, warn, text) SESS_END_##name,
#include "ddlgate/tbl/end_reason.h"
};

struct sess_leg {
    int fd; /* -1: not connected */
    struct net_watch watch;
    struct net_tls *tls; /* owned; NULL: plain */
    struct buf in;       /* read, not processed */
    struct buf out;      /* processed, not sent */
    size_t pass;         /* bytes of the current message still to be passed on unread */
    size_t skip;         /* bytes of the current message still to be dropped */
    bool is_eof;         /* nothing more comes from this peer */
    bool is_shut;        /* we have shut our sending half */
    bool is_broken; /* this peer takes nothing more: what is meant for it is dropped */
};

#define SESS_MAX_LOOKED_AT ((size_t)1 << 20) /* message of the server, seen whole */
#define SESS_TOKEN_LENGTH  20                /* base32: 100 bits, nobody guesses them */

/* A refusal on its way: the server's error that names the token becomes ours. */
struct sess_refusal {
    char token[SESS_TOKEN_LENGTH + 1];
    struct buf error; /* our ErrorResponse */
    /* Of a COMMIT: where the server comes to it, and how many replies before its error
     * are to our own messages. */
    bool is_commit;
    uint64_t unit;
    unsigned message, n_swallow;
};

enum sess_probe {
    SESS_PROBE_NONE,
    SESS_PROBE_SENT,
    SESS_PROBE_ANSWERED, /* its error came, its ReadyForQuery comes next */
};

/* What a Bind made of a portal. */
struct sess_bind {
    struct gate_text *texts[GATE_MAX_CANDIDATES]; /* owned refs; what it may run */
    size_t n_texts;
    uint64_t unit;    /* it stands in; 0: that is answered, and it took effect */
    unsigned message; /* its number among the extended messages of the unit */
    bool is_tx;       /* BEGIN and the like */
    bool is_opaque;   /* nobody can tell what it runs */
    bool
        is_bare; /* it binds no values to what its statement surely is, and has not run */
    bool has_values;
    struct hist_bind *values; /* owned; of a history write */
    size_t n_values;
    struct sess_bind *next; /* what the portal was before */
};

struct sess_console; /* console.h: what only ADMIN needs */
struct sess_hold;    /* hold.c: rows of a history that are not forwarded yet */
struct sess_track;   /* track.h: statements whose end matters */
struct sess_own;     /* own.h: settings around a statement */
struct sess_steps;   /* steps.h: statements before and behind one */
struct sess_retry;   /* retry.h */
struct sess_idle;    /* idle.h */
struct sess_edited;  /* edited.c: texts whose errors lead back to the client's */
struct sess_login;   /* login.h: what only the way to READY needs */
struct sess_dial;    /* dial.h */
struct sess_upstream;

struct sess {
    unsigned magic;
    struct sess_worker *worker;
    struct list_node node; /* in worker->sessions */
    struct task free_task;
    uint64_t id;
    int64_t born_us; /* monotonic */
    enum sess_state state;
    enum sess_wait wait;
    enum sess_end end;
    unsigned n_outstanding; /* answers to come that name this session */
    struct sess_leg client, server;
    struct sess_links *links; /* owned reference; of when the session began */
    const struct sess_upstream
        *to; /* of links; NULL before the startup packet, and in ADMIN */
    struct net_addr peer, upstream;
    char *upstream_host;    /* owned; the server's name in its entry */
    struct net_timer timer; /* limit of the login; stopped when READY */
    bool has_timer;
    struct sess_login *login;          /* owned; NULL when READY */
    struct sess_dial *dial;            /* owned; while CONNECTING */
    struct sess_console *console;      /* owned; in ADMIN */
    bool has_taken_db, has_taken_user; /* counted by max_db_connections, ..user.. */
    unsigned n_cancels;                /* cancel requests on their way to the server */
    bool is_cancelled;                 /* one came while the request was judged */
    bool is_terminated;                /* client sent Terminate */
    uint64_t max_inspect; /* bytes; max_inspect_size when the session began */
    unsigned char *server_key, *client_key; /* cancel keys, owned: real one and ours */
    size_t server_key_len, client_key_len;

    struct gate_client gate;
    struct gate_request *request; /* owned; of the message at the front of client.in */
    struct buf notices;           /* NoticeResponses to put in at a message boundary */

    /* Units: everything up to the server's next ReadyForQuery. */
    uint64_t n_sent,
        n_done; /* units the client has completed / the server has answered */
    /* bit n % 64: unit n ends by Query or FunctionCall, not Sync; it has messages */
    uint64_t unit_is_query, unit_has_work;
    unsigned batch_sent; /* extended messages since the last unit's end, client side */
    unsigned batch_done; /* replies to such since the last ReadyForQuery */
    unsigned execs_sent, execs_done; /* Executes and statements likewise */
    unsigned execs_judged;           /* of execs_sent: what they run is known */
    bool has_failed;                 /* ErrorResponse since the last ReadyForQuery */
    bool has_said_fatal;    /* the server ended the session with a FATAL or PANIC */
    bool is_streaming;      /* CopyBothResponse came, its ReadyForQuery did not */
    bool has_ended_stream;  /* a walsender's CommandComplete: it may be its last word */
    bool has_begun;         /* BEGIN ran since the last ReadyForQuery */
    bool has_flushed;       /* a Flush of our own went out for this batch */
    bool is_reading_unsure; /* the open batch ran something that may change settings */
    bool is_doomed; /* the open batch holds a refusal: the server skips what follows */

    /* COPY FROM STDIN, see copy.c */
    bool is_in_copy;  /* the client's next messages are copy data */
    bool is_copying;  /* CopyInResponse came, the copy's end did not */
    unsigned n_maybe; /* Syncs in flight that may have been dropped by a copy */
    uint64_t *ends;   /* owned; n_sent where copy data ended ahead of the server */
    size_t n_ends, cap_ends;
    bool is_end_ahead; /* ends[0] is the end of the copy under way */
    enum sess_probe probe;
    char probe_token[SESS_TOKEN_LENGTH + 1];

    struct sess_hold *hold; /* owned; NULL: no COPY into a history is under way */

    struct sess_refusal *refusals; /* owned */
    size_t n_refusals, cap_refusals;
    struct sess_own *own;       /* owned; NULL while nothing is set */
    struct sess_steps *steps;   /* owned; NULL: there are none */
    struct sess_edited *edited; /* owned list */
    struct sess_retry *retry;   /* owned; NULL: an error is the client's */
    struct sess_idle *idle;     /* owned; NULL: no transaction is watched */
    struct map *portals;        /* name -> struct sess_bind; NULL while none matters */
    struct sess_track *track;   /* owned; NULL while nothing is tracked */
    bool is_trail_cut; /* steps of the open transaction are lost (gate/trail.h) */
};

/* --- session.c: life cycle ------------------------------------------------------------- */
void
sess_new(struct sess_worker *w, int fd, const struct net_addr *peer, bool is_rejected);
void sess_set_state(struct sess *s, enum sess_state state);
/* Ends the session now: outcomes that are open become known as well as they can. */
void sess_end(struct sess *s, enum sess_end reason);
/* FATAL to the client, then the end. */
void sess_fatal(struct sess *s, enum sess_end reason, const char *sqlstate,
    const char *message, const char *hint);
void
sess_fatal_message(struct sess *s, enum sess_end reason, const struct gate_message *m);
void
sess_log(const struct sess *s, bool is_warning, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* An answer that names the session came back; true: it is closed, do nothing more. */
bool sess_answered(struct sess *s);
const char *sess_end_text(enum sess_end reason);
void sess_drain(struct sess *s); /* ends it if it is idle */
void sess_set_peer(struct sess *s, const struct net_addr *peer);
struct net_keepalive sess_keepalive(const struct cfg *cfg);

/* --- leg.c: bytes ------------------------------------------------------------------------ */
/* Takes n bytes for the peer: sends, keeps the rest. */
void sess_send(struct sess *s, struct sess_leg *to, const char *p, size_t n);
/* Sets what is watched from what is queued and waited for. */
void sess_watch(struct sess *s);
/* Processes what client.in holds, after a wait. */
void sess_resume(struct sess *s);
void sess_client_event(void *ctx, unsigned what);
void sess_server_event(void *ctx, unsigned what);
void sess_leg_close(struct sess_leg *leg);
/* As send: bytes taken or -errno; over TLS if the leg has it. */
ssize_t sess_leg_send(struct sess_leg *leg, const char *p, size_t n) MUST_CHECK;

/* --- startup.c ---------------------------------------------------------------------------- */
/* Each takes bytes from the front of p and returns how many it has dealt with. */
size_t sess_startup_bytes(struct sess *s, const char *p, size_t n);
void sess_startup_begin(struct sess *s, int fd);
/* What comes before the first packet (PROXY header, TLS); true: it is over, go on and
 * read. */
bool sess_startup_prelude(struct sess *s);
void sess_timer_done(struct sess *s);

/* --- front.h, back.c ----------------------------------------------------------------------- */
size_t sess_front_bytes(struct sess *s, const char *p, size_t n);
size_t sess_back_bytes(struct sess *s, const char *p, size_t n);
void sess_put_notices(struct sess *s); /* at a message boundary towards the client */
/* A unit was sent that the server answers with ReadyForQuery. */
void sess_unit_sent(struct sess *s, bool is_query);

/* --- edited.c ------------------------------------------------------------------------------ */
/* The message at hand, of the unit that is being sent, has an edited text; message: its
 * number among the extended ones, or GATE_IN_QUERY. */
void sess_edited_add(struct sess *s, unsigned message, struct gate_text *text);
/* All units up to this one are answered. */
void sess_edited_done(struct sess *s, uint64_t unit);
/* Is this ErrorResponse, or NoticeResponse, about a place in an edited text? Sends it with
 * the client's. */
bool sess_edited_report(struct sess *s, bool is_notice, const char *body, size_t n);
/* The CommandComplete at hand. true: the server's is not for the client: of an edited text
 * whose statement is another one, or that has more statements behind the client's; *tag is
 * what it expects, NULL as long as the last is not done. */
bool sess_edited_complete(struct sess *s, const char *body, size_t n, const char **tag);

/* --- copy.c -------------------------------------------------------------------------------- */
enum sess_copy {
    SESS_COPY_GO,
    SESS_COPY_WAIT,
    SESS_COPY_VIOLATION, /* the server ends the connection for it */
    SESS_COPY_UNSYNCED, /* after a failed copy: nobody can tell whether it is skipped */
};
/* May a message of this type go to the server now? */
enum sess_copy sess_copy_allows(struct sess *s, char type);
/* The client ends copy data; false: it is too far ahead. */
bool sess_copy_end_sent(struct sess *s);
void sess_copy_started(struct sess *s);   /* CopyInResponse, CopyBothResponse */
void sess_copy_completed(struct sess *s); /* its CommandComplete, counted already */
void sess_copy_failed(struct sess *s);    /* its ErrorResponse */
void sess_copy_ready(struct sess *s);     /* ReadyForQuery, counted already */
/* Is this reply one to our own question? Then it is not for the client. */
bool sess_probe_error(struct sess *s, const char *body, size_t n);
bool sess_probe_ready(struct sess *s);

/* --- portal.c ------------------------------------------------------------------------------ */
/* is_whole: its parameters are there, too. */
void sess_portal_bind(struct sess *s, const struct pgw_bind *b, bool is_whole);
/* What Execute of this portal may run: fills out, GATE_MAX_CANDIDATES long, returns the
 * number of texts, -1 if it can't be told. bind: the newest, NULL if none is known. */
int sess_portal_texts(struct sess *s, struct str name, struct gate_text **out,
    bool *is_tx, struct sess_bind **bind);
/* As gate_prepared_unit_done. is_tx_over: a transaction ended with the unit, and every portal
 * that was made in it. */
void
sess_portals_unit_done(struct sess *s, uint64_t unit, unsigned n_done, bool is_tx_over);
/* Does that portal run a text that takes several statements (gate/rewrite.h), and can a Query
 * run it as well? n, bind: as sess_portal_texts gave them. */
bool sess_portal_is_several(const struct sess *s, int n, const struct sess_bind *bind);
void sess_portals_clear(struct sess *s);

/* --- refusal.c ----------------------------------------------------------------------------- */
enum sess_message {
    SESS_MSG_QUERY, /* also FunctionCall */
    SESS_MSG_PARSE,
    SESS_MSG_EXECUTE,
};
/* Sends what surely fails in place of the client's message, and remembers our error.
 * name: statement name of a refused Parse. */
void sess_refuse(struct sess *s, enum sess_message kind, struct str name,
    const struct gate_message *m);
/* The same in place of a COMMIT, when the server surely is in a transaction block: the
 * transaction is rolled back, as by a deferred constraint. kind: QUERY or EXECUTE. */
void sess_refuse_commit(
    struct sess *s, enum sess_message kind, const struct gate_message *m);
/* Ends copy data with a CopyFail whose error becomes ours. */
void sess_refuse_copy(struct sess *s, const struct gate_message *m);
/* Is this reply one to our own messages of such a refusal? Then it is not for the client. */
bool sess_swallow(struct sess *s);
/* Is this ErrorResponse body the failure of one of our texts? Sends ours then. */
bool sess_swap_error(struct sess *s, const char *body, size_t n);
void sess_refusals_clear(struct sess *s);
void sess_message_error(const struct gate_message *m, bool is_notice, struct buf *out);

/* --- hold.c -------------------------------------------------------------------------------- */
/* text, a COPY into a history, was forwarded: its data stays here until it is judged. */
void sess_hold_begin(struct sess *s, struct gate_text *text);
bool sess_hold_has_room(const struct sess *s, size_t n);
bool sess_hold_add(struct sess *s, const char *p, size_t n) MUST_CHECK;
struct gate_text *sess_hold_text(const struct sess *s); /* borrowed */
struct str sess_hold_data(const struct sess *s);        /* borrowed; p is never NULL */
/* Each ends it. */
void sess_hold_send(struct sess *s);
void sess_hold_refuse(struct sess *s, const struct gate_message *m);
void sess_hold_drop(struct sess *s);
/* The server has failed or ended the unit: nobody waits for the data. */
void sess_hold_over(struct sess *s);

/* --- commit.c ------------------------------------------------------------------------------ */
/* Do these texts only commit a transaction that holds no schema change? */
bool sess_only_commits(const struct sess *s, struct gate_text *const *texts, size_t n);
/* Is the server surely in a transaction block that has not failed? All units before are
 * answered, and nothing has run since. */
bool sess_in_block(const struct sess *s);
/* Is the open batch a transaction by itself, as far as it is answered, and holds a schema
 * change? Then the Sync, Query or FunctionCall that ends it commits that. */
bool sess_batch_commits(const struct sess *s);

/* --- cancel.c ------------------------------------------------------------------------------- */
void sess_cancel(struct sess *s, uint32_t pid, struct str key);

static inline bool
sess_unit_is(uint64_t bits, uint64_t unit)
{
    return bits >> (unit % 64) & 1;
}

static inline void
sess_unit_set(uint64_t *bits, uint64_t unit, bool value)
{
    uint64_t bit = (uint64_t)1 << (unit % 64);
    *bits = value ? *bits | bit : *bits & ~bit;
}

#define SESS_MAGIC 0x5e55d61eu
static inline struct sess *
sess_of(void *ctx)
{
    struct sess *s = ctx;
    DG_ASSERT(s && s->magic == SESS_MAGIC, "not a session");
    return s;
}

static inline bool
sess_is_idle(const struct sess *s)
{
    return s->n_sent == s->n_done && s->batch_sent == 0;
}

#endif
