// SPDX-License-Identifier: ISC
/* ${name} replaced by values of the configuration wherever it stands, strings and comments
 * included, as Flyway does; values are not looked at again. */
#include "history/source.h"

#include <errno.h>
#include <string.h>

#define MAX_PLACEHOLDER_NAME 100

/* Flyway's names don't mind case; a `:` can't stand in a key of the configuration, so
 * placeholder.flyway_user sets ${flyway:user}. */
static bool
is_placeholder(const char *conf_name, struct str name)
{
    if (strlen(conf_name) != name.n)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = ascii_lower(name.p[i]), d = ascii_lower(conf_name[i]);
        if (c != d && !(c == ':' && d == '_'))
            return false;
    }
    return true;
}

static const char *
find_placeholder(
    const struct hist_conf *conf, const struct hist_migration *m, struct str name)
{
    for (size_t i = 0; i < conf->n_placeholders; i++) {
        if (is_placeholder(conf->placeholders[2 * i], name))
            return conf->placeholders[2 * i + 1];
    }
    if (str_ieqz(name, "flyway:filename"))
        return hist_base_name(m->file);
    if (str_ieqz(name, "flyway:table"))
        return conf->history_table;
    if (str_ieqz(name, "flyway:defaultSchema"))
        return conf->history_schema;
    return NULL;
}

static int
unknown_placeholder(const struct hist_migration *m, const char *raw, size_t pos,
    struct str name, struct err *err)
{
    char key[MAX_PLACEHOLDER_NAME + 1];
    bool is_builtin = name.n > 7 && memcmp(name.p, "flyway:", 7) == 0;

    for (size_t i = 0; i < name.n; i++)
        key[i] = name.p[i] == ':' ? '_' : name.p[i];
    key[name.n] = 0;
    return err_set(err, -EINVAL,
        "%s:%d: placeholder ${%.*s} has no value here%s; set placeholder.%s in the "
        "[migrations] section",
        m->path, hist_line_of(raw, pos), (int)name.n, name.p,
        is_builtin ? " (Flyway knows it when it runs)" : "", key);
}

int
hist_placeholders(const struct hist_conf *conf, struct hist_migration *m,
    const char *raw, size_t n, char **text, struct err *err)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(HIST_MAX_FILE_BYTES);
    size_t at = 0, from = 0;
    int r = buf_reserve(&out, n + 1);

    while (!r && (at = from) < n) {
        const char *p = memmem(raw + at, n - at, "${", 2);
        const char *end = p ? memchr(p, '}', (size_t)(raw + n - p)) : NULL;
        if (!end) {
            r = buf_add(&out, raw + at, n - at);
            break;
        }
        struct str name = { p + 2, (size_t)(end - p) - 2 };
        const char *value = find_placeholder(conf, m, name);
        if (!value && name.n > MAX_PLACEHOLDER_NAME)
            name.n = MAX_PLACEHOLDER_NAME;
        if (!value || memchr(name.p, '\n', name.n))
            return unknown_placeholder(m, raw, (size_t)(p - raw), name, err);
        r = buf_add(&out, raw + at, (size_t)(p - raw) - at);
        r = r ? r : buf_addstr(&out, value);
        from = (size_t)(end - raw) + 1;
    }
    if (r)
        return err_set(err, -EFBIG,
            "%s: larger than %zu bytes with its placeholders filled", m->path,
            HIST_MAX_FILE_BYTES);
    m->len = buf_len(&out);
    *text = arena_strndup(m->arena, m->len ? buf_ptr(&out) : "", m->len);
    return 0;
}
