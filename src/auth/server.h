// SPDX-License-Identifier: ISC
/* The gate as server: a conversation that finds out whether a client is who it says. Pure:
 * message bodies in, message bodies out; the caller frames and sends them.
 *
 *   start -> (client's 'p' body -> next)* -> DONE or FAILED
 *
 * Sources: PostgreSQL manual 55.3 (SASL), RFC 5802 and 7677 (SCRAM), RFC 5929 (binding).
 * An unknown user goes through the same messages as a known one with a wrong password.
 * thread: owner's */
#ifndef DG_AUTH_SERVER_H
#define DG_AUTH_SERVER_H

#include "auth/secret.h"
#include "base/buf.h"

enum auth_method {
    AUTH_TRUST,
    AUTH_REJECT,
    AUTH_PASSWORD, /* cleartext */
    AUTH_MD5,      /* a user with a SCRAM secret gets SCRAM, as the server does */
    AUTH_SCRAM,
    AUTH_CERT, /* the caller compares names; here it is over at once */
};

/* As pg_hba.conf spells it. */
const char *auth_method_name(enum auth_method method);

/* A buffer of that maximum has room for any body of server or client side. Some hold
 * passwords: let it be a secret one (buf.is_secret). */
#define AUTH_MAX_BODY 8192

struct auth_server;

enum auth_step {
    AUTH_GO_ON = 1, /* out holds the body of an Authentication message ('R') to send */
    AUTH_DONE, /* accepted; out may hold one last 'R' body (SASLFinal), AuthenticationOk is
                       the caller's */
    AUTH_FAILED, /* err has the reason for the log; the client gets the server's usual words */
};

/* user, secret: copied. secret NULL: the user is unknown. binding: tls-server-end-point
 * data of the client's connection, empty without TLS; with it SCRAM-SHA-256-PLUS is offered,
 * and a client that could bind but was told otherwise ("y") is refused. */
struct auth_server *auth_server_new(enum auth_method method, const char *user,
    const struct auth_secret *secret, struct str binding);
/* body NULL: the first step, before anything came from the client. Then once for each 'p'
 * while the answer is AUTH_GO_ON; not after. out has room for AUTH_MAX_BODY bytes more. */
enum auth_step auth_server_next(struct auth_server *a, const struct str *body,
    struct buf *out, struct err *err) MUST_CHECK;
/* After AUTH_DONE: what can be used to log in at the server as this user. The password
 * itself (AUTH_PASSWORD), or SCRAM's client key recovered from the proof. */
struct auth_proof {
    bool has_password, has_client_key;
    char *password; /* owned, wiped */
    unsigned char client_key[AUTH_KEY_SIZE];
    unsigned char
        server_key[AUTH_KEY_SIZE]; /* of the secret: verifies the server, too */
    char *salt;                    /* owned; the client key belongs to this salt ... */
    size_t salt_len;
    int iterations; /* ... and count */
};
void auth_server_take_proof(struct auth_server *a, struct auth_proof *out); /* moves */
void auth_proof_wipe(struct auth_proof *p);
void auth_server_free(struct auth_server *a);

#endif
