// SPDX-License-Identifier: ISC
/* The keys of [ddlgate], made from include/ddlgate/tbl/settings.h. Private to config. */
#ifndef DG_CONFIG_SETTINGS_H
#define DG_CONFIG_SETTINGS_H

#include "base/ini.h"
#include "config/config.h"

enum {
#define CFG_ENUM(name, ...)   CFG_I_##name,
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

/* Index of word in "a|b|c", -1 if it isn't one of them; the words as "a, b or c". */
int cfg_word_find(const char *words, const char *word);
void cfg_words_text(const char *words, char *out, size_t size);

#endif
