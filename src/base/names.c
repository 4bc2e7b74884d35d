// SPDX-License-Identifier: ISC
/* Tables of the vocabulary's names; see names.h. */
#include "base/names.h"

#include <errno.h>

static const enum dg_action actions[] = { DG_ALLOW, DG_NOTE, DG_WARN, DG_REWRITE,
    DG_HOLD, DG_REJECT };
static const enum dg_class classes[] = { DG_OTHER, DG_DDL, DG_CODE, DG_DCL,
    DG_MAINTENANCE, DG_CLUSTER, DG_HISTORY };

const char *
dg_action_name(enum dg_action action)
{
    switch (action) {
    case DG_ALLOW:
        return "allow";
    case DG_NOTE:
        return "note";
    case DG_WARN:
        return "warn";
    case DG_REWRITE:
        return "rewrite";
    case DG_HOLD:
        return "hold";
    case DG_REJECT:
        return "reject";
    }
    DG_ASSERT(false, "no action %d", (int)action);
    return NULL;
}

const char *
dg_class_name(enum dg_class cls)
{
    switch (cls) {
    case DG_OTHER:
        return "other";
    case DG_DDL:
        return "ddl";
    case DG_CODE:
        return "code";
    case DG_DCL:
        return "dcl";
    case DG_MAINTENANCE:
        return "maintenance";
    case DG_CLUSTER:
        return "cluster";
    case DG_HISTORY:
        return "history";
    }
    DG_ASSERT(false, "no single class: %d", (int)cls);
    return NULL;
}

const char *
dg_migration_state_name(enum dg_migration_state state)
{
    switch (state) {
    case DG_MIG_PENDING:
        return "pending";
    case DG_MIG_RUNNING:
        return "running";
    case DG_MIG_APPLIED:
        return "applied";
    case DG_MIG_EDITED:
        return "edited";
    case DG_MIG_OUT_OF_ORDER:
        return "out of order";
    case DG_MIG_MISSING:
        return "missing";
    case DG_MIG_FAILED:
        return "failed";
    }
    DG_ASSERT(false, "no migration state %d", (int)state);
    return NULL;
}

int
dg_action_parse(struct str s, enum dg_action *out)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(actions); i++)
        if (str_ieqz(s, dg_action_name(actions[i]))) {
            *out = actions[i];
            return 0;
        }
    return -EINVAL;
}

static int
class_parse(struct str s, unsigned *out)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(classes); i++)
        if (str_ieqz(s, dg_class_name(classes[i]))) {
            *out = classes[i];
            return 0;
        }
    return -EINVAL;
}

int
dg_classes_parse(struct str list, unsigned *out, struct str *bad)
{
    unsigned all = 0, one;
    struct str item;

    while (str_next_item(&list, &item)) {
        if (class_parse(item, &one)) {
            *bad = item;
            return -EINVAL;
        }
        all |= one;
    }
    *out = all;
    return 0;
}
