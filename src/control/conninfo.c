// SPDX-License-Identifier: ISC
/* libpq's connection strings: reading, overlaying, writing. libpq's own messages about a
 * string it can't read quote parts of it, which may be of a password: they aren't passed
 * on. */
#include "control/conn.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

#define MAX_CONNINFO ((size_t)64 << 10)

int
ctl_parse(
    const char *what, const char *conninfo, PQconninfoOption **out, struct err *err)
{
    char *message = NULL;

    *out = PQconninfoParse(conninfo, &message);
    PQfreemem(message);
    if (*out)
        return 0;
    return err_set(err, -EINVAL,
        "%s is not a libpq connection string; write it as host=... port=... with values "
        "that hold blanks in single quotes, or as postgresql://host:port/",
        what);
}

const char *
ctl_option(const PQconninfoOption *options, const char *keyword)
{
    for (; options && options->keyword; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && *options->val ? options->val : NULL;
    }
    return NULL;
}

void
ctl_one_line(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; text && *text && n + 1 < size; text++) {
        bool is_blank = (unsigned char)*text <= ' ' || *text == 0x7f;
        if (is_blank && (n == 0 || out[n - 1] == ' '))
            continue;
        out[n++] = is_blank ? ' ' : *text;
    }
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = 0;
}

void
ctl_put_option(struct buf *b, const char *keyword, const char *value)
{
    if (buf_len(b) > 0)
        buf_puts(b, " ");
    buf_puts(b, keyword);
    buf_puts(b, "='");
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\')
            buf_puts(b, "\\");
        buf_put(b, p, 1);
    }
    buf_puts(b, "'");
}

int
ctl_conninfo(const char *upstream, const char *dbname, const char *control, char **out,
    struct err *err)
{
    AUTO(ctl_options) PQconninfoOption *up = NULL, *own = NULL;
    /* Twice the strings and every keyword fit: both were bounded when they were read. */
    AUTO(buf_deinit) struct buf b = BUF_INIT(MAX_CONNINFO * 4);

    if (strlen(upstream) > MAX_CONNINFO || strlen(control) > MAX_CONNINFO
        || (dbname && strlen(dbname) > MAX_CONNINFO))
        return err_set(
            err, -EINVAL, "connection string is longer than %zu bytes", MAX_CONNINFO);
    int r = ctl_parse("the database's entry", upstream, &up, err);
    if (!r)
        r = ctl_parse("control", control, &own, err);
    if (r)
        return r;
    for (const PQconninfoOption *o = up; o->keyword; o++) {
        const char *value = ctl_option(own, o->keyword);
        /* History is read in the very database, whatever control's own default is. */
        if (strcmp(o->keyword, "dbname") == 0)
            value = ctl_option(up, "dbname") ? ctl_option(up, "dbname") : dbname;
        else if (!value)
            value = ctl_option(up, o->keyword);
        if (value)
            ctl_put_option(&b, o->keyword, value);
    }
    *out = buf_steal(&b);
    return 0;
}

int
ctl_bind(const char *sql, const char *value, char **out, struct err *err)
{
    size_t n = strlen(value);
    for (size_t i = 0, len; i < n; i += len) {
        len = str_utf8_len(value + i, n - i);
        if (len == 0)
            return err_set(err, -EINVAL, "the name is not valid UTF-8");
    }
    /* Room for a quoted value in every place. */
    AUTO(buf_deinit) struct buf b = BUF_INIT((strlen(sql) + 1) * (2 * n + 3));
    for (const char *p = sql; *p; p++) {
        if (p[0] != '$' || p[1] != '1' || (p[2] >= '0' && p[2] <= '9')) {
            buf_put(&b, p, 1);
            continue;
        }
        buf_put(&b, "'", 1); /* standard_conforming_strings is on */
        for (const char *v = value; *v; v++) {
            buf_put(&b, v, 1);
            if (*v == '\'')
                buf_put(&b, v, 1);
        }
        buf_put(&b, "'", 1);
        p++;
    }
    *out = buf_steal(&b);
    return 0;
}

char *
ctl_conninfo_get(const char *conninfo, const char *keyword)
{
    AUTO(ctl_options) PQconninfoOption *options = NULL;

    if (ctl_parse("", conninfo, &options, NULL))
        return NULL;
    return mem_strdup(ctl_option(options, keyword));
}

char *
ctl_conninfo_with(const char *conninfo, const char *keyword, const char *value)
{
    AUTO(ctl_options) PQconninfoOption *options = NULL;
    AUTO(buf_deinit) struct buf b = BUF_INIT(MAX_CONNINFO * 4);

    if (strlen(conninfo) > MAX_CONNINFO || strlen(value) > MAX_CONNINFO
        || ctl_parse("", conninfo, &options, NULL))
        return NULL;
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        if (strcmp(o->keyword, keyword) != 0 && ctl_option(options, o->keyword))
            ctl_put_option(&b, o->keyword, o->val);
    }
    ctl_put_option(&b, keyword, value);
    return buf_steal(&b);
}
