// SPDX-License-Identifier: ISC
/* Names of pg_hba.conf's columns database and user: keywords, names, regular expressions.
 * Private to auth.  thread: any; matching changes nothing that is seen */
#ifndef DG_AUTH_HBA_NAME_H
#define DG_AUTH_HBA_NAME_H

#include "auth/hba.h"
#include "auth/hba_line.h"

#include <regex.h>

enum hba_name_kind {
    HBA_NAME_TEXT,
    HBA_NAME_ALL,
    HBA_NAME_SAME_USER,
    HBA_NAME_REPLICATION,
    HBA_NAME_REGEX,
};

struct hba_name {
    enum hba_name_kind kind;
    const char *text; /* borrowed from the token */
    regex_t regex;    /* HBA_NAME_REGEX */
};

struct hba_names {
    struct hba_name *names; /* owned */
    size_t n;
};

/* 0, or -EINVAL with the reason only: the caller knows the place. On failure out is to be
 * given to hba_names_deinit, too. */
int hba_names_parse(const struct hba_field *field, bool is_database,
    struct hba_names *out, struct err *err) MUST_CHECK;
void hba_names_deinit(struct hba_names *names);

bool
hba_names_have_database(const struct hba_names *names, const struct auth_hba_ask *ask);
bool hba_names_have_user(const struct hba_names *names, const char *user);

#endif
