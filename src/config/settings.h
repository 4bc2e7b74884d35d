// SPDX-License-Identifier: ISC
/* The keys of [ddlgate], made from include/ddlgate/tbl/settings.h. Private to config. */
#ifndef DG_CONFIG_SETTINGS_H
#define DG_CONFIG_SETTINGS_H

#include "base/ini.h"
#include "config/config.h"

enum {
#define CFG_STRING(name, ...) CFG_I_##name,
#define CFG_PATH(name, ...)   CFG_I_##name,
#define CFG_BOOL(name, ...)   CFG_I_##name,
#define CFG_INT(name, ...)    CFG_I_##name,
#define CFG_SIZE(name, ...)   CFG_I_##name,
#define CFG_TIME(name, ...)   CFG_I_##name,
#include "ddlgate/tbl/settings.h"
    CFG_N_SETTINGS
};

extern const char *const cfg_setting_names[CFG_N_SETTINGS];

void cfg_set_defaults(struct cfg *c);
/* Index of a key or -1. */
int cfg_setting_find(const char *key);
/* Sets one from its text; 0 or -EINVAL with err. */
int cfg_setting_set(
    struct cfg *c, int index, const struct ini_item *item, struct err *err) MUST_CHECK;

#endif
