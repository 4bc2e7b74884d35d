// SPDX-License-Identifier: ISC
/* Building both ends from the configuration. */
#include "session/links.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

static struct net_tls_settings
settings_of(const struct cfg_tls *t)
{
    _Static_assert((int)CFG_SSL_VERIFY_FULL == (int)NET_TLS_VERIFY_FULL
            && (int)CFG_SSL_REQUIRE == (int)NET_TLS_REQUIRE,
        "the same modes in the same order");
    return (struct net_tls_settings){ .mode = (enum net_tls_mode)t->mode,
        .key_file = t->key_file,
        .cert_file = t->cert_file,
        .ca_file = t->ca_file,
        .crl_file = t->crl_file,
        .ciphers = t->ciphers,
        .protocols = t->protocols };
}

static void
links_free(struct ref *ref)
{
    struct sess_links *l = (struct sess_links *)(void *)ref;
    for (size_t i = 0; l->upstreams && i < l->cfg->n_databases; i++)
        ref_drop(l->upstreams[i].tls);
    for (size_t i = 0; l->peers && i < l->cfg->n_peers; i++)
        ref_drop(l->peers[i].tls);
    mem_free(l->upstreams);
    mem_free(l->peers);
    ref_drop(l->client_tls);
    ref_drop(l->users);
    ref_drop(l->hba);
    ref_drop(l->cfg);
    mem_free(l);
}

static inline void
links_drop_p(struct sess_links **l)
{
    ref_drop(*l);
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_tls(const struct cfg_tls *a, const struct cfg_tls *b)
{
    return a->mode == b->mode && same_text(a->key_file, b->key_file)
        && same_text(a->cert_file, b->cert_file) && same_text(a->ca_file, b->ca_file)
        && same_text(a->crl_file, b->crl_file) && same_text(a->ciphers, b->ciphers)
        && same_text(a->protocols, b->protocols);
}

/* Entries with the same TLS share it: a CA file may be long, entries many. */
static int
make_upstreams(const struct cfg_database *list, size_t n, const char *what,
    struct sess_upstream *out, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct err reason;
        out[i].cfg = &list[i];
        if (list[i].tls.mode == CFG_SSL_DISABLE)
            continue;
        size_t k = 0;
        while (k < i && !(out[k].tls && same_tls(&list[k].tls, &list[i].tls)))
            k++;
        if (k < i) {
            out[i].tls = ref_take(out[k].tls);
            continue;
        }
        struct net_tls_settings s = settings_of(&list[i].tls);
        int r = net_tls_client_conf(&s, &out[i].tls, &reason);
        if (r)
            return err_set(err, r, "%s:%d: %s %s: %s", list[i].file, list[i].line, what,
                list[i].name, reason.text);
    }
    return 0;
}

static int
check_networks(const struct cfg *cfg, struct err *err)
{
    struct str rest = str_of(cfg->proxy_protocol_from ? cfg->proxy_protocol_from : "");
    struct str item;
    const struct net_addr any = { .len = 0 };
    while (cfg->proxy_protocol_from && str_next_item(&rest, &item)) {
        AUTO(mem_free) char *cidr = mem_strndup(item.p, item.n);
        if (strcmp(cidr, "unix") != 0 && net_addr_in(&any, cidr) < 0)
            return err_set(err, -EINVAL,
                "%s: proxy_protocol_from: `%.64s` is no network; write 10.0.0.0/8, "
                "2001:db8::/32, an address, or unix",
                cfg->path, cidr);
    }
    return 0;
}

int
sess_links_new(struct cfg *cfg, struct sess_links **out, struct err *err)
{
    AUTO(links_drop) struct sess_links *l = mem_zalloc(sizeof(*l));
    struct err reason = { "" };
    ref_init(&l->ref, links_free);
    l->cfg = ref_take(cfg);
    l->upstreams = mem_array(cfg->n_databases + 1, sizeof(*l->upstreams));
    l->peers = mem_array(cfg->n_peers + 1, sizeof(*l->peers));
    int r = check_networks(cfg, err);
    if (r)
        return r;
    if (cfg->client_tls_sslmode != CFG_SSL_DISABLE) {
        struct cfg_tls tls = cfg_client_tls(cfg);
        struct net_tls_settings s = settings_of(&tls);
        r = net_tls_server_conf(&s, &l->client_tls, &reason);
        if (r)
            return err_set(err, r, "%s: client_tls: %s", cfg->path, reason.text);
    }
    if (cfg->auth_file)
        r = auth_file_load(cfg->auth_file, &l->users, err);
    if (r == 0 && cfg->auth_type == CFG_AUTH_HBA)
        r = auth_hba_load(cfg->auth_hba_file, &l->hba, err);
    if (r == 0)
        r = make_upstreams(
            cfg->databases, cfg->n_databases, "database", l->upstreams, err);
    if (r == 0)
        r = make_upstreams(cfg->peers, cfg->n_peers, "peer", l->peers, err);
    if (r)
        return r;
    *out = l;
    l = NULL;
    return 0;
}

const struct sess_upstream *
sess_links_find(const struct sess_links *l, const struct cfg_database *db)
{
    size_t i = (size_t)(db - l->cfg->databases);
    DG_ASSERT(i < l->cfg->n_databases, "a database of another configuration");
    return &l->upstreams[i];
}

bool
sess_links_expects_proxy(const struct sess_links *l, const struct net_addr *peer)
{
    if (!l->cfg->proxy_protocol_from)
        return false;
    struct str rest = str_of(l->cfg->proxy_protocol_from), item;
    while (str_next_item(&rest, &item)) {
        AUTO(mem_free) char *cidr = mem_strndup(item.p, item.n);
        if (peer->ss.ss_family == AF_UNIX ? strcmp(cidr, "unix") == 0
                                          : net_addr_in(peer, cidr) > 0)
            return true;
    }
    return false;
}

void
sess_links_warnings(
    const struct sess_links *l, void (*fn)(void *ctx, const char *text), void *ctx)
{
    const struct cfg *c = l->cfg;
    struct err line;
    if (l->client_tls && net_tls_conf_warning(l->client_tls)) {
        err_set(&line, 0, "client_tls: %s", net_tls_conf_warning(l->client_tls));
        fn(ctx, line.text);
    }
    for (size_t i = 0; i < c->n_databases; i++) {
        const struct cfg_database *d = &c->databases[i];
        const char *why = l->upstreams[i].tls
            ? net_tls_conf_warning(l->upstreams[i].tls)
            : NULL;
        if (why) {
            err_set(&line, 0, "database %s: %s", d->name, why);
            fn(ctx, line.text);
        }
        if (c->auth_type != CFG_AUTH_PASSTHROUGH || !l->client_tls
            || !l->upstreams[i].tls)
            continue;
        err_set(&line, 0,
            "database %s: TLS on both sides with auth_type = passthrough: clients that "
            "bind SCRAM to the channel (libpq does by default) are refused unless the "
            "server has the gate's certificate; auth_type = scram-sha-256 serves all",
            d->name);
        fn(ctx, line.text);
    }
}
