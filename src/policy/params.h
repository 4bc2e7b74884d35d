// SPDX-License-Identifier: ISC
/* Parameters of checks: the keys of tbl/check_params.h, read once when a policy is loaded.
 * thread: any (immutable once read) */
#ifndef DG_POLICY_PARAMS_H
#define DG_POLICY_PARAMS_H

#include "base/err.h"
#include "base/mem.h"
#include "policy/pattern.h"

#include <regex.h>

enum pol_param_key {
#define POL_PARAM(symbol, key, kind, what) POL_P_##symbol,
#include "ddlgate/tbl/check_params.h"
    POL_N_PARAMS
};

/* "created_at timestamptz not null default now()" */
struct pol_column_spec {
    const char *name;
    const char *type; /* canonical (int8), NULL: any */
    const char *call; /* of its default, NULL: any */
    bool has_not_null, has_default;
    const char *text; /* as written */
};

struct pol_value {
    const char *text;   /* as written; NULL: neither written nor a default */
    bool is_written;    /* by the policy, not by the catalogue */
    int64_t number;     /* NUMBER, SIZE, BOOL; TIME, TIMEOUT in milliseconds */
    const char **words; /* LIST, DEFAULTS */
    size_t n_words;
    struct pol_list objects; /* OBJECTS */
    regex_t *regex;          /* REGEX; freed by pol_value_deinit */
    struct pol_column_spec *columns;
    size_t n_columns;
};

/* key=default of a check's params, in their order; false at the end. value.p NULL: the key
 * has no default. *rest starts as the whole text. */
bool pol_params_next(struct str *rest, struct str *key, struct str *value);
bool pol_params_have(const char *params, const char *key);
bool pol_param_find(struct str key, enum pol_param_key *out);

/* Errors say what is wrong and what to write, without file and line. */
int pol_value_parse(struct arena *a, enum pol_param_key key, const char *text,
    struct pol_value *out, struct err *err) MUST_CHECK;
void pol_value_deinit(struct pol_value *v);

/* The canonical name of a type as people write it, "int8" for "bigint"; and of a column's
 * type in facts, "int8" for "pg_catalog.int8". Without modifiers. */
const char *pol_type_name(struct arena *a, const char *written);
const char *pol_column_type(const struct sql_column *col);

#endif
