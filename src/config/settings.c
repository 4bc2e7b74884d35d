// SPDX-License-Identifier: ISC
/* Settings by type: parse, check the limits, store. */
#include "config/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

enum type {
    TYPE_STRING,
    TYPE_PATH,
    TYPE_BOOL,
    TYPE_INT,
    TYPE_SIZE,
    TYPE_TIME,
    TYPE_ENUM,
};

struct setting {
    enum type type;
    size_t offset;    /* in struct cfg */
    const char *text; /* default of TYPE_STRING and TYPE_PATH; words of TYPE_ENUM */
    int64_t min, max, number; /* limits and default of the others */
};

const char *const cfg_setting_names[CFG_N_SETTINGS] = {
#define CFG_ENUM(name, ...)   #name,
#define CFG_STRING(name, ...) #name,
#define CFG_PATH(name, ...)   #name,
#define CFG_BOOL(name, ...)   #name,
#define CFG_INT(name, ...)    #name,
#define CFG_SIZE(name, ...)   #name,
#define CFG_TIME(name, ...)   #name,
#include "ddlgate/tbl/settings.h"
};

static const struct setting settings[CFG_N_SETTINGS] = {
#define CFG_ENUM(name, words, def, prose) \
    { TYPE_ENUM, offsetof(struct cfg, name), words, 0, 0, def },
#define CFG_STRING(name, def, prose) \
    { TYPE_STRING, offsetof(struct cfg, name), def, 0, 0, 0 },
#define CFG_PATH(name, def, prose) \
    { TYPE_PATH, offsetof(struct cfg, name), def, 0, 0, 0 },
#define CFG_BOOL(name, def, prose) \
    { TYPE_BOOL, offsetof(struct cfg, name), NULL, 0, 1, def },
#define CFG_INT(name, min, max, def, prose) \
    { TYPE_INT, offsetof(struct cfg, name), NULL, min, max, def },
#define CFG_SIZE(name, min, max, def, prose) \
    { TYPE_SIZE, offsetof(struct cfg, name), NULL, min, max, def },
#define CFG_TIME(name, min, max, def, prose) \
    { TYPE_TIME, offsetof(struct cfg, name##_ms), NULL, min, max, def },
#include "ddlgate/tbl/settings.h"
};

/* Fields are reached by offset; copying keeps that free of casts. */
static void
store(struct cfg *c, const struct setting *s, const void *value, size_t size)
{
    memcpy((char *)c + s->offset, value, size);
}

static void
store_number(struct cfg *c, const struct setting *s, int64_t number)
{
    bool flag = number != 0;
    int word = (int)number;
    if (s->type == TYPE_BOOL)
        store(c, s, &flag, sizeof flag);
    else if (s->type == TYPE_ENUM)
        store(c, s, &word, sizeof word);
    else
        store(c, s, &number, sizeof number);
}

void
cfg_set_defaults(struct cfg *c)
{
    for (size_t i = 0; i < CFG_N_SETTINGS; i++) {
        const struct setting *s = &settings[i];
        if (s->type == TYPE_STRING || s->type == TYPE_PATH)
            store(c, s, &s->text, sizeof s->text);
        else
            store_number(c, s, s->number);
    }
}

int
cfg_setting_find(const char *key)
{
    for (int i = 0; i < CFG_N_SETTINGS; i++)
        if (!strcmp(cfg_setting_names[i], key))
            return i;
    return -1;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit no_unit[] = { { "", 1 } };
static const struct unit sizes[] = {
    { "TB", INT64_C(1) << 40 },
    { "GB", 1 << 30 },
    { "MB", 1 << 20 },
    { "kB", 1 << 10 },
    { "", 1 },
};
static const struct unit times[] = {
    { "d", 86400000 },
    { "h", 3600000 },
    { "min", 60000 },
    { "s", 1000 },
    { "ms", 1 },
};

#define LIMIT_SIZE 32

/* In the largest unit that needs no fraction. */
static void
limit_text(enum type type, int64_t v, char out[LIMIT_SIZE])
{
    const struct unit *u = type == TYPE_SIZE ? sizes
        : type == TYPE_TIME                  ? times
                                             : no_unit;
    while (u->factor > 1 && (v == 0 || v % u->factor))
        u++;
    snprintf(out, LIMIT_SIZE, "%" PRId64 "%s", v / u->factor, v ? u->name : "");
}

static int
refuse_value(const struct ini_item *item, const char *what, struct err *err)
{
    return err_set(err, -EINVAL, "%s:%d: %s = %.60s: %s", item->file, item->line,
        item->key, item->value, what);
}

static int
refuse_range(const struct setting *s, const struct ini_item *item, struct err *err)
{
    char min[LIMIT_SIZE], max[LIMIT_SIZE], what[2 * LIMIT_SIZE + 32];
    limit_text(s->type, s->min, min);
    limit_text(s->type, s->max, max);
    snprintf(what, sizeof what, "must be within %s and %s", min, max);
    return refuse_value(item, what, err);
}

/* What the value is not, for a person to write it right. */
static const char *
grammar(enum type type)
{
    switch (type) {
    case TYPE_BOOL:
        return "write yes or no";
    case TYPE_INT:
        return "write a whole number";
    case TYPE_SIZE:
        return "write a number of bytes, or one with kB, MB or GB";
    case TYPE_TIME:
        return "write a number of seconds, or one with ms, s, min, h or d";
    case TYPE_STRING:
    case TYPE_PATH:
    case TYPE_ENUM:
        break;
    }
    return "write a text";
}

/* 0, -EINVAL, -ERANGE */
static int
parse_number(enum type type, const char *value, int64_t *out)
{
    struct str text = str_of(value);
    bool flag = false;
    uint64_t bytes = 0;
    int r = -EINVAL;
    switch (type) {
    case TYPE_BOOL:
        r = str_bool(text, &flag);
        *out = flag;
        break;
    case TYPE_INT:
        r = str_int64(text, INT64_MIN, INT64_MAX, out);
        break;
    case TYPE_SIZE:
        r = str_size(text, &bytes);
        if (bytes > INT64_MAX)
            return -ERANGE;
        *out = (int64_t)bytes;
        break;
    case TYPE_TIME:
        r = str_duration(text, 1000, out);
        break;
    case TYPE_STRING:
    case TYPE_PATH:
    case TYPE_ENUM:
        break;
    }
    return r;
}

static int
set_number(struct cfg *c, const struct setting *s, const struct ini_item *item,
    struct err *err)
{
    int64_t number = 0;
    int r = parse_number(s->type, item->value, &number);
    if (r == -ERANGE || (r == 0 && (number < s->min || number > s->max)))
        return refuse_range(s, item, err);
    if (r)
        return refuse_value(item, grammar(s->type), err);
    store_number(c, s, number);
    return 0;
}

/* Index of word in "a|b|c", -1 if it isn't there. */
int
cfg_word_find(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (int i = 0; *words; i++) {
        size_t len = strcspn(words, "|");
        if (len == n && memcmp(words, word, n) == 0)
            return i;
        words += len + (words[len] == '|');
    }
    return -1;
}

void
cfg_words_text(const char *words, char *out, size_t size)
{
    size_t n = 0;
    for (; *words && n + 3 < size; words++) {
        if (*words != '|') {
            out[n++] = *words;
            continue;
        }
        bool is_last = !strchr(words + 1, '|');
        n += (size_t)snprintf(out + n, size - n, "%s", is_last ? " or " : ", ");
    }
    out[n < size ? n : size - 1] = '\0';
}

static int
set_word(struct cfg *c, const struct setting *s, const struct ini_item *item,
    struct err *err)
{
    char words[160], what[200];
    int index = cfg_word_find(s->text, item->value);
    if (index < 0) {
        cfg_words_text(s->text, words, sizeof words);
        snprintf(what, sizeof what, "write %s", words);
        return refuse_value(item, what, err);
    }
    store_number(c, s, index);
    return 0;
}

/* An empty value means "not set" where that is the default, or a choice; elsewhere it is a
 * mistake. */
static int
set_text(struct cfg *c, const struct setting *s, const struct ini_item *item,
    struct err *err)
{
    bool is_word = s == &settings[CFG_I_server_tls_ca_file]
        && !strcmp(item->value, "system"); /* no path: the system's store */
    bool may_be_empty = !s->text || s == &settings[CFG_I_admin_database];
    const char *text = NULL;
    if (!*item->value && !may_be_empty)
        return refuse_value(item, "write a value, or remove the line", err);
    if (*item->value && s->type == TYPE_PATH && !is_word) {
        AUTO(mem_free) char *path = fs_relative_to(item->file, item->value);
        text = arena_strdup(c->arena, path);
    } else if (*item->value) {
        text = arena_strdup(c->arena, item->value);
    }
    store(c, s, &text, sizeof text);
    return 0;
}

/* What the types cannot say. */
static int
check_meaning(int index, const struct ini_item *item, struct err *err)
{
    if (index == CFG_I_listen_addr) {
        struct str rest = str_of(item->value), addr;
        while (str_next_item(&rest, &addr))
            if (!addr.n)
                return refuse_value(
                    item, "an address is empty; write them comma separated", err);
    }
    return 0;
}

int
cfg_setting_set(struct cfg *c, int index, const struct ini_item *item, struct err *err)
{
    const struct setting *s = &settings[index];
    int r = check_meaning(index, item, err);
    if (r)
        return r;
    if (s->type == TYPE_STRING || s->type == TYPE_PATH)
        return set_text(c, s, item, err);
    if (s->type == TYPE_ENUM)
        return set_word(c, s, item, err);
    return set_number(c, s, item, err);
}
