// SPDX-License-Identifier: ISC
/* The gate as client: logs in at a server, with what it has for that user. Pure, as
 * auth/server.h: bodies of 'R' messages in, bodies of 'p' messages out.  thread: owner's */
#ifndef DG_AUTH_CLIENT_H
#define DG_AUTH_CLIENT_H

#include "auth/server.h"

struct auth_client;

/* Any of them may be missing; the server's question decides which is needed. All copied.
 * binding: of the TLS connection to the server, empty without; with it the mechanism
 * SCRAM-SHA-256-PLUS is taken when offered, else the flag says "y". */
struct auth_client_args {
    const char *user;
    const struct auth_secret *secret; /* plain: all methods; md5: md5; scram: none */
    const struct auth_proof *proof;   /* of the client's own login at the gate */
    struct str binding;
};
struct auth_client *auth_client_new(const struct auth_client_args *args);

/* body: of an 'R' message. AUTH_GO_ON: out holds a body for 'p' (may be empty: nothing is to
 * be sent, e.g. after SASLFinal). AUTH_DONE: AuthenticationOk. AUTH_FAILED: err says what
 * the server asked for and what would be needed, or what it did wrong (server signature,
 * nonce, iterations): never a secret. out has room for AUTH_MAX_BODY bytes more. Not to be
 * called after DONE or FAILED. A SCRAM server that skips its proof is refused. */
enum auth_step auth_client_next(struct auth_client *a, struct str body, struct buf *out,
    struct err *err) MUST_CHECK;
void auth_client_free(struct auth_client *a);

#endif
