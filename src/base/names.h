// SPDX-License-Identifier: ISC
/* Names of the vocabulary's enums, as policy files, messages and the audit spell them. */
#ifndef DG_BASE_NAMES_H
#define DG_BASE_NAMES_H

#include "base/str.h"
#include "ddlgate/decision.h"

const char *dg_action_name(enum dg_action action); /* "reject" */
const char *dg_class_name(enum dg_class cls);      /* "ddl"; one bit or 0 */
const char *dg_migration_state_name(enum dg_migration_state state); /* "out of order" */
/* 0 or -EINVAL */
int dg_action_parse(struct str s, enum dg_action *out) MUST_CHECK;
/* "ddl, code" to a set of bits; on -EINVAL *bad is the first unknown word. */
int dg_classes_parse(struct str list, unsigned *out, struct str *bad) MUST_CHECK;

#endif
