// SPDX-License-Identifier: ISC
/* Looks through all migrations of a snapshot once it is in use, and logs which of them policy
 * will refuse, before anybody runs into it. On a thread of its own: what a worker has not
 * asked for yet is judged meanwhile (gate/units.h), and a start or a reload doesn't wait.
 * thread: control */
#ifndef DG_APP_OUTLOOK_H
#define DG_APP_OUTLOOK_H

#include "gate/snapshot.h"

struct outlook;

struct outlook *outlook_new(void);
/* Takes its own reference. What is left of an older snapshot is given up: it is old news. */
void outlook_begin(struct outlook *o, struct gate_snapshot *snap);
void outlook_free(struct outlook *o); /* gives up what is left; NULL is fine */

#endif
