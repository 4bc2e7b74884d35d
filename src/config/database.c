// SPDX-License-Identifier: ISC
/* An entry of [databases] or [peers]: libpq's keywords (manual 34.1.2) as far as the gate
 * itself connects by them, and a few of its own. What it can't do is an error, not a
 * keyword that has no effect. */
#include "config/conninfo.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/near.h"
#include "config/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_HOSTS 16

enum key {
    KEY_HOST,
    KEY_HOSTADDR,
    KEY_PORT,
    KEY_DBNAME,
    KEY_USER,
    KEY_PASSWORD,
    KEY_CONNECT_TIMEOUT,
    KEY_TARGET_SESSION_ATTRS,
    KEY_SSLMODE,
    KEY_SSLKEY,
    KEY_SSLCERT,
    KEY_SSLROOTCERT,
    KEY_SSLCRL,
    KEY_SSLSNI,
    KEY_SSLNEGOTIATION,
    KEY_POLICY,
    KEY_PROXY_PROTOCOL,
    KEY_MAX_DB_CONNECTIONS,
    N_KEYS,
};

static const char *const keys[N_KEYS] = { "host", "hostaddr", "port", "dbname", "user",
    "password", "connect_timeout", "target_session_attrs", "sslmode", "sslkey",
    "sslcert", "sslrootcert", "sslcrl", "sslsni", "sslnegotiation", "policy",
    "proxy_protocol", "max_db_connections" };

#define SSLMODES "disable|allow|prefer|require|verify-ca|verify-full"
#define TARGETS  "any|read-write|read-only|primary|standby|prefer-standby"

struct reader {
    struct cfg *cfg;
    const struct ini_item *item;
    struct cfg_database *d;
    bool is_peer;
    bool has[N_KEYS];
    const char *lists[3]; /* host, hostaddr, port as written */
};

static int
bad_value(const char *key, const char *what, struct err *err)
{
    return err_set(err, -EINVAL, "`%s`: %s", key, what);
}

static int
read_word(
    const char *key, const char *words, const char *value, int *out, struct err *err)
{
    char text[160], what[200];
    *out = cfg_word_find(words, value);
    if (*out >= 0)
        return 0;
    cfg_words_text(words, text, sizeof(text));
    snprintf(what, sizeof(what), "write %s", text);
    return bad_value(key, what, err);
}

static int
read_number(
    const char *key, int64_t max, const char *value, int64_t *out, struct err *err)
{
    char what[64];
    if (str_int64(str_of(value), 0, max, out) == 0)
        return 0;
    snprintf(what, sizeof(what), "write a number from 0 to %lld", (long long)max);
    return bad_value(key, what, err);
}

/* A path relative to the file that the entry stands in. */
static const char *
path_of(struct reader *r, const char *value)
{
    AUTO(mem_free) char *path = fs_relative_to(r->item->file, value);
    return arena_strdup(r->cfg->arena, path);
}

static int
read_key(struct reader *r, enum key key, const char *value, struct err *err)
{
    struct cfg_database *d = r->d;
    const char *text = arena_strdup(r->cfg->arena, value);
    int64_t number = 0;
    int word = 0, ret = 0;
    switch (key) {
    case KEY_HOST:
    case KEY_HOSTADDR:
    case KEY_PORT:
        r->lists[key] = text;
        return 0;
    case KEY_DBNAME:
        d->dbname = text;
        return 0;
    case KEY_USER:
        d->user = text;
        return 0;
    case KEY_PASSWORD:
        d->password = text;
        return 0;
    case KEY_CONNECT_TIMEOUT:
        ret = read_number(keys[key], 3600, value, &number, err);
        d->connect_timeout_ms = number * 1000;
        return ret;
    case KEY_TARGET_SESSION_ATTRS:
        ret = read_word(keys[key], TARGETS, value, &word, err);
        d->target = word;
        return ret;
    case KEY_SSLMODE:
        ret = read_word(keys[key], SSLMODES, value, &word, err);
        d->tls.mode = word;
        return ret;
    case KEY_SSLKEY:
        d->tls.key_file = path_of(r, value);
        return 0;
    case KEY_SSLCERT:
        d->tls.cert_file = path_of(r, value);
        return 0;
    case KEY_SSLROOTCERT:
        d->tls.ca_file = strcmp(value, "system") ? path_of(r, value) : text;
        return 0;
    case KEY_SSLCRL:
        d->tls.crl_file = path_of(r, value);
        return 0;
    case KEY_SSLSNI:
        ret = read_word(keys[key], "0|1", value, &word, err);
        d->has_sni = word;
        return ret;
    case KEY_SSLNEGOTIATION:
        ret = read_word(keys[key], "postgres|direct", value, &word, err);
        d->is_direct_tls = word;
        return ret;
    case KEY_POLICY:
        d->policy = path_of(r, value);
        return 0;
    case KEY_PROXY_PROTOCOL:
        ret = read_word(keys[key], "off|v2", value, &word, err);
        d->sends_proxy_header = word;
        return ret;
    case KEY_MAX_DB_CONNECTIONS:
        return read_number(keys[key], 1000000, value, &d->max_connections, err);
    case N_KEYS:
        break;
    }
    return 0;
}

