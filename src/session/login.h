// SPDX-License-Identifier: ISC
/* The way of a session from its startup packet to READY: who it is, whether it may come in,
 * and how the gate or the client itself logs in at the server.
 *
 *   passthrough   the server's questions and the client's answers pass; only SCRAM's
 *                 channel binding is looked at, since TLS ends at the gate
 *   otherwise     AUTH: auth/server.h asks the client; then auth/client.h answers the
 *                 server with what is known: [databases] user and password, the plain or
 *                 md5 secret, or SCRAM's client key recovered from the client's proof
 *
 * The server's AuthenticationOk always passes to the client: it is in when both agree.
 * thread: worker */
#ifndef DG_SESSION_LOGIN_H
#define DG_SESSION_LOGIN_H

#include "auth/client.h"
#include "auth/server.h"
#include "session/session.h"

enum sess_prelude {
    SESS_PRELUDE_PROXY, /* a PROXY header must come */
    SESS_PRELUDE_FIRST, /* the first byte tells whether it is TLS at once */
    SESS_PRELUDE_TLS,   /* the handshake is under way */
    SESS_PRELUDE_DONE,
};

/* A session has it from its birth until it is READY. */
struct sess_login {
    enum sess_prelude prelude;
    struct buf proxy;      /* the PROXY header, as far as it came */
    struct net_addr local; /* where the client reached us */
    bool is_rejected;      /* over max_client_conn: FATAL at its startup packet */
    bool has_asked_ssl, has_asked_gss, is_direct_tls;
    int tls_wants; /* NET_TLS_WANT_...; of the handshake */

    struct buf startup;      /* rebuilt startup packet for the server */
    size_t next_host;        /* of the entry; 0: there is no choice of hosts */
    bool has_heard;          /* the server has answered: from now on it is this one */
    bool is_moving;          /* it can't now (57P03): the next host is to be tried */
    uint32_t protocol;       /* that the client asked for */
    bool is_console;         /* the gate's own database: no server (console.h) */
    bool is_gates;           /* the gate authenticates, not the server */
    enum auth_method method; /* of that */
    struct auth_server *server; /* owned; the conversation with the client */
    struct auth_secret secret;  /* owned; of the user */
    struct auth_proof proof;    /* owned */
    struct auth_client *client; /* owned; the conversation with the server */
    struct sess_ask *ask;       /* under way; its own */
    bool is_asked;              /* passthrough: the server waits for an answer */
    bool is_sasl;               /* ... to its list of SASL mechanisms */
};

struct sess_login *sess_login_new(const struct cfg *cfg);
void sess_login_free(struct sess_login *l); /* NULL is fine */

/* The startup packet is read, the database known: begin. */
void sess_login_begin(struct sess *s, bool is_replication);
/* bytes_fn of AUTH. */
size_t sess_auth_bytes(struct sess *s, const char *p, size_t n);
/* Connects to the server. */
void sess_login_connect(struct sess *s);

/* The server in LOGIN says no before anything else, or is gone: true if another host is
 * tried (sess_login_move does it, when the server's bytes are dealt with). */
bool sess_login_may_move(struct sess *s, struct str sqlstate);
void sess_login_move(struct sess *s);
/* Of the server in LOGIN: true: the message passes, false: it was dealt with. */
bool sess_login_authentication(struct sess *s, const char *body, size_t n); /* 'R' */
bool sess_login_negotiate(struct sess *s);                                  /* 'v' */
void sess_login_key(struct sess *s, const char *body, size_t n); /* 'K'; replaced */
/* Passthrough: may this answer ('p') of the client pass? false: the session is over. */
bool sess_login_reply(struct sess *s, const char *body, size_t n);

#endif
