// SPDX-License-Identifier: ISC
/* Temporary objects (design part 4). CREATE TEMP and names written pg_temp.x are exempt by
 * themselves. Later DDL on an unqualified name that this session made temporary is forwarded
 * with `pg_temp.` put before the name, so that the server decides and never touches a
 * permanent object of that name: a name alone is no proof (search_path, rollback and ON
 * COMMIT DROP change what it means).  thread: worker */
#ifndef DG_GATE_TEMP_H
#define DG_GATE_TEMP_H

#include "gate/client.h"

/* A text was forwarded: remembers what it makes temporary, forgets all with DISCARD. */
void gate_temp_note(struct gate_client *c, const struct gate_text *t);
/* If all schema changes of the text speak of names that the session made temporary: the
 * text with pg_temp. before each, read again, differing in nothing else. Else NULL. */
struct gate_text *gate_temp_rewrite(struct gate_client *c, const struct gate_text *t);

#endif