static bool
is_for_peers(enum key key)
{
    return key == KEY_HOST || key == KEY_HOSTADDR || key == KEY_PORT
        || (key >= KEY_SSLMODE && key <= KEY_SSLNEGOTIATION)
        || key == KEY_CONNECT_TIMEOUT;
}

static int
on_pair(void *ctx, struct str keyword, const char *value, struct err *err)
{
    struct reader *r = ctx;
    int shown = (int)(keyword.n < 64 ? keyword.n : 64);
    for (int i = 0; i < N_KEYS; i++) {
        if (!str_eqz(keyword, keys[i]))
            continue;
        if (r->is_peer && !is_for_peers((enum key)i))
            return err_set(err, -EINVAL, "`%s` has no meaning in [peers]", keys[i]);
        if (r->has[i])
            return err_set(err, -EINVAL, "`%s` is given twice", keys[i]);
        if (!*value)
            return err_set(
                err, -EINVAL, "`%s=` is empty; write a value, or remove it", keys[i]);
        r->has[i] = true;
        return read_key(r, (enum key)i, value, err);
    }
    const char *near = cfg_near(keyword, keys, N_KEYS);
    if (near)
        return err_set(err, -EINVAL, "unknown keyword `%.*s`; did you mean `%s`?",
            shown, keyword.p, near);
    return err_set(err, -EINVAL,
        "unknown keyword `%.*s`; the sample ddlgate.ini lists those that the gate knows",
        shown, keyword.p);
}

/* The i-th item of a comma list, NULL past its end. */
static const char *
list_item(struct arena *a, const char *list, size_t i)
{
    struct str rest = str_of(list ? list : ""), item;
    while (list && str_next_item(&rest, &item))
        if (i-- == 0)
            return arena_strndup(a, item.p, item.n);
    return NULL;
}

static size_t
list_length(const char *list)
{
    struct str rest = str_of(list ? list : ""), item;
    size_t n = 0;
    while (list && str_next_item(&rest, &item))
        n++;
    return n;
}

/* As libpq: as many hosts as hostaddrs, and one port for all or one for each. */
static int
make_hosts(struct reader *r, struct err *err)
{
    struct arena *a = r->cfg->arena;
    size_t n_host = list_length(r->lists[0]), n_addr = list_length(r->lists[1]);
    size_t n_port = list_length(r->lists[2]), n = n_host > n_addr ? n_host : n_addr;
    if (n == 0)
        n = 1;
    if (n > MAX_HOSTS)
        return err_set(err, -EINVAL, "more than %d hosts", MAX_HOSTS);
    if (n_host && n_addr && n_host != n_addr)
        return err_set(
            err, -EINVAL, "%zu names in `host` but %zu in `hostaddr`", n_host, n_addr);
    if (n_port > 1 && n_port != n)
        return err_set(err, -EINVAL, "%zu hosts but %zu ports", n, n_port);
    r->d->hosts = arena_alloc(a, n * sizeof(*r->d->hosts));
    r->d->n_hosts = n;
    for (size_t i = 0; i < n; i++) {
        struct cfg_host *h = &r->d->hosts[i];
        int64_t port;
        h->hostaddr = list_item(a, r->lists[1], i);
        h->host = list_item(a, r->lists[0], i);
        h->port = list_item(a, r->lists[2], n_port > 1 ? i : 0);
        if (!h->host || !*h->host)
            h->host = h->hostaddr ? h->hostaddr : "127.0.0.1";
        if (!h->port || !*h->port)
            h->port = "5432";
        if (str_int64(str_of(h->port), 1, 65535, &port) != 0)
            return bad_value("port", "write numbers from 1 to 65535", err);
    }
    return 0;
}

int
cfg_database_read(struct cfg *c, const struct ini_item *item, bool is_peer,
    struct cfg_database *d, struct err *err)
{
    struct reader r = { .cfg = c, .item = item, .d = d, .is_peer = is_peer };
    *d = (struct cfg_database){ .name = arena_strdup(c->arena, item->key),
        .file = arena_strdup(c->arena, item->file),
        .line = item->line,
        .has_sni = true,
        .connect_timeout_ms = -1,
        .max_connections = -1,
        .tls = { .mode = (enum cfg_sslmode) - 1 } };
    int ret = cfg_conninfo_pairs(item->value, on_pair, &r, err);
    if (ret)
        return ret;
    if (r.has[KEY_PASSWORD] && !r.has[KEY_USER])
        return err_set(err, -EINVAL, "`password` needs the `user` that it belongs to");
    return make_hosts(&r, err);
}

