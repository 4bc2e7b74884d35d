// SPDX-License-Identifier: ISC
/* libpq's connection strings (manual 34.1.1) as ddlgate.ini holds them. Private to
 * config. */
#ifndef DG_CONFIG_CONNINFO_H
#define DG_CONFIG_CONNINFO_H

#include "base/err.h"
#include "base/ini.h"
#include "base/str.h"
#include "config/config.h"

struct arena;

/* Calls pair for each keyword=value of text, values decoded. 0 or what pair or the grammar
 * says; err tells what is wrong without file:line and without any value, since values may
 * be secret. */
typedef int (*cfg_pair_fn)(
    void *ctx, struct str keyword, const char *value, struct err *err);
int cfg_conninfo_pairs(const char *text, cfg_pair_fn pair, void *ctx, struct err *err)
    MUST_CHECK;

/* Reads an entry of [databases] (or [peers]: no policy, limits or credentials). What it
 * leaves open is taken from c by cfg_database_finish, when all settings are known; that
 * also writes d->conninfo. Strings live in c->arena; hosts too. */
int cfg_database_read(struct cfg *c, const struct ini_item *item, bool is_peer,
    struct cfg_database *d, struct err *err) MUST_CHECK;
int
cfg_database_finish(struct cfg *c, struct cfg_database *d, struct err *err) MUST_CHECK;

#endif
