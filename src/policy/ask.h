// SPDX-License-Identifier: ISC
/* How checks and access sections ask for live facts while they judge; see live.h.
 * thread: the caller's */
#ifndef DG_POLICY_ASK_H
#define DG_POLICY_ASK_H

#include "policy/rules.h"

/* What is known of the relation that the object names. What nobody was asked for is noted
 * as wanted. Not for objects that the text itself has made. */
enum pol_live_state pol_ask(struct pol_run *r, const struct sql_object *o,
    const struct pol_live_relation **out);
/* The same of the table that an index, trigger, policy or rule is on, or the table itself.
 * False if the object is nothing like that, or new: then *state is not set. */
bool pol_ask_table(struct pol_run *r, const struct sql_object *o,
    enum pol_live_state *state, const struct pol_live_relation **out);

/* For checks that can say nothing without facts: true if the object is there, and *out its
 * facts. Reports that they could not be read where the policy is strict. */
bool pol_ask_or_say(struct pol_run *r, const struct sql_object *o,
    const struct pol_live_relation **out);
bool pol_ask_table_or_say(struct pol_run *r, const struct sql_object *o,
    const struct pol_live_relation **out);

/* Is unknown as good as harmless for the running check? */
bool pol_is_loose(const struct pol_run *r);

/* Has an earlier statement of the text dropped this object, detached this partition, or done
 * something to a column of this name? Looks back a bounded way. */
bool
pol_was_dropped(const struct pol_run *r, enum sql_object_kind kind, const char *name);
bool pol_was_detached(const struct pol_run *r, const char *partition);
bool pol_was_changed(const struct pol_run *r, const char *column);
/* Has it, or the statement itself, such an action about this column or constraint? */
bool pol_had_sub(const struct pol_run *r, const char *sub, const char *column);

/* Why the safe form that the running check proposes for o can't be had, by what the server
 * says of it; *hint is set where there is another one, *steps_of where that can be made of
 * this relation's facts. NULL: it can, as far as known. */
const char *pol_no_safe_form(struct pol_run *r, const struct sql_object *o,
    const char **hint, const struct pol_live_relation **steps_of);

/* "public.orders: 12 GB, about 80 million rows, 3 sessions hold locks on it." */
const char *pol_live_words(struct pol_run *r, const struct pol_live_relation *rel);
/* "public.orders" of what was found */
const char *pol_live_name(struct pol_run *r, const struct pol_live_relation *rel);
/* Sessions other than the client's own that hold a lock on it. */
size_t pol_live_n_holders(const struct pol_run *r, const struct pol_live_relation *rel);

#endif
