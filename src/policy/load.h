// SPDX-License-Identifier: ISC
/* Loading a policy: what load.c (sections, [policy], [check]) and load_access.c share.
 * thread: the loading one */
#ifndef DG_POLICY_LOAD_H
#define DG_POLICY_LOAD_H

#include "base/ini.h"
#include "policy/rules.h"

#define LOAD_MAX_KEYS 40 /* keys of one section */

enum load_section {
    LOAD_NONE,
    LOAD_POLICY,
    LOAD_ACCESS,
    LOAD_CHECK,
};

struct loader {
    struct pol *pol;
    struct err *err;
    const char *as_environment;  /* instead of the policy's own; NULL: its own */
    const struct ini_item *item; /* being read */
    const char *file;            /* of the item, in the policy's arena */
    enum load_section section;
    const char *section_name; /* "check fk-index", in the arena */
    struct pol_origin section_at;
    /* keys of the section so far, each may stand once */
    const char *keys[LOAD_MAX_KEYS];
    struct pol_origin keys_at[LOAD_MAX_KEYS];
    size_t n_keys;
    struct pol_access *access; /* the section's; in pol->accesses */
    size_t cap_accesses;
    enum pol_check check; /* the section's */
    /* [policy] and [check], resolved when everything is read */
    struct pol_origin policy_at, environment_at;
    const char *baseline; /* relative to its file already; owned by the arena */
    const char *defaults;
    int actions[POL_N_CHECKS];                     /* POL_UNSET: the catalogue's */
    int rewrite_elses[POL_N_CHECKS], rewrite_else; /* POL_UNSET: that of [policy] */
    struct pol_origin shorts[POL_N_CHECKS];        /* of the short forms */
    struct pol_origin sections[POL_N_CHECKS];      /* of the first [check] section */
};

/* -EINVAL with "file:line: text" of the current item. */
int load_fault(struct loader *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same for an earlier key of the section. */
int load_fault_at(struct loader *l, const struct pol_origin *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
const struct pol_origin *
load_key_at(const struct loader *l, const char *key); /* or NULL */
int load_unknown_key(struct loader *l, const char *const *known, size_t n);

/* Values of the current item. */
int load_action(struct loader *l, bool has_off, int *out) MUST_CHECK;
int load_mode(struct loader *l, bool *is_observed) MUST_CHECK;
int load_message(struct loader *l, const char **out) MUST_CHECK;
int load_text(struct loader *l, const char **out) MUST_CHECK;
int load_list(struct loader *l, pol_item_fn *fn, struct pol_list *out) MUST_CHECK;

/* load_access.c */
int load_access_begin(struct loader *l, struct str name) MUST_CHECK;
int load_access_key(struct loader *l) MUST_CHECK;
int load_access_end(struct loader *l) MUST_CHECK;

#endif