/* --- what settings say ------------------------------------------------------------------- */

struct writer {
    char *text;
    size_t n, size;
};

static void
put(struct writer *w, const char *keyword, const char *value)
{
    if (!value)
        return;
    w->n += (size_t)snprintf(
        w->text + w->n, w->size - w->n, "%s%s='", w->n ? " " : "", keyword);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            w->text[w->n++] = '\\';
        w->text[w->n++] = *value;
    }
    w->text[w->n++] = '\'';
    w->text[w->n] = '\0';
}

static const char *
join_hosts(struct cfg *c, const struct cfg_database *d, size_t offset)
{
    size_t size = 1, n = 0;
    bool has_any = false;
    for (size_t i = 0; i < d->n_hosts; i++) {
        const char *item;
        memcpy(&item, (const char *)&d->hosts[i] + offset, sizeof(item));
        size += (item ? strlen(item) : 0) + 1;
        has_any |= item != NULL;
    }
    if (!has_any)
        return NULL;
    char *text = arena_alloc(c->arena, size);
    for (size_t i = 0; i < d->n_hosts; i++) {
        const char *item;
        memcpy(&item, (const char *)&d->hosts[i] + offset, sizeof(item));
        n += (size_t)snprintf(
            text + n, size - n, "%s%s", i ? "," : "", item ? item : "");
    }
    return text;
}

/* For libpq, which reads the history there: the same hosts, the same TLS. */
static const char *
write_conninfo(struct cfg *c, const struct cfg_database *d)
{
    static const char *const modes[] = { "disable", "allow", "prefer", "require",
        "verify-ca", "verify-full" };
    static const char *const targets[] = { "any", "read-write", "read-only", "primary",
        "standby", "prefer-standby" };
    const char *values[] = { join_hosts(c, d, offsetof(struct cfg_host, host)),
        join_hosts(c, d, offsetof(struct cfg_host, hostaddr)),
        join_hosts(c, d, offsetof(struct cfg_host, port)), d->dbname, d->tls.key_file,
        d->tls.cert_file, d->tls.ca_file, d->tls.crl_file };
    static const char *const names[] = { "host", "hostaddr", "port", "dbname", "sslkey",
        "sslcert", "sslrootcert", "sslcrl" };
    struct writer w = { .size = 512 };
    for (size_t i = 0; i < DG_ARRAY_SIZE(values); i++)
        w.size += values[i] ? 2 * strlen(values[i]) + 32 : 0;
    w.text = arena_alloc(c->arena, w.size);
    w.text[0] = '\0';
    for (size_t i = 0; i < DG_ARRAY_SIZE(values); i++)
        put(&w, names[i], values[i]);
    put(&w, "sslmode", modes[d->tls.mode]);
    if (d->target != CFG_TARGET_ANY)
        put(&w, "target_session_attrs", targets[d->target]);
    if (!d->has_sni)
        put(&w, "sslsni", "0");
    /* libpq's own limit is in whole seconds and at least 2. */
    char seconds[32];
    snprintf(seconds, sizeof(seconds), "%lld",
        (long long)(d->connect_timeout_ms + 999) / 1000);
    put(&w, "connect_timeout", seconds);
    return w.text;
}

static const char *
or_else(const char *own, const char *general)
{
    return own ? own : general;
}

int
cfg_database_finish(struct cfg *c, struct cfg_database *d, struct err *err)
{
    if (d->connect_timeout_ms <= 0)
        d->connect_timeout_ms = c->server_connect_timeout_ms;
    if (d->max_connections < 0)
        d->max_connections = c->max_db_connections;
    if ((int)d->tls.mode < 0)
        d->tls.mode = (enum cfg_sslmode)c->server_tls_sslmode;
    d->tls.key_file = or_else(d->tls.key_file, c->server_tls_key_file);
    d->tls.cert_file = or_else(d->tls.cert_file, c->server_tls_cert_file);
    d->tls.ca_file = or_else(d->tls.ca_file, c->server_tls_ca_file);
    d->tls.crl_file = or_else(d->tls.crl_file, c->server_tls_crl_file);
    d->tls.ciphers = c->server_tls_ciphers;
    d->tls.protocols = c->server_tls_protocols;
    if (d->is_direct_tls && d->tls.mode < CFG_SSL_REQUIRE)
        return err_set(err, -EINVAL,
            "`sslnegotiation=direct` needs `sslmode=require`, verify-ca or verify-full");
    if (d->target != CFG_TARGET_ANY && !c->control)
        return err_set(err, -EINVAL,
            "`target_session_attrs` needs the `control` login, with which the gate finds "
            "out what the servers are");
    if (d->user && c->auth_type == CFG_AUTH_PASSTHROUGH)
        return err_set(err, -EINVAL,
            "`user` needs an auth_type with which the gate itself authenticates clients");
    d->conninfo = write_conninfo(c, d);
    return 0;
}
