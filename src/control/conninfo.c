// SPDX-License-Identifier: ISC
/* libpq's connection strings: reading, overlaying, writing. libpq's own messages about a
 * string it can't read quote parts of it, which may be of a password: they aren't passed
 * on. */
#include "control/conn.h"

#include "base/buf.h"
#include "base/mem.h"

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

static void
put_option(struct buf *b, const char *keyword, const char *value)
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
            put_option(&b, o->keyword, value);
    }
    *out = buf_steal(&b);
    return 0;
}

int
ctl_target_parse(const char *conninfo, struct ctl_target *out, struct err *err)
{
    AUTO(ctl_options) PQconninfoOption *options = NULL;
    int r = ctl_parse("the database's entry", conninfo, &options, err);

    if (r)
        return r;
    const char *host = ctl_option(options, "hostaddr");
    *out = (struct ctl_target){ .host = mem_strdup(
                                    host ? host : ctl_option(options, "host")),
        .port = mem_strdup(ctl_option(options, "port")),
        .dbname = mem_strdup(ctl_option(options, "dbname")) };
    return 0;
}

void
ctl_target_deinit(struct ctl_target *t)
{
    mem_free(t->host);
    mem_free(t->port);
    mem_free(t->dbname);
    *t = (struct ctl_target){ .host = NULL };
}
