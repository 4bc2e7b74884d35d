// SPDX-License-Identifier: ISC
/* The SCRAM half of the server side: what auth/server.h does once SASL was asked for.
 * Private to auth.  thread: owner's */
#ifndef DG_AUTH_SERVER_SCRAM_H
#define DG_AUTH_SERVER_SCRAM_H

#include "auth/scram.h"
#include "auth/server.h"

struct scram_server;

/* user: borrowed. secret: borrowed; NULL or one that is no good for SCRAM: the same
 * messages, and a failure in the end. binding as in auth/server.h; at most
 * SCRAM_MAX_BINDING bytes, copied. */
struct scram_server *scram_server_new(
    const char *user, const struct auth_secret *secret, struct str binding);
/* The body of AuthenticationSASL: which mechanisms there are. */
void scram_server_offer(const struct scram_server *s, struct buf *out);
/* The body of a 'p' message. */
enum auth_step scram_server_next(struct scram_server *s, struct str body,
    struct buf *out, struct err *err) MUST_CHECK;
/* After AUTH_DONE; moves. */
void scram_server_take_proof(struct scram_server *s, struct auth_proof *out);
void scram_server_free(struct scram_server *s);

/* Checks a password against a secret's keys, at the price of PBKDF2; an unknown user's
 * (secret NULL) costs the same. */
bool scram_check_password(
    const char *user, const struct auth_secret *secret, const char *password);

#endif
